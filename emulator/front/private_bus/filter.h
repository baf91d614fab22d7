/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seccomp program: which calls the supervisor sees. Built as data, so that a test can run it. */
#ifndef DFUBENCH_PB_FILTER_H
#define DFUBENCH_PB_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include "syscalls.h"

#define FILTER_MAX 512
#define FILTER_TIMERS 16u /* descriptors just below the reserved range: timers that are never set to a while */

/* Fill program (room for FILTER_MAX) for descriptors base..base+count-1 as the reserved range; its length. timed: with the
 * calls of virtual time. */
unsigned short filter_build(const struct syscall_table *, uint32_t base, uint32_t count, struct sock_filter *program,
			    bool timed);
/* For the calling thread: no_new_privs, then the filter. The listener's descriptor, or -errno (-EBUSY: a listener is
 * there already, this is a nested bus). */
int filter_install(const struct syscall_table *, uint32_t base, uint32_t count, bool timed);
/* After receipt of the listener: ask for synchronous wake-ups. 0, or -errno where the kernel is older than 6.6. */
int filter_sync_wake_up(int listener);

#endif
