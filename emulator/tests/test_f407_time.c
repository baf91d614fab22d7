// SPDX-License-Identifier: GPL-2.0-or-later
/* Timers and watchdogs. */
#include "f407_scene.h"

#define TIM2 0x40000000u
#define TIM1 0x40010000u
#define IWDG 0x40003000u
#define WWDG 0x40002C00u
enum { CR1 = 0, DIER = 0xC, SR = 0x10, EGR = 0x14, CNT = 0x24, PSC = 0x28, ARR = 0x2C, CCR1 = 0x34 };

static void open_timers(struct f407 *s)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1 | 1u << 11 | 1u << 28);
	set_bits(s, RCC_APB2ENR, 1);
}

static void a_timer_counts_its_clock_and_overflows(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, TIM2 + PSC, 15); /* 1 MHz */
	wr(&s, TIM2 + ARR, 999);
	wr(&s, TIM2 + EGR, 1); /* takes the prescaler over */
	assert_int_equal(rd(&s, TIM2 + SR), 1);
	wr(&s, TIM2 + SR, 0);
	wr(&s, TIM2 + DIER, 1);
	wr(&s, TIM2 + CR1, 1);
	f407_pass_us(&s, 500);
	assert_int_equal(rd(&s, TIM2 + CNT), 500);
	assert_false(s.irq[28]);
	f407_pass_us(&s, 499);
	assert_false(s.irq[28]);
	f407_pass_us(&s, 1);
	assert_true(s.irq[28]);
	assert_int_equal(rd(&s, TIM2 + CNT), 0);
	wr(&s, TIM2 + SR, 0);
	assert_false(s.irq[28]);
	f407_pass_us(&s, 1000);
	assert_true(s.irq[28]);
	f407_close(&s);
}

static void an_update_that_nobody_waits_for_is_seen_all_the_same(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, TIM2 + ARR, 999);
	wr(&s, TIM2 + CR1, 9); /* one pulse */
	f407_pass(&s, 5000);
	assert_int_equal(soc_next(s.soc), SOC_NEVER);
	assert_int_equal(rd(&s, TIM2 + SR) & 1, 1);
	assert_int_equal(rd(&s, TIM2 + CR1), 8);
	f407_close(&s);
}

/* CR1: UDIS and URS (RM0090 18.4.1). */
static void an_update_by_hand_is_told_unless_it_is_not_to_be(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, TIM2 + PSC, 15);
	wr(&s, TIM2 + CR1, 2); /* UDIS: no event at all, and no new prescaler */
	wr(&s, TIM2 + EGR, 1);
	assert_int_equal(rd(&s, TIM2 + SR), 0);
	wr(&s, TIM2 + CR1, 1);
	f407_pass(&s, 160);
	assert_int_equal(rd(&s, TIM2 + CNT), 160);
	wr(&s, TIM2 + CR1, 4); /* URS */
	wr(&s, TIM2 + EGR, 1);
	assert_int_equal(rd(&s, TIM2 + SR), 0);
	wr(&s, TIM2 + CR1, 5);
	f407_pass(&s, 160);
	assert_int_equal(rd(&s, TIM2 + CNT), 10);
	f407_close(&s);
}

/* What was written last is below it. Time goes on. */
static void a_counter_beyond_its_end_goes_round(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, TIM2 + CCR1, 5);
	wr(&s, TIM2 + CNT, 1000);
	wr(&s, TIM2 + DIER, 3);
	wr(&s, TIM2 + ARR, 9);
	wr(&s, TIM2 + CR1, 1);
	f407_pass(&s, 1);
	assert_true(s.irq[28]);
	wr(&s, TIM2 + SR, 0);
	wr(&s, TIM2 + ARR, 0); /* stands */
	assert_int_equal(soc_next(s.soc), SOC_NEVER);
	f407_close(&s);
}

static void a_compare_interrupts_on_a_line_of_its_own(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, TIM1 + CCR1, 100);
	wr(&s, TIM1 + DIER, 2);
	wr(&s, TIM1 + CR1, 1);
	f407_pass(&s, 99);
	assert_false(s.irq[27]);
	f407_pass(&s, 1);
	assert_true(s.irq[27]);
	assert_false(s.irq[25]);
	wr(&s, TIM1 + SR, 0);
	f407_pass(&s, 0x10000);
	assert_true(s.irq[27]); /* and in the next round */
	f407_close(&s);
}

static void a_timer_runs_twice_as_fast_as_its_bus_if_that_is_divided(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, RCC + 8, 5u << 10); /* PCLK1: a quarter */
	wr(&s, TIM2 + CR1, 1);
	f407_pass(&s, 1000);
	assert_int_equal(rd(&s, TIM2 + CNT), 500);
	f407_close(&s);
}

static void the_independent_watchdog_wants_to_be_fed(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, IWDG + 4, 1); /* closed: nothing happens */
	assert_int_equal(rd(&s, IWDG + 4), 0);
	wr(&s, IWDG, 0x5555);
	wr(&s, IWDG + 4, 1); /* /8: 4 kHz */
	wr(&s, IWDG + 8, 399);
	wr(&s, IWDG, 0xCCCC);
	f407_pass_us(&s, 99000);
	wr(&s, IWDG, 0xAAAA);
	f407_pass_us(&s, 99000);
	assert_int_equal(s.resets, 0);
	f407_pass_us(&s, 1001);
	assert_int_equal(s.resets, 1);
	assert_int_equal(s.cause, RESET_WATCHDOG);
	f407_close(&s);
}

/* RM0090 21.3: without AAAA before it, the first round is from all ones. */
static void the_independent_watchdog_starts_from_what_was_loaded(void **state)
{
	struct f407 s;

	(void)state;
	for (unsigned loads = 0; loads < 2; loads++) {
		f407_open(&s);
		wr(&s, IWDG, 0x5555);
		wr(&s, IWDG + 8, 79);
		if (loads)
			wr(&s, IWDG, 0xAAAA);
		wr(&s, IWDG, 0xCCCC);
		f407_pass_us(&s, 9000);
		wr(&s, IWDG, 0xCCCC);   /* it runs: no food */
		f407_pass_us(&s, 1001); /* 80 * 4 / 32 kHz */
		assert_int_equal(s.resets, loads);
		f407_pass_us(&s, 502001);
		assert_int_equal(s.resets, 1);
		f407_close(&s);
	}
}

static void the_independent_watchdog_takes_its_time(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, IWDG, 0x5555);
	wr(&s, IWDG + 4, 1);
	assert_int_equal(rd(&s, IWDG + 0xC), 1);
	wr(&s, IWDG + 4, 2); /* too early */
	wr(&s, IWDG + 8, 79);
	assert_int_equal(rd(&s, IWDG + 0xC), 3);
	f407_pass_us(&s, 157);
	assert_int_equal(rd(&s, IWDG + 0xC), 0);
	assert_int_equal(rd(&s, IWDG + 4), 1);
	wr(&s, IWDG + 4, 2);
	assert_int_equal(rd(&s, IWDG + 4), 2);
	assert_int_equal(rd(&s, RCC_CSR) & 3, 0);
	wr(&s, IWDG, 0xCCCC); /* LSI with it (RM0090 7.2.9) */
	assert_int_equal(rd(&s, RCC_CSR) & 3, 2);
	assert_int_equal(rd(&s, IWDG), 0);
	f407_close(&s);
}

static void an_option_byte_starts_the_watchdog_with_the_chip(void **state)
{
	static const uint8_t options[16] = { 0xCF, 0xAA, 0x30, 0x55, 0xCF, 0xAA, 0x30, 0x55,
					     0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80 };
	struct f407 s;

	(void)state;
	f407_open(&s);
	flash_set_options(s.flash, options);
	soc_reset(s.soc, 0, 0, false);
	f407_pass_us(&s, 511000);
	assert_int_equal(s.resets, 0);
	f407_pass_us(&s, 1001); /* 4096 * 4 / 32 kHz */
	assert_int_equal(s.resets, 1);
	f407_close(&s);
}

static void the_window_watchdog_warns_bites_and_hates_haste(void **state)
{
	struct f407 s;

	(void)state;
	open_timers(&s);
	wr(&s, WWDG + 4, 0x27F); /* EWI, no window */
	wr(&s, WWDG, 0xC2);
	f407_pass(&s, 2 * 4096);
	assert_true(s.irq[0]);
	assert_int_equal(s.resets, 0);
	f407_pass(&s, 4096);
	assert_int_equal(s.resets, 1);
	assert_int_equal(s.cause, RESET_WINDOW_WATCHDOG);
	f407_close(&s);

	open_timers(&s);
	wr(&s, WWDG + 4, 0x50);
	wr(&s, WWDG, 0xFF);
	f407_pass(&s, 4096);
	wr(&s, WWDG, 0xFF); /* above the window */
	assert_int_equal(s.resets, 1);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_counts_its_clock_and_overflows),
		cmocka_unit_test(an_update_that_nobody_waits_for_is_seen_all_the_same),
		cmocka_unit_test(an_update_by_hand_is_told_unless_it_is_not_to_be),
		cmocka_unit_test(a_counter_beyond_its_end_goes_round),
		cmocka_unit_test(a_compare_interrupts_on_a_line_of_its_own),
		cmocka_unit_test(a_timer_runs_twice_as_fast_as_its_bus_if_that_is_divided),
		cmocka_unit_test(the_independent_watchdog_wants_to_be_fed),
		cmocka_unit_test(the_independent_watchdog_starts_from_what_was_loaded),
		cmocka_unit_test(the_independent_watchdog_takes_its_time),
		cmocka_unit_test(an_option_byte_starts_the_watchdog_with_the_chip),
		cmocka_unit_test(the_window_watchdog_warns_bites_and_hates_haste),
	};

	return cmocka_run_group_tests_name("f407_time", tests, NULL, NULL);
}
