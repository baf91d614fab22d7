/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Places of labgrid that a board and its wires belong to, had by way of labgrid-client. */
#ifndef DFUBENCH_LABGRID_H
#define DFUBENCH_LABGRID_H

#include "wires.h"

#define LABGRID_PLACES (WIRES + 1u) /* of one rig, at most */

struct labgrid;

/* All places that the rig names, each once; none is fine. NULL with *error and why, and none of them is kept: -EBUSY if somebody
 * has one, and why says who. What an earlier run of this user has left acquired, because it was killed, is taken over. The rig is
 * borrowed. */
struct labgrid *labgrid_acquire(const struct board_rig *, int *error, char why[WIRES_WHY]);
/* What could not be released is told on stderr, and left to the next run. NULL is fine. */
void labgrid_release(struct labgrid *);

#endif
