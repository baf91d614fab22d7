// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the board among the devices that are listed. */
#include "board_usb.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool has_id(const struct host_device *d, uint16_t vendor, uint16_t product)
{
	return d->vendor == vendor && d->product == product;
}

static const char *serial_of(const struct host_device *d)
{
	return *d->serial ? d->serial : "(none)";
}

static int look(const struct board_rig *rig, struct host_device *out, struct host_device *other, size_t *others,
		char why[BOARD_USB_WHY])
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices), found = 0;
	char first[32] = "";

	*others = 0;
	snprintf(why, BOARD_USB_WHY, "no device %04x:%04x is listed", rig->vendor, rig->product);
	for (size_t i = 0; i < count; i++) {
		const struct host_device *d = &devices[i];
		bool serial = !rig->serial || !strcasecmp(rig->serial, d->serial);
		bool port = !rig->port || !strcmp(rig->port, d->port);

		if (!has_id(d, rig->vendor, rig->product))
			continue;
		if (serial && port) {
			if (found++) {
				snprintf(why, BOARD_USB_WHY,
					 "two devices answer to the description, at ports %s and %s: the rig file "
					 "must say which is meant ('port' of 'board')",
					 first, d->port);
				return -ENOTUNIQ;
			}
			snprintf(first, sizeof(first), "%s", d->port);
			*out = *d;
			continue;
		}
		*other = *d;
		if ((*others)++ && !(rig->port && port))
			continue;
		if (rig->port && port)
			snprintf(why, BOARD_USB_WHY,
				 "another board: that at port %s has serial number %s, the rig file says %s", d->port,
				 serial_of(d), rig->serial);
		else if (rig->serial && serial)
			snprintf(why, BOARD_USB_WHY,
				 "the board with serial number %s is at port %s, the rig file says %s", rig->serial,
				 d->port, rig->port);
		else if (rig->serial)
			snprintf(why, BOARD_USB_WHY,
				 "another board: what is there, at port %s, has serial number %s, the rig file says %s",
				 d->port, serial_of(d), rig->serial);
		else
			snprintf(why, BOARD_USB_WHY,
				 "another board: what is there is at port %s, the rig file says port %s", d->port,
				 rig->port);
	}
	return found ? 0 : *others ? -EXDEV : -ENODEV;
}

int board_usb_rom(const struct board_rig *rig, struct host_device *out, char why[BOARD_USB_WHY])
{
	struct host_device other;
	size_t others;

	return look(rig, out, &other, &others, why);
}

int board_usb_rom_alone(const struct board_rig *rig, struct host_device *out, char why[BOARD_USB_WHY])
{
	struct host_device other;
	size_t others;
	int r = look(rig, out, &other, &others, why);

	if (r || !others)
		return r;
	snprintf(why, BOARD_USB_WHY,
		 "beside the board there is another device %04x:%04x, at port %s, serial number %s: a tool could take "
		 "that one",
		 rig->vendor, rig->product, other.port, serial_of(&other));
	return -ENOTUNIQ;
}

int board_usb_application(const struct board_rig *rig, const char *port, struct host_device *out)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices), found = 0;

	if (!rig->app_vendor && !rig->app_product)
		return -ENODEV;
	for (size_t i = 0; i < count; i++) {
		const struct host_device *d = &devices[i];

		if (!has_id(d, rig->app_vendor, rig->app_product) || (port && strcmp(port, d->port)))
			continue;
		found++;
		*out = *d;
	}
	return found == 1 ? 0 : found ? -ENOTUNIQ : -ENODEV;
}
