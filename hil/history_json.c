// SPDX-License-Identifier: GPL-2.0-or-later
/* The history for programs: one JSON document (dfuhil(1), JSON). */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include "history_show.h"
#include "text.h"
#include "when.h"

/* Text of any bytes; "" is null. */
static json_t *text(const char *from)
{
	char *clean = from && *from ? text_clean(from) : NULL;
	json_t *json = clean ? json_string(clean) : json_null();

	free(clean);
	return json;
}

static json_t *time_of(int64_t when)
{
	char iso[WHEN_TEXT];

	return json_string(when_iso(when, iso));
}

static json_t *day_of(int64_t when)
{
	char date[WHEN_TEXT];

	return json_string(when_date(when, date));
}

static json_t *run_json(const struct view_run *run)
{
	json_t *scenarios = json_object(), *blame = json_array();

	for (int i = 0; i < CELL_STATES; i++)
		json_object_set_new(scenarios, cell_name((enum cell_state)i), json_integer(run->cells[i]));
	for (int i = BLAME_TOOL; i <= BLAME_RIG; i++)
		if (run->blamed[i])
			json_array_append_new(blame, json_string(blame_name((enum blame)i)));
	return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "run",
			 (json_int_t)run->id, "state", run_state_name(run->state), "started", time_of(run->started),
			 "ended", run->ended ? time_of(run->ended) : json_null(), "exit-status",
			 run->ended ? json_integer(run->exit_status) : json_null(), "rig", text(run->rig), "serial",
			 text(run->serial), "tool", text(run->tool), "tool-version", text(run->version), "host",
			 text(run->host), "summary", text(run->summary), "blame", blame, "scenarios", scenarios);
}

static json_t *runs_json(const struct history_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->run_count; i++)
		json_array_append_new(list, run_json(&view->runs[i]));
	return list;
}

static json_t *jobs_json(const struct history_shown *shown)
{
	json_t *list = json_array();

	for (size_t i = 0; i < shown->job_count; i++) {
		const struct view_job *job = &shown->jobs[i];

		json_array_append_new(list, json_pack("{s:o, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
						      "scenario", text(job->scenario), "repeat", (int)job->repeat,
						      "attempt", (int)job->attempt, "verdict", text(job->verdict),
						      "emulated", text(job->emulated), "blame", text(job->blame),
						      "message", text(job->message), "place", text(job->place),
						      "capture", text(job->capture), "board-us",
						      (json_int_t)job->board_us, "wall-us", (json_int_t)job->wall_us));
	}
	return list;
}

static json_t *cell_json(const struct history_view *view, const struct view_cell *cell)
{
	const struct view_run *run = &view->runs[cell->run];

	return json_pack("{s:I, s:o, s:o, s:s, s:i, s:i, s:o, s:b, s:o, s:o, s:o}", "run", (json_int_t)run->id,
			 "started", time_of(run->started), "tool-version", text(run->version), "state",
			 cell_name(cell->state), "passed", (int)cell->passed, "failed", (int)cell->failed, "blame",
			 text(blame_name(cell->blame)), "passes-emulated", cell->passes_emulated, "message",
			 text(cell->message), "place", text(cell->place), "capture", text(cell->capture));
}

static json_t *case_json(const struct view_case *c)
{
	return json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:i, s:I}", "scenario", text(c->scenario), "tool",
			 text(c->tool), "rig", text(c->rig), "runs", (int)c->runs, "passed", (int)c->passed, "failed",
			 (int)c->failed, "flaky", (int)c->flaky, "flakes", (int)c->flakes, "wall-us",
			 (json_int_t)c->wall_us);
}

static json_t *trends_json(const struct history_view *view)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->case_count; i++) {
		json_t *cells = json_array(), *json = case_json(&view->cases[i]);

		for (size_t j = 0; j < view->cases[i].cell_count; j++)
			json_array_append_new(cells, cell_json(view, &view->cases[i].cells[j]));
		json_object_set_new(json, "by-run", cells);
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *flakes_json(const struct history_view *view)
{
	size_t count;
	const struct view_case **cases = history_flakes(view, &count);
	json_t *list = cases ? json_array() : NULL;

	for (size_t i = 0; list && i < count; i++) {
		json_t *json = case_json(cases[i]);

		json_object_set_new(json, "rate", json_real((double)cases[i]->flakes / cases[i]->runs));
		json_object_set_new(json, "last", cell_json(view, &cases[i]->cells[cases[i]->last_flake]));
		json_array_append_new(list, json);
	}
	free(cases);
	return list;
}

static json_t *first_bad_json(const struct history_view *view)
{
	size_t count;
	const struct view_case **cases = history_first_bad(view, &count);
	json_t *list = cases ? json_array() : NULL;
	char change[256];

	for (size_t i = 0; list && i < count; i++) {
		const struct view_case *c = cases[i];
		json_t *json = case_json(c);

		json_object_set_new(json, "first-bad", cell_json(view, &c->cells[c->first_bad]));
		json_object_set_new(json, "last-good",
				    c->last_good == NO_CELL ? json_null() : cell_json(view, &c->cells[c->last_good]));
		json_object_set_new(json, "changed", text(history_view_change(view, c, change, sizeof(change))));
		json_array_append_new(list, json);
	}
	free(cases);
	return list;
}

static json_t *sectors_json(const struct history_shown *shown, bool days)
{
	json_t *list = json_array();

	for (size_t i = 0; i < shown->wear.count; i++) {
		const struct view_sector *s = &shown->wear.sectors[i];
		json_t *json = json_pack("{s:o, s:I, s:I}", "serial", text(s->serial), "address",
					 (json_int_t)s->address, "erases", (json_int_t)s->erases);
		json_t *by_day = days ? json_array() : NULL;

		if (!days) {
			json_object_set_new(json, "per-day", json_real(s->per_day));
			json_object_set_new(json, "state",
					    json_string(s->erases >= shown->options->stop   ? "stop"
							: s->erases >= shown->options->warn ? "warn"
											    : "good"));
		}
		for (size_t j = 0; by_day && j < s->day_count; j++)
			json_array_append_new(by_day, json_pack("{s:o, s:I, s:I}", "day", day_of(s->days[j].day),
								"erases", (json_int_t)s->days[j].erases, "slowest-us",
								(json_int_t)s->days[j].slowest_us));
		if (days)
			json_object_set_new(json, "slowest-us",
					    s->slowest == SIZE_MAX
						    ? json_null()
						    : json_integer((json_int_t)s->days[s->slowest].slowest_us));
		if (by_day)
			json_object_set_new(json, "by-day", by_day);
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *what(const struct history_shown *shown, const char **key)
{
	*key = "scenarios";
	switch (shown->options->what) {
	case SHOW_RUNS:
		*key = "runs";
		return runs_json(&shown->view);
	case SHOW_RUN:
		*key = "jobs";
		return jobs_json(shown);
	case SHOW_TRENDS:
		return trends_json(&shown->view);
	case SHOW_FLAKES:
		return flakes_json(&shown->view);
	case SHOW_FIRST_BAD:
		return first_bad_json(&shown->view);
	case SHOW_ERASES:
	case SHOW_WEAR:
		*key = "sectors";
		return sectors_json(shown, shown->options->what == SHOW_ERASES);
	}
	return NULL;
}

int history_json(FILE *out, const struct history_shown *shown)
{
	const char *key;
	json_t *list = what(shown, &key);
	json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:o}", "format", 1, "program", "dfuhil", "version",
				 DFUBENCH_VERSION, "shows", history_what_name(shown->options->what), "history",
				 text(shown->path));
	int r = -ENOMEM;

	if (json && shown->run)
		json_object_update_new(json, run_json(shown->run));
	if (json && list && !json_object_set(json, key, list))
		r = json_dumpf(json, out, JSON_INDENT(1)) ? -EIO : 0;
	json_decref(list);
	json_decref(json);
	fputs(r ? "" : "\n", out);
	return r;
}
