// SPDX-License-Identifier: GPL-2.0-or-later
/* Deep sleep of the core: stop, standby, what wakes, and what is left (RM0090 chapter 5). */
#include "f407_scene.h"

#define PWR_CSR (PWR + 4)
#define PDDS 2u
#define CWUF 4u
#define CSBF 8u
#define WUF 1u
#define SBF 2u
#define EWUP 0x100u
#define RTC 0x40002800u
#define EXTI 0x40013C00u
#define TIM2 0x40000000u

static void open_awake(struct f407 *s)
{
	f407_open(s);
	set_bits(s, RCC_APB1ENR, 1u << 28 | 1);
	set_bits(s, RCC_AHB1ENR, 9);
}

static void wake_up_in_a_second(struct f407 *s)
{
	set_bits(s, PWR, 1u << 8);
	wr(s, RCC + 0x70, 1u << 15 | 1u << 8 | 1);
	wr(s, RTC + 0x24, 0xCA);
	wr(s, RTC + 0x24, 0x53);
	wr(s, RTC + 0x14, 0);
	wr(s, RTC + 8, 1u << 14 | 1u << 10 | 4);
}

static void standby_loses_all_but_its_own_until_the_wkup_pin_rises(void **state)
{
	struct f407 s;
	uint8_t *ram;
	size_t size;

	(void)state;
	open_awake(&s);
	ram = soc_ram(s.soc, &size);
	ram[1] = 1;
	wr(&s, GPIOD, 0x55000000);
	wr(&s, GPIOD + 0x14, 0x1000);
	assert_int_equal(s.leds, 1);
	wr(&s, PWR_CSR, EWUP);
	set_bits(&s, PWR, PDDS);
	assert_int_equal(soc_sleep_deeply(s.soc), SOC_STANDBY);
	assert_int_equal(soc_power(s.soc), SOC_STANDBY);
	assert_int_equal(s.leds, 0);
	assert_int_equal(ram[1], 0);
	assert_int_equal(soc_next(s.soc), SOC_NEVER);
	assert_int_equal(s.resets, 0);
	soc_button(s.soc, true);
	assert_int_equal(s.resets, 1);
	assert_int_equal(s.cause, RESET_STANDBY);
	soc_stop(s.soc, 0, false);
	soc_reset(s.soc, 0, 1u << RESET_STANDBY, false);
	assert_int_equal(soc_power(s.soc), SOC_SLEEPS);
	assert_int_equal(rd(&s, RCC_CSR), 0x0E000000);
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	assert_int_equal(rd(&s, PWR), 0x4000);
	assert_int_equal(rd(&s, PWR_CSR), 0x4000 | EWUP | SBF | WUF);
	set_bits(&s, PWR, CWUF);
	assert_int_equal(rd(&s, PWR_CSR) & (SBF | WUF), SBF);
	soc_reset(s.soc, 0, 1u << RESET_PIN, false); /* one of the system: EWUP goes, SBF does not */
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	assert_int_equal(rd(&s, PWR_CSR), 0x4000 | SBF);
	set_bits(&s, PWR, CSBF);
	assert_int_equal(rd(&s, PWR_CSR), 0x4000);
	f407_close(&s);
}

static void without_ewup_the_pin_wakes_nobody(void **state)
{
	struct f407 s;

	(void)state;
	open_awake(&s);
	set_bits(&s, PWR, PDDS);
	assert_int_equal(soc_sleep_deeply(s.soc), SOC_STANDBY);
	soc_button(s.soc, true);
	assert_int_equal(s.resets, 0);
	f407_close(&s);
}

static void the_rtc_and_the_independent_watchdog_go_on_in_standby(void **state)
{
	struct f407 s;

	(void)state;
	for (unsigned dog = 0; dog < 2; dog++) {
		open_awake(&s);
		wake_up_in_a_second(&s);
		if (dog)
			wr(&s, 0x40003000, 0xCCCC);
		set_bits(&s, PWR, PDDS);
		assert_int_equal(soc_sleep_deeply(s.soc), SOC_STANDBY);
		f407_pass_us(&s, dog ? 512001 : 999000);
		assert_int_equal(s.resets, dog);
		if (!dog)
			f407_pass_us(&s, 1001);
		assert_int_equal(s.resets, 1);
		assert_int_equal(s.cause, dog ? RESET_WATCHDOG : RESET_STANDBY);
		f407_close(&s);
	}
}

static void a_wake_up_flag_that_is_up_keeps_it_awake(void **state)
{
	struct f407 s;

	(void)state;
	open_awake(&s);
	soc_button(s.soc, true);
	assert_int_equal(rd(&s, PWR_CSR) & WUF, 0);
	wr(&s, PWR_CSR, EWUP); /* the pin is high as it becomes WKUP */
	assert_int_equal(rd(&s, PWR_CSR) & WUF, WUF);
	set_bits(&s, PWR, PDDS);
	assert_int_equal(soc_sleep_deeply(s.soc), SOC_SLEEPS);
	set_bits(&s, PWR, CWUF);
	assert_int_equal(soc_sleep_deeply(s.soc), SOC_STANDBY);
	f407_close(&s);
}

static void stop_takes_the_clocks_and_leaves_exti(void **state)
{
	struct f407 s;

	(void)state;
	open_awake(&s);
	set_bits(&s, RCC, 1u << 16);
	wr(&s, RCC + 4, 8 | 336 << 6 | 1u << 22 | 7 << 24);
	set_bits(&s, RCC, 1u << 24);
	wr(&s, RCC + 8, 5u << 10 | 4u << 13 | 2);
	assert_int_equal(soc_hclk_hz(s.soc), 168000000);
	wr(&s, TIM2 + 0x2C, 999);
	wr(&s, TIM2 + 0xC, 1);
	wr(&s, TIM2, 1);
	wr(&s, EXTI, 1);
	wr(&s, EXTI + 8, 1);
	assert_int_equal(soc_sleep_deeply(s.soc), SOC_STOPPED);
	assert_int_equal(soc_hclk_hz(s.soc), 16000000);
	f407_pass(&s, 10000);
	assert_false(s.irq[28]);
	soc_button(s.soc, true);
	assert_true(s.irq[6]);
	assert_int_equal(s.resets, 0);
	soc_wake(s.soc);
	assert_int_equal(soc_power(s.soc), SOC_SLEEPS);
	assert_true(s.irq[28]);
	assert_int_equal(rd(&s, RCC) & 0x0F0F0003, 3);
	assert_int_equal(rd(&s, RCC + 8) & 0xF, 0);
	f407_close(&s);
}

static void option_bytes_make_a_reset_of_it(void **state)
{
	uint8_t options[16];
	struct f407 s;

	(void)state;
	for (unsigned standby = 0; standby < 2; standby++) {
		open_awake(&s);
		flash_read_options(s.flash, options);
		options[0] = options[4] = standby ? 0x6F : 0xAF;
		options[2] = options[6] = (uint8_t)~options[0];
		flash_set_options(s.flash, options);
		soc_reset(s.soc, 0, 0, false);
		set_bits(&s, RCC_APB1ENR, 1u << 28);
		wr(&s, PWR, standby ? 0 : PDDS); /* the other one is not meant */
		assert_int_equal(soc_sleep_deeply(s.soc), standby ? SOC_STOPPED : SOC_STANDBY);
		assert_int_equal(s.resets, 0);
		soc_reset(s.soc, 0, 0, false);
		set_bits(&s, RCC_APB1ENR, 1u << 28);
		wr(&s, PWR, CWUF | (standby ? PDDS : 0));
		assert_int_equal(soc_sleep_deeply(s.soc), SOC_SLEEPS);
		assert_int_equal(s.resets, 1);
		assert_int_equal(s.cause, RESET_LOW_POWER);
		soc_reset(s.soc, 0, 1u << RESET_LOW_POWER, false);
		assert_int_equal(rd(&s, RCC_CSR), 0x84000000);
		f407_close(&s);
	}
}

static void a_line_in_event_mode_is_an_event_for_the_core(void **state)
{
	struct f407 s;

	(void)state;
	open_awake(&s);
	wr(&s, EXTI + 8, 1);
	soc_button(s.soc, true);
	soc_button(s.soc, false);
	assert_int_equal(s.events, 0);
	wr(&s, EXTI + 4, 1);
	soc_button(s.soc, true);
	assert_int_equal(s.events, 1);
	assert_false(s.irq[6]);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standby_loses_all_but_its_own_until_the_wkup_pin_rises),
		cmocka_unit_test(without_ewup_the_pin_wakes_nobody),
		cmocka_unit_test(the_rtc_and_the_independent_watchdog_go_on_in_standby),
		cmocka_unit_test(a_wake_up_flag_that_is_up_keeps_it_awake),
		cmocka_unit_test(stop_takes_the_clocks_and_leaves_exti),
		cmocka_unit_test(option_bytes_make_a_reset_of_it),
		cmocka_unit_test(a_line_in_event_mode_is_an_event_for_the_core),
	};

	return cmocka_run_group_tests_name("f407_power", tests, NULL, NULL);
}
