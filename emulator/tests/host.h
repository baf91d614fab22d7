/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host for tests: drives a usbdev one transfer at a time and moves the bench until the answer is there. */
#ifndef DFUBENCH_TESTS_HOST_H
#define DFUBENCH_TESTS_HOST_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "dfuse.h"
#include "usbdev.h"

#define HOST_TIMEOUT_US UINT64_C(40000000)
#define SECONDS(n) ((uint64_t)(n)*1000000u)
#define MS(n) ((uint64_t)(n)*1000u)

struct host {
	struct usbhost base;
	struct bench *bench;
	struct usbdev *dev;
	bool attached;
	unsigned attaches, detaches, completed;
	uint64_t timeout_us; /* of the synchronous calls */
};

/* A transfer that the test does not wait for at once. */
struct host_urb {
	struct usb_urb urb;
	unsigned completions;
	uint64_t done_us;
};

static inline struct host *host_of(struct usbhost *base)
{
	return (struct host *)base; /* its first member */
}

static inline void host_complete(struct usbhost *base, struct usb_urb *urb)
{
	struct host_urb *u = urb->context;

	host_of(base)->completed++;
	u->completions++;
	u->done_us = bench_now_us(host_of(base)->bench);
}

static inline void host_attach(struct usbhost *base, struct usbdev *dev)
{
	(void)dev;
	host_of(base)->attached = true;
	host_of(base)->attaches++;
}

static inline void host_detach(struct usbhost *base, struct usbdev *dev)
{
	(void)dev;
	host_of(base)->attached = false;
	host_of(base)->detaches++;
}

static const struct usbhost_ops host_ops = { .complete = host_complete, .attach = host_attach, .detach = host_detach };

static inline void host_init(struct host *h, struct bench *bench, struct usbdev *dev)
{
	*h = (struct host){ .base.ops = &host_ops, .bench = bench, .dev = dev, .timeout_us = HOST_TIMEOUT_US };
	usbdev_connect(dev, &h->base);
}

static inline void host_submit(struct host *h, struct host_urb *u, struct usb_setup setup, void *data)
{
	*u = (struct host_urb){ .urb = { .setup = setup, .data = data, .length = setup.length } };
	u->urb.context = u;
	h->dev->ops->submit(h->dev, &u->urb);
}

/* Until the transfer is done or so much time has passed. */
static inline bool host_wait(struct host *h, struct host_urb *u, uint64_t timeout_us)
{
	uint64_t deadline_us = bench_now_us(h->bench) + timeout_us;

	while (!u->completions && bench_next_us(h->bench) <= deadline_us)
		bench_advance(h->bench, bench_next_us(h->bench));
	if (!u->completions)
		bench_advance(h->bench, deadline_us);
	return u->completions != 0;
}

static inline void host_sleep(struct host *h, uint64_t us)
{
	bench_advance(h->bench, bench_now_us(h->bench) + us);
}

/* One control transfer. USB_CANCELLED after timeout_us. actual may be NULL. */
static inline enum usb_result host_control(struct host *h, uint8_t type, uint8_t request, uint16_t value,
					   uint16_t index, void *data, uint16_t length, size_t *actual)
{
	struct host_urb u;

	host_submit(h, &u, (struct usb_setup){ type, request, value, index, length }, data);
	if (!host_wait(h, &u, h->timeout_us))
		h->dev->ops->cancel(h->dev, &u.urb);
	assert_int_equal(u.completions, 1);
	if (actual)
		*actual = u.urb.actual;
	return u.urb.result;
}

/* Bus reset, address, configuration 1. */
static inline void host_enumerate(struct host *h)
{
	h->dev->ops->bus_reset(h->dev);
	assert_int_equal(host_control(h, 0x00, 5, 1, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(host_control(h, 0x00, 9, 1, 0, NULL, 0, NULL), USB_ACK);
}

static inline enum usb_result host_dnload(struct host *h, uint16_t block, const void *data, uint16_t length)
{
	return host_control(h, 0x21, DFU_DNLOAD, block, 0, (void *)(uintptr_t)data, length, NULL);
}

static inline enum usb_result host_upload(struct host *h, uint16_t block, void *data, uint16_t length, size_t *actual)
{
	return host_control(h, 0xa1, DFU_UPLOAD, block, 0, data, length, actual);
}

static inline enum usb_result host_getstatus(struct host *h, uint8_t status[6])
{
	return host_control(h, 0xa1, DFU_GETSTATUS, 0, 0, status, 6, NULL);
}

static inline enum usb_result host_clrstatus(struct host *h)
{
	return host_control(h, 0x21, DFU_CLRSTATUS, 0, 0, NULL, 0, NULL);
}

static inline enum usb_result host_abort(struct host *h)
{
	return host_control(h, 0x21, DFU_ABORT, 0, 0, NULL, 0, NULL);
}

/* GETSTATUS must answer these bytes: GS rows. */
#define host_expect_status(h, ...) \
	do { \
		const uint8_t want_[6] = { __VA_ARGS__ }; \
		uint8_t got_[6] = { 0 }; \
		assert_int_equal(host_getstatus((h), got_), USB_ACK); \
		assert_memory_equal(got_, want_, 6); \
	} while (0)

/* A block-0 command with a 32-bit argument. */
static inline enum usb_result host_command(struct host *h, uint8_t command, uint32_t address)
{
	uint8_t b[5] = { command, (uint8_t)address, (uint8_t)(address >> 8), (uint8_t)(address >> 16),
			 (uint8_t)(address >> 24) };

	return host_dnload(h, 0, b, 5);
}

#endif
