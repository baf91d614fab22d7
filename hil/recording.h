/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture as something that can be done again: what a host tool sent to boards, without what the operating system sends by itself
 * when a device comes up; and what the boards held before, as far as the capture shows it.
 */
#ifndef DFUBENCH_RECORDING_H
#define DFUBENCH_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profile.h"
#include "transcript.h"

#define RECORDING_SERIAL 128
#define RECORDING_BOARDS 16
#define RECORDING_WHY 640
/* Of memory for the transfers of a recording and their data; all else in proportion: half as much again in import, twice as much in
 * a replay, which holds what comes back too. */
#define RECORDING_MOST_BYTES ((size_t)512 << 20)

/* Longer pauses, and longer waits for an answer, are taken for so long: nobody sits through more, and a time stamp may be broken. */
#define RECORDING_PAUSE_MOST_US UINT64_C(3600000000)

enum recorded_kind {
	RECORDED_REQUEST,           /* DFU request */
	RECORDED_SET_INTERFACE,     /* SET_INTERFACE */
	RECORDED_SET_CONFIGURATION, /* SET_CONFIGURATION of a device that was configured already */
	RECORDED_RESET,             /* of its port: the device gets its address once more */
	RECORDED_ARRIVAL,           /* a device comes up; of a board that had been there, it is waited for */
};

struct recorded {
	enum recorded_kind kind;
	const struct exchange *exchange; /* that it stands for, or begins with */
	unsigned board;                  /* from 1 */
	uint64_t gap_us;                 /* since the end of the one before, at most the above; 0 for the first */
	uint16_t vendor, product;        /* of the device */
	const char *serial;              /* arrivals: "" unless the capture has it; the recording's */
	bool first;                      /* arrival: of this board */
	bool pulled; /* arrival: nothing that was asked of the board before makes it leave: somebody pulled the plug */
	unsigned session; /* from 1: what belongs together, by the tool that sent it */
};

struct recording {
	struct transcript transcript;
	const struct mcu_profile *profile; /* never NULL */
	bool profile_is_guess;             /* nothing in the capture tells: the default */
	struct recorded *items;
	struct recorded_device *devices; /* recording.c's */
	size_t count;
	unsigned boards, sessions;
	/* By board. Of one of several that has none in the capture, or not one of ST's, it is made up. */
	char serials[RECORDING_BOARDS][RECORDING_SERIAL];
	bool made_up[RECORDING_BOARDS];
};

/* 0 or -errno; the data is to be freed. */
int recording_read_file(const char *path, uint8_t **data, size_t *length);
/* By the descriptors in a capture; NULL: they fit none. */
const struct mcu_profile *recording_profile(const struct transcript *);
/* NULL after a message on stderr, for there is none of that name. */
const struct mcu_profile *recording_profile_named(const char *name);

/* A capture as it is, streamed from a file. *profile: NULL to go by the descriptors, which may leave it NULL. 0, or -errno with why:
 * -EFBIG beyond RECORDING_MOST_BYTES. The transcript is to be freed in any case. */
int recording_transcript(struct transcript *, const char *path, const struct mcu_profile **profile,
			 char why[RECORDING_WHY]);
/* profile: NULL to go by the descriptors. 0, or -errno with why; a capture without a single DFU request is an error. */
int recording_open(struct recording *, const char *path, const struct mcu_profile *profile, char why[RECORDING_WHY]);
/* The same of a capture in memory, which is not needed afterwards. */
int recording_read(struct recording *, const uint8_t *data, size_t length, const struct mcu_profile *profile,
		   char why[RECORDING_WHY]);
void recording_free(struct recording *); /* members, not the struct */

/* What a board held before the first request: what was read before it was written or erased; all else is blank. */
struct recorded_flash {
	uint8_t *bytes; /* profile's whole main flash */
	bool *known;    /* bytes that were read */
	uint8_t options[256];
	bool options_known; /* all of them were read */
	bool locked;        /* readout protection at level 1: a read was refused for that */
	bool any;           /* of known */
};
/* False on ENOMEM. */
bool recording_flash(const struct recording *, unsigned board, struct recorded_flash *);
void recorded_flash_free(struct recorded_flash *);

/* "SET_INTERFACE 0", or as exchange_text() without the outcome; returns out. */
char *recorded_text(const struct recorded *, char *out, size_t size);

#endif
