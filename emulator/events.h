/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens on the desk, as a line for people and as members of an object for programs. */
#ifndef DFUBENCH_EVENTS_H
#define DFUBENCH_EVENTS_H

#include <stddef.h>
#include "fault.h"
#include "gear.h"
#include "mcu.h"
#include "writer.h"

#define EVENT_BYTES (FAULT_RULE_BYTES + 96) /* room for a line */

/* One of the three is set, valid during the call; or none: a host has listed the board. */
struct desk_event {
	unsigned board; /* from 1; 0 with gear */
	const struct mcu_event *mcu;
	const struct fault_event *fault;
	const struct gear_event *gear;
	uint64_t listed_us; /* when */
};

uint64_t event_time_us(const struct desk_event *);
/* "0.123456 board 1: erased 0x08000000, 16384 bytes" */
void event_text(const struct desk_event *, char text[EVENT_BYTES]);
/* The word that names the kind: reset, booted, state, erased, programmed, options, cut, pin, console, led, cpu-fault,
 * unmodelled, fault, attached, detached, listed; of a bench device line, plugged, unplugged. */
const char *event_name(const struct desk_event *);
/* Into the object that is open: the registers. */
void event_write_fault(const struct mcu_fault *, struct writer *);
/* Into the object that is open: event, at_us, board or bench, and what belongs to the kind. */
void event_write(const struct desk_event *, struct writer *);

#endif
