// SPDX-License-Identifier: GPL-2.0-or-later
/* The history for people: runs, scenarios over the runs, what is flaky, what fails. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "history_show.h"
#include "when.h"

#define STRIP 40 /* runs that a strip shows, the last ones */

static const char *const red = "\033[1;31m", *const green = "\033[32m", *const yellow = "\033[33m",
			 *const dim = "\033[2m", *const magenta = "\033[35m", *const bold = "\033[1m";

static const char letters[CELL_STATES] = { '.', 'F', '~', 'R', '-' };

static const char *letter_colour(char letter)
{
	return letter == 'F' ? red : letter == '~' ? yellow : letter == 'R' ? magenta : letter == '.' ? green : NULL;
}

/* Words, each clean; %s takes what came from outside. */
static void print(FILE *out, const struct history_shown *shown, const char *colour, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void print(FILE *out, const struct history_shown *shown, const char *colour, const char *format, ...)
{
	bool coloured = shown->options->colour && colour;
	char *text, *clean;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		clean = columns_text(text);
		fprintf(out, "%s%s%s", coloured ? colour : "", clean ? clean : "", coloured ? "\033[0m" : "");
		free(clean);
		free(text);
	}
	va_end(args);
}

/* "run 4 (2026-03-04 02:00 UTC, dfu-util 0.12)" */
static void print_run(FILE *out, const struct history_shown *shown, const struct view_run *run)
{
	char when[WHEN_TEXT];

	print(out, shown, NULL, "run %lld (%s%s%s%s%s)", (long long)run->id, when_text(run->started, when),
	      *run->version ? ", " : "", *run->version ? run->tool : "", *run->version ? " " : "", run->version);
}

static int finish(FILE *out, const struct history_shown *shown, struct columns *c)
{
	int r = columns_print(c, out, shown->options->colour);

	columns_free(c);
	return r;
}

static void add_count(struct columns *c, const char *colour, unsigned count)
{
	columns_add(c, count ? colour : dim, "%u", count);
}

static int print_runs(FILE *out, const struct history_shown *shown)
{
	static const char *const heads[] = { ">RUN",   "STARTED",  "RIG",   "TOOL",  ">PASSED", ">FAILED",
					     ">FLAKY", ">SKIPPED", "BLAME", ">EXIT", NULL };
	struct columns *c = columns_new(heads);
	char when[WHEN_TEXT], blamed[32];

	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i < shown->view.run_count; i++) {
		const struct view_run *run = &shown->view.runs[i];

		columns_add(c, NULL, "%lld", (long long)run->id);
		columns_add(c, NULL, "%s", when_text(run->started, when));
		columns_add(c, NULL, "%s", run->rig);
		columns_add(c, NULL, "%s%s%s", run->tool, *run->version ? " " : "", run->version);
		add_count(c, green, run->cells[CELL_PASSED]);
		add_count(c, red, run->cells[CELL_FAILED] + run->cells[CELL_RIG]);
		add_count(c, yellow, run->cells[CELL_FLAKY]);
		add_count(c, NULL, run->cells[CELL_SKIPPED]);
		columns_add(c, red, "%s", history_blamed(run, blamed));
		if (run->ended)
			columns_add(c, run->exit_status ? red : NULL, "%d", run->exit_status);
		else
			columns_add(c, yellow, "%s", history_state(run));
	}
	return finish(out, shown, c);
}

static const char *verdict_colour(const char *verdict)
{
	return !strcmp(verdict, "passed")                                            ? green
	       : !strcmp(verdict, "expected-failure") || !strcmp(verdict, "skipped") ? dim
										     : red;
}

static void print_job(FILE *out, const struct history_shown *shown, const struct view_job *job)
{
	char time[TIME_TEXT];

	print(out, shown, verdict_colour(job->verdict), "%-16s ", job->verdict);
	print(out, shown, NULL, "%s", job->scenario);
	if (job->repeat > 1)
		print(out, shown, NULL, ", repeat %u", job->repeat);
	if (job->attempt > 1)
		print(out, shown, NULL, ", attempt %u", job->attempt);
	print(out, shown, dim, "%s%s", job->wall_us ? ", " : "", history_time(job->wall_us, time));
	if (*job->blame)
		print(out, shown, red, ", blame: %s", job->blame);
	putc('\n', out);
	if (*job->message)
		print(out, shown, NULL, "%19s%s", "", job->message);
	fputs(*job->message ? "\n" : "", out);
	if (strcmp(job->emulated, "skipped") != 0 && strcmp(job->emulated, job->verdict) != 0) {
		print(out, shown, NULL, "%19sthe emulated board: %s", "", job->emulated);
		putc('\n', out);
	}
	if (*job->place || *job->capture) {
		print(out, shown, dim, "%19s%s%s%s", "", job->place, *job->place && *job->capture ? "; " : "",
		      job->capture);
		putc('\n', out);
	}
}

static int print_one(FILE *out, const struct history_shown *shown)
{
	const struct view_run *run = shown->run;
	char when[WHEN_TEXT];

	print(out, shown, bold, "run %lld on %s, %s%s%s", (long long)run->id, run->rig, run->tool,
	      *run->version ? " " : "", run->version);
	putc('\n', out);
	print(out, shown, NULL, "  started  %s%s%s%s%s", when_text(run->started, when), *run->host ? ", on " : "",
	      run->host, *run->serial ? ", board " : "", run->serial);
	putc('\n', out);
	if (run->ended)
		print(out, shown, NULL, "  ended    %s, exit status %d", when_text(run->ended, when), run->exit_status);
	else
		print(out, shown, yellow, "  %s",
		      run->state == RUN_RUNS     ? "running still"
		      : run->state == RUN_KILLED ? "killed: its process is there no longer"
						 : "unfinished: it runs still, or was killed");
	putc('\n', out);
	if (*run->summary) {
		print(out, shown, NULL, "  %s", run->summary);
		putc('\n', out);
	}
	putc('\n', out);
	for (size_t i = 0; i < shown->job_count; i++)
		print_job(out, shown, &shown->jobs[i]);
	return 0;
}

/* Runs of the rig and tool that a case belongs to, and as many of the last ones as a strip has room for. */
static size_t runs_of(const struct history_view *view, const struct view_case *c, size_t list[STRIP], size_t *all)
{
	size_t count = 0;

	*all = 0;
	for (size_t i = 0; i < view->run_count; i++)
		*all += !strcmp(view->runs[i].rig, c->rig) && !strcmp(view->runs[i].tool, c->tool);
	for (size_t i = view->run_count; i-- && count < STRIP;)
		if (!strcmp(view->runs[i].rig, c->rig) && !strcmp(view->runs[i].tool, c->tool))
			list[count++] = i;
	for (size_t i = 0; i < count / 2; i++) {
		size_t other = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = other;
	}
	return count;
}

static void add_case(struct columns *c, const struct history_view *view, const struct view_case *row,
		     const size_t *list, size_t count)
{
	char strip[STRIP + 1], time[TIME_TEXT];

	memset(strip, ' ', count);
	strip[count] = '\0';
	for (size_t i = 0, at = 0; i < row->cell_count; i++) {
		while (at < count && list[at] < row->cells[i].run)
			at++;
		if (at < count && list[at] == row->cells[i].run)
			strip[at] = letters[row->cells[i].state];
	}
	columns_add(c, NULL, "%s", row->scenario);
	columns_add_strip(c, strip, letter_colour);
	columns_add(c, row->runs && row->passed == row->runs ? green : NULL, row->runs ? "%u %%" : "",
		    history_percent(row->passed, row->runs));
	columns_add(c, NULL, "%s", history_time(row->wall_us, time));
	if (row->first_bad != NO_CELL)
		columns_add(c, red, "fails since run %lld", (long long)view->runs[row->cells[row->first_bad].run].id);
	else if (row->flakes)
		columns_add(c, yellow, "flaky in %u of %u", row->flakes, row->runs);
	else
		columns_add(c, NULL, "%s", "");
}

static int print_trends(FILE *out, const struct history_shown *shown)
{
	static const char *const heads[] = { "SCENARIO", "RUNS", ">PASSED", ">TIME", "", NULL };
	const struct history_view *view = &shown->view;
	char first[WHEN_TEXT], last[WHEN_TEXT];
	int r = 0;

	for (size_t i = 0, next; !r && i < view->case_count; i = next) {
		const struct view_case *group = &view->cases[i];
		struct columns *c = columns_new(heads);
		size_t list[STRIP], all, count = runs_of(view, group, list, &all);

		if (!c)
			return -ENOMEM;
		fputs(i ? "\n" : "", out);
		print(out, shown, bold, "%s, %s: ", group->rig, group->tool);
		fprintf(out, "%s%zu of %zu runs, %s to %s (UTC)\n", count < all ? "the last " : "", count, all,
			when_date(view->runs[list[0]].started, first),
			when_date(view->runs[list[count - 1]].started, last));
		for (next = i; next < view->case_count && !strcmp(view->cases[next].rig, group->rig) &&
			       !strcmp(view->cases[next].tool, group->tool);
		     next++)
			add_case(c, view, &view->cases[next], list, count);
		r = finish(out, shown, c);
	}
	if (view->case_count)
		fputs("\n. passed   F failed   ~ both: flaky   R the rig failed   - skipped\n", out);
	return r;
}

static void print_cell_details(FILE *out, const struct history_shown *shown, const struct view_cell *cell)
{
	if (cell->message && *cell->message) {
		print(out, shown, NULL, "    %s", cell->message);
		putc('\n', out);
	}
	if (cell->place && *cell->place) {
		print(out, shown, dim, "    %s%s%s", cell->place, *cell->capture ? "; " : "", cell->capture);
		putc('\n', out);
	}
}

static int print_flakes(FILE *out, const struct history_shown *shown)
{
	size_t count;
	const struct view_case **list = history_flakes(&shown->view, &count);

	if (!list)
		return -ENOMEM;
	if (!count)
		fputs("nothing is flaky\n", out);
	for (size_t i = 0; i < count; i++) {
		const struct view_case *c = list[i];
		const struct view_cell *cell = &c->cells[c->last_flake];

		print(out, shown, yellow, "%3u %%  ", history_percent(c->flakes, c->runs));
		print(out, shown, bold, "%s", c->scenario);
		print(out, shown, NULL, ", %s on %s: in %u of %u runs, at last in ", c->tool, c->rig, c->flakes,
		      c->runs);
		print_run(out, shown, &shown->view.runs[cell->run]);
		putc('\n', out);
		if (cell->state == CELL_FLAKY)
			fprintf(out, "    there %u of %u attempts failed\n", cell->failed, cell->failed + cell->passed);
		else
			fputs("    there it failed, and passed in the runs before and after\n", out);
		print_cell_details(out, shown, cell);
	}
	free(list);
	return 0;
}

static int print_first_bad(FILE *out, const struct history_shown *shown)
{
	const struct history_view *view = &shown->view;
	size_t count;
	const struct view_case **list = history_first_bad(view, &count);
	char change[256];

	if (!list)
		return -ENOMEM;
	if (!count)
		fputs("nothing fails now\n", out);
	for (size_t i = 0; i < count; i++) {
		const struct view_case *c = list[i];
		const struct view_cell *cell = &c->cells[c->first_bad];

		print(out, shown, bold, "%s", c->scenario);
		print(out, shown, NULL, ", %s on %s: ", c->tool, c->rig);
		print(out, shown, red, "fails since ");
		print_run(out, shown, &view->runs[cell->run]);
		fputs("\n    ", out);
		if (c->last_good == NO_CELL)
			fputs("it has passed in no run before", out);
		else {
			fputs("passed last in ", out);
			print_run(out, shown, &view->runs[c->cells[c->last_good].run]);
			history_view_change(view, c, change, sizeof(change));
			print(out, shown, NULL, "; %s%s", *change ? "changed: " : "no change is known", change);
		}
		if (cell->blame)
			print(out, shown, NULL, "; blame: %s", blame_name(cell->blame));
		fputs(cell->passes_emulated ? "; it passes on the emulated board\n" : "\n", out);
		print_cell_details(out, shown, cell);
	}
	free(list);
	return 0;
}

int history_print(FILE *out, const struct history_shown *shown)
{
	switch (shown->options->what) {
	case SHOW_RUNS:
		return print_runs(out, shown);
	case SHOW_RUN:
		return print_one(out, shown);
	case SHOW_TRENDS:
		return print_trends(out, shown);
	case SHOW_FLAKES:
		return print_flakes(out, shown);
	case SHOW_FIRST_BAD:
		return print_first_bad(out, shown);
	case SHOW_ERASES:
		return history_print_erases(out, shown);
	case SHOW_WEAR:
		return history_print_wear(out, shown);
	}
	return 0;
}
