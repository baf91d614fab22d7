// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil replay: from the command line to the exit status. */
#include "replay.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "complain.h"
#include "fault_rule.h"
#include "janitor.h"
#include "options.h"
#include "outfile.h"

static void help(FILE *stream)
{
	fputs("usage: dfuhil replay [OPTIONS] CAPTURE\n\n"
	      "Send what a host tool sent in a recording to a board once more, with the pauses it made, and report "
	      "each\n"
	      "difference in what comes back. Exit status: 0 none, 1 some, 2 usage or a bad file, 3 the rig cannot be "
	      "used.\n\n"
	      "      --rig RIG        emulated (default), vhci, control:SOCKET, or a rig file\n"
	      "      --time HOW       virtual (default on the rig 'emulated'), real, or a factor as x20\n"
	      "      --profile NAME   ROM of the board (default: by the descriptors in the recording)\n"
	      "      --flash FILE     what is in the flash before (default: what the recording reads before it writes "
	      "it,\n"
	      "                       and blank otherwise)\n"
	      "      --state FILE     option bytes before: those of a state file of dfuemu\n"
	      "      --tolerance T    judge how long each answer took, too: 5ms, 10%, or 10%+5ms\n"
	      "      --seed N         of all that is random (default 1)\n"
	      "      --capture FILE   record the replay\n"
	      "      --junit FILE     report as JUnit's XML, a test case for each session\n"
	      "      --json FILE      report for programs\n"
	      "      --html FILE      report as a page\n"
	      "  -v, --verbose        all differences, not the first 20 alone\n"
	      "  -h, --help           this text\n",
	      stream);
}

static bool wrong(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "dfuhil: replay: %s '%.100s': must be %s\n", option, value, what);
	return false;
}

static bool set_tolerance(struct replay_options *o, const char *value)
{
	const char *rest = value;
	char *end;

	o->judge_time = true;
	o->tolerance_percent = 0;
	o->tolerance_us = 0;
	if (strchr(value, '%')) {
		o->tolerance_percent = strtod(value, &end);
		if (end == value || *end != '%' || !(o->tolerance_percent >= 0) || (end[1] && end[1] != '+'))
			return wrong("--tolerance", value, "a time, per cent, or both, as 10%+5ms");
		rest = end[1] ? end + 2 : "0ms";
	}
	if (strcmp(rest, "0") != 0 && strcmp(rest, "0ms") != 0 && !fault_time_parse(rest, &o->tolerance_us))
		return wrong("--tolerance", value, "a time, per cent, or both, as 10%+5ms");
	return true;
}

static bool set_time(struct replay_options *o, const char *value)
{
	o->time_given = true;
	o->time = strcmp(value, "virtual") != 0 ? RIG_TIME_SCALED : RIG_TIME_VIRTUAL;
	o->scale = o->time == RIG_TIME_VIRTUAL ? 1 : options_time_scale(value);
	return o->scale > 0 || wrong("--time", value, "virtual, real, or a factor as x20");
}

static bool set_seed(struct replay_options *o, const char *value)
{
	char *end;

	errno = 0;
	o->seed = strtoull(value, &end, 10);
	return (*value >= '0' && *value <= '9' && !*end && !errno) || wrong("--seed", value, "a number");
}

static bool set(struct replay_options *o, int c)
{
	switch (c) {
	case 'r':
		if (o->rig) {
			complain("replay: --rig '%.200s': there is one already, '%.200s'", optarg, o->rig);
			return false;
		}
		o->rig = optarg;
		return true;
	case 't':
		return set_time(o, optarg);
	case 'p':
		o->profile = recording_profile_named(optarg);
		return o->profile;
	case 'f':
		o->flash = optarg;
		return true;
	case 'S':
		o->state = optarg;
		return true;
	case 'T':
		return set_tolerance(o, optarg);
	case 's':
		return set_seed(o, optarg);
	case 'c':
		o->capture = optarg;
		return true;
	case 'u':
		o->junit = optarg;
		return true;
	case 'j':
		o->json = optarg;
		return true;
	case 'm':
		o->html = optarg;
		return true;
	case 'v':
		o->verbose = true;
		return true;
	default:
		fputs("'dfuhil replay --help' tells more\n", stderr);
		return false;
	}
}

/* 0 to go on, or an exit status; -1: help was asked for. */
static int parse(int argc, char **argv, struct replay_options *o)
{
	static const struct option options[] = {
		{ "rig", required_argument, NULL, 'r' },
		{ "time", required_argument, NULL, 't' },
		{ "profile", required_argument, NULL, 'p' },
		{ "flash", required_argument, NULL, 'f' },
		{ "tolerance", required_argument, NULL, 'T' },
		{ "state", required_argument, NULL, 'S' },
		{ "seed", required_argument, NULL, 's' },
		{ "capture", required_argument, NULL, 'c' },
		{ "junit", required_argument, NULL, 'u' },
		{ "json", required_argument, NULL, 'j' },
		{ "html", required_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char why[OUTFILE_WHY];
	const char **outputs[] = { &o->junit, &o->json, &o->html };
	unsigned to_stdout = 0;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "vh", options, NULL)) >= 0) {
		if (c == 'h') {
			help(stdout);
			return -1;
		}
		if (!set(o, c))
			return HIL_USAGE;
	}
	if (argc - optind != 1) {
		fputs("dfuhil: replay: one CAPTURE is wanted ('dfuhil replay --help')\n", stderr);
		return HIL_USAGE;
	}
	o->path = argv[optind];
	for (unsigned i = 0; i < 3; i++) {
		if (*outputs[i] && outfile_check(*outputs[i], why)) {
			fprintf(stderr, "dfuhil: %s\n", why);
			return HIL_USAGE;
		}
		to_stdout += *outputs[i] && !strcmp(*outputs[i], "-");
	}
	if (to_stdout > 1) {
		fputs("dfuhil: replay: only one report can go to standard output\n", stderr);
		return HIL_USAGE;
	}
	return 0;
}

static bool to_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

static int report(const struct replay *r)
{
	const struct replay_options *o = r->options;
	bool taken = to_stdout(o->junit) || to_stdout(o->json) || to_stdout(o->html);
	FILE *people = taken ? stderr : stdout;
	char why[REPLAY_WHY] = "", *json;
	int error;

	replay_print(r, people, isatty(fileno(people)) && !getenv("NO_COLOR"));
	if (fflush(people) || ferror(people)) {
		fprintf(stderr, "dfuhil: cannot write: %s\n", strerror(errno));
		return HIL_USAGE;
	}
	error = replay_reports(r, why);
	if (!error && o->json) {
		_Static_assert(REPLAY_WHY >= OUTFILE_WHY, "one message");
		json = replay_json(r);
		error = json ? outfile_write(o->json, json, strlen(json), why) : -ENOMEM;
		free(json);
	}
	if (!error)
		return 0;
	fprintf(stderr, "dfuhil: %s\n", *why ? why : strerror(-error));
	return HIL_USAGE;
}

static int replay(struct replay *r)
{
	char why[REPLAY_WHY], janitor_why[JANITOR_WHY];
	struct janitor *janitor;
	int status;

	if (recording_open(&r->recording, r->options->path, r->options->profile, why)) {
		fprintf(stderr, "dfuhil: %s: %s\n", r->options->path, why);
		return HIL_USAGE;
	}
	r->answers = calloc(r->recording.count, sizeof(*r->answers));
	r->answered = calloc(r->recording.count, sizeof(*r->answered));
	janitor = janitor_new(janitor_why);
	if (!r->answers || !r->answered || !janitor) {
		fprintf(stderr, "dfuhil: %s\n", janitor ? strerror(ENOMEM) : janitor_why);
		janitor_free(janitor);
		return HIL_UNFIT;
	}
	status = replay_run(r, janitor_folder(janitor), why);
	janitor_free(janitor);
	if (status) {
		if (*why)
			fprintf(stderr, "dfuhil: %s\n", why);
		return status;
	}
	if (!replay_compare(r)) {
		fprintf(stderr, "dfuhil: %s\n", strerror(ENOMEM));
		return HIL_UNFIT;
	}
	status = report(r);
	return status ? status : r->difference_count ? HIL_FAILED : 0;
}

int replay_main(int argc, char **argv)
{
	struct replay_options o = { .scale = 1, .seed = 1 };
	struct replay r = { .options = &o };
	int status = parse(argc, argv, &o);

	if (status)
		return status < 0 ? 0 : status;
	signal(SIGPIPE, SIG_IGN);
	status = replay(&r);
	for (size_t i = 0; r.answers && i < r.recording.count; i++)
		free(r.answers[i].data);
	free(r.answers);
	free(r.answered);
	free(r.differences);
	recording_free(&r.recording);
	return status;
}
