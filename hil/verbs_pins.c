// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: pins, supply and cable of a board, and waiting. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fault_rule.h"
#include "verbs.h"

#define PULSE_US 50000u
#define POWER_OFF_US 500000u
#define BOOT_WITHIN_US 3000000u
#define WAIT_WITHIN_US 5000000u

static const char *const powers[] = { "off", "on", "cycle", NULL };

const struct field bootloader_fields[] = {
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time until it is there; 3s without it" },
	{ .type = FIELD_END },
};
const struct field application_fields[] = {
	{ .name = "within",
	  .type = FIELD_DURATION,
	  .help = "longest time until the bootloader is gone, and the application there; 3s each without it" },
	{ .name = "usb", .type = FIELD_USB_ID, .help = "the ID of the application, which must then be there" },
	{ .type = FIELD_END },
};
const struct field level_fields[] = {
	{ .name = "level", .type = FIELD_CHOICE, .choices = verb_levels, .required = true, .help = "high or low" },
	{ .type = FIELD_END },
};
const struct field reset_fields[] = {
	{ .name = "pulse", .type = FIELD_DURATION, .help = "how long NRST is low; 50ms without it" },
	{ .type = FIELD_END },
};
const struct field power_fields[] = {
	{ .name = "state", .type = FIELD_CHOICE, .choices = powers, .required = true, .help = "on, off, or cycle" },
	{ .name = "off-for", .type = FIELD_DURATION, .help = "how long a cycle is off; 500ms without it" },
	{ .type = FIELD_END },
};
const struct field wait_fields[] = {
	{ .name = "time", .type = FIELD_DURATION, .help = "so long" },
	{ .name = "usb", .type = FIELD_USB_ID, .help = "until a device with this ID can be seen" },
	{ .name = "gone", .type = FIELD_USB_ID, .help = "until no device with this ID can be seen" },
	{ .name = "console", .type = FIELD_REGEX, .help = "until the application says something that matches" },
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time to wait for that; 5s without it" },
	{ .type = FIELD_END },
};

static enum play_outcome done(struct play *play, int r, const char *what)
{
	return r ? play_error(play, "%s: %s", what, play_reason(play, r)) : PLAY_OK;
}

static enum play_outcome pulse(struct play *play, unsigned board, uint64_t us)
{
	const struct rig_ops *ops = play->rig->ops;
	int r = ops->pin(play->rig, board, PIN_NRST, false);

	if (!r)
		r = ops->pass(play->rig, us);
	if (!r)
		r = ops->pin(play->rig, board, PIN_NRST, true);
	return done(play, r, "NRST");
}

static uint32_t bootloader_id(struct play *play, unsigned board)
{
	const uint8_t *d = play->rig->ops->profile(play->rig, board)->device_descriptor;

	return (uint32_t)(d[8] | d[9] << 8) << 16 | (uint32_t)(d[10] | d[11] << 8);
}

/* What it is doing instead. */
static const char *doing(struct play *play, unsigned board)
{
	struct rig_status status;

	if (!(play->rig->ops->can & RIG_STATE) || play->rig->ops->status(play->rig, board, &status))
		return "the board's mode is not known";
	return mcu_mode_name(status.mode);
}

static enum play_outcome wait_for(struct play *play, unsigned board, uint32_t id, bool there, uint64_t within,
				  unsigned told_board)
{
	int r = play->rig->ops->wait_usb(play->rig, board, (uint16_t)(id >> 16), (uint16_t)id, there, within);
	char limit[32];

	if (r != -ETIMEDOUT)
		return done(play, r, "waiting for a device");
	fault_time_format(within, limit, sizeof(limit));
	return play_fail(play, NULL, doing(play, told_board), "%04x:%04x %s within %s; mode of board %u: %s", id >> 16,
			 id & 0xffff, there ? "has not come up" : "has not gone", limit, told_board,
			 doing(play, told_board));
}

static enum play_outcome boot(struct play *play, const struct step *step, bool rom)
{
	unsigned board = play_board(step);
	uint64_t within = object_number(step->arguments, "within", BOOT_WITHIN_US);
	enum play_outcome r = done(play, play->rig->ops->pin(play->rig, board, PIN_BOOT0, rom), "BOOT0");

	if (!r)
		r = pulse(play, board, PULSE_US);
	return r ? r : wait_for(play, board, bootloader_id(play, board), rom, within, board);
}

enum play_outcome run_bootloader(struct play *play, const struct step *step)
{
	return boot(play, step, true);
}

enum play_outcome run_application(struct play *play, const struct step *step)
{
	enum play_outcome r = boot(play, step, false);
	unsigned board = play_board(step);

	if (r || !object_given(step->arguments, "usb"))
		return r;
	return wait_for(play, board, (uint32_t)object_number(step->arguments, "usb", 0), true,
			object_number(step->arguments, "within", BOOT_WITHIN_US), board);
}

enum play_outcome run_boot0(struct play *play, const struct step *step)
{
	bool high = object_number(step->arguments, "level", 0) == 1;

	return done(play, play->rig->ops->pin(play->rig, play_board(step), PIN_BOOT0, high), "BOOT0");
}

enum play_outcome run_boot1(struct play *play, const struct step *step)
{
	bool high = object_number(step->arguments, "level", 0) == 1;

	return done(play, play->rig->ops->pin(play->rig, play_board(step), PIN_BOOT1, high), "BOOT1");
}

enum play_outcome run_reset(struct play *play, const struct step *step)
{
	return pulse(play, play_board(step), object_number(step->arguments, "pulse", PULSE_US));
}

enum play_outcome run_power(struct play *play, const struct step *step)
{
	const struct rig_ops *ops = play->rig->ops;
	uint64_t state = object_number(step->arguments, "state", 1);
	unsigned board = play_board(step);
	int r = ops->pin(play->rig, board, PIN_VDD, state == 1);

	if (!r && state == 2)
		r = ops->pass(play->rig, object_number(step->arguments, "off-for", POWER_OFF_US));
	if (!r && state == 2)
		r = ops->pin(play->rig, board, PIN_VDD, true);
	return done(play, r, "supply");
}

enum play_outcome run_unplug(struct play *play, const struct step *step)
{
	return done(play, play->rig->ops->pin(play->rig, play_board(step), PIN_VBUS, false), "cable");
}

enum play_outcome run_plug(struct play *play, const struct step *step)
{
	return done(play, play->rig->ops->pin(play->rig, play_board(step), PIN_VBUS, true), "cable");
}

enum play_outcome run_software_entry(struct play *play, const struct step *step)
{
	if (play->rig->ops->software_entry(play->rig, play_board(step)))
		return play_fail(play, "APPLICATION", doing(play, play_board(step)),
				 "no application runs that could jump to the bootloader; mode: %s",
				 doing(play, play_board(step)));
	return PLAY_OK;
}

static const char *const waits[] = { "time", "usb", "gone", "console", NULL };

void check_wait(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	(void)s;
	if (object_given(step->arguments, "console"))
		*needs |= RIG_CONSOLE;
	if (given_of(step->arguments, waits) != 1)
		STEP_WRONG(step, problems, "step 'wait' needs one of time, usb, gone and console");
	if (object_given(step->arguments, "time") && object_given(step->arguments, "within"))
		STEP_WRONG(step, problems, "step 'wait' for a time has no 'within'");
}

enum play_outcome run_wait(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	uint64_t within = object_number(o, "within", WAIT_WITHIN_US);
	bool there = object_given(o, "usb");
	const char *console = object_text(o, "console", NULL);
	int r;

	if (object_given(o, "time"))
		return done(play, play->rig->ops->pass(play->rig, object_number(o, "time", 0)), "waiting");
	if (!console)
		return wait_for(play, step->board, (uint32_t)object_number(o, there ? "usb" : "gone", 0), there, within,
				play_board(step));
	r = play->rig->ops->wait_console(play->rig, play_board(step), console, false, within);
	if (r != -ETIMEDOUT)
		return done(play, r, "console");
	return fail_silent(play, step, console, within);
}
