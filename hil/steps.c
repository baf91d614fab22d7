// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil steps`: what can stand in a step, from the table itself. */
#include "steps.h"
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "commands.h"
#include "verb.h"

static const char usage[] = "usage: dfuhil steps [--man] [VERB]\n"
			    "\n"
			    "List the steps of scenarios (dfu-scenario(5)) with their keys, or those of one. --man: as "
			    "source of a manual page.\n";

static const char *const type_names[] = {
	[FIELD_TEXT] = "text",        [FIELD_BOOL] = "true or false",
	[FIELD_NUMBER] = "number",    [FIELD_ADDRESS] = "address",
	[FIELD_SIZE] = "bytes",       [FIELD_DURATION] = "time",
	[FIELD_CHOICE] = "word",      [FIELD_REGEX] = "regular expression",
	[FIELD_USB_ID] = "USB ID",    [FIELD_FILE] = "file",
	[FIELD_OUTPUT] = "new file",  [FIELD_BYTES] = "bytes in hexadecimal",
	[FIELD_FAULT] = "fault rule", [FIELD_PATTERN] = "pattern",
	[FIELD_RULE] = "rule",        [FIELD_PROFILE] = "ROM profile",
	[FIELD_OBJECT] = "mapping",   [FIELD_MAP] = "mapping of names",
	[FIELD_OFFSET] = "number",    [FIELD_WORDS] = "words",
	[FIELD_ANY] = "anything",
};

static void print_type(const struct field *f)
{
	if (f->type == FIELD_CHOICE)
		for (unsigned i = 0; f->choices[i]; i++)
			printf("%s%s", i ? "|" : "", f->choices[i]);
	else
		fputs(type_names[f->type], stdout);
	if (f->many)
		fputs(", or a list", stdout);
}

static void print_fields(const struct field *f, unsigned indent, const char *scalar)
{
	for (; f && f->type != FIELD_END; f++) {
		int width = 24 - (int)indent;

		printf("%*s%-*s ", (int)indent, "", width, f->name);
		print_type(f);
		if (f->help)
			printf("; %s", f->help);
		if (f->required)
			fputs(" (required)", stdout);
		if (scalar && !strcmp(scalar, f->name))
			fputs(" (may stand alone)", stdout);
		putchar('\n');
		if (f->type == FIELD_OBJECT)
			print_fields(f->fields, indent + 2, f->scalar);
	}
}

static void print_verb(const struct verb *v)
{
	printf("%s%s%s\n", v->name, v->help ? ": " : "", v->help ? v->help : "");
	print_fields(v->fields, 4, v->scalar);
	if (v->runs_tool)
		puts("    runs a tool: may have 'expect' beside it");
}

/* Text for mandoc: a leading dot or quote is a request there, a backslash begins an escape. */
static void put_man(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++)
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
}

static void print_man_fields(const struct field *f, const char *scalar)
{
	for (; f && f->type != FIELD_END; f++) {
		fputs(".TP\n.B ", stdout);
		put_man(f->name);
		putchar('\n');
		print_type(f);
		if (f->help) {
			fputs("; ", stdout);
			put_man(f->help);
		}
		printf("%s%s.\n", f->required ? " (required)" : "",
		       scalar && !strcmp(scalar, f->name) ? " (may stand alone)" : "");
		if (f->type == FIELD_OBJECT) {
			puts(".RS");
			print_man_fields(f->fields, f->scalar);
			puts(".RE");
		}
	}
}

static void print_man(const struct verb *v)
{
	fputs(".SS ", stdout);
	put_man(v->name);
	putchar('\n');
	if (v->help) {
		put_man(v->help);
		putchar('\n');
	}
	print_man_fields(v->fields, v->scalar);
}

int steps_main(int argc, char **argv)
{
	static const struct option options[] = { { "man", no_argument, NULL, 'm' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	const struct verb *one = NULL;
	bool man = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option != 'm')
			return HIL_USAGE;
		man = true;
	}
	if (optind < argc && !(one = verb_find(argv[optind]))) {
		fprintf(stderr, "dfuhil steps: unknown step '%s' ('dfuhil steps' lists them)\n", argv[optind]);
		return HIL_USAGE;
	}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		return HIL_USAGE;
	}
	for (const struct verb *v = one ? one : verbs; v->name; v++) {
		if (man)
			print_man(v);
		else
			print_verb(v);
		if (one)
			break;
	}
	if (!one && !man) {
		puts("expect: what is expected of a tool, beside its step");
		print_fields(expect_fields, 4, NULL);
	}
	return fflush(stdout) ? HIL_FAILED : 0;
}
