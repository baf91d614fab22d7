/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board on the desk: the microcontroller with what runs on it, the faults and the trace on its cable, and the files that it is
 * made from and saved to. Of the desk alone: others ask that (desk.h).
 */
#ifndef DFUBENCH_DESK_BOARD_H
#define DFUBENCH_DESK_BOARD_H

#include "bench.h"
#include "capture.h"
#include "engine.h"
#include "events.h"
#include "fault.h"
#include "image.h"
#include "mcu.h"
#include "options.h"
#include "savefile.h"
#include "say.h"
#include "trace.h"

/* What a board finds there. */
struct board_site {
	const struct options *options;
	const struct say *say;
	struct bench *bench;
	void (*tell)(void *context, const struct desk_event *);
	bool (*is_taken)(void *context, const char *serial); /* another board has that serial number */
	void (*completed)(void *context, unsigned board, const struct usb_urb *); /* that was recorded */
	void *context;
};

struct board {
	const struct board_site *site;
	unsigned number; /* from 1 */
	const struct mcu_profile *profile;
	struct mcu *mcu; /* NULL: there is no board in this place */
	struct engine *engine;
	struct image *image;
	struct savefile *state;
	char *saved; /* the text that the state file stands for; NULL: there is none yet */
	struct mcu_identity identity;
	struct fault *fault;
	struct trace *trace;
};

/* Loads its files. serial: of a board that comes later, or NULL. 0 or -errno, said; close it in either case. The site must
 * outlive it. */
int board_init(struct board *, const struct board_site *, unsigned number, const char *serial);
void board_close(struct board *); /* does not save */

/* Behind the faults: the capture has what the host sees. 0 or -ENOMEM. */
int board_trace(struct board *, struct capture *, unsigned bus);
void board_power_up(struct board *); /* boot pins, cable and power */

/* The tool has gone, the board has not: an erase that it did not wait for runs to its end, as on a real desk. */
void board_finish_flash(struct board *);
int board_save(struct board *); /* flash image and state, if they changed. 0 or -errno, said */

#endif
