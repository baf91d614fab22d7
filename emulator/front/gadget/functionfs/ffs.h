/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One mounted FunctionFS: the kernel keeps the descriptors and answers for them, class and vendor requests come here. */
#ifndef DFUBENCH_FFS_H
#define DFUBENCH_FFS_H

#include <stdbool.h>
#include "export.h"
#include "front.h"

struct ffs;

/* folder: where it is mounted. Tells the kernel of the device, and warns of what this kernel will not show. The description
 * is used only here. *told: the warnings have been given before. NULL with why[]. */
struct ffs *ffs_new(const struct front_env *, struct export *, const char *folder, const struct usb_description *,
		    bool *told, char why[FRONT_WHY]);
void ffs_free(struct ffs *); /* takes transfers back; NULL is fine */
/* True: the transfer was its own. */
bool ffs_complete(struct ffs *, struct usb_urb *);
/* The device has left the bus: what it answered last may still reach the host, nothing else does. */
void ffs_gone(struct ffs *);

#endif
