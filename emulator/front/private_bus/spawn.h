/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the tool under the filter, with a guardian process between supervisor and tool: it adopts whatever the tool
 * leaves behind (PR_SET_CHILD_SUBREAPER) and kills all of it when the tool has ended, or when the supervisor has died.
 * If it is the guardian that dies, the supervisor, a subreaper too from the first tool on, kills what falls to it.
 */
#ifndef DFUBENCH_SPAWN_H
#define DFUBENCH_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "private_bus.h"
#include "syscalls.h"

/* What the guardian reports when all is over. */
struct spawn_report {
	int status;      /* of the tool, as from wait(2) */
	int left_behind; /* processes of the tool that were still there and have been killed */
};

struct spawn {
	/* to be filled in */
	const struct syscall_table *syscalls;
	uint32_t reserved_base, reserved_count;
	bool timed;          /* notify the calls of virtual time as well */
	sigset_t mask;       /* the tool's signal mask */
	struct rlimit files; /* its RLIMIT_NOFILE */
	void (*orphaned)(
		void *context); /* run in the guardian if the supervisor dies, after the last process is gone */
	void *context;
	/* results; -1 or 0 while there is none */
	pid_t guardian, tool;
	int listener;
	int lifeline; /* readable when the guardian is done: a struct spawn_report; end of file: it was killed itself */
	int tool_fd;  /* a pidfd: readable when the tool itself has ended */
	int exec_pipe; /* end of file: the program runs; else an int, the errno of the exec */
};

enum spawn_stage { SPAWN_PROCESS, SPAWN_DESCRIPTORS, SPAWN_FOLDER, SPAWN_FILTER };

/* Fork and install the filter. The tool's first notified call is part of its exec, so the caller must serve the
 * listener from now on. 0, or -errno with *stage telling what failed. */
int spawn_start(struct spawn *, const struct private_bus_tool *, enum spawn_stage *stage);
/* The tool itself has ended: the guardian has to see to the rest, even if somebody has stopped it (SIGSTOP). */
void spawn_tool_ended(const struct spawn *);
/* Have the guardian kill every process of the tool, wait for it, close what is open. Safe at any time, twice too. */
void spawn_end(struct spawn *);

#endif
