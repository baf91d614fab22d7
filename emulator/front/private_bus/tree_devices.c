/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices coming to and leaving the private tree: sysfs folders and links, nodes, udev database (systemd 252). */
#include "tree_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

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

	tree_put_link(&links, name, "%s%s", up, path);
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
	return tree_unlink_if_there(t->drivers, where);
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

	tree_event_of(d, i, &event);
	database_name(d, i, name);
	n = uevent_database(&event, text, sizeof(text));
	if (n < 0)
		data.error = data.error ? data.error : n;
	else
		tree_put_bytes(&data, name, text, (size_t)n);
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
	int error = tree_unlink_if_there(t->devices, i->name), e;

	database_name(d, i, name);
	e = tree_unlink_if_there(t->udev, name);
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
	int error = tree_unlink_if_there(t->devices, d->name), e;

	for (unsigned n = 0; n < d->interface_count; n++) {
		e = hide_interface(t, d, &d->interfaces[n]);
		error = error ? error : e;
	}
	snprintf(name, sizeof(name), "%03u", d->number);
	e = tree_unlink_if_there(t->nodes, name);
	error = error ? error : e;
	database_name(d, NULL, name);
	e = tree_unlink_if_there(t->udev, name);
	error = error ? error : e;
	e = tree_unlink_if_there(t->chars, name + 1); /* "c189:1" without its c */
	error = error ? error : e;
	e = unlink_driver(t, "usb", d->name);
	error = error ? error : e;
	snprintf(folder, sizeof(folder), "%s", d->path + 1);
	e = tree_discard(t, t->sys, folder);
	return error ? error : e;
}

/* Nobody opens it, but a listing of the folder tells what it is: a character device, for which 0:0 needs no privilege
 * (Linux 5.8, most file systems). Or else a file. */
static void put_node(struct folder *f, const struct device *d)
{
	char name[8];

	if (f->error)
		return;
	snprintf(name, sizeof(name), "%03u", d->number);
	if (mknodat(f->tree->nodes, name, S_IFCHR | 0600, makedev(0, 0)) &&
	    (errno == EEXIST || mknodat(f->tree->nodes, name, S_IFREG | 0600, 0)))
		f->error = -errno;
	else if (fchmodat(f->tree->nodes, name, d->denied ? 0444 : 0664, 0))
		f->error = -errno;
}

int tree_device_show(struct tree *t, struct device *d)
{
	struct folder f = { .tree = t, .fd = t->sys }, folder;
	char aside[16], name[40];

	folder = tree_aside_folder(&f, aside);
	tree_put_device(&folder, d);
	for (unsigned n = 0; n < d->interface_count; n++) {
		struct folder sub = tree_subfolder(&folder, d->interfaces[n].name);

		tree_put_interface(&sub, d, &d->interfaces[n]);
		tree_close_subfolder(&folder, &sub);
	}
	tree_show_aside(&f, &folder, aside, t->sys, d->path + 1);
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

uint64_t tree_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int tree_device_add(struct tree *t, unsigned number, unsigned port, const struct usb_description *u, bool denied)
{
	struct device *d = &t->list[number];
	int error = 0;

	*d = (struct device){ .number = number, .port = port, .denied = denied, .initialized_us = tree_now_us() };
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
	list_interfaces(d);
	for (unsigned n = 0; !port && n < d->interface_count; n++)
		strcpy(d->interfaces[n].driver, "hub");
	if (t->shown)
		error = tree_device_show(t, d);
	if (error) {
		usb_description_free(d->description);
		d->description = NULL;
	}
	return error;
}

struct device *tree_find(const struct tree *t, unsigned number)
{
	return number <= TREE_ADDRESSES && t->list[number].description ? (struct device *)&t->list[number] : NULL;
}

struct interface *tree_find_interface(struct device *d, uint8_t number)
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
	if (tree_find(t, number))
		return -EEXIST;
	for (unsigned n = 2; n <= TREE_ADDRESSES; n++)
		if (t->list[n].description && t->list[n].port == port)
			return -EEXIST;
	return tree_device_add(t, number, port, u, denied);
}

int tree_remove_device(struct tree *t, unsigned number)
{
	struct device *d = number < 2 ? NULL : tree_find(t, number);
	int error = 0;

	if (!d)
		return -ENODEV;
	if (t->shown)
		error = hide_device(t, d);
	usb_description_free(d->description);
	d->description = NULL;
	return error;
}

int tree_set_configuration(struct tree *t, unsigned number, uint8_t value)
{
	struct device *d = number < 2 ? NULL : tree_find(t, number);
	struct folder f = { .tree = t, .replace = true };
	char aside[16];

	if (!d)
		return -ENODEV;
	if (value && !usb_description_configuration(d->description, value))
		return -EINVAL;
	f.error = tree_show(t);
	if (f.error)
		return f.error;
	f.fd = tree_open_folder(t->sys, d->path + 1);
	if (f.fd < 0)
		return -errno;
	for (unsigned n = 0; n < d->interface_count && !f.error; n++) {
		f.error = hide_interface(t, d, &d->interfaces[n]);
		if (!f.error)
			f.error = tree_discard(t, f.fd, d->interfaces[n].name);
	}
	d->interface_count = 0;
	if (f.error)
		goto out;
	d->description->configuration = value;
	tree_put_configuration(&f, d);
	list_interfaces(d);
	for (unsigned n = 0; n < d->interface_count; n++) {
		struct folder sub = tree_aside_folder(&f, aside);

		tree_put_interface(&sub, d, &d->interfaces[n]);
		tree_show_aside(&f, &sub, aside, f.fd, d->interfaces[n].name);
	}
	show_interfaces(&f, d);
	if (f.error) {
		for (unsigned n = 0; n < d->interface_count; n++) {
			hide_interface(t, d, &d->interfaces[n]);
			tree_discard(t, f.fd, d->interfaces[n].name);
		}
		d->interface_count = 0;
	}
out:
	close(f.fd);
	return f.error;
}

int tree_set_alt(struct tree *t, unsigned number, uint8_t interface, uint8_t alt, const char *name)
{
	struct device *d = tree_find(t, number);
	struct interface *i = d ? tree_find_interface(d, interface) : NULL;
	struct folder f = { .tree = t, .replace = true };
	const struct usb_configuration *c;
	const uint8_t *old;
	uint8_t old_alt;

	if (!d)
		return -ENODEV;
	c = usb_description_configuration(d->description, d->description->configuration);
	if (!i || !usb_configuration_interface(c, interface, alt, NULL, NULL))
		return -EINVAL;
	f.error = tree_show(t);
	if (f.error)
		return f.error;
	f.fd = tree_open_folder(t->sys, i->path + 1);
	if (f.fd < 0)
		return -errno;
	if (!name)
		name = usb_description_interface_name(d->description, interface, alt);
	old_alt = i->alt;
	old = usb_configuration_interface(c, interface, old_alt, NULL, NULL);
	if (old[4])
		tree_remove_endpoints(&f);
	i->alt = alt;
	tree_put_alt(&f, d, i, old, name);
	if (f.error)
		i->alt = old_alt;
	close(f.fd);
	return f.error;
}

int tree_set_driver(struct tree *t, unsigned number, uint8_t interface, const char *driver)
{
	struct device *d = tree_find(t, number);
	struct interface *i = d ? tree_find_interface(d, interface) : NULL;
	struct folder f = { .tree = t, .replace = true };
	struct uevent_device event;
	char target[64];

	if (!d)
		return -ENODEV;
	if (!i || (driver && (!*driver || strlen(driver) >= sizeof(i->driver) || strchr(driver, '/'))))
		return -EINVAL;
	if (!strcmp(i->driver, driver ? driver : ""))
		return 0;
	if (!t->shown) {
		strcpy(i->driver, driver ? driver : "");
		return 0;
	}
	f.fd = tree_open_folder(t->sys, i->path + 1);
	if (f.fd < 0)
		return -errno;
	if (i->driver[0]) {
		f.error = unlink_driver(t, i->driver, i->name);
		if (!f.error)
			f.error = tree_unlink_if_there(f.fd, "driver");
	}
	i->driver[0] = '\0';
	if (driver && !f.error) {
		strcpy(i->driver, driver);
		driver_folder(&f, driver, i->name, i->path);
		snprintf(target, sizeof(target), "bus/usb/drivers/%s", driver);
		tree_put_up(&f, "driver", d->depth + 1, target);
	}
	tree_event_of(d, i, &event);
	tree_put_uevent(&f, &event);
	close(f.fd);
	return f.error;
}

const struct usb_description *tree_description(const struct tree *t, unsigned number)
{
	const struct device *d = tree_find(t, number);

	return d ? d->description : NULL;
}

int tree_event(const struct tree *t, unsigned number, int interface, struct uevent_device *event)
{
	struct device *d = tree_find(t, number);
	struct interface *i = NULL;

	if (!d)
		return -ENODEV;
	if (interface >= 0) {
		i = interface <= UINT8_MAX ? tree_find_interface(d, (uint8_t)interface) : NULL;
		if (!i)
			return -EINVAL;
	}
	tree_event_of(d, i, event);
	return 0;
}

int tree_interface(const struct tree *t, unsigned number, unsigned nth)
{
	const struct device *d = tree_find(t, number);

	return d && nth < d->interface_count ? d->interfaces[nth].number : -1;
}
