// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures of the history. */
#include "history_svg.h"
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "history_show.h"
#include "when.h"

#define HEIGHT 120 /* of a diagram, without its lettering */
#define LEFT 64    /* room for the scale */
#define BELOW 34   /* and for what stands under it */
#define SQUARE 11

void svg_text(FILE *out, const char *text)
{
	char *clean = columns_text(text);

	for (const char *p = clean; p && *p; p++) {
		switch (*p) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			putc(*p, out);
		}
	}
	free(clean);
}

static void begin(FILE *out, unsigned width, unsigned height, const char *label)
{
	fprintf(out, "<svg width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\" aria-label=\"%s\">", width,
		height, width, height, label);
}

static void scale(FILE *out, unsigned width, const char *top)
{
	fprintf(out,
		"<line class=\"axis\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/><line class=\"axis\" x1=\"%u\" "
		"y1=\"8.5\" x2=\"%u\" "
		"y2=\"8.5\"/><text x=\"%u\" y=\"12\" text-anchor=\"end\">%s</text><text x=\"%u\" y=\"%u\" "
		"text-anchor=\"end\">0</text>",
		LEFT, HEIGHT + 8, width, HEIGHT + 8, LEFT, width, LEFT - 6, top, LEFT - 6, HEIGHT + 12);
}

static unsigned sum_of(const struct view_run *run)
{
	unsigned sum = 0;

	for (int i = 0; i < CELL_STATES; i++)
		sum += run->cells[i];
	return sum;
}

static void one_run(FILE *out, const struct view_run *run, double x, double width, unsigned most)
{
	static const enum cell_state order[] = { CELL_PASSED, CELL_FLAKY, CELL_FAILED, CELL_RIG, CELL_SKIPPED };
	double y = HEIGHT + 8;
	char when[WHEN_TEXT];

	fprintf(out, "<g><title>run %lld, %s", (long long)run->id, when_text(run->started, when));
	if (*run->version) {
		fputs(", ", out);
		svg_text(out, run->version);
	}
	for (int i = 0; i < CELL_STATES; i++)
		if (run->cells[i])
			fprintf(out, ", %u %s", run->cells[i],
				i == CELL_RIG ? "the rig failed" : cell_name((enum cell_state)i));
	fputs("</title>", out);
	for (unsigned i = 0; i < CELL_STATES; i++) {
		double height = (double)run->cells[order[i]] * HEIGHT / most;

		if (!run->cells[order[i]])
			continue;
		y -= height;
		fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
			cell_name(order[i]), x, y, width, height);
	}
	fputs("</g>", out);
}

void svg_runs(FILE *out, const struct history_view *view, const size_t *runs, size_t count)
{
	double step = count > 40 ? 18 : count > 20 ? 26 : 40;
	unsigned width = LEFT + (unsigned)(step * (double)count) + 40, most = 1;
	size_t every = (size_t)(84 / step) + 1;
	char top[16], when[WHEN_TEXT];

	for (size_t i = 0; i < count; i++)
		if (sum_of(&view->runs[runs[i]]) > most)
			most = sum_of(&view->runs[runs[i]]);
	begin(out, width, HEIGHT + 8 + BELOW, "scenarios of each run");
	snprintf(top, sizeof(top), "%u", most);
	scale(out, width, top);
	for (size_t i = 0; i < count; i++) {
		const struct view_run *run = &view->runs[runs[i]];
		double x = LEFT + step * (double)i + 2;

		one_run(out, run, x, step - 4, most);
		if (i % every == 0)
			fprintf(out, "<text x=\"%.1f\" y=\"%u\">%lld</text><text x=\"%.1f\" y=\"%u\">%s</text>", x,
				HEIGHT + 22, (long long)run->id, x, HEIGHT + 36, when_date(run->started, when));
	}
	fputs("</svg>\n", out);
}

void svg_case(FILE *out, const struct history_view *view, const struct view_case *c, const size_t *runs, size_t count)
{
	size_t at = 0;
	char when[WHEN_TEXT];

	begin(out, (unsigned)count * (SQUARE + 2) + 2, SQUARE + 4, "what became of it in each run");
	for (size_t i = 0; i < c->cell_count; i++) {
		const struct view_cell *cell = &c->cells[i];
		const struct view_run *run = &view->runs[cell->run];

		while (at < count && runs[at] < cell->run)
			at++;
		if (at == count || runs[at] != cell->run)
			continue;
		fprintf(out,
			"<rect class=\"%s\" x=\"%zu\" y=\"2\" width=\"%d\" height=\"%d\" rx=\"2\"><title>run %lld, %s: "
			"%s",
			cell_name(cell->state), at * (SQUARE + 2) + 2, SQUARE, SQUARE, (long long)run->id,
			when_text(run->started, when),
			cell->state == CELL_RIG ? "the rig failed" : cell_name(cell->state));
		if (cell->passed && cell->failed)
			fprintf(out, ", %u of %u attempts failed", cell->failed, cell->passed + cell->failed);
		if (cell->message && *cell->message) {
			fputs(": ", out);
			svg_text(out, cell->message);
		}
		fputs("</title></rect>", out);
	}
	fputs("</svg>", out);
}

/* Points of a curve that fills a small box. */
static void curve(FILE *out, const double *values, const bool *known, size_t count, const char *label)
{
	const double width = 160, height = 22;
	double most = 0, x = 0, y = 0;
	size_t points = 0;

	for (size_t i = 0; i < count; i++)
		if (known[i] && values[i] > most)
			most = values[i];
	begin(out, (unsigned)width + 6, (unsigned)height + 6, label);
	if (most > 0) {
		fputs("<polyline class=\"curve\" points=\"", out);
		for (size_t i = 0; i < count; i++) {
			if (!known[i])
				continue;
			x = 3 + (count > 1 ? (double)i * width / (double)(count - 1) : width / 2);
			y = 3 + height - values[i] * height / most;
			fprintf(out, "%s%.1f,%.1f", points++ ? " " : "", x, y);
		}
		fprintf(out, "\"/><circle class=\"plot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>", x, y);
	}
	fputs("</svg>", out);
}

void svg_case_times(FILE *out, const struct view_case *c, const size_t *runs, size_t count)
{
	double *values = calloc(count ? count : 1, sizeof(*values));
	bool *known = calloc(count ? count : 1, sizeof(*known));
	size_t at = 0;

	for (size_t i = 0; values && known && i < c->cell_count; i++) {
		const struct view_cell *cell = &c->cells[i];

		while (at < count && runs[at] < cell->run)
			at++;
		if (at == count || runs[at] != cell->run || !(cell->passed + cell->failed))
			continue;
		known[at] = true;
		values[at] = (double)cell->wall_us / (cell->passed + cell->failed);
	}
	if (values && known)
		curve(out, values, known, count, "time that it took in each run");
	free(values);
	free(known);
}

void svg_slowest(FILE *out, const struct view_sector *sectors, size_t count)
{
	const double step = count > 24 ? 40 : 74;
	unsigned width = LEFT + (unsigned)(step * (double)count) + 20;
	uint64_t most = 1;
	char top[TIME_TEXT], time[TIME_TEXT], when[WHEN_TEXT];

	for (size_t i = 0; i < count; i++)
		if (sectors[i].slowest != SIZE_MAX && sectors[i].days[sectors[i].slowest].slowest_us > most)
			most = sectors[i].days[sectors[i].slowest].slowest_us;
	begin(out, width, HEIGHT + 8 + BELOW, "the slowest erase of each sector");
	scale(out, width, history_time(most, top));
	for (size_t i = 0; i < count; i++) {
		const struct view_sector *s = &sectors[i];
		const struct view_day *day = s->slowest == SIZE_MAX ? NULL : &s->days[s->slowest];
		double x = LEFT + step * (double)i + 4,
		       height = day ? (double)day->slowest_us * HEIGHT / (double)most : 0;

		if (day)
			fprintf(out,
				"<rect class=\"plot\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
				"height=\"%.1f\"><title>0x%08x: %s on "
				"%s</title></rect>",
				x, HEIGHT + 8 - height, step - 8, height, s->address,
				history_time(day->slowest_us, time), when_date(day->day, when));
		if (count <= 24 || i % 2 == 0)
			fprintf(out, "<text x=\"%.1f\" y=\"%u\">%08x</text>", x, HEIGHT + 22, s->address);
	}
	fputs("</svg>\n", out);
}

/* Along the days that have passed, not just those that are known. */
void svg_days(FILE *out, const struct view_sector *s)
{
	const double width = 260, height = 22;
	int64_t first = 0, last = 0;
	bool any = false;
	double x = 0, y = 0;

	if (s->slowest == SIZE_MAX)
		return;
	for (size_t i = 0; i < s->day_count; i++) {
		if (!s->days[i].slowest_us)
			continue;
		first = any ? first : s->days[i].day;
		last = s->days[i].day;
		any = true;
	}
	begin(out, (unsigned)width + 6, (unsigned)height + 6, "the slowest erase of each day");
	fputs("<polyline class=\"curve\" points=\"", out);
	for (size_t i = 0; i < s->day_count; i++) {
		if (!s->days[i].slowest_us)
			continue;
		x = 3 + (last > first ? (double)(s->days[i].day - first) * width / (double)(last - first) : width / 2);
		y = 3 + height - (double)s->days[i].slowest_us * height / (double)s->days[s->slowest].slowest_us;
		fprintf(out, "%s%.1f,%.1f", i ? " " : "", x, y);
	}
	fprintf(out, "\"/><circle class=\"plot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/></svg>", x, y);
}

void svg_wear(FILE *out, const struct view_sector *s, unsigned warn, unsigned stop)
{
	const double width = 320, end = stop * 1.05;
	double filled = (double)s->erases / end * width;

	begin(out, (unsigned)width + 4, 16, "erases against the limits");
	fprintf(out, "<rect class=\"track\" x=\"1.5\" y=\"2.5\" width=\"%.1f\" height=\"11\"/>", width);
	fprintf(out,
		"<rect class=\"%s\" x=\"2\" y=\"3\" width=\"%.1f\" height=\"10\"><title>%lld erases</title></rect>",
		s->erases >= stop   ? "failed"
		: s->erases >= warn ? "flaky"
				    : "plot",
		filled > width ? width : filled, (long long)s->erases);
	fprintf(out,
		"<line class=\"warn\" x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"16\"/><line class=\"stop\" x1=\"%.1f\" "
		"y1=\"0\" x2=\"%.1f\" "
		"y2=\"16\"/></svg>",
		2 + warn / end * width, 2 + warn / end * width, 2 + stop / end * width, 2 + stop / end * width);
}
