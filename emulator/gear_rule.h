/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --bench says: a device that switches pins of boards, and which of its lines goes to which pin.
 *
 *	KIND[=SERIAL][:LINE=WIRE[,LINE=WIRE...]]        WIRE: [!][BOARD:]PIN
 *
 * KIND is cp2112 (lines 0 to 7), or usbrelay1, usbrelay2, usbrelay4, usbrelay8 (relays from 1 on); PIN boot0, boot1, nrst, power or
 * vbus. A line that is high, or a relay that is energised, is that level at the pin; with ! the other one.
 */
#ifndef DFUBENCH_GEAR_RULE_H
#define DFUBENCH_GEAR_RULE_H

#include <stdbool.h>
#include "mcu.h"

#define GEAR_RULE_WHY 320
#define GEAR_WIRES 64 /* of one device */
#define GEAR_SERIAL 31

struct gear_wire {
	unsigned line, board; /* board: from 1 */
	enum mcu_pin pin;
	bool inverted;
};

struct gear_rule {
	unsigned relays; /* 0: a CP2112 */
	char serial[GEAR_SERIAL];
	bool serial_given; /* else it is empty */
	struct gear_wire wires[GEAR_WIRES];
	unsigned wire_count;
};

/* 0, or -EINVAL with why[]: the column and what is accepted there. */
int gear_rule_parse(const char *text, struct gear_rule *, char why[GEAR_RULE_WHY]);
const char *gear_kind(const struct gear_rule *); /* "cp2112", "usbrelay2" */
const char *gear_pin_name(enum mcu_pin);         /* as in a rule */

#endif
