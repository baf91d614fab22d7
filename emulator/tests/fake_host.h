/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host for tests: remembers what it is told. */
#ifndef DFUBENCH_FAKE_HOST_H
#define DFUBENCH_FAKE_HOST_H

#include <string.h>
#include "usbdev.h"

struct fake_host {
	struct usbhost host; /* first */
	struct usbdev *dev;  /* attached, or NULL */
	unsigned attaches, detaches, completions;
	struct usb_urb *last;
	void (*on_complete)(struct fake_host *, struct usb_urb *); /* may be NULL */
};

static void fake_host_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct fake_host *h = (struct fake_host *)host;

	h->completions++;
	h->last = urb;
	urb->context = h; /* done */
	if (h->on_complete)
		h->on_complete(h, urb);
}

static void fake_host_attach(struct usbhost *host, struct usbdev *dev)
{
	struct fake_host *h = (struct fake_host *)host;

	h->dev = dev;
	h->attaches++;
}

static void fake_host_detach(struct usbhost *host, struct usbdev *dev)
{
	struct fake_host *h = (struct fake_host *)host;

	(void)dev;
	h->dev = NULL;
	h->detaches++;
}

static const struct usbhost_ops fake_host_ops = {
	.complete = fake_host_complete,
	.attach = fake_host_attach,
	.detach = fake_host_detach,
};

static inline void fake_host_init(struct fake_host *h)
{
	memset(h, 0, sizeof(*h));
	h->host.ops = &fake_host_ops;
}

static inline bool fake_host_is_done(const struct usb_urb *urb)
{
	return urb->context != NULL;
}

static inline void fake_host_submit(struct usbdev *dev, struct usb_urb *urb, uint8_t endpoint, void *data,
				    size_t length)
{
	*urb = (struct usb_urb){ .endpoint = endpoint, .data = data, .length = length };
	dev->ops->submit(dev, urb);
}

/* A control transfer that is expected to complete at once; the URB is left in *urb. */
static inline enum usb_result fake_host_control(struct usbdev *dev, struct usb_urb *urb, uint8_t type, uint8_t request,
						uint16_t value, uint16_t index, void *data, uint16_t length)
{
	*urb = (struct usb_urb){
		.setup = { type, request, value, index, length },
		.data = data,
		.length = length,
	};
	dev->ops->submit(dev, urb);
	return urb->result;
}

#endif
