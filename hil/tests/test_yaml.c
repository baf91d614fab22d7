// SPDX-License-Identifier: GPL-2.0-or-later
/* Problems, YAML as a tree, and reading it by tables of fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "problems_text.h"
#include "yaml.h"

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

static struct yaml *parse(const char *text)
{
	return yaml_parse("a.yaml", text, strlen(text), problems);
}

/* --- problems --- */

static void problems_come_in_order_of_the_file(void **state)
{
	char *text;

	(void)state;
	problems_add(problems, (struct mark){ "b.yaml", 1, 1 }, "x", "third");
	problems_add(problems, (struct mark){ "a.yaml", 10, 2 }, "y", "second");
	problems_add(problems, (struct mark){ "a.yaml", 9, 30 }, NULL, "first of %d", 3);
	problems_add(problems, (struct mark){ "a.yaml", 10, 2 }, "y", "second");
	assert_int_equal(problems_count(problems), 3);
	text = problems_text(problems, false);
	assert_string_equal(text, "a.yaml:9:30: error: first of 3\na.yaml:10:2: error: second\n    y\n     ^\n"
				  "b.yaml:1:1: error: third\n    x\n    ^\n");
	free(text);
}

static void what_a_terminal_obeys_is_escaped(void **state)
{
	char *text;

	(void)state;
	problems_add(problems, (struct mark){ "a\n.yaml", 1, 8 }, "a\tb\033[c\xff\xe2\x80\xae!", "say \a'%s'",
		     "\xc2\x9b");
	text = problems_text(problems, false);
	assert_string_equal(text, "a\\x0a.yaml:1:8: error: say \\x07'\\x9b'\n"
				  "    a\\tb\\x1b[c\\xff\\u202e!\n"
				  "                  ^\n");
	free(text);
	text = problems_text(problems, true);
	assert_non_null(strstr(text, "\033[31merror:\033[0m"));
	free(text);
}

static void very_many_problems_are_counted(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 1500; i++)
		problems_add(problems, (struct mark){ "a.yaml", i, 1 }, "x", "wrong");
	assert_int_equal(problems_count(problems), 1500);
	assert_true(problems_say(problems, "error: and 500 more\n"));
}

static void near_words_are_suggested_and_others_listed(void **state)
{
	static const char *const words[] = { "reset", "power", NULL };

	(void)state;
	problems_unknown(problems, (struct mark){ 0 }, NULL, "unknown step", "rest", words);
	problems_unknown(problems, (struct mark){ 0 }, NULL, "unknown step", "wait", words);
	problems_unknown(problems, (struct mark){ 0 }, NULL, "unknown step", "wait", words + 2);
	assert_true(problems_say(problems, "error: unknown step 'rest', did you mean 'reset'?\n"
					   "error: unknown step 'wait' (there are: reset, power)\n"
					   "error: unknown step 'wait'\n"));
}

/* --- the tree --- */

static void every_node_knows_its_place(void **state)
{
	struct yaml *y = parse("a: 1\n\xc3\xa4\xc3\xb6: {b: [x,  'y z']}\n\"q\": >-\n  long\n  text\n");
	struct yaml_node *list;

	(void)state;
	assert_non_null(y);
	list = yaml_get(yaml_get(yaml_root(y), "\xc3\xa4\xc3\xb6"), "b");
	assert_non_null(list);
	assert_int_equal(list->kind, YAML_LIST);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->line, 2);
	assert_int_equal(list->column, 9);
	assert_string_equal(list->items[1]->text, "y z");
	assert_int_equal(yaml_mark_in(y, list->items[1], 3).column, 17);
	assert_string_equal(yaml_get(yaml_root(y), "q")->text, "long text");
	assert_string_equal(yaml_line(y, 1), "a: 1");
	assert_string_equal(yaml_line(y, 0), "");
	assert_string_equal(yaml_line(y, 99), "");
	assert_null(yaml_get(yaml_root(y), "none"));
	assert_null(yaml_get(list, "a"));
	yaml_close(y);
	assert_int_equal(problems_count(problems), 0);
}

static void nothing_is_not_an_empty_text(void **state)
{
	struct yaml *y = parse("a:\nb: ~\nc: ''\nd: null\ne: 'null'\n");

	(void)state;
	assert_non_null(y);
	assert_true(yaml_is_null(yaml_get(yaml_root(y), "a")));
	assert_true(yaml_is_null(yaml_get(yaml_root(y), "b")));
	assert_false(yaml_is_null(yaml_get(yaml_root(y), "c")));
	assert_true(yaml_is_null(yaml_get(yaml_root(y), "d")));
	assert_false(yaml_is_null(yaml_get(yaml_root(y), "e")));
	assert_int_equal(yaml_get(yaml_root(y), "a")->line, 1);
	yaml_close(y);
}

static void aliases_and_merge_keys_work(void **state)
{
	struct yaml *y = parse("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\n"
			       "one: {<<: *b, x: 9}\ntwo: {<<: [*b, *m]}\nthree: *b\n");
	struct yaml_node *root;

	(void)state;
	assert_non_null(y);
	root = yaml_root(y);
	assert_string_equal(yaml_get(yaml_get(root, "one"), "x")->text, "9");
	assert_string_equal(yaml_get(yaml_get(root, "one"), "y")->text, "2");
	assert_null(yaml_get(yaml_get(root, "one"), "<<"));
	assert_int_equal(yaml_get(root, "one")->count, 2);
	assert_int_equal(yaml_get(root, "two")->count, 3);
	assert_string_equal(yaml_get(yaml_get(root, "two"), "y")->text, "2");
	assert_string_equal(yaml_get(yaml_get(root, "two"), "z")->text, "4");
	assert_ptr_equal(yaml_get(root, "three"), yaml_get(root, "base"));
	yaml_close(y);
}

static void a_mark_of_bytes_is_no_part_of_the_text(void **state)
{
	struct yaml *y = parse("\xef\xbb\xbf"
			       "a: b\n");

	(void)state;
	assert_non_null(y);
	assert_string_equal(yaml_get(yaml_root(y), "a")->text, "b");
	assert_int_equal(yaml_get(yaml_root(y), "a")->column, 4);
	yaml_close(y);
}

/* Deep enough to be refused, and as deep as is allowed. */
static void depth_has_its_limit(void **state)
{
	char text[2 * YAML_DEPTH + 16];
	struct yaml *y;

	(void)state;
	memset(text, '[', YAML_DEPTH - 1);
	memset(text + YAML_DEPTH - 1, ']', YAML_DEPTH - 1);
	text[2 * YAML_DEPTH - 2] = 0;
	y = parse(text);
	assert_non_null(y);
	yaml_close(y);
	memset(text, '[', YAML_DEPTH + 1);
	memset(text + YAML_DEPTH + 1, ']', YAML_DEPTH + 1);
	text[2 * YAML_DEPTH + 2] = 0;
	assert_null(parse(text));
	assert_true(problems_say(problems, "nested too deeply"));
}

/* --- schemas --- */

static const char *const colours[] = { "red", "green", NULL };
static const struct field inner_fields[] = {
	{ .name = "device", .type = FIELD_TEXT, .required = true },
	{ .name = "denied", .type = FIELD_BOOL },
	{ .type = FIELD_END },
};
static const struct field words_fields[] = { { .name = "", .type = FIELD_WORDS }, { .type = FIELD_END } };
static const struct field fields[] = {
	{ .name = "text", .type = FIELD_TEXT },
	{ .name = "flag", .type = FIELD_BOOL },
	{ .name = "number", .type = FIELD_NUMBER },
	{ .name = "offset", .type = FIELD_OFFSET },
	{ .name = "address", .type = FIELD_ADDRESS },
	{ .name = "size", .type = FIELD_SIZE },
	{ .name = "time", .type = FIELD_DURATION },
	{ .name = "colour", .type = FIELD_CHOICE, .choices = colours },
	{ .name = "usb", .type = FIELD_USB_ID },
	{ .name = "bytes", .type = FIELD_BYTES },
	{ .name = "many", .type = FIELD_NUMBER, .many = true },
	{ .name = "inner", .type = FIELD_OBJECT, .many = true, .fields = inner_fields, .scalar = "device" },
	{ .name = "map", .type = FIELD_MAP },
	{ .name = "maps", .type = FIELD_MAP, .fields = inner_fields },
	{ .name = "operations", .type = FIELD_MAP, .fields = words_fields },
	{ .name = "any", .type = FIELD_ANY },
	{ .type = FIELD_END },
};

static struct object *read_object(struct yaml *y)
{
	return yaml_object(y, yaml_root(y), fields, "the test", NULL, problems);
}

static void values_are_read_as_their_fields_say(void **state)
{
	struct yaml *y = parse(
		"text: a b\nflag: No\nnumber: 0x10\noffset: -2\naddress: 0x0800C000\nsize: 16K\ntime: 1.5s\n"
		"colour: green\nusb: 0483:DF11\nbytes: 00 ffA5\nmany: 3\n"
		"inner: [one, {device: two, denied: on}]\nmap: {a: x, 7: y}\nmaps: {m: {device: d}}\n"
		"operations: {list: [-l, [-S, s]]}\nany: [1]\n");
	struct object *o = read_object(y);
	const struct value *v;

	(void)state;
	assert_non_null(o);
	assert_int_equal(problems_count(problems), 0);
	assert_string_equal(object_text(o, "text", NULL), "a b");
	assert_false(object_flag(o, "flag", true));
	assert_int_equal(object_number(o, "number", 0), 16);
	assert_true((int64_t)object_number(o, "offset", 0) == -2);
	assert_int_equal(object_number(o, "address", 0), 0x0800c000);
	assert_int_equal(object_number(o, "size", 0), 16384);
	assert_int_equal(object_number(o, "time", 0), 1500000);
	assert_int_equal(object_number(o, "colour", 0), 1);
	assert_int_equal(object_number(o, "usb", 0), 0x0483df11);
	assert_memory_equal(object_value(o, "bytes")->bytes, "\x00\xff\xa5", 3);
	assert_int_equal(object_value(o, "bytes")->length, 3);
	assert_int_equal(object_value(o, "many")->count, 1);
	assert_int_equal(object_value(o, "many")->list[0].number, 3);
	v = object_value(o, "inner");
	assert_int_equal(v->count, 2);
	assert_string_equal(object_text(v->list[0].object, "device", ""), "one");
	assert_true(object_flag(v->list[1].object, "denied", false));
	v = object_value(o, "map");
	assert_string_equal(v->list[1].key, "7");
	assert_string_equal(v->list[1].text, "y");
	assert_string_equal(object_text(object_value(o, "maps")->list[0].object, "device", ""), "d");
	v = &object_value(o, "operations")->list[0];
	assert_string_equal(v->key, "list");
	assert_string_equal(v->list[0].text, "-l");
	assert_null(v->list[1].text);
	assert_string_equal(v->list[1].list[1].text, "s");
	assert_int_equal(object_value(o, "any")->node->kind, YAML_LIST);
	object_free(o);
	yaml_close(y);
}

static void wrong_values_count_as_not_given(void **state)
{
	struct yaml *y = parse(
		"number: many\naddress: 0x100000000\ncolour: blue\nmany: [1, x, 3]\nflag:\nbytes: 0\nother: 1\n"
		"inner: {denied: true}\n");
	struct object *o = read_object(y);

	(void)state;
	assert_non_null(o);
	assert_int_equal(problems_count(problems), 8);
	assert_false(object_given(o, "number"));
	assert_false(object_given(o, "address"));
	assert_false(object_given(o, "colour"));
	assert_false(object_given(o, "flag"));
	assert_false(object_given(o, "bytes"));
	assert_int_equal(object_value(o, "many")->count, 2);
	assert_int_equal(object_value(o, "many")->list[1].number, 3);
	assert_true(problems_say(problems, "a.yaml:1:9: error: 'number' of the test: 'many': expected a number"));
	assert_true(problems_say(problems, "a.yaml:8:8: error: 'inner' of the test lacks 'device'"));
	object_free(o);
	yaml_close(y);
}

static const char *find(void *context, const char *name)
{
	(void)context;
	return !strcmp(name, "start") ? "0x08000000" : !strcmp(name, "tool") ? "${tool}" : NULL;
}

static void named_values_are_put_in(void **state)
{
	static const char *const names[] = { "start", "tool", NULL };
	const struct yaml_values values = { .find = find, .names = names };
	struct yaml *y = parse("address: ${start}\ntext: a ${tool} ${start}!\nmany: ['${strat}']\n");
	struct object *o = yaml_object(y, yaml_root(y), fields, "the test", &values, problems);

	(void)state;
	assert_non_null(o);
	assert_int_equal(object_number(o, "address", 0), 0x08000000);
	assert_string_equal(object_text(o, "text", ""), "a ${tool} 0x08000000!");
	assert_int_equal(problems_count(problems), 1);
	assert_true(problems_say(problems,
				 "a.yaml:3:11: error: 'many' of the test: there is no value named 'strat', did you "
				 "mean 'start'?"));
	object_free(o);
	yaml_close(y);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(problems_come_in_order_of_the_file),
		TEST(what_a_terminal_obeys_is_escaped),
		TEST(very_many_problems_are_counted),
		TEST(near_words_are_suggested_and_others_listed),
		TEST(every_node_knows_its_place),
		TEST(nothing_is_not_an_empty_text),
		TEST(aliases_and_merge_keys_work),
		TEST(a_mark_of_bytes_is_no_part_of_the_text),
		TEST(depth_has_its_limit),
		TEST(values_are_read_as_their_fields_say),
		TEST(wrong_values_count_as_not_given),
		TEST(named_values_are_put_in),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
