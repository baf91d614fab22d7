// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil check`: is what stands in scenario, tool and rig files right? Nothing is run. */
#include "check.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "adapters.h"
#include "commands.h"
#include "rig_choice.h"
#include "scenario.h"
#include "share.h"
#include "tool.h"
#include "yaml.h"

static const char usage[] = "usage: dfuhil check [--color auto|always|never] FILE|FOLDER...\n"
			    "\n"
			    "Check scenario, tool and rig files, told apart by their keys, and all *.yaml in folders. "
			    "Every mistake is told with its\n"
			    "line and column. Exit status 0: all are right; 2: not.\n";

/* Keys that only one kind of file has. */
static const char *const scenario_keys[] = { "steps", "why", "board", "values", "files", NULL };
static const char *const tool_keys[] = { "tool", "operations", "command", NULL };
static const char *const rig_keys[] = { "rig", "kind", "socket", "wires", "allows", NULL };

struct checking {
	struct problems *problems;
	struct adapters adapters;
	struct scenario **scenarios; /* whose adapters are looked at when all files have been read */
	size_t scenario_count;
	bool no_memory;
};

static unsigned count_keys(const struct yaml_node *root, const char *const *keys)
{
	unsigned count = 0;

	for (; *keys; keys++)
		count += yaml_get(root, *keys) != NULL;
	return count;
}

static void keep_scenario(struct checking *c, struct scenario *s)
{
	struct scenario **more = s ? realloc(c->scenarios, (c->scenario_count + 1) * sizeof(struct scenario *)) : NULL;

	if (!more) {
		c->no_memory |= s != NULL;
		scenario_free(s);
		return;
	}
	c->scenarios = more;
	more[c->scenario_count++] = s;
}

static void keep_name(struct checking *c, struct tool *t)
{
	if (t && adapters_add(&c->adapters, t->name))
		c->no_memory = true;
	tool_free(t);
}

/* Their names may be those of files that have been read later. */
static void check_adapters(struct checking *c)
{
	char *usual = share_find("tools");

	if (usual && adapters_add_folder(&c->adapters, usual))
		c->no_memory = true;
	for (size_t i = 0; i < c->scenario_count; i++) {
		adapters_check(&c->adapters, c->scenarios[i], c->problems);
		scenario_free(c->scenarios[i]);
	}
	if (c->no_memory)
		problems_add(c->problems, (struct mark){ 0 }, NULL, "%s", strerror(ENOMEM));
	free(c->scenarios);
	adapters_clear(&c->adapters);
	free(usual);
}

static bool check_file(void *context, const char *path)
{
	struct checking *c = context;
	struct problems *problems = c->problems;
	struct yaml *yaml = yaml_open(path, problems);
	unsigned scenario, tool, rig;

	if (!yaml)
		return true;
	scenario = count_keys(yaml_root(yaml), scenario_keys);
	tool = count_keys(yaml_root(yaml), tool_keys);
	rig = count_keys(yaml_root(yaml), rig_keys);
	if (scenario && scenario >= tool && scenario >= rig) {
		keep_scenario(c, scenario_read(yaml, problems));
	} else if (tool && tool >= rig) {
		keep_name(c, tool_read(yaml, problems));
	} else if (rig) {
		rig_choice_free(rig_choice_read(yaml, problems));
	} else {
		struct yaml_node *root = yaml_root(yaml);

		problems_add(problems, yaml_mark(yaml, root), yaml_line(yaml, root->line),
			     "neither a scenario ('steps'), nor a tool adapter ('tool'), nor a rig ('rig')");
		yaml_close(yaml);
	}
	return true;
}

int check_main(int argc, char **argv)
{
	static const struct option options[] = { { "color", required_argument, NULL, 'c' },
						 { "colour", required_argument, NULL, 'c' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	struct checking c = { 0 };
	struct problems *problems;
	bool colour = isatty(STDERR_FILENO);
	size_t count;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option != 'c')
			return HIL_USAGE;
		if (!strcmp(optarg, "always") || !strcmp(optarg, "never")) {
			colour = optarg[0] == 'a';
		} else if (strcmp(optarg, "auto")) {
			fprintf(stderr, "dfuhil check: --color %s: expected auto, always or never\n", optarg);
			return HIL_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return HIL_USAGE;
	}
	problems = problems_new();
	if (!problems) {
		fputs("dfuhil check: out of memory\n", stderr);
		return HIL_USAGE;
	}
	c.problems = problems;
	for (int i = optind; i < argc; i++)
		scenario_find(argv[i], check_file, &c, problems);
	check_adapters(&c);
	count = problems_count(problems);
	problems_print(problems, stderr, colour);
	problems_free(problems);
	return count ? HIL_USAGE : 0;
}
