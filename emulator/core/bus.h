/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire between a host's transfers and a device that lives by packets: URBs become SETUP, OUT and IN transactions (USB 2.0 chapter 8),
 * each of which takes its time on a full-speed bus. What the device does not acknowledge is tried again, as a host does, without
 * an event for every attempt: a device says when an endpoint may answer otherwise than it did.
 *
 * What a host controller is told by its driver, and an URB does not say, is read from the descriptors and requests that pass: packet
 * sizes, kinds and intervals of endpoints, and where both sides begin with DATA0 again. Until then an endpoint is bulk, and 64 bytes.
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

#define BUS_PACKET_BYTES 1023u /* the largest of a full-speed bus (USB 2.0 5.6.3) */

/*
 * Called at bench_now_us() of the packet: its end for SETUP and OUT, its beginning for IN. Every member is required. The device may
 * call bus_pull_up(), bus_ready() and bus_want_sof() from within; none of these calls back.
 */
struct bus_device_ops {
	/* SE0 of a bus reset begins (true), ends (false). An end does not follow where the pull-up went meanwhile. */
	void (*reset)(void *context, bool begins);
	/* The host goes silent, without frames, in the middle of a reset too (true), or it resumes (false). A new pull-up finds the bus
	 * silent, without a call; a reset ends silence, without a call. */
	void (*idle)(void *context, bool idle);
	void (*sof)(void *context, uint16_t frame);
	/* address: the one the token is for; a device that has another does not answer. data1: DATA1, not DATA0. */
	enum bus_handshake (*setup)(void *context, uint8_t address, const uint8_t packet[8]);
	enum bus_handshake (*out)(void *context, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
				  size_t length);
	/* room: of data, BUS_PACKET_BYTES. BUS_ACK: it sends *length bytes. */
	enum bus_handshake (*in)(void *context, uint8_t address, uint8_t endpoint, uint8_t *data, size_t room,
				 size_t *length, bool *data1);
	/* The packet of the in() before is over, and the host has acknowledged it (or would, of an isochronous endpoint). Without,
	 * the device sends it again. */
	void (*acknowledged)(void *context, uint8_t address, uint8_t endpoint);
};

/* ops and context outlive it. NULL on ENOMEM. */
struct bus *bus_new(struct bench *, const struct bus_device_ops *, void *context);
void bus_free(struct bus *); /* detaches first; not from within a callback; NULL is fine */

/* The host's side. A reset takes 10 ms and is followed by 10 ms of rest (USB 2.0 7.1.7.5); transfers that are submitted meanwhile
 * wait. Where a host submits without any reset since the pull-up, there is one first; where it needs an address that it has not
 * given (SET_ADDRESS), the device gets one. */
struct usbdev *bus_usbdev(struct bus *);
/* No frames, and transfers wait (true); or the host resumes. Only between a reset and the next. */
void bus_suspend(struct bus *, bool on);
/* The host's end of the cable goes, the pull-up stays: silence until there is a reset. Transfers complete with USB_GONE. */
void bus_unplug(struct bus *);

/* The device's side. */
/* Its pull-up on D+. Pending transfers complete with USB_GONE when it goes. */
void bus_pull_up(struct bus *, bool on);
/* The endpoint (direction in bit 7; 0 and 0x80 for the control pipe) may answer now: ask it again. */
void bus_ready(struct bus *, uint8_t endpoint);
/* Frames are wanted: SOF each millisecond while there is a host that is not suspended. Without, none is sent: frames cost events. */
void bus_want_sof(struct bus *, bool on);
/* Number of the last frame, sent or not; it stands still while the bus is silent. */
uint16_t bus_frame(const struct bus *);
/* When frames began to pass, or will, one each millisecond from then on; BENCH_NEVER: the bus is silent. */
uint64_t bus_frames_since_us(const struct bus *);
/* It drives resume: a suspended host wakes up. */
void bus_wake(struct bus *);

#endif
