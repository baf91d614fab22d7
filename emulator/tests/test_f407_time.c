// SPDX-License-Identifier: GPL-2.0-or-later
/* Timers, watchdogs and RTC. */
#include "f407_scene.h"

#define TIM2 0x40000000u
#define TIM1 0x40010000u
#define RTC 0x40002800u
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

static void open_rtc(struct f407 *s)
{
	open_timers(s);
	set_bits(s, PWR, 1u << 8);
	wr(s, RTC + 0x24, 0xCA);
	wr(s, RTC + 0x24, 0x53);
}

/* At 31250 Hz a cycle is longer than the shortest period of the wake-up timer. */
static void the_wakeup_timer_lets_time_pass_at_any_clock(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	wr(&s, RCC + 0x08, 0xF0); /* HPRE: 512 */
	assert_int_equal(soc_hclk_hz(s.soc), 31250);
	wr(&s, RTC + 0x14, 0);
	wr(&s, RTC + 0x08, 1u << 14 | 1u << 10 | 3); /* WUTIE, WUTE, RTC / 2: 61 us */
	for (unsigned i = 0; i < 10; i++) {
		wr(&s, RTC + 0x0C, 0);
		f407_pass(&s, 2);
		assert_true(rd(&s, RTC + 0x0C) & 1u << 10);
	}
	f407_close(&s);
}

static void the_calendar_goes_on_from_what_it_was_set_to(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	assert_int_equal(rd(&s, RTC + 4), 0x2101);
	set_bits(&s, RTC + 0xC, 0x80);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x40, 0x40);
	wr(&s, RTC, 0x235958);
	wr(&s, RTC + 4, 0x240000 | 3u << 13 | 0x0228); /* Wednesday, 28 February 2024 */
	wr(&s, RTC + 0xC, 0);
	f407_pass_us(&s, 1500000);
	assert_int_equal(rd(&s, RTC), 0x235959);
	f407_pass_us(&s, 1000000);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 4u << 13 | 0x0229);
	f407_pass_us(&s, 86400u * UINT64_C(1000000));
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 5u << 13 | 0x0301);
	f407_close(&s);
}

static void backup_registers_outlive_a_reset_but_not_the_power(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	wr(&s, RTC + 0x50, 0x4144500d);
	soc_stop(s.soc, 10, false);
	soc_reset(s.soc, 10, 0, false);
	assert_int_equal(rd(&s, RTC + 0x50), 0x4144500d);
	wr(&s, RTC + 0x50, 1); /* protected again */
	assert_int_equal(rd(&s, RTC + 0x50), 0x4144500d);
	soc_power_on(s.soc, 20);
	soc_reset(s.soc, 20, 0, false);
	assert_int_equal(rd(&s, RTC + 0x50), 0);
	f407_close(&s);
}

static void the_wakeup_timer_interrupts_through_exti(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	wr(&s, 0x40013C00, 1u << 22);
	wr(&s, 0x40013C08, 1u << 22);
	wr(&s, RTC + 0x14, 2047); /* of 2048 Hz */
	wr(&s, RTC + 8, 1u << 14 | 1u << 10);
	f407_pass_us(&s, 999000);
	assert_false(s.irq[3]);
	f407_pass_us(&s, 1001);
	assert_true(s.irq[3]);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x400, 0x400);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_counts_its_clock_and_overflows),
		cmocka_unit_test(an_update_that_nobody_waits_for_is_seen_all_the_same),
		cmocka_unit_test(a_compare_interrupts_on_a_line_of_its_own),
		cmocka_unit_test(a_timer_runs_twice_as_fast_as_its_bus_if_that_is_divided),
		cmocka_unit_test(the_independent_watchdog_wants_to_be_fed),
		cmocka_unit_test(an_option_byte_starts_the_watchdog_with_the_chip),
		cmocka_unit_test(the_window_watchdog_warns_bites_and_hates_haste),
		cmocka_unit_test(the_wakeup_timer_lets_time_pass_at_any_clock),
		cmocka_unit_test(the_calendar_goes_on_from_what_it_was_set_to),
		cmocka_unit_test(backup_registers_outlive_a_reset_but_not_the_power),
		cmocka_unit_test(the_wakeup_timer_interrupts_through_exti),
	};

	return cmocka_run_group_tests_name("f407_time", tests, NULL, NULL);
}
