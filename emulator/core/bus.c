// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire as host and device have it: attachment, reset, silence, frames, and transfers put in and taken back. */
#include <stdlib.h>
#include "bus_internal.h"

#define RESET_US 10000u /* of a port of a hub: USB 2.0 7.1.7.5, TDRSTR */
#define RESET_RECOVERY_US 10000u
#define RESUME_US 20000u /* 7.1.7.7, TDRSMDN */
#define RESUME_RECOVERY_US 10000u

static void kick(struct bus *b)
{
	if (!b->running && b->state == BUS_RUNS && !b->current)
		bench_at(b->bench, &b->event,
			 bus_later(bus_free_us(b), bus_later(b->quiet_until_us, bench_now_us(b->bench))));
}

uint16_t bus_frame(const struct bus *b)
{
	uint64_t now_us = bench_now_us(b->bench);

	if (b->state != BUS_RUNS || now_us < b->frames_since_us)
		return b->frame_before;
	return (uint16_t)((b->frame_before + (now_us - b->frames_since_us) / BUS_FRAME_US) & 0x7ff);
}

uint64_t bus_frames_since_us(const struct bus *b)
{
	return b->state == BUS_RUNS ? b->frames_since_us : BENCH_NEVER;
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
	passed = (now_us - b->frames_since_us) / BUS_FRAME_US;
	bench_at(b->bench, &b->sof_event, b->frames_since_us + (passed + 1) * BUS_FRAME_US);
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

/* Reset, silence */

static void give_back_all(struct bus *b, enum usb_result result)
{
	b->epoch++;
	b->current = NULL;
	b->own_runs = false;
	b->stage = STAGE_SETUP;
	for (unsigned i = 0; i < BUS_PIPES; i++) {
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
	struct pipe *p = bus_pipe(b, urb->endpoint);

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
	struct pipe *p = bus_pipe(b, urb->endpoint);
	bool is_head = p->queue.first == urb && !(bus_is_control(b, p) && b->own_runs);

	if (is_head)
		bus_take_back(b, p);
	if (!urb_queue_remove(&p->queue, urb) && !urb_queue_remove(&b->returning, urb))
		return;
	if (is_head) {
		bus_next_transfer(b, p);
		kick(b); /* the next in the queue */
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
	struct pipe *p = bus_pipe(b, endpoint);

	if (!p->parked)
		return;
	p->parked = false;
	if (p->not_before_us && p->not_before_us < bench_now_us(b->bench))
		bus_wait_for_interval(b, p); /* the host comes round to it again */
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
	for (unsigned i = 1; i < BUS_PIPES; i++)
		b->pipes[i].address = (uint8_t)(i < 16 ? i : 0x80 | (i & 0x0f));
	b->event = (struct bench_event){ .fire = bus_run, .context = b };
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
