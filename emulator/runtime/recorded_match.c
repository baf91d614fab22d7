/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which recorded request a request is, and what may be forgiven. */
#include <string.h>
#include "recorded_internal.h"

/* DFU 1.1 3, of which these two move nothing */
#define DFU_IN_INTERFACE 0xa1
#define GETSTATUS 3
#define GETSTATE 5

bool recorded_is_poll(const struct usb_setup *s)
{
	return s->type == DFU_IN_INTERFACE && (s->request == GETSTATUS || s->request == GETSTATE);
}

bool recorded_differs(const struct recorded_exchange *x, const struct usb_setup *s, const uint8_t *data, size_t length,
		      struct recorded_difference *d)
{
	uint8_t expected[8], actual[8];

	usb_setup_encode(&x->setup, expected);
	usb_setup_encode(s, actual);
	for (size_t i = 0; i < sizeof(expected); i++)
		if (expected[i] != actual[i]) {
			*d = (struct recorded_difference){ IN_SETUP, i, expected[i], actual[i] };
			return true;
		}
	if (s->type & 0x80)
		return false;
	for (size_t i = 0; i < x->length && i < length; i++)
		if (x->data[i] != data[i]) {
			*d = (struct recorded_difference){ IN_DATA, i, x->data[i], data[i] };
			return true;
		}
	if (x->length <= length) /* wLength is the same: the rest was not recorded */
		return false;
	*d = (struct recorded_difference){ IN_LENGTH, length, x->data[length], -1 };
	return true;
}

bool recorded_same(const struct recorded_exchange *x, const struct usb_urb *urb)
{
	struct recorded_difference d;

	return !recorded_differs(x, &urb->setup, urb->data, urb->length, &d);
}

size_t recorded_next(const struct recorded *r, size_t i)
{
	const struct recorded_life *life = &r->lives[r->life];

	while (i < life->count && (r->done[i] || !recorded_is_followed(&r->interfaces, &life->exchanges[i].setup)))
		i++;
	return i;
}

/* The first that is no poll and has not been made: polls up to there have been left out if it is what is asked. */
static size_t behind_polls(const struct recorded *r)
{
	const struct recorded_life *life = &r->lives[r->life];
	size_t i = r->next;

	while (i < life->count && recorded_is_poll(&life->exchanges[i].setup))
		i = recorded_next(r, i + 1);
	return i;
}

static void remember(struct recorded *r, const struct recorded_exchange *x)
{
	if (x->setup.request != GETSTATUS || x->result != USB_ACK || x->length < sizeof(r->status))
		return;
	memcpy(r->status, x->data, sizeof(r->status));
	r->has_status = true;
}

void recorded_mark(struct recorded *r, size_t i)
{
	r->done[i] = true;
	remember(r, &r->lives[r->life].exchanges[i]);
	r->next = recorded_next(r, r->next);
}

static void leave_out(struct recorded *r, size_t end)
{
	const struct recorded_life *life = &r->lives[r->life];
	const struct recorded_exchange *first = &life->exchanges[r->next];
	uint64_t count = 0;

	while (r->next < end) {
		recorded_mark(r, r->next);
		count++;
	}
	recorded_tell(r, RECORDED_LEFT_OUT, false, first, NULL, count);
}

size_t recorded_take_liberty(struct recorded *r, const struct usb_urb *urb, bool *polled)
{
	const struct recorded_life *life = &r->lives[r->life];
	const struct recorded_exchange *expected = r->next < life->count ? &life->exchanges[r->next] : NULL;
	size_t i;

	*polled = false;
	if (recorded_is_poll(&urb->setup)) {
		/* One kind for the other, or more of them. */
		if (!r->has_status)
			return life->count;
		*polled = true;
		recorded_tell(r, RECORDED_EXTRA_POLL, false, expected, urb, 0);
		return life->count;
	}
	i = behind_polls(r);
	if (i < life->count && i != r->next && recorded_same(&life->exchanges[i], urb)) {
		leave_out(r, i);
		return i;
	}
	for (i = r->next; i < life->count; i = recorded_next(r, i + 1))
		if (recorded_same(&life->exchanges[i], urb)) {
			recorded_tell(r, RECORDED_OUT_OF_ORDER, false, &life->exchanges[i], urb, 0);
			return i;
		}
	return life->count;
}

void recorded_tell_rest(struct recorded *r)
{
	const struct recorded_exchange *first = NULL;
	uint64_t count = 0;
	bool polls = true;

	for (size_t l = r->life; l < r->life_count; l++) {
		const struct recorded_life *life = &r->lives[l];
		struct recorded_interfaces f;

		recorded_read_interfaces(life, &f);
		for (size_t i = 0; i < life->count; i++) {
			if (!recorded_is_followed(&f, &life->exchanges[i].setup) || (l == r->life && r->done[i]))
				continue;
			if (!first)
				first = &life->exchanges[i];
			polls &= recorded_is_poll(&life->exchanges[i].setup);
			count++;
		}
	}
	if (!count)
		return;
	if (r->loose && polls)
		recorded_tell(r, RECORDED_LEFT_OUT, false, first, NULL, count);
	else
		recorded_tell(r, RECORDED_NOT_MADE, true, first, NULL, count);
}
