/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS under firmware: each test over three drivers of their own manners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "otg_driver_tiny.h"

static const struct rig_driver *const drivers[] = { &st_driver, &cm3_driver, &tiny_driver };
#define FOR_EACH_DRIVER(d) for (size_t d = 0; d < sizeof(drivers) / sizeof(drivers[0]); d++)

static void firmware_enumerates(void **state)
{
	static const uint8_t sizes[] = { 64, 32, 16, 8 };

	(void)state;
	FOR_EACH_DRIVER(d)
	for (size_t i = 0; i < sizeof(sizes); i++) {
		struct rig r;

		rig_open(&r, drivers[d]);
		r.packet0 = sizes[i];
		rig_enumerate(&r);
		assert_int_equal(rd(&r, R_DCFG) >> 4 & 0x7f, 9);
		assert_int_equal(r.resets, 2);
		assert_int_equal(r.unknown, 0);
		rig_close(&r);
	}
}

/* Of each length around the packets' ends. */
static void control_transfers_of_all_lengths_pass(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	for (unsigned packet0 = 8; packet0 <= 64; packet0 *= 8) {
		struct rig r;
		uint8_t sent[1024], got[1024];
		size_t n;

		rig_open(&r, drivers[d]);
		r.packet0 = (uint8_t)packet0;
		rig_enumerate(&r);
		for (unsigned i = 0; i < sizeof(sent); i++)
			sent[i] = (uint8_t)(i * 7 + i / 256);
		for (unsigned length = 0; length <= sizeof(sent); length += length < 140 ? 1 : 221) {
			assert_int_equal(
				host_control(&r.host, 0x40, RIG_VENDOR_WRITE, 0, 0, sent, (uint16_t)length, &n),
				USB_ACK);
			assert_int_equal(n, length);
			assert_int_equal(r.written_length, length);
			assert_memory_equal(r.written, sent, length);
			if (!length)
				continue;
			memset(got, 0, sizeof(got));
			assert_int_equal(host_control(&r.host, 0xc0, RIG_VENDOR_READ, 0, 0, got, (uint16_t)length, &n),
					 USB_ACK);
			assert_int_equal(n, length);
			assert_memory_equal(got, sent, length);
			/* less than was asked for */
			assert_int_equal(
				host_control(&r.host, 0xc0, RIG_VENDOR_READ, (uint16_t)length, 0, got, 1024, &n),
				USB_ACK);
			assert_int_equal(n, length);
		}
		rig_close(&r);
	}
}

static void what_is_not_known_stalls_and_the_next_request_works(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		uint8_t b[64] = { 0 };
		size_t n;

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		for (unsigned i = 0; i < 3; i++) {
			assert_int_equal(host_control(&r.host, 0x80, 6, 0x0f00, 0, b, 64, &n), USB_STALL);
			assert_int_equal(host_control(&r.host, 0x40, 99, 0, 0, NULL, 0, &n), USB_STALL);
			assert_int_equal(host_control(&r.host, 0x40, 99, 0, 0, b, 64, &n), USB_STALL);
			assert_int_equal(host_control(&r.host, 0x80, 0, 0, 0, b, 2, &n), USB_ACK);
			assert_int_equal(n, 2);
		}
		rig_close(&r);
	}
}

static void bulk_data_comes_back(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		unsigned most = drivers[d]->polled ? 64 : 256;
		uint8_t sent[256], got[256];
		size_t n;

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		for (unsigned length = 1; length <= most; length++) {
			bool whole = length % 64 == 0;

			for (unsigned i = 0; i < length; i++)
				sent[i] = (uint8_t)(length + i);
			assert_int_equal(rig_transfer(&r, 0x01, sent, length, &n), USB_ACK);
			assert_int_equal(n, length);
			if (whole && length < most) /* the end is an empty packet */
				assert_int_equal(rig_transfer(&r, 0x01, sent, 0, NULL), USB_ACK);
			assert_int_equal(rig_transfer(&r, 0x81, got, whole ? length : sizeof(got), &n), USB_ACK);
			assert_int_equal(n, length);
			assert_memory_equal(got, sent, length);
		}
		rig_close(&r);
	}
}

static void an_endpoint_stalls_until_the_halt_is_cleared(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		uint8_t b[64] = { 1, 2, 3 }, got[64];
		size_t n;

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		for (unsigned i = 0; i < 3; i++) {
			/* so that the toggles are at DATA1 */
			assert_int_equal(rig_transfer(&r, 0x01, b, 3, NULL), USB_ACK);
			assert_int_equal(rig_transfer(&r, 0x81, got, 64, NULL), USB_ACK);
			for (unsigned endpoint = 0x01; endpoint <= 0x81; endpoint += 0x80) {
				assert_int_equal(host_control(&r.host, 0x40, RIG_VENDOR_HALT, 0, (uint16_t)endpoint,
							      NULL, 0, NULL),
						 USB_ACK);
				assert_int_equal(rig_transfer(&r, (uint8_t)endpoint, got, 64, NULL), USB_STALL);
				assert_int_equal(rig_transfer(&r, (uint8_t)endpoint, got, 64, NULL), USB_STALL);
				assert_int_equal(host_control(&r.host, 0x02, 1, 0, (uint16_t)endpoint, NULL, 0, NULL),
						 USB_ACK);
			}
			b[0]++;
			assert_int_equal(rig_transfer(&r, 0x01, b, 3, NULL), USB_ACK);
			assert_int_equal(rig_transfer(&r, 0x81, got, 64, &n), USB_ACK);
			assert_int_equal(n, 3);
			assert_memory_equal(got, b, 3);
		}
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(firmware_enumerates),
		cmocka_unit_test(control_transfers_of_all_lengths_pass),
		cmocka_unit_test(what_is_not_known_stalls_and_the_next_request_works),
		cmocka_unit_test(bulk_data_comes_back),
		cmocka_unit_test(an_endpoint_stalls_until_the_halt_is_cleared),
	};

	return cmocka_run_group_tests_name("otg_fs", tests, NULL, NULL);
}
