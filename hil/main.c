// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil: the commands, and what all of them have in common. */
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "commands.h"
#include "host.h"
#include "import.h"
#include "nightly.h"
#include "replay.h"
#include "replay_wire.h"
#include "rig_command.h"
#include "run.h"
#include "steps.h"
#include "wire_driver.h"

static const struct hil_command commands[] = {
	{ "check", "check scenario, tool and rig files", check_main },
	{ "history", "show what the nights on real boards gave", history_main },
	{ "host", "send the requests of a script, and hold the answers against it", host_main },
	{ "import", "make a scenario of a recording", import_main },
	{ "lint", "hold a capture against the rules", lint_main },
	{ "nightly", "run scenarios unattended on rigs, night by night", nightly_main },
	{ "replay", "send a recording to a board, and report what differs", replay_main },
	{ "replay-host", NULL, replay_host_main }, /* replay_rig.c starts it */
	{ "rig", "try out the rig file of a real board", rig_main },
	{ "rules", "list the rules, or explain one", rules_main },
	{ "run", "run scenarios with a tool, and report what became of them", run_main },
	{ "steps", "list what can stand in a step of a scenario", steps_main },
	{ NULL, NULL, NULL },
};

static void help(FILE *stream)
{
	fputs("usage: dfuhil COMMAND [ARG...]\n\nRun scenarios with USB flashing tools on emulated or real boards.\n\n",
	      stream);
	for (const struct hil_command *c = commands; c->name; c++)
		if (c->summary)
			fprintf(stream, "  %-10s %s\n", c->name, c->summary);
	fputs("\n'dfuhil COMMAND --help' tells more. 'dfuhil --version' names the version.\n", stream);
}

static void version(void)
{
	puts("dfuhil " DFUBENCH_VERSION "\n\nwires of a real board are switched by");
	for (const struct wire_driver *const *d = wire_drivers; *d; d++)
		printf("  %-12s %s%s\n", (*d)->name, (*d)->lacks ? "not in this build: " : "",
		       (*d)->lacks   ? (*d)->lacks
		       : (*d)->needs ? (*d)->needs
				     : "any program");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return HIL_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		version();
		return 0;
	}
	for (const struct hil_command *c = commands; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->main(argc - 1, argv + 1);
	fprintf(stderr, "dfuhil: unknown command '%s' ('dfuhil --help' lists them)\n", argv[1]);
	return HIL_USAGE;
}
