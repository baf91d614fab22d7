/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enumeration of a device as a Linux hub driver does it, in bench time. */
#include "describe.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* USB 2.0 7.1.7.3 and 9.2.6.2; the reset is as long as Linux drives it on a root port. */
#define DEBOUNCE_US 100000u
#define RESET_US 50000u
#define RESET_RECOVERY_US 10000u
#define SET_ADDRESS_RECOVERY_US 10000u
#define REQUEST_TIMEOUT_US 5000000u
#define TRIES 3u

#define SHORT_BYTES 255u
#define LANGUAGE_ENGLISH_US 0x0409u
/* 126 UTF-16 units of at most 3 UTF-8 bytes each (a surrogate pair is 4 bytes for two units). */
#define TEXT_BYTES (126u * 3u + 1u)

enum step {
	STEP_IDLE,
	STEP_FIRST_RESET,
	STEP_DEVICE_HEAD,
	STEP_SECOND_RESET,
	STEP_SET_ADDRESS,
	STEP_ADDRESSED,
	STEP_DEVICE,
	STEP_CONFIGURATION_HEAD,
	STEP_CONFIGURATION,
	STEP_LANGUAGE,
	STEP_PRODUCT,
	STEP_MANUFACTURER,
	STEP_SERIAL,
	STEP_SET_CONFIGURATION,
	STEP_CONFIGURATION_NAME,
	STEP_INTERFACE_NAME,
	STEP_DONE,
};

struct describe {
	struct bench *bench;
	struct usbdev *dev;
	uint8_t address;
	describe_done *done;
	void *context;

	struct bench_event event; /* one at a time: a wait, the time-out of the request, or the next step */
	enum step step;
	unsigned tries;
	bool running, pending, timed_out, answered, all_names;
	struct usb_urb urb;
	uint8_t *large; /* room for a whole configuration */
	uint8_t small[SHORT_BYTES];

	struct usb_description *description;
	size_t index;  /* the configuration asked for */
	size_t offset; /* where to look for the next interface */
	const uint8_t *interface;
	uint16_t language;
	bool has_language, complete;
	char error[160];
};

static unsigned le16(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8;
}

/* ---- descriptions ---- */

static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return !from || *to;
}

void usb_description_free(struct usb_description *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->configuration_count; i++) {
		free(d->configurations[i].bytes);
		free(d->configurations[i].name);
	}
	for (size_t i = 0; i < d->interface_name_count; i++)
		free(d->interface_names[i].text);
	free(d->interface_names);
	free(d->manufacturer);
	free(d->product);
	free(d->serial);
	free(d);
}

struct usb_description *usb_description_copy(const struct usb_description *from)
{
	struct usb_description *d = calloc(1, sizeof(*d));
	bool ok;

	if (!d)
		return NULL;
	d->speed = from->speed;
	d->configuration = from->configuration;
	d->has_strings = from->has_strings;
	d->language = from->language;
	memcpy(d->device, from->device, sizeof(d->device));
	ok = copy_text(&d->manufacturer, from->manufacturer) && copy_text(&d->product, from->product) &&
	     copy_text(&d->serial, from->serial);
	for (size_t i = 0; ok && i < from->configuration_count; i++) {
		const struct usb_configuration *source = &from->configurations[i];
		struct usb_configuration *c = &d->configurations[d->configuration_count++];

		c->length = source->length;
		c->bytes = malloc(source->length);
		if (c->bytes)
			memcpy(c->bytes, source->bytes, source->length);
		ok = c->bytes && copy_text(&c->name, source->name);
	}
	if (ok && from->interface_name_count) {
		d->interface_names = calloc(from->interface_name_count, sizeof(*d->interface_names));
		ok = d->interface_names;
	}
	for (size_t i = 0; ok && i < from->interface_name_count; i++) {
		struct usb_interface_name *n = &d->interface_names[d->interface_name_count++];

		*n = from->interface_names[i];
		ok = copy_text(&n->text, from->interface_names[i].text);
	}
	if (ok)
		return d;
	usb_description_free(d);
	return NULL;
}

const struct usb_configuration *usb_description_configuration(const struct usb_description *d, uint8_t value)
{
	for (size_t i = 0; i < d->configuration_count; i++)
		if (d->configurations[i].bytes[5] == value)
			return &d->configurations[i];
	return NULL;
}

const char *usb_description_interface_name(const struct usb_description *d, uint8_t interface, uint8_t alt)
{
	for (size_t i = 0; i < d->interface_name_count; i++) {
		const struct usb_interface_name *n = &d->interface_names[i];

		if (n->configuration == d->configuration && n->interface == interface && n->alt == alt)
			return n->text;
	}
	return NULL;
}

const uint8_t *usb_configuration_next(const struct usb_configuration *c, size_t *offset, uint8_t type, uint8_t minimum)
{
	while (*offset + 2 <= c->length) {
		const uint8_t *b = c->bytes + *offset;

		if (b[0] < 2 || b[0] > c->length - *offset)
			break;
		*offset += b[0];
		if (b[1] == type && b[0] >= minimum)
			return b;
	}
	*offset = c->length;
	return NULL;
}

const uint8_t *usb_configuration_interface(const struct usb_configuration *c, uint8_t interface, uint8_t alt,
					   size_t *offset, size_t *end)
{
	size_t at = 0;
	const uint8_t *found, *next;

	while ((found = usb_configuration_next(c, &at, USB_DT_INTERFACE, 9)))
		if (found[2] == interface && found[3] == alt)
			break;
	if (offset)
		*offset = at;
	if (end) {
		next = usb_configuration_next(c, &at, USB_DT_INTERFACE, 9);
		*end = next ? (size_t)(next - c->bytes) : c->length;
	}
	return found;
}

/* ---- strings ---- */

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Up to the first NUL, halves of surrogate pairs dropped. */
char *usb_string_text(const uint8_t *b, size_t length)
{
	char text[TEXT_BYTES];
	size_t n = 0;

	if (length < 2 || b[1] != USB_DT_STRING)
		return NULL;
	if (b[0] < length)
		length = b[0];
	for (size_t i = 2; i + 2 <= length; i += 2) {
		uint32_t c = le16(b + i);

		if (!c)
			break;
		if (c >= 0xd800 && c < 0xe000) {
			uint32_t low = c < 0xdc00 && i + 4 <= length ? le16(b + i + 2) : 0;

			if (low < 0xdc00 || low >= 0xe000)
				continue;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		n += put_utf8(text + n, c);
	}
	text[n] = '\0';
	return n ? strdup(text) : NULL;
}

/* ---- the procedure ---- */

static void request(struct describe *d, uint8_t type, uint8_t number, unsigned value, unsigned index, uint8_t *data,
		    size_t length)
{
	d->urb = (struct usb_urb){
		.setup = { type, number, (uint16_t)value, (uint16_t)index, (uint16_t)length },
		.data = data,
		.length = length,
		.context = d,
	};
	d->pending = true;
	d->timed_out = d->answered = false;
	bench_after(d->bench, &d->event, REQUEST_TIMEOUT_US);
	d->dev->ops->submit(d->dev, &d->urb);
}

static void get_descriptor(struct describe *d, unsigned type, unsigned index, unsigned language, uint8_t *data,
			   size_t length)
{
	request(d, 0x80, USB_REQUEST_GET_DESCRIPTOR, type << 8 | index, language, data, length);
}

static void finish(struct describe *d, bool complete)
{
	d->running = false;
	d->step = STEP_IDLE;
	d->complete = complete;
	free(d->large);
	d->large = NULL;
	d->done(d->context, complete ? d->description : NULL); /* may free d */
}

static void forget(struct describe *d)
{
	usb_description_free(d->description);
	d->description = NULL;
	free(d->large);
	d->large = NULL;
	d->interface = NULL;
	d->complete = d->has_language = d->answered = false;
}

/* Every try begins with nothing known. */
static void begin(struct describe *d, uint64_t delay_us)
{
	forget(d);
	d->step = STEP_FIRST_RESET;
	bench_after(d->bench, &d->event, delay_us);
}

__attribute__((format(printf, 2, 3))) static void fail(struct describe *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(d->error, sizeof(d->error), format, ap);
	va_end(ap);
	if (d->dev->attached && ++d->tries < TRIES)
		begin(d, 0);
	else
		finish(d, false);
}

static void out_of_memory(struct describe *d)
{
	d->tries = TRIES;
	fail(d, "out of memory");
}

/* The words for a request that brought nothing; NULL if it brought an answer. */
static const char *refusal(const struct describe *d)
{
	if (d->timed_out)
		return "no answer within 5 s";
	switch (d->urb.result) {
	case USB_ACK:
		return NULL;
	case USB_STALL:
		return "STALL";
	case USB_SILENT:
		return "the device does not respond";
	case USB_CANCELLED:
		return "the transfer was cancelled";
	case USB_GONE:
		return "the device left the bus";
	}
	return "an unknown result";
}

/* A device may claim to have moved more than there was room for: believe the room. */
static size_t answer_length(const struct describe *d)
{
	return d->urb.actual < d->urb.length ? d->urb.actual : d->urb.length;
}

static void reset_port(struct describe *d, enum step next)
{
	d->step = next;
	d->answered = false;
	bench_after(d->bench, &d->event, RESET_US + RESET_RECOVERY_US);
	d->dev->ops->bus_reset(d->dev);
}

/* The strings of the device and of its interfaces are wanted, not needed: what cannot be had is NULL. */
static void ask_string(struct describe *d, uint8_t index)
{
	if (!index || !d->has_language) {
		d->answered = false;
		bench_after(d->bench, &d->event, 0);
		return;
	}
	get_descriptor(d, USB_DT_STRING, index, d->language, d->small, SHORT_BYTES);
}

static char *take_string(struct describe *d)
{
	if (!d->answered || refusal(d))
		return NULL;
	return usb_string_text(d->small, answer_length(d));
}

static void ask_configuration(struct describe *d)
{
	struct usb_description *u = d->description;

	/* Linux asks for 8 at most and for what the device claims to have. */
	if (d->index >= u->device[17] || d->index >= USB_MAX_CONFIGURATIONS) {
		u->device[17] = (uint8_t)u->configuration_count;
		d->step = STEP_LANGUAGE;
		get_descriptor(d, USB_DT_STRING, 0, 0, d->small, SHORT_BYTES);
		return;
	}
	d->step = STEP_CONFIGURATION_HEAD;
	get_descriptor(d, USB_DT_CONFIGURATION, (unsigned)d->index, 0, d->small, 9);
}

static void on_device_head(struct describe *d)
{
	const char *why = refusal(d);
	size_t n = answer_length(d);
	unsigned packet = n >= 8 ? d->small[7] : 0;

	if (why)
		fail(d, "device descriptor (first 64 bytes): %s", why);
	else if (n < 8 || d->small[1] != USB_DT_DEVICE)
		fail(d, "device descriptor: %zu bytes of type %u", n, n >= 2 ? d->small[1] : 0u);
	else if (packet != 8 && packet != 16 && packet != 32 && packet != 64)
		fail(d, "device descriptor: bMaxPacketSize0 is %u", packet);
	else
		reset_port(d, STEP_SECOND_RESET);
}

static void on_device(struct describe *d)
{
	const char *why = refusal(d);
	size_t n = answer_length(d);

	if (why) {
		fail(d, "device descriptor: %s", why);
		return;
	}
	if (n != 18 || d->small[0] < 18 || d->small[1] != USB_DT_DEVICE) {
		fail(d, "device descriptor: %zu bytes, bLength %u, type %u", n, n ? d->small[0] : 0u,
		     n > 1 ? d->small[1] : 0u);
		return;
	}
	if (!d->small[17]) {
		fail(d, "device descriptor: bNumConfigurations is 0");
		return;
	}
	d->description = calloc(1, sizeof(*d->description));
	if (!d->description) {
		out_of_memory(d);
		return;
	}
	d->description->speed = d->dev->speed;
	memcpy(d->description->device, d->small, 18);
	d->index = 0;
	ask_configuration(d);
}

static void on_configuration_head(struct describe *d)
{
	const char *why = refusal(d);
	size_t n = answer_length(d), total;

	/* A device that refuses a further configuration simply has fewer. */
	if (why && d->index && d->urb.result == USB_STALL) {
		d->index = USB_MAX_CONFIGURATIONS;
		ask_configuration(d);
		return;
	}
	if (why) {
		fail(d, "configuration descriptor %zu: %s", d->index, why);
		return;
	}
	if (n < 4) {
		fail(d, "configuration descriptor %zu: only %zu bytes", d->index, n);
		return;
	}
	total = le16(d->small + 2);
	if (total < 9)
		total = 9;
	d->large = malloc(total);
	if (!d->large) {
		out_of_memory(d);
		return;
	}
	d->step = STEP_CONFIGURATION;
	get_descriptor(d, USB_DT_CONFIGURATION, (unsigned)d->index, 0, d->large, total);
}

static void on_configuration(struct describe *d)
{
	struct usb_description *u = d->description;
	const char *why = refusal(d);
	size_t n = answer_length(d), total;
	const uint8_t *b = d->large;

	if (why) {
		fail(d, "configuration descriptor %zu, whole: %s", d->index, why);
		return;
	}
	if (n < 9 || b[0] < 9 || b[0] > n || b[1] != USB_DT_CONFIGURATION) {
		fail(d, "configuration descriptor %zu: %zu bytes, bLength %u, type %u", d->index, n, n ? b[0] : 0u,
		     n > 1 ? b[1] : 0u);
		return;
	}
	/* wTotalLength may have shrunk between the two answers; it never goes below the descriptor itself. */
	total = le16(b + 2);
	if (total < b[0])
		total = b[0];
	u->configurations[u->configuration_count++] = (struct usb_configuration){
		.bytes = d->large,
		.length = total < n ? total : n,
	};
	d->large = NULL;
	d->index++;
	ask_configuration(d);
}

static void on_language(struct describe *d)
{
	size_t n = refusal(d) ? 0 : answer_length(d);

	/* Without a string 0 there are no strings; one that names no language gets the usual. */
	d->has_language = n >= 2 && d->small[1] == USB_DT_STRING;
	d->language = n >= 4 && d->small[0] >= 4 ? (uint16_t)le16(d->small + 2) : LANGUAGE_ENGLISH_US;
	d->description->has_strings = d->has_language;
	d->description->language = d->language;
	d->step = STEP_PRODUCT;
	ask_string(d, d->description->device[15]);
}

static void ask_interface_name(struct describe *d)
{
	const struct usb_configuration *c = &d->description->configurations[0];

	do
		d->interface = usb_configuration_next(c, &d->offset, USB_DT_INTERFACE, 9);
	while (d->interface && ((d->interface[3] && !d->all_names) || !d->interface[8]));
	if (!d->interface || d->description->interface_name_count >= USB_MAX_INTERFACES) {
		d->step = STEP_DONE;
		bench_after(d->bench, &d->event, 0);
		return;
	}
	d->step = STEP_INTERFACE_NAME;
	ask_string(d, d->interface[8]);
}

static void on_interface_name(struct describe *d)
{
	struct usb_description *u = d->description;
	char *text = take_string(d);
	struct usb_interface_name *names;

	if (text) {
		names = realloc(u->interface_names, (u->interface_name_count + 1) * sizeof(*names));
		if (!names) {
			free(text);
			out_of_memory(d);
			return;
		}
		u->interface_names = names;
		names[u->interface_name_count++] = (struct usb_interface_name){
			.configuration = u->configuration,
			.interface = d->interface[2],
			.alt = d->interface[3],
			.text = text,
		};
	}
	ask_interface_name(d);
}

static void step(struct describe *d)
{
	struct usb_description *u = d->description;
	const char *why;

	/* Nothing can be learned any more from a device that went while a string was fetched. */
	if (d->answered && !d->timed_out && d->urb.result == USB_GONE) {
		fail(d, "the device left the bus");
		return;
	}
	switch (d->step) {
	case STEP_IDLE:
		break;
	case STEP_FIRST_RESET:
		reset_port(d, STEP_DEVICE_HEAD);
		break;
	case STEP_DEVICE_HEAD:
		if (!d->answered)
			get_descriptor(d, USB_DT_DEVICE, 0, 0, d->small, 64);
		else
			on_device_head(d);
		break;
	case STEP_SECOND_RESET:
		d->step = STEP_SET_ADDRESS;
		request(d, 0x00, USB_REQUEST_SET_ADDRESS, d->address, 0, NULL, 0);
		break;
	case STEP_SET_ADDRESS:
		why = refusal(d);
		if (why) {
			fail(d, "SET_ADDRESS(%u): %s", d->address, why);
			break;
		}
		d->step = STEP_ADDRESSED;
		bench_after(d->bench, &d->event, SET_ADDRESS_RECOVERY_US);
		break;
	case STEP_ADDRESSED:
		d->step = STEP_DEVICE;
		get_descriptor(d, USB_DT_DEVICE, 0, 0, d->small, 18);
		break;
	case STEP_DEVICE:
		on_device(d);
		break;
	case STEP_CONFIGURATION_HEAD:
		on_configuration_head(d);
		break;
	case STEP_CONFIGURATION:
		on_configuration(d);
		break;
	case STEP_LANGUAGE:
		on_language(d);
		break;
	case STEP_PRODUCT:
		u->product = take_string(d);
		d->step = STEP_MANUFACTURER;
		ask_string(d, u->device[14]);
		break;
	case STEP_MANUFACTURER:
		u->manufacturer = take_string(d);
		d->step = STEP_SERIAL;
		ask_string(d, u->device[16]);
		break;
	case STEP_SERIAL:
		u->serial = take_string(d);
		d->step = STEP_SET_CONFIGURATION;
		request(d, 0x00, USB_REQUEST_SET_CONFIGURATION, u->configurations[0].bytes[5], 0, NULL, 0);
		break;
	case STEP_SET_CONFIGURATION:
		why = refusal(d);
		if (why) {
			fail(d, "SET_CONFIGURATION(%u): %s", u->configurations[0].bytes[5], why);
			break;
		}
		u->configuration = u->configurations[0].bytes[5];
		d->step = STEP_CONFIGURATION_NAME;
		ask_string(d, u->configurations[0].bytes[6]);
		break;
	case STEP_CONFIGURATION_NAME:
		u->configurations[0].name = take_string(d);
		d->offset = 0;
		ask_interface_name(d);
		break;
	case STEP_INTERFACE_NAME:
		on_interface_name(d);
		break;
	case STEP_DONE:
		finish(d, true);
		break;
	}
}

/* Every step runs from here, never from complete(): no recursion however fast the device answers, and done() may free.
 * A call into the device is the last thing a step does: the device may leave in it, and describe with it. */
static void fire(struct bench_event *event)
{
	struct describe *d = event->context;

	if (d->pending) {
		d->timed_out = true;
		d->dev->ops->cancel(d->dev, &d->urb); /* completes, which schedules the step */
		return;
	}
	step(d);
}

bool describe_complete(struct describe *d, struct usb_urb *urb)
{
	if (!d || urb != &d->urb)
		return false;
	assert(d->pending);
	d->pending = false;
	if (!d->running)
		return true; /* describe_cancel() takes it back */
	d->answered = true;
	bench_after(d->bench, &d->event, 0);
	return true;
}

struct describe *describe_new(struct bench *bench, struct usbdev *dev, uint8_t address, describe_done *done,
			      void *context)
{
	struct describe *d;

	assert(address >= 1 && address <= 127);
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->bench = bench;
	d->dev = dev;
	d->address = address;
	d->done = done;
	d->context = context;
	d->event.fire = fire;
	d->event.context = d;
	return d;
}

void describe_at(struct describe *d, uint8_t address)
{
	assert(address >= 1 && address <= 127);
	d->address = address;
}

void describe_want_all_names(struct describe *d)
{
	d->all_names = true;
}

static void start(struct describe *d, uint64_t delay_us)
{
	describe_cancel(d);
	d->running = true;
	d->tries = 0;
	d->error[0] = '\0';
	begin(d, delay_us);
}

void describe_start(struct describe *d)
{
	start(d, DEBOUNCE_US);
}

void describe_restart(struct describe *d)
{
	start(d, 0);
}

void describe_cancel(struct describe *d)
{
	if (!d->running)
		return;
	d->running = false;
	d->step = STEP_IDLE;
	bench_cancel(d->bench, &d->event);
	if (d->pending)
		d->dev->ops->cancel(d->dev, &d->urb);
	assert(!d->pending);
	forget(d);
}

void describe_free(struct describe *d)
{
	if (!d)
		return;
	describe_cancel(d);
	forget(d);
	free(d);
}

bool describe_is_running(const struct describe *d)
{
	return d->running;
}

const struct usb_description *describe_result(const struct describe *d)
{
	return d->complete ? d->description : NULL;
}

const char *describe_error(const struct describe *d)
{
	return d->error;
}
