// SPDX-License-Identifier: GPL-2.0-or-later
/* Transfers to transactions, one after the other on the wire. */
#include <stdlib.h>
#include <string.h>
#include "bus.h"
#include "bus_facts.h"
#include "urb_queue.h"

#define BITS_PER_US 12u
/* Token, data packet and handshake with their sync fields, CRCs and turnarounds: 13 bytes at full speed (USB 2.0 table 5-9). */
#define OVERHEAD_BYTES 13u
#define RESET_US 10000u /* of a port of a hub: USB 2.0 7.1.7.5, TDRSTR */
#define RESET_RECOVERY_US 10000u
#define ADDRESS_RECOVERY_US 2000u /* USB 2.0 9.2.6.3 */
#define RESUME_US 20000u          /* 7.1.7.7, TDRSMDN */
#define RESUME_RECOVERY_US 10000u
#define FRAME_US 1000u
#define TRIES 3u /* without an answer that makes sense: what the usual host controllers count to */
#define PIPES 32u
#define USUAL_PACKET_BYTES 64u
#define OWN_ADDRESS 1u

enum { CLEAR_FEATURE = 1, SET_ADDRESS = 5, GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9, SET_INTERFACE = 11 };

enum bus_state {
	BUS_DETACHED,
	BUS_SILENT, /* pulled up, never reset */
	BUS_ASKED,  /* a reset is to begin at once */
	BUS_IN_RESET,
	BUS_RUNS,
	BUS_SUSPENDED,
	BUS_WAKES, /* the device has asked for it */
};

enum stage { STAGE_SETUP, STAGE_DATA, STAGE_STATUS };

/* What a transaction means for the transfer. */
enum outcome { GOES_ON, TAKES_PLACE, STALLS, FAILS };

struct pipe {
	struct urb_queue queue;
	uint8_t address;
	bool data1;  /* the next packet, either way */
	bool parked; /* NAKed: nothing is tried before bus_ready() */
	unsigned errors;
	uint64_t not_before_us; /* of periodic endpoints */
};

struct bus {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct bus * */
	struct bench *bench;
	const struct bus_device_ops *ops;
	void *context;
	enum bus_state state;
	struct pipe pipes[PIPES]; /* by number, IN from 16 on; the control pipe is the first */
	struct urb_queue returning;
	struct bus_facts facts;

	enum stage stage; /* of the control transfer at the head */
	uint8_t address;
	struct usb_urb own;   /* SET_ADDRESS that the host has not sent */
	bool own_runs;        /* it is what the control pipe does */
	bool address_refused; /* it did not take place */

	struct pipe *current; /* a transaction of it is on the wire until free_bits */
	bool current_is_in;
	enum outcome outcome; /* of an IN transaction */
	unsigned turn;        /* the pipe that is asked first */
	uint64_t free_bits;   /* the wire is free from then on, in bit times from the start of the bench */
	uint64_t quiet_until_us, frames_since_us;
	uint16_t frame_before; /* number when the frames began to count */
	unsigned epoch;        /* changes when all that was under way is over */
	bool running, wants_sof;
	struct bench_event event, state_event, sof_event;
};

/* Time */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t free_us(const struct bus *b)
{
	return (b->free_bits + BITS_PER_US - 1) / BITS_PER_US;
}

/* The wire is taken for a transaction with so many bytes of data. Events are at whole microseconds; the wire need not wait for them. */
static void take_wire(struct bus *b, size_t bytes)
{
	uint64_t now_us = bench_now_us(b->bench);

	if (free_us(b) < now_us)
		b->free_bits = now_us * BITS_PER_US;
	b->free_bits += (OVERHEAD_BYTES + bytes) * 8;
}

static void kick(struct bus *b)
{
	if (!b->running && b->state == BUS_RUNS && !b->current)
		bench_at(b->bench, &b->event, later(free_us(b), later(b->quiet_until_us, bench_now_us(b->bench))));
}

uint16_t bus_frame(const struct bus *b)
{
	uint64_t now_us = bench_now_us(b->bench);

	if (b->state != BUS_RUNS || now_us < b->frames_since_us)
		return b->frame_before;
	return (uint16_t)((b->frame_before + (now_us - b->frames_since_us) / FRAME_US) & 0x7ff);
}

static void next_sof(struct bus *b)
{
	uint64_t now_us = bench_now_us(b->bench), passed;

	bench_cancel(b->bench, &b->sof_event);
	if (!b->wants_sof || b->state != BUS_RUNS)
		return;
	if (now_us < b->frames_since_us) {
		bench_at(b->bench, &b->sof_event, b->frames_since_us);
		return;
	}
	passed = (now_us - b->frames_since_us) / FRAME_US;
	bench_at(b->bench, &b->sof_event, b->frames_since_us + (passed + 1) * FRAME_US);
}

static void frames_run(struct bus *b, uint64_t from_us)
{
	b->frame_before = bus_frame(b);
	b->state = BUS_RUNS;
	b->frames_since_us = from_us;
	next_sof(b);
}

static void frames_stop(struct bus *b, enum bus_state state)
{
	b->frame_before = bus_frame(b);
	b->state = state;
	next_sof(b);
}

static void sof(struct bench_event *e)
{
	struct bus *b = e->context;

	next_sof(b);
	b->ops->sof(b->context, bus_frame(b));
}

/* Pipes */

static bool is_control(const struct bus *b, const struct pipe *p)
{
	return p == &b->pipes[0];
}

static struct pipe *pipe_of(struct bus *b, uint8_t endpoint)
{
	unsigned number = endpoint & 0x0f;

	return &b->pipes[number ? number | (endpoint & 0x80) >> 3 : 0];
}

static struct usb_urb *head(struct bus *b, const struct pipe *p)
{
	return is_control(b, p) && b->own_runs ? &b->own : p->queue.first;
}

static unsigned type_of(const struct bus *b, const struct pipe *p)
{
	const struct bus_endpoint *e;

	if (is_control(b, p))
		return BUS_CONTROL;
	e = bus_facts_find(&b->facts, p->address);
	return e && e->type != BUS_CONTROL ? e->type : BUS_BULK;
}

static size_t packet_bytes(const struct bus *b, const struct pipe *p)
{
	const struct bus_endpoint *e;

	if (is_control(b, p)) {
		/* Whoever asks a device that has just been reset what it is, does not know yet. */
		bool unknown = !b->address || !b->facts.packet0_bytes;

		return unknown ? USUAL_PACKET_BYTES : b->facts.packet0_bytes;
	}
	e = bus_facts_find(&b->facts, p->address);
	if (!e || !e->packet_bytes)
		return USUAL_PACKET_BYTES;
	return e->packet_bytes < BUS_PACKET_BYTES ? e->packet_bytes : BUS_PACKET_BYTES;
}

static void next_transfer(struct bus *b, struct pipe *p)
{
	p->parked = false;
	p->errors = 0;
	if (is_control(b, p))
		b->stage = STAGE_SETUP;
}

static void data0(struct pipe *p)
{
	p->data1 = false;
	p->parked = false;
}

/* A control transfer took place: what it means for our side (USB 2.0 9.1.1.5, 9.4.5, 9.4.10, and 5.8.5 for the toggles). */
static void heed(struct bus *b, const struct usb_urb *urb)
{
	const struct usb_setup *s = &urb->setup;

	bus_facts_learn(&b->facts, s, urb->data, urb->actual);
	switch ((unsigned)s->type << 8 | s->request) {
	case SET_ADDRESS:
		b->address = s->value & 0x7f;
		b->quiet_until_us = bench_now_us(b->bench) + ADDRESS_RECOVERY_US;
		break;
	case SET_CONFIGURATION:
		for (unsigned i = 1; i < PIPES; i++)
			data0(&b->pipes[i]);
		break;
	case 0x0100 | SET_INTERFACE:
		for (unsigned i = 1; i < PIPES; i++)
			if (bus_facts_belongs(&b->facts, (uint8_t)s->index, b->pipes[i].address))
				data0(&b->pipes[i]);
		break;
	case 0x0200 | CLEAR_FEATURE:
		if (!s->value && (s->index & 0x0f))
			data0(pipe_of(b, (uint8_t)s->index));
		break;
	}
}

static void finish(struct bus *b, struct pipe *p, enum usb_result result)
{
	struct usb_urb *urb = head(b, p);

	next_transfer(b, p);
	if (is_control(b, p) && result == USB_ACK)
		heed(b, urb);
	if (urb == &b->own) {
		b->own_runs = false;
		b->address_refused = result != USB_ACK;
		return;
	}
	urb_queue_pop(&p->queue);
	usbdev_complete(&b->dev, urb, result, urb->actual);
}

/* Transactions */

static bool has_data_stage(const struct usb_urb *urb)
{
	return urb->length > 0;
}

static bool goes_in(struct bus *b, const struct pipe *p, const struct usb_urb *urb)
{
	bool data_in;

	if (!is_control(b, p))
		return (p->address & 0x80) != 0;
	data_in = has_data_stage(urb) && usb_urb_is_in(urb);
	return b->stage == STAGE_DATA ? data_in : b->stage == STAGE_STATUS && !data_in;
}

static size_t out_bytes(const struct bus *b, const struct pipe *p, const struct usb_urb *urb)
{
	size_t left = urb->length - urb->actual, most = packet_bytes(b, p);

	if (is_control(b, p) && b->stage != STAGE_DATA)
		return b->stage == STAGE_SETUP ? 8 : 0;
	return left < most ? left : most;
}

static enum outcome again(struct pipe *p)
{
	return ++p->errors < TRIES ? GOES_ON : FAILS;
}

static enum outcome next_stage(struct bus *b, struct pipe *p, const struct usb_urb *urb)
{
	if (b->stage == STAGE_STATUS)
		return TAKES_PLACE;
	b->stage = b->stage == STAGE_SETUP && has_data_stage(urb) ? STAGE_DATA : STAGE_STATUS;
	p->data1 = true; /* of both stages' first packets: USB 2.0 8.5.3 */
	return GOES_ON;
}

static enum outcome put(struct bus *b, struct pipe *p)
{
	struct usb_urb *urb = head(b, p);
	size_t bytes = out_bytes(b, p, urb);
	bool setup = is_control(b, p) && b->stage == STAGE_SETUP;
	enum bus_handshake answer;
	unsigned epoch = b->epoch;
	uint8_t packet[8];

	if (setup) {
		usb_setup_encode(&urb->setup, packet);
		answer = b->ops->setup(b->context, b->address, packet);
	} else {
		answer = b->ops->out(b->context, b->address, p->address & 0x0f, p->data1,
				     bytes ? urb->data + urb->actual : NULL, bytes);
	}
	if (epoch != b->epoch)
		return GOES_ON;
	if (type_of(b, p) == BUS_ISOCHRONOUS)
		answer = BUS_ACK; /* there is no handshake */
	if (setup && answer != BUS_ACK)
		return again(p); /* nothing else is allowed: USB 2.0 8.5.3 */
	switch (answer) {
	case BUS_NAK:
		p->parked = true;
		p->errors = 0;
		return GOES_ON;
	case BUS_STALL:
		return STALLS;
	case BUS_NOTHING:
		return again(p);
	case BUS_ACK:
		break;
	}
	p->errors = 0;
	if (setup)
		return next_stage(b, p, urb);
	p->data1 = !p->data1;
	urb->actual += is_control(b, p) && b->stage == STAGE_STATUS ? 0 : bytes;
	if (is_control(b, p))
		return b->stage == STAGE_STATUS || urb->actual == urb->length ? next_stage(b, p, urb) : GOES_ON;
	return urb->actual == urb->length ? TAKES_PLACE : GOES_ON;
}

/* *bytes: that were on the wire */
static enum outcome get(struct bus *b, struct pipe *p, size_t *bytes)
{
	struct usb_urb *urb = head(b, p);
	bool status = is_control(b, p) && b->stage == STAGE_STATUS, data1 = false;
	size_t room = status ? 0 : urb->length - urb->actual, most = packet_bytes(b, p);
	uint8_t data[BUS_PACKET_BYTES];
	enum bus_handshake answer;
	unsigned epoch = b->epoch;

	*bytes = 0;
	answer = b->ops->in(b->context, b->address, p->address & 0x0f, data, sizeof data, bytes, &data1);
	if (epoch != b->epoch)
		return GOES_ON;
	if (answer != BUS_ACK)
		*bytes = 0;
	if (answer == BUS_NOTHING && type_of(b, p) == BUS_ISOCHRONOUS)
		return TAKES_PLACE; /* nothing in this frame */
	switch (answer) {
	case BUS_NAK:
		p->parked = true;
		p->errors = 0;
		return GOES_ON;
	case BUS_STALL:
		return STALLS;
	case BUS_NOTHING:
		return again(p);
	case BUS_ACK:
		break;
	}
	p->errors = 0;
	if (type_of(b, p) != BUS_ISOCHRONOUS) {
		if (data1 != p->data1)
			return GOES_ON; /* the packet before, once more: acknowledged and not taken (USB 2.0 8.6.4) */
		p->data1 = !p->data1;
	}
	if (*bytes > room || *bytes > most) { /* babble */
		if (room) {
			memcpy(urb->data + urb->actual, data, *bytes < room ? *bytes : room);
			urb->actual += *bytes < room ? *bytes : room;
		}
		return FAILS;
	}
	if (*bytes)
		memcpy(urb->data + urb->actual, data, *bytes);
	urb->actual += *bytes;
	if (status)
		return next_stage(b, p, urb);
	if (*bytes == most && urb->actual < urb->length)
		return GOES_ON;
	return is_control(b, p) ? next_stage(b, p, urb) : TAKES_PLACE;
}

static void settle(struct bus *b, struct pipe *p, enum outcome outcome)
{
	switch (outcome) {
	case GOES_ON:
		break;
	case TAKES_PLACE:
		finish(b, p, USB_ACK);
		break;
	case STALLS:
		finish(b, p, USB_STALL);
		break;
	case FAILS:
		finish(b, p, USB_SILENT);
		break;
	}
}

/* The transaction that is on the wire is over. */
static void end_transaction(struct bus *b)
{
	struct pipe *p = b->current;
	enum outcome outcome = b->outcome;
	unsigned epoch = b->epoch;

	if (!b->current_is_in) {
		outcome = put(b, p);
		if (epoch != b->epoch)
			return;
	}
	b->current = NULL;
	settle(b, p, outcome);
}

/* An endpoint is asked once an interval: at the beginning of a frame. */
static void wait_for_interval(struct bus *b, struct pipe *p, unsigned type)
{
	const struct bus_endpoint *e = bus_facts_find(&b->facts, p->address);
	uint64_t period_us = FRAME_US, now_us = bench_now_us(b->bench);

	if (type == BUS_INTERRUPT && e && e->interval_ms)
		period_us *= e->interval_ms;
	p->not_before_us = b->frames_since_us + ((now_us - b->frames_since_us) / period_us + 1) * period_us;
}

static void begin_transaction(struct bus *b, struct pipe *p)
{
	unsigned type = type_of(b, p), epoch = b->epoch;
	struct usb_urb *urb = head(b, p);
	size_t bytes;

	if (type == BUS_INTERRUPT || type == BUS_ISOCHRONOUS)
		wait_for_interval(b, p, type);
	b->current = p;
	b->current_is_in = goes_in(b, p, urb);
	if (!b->current_is_in) {
		take_wire(b, out_bytes(b, p, urb));
		return;
	}
	b->outcome = get(b, p, &bytes);
	if (epoch == b->epoch)
		take_wire(b, bytes);
}

/* A device without an address answers to 0, and is asked what it is there; for all else it gets one. */
static bool needs_address(const struct bus *b, const struct usb_urb *urb)
{
	if (b->address || b->address_refused)
		return false;
	if (urb->endpoint & 0x0f)
		return true;
	return !(urb->setup.type == 0x00 && urb->setup.request == SET_ADDRESS) &&
	       !(urb->setup.type == 0x80 && urb->setup.request == GET_DESCRIPTOR);
}

static bool may_go(struct bus *b, struct pipe *p)
{
	struct usb_urb *urb = head(b, p);

	return urb && !p->parked && p->not_before_us <= bench_now_us(b->bench);
}

static struct pipe *next_pipe(struct bus *b)
{
	struct pipe *control = &b->pipes[0];

	if (b->stage == STAGE_SETUP && !b->own_runs) {
		struct usb_urb *urb = control->queue.first;

		for (unsigned i = 1; i < PIPES && !urb; i++)
			urb = b->pipes[i].queue.first;
		if (urb && needs_address(b, urb)) {
			b->own = (struct usb_urb){ .setup = { .request = SET_ADDRESS, .value = OWN_ADDRESS } };
			b->own_runs = true;
		}
	}
	if (may_go(b, control))
		return control;
	if (b->own_runs)
		return NULL;
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < PIPES - 1; i++) {
			unsigned index = 1 + (b->turn + i) % (PIPES - 1);
			struct pipe *p = &b->pipes[index];

			if (!may_go(b, p) || (pass == 0) == (type_of(b, p) == BUS_BULK))
				continue;
			if (pass)
				b->turn = index; /* the one behind it is next */
			return p;
		}
	return NULL;
}

/* Of periodic endpoints that have something to ask. */
static uint64_t next_interval_us(struct bus *b)
{
	uint64_t at_us = BENCH_NEVER;

	for (unsigned i = 1; i < PIPES; i++)
		if (b->pipes[i].queue.first && !b->pipes[i].parked && b->pipes[i].not_before_us < at_us)
			at_us = b->pipes[i].not_before_us;
	return at_us;
}

static bool is_free(const struct bus *b)
{
	return b->state == BUS_RUNS && !b->current && later(free_us(b), b->quiet_until_us) <= bench_now_us(b->bench);
}

static void run(struct bench_event *e)
{
	struct bus *b = e->context;
	struct pipe *p;

	b->running = true;
	if (b->current)
		end_transaction(b);
	while (is_free(b) && (p = next_pipe(b)))
		begin_transaction(b, p);
	b->running = false;
	if (b->state != BUS_RUNS)
		return;
	if (is_free(b))
		bench_at(b->bench, &b->event, next_interval_us(b));
	else
		bench_at(b->bench, &b->event, later(free_us(b), b->quiet_until_us));
}

/* Reset, silence */

static void give_back_all(struct bus *b, enum usb_result result)
{
	b->epoch++;
	b->current = NULL;
	b->own_runs = false;
	b->stage = STAGE_SETUP;
	for (unsigned i = 0; i < PIPES; i++) {
		struct pipe *p = &b->pipes[i];
		struct usb_urb *urb;

		p->data1 = p->parked = false;
		p->errors = 0;
		p->not_before_us = 0;
		while ((urb = urb_queue_pop(&p->queue)))
			urb_queue_push(&b->returning, urb);
	}
	urb_queue_flush(&b->returning, &b->dev, result);
}

static void change_state(struct bench_event *e)
{
	struct bus *b = e->context;

	switch (b->state) {
	case BUS_ASKED:
		b->state = BUS_IN_RESET;
		bench_after(b->bench, &b->state_event, RESET_US);
		b->ops->reset(b->context, true);
		break;
	case BUS_IN_RESET:
		b->quiet_until_us = bench_now_us(b->bench) + RESET_RECOVERY_US;
		frames_run(b, bench_now_us(b->bench));
		kick(b);
		b->ops->reset(b->context, false);
		break;
	case BUS_WAKES:
		b->state = BUS_SUSPENDED;
		bus_suspend(b, false);
		break;
	case BUS_DETACHED:
	case BUS_SILENT:
	case BUS_RUNS:
	case BUS_SUSPENDED:
		break;
	}
}

/* By an event: the device is not called from within the host's call. */
static void ask_for_reset(struct bus *b)
{
	b->address = 0;
	b->address_refused = false;
	bus_facts_reset(&b->facts);
	bench_cancel(b->bench, &b->event);
	frames_stop(b, BUS_ASKED);
	bench_after(b->bench, &b->state_event, 0);
}

void bus_unplug(struct bus *b)
{
	if (b->state == BUS_DETACHED || b->state == BUS_SILENT)
		return;
	bench_cancel(b->bench, &b->event);
	bench_cancel(b->bench, &b->state_event);
	frames_stop(b, BUS_SILENT);
	give_back_all(b, USB_GONE);
	b->ops->idle(b->context, true);
}

void bus_suspend(struct bus *b, bool on)
{
	if (on && b->state == BUS_RUNS) {
		bench_cancel(b->bench, &b->event);
		b->current = NULL; /* what was sent of it is lost */
		frames_stop(b, BUS_SUSPENDED);
		b->ops->idle(b->context, true);
	} else if (!on && (b->state == BUS_SUSPENDED || b->state == BUS_WAKES)) {
		bench_cancel(b->bench, &b->state_event);
		b->quiet_until_us = bench_now_us(b->bench) + RESUME_US + RESUME_RECOVERY_US;
		frames_run(b, bench_now_us(b->bench) + RESUME_US);
		kick(b);
		b->ops->idle(b->context, false);
	}
}

void bus_wake(struct bus *b)
{
	if (b->state != BUS_SUSPENDED)
		return;
	b->state = BUS_WAKES;
	bench_after(b->bench, &b->state_event, 0);
}

/* Host */

static void bus_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct bus *b = (struct bus *)dev;
	struct pipe *p = pipe_of(b, urb->endpoint);

	urb->actual = 0;
	if (b->state == BUS_DETACHED) {
		usbdev_complete(dev, urb, USB_GONE, 0);
		return;
	}
	if (b->state == BUS_SILENT)
		ask_for_reset(b);
	urb_queue_push(&p->queue, urb);
	kick(b);
}

static void bus_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct bus *b = (struct bus *)dev;
	struct pipe *p = pipe_of(b, urb->endpoint);
	bool is_head = p->queue.first == urb && !(is_control(b, p) && b->own_runs);

	if (!urb_queue_remove(&p->queue, urb) && !urb_queue_remove(&b->returning, urb))
		return;
	if (is_head) {
		next_transfer(b, p);
		if (b->current == p) {
			b->current = NULL;
			kick(b);
		}
	}
	usbdev_complete(dev, urb, USB_CANCELLED, urb->actual);
}

static void bus_bus_reset(struct usbdev *dev)
{
	struct bus *b = (struct bus *)dev;

	if (b->state == BUS_DETACHED)
		return;
	ask_for_reset(b);
	give_back_all(b, USB_CANCELLED);
}

static const struct usbdev_ops bus_usbdev_ops = {
	.submit = bus_submit,
	.cancel = bus_cancel,
	.bus_reset = bus_bus_reset,
};

/* Device */

void bus_pull_up(struct bus *b, bool on)
{
	if (on == (b->state != BUS_DETACHED))
		return;
	if (on) {
		b->state = BUS_SILENT;
		usbdev_attach(&b->dev, USB_SPEED_IS_FULL);
		return;
	}
	bench_cancel(b->bench, &b->event);
	bench_cancel(b->bench, &b->state_event);
	frames_stop(b, BUS_DETACHED);
	b->address = 0;
	b->address_refused = false;
	bus_facts_forget(&b->facts);
	give_back_all(b, USB_GONE);
	usbdev_detach(&b->dev);
	if (b->state != BUS_DETACHED) /* it came back while transfers were given back */
		usbdev_attach(&b->dev, USB_SPEED_IS_FULL);
}

void bus_ready(struct bus *b, uint8_t endpoint)
{
	struct pipe *p = pipe_of(b, endpoint);

	if (!p->parked)
		return;
	p->parked = false;
	if (type_of(b, p) == BUS_INTERRUPT && b->state == BUS_RUNS && p->not_before_us < bench_now_us(b->bench))
		wait_for_interval(b, p, BUS_INTERRUPT);
	kick(b);
}

void bus_want_sof(struct bus *b, bool on)
{
	if (b->wants_sof == on)
		return;
	b->wants_sof = on;
	next_sof(b);
}

struct usbdev *bus_usbdev(struct bus *b)
{
	return &b->dev;
}

struct bus *bus_new(struct bench *bench, const struct bus_device_ops *ops, void *context)
{
	struct bus *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->dev.ops = &bus_usbdev_ops;
	b->bench = bench;
	b->ops = ops;
	b->context = context;
	for (unsigned i = 1; i < PIPES; i++)
		b->pipes[i].address = (uint8_t)(i < 16 ? i : 0x80 | (i & 0x0f));
	b->event = (struct bench_event){ .fire = run, .context = b };
	b->state_event = (struct bench_event){ .fire = change_state, .context = b };
	b->sof_event = (struct bench_event){ .fire = sof, .context = b };
	return b;
}

void bus_free(struct bus *b)
{
	if (!b)
		return;
	bus_pull_up(b, false);
	free(b);
}
