/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports of the root hub: plugging, enumeration, reset, and what the tool is told of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bus_internal.h"
#include "terminals.h"

struct port *bus_port_of_address(struct private_bus *bus, unsigned address)
{
	for (int i = 0; i <= PRIVATE_BUS_PORTS; i++) {
		struct port *p = bus->ports[i];

		if (p && p->description && p->address == address)
			return p;
	}
	return NULL;
}

static bool address_taken(const struct private_bus *bus, uint8_t address)
{
	for (int i = 0; i <= PRIVATE_BUS_PORTS; i++) {
		if (bus->ports[i] && bus->ports[i]->address == address)
			return true;
	}
	return false;
}

/* Round robin, as the kernel does it: a replugged device gets a new number. */
static uint8_t next_address(struct private_bus *bus)
{
	for (int i = 0; i < 127; i++) {
		bus->last_address = bus->last_address >= 127 ? 2 : (uint8_t)(bus->last_address + 1);
		if (!address_taken(bus, bus->last_address))
			return bus->last_address;
	}
	return 0;
}

static void forget_description(struct port *p)
{
	if (!p->description)
		return;
	if (p->number) {
		terminals_unbind(p);
		netlink_announce(p, UEVENT_REMOVE);
		tree_remove_device(p->bus->tree, p->address);
	}
	usbfs_port_gone(p);
	usbfs_forget_names(p);
	p->description = NULL;
}

static void end_reset(struct port *p, int error)
{
	usb_description_free(p->before_reset);
	p->before_reset = NULL;
	if (p->reset_call.id)
		answer_error(p->bus, p->reset_call.id, error);
}

void bus_forget_resets(struct private_bus *bus)
{
	for (int i = 1; i <= PRIVATE_BUS_PORTS; i++)
		if (bus->ports[i])
			bus->ports[i]->reset_call = (struct call_info){ 0 };
}

static void described(void *context, const struct usb_description *d);

static void enumerate(struct port *p)
{
	describe_free(p->describe);
	p->address = 0;
	p->address = next_address(p->bus);
	p->describe = p->address ? describe_new(p->bus->bench, p->dev, p->address, described, p) : NULL;
	if (p->describe)
		describe_start(p->describe);
	else
		bus_warn(p->bus, "the device on port %d cannot be enumerated: no %s left", p->number,
			 p->address ? "memory" : "address");
}

static bool same_device(const struct usb_description *a, const struct usb_description *b)
{
	if (memcmp(a->device, b->device, sizeof(a->device)) || a->configuration_count != b->configuration_count ||
	    strcmp(a->serial ? a->serial : "", b->serial ? b->serial : ""))
		return false;
	for (size_t i = 0; i < a->configuration_count; i++) {
		if (a->configurations[i].length != b->configurations[i].length ||
		    memcmp(a->configurations[i].bytes, b->configurations[i].bytes, a->configurations[i].length))
			return false;
	}
	return true;
}

static void was_reset(struct port *p, const struct usb_description *d)
{
	if (d && same_device(p->before_reset, d)) {
		p->description = d;
		usbfs_restore(p);
		terminals_bind(p);
		end_reset(p, 0);
		return;
	}
	forget_description(p);
	end_reset(p, -ENODEV);
	enumerate(p);
}

static void described(void *context, const struct usb_description *d)
{
	struct port *p = context;
	int err;

	if (p->before_reset) {
		was_reset(p, d);
		return;
	}
	if (!d) {
		bus_warn(p->bus, "the device on port %d does not enumerate: %s", p->number,
			 describe_error(p->describe));
		return;
	}
	err = tree_add_device(p->bus->tree, p->address, (unsigned)p->number, d, p->denied);
	if (err) {
		bus_warn(p->bus, "the device on port %d is not shown: cannot write its files: %s", p->number,
			 strerror(-err));
		return;
	}
	p->description = d;
	p->configuration = d->configuration;
	memset(p->alt, 0, sizeof(p->alt));
	netlink_announce(p, UEVENT_ADD);
	terminals_bind(p);
	if (p->bus->options.listed)
		p->bus->options.listed(p->bus->options.context, p->dev);
}

static void port_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct port *p = (struct port *)host;

	if (p->describe && describe_complete(p->describe, urb))
		return;
	usbfs_complete(p, urb);
}

static void port_attach(struct usbhost *host, struct usbdev *dev)
{
	(void)dev;
	enumerate((struct port *)host);
}

static void port_detach(struct usbhost *host, struct usbdev *dev)
{
	struct port *p = (struct port *)host;

	(void)dev;
	if (p->describe)
		describe_cancel(p->describe);
	forget_description(p);
	if (p->before_reset)
		end_reset(p, -ENODEV);
	describe_free(p->describe);
	p->describe = NULL;
	p->address = 0;
}

static const struct usbhost_ops port_ops = { .complete = port_complete, .attach = port_attach, .detach = port_detach };

void bus_reset_port(struct port *p, const struct call_info *c)
{
	struct usb_description *copy;

	if (p->number == 0 || p->before_reset) {
		answer_error(p->bus, c->id, p->number ? -EBUSY : -EISDIR); /* a root hub is not reset (hub.c) */
		return;
	}
	terminals_unbind(p); /* the driver has no say in a reset, and comes back after it */
	copy = usb_description_copy(p->description);
	if (!copy) {
		answer_error(p->bus, c->id, -ENOMEM);
		return;
	}
	p->before_reset = copy;
	p->description = copy;
	p->reset_call = *c;
	describe_restart(p->describe);
}

static struct port *port_new(struct private_bus *bus, int number, struct usbdev *dev, bool denied)
{
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->host.ops = &port_ops;
	p->bus = bus;
	p->dev = dev;
	p->number = number;
	p->denied = denied;
	bus->ports[number] = p;
	return p;
}

int private_bus_add(struct private_bus *bus, struct usbdev *dev, bool denied)
{
	int number = 1;

	while (number <= PRIVATE_BUS_PORTS && bus->ports[number])
		number++;
	if (number > PRIVATE_BUS_PORTS)
		return -ENOSPC;
	if (!port_new(bus, number, dev, denied))
		return -ENOMEM;
	usbdev_connect(dev, &bus->ports[number]->host);
	return number;
}

void private_bus_remove(struct private_bus *bus, int number)
{
	struct port *p = number > 0 && number <= PRIVATE_BUS_PORTS ? bus->ports[number] : NULL;

	if (!p)
		return;
	while (p->transfers)
		transfer_take_back(p->transfers);
	port_detach(&p->host, p->dev);
	usbdev_connect(p->dev, NULL);
	bus->ports[number] = NULL;
	free(p);
}

int private_bus_address(const struct private_bus *bus, int number)
{
	const struct port *p = number > 0 && number <= PRIVATE_BUS_PORTS ? bus->ports[number] : NULL;

	return p && p->description ? p->address : 0;
}

int bus_plug_root_hub(struct private_bus *bus)
{
	const struct usb_description *d = tree_description(bus->tree, 1);
	struct usbdev *hub = d ? roothub_new(d) : NULL;
	struct port *p = hub ? port_new(bus, 0, hub, false) : NULL;

	if (!p) {
		roothub_free(hub);
		return -ENOMEM;
	}
	p->description = d;
	p->address = 1;
	p->configuration = d->configuration;
	hub->host = &p->host;
	return 0;
}

void bus_unplug_all(struct private_bus *bus)
{
	for (int i = 1; i <= PRIVATE_BUS_PORTS; i++)
		private_bus_remove(bus, i);
	if (!bus->ports[0])
		return;
	while (bus->ports[0]->transfers)
		transfer_take_back(bus->ports[0]->transfers);
	roothub_free(bus->ports[0]->dev);
	free(bus->ports[0]);
}

const struct usb_description *private_bus_description(const struct private_bus *bus, int number)
{
	const struct port *p = number > 0 && number <= PRIVATE_BUS_PORTS ? bus->ports[number] : NULL;

	return p ? p->description : NULL;
}
