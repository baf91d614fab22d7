// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors and requests as a host controller's driver reads them. A device's bytes are not trusted. */
#include <stdlib.h>
#include <string.h>
#include "bus_facts.h"

enum { GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9, SET_INTERFACE = 11 };
enum { DESC_DEVICE = 1, DESC_CONFIGURATION = 2, DESC_INTERFACE = 4, DESC_ENDPOINT = 5 };

/* Of all configurations and settings; more are not looked at. */
#define MOST_ENDPOINTS 1024u

void bus_facts_reset(struct bus_facts *f)
{
	f->configuration = 0;
	memset(f->alt, 0, sizeof f->alt);
}

void bus_facts_forget(struct bus_facts *f)
{
	free(f->endpoints);
	memset(f, 0, sizeof *f);
}

/* Without memory the endpoint is not known: it is taken for the usual. */
static void add(struct bus_facts *f, const struct bus_endpoint *e)
{
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		struct bus_endpoint *more = room > MOST_ENDPOINTS ? NULL
								  : realloc(f->endpoints, room * sizeof *f->endpoints);

		if (!more)
			return;
		f->endpoints = more;
		f->room = room;
	}
	f->endpoints[f->count++] = *e;
}

static void learn_configuration(struct bus_facts *f, const uint8_t *data, size_t length)
{
	struct bus_endpoint e = { .configuration = data[5] };
	bool in_interface = false;
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++)
		if (f->endpoints[i].configuration != e.configuration)
			f->endpoints[kept++] = f->endpoints[i];
	f->count = kept;
	for (size_t at = 0; at + 2 <= length; at += data[at]) {
		const uint8_t *d = data + at;

		if (d[0] < 2 || d[0] > length - at)
			break;
		if (d[1] == DESC_INTERFACE && d[0] >= 4) {
			e.interface = d[2];
			e.alt = d[3];
			in_interface = true;
		} else if (d[1] == DESC_ENDPOINT && d[0] >= 7 && in_interface) {
			e.address = d[2] & 0x8f;
			e.type = d[3] & 3;
			e.packet_bytes = (uint16_t)((d[4] | d[5] << 8) & 0x7ff);
			e.interval_ms = d[6];
			add(f, &e);
		}
	}
}

void bus_facts_learn(struct bus_facts *f, const struct usb_setup *s, const uint8_t *data, size_t actual)
{
	unsigned what = (unsigned)s->type << 8 | s->request;

	switch (what) {
	case 0x8000 | GET_DESCRIPTOR:
		if (s->value >> 8 == DESC_DEVICE && actual >= 8 && data[1] == DESC_DEVICE)
			f->packet0_bytes = data[7] == 8 || data[7] == 16 || data[7] == 32 || data[7] == 64 ? data[7]
													   : 0;
		else if (s->value >> 8 == DESC_CONFIGURATION && actual >= 9 && data[1] == DESC_CONFIGURATION &&
			 actual >= (size_t)(data[2] | data[3] << 8)) /* its head alone says nothing of endpoints */
			learn_configuration(f, data, actual);
		break;
	case SET_CONFIGURATION:
		bus_facts_reset(f);
		f->configuration = (uint8_t)s->value;
		break;
	case 0x0100 | SET_INTERFACE:
		f->alt[(uint8_t)s->index] = (uint8_t)s->value;
		break;
	}
}

const struct bus_endpoint *bus_facts_find(const struct bus_facts *f, uint8_t address)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct bus_endpoint *e = &f->endpoints[i];

		if (e->address == address && e->configuration == f->configuration && e->alt == f->alt[e->interface])
			return e;
	}
	return NULL;
}

bool bus_facts_belongs(const struct bus_facts *f, uint8_t interface, uint8_t address)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct bus_endpoint *e = &f->endpoints[i];

		if (e->address == address && e->configuration == f->configuration && e->interface == interface)
			return true;
	}
	return false;
}
