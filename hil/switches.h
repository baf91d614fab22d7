/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All wires of a board with their drivers, opened in this process: what the guardian holds, and whoever has to do without it. */
#ifndef DFUBENCH_SWITCHES_H
#define DFUBENCH_SWITCHES_H

#include "wires.h"

struct switches;

/* Opens all drivers and idles all wires. The rig is borrowed. NULL with *error and why: what could be idled is idle all the same. */
struct switches *switches_open(const struct board_rig *, int *error, char why[WIRES_WHY]);
/* As wires_set() and wires_idle(). Idling goes on after a failure, and opens a driver anew that fails. */
int switches_set(struct switches *, enum wire, bool high, char why[WIRES_WHY]);
int switches_idle(struct switches *, char why[WIRES_WHY]);
void switches_close(struct switches *); /* leaves the levels as they are; NULL is fine */

#endif
