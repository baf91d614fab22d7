/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread for calls that block: of a gadget's files and ioctls, which know no other way. One call at a time; what it needs
 * is left alone by everybody else until it has ended. All but the call itself runs on the loop's thread.
 */
#ifndef DFUBENCH_WORKER_H
#define DFUBENCH_WORKER_H

#include <stdbool.h>
#include "loop.h"

struct worker;

typedef long worker_call(void *context);              /* on the thread; restarts nothing after EINTR */
typedef void worker_done(void *context, long result); /* on the loop; may start the next one, or free the worker */

/* The loop must outlive it. NULL: -errno in *error. */
struct worker *worker_new(struct loop *, int *error);
/* done() follows, unless the call is interrupted. Not while busy. */
void worker_begin(struct worker *, worker_call *, worker_done *, void *context);
bool worker_is_busy(const struct worker *); /* until done() is called */
/* Wait until the call has ended, so long at most; done() still follows from the loop. */
void worker_wait(struct worker *, unsigned ms);
/* End the call, by signals, and wait for that; done() does not follow. No-op if not busy. */
void worker_interrupt(struct worker *);
void worker_free(struct worker *); /* interrupts; NULL is fine */

#endif
