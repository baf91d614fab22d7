// SPDX-License-Identifier: GPL-2.0-or-later
/* The steps of a scenario: the table, and what several of them need. */
#include <stdio.h>
#include <string.h>
#include "verbs.h"

const struct verb verbs[] = {
	/* pins, supply, cable */
	{ .name = "bootloader",
	  .fields = bootloader_fields,
	  .scalar = "within",
	  .needs = RIG_PINS,
	  .operation = -1,
	  .run = run_bootloader,
	  .help = "BOOT0 high, a pulse on NRST, and wait until the bootloader is on USB" },
	{ .name = "application",
	  .fields = application_fields,
	  .scalar = "within",
	  .needs = RIG_PINS,
	  .operation = -1,
	  .run = run_application,
	  .help = "BOOT0 low, a pulse on NRST, and wait until the bootloader is gone" },
	{ .name = "boot0",
	  .fields = level_fields,
	  .scalar = "level",
	  .needs = RIG_PINS,
	  .operation = -1,
	  .run = run_boot0,
	  .help = "level of BOOT0, which counts at the next reset" },
	{ .name = "boot1",
	  .fields = level_fields,
	  .scalar = "level",
	  .needs = RIG_BOOT1,
	  .operation = -1,
	  .run = run_boot1,
	  .help = "level of BOOT1, which counts at the next reset" },
	{ .name = "reset",
	  .fields = reset_fields,
	  .scalar = "pulse",
	  .needs = RIG_PINS,
	  .operation = -1,
	  .run = run_reset,
	  .help = "a pulse on NRST" },
	{ .name = "power",
	  .fields = power_fields,
	  .scalar = "state",
	  .needs = RIG_POWER,
	  .operation = -1,
	  .run = run_power,
	  .help = "supply on, off, or off and on again" },
	{ .name = "unplug", .needs = RIG_CABLE, .operation = -1, .run = run_unplug, .help = "take the USB cable out" },
	{ .name = "plug", .needs = RIG_CABLE, .operation = -1, .run = run_plug, .help = "put the USB cable in" },
	{ .name = "software-entry",
	  .needs = RIG_SOFTWARE_ENTRY,
	  .operation = -1,
	  .run = run_software_entry,
	  .help = "the application jumps to the bootloader, without a reset" },
	{ .name = "wait",
	  .fields = wait_fields,
	  .scalar = "time",
	  .operation = -1,
	  .check = check_wait,
	  .run = run_wait,
	  .help = "let time pass, or wait for a device to come or go, or for text on the console" },

	/* the application */
	{ .name = "console",
	  .fields = console_fields,
	  .operation = -1,
	  .check = check_console,
	  .run = run_console,
	  .help = "say something to the application, and hear what it says" },
	{ .name = "led",
	  .fields = led_fields,
	  .scalar = "led",
	  .needs = RIG_LEDS,
	  .operation = -1,
	  .check = check_led,
	  .run = run_led,
	  .help = "an LED of the board is on, or off" },
	{ .name = "button",
	  .fields = button_fields,
	  .scalar = "state",
	  .needs = RIG_BUTTON,
	  .operation = -1,
	  .check = check_button,
	  .run = run_button,
	  .help = "the user button of the board is pressed, or released" },

	/* what is there before */
	{ .name = "prepare",
	  .fields = prepare_fields,
	  .operation = -1,
	  .check = check_prepare,
	  .run = run_prepare,
	  .help = "put contents into flash and option bytes without a tool, or choose how long erasing takes" },
	{ .name = "fault",
	  .fields = fault_fields,
	  .scalar = "rule",
	  .operation = -1,
	  .check = check_fault,
	  .run = run_fault,
	  .help = "something goes wrong from now on, or no longer; or the application must have faulted" },
	{ .name = "snapshot",
	  .fields = snapshot_fields,
	  .scalar = "name",
	  .needs = RIG_READ,
	  .operation = -1,
	  .run = run_snapshot,
	  .help = "keep flash and option bytes as they are now, for later comparison" },

	/* the tool */
	{ .name = "list",
	  .fields = list_fields,
	  .runs_tool = true,
	  .operation = OPERATION_LIST,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool lists the devices" },
	{ .name = "download",
	  .fields = download_fields,
	  .scalar = "file",
	  .runs_tool = true,
	  .operation = OPERATION_DOWNLOAD,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool writes a file into flash" },
	{ .name = "upload",
	  .fields = upload_fields,
	  .scalar = "output",
	  .runs_tool = true,
	  .operation = OPERATION_UPLOAD,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool reads memory into a file" },
	{ .name = "erase",
	  .fields = erase_fields,
	  .scalar = "address",
	  .runs_tool = true,
	  .operation = OPERATION_ERASE,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool erases a range" },
	{ .name = "mass-erase",
	  .fields = mass_erase_fields,
	  .runs_tool = true,
	  .operation = OPERATION_MASS_ERASE,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool erases all of the flash" },
	{ .name = "leave",
	  .fields = leave_fields,
	  .scalar = "address",
	  .runs_tool = true,
	  .operation = OPERATION_LEAVE,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool has the bootloader start the application" },
	{ .name = "unprotect",
	  .fields = mass_erase_fields,
	  .runs_tool = true,
	  .operation = OPERATION_UNPROTECT,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool takes the read protection away" },
	{ .name = "set-option-bytes",
	  .fields = set_option_bytes_fields,
	  .scalar = "bytes",
	  .runs_tool = true,
	  .operation = OPERATION_SET_OPTION_BYTES,
	  .check = check_operation,
	  .run = run_operation,
	  .help = "the tool writes the option bytes" },
	{ .name = "run",
	  .fields = run_fields,
	  .scalar = "words",
	  .runs_tool = true,
	  .operation = -1,
	  .run = run_words,
	  .help = "a command line as it is" },
	{ .name = "host",
	  .fields = host_fields,
	  .scalar = "script",
	  .runs_tool = true,
	  .operation = -1,
	  .check = check_host,
	  .run = run_host,
	  .help = "a host that sends these requests, one a line" },

	/* verdicts on the board */
	{ .name = "flash",
	  .fields = flash_fields,
	  .needs = RIG_READ,
	  .operation = -1,
	  .check = check_flash,
	  .run = run_flash,
	  .help = "what is in the flash" },
	{ .name = "sectors",
	  .fields = sectors_fields,
	  .needs = RIG_EVENTS | RIG_READ,
	  .operation = -1,
	  .check = check_sectors,
	  .run = run_sectors,
	  .help = "which sectors were erased, and which not touched" },
	{ .name = "options",
	  .fields = options_fields,
	  .needs = RIG_READ,
	  .operation = -1,
	  .check = check_options,
	  .run = run_options,
	  .help = "what is in the option bytes" },
	{ .name = "state",
	  .fields = state_fields,
	  .scalar = "dfu",
	  .needs = RIG_STATE,
	  .operation = -1,
	  .check = check_state,
	  .run = run_state,
	  .help = "what the board is doing" },
	{ .name = "file",
	  .fields = file_verb_fields,
	  .scalar = "file",
	  .operation = -1,
	  .check = check_file,
	  .run = run_file,
	  .help = "what a tool has written into a file" },

	/* verdicts on what was said */
	{ .name = "requests",
	  .fields = requests_fields,
	  .needs = RIG_TRANSCRIPT,
	  .operation = -1,
	  .check = check_requests,
	  .run = run_requests,
	  .help = "which requests were made" },
	{ .name = "findings",
	  .fields = findings_fields,
	  .needs = RIG_TRANSCRIPT,
	  .operation = -1,
	  .check = check_findings,
	  .run = run_findings,
	  .help = "which rules were broken" },
	{ .name = "measure",
	  .fields = measure_fields,
	  .needs = RIG_TRANSCRIPT,
	  .operation = -1,
	  .check = check_measure,
	  .run = run_measure,
	  .help = "what the board does, for a field of its profile that is not known for sure" },
	{ .name = NULL },
};

static const char *const names[] = {
	"bootloader", "application", "boot0",          "boot1",    "reset",     "power",
	"unplug",     "plug",        "software-entry", "wait",     "console",   "led",
	"button",     "prepare",     "fault",          "snapshot", "list",      "download",
	"upload",     "erase",       "mass-erase",     "leave",    "unprotect", "set-option-bytes",
	"run",        "host",        "flash",          "sectors",  "options",   "state",
	"file",       "requests",    "findings",       "measure",  NULL,
};
const char *const *const verb_names = names;

const struct verb *verb_find(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

const char *const verb_levels[] = { "low", "high", NULL };
const char *const verb_erase_times[] = {
	[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random", NULL
};

unsigned given_of(const struct object *o, const char *const *fields)
{
	unsigned count = 0;

	for (; *fields; fields++)
		count += object_given(o, *fields);
	return count;
}

const struct snapshot *since(struct play *play, const struct object *o, const char *otherwise)
{
	const char *name = object_text(o, "since", otherwise);
	const struct snapshot *s = snapshot_find(play, name);

	/* Before the first tool all is as it was at the start. */
	if (!s && !strcmp(name, SNAPSHOT_BEFORE_TOOL))
		s = snapshot_find(play, SNAPSHOT_START);
	if (!s)
		play_error(play, "there is no snapshot '%s'", name);
	return s;
}

bool tool_before(const struct step *step, const struct scenario *s)
{
	for (const struct step *at = s->steps; at < step; at++)
		if (at->verb->runs_tool)
			return true;
	return false;
}

void check_since(const struct step *step, const struct scenario *s, struct problems *problems)
{
	const struct value *v = object_value(step->arguments, "since");
	const char *known[64] = { SNAPSHOT_START, SNAPSHOT_BEFORE_TOOL };
	unsigned count = 2;

	if (!problems)
		return;
	if ((!v->given || !strcmp(v->text, SNAPSHOT_BEFORE_TOOL)) && !tool_before(step, s))
		STEP_WRONG(step, problems, "no step before this runs a tool; 'since: start' means all since the start");
	if (!v->given)
		return;
	for (const struct step *at = s->steps; at < step && count < 63; at++)
		if (at->verb->run == run_snapshot)
			known[count++] = object_text(at->arguments, "name", "");
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(known[i], v->text))
			return;
	problems_unknown(problems, v->mark, NULL, "no step before this takes a snapshot", v->text, known);
}

bool verb_lists(const struct value *list, uint64_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].number == number)
			return true;
	return false;
}

void verb_sectors(char *out, size_t size, const struct value *list, const bool *set, unsigned count)
{
	size_t used = 0;

	snprintf(out, size, "none");
	for (unsigned i = 0; list && i < list->count; i++)
		used += (size_t)snprintf(out + used, used < size ? size - used : 0, "%s%llu", i ? ", " : "",
					 (unsigned long long)list->list[i].number);
	for (unsigned i = 0; set && i < count; i++)
		if (set[i])
			used += (size_t)snprintf(out + used, used < size ? size - used : 0, "%s%u", used ? ", " : "",
						 i);
}

const char *verb_bytes(const uint8_t *bytes, size_t length, char out[64])
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < length && i < 16; i++)
		used += (size_t)snprintf(out + used, 64 - used, "%s%02x", i ? " " : "", bytes[i]);
	return out;
}
