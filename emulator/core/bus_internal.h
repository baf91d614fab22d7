/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State of the wire, for bus.c (host, device, reset and frames) and bus_wire.c (transactions). */
#ifndef DFUBENCH_BUS_INTERNAL_H
#define DFUBENCH_BUS_INTERNAL_H

#include "bus.h"
#include "bus_facts.h"
#include "urb_queue.h"

#define BUS_PIPES 32u
#define BUS_BITS_PER_US 12u
#define BUS_FRAME_US 1000u

enum bus_state {
	BUS_DETACHED,
	BUS_SILENT, /* pulled up, never reset */
	BUS_ASKED,  /* a reset is to begin at once */
	BUS_IN_RESET,
	BUS_RUNS,
	BUS_SUSPENDED,
	BUS_WAKES, /* the device has asked for it */
};

enum stage { STAGE_SETUP, STAGE_DATA, STAGE_STATUS };

struct pipe {
	struct urb_queue queue;
	uint8_t address;
	bool data1;  /* the next packet, either way */
	bool parked; /* NAKed: nothing is tried before bus_ready() */
	unsigned errors;
	uint64_t not_before_us; /* of periodic endpoints */
};

struct bus {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct bus * */
	struct bench *bench;
	const struct bus_device_ops *ops;
	void *context;
	enum bus_state state;
	struct pipe pipes[BUS_PIPES]; /* by number, IN from 16 on; the control pipe is the first */
	struct urb_queue returning;
	struct bus_facts facts;

	enum stage stage; /* of the control transfer at the head */
	uint8_t address;
	struct usb_urb own;   /* SET_ADDRESS that the host has not sent */
	bool own_runs;        /* it is what the control pipe does */
	bool address_refused; /* it did not take place */

	struct pipe *current; /* a transaction of it is on the wire until free_bits */
	bool current_is_in;
	enum bus_handshake answer; /* to the IN token */
	uint8_t in_data[BUS_PACKET_BYTES];
	size_t in_length;
	bool in_data1, in_is_orphan; /* orphan: the transfer that it is for was taken back */
	unsigned turn;               /* the pipe that is asked first */
	uint64_t free_bits;          /* the wire is free from then on, in bit times from the start of the bench */
	uint64_t quiet_until_us, frames_since_us;
	uint16_t frame_before; /* number when the frames began to count */
	unsigned epoch;        /* changes when all that was under way is over */
	bool running, wants_sof;
	struct bench_event event, state_event, sof_event;
};

/* bus.c */
static inline uint64_t bus_later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t bus_free_us(const struct bus *b)
{
	return (b->free_bits + BUS_BITS_PER_US - 1) / BUS_BITS_PER_US;
}

static inline struct pipe *bus_pipe(struct bus *b, uint8_t endpoint)
{
	unsigned number = endpoint & 0x0f;

	return &b->pipes[number ? number | (endpoint & 0x80) >> 3 : 0];
}

static inline bool bus_is_control(const struct bus *b, const struct pipe *p)
{
	return p == &b->pipes[0];
}

/* bus_wire.c */
void bus_run(struct bench_event *);                      /* the wire is free, or may have something to do */
void bus_next_transfer(struct bus *, struct pipe *);     /* the one at the head is over, or was taken away */
void bus_take_back(struct bus *, struct pipe *);         /* before that */
void bus_wait_for_interval(struct bus *, struct pipe *); /* if it is asked once an interval */

#endif
