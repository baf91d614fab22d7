// SPDX-License-Identifier: GPL-2.0-or-later
/* Adapters: the command lines that they make, and what they say is lacking. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "problems_text.h"
#include "tool.h"

static struct problems *problems;
static struct tool *tool;

static int begin(void **state)
{
	(void)state;
	problems = problems_new();
	tool = NULL;
	return !problems;
}

static int end(void **state)
{
	(void)state;
	tool_free(tool);
	problems_free(problems);
	return 0;
}

static void load(const char *text)
{
	tool_free(tool);
	tool = tool_parse("adapters/t.yaml", text, strlen(text), problems);
	if (!tool)
		problems_print(problems, stderr, false);
	assert_non_null(tool);
}

/* The words with '|' between them. */
static void expect_words(const struct tool_call *call, const char *override, const char *want)
{
	char **words = tool_words(tool, call, override);
	char text[400] = "";

	assert_non_null(words);
	for (char **w = words; *w; w++) {
		strcat(text, w == words ? "" : "|");
		strcat(text, *w);
	}
	tool_words_free(words);
	assert_string_equal(text, want);
}

static const char usual[] = "tool: t\ncommand: t\nwords: {leave: ':leave', force: ':force', verify: --verify}\n"
			    "operations:\n"
			    "  list: [-l]\n"
			    "  download: [[-S, '${serial}'], -a, '${alt:0}', [-s, '${address:}${force}${leave}'], "
			    "'${verify}', -D, '${file}']\n"
			    "  upload: [[-s, '${address}:${length}'], -U, '${output}']\n"
			    "  leave: ['${address}']\n"
			    "  set-option-bytes: ['${bytes}']\n"
			    "lacks: {unprotect: it dares not, no-erase: it always erases, alt: it knows one}\n";

static void words_are_filled_in(void **state)
{
	struct tool_call c = {
		.operation = OPERATION_DOWNLOAD, .file = "a b.bin", .has_address = true, .address = 0x8000000
	};

	(void)state;
	load(usual);
	expect_words(&c, NULL, "t|-a|0|-s|0x08000000|-D|a b.bin");
	c.leave = c.verify = true;
	c.serial = "S1";
	c.has_alt = true;
	c.alt = 2;
	expect_words(&c, "/x/t", "/x/t|-S|S1|-a|2|-s|0x08000000:leave|--verify|-D|a b.bin");
	c.has_address = false;
	expect_words(&c, "", "t|-S|S1|-a|2|-s|:leave|--verify|-D|a b.bin");
	c.leave = false;
	expect_words(&c, NULL, "t|-S|S1|-a|2|--verify|-D|a b.bin");
	c = (struct tool_call){ .operation = OPERATION_LIST };
	expect_words(&c, NULL, "t|-l");
	c.operation = OPERATION_LEAVE;
	expect_words(&c, NULL, "t");
	c.operation = OPERATION_SET_OPTION_BYTES;
	c.bytes = "00ff";
	expect_words(&c, NULL, "t|00ff");
}

static void a_group_needs_all_of_its_values(void **state)
{
	struct tool_call c = { .operation = OPERATION_UPLOAD, .output = "o", .has_address = true, .address = 0x10 };

	(void)state;
	load(usual);
	expect_words(&c, NULL, "t|-U|o");
	c.has_length = true;
	c.length = 5000;
	expect_words(&c, NULL, "t|-s|0x00000010:5000|-U|o");
}

static void commands_of_several_words_take_named_paths(void **state)
{
	struct tool_call c = { .operation = OPERATION_LIST };

	(void)state;
	load("tool: pydfu\ncommand: ['${python:python3}', '${here}/wrap.py', '${pydfu}']\noperations: {list: [-l]}\n");
	assert_string_equal(tool_missing_path(tool), "pydfu");
	expect_words(&c, NULL, "python3|adapters/wrap.py|pydfu|-l");
	expect_words(&c, "/x/pydfu.py", "python3|adapters/wrap.py|/x/pydfu.py|-l");
	assert_int_equal(tool_set_path(tool, "pydfo", "/y"), -ENOENT);
	assert_int_equal(tool_set_path(tool, "python", "/usr/bin/python3"), 0);
	assert_int_equal(tool_set_path(tool, "pydfu", "/y/first.py"), 0);
	assert_int_equal(tool_set_path(tool, "pydfu", "/y/pydfu.py"), 0);
	assert_null(tool_missing_path(tool));
	expect_words(&c, NULL, "/usr/bin/python3|adapters/wrap.py|/y/pydfu.py|-l");
	load("tool: plain\ncommand: [nice, plain]\noperations: {list: []}\n");
	assert_null(tool_missing_path(tool));
	assert_int_equal(tool_set_path(tool, "plain", "/z/plain"), 0);
	expect_words(&c, NULL, "/z/plain|plain");
	load("tool: nothing\ncommand: '${x:}'\noperations: {list: []}\n");
	expect_words(&c, NULL, "nothing");
}

static void what_is_lacking_is_told(void **state)
{
	struct tool_call c = { .operation = OPERATION_UNPROTECT };

	(void)state;
	load(usual);
	assert_string_equal(tool_lacks(tool, &c), "t has no unprotect: it dares not");
	c.operation = OPERATION_ERASE;
	assert_string_equal(tool_lacks(tool, &c), "t has no erase");
	c = (struct tool_call){ .operation = OPERATION_DOWNLOAD, .no_erase = true };
	assert_string_equal(tool_lacks(tool, &c), "t has no download with no-erase: it always erases");
	c = (struct tool_call){ .operation = OPERATION_DOWNLOAD, .mass_erase_first = true };
	assert_string_equal(tool_lacks(tool, &c), "t has no download with mass-erase-first");
	c = (struct tool_call){ .operation = OPERATION_UPLOAD, .serial = "S" };
	assert_string_equal(tool_lacks(tool, &c), "t has no upload with a given serial");
	c = (struct tool_call){ .operation = OPERATION_UPLOAD, .has_alt = true, .alt = 1 };
	assert_string_equal(tool_lacks(tool, &c), "t has no upload with a given alt: it knows one");
	c.alt = 0;
	assert_null(tool_lacks(tool, &c));
	c = (struct tool_call){ .operation = OPERATION_DOWNLOAD, .leave = true, .has_address = true, .serial = "S" };
	assert_null(tool_lacks(tool, &c));
}

static void what_is_always_done_is_not_lacking(void **state)
{
	struct tool_call c = { .operation = OPERATION_DOWNLOAD, .leave = true, .has_address = true };

	(void)state;
	load("tool: t\ncommand: t\nformat: dfuse\noperations: {download: ['${file}']}\nalways: {leave: after each "
	     "download}\n"
	     "lacks: {leave: at no other time}\n");
	assert_null(tool_lacks(tool, &c));
	assert_string_equal(tool_always(tool, "leave"), "after each download");
	assert_null(tool_always(tool, "verify"));
	c.operation = OPERATION_LEAVE;
	c.leave = false;
	assert_string_equal(tool_lacks(tool, &c), "t has no leave: at no other time");
}

static void exit_statuses_have_meanings(void **state)
{
	const char *meaning;

	(void)state;
	load(usual);
	assert_true(tool_succeeded(tool, 0, &meaning));
	assert_null(meaning);
	assert_false(tool_succeeded(tool, 1, &meaning));
	load("tool: t\ncommand: t\noperations: {list: []}\nexit: {success: [0, 3], meanings: {74: input error}}\n"
	     "environment: {A: b, C: ''}\nformat: both\n");
	assert_true(tool_succeeded(tool, 3, &meaning));
	assert_false(tool_succeeded(tool, 74, &meaning));
	assert_string_equal(meaning, "input error");
	assert_false(tool_succeeded(tool, 128 + 9, &meaning));
	assert_string_equal(tool_environment(tool)[0], "A=b");
	assert_string_equal(tool_environment(tool)[1], "C=");
	assert_null(tool_environment(tool)[2]);
	assert_int_equal(tool->format, TOOL_TAKES_BOTH);
}

static void an_adapter_that_is_not_there_is_told_of(void **state)
{
	(void)state;
	assert_null(tool_load("dfu-utl", "fixtures/tools", problems));
	assert_true(problems_say(problems,
				 "error: no adapter in fixtures/tools is named 'dfu-utl', did you mean 'dfu-util'?"));
	assert_null(tool_load("./none.yaml", "fixtures/tools", problems));
	assert_true(problems_say(problems, "./none.yaml: error: cannot open it"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(words_are_filled_in),
		TEST(a_group_needs_all_of_its_values),
		TEST(commands_of_several_words_take_named_paths),
		TEST(what_is_lacking_is_told),
		TEST(what_is_always_done_is_not_lacking),
		TEST(exit_statuses_have_meanings),
		TEST(an_adapter_that_is_not_there_is_told_of),
	};

	return cmocka_run_group_tests_name("tool", tests, NULL, NULL);
}
