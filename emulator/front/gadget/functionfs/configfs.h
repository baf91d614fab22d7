/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gadget in configfs, by libusbgx, and the folder in /run where its FunctionFS is mounted. Both have the process's number
 * in their names, and a lock in the folder is held as long as the process lives: what nobody holds is a crashed run's.
 */
#ifndef DFUBENCH_CONFIGFS_H
#define DFUBENCH_CONFIGFS_H

#include "describe.h"
#include "front.h"

struct configfs;

enum configfs_function { CONFIGFS_FFS, CONFIGFS_ACM };

/* Checks what it needs, and removes what crashed runs have left. udc: borrowed. NULL with why[]. */
struct configfs *configfs_new(const struct front_env *, const char *udc, char why[FRONT_WHY]);
/* Nothing stays. NULL is fine. */
void configfs_free(struct configfs *);

/* A gadget with this one function, not on the bus; for CONFIGFS_FFS mounted. One at a time. 0 or -errno with why[]. */
int configfs_make(struct configfs *, enum configfs_function, char why[FRONT_WHY]);
/* Remove it; FunctionFS must be closed. No-op if there is none. */
void configfs_remove(struct configfs *);
/* Fill it in: identity, texts, the configuration. Once after configfs_make(). */
int configfs_describe(struct configfs *, const struct usb_description *, char why[FRONT_WHY]);

int configfs_bind(struct configfs *, char why[FRONT_WHY]);
void configfs_unbind(struct configfs *); /* no-op if not bound */

const char *configfs_mounted(const struct configfs *); /* where FunctionFS is */
int configfs_acm_port(const struct configfs *);        /* N of ttyGSN, or -errno */

#endif
