/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device on its way to a host elsewhere: what fronts need that must know descriptors before that host asks. When the device
 * attaches, it is enumerated; then it is put back as it was, but for its address, since SET_ADDRESS never comes from there.
 */
#ifndef DFUBENCH_EXPORT_H
#define DFUBENCH_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "describe.h"
#include "front.h"
#include "usbdev.h"

struct export;

/* Every member is required. */
struct export_ops {
	/* There, known, and not configured. The description is valid until gone(). Called from bench_advance(). */
	void (*ready)(void *context, const struct usb_description *);
	/* It left the bus; all its transfers have completed. Only after ready(). */
	void (*gone)(void *context);
	/* A transfer is the owner's again. */
	void (*complete)(void *context, struct usb_urb *);
};

/* Connects to the device; the outcome of the first enumeration comes later. address: 1 to 127, where the env has none to share.
 * The arguments must outlive
 * it. NULL: ENOMEM. */
struct export *export_new(const struct front_env *, struct usbdev *, uint8_t address, const struct export_ops *,
			  void *context);
/* Lets go of the device, which may stay attached. The owner has taken its transfers back; no callbacks. NULL is fine. */
void export_free(struct export *);

struct usbdev *export_device(const struct export *);
const struct usb_description *export_description(const struct export *); /* NULL: not ready */
/* For the host; after gone() transfers complete at once with USB_GONE. */
void export_submit(struct export *, struct usb_urb *);
void export_cancel(struct export *, struct usb_urb *);
/* The host resets the port, or lets go of the device: not configured any more, the address stays. Pending transfers
 * complete with USB_CANCELLED. What is submitted next waits its turn. */
void export_reset(struct export *);

#endif
