/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process at a time has a board, whoever runs it: flock(2) on files named after its serial number and its port, in a folder that
 * all users share: $DFUBENCH_LOCK_DIR; /run/lock where everybody may write to it; else /tmp. Files stay when nobody has them: empty,
 * if the last one to have them gave them back.
 */
#ifndef DFUBENCH_BOARD_LOCK_H
#define DFUBENCH_BOARD_LOCK_H

#include "wires.h"

struct board_lock;

/* NULL with *error and why: -EBUSY: somebody has the board, and why says who. What a fork inherits is the same lock: it is
 * held until all have ended, or one of them gives it back. */
struct board_lock *board_lock_take(const char *serial, const char *port, int *error, char why[WIRES_WHY]);
/* The same of something else. left: whoever had it last ended without giving it back. */
struct board_lock *board_lock_take_other(const char *kind, const char *name, bool *left, int *error,
					 char why[WIRES_WHY]);
/* Descriptors that carry it, -1 ends. The lock's. */
#define BOARD_LOCK_FILES 2
const int *board_lock_files(const struct board_lock *);
void board_lock_give(struct board_lock *);  /* NULL is fine */
void board_lock_leave(struct board_lock *); /* as if this process had been killed */

#endif
