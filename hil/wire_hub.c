// SPDX-License-Identifier: GPL-2.0-or-later
/* Power of a hub's port, switched by uhubctl, whose exit status says nothing of the port: its report is read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "wire_driver.h"
#include "wire_process.h"

static void *hub_open(const struct wire_file *f, int *error, char why[WIRES_WHY])
{
	(void)error;
	(void)why;
	return (void *)f;
}

/* Of all ports that it reports behind "New status" (a USB 3 hub is two, and both are switched), 1: on, 0: off, -1: mixed, or none. */
static int reported(const char *text, unsigned port)
{
	char begin[32];
	bool on = false, off = false;

	snprintf(begin, sizeof(begin), "Port %u: ", port);
	text = strstr(text, "New status");
	for (const char *line = text; line && (line = strstr(line, begin)); line++) {
		size_t length = strcspn(line, "\n");
		const char *power = strstr(line, " power");

		if (power && power < line + length)
			on = true;
		else
			off = true;
	}
	return on == off ? -1 : on;
}

static int hub_set(void *state, bool high, char why[WIRES_WHY])
{
	const struct wire_file *f = state;
	char port[16];
	char *words[] = { "uhubctl", "-l", f->device, "-p", port, "-a", high ? "on" : "off", NULL };
	struct wire_said said;
	int r, is;

	snprintf(port, sizeof(port), "%u", f->number);
	r = wire_process_run(words, f->limit_us, &said, why);
	if (r == -ENOENT)
		snprintf(why, WIRES_WHY, "uhubctl is not installed (apt install uhubctl)");
	if (r)
		return r;
	is = reported(said.text, f->number);
	if (is == (int)high)
		return 0;
	snprintf(why, WIRES_WHY,
		 "uhubctl says that port %u is %s: can the hub at %s switch its ports, and may you open it?", f->number,
		 is < 0 ? "neither on nor off"
		 : is   ? "still on"
			: "still off",
		 f->device);
	return -EIO;
}

static void hub_close(void *state)
{
	(void)state;
}

const struct wire_driver wire_hub = {
	.name = "hub",
	.needs = "uhubctl",
	.open = hub_open,
	.set = hub_set,
	.close = hub_close,
};
