/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil lint: the rules over a capture, whatever made it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "recording.h"
#include "rules.h"
#include "writer.h"

#define LINE_BYTES 256
#define WIDTH 100

struct lint {
	const char *path;
	const struct mcu_profile *profile;
	bool json, colour;
	struct transcript t;
	struct finding *findings;
	size_t count;
};

static void help(FILE *stream)
{
	fputs("usage: dfuhil lint [OPTIONS] CAPTURE\n\n"
	      "Hold the DFU requests of a capture (pcapng or pcap, with packets of Linux's usbmon or of USBPcap) "
	      "against\n"
	      "the rules that 'dfuhil rules' lists. Exit status: 0 if no error was found, 1 if one was, 2 if the "
	      "capture\n"
	      "could not be read.\n\n"
	      "      --profile NAME  ROM of the board (default: by the descriptors in the capture)\n"
	      "      --json          for programs\n"
	      "  -h, --help          this text\n",
	      stream);
}

static unsigned board_count(const struct transcript *t)
{
	unsigned count = 0;

	for (size_t i = 0; i < t->count; i++)
		if (t->exchanges[i].board > count)
			count = t->exchanges[i].board;
	return count;
}

static size_t request_count(const struct transcript *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		count += t->exchanges[i].op != OP_NONE;
	return count;
}

static unsigned severity_count(const struct lint *l, enum severity severity)
{
	unsigned count = 0;

	for (size_t i = 0; i < l->count; i++)
		count += l->findings[i].rule->severity == severity;
	return count;
}

static const char *colour_of(const struct lint *l, enum severity severity)
{
	static const char *const colours[] = { "\033[36m", "\033[33m", "\033[1;31m" };

	return l->colour ? colours[severity] : "";
}

/* In lines, indented. */
static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (!column || column + 1 + length > WIDTH) {
			printf("%s    ", column ? "\n" : "");
			column = 4;
		} else {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)length, text);
		column += length;
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* Rules hold a request against the next one, too: a gap between them counts. */
static bool is_after_gap(const struct lint *l, const struct finding *f)
{
	size_t n = f->exchange;

	if (!l->t.gap || n >= l->t.count)
		return l->t.gap;
	do
		n++;
	while (n < l->t.count &&
	       (l->t.exchanges[n].board != l->t.exchanges[f->exchange].board || l->t.exchanges[n].op == OP_NONE));
	return l->t.exchanges[n < l->t.count ? n : f->exchange].packet >= l->t.gap;
}

static void print_finding(const struct lint *l, const struct finding *f)
{
	const char *plain = l->colour ? "\033[0m" : "", *bold = l->colour ? "\033[1m" : "";
	char line[LINE_BYTES];

	printf("\n%s%s%s: %s%s%s\n", colour_of(l, f->rule->severity), severity_name(f->rule->severity), plain, bold,
	       f->rule->summary, plain);
	if (f->exchange < l->t.count) {
		const struct exchange *x = &l->t.exchanges[f->exchange];

		printf("    %llu.%06llu s, board %u: %s\n", (unsigned long long)(x->start_us / 1000000),
		       (unsigned long long)(x->start_us % 1000000), x->board, exchange_text(x, line, sizeof(line)));
	}
	printf("    %s%s%s", bold, f->text, plain);
	if (f->times > 1)
		printf(" (this is the first of %u)", f->times);
	if (is_after_gap(l, f) && l->t.gap > 1)
		printf("; this may follow from what the recording lacks before packet %llu",
		       (unsigned long long)l->t.gap);
	else if (is_after_gap(l, f))
		printf("; this may follow from what the recording lacks, and nobody knows where");
	putchar('\n');
	print_wrapped(f->rule->explanation);
	printf("    [%s] see %s\n", f->rule->id, f->rule->citation);
}

static void print_count(unsigned count, const char *what, const char *then)
{
	printf("%u %s%s%s", count, what, count == 1 ? "" : "s", then);
}

static void print_text(const struct lint *l)
{
	printf("%s: %zu requests of DFU, %u board%s, ", l->path, request_count(&l->t), board_count(&l->t),
	       board_count(&l->t) == 1 ? "" : "s");
	if (l->profile)
		printf("profile %s\n", l->profile->name);
	else
		puts("no profile known: rules that need one are left out (--profile)");
	for (size_t i = 0; i < l->count; i++)
		print_finding(l, &l->findings[i]);
	if (l->count)
		putchar('\n');
	print_count(severity_count(l, SEVERITY_ERROR), "error", ", ");
	print_count(severity_count(l, SEVERITY_WARNING), "warning", ", ");
	print_count(severity_count(l, SEVERITY_NOTE), "note", "\n");
}

static void write_finding(const struct lint *l, const struct finding *f, struct writer *w)
{
	char line[LINE_BYTES];

	writer_object(w, NULL);
	writer_string(w, "rule", f->rule->id);
	writer_string(w, "severity", severity_name(f->rule->severity));
	writer_string(w, "summary", f->rule->summary);
	writer_string(w, "text", f->text);
	writer_number(w, "times", f->times);
	if (f->exchange < l->t.count) {
		const struct exchange *x = &l->t.exchanges[f->exchange];

		writer_string(w, "request", exchange_text(x, line, sizeof(line)));
		writer_number(w, "packet", x->packet);
		writer_number(w, "time_us", x->start_us);
		writer_number(w, "board", x->board);
	}
	if (is_after_gap(l, f))
		writer_bool(w, "after_gap", true);
	writer_string(w, "explanation", f->rule->explanation);
	writer_string(w, "citation", f->rule->citation);
	writer_end(w);
}

static int print_json(const struct lint *l)
{
	struct writer w;
	bool failed;

	writer_init(&w, true);
	writer_string(&w, "file", l->path);
	if (l->profile)
		writer_string(&w, "profile", l->profile->name);
	writer_number(&w, "requests", request_count(&l->t));
	writer_number(&w, "packets", l->t.packets);
	writer_number(&w, "boards", board_count(&l->t));
	if (l->t.damage)
		writer_string(&w, "damage", l->t.damage);
	if (l->t.gap)
		writer_number(&w, "gap", l->t.gap);
	writer_array(&w, "findings");
	for (size_t i = 0; i < l->count; i++)
		write_finding(l, &l->findings[i], &w);
	writer_end(&w);
	writer_finish(&w);
	failed = writer_failed(&w);
	if (!failed)
		puts(w.text);
	writer_free(&w);
	return failed ? -ENOMEM : 0;
}

static int complain(const struct lint *l, const char *what)
{
	fprintf(stderr, "dfuhil: %s: %s\n", l->path, what);
	return HIL_USAGE;
}

static int judge(struct lint *l)
{
	struct rules_input input = { .transcript = &l->t };
	char why[RECORDING_WHY];
	int error;

	if (recording_transcript(&l->t, l->path, &l->profile, why))
		return complain(l, why);
	input.profile = l->profile;
	error = rules_judge(&input, &l->findings, &l->count);
	if (error)
		return complain(l, strerror(-error));
	if (l->t.damage)
		fprintf(stderr, "dfuhil: %s: %s\n", l->path, l->t.damage);
	if (l->json && print_json(l))
		return complain(l, strerror(ENOMEM));
	if (!l->json)
		print_text(l);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "dfuhil: cannot write: %s\n", strerror(errno));
		return HIL_USAGE;
	}
	return severity_count(l, SEVERITY_ERROR) ? HIL_FAILED : 0;
}

static int parse(int argc, char **argv, struct lint *l)
{
	static const struct option options[] = {
		{ "profile", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case 'p':
			l->profile = recording_profile_named(optarg);
			if (!l->profile)
				return HIL_USAGE;
			break;
		case 'j':
			l->json = true;
			break;
		case 'h':
			help(stdout);
			return -1;
		default:
			help(stderr);
			return HIL_USAGE;
		}
	}
	if (argc - optind != 1) {
		help(stderr);
		return HIL_USAGE;
	}
	l->path = argv[optind];
	return 0;
}

int lint_main(int argc, char **argv)
{
	struct lint l = { .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") };
	int status = parse(argc, argv, &l);

	if (status)
		return status < 0 ? 0 : status;
	status = judge(&l);
	transcript_free(&l.t);
	free(l.findings);
	return status;
}
