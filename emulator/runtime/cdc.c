/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Application stub: a CDC-ACM serial port that echoes. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cdc.h"
#include "ep0.h"
#include "mcu.h"
#include "urb_queue.h"

/* USB PSTN 1.2 table 13 */
#define SET_LINE_CODING 0x20
#define GET_LINE_CODING 0x21
#define SET_CONTROL_LINE_STATE 0x22
#define SEND_BREAK 0x23
#define LINE_CODING_BYTES 7

#define COMM_INTERFACE 0
/* What the stub buffers between OUT and IN. Beyond it, OUT is NAKed: the transfer is held. */
#define ECHO_BYTES 2048

struct cdc_face {
	uint8_t device[18];
	uint8_t configuration[67];
	uint8_t bulk_in, bulk_out, notify;
	const char *manufacturer, *product;
};

/* Communication interface with header, call management, ACM and union descriptors (CDC 1.2 5.2.3, PSTN 1.2 5.3), then
 * the data interface. */
/* clang-format off */
#define CDC_CONFIGURATION(attributes, power, in, out, notify, interval) { \
	9, 2, 67, 0, 2, 1, 0, (attributes), (power), /* configuration */ \
	9, 4, 0, 0, 1, 0x02, 0x02, 0x01, 0,          /* interface 0: communication, ACM, AT commands */ \
	5, 0x24, 0x00, 0x10, 0x01,                   /* header: CDC 1.10 */ \
	5, 0x24, 0x01, 0x00, 0x01,                   /* call management: none */ \
	4, 0x24, 0x02, 0x02,                         /* ACM: line coding and line state */ \
	5, 0x24, 0x06, 0x00, 0x01,                   /* union: 0 controls 1 */ \
	7, 5, (notify), 3, 8, 0, (interval),         /* notifications */ \
	9, 4, 1, 0, 2, 0x0a, 0x00, 0x00, 0,          /* interface 1: data */ \
	7, 5, (out), 2, 64, 0, 0, \
	7, 5, (in), 2, 64, 0, 0, \
}
/* clang-format on */

static const struct cdc_face cdc_faces[] = {
	[CDC_STM32_VCP] = {
		.device = { 18, 1, 0x00, 0x02, 0x02, 0x02, 0x00, 64, 0x83, 0x04, 0x40, 0x57, 0x00, 0x02, 1, 2, 3, 1 },
		.configuration = CDC_CONFIGURATION(0xc0, 50, 0x81, 0x01, 0x82, 0x10),
		.bulk_in = 0x81,
		.bulk_out = 0x01,
		.notify = 0x82,
		.manufacturer = "STMicroelectronics",
		.product = "STM32 Virtual ComPort",
	},
	[CDC_PYBOARD] = {
		.device = { 18, 1, 0x00, 0x02, 0x02, 0x00, 0x00, 64, 0x55, 0xf0, 0x00, 0x98, 0x00, 0x02, 1, 2, 3, 1 },
		.configuration = CDC_CONFIGURATION(0x80, 250, 0x83, 0x03, 0x82, 0x20),
		.bulk_in = 0x83,
		.bulk_out = 0x03,
		.notify = 0x82,
		.manufacturer = "MicroPython",
		.product = "Pyboard Virtual Comm Port in FS Mode",
	},
};

struct cdc_app {
	struct usbdev dev; /* first: a struct usbdev * of ours is a struct cdc_app * */
	struct ep0 ep0;
	const struct cdc_face *face;
	const uint8_t *configurations[1];
	char *serial;
	uint8_t line_coding[LINE_CODING_BYTES];
	struct urb_queue in, out, notify;
	uint8_t echo[ECHO_BYTES];
	size_t echo_length;
	bool running; /* between start() and stop() */
	bool moving;  /* cdc_move() is on the stack */
	bool stirred; /* and has to look again */
};

static struct cdc_app *cdc_of(struct usbdev *dev)
{
	return (struct cdc_app *)dev;
}

static struct urb_queue *cdc_queue_of(struct cdc_app *app, uint8_t endpoint)
{
	if (endpoint == app->face->bulk_in)
		return &app->in;
	if (endpoint == app->face->bulk_out)
		return &app->out;
	return endpoint == app->face->notify ? &app->notify : NULL; /* SERIAL_STATE never changes */
}

static void cdc_flush(struct cdc_app *app, enum usb_result result)
{
	urb_queue_flush(&app->out, &app->dev, result);
	urb_queue_flush(&app->in, &app->dev, result);
	urb_queue_flush(&app->notify, &app->dev, result);
}

static bool cdc_take(struct cdc_app *app, struct usb_urb *urb)
{
	size_t room = ECHO_BYTES - app->echo_length;
	size_t left = urb->length - urb->actual;
	size_t n = left < room ? left : room;

	if (n)
		memcpy(app->echo + app->echo_length, urb->data + urb->actual, n);
	app->echo_length += n;
	urb->actual += n;
	return urb->actual == urb->length;
}

static size_t cdc_give(struct cdc_app *app, struct usb_urb *urb)
{
	size_t n = urb->length < app->echo_length ? urb->length : app->echo_length;

	if (n)
		memcpy(urb->data, app->echo, n);
	app->echo_length -= n;
	memmove(app->echo, app->echo + n, app->echo_length);
	return n;
}

/* Whatever can move now moves. Transfers complete in here, and the host may act from complete(): then once more. */
static void cdc_move(struct cdc_app *app)
{
	struct usb_urb *urb;

	app->stirred = true;
	if (app->moving)
		return;
	app->moving = true;
	while (app->stirred) {
		app->stirred = false;
		if (!app->ep0.configuration)
			cdc_flush(app, USB_SILENT); /* without configuration there are no endpoints (USB 2.0 9.1.1.5) */
		if (ep0_is_halted(&app->ep0, app->face->bulk_out))
			urb_queue_flush(&app->out, &app->dev, USB_STALL);
		if (ep0_is_halted(&app->ep0, app->face->bulk_in))
			urb_queue_flush(&app->in, &app->dev, USB_STALL);
		if (ep0_is_halted(&app->ep0, app->face->notify))
			urb_queue_flush(&app->notify, &app->dev, USB_STALL);
		if (app->out.first && cdc_take(app, app->out.first)) {
			urb = urb_queue_pop(&app->out);
			app->stirred = true;
			usbdev_complete(&app->dev, urb, USB_ACK, urb->length);
		}
		/* One burst is one transfer: its end is a short packet or, at a multiple of 64, an empty one. */
		if (app->in.first && app->echo_length) {
			urb = urb_queue_pop(&app->in);
			app->stirred = true;
			usbdev_complete(&app->dev, urb, USB_ACK, cdc_give(app, urb));
		}
	}
	app->moving = false;
}

static const char *cdc_string(void *context, uint8_t index)
{
	struct cdc_app *app = context;

	switch (index) {
	case 1:
		return app->face->manufacturer;
	case 2:
		return app->face->product;
	case 3:
		return app->serial;
	default:
		return NULL;
	}
}

static enum usb_result cdc_class_request(void *context, const struct usb_setup *setup, uint8_t *data, size_t *actual)
{
	struct cdc_app *app = context;

	if ((setup->type & 0x7f) != 0x21 || setup->index != COMM_INTERFACE)
		return USB_STALL;
	switch (setup->type << 8 | setup->request) {
	case 0x2100 | SET_LINE_CODING:
		if (setup->length != LINE_CODING_BYTES)
			return USB_STALL;
		memcpy(app->line_coding, data, LINE_CODING_BYTES);
		return USB_ACK;
	case 0xa100 | GET_LINE_CODING:
		*actual = setup->length < LINE_CODING_BYTES ? setup->length : LINE_CODING_BYTES;
		if (*actual)
			memcpy(data, app->line_coding, *actual);
		return USB_ACK;
	case 0x2100 | SET_CONTROL_LINE_STATE: /* DTR, RTS: the stub has nobody to tell */
	case 0x2100 | SEND_BREAK:
		return setup->length ? USB_STALL : USB_ACK;
	default:
		return USB_STALL;
	}
}

static void cdc_configured(void *context, uint8_t value)
{
	struct cdc_app *app = context;

	(void)value;
	app->echo_length = 0;
}

static void cdc_reset_lines(struct cdc_app *app)
{
	static const uint8_t coding_115200_8n1[LINE_CODING_BYTES] = { 0x00, 0xc2, 0x01, 0x00, 0, 0, 8 };

	memcpy(app->line_coding, coding_115200_8n1, sizeof(app->line_coding));
	app->echo_length = 0;
}

static void cdc_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct cdc_app *app = cdc_of(dev);
	struct urb_queue *queue = cdc_queue_of(app, urb->endpoint);
	enum usb_result result;
	size_t actual = 0;

	urb->actual = 0;
	if (!app->running || !dev->attached) {
		usbdev_complete(dev, urb, USB_GONE, 0);
		return;
	}
	if (!(urb->endpoint & 0x0f)) {
		result = ep0_control(&app->ep0, &urb->setup, urb->data, &actual);
		usbdev_complete(dev, urb, result, actual);
		cdc_move(app); /* the endpoints may have been halted, set free or lost */
		return;
	}
	if (!app->ep0.configuration || !queue) {
		usbdev_complete(dev, urb, USB_SILENT, 0);
		return;
	}
	if (ep0_is_halted(&app->ep0, urb->endpoint)) {
		usbdev_complete(dev, urb, USB_STALL, 0);
		return;
	}
	urb_queue_push(queue, urb);
	cdc_move(app);
}

static void cdc_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct cdc_app *app = cdc_of(dev);

	if (urb_queue_remove(&app->in, urb) || urb_queue_remove(&app->out, urb) || urb_queue_remove(&app->notify, urb))
		usbdev_complete(dev, urb, USB_CANCELLED, urb->actual);
}

static void cdc_bus_reset(struct usbdev *dev)
{
	struct cdc_app *app = cdc_of(dev);

	ep0_bus_reset(&app->ep0);
	cdc_reset_lines(app);
	cdc_flush(app, USB_CANCELLED);
}

static const struct usbdev_ops cdc_usbdev_ops = {
	.submit = cdc_submit,
	.cancel = cdc_cancel,
	.bus_reset = cdc_bus_reset,
};

struct cdc_app *cdc_app_new(enum cdc_identity identity, const char *serial)
{
	struct cdc_app *app = calloc(1, sizeof(*app));

	if (!app)
		return NULL;
	app->serial = strdup(serial);
	if (!app->serial) {
		free(app);
		return NULL;
	}
	app->dev.ops = &cdc_usbdev_ops;
	app->face = &cdc_faces[identity];
	app->configurations[0] = app->face->configuration;
	ep0_init(&app->ep0,
		 &(const struct ep0_descriptors){
			 .device = app->face->device,
			 .configurations = app->configurations,
			 .string = cdc_string,
			 .context = app,
		 },
		 &(const struct ep0_handlers){
			 .class_request = cdc_class_request,
			 .configured = cdc_configured,
			 .context = app,
		 });
	return app;
}

void cdc_app_free(struct cdc_app *app)
{
	if (!app)
		return;
	assert(!app->running);
	free(app->serial);
	free(app);
}

static struct usbdev *cdc_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct cdc_app *app = context;
	char line[48];

	/* No code runs: any image has the same port, and says the same. */
	snprintf(line, sizeof(line), "application at 0x%08x", vector);
	if (mcu) /* else it is a device by itself */
		mcu_say(mcu, line);
	ep0_bus_reset(&app->ep0);
	cdc_reset_lines(app);
	app->running = true;
	return &app->dev;
}

static void cdc_stop(void *context, struct mcu *mcu)
{
	struct cdc_app *app = context;

	(void)mcu;
	app->running = false; /* first: what complete() submits is refused */
	cdc_flush(app, USB_GONE);
	usbdev_detach(&app->dev);
}

const struct mcu_app_ops cdc_app_ops = {
	.start = cdc_start,
	.stop = cdc_stop,
};
