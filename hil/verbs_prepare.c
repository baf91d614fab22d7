// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: how the board is before a tool works on it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fault_rule.h"
#include "protection.h"
#include "verbs.h"

#define FAULT_WITHIN_US 1000000u

static const struct field content_fields[] = {
	{ .name = "address", .type = FIELD_ADDRESS, .help = "where it goes; the start of flash without it" },
	{ .name = "file", .type = FIELD_FILE, .help = "contents of this file" },
	{ .name = "fill", .type = FIELD_NUMBER, .help = "this byte, over `size`" },
	{ .name = "size", .type = FIELD_SIZE, .help = "how much is filled; to the end of flash without it" },
	{ .type = FIELD_END },
};
static const struct field option_fields[] = {
	{ .name = "bytes", .type = FIELD_BYTES, .help = "all of them, as they are mapped: 16 on an F4" },
	{ .name = "rdp", .type = FIELD_NUMBER, .help = "level of the read protection, 0 to 2" },
	{ .name = "write-protect", .type = FIELD_NUMBER, .many = true, .help = "sectors that are write protected" },
	{ .type = FIELD_END },
};
const struct field prepare_fields[] = {
	{ .name = "flash",
	  .type = FIELD_OBJECT,
	  .many = true,
	  .fields = content_fields,
	  .help = "contents of the flash; the rest stays" },
	{ .name = "options",
	  .type = FIELD_OBJECT,
	  .fields = option_fields,
	  .scalar = "bytes",
	  .help = "option bytes, in force at once; those not named stay" },
	{ .name = "erase-times",
	  .type = FIELD_CHOICE,
	  .choices = verb_erase_times,
	  .help = "how long erasing takes by the datasheet: typical, maximum or random" },
	{ .type = FIELD_END },
};
/* From "hard" on in the order of their exception numbers, the first of which is 3. */
static const char *const exceptions[] = { "any", "lockup", "hard", "memory", "bus", "usage", NULL };
#define EXCEPTION_HARD 3

const struct field fault_fields[] = {
	{ .name = "rule", .type = FIELD_FAULT, .help = "a rule as dfuemu(1) has them" },
	{ .name = "clear", .type = FIELD_BOOL, .help = "no rule holds any longer" },
	{ .name = "of-application",
	  .type = FIELD_CHOICE,
	  .choices = exceptions,
	  .help = "the application must have faulted: hard, memory, bus, usage, lockup or any" },
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time until it has; 1s without it" },
	{ .type = FIELD_END },
};
const struct field snapshot_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .required = true, .help = "what `since` calls it" },
	{ .type = FIELD_END },
};

static const char *const contents[] = { "file", "fill", NULL };
static const char *const prepares[] = { "flash", "options", "erase-times", NULL };
static const char *const faults[] = { "rule", "clear", "of-application", NULL };

void check_prepare(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	const struct value *flash = object_value(step->arguments, "flash");
	const struct value *options = object_value(step->arguments, "options");

	(void)s;
	if (flash->given || options->given)
		*needs |= RIG_PREPARE;
	if (object_given(step->arguments, "erase-times"))
		*needs |= RIG_DURATIONS;
	if (!given_of(step->arguments, prepares))
		STEP_WRONG(step, problems, "step 'prepare' needs flash, options or erase-times");
	for (size_t i = 0; i < flash->count; i++) {
		const struct object *o = flash->list[i].object;

		if (!o)
			continue;
		if (given_of(o, contents) != 1)
			STEP_WRONG(step, problems, "'flash' of 'prepare' needs one of file and fill");
		if (object_number(o, "fill", 0) > 0xff)
			STEP_WRONG(step, problems, "'fill' of 'prepare': 0x%llx is no byte",
				   (unsigned long long)object_number(o, "fill", 0));
		if (object_given(o, "size") && !object_given(o, "fill"))
			STEP_WRONG(step, problems, "'size' of 'prepare' goes with 'fill'");
	}
	if (!options->object)
		return;
	if (object_number(options->object, "rdp", 0) > 2)
		STEP_WRONG(step, problems, "'rdp' of 'prepare': levels are 0, 1 and 2");
	if (object_number(options->object, "rdp", 0) == 2)
		*needs |= RIG_IRREVERSIBLE;
}

static enum play_outcome load(struct play *play, unsigned board, const struct object *o)
{
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	uint32_t address = (uint32_t)object_number(o, "address", profile->flash_base);
	uint64_t end = (uint64_t)profile->flash_base + profile->flash_size_bytes, length;
	const uint8_t *data;
	uint8_t *filled = NULL;
	int r;

	if (object_given(o, "file")) {
		const struct file *file = play_file(play, object_value(o, "file"));

		if (!file)
			return PLAY_ERROR;
		data = file->data;
		length = file->length;
	} else {
		length = object_number(o, "size", end > address ? end - address : 0);
		filled = length <= profile->flash_size_bytes ? malloc(length + 1) : NULL;
		if (filled)
			memset(filled, (int)object_number(o, "fill", 0xff), length);
		data = filled;
	}
	if (address < profile->flash_base || address + length > end || !data) {
		free(filled);
		return play_error(play, "%llu bytes at 0x%08x are not within the flash of board %u, 0x%08x to 0x%08llx",
				  (unsigned long long)length, address, board, profile->flash_base,
				  (unsigned long long)(end - 1));
	}
	r = play->rig->ops->flash_load(play->rig, board, address, data, length);
	free(filled);
	return r ? play_error(play, "flash cannot be loaded: %s", play_reason(play, r)) : PLAY_OK;
}

static enum play_outcome load_options(struct play *play, unsigned board, const struct object *o)
{
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	const struct value *list = object_value(o, "write-protect"), *raw = object_value(o, "bytes");
	bool sectors[PROTECTION_SECTORS] = { false };
	uint8_t bytes[OPTION_MAX_BYTES];
	char why[PROTECTION_WHY];
	int r = play->rig->ops->options_read(play->rig, board, bytes);

	if (raw->given && raw->length != option_bytes_size(profile))
		return play_error(play, "%s has %zu option bytes, not %zu", profile->name, option_bytes_size(profile),
				  raw->length);
	if (raw->given)
		memcpy(bytes, raw->bytes, raw->length);
	if (object_given(o, "rdp") && protection_set_level(profile, bytes, (unsigned)object_number(o, "rdp", 0), why))
		return play_error(play, "%s", why);
	for (size_t i = 0; i < list->count; i++) {
		uint64_t sector = list->list[i].number, count = protection_sector_count(profile);

		if (sector >= count)
			return play_error(play, "sector %llu cannot be write protected: the last is %llu",
					  (unsigned long long)sector, (unsigned long long)count - 1);
		sectors[sector] = true;
	}
	if (list->given && protection_set(profile, bytes, sectors, why))
		return play_error(play, "%s", why);
	if (!r)
		r = play->rig->ops->options_load(play->rig, board, bytes);
	return r ? play_error(play, "option bytes cannot be loaded: %s", play_reason(play, r)) : PLAY_OK;
}

enum play_outcome run_prepare(struct play *play, const struct step *step)
{
	const struct value *flash = object_value(step->arguments, "flash");
	const struct value *options = object_value(step->arguments, "options");
	unsigned board = play_board(step);
	enum play_outcome r = play_settle(play, board);

	for (size_t i = 0; i < flash->count && !r; i++)
		r = load(play, board, flash->list[i].object);
	if (!r && options->object)
		r = load_options(play, board, options->object);
	if (!r && object_given(step->arguments, "erase-times") &&
	    play->rig->ops->durations(play->rig,
				      (enum flash_durations)object_number(step->arguments, "erase-times", 0)))
		r = play_error(play, "erase times cannot be chosen");
	return r;
}

void check_fault(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	bool taken = object_given(step->arguments, "of-application");

	if (taken)
		check_runs_firmware(step, s, problems);
	*needs |= taken ? RIG_INSIDE | RIG_FIRMWARE : RIG_FAULTS;
	if (given_of(step->arguments, faults) != 1)
		STEP_WRONG(step, problems, "step 'fault' takes one of a rule, 'clear: true', and 'of-application'");
	else if (object_given(step->arguments, "within") && !taken)
		STEP_WRONG(step, problems, "'within' of step 'fault' is for 'of-application'");
}

static enum play_outcome fault_of_application(struct play *play, const struct step *step)
{
	uint64_t wanted = object_number(step->arguments, "of-application", 0);
	uint64_t within = object_number(step->arguments, "within", FAULT_WITHIN_US);
	struct rig_sign sign = { .kind = SIGN_FAULT,
				 .exception = wanted > 1 ? (unsigned)wanted - 2 + EXCEPTION_HARD : 0,
				 .lockup = wanted == 1 };
	int r = play->rig->ops->wait_sign(play->rig, play_board(step), &sign, within);
	char limit[32];

	if (r != -ETIMEDOUT)
		return r ? play_error(play, "fault: %s", play_reason(play, r)) : PLAY_OK;
	fault_time_format(within, limit, sizeof(limit));
	return play_fail(play, exceptions[wanted], NULL, "the application has not faulted (%s) within %s",
			 exceptions[wanted], limit);
}

enum play_outcome run_fault(struct play *play, const struct step *step)
{
	const char *rule = object_text(step->arguments, "rule", NULL);
	char why[RIG_WHY] = "faults cannot be cleared";

	if (object_given(step->arguments, "of-application"))
		return fault_of_application(play, step);
	if (rule ? play->rig->ops->fault_add(play->rig, play_board(step), rule, why)
		 : play->rig->ops->fault_clear(play->rig, play_board(step)))
		return play_error(play, "%s", why);
	return PLAY_OK;
}

enum play_outcome run_snapshot(struct play *play, const struct step *step)
{
	const char *name = object_text(step->arguments, "name", "");

	return snapshot_take(play, name) ? PLAY_OK : play_error(play, "out of memory for snapshot '%s'", name);
}
