// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `dfuhil run` as a table, and what is made of such a table: the parser, the help, the suggestions. */
#include "options_table.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fault_rule.h"
#include "faults.h"
#include "options.h"
#include "suggest.h"

#define DEADLINE_MS 120000
#define PARALLEL_MOST 256
#define REPEAT_MOST 100000
#define SHARDS_MOST 1000
#define FIRST_LONG 256 /* above all letters */

int option_refuse(char why[RUN_OPTIONS_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, RUN_OPTIONS_WHY, format, args);
	va_end(args);
	return -EINVAL;
}

bool option_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end && *out >= least && *out <= most;
}

int option_add(struct run_words *words, const char *option, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!*value)
		return option_refuse(why, "%s '': must not be empty", option);
	if (words->count == RUN_WORDS)
		return option_refuse(why, "%s '%.100s': more than %u of them", option, value, RUN_WORDS);
	words->word[words->count++] = value;
	return 0;
}

int option_path(const char **path, const char *option, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!*value)
		return option_refuse(why, "%s '': must be the name of a file or folder", option);
	if (*path)
		return option_refuse(why, "%s '%.200s': there is one already, '%.200s'", option, value, *path);
	*path = value;
	return 0;
}

static int set_tool(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_add(&o->tools, "--tool", value, why);
}

static int set_tool_path(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	const char *equals = strchr(value, '=');

	if (!equals || equals == value || !equals[1])
		return option_refuse(why, "--tool-path '%.200s': must be NAME=PATH, as dfu-util=/opt/bin/dfu-util",
				     value);
	return option_add(&o->tool_paths, "--tool-path", value, why);
}

static int set_tools_folder(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&o->tools_folder, "--tools-folder", value, why);
}

static int set_rig(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (o->rig)
		return option_refuse(why,
				     "--rig '%.200s': there is one already, '%.200s', and run has one alone; 'dfuhil "
				     "nightly' shares the scenarios among several",
				     value, o->rig);
	return option_path(&o->rig, "--rig", value, why);
}

static int set_time(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	o->time_given = true;
	o->time = strcmp(value, "virtual") != 0 ? RIG_TIME_SCALED : RIG_TIME_VIRTUAL;
	o->scale = o->time == RIG_TIME_VIRTUAL ? 1 : options_time_scale(value);
	if (o->scale <= 0)
		return option_refuse(why, "--time '%.100s': must be virtual, real, or a factor as x20", value);
	return 0;
}

static int set_parallel(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t n;

	if (!option_number(value, 1, PARALLEL_MOST, &n))
		return option_refuse(why, "--jobs '%.100s': must be a number from 1 to %u", value, PARALLEL_MOST);
	o->parallel = (unsigned)n;
	return 0;
}

static int set_seed(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (!option_number(value, 0, UINT64_C(1) << 53, &o->seed))
		return option_refuse(why, "--seed '%.100s': must be a number from 0 to 2^53", value);
	return 0;
}

static int set_repeat(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t n;

	if (!option_number(value, 1, REPEAT_MOST, &n))
		return option_refuse(why, "--repeat '%.100s': must be a number from 1 to %u", value, REPEAT_MOST);
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
	if (!slash || !option_number(slash + 1, 1, SHARDS_MOST, &shards) || !option_number(first, 1, shards, &shard))
		return option_refuse(why, "--shard '%.100s': must be I/N with I from 1 to N and N up to %u, as 1/4",
				     value, SHARDS_MOST);
	o->shard = (unsigned)shard;
	o->shards = (unsigned)shards;
	return 0;
}

static int set_fault(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	char mistake[FAULTS_WHY];
	struct fault_rule rule;

	if (faults_parse(value, &rule, mistake))
		return option_refuse(why, "--fault '%.100s': %.380s", value, mistake);
	return option_add(&o->faults, "--fault", value, why);
}

static int set_match(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_add(&o->matches, "--match", value, why);
}

static int set_tag(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_add(&o->tags, "--tag", value, why);
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
		return option_refuse(
			why, "--deadline '%.100s': must be a time of at least 1ms, as 120s or 5min, or none", value);
	o->deadline_ms = us / 1000;
	return 0;
}

static int set_junit(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&o->junit, "--junit", value, why);
}

static int set_json(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&o->json, "--json", value, why);
}

static int set_html(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&o->html, "--html", value, why);
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
	return option_path(&o->capture_folder, "--capture-dir", value, why);
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
	return option_refuse(why, "--color '%.100s': must be auto, always or never", value);
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

const struct option_row run_option_rows[] = {
	{ "tool", 0, "NAME|FILE", "the tool under test: an adapter's name or file (dfu-util); several give a matrix",
	  set_tool, true },
	{ "tool-path", 0, "NAME=PATH", "where the program of the tool NAME is", set_tool_path, true },
	{ "tools-folder", 0, "DIR", "where adapters are looked for (those that came with dfuhil)", set_tools_folder,
	  true },
	{ "rig", 0, "RIG", "what it runs on: emulated, vhci, control:SOCKET, or a rig file (emulated)", set_rig,
	  false },
	{ "time", 0, "HOW", "the boards' clock: virtual, real, or a factor as x20 (virtual if the rig can)", set_time,
	  true },
	{ "jobs", 'j', "N", "so many at a time (as many as there are processors)", set_parallel, true },
	{ "seed", 0, "N", "what all that is random is made of (1)", set_seed, true },
	{ "repeat", 0, "N", "run each so often, to find what fails now and then (1)", set_repeat, false },
	{ "fault", 0, "RULE", "a fault on every board from the start, to see scenarios fail; see dfuemu(1)", set_fault,
	  true },
	{ "shard", 0, "I/N", "of N parts of the scenarios, run the one numbered I", set_shard, true },
	{ "match", 0, "PATTERN", "only scenarios with such an id, as 'start/*'; several: any of them", set_match,
	  true },
	{ "tag", 0, "TAG", "only scenarios with that tag; several: any of them", set_tag, true },
	{ "list", 0, NULL, "list the scenarios that would run", set_list, false },
	{ "fail-fast", 0, NULL, "start no more after the first failure", set_fail_fast, false },
	{ "keep-going", 0, NULL, "run all whatever fails (the default)", set_keep_going, false },
	{ "strict", 0, NULL, "findings of severity error fail a scenario", set_strict, true },
	{ "deadline", 0, "TIME", "real time that a scenario may take, or none (120s)", set_deadline, true },
	{ "junit", 0, "FILE", "write a report as JUnit's XML; - is standard output, here and below", set_junit, false },
	{ "json", 0, "FILE", "write a report with all details as JSON", set_json, false },
	{ "html", 0, "FILE", "write a report to look at as one page of HTML", set_html, false },
	{ "tap", 0, NULL, "print TAP (Test Anything Protocol) instead of the usual report", set_tap, false },
	{ "capture-dir", 0, "DIR", "keep a capture of the bus of each scenario there, for Wireshark",
	  set_capture_folder, false },
	{ "color", 0, "WHEN", "auto, always or never (auto: on a terminal, unless NO_COLOR is set)", set_colour, true },
	{ "quiet", 'q', NULL, "print failures and sums only", set_quiet, true },
	{ "verbose", 'v', NULL, "print steps, commands and findings too", set_verbose, true },
	{ NULL, 0, NULL, NULL, NULL, false },
};

static void help_row(FILE *out, char letter, const char *name, const char *argument, const char *help)
{
	char left[64], word[4] = "   ";

	if (letter)
		snprintf(word, sizeof(word), "-%c,", letter);
	snprintf(left, sizeof(left), "%s --%s%s%s", word, name, argument ? " " : "", argument ? argument : "");
	fprintf(out, "  %-26s %s\n", left, help);
}

void option_table_help(FILE *out, const struct option_row *const *rows)
{
	for (; *rows; rows++)
		help_row(out, (*rows)->letter, (*rows)->name, (*rows)->argument, (*rows)->help);
	help_row(out, 'h', "help", NULL, "this help");
}

static int unknown(const struct option_row *const *rows, const char *command, const char *word,
		   char why[RUN_OPTIONS_WHY])
{
	const char *names[OPTION_ROWS + 2], *near;
	size_t count = 0;
	char name[64];

	for (; rows[count]; count++)
		names[count] = rows[count]->name;
	names[count++] = "help";
	names[count] = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + strspn(word, "-"), "="), word + strspn(word, "-"));
	near = strlen(name) > 1 ? suggest_nearest(name, names) : NULL;
	if (near)
		return option_refuse(why, "unknown option '%.100s', did you mean '--%s'?", word, near);
	return option_refuse(why, "unknown option '%.100s' ('dfuhil %s --help' lists them)", word, command);
}

static int set(struct run_options *o, const struct option_row *const *rows, const char *command, int found,
	       const char *word, char why[RUN_OPTIONS_WHY])
{
	char letter[3] = { '-', (char)optopt, 0 };

	if (found == 'h')
		return 1;
	/* Of letters that stand together getopt tells which it was. */
	if ((found == '?' || found == ':') && optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0)
		word = letter;
	if (found == '?' && optopt > 0 && word != letter)
		return option_refuse(why, "'%.100s': takes no value", word);
	if (found == '?')
		return unknown(rows, command, word, why);
	if (found == ':')
		return option_refuse(why, "%.100s: a value is missing", word);
	for (size_t i = 0; rows[i]; i++)
		if ((rows[i]->letter && found == rows[i]->letter) || found == FIRST_LONG + (int)i)
			return rows[i]->set(o, optarg, why);
	assert(!"an option of the table");
	return -EINVAL;
}

int option_table_parse(struct run_options *o, const struct option_row *const *rows, const char *command, int argc,
		       char **argv, char why[RUN_OPTIONS_WHY])
{
	struct option longs[OPTION_ROWS + 2] = { { "help", no_argument, NULL, 'h' } };
	char shorts[2 * OPTION_ROWS + 8] = ":h"; /* options may stand behind names of files too */
	int found, r = 0;

	*o = (struct run_options){ .seed = 1,
				   .repeat = 1,
				   .shard = 1,
				   .shards = 1,
				   .scale = 1,
				   .time = RIG_TIME_VIRTUAL,
				   .deadline_ms = DEADLINE_MS };
	for (size_t i = 0; rows[i]; i++) {
		char one[4] = { rows[i]->letter, rows[i]->argument ? ':' : 0, 0 };

		assert(i < OPTION_ROWS);
		if (rows[i]->letter)
			strcat(shorts, one);
		longs[i + 1] = (struct option){ rows[i]->name, rows[i]->argument ? required_argument : no_argument,
						NULL, FIRST_LONG + (int)i };
	}
	optind = 0; /* glibc: begin anew */
	while (!r && (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
		r = set(o, rows, command, found, argv[optind - 1], why);
	o->paths = argv + optind;
	if (!r && !o->tools.count)
		o->tools.word[o->tools.count++] = "dfu-util";
	return r;
}

static const struct option_row *const *rows_of_run(void)
{
	static const struct option_row *rows[OPTION_ROWS + 1];

	for (size_t i = 0; run_option_rows[i].name; i++)
		rows[i] = &run_option_rows[i];
	return rows;
}

void run_options_help(FILE *out)
{
	option_table_help(out, rows_of_run());
}

int run_options_parse(struct run_options *o, int argc, char **argv, char why[RUN_OPTIONS_WHY])
{
	return option_table_parse(o, rows_of_run(), "run", argc, argv, why);
}

bool run_options_coloured(const struct run_options *o, FILE *stream)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (o->colour != COLOUR_AUTO)
		return o->colour == COLOUR_ALWAYS;
	return isatty(fileno(stream)) && (!no || !*no) && terminal && strcmp(terminal, "dumb") != 0;
}
