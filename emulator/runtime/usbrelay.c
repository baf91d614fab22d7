// SPDX-License-Identifier: GPL-2.0-or-later
/* A board with relays. */
#include "usbrelay.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hid.h"

/* First byte of a report to the board; the second one is a relay, or the serial number begins there. */
enum { ALL_ON = 0xfe, ALL_OFF = 0xfc, ON = 0xff, OFF = 0xfd, SET_SERIAL = 0xfa };
#define REPORT_BYTES 8

/* V-USB on an ATtiny: low speed, USB 1.1, 8 bytes at a time, an endpoint that has nothing to say. No serial number in its descriptor:
 * that is in the report. */
static const uint8_t device_descriptor[18] = { 18,   1,    0x10, 0x01, 0,    0, 0, 8, 0xc0,
					       0x16, 0xdf, 0x05, 0x00, 0x01, 1, 2, 0, 1 };
/* clang-format off */
static const uint8_t report_descriptor[22] = {
	0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01,         /* vendor's page, usage 1, application */
	0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,         /* bytes */
	0x95, REPORT_BYTES, 0x09, 0x00, 0xb2, 0x02, 0x01, /* feature, of 8 of them, no number */
	0xc0,
};
static const uint8_t configuration[] = {
	9, 2, 34, 0, 1, 1, 0, 0x80, 50,
	9, 4, 0, 0, 1, 3, 0, 0, 0,
	9, 0x21, 0x01, 0x01, 0, 1, 0x22, sizeof(report_descriptor), 0, /* HID 1.01 */
	7, 5, 0x81, 3, 8, 0, 20,
};
/* clang-format on */

static const struct hid_face face = {
	.speed = USB_SPEED_IS_LOW,
	.device = device_descriptor,
	.configuration = configuration,
	.report_descriptor = report_descriptor,
	.report_descriptor_length = sizeof(report_descriptor),
	.in = 0x81,
};

struct usbrelay {
	struct hid *hid;
	const struct lines_user *user;
	unsigned relays;
	char product[16];
	char serial[USBRELAY_SERIAL + 1]; /* kept without supply */
	uint8_t energised;                /* bit 0: relay 1 */
	bool in;                          /* the cable is */
};

static const char *text(void *context, uint8_t index)
{
	const struct usbrelay *u = context;

	return index == 1 ? "www.dcttech.com" : index == 2 ? u->product : NULL;
}

/* Whatever number is asked for: usbrelay asks for report 1. */
static int get_report(void *context, enum hid_report type, uint8_t id, uint8_t *data, size_t room)
{
	const struct usbrelay *u = context;
	uint8_t report[REPORT_BYTES] = { 0 };
	size_t n = room < sizeof(report) ? room : sizeof(report);

	(void)type, (void)id;
	memcpy(report, u->serial, USBRELAY_SERIAL);
	report[7] = u->energised;
	if (n)
		memcpy(data, report, n);
	return (int)n;
}

static void energise(struct usbrelay *u, uint8_t wanted)
{
	uint8_t changed = u->energised ^ wanted;

	u->energised = wanted;
	for (unsigned i = 0; i < u->relays; i++)
		if (changed >> i & 1)
			u->user->driven(u->user->context, i + 1, wanted >> i & 1 ? LINE_HIGH : LINE_LOW);
}

static int set_report(void *context, enum hid_report type, uint8_t id, const uint8_t *data, size_t length)
{
	struct usbrelay *u = context;
	uint8_t all = (uint8_t)((1u << u->relays) - 1), bit;

	(void)type, (void)id;
	if (!length)
		return 0;
	bit = length > 1 && data[1] >= 1 && data[1] <= u->relays ? (uint8_t)(1u << (data[1] - 1)) : 0;
	switch (data[0]) {
	case ALL_ON:
		energise(u, all);
		break;
	case ALL_OFF:
		energise(u, 0);
		break;
	case ON:
		energise(u, u->energised | bit);
		break;
	case OFF:
		energise(u, u->energised & (uint8_t)~bit);
		break;
	case SET_SERIAL:
		if (length > USBRELAY_SERIAL)
			memcpy(u->serial, data + 1, USBRELAY_SERIAL);
		break;
	}
	return 0; /* it swallows all else */
}

static void output(void *context, const uint8_t *data, size_t length)
{
	(void)context, (void)data, (void)length;
	abort(); /* there is no such endpoint */
}

static const struct hid_ops ops = {
	.string = text,
	.get_report = get_report,
	.set_report = set_report,
	.output = output,
};

struct usbrelay *usbrelay_new(struct bench *bench, unsigned relays, const char *serial, const struct lines_user *user)
{
	struct usbrelay *u = calloc(1, sizeof(*u));

	assert(relays && relays <= USBRELAY_RELAYS && strlen(serial) == USBRELAY_SERIAL);
	if (!u)
		return NULL;
	u->user = user;
	u->relays = relays;
	memcpy(u->serial, serial, USBRELAY_SERIAL);
	/* usbrelay takes the number of relays from here */
	snprintf(u->product, sizeof(u->product), "USBRelay%u", relays);
	u->hid = hid_new(bench, &face, &ops, u);
	if (!u->hid) {
		free(u);
		return NULL;
	}
	return u;
}

void usbrelay_free(struct usbrelay *u)
{
	if (!u)
		return;
	hid_free(u->hid);
	free(u);
}

struct usbdev *usbrelay_usbdev(struct usbrelay *u)
{
	return hid_usbdev(u->hid);
}

void usbrelay_plug(struct usbrelay *u, bool in)
{
	if (u->in == in)
		return;
	u->in = in;
	if (in) {
		hid_plug(u->hid);
		return;
	}
	hid_unplug(u->hid);
	energise(u, 0);
}

bool usbrelay_energised(const struct usbrelay *u, unsigned relay)
{
	return u->energised >> (relay - 1) & 1;
}

const char *usbrelay_serial(const struct usbrelay *u)
{
	return u->serial;
}
