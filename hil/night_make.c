// SPDX-License-Identifier: GPL-2.0-or-later
/* Rigs and cases of a night. */
#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "night.h"
#include "rig_choice.h"
#include "text.h"

static unsigned processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) < 1)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* "control", and "control-2" where there are two of that name */
static char *name_of(const struct night *n, unsigned index)
{
	char *plain = strdup(rig_choice_name(n->lanes[index].choice)), *name = NULL;
	unsigned number = 1;

	for (char *c = plain; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '-';
	for (bool taken = plain != NULL; taken; number++) {
		free(name);
		name = number == 1 && *plain != '.' && *plain ? strdup(plain) : text_format("%s-%u", plain, number);
		taken = false;
		for (unsigned i = 0; name && i < index; i++)
			taken = taken || (n->lanes[i].name && !strcmp(n->lanes[i].name, name));
	}
	free(plain);
	return name;
}

static int make_lane(struct night *n, unsigned index, const char *spec, struct problems *problems)
{
	struct lane *lane = &n->lanes[index];
	const struct run_options *o = &n->options->run;
	bool is_private;

	lane->night = n;
	lane->spec = spec;
	lane->choice = rig_choose(spec, problems);
	if (!lane->choice)
		return -EINVAL;
	lane->name = spec ? name_of(n, index) : strdup("emulated-board");
	if (!lane->name)
		return -ENOMEM;
	is_private = rig_choice_is_private(lane->choice);
	if (spec) {
		suite_choose_time(o, lane->choice, &lane->time, &lane->scale, problems);
	} else {
		lane->time = RIG_TIME_VIRTUAL;
		lane->scale = 1;
	}
	lane->places = !is_private ? 1 : o->parallel ? o->parallel : processors();
	n->place_count += lane->places;
	return 0;
}

int night_make(struct night *n, struct problems *problems)
{
	static const char adapter[] = "tool: dfuhil\ncommand: dfuhil\noperations: {list: [list]}\n";
	const struct suite *s = &n->suite;
	unsigned place = 0;
	int r = 0;

	n->host = tool_parse("dfuhil.yaml", adapter, sizeof(adapter) - 1, problems);
	n->lane_count = n->options->rigs.count + 1;
	n->lanes = calloc(n->lane_count, sizeof(*n->lanes));
	n->case_count = s->chosen_count * s->tool_count;
	n->cases = calloc(n->case_count + 1, sizeof(*n->cases));
	if (!n->host || !n->lanes || !n->cases)
		return -ENOMEM;
	for (unsigned i = 0; i < n->lane_count; i++) {
		int one = make_lane(n, i, n->options->rigs.word[i], problems);

		r = one == -ENOMEM || !r ? one : r;
	}
	n->places = calloc(n->place_count + 1, sizeof(struct lane *));
	n->playing = calloc(n->place_count + 1, sizeof(*n->playing));
	if (r || !n->places || !n->playing)
		return r ? r : -ENOMEM;
	for (unsigned i = 0; i < n->lane_count; i++)
		for (unsigned k = 0; k < n->lanes[i].places; k++)
			n->places[place++] = &n->lanes[i];
	for (size_t i = 0; i < n->case_count; i++)
		n->cases[i] = (struct night_case){ .night = n,
						   .scenario = s->chosen[i / s->tool_count],
						   .tool = (unsigned)(i % s->tool_count),
						   .emulated = VERDICT_SKIPPED,
						   .control = VERDICT_SKIPPED };
	return 0;
}

void night_case_clear(struct night_case *c)
{
	results_free(&c->attempts);
	free(c->emulated_message);
	free(c->control_message);
	free(c->message);
	free(c->reason);
	free(c->capture);
	free(c->since);
	*c = (struct night_case){ .night = c->night,
				  .scenario = c->scenario,
				  .tool = c->tool,
				  .emulated = VERDICT_SKIPPED,
				  .control = VERDICT_SKIPPED };
}

void night_unmake(struct night *n)
{
	for (unsigned i = 0; n->lanes && i < n->lane_count; i++) {
		struct lane *lane = &n->lanes[i];

		lane_empty(lane);
		scenario_free(lane->control);
		rig_choice_free(lane->choice);
		free(lane->name);
		free(lane->why);
		board_lock_give(lane->lock);
	}
	for (size_t i = 0; n->cases && i < n->case_count; i++)
		night_case_clear(&n->cases[i]);
	/* What was cut off by a signal */
	for (unsigned i = 0; n->playing && i < n->place_count; i++)
		job_free(n->playing[i]);
	free(n->playing);
	free(n->lanes);
	free(n->cases);
	free(n->places);
	tool_free(n->host);
}
