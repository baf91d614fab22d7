// SPDX-License-Identifier: GPL-2.0-or-later
/* Sparse memory against a flat array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mem.h"
#include "prng.h"

#define SIZE (3 * MEM_PAGE_BYTES + 100) /* the last page is short */

static void new_memory_reads_as_its_fill_byte(void **state)
{
	static uint8_t data[SIZE];
	struct mem *m = mem_new(SIZE, 0xA5);
	size_t i;

	(void)state;
	assert_int_equal(mem_size(m), SIZE);
	mem_read(m, 0, data, SIZE);
	for (i = 0; i < SIZE; i++)
		assert_int_equal(data[i], 0xA5);
	mem_free(m);
	mem_free(NULL);
}

static void reading_writing_and_filling_work_across_pages(void **state)
{
	static const struct {
		const char *name;
		size_t offset, length;
	} cases[] = {
		{ "nothing", 10, 0 },
		{ "nothing at the end", SIZE, 0 },
		{ "one byte", 0, 1 },
		{ "a whole page", MEM_PAGE_BYTES, MEM_PAGE_BYTES },
		{ "over one edge", MEM_PAGE_BYTES - 1, 2 },
		{ "over two edges", MEM_PAGE_BYTES - 1, MEM_PAGE_BYTES + 2 },
		{ "the short page", 3 * MEM_PAGE_BYTES, 100 },
		{ "everything", 0, SIZE },
	};
	static uint8_t written[SIZE], got[SIZE];
	struct mem *m;
	size_t i, n;

	(void)state;
	for (n = 0; n < SIZE; n++)
		written[n] = (uint8_t)(n * 31 % 251);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = mem_new(SIZE, 0xFF);
		assert_int_equal(mem_write(m, cases[i].offset, written, cases[i].length), 0);
		mem_read(m, cases[i].offset, got, cases[i].length);
		if (memcmp(got, written, cases[i].length) != 0)
			fail_msg("%s: reads back otherwise", cases[i].name);
		if (cases[i].offset > 0)
			assert_int_equal(mem_byte(m, cases[i].offset - 1), 0xFF);
		if (cases[i].offset + cases[i].length < SIZE)
			assert_int_equal(mem_byte(m, cases[i].offset + cases[i].length), 0xFF);
		mem_fill(m, cases[i].offset, cases[i].length);
		mem_read(m, 0, got, SIZE);
		for (n = 0; n < SIZE; n++)
			assert_int_equal(got[n], 0xFF);
		mem_free(m);
	}
}

static void reserving_changes_no_content(void **state)
{
	struct mem *m = mem_new(SIZE, 0xFF);
	uint8_t byte = 0x12;

	(void)state;
	assert_int_equal(mem_write(m, 5000, &byte, 1), 0);
	assert_int_equal(mem_reserve(m, 0, SIZE), 0);
	assert_int_equal(mem_byte(m, 5000), 0x12);
	assert_int_equal(mem_byte(m, 4999), 0xFF);
	assert_int_equal(mem_byte(m, 0), 0xFF);
	assert_int_equal(mem_byte(m, SIZE - 1), 0xFF);
	mem_free(m);
}

static void sparse_memory_agrees_with_a_flat_array_over_random_use(void **state)
{
	static uint8_t flat[SIZE], got[SIZE], data[SIZE];
	struct prng prng = { 3 };
	struct mem *m = mem_new(SIZE, 0xFF);
	size_t offset, length, i;
	unsigned step;

	(void)state;
	memset(flat, 0xFF, SIZE);
	for (step = 0; step < 2000; step++) {
		offset = prng_between(&prng, 0, SIZE);
		length = prng_between(&prng, 0, SIZE - offset);
		switch (prng_next(&prng) % 4) {
		case 0:
			mem_fill(m, offset, length);
			memset(flat + offset, 0xFF, length);
			break;
		case 1:
			assert_int_equal(mem_reserve(m, offset, length), 0);
			break;
		default:
			length %= 600;
			for (i = 0; i < length; i++)
				data[i] = step % 3 ? (uint8_t)prng_next(&prng) : 0xFF;
			assert_int_equal(mem_write(m, offset, data, length), 0);
			memcpy(flat + offset, data, length);
			break;
		}
		mem_read(m, 0, got, SIZE);
		assert_memory_equal(got, flat, SIZE);
	}
	mem_free(m);
}

static void copies_share_until_either_is_written(void **state)
{
	struct mem *m[3];
	static uint8_t flat[3][SIZE], data[SIZE], got[SIZE];
	struct prng prng = { .state = 11 };
	size_t i, step, which, from, offset, length;

	(void)state;
	for (i = 0; i < 3; i++) {
		m[i] = mem_new(SIZE, 0xFF);
		memset(flat[i], 0xFF, SIZE);
	}
	for (step = 0; step < 600; step++) {
		which = prng_between(&prng, 0, 2);
		offset = prng_between(&prng, 0, SIZE);
		length = prng_between(&prng, 0, SIZE - offset);
		switch (prng_between(&prng, 0, 3)) {
		case 0:
			assert_int_equal(mem_fill(m[which], offset, length), 0);
			memset(flat[which] + offset, 0xFF, length);
			break;
		case 1:
			assert_int_equal(mem_reserve(m[which], offset, length), 0);
			break;
		case 2:
			from = prng_between(&prng, 0, 2); /* itself too */
			mem_share(m[which], m[from]);
			memmove(flat[which], flat[from], SIZE);
			break;
		default:
			for (i = 0; i < length; i++)
				data[i] = step % 3 ? (uint8_t)prng_next(&prng) : 0xFF;
			assert_int_equal(mem_write(m[which], offset, data, length), 0);
			memcpy(flat[which] + offset, data, length);
			break;
		}
		for (i = 0; i < 3; i++) {
			mem_read(m[i], 0, got, SIZE);
			assert_memory_equal(got, flat[i], SIZE);
		}
	}
	for (i = 0; i < 3; i++)
		mem_free(m[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_reads_as_its_fill_byte),
		cmocka_unit_test(reading_writing_and_filling_work_across_pages),
		cmocka_unit_test(reserving_changes_no_content),
		cmocka_unit_test(copies_share_until_either_is_written),
		cmocka_unit_test(sparse_memory_agrees_with_a_flat_array_over_random_use),
	};

	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
