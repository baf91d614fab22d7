// SPDX-License-Identifier: GPL-2.0-or-later
/* Wires that any program switches: one command line for high, one for low. */
#include <errno.h>
#include "wire_driver.h"
#include "wire_process.h"

static void *command_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)error;
	(void)why;
	return (void *)f;
}

static int command_set(void *state, bool high, char why[WIRES_WHY])
{
	const struct wire_file *f = state;

	return wire_process_run(high ? f->on : f->off, f->limit_us, NULL, why);
}

static void command_close(void *state)
{
	(void)state;
}

const struct wire_driver wire_command = {
	.name = "command",
	.open = command_open,
	.set = command_set,
	.close = command_close,
};
