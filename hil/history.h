/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened on the boards, night by night, and what they have suffered: an SQLite file, by default dfubench/history.sqlite in
 * $XDG_STATE_HOME (~/.local/state). Every call is one transaction: a process that is killed leaves it whole. Several processes may
 * write at once; a child after fork(2) opens its own.
 */
#ifndef DFUBENCH_HISTORY_H
#define DFUBENCH_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "result.h"

#define HISTORY_WHY 512

struct history;

/* path NULL: the default. Made if it is not there. NULL with why: also for a file of a later version, a damaged one, or one of
 * something else, which stay as they are. */
struct history *history_open(const char *path, char why[HISTORY_WHY]);
/* To read, or to forget: a missing file is an error. One without write permission can be read. */
struct history *history_open_existing(const char *path, char why[HISTORY_WHY]);
void history_close(struct history *); /* NULL is fine */
/* The default, to be freed. NULL with why: there is no home. */
char *history_default_path(char why[HISTORY_WHY]);

/* What the default is from now on, in this process and its forks: rigs write a board's wear there. NULL: what it was. 0 or -ENOMEM. */
int history_use(const char *path);

/* Who is to blame. */
enum blame { BLAME_NOBODY, BLAME_TOOL, BLAME_BOARD, BLAME_RIG };
const char *blame_name(enum blame); /* "tool"; nobody: "" */

struct history_run {                            /* one night on one rig with one tool */
	const char *rig, *serial;               /* of the board; NULL: it has none */
	const char *tool, *tool_version, *host; /* version, host: NULL if not known */
	int64_t started;                        /* seconds since 1970: when_now() */
	const char *mark; /* run_mark(), in the place of the summary until there is one; NULL: nobody is to know */
};
/* id > 0, or -errno with why. Numbers grow, and none is given twice. A run that was never ended shows as what became of its process. */
int64_t history_begin(struct history *, const struct history_run *, char why[HISTORY_WHY]);
/* attempt from 1; emulated: what the emulated board gave for the same job; VERDICT_SKIPPED: was not asked. */
int history_add(struct history *, int64_t run, const struct result *, unsigned attempt, enum blame,
		enum verdict emulated, char why[HISTORY_WHY]);
int history_end(struct history *, int64_t run, int exit_status, const char *summary, int64_t ended,
		char why[HISTORY_WHY]);

/* What is known of a scenario with a tool on a rig. In one run all attempts and repeats of it count together: all failed, all
 * passed (or failed as expected), or some of both, which is flaky. What was skipped, or was the rig's fault, does not count. */
struct history_record {
	unsigned runs, passed, failed, flaky; /* runs = the sum of the others */
	/* Runs at the end in which all failed: the first of them, and the last one before in which one passed. 0: none */
	int64_t first_bad, last_good;
	char last_good_version[64]; /* of the tool; "" */
	uint64_t wall_us;           /* an attempt, on average */
};
/* Of the last so many runs before that one (0: of all), on that rig (NULL: on any). 0 or -errno with why. */
int history_record(struct history *, const char *rig, const char *tool, const char *scenario, int64_t before,
		   unsigned last, struct history_record *, char why[HISTORY_WHY]);

/* Wear: erases of the sector at that address of the board with that serial number, in all. -errno with why. */
int64_t history_wear(struct history *, const char *serial, uint32_t sector, char why[HISTORY_WHY]);
/* slowest_us: 0 if no erase was timed. The times are kept by day (when_now()). */
int history_wear_add(struct history *, const char *serial, uint32_t sector, unsigned erases, uint64_t slowest_us,
		     char why[HISTORY_WHY]);

/* Runs that started before, and times of erases before: forgotten, counts of erases aside. Number of runs, or -errno with why. */
int64_t history_forget(struct history *, int64_t before, char why[HISTORY_WHY]);

#endif
