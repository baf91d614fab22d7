/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transfers that a device holds, oldest first, chained by usb_urb.next. Zero-initialise. */
#ifndef DFUBENCH_URB_QUEUE_H
#define DFUBENCH_URB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include "usbdev.h"

struct urb_queue {
	struct usb_urb *first;
	struct usb_urb *leaving; /* being given back by urb_queue_flush(); can still be removed */
};

static inline void urb_queue_push(struct urb_queue *q, struct usb_urb *urb)
{
	struct usb_urb **link = &q->first;

	while (*link)
		link = &(*link)->next;
	urb->next = NULL;
	*link = urb;
}

static inline struct usb_urb *urb_queue_pop(struct urb_queue *q)
{
	struct usb_urb *urb = q->first;

	if (urb) {
		q->first = urb->next;
		urb->next = NULL;
	}
	return urb;
}

static inline bool urb_queue_unlink(struct usb_urb **link, struct usb_urb *urb)
{
	while (*link && *link != urb)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = urb->next;
	urb->next = NULL;
	return true;
}

/* False if it is not in the queue. */
static inline bool urb_queue_remove(struct urb_queue *q, struct usb_urb *urb)
{
	return urb_queue_unlink(&q->first, urb) || urb_queue_unlink(&q->leaving, urb);
}

/* Give all transfers back that are in the queue now; what complete() submits meanwhile is left alone. complete() may
 * cancel others of them, or flush again. */
static inline void urb_queue_flush(struct urb_queue *q, struct usbdev *dev, enum usb_result result)
{
	struct usb_urb **link = &q->leaving, *urb;

	while (*link)
		link = &(*link)->next;
	*link = q->first;
	q->first = NULL;
	while ((urb = q->leaving)) {
		q->leaving = urb->next;
		urb->next = NULL;
		usbdev_complete(dev, urb, result, urb->actual);
	}
}

#endif
