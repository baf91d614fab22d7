/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OTG_FS on a bench, with a host on the wire and small firmware on the registers: a device with one configuration (bulk echo 0x01 to
 * 0x81, an interrupt endpoint 0x82) over a driver, of which there are three (otg_drivers.h). The firmware runs some microseconds
 * after its interrupt, at once. Include after cmocka.h.
 */
#ifndef DFUBENCH_TESTS_OTG_RIG_H
#define DFUBENCH_TESTS_OTG_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "f407/otg_fs.h"
#include "host.h"

#define RIG_BYTES 2048
#define RIG_ENDPOINTS 4
#define RIG_VENDOR_READ 1  /* IN: as many bytes as asked for, or as wValue says */
#define RIG_VENDOR_WRITE 2 /* OUT: kept in written */
#define RIG_VENDOR_HALT 3  /* stalls endpoint wIndex by itself */

struct rig;

struct rig_driver {
	const char *name;
	void (*init)(struct rig *);
	void (*service)(struct rig *); /* the interrupt handler, or one turn of the main loop */
	bool polled;
	bool late_status; /* not ready for a status stage before all data was fetched: a host that takes less has to reset it */
	void (*set_address)(struct rig *, uint8_t address);
	void (*open)(struct rig *, uint8_t endpoint, unsigned type, unsigned bytes);
	/* One transfer: rig_sent() follows. data stays. */
	void (*send)(struct rig *, unsigned endpoint, const uint8_t *data, unsigned length);
	/* One transfer of up to length: rig_received() follows, after each packet or after all of it. */
	void (*receive)(struct rig *, unsigned endpoint, unsigned length);
	void (*stall)(struct rig *, uint8_t endpoint, bool on);
};

struct rig_transfer {
	const uint8_t *out_of;
	uint8_t into[RIG_BYTES];
	unsigned length, done, packet;
};

struct rig {
	struct bench *bench;
	struct otg_fs *otg;
	struct host host;
	const struct rig_driver *driver;
	uint64_t latency_us;
	struct bench_event event;
	bool line, stopped; /* stopped: the firmware hangs */
	unsigned unknown, last_unknown, syncs;
	void (*on_sync)(struct rig *); /* the firmware comes up to the present; may be NULL */

	/* the driver's */
	struct rig_transfer in[RIG_ENDPOINTS], out[RIG_ENDPOINTS];
	uint8_t setup_bytes[8];
	unsigned fifo_top, suspends, resumes, resets, enumerations, frames;

	/* the device's */
	uint8_t packet0; /* bMaxPacketSize0 */
	struct usb_setup setup;
	unsigned setups, notices;
	uint8_t reply[RIG_BYTES], written[RIG_BYTES];
	unsigned written_length, configuration;
	bool ends_with_empty, status_follows;
	uint8_t echo[RIG_BYTES];
};

static inline uint32_t rd(struct rig *r, uint32_t offset)
{
	return otg_fs_read(r->otg, offset);
}

static inline void wr(struct rig *r, uint32_t offset, uint32_t value)
{
	otg_fs_write(r->otg, offset, value);
}

static inline void set(struct rig *r, uint32_t offset, uint32_t bits)
{
	wr(r, offset, rd(r, offset) | bits);
}

static inline void clear(struct rig *r, uint32_t offset, uint32_t bits)
{
	wr(r, offset, rd(r, offset) & ~bits);
}

/* A loop that a driver would be in for ever. */
static inline void until(struct rig *r, uint32_t offset, uint32_t mask, uint32_t value)
{
	for (unsigned i = 0; i < 1000; i++)
		if ((rd(r, offset) & mask) == value)
			return;
	fail_msg("%s waits for ever at 0x%03x for 0x%08x", r->driver->name, offset, mask);
}

/* The device */

static const uint8_t rig_configuration[] = { 9,    2, 39, 0, 1, 1, 0, 0x80, 50, 9,  4, 0, 0, 3, 0xff, 0, 0, 0, 7, 5,
					     0x01, 2, 64, 0, 0, 7, 5, 0x81, 2,  64, 0, 0, 7, 5, 0x82, 3, 8, 0, 10 };

static inline void rig_reply(struct rig *r, const uint8_t *data, unsigned length)
{
	unsigned asked = r->setup.length;

	if (length > asked)
		length = asked;
	memcpy(r->reply, data, length);
	r->ends_with_empty = length && length < asked && length % r->packet0 == 0;
	r->status_follows = true;
	r->driver->send(r, 0, r->reply, length);
}

static inline void rig_status(struct rig *r)
{
	r->driver->send(r, 0, r->reply, 0);
}

static inline void rig_refuse(struct rig *r)
{
	r->driver->stall(r, 0x80, true);
	r->driver->stall(r, 0x00, true);
}

static inline void rig_configure(struct rig *r)
{
	r->configuration = r->setup.value;
	r->driver->open(r, 0x01, 2, 64);
	r->driver->open(r, 0x81, 2, 64);
	r->driver->open(r, 0x82, 3, 8);
	r->driver->receive(r, 1, 256);
}

static inline void rig_vendor_read(struct rig *r)
{
	uint8_t data[RIG_BYTES];

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	rig_reply(r, data, r->setup.value ? r->setup.value : r->setup.length);
}

static inline void rig_setup(struct rig *r, const uint8_t packet[8])
{
	uint8_t device[18] = { 18, 1, 0, 2, 0xff, 0, 0, r->packet0, 0x34, 0x12, 0x78, 0x56, 0, 1, 0, 0, 0, 1 };
	uint8_t status[2] = { 0, 0 };

	r->setup = usb_setup_decode(packet);
	r->setups++;
	r->ends_with_empty = r->status_follows = false;
	r->written_length = 0;
	switch (packet[0] << 8 | packet[1]) {
	case 0x8006:
		if (r->setup.value == 0x0100)
			rig_reply(r, device, sizeof(device));
		else if (r->setup.value == 0x0200)
			rig_reply(r, rig_configuration, sizeof(rig_configuration));
		else
			rig_refuse(r);
		return;
	case 0x8000:
		rig_reply(r, status, 2);
		return;
	case 0x0005:
		r->driver->set_address(r, (uint8_t)r->setup.value);
		return;
	case 0x0009:
		rig_configure(r);
		rig_status(r);
		return;
	case 0x0201:
		r->driver->stall(r, (uint8_t)r->setup.index, false);
		if (r->setup.index == 1)
			r->driver->receive(r, 1, 256);
		rig_status(r);
		return;
	case 0xc000 | RIG_VENDOR_READ:
		rig_vendor_read(r);
		return;
	case 0x4000 | RIG_VENDOR_WRITE:
		if (r->setup.length)
			r->driver->receive(r, 0, r->setup.length);
		else
			rig_status(r);
		return;
	case 0x4000 | RIG_VENDOR_HALT:
		r->driver->stall(r, (uint8_t)r->setup.index, true);
		rig_status(r);
		return;
	default:
		rig_refuse(r);
	}
}

static inline void rig_sent(struct rig *r, unsigned endpoint)
{
	if (endpoint == 2)
		r->notices++;
	if (endpoint == 1) /* the echo is back: the next */
		r->driver->receive(r, 1, 256);
	if (endpoint)
		return;
	if (r->ends_with_empty) {
		r->ends_with_empty = false;
		r->driver->send(r, 0, r->reply, 0);
	} else if (r->status_follows) {
		r->status_follows = false;
		r->driver->receive(r, 0, 0);
	}
}

static inline void rig_received(struct rig *r, unsigned endpoint, const uint8_t *data, unsigned length)
{
	if (endpoint == 1) {
		memcpy(r->echo, data, length);
		r->driver->send(r, 1, r->echo, length);
		return;
	}
	if (endpoint || (r->setup.type << 8 | r->setup.request) != (0x4000 | RIG_VENDOR_WRITE))
		return;
	memcpy(r->written + r->written_length, data, length);
	r->written_length += length;
	if (r->written_length >= r->setup.length)
		rig_status(r);
}

/* The bench */

static inline void rig_run(struct bench_event *e)
{
	struct rig *r = e->context;

	if (r->stopped)
		return;
	for (unsigned turns = 0; r->driver->polled ? !turns : r->line; turns++) {
		if (turns == 1000)
			fail_msg("%s: the interrupt does not go, GINTSTS 0x%08x", r->driver->name, rd(r, 0x014));
		r->driver->service(r);
	}
	if (r->driver->polled)
		bench_after(r->bench, e, r->latency_us);
}

static inline void rig_interrupt(void *context, bool level)
{
	struct rig *r = context;

	assert_int_not_equal(level, r->line);
	r->line = level;
	if (level && r->driver && !r->driver->polled && !bench_is_scheduled(&r->event))
		bench_after(r->bench, &r->event, r->latency_us);
}

static inline void rig_sync(void *context)
{
	struct rig *r = context;

	r->syncs++;
	if (r->on_sync)
		r->on_sync(r);
}

static inline void rig_unknown(void *context, uint32_t offset, bool write)
{
	struct rig *r = context;

	(void)write;
	r->unknown++;
	r->last_unknown = offset;
}

/* No driver: bare registers. */
static inline void rig_open_bare(struct rig *r)
{
	struct otg_fs_user user = { rig_interrupt, rig_sync, rig_unknown, r };

	memset(r, 0, sizeof(*r));
	r->bench = bench_new(1);
	r->latency_us = 3;
	r->packet0 = 64;
	r->event = (struct bench_event){ .fire = rig_run, .context = r };
	r->otg = otg_fs_new(r->bench, &user);
	assert_non_null(r->otg);
	host_init(&r->host, r->bench, otg_fs_usbdev(r->otg));
	r->host.timeout_us = 1000000;
	otg_fs_vbus(r->otg, true);
	otg_fs_clock(r->otg, true);
}

static inline void rig_open(struct rig *r, const struct rig_driver *driver)
{
	rig_open_bare(r);
	print_message("%s\n", driver->name);
	r->driver = driver;
	driver->init(r);
	if (driver->polled)
		bench_after(r->bench, &r->event, r->latency_us);
	assert_true(r->host.attached);
}

static inline void rig_close(struct rig *r)
{
	otg_fs_free(r->otg);
	bench_cancel(r->bench, &r->event);
	assert_int_equal(bench_next_us(r->bench), BENCH_NEVER);
	bench_free(r->bench);
}

/* As describe does: reset, look, address, look, configure. */
static inline void rig_enumerate(struct rig *r)
{
	uint8_t b[255];
	size_t n;

	r->host.dev->ops->bus_reset(r->host.dev);
	if (r->packet0 > 18 || !r->driver->late_status) {
		assert_int_equal(host_control(&r->host, 0x80, 6, 0x0100, 0, b, 64, &n), USB_ACK);
		assert_int_equal(n, r->packet0 < 18 ? r->packet0 : 18);
	} else {
		assert_int_equal(host_control(&r->host, 0x80, 6, 0x0100, 0, b, r->packet0, &n), USB_ACK);
	}
	r->host.dev->ops->bus_reset(r->host.dev);
	assert_int_equal(host_control(&r->host, 0x00, 5, 9, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(host_control(&r->host, 0x80, 6, 0x0100, 0, b, 18, &n), USB_ACK);
	assert_int_equal(n, 18);
	assert_int_equal(b[8] | b[9] << 8, 0x1234);
	assert_int_equal(host_control(&r->host, 0x80, 6, 0x0200, 0, b, 9, &n), USB_ACK);
	assert_int_equal(host_control(&r->host, 0x80, 6, 0x0200, 0, b, 255, &n), USB_ACK);
	assert_int_equal(n, sizeof(rig_configuration));
	assert_memory_equal(b, rig_configuration, sizeof(rig_configuration));
	assert_int_equal(host_control(&r->host, 0x00, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(r->configuration, 1);
}

static inline void rig_submit(struct rig *r, struct host_urb *u, uint8_t endpoint, void *data, size_t length)
{
	*u = (struct host_urb){ .urb = { .endpoint = endpoint, .data = data, .length = length } };
	u->urb.context = u;
	r->host.dev->ops->submit(r->host.dev, &u->urb);
}

/* One transfer to an endpoint; USB_CANCELLED after the host's time. */
static inline enum usb_result rig_transfer(struct rig *r, uint8_t endpoint, void *data, size_t length, size_t *actual)
{
	struct host_urb u;

	rig_submit(r, &u, endpoint, data, length);
	if (!host_wait(&r->host, &u, r->host.timeout_us))
		r->host.dev->ops->cancel(r->host.dev, &u.urb);
	assert_int_equal(u.completions, 1);
	if (actual)
		*actual = u.urb.actual;
	return u.urb.result;
}

#endif
