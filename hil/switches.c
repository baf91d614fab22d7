// SPDX-License-Identifier: GPL-2.0-or-later
/* The wires of a board and their drivers. */
#include "switches.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"

struct switches {
	const struct board_rig *rig;
	void *states[WIRES]; /* of the drivers; NULL: not open */
};

/* In front of why: which wire it is, and what switches it. */
static void name_wire(const struct wire_file *f, const char *what, char why[WIRES_WHY])
{
	char text[200], reason[WIRES_WHY];

	snprintf(reason, sizeof(reason), "%s", why);
	wire_file_text(f, text, sizeof(text));
	snprintf(why, WIRES_WHY, "%s %s (%.150s): %.400s", what, wire_name(f->wire), text, reason);
}

static int open_wire(struct switches *s, enum wire wire, char why[WIRES_WHY])
{
	const struct wire_file *f = s->rig->wires[wire];
	int error = -EIO;

	if (s->states[wire])
		return 0;
	if (f->driver->lacks) {
		snprintf(why, WIRES_WHY, "%s", f->driver->lacks);
		error = -ENOSYS;
	} else {
		s->states[wire] = f->driver->open(f, &error, why);
	}
	if (s->states[wire])
		return 0;
	name_wire(f, "cannot open", why);
	return error;
}

static void close_wire(struct switches *s, enum wire wire)
{
	if (s->states[wire])
		s->rig->wires[wire]->driver->close(s->states[wire]);
	s->states[wire] = NULL;
}

int switches_set(struct switches *s, enum wire wire, bool high, char why[WIRES_WHY])
{
	const struct wire_file *f = s->rig->wires[wire];
	int r = open_wire(s, wire, why);

	if (r)
		return r;
	r = f->driver->set(s->states[wire], high, why);
	if (r)
		name_wire(f, high ? "cannot bring to high" : "cannot bring to low", why);
	return r;
}

static int idle_wire(struct switches *s, enum wire wire, char why[WIRES_WHY])
{
	bool high = s->rig->wires[wire]->idle_high, was_open = s->states[wire];
	int r = switches_set(s, wire, high, why);

	if (!r || !was_open)
		return r;
	/* What was unplugged may be there again, under another number. */
	close_wire(s, wire);
	return switches_set(s, wire, high, why);
}

int switches_idle(struct switches *s, char why[WIRES_WHY])
{
	char reason[WIRES_WHY];
	int result = 0;

	for (const enum wire *wire = s->rig->idle_order; *wire != WIRES; wire++) {
		int r = idle_wire(s, *wire, reason);

		if (!r || result)
			continue;
		result = r;
		memcpy(why, reason, WIRES_WHY);
	}
	return result;
}

struct switches *switches_open(const struct board_rig *rig, int *error, char why[WIRES_WHY])
{
	struct switches *s = calloc(1, sizeof(*s));

	*error = -ENOMEM;
	snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
	if (!s)
		return NULL;
	s->rig = rig;
	*error = switches_idle(s, why);
	if (!*error)
		return s;
	switches_close(s);
	return NULL;
}

void switches_close(struct switches *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < WIRES; i++)
		close_wire(s, (enum wire)i);
	free(s);
}
