/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exchanges of a capture one after the other, read as DFU while they come, in constant memory: for captures of any size.
 * transcript.h has the same of a whole capture at once. What comes later cannot change what was given out: a board is
 * known by number once its configuration descriptor or a DFU request has passed, and it is the same as an earlier one if its
 * serial number had been read before its first DFU request.
 */
#ifndef DFUBENCH_TRANSCRIPT_STREAM_H
#define DFUBENCH_TRANSCRIPT_STREAM_H

#include "capture_reader.h"
#include "transcript.h"

#define TRANSCRIPT_PENDING 256 /* control transfers under way at once, and completions that came too early */

struct transcript_stream;

/* The reader is the caller's and must outlive the stream, as must the facts' serials. facts NULL: transcript_facts_of(NULL). NULL: no
 * memory. */
struct transcript_stream *transcript_stream_new(struct capture_reader *, const struct transcript_facts *);
void transcript_stream_free(struct transcript_stream *); /* NULL is fine */

/* 1 with the next exchange, in the order of completion: those that never complete come when their id is used again, when
 * too many are waiting, and at the end. 0 at the end; -ENOMEM. data is valid until the next call. number is in order of submission. */
int transcript_stream_next(struct transcript_stream *, struct exchange *);

uint64_t transcript_stream_origin_us(
	const struct transcript_stream *); /* as origin_us of struct transcript; 0 before the first */
uint64_t transcript_stream_last_us(const struct transcript_stream *); /* latest packet so far, of any kind */
uint64_t transcript_stream_others(const struct transcript_stream *);  /* transfers of other kinds than control */
/* That of the reader, with what came up in pairing. */
struct capture_damage transcript_stream_damage(const struct transcript_stream *);

/* What is known of the device at an incarnation, so far. */
struct transcript_device {
	uint16_t bus;
	uint8_t address;
	uint16_t vendor, product; /* 0: no device descriptor was seen */
	const char *serial;       /* "": not seen */
	bool dfu_mode;
	unsigned board;
	uint16_t transfer_size_bytes; /* 0: not seen */
};
/* False: there is none of that number (any more: only devices that are at an address now are kept). */
bool transcript_stream_device(const struct transcript_stream *, unsigned incarnation, struct transcript_device *);

#endif
