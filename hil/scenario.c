// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenario files: the tables of what may stand in one, and what stands beside the steps. */
#include "scenario.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"
#include "profile.h"
#include "rig.h"
#include "scenario_internal.h"
#include "verb.h"
#include "text.h"
#include "yaml.h"

static const char *const levels[] = { "low", "high", NULL };
static const char *const applications[] = {
	[RIG_NO_APPLICATION] = "false", [RIG_SERIAL_PORT] = "true", [RIG_FLASHED] = "firmware", NULL
};
static const char *const erase_times[] = { "typical", "maximum", "random", NULL };

static const struct field board_fields[] = {
	{ .name = "profile", .type = FIELD_PROFILE, .help = "the ROM; f407 without it" },
	{ .name = "count", .type = FIELD_NUMBER, .help = "how many boards, 1 to 16; 1 without it" },
	{ .name = "serials",
	  .type = FIELD_TEXT,
	  .many = true,
	  .help = "their serial numbers, 12 hexadecimal digits each" },
	{ .name = "boot0",
	  .type = FIELD_CHOICE,
	  .choices = levels,
	  .help = "level of BOOT0 at the start; low without it" },
	{ .name = "boot1",
	  .type = FIELD_CHOICE,
	  .choices = levels,
	  .help = "level of BOOT1 at the start; low without it" },
	{ .name = "application",
	  .type = FIELD_CHOICE,
	  .choices = applications,
	  .help = "what runs when it is started: true, a program with a serial port, whatever is in flash; firmware, "
		  "what "
		  "is in flash; false, nothing with USB; true without it" },
	{ .name = "powered", .type = FIELD_BOOL, .help = "supply at the start; true without it" },
	{ .name = "plugged", .type = FIELD_BOOL, .help = "cable at the start; true without it" },
	{ .name = "erase-times",
	  .type = FIELD_CHOICE,
	  .choices = erase_times,
	  .help = "how long erasing takes by the datasheet; typical without it" },
	{ .type = FIELD_END },
};

static const struct field bystander_fields[] = {
	{ .name = "device", .type = FIELD_TEXT, .required = true, .help = "name of a file of descriptors" },
	{ .name = "denied", .type = FIELD_BOOL, .help = "no tool may open it" },
	{ .type = FIELD_END },
};

static const struct field part_fields[] = {
	{ .name = "address", .type = FIELD_ADDRESS, .required = true, .help = "where it goes" },
	{ .name = "of", .type = FIELD_FILE, .required = true, .help = "its contents" },
	{ .name = "alt", .type = FIELD_NUMBER, .help = "alternate setting, 0 to 255; 0 without it" },
	{ .name = "target", .type = FIELD_TEXT, .help = "name of the target" },
	{ .type = FIELD_END },
};

static const struct field change_fields[] = {
	{ .name = "at", .type = FIELD_OFFSET, .required = true, .help = "which byte; negative: from the end" },
	{ .name = "hex", .type = FIELD_BYTES, .required = true, .help = "what stands there then" },
	{ .type = FIELD_END },
};

const struct field file_fields[] = {
	{ .name = "size", .type = FIELD_SIZE, .help = "bytes of noise, or of fill, or of a part" },
	{ .name = "seed", .type = FIELD_NUMBER, .help = "which noise; 1 without it" },
	{ .name = "bootable", .type = FIELD_BOOL, .help = "begins with a stack pointer and a reset vector" },
	{ .name = "at", .type = FIELD_ADDRESS, .help = "where a bootable one is to run; 0x08000000 without it" },
	{ .name = "fill", .type = FIELD_NUMBER, .help = "the byte that it is full of" },
	{ .name = "hex", .type = FIELD_BYTES, .help = "its bytes" },
	{ .name = "of", .type = FIELD_FILE, .help = "the file that this is a part of" },
	{ .name = "from", .type = FIELD_SIZE, .help = "where the part begins; 0 without it" },
	{ .name = "join", .type = FIELD_FILE, .many = true, .help = "files, one after the other" },
	{ .name = "dfuse",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .fields = part_fields,
	  .help = "a DfuSe file of these parts" },
	{ .name = "dfu-suffix", .type = FIELD_FILE, .help = "a file that gets a DFU suffix" },
	{ .name = "vendor", .type = FIELD_NUMBER, .help = "idVendor of the suffix" },
	{ .name = "product", .type = FIELD_NUMBER, .help = "idProduct of the suffix" },
	{ .name = "device", .type = FIELD_NUMBER, .help = "bcdDevice of the suffix" },
	{ .name = "copy", .type = FIELD_FILE, .help = "a file that is copied" },
	{ .name = "set",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .fields = change_fields,
	  .help = "bytes changed in the copy" },
	{ .name = "path", .type = FIELD_TEXT, .help = "a file of one's own, relative to the scenario" },
	{ .name = "firmware",
	  .type = FIELD_TEXT,
	  .help = "one that comes with the program and runs on a Discovery: blink, cdc-echo ..." },
	{ .type = FIELD_END },
};

static const struct field expected_failure_fields[] = {
	{ .name = "tool", .type = FIELD_TEXT, .required = true, .help = "name of the adapter" },
	{ .name = "why", .type = FIELD_TEXT, .required = true, .help = "what it does wrong" },
	{ .name = "reference", .type = FIELD_TEXT, .help = "where that is known" },
	{ .name = "versions", .type = FIELD_REGEX, .help = "versions that do; all without it" },
	{ .name = "message",
	  .type = FIELD_REGEX,
	  .help = "matches in how the failure is told; any failure without it" },
	{ .type = FIELD_END },
};

const struct field scenario_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .required = true, .help = "what the tool is to do, a sentence" },
	{ .name = "why", .type = FIELD_TEXT, .required = true, .help = "why that matters, one line" },
	{ .name = "reference", .type = FIELD_TEXT, .required = true, .many = true, .help = "documents and reports" },
	{ .name = "field-bug", .type = FIELD_NUMBER, .many = true, .help = "rows of the table in scenarios/README.md" },
	{ .name = "tags", .type = FIELD_TEXT, .many = true, .help = "words to choose scenarios by" },
	{ .name = "needs",
	  .type = FIELD_TEXT,
	  .many = true,
	  .help = "what the rig must be able to do beyond what the steps say" },
	{ .name = "tools", .type = FIELD_TEXT, .many = true, .help = "the only adapters that it is for" },
	{ .name = "values", .type = FIELD_MAP, .help = "named values: ${NAME} in the steps" },
	{ .name = "board", .type = FIELD_OBJECT, .fields = board_fields, .help = "the boards at the start" },
	{ .name = "bystanders",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .fields = bystander_fields,
	  .scalar = "device",
	  .help = "other devices on the bus" },
	{ .name = "faults", .type = FIELD_FAULT, .many = true, .help = "fault rules in force from the start" },
	{ .name = "limit",
	  .type = FIELD_DURATION,
	  .help = "of the whole scenario, on the board's clock; 10min without it" },
	{ .name = "files",
	  .type = FIELD_MAP,
	  .fields = file_fields,
	  .help = "files that are made when a step names them" },
	{ .name = "expected-failure",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .fields = expected_failure_fields,
	  .help = "tools that are known to fail" },
	{ .name = "steps", .type = FIELD_ANY, .required = true, .help = "what is done, in order" },
	{ .type = FIELD_END },
};

static const struct field retries_fields[] = {
	{ .name = "at-most", .type = FIELD_NUMBER, .required = true, .help = "blocks that are sent again" },
	{ .type = FIELD_END },
};

const struct field expect_fields[] = {
	{ .name = "exit",
	  .type = FIELD_TEXT,
	  .many = true,
	  .filled = true,
	  .help = "success, failure, any, or the number; success without it" },
	{ .name = "stdout",
	  .type = FIELD_REGEX,
	  .many = true,
	  .filled = true,
	  .help = "matches in what it says on stdout, each of them" },
	{ .name = "stderr",
	  .type = FIELD_REGEX,
	  .many = true,
	  .filled = true,
	  .help = "matches in what it says on stderr, each of them" },
	{ .name = "output",
	  .type = FIELD_REGEX,
	  .many = true,
	  .filled = true,
	  .help = "matches in either, each of them" },
	{ .name = "not-output",
	  .type = FIELD_REGEX,
	  .many = true,
	  .filled = true,
	  .help = "matches in neither, none of them" },
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time on the board's clock" },
	{ .name = "at-least", .type = FIELD_DURATION, .help = "shortest time on the board's clock" },
	{ .name = "retries",
	  .type = FIELD_OBJECT,
	  .fields = retries_fields,
	  .scalar = "at-most",
	  .help = "how often it may send a block again" },
	{ .name = "hangs", .type = FIELD_BOOL, .help = "it never ends: to be killed at `within` is what is expected" },
	{ .type = FIELD_END },
};
static bool read_expected_failures(struct scenario *s)
{
	const struct value *v = object_value(s->top, "expected-failure");

	s->expected_failures = calloc(v->count ? v->count : 1, sizeof(*s->expected_failures));
	if (!s->expected_failures)
		return false;
	for (size_t i = 0; i < v->count; i++) {
		const struct object *o = v->list[i].object;

		s->expected_failures[s->expected_failure_count++] = (struct expected_failure){
			.tool = object_text(o, "tool", NULL),
			.why = object_text(o, "why", NULL),
			.reference = object_text(o, "reference", NULL),
			.versions = object_text(o, "versions", NULL),
			.message = object_text(o, "message", NULL)
		};
	}
	return true;
}

/* Something that reports can show as it is. */
static bool is_line(const char *text)
{
	char *clean = text_clean(text);
	bool good = clean && !strcmp(clean, text) && *text && !strchr(text, '\n');

	free(clean);
	return good;
}

static void check_texts(struct loading *l)
{
	static const char *const texts[] = { "name", "why", NULL };
	const struct value *references = object_value(l->scenario->top, "reference");
	const struct value *values = object_value(l->scenario->top, "values");

	for (unsigned i = 0; texts[i]; i++) {
		const struct value *v = object_value(l->scenario->top, texts[i]);

		if (v->given && !is_line(v->text))
			problems_add(l->problems, v->mark, NULL, "'%s': expected one line of text", texts[i]);
	}
	if (!is_line(l->scenario->path))
		problems_add(l->problems, (struct mark){ .file = l->scenario->path }, NULL,
			     "the name of the file has characters that a terminal obeys");
	for (size_t i = 0; i < l->scenario->expected_failure_count; i++) {
		const struct expected_failure *e = &l->scenario->expected_failures[i];

		if ((e->why && !is_line(e->why)) || (e->reference && !is_line(e->reference)))
			problems_add(l->problems, object_value(l->scenario->top, "expected-failure")->list[i].mark,
				     NULL, "'expected-failure': 'why' and 'reference' are one line of text each");
	}
	for (size_t i = 0; i < references->count; i++)
		if (!references->list[i].text[0])
			problems_add(l->problems, references->list[i].mark, NULL, "'reference': expected text");
	for (size_t i = 0; i < values->count; i++)
		if (values->list[i].text && strstr(values->list[i].text, "${"))
			problems_add(l->problems, values->list[i].mark, NULL,
				     "'%s' of 'values': a value cannot be made of others", values->list[i].key);
}

static void check_needs(struct loading *l)
{
	const struct value *v = object_value(l->scenario->top, "needs");
	const char *names[33] = { NULL };
	unsigned count = 0;

	for (unsigned bit = 1; bit && count < 32; bit <<= 1)
		if (rig_can_name(bit))
			names[count++] = rig_can_name(bit);
	for (size_t i = 0; i < v->count; i++) {
		unsigned at = 0;

		while (names[at] && strcmp(names[at], v->list[i].text))
			at++;
		if (names[at])
			l->scenario->needs |= 1u << at;
		else
			problems_unknown(l->problems, v->list[i].mark, NULL, "'needs': no rig can", v->list[i].text,
					 names);
	}
}

static void check_firmware(struct loading *l, const struct object *board)
{
	const char *name = object_text(board, "profile", "f407");
	const struct mcu_profile *profile = mcu_profile_find(name);

	l->scenario->needs |= RIG_FIRMWARE;
	if (profile && !engine_knows(profile))
		problems_add(l->problems, object_value(board, "profile")->mark, NULL,
			     "'profile' of 'board': '%.60s': 'application: firmware' runs on ROMs of the f407 only",
			     name);
}

static void check_board(struct loading *l)
{
	struct scenario *s = l->scenario;
	const struct object *board = object_value(s->top, "board")->object;
	uint64_t count = object_number(board, "count", 1);
	const struct value *serials, *bystanders = object_value(s->top, "bystanders");

	for (size_t i = 0; i < bystanders->count; i++) {
		s->needs |= RIG_BOARDS;
		if (bystanders->list[i].object && object_flag(bystanders->list[i].object, "denied", false))
			s->needs |= RIG_DENIED;
	}
	if (object_value(s->top, "faults")->count)
		s->needs |= RIG_FAULTS;
	if (!board)
		return;
	serials = object_value(board, "serials");
	if (count < 1 || count > 16)
		problems_add(l->problems, object_value(board, "count")->mark, NULL,
			     "'count' of 'board': 1 to 16 boards, not %s", object_text(board, "count", ""));
	else if (serials->given && serials->count != count)
		problems_add(l->problems, serials->mark, NULL, "'serials' of 'board': %zu of them for %u board%s",
			     serials->count, (unsigned)count, count == 1 ? "" : "s");
	for (size_t i = 0; i < serials->count; i++)
		if (strlen(serials->list[i].text) != 12 ||
		    strspn(serials->list[i].text, "0123456789abcdefABCDEF") != 12)
			problems_add(l->problems, serials->list[i].mark, NULL,
				     "'serials' of 'board': '%.60s': expected 12 hexadecimal digits",
				     serials->list[i].text);
	if (count > 1 || serials->given) /* a rig's own has the number that it has */
		s->needs |= RIG_BOARDS;
	if (object_given(board, "profile") && strcmp(object_text(board, "profile", ""), "f407"))
		s->needs |= RIG_PROFILES;
	if (object_given(board, "erase-times"))
		s->needs |= RIG_DURATIONS;
	if (object_number(board, "application", 0) == RIG_FLASHED)
		check_firmware(l, board);
	if (object_number(board, "boot1", 0))
		s->needs |= RIG_BOOT1;
	if (!object_flag(board, "powered", true))
		s->needs |= RIG_POWER;
	if (!object_flag(board, "plugged", true))
		s->needs |= RIG_CABLE;
	if (object_number(board, "boot0", 0))
		s->needs |= RIG_PINS;
}

/* "start/dfuerror" of any/scenarios/start/dfuerror.yaml: what follows the last folder `scenarios`, else the last folder and the
 * file. */
static char *make_id(const char *path)
{
	const char *begin = path, *slash, *last = NULL, *before = path;
	size_t length;

	for (const char *s = path; (slash = strchr(s, '/')); s = slash + 1) {
		if ((size_t)(slash - s) == strlen("scenarios") && !strncmp(s, "scenarios", (size_t)(slash - s)))
			last = slash + 1;
		before = begin;
		begin = slash + 1;
	}
	if (last)
		begin = last;
	else if (before != begin && strncmp(before, "./", 2) && strncmp(before, "../", 3) && *before != '/')
		begin = before;
	length = strlen(begin);
	if (length > 5 && !strcmp(begin + length - 5, ".yaml"))
		length -= 5;
	return strndup(begin, length);
}

struct scenario *scenario_read(struct yaml *yaml, struct problems *problems)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct loading l = { .scenario = s, .problems = problems };
	size_t before = problems_count(problems);
	bool fine = false;

	if (!yaml || !s) {
		yaml_close(yaml);
		free(s);
		return NULL;
	}
	yaml_lend_lines(yaml, problems);
	s->yaml = yaml;
	s->path = strdup(yaml_path(yaml));
	s->id = s->path ? make_id(s->path) : NULL;
	s->top = s->id ? yaml_object(yaml, yaml_root(yaml), scenario_fields, "the scenario", NULL, problems) : NULL;
	if (s->top) {
		s->name = object_text(s->top, "name", NULL);
		s->why = object_text(s->top, "why", NULL);
		fine = read_expected_failures(s);
		check_texts(&l);
		check_needs(&l);
		check_board(&l);
		scenario_check_made(&l);
		fine = fine && scenario_read_steps(&l);
	}
	for (size_t i = 0; i < s->step_count; i++)
		s->needs |= s->steps[i].needs;
	if (!fine)
		problems_add(problems, (struct mark){ .file = yaml_path(yaml) }, NULL, "%s", strerror(ENOMEM));
	problems_lines(problems, NULL, NULL);
	free(l.outputs);
	if (problems_count(problems) == before)
		return s;
	scenario_free(s);
	return NULL;
}

struct scenario *scenario_load(const char *path, struct problems *problems)
{
	return scenario_read(yaml_open(path, problems), problems);
}

struct scenario *scenario_parse(const char *name, const char *text, size_t length, struct problems *problems)
{
	return scenario_read(yaml_parse(name, text, length, problems), problems);
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->step_count; i++) {
		object_free(s->steps[i].arguments);
		object_free(s->steps[i].expect);
	}
	free(s->steps);
	free(s->expected_failures);
	object_free(s->top);
	free((char *)s->id);
	free(s->path);
	yaml_close(s->yaml);
	free(s);
}

bool scenario_has_tag(const struct scenario *s, const char *tag)
{
	const struct value *v = object_value(s->top, "tags");

	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->list[i].text, tag))
			return true;
	return false;
}
