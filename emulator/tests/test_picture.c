/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layout strings as sectors, requests as marks on them, and the sum of data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "crc32.h"
#include "picture.h"

#define F407 "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg"

static void sectors_are_found_by_address(void **state)
{
	static const struct {
		uint32_t address, number, base, size;
	} rows[] = {
		{ 0x08000000, 0, 0x08000000, 0x4000 },  { 0x08003fff, 0, 0x08000000, 0x4000 },
		{ 0x08004000, 1, 0x08004000, 0x4000 },  { 0x08010000, 4, 0x08010000, 0x10000 },
		{ 0x08020000, 5, 0x08020000, 0x20000 }, { 0x080fffff, 11, 0x080e0000, 0x20000 },
		{ 0x1fffc00f, 0, 0x1fffc000, 0x10 },
	};
	struct layout l = { .span_count = 0 };
	struct layout_sector s;

	(void)state;
	assert_true(layout_add(&l, F407));
	assert_true(layout_add(&l, "@Option Bytes  /0x1FFFC000/01*016 e"));
	assert_false(layout_add(&l, F407));
	assert_string_equal(l.memories[0], "Internal Flash");
	assert_string_equal(l.memories[1], "Option Bytes");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(layout_sector_at(&l, rows[i].address, &s));
		assert_int_equal(s.number, rows[i].number);
		assert_int_equal(s.base, rows[i].base);
		assert_int_equal(s.size_bytes, rows[i].size);
	}
	assert_false(layout_sector_at(&l, 0x08100000, &s));
	assert_false(layout_sector_at(&l, 0x07ffffff, &s));
	assert_true(layout_sector_at(&l, 0x1fffc000, &s));
	assert_false(s.span->erasable);
	assert_true(s.span->writable);
}

static void strings_that_are_no_layout_add_nothing(void **state)
{
	static const char *const rows[] = {
		"",
		"STM32 BOOTLOADER",
		"@",
		"@Flash",
		"@Flash /",
		"@Flash /0x08000000",
		"@Flash /0x08000000/",
		"@Flash /0x08000000/4",
		"@Flash /0x08000000/0*16Kg",
		"@Flash /0x08000000/4*0Kg",
		"@Flash /0x08000000/-4*16Kg",
		"@Flash /0xFFFFFFF0/1*32 g",
		"@Flash /0x08000000/99999999*16Kg",
		"@Flash /0x08000000/1*99999999999999999999Kg",
		"@Flash /zzz/04*016Kg",
	};
	struct layout l = { .span_count = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(layout_add(&l, rows[i]));
		assert_int_equal(l.span_count, 0);
	}
	assert_true(layout_add(&l, "@Flash /0x00000000/1*1Ma/0x90000000/002*01Mg"));
	assert_int_equal(l.span_count, 2);
	assert_int_equal(l.spans[1].first, 1);
	assert_false(l.spans[0].writable);
}

static struct exchange command(enum dfuse_op op, uint32_t target, size_t length)
{
	return (struct exchange){ .op = op, .has_target = true, .target = target, .actual = length, .complete = true };
}

static struct exchange status(uint8_t state, uint32_t poll_ms, uint64_t end_us)
{
	return (struct exchange){ .op = OP_GETSTATUS,
				  .has_reply = true,
				  .complete = true,
				  .reply_state = state,
				  .poll_ms = poll_ms,
				  .end_us = end_us };
}

static void feed(struct picture *p, struct exchange x)
{
	picture_feed(p, &x);
}

static void a_command_counts_once_getstatus_says_that_it_went_well(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	assert_int_equal(picture_layout(&p, F407), 0);
	feed(&p, command(OP_ERASE, 0x08004000, 5));
	assert_int_equal(p.sectors_erased, 0);
	feed(&p, status(DFU_DNBUSY, 100, 1000));
	assert_int_equal(p.sectors_erased, 0);
	feed(&p, status(DFU_DNLOAD_IDLE, 0, 401000));
	assert_int_equal(p.sectors_erased, 1);
	assert_int_equal(p.marks[1].erased, 1);
	assert_int_equal(p.told_us, 100000);
	assert_int_equal(p.taken_us, 400000);
	feed(&p, command(OP_ERASE, 0x08000000, 5));
	feed(&p, status(DFU_DNBUSY, 100, 500000));
	feed(&p, status(DFU_ERROR, 0, 600000));
	assert_int_equal(p.marks[0].erased, 0);
	assert_int_equal(p.failed, 1);
	picture_free(&p);
}

static void what_is_written_over_an_edge_marks_both_sectors(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	assert_int_equal(picture_layout(&p, F407), 0);
	feed(&p, command(OP_WRITE, 0x08003c00, 2048));
	feed(&p, status(DFU_DNBUSY, 104, 1));
	feed(&p, status(DFU_DNLOAD_IDLE, 0, 2));
	assert_int_equal(p.marks[0].written, 1024);
	assert_int_equal(p.marks[1].written, 1024);
	assert_int_equal(p.lowest, 0x08003c00);
	assert_int_equal(p.highest, 0x080043ff);
	assert_int_equal(p.bytes_written, 2048);
	feed(&p, command(OP_READ, 0x080fff00, 2048));
	assert_int_equal(p.marks[11].read, 256); /* the rest is nobody's */
	picture_free(&p);
}

static void a_mass_erase_is_of_the_flash_alone(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	assert_int_equal(picture_layout(&p, F407), 0);
	assert_int_equal(picture_layout(&p, "@OTP Memory /0x1FFF7800/01*512 e"), 0);
	feed(&p, command(OP_MASS_ERASE, 0, 1));
	feed(&p, status(DFU_DNBUSY, 100, 1));
	feed(&p, status(DFU_DNLOAD_IDLE, 0, 2));
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(p.marks[i].erased, 1);
	assert_int_equal(p.marks[12].erased, 0);
	picture_free(&p);
}

static void a_command_that_was_taken_back_does_not_count(void **state)
{
	struct picture p;

	(void)state;
	picture_init(&p);
	feed(&p, command(OP_WRITE, 0x08000000, 16));
	feed(&p, command(OP_ABORT, 0, 0));
	feed(&p, status(DFU_IDLE, 0, 5));
	assert_int_equal(p.bytes_written, 0);
	picture_free(&p);
}

static void the_sum_is_that_of_zip(void **state)
{
	const uint8_t text[] = "123456789", *t = text;

	(void)state;
	assert_int_equal(crc32_add(0, t, 9), 0xcbf43926);
	assert_int_equal(crc32_add(crc32_add(0, t, 4), t + 4, 5), 0xcbf43926);
	assert_int_equal(crc32_add(0, t, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sectors_are_found_by_address),
		cmocka_unit_test(strings_that_are_no_layout_add_nothing),
		cmocka_unit_test(a_command_counts_once_getstatus_says_that_it_went_well),
		cmocka_unit_test(what_is_written_over_an_edge_marks_both_sectors),
		cmocka_unit_test(a_mass_erase_is_of_the_flash_alone),
		cmocka_unit_test(a_command_that_was_taken_back_does_not_count),
		cmocka_unit_test(the_sum_is_that_of_zip),
	};

	return cmocka_run_group_tests_name("picture", tests, NULL, NULL);
}
