/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording on the desk instead of boards. */
#ifndef DFUBENCH_REPLAY_H
#define DFUBENCH_REPLAY_H

#include <stdbool.h>
#include "bench.h"
#include "capture.h"
#include "options.h"
#include "say.h"
#include "usbdev.h"

#define EXIT_DEPARTED 1 /* whatever the tool says */

struct replay;

/* Of the files that the options name. NULL: the reason has been said. All is borrowed. */
struct replay *replay_open(const struct options *, struct bench *, const struct say *);
void replay_close(struct replay *);                            /* the devices must have been unplugged; NULL is fine */
struct usbdev *replay_device(struct replay *, unsigned index); /* NULL: no more */
unsigned replay_count(const struct replay *);
void replay_plug(struct replay *);
/* From here on replay_device() gives what records into the capture too. 0 or -ENOMEM. */
int replay_trace(struct replay *, struct capture *, uint8_t bus);
void replay_untrace(struct replay *); /* the devices must have been unplugged; NULL is fine */
void replay_probe(struct replay *, const struct usbdev *, bool on); /* as desk_probe() */
/* The host is done. Says how it went, and writes it to --json; true: with departures. The first call counts. */
bool replay_finish(struct replay *);
/* --json could not be written, which has been said. */
bool replay_failed(const struct replay *);

#endif
