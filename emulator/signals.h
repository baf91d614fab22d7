/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that ask this program to end: blocked, and read from a descriptor. */
#ifndef DFUBENCH_SIGNALS_H
#define DFUBENCH_SIGNALS_H

#include <stdbool.h>

/* SIGINT, SIGQUIT, SIGTERM and SIGHUP, from now on. The descriptor, or -errno. */
int signals_open(void);
/* The next one. *from_terminal: its keys sent it, to all programs there, a child among them. 0: no more for now. */
int signals_next(int fd, bool *from_terminal);

#endif
