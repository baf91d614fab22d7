/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places of labgrid that a board and its wires belong to, for as long as a run lasts: a process beside it has them, and releases
 * them when the run ends in any way, once nobody has the board's wires any more.
 */
#ifndef DFUBENCH_PLACE_KEEPER_H
#define DFUBENCH_PLACE_KEEPER_H

#include "board_lock.h"

struct place_keeper;

/* NULL with *error 0: the rig names no places. NULL with *error and why, and nothing is acquired: -EBUSY: somebody has one, and why
 * says who. Both are borrowed; the lock is held until the places are released. */
struct place_keeper *place_keeper_start(const struct board_rig *, struct board_lock *, int *error, char why[WIRES_WHY]);
void place_keeper_end(
	struct place_keeper *); /* they are released when it returns, or it was told why not; NULL is fine */

#endif
