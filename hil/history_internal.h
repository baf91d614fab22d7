/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the history share: the database, and how a statement of SQL is said and its failure told. */
#ifndef DFUBENCH_HISTORY_INTERNAL_H
#define DFUBENCH_HISTORY_INTERNAL_H

#include <sqlite3.h>
#include "history.h"

#define HISTORY_FORMAT 1 /* PRAGMA user_version: goes up with each change of the tables */

struct history {
	sqlite3 *db;
	char *path;
};

/* -errno, and why in words, of what the database said last. doing: "read", "write". */
int history_fail(struct history *, const char *doing, char why[HISTORY_WHY]);
/* A statement with its values: one letter each, t const char * (NULL fine) that lives as long as the statement, i int64_t.
 * NULL with why. To be finalized. */
sqlite3_stmt *history_sql(struct history *, char why[HISTORY_WHY], const char *sql, const char *types, ...);
/* Steps a statement that gives no rows to its end, and finalizes it; NULL fails, why being there. 0 or -errno with why. */
int history_do(struct history *, sqlite3_stmt *, char why[HISTORY_WHY]);
/* Text of a column, "" for none: until the next step. */
const char *history_text(sqlite3_stmt *, int column);

/* The tables are those of this format, and in order. 0 or -errno with why. */
int history_tables(struct history *, bool make, char why[HISTORY_WHY]);

#endif
