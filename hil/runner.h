/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many plays, some at a time. Each runs in a forked process of its own, which sends its result as JSON through a pipe. Whatever
 * becomes of that process, it and all that it has started are gone when its result is told, and so is its folder.
 */
#ifndef DFUBENCH_RUNNER_H
#define DFUBENCH_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "play.h"

#define RUNNER_WHY 640

struct runner_options {
	const struct play_options *jobs; /* in the order in which they are to start; folder is the runner's */
	size_t count;
	/* If it is there, asked instead of jobs and count: the job for a free place, 0 to parallel - 1, whenever a place is free or a
	 * result has been told; valid until its own is. NULL: none for that place now. It is over when nothing runs and there is none
	 * for any place. */
	const struct play_options *(*next)(void *context, unsigned place);
	unsigned parallel;    /* at a time, at least 1 */
	uint64_t deadline_ms; /* of real time for each; 0: none */
	uint64_t
		until_us; /* of worker_now_us(): what then runs is killed, and told as an error; none is started. 0: none */
	bool fail_fast; /* after a bad result none is started */
	/* Normally play_scenario(); runs in the process of its own. */
	struct result *(*play)(const struct play_options *);
	/* Normally play_obstacle(). */
	const char *(*obstacle)(const struct play_options *, char why[RIG_WHY]);
	/* Told as it goes. Not 0: the run ends at once, and runner_run() returns it. */
	int (*started)(void *context, const struct play_options *);
	int (*ended)(void *context, const struct play_options *, const struct result *);
	void *context;
};

/* What came of it. */
struct runner_outcome {
	size_t told;    /* results */
	size_t played;  /* of them: not skipped */
	size_t bad;     /* of them: verdict_is_bad() */
	size_t aborted; /* were running when the run was ended; no result is told */
	int signal;     /* that ended it; 0: none */
};

/* 0, also when a signal ended it: SIGINT, SIGTERM, SIGHUP or SIGQUIT; a second one has its usual effect, at once. Else -errno:
 * why[] tells it, unless it came from a callback: then it is empty. */
int runner_run(const struct runner_options *, struct runner_outcome *, char why[RUNNER_WHY]);

/* The seed of a play: the same for a scenario whatever else runs, with whichever tool. Below 2^53, so that any reader of JSON
 * has it right. */
uint64_t runner_seed(uint64_t seed, const char *id, unsigned repeat);

/* "virtual", "real" or "x20"; out is returned. */
#define RUNNER_TIME 32
const char *runner_time(const struct play_options *, char out[RUNNER_TIME]);

#endif
