/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device and the socket that leads to its guest: connections come and go, one at a time. */
#ifndef DFUBENCH_REDIR_PLACE_H
#define DFUBENCH_REDIR_PLACE_H

#include <stdbool.h>
#include "front.h"

struct place;

struct place_address {
	const char *path;
	bool listen; /* the guest connects; else we do */
};

/* Connects to the device. number: from 1 to 127. alarm() is called when place_tick() is to be called every
 * SESSION_TICK_MS from now on. The env and the device must outlive it. 0 or -errno: warn() may have said more. */
int place_new(const struct front_env *, struct usbdev *, unsigned number, const struct place_address *,
	      void (*alarm)(void *context), void *context, struct place **);
/* The guest sees the device go. NULL is fine. */
void place_free(struct place *);

struct usbdev *place_device(const struct place *);
bool place_is_plugged(const struct place *); /* a guest has the device */
/* False: there is nothing to tick for, until the next alarm. */
bool place_tick(struct place *);

#endif
