// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: devices in DFU mode, what they tell of themselves, and the one that is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "reference.h"

#define STRING_MS 5000u

/* A string as it is: some ROMs announce more bytes than they send. */
static void read_string(libusb_device_handle *h, uint8_t index, char *out, size_t size)
{
	uint8_t b[255];
	int r = index ? libusb_control_transfer(h, 0x80, 6, (uint16_t)(0x300 | index), 0x0409, b, sizeof(b), STRING_MS)
		      : 0;
	size_t n = 0;

	if (mutant(M_STRING_16) && r > 16)
		r = 16;
	for (int i = 2; i + 1 < r && i + 1 < b[0] && n + 1 < size; i += 2)
		out[n++] = b[i + 1] || b[i] < ' ' || b[i] > '~' ? '?' : (char)b[i];
	out[n] = 0;
}

static bool is_dfu(const struct libusb_interface_descriptor *a)
{
	return a->bInterfaceClass == 0xfe && a->bInterfaceSubClass == 1 &&
	       (a->bInterfaceProtocol == 2 || mutant(M_FIRST_DEVICE));
}

static bool read_functional(struct device *d, const unsigned char *extra, int length)
{
	for (; length >= 2 && extra[0] >= 2 && extra[0] <= length; length -= extra[0], extra += extra[0])
		if (extra[1] == 0x21 && extra[0] >= 9) {
			d->transfer_size = (uint16_t)(extra[5] | extra[6] << 8);
			d->bcd_dfu = (uint16_t)(extra[7] | extra[8] << 8);
			return true;
		}
	return false;
}

/* false: it has no DFU. Strings need it open. */
static bool look_at(struct device *d, libusb_device *device, const struct choice *choice)
{
	struct libusb_device_descriptor desc;
	struct libusb_config_descriptor *c;

	memset(d, 0, sizeof(*d));
	if (libusb_get_device_descriptor(device, &desc) || libusb_get_active_config_descriptor(device, &c))
		return false;
	d->vendor = desc.idVendor;
	d->product = desc.idProduct;
	for (unsigned i = 0; i < c->bNumInterfaces; i++)
		for (int a = 0; a < c->interface[i].num_altsetting; a++) {
			const struct libusb_interface_descriptor *alt = &c->interface[i].altsetting[a];

			if (!is_dfu(alt) || d->alts == ALTS)
				continue;
			d->interface = alt->bInterfaceNumber;
			d->names[d->alts++][0] = (char)alt->iInterface;
			read_functional(d, alt->extra, alt->extra_length);
		}
	if (!d->bcd_dfu)
		read_functional(d, c->extra, c->extra_length);
	libusb_free_config_descriptor(c);
	if (choice->vendor && !mutant(M_FIRST_DEVICE) && (choice->vendor != d->vendor || choice->product != d->product))
		return false;
	return d->alts > 0;
}

static int open_it(struct device *d, libusb_device *device)
{
	struct libusb_device_descriptor desc;
	int r = libusb_open(device, &d->handle);

	if (r)
		return r;
	libusb_get_device_descriptor(device, &desc);
	read_string(d->handle, desc.iSerialNumber, d->serial, sizeof(d->serial));
	for (unsigned i = 0; i < d->alts; i++) {
		read_string(d->handle, (uint8_t)d->names[i][0], d->names[i], sizeof(d->names[i]));
		layout_parse(&d->layouts[i], d->names[i]);
	}
	return 0;
}

void device_close(struct device *d)
{
	for (unsigned i = 0; i < d->alts; i++) {
		free(d->layouts[i].sectors);
		d->layouts[i].sectors = NULL;
	}
	if (d->handle)
		libusb_close(d->handle);
	d->handle = NULL;
}

/* Each device that fits is handed to found(), open; what it keeps it does not close. */
static enum outcome search(const struct choice *choice, void (*found)(struct device *, void *), void *context,
			   libusb_context *usb)
{
	libusb_device **list;
	ssize_t count = libusb_get_device_list(usb, &list);
	enum outcome o = DONE;
	struct device d;

	for (ssize_t i = 0; i < count && !o; i++) {
		bool fits = look_at(&d, list[i], choice);
		int r;

		if (!fits && !mutant(M_DENIED_ENDS))
			continue;
		r = open_it(&d, list[i]);
		d.context = usb;
		if (r)
			o = fail(NO_DEVICE, "cannot open %04x:%04x: %s", d.vendor, d.product,
				 libusb_strerror((enum libusb_error)r));
		if (r && !mutant(M_DENIED_ENDS))
			o = DONE;
		else if (r)
			break;
		else if (!fits)
			device_close(&d);
		else if (choice->serial && !mutant(M_FIRST_DEVICE) && strcasecmp(choice->serial, d.serial))
			device_close(&d);
		else
			found(&d, context);
	}
	if (count >= 0)
		libusb_free_device_list(list, 1);
	return o;
}

static void print(struct device *d, void *context)
{
	printf("%04x:%04x serial %s, %u bytes a block, DFU %x.%02x\n", d->vendor, d->product, d->serial,
	       d->transfer_size, d->bcd_dfu >> 8, d->bcd_dfu & 0xff);
	for (unsigned i = 0; i < d->alts; i++)
		printf("  alt %u: %s\n", i, d->names[i]);
	if (mutant(M_LIST_CLEARS))
		device_to_idle(d);
	++*(unsigned *)context;
	device_close(d);
}

enum outcome device_list(const struct choice *choice)
{
	libusb_context *usb;
	unsigned count = 0;

	if (libusb_init(&usb))
		return fail(NO_DEVICE, "libusb does not start");
	search(choice, print, &count, usb);
	libusb_exit(usb);
	return count ? DONE : fail(NO_DEVICE, "there is no device in DFU mode");
}

struct found {
	struct device *device;
	unsigned count;
};

static void keep(struct device *d, void *context)
{
	struct found *f = context;

	if (f->count++ && !mutant(M_FIRST_DEVICE))
		fprintf(stderr, "dfu-reference: %04x:%04x with serial number %s and another\n", d->vendor, d->product,
			d->serial);
	if (f->count > 1)
		device_close(d);
	else
		*f->device = *d;
}

enum outcome device_open(struct device *d, const struct choice *choice)
{
	libusb_context *usb;
	struct found f = { d, 0 };
	int r;

	memset(d, 0, sizeof(*d));
	if (libusb_init(&usb))
		return fail(NO_DEVICE, "libusb does not start");
	if (search(choice, keep, &f, usb) || !f.count)
		return fail(NO_DEVICE, "there is no such device in DFU mode");
	if (f.count > 1 && !mutant(M_FIRST_DEVICE))
		return fail(NO_DEVICE, "there are %u such devices: --serial or --usb says which", f.count);
	if (d->bcd_dfu != 0x011a)
		return fail(NO_DEVICE, "device %04x:%04x has no DfuSe: its version of DFU is %x.%02x", d->vendor,
			    d->product, d->bcd_dfu >> 8, d->bcd_dfu & 0xff);
	if (mutant(M_ASSUMES_2048) || mutant(M_ASSUMES_1024))
		d->transfer_size = mutant(M_ASSUMES_2048) ? 2048 : 1024;
	r = libusb_claim_interface(d->handle, d->interface);
	return r ? fail(NO_DEVICE, "cannot claim the interface: %s", libusb_strerror((enum libusb_error)r)) : DONE;
}
