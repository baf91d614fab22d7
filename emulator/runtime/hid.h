/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB device of the human interface class, version 1.11, for devices made of reports: chapter 9, class requests, and reports on
 * interrupt endpoints. What a report means is its user's.
 *
 * Control transfers take place in bench_advance(), in their order: a report may switch a board's supply, which is nothing to happen
 * while a front is in the middle of a submit().
 */
#ifndef DFUBENCH_HID_H
#define DFUBENCH_HID_H

#include <stddef.h>
#include <stdint.h>
#include "bench.h"
#include "usbdev.h"

#define HID_PACKET 64 /* most of an interrupt endpoint at full speed */

enum hid_report { HID_INPUT = 1, HID_OUTPUT = 2, HID_FEATURE = 3 }; /* HID 1.11 7.2.1 */

/* Data of one kind of device; the configuration has one interface, with its class descriptor. */
struct hid_face {
	enum usb_speed speed;
	const uint8_t *device, *configuration; /* as ep0_descriptors has them */
	const uint8_t *report_descriptor;
	size_t report_descriptor_length;
	uint8_t in, out; /* interrupt endpoints; out 0: there is none */
};

/* Every member is required. */
struct hid_ops {
	const char *(*string)(void *context, uint8_t index);
	/* What a GET_REPORT is answered with, at most room bytes: their number, or -1 for STALL. Called from bench_advance(). */
	int (*get_report)(void *context, enum hid_report, uint8_t id, uint8_t *data, size_t room);
	/* 0, or -1 for STALL. Likewise. */
	int (*set_report)(void *context, enum hid_report, uint8_t id, const uint8_t *data, size_t length);
	/* A packet of 1 to HID_PACKET bytes from the OUT endpoint. Called from submit(); may hid_send() one report. */
	void (*output)(void *context, const uint8_t *data, size_t length);
};

struct hid;

/* All arguments must outlive it. NULL on ENOMEM. Not plugged in. */
struct hid *hid_new(struct bench *, const struct hid_face *, const struct hid_ops *, void *context);
void hid_free(struct hid *); /* unplugs first; NULL is fine */
struct usbdev *hid_usbdev(struct hid *);
void hid_plug(struct hid *);
void hid_unplug(struct hid *);
/* A report for the IN endpoint. The OUT endpoint takes nothing while one waits to be fetched. */
void hid_send(struct hid *, const uint8_t *data, size_t length);

#endif
