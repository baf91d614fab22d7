/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB device as a host sees it, and the host's side of the port it hangs on (USB 2.0 chapters 5, 8 and 9).
 *
 * A front or a filter above implements struct usbhost; a device or a filter below implements struct usbdev.
 * Everything is a call: completion and plugging are never polled. Calls may nest: submit() may complete before it
 * returns, and complete() may submit the next transfer. All on one thread.
 */
#ifndef DFUBENCH_USBDEV_H
#define DFUBENCH_USBDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usbdev;
struct usbhost;

/* USB 2.0 table 9-2, in host byte order. */
struct usb_setup {
	uint8_t type;    /* bmRequestType */
	uint8_t request; /* bRequest */
	uint16_t value;  /* wValue */
	uint16_t index;  /* wIndex */
	uint16_t length; /* wLength */
};

enum usb_result {
	USB_ACK,       /* the transfer took place; see actual */
	USB_STALL,     /* the endpoint answered STALL: an answer, not an error */
	USB_SILENT,    /* the device did not answer at all (bus error: no handshake) */
	USB_CANCELLED, /* the host took it back */
	USB_GONE,      /* the device left the bus */
};

enum usb_speed { USB_SPEED_IS_LOW = 1, USB_SPEED_IS_FULL = 2, USB_SPEED_IS_HIGH = 3 };

struct usb_urb {
	uint8_t endpoint;       /* bEndpointAddress; 0 = the default control pipe, whose direction is in setup.type */
	struct usb_setup setup; /* control only; setup.length == length */
	uint8_t *data;          /* the submitter's, untouched by it until complete() */
	size_t length;          /* bytes in or room in data */
	size_t actual;          /* bytes moved; set by the device before complete() */
	enum usb_result result; /* set by the device before complete() */
	void *context;          /* the submitter's */
	struct usb_urb *next;   /* the device's, between submit() and complete() */
	struct usb_urb *port_next,
		**port_link; /* the board's port's, likewise: a list of what is under way behind it */
};

/* What a host offers to the device below it. Every member is required. */
struct usbhost_ops {
	/* Exactly once for each submitted transfer; the URB belongs to the submitter again. */
	void (*complete)(struct usbhost *host, struct usb_urb *urb);
	/* D+ (or D-) is pulled up: the host may reset and enumerate. */
	void (*attach)(struct usbhost *host, struct usbdev *dev);
	/* The pull-up is gone. All pending transfers have completed with USB_GONE before. */
	void (*detach)(struct usbhost *host, struct usbdev *dev);
};

struct usbhost {
	const struct usbhost_ops *ops;
};

/* What a device offers to its host. Every member is required. */
struct usbdev_ops {
	/* Start a transfer. On a device that is not attached it completes at once with USB_GONE. */
	void (*submit)(struct usbdev *dev, struct usb_urb *urb);
	/* Take a pending transfer back: it completes with USB_CANCELLED before cancel() returns. No-op if not pending. */
	void (*cancel)(struct usbdev *dev, struct usb_urb *urb);
	/* The host drives reset signalling on the port: address and configuration are lost. Pending transfers complete
	 * with USB_CANCELLED. */
	void (*bus_reset)(struct usbdev *dev);
};

struct usbdev {
	const struct usbdev_ops *ops;
	struct usbhost *host; /* NULL: nobody listens; set by usbdev_connect() */
	bool attached;        /* kept by the device (usbdev_attach, usbdev_detach) */
	enum usb_speed speed; /* valid while attached */
};

/* The host side takes the device (or lets go with NULL). If the device is attached already, host->attach follows. */
static inline void usbdev_connect(struct usbdev *dev, struct usbhost *host)
{
	dev->host = host;
	if (host && dev->attached)
		host->ops->attach(host, dev);
}

/* For devices: pull-up on or off, told to the host when it changes. */
static inline void usbdev_attach(struct usbdev *dev, enum usb_speed speed)
{
	if (dev->attached)
		return;
	dev->attached = true;
	dev->speed = speed;
	if (dev->host)
		dev->host->ops->attach(dev->host, dev);
}

static inline void usbdev_detach(struct usbdev *dev)
{
	if (!dev->attached)
		return;
	dev->attached = false;
	if (dev->host)
		dev->host->ops->detach(dev->host, dev);
}

/* For devices: give a transfer back. */
static inline void usbdev_complete(struct usbdev *dev, struct usb_urb *urb, enum usb_result result, size_t actual)
{
	urb->result = result;
	urb->actual = actual;
	if (dev->host)
		dev->host->ops->complete(dev->host, urb);
}

static inline bool usb_urb_is_in(const struct usb_urb *urb)
{
	return ((urb->endpoint ? urb->endpoint : urb->setup.type) & 0x80) != 0;
}

/* Decode the 8 bytes of a SETUP packet (little-endian on the wire). */
static inline struct usb_setup usb_setup_decode(const uint8_t b[8])
{
	return (struct usb_setup){
		.type = b[0],
		.request = b[1],
		.value = (uint16_t)(b[2] | b[3] << 8),
		.index = (uint16_t)(b[4] | b[5] << 8),
		.length = (uint16_t)(b[6] | b[7] << 8),
	};
}

static inline void usb_setup_encode(const struct usb_setup *s, uint8_t b[8])
{
	b[0] = s->type;
	b[1] = s->request;
	b[2] = (uint8_t)s->value;
	b[3] = (uint8_t)(s->value >> 8);
	b[4] = (uint8_t)s->index;
	b[5] = (uint8_t)(s->index >> 8);
	b[6] = (uint8_t)s->length;
	b[7] = (uint8_t)(s->length >> 8);
}

#endif
