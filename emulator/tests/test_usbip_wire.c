// SPDX-License-Identifier: GPL-2.0-or-later
/* USB/IP as bytes: each message against bytes written by hand, cut off at each place, and with each field wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "usbip_wire.h"

#define ZEROS8 0, 0, 0, 0, 0, 0, 0, 0
#define ZEROS16 ZEROS8, ZEROS8

/* A copy that ends where the memory does: for sanitizers. */
static uint8_t *copy(const void *bytes, size_t length)
{
	uint8_t *b = malloc(length ? length : 1);

	assert_non_null(b);
	memcpy(b, bytes, length);
	return b;
}

/* ---- requests and replies ---- */

static const uint8_t devlist[] = { 0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0 };
static const uint8_t import[40] = { 0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1', '2' };

static enum usbip_verdict decode_request(const uint8_t *bytes, size_t length, struct usbip_request *request,
					 size_t *used, char why[USBIP_WHY])
{
	uint8_t *b = copy(bytes, length);
	enum usbip_verdict verdict = usbip_request_decode(b, length, request, used, why);

	free(b);
	return verdict;
}

static void requests_are_read_and_written(void **state)
{
	struct usbip_request request;
	char why[USBIP_WHY];
	uint8_t bytes[USBIP_REQUEST_BYTES];
	size_t used;

	(void)state;
	assert_int_equal(decode_request(devlist, sizeof(devlist), &request, &used, why), USBIP_DONE);
	assert_int_equal(request.code, USBIP_DEVLIST);
	assert_int_equal(used, 8);
	assert_int_equal(usbip_request_encode(&request, bytes), 8);
	assert_memory_equal(bytes, devlist, 8);
	assert_int_equal(decode_request(import, sizeof(import), &request, &used, why), USBIP_DONE);
	assert_int_equal(request.code, USBIP_IMPORT);
	assert_int_equal(used, 40);
	assert_string_equal(request.busid, "1-12");
	assert_int_equal(usbip_request_encode(&request, bytes), 40);
	assert_memory_equal(bytes, import, 40);
}

static void a_request_cut_off_needs_more(void **state)
{
	struct usbip_request request;
	char why[USBIP_WHY];
	size_t used;

	(void)state;
	for (size_t n = 0; n < sizeof(devlist); n++)
		assert_int_equal(decode_request(devlist, n, &request, &used, why), USBIP_MORE);
	for (size_t n = 0; n < sizeof(import); n++)
		assert_int_equal(decode_request(import, n, &request, &used, why), USBIP_MORE);
}

static void what_follows_a_request_is_left(void **state)
{
	struct usbip_request request;
	char why[USBIP_WHY];
	uint8_t bytes[100] = { 0 };
	size_t used;

	(void)state;
	memcpy(bytes, devlist, sizeof(devlist));
	assert_int_equal(decode_request(bytes, sizeof(bytes), &request, &used, why), USBIP_DONE);
	assert_int_equal(used, 8);
	memcpy(bytes, import, sizeof(import));
	assert_int_equal(decode_request(bytes, sizeof(bytes), &request, &used, why), USBIP_DONE);
	assert_int_equal(used, 40);
}

static void requests_that_are_none_are_refused_early(void **state)
{
	static const struct {
		const char *name, *why;
		uint8_t bytes[8];
		size_t length; /* at which it must be known */
	} cases[] = {
		{ "version", "version 0x0106: must be 0x0111", { 0x01, 0x06, 0x80, 0x05 }, 2 },
		{ "http", "version 0x4745: must be 0x0111", { 'G', 'E', 'T', ' ' }, 2 },
		{ "code", "code 0x8004: must be 0x8005 or 0x8003", { 0x01, 0x11, 0x80, 0x04 }, 4 },
		{ "reply", "code 0x0005: must be 0x8005 or 0x8003", { 0x01, 0x11, 0x00, 0x05 }, 4 },
	};
	uint8_t endless[40];
	struct usbip_request request;
	char why[USBIP_WHY];
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(decode_request(cases[i].bytes, cases[i].length - 1, &request, &used, why), USBIP_MORE);
		assert_int_equal(decode_request(cases[i].bytes, cases[i].length, &request, &used, why), USBIP_BAD);
		assert_string_equal(why, cases[i].why);
	}
	memset(endless, 'x', sizeof(endless));
	memcpy(endless, import, 8);
	assert_int_equal(decode_request(endless, sizeof(endless), &request, &used, why), USBIP_BAD);
	assert_non_null(strstr(why, "does not end"));
}

static const uint8_t devlist_reply[] = { 0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0x01, 0x02 };
static const uint8_t import_reply[] = { 0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0 };
static const uint8_t busy_reply[] = { 0x01, 0x11, 0x00, 0x03, 0, 0, 0, 2 };

static void replies_are_read_and_written(void **state)
{
	static const struct {
		const uint8_t *bytes;
		size_t length;
		struct usbip_reply want;
	} cases[] = {
		{ devlist_reply, sizeof(devlist_reply), { USBIP_DEVLIST, 0, 258 } },
		{ import_reply, sizeof(import_reply), { USBIP_IMPORT, 0, 1 } },
		{ busy_reply, sizeof(busy_reply), { USBIP_IMPORT, USBIP_BUSY, 0 } },
	};
	struct usbip_reply reply;
	char why[USBIP_WHY];
	uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES];
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t n = 0; n <= cases[i].length; n++) {
			uint8_t *b = copy(cases[i].bytes, n);

			assert_int_equal(usbip_reply_decode(b, n, &reply, &used, why),
					 n < cases[i].length ? USBIP_MORE : USBIP_DONE);
			free(b);
		}
		assert_int_equal(used, cases[i].length);
		assert_int_equal(reply.code, cases[i].want.code);
		assert_int_equal(reply.status, cases[i].want.status);
		assert_int_equal(reply.count, cases[i].want.count);
		assert_int_equal(usbip_reply_encode(&reply, bytes), cases[i].length);
		assert_memory_equal(bytes, cases[i].bytes, cases[i].length);
	}
	assert_int_equal(usbip_reply_decode(devlist, sizeof(devlist), &reply, &used, why), USBIP_BAD);
}

static void devices_are_read_and_written(void **state)
{
	static const uint8_t tail[] = { 0,    0,    0, 1, 0, 0, 2, 1, 0,    0, 0, 2, 0x04, 0x83, 0xdf, 0x11,
					0x22, 0x00, 9, 8, 7, 1, 2, 2, 0xfe, 1, 2, 0, 3,    4,    5,    0 };
	uint8_t want[USBIP_DEVICE_BYTES + 8] = "/dfuemu/1-1", bytes[sizeof(want)];
	struct usbip_device d;
	char why[USBIP_WHY];
	size_t used;

	(void)state;
	strcpy((char *)want + 256, "1-1");
	memcpy(want + 288, tail, sizeof(tail));
	for (size_t n = 0; n <= sizeof(want); n++) {
		uint8_t *b = copy(want, n);

		assert_int_equal(usbip_device_decode(b, n, true, &d, &used, why),
				 n < sizeof(want) ? USBIP_MORE : USBIP_DONE);
		free(b);
	}
	assert_int_equal(used, sizeof(want));
	assert_string_equal(d.path, "/dfuemu/1-1");
	assert_string_equal(d.busid, "1-1");
	assert_int_equal(d.busnum, 1);
	assert_int_equal(d.devnum, 0x201);
	assert_int_equal(d.speed, 2);
	assert_int_equal(d.vendor, 0x0483);
	assert_int_equal(d.product, 0xdf11);
	assert_int_equal(d.bcd_device, 0x2200);
	assert_int_equal(d.device_class, 9);
	assert_int_equal(d.subclass, 8);
	assert_int_equal(d.protocol, 7);
	assert_int_equal(d.configuration, 1);
	assert_int_equal(d.configuration_count, 2);
	assert_int_equal(d.interface_count, 2);
	assert_int_equal(d.interfaces[1].subclass, 4);
	assert_int_equal(usbip_device_encode(&d, true, bytes), sizeof(want));
	assert_memory_equal(bytes, want, sizeof(want));
	assert_int_equal(usbip_device_decode(want, sizeof(want), false, &d, &used, why), USBIP_DONE);
	assert_int_equal(used, USBIP_DEVICE_BYTES);
	assert_int_equal(usbip_device_encode(&d, false, bytes), USBIP_DEVICE_BYTES);
	assert_memory_equal(bytes, want, USBIP_DEVICE_BYTES);
	memset(want, 'x', 256);
	assert_int_equal(usbip_device_decode(want, sizeof(want), true, &d, &used, why), USBIP_BAD);
}

/* ---- messages ---- */

struct message_case {
	const char *name;
	uint8_t bytes[48];
	struct usbip_message want;
};

static const struct message_case messages[] = {
	{ "control IN",
	  { 0,    0, 0, 1, 0, 0, 0x0d, 0x05, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, /**/
	    0,    0, 2, 1, 0, 0, 0,    64,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /**/
	    0x80, 6, 0, 1, 0, 0, 0x40, 0 },
	  { .command = USBIP_SUBMIT,
	    .seqnum = 0xd05,
	    .devid = 0x10001,
	    .in = true,
	    .flags = 0x201,
	    .length = 64,
	    .setup = { 0x80, 6, 0, 1, 0, 0, 0x40, 0 } } },
	{ "bulk OUT",
	  { 0,     0, 0, 1, 0xff, 0,    0, 1, 0, 1, 0, 2, 0,    0,    0,    0,    0, 0, 0, 15, /**/
	    0,     0, 0, 0, 0,    0x10, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9,  /**/
	    ZEROS8 },
	  { .command = USBIP_SUBMIT,
	    .seqnum = 0xff000001,
	    .devid = 0x10002,
	    .endpoint = 15,
	    .length = 0x100000,
	    .packets = UINT32_MAX,
	    .interval = 9,
	    .data_bytes = 0x100000 } },
	{ "isochronous OUT",
	  { 0,     0, 0, 1, 0, 0, 0, 1,  0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, /**/
	    0,     0, 0, 2, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1, /**/
	    ZEROS8 },
	  { .command = USBIP_SUBMIT,
	    .seqnum = 1,
	    .devid = 0x10002,
	    .endpoint = 3,
	    .flags = 2,
	    .length = 80,
	    .packets = 1024,
	    .interval = 1,
	    .data_bytes = 80,
	    .packet_bytes = 16384 } },
	{ "unlink",
	  { 0, 0, 0, 2, 0,      0,      0, 7, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, /**/
	    0, 0, 0, 6, ZEROS8, ZEROS16 },
	  { .command = USBIP_UNLINK, .seqnum = 7, .devid = 0x10001, .unlink = 6 } },
	{ "submitted",
	  { 0,     0,    0,    3,    0, 0, 0, 7,  ZEROS8, 0, 0, 0, 0,                      /**/
	    0xff,  0xff, 0xff, 0x87, 0, 0, 0, 18, 0,      0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, /**/
	    ZEROS8 },
	  { .command = USBIP_SUBMITTED, .seqnum = 7, .status = -121, .actual = 18, .packets = 5 } },
	{ "unlinked",
	  { 0, 0, 0, 4, 0, 0, 0, 8, ZEROS8, 0, 0, 0, 0, /**/
	    0xff, 0xff, 0xff, 0x98, ZEROS8, ZEROS16 },
	  { .command = USBIP_UNLINKED, .seqnum = 8, .status = -104 } },
};
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void messages_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		struct usbip_message m;
		uint8_t bytes[48];
		char why[USBIP_WHY];

		assert_int_equal(usbip_message_decode(messages[i].bytes, 48, &m, why), USBIP_DONE);
		assert_memory_equal(&m, &messages[i].want, sizeof(m));
		usbip_message_encode(&m, bytes);
		assert_memory_equal(bytes, messages[i].bytes, 48);
	}
}

static void a_message_cut_off_needs_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < MESSAGES; i++) {
		for (size_t n = 0; n < 48; n++) {
			uint8_t *b = copy(messages[i].bytes, n);
			struct usbip_message m;
			char why[USBIP_WHY];

			assert_int_equal(usbip_message_decode(b, n, &m, why), USBIP_MORE);
			free(b);
		}
	}
}

static void messages_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *why;
		size_t message, at;
		uint8_t bytes[4];
	} cases[] = {
		{ "command 0x00000000: must be 1 to 4", 0, 0, { 0 } },
		{ "command 0x00000005: must be 1 to 4", 0, 0, { 0, 0, 0, 5 } },
		{ "command 0x01000000: must be 1 to 4", 0, 0, { 1, 0, 0, 0 } },
		{ "direction 2: must be 0 or 1", 0, 12, { 0, 0, 0, 2 } },
		{ "endpoint 16: must be at most 15", 0, 16, { 0, 0, 0, 16 } },
		{ "endpoint 129: must be at most 15", 0, 16, { 0, 0, 0, 0x81 } },
		{ "transfer of 1048577 bytes: must be at most 1048576", 1, 24, { 0, 0x10, 0, 1 } },
		{ "transfer of 4294967295 bytes: must be at most 1048576", 0, 24, { 0xff, 0xff, 0xff, 0xff } },
		{ "transfer of 1025 packets: must be at most 1024", 2, 32, { 0, 0, 4, 1 } },
		{ "transfer of 4294967294 packets: must be at most 1024", 2, 32, { 0xff, 0xff, 0xff, 0xfe } },
		{ "reply of 4294967295 bytes: must be at most 1048576", 4, 24, { 0xff, 0xff, 0xff, 0xff } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usbip_message m;
		uint8_t bytes[48];
		char why[USBIP_WHY];

		memcpy(bytes, messages[cases[i].message].bytes, 48);
		memcpy(bytes + cases[i].at, cases[i].bytes, 4);
		assert_int_equal(usbip_message_decode(bytes, 48, &m, why), USBIP_BAD);
		assert_string_equal(why, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_read_and_written),
		cmocka_unit_test(a_request_cut_off_needs_more),
		cmocka_unit_test(what_follows_a_request_is_left),
		cmocka_unit_test(requests_that_are_none_are_refused_early),
		cmocka_unit_test(replies_are_read_and_written),
		cmocka_unit_test(devices_are_read_and_written),
		cmocka_unit_test(messages_are_read_and_written),
		cmocka_unit_test(a_message_cut_off_needs_more),
		cmocka_unit_test(messages_that_are_none_are_refused),
	};

	return cmocka_run_group_tests_name("usbip_wire", tests, NULL, NULL);
}
