/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between `dfuhil replay` and the process on the rig that sends a recording: one line of text for each order, and one for each
 * answer. No I/O but on the streams given.
 */
#ifndef DFUBENCH_REPLAY_WIRE_H
#define DFUBENCH_REPLAY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "host_script.h"
#include "recording.h"

struct replay_order {
	size_t number; /* the item of the recording */
	enum recorded_kind kind;
	unsigned board;
	bool polled;         /* the host had waited out the bwPollTimeout of the status before */
	uint64_t gap_us;     /* to let pass before it */
	uint64_t timeout_us; /* then it is given up */
	uint8_t type, request;
	uint16_t value, index; /* arrivals: vendor, product */
	uint16_t length;       /* to read, or of data */
	uint8_t *data;         /* to write, or the serial number of an arrival; NULL: none */
	bool first;            /* arrival: it is there already */
};

struct replay_answer {
	size_t number;
	enum host_end end;
	uint64_t start_us, end_us; /* on the clock of the sender */
	size_t actual;
	uint8_t *data; /* what was read; NULL: nothing */
};

bool replay_order_write(FILE *, const struct replay_order *);
/* 1; 0 at the end; -EINVAL, -ENOMEM. data is to be freed. */
int replay_order_read(FILE *, struct replay_order *);
bool replay_answer_write(FILE *, const struct replay_answer *, const uint8_t *data);
int replay_answer_read(FILE *, struct replay_answer *);

/* The process: argv is "replay-host", ORDERS, ANSWERS. 0 also if answers are not as recorded; 1 if it could not go on, with a line
 * on stderr that says why. */
int replay_host_main(int argc, char **argv);

#endif
