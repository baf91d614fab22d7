// SPDX-License-Identifier: GPL-2.0-or-later
/* The boards of a replay as they were when it was recorded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "commands.h"
#include "protection.h"
#include "replay_internal.h"
#include "state.h"

#define PULSE_US 50000u

static int load_file(struct stage *s, unsigned board, char why[REPLAY_WHY])
{
	const struct replay_options *o = s->replay->options;
	const struct mcu_profile *p = s->rig->ops->profile(s->rig, board);
	uint8_t *data;
	size_t length;
	int error = recording_read_file(o->flash, &data, &length);

	if (error) {
		snprintf(why, REPLAY_WHY, "cannot read '%s': %s", o->flash, strerror(-error));
		free(data);
		return HIL_USAGE;
	}
	if (length > p->flash_size_bytes) {
		snprintf(why, REPLAY_WHY, "'%s' has %zu bytes, more than the flash of %s (%u)", o->flash, length,
			 p->name, p->flash_size_bytes);
		free(data);
		return HIL_USAGE;
	}
	error = s->rig->ops->flash_load(s->rig, board, p->flash_base, data, length);
	free(data);
	s->replay->prepared[board] = SIZE_MAX;
	if (error)
		snprintf(why, REPLAY_WHY, "flash cannot be loaded: %s", strerror(-error));
	return error ? HIL_UNFIT : 0;
}

static int load_recorded(struct stage *s, unsigned board, const struct recorded_flash *f)
{
	const struct mcu_profile *p = s->replay->recording.profile;
	size_t size = p->flash_size_bytes;
	int error = 0;

	for (size_t at = 0, end; at < size && !error; at = end) {
		for (end = at; end < size && f->known[end] == f->known[at]; end++)
			continue;
		if (!f->known[at])
			continue;
		error = s->rig->ops->flash_load(s->rig, board, p->flash_base + (uint32_t)at, f->bytes + at, end - at);
		s->replay->prepared[board] += end - at;
	}
	return error;
}

static int load_options(struct stage *s, unsigned board, const struct recorded_flash *f, char why[REPLAY_WHY])
{
	uint8_t bytes[OPTION_MAX_BYTES];
	int error = s->rig->ops->options_read(s->rig, board, bytes);

	if (f->options_known)
		memcpy(bytes, f->options, option_bytes_size(s->replay->recording.profile));
	if (!error && f->locked)
		error = protection_set_level(s->rig->ops->profile(s->rig, board), bytes, 1, why);
	if (!error)
		error = s->rig->ops->options_load(s->rig, board, bytes);
	s->replay->locked[board] = f->locked;
	return error;
}

/* Of a state file the option bytes. */
static int load_state(struct stage *s, unsigned board, char why[REPLAY_WHY])
{
	const struct replay_options *o = s->replay->options;
	const struct mcu_profile *p = s->rig->ops->profile(s->rig, board);
	struct board_state *state = calloc(1, sizeof(*state));
	struct state_error wrong;
	uint8_t *text = NULL;
	size_t length = 0;
	int error = state ? recording_read_file(o->state, &text, &length) : -ENOMEM, r = HIL_USAGE;

	if (error)
		snprintf(why, REPLAY_WHY, "cannot read '%s': %s", o->state, strerror(-error));
	else if (length > STATE_FILE_BYTES)
		snprintf(why, REPLAY_WHY, "'%s' is too long for a state file", o->state);
	else if (state_parse((const char *)text, length, state, &wrong))
		snprintf(why, REPLAY_WHY, "%s:%u:%u: %s", o->state, wrong.line, wrong.column, wrong.text);
	else if (state->profile != p)
		snprintf(why, REPLAY_WHY, "'%s' is of profile %s, the board is a %s", o->state, state->profile->name,
			 p->name);
	else
		r = 0;
	if (!r && s->rig->ops->options_load(s->rig, board, state->options)) {
		snprintf(why, REPLAY_WHY, "option bytes of board %u cannot be set", board);
		r = HIL_UNFIT;
	}
	free(text);
	free(state);
	return r;
}

static int prepare(struct stage *s, unsigned board, char why[REPLAY_WHY])
{
	struct recorded_flash f;
	bool ok = recording_flash(&s->replay->recording, board, &f);
	int r = 0;

	if (!ok) {
		snprintf(why, REPLAY_WHY, "%s", strerror(ENOMEM));
		r = HIL_UNFIT;
	} else if (!stage_can(s, RIG_PREPARE) && (s->replay->options->flash || s->replay->options->state)) {
		snprintf(why, REPLAY_WHY, "--flash, --state: contents cannot be put into the boards of rig '%s'",
			 s->replay->rig_name);
		r = HIL_UNFIT;
	} else if (!stage_can(s, RIG_PREPARE)) {
		if (f.any || f.options_known || f.locked)
			snprintf(s->replay->note, REPLAY_WHY,
				 "what the boards held before cannot be put into those of rig '%s': they are as they "
				 "are",
				 s->replay->rig_name);
	} else if (s->replay->options->flash) {
		r = load_file(s, board, why);
	} else if (load_recorded(s, board, &f)) {
		snprintf(why, REPLAY_WHY, "what was read in the recording cannot be put into the flash of board %u",
			 board);
		r = HIL_UNFIT;
	}
	if (!r && s->replay->options->state) {
		r = load_state(s, board, why);
	} else if (!r && stage_can(s, RIG_PREPARE) && (f.options_known || f.locked) &&
		   load_options(s, board, &f, why)) {
		snprintf(why, REPLAY_WHY, "option bytes of board %u cannot be set", board);
		r = HIL_UNFIT;
	}
	recorded_flash_free(&f);
	return r;
}

/* Where its boards are not new ones, they are taken to the bootloader. */
int replay_begin(struct stage *s, bool is_new, char why[REPLAY_WHY])
{
	const struct recording *rec = &s->replay->recording;
	const struct mcu_profile *p = rec->profile;
	uint16_t vendor = (uint16_t)(p->device_descriptor[8] | p->device_descriptor[9] << 8);
	uint16_t product = (uint16_t)(p->device_descriptor[10] | p->device_descriptor[11] << 8);

	for (size_t i = 0; i < rec->count; i++)
		if (rec->items[i].first && rec->items[i].vendor) {
			vendor = rec->items[i].vendor;
			product = rec->items[i].product;
			break;
		}
	for (unsigned b = 1; b <= rec->boards; b++) {
		int r;

		if (!is_new && stage_can(s, RIG_PINS)) {
			s->rig->ops->pin(s->rig, b, PIN_BOOT0, true);
			s->rig->ops->pin(s->rig, b, PIN_NRST, false);
			s->rig->ops->pass(s->rig, PULSE_US);
		}
		r = prepare(s, b, why);
		if (!is_new && stage_can(s, RIG_PINS))
			s->rig->ops->pin(s->rig, b, PIN_NRST, true);
		if (r)
			return r;
		if (s->rig->ops->wait_usb(s->rig, b, vendor, product, true, REPLAY_COME_US)) {
			snprintf(why, REPLAY_WHY, "board %u does not come up as %04x:%04x on rig '%s'", b, vendor,
				 product, s->replay->rig_name);
			return HIL_UNFIT;
		}
	}
	return 0;
}
