/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that switches the wires, so that what it was told last is not what stays: when its owner ends in any way, it brings
 * all wires to idle and gives the lock back.
 */
#ifndef DFUBENCH_GUARDIAN_H
#define DFUBENCH_GUARDIAN_H

#include "board_lock.h"
#include "wires.h"

struct guardian;

/* All wires are idle when it returns. Both are borrowed. NULL with *error and why, as switches_open(). */
struct guardian *guardian_start(const struct board_rig *, struct board_lock *, int *error, char why[WIRES_WHY]);
/* As wires_set() and wires_idle(). -EPIPE: the guardian has ended, which nobody but a SIGKILL makes it do. */
int guardian_set(struct guardian *, enum wire, bool high, char why[WIRES_WHY]);
int guardian_idle(struct guardian *, char why[WIRES_WHY]);
/* Idles, and waits for its end. The lock is still the owner's. NULL is fine. As guardian_idle(). */
int guardian_end(struct guardian *, char why[WIRES_WHY]);

#endif
