// SPDX-License-Identifier: GPL-2.0-or-later
/* The ways in for a host that is a kernel, on any system. */
#include <string.h>
#include "front.h"

const struct front_ops *const fronts[] = { &usbip_front, NULL };

const struct front_ops *front_find(const char *name)
{
	for (size_t i = 0; fronts[i]; i++)
		if (!strcmp(fronts[i]->name, name))
			return fronts[i];
	return NULL;
}
