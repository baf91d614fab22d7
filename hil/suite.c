// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading and choosing what is to run. */
#include "suite.h"
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "adapters.h"
#include "options.h"
#include "rig_choice.h"
#include "share.h"
#include "suggest.h"
#include "tool_version.h"

static const struct mark nowhere = { NULL, 0, 0 };

struct search {
	struct suite *suite;
	struct problems *problems;
	int error;
};

static bool load_scenario(void *context, const char *path)
{
	struct search *search = context;
	struct suite *s = search->suite;
	struct scenario *scenario, **all;

	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->all[i]->path, path))
			return true; /* named twice: a file, and a folder that it is in */
	all = realloc(s->all, (s->count + 1) * sizeof(struct scenario *));
	if (!all) {
		search->error = -ENOMEM;
		return false;
	}
	s->all = all;
	scenario = scenario_load(path, search->problems);
	if (scenario)
		s->all[s->count++] = scenario;
	return true;
}

/* What is not there by its path may be one of those that came with this program. */
static char *place_of(const char *path, struct problems *problems)
{
	if (!access(path, F_OK) || errno != ENOENT)
		return strdup(path);
	return share_scenarios(path, problems);
}

static int load_scenarios(struct suite *s, char *const *paths, struct problems *problems)
{
	struct search search = { .suite = s, .problems = problems };

	for (; *paths && !search.error; paths++) {
		char *path = place_of(*paths, problems);

		if (path)
			scenario_find(path, load_scenario, &search, problems);
		free(path);
	}
	return search.error;
}

static int in_order(const void *a, const void *b)
{
	const struct scenario *x = *(const struct scenario *const *)a, *y = *(const struct scenario *const *)b;
	int order = strcmp(x->id, y->id);

	return order ? order : strcmp(x->path, y->path);
}

static void check_ids(const struct suite *s, struct problems *problems)
{
	for (size_t i = 1; i < s->count; i++)
		if (!strcmp(s->all[i]->id, s->all[i - 1]->id))
			problems_add(problems, (struct mark){ s->all[i]->path, 0, 0 }, NULL,
				     "its id is '%s', which '%s' has too: name a folder that has both in it",
				     s->all[i]->id, s->all[i - 1]->path);
}

static bool matches(const struct scenario *scenario, const struct run_words *patterns)
{
	for (unsigned i = 0; i < patterns->count; i++)
		if (!fnmatch(patterns->word[i], scenario->id, 0))
			return true;
	return !patterns->count;
}

static bool tagged(const struct scenario *scenario, const struct run_words *tags)
{
	for (unsigned i = 0; i < tags->count; i++)
		if (scenario_has_tag(scenario, tags->word[i]))
			return true;
	return !tags->count;
}

static int choose(struct suite *s, const struct run_options *o)
{
	size_t n = 0;

	s->chosen = calloc(s->count + 1, sizeof(*s->chosen));
	if (!s->chosen)
		return -ENOMEM;
	/* Dealt out like cards: neighbours, which take equally long, go to different shards. */
	for (size_t i = 0; i < s->count; i++)
		if (matches(s->all[i], &o->matches) && tagged(s->all[i], &o->tags) && n++ % o->shards == o->shard - 1)
			s->chosen[s->chosen_count++] = s->all[i];
	return 0;
}

static void load_tools(struct suite *s, const struct run_options *o, struct problems *problems)
{
	char *usual = o->tools_folder ? NULL : share_find("tools");
	const char *folder = o->tools_folder ? o->tools_folder : usual ? usual : "fixtures/tools";

	for (unsigned i = 0; i < o->tools.count; i++) {
		struct tool *tool = tool_load(o->tools.word[i], folder, problems);
		bool twice = false;

		for (unsigned j = 0; tool && j < s->tool_count; j++)
			twice = twice || !strcmp(s->tool_names[j], tool->name);
		if (twice)
			problems_add(problems, nowhere, NULL, "--tool '%s': '%s' has been named before",
				     o->tools.word[i], tool->name);
		if (!tool || twice) {
			tool_free(tool);
			continue;
		}
		s->tools[s->tool_count] = tool;
		s->tool_names[s->tool_count++] = tool->name;
	}
	s->tool_names[s->tool_count] = NULL;
	free(usual);
}

/* The usual ones count whatever --tools-folder is: scenarios are written with them in mind. */
static int check_adapters(struct suite *s, const struct run_options *o, struct problems *problems)
{
	struct adapters adapters = { 0 };
	char *usual = share_find("tools");
	int error = usual ? adapters_add_folder(&adapters, usual) : 0;

	if (!error && o->tools_folder)
		error = adapters_add_folder(&adapters, o->tools_folder);
	for (unsigned i = 0; i < s->tool_count && !error; i++)
		error = adapters_add(&adapters, s->tool_names[i]);
	for (size_t i = 0; i < s->count && !error; i++)
		adapters_check(&adapters, s->all[i], problems);
	adapters_clear(&adapters);
	free(usual);
	return error;
}

/* A name of --tool-path is a tool's, or one of a path in a tool's command. */
static void place_tools(struct suite *s, const struct run_options *o, struct problems *problems)
{
	for (unsigned i = 0; i < o->tool_paths.count; i++) {
		const char *word = o->tool_paths.word[i], *equals = strchr(word, '='), *near;
		bool known = false;
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
		for (unsigned t = 0; t < s->tool_count; t++) {
			int r = tool_set_path(s->tools[t], name, equals + 1);

			known = known || !r;
			if (r == -ENOMEM)
				problems_add(problems, nowhere, NULL, "%s", strerror(ENOMEM));
		}
		if (known)
			continue;
		near = suggest_nearest(name, s->tool_names);
		problems_add(problems, nowhere, NULL,
			     "--tool-path '%s': no tool under test is '%s' or has such a path%s%s%s", word, name,
			     near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
}

/* Every scenario would fail for the same reason: say it once, and before any runs. */
static void find_tools(struct suite *s, struct problems *problems)
{
	for (unsigned t = 0; t < s->tool_count; t++) {
		const char *path = tool_missing_path(s->tools[t]);
		char why[TOOL_VERSION_WHY];
		bool missing;

		if (path) {
			problems_add(problems, nowhere, NULL, "--tool '%s': it needs --tool-path %s=PATH",
				     s->tool_names[t], path);
			continue;
		}
		s->tool_versions[t] = tool_version(s->tools[t], &missing, why);
		if (missing)
			problems_add(problems, nowhere, NULL, "--tool '%s': %s (--tool-path %s=PATH says where it is)",
				     s->tool_names[t], why, s->tool_names[t]);
		else if (*why)
			fprintf(stderr, "dfuhil: tool '%s': %s\n", s->tool_names[t], why);
	}
}

void suite_choose_time(const struct run_options *o, const struct rig_choice *rig, enum rig_time *time, double *scale,
		       struct problems *problems)
{
	bool is_private = rig_choice_is_private(rig);
	const char *word = rig_choice_time(rig);

	*time = o->time;
	*scale = o->scale;
	if (!o->time_given) {
		if (!word)
			word = is_private ? "virtual" : "real";
		*time = strcmp(word, "virtual") != 0 ? RIG_TIME_SCALED : RIG_TIME_VIRTUAL;
		*scale = *time == RIG_TIME_VIRTUAL ? 1 : options_time_scale(word);
		if (*scale <= 0)
			problems_add(problems, nowhere, NULL, "rig '%s': time '%s' is none", rig_choice_name(rig),
				     word);
	} else if (!is_private && (*time == RIG_TIME_VIRTUAL || *scale != 1)) {
		problems_add(problems, nowhere, NULL, "--time: the rig '%s' has real time alone", rig_choice_name(rig));
	}
}

int suite_load(struct suite *s, const struct run_options *o, struct problems *problems)
{
	int r;

	*s = (struct suite){ 0 };
	r = load_scenarios(s, o->paths, problems);
	if (r)
		return r;
	if (s->count)
		qsort(s->all, s->count, sizeof(*s->all), in_order);
	check_ids(s, problems);
	load_tools(s, o, problems);
	place_tools(s, o, problems);
	r = check_adapters(s, o, problems);
	if (r)
		return r;
	s->rig = rig_choose(o->rig, problems);
	if (s->rig)
		suite_choose_time(o, s->rig, &s->time, &s->scale, problems);
	if (!problems_count(problems) && !o->list)
		find_tools(s, problems);
	if (problems_count(problems))
		return -EINVAL;
	return choose(s, o);
}

void suite_free(struct suite *s)
{
	for (size_t i = 0; i < s->count; i++)
		scenario_free(s->all[i]);
	free(s->all);
	free(s->chosen);
	for (unsigned i = 0; i < s->tool_count; i++) {
		tool_free(s->tools[i]);
		free(s->tool_versions[i]);
	}
	rig_choice_free(s->rig);
}
