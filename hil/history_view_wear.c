// SPDX-License-Identifier: GPL-2.0-or-later
/* What the sectors of boards have suffered, out of the history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "history_internal.h"
#include "history_view.h"

#define RECENT_DAYS 30
#define DAY 86400

static struct view_sector *sector_at(struct history_wear_view *view, const char *serial, uint32_t address)
{
	struct view_sector *last = view->count ? &view->sectors[view->count - 1] : NULL, *more;

	if (last && last->address == address && !strcmp(last->serial, serial))
		return last;
	more = realloc(view->sectors, (view->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	view->sectors = more;
	last = &more[view->count];
	*last = (struct view_sector){ .serial = strdup(serial), .address = address, .slowest = SIZE_MAX };
	if (!last->serial)
		return NULL;
	view->count++;
	return last;
}

/* Days come in their order. */
static int add_day(struct view_sector *sector, const struct view_day *day)
{
	struct view_day *more = realloc(sector->days, (sector->day_count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	sector->days = more;
	more[sector->day_count] = *day;
	if (day->slowest_us && (sector->slowest == SIZE_MAX || day->slowest_us > more[sector->slowest].slowest_us))
		sector->slowest = sector->day_count;
	sector->day_count++;
	return 0;
}

static int read_row(struct history_wear_view *view, sqlite3_stmt *s)
{
	struct view_sector *sector = sector_at(view, history_text(s, 0), (uint32_t)sqlite3_column_int64(s, 1));
	const struct view_day day = { sqlite3_column_int64(s, 3), (unsigned)sqlite3_column_int64(s, 4),
				      (uint64_t)sqlite3_column_int64(s, 5) };

	if (!sector)
		return -ENOMEM;
	sector->erases = sqlite3_column_int64(s, 2);
	return sqlite3_column_type(s, 3) == SQLITE_NULL ? 0 : add_day(sector, &day);
}

/* Over the last days that are known, the first of which may lie less far back. */
static double rate(const struct view_sector *sector)
{
	int64_t last, first;
	double erases = 0;

	if (!sector->day_count)
		return 0;
	last = sector->days[sector->day_count - 1].day;
	first = sector->days[0].day;
	if (first <= last - RECENT_DAYS * DAY)
		first = last - (RECENT_DAYS - 1) * DAY;
	for (size_t i = 0; i < sector->day_count; i++)
		if (sector->days[i].day >= first)
			erases += sector->days[i].erases;
	return erases / (double)((last - first) / DAY + 1);
}

int history_wear_view_load(struct history *h, const char *serial, int64_t since, int64_t until,
			   struct history_wear_view *view, char why[HISTORY_WHY])
{
	sqlite3_stmt *s;
	int step, r = 0;

	*view = (struct history_wear_view){ 0 };
	s = history_sql(h, why,
			"SELECT wear.serial, wear.sector, wear.erases, day, erase.erases, slowest_us FROM wear"
			" LEFT JOIN erase ON erase.serial = wear.serial AND erase.sector = wear.sector"
			"  AND day + 86400 > ?2 AND day < ?3"
			" WHERE ?1 IS NULL OR wear.serial = ?1 ORDER BY wear.serial, wear.sector, day",
			"tii", serial, since, until);
	if (!s)
		return -EIO;
	while (!r && (step = sqlite3_step(s)) == SQLITE_ROW)
		r = read_row(view, s);
	if (r)
		snprintf(why, HISTORY_WHY, "no memory");
	else if (step != SQLITE_DONE)
		r = history_fail(h, "read", why);
	sqlite3_finalize(s);
	for (size_t i = 0; i < view->count; i++)
		view->sectors[i].per_day = rate(&view->sectors[i]);
	return r;
}

void history_wear_view_free(struct history_wear_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		free(view->sectors[i].serial);
		free(view->sectors[i].days);
	}
	free(view->sectors);
	*view = (struct history_wear_view){ 0 };
}
