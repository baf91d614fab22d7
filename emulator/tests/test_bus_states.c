/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire's states: attachment, reset, address, frames, silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "packet_device.h"

static void a_reset_takes_its_time_and_transfers_wait(void **state)
{
	struct packet_device d;
	struct host_urb u, v;
	uint8_t b[64];

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].answer = BUS_NAK;
	d.in[2].always = true;
	packet_submit(&d, &u, 0x82, b, 64);
	host_sleep(&d.host, 100);
	d.count = 0;
	d.host.dev->ops->bus_reset(d.host.dev);
	assert_int_equal(u.urb.result, USB_CANCELLED);
	assert_int_equal(u.completions, 1);
	host_submit(&d.host, &v, (struct usb_setup){ 0x80, 6, 0x0100, 0, 18 }, b);
	assert_int_equal(d.count, 0); /* the device is not called from within the host's call */
	assert_true(host_wait(&d.host, &v, 100000));
	assert_int_equal(d.heard[1].at_us - d.heard[0].at_us, 10000);
	assert_true(d.heard[2].at_us - d.heard[1].at_us >= 10000);
	assert_int_equal(d.heard[2].address, 0);
	assert_string_equal(packet_said(&d), "RrSIO");
	packet_close(&d);
}

static void a_reset_in_a_reset_begins_anew(void **state)
{
	struct packet_device d;
	uint64_t begin;

	(void)state;
	packet_open(&d);
	d.host.dev->ops->bus_reset(d.host.dev);
	host_sleep(&d.host, 7000);
	begin = bench_now_us(d.bench);
	d.host.dev->ops->bus_reset(d.host.dev);
	host_sleep(&d.host, 50000);
	assert_int_equal(d.heard[2].at_us - begin, 10000);
	assert_string_equal(packet_said(&d), "RRr");
	packet_close(&d);
}

static void whoever_submits_without_a_reset_gets_one(void **state)
{
	struct packet_device d;
	uint8_t b[64];
	size_t n;

	(void)state;
	packet_open(&d);
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0100, 0, b, 64, &n), USB_ACK);
	assert_int_equal(n, 18);
	assert_string_equal(packet_said(&d), "RrSIO");
	packet_close(&d);
}

static void an_address_is_given_where_the_host_gave_none(void **state)
{
	static const struct {
		const char *name;
		uint8_t type, request;
		uint16_t value;
		const char *want;
		uint8_t address; /* of the last transaction */
	} rows[] = {
		{ "what it is", 0x80, 6, 0x0100, "RrSI", 0 },
		{ "the host's address", 0x00, 5, 77, "RrSI", 0 },
		{ "configuration", 0x00, 9, 1, "RrSISI", 1 },
		{ "vendor request", 0x40, 1, 0, "RrSISI", 1 },
	};
	struct packet_device d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		packet_open(&d);
		d.host.dev->ops->bus_reset(d.host.dev);
		assert_int_equal(packet_control(&d, rows[i].type, rows[i].request, rows[i].value, 0, NULL, 0, NULL),
				 USB_ACK);
		assert_int_equal(d.heard[d.count - 1].address, rows[i].address);
		if (d.count == 6)
			assert_true(d.heard[4].at_us - d.heard[3].at_us >= 2000);
		assert_string_equal(packet_said(&d), rows[i].want);
		packet_close(&d);
	}
	packet_open(&d);
	d.host.dev->ops->bus_reset(d.host.dev);
	assert_int_equal(packet_transfer(&d, 0x03, NULL, 0, NULL), USB_ACK); /* an endpoint wants one too */
	assert_int_equal(d.heard[d.count - 1].address, 1);
	assert_int_equal(packet_control(&d, 0x00, 5, 77, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(packet_transfer(&d, 0x03, NULL, 0, NULL), USB_ACK);
	assert_int_equal(d.heard[d.count - 1].address, 77);
	assert_true(d.heard[d.count - 1].at_us - d.heard[d.count - 2].at_us >= 2000);
	packet_close(&d);
}

static void a_device_that_takes_no_address_is_spoken_to_all_the_same(void **state)
{
	struct packet_device d;

	(void)state;
	packet_open(&d);
	d.host.dev->ops->bus_reset(d.host.dev);
	d.in[0].answer = BUS_STALL;
	d.in[0].times = 1;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(d.heard[d.count - 1].address, 0);
	assert_string_equal(packet_said(&d), "RrSISI");
	packet_close(&d);
}

static void others_wait_for_the_address_without_events(void **state)
{
	struct packet_device d;
	struct host_urb u, v;

	(void)state;
	packet_open(&d);
	d.in[0].answer = BUS_NAK;
	d.in[0].always = true;
	packet_submit(&d, &u, 0x03, NULL, 0);
	host_submit(&d.host, &v, (struct usb_setup){ 0x40, 1, 0, 0, 0 }, NULL);
	host_sleep(&d.host, 100000);
	assert_string_equal(packet_said(&d), "RrSI");
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	d.in[0].always = false;
	bus_ready(d.bus, 0x80);
	assert_true(host_wait(&d.host, &u, 10000) && host_wait(&d.host, &v, 10000));
	assert_string_equal(packet_said(&d), "ISIO");
	packet_close(&d);
}

static void small_control_packets_are_learnt(void **state)
{
	struct packet_device d;
	uint8_t b[96];
	size_t n;

	(void)state;
	packet_open(&d);
	d.in[0].packet = 8;
	d.descriptor[7] = 8;
	d.host.dev->ops->bus_reset(d.host.dev);
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0100, 0, b, 64, &n), USB_ACK);
	assert_int_equal(n, 8); /* a packet of 64 was looked for */
	assert_int_equal(packet_control(&d, 0x00, 5, 5, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0100, 0, b, 18, &n), USB_ACK);
	assert_int_equal(n, 18);
	d.count = 0;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, b, 20, &n), USB_ACK);
	assert_string_equal(packet_said(&d), "SOOOI");
	/* a reset does not make another device of it */
	d.host.dev->ops->bus_reset(d.host.dev);
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, b, 20, &n), USB_ACK);
	assert_string_equal(packet_said(&d), "RrSISOOOI");
	/* a new pull-up may */
	bus_pull_up(d.bus, false);
	bus_pull_up(d.bus, true);
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, b, 20, &n), USB_ACK);
	assert_string_equal(packet_said(&d), "RrSISOI");
	packet_close(&d);
}

static void endpoints_are_those_of_the_setting(void **state)
{
	struct packet_device d;
	uint8_t data[64], b[96];
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[1].packet = 16;
	d.in[1].left = 40;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_ACK);
	assert_int_equal(n, 16); /* short of 32 */
	assert_int_equal(packet_control(&d, 0x01, 11, 1, 0, NULL, 0, NULL), USB_ACK);
	d.in[1].data1 = false;
	d.in[1].left = 40;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_ACK);
	assert_int_equal(n, 40);
	/* a configuration that is set anew begins with the first settings, and so does a reset */
	assert_int_equal(packet_control(&d, 0x00, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	d.in[1].data1 = false;
	d.in[1].left = 40;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_ACK);
	assert_int_equal(n, 16);
	/* what is read again is what counts */
	d.configuration[9 + 9 + 7 + 4] = 16;
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0200, 0, b, sizeof(b), NULL), USB_ACK);
	assert_int_equal(packet_control(&d, 0x00, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	d.in[1].data1 = false;
	d.in[1].left = 40;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_ACK);
	assert_int_equal(n, 40);
	/* one more configuration takes nothing from the first */
	d.configuration[5] = 2;
	d.configuration[9 + 9 + 7 + 4] = 8;
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0201, 0, b, sizeof(b), NULL), USB_ACK);
	d.in[1].left = 40;
	d.in[1].data1 = true;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_ACK);
	assert_int_equal(n, 40);
	/* the other interface has one of its own, whatever the first is set to */
	d.in[5].packet = 8;
	d.in[5].left = 20;
	assert_int_equal(packet_transfer(&d, 0x85, data, 64, &n), USB_ACK);
	assert_int_equal(n, 20);
	packet_close(&d);
}

static void broken_descriptors_teach_nothing(void **state)
{
	struct packet_device d;
	uint8_t b[96];

	(void)state;
	for (unsigned i = 0; i < 92; i++)
		for (unsigned value = 0; value < 256; value += 51) {
			packet_open(&d);
			d.configuration[i] = (uint8_t)value;
			d.descriptor[i % 18] = (uint8_t)value;
			packet_enumerate(&d);
			d.in[1].left = 5;
			packet_transfer(&d, 0x81, b, 64, NULL);
			packet_close(&d);
		}
}

static void frames_are_sent_to_who_wants_them(void **state)
{
	struct packet_device d;
	uint16_t frame;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	frame = bus_frame(d.bus);
	host_sleep(&d.host, 10000);
	assert_int_equal(bus_frame(d.bus), frame + 10);
	assert_int_equal(d.count, 0);
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	bus_want_sof(d.bus, true);
	host_sleep(&d.host, 3000);
	assert_int_equal(d.heard[2].length, frame + 13);
	assert_int_equal(d.heard[2].at_us - d.heard[1].at_us, 1000);
	assert_string_equal(packet_said(&d), "FFF");
	bus_want_sof(d.bus, false);
	host_sleep(&d.host, 3000000);
	assert_int_equal(bus_frame(d.bus), (frame + 13 + 3000) % 2048);
	assert_int_equal(d.count, 0);
	packet_close(&d);
}

static void a_suspended_bus_is_silent_until_it_resumes(void **state)
{
	struct packet_device d;
	uint8_t data[64];
	struct host_urb u;
	uint16_t frame;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	bus_want_sof(d.bus, true);
	frame = bus_frame(d.bus);
	bus_suspend(d.bus, true);
	assert_int_equal(bus_frame(d.bus), frame);
	packet_submit(&d, &u, 0x03, data, 64);
	host_sleep(&d.host, 100000);
	assert_int_equal(u.completions, 0);
	assert_string_equal(packet_said(&d), "Z");
	bus_suspend(d.bus, false);
	bus_want_sof(d.bus, false);
	assert_true(host_wait(&d.host, &u, 100000));
	assert_int_equal(d.heard[1].at_us - d.heard[0].at_us, 30000 + 51 + 1);
	assert_int_equal(bus_frame(d.bus), frame + 10);
	assert_string_equal(packet_said(&d), "zO");
	/* with frames */
	bus_suspend(d.bus, true);
	bus_want_sof(d.bus, true);
	bus_suspend(d.bus, false);
	host_sleep(&d.host, 21500);
	assert_int_equal(d.heard[2].at_us - d.heard[1].at_us, 20000);
	assert_string_equal(packet_said(&d), "ZzFF");
	bus_want_sof(d.bus, false);
	host_sleep(&d.host, 10000);
	/* by the device */
	bus_wake(d.bus); /* nobody sleeps */
	bus_suspend(d.bus, true);
	host_sleep(&d.host, 5000);
	bus_wake(d.bus);
	assert_int_equal(d.count, 1);
	host_sleep(&d.host, 100000);
	assert_string_equal(packet_said(&d), "Zz");
	assert_int_equal(packet_transfer(&d, 0x03, data, 64, NULL), USB_ACK);
	/* a reset wakes too */
	bus_suspend(d.bus, true);
	d.host.dev->ops->bus_reset(d.host.dev);
	host_sleep(&d.host, 100000);
	assert_string_equal(packet_said(&d), "OZRr");
	packet_close(&d);
}

static void without_pull_up_all_is_gone(void **state)
{
	struct packet_device d;
	struct host_urb u, v, w;
	uint8_t data[64];

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].answer = BUS_NAK;
	d.in[2].always = true;
	packet_submit(&d, &u, 0x82, data, 64);
	host_submit(&d.host, &v, (struct usb_setup){ 0xc0, 1, 0, 0, 20 }, data);
	host_sleep(&d.host, 5);
	bus_pull_up(d.bus, false);
	assert_int_equal(u.urb.result, USB_GONE);
	assert_int_equal(v.urb.result, USB_GONE);
	assert_int_equal(d.host.detaches, 1);
	packet_submit(&d, &w, 0x82, data, 64);
	assert_int_equal(w.urb.result, USB_GONE);
	d.host.dev->ops->bus_reset(d.host.dev);
	d.host.dev->ops->cancel(d.host.dev, &w.urb);
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	/* and in the middle of a reset */
	bus_pull_up(d.bus, true);
	d.host.dev->ops->bus_reset(d.host.dev);
	host_sleep(&d.host, 5000);
	bus_pull_up(d.bus, false);
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	packet_close(&d);
}

static char leaves_at;

static void leave_now(struct packet_device *d, char what, uint8_t endpoint)
{
	(void)endpoint;
	if (what != leaves_at)
		return;
	bus_pull_up(d->bus, false);
	bus_pull_up(d->bus, true);
}

static void the_device_may_leave_in_the_middle_of_a_packet(void **state)
{
	struct packet_device d;
	struct host_urb u;
	uint8_t data[64] = { 0 };

	(void)state;
	for (const char *at = "SOIA"; *at; at++) {
		packet_open(&d);
		packet_enumerate(&d);
		d.during = leave_now;
		leaves_at = *at;
		if (*at == 'S')
			host_submit(&d.host, &u, (struct usb_setup){ 0xc0, 1, 0, 0, 20 }, data);
		else
			packet_submit(&d, &u, *at == 'O' ? 0x03 : 0x82, data, 64);
		assert_true(host_wait(&d.host, &u, 1000));
		assert_int_equal(u.urb.result, USB_GONE);
		assert_int_equal(d.host.detaches, 1);
		assert_int_equal(d.host.attaches, 2);
		d.during = NULL;
		packet_enumerate(&d);
		packet_close(&d);
	}
}

static void a_pulled_cable_leaves_silence(void **state)
{
	struct packet_device d;
	struct host_urb u;
	uint8_t data[64] = { 0 };

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].answer = BUS_NAK;
	d.in[2].always = true;
	packet_submit(&d, &u, 0x82, data, 64);
	host_sleep(&d.host, 100);
	d.count = 0;
	bus_unplug(d.bus);
	bus_unplug(d.bus);
	assert_int_equal(u.urb.result, USB_GONE);
	assert_string_equal(packet_said(&d), "Z");
	packet_enumerate(&d);
	/* in the middle of a reset, too */
	d.host.dev->ops->bus_reset(d.host.dev);
	host_sleep(&d.host, 5000);
	bus_unplug(d.bus);
	host_sleep(&d.host, 50000);
	assert_string_equal(packet_said(&d), "RZ");
	packet_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reset_takes_its_time_and_transfers_wait),
		cmocka_unit_test(a_reset_in_a_reset_begins_anew),
		cmocka_unit_test(whoever_submits_without_a_reset_gets_one),
		cmocka_unit_test(an_address_is_given_where_the_host_gave_none),
		cmocka_unit_test(a_device_that_takes_no_address_is_spoken_to_all_the_same),
		cmocka_unit_test(others_wait_for_the_address_without_events),
		cmocka_unit_test(small_control_packets_are_learnt),
		cmocka_unit_test(endpoints_are_those_of_the_setting),
		cmocka_unit_test(broken_descriptors_teach_nothing),
		cmocka_unit_test(frames_are_sent_to_who_wants_them),
		cmocka_unit_test(a_suspended_bus_is_silent_until_it_resumes),
		cmocka_unit_test(without_pull_up_all_is_gone),
		cmocka_unit_test(the_device_may_leave_in_the_middle_of_a_packet),
		cmocka_unit_test(a_pulled_cable_leaves_silence),
	};

	return cmocka_run_group_tests_name("bus_states", tests, NULL, NULL);
}
