// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file: what goes in comes out, and mistakes come with their place. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "state.h"

#define UID "uid: 002E0040 30360000 32343735\n"
#define OPTIONS "option-bytes: FFAAFFAAFFAAFFAAFFAAFFAAFFAAFFAA\n"
#define COUNTS "erase-counts: 0 1 2 3 4 5 6 7 8 9 10 4294967295\n"
#define OTP_BYTES 528 /* 16 blocks of 32 bytes, 16 lock bytes */

static char otp_line[OTP_BYTES * 2 + 8];

static int make_otp_line(void **state)
{
	(void)state;
	strcpy(otp_line, "otp: ");
	for (int i = 0; i < OTP_BYTES; i++)
		sprintf(otp_line + 5 + 2 * i, "%02X", (uint8_t)(i * 7));
	strcat(otp_line, "\n");
	return 0;
}

static void a_whole_file_is_read_and_written_the_same(void **state)
{
	struct board_state *s = calloc(1, sizeof(*s));
	struct state_error error;
	char *text, *again;

	(void)state;
	assert_true(asprintf(&text, "dfubench-state 1\nprofile: f407-v3.1\n" UID OPTIONS "%s" COUNTS, otp_line) > 0);
	assert_int_equal(state_parse(text, strlen(text), s, &error), 0);
	assert_string_equal(s->profile->name, "f407-v3.1");
	assert_int_equal(s->identity.uid[0], 0x002E0040);
	assert_int_equal(s->identity.uid[2], 0x32343735);
	assert_int_equal(s->options[1], 0xAA);
	assert_int_equal(s->otp_bytes, OTP_BYTES);
	assert_int_equal(s->otp[3], 21);
	assert_int_equal(s->sectors, 12);
	assert_int_equal(s->erase_counts[11], UINT32_MAX);
	again = state_format(s);
	assert_string_equal(again, text);
	free(again);
	free(text);
	free(s);
}

static void mistakes_are_told_with_line_and_column(void **state)
{
	static const struct {
		const char *give;
		unsigned line, column;
		const char *want;
	} cases[] = {
		{ "", 1, 1, "the end of the line: the first line must be 'dfubench-state 1'" },
		{ "dfubench-state 2\n", 1, 1, "'dfubench-state': the first line must be 'dfubench-state 1'" },
		{ "dfubench-state 1", 1, 17, "the last line has no end" },
		{ "dfubench-state 1\n", 2, 1, "the file ends without 'profile'" },
		{ "dfubench-state 1\n\n", 2, 1, "the end of the line: a line must be 'key: value'" },
		{ "dfubench-state 1\n" UID, 2, 1, "'uid' before 'profile'" },
		{ "dfubench-state 1\nprofile: f103\n", 2, 10,
		  "there is no profile 'f103' (dfuemu profiles lists them)" },
		{ "dfubench-state 1\nprofile:f407\n", 2, 9, "'f407' where one blank must be" },
		{ "dfubench-state 1\nprofile: f407\nprofile: f407\n", 3, 1, "'profile' a second time" },
		{ "dfubench-state 1\nprofile: f407\nwear: 1\n", 3, 1,
		  "unknown key 'wear:': there are profile, uid, option-bytes, otp and erase-counts" },
		{ "dfubench-state 1\nprofile: f407\nuid: 002E004 0\n", 3, 13, "a blank after 7 of 8 hex digits" },
		{ "dfubench-state 1\nprofile: f407\nuid: 002E0040  0\n", 3, 15, "a blank after 0 of 8 hex digits" },
		{ "dfubench-state 1\nprofile: f407\nuid: 002E0040 30360000 32343735\r\n", 3, 32,
		  "byte 0x0d after the value" },
		{ "dfubench-state 1\nprofile: f407\nuid: 002E0040 30360000 323437350\n", 3, 32, "'0' after the value" },
		{ "dfubench-state 1\nprofile: f407\noption-bytes: FFXX\n", 3, 17, "'XX' after 2 of 32 hex digits" },
		{ "dfubench-state 1\nprofile: f407\nerase-counts: 1 2\n", 3, 18,
		  "the end of the line where one blank must be" },
		{ "dfubench-state 1\nprofile: f407\nerase-counts: 4294967296\n", 3, 15,
		  "'4294967296' is more than 4294967295" },
		{ "dfubench-state 1\nprofile: f407\nerase-counts: -1\n", 3, 15, "'-1' where a number must be" },
		{ "dfubench-state 1\nprofile: f407\n" OPTIONS, 4, 1, "the file ends without 'uid'" },
	};
	struct board_state *s = calloc(1, sizeof(*s));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state_error error;

		assert_int_equal(state_parse(cases[i].give, strlen(cases[i].give), s, &error), -EINVAL);
		assert_string_equal(error.text, cases[i].want);
		assert_int_equal(error.line, cases[i].line);
		assert_int_equal(error.column, cases[i].column);
	}
	free(s);
}

static void a_flash_takes_what_another_gave(void **state)
{
	const struct mcu_profile *profile = mcu_profile_find("f407");
	struct prng prng = { 1 };
	struct flash *a = flash_new(profile, &prng), *b = flash_new(profile, &prng);
	struct board_state *s = calloc(1, sizeof(*s)), *t = calloc(1, sizeof(*t));

	(void)state;
	state_get(s, profile, a);
	s->options[8] ^= 1;
	s->otp[5] = 0x12;
	s->erase_counts[3] = 77;
	state_put(s, b);
	state_get(t, profile, b);
	assert_memory_equal(s, t, sizeof(*s));
	flash_free(a);
	flash_free(b);
	free(s);
	free(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read_and_written_the_same),
		cmocka_unit_test(mistakes_are_told_with_line_and_column),
		cmocka_unit_test(a_flash_takes_what_another_gave),
	};

	return cmocka_run_group_tests_name("state", tests, make_otp_line, NULL);
}
