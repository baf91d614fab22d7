/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminals on the private bus: what Linux's cdc-acm driver is to a device with a serial port (USB PSTN 1.2; the requests and
 * their order are that driver's). A terminal that is open is a pseudo-terminal: the tool has its slave, so that the kernel sees
 * to line discipline, read, poll and hang-up; we have the master, and move what goes through it in bulk transfers.
 *
 * In virtual time what is in the pseudo-terminal is seen to before clocks jump, and how the bytes are cut into transfers depends on
 * nothing but on what the tool wrote until it waited.
 */
#ifndef DFUBENCH_PB_TERMINALS_H
#define DFUBENCH_PB_TERMINALS_H

#include "bus_internal.h"

struct terminal;

/* --- terminals.c: terminals come and go --- */
/* The driver looks at all interfaces that have none; the device is configured. */
void terminals_bind(struct port *);
void terminals_attach(struct port *, unsigned interface); /* at that one alone */
/* The device leaves, or is about to be reset: all its terminals hang up. */
void terminals_unbind(struct port *);
/* Somebody wants the interface to have no driver. 0, or -ENODATA: it has none of ours. */
int terminals_detach(struct port *, unsigned interface);
/* "/dev/ttyACM<minor>"; NULL: there is none. */
struct terminal *terminals_of_minor(const struct private_bus *, unsigned minor);
unsigned terminal_minor(const struct terminal *);
bool terminal_is_denied(const struct terminal *);
/* The terminal behind a descriptor of the tool; NULL: none of ours, or hung up. */
struct terminal *terminals_of_fd(const struct private_bus *, pid_t tid, int fd);
void terminals_bury(struct private_bus *); /* at the end of a turn: those that have gone */
void terminals_free(struct private_bus *); /* likewise, and all that is left of them */

/* --- terminal_open.c, terminal_line.c: terminals that are open --- */
/* open(2) of it; ends the call. */
void terminal_open(struct private_bus *, const struct call_info *, struct terminal *, int flags);
/* Its descriptor of ours is readable, writable or hung up. */
void terminal_ready(struct private_bus *, struct watch *);
/* The tool is gone: what it had open closes. */
void terminals_tool_gone(struct private_bus *);
/* Something is on its way to the device for a tool that has closed. */
bool terminals_are_closing(const struct private_bus *);
/* At the end of each turn: what devices have said goes to the tool. */
void terminals_deliver(struct private_bus *);

/* --- terminal_time.c: virtual time --- */
/* Is there anything in terminals that has not been seen to? */
bool terminals_pending(const struct private_bus *);
/* Whoever waits for what we wrote has been woken when this returns. True: some of it has only now found room. */
bool terminals_flush(struct private_bus *);
/* The tool has written something that we have not got yet, or has read so that there is room for more. */
bool terminals_moved(const struct private_bus *);
bool terminals_open(const struct private_bus *); /* any of them is */
/* The tool waits: what it has written goes out as it is. True: there was something. */
bool terminals_push(struct private_bus *);
/* How a read(2) of that descriptor waits. */
enum terminal_wait {
	TERMINAL_NONE /* it is none of ours */,
	TERMINAL_WAITS,
	TERMINAL_COUNTS /* the kernel counts time (VTIME) */
};
enum terminal_wait terminals_wait(const struct private_bus *, pid_t tid, int fd);

/* --- terminal_ioctl.c --- */
bool terminals_break(const struct private_bus *, pid_t tid); /* this thread waits for the end of a break */
/* An ioctl of those that the filter notifies for terminals; ends the call. */
void terminals_ioctl(struct private_bus *, const struct call_info *);

#endif
