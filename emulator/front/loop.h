/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop of a front whose host is a kernel: bench time follows the wall's, times a factor, and descriptors are waited for
 * meanwhile. One thread. (The private bus has a loop of its own, which can also skip time.)
 */
#ifndef DFUBENCH_LOOP_H
#define DFUBENCH_LOOP_H

#include <stdint.h>
#include "bench.h"

struct loop;

typedef void loop_ready(void *context, int fd, uint32_t events); /* events: of poll(2) */

/* scale: bench time per wall time, > 0. The bench must outlive it. Time stands still until loop_start(). NULL: -errno in
 * *error. */
struct loop *loop_new(struct bench *, double scale, int *error);
void loop_free(struct loop *); /* descriptors stay their owners'; NULL is fine */

/* From now on bench time passes as the wall's does. */
void loop_start(struct loop *);
/* Call ready() when any of the events happens to fd (POLLERR and POLLHUP always count). Again for an fd that is watched:
 * the new arguments count. 0 or -errno. */
int loop_watch(struct loop *, int fd, uint32_t events, loop_ready *ready, void *context);
/* No longer; must come before fd is closed. Also from within ready(). No-op for an fd that is not watched. */
void loop_unwatch(struct loop *, int fd);
/* How much bench time passes in so much of the wall's. */
uint64_t loop_bench_us(const struct loop *, uint64_t wall_us);
/* Let bench time catch up: before acting on the bench from outside. What takes longer than the wall gives it is late from then on. */
void loop_sync(struct loop *);
/* One turn: wait for a descriptor, an event of the bench, or wait_ms (-1: as long as it takes), and serve what is due.
 * 0 or -errno (the loop is broken). */
int loop_step(struct loop *, int wait_ms);

#endif
