// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: verdicts on option bytes and state of a board, and on files that a tool wrote. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "protection.h"
#include "verbs.h"

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
#define MODE_LOCKUP 3
static const char *const causes[] = { [RESET_POWER_ON] = "power-on",
				      [RESET_PIN] = "pin",
				      [RESET_OPTION_BYTES] = "option-bytes",
				      [RESET_UNPROTECT] = "unprotect",
				      [RESET_NOT_EXECUTABLE] = "not-executable",
				      [RESET_SOFTWARE] = "software",
				      [RESET_WATCHDOG] = "watchdog",
				      [RESET_WINDOW_WATCHDOG] = "window-watchdog",
				      [RESET_LOW_POWER] = "low-power",
				      [RESET_STANDBY] = "standby",
				      NULL };

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
	if (object_given(step->arguments, "unchanged"))
		check_since(step, s, problems);
}

static enum play_outcome compare_options(struct play *play, const uint8_t *want, const uint8_t *got, size_t length,
					 const char *what)
{
	char expected[64], found[64];
	size_t first = 0;

	while (first < length && want[first] == got[first])
		first++;
	if (first == length)
		return PLAY_OK;
	first -= first % 16;
	verb_bytes(want + first, length - first, expected);
	verb_bytes(got + first, length - first, found);
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
		differs |= set[i] != verb_lists(wanted, i);
	}
	if (!differs)
		return PLAY_OK;
	verb_sectors(want, sizeof(want), wanted, NULL, 0);
	verb_sectors(got, sizeof(got), NULL, set, count);
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
		return play_error(play, "option bytes cannot be read: %s", play_reason(play, -EIO));
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

	(void)s;
	if (object_given(step->arguments, "reset-cause") ||
	    (object_given(step->arguments, "mode") && object_number(step->arguments, "mode", 0) == MODE_LOCKUP))
		*needs |= RIG_INSIDE;
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
		return MODE_LOCKUP;
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
