// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices made of reports. */
#include "hid.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "ep0.h"
#include "urb_queue.h"

/* HID 1.11 7.1, 7.2 */
#define DESC_HID 0x21
#define DESC_REPORT 0x22
#define GET_REPORT 0x01
#define GET_IDLE 0x02
#define SET_REPORT 0x09
#define SET_IDLE 0x0a
#define HID_DESCRIPTOR_AT 18 /* in the configuration: behind its own descriptor and that of the interface */

struct hid {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct hid * */
	struct bench *bench;
	const struct hid_face *face;
	const struct hid_ops *ops;
	void *context;
	struct ep0 ep0;
	const uint8_t *configurations[1];
	struct urb_queue control, in, out;
	struct bench_event due; /* control transfers wait */
	uint8_t report[HID_PACKET];
	size_t report_length; /* of the report that waits to be fetched; 0: none */
	uint8_t idle;
	bool plugged, moving, stirred;
};

static struct hid *hid_of(struct usbdev *dev)
{
	return (struct hid *)dev;
}

static const char *hid_string(void *context, uint8_t index)
{
	struct hid *h = context;

	return h->ops->string(h->context, index);
}

static int hid_descriptor(void *context, const struct usb_setup *setup, const uint8_t **data, size_t *length)
{
	const struct hid *h = context;

	switch (setup->value) {
	case DESC_HID << 8:
		*data = h->face->configuration + HID_DESCRIPTOR_AT;
		*length = **data;
		return 0;
	case DESC_REPORT << 8:
		*data = h->face->report_descriptor;
		*length = h->face->report_descriptor_length;
		return 0;
	default:
		return -1;
	}
}

static enum usb_result hid_request(void *context, const struct usb_setup *setup, uint8_t *data, size_t *actual)
{
	struct hid *h = context;
	enum hid_report type = (enum hid_report)(setup->value >> 8);
	uint8_t id = (uint8_t)setup->value;
	int r;

	switch (setup->type << 8 | setup->request) {
	case 0xa100 | GET_REPORT:
		r = h->ops->get_report(h->context, type, id, data, setup->length);
		assert(r <= (int)setup->length);
		*actual = r < 0 ? 0 : (size_t)r;
		return r < 0 ? USB_STALL : USB_ACK;
	case 0x2100 | SET_REPORT:
		r = h->ops->set_report(h->context, type, id, data, setup->length);
		return r < 0 ? USB_STALL : USB_ACK;
	case 0xa100 | GET_IDLE:
		if (!setup->length)
			return USB_STALL;
		data[0] = h->idle;
		*actual = 1;
		return USB_ACK;
	case 0x2100 | SET_IDLE: /* nothing is repeated: a report is sent when there is one */
		h->idle = (uint8_t)(setup->value >> 8);
		return setup->length ? USB_STALL : USB_ACK;
	default:
		return USB_STALL;
	}
}

/* Packet by packet, for as long as answers find room. */
static bool take_output(struct hid *h, struct usb_urb *urb)
{
	while (urb->actual < urb->length && !h->report_length) {
		size_t left = urb->length - urb->actual, n = left < HID_PACKET ? left : HID_PACKET;
		const uint8_t *packet = urb->data + urb->actual;

		urb->actual += n;
		h->ops->output(h->context, packet, n);
	}
	return urb->actual == urb->length;
}

static void give_input(struct hid *h, struct usb_urb *urb)
{
	size_t n = urb->length < h->report_length ? urb->length : h->report_length;

	if (n)
		memcpy(urb->data, h->report, n);
	h->report_length = 0;
	usbdev_complete(&h->dev, urb, USB_ACK, n);
}

static void flush_endpoints(struct hid *h, enum usb_result result)
{
	urb_queue_flush(&h->out, &h->dev, result);
	urb_queue_flush(&h->in, &h->dev, result);
}

/* Whatever can move now moves. Transfers complete in here, and the host may act from complete(): then once more. */
static void hid_move(struct hid *h)
{
	struct usb_urb *urb;

	h->stirred = true;
	if (h->moving)
		return;
	h->moving = true;
	while (h->stirred) {
		h->stirred = false;
		if (!h->ep0.configuration) {
			h->report_length = 0;
			flush_endpoints(h, USB_SILENT);
		}
		if (h->face->out && ep0_is_halted(&h->ep0, h->face->out))
			urb_queue_flush(&h->out, &h->dev, USB_STALL);
		if (ep0_is_halted(&h->ep0, h->face->in))
			urb_queue_flush(&h->in, &h->dev, USB_STALL);
		if (h->report_length && (urb = urb_queue_pop(&h->in))) {
			give_input(h, urb);
			h->stirred = true;
			continue;
		}
		urb = h->out.first;
		if (urb && take_output(h, urb)) {
			urb_queue_remove(&h->out, urb);
			usbdev_complete(&h->dev, urb, USB_ACK, urb->actual);
			h->stirred = true;
		} else if (h->report_length && h->in.first) {
			h->stirred = true;
		}
	}
	h->moving = false;
}

static void control_is_due(struct bench_event *event)
{
	struct hid *h = event->context;
	struct usb_urb *urb = urb_queue_pop(&h->control);
	enum usb_result result;
	size_t actual = 0;

	if (!urb)
		return;
	result = ep0_control(&h->ep0, &urb->setup, urb->data, &actual);
	usbdev_complete(&h->dev, urb, result, actual);
	hid_move(h); /* the endpoints may have been halted, set free or lost */
	if (h->control.first)
		bench_after(h->bench, &h->due, 0);
}

static void hid_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct hid *h = hid_of(dev);

	urb->actual = 0;
	if (!h->plugged) {
		usbdev_complete(dev, urb, USB_GONE, 0);
	} else if (!(urb->endpoint & 0x0f)) {
		urb_queue_push(&h->control, urb);
		if (!bench_is_scheduled(&h->due))
			bench_after(h->bench, &h->due, 0);
	} else if (!h->ep0.configuration || (urb->endpoint != h->face->in && urb->endpoint != h->face->out)) {
		usbdev_complete(dev, urb, USB_SILENT, 0);
	} else if (ep0_is_halted(&h->ep0, urb->endpoint)) {
		usbdev_complete(dev, urb, USB_STALL, 0);
	} else {
		urb_queue_push(usb_urb_is_in(urb) ? &h->in : &h->out, urb);
		hid_move(h);
	}
}

static void hid_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct hid *h = hid_of(dev);

	if (urb_queue_remove(&h->control, urb) || urb_queue_remove(&h->in, urb) || urb_queue_remove(&h->out, urb))
		usbdev_complete(dev, urb, USB_CANCELLED, urb->actual);
}

static void flush_all(struct hid *h, enum usb_result result)
{
	h->report_length = 0;
	urb_queue_flush(&h->control, &h->dev, result);
	flush_endpoints(h, result);
}

static void hid_bus_reset(struct usbdev *dev)
{
	struct hid *h = hid_of(dev);

	ep0_bus_reset(&h->ep0);
	h->idle = 0;
	flush_all(h, USB_CANCELLED);
}

static const struct usbdev_ops hid_usbdev_ops = {
	.submit = hid_submit,
	.cancel = hid_cancel,
	.bus_reset = hid_bus_reset,
};

struct hid *hid_new(struct bench *bench, const struct hid_face *face, const struct hid_ops *ops, void *context)
{
	struct hid *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->dev.ops = &hid_usbdev_ops;
	h->bench = bench;
	h->face = face;
	h->ops = ops;
	h->context = context;
	h->configurations[0] = face->configuration;
	h->due = (struct bench_event){ .fire = control_is_due, .context = h };
	ep0_init(&h->ep0,
		 &(const struct ep0_descriptors){
			 .device = face->device,
			 .configurations = h->configurations,
			 .string = hid_string,
			 .interface_descriptor = hid_descriptor,
			 .context = h,
		 },
		 &(const struct ep0_handlers){ .class_request = hid_request, .context = h });
	return h;
}

void hid_free(struct hid *h)
{
	if (!h)
		return;
	hid_unplug(h);
	free(h);
}

struct usbdev *hid_usbdev(struct hid *h)
{
	return &h->dev;
}

void hid_plug(struct hid *h)
{
	if (h->plugged)
		return;
	h->plugged = true;
	h->idle = 0;
	ep0_bus_reset(&h->ep0);
	usbdev_attach(&h->dev, h->face->speed);
}

void hid_unplug(struct hid *h)
{
	if (!h->plugged)
		return;
	h->plugged = false; /* first: what complete() submits is refused */
	bench_cancel(h->bench, &h->due);
	flush_all(h, USB_GONE);
	usbdev_detach(&h->dev);
}

void hid_send(struct hid *h, const uint8_t *data, size_t length)
{
	assert(length && length <= HID_PACKET && !h->report_length);
	memcpy(h->report, data, length);
	h->report_length = length;
	hid_move(h);
}
