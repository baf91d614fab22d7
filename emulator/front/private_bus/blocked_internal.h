/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of blocked.h share. */
#ifndef DFUBENCH_BLOCKED_INTERNAL_H
#define DFUBENCH_BLOCKED_INTERNAL_H

#include <sys/types.h>
#include "blocked.h"

#define LINE 192
#define OUTSIDE_MAX 64

struct thread {
	struct thread *next;
	pid_t pid, tid;
	unsigned round;
	int syscall_fd, schedstat_fd, stat_fd, children_fd;
	char line[LINE], ran[LINE]; /* of the last look */
	uint32_t children;          /* likewise, a digest */
};

struct blocked {
	struct private_bus *bus; /* of this look */
	enum blocked_how how;    /* likewise, so far */
	struct thread *threads;
	unsigned round;
	pid_t *pids;
	size_t pid_count, pid_room;
	int root_fd;                   /* children of the guardian; -1: not open */
	uint32_t root_children;        /* a digest of them */
	uint64_t outside[OUTSIDE_MAX]; /* inodes of pipes and sockets that the tool has from us */
	size_t outside_count;
};

/* --- blocked_sleep.c --- */
/* Stopped by job control or by a debugger: it will not run before somebody outside wants it to. */
bool blocked_is_stopped(const struct thread *);
/* A wait with a time-out that we do not hold counts the kernel's time, which must then not be outrun. */
bool blocked_counts_real_time(long number, const uint64_t a[6]);
/* What a thread in that call, with these arguments, waits for. */
enum blocked_how blocked_sleeps_at(const struct blocked *, const struct thread *, long number, const uint64_t a[6]);

#endif
