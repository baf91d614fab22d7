// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `dfuhil run` as a table: the parser, the help and the suggestions are made of it. */
#include "run_options.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "fault_rule.h"
#include "options.h"
#include "suggest.h"

#define DEADLINE_MS 120000
#define PARALLEL_MOST 256
#define REPEAT_MOST 100000
#define SHARDS_MOST 1000
#define FIRST_LONG 256 /* above all letters */

struct row {
	const char *name;
	char letter;          /* 0: none */
	const char *argument; /* NULL: takes none */
	const char *help;     /* lines are broken by \n */
	int (*set)(struct run_options *, const char *value, char why[RUN_OPTIONS_WHY]);
};

static int refuse(char why[RUN_OPTIONS_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(char why[RUN_OPTIONS_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, RUN_OPTIONS_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

/* A whole number in decimal within the limits. */
static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end && *out >= least && *out <= most;
}

static int add(struct run_words *words, const char *option, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!*value)
		return refuse(why, "%s '': must not be empty", option);
	if (words->count == RUN_WORDS)
		return refuse(why, "%s '%.100s': more than %u of them", option, value, RUN_WORDS);
	words->word[words->count++] = value;
	return 0;
}

static int set_path(const char **path, const char *option, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!*value)
		return refuse(why, "%s '': must be the name of a file or folder", option);
	if (*path)
		return refuse(why, "%s '%.200s': there is one already, '%.200s'", option, value, *path);
	*path = value;
	return 0;
}

static int set_tool(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return add(&o->tools, "--tool", value, why);
}

static int set_tool_path(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value || !equals[1])
		return refuse(why, "--tool-path '%.200s': must be NAME=PATH, as dfu-util=/opt/bin/dfu-util", value);
	return add(&o->tool_paths, "--tool-path", value, why);
}

static int set_tools_folder(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->tools_folder, "--tools-folder", value, why);
}

static int set_rig(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->rig, "--rig", value, why);
}

static int set_time(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	o->time_given = true;
	o->time = strcmp(value, "virtual") != 0 ? RIG_TIME_SCALED : RIG_TIME_VIRTUAL;
	o->scale = o->time == RIG_TIME_VIRTUAL ? 1 : options_time_scale(value);
	if (o->scale <= 0)
		return refuse(why, "--time '%.100s': must be virtual, real, or a factor as x20", value);
	return 0;
}

static int set_parallel(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t n;

	if (!number(value, 1, PARALLEL_MOST, &n))
		return refuse(why, "--jobs '%.100s': must be a number from 1 to %u", value, PARALLEL_MOST);
	o->parallel = (unsigned)n;
	return 0;
}

static int set_seed(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!number(value, 0, UINT64_C(1) << 53, &o->seed))
		return refuse(why, "--seed '%.100s': must be a number from 0 to 2^53", value);
	return 0;
}

static int set_repeat(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t n;

	if (!number(value, 1, REPEAT_MOST, &n))
		return refuse(why, "--repeat '%.100s': must be a number from 1 to %u", value, REPEAT_MOST);
	o->repeat = (unsigned)n;
	return 0;
}

static int set_shard(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	const char *slash = strchr(value, '/');
	char first[16] = "";
	uint64_t shard, shards;

	if (slash && slash - value < (int)sizeof(first))
		memcpy(first, value, (size_t)(slash - value));
	if (!slash || !number(slash + 1, 1, SHARDS_MOST, &shards) || !number(first, 1, shards, &shard))
		return refuse(why, "--shard '%.100s': must be I/N with I from 1 to N and N up to %u, as 1/4", value,
			      SHARDS_MOST);
	o->shard = (unsigned)shard;
	o->shards = (unsigned)shards;
	return 0;
}

static int set_match(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return add(&o->matches, "--match", value, why);
}

static int set_tag(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return add(&o->tags, "--tag", value, why);
}

static int set_list(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->list = true;
	return 0;
}

static int set_fail_fast(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->fail_fast = true;
	return 0;
}

static int set_keep_going(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->fail_fast = false;
	return 0;
}

static int set_strict(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->strict = true;
	return 0;
}

static int set_deadline(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t us;

	if (!strcmp(value, "none")) {
		o->deadline_ms = 0;
		return 0;
	}
	if (!fault_time_parse(value, &us) || us < 1000)
		return refuse(why, "--deadline '%.100s': must be a time of at least 1ms, as 120s or 5min, or none",
			      value);
	o->deadline_ms = us / 1000;
	return 0;
}

static int set_junit(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->junit, "--junit", value, why);
}

static int set_json(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->json, "--json", value, why);
}

static int set_html(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->html, "--html", value, why);
}

static int set_tap(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->tap = true;
	return 0;
}

static int set_capture_folder(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return set_path(&o->capture_folder, "--capture-dir", value, why);
}

static int set_colour(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	static const char *const words[] = { "auto", "always", "never", NULL };

	for (int i = 0; words[i]; i++) {
		if (!strcmp(value, words[i])) {
			o->colour = (enum run_colour)i;
			return 0;
		}
	}
	return refuse(why, "--color '%.100s': must be auto, always or never", value);
}

static int set_quiet(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->quiet = true;
	o->verbose = false;
	return 0;
}

static int set_verbose(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	o->verbose = true;
	o->quiet = false;
	return 0;
}

static const struct row rows[] = {
	{ "tool", 0, "NAME|FILE", "the tool under test: an adapter's name or file (dfu-util); several give a matrix",
	  set_tool },
	{ "tool-path", 0, "NAME=PATH", "where the program of the tool NAME is", set_tool_path },
	{ "tools-folder", 0, "DIR", "where adapters are looked for (those that came with dfuhil)", set_tools_folder },
	{ "rig", 0, "RIG", "what it runs on: emulated, vhci, control:SOCKET, or a rig file (emulated)", set_rig },
	{ "time", 0, "HOW", "the boards' clock: virtual, real, or a factor as x20 (virtual if the rig can)", set_time },
	{ "jobs", 'j', "N", "so many at a time (as many as there are processors)", set_parallel },
	{ "seed", 0, "N", "what all that is random is made of (1)", set_seed },
	{ "repeat", 0, "N", "run each so often, to find what fails now and then (1)", set_repeat },
	{ "shard", 0, "I/N", "of N parts of the scenarios, run the one numbered I", set_shard },
	{ "match", 0, "PATTERN", "only scenarios with such an id, as 'start/*'; several: any of them", set_match },
	{ "tag", 0, "TAG", "only scenarios with that tag; several: any of them", set_tag },
	{ "list", 0, NULL, "list the scenarios that would run", set_list },
	{ "fail-fast", 0, NULL, "start no more after the first failure", set_fail_fast },
	{ "keep-going", 0, NULL, "run all whatever fails (the default)", set_keep_going },
	{ "strict", 0, NULL, "findings of severity error fail a scenario", set_strict },
	{ "deadline", 0, "TIME", "real time that a scenario may take, or none (120s)", set_deadline },
	{ "junit", 0, "FILE", "write a report as JUnit's XML; - is standard output, here and below", set_junit },
	{ "json", 0, "FILE", "write a report with all details as JSON", set_json },
	{ "html", 0, "FILE", "write a report to look at as one page of HTML", set_html },
	{ "tap", 0, NULL, "print TAP (Test Anything Protocol) instead of the usual report", set_tap },
	{ "capture-dir", 0, "DIR", "keep a capture of the bus of each scenario there, for Wireshark",
	  set_capture_folder },
	{ "color", 0, "WHEN", "auto, always or never (auto: on a terminal, unless NO_COLOR is set)", set_colour },
	{ "quiet", 'q', NULL, "print failures and sums only", set_quiet },
	{ "verbose", 'v', NULL, "print steps, commands and findings too", set_verbose },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

void run_options_help(FILE *out)
{
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		char left[64], letter[4] = "   ";

		if (r->letter)
			snprintf(letter, sizeof(letter), "-%c,", r->letter);
		snprintf(left, sizeof(left), "%s --%s%s%s", letter, r->name, r->argument ? " " : "",
			 r->argument ? r->argument : "");
		fprintf(out, "  %-26s %s\n", left, r->help);
	}
	fprintf(out, "  %-26s %s\n", "-h, --help", "this help");
}

static int unknown(const char *word, char why[RUN_OPTIONS_WHY])
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
		      near ? "'?" : " ('dfuhil run --help' lists them)");
}

static int set(struct run_options *o, int found, const char *word, char why[RUN_OPTIONS_WHY])
{
	char letter[3] = { '-', (char)optopt, 0 };

	if (found == 'h')
		return 1;
	/* Of letters that stand together getopt tells which it was. */
	if ((found == '?' || found == ':') && optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0)
		word = letter;
	if (found == '?' && optopt > 0 && word != letter)
		return refuse(why, "'%.100s': takes no value", word);
	if (found == '?')
		return unknown(word, why);
	if (found == ':')
		return refuse(why, "%.100s: a value is missing", word);
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].letter && found == rows[i].letter) || found == FIRST_LONG + (int)i)
			return rows[i].set(o, optarg, why);
	assert(!"an option of the table");
	return -EINVAL;
}

int run_options_parse(struct run_options *o, int argc, char **argv, char why[RUN_OPTIONS_WHY])
{
	struct option longs[ROWS + 2] = { { "help", no_argument, NULL, 'h' } };
	char shorts[2 * ROWS + 8] = ":h"; /* options may stand behind names of files too */
	int found, r = 0;

	*o = (struct run_options){ .seed = 1,
				   .repeat = 1,
				   .shard = 1,
				   .shards = 1,
				   .scale = 1,
				   .time = RIG_TIME_VIRTUAL,
				   .deadline_ms = DEADLINE_MS };
	for (size_t i = 0; i < ROWS; i++) {
		char one[4] = { rows[i].letter, rows[i].argument ? ':' : 0, 0 };

		if (rows[i].letter)
			strcat(shorts, one);
		longs[i + 1] = (struct option){ rows[i].name, rows[i].argument ? required_argument : no_argument, NULL,
						FIRST_LONG + (int)i };
	}
	optind = 0; /* glibc: begin anew */
	while (!r && (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		r = set(o, found, argv[optind - 1], why);
	o->paths = argv + optind;
	if (!r && !o->tools.count)
		o->tools.word[o->tools.count++] = "dfu-util";
	return r;
}
