// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: operations of the tool under test, and command lines as they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verbs.h"

static const char *const signals[] = { "INT", "TERM", "KILL", NULL };

static const struct field interrupt_fields[] = {
	{ .name = "after", .type = FIELD_DURATION, .help = "so long after its start, on the board's clock" },
	{ .name = "requests", .type = FIELD_NUMBER, .help = "once so many DFU requests have been answered" },
	{ .name = "signal", .type = FIELD_CHOICE, .choices = signals, .help = "INT (without it), TERM or KILL" },
	{ .type = FIELD_END },
};

#define FIELD_SERIAL \
	{ \
		.name = "serial", .type = FIELD_TEXT, .help = "serial number of the board that the tool is to take" \
	}
#define FIELD_USB \
	{ \
		.name = "usb", .type = FIELD_USB_ID, \
		.help = "ID of the device that the tool is to take; the bootloader's without it" \
	}
#define FIELD_ALT \
	{ \
		.name = "alt", .type = FIELD_NUMBER, .help = "alternate setting; the tool's own without it" \
	}
#define FIELD_INTERRUPT \
	{ \
		.name = "interrupt", .type = FIELD_OBJECT, .fields = interrupt_fields, \
		.help = "send it a signal in the middle" \
	}

#define FIELDS_OF_ALL \
	FIELD_SERIAL, FIELD_USB, FIELD_INTERRUPT, \
	{ \
		.type = FIELD_END \
	}

const struct field list_fields[] = {
	FIELDS_OF_ALL,
};
const struct field download_fields[] = {
	{ .name = "file", .type = FIELD_FILE, .required = true, .help = "what is written" },
	{ .name = "address", .type = FIELD_ADDRESS, .help = "where a raw file goes" },
	FIELD_ALT,
	{ .name = "leave", .type = FIELD_BOOL, .help = "start the application afterwards" },
	{ .name = "force", .type = FIELD_BOOL, .help = "whatever the tool calls so" },
	{ .name = "mass-erase-first", .type = FIELD_BOOL, .help = "erase all of the flash before" },
	{ .name = "no-erase", .type = FIELD_BOOL, .help = "do not erase before writing" },
	{ .name = "verify", .type = FIELD_BOOL, .help = "read back and compare" },
	FIELDS_OF_ALL,
};
const struct field upload_fields[] = {
	{ .name = "output", .type = FIELD_OUTPUT, .required = true, .help = "name of the file that it writes" },
	{ .name = "address", .type = FIELD_ADDRESS, .help = "from where" },
	{ .name = "length", .type = FIELD_SIZE, .help = "how much" },
	FIELD_ALT,
	FIELDS_OF_ALL,
};
const struct field erase_fields[] = {
	{ .name = "address", .type = FIELD_ADDRESS, .required = true, .help = "from where" },
	{ .name = "length", .type = FIELD_SIZE, .help = "how much; one sector without it" },
	FIELD_ALT,
	FIELDS_OF_ALL,
};
const struct field mass_erase_fields[] = {
	{ .name = "force", .type = FIELD_BOOL, .help = "whatever the tool calls so" },
	FIELD_ALT,
	FIELDS_OF_ALL,
};
const struct field leave_fields[] = {
	{ .name = "address", .type = FIELD_ADDRESS, .help = "what is started; the tool's own choice without it" },
	FIELD_ALT,
	FIELDS_OF_ALL,
};
const struct field set_option_bytes_fields[] = {
	{ .name = "bytes",
	  .type = FIELD_BYTES,
	  .required = true,
	  .help = "all of them, as they are mapped: 16 on an F4" },
	FIELDS_OF_ALL,
};
const struct field run_fields[] = {
	{ .name = "words",
	  .type = FIELD_TEXT,
	  .many = true,
	  .required = true,
	  .help = "program and arguments; ${tool} is the tool's command, ${file:NAME} the path of a file" },
	FIELD_INTERRUPT,
	{ .type = FIELD_END },
};

static bool has_field(const struct object *o, const char *name)
{
	for (const struct field *f = o->fields; f->type != FIELD_END; f++)
		if (!strcmp(f->name, name))
			return object_given(o, name);
	return false;
}

static bool flag(const struct object *o, const char *name)
{
	return has_field(o, name) && object_flag(o, name, false);
}

/* What the step says, as far as it is known before anything runs: text is for the bytes and IDs that need some. */
struct call_text {
	char usb[16], bytes[2 * OPTION_MAX_BYTES + 1];
};

static struct tool_call call_of(const struct step *step, struct call_text *text)
{
	const struct object *o = step->arguments;
	struct tool_call call = { .operation = (enum operation)step->verb->operation };

	if (has_field(o, "file"))
		call.file = object_text(o, "file", NULL);
	if (has_field(o, "output"))
		call.output = object_text(o, "output", NULL);
	if (has_field(o, "serial"))
		call.serial = object_text(o, "serial", NULL);
	call.has_address = has_field(o, "address");
	if (call.has_address)
		call.address = (uint32_t)object_number(o, "address", 0);
	call.has_length = has_field(o, "length");
	if (call.has_length)
		call.length = object_number(o, "length", 0);
	call.has_alt = has_field(o, "alt");
	if (call.has_alt)
		call.alt = (unsigned)object_number(o, "alt", 0);
	if (has_field(o, "usb")) {
		uint32_t id = (uint32_t)object_number(o, "usb", 0);

		snprintf(text->usb, sizeof(text->usb), "%04x:%04x", id >> 16, id & 0xffff);
		call.usb = text->usb;
	}
	if (has_field(o, "bytes")) {
		const struct value *v = object_value(o, "bytes");

		for (size_t i = 0; i < v->length && i < OPTION_MAX_BYTES; i++)
			snprintf(text->bytes + 2 * i, 3, "%02x", v->bytes[i]);
		call.bytes = text->bytes;
	}
	call.leave = flag(o, "leave");
	call.stay = has_field(o, "leave") && !call.leave;
	call.force = flag(o, "force");
	call.no_erase = flag(o, "no-erase");
	call.mass_erase_first = flag(o, "mass-erase-first");
	call.verify = flag(o, "verify");
	return call;
}

/* A DfuSe file is refused by some tools, a raw one by others. */
static const char *lacks_format(const struct step *step, const struct scenario *s, const struct tool *tool,
				const struct tool_call *call, char why[VERB_WHY])
{
	bool dfuse = files_will_be_dfuse(object_value(s->top, "files"), call->file, step->mark.file);

	if (tool->format == TOOL_TAKES_RAW && dfuse)
		snprintf(why, VERB_WHY, "%s takes raw files alone, and '%s' is a DfuSe file", tool->name, call->file);
	else if (tool->format == TOOL_TAKES_DFUSE && !dfuse && !call->has_address)
		snprintf(why, VERB_WHY, "%s takes DfuSe files alone, and without an address '%s' cannot be made one",
			 tool->name, call->file);
	else
		return NULL;
	return why;
}

const char *verb_tool_lacks(const struct step *step, const struct scenario *s, const struct tool *tool,
			    char why[VERB_WHY])
{
	struct call_text text = { 0 };
	struct tool_call call;
	const char *missing;

	if (step->verb->operation < 0)
		return NULL;
	call = call_of(step, &text);
	missing = tool_lacks(tool, &call);
	if (missing) {
		snprintf(why, VERB_WHY, "%s", missing);
		return why;
	}
	return call.file ? lacks_format(step, s, tool, &call, why) : NULL;
}

void check_operation(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const ways[] = { "after", "requests", NULL };
	const struct object *interrupt = object_value(step->arguments, "interrupt")->object;

	(void)s;
	if (interrupt && given_of(interrupt, ways) != 1)
		STEP_WRONG(step, problems, "'interrupt' needs one of after and requests");
	if (interrupt && object_given(interrupt, "requests"))
		*needs |= RIG_TRANSCRIPT;
}

static bool set_file(struct play *play, const struct step *step, struct play_job *job)
{
	const struct tool *tool = play->options->tool;
	const struct file *file = play_file(play, object_value(step->arguments, "file"));
	char why[FILES_WHY];

	if (!file || !play_may_have(play, step, file, job->call.has_address ? &job->call.address : NULL))
		return false;
	job->file = file;
	job->has_address = job->call.has_address;
	job->address = job->call.address;
	if (tool->format == TOOL_TAKES_DFUSE && !file_is_dfuse(file)) {
		if (!job->call.has_address) {
			play_error(play, "%s takes DfuSe files alone: the step needs an address to make one of '%s'",
				   tool->name, file->name);
			return false;
		}
		file = files_wrapped(play->state->files, file, job->call.address,
				     (uint8_t)(job->call.has_alt ? job->call.alt : 0), why);
		if (!file) {
			play_error(play, "%s", why);
			return false;
		}
		/* The address is in the file now. */
		job->call.has_address = false;
	}
	job->call.file = play_short_path(play, file->path);
	return true;
}

/* With several boards a step that names one means its serial number. */
static void set_serial(struct play *play, const struct step *step, struct tool_call *call)
{
	struct rig_status status;
	struct tool_call told = *call;

	if (!call->serial && play->rig->ops->crowded(play->rig) &&
	    !play->rig->ops->status(play->rig, play_board(step), &status)) {
		told.serial = status.serial;
		if (!tool_lacks(play->options->tool, &told))
			*call = told;
		return;
	}
	if (call->serial || !step->board || !play->rig->ops->profile(play->rig, 2) ||
	    !(play->rig->ops->can & RIG_STATE) || play->rig->ops->status(play->rig, step->board, &status))
		return;
	call->serial = status.serial;
}

/* Without a word on it: the bootloader of the board. */
static void set_usb(struct play *play, const struct step *step, struct tool_call *call, struct call_text *text)
{
	const uint8_t *d = play->rig->ops->profile(play->rig, play_board(step))->device_descriptor;

	if (call->usb)
		return;
	snprintf(text->usb, sizeof(text->usb), "%02x%02x:%02x%02x", d[9], d[8], d[11], d[10]);
	call->usb = text->usb;
}

enum play_outcome run_operation(struct play *play, const struct step *step)
{
	struct call_text text = { 0 };
	struct play_job job = { .call = call_of(step, &text), .arguments = step->arguments };
	const struct file *file;
	const char *missing;
	char why[FILES_WHY];

	set_serial(play, step, &job.call);
	set_usb(play, step, &job.call, &text);
	if (job.call.file && !set_file(play, step, &job))
		return PLAY_ERROR;
	if (job.call.output) {
		job.call.output = files_output(play->state->files, job.call.output, why);
		if (!job.call.output)
			return play_error(play, "%s", why);
		job.call.output = play_short_path(play, job.call.output);
	}
	/* Some tools take them as a file, some as digits. */
	if (step->verb->operation == OPERATION_SET_OPTION_BYTES) {
		const struct value *bytes = object_value(step->arguments, "bytes");
		char name[40];

		snprintf(name, sizeof(name), "option-bytes-%zu", play->state->step_index + 1);
		file = files_bytes(play->state->files, name, bytes->bytes, bytes->length, why);
		if (!file)
			return play_error(play, "%s", why);
		job.call.file = play_short_path(play, file->path);
	}
	missing = tool_lacks(play->options->tool, &job.call);
	if (missing)
		return play_error(play, "%s", missing);
	return play_tool(play, step, &job);
}

/* --- command lines --- */

/* One word with its ${file:NAME}s replaced; NULL after play_error(). */
static char *expand(struct play *play, const struct step *step, const struct value *v)
{
	char *text = NULL, name[256], why[FILES_WHY];
	const char *at = v->text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	while (out && *at) {
		size_t end = strcspn(at, "}");
		const struct file *file;

		if (strncmp(at, "${file:", 7) || !at[end] || end - 7 >= sizeof(name)) {
			fputc(*at++, out);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(end - 7), at + 7);
		file = files_get(play->state->files, name, v->mark.file, why);
		if (!file)
			play_error(play, "%s", why);
		if (!file || !play_may_have(play, step, file, NULL)) {
			fclose(out);
			free(text);
			return NULL;
		}
		fputs(play_short_path(play, file->path), out);
		at += end + 1;
	}
	if (!out || fclose(out)) {
		free(text);
		play_error(play, "%s", strerror(ENOMEM));
		return NULL;
	}
	return text;
}

static bool add(char ***words, size_t *count, char *word)
{
	char **more = realloc(*words, (*count + 2) * sizeof(*more));

	if (!more || !word) {
		if (more)
			*words = more;
		free(word);
		return false;
	}
	*words = more;
	more[(*count)++] = word;
	more[*count] = NULL;
	return true;
}

enum play_outcome run_words(struct play *play, const struct step *step)
{
	const struct value *list = object_value(step->arguments, "words");
	char **words = calloc(1, sizeof(*words)),
	     **command = tool_command(play->options->tool, play->options->tool_path);
	struct play_job job = { .raw = true, .arguments = step->arguments };
	bool good = words && command;
	enum play_outcome r;
	size_t count = 0;

	for (size_t i = 0; good && i < list->count; i++) {
		if (strcmp(list->list[i].text, "${tool}")) {
			good = add(&words, &count, expand(play, step, &list->list[i]));
			continue;
		}
		for (size_t j = 0; good && command[j]; j++)
			good = add(&words, &count, strdup(command[j]));
	}
	job.words = words;
	r = good ? play_tool(play, step, &job) : play_error(play, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < count; i++)
		free(words[i]);
	free(words);
	if (command)
		tool_words_free(command);
	return r;
}
