// SPDX-License-Identifier: GPL-2.0-or-later
/* The night in a few lines for people, and as JSON for the hook. */
#include <stdlib.h>
#include <string.h>
#include "night.h"
#include "text.h"
#include "when.h"
#include "worker.h"

struct group {
	const char *title, *word;
	bool (*belongs)(const struct night_case *);
};

static bool of_tool(const struct night_case *c)
{
	return c->bad && c->blame == BLAME_TOOL;
}
static bool of_board(const struct night_case *c)
{
	return c->bad && c->blame == BLAME_BOARD;
}
static bool of_rig(const struct night_case *c)
{
	return c->bad && c->blame == BLAME_RIG;
}
static bool is_flaky(const struct night_case *c)
{
	return c->flaky;
}
static bool is_unclear(const struct night_case *c)
{
	return c->bad && c->blame == BLAME_NOBODY && !c->flaky;
}
static bool differs(const struct night_case *c)
{
	return !c->bad && c->reason;
}

static const struct group groups[] = {
	{ "tool failures", "tool", of_tool },
	{ "board failures", "board", of_board },
	{ "rig failures", "rig", of_rig },
	{ "flaky", "flaky", is_flaky },
	{ "failed, and not looked into", "unclear", is_unclear },
	{ "the emulated board differs", "differs", differs },
};
#define GROUPS (sizeof(groups) / sizeof(*groups))

static const struct group *group_of(const struct night_case *c)
{
	for (size_t i = 0; i < GROUPS; i++)
		if (groups[i].belongs(c))
			return &groups[i];
	return NULL;
}

static size_t unreached(const struct night *n)
{
	size_t count = 0;

	for (size_t i = 0; i < n->case_count; i++)
		count += !n->cases[i].reached;
	return count;
}

static double seconds(const struct night *n)
{
	return (double)(worker_now_us() - n->start_us) / 1e6;
}

/* --- for people --- */

static void put_clean(FILE *out, const char *text)
{
	char *clean = text_clean(text);

	fputs(clean ? clean : "", out);
	free(clean);
}

static void put_case(const struct night_case *c, FILE *out)
{
	fprintf(out, "  %s (%s) on %s: ", c->scenario->id, c->night->suite.tool_names[c->tool], c->lane->name);
	put_clean(out, c->message ? c->message : verdict_name(c->verdict));
	if (c->reason) {
		fputs("\n      ", out);
		put_clean(out, c->reason);
	}
	if (c->since) {
		fputs("\n      ", out);
		put_clean(out, c->since);
	}
	fputc('\n', out);
}

void night_print(const struct night *n, int status, FILE *out)
{
	char when[WHEN_TEXT];

	fprintf(out, "\nnight of %s: %s; %.1f s\n", when_text(n->started, when), night_verdict(status), seconds(n));
	for (unsigned i = 0; i < n->lane_count; i++) {
		const struct lane *lane = &n->lanes[i];

		if (!lane->spec)
			continue;
		fprintf(out, "rig %s: %s, %zu run%s", lane->name, lane->state == LANE_OUT ? "out" : "fit", lane->played,
			lane->played == 1 ? "" : "s");
		if (lane->state == LANE_OUT) {
			fprintf(out, "; %s failure: ", blame_name(lane->blame));
			put_clean(out, lane->why ? lane->why : "");
		}
		fputc('\n', out);
	}
	for (size_t g = 0; g < GROUPS; g++) {
		bool any = false;

		for (size_t i = 0; i < n->case_count; i++) {
			if (group_of(&n->cases[i]) != &groups[g])
				continue;
			if (!any)
				fprintf(out, "%s:\n", groups[g].title);
			any = true;
			put_case(&n->cases[i], out);
		}
	}
	if (unreached(n))
		fprintf(out, "not reached: %zu of %zu\n", unreached(n), n->case_count);
	for (const struct trouble *t = n->troubles; t; t = t->next) {
		fputs("not recorded: ", out);
		put_clean(out, t->text);
		fputc('\n', out);
	}
	if (n->folder)
		fprintf(out, "folder: %s\n", n->folder);
}

/* --- for programs --- */

static json_t *text(const char *value)
{
	char *clean = value ? text_clean(value) : NULL;
	json_t *json = clean ? json_string(clean) : json_null();

	free(clean);
	return json;
}

static json_t *rigs(const struct night *n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n->lane_count; i++) {
		const struct lane *lane = &n->lanes[i];

		if (lane->spec)
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:b, s:s, s:o, s:I}", "name", lane->name, "rig",
							lane->spec, "fit", lane->state != LANE_OUT, "blame",
							lane->state == LANE_OUT ? blame_name(lane->blame) : "", "why",
							text(lane->state == LANE_OUT ? lane->why : NULL), "runs",
							(json_int_t)lane->played));
	}
	return list;
}

static json_t *tools(const struct night *n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n->suite.tool_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "name", n->suite.tool_names[i], "version",
						      text(n->suite.tool_versions[i])));
	return list;
}

static json_t *one_case(const struct night_case *c)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "scenario", c->scenario->id, "tool",
				 c->night->suite.tool_names[c->tool], "rig", c->lane->name, "is", group_of(c)->word,
				 "verdict", verdict_name(c->verdict), "emulated",
				 c->emulated == VERDICT_SKIPPED ? "" : verdict_name(c->emulated));

	json_object_set_new(json, "attempts", json_integer(c->bad ? (json_int_t)c->attempts.count : 1));
	json_object_set_new(json, "failed", json_integer(c->bad));
	json_object_set_new(json, "seed", json_integer((json_int_t)c->seed));
	json_object_set_new(json, "message", text(c->message));
	json_object_set_new(json, "reason", text(c->reason));
	json_object_set_new(json, "since", text(c->since));
	json_object_set_new(json, "new", json_boolean(c->is_new));
	json_object_set_new(json, "capture", text(c->capture));
	return json;
}

static json_t *counts(const struct night *n)
{
	size_t verdicts[RESULTS_VERDICTS] = { 0 }, flaky = 0;
	json_t *json = json_object();

	for (size_t i = 0; i < n->case_count; i++) {
		const struct night_case *c = &n->cases[i];

		flaky += c->flaky;
		if (c->reached && !c->flaky)
			verdicts[c->verdict]++;
	}
	json_object_set_new(json, "planned", json_integer((json_int_t)n->case_count));
	for (unsigned v = 0; v < RESULTS_VERDICTS; v++)
		json_object_set_new(json, verdict_name((enum verdict)v), json_integer((json_int_t)verdicts[v]));
	json_object_set_new(json, "flaky", json_integer((json_int_t)flaky));
	json_object_set_new(json, "not-reached", json_integer((json_int_t)unreached(n)));
	return json;
}

json_t *night_json(const struct night *n, int status)
{
	json_t *cases = json_array(), *troubles = json_array();
	char started[WHEN_TEXT], ended[WHEN_TEXT];

	for (size_t i = 0; i < n->case_count; i++)
		if (group_of(&n->cases[i]))
			json_array_append_new(cases, one_case(&n->cases[i]));
	for (const struct trouble *t = n->troubles; t; t = t->next)
		json_array_append_new(troubles, text(t->text));
	when_iso(n->started, started);
	when_iso(night_now(n), ended);
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:f, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "format", 1,
			 "program", "dfuhil", "version", DFUBENCH_VERSION, "started", started, "ended", ended,
			 "seconds", seconds(n), "status", status, "night", night_verdict(status), "folder",
			 text(n->folder), "rigs", rigs(n), "tools", tools(n), "counts", counts(n), "cases", cases,
			 "troubles", troubles);
}
