/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filter: transfers that go wrong by rule. A transfer that no rule hits passes as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fault.h"
#include "prng.h"

#define RESET_PULSE_US 20000u
/* "Tens of seconds", or two minutes (BOOT-19, EV-28). */
#define FLAKY_LEAST_US 40000000u
#define FLAKY_MOST_US 120000000u
#define CORRUPT_MOST_BITS 8
#define GETSTATUS_STATE 4u /* offset of bState in a GETSTATUS reply (DFU 1.1 6.1.2) */

struct entry {
	struct entry *next;
	unsigned id;
	struct fault_rule rule;
	struct prng prng;
	uint32_t matches, fired;
	struct bench_event timed; /* of a rule that waits for no transfer */
	struct fault *fault;
};

/* What a rule looks at. */
struct sight {
	uint32_t requests; /* FAULT_BITs */
	bool has_block, has_address;
	uint16_t block;
	uint32_t first, last; /* addresses, both included */
	enum dfu_state state;
};

struct applied {
	struct fault_rule rule;
	uint64_t seed;
};

enum place { DELAYED, NEVER_ANSWERED, BELOW };

/* A transfer that a rule has hit. The board gets our URB, for data of an OUT may not be changed in the host's. */
struct held {
	struct held *next;
	struct fault *fault;
	struct usb_urb inner, *outer;
	uint8_t *copy;
	struct bench_event event;
	enum place place;
	unsigned era;
	unsigned count;
	struct applied applied[];
};

/* An action on the board that is due, or to be undone. */
struct act {
	struct act *next;
	struct fault *fault;
	struct bench_event event;
	enum fault_action action;
	bool undo, undoing;
	uint64_t undo_us;
};

struct fault {
	struct usbdev dev;   /* first: a struct usbdev * of ours is a struct fault * */
	struct usbhost host; /* towards the device below */
	struct usbdev *below;
	struct bench *bench;
	const struct mcu_profile *profile;
	const struct fault_ops *ops;
	void *context;
	struct prng prng;
	struct entry *entries;
	unsigned entry_count, last_id;
	struct held *held;
	struct act *acts;
	unsigned era;          /* counts bus resets */
	struct sight buffered; /* the download that the next GETSTATUS starts; requests is 0 without */
	enum dfu_state arrival_state;
	bool hse_stuck;
	struct bench_event hse_event;
	void (*listener)(void *context, const struct fault_event *);
	void *listener_context;
};

static struct fault *fault_of_dev(struct usbdev *dev)
{
	return (struct fault *)dev;
}

static struct fault *fault_of_host(struct usbhost *host)
{
	return (struct fault *)((char *)host - offsetof(struct fault, host));
}

static void tell(struct fault *f, enum fault_event_type type, const struct entry *e)
{
	struct fault_event event = { .type = type, .at_us = bench_now_us(f->bench) };

	if (e) {
		event.id = e->id;
		event.rule = &e->rule;
	}
	if (f->listener)
		f->listener(f->listener_context, &event);
}

/* What a transfer is */

static uint32_t word_of(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void set_range(struct sight *s, uint32_t address, size_t length)
{
	s->has_address = true;
	s->first = address;
	s->last = length && address + (uint32_t)(length - 1) >= address ? address + (uint32_t)(length - 1) : address;
}

/* The whole sector: hosts erase by any address in it (CMD-7). */
static void set_sector(struct sight *s, const struct mcu_profile *p, uint32_t address)
{
	uint32_t start = p->flash_base;

	set_range(s, address, 1);
	for (const struct flash_sectors *run = p->sectors; run->count; run++) {
		uint32_t bytes = run->count * run->size_bytes;

		if (address >= start && address - start < bytes) {
			start += (address - start) / run->size_bytes * run->size_bytes;
			set_range(s, start, run->size_bytes);
			return;
		}
		start += bytes;
	}
}

/* BLK-3 */
static void set_block_range(const struct fault *f, struct sight *s, size_t length)
{
	set_range(s, f->ops->pointer(f->context) + (s->block - 2u) * (uint32_t)f->profile->transfer_size_bytes, length);
}

/* CMD rows; only block 0 and from 2 on have a meaning (BLK-1..BLK-3). */
static void look_at_download(const struct fault *f, const struct usb_urb *urb, struct sight *s)
{
	const uint8_t *data = urb->data;
	size_t length = urb->setup.length;

	if (!length) {
		s->requests |= FAULT_BIT(FAULT_LEAVE); /* LV-1 */
		set_range(s, f->ops->pointer(f->context), 1);
	} else if (s->block >= 2) {
		s->requests |= FAULT_BIT(FAULT_WRITE);
		set_block_range(f, s, length);
	} else if (s->block == 0 && data[0] == DFUSE_SET_ADDRESS && length == 5) {
		s->requests |= FAULT_BIT(FAULT_SET_ADDRESS);
		set_range(s, word_of(data + 1), 1);
	} else if (s->block == 0 && data[0] == DFUSE_ERASE && length == 5) {
		s->requests |= FAULT_BIT(FAULT_ERASE);
		set_sector(s, f->profile, word_of(data + 1));
	} else if (s->block == 0 && data[0] == DFUSE_ERASE && length == 1) {
		s->requests |= FAULT_BIT(FAULT_MASS_ERASE);
		set_range(s, f->profile->flash_base, f->profile->flash_size_bytes);
	} else if (s->block == 0 && data[0] == DFUSE_READ_UNPROTECT && length == 1) {
		s->requests |= FAULT_BIT(FAULT_UNPROTECT);
		set_range(s, f->profile->flash_base, f->profile->flash_size_bytes);
	}
}

static void look_at_class_request(const struct fault *f, const struct usb_urb *urb, struct sight *s)
{
	static const enum fault_request requests[] = {
		[DFU_DETACH] = FAULT_DETACH,       [DFU_DNLOAD] = FAULT_DNLOAD,       [DFU_UPLOAD] = FAULT_UPLOAD,
		[DFU_GETSTATUS] = FAULT_GETSTATUS, [DFU_CLRSTATUS] = FAULT_CLRSTATUS, [DFU_GETSTATE] = FAULT_GETSTATE,
		[DFU_ABORT] = FAULT_ABORT,
	};

	if (urb->setup.request > DFU_ABORT || !f->ops->in_rom(f->context))
		return;
	s->requests |= FAULT_BIT(FAULT_DFU) | FAULT_BIT(requests[urb->setup.request]);
	if (urb->setup.request != DFU_DNLOAD && urb->setup.request != DFU_UPLOAD)
		return;
	s->has_block = true;
	s->block = urb->setup.value;
	if (urb->setup.request == DFU_DNLOAD) {
		look_at_download(f, urb, s);
	} else if (s->block == 0) {
		s->requests |= FAULT_BIT(FAULT_GET);
	} else if (s->block >= 2) {
		s->requests |= FAULT_BIT(FAULT_READ);
		set_block_range(f, s, urb->setup.length);
	}
}

/* USB 2.0 table 9-4 */
static uint32_t standard_request(uint8_t request)
{
	switch (request) {
	case 5:
		return FAULT_BIT(FAULT_SET_USB_ADDRESS);
	case 6:
		return FAULT_BIT(FAULT_GET_DESCRIPTOR);
	case 8:
		return FAULT_BIT(FAULT_GET_CONFIGURATION);
	case 9:
		return FAULT_BIT(FAULT_SET_CONFIGURATION);
	case 10:
		return FAULT_BIT(FAULT_GET_INTERFACE);
	case 11:
		return FAULT_BIT(FAULT_SET_INTERFACE);
	default:
		return 0;
	}
}

static struct sight look(const struct fault *f, const struct usb_urb *urb)
{
	struct sight s = { .requests = FAULT_BIT(FAULT_ANY), .state = f->ops->state(f->context) };

	if (urb->endpoint & 0x0f)
		return s;
	if ((urb->setup.type & 0x60) == 0x20)
		look_at_class_request(f, urb, &s);
	else if (!(urb->setup.type & 0x60))
		s.requests |= standard_request(urb->setup.request);
	return s;
}

/* Rules */

static bool matches(const struct fault *f, const struct fault_rule *r, const struct sight *s, uint32_t among)
{
	if (!(r->on & among & s->requests) || bench_now_us(f->bench) < r->from_us)
		return false;
	if (r->has_block && (!s->has_block || s->block < r->block_first || s->block > r->block_last))
		return false;
	if (r->has_address && (!s->has_address || s->last < r->address_first || s->first > r->address_last))
		return false;
	return !r->has_state || (f->ops->in_rom(f->context) && (uint8_t)s->state == r->state);
}

/* All conditions but probability and count hold. */
static bool fires(struct fault *f, struct entry *e)
{
	const struct fault_rule *r = &e->rule;

	if (r->probability < FAULT_CERTAIN && prng_between(&e->prng, 0, FAULT_CERTAIN - 1) >= r->probability)
		return false;
	if (e->matches < FAULT_ALWAYS)
		e->matches++;
	if (r->count_every ? e->matches % r->count_every : e->matches < r->count_first || e->matches > r->count_last)
		return false;
	if (e->fired < FAULT_ALWAYS)
		e->fired++;
	tell(f, FAULT_EVENT_FIRED, e);
	return true;
}

/* Actions on the board */

static void set_board(struct fault *f, enum fault_action action, bool wrong)
{
	if (action == FAULT_UNPLUG)
		f->ops->cable(f->context, !wrong);
	else if (action == FAULT_POWER_CUT)
		f->ops->power(f->context, !wrong);
	else
		f->ops->reset(f->context, !wrong);
}

static void act_is_due(struct bench_event *event)
{
	struct act *a = event->context;
	struct fault *f = a->fault;
	struct act **link = &f->acts;

	set_board(f, a->action, !a->undoing);
	if (a->undo && !a->undoing) {
		a->undoing = true;
		bench_after(f->bench, &a->event, a->undo_us);
		return;
	}
	while (*link != a)
		link = &(*link)->next;
	*link = a->next;
	free(a);
}

/* Never at once: we may be inside of the board's own doings. */
static void act_later(struct fault *f, const struct fault_rule *r)
{
	struct act *a = calloc(1, sizeof(*a));

	if (!a) /* a fault that does not happen: the board is none the worse for it */
		return;
	a->fault = f;
	a->action = r->action;
	a->undo = r->has_value || r->action == FAULT_RESET;
	a->undo_us = r->has_value ? r->value : RESET_PULSE_US;
	a->event.fire = act_is_due;
	a->event.context = a;
	a->next = f->acts;
	f->acts = a;
	bench_after(f->bench, &a->event, r->after_us);
}

static void timed_is_due(struct bench_event *event)
{
	struct entry *e = event->context;

	if (fires(e->fault, e))
		act_later(e->fault, &e->rule);
}

static void board_rules(struct fault *f, const struct sight *s, uint32_t among)
{
	for (struct entry *e = f->entries; e; e = e->next)
		if (fault_acts_on_board(e->rule.action) && e->rule.action != FAULT_FLAKY_HSE &&
		    !fault_rule_is_timed(&e->rule) && matches(f, &e->rule, s, among) && fires(f, e))
			act_later(f, &e->rule);
}

/* After the reply that starts it (EX-3): power and reset are to find the operation under way. */
static void watch_execution(struct fault *f, const struct usb_urb *urb)
{
	struct sight s;
	enum dfu_state state;

	if (urb->endpoint & 0x0f || (urb->setup.type & 0x60) != 0x20 || urb->result != USB_ACK ||
	    !f->ops->in_rom(f->context))
		return;
	switch (urb->setup.request) {
	case DFU_DNLOAD:
		f->buffered = look(f, urb);
		f->buffered.requests &= FAULT_OPERATIONS;
		f->buffered.state = f->arrival_state;
		break;
	case DFU_GETSTATUS:
		state = f->ops->state(f->context);
		if (!f->buffered.requests || (state != DFU_DNBUSY && state != DFU_MANIFEST))
			break;
		s = f->buffered;
		f->buffered.requests = 0;
		board_rules(f, &s, FAULT_OPERATIONS);
		break;
	case DFU_CLRSTATUS:
	case DFU_ABORT:
	case DFU_DETACH:
		f->buffered.requests = 0;
		break;
	}
}

/* Transfers */

static void finish(struct held *h, enum usb_result result, size_t actual)
{
	struct fault *f = h->fault;
	struct usb_urb *outer = h->outer;
	struct held **link = &f->held;

	bench_cancel(f->bench, &h->event);
	while (*link != h)
		link = &(*link)->next;
	*link = h->next;
	free(h->copy);
	free(h);
	usbdev_complete(&f->dev, outer, result, actual);
}

static struct held *held_of_outer(struct fault *f, const struct usb_urb *outer)
{
	struct held *h = f->held;

	while (h && h->outer != outer)
		h = h->next;
	return h;
}

static struct held *held_of_inner(struct fault *f, const struct usb_urb *inner)
{
	struct held *h = f->held;

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
static bool spoil_out(struct held *h)
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

static size_t spoil_in(struct held *h, size_t actual)
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
static void pass_on(struct held *h)
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
	struct held *h = calloc(1, sizeof(*h) + count * sizeof(h->applied[0]));
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
	if (f->entries && f->below->attached) {
		s = look(f, urb);
		board_rules(f, &s, ~FAULT_OPERATIONS);
		for (struct entry *e = f->entries; e; e = e->next)
			if (!fault_acts_on_board(e->rule.action) && matches(f, &e->rule, &s, UINT32_MAX) && fires(f, e))
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
	struct held *h = held_of_outer(f, urb);

	if (!h)
		f->below->ops->cancel(f->below, urb);
	else if (h->place == BELOW)
		f->below->ops->cancel(f->below, &h->inner);
	else
		finish(h, USB_CANCELLED, 0);
}

/* What is held here and of an era before this one. */
static struct held *held_before(struct fault *f, unsigned era)
{
	struct held *h = f->held;

	while (h && (h->place == BELOW || h->era == era))
		h = h->next;
	return h;
}

static void fault_bus_reset(struct usbdev *dev)
{
	struct fault *f = fault_of_dev(dev);
	struct held *h;

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
	struct held *h = held_of_inner(f, urb);
	size_t actual = urb->actual;

	watch_execution(f, urb);
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

static void show(struct fault *f)
{
	if (f->hse_stuck || !f->below->attached || f->dev.attached)
		return;
	usbdev_attach(&f->dev, f->below->speed);
	tell(f, FAULT_EVENT_ATTACHED, NULL);
}

static void fault_attach(struct usbhost *host, struct usbdev *below)
{
	(void)below;
	show(fault_of_host(host));
}

static void fault_detach(struct usbhost *host, struct usbdev *below)
{
	struct fault *f = fault_of_host(host);
	struct held *h;
	bool was_attached = f->dev.attached;

	(void)below;
	f->buffered.requests = 0;
	f->era++;
	while ((h = held_before(f, f->era)))
		finish(h, USB_GONE, 0);
	usbdev_detach(&f->dev);
	if (was_attached)
		tell(f, FAULT_EVENT_DETACHED, NULL);
}

static const struct usbhost_ops fault_host_ops = {
	.complete = fault_complete,
	.attach = fault_attach,
	.detach = fault_detach,
};

static void hse_has_locked(struct bench_event *event)
{
	struct fault *f = event->context;

	f->hse_stuck = false;
	show(f);
}

/* The ROM starts: does it find its clock? (BOOT-6, BOOT-19) */
static void try_hse(struct fault *f)
{
	for (struct entry *e = f->entries; e; e = e->next) {
		uint64_t stuck_us;

		if (e->rule.action != FAULT_FLAKY_HSE || bench_now_us(f->bench) < e->rule.from_us || !fires(f, e))
			continue;
		stuck_us = e->rule.has_value ? e->rule.value : prng_between(&e->prng, FLAKY_LEAST_US, FLAKY_MOST_US);
		f->hse_stuck = true;
		bench_after(f->bench, &f->hse_event, stuck_us);
	}
}

void fault_board_event(struct fault *f, const struct mcu_event *event)
{
	if (event->type == MCU_EVENT_RESET || (event->type == MCU_EVENT_BOOTED && event->mode != MCU_ROM)) {
		f->hse_stuck = false;
		bench_cancel(f->bench, &f->hse_event);
	}
	if (event->type == MCU_EVENT_BOOTED && event->mode == MCU_ROM_STARTING)
		try_hse(f);
}

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
	e->timed.fire = timed_is_due;
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
	f->hse_event.fire = hse_has_locked;
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
		struct held *h = f->held;

		f->held = h->next;
		bench_cancel(f->bench, &h->event);
		free(h->copy);
		free(h);
	}
	while (f->acts) {
		struct act *a = f->acts;

		f->acts = a->next;
		bench_cancel(f->bench, &a->event);
		free(a);
	}
	free(f);
}
