/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filter: transfers that go wrong by rule. A transfer that no rule hits passes as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fault_internal.h"

#define CORRUPT_MOST_BITS 8
#define GETSTATUS_STATE 4u /* offset of bState in a GETSTATUS reply (DFU 1.1 6.1.2) */

struct applied {
	struct fault_rule rule;
	uint64_t seed;
};

enum place { DELAYED, NEVER_ANSWERED, BELOW };

/* A transfer that a rule has hit. The board gets our URB, for data of an OUT may not be changed in the host's. */
struct fault_held {
	struct fault_held *next;
	struct fault *fault;
	struct usb_urb inner, *outer;
	uint8_t *copy;
	struct bench_event event;
	enum place place;
	unsigned era;
	unsigned count;
	struct applied applied[];
};

static struct fault *fault_of_dev(struct usbdev *dev)
{
	return (struct fault *)dev;
}

static struct fault *fault_of_host(struct usbhost *host)
{
	return (struct fault *)((char *)host - offsetof(struct fault, host));
}

void fault_tell(struct fault *f, enum fault_event_type type, const struct entry *e)
{
	struct fault_event event = { .type = type, .at_us = bench_now_us(f->bench) };

	if (e) {
		event.id = e->id;
		event.rule = &e->rule;
	}
	if (f->listener)
		f->listener(f->listener_context, &event);
}

/* Transfers */

static void finish(struct fault_held *h, enum usb_result result, size_t actual)
{
	struct fault *f = h->fault;
	struct usb_urb *outer = h->outer;
	struct fault_held **link = &f->held;

	bench_cancel(f->bench, &h->event);
	while (*link != h)
		link = &(*link)->next;
	*link = h->next;
	free(h->copy);
	free(h);
	usbdev_complete(&f->dev, outer, result, actual);
}

static struct fault_held *held_of_outer(struct fault *f, const struct usb_urb *outer)
{
	struct fault_held *h = f->held;

	while (h && h->outer != outer)
		h = h->next;
	return h;
}

static struct fault_held *held_of_inner(struct fault *f, const struct usb_urb *inner)
{
	struct fault_held *h = f->held;

	while (h && &h->inner != inner)
		h = h->next;
	return h;
}

static void corrupt(const struct applied *a, uint8_t *data, size_t length)
{
	struct prng prng = { .state = a->seed };
	uint64_t bits, step, at;

	if (!length)
		return;
	if (a->rule.has_value) {
		if (a->rule.value < length)
			data[a->rule.value] ^= (uint8_t)(1u << prng_between(&prng, 0, 7));
		return;
	}
	bits = prng_between(&prng, 1, CORRUPT_MOST_BITS);
	/* Once round at most: two flips of one bit would be none. */
	step = length * 8 / bits;
	for (at = prng_between(&prng, 0, length * 8 - 1); bits; bits--) {
		data[at / 8] ^= (uint8_t)(1u << at % 8);
		at = (at + prng_between(&prng, 1, step)) % (length * 8);
	}
}

static void forge_status(const struct applied *a, const struct usb_urb *urb, uint8_t *reply, size_t length)
{
	if ((urb->setup.type & 0x60) != 0x20 || urb->setup.request != DFU_GETSTATUS || !length)
		return;
	reply[0] = (uint8_t)a->rule.value;
	if (a->rule.has_reply_state && length > GETSTATUS_STATE)
		reply[GETSTATUS_STATE] = a->rule.reply_state;
}

/* Of an OUT the board gets what is left of it. False: nothing is, and the board does not hear of it (a DNLOAD without data
 * would be another request: LV-1). */
static bool spoil_out(struct fault_held *h)
{
	size_t length = h->outer->length;

	for (unsigned i = 0; i < h->count; i++)
		if (h->applied[i].rule.action == FAULT_SHORT && h->applied[i].rule.value < length)
			length = h->applied[i].rule.value;
	if (h->outer->length && !length)
		return false;
	if (!length)
		return true;
	h->copy = malloc(length);
	if (!h->copy)
		return true; /* without memory the transfer passes */
	memcpy(h->copy, h->outer->data, length);
	for (unsigned i = 0; i < h->count; i++)
		if (h->applied[i].rule.action == FAULT_CORRUPT)
			corrupt(&h->applied[i], h->copy, length);
	h->inner.data = h->copy;
	h->inner.length = length;
	if (!h->inner.endpoint)
		h->inner.setup.length = (uint16_t)length;
	return true;
}

static size_t spoil_in(struct fault_held *h, size_t actual)
{
	for (unsigned i = 0; i < h->count; i++) {
		const struct applied *a = &h->applied[i];

		if (a->rule.action == FAULT_SHORT && a->rule.value < actual)
			actual = a->rule.value;
		else if (a->rule.action == FAULT_CORRUPT)
			corrupt(a, h->outer->data, actual);
		else if (a->rule.action == FAULT_STATUS)
			forge_status(a, h->outer, h->outer->data, actual);
	}
	return actual;
}

/* The delay is over: the first rule that ends the transfer has it, else the board. */
static void pass_on(struct fault_held *h)
{
	struct fault *f = h->fault;

	for (unsigned i = 0; i < h->count; i++) {
		switch (h->applied[i].rule.action) {
		case FAULT_STALL:
			finish(h, USB_STALL, 0);
			return;
		case FAULT_BUS_ERROR:
			finish(h, USB_SILENT, 0);
			return;
		case FAULT_SILENT:
			h->place = NEVER_ANSWERED;
			return;
		default:
			break;
		}
	}
	if (!usb_urb_is_in(h->outer) && !spoil_out(h)) {
		finish(h, USB_ACK, 0);
		return;
	}
	h->place = BELOW;
	f->arrival_state = f->ops->state(f->context);
	f->below->ops->submit(f->below, &h->inner);
}

static void delay_over(struct bench_event *event)
{
	pass_on(event->context);
}

static void hold(struct fault *f, struct usb_urb *urb, struct entry *const *entries, unsigned count)
{
	struct fault_held *h = calloc(1, sizeof(*h) + count * sizeof(h->applied[0]));
	uint64_t delay_us = 0;

	if (!h) { /* without memory the transfer passes */
		f->below->ops->submit(f->below, urb);
		return;
	}
	h->fault = f;
	h->outer = urb;
	h->era = f->era;
	h->count = count;
	h->event.fire = delay_over;
	h->event.context = h;
	h->inner = (struct usb_urb){
		.endpoint = urb->endpoint, .setup = urb->setup, .data = urb->data, .length = urb->length
	};
	for (unsigned i = 0; i < count; i++) {
		h->applied[i].rule = entries[i]->rule;
		h->applied[i].seed = prng_next(&entries[i]->prng);
		if (entries[i]->rule.action == FAULT_DELAY)
			delay_us += entries[i]->rule.value;
	}
	h->next = f->held;
	f->held = h;
	if (delay_us)
		bench_after(f->bench, &h->event, delay_us);
	else
		pass_on(h);
}

static void fault_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct fault *f = fault_of_dev(dev);
	struct entry *hits[FAULT_RULES];
	unsigned count = 0;
	struct sight s;

	if (!f->dev.attached) {
		usbdev_complete(&f->dev, urb, USB_GONE, 0);
		return;
	}
	if (f->entries && !f->suspended && f->below->attached) {
		s = fault_look(f, urb);
		fault_board_rules(f, &s, ~FAULT_OPERATIONS);
		for (struct entry *e = f->entries; e; e = e->next)
			if (!fault_acts_on_board(e->rule.action) && fault_matches(f, &e->rule, &s, UINT32_MAX) &&
			    fault_fires(f, e))
				hits[count++] = e;
	}
	if (count) {
		hold(f, urb, hits, count);
		return;
	}
	f->arrival_state = f->ops->state(f->context);
	f->below->ops->submit(f->below, urb);
}

static void fault_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct fault *f = fault_of_dev(dev);
	struct fault_held *h = held_of_outer(f, urb);

	if (!h)
		f->below->ops->cancel(f->below, urb);
	else if (h->place == BELOW)
		f->below->ops->cancel(f->below, &h->inner);
	else
		finish(h, USB_CANCELLED, 0);
}

/* What is held here and of an era before this one. */
static struct fault_held *held_before(struct fault *f, unsigned era)
{
	struct fault_held *h = f->held;

	while (h && (h->place == BELOW || h->era == era))
		h = h->next;
	return h;
}

static void fault_bus_reset(struct usbdev *dev)
{
	struct fault *f = fault_of_dev(dev);
	struct fault_held *h;

	if (!f->dev.attached)
		return;
	f->era++; /* what complete() submits comes after the reset */
	f->below->ops->bus_reset(f->below);
	while ((h = held_before(f, f->era)))
		finish(h, USB_CANCELLED, 0);
}

static const struct usbdev_ops fault_dev_ops = {
	.submit = fault_submit,
	.cancel = fault_cancel,
	.bus_reset = fault_bus_reset,
};

static void fault_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct fault *f = fault_of_host(host);
	struct fault_held *h = held_of_inner(f, urb);
	size_t actual = urb->actual;

	fault_watch_execution(f, urb);
	if (!h) {
		if (f->dev.host)
			f->dev.host->ops->complete(f->dev.host, urb);
		return;
	}
	if (urb->result == USB_ACK && usb_urb_is_in(urb))
		actual = spoil_in(h, actual);
	finish(h, urb->result, actual);
}

/* The pull-up */

void fault_show(struct fault *f)
{
	if (f->hse_stuck || !f->below->attached || f->dev.attached)
		return;
	usbdev_attach(&f->dev, f->below->speed);
	fault_tell(f, FAULT_EVENT_ATTACHED, NULL);
}

static void fault_attach(struct usbhost *host, struct usbdev *below)
{
	(void)below;
	fault_show(fault_of_host(host));
}

static void fault_detach(struct usbhost *host, struct usbdev *below)
{
	struct fault *f = fault_of_host(host);
	struct fault_held *h;
	bool was_attached = f->dev.attached;

	(void)below;
	f->buffered.requests = 0;
	f->era++;
	while ((h = held_before(f, f->era)))
		finish(h, USB_GONE, 0);
	usbdev_detach(&f->dev);
	if (was_attached)
		fault_tell(f, FAULT_EVENT_DETACHED, NULL);
}

static const struct usbhost_ops fault_host_ops = {
	.complete = fault_complete,
	.attach = fault_attach,
	.detach = fault_detach,
};

/* The list of rules */

int fault_add(struct fault *f, const struct fault_rule *rule)
{
	struct entry **link = &f->entries, *e;

	if (f->entry_count == FAULT_RULES)
		return -ENOSPC;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	while (*link)
		link = &(*link)->next;
	*link = e;
	f->entry_count++;
	e->id = ++f->last_id;
	e->rule = *rule;
	e->fault = f;
	/* Its own stream: what other rules draw does not matter to it. */
	e->prng.state = prng_next(&f->prng);
	e->timed.fire = fault_timed_is_due;
	e->timed.context = e;
	if (fault_rule_is_timed(rule))
		bench_at(f->bench, &e->timed, rule->from_us);
	return (int)e->id;
}

static void drop(struct fault *f, struct entry **link)
{
	struct entry *e = *link;

	*link = e->next;
	f->entry_count--;
	bench_cancel(f->bench, &e->timed);
	free(e);
}

int fault_remove(struct fault *f, unsigned id)
{
	struct entry **link = &f->entries;

	while (*link && (*link)->id != id)
		link = &(*link)->next;
	if (!*link)
		return -ENOENT;
	drop(f, link);
	return 0;
}

void fault_clear(struct fault *f)
{
	while (f->entries)
		drop(f, &f->entries);
}

bool fault_list(const struct fault *f, unsigned index, struct fault_info *info)
{
	const struct entry *e = f->entries;

	while (e && index--)
		e = e->next;
	if (!e)
		return false;
	*info = (struct fault_info){ .id = e->id, .rule = e->rule, .matches = e->matches, .fired = e->fired };
	return true;
}

void fault_suspend(struct fault *f, bool suspended)
{
	f->suspended = suspended;
}

void fault_listen(struct fault *f, void (*event)(void *context, const struct fault_event *), void *context)
{
	f->listener = event;
	f->listener_context = context;
}

struct fault *fault_new(struct bench *bench, struct usbdev *below, const struct mcu_profile *profile,
			const struct fault_ops *ops, void *context, uint64_t seed)
{
	struct fault *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->dev.ops = &fault_dev_ops;
	f->host.ops = &fault_host_ops;
	f->below = below;
	f->bench = bench;
	f->profile = profile;
	f->ops = ops;
	f->context = context;
	f->prng.state = seed;
	f->hse_event.fire = fault_hse_has_locked;
	f->hse_event.context = f;
	usbdev_connect(below, &f->host);
	return f;
}

struct usbdev *fault_usbdev(struct fault *f)
{
	return &f->dev;
}

void fault_free(struct fault *f)
{
	if (!f)
		return;
	usbdev_connect(f->below, NULL);
	fault_clear(f);
	bench_cancel(f->bench, &f->hse_event);
	while (f->held) {
		struct fault_held *h = f->held;

		f->held = h->next;
		bench_cancel(f->bench, &h->event);
		free(h->copy);
		free(h);
	}
	fault_acts_free(f);
	free(f);
}
