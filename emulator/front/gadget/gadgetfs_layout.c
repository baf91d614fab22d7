// SPDX-License-Identifier: GPL-2.0-or-later
/* Endpoints of a device to those of a controller. */
#include "gadgetfs_layout.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_BYTES 4u
#define DEVICE_BYTES 18u
#define CONFIGURATION_BYTES 9u
#define ATTRIBUTE_ONE 0x80u
#define ATTRIBUTE_WAKEUP 0x20u
#define TYPE_ISOCHRONOUS 1u
#define TYPE_BULK 2u
#define TYPE_INTERRUPT 3u
#define TYPE(t) (1u << (t))

/* What a name says: epN[in|out][-iso|-bulk|-int]; of endpoints without a number nobody knows the address. */
struct offer {
	unsigned number, types;
	bool in, out;
};

static bool read_name(const char *name, struct offer *o)
{
	int end = 0;

	if (sscanf(name, "ep%2u%n", &o->number, &end) != 1 || !end || !o->number || o->number > 15)
		return false;
	name += end;
	o->in = o->out = true;
	if (!strncmp(name, "in", 2)) {
		o->out = false;
		name += 2;
	} else if (!strncmp(name, "out", 3)) {
		o->in = false;
		name += 3;
	}
	if (!*name)
		o->types = TYPE(TYPE_ISOCHRONOUS) | TYPE(TYPE_BULK) | TYPE(TYPE_INTERRUPT);
	else if (!strcmp(name, "-bulk"))
		o->types = TYPE(TYPE_BULK) | TYPE(TYPE_INTERRUPT); /* to a controller it is the same */
	else if (!strcmp(name, "-int"))
		o->types = TYPE(TYPE_INTERRUPT);
	else if (!strcmp(name, "-iso"))
		o->types = TYPE(TYPE_ISOCHRONOUS);
	else
		return false;
	return true;
}

static bool is_free(const struct gadgetfs_layout *l, const char *name, uint8_t host)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->endpoints[i].name, name) || l->endpoints[i].host == host)
			return false;
	return true;
}

static bool choose(struct gadgetfs_layout *l, const char (*names)[GADGETFS_NAME], size_t name_count, unsigned type,
		   bool same_number, struct gadgetfs_endpoint *e)
{
	bool in = (e->device & 0x80) != 0;
	struct offer o;

	for (size_t i = 0; i < name_count; i++) {
		uint8_t host;

		if (!read_name(names[i], &o) || !(o.types & TYPE(type)) || !(in ? o.in : o.out))
			continue;
		host = (uint8_t)(o.number | (in ? 0x80 : 0));
		if ((same_number && host != e->device) || !is_free(l, names[i], host))
			continue;
		e->host = host;
		memcpy(e->name, names[i], sizeof(e->name));
		return true;
	}
	return false;
}

/* The next endpoint descriptor that counts: of each address the first. */
static const uint8_t *next(const struct gadgetfs_layout *l, const struct usb_configuration *c, size_t *at)
{
	const uint8_t *b;

	while ((b = usb_configuration_next(c, at, USB_DT_ENDPOINT, 7)))
		if (b[2] & 0x0f && !gadgetfs_of_device(l, b[2]))
			return b;
	return NULL;
}

static void place(struct gadgetfs_layout *l, const struct usb_configuration *c, const char (*names)[GADGETFS_NAME],
		  size_t name_count, bool same_number)
{
	const uint8_t *b;

	for (size_t at = 0; l->count < GADGETFS_ENDPOINTS && (b = next(l, c, &at));) {
		struct gadgetfs_endpoint e = { .device = b[2], .host = b[2] };

		/* The second time whoever has nothing, and keeps its address, is listed all the same. */
		if (choose(l, names, name_count, b[3] & 3, same_number, &e) || !same_number)
			l->endpoints[l->count++] = e;
	}
}

int gadgetfs_layout(const struct usb_description *d, const char (*names)[GADGETFS_NAME], size_t name_count,
		    struct gadgetfs_layout *l)
{
	struct usb_configuration c = d->configurations[0];
	size_t total;
	const uint8_t *b;

	memset(l, 0, sizeof(*l));
	if (c.length > GADGETFS_CONTROL_BYTES)
		return -EMSGSIZE;
	if (d->speed != USB_SPEED_IS_FULL || c.length < CONFIGURATION_BYTES || !c.bytes[5])
		return -EINVAL;
	l->length = TAG_BYTES + c.length + DEVICE_BYTES;
	l->bytes = calloc(1, l->length);
	if (!l->bytes)
		return -ENOMEM;
	memcpy(l->bytes + TAG_BYTES, c.bytes, c.length);
	c.bytes = l->bytes + TAG_BYTES;
	total = c.length;
	c.bytes[2] = (uint8_t)total;
	c.bytes[3] = (uint8_t)(total >> 8);
	/* gadgetfs insists on the one, and refuses the other. */
	c.bytes[7] = (uint8_t)((c.bytes[7] | ATTRIBUTE_ONE) & ~ATTRIBUTE_WAKEUP);
	memcpy(c.bytes + c.length, d->device, DEVICE_BYTES);
	c.bytes[c.length + 17] = 1;
	place(l, &c, names, name_count, true);
	place(l, &c, names, name_count, false);
	for (size_t at = 0; (b = usb_configuration_next(&c, &at, USB_DT_ENDPOINT, 7));) {
		const struct gadgetfs_endpoint *e = gadgetfs_of_device(l, b[2]);

		if (e)
			c.bytes[(size_t)(b - c.bytes) + 2] = e->host;
	}
	return 0;
}

const struct gadgetfs_endpoint *gadgetfs_of_device(const struct gadgetfs_layout *l, uint8_t address)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->endpoints[i].device == address)
			return &l->endpoints[i];
	return NULL;
}

const struct gadgetfs_endpoint *gadgetfs_of_host(const struct gadgetfs_layout *l, uint8_t address)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->endpoints[i].host == address)
			return &l->endpoints[i];
	return NULL;
}
