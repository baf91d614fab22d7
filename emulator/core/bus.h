/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire between a host's transfers and a device that lives by packets: URBs become SETUP, OUT and IN transactions (USB 2.0 chapter 8),
 * each of which takes its time on a full-speed bus. What the device does not acknowledge is tried again, as a host does, without
 * an event for every attempt: a device says when an endpoint may answer otherwise than it did.
 */
#ifndef DFUBENCH_BUS_H
#define DFUBENCH_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "usbdev.h"

struct bus;

enum bus_handshake { BUS_ACK, BUS_NAK, BUS_STALL, BUS_NOTHING };

/* Called at bench_now_us() of the packet. Every member is required. */
struct bus_device_ops {
	/* SE0 of a bus reset begins (true), ends (false). */
	void (*reset)(void *context, bool begins);
	void (*sof)(void *context, uint16_t frame);
	/* address: the one the token is for; a device that has another does not answer. */
	enum bus_handshake (*setup)(void *context, uint8_t address, const uint8_t packet[8]);
	enum bus_handshake (*out)(void *context, uint8_t address, uint8_t endpoint, const uint8_t *data, size_t length);
	/* room: of data, at least 1023 bytes. BUS_ACK: *length bytes, which the host has acknowledged. */
	enum bus_handshake (*in)(void *context, uint8_t address, uint8_t endpoint, uint8_t *data, size_t room, size_t *length);
};

/* The device side outlives it. NULL on ENOMEM. */
struct bus *bus_new(struct bench *, const struct bus_device_ops *, void *context);
void bus_free(struct bus *); /* detaches first; NULL is fine */
struct usbdev *bus_usbdev(struct bus *);
/* The device's pull-up on D+. Pending transfers complete with USB_GONE when it goes. */
void bus_pull_up(struct bus *, bool on);
/* The endpoint (direction in bit 7; 0 and 0x80 for the control pipe) may answer now: ask it again. */
void bus_ready(struct bus *, uint8_t endpoint);
/* Frames are wanted: SOF each millisecond while there is a host that is not suspended. Without, none is sent: frames cost events. */
void bus_want_sof(struct bus *, bool on);

#endif
