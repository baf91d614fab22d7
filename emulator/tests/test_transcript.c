/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading captures: transfers, devices, operations, addresses and states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "capture_reader.h"
#include "scene.h"

#define SERIAL "326237753036"
#define OTHER "208F3681554D"

static uint8_t block[2048];

/* Exchange that is number n, from 0, of those with DFU. */
static const struct exchange *dfu(const struct transcript *t, size_t n)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->exchanges[i].op != OP_NONE && !n--)
			return &t->exchanges[i];
	fail_msg("so many requests of DFU are not there");
	return NULL;
}

static void a_submission_meets_its_completion(void **state)
{
	struct scene s;
	const struct transcript *t;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_getstatus(&s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	t = scene_read(&s, NULL);
	assert_int_equal(t->count, 6);
	assert_int_equal(t->packets, 12);
	assert_int_equal(t->lost, 0);
	assert_null(t->damage);
	assert_int_equal(t->exchanges[5].packet, 11);
	assert_int_equal(t->exchanges[5].op, OP_GETSTATUS);
	assert_true(t->exchanges[5].complete);
	assert_int_equal(t->exchanges[5].end_us - t->exchanges[5].start_us, 1000);
	assert_true(t->exchanges[5].has_reply);
	assert_int_equal(t->exchanges[5].status, DFU_ERR_FIRMWARE);
	assert_int_equal(t->exchanges[5].before, DFU_STATE_UNKNOWN);
	assert_int_equal(t->exchanges[5].after, DFU_ERROR);
	scene_end(&s);
}

static void time_begins_with_the_first_packet_or_where_told(void **state)
{
	struct transcript_facts facts = transcript_facts_of(NULL);
	struct scene s;

	(void)state;
	scene_begin(&s);
	s.now_us = 5000;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(scene_read(&s, NULL)->exchanges[0].start_us, 0);
	assert_int_equal(s.transcript.origin_us, 1006000);
	facts.has_origin = true;
	facts.origin_us = 1000000;
	assert_int_equal(scene_read(&s, &facts)->exchanges[0].start_us, 6000);
	scene_end(&s);
}

static void commands_are_told_by_their_first_byte_and_length(void **state)
{
	static const struct {
		uint8_t bytes[6];
		size_t length;
		enum dfuse_op op;
	} cases[] = {
		{ { 0x21, 0, 0, 0, 8 }, 5, OP_SET_ADDRESS },
		{ { 0x41, 0, 0, 0, 8 }, 5, OP_ERASE },
		{ { 0x41 }, 1, OP_MASS_ERASE },
		{ { 0x92 }, 1, OP_UNPROTECT },
		{ { 0x21, 0, 0, 8 }, 4, OP_UNKNOWN_COMMAND },
		{ { 0x55 }, 1, OP_UNKNOWN_COMMAND },
		{ { 0 }, 0, OP_LEAVE },
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	const struct transcript *t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	for (size_t i = 0; i < count; i++)
		scene_out(&s, DFU_DNLOAD, 0, cases[i].bytes, cases[i].length);
	t = scene_read(&s, NULL);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(dfu(t, i)->op, cases[i].op);
	assert_int_equal(dfu(t, 0)->target, 0x08000000);
	assert_false(dfu(t, 2)->has_target);
	scene_end(&s);
}

static void blocks_count_from_the_pointer(void **state)
{
	const struct transcript *t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_start(&s); /* 0 to 2 */
	scene_set_address(&s, 0x08010000);
	scene_write_block(&s, 2, block, 2048);  /* 6 */
	scene_write_block(&s, 5, block, 100);   /* 9 */
	scene_erase(&s, 0x08020000);            /* 12: the pointer stays */
	scene_abort(&s);                        /* 15: and here */
	scene_upload(&s, 3, block, 2048);       /* 17 */
	scene_out(&s, DFU_DNLOAD, 1, block, 4); /* 18 */
	t = scene_read(&s, NULL);
	assert_int_equal(dfu(t, 6)->op, OP_WRITE);
	assert_int_equal(dfu(t, 6)->target, 0x08010000);
	assert_int_equal(dfu(t, 9)->target, 0x08010000 + 3 * 2048);
	assert_int_equal(dfu(t, 12)->op, OP_ERASE);
	assert_int_equal(dfu(t, 17)->op, OP_READ);
	assert_int_equal(dfu(t, 17)->target, 0x08010800);
	assert_int_equal(dfu(t, 18)->op, OP_WRITE);
	assert_false(dfu(t, 18)->has_target);
	scene_end(&s);
}

static void erase_moves_the_pointer_where_the_profile_says_so(void **state)
{
	struct transcript_facts facts = transcript_facts_of(NULL);
	struct scene s;

	(void)state;
	facts.erase_sets_pointer = true;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_erase(&s, 0x08020000);
	scene_write_block(&s, 2, block, 16);
	assert_int_equal(dfu(scene_read(&s, &facts), 3)->target, 0x08020000);
	scene_end(&s);
}

static void a_refused_address_leaves_the_pointer(void **state)
{
	const struct transcript *t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_start(&s);
	scene_set_address(&s, 0x08004000);
	scene_command(&s, DFUSE_SET_ADDRESS, 0); /* 6 */
	scene_getstatus(&s, DFU_OK, DFU_DNBUSY, 104);
	scene_getstatus(&s, DFU_ERR_TARGET, DFU_ERROR, 0);
	scene_out(&s, DFU_CLRSTATUS, 0, NULL, 0);
	scene_out(&s, DFU_DNLOAD, 2, block, 16); /* 10 */
	scene_getstatus(&s, DFU_OK, DFU_DNLOAD_IDLE, 0);
	scene_command(&s, DFUSE_SET_ADDRESS, 0); /* 12 */
	scene_abort(&s);
	scene_out(&s, DFU_DNLOAD, 0, NULL, 0); /* 15 */
	t = scene_read(&s, NULL);
	assert_int_equal(dfu(t, 10)->target, 0x08004000);
	assert_int_equal(dfu(t, 15)->op, OP_LEAVE);
	assert_int_equal(dfu(t, 15)->target, 0x08004000);
	scene_end(&s);
}

static void the_block_size_is_that_of_the_device(void **state)
{
	struct transcript_facts facts = transcript_facts_of(NULL);
	uint8_t configuration[54];
	struct scene s;

	(void)state;
	memcpy(configuration, mcu_profile_find("f407")->configuration_descriptor, sizeof(configuration));
	configuration[50] = 0x00;
	configuration[51] = 0x04; /* 1024 */
	scene_begin(&s);
	scene_descriptor(&s, 0x0200, configuration, sizeof(configuration));
	scene_upload(&s, 3, block, 1024);
	assert_int_equal(dfu(scene_read(&s, NULL), 0)->target, 0x08000400);
	assert_int_equal(s.transcript.transfer_size_bytes, 1024);
	facts.transfer_size_bytes = 4096;
	assert_int_equal(dfu(scene_read(&s, &facts), 0)->target, 0x08001000);
	scene_end(&s);
}

static void states_follow_what_was_acknowledged(void **state)
{
	struct transcript_facts rom = transcript_facts_of(mcu_profile_find("f407"));
	static const struct {
		uint8_t from;
		enum dfu_request request;
		unsigned value;
		size_t length, actual;
		uint8_t rom, any; /* state after it: with the ROM known, and not */
	} cases[] = {
		{ DFU_IDLE, DFU_DNLOAD, 2, 16, 16, DFU_DNLOAD_SYNC, DFU_DNLOAD_SYNC },
		{ DFU_DNLOAD_IDLE, DFU_DNLOAD, 0, 0, 0, DFU_MANIFEST_SYNC, DFU_MANIFEST_SYNC },
		{ DFU_IDLE, DFU_UPLOAD, 2, 16, 16, DFU_UPLOAD_IDLE, DFU_UPLOAD_IDLE },
		{ DFU_IDLE, DFU_UPLOAD, 0, 16, 4, DFU_IDLE, DFU_IDLE },
		{ DFU_ERROR, DFU_CLRSTATUS, 0, 0, 0, DFU_IDLE, DFU_IDLE },
		{ DFU_IDLE, DFU_CLRSTATUS, 0, 0, 0, DFU_ERROR, DFU_STATE_UNKNOWN },
		{ DFU_UPLOAD_IDLE, DFU_ABORT, 0, 0, 0, DFU_IDLE, DFU_IDLE },
		{ DFU_ERROR, DFU_ABORT, 0, 0, 0, DFU_ERROR, DFU_STATE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;

		scene_begin(&s);
		scene_board(&s, 2, SERIAL);
		scene_getstatus(&s, DFU_OK, (enum dfu_state)cases[i].from, 0);
		if (cases[i].request == DFU_UPLOAD)
			scene_transfer(&s, SETUP(0xa1, DFU_UPLOAD, cases[i].value, 0, cases[i].length), block,
				       cases[i].actual, 0);
		else
			scene_out(&s, cases[i].request, cases[i].value, block, cases[i].length);
		assert_int_equal(dfu(scene_read(&s, &rom), 1)->before, cases[i].from);
		assert_int_equal(dfu(&s.transcript, 1)->after, cases[i].rom);
		assert_int_equal(dfu(scene_read(&s, NULL), 1)->after, cases[i].any);
		scene_end(&s);
	}
}

static void a_stall_says_nothing_of_a_strict_device(void **state)
{
	struct transcript_facts rom = transcript_facts_of(mcu_profile_find("f407"));
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_getstatus(&s, DFU_OK, DFU_DNLOAD_IDLE, 0);
	scene_stalled(&s, DFU_UPLOAD, 2, NULL, 2048);
	assert_int_equal(dfu(scene_read(&s, &rom), 1)->after, DFU_DNLOAD_IDLE);
	assert_int_equal(dfu(&s.transcript, 1)->result, USB_STALL);
	assert_int_equal(dfu(scene_read(&s, NULL), 1)->after, DFU_STATE_UNKNOWN);
	scene_end(&s);
}

static void failures_have_their_names(void **state)
{
	static const struct {
		int32_t status;
		enum usb_result result;
	} cases[] = {
		{ USBMON_EPIPE, USB_STALL },
		{ USBMON_ENOENT, USB_CANCELLED },
		{ USBMON_ECONNRESET, USB_CANCELLED },
		{ USBMON_EPROTO, USB_SILENT },
		{ USBMON_ETIMEDOUT, USB_CANCELLED },
		{ USBMON_ESHUTDOWN, USB_GONE },
		{ -19, USB_GONE },
		{ -121, USB_ACK },
		{ -84, USB_SILENT },
	};
	const size_t count = sizeof(cases) / sizeof(cases[0]);
	const struct transcript *t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	for (size_t i = 0; i < count; i++)
		scene_transfer(&s, SETUP(0x21, DFU_ABORT, 0, 0, 0), NULL, 0, cases[i].status);
	s.never_answer = true;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	t = scene_read(&s, NULL);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(dfu(t, i)->result, cases[i].result);
	assert_false(dfu(t, count)->complete);
	assert_int_equal(dfu(t, count)->result, USB_SILENT);
	assert_int_equal(dfu(t, count)->after, DFU_STATE_UNKNOWN);
	scene_end(&s);
}

/* The board of the last transfer. */
static unsigned last_board(struct scene *s, const struct transcript_facts *facts)
{
	const struct transcript *t = scene_read(s, facts);

	return t->exchanges[t->count - 1].board;
}

static void boards_are_numbered_as_they_come_up(void **state)
{
	static const char *const serials[] = { OTHER, SERIAL, NULL };
	struct transcript_facts facts = transcript_facts_of(NULL);
	struct scene s;

	(void)state;
	facts.serials = serials;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	assert_int_equal(last_board(&s, NULL), 1);
	scene_board(&s, 3, OTHER);
	assert_int_equal(last_board(&s, NULL), 2);
	assert_int_equal(last_board(&s, &facts), 1);
	s.address = 2;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(last_board(&s, NULL), 1);
	assert_int_equal(last_board(&s, &facts), 2);
	scene_end(&s);
}

static void a_board_that_comes_back_keeps_its_number(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_board(&s, 3, OTHER);
	scene_board(&s, 4, SERIAL);
	assert_int_equal(last_board(&s, NULL), 1);
	assert_int_equal(s.transcript.exchanges[s.transcript.count - 1].incarnation, 3);
	scene_board(&s, 5, OTHER);
	assert_int_equal(last_board(&s, NULL), 2);
	scene_end(&s);
}

static void without_a_serial_number_the_only_board_is_meant(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	scene_board(&s, 3, NULL);
	assert_int_equal(last_board(&s, NULL), 1);
	/* Both at the same time cannot be one. */
	s.address = 2;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	s.address = 3;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(last_board(&s, NULL), 2);
	scene_end(&s);
}

static void one_serial_number_for_all_boards_does_not_make_them_one(void **state)
{
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, "FFFFFFFEFFFF");
	scene_board(&s, 3, "FFFFFFFEFFFF");
	s.address = 2;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	s.address = 3;
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(last_board(&s, NULL), 2);
	scene_end(&s);
}

static void an_address_given_anew_after_the_device_left_is_another_device(void **state)
{
	const struct transcript *t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	scene_set_address(&s, 0x08004000);
	scene_board(&s, 2, SERIAL); /* bus reset: the pointer stays, the state is to be asked for */
	scene_upload(&s, 2, block, 16);
	t = scene_read(&s, NULL);
	assert_int_equal(dfu(t, 4)->incarnation, 1);
	assert_int_equal(dfu(t, 4)->before, DFU_STATE_UNKNOWN);
	assert_int_equal(dfu(t, 4)->target, 0x08004000);
	scene_transfer(&s, SETUP(0xa1, DFU_GETSTATUS, 0, 0, 6), NULL, 0, USBMON_ESHUTDOWN);
	scene_board(&s, 2, SERIAL);
	scene_upload(&s, 2, block, 16);
	t = scene_read(&s, NULL);
	assert_int_equal(dfu(t, 6)->incarnation, 2);
	assert_int_equal(dfu(t, 6)->board, 1);
	assert_int_equal(dfu(t, 6)->target, 0x08000000);
	scene_end(&s);
}

static void requests_of_other_classes_are_no_dfu(void **state)
{
	static const uint8_t cdc[] = { 9, 2, 18, 0, 1, 1, 0, 0xc0, 50, 9, 4, 0, 0, 0, 2, 2, 1, 0 };
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_descriptor(&s, 0x0200, cdc, sizeof(cdc));
	scene_out(&s, 0, 0, NULL, 0); /* SEND_ENCAPSULATED_COMMAND */
	assert_int_equal(scene_read(&s, NULL)->exchanges[1].op, OP_NONE);
	assert_int_equal(s.transcript.exchanges[1].board, 0);
	scene_end(&s);
}

static void a_runtime_interface_has_detach_alone_and_no_number(void **state)
{
	static const uint8_t runtime[] = { 9, 2, 18, 0, 1, 1, 0, 0xc0, 50, 9, 4, 0, 0, 0, 0xfe, 1, 1, 0 };
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_descriptor(&s, 0x0200, runtime, sizeof(runtime));
	scene_out(&s, DFU_DETACH, 1000, NULL, 0);
	scene_board(&s, 3, SERIAL);
	assert_int_equal(last_board(&s, NULL), 1);
	assert_int_equal(s.transcript.exchanges[1].op, OP_DETACH);
	assert_int_equal(s.transcript.exchanges[1].board, 0);
	scene_end(&s);
}

static void plain_dfu_has_no_commands(void **state)
{
	uint8_t configuration[54];
	const struct transcript *t;
	struct scene s;

	(void)state;
	memcpy(configuration, mcu_profile_find("f407")->configuration_descriptor, sizeof(configuration));
	configuration[52] = 0x10; /* bcdDFUVersion 0x0110 */
	scene_begin(&s);
	scene_descriptor(&s, 0x0200, configuration, sizeof(configuration));
	scene_out(&s, DFU_DNLOAD, 0, "\x41", 1);
	scene_upload(&s, 0, block, 16);
	t = scene_read(&s, NULL);
	assert_int_equal(dfu(t, 0)->op, OP_WRITE);
	assert_int_equal(dfu(t, 1)->op, OP_READ);
	assert_false(dfu(t, 1)->has_target);
	scene_end(&s);
}

static void a_capture_that_begins_late_is_read_from_there(void **state)
{
	struct usbmon_header h = { .id = 999, .type = 'C', .transfer = USBMON_CONTROL, .device = 2, .bus = 1 };
	struct scene s;

	(void)state;
	scene_begin(&s);
	capture_packet(s.capture, 0, &h, NULL, 0);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(scene_read(&s, NULL)->count, 1);
	assert_int_equal(s.transcript.lost, 1);
	assert_int_equal(s.transcript.exchanges[0].op, OP_GETSTATUS);
	assert_int_equal(s.transcript.exchanges[0].board, 1);
	scene_end(&s);
}

static void a_cut_capture_is_read_up_to_the_cut(void **state)
{
	struct transcript t;
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, SERIAL);
	scene_getstatus(&s, DFU_OK, DFU_IDLE, 0);
	assert_int_equal(transcript_read(&t, s.bytes, s.length - 7, NULL), 0);
	assert_int_equal(t.count, 6);
	assert_false(t.exchanges[5].complete);
	assert_non_null(strstr(t.damage, "cut off"));
	transcript_free(&t);
	scene_end(&s);
}

static void what_is_no_capture_is_refused_with_the_reason(void **state)
{
	static const char text[] = "this is no capture at all, but a text";
	struct transcript t;

	(void)state;
	assert_int_equal(transcript_read(&t, (const uint8_t *)text, sizeof(text), NULL), -EINVAL);
	assert_non_null(t.damage);
	assert_int_equal(t.count, 0);
	transcript_free(&t);
	assert_int_equal(transcript_read(&t, NULL, 0, NULL), -EINVAL);
	assert_string_equal(t.damage, "the file is empty");
	transcript_free(&t);
}

static struct transcript_facts choose_small_blocks(void *context, const struct transcript *t)
{
	struct transcript_facts facts = transcript_facts_of(NULL);

	*(size_t *)context += t->count;
	for (size_t i = 1; i < t->count; i++)
		assert_true(t->exchanges[i - 1].number < t->exchanges[i].number);
	facts.transfer_size_bytes = 64;
	return facts;
}

static void facts_may_be_chosen_and_memory_be_limited(void **state)
{
	struct transcript_source source = { .choose = choose_small_blocks };
	struct transcript t;
	struct scene s;
	size_t seen = 0;

	(void)state;
	scene_begin(&s);
	for (unsigned i = 0; i < 100; i++)
		scene_out(&s, 1, 2, block, sizeof(block));
	source.context = &seen;
	source.reader = capture_reader_from_memory(s.bytes, s.length);
	assert_int_equal(transcript_read_from(&t, &source), 0);
	capture_reader_free(source.reader);
	assert_int_equal(t.count, 100);
	assert_int_equal(seen, 100);
	assert_memory_equal(t.exchanges[99].data, block, sizeof(block));
	transcript_free(&t);

	source.choose = NULL;
	source.most_bytes = 100 * sizeof(block); /* of the data, and nothing for what they belong to */
	source.reader = capture_reader_from_memory(s.bytes, s.length);
	assert_int_equal(transcript_read_from(&t, &source), -EFBIG);
	capture_reader_free(source.reader);
	transcript_free(&t);
	scene_end(&s);
}

static void the_older_header_is_read_too(void **state)
{
	uint8_t file[512];
	const struct pcapng_origin origin = { "", "", "", "usbmon1", 189 };
	struct usbmon_header h = { .id = 1,
				   .type = 'S',
				   .transfer = USBMON_CONTROL,
				   .endpoint = 0x80,
				   .device = 9,
				   .bus = 3,
				   .setup = { 0xa1, 3, 0, 0, 0, 0, 6, 0 },
				   .length = 6,
				   .flag_data = '<' };
	static const uint8_t reply[6] = { 0, 0, 0, 0, 2, 0 };
	uint8_t header[USBMON_HEADER_BYTES];
	struct transcript t;
	size_t n = pcapng_format_start(&origin, file, sizeof(file));

	(void)state;
	usbmon_encode(&h, header);
	n += pcapng_format_packet(1, header, 48, NULL, 0, 48, file + n, sizeof(file) - n);
	h.type = 'C';
	h.captured = 6;
	usbmon_encode(&h, header);
	n += pcapng_format_packet(5, header, 48, reply, 6, 54, file + n, sizeof(file) - n);
	assert_int_equal(transcript_read(&t, file, n, NULL), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.exchanges[0].device, 9);
	assert_int_equal(t.exchanges[0].after, DFU_IDLE);
	transcript_free(&t);
}

static void a_transfer_reads_as_a_line(void **state)
{
	const struct transcript *t;
	char text[200];
	struct scene s;

	(void)state;
	scene_begin(&s);
	scene_board(&s, 2, NULL);
	scene_set_address(&s, 0x08004000);
	scene_out(&s, DFU_DNLOAD, 3, block, 16);
	scene_stalled(&s, DFU_GETSTATUS, 0, NULL, 6);
	t = scene_read(&s, NULL);
	assert_string_equal(exchange_text(dfu(t, 0), text, sizeof(text)),
			    "#9 DFU_DNLOAD block 0, 5 bytes: SET_ADDRESS 0x08004000 -> ACK");
	assert_string_equal(exchange_text(dfu(t, 1), text, sizeof(text)),
			    "#11 DFU_GETSTATUS -> dfuDNBUSY, OK, poll 104 ms");
	assert_string_equal(exchange_text(dfu(t, 3), text, sizeof(text)),
			    "#15 DFU_DNLOAD block 3, 16 bytes: WRITE 0x08004800 -> ACK");
	assert_string_equal(exchange_text(dfu(t, 4), text, sizeof(text)), "#17 DFU_GETSTATUS -> STALL");
	assert_int_equal(strlen(exchange_text(dfu(t, 4), text, 5)), 4);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_submission_meets_its_completion),
		cmocka_unit_test(time_begins_with_the_first_packet_or_where_told),
		cmocka_unit_test(commands_are_told_by_their_first_byte_and_length),
		cmocka_unit_test(blocks_count_from_the_pointer),
		cmocka_unit_test(erase_moves_the_pointer_where_the_profile_says_so),
		cmocka_unit_test(a_refused_address_leaves_the_pointer),
		cmocka_unit_test(the_block_size_is_that_of_the_device),
		cmocka_unit_test(states_follow_what_was_acknowledged),
		cmocka_unit_test(a_stall_says_nothing_of_a_strict_device),
		cmocka_unit_test(failures_have_their_names),
		cmocka_unit_test(boards_are_numbered_as_they_come_up),
		cmocka_unit_test(a_board_that_comes_back_keeps_its_number),
		cmocka_unit_test(without_a_serial_number_the_only_board_is_meant),
		cmocka_unit_test(one_serial_number_for_all_boards_does_not_make_them_one),
		cmocka_unit_test(an_address_given_anew_after_the_device_left_is_another_device),
		cmocka_unit_test(requests_of_other_classes_are_no_dfu),
		cmocka_unit_test(a_runtime_interface_has_detach_alone_and_no_number),
		cmocka_unit_test(plain_dfu_has_no_commands),
		cmocka_unit_test(a_capture_that_begins_late_is_read_from_there),
		cmocka_unit_test(a_cut_capture_is_read_up_to_the_cut),
		cmocka_unit_test(what_is_no_capture_is_refused_with_the_reason),
		cmocka_unit_test(facts_may_be_chosen_and_memory_be_limited),
		cmocka_unit_test(the_older_header_is_read_too),
		cmocka_unit_test(a_transfer_reads_as_a_line),
	};

	return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}
