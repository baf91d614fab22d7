/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter that records what passes: every transfer of the device below goes into a capture, as usbmon would have seen it.
 * It changes nothing: URBs, order and nesting of the calls are those without it. Several devices may share a capture.
 */
#ifndef DFUBENCH_TRACE_H
#define DFUBENCH_TRACE_H

#include <stdbool.h>
#include "bench.h"
#include "capture.h"
#include "usbdev.h"

struct trace;

/* Takes the place of below's host; all three must outlive it. The address in the records is learnt from the SET_ADDRESS
 * that passes, 0 before it. NULL on ENOMEM. */
struct trace *trace_new(struct bench *, struct usbdev *below, struct capture *, uint8_t bus);
struct usbdev *trace_usbdev(struct trace *);
/* What is submitted while paused goes unrecorded: it is not the host's. Endpoints and addresses are learnt all the same. */
void trace_pause(struct trace *, bool paused);
/* Told of each recorded transfer when it has completed, after its record; look, do not touch. NULL: nobody. */
void trace_listen(struct trace *, void (*completed)(void *context, const struct usb_urb *), void *context);
void trace_free(struct trace *); /* no transfers pending; below is left without a host; NULL is fine */

#endif
