// SPDX-License-Identifier: GPL-2.0-or-later
/* Acquiring and releasing places. */
#include "labgrid.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"
#include "wire_labgrid.h"

struct labgrid {
	struct {
		const char *place, *coordinator;
	} had[WIRES + 1];
	unsigned count;
};

static bool has(const struct labgrid *l, const char *place, const char *coordinator)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->had[i].place, place) &&
		    !strcmp(l->had[i].coordinator ? l->had[i].coordinator : "", coordinator ? coordinator : ""))
			return true;
	return false;
}

static int acquire(struct labgrid *l, const char *place, const char *coordinator, char why[WIRES_WHY])
{
	static char *const words[] = { "acquire", NULL };
	char reason[WIRES_WHY];
	int r;

	if (!place || has(l, place, coordinator))
		return 0;
	r = labgrid_client(place, coordinator, words, LABGRID_LIMIT_US, reason);
	if (!r) {
		l->had[l->count].place = place;
		l->had[l->count++].coordinator = coordinator;
		return 0;
	}
	snprintf(why, WIRES_WHY, "cannot acquire the labgrid place '%.60s': %.450s", place, reason);
	/* It says so in words, and ends with the same status for all that goes wrong. */
	return strstr(reason, "already acquired") ? -EBUSY : r;
}

struct labgrid *labgrid_acquire(const struct board_rig *rig, int *error, char why[WIRES_WHY])
{
	struct labgrid *l = calloc(1, sizeof(*l));

	*error = -ENOMEM;
	if (!l)
		return NULL;
	*error = acquire(l, rig->place, rig->coordinator, why);
	for (unsigned i = 0; !*error && i < WIRES; i++)
		if (rig->wires[i])
			*error = acquire(l, rig->wires[i]->place, rig->wires[i]->coordinator, why);
	if (!*error)
		return l;
	labgrid_release(l);
	return NULL;
}

void labgrid_release(struct labgrid *l)
{
	static char *const words[] = { "release", NULL };
	char why[WIRES_WHY];

	if (!l)
		return;
	while (l->count) {
		l->count--;
		if (labgrid_client(l->had[l->count].place, l->had[l->count].coordinator, words, LABGRID_LIMIT_US, why))
			fprintf(stderr, "dfuhil: cannot release the labgrid place '%s': %s\n", l->had[l->count].place,
				why);
	}
	free(l);
}
