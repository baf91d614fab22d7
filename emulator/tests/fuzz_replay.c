/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a recording that plays, and a host. The input is two bytes of length, that much of host, and a capture.
 * The host is a byte for each act: it makes the next request of the recording, or one of its own, waits, takes back, resets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fake_host.h"
#include "playback.h"
#include "transcript.h"

#define URBS 4
#define WAIT_EVENTS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct act {
	struct usb_urb urb;
	uint8_t bytes[512];
	bool pending;
};

struct scene {
	struct bench *bench;
	struct usbdev *dev;
	struct fake_host host;
	struct act acts[URBS];
};

static void completed(struct fake_host *h, struct usb_urb *urb)
{
	struct scene *s = (struct scene *)((char *)h - offsetof(struct scene, host));

	for (unsigned i = 0; i < URBS; i++)
		if (&s->acts[i].urb == urb) {
			if (!s->acts[i].pending || urb->actual > urb->length)
				abort();
			s->acts[i].pending = false;
			return;
		}
	abort();
}

static void submit(struct scene *s, uint8_t endpoint, const struct usb_setup *setup, const uint8_t *out, size_t length)
{
	struct act *a = NULL;

	for (unsigned i = 0; i < URBS && !a; i++)
		if (!s->acts[i].pending)
			a = &s->acts[i];
	if (!a)
		return;
	a->urb = (struct usb_urb){ .endpoint = endpoint, .setup = *setup, .data = a->bytes };
	a->urb.length = endpoint ? 64 : setup->length;
	if (a->urb.length > sizeof(a->bytes))
		a->urb.length = a->urb.setup.length = sizeof(a->bytes);
	memset(a->bytes, 0, sizeof(a->bytes));
	if (length)
		memcpy(a->bytes, out, length < a->urb.length ? length : a->urb.length);
	a->pending = true;
	s->dev->ops->submit(s->dev, &a->urb);
}

static void wait_some(struct scene *s)
{
	for (unsigned i = 0; i < WAIT_EVENTS && bench_next_us(s->bench) != BENCH_NEVER; i++)
		bench_advance(s->bench, bench_next_us(s->bench));
}

static void act(struct scene *s, uint8_t what, const struct transcript *t, size_t *next)
{
	static const struct usb_setup own[] = {
		{ 0xa1, 3, 0, 0, 6 },  { 0xa1, 5, 0, 0, 1 },       { 0x21, 4, 0, 0, 0 },
		{ 0x21, 1, 2, 0, 64 }, { 0x80, 6, 0x0100, 0, 18 }, { 0x80, 6, 0x0200, 0, 255 },
		{ 0x00, 9, 1, 0, 0 },  { 0x01, 11, 1, 0, 0 },      { 0x80, 6, 0x0303, 0x409, 255 },
		{ 0x80, 0, 0, 0, 2 },  { 0x02, 3, 0, 0x81, 0 },    { 0x00, 5, 3, 0, 0 },
	};
	unsigned kind = what & 7, number = what >> 3;

	if (kind < 3 && *next < t->count) {
		const struct exchange *x = &t->exchanges[(*next)++];

		submit(s, 0, &x->setup, x->setup.type & 0x80 ? NULL : x->data, x->setup.type & 0x80 ? 0 : x->length);
		if (kind)
			wait_some(s);
	} else if (kind == 3) {
		submit(s, 0, &own[number % (sizeof(own) / sizeof(own[0]))], NULL, 0);
	} else if (kind == 4) {
		submit(s, number & 1 ? 0x81 : 0x01, &own[0], NULL, 0);
	} else if (kind == 5) {
		if (s->acts[number % URBS].pending)
			s->dev->ops->cancel(s->dev, &s->acts[number % URBS].urb);
	} else if (kind == 6) {
		if (number & 1)
			s->dev->ops->bus_reset(s->dev);
		else
			*next += number;
	} else {
		wait_some(s);
	}
}

static void play(struct playback *r, struct bench *bench, const uint8_t *host, size_t length,
		 const struct transcript *t)
{
	struct scene *s = calloc(1, sizeof(*s));
	size_t next = 0;

	s->bench = bench;
	s->dev = playback_device(r, length && playback_device(r, host[0] & 3) ? host[0] & 3 : 0);
	fake_host_init(&s->host);
	s->host.on_complete = completed;
	usbdev_connect(s->dev, &s->host.host);
	playback_plug(r);
	for (size_t i = 1; i < length; i++)
		act(s, host[i], t, &next);
	playback_finish(r);
	for (unsigned i = 0; i < URBS; i++)
		if (s->acts[i].pending)
			s->dev->ops->cancel(s->dev, &s->acts[i].urb);
	for (unsigned i = 0; i < URBS; i++)
		if (s->acts[i].pending)
			abort();
	usbdev_connect(s->dev, NULL);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct say say = { .level = 1 };
	struct transcript t;
	struct playback *r;
	struct bench *bench;
	struct writer w;
	size_t length;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	say.stream = nowhere;
	if (size < 2 || !nowhere)
		return 0;
	length = (size_t)(data[0] | (data[1] & 1) << 8);
	if (length > size - 2)
		length = size - 2;
	bench = bench_new(1);
	r = playback_new(bench, "fuzz", data + 2 + length, size - 2 - length, (data[1] & 2) != 0, &say);
	transcript_read(&t, data + 2 + length, size - 2 - length, NULL);
	if (r) {
		play(r, bench, data + 2, length, &t);
		writer_init(&w, true);
		playback_write(r, &w);
		writer_finish(&w);
		writer_free(&w);
	}
	transcript_free(&t);
	playback_free(r);
	bench_free(bench);
	return 0;
}
