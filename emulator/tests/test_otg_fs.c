/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OTG_FS under firmware: each test over three drivers of their own manners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus.h"
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
		assert_int_equal(r.enumerations, 2);
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

/* A host that gives up: the next request finds the device as it should be. */
static void a_request_that_is_given_up_leaves_nothing_behind(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	for (unsigned after_us = 1; after_us < 400; after_us += 13) {
		struct host_urb u;
		uint8_t b[255];
		struct rig r;
		size_t n;

		if (drivers[d]->late_status)
			continue; /* stale data stays in its FIFO: a reset is what helps there */
		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		host_submit(&r.host, &u, (struct usb_setup){ 0x40, RIG_VENDOR_WRITE, 0, 0, 200 }, b);
		host_sleep(&r.host, after_us);
		r.host.dev->ops->cancel(r.host.dev, &u.urb);
		host_sleep(&r.host, after_us % 3 ? 0 : 100);
		assert_int_equal(host_control(&r.host, 0x80, 6, 0x0200, 0, b, 255, &n), USB_ACK);
		assert_int_equal(n, sizeof(rig_configuration));
		assert_memory_equal(b, rig_configuration, n);
		rig_close(&r);
	}
}

static void a_reset_in_the_middle_of_anything_is_recovered_from(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	for (unsigned after_us = 1; after_us < 500; after_us += 17) {
		struct host_urb u, v;
		uint8_t b[255] = { 0 }, got[64];
		struct rig r;
		size_t n;

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		host_submit(&r.host, &u, (struct usb_setup){ 0xc0, RIG_VENDOR_READ, 0, 0, 200 }, b);
		rig_submit(&r, &v, 0x01, b, 64);
		host_sleep(&r.host, after_us);
		r.host.dev->ops->bus_reset(r.host.dev);
		assert_true(u.completions && v.completions);
		rig_enumerate(&r);
		for (unsigned i = 0; i < 3; i++) {
			b[0] = (uint8_t)i;
			assert_int_equal(rig_transfer(&r, 0x01, b, 60, NULL), USB_ACK);
			assert_int_equal(rig_transfer(&r, 0x81, got, 64, &n), USB_ACK);
			assert_int_equal(n, 60);
			assert_memory_equal(got, b, 60);
		}
		rig_close(&r);
	}
}

static void a_silent_bus_suspends_the_device(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		uint8_t b[8];

		rig_open(&r, drivers[d]);
		host_sleep(&r.host, 2900);
		assert_false(rd(&r, R_GINTSTS) & B(10));
		host_sleep(&r.host, 200);
		assert_true(rd(&r, R_GINTSTS) & B(10)); /* early: 34.5.2 */
		host_sleep(&r.host, 2800);
		assert_int_equal(r.suspends, 0);
		host_sleep(&r.host, 200); /* nobody has reset it */
		assert_int_equal(r.suspends, 1);
		rig_enumerate(&r);
		assert_int_equal(rd(&r, R_DSTS) & 1, 0);
		host_sleep(&r.host, 100000);
		assert_int_equal(r.suspends, 1);
		bus_suspend((struct bus *)r.host.dev, true);
		host_sleep(&r.host, 7000);
		assert_int_equal(r.suspends, 2);
		assert_int_equal(rd(&r, R_DSTS) & 1, 1);
		bus_suspend((struct bus *)r.host.dev, false);
		host_sleep(&r.host, 50);
		assert_int_equal(r.resumes, 1);
		assert_int_equal(host_control(&r.host, 0x80, 0, 0, 0, b, 2, NULL), USB_ACK);
		/* the device wakes the host */
		bus_suspend((struct bus *)r.host.dev, true);
		host_sleep(&r.host, 7000);
		assert_int_equal(rd(&r, R_DSTS) & 1, 1);
		set(&r, R_DCTL, B(0));
		assert_int_equal(rd(&r, R_DSTS) & 1, 0); /* by its own doing */
		host_sleep(&r.host, 5000);
		clear(&r, R_DCTL, B(0));
		assert_int_equal(r.resumes, 2);
		assert_int_equal(host_control(&r.host, 0x80, 0, 0, 0, b, 2, NULL), USB_ACK);
		rig_close(&r);
	}
}

static void a_cable_that_is_pulled_is_noticed(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		bool looks = drivers[d] != &tiny_driver; /* at VBUS */
		struct rig r;

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		otg_fs_vbus(r.otg, false);
		assert_int_equal(r.host.attached, !looks);
		host_sleep(&r.host, 10000);
		assert_int_equal(r.suspends, looks ? 0 : 1);
		otg_fs_vbus(r.otg, true);
		assert_true(r.host.attached);
		rig_enumerate(&r);
		rig_close(&r);
	}
}

static void frames_count_and_interrupt(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		uint32_t frame;

		if (drivers[d]->polled)
			continue; /* it would never ask */
		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		frame = rd(&r, R_DSTS) >> 8;
		wr(&r, R_GINTSTS, B(3));
		assert_false(rd(&r, R_GINTSTS) & B(3));
		host_sleep(&r.host, 1000);
		assert_true(rd(&r, R_GINTSTS) & B(3));
		assert_int_equal(rd(&r, R_DSTS) >> 8, frame + 1);
		assert_int_equal(bench_next_us(r.bench), BENCH_NEVER); /* without an event */
		wr(&r, R_GINTSTS, B(3));
		set(&r, R_GINTMSK, B(3));
		host_sleep(&r.host, 10000);
		assert_int_equal(r.frames, 10);
		clear(&r, R_GINTMSK, B(3));
		host_sleep(&r.host, 10000);
		assert_int_equal(r.frames, 10);
		rig_close(&r);
	}
}

/* Firmware that hangs: SETUP is acknowledged by the core, all else NAKed, and the FIFO is full one day. */
static void firmware_that_hangs_answers_nothing_and_costs_nothing(void **state)
{
	(void)state;
	FOR_EACH_DRIVER(d)
	{
		struct rig r;
		uint8_t b[64];

		rig_open(&r, drivers[d]);
		rig_enumerate(&r);
		r.stopped = true;
		r.host.timeout_us = 5000000;
		for (unsigned i = 0; i < 100; i++) {
			enum usb_result result = host_control(&r.host, 0x80, 6, 0x0100, 0, b, 18, NULL);

			assert_true(result == USB_CANCELLED || result == USB_SILENT);
		}
		assert_int_equal(host_control(&r.host, 0x80, 6, 0x0100, 0, b, 18, NULL), USB_SILENT);
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
		cmocka_unit_test(a_request_that_is_given_up_leaves_nothing_behind),
		cmocka_unit_test(a_reset_in_the_middle_of_anything_is_recovered_from),
		cmocka_unit_test(a_silent_bus_suspends_the_device),
		cmocka_unit_test(a_cable_that_is_pulled_is_noticed),
		cmocka_unit_test(frames_count_and_interrupt),
		cmocka_unit_test(firmware_that_hangs_answers_nothing_and_costs_nothing),
	};

	return cmocka_run_group_tests_name("otg_fs", tests, NULL, NULL);
}
