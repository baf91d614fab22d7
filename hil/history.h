/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened on the boards, night by night, and what they have suffered: an SQLite file, by default dfubench/history.sqlite in
 * $XDG_STATE_HOME (~/.local/state). Every call is one transaction: a process that is killed leaves it whole.
 */
#ifndef DFUBENCH_HISTORY_H
#define DFUBENCH_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "result.h"

#define HISTORY_WHY 512

struct history;

/* path NULL: the default. Made if it is not there. NULL with why: also for a file of a later version, a damaged one, no SQLite. */
struct history *history_open(const char *path, char why[HISTORY_WHY]);
void history_close(struct history *); /* NULL is fine */

/* Who is to blame. */
enum blame { BLAME_NOBODY, BLAME_TOOL, BLAME_BOARD, BLAME_RIG };
const char *blame_name(enum blame); /* "tool" */

struct history_run {              /* one night on one rig with one tool */
	const char *rig, *serial; /* of the board; NULL: it has none */
	const char *tool, *tool_version, *host;
	int64_t started; /* seconds since 1970 */
};
/* id > 0, or -errno with why. A run that was never ended shows as interrupted. */
int64_t history_begin(struct history *, const struct history_run *, char why[HISTORY_WHY]);
/* attempt from 1; emulated: what the emulated board gave for the same job; VERDICT_SKIPPED: was not asked. */
int history_add(struct history *, int64_t run, const struct result *, unsigned attempt, enum blame,
		enum verdict emulated, char why[HISTORY_WHY]);
int history_end(struct history *, int64_t run, int exit_status, const char *summary, int64_t ended,
		char why[HISTORY_WHY]);

/* Wear: erases of the sector at that address of the board with that serial number, in all. -errno with why. */
int64_t history_wear(struct history *, const char *serial, uint32_t sector, char why[HISTORY_WHY]);
int history_wear_add(struct history *, const char *serial, uint32_t sector, unsigned erases, uint64_t slowest_us,
		     char why[HISTORY_WHY]);

/* Runs that started before: forgotten, wear aside. */
int history_forget(struct history *, int64_t before, char why[HISTORY_WHY]);

#endif
