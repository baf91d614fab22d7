/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands for a driver of wires whose library was not there to build with. LACKS says so; defined before this is included. */
#ifndef DFUBENCH_WITHOUT_DRIVER_H
#define DFUBENCH_WITHOUT_DRIVER_H

#include <errno.h>
#include <stdio.h>
#include "wire_driver.h"

static void *lacking_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)f;
	*error = -ENOSYS;
	snprintf(why, WIRES_WHY, "%s", LACKS);
	return NULL;
}

static int lacking_set(void *state, bool high, char why[WIRES_WHY])
{
	(void)state;
	(void)high;
	snprintf(why, WIRES_WHY, "%s", LACKS);
	return -ENOSYS;
}

static void lacking_close(void *state)
{
	(void)state;
}

#define WITHOUT_DRIVER(label) \
	{ \
		.name = (label), .lacks = LACKS, .open = lacking_open, .set = lacking_set, .close = lacking_close \
	}

#endif
