/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB 2.0 chapter 9 on the default control pipe, over descriptor data. */
#include <assert.h>
#include <string.h>
#include "ep0.h"

/* USB 2.0 tables 9-3 to 9-6 */
enum { RECIPIENT_DEVICE, RECIPIENT_INTERFACE, RECIPIENT_ENDPOINT };
enum { TYPE_STANDARD, TYPE_CLASS, TYPE_VENDOR };
enum {
	GET_STATUS = 0,
	CLEAR_FEATURE = 1,
	SET_FEATURE = 3,
	SET_ADDRESS = 5,
	GET_DESCRIPTOR = 6,
	GET_CONFIGURATION = 8,
	SET_CONFIGURATION = 9,
	GET_INTERFACE = 10,
	SET_INTERFACE = 11
};
enum { DESC_DEVICE = 1, DESC_CONFIGURATION = 2, DESC_STRING = 3, DESC_INTERFACE = 4, DESC_ENDPOINT = 5 };
enum { FEATURE_ENDPOINT_HALT = 0, FEATURE_REMOTE_WAKEUP = 1, FEATURE_TEST_MODE = 2 };

#define LANGID_ENGLISH_US 0x0409u
#define STRING_MAX_UNITS 126u /* bLength is one byte */

static size_t total_length(const uint8_t *configuration)
{
	return (size_t)(configuration[2] | configuration[3] << 8);
}

static const uint8_t *configuration_of(const struct ep0 *e, uint8_t value)
{
	for (unsigned i = 0; i < e->descriptors.device[17]; i++)
		if (e->descriptors.configurations[i][5] == value)
			return e->descriptors.configurations[i];
	return NULL;
}

/* Next descriptor of the given type at or after *offset, which moves behind it; NULL at the end or where a length lies. */
static const uint8_t *next_descriptor(const uint8_t *configuration, size_t *offset, uint8_t type, uint8_t min_length)
{
	size_t total = total_length(configuration);

	while (*offset + 2 <= total) {
		const uint8_t *d = configuration + *offset;

		if (d[0] < 2 || d[0] > total - *offset)
			return NULL;
		*offset += d[0];
		if (d[1] == type && d[0] >= min_length)
			return d;
	}
	return NULL;
}

/* alt < 0: any */
static bool has_interface(const struct ep0 *e, uint8_t number, int alt)
{
	const uint8_t *c = e->configuration ? configuration_of(e, e->configuration) : NULL, *d;
	size_t offset = 0;

	while (c && (d = next_descriptor(c, &offset, DESC_INTERFACE, 9)))
		if (d[2] == number && (alt < 0 || d[3] == alt))
			return true;
	return false;
}

static uint8_t alt_of(const struct ep0 *e, uint8_t interface)
{
	return interface < EP0_MAX_INTERFACES ? e->alt[interface] : 0;
}

/* Interface that holds an endpoint in its current alternate setting, or -1. */
static int interface_of_endpoint(const struct ep0 *e, uint8_t address)
{
	const uint8_t *c = e->configuration ? configuration_of(e, e->configuration) : NULL, *d;
	size_t offset = 0;

	while (c && (d = next_descriptor(c, &offset, DESC_INTERFACE, 9))) {
		size_t end = offset, next = offset;
		const uint8_t *endpoint;

		if (!next_descriptor(c, &next, DESC_INTERFACE, 9))
			next = total_length(c) + 1;
		if (alt_of(e, d[2]) != d[3])
			continue;
		while ((endpoint = next_descriptor(c, &end, DESC_ENDPOINT, 7)) && end < next)
			if (endpoint[2] == address)
				return d[2];
	}
	return -1;
}

bool ep0_has_endpoint(const struct ep0 *e, uint8_t address)
{
	return !(address & 0x0f) || interface_of_endpoint(e, address) >= 0;
}

bool ep0_is_halted(const struct ep0 *e, uint8_t address)
{
	return ((address & 0x80 ? e->halted_in : e->halted_out) >> (address & 0x0f) & 1) != 0;
}

void ep0_set_halted(struct ep0 *e, uint8_t address, bool halted)
{
	uint16_t *bits = address & 0x80 ? &e->halted_in : &e->halted_out;
	uint16_t bit = (uint16_t)(1u << (address & 0x0f));

	if (!(address & 0x0f))
		return; /* endpoint 0 knows protocol stalls only: the next SETUP clears them (RST-8, RST-11) */
	*bits = (uint16_t)(halted ? *bits | bit : *bits & ~bit);
}

void ep0_init(struct ep0 *e, const struct ep0_descriptors *descriptors, const struct ep0_handlers *handlers)
{
	memset(e, 0, sizeof *e);
	e->descriptors = *descriptors;
	e->handlers = *handlers;
}

void ep0_bus_reset(struct ep0 *e)
{
	e->address = 0;
	e->configuration = 0;
	memset(e->alt, 0, sizeof e->alt);
	e->halted_in = e->halted_out = 0;
	e->remote_wakeup = false;
}

static enum usb_result reply(const struct usb_setup *s, uint8_t *data, size_t *actual, const void *from, size_t length)
{
	*actual = length < s->length ? length : s->length; /* USB-2, ID-18, STR-10 */
	if (*actual)
		memcpy(data, from, *actual);
	return USB_ACK;
}

static enum usb_result reply_byte(const struct usb_setup *s, uint8_t *data, size_t *actual, uint8_t byte)
{
	return reply(s, data, actual, &byte, 1);
}

/* One code point of UTF-8; a byte that starts no valid sequence is taken as Latin-1. */
static uint32_t next_code_point(const unsigned char **text)
{
	const unsigned char *t = *text;
	unsigned extra = t[0] >= 0xf0 && t[0] < 0xf5   ? 3
			 : t[0] >= 0xe0 && t[0] < 0xf0 ? 2
			 : t[0] >= 0xc2 && t[0] < 0xe0 ? 1
						       : 0;
	uint32_t c = extra ? t[0] & (0x3fu >> extra) : t[0];

	for (unsigned i = 1; i <= extra; i++) {
		if ((t[i] & 0xc0) != 0x80) {
			*text = t + 1;
			return t[0];
		}
		c = c << 6 | (t[i] & 0x3f);
	}
	*text = t + 1 + extra;
	return c > 0x10ffff ? 0xfffd : c;
}

static enum usb_result get_string(const struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	uint8_t index = (uint8_t)s->value, out[2 + 2 * STRING_MAX_UNITS] = { 4, DESC_STRING };
	const char *text;
	size_t length = 2;

	if (!e->descriptors.string)
		return USB_STALL;
	if (!index) {
		out[2] = LANGID_ENGLISH_US & 0xff;
		out[3] = LANGID_ENGLISH_US >> 8;
		return reply(s, data, actual, out, 4); /* STR-0 */
	}
	text = e->descriptors.string(e->descriptors.context, index); /* the language id is not looked at: STR-9 */
	if (!text)
		return USB_STALL; /* STR-8 */
	if (index == e->descriptors.bytes_string_index) {
		while (text[length - 2] && length < sizeof out) {
			out[length] = (uint8_t)text[length - 2];
			length++;
		}
		text = "";
	}
	for (const unsigned char *t = (const unsigned char *)text; *t;) {
		uint32_t c = next_code_point(&t), units[2] = { c, 0 };
		unsigned count = 1;

		if (c > 0xffff) {
			units[0] = 0xd800 | (c - 0x10000) >> 10;
			units[1] = 0xdc00 | ((c - 0x10000) & 0x3ff);
			count = 2;
		}
		if (length + 2 * count > sizeof out)
			break;
		for (unsigned i = 0; i < count; i++) {
			out[length++] = (uint8_t)units[i];
			out[length++] = (uint8_t)(units[i] >> 8);
		}
	}
	out[0] = (uint8_t)length;
	if (index == e->descriptors.short_string_index && length > e->descriptors.short_string_bytes)
		length = e->descriptors.short_string_bytes;
	return reply(s, data, actual, out, length);
}

static enum usb_result get_descriptor(struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	const uint8_t *configuration, *class_data;
	size_t length;

	if (s->type == 0x81) {
		if (!has_interface(e, (uint8_t)s->index, -1) || !e->descriptors.interface_descriptor ||
		    e->descriptors.interface_descriptor(e->descriptors.context, s, &class_data, &length))
			return USB_STALL;
		return reply(s, data, actual, class_data, length); /* ID-17 */
	}
	if (s->type != 0x80)
		return USB_STALL;
	switch (s->value >> 8) {
	case DESC_DEVICE:
		return reply(s, data, actual, e->descriptors.device, 18);
	case DESC_CONFIGURATION:
		if ((uint8_t)s->value >= e->descriptors.device[17])
			return USB_STALL;
		configuration = e->descriptors.configurations[(uint8_t)s->value];
		return reply(s, data, actual, configuration, total_length(configuration));
	case DESC_STRING:
		return get_string(e, s, data, actual);
	default:
		return USB_STALL; /* qualifier, other speed, BOS: ID-10 */
	}
}

static enum usb_result get_status(const struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	uint8_t status[2] = { 0, 0 };
	const uint8_t *c;

	if (s->length != 2)
		return USB_STALL; /* USB-4 */
	switch (s->type) {
	case 0x80:
		c = e->configuration ? configuration_of(e, e->configuration) : e->descriptors.configurations[0];
		status[0] = (uint8_t)((c[7] >> 6 & 1) | (e->remote_wakeup ? 2 : 0)); /* ID-11 */
		break;
	case 0x81:
		if (!has_interface(e, (uint8_t)s->index, -1))
			return USB_STALL;
		break; /* always 00 00: USB-5. ASSUMED: an older library stalls. */
	case 0x82:
		if (!ep0_has_endpoint(e, (uint8_t)s->index))
			return USB_STALL;
		status[0] = ep0_is_halted(e, (uint8_t)s->index);
		break;
	default:
		return USB_STALL;
	}
	return reply(s, data, actual, status, 2);
}

static bool may_wake_up(const struct ep0 *e)
{
	const uint8_t *c = configuration_of(e, e->configuration);

	return e->descriptors.accepts_unadvertised_features || (c && c[7] & 0x20);
}

static enum usb_result feature(struct ep0 *e, const struct usb_setup *s)
{
	bool set = s->request == SET_FEATURE;

	if (s->length)
		return USB_STALL;
	switch (s->type) {
	case 0x00:
		if (s->value == FEATURE_REMOTE_WAKEUP && may_wake_up(e)) {
			e->remote_wakeup = set;
			return USB_ACK;
		}
		/* Test mode is for high speed (USB 2.0 9.4.9) and never cleared by request; the ROM says yes all the same. */
		if (s->value == FEATURE_TEST_MODE && set && e->descriptors.accepts_unadvertised_features)
			return USB_ACK; /* USB-6 */
		return USB_STALL;
	case 0x02:
		if (s->value != FEATURE_ENDPOINT_HALT || !ep0_has_endpoint(e, (uint8_t)s->index))
			return USB_STALL;
		ep0_set_halted(e, (uint8_t)s->index, set);
		return USB_ACK;
	default:
		return USB_STALL; /* interfaces have no features */
	}
}

static enum usb_result set_address(struct ep0 *e, const struct usb_setup *s)
{
	/* While configured the device's answer is undefined (USB 2.0 9.4.6); ST's library stalls. */
	if (s->type != 0x00 || s->length || s->index || s->value > 127 || e->configuration)
		return USB_STALL;
	e->address = (uint8_t)s->value;
	return USB_ACK;
}

/* Accepted at address 0 too: fronts whose host side does the addressing itself never send SET_ADDRESS. */
static enum usb_result set_configuration(struct ep0 *e, const struct usb_setup *s)
{
	uint8_t value = (uint8_t)s->value;

	if (s->type != 0x00 || s->length || (value && !configuration_of(e, value)))
		return USB_STALL; /* USB-3 */
	e->configuration = value;
	memset(e->alt, 0, sizeof e->alt);
	e->halted_in = e->halted_out = 0;
	if (e->handlers.configured)
		e->handlers.configured(e->handlers.context, value);
	return USB_ACK;
}

static enum usb_result set_interface(struct ep0 *e, const struct usb_setup *s)
{
	uint8_t interface = (uint8_t)s->index;

	/* RST-5 */
	if (s->type != 0x01 || s->length || s->value > 0xff || !has_interface(e, interface, s->value))
		return USB_STALL;
	if (interface >= EP0_MAX_INTERFACES)
		return s->value ? USB_STALL : USB_ACK;
	e->alt[interface] = (uint8_t)s->value;
	for (unsigned n = 1; n < 16; n++) {
		if (interface_of_endpoint(e, (uint8_t)n) == interface)
			ep0_set_halted(e, (uint8_t)n, false);
		if (interface_of_endpoint(e, (uint8_t)(n | 0x80)) == interface)
			ep0_set_halted(e, (uint8_t)(n | 0x80), false);
	}
	if (e->handlers.alternate)
		e->handlers.alternate(e->handlers.context, interface, e->alt[interface]);
	return USB_ACK;
}

static enum usb_result standard(struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	switch (s->request) {
	case GET_STATUS:
		return get_status(e, s, data, actual);
	case CLEAR_FEATURE:
	case SET_FEATURE:
		return feature(e, s);
	case SET_ADDRESS:
		return set_address(e, s);
	case GET_DESCRIPTOR:
		return get_descriptor(e, s, data, actual);
	case GET_CONFIGURATION:
		return s->type == 0x80 ? reply_byte(s, data, actual, e->configuration) : USB_STALL;
	case SET_CONFIGURATION:
		return set_configuration(e, s);
	case GET_INTERFACE:
		if (s->type != 0x81 || !has_interface(e, (uint8_t)s->index, -1))
			return USB_STALL;
		return reply_byte(s, data, actual, alt_of(e, (uint8_t)s->index));
	case SET_INTERFACE:
		return set_interface(e, s);
	default:
		return USB_STALL; /* SET_DESCRIPTOR and SYNCH_FRAME are optional */
	}
}

static enum usb_result not_standard(struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	enum usb_result result;

	/* Only the low byte of wIndex counts: ST-18. ASSUMED: as the library's check, the ROM's edge is not known. */
	if ((s->type & 0x1f) == RECIPIENT_INTERFACE && !has_interface(e, (uint8_t)s->index, -1))
		return USB_STALL;
	if ((s->type & 0x1f) == RECIPIENT_ENDPOINT && !ep0_has_endpoint(e, (uint8_t)s->index))
		return USB_STALL;
	if (!e->handlers.class_request)
		return USB_STALL;
	result = e->handlers.class_request(e->handlers.context, s, data, actual);
	assert(result == USB_ACK || result == USB_STALL);
	assert(*actual <= s->length);
	return result;
}

enum usb_result ep0_control(struct ep0 *e, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	unsigned type = s->type >> 5 & 3;
	enum usb_result result;

	*actual = 0;
	if (type == TYPE_STANDARD)
		result = standard(e, s, data, actual);
	else if (type == TYPE_CLASS || type == TYPE_VENDOR)
		result = not_standard(e, s, data, actual);
	else
		result = USB_STALL;
	if (result != USB_ACK)
		*actual = 0;
	else if (!(s->type & 0x80))
		*actual = s->length;
	return result;
}
