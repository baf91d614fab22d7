// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig`: its own commands. */
#include "rig_command.h"
#include <stdio.h>
#include <string.h>
#include "commands.h"

static const struct hil_command commands[] = {
	{ "check", "try out the wires and the board of a rig file, step by step", rig_check_main },
	{ "bench", "plug in an emulated board, and what switches it, as a rig file has it", rig_bench_main },
	{ NULL, NULL, NULL },
};

static void help(FILE *stream)
{
	fputs("usage: dfuhil rig COMMAND RIG [ARG...]\n\n", stream);
	for (const struct hil_command *c = commands; c->name; c++)
		fprintf(stream, "  %-8s %s\n", c->name, c->summary);
	fputs("\nRig files are described in dfu-rig(5).\n", stream);
}

int rig_main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return HIL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help(stdout);
		return 0;
	}
	for (const struct hil_command *c = commands; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->main(argc - 1, argv + 1);
	fprintf(stderr, "dfuhil rig: unknown command '%s' ('dfuhil rig --help' lists them)\n", argv[1]);
	return HIL_USAGE;
}
