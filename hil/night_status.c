// SPDX-License-Identifier: GPL-2.0-or-later
/* What became of a night as a whole, and since when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "history_view.h"
#include "night.h"
#include "text.h"
#include "when.h"

struct tally {
	size_t tool, board, rig, flaky, unclear, unreached, played;
};

static struct tally count(const struct night *n, const struct lane *lane, unsigned tool)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n->case_count; i++) {
		const struct night_case *c = &n->cases[i];

		if (lane && (c->lane != lane || c->tool != tool))
			continue;
		t.tool += c->bad && c->blame == BLAME_TOOL;
		t.board += c->bad && c->blame == BLAME_BOARD;
		t.rig += c->bad && c->blame == BLAME_RIG;
		t.flaky += c->flaky;
		t.unclear += c->bad && c->blame == BLAME_NOBODY && !c->flaky;
		t.unreached += !c->reached;
		t.played += c->reached && c->verdict != VERDICT_SKIPPED;
	}
	return t;
}

static int status_of(const struct night *n, const struct tally *t)
{
	if (n->signal)
		return 128 + n->signal;
	if (t->tool || (t->flaky && n->options->fail_flaky))
		return HIL_FAILED;
	if (t->board || t->rig)
		return HIL_UNFIT;
	if (t->unclear || t->unreached)
		return NIGHT_CUT;
	return 0;
}

int night_status_of(const struct night *n, const struct lane *lane, unsigned tool)
{
	struct tally t = count(n, lane, tool);
	int status = status_of(n, &t);

	return !status && lane->state == LANE_OUT ? HIL_UNFIT : status;
}

int night_status(const struct night *n)
{
	struct tally t = count(n, NULL, 0);
	int status;

	for (unsigned i = 0; i < n->lane_count; i++) {
		t.rig += n->lanes[i].spec && n->lanes[i].state == LANE_OUT && n->lanes[i].blame == BLAME_RIG;
		t.board += n->lanes[i].spec && n->lanes[i].state == LANE_OUT && n->lanes[i].blame == BLAME_BOARD;
	}
	status = status_of(n, &t);
	if (n->broken && (!status || status == NIGHT_CUT))
		return HIL_UNFIT;
	if (!status && !t.played)
		return HIL_FAILED;
	return !status && n->troubles ? NIGHT_UNRECORDED : status;
}

const char *night_verdict(int status)
{
	switch (status) {
	case 0:
		return "good";
	case HIL_FAILED:
		return "tool failure";
	case HIL_UNFIT:
		return "board or rig failure";
	case NIGHT_CUT:
		return "incomplete";
	case NIGHT_UNRECORDED:
		return "good, but not recorded as a whole";
	default:
		return "interrupted";
	}
}

/* --- looking back --- */

static const struct view_case *find(const struct history_view *view, const struct night_case *c)
{
	for (size_t i = 0; i < view->case_count; i++) {
		const struct view_case *v = &view->cases[i];

		if (!strcmp(v->scenario, c->scenario->id) && !strcmp(v->rig, c->lane->name) &&
		    !strcmp(v->tool, c->night->suite.tool_names[c->tool]))
			return v;
	}
	return NULL;
}

static int64_t began(const struct history_view *view, const struct view_case *v, size_t cell)
{
	return view->runs[v->cells[cell].run].started;
}

static void look_back(struct night_case *c, const struct history_view *view)
{
	const struct view_case *v = find(view, c);
	char first[WHEN_TEXT], good[WHEN_TEXT], change[256];

	if (!v)
		return;
	if (c->flaky) {
		c->since = text_format("flaky in %u of the %u nights that are known", v->flaky, v->runs);
		return;
	}
	if (v->first_bad == NO_CELL)
		return;
	c->is_new = v->first_bad + 1 == v->cell_count && v->last_good != NO_CELL;
	when_text(began(view, v, v->first_bad), first);
	history_view_change(view, v, change, sizeof(change));
	if (v->last_good == NO_CELL) {
		c->since = text_format("it has failed in each night that is known, since %s", first);
		return;
	}
	when_text(began(view, v, v->last_good), good);
	c->since = text_format("%s: first bad night %s, last good one %s%s%s", c->is_new ? "new tonight" : "regression",
			       first, good, *change ? "; what changed: " : "", change);
}

void night_look_back(struct night *n)
{
	struct history_filter all = { .since = INT64_MIN, .until = INT64_MAX };
	struct history_view view = { 0 };
	char why[HISTORY_WHY];
	bool any = false;

	for (size_t i = 0; i < n->case_count; i++)
		any = any || n->cases[i].bad;
	if (!any || !night_history(n))
		return;
	if (history_view_load(n->history, &all, &view, why))
		night_trouble(n, "the history cannot be read: %s", why);
	else
		for (size_t i = 0; i < n->case_count; i++)
			if (n->cases[i].bad)
				look_back(&n->cases[i], &view);
	history_view_free(&view);
}
