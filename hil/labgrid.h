/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places of labgrid that a board and its wires belong to, had by way of labgrid-client. */
#ifndef DFUBENCH_LABGRID_H
#define DFUBENCH_LABGRID_H

#include "wires.h"

struct labgrid;

/* All places that the rig names, each once; none is fine. NULL with *error and why, and none of them is kept: -EBUSY if somebody
 * has one. The rig is borrowed. */
struct labgrid *labgrid_acquire(const struct board_rig *, int *error, char why[WIRES_WHY]);
void labgrid_release(struct labgrid *); /* NULL is fine */

#endif
