// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios as they are loaded, with a table of verbs of this test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "problems_text.h"
#include "small_verbs.h"

#define HEAD "name: n\nwhy: w\nreference: r\n"

static struct problems *problems;

static int begin(void **state)
{
	(void)state;
	problems = problems_new();
	return !problems;
}

static int end(void **state)
{
	(void)state;
	problems_free(problems);
	return 0;
}

static struct scenario *parse(const char *path, const char *text)
{
	return scenario_parse(path, text, strlen(text), problems);
}

static void a_good_file_is_there_as_it_was_written(void **state)
{
	struct scenario *s = parse("x/scenarios/start/dfuerror.yaml",
				   "name: the tool starts\nwhy: it must\nreference: [a, b]\ntags: [smoke, start]\n"
				   "values: {at: \"0x08004000\"}\nboard: {count: 2}\n"
				   "files: {image: {size: 2K}}\n"
				   "expected-failure: {tool: dfu-util, why: old, versions: '0\\.[89]'}\n"
				   "steps:\n"
				   "  - bootloader\n"
				   "  - download: {file: image, address: \"${at}\", interrupt: {after: 2ms}}\n"
				   "    expect: {exit: [1, 2], retries: 3}\n"
				   "    board: 2\n"
				   "    note: why not\n"
				   "  - upload: {output: back}\n"
				   "  - run: [\"${tool}\", \"${file:back}\"]\n"
				   "  - wait: 2s\n");
	const struct step *step;

	(void)state;
	if (!s)
		problems_print(problems, stderr, false);
	assert_non_null(s);
	assert_string_equal(s->id, "start/dfuerror");
	assert_string_equal(s->name, "the tool starts");
	assert_true(scenario_has_tag(s, "smoke"));
	assert_false(scenario_has_tag(s, "smok"));
	assert_int_equal(s->expected_failure_count, 1);
	assert_string_equal(s->expected_failures[0].versions, "0\\.[89]");
	assert_null(s->expected_failures[0].reference);
	assert_int_equal(s->step_count, 5);
	assert_int_equal(s->needs, RIG_PINS | RIG_BOARDS);
	step = &s->steps[1];
	assert_string_equal(step->verb->name, "download");
	assert_int_equal(step->mark.line, 11);
	assert_int_equal(step->mark.column, 5);
	assert_int_equal(step->board, 2);
	assert_string_equal(step->note, "why not");
	assert_int_equal(object_number(step->arguments, "address", 0), 0x08004000);
	assert_int_equal(object_number(object_value(step->arguments, "interrupt")->object, "after", 0), 2000);
	assert_int_equal(object_value(step->expect, "exit")->count, 2);
	assert_int_equal(object_number(object_value(step->expect, "retries")->object, "at-most", 0), 3);
	assert_null(s->steps[0].expect);
	assert_string_equal(object_value(s->steps[3].arguments, "words")->list[0].text, "${tool}");
	assert_string_equal(object_value(s->steps[3].arguments, "words")->list[1].text, "${file:back}");
	assert_int_equal(object_number(s->steps[4].arguments, "time", 0), 2000000);
	scenario_free(s);
}

static void every_mistake_is_told_in_one_pass(void **state)
{
	struct scenario *s = parse("a.yaml",
				   "name: n\nwhi: w\nreference: r\nboard: {boot0: hihg}\n"
				   "steps:\n  - bootlaoder\n  - wait: 5\n  - boot0: high\n    expect: {exit: 0}\n");

	(void)state;
	assert_null(s);
	assert_int_equal(problems_count(problems), 6);
	assert_true(problems_say(problems, "a.yaml:2:1: error: the scenario has no key 'whi', did you mean 'why'?\n"
					   "    whi: w\n    ^\n"));
	assert_true(problems_say(problems, "a.yaml:6:5: error: unknown step 'bootlaoder', did you mean 'bootloader'?\n"
					   "      - bootlaoder\n        ^\n"));
	assert_true(problems_say(problems, "a.yaml:9:13: error: step 'boot0' runs no tool"));
}

static void a_verb_checks_what_the_table_cannot(void **state)
{
	struct scenario *s = parse("a.yaml", HEAD "steps:\n  - wait: {within: 3s}\n");

	(void)state;
	assert_null(s);
	assert_true(problems_say(problems,
				 "a.yaml:5:5: error: step 'wait': for what?\n      - wait: {within: 3s}\n        ^\n"));
	s = parse("a.yaml", HEAD "steps:\n  - wait: {console: hello}\n");
	assert_non_null(s);
	assert_int_equal(s->steps[0].needs, RIG_STATE);
	assert_int_equal(s->needs, RIG_STATE);
	scenario_free(s);
}

static void what_a_tool_writes_is_a_file_from_then_on(void **state)
{
	struct scenario *s = parse("a.yaml", HEAD "steps:\n  - upload: {output: back}\n  - download: {file: back}\n");

	(void)state;
	assert_non_null(s);
	scenario_free(s);
	s = parse("a.yaml", HEAD "steps:\n  - download: {file: back}\n  - upload: {output: back}\n");
	assert_null(s);
	assert_true(problems_say(problems, "a.yaml:5:22: error: no such file is on disk"));
}

static void the_id_is_the_path_below_the_suite(void **state)
{
	static const struct {
		const char *path, *id;
	} cases[] = {
		{ "scenarios/start/a.yaml", "start/a" },
		{ "/x/scenarios/old/scenarios/a.yaml", "a" },
		{ "suite/leave/b.yaml", "leave/b" },
		{ "./c.yaml", "c" },
		{ "../c.yaml", "c" },
		{ "d.yml", "d.yml" },
		{ "/e.yaml", "e" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario *s = parse(cases[i].path, HEAD "steps: [bootloader]\n");

		assert_non_null(s);
		assert_string_equal(s->id, cases[i].id);
		scenario_free(s);
	}
}

static void what_the_scenario_needs_is_gathered(void **state)
{
	struct scenario *s = parse("a.yaml", HEAD "needs: [irreversible, cable]\nboard: {erase-times: maximum}\n"
						  "faults: stall on=dnload\nsteps: [bootloader]\n");

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->needs, RIG_IRREVERSIBLE | RIG_CABLE | RIG_DURATIONS | RIG_FAULTS | RIG_PINS);
	scenario_free(s);
}

static void paths_are_relative_to_the_scenario(void **state)
{
	struct scenario *s = parse("some/where/a.yaml", HEAD "steps: [bootloader]\n");
	char *path;

	(void)state;
	assert_non_null(s);
	path = scenario_path(s, "b.bin");
	assert_string_equal(path, "some/where/b.bin");
	free(path);
	path = scenario_path(s, "/b.bin");
	assert_string_equal(path, "/b.bin");
	free(path);
	scenario_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_good_file_is_there_as_it_was_written), TEST(every_mistake_is_told_in_one_pass),
		TEST(a_verb_checks_what_the_table_cannot),    TEST(what_a_tool_writes_is_a_file_from_then_on),
		TEST(the_id_is_the_path_below_the_suite),     TEST(what_the_scenario_needs_is_gathered),
		TEST(paths_are_relative_to_the_scenario),
	};

	return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
