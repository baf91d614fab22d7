// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the driver of its name where libgpiod was not there to build with. */
#include <errno.h>
#include <stdio.h>
#include "wire_driver.h"

static const char lacks[] = "dfuhil was built without libgpiod (libgpiod-dev)";

static void *lacking_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)f;
	*error = -ENOSYS;
	snprintf(why, WIRES_WHY, "%s", lacks);
	return NULL;
}

static int lacking_set(void *state, bool high, char why[WIRES_WHY])
{
	(void)state;
	(void)high;
	snprintf(why, WIRES_WHY, "%s", lacks);
	return -ENOSYS;
}

static void lacking_close(void *state)
{
	(void)state;
}

const struct wire_driver wire_gpio = {
	.name = "gpio",
	.lacks = lacks,
	.open = lacking_open,
	.set = lacking_set,
	.close = lacking_close,
};
