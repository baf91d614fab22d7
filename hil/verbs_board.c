// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: verdicts on flash, option bytes and state of a board, and on files that a tool wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "protection.h"
#include "verbs.h"

#define FIELD_SINCE \
	{ \
		.name = "since", .type = FIELD_TEXT, .help = "name of the snapshot; before-tool without it" \
	}

static const char *const states[] = {
	"dfuIDLE",     "dfuDNLOAD-SYNC",         "dfuDNBUSY",      "dfuDNLOAD-IDLE", "dfuMANIFEST-SYNC",
	"dfuMANIFEST", "dfuMANIFEST-WAIT-RESET", "dfuUPLOAD-IDLE", "dfuERROR",       NULL
};
static const char *const statuses[] = { "OK",         "errTARGET",       "errFILE",     "errWRITE",
					"errERASE",   "errCHECK_ERASED", "errPROG",     "errVERIFY",
					"errADDRESS", "errNOTDONE",      "errFIRMWARE", "errVENDOR",
					"errUSBR",    "errPOR",          "errUNKNOWN",  "errSTALLEDPKT",
					NULL };
static const char *const modes[] = { "rom", "application", "off", "lockup", NULL };
static const char *const causes[] = { [RESET_POWER_ON] = "power-on",
				      [RESET_PIN] = "pin",
				      [RESET_OPTION_BYTES] = "option-bytes",
				      [RESET_UNPROTECT] = "unprotect",
				      [RESET_NOT_EXECUTABLE] = "not-executable",
				      [RESET_SOFTWARE] = "software",
				      NULL };

const struct field flash_fields[] = {
	{ .name = "address", .type = FIELD_ADDRESS, .help = "from where; the start of flash without it" },
	{ .name = "length",
	  .type = FIELD_SIZE,
	  .help = "how much; the whole file, or to the end of flash, without it" },
	{ .name = "equals", .type = FIELD_FILE, .help = "it holds this file, or the first `length` bytes of it" },
	{ .name = "erased", .type = FIELD_BOOL, .help = "all of it is erased" },
	{ .name = "fill", .type = FIELD_NUMBER, .help = "all of it is this byte" },
	{ .name = "unchanged", .type = FIELD_BOOL, .help = "it is as in the snapshot" },
	FIELD_SINCE,
	{ .type = FIELD_END },
};
const struct field sectors_fields[] = {
	{ .name = "erased", .type = FIELD_NUMBER, .many = true, .help = "these were erased, and no others" },
	{ .name = "untouched", .type = FIELD_NUMBER, .many = true, .help = "these were neither erased nor written" },
	FIELD_SINCE,
	{ .type = FIELD_END },
};
const struct field options_fields[] = {
	{ .name = "rdp", .type = FIELD_NUMBER, .help = "level of the read protection, as loaded" },
	{ .name = "write-protect",
	  .type = FIELD_NUMBER,
	  .many = true,
	  .help = "these sectors are protected, and no others" },
	{ .name = "bytes", .type = FIELD_BYTES, .help = "all of them, as they are mapped: 16 on an F4" },
	{ .name = "unchanged", .type = FIELD_BOOL, .help = "they are as in the snapshot" },
	FIELD_SINCE,
	{ .type = FIELD_END },
};
const struct field state_fields[] = {
	{ .name = "dfu", .type = FIELD_CHOICE, .choices = states, .help = "state of the bootloader" },
	{ .name = "status", .type = FIELD_CHOICE, .choices = statuses, .help = "its status" },
	{ .name = "mode",
	  .type = FIELD_CHOICE,
	  .choices = modes,
	  .help = "what runs: rom, application, off or lockup" },
	{ .name = "reset-cause", .type = FIELD_CHOICE, .choices = causes, .help = "why it was reset the last time" },
	{ .type = FIELD_END },
};
const struct field file_verb_fields[] = {
	{ .name = "file", .type = FIELD_FILE, .required = true, .help = "the file, as a rule the output of a tool" },
	{ .name = "equals", .type = FIELD_FILE, .help = "it has the contents of this one" },
	{ .name = "size", .type = FIELD_SIZE, .help = "it has so many bytes" },
	{ .type = FIELD_END },
};

/* --- flash --- */

static const char *const flash_verdicts[] = { "equals", "erased", "fill", "unchanged", NULL };

void check_flash(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const flags[] = { "erased", "unchanged", NULL };

	(void)needs;
	if (given_of(step->arguments, flash_verdicts) != 1)
		STEP_WRONG(step, problems, "step 'flash' needs one of equals, erased, fill and unchanged");
	for (unsigned i = 0; flags[i]; i++)
		if (object_given(step->arguments, flags[i]) && !object_flag(step->arguments, flags[i], true))
			STEP_WRONG(step, problems, "'%s' of 'flash' can only be true", flags[i]);
	if (object_number(step->arguments, "fill", 0) > 0xff)
		STEP_WRONG(step, problems, "'fill' of 'flash': 0x%llx is no byte",
			   (unsigned long long)object_number(step->arguments, "fill", 0));
	if (object_given(step->arguments, "since") && !object_given(step->arguments, "unchanged"))
		STEP_WRONG(step, problems, "'since' of 'flash' goes with 'unchanged'");
	check_since(step, s, problems);
}

/* What the range is to hold: bytes, or one of them everywhere. */
struct range {
	uint32_t address;
	size_t length;
	const uint8_t *bytes; /* NULL: fill */
	uint8_t fill;
	const char *what; /* "image", "as in before-tool" */
};

static uint8_t wanted_at(const struct range *r, size_t i)
{
	return r->bytes ? r->bytes[i] : r->fill;
}

static int sector_of(const struct mcu_profile *profile, uint32_t address)
{
	uint32_t at = profile->flash_base;
	int number = 0;

	for (const struct flash_sectors *s = profile->sectors; s->count; s++)
		for (uint32_t i = 0; i < s->count; i++, number++, at += s->size_bytes)
			if (address >= at && address - at < s->size_bytes)
				return number;
	return -1;
}

/* Sixteen bytes from an offset on. */
static const char *bytes_text(const struct range *r, const uint8_t *got, size_t from, char out[64])
{
	size_t used = 0;

	for (size_t i = from; i < r->length && i < from + 16; i++)
		used += (size_t)snprintf(out + used, 64 - used, "%s%02x", i > from ? " " : "",
					 got ? got[i] : wanted_at(r, i));
	return out;
}

static enum play_outcome compare(struct play *play, unsigned board, const struct range *r)
{
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	size_t first = SIZE_MAX, last = 0, count = 0;
	uint8_t *got = malloc(r->length + 1);
	enum play_outcome outcome = PLAY_OK;
	char expected[64], found[64];

	if (!got || play->rig->ops->flash_read(play->rig, board, r->address, got, r->length)) {
		free(got);
		return play_error(play, "flash at 0x%08x, %zu bytes, cannot be read", r->address, r->length);
	}
	for (size_t i = 0; i < r->length; i++)
		if (got[i] != wanted_at(r, i)) {
			first = count++ ? first : i;
			last = i;
		}
	if (count) {
		uint32_t at = r->address + (uint32_t)first;

		outcome = play_fail(
			play, bytes_text(r, NULL, first, expected), bytes_text(r, got, first, found),
			"flash at 0x%08x (sector %d): expected %02x (%s), got %02x; %zu of %zu bytes differ, "
			"the last at 0x%08x",
			at, sector_of(profile, at), wanted_at(r, first), r->what, got[first], count, r->length,
			r->address + (uint32_t)last);
	}
	free(got);
	return outcome;
}

/* What equals says, with the address and length of the step. */
static enum play_outcome range_of_file(struct play *play, const struct object *o, struct range *r)
{
	const struct file *file = play_file(play, object_value(o, "equals"));

	if (!file)
		return PLAY_ERROR;
	r->length = (size_t)object_number(o, "length", file_payload(file));
	if (r->length > file->length)
		return play_error(play, "'%s' has %zu bytes, the step compares %zu", file->name, file->length,
				  r->length);
	r->bytes = file->data;
	r->what = file->name;
	return PLAY_OK;
}

/* A DfuSe file says itself where its parts go. */
static enum play_outcome compare_dfuse(struct play *play, unsigned board, const struct file *file)
{
	struct dfuse_element e;
	enum play_outcome outcome = PLAY_OK;
	size_t i;

	for (i = 0; file_element(file, i, &e) && !outcome; i++) {
		struct range r = { .address = e.address, .length = e.length, .bytes = e.data, .what = file->name };

		outcome = compare(play, board, &r);
	}
	return i || outcome ? outcome : play_error(play, "'%s' has no element to compare", file->name);
}

enum play_outcome run_flash(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	unsigned board = play_board(step);
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	uint64_t end = (uint64_t)profile->flash_base + profile->flash_size_bytes;
	struct range r = { .address = (uint32_t)object_number(o, "address", profile->flash_base),
			   .fill = (uint8_t)object_number(o, "fill", 0xff),
			   .what = object_given(o, "fill") ? "filled" : "erased" };
	enum play_outcome outcome = play_settle(play, board);
	char what[100];

	if (outcome)
		return outcome;
	r.length = (size_t)object_number(o, "length", end > r.address ? end - r.address : 0);
	if (object_given(o, "equals")) {
		const struct file *file = play_file(play, object_value(o, "equals"));

		if (file && file_is_dfuse(file) && !object_given(o, "address"))
			return compare_dfuse(play, board, file);
		outcome = range_of_file(play, o, &r);
		if (outcome)
			return outcome;
	}
	if (r.address < profile->flash_base || r.address + (uint64_t)r.length > end)
		return play_error(play, "0x%08x, %zu bytes, is not within the flash of board %u, 0x%08x to 0x%08llx",
				  r.address, r.length, board, profile->flash_base, (unsigned long long)(end - 1));
	if (object_given(o, "unchanged")) {
		const struct snapshot *s = since(play, o, SNAPSHOT_BEFORE_TOOL);

		if (!s)
			return PLAY_ERROR;
		r.bytes = s->board[board - 1].flash + (r.address - profile->flash_base);
		snprintf(what, sizeof(what), "as in '%.60s'", s->name);
		r.what = what;
	}
	return compare(play, board, &r);
}

/* --- sectors --- */

void check_sectors(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "erased", "untouched", NULL };

	(void)needs;
	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'sectors' needs erased or untouched");
	check_since(step, s, problems);
}

#define SECTORS_MOST 4096u

struct sector_look {
	unsigned count;
	bool erased[SECTORS_MOST], written[SECTORS_MOST];
};

static void look_at_event(struct sector_look *look, const struct mcu_profile *profile, const struct mcu_event *e)
{
	uint64_t from = profile->flash_base, to, end = (uint64_t)e->address + e->length;
	unsigned n = 0;

	for (const struct flash_sectors *s = profile->sectors; s->count; s++)
		for (uint32_t i = 0; i < s->count && n < SECTORS_MOST; i++, n++, from = to) {
			to = from + s->size_bytes;
			if (e->address >= to || end <= from)
				continue;
			look->erased[n] |= e->type == MCU_EVENT_ERASED;
			/* A cut operation has left its mark, whichever it was. */
			look->written[n] |= e->type == MCU_EVENT_PROGRAMMED || e->type == MCU_EVENT_CUT;
		}
	look->count = n;
}

static bool listed(const struct value *list, uint64_t number)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->list[i].number == number)
			return true;
	return false;
}

static void put_list(char *out, size_t size, const struct value *list, const bool *set, unsigned count)
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

static enum play_outcome judge_sectors(struct play *play, const struct object *o, const struct sector_look *look)
{
	const struct value *erased = object_value(o, "erased"), *untouched = object_value(o, "untouched");
	char want[256], got[256];
	bool differs = false;

	for (unsigned i = 0; erased->given && i < look->count; i++)
		differs |= look->erased[i] != listed(erased, i);
	for (size_t i = 0; i < erased->count; i++)
		differs |= erased->list[i].number >= look->count;
	if (differs) {
		put_list(want, sizeof(want), erased, NULL, 0);
		put_list(got, sizeof(got), NULL, look->erased, look->count);
		return play_fail(play, want, got, "sectors erased: expected %s, got %s", want, got);
	}
	for (size_t i = 0; i < untouched->count; i++) {
		uint64_t n = untouched->list[i].number;

		if (n >= look->count)
			return play_error(play, "there is no sector %llu: the last is %u", (unsigned long long)n,
					  look->count - 1);
		if (look->erased[n] || look->written[n])
			return play_fail(play, "untouched", look->erased[n] ? "erased" : "written",
					 "sector %llu was %s, expected it to be left alone", (unsigned long long)n,
					 look->erased[n] ? "erased" : "written");
	}
	return PLAY_OK;
}

enum play_outcome run_sectors(struct play *play, const struct step *step)
{
	unsigned board = play_board(step);
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	struct sector_look *look = calloc(1, sizeof(*look));
	const struct snapshot *s = since(play, step->arguments, SNAPSHOT_BEFORE_TOOL);
	enum play_outcome outcome = look && s ? play_settle(play, board) : play_error(play, "out of memory");
	const struct rig_event *events;
	size_t count = 0;

	if (outcome) {
		free(look);
		return outcome;
	}
	/* Without any event: how many there are. */
	look_at_event(look, profile, &(struct mcu_event){ .type = MCU_EVENT_STATE });
	events = play->rig->ops->events(play->rig, &count);
	for (size_t i = s->events; i < count; i++)
		if (events[i].board == board)
			look_at_event(look, profile, &events[i].event);
	outcome = judge_sectors(play, step->arguments, look);
	free(look);
	return outcome;
}

/* --- option bytes --- */

void check_options(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "rdp", "write-protect", "bytes", "unchanged", NULL };

	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'options' needs rdp, write-protect, bytes or unchanged");
	if (object_given(step->arguments, "rdp")) {
		*needs |= RIG_STATE;
		if (object_number(step->arguments, "rdp", 0) > 2)
			STEP_WRONG(step, problems, "'rdp' of 'options': levels are 0, 1 and 2");
	}
	check_since(step, s, problems);
}

static enum play_outcome compare_options(struct play *play, const uint8_t *want, const uint8_t *got, size_t length,
					 const char *what)
{
	struct range range = { .length = length, .bytes = want };
	char expected[64], found[64];
	size_t first = 0;

	while (first < length && want[first] == got[first])
		first++;
	if (first == length)
		return PLAY_OK;
	first -= first % 16;
	bytes_text(&range, NULL, first, expected);
	bytes_text(&range, got, first, found);
	return play_fail(play, expected, found, "option bytes%s, from byte %zu on: expected %s, got %s", what, first,
			 expected, found);
}

static enum play_outcome check_protected(struct play *play, const struct mcu_profile *profile,
					 const struct value *wanted, const uint8_t *bytes)
{
	unsigned count = protection_sector_count(profile);
	bool set[PROTECTION_SECTORS] = { false }, differs = false;
	char want[256], got[256];

	for (unsigned i = 0; i < count && i < PROTECTION_SECTORS; i++) {
		set[i] = protection_covers(profile, bytes, i);
		differs |= set[i] != listed(wanted, i);
	}
	if (!differs)
		return PLAY_OK;
	put_list(want, sizeof(want), wanted, NULL, 0);
	put_list(got, sizeof(got), NULL, set, count);
	return play_fail(play, want, got, "sectors that are write protected: expected %s, got %s", want, got);
}

enum play_outcome run_options(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	unsigned board = play_board(step);
	enum play_outcome outcome = play_settle(play, board);
	struct rig_status status;
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	const struct value *raw = object_value(o, "bytes");
	size_t length = option_bytes_size(profile);
	uint8_t bytes[OPTION_MAX_BYTES];

	if (outcome)
		return outcome;
	if (play->rig->ops->options_read(play->rig, board, bytes))
		return play_error(play, "option bytes cannot be read");
	if (object_given(o, "rdp")) {
		char want[24], got[24];

		if (play->rig->ops->status(play->rig, board, &status))
			return play_error(play, "the state cannot be read");
		snprintf(want, sizeof(want), "level %llu", (unsigned long long)object_number(o, "rdp", 0));
		snprintf(got, sizeof(got), "level %d", (int)status.rdp);
		if ((uint64_t)status.rdp != object_number(o, "rdp", 0))
			return play_fail(play, want, got, "read protection: expected %s, got %s", want, got);
	}
	if (object_given(o, "write-protect"))
		outcome = check_protected(play, profile, object_value(o, "write-protect"), bytes);
	if (!outcome && raw->given && raw->length != length)
		return play_error(play, "%s has %zu option bytes, not %zu", profile->name, length, raw->length);
	if (!outcome && raw->given)
		outcome = compare_options(play, raw->bytes, bytes, length, "");
	if (!outcome && object_flag(o, "unchanged", false)) {
		const struct snapshot *s = since(play, o, SNAPSHOT_BEFORE_TOOL);

		outcome = s ? compare_options(play, s->board[board - 1].options, bytes, length, ", which were to stay")
			    : PLAY_ERROR;
	}
	return outcome;
}

/* --- state --- */

void check_state(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "dfu", "status", "mode", "reset-cause", NULL };

	(void)s, (void)needs;
	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'state' needs dfu, status, mode or reset-cause");
}

static int mode_index(enum mcu_mode mode)
{
	switch (mode) {
	case MCU_ROM_STARTING:
	case MCU_ROM:
	case MCU_ROM_OTHER:
		return 0;
	case MCU_APPLICATION:
		return 1;
	case MCU_OFF:
		return 2;
	case MCU_LOCKUP:
		return 3;
	default:
		return -1;
	}
}

static enum play_outcome differs(struct play *play, const char *what, const char *want, const char *got)
{
	return play_fail(play, want, got, "%s: expected %s, got %s", what, want, got);
}

enum play_outcome run_state(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	struct rig_status s;

	if (play->rig->ops->status(play->rig, play_board(step), &s))
		return play_error(play, "the state of board %u cannot be read", play_board(step));
	if (object_given(o, "mode") && mode_index(s.mode) != (int)object_number(o, "mode", 0))
		return differs(play, "mode", modes[object_number(o, "mode", 0)], mcu_mode_name(s.mode));
	if ((object_given(o, "dfu") || object_given(o, "status")) && s.mode != MCU_ROM)
		return differs(play, "mode", "the bootloader on USB, which alone has a DFU state",
			       mcu_mode_name(s.mode));
	if (object_given(o, "dfu") && (uint64_t)s.state != object_number(o, "dfu", 0) + DFU_IDLE)
		return differs(play, "DFU state", states[object_number(o, "dfu", 0)], dfu_state_name((uint8_t)s.state));
	if (object_given(o, "status") && (uint64_t)s.status != object_number(o, "status", 0))
		return differs(play, "DFU status", statuses[object_number(o, "status", 0)],
			       dfu_status_name((uint8_t)s.status));
	if (object_given(o, "reset-cause") && (uint64_t)s.cause != object_number(o, "reset-cause", 0))
		return differs(play, "cause of the last reset", causes[object_number(o, "reset-cause", 0)],
			       reset_cause_name(s.cause));
	return PLAY_OK;
}

/* --- files --- */

void check_file(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	static const char *const verdicts[] = { "equals", "size", NULL };

	(void)s, (void)needs;
	if (!given_of(step->arguments, verdicts))
		STEP_WRONG(step, problems, "step 'file' needs equals or size");
}

/* What a tool was to write and has not is its failure, not ours. */
static const struct file *written(struct play *play, const struct value *v)
{
	char why[FILES_WHY];
	const struct file *file = files_get(play->state->files, v->text, v->mark.file, why);

	if (!file)
		play_fail(play, NULL, NULL, "%s", why);
	return file;
}

enum play_outcome run_file(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	const struct file *file = written(play, object_value(o, "file")), *other;
	size_t first = 0;
	char want[64], got[64];

	if (!file)
		return PLAY_FAILED;
	if (object_given(o, "size") && file->length != object_number(o, "size", 0)) {
		snprintf(want, sizeof(want), "%llu bytes", (unsigned long long)object_number(o, "size", 0));
		snprintf(got, sizeof(got), "%zu bytes", file->length);
		return play_fail(play, want, got, "size of '%s': expected %s, got %s", file->name, want, got);
	}
	if (!object_given(o, "equals"))
		return PLAY_OK;
	other = play_file(play, object_value(o, "equals"));
	if (!other)
		return PLAY_ERROR;
	while (first < file->length && first < other->length && file->data[first] == other->data[first])
		first++;
	if (first == file->length && first == other->length)
		return PLAY_OK;
	if (first == file->length || first == other->length) {
		snprintf(want, sizeof(want), "%zu bytes", other->length);
		snprintf(got, sizeof(got), "%zu bytes", file->length);
		return play_fail(play, want, got,
				 "'%s' has %s, expected the %s of '%s'; the bytes that both have are equal", file->name,
				 got, want, other->name);
	}
	return play_fail(play, NULL, NULL, "'%s' at offset %zu: expected %02x (%s), got %02x", file->name, first,
			 other->data[first], other->name, file->data[first]);
}
