// SPDX-License-Identifier: GPL-2.0-or-later
/* Results as JSON and back; text that a tool wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "a_result.h"
#include "text.h"

static void a_result_survives_the_way_through_json(void **state)
{
	struct result *before = a_failure("start/dfuerror", "dfu-util"), *after;
	json_t *json = result_to_json(before), *again;

	(void)state;
	assert_non_null(json);
	after = result_from_json(json);
	assert_non_null(after);
	assert_string_equal(after->id, "start/dfuerror");
	assert_true(after->seed == before->seed);
	assert_int_equal(after->verdict, VERDICT_FAILED);
	assert_int_equal(after->step_count, 2);
	assert_null(after->steps[0].message);
	assert_int_equal(after->steps[0].exit_status, -1);
	assert_string_equal(after->steps[1].command, before->steps[1].command);
	assert_int_equal(after->steps[1].exchange_count, 2);
	assert_string_equal(after->exchanges[1].outcome, "STALL");
	assert_int_equal(after->findings[0].exchange, 1);
	assert_int_equal(after->findings[0].times, 3);
	assert_int_equal(after->sectors[0].address, 0x08000000);
	assert_true(after->sectors[0].is_protected && after->sectors[0].touched && !after->sectors[0].blank);
	/* And all the rest. */
	again = result_to_json(after);
	assert_true(json_equal(json, again));
	json_decref(json);
	json_decref(again);
	result_free(before);
	result_free(after);
}

/* Each member of the struct has a place in JSON: one that is not there, or of another type, is no result. */
static void what_lacks_a_member_is_no_result(void **state)
{
	struct result *whole = a_failure("a", "b");
	json_t *json = result_to_json(whole);
	const char *key;
	json_t *value;

	(void)state;
	json_object_foreach(json, key, value)
	{
		json_t *copy = json_deep_copy(json);

		(void)value;
		json_object_del(copy, key);
		assert_null(result_from_json(copy));
		json_object_set_new(copy, key, json_real(0.5));
		assert_null(result_from_json(copy));
		json_decref(copy);
	}
	json_decref(json);
	json = json_array();
	assert_null(result_from_json(json));
	json_decref(json);
	result_free(whole);
}

static void output_that_is_no_utf8_still_arrives(void **state)
{
	struct result *r = a_failure("a", "b"), *after;
	json_t *json = result_to_json(r);

	(void)state;
	after = result_from_json(json);
	assert_non_null(after);
	assert_string_equal(after->steps[1].output, "]]> <b>\xef\xbf\xbd[31m\xef\xbf\xbd\n");
	json_decref(json);
	result_free(r);
	result_free(after);
}

static void verdicts_have_names_and_some_are_bad(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_EXPECTED_FAILURE), "expected-failure");
	assert_false(verdict_is_bad(VERDICT_PASSED));
	assert_false(verdict_is_bad(VERDICT_SKIPPED));
	assert_false(verdict_is_bad(VERDICT_EXPECTED_FAILURE));
	assert_true(verdict_is_bad(VERDICT_FAILED));
	assert_true(verdict_is_bad(VERDICT_UNEXPECTED_PASS));
	assert_true(verdict_is_bad(VERDICT_ERROR));
}

static void text_is_cleaned_of_what_xml_and_terminals_do_not_take(void **state)
{
	static const struct {
		const char *name, *give, *want;
	} cases[] = {
		{ "plain", "a\tb\nc", "a\tb\nc" },
		{ "letters of more bytes", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
		  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "line ends of DOS", "a\r\nb\rc",
		  "a\nb\xef\xbf\xbd"
		  "c" },
		{ "an escape", "\033[2J", "\xef\xbf\xbd[2J" },
		{ "an escape of one character",
		  "\xc2\x9b"
		  "2J",
		  "\xef\xbf\xbd"
		  "2J" },
		{ "cut short", "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "a surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "no character of XML", "\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *got = text_clean(cases[i].give);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: '%s' instead of '%s'", cases[i].name, got, cases[i].want);
		free(got);
	}
}

static void a_tail_is_whole_lines(void **state)
{
	(void)state;
	assert_string_equal(text_tail("a\nb\nc\n", 2), "b\nc\n");
	assert_string_equal(text_tail("a\nb\nc", 1), "c");
	assert_string_equal(text_tail("a\n", 5), "a\n");
	assert_string_equal(text_tail("", 3), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_survives_the_way_through_json),
		cmocka_unit_test(what_lacks_a_member_is_no_result),
		cmocka_unit_test(output_that_is_no_utf8_still_arrives),
		cmocka_unit_test(verdicts_have_names_and_some_are_bad),
		cmocka_unit_test(text_is_cleaned_of_what_xml_and_terminals_do_not_take),
		cmocka_unit_test(a_tail_is_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
