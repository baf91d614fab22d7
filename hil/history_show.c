// SPDX-License-Identifier: GPL-2.0-or-later
/* What all ways of showing the history have in common. */
#include "history_show.h"
#include <stdlib.h>
#include <string.h>

const char *history_time(uint64_t us, char text[TIME_TEXT])
{
	if (!us)
		*text = '\0';
	else if (us < 1000)
		snprintf(text, TIME_TEXT, "%u us", (unsigned)us);
	else if (us < 1000000)
		snprintf(text, TIME_TEXT, "%u ms", (unsigned)(us / 1000));
	else if (us < 60000000)
		snprintf(text, TIME_TEXT, "%.*f s", us < 10000000 ? 2 : 1, (double)us / 1e6);
	else
		snprintf(text, TIME_TEXT, "%llu min %u s", (unsigned long long)(us / 60000000),
			 (unsigned)(us / 1000000 % 60));
	return text;
}

unsigned history_percent(unsigned part, unsigned whole)
{
	unsigned percent = whole ? (unsigned)((200ULL * part + whole) / (2ULL * whole)) : 0;

	if (part && !percent)
		return 1;
	return part < whole && percent > 99 ? 99 : percent;
}

/* Rates of two as fractions, the greater one first. */
static int by_flakes(const void *a, const void *b)
{
	const struct view_case *x = *(const struct view_case *const *)a, *y = *(const struct view_case *const *)b;
	uint64_t left = (uint64_t)x->flakes * y->runs, right = (uint64_t)y->flakes * x->runs;

	return left != right ? (left < right) - (left > right) : (x > y) - (x < y);
}

static int by_first_bad(const void *a, const void *b)
{
	const struct view_case *x = *(const struct view_case *const *)a, *y = *(const struct view_case *const *)b;
	size_t left = x->cells[x->first_bad].run, right = y->cells[y->first_bad].run;

	return left != right ? (left < right) - (left > right) : (x > y) - (x < y);
}

static bool is_flaky(const struct view_case *c)
{
	return c->flakes > 0;
}

static bool is_bad(const struct view_case *c)
{
	return c->first_bad != NO_CELL;
}

static const struct view_case **choose(const struct history_view *view, size_t *count,
				       bool (*wanted)(const struct view_case *),
				       int (*order)(const void *, const void *))
{
	const struct view_case **list = calloc(view->case_count ? view->case_count : 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; list && i < view->case_count; i++)
		if (wanted(&view->cases[i]))
			list[(*count)++] = &view->cases[i];
	if (list)
		qsort(list, *count, sizeof(*list), order);
	return list;
}

const struct view_case **history_flakes(const struct history_view *view, size_t *count)
{
	return choose(view, count, is_flaky, by_flakes);
}

const struct view_case **history_first_bad(const struct history_view *view, size_t *count)
{
	return choose(view, count, is_bad, by_first_bad);
}

const char *history_state(const struct view_run *run)
{
	return run->state == RUN_UNKNOWN ? "unfinished" : run_state_name(run->state);
}

const char *history_blamed(const struct view_run *run, char text[32])
{
	*text = '\0';
	for (int i = BLAME_TOOL; i <= BLAME_RIG; i++) {
		if (!run->blamed[i])
			continue;
		if (*text)
			strcat(text, ", ");
		strcat(text, blame_name((enum blame)i));
	}
	return text;
}
