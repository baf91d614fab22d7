/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transfers on the wire, against a device that says what it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "packet_device.h"

/* Bit times of transactions with so many bytes of data. */
#define WIRE(bytes) ((13u + (bytes)) * 8u)

static void each_transaction_takes_its_time(void **state)
{
	static uint8_t data[64000];
	struct packet_device d;
	struct host_urb u;
	uint64_t begin;
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	begin = bench_now_us(d.bench);
	assert_int_equal(packet_control(&d, 0x80, 6, 0x0100, 0, data, 18, &n), USB_ACK);
	assert_int_equal(n, 18);
	assert_int_equal(bench_now_us(d.bench) - begin, (WIRE(8) + WIRE(18) + WIRE(0) + 11) / 12);
	assert_int_equal(d.heard[0].at_us - begin, WIRE(8) / 12); /* SETUP is there when it is over */
	assert_string_equal(packet_said(&d), "SIO");
	host_sleep(&d.host, 10);
	begin = bench_now_us(d.bench);
	packet_submit(&d, &u, 0x03, data, sizeof(data));
	assert_true(host_wait(&d.host, &u, 1000000));
	assert_int_equal(u.done_us - begin, (1000 * WIRE(64) + 11) / 12);
	d.in[2].left = sizeof(data);
	d.count = 0;
	host_sleep(&d.host, 10);
	begin = bench_now_us(d.bench);
	assert_int_equal(packet_transfer(&d, 0x82, data, sizeof(data), &n), USB_ACK);
	assert_int_equal(n, sizeof(data));
	assert_int_equal(bench_now_us(d.bench) - begin, (1000 * WIRE(64) + 11) / 12);
	packet_close(&d);
}

static void what_is_naked_costs_no_events_until_the_device_is_ready(void **state)
{
	struct packet_device d;
	uint8_t data[64] = { 7 };
	struct host_urb u, v, w;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].answer = d.out[3].answer = d.in[0].answer = BUS_NAK;
	d.in[2].always = d.out[3].always = d.in[0].always = true;
	packet_submit(&d, &u, 0x82, data, 64);
	packet_submit(&d, &v, 0x03, data, 64);
	host_submit(&d.host, &w, (struct usb_setup){ 0xc0, 1, 0, 0, 3 }, data);
	host_sleep(&d.host, 1000);
	assert_string_equal(packet_said(&d), "SIOI");
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	bus_ready(d.bus, 0x82); /* it is not */
	host_sleep(&d.host, 1000);
	assert_string_equal(packet_said(&d), "I");
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	d.in[2].always = d.out[3].always = d.in[0].always = false;
	d.in[2].left = 5;
	bus_ready(d.bus, 0x03);
	assert_true(host_wait(&d.host, &v, 1000));
	bus_ready(d.bus, 0x82);
	assert_true(host_wait(&d.host, &u, 1000));
	bus_ready(d.bus, 0x80);
	assert_true(host_wait(&d.host, &w, 1000));
	assert_int_equal(u.urb.actual, 5);
	assert_int_equal(v.urb.actual, 64);
	assert_int_equal(w.urb.actual, 3);
	packet_close(&d);
}

static void a_transfer_ends_with_a_short_packet_or_full(void **state)
{
	static const struct {
		const char *name;
		uint8_t endpoint;
		size_t packet, there, room, want, packets;
	} rows[] = {
		{ "full", 0x82, 64, 1000, 128, 128, 2 },
		{ "short", 0x82, 64, 70, 128, 70, 2 },
		{ "one packet of several", 0x82, 64, 10, 4096, 10, 1 },
		{ "empty at a packet's end", 0x82, 64, 64, 4096, 64, 2 },
		{ "empty", 0x82, 64, 0, 64, 0, 1 },
		{ "no room", 0x82, 64, 0, 0, 0, 1 },
		{ "smaller packets", 0x81, 32, 33, 64, 33, 2 },
		{ "packets as large as the descriptor says", 0x81, 32, 32, 64, 32, 2 },
	};
	uint8_t data[4096];
	struct packet_device d;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		packet_open(&d);
		packet_enumerate(&d);
		d.in[rows[i].endpoint & 0xf].packet = rows[i].packet;
		d.in[rows[i].endpoint & 0xf].left = rows[i].there;
		assert_int_equal(packet_transfer(&d, rows[i].endpoint, data, rows[i].room, &n), USB_ACK);
		assert_int_equal(n, rows[i].want);
		assert_int_equal(d.count, rows[i].packets);
		packet_close(&d);
	}
}

static void out_data_is_cut_into_packets(void **state)
{
	static const struct {
		uint8_t endpoint;
		size_t length;
		const char *want;
		size_t last;
	} rows[] = {
		{ 0x03, 130, "OOO", 2 },   { 0x03, 128, "OO", 64 }, { 0x03, 0, "O", 0 },
		{ 0x01, 130, "OOOOO", 2 }, { 0x01, 32, "O", 32 },   { 0x05, 65, "OO", 1 }, /* not known */
		{ 0x06, 65, "OO", 1 }, /* said to be of 512, as none is at full speed */
	};
	uint8_t data[256] = { 0 };
	struct packet_device d;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packet_open(&d);
		packet_enumerate(&d);
		assert_int_equal(packet_transfer(&d, rows[i].endpoint, data, rows[i].length, &n), USB_ACK);
		assert_int_equal(n, rows[i].length);
		assert_int_equal(d.heard[d.count - 1].length, rows[i].last);
		assert_string_equal(packet_said(&d), rows[i].want);
		packet_close(&d);
	}
}

static void control_stages_follow_the_request(void **state)
{
	static const struct {
		const char *name;
		uint8_t type;
		uint16_t length;
		size_t there;
		const char *want;
		const char *toggles; /* of all but SETUP */
	} rows[] = {
		{ "no data", 0x40, 0, 0, "SI", "1" },
		{ "no data, said to be in", 0xc0, 0, 0, "SI", "1" },
		{ "out", 0x40, 130, 0, "SOOOI", "1011" },
		{ "out, a whole packet", 0x40, 64, 0, "SOI", "11" },
		{ "in", 0xc0, 130, 130, "SIIIO", "1011" },
		{ "in, a whole packet", 0xc0, 64, 64, "SIO", "11" },
		{ "in, short", 0xc0, 130, 66, "SIIO", "101" },
		{ "in, short at a packet's end", 0xc0, 130, 64, "SIIO", "101" },
		{ "in, nothing", 0xc0, 130, 0, "SIO", "11" },
	};
	uint8_t data[256] = { 0 };
	struct packet_device d;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n;

		print_message("%s\n", rows[i].name);
		packet_open(&d);
		packet_enumerate(&d);
		d.has_reply = true;
		d.reply_most = rows[i].there;
		assert_int_equal(packet_control(&d, rows[i].type, 1, 0, 0, data, rows[i].length, &n), USB_ACK);
		assert_int_equal(n, rows[i].type & 0x80 ? rows[i].there : rows[i].length);
		for (unsigned j = 1; j < d.count; j++)
			assert_int_equal(d.heard[j].data1, rows[i].toggles[j - 1] == '1');
		assert_string_equal(packet_said(&d), rows[i].want);
		packet_close(&d);
	}
}

static void a_stall_is_an_answer_at_every_stage(void **state)
{
	uint8_t data[256] = { 0 };
	struct packet_device d;
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[0].answer = d.out[0].answer = d.in[2].answer = d.out[3].answer = BUS_STALL;
	d.in[0].times = 1;
	assert_int_equal(packet_control(&d, 0xc0, 1, 0, 0, data, 100, &n), USB_STALL);
	assert_string_equal(packet_said(&d), "SI");
	d.out[0].times = 1; /* status */
	assert_int_equal(packet_control(&d, 0xc0, 1, 0, 0, data, 100, &n), USB_STALL);
	assert_string_equal(packet_said(&d), "SIIO");
	d.out[0].times = 1;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, data, 100, &n), USB_STALL);
	assert_string_equal(packet_said(&d), "SO");
	d.in[0].times = 1; /* status */
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, data, 100, &n), USB_STALL);
	assert_string_equal(packet_said(&d), "SOOI");
	d.in[2].times = d.out[3].times = 1;
	assert_int_equal(packet_transfer(&d, 0x82, data, 64, &n), USB_STALL);
	assert_int_equal(packet_transfer(&d, 0x03, data, 64, &n), USB_STALL);
	assert_int_equal(packet_transfer(&d, 0x03, data, 64, &n), USB_ACK);
	assert_int_equal(packet_control(&d, 0xc0, 1, 0, 0, data, 100, &n), USB_ACK);
	packet_close(&d);
}

static void silence_is_heard_three_times(void **state)
{
	uint8_t data[256] = { 0 };
	struct packet_device d;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].answer = d.out[3].answer = d.in[0].answer = d.setup_answer = BUS_NOTHING;
	d.in[2].times = 3;
	assert_int_equal(packet_transfer(&d, 0x82, data, 64, NULL), USB_SILENT);
	assert_string_equal(packet_said(&d), "III");
	d.out[3].times = 2;
	assert_int_equal(packet_transfer(&d, 0x03, data, 64, NULL), USB_ACK);
	assert_string_equal(packet_said(&d), "OOO");
	d.setup_times = 3;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_SILENT);
	assert_string_equal(packet_said(&d), "SSS");
	d.setup_answer = BUS_NAK; /* which is no answer to SETUP */
	d.setup_times = 3;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_SILENT);
	d.in[0].times = 3;
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_SILENT);
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_ACK);
	packet_close(&d);
}

static char quiet_at;

/* Two tokens of three find nobody. */
static void every_third_is_heard(struct packet_device *d, char what, uint8_t endpoint)
{
	static unsigned turn;

	if (what != quiet_at)
		return;
	d->in[endpoint].answer = d->out[endpoint].answer = BUS_NOTHING;
	d->in[endpoint].times = d->out[endpoint].times = ++turn % 3 != 0;
}

static void each_packet_has_three_tries(void **state)
{
	static uint8_t data[640];
	struct packet_device d;
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.during = every_third_is_heard;
	quiet_at = 'O';
	assert_int_equal(packet_transfer(&d, 0x03, data, 640, NULL), USB_ACK);
	assert_int_equal(d.count, 30);
	quiet_at = 'I';
	d.in[2].left = 640;
	assert_int_equal(packet_transfer(&d, 0x82, data, 640, &n), USB_ACK);
	assert_int_equal(n, 640);
	assert_int_equal(d.count, 60);
	/* a transfer that is given up leaves its tries to no other */
	d.during = NULL;
	d.in[2].answer = BUS_NOTHING;
	for (unsigned i = 0; i < 5; i++) {
		struct host_urb u;

		d.in[2].times = 2;
		packet_submit(&d, &u, 0x82, data, 640);
		host_sleep(&d.host, 18);
		d.host.dev->ops->cancel(d.host.dev, &u.urb);
		assert_int_equal(u.urb.result, USB_CANCELLED);
		host_sleep(&d.host, 100);
	}
	packet_close(&d);
}

static void more_than_there_is_room_for_fails(void **state)
{
	uint8_t data[64];
	struct packet_device d;
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].left = 64;
	assert_int_equal(packet_transfer(&d, 0x82, data, 63, &n), USB_SILENT); /* babble */
	assert_int_equal(n, 63);
	d.in[1].left = 33; /* of 32 at most */
	d.in[1].packet = 33;
	assert_int_equal(packet_transfer(&d, 0x81, data, 64, &n), USB_SILENT);
	packet_close(&d);
}

static void toggles_alternate_and_begin_anew_where_both_sides_know(void **state)
{
	static const struct {
		const char *name;
		uint8_t type, request;
		uint16_t value, index;
		bool out_again, in_again;
	} rows[] = {
		{ "nothing", 0x40, 1, 0, 0, false, false },
		{ "SET_CONFIGURATION", 0x00, 9, 1, 0, true, true },
		{ "SET_INTERFACE", 0x01, 11, 0, 0, true, true },
		{ "SET_INTERFACE of another", 0x01, 11, 0, 1, false, false },
		{ "CLEAR_FEATURE of the IN endpoint", 0x02, 1, 0, 0x81, false, true },
		{ "CLEAR_FEATURE of the OUT endpoint", 0x02, 1, 0, 0x01, true, false },
		{ "CLEAR_FEATURE of the device", 0x00, 1, 1, 0, false, false },
	};
	uint8_t data[64] = { 0 };
	struct packet_device d;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		packet_open(&d);
		packet_enumerate(&d);
		d.in[1].left = 1000;
		d.in[1].packet = 32;
		assert_int_equal(packet_transfer(&d, 0x01, data, 64, NULL), USB_ACK);
		assert_int_equal(packet_transfer(&d, 0x01, data, 20, NULL), USB_ACK);
		assert_int_equal(packet_transfer(&d, 0x81, data, 32, NULL), USB_ACK);
		assert_false(d.heard[0].data1);
		assert_true(d.heard[1].data1);
		assert_false(d.heard[2].data1);
		assert_int_equal(
			packet_control(&d, rows[i].type, rows[i].request, rows[i].value, rows[i].index, NULL, 0, NULL),
			USB_ACK);
		d.count = 0;
		assert_int_equal(packet_transfer(&d, 0x01, data, 1, NULL), USB_ACK);
		assert_int_equal(d.heard[0].data1, !rows[i].out_again);
		/* A device that did not begin anew: its packet is acknowledged and not taken. */
		assert_int_equal(packet_transfer(&d, 0x81, data, 32, &n), USB_ACK);
		assert_int_equal(n, 32);
		assert_string_equal(packet_said(&d), rows[i].in_again ? "OII" : "OI");
		packet_close(&d);
	}
}

static void a_packet_that_comes_again_is_not_taken(void **state)
{
	uint8_t data[128];
	struct packet_device d;
	size_t n;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].left = 100;
	d.in[2].repeats = true;
	assert_int_equal(packet_transfer(&d, 0x82, data, 128, &n), USB_ACK);
	assert_int_equal(n, 100);
	assert_string_equal(packet_said(&d), "III");
	packet_close(&d);
}

static void a_transfer_is_taken_back_in_the_middle(void **state)
{
	uint8_t data[256] = { 0 };
	struct packet_device d;
	struct host_urb u, v;
	uint64_t begin;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	/* SETUP is on the wire: it did not come to be, but the wire was taken */
	begin = bench_now_us(d.bench);
	host_submit(&d.host, &u, (struct usb_setup){ 0xc0, 1, 0, 0, 100 }, data);
	host_sleep(&d.host, 5);
	d.host.dev->ops->cancel(d.host.dev, &u.urb);
	assert_int_equal(u.urb.result, USB_CANCELLED);
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_ACK);
	assert_string_equal(packet_said(&d), "SI");
	assert_int_equal(bench_now_us(d.bench) - begin, (2 * WIRE(8) + WIRE(0) + 11) / 12);
	/* between its packets */
	host_submit(&d.host, &u, (struct usb_setup){ 0xc0, 1, 0, 0, 200 }, data);
	host_sleep(&d.host, WIRE(8) / 12 + 60);
	d.host.dev->ops->cancel(d.host.dev, &u.urb);
	assert_int_equal(u.urb.actual, 128); /* two have come */
	assert_int_equal(packet_control(&d, 0x40, 1, 0, 0, NULL, 0, NULL), USB_ACK);
	assert_string_equal(packet_said(&d), "SIISI");
	/* while the endpoint has nothing to say, with another behind it */
	d.in[2].answer = BUS_NAK;
	d.in[2].always = true;
	packet_submit(&d, &u, 0x82, data, 64);
	packet_submit(&d, &v, 0x82, data, 64);
	host_sleep(&d.host, 1000);
	d.host.dev->ops->cancel(d.host.dev, &u.urb);
	d.host.dev->ops->cancel(d.host.dev, &u.urb); /* no longer there */
	assert_int_equal(u.completions, 1);
	assert_int_equal(v.completions, 0);
	d.in[2].always = false;
	d.in[2].left = 9;
	bus_ready(d.bus, 0x82);
	assert_true(host_wait(&d.host, &v, 1000));
	assert_int_equal(v.urb.actual, 9);
	/* what came and was acknowledged counts: the toggles go on */
	d.in[2].left = 64 + 20;
	packet_submit(&d, &u, 0x82, data, 128);
	host_sleep(&d.host, 1);
	d.host.dev->ops->cancel(d.host.dev, &u.urb);
	assert_int_equal(u.urb.actual, 64);
	d.count = 0;
	packet_submit(&d, &u, 0x82, data, 128);
	assert_true(host_wait(&d.host, &u, 1000));
	assert_int_equal(u.urb.actual, 20);
	assert_string_equal(packet_said(&d), "I");
	packet_close(&d);
}

static void two_endpoints_take_turns_and_control_goes_first(void **state)
{
	uint8_t data[640] = { 0 }, b[2];
	struct packet_device d;
	struct host_urb u, v, w;

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	d.in[2].left = 640;
	packet_submit(&d, &u, 0x82, data, 192);
	packet_submit(&d, &v, 0x03, data, 192);
	host_sleep(&d.host, 60);
	host_submit(&d.host, &w, (struct usb_setup){ 0xc0, 1, 0, 0, 2 }, b);
	assert_true(host_wait(&d.host, &u, 10000));
	assert_true(host_wait(&d.host, &v, 10000));
	assert_int_equal(w.completions, 1);
	assert_string_equal(packet_said(&d), "OISIOOIOI");
	packet_close(&d);
}

static void an_interrupt_endpoint_is_asked_once_an_interval(void **state)
{
	struct packet_device d;
	uint8_t data[8];
	struct host_urb u;
	uint64_t at[4];

	(void)state;
	packet_open(&d);
	packet_enumerate(&d);
	for (unsigned i = 0; i < 4; i++) {
		d.in[4].left = 3;
		assert_int_equal(packet_transfer(&d, 0x84, data, 8, NULL), USB_ACK);
		at[i] = d.heard[d.count - 1].at_us;
	}
	for (unsigned i = 2; i < 4; i++)
		assert_int_equal(at[i] - at[i - 1], 10000);
	d.in[4].answer = BUS_NAK;
	d.in[4].always = true;
	packet_submit(&d, &u, 0x84, data, 8);
	host_sleep(&d.host, 25000);
	assert_int_equal(bench_next_us(d.bench), BENCH_NEVER);
	d.in[4].always = false;
	bus_ready(d.bus, 0x84);
	assert_true(host_wait(&d.host, &u, 10000));
	assert_int_equal((d.heard[d.count - 1].at_us - at[3]) % 10000, 0);
	packet_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_transaction_takes_its_time),
		cmocka_unit_test(what_is_naked_costs_no_events_until_the_device_is_ready),
		cmocka_unit_test(a_transfer_ends_with_a_short_packet_or_full),
		cmocka_unit_test(out_data_is_cut_into_packets),
		cmocka_unit_test(control_stages_follow_the_request),
		cmocka_unit_test(a_stall_is_an_answer_at_every_stage),
		cmocka_unit_test(silence_is_heard_three_times),
		cmocka_unit_test(each_packet_has_three_tries),
		cmocka_unit_test(more_than_there_is_room_for_fails),
		cmocka_unit_test(toggles_alternate_and_begin_anew_where_both_sides_know),
		cmocka_unit_test(a_packet_that_comes_again_is_not_taken),
		cmocka_unit_test(a_transfer_is_taken_back_in_the_middle),
		cmocka_unit_test(two_endpoints_take_turns_and_control_goes_first),
		cmocka_unit_test(an_interrupt_endpoint_is_asked_once_an_interval),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
