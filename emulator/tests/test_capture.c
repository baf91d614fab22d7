/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures: usbmon headers, pcapng blocks, files, and names for people. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include "capture.h"
#include "dfuse_names.h"
#include "pcapng.h"

struct memory {
	uint8_t bytes[700000];
	size_t length, room, writes;
	int error; /* of the write that does not fit in room */
};

static int memory_write(void *context, const void *bytes, size_t length)
{
	struct memory *m = context;

	m->writes++;
	if (length > m->room - m->length)
		return m->error;
	memcpy(m->bytes + m->length, bytes, length);
	m->length += length;
	return 0;
}

static struct memory memory;

static struct capture_sink sink_new(size_t room)
{
	memory.length = memory.writes = 0;
	memory.room = room;
	memory.error = -ENOSPC;
	return (struct capture_sink){ memory_write, &memory };
}

static void usbmon_header_is_laid_out_as_linux_does(void **state)
{
	static const struct usbmon_header give = {
		.id = 0x1122334455667788,
		.type = 'S',
		.transfer = USBMON_CONTROL,
		.endpoint = 0x80,
		.device = 5,
		.bus = 0x0102,
		.flag_data = '<',
		.seconds = 0x60000000,
		.microseconds = 999999,
		.status = USBMON_EINPROGRESS,
		.length = 18,
		.captured = 0,
		.setup = { 0x80, 6, 0, 1, 0, 0, 18, 0 },
		.transfer_flags = 0x200,
	};
	static const uint8_t want[64] = {
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 'S',  2,    0x80, 5, 0x02, 0x01, 0,    '<',
		0,    0,    0,    0x60, 0,    0,    0,    0,    0x3f, 0x42, 0x0f, 0, 0x8d, 0xff, 0xff, 0xff,
		18,   0,    0,    0,    0,    0,    0,    0,    0x80, 6,    0,    1, 0,    0,    18,   0,
		0,    0,    0,    0,    0,    0,    0,    0,    0,    2,    0,    0, 0,    0,    0,    0,
	};
	struct usbmon_header back;
	uint8_t got[65], big[64];

	(void)state;
	usbmon_encode(&give, got);
	assert_memory_equal(got, want, 64);
	assert_int_equal(usbmon_decode(got, 64, false, &back), 0);
	assert_memory_equal(&back, &give, sizeof(give));
	assert_int_equal(usbmon_decode(got, 63, false, &back), -EINVAL);
	got[36] = 1; /* one byte announced */
	assert_int_equal(usbmon_decode(got, 64, false, &back), -EINVAL);
	assert_int_equal(usbmon_decode(got, 65, false, &back), 0);

	memset(big, 0, sizeof(big));
	big[13] = 3;
	big[28] = big[29] = big[30] = 0xff;
	big[31] = 0xe0;
	big[35] = 9;
	assert_int_equal(usbmon_decode(big, 64, true, &back), 0);
	assert_int_equal(back.bus, 3);
	assert_int_equal(back.status, USBMON_EPIPE);
	assert_int_equal(back.length, 9);
}

static void a_capture_reads_back_as_written(void **state)
{
	struct capture_sink sink = sink_new(sizeof(memory.bytes));
	struct usbmon_header h = { .id = 1, .type = 'C', .transfer = USBMON_BULK, .endpoint = 0x81 }, back;
	struct capture *c = capture_new(&sink, UINT64_C(1700000000000000), NULL, NULL);
	static uint8_t data[CAPTURE_DATA_BYTES + 10];
	const char *label = "dfuemu " DFUBENCH_VERSION " (emulated board)";
	struct pcapng_reader r;
	struct pcapng_packet p;
	size_t cut;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31);
	assert_non_null(c);
	for (size_t n = 0; n < 6; n++) {
		h.length = (uint32_t)n;
		capture_packet(c, 1500000 * n, &h, data, n);
	}
	h.length = sizeof(data);
	capture_packet(c, 9000000, &h, data, sizeof(data));
	capture_free(c);
	assert_int_equal(memory.length % 4, 0);
	assert_int_equal(memory.writes, 8); /* one a block: a kill loses nothing that was handed over */

	pcapng_reader_init(&r, memory.bytes, memory.length);
	for (size_t n = 0; n < 6; n++) {
		assert_int_equal(pcapng_reader_next(&r, &p), 1);
		assert_int_equal(p.link_type, LINKTYPE_USB_LINUX_MMAPPED);
		assert_int_equal(p.time_us, UINT64_C(1700000000000000) + 1500000 * n);
		assert_int_equal(p.captured, 64 + n);
		assert_int_equal(p.original, 64 + n);
		assert_int_equal(usbmon_decode(p.data, p.captured, p.big_endian, &back), 0);
		assert_int_equal(back.seconds * 1000000 + back.microseconds, p.time_us);
		assert_int_equal(back.captured, n);
		assert_memory_equal(p.data + 64, data, n);
		if (n == 0) {
			assert_int_equal(r.application_length, strlen(label));
			assert_memory_equal(r.application, label, strlen(label));
		}
	}
	assert_int_equal(pcapng_reader_next(&r, &p), 1);
	assert_int_equal(p.captured, 64 + CAPTURE_DATA_BYTES);
	assert_int_equal(p.original, 64 + sizeof(data));
	assert_int_equal(pcapng_reader_next(&r, &p), 0);
	assert_false(r.truncated);

	/* whatever a kill leaves, every whole packet is there */
	for (cut = memory.length - 1; cut > 900; cut -= cut > 1500 ? 997 : 1) {
		int packets = 0;

		pcapng_reader_init(&r, memory.bytes, cut);
		while (pcapng_reader_next(&r, &p) == 1)
			packets++;
		assert_null(r.error);
		assert_true(r.truncated);
		assert_int_equal(packets, 6);
	}
}

static unsigned failures;
static int last_error;

static void count_failure(void *context, int error)
{
	(void)context;
	failures++;
	last_error = error;
}

static void a_full_disk_ends_the_capture_and_is_told_once(void **state)
{
	struct usbmon_header h = { .type = 'S' };
	struct capture_sink sink = sink_new(600);
	struct capture *c;

	(void)state;
	failures = 0;
	c = capture_new(&sink, 0, count_failure, NULL);
	assert_non_null(c);
	assert_int_equal(failures, 0);
	for (unsigned i = 0; i < 20; i++)
		capture_packet(c, i, &h, NULL, 0);
	assert_int_equal(failures, 1);
	assert_int_equal(last_error, -ENOSPC);
	assert_true(memory.writes < 10);
	capture_free(c);

	sink = sink_new(0);
	failures = 0;
	c = capture_new(&sink, 0, count_failure, NULL);
	assert_non_null(c);
	assert_int_equal(failures, 1);
	capture_packet(c, 0, &h, NULL, 0);
	assert_int_equal(memory.writes, 1);
	capture_free(c);
}

static void files_hold_each_packet_at_once(void **state)
{
	char path[] = "/tmp/test_capture.XXXXXX";
	int fd = mkstemp(path);
	struct usbmon_header h = { .type = 'S', .flag_data = '<' };
	struct capture_file *file;
	struct capture_sink sink;
	struct capture *c;
	struct pcapng_reader r;
	struct pcapng_packet p;
	ssize_t size;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "old contents", 12), 12);
	assert_int_equal(capture_file_open(path, &file), 0);
	sink = capture_file_sink(file);
	c = capture_new(&sink, 0, NULL, NULL);
	assert_non_null(c);
	capture_packet(c, 5, &h, NULL, 0);
	size = pread(fd, memory.bytes, sizeof(memory.bytes), 0); /* before any close */
	pcapng_reader_init(&r, memory.bytes, (size_t)size);
	assert_int_equal(pcapng_reader_next(&r, &p), 1);
	assert_int_equal(p.time_us, 5);
	assert_int_equal(pcapng_reader_next(&r, &p), 0);
	assert_false(r.truncated);
	capture_free(c);
	assert_int_equal(capture_file_close(file), 0);
	assert_int_equal(capture_file_close(NULL), 0);
	close(fd);
	unlink(path);
	assert_int_equal(capture_file_open("/nowhere/at/all", &file), -ENOENT);

	if (!access("/dev/full", W_OK)) {
		assert_int_equal(capture_file_open("/dev/full", &file), 0);
		sink = capture_file_sink(file);
		failures = 0;
		c = capture_new(&sink, 0, count_failure, NULL);
		assert_int_equal(failures, 1);
		assert_int_equal(last_error, -ENOSPC);
		capture_free(c);
		capture_file_close(file);
	}
}

static void a_block_that_does_not_fit_leaves_no_torn_end(void **state)
{
	char path[] = "/tmp/test_capture.XXXXXX";
	int fd = mkstemp(path);
	struct usbmon_header h = { .type = 'S', .flag_data = '<' };
	struct rlimit before, small;
	struct capture_file *file;
	struct capture_sink sink;
	struct capture *c;
	struct pcapng_reader r;
	struct pcapng_packet p;
	ssize_t size;
	int packets = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 700; /* in the middle of a block: the write is cut short first, then refused */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(capture_file_open(path, &file), 0);
	sink = capture_file_sink(file);
	failures = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	c = capture_new(&sink, 0, count_failure, NULL);
	for (unsigned i = 0; c && i < 20; i++)
		capture_packet(c, i, &h, NULL, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(c);
	assert_int_equal(failures, 1);
	assert_int_equal(last_error, -EFBIG);
	size = pread(fd, memory.bytes, sizeof(memory.bytes), 0);
	assert_true(size > 0 && size < 700);
	pcapng_reader_init(&r, memory.bytes, (size_t)size);
	while (pcapng_reader_next(&r, &p) == 1)
		packets++;
	assert_null(r.error);
	assert_false(r.truncated);
	assert_true(packets > 0);
	capture_free(c);
	capture_file_close(file);
	close(fd);
	unlink(path);
}

static void foreign_captures_are_read(void **state)
{
	/* big-endian, nanoseconds, an unknown block, a 3-byte packet */
	static const uint8_t big[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 0,    0,    0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1,  0, 0, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,  0,    28,   0,    0,    0, 1,  0, 0, 0,    32,
		0,    220,  0,    0,    0,    0,    0, 0,  0,    9,    0,    1,    9, 0,  0, 0, 0,    0,
		0,    0,    0,    0,    0,    32,   0, 0,  0x0b, 0xad, 0,    0,    0, 12, 0, 0, 0,    12,
		0,    0,    0,    6,    0,    0,    0, 36, 0,    0,    0,    0,    0, 0,  0, 0, 0,    0,
		0x1d, 0x4c, 0,    0,    0,    3,    0, 0,  0,    4,    7,    8,    9, 0,  0, 0, 0,    36,
	};
	struct pcapng_reader r;
	struct pcapng_packet p;

	(void)state;
	pcapng_reader_init(&r, big, sizeof(big));
	assert_int_equal(pcapng_reader_next(&r, &p), 1);
	assert_true(p.big_endian);
	assert_int_equal(p.link_type, 220);
	assert_int_equal(p.time_us, 7); /* 7500 ns */
	assert_int_equal(p.captured, 3);
	assert_int_equal(p.original, 4);
	assert_int_equal(p.data[2], 9);
	assert_int_equal(pcapng_reader_next(&r, &p), 0);
}

static void broken_captures_are_refused(void **state)
{
	static const struct {
		const char *name;
		size_t at;
		uint8_t byte;
		const char *want;
	} rows[] = {
		{ "no section", 0, 1, "not a pcapng file" },
		{ "magic", 8, 0, "section without its byte-order magic" },
		{ "version", 12, 2, "unknown major version of the format" },
		{ "odd length", 4, 0x1d, "impossible block length" },
		{ "second length", 24, 0, "the two lengths of a block differ" },
		{ "interface", 56, 1, "packet of an interface that was not described" },
		{ "packet length", 68, 200, "packet longer than its block" },
	};
	static const uint8_t good[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,   0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 28,   0,  0, 0, 1, 0,    0,    0,    20,   0, 0, 0, 220, 0,    0,    0,    0,    0,
		0,    0,    20,   0,    0,  0, 6, 0, 0,    0,    36,   0,    0, 0, 0, 0,   0,    0,    0,    0,    0,
		0,    5,    0,    0,    0,  4, 0, 0, 0,    4,    0,    0,    0, 1, 2, 3,   4,    36,   0,    0,    0,
	};
	struct pcapng_reader r;
	struct pcapng_packet p;
	uint8_t b[sizeof(good)];

	(void)state;
	pcapng_reader_init(&r, good, sizeof(good));
	assert_int_equal(pcapng_reader_next(&r, &p), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(b, good, sizeof(b));
		b[rows[i].at] = rows[i].byte;
		pcapng_reader_init(&r, b, sizeof(b));
		assert_int_equal(pcapng_reader_next(&r, &p), -EINVAL);
		assert_string_equal(r.error, rows[i].want);
		assert_int_equal(pcapng_reader_next(&r, &p), -EINVAL);
	}
	pcapng_reader_init(&r, NULL, 0);
	assert_int_equal(pcapng_reader_next(&r, &p), 0);
	pcapng_reader_init(&r, (const uint8_t *)"text", 4);
	assert_int_equal(pcapng_reader_next(&r, &p), -EINVAL);
}

static void transfers_have_names(void **state)
{
	static const struct {
		struct usb_setup setup;
		uint8_t data[8];
		size_t length;
		const char *name, *payload;
	} rows[] = {
		{ { 0x80, 6, 0x0100, 0, 18 }, { 0 }, 0, "GET_DESCRIPTOR device 0, up to 18 bytes", "" },
		{ { 0x80, 6, 0x0304, 0x409, 255 }, { 0 }, 0, "GET_DESCRIPTOR string 4, up to 255 bytes", "" },
		{ { 0x00, 5, 7, 0, 0 }, { 0 }, 0, "SET_ADDRESS 7", "" },
		{ { 0x00, 9, 1, 0, 0 }, { 0 }, 0, "SET_CONFIGURATION 1", "" },
		{ { 0x01, 11, 2, 0, 0 }, { 0 }, 0, "SET_INTERFACE interface 0 alternate 2", "" },
		{ { 0x02, 1, 0, 0x81, 0 }, { 0 }, 0, "CLEAR_FEATURE 0 of 0x81", "" },
		{ { 0x80, 2, 1, 2, 3 }, { 0 }, 0, "standard request 0x02 value 0x0001 index 0x0002, 3 bytes", "" },
		{ { 0x21, 1, 0, 0, 5 },
		  { 0x21, 0, 0, 0, 8 },
		  5,
		  "DFU_DNLOAD block 0, 5 bytes",
		  "Set-Address 0x08000000" },
		{ { 0x21, 1, 0, 0, 5 }, { 0x41, 0, 0xc0, 0, 8 }, 5, "DFU_DNLOAD block 0, 5 bytes", "Erase 0x0800C000" },
		{ { 0x21, 1, 0, 0, 1 }, { 0x41 }, 1, "DFU_DNLOAD block 0, 1 bytes", "Mass erase" },
		{ { 0x21, 1, 0, 0, 1 }, { 0x92 }, 1, "DFU_DNLOAD block 0, 1 bytes", "Read-Unprotect" },
		{ { 0x21, 1, 0, 0, 2 },
		  { 0x77, 1 },
		  2,
		  "DFU_DNLOAD block 0, 2 bytes",
		  "unknown command 0x77, 2 bytes" },
		{ { 0x21, 1, 3, 0, 8 },
		  { 1 },
		  8,
		  "DFU_DNLOAD block 3, 8 bytes",
		  "write 8 bytes at pointer + 1 blocks" },
		{ { 0x21, 1, 2, 0, 0 }, { 0 }, 0, "DFU_DNLOAD block 2, 0 bytes", "end of download: leave" },
		{ { 0xa1, 2, 0, 0, 4 },
		  { 0, 0x21, 0x41, 0x92 },
		  4,
		  "DFU_UPLOAD block 0, up to 4 bytes",
		  "commands 0x00 0x21 0x41 0x92" },
		{ { 0xa1, 3, 0, 0, 6 }, { 0, 100, 0, 0, 4, 0 }, 6, "DFU_GETSTATUS", "dfuDNBUSY, OK, poll 100 ms" },
		{ { 0xa1, 3, 0, 0, 6 },
		  { 10, 0, 0, 0, 10, 0 },
		  6,
		  "DFU_GETSTATUS",
		  "dfuERROR, errFIRMWARE, poll 0 ms" },
		{ { 0xa1, 3, 0, 0, 6 }, { 0, 100 }, 2, "DFU_GETSTATUS", "" },
		{ { 0xa1, 3, 0, 0, 6 },
		  { 200, 0, 0, 0, 99, 0 },
		  6,
		  "DFU_GETSTATUS",
		  "state 99, status 200, poll 0 ms" },
		{ { 0xa1, 5, 0, 0, 1 }, { 2 }, 1, "DFU_GETSTATE", "dfuIDLE" },
		{ { 0x21, 4, 0, 0, 0 }, { 0 }, 0, "DFU_CLRSTATUS", "" },
		{ { 0x21, 0x20, 0, 0, 7 }, { 0 }, 7, "class request 0x20 OUT value 0x0000 index 0x0000, 7 bytes", "" },
		{ { 0xc0, 1, 2, 3, 4 }, { 0 }, 0, "vendor request 0x01 IN value 0x0002 index 0x0003, 4 bytes", "" },
	};
	char out[100];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(dfuse_name_setup(&rows[i].setup, out, sizeof(out)), rows[i].name);
		assert_string_equal(dfuse_name_payload(&rows[i].setup, rows[i].data, rows[i].length, out, sizeof(out)),
				    rows[i].payload);
		assert_true(strlen(dfuse_name_setup(&rows[i].setup, out, 5)) < 5);
		assert_true(strlen(dfuse_name_payload(&rows[i].setup, rows[i].data, rows[i].length, out, 1)) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usbmon_header_is_laid_out_as_linux_does),
		cmocka_unit_test(a_capture_reads_back_as_written),
		cmocka_unit_test(a_full_disk_ends_the_capture_and_is_told_once),
		cmocka_unit_test(files_hold_each_packet_at_once),
		cmocka_unit_test(a_block_that_does_not_fit_leaves_no_torn_end),
		cmocka_unit_test(foreign_captures_are_read),
		cmocka_unit_test(broken_captures_are_refused),
		cmocka_unit_test(transfers_have_names),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
