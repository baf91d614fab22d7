/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of alternate settings: Linux fetches that of a setting when it is set for the first time (usb_set_interface). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "usbfs.h"

#define NAME_BYTES 255u
#define TIMEOUT_MS 5000u /* USB_CTRL_GET_TIMEOUT of the kernel */

struct alt_name {
	struct alt_name *next;
	uint8_t configuration, interface, alt;
	char *text;
};

static const char *known_name(const struct port *p, uint8_t interface, uint8_t alt)
{
	for (const struct alt_name *n = p->alt_names; n; n = n->next) {
		if (n->configuration == p->configuration && n->interface == interface && n->alt == alt)
			return n->text;
	}
	return p->configuration == p->description->configuration
		       ? usb_description_interface_name(p->description, interface, alt)
		       : NULL;
}

static void remember(struct port *p, uint8_t interface, uint8_t alt, char *text)
{
	struct alt_name *n = calloc(1, sizeof(*n));

	if (!n) {
		free(text);
		return;
	}
	*n = (struct alt_name){ p->alt_names, p->configuration, interface, alt, text };
	p->alt_names = n;
}

void usbfs_forget_names(struct port *p)
{
	while (p->alt_names) {
		struct alt_name *next = p->alt_names->next;

		free(p->alt_names->text);
		free(p->alt_names);
		p->alt_names = next;
	}
}

static void show(struct port *p, uint8_t interface)
{
	tree_set_alt(p->bus->tree, p->address, interface, p->alt[interface],
		     known_name(p, interface, p->alt[interface]));
}

/* A name that cannot be had is none. */
static void name_done(struct transfer *t)
{
	struct port *p = t->port;
	char *text = t->status ? NULL : usb_string_text(t->bytes, t->urb.actual);

	if (text && p->description)
		remember(p, t->interface, p->alt[t->interface], text);
	else
		free(text);
	if (p->description)
		show(p, t->interface);
	if (t->call.id)
		answer_error(p->bus, t->call.id, t->status == -ESHUTDOWN ? -ENODEV : 0);
	transfer_free(t);
}

void usbfs_alt_set(struct port *p, struct handle *h, const struct call_info *c, uint8_t interface, uint8_t alt)
{
	const struct usb_configuration *config = usbfs_configuration(p);
	const uint8_t *setting = config ? usb_configuration_interface(config, interface, alt, NULL, NULL) : NULL;
	struct transfer *t = NULL;

	p->alt[interface] = alt;
	if (setting && setting[8] && p->description->has_strings && !known_name(p, interface, alt))
		t = transfer_new(p, h, NAME_BYTES);
	if (!t) {
		show(p, interface);
		if (c)
			answer_value(p->bus, c->id, 0);
		return;
	}
	transfer_control(t, 0x80, USB_REQUEST_GET_DESCRIPTOR, (uint16_t)(USB_DT_STRING << 8 | setting[8]),
			 p->description->language, NAME_BYTES);
	t->interface = interface;
	if (c)
		t->call = *c;
	t->done = name_done;
	transfer_start(t, TIMEOUT_MS);
}
