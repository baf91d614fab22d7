// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs and scenarios out of the history. */
#include "history_view.h"
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "history_internal.h"

static const char *const cell_names[CELL_STATES] = { "passed", "failed", "flaky", "rig", "skipped" };

const char *cell_name(enum cell_state state)
{
	return cell_names[state];
}

static int no_memory(char why[HISTORY_WHY])
{
	snprintf(why, HISTORY_WHY, "no memory");
	return -ENOMEM;
}

/* The list with room for one more, which is all zero, at the end; it grows by doubling. NULL: no memory, and the list as it was. */
static void *grown(void *list, size_t count, size_t size)
{
	size_t more = count ? count : 1;
	char *longer;

	if (count & (count - 1))
		return list;
	longer = realloc(list, (count + more) * size);
	if (longer)
		memset(longer + count * size, 0, more * size);
	return longer;
}

static bool copy(char **to, sqlite3_stmt *s, int column)
{
	*to = strdup(history_text(s, column));
	return *to != NULL;
}

static void run_free(struct view_run *r)
{
	free(r->rig);
	free(r->serial);
	free(r->tool);
	free(r->version);
	free(r->host);
	free(r->summary);
}

static int read_run(struct history_view *view, sqlite3_stmt *s)
{
	struct view_run *list = grown(view->runs, view->run_count, sizeof(*list)), *r;

	if (!list)
		return -ENOMEM;
	view->runs = list;
	r = &list[view->run_count++];
	r->id = sqlite3_column_int64(s, 0);
	r->started = sqlite3_column_int64(s, 1);
	r->ended = sqlite3_column_int64(s, 2);
	r->exit_status = sqlite3_column_int(s, 3);
	if (!copy(&r->rig, s, 4) || !copy(&r->serial, s, 5) || !copy(&r->tool, s, 6) || !copy(&r->version, s, 7) ||
	    !copy(&r->host, s, 8) || !copy(&r->summary, s, 9))
		return -ENOMEM;
	r->state = r->ended ? RUN_ENDED : run_mark_state(r->summary, r->host);
	if (!r->ended)
		*r->summary = 0;
	return 0;
}

static int read_runs(struct history *h, const struct history_filter *f, struct history_view *view,
		     char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(
		h, why,
		"SELECT id, started, ended, exit_status, rig, serial, tool, tool_version, host, summary FROM"
		" (SELECT *, row_number() OVER (PARTITION BY rig, tool ORDER BY id DESC) AS back FROM run"
		"  WHERE (?1 IS NULL OR rig = ?1) AND (?2 IS NULL OR tool = ?2) AND started >= ?3 AND started < ?4)"
		" WHERE ?5 = 0 OR back <= ?5 ORDER BY id",
		"ttiii", f->rig, f->tool, f->since, f->until, (int64_t)f->last);
	int step, r = 0;

	if (!s)
		return -EIO;
	while (!r && (step = sqlite3_step(s)) == SQLITE_ROW)
		r = read_run(view, s);
	if (r)
		no_memory(why);
	else if (step != SQLITE_DONE)
		r = history_fail(h, "read", why);
	sqlite3_finalize(s);
	return r;
}

static size_t run_of(const struct history_view *view, int64_t id)
{
	size_t low = 0, high = view->run_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (view->runs[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < view->run_count && view->runs[low].id == id ? low : NO_CELL;
}

static enum blame blame_of(const char *name)
{
	for (int i = BLAME_TOOL; i <= BLAME_RIG; i++)
		if (!strcmp(name, blame_name((enum blame)i)))
			return (enum blame)i;
	return BLAME_NOBODY;
}

static enum verdict verdict_of(const char *name)
{
	for (int i = VERDICT_PASSED; i <= VERDICT_ERROR; i++)
		if (!strcmp(name, verdict_name((enum verdict)i)))
			return (enum verdict)i;
	return VERDICT_ERROR;
}

/* Columns of the jobs, here and below. */
enum { RUN, SCENARIO, VERDICT, EMULATED, BLAME, MESSAGE, PLACE, CAPTURE, WALL, REPEAT, ATTEMPT, BOARD };
#define COLUMNS \
	"job.run, scenario, verdict, emulated, blame, message, place, capture, wall_us, repeat, attempt, board_us"

static int add_job(struct view_cell *cell, sqlite3_stmt *s)
{
	enum verdict verdict = verdict_of(history_text(s, VERDICT));
	enum blame blame = blame_of(history_text(s, BLAME));
	bool bad = verdict_is_bad(verdict), rig = bad && blame == BLAME_RIG;

	if (verdict == VERDICT_SKIPPED) {
		cell->skipped++;
		return 0;
	}
	cell->passed += !bad;
	cell->failed += bad && !rig;
	cell->rig += rig;
	if (!rig)
		cell->wall_us += (uint64_t)sqlite3_column_int64(s, WALL);
	if (!bad)
		return 0;
	/* What the tool or the board did says more than what the rig did. */
	if (cell->message && (rig || cell->blame != BLAME_RIG))
		return 0;
	free(cell->message);
	free(cell->place);
	free(cell->capture);
	cell->blame = blame;
	cell->passes_emulated = !verdict_is_bad(verdict_of(history_text(s, EMULATED))) &&
				verdict_of(history_text(s, EMULATED)) != VERDICT_SKIPPED;
	return copy(&cell->message, s, MESSAGE) && copy(&cell->place, s, PLACE) && copy(&cell->capture, s, CAPTURE)
		       ? 0
		       : -ENOMEM;
}

static void close_cell(struct history_view *view, struct view_cell *cell)
{
	struct view_run *run = &view->runs[cell->run];

	cell->state = cell->passed && cell->failed ? CELL_FLAKY
		      : cell->passed               ? CELL_PASSED
		      : cell->failed               ? CELL_FAILED
		      : cell->rig                  ? CELL_RIG
						   : CELL_SKIPPED;
	run->cells[cell->state]++;
	run->blamed[cell->blame] += cell->blame != BLAME_NOBODY;
}

static int read_job(struct history_view *view, sqlite3_stmt *s, size_t run)
{
	const struct view_run *r = &view->runs[run];
	struct view_case *c = view->case_count ? &view->cases[view->case_count - 1] : NULL;
	struct view_cell *cell;

	if (!c || strcmp(c->scenario, history_text(s, SCENARIO)) != 0 || strcmp(c->rig, r->rig) != 0 ||
	    strcmp(c->tool, r->tool) != 0) {
		struct view_case *cases = grown(view->cases, view->case_count, sizeof(*cases));

		if (!cases)
			return -ENOMEM;
		view->cases = cases;
		c = &cases[view->case_count++];
		c->rig = strdup(r->rig);
		c->tool = strdup(r->tool);
		if (!c->rig || !c->tool || !copy(&c->scenario, s, SCENARIO))
			return -ENOMEM;
	}
	cell = c->cell_count ? &c->cells[c->cell_count - 1] : NULL;
	if (!cell || cell->run != run) {
		struct view_cell *cells = grown(c->cells, c->cell_count, sizeof(*cells));

		if (!cells)
			return -ENOMEM;
		c->cells = cells;
		cell = &cells[c->cell_count++];
		cell->run = run;
	}
	return add_job(cell, s);
}

static int read_jobs(struct history *h, const struct history_filter *f, struct history_view *view,
		     char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(
		h, why,
		"SELECT " COLUMNS " FROM job JOIN run ON run.id = job.run"
		" WHERE (?1 IS NULL OR rig = ?1) AND (?2 IS NULL OR tool = ?2) AND started >= ?3 AND started < ?4"
		" ORDER BY rig, tool, scenario, job.run, repeat, attempt, job.id",
		"ttii", f->rig, f->tool, f->since, f->until);
	int step, r = 0;

	if (!s)
		return -EIO;
	while (!r && (step = sqlite3_step(s)) == SQLITE_ROW) {
		size_t run = run_of(view, sqlite3_column_int64(s, RUN));

		/* Of a run that has begun since, nothing. */
		if (run != NO_CELL && (!f->scenario || !fnmatch(f->scenario, history_text(s, SCENARIO), 0)))
			r = read_job(view, s, run);
	}
	if (r)
		no_memory(why);
	else if (step != SQLITE_DONE)
		r = history_fail(h, "read", why);
	sqlite3_finalize(s);
	return r;
}

static bool same_version(const struct history_view *view, const struct view_cell *a, const struct view_cell *b)
{
	return !strcmp(view->runs[a->run].version, view->runs[b->run].version);
}

/* It failed once, and nobody knows of a reason why it did not before and after. */
static bool came_and_went(const struct history_view *view, const struct view_cell *before, const struct view_cell *cell,
			  const struct view_cell *after)
{
	return before && after && before->passed && !cell->passed && after->passed &&
	       same_version(view, before, cell) && same_version(view, cell, after);
}

static bool counts(const struct view_cell *cell)
{
	return cell->passed || cell->failed;
}

static const struct view_cell *next_that_counts(const struct view_case *c, size_t i)
{
	while (++i < c->cell_count)
		if (counts(&c->cells[i]))
			return &c->cells[i];
	return NULL;
}

static void conclude(struct history_view *view, struct view_case *c)
{
	const struct view_cell *before = NULL;
	uint64_t wall_us = 0, attempts = 0;

	c->last_flake = c->first_bad = c->last_good = NO_CELL;
	for (size_t i = 0; i < c->cell_count; i++) {
		struct view_cell *cell = &c->cells[i];

		close_cell(view, cell);
		if (!counts(cell))
			continue;
		c->runs++;
		c->passed += cell->state == CELL_PASSED;
		c->failed += cell->state == CELL_FAILED;
		c->flaky += cell->state == CELL_FLAKY;
		if (cell->state == CELL_FLAKY || came_and_went(view, before, cell, next_that_counts(c, i))) {
			c->flakes++;
			c->last_flake = i;
		}
		if (cell->passed) {
			c->last_good = i;
			c->first_bad = NO_CELL;
		} else if (c->first_bad == NO_CELL)
			c->first_bad = i;
		wall_us += cell->wall_us;
		attempts += cell->passed + cell->failed;
		before = cell;
	}
	c->wall_us = attempts ? wall_us / attempts : 0;
}

int history_view_load(struct history *h, const struct history_filter *f, struct history_view *view,
		      char why[HISTORY_WHY])
{
	int r;

	*view = (struct history_view){ 0 };
	r = read_runs(h, f, view, why);
	if (!r)
		r = read_jobs(h, f, view, why);
	for (size_t i = 0; i < view->case_count; i++)
		conclude(view, &view->cases[i]);
	return r;
}

void history_view_free(struct history_view *view)
{
	for (size_t i = 0; i < view->run_count; i++)
		run_free(&view->runs[i]);
	for (size_t i = 0; i < view->case_count; i++) {
		struct view_case *c = &view->cases[i];

		for (size_t j = 0; j < c->cell_count; j++) {
			free(c->cells[j].message);
			free(c->cells[j].place);
			free(c->cells[j].capture);
		}
		free(c->cells);
		free(c->rig);
		free(c->tool);
		free(c->scenario);
	}
	free(view->runs);
	free(view->cases);
	*view = (struct history_view){ 0 };
}

const char *history_view_change(const struct history_view *view, const struct view_case *c, char *text, size_t size)
{
	const struct view_run *good, *bad;
	size_t used = 0;

	*text = '\0';
	if (c->first_bad == NO_CELL || c->last_good == NO_CELL)
		return text;
	good = &view->runs[c->cells[c->last_good].run];
	bad = &view->runs[c->cells[c->first_bad].run];
	const struct {
		const char *what, *before, *after;
	} parts[] = {
		{ c->tool, good->version, bad->version },
		{ "board", good->serial, bad->serial },
		{ "host", good->host, bad->host },
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (strcmp(parts[i].before, parts[i].after) != 0 && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%s %s -> %s", used ? ", " : "",
						 parts[i].what, *parts[i].before ? parts[i].before : "unknown",
						 *parts[i].after ? parts[i].after : "unknown");
	}
	return text;
}

static int read_detail(struct view_job **jobs, size_t *count, sqlite3_stmt *s)
{
	struct view_job *list = grown(*jobs, *count, sizeof(*list)), *job;

	if (!list)
		return -ENOMEM;
	*jobs = list;
	job = &list[(*count)++];
	job->repeat = (unsigned)sqlite3_column_int(s, REPEAT);
	job->attempt = (unsigned)sqlite3_column_int(s, ATTEMPT);
	job->wall_us = (uint64_t)sqlite3_column_int64(s, WALL);
	job->board_us = (uint64_t)sqlite3_column_int64(s, BOARD);
	return copy(&job->scenario, s, SCENARIO) && copy(&job->verdict, s, VERDICT) &&
			       copy(&job->emulated, s, EMULATED) && copy(&job->blame, s, BLAME) &&
			       copy(&job->message, s, MESSAGE) && copy(&job->place, s, PLACE) &&
			       copy(&job->capture, s, CAPTURE)
		       ? 0
		       : -ENOMEM;
}

int history_view_jobs(struct history *h, int64_t run, struct view_job **jobs, size_t *count, char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(
		h, why, "SELECT " COLUMNS " FROM job WHERE run = ? ORDER BY scenario, repeat, attempt, id", "i", run);
	int step, r = 0;

	*jobs = NULL;
	*count = 0;
	if (!s)
		return -EIO;
	while (!r && (step = sqlite3_step(s)) == SQLITE_ROW)
		r = read_detail(jobs, count, s);
	if (r)
		no_memory(why);
	else if (step != SQLITE_DONE)
		r = history_fail(h, "read", why);
	sqlite3_finalize(s);
	if (r) {
		history_view_jobs_free(*jobs, *count);
		*jobs = NULL;
		*count = 0;
	}
	return r;
}

void history_view_jobs_free(struct view_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(jobs[i].scenario);
		free(jobs[i].verdict);
		free(jobs[i].emulated);
		free(jobs[i].blame);
		free(jobs[i].message);
		free(jobs[i].place);
		free(jobs[i].capture);
	}
	free(jobs);
}
