/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the device (recorded.c), what it may answer by when it need not be strict (recorded_match.c), and the descriptors in a
 * recording (recorded_descriptors.c). */
#ifndef DFUBENCH_RECORDED_INTERNAL_H
#define DFUBENCH_RECORDED_INTERNAL_H

#include "ep0.h"
#include "recorded.h"
#include "urb_queue.h"

#define RECORDED_CONFIGURATIONS 8

/* What the descriptors of a life say of it, and which of its requests are followed. */
struct recorded_interfaces {
	bool high_speed;    /* a bulk endpoint of 512 bytes says so (USB 2.0 5.8.3): a capture does not */
	bool dfu;           /* there is a DFU interface; else none is followed */
	uint8_t others[32]; /* a bit for each interface that is there and is no DFU interface */
};

struct recorded {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct recorded * */
	struct bench *bench;
	const struct recorded_life *lives;
	size_t life_count, life; /* life: the one that it is in, or comes up as next */
	bool loose;
	struct recorded_interfaces interfaces; /* of this life */
	bool plugged, departed, finished;
	void (*listener)(void *context, const struct recorded_event *);
	void *context;
	struct recorded_counts counts;
	struct ep0 ep0;
	uint8_t device[18];
	uint8_t *configurations[RECORDED_CONFIGURATIONS]; /* of wTotalLength bytes each */
	/* Of this life: what has been played; the first class request that has not; and whether the host works with the
	 * device, or still enumerates it. */
	bool *done;
	size_t next;
	bool working;
	/* The transfer that is answered now and how, what it is answered by, and those behind it. */
	struct usb_urb *held;
	enum usb_result result;
	size_t actual;
	const struct recorded_exchange *answer; /* NULL: nothing of the recording */
	uint64_t held_since_us;
	struct bench_event answers;
	struct urb_queue waiting, endpoints;
	struct bench_event leaves, comes;
	uint64_t left_us; /* when it leaves, on the clock of the recording */
	const struct recorded_exchange *history[RECORDED_HISTORY];
	size_t history_count;
	uint8_t status[6]; /* the last that a GETSTATUS said */
	bool has_status;
};

void recorded_read_interfaces(const struct recorded_life *, struct recorded_interfaces *);
bool recorded_is_followed(const struct recorded_interfaces *, const struct usb_setup *);
bool recorded_is_poll(const struct usb_setup *); /* GETSTATUS or GETSTATE */
bool recorded_same(const struct recorded_exchange *, const struct usb_urb *);
void recorded_tell(struct recorded *, enum recorded_what, bool departure, const struct recorded_exchange *expected,
		   const struct usb_urb *, uint64_t count);
/* Marks exchange number i of this life as made, and keeps what it says of the DFU state. */
void recorded_mark(struct recorded *, size_t i);
/* The class request from number i on that has not been made; the count of the life if there is none. */
size_t recorded_next(const struct recorded *, size_t i);

/* Loose: number of the exchange to answer by, with the liberties told; or the count of the life. *polled: answer by what
 * the last GETSTATUS said. */
size_t recorded_take_liberty(struct recorded *, const struct usb_urb *, bool *polled);
/* What is left of DFU requests in this life and later ones is told. */
void recorded_tell_rest(struct recorded *);

/* Makes an ep0 of the life's descriptors. 0 or -ENOMEM. */
int recorded_begin_descriptors(struct recorded *);
void recorded_end_descriptors(struct recorded *);
/* The answer to a GET_DESCRIPTOR, of this life or another of the same device. NULL: none. */
const struct recorded_exchange *recorded_find_descriptor(const struct recorded *, const struct usb_setup *);
/* More often than in the recording, counted from its first class request. Counts. */
bool recorded_is_read_again(struct recorded *, const struct usb_setup *);
bool recorded_is_asked_by_the_way(const struct usb_setup *);

#endif
