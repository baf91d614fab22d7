// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `dfuhil history` as a table, and what it can show as another. */
#include "history_options.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "suggest.h"
#include "when.h"

#define FIRST_LONG 256 /* above all letters */
/* Endurance of the flash is 10,000 cycles at least (STM32F405/407 data sheet, table "Flash memory endurance and data retention"). */
#define WEAR_STOP 10000
#define WEAR_WARN 8000
#define RUNS_MOST 1000000

static const struct {
	const char *name, *argument, *help;
} whats[] = {
	[SHOW_RUNS] = { "runs", "", "the runs, a line each (the default)" },
	[SHOW_RUN] = { "show", " RUN", "what became of each scenario in the run of that number, or in the 'last'" },
	[SHOW_TRENDS] = { "trends", "", "each scenario over the runs" },
	[SHOW_FLAKES] = { "flakes", "", "scenarios that pass and fail, and how often they do" },
	[SHOW_FIRST_BAD] = { "first-bad", "", "scenarios that fail now: since when, and what changed then" },
	[SHOW_ERASES] = { "erases", "", "the slowest erase of each sector, day by day" },
	[SHOW_WEAR] = { "wear", "", "erases of each sector, against what it can bear" },
};
#define WHATS (sizeof(whats) / sizeof(*whats))

struct parse {
	struct history_options *o;
	int64_t now;
	char *why;
};

struct row {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*set)(const struct parse *, const char *option, const char *value);
};

static int refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, HISTORY_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

static int set_text(const struct parse *p, const char **to, const char *option, const char *value)
{
	if (!*value)
		return refuse(p->why, "--%s '': must not be empty", option);
	*to = value;
	return 0;
}

static int set_number(const struct parse *p, unsigned *to, const char *option, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (!isdigit((unsigned char)*value) || *end || n < 1 || n > RUNS_MOST)
		return refuse(p->why, "--%s '%.100s': must be a number from 1 to %u", option, value, RUNS_MOST);
	*to = (unsigned)n;
	return 0;
}

static int set_when(const struct parse *p, int64_t *to, const char *option, const char *value)
{
	if (!when_parse(value, p->now, to))
		return refuse(p->why, "--%s '%.100s': must be " WHEN_FORMS, option, value);
	return 0;
}

static int set_file(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->file, option, value);
}

static int set_rig(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->filter.rig, option, value);
}

static int set_tool(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->filter.tool, option, value);
}

static int set_scenario(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->filter.scenario, option, value);
}

static int set_serial(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->serial, option, value);
}

static int set_since(const struct parse *p, const char *option, const char *value)
{
	return set_when(p, &p->o->filter.since, option, value);
}

static int set_until(const struct parse *p, const char *option, const char *value)
{
	return set_when(p, &p->o->filter.until, option, value);
}

static int set_last(const struct parse *p, const char *option, const char *value)
{
	return set_number(p, &p->o->filter.last, option, value);
}

static int set_warn(const struct parse *p, const char *option, const char *value)
{
	return set_number(p, &p->o->warn, option, value);
}

static int set_stop(const struct parse *p, const char *option, const char *value)
{
	return set_number(p, &p->o->stop, option, value);
}

static int set_json(const struct parse *p, const char *option, const char *value)
{
	(void)option;
	(void)value;
	p->o->json = true;
	return 0;
}

static int set_html(const struct parse *p, const char *option, const char *value)
{
	return set_text(p, &p->o->html, option, value);
}

static bool colour_by_itself(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && terminal && strcmp(terminal, "dumb") != 0;
}

static int set_colour(const struct parse *p, const char *option, const char *value)
{
	if (!strcmp(value, "auto"))
		p->o->colour = colour_by_itself();
	else if (!strcmp(value, "always") || !strcmp(value, "never"))
		p->o->colour = *value == 'a';
	else
		return refuse(p->why, "--%s '%.100s': must be auto, always or never", option, value);
	return 0;
}

static int set_forget(const struct parse *p, const char *option, const char *value)
{
	p->o->forget = true;
	return set_when(p, &p->o->forget_before, option, value);
}

static const struct row rows[] = {
	{ "history", "FILE", "the history (dfubench/history.sqlite in XDG_STATE_HOME, or in ~/.local/state)",
	  set_file },
	{ "rig", "NAME", "of that rig only", set_rig },
	{ "tool", "NAME", "of that tool only", set_tool },
	{ "scenario", "PATTERN", "only scenarios with such an id, as 'start/*'", set_scenario },
	{ "serial", "NUMBER", "erases and wear: of the board with that serial number only", set_serial },
	{ "since", "WHEN", "only runs that began then or later: 2026-03-01, 2026-03-01T02:00 (UTC), 7d ago",
	  set_since },
	{ "until", "WHEN", "only runs that began earlier", set_until },
	{ "last", "N", "only the last N runs of each rig with each tool", set_last },
	{ "wear-warn", "N", "wear: erases of a sector that are many (8000)", set_warn },
	{ "wear-stop", "N", "wear: erases that a sector can bear (10000)", set_stop },
	{ "json", NULL, "print for programs", set_json },
	{ "html", "FILE", "write all of it as one page with pictures; - is standard output", set_html },
	{ "forget-before", "WHEN", "forget runs that began before, and times of erases; counts of erases stay",
	  set_forget },
	{ "color", "WHEN", "auto, always or never (auto: on a terminal, unless NO_COLOR is set)", set_colour },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

const char *history_what_name(enum history_what what)
{
	return whats[what].name;
}

void history_options_help(FILE *out)
{
	char left[64];

	fputs("usage: dfuhil history [OPTIONS] [WHAT]\n\nShow what the nights on real boards gave, as 'dfuhil nightly' "
	      "recorded it. WHAT:\n",
	      out);
	for (size_t i = 0; i < WHATS; i++) {
		snprintf(left, sizeof(left), "%s%s", whats[i].name, whats[i].argument);
		fprintf(out, "  %-22s %s\n", left, whats[i].help);
	}
	fputs("\nOptions:\n", out);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-22s %s\n", left, rows[i].help);
	}
	fprintf(out, "  %-22s %s\n\nAll times are UTC.\n", "-h, --help", "this help");
}

static int unknown(const char *word, char *why)
{
	const char *names[ROWS + 2], *near;
	char name[64];

	for (size_t i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	names[ROWS] = "help";
	names[ROWS + 1] = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + strspn(word, "-"), "="), word + strspn(word, "-"));
	near = strlen(name) > 1 ? suggest_nearest(name, names) : NULL;
	return refuse(why, "unknown option '%.100s'%s%s%s", word, near ? ", did you mean '--" : "", near ? near : "",
		      near ? "'?" : " ('dfuhil history --help' lists them)");
}

static int set(const struct parse *p, int found, const char *word)
{
	if (found == 'h')
		return 1;
	if (found == '?' && optopt >= FIRST_LONG)
		return refuse(p->why, "'%.100s': takes no value", word);
	if (found == '?')
		return unknown(word, p->why);
	if (found == ':')
		return refuse(p->why, "%.100s: a value is missing", word);
	assert(found >= FIRST_LONG && found < FIRST_LONG + (int)ROWS);
	return rows[found - FIRST_LONG].set(p, rows[found - FIRST_LONG].name, optarg);
}

/* What stands beside the options. */
static int set_what(struct history_options *o, char **words, char *why)
{
	const char *names[WHATS + 1], *near;
	size_t i = 0;

	if (!*words)
		return 0;
	while (i < WHATS && strcmp(*words, whats[i].name) != 0)
		i++;
	if (i == WHATS) {
		for (i = 0; i < WHATS; i++)
			names[i] = whats[i].name;
		names[WHATS] = NULL;
		near = suggest_nearest(*words, names);
		return refuse(why, "unknown '%.100s'%s%s%s", *words, near ? ", did you mean '" : "", near ? near : "",
			      near ? "'?" : ": must be runs, show, trends, flakes, first-bad, erases or wear");
	}
	o->what = (enum history_what)i;
	if (o->what == SHOW_RUN) {
		if (!*++words)
			return refuse(why, "show: the number of a run is missing, or 'last'");
		o->run = *words;
		if (strcmp(o->run, "last") != 0 &&
		    (strspn(o->run, "0123456789") != strlen(o->run) || strlen(o->run) > 18 || !*o->run))
			return refuse(why, "show '%.100s': must be the number of a run, or 'last'", o->run);
	}
	return words[1] ? refuse(why, "'%.100s': one thing at a time is shown", words[1]) : 0;
}

int history_options_parse(struct history_options *o, int argc, char **argv, int64_t now, char why[HISTORY_WHY])
{
	const struct parse parse = { o, now, why };
	struct option longs[ROWS + 2] = { { "help", no_argument, NULL, 'h' } };
	int found, r = 0;

	*o = (struct history_options){ .filter = { .since = INT64_MIN, .until = INT64_MAX },
				       .warn = WEAR_WARN,
				       .stop = WEAR_STOP };
	set_colour(&parse, "color", "auto");
	for (size_t i = 0; i < ROWS; i++)
		longs[i + 1] = (struct option){ rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
						FIRST_LONG + (int)i };
	optind = 0; /* glibc: begin anew */
	while (!r && (found = getopt_long(argc, argv, ":h", longs, NULL)) != -1)
		r = set(&parse, found, argv[optind - 1]);
	if (!r)
		r = set_what(o, argv + optind, why);
	if (!r && o->json && o->html)
		r = refuse(why, "--json and --html: one at a time");
	if (!r && o->filter.since >= o->filter.until)
		r = refuse(why, "--since and --until: nothing lies between");
	if (!r && o->warn > o->stop)
		r = refuse(why, "--wear-warn %u: must not be above --wear-stop, %u", o->warn, o->stop);
	return r;
}
