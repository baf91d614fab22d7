// SPDX-License-Identifier: GPL-2.0-or-later
/* "hs  0000 004 000 00000000 000000 0-0": hub, port, status, speed, devid, socket, bus id; the hub is missing before 4.13. */
#include "vhci_status.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 160
#define NUMBER_MOST 1000000u

static bool parse_line(const char *line, struct vhci_port *port)
{
	char hub[4] = "", busid[VHCI_BUSID] = "";
	int words;

	if (isdigit((unsigned char)*line)) {
		words = sscanf(line, "%7u %7u %*7u %*8x %*16s %31s", &port->number, &port->state, busid);
	} else {
		if (sscanf(line, "%3s", hub) != 1 || (strcmp(hub, "hs") && strcmp(hub, "ss")))
			return false;
		words = sscanf(line + 2, "%7u %7u %*7u %*8x %*16s %31s", &port->number, &port->state, busid);
	}
	if (words < 2 || port->number > NUMBER_MOST)
		return false;
	port->super_speed = hub[0] == 's';
	strcpy(port->busid, busid);
	return true;
}

bool vhci_next_port(const char **text, struct vhci_port *port)
{
	char line[LINE_BYTES];

	while (**text) {
		size_t length = strcspn(*text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(length < LINE_BYTES ? length : LINE_BYTES - 1), *text);
		*text += length + ((*text)[length] == '\n');
		if (parse_line(line, port))
			return true;
	}
	return false;
}
