// SPDX-License-Identifier: GPL-2.0-or-later
/* One name for each of many boards. */
#include "numbered.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *numbered_path(const char *path, unsigned number)
{
	const char *mark = strstr(path, "%d");
	const char *name = strrchr(path, '/');
	const char *dot;
	char *out;

	if (mark)
		return asprintf(&out, "%.*s%u%s", (int)(mark - path), path, number, mark + 2) < 0 ? NULL : out;
	if (number == 1)
		return strdup(path);
	name = name ? name + 1 : path;
	dot = strrchr(name, '.');
	if (!dot || dot == name)
		dot = path + strlen(path);
	return asprintf(&out, "%.*s-%u%s", (int)(dot - path), path, number, dot) < 0 ? NULL : out;
}
