/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A way in for a host that is a kernel, as `dfuemu serve` drives it: one row of a table for each. The devices behind it are
 * any struct usbdev; the loop calls it when a descriptor is ready, the bench when time has come. All on one thread, but for
 * what a front keeps to itself.
 */
#ifndef DFUBENCH_FRONT_H
#define DFUBENCH_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include "bench.h"
#include "loop.h"
#include "usbdev.h"

#define FRONT_WHY 512 /* room for a message */

struct front; /* each front has its own */

/* Which USB addresses are in use. Controllers keep SET_ADDRESS to themselves, so that those in a recording are ours: a device
 * that comes back has another one, round robin as with a kernel, and whoever reads the recording knows it for a new life. */
struct front_addresses {
	uint8_t last;
	bool taken[128];
};

/* What the program offers to a front. Every member is required, but for addresses. */
struct front_env {
	struct bench *bench;
	struct loop *loop;
	/* Things a user must know, or may want to; one line each without newline. */
	void (*warn)(void *context, const char *line);
	void (*note)(void *context, const char *line);
	/* What the front itself asks the device from now on (until off) is not the host's: captures and faults leave it out. */
	void (*probe)(void *context, struct usbdev *, bool on);
	void *context;
	struct front_addresses *addresses; /* shared by all devices; NULL: each keeps the one that it has first */
};

/* Of the command line; NULL where not given. Each front looks at its own. */
struct front_options {
	const char *listen; /* usbip: ADDRESS:PORT */
	const char *udc;    /* gadget, raw-gadget: name of the USB device controller */
	const char *socket; /* redir: path */
};

struct front_ops {
	const char *name;    /* the word after `serve` */
	const char *summary; /* of a line */
	const char *missing; /* NULL; or the library that was not there when it was built: then what follows is NULL */
	unsigned room;       /* devices at most */
	bool local;          /* the host is this machine's kernel: address() tells when it has enumerated a device */
	/* Ready for devices, or NULL with why[]. Both arguments are borrowed until close(). */
	struct front *(*open)(const struct front_env *, const struct front_options *, char why[FRONT_WHY]);
	/* The device has a place from now on, and shows up there whenever it attaches. 0; -ENOSPC; -errno: warn() may have
	 * said more. */
	int (*plug)(struct front *, struct usbdev *);
	/* Its pending transfers are taken back, the host sees it go; the usbdev may be freed afterwards. */
	void (*unplug)(struct front *, struct usbdev *);
	/* On the host's bus if that is known, else a number of the front's own; 0: not there (yet). */
	unsigned (*address)(const struct front *, const struct usbdev *);
	/* What hosts need to get at it, as "listening on 127.0.0.1:3240". */
	void (*tell)(const struct front *, char text[FRONT_WHY]);
	/* Unplugs all; nothing of it stays in the system. */
	void (*close)(struct front *);
};

extern const struct front_ops usbip_front, vhci_front, gadget_front, raw_gadget_front, redir_front;
extern const struct front_ops *const fronts[]; /* NULL at the end */
const struct front_ops *front_find(const char *name);

#endif
