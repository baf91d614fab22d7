// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: files of all three kinds. What is refused must be told, what is taken must have what others rely on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rig_choice.h"
#include "scenario.h"
#include "tool.h"
#include "yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool holds)
{
	if (!holds)
		abort();
}

static void try_scenario(const char *text, size_t size, struct problems *problems)
{
	size_t before = problems_count(problems);
	struct scenario *s = scenario_parse("fuzz/scenario.yaml", text, size, problems);

	insist(!s == (problems_count(problems) > before));
	if (!s)
		return;
	insist(s->name && s->why && s->id && s->step_count);
	for (size_t i = 0; i < s->step_count; i++)
		insist(s->steps[i].verb && s->steps[i].arguments && s->steps[i].mark.line);
	scenario_free(s);
}

static void try_words(const struct tool *t, const struct tool_call *c)
{
	char **words = tool_words(t, c, NULL);

	insist(words && words[0] && words[0][0]);
	tool_words_free(words);
	tool_lacks(t, c);
}

static void try_tool(const char *text, size_t size, struct problems *problems)
{
	size_t before = problems_count(problems);
	struct tool *t = tool_parse("fuzz.yaml", text, size, problems);
	const char *meaning;

	insist(!t == (problems_count(problems) > before));
	if (!t)
		return;
	insist(t->name && t->command);
	for (unsigned i = 0; i < OPERATIONS; i++) {
		struct tool_call bare = { .operation = (enum operation)i };
		struct tool_call full = { .operation = (enum operation)i,
					  .file = "f",
					  .output = "o",
					  .has_address = true,
					  .has_alt = true,
					  .serial = "S",
					  .usb = "0483:df11",
					  .leave = true,
					  .verify = true };

		try_words(t, &bare);
		try_words(t, &full);
	}
	tool_succeeded(t, 74, &meaning);
	insist(tool_environment(t));
	tool_missing_path(t);
	tool_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *nowhere;
	struct problems *problems = problems_new();
	const char *text = (const char *)data;

	if (!nowhere)
		nowhere = fopen("/dev/null", "w");
	insist(problems && nowhere);
	try_scenario(text, size, problems);
	try_tool(text, size, problems);
	rig_choice_free(rig_choice_read(yaml_parse("fuzz.yaml", text, size, problems), problems));
	problems_print(problems, nowhere, false);
	problems_free(problems);
	return 0;
}
