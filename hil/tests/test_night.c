// SPDX-License-Identifier: GPL-2.0-or-later
/* Nights: what is asked for, when they end, whose fault it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "a_result.h"
#include "night.h"

/* --- the command line --- */

static int parse(struct nightly_options *o, char why[RUN_OPTIONS_WHY], const char *a, const char *b)
{
	char words[4][64] = { "nightly", "", "", "x" };
	char *argv[5] = { words[0], words[1], words[2], words[3], NULL };

	snprintf(words[1], sizeof(words[1]), "%s", a);
	snprintf(words[2], sizeof(words[2]), "%s", b);
	*why = 0;
	return nightly_options_parse(o, 4, argv, why);
}

static void values_are_taken(void **state)
{
	struct nightly_options o;
	char why[RUN_OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o, why, "--keep", "8w"), 0);
	assert_int_equal(o.keep_s, 8 * 7 * 86400);
	assert_int_equal(o.rigs.count, 1);
	assert_string_equal(o.rigs.word[0], "emulated");
	assert_int_equal(parse(&o, why, "--keep", "all"), 0);
	assert_int_equal(o.keep_s, 0);
	assert_int_equal(parse(&o, why, "--keep-size", "500M"), 0);
	assert_int_equal(o.keep_bytes, UINT64_C(500) << 20);
	assert_int_equal(parse(&o, why, "--limit", "6h"), 0);
	assert_int_equal(o.limit_ms, 6 * 3600000);
	assert_int_equal(parse(&o, why, "--limit", "90min"), 0);
	assert_int_equal(o.limit_ms, 90 * 60000);
	assert_int_equal(parse(&o, why, "--hook-limit", "2s"), 0);
	assert_int_equal(o.hook_limit_ms, 2000);
	assert_int_equal(parse(&o, why, "--differential", "all"), 0);
	assert_int_equal(o.differential, DIFFERENTIAL_ALL);
	assert_int_equal(parse(&o, why, "--shard", "2/3"), 0);
	assert_int_equal(o.run.shards, 3);
}

static void wrong_values_are_named(void **state)
{
	static const char *const rows[][2] = {
		{ "--keep", "0d" },      { "--keep", "3" },       { "--keep", "-3d" },          { "--keep-size", "2" },
		{ "--keep-size", "2X" }, { "--limit", "0h" },     { "--limit", "soon" },        { "--until", "24:00" },
		{ "--until", "6:30" },   { "--until", "06:60" },  { "--retries", "1001" },      { "--retries", "x" },
		{ "--hook", "" },        { "--hook-limit", "0" }, { "--differential", "some" }, { "--rig", "" },
	};
	struct nightly_options o;
	char why[RUN_OPTIONS_WHY];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(parse(&o, why, rows[i][0], rows[i][1]), -EINVAL);
		assert_non_null(strstr(why, rows[i][0]));
		assert_non_null(strstr(why, rows[i][1]));
	}
}

static void the_night_ends_by_the_clock_of_the_time_zone(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	/* 2026-03-01 02:00 UTC */
	assert_int_equal(nightly_until_ms("06:30", 1772330400), (4 * 60 + 30) * 60000);
	assert_int_equal(nightly_until_ms("02:00", 1772330400), 24 * 3600000);
	assert_int_equal(nightly_until_ms("01:59", 1772330400), (24 * 60 - 1) * 60000);
	/* The clock goes from 2 to 3 on 2026-03-29: the night is an hour shorter. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(nightly_until_ms("06:00", 1774738800), 6 * 3600000 - 3600000);
	unsetenv("TZ");
	tzset();
}

/* --- blame --- */

#define PASS VERDICT_PASSED
#define FAIL VERDICT_FAILED
#define ERR VERDICT_ERROR
#define NONE VERDICT_SKIPPED

struct row {
	const char *name;
	enum verdict attempts[4]; /* NONE ends */
	enum verdict emulated, control;
	const char *met; /* by the runner's own host */
	bool out;
	enum blame blame;
	bool flaky;
	const char *reason; /* part of it; NULL: none */
};

static const struct row rows[] = {
	{ "passes", { PASS, NONE }, NONE, NONE, NULL, false, BLAME_NOBODY, false, NULL },
	{ "passes, fails emulated",
	  { PASS, NONE },
	  FAIL,
	  NONE,
	  NULL,
	  false,
	  BLAME_NOBODY,
	  false,
	  "fails on the emulated board" },
	{ "fails on both", { FAIL, FAIL, FAIL, NONE }, FAIL, PASS, NULL, false, BLAME_TOOL, false, "each of 3 times" },
	{ "passes unexpectedly on both",
	  { VERDICT_UNEXPECTED_PASS, NONE },
	  VERDICT_UNEXPECTED_PASS,
	  PASS,
	  NULL,
	  false,
	  BLAME_TOOL,
	  false,
	  "run once" },
	{ "fails on the rig alone",
	  { FAIL, FAIL, NONE },
	  PASS,
	  PASS,
	  NULL,
	  false,
	  BLAME_TOOL,
	  false,
	  "the emulated board passes it; the board answers" },
	{ "fails on the rig, nobody else was asked",
	  { FAIL, FAIL, NONE },
	  NONE,
	  NONE,
	  NULL,
	  false,
	  BLAME_TOOL,
	  false,
	  "the emulated board was not asked; the runner's own host was not tried" },
	{ "flaky", { FAIL, PASS, NONE }, PASS, PASS, NULL, false, BLAME_NOBODY, true, "1 of 2 times" },
	{ "fails now and then, with that seed always",
	  { FAIL, PASS, NONE },
	  FAIL,
	  PASS,
	  NULL,
	  false,
	  BLAME_TOOL,
	  false,
	  "on the emulated board" },
	{ "board fails",
	  { FAIL, FAIL, NONE },
	  PASS,
	  FAIL,
	  "0x55 instead of 0xaa",
	  false,
	  BLAME_BOARD,
	  false,
	  "0x55 instead of 0xaa" },
	{ "board fails now and then",
	  { FAIL, PASS, NONE },
	  PASS,
	  FAIL,
	  "stall",
	  false,
	  BLAME_BOARD,
	  false,
	  "1 of 2 times" },
	{ "both fail", { FAIL, FAIL, NONE }, FAIL, FAIL, "stall", true, BLAME_TOOL, false, "on the emulated board" },
	{ "rig fails",
	  { ERR, ERR, NONE },
	  PASS,
	  ERR,
	  "the relay has gone",
	  false,
	  BLAME_RIG,
	  false,
	  "the relay has gone" },
	{ "board is not there",
	  { ERR, ERR, NONE },
	  PASS,
	  ERR,
	  "the bootloader has not come up within 2 s",
	  true,
	  BLAME_BOARD,
	  false,
	  "has not come up" },
	{ "errors on both are no tool's",
	  { ERR, ERR, NONE },
	  ERR,
	  PASS,
	  NULL,
	  false,
	  BLAME_RIG,
	  false,
	  "not the tool" },
	{ "an error now and then", { ERR, PASS, NONE }, PASS, PASS, NULL, false, BLAME_NOBODY, true, "1 of 2 times" },
	{ "the rig went meanwhile",
	  { FAIL, NONE },
	  NONE,
	  NONE,
	  NULL,
	  true,
	  BLAME_BOARD,
	  false,
	  "the rig is out: lost" },
};

static void fill(struct results *r, const enum verdict *verdicts)
{
	for (; *verdicts != NONE; verdicts++) {
		struct result *one = a_result("a/b", "tool", *verdicts, NULL);

		assert_int_equal(results_keep(r, one), 0);
		result_free(one);
	}
}

static void blame_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct lane lane = { .state = row->out ? LANE_OUT : LANE_READY, .blame = BLAME_BOARD };
		struct night_case c = { .lane = &lane,
					.emulated = row->emulated,
					.control = row->control,
					.asked_control = row->control != NONE,
					.asked_emulated = row->emulated != NONE };

		lane.why = text("lost");
		c.emulated_message = text("elsewhere");
		c.control_message = row->met ? text(row->met) : NULL;
		fill(&c.attempts, row->attempts);
		for (size_t k = 0; k < c.attempts.count; k++)
			c.bad += verdict_is_bad(c.attempts.list[k]->verdict);
		assert_true(night_judge(&c, false));
		if (c.blame != row->blame || c.flaky != row->flaky || !c.reason != !row->reason ||
		    (row->reason && !strstr(c.reason, row->reason)))
			fail_msg("%s: blame '%s', %sflaky, %s", row->name, blame_name(c.blame), c.flaky ? "" : "not ",
				 c.reason ? c.reason : "no reason");
		assert_true(c.reached);
		results_free(&c.attempts);
		free(lane.why);
		free(c.emulated_message);
		free(c.control_message);
		free(c.message);
		free(c.reason);
		free(c.capture);
	}
}

static void what_was_cut_off_blames_nobody(void **state)
{
	static const enum verdict once[] = { FAIL, NONE };
	struct lane lane = { .state = LANE_READY };
	struct night_case c = { .lane = &lane, .emulated = NONE, .control = NONE, .bad = 1 }, d = { .lane = &lane };

	(void)state;
	fill(&c.attempts, once);
	assert_true(night_judge(&c, true));
	assert_int_equal(c.blame, BLAME_NOBODY);
	assert_false(c.flaky);
	assert_non_null(strstr(c.reason, "the night was over"));
	assert_true(night_judge(&d, true));
	assert_false(d.reached);
	assert_int_equal(d.verdict, VERDICT_SKIPPED);
	results_free(&c.attempts);
	free(c.message);
	free(c.reason);
	free(c.capture);
	free(d.message);
}

/* --- the hook --- */

static void the_hook_need_not_read(void **state)
{
	char why[NIGHT_WHY], *much = malloc((4 << 20) + 1);

	(void)state;
	assert_non_null(much);
	memset(much, 'x', 4 << 20);
	much[4 << 20] = 0;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(night_hook("exit 0", much, 30000, why), 0);
	assert_int_equal(night_hook("[ $(wc -c) -eq 4194304 ]", much, 30000, why), 0);
	assert_int_equal(night_hook("kill -TERM $$", much, 30000, why), -1);
	assert_non_null(strstr(why, "died of signal 15"));
	/* It and what it has started */
	assert_int_equal(night_hook("sleep 1000 & cat >/dev/null; sleep 1000", "x", 50, why), -1);
	assert_non_null(strstr(why, "was killed"));
	free(much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_taken),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(the_night_ends_by_the_clock_of_the_time_zone),
		cmocka_unit_test(blame_is_told_apart),
		cmocka_unit_test(what_was_cut_off_blames_nobody),
		cmocka_unit_test(the_hook_need_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
