/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of a USB device in sysfs. Names and formats are those of Linux's drivers/usb/core/sysfs.c and endpoint.c
 * (Documentation/ABI/stable/sysfs-bus-usb).
 */
#include "tree_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned le16(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8;
}

static const char *speed_text(enum usb_speed speed)
{
	return speed == USB_SPEED_IS_LOW ? "1.5" : speed == USB_SPEED_IS_FULL ? "12" : "480";
}

static void put_endpoint(struct folder *f, enum usb_speed speed, const uint8_t *endpoint)
{
	static const char *const types[] = { "Control", "Isoc", "Bulk", "Interrupt" };
	unsigned type = endpoint[3] & 3, interval = endpoint[6], unit_us = speed == USB_SPEED_IS_HIGH ? 125 : 1000;
	bool in = endpoint[2] & 0x80;
	struct folder e;
	char name[8], aside[16];

	/* bInterval: a power of two for isochronous and high-speed interrupt endpoints (USB 2.0 table 9-13); otherwise
	 * frames, and for control and bulk a NAK rate that only high speed has. */
	if (type == 1 || (type == 3 && speed == USB_SPEED_IS_HIGH))
		interval = 1u << (interval >= 1 && interval <= 16 ? interval - 1 : 0);
	else if (type != 3 && (speed != USB_SPEED_IS_HIGH || (type == 2 && in)))
		interval = 0;
	interval *= unit_us;
	snprintf(name, sizeof(name), "ep_%02x", endpoint[2]);
	e = f->replace ? tree_aside_folder(f, aside) : tree_subfolder(f, name);
	tree_put(&e, "bLength", "%02x\n", endpoint[0]);
	tree_put(&e, "bEndpointAddress", "%02x\n", endpoint[2]);
	tree_put(&e, "bmAttributes", "%02x\n", endpoint[3]);
	tree_put(&e, "bInterval", "%02x\n", endpoint[6]);
	tree_put(&e, "wMaxPacketSize", "%04x\n", le16(endpoint + 4) & 0x7ff);
	tree_put(&e, "interval", "%u%cs\n", interval % 1000 ? interval : interval / 1000, interval % 1000 ? 'u' : 'm');
	tree_put(&e, "type", "%s\n", types[type]);
	tree_put(&e, "direction", "%s\n", !type ? "both" : in ? "in" : "out");
	if (f->replace)
		tree_show_aside(f, &e, aside, f->fd, name);
	else
		tree_close_subfolder(f, &e);
}

void tree_event_of(const struct device *d, const struct interface *i, struct uevent_device *out)
{
	*out = (struct uevent_device){
		.description = d->description,
		.devpath = i ? i->path : d->path,
		.port = d->port_name,
		.bus = TREE_BUS,
		.number = d->number,
		.initialized_us = d->initialized_us,
	};
	if (i) {
		const struct usb_configuration *c = usb_description_configuration(d->description,
										  d->description->configuration);

		out->interface = c ? usb_configuration_interface(c, i->number, i->alt, NULL, NULL) : NULL;
		out->driver = i->driver[0] ? i->driver : NULL;
	} else {
		out->driver = "usb";
	}
}

void tree_put_uevent(struct folder *f, const struct uevent_device *event)
{
	char text[1024];
	int n = uevent_attribute(event, text, sizeof(text));

	if (n < 0)
		f->error = f->error ? f->error : n;
	else
		tree_put_bytes(f, "uevent", text, (size_t)n);
}

/* What depends on the configuration. Without one the kernel's attributes are empty. */
void tree_put_configuration(struct folder *f, const struct device *d)
{
	const struct usb_configuration *c = usb_description_configuration(d->description,
									  d->description->configuration);

	if (c) {
		const uint8_t *b = c->bytes;

		tree_put(f, "bNumInterfaces", "%2d\n", b[4]);
		tree_put(f, "bConfigurationValue", "%u\n", b[5]);
		tree_put(f, "bmAttributes", "%2x\n", b[7]);
		tree_put(f, "bMaxPower", "%umA\n", b[8] * 2u);
	} else {
		tree_put_bytes(f, "bNumInterfaces", "", 0);
		tree_put_bytes(f, "bConfigurationValue", "", 0);
		tree_put_bytes(f, "bmAttributes", "", 0);
		tree_put_bytes(f, "bMaxPower", "", 0);
	}
	if (c && c->name)
		tree_put(f, "configuration", "%s\n", c->name);
	else
		tree_put_bytes(f, "configuration", "", 0);
}

static void put_descriptors(struct folder *f, const struct usb_description *u)
{
	size_t length = 18;
	uint8_t *all;

	for (size_t i = 0; i < u->configuration_count; i++)
		length += u->configurations[i].length;
	all = malloc(length);
	if (!all) {
		f->error = f->error ? f->error : -ENOMEM;
		return;
	}
	memcpy(all, u->device, 18);
	length = 18;
	for (size_t i = 0; i < u->configuration_count; i++) {
		memcpy(all + length, u->configurations[i].bytes, u->configurations[i].length);
		length += u->configurations[i].length;
	}
	tree_put_bytes(f, "descriptors", all, length);
	free(all);
}

void tree_put_device(struct folder *f, const struct device *d)
{
	const struct usb_description *u = d->description;
	const uint8_t *b = u->device, control[7] = { 7, USB_DT_ENDPOINT, 0, 0, b[7], 0, 0 };
	bool hub = !d->port;
	struct uevent_device event;

	tree_event_of(d, NULL, &event);
	tree_put(f, "bcdDevice", "%04x\n", le16(b + 12));
	tree_put(f, "bDeviceClass", "%02x\n", b[4]);
	tree_put(f, "bDeviceSubClass", "%02x\n", b[5]);
	tree_put(f, "bDeviceProtocol", "%02x\n", b[6]);
	tree_put(f, "bMaxPacketSize0", "%u\n", b[7]);
	tree_put(f, "bNumConfigurations", "%u\n", b[17]);
	tree_put(f, "idVendor", "%04x\n", le16(b + 8));
	tree_put(f, "idProduct", "%04x\n", le16(b + 10));
	tree_put(f, "version", "%2x.%02x\n", b[3], b[2]);
	tree_put(f, "speed", "%s\n", speed_text(u->speed));
	tree_put(f, "busnum", "%u\n", TREE_BUS);
	tree_put(f, "devnum", "%u\n", d->number);
	tree_put(f, "devpath", "%s\n", d->port_name);
	tree_put(f, "dev", "%u:%u\n", USB_DEVICE_MAJOR, usb_device_minor(TREE_BUS, d->number));
	tree_put(f, "maxchild", "%u\n", hub ? TREE_PORTS : 0);
	tree_put(f, "rx_lanes", "1\n");
	tree_put(f, "tx_lanes", "1\n");
	tree_put(f, "urbnum", "0\n");
	tree_put(f, "quirks", "0x0\n");
	tree_put(f, "authorized", "1\n");
	tree_put(f, "removable", hub ? "unknown\n" : "removable\n");
	tree_put(f, "ltm_capable", "no\n");
	tree_put(f, "avoid_reset_quirk", "0\n");
	if (u->manufacturer)
		tree_put(f, "manufacturer", "%s\n", u->manufacturer);
	if (u->product)
		tree_put(f, "product", "%s\n", u->product);
	if (u->serial)
		tree_put(f, "serial", "%s\n", u->serial);
	tree_put_configuration(f, d);
	put_descriptors(f, u);
	tree_put_uevent(f, &event);
	tree_put_up(f, "subsystem", d->depth, "bus/usb");
	tree_put_up(f, "driver", d->depth, "bus/usb/drivers/usb");
	put_endpoint(f, u->speed, control);
}

static void put_endpoints(struct folder *f, const struct device *d, const struct interface *i)
{
	const struct usb_configuration *c = usb_description_configuration(d->description,
									  d->description->configuration);
	size_t offset, end;
	const uint8_t *b, *interface = usb_configuration_interface(c, i->number, i->alt, &offset, &end);
	uint32_t seen = 0;

	/* Not more than announced, and none twice: the names would collide. */
	for (unsigned n = interface[4]; n; n--) {
		b = usb_configuration_next(c, &offset, USB_DT_ENDPOINT, 7);
		if (!b || b >= c->bytes + end)
			break;
		if (!(b[2] & 0x0f) || b[2] & 0x70 || seen & 1u << ((b[2] & 0x0f) | (b[2] & 0x80) >> 3))
			continue;
		seen |= 1u << ((b[2] & 0x0f) | (b[2] & 0x80) >> 3);
		put_endpoint(f, d->description->speed, b);
	}
}

void tree_remove_endpoints(struct folder *f)
{
	DIR *dir;
	struct dirent *entry;
	int fd = tree_open_folder(f->fd, ".");

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		f->error = f->error ? f->error : -errno;
		if (fd >= 0)
			close(fd);
		return;
	}
	while (!f->error && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "ep_", 3))
			f->error = tree_discard(f->tree, f->fd, entry->d_name);
	closedir(dir);
}

/* What depends on the alternate setting; old: the descriptor whose attributes are there already, NULL for none. */
void tree_put_alt(struct folder *f, const struct device *d, const struct interface *i, const uint8_t *old,
		  const char *text)
{
	struct uevent_device event;
	const uint8_t *b;
	char modalias[64];

	tree_event_of(d, i, &event);
	b = event.interface;
	tree_put(f, "bAlternateSetting", "%2d\n", b[3]);
	if (!old || old[4] != b[4])
		tree_put(f, "bNumEndpoints", "%02x\n", b[4]);
	if (!old || memcmp(old + 5, b + 5, 3)) {
		tree_put(f, "bInterfaceClass", "%02x\n", b[5]);
		tree_put(f, "bInterfaceSubClass", "%02x\n", b[6]);
		tree_put(f, "bInterfaceProtocol", "%02x\n", b[7]);
		uevent_modalias(&event, modalias);
		tree_put(f, "modalias", "%s\n", modalias);
		tree_put_uevent(f, &event);
	}
	if (text)
		tree_put(f, "interface", "%s\n", text);
	else if (old && !f->error)
		f->error = tree_unlink_if_there(f->fd, "interface");
	put_endpoints(f, d, i);
}

void tree_put_interface(struct folder *f, const struct device *d, const struct interface *i)
{
	char target[64];

	tree_put(f, "bInterfaceNumber", "%02x\n", i->number);
	tree_put(f, "supports_autosuspend", "1\n");
	tree_put(f, "authorized", "1\n");
	tree_put_alt(f, d, i, NULL, usb_description_interface_name(d->description, i->number, i->alt));
	tree_put_up(f, "subsystem", d->depth + 1, "bus/usb");
	if (i->driver[0]) {
		snprintf(target, sizeof(target), "bus/usb/drivers/%s", i->driver);
		tree_put_up(f, "driver", d->depth + 1, target);
	}
}
