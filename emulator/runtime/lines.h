/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a device that switches something: GPIOs, contacts of relays. Numbers are the device's own, as printed on it. */
#ifndef DFUBENCH_LINES_H
#define DFUBENCH_LINES_H

#include <stdbool.h>

/* Released: whatever else is on the wire decides. A contact is high while its relay is energised, else low. */
enum line_drive { LINE_RELEASED, LINE_LOW, LINE_HIGH };

/* Who is at the other end of the wires. Every member is required. */
struct lines_user {
	/* It has changed. Called from bench_advance(), or when the device is plugged in or pulled. */
	void (*driven)(void *context, unsigned line, enum line_drive);
	/* The level on the wire, if there is one; else false. */
	bool (*sensed)(void *context, unsigned line, bool *high);
	void *context;
};

#endif
