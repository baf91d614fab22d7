/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is every thread of the tool blocked, and on nothing outside? Read from proc(5), twice. */
#ifndef DFUBENCH_BLOCKED_H
#define DFUBENCH_BLOCKED_H

#include "bus_internal.h"

struct blocked;

bool blocked_supported(void); /* does this kernel tell all that is needed? */
/* given: descriptors that the tool gets as its standard ones, or -1. NULL on ENOMEM. */
struct blocked *blocked_new(const int given[3]);
void blocked_free(struct blocked *);
enum blocked_how {
	BLOCKED_NOT,         /* a thread runs, or has run between the two looks */
	BLOCKED_AND_COUNTED, /* the kernel counts the time of a wait */
	/* One waits for a terminal, a file, a socket (but one whose other end is this process, such as the control socket) or a
	 * pipe that came from outside. */
	BLOCKED_OUTSIDE,
	BLOCKED_ALL,
};
/* Two looks at all threads below the guardian: the same both times. The first of the above that is so. */
enum blocked_how blocked_all(struct blocked *, struct private_bus *);
/* The processes of the last look. Valid until the next one. */
const pid_t *blocked_processes(const struct blocked *, size_t *count);
bool blocked_is_zombie(pid_t pid);
/* Processor time of a process and of the children that it has waited for, in clock ticks; 0 if it is gone. */
uint64_t blocked_ticks(pid_t pid);

#endif
