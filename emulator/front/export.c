// SPDX-License-Identifier: GPL-2.0-or-later
/* A device on its way to a host elsewhere: enumerated once, then handed on. */
#include "export.h"
#include <stdio.h>
#include <stdlib.h>

/* A board that erases answers nobody, for longer than an enumeration is tried. A hub driver would be at it for a minute. */
#define AGAIN_US 1000000u

enum { PROBE_ENUMERATION = 1, PROBE_ADDRESS = 2 };

struct export
{
	struct usbhost host; /* first: a struct usbhost * of ours is a struct export * */
	const struct front_env *env;
	struct usbdev *dev;
	uint8_t address;
	bool addressed; /* it has one of the shared addresses */
	const struct export_ops *ops;
	void *context;
	struct describe *describe;
	const struct usb_description *description; /* while ready */
	struct usb_urb set_address;
	bool addressing;  /* set_address is under way */
	unsigned probing; /* PROBE_...: why the program has been told that this is us, not a host; 0: it is not */
	struct bench_event again; /* to enumerate */
	bool warned;              /* that it did not work */
};

/* Each on has its off, and one reason may begin before the other is over: a device that leaves and comes back within
 * send_address() is being enumerated when that returns. */
static void probe(struct export *e, unsigned reason, bool on)
{
	bool was_on = e->probing != 0;

	e->probing = on ? e->probing | reason : e->probing & ~reason;
	if (was_on != (e->probing != 0))
		e->env->probe(e->env->context, e->dev, !was_on);
}

/* It queues behind nothing and before all that comes later: the default control pipe is served in order. */
static void send_address(struct export *e)
{
	if (e->addressing)
		e->dev->ops->cancel(e->dev, &e->set_address);
	e->addressing = true;
	e->set_address = (struct usb_urb){
		.setup = { .type = 0x00, .request = USB_REQUEST_SET_ADDRESS, .value = e->address },
	};
	probe(e, PROBE_ADDRESS, true);
	e->dev->ops->submit(e->dev, &e->set_address);
	probe(e, PROBE_ADDRESS, false);
}

void export_reset(struct export *e)
{
	if (!e->description)
		return;
	e->dev->ops->bus_reset(e->dev);
	if (e->description) /* it may have left meanwhile */
		send_address(e);
}

static void described(void *context, const struct usb_description *d)
{
	struct export *e = context;

	probe(e, PROBE_ENUMERATION, false);
	if (!d) {
		char line[256];

		snprintf(line, sizeof(line), "a device does not enumerate (it is tried on): %s",
			 describe_error(e->describe));
		if (!e->warned)
			e->env->warn(e->env->context, line);
		e->warned = true;
		bench_after(e->env->bench, &e->again, AGAIN_US);
		return;
	}
	e->description = d;
	export_reset(e);
	if (e->description)
		e->ops->ready(e->context, d);
}

static void export_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct export *e = (struct export *)host;

	if (urb == &e->set_address) {
		e->addressing = false;
		return;
	}
	if (!describe_complete(e->describe, urb))
		e->ops->complete(e->context, urb);
}

static void give_back_address(struct export *e)
{
	if (e->addressed)
		e->env->addresses->taken[e->address] = false;
	e->addressed = false;
}

static void take_address(struct export *e)
{
	struct front_addresses *a = e->env->addresses;

	if (!a)
		return;
	give_back_address(e);
	for (unsigned i = 0; i < 127; i++) {
		a->last = a->last >= 127 ? 1 : (uint8_t)(a->last + 1);
		if (a->taken[a->last])
			continue;
		a->taken[a->last] = true;
		e->address = a->last;
		e->addressed = true;
		break;
	}
	describe_at(e->describe, e->address);
}

static void enumerate(struct bench_event *event)
{
	struct export *e = event->context;

	probe(e, PROBE_ENUMERATION, true);
	describe_restart(e->describe); /* the host elsewhere debounces by itself */
}

static void export_attach(struct usbhost *host, struct usbdev *dev)
{
	struct export *e = (struct export *)host;

	(void)dev;
	e->warned = false;
	take_address(e);
	enumerate(&e->again);
}

static void export_detach(struct usbhost *host, struct usbdev *dev)
{
	struct export *e = (struct export *)host;
	bool was_ready = e->description != NULL;

	(void)dev;
	bench_cancel(e->env->bench, &e->again);
	describe_cancel(e->describe);
	probe(e, PROBE_ENUMERATION, false);
	e->description = NULL;
	if (was_ready)
		e->ops->gone(e->context);
}

static const struct usbhost_ops export_host_ops = {
	.complete = export_complete,
	.attach = export_attach,
	.detach = export_detach,
};

struct export *export_new(const struct front_env *env, struct usbdev *dev, uint8_t address,
			  const struct export_ops *ops, void *context)
{
	struct export *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->host.ops = &export_host_ops;
	e->env = env;
	e->dev = dev;
	e->address = address;
	e->ops = ops;
	e->context = context;
	e->again = (struct bench_event){ .fire = enumerate, .context = e };
	e->describe = describe_new(env->bench, dev, address, described, e);
	if (!e->describe) {
		free(e);
		return NULL;
	}
	describe_want_all_names(e->describe); /* hosts elsewhere ask, and get no others */
	usbdev_connect(dev, &e->host);
	return e;
}

void export_free(struct export *e)
{
	if (!e)
		return;
	bench_cancel(e->env->bench, &e->again);
	describe_free(e->describe);
	if (e->addressing)
		e->dev->ops->cancel(e->dev, &e->set_address);
	usbdev_connect(e->dev, NULL);
	probe(e, PROBE_ENUMERATION, false);
	give_back_address(e);
	free(e);
}

struct usbdev *export_device(const struct export *e)
{
	return e->dev;
}

const struct usb_description *export_description(const struct export *e)
{
	return e->description;
}

void export_submit(struct export *e, struct usb_urb *urb)
{
	e->dev->ops->submit(e->dev, urb);
}

void export_cancel(struct export *e, struct usb_urb *urb)
{
	e->dev->ops->cancel(e->dev, urb);
}
