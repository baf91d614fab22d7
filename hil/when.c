// SPDX-License-Identifier: GPL-2.0-or-later
/* Dates and times of day. */
#include "when.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_YEAR 1970
#define LAST_YEAR 9999
#define LONGEST_AGO (INT64_C(10000) * 366 * 86400)

int64_t when_now(void)
{
	const char *text = getenv("DFUBENCH_NOW");
	int64_t real = time(NULL), when;

	if (!text || !*text)
		return real;
	if (when_parse(text, real, &when))
		return when;
	fprintf(stderr, "dfuhil: DFUBENCH_NOW '%s' is no time\n", text);
	exit(2);
}

static bool in_calendar(int64_t when, struct tm *tm)
{
	time_t t = (time_t)when;

	return gmtime_r(&t, tm) && tm->tm_year >= FIRST_YEAR - 1900 && tm->tm_year <= LAST_YEAR - 1900;
}

static const char *as(const char *format, int64_t when, char text[WHEN_TEXT])
{
	struct tm tm;

	if (!in_calendar(when, &tm) || !strftime(text, WHEN_TEXT, format, &tm))
		snprintf(text, WHEN_TEXT, "@%" PRId64, when);
	return text;
}

const char *when_text(int64_t when, char text[WHEN_TEXT])
{
	return as("%Y-%m-%d %H:%M UTC", when, text);
}

const char *when_date(int64_t when, char text[WHEN_TEXT])
{
	return as("%Y-%m-%d", when, text);
}

const char *when_iso(int64_t when, char text[WHEN_TEXT])
{
	return as("%Y-%m-%dT%H:%M:%SZ", when, text);
}

/* So many digits, no sign, no space. */
static bool digits(const char **p, unsigned count, int least, int most, int *out)
{
	*out = 0;
	while (count--) {
		if (!isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + *(*p)++ - '0';
	}
	return *out >= least && *out <= most;
}

static bool take(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool parse_date(const char *p, int64_t *when)
{
	struct tm tm = { 0 }, back;
	int month;

	if (!digits(&p, 4, FIRST_YEAR, LAST_YEAR, &tm.tm_year) || !take(&p, '-') || !digits(&p, 2, 1, 12, &month) ||
	    !take(&p, '-') || !digits(&p, 2, 1, 31, &tm.tm_mday))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon = month - 1;
	if (take(&p, 'T') || take(&p, ' ')) {
		if (!digits(&p, 2, 0, 23, &tm.tm_hour) || !take(&p, ':') || !digits(&p, 2, 0, 59, &tm.tm_min))
			return false;
		if (take(&p, ':') && !digits(&p, 2, 0, 59, &tm.tm_sec))
			return false;
		take(&p, 'Z');
	}
	*when = timegm(&tm);
	/* The 30th of February became a day in March. */
	return !*p && in_calendar(*when, &back) && back.tm_mon == month - 1;
}

/* What is left of the text after a number; NULL: there is none that fits. */
static const char *number(const char *text, int64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return NULL;
	*out = strtoll(text, &end, 10);
	return *out <= LONGEST_AGO ? end : NULL;
}

bool when_parse(const char *text, int64_t now, int64_t *when)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
	const char *rest;
	int64_t n;

	if (*text == '@') {
		rest = number(text + 1, when);
		return rest && !*rest;
	}
	if (parse_date(text, when))
		return true;
	rest = number(text, &n);
	for (unsigned i = 0; rest && i < sizeof(units) / sizeof(*units); i++) {
		if (*rest == units[i].letter && !rest[1] && n <= LONGEST_AGO / units[i].seconds) {
			*when = now - n * units[i].seconds;
			return true;
		}
	}
	return false;
}
