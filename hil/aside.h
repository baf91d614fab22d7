/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that do what has to be done when their owner ends in any way. They take no signal but SIGKILL. */
#ifndef DFUBENCH_ASIDE_H
#define DFUBENCH_ASIDE_H

#include <sys/types.h>
#include "board_lock.h"

#define ASIDE_NAME "guards-" /* of the process, before the number of its owner: see orphans_end() */

/* A fork in a session of its own, with stderr, the lock, and a socket to the owner, of packets. owner, there alone: becomes readable
 * when the owner has ended. 0 there; its process ID here; -errno. */
pid_t aside_fork(const struct board_lock *, int *socket, int *owner);

#endif
