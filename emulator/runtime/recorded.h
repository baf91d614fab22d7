/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device that does what a recording says: for each request of a DFU interface the answer that was recorded, held as long as it
 * was, as far as the host says what the recorded host said. Standard requests have no order: they are answered from the
 * descriptors in the recording, for no two hosts enumerate alike; nor have class requests to other interfaces and devices, and
 * vendor requests to a whole device.
 *
 * Strict: the first request that is not the next of the recording is a departure; from there on the device stalls all class
 * requests. Loose: GETSTATUS and GETSTATE may be more or fewer, other requests may come in another order, descriptors may be
 * read again; each such liberty is told, and only what no liberty explains is a departure.
 *
 * The device leaves the bus and comes back as the next of its lives when the requests before that have been made. Endpoints
 * other than 0 are not played: IN has nothing to say, OUT swallows.
 */
#ifndef DFUBENCH_RECORDED_H
#define DFUBENCH_RECORDED_H

#include "bench.h"
#include "usbdev.h"

/* A control transfer as recorded. */
struct recorded_exchange {
	uint64_t packet;           /* frame number of its submission */
	uint64_t start_us, end_us; /* on the clock of the recording */
	struct usb_setup setup;
	bool complete;          /* else it never was, and what follows does not count */
	enum usb_result result; /* USB_CANCELLED: the host took it back, after no answer */
	size_t actual;          /* bytes moved */
	const uint8_t *data;    /* what there is of them, or of what was sent */
	size_t length;
};

/* From showing up on the bus to leaving it. All borrowed. */
struct recorded_life {
	const struct recorded_exchange *exchanges; /* in order of submission, none to address 0 */
	size_t count;
	bool leaves; /* it is known to have left; implied in all lives but the last */
};

enum recorded_what {
	RECORDED_DIFFERS,  /* a departure: not the request that is next */
	RECORDED_OVER,     /* a departure: no request is left, or the recording does not have the answer to this one */
	RECORDED_NOT_MADE, /* a departure: the tool is done, and requests are left */
	RECORDED_GIVEN_UP, /* a departure: taken back before the recorded answer came */
	RECORDED_READ_AGAIN, /* strict: a departure: a descriptor more often than in the recording, while it is worked with */
	RECORDED_NO_ANSWER,    /* the recording does not have this descriptor, it was stalled. Not counted */
	RECORDED_EXTRA_POLL,   /* a liberty: GETSTATUS or GETSTATE that was not recorded */
	RECORDED_LEFT_OUT,     /* a liberty: a recorded GETSTATUS or GETSTATE that was not asked */
	RECORDED_OUT_OF_ORDER, /* a liberty: a request of later on */
	RECORDED_LEAVES,       /* no more than news: the device goes */
	RECORDED_COMES,        /* and is there as its next life */
};

struct recorded_event {
	enum recorded_what what;
	bool departure;                           /* else a liberty, or news */
	const struct recorded_exchange *expected; /* the next of the recording, or what was answered; NULL: nothing */
	uint64_t now_us;                          /* on the bench */
	/* What the host asked; not with NOT_MADE, LEFT_OUT, LEAVES and COMES. */
	bool has_request;
	struct usb_setup setup;
	const uint8_t *data; /* of an OUT request, valid during the call */
	size_t length;
	uint64_t
		count; /* NOT_MADE, LEFT_OUT: requests; GIVEN_UP: microseconds waited; COMES: number of the life from 1 */
};

#define RECORDED_HISTORY 8

struct recorded;

/* The lives, in order and at least one, are borrowed. Not plugged in. NULL on ENOMEM. */
struct recorded *recorded_new(struct bench *, const struct recorded_life *, size_t lives, bool loose);
void recorded_free(struct recorded *); /* detaches first; NULL is fine */
struct usbdev *recorded_usbdev(struct recorded *);
/* Called in the middle of things: look, do not touch. NULL: nobody. */
void recorded_listen(struct recorded *, void (*event)(void *context, const struct recorded_event *), void *context);
/* It shows up for the first time after that time. */
void recorded_plug(struct recorded *, uint64_t delay_us);
/* The host is done: what it has left out is told. Whatever happens afterwards is not. */
void recorded_finish(struct recorded *);

/* Number i, from 0, of the last requests that were answered as recorded, the latest first; NULL: no more. */
const struct recorded_exchange *recorded_history(const struct recorded *, unsigned i);

struct recorded_counts {
	uint64_t requests; /* of DFU interfaces in the recording: those to follow */
	uint64_t played;
	uint64_t liberties;
	unsigned departures;  /* strict: at most 1 */
	unsigned lives, life; /* of them, and which it is in, from 1; 0: not plugged in yet */
};
struct recorded_counts recorded_counts(const struct recorded *);

/* Does the recording have what it takes to enumerate: the whole device descriptor, and all of a configuration? NULL if so, else what is
 * missing, in words. */
const char *recorded_missing(const struct recorded_life *);
/* A configuration in it has a DFU interface. */
bool recorded_has_dfu(const struct recorded_life *);
/* Number of the first request that is followed, or count if there is none. */
size_t recorded_first_request(const struct recorded_life *);
/* The longest answer to GET_DESCRIPTOR of this wValue, from any wIndex if there is none from the right one; NULL: none. */
const struct recorded_exchange *recorded_descriptor(const struct recorded_life *, uint8_t type, uint16_t value,
						    uint16_t index);
/* Where two requests differ first. OUT data that was not recorded whole counts as far as it is there. False: nowhere. */
struct recorded_difference {
	enum { IN_SETUP, IN_DATA, IN_LENGTH } part; /* IN_LENGTH: one has no more data at offset */
	size_t offset;                              /* byte of the SETUP packet or of the data */
	int expected, actual;                       /* the bytes; -1: there is none */
};
bool recorded_differs(const struct recorded_exchange *, const struct usb_setup *, const uint8_t *data, size_t length,
		      struct recorded_difference *);

#endif
