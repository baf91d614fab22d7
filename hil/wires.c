// SPDX-License-Identifier: GPL-2.0-or-later
/* The wires of a board: its lock, and the guardian that switches them. */
#include "wires.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "board_lock.h"
#include "guardian.h"
#include "wire_driver.h"

struct wires {
	const struct board_rig *rig;
	struct board_lock *lock;
	struct guardian *guardian; /* NULL: it was lost */
};

const char *wire_name(enum wire wire)
{
	static const char *const names[WIRES] = { "boot0", "nrst", "power", "vbus" };

	return names[wire];
}

bool wire_idles_high(const struct board_rig *rig, enum wire wire)
{
	return rig->wires[wire] ? rig->wires[wire]->idle_high : wire != WIRE_BOOT0;
}

int wires_possible(const struct board_rig *rig, char why[WIRES_WHY])
{
	for (unsigned i = 0; i < WIRES; i++) {
		const struct wire_file *f = rig->wires[i];

		if (!f || !f->driver->lacks)
			continue;
		snprintf(why, WIRES_WHY, "%s is switched by '%s': %s", wire_name(f->wire), f->driver->name,
			 f->driver->lacks);
		return -ENOSYS;
	}
	return 0;
}

struct wires *wires_open(const struct board_rig *rig, int *error, char why[WIRES_WHY])
{
	struct wires *w = calloc(1, sizeof(*w));

	*error = w ? wires_possible(rig, why) : -ENOMEM;
	if (!w)
		snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
	if (!*error) {
		w->rig = rig;
		w->lock = board_lock_take(rig->serial, rig->port, error, why);
	}
	if (!*error)
		w->guardian = guardian_start(rig, w->lock, error, why);
	if (!*error)
		return w;
	if (w)
		board_lock_give(w->lock);
	free(w);
	return NULL;
}

/* A guardian that was killed: a new one begins with all at idle, and what was asked for is not so any more. */
static int lost(struct wires *w)
{
	char why[WIRES_WHY];

	guardian_end(w->guardian, why);
	w->guardian = NULL;
	return -EPIPE;
}

int wires_set(struct wires *w, enum wire wire, bool high, char why[WIRES_WHY])
{
	int r;

	if (!w->rig->wires[wire]) {
		snprintf(why, WIRES_WHY, "the rig has no wire '%s'", wire_name(wire));
		return -ENOENT;
	}
	if (!w->guardian) {
		snprintf(why, WIRES_WHY, "the process that switches the wires has ended");
		return -EPIPE;
	}
	r = guardian_set(w->guardian, wire, high, why);
	return r == -EPIPE ? lost(w) : r;
}

int wires_idle(struct wires *w, char why[WIRES_WHY])
{
	int r = w->guardian ? guardian_idle(w->guardian, why) : -EPIPE;

	if (r != -EPIPE)
		return r;
	if (w->guardian)
		lost(w);
	w->guardian = guardian_start(w->rig, w->lock, &r, why);
	return r;
}

void wires_close(struct wires *w)
{
	char why[WIRES_WHY];
	int r;

	if (!w)
		return;
	r = w->guardian ? guardian_end(w->guardian, why) : -EPIPE;
	w->guardian = NULL;
	if (r == -EPIPE && !wires_idle(w, why))
		r = guardian_end(w->guardian, why);
	if (r)
		fprintf(stderr, "dfuhil: the wires may not be idle: %s\n", why);
	board_lock_give(w->lock);
	free(w);
}

const char *wires_text(const struct board_rig *rig, enum wire wire)
{
	static const char *const pins[WIRES] = { "BOOT0", "NRST", "power", "VBUS" };
	static char text[320];
	char what[300];

	if (!rig->wires[wire]) {
		snprintf(text, sizeof(text), "%s: is not switched", pins[wire]);
		return text;
	}
	wire_file_text(rig->wires[wire], what, sizeof(what));
	snprintf(text, sizeof(text), "%s: %.290s", pins[wire], what);
	return text;
}
