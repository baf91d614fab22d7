// SPDX-License-Identifier: GPL-2.0-or-later
/* Transfers to transactions, one after the other. */
#include <string.h>
#include "bus_internal.h"

/* What a transaction means for the transfer. */
enum outcome { GOES_ON, TAKES_PLACE, STALLS, FAILS };

/* Token, data packet and handshake with their sync fields, CRCs and turnarounds: 13 bytes at full speed (USB 2.0 table 5-9). */
#define OVERHEAD_BYTES 13u
#define ADDRESS_RECOVERY_US 2000u /* USB 2.0 9.2.6.3 */
#define TRIES 3u                  /* without an answer that makes sense: what the usual host controllers count to */
#define USUAL_PACKET_BYTES 64u
#define OWN_ADDRESS 1u

enum { CLEAR_FEATURE = 1, SET_ADDRESS = 5, GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9, SET_INTERFACE = 11 };

/* The wire is taken for a transaction with so many bytes of data. Events are at whole microseconds; the wire need not wait for them. */
static void take_wire(struct bus *b, size_t bytes)
{
	uint64_t now_us = bench_now_us(b->bench);

	if (bus_free_us(b) < now_us)
		b->free_bits = now_us * BUS_BITS_PER_US;
	b->free_bits += (OVERHEAD_BYTES + bytes) * 8;
}

/* Pipes */

static struct usb_urb *head(struct bus *b, const struct pipe *p)
{
	return bus_is_control(b, p) && b->own_runs ? &b->own : p->queue.first;
}

static unsigned type_of(const struct bus *b, const struct pipe *p)
{
	const struct bus_endpoint *e;

	if (bus_is_control(b, p))
		return BUS_CONTROL;
	e = bus_facts_find(&b->facts, p->address);
	return e && e->type != BUS_CONTROL ? e->type : BUS_BULK;
}

static size_t packet_bytes(const struct bus *b, const struct pipe *p)
{
	const struct bus_endpoint *e;
	size_t most;

	if (bus_is_control(b, p)) {
		/* Whoever asks a device that has just been reset what it is, does not know yet. */
		bool unknown = !b->address || !b->facts.packet0_bytes;

		return unknown ? USUAL_PACKET_BYTES : b->facts.packet0_bytes;
	}
	e = bus_facts_find(&b->facts, p->address);
	most = e && e->type == BUS_ISOCHRONOUS ? BUS_PACKET_BYTES : USUAL_PACKET_BYTES; /* USB 2.0 5.7.3, 5.8.3 */
	return e && e->packet_bytes && e->packet_bytes < most ? e->packet_bytes : most;
}

void bus_next_transfer(struct bus *b, struct pipe *p)
{
	p->parked = false;
	p->errors = 0;
	if (bus_is_control(b, p))
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
		for (unsigned i = 1; i < BUS_PIPES; i++)
			data0(&b->pipes[i]);
		break;
	case 0x0100 | SET_INTERFACE:
		for (unsigned i = 1; i < BUS_PIPES; i++)
			if (bus_facts_belongs(&b->facts, (uint8_t)s->index, b->pipes[i].address))
				data0(&b->pipes[i]);
		break;
	case 0x0200 | CLEAR_FEATURE:
		if (!s->value && (s->index & 0x0f))
			data0(bus_pipe(b, (uint8_t)s->index));
		break;
	}
}

static void finish(struct bus *b, struct pipe *p, enum usb_result result)
{
	struct usb_urb *urb = head(b, p);

	bus_next_transfer(b, p);
	if (bus_is_control(b, p) && result == USB_ACK)
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

	if (!bus_is_control(b, p))
		return (p->address & 0x80) != 0;
	data_in = has_data_stage(urb) && usb_urb_is_in(urb);
	return b->stage == STAGE_DATA ? data_in : b->stage == STAGE_STATUS && !data_in;
}

static size_t out_bytes(const struct bus *b, const struct pipe *p, const struct usb_urb *urb)
{
	size_t left = urb->length - urb->actual, most = packet_bytes(b, p);

	if (bus_is_control(b, p) && b->stage != STAGE_DATA)
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
	bool setup = bus_is_control(b, p) && b->stage == STAGE_SETUP;
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
	urb->actual += bus_is_control(b, p) && b->stage == STAGE_STATUS ? 0 : bytes;
	if (bus_is_control(b, p))
		return b->stage == STAGE_STATUS || urb->actual == urb->length ? next_stage(b, p, urb) : GOES_ON;
	return urb->actual == urb->length ? TAKES_PLACE : GOES_ON;
}

/* The token: what the device makes of it is on the wire from then on. */
static void ask(struct bus *b, struct pipe *p)
{
	unsigned epoch = b->epoch;

	b->in_length = 0;
	b->in_data1 = b->in_is_orphan = false;
	b->answer = b->ops->in(b->context, b->address, p->address & 0x0f, b->in_data, sizeof b->in_data, &b->in_length,
			       &b->in_data1);
	if (epoch != b->epoch)
		return;
	if (b->answer != BUS_ACK)
		b->in_length = 0;
	p->parked = b->answer == BUS_NAK; /* now: it may be ready before the wire is free again */
	take_wire(b, b->in_length);
}

/* *room: bytes that the transfer has left. False: babble, which nobody acknowledges. */
static bool fits(const struct bus *b, const struct pipe *p, const struct usb_urb *urb, size_t *room)
{
	*room = bus_is_control(b, p) && b->stage == STAGE_STATUS ? 0 : urb->length - urb->actual;
	return b->in_length <= *room && b->in_length <= packet_bytes(b, p);
}

/* False: it is the packet before, once more (USB 2.0 8.6.4). */
static bool take_packet(struct bus *b, struct pipe *p, struct usb_urb *urb, size_t bytes)
{
	if (type_of(b, p) != BUS_ISOCHRONOUS) {
		if (b->in_data1 != p->data1)
			return false;
		p->data1 = !p->data1;
	}
	if (bytes)
		memcpy(urb->data + urb->actual, b->in_data, bytes);
	urb->actual += bytes;
	return true;
}

static enum outcome get(struct bus *b, struct pipe *p)
{
	struct usb_urb *urb = head(b, p);
	unsigned epoch = b->epoch;
	size_t room;

	if (b->answer == BUS_NOTHING)
		return type_of(b, p) == BUS_ISOCHRONOUS ? TAKES_PLACE : again(p); /* nothing in this frame */
	p->errors = 0;
	if (b->answer == BUS_STALL)
		return STALLS;
	if (b->answer == BUS_NAK)
		return GOES_ON;
	if (!fits(b, p, urb, &room)) {
		take_packet(b, p, urb, b->in_length < room ? b->in_length : room);
		return FAILS;
	}
	b->ops->acknowledged(b->context, b->address, p->address & 0x0f);
	if (epoch != b->epoch || !take_packet(b, p, urb, b->in_length))
		return GOES_ON;
	if (b->stage == STAGE_STATUS && bus_is_control(b, p))
		return next_stage(b, p, urb);
	if (b->in_length == packet_bytes(b, p) && urb->actual < urb->length)
		return GOES_ON;
	return bus_is_control(b, p) ? next_stage(b, p, urb) : TAKES_PLACE;
}

/* A packet that is on its way comes to its end, and the transfer has it. */
void bus_take_back(struct bus *b, struct pipe *p)
{
	size_t room;

	if (b->current != p)
		return;
	if (!b->current_is_in || b->answer != BUS_ACK || !fits(b, p, head(b, p), &room)) {
		b->current = NULL;
		return;
	}
	take_packet(b, p, head(b, p), b->in_length);
	b->in_is_orphan = true;
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
	unsigned epoch = b->epoch;
	enum outcome outcome = GOES_ON;

	if (!b->current_is_in)
		outcome = put(b, p);
	else if (b->in_is_orphan)
		b->ops->acknowledged(b->context, b->address, p->address & 0x0f);
	else
		outcome = get(b, p);
	if (epoch != b->epoch)
		return;
	b->current = NULL;
	settle(b, p, outcome);
}

/* At the beginning of a frame. */
void bus_wait_for_interval(struct bus *b, struct pipe *p)
{
	unsigned type = type_of(b, p);
	const struct bus_endpoint *e = bus_facts_find(&b->facts, p->address);
	uint64_t period_us = BUS_FRAME_US, now_us = bench_now_us(b->bench);

	if ((type != BUS_INTERRUPT && type != BUS_ISOCHRONOUS) || now_us < b->frames_since_us)
		return;
	if (type == BUS_INTERRUPT && e && e->interval_ms)
		period_us *= e->interval_ms;
	p->not_before_us = b->frames_since_us + ((now_us - b->frames_since_us) / period_us + 1) * period_us;
}

static void begin_transaction(struct bus *b, struct pipe *p)
{
	struct usb_urb *urb = head(b, p);

	bus_wait_for_interval(b, p);
	b->current = p;
	b->current_is_in = goes_in(b, p, urb);
	if (b->current_is_in)
		ask(b, p);
	else
		take_wire(b, out_bytes(b, p, urb));
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

		for (unsigned i = 1; i < BUS_PIPES && !urb; i++)
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
		for (unsigned i = 0; i < BUS_PIPES - 1; i++) {
			unsigned index = 1 + (b->turn + i) % (BUS_PIPES - 1);
			struct pipe *p = &b->pipes[index];

			if (!may_go(b, p) || (pass == 0) == (type_of(b, p) == BUS_BULK))
				continue;
			if (pass)
				b->turn = index; /* the one behind it is next */
			return p;
		}
	return NULL;
}

/* Of periodic endpoints that have something to ask, and need not wait for anything else. */
static uint64_t next_interval_us(struct bus *b)
{
	uint64_t at_us = BENCH_NEVER;

	for (unsigned i = 1; i < BUS_PIPES && !b->own_runs; i++) {
		const struct pipe *p = &b->pipes[i];

		if (p->queue.first && !p->parked && p->not_before_us > bench_now_us(b->bench) &&
		    p->not_before_us < at_us)
			at_us = p->not_before_us;
	}
	return at_us;
}

static bool is_free(const struct bus *b)
{
	return b->state == BUS_RUNS && !b->current &&
	       bus_later(bus_free_us(b), b->quiet_until_us) <= bench_now_us(b->bench);
}

void bus_run(struct bench_event *e)
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
		bench_at(b->bench, &b->event, bus_later(bus_free_us(b), b->quiet_until_us));
}
