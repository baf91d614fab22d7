/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter that records what passes: every transfer of the device below goes into a capture, as usbmon would have seen it.
 * It changes nothing: URBs, order and nesting of the calls are those without it. Several devices may share a capture.
 */
#ifndef DFUBENCH_TRACE_H
#define DFUBENCH_TRACE_H

#include "bench.h"
#include "capture.h"
#include "usbdev.h"

struct trace;

/* Takes the place of below's host; all three must outlive it. The address in the records is learnt from the SET_ADDRESS
 * that passes, 0 before it. NULL on ENOMEM. */
struct trace *trace_new(struct bench *, struct usbdev *below, struct capture *, uint8_t bus);
struct usbdev *trace_usbdev(struct trace *);
/* The address to write down as long as no SET_ADDRESS has passed since the last attach or bus reset: for fronts whose host
 * side does the addressing itself. 0 until set. */
void trace_set_address(struct trace *, uint8_t address);
void trace_free(struct trace *); /* no transfers pending; below is left without a host; NULL is fine */

#endif
