// SPDX-License-Identifier: GPL-2.0-or-later
/* Flash, option bytes and OTP: contents, durations, protection, and what a cut leaves. Rows are those of f407.md. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flash.h"

#define BASE 0x08000000u
#define OTP 0x1FFF7800u
#define OTP_LOCKS (OTP + 512u)
#define OPTIONS 0x1FFFC000u
#define KIB 1024u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WHOLE_US UINT64_MAX /* let it finish */

static struct flash *new_flash(uint64_t seed)
{
	struct prng prng = { seed };
	struct flash *f = flash_new(mcu_profile_find("f407"), &prng);

	assert_non_null(f);
	return f;
}

/* Runs an operation to its end, or to a cut; returns its full duration. */
static uint64_t run(struct flash *f, enum flash_op op, uint32_t address, const void *data, size_t length,
		    uint64_t cut_us)
{
	uint64_t duration_us = 0;

	assert_int_equal(flash_begin(f, op, address, data, length, &duration_us), 0);
	assert_true(flash_is_busy(f));
	if (cut_us == WHOLE_US)
		flash_finish(f);
	else
		flash_cut(f, cut_us);
	assert_false(flash_is_busy(f));
	return duration_us;
}

static uint64_t do_program(struct flash *f, uint32_t address, const void *data, size_t length)
{
	return run(f, FLASH_PROGRAM, address, data, length, WHOLE_US);
}

static uint8_t byte_at(const struct flash *f, uint32_t address)
{
	uint8_t byte;

	assert_int_equal(flash_read(f, address, &byte, 1), 0);
	return byte;
}

static uint8_t otp_at(const struct flash *f, uint32_t address)
{
	uint8_t byte;

	assert_int_equal(flash_read_otp(f, address, &byte, 1), 0);
	return byte;
}

static void fill(struct flash *f, uint8_t value)
{
	uint8_t *data = malloc(flash_size(f));

	memset(data, value, flash_size(f));
	assert_int_equal(flash_load(f, 0, data, flash_size(f)), 0);
	free(data);
}

/* How many bytes of [address, address + length) have this value. */
static size_t count_value(const struct flash *f, uint32_t address, size_t length, uint8_t value)
{
	uint8_t *data = malloc(length);
	size_t i, n = 0;

	assert_int_equal(flash_read(f, address, data, length), 0);
	for (i = 0; i < length; i++)
		n += data[i] == value;
	free(data);
	return n;
}

/* Sound option bytes of USER FF, RDP and nWRP (OB-1, OB-2). */
static void make_options(uint8_t bytes[16], uint8_t rdp, uint16_t nwrp)
{
	const uint8_t half[2][4] = {
		{ 0xEF, rdp, 0x10, (uint8_t)~rdp },
		{ (uint8_t)nwrp, (uint8_t)(nwrp >> 8), (uint8_t)~nwrp, (uint8_t)(~nwrp >> 8) },
	};

	memcpy(bytes, half[0], 4);
	memcpy(bytes + 4, half[0], 4);
	memcpy(bytes + 8, half[1], 4);
	memcpy(bytes + 12, half[1], 4);
}

static void set_options(struct flash *f, uint8_t rdp, uint16_t nwrp)
{
	uint8_t bytes[16];

	make_options(bytes, rdp, nwrp);
	flash_set_options(f, bytes);
}

static void set_feature(struct flash *f, uint8_t value)
{
	assert_int_equal(flash_set_feature(f, &value, 1), 0);
}

static void assert_options(const struct flash *f, const uint8_t want[16])
{
	uint8_t got[16];

	flash_read_options(f, got);
	assert_memory_equal(got, want, 16);
}

/* A new part and its geometry */

static void a_new_flash_is_erased_with_factory_options_and_blank_otp(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t otp[528];
	size_t i;

	(void)state;
	assert_int_equal(flash_size(f), 1024 * KIB);
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0xFF), 1024 * KIB);
	assert_options(f, mcu_profile_find("f407")->option_factory);
	flash_get_otp(f, otp, sizeof(otp));
	for (i = 0; i < sizeof(otp); i++)
		assert_int_equal(otp[i], 0xFF);
	assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
	for (i = 0; i < flash_sector_count(f); i++) {
		assert_false(flash_sector_protected(f, (unsigned)i));
		assert_int_equal(flash_erase_count(f, (unsigned)i), 0);
	}
	assert_false(flash_is_busy(f));
	flash_free(f);
	flash_free(NULL);
}

/* MAP-1 to MAP-3 */
static void addresses_belong_to_the_documented_sectors(void **state)
{
	static const struct {
		uint32_t give;
		int want;
		uint32_t start, size_bytes;
	} cases[] = {
		{ 0x08000000, 0, 0x08000000, 16 * KIB },
		{ 0x08003FFF, 0, 0x08000000, 16 * KIB },
		{ 0x08004000, 1, 0x08004000, 16 * KIB },
		{ 0x0800FFFF, 3, 0x0800C000, 16 * KIB },
		{ 0x08010000, 4, 0x08010000, 64 * KIB },
		{ 0x08020000, 5, 0x08020000, 128 * KIB },
		{ 0x080FFFFF, 11, 0x080E0000, 128 * KIB },
		{ 0x08100000, -1, 0, 0 },
		{ 0x07FFFFFF, -1, 0, 0 },
		{ 0x00000000, -1, 0, 0 },
		{ 0xFFFFFFFF, -1, 0, 0 },
	};
	struct flash *f = new_flash(1);
	uint32_t start, size_bytes;
	size_t i;

	(void)state;
	assert_int_equal(flash_sector_count(f), 12);
	for (i = 0; i < COUNT(cases); i++) {
		start = size_bytes = 0;
		assert_int_equal(flash_sector_at(f, cases[i].give, &start, &size_bytes), cases[i].want);
		assert_int_equal(start, cases[i].start);
		assert_int_equal(size_bytes, cases[i].size_bytes);
	}
	flash_free(f);
}

static void a_thousand_boards_at_rest_fit_in_memory(void **state)
{
	static struct flash *boards[1000];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(boards); i++)
		boards[i] = new_flash(i);
	for (i = 0; i < COUNT(boards); i++)
		flash_free(boards[i]);
}

/* Program and erase */

static void programming_only_clears_bits(void **state) /* FL-2, ERR-9 */
{
	static const uint8_t first[4] = { 0xF0, 0xFF, 0x00, 0xAA }, second[4] = { 0x3C, 0x12, 0xFF, 0x55 };
	static const uint8_t want[4] = { 0x30, 0x12, 0x00, 0x00 };
	struct flash *f = new_flash(1);
	uint8_t got[4];

	(void)state;
	do_program(f, BASE + 0x100, first, 4);
	do_program(f, BASE + 0x100, second, 4);
	assert_int_equal(flash_read(f, BASE + 0x100, got, 4), 0);
	assert_memory_equal(got, want, 4);
	assert_int_equal(byte_at(f, BASE + 0xFF), 0xFF);
	assert_int_equal(byte_at(f, BASE + 0x104), 0xFF);
	flash_free(f);
}

static void nothing_changes_before_the_operation_ends(void **state)
{
	static const uint8_t zero[4];
	struct flash *f = new_flash(1);
	uint64_t us, generation = flash_generation(f);

	(void)state;
	assert_int_equal(flash_begin(f, FLASH_PROGRAM, BASE, zero, 4, &us), 0);
	assert_int_equal(byte_at(f, BASE), 0xFF);
	assert_int_equal(flash_generation(f), generation);
	flash_finish(f);
	assert_int_equal(byte_at(f, BASE), 0);
	assert_true(flash_generation(f) != generation);
	flash_free(f);
}

static void odd_lengths_and_addresses_are_programmed_exactly_at_x8(void **state) /* BLK-12, U8 */
{
	static const uint8_t data[3] = { 1, 2, 3 };
	struct flash *f = new_flash(1);

	(void)state;
	assert_int_equal(do_program(f, BASE + 0x3FFF, data, 3), 3 * 16); /* over a sector's edge too */
	assert_int_equal(byte_at(f, BASE + 0x3FFF), 1);
	assert_int_equal(byte_at(f, BASE + 0x4001), 3);
	assert_int_equal(byte_at(f, BASE + 0x4002), 0xFF);
	flash_free(f);
}

static void erase_sets_the_sector_that_holds_the_address(void **state) /* FL-1, CMD-7 */
{
	struct flash *f = new_flash(1);

	(void)state;
	fill(f, 0x00);
	run(f, FLASH_ERASE_SECTOR, 0x08012345, NULL, 0, WHOLE_US);
	assert_int_equal(count_value(f, 0x08010000, 64 * KIB, 0xFF), 64 * KIB);
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0xFF), 64 * KIB);
	assert_int_equal(flash_erase_count(f, 4), 1);
	assert_int_equal(flash_erase_count(f, 3), 0);
	assert_int_equal(flash_erase_count(f, 5), 0);
	flash_free(f);
}

static void mass_erase_sets_everything_and_counts_for_each_sector(void **state)
{
	struct flash *f = new_flash(1);
	unsigned i;

	(void)state;
	fill(f, 0x00);
	run(f, FLASH_ERASE_SECTOR, BASE, NULL, 0, WHOLE_US);
	run(f, FLASH_MASS_ERASE, 0, NULL, 0, WHOLE_US);
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0xFF), 1024 * KIB);
	for (i = 0; i < flash_sector_count(f); i++)
		assert_int_equal(flash_erase_count(f, i), i == 0 ? 2 : 1);
	flash_free(f);
}

/* Durations */

static void operations_last_as_long_as_the_datasheet_says(void **state) /* TM-1 to TM-6, FEAT-1 */
{
	static const struct {
		const char *name;
		uint8_t feature;
		enum flash_op op;
		uint32_t address;
		size_t length;
		uint64_t typ_us, max_us;
	} cases[] = {
		{ "block x8", 0, FLASH_PROGRAM, BASE, 2048, 32768, 204800 },
		{ "block x16", 1, FLASH_PROGRAM, BASE, 2048, 16384, 102400 },
		{ "block x16 too", 2, FLASH_PROGRAM, BASE, 2048, 16384, 102400 },
		{ "block x32", 3, FLASH_PROGRAM, BASE, 2048, 8192, 51200 },
		{ "block x64 as x32", 4, FLASH_PROGRAM, BASE, 2048, 8192, 51200 },
		{ "one byte x8", 0, FLASH_PROGRAM, BASE + 5, 1, 16, 100 },
		{ "nothing", 0, FLASH_PROGRAM, BASE, 0, 0, 0 },
		{ "OTP x8", 0, FLASH_PROGRAM_OTP, OTP, 32, 512, 3200 },
		{ "16 KB x8", 0, FLASH_ERASE_SECTOR, BASE, 0, 400000, 800000 },
		{ "64 KB x8", 0, FLASH_ERASE_SECTOR, 0x08010000, 0, 1200000, 2400000 },
		{ "128 KB x8", 0, FLASH_ERASE_SECTOR, 0x08020000, 0, 2000000, 4000000 },
		{ "mass x8", 0, FLASH_MASS_ERASE, 0, 0, 16000000, 32000000 },
		{ "16 KB x16", 1, FLASH_ERASE_SECTOR, BASE, 0, 300000, 600000 },
		{ "64 KB x16", 2, FLASH_ERASE_SECTOR, 0x08010000, 0, 700000, 1400000 },
		{ "128 KB x16", 2, FLASH_ERASE_SECTOR, 0x080FFFFF, 0, 1300000, 2600000 },
		{ "mass x16", 1, FLASH_MASS_ERASE, 0, 0, 11000000, 22000000 },
		{ "16 KB x32", 3, FLASH_ERASE_SECTOR, BASE, 0, 250000, 500000 },
		{ "64 KB x32", 3, FLASH_ERASE_SECTOR, 0x08010000, 0, 550000, 1100000 },
		{ "128 KB x64", 4, FLASH_ERASE_SECTOR, 0x08020000, 0, 1000000, 2000000 },
		{ "mass x32", 3, FLASH_MASS_ERASE, 0, 0, 8000000, 16000000 },
	};
	static const uint8_t data[2048];
	struct flash *f = new_flash(1);
	uint64_t got_us;
	unsigned n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		set_feature(f, cases[i].feature);
		flash_set_durations(f, DURATION_TYPICAL);
		got_us = run(f, cases[i].op, cases[i].address, data, cases[i].length, WHOLE_US);
		if (got_us != cases[i].typ_us)
			fail_msg("%s: %llu us", cases[i].name, (unsigned long long)got_us);
		flash_set_durations(f, DURATION_MAXIMUM);
		got_us = run(f, cases[i].op, cases[i].address, data, cases[i].length, WHOLE_US);
		if (got_us != cases[i].max_us)
			fail_msg("%s: at most %llu us", cases[i].name, (unsigned long long)got_us);
		flash_set_durations(f, DURATION_RANDOM);
		for (n = 0; n < 20; n++) {
			got_us = run(f, cases[i].op, cases[i].address, data, cases[i].length, WHOLE_US);
			assert_in_range(got_us, cases[i].typ_us, cases[i].max_us);
		}
	}
	flash_free(f);
}

static void random_durations_follow_the_seed(void **state)
{
	struct flash *a = new_flash(5), *b = new_flash(5), *c = new_flash(6);
	uint64_t us[3], first_us = 0;
	bool varies = false, differs = false;
	unsigned i;

	(void)state;
	flash_set_durations(a, DURATION_RANDOM);
	flash_set_durations(b, DURATION_RANDOM);
	flash_set_durations(c, DURATION_RANDOM);
	for (i = 0; i < 10; i++) {
		us[0] = run(a, FLASH_ERASE_SECTOR, BASE, NULL, 0, WHOLE_US);
		us[1] = run(b, FLASH_ERASE_SECTOR, BASE, NULL, 0, WHOLE_US);
		us[2] = run(c, FLASH_ERASE_SECTOR, BASE, NULL, 0, WHOLE_US);
		assert_int_equal(us[0], us[1]);
		differs |= us[0] != us[2];
		if (i == 0)
			first_us = us[0];
		varies |= us[0] != first_us;
	}
	assert_true(varies && differs);
	flash_free(a);
	flash_free(b);
	flash_free(c);
}

/* Refusals */

static void operations_outside_their_memory_or_alignment_are_refused(void **state)
{
	static const struct {
		const char *name;
		enum flash_op op;
		uint8_t feature;
		uint32_t address;
		size_t length;
		int want;
	} cases[] = {
		{ "below flash", FLASH_PROGRAM, 0, BASE - 1, 4, -EFAULT },
		{ "above flash", FLASH_PROGRAM, 0, 0x08100000, 4, -EFAULT },
		{ "over the end", FLASH_PROGRAM, 0, 0x080FFFFD, 4, -EFAULT },
		{ "up to the end", FLASH_PROGRAM, 0, 0x080FFFFC, 4, 0 },
		{ "top of the address space", FLASH_PROGRAM, 0, 0xFFFFFFFF, 2, -EFAULT },
		{ "huge", FLASH_PROGRAM, 0, BASE, SIZE_MAX, -EFAULT },
		{ "OTP by the flash op", FLASH_PROGRAM, 0, OTP, 4, -EFAULT },
		{ "flash by the OTP op", FLASH_PROGRAM_OTP, 0, BASE, 4, -EFAULT },
		{ "over the end of OTP", FLASH_PROGRAM_OTP, 0, OTP + 527, 2, -EFAULT },
		{ "erase outside", FLASH_ERASE_SECTOR, 0, 0x08100000, 0, -EFAULT },
		{ "erase of OTP", FLASH_ERASE_SECTOR, 0, OTP, 0, -EFAULT },                         /* OTP-3, ERR-11 */
		{ "erase of option bytes", FLASH_ERASE_SECTOR, 0, OPTIONS, 0, -EFAULT },            /* ERR-11 */
		{ "options not at the start", FLASH_PROGRAM_OPTIONS, 0, OPTIONS + 8, 16, -EFAULT }, /* OB-8 */
		{ "part of the options", FLASH_PROGRAM_OPTIONS, 0, OPTIONS, 8, -EINVAL },           /* OB-7 */
		/* BLK-10, FL-6, U8: alignment matters once accesses are wider than a byte */
		{ "x8 odd address", FLASH_PROGRAM, 0, BASE + 1, 4, 0 },
		{ "x8 odd length", FLASH_PROGRAM, 0, BASE, 3, 0 },
		{ "x16 odd address", FLASH_PROGRAM, 1, BASE + 1, 4, -EINVAL },
		{ "x16 half word", FLASH_PROGRAM, 2, BASE, 2, -EINVAL },
		{ "x16 words", FLASH_PROGRAM, 2, BASE + 4, 8, 0 },
		{ "x32 address 2", FLASH_PROGRAM, 3, BASE + 2, 4, -EINVAL },
		{ "x32 length 6", FLASH_PROGRAM, 3, BASE, 6, -EINVAL },
		{ "x32 words", FLASH_PROGRAM, 3, BASE + 8, 12, 0 },
		{ "x64 length 1", FLASH_PROGRAM, 4, BASE, 1, -EINVAL },
		{ "x32 OTP odd", FLASH_PROGRAM_OTP, 3, OTP + 1, 4, -EINVAL },
		{ "erase is never misaligned", FLASH_ERASE_SECTOR, 3, BASE + 1, 0, 0 },
	};
	static const uint8_t data[16];
	struct flash *f;
	uint64_t us, generation;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		set_feature(f, cases[i].feature);
		generation = flash_generation(f);
		rc = flash_begin(f, cases[i].op, cases[i].address, data, cases[i].length, &us);
		if (rc != cases[i].want)
			fail_msg("%s: %d", cases[i].name, rc);
		assert_int_equal(flash_is_busy(f), rc == 0);
		assert_int_equal(flash_generation(f), generation);
		flash_free(f); /* with an operation in hand, too */
	}
}

static void a_profile_may_refuse_odd_lengths_at_x8(void **state) /* U8 */
{
	struct mcu_profile profile = *mcu_profile_find("f407");
	struct prng prng = { 1 };
	struct flash *f;
	uint64_t us;

	(void)state;
	profile.odd_length_ok = false;
	f = flash_new(&profile, &prng);
	assert_int_equal(flash_begin(f, FLASH_PROGRAM, BASE, (const uint8_t *)"abc", 3, &us), -EINVAL);
	flash_free(f);
}

static void reading_outside_is_refused(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t data[8];

	(void)state;
	assert_int_equal(flash_read(f, 0x080FFFF8, data, 8), 0);
	assert_int_equal(flash_read(f, 0x080FFFF9, data, 8), -EFAULT);
	assert_int_equal(flash_read(f, BASE - 1, data, 1), -EFAULT);
	assert_int_equal(flash_read_otp(f, OTP + 520, data, 8), 0);
	assert_int_equal(flash_read_otp(f, OTP + 521, data, 8), -EFAULT);
	assert_int_equal(flash_load(f, 1024 * KIB, data, 0), 0);
	assert_int_equal(flash_load(f, 1024 * KIB - 7, data, 8), -EFAULT);
	assert_int_equal(flash_load(f, SIZE_MAX, data, 8), -EFAULT);
	flash_free(f);
}

static void boards_with_one_image_are_independent(void **state)
{
	struct flash *a = new_flash(1), *b = new_flash(2);
	uint8_t zero = 0;

	(void)state;
	fill(a, 0x5A);
	assert_int_equal(flash_share(b, a), 0);
	assert_int_equal(count_value(b, BASE, 1024 * KIB, 0x5A), 1024 * KIB);
	assert_int_equal(flash_load(b, 16, &zero, 1), 0);
	assert_int_equal(byte_at(a, BASE + 16), 0x5A);
	assert_int_equal(byte_at(b, BASE + 16), 0);
	flash_free(a);
	assert_int_equal(count_value(b, BASE, 1024 * KIB, 0x5A), 1024 * KIB - 1);
	flash_free(b);
}

static void the_feature_word_takes_only_documented_values(void **state) /* FEAT-1 to FEAT-3, ERR-12 */
{
	static const struct {
		uint8_t give[5];
		size_t length;
		int want;
	} cases[] = {
		{ { 0x00 }, 1, 0 },
		{ { 0x04 }, 1, 0 },
		{ { 0x05 }, 1, -EINVAL },
		{ { 0x07 }, 1, -EINVAL },
		{ { 0xFF }, 1, -EINVAL },
		{ { 0x03, 0xFF, 0xFF, 0xFF }, 4, 0 },
		{ { 0x02, 0xFF }, 2, 0 },
		{ { 0x02, 0x00 }, 2, -EINVAL },
		{ { 0x02, 0xFF, 0xFF, 0xFE }, 4, -EINVAL },
		{ { 0x02 }, 0, -EINVAL },
		{ { 0x02, 0xFF, 0xFF, 0xFF, 0xFF }, 5, -EINVAL },
	};
	struct flash *f = new_flash(1);
	uint8_t got[4], want[4] = { 0x01, 0xFF, 0xFF, 0xFF };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		set_feature(f, 1);
		assert_int_equal(flash_set_feature(f, cases[i].give, cases[i].length), cases[i].want);
		want[0] = cases[i].want ? 1 : cases[i].give[0];
		flash_get_feature(f, got);
		assert_memory_equal(got, want, 4);
	}
	set_feature(f, 3);
	flash_reset(f); /* FEAT-2 */
	flash_get_feature(f, got);
	assert_int_equal(got[0], 0);
	set_feature(f, 3);
	flash_reset(f);
	flash_get_feature(f, got);
	assert_int_equal(got[0], 0);
	flash_free(f);
}

/* Write protection */

static void a_protected_sector_ignores_program_and_erase_at_no_cost(void **state) /* FL-7, ERR-8 */
{
	static const uint8_t zero[16];
	struct flash *f = new_flash(1);
	uint64_t generation;

	(void)state;
	fill(f, 0x5A);
	set_options(f, 0xAA, 0x7FFF & ~(1u << 1));
	assert_true(flash_sector_protected(f, 1));
	assert_false(flash_sector_protected(f, 0));
	generation = flash_generation(f);
	assert_int_equal(do_program(f, BASE + 0x4000, zero, 16), 0);
	assert_int_equal(run(f, FLASH_ERASE_SECTOR, BASE + 0x4000, NULL, 0, WHOLE_US), 0);
	assert_int_equal(run(f, FLASH_ERASE_SECTOR, BASE + 0x4000, NULL, 0, 0), 0); /* nothing to cut */
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0x5A), 1024 * KIB);
	assert_int_equal(flash_erase_count(f, 1), 0);
	assert_int_equal(flash_generation(f), generation);
	flash_free(f);
}

static void a_program_range_is_done_only_outside_protected_sectors(void **state) /* FL-7 */
{
	static const struct {
		const char *name;
		unsigned protect; /* sectors 0..2 by bit */
		uint64_t want_us;
	} cases[] = {
		{ "none", 0, 0x4010 * 16 }, { "first", 1, 0x4008 * 16 },          { "middle", 2, 16 * 16 },
		{ "last", 4, 0x4008 * 16 }, { "first and last", 5, 0x4000 * 16 }, { "all", 7, 0 },
	};
	static const uint8_t zero[0x4010];
	struct flash *f;
	uint64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		set_options(f, 0xAA, (uint16_t)(0x7FFF & ~cases[i].protect));
		us = do_program(f, BASE + 0x3FF8, zero, sizeof(zero)); /* the whole of sector 1, 8 bytes either side */
		if (us != cases[i].want_us)
			fail_msg("%s: %llu us", cases[i].name, (unsigned long long)us);
		assert_int_equal(count_value(f, BASE, 0x4000, 0), cases[i].protect & 1 ? 0 : 8);
		assert_int_equal(count_value(f, BASE + 0x4000, 0x4000, 0), cases[i].protect & 2 ? 0 : 0x4000);
		assert_int_equal(count_value(f, BASE + 0x8000, 0x4000, 0), cases[i].protect & 4 ? 0 : 8);
		flash_free(f);
	}
}

static void mass_erase_does_nothing_if_any_sector_is_protected(void **state) /* FL-8 */
{
	struct flash *f = new_flash(1);
	unsigned i;

	(void)state;
	fill(f, 0x5A);
	set_options(f, 0xAA, 0x7FFF & ~(1u << 11));
	assert_int_equal(run(f, FLASH_MASS_ERASE, 0, NULL, 0, WHOLE_US), 0);
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0x5A), 1024 * KIB);
	for (i = 0; i < flash_sector_count(f); i++)
		assert_int_equal(flash_erase_count(f, i), 0);
	flash_free(f);
}

/* OTP */

static void otp_bytes_only_lose_bits(void **state) /* OTP-1 */
{
	static const uint8_t first[2] = { 0xF0, 0x0F }, second[2] = { 0x3C, 0xFF };
	struct flash *f = new_flash(1);

	(void)state;
	run(f, FLASH_PROGRAM_OTP, OTP + 31, first, 2, WHOLE_US); /* over a block's edge */
	run(f, FLASH_PROGRAM_OTP, OTP + 31, second, 2, WHOLE_US);
	assert_int_equal(otp_at(f, OTP + 31), 0x30);
	assert_int_equal(otp_at(f, OTP + 32), 0x0F);
	run(f, FLASH_MASS_ERASE, 0, NULL, 0, WHOLE_US);
	assert_int_equal(otp_at(f, OTP + 31), 0x30);
	flash_free(f);
}

static void a_lock_byte_of_zero_locks_its_block(void **state) /* OTP-2 */
{
	static const struct {
		uint8_t lock;
		uint8_t want; /* of a byte of the block after writing 00 */
	} cases[] = { { 0xFF, 0x00 }, { 0x0F, 0x00 }, { 0x01, 0x00 }, { 0x00, 0xFF } };
	static const uint8_t zero[96];
	struct flash *f;
	uint64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		run(f, FLASH_PROGRAM_OTP, OTP_LOCKS + 1, &cases[i].lock, 1, WHOLE_US);
		assert_int_equal(otp_at(f, OTP_LOCKS + 1), cases[i].lock);
		us = run(f, FLASH_PROGRAM_OTP, OTP, zero, sizeof(zero), WHOLE_US); /* blocks 0 to 2 */
		assert_int_equal(us, (cases[i].lock ? 96 : 64) * 16);
		assert_int_equal(otp_at(f, OTP + 31), 0x00);
		assert_int_equal(otp_at(f, OTP + 32), cases[i].want);
		assert_int_equal(otp_at(f, OTP + 63), cases[i].want);
		assert_int_equal(otp_at(f, OTP + 64), 0x00);
		flash_free(f);
	}
}

static void one_write_may_fill_the_last_block_and_lock_it(void **state) /* MAP-7: data first, locks after */
{
	uint8_t data[32 + 16];
	struct flash *f = new_flash(1);

	(void)state;
	memset(data, 0x11, 32);
	memset(data + 32, 0xFF, 16);
	data[32 + 15] = 0x00;
	run(f, FLASH_PROGRAM_OTP, OTP + 480, data, sizeof(data), WHOLE_US);
	assert_int_equal(otp_at(f, OTP + 480), 0x11);
	assert_int_equal(otp_at(f, OTP + 511), 0x11);
	assert_int_equal(otp_at(f, OTP_LOCKS + 14), 0xFF);
	assert_int_equal(otp_at(f, OTP_LOCKS + 15), 0x00);
	memset(data, 0x00, 32);
	assert_int_equal(run(f, FLASH_PROGRAM_OTP, OTP + 480, data, 32, WHOLE_US), 0);
	assert_int_equal(otp_at(f, OTP + 480), 0x11);
	flash_free(f);
}

static void otp_can_be_saved_and_restored_whole(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t give[528], got[528];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(give); i++)
		give[i] = (uint8_t)(i * 7);
	flash_set_otp(f, give, sizeof(give));
	flash_get_otp(f, got, sizeof(got));
	assert_memory_equal(got, give, sizeof(give));
	flash_free(f);
}

/* Option bytes and readout protection */

static void option_bytes_take_effect_at_the_next_reset(void **state) /* OB-7, RDP-1 */
{
	static const struct {
		const char *name;
		uint8_t rdp;
		uint16_t nwrp;
		enum rdp_level want;
		unsigned protected_sector; /* or 99 */
	} cases[] = {
		{ "factory", 0xAA, 0x7FFF, RDP_LEVEL_0, 99 },
		{ "the F40x way of the upper bits", 0xAA, 0x0FFF, RDP_LEVEL_0, 99 }, /* U13 */
		{ "level 1 by 55", 0x55, 0x7FFF, RDP_LEVEL_1, 99 },
		{ "level 1 by 00", 0x00, 0x7FFF, RDP_LEVEL_1, 99 },
		{ "level 1 by FF", 0xFF, 0x7FFF, RDP_LEVEL_1, 99 },
		{ "level 2", 0xCC, 0x7FFF, RDP_LEVEL_2, 99 },
		{ "sector 0", 0xAA, 0x7FFE, RDP_LEVEL_0, 0 },
		{ "sector 11", 0xAA, 0x77FF, RDP_LEVEL_0, 11 },
	};
	struct flash *f;
	uint8_t bytes[16];
	unsigned s;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		fill(f, 0x5A);
		make_options(bytes, cases[i].rdp, cases[i].nwrp);
		assert_true(run(f, FLASH_PROGRAM_OPTIONS, OPTIONS, bytes, 16, WHOLE_US) > 0);
		assert_options(f, bytes);
		assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
		assert_false(flash_sector_protected(f, 0));
		flash_reset(f);
		if (flash_rdp(f) != cases[i].want)
			fail_msg("%s: level %d", cases[i].name, (int)flash_rdp(f));
		for (s = 0; s < flash_sector_count(f); s++)
			assert_int_equal(flash_sector_protected(f, s), s == cases[i].protected_sector);
		assert_int_equal(count_value(f, BASE, 1024 * KIB, 0x5A), 1024 * KIB);
		flash_free(f);
	}
}

/* ASSUMED: no source, see flash.c */
static void cells_that_contradict_their_complements_load_as_level_1(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t bytes[16];
	unsigned i;

	(void)state;
	for (i = 0; i < 16; i++) {
		make_options(bytes, 0xAA, 0x7000); /* sound, all protected */
		bytes[i] ^= 0x01;
		flash_set_options(f, bytes);
		assert_options(f, bytes);
		assert_int_equal(flash_rdp(f), RDP_LEVEL_1);
		assert_false(flash_sector_protected(f, 0)); /* factory */
	}
	flash_free(f);
}

/* ASSUMED: no source, see flash.c */
static void the_chip_makes_the_complements_itself(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t give[16] = { 0xEF, 0xAA, 1, 2, 3, 4, 5, 6, 0xFE, 0x7F, 7, 8, 9, 10, 11, 12 }, want[16];

	(void)state;
	make_options(want, 0xAA, 0x7FFE);
	assert_true(run(f, FLASH_PROGRAM_OPTIONS, OPTIONS, give, 16, WHOLE_US) > 0);
	assert_options(f, want);
	flash_reset(f);
	assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
	assert_true(flash_sector_protected(f, 0));
	flash_free(f);
}

static void lowering_level_1_to_0_erases_flash(void **state)
{
	static const struct {
		const char *name;
		uint8_t from, to;
		uint16_t nwrp; /* of the old options */
		bool want_erased;
	} cases[] = {
		{ "1 to 0", 0x55, 0xAA, 0x7FFF, true },  { "1 to 0, write-protected", 0x55, 0xAA, 0x7FFE, true },
		{ "1 to 1", 0x55, 0x00, 0x7FFF, false }, { "1 to 2", 0x55, 0xCC, 0x7FFF, false },
		{ "0 to 0", 0xAA, 0xAA, 0x7FFE, false }, { "0 to 1", 0xAA, 0x55, 0x7FFF, false },
	};
	uint64_t us, write_us = mcu_profile_find("f407")->option_write_us;
	struct flash *f;
	uint8_t bytes[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		fill(f, 0x5A);
		set_options(f, cases[i].from, cases[i].nwrp);
		make_options(bytes, cases[i].to, 0x7FFF);
		us = run(f, FLASH_PROGRAM_OPTIONS, OPTIONS, bytes, 16, WHOLE_US);
		if (us != write_us + (cases[i].want_erased ? 16000000 : 0))
			fail_msg("%s: %llu us", cases[i].name, (unsigned long long)us);
		assert_int_equal(count_value(f, BASE, 1024 * KIB, cases[i].want_erased ? 0xFF : 0x5A), 1024 * KIB);
		assert_int_equal(flash_erase_count(f, 3), cases[i].want_erased);
		assert_options(f, bytes);
		flash_free(f);
	}
}

static void unprotect_erases_only_a_protected_part(void **state) /* RDP-4, RDP-8 */
{
	static const struct {
		uint8_t rdp;
		int want;
		bool want_erased;
	} cases[] = { { 0xAA, 0, false }, { 0x55, 0, true }, { 0xCC, -EPERM, false } };
	const struct mcu_profile *profile = mcu_profile_find("f407");
	struct flash *f;
	uint64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(1);
		fill(f, 0x5A);
		set_options(f, cases[i].rdp, 0x7FF0);
		assert_int_equal(flash_begin(f, FLASH_UNPROTECT, 0, NULL, 0, &us), cases[i].want);
		assert_int_equal(flash_is_busy(f), cases[i].want == 0);
		if (cases[i].want == 0) {
			assert_int_equal(us, profile->option_write_us + (cases[i].want_erased ? 16000000 : 0));
			flash_finish(f);
			assert_options(f, profile->option_factory);
			flash_reset(f);
			assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
			assert_false(flash_sector_protected(f, 0));
		}
		assert_int_equal(count_value(f, BASE, 1024 * KIB, cases[i].want_erased ? 0xFF : 0x5A), 1024 * KIB);
		flash_free(f);
	}
}

static void level_2_is_permanent(void **state) /* RDP-1 */
{
	struct flash *f = new_flash(1);
	uint8_t bytes[16];
	uint64_t us;

	(void)state;
	set_options(f, 0xCC, 0x7FFF);
	make_options(bytes, 0xAA, 0x7FFF);
	assert_int_equal(flash_begin(f, FLASH_PROGRAM_OPTIONS, OPTIONS, bytes, 16, &us), -EPERM);
	assert_int_equal(flash_begin(f, FLASH_UNPROTECT, 0, NULL, 0, &us), -EPERM);
	assert_false(flash_is_busy(f));
	flash_reset(f);
	assert_int_equal(flash_rdp(f), RDP_LEVEL_2);
	flash_free(f);
}

/* Cuts */

static void a_cut_program_stops_at_the_unit_in_hand(void **state) /* TM-1 */
{
	static const struct {
		const char *name;
		uint8_t feature;
		uint64_t cut_us;
		size_t done, in_hand;
	} cases[] = {
		{ "x8 at once", 0, 0, 0, 0 },
		{ "x8 in the first", 0, 1, 0, 1 },
		{ "x8 between two", 0, 160, 10, 0 },
		{ "x8 in the middle of one", 0, 168, 10, 1 },
		{ "x8 just before the end", 0, 1023, 63, 1 },
		{ "x8 at the end", 0, 1024, 64, 0 },
		{ "x8 later", 0, 99999, 64, 0 },
		{ "x16 in the middle of one", 1, 40, 4, 2 },
		{ "x32 in the middle of one", 3, 40, 8, 4 },
		{ "x32 between two", 3, 32, 8, 0 },
	};
	uint8_t data[64], got[64];
	struct flash *f;
	size_t i, n;

	(void)state;
	memset(data, 0x0F, sizeof(data));
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(i);
		set_feature(f, cases[i].feature);
		run(f, FLASH_PROGRAM, BASE + 64, data, sizeof(data), cases[i].cut_us);
		assert_int_equal(flash_read(f, BASE + 64, got, sizeof(got)), 0);
		for (n = 0; n < sizeof(got); n++) {
			if (n < cases[i].done                      ? got[n] != 0x0F
			    : n < cases[i].done + cases[i].in_hand ? (got[n] & 0x0F) != 0x0F
								   : got[n] != 0xFF)
				fail_msg("%s: byte %zu is %02X", cases[i].name, n, got[n]);
		}
		flash_free(f);
	}
}

static void a_cut_program_skips_protected_sectors_in_its_count(void **state)
{
	static const uint8_t zero[0x4010];
	struct flash *f = new_flash(1);

	(void)state;
	set_options(f, 0xAA, 0x7FFD); /* sector 1 */
	run(f, FLASH_PROGRAM, BASE + 0x3FF8, zero, sizeof(zero), 12 * 16);
	assert_int_equal(count_value(f, BASE + 0x3FF8, 8, 0), 8);
	assert_int_equal(count_value(f, BASE + 0x4000, 0x4000, 0xFF), 0x4000);
	assert_int_equal(count_value(f, BASE + 0x8000, 4, 0), 4);
	assert_int_equal(count_value(f, BASE + 0x8004, 4, 0xFF), 4);
	flash_free(f);
}

static void a_cut_otp_program_stops_at_the_byte_in_hand(void **state)
{
	static const uint8_t zero[8];
	struct flash *f = new_flash(1);

	(void)state;
	run(f, FLASH_PROGRAM_OTP, OTP, zero, 8, 5 * 16);
	assert_int_equal(otp_at(f, OTP + 4), 0x00);
	assert_int_equal(otp_at(f, OTP + 5), 0xFF);
	flash_free(f);
}

static unsigned ones(const struct flash *f, uint32_t address, size_t length)
{
	uint8_t *data = malloc(length);
	unsigned n = 0;
	size_t i;

	assert_int_equal(flash_read(f, address, data, length), 0);
	for (i = 0; i < length; i++)
		n += (unsigned)__builtin_popcount(data[i]);
	free(data);
	return n;
}

static void a_cut_sector_erase_gets_further_the_later_it_comes(void **state)
{
	static const struct {
		uint64_t cut_us;    /* of 400,000 */
		unsigned low, high; /* percent of bits set */
	} cases[] = {
		{ 0, 0, 0 },        { 100000, 23, 27 },  { 200000, 48, 52 },
		{ 300000, 73, 77 }, { 399999, 98, 100 }, { 400000, 100, 100 },
	};
	const unsigned bits = 16 * KIB * 8;
	struct flash *f;
	unsigned n;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(i);
		fill(f, 0x00);
		run(f, FLASH_ERASE_SECTOR, BASE + 0x4000, NULL, 0, cases[i].cut_us);
		n = ones(f, BASE + 0x4000, 16 * KIB);
		assert_in_range(n, (uint64_t)bits * cases[i].low / 100, (uint64_t)bits * cases[i].high / 100);
		assert_int_equal(ones(f, BASE, 16 * KIB), 0);
		assert_int_equal(ones(f, BASE + 0x8000, 16 * KIB), 0);
		assert_int_equal(flash_erase_count(f, 1), cases[i].cut_us > 0);
		flash_free(f);
	}
}

/* Finished sectors are FF, later ones untouched, and at most one lies in between. */
static void assert_erased_in_order(const struct flash *f, unsigned *finished)
{
	uint32_t address = BASE, start, size_bytes;
	unsigned untouched = 0, half = 0, i, n;

	*finished = 0;
	for (i = 0; i < flash_sector_count(f); i++, address += size_bytes) {
		assert_int_equal(flash_sector_at(f, address, &start, &size_bytes), i);
		n = ones(f, start, size_bytes);
		if (n == size_bytes * 8 && !half && !untouched)
			(*finished)++;
		else if (n == 0)
			untouched++;
		else
			half++;
		assert_int_equal(flash_erase_count(f, i), n > 0);
		assert_true(n == 0 || untouched == 0);
	}
	assert_in_range(half, 0, 1);
}

static void a_cut_mass_erase_has_done_the_first_sectors(void **state)
{
	static const struct {
		uint64_t cut_us; /* of 16 s; sectors of 16 KB take 0.38 s of it, 64 KB 1.14 s, 128 KB 1.90 s */
		unsigned want;
	} cases[] = { { 0, 0 },       { 300000, 0 },    { 1000000, 2 },  { 2000000, 4 },
		      { 8000000, 7 }, { 15900000, 11 }, { 16000000, 12 } };
	struct flash *f;
	unsigned finished;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(i);
		fill(f, 0x00);
		run(f, FLASH_MASS_ERASE, 0, NULL, 0, cases[i].cut_us);
		assert_erased_in_order(f, &finished);
		assert_int_equal(finished, cases[i].want);
		flash_free(f);
	}
}

static void a_cut_unprotect_leaves_level_1_and_part_of_the_flash(void **state) /* EV-27 */
{
	static const struct {
		const char *name;
		uint64_t cut_us; /* erase is over at 16 s */
		bool want_same_options;
	} cases[] = {
		{ "at once", 0, true },
		{ "in the erase", 5000000, true },
		{ "between erase and options", 16000000, true },
		{ "in the options", 16000001, false },
	};
	uint8_t old[16];
	struct flash *f;
	unsigned finished;
	size_t i;

	(void)state;
	make_options(old, 0x55, 0x7FFF);
	for (i = 0; i < COUNT(cases); i++) {
		f = new_flash(i);
		fill(f, 0x00);
		flash_set_options(f, old);
		run(f, FLASH_UNPROTECT, 0, NULL, 0, cases[i].cut_us);
		if (cases[i].want_same_options)
			assert_options(f, old);
		flash_reset(f);
		if (flash_rdp(f) != RDP_LEVEL_1)
			fail_msg("%s: level %d", cases[i].name, (int)flash_rdp(f));
		assert_erased_in_order(f, &finished);
		assert_int_equal(finished, cases[i].cut_us == 0 ? 0 : cases[i].cut_us < 16000000 ? 6 : 12);
		flash_free(f);
	}
}

static void a_cut_option_write_reads_as_factory_with_level_1(void **state)
{
	struct flash *f = new_flash(1);
	uint8_t bytes[16], want[16];

	(void)state;
	fill(f, 0x5A);
	make_options(bytes, 0xAA, 0x7000);
	run(f, FLASH_PROGRAM_OPTIONS, OPTIONS, bytes, 16, 1000);
	flash_reset(f);
	assert_int_equal(flash_rdp(f), RDP_LEVEL_1);
	assert_false(flash_sector_protected(f, 0));
	make_options(want, 0xFF, 0x7FFF);
	assert_options(f, want);
	assert_int_equal(count_value(f, BASE, 1024 * KIB, 0x5A), 1024 * KIB);
	flash_free(f);
}

static void the_same_seed_leaves_the_same_wreck(void **state)
{
	struct flash *a = new_flash(9), *b = new_flash(9), *c = new_flash(10);
	uint8_t got[3][4096];

	(void)state;
	fill(a, 0x00);
	fill(b, 0x00);
	fill(c, 0x00);
	run(a, FLASH_ERASE_SECTOR, BASE, NULL, 0, 123456);
	run(b, FLASH_ERASE_SECTOR, BASE, NULL, 0, 123456);
	run(c, FLASH_ERASE_SECTOR, BASE, NULL, 0, 123456);
	assert_int_equal(flash_read(a, BASE, got[0], sizeof(got[0])), 0);
	assert_int_equal(flash_read(b, BASE, got[1], sizeof(got[1])), 0);
	assert_int_equal(flash_read(c, BASE, got[2], sizeof(got[2])), 0);
	assert_memory_equal(got[0], got[1], sizeof(got[0]));
	assert_memory_not_equal(got[0], got[2], sizeof(got[0]));
	flash_free(a);
	flash_free(b);
	flash_free(c);
}

/* Bookkeeping */

static void the_generation_moves_only_with_contents(void **state)
{
	static const uint8_t blank[4] = { 0xFF, 0xFF, 0xFF, 0xFF }, zero[4];
	struct flash *f = new_flash(1);
	uint64_t last = flash_generation(f);

	(void)state;
	do_program(f, BASE, blank, 4);
	assert_int_equal(flash_generation(f), last);
	do_program(f, BASE, zero, 4);
	assert_true(flash_generation(f) != last);
	last = flash_generation(f);
	do_program(f, BASE, zero, 4);
	flash_reset(f);
	set_feature(f, 1);
	flash_set_options(f, mcu_profile_find("f407")->option_factory);
	assert_int_equal(flash_generation(f), last);
	run(f, FLASH_ERASE_SECTOR, BASE, NULL, 0, WHOLE_US);
	assert_true(flash_generation(f) != last);
	last = flash_generation(f);
	run(f, FLASH_PROGRAM_OTP, OTP, zero, 4, WHOLE_US);
	assert_true(flash_generation(f) != last);
	last = flash_generation(f);
	set_options(f, 0x55, 0x7FFF);
	assert_true(flash_generation(f) != last);
	last = flash_generation(f);
	flash_set_erase_count(f, 2, 77);
	assert_int_equal(flash_erase_count(f, 2), 77);
	assert_true(flash_generation(f) != last);
	flash_free(f);
}

/* The invariant, over random operations and cuts on a small part */

#define SMALL_BYTES (8 * KIB)

static const struct flash_sectors small_sectors[] = { { 2, 1 * KIB }, { 1, 2 * KIB }, { 1, 4 * KIB }, { 0, 0 } };
static const struct flash_timing small_timings[] = {
	{ 1, 16, 100, { { 1 * KIB, 400, 800 }, { 2 * KIB, 700, 1400 }, { 4 * KIB, 1000, 2000 } }, 2500, 5000 },
	{ 2, 16, 100, { { 1 * KIB, 300, 600 }, { 2 * KIB, 500, 1000 }, { 4 * KIB, 800, 1600 } }, 2000, 4000 },
	{ 4, 16, 100, { { 1 * KIB, 200, 400 }, { 2 * KIB, 400, 800 }, { 4 * KIB, 600, 1200 } }, 1500, 3000 },
};

struct image {
	uint8_t main[SMALL_BYTES], otp[528], options[16];
	uint32_t erases[4];
};

static void take_image(const struct flash *f, struct image *image)
{
	unsigned i;

	assert_int_equal(flash_read(f, BASE, image->main, SMALL_BYTES), 0);
	flash_get_otp(f, image->otp, sizeof(image->otp));
	flash_read_options(f, image->options);
	for (i = 0; i < 4; i++)
		image->erases[i] = flash_erase_count(f, i);
}

/* Old to new under data: no bit set, none cleared that data has set; all done if the operation was not cut. */
static void check_programmed(uint8_t old, uint8_t new, uint8_t data, bool whole)
{
	assert_int_equal(new & ~old, 0);
	assert_int_equal(old & data & ~new, 0);
	if (whole)
		assert_int_equal(new, old & data);
}

static void check_main(const struct flash *f, enum flash_op op, bool erases_all, size_t offset, const uint8_t *data,
		       size_t length, bool whole, const struct image *old, const struct image *new)
{
	uint32_t start, size_bytes;
	bool hit, erased;
	unsigned s;
	size_t i;

	for (i = 0; i < SMALL_BYTES; i++) {
		s = (unsigned)flash_sector_at(f, BASE + (uint32_t)i, &start, &size_bytes);
		hit = op == FLASH_PROGRAM && i >= offset && i - offset < length && !flash_sector_protected(f, s);
		erased = erases_all || (op == FLASH_ERASE_SECTOR && BASE + offset - start < size_bytes &&
					!flash_sector_protected(f, s));
		if (hit) {
			check_programmed(old->main[i], new->main[i], data[i - offset], whole);
		} else if (erased) {
			assert_int_equal(old->main[i] & ~new->main[i], 0);
			if (whole)
				assert_int_equal(new->main[i], 0xFF);
		} else {
			assert_int_equal(new->main[i], old->main[i]);
		}
	}
	if (whole && erases_all)
		for (s = 0; s < 4; s++)
			assert_int_equal(new->erases[s], old->erases[s] + 1);
}

static void check_otp(enum flash_op op, size_t offset, const uint8_t *data, size_t length, bool whole,
		      const struct image *old, const struct image *new)
{
	bool hit;
	size_t i;

	for (i = 0; i < sizeof(old->otp); i++) {
		hit = op == FLASH_PROGRAM_OTP && i >= offset && i - offset < length &&
		      (i >= 512 || old->otp[512 + i / 32] != 0);
		if (hit)
			check_programmed(old->otp[i], new->otp[i], data[i - offset], whole);
		else
			assert_int_equal(new->otp[i], old->otp[i]);
	}
}

static void bits_fall_only_outside_an_erase_and_rise_only_in_one(void **state)
{
	static const uint8_t rdp_bytes[] = { 0xAA, 0xAA, 0xAA, 0x55 };
	static uint8_t data[3000];
	static struct image old, new;
	struct mcu_profile profile = *mcu_profile_find("f407");
	struct prng prng = { 2024 };
	uint64_t us, cut_us, generation;
	bool whole, erases_all, any_protected;
	size_t offset = 0, length, i;
	enum rdp_level level;
	struct flash *f;
	uint8_t bytes[16];
	enum flash_op op;
	unsigned step, s;
	int rc;

	(void)state;
	profile.flash_size_bytes = SMALL_BYTES;
	profile.sectors = small_sectors;
	profile.timings = small_timings;
	profile.option_write_us = 300;
	f = flash_new(&profile, &prng);
	for (step = 0; step < 3000; step++) {
		if (prng_next(&prng) % 4 == 0) {
			make_options(bytes, rdp_bytes[prng_next(&prng) % 4],
				     (uint16_t)(0x7FF0 | prng_next(&prng) % 16 | (prng_next(&prng) & 0xF)));
			flash_set_options(f, bytes);
		}
		if (prng_next(&prng) % 64 == 0) {
			memset(new.otp, 0xFF, sizeof(new.otp)); /* else it soon is all zero */
			flash_set_otp(f, new.otp, sizeof(new.otp));
		}
		set_feature(f, (uint8_t)(prng_next(&prng) % 5));
		flash_set_durations(f, (enum flash_durations)(prng_next(&prng) % 3));
		level = flash_rdp(f);
		any_protected = false;
		for (s = 0; s < 4; s++)
			any_protected |= flash_sector_protected(f, s);
		op = prng_next(&prng) % 2 ? FLASH_PROGRAM : (enum flash_op)(prng_next(&prng) % 6);
		offset = prng_between(&prng, 0, op == FLASH_PROGRAM_OTP ? 527 : SMALL_BYTES - 1);
		length = prng_between(&prng, 0, op == FLASH_PROGRAM_OTP ? 70 : sizeof(data));
		for (i = 0; i < length; i++)
			data[i] = (uint8_t)(prng_next(&prng) | prng_next(&prng));
		if (op == FLASH_PROGRAM_OPTIONS) {
			offset = 0;
			length = 16;
			make_options(data, rdp_bytes[prng_next(&prng) % 4], 0x7FFF);
		}
		erases_all = (op == FLASH_MASS_ERASE && !any_protected) ||
			     (op == FLASH_UNPROTECT && level == RDP_LEVEL_1) ||
			     (op == FLASH_PROGRAM_OPTIONS && level == RDP_LEVEL_1 && data[1] == 0xAA);

		take_image(f, &old);
		generation = flash_generation(f);
		rc = flash_begin(f, op,
				 (uint32_t)(offset + (op == FLASH_PROGRAM_OTP       ? OTP
						      : op == FLASH_PROGRAM_OPTIONS ? OPTIONS
										    : BASE)),
				 data, length, &us);
		if (rc != 0) {
			take_image(f, &new);
			assert_memory_equal(&old, &new, sizeof(old));
			continue;
		}
		whole = prng_next(&prng) % 2;
		if (whole) {
			flash_finish(f);
		} else {
			cut_us = prng_between(&prng, 0, us);
			flash_cut(f, cut_us);
			whole = cut_us == us;
		}
		take_image(f, &new);
		check_main(f, op, erases_all, offset, data, length, whole, &old, &new);
		check_otp(op, offset, data, length, whole, &old, &new);
		if (op != FLASH_PROGRAM_OPTIONS && op != FLASH_UNPROTECT)
			assert_memory_equal(old.options, new.options, 16);
		if (memcmp(&old, &new, sizeof(old)) != 0)
			assert_true(flash_generation(f) != generation);
		if (prng_next(&prng) % 2)
			flash_reset(f);
	}
	flash_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_flash_is_erased_with_factory_options_and_blank_otp),
		cmocka_unit_test(addresses_belong_to_the_documented_sectors),
		cmocka_unit_test(a_thousand_boards_at_rest_fit_in_memory),
		cmocka_unit_test(programming_only_clears_bits),
		cmocka_unit_test(nothing_changes_before_the_operation_ends),
		cmocka_unit_test(odd_lengths_and_addresses_are_programmed_exactly_at_x8),
		cmocka_unit_test(erase_sets_the_sector_that_holds_the_address),
		cmocka_unit_test(mass_erase_sets_everything_and_counts_for_each_sector),
		cmocka_unit_test(operations_last_as_long_as_the_datasheet_says),
		cmocka_unit_test(random_durations_follow_the_seed),
		cmocka_unit_test(operations_outside_their_memory_or_alignment_are_refused),
		cmocka_unit_test(a_profile_may_refuse_odd_lengths_at_x8),
		cmocka_unit_test(reading_outside_is_refused),
		cmocka_unit_test(boards_with_one_image_are_independent),
		cmocka_unit_test(the_feature_word_takes_only_documented_values),
		cmocka_unit_test(a_protected_sector_ignores_program_and_erase_at_no_cost),
		cmocka_unit_test(a_program_range_is_done_only_outside_protected_sectors),
		cmocka_unit_test(mass_erase_does_nothing_if_any_sector_is_protected),
		cmocka_unit_test(otp_bytes_only_lose_bits),
		cmocka_unit_test(a_lock_byte_of_zero_locks_its_block),
		cmocka_unit_test(one_write_may_fill_the_last_block_and_lock_it),
		cmocka_unit_test(otp_can_be_saved_and_restored_whole),
		cmocka_unit_test(option_bytes_take_effect_at_the_next_reset),
		cmocka_unit_test(cells_that_contradict_their_complements_load_as_level_1),
		cmocka_unit_test(the_chip_makes_the_complements_itself),
		cmocka_unit_test(lowering_level_1_to_0_erases_flash),
		cmocka_unit_test(unprotect_erases_only_a_protected_part),
		cmocka_unit_test(level_2_is_permanent),
		cmocka_unit_test(a_cut_program_stops_at_the_unit_in_hand),
		cmocka_unit_test(a_cut_program_skips_protected_sectors_in_its_count),
		cmocka_unit_test(a_cut_otp_program_stops_at_the_byte_in_hand),
		cmocka_unit_test(a_cut_sector_erase_gets_further_the_later_it_comes),
		cmocka_unit_test(a_cut_mass_erase_has_done_the_first_sectors),
		cmocka_unit_test(a_cut_unprotect_leaves_level_1_and_part_of_the_flash),
		cmocka_unit_test(a_cut_option_write_reads_as_factory_with_level_1),
		cmocka_unit_test(the_same_seed_leaves_the_same_wreck),
		cmocka_unit_test(the_generation_moves_only_with_contents),
		cmocka_unit_test(bits_fall_only_outside_an_erase_and_rise_only_in_one),
	};

	return cmocka_run_group_tests_name("flash", tests, NULL, NULL);
}
