/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor files: the reader and the checks of USB 2.0 9.6. No I/O. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ep0.h"
#include "fixed.h"

#define DT_DEVICE 1
#define DT_CONFIGURATION 2
#define DT_INTERFACE 4
#define DT_ENDPOINT 5
#define MAX_CONFIGURATIONS 8
#define MAX_STRING_UNITS 126 /* bLength is a byte: (255 - 2) / 2 */

struct place {
	unsigned line, column;
};

/* Bytes of a descriptor, and where in the file each was written. */
struct item {
	uint8_t *bytes;
	struct place *places;
	size_t count, room;
	struct place keyword, end;
};

struct parser {
	const char *at, *end; /* what is left of the line */
	struct place here;
	struct item device, configurations[MAX_CONFIGURATIONS], *open;
	size_t configuration_count;
	bool has_speed;
	struct fixed_descriptors *out;
	struct fixed_error *error;
};

__attribute__((format(printf, 3, 4))) static int bad(struct parser *p, struct place at, const char *format, ...)
{
	va_list args;

	p->error->line = at.line;
	p->error->column = at.column;
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void step(struct parser *p, size_t n)
{
	p->at += n;
	p->here.column += (unsigned)n;
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && is_blank(*p->at))
		step(p, 1);
}

static bool at_line_end(const struct parser *p)
{
	return p->at == p->end || *p->at == '#';
}

/* Length of the word here, up to a blank, a comment or the end. */
static size_t word_length(const struct parser *p)
{
	const char *s = p->at;

	while (s < p->end && !is_blank(*s) && *s != '#')
		s++;
	return (size_t)(s - p->at);
}

static bool word_is(const struct parser *p, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(p->at, word, length);
}

/* For messages: a peer's bytes are shown, not sent to the terminal. */
static const char *shown(const struct parser *p, size_t length, char out[24])
{
	size_t n = length < 20 ? length : 20;

	for (size_t i = 0; i < n; i++)
		out[i] = p->at[i] >= ' ' && p->at[i] <= '~' ? p->at[i] : '?';
	out[n] = '\0';
	if (n < length)
		strcpy(out + n, "...");
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int item_add(struct item *item, uint8_t byte, struct place at)
{
	if (item->count == item->room) {
		size_t room = item->room ? 2 * item->room : 64;
		uint8_t *bytes = realloc(item->bytes, room);
		struct place *places;

		if (!bytes)
			return -ENOMEM;
		item->bytes = bytes;
		places = realloc(item->places, room * sizeof(*places));
		if (!places)
			return -ENOMEM;
		item->places = places;
		item->room = room;
	}
	item->bytes[item->count] = byte;
	item->places[item->count++] = at;
	item->end = (struct place){ at.line, at.column + 2 };
	return 0;
}

static int parse_bytes(struct parser *p)
{
	char word[24];
	int error;

	for (skip_blanks(p); !at_line_end(p); skip_blanks(p)) {
		size_t n = word_length(p);

		if (n != 2 || hex_digit(p->at[0]) < 0 || hex_digit(p->at[1]) < 0)
			return bad(p, p->here, "'%s' is not a byte, expected two hexadecimal digits",
				   shown(p, n, word));
		error = item_add(p->open, (uint8_t)(hex_digit(p->at[0]) << 4 | hex_digit(p->at[1])), p->here);
		if (error)
			return error;
		step(p, 2);
	}
	return 0;
}

static int expect_line_end(struct parser *p)
{
	char word[24];

	skip_blanks(p);
	if (at_line_end(p))
		return 0;
	return bad(p, p->here, "'%s' after the item, expected the end of the line", shown(p, word_length(p), word));
}

static int parse_speed(struct parser *p, struct place keyword)
{
	static const struct {
		const char *name;
		enum usb_speed speed;
	} speeds[] = { { "low", USB_SPEED_IS_LOW }, { "full", USB_SPEED_IS_FULL }, { "high", USB_SPEED_IS_HIGH } };
	char word[24];
	size_t n;

	if (p->has_speed)
		return bad(p, keyword, "second 'speed', expected at most one");
	skip_blanks(p);
	n = word_length(p);
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
		if (!word_is(p, n, speeds[i].name))
			continue;
		p->has_speed = true;
		p->out->speed = speeds[i].speed;
		step(p, n);
		return expect_line_end(p);
	}
	return bad(p, p->here, "'%s' is not a speed, expected full, low or high", shown(p, n, word));
}

/* Length in bytes of one UTF-8 sequence (RFC 3629), 0 if it is none; units: of UTF-16. */
static size_t utf8_sequence(const char *s, size_t left, unsigned *units)
{
	const uint8_t *b = (const uint8_t *)s;
	size_t n = b[0] < 0x80 ? 1 : b[0] >= 0xc2 && b[0] < 0xe0 ? 2 : b[0] >= 0xe0 && b[0] < 0xf0 ? 3 : 4;

	*units = n == 4 ? 2 : 1;
	if (n > left || (n == 4 && (b[0] < 0xf0 || b[0] > 0xf4)))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((b[i] & 0xc0) != 0x80)
			return 0;
	if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] >= 0xa0) || (b[0] == 0xf0 && b[1] < 0x90) ||
	    (b[0] == 0xf4 && b[1] >= 0x90))
		return 0;
	return n;
}

static int parse_string(struct parser *p)
{
	unsigned index = 0, units = 0, u;
	struct place at;
	char word[24], *text;
	size_t n, length = 0;

	skip_blanks(p);
	n = word_length(p);
	for (size_t i = 0; i < n && i < 4; i++)
		index = p->at[i] >= '0' && p->at[i] <= '9' ? 10 * index + (unsigned)(p->at[i] - '0') : 1000;
	if (!n || n > 3 || index < 1 || index > 255)
		return bad(p, p->here, "'%s' is not a string index, expected 1 to 255", shown(p, n, word));
	if (p->out->strings[index])
		return bad(p, p->here, "second text for string %u, expected one", index);
	step(p, n);
	skip_blanks(p);
	if (p->at == p->end || *p->at != '"')
		return bad(p, p->here, "no text for string %u, expected it in double quotes", index);
	at = p->here;
	step(p, 1);
	text = malloc((size_t)(p->end - p->at) + 1);
	if (!text)
		return -ENOMEM;
	p->out->strings[index] = text;
	while (p->at < p->end && *p->at != '"') {
		if (*p->at == '\\') {
			step(p, 1);
			if (p->at == p->end || (*p->at != '"' && *p->at != '\\'))
				return bad(p, p->here, "unknown escape, expected \\\" or \\\\");
		}
		n = utf8_sequence(p->at, (size_t)(p->end - p->at), &u);
		if (!n)
			return bad(p, p->here, "byte 0x%02x is not UTF-8, expected UTF-8 text", *p->at & 0xffu);
		if (n == 1 && ((uint8_t)*p->at < ' ' || *p->at == 0x7f))
			return bad(p, p->here, "control character 0x%02x, expected printable text", *p->at & 0xffu);
		memcpy(text + length, p->at, n);
		length += n;
		units += u;
		step(p, n);
	}
	text[length] = '\0';
	if (p->at == p->end)
		return bad(p, p->here, "the text is not closed, expected '\"'");
	if (units > MAX_STRING_UNITS)
		return bad(p, at, "text of %u UTF-16 units, expected at most %d", units, MAX_STRING_UNITS);
	step(p, 1);
	return expect_line_end(p);
}

static int parse_line(struct parser *p)
{
	struct place keyword;
	bool goes_on = p->at < p->end && is_blank(*p->at);
	char word[24];
	size_t n;

	skip_blanks(p);
	if (at_line_end(p))
		return 0;
	if (goes_on) {
		if (!p->open)
			return bad(p, p->here, "nothing to go on with, expected 'device' or 'configuration' above");
		return parse_bytes(p);
	}
	p->open = NULL;
	keyword = p->here;
	n = word_length(p);
	if (word_is(p, n, "speed")) {
		step(p, n);
		return parse_speed(p, keyword);
	}
	if (word_is(p, n, "string")) {
		step(p, n);
		return parse_string(p);
	}
	if (word_is(p, n, "device")) {
		if (p->device.keyword.line)
			return bad(p, keyword, "second 'device', expected one");
		p->open = &p->device;
	} else if (word_is(p, n, "configuration")) {
		if (p->configuration_count == MAX_CONFIGURATIONS)
			return bad(p, keyword, "too many configurations, expected at most %d", MAX_CONFIGURATIONS);
		p->open = &p->configurations[p->configuration_count++];
	} else {
		return bad(p, keyword, "unknown item '%s', expected device, configuration, string or speed",
			   shown(p, n, word));
	}
	step(p, n);
	p->open->keyword = keyword;
	p->open->end = p->here;
	return parse_bytes(p);
}

static int parse_lines(struct parser *p, const char *text, size_t length)
{
	const char *stop = text + length;

	while (text < stop) {
		const char *newline = memchr(text, '\n', (size_t)(stop - text));
		int error;

		p->at = text;
		p->end = newline ? newline : stop;
		text = newline ? newline + 1 : stop;
		if (p->end > p->at && p->end[-1] == '\r')
			p->end--;
		p->here.line++;
		p->here.column = 1;
		error = parse_line(p);
		if (error)
			return error;
	}
	p->here.line++; /* where anything that is missing would have come */
	p->here.column = 1;
	return 0;
}

static struct place place_of(const struct item *item, size_t offset)
{
	return offset < item->count ? item->places[offset] : item->end;
}

/* USB 2.0 9.6.1 and 5.5.3 */
static int check_device(struct parser *p)
{
	const struct item *d = &p->device;
	unsigned packet;

	if (!d->keyword.line)
		return bad(p, p->here, "no device descriptor, expected 'device'");
	if (d->count != 18)
		return bad(p, place_of(d, 18), "device descriptor of %zu bytes, expected 18", d->count);
	if (d->bytes[0] != 18)
		return bad(p, place_of(d, 0), "bLength is %u, expected 18 (12)", d->bytes[0]);
	if (d->bytes[1] != DT_DEVICE)
		return bad(p, place_of(d, 1), "bDescriptorType is %02x, expected 01", d->bytes[1]);
	packet = d->bytes[7];
	if (packet != 8 && packet != 16 && packet != 32 && packet != 64)
		return bad(p, place_of(d, 7), "bMaxPacketSize0 is %u, expected 8, 16, 32 or 64", packet);
	if (p->out->speed == USB_SPEED_IS_LOW && packet != 8)
		return bad(p, place_of(d, 7), "bMaxPacketSize0 is %u, expected 8 at low speed", packet);
	if (p->out->speed == USB_SPEED_IS_HIGH && packet != 64)
		return bad(p, place_of(d, 7), "bMaxPacketSize0 is %u, expected 64 at high speed", packet);
	if (!d->bytes[17])
		return bad(p, place_of(d, 17), "bNumConfigurations is 0, expected at least 1");
	if (d->bytes[17] != p->configuration_count)
		return bad(p, place_of(d, 17), "bNumConfigurations is %u, expected %zu as there are configurations",
			   d->bytes[17], p->configuration_count);
	return 0;
}

/* USB 2.0 5.5.3 to 5.8.3 and 9.6.6 */
static int check_endpoint(struct parser *p, const struct item *c, size_t at)
{
	const uint8_t *e = c->bytes + at;
	unsigned type = e[3] & 3, packet = (e[4] | e[5] << 8) & 0x7ff;
	enum usb_speed speed = p->out->speed;

	if (e[0] < 7)
		return bad(p, place_of(c, at), "endpoint descriptor of %u bytes, expected 7 or more", e[0]);
	if (!(e[2] & 0x0f) || (e[2] & 0x70))
		return bad(p, place_of(c, at + 2), "bEndpointAddress is %02x, expected 01 to 0f or 81 to 8f", e[2]);
	if (!type)
		return bad(p, place_of(c, at + 3), "a control endpoint, expected isochronous, bulk or interrupt");
	if (speed == USB_SPEED_IS_LOW && (type != 3 || packet > 8))
		return bad(p, place_of(c, at + 3), "expected interrupt endpoints of up to 8 bytes only at low speed");
	if (speed == USB_SPEED_IS_FULL && type == 2 && packet != 8 && packet != 16 && packet != 32 && packet != 64)
		return bad(p, place_of(c, at + 4), "bulk wMaxPacketSize is %u, expected 8, 16, 32 or 64 at full speed",
			   packet);
	if (speed == USB_SPEED_IS_FULL && packet > (type == 3 ? 64u : 1023u))
		return bad(p, place_of(c, at + 4), "wMaxPacketSize is %u, expected at most %u at full speed", packet,
			   type == 3 ? 64 : 1023);
	if (speed == USB_SPEED_IS_HIGH && type == 2 && packet != 512)
		return bad(p, place_of(c, at + 4), "bulk wMaxPacketSize is %u, expected 512 at high speed", packet);
	if (packet > 1024)
		return bad(p, place_of(c, at + 4), "wMaxPacketSize is %u, expected at most 1024", packet);
	return 0;
}

struct interface_seen {
	size_t at; /* of the descriptor; 0 = none yet */
	unsigned endpoints;
	uint32_t in_use; /* bit of endpoint number, IN from bit 16 */
};

static int check_endpoint_count(struct parser *p, const struct item *c, const struct interface_seen *now)
{
	if (!now->at || now->endpoints == c->bytes[now->at + 4])
		return 0;
	return bad(p, place_of(c, now->at + 4), "bNumEndpoints is %u, expected %u as there are endpoints",
		   c->bytes[now->at + 4], now->endpoints);
}

static int check_configuration(struct parser *p, const struct item *c)
{
	struct interface_seen now = { 0 };
	uint32_t alternates[EP0_MAX_INTERFACES][8] = { { 0 } }; /* bAlternateSetting seen, by bInterfaceNumber */
	unsigned interfaces = 0, total;
	int error;

	if (c->count < 9)
		return bad(p, c->end, "configuration of %zu bytes, expected at least 9", c->count);
	if (c->bytes[0] != 9)
		return bad(p, place_of(c, 0), "bLength is %u, expected 9", c->bytes[0]);
	if (c->bytes[1] != DT_CONFIGURATION)
		return bad(p, place_of(c, 1), "bDescriptorType is %02x, expected 02", c->bytes[1]);
	total = c->bytes[2] | (unsigned)c->bytes[3] << 8;
	if (total != c->count)
		return bad(p, place_of(c, 2), "wTotalLength is %u (%02x %02x), expected %zu (%02x %02x)", total,
			   c->bytes[2], c->bytes[3], c->count, (unsigned)c->count & 0xff,
			   (unsigned)(c->count >> 8) & 0xff);
	if (!c->bytes[5])
		return bad(p, place_of(c, 5), "bConfigurationValue is 0, expected 1 or more");
	for (size_t at = 9; at < c->count; at += c->bytes[at]) {
		const uint8_t *d = c->bytes + at;

		if (d[0] < 2 || d[0] > c->count - at)
			return bad(p, place_of(c, at), "bLength is %u, expected 2 to %zu (what is left)", d[0],
				   c->count - at);
		if (d[1] == DT_DEVICE || d[1] == DT_CONFIGURATION)
			return bad(p, place_of(c, at + 1), "descriptor type %02x inside a configuration", d[1]);
		if (d[1] == DT_INTERFACE) {
			error = check_endpoint_count(p, c, &now);
			if (error)
				return error;
			if (d[0] < 9)
				return bad(p, place_of(c, at), "interface descriptor of %u bytes, expected 9", d[0]);
			if (d[2] >= EP0_MAX_INTERFACES)
				return bad(p, place_of(c, at + 2), "bInterfaceNumber is %u, expected less than %d here",
					   d[2], EP0_MAX_INTERFACES);
			if (d[2] > interfaces)
				return bad(p, place_of(c, at + 2), "bInterfaceNumber is %u, expected %u next", d[2],
					   interfaces);
			if (d[2] == interfaces && d[3])
				return bad(p, place_of(c, at + 3), "bAlternateSetting is %u, expected 0 first", d[3]);
			if (alternates[d[2]][d[3] / 32] >> d[3] % 32 & 1)
				return bad(p, place_of(c, at + 3), "second interface %u alternate %u, expected one",
					   d[2], d[3]);
			alternates[d[2]][d[3] / 32] |= UINT32_C(1) << d[3] % 32;
			interfaces += d[2] == interfaces;
			now = (struct interface_seen){ .at = at };
		}
		if (d[1] == DT_ENDPOINT) {
			uint32_t bit;

			if (!now.at)
				return bad(p, place_of(c, at),
					   "endpoint before any interface, expected an interface descriptor");
			error = check_endpoint(p, c, at);
			if (error)
				return error;
			bit = UINT32_C(1) << ((d[2] & 0x0f) + (d[2] & 0x80 ? 16 : 0));
			if (now.in_use & bit)
				return bad(p, place_of(c, at + 2),
					   "second endpoint %02x in this interface, expected one", d[2]);
			now.in_use |= bit;
			now.endpoints++;
		}
	}
	error = check_endpoint_count(p, c, &now);
	if (error)
		return error;
	if (c->bytes[4] != interfaces)
		return bad(p, place_of(c, 4), "bNumInterfaces is %u, expected %u as there are interfaces", c->bytes[4],
			   interfaces);
	return 0;
}

static int check(struct parser *p)
{
	int error = check_device(p);

	for (size_t i = 0; !error && i < p->configuration_count; i++) {
		const struct item *c = &p->configurations[i];

		error = check_configuration(p, c);
		for (size_t j = 0; !error && j < i; j++)
			if (p->configurations[j].bytes[5] == c->bytes[5])
				error = bad(p, place_of(c, 5), "second bConfigurationValue %u, expected one",
					    c->bytes[5]);
	}
	return error;
}

int fixed_parse(const char *text, size_t length, struct fixed_descriptors **out, struct fixed_error *error)
{
	struct parser p = { .error = error };
	int result = -ENOMEM;

	memset(error, 0, sizeof(*error));
	p.out = calloc(1, sizeof(*p.out));
	if (!p.out)
		return -ENOMEM;
	p.out->speed = USB_SPEED_IS_FULL;
	if (length > FIXED_FILE_BYTES)
		result = bad(&p, (struct place){ 1, 1 }, "file of %zu bytes, expected at most %u", length,
			     FIXED_FILE_BYTES);
	else
		result = parse_lines(&p, text, length);
	if (!result)
		result = check(&p);
	if (!result) {
		memcpy(p.out->device, p.device.bytes, sizeof(p.out->device));
		p.out->configurations = calloc(p.configuration_count, sizeof(*p.out->configurations));
		if (!p.out->configurations)
			result = -ENOMEM;
		for (size_t i = 0; !result && i < p.configuration_count; i++) {
			p.out->configurations[i] = p.configurations[i].bytes;
			p.configurations[i].bytes = NULL;
		}
	}
	for (size_t i = 0; i < p.configuration_count; i++) {
		free(p.configurations[i].bytes);
		free(p.configurations[i].places);
	}
	free(p.device.bytes);
	free(p.device.places);
	if (result)
		fixed_descriptors_free(p.out);
	else
		*out = p.out;
	return result;
}

void fixed_descriptors_free(struct fixed_descriptors *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->configurations && i < d->device[17]; i++)
		free(d->configurations[i]);
	free(d->configurations);
	for (size_t i = 0; i < 256; i++)
		free(d->strings[i]);
	free(d);
}
