// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces and endpoints of a device, from its descriptors. */
#include "info.h"
#include <string.h>

#define FIRST_IN 16

static void no_endpoints(struct usb_redir_ep_info_header *e, uint8_t packet_size)
{
	memset(e, 0, sizeof(*e));
	memset(e->type, usb_redir_type_invalid, sizeof(e->type));
	e->type[0] = e->type[FIRST_IN] = usb_redir_type_control;
	e->max_packet_size[0] = e->max_packet_size[FIRST_IN] = packet_size;
}

static void add_endpoint(struct usb_redir_ep_info_header *e, uint8_t interface, const uint8_t *descriptor)
{
	unsigned i = info_index(descriptor[2]);

	if (!(descriptor[2] & 0x0f))
		return;
	e->type[i] = descriptor[3] & 3;
	e->interface[i] = interface;
	e->max_packet_size[i] = (uint16_t)(descriptor[4] | descriptor[5] << 8);
	/* QEMU refuses a device with a periodic endpoint of interval 0, which real hosts take for the shortest. */
	e->interval[i] = descriptor[6] ? descriptor[6] : 1;
}

static bool is_listed(const struct usb_redir_interface_info_header *t, uint8_t interface)
{
	for (unsigned i = 0; i < t->interface_count; i++)
		if (t->interface[i] == interface)
			return true;
	return false;
}

/* The setting that is selected, or the one that was found if the device has no such. */
static void add_interface(struct info *info, const struct usb_configuration *c, const uint8_t *found,
			  const uint8_t alts[INFO_INTERFACES])
{
	struct usb_redir_interface_info_header *t = &info->interfaces;
	uint8_t number = found[2];
	uint8_t alt = number < INFO_INTERFACES ? alts[number] : 0;
	size_t offset, end;
	const uint8_t *d = usb_configuration_interface(c, number, alt, &offset, &end), *endpoint;

	if (!d)
		d = usb_configuration_interface(c, number, found[3], &offset, &end);
	if (!d)
		return;
	t->interface[t->interface_count] = number;
	t->interface_class[t->interface_count] = d[5];
	t->interface_subclass[t->interface_count] = d[6];
	t->interface_protocol[t->interface_count++] = d[7];
	while ((endpoint = usb_configuration_next(c, &offset, USB_DT_ENDPOINT, 7)) != NULL && offset <= end)
		add_endpoint(&info->endpoints, number, endpoint);
}

void info_fill(struct info *info, const struct usb_description *d, const struct usb_configuration *c,
	       const uint8_t alts[INFO_INTERFACES])
{
	const uint8_t *interface;
	size_t offset = 0;

	memset(&info->interfaces, 0, sizeof(info->interfaces));
	no_endpoints(&info->endpoints, d->device[7]);
	while (c && info->interfaces.interface_count < INFO_INTERFACES &&
	       (interface = usb_configuration_next(c, &offset, USB_DT_INTERFACE, 9)) != NULL)
		if (!is_listed(&info->interfaces, interface[2]))
			add_interface(info, c, interface, alts);
}

void info_device(const struct usb_description *d, struct usb_redir_device_connect_header *h)
{
	const uint8_t *b = d->device;

	*h = (struct usb_redir_device_connect_header){
		.speed = d->speed == USB_SPEED_IS_LOW    ? usb_redir_speed_low
			 : d->speed == USB_SPEED_IS_HIGH ? usb_redir_speed_high
							 : usb_redir_speed_full,
		.device_class = b[4],
		.device_subclass = b[5],
		.device_protocol = b[6],
		.vendor_id = (uint16_t)(b[8] | b[9] << 8),
		.product_id = (uint16_t)(b[10] | b[11] << 8),
		.device_version_bcd = (uint16_t)(b[12] | b[13] << 8),
	};
}
