/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of verbs for tests of loading alone: one of each kind. Included once in a program, it takes the place of the real one. */
#ifndef DFUBENCH_SMALL_VERBS_H
#define DFUBENCH_SMALL_VERBS_H

#include <string.h>
#include "rig.h"
#include "verb.h"

static const char *const small_levels[] = { "low", "high", NULL };
static const struct field small_level[] = {
	{ .name = "level", .type = FIELD_CHOICE, .required = true, .choices = small_levels, .help = "high or low" },
	{ .type = FIELD_END },
};
static const struct field small_within[] = { { .name = "within", .type = FIELD_DURATION }, { .type = FIELD_END } };
static const struct field small_interrupt[] = {
	{ .name = "after", .type = FIELD_DURATION },
	{ .name = "requests", .type = FIELD_NUMBER },
	{ .type = FIELD_END },
};
static const struct field small_download[] = {
	{ .name = "file", .type = FIELD_FILE, .required = true, .help = "what to flash" },
	{ .name = "address", .type = FIELD_ADDRESS },
	{ .name = "leave", .type = FIELD_BOOL },
	{ .name = "serial", .type = FIELD_TEXT },
	{ .name = "interrupt", .type = FIELD_OBJECT, .fields = small_interrupt },
	{ .type = FIELD_END },
};
static const struct field small_upload[] = {
	{ .name = "output", .type = FIELD_OUTPUT, .required = true },
	{ .name = "address", .type = FIELD_ADDRESS },
	{ .name = "length", .type = FIELD_SIZE },
	{ .type = FIELD_END },
};
static const struct field small_wait[] = {
	{ .name = "time", .type = FIELD_DURATION },
	{ .name = "usb", .type = FIELD_USB_ID },
	{ .name = "console", .type = FIELD_REGEX },
	{ .name = "within", .type = FIELD_DURATION },
	{ .type = FIELD_END },
};
static const struct field small_fault[] = {
	{ .name = "rule", .type = FIELD_FAULT },
	{ .name = "clear", .type = FIELD_BOOL },
	{ .type = FIELD_END },
};
static const struct field small_run[] = {
	{ .name = "words", .type = FIELD_TEXT, .required = true, .many = true },
	{ .type = FIELD_END },
};
static const struct field small_requests[] = {
	{ .name = "contains", .type = FIELD_PATTERN, .many = true },
	{ .type = FIELD_END },
};
static const struct field small_findings[] = {
	{ .name = "none", .type = FIELD_RULE, .many = true },
	{ .type = FIELD_END },
};
static const struct field small_options[] = {
	{ .name = "bytes", .type = FIELD_BYTES },
	{ .name = "write-protect", .type = FIELD_NUMBER, .many = true },
	{ .type = FIELD_END },
};

static void small_check_wait(const struct step *s, const struct scenario *scenario, unsigned *needs,
			     struct problems *problems)
{
	(void)scenario;
	if (!object_given(s->arguments, "time") && !object_given(s->arguments, "usb") &&
	    !object_given(s->arguments, "console"))
		problems_add(problems, s->mark, NULL, "step 'wait': for what?");
	*needs |= object_given(s->arguments, "console") ? RIG_STATE : 0u;
}

const struct verb verbs[] = {
	{ .name = "bootloader", .fields = small_within, .needs = RIG_PINS, .operation = -1 },
	{ .name = "boot0", .fields = small_level, .scalar = "level", .needs = RIG_PINS, .operation = -1 },
	{ .name = "unplug", .needs = RIG_CABLE, .operation = -1 },
	{ .name = "download", .fields = small_download, .runs_tool = true, .operation = OPERATION_DOWNLOAD },
	{ .name = "upload", .fields = small_upload, .runs_tool = true, .operation = OPERATION_UPLOAD },
	{ .name = "wait", .fields = small_wait, .scalar = "time", .operation = -1, .check = small_check_wait },
	{ .name = "fault", .fields = small_fault, .scalar = "rule", .needs = RIG_FAULTS, .operation = -1 },
	{ .name = "run", .fields = small_run, .scalar = "words", .runs_tool = true, .operation = -1 },
	{ .name = "requests", .fields = small_requests, .needs = RIG_TRANSCRIPT, .operation = -1 },
	{ .name = "findings", .fields = small_findings, .operation = -1 },
	{ .name = "options", .fields = small_options, .scalar = "bytes", .operation = -1 },
	{ .name = NULL },
};
static const char *const small_names[] = { "bootloader", "boot0", "unplug",   "download", "upload",  "wait",
					   "fault",      "run",   "requests", "findings", "options", NULL };
const char *const *const verb_names = small_names;

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

#endif
