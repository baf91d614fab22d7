/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private bus: a USB bus that one process tree sees, without root and without a kernel module. The tool runs under a
 * seccomp filter whose user notifications this library answers: usbfs, the sysfs tree, the uevent socket, and serial
 * ports as terminals.
 * A library: `dfuemu exec` and the runner both use it. Several buses may live in one process.
 */
#ifndef DFUBENCH_PRIVATE_BUS_H
#define DFUBENCH_PRIVATE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "describe.h"
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
	bool no_terminals; /* serial ports (CDC-ACM) stay plain USB devices: no driver takes them, there is no /dev/ttyACM0 */
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
/* What the device there has said of itself, once it is enumerated; NULL before. Valid until the bus next runs. */
const struct usb_description *private_bus_description(const struct private_bus *, int port);

/* Skip time until every attached device is enumerated or given up, at most limit_us of it: the boards have been on the
 * desk for a while when the tool starts. */
void private_bus_settle(struct private_bus *, uint64_t limit_us);

/*
 * Tools, one after the other. Each has processes, handles, uevent sockets and a clock of its own. When it has ended, they
 * are gone as after the last close(2): its transfers are taken back, what it had claimed is free. The devices stay
 * plugged and enumerated: no bus reset, same address, configuration and DFU state.
 */
struct private_bus_tool {
	char *const *argv;  /* argv[0] is looked up as by execvp(3), relative to folder, by the PATH of envp */
	char *const *envp;  /* NULL: the caller's environment */
	const char *folder; /* to start in; NULL: the caller's */
	/* Standard input, output and error; -1: the caller's. They stay the caller's and may be closed once the tool has
	 * started. A pipe ends with the tool: nothing else holds its other end. */
	int fds[3];
};
/* For fds */
#define PRIVATE_BUS_INHERITED \
	{ \
		-1, -1, -1 \
	}

/* Start a tool. 0; or -errno and why[]: then private_bus_exec_failed() tells 126 or 127 from other failures, and the next one
 * may be tried. -EBUSY: one runs already, or the caller is itself a tool on a private bus. Signals get their default
 * disposition; the mask and the limit of open files are the caller's as they were at private_bus_new(). While it runs, the
 * calling thread and the tool may be put on one CPU. From here on bench time goes with the tool's clock. */
int private_bus_start(struct private_bus *, const struct private_bus_tool *, char why[PRIVATE_BUS_ERROR]);
/* The same with nothing but argv. */
int private_bus_spawn(struct private_bus *, char *const argv[], char why[PRIVATE_BUS_ERROR]);
/* 127: the tool was not found, 126: it could not be run, 0: neither. Valid after a failed start. */
int private_bus_exec_failed(const struct private_bus *);

/* One turn: wait for a call, an event or wait_ms (-1: as long as it takes), and serve it. 1: the tool still runs,
 * 0: it has ended, with all that it had started, and its status is there; or there is none. -errno: the bus is broken and the
 * tool has been killed. */
int private_bus_step(struct private_bus *, int wait_ms);
/* As from wait(2); valid once step said 0. */
int private_bus_status(const struct private_bus *);
/* Hand a signal on to the tool. 0 or -ESRCH. Keep calling step() after SIGKILL too: it says when all is over. How long a
 * tool may run is the caller's to see to. An event of the bench may send the signal: in virtual time one that waits for ever
 * is ended at once by that. While it computes, or waits for something outside, bench time stands for a while and then goes with
 * the wall, and a limit on that is wanted as well. (With TIME_VIRTUAL any event of the bench has all waits skipped, a tool's sleeps
 * too, as if a device were on its way.) */
int private_bus_signal(struct private_bus *, int signal);
/* Have step(), wait() and skip() call ready() when fd is readable or hung up. fd stays the caller's, who calls again with
 * ready NULL before closing it. 0 or -errno. ready() may do anything but step, wait, skip, start and free. */
int private_bus_watch(struct private_bus *, int fd, void (*ready)(void *context, int fd), void *context);
/* Let bench time catch up with the wall, as step() does: call before acting on the bench from outside. */
void private_bus_sync(struct private_bus *);

/* Between tools bench time stands, but in these two: devices boot, enumerate and go. In real and scaled time they wait by
 * the wall, in virtual time they go from event to event. */
/* Until the condition holds, at most limit_us of bench time. It is looked at now, after each event of the bench, and after
 * each watch that was served, or signal that came. until NULL: never. 1: it holds; 0: the time is over, exactly;
 * -EBUSY: a tool runs; -errno of epoll_pwait2(2). */
int private_bus_wait(struct private_bus *, bool (*until)(void *context), void *context, uint64_t limit_us);
/* Until it is that late on the bench; at once if it is already. 0 or -errno as above. */
int private_bus_skip(struct private_bus *, uint64_t to_us);

/* Figures for the benchmark and for --verbose, of all tools together. */
struct private_bus_counts {
	uint64_t calls;     /* notifications answered */
	uint64_t transfers; /* USB transfers of the tool completed */
};
void private_bus_counts(const struct private_bus *, struct private_bus_counts *);

#endif
