/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that does what a recording says. */
#include "recorded.h"
#include <stdlib.h>
#include <string.h>
#include "recorded_internal.h"

#define GET_DESCRIPTOR 6
#define GETSTATE 5
#define STATE_IN_STATUS 4 /* byte of a GETSTATUS reply (DFU 1.1 6.1.2) */
/* From the pull-up to the first request to an address: debouncing, reset, recovery (USB 2.0 7.1.7.3, 9.2.6), as Linux takes them. */
#define ENUMERATION_US 230000u
/* A device whose going shows in nothing but that it comes back is gone that long before, or that soon after. */
#define AWAY_US 500000u
#define SOON_US 1000u

static struct recorded *recorded_of(struct usbdev *dev)
{
	return (struct recorded *)dev;
}

static const struct recorded_life *life_of(const struct recorded *r)
{
	return &r->lives[r->life];
}

static bool is_followed(const struct recorded *r, const struct recorded_exchange *x)
{
	return recorded_is_followed(&r->interfaces, &x->setup);
}

static uint64_t since(uint64_t later_us, uint64_t earlier_us)
{
	return later_us > earlier_us ? later_us - earlier_us : 0;
}

void recorded_tell(struct recorded *r, enum recorded_what what, bool departure,
		   const struct recorded_exchange *expected, const struct usb_urb *urb, uint64_t count)
{
	struct recorded_event e = { .what = what,
				    .departure = departure,
				    .expected = expected,
				    .now_us = bench_now_us(r->bench),
				    .count = count };

	if (r->finished)
		return;
	if (urb) {
		e.has_request = true;
		e.setup = urb->setup;
		e.data = urb->data;
		e.length = urb->setup.type & 0x80 ? 0 : urb->length;
	}
	if (departure) {
		r->counts.departures++;
		r->departed |= !r->loose;
	} else if (what != RECORDED_NO_ANSWER && what != RECORDED_LEAVES && what != RECORDED_COMES) {
		r->counts.liberties += what == RECORDED_LEFT_OUT ? count : 1;
	}
	if (r->listener)
		r->listener(r->context, &e);
}

/* Leaving and coming. */

static bool will_leave(const struct recorded *r)
{
	return r->life + 1 < r->life_count || life_of(r)->leaves;
}

static uint64_t last_end_us(const struct recorded_life *life)
{
	uint64_t last = 0;

	for (size_t i = 0; i < life->count; i++) {
		const struct recorded_exchange *x = &life->exchanges[i];
		uint64_t end = x->complete ? x->end_us : x->start_us;

		if (end > last)
			last = end;
	}
	return last;
}

static uint64_t first_start_us(const struct recorded_life *life)
{
	return life->count ? life->exchanges[0].start_us : 0;
}

/* Nobody has to ask for it: it goes by the clock. */
static void leave_by_clock(struct recorded *r)
{
	uint64_t came = since(first_start_us(life_of(r)), ENUMERATION_US);

	r->left_us = last_end_us(life_of(r)) + SOON_US;
	if (r->life + 1 < r->life_count) {
		uint64_t latest = since(first_start_us(life_of(r) + 1), ENUMERATION_US + AWAY_US);

		if (latest > r->left_us)
			r->left_us = latest;
	}
	bench_after(r->bench, &r->leaves, since(r->left_us, came));
}

/* The last request is answered: it goes when the recorded host was done with it. */
static void leave_after(struct recorded *r, const struct recorded_exchange *x)
{
	uint64_t end = x->complete ? x->end_us : x->start_us;

	if (r->departed || r->next < life_of(r)->count || !will_leave(r) || bench_is_scheduled(&r->leaves))
		return;
	r->left_us = last_end_us(life_of(r)) + SOON_US;
	bench_after(r->bench, &r->leaves, since(r->left_us, end));
}

static void come(struct bench_event *event)
{
	struct recorded *r = event->context;

	if (recorded_begin_descriptors(r)) /* no memory: it stays away */
		return;
	memset(r->done, 0, life_of(r)->count * sizeof(*r->done));
	recorded_read_interfaces(life_of(r), &r->interfaces);
	r->next = recorded_next(r, 0);
	r->working = r->has_status = false;
	r->plugged = true;
	r->counts.life = (unsigned)r->life + 1;
	if (will_leave(r) && r->next == life_of(r)->count)
		leave_by_clock(r);
	recorded_tell(r, RECORDED_COMES, false, NULL, NULL, r->life + 1);
	usbdev_attach(&r->dev, r->interfaces.high_speed ? USB_SPEED_IS_HIGH : USB_SPEED_IS_FULL);
}

static void take_down(struct recorded *r)
{
	struct usb_urb *urb = r->held;

	r->plugged = false; /* first: what complete() submits is refused */
	r->held = NULL;
	bench_cancel(r->bench, &r->answers);
	bench_cancel(r->bench, &r->leaves);
	if (urb)
		usbdev_complete(&r->dev, urb, USB_GONE, 0);
	urb_queue_flush(&r->waiting, &r->dev, USB_GONE);
	urb_queue_flush(&r->endpoints, &r->dev, USB_GONE);
	usbdev_detach(&r->dev);
}

static void leave(struct recorded *r)
{
	if (bench_is_scheduled(&r->leaves)) /* sooner than it was to */
		r->left_us -= since(r->leaves.at_us, bench_now_us(r->bench));
	take_down(r);
	recorded_tell(r, RECORDED_LEAVES, false, NULL, NULL, 0);
	if (r->life + 1 == r->life_count)
		return;
	r->life++;
	bench_after(r->bench, &r->comes,
		    SOON_US + since(first_start_us(life_of(r)), r->left_us + ENUMERATION_US + SOON_US));
}

static void leave_fires(struct bench_event *event)
{
	leave(event->context);
}

/* Control transfers. */

static void start(struct recorded *r, struct usb_urb *urb);

static void give_back(struct recorded *r, struct usb_urb *urb, enum usb_result result, size_t actual)
{
	usbdev_complete(&r->dev, urb, result, actual);
	while (r->plugged && !r->held && (urb = urb_queue_pop(&r->waiting)))
		start(r, urb);
}

static void answer(struct recorded *r)
{
	struct usb_urb *urb = r->held;
	const struct recorded_exchange *x = r->answer;
	enum usb_result result = r->result;

	r->held = NULL;
	if (result == USB_GONE) {
		bench_cancel(r->bench, &r->leaves);
		r->left_us = x->end_us;
		usbdev_complete(&r->dev, urb, USB_GONE, 0);
		if (r->plugged)
			leave(r);
		return;
	}
	if (x && is_followed(r, x))
		leave_after(r, x);
	give_back(r, urb, result, r->actual);
}

static void answer_fires(struct bench_event *event)
{
	answer(event->context);
}

/* x: what took as long in the recording; NULL: at once. */
static void hold(struct recorded *r, struct usb_urb *urb, const struct recorded_exchange *x, enum usb_result result,
		 size_t actual)
{
	r->held = urb;
	r->answer = x;
	r->result = result;
	r->actual = actual;
	r->held_since_us = bench_now_us(r->bench);
	if (!x || x->end_us <= x->start_us)
		answer(r);
	else
		bench_after(r->bench, &r->answers, x->end_us - x->start_us);
}

static void hold_as_recorded(struct recorded *r, struct usb_urb *urb, const struct recorded_exchange *x)
{
	size_t actual = 0;

	if (x->result == USB_ACK && !(x->setup.type & 0x80)) {
		actual = urb->length;
	} else if (x->result == USB_ACK) {
		actual = x->actual < urb->length ? x->actual : urb->length;
		for (size_t i = 0; i < actual; i++)
			urb->data[i] = i < x->length ? x->data[i] : 0;
	}
	hold(r, urb, x, x->result, actual);
}

/* Until the host takes it back. */
static void hold_for_ever(struct recorded *r, struct usb_urb *urb, const struct recorded_exchange *x)
{
	r->held = urb;
	r->answer = x;
	r->result = USB_CANCELLED;
	r->held_since_us = bench_now_us(r->bench);
}

static void play(struct recorded *r, struct usb_urb *urb, size_t i)
{
	const struct recorded_exchange *x = &life_of(r)->exchanges[i];

	recorded_mark(r, i);
	if (is_followed(r, x)) {
		r->counts.played++;
		r->history[r->history_count++ % RECORDED_HISTORY] = x;
	}
	if (!x->complete && !will_leave(r) && is_followed(r, x))
		recorded_tell(r, RECORDED_OVER, true, x, urb, 0);
	if (!x->complete || x->result == USB_CANCELLED)
		hold_for_ever(r, urb, x);
	else
		hold_as_recorded(r, urb, x);
}

/* Extra polls: what the device said last, and it wants no more time. */
static void answer_poll(struct recorded *r, struct usb_urb *urb)
{
	uint8_t reply[6];
	size_t length = sizeof(reply);

	memcpy(reply, r->status, sizeof(reply));
	memset(reply + 1, 0, 3);
	if (urb->setup.request == GETSTATE) {
		reply[0] = reply[STATE_IN_STATUS];
		length = 1;
	}
	if (length > urb->length)
		length = urb->length;
	memcpy(urb->data, reply, length);
	hold(r, urb, NULL, USB_ACK, length);
}

static void follow(struct recorded *r, struct usb_urb *urb)
{
	const struct recorded_life *life = life_of(r);
	const struct recorded_exchange *expected = r->next < life->count ? &life->exchanges[r->next] : NULL;
	bool polled = false;
	size_t i = life->count;

	r->working = true;
	if (!expected && will_leave(r)) {
		/* The recorded host did not get as far as this: the device was gone. */
		usbdev_complete(&r->dev, urb, USB_GONE, 0);
		if (r->plugged)
			leave(r);
		return;
	}
	if (expected && recorded_same(expected, urb))
		i = r->next;
	else if (r->loose)
		i = recorded_take_liberty(r, urb, &polled);
	if (i < life->count) {
		play(r, urb, i);
	} else if (polled) {
		answer_poll(r, urb);
	} else {
		recorded_tell(r, expected ? RECORDED_DIFFERS : RECORDED_OVER, true, expected, urb, 0);
		hold(r, urb, NULL, USB_STALL, 0);
	}
}

/* What drivers and programs of the host say to it has no order. The latest that has not been played is best. */
static void answer_freely(struct recorded *r, struct usb_urb *urb)
{
	const struct recorded_life *life = life_of(r);
	size_t best = life->count;

	for (size_t i = 0; i < life->count; i++)
		if (recorded_same(&life->exchanges[i], urb) && life->exchanges[i].complete &&
		    (best == life->count || r->done[best]))
			best = i;
	if (best < life->count)
		play(r, urb, best);
	else
		hold(r, urb, NULL, USB_STALL, 0);
}

static void class_request(struct recorded *r, struct usb_urb *urb)
{
	if (!recorded_is_followed(&r->interfaces, &urb->setup))
		answer_freely(r, urb);
	else if (r->departed || r->finished)
		hold(r, urb, NULL, USB_STALL, 0);
	else
		follow(r, urb);
}

/* Standard requests. */

static void get_descriptor(struct recorded *r, struct usb_urb *urb)
{
	const struct recorded_exchange *x = recorded_find_descriptor(r, &urb->setup);
	bool watched = r->working && !r->departed;

	if (!x) {
		recorded_tell(r, RECORDED_NO_ANSWER, watched && !r->loose && !recorded_is_asked_by_the_way(&urb->setup),
			      NULL, urb, 0);
		hold(r, urb, NULL, USB_STALL, 0);
		return;
	}
	if (watched && recorded_is_read_again(r, &urb->setup))
		recorded_tell(r, RECORDED_READ_AGAIN, !r->loose, NULL, urb, 0);
	hold_as_recorded(r, urb, x);
}

/* After a request: what is held at an endpoint that was halted, or is no more, comes back. */
static void settle_endpoints(struct recorded *r)
{
	struct usb_urb *urb = r->endpoints.first;

	while (urb) {
		bool gone = !ep0_has_endpoint(&r->ep0, urb->endpoint);

		if (!gone && !ep0_is_halted(&r->ep0, urb->endpoint)) {
			urb = urb->next;
			continue;
		}
		urb_queue_remove(&r->endpoints, urb);
		usbdev_complete(&r->dev, urb, gone ? USB_SILENT : USB_STALL, 0);
		urb = r->endpoints.first; /* complete() may have changed all of it */
	}
}

static const struct recorded_exchange *find_setup(const struct recorded *r, const struct usb_setup *s)
{
	const struct recorded_life *life = life_of(r);
	struct recorded_difference d;

	for (size_t i = 0; i < life->count; i++)
		if (!recorded_differs(&life->exchanges[i], s, NULL, 0, &d) && life->exchanges[i].complete)
			return &life->exchanges[i];
	return NULL;
}

static void standard_request(struct recorded *r, struct usb_urb *urb)
{
	size_t actual;
	enum usb_result result;

	if (urb->setup.type & 0x80 && urb->setup.request == GET_DESCRIPTOR) {
		get_descriptor(r, urb);
		return;
	}
	result = ep0_control(&r->ep0, &urb->setup, urb->data, &actual);
	hold(r, urb, find_setup(r, &urb->setup), result, actual);
	if (r->plugged)
		settle_endpoints(r);
}

static void start(struct recorded *r, struct usb_urb *urb)
{
	if (urb->setup.type & 0x60)
		class_request(r, urb);
	else
		standard_request(r, urb);
}

/* The usbdev. */

static void submit_to_endpoint(struct recorded *r, struct usb_urb *urb)
{
	if (!ep0_has_endpoint(&r->ep0, urb->endpoint))
		usbdev_complete(&r->dev, urb, USB_SILENT, 0);
	else if (ep0_is_halted(&r->ep0, urb->endpoint))
		usbdev_complete(&r->dev, urb, USB_STALL, 0);
	else if (usb_urb_is_in(urb))
		urb_queue_push(&r->endpoints, urb);
	else
		usbdev_complete(&r->dev, urb, USB_ACK, urb->length);
}

static void recorded_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct recorded *r = recorded_of(dev);

	urb->actual = 0;
	if (!r->plugged)
		usbdev_complete(dev, urb, USB_GONE, 0);
	else if (urb->endpoint & 0x0f)
		submit_to_endpoint(r, urb);
	else if (r->held || r->waiting.first)
		urb_queue_push(&r->waiting, urb);
	else
		start(r, urb);
}

static void recorded_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct recorded *r = recorded_of(dev);
	const struct recorded_exchange *x = r->answer;

	if (urb != r->held) {
		if (urb_queue_remove(&r->waiting, urb) || urb_queue_remove(&r->endpoints, urb))
			usbdev_complete(dev, urb, USB_CANCELLED, 0);
		return;
	}
	bench_cancel(r->bench, &r->answers);
	r->held = NULL;
	if (x && is_followed(r, x)) {
		if (x->complete && x->result != USB_CANCELLED)
			recorded_tell(r, RECORDED_GIVEN_UP, true, x, urb, bench_now_us(r->bench) - r->held_since_us);
		leave_after(r, x);
	}
	give_back(r, urb, USB_CANCELLED, 0);
}

static void recorded_bus_reset(struct usbdev *dev)
{
	struct recorded *r = recorded_of(dev);
	struct usb_urb *urb = r->held;

	ep0_bus_reset(&r->ep0);
	r->working = false;
	bench_cancel(r->bench, &r->answers);
	r->held = NULL;
	if (urb) {
		if (r->answer && is_followed(r, r->answer))
			leave_after(r, r->answer);
		usbdev_complete(dev, urb, USB_CANCELLED, 0);
	}
	urb_queue_flush(&r->waiting, dev, USB_CANCELLED);
	urb_queue_flush(&r->endpoints, dev, USB_CANCELLED);
}

static const struct usbdev_ops recorded_ops = {
	.submit = recorded_submit,
	.cancel = recorded_cancel,
	.bus_reset = recorded_bus_reset,
};

struct recorded *recorded_new(struct bench *bench, const struct recorded_life *lives, size_t count, bool loose)
{
	struct recorded *r = calloc(1, sizeof(*r));
	struct recorded_interfaces f;
	size_t most = 1;

	if (!r)
		return NULL;
	r->dev.ops = &recorded_ops;
	r->bench = bench;
	r->lives = lives;
	r->life_count = count;
	r->loose = loose;
	r->counts.lives = (unsigned)count;
	r->answers = (struct bench_event){ .fire = answer_fires, .context = r };
	r->leaves = (struct bench_event){ .fire = leave_fires, .context = r };
	r->comes = (struct bench_event){ .fire = come, .context = r };
	for (size_t l = 0; l < count; l++) {
		if (lives[l].count > most)
			most = lives[l].count;
		recorded_read_interfaces(&lives[l], &f);
		for (size_t i = 0; i < lives[l].count; i++)
			r->counts.requests += recorded_is_followed(&f, &lives[l].exchanges[i].setup);
	}
	r->done = calloc(most, sizeof(*r->done));
	if (r->done)
		return r;
	free(r);
	return NULL;
}

void recorded_free(struct recorded *r)
{
	if (!r)
		return;
	r->finished = true;
	bench_cancel(r->bench, &r->comes);
	take_down(r);
	recorded_end_descriptors(r);
	free(r->done);
	free(r);
}

struct usbdev *recorded_usbdev(struct recorded *r)
{
	return &r->dev;
}

void recorded_listen(struct recorded *r, void (*event)(void *, const struct recorded_event *), void *context)
{
	r->listener = event;
	r->context = context;
}

void recorded_plug(struct recorded *r, uint64_t delay_us)
{
	if (delay_us)
		bench_after(r->bench, &r->comes, delay_us);
	else
		come(&r->comes);
}

void recorded_finish(struct recorded *r)
{
	if (!r->departed && !r->finished)
		recorded_tell_rest(r);
	r->finished = true;
}

const struct recorded_exchange *recorded_history(const struct recorded *r, unsigned i)
{
	if (i >= RECORDED_HISTORY || i >= r->history_count)
		return NULL;
	return r->history[(r->history_count - 1 - i) % RECORDED_HISTORY];
}

struct recorded_counts recorded_counts(const struct recorded *r)
{
	return r->counts;
}
