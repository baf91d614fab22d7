/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device by gadgetfs, the kernel's older file system for gadgets: it takes descriptors of any kind, those too that FunctionFS
 * refuses, and hands all requests on but for descriptors; SET_CONFIGURATION and SET_INTERFACE among them. But its control pipe
 * brings 256 bytes at most, too little for DFU.
 */
#ifndef DFUBENCH_GADGETFS_H
#define DFUBENCH_GADGETFS_H

#include <stdbool.h>
#include "export.h"
#include "front.h"

struct gadgetfs;

/* On the bus at once. folder: where it is mounted until gadgetfs_free(); the controller must be free. NULL with why[]. All but
 * the description must outlive it. */
struct gadgetfs *gadgetfs_new(const struct front_env *, struct export *, const char *folder, const char *udc,
			      const struct usb_description *, char why[FRONT_WHY]);
void gadgetfs_free(struct gadgetfs *); /* NULL is fine */
/* The device has left: off the bus, for good, transfers are taken back. What it answered last may still reach the host. NULL is
 * fine. */
void gadgetfs_gone(struct gadgetfs *);
/* True: the transfer was its own. */
bool gadgetfs_complete(struct gadgetfs *, struct usb_urb *);

#endif
