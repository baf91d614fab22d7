/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a scripted host waits: SIGINT, SIGTERM and SIGHUP come while something is waited for, end that, and come at no other time. */
#ifndef DFUBENCH_HOST_WAIT_H
#define DFUBENCH_HOST_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define HOST_WAIT_SIGNALS 3

struct host_wait {
	sigset_t mask; /* as it was before */
	struct sigaction before[HOST_WAIT_SIGNALS];
};

void host_wait_begin(struct host_wait *); /* once in a process at a time */
void host_wait_end(struct host_wait *);   /* signals are again as they were */
int host_wait_signal(void);               /* the one that has come; 0: none */

uint64_t host_wait_now_us(void); /* CLOCK_MONOTONIC */
/* Until one of the descriptors is ready, a signal has come, or the time is over. */
void host_wait_poll(const struct host_wait *, struct pollfd *, nfds_t count, uint64_t within_us);
bool host_wait_sleep(const struct host_wait *, uint64_t us); /* false: a signal came */

#endif
