// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB relay boards of dcttech and others, 16c0:05df "USBRelay1" to "USBRelay8", by hidapi. One feature report of 8 bytes: bytes 0
 * to 4 are the serial number, byte 7 the relays' states, relay 1 lowest; FF n pulls a relay, FD n releases it (FE, FC: all of them).
 * As usbrelay (github.com/darrylb123/usbrelay) and usb-relay-hid (github.com/pavel-a/usb-relay-hid) use it.
 */
#include <errno.h>
#include <hidapi/hidapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "host_bus.h"
#include "wire_driver.h"

#define VENDOR 0x16c0 /* of V-USB, shared: the product's name tells what it is */
#define PRODUCT 0x05df
#define SERIAL 5
#define REPORT 8
#define PULL 0xff
#define RELEASE 0xfd

struct relay {
	hid_device *device;
	const struct wire_file *file;
};

/* Any report number will do for the board; hidraw takes 0 as a sign that there is none, and shifts the data by a byte. */
static bool read_report(hid_device *device, unsigned char report[REPORT + 1])
{
	memset(report, 0, REPORT + 1);
	report[0] = 1;
	return hid_get_feature_report(device, report, REPORT + 1) >= REPORT;
}

/* What was found while looking for one board. */
struct found {
	char first[SERIAL + 1];
	unsigned boards, fitting, closed; /* closed: may not be opened */
	int relays;
};

static int count_relays(const struct hid_device_info *info)
{
	if (!info->product_string || wcsncmp(info->product_string, L"USBRelay", 8))
		return 0;
	return info->product_string[8] >= L'1' && info->product_string[8] <= L'8'
		       ? (int)(info->product_string[8] - L'0')
		       : 0;
}

static hid_device *find(const char *serial, struct found *found)
{
	struct hid_device_info *list = hid_enumerate(VENDOR, PRODUCT), *info;
	unsigned char report[REPORT + 1];
	hid_device *kept = NULL;

	for (info = list; info; info = info->next) {
		int relays = count_relays(info);
		hid_device *device;
		char name[SERIAL + 1];

		if (!relays)
			continue;
		found->boards++;
		device = hid_open_path(info->path);
		if (!device) {
			found->closed++;
			continue;
		}
		if (!read_report(device, report))
			report[0] = 0;
		memcpy(name, report, SERIAL);
		name[SERIAL] = 0;
		if (!found->first[0])
			memcpy(found->first, name, sizeof(name));
		if ((serial && strcmp(serial, name)) || found->fitting++) {
			hid_close(device);
			continue;
		}
		found->relays = relays;
		kept = device;
	}
	hid_free_enumeration(list);
	return kept;
}

/* Where one is plugged in, whatever the kernel makes of it; NULL: nowhere. */
static const char *plugged_in(struct host_device devices[HOST_DEVICES])
{
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++)
		if (devices[i].vendor == VENDOR && devices[i].product == PRODUCT)
			return devices[i].port;
	return NULL;
}

static int not_found(const struct wire_file *f, const struct found *found, char why[WIRES_WHY])
{
	struct host_device devices[HOST_DEVICES];
	const char *port = plugged_in(devices);

	if (found->fitting > 1) {
		snprintf(why, WIRES_WHY, "several such relay boards are plugged in: say which by its 'serial'");
		return -ENOTUNIQ;
	}
	if (found->closed) {
		snprintf(why, WIRES_WHY,
			 "a relay board is plugged in, but you may not open it (a udev rule for hidraw of 16c0:05df: "
			 "see "
			 "60-dfubench.rules)");
		return -EACCES;
	}
	if (found->boards && f->device)
		snprintf(why, WIRES_WHY,
			 "no relay board has the serial number '%.20s'; one that is plugged in has '%s'", f->device,
			 found->first);
	else if (port)
		snprintf(why, WIRES_WHY,
			 "a device %04x:%04x is plugged in at USB port %s, but the kernel has no relays at hidraw for "
			 "it: "
			 "'modprobe -a usbhid hid-generic', or it is another device of that ID",
			 VENDOR, PRODUCT, port);
	else
		snprintf(why, WIRES_WHY, "no relay board (16c0:05df USBRelay) is plugged in");
	return -ENODEV;
}

static void *relay_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	struct relay *r = calloc(1, sizeof(*r));
	struct found found = { .boards = 0 };

	*error = -ENOMEM;
	snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
	if (!r)
		return NULL;
	r->file = f;
	r->device = find(f->device, &found);
	if (found.fitting != 1) {
		*error = not_found(f, &found, why);
	} else if (f->number > (unsigned)found.relays) {
		*error = -ENOENT;
		snprintf(why, WIRES_WHY, "the board has %d relay%s, and no relay %u", found.relays,
			 found.relays == 1 ? "" : "s", f->number);
	} else {
		return r;
	}
	if (r->device)
		hid_close(r->device);
	free(r);
	return NULL;
}

static int gone(const char *what, char why[WIRES_WHY])
{
	snprintf(why, WIRES_WHY, "%s: has the relay board been unplugged?", what);
	return -ENODEV;
}

static int relay_set(void *state, bool high, char why[WIRES_WHY])
{
	struct relay *r = state;
	bool pull = wire_active(r->file, high);
	unsigned char report[REPORT + 1] = { 0, pull ? PULL : RELEASE, (unsigned char)r->file->number };

	if (hid_send_feature_report(r->device, report, sizeof(report)) < 0)
		return gone("the relay takes no command", why);
	if (!read_report(r->device, report))
		return gone("the relay does not tell its state", why);
	if ((report[7] >> (r->file->number - 1) & 1) == pull)
		return 0;
	snprintf(why, WIRES_WHY, "the board took the command, and says that the relay is still %s",
		 pull ? "released" : "pulled");
	return -EIO;
}

static void relay_close(void *state)
{
	struct relay *r = state;

	hid_close(r->device);
	free(r);
}

const struct wire_driver wire_relay_hid = {
	.name = "relay-hid",
	.needs = "hidapi " HID_API_VERSION_STR,
	.open = relay_open,
	.set = relay_set,
	.close = relay_close,
};
