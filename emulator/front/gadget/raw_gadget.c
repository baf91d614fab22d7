// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * raw-gadget: every request, those for descriptors too, is the device's own to answer. The controller itself still answers
 * SET_ADDRESS, and as it likes GET_STATUS and halts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "endpoint.h"
#include "export.h"
#include "front.h"
#include "raw_io.h"
#include "udc.h"
#include "worker.h"

#define ADDRESS 1u /* the host's own is known to the controller alone */
#define ENDPOINTS 30u
#define IN_BYTES 2048u
#define PARTING_MS 50u

_Static_assert(ENDPOINT_HEAD >= RAW_HEAD, "an endpoint's buffer has the room");

/* What the control transfer of the host is at. */
enum phase {
	PHASE_NONE,
	PHASE_DATA,   /* OUT data comes */
	PHASE_DEVICE, /* the device has it */
	PHASE_TAKEN,  /* likewise, but the host has its answer already */
	PHASE_ANSWER, /* the host takes the answer */
};

struct front {
	const struct front_env *env;
	char udc[UDC_NAME], driver[UDC_NAME];
	struct usbdev *device;
	struct export *export;
	int fd; /* -1: not on the bus */
	struct worker *events, *control;
	uint8_t event_setup[8];
	enum phase phase;
	bool waiting; /* another request came before the end of the last */
	struct usb_setup setup, next;
	uint8_t buffer[RAW_HEAD + UINT16_MAX];
	size_t length; /* to be moved now */
	struct usb_urb urb;
	struct endpoint *endpoints[ENDPOINTS];
	uint8_t configuration, alt[USB_MAX_INTERFACES];
};

static void warn(const struct front *f, const char *what, int error)
{
	char line[FRONT_WHY];

	snprintf(line, sizeof(line), "raw-gadget: %s: %s", what, strerror(error));
	f->env->warn(f->env->context, line);
}

/* On the threads. */

static long fetch_event(void *context)
{
	struct front *f = context;

	return raw_fetch(f->fd, f->event_setup);
}

static long control_read(void *context)
{
	struct front *f = context;

	return raw_control_read(f->fd, f->buffer, f->length);
}

static long control_write(void *context)
{
	struct front *f = context;

	return raw_control_write(f->fd, f->buffer, f->length, f->length < f->setup.length);
}

static long endpoint_move(void *context)
{
	struct endpoint *e = context;

	if (e->address & 0x80)
		return raw_write(e->fd, e->handle, e->buffer, e->length);
	return raw_read(e->fd, e->handle, e->buffer, e->length);
}

/* Endpoints. */

static void free_endpoint(struct front *f, unsigned i)
{
	uint16_t handle;

	if (!f->endpoints[i])
		return;
	handle = f->endpoints[i]->handle;
	endpoint_free(f->endpoints[i]);
	f->endpoints[i] = NULL;
	raw_disable(f->fd, handle);
}

static void free_endpoints(struct front *f)
{
	for (unsigned i = 0; i < ENDPOINTS; i++)
		free_endpoint(f, i);
}

static void make_endpoint(struct front *f, unsigned i, const uint8_t *b)
{
	size_t packet = (size_t)(b[4] | (b[5] & 0x07) << 8), size = b[2] & 0x80 ? IN_BYTES : packet;
	int handle = raw_enable(f->fd, b), error;
	char what[80];

	if (handle < 0) {
		snprintf(what, sizeof(what), "the controller cannot have endpoint 0x%02x", b[2]);
		warn(f, what, -handle);
		return;
	}
	f->endpoints[i] = endpoint_new(f->env->loop, f->export, b[2], size ? size : 1, f->fd, (uint16_t)handle,
				       endpoint_move, &error);
	if (f->endpoints[i]) {
		endpoint_start(f->endpoints[i]);
		return;
	}
	warn(f, "no endpoint", -error);
	raw_disable(f->fd, (uint16_t)handle);
}

/* Those of the alternate settings that are set now. */
static void make_endpoints(struct front *f)
{
	const struct usb_description *d = export_description(f->export);
	const struct usb_configuration *c = d ? usb_description_configuration(d, f->configuration) : NULL;
	unsigned count = 0;

	free_endpoints(f);
	for (unsigned n = 0; c && n < USB_MAX_INTERFACES; n++) {
		size_t at, end;
		const uint8_t *b;

		if (!usb_configuration_interface(c, (uint8_t)n, f->alt[n], &at, &end))
			continue;
		while (count < ENDPOINTS && (b = usb_configuration_next(c, &at, USB_DT_ENDPOINT, 7)) && at <= end)
			make_endpoint(f, count++, b);
	}
}

/* Requests. */

static void handle_setup(struct front *f, const struct usb_setup *s);

static void finished(struct front *f)
{
	f->phase = PHASE_NONE;
	if (!f->waiting)
		return;
	f->waiting = false;
	handle_setup(f, &f->next);
}

static void answered(void *context, long result)
{
	/* A host that did not wait for it asks again; only what the module will not do keeps the request open. */
	if (result == -EINVAL)
		raw_stall(((struct front *)context)->fd);
	finished(context);
}

static void answer(struct front *f, worker_call *call, size_t length)
{
	f->phase = PHASE_ANSWER;
	f->length = length;
	worker_begin(f->control, call, answered, f);
}

static void refuse(struct front *f)
{
	raw_stall(f->fd);
	finished(f);
}

/* What the device has said yes to, for the controller. */
static void follow(struct front *f)
{
	const struct usb_setup *s = &f->setup;
	const struct usb_description *d = export_description(f->export);
	const struct usb_configuration *c;

	if (s->type == 0x00 && s->request == USB_REQUEST_SET_CONFIGURATION) {
		f->configuration = (uint8_t)s->value;
		memset(f->alt, 0, sizeof(f->alt));
		make_endpoints(f);
		c = d ? usb_description_configuration(d, f->configuration) : NULL;
		if (c)
			raw_configure(f->fd, c->bytes[8]);
	} else if (s->type == 0x01 && s->request == USB_REQUEST_SET_INTERFACE && s->index < USB_MAX_INTERFACES) {
		f->alt[s->index] = (uint8_t)s->value;
		make_endpoints(f);
	}
}

static void answer_device(struct front *f)
{
	const struct usb_urb *urb = &f->urb;

	switch (urb->result) {
	case USB_ACK:
		if (f->setup.type & 0x80 && f->setup.length) {
			answer(f, control_write, urb->actual < urb->length ? urb->actual : urb->length);
			break;
		}
		follow(f);
		answer(f, control_read, 0);
		break;
	case USB_CANCELLED:
	case USB_GONE:
		finished(f);
		break;
	case USB_STALL:
	case USB_SILENT: /* no controller can be silent to order; the host is to see a failure all the same */
		refuse(f);
		break;
	}
}

static void raw_complete(void *context, struct usb_urb *urb)
{
	struct front *f = context;

	if (urb != &f->urb) {
		for (unsigned i = 0; i < ENDPOINTS; i++)
			if (endpoint_complete(f->endpoints[i], urb))
				return;
		return;
	}
	if (f->phase == PHASE_TAKEN)
		finished(f);
	else if (f->phase == PHASE_DEVICE)
		answer_device(f);
}

static void ask_device(struct front *f, enum phase phase)
{
	f->phase = phase;
	f->urb = (struct usb_urb){ .setup = f->setup, .data = f->buffer + RAW_HEAD, .length = f->setup.length };
	export_submit(f->export, &f->urb);
}

/* The controller has acknowledged the data to the host: what the device thinks of it cannot be told any more. */
static void data_came(void *context, long result)
{
	struct front *f = context;

	if (result != f->setup.length)
		answered(f, result);
	else
		ask_device(f, PHASE_TAKEN);
}

static void handle_setup(struct front *f, const struct usb_setup *s)
{
	f->setup = *s;
	if (s->length && !(s->type & 0x80)) {
		f->phase = PHASE_DATA;
		f->length = s->length;
		worker_begin(f->control, control_read, data_came, f);
	} else {
		ask_device(f, PHASE_DEVICE);
	}
}

/* Nothing of before is worth anything any more. */
static void forget(struct front *f)
{
	worker_interrupt(f->control);
	f->waiting = false;
	free_endpoints(f);
	f->configuration = 0;
	memset(f->alt, 0, sizeof(f->alt));
	if (f->phase == PHASE_DEVICE || f->phase == PHASE_TAKEN)
		export_cancel(f->export, &f->urb);
	f->phase = PHASE_NONE;
}

static void event_came(void *context, long result)
{
	struct front *f = context;

	if (result < 0) {
		if (result != -EINTR)
			warn(f, "no more events", (int)-result);
		return;
	}
	switch (result) {
	case RAW_CONTROL:
		/* The module lets in a request only when the last one is over, which we may not have heard yet. */
		f->next = usb_setup_decode(f->event_setup);
		if (f->phase == PHASE_NONE)
			handle_setup(f, &f->next);
		else
			f->waiting = true;
		break;
	case RAW_RESET:
	case RAW_DISCONNECT:
		forget(f);
		export_reset(f->export);
		break;
	default:
		break;
	}
	if (f->fd >= 0) /* the device may have left in answer */
		worker_begin(f->events, fetch_event, event_came, f);
}

/* On and off the bus. */

static void leave_bus(struct front *f)
{
	if (f->fd < 0)
		return;
	/* The answer that makes the device leave is on its way to the host. */
	worker_wait(f->control, PARTING_MS);
	worker_interrupt(f->events);
	forget(f);
	close(f->fd); /* which takes the gadget off the controller */
	f->fd = -1;
}

static void raw_gone(void *context)
{
	leave_bus(context);
}

static void raw_ready(void *context, const struct usb_description *d)
{
	struct front *f = context;
	char why[FRONT_WHY], user[UDC_NAME];
	int r;

	f->fd = raw_open(why);
	if (f->fd < 0) {
		f->env->warn(f->env->context, why);
		return;
	}
	r = raw_run(f->fd, f->driver, f->udc, d->speed);
	if (!r) {
		worker_begin(f->events, fetch_event, event_came, f);
		return;
	}
	udc_user(UDC_CLASS, f->udc, user);
	snprintf(why, sizeof(why), "raw-gadget: cannot use controller '%.100s': %s%s", f->udc,
		 user[0] ? "it is in use by " : strerror(-r), user);
	f->env->warn(f->env->context, why);
	close(f->fd);
	f->fd = -1;
}

static const struct export_ops raw_export_ops = { .ready = raw_ready, .gone = raw_gone, .complete = raw_complete };

static int raw_plug(struct front *f, struct usbdev *device)
{
	if (f->export)
		return -ENOSPC;
	f->export = export_new(f->env, device, ADDRESS, &raw_export_ops, f);
	if (!f->export)
		return -ENOMEM;
	f->device = device;
	return 0;
}

static void raw_unplug(struct front *f, struct usbdev *device)
{
	if (!f->export || f->device != device)
		return;
	leave_bus(f);
	export_free(f->export);
	f->export = NULL;
	f->device = NULL;
}

static unsigned raw_address(const struct front *f, const struct usbdev *device)
{
	return f->device == device && f->fd >= 0 ? ADDRESS : 0;
}

static void raw_tell(const struct front *f, char text[FRONT_WHY])
{
	snprintf(text, FRONT_WHY, "on controller %s", f->udc);
}

static void raw_close(struct front *f)
{
	if (f->device)
		raw_unplug(f, f->device);
	worker_free(f->control);
	worker_free(f->events);
	free(f);
}

static struct front *raw_front_open(const struct front_env *env, const struct front_options *options,
				    char why[FRONT_WHY])
{
	struct front *f = calloc(1, sizeof(*f));
	int error = -ENOMEM, fd;

	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	f->fd = -1;
	fd = raw_open(why);
	if (fd >= 0)
		close(fd);
	if (fd < 0 || udc_choose(UDC_CLASS, options->udc, f->udc, why))
		goto fail;
	error = udc_driver(UDC_CLASS, f->udc, f->driver);
	if (error) {
		snprintf(why, FRONT_WHY, "cannot learn what drives controller '%.100s': %s", f->udc, strerror(-error));
		goto fail;
	}
	f->events = worker_new(env->loop, &error);
	if (f->events)
		f->control = worker_new(env->loop, &error);
	if (f->control)
		return f;
	snprintf(why, FRONT_WHY, "cannot make a thread: %s", strerror(-error));
fail:
	worker_free(f->events);
	free(f);
	return NULL;
}

const struct front_ops raw_gadget_front = {
	.name = "raw-gadget",
	.summary = "likewise by the raw_gadget module, byte for byte",
	.room = 1,
	.open = raw_front_open,
	.plug = raw_plug,
	.unplug = raw_unplug,
	.address = raw_address,
	.tell = raw_tell,
	.close = raw_close,
};
