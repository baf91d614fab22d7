/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tool's timerfds in virtual time. The kernel counts for none of them: they are due by the tool's clock, and whoever moves
 * that has them fire. One that is set to a point in time (as libusb does for each transfer) costs no notified call: the kernel's
 * timer then tells the point, which its own clock, so far behind the tool's (TIMERS_LEAD_NS), does not reach.
 */
#ifndef DFUBENCH_TIMERS_H
#define DFUBENCH_TIMERS_H

#include "bus_internal.h"

#define TIMERS_LEAD_NS UINT64_C(86400000000000)

struct timers;

/* base_ns: what the clocks of the tool showed at its start, by clockid_t (struct vdso_clock); it must outlive this. NULL on
 * ENOMEM. */
struct timers *timers_new(struct private_bus *, const uint64_t *base_ns);
void timers_free(struct timers *);
bool timers_any(const struct timers *);
/* timerfd_create(2). */
void timers_create(struct timers *, const struct call_info *);
/* timerfd_settime(2) for a while, and timerfd_gettime(2). elapsed_ns: how late it is for the tool, since its start. */
void timers_settime(struct timers *, const struct call_info *, uint64_t elapsed_ns);
void timers_gettime(struct timers *, const struct call_info *, uint64_t elapsed_ns);
/* Those that are due by now fire. When the next one is due; UINT64_MAX: none is set. */
uint64_t timers_next_ns(struct timers *, uint64_t elapsed_ns);
/* Forget those that none of the processes has open; in_use() tells. */
void timers_sweep(struct timers *, bool (*in_use)(void *context, int fd), void *context);
bool timers_full(const struct timers *); /* the next one would need more room: sweep first */

#endif
