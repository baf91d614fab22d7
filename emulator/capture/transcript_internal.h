/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between reading a capture (transcript.c, transcript_stream.c), telling the devices in it apart (transcript_devices.c) and what
 * they said as DFU (transcript_dfu.c). */
#ifndef DFUBENCH_TRANSCRIPT_INTERNAL_H
#define DFUBENCH_TRANSCRIPT_INTERNAL_H

#include "transcript.h"

#define SERIAL_BYTES 128

/* One device at one address, from the time it came up there. */
struct incarnation {
	uint8_t bus, address;
	size_t first, last; /* exchanges with it */
	bool configured;
	bool enumerated;  /* its device descriptor was read since the last request that is not standard, */
	size_t described; /* in that exchange */
	bool known_late;  /* by its SET_CONFIGURATION alone: exchanges from first on were taken for the one before */
	bool gone, has_configuration, dfu_mode, dfu_runtime, dfu_requests;
	bool plain; /* DFU as of 1.1, without ST's commands: bcdDFUVersion is not 0x011A */
	uint16_t transfer_size_bytes;
	uint8_t descriptor[18];
	bool has_descriptor;
	char serial[SERIAL_BYTES]; /* "": not in the capture */
	unsigned board;
	/* as the reading goes on */
	uint8_t state;
	bool has_pointer;
	uint32_t pointer, old_pointer;
	bool unconfirmed; /* pointer is what a command asks for; old_pointer is back if it fails */
};

struct incarnations {
	struct incarnation *all; /* number i is incarnation dropped + i + 1 */
	size_t count, room;
	size_t dropped; /* the oldest, forgotten because there were more than most */
	size_t most;    /* 0: all are kept */
	uint32_t *at;   /* bus << 7 | address -> number; 0: nothing known there */
};

/* 0 or -ENOMEM; then incarnations_free() is still due. */
int incarnations_init(struct incarnations *, size_t most);
void incarnations_free(struct incarnations *);
/* For each exchange as it is submitted: sets its incarnation. 0 or -ENOMEM. */
int incarnations_submitted(struct incarnations *, struct exchange *);
/* And as it completes. hides_addresses: the recorder shows no SET_ADDRESS. 0 or -ENOMEM. */
int incarnations_completed(struct incarnations *, struct exchange *, bool hides_addresses);
/* Exchanges, all there are and in order, to the one that they are with: what is known late. */
void incarnations_assign(const struct incarnations *, struct exchange *, size_t count);
/* By number; NULL: there is none (any more). */
struct incarnation *incarnations_get(const struct incarnations *, unsigned number);
/* The one that is at an address now, or NULL. */
struct incarnation *incarnations_at(const struct incarnations *, uint8_t bus, uint8_t address);
/* The one that was at an address of a bus while exchange number `when` took place, or NULL. */
struct incarnation *incarnations_find(struct incarnations *, uint8_t bus, uint8_t address, size_t when);

struct board {
	char serial[SERIAL_BYTES];
	size_t last; /* exchange with it */
	unsigned number;
};

#define BOARDS_MOST 1024 /* that are told apart; more share the number of the last */

struct boards {
	struct board *all;
	size_t count, room;
	const char *const *serials; /* see struct transcript_facts */
};

void boards_free(struct boards *);
/* Gives one in DFU mode its number: that of a board that came back, or a new one. 0 or -ENOMEM. */
int boards_number(struct boards *, struct incarnation *);
/* The application of a board is told by its serial number alone. */
void boards_number_application(const struct boards *, struct incarnation *);
/* All at once, when all is read. 0 or -ENOMEM. */
int incarnations_number_boards(struct incarnations *, const char *const *serials);

bool is_dfu_request(const struct usb_setup *);
bool is_set_usb_address(const struct exchange *);
bool is_in_dfu_mode(const struct incarnation *);
/* What one exchange with a device means, after all before it. */
void transcript_interpret(struct exchange *, struct incarnation *, const struct transcript_facts *);

#endif
