/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A scenario being played: one tool, one rig, from set-up to result. Runs in a process of its own (runner.h), whose end is the end of
 * all that it started.
 */
#ifndef DFUBENCH_PLAY_H
#define DFUBENCH_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include "erases.h"
#include "files.h"
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
	const char *const *faults;  /* rules on every board from the start, beside the scenario's, NULL ends; or NULL */
	const char *folder;         /* an empty folder for this run alone; absolute */
	const char *tool_version;   /* as the tool says it; NULL: not known */
	const char *program;        /* this program, for scripted hosts; NULL: /proc/self/exe */
	bool try_rig;               /* of a real board: with `rig check`'s steps, before the scenario */
	/* A tool that still runs when the play has taken so long in real time is killed; 0: no limit. */
	uint64_t tool_wall_ms;
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
/* What a FIELD_FILE means, made if it is one of the scenario's `files`; NULL after play_error(). The play's. */
const struct file *play_file(struct play *, const struct value *);
/* The board that a step is about, from 1. */
unsigned play_board(const struct step *);
/* Until flash is no longer being erased or programmed. */
enum play_outcome play_settle(struct play *, unsigned board);

/* A tool to be run, and what it is to do. */
struct play_job {
	struct tool_call call;
	const struct file *file; /* to download; NULL */
	bool has_address;        /* where a raw file goes, also where the tool has it from the file */
	uint32_t address;
	const struct object *arguments; /* of a step with an operation: `interrupt`; NULL */
	char **words;                   /* run these as they are; NULL: what the adapter says for call */
	bool raw;                       /* call says nothing */
	bool host;                      /* a scripted host of ours: its exit status is 0 or not */
	struct erases erases;           /* of a scripted host: that its script asks for; play_tool() frees them */
};
/* May a tool be given that file, on a real board? False after play_error(). address: where it goes, if it does not say so itself. */
bool play_may_have(struct play *, const struct step *, const struct file *, const uint32_t *address);
/* Run it, and hold it against the step's expect. */
enum play_outcome play_tool(struct play *, const struct step *, struct play_job *);

#endif
