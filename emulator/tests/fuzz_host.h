/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For fuzz targets: input that is taken byte by byte, and a host with transfers under way. */
#ifndef DFUBENCH_FUZZ_HOST_H
#define DFUBENCH_FUZZ_HOST_H

#include <stdlib.h>
#include "fake_host.h"

#define FUZZ_HELD 8 /* transfers at a time; a power of two */

struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* 0 behind the end. */
static inline uint8_t fuzz_next(struct fuzz_input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

static inline uint32_t fuzz_word(struct fuzz_input *in)
{
	uint32_t word = fuzz_next(in);

	word |= (uint32_t)fuzz_next(in) << 8;
	word |= (uint32_t)fuzz_next(in) << 16;
	return word | (uint32_t)fuzz_next(in) << 24;
}

struct fuzz_transfer {
	struct usb_urb urb;
	uint8_t *bytes; /* of its length, so that a byte beyond is seen */
	bool under_way;
};

struct fuzz_host {
	struct fake_host host; /* first */
	struct fuzz_transfer held[FUZZ_HELD];
};

/* Every transfer comes back once, with no more than it has room for. */
static inline void fuzz_host_completed(struct fake_host *host, struct usb_urb *urb)
{
	struct fuzz_host *h = (struct fuzz_host *)host;

	for (unsigned i = 0; i < FUZZ_HELD; i++) {
		struct fuzz_transfer *t = &h->held[i];

		if (&t->urb != urb)
			continue;
		if (!t->under_way || urb->actual > urb->length)
			abort();
		t->under_way = false;
		return;
	}
	abort();
}

static inline void fuzz_host_init(struct fuzz_host *h)
{
	memset(h, 0, sizeof(*h));
	fake_host_init(&h->host);
	h->host.on_complete = fuzz_host_completed;
}

/* setup: of a control transfer, or NULL. Does nothing if all are under way. */
static inline void fuzz_host_submit(struct fuzz_host *h, struct usbdev *dev, const struct usb_setup *setup,
				    uint8_t endpoint, size_t length, const uint8_t *data, size_t size)
{
	struct fuzz_transfer *t = NULL;

	for (unsigned i = 0; i < FUZZ_HELD; i++)
		if (!h->held[i].under_way)
			t = &h->held[i];
	if (!t)
		return;
	free(t->bytes);
	t->bytes = calloc(1, length ? length : 1);
	if (!t->bytes)
		abort();
	if (length && size)
		memcpy(t->bytes, data, length < size ? length : size);
	t->urb = (struct usb_urb){ .endpoint = endpoint, .data = t->bytes, .length = length };
	if (setup)
		t->urb.setup = *setup;
	t->under_way = true;
	dev->ops->submit(dev, &t->urb);
}

/* On any endpoint, as the input has it: the length in units, and a SETUP packet for endpoint 0; its data is what follows. */
static inline void fuzz_host_submit_any(struct fuzz_host *h, struct usbdev *dev, struct fuzz_input *in,
					uint8_t endpoint, unsigned unit)
{
	size_t length = (size_t)fuzz_next(in) * unit;
	struct usb_setup setup = { 0 };
	bool control = !(endpoint & 0x0f);
	uint8_t packet[8];

	if (control) {
		for (unsigned i = 0; i < 6; i++)
			packet[i] = fuzz_next(in);
		packet[6] = (uint8_t)length;
		packet[7] = (uint8_t)(length >> 8);
		setup = usb_setup_decode(packet);
	}
	fuzz_host_submit(h, dev, control ? &setup : NULL, endpoint, length, in->data, in->size);
}

static inline void fuzz_host_cancel(struct fuzz_host *h, struct usbdev *dev, unsigned which)
{
	struct fuzz_transfer *t = &h->held[which % FUZZ_HELD];

	if (t->under_way)
		dev->ops->cancel(dev, &t->urb);
}

/* The device has gone: nothing is under way any more. */
static inline void fuzz_host_end(struct fuzz_host *h)
{
	for (unsigned i = 0; i < FUZZ_HELD; i++) {
		if (h->held[i].under_way)
			abort();
		free(h->held[i].bytes);
	}
}

#endif
