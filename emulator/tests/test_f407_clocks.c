// SPDX-License-Identifier: GPL-2.0-or-later
/* RCC, memory map, GPIO and EXTI of the chip around the core. */
#include "f407_scene.h"

#define EXTI 0x40013C00u
#define SYSCFG 0x40013800u

static void what_is_switched_on_is_ready(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(rd(&s, RCC) & 0x0A020002, 2); /* HSI alone */
	set_bits(&s, RCC, 1u << 16 | 1u << 24 | 1u << 26);
	assert_int_equal(rd(&s, RCC) & 0x0A020002, 0x0A020002);
	wr(&s, RCC, 1u << 16); /* HSI drives SYSCLK: it stays */
	assert_int_equal(rd(&s, RCC) & 0x0A020003, 0x00020003);
	set_bits(&s, RCC_CSR, 1);
	assert_int_equal(rd(&s, RCC_CSR) & 3, 3);
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	set_bits(&s, RCC + 0x70, 1); /* LSE is behind DBP */
	assert_int_equal(rd(&s, RCC + 0x70) & 3, 0);
	set_bits(&s, PWR, 1u << 8);
	set_bits(&s, RCC + 0x70, 1);
	assert_int_equal(rd(&s, RCC + 0x70) & 3, 3);
	f407_close(&s);
}

/* 8 MHz / 8 * 336 / 2, AHB 1, APB1 4, APB2 2: as most firmware has it. */
static void run_at_168_mhz(struct f407 *s)
{
	set_bits(s, RCC, 1u << 16);
	wr(s, RCC + 4, 8 | 336 << 6 | 0 << 16 | 1u << 22 | 7 << 24);
	set_bits(s, RCC, 1u << 24);
	wr(s, RCC + 8, 5u << 10 | 4u << 13 | 2);
}

static void hclk_is_what_pll_and_dividers_make_it(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(soc_hclk_hz(s.soc), 16000000);
	wr(&s, RCC + 8, 2); /* the PLL is off */
	assert_int_equal(rd(&s, RCC + 8) & 0xC, 0);
	wr(&s, RCC + 8, 0);
	run_at_168_mhz(&s);
	assert_int_equal(rd(&s, RCC + 8) & 0xC, 8);
	assert_int_equal(soc_hclk_hz(s.soc), 168000000);
	set_bits(&s, RCC + 8, 9u << 4);
	assert_int_equal(soc_hclk_hz(s.soc), 42000000);
	f407_close(&s);
}

static void time_goes_on_where_the_clock_changes(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	f407_pass(&s, 16000 + 8); /* 1000.5 us */
	run_at_168_mhz(&s);
	f407_pass(&s, 84); /* and half of one more */
	assert_int_equal(soc_us_at(s.soc, s.cycles), 1001);
	assert_int_equal(soc_cycle_at(s.soc, 1001), s.cycles);
	assert_int_equal(soc_cycle_at(s.soc, 2001), s.cycles + 168000);
	assert_int_equal(soc_us_at(s.soc, s.cycles + 1), 1002); /* the first at or after it */
	f407_close(&s);
}

static void csr_tells_the_causes_of_resets_until_they_are_cleared(void **state)
{
	static const struct {
		unsigned causes;
		uint32_t flags;
	} cases[] = {
		{ 1u << RESET_POWER_ON, 0x0E000000 },
		{ 1u << RESET_PIN, 0x04000000 },
		{ 1u << RESET_SOFTWARE, 0x14000000 },
		{ 1u << RESET_WATCHDOG, 0x24000000 },
		{ 1u << RESET_WINDOW_WATCHDOG, 0x44000000 },
		{ 1u << RESET_POWER_ON | 1u << RESET_WATCHDOG, 0x2E000000 },
	};
	struct f407 s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f407_open_as(&s, "f407", cases[i].causes, false);
		assert_int_equal(rd(&s, RCC_CSR), cases[i].flags);
		set_bits(&s, RCC_CSR, 1u << 24);
		assert_int_equal(rd(&s, RCC_CSR), 0);
		assert_int_equal(s.forgotten, 1);
		f407_close(&s);
	}
}

static void the_jump_of_older_roms_leaves_ccm_off(void **state)
{
	struct f407 s;

	(void)state;
	f407_open_as(&s, "f407-v3.1", 1u << RESET_PIN, true);
	assert_int_equal(rd(&s, RCC_AHB1ENR), 0);
	f407_close(&s);
	f407_open_as(&s, "f407-v9.1", 1u << RESET_PIN, true);
	assert_int_equal(rd(&s, RCC_AHB1ENR), 0x00100000);
	f407_close(&s);
	f407_open_as(&s, "f407-v3.1", 1u << RESET_PIN, false);
	assert_int_equal(rd(&s, RCC_AHB1ENR), 0x00100000);
	f407_close(&s);
}

static void a_peripheral_without_its_clock_is_deaf(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, GPIOD, 0x55000000);
	assert_int_equal(rd(&s, GPIOD), 0);
	set_bits(&s, RCC_AHB1ENR, 8);
	wr(&s, GPIOD, 0x55000000);
	assert_int_equal(rd(&s, GPIOD), 0x55000000);
	set_bits(&s, RCC + 0x10, 8); /* and a reset by RCC */
	assert_int_equal(rd(&s, GPIOD), 0);
	f407_close(&s);
}

static void registers_that_are_not_modelled_keep_their_value_and_are_told_once(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, 0x40006400, 0x12345678);
	wr(&s, 0x40006400, 0x12345679);
	assert_int_equal(s.unknowns, 1);
	assert_int_equal(s.unknown, 0x40006400);
	assert_int_equal(rd(&s, 0x40006400), 0x12345679);
	assert_int_equal(rd(&s, 0x40006400), 0x12345679);
	assert_int_equal(s.unknowns, 2);
	f407_close(&s);
}

static void where_nothing_is_there_is_a_bus_fault(void **state)
{
	static const uint32_t nowhere[] = { 0x00200000, 0x08100000, 0x10010000, 0x20020000, 0x60000000, 0xC0000000 };
	struct f407 s;
	uint32_t value;

	(void)state;
	f407_open(&s);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		assert_false(soc_read(s.soc, nowhere[i], 4, &value));
		assert_false(soc_write(s.soc, nowhere[i], 4, 0));
	}
	f407_close(&s);
}

static const uint8_t *memory_at(struct f407 *s, uint32_t address)
{
	static struct cpu_memory m[SOC_MEMORIES];

	soc_memory(s->soc, m);
	for (unsigned i = 0; i < SOC_MEMORIES; i++)
		if (address - m[i].base < m[i].size_bytes)
			return m[i].data + (address - m[i].base);
	return NULL;
}

static void the_part_says_what_it_is(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(rd(&s, 0xE0042000) & 0xFFF, 0x413);
	assert_memory_equal(memory_at(&s, 0x1FFF7A10), ((uint8_t[]){ 0x40, 0, 0x2e, 0, 0x05, 0x51, 0x36, 0x30 }), 8);
	assert_memory_equal(memory_at(&s, 0x1FFF7A22), ((uint8_t[]){ 0x00, 0x04 }), 2);
	assert_int_equal(*memory_at(&s, 0x1FFF77DE), 0x31);
	assert_int_equal(*memory_at(&s, 0x1FFFC001), 0xAA);
	f407_close(&s);
}

static void memrmp_says_what_is_at_0(void **state)
{
	static const uint32_t bases[] = { 0x08000000, 0x1FFF0000, UINT32_MAX, 0x20000000 };
	struct f407 s;

	(void)state;
	f407_open(&s);
	for (unsigned i = 0; i < 4; i++) {
		wr(&s, SYSCFG, i);
		assert_int_equal(s.alias, bases[i]);
	}
	f407_close(&s);
}

static void leds_are_lit_by_outputs_that_are_high(void **state)
{
	struct f407 s;
	uint32_t value;

	(void)state;
	f407_open(&s);
	set_bits(&s, RCC_AHB1ENR, 8);
	wr(&s, GPIOD + 0x18, 1u << 12);
	assert_int_equal(s.leds, 0); /* an input yet */
	wr(&s, GPIOD, 0x55000000);
	assert_int_equal(s.leds, 1);
	assert_true(soc_write(s.soc, GPIOD + 0x18, 2, 1u << 15)); /* half of BSRR */
	assert_int_equal(s.leds, 9);
	assert_true(soc_write(s.soc, GPIOD + 0x1A, 2, 1u << 12));
	assert_int_equal(s.leds, 8);
	assert_int_equal(soc_leds(s.soc), 8);
	assert_true(soc_read(s.soc, GPIOD + 0x11, 1, &value));
	assert_int_equal(value, 0x80);
	soc_stop(s.soc, 1, false);
	assert_int_equal(s.leds, 0);
	f407_close(&s);
}

static void pins_have_the_level_that_drives_or_pulls_them(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	set_bits(&s, RCC_AHB1ENR, 3);
	wr(&s, GPIOA, 0);
	wr(&s, GPIOA + 0xC, 1u << 2 | 2u << 4); /* PA1 up, PA2 down */
	assert_int_equal(rd(&s, GPIOA + 0x10), 2);
	soc_button(s.soc, true);
	soc_pin(s.soc, PIN_VBUS, true);
	soc_pin(s.soc, PIN_BOOT1, true);
	assert_int_equal(rd(&s, GPIOA + 0x10), 0x203);
	assert_int_equal(rd(&s, GPIOB + 0x10) & 4, 4);
	wr(&s, GPIOA, 3u << 18); /* analog reads 0 */
	assert_int_equal(rd(&s, GPIOA + 0x10), 3);
	f407_close(&s);
}

static void the_button_interrupts_on_the_edge_that_is_wanted(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, EXTI, 1);     /* IMR */
	wr(&s, EXTI + 8, 1); /* rising */
	soc_button(s.soc, true);
	assert_true(s.irq[6]);
	wr(&s, EXTI + 0x14, 1);
	assert_false(s.irq[6]);
	soc_button(s.soc, false);
	assert_false(s.irq[6]);
	wr(&s, EXTI + 0xC, 1); /* falling */
	wr(&s, SYSCFG + 8, 3); /* of port D */
	soc_button(s.soc, true);
	soc_button(s.soc, false);
	assert_false(s.irq[6]);
	wr(&s, EXTI + 0x10, 1); /* by software */
	assert_true(s.irq[6]);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_switched_on_is_ready),
		cmocka_unit_test(hclk_is_what_pll_and_dividers_make_it),
		cmocka_unit_test(time_goes_on_where_the_clock_changes),
		cmocka_unit_test(csr_tells_the_causes_of_resets_until_they_are_cleared),
		cmocka_unit_test(the_jump_of_older_roms_leaves_ccm_off),
		cmocka_unit_test(a_peripheral_without_its_clock_is_deaf),
		cmocka_unit_test(registers_that_are_not_modelled_keep_their_value_and_are_told_once),
		cmocka_unit_test(where_nothing_is_there_is_a_bus_fault),
		cmocka_unit_test(the_part_says_what_it_is),
		cmocka_unit_test(memrmp_says_what_is_at_0),
		cmocka_unit_test(leds_are_lit_by_outputs_that_are_high),
		cmocka_unit_test(pins_have_the_level_that_drives_or_pulls_them),
		cmocka_unit_test(the_button_interrupts_on_the_edge_that_is_wanted),
	};

	return cmocka_run_group_tests_name("f407_clocks", tests, NULL, NULL);
}
