/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a capture is a host tool's, what the flash held before, and orders and answers as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "import.h"
#include "replay_wire.h"
#include "scene.h"

static uint8_t block[2048];

static void configure(struct scene *s)
{
	scene_transfer(s, SETUP(0x00, 9, 1, 0, 0), NULL, 0, 0);
}

static void read_scene(struct scene *s, struct recording *r)
{
	char why[RECORDING_WHY] = "";

	capture_free(s->capture);
	s->capture = NULL;
	if (recording_read(r, s->bytes, s->length, NULL, why))
		fail_msg("%s", why);
}

static void end(struct scene *s, struct recording *r)
{
	recording_free(r);
	free(s->bytes);
}

static void expect_kinds(const struct recording *r, const enum recorded_kind *kinds, size_t count)
{
	assert_int_equal(r->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(r->items[i].kind, kinds[i]);
}
#define KINDS(r, ...) \
	expect_kinds((r), (const enum recorded_kind[]){ __VA_ARGS__ }, \
		     sizeof((enum recorded_kind[]){ __VA_ARGS__ }) / sizeof(enum recorded_kind))

static void the_enumeration_is_left_out(void **state)
{
	struct scene s;
	struct recording r;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, "326237753036");
	configure(&s);
	scene_transfer(&s, SETUP(0x01, 11, 0, 0, 0), NULL, 0, 0);
	scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	configure(&s);
	scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	read_scene(&s, &r);
	/* the second SET_CONFIGURATION is a program's */
	KINDS(&r, RECORDED_ARRIVAL, RECORDED_SET_INTERFACE, RECORDED_REQUEST, RECORDED_SET_CONFIGURATION,
	      RECORDED_REQUEST);
	assert_true(r.items[0].first);
	assert_string_equal(r.items[0].serial, "326237753036");
	assert_int_equal(r.items[0].vendor, 0x0483);
	assert_string_equal(r.profile->name, "f407-v3.1");
	assert_int_equal(r.boards, 1);
	assert_int_equal(r.sessions, 1);
	assert_int_equal(r.items[1].gap_us, 0);
	assert_int_equal(r.items[2].gap_us, 1000);
	end(&s, &r);
}

static void a_device_that_gets_its_address_again_was_reset(void **state)
{
	struct scene s;
	struct recording r;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	configure(&s);
	scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	scene_board(&s, 2, NULL);
	configure(&s);
	scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	read_scene(&s, &r);
	KINDS(&r, RECORDED_ARRIVAL, RECORDED_REQUEST, RECORDED_RESET, RECORDED_REQUEST);
	end(&s, &r);
}

static void who_comes_back_unasked_was_unplugged(void **state)
{
	struct scene s;
	struct recording r;

	(void)state;
	for (unsigned leave = 0; leave < 2; leave++) {
		scene_begin(&s);
		scene_board(&s, 2, "326237753036");
		configure(&s);
		scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
		if (leave)
			scene_out(&s, DFU_DNLOAD, 0, NULL, 0);
		scene_board(&s, 3, "326237753036");
		configure(&s);
		scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
		read_scene(&s, &r);
		assert_int_equal(r.count, leave ? 5 : 4);
		assert_int_equal(r.items[2 + leave].kind, RECORDED_ARRIVAL);
		assert_false(r.items[2 + leave].first);
		assert_int_equal(r.items[2 + leave].pulled, !leave);
		assert_int_equal(r.boards, 1);
		assert_int_equal(r.sessions, 2);
		end(&s, &r);
	}
}

static void nothing_to_send_is_an_error(void **state)
{
	struct scene s;
	struct recording r;
	char why[RECORDING_WHY] = "";

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	capture_free(s.capture);
	assert_int_equal(recording_read(&r, s.bytes, s.length, NULL, why), -ENODATA);
	assert_non_null(strstr(why, "no DFU request"));
	end(&s, &r);
}

static void upload(struct scene *s, unsigned block_number, const uint8_t *data, size_t length)
{
	scene_transfer(s, SETUP(0xa1, DFU_UPLOAD, block_number, 0, 2048), data, length, 0);
}

/* Block 2 is read, 3 is written and read, and the sector behind is erased and read. */
static void what_is_read_first_was_there(void **state)
{
	struct scene s;
	struct recording r;
	struct recorded_flash f;

	(void)state;
	memset(block, 0x5a, sizeof(block));
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	configure(&s);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	scene_set_address(&s, 0x08000000);
	scene_done(&s, 104);
	scene_out(&s, DFU_DNLOAD, 3, block, 2048);
	scene_done(&s, 104);
	scene_command(&s, DFUSE_ERASE, 0x08004000);
	scene_done(&s, 100);
	scene_set_address(&s, 0x08000000);
	scene_done(&s, 104);
	scene_out(&s, DFU_ABORT, 0, NULL, 0);
	block[0] = 0x01;
	upload(&s, 2, block, 2048);
	upload(&s, 3, block, 2048);
	upload(&s, 10, block, 2048); /* 0x08004000 */
	upload(&s, 11, block, 100);  /* 0x08004800, erased too */
	read_scene(&s, &r);
	assert_true(recording_flash(&r, 1, &f));
	assert_true(f.any && !f.locked && !f.options_known);
	assert_true(f.known[0] && f.known[2047]);
	assert_int_equal(f.bytes[0], 0x01);
	assert_int_equal(f.bytes[1], 0x5a);
	for (uint32_t i = 2048; i < r.profile->flash_size_bytes; i++)
		assert_false(f.known[i]);
	assert_int_equal(f.bytes[0x4000], 0xff);
	recorded_flash_free(&f);
	end(&s, &r);
}

static void a_refusal_means_read_protection(void **state)
{
	struct scene s;
	struct recording r;
	struct recorded_flash f;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	configure(&s);
	scene_stalled(&s, DFU_UPLOAD, 2, NULL, 2048);
	scene_getstatus(&s, DFU_ERR_VENDOR, DFU_ERROR, 0);
	read_scene(&s, &r);
	assert_true(recording_flash(&r, 1, &f));
	assert_true(f.locked && !f.any);
	recorded_flash_free(&f);
	end(&s, &r);
}

static void runs_join_what_adjoins(void **state)
{
	struct import_runs runs = { .count = 0 };

	(void)state;
	memset(block, 7, sizeof(block));
	assert_true(import_runs_add(&runs, 0x08000000, block, 2048));
	assert_true(import_runs_add(&runs, 0x08000800, block, 52));
	assert_true(import_runs_add(&runs, 0x08008000, block, 1));
	assert_int_equal(runs.count, 2);
	assert_int_equal(runs.list[0].length, 2100);
	assert_int_equal(runs.list[0].data[2099], 7);
	for (uint32_t i = 1; i < IMPORT_RUNS; i++)
		assert_true(import_runs_add(&runs, 0x08010000 + 16 * i, block, 1));
	assert_true(runs.overflow);
	import_runs_free(&runs);
}

static void orders_and_answers_survive_as_text(void **state)
{
	uint8_t bytes[3] = { 0x00, 0xff, 0x2d };
	struct replay_order orders[] = {
		{ .number = 0, .kind = RECORDED_ARRIVAL, .board = 1, .timeout_us = 5, .value = 0x0483, .index = 0xdf11, .first = true },
		{ .number = 1, .kind = RECORDED_ARRIVAL, .board = 2, .data = (uint8_t *)(char[]){ "326237753036" } },
		{ .number = 2, .kind = RECORDED_REQUEST, .board = 1, .polled = true, .gap_us = UINT64_C(1) << 40, .type = 0x21,
		  .request = 1, .value = 65535, .length = 3, .data = bytes },
		{ .number = 3, .kind = RECORDED_REQUEST, .board = 1, .type = 0xa1, .request = 3, .length = 6 },
	}, read;
	struct replay_answer answers[] = { { .number = 7, .end = HOST_STALL, .start_us = 1, .end_us = 2 },
					   { .number = 8, .end = HOST_OK, .actual = 3 } },
			     answer;
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	for (size_t i = 0; i < 4; i++)
		assert_true(replay_order_write(f, &orders[i]));
	rewind(f);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(replay_order_read(f, &read), 1);
		assert_int_equal(read.number, orders[i].number);
		assert_int_equal(read.kind, orders[i].kind);
		assert_int_equal(read.board, orders[i].board);
		assert_int_equal(read.polled, orders[i].polled);
		assert_int_equal(read.first, orders[i].first);
		assert_int_equal(read.gap_us, orders[i].gap_us);
		assert_int_equal(read.value, orders[i].value);
		assert_int_equal(read.index, orders[i].index);
		if (orders[i].data && i == 1)
			assert_string_equal((char *)read.data, (char *)orders[i].data);
		else if (orders[i].data)
			assert_memory_equal(read.data, orders[i].data, 3);
		else
			assert_null(read.data);
		free(read.data);
	}
	assert_int_equal(replay_order_read(f, &read), 0);
	fclose(f);

	f = tmpfile();
	assert_non_null(f);
	assert_true(replay_answer_write(f, &answers[0], NULL));
	assert_true(replay_answer_write(f, &answers[1], bytes));
	fputs("9 0 nonsense\n", f);
	rewind(f);
	assert_int_equal(replay_answer_read(f, &answer), 1);
	assert_int_equal(answer.end, HOST_STALL);
	assert_null(answer.data);
	assert_int_equal(replay_answer_read(f, &answer), 1);
	assert_memory_equal(answer.data, bytes, 3);
	free(answer.data);
	assert_int_equal(replay_answer_read(f, &answer), -EINVAL);
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_enumeration_is_left_out),
		cmocka_unit_test(a_device_that_gets_its_address_again_was_reset),
		cmocka_unit_test(who_comes_back_unasked_was_unplugged),
		cmocka_unit_test(nothing_to_send_is_an_error),
		cmocka_unit_test(what_is_read_first_was_there),
		cmocka_unit_test(a_refusal_means_read_protection),
		cmocka_unit_test(runs_join_what_adjoins),
		cmocka_unit_test(orders_and_answers_survive_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
