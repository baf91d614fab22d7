// SPDX-License-Identifier: GPL-2.0-or-later
/* One night at a time on a rig. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "night.h"

/* The same for whatever names the same file. */
static uint64_t identity(const char *spec)
{
	const char *path = !strncmp(spec, "control:", 8) ? spec + 8 : spec;
	char *whole = realpath(path, NULL);
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *c = whole ? whole : path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	free(whole);
	return hash;
}

struct board_lock *night_lock(const char *spec, int *error, char why[NIGHT_WHY])
{
	char name[24], reason[WIRES_WHY];
	struct board_lock *lock;
	bool left;

	snprintf(name, sizeof(name), "%016" PRIx64, identity(spec));
	lock = board_lock_take_other("rig", name, &left, error, reason);
	if (!lock)
		snprintf(why, NIGHT_WHY, "the rig '%.200s' is taken: %s", spec, reason);
	return lock;
}
