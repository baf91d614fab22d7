/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time on the private bus. The tool's clock is CLOCK_MONOTONIC plus an offset. The offset jumps to the earliest known
 * deadline only when the tool waits for one and every thread of its process tree is blocked inside; then that event fires.
 * Otherwise time is real, so a tool that computes is never hurried.
 */
#ifndef DFUBENCH_VTIME_H
#define DFUBENCH_VTIME_H

#include "bus_internal.h"

struct vtime;

/* For one tool, which is about to start. always: jump also while no USB handle is open and no device is on its way. NULL on
 * ENOMEM. */
struct vtime *vtime_new(struct private_bus *, const struct private_bus_tool *, bool always);
void vtime_free(struct vtime *);
/* What has been skipped so far. */
uint64_t vtime_offset_ns(const struct vtime *);
/* A thread has made a call: its process gets the patched clock if it has not yet. True: the call has been answered, and
 * will be made again. */
bool vtime_saw(struct vtime *, const struct call_info *);
/* It will be another program in a moment. */
void vtime_exec(struct vtime *, pid_t tid);
/* How long the turn may wait for the tool before vtime_idle() should look. UINT64_MAX: nothing to skip. */
uint64_t vtime_patience_ns(struct vtime *);
/* Something has happened: be quick again. */
void vtime_stir(struct vtime *);
/* Nothing has happened for that long: jump if the rule allows it. */
void vtime_idle(struct vtime *);
/* A descriptor of this process, duplicated into ours, or -errno (pidfd_getfd(2)). */
int vtime_take_fd(struct vtime *, pid_t tid, int fd);
/* Is a process, by one of its threads, the same as another's? */
bool vtime_same_process(struct vtime *, pid_t a, pid_t b);
/* timerfd_create(2). */
void vtime_timerfd(struct vtime *, const struct call_info *);
/* clock_gettime(2), gettimeofday(2), time(2) by those that do not go through the vDSO. */
void vtime_clock(struct vtime *, const struct call_info *);

/* --- waits.c --- */
void waits_call(struct private_bus *, const struct call_info *);
/* Timed waits whose condition has come true meanwhile: futex words. True: there was one. */
bool waits_look_after(struct private_bus *);
/* A waiting call is over; its watches and event go. The call is not answered here. */
void waits_release(struct private_bus *, struct held *);
void waits_interrupt(struct private_bus *, struct held *); /* by a signal; ends the call */
void waits_ready(struct private_bus *, struct watch *);    /* a descriptor of a held poll is ready */

#endif
