// SPDX-License-Identifier: GPL-2.0-or-later
/* The flash interface, as firmware uses it: on the flash that the ROM has. */
#include "f407_scene.h"

#define FLASH 0x40023C00u
#define KEYR (FLASH + 4)
#define OPTKEYR (FLASH + 8)
#define SR (FLASH + 0xC)
#define CR (FLASH + 0x10)
#define OPTCR (FLASH + 0x14)
#define SECTOR_1 0x08004000u
#define BSY 0x10000u
#define LOCK 0x80000000u

static void open_unlocked(struct f407 *s)
{
	f407_open(s);
	wr(s, KEYR, 0x45670123);
	wr(s, KEYR, 0xCDEF89AB);
	assert_int_equal(rd(s, CR) & LOCK, 0);
}

/* Microseconds until it is done. */
static uint64_t duration_us(struct f407 *s)
{
	uint64_t begin = soc_us_at(s->soc, s->cycles), now = s->cycles;

	assert_int_equal(rd(s, SR) & BSY, BSY);
	assert_true(soc_flash_is_busy(s->soc));
	while (soc_flash_is_busy(s->soc)) {
		now = soc_next(s->soc);
		f407_pass(s, now - s->cycles);
	}
	assert_int_equal(rd(s, SR) & BSY, 0);
	return soc_us_at(s->soc, now) - begin;
}

static uint32_t word(struct f407 *s, uint32_t address)
{
	uint8_t b[4];

	assert_int_equal(flash_read(s->flash, address, b, 4), 0);
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint32_t word_of_core(struct f407 *s, uint32_t address)
{
	struct cpu_memory m[SOC_MEMORIES];
	uint32_t value;

	soc_memory(s->soc, m);
	memcpy(&value, m[0].data + (address - m[0].base), 4);
	return value;
}

static void a_word_is_programmed_in_16_us_for_the_rom_and_the_core(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, CR, 2u << 8 | 1);
	wr(&s, SECTOR_1, 0x12345678);
	assert_int_equal(duration_us(&s), 16);
	wr(&s, SECTOR_1 + 4, 0x9abcdef0);
	duration_us(&s);
	assert_int_equal(word(&s, SECTOR_1), 0x12345678);
	assert_int_equal(word_of_core(&s, SECTOR_1 + 4), 0x9abcdef0);
	assert_int_equal(rd(&s, SR), 0); /* EOP needs EOPIE */
	wr(&s, SECTOR_1, 0xFFFF0000);    /* cells lose bits alone */
	duration_us(&s);
	assert_int_equal(word(&s, SECTOR_1), 0x12340000);
	f407_close(&s);
}

static void what_is_programmed_in_order_is_told_as_one(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, CR, 2u << 8 | 1);
	for (uint32_t i = 0; i < 64; i += 4) {
		wr(&s, SECTOR_1 + i, i);
		duration_us(&s);
	}
	assert_int_equal(s.touches, 0);
	wr(&s, CR, LOCK);
	assert_int_equal(s.touches, 1);
	assert_int_equal(s.touched.type, MCU_EVENT_PROGRAMMED);
	assert_int_equal(s.touched.address, SECTOR_1);
	assert_int_equal(s.touched.length, 64);
	f407_close(&s);
}

static void parallelism_decides_how_long_an_erase_takes(void **state)
{
	static const uint64_t want_us[] = { 400000, 300000, 250000 };
	struct f407 s;

	(void)state;
	for (unsigned psize = 0; psize < 3; psize++) {
		open_unlocked(&s);
		assert_int_equal(flash_load(s.flash, 0x4000, (const uint8_t[]){ 0, 0, 0, 0 }, 4), 0);
		wr(&s, CR, psize << 8 | 1u << 3 | 2 | 1u << 16);
		assert_int_equal(duration_us(&s), want_us[psize]);
		assert_int_equal(word(&s, SECTOR_1), UINT32_MAX);
		assert_int_equal(s.touched.type, MCU_EVENT_ERASED);
		assert_int_equal(s.touched.address, SECTOR_1);
		assert_int_equal(s.touched.length, 0x4000);
		assert_int_equal(flash_erase_count(s.flash, 1), 1);
		f407_close(&s);
	}
}

static void the_end_of_an_operation_interrupts_if_wanted(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, CR, 2u << 8 | 1 | 1u << 24);
	wr(&s, SECTOR_1, 0);
	assert_false(s.irq[4]);
	duration_us(&s);
	assert_true(s.irq[4]);
	assert_int_equal(rd(&s, SR), 1);
	wr(&s, SR, 1);
	assert_false(s.irq[4]);
	f407_close(&s);
}

static void refusals_are_told_in_sr_and_change_nothing(void **state)
{
	static const struct {
		const char *name;
		uint32_t cr, address;
		unsigned size;
		uint32_t sr;
	} cases[] = {
		{ "locked", LOCK | 2u << 8 | 1, SECTOR_1, 4, 0x80 },
		{ "PG is not set", 2u << 8, SECTOR_1, 4, 0x80 },
		{ "half-word at x32", 2u << 8 | 1, SECTOR_1, 2, 0x40 },
		{ "word at x8", 1, SECTOR_1, 4, 0x40 },
		{ "over a row of 16", 2u << 8 | 1, SECTOR_1 + 14, 4, 0x20 },
		{ "protected", 2u << 8 | 1, 0x08000000, 4, 0x10 },
		{ "system memory", 2u << 8 | 1, 0x1FFF0000, 4, 0x10 },
		{ "erase of what is protected", 2 | 1u << 16, 0, 0, 0x10 },
		{ "mass erase", 4 | 1u << 16, 0, 0, 0x10 },
		{ "no such sector", 2 | 12u << 3 | 1u << 16, 0, 0, 0x10 },
		{ "option bytes", 2u << 8 | 1, 0x1FFFC000, 4, 0x10 },
		{ "a locked block of OTP", 2u << 8 | 1, 0x1FFF7820, 4, 0x10 },
		{ "with its interrupt", 2u << 8 | 1u << 25, SECTOR_1, 4, 0x82 },
		{ "start of nothing", 1u << 16, 0, 0, 0 },
	};
	uint8_t options[16], otp[528];
	struct f407 s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_unlocked(&s);
		flash_read_options(s.flash, options);
		options[8] = options[12] = 0xFE; /* sector 0 */
		options[10] = options[14] = 0x01;
		flash_set_options(s.flash, options);
		memset(otp, 0xFF, sizeof(otp));
		otp[512 + 1] = 0;
		flash_set_otp(s.flash, otp, sizeof(otp));
		wr(&s, CR, cases[i].cr);
		if (cases[i].size)
			assert_true(soc_write(s.soc, cases[i].address, cases[i].size, 0));
		if (rd(&s, SR) != cases[i].sr)
			fail_msg("%s: SR is 0x%x", cases[i].name, rd(&s, SR));
		assert_int_equal(word(&s, SECTOR_1) & word(&s, 0x08000000), UINT32_MAX);
		f407_close(&s);
	}
}

static void a_wrong_key_locks_until_reset(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	wr(&s, KEYR, 0x45670123);
	assert_false(soc_write(s.soc, KEYR, 4, 0x45670123)); /* a bus error (RM0090 3.6.1) */
	wr(&s, KEYR, 0x45670123);
	wr(&s, KEYR, 0xCDEF89AB);
	assert_int_equal(rd(&s, CR) & LOCK, LOCK);
	soc_reset(s.soc, 0, 0, false);
	wr(&s, KEYR, 0x45670123);
	wr(&s, KEYR, 0xCDEF89AB);
	assert_int_equal(rd(&s, CR) & LOCK, 0);
	f407_close(&s);
}

static void the_error_interrupt_is_of_operr(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, SECTOR_1, 0); /* without PG, and nobody wants to know */
	wr(&s, CR, 1u << 25);
	assert_false(s.irq[4]);
	wr(&s, SECTOR_1, 0);
	assert_true(s.irq[4]);
	wr(&s, SR, 0x80);
	assert_true(s.irq[4]);
	wr(&s, SR, 2);
	assert_false(s.irq[4]);
	f407_close(&s);
}

static void an_error_that_is_still_up_refuses_nothing_else(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, SECTOR_1, 0);
	assert_int_equal(rd(&s, SR), 0x80);
	wr(&s, CR, 2u << 8 | 1);
	wr(&s, SECTOR_1, 0x12345678);
	duration_us(&s);
	assert_int_equal(word(&s, SECTOR_1), 0x12345678);
	assert_int_equal(rd(&s, SR), 0x80);
	f407_close(&s);
}

static void lowering_the_read_protection_clears_the_backup_sram(void **state)
{
	static const uint8_t level_1[16] = { 0xEF, 0x55, 0x10, 0xAA, 0xEF, 0x55, 0x10, 0xAA,
					     0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80 };
	struct f407 s;

	(void)state;
	f407_open(&s);
	flash_set_options(s.flash, level_1);
	soc_reset(s.soc, 0, 0, false);
	set_bits(&s, RCC_APB1ENR, 1u << 28);
	set_bits(&s, RCC_AHB1ENR, 1u << 18);
	set_bits(&s, PWR, 1u << 8);
	wr(&s, 0x40024000, 0x12345678);
	wr(&s, OPTKEYR, 0x08192A3B);
	wr(&s, OPTKEYR, 0x4C5D6E7F);
	wr(&s, OPTCR, 0x0FFFAAEC);
	set_bits(&s, OPTCR, 2);
	duration_us(&s);
	assert_int_equal(rd(&s, 0x40024000), 0);
	f407_close(&s);
}

/* RM0090 3.6.1: the bus stalls, and with it the core; what it has written comes after that. */
static void who_writes_while_it_is_busy_is_held(void **state)
{
	struct f407 s;
	uint64_t begin;

	(void)state;
	open_unlocked(&s);
	wr(&s, CR, 2u << 8 | 1);
	begin = s.cycles;
	wr(&s, SECTOR_1, 0x11111111);
	assert_false(soc_holds_core(s.soc));
	wr(&s, SECTOR_1 + 4, 0x22222222);
	assert_true(soc_holds_core(s.soc));
	assert_int_equal(word(&s, SECTOR_1), 0x11111111);
	assert_int_equal(soc_next(s.soc), begin + 16 * 16);
	f407_pass(&s, 16 * 16 - 1);
	assert_true(soc_holds_core(s.soc));
	f407_pass(&s, 1);
	assert_false(soc_holds_core(s.soc));
	assert_int_equal(rd(&s, SR) & BSY, BSY);
	wr(&s, CR, LOCK);
	assert_true(soc_holds_core(s.soc));
	assert_int_equal(rd(&s, CR) & LOCK, LOCK);
	f407_pass(&s, 16 * 16);
	assert_false(soc_holds_core(s.soc));
	assert_int_equal(rd(&s, SR) & BSY, 0);
	assert_int_equal(word(&s, SECTOR_1 + 4), 0x22222222);
	f407_pass_us(&s, 20000);
	f407_close(&s);
}

static void power_cuts_an_erase_and_a_jump_waits_for_it(void **state)
{
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	assert_int_equal(flash_load(s.flash, 0x4000, (const uint8_t[]){ 0, 0, 0, 0 }, 4), 0);
	wr(&s, CR, 1u << 3 | 2 | 1u << 16);
	f407_pass_us(&s, 1000);
	soc_stop(s.soc, 1000, false);
	assert_false(flash_is_busy(s.flash));
	assert_int_equal(s.touched.type, MCU_EVENT_CUT);
	assert_int_not_equal(word(&s, SECTOR_1), UINT32_MAX);
	f407_close(&s);

	open_unlocked(&s);
	assert_int_equal(flash_load(s.flash, 0x4000, (const uint8_t[]){ 0, 0, 0, 0 }, 4), 0);
	wr(&s, CR, 1u << 3 | 2 | 1u << 16);
	soc_stop(s.soc, 1000, true);
	assert_false(flash_is_busy(s.flash));
	assert_int_equal(word(&s, SECTOR_1), UINT32_MAX);
	f407_close(&s);
}

static void option_bytes_are_programmed_through_optcr(void **state)
{
	uint8_t options[16];
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(rd(&s, OPTCR), 0x0FFFAAED);
	wr(&s, OPTKEYR, 0x08192A3B);
	wr(&s, OPTKEYR, 0x4C5D6E7F);
	assert_int_equal(rd(&s, OPTCR), 0x0FFFAAEC);
	wr(&s, OPTCR, 0x0FF7AAEC);
	set_bits(&s, OPTCR, 2);
	assert_true(duration_us(&s) > 0);
	assert_int_equal(rd(&s, OPTCR) & 2, 0);
	flash_read_options(s.flash, options);
	assert_int_equal(options[8], 0xF7);
	assert_int_equal(options[10], 0x08); /* the complement is the chip's */
	assert_int_equal(s.touched.type, MCU_EVENT_OPTIONS);
	assert_false(flash_sector_protected(s.flash, 3)); /* from the next reset on */
	flash_reset(s.flash);
	assert_true(flash_sector_protected(s.flash, 3));
	f407_close(&s);
}

static void otp_is_programmed_like_flash(void **state)
{
	uint8_t got[4];
	struct f407 s;

	(void)state;
	open_unlocked(&s);
	wr(&s, CR, 2u << 8 | 1);
	wr(&s, 0x1FFF7800, 0x04030201);
	assert_int_equal(duration_us(&s), 16);
	assert_int_equal(flash_read_otp(s.flash, 0x1FFF7800, got, 4), 0);
	assert_memory_equal(got, ((uint8_t[]){ 1, 2, 3, 4 }), 4);
	f407_close(&s);
}

static void flash_that_others_have_changed_is_taken_over(void **state)
{
	struct f407 s;

	(void)state;
	f407_open(&s);
	assert_int_equal(flash_load(s.flash, 0x10, (const uint8_t[]){ 1, 2, 3, 4 }, 4), 0);
	assert_int_equal(word_of_core(&s, 0x08000010), UINT32_MAX);
	soc_refresh_flash(s.soc);
	assert_int_equal(word_of_core(&s, 0x08000010), 0x04030201);
	f407_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_programmed_in_16_us_for_the_rom_and_the_core),
		cmocka_unit_test(what_is_programmed_in_order_is_told_as_one),
		cmocka_unit_test(parallelism_decides_how_long_an_erase_takes),
		cmocka_unit_test(the_end_of_an_operation_interrupts_if_wanted),
		cmocka_unit_test(refusals_are_told_in_sr_and_change_nothing),
		cmocka_unit_test(a_wrong_key_locks_until_reset),
		cmocka_unit_test(the_error_interrupt_is_of_operr),
		cmocka_unit_test(an_error_that_is_still_up_refuses_nothing_else),
		cmocka_unit_test(lowering_the_read_protection_clears_the_backup_sram),
		cmocka_unit_test(who_writes_while_it_is_busy_is_held),
		cmocka_unit_test(power_cuts_an_erase_and_a_jump_waits_for_it),
		cmocka_unit_test(option_bytes_are_programmed_through_optcr),
		cmocka_unit_test(otp_is_programmed_like_flash),
		cmocka_unit_test(flash_that_others_have_changed_is_taken_over),
	};

	return cmocka_run_group_tests_name("f407_flash", tests, NULL, NULL);
}
