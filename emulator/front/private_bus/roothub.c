/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The root hub of the private bus, for tools that look at it (lsusb -v): USB 2.0 chapter 11, reading only. */
#include <stdlib.h>
#include <string.h>
#include "bus_internal.h"
#include "ep0.h"

#define HUB_PORTS 15 /* 15 bits and one reserved: two bytes of bitmap each below */
_Static_assert(HUB_PORTS == TREE_PORTS, "hub descriptor and sysfs must agree");
#define HUB_DESCRIPTOR_TYPE 0x29
#define REQUEST_GET_STATUS 0

struct roothub {
	struct usbdev dev;
	const struct usb_description *description;
	const uint8_t *configuration;
	struct ep0 ep0;
	struct usb_urb *waiting; /* on the status-change endpoint: nothing ever changes that usbfs has not been told */
};

static const char *hub_string(void *context, uint8_t index)
{
	const struct roothub *r = context;
	const struct usb_description *d = r->description;

	if (index == d->device[14])
		return d->manufacturer;
	if (index == d->device[15])
		return d->product;
	return index == d->device[16] ? d->serial : NULL;
}

static enum usb_result hub_request(void *context, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	/* USB 2.0 table 11-13: individual power switching is not done, 100 ms to power good, ports removable. */
	static const uint8_t descriptor[] = { 11,  HUB_DESCRIPTOR_TYPE, HUB_PORTS, 0x09, 0x00, 50, 0, 0x00, 0x00, 0xFF,
					      0xFF };
	uint8_t status[4] = { 0 };
	const uint8_t *from;
	size_t n;

	(void)context;
	if (s->type == 0xA0 && s->request == USB_REQUEST_GET_DESCRIPTOR && s->value >> 8 == HUB_DESCRIPTOR_TYPE) {
		from = descriptor;
		n = sizeof(descriptor);
	} else if ((s->type == 0xA0 || s->type == 0xA3) && s->request == REQUEST_GET_STATUS) {
		status[1] = s->type == 0xA3; /* PORT_POWER */
		from = status;
		n = sizeof(status);
	} else {
		return USB_STALL;
	}
	*actual = n < s->length ? n : s->length;
	memcpy(data, from, *actual);
	return USB_ACK;
}

static void hub_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct roothub *r = (struct roothub *)dev;
	enum usb_result result;
	size_t actual = 0;

	if (urb->endpoint == 0) {
		result = ep0_control(&r->ep0, &urb->setup, urb->data, &actual);
		usbdev_complete(dev, urb, result, result == USB_ACK ? actual : 0);
		return;
	}
	urb->next = r->waiting;
	r->waiting = urb;
}

static void hub_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct roothub *r = (struct roothub *)dev;

	for (struct usb_urb **at = &r->waiting; *at; at = &(*at)->next) {
		if (*at == urb) {
			*at = urb->next;
			usbdev_complete(dev, urb, USB_CANCELLED, 0);
			return;
		}
	}
}

static void hub_bus_reset(struct usbdev *dev)
{
	(void)dev; /* nothing is above a root hub that could */
}

static const struct usbdev_ops hub_ops = { .submit = hub_submit, .cancel = hub_cancel, .bus_reset = hub_bus_reset };

struct usbdev *roothub_new(const struct usb_description *d)
{
	struct roothub *r = calloc(1, sizeof(*r));
	const struct ep0_handlers handlers = { .class_request = hub_request };
	struct ep0_descriptors descriptors = { .string = hub_string };

	if (!r)
		return NULL;
	r->dev.ops = &hub_ops;
	r->dev.attached = true;
	r->dev.speed = d->speed;
	r->description = d;
	r->configuration = d->configurations[0].bytes;
	descriptors.device = d->device;
	descriptors.configurations = &r->configuration;
	descriptors.context = r;
	ep0_init(&r->ep0, &descriptors, &handlers);
	r->ep0.configuration = d->configuration;
	return &r->dev;
}

void roothub_free(struct usbdev *dev)
{
	free(dev);
}
