/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors in a recording, and a chapter 9 over them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "recorded_internal.h"

#define GET_DESCRIPTOR 6
#define DT_DEVICE 1
#define DT_CONFIGURATION 2
#define DT_INTERFACE 4
#define DT_ENDPOINT 5
#define DEVICE_BYTES 18
#define CONFIGURATION_BYTES 9

static bool is_answer(const struct recorded_exchange *x, uint8_t type, uint16_t value)
{
	return x->setup.type == type && x->setup.request == GET_DESCRIPTOR && x->setup.value == value && x->complete &&
	       (x->result == USB_ACK || x->result == USB_STALL);
}

/* Right index before wrong one, then answer before STALL, then longer before shorter. */
static unsigned rank(const struct recorded_exchange *x, uint16_t index)
{
	return (x->setup.index == index ? 2u : 0u) + (x->result == USB_ACK ? 1u : 0u);
}

const struct recorded_exchange *recorded_descriptor(const struct recorded_life *life, uint8_t type, uint16_t value,
						    uint16_t index)
{
	const struct recorded_exchange *best = NULL;

	for (size_t i = 0; i < life->count; i++) {
		const struct recorded_exchange *x = &life->exchanges[i];

		if (is_answer(x, type, value) && (!best || rank(x, index) > rank(best, index) ||
						  (rank(x, index) == rank(best, index) && x->length > best->length)))
			best = x;
	}
	return best;
}

static size_t total_length(const uint8_t *configuration)
{
	return (size_t)(configuration[2] | configuration[3] << 8);
}

static const struct recorded_exchange *device_of(const struct recorded_life *life)
{
	const struct recorded_exchange *x = recorded_descriptor(life, 0x80, DT_DEVICE << 8, 0);

	return x && x->result == USB_ACK && x->length >= DEVICE_BYTES ? x : NULL;
}

static const struct recorded_exchange *configuration_of(const struct recorded_life *life, unsigned number)
{
	const struct recorded_exchange *x = recorded_descriptor(life, 0x80, (uint16_t)(DT_CONFIGURATION << 8 | number),
								0);

	return x && x->result == USB_ACK && x->length >= CONFIGURATION_BYTES && x->length >= total_length(x->data)
		       ? x
		       : NULL;
}

const char *recorded_missing(const struct recorded_life *life)
{
	if (!device_of(life))
		return "the device descriptor is not in the recording";
	for (unsigned i = 0; i < RECORDED_CONFIGURATIONS; i++)
		if (configuration_of(life, i))
			return NULL;
	return "no configuration descriptor is in the recording, or not the whole of it";
}

static void read_interface(const uint8_t *d, struct recorded_interfaces *f, uint8_t dfu[32])
{
	uint8_t bit = (uint8_t)(1u << (d[2] & 7));

	if (d[5] == 0xfe && d[6] == 1) { /* DFU 1.1 4.1.2, 4.2.3 */
		f->dfu = true;
		dfu[d[2] >> 3] |= bit;
	} else {
		f->others[d[2] >> 3] |= bit;
	}
}

void recorded_read_interfaces(const struct recorded_life *life, struct recorded_interfaces *f)
{
	uint8_t dfu[sizeof(f->others)] = { 0 };

	*f = (struct recorded_interfaces){ .dfu = false };
	for (unsigned i = 0; i < RECORDED_CONFIGURATIONS; i++) {
		const struct recorded_exchange *x = configuration_of(life, i);

		if (!x)
			continue;
		for (size_t at = 0; x->length - at >= 2 && x->data[at] >= 2 && x->data[at] <= x->length - at;
		     at += x->data[at])
			if (x->data[at] >= 9 && x->data[at + 1] == DT_INTERFACE)
				read_interface(x->data + at, f, dfu);
			else if (x->data[at] >= 7 && x->data[at + 1] == DT_ENDPOINT)
				f->high_speed |= (x->data[at + 3] & 3) == 2 && x->data[at + 5] == 2;
	}
	for (size_t i = 0; i < sizeof(dfu); i++)
		f->others[i] &= (uint8_t)~dfu[i];
}

bool recorded_has_dfu(const struct recorded_life *life)
{
	struct recorded_interfaces f;

	recorded_read_interfaces(life, &f);
	return f.dfu;
}

/* Drivers of a host talk to other interfaces, and browsers and Windows ask whole devices for descriptors of vendors. */
bool recorded_is_followed(const struct recorded_interfaces *f, const struct usb_setup *s)
{
	unsigned type = s->type >> 5 & 3, recipient = s->type & 0x1f;

	if (!f->dfu || !type)
		return false;
	if (recipient == 1)
		return !(f->others[(s->index & 0xff) >> 3] >> (s->index & 7) & 1);
	return recipient == 0 && type == 1;
}

size_t recorded_first_request(const struct recorded_life *life)
{
	struct recorded_interfaces f;
	size_t i = 0;

	recorded_read_interfaces(life, &f);
	while (i < life->count && !recorded_is_followed(&f, &life->exchanges[i].setup))
		i++;
	return i;
}

static int add_configuration(struct recorded *r, unsigned at, const struct recorded_exchange *x)
{
	size_t length = x ? total_length(x->data) : 0;

	if (length < CONFIGURATION_BYTES)
		length = CONFIGURATION_BYTES;
	r->configurations[at] = calloc(1, length);
	if (!r->configurations[at])
		return -ENOMEM;
	if (x)
		memcpy(r->configurations[at], x->data, length < x->length ? length : x->length);
	/* The chapter 9 goes by this. */
	r->configurations[at][2] = (uint8_t)length;
	r->configurations[at][3] = (uint8_t)(length >> 8);
	return 0;
}

int recorded_begin_descriptors(struct recorded *r)
{
	const struct recorded_life *life = &r->lives[r->life];
	const struct recorded_exchange *device = device_of(life);
	unsigned count = 0;
	int error = 0;

	recorded_end_descriptors(r);
	memset(r->device, 0, sizeof(r->device));
	if (device)
		memcpy(r->device, device->data, DEVICE_BYTES);
	for (unsigned i = 0; i < RECORDED_CONFIGURATIONS && !error; i++) {
		const struct recorded_exchange *x = configuration_of(life, i);

		if (x)
			error = add_configuration(r, count++, x);
	}
	if (!count && !error)
		error = add_configuration(r, count++, NULL);
	if (error)
		return error;
	r->device[17] = (uint8_t)count;
	ep0_init(&r->ep0,
		 &(const struct ep0_descriptors){
			 .device = r->device,
			 .configurations = (const uint8_t *const *)r->configurations,
			 .accepts_unadvertised_features = true,
			 .context = r,
		 },
		 &(const struct ep0_handlers){ .context = r });
	return 0;
}

void recorded_end_descriptors(struct recorded *r)
{
	for (unsigned i = 0; i < RECORDED_CONFIGURATIONS; i++) {
		free(r->configurations[i]);
		r->configurations[i] = NULL;
	}
}

/* Other lives of the same device may have said what was not asked in this one. */
const struct recorded_exchange *recorded_find_descriptor(const struct recorded *r, const struct usb_setup *s)
{
	const struct recorded_exchange *x = recorded_descriptor(&r->lives[r->life], s->type, s->value, s->index);

	for (size_t l = 0; !x && l < r->life_count; l++) {
		const struct recorded_exchange *device = recorded_descriptor(&r->lives[l], 0x80, 0x0100, 0);

		if (device && device->result == USB_ACK && device->length >= sizeof(r->device) &&
		    !memcmp(device->data, r->device, sizeof(r->device) - 1))
			x = recorded_descriptor(&r->lives[l], s->type, s->value, s->index);
	}
	return x;
}

/* While a host works with a device it reads no descriptor more often than the recorded one did. */
bool recorded_is_read_again(struct recorded *r, const struct usb_setup *s)
{
	const struct recorded_life *life = &r->lives[r->life];

	for (size_t i = recorded_first_request(life); i < life->count; i++) {
		const struct usb_setup *other = &life->exchanges[i].setup;

		if (!r->done[i] && other->type == s->type && other->request == s->request && other->value == s->value &&
		    other->index == s->index) {
			r->done[i] = true;
			return false;
		}
	}
	return true;
}

/* Device qualifier, other speed, BOS, and what Windows looks for: asked by some hosts, of all devices. */
bool recorded_is_asked_by_the_way(const struct usb_setup *s)
{
	unsigned type = s->value >> 8;

	return type == 6 || type == 7 || type == 15 || s->value == 0x03ee;
}
