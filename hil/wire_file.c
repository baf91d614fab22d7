// SPDX-License-Identifier: GPL-2.0-or-later
/* One wire of a rig file: what its driver needs to know, checked and copied out. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"

#define COMMAND_LIMIT_US 10000000u
#define RELAY_SPEED 9600u /* of LCUS relays, as they are sold */

static const char *const actives[] = { "low", "high", NULL };
static const char *const idles[] = { "low", "high", "off", "on", NULL }; /* odd: high */
static const char *const drives[] = { "push-pull", "open-drain", "open-source", NULL };
static const char *const biases[] = { "as-is", "disabled", "pull-up", "pull-down", NULL };

static const struct field gpio_fields[] = {
	{ .name = "chip",
	  .type = FIELD_TEXT,
	  .help = "name, label or path; without it all are searched for a line of that name" },
	{ .name = "line", .type = FIELD_TEXT, .required = true, .help = "name or offset" },
	{ .type = FIELD_END },
};

static const struct field relay_hid_fields[] = {
	{ .name = "serial",
	  .type = FIELD_TEXT,
	  .help = "the relays' serial number, 5 characters; without it the only ones" },
	{ .name = "relay", .type = FIELD_NUMBER, .required = true, .help = "1 to 8" },
	{ .type = FIELD_END },
};

static const struct field relay_serial_fields[] = {
	{ .name = "device", .type = FIELD_TEXT, .required = true, .help = "the serial port, by a path that stays" },
	{ .name = "relay", .type = FIELD_NUMBER, .required = true, .help = "from 1 on" },
	{ .name = "speed", .type = FIELD_NUMBER, .help = "baud; 9600 without it" },
	{ .type = FIELD_END },
};

static const struct field hub_fields[] = {
	{ .name = "location", .type = FIELD_TEXT, .required = true, .help = "of the hub, as uhubctl lists it" },
	{ .name = "port", .type = FIELD_NUMBER, .required = true, .help = "of the hub, from 1 on" },
	{ .name = "timeout", .type = FIELD_DURATION, .help = "of uhubctl; 10s without it" },
	{ .type = FIELD_END },
};

static const struct field command_fields[] = {
	{ .name = "on", .type = FIELD_WORDS, .required = true, .help = "the command line for high" },
	{ .name = "off", .type = FIELD_WORDS, .required = true, .help = "the command line for low" },
	{ .name = "timeout", .type = FIELD_DURATION, .help = "after which it is killed; 10s without it" },
	{ .type = FIELD_END },
};

static const struct field labgrid_fields[] = {
	{ .name = "place", .type = FIELD_TEXT, .help = "that it belongs to; without it, that of the whole board" },
	{ .name = "coordinator", .type = FIELD_TEXT, .help = "HOST:PORT; without it, as labgrid-client finds it" },
	{ .name = "io", .type = FIELD_TEXT, .help = "name of a digital output; without it, it is the supply" },
	{ .name = "power", .type = FIELD_TEXT, .help = "name of the supply, where the place has several" },
	{ .name = "timeout", .type = FIELD_DURATION, .help = "of labgrid-client; 30s without it" },
	{ .type = FIELD_END },
};

const struct field wire_fields[] = {
	{ .name = "gpio", .type = FIELD_OBJECT, .fields = gpio_fields, .help = "a line of a GPIO chip" },
	{ .name = "relay-hid", .type = FIELD_OBJECT, .fields = relay_hid_fields, .help = "a USB relay of 16c0:05df" },
	{ .name = "relay-serial",
	  .type = FIELD_OBJECT,
	  .fields = relay_serial_fields,
	  .help = "a relay on a serial port, as LCUS" },
	{ .name = "hub", .type = FIELD_OBJECT, .fields = hub_fields, .help = "power of a hub's port, by uhubctl" },
	{ .name = "command", .type = FIELD_OBJECT, .fields = command_fields, .help = "two command lines" },
	{ .name = "labgrid", .type = FIELD_OBJECT, .fields = labgrid_fields, .help = "power or output of a place" },
	{ .name = "active",
	  .type = FIELD_CHOICE,
	  .choices = actives,
	  .help = "level at the board when the line is high or the relay pulled; high without it" },
	{ .name = "drive", .type = FIELD_CHOICE, .choices = drives, .help = "of a gpio; push-pull without it" },
	{ .name = "bias", .type = FIELD_CHOICE, .choices = biases, .help = "of a gpio; as-is without it" },
	{ .name = "idle", .type = FIELD_CHOICE, .choices = idles, .help = "level at the board when nobody uses it" },
	{ .type = FIELD_END },
};

const struct wire_driver *const wire_drivers[] = {
	&wire_gpio, &wire_relay_hid, &wire_relay_serial, &wire_hub, &wire_command, &wire_labgrid, NULL,
};

/* What is read of one wire. */
struct reading {
	struct wire_file *wire;
	const struct object *o;
	struct problems *problems;
	bool no_memory;
};

static char *copy(struct reading *r, const char *field)
{
	const char *text = object_text(r->o, field, NULL);
	char *copied = text ? strdup(text) : NULL;

	r->no_memory |= text && !copied;
	return copied;
}

static void wrong(struct reading *r, const char *field, const char *expected)
{
	const struct value *v = object_value(r->o, field);

	problems_add(r->problems, v->mark, NULL, "'%s' of %s: '%.60s': expected %s", field, wire_name(r->wire->wire),
		     v->text, expected);
}

/* An empty text is none of these. */
static void expect_text(struct reading *r, const char *field, const char *what)
{
	const char *text = object_text(r->o, field, "x");

	if (!text[0] || strspn(text, " \t") == strlen(text))
		wrong(r, field, what);
}

static unsigned number(struct reading *r, const char *field, unsigned most, const char *expected)
{
	uint64_t n = object_number(r->o, field, 1);

	if (!n || n > most)
		wrong(r, field, expected);
	return (unsigned)n;
}

static uint64_t limit(struct reading *r, uint64_t otherwise)
{
	uint64_t us = object_number(r->o, "timeout", otherwise);

	if (us < 10000 || us > 3600000000u)
		wrong(r, "timeout", "10ms to 60min");
	return us;
}

static char **copy_words(struct reading *r, const char *field)
{
	const struct value *v = object_value(r->o, field);
	char **words = calloc(v->count + 1, sizeof(*words));
	size_t n = 0; /* wrong ones leave no gap */

	if (v->given && v->list && !v->count)
		problems_add(r->problems, v->mark, NULL, "'%s' of %s: an empty command line", field,
			     wire_name(r->wire->wire));
	for (size_t i = 0; i < v->count; i++) {
		const struct value *word = &v->list[i];

		if (!word->text) {
			if (word->list)
				problems_add(r->problems, word->mark, NULL, "'%s' of %s: expected a word, not a list",
					     field, wire_name(r->wire->wire));
			continue;
		}
		if (!i && !word->text[0])
			problems_add(r->problems, word->mark, NULL, "'%s' of %s: expected a program", field,
				     wire_name(r->wire->wire));
		if (words)
			words[n] = strdup(word->text);
		r->no_memory |= words && !words[n];
		if (words && !words[n++])
			break;
	}
	r->no_memory |= !words;
	return words;
}

static void read_gpio(struct reading *r)
{
	r->wire->device = copy(r, "chip");
	r->wire->line = copy(r, "line");
	expect_text(r, "chip", "the name, label or path of a chip");
	expect_text(r, "line", "the name or the offset of a line");
	if (object_given(r->o, "line") && !object_given(r->o, "chip") &&
	    r->wire->line[strspn(r->wire->line, "0123456789")] == 0)
		problems_add(r->problems, object_value(r->o, "line")->mark, NULL,
			     "'line' of %s: an offset needs a 'chip'", wire_name(r->wire->wire));
}

static void read_relay_hid(struct reading *r)
{
	r->wire->device = copy(r, "serial");
	r->wire->number = number(r, "relay", 8, "1 to 8");
	if (object_given(r->o, "serial") && strlen(r->wire->device) != 5)
		wrong(r, "serial", "5 characters, as 'usbrelay' shows before the '_'");
}

static void read_relay_serial(struct reading *r)
{
	r->wire->device = copy(r, "device");
	r->wire->number = number(r, "relay", 254, "1 to 254");
	r->wire->speed = (unsigned)object_number(r->o, "speed", RELAY_SPEED);
	if (object_given(r->o, "device") && r->wire->device[0] != '/')
		wrong(r, "device", "a path, as /dev/serial/by-id/... or /dev/ttyUSB0");
	if (object_number(r->o, "speed", RELAY_SPEED) < 300 || object_number(r->o, "speed", RELAY_SPEED) > 4000000)
		wrong(r, "speed", "300 to 4000000");
}

bool wire_is_port_path(const char *text)
{
	const char *s = text + strspn(text, "0123456789");

	if (s == text || *s++ != '-')
		return false;
	for (;;) {
		size_t digits = strspn(s, "0123456789");

		if (!digits)
			return false;
		s += digits;
		if (*s != '.')
			return !*s;
		s++;
	}
}

static void read_hub(struct reading *r)
{
	const char *location = object_text(r->o, "location", "1-1");

	r->wire->device = copy(r, "location");
	r->wire->number = number(r, "port", 31, "1 to 31");
	r->wire->limit_us = limit(r, COMMAND_LIMIT_US);
	/* A root hub is the number of its bus alone. */
	if (!wire_is_port_path(location) && (!location[0] || location[strspn(location, "0123456789")]))
		wrong(r, "location", "a hub as uhubctl lists it (1-1.2, or 2 for a root hub)");
}

static void read_command(struct reading *r)
{
	r->wire->on = copy_words(r, "on");
	r->wire->off = copy_words(r, "off");
	r->wire->limit_us = limit(r, COMMAND_LIMIT_US);
}

static void read_labgrid(struct reading *r)
{
	r->wire->place = copy(r, "place");
	r->wire->coordinator = copy(r, "coordinator");
	r->wire->io = object_given(r->o, "io");
	r->wire->name = copy(r, r->wire->io ? "io" : "power");
	r->wire->limit_us = limit(r, BOARD_RIG_LABGRID_US);
	expect_text(r, "place", "the name of a place");
	if (r->wire->io && object_given(r->o, "power"))
		problems_add(r->problems, object_value(r->o, "power")->mark, NULL,
			     "'power' of %s: it is a digital output already, by 'io'", wire_name(r->wire->wire));
	if (!r->wire->io && (r->wire->wire == WIRE_BOOT0 || r->wire->wire == WIRE_NRST))
		problems_add(r->problems, r->o->mark, NULL, "'labgrid' of %s lacks 'io': it is no supply",
			     wire_name(r->wire->wire));
}

/* As wire_drivers[] has them. inverts: `active` means something. */
static const struct {
	void (*read)(struct reading *);
	bool inverts;
} readers[] = {
	{ read_gpio, true }, { read_relay_hid, true }, { read_relay_serial, true },
	{ read_hub, false }, { read_command, false },  { read_labgrid, false },
};

static void only_with(struct reading *r, const char *field, bool may, const char *what)
{
	if (object_given(r->o, field) && !may)
		problems_add(r->problems, object_value(r->o, field)->mark, NULL, "'%s' of %s goes with %s alone", field,
			     wire_name(r->wire->wire), what);
}

static void read_driver(struct reading *r, const struct object *o)
{
	bool inverts = true;

	for (unsigned i = 0; wire_drivers[i]; i++) {
		const char *name = wire_drivers[i]->name;

		if (!object_given(o, name))
			continue;
		if (r->wire->driver) {
			problems_add(r->problems, object_value(o, name)->mark, NULL,
				     "%s has a driver already: '%s', and one is enough", wire_name(r->wire->wire),
				     r->wire->driver->name);
			continue;
		}
		r->wire->driver = wire_drivers[i];
		inverts = readers[i].inverts;
		r->o = object_value(o, name)->object;
		if (r->o)
			readers[i].read(r);
		r->o = o;
	}
	if (!r->wire->driver)
		problems_add(r->problems, o->mark, NULL,
			     "%s lacks a driver (gpio, relay-hid, relay-serial, hub, command or labgrid)",
			     wire_name(r->wire->wire));
	only_with(r, "drive", !r->wire->driver || r->wire->driver == &wire_gpio, "'gpio'");
	only_with(r, "bias", !r->wire->driver || r->wire->driver == &wire_gpio, "'gpio'");
	only_with(r, "active", inverts, "'gpio' and relays");
}

struct wire_file *wire_file_read(enum wire wire, const struct object *o, struct problems *problems)
{
	struct reading r = { .wire = calloc(1, sizeof(*r.wire)), .o = o, .problems = problems };

	if (!r.wire)
		return NULL;
	r.wire->wire = wire;
	r.wire->active_low = object_number(o, "active", 1) == 0;
	r.wire->drive = (enum wire_drive)object_number(o, "drive", DRIVE_PUSH_PULL);
	r.wire->bias = (enum wire_bias)object_number(o, "bias", BIAS_AS_IS);
	r.wire->idle_high = object_number(o, "idle", wire != WIRE_BOOT0) & 1;
	read_driver(&r, o);
	if (!r.no_memory)
		return r.wire;
	wire_file_free(r.wire);
	return NULL;
}

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

void wire_file_free(struct wire_file *f)
{
	if (!f)
		return;
	free(f->device);
	free(f->line);
	free_words(f->on);
	free_words(f->off);
	free(f->place);
	free(f->coordinator);
	free(f->name);
	free(f);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool wire_file_same(const struct wire_file *a, const struct wire_file *b)
{
	return a->driver && a->driver == b->driver && a->driver != &wire_command && same(a->device, b->device) &&
	       same(a->line, b->line) && a->number == b->number && same(a->place, b->place) &&
	       same(a->coordinator, b->coordinator) && same(a->name, b->name) && a->io == b->io;
}

static const char * or (const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

void wire_file_text(const struct wire_file *f, char *text, size_t size)
{
	const char *active = f->active_low ? "low" : "high";

	if (f->driver == &wire_gpio)
		snprintf(text, size, "line %s of %s, active %s, %s, bias %s", f->line, or (f->device, "any GPIO chip"),
			 active, drives[f->drive], biases[f->bias]);
	else if (f->driver == &wire_relay_hid)
		snprintf(text, size, "relay %u of USB relays %s, pulled: %s", f->number, or (f->device, "16c0:05df"),
			 active);
	else if (f->driver == &wire_relay_serial)
		snprintf(text, size, "relay %u at %s, pulled: %s", f->number, f->device, active);
	else if (f->driver == &wire_hub)
		snprintf(text, size, "port %u of the hub at %s", f->number, f->device);
	else if (f->driver == &wire_command)
		snprintf(text, size, "command '%s'", f->on[0]);
	else if (f->io)
		snprintf(text, size, "digital output '%s' of the labgrid place '%s'", f->name, f->place);
	else
		snprintf(text, size, "supply%s%s of the labgrid place '%s'", f->name ? " " : "", or (f->name, ""),
			 f->place);
}
