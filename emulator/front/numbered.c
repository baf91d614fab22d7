// SPDX-License-Identifier: GPL-2.0-or-later
/* One name for each of many boards. */
#include "numbered.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_ROOM 16 /* for "-", the number and the end */

char *numbered_path(const char *path, unsigned number)
{
	const char *mark = strstr(path, "%d");
	const char *name = strrchr(path, '/');
	const char *dot;
	size_t room = strlen(path) + NUMBER_ROOM;
	char *out;

	if (!mark && number == 1)
		return strdup(path);
	out = malloc(room);
	if (!out)
		return NULL;
	if (mark) {
		snprintf(out, room, "%.*s%u%s", (int)(mark - path), path, number, mark + 2);
		return out;
	}
	name = name ? name + 1 : path;
	dot = strrchr(name, '.');
	if (!dot || dot == name)
		dot = path + strlen(path);
	snprintf(out, room, "%.*s-%u%s", (int)(dot - path), path, number, dot);
	return out;
}
