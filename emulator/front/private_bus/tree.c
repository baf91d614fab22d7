/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sysfs, devfs and udev files of the private bus. Names and formats are those of Linux's drivers/usb/core/sysfs.c
 * and endpoint.c (Documentation/ABI/stable/sysfs-bus-usb) and of systemd 252.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CONTROLLER "devices/platform/dfubench.0"
#define HUB CONTROLLER "/usb1"
#define PREFIX "dfubench-"
#define NEW_NAME_TRIES 16

struct interface {
	uint8_t number, alt;
	char driver[32]; /* "": none */
	char name[24];   /* "1-1:1.0" */
	char path[96];   /* below sys/, with a slash before it */
};

struct device {
	struct usb_description *description; /* NULL: the number is free */
	unsigned number, port;
	bool denied;
	uint64_t initialized_us;
	char name[16];     /* "1-1", "usb1" */
	char port_name[8]; /* "1", "0" */
	char path[64];     /* "/devices/platform/dfubench.0/usb1/1-1" */
	unsigned depth;    /* how many "../" lead from its folder to sys/ */
	struct interface interfaces[USB_MAX_INTERFACES];
	unsigned interface_count;
};

struct tree {
	int base, root; /* root is what is locked */
	int sys, devices, drivers, chars, nodes, udev, stage;
	unsigned staged; /* counts names in stage/ */
	char *name, *path;
	struct device list[TREE_ADDRESSES + 1]; /* by device number */
};

/* Files being made in one folder: after the first failure nothing more is done. */
struct folder {
	struct tree *tree;
	int fd;
	bool replace; /* the folder is in sight: write aside and rename */
	int error;
};

static unsigned le16(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8;
}

/* ---- files and folders ---- */

static int open_folder(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nothing outside is touched: symbolic links are removed, not followed. What cannot be removed is left, and told. */
static int remove_tree(int at, const char *name)
{
	int fd, error = 0;
	struct dirent *entry;
	DIR *dir;

	if (!unlinkat(at, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = open_folder(at, name);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		error = -errno;
		close(fd);
		return error;
	}
	while ((entry = readdir(dir))) {
		int e;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		e = remove_tree(fd, entry->d_name);
		if (e)
			error = e;
	}
	closedir(dir);
	if (unlinkat(at, name, AT_REMOVEDIR) && errno != ENOENT && !error)
		error = -errno;
	return error;
}

static int unlink_if_there(int at, const char *name)
{
	return !unlinkat(at, name, 0) || errno == ENOENT ? 0 : -errno;
}

static int write_new(int at, const char *name, const void *data, size_t length)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444), error = 0;
	const uint8_t *bytes = data;

	if (fd < 0)
		return -errno;
	while (length && !error) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			error = -errno;
		else if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	close(fd);
	if (error)
		unlinkat(at, name, 0);
	return error;
}

static void put_bytes(struct folder *f, const char *name, const void *data, size_t length)
{
	if (f->error)
		return;
	if (!f->replace) {
		f->error = write_new(f->fd, name, data, length);
		return;
	}
	f->error = write_new(f->tree->stage, "file", data, length);
	if (!f->error && renameat(f->tree->stage, "file", f->fd, name)) {
		f->error = -errno;
		unlinkat(f->tree->stage, "file", 0);
	}
}

__attribute__((format(printf, 3, 4))) static void put(struct folder *f, const char *name, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* The longest text is a string descriptor's: 126 units of at most 3 bytes. A made-up description may have
	 * more. */
	if (n < 0 || (size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	put_bytes(f, name, text, (size_t)n);
}

__attribute__((format(printf, 3, 4))) static void put_link(struct folder *f, const char *name, const char *format, ...)
{
	char text[256];
	va_list ap;

	if (f->error)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (symlinkat(text, f->fd, name))
		f->error = -errno;
}

/* A further folder in f; its fd is -1 if there has been a failure. */
static struct folder subfolder(struct folder *f, const char *name)
{
	struct folder sub = { .tree = f->tree, .fd = -1, .error = f->error };

	if (!sub.error && mkdirat(f->fd, name, 0755))
		sub.error = -errno;
	if (!sub.error) {
		sub.fd = open_folder(f->fd, name);
		if (sub.fd < 0)
			sub.error = -errno;
	}
	return sub;
}

static void close_subfolder(struct folder *f, struct folder *sub)
{
	if (sub->fd >= 0)
		close(sub->fd);
	f->error = sub->error;
}

/* Out of sight at once, then away in peace. */
static int discard(struct tree *t, int at, const char *name)
{
	char aside[16];

	snprintf(aside, sizeof(aside), "old-%u", t->staged++);
	if (renameat(at, name, t->stage, aside))
		return errno == ENOENT ? 0 : -errno;
	return remove_tree(t->stage, aside);
}

/* ---- attributes ---- */

static const char *speed_text(enum usb_speed speed)
{
	return speed == USB_SPEED_IS_LOW ? "1.5" : speed == USB_SPEED_IS_FULL ? "12" : "480";
}

static void put_up(struct folder *f, const char *name, unsigned depth, const char *target)
{
	char up[32] = "";

	for (unsigned i = 0; i < depth; i++)
		memcpy(up + 3 * i, "../", 4);
	put_link(f, name, "%s%s", up, target);
}

/* Build a folder aside; its name in stage/ goes to aside. */
static struct folder aside_folder(struct folder *f, char aside[16])
{
	struct folder stage = { .tree = f->tree, .fd = f->tree->stage, .error = f->error };

	snprintf(aside, 16, "new-%u", f->tree->staged++);
	return subfolder(&stage, aside);
}

/* Close it and, if all went well, move it into sight. */
static void show_aside(struct folder *f, struct folder *sub, const char *aside, int at, const char *name)
{
	close_subfolder(f, sub);
	if (!f->error && renameat(f->tree->stage, aside, at, name))
		f->error = -errno;
	if (f->error)
		remove_tree(f->tree->stage, aside);
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
	e = f->replace ? aside_folder(f, aside) : subfolder(f, name);
	put(&e, "bLength", "%02x\n", endpoint[0]);
	put(&e, "bEndpointAddress", "%02x\n", endpoint[2]);
	put(&e, "bmAttributes", "%02x\n", endpoint[3]);
	put(&e, "bInterval", "%02x\n", endpoint[6]);
	put(&e, "wMaxPacketSize", "%04x\n", le16(endpoint + 4) & 0x7ff);
	put(&e, "interval", "%u%cs\n", interval % 1000 ? interval : interval / 1000, interval % 1000 ? 'u' : 'm');
	put(&e, "type", "%s\n", types[type]);
	put(&e, "direction", "%s\n", !type ? "both" : in ? "in" : "out");
	if (f->replace)
		show_aside(f, &e, aside, f->fd, name);
	else
		close_subfolder(f, &e);
}

static void event_of(const struct device *d, const struct interface *i, struct uevent_device *out)
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

static void put_uevent(struct folder *f, const struct uevent_device *event)
{
	char text[1024];
	int n = uevent_attribute(event, text, sizeof(text));

	if (n < 0)
		f->error = f->error ? f->error : n;
	else
		put_bytes(f, "uevent", text, (size_t)n);
}

/* What depends on the configuration. Without one the kernel's attributes are empty. */
static void put_configuration(struct folder *f, const struct device *d)
{
	const struct usb_configuration *c = usb_description_configuration(d->description,
									  d->description->configuration);

	if (c) {
		const uint8_t *b = c->bytes;

		put(f, "bNumInterfaces", "%2d\n", b[4]);
		put(f, "bConfigurationValue", "%u\n", b[5]);
		put(f, "bmAttributes", "%2x\n", b[7]);
		put(f, "bMaxPower", "%umA\n", b[8] * 2u);
	} else {
		put_bytes(f, "bNumInterfaces", "", 0);
		put_bytes(f, "bConfigurationValue", "", 0);
		put_bytes(f, "bmAttributes", "", 0);
		put_bytes(f, "bMaxPower", "", 0);
	}
	if (c && c->name)
		put(f, "configuration", "%s\n", c->name);
	else
		put_bytes(f, "configuration", "", 0);
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
	put_bytes(f, "descriptors", all, length);
	free(all);
}

static void put_device(struct folder *f, const struct device *d)
{
	const struct usb_description *u = d->description;
	const uint8_t *b = u->device, control[7] = { 7, USB_DT_ENDPOINT, 0, 0, b[7], 0, 0 };
	bool hub = !d->port;
	struct uevent_device event;

	event_of(d, NULL, &event);
	put(f, "bcdDevice", "%04x\n", le16(b + 12));
	put(f, "bDeviceClass", "%02x\n", b[4]);
	put(f, "bDeviceSubClass", "%02x\n", b[5]);
	put(f, "bDeviceProtocol", "%02x\n", b[6]);
	put(f, "bMaxPacketSize0", "%u\n", b[7]);
	put(f, "bNumConfigurations", "%u\n", b[17]);
	put(f, "idVendor", "%04x\n", le16(b + 8));
	put(f, "idProduct", "%04x\n", le16(b + 10));
	put(f, "version", "%2x.%02x\n", b[3], b[2]);
	put(f, "speed", "%s\n", speed_text(u->speed));
	put(f, "busnum", "%u\n", TREE_BUS);
	put(f, "devnum", "%u\n", d->number);
	put(f, "devpath", "%s\n", d->port_name);
	put(f, "dev", "%u:%u\n", USB_DEVICE_MAJOR, usb_device_minor(TREE_BUS, d->number));
	put(f, "maxchild", "%u\n", hub ? TREE_PORTS : 0);
	put(f, "rx_lanes", "1\n");
	put(f, "tx_lanes", "1\n");
	put(f, "urbnum", "0\n");
	put(f, "quirks", "0x0\n");
	put(f, "authorized", "1\n");
	put(f, "removable", hub ? "unknown\n" : "removable\n");
	put(f, "ltm_capable", "no\n");
	put(f, "avoid_reset_quirk", "0\n");
	if (u->manufacturer)
		put(f, "manufacturer", "%s\n", u->manufacturer);
	if (u->product)
		put(f, "product", "%s\n", u->product);
	if (u->serial)
		put(f, "serial", "%s\n", u->serial);
	put_configuration(f, d);
	put_descriptors(f, u);
	put_uevent(f, &event);
	put_up(f, "subsystem", d->depth, "bus/usb");
	put_up(f, "driver", d->depth, "bus/usb/drivers/usb");
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

static void remove_endpoints(struct folder *f)
{
	DIR *dir;
	struct dirent *entry;
	int fd = open_folder(f->fd, ".");

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		f->error = f->error ? f->error : -errno;
		if (fd >= 0)
			close(fd);
		return;
	}
	while (!f->error && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "ep_", 3))
			f->error = discard(f->tree, f->fd, entry->d_name);
	closedir(dir);
}

/* What depends on the alternate setting; old: the descriptor whose attributes are there already, NULL for none. */
static void put_alt(struct folder *f, const struct device *d, const struct interface *i, const uint8_t *old,
		    const char *text)
{
	struct uevent_device event;
	const uint8_t *b;
	char modalias[64];

	event_of(d, i, &event);
	b = event.interface;
	put(f, "bAlternateSetting", "%2d\n", b[3]);
	if (!old || old[4] != b[4])
		put(f, "bNumEndpoints", "%02x\n", b[4]);
	if (!old || memcmp(old + 5, b + 5, 3)) {
		put(f, "bInterfaceClass", "%02x\n", b[5]);
		put(f, "bInterfaceSubClass", "%02x\n", b[6]);
		put(f, "bInterfaceProtocol", "%02x\n", b[7]);
		uevent_modalias(&event, modalias);
		put(f, "modalias", "%s\n", modalias);
		put_uevent(f, &event);
	}
	if (text)
		put(f, "interface", "%s\n", text);
	else if (old && !f->error)
		f->error = unlink_if_there(f->fd, "interface");
	put_endpoints(f, d, i);
}

static void put_interface(struct folder *f, const struct device *d, const struct interface *i)
{
	char target[64];

	put(f, "bInterfaceNumber", "%02x\n", i->number);
	put(f, "supports_autosuspend", "1\n");
	put(f, "authorized", "1\n");
	put_alt(f, d, i, NULL, usb_description_interface_name(d->description, i->number, i->alt));
	put_up(f, "subsystem", d->depth + 1, "bus/usb");
	if (i->driver[0]) {
		snprintf(target, sizeof(target), "bus/usb/drivers/%s", i->driver);
		put_up(f, "driver", d->depth + 1, target);
	}
}

/* ---- devices ---- */

static void list_interfaces(struct device *d)
{
	const struct usb_configuration *c = usb_description_configuration(d->description,
									  d->description->configuration);
	size_t offset = 0;
	const uint8_t *b;

	d->interface_count = 0;
	while (c && (b = usb_configuration_next(c, &offset, USB_DT_INTERFACE, 9))) {
		unsigned n = 0;
		struct interface *i;

		while (n < d->interface_count && d->interfaces[n].number != b[2])
			n++;
		if (n == USB_MAX_INTERFACES)
			break;
		i = &d->interfaces[n];
		if (n == d->interface_count) {
			*i = (struct interface){ .number = b[2], .alt = b[3] };
			snprintf(i->name, sizeof(i->name), "%u-%u:%u.%u", TREE_BUS, d->port, c->bytes[5], b[2]);
			strcpy(i->path, d->path);
			strcat(i->path, "/");
			strcat(i->path, i->name);
			d->interface_count++;
		} else if (!b[3]) {
			i->alt = 0; /* the default setting, wherever it stands */
		}
	}
}

static void link_name(struct folder *f, int at, const char *name, const char *up, const char *path)
{
	struct folder links = { .tree = f->tree, .fd = at, .error = f->error };

	put_link(&links, name, "%s%s", up, path);
	f->error = links.error;
}

static void driver_folder(struct folder *f, const char *driver, const char *name, const char *path)
{
	char where[64];

	if (f->error)
		return;
	snprintf(where, sizeof(where), "%s/%s", driver, name);
	if (mkdirat(f->tree->drivers, driver, 0755) && errno != EEXIST)
		f->error = -errno;
	link_name(f, f->tree->drivers, where, "../../../..", path);
}

static int unlink_driver(struct tree *t, const char *driver, const char *name)
{
	char where[64];

	snprintf(where, sizeof(where), "%s/%s", driver, name);
	return unlink_if_there(t->drivers, where);
}

static void database_name(const struct device *d, const struct interface *i, char out[40])
{
	if (i)
		snprintf(out, 40, "+usb:%s", i->name);
	else
		snprintf(out, 40, "c%u:%u", USB_DEVICE_MAJOR, usb_device_minor(TREE_BUS, d->number));
}

static void put_database(struct folder *f, const struct device *d, const struct interface *i)
{
	struct folder data = { .tree = f->tree, .fd = f->tree->udev, .replace = true, .error = f->error };
	char text[UEVENT_MAX_BYTES], name[40];
	struct uevent_device event;
	int n;

	event_of(d, i, &event);
	database_name(d, i, name);
	n = uevent_database(&event, text, sizeof(text));
	if (n < 0)
		data.error = data.error ? data.error : n;
	else
		put_bytes(&data, name, text, (size_t)n);
	f->error = data.error;
}

/* Links into sight; the device first, as the kernel registers it before its interfaces. */
static void show_interfaces(struct folder *f, const struct device *d)
{
	for (unsigned n = 0; n < d->interface_count; n++) {
		const struct interface *i = &d->interfaces[n];

		put_database(f, d, i);
		if (i->driver[0])
			driver_folder(f, i->driver, i->name, i->path);
		link_name(f, f->tree->devices, i->name, "../../..", i->path);
	}
}

static int hide_interface(struct tree *t, const struct device *d, const struct interface *i)
{
	char name[40];
	int error = unlink_if_there(t->devices, i->name), e;

	database_name(d, i, name);
	e = unlink_if_there(t->udev, name);
	error = error ? error : e;
	if (i->driver[0]) {
		e = unlink_driver(t, i->driver, i->name);
		error = error ? error : e;
	}
	return error;
}

/* Whatever of it is in sight goes, then its folder. The first failure is returned, the rest done all the same. */
static int hide_device(struct tree *t, const struct device *d)
{
	char name[40], folder[96];
	int error = unlink_if_there(t->devices, d->name), e;

	for (unsigned n = 0; n < d->interface_count; n++) {
		e = hide_interface(t, d, &d->interfaces[n]);
		error = error ? error : e;
	}
	snprintf(name, sizeof(name), "%03u", d->number);
	e = unlink_if_there(t->nodes, name);
	error = error ? error : e;
	database_name(d, NULL, name);
	e = unlink_if_there(t->udev, name);
	error = error ? error : e;
	e = unlink_if_there(t->chars, name + 1); /* "c189:1" without its c */
	error = error ? error : e;
	e = unlink_driver(t, "usb", d->name);
	error = error ? error : e;
	snprintf(folder, sizeof(folder), "%s", d->path + 1);
	e = discard(t, t->sys, folder);
	return error ? error : e;
}

static void put_node(struct folder *f, const struct device *d)
{
	char name[8];
	int fd;

	if (f->error)
		return;
	snprintf(name, sizeof(name), "%03u", d->number);
	fd = openat(f->tree->nodes, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, d->denied ? 0444 : 0664))
		f->error = -errno;
	if (fd >= 0)
		close(fd);
}

static int show_device(struct tree *t, struct device *d)
{
	struct folder f = { .tree = t, .fd = t->sys }, folder;
	char aside[16], name[40];

	list_interfaces(d);
	if (!d->port)
		for (unsigned n = 0; n < d->interface_count; n++)
			strcpy(d->interfaces[n].driver, "hub");
	folder = aside_folder(&f, aside);
	put_device(&folder, d);
	for (unsigned n = 0; n < d->interface_count; n++) {
		struct folder sub = subfolder(&folder, d->interfaces[n].name);

		put_interface(&sub, d, &d->interfaces[n]);
		close_subfolder(&folder, &sub);
	}
	show_aside(&f, &folder, aside, t->sys, d->path + 1);
	if (f.error)
		return f.error;
	put_database(&f, d, NULL);
	put_node(&f, d);
	database_name(d, NULL, name);
	link_name(&f, t->chars, name + 1, "../..", d->path);
	driver_folder(&f, "usb", d->name, d->path);
	link_name(&f, t->devices, d->name, "../../..", d->path);
	show_interfaces(&f, d);
	if (f.error)
		hide_device(t, d);
	return f.error;
}

static uint64_t monotonic_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int add_device(struct tree *t, unsigned number, unsigned port, const struct usb_description *u, bool denied)
{
	struct device *d = &t->list[number];
	int error;

	*d = (struct device){ .number = number, .port = port, .denied = denied, .initialized_us = monotonic_us() };
	d->description = usb_description_copy(u);
	if (!d->description)
		return -ENOMEM;
	snprintf(d->port_name, sizeof(d->port_name), "%u", port);
	if (port) {
		snprintf(d->name, sizeof(d->name), "%u-%u", TREE_BUS, port);
		snprintf(d->path, sizeof(d->path), "/" HUB "/%u-%u", TREE_BUS, port);
		d->depth = 5;
	} else {
		snprintf(d->name, sizeof(d->name), "usb%u", TREE_BUS);
		snprintf(d->path, sizeof(d->path), "/" HUB);
		d->depth = 4;
	}
	error = show_device(t, d);
	if (error) {
		usb_description_free(d->description);
		d->description = NULL;
	}
	return error;
}

static struct device *find(const struct tree *t, unsigned number)
{
	return number <= TREE_ADDRESSES && t->list[number].description ? (struct device *)&t->list[number] : NULL;
}

static struct interface *find_interface(struct device *d, uint8_t number)
{
	for (unsigned n = 0; n < d->interface_count; n++)
		if (d->interfaces[n].number == number)
			return &d->interfaces[n];
	return NULL;
}

int tree_add_device(struct tree *t, unsigned number, unsigned port, const struct usb_description *u, bool denied)
{
	if (number < 2 || number > TREE_ADDRESSES || port < 1 || port > TREE_PORTS)
		return -EINVAL;
	if (find(t, number))
		return -EEXIST;
	for (unsigned n = 2; n <= TREE_ADDRESSES; n++)
		if (t->list[n].description && t->list[n].port == port)
			return -EEXIST;
	return add_device(t, number, port, u, denied);
}

int tree_remove_device(struct tree *t, unsigned number)
{
	struct device *d = number < 2 ? NULL : find(t, number);
	int error;

	if (!d)
		return -ENODEV;
	error = hide_device(t, d);
	usb_description_free(d->description);
	d->description = NULL;
	return error;
}

int tree_set_configuration(struct tree *t, unsigned number, uint8_t value)
{
	struct device *d = number < 2 ? NULL : find(t, number);
	struct folder f = { .tree = t, .replace = true };
	char aside[16];

	if (!d)
		return -ENODEV;
	if (value && !usb_description_configuration(d->description, value))
		return -EINVAL;
	f.fd = open_folder(t->sys, d->path + 1);
	if (f.fd < 0)
		return -errno;
	for (unsigned n = 0; n < d->interface_count && !f.error; n++) {
		f.error = hide_interface(t, d, &d->interfaces[n]);
		if (!f.error)
			f.error = discard(t, f.fd, d->interfaces[n].name);
	}
	d->interface_count = 0;
	if (f.error)
		goto out;
	d->description->configuration = value;
	put_configuration(&f, d);
	list_interfaces(d);
	for (unsigned n = 0; n < d->interface_count; n++) {
		struct folder sub = aside_folder(&f, aside);

		put_interface(&sub, d, &d->interfaces[n]);
		show_aside(&f, &sub, aside, f.fd, d->interfaces[n].name);
	}
	show_interfaces(&f, d);
	if (f.error) {
		for (unsigned n = 0; n < d->interface_count; n++) {
			hide_interface(t, d, &d->interfaces[n]);
			discard(t, f.fd, d->interfaces[n].name);
		}
		d->interface_count = 0;
	}
out:
	close(f.fd);
	return f.error;
}

int tree_set_alt(struct tree *t, unsigned number, uint8_t interface, uint8_t alt, const char *name)
{
	struct device *d = find(t, number);
	struct interface *i = d ? find_interface(d, interface) : NULL;
	struct folder f = { .tree = t, .replace = true };
	const struct usb_configuration *c;
	const uint8_t *old;
	uint8_t old_alt;

	if (!d)
		return -ENODEV;
	c = usb_description_configuration(d->description, d->description->configuration);
	if (!i || !usb_configuration_interface(c, interface, alt, NULL, NULL))
		return -EINVAL;
	f.fd = open_folder(t->sys, i->path + 1);
	if (f.fd < 0)
		return -errno;
	if (!name)
		name = usb_description_interface_name(d->description, interface, alt);
	old_alt = i->alt;
	old = usb_configuration_interface(c, interface, old_alt, NULL, NULL);
	if (old[4])
		remove_endpoints(&f);
	i->alt = alt;
	put_alt(&f, d, i, old, name);
	if (f.error)
		i->alt = old_alt;
	close(f.fd);
	return f.error;
}

int tree_set_driver(struct tree *t, unsigned number, uint8_t interface, const char *driver)
{
	struct device *d = find(t, number);
	struct interface *i = d ? find_interface(d, interface) : NULL;
	struct folder f = { .tree = t, .replace = true };
	struct uevent_device event;
	char target[64];

	if (!d)
		return -ENODEV;
	if (!i || (driver && (!*driver || strlen(driver) >= sizeof(i->driver) || strchr(driver, '/'))))
		return -EINVAL;
	if (!strcmp(i->driver, driver ? driver : ""))
		return 0;
	f.fd = open_folder(t->sys, i->path + 1);
	if (f.fd < 0)
		return -errno;
	if (i->driver[0]) {
		f.error = unlink_driver(t, i->driver, i->name);
		if (!f.error)
			f.error = unlink_if_there(f.fd, "driver");
	}
	i->driver[0] = '\0';
	if (driver && !f.error) {
		strcpy(i->driver, driver);
		driver_folder(&f, driver, i->name, i->path);
		snprintf(target, sizeof(target), "bus/usb/drivers/%s", driver);
		put_up(&f, "driver", d->depth + 1, target);
	}
	event_of(d, i, &event);
	put_uevent(&f, &event);
	close(f.fd);
	return f.error;
}

const struct usb_description *tree_description(const struct tree *t, unsigned number)
{
	const struct device *d = find(t, number);

	return d ? d->description : NULL;
}

int tree_event(const struct tree *t, unsigned number, int interface, struct uevent_device *event)
{
	struct device *d = find(t, number);
	struct interface *i = NULL;

	if (!d)
		return -ENODEV;
	if (interface >= 0) {
		i = interface <= UINT8_MAX ? find_interface(d, (uint8_t)interface) : NULL;
		if (!i)
			return -EINVAL;
	}
	event_of(d, i, event);
	return 0;
}

int tree_interface(const struct tree *t, unsigned number, unsigned nth)
{
	const struct device *d = find(t, number);

	return d && nth < d->interface_count ? d->interfaces[nth].number : -1;
}

/* ---- the tree itself ---- */

/* USB 1.1 root hub, as the kernel's full-speed controllers have it; the release of Linux stands in bcdDevice. */
static int add_root_hub(struct tree *t)
{
	static const uint8_t configuration[] = {
		9, USB_DT_CONFIGURATION, 25,   0, 1, 1, 0,   0xe0, 0, /* self-powered, remote wake-up, 0 mA */
		9, USB_DT_INTERFACE,     0,    0, 1, 9, 0,   0,    0, /* hub */
		7, USB_DT_ENDPOINT,      0x81, 3, 2, 0, 255,          /* status change */
	};
	struct utsname host;
	unsigned major = 6, minor = 0;
	char manufacturer[160], product[] = "dfubench private bus", serial[] = "dfubench.0";
	uint8_t bytes[sizeof(configuration)];
	struct usb_description u = {
		.speed = USB_SPEED_IS_FULL,
		.device = { 18, USB_DT_DEVICE, 0x10, 0x01, 9, 0, 0, 64, 0x6b, 0x1d, 0x01, 0x00, 0, 0, 3, 2, 1, 1 },
		.configuration = 1,
		.configuration_count = 1,
		.configurations = { { .bytes = bytes, .length = sizeof(bytes) } },
		.manufacturer = manufacturer,
		.product = product,
		.serial = serial,
	};

	memcpy(bytes, configuration, sizeof(bytes));
	if (uname(&host))
		return -errno;
	sscanf(host.release, "%u.%u", &major, &minor);
	u.device[12] = (uint8_t)minor;
	u.device[13] = (uint8_t)major;
	snprintf(manufacturer, sizeof(manufacturer), "%.20s %.100s dfubench", host.sysname, host.release);
	return add_device(t, 1, 0, &u, false);
}

/* Other buses stay reachable: a name that is not usb leads to the machine's own. */
static int link_other_buses(struct tree *t)
{
	DIR *real = opendir("/sys/bus");
	struct folder f = { .tree = t };
	struct dirent *entry;

	if (!real)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	f.fd = open_folder(t->sys, "bus");
	if (f.fd < 0)
		f.error = -errno;
	while (!f.error && (entry = readdir(real)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "usb"))
			put_link(&f, entry->d_name, "/sys/bus/%s", entry->d_name);
	if (f.fd >= 0)
		close(f.fd);
	closedir(real);
	return f.error;
}

static int make_skeleton(struct tree *t)
{
	static const char *const folders[] = {
		"stage",
		"sys",
		"sys/bus",
		"sys/bus/usb",
		"sys/bus/usb/devices",
		"sys/bus/usb/drivers",
		"sys/bus/usb/drivers/usb",
		"sys/bus/usb/drivers/hub",
		"sys/bus/usb/drivers/usbfs",
		"sys/devices",
		"sys/devices/platform",
		("sys/" CONTROLLER),
		"sys/dev",
		"sys/dev/char",
		"dev",
		"dev/bus",
		"dev/bus/usb",
		"dev/bus/usb/001",
		"run",
		"run/udev",
		"run/udev/data",
	};
	const struct {
		const char *path;
		int *fd;
	} handles[] = {
		{ "stage", &t->stage },
		{ "sys", &t->sys },
		{ "sys/bus/usb/devices", &t->devices },
		{ "sys/bus/usb/drivers", &t->drivers },
		{ "sys/dev/char", &t->chars },
		{ "dev/bus/usb/001", &t->nodes },
		{ "run/udev/data", &t->udev },
	};
	struct folder f = { .tree = t, .fd = t->root };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(t->root, folders[i], 0755))
			return -errno;
	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
		*handles[i].fd = open_folder(t->root, handles[i].path);
		if (*handles[i].fd < 0)
			return -errno;
	}
	put(&f, "sys/" CONTROLLER "/uevent", "DRIVER=dfubench\nMODALIAS=platform:dfubench\n");
	put_link(&f, "sys/" CONTROLLER "/subsystem", "../../../bus/platform");
	put_link(&f, "sys/" CONTROLLER "/driver", "../../../bus/platform/drivers/dfubench");
	/* libudev listens to udevd's events only where this exists. */
	put_bytes(&f, "run/udev/control", "", 0);
	if (f.error)
		return f.error;
	return link_other_buses(t);
}

/* Is what stands under this name what fd has open? */
static bool is_still(int at, const char *name, int fd)
{
	struct stat there, ours;

	return !fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) && !fstat(fd, &ours) && there.st_ino == ours.st_ino &&
	       there.st_dev == ours.st_dev;
}

/* A folder of ours is stale when nobody holds its lock. Failures do not matter: the next start tries again. */
static void remove_stale(int base)
{
	char prefix[32];
	int fd = open_folder(base, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	snprintf(prefix, sizeof(prefix), PREFIX "%u-", (unsigned)geteuid());
	while ((entry = readdir(dir))) {
		struct stat st;
		int old;

		if (strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		old = open_folder(base, entry->d_name);
		if (old < 0)
			continue;
		if (!fstat(old, &st) && st.st_uid == geteuid() && !flock(old, LOCK_EX | LOCK_NB) &&
		    is_still(base, entry->d_name, old))
			remove_tree(base, entry->d_name);
		close(old);
	}
	closedir(dir);
}

/* The lock is on the folder itself. Between its making and its locking another start may find it stale and take it
 * away: then the next name is tried. */
static int make_root(struct tree *t)
{
	char name[64];
	uint32_t dice;

	for (int i = 0; i < NEW_NAME_TRIES; i++) {
		if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
			return -errno;
		snprintf(name, sizeof(name), PREFIX "%u-%d-%06x", (unsigned)geteuid(), (int)getpid(), dice & 0xffffff);
		if (mkdirat(t->base, name, 0700)) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		t->root = open_folder(t->base, name);
		if (t->root >= 0 && !flock(t->root, LOCK_EX | LOCK_NB) && is_still(t->base, name, t->root)) {
			t->name = strdup(name);
			if (t->name)
				return 0;
			remove_tree(t->base, name);
			return -ENOMEM;
		}
		if (t->root < 0 && errno != ENOENT) {
			int error = -errno;

			unlinkat(t->base, name, AT_REMOVEDIR);
			return error;
		}
		if (t->root >= 0)
			close(t->root);
		t->root = -1;
	}
	return -EBUSY;
}

static int open_tree(struct tree *t, const char *base)
{
	char *real = realpath(base, NULL);
	int error;

	if (!real)
		return -errno;
	t->base = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->base < 0) {
		error = -errno;
		goto out;
	}
	remove_stale(t->base);
	error = make_root(t);
	if (error)
		goto out;
	if (asprintf(&t->path, "%s/%s", strcmp(real, "/") ? real : "", t->name) < 0) {
		t->path = NULL;
		error = -ENOMEM;
		goto out;
	}
	error = make_skeleton(t);
	if (!error)
		error = add_root_hub(t);
out:
	free(real);
	return error;
}

static struct tree *tree_in(const char *base, int *error)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t) {
		*error = -ENOMEM;
		return NULL;
	}
	t->base = t->root = t->sys = t->devices = t->drivers = t->chars = t->nodes = t->udev = t->stage = -1;
	*error = open_tree(t, base);
	if (!*error)
		return t;
	tree_free(t);
	return NULL;
}

struct tree *tree_new(const char *base, int *error)
{
	const char *places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp" };
	struct tree *t = NULL;

	*error = -ENOENT;
	if (base)
		return tree_in(base, error);
	for (size_t i = 0; !t && i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i] && places[i][0] == '/')
			t = tree_in(places[i], error);
	return t;
}

void tree_free(struct tree *t)
{
	int fds[7];

	if (!t)
		return;
	for (unsigned i = 0; i <= TREE_ADDRESSES; i++)
		usb_description_free(t->list[i].description);
	memcpy(fds, (int[7]){ t->sys, t->devices, t->drivers, t->chars, t->nodes, t->udev, t->stage }, sizeof(fds));
	for (size_t i = 0; i < 7; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (t->name && is_still(t->base, t->name, t->root))
		remove_tree(t->base, t->name);
	if (t->root >= 0)
		close(t->root);
	if (t->base >= 0)
		close(t->base);
	free(t->name);
	free(t->path);
	free(t);
}

const char *tree_root(const struct tree *t)
{
	return t->path;
}
