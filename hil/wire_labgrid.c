// SPDX-License-Identifier: GPL-2.0-or-later
/* Wires of a labgrid place: its supply, and its digital outputs. The place is had already: see place_keeper.h. */
#include "wire_labgrid.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire_driver.h"
#include "wire_process.h"

/* The places of an environment file would go before the one that is named. */
static char *hide_environment(void)
{
	const char *file = getenv("LG_ENV");
	char *hidden = file ? strdup(file) : NULL;

	unsetenv("LG_ENV");
	return hidden;
}

int labgrid_client(const char *place, const char *coordinator, char *const *words, uint64_t limit_us,
		   struct wire_said *out, char why[WIRES_WHY])
{
	char *hidden;

	char *line[10] = { "labgrid-client" };
	unsigned n = 1;
	int r;

	if (coordinator) {
		line[n++] = "-x";
		line[n++] = (char *)coordinator;
	}
	line[n++] = "-p";
	line[n++] = (char *)place;
	while (*words)
		line[n++] = *words++;
	hidden = hide_environment();
	r = wire_process_run(line, limit_us, out, why);
	if (hidden)
		setenv("LG_ENV", hidden, 1);
	free(hidden);
	if (r == -ENOENT)
		snprintf(why, WIRES_WHY, "labgrid-client is not installed (python3 -m pip install labgrid)");
	return r;
}

static void *labgrid_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)error;
	(void)why;
	return (void *)f;
}

static int labgrid_set(void *state, bool high, char why[WIRES_WHY])
{
	const struct wire_file *f = state;
	char *io[] = { "io", high ? "high" : "low", f->name, NULL };
	char *power[] = { "power", high ? "on" : "off", NULL };
	char *named[] = { "power", high ? "on" : "off", "-n", f->name, NULL };

	return labgrid_client(f->place, f->coordinator, f->io ? io : f->name ? named : power, f->limit_us, NULL, why);
}

static void labgrid_close(void *state)
{
	(void)state;
}

const struct wire_driver wire_labgrid = {
	.name = "labgrid",
	.needs = "labgrid-client",
	.open = labgrid_open,
	.set = labgrid_set,
	.close = labgrid_close,
};
