// SPDX-License-Identifier: GPL-2.0-or-later
/* What FunctionFS wants to be told of a device. */
#include "ffs_descriptors.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* linux/usb/functionfs.h, whose other names clash with those of describe.h */
#define MAGIC_STRINGS 2u
#define MAGIC_DESCRIPTORS_V2 3u
#define HAS_FS_DESC 1u
#define VIRTUAL_ADDR 16u
#define ALL_CTRL_RECIP 64u
#define CONFIG0_SETUP 128u

#define DT_OTG 9u
#define DT_ASSOCIATION 11u
#define DT_CLASS_FIRST 0x21u /* DFU functional, HID */
#define CLASS_COMMUNICATION 0x02u
#define CLASS_HID 0x03u
#define CLASS_DATA 0x0au
#define CLASS_APPLICATION 0xfeu
#define SUBCLASS_ABSTRACT 0x02u
#define SUBCLASS_DFU 0x01u
#define DFU_FUNCTIONAL_BYTES 9u
#define HID_BYTES 9u

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)v;
	b[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *b, size_t v)
{
	put16(b, (unsigned)v);
	put16(b + 2, (unsigned)(v >> 16));
}

/* The next descriptor of any type; NULL at the end, or where a bLength leads nowhere. */
static const uint8_t *next(const struct usb_configuration *c, size_t *at)
{
	const uint8_t *b = c->bytes + *at;

	if (*at + 2 > c->length || b[0] < 2 || b[0] > c->length - *at)
		return NULL;
	*at += b[0];
	return b;
}

static bool is_interface(const uint8_t *b)
{
	return b[1] == USB_DT_INTERFACE && b[0] == 9;
}

static bool is_dfu(const uint8_t *interface, const uint8_t *b)
{
	return interface && interface[5] == CLASS_APPLICATION && interface[6] == SUBCLASS_DFU &&
	       b[1] == DT_CLASS_FIRST && b[0] == DFU_FUNCTIONAL_BYTES;
}

static bool is_taken(const uint8_t *interface, const uint8_t *b, enum ffs_kinds kinds)
{
	switch (b[1]) {
	case USB_DT_INTERFACE:
		return b[0] == 9;
	case USB_DT_ENDPOINT:
		return interface && (b[0] == 7 || b[0] == 9) && b[2] & 0x0f;
	case DT_OTG:
		return b[0] == 5;
	case DT_ASSOCIATION:
		return b[0] == 8;
	case DT_CLASS_FIRST:
		if (kinds == FFS_ALL && is_dfu(interface, b))
			return true;
		return kinds != FFS_STANDARD_ALONE && interface && interface[5] == CLASS_HID && b[0] == HID_BYTES;
	default:
		return false;
	}
}

static const char *text_of(const struct usb_description *d, const uint8_t *interface)
{
	return interface[8] ? usb_description_interface_name(d, interface[2], interface[3]) : NULL;
}

int ffs_descriptors(const struct usb_description *d, const struct usb_configuration *c, enum ffs_kinds kinds,
		    struct ffs_blob *blob, unsigned *left_out)
{
	const size_t head = 16;
	const uint8_t *b, *interface = NULL;
	unsigned count = 0, strings = 0, interfaces = 0;
	size_t at = c->bytes[0];
	uint8_t *out;

	*left_out = 0;
	blob->length = head;
	blob->bytes = malloc(head + c->length);
	if (!blob->bytes)
		return -ENOMEM;
	while ((b = next(c, &at))) {
		if (is_interface(b))
			interface = b;
		if (!is_taken(interface, b, kinds)) {
			++*left_out;
			continue;
		}
		out = blob->bytes + blob->length;
		memcpy(out, b, b[0]);
		if (is_interface(b)) {
			interfaces++;
			out[8] = text_of(d, b) && strings < UINT8_MAX ? (uint8_t)++strings : 0;
		} else if (b[1] == DT_ASSOCIATION) {
			out[7] = 0;
		}
		blob->length += b[0];
		count++;
	}
	put32(blob->bytes, MAGIC_DESCRIPTORS_V2);
	put32(blob->bytes + 4, blob->length);
	put32(blob->bytes + 8, HAS_FS_DESC | VIRTUAL_ADDR | ALL_CTRL_RECIP | CONFIG0_SETUP);
	put32(blob->bytes + 12, count);
	if (interfaces)
		return 0;
	free(blob->bytes);
	blob->bytes = NULL;
	return -EINVAL;
}

int ffs_strings(const struct usb_description *d, const struct usb_configuration *c, struct ffs_blob *blob)
{
	const size_t head = 16;
	size_t at = c->bytes[0], room = head + 2;
	unsigned count = 0;
	const uint8_t *b;

	for (size_t i = 0; i < d->interface_name_count; i++)
		room += strlen(d->interface_names[i].text) + 1;
	/* The same text may be asked for by several descriptors of a hostile device. */
	while ((b = next(c, &at)))
		if (is_interface(b) && text_of(d, b))
			room += strlen(text_of(d, b)) + 1;
	blob->bytes = malloc(room);
	if (!blob->bytes)
		return -ENOMEM;
	blob->length = head + 2;
	put16(blob->bytes + head, d->language);
	for (at = c->bytes[0]; (b = next(c, &at));) {
		const char *text = is_interface(b) ? text_of(d, b) : NULL;

		if (!text || count == UINT8_MAX)
			continue;
		memcpy(blob->bytes + blob->length, text, strlen(text) + 1);
		blob->length += strlen(text) + 1;
		count++;
	}
	if (!count)
		blob->length = head;
	put32(blob->bytes, MAGIC_STRINGS);
	put32(blob->bytes + 4, blob->length);
	put32(blob->bytes + 8, count);
	put32(blob->bytes + 12, count ? 1 : 0);
	return 0;
}

bool ffs_has_dfu(const struct usb_configuration *c)
{
	const uint8_t *b, *interface = NULL;

	for (size_t at = c->bytes[0]; (b = next(c, &at));) {
		if (is_interface(b))
			interface = b;
		if (is_dfu(interface, b))
			return true;
	}
	return false;
}

unsigned ffs_highest_alt(const struct usb_configuration *c)
{
	const uint8_t *b;
	unsigned highest = 0;

	for (size_t at = c->bytes[0]; (b = next(c, &at));)
		if (is_interface(b) && b[3] > highest)
			highest = b[3];
	return highest;
}

bool ffs_acm(const struct usb_configuration *c, uint8_t *in, uint8_t *out)
{
	const uint8_t *b, *interface = NULL;
	bool control = false;

	*in = *out = 0;
	for (size_t at = c->bytes[0]; (b = next(c, &at));) {
		if (is_interface(b)) {
			interface = b;
			if (b[5] == CLASS_COMMUNICATION && b[6] == SUBCLASS_ABSTRACT)
				control = true;
			else if (b[5] != CLASS_DATA)
				return false; /* more than a serial port */
		}
		if (b[1] != USB_DT_ENDPOINT || b[0] < 7 || !interface || interface[5] != CLASS_DATA || (b[3] & 3) != 2)
			continue;
		if (b[2] & 0x80)
			*in = b[2];
		else
			*out = b[2];
	}
	return control && *in && *out;
}
