/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wires of a real board, switched by whatever its rig file names: GPIO lines, relays, a hub's ports, commands, labgrid. Opening
 * takes the board's lock (one process on this machine at a time, whoever runs it), starts a guardian that brings all wires to idle
 * when this process ends in any way, and idles them first. Places of labgrid are the caller's to have: place_keeper.h.
 */
#ifndef DFUBENCH_WIRES_H
#define DFUBENCH_WIRES_H

#include <stdbool.h>
#include "board_rig.h"

#define WIRES_WHY 640

struct wires;

/* Before anything is touched: does this build have the drivers of those wires? 0, or -ENOSYS with why, and what to install. */
int wires_possible(const struct board_rig *, char why[WIRES_WHY]);
/* NULL with why: what failed on which wire, and what a person can do (groups, udev rules, loaded modules). -EBUSY in *error: another
 * process has the board, and why says which. */
struct wires *wires_open(const struct board_rig *, int *error, char why[WIRES_WHY]);
/* Level at the board. Returns when the driver says that it is so; settling is the caller's. 0 or -errno with why. -ENODEV: the
 * driver's device has gone (a relay that was unplugged). */
int wires_set(struct wires *, enum wire, bool high, char why[WIRES_WHY]);
int wires_idle(struct wires *, char why[WIRES_WHY]); /* all, as the file says they idle */
void wires_close(struct wires *);                    /* idles, ends the guardian, gives the lock back; NULL is fine */

/* For people: "BOOT0: line 3 of gpiochip2 (CP2112 SMBus Bridge), active high". Borrowed until the next call. */
const char *wires_text(const struct board_rig *, enum wire);
const char *wire_name(enum wire); /* "boot0", as in a rig file */
/* Where the pin or supply is while all is idle; of what is not switched: as on a desk, BOOT0 low, NRST released, supplies on. */
bool wire_idles_high(const struct board_rig *, enum wire);

#endif
