// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules of --bench. */
#include "gear_rule.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cp2112.h"
#include "suggest.h"
#include "usbrelay.h"

static const struct {
	const char *name;
	unsigned relays;
} kinds[] = { { "cp2112", 0 }, { "usbrelay1", 1 }, { "usbrelay2", 2 }, { "usbrelay4", 4 }, { "usbrelay8", 8 } };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *const pins[] = { [PIN_BOOT0] = "boot0", [PIN_BOOT1] = "boot1", [PIN_NRST] = "nrst",
				    [PIN_VDD] = "power",   [PIN_VBUS] = "vbus",   NULL };

const char *gear_kind(const struct gear_rule *rule)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].relays == rule->relays)
			return kinds[i].name;
	abort();
}

const char *gear_pin_name(enum mcu_pin pin)
{
	return pins[pin];
}

struct reader {
	const char *text, *at;
	char *why;
};

static int refuse(const struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(const struct reader *r, const char *format, ...)
{
	int used = snprintf(r->why, GEAR_RULE_WHY, "column %zu: ", (size_t)(r->at - r->text) + 1);
	va_list args;

	va_start(args, format);
	vsnprintf(r->why + used, GEAR_RULE_WHY - (size_t)used, format, args);
	va_end(args);
	return -EINVAL;
}

/* Index of the word at this place, of those in a list; what is accepted is in the message. */
static int read_word(struct reader *r, const char *const *words, const char *accepted)
{
	size_t length = 0;
	char word[24];
	const char *near;

	while (isalnum((unsigned char)r->at[length]))
		length++;
	snprintf(word, sizeof(word), "%.*s", (int)(length < 23 ? length : 23), r->at);
	for (int i = 0; words[i]; i++)
		if (!strcmp(word, words[i]) && length < sizeof(word)) {
			r->at += length;
			return i;
		}
	near = suggest_nearest(word, words);
	return refuse(r, "'%s': expected %s%s%s%s", word, accepted, near ? ", did you mean '" : "", near ? near : "",
		      near ? "'?" : "");
}

static int read_number(struct reader *r, const char *what, unsigned least, unsigned most, unsigned *out)
{
	size_t length = strspn(r->at, "0123456789");
	unsigned long n = length && length < 6 ? strtoul(r->at, NULL, 10) : most + 1ul;

	if (n < least || n > most)
		return refuse(r, "'%.*s': expected %s from %u to %u", length ? (int)(length < 20 ? length : 20) : 1,
			      r->at, what, least, most);
	*out = (unsigned)n;
	r->at += length;
	return 0;
}

/* LINE=WIRE */
static int read_wire(struct reader *r, struct gear_rule *rule)
{
	struct gear_wire *wire = &rule->wires[rule->wire_count];
	size_t digits;
	int pin, error;

	if (rule->wire_count == GEAR_WIRES)
		return refuse(r, "more than %d wires", GEAR_WIRES);
	error = rule->relays ? read_number(r, "a relay", 1, rule->relays, &wire->line)
			     : read_number(r, "a line", 0, CP2112_LINES - 1, &wire->line);
	if (error)
		return error;
	if (*r->at != '=')
		return refuse(r, "expected '=' and a pin after the number of a %s", rule->relays ? "relay" : "line");
	r->at++;
	wire->inverted = *r->at == '!';
	r->at += wire->inverted;
	wire->board = 1;
	digits = strspn(r->at, "0123456789");
	if (digits && r->at[digits] == ':') {
		error = read_number(r, "a board", 1, 1024, &wire->board);
		if (error)
			return error;
		r->at++;
	}
	pin = read_word(r, pins, "boot0, boot1, nrst, power or vbus");
	if (pin < 0)
		return pin;
	wire->pin = (enum mcu_pin)pin;
	rule->wire_count++;
	return 0;
}

static int read_serial(struct reader *r, struct gear_rule *rule)
{
	size_t length = strcspn(r->at, ":"), most = rule->relays ? USBRELAY_SERIAL : CP2112_SERIAL_MAX;

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)r->at[i])) {
			r->at += i;
			return refuse(r, "'%c': a serial number is made of letters and digits", *r->at);
		}
	if (rule->relays && length != most)
		return refuse(r, "'%.*s': the serial number of a relay board has %zu characters",
			      (int)(length < 40 ? length : 40), r->at, most);
	if (!length || length > most)
		return refuse(r, "'%.*s': a serial number has 1 to %zu characters", (int)(length < 40 ? length : 40),
			      r->at, most);
	memcpy(rule->serial, r->at, length);
	rule->serial_given = true;
	r->at += length;
	return 0;
}

int gear_rule_parse(const char *text, struct gear_rule *rule, char why[GEAR_RULE_WHY])
{
	struct reader r = { text, text, why };
	const char *names[KINDS + 1] = { NULL };
	int kind, error;

	for (size_t i = 0; i < KINDS; i++)
		names[i] = kinds[i].name;
	*rule = (struct gear_rule){ .relays = 0 };
	kind = read_word(&r, names, "cp2112, usbrelay1, usbrelay2, usbrelay4 or usbrelay8");
	if (kind < 0)
		return kind;
	rule->relays = kinds[kind].relays;
	if (*r.at == '=') {
		r.at++;
		error = read_serial(&r, rule);
		if (error)
			return error;
	}
	if (!*r.at)
		return 0;
	if (*r.at != ':')
		return refuse(&r, "'%.1s': expected ':' and wires, as %s=boot0", r.at, rule->relays ? "1" : "0");
	do {
		r.at++;
		error = read_wire(&r, rule);
		if (error)
			return error;
	} while (*r.at == ',');
	return *r.at ? refuse(&r, "'%.20s': expected ',' and one more wire, or the end", r.at) : 0;
}
