/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tool as an ordinary child of this process: its end is the end of all that it has started. */
#ifndef DFUBENCH_TOOL_PROCESS_H
#define DFUBENCH_TOOL_PROCESS_H

#include <sys/types.h>
#include "rig.h"

struct tool_process {
	pid_t pid;
	int ended;     /* readable when it has ended */
	int out, err;  /* what it writes; -1: closed */
	pid_t *others; /* children that were there before */
	const struct rig_run *run;
};

/* Starts run->words in a group of its own, with an empty stdin. 0; -errno with why; *exec_failed is 126 or 127 where it could not be
 * run. run is borrowed until tool_process_finish(). */
int tool_process_start(struct tool_process *, const struct rig_run *, int *exec_failed, char why[RIG_WHY]);
void tool_process_signal(const struct tool_process *, int signal); /* to all of its group */
/* All that it has written so far goes to run->wrote. */
void tool_process_listen(struct tool_process *);
/* Kills what is left of it and of what it has started; listens a last time. Its status as from wait(2). */
int tool_process_finish(struct tool_process *);

/* This process's environment with additions, which NULL ends; NULL on ENOMEM. The array alone is to be freed. */
const char **environment_with(const char *const *additions);

#endif
