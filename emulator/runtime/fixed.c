/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bystander devices known by their descriptors alone. */
#include <stdlib.h>
#include "ep0.h"
#include "fixed.h"
#include "urb_queue.h"

struct fixed {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct fixed * */
	struct ep0 ep0;
	const struct fixed_descriptors *descriptors;
	struct urb_queue held;
	bool plugged;
};

static struct fixed *fixed_of(struct usbdev *dev)
{
	return (struct fixed *)dev;
}

static const char *fixed_string(void *context, uint8_t index)
{
	struct fixed *f = context;

	return f->descriptors->strings[index];
}

/* After a request: what is held at an endpoint that was halted, or is no more, comes back. */
static void fixed_settle(struct fixed *f)
{
	struct usb_urb *urb = f->held.first;

	while (urb) {
		bool gone = !ep0_has_endpoint(&f->ep0, urb->endpoint);

		if (!gone && !ep0_is_halted(&f->ep0, urb->endpoint)) {
			urb = urb->next;
			continue;
		}
		urb_queue_remove(&f->held, urb);
		usbdev_complete(&f->dev, urb, gone ? USB_SILENT : USB_STALL, 0);
		urb = f->held.first; /* complete() may have changed all of it */
	}
}

static void fixed_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct fixed *f = fixed_of(dev);
	enum usb_result result;
	size_t actual = 0;

	urb->actual = 0;
	if (!f->plugged) {
		usbdev_complete(dev, urb, USB_GONE, 0);
		return;
	}
	if (!(urb->endpoint & 0x0f)) {
		result = ep0_control(&f->ep0, &urb->setup, urb->data, &actual);
		usbdev_complete(dev, urb, result, actual);
		fixed_settle(f);
		return;
	}
	if (!ep0_has_endpoint(&f->ep0, urb->endpoint))
		usbdev_complete(dev, urb, USB_SILENT, 0);
	else if (ep0_is_halted(&f->ep0, urb->endpoint))
		usbdev_complete(dev, urb, USB_STALL, 0);
	else if (usb_urb_is_in(urb))
		urb_queue_push(&f->held, urb);
	else
		usbdev_complete(dev, urb, USB_ACK, urb->length);
}

static void fixed_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	if (urb_queue_remove(&fixed_of(dev)->held, urb))
		usbdev_complete(dev, urb, USB_CANCELLED, 0);
}

static void fixed_bus_reset(struct usbdev *dev)
{
	struct fixed *f = fixed_of(dev);

	ep0_bus_reset(&f->ep0);
	urb_queue_flush(&f->held, dev, USB_CANCELLED);
}

static const struct usbdev_ops fixed_usbdev_ops = {
	.submit = fixed_submit,
	.cancel = fixed_cancel,
	.bus_reset = fixed_bus_reset,
};

struct fixed *fixed_new(const struct fixed_descriptors *descriptors)
{
	struct fixed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->dev.ops = &fixed_usbdev_ops;
	f->descriptors = descriptors;
	ep0_init(&f->ep0,
		 &(const struct ep0_descriptors){
			 .device = descriptors->device,
			 .configurations = (const uint8_t *const *)descriptors->configurations,
			 .string = fixed_string,
			 .context = f,
		 },
		 &(const struct ep0_handlers){ .context = f });
	return f;
}

void fixed_free(struct fixed *f)
{
	if (!f)
		return;
	fixed_unplug(f);
	free(f);
}

struct usbdev *fixed_usbdev(struct fixed *f)
{
	return &f->dev;
}

void fixed_plug(struct fixed *f)
{
	if (f->plugged)
		return;
	f->plugged = true;
	ep0_bus_reset(&f->ep0);
	usbdev_attach(&f->dev, f->descriptors->speed);
}

void fixed_unplug(struct fixed *f)
{
	if (!f->plugged)
		return;
	f->plugged = false; /* first: what complete() submits is refused */
	urb_queue_flush(&f->held, &f->dev, USB_GONE);
	usbdev_detach(&f->dev);
}
