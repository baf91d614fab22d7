/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a play share: what was run, what was kept for comparison. */
#ifndef DFUBENCH_PLAY_INTERNAL_H
#define DFUBENCH_PLAY_INTERNAL_H

#include "play.h"

/* The boards at one moment. */
struct snapshot_board {
	uint8_t *flash; /* whole main flash; NULL: the rig cannot look, or could not then */
	uint8_t options[OPTION_MAX_BYTES];
};
struct snapshot {
	char *name;
	uint64_t at_us;
	size_t events, exchanges; /* how many there were */
	size_t behind;            /* exchanges when all was looked at, which may have cost some */
	unsigned boards;
	struct snapshot_board *board; /* by number less one */
	struct snapshot *next;        /* the one before it */
};
#define SNAPSHOT_START "start"
#define SNAPSHOT_BEFORE_TOOL "before-tool"

/* A tool that has run. */
struct play_call {
	struct rules_call rules;
	unsigned step; /* index */
	char *output;
	bool cut;                 /* not all of it is kept */
	struct rules_part *parts; /* of the file, beyond the first */
};

struct play_state {
	struct files *files;
	struct snapshot *snapshots; /* the last first */
	struct play_call *calls;
	size_t call_count;
	uint64_t limit_us; /* on the board's clock, of the whole scenario */
	size_t step_index;
	uint64_t start_wall_us;
	bool crashed; /* a tool died of a signal that was nobody's, or spent all of its real time */
};

/* --- snapshot.c --- */
/* NULL on ENOMEM, or after play_error(). The play's. */
const struct snapshot *snapshot_take(struct play *, const char *name);
/* The last of that name; NULL: there is none. */
const struct snapshot *snapshot_find(const struct play *, const char *name);
void snapshots_free(struct snapshot *);

/* --- play.c --- */
/* Why something on the rig has failed with that error. */
const char *play_reason(const struct play *, int error);
/* A time limit for a tool: where boards run faster than the tool, its own waits are that much longer on their clock. */
uint64_t play_limit_us(const struct play *, uint64_t us);
/* What is left of tool_wall_ms, at least 1; 0: there is no limit. */
uint64_t play_wall_left_ms(const struct play *);
/* The name of a file for a tool that starts in the play's folder: within path. */
const char *play_short_path(const struct play *, const char *path);

/* --- play_tool.c --- */
char *shell_quoted(char *const *words); /* to be freed; NULL on ENOMEM */

/* --- play_result.c --- */
/* Findings, requests and sectors, once all has run. False on ENOMEM. */
bool result_fill(struct play *);
/* Findings that fail the scenario although all steps passed: into verdict, line and message of the result. */
void judge_findings(struct play *);
/* The findings of the calls from first on, freed with free(). */
int play_judge(struct play *, size_t first, struct finding **, size_t *count);
/* "download image at 0x08000000, leave"; NULL on ENOMEM. */
char *step_text(const struct step *);

#endif
