// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of `dfuhil nightly`. */
#include "nightly_options.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fault_rule.h"
#include "options_table.h"

#define RETRIES 2
#define RETRIES_MOST 1000
#define HOOK_LIMIT_MS 60000
#define DAY_S 86400
#define KEEP_S (INT64_C(30) * DAY_S)
#define KEEP_BYTES (UINT64_C(2) << 30)

static struct nightly_options *own(struct run_options *o)
{
	return (struct nightly_options *)o;
}

static int set_rig(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	struct run_words *rigs = &own(o)->rigs;

	for (unsigned i = 0; i < rigs->count; i++)
		if (!strcmp(rigs->word[i], value))
			return option_refuse(why, "--rig '%.200s': it has been named before", value);
	return option_add(rigs, "--rig", value, why);
}

static int set_folder(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&own(o)->folder, "--folder", value, why);
}

static int set_history(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	return option_path(&own(o)->history, "--history", value, why);
}

static int set_retries(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t n;

	if (!option_number(value, 0, RETRIES_MOST, &n))
		return option_refuse(why, "--retries '%.100s': must be a number from 0 to %u", value, RETRIES_MOST);
	own(o)->retries = (unsigned)n;
	return 0;
}

static int set_differential(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	static const char *const words[] = { "failures", "all", "never", NULL };

	for (int i = 0; words[i]; i++) {
		if (!strcmp(value, words[i])) {
			own(o)->differential = (enum differential)i;
			return 0;
		}
	}
	return option_refuse(why, "--differential '%.100s': must be failures, all or never", value);
}

static int set_fail_flaky(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	(void)value;
	(void)why;
	own(o)->fail_flaky = true;
	return 0;
}

static int set_limit(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	size_t length = strlen(value);
	uint64_t us, hours;
	char digits[16] = "";

	if (length > 1 && length < sizeof(digits) && value[length - 1] == 'h') {
		memcpy(digits, value, length - 1);
		if (option_number(digits, 1, 1000, &hours)) {
			own(o)->limit_ms = hours * 3600000;
			return 0;
		}
	}
	if (!fault_time_parse(value, &us) || us < 1000)
		return option_refuse(why, "--limit '%.100s': must be a time, as 6h, 90min or 600s", value);
	own(o)->limit_ms = us / 1000;
	return 0;
}

/* HH:MM */
static bool time_of_day(const char *text, int *hour, int *minute)
{
	if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]) || text[2] != ':' ||
	    !isdigit((unsigned char)text[3]) || !isdigit((unsigned char)text[4]) || text[5])
		return false;
	*hour = 10 * (text[0] - '0') + text[1] - '0';
	*minute = 10 * (text[3] - '0') + text[4] - '0';
	return *hour < 24 && *minute < 60;
}

static int set_until(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	int hour, minute;

	if (!time_of_day(value, &hour, &minute))
		return option_refuse(why, "--until '%.100s': must be a time of day from 00:00 to 23:59, as 06:30",
				     value);
	own(o)->until = value;
	return 0;
}

uint64_t nightly_until_ms(const char *until, int64_t now)
{
	time_t start = (time_t)now, end;
	int hour = 0, minute = 0;
	struct tm tm;

	if (!time_of_day(until, &hour, &minute) || !localtime_r(&start, &tm))
		return 0;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	end = mktime(&tm);
	if (end <= start) {
		tm.tm_mday++;
		tm.tm_hour = hour;
		tm.tm_min = minute;
		tm.tm_isdst = -1;
		end = mktime(&tm);
	}
	return (uint64_t)(end - start) * 1000;
}

static int set_keep(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	size_t length = strlen(value);
	char digits[16] = "";
	uint64_t n;

	if (!strcmp(value, "all")) {
		own(o)->keep_s = 0;
		return 0;
	}
	if (length > 1 && length < sizeof(digits)) {
		memcpy(digits, value, length - 1);
		if (option_number(digits, 1, 100000, &n) && strchr("hdw", value[length - 1])) {
			own(o)->keep_s = (int64_t)n * (value[length - 1] == 'h'   ? 3600
						       : value[length - 1] == 'd' ? DAY_S
										  : 7 * DAY_S);
			return 0;
		}
	}
	return option_refuse(why, "--keep '%.100s': must be an age, as 30d, 8w or 36h, or all", value);
}

static int set_keep_size(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	static const char units[] = "KMGT";
	size_t length = strlen(value);
	const char *unit = length ? strchr(units, value[length - 1]) : NULL;
	char digits[16] = "";
	uint64_t n;

	if (!strcmp(value, "all")) {
		own(o)->keep_bytes = 0;
		return 0;
	}
	if (unit && length > 1 && length < sizeof(digits)) {
		memcpy(digits, value, length - 1);
		if (option_number(digits, 1, 1 << 20, &n)) {
			own(o)->keep_bytes = n << 10 * (unit - units + 1);
			return 0;
		}
	}
	return option_refuse(why, "--keep-size '%.100s': must be a size, as 2G or 500M, or all", value);
}

static int set_hook(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	if (own(o)->hook)
		return option_refuse(why, "--hook '%.200s': there is one already", value);
	if (!*value)
		return option_refuse(why, "--hook '': must be a command");
	own(o)->hook = value;
	return 0;
}

static int set_hook_limit(struct run_options *o, const char *value, char why[RUN_OPTIONS_WHY])
{
	uint64_t us;

	if (!fault_time_parse(value, &us) || us < 1000)
		return option_refuse(why, "--hook-limit '%.100s': must be a time, as 60s or 5min", value);
	own(o)->hook_limit_ms = us / 1000;
	return 0;
}

static const struct option_row own_rows[] = {
	{ "rig", 0, "RIG", "what it runs on, as of run; several share the scenarios, each takes the next one", set_rig,
	  false },
	{ "folder", 0, "DIR", "where each night gets a folder of its own (~/.local/state/dfubench/nights)", set_folder,
	  false },
	{ "history", 0, "FILE", "what is remembered of all nights (~/.local/state/dfubench/history.sqlite)",
	  set_history, false },
	{ "retries", 0, "N", "run what has failed again, until it passes, so often at most (2)", set_retries, false },
	{ "differential", 0, "WHEN",
	  "run on the emulated board as well: failures, all or never (failures), to tell whose fault it is",
	  set_differential, false },
	{ "fail-flaky", 0, NULL, "what fails now and then fails the night", set_fail_flaky, false },
	{ "limit", 0, "TIME", "the whole night may take so long, as 6h", set_limit, false },
	{ "until", 0, "HH:MM", "it ends at that time of day", set_until, false },
	{ "keep", 0, "AGE", "folders of nights that are older are removed, or all (30d)", set_keep, false },
	{ "keep-size", 0, "SIZE", "so many bytes of nights are kept, or all: the oldest go first (2G)", set_keep_size,
	  false },
	{ "hook", 0, "COMMAND", "run that by sh at the end, with a summary in JSON as its input", set_hook, false },
	{ "hook-limit", 0, "TIME", "the hook is killed after that (60s)", set_hook_limit, false },
	{ NULL, 0, NULL, NULL, NULL, false },
};

static const struct option_row *const *rows_of_nightly(void)
{
	static const struct option_row *rows[OPTION_ROWS + 1];
	size_t n = 0;

	for (const struct option_row *r = own_rows; r->name; r++)
		rows[n++] = r;
	for (const struct option_row *r = run_option_rows; r->name; r++)
		if (r->shared)
			rows[n++] = r;
	rows[n] = NULL;
	return rows;
}

void nightly_options_help(FILE *out)
{
	option_table_help(out, rows_of_nightly());
}

int nightly_options_parse(struct nightly_options *o, int argc, char **argv, char why[RUN_OPTIONS_WHY])
{
	int r;

	*o = (struct nightly_options){
		.retries = RETRIES, .hook_limit_ms = HOOK_LIMIT_MS, .keep_s = KEEP_S, .keep_bytes = KEEP_BYTES
	};
	r = option_table_parse(&o->run, rows_of_nightly(), "nightly", argc, argv, why);
	if (!r && !o->rigs.count)
		o->rigs.word[o->rigs.count++] = "emulated";
	if (!r && o->until && o->limit_ms)
		return option_refuse(why, "--until and --limit cannot go together");
	return r;
}
