/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dfuhil rules: what there is, and what each rule means. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "rules.h"
#include "suggest.h"
#include "writer.h"

#define IDS 128

static void help(FILE *stream)
{
	fputs("usage: dfuhil rules [--json] [ID...]\n\n"
	      "List the rules that tools are held against, or explain those named.\n\n"
	      "      --json  for programs\n"
	      "  -h, --help  this text\n",
	      stream);
}

static bool is_meant(const struct rule *r, char **ids, int count)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(ids[i], r->id))
			return true;
	return !count;
}

static int unknown(const char *id)
{
	const char *words[IDS], *near;
	size_t n = 0;

	for (const struct rule *r = rules; r->id && n < IDS - 1; r++)
		words[n++] = r->id;
	words[n] = NULL;
	near = suggest_nearest(id, words);
	fprintf(stderr, "dfuhil: unknown rule '%s'%s%s%s ('dfuhil rules' lists them)\n", id,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return HIL_USAGE;
}

static int print_json(char **ids, int count)
{
	struct writer w;
	bool failed;

	writer_init(&w, true);
	writer_array(&w, "rules");
	for (const struct rule *r = rules; r->id; r++) {
		if (!is_meant(r, ids, count))
			continue;
		writer_object(&w, NULL);
		writer_string(&w, "id", r->id);
		writer_string(&w, "severity", severity_name(r->severity));
		writer_string(&w, "summary", r->summary);
		writer_string(&w, "explanation", r->explanation);
		writer_string(&w, "citation", r->citation);
		writer_end(&w);
	}
	writer_end(&w);
	writer_finish(&w);
	failed = writer_failed(&w);
	if (failed)
		fputs("dfuhil: out of memory\n", stderr);
	else
		puts(w.text);
	writer_free(&w);
	return failed ? HIL_USAGE : 0;
}

static void print_text(char **ids, int count)
{
	for (const struct rule *r = rules; r->id; r++) {
		if (!is_meant(r, ids, count))
			continue;
		if (count)
			printf("%s (%s)\n    %s\n    %s\n    See %s.\n", r->id, severity_name(r->severity), r->summary,
			       r->explanation, r->citation);
		else
			printf("%-30s %-7s %s\n", r->id, severity_name(r->severity), r->summary);
	}
}

int rules_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool json = false;
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'h')
			help(stdout);
		else if (c != 'j')
			help(stderr);
		if (c != 'j')
			return c == 'h' ? 0 : HIL_USAGE;
		json = true;
	}
	for (int i = optind; i < argc; i++)
		if (!rule_find(argv[i]))
			return unknown(argv[i]);
	if (json)
		return print_json(argv + optind, argc - optind);
	print_text(argv + optind, argc - optind);
	return 0;
}
