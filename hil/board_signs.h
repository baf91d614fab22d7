/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an emulated board shows a person who sits beside it, by its events: its console, its LEDs, and a fault of its application. */
#ifndef DFUBENCH_BOARD_SIGNS_H
#define DFUBENCH_BOARD_SIGNS_H

#include "console_text.h"
#include "rig.h"

struct board_signs { /* all zero: nothing yet */
	struct console_text console;
	unsigned leds;   /* a bit for each that is lit */
	unsigned faults; /* since the last reset, a bit for each exception; bit 0: a lock-up */
	struct rig_fault fault;
};

void board_signs_heard(struct board_signs *, const struct mcu_event *);
void board_signs_clear(struct board_signs *); /* nothing is left to be freed */
bool board_signs_show(const struct board_signs *, const struct rig_sign *);

#endif
