/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child process: what systems differ in. For command.c; one child at a time. */
#ifndef DFUBENCH_CHILD_H
#define DFUBENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Closed by exec. 0 or -errno. */
int child_pipe(int ends[2]);
/* In the child: it dies with its parent, where the system can do that. False: that one is dead already. */
bool child_tie(pid_t parent);
/* A descriptor that is readable once the child has ended, or -errno. */
int child_watch(pid_t);
/* It is readable: has the child really ended? */
bool child_ended(int fd, pid_t);
void child_unwatch(int fd);

#endif
