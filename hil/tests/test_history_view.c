// SPDX-License-Identifier: GPL-2.0-or-later
/* What follows from the runs of a scenario: flaky or not, failing since when, and what the tables for people look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>
#include "a_result.h"
#include "columns.h"
#include "history_show.h"
#include "history_view.h"

#define DAY 86400

static char folder[] = "/tmp/test_history_view-XXXXXX";
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

static void attempt(struct history *h, int64_t run, enum verdict verdict, unsigned number, enum blame blame)
{
	struct result *r = a_result("smoke/plain", "dfu-util", verdict, verdict ? "it did not" : NULL);

	r->wall_us = number * 1000;
	assert_int_equal(history_add(h, run, r, number, blame, VERDICT_PASSED, why), 0);
	result_free(r);
}

/* A night as it looks in a strip. */
static void night(struct history *h, char letter, const char *version, int64_t started)
{
	const struct history_run run = {
		.rig = "desk", .tool = "dfu-util", .tool_version = version, .started = started
	};
	int64_t id = history_begin(h, &run, why);

	assert_true(id > 0);
	switch (letter) {
	case '.':
		attempt(h, id, VERDICT_PASSED, 1, BLAME_NOBODY);
		break;
	case 'x':
		attempt(h, id, VERDICT_EXPECTED_FAILURE, 1, BLAME_NOBODY);
		break;
	case 'F':
		attempt(h, id, VERDICT_FAILED, 1, BLAME_TOOL);
		attempt(h, id, VERDICT_ERROR, 2, BLAME_BOARD);
		break;
	case 'U':
		attempt(h, id, VERDICT_UNEXPECTED_PASS, 1, BLAME_TOOL);
		break;
	case '~':
		attempt(h, id, VERDICT_FAILED, 1, BLAME_BOARD);
		attempt(h, id, VERDICT_PASSED, 2, BLAME_NOBODY);
		break;
	case 'R':
		attempt(h, id, VERDICT_ERROR, 1, BLAME_RIG);
		break;
	case 'r': /* the rig, then the tool */
		attempt(h, id, VERDICT_ERROR, 1, BLAME_RIG);
		attempt(h, id, VERDICT_FAILED, 2, BLAME_TOOL);
		break;
	case '-':
		attempt(h, id, VERDICT_SKIPPED, 1, BLAME_NOBODY);
		break;
	}
}

/* The version of each night is a letter too. */
static void load(const char *nights, const char *versions, const struct history_filter *filter,
		 struct history_view *view)
{
	struct history *h = history_open(path, why);

	assert_non_null(h);
	for (size_t i = 0; nights[i]; i++) {
		char version[2] = { versions[i], '\0' };

		night(h, nights[i], version, (int64_t)i * DAY);
	}
	if (history_view_load(h, filter, view, why))
		fail_msg("%s", why);
	history_close(h);
	unlink(path);
}

static const struct history_filter all = { .since = INT64_MIN, .until = INT64_MAX };

static void conclusions_are_drawn(void **state)
{
	static const struct {
		const char *nights, *versions;
		unsigned runs, passed, failed, flaky, flakes;
		int first_bad, last_good; /* nights; -1: none */
		const char *change;
	} cases[] = {
		{ "...", "aaa", 3, 3, 0, 0, 0, -1, 2, "" },
		{ ".x.", "aaa", 3, 3, 0, 0, 0, -1, 2, "" },
		{ "..FF", "aabb", 4, 2, 2, 0, 0, 2, 1, "dfu-util a -> b" },
		{ "..UF", "aaaa", 4, 2, 2, 0, 0, 2, 1, "" },
		{ "FFF", "aaa", 3, 0, 3, 0, 0, 0, -1, "" },
		{ ".~.", "aaa", 3, 2, 0, 1, 1, -1, 2, "" },
		{ ".F.", "aaa", 3, 2, 1, 0, 1, -1, 2, "" },
		{ ".F.", "aba", 3, 2, 1, 0, 0, -1, 2, "" },
		{ ".F.", "abb", 3, 2, 1, 0, 0, -1, 2, "" },
		{ ".FF.", "aaaa", 4, 2, 2, 0, 0, -1, 3, "" },
		{ ".R-F-R.", "aaaaaaa", 3, 2, 1, 0, 1, -1, 6, "" },
		{ ".RRFF", "aabbb", 3, 1, 2, 0, 0, 3, 0, "dfu-util a -> b" },
		{ ".~FF", "abcc", 4, 1, 2, 1, 1, 2, 1, "dfu-util b -> c" },
		{ ".FFR-", "abbbb", 3, 1, 2, 0, 0, 1, 0, "dfu-util a -> b" },
		{ "RR--", "aaaa", 0, 0, 0, 0, 0, -1, -1, "" },
		{ ".r", "aa", 2, 1, 1, 0, 0, 1, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct history_view view;
		const struct view_case *c;
		char change[64];

		load(cases[i].nights, cases[i].versions, &all, &view);
		assert_int_equal(view.case_count, 1);
		c = view.cases;
		history_view_change(&view, c, change, sizeof(change));
		if (c->runs != cases[i].runs || c->passed != cases[i].passed || c->failed != cases[i].failed ||
		    c->flaky != cases[i].flaky || c->flakes != cases[i].flakes ||
		    c->first_bad != (cases[i].first_bad < 0 ? NO_CELL : (size_t)cases[i].first_bad) ||
		    c->last_good != (cases[i].last_good < 0 ? NO_CELL : (size_t)cases[i].last_good) ||
		    strcmp(change, cases[i].change) != 0)
			fail_msg("%s: %u runs, %u passed, %u failed, %u flaky, %u flakes, first bad %zd, last good "
				 "%zd, '%s'",
				 cases[i].nights, c->runs, c->passed, c->failed, c->flaky, c->flakes,
				 (ssize_t)c->first_bad, (ssize_t)c->last_good, change);
		history_view_free(&view);
	}
}

static void blame_of_tool_or_board_goes_before_that_of_the_rig(void **state)
{
	struct history_view view;

	(void)state;
	load("Fr", "aa", &all, &view);
	assert_int_equal(view.cases[0].cells[0].blame, BLAME_TOOL);
	assert_int_equal(view.cases[0].cells[1].blame, BLAME_TOOL);
	assert_true(view.cases[0].cells[0].passes_emulated);
	assert_int_equal(view.runs[1].cells[CELL_FAILED], 1);
	assert_int_equal(view.runs[1].blamed[BLAME_TOOL], 1);
	assert_int_equal(view.runs[1].blamed[BLAME_RIG], 0);
	/* (1 + 2) and 2 ms over three attempts; what the rig spoilt took no time of the tool's. */
	assert_int_equal(view.cases[0].wall_us, 1666);
	history_view_free(&view);
}

static void filters_choose_runs(void **state)
{
	const struct history_filter days = { .since = DAY, .until = 3 * DAY },
				    last = { .since = INT64_MIN, .until = INT64_MAX, .last = 2 };
	const struct history_filter other = { .rig = "shed", .since = INT64_MIN, .until = INT64_MAX };
	const struct history_filter pattern = { .scenario = "start/*", .since = INT64_MIN, .until = INT64_MAX };
	struct history_view view;

	(void)state;
	load("....F", "aaaaa", &days, &view);
	assert_int_equal(view.run_count, 2);
	assert_int_equal(view.runs[0].started, DAY);
	assert_int_equal(view.cases[0].runs, 2);
	history_view_free(&view);
	load("....F", "aaaaa", &last, &view);
	assert_int_equal(view.run_count, 2);
	assert_int_equal(view.runs[1].started, 4 * DAY);
	assert_int_equal(view.cases[0].failed, 1);
	history_view_free(&view);
	load("....F", "aaaaa", &other, &view);
	assert_int_equal(view.run_count, 0);
	assert_int_equal(view.case_count, 0);
	history_view_free(&view);
	load("....F", "aaaaa", &pattern, &view);
	assert_int_equal(view.run_count, 5);
	assert_int_equal(view.case_count, 0);
	history_view_free(&view);
}

static void times_and_parts_are_said_in_few_words(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	assert_string_equal(history_time(0, text), "");
	assert_string_equal(history_time(999, text), "999 us");
	assert_string_equal(history_time(412345, text), "412 ms");
	assert_string_equal(history_time(1230000, text), "1.23 s");
	assert_string_equal(history_time(59900000, text), "59.9 s");
	assert_string_equal(history_time(123000000, text), "2 min 3 s");
	assert_int_equal(history_percent(0, 0), 0);
	assert_int_equal(history_percent(1, 1000), 1);
	assert_int_equal(history_percent(999, 1000), 99);
	assert_int_equal(history_percent(1000, 1000), 100);
	assert_int_equal(history_percent(2, 3), 67);
}

static const char *red(char letter)
{
	return letter == 'F' ? "\033[31m" : NULL;
}

static void tables_are_as_wide_as_they_need_be(void **state)
{
	static const char *const heads[] = { "NAME", ">N", "", NULL };
	char *said = NULL;
	size_t size;

	(void)state;
	for (int colour = 0; colour < 2; colour++) {
		FILE *out = open_memstream(&said, &size);
		struct columns *c = columns_new(heads);

		columns_add(c, NULL, "%s", "äöü");
		columns_add(c, "\033[1m", "%d", 7);
		columns_add_strip(c, ".F", red);
		columns_add(c, NULL, "a\033[2Jb\nc");
		columns_add(c, NULL, "%d", 1234);
		columns_add(c, NULL, "%s", "");
		assert_int_equal(columns_print(c, out, colour), 0);
		columns_free(c);
		fclose(out);
		if (colour)
			assert_non_null(strstr(said, "\033[1m7\033[0m  .\033[31mF\033[0m\n"));
		else
			assert_string_equal(said, "NAME         N\n"
						  "äöü          7  .F\n"
						  "a\xef\xbf\xbd[2Jb c  1234\n");
		free(said);
	}
}

int main(void)
{
	const struct CMUnitTest history_view[] = {
		cmocka_unit_test(conclusions_are_drawn),
		cmocka_unit_test(blame_of_tool_or_board_goes_before_that_of_the_rig),
		cmocka_unit_test(filters_choose_runs),
		cmocka_unit_test(times_and_parts_are_said_in_few_words),
		cmocka_unit_test(tables_are_as_wide_as_they_need_be),
	};

	return cmocka_run_group_tests(history_view, make_folder, take_folder_away);
}
