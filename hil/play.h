/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario being played: one tool, one rig, from set-up to result. Runs in a process of its own (runner.h), whose end is the end of
 * all that it started.
 */
#ifndef DFUBENCH_PLAY_H
#define DFUBENCH_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include "result.h"
#include "rig.h"
#include "rules.h"
#include "scenario.h"
#include "tool.h"

enum play_outcome { PLAY_OK, PLAY_FAILED, PLAY_SKIPPED, PLAY_ERROR };

struct play_options {
	const struct scenario *scenario;
	const struct tool *tool;
	const char *tool_path; /* --tool-path; NULL: as the adapter says */
	const struct rig_choice *rig;
	enum rig_time time;
	double scale;
	uint64_t seed;
	unsigned repeat;
	const char *capture_folder; /* NULL: the capture goes when the result is known */
	bool strict;                /* findings of severity error fail the scenario */
	const char *folder;         /* an empty folder for this run alone */
};

struct play {
	const struct play_options *options;
	struct rig *rig;
	struct result *result;
	struct result_step *step; /* the one that runs */
	/* the rest is play.c's and the verbs': */
	struct play_state *state;
};

/* Always gives a result, NULL only on ENOMEM. */
struct result *play_scenario(const struct play_options *);

/* Why the scenario cannot run here, before anything runs: a tool that lacks an operation, a rig that cannot; NULL: it can. */
const char *play_obstacle(const struct play_options *, char why[RIG_WHY]);

/* --- for the verbs --- */
/* The message of a failed step; expected and got may be NULL. Returns PLAY_FAILED. */
enum play_outcome play_fail(struct play *, const char *expected, const char *got, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
enum play_outcome play_error(struct play *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The path of a FIELD_FILE, made if it is one of the scenario's `files`; NULL after play_error(). The play's. */
const char *play_file(struct play *, const struct value *);
/* Its contents; *data to be freed. */
enum play_outcome play_read_file(struct play *, const struct value *, uint8_t **data, size_t *length);
/* Run a tool operation, or words as they are (words != NULL), and hold it against expect. */
enum play_outcome play_tool(struct play *, const struct step *, struct tool_call *, char **words);

#endif
