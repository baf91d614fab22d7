/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between reading a capture (transcript.c), telling the devices in it apart (transcript_devices.c) and what they said as DFU
 * (transcript_dfu.c). */
#ifndef DFUBENCH_TRANSCRIPT_INTERNAL_H
#define DFUBENCH_TRANSCRIPT_INTERNAL_H

#include "transcript.h"

#define SERIAL_BYTES 128

/* One device at one address, from the time it came up there. */
struct incarnation {
	uint8_t bus, address;
	size_t first, last; /* exchanges with it */
	bool gone, has_configuration, dfu_mode, dfu_runtime, dfu_requests;
	bool plain; /* DFU as of 1.1, without ST's commands: bcdDFUVersion is not 0x011A */
	uint16_t transfer_size_bytes;
	uint8_t descriptor[18];
	bool has_descriptor;
	char serial[SERIAL_BYTES]; /* "": not in the capture */
	unsigned board;
	/* as the reading goes on */
	uint8_t state;
	uint32_t pointer, old_pointer;
	bool unconfirmed; /* pointer is what a command asks for; old_pointer is back if it fails */
};

struct incarnations {
	struct incarnation *all; /* number i is incarnation i + 1 */
	size_t count, room;
	uint32_t *at; /* bus << 7 | address -> number + 1; 0: nothing known there */
};

/* 0 or -ENOMEM; then incarnations_free() is still due. */
int incarnations_init(struct incarnations *);
void incarnations_free(struct incarnations *);
/* For each exchange as it is submitted: sets its incarnation. 0 or -ENOMEM. */
int incarnations_submitted(struct incarnations *, struct exchange *);
/* And as it completes. 0 or -ENOMEM. */
int incarnations_completed(struct incarnations *, struct exchange *);
/* When all is read: which of them are the same board. */
void incarnations_number_boards(struct incarnations *, const char *const *serials);
/* The one that was at an address of a bus while exchange number `when` took place, or NULL. */
struct incarnation *incarnations_find(struct incarnations *, uint8_t bus, uint8_t address, size_t when);

bool is_dfu_request(const struct usb_setup *);
bool is_set_usb_address(const struct exchange *);
/* What all exchanges mean, in their order. */
void transcript_interpret(struct transcript *, struct incarnations *, const struct transcript_facts *);

#endif
