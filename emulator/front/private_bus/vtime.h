/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time on the private bus. All clocks of the tool, and the bench, show one time. It stands while the tool computes, and
 * jumps to the earliest known deadline when the tool waits for one and every thread of its process tree is blocked inside; then
 * that event fires. So what happens depends on what the tool does, and not on how fast it does it. Only a tool that has neither
 * waited nor got anything for long has clocks that go with the wall: it may be waiting without saying so.
 */
#ifndef DFUBENCH_VTIME_H
#define DFUBENCH_VTIME_H

#include <time.h>
#include "bus_internal.h"

struct vtime;

/* For one tool, which is about to start. always: jump also while no USB handle is open and no device is on its way. NULL on
 * ENOMEM. */
struct vtime *vtime_new(struct private_bus *, const struct private_bus_tool *, bool always);
void vtime_free(struct vtime *);
/* From now on. */
void vtime_start_clock(struct vtime *);
/* How long it has been since the start by the tool's clocks, at a moment of the wall; and how long by the wall until it is that
 * long, 0 if it is, if nothing is skipped. */
uint64_t vtime_elapsed_ns(const struct vtime *, uint64_t wall_ns);
uint64_t vtime_until_ns(const struct vtime *, uint64_t elapsed_ns, uint64_t wall_ns);
/* What a clock of the tool will show, likewise; 0 if that is before the start. */
uint64_t vtime_point_ns(const struct vtime *, clockid_t, uint64_t ns);
/* A process that goes by the kernel's clocks, for want of ours. */
bool vtime_is_real(struct vtime *, pid_t tid);
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
/* At every turn: does the tool still compute? */
void vtime_check(struct vtime *);
/* A descriptor of this process, duplicated into ours, or -errno (pidfd_getfd(2)). */
int vtime_take_fd(struct vtime *, pid_t tid, int fd);
/* Is a process, by one of its threads, the same as another's? */
bool vtime_same_process(struct vtime *, pid_t a, pid_t b);
/* timerfd_create(2), settime and gettime. */
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
