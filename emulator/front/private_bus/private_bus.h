/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private bus: a USB bus that one process tree sees, without root and without a kernel module. The tool runs under a
 * seccomp filter whose user notifications this library answers: usbfs, the sysfs tree and the uevent socket.
 * A library: `dfuemu exec` and the runner both use it. Several buses may live in one process.
 */
#ifndef DFUBENCH_PRIVATE_BUS_H
#define DFUBENCH_PRIVATE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "usbdev.h"

struct private_bus;

#define PRIVATE_BUS_PORTS 15  /* of the root hub; boards come first, from port 1 on */
#define PRIVATE_BUS_ERROR 256 /* room for a message */

enum private_bus_time {
	TIME_SCALED,         /* the wall's, or a multiple of it for the boards */
	TIME_VIRTUAL,        /* waits for the board are skipped; the tool's clock shows them all the same */
	TIME_VIRTUAL_ALWAYS, /* a tool's sleeps too while it has no device open */
};

struct private_bus_options {
	enum private_bus_time time;
	double scale; /* TIME_SCALED: bench time per wall time, 20 = the boards run 20 times faster. Must be > 0 */
	/* Things a user must know (a call that goes round the bus, say), one line each without newline. Required. */
	void (*warn)(void *context, const char *line);
	/* A device can be seen by the tool from now on: it is enumerated. May be NULL. */
	void (*listed)(void *context, struct usbdev *);
	void *context;
	bool no_forced_writes; /* for tests: behave as under a kernel that forbids them (see proc_mem.force_override) */
	const char *tree_folder; /* where the private tree may live; NULL: a sensible place */
};

/* Can this kernel and sandbox do it? 0, or -errno and why[] in words that tell what to change. */
int private_bus_probe(char why[PRIVATE_BUS_ERROR]);

/* NULL: why[] says why. The bench must outlive the bus; the bus is what advances it. */
struct private_bus *private_bus_new(struct bench *, const struct private_bus_options *, char why[PRIVATE_BUS_ERROR]);
/* Kills what is left of the tool, takes the tree away. The devices stay their owner's. NULL is fine. */
void private_bus_free(struct private_bus *);

/* Plug a device into the next free port of the root hub: port number, or -ENOSPC, -ENOMEM. The device shows up on the
 * bus when it attaches. denied: its node answers EACCES, as one that udev gave to somebody else. */
int private_bus_add(struct private_bus *, struct usbdev *, bool denied);
/* Pull the plug. The usbdev may be freed afterwards. */
void private_bus_remove(struct private_bus *, int port);
/* 1-127 once the device on that port is enumerated, 0 before. */
int private_bus_address(const struct private_bus *, int port);

/* Skip time until every attached device is enumerated or given up, at most limit_us of it: the boards have been on the
 * desk for a while when the tool starts. */
void private_bus_settle(struct private_bus *, uint64_t limit_us);

/* Start the tool. 0; or -errno and why[]: then private_bus_exec_failed() tells 126 or 127 from other failures. Signals
 * get their default disposition and the caller's mask as it was at private_bus_new(). Once only. */
int private_bus_spawn(struct private_bus *, char *const argv[], char why[PRIVATE_BUS_ERROR]);
/* 127: the tool was not found, 126: it could not be run, 0: neither. Valid after a failed spawn. */
int private_bus_exec_failed(const struct private_bus *);

/* One turn: wait for a call, an event or wait_ms (-1: as long as it takes), and serve it. 1: the tool still runs,
 * 0: it has ended and its status is there; -errno: the bus is broken and the tool has been killed. */
int private_bus_step(struct private_bus *, int wait_ms);
/* As from wait(2); valid once step said 0. */
int private_bus_status(const struct private_bus *);
/* Hand a signal on to the tool. 0 or -ESRCH. */
int private_bus_signal(struct private_bus *, int signal);
/* Have step() call ready() when fd is readable. fd stays the caller's; ready NULL: watch it no longer. 0 or -errno. */
int private_bus_watch(struct private_bus *, int fd, void (*ready)(void *context, int fd), void *context);
/* Let bench time catch up with the wall, as step() does: call before acting on the bench from outside. */
void private_bus_sync(struct private_bus *);

/* Figures for the benchmark and for --verbose. */
struct private_bus_counts {
	uint64_t calls;     /* notifications answered */
	uint64_t transfers; /* USB transfers of the tool completed */
};
void private_bus_counts(const struct private_bus *, struct private_bus_counts *);

#endif
