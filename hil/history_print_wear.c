// SPDX-License-Identifier: GPL-2.0-or-later
/* What sectors have suffered, for people, with plots of Unicode's blocks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "columns.h"
#include "history_show.h"
#include "when.h"

#define PLOT 40 /* columns: days, the last ones */
#define BAR 20

static const char *const red = "\033[1;31m", *const yellow = "\033[33m", *const bold = "\033[1m";

/* From nothing to full. */
static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
/* A bar that ends within a column. */
static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };

static bool same_board(const struct view_sector *a, const struct view_sector *b)
{
	return !strcmp(a->serial, b->serial);
}

static size_t board_end(const struct history_wear_view *wear, size_t from)
{
	size_t to = from;

	while (to < wear->count && same_board(&wear->sectors[to], &wear->sectors[from]))
		to++;
	return to;
}

static void print_board(FILE *out, const struct history_shown *shown, const struct view_sector *sector, bool first)
{
	char *serial = columns_text(sector->serial);

	fprintf(out, "%s%sboard %s%s\n", first ? "" : "\n", shown->options->colour ? bold : "", serial ? serial : "",
		shown->options->colour ? "\033[0m" : "");
	free(serial);
}

/* One block for each day on which the board's erases were timed; the slowest of the sector is full height. */
static void plot(const struct view_sector *s, const int64_t *days, size_t count, char text[PLOT * 4 + 1])
{
	uint64_t most = s->days[s->slowest].slowest_us;
	size_t at = 0;

	*text = '\0';
	for (size_t i = 0; i < count; i++) {
		uint64_t us;

		while (at < s->day_count && s->days[at].day < days[i])
			at++;
		us = at < s->day_count && s->days[at].day == days[i] ? s->days[at].slowest_us : 0;
		strcat(text, blocks[us ? 1 + (unsigned)((double)us * 7 / (double)most) : 0]);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The last days on which any sector of the board was timed, each once. To be freed; NULL on ENOMEM. */
static int64_t *days_of(const struct view_sector *sectors, size_t sector_count, size_t *count)
{
	size_t all = 0, kept = 0;
	int64_t *days;

	for (size_t i = 0; i < sector_count; i++)
		all += sectors[i].day_count;
	days = malloc((all ? all : 1) * sizeof(*days));
	if (!days)
		return NULL;
	all = 0;
	for (size_t i = 0; i < sector_count; i++)
		for (size_t j = 0; j < sectors[i].day_count; j++)
			if (sectors[i].days[j].slowest_us)
				days[all++] = sectors[i].days[j].day;
	qsort(days, all, sizeof(*days), compare);
	for (size_t i = 0; i < all; i++)
		if (!kept || days[kept - 1] != days[i])
			days[kept++] = days[i];
	*count = kept > PLOT ? PLOT : kept;
	memmove(days, days + kept - *count, *count * sizeof(*days));
	return days;
}

static int print_board_erases(FILE *out, const struct history_shown *shown, const struct view_sector *sectors,
			      size_t count)
{
	static const char *const heads[] = { "SECTOR", ">SLOWEST", "ON", ">LAST", "BY DAY", NULL };
	size_t day_count = 0;
	int64_t *days = days_of(sectors, count, &day_count);
	struct columns *c = days ? columns_new(heads) : NULL;
	char text[PLOT * 4 + 1], time[TIME_TEXT], when[WHEN_TEXT], last[WHEN_TEXT];
	int r = -ENOMEM;

	for (size_t i = 0; c && i < count; i++) {
		const struct view_sector *s = &sectors[i];

		if (s->slowest == SIZE_MAX)
			continue;
		plot(s, days, day_count, text);
		columns_add(c, NULL, "0x%08x", s->address);
		columns_add(c, NULL, "%s", history_time(s->days[s->slowest].slowest_us, time));
		columns_add(c, NULL, "%s", when_date(s->days[s->slowest].day, when));
		columns_add(c, NULL, "%s", history_time(s->days[s->day_count - 1].slowest_us, time));
		columns_add(c, NULL, "%s", text);
	}
	if (c)
		r = columns_print(c, out, shown->options->colour);
	if (!r && day_count)
		fprintf(out,
			"a column is a day (UTC) with erases, from %s to %s; full height is the slowest of the "
			"sector\n",
			when_date(days[0], when), when_date(days[day_count - 1], last));
	columns_free(c);
	free(days);
	return r;
}

int history_print_erases(FILE *out, const struct history_shown *shown)
{
	const struct history_wear_view *wear = &shown->wear;
	bool any = false;
	int r = 0;

	for (size_t i = 0, next; !r && i < wear->count; i = next) {
		bool timed = false;

		next = board_end(wear, i);
		for (size_t j = i; j < next; j++)
			timed |= wear->sectors[j].slowest != SIZE_MAX;
		if (!timed)
			continue;
		print_board(out, shown, &wear->sectors[i], !any);
		any = true;
		r = print_board_erases(out, shown, &wear->sectors[i], next - i);
	}
	if (!r && !any)
		fputs("no erase was timed\n", out);
	return r;
}

static void add_bar(struct columns *c, const char *colour, int64_t erases, unsigned stop)
{
	unsigned filled = (unsigned)(erases >= (int64_t)stop ? BAR * 8 : erases * BAR * 8 / stop);
	char text[BAR * 3 + 4] = "";

	/* What is there is seen. */
	if (erases && !filled)
		filled = 1;
	for (unsigned i = 0; i < BAR && filled; i++) {
		unsigned part = filled > 8 ? 8 : filled;

		strcat(text, eighths[part]);
		filled -= part;
	}
	columns_add(c, colour, "%s", text);
}

static void add_days_left(struct columns *c, double days)
{
	if (days >= 1000)
		columns_add(c, NULL, "%.0f years left", days / 365.25);
	else
		columns_add(c, NULL, days > 0 ? "%.0f days left" : "", days);
}

static void add_wear(struct columns *c, const struct history_options *o, const struct view_sector *s)
{
	const char *colour = s->erases >= o->stop ? red : s->erases >= o->warn ? yellow : NULL;

	columns_add(c, NULL, "0x%08x", s->address);
	columns_add(c, colour, "%lld", (long long)s->erases);
	columns_add(c, colour, s->erases && s->erases * 100 < o->stop ? "<1 %%" : "%lld %%",
		    (long long)(s->erases * 100 / o->stop));
	add_bar(c, colour, s->erases, o->stop);
	columns_add(c, NULL, s->per_day > 0 ? "%.1f" : "", s->per_day);
	if (s->erases >= o->stop)
		columns_add(c, red, "worn out");
	else if (s->erases >= o->warn)
		columns_add(c, yellow, "many");
	else
		add_days_left(c, s->per_day > 0 ? (double)(o->stop - s->erases) / s->per_day : 0);
}

int history_print_wear(FILE *out, const struct history_shown *shown)
{
	static const char *const heads[] = { "SECTOR", ">ERASES", ">OF LIMIT", "", ">A DAY", "", NULL };
	const struct history_wear_view *wear = &shown->wear;
	int r = 0;

	if (!wear->count)
		fputs("no erase was counted\n", out);
	for (size_t i = 0, next; !r && i < wear->count; i = next) {
		struct columns *c = columns_new(heads);

		if (!c)
			return -ENOMEM;
		next = board_end(wear, i);
		print_board(out, shown, &wear->sectors[i], !i);
		for (size_t j = i; j < next; j++)
			add_wear(c, shown->options, &wear->sectors[j]);
		r = columns_print(c, out, shown->options->colour);
		columns_free(c);
	}
	if (wear->count)
		fprintf(out, "a sector can bear %u erases, %u are many\n", shown->options->stop, shown->options->warn);
	return r;
}
