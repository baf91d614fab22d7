// SPDX-License-Identifier: GPL-2.0-or-later
/* The history as one page with pictures (history.html). It has no script and fetches nothing, so it can be sent about as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "history_show.h"
#include "history_svg.h"
#include "when.h"

/* The page, between the two symbols. */
__asm__(".pushsection .rodata\n"
	"history_frame: .incbin \"hil/history.html\"\n"
	"history_frame_end: .byte 0\n"
	".popsection\n");
extern const char history_frame[], history_frame_end[];

#define PLACE "@BODY@"
#define RUNS_MOST 90 /* that a picture shows, the last ones */

/* The runs of a rig with a tool: indices, the last ones. */
struct group {
	const char *rig, *tool;
	size_t runs[RUNS_MOST], count;
};

static void group_fill(struct group *g, const struct history_view *view, const char *rig, const char *tool)
{
	size_t back = 0;

	*g = (struct group){ .rig = rig, .tool = tool };
	for (size_t i = view->run_count; i--;)
		if (back < RUNS_MOST && !strcmp(view->runs[i].rig, rig) && !strcmp(view->runs[i].tool, tool))
			g->runs[RUNS_MOST - ++back] = i;
	memmove(g->runs, g->runs + RUNS_MOST - back, back * sizeof(*g->runs));
	g->count = back;
}

static void element(FILE *out, const char *open, const char *text, const char *close)
{
	fputs(open, out);
	svg_text(out, text);
	fputs(close, out);
}

/* "run 4 (2026-03-04 02:00 UTC, dfu-util 0.12)" */
static void run_words(FILE *out, const struct view_run *run)
{
	char when[WHEN_TEXT];

	fprintf(out, "run %lld (%s", (long long)run->id, when_text(run->started, when));
	if (*run->version) {
		element(out, ", ", run->tool, " ");
		svg_text(out, run->version);
	}
	putc(')', out);
}

static void case_words(FILE *out, const struct view_case *c)
{
	element(out, "<b>", c->scenario, "</b>, ");
	svg_text(out, c->tool);
	element(out, " on ", c->rig, ": ");
}

static void cell_words(FILE *out, const struct view_cell *cell)
{
	if (cell->message && *cell->message)
		element(out, "<br>", cell->message, "");
	if (cell->place && *cell->place)
		element(out, "<br><span class=\"dim mono\">", cell->place, "</span>");
}

static void tile(FILE *out, const char *colour, size_t count, const char *what)
{
	fprintf(out, "<div class=\"tile%s\"><b>%zu</b>%s</div>", count ? colour : "", count, what);
}

static unsigned worn(const struct history_shown *shown)
{
	unsigned count = 0;

	for (size_t i = 0; i < shown->wear.count; i++)
		count += shown->wear.sectors[i].erases >= shown->options->warn;
	return count;
}

static void header(FILE *out, const struct history_shown *shown, size_t bad, size_t flaky)
{
	const struct history_view *view = &shown->view;
	char when[WHEN_TEXT], from[WHEN_TEXT], to[WHEN_TEXT];

	fputs("<header><h1>dfuhil history</h1><div class=\"dim\">", out);
	svg_text(out, shown->path);
	if (view->run_count)
		fprintf(out, ", runs from %s to %s", when_text(view->runs[0].started, from),
			when_text(view->runs[view->run_count - 1].started, to));
	fprintf(out, "; written %s. All times are UTC.</div><div class=\"tiles\">", when_text(shown->now, when));
	tile(out, "", view->run_count, "runs");
	tile(out, "", view->case_count, "scenarios, by rig and tool");
	tile(out, " bad", bad, "fail now");
	tile(out, " many", flaky, "flaky");
	tile(out, " bad", worn(shown), "worn sectors");
	fputs("</div></header>\n<main>\n", out);
}

static void first_bad(FILE *out, const struct history_view *view, const struct view_case *const *list, size_t count)
{
	char change[256];

	fputs(count ? "<h2>What fails now</h2>\n" : "", out);
	for (size_t i = 0; i < count; i++) {
		const struct view_case *c = list[i];
		const struct view_cell *cell = &c->cells[c->first_bad];

		fputs("<div class=\"problem\">", out);
		case_words(out, c);
		fputs("first bad is ", out);
		run_words(out, &view->runs[cell->run]);
		if (c->last_good == NO_CELL)
			fputs("; it has passed in no run before", out);
		else {
			fputs("; last good is ", out);
			run_words(out, &view->runs[c->cells[c->last_good].run]);
			history_view_change(view, c, change, sizeof(change));
			element(out, *change ? "; changed: " : "; no change is known", change, "");
		}
		if (cell->blame)
			fprintf(out, "; blame: %s", blame_name(cell->blame));
		fputs(cell->passes_emulated ? "; it passes on the emulated board" : "", out);
		cell_words(out, cell);
		fputs("</div>\n", out);
	}
}

static void flakes(FILE *out, const struct history_view *view, const struct view_case *const *list, size_t count)
{
	fputs(count ? "<h2>What is flaky</h2>\n" : "", out);
	for (size_t i = 0; i < count; i++) {
		const struct view_case *c = list[i];
		const struct view_cell *cell = &c->cells[c->last_flake];

		fputs("<div class=\"problem flaky\">", out);
		case_words(out, c);
		fprintf(out, "%u %%, in %u of %u runs, at last in ", history_percent(c->flakes, c->runs), c->flakes,
			c->runs);
		run_words(out, &view->runs[cell->run]);
		if (cell->state == CELL_FLAKY)
			fprintf(out, ", where %u of %u attempts failed", cell->failed, cell->failed + cell->passed);
		cell_words(out, cell);
		fputs("</div>\n", out);
	}
}

static void legend(FILE *out)
{
	fputs("<div class=\"legend\">", out);
	for (int i = 0; i < CELL_STATES; i++)
		fprintf(out, "<span><i class=\"%s\"></i>%s</span>", cell_name((enum cell_state)i),
			i == CELL_RIG ? "the rig failed" : cell_name((enum cell_state)i));
	fputs("</div>\n", out);
}

static bool is_first_of_group(const struct history_view *view, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(view->runs[i].rig, view->runs[j].rig) && !strcmp(view->runs[i].tool, view->runs[j].tool))
			return false;
	return true;
}

static void scenarios(FILE *out, const struct history_view *view, const struct group *g)
{
	char time[TIME_TEXT];

	fputs("<div class=\"wide\"><table><tr><th>scenario</th><th>by run</th><th class=\"number\">passed</th>"
	      "<th class=\"number\">flaky</th><th class=\"number\">time</th><th>time by run</th></tr>\n",
	      out);
	for (size_t i = 0; i < view->case_count; i++) {
		const struct view_case *c = &view->cases[i];

		if (strcmp(c->rig, g->rig) != 0 || strcmp(c->tool, g->tool) != 0)
			continue;
		element(out, c->first_bad != NO_CELL ? "<tr><td class=\"is-failed\">" : "<tr><td>", c->scenario,
			"</td><td class=\"picture\">");
		svg_case(out, view, c, g->runs, g->count);
		if (c->runs)
			fprintf(out, "</td><td class=\"number\">%u %%</td><td class=\"number%s\">%u %%",
				history_percent(c->passed, c->runs), c->flakes ? " is-flaky" : "",
				history_percent(c->flakes, c->runs));
		else
			fputs("</td><td></td><td>", out);
		fprintf(out, "</td><td class=\"number\">%s</td><td class=\"picture\">", history_time(c->wall_us, time));
		svg_case_times(out, c, g->runs, g->count);
		fputs("</td></tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void trends(FILE *out, const struct history_view *view)
{
	struct group g;

	fputs("<h2>Trends</h2>\n", out);
	if (!view->run_count)
		fputs("<p>There are no runs.</p>\n", out);
	else
		legend(out);
	for (size_t i = 0; i < view->run_count; i++) {
		if (!is_first_of_group(view, i))
			continue;
		group_fill(&g, view, view->runs[i].rig, view->runs[i].tool);
		element(out, "<h3>", g.rig, ", ");
		element(out, "", g.tool, "</h3>\n<div class=\"wide\">");
		svg_runs(out, view, g.runs, g.count);
		fputs("</div>\n", out);
		scenarios(out, view, &g);
	}
}

static void board(FILE *out, const struct history_shown *shown, const struct view_sector *sectors, size_t count)
{
	char time[TIME_TEXT], when[WHEN_TEXT];

	element(out, "<h3>board ", sectors->serial, "</h3>\n<div class=\"wide\">");
	svg_slowest(out, sectors, count);
	fputs("</div>\n<div class=\"wide\"><table><tr><th>sector</th><th "
	      "class=\"number\">slowest</th><th>on</th><th>by day</th>"
	      "<th class=\"number\">erases</th><th>of what it can bear</th></tr>\n",
	      out);
	for (size_t i = 0; i < count; i++) {
		const struct view_sector *s = &sectors[i];
		const struct view_day *day = s->slowest == SIZE_MAX ? NULL : &s->days[s->slowest];

		fprintf(out,
			"<tr><td class=\"mono\">0x%08x</td><td class=\"number\">%s</td><td class=\"fit\">%s</td><td "
			"class=\"picture\">",
			s->address, day ? history_time(day->slowest_us, time) : "",
			day ? when_date(day->day, when) : "");
		svg_days(out, s);
		fprintf(out, "</td><td class=\"number\">%lld</td><td class=\"picture\">", (long long)s->erases);
		svg_wear(out, s, shown->options->warn, shown->options->stop);
		fputs("</td></tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void boards(FILE *out, const struct history_shown *shown)
{
	const struct history_wear_view *wear = &shown->wear;

	if (!wear->count)
		return;
	fprintf(out,
		"<h2>Slowest erases and wear</h2>\n<p class=\"dim\">A sector can bear %u erases (red line), %u are "
		"many.</p>\n",
		shown->options->stop, shown->options->warn);
	for (size_t i = 0, next; i < wear->count; i = next) {
		for (next = i; next < wear->count && !strcmp(wear->sectors[next].serial, wear->sectors[i].serial);)
			next++;
		board(out, shown, &wear->sectors[i], next - i);
	}
}

static void runs(FILE *out, const struct history_view *view)
{
	char when[WHEN_TEXT], blamed[32];

	fputs("<h2>Runs</h2>\n<div class=\"wide\"><table><tr><th "
	      "class=\"number\">run</th><th>started</th><th>rig</th><th>tool</th>"
	      "<th>host</th><th class=\"number\">passed</th><th class=\"number\">failed</th><th "
	      "class=\"number\">flaky</th>"
	      "<th class=\"number\">skipped</th><th>blame</th><th class=\"number\">exit</th><th>summary</th></tr>\n",
	      out);
	for (size_t i = view->run_count; i--;) {
		const struct view_run *run = &view->runs[i];

		fprintf(out, "<tr><td class=\"number\">%lld</td><td class=\"fit\">%s", (long long)run->id,
			when_text(run->started, when));
		element(out, "</td><td>", run->rig, "");
		element(out, "</td><td>", run->tool, " ");
		element(out, "", run->version, "");
		element(out, "</td><td>", run->host, "");
		fprintf(out,
			"</td><td class=\"number\">%u</td><td class=\"number\">%u</td><td class=\"number\">%u</td>"
			"<td class=\"number\">%u</td><td class=\"is-failed\">%s</td><td class=\"number\">",
			run->cells[CELL_PASSED], run->cells[CELL_FAILED] + run->cells[CELL_RIG], run->cells[CELL_FLAKY],
			run->cells[CELL_SKIPPED], history_blamed(run, blamed));
		if (run->ended)
			fprintf(out, "%d", run->exit_status);
		else
			fputs(history_state(run), out);
		element(out, "</td><td>", run->summary, "</td></tr>\n");
	}
	fputs("</table></div>\n", out);
}

int history_page(FILE *out, const struct history_shown *shown)
{
	const char *place = strstr(history_frame, PLACE), *after = place + strlen(PLACE);
	size_t bad = 0, flaky = 0;
	const struct view_case **failing = history_first_bad(&shown->view, &bad);
	const struct view_case **unsure = history_flakes(&shown->view, &flaky);
	int r = -ENOMEM;

	if (failing && unsure) {
		fwrite(history_frame, 1, (size_t)(place - history_frame), out);
		header(out, shown, bad, flaky);
		first_bad(out, &shown->view, failing, bad);
		flakes(out, &shown->view, unsure, flaky);
		trends(out, &shown->view);
		boards(out, shown);
		runs(out, &shown->view);
		fputs("</main>", out);
		fwrite(after, 1, (size_t)(history_frame_end - after), out);
		r = ferror(out) ? -ENOMEM : 0;
	}
	free(failing);
	free(unsure);
	return r;
}
