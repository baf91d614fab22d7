// SPDX-License-Identifier: GPL-2.0-or-later
/* The history: what is written is there, what is not in order is refused and left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "a_result.h"
#include "history.h"
#include "when.h"

#define DAY 86400
#define NIGHT INT64_C(1772330400) /* 2026-03-01 02:00 UTC */

static char folder[] = "/tmp/test_history-XXXXXX";
static char path[64], why[HISTORY_WHY];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/history.sqlite", folder);
	return 0;
}

static int take_folder_away(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int take_file_away(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static struct history *opened(void)
{
	struct history *h = history_open(path, why);

	if (!h)
		fail_msg("%s", why);
	return h;
}

static int64_t begun(struct history *h, const char *rig, const char *version, unsigned night)
{
	const struct history_run run = { .rig = rig,
					 .serial = "326237753036",
					 .tool = "dfu-util",
					 .tool_version = version,
					 .host = "bench",
					 .started = NIGHT + (int64_t)night * DAY };
	int64_t id = history_begin(h, &run, why);

	if (id <= 0)
		fail_msg("%s", why);
	return id;
}

static void add(struct history *h, int64_t run, const char *scenario, enum verdict verdict, unsigned attempt,
		enum blame blame)
{
	struct result *r = a_result(scenario, "dfu-util", verdict, verdict ? "it did not" : NULL);

	assert_int_equal(history_add(h, run, r, attempt, blame, VERDICT_PASSED, why), 0);
	result_free(r);
}

static struct history_record record_of(struct history *h, const char *rig, const char *scenario, int64_t before,
				       unsigned last)
{
	struct history_record record;

	assert_int_equal(history_record(h, rig, "dfu-util", scenario, before, last, &record, why), 0);
	return record;
}

static int64_t asked(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

static void change(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void what_is_written_is_there_after_closing(void **state)
{
	struct history *h = opened();
	int64_t run = begun(h, "desk", "0.11", 0);

	(void)state;
	add(h, run, "smoke/plain", VERDICT_PASSED, 1, BLAME_NOBODY);
	assert_int_equal(history_end(h, run, 1, "it's over", NIGHT + 60, why), 0);
	history_close(h);
	assert_int_equal(asked("SELECT count(*) FROM run JOIN job ON job.run = run.id WHERE rig = 'desk' AND "
			       "tool_version = '0.11'"
			       " AND exit_status = 1 AND summary = 'it''s over' AND scenario = 'smoke/plain' AND "
			       "verdict = 'passed'"
			       " AND emulated = 'passed' AND blame = '' AND wall_us = 2000 AND message IS NULL"),
			 1);
	h = opened();
	assert_true(begun(h, "desk", "0.12", 1) > run);
	history_close(h);
}

static void a_run_that_is_not_there_is_told(void **state)
{
	struct history *h = opened();
	struct result *r = a_result("smoke/plain", "dfu-util", VERDICT_PASSED, NULL);

	(void)state;
	assert_int_equal(history_add(h, 7, r, 1, BLAME_NOBODY, VERDICT_SKIPPED, why), -ENOENT);
	assert_non_null(strstr(why, "run 7 is not in the history"));
	assert_int_equal(history_end(h, 7, 0, NULL, NIGHT, why), -ENOENT);
	result_free(r);
	history_close(h);
}

static void a_record_counts_runs_not_attempts(void **state)
{
	struct history *h = opened();
	struct history_record r;
	int64_t runs[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		runs[i] = begun(h, "desk", i < 3 ? "0.11" : "0.12", i);
	add(h, runs[0], "smoke/plain", VERDICT_PASSED, 1, BLAME_NOBODY);
	add(h, runs[1], "smoke/plain", VERDICT_FAILED, 1, BLAME_TOOL);
	add(h, runs[1], "smoke/plain", VERDICT_PASSED, 2, BLAME_NOBODY);
	add(h, runs[2], "smoke/plain", VERDICT_EXPECTED_FAILURE, 1, BLAME_NOBODY);
	add(h, runs[3], "smoke/plain", VERDICT_FAILED, 1, BLAME_TOOL);
	add(h, runs[3], "smoke/plain", VERDICT_UNEXPECTED_PASS, 2, BLAME_TOOL);
	add(h, runs[4], "smoke/plain", VERDICT_ERROR, 1, BLAME_RIG);
	add(h, runs[4], "smoke/other", VERDICT_SKIPPED, 1, BLAME_NOBODY);

	r = record_of(h, "desk", "smoke/plain", 0, 0);
	assert_int_equal(r.runs, 4);
	assert_int_equal(r.passed, 2);
	assert_int_equal(r.failed, 1);
	assert_int_equal(r.flaky, 1);
	assert_int_equal(r.first_bad, runs[3]);
	assert_int_equal(r.last_good, runs[2]);
	assert_string_equal(r.last_good_version, "0.11");
	assert_int_equal(r.wall_us, 2000);

	r = record_of(h, NULL, "smoke/plain", runs[3], 1);
	assert_int_equal(r.runs, 1);
	assert_int_equal(r.first_bad, 0);
	assert_int_equal(r.last_good, runs[2]);
	assert_int_equal(record_of(h, "shed", "smoke/plain", 0, 0).runs, 0);
	assert_int_equal(record_of(h, "desk", "smoke/other", 0, 0).runs, 0);
	history_close(h);
}

static void wear_is_kept_by_board_and_sector(void **state)
{
	struct history *h = opened();

	(void)state;
	assert_int_equal(history_wear(h, "A", 0x08000000, why), 0);
	assert_int_equal(setenv("DFUBENCH_NOW", "2026-03-01T02:00", 1), 0);
	assert_int_equal(history_wear_add(h, "A", 0x08000000, 3, 400000, why), 0);
	assert_int_equal(setenv("DFUBENCH_NOW", "2026-03-01T23:59", 1), 0);
	assert_int_equal(history_wear_add(h, "A", 0x08000000, 1, 300000, why), 0);
	assert_int_equal(setenv("DFUBENCH_NOW", "2026-03-02T02:00", 1), 0);
	assert_int_equal(history_wear_add(h, "A", 0x08000000, 2, 0, why), 0);
	assert_int_equal(history_wear_add(h, "B", 0x08000000, 2, UINT64_MAX, why), 0);
	assert_int_equal(unsetenv("DFUBENCH_NOW"), 0);
	assert_int_equal(history_wear(h, "A", 0x08000000, why), 6);
	assert_int_equal(history_wear(h, "A", 0x08004000, why), 0);
	assert_int_equal(history_wear(h, "B", 0x08000000, why), 2);
	history_close(h);
	assert_int_equal(asked("SELECT count(*) FROM erase WHERE serial = 'A'"), 2);
	assert_int_equal(asked("SELECT slowest_us FROM erase WHERE serial = 'A' AND erases = 4"), 400000);
}

static void what_is_forgotten_takes_its_jobs_with_it_and_leaves_wear(void **state)
{
	struct history *h = opened();
	int64_t old = begun(h, "desk", "0.11", 0), young = begun(h, "desk", "0.11", 1);

	(void)state;
	add(h, old, "smoke/plain", VERDICT_PASSED, 1, BLAME_NOBODY);
	add(h, young, "smoke/plain", VERDICT_PASSED, 1, BLAME_NOBODY);
	assert_int_equal(setenv("DFUBENCH_NOW", "2026-03-01T02:00", 1), 0);
	assert_int_equal(history_wear_add(h, "A", 0, 3, 400000, why), 0);
	assert_int_equal(unsetenv("DFUBENCH_NOW"), 0);
	assert_int_equal(history_forget(h, NIGHT + DAY, why), 1);
	assert_int_equal(asked("SELECT count(*) FROM job"), 1);
	assert_int_equal(asked("SELECT count(*) FROM run"), 1);
	assert_int_equal(asked("SELECT count(*) FROM erase"), 0);
	assert_int_equal(history_wear(h, "A", 0, why), 3);
	/* Nor is a number given again. */
	assert_int_equal(history_forget(h, NIGHT + 9 * DAY, why), 1);
	assert_true(begun(h, "desk", "0.11", 2) > young);
	history_close(h);
}

static void assert_refused(const char *words)
{
	struct stat before, after;

	assert_int_equal(stat(path, &before), 0);
	for (int existing = 0; existing < 2; existing++) {
		if (existing ? history_open_existing(path, why) : history_open(path, why))
			fail_msg("opened instead of: %s", words);
		if (!strstr(why, words) || !strstr(why, path))
			fail_msg("'%s' is not in: %s", words, why);
	}
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void a_later_format_is_refused(void **state)
{
	(void)state;
	history_close(opened());
	change("PRAGMA user_version = 2");
	assert_refused("has format 2, of a later dfuhil");
}

static void a_database_of_something_else_is_refused(void **state)
{
	(void)state;
	change("CREATE TABLE bookmarks(url)");
	assert_refused("a database of something else");
}

static void other_tables_are_refused(void **state)
{
	(void)state;
	history_close(opened());
	change("CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM wear; END");
	assert_refused("its tables are not those of format 1");
}

static void what_is_no_database_is_refused(void **state)
{
	FILE *f = fopen(path, "w");

	(void)state;
	for (int i = 0; i < 1000; i++)
		fputs("not a history\n", f);
	fclose(f);
	assert_refused("is no history, or its start is damaged");
}

static void a_damaged_page_is_refused(void **state)
{
	struct history *h = opened();
	int64_t run = begun(h, "desk", "0.11", 0);
	int fd;

	(void)state;
	for (int i = 0; i < 100; i++)
		add(h, run, "smoke/plain", VERDICT_FAILED, 1, BLAME_TOOL);
	history_close(h);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 2 * 4096), 8);
	close(fd);
	assert_refused("is damaged");
	assert_int_equal(truncate(path, 3 * 4096), 0);
	assert_refused("is damaged");
}

static void a_folder_or_fifo_is_refused(void **state)
{
	(void)state;
	assert_null(history_open(folder, why));
	assert_non_null(strstr(why, "not a regular file"));
	assert_null(history_open("", why));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused("not a regular file");
}

static void a_missing_file_is_made_only_to_write(void **state)
{
	(void)state;
	assert_null(history_open_existing(path, why));
	assert_non_null(strstr(why, "No such file"));
	assert_int_not_equal(access(path, F_OK), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_null(history_open_existing(path, why));
	assert_non_null(strstr(why, "is empty"));
	history_close(opened());
	assert_non_null(strcpy(why, ""));
	history_close(history_open_existing(path, why));
	assert_string_equal(why, "");
}

static void the_default_is_in_the_state_folder(void **state)
{
	char *found;

	(void)state;
	setenv("XDG_STATE_HOME", folder, 1);
	found = history_default_path(why);
	assert_non_null(strstr(found, folder));
	assert_non_null(strstr(found, "/dfubench/history.sqlite"));
	history_close(history_open(NULL, why));
	assert_int_equal(unlink(found), 0);
	*strrchr(found, '/') = '\0';
	assert_int_equal(rmdir(found), 0);
	free(found);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/home/of/someone", 1);
	found = history_default_path(why);
	assert_string_equal(found, "/home/of/someone/.local/state/dfubench/history.sqlite");
	free(found);
	unsetenv("HOME");
	assert_null(history_default_path(why));
	assert_non_null(strstr(why, "neither XDG_STATE_HOME nor HOME"));
}

static void times_are_read_as_utc(void **state)
{
	static const struct {
		const char *give;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "2026-03-01", 1772323200 },
		{ "2026-03-01 02:00", NIGHT },
		{ "2026-03-01T02:00:00Z", NIGHT },
		{ "2026-03-01T02:00:07", NIGHT + 7 },
		{ "@1772330400", NIGHT },
		{ "36h", 1000000 - 36 * 3600 },
		{ "7d", 1000000 - 7 * DAY },
		{ "1w", 1000000 - 7 * DAY },
		{ "2024-02-29", 1709164800 },
		{ "2026-02-29", -1 },
		{ "2026-13-01", -1 },
		{ "2026-03-01 24:00", -1 },
		{ "2026-3-1", -1 },
		{ "2026-03-01x", -1 },
		{ "7", -1 },
		{ "7dd", -1 },
		{ "-7d", -1 },
		{ "", -1 },
		{ "@", -1 },
		{ "99999999999999999999d", -1 },
		{ "yesterday", -1 },
	};

	(void)state;
	setenv("TZ", "Asia/Kolkata", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t when = -1;
		bool ok = when_parse(cases[i].give, 1000000, &when);

		if (ok != (cases[i].want != -1) || (ok && when != cases[i].want))
			fail_msg("'%s' is %lld", cases[i].give, (long long)when);
	}
}

static void times_are_written_as_utc(void **state)
{
	char text[WHEN_TEXT];

	(void)state;
	assert_string_equal(when_text(NIGHT, text), "2026-03-01 02:00 UTC");
	assert_string_equal(when_date(NIGHT, text), "2026-03-01");
	assert_string_equal(when_text(-1, text), "@-1");
	assert_string_equal(when_text(INT64_MAX, text), "@9223372036854775807");
}

#define TEST(name) cmocka_unit_test_teardown(name, take_file_away)

int main(void)
{
	const struct CMUnitTest history[] = {
		TEST(what_is_written_is_there_after_closing),
		TEST(a_run_that_is_not_there_is_told),
		TEST(a_record_counts_runs_not_attempts),
		TEST(wear_is_kept_by_board_and_sector),
		TEST(what_is_forgotten_takes_its_jobs_with_it_and_leaves_wear),
		TEST(a_later_format_is_refused),
		TEST(a_database_of_something_else_is_refused),
		TEST(other_tables_are_refused),
		TEST(what_is_no_database_is_refused),
		TEST(a_damaged_page_is_refused),
		TEST(a_folder_or_fifo_is_refused),
		TEST(a_missing_file_is_made_only_to_write),
		TEST(the_default_is_in_the_state_folder),
		cmocka_unit_test(times_are_read_as_utc),
		cmocka_unit_test(times_are_written_as_utc),
	};

	return cmocka_run_group_tests(history, make_folder, take_folder_away);
}
