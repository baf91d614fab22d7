// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig bench`: an emulated board with the devices that switch it, as a rig file says, on this machine's own USB. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "board_rig.h"
#include "commands.h"
#include "gear_rule.h"
#include "problems.h"
#include "rig_choice.h"
#include "rig_command.h"
#include "serve.h"
#include "wire_driver.h"
#include "yaml.h"

#define LABEL "cp2112_gpio" /* of the gpiochip that Linux makes of the one there is */

/* The command line of `dfuemu serve vhci`. */
struct words {
	char **words;
	int count;
	bool failed;
};

static void add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *w, const char *format, ...)
{
	char **more = realloc(w->words, ((size_t)w->count + 2) * sizeof(*more));
	va_list args;

	if (!more) {
		w->failed = true;
		return;
	}
	w->words = more;
	va_start(args, format);
	if (vasprintf(&w->words[w->count], format, args) < 0)
		w->failed = true;
	else
		w->words[++w->count] = NULL;
	va_end(args);
}

static void words_free(struct words *w)
{
	for (int i = 0; i < w->count; i++)
		free(w->words[i]);
	free(w->words);
}

static int refuse(const struct wire_file *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(const struct wire_file *f, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "dfuhil: %s: ", wire_name(f->wire));
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -EINVAL;
}

/* Which line or relay of an emulated device it is, or -EINVAL, said. */
static int line_of(const struct wire_file *f)
{
	char *end;
	unsigned long line;

	if (f->driver == &wire_relay_hid) {
		if (f->device && strlen(f->device) != 5)
			return refuse(f, "serial '%.40s': an emulated relay board has one of 5 characters", f->device);
		if (f->number > 8)
			return refuse(f, "relay %u: an emulated board has 8 at most", f->number);
		return (int)f->number;
	}
	if (strcmp(f->device, LABEL))
		return refuse(f, "chip '%.60s': what can be emulated is a CP2112, chip: " LABEL, f->device);
	line = strtoul(f->line, &end, 10);
	if (*end || end == f->line || line > 7)
		return refuse(f, "line '%.60s': a CP2112 has lines 0 to 7, and no names", f->line);
	return (int)line;
}

static bool is_emulated(const struct wire_file *f)
{
	return f && (f->driver == &wire_gpio || f->driver == &wire_relay_hid);
}

static bool is_same_device(const struct wire_file *a, const struct wire_file *b)
{
	return is_emulated(a) && is_emulated(b) && a->driver == b->driver && !a->device == !b->device &&
	       (!a->device || !strcmp(a->device, b->device));
}

/* The device of this wire with all wires that it has. */
static int add_device(const struct board_rig *rig, const struct wire_file *first, struct words *w)
{
	static const enum mcu_pin pins[WIRES] = {
		[WIRE_BOOT0] = PIN_BOOT0, [WIRE_NRST] = PIN_NRST, [WIRE_POWER] = PIN_VDD, [WIRE_VBUS] = PIN_VBUS
	};
	char wires[WIRES * 24] = "", kind[32] = "cp2112";
	size_t used = 0;
	int most = 1;

	for (unsigned i = 0; i < WIRES; i++) {
		const struct wire_file *f = rig->wires[i];
		int line;

		if (!is_same_device(first, f))
			continue;
		line = line_of(f);
		if (line < 0)
			return line;
		most = line > most ? line : most;
		used += (size_t)snprintf(wires + used, sizeof(wires) - used, "%c%d=%s%s", used ? ',' : ':', line,
					 f->active_low ? "!" : "", gear_pin_name(pins[i]));
	}
	if (first->driver == &wire_relay_hid)
		snprintf(kind, sizeof(kind), "usbrelay%d%s%s",
			 most > 4   ? 8
			 : most > 2 ? 4
				    : 2,
			 first->device ? "=" : "", first->device ? first->device : "");
	add(w, "--bench=%s%s", kind, wires);
	return 0;
}

static int add_devices(const struct board_rig *rig, struct words *w)
{
	for (unsigned i = 0; i < WIRES; i++) {
		const struct wire_file *f = rig->wires[i];
		bool seen = false;
		int r;

		if (!f)
			continue;
		if (!is_emulated(f)) {
			fprintf(stderr,
				"dfuhil: %s: %s is not emulated: the pin stays where it rests, and who uses the file "
				"has to "
				"find the real one; without '%s' in the file the other wires can be tried\n",
				wire_name((enum wire)i), f->driver->name, wire_name((enum wire)i));
			continue;
		}
		for (unsigned j = 0; j < i; j++)
			seen |= is_same_device(rig->wires[j], f);
		r = seen ? 0 : add_device(rig, f, w);
		if (r)
			return r;
	}
	return 0;
}

static int bench(const struct board_rig *rig, char **rest)
{
	struct words w = { NULL, 0, false };
	int status = HIL_UNFIT;

	if (rig->port)
		fprintf(stderr,
			"dfuhil: the file has the board at port %s: the emulated one is where vhci_hcd has room for "
			"it, which is "
			"hardly there; without 'port' in the file it is taken for that board\n",
			rig->port);
	add(&w, "serve");
	add(&w, "vhci");
	add(&w, "--profile=%s", rig->profile);
	if (rig->serial)
		add(&w, "--serial=%s", rig->serial);
	if (rig->app_vendor)
		add(&w, "--app=%04x:%04x", rig->app_vendor, rig->app_product);
	if (!rig->wires[WIRE_BOOT0] || !is_emulated(rig->wires[WIRE_BOOT0]))
		add(&w, "--boot0=low");
	if (!add_devices(rig, &w)) {
		for (; *rest; rest++)
			add(&w, "%s", *rest);
		if (w.failed)
			fprintf(stderr, "dfuhil: %s\n", strerror(ENOMEM));
		else
			status = serve_main(w.count, w.words);
	}
	words_free(&w);
	return status;
}

static void help(FILE *stream)
{
	fputs("usage: dfuhil rig bench RIG [OPTION...] [[--] COMMAND [ARG...]]\n\n"
	      "Plug an emulated board into this machine, by vhci_hcd, and the GPIO adapter and relay boards that RIG "
	      "says\n"
	      "switch it: programs that use RIG, as COMMAND, find all of it. OPTIONs are those of 'dfuemu serve "
	      "vhci'.\n"
	      "Exit status: COMMAND's; 125 when the board could not be served, 2 for a bad file, 3 for a rig that "
	      "cannot\n"
	      "be emulated.\n",
	      stream);
}

int rig_bench_main(int argc, char **argv)
{
	struct problems *problems;
	struct rig_choice *choice;
	const struct board_rig *rig;
	int status = HIL_USAGE;

	if (argc < 2 || argv[1][0] == '-') {
		bool asked = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

		help(asked ? stdout : stderr);
		return asked ? 0 : HIL_USAGE;
	}
	problems = problems_new();
	choice = problems ? rig_choose(argv[1], problems) : NULL;
	rig = choice ? rig_choice_board(choice) : NULL;
	if (rig)
		status = bench(rig, argv + 2);
	else if (choice)
		fprintf(stderr, "dfuhil: '%s' is no rig of a real board\n", argv[1]);
	else
		problems_print(problems, stderr, false);
	rig_choice_free(choice);
	problems_free(problems);
	return status;
}
