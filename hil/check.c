// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil check`: is what stands in scenario, tool and rig files right? Nothing is run. */
#include "check.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "rig_choice.h"
#include "scenario.h"
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
static const char *const rig_keys[] = { "rig", "kind", "socket", NULL };

static unsigned count_keys(const struct yaml_node *root, const char *const *keys)
{
	unsigned count = 0;

	for (; *keys; keys++)
		count += yaml_get(root, *keys) != NULL;
	return count;
}

static bool check_file(void *context, const char *path)
{
	struct problems *problems = context;
	struct yaml *yaml = yaml_open(path, problems);
	unsigned scenario, tool, rig;

	if (!yaml)
		return true;
	scenario = count_keys(yaml_root(yaml), scenario_keys);
	tool = count_keys(yaml_root(yaml), tool_keys);
	rig = count_keys(yaml_root(yaml), rig_keys);
	if (scenario && scenario >= tool && scenario >= rig) {
		scenario_free(scenario_read(yaml, problems));
	} else if (tool && tool >= rig) {
		tool_free(tool_read(yaml, problems));
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
	for (int i = optind; i < argc; i++)
		scenario_find(argv[i], check_file, problems, problems);
	count = problems_count(problems);
	problems_print(problems, stderr, colour);
	problems_free(problems);
	return count ? HIL_USAGE : 0;
}
