// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line: values, mistakes and suggestions. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "exec.h"
#include "options.h"
#include "suggest.h"

#define WORDS 9 /* at most, the NULL that ends them included */

/* Parses `COMMAND WORDS...`. The options must be freed. */
static int parse_of(struct options *o, const struct options_for *of, const char *const *words, char why[OPTIONS_WHY])
{
	static char *argv[WORDS + 2];
	int argc = 1;

	argv[0] = "exec";
	while (words[argc - 1]) {
		assert_true(argc < WORDS);
		argv[argc] = (char *)words[argc - 1];
		argc++;
	}
	argv[argc] = NULL;
	why[0] = 0;
	return options_parse(o, of, argc, argv, why);
}

static int parse(struct options *o, const char *const *words, char why[OPTIONS_WHY])
{
	return parse_of(o, &exec_options, words, why);
}

static void defaults_are_one_board_in_its_rom_in_real_time(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "lsusb" }, why), 0);
	assert_string_equal(o.profile->aliases[0], "f407");
	assert_false(o.profile_given);
	assert_int_equal(o.boards, 1);
	assert_int_equal(o.identity_count, 0);
	assert_null(o.flash);
	assert_null(o.state);
	assert_null(o.capture);
	assert_true(o.boot0);
	assert_false(o.boot1);
	assert_true(o.scale == 1);
	assert_int_equal(o.app, APP_STM32_VCP);
	assert_int_equal(o.seed, 1);
	assert_int_equal(o.erase_times, DURATION_TYPICAL);
	assert_int_equal(o.level, 0);
	options_free(&o);
}

static void the_tool_begins_at_the_first_word_that_is_no_option(void **state)
{
	static const struct {
		const char *give[WORDS], *want;
	} cases[] = {
		{ { "dfu-util", "-l", "--verbose" }, "dfu-util" },
		{ { "-v", "--", "dfu-util", "-l" }, "dfu-util" },
		{ { "--boot0", "low", "dfu-util" }, "dfu-util" },
		{ { "--boot0=low", "--", "--boot0" }, "--boot0" },
		{ { "-v" }, NULL },
		{ { "-v", "--" }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		char why[OPTIONS_WHY];

		assert_int_equal(parse(&o, cases[i].give, why), 0);
		if (cases[i].want)
			assert_string_equal(o.rest[0], cases[i].want);
		else
			assert_null(o.rest[0]);
		options_free(&o);
	}
}

static void mistakes_name_the_value_and_what_is_accepted(void **state)
{
	static const struct {
		const char *give[WORDS], *want;
	} cases[] = {
		{ { "--boot0", "hihg" }, "--boot0 'hihg': must be high or low (did you mean 'high'?)" },
		{ { "--boot1", "1" }, "--boot1 '1': must be high or low" },
		{ { "--app", "0483:574" },
		  "--app '0483:574': must be 0483:5740, f055:9800, none, firmware or qemu (did you mean "
		  "'0483:5740'?)" },
		{ { "--tty", "offf" }, "--tty 'offf': must be on or off (did you mean 'off'?)" },
		{ { "--erase-times", "maximal" },
		  "--erase-times 'maximal': must be typical, maximum or random (did you mean 'maximum'?)" },
		{ { "--boards", "0" }, "--boards '0': must be a number from 1 to 15" },
		{ { "--boards", "16" }, "--boards '16': must be a number from 1 to 15" },
		{ { "--boards", "-1" }, "--boards '-1': must be a number from 1 to 15" },
		{ { "--boards", "2 " }, "--boards '2 ': must be a number from 1 to 15" },
		{ { "--serial", "32623775303" }, "--serial '32623775303': must be 12 hex digits, as 326237753036" },
		{ { "--serial", "32623775303G" }, "--serial '32623775303G': must be 12 hex digits, as 326237753036" },
		{ { "--uid", "00" }, "--uid '00': must be 24 hex digits, the three words in order of address" },
		{ { "--serial", "326237753036", "--uid", "002E00403036000032343735" },
		  "--serial and --uid name 2 boards, --boards has 1" },
		{ { "--flash", "" }, "--flash '': must be the name of a file" },
		{ { "--flash", "a", "--flash", "b" }, "--flash 'b': there is one already, 'a'" },
		{ { "--also", ":denied" },
		  "--also ':denied': must be the name of a file with descriptors, or that name and ':denied'" },
		{ { "--boards", "15", "--also", "a" }, "15 boards and 1 devices by --also: a bus has room for 15" },
		{ { "--time", "20" },
		  "--time '20': must be real, virtual, virtual-always, or x and a number from 0.001 to 100000, as "
		  "x20" },
		{ { "--time", "virtul" },
		  "--time 'virtul': must be real, virtual, virtual-always, or x and a number from 0.001 to 100000, as "
		  "x20 "
		  "(did you mean 'virtual'?)" },
		{ { "--seed", "" }, "--seed '': must be a number from 0 to 18446744073709551615, decimal or 0x..." },
		{ { "--seed", "18446744073709551616" },
		  "--seed '18446744073709551616': must be a number from 0 to 18446744073709551615, decimal or 0x..." },
		{ { "--fault", "delay=300 on=dnload" },
		  "--fault 'delay=300 on=dnload': fault rule: column 7: '300': expected a time with its unit, as 300ms "
		  "or "
		  "1.5s" },
		{ { "--fault", "0:stall" }, "--fault '0:stall': the board must be a number from 1 to 15" },
		{ { "--fault", "16:stall" }, "--fault '16:stall': the board must be a number from 1 to 15" },
		{ { "--fault", "2:stall" }, "--fault is for board 2, --boards has 1" },
		{ { "--control", "" }, "--control '': must be the name of a file" },
		{ { "--flsh", "x" }, "unknown option '--flsh' (did you mean '--flash'?)" },
		{ { "--hardware" }, "unknown option '--hardware': try 'dfuemu help exec'" },
		{ { "--bo", "x" }, "option '--bo' is ambiguous: try 'dfuemu help exec'" },
		{ { "-x" }, "unknown option '-x': try 'dfuemu help exec'" },
		{ { "--flash" }, "option '--flash' needs a value: FILE" },
		{ { "--quiet=3" }, "option '--quiet' takes no value, there is one in '--quiet=3'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		char why[OPTIONS_WHY];

		assert_true(parse(&o, cases[i].give, why) < 0);
		assert_string_equal(why, cases[i].want);
		options_free(&o);
	}
}

static const struct options_for of_usbip = { FOR_USBIP, "serve usbip", 20 };

static void a_front_has_options_of_its_own(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(
		parse_of(&o, &of_usbip, (const char *const[WORDS]){ "--listen", "[::1]:0", "--boards", "20" }, why), 0);
	assert_string_equal(o.front.listen, "[::1]:0");
	assert_int_equal(o.boards, 20);
	options_free(&o);
}

static void what_is_not_for_a_front_is_refused_with_the_place_where_it_is(void **state)
{
	static const struct {
		const struct options_for *of;
		const char *give[WORDS], *want;
	} cases[] = {
		{ &exec_options, { "--listen", "x" }, "option '--listen' is not for exec, but for serve usbip" },
		{ &of_usbip,
		  { "--udc", "x" },
		  "option '--udc' is not for serve usbip, but for serve gadget, serve raw-gadget" },
		{ &of_usbip, { "--socket=x" }, "option '--socket' is not for serve usbip, but for serve redir" },
		{ &of_usbip,
		  { "--time", "virtual" },
		  "--time 'virtual': waits can be skipped on the private bus alone (dfuemu exec): the clock of a host "
		  "kernel "
		  "cannot be moved; must be real, or x and a number, as x20" },
		{ &of_usbip,
		  { "--also", "a:denied" },
		  "--also 'a:denied': who may open a device is the host's to say, ':denied' is for exec" },
		{ &of_usbip, { "--boards", "21" }, "--boards '21': must be a number from 1 to 20" },
		{ &of_usbip,
		  { "--boards", "20", "--also", "a" },
		  "20 boards and 1 devices by --also: serve usbip has room for 20" },
		{ &of_usbip, { "--lsiten", "x" }, "unknown option '--lsiten' (did you mean '--listen'?)" },
		{ &of_usbip, { "--listen", "" }, "--listen '': must be an address and a port, as 127.0.0.1:3240" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		char why[OPTIONS_WHY];

		assert_true(parse_of(&o, cases[i].of, cases[i].give, why) < 0);
		assert_string_equal(why, cases[i].want);
		options_free(&o);
	}
}

static void faults_are_for_all_boards_or_for_one(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o,
			       (const char *const[WORDS]){ "--fault", "stall", "--boards=2", "--fault",
							   "2:silent on=upload", "--control", "S" },
			       why),
			 0);
	assert_int_equal(o.fault_count, 2);
	assert_int_equal(o.faults[0].board, 0);
	assert_int_equal(o.faults[0].rule.action, FAULT_STALL);
	assert_int_equal(o.faults[1].board, 2);
	assert_int_equal(o.faults[1].rule.on, FAULT_BIT(FAULT_UPLOAD));
	assert_string_equal(o.control, "S");
	options_free(&o);
}

static void an_unknown_profile_is_refused_with_the_list(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_true(parse(&o, (const char *const[WORDS]){ "--profile", "f417" }, why) < 0);
	assert_non_null(strstr(why, "--profile 'f417': must be "));
	assert_non_null(strstr(why, "f407-v3.1"));
	assert_non_null(strstr(why, "did you mean 'f407'?"));
	options_free(&o);
}

static void values_arrive(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o,
			       (const char *const[WORDS]){ "--boot0=low", "--boot1=high", "--time=x2.5", "--seed=0x10",
							   "--app=none", "--erase-times=random", "--tty=off", "-q" },
			       why),
			 0);
	assert_false(o.boot0);
	assert_true(o.boot1);
	assert_true(o.scale == 2.5);
	assert_int_equal(o.seed, 16);
	assert_int_equal(o.app, APP_NONE);
	assert_int_equal(o.erase_times, DURATION_RANDOM);
	assert_true(o.no_tty);
	assert_int_equal(o.level, -1);
	options_free(&o);
	assert_int_equal(
		parse(&o,
		      (const char *const[WORDS]){ "--boards=2", "--serial=208f3681554d",
						  "--uid=002D00303334510b32313533", "--also=a:b", "--also=c:denied" },
		      why),
		0);
	assert_int_equal(o.identity_count, 2);
	assert_string_equal(o.identities[0].serial, "208f3681554d");
	assert_null(o.identities[1].serial);
	assert_int_equal(o.identities[1].uid.uid[0], 0x002D0030);
	assert_int_equal(o.identities[1].uid.uid[1], 0x3334510B);
	assert_int_equal(o.identities[1].uid.uid[2], 0x32313533);
	assert_int_equal(o.also_count, 2);
	assert_string_equal(o.also[0].path, "a:b");
	assert_false(o.also[0].denied);
	assert_string_equal(o.also[1].path, "c");
	assert_true(o.also[1].denied);
	options_free(&o);
}

static void time_is_real_or_x_and_a_decimal_number(void **state)
{
	static const struct {
		const char *give;
		double want;
	} cases[] = {
		{ "real", 1 },  { "x1", 1 },    { "x20", 20 }, { "x0.5", 0.5 }, { "x0", 0 },
		{ "x-1", 0 },   { "x+1", 0 },   { "x", 0 },    { "20", 0 },     { "x1e3", 0 },
		{ "x0x10", 0 }, { "xinf", 0 },  { "xnan", 0 }, { "x 1", 0 },    { "x1.", 0 },
		{ "x.5", 0 },   { "x1.5.", 0 }, { "X2", 0 },   { "", 0 },       { "x9999999", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(options_time_scale(cases[i].give) == cases[i].want);
}

static void help_is_asked_for_by_either_name(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "--help" }, why), 1);
	options_free(&o);
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "-v", "-h", "x" }, why), 1);
	options_free(&o);
}

static void distance_counts_edits_and_swaps(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned want;
	} cases[] = {
		{ "", "", 0 },         { "exec", "exec", 0 }, { "exec", "EXEC", 0 },
		{ "exce", "exec", 1 }, { "xec", "exec", 1 },  { "execs", "exec", 1 },
		{ "eyec", "exec", 1 }, { "abc", "xyz", 3 },   { "", "ab", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(suggest_distance(cases[i].a, cases[i].b, 9), cases[i].want);
	assert_int_equal(suggest_distance("abcdef", "uvwxyz", 2), 3);
}

static void far_words_are_not_suggested(void **state)
{
	static const char *const words[] = { "exec", "profiles", NULL };

	(void)state;
	assert_string_equal(suggest_nearest("exce", words), "exec");
	assert_string_equal(suggest_nearest("profile", words), "profiles");
	assert_null(suggest_nearest("serve", words));
	assert_null(suggest_nearest("", words));
	assert_null(suggest_nearest("a word that is far too long to be mistyped for any of those", words));
}

static void bench_devices_need_their_boards_and_a_place(void **state)
{
	struct options o;
	char why[OPTIONS_WHY];

	(void)state;
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "--bench=cp2112:0=2:boot0", "--boards=2", "x" }, why),
			 0);
	assert_int_equal(o.gear_count, 1);
	assert_int_equal(o.gear[0].wires[0].board, 2);
	assert_false(o.boot0_given);
	options_free(&o);
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "--bench=cp2112:0=2:boot0", "x" }, why), -EINVAL);
	assert_string_equal(why, "--bench cp2112 goes to board 2, --boards has 1");
	options_free(&o);
	assert_int_equal(parse(&o, (const char *const[WORDS]){ "--bench=cp2112", "--boards=15", "x" }, why), -EINVAL);
	assert_string_equal(why, "15 boards and 1 devices by --bench and --also: a bus has room for 15");
	options_free(&o);
	assert_int_equal(
		parse(&o, (const char *const[WORDS]){ "--bench=cp2112", "--bench=usbrelay2:1=nrst!", "x" }, why),
		-EINVAL);
	assert_string_equal(why,
			    "--bench 'usbrelay2:1=nrst!': column 17: '!': expected ',' and one more wire, or the end");
	options_free(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_one_board_in_its_rom_in_real_time),
		cmocka_unit_test(the_tool_begins_at_the_first_word_that_is_no_option),
		cmocka_unit_test(mistakes_name_the_value_and_what_is_accepted),
		cmocka_unit_test(a_front_has_options_of_its_own),
		cmocka_unit_test(what_is_not_for_a_front_is_refused_with_the_place_where_it_is),
		cmocka_unit_test(faults_are_for_all_boards_or_for_one),
		cmocka_unit_test(an_unknown_profile_is_refused_with_the_list),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(time_is_real_or_x_and_a_decimal_number),
		cmocka_unit_test(help_is_asked_for_by_either_name),
		cmocka_unit_test(distance_counts_edits_and_swaps),
		cmocka_unit_test(far_words_are_not_suggested),
		cmocka_unit_test(bench_devices_need_their_boards_and_a_place),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
