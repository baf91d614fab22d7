/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture that plays the devices in it (runtime/recorded.h): which transfers are of which device, what a tool did otherwise
 * in words for people and as JSON. No I/O but what is said.
 */
#ifndef DFUBENCH_PLAYBACK_H
#define DFUBENCH_PLAYBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "say.h"
#include "usbdev.h"
#include "writer.h"

struct playback;

/* name: of the file, for messages. data is not needed afterwards; the rest is borrowed. NULL: it has been said why: no
 * capture, or none with a device that can be played. */
struct playback *playback_new(struct bench *, const char *name, const uint8_t *data, size_t length, bool loose,
			      const struct say *);
void playback_free(struct playback *); /* NULL is fine */

/* In the order in which they come up in the recording. NULL: no more. */
struct usbdev *playback_device(const struct playback *, unsigned index);
/* Those that were there from the beginning show up; the others follow by the clock of the recording. */
void playback_plug(struct playback *);
/* The tool is done: says what it has left out, and how it went. True: there were departures. */
bool playback_finish(struct playback *);
/* After that. */
void playback_write(const struct playback *, struct writer *);

#endif
