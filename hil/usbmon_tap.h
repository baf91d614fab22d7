/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes between this machine's kernel and a board, from /dev/usbmonN (Linux Documentation/usb/usbmon.rst) into a capture: the
 * packets of the board's own addresses alone. usbmon has a buffer of its own, which is to be emptied while something happens.
 */
#ifndef DFUBENCH_USBMON_TAP_H
#define DFUBENCH_USBMON_TAP_H

#include <stdbool.h>
#include "transcript.h"

#define USBMON_TAP_WHY 512

struct usbmon_tap;

/* Whose address is it? While nobody knows, packets wait. */
enum tap_owner { TAP_UNKNOWN, TAP_OURS, TAP_OTHERS };
typedef enum tap_owner tap_owner(void *context, unsigned bus, unsigned address);

/* "/dev/usbmon1" of the bus that a port ("1-1.2", or NULL: not known, then of all buses) is on. */
void usbmon_tap_device(const char *port, char out[32]);
/* Can it be read? 0 or -errno with why, and what to do. */
int usbmon_tap_possible(const char *device, char why[USBMON_TAP_WHY]);

/* The capture is made anew. NULL with why. */
struct usbmon_tap *usbmon_tap_open(const char *device, const char *capture, tap_owner *, void *context,
				   char why[USBMON_TAP_WHY]);
void usbmon_tap_close(struct usbmon_tap *);   /* NULL is fine */
int usbmon_tap_fd(const struct usbmon_tap *); /* readable: there is something */

/* All that is there. */
void usbmon_tap_drain(struct usbmon_tap *);
/* From now on, requests of a class are left out: they are the runner's own. What the kernel asks of a device that comes up is kept. */
void usbmon_tap_mute(struct usbmon_tap *, bool);
/* How many requests of the DFU class have been answered in all, but for those that were left out. */
unsigned usbmon_tap_requests(const struct usbmon_tap *);

/* Up to now; the tap's, until the next call. facts: without the origin, which is that time of day in us. */
const struct transcript *usbmon_tap_transcript(struct usbmon_tap *, const struct transcript_facts *,
					       uint64_t origin_us);

#endif
