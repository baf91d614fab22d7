/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals that ask the program to end, as something to read: once in a process. */
#ifndef DFUBENCH_SIGNALS_H
#define DFUBENCH_SIGNALS_H

#include <stdbool.h>

struct signal_seen {
	int number;
	bool from_terminal; /* a key was pressed: the processes beside this one have it as well */
};

/* SIGINT, SIGQUIT, SIGTERM and SIGHUP from now on. A descriptor that is readable when one has come, or -errno. */
int signals_open(void);
bool signals_read(int fd, struct signal_seen *); /* false: no more */
/* In a child before its exec, with all signals blocked: they are again as they were before signals_open(). */
void signals_forget(void);
void signals_close(int fd); /* -1 is fine; the signals stay without effect */

#endif
