// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig files of kind `board`: reading and checking them. What is said of one wire is in wire_file.c. */
#include "board_rig.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "suggest.h"
#include "wire_driver.h"
#include "yaml.h"

#define ROM_ID 0x0483df11u
#define SPEED 115200u
#define ENDURANCE 10000u /* erases of a sector that the chip is made for (DS8626, table of flash endurance) */

static const char *const kinds[] = { "board", NULL };
static const char *const wire_names[] = { "boot0", "nrst", "power", "vbus", NULL }; /* as enum wire */
static const char *const supplies[] = { "power", "vbus", NULL };
static const char *const console_usbs[] = { "application", NULL };

static const struct field usb_fields[] = {
	{ .name = "usb", .type = FIELD_USB_ID, .help = "its ID as ROM; 0483:df11 without it" },
	{ .name = "serial", .type = FIELD_TEXT, .help = "its ROM's serial number" },
	{ .name = "port", .type = FIELD_TEXT, .help = "where it is plugged in, as 1-1.2 of /sys/bus/usb/devices" },
	{ .type = FIELD_END },
};

static const struct field application_fields[] = {
	{ .name = "usb", .type = FIELD_USB_ID, .required = true, .help = "what enumerates when it runs" },
	{ .type = FIELD_END },
};

static const struct field console_fields[] = {
	{ .name = "usb", .type = FIELD_CHOICE, .choices = console_usbs, .help = "the serial port of the application" },
	{ .name = "device", .type = FIELD_TEXT, .help = "a serial port of this machine" },
	{ .name = "speed", .type = FIELD_NUMBER, .help = "baud; 115200 without it" },
	{ .type = FIELD_END },
};

static const struct field wires_fields[] = {
	{ .name = "boot0", .type = FIELD_OBJECT, .fields = wire_fields, .help = "the pin BOOT0" },
	{ .name = "nrst", .type = FIELD_OBJECT, .fields = wire_fields, .help = "the pin NRST" },
	{ .name = "power", .type = FIELD_OBJECT, .fields = wire_fields, .help = "the board's supply" },
	{ .name = "vbus", .type = FIELD_OBJECT, .fields = wire_fields, .help = "5 V of its USB cable" },
	{ .type = FIELD_END },
};

static const struct field order_fields[] = {
	{ .name = "idle",
	  .type = FIELD_CHOICE,
	  .many = true,
	  .choices = wire_names,
	  .help = "all are brought to idle" },
	{ .name = "off", .type = FIELD_CHOICE, .many = true, .choices = supplies, .help = "power and vbus are cut" },
	{ .name = "on", .type = FIELD_CHOICE, .many = true, .choices = supplies, .help = "they are given back" },
	{ .type = FIELD_END },
};

static const struct field timing_fields[] = {
	{ .name = "reset", .type = FIELD_DURATION, .help = "NRST is held low; 50ms without it" },
	{ .name = "settle", .type = FIELD_DURATION, .help = "from a change of BOOT0 to what follows; 20ms without it" },
	{ .name = "off", .type = FIELD_DURATION, .help = "the supply stays cut; 500ms without it" },
	{ .name = "on", .type = FIELD_DURATION, .help = "from the supply's return to what follows; 100ms without it" },
	{ .name = "listed", .type = FIELD_DURATION, .help = "the board may take to be listed; 10s without it" },
	{ .type = FIELD_END },
};

static const struct field wear_fields[] = {
	{ .name = "warn", .type = FIELD_NUMBER, .help = "erases of a sector after which it is told; 8000 without it" },
	{ .name = "stop", .type = FIELD_NUMBER, .help = "after which the board is not used; 10000 without it" },
	{ .type = FIELD_END },
};

static const struct field labgrid_fields[] = {
	{ .name = "place", .type = FIELD_TEXT, .required = true, .help = "acquired while the board is used" },
	{ .name = "coordinator", .type = FIELD_TEXT, .help = "HOST:PORT" },
	{ .name = "timeout", .type = FIELD_DURATION, .help = "of labgrid-client; 30s without it" },
	{ .type = FIELD_END },
};

const struct field board_rig_fields[] = {
	{ .name = "rig", .type = FIELD_TEXT, .required = true, .help = "its name" },
	{ .name = "about", .type = FIELD_TEXT, .help = "what it is, one line" },
	{ .name = "kind", .type = FIELD_CHOICE, .required = true, .choices = kinds, .help = "board" },
	{ .name = "profile", .type = FIELD_PROFILE, .help = "of its ROM; f407 without it" },
	{ .name = "board",
	  .type = FIELD_OBJECT,
	  .required = true,
	  .fields = usb_fields,
	  .help = "how it is found: by 'serial', by 'port', or both" },
	{ .name = "application", .type = FIELD_OBJECT, .fields = application_fields, .help = "that it has" },
	{ .name = "console", .type = FIELD_OBJECT, .fields = console_fields, .help = "where its application speaks" },
	{ .name = "wires", .type = FIELD_OBJECT, .fields = wires_fields, .help = "what is switched, and by what" },
	{ .name = "reset-by",
	  .type = FIELD_CHOICE,
	  .choices = wire_names,
	  .help = "what resets it; the first there is of nrst, power and vbus without it" },
	{ .name = "order", .type = FIELD_OBJECT, .fields = order_fields, .help = "of several wires" },
	{ .name = "timing", .type = FIELD_OBJECT, .fields = timing_fields, .help = "how long what takes" },
	{ .name = "allows", .type = FIELD_TEXT, .many = true, .help = "mass-erase, option-bytes, rdp-1" },
	{ .name = "wear", .type = FIELD_OBJECT, .fields = wear_fields, .help = "limits; 0: none" },
	{ .name = "usbmon", .type = FIELD_TEXT, .help = "auto, off, or a device to record from" },
	{ .name = "labgrid", .type = FIELD_OBJECT, .fields = labgrid_fields, .help = "the board's place" },
	{ .type = FIELD_END },
};

/* What all of the reading needs to know. */
struct reading {
	struct board_rig *rig;
	const struct object *o; /* the file */
	struct problems *problems;
	bool no_memory;
};

static char *copy(struct reading *r, const struct object *o, const char *field)
{
	const char *text = object_text(o, field, NULL);
	char *copied = text ? strdup(text) : NULL;

	r->no_memory |= text && !copied;
	return copied;
}

/* NULL: it is not there, or no mapping. */
static const struct object *part(struct reading *r, const char *field)
{
	return object_value(r->o, field)->object;
}

static void read_identity(struct reading *r)
{
	const struct object *board = part(r, "board"), *application = part(r, "application");
	uint64_t id = object_number(board, "usb", ROM_ID), app = object_number(application, "usb", 0);

	r->rig->vendor = (uint16_t)(id >> 16);
	r->rig->product = (uint16_t)id;
	r->rig->app_vendor = (uint16_t)(app >> 16);
	r->rig->app_product = (uint16_t)app;
	r->rig->serial = copy(r, board, "serial");
	r->rig->port = copy(r, board, "port");
	if (!board)
		return;
	if (!object_value(board, "serial")->mark.line && !object_value(board, "port")->mark.line)
		problems_add(r->problems, board->mark, NULL,
			     "'board' of the rig lacks 'serial' or 'port': any other board would do for it");
	for (const char *s = r->rig->serial; s && (*s || s == r->rig->serial); s++)
		if (!isalnum((unsigned char)*s)) {
			problems_add(r->problems, object_value(board, "serial")->mark, NULL,
				     "'serial' of the board: '%.60s': expected letters and digits, as lsusb -v has it",
				     r->rig->serial);
			break;
		}
	if (r->rig->port && !wire_is_port_path(r->rig->port))
		problems_add(r->problems, object_value(board, "port")->mark, NULL,
			     "'port' of the board: '%.60s': expected bus and ports, as 1-1.2", r->rig->port);
}

static void read_console(struct reading *r)
{
	const struct object *o = part(r, "console");
	uint64_t speed = object_number(o, "speed", SPEED);

	r->rig->console = copy(r, o, "device");
	r->rig->console_usb = object_given(o, "usb");
	r->rig->console_speed = (unsigned)speed;
	if (!o)
		return;
	if (!object_value(o, "usb")->mark.line == !object_value(o, "device")->mark.line)
		problems_add(r->problems, o->mark, NULL, "'console' of the rig needs one of 'usb' and 'device'");
	if (r->rig->console && r->rig->console[0] != '/')
		problems_add(r->problems, object_value(o, "device")->mark, NULL,
			     "'device' of the console: '%.60s': expected a path, as /dev/ttyUSB0", r->rig->console);
	if (r->rig->console_usb && !part(r, "application"))
		problems_add(r->problems, object_value(o, "usb")->mark, NULL,
			     "'usb' of the console: the rig tells of no 'application'");
	if (speed < 50 || speed > 4000000)
		problems_add(r->problems, object_value(o, "speed")->mark, NULL,
			     "'speed' of the console: %s: expected 50 to 4000000", object_text(o, "speed", ""));
}

/* --- wires --- */

/* A wire of labgrid may leave its place, and what goes with it, to the board. */
static void take_place(struct reading *r, struct wire_file *f, const struct object *o)
{
	const struct object *own = object_value(o, "labgrid")->object;

	if (f->driver != &wire_labgrid)
		return;
	if (own && !object_given(own, "timeout"))
		f->limit_us = r->rig->labgrid_us;
	if (f->place)
		return;
	if (!r->rig->place) {
		problems_add(r->problems, object_value(o, "labgrid")->mark, NULL, "'labgrid' of %s lacks 'place'",
			     wire_name(f->wire));
		return;
	}
	f->place = strdup(r->rig->place);
	r->no_memory |= !f->place;
	if (f->coordinator || !r->rig->coordinator)
		return;
	f->coordinator = strdup(r->rig->coordinator);
	r->no_memory |= !f->coordinator;
}

static void read_wires(struct reading *r)
{
	const struct object *o = part(r, "wires"), *one;

	for (unsigned i = 0; o && i < WIRES; i++) {
		one = object_value(o, wire_names[i])->object;
		r->rig->wires[i] = one ? wire_file_read((enum wire)i, one, r->problems) : NULL;
		r->no_memory |= one && !r->rig->wires[i];
		if (!r->rig->wires[i])
			continue;
		take_place(r, r->rig->wires[i], one);
		for (unsigned k = 0; k < i; k++)
			if (r->rig->wires[k] && wire_file_same(r->rig->wires[i], r->rig->wires[k]))
				problems_add(r->problems, one->mark, NULL, "%s is switched by the same as %s",
					     wire_names[i], wire_names[k]);
	}
}

static const enum wire usual_idle[] = { WIRE_BOOT0, WIRE_NRST, WIRE_POWER, WIRE_VBUS, WIRES };
static const enum wire usual_off[] = { WIRE_VBUS, WIRE_POWER, WIRES };
static const enum wire usual_on[] = { WIRE_POWER, WIRE_VBUS, WIRES };

/* shift: which wire the first of the choices is. */
static void read_order(struct reading *r, const char *field, const enum wire *usual, unsigned shift, enum wire *order)
{
	const struct object *o = part(r, "order");
	const struct value *v = o ? object_value(o, field) : NULL;
	bool named[WIRES] = { false };
	unsigned count = 0;

	for (size_t i = 0; v && v->given && i < v->count; i++) {
		unsigned wire = (unsigned)v->list[i].number + shift;

		if (!r->rig->wires[wire])
			problems_add(r->problems, v->list[i].mark, NULL, "'%s' of the order: the rig has no wire '%s'",
				     field, wire_names[wire]);
		else if (named[wire])
			problems_add(r->problems, v->list[i].mark, NULL, "'%s' of the order has '%s' twice", field,
				     wire_names[wire]);
		else
			order[count++] = (enum wire)wire;
		named[wire] = true;
	}
	for (; *usual != WIRES; usual++) {
		if (named[*usual] || !r->rig->wires[*usual])
			continue;
		if (v && v->mark.line)
			problems_add(r->problems, v->mark, NULL, "'%s' of the order lacks '%s'", field,
				     wire_names[*usual]);
		else
			order[count++] = *usual;
	}
	order[count] = WIRES;
}

static void read_reset(struct reading *r)
{
	const struct value *v = object_value(r->o, "reset-by");
	enum wire by = WIRES;

	if (v->given) {
		by = (enum wire)v->number;
		if (by == WIRE_BOOT0)
			problems_add(r->problems, v->mark, NULL, "'reset-by' of the rig: BOOT0 resets nothing");
		else if (!r->rig->wires[by])
			problems_add(r->problems, v->mark, NULL, "'reset-by' of the rig: it has no wire '%s'",
				     wire_names[by]);
	} else {
		for (unsigned i = WIRE_NRST; by == WIRES && i < WIRES; i++)
			by = r->rig->wires[i] ? (enum wire)i : WIRES;
	}
	r->rig->reset_by = by;
}

/* --- the rest --- */

static void read_timing(struct reading *r)
{
	const struct object *o = part(r, "timing");
	const struct {
		const char *name;
		uint64_t usual, *us;
	} times[] = {
		{ "reset", 50000, &r->rig->reset_us },      { "settle", 20000, &r->rig->settle_us },
		{ "off", 500000, &r->rig->off_us },         { "on", 100000, &r->rig->on_us },
		{ "listed", 10000000, &r->rig->listed_us },
	};

	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		*times[i].us = object_number(o, times[i].name, times[i].usual);
		if (*times[i].us > 600000000u)
			problems_add(r->problems, object_value(o, times[i].name)->mark, NULL,
				     "'%s' of the timing: '%s': expected at most 10min", times[i].name,
				     object_text(o, times[i].name, ""));
	}
}

static void read_allows(struct reading *r)
{
	static const char *const words[] = { "mass-erase", "option-bytes", "rdp-1", NULL };
	static const char *const never[] = { "rdp-2", "otp", "otp-lock", NULL };
	const struct value *v = object_value(r->o, "allows");

	for (size_t i = 0; v->given && i < v->count; i++) {
		const char *word = v->list[i].text;
		unsigned k = 0, n = 0;

		while (words[k] && strcmp(words[k], word))
			k++;
		while (never[n] && strcasecmp(never[n], word))
			n++;
		if (words[k])
			r->rig->allows |= 1u << k;
		else if (never[n])
			problems_add(r->problems, v->list[i].mark, NULL,
				     "'allows' of the rig: '%s': RDP level 2 and OTP cannot be undone, and are never "
				     "written on a real board",
				     word);
		else
			problems_unknown(r->problems, v->list[i].mark, NULL, "'allows' of the rig: unknown", word,
					 words);
	}
}

static void read_wear(struct reading *r)
{
	const struct object *o = part(r, "wear");
	uint64_t warn = object_number(o, "warn", ENDURANCE * 8 / 10), stop = object_number(o, "stop", ENDURANCE);

	if (warn > 1000000 || stop > 1000000)
		problems_add(r->problems, o->mark, NULL, "'wear' of the rig: expected at most 1000000 (0: no limit)");
	else if (o && stop && warn > stop && object_given(o, "warn"))
		problems_add(r->problems, object_value(o, "warn")->mark, NULL,
			     "'warn' of the wear: %u is never reached, as the board is not used after %u",
			     (unsigned)warn, (unsigned)stop);
	r->rig->wear_warn = (unsigned)(stop && warn > stop ? stop : warn);
	r->rig->wear_stop = (unsigned)stop;
}

static void read_usbmon(struct reading *r)
{
	static const char *const words[] = { "auto", "off", NULL };
	const struct value *v = object_value(r->o, "usbmon");

	if (!v->given || !strcmp(v->text, "off"))
		return;
	if (strcmp(v->text, "auto") && v->text[0] != '/')
		problems_unknown(r->problems, v->mark, NULL,
				 "'usbmon' of the rig: expected auto, off or a path as /dev/usbmon1, not", v->text,
				 words);
	r->rig->usbmon = copy(r, r->o, "usbmon");
}

static void read_labgrid(struct reading *r)
{
	const struct object *o = part(r, "labgrid");

	r->rig->place = copy(r, o, "place");
	r->rig->coordinator = copy(r, o, "coordinator");
	if (r->rig->place && !r->rig->place[0])
		problems_add(r->problems, object_value(o, "place")->mark, NULL, "'place' of the labgrid: no name");
	r->rig->labgrid_us = object_number(o, "timeout", BOARD_RIG_LABGRID_US);
	if (o && (r->rig->labgrid_us < 10000 || r->rig->labgrid_us > 3600000000u))
		problems_add(r->problems, object_value(o, "timeout")->mark, NULL,
			     "'timeout' of the labgrid: '%.60s': expected 10ms to 60min",
			     object_text(o, "timeout", ""));
}

static void read_all(struct reading *r)
{
	r->rig->name = copy(r, r->o, "rig");
	r->rig->about = copy(r, r->o, "about");
	r->rig->profile = strdup(object_text(r->o, "profile", "f407"));
	r->no_memory |= !r->rig->profile;
	read_identity(r);
	read_console(r);
	read_labgrid(r);
	read_wires(r);
	read_order(r, "idle", usual_idle, 0, r->rig->idle_order);
	read_order(r, "off", usual_off, WIRE_POWER, r->rig->off_order);
	read_order(r, "on", usual_on, WIRE_POWER, r->rig->on_order);
	read_reset(r);
	read_timing(r);
	read_allows(r);
	read_wear(r);
	read_usbmon(r);
}

bool board_rig_is(struct yaml *yaml)
{
	static const char *const others[] = { "emulated", "control", "vhci", NULL };
	struct yaml_node *root = yaml_root(yaml), *kind = yaml_get(root, "kind");
	const char *text = kind && kind->kind == YAML_SCALAR ? kind->text : "";

	for (const char *const *other = others; *other; other++)
		if (!strcmp(text, *other))
			return false;
	return !strcmp(text, "board") || yaml_get(root, "wires") || yaml_get(root, "board");
}

/* ${here}: the folder that the file is in. */
static const char *find_value(void *context, const char *name)
{
	return strcmp(name, "here") ? NULL : context;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == path ? strdup("/") : slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	char *absolute = folder ? realpath(folder, NULL) : NULL;

	if (!absolute)
		return folder;
	free(folder);
	return absolute;
}

struct board_rig *board_rig_read(struct yaml *yaml, struct problems *problems)
{
	static const char *const names[] = { "here", NULL };
	char *here = folder_of(yaml_path(yaml));
	struct yaml_values values = { .find = find_value, .context = here, .names = names };
	size_t before = problems_count(problems);
	struct reading r = { .rig = calloc(1, sizeof(*r.rig)), .problems = problems };
	struct object *o = NULL;

	if (here && r.rig)
		o = yaml_object(yaml, yaml_root(yaml), board_rig_fields, "the rig", &values, problems);
	r.o = o;
	r.no_memory = !o;
	if (o) {
		r.rig->path = strdup(yaml_path(yaml));
		r.no_memory = !r.rig->path;
		read_all(&r);
	}
	if (r.no_memory)
		problems_add(problems, (struct mark){ .file = yaml_path(yaml) }, NULL, "%s", strerror(ENOMEM));
	object_free(o);
	free(here);
	if (problems_count(problems) == before)
		return r.rig;
	board_rig_free(r.rig);
	return NULL;
}

void board_rig_free(struct board_rig *rig)
{
	if (!rig)
		return;
	free(rig->path);
	free(rig->name);
	free(rig->about);
	free(rig->profile);
	free(rig->serial);
	free(rig->port);
	free(rig->console);
	for (unsigned i = 0; i < WIRES; i++)
		wire_file_free(rig->wires[i]);
	free(rig->place);
	free(rig->coordinator);
	free(rig->usbmon);
	free(rig);
}
