// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written into the history, and what a run asks of it. */
#include "history_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "results.h"
#include "when.h"

#define DAY 86400

static const char *const blame_names[] = { "", "tool", "board", "rig" };

const char *blame_name(enum blame blame)
{
	return (unsigned)blame < sizeof(blame_names) / sizeof(*blame_names) ? blame_names[blame] : "";
}

const char *history_text(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return text ? text : "";
}

sqlite3_stmt *history_sql(struct history *h, char why[HISTORY_WHY], const char *sql, const char *types, ...)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL);
	va_list args;

	va_start(args, types);
	for (int i = 0; types[i] && !r; i++) {
		if (types[i] == 't')
			r = sqlite3_bind_text(s, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
		else
			r = sqlite3_bind_int64(s, i + 1, va_arg(args, int64_t));
	}
	va_end(args);
	if (!r)
		return s;
	history_fail(h, "read", why);
	sqlite3_finalize(s);
	return NULL;
}

int history_do(struct history *h, sqlite3_stmt *s, char why[HISTORY_WHY])
{
	int r = 0;

	if (!s)
		return -EIO;
	if (sqlite3_step(s) != SQLITE_DONE)
		r = history_fail(h, "write", why);
	sqlite3_finalize(s);
	return r;
}

/* A change that is to hit a run: 0, or -errno with why. */
static int do_to_run(struct history *h, int64_t run, sqlite3_stmt *s, char why[HISTORY_WHY])
{
	int r = history_do(h, s, why);

	if (r || sqlite3_changes(h->db))
		return r;
	snprintf(why, HISTORY_WHY, "run %lld is not in the history '%.200s'", (long long)run, h->path);
	return -ENOENT;
}

int64_t history_begin(struct history *h, const struct history_run *run, char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(
		h, why,
		"INSERT INTO run(rig, serial, tool, tool_version, host, started, summary) VALUES(?, ?, ?, ?, ?, ?, ?)",
		"tttttit", run->rig, run->serial, run->tool, run->tool_version, run->host, run->started, run->mark);
	int r = history_do(h, s, why);

	return r ? r : sqlite3_last_insert_rowid(h->db);
}

static int64_t clamped(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

int history_add(struct history *h, int64_t run, const struct result *result, unsigned attempt, enum blame blame,
		enum verdict emulated, char why[HISTORY_WHY])
{
	char *place = verdict_is_bad(result->verdict) && result->file ? result_place(result) : NULL;
	/* As a choice from the run, so that one that was forgotten meanwhile is told from other failures. */
	sqlite3_stmt *s = history_sql(
		h, why,
		"INSERT INTO job(run, scenario, repeat, attempt, verdict, emulated, blame, message, place, seed,"
		" board_us, wall_us, capture)"
		" SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM run WHERE id = ?",
		"tiitttttiiiti", result->id ? result->id : "", (int64_t)result->repeat, (int64_t)attempt,
		verdict_name(result->verdict), verdict_name(emulated), blame_name(blame), result->message, place,
		clamped(result->seed), clamped(result->board_us), clamped(result->wall_us), result->capture, run);
	int r = do_to_run(h, run, s, why);

	free(place);
	return r;
}

int history_end(struct history *h, int64_t run, int exit_status, const char *summary, int64_t ended,
		char why[HISTORY_WHY])
{
	return do_to_run(h, run,
			 history_sql(h, why, "UPDATE run SET exit_status = ?, summary = ?, ended = ? WHERE id = ?",
				     "itii", (int64_t)exit_status, summary, ended, run),
			 why);
}

/* The runs that count, the last one first. */
static void tally(struct history_record *record, sqlite3_stmt *s, bool *streak)
{
	bool passed = sqlite3_column_int64(s, 2) > 0, failed = sqlite3_column_int64(s, 3) > 0;

	record->runs++;
	record->passed += passed && !failed;
	record->failed += failed && !passed;
	record->flaky += passed && failed;
	if (*streak && !passed)
		record->first_bad = sqlite3_column_int64(s, 0);
	else if (*streak) {
		*streak = false;
		record->last_good = sqlite3_column_int64(s, 0);
		snprintf(record->last_good_version, sizeof(record->last_good_version), "%s", history_text(s, 1));
	}
}

int history_record(struct history *h, const char *rig, const char *tool, const char *scenario, int64_t before,
		   unsigned last, struct history_record *record, char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(
		h, why,
		"SELECT run.id, tool_version, sum(verdict IN ('passed', 'expected-failure')) AS passed,"
		" sum(verdict IN ('failed', 'unexpected-pass', 'error')) AS failed, avg(wall_us)"
		" FROM job JOIN run ON run.id = job.run WHERE scenario = ?1 AND tool = ?2 AND (?3 IS NULL OR rig = ?3)"
		" AND (?4 = 0 OR run.id < ?4) AND blame <> 'rig' AND verdict <> 'skipped'"
		" GROUP BY run.id HAVING passed + failed > 0 ORDER BY run.id DESC LIMIT ?5",
		"tttii", scenario, tool, rig, before, last ? (int64_t)last : (int64_t)-1);
	bool streak = true;
	double wall = 0;
	int step = SQLITE_DONE, r = 0;

	*record = (struct history_record){ 0 };
	if (!s)
		return -EIO;
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		tally(record, s, &streak);
		wall += sqlite3_column_double(s, 4);
	}
	if (step != SQLITE_DONE)
		r = history_fail(h, "read", why);
	record->wall_us = record->runs ? (uint64_t)(wall / record->runs) : 0;
	sqlite3_finalize(s);
	return r;
}

int64_t history_wear(struct history *h, const char *serial, uint32_t sector, char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(h, why, "SELECT erases FROM wear WHERE serial = ? AND sector = ?", "ti", serial,
				      (int64_t)sector);
	int64_t r;

	if (!s)
		return -EIO;
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		r = sqlite3_column_int64(s, 0);
		break;
	case SQLITE_DONE:
		r = 0;
		break;
	default:
		r = history_fail(h, "read", why);
	}
	sqlite3_finalize(s);
	return r;
}

int history_wear_add(struct history *h, const char *serial, uint32_t sector, unsigned erases, uint64_t slowest_us,
		     char why[HISTORY_WHY])
{
	int64_t now = when_now();
	int r;

	if (sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return history_fail(h, "write", why);
	r = history_do(h,
		       history_sql(h, why,
				   "INSERT INTO wear(serial, sector, erases) VALUES(?, ?, ?)"
				   " ON CONFLICT(serial, sector) DO UPDATE SET erases = erases + excluded.erases",
				   "tii", serial, (int64_t)sector, (int64_t)erases),
		       why);
	if (!r)
		r = history_do(
			h,
			history_sql(h, why,
				    "INSERT INTO erase(serial, sector, day, erases, slowest_us) VALUES(?, ?, ?, ?, ?)"
				    " ON CONFLICT(serial, sector, day) DO UPDATE SET erases = erases + excluded.erases,"
				    " slowest_us = max(slowest_us, excluded.slowest_us)",
				    "tiiii", serial, (int64_t)sector, now - now % DAY, (int64_t)erases,
				    clamped(slowest_us)),
			why);
	if (!r && sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL))
		r = history_fail(h, "write", why);
	if (r)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int64_t history_forget(struct history *h, int64_t before, char why[HISTORY_WHY])
{
	int64_t gone = 0;
	int r;

	if (sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return history_fail(h, "write", why);
	r = history_do(h, history_sql(h, why, "DELETE FROM run WHERE started < ?", "i", before), why);
	gone = sqlite3_changes(h->db);
	if (!r)
		r = history_do(h, history_sql(h, why, "DELETE FROM erase WHERE day + 86400 <= ?", "i", before), why);
	if (!r && sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL))
		r = history_fail(h, "write", why);
	if (r) {
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
		return r;
	}
	/* The file gets smaller if there is room and nobody else about; if not, what is free in it is used again. */
	sqlite3_exec(h->db, "VACUUM", NULL, NULL, NULL);
	return gone;
}
