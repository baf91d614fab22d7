// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: verdicts on what is in the flash, and which sectors were touched. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "verbs.h"

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
	{ .name = "untouched",
	  .type = FIELD_NUMBER,
	  .many = true,
	  .filled = true,
	  .help = "these were neither erased nor written" },
	FIELD_SINCE,
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
	if (object_given(step->arguments, "length") && !object_number(step->arguments, "length", 1))
		STEP_WRONG(step, problems, "'length' of 'flash': 0 bytes are nothing to look at");
	if (object_given(step->arguments, "unchanged"))
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

/* Of what is wanted, or of what is there. */
static const char *bytes_text(const struct range *r, const uint8_t *got, size_t from, char out[64])
{
	uint8_t bytes[16];
	size_t count = r->length - from < sizeof(bytes) ? r->length - from : sizeof(bytes);

	for (size_t i = 0; i < count; i++)
		bytes[i] = got ? got[from + i] : wanted_at(r, from + i);
	return verb_bytes(bytes, count, out);
}

static enum play_outcome compare(struct play *play, unsigned board, const struct range *r)
{
	const struct mcu_profile *profile = play->rig->ops->profile(play->rig, board);
	size_t first = SIZE_MAX, last = 0, count = 0;
	uint8_t *got = malloc(r->length + 1);
	enum play_outcome outcome = PLAY_OK;
	char expected[64], found[64];

	int error = got ? play->rig->ops->flash_read(play->rig, board, r->address, got, r->length) : -ENOMEM;

	if (error) {
		free(got);
		return play_error(play, "flash at 0x%08x, %zu bytes, cannot be read: %s", r->address, r->length,
				  play_reason(play, error));
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
	if (!r.length)
		return play_error(play, "there is nothing to look at: 0 bytes");
	if (r.address < profile->flash_base || r.address + (uint64_t)r.length > end)
		return play_error(play, "0x%08x, %zu bytes, is not within the flash of board %u, 0x%08x to 0x%08llx",
				  r.address, r.length, board, profile->flash_base, (unsigned long long)(end - 1));
	if (object_given(o, "unchanged")) {
		const struct snapshot *s = since(play, o, SNAPSHOT_BEFORE_TOOL);

		if (!s)
			return PLAY_ERROR;
		if (!s->board[board - 1].flash)
			return play_error(
				play, "what was in the flash then ('%.60s') is not known: it could not be looked at",
				s->name);
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

static enum play_outcome judge_sectors(struct play *play, const struct object *o, const struct sector_look *look)
{
	const struct value *erased = object_value(o, "erased"), *untouched = object_value(o, "untouched");
	char want[256], got[256];
	bool differs = false;

	for (unsigned i = 0; erased->given && i < look->count; i++)
		differs |= look->erased[i] != verb_lists(erased, i);
	for (size_t i = 0; i < erased->count; i++)
		differs |= erased->list[i].number >= look->count;
	if (differs) {
		verb_sectors(want, sizeof(want), erased, NULL, 0);
		verb_sectors(got, sizeof(got), NULL, look->erased, look->count);
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
