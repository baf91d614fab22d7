/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device for tests that enumerates at once and then does as it is told: a vendor request, or a transfer to any endpoint but
 * 0, waits until the test gives it back.
 */
#ifndef DFUBENCH_FAKE_DEVICE_H
#define DFUBENCH_FAKE_DEVICE_H

#include <string.h>
#include "usbdev.h"

#define FAKE_PENDING 512
#define FAKE_VENDOR_OUT 0x40
#define FAKE_VENDOR_IN 0xc0

struct fake_device {
	struct usbdev dev;                     /* first */
	struct usb_urb *pending[FAKE_PENDING]; /* oldest first */
	unsigned count;
	unsigned resets, cancels, submits;
	uint8_t address, configuration;
	bool dead;      /* stalls everything */
	bool keeps_one; /* a cable that is pulled leaves the newest transfer on the device's stack */
	struct usb_setup last;
};

static const uint8_t fake_device_descriptor[18] = { 18,   1,    0x00, 0x02, 0xff, 1, 2, 64, 0x34,
						    0x12, 0x78, 0x56, 0x34, 0x12, 0, 0, 0,  1 };
static const uint8_t fake_configuration[] = { 9, 2, 32, 0, 1,    1, 0, 0x80, 50, 9, 4, 0,    0, 2,  0xff, 3,
					      4, 0, 7,  5, 0x81, 3, 8, 0,    1,  7, 5, 0x01, 2, 64, 0,    0 };

static inline void fake_device_answer(struct fake_device *f, struct usb_urb *urb, const uint8_t *bytes, size_t length)
{
	if (length > urb->length)
		length = urb->length;
	memcpy(urb->data, bytes, length);
	usbdev_complete(&f->dev, urb, USB_ACK, length);
}

static void fake_device_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct fake_device *f = (struct fake_device *)dev;
	const struct usb_setup *s = &urb->setup;

	f->submits++;
	f->last = *s;
	if (!dev->attached)
		usbdev_complete(dev, urb, USB_GONE, 0);
	else if (f->dead)
		usbdev_complete(dev, urb, USB_STALL, 0);
	else if ((urb->endpoint || (s->type & 0x60) == 0x40) && f->count < FAKE_PENDING)
		f->pending[f->count++] = urb;
	else if (s->type == 0x80 && s->request == 6 && s->value == 0x0100)
		fake_device_answer(f, urb, fake_device_descriptor, sizeof(fake_device_descriptor));
	else if (s->type == 0x80 && s->request == 6 && s->value == 0x0200)
		fake_device_answer(f, urb, fake_configuration, sizeof(fake_configuration));
	else if (s->type == 0x00 && (s->request == 5 || s->request == 9)) {
		*(s->request == 5 ? &f->address : &f->configuration) = (uint8_t)s->value;
		usbdev_complete(dev, urb, USB_ACK, 0);
	} else {
		usbdev_complete(dev, urb, USB_STALL, 0);
	}
}

/* Give a transfer back; index counts from the oldest. */
static inline void fake_device_finish(struct fake_device *f, unsigned index, enum usb_result result, size_t actual)
{
	struct usb_urb *urb = f->pending[index];

	f->count--;
	memmove(&f->pending[index], &f->pending[index + 1], (f->count - index) * sizeof(f->pending[0]));
	usbdev_complete(&f->dev, urb, result, actual);
}

static void fake_device_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct fake_device *f = (struct fake_device *)dev;

	for (unsigned i = 0; i < f->count; i++) {
		if (f->pending[i] != urb)
			continue;
		f->cancels++;
		fake_device_finish(f, i, USB_CANCELLED, 0);
		return;
	}
}

static void fake_device_reset(struct usbdev *dev)
{
	struct fake_device *f = (struct fake_device *)dev;

	f->resets++;
	f->address = 0;
	f->configuration = 0;
	while (f->count)
		fake_device_finish(f, 0, USB_CANCELLED, 0);
}

static const struct usbdev_ops fake_device_ops = {
	.submit = fake_device_submit,
	.cancel = fake_device_cancel,
	.bus_reset = fake_device_reset,
};

static inline void fake_device_init(struct fake_device *f)
{
	memset(f, 0, sizeof(*f));
	f->dev.ops = &fake_device_ops;
}

static inline void fake_device_plug(struct fake_device *f)
{
	usbdev_attach(&f->dev, USB_SPEED_IS_FULL);
}

static inline void fake_device_pull(struct fake_device *f)
{
	while (f->count > f->keeps_one)
		fake_device_finish(f, 0, USB_GONE, 0);
	usbdev_detach(&f->dev);
}

#endif
