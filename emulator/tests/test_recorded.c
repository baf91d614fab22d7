/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that does what a recording says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fake_host.h"
#include "recorded.h"

#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))
#define MS UINT64_C(1000)

static const uint8_t device_df11[18] = { 18, 1, 0x00, 1, 0, 0, 0, 64, 0x83, 0x04, 0x11, 0xdf, 0, 1, 1, 2, 3, 1 };
static const uint8_t device_5740[18] = { 18, 1, 0x00, 2, 2, 0, 0, 64, 0x83, 0x04, 0x40, 0x57, 0, 2, 1, 2, 3, 1 };
static const uint8_t configuration_dfu[27] = { 9,    2, 27, 0, 1, 1,    0,    0xc0, 50, 9, 4, 0,    0, 0,
					       0xfe, 1, 2,  0, 9, 0x21, 0x0b, 255,  0,  0, 8, 0x1a, 1 };
static const uint8_t configuration_other[25] = { 9, 2, 25, 0, 1, 1, 0, 0xc0, 50, 9, 4, 0, 0,
						 1, 2, 2,  1, 0, 7, 5, 0x81, 3,  8, 0, 10 };
static const uint8_t serial[4] = { 4, 3, 'A', 0 };
static const uint8_t status_error[6] = { 10, 0, 0, 0, 10, 0 };
static const uint8_t status_busy[6] = { 0, 100, 0, 0, 4, 0 };
static const uint8_t status_idle[6] = { 0, 0, 0, 0, 5, 0 };
static const uint8_t status_manifest[6] = { 0, 1, 0, 0, 7, 0 };
static const uint8_t erase[5] = { 0x41, 0, 0, 0, 8 };
static const uint8_t block[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

/* One exchange: after the one before it by `gap`, for as long as `took`, in milliseconds. */
#define IN_OF(packet_, from, took, type_, request_, value_, reply) \
	{ \
		.packet = (packet_), .start_us = (from)*MS, .end_us = ((from) + (took)) * MS, \
		.setup = { (type_), (request_), (value_), 0, sizeof(reply) }, .complete = true, .result = USB_ACK, \
		.actual = sizeof(reply), .data = (reply), .length = sizeof(reply) \
	}
#define OUT_OF(packet_, from, took, request_, value_, sent) \
	{ \
		.packet = (packet_), .start_us = (from)*MS, .end_us = ((from) + (took)) * MS, \
		.setup = { 0x21, (request_), (value_), 0, sizeof(sent) }, .complete = true, .result = USB_ACK, \
		.actual = sizeof(sent), .data = (sent), .length = sizeof(sent) \
	}
#define BARE(packet_, from, request_) \
	{ \
		.packet = (packet_), .start_us = (from)*MS, .end_us = (from)*MS, \
		.setup = { 0x21, (request_), 0, 0, 0 }, .complete = true, .result = USB_ACK \
	}
#define STATUS(packet, from, took, reply) IN_OF(packet, from, took, 0xa1, 3, 0, reply)
#define ENUMERATION(packet, from, device, configuration) \
	IN_OF(packet, from, 0, 0x80, 6, 0x0100, device), IN_OF(packet + 2, from, 0, 0x80, 6, 0x0200, configuration), \
		IN_OF(packet + 4, from, 0, 0x80, 6, 0x0303, serial)

static const struct recorded_exchange session[] = {
	ENUMERATION(1, 1000, device_df11, configuration_dfu),
	STATUS(11, 2000, 1, status_error),
	BARE(13, 2010, 4),
	OUT_OF(15, 2020, 1, 1, 0, erase),
	STATUS(17, 2030, 1, status_busy),
	STATUS(19, 2140, 900, status_idle),
	OUT_OF(21, 3100, 5, 1, 2, block),
	STATUS(23, 3110, 1, status_busy),
	STATUS(25, 3220, 1, status_idle),
	BARE(27, 3300, 1),
	STATUS(29, 3310, 1, status_manifest),
};
static const struct recorded_exchange application[] = {
	ENUMERATION(41, 4400, device_5740, configuration_other),
};
static const struct recorded_life lives[] = {
	{ .exchanges = session, .count = ARRAY(session) },
	{ .exchanges = application, .count = ARRAY(application) },
};

struct scene {
	struct bench *bench;
	struct recorded *recorded;
	struct usbdev *dev;
	struct fake_host host;
	struct usb_urb urb;
	uint8_t data[64];
	struct recorded_event last, departure;
	uint8_t departed_data[64];
	unsigned seen[RECORDED_COMES + 1];
};

static void listen(void *context, const struct recorded_event *e)
{
	struct scene *s = context;

	s->last = *e;
	s->seen[e->what]++;
	if (e->departure) {
		s->departure = *e;
		if (e->length)
			memcpy(s->departed_data, e->data, e->length);
	}
}

static void set_up(struct scene *s, const struct recorded_life *which, size_t count, bool loose)
{
	memset(s, 0, sizeof(*s));
	s->bench = bench_new(1);
	s->recorded = recorded_new(s->bench, which, count, loose);
	assert_non_null(s->recorded);
	recorded_listen(s->recorded, listen, s);
	s->dev = recorded_usbdev(s->recorded);
	fake_host_init(&s->host);
	usbdev_connect(s->dev, &s->host.host);
	recorded_plug(s->recorded, 0);
	assert_ptr_equal(s->host.dev, s->dev);
}

static void tear_down(struct scene *s)
{
	recorded_free(s->recorded);
	bench_free(s->bench);
}

/* Microseconds that it took; the answer is in s->urb. */
static uint64_t ask(struct scene *s, uint8_t type, uint8_t request, uint16_t value, const void *out, uint16_t length)
{
	uint64_t start = bench_now_us(s->bench);

	memset(s->data, 0xee, sizeof(s->data));
	if (out)
		memcpy(s->data, out, length);
	fake_host_control(s->dev, &s->urb, type, request, value, 0, s->data, length);
	while (!fake_host_is_done(&s->urb)) {
		assert_true(bench_next_us(s->bench) != BENCH_NEVER);
		bench_advance(s->bench, bench_next_us(s->bench));
	}
	return bench_now_us(s->bench) - start;
}

static uint64_t get_status(struct scene *s)
{
	return ask(s, 0xa1, 3, 0, NULL, 6);
}

static void answers(struct scene *s, const uint8_t status[6])
{
	assert_int_equal(s->urb.result, USB_ACK);
	assert_int_equal(s->urb.actual, 6);
	assert_memory_equal(s->data, status, 6);
}

static void go_on(struct scene *s, uint64_t ms)
{
	bench_advance(s->bench, bench_now_us(s->bench) + ms * MS);
}

/* The whole of `session`. */
static void play_all(struct scene *s)
{
	get_status(s);
	ask(s, 0x21, 4, 0, NULL, 0);
	ask(s, 0x21, 1, 0, erase, sizeof(erase));
	get_status(s);
	get_status(s);
	ask(s, 0x21, 1, 2, block, sizeof(block));
	get_status(s);
	get_status(s);
	ask(s, 0x21, 1, 0, NULL, 0);
	get_status(s);
}

static void it_says_what_was_recorded_as_late_as_it_did(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	assert_int_equal(get_status(&s), 1 * MS);
	answers(&s, status_error);
	assert_int_equal(ask(&s, 0x21, 4, 0, NULL, 0), 0);
	assert_int_equal(s.urb.result, USB_ACK);
	assert_int_equal(ask(&s, 0x21, 1, 0, erase, sizeof(erase)), 1 * MS);
	assert_int_equal(s.urb.actual, sizeof(erase));
	get_status(&s);
	answers(&s, status_busy);
	assert_int_equal(get_status(&s), 900 * MS);
	answers(&s, status_idle);
	assert_int_equal(recorded_counts(s.recorded).played, 5);
	assert_int_equal(recorded_counts(s.recorded).requests, 10);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	assert_int_equal(recorded_history(s.recorded, 0)->packet, 19);
	assert_int_equal(recorded_history(s.recorded, 4)->packet, 11);
	assert_null(recorded_history(s.recorded, 5));
	tear_down(&s);
}

static void it_enumerates_from_its_descriptors_in_any_order(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	for (int times = 0; times < 2; times++) {
		s.dev->ops->bus_reset(s.dev);
		ask(&s, 0x80, 6, 0x0303, NULL, 64);
		assert_int_equal(s.urb.actual, 4);
		ask(&s, 0x80, 6, 0x0200, NULL, 9);
		assert_int_equal(s.urb.actual, 9);
		assert_memory_equal(s.data, configuration_dfu, 9);
		ask(&s, 0x80, 6, 0x0100, NULL, 64);
		assert_int_equal(s.urb.actual, 18);
		assert_memory_equal(s.data, device_df11, 18);
		ask(&s, 0x00, 5, 7, NULL, 0);
		assert_int_equal(s.urb.result, USB_ACK);
		ask(&s, 0x00, 9, 1, NULL, 0);
		assert_int_equal(s.urb.result, USB_ACK);
		ask(&s, 0x80, 8, 0, NULL, 1);
		assert_int_equal(s.data[0], 1);
		ask(&s, 0x80, 6, 0x0304, NULL, 64);
		assert_int_equal(s.urb.result, USB_STALL);
	}
	assert_int_equal(s.seen[RECORDED_NO_ANSWER], 2);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void it_leaves_and_comes_back_as_recorded(void **state)
{
	struct scene s;
	uint64_t left;

	(void)state;
	set_up(&s, lives, 2, false);
	play_all(&s);
	answers(&s, status_manifest);
	assert_non_null(s.host.dev);
	go_on(&s, 1);
	assert_null(s.host.dev);
	left = bench_now_us(s.bench);
	while (!s.host.dev)
		bench_advance(s.bench, bench_next_us(s.bench));
	/* recorded: 1090 ms from answer to first request, of which enumeration takes 230 */
	assert_int_equal(bench_now_us(s.bench) - left, (4400 - 3311 - 230 - 1) * MS);
	ask(&s, 0x80, 6, 0x0100, NULL, 18);
	assert_memory_equal(s.data, device_5740, 18);
	assert_int_equal(recorded_counts(s.recorded).life, 2);
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void who_asks_once_more_after_the_last_request_finds_it_gone(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	play_all(&s);
	get_status(&s);
	assert_int_equal(s.urb.result, USB_GONE);
	assert_null(s.host.dev);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void another_byte_of_data_is_a_departure_at_its_place(void **state)
{
	struct recorded_difference d;
	struct scene s;
	uint8_t other[5];

	(void)state;
	set_up(&s, lives, 2, false);
	get_status(&s);
	ask(&s, 0x21, 4, 0, NULL, 0);
	memcpy(other, erase, sizeof(other));
	other[3] = 0x40;
	ask(&s, 0x21, 1, 0, other, sizeof(other));
	assert_int_equal(s.urb.result, USB_STALL);
	assert_int_equal(s.departure.what, RECORDED_DIFFERS);
	assert_int_equal(s.departure.expected->packet, 15);
	assert_true(
		recorded_differs(s.departure.expected, &s.departure.setup, s.departed_data, s.departure.length, &d));
	assert_int_equal(d.part, IN_DATA);
	assert_int_equal(d.offset, 3);
	assert_int_equal(d.expected, 0);
	assert_int_equal(d.actual, 0x40);
	/* from there on: STALL, and no word of it */
	ask(&s, 0x21, 1, 0, erase, sizeof(erase));
	assert_int_equal(s.urb.result, USB_STALL);
	get_status(&s);
	assert_int_equal(s.urb.result, USB_STALL);
	ask(&s, 0x80, 6, 0x0100, NULL, 18);
	assert_int_equal(s.urb.result, USB_ACK);
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 1);
	tear_down(&s);
}

static void another_setup_is_a_departure_at_its_byte(void **state)
{
	struct recorded_difference d;
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	ask(&s, 0xa1, 3, 0, NULL, 7);
	assert_int_equal(s.urb.result, USB_STALL);
	assert_int_equal(s.departure.what, RECORDED_DIFFERS);
	assert_int_equal(s.departure.expected->packet, 11);
	assert_true(recorded_differs(s.departure.expected, &s.departure.setup, NULL, 0, &d));
	assert_int_equal(d.part, IN_SETUP);
	assert_int_equal(d.offset, 6);
	assert_int_equal(d.expected, 6);
	assert_int_equal(d.actual, 7);
	tear_down(&s);
}

static void requests_left_out_at_the_end_are_told(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	get_status(&s);
	ask(&s, 0x21, 4, 0, NULL, 0);
	recorded_finish(s.recorded);
	assert_int_equal(s.departure.what, RECORDED_NOT_MADE);
	assert_int_equal(s.departure.expected->packet, 15);
	assert_int_equal(s.departure.count, 8);
	tear_down(&s);
}

static void beyond_the_end_of_the_recording_is_a_departure(void **state)
{
	static const struct recorded_life one = { .exchanges = session, .count = 4 };
	struct scene s;

	(void)state;
	set_up(&s, &one, 1, false);
	get_status(&s);
	answers(&s, status_error);
	go_on(&s, 10000);
	assert_non_null(s.host.dev); /* nothing says that it left */
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_STALL);
	assert_int_equal(s.departure.what, RECORDED_OVER);
	assert_null(s.departure.expected);
	tear_down(&s);
}

static void an_answer_that_is_not_waited_for_is_a_departure(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, false);
	fake_host_control(s.dev, &s.urb, 0xa1, 3, 0, 0, s.data, 6);
	assert_false(fake_host_is_done(&s.urb));
	bench_advance(s.bench, 500);
	s.dev->ops->cancel(s.dev, &s.urb);
	assert_int_equal(s.urb.result, USB_CANCELLED);
	assert_int_equal(s.departure.what, RECORDED_GIVEN_UP);
	assert_int_equal(s.departure.expected->packet, 11);
	assert_int_equal(s.departure.count, 500);
	tear_down(&s);
}

/* What the recorded host gave up, no host gets an answer to; and what ended in the device's leaving ends so again. */
static void results_other_than_ack_are_played(void **state)
{
	static const struct recorded_exchange exchanges[] = {
		ENUMERATION(1, 1000, device_df11, configuration_dfu),
		{ .packet = 7, .setup = { 0xa1, 3, 0, 0, 6 }, .complete = true, .result = USB_STALL, .end_us = 10 },
		{ .packet = 9, .setup = { 0xa1, 3, 0, 0, 6 }, .complete = true, .result = USB_SILENT, .end_us = 20 },
		{ .packet = 11,
		  .setup = { 0xa1, 3, 0, 0, 6 },
		  .complete = true,
		  .result = USB_CANCELLED,
		  .end_us = 30 },
		{ .packet = 13, .setup = { 0xa1, 3, 0, 0, 6 }, .complete = true, .result = USB_GONE, .end_us = 40 },
	};
	static const struct recorded_life one = { .exchanges = exchanges, .count = ARRAY(exchanges), .leaves = true };
	struct scene s;

	(void)state;
	set_up(&s, &one, 1, false);
	assert_int_equal(get_status(&s), 10);
	assert_int_equal(s.urb.result, USB_STALL);
	assert_int_equal(get_status(&s), 20);
	assert_int_equal(s.urb.result, USB_SILENT);
	fake_host_control(s.dev, &s.urb, 0xa1, 3, 0, 0, s.data, 6);
	go_on(&s, 100000);
	assert_false(fake_host_is_done(&s.urb));
	s.dev->ops->cancel(s.dev, &s.urb);
	assert_int_equal(get_status(&s), 40);
	assert_int_equal(s.urb.result, USB_GONE);
	assert_null(s.host.dev);
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void descriptors_read_again_are_a_departure_while_it_is_worked_with(void **state)
{
	for (int loose = 0; loose < 2; loose++) {
		struct scene s;

		(void)state;
		set_up(&s, lives, 2, loose);
		ask(&s, 0x80, 6, 0x0303, NULL, 64);
		ask(&s, 0x80, 6, 0x0303, NULL, 64);
		get_status(&s);
		assert_int_equal(s.seen[RECORDED_READ_AGAIN], 0);
		ask(&s, 0x80, 6, 0x0303, NULL, 64);
		assert_int_equal(s.urb.result, USB_ACK);
		assert_int_equal(s.seen[RECORDED_READ_AGAIN], 1);
		assert_int_equal(recorded_counts(s.recorded).departures, !loose);
		assert_int_equal(recorded_counts(s.recorded).liberties, loose);
		tear_down(&s);
	}
}

static void loose_forgives_more_polls(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, true);
	get_status(&s);
	get_status(&s);
	answers(&s, status_error);
	ask(&s, 0xa1, 5, 0, NULL, 1);
	assert_int_equal(s.data[0], 10);
	assert_int_equal(s.seen[RECORDED_EXTRA_POLL], 2);
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_ACK);
	assert_int_equal(recorded_counts(s.recorded).liberties, 2);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void an_extra_poll_is_told_the_same_and_not_to_wait(void **state)
{
	static const struct recorded_exchange exchanges[] = {
		ENUMERATION(1, 1000, device_df11, configuration_dfu),
		STATUS(7, 1200, 1, status_busy),
		BARE(9, 1300, 6),
	};
	static const struct recorded_life one = { .exchanges = exchanges, .count = ARRAY(exchanges) };
	static const uint8_t busy_now[6] = { 0, 0, 0, 0, 4, 0 };
	struct scene s;

	(void)state;
	set_up(&s, &one, 1, true);
	ask(&s, 0xa1, 5, 0, NULL, 1); /* nothing to tell yet */
	assert_int_equal(s.departure.what, RECORDED_DIFFERS);
	get_status(&s);
	answers(&s, status_busy);
	get_status(&s);
	answers(&s, busy_now);
	tear_down(&s);
}

static void descriptors_that_were_read_meanwhile_are_counted(void **state)
{
	static const struct recorded_exchange exchanges[] = {
		ENUMERATION(1, 1000, device_df11, configuration_dfu),
		STATUS(7, 1200, 1, status_error),
		IN_OF(9, 1210, 0, 0x80, 6, 0x0303, serial),
		IN_OF(11, 1220, 0, 0x80, 6, 0x0303, serial),
		BARE(13, 1300, 4),
	};
	static const struct recorded_life one = { .exchanges = exchanges, .count = ARRAY(exchanges) };
	struct scene s;

	(void)state;
	set_up(&s, &one, 1, false);
	get_status(&s);
	ask(&s, 0x80, 6, 0x0303, NULL, 4);
	ask(&s, 0x80, 6, 0x0303, NULL, 64);
	assert_int_equal(s.seen[RECORDED_READ_AGAIN], 0);
	s.dev->ops->bus_reset(s.dev); /* who resets it reads it anew */
	ask(&s, 0x80, 6, 0x0303, NULL, 4);
	assert_int_equal(s.seen[RECORDED_READ_AGAIN], 0);
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_ACK);
	ask(&s, 0x80, 6, 0x0303, NULL, 4);
	assert_int_equal(s.departure.what, RECORDED_READ_AGAIN);
	tear_down(&s);
}

static void loose_forgives_fewer_polls(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, true);
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_ACK);
	assert_int_equal(s.last.what, RECORDED_LEFT_OUT);
	assert_int_equal(s.last.expected->packet, 11);
	ask(&s, 0x21, 1, 0, erase, sizeof(erase));
	ask(&s, 0x21, 1, 2, block, sizeof(block));
	assert_int_equal(s.last.count, 2);
	ask(&s, 0xa1, 5, 0, NULL, 1); /* for a GETSTATUS */
	assert_int_equal(s.data[0], 5);
	assert_int_equal(recorded_counts(s.recorded).liberties, 4);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	ask(&s, 0x21, 1, 0, NULL, 0);
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void loose_forgives_another_order_and_nothing_else(void **state)
{
	struct scene s;

	(void)state;
	set_up(&s, lives, 2, true);
	get_status(&s);
	ask(&s, 0x21, 1, 0, erase, sizeof(erase));
	assert_int_equal(s.last.what, RECORDED_OUT_OF_ORDER);
	assert_int_equal(s.last.expected->packet, 15);
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_ACK);
	ask(&s, 0x21, 1, 3, block, sizeof(block));
	assert_int_equal(s.urb.result, USB_STALL);
	assert_int_equal(s.departure.what, RECORDED_DIFFERS);
	get_status(&s);
	answers(&s, status_busy); /* it goes on all the same */
	assert_int_equal(recorded_counts(s.recorded).liberties, 1);
	assert_int_equal(recorded_counts(s.recorded).departures, 1);
	tear_down(&s);
}

static void transfers_behind_a_held_one_wait(void **state)
{
	struct scene s;
	struct usb_urb second;
	uint8_t none[1];

	(void)state;
	set_up(&s, lives, 2, false);
	fake_host_control(s.dev, &s.urb, 0xa1, 3, 0, 0, s.data, 6);
	fake_host_control(s.dev, &second, 0x21, 4, 0, 0, none, 0);
	assert_false(fake_host_is_done(&second));
	go_on(&s, 1);
	assert_true(fake_host_is_done(&s.urb));
	assert_true(fake_host_is_done(&second));
	assert_int_equal(second.result, USB_ACK);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void what_has_no_dfu_interface_answers_in_any_order(void **state)
{
	static const uint8_t coding[7] = { 0, 0xc2, 1, 0, 0, 0, 8 };
	static const struct recorded_exchange exchanges[] = {
		ENUMERATION(1, 1000, device_5740, configuration_other),
		IN_OF(9, 1100, 2, 0xa1, 0x21, 0, coding),
	};
	static const struct recorded_life one = { .exchanges = exchanges, .count = ARRAY(exchanges) };
	struct scene s;

	(void)state;
	set_up(&s, &one, 1, false);
	ask(&s, 0x21, 0x22, 3, NULL, 0);
	assert_int_equal(s.urb.result, USB_STALL);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(ask(&s, 0xa1, 0x21, 0, NULL, 7), 2 * MS);
		assert_memory_equal(s.data, coding, 7);
	}
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

/* The kernel talks to the serial port when it likes, the tool to the DFU interface: each is played, in its own way. */
static void interfaces_beside_the_dfu_interface_answer_in_any_order(void **state)
{
	static const uint8_t both[36] = { 9, 2, 36, 0, 2, 1, 0, 0xc0, 50, 9, 4,    0,    0,   0, 0xfe, 1, 2,    0,
					  9, 4, 1,  0, 0, 2, 2, 1,    0,  9, 0x21, 0x0b, 255, 0, 0,    8, 0x1a, 1 };
	static const uint8_t coding[7] = { 0, 0xc2, 1, 0, 0, 0, 8 };
	static const uint8_t url[3] = { 3, 3, 'x' };
	static struct recorded_exchange exchanges[] = {
		ENUMERATION(1, 1000, device_df11, both),
		IN_OF(7, 1050, 1, 0xc0, 1, 0, url),
		IN_OF(9, 1100, 2, 0xa1, 0x21, 0, coding),
		STATUS(11, 1200, 1, status_error),
		BARE(13, 1300, 4),
	};
	static const struct recorded_life one = { .exchanges = exchanges, .count = ARRAY(exchanges) };
	struct scene s;

	(void)state;
	exchanges[4].setup.index = 1;
	set_up(&s, &one, 1, false);
	assert_int_equal(recorded_counts(s.recorded).requests, 2);
	get_status(&s);
	answers(&s, status_error);
	fake_host_control(s.dev, &s.urb, 0xa1, 0x21, 0, 1, s.data, 7);
	go_on(&s, 2);
	assert_memory_equal(s.data, coding, 7);
	ask(&s, 0xc0, 1, 0, NULL, 3);
	assert_memory_equal(s.data, url, 3);
	ask(&s, 0xc0, 2, 0, NULL, 3);
	assert_int_equal(s.urb.result, USB_STALL);
	ask(&s, 0x21, 4, 0, NULL, 0);
	assert_int_equal(s.urb.result, USB_ACK);
	recorded_finish(s.recorded);
	assert_int_equal(recorded_counts(s.recorded).departures, 0);
	tear_down(&s);
}

static void a_life_without_requests_goes_by_the_clock(void **state)
{
	static const struct recorded_life both[] = {
		{ .exchanges = application, .count = ARRAY(application) },
		{ .exchanges = session, .count = ARRAY(session) },
	};
	static struct recorded_exchange later[ARRAY(session)];
	struct recorded_life moved[2] = { both[0], both[1] };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < ARRAY(session); i++) {
		later[i] = session[i];
		later[i].start_us += 9000 * MS;
		later[i].end_us += 9000 * MS;
	}
	moved[1].exchanges = later;
	set_up(&s, moved, 2, false);
	while (s.host.dev)
		bench_advance(s.bench, bench_next_us(s.bench));
	assert_int_equal(bench_now_us(s.bench), (10000 - 4400 - 500) * MS);
	while (!s.host.dev)
		bench_advance(s.bench, bench_next_us(s.bench));
	assert_int_equal(bench_now_us(s.bench), (10000 - 4400) * MS);
	play_all(&s);
	answers(&s, status_manifest);
	tear_down(&s);
}

static void what_cannot_enumerate_is_told(void **state)
{
	const struct recorded_life no_device = { .exchanges = session + 1, .count = ARRAY(session) - 1 };
	const struct recorded_life no_configuration = { .exchanges = session, .count = 1 };

	(void)state;
	assert_null(recorded_missing(&lives[0]));
	assert_non_null(strstr(recorded_missing(&no_device), "device descriptor"));
	assert_non_null(strstr(recorded_missing(&no_configuration), "configuration"));
	assert_true(recorded_has_dfu(&lives[0]));
	assert_false(recorded_has_dfu(&lives[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_was_recorded_as_late_as_it_did),
		cmocka_unit_test(it_enumerates_from_its_descriptors_in_any_order),
		cmocka_unit_test(it_leaves_and_comes_back_as_recorded),
		cmocka_unit_test(who_asks_once_more_after_the_last_request_finds_it_gone),
		cmocka_unit_test(another_byte_of_data_is_a_departure_at_its_place),
		cmocka_unit_test(another_setup_is_a_departure_at_its_byte),
		cmocka_unit_test(requests_left_out_at_the_end_are_told),
		cmocka_unit_test(beyond_the_end_of_the_recording_is_a_departure),
		cmocka_unit_test(an_answer_that_is_not_waited_for_is_a_departure),
		cmocka_unit_test(results_other_than_ack_are_played),
		cmocka_unit_test(descriptors_read_again_are_a_departure_while_it_is_worked_with),
		cmocka_unit_test(loose_forgives_more_polls),
		cmocka_unit_test(an_extra_poll_is_told_the_same_and_not_to_wait),
		cmocka_unit_test(descriptors_that_were_read_meanwhile_are_counted),
		cmocka_unit_test(loose_forgives_fewer_polls),
		cmocka_unit_test(loose_forgives_another_order_and_nothing_else),
		cmocka_unit_test(transfers_behind_a_held_one_wait),
		cmocka_unit_test(what_has_no_dfu_interface_answers_in_any_order),
		cmocka_unit_test(interfaces_beside_the_dfu_interface_answer_in_any_order),
		cmocka_unit_test(a_life_without_requests_goes_by_the_clock),
		cmocka_unit_test(what_cannot_enumerate_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
