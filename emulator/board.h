/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on the desk: a bench, its boards with their files, bystanders, and the capture that sees all of them. Made
 * from the options; fronts plug the devices in.
 */
#ifndef DFUBENCH_BOARD_H
#define DFUBENCH_BOARD_H

#include <stdbool.h>
#include "bench.h"
#include "options.h"
#include "say.h"
#include "usbdev.h"

struct desk;

/* Loads all files. NULL: the reason has been said. Both arguments must outlive the desk. */
struct desk *desk_new(const struct options *, const struct say *);
void desk_free(struct desk *); /* does not save; the devices must have been unplugged; NULL is fine */

struct bench *desk_bench(struct desk *);
/* Power, cable and boot pins; then as much bench time as it takes all of them to start. */
void desk_power_up(struct desk *);
/* Boards first, in order, then bystanders. NULL after the last. */
struct usbdev *desk_device(struct desk *, unsigned index, bool *denied);

/* The boards finish what they have in hand, then all that has changed is saved. Each failure is said; 0 or the last of
 * them as -errno. A capture that could not be written counts. */
int desk_save(struct desk *);

#endif
