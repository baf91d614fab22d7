// SPDX-License-Identifier: GPL-2.0-or-later
/* Bench devices, and their wires. */
#include "gear.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cp2112.h"
#include "trace.h"
#include "usbrelay.h"

struct device {
	struct gear *gear;
	unsigned number;
	const struct gear_rule *rule;
	struct lines_user user;
	struct cp2112 *cp2112; /* one of the two */
	struct usbrelay *relay;
	struct trace *trace;
	bool plugged;
	bool away[GEAR_WIRES]; /* what each wire does to its pin */
	char serial[GEAR_SERIAL];
};

struct gear {
	struct bench *bench;
	const struct gear_user *user;
	struct device *devices;
	unsigned count;
};

static enum line_drive drive_of(const struct device *d, unsigned line)
{
	if (d->cp2112)
		return cp2112_drive(d->cp2112, line);
	return usbrelay_energised(d->relay, line) ? LINE_HIGH : LINE_LOW;
}

/* A contact, or a push-pull output, at the level where the pin rests anyway moves nothing: others may still move it. */
static bool is_away(const struct gear_wire *wire, enum line_drive drive)
{
	return drive != LINE_RELEASED && ((drive == LINE_HIGH) != wire->inverted) != mcu_pin_rest(wire->pin);
}

static void settle_wire(struct device *d, unsigned i, enum line_drive drive)
{
	const struct gear_wire *wire = &d->rule->wires[i];
	struct mcu *mcu = d->gear->user->board(d->gear->user->context, wire->board);
	bool away = is_away(wire, drive);

	if (d->away[i] == away)
		return;
	d->away[i] = away;
	if (mcu)
		mcu_wire_pin(mcu, wire->pin, away);
}

static void tell(const struct device *d, struct gear_event e)
{
	e.at_us = bench_now_us(d->gear->bench);
	e.device = d->number;
	e.rule = d->rule;
	d->gear->user->tell(d->gear->user->context, &e);
}

static void driven(void *context, unsigned line, enum line_drive drive)
{
	struct device *d = context;

	tell(d, (struct gear_event){ .type = GEAR_LINE, .line = line, .drive = drive });
	for (unsigned i = 0; i < d->rule->wire_count; i++)
		if (d->rule->wires[i].line == line)
			settle_wire(d, i, drive);
}

/* At the line's end: an inverter is looked through. */
static bool sensed(void *context, unsigned line, bool *high)
{
	struct device *d = context;

	for (unsigned i = 0; i < d->rule->wire_count; i++) {
		const struct gear_wire *wire = &d->rule->wires[i];
		struct mcu *mcu = d->gear->user->board(d->gear->user->context, wire->board);

		if (wire->line != line || !mcu)
			continue;
		*high = mcu_pin(mcu, wire->pin) != wire->inverted;
		return true;
	}
	return false;
}

/* Serial numbers that nobody gave: the one that such relay boards mostly have, then its successors. */
static void name_device(struct device *d, unsigned same_before)
{
	if (d->rule->serial_given)
		memcpy(d->serial, d->rule->serial, sizeof(d->serial));
	else if (!d->rule->relays)
		snprintf(d->serial, sizeof(d->serial), "%08X", 0x00417D26u + same_before);
	else if (!same_before)
		strcpy(d->serial, "BITFT");
	else
		snprintf(d->serial, sizeof(d->serial), "BIT%02u", (same_before + 1) % 100);
}

static int device_init(struct device *d, unsigned same_before)
{
	d->user = (struct lines_user){ driven, sensed, d };
	name_device(d, same_before);
	if (d->rule->relays)
		d->relay = usbrelay_new(d->gear->bench, d->rule->relays, d->serial, &d->user);
	else
		d->cp2112 = cp2112_new(d->gear->bench, d->serial, &d->user);
	if (!d->relay && !d->cp2112)
		return -ENOMEM;
	for (unsigned i = 0; i < d->rule->wire_count; i++)
		settle_wire(d, i, drive_of(d, d->rule->wires[i].line));
	return 0;
}

struct gear *gear_new(struct bench *bench, const struct gear_rule *rules, unsigned count, const struct gear_user *user)
{
	struct gear *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->bench = bench;
	g->user = user;
	g->devices = calloc(count + 1, sizeof(*g->devices));
	for (unsigned i = 0; g->devices && i < count; i++) {
		unsigned same = 0;

		for (unsigned j = 0; j < i; j++)
			same += !rules[j].serial_given && !rules[j].relays == !rules[i].relays;
		g->devices[i] = (struct device){ .gear = g, .number = i + 1, .rule = &rules[i] };
		if (device_init(&g->devices[i], same))
			break;
		g->count++;
	}
	if (g->devices && g->count == count)
		return g;
	gear_free(g);
	return NULL;
}

static void nobody(void *context, unsigned line, enum line_drive drive)
{
	(void)context, (void)line, (void)drive;
}

void gear_free(struct gear *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < g->count; i++) {
		struct device *d = &g->devices[i];

		d->user.driven = nobody;
		trace_free(d->trace);
		usbrelay_free(d->relay);
		cp2112_free(d->cp2112);
	}
	free(g->devices);
	free(g);
}

unsigned gear_count(const struct gear *g)
{
	return g ? g->count : 0;
}

static struct usbdev *bare_device(const struct device *d)
{
	return d->cp2112 ? cp2112_usbdev(d->cp2112) : usbrelay_usbdev(d->relay);
}

int gear_trace(struct gear *g, struct capture *capture, uint8_t bus)
{
	for (unsigned i = 0; i < g->count; i++) {
		struct device *d = &g->devices[i];

		d->trace = trace_new(g->bench, bare_device(d), capture, bus);
		if (!d->trace)
			return -ENOMEM;
	}
	return 0;
}

void gear_untrace(struct gear *g)
{
	for (unsigned i = 0; i < g->count; i++) {
		trace_free(g->devices[i].trace);
		g->devices[i].trace = NULL;
	}
}

struct usbdev *gear_device(const struct gear *g, unsigned number)
{
	const struct device *d;

	if (!number || number > gear_count(g))
		return NULL;
	d = &g->devices[number - 1];
	return d->trace ? trace_usbdev(d->trace) : bare_device(d);
}

void gear_probe(struct gear *g, const struct usbdev *device, bool on)
{
	for (unsigned i = 0; i < gear_count(g); i++)
		if (g->devices[i].trace && trace_usbdev(g->devices[i].trace) == device)
			trace_pause(g->devices[i].trace, on);
}

void gear_plug(struct gear *g, unsigned number, bool in)
{
	struct device *d = &g->devices[number - 1];

	if (d->plugged == in)
		return;
	d->plugged = in;
	tell(d, (struct gear_event){ .type = in ? GEAR_PLUGGED : GEAR_UNPLUGGED });
	if (d->cp2112)
		cp2112_plug(d->cp2112, in);
	else
		usbrelay_plug(d->relay, in);
}

bool gear_is_plugged(const struct gear *g, unsigned number)
{
	return g->devices[number - 1].plugged;
}

const struct gear_rule *gear_rule(const struct gear *g, unsigned number)
{
	return g->devices[number - 1].rule;
}

const char *gear_serial(const struct gear *g, unsigned number)
{
	const struct device *d = &g->devices[number - 1];

	return d->relay ? usbrelay_serial(d->relay) : d->serial;
}

unsigned gear_first_line(const struct gear *g, unsigned number)
{
	return gear_rule(g, number)->relays ? 1 : 0;
}

unsigned gear_lines(const struct gear *g, unsigned number)
{
	unsigned relays = gear_rule(g, number)->relays;

	return relays ? relays : CP2112_LINES;
}

enum line_drive gear_drive(const struct gear *g, unsigned number, unsigned line)
{
	return drive_of(&g->devices[number - 1], line);
}

const char *gear_drive_name(const struct gear_rule *rule, enum line_drive drive)
{
	if (rule->relays)
		return drive == LINE_HIGH ? "on" : "off";
	return drive == LINE_RELEASED ? "released" : drive == LINE_HIGH ? "high" : "low";
}

bool gear_is_wired(const struct gear_rule *rules, unsigned count, unsigned board, enum mcu_pin pin)
{
	for (unsigned i = 0; i < count; i++)
		for (unsigned w = 0; w < rules[i].wire_count; w++)
			if (rules[i].wires[w].board == board && rules[i].wires[w].pin == pin)
				return true;
	return false;
}

void gear_board_came(struct gear *g, unsigned board)
{
	for (unsigned i = 0; i < gear_count(g); i++)
		for (unsigned w = 0; w < g->devices[i].rule->wire_count; w++) {
			struct device *d = &g->devices[i];

			if (d->rule->wires[w].board != board)
				continue;
			d->away[w] = false; /* so it is with a new one */
			settle_wire(d, w, drive_of(d, d->rule->wires[w].line));
		}
}
