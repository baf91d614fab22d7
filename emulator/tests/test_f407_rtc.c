// SPDX-License-Identifier: GPL-2.0-or-later
/* RTC: calendar, alarms, wake-up timer, what protects it and what it is kept over (RM0090 chapter 26). */
#include "f407_scene.h"

#define RTC 0x40002800u

static void open_backup(struct f407 *s)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1u << 28);
	set_bits(s, PWR, 1u << 8);
}

static void open_rtc(struct f407 *s)
{
	open_backup(s);
	wr(s, RCC + 0x70, 1u << 15 | 1u << 8 | 1); /* RTCEN, by LSE */
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
	assert_int_equal(rd(&s, RTC + 0xC) & 0x40, 0); /* two edges of its clock */
	wr(&s, RTC, 0x111111);
	f407_pass_us(&s, 62);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x40, 0x40);
	wr(&s, RTC, 0x235958);
	wr(&s, RTC + 4, 0x240000 | 3u << 13 | 0x0228); /* Wednesday, 28 February 2024 */
	wr(&s, RTC + 0xC, 0);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x20, 0);
	f407_pass_us(&s, 1500000);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x20, 0x20);
	assert_int_equal(rd(&s, RTC), 0x235959);
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 3u << 13 | 0x0228);
	f407_pass_us(&s, 1000000);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 4u << 13 | 0x0229);
	f407_pass_us(&s, 86400u * UINT64_C(1000000));
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 5u << 13 | 0x0301);
	f407_close(&s);
}

/* RM0090 26.3.6 */
static void what_is_read_of_the_calendar_holds_the_rest_until_the_date_is(void **state)
{
	const uint32_t date = 0x240000 | 3u << 13 | 0x0228;
	struct f407 s;

	(void)state;
	open_rtc(&s);
	set_bits(&s, RTC + 0xC, 0x80);
	f407_pass_us(&s, 62);
	wr(&s, RTC, 0x235958);
	wr(&s, RTC + 4, date);
	wr(&s, RTC + 0xC, 0);
	f407_pass_us(&s, 1500000);
	rd(&s, RTC);
	f407_pass_us(&s, 1000000);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC + 4), date); /* of the first look */
	assert_int_equal(rd(&s, RTC + 4), 0x240000 | 4u << 13 | 0x0229);
	rd(&s, RTC + 0x28);
	f407_pass_us(&s, 5000000);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC), 0);
	rd(&s, RTC + 4);
	assert_int_equal(rd(&s, RTC), 5);
	set_bits(&s, RTC + 8, 0x20); /* BYPSHAD */
	rd(&s, RTC + 0x28);
	f407_pass_us(&s, 1000000);
	assert_int_equal(rd(&s, RTC), 6);
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

/* RM0090 26.3.5: DBP is for each reset anew, the key is not. */
static void the_key_outlives_a_reset(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	soc_reset(s.soc, 10, 0, false);
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	wr(&s, RTC + 0x14, 0x1234);
	assert_int_equal(rd(&s, RTC + 0x14), 0xFFFF);
	set_bits(&s, PWR, 1u << 8);
	wr(&s, RTC + 0x14, 0x1234);
	assert_int_equal(rd(&s, RTC + 0x14), 0x1234);
	wr(&s, RTC + 0x24, 0);
	wr(&s, RTC + 0x14, 1);
	assert_int_equal(rd(&s, RTC + 0x14), 0x1234);
	f407_close(&s);
}

static void an_rtc_without_a_clock_stands_still(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	f407_pass_us(&s, 5000000);
	assert_int_equal(rd(&s, RTC), 5);
	set_bits(&s, RCC + 0x70, 1u << 16); /* BDRST */
	wr(&s, RCC + 0x70, 0);
	f407_pass_us(&s, 5000000);
	assert_int_equal(rd(&s, RTC), 0);
	wr(&s, RTC + 0x24, 0xCA);
	wr(&s, RTC + 0x24, 0x53);
	set_bits(&s, RTC + 0xC, 0x80);
	f407_pass_us(&s, 1000);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x60, 0);
	f407_close(&s);
}

/* By LSI, 32 kHz, with prescalers for LSE: 1.024 s; and with its own. */
static void the_prescalers_make_the_second(void **state)
{
	struct f407 s;

	(void)state;
	open_backup(&s);
	set_bits(&s, RCC_CSR, 1);
	wr(&s, RCC + 0x70, 1u << 15 | 2u << 8);
	wr(&s, RCC + 0x70, 1u << 15 | 1u << 8 | 1); /* its source is chosen once */
	assert_int_equal(rd(&s, RCC + 0x70) >> 8 & 3, 2);
	f407_pass_us(&s, 10230000);
	assert_int_equal(rd(&s, RTC), 9);
	f407_pass_us(&s, 10001);
	assert_int_equal(rd(&s, RTC), 0x10);
	wr(&s, RTC + 0x24, 0xCA);
	wr(&s, RTC + 0x24, 0x53);
	set_bits(&s, RTC + 0xC, 0x80);
	f407_pass_us(&s, 63);
	wr(&s, RTC + 0x10, 0x007F00F9); /* 128 * 250 */
	wr(&s, RTC, 0);
	wr(&s, RTC + 0xC, 0);
	f407_pass_us(&s, 10000001);
	assert_int_equal(rd(&s, RTC), 0x10);
	assert_int_equal(rd(&s, RTC + 0x28), 0xF9);
	f407_close(&s);
}

static void shadow_registers_know_nothing_until_they_are_in_step(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	f407_pass_us(&s, 5000000);
	soc_reset(s.soc, 5000000, 0, false);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x20, 0);
	assert_int_equal(rd(&s, RTC), 0);
	f407_pass_us(&s, 62);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x20, 0x20);
	assert_int_equal(rd(&s, RTC), 5);
	f407_close(&s);
}

static void the_wakeup_timer_is_set_while_it_is_off(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	assert_int_equal(rd(&s, RTC + 0xC) & 7, 7);
	wr(&s, RTC + 8, 1u << 10 | 4);
	assert_int_equal(rd(&s, RTC + 0xC) & 4, 0);
	wr(&s, RTC + 0x14, 7);
	wr(&s, RTC + 8, 1u << 10 | 3);
	assert_int_equal(rd(&s, RTC + 0x14), 0xFFFF);
	assert_int_equal(rd(&s, RTC + 8), 1u << 10 | 4);
	wr(&s, RTC + 8, 4);
	assert_int_equal(rd(&s, RTC + 0xC) & 4, 0);
	f407_pass_us(&s, 62);
	assert_int_equal(rd(&s, RTC + 0xC) & 4, 4);
	wr(&s, RTC + 0x14, 7);
	assert_int_equal(rd(&s, RTC + 0x14), 7);
	f407_close(&s);
}

/* RM0090 5.3.7: the flag's line rises once. */
static void a_flag_that_is_up_raises_no_edge(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	wr(&s, 0x40013C00, 1u << 22);
	wr(&s, 0x40013C08, 1u << 22);
	wr(&s, RTC + 0x14, 0);
	wr(&s, RTC + 8, 1u << 14 | 1u << 10 | 4);
	f407_pass_us(&s, 1000001);
	assert_true(s.irq[3]);
	wr(&s, 0x40013C14, 1u << 22);
	f407_pass_us(&s, 1000000);
	assert_false(s.irq[3]);
	wr(&s, RTC + 0xC, 0);
	f407_pass_us(&s, 1000000);
	assert_true(s.irq[3]);
	f407_close(&s);
}

static void an_alarm_comes_at_its_second(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	wr(&s, 0x40013C00, 1u << 17);
	wr(&s, 0x40013C08, 1u << 17);
	wr(&s, RTC + 0x20, 0x80808003); /* B: whenever seconds are 3 */
	wr(&s, RTC + 8, 1u << 13 | 1u << 9);
	assert_int_equal(rd(&s, RTC + 0xC) & 3, 1);
	wr(&s, RTC + 0x20, 0x80808009); /* while it is on */
	assert_int_equal(rd(&s, RTC + 0x20), 0x80808003);
	f407_pass_us(&s, 2990000);
	assert_false(s.irq[41]);
	f407_pass_us(&s, 10001);
	assert_true(s.irq[41]);
	assert_int_equal(rd(&s, RTC + 0xC) & 0x300, 0x200);
	wr(&s, RTC + 0xC, ~0x280u);
	wr(&s, 0x40013C14, 1u << 17);
	f407_pass_us(&s, 59000000);
	assert_false(s.irq[41]);
	f407_pass_us(&s, 1000000);
	assert_true(s.irq[41]);
	f407_close(&s);
}

static void an_hour_more_or_less(void **state)
{
	struct f407 s;

	(void)state;
	open_rtc(&s);
	f407_pass_us(&s, 100);
	set_bits(&s, RTC + 8, 1u << 17); /* in the first hour: nothing */
	assert_int_equal(rd(&s, RTC), 0);
	set_bits(&s, RTC + 8, 1u << 16);
	assert_int_equal(rd(&s, RTC), 0x010000);
	set_bits(&s, RTC + 8, 1u << 17);
	assert_int_equal(rd(&s, RTC), 0);
	assert_int_equal(rd(&s, RTC + 8), 0);
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
		cmocka_unit_test(the_wakeup_timer_lets_time_pass_at_any_clock),
		cmocka_unit_test(the_calendar_goes_on_from_what_it_was_set_to),
		cmocka_unit_test(what_is_read_of_the_calendar_holds_the_rest_until_the_date_is),
		cmocka_unit_test(backup_registers_outlive_a_reset_but_not_the_power),
		cmocka_unit_test(the_key_outlives_a_reset),
		cmocka_unit_test(an_rtc_without_a_clock_stands_still),
		cmocka_unit_test(the_prescalers_make_the_second),
		cmocka_unit_test(shadow_registers_know_nothing_until_they_are_in_step),
		cmocka_unit_test(the_wakeup_timer_is_set_while_it_is_off),
		cmocka_unit_test(a_flag_that_is_up_raises_no_edge),
		cmocka_unit_test(an_alarm_comes_at_its_second),
		cmocka_unit_test(an_hour_more_or_less),
		cmocka_unit_test(the_wakeup_timer_interrupts_through_exti),
	};

	return cmocka_run_group_tests_name("f407_rtc", tests, NULL, NULL);
}
