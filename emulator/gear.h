/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bench devices on the desk: they switch pins of its boards as real ones would, by USB (--bench). Numbered from 1. */
#ifndef DFUBENCH_GEAR_H
#define DFUBENCH_GEAR_H

#include <stdbool.h>
#include <stdint.h>
#include "bench.h"
#include "capture.h"
#include "gear_rule.h"
#include "lines.h"
#include "mcu.h"
#include "usbdev.h"

struct gear;

enum gear_event_type { GEAR_LINE, GEAR_PLUGGED, GEAR_UNPLUGGED };

struct gear_event {
	enum gear_event_type type;
	uint64_t at_us;
	unsigned device;
	const struct gear_rule *rule;
	unsigned line; /* with GEAR_LINE, likewise */
	enum line_drive drive;
};

/* Where the wires end, and who is told. Every member is required. */
struct gear_user {
	struct mcu *(*board)(void *context, unsigned number); /* NULL: there is none (any more) */
	/* Called in the middle of things: look, do not touch. */
	void (*tell)(void *context, const struct gear_event *);
	void *context;
};

/* The boards are there. All is unplugged, and contacts are as they are then. Everything is borrowed. NULL on ENOMEM. */
struct gear *gear_new(struct bench *, const struct gear_rule *, unsigned count, const struct gear_user *);
void gear_free(struct gear *); /* the boards may be gone; NULL is fine */

unsigned gear_count(const struct gear *); /* of NULL: 0 */
/* What a front plugs in. 0 or -ENOMEM. */
int gear_trace(struct gear *, struct capture *, uint8_t bus);
void gear_untrace(struct gear *);
struct usbdev *gear_device(const struct gear *, unsigned device); /* NULL after the last */
void gear_probe(struct gear *, const struct usbdev *, bool on);   /* what passes goes unrecorded meanwhile */

void gear_plug(struct gear *, unsigned device, bool in); /* its cable */
bool gear_is_plugged(const struct gear *, unsigned device);
const struct gear_rule *gear_rule(const struct gear *, unsigned device);
const char *gear_serial(const struct gear *, unsigned device); /* as it has it now */
unsigned gear_first_line(const struct gear *, unsigned device);
unsigned gear_lines(const struct gear *, unsigned device);
enum line_drive gear_drive(const struct gear *, unsigned device, unsigned line);
/* "high", "low", "released"; of a relay "on", "off" */
const char *gear_drive_name(const struct gear_rule *, enum line_drive);

/* Does any wire go there? */
bool gear_is_wired(const struct gear_rule *, unsigned count, unsigned board, enum mcu_pin);
/* A board has come in the place of that number: the wires are put to it. */
void gear_board_came(struct gear *, unsigned board);

#endif
