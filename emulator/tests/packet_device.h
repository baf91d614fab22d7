/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device for tests that lives by packets and answers what it is told to, endpoint by endpoint; what it heard is kept. Include
 * after cmocka.h.
 */
#ifndef DFUBENCH_TESTS_PACKET_DEVICE_H
#define DFUBENCH_TESTS_PACKET_DEVICE_H

#include <string.h>
#include "bus.h"
#include "host.h"

#define HEARD_MOST 4096

struct heard {
	char what; /* S O I, R (reset begins) r (ends), Z (silent) z (resumes), F (frame) */
	uint8_t address, endpoint;
	bool data1;
	size_t length;
	uint64_t at_us;
	enum bus_handshake answer;
};

struct packet_endpoint {
	enum bus_handshake answer; /* in ... */
	unsigned times;            /* ... so many times, then ACK */
	size_t packet;             /* IN: bytes of a packet */
	size_t left;               /* IN: bytes to send; a packet shorter than packet ends it */
	bool data1, repeats;       /* IN: the toggle; the next packet is the one before, once more */
	bool always;               /* the answer is for ever */
	size_t taken;              /* OUT: bytes */
};

struct packet_device {
	struct bench *bench;
	struct bus *bus;
	struct host host;
	struct packet_endpoint in[16], out[16];
	enum bus_handshake setup_answer;
	unsigned setup_times;
	bool has_reply; /* vendor requests are answered with this many bytes at most, not with all that is asked for */
	size_t reply_most;
	uint8_t descriptor[18], configuration[96], last_setup[8];
	size_t configuration_bytes;
	struct heard heard[HEARD_MOST];
	unsigned count;
	void (*during)(struct packet_device *, char what, uint8_t endpoint); /* in the middle of it; may be NULL */
};

static inline void hear(struct packet_device *d, char what, uint8_t address, uint8_t endpoint, bool data1,
			size_t length, enum bus_handshake answer)
{
	assert_true(d->count < HEARD_MOST);
	d->heard[d->count++] = (struct heard){ what, address, endpoint, data1, length, bench_now_us(d->bench), answer };
}

static inline enum bus_handshake packet_answer(struct packet_endpoint *e)
{
	if (e->always)
		return e->answer;
	if (!e->times)
		return BUS_ACK;
	e->times--;
	return e->answer;
}

static inline void packet_reset(void *context, bool begins)
{
	hear(context, begins ? 'R' : 'r', 0, 0, false, 0, BUS_ACK);
}

static inline void packet_idle(void *context, bool idle)
{
	hear(context, idle ? 'Z' : 'z', 0, 0, false, 0, BUS_ACK);
}

static inline void packet_sof(void *context, uint16_t frame)
{
	hear(context, 'F', 0, 0, false, frame, BUS_ACK);
}

static inline enum bus_handshake packet_setup(void *context, uint8_t address, const uint8_t packet[8])
{
	struct packet_device *d = context;
	enum bus_handshake answer = d->setup_times ? d->setup_answer : BUS_ACK;
	size_t length = (size_t)(packet[6] | packet[7] << 8), own = length;

	d->setup_times -= d->setup_times > 0;
	if (d->during)
		d->during(d, 'S', 0);
	hear(d, 'S', address, 0, false, 8, answer);
	if (answer != BUS_ACK)
		return answer;
	memcpy(d->last_setup, packet, 8);
	if (packet[0] == 0x80 && packet[1] == 6)
		own = packet[3] == 1 ? sizeof(d->descriptor) : d->configuration_bytes;
	else if (d->has_reply)
		own = d->reply_most;
	d->in[0].left = packet[0] & 0x80 && length ? (own < length ? own : length) : 0;
	d->in[0].data1 = true;
	return BUS_ACK;
}

static inline enum bus_handshake packet_out(void *context, uint8_t address, uint8_t endpoint, bool data1,
					    const uint8_t *data, size_t length)
{
	struct packet_device *d = context;
	enum bus_handshake answer;

	if (d->during)
		d->during(d, 'O', endpoint);
	answer = packet_answer(&d->out[endpoint]);
	hear(d, 'O', address, endpoint, data1, length, answer);
	if (length)
		assert_non_null(data);
	if (answer == BUS_ACK)
		d->out[endpoint].taken += length;
	return answer;
}

static inline uint8_t packet_byte(const struct packet_device *d, uint8_t endpoint, size_t at)
{
	if (!endpoint && d->last_setup[0] == 0x80 && d->last_setup[1] == 6)
		return d->last_setup[3] == 1 ? d->descriptor[at % 18] : d->configuration[at % 96];
	return (uint8_t)(at + endpoint);
}

static inline enum bus_handshake packet_in(void *context, uint8_t address, uint8_t endpoint, uint8_t *data, size_t room,
					   size_t *length, bool *data1)
{
	struct packet_device *d = context;
	struct packet_endpoint *e = &d->in[endpoint];
	enum bus_handshake answer;
	size_t total = endpoint ? 0 : e->taken;

	assert_int_equal(room, BUS_PACKET_BYTES);
	if (d->during)
		d->during(d, 'I', endpoint);
	answer = packet_answer(e);
	if (answer == BUS_ACK) {
		*length = e->left < e->packet ? e->left : e->packet;
		*data1 = e->data1;
		if (e->repeats)
			*data1 = !e->data1;
		for (size_t i = 0; i < *length; i++)
			data[i] = packet_byte(d, endpoint, total + i);
	}
	hear(d, 'I', address, endpoint, answer == BUS_ACK && *data1, answer == BUS_ACK ? *length : 0, answer);
	return answer;
}

static inline void packet_acknowledged(void *context, uint8_t address, uint8_t endpoint)
{
	struct packet_device *d = context;
	struct packet_endpoint *e = &d->in[endpoint];
	size_t length = e->left < e->packet ? e->left : e->packet;

	(void)address;
	if (d->during)
		d->during(d, 'A', endpoint);
	if (!e->repeats) {
		e->left -= length;
		e->data1 = !e->data1;
		if (!endpoint)
			e->taken = e->left ? e->taken + length : 0;
	}
	e->repeats = false;
}

static const struct bus_device_ops packet_ops = { packet_reset, packet_idle, packet_sof,         packet_setup,
						  packet_out,   packet_in,   packet_acknowledged };

/* mps0 64, configuration 1: 0x01 and 0x81 bulk of 32, 0x82 and 0x03 bulk of 64, 0x84 interrupt of 8 each 10 ms; setting 1 of its
 * interface has 0x81 alone, of 16. */
static inline void packet_open(struct packet_device *d)
{
	/* clang-format off */
	static const uint8_t configuration[] = {
		9, 2, 92, 0, 2, 1, 0, 0x80, 50,
		9, 4, 0, 0, 5, 255, 0, 0, 0,
		7, 5, 0x01, 2, 32, 0, 0,
		7, 5, 0x81, 2, 32, 0, 0,
		7, 5, 0x82, 2, 64, 0, 0,
		7, 5, 0x03, 2, 64, 0, 0,
		7, 5, 0x84, 3, 8, 0, 10,
		9, 4, 0, 1, 1, 255, 0, 0, 0,
		7, 5, 0x81, 2, 16, 0, 0,
		9, 4, 1, 0, 2, 255, 0, 0, 0,
		7, 5, 0x85, 2, 8, 0, 0,
		7, 5, 0x06, 2, 0, 2, 0,
	};
	/* clang-format on */

	memset(d, 0, sizeof(*d));
	d->bench = bench_new(1);
	d->bus = bus_new(d->bench, &packet_ops, d);
	assert_non_null(d->bus);
	memcpy(d->descriptor, (const uint8_t[18]){ 18, 1, 0, 2, 255, 0, 0, 64, 1, 0, 2, 0, 0, 1, 0, 0, 0, 1 }, 18);
	memcpy(d->configuration, configuration, sizeof(configuration));
	d->configuration_bytes = sizeof(configuration);
	for (unsigned i = 0; i < 16; i++)
		d->in[i].packet = 64;
	host_init(&d->host, d->bench, bus_usbdev(d->bus));
	d->host.timeout_us = 1000000;
	bus_pull_up(d->bus, true);
	assert_true(d->host.attached);
}

static inline void packet_close(struct packet_device *d)
{
	bus_free(d->bus);
	assert_int_equal(bench_next_us(d->bench), BENCH_NEVER);
	bench_free(d->bench);
}

static inline enum usb_result packet_control(struct packet_device *d, uint8_t type, uint8_t request, uint16_t value,
					     uint16_t index, void *data, uint16_t length, size_t *actual)
{
	return host_control(&d->host, type, request, value, index, data, length, actual);
}

/* Reset, described, at address 5, configured; nothing heard, and at rest. */
static inline void packet_enumerate(struct packet_device *d)
{
	uint8_t b[96];

	d->host.dev->ops->bus_reset(d->host.dev);
	assert_int_equal(packet_control(d, 0x80, 6, 0x0100, 0, b, 64, NULL), USB_ACK);
	assert_int_equal(packet_control(d, 0x00, 5, 5, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(packet_control(d, 0x80, 6, 0x0200, 0, b, sizeof(b), NULL), USB_ACK);
	assert_int_equal(packet_control(d, 0x00, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	host_sleep(&d->host, 100);
	d->count = 0;
}

static inline void packet_submit(struct packet_device *d, struct host_urb *u, uint8_t endpoint, void *data,
				 size_t length)
{
	*u = (struct host_urb){ .urb = { .endpoint = endpoint, .data = data, .length = length, .actual = 99 } };
	u->urb.context = u;
	d->host.dev->ops->submit(d->host.dev, &u->urb);
}

/* USB_CANCELLED after the host's time. */
static inline enum usb_result packet_transfer(struct packet_device *d, uint8_t endpoint, void *data, size_t length,
					      size_t *actual)
{
	struct host_urb u;

	packet_submit(d, &u, endpoint, data, length);
	if (!host_wait(&d->host, &u, d->host.timeout_us))
		d->host.dev->ops->cancel(d->host.dev, &u.urb);
	assert_int_equal(u.completions, 1);
	if (actual)
		*actual = u.urb.actual;
	return u.urb.result;
}

/* The letters of what was heard, in order. */
static inline const char *packet_said(struct packet_device *d)
{
	static char text[HEARD_MOST + 1];

	for (unsigned i = 0; i < d->count; i++)
		text[i] = d->heard[i].what;
	text[d->count] = '\0';
	d->count = 0;
	return text;
}

#endif
