/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands on the desk: a bench, its boards with their files, bench devices, bystanders, and the capture that sees all of them. Made
 * from the options; fronts plug the devices in.
 */
#ifndef DFUBENCH_DESK_H
#define DFUBENCH_DESK_H

#include <stdbool.h>
#include "bench.h"
#include "engine.h"
#include "events.h"
#include "fault.h"
#include "gear.h"
#include "mcu.h"
#include "options.h"
#include "say.h"
#include "usbdev.h"

struct desk;

/* Loads all files. NULL: the reason has been said. Both arguments must outlive the desk. */
struct desk *desk_new(const struct options *, const struct say *);
void desk_free(struct desk *); /* does not save; the devices must have been unplugged; NULL is fine */

struct bench *desk_bench(struct desk *);
const struct options *desk_given(const struct desk *); /* as given to desk_new() */
/* What time 0 of the bench is in the capture, in microseconds since 1970; 0: there is none. */
uint64_t desk_epoch_us(const struct desk *);
/* Power, cable and boot pins; then as much bench time as it takes all of them to start. */
void desk_power_up(struct desk *);
/* Boards first, in order, then bench devices, then bystanders. NULL after the last. */
struct usbdev *desk_device(struct desk *, unsigned index, bool *denied);

/* Boards have numbers from 1 on; those that are removed leave a gap. */
unsigned desk_last_board(const struct desk *);
struct mcu *desk_mcu(struct desk *, unsigned board);       /* NULL: there is no such board */
struct engine *desk_engine(struct desk *, unsigned board); /* what runs as application; NULL: nothing, or no board */
struct fault *desk_fault(struct desk *, unsigned board);   /* likewise */
struct usbdev *desk_board_device(struct desk *, unsigned board); /* what a front plugs in; likewise */

struct gear *desk_gear(struct desk *); /* the bench devices; NULL: there are none */

#define DESK_WHY 640
/* One more board, under power and with its cable in; the front is yet to plug it in. serial NULL: made up. Its number, or
 * -errno with why[]. */
int desk_add_board(struct desk *, const char *serial, char why[DESK_WHY]);
/* Saves its files and takes it away; the front has unplugged it before. 0; -ENOENT; or -errno of saving, which has been
 * said, and the board is gone all the same. */
int desk_remove_board(struct desk *, unsigned board);

/* What passes to this device meanwhile is the front's own: captures and faults leave it out. */
void desk_probe(struct desk *, struct usbdev *, bool on);
/* For the front to tell: a host has enumerated the device, and programs can see it. */
void desk_listed(struct desk *, const struct usbdev *);

/* One listener to all that happens; called in the middle of things: look, do not touch. NULL: none. */
void desk_listen(struct desk *, void (*event)(void *context, const struct desk_event *), void *context);

/* Likewise for each transfer of a board that a capture has recorded, once it has completed. */
void desk_listen_transfers(struct desk *, void (*completed)(void *context, unsigned board, const struct usb_urb *),
			   void *context);

/* Why the capture lacks what has happened of late, as -errno; 0: it has all. */
int desk_capture_error(const struct desk *);
/* With a recording instead of boards: the tool is done. Says how it went, and writes that where it was asked for. True: it
 * departed from the recording. Without one: false. */
bool desk_finish_replay(struct desk *);

/* The boards finish what they have in hand, then all that has changed is saved. Each failure is said; 0 or the last of
 * them as -errno. A capture that could not be written counts. */
int desk_save(struct desk *);

#endif
