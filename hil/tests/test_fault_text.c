// SPDX-License-Identifier: GPL-2.0-or-later
/* Which fault of an application is told, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "board_signs.h"
#include "fault_text.h"

static const struct mcu_fault bad_data = { .exception = 5,
					   .cfsr = 0x8200,
					   .hfsr = 0x40000000,
					   .bfar = 0x20040000,
					   .r = { [0] = 1, [11] = 11, [12] = 12, [13] = 0x2001ffd0, [15] = 0x0800019a },
					   .xpsr = 0x61000000 };
static const struct mcu_fault locked = { .exception = 3, .lockup = true, .r = { [15] = 0xfffffffe } };

static void fault(struct board_signs *s, uint64_t at_us, const struct mcu_fault *f)
{
	board_signs_heard(s, &(const struct mcu_event){ .type = MCU_EVENT_FAULT, .at_us = at_us, .fault = f });
}

static void reset(struct board_signs *s, enum reset_cause cause)
{
	board_signs_heard(s, &(const struct mcu_event){ .type = MCU_EVENT_RESET, .cause = cause });
}

static void it_has_all_that_a_debugger_shows(void **state)
{
	struct board_signs s = { .leds = 0 };
	char *text;

	(void)state;
	reset(&s, RESET_PIN);
	fault(&s, 1425197, &bad_data);
	text = fault_text(&s.fault, 2);
	assert_string_equal(text, "board 2: BusFault at 0x0800019a, escalated to HardFault, at 1.425197 s\n"
				  "CFSR 00008200 PRECISERR BFARVALID, HFSR 40000000 FORCED, BFAR 20040000\n"
				  "r0 00000001 r1 00000000 r2 00000000 r3 00000000\n"
				  "r4 00000000 r5 00000000 r6 00000000 r7 00000000\n"
				  "r8 00000000 r9 00000000 r10 00000000 r11 0000000b\n"
				  "r12 0000000c sp 2001ffd0 lr 00000000 pc 0800019a xpsr 61000000");
	free(text);
}

static void the_first_one_is_told_and_what_came_of_it(void **state)
{
	struct board_signs s = { .leds = 0 };
	char *text;

	(void)state;
	reset(&s, RESET_PIN);
	fault(&s, 1000, &bad_data);
	fault(&s, 2000, &locked);
	reset(&s, RESET_WATCHDOG);
	reset(&s, RESET_SOFTWARE);
	text = fault_text(&s.fault, 0);
	assert_ptr_equal(strstr(text, "BusFault at 0x0800019a, "), text);
	assert_non_null(strstr(text, "\nfaults that came after it: 1\nthe core has locked up\nthen a reset: watchdog"));
	free(text);
	/* What it does after that is told instead. */
	fault(&s, 3000, &locked);
	assert_int_equal(s.fault.at_us, 3000);
	assert_int_equal(s.fault.count, 1);
	assert_false(s.fault.was_reset);
}

static void a_hand_makes_it_forgotten(void **state)
{
	static const enum reset_cause hands[] = { RESET_PIN, RESET_POWER_ON };
	struct board_signs s = { .leds = 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fault(&s, 1000, &bad_data);
		reset(&s, hands[i]);
		assert_int_equal(s.fault.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_all_that_a_debugger_shows),
		cmocka_unit_test(the_first_one_is_told_and_what_came_of_it),
		cmocka_unit_test(a_hand_makes_it_forgotten),
	};

	return cmocka_run_group_tests_name("fault_text", tests, NULL, NULL);
}
