/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command that `serve` runs for its user once the boards are there: its life is the server's. */
#ifndef DFUBENCH_COMMAND_H
#define DFUBENCH_COMMAND_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child_command {
	pid_t pid; /* 0: none */
	int ended; /* becomes readable when it may have ended; -1: none */
};

/* Starts argv with the dispositions of signals that this program was given, an empty mask, and that limit of descriptors: a
 * server's would have programs that go through all numbers, or use select(2), in trouble. On Linux it is killed if this
 * program dies. 0, or -errno: of exec for *exec_failed, else of something before it. */
int command_start(struct child_command *, char *const argv[], const struct rlimit *descriptors, bool *exec_failed);
bool command_ended(const struct child_command *);
/* The wait status of one that has ended. */
int command_status(struct child_command *);
void command_signal(const struct child_command *, int number); /* no-op without one */

#endif
