// SPDX-License-Identifier: GPL-2.0-or-later
/* From options to a board, and from the board back to its files. */
#include "desk_board.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "faults.h"
#include "numbered.h"
#include "qemu.h"
#include "state.h"

/* A real F407's, published by its owner (SER-6); the boards after it are the next dies of that wafer (SER-8). */
#define FIRST_SERIAL "326237753036"
#define FINISH_US \
	120000000u /* more than any operation on the flash: who goes on with one after the other is cut short */

static void board_event(void *context, const struct mcu_event *e)
{
	const struct board *b = context;

	if (b->fault)
		fault_board_event(b->fault, e);
	b->site->tell(b->site->context, &(struct desk_event){ .board = b->number, .mcu = e });
}

static void filter_event(void *context, const struct fault_event *e)
{
	const struct board *b = context;

	b->site->tell(b->site->context, &(struct desk_event){ .board = b->number, .fault = e });
}

static bool serial_is_taken(const struct board *b)
{
	char serial[13];

	mcu_serial_of(b->profile, &b->identity, serial);
	return b->site->is_taken(b->site->context, serial);
}

/* Option, else state file, else made up. */
static int choose_identity(struct board *b, const struct board_state *loaded, const char *serial)
{
	const struct options *o = b->site->options;

	if (serial) {
		int r = mcu_identity_of_serial(b->profile, serial, &b->identity);

		if (r)
			say_error(b->site->say, "serial '%.40s': profile %s cannot have it", serial, b->profile->name);
		return r;
	}
	if (b->number <= o->identity_count) {
		const struct identity_option *given = &o->identities[b->number - 1];
		int r = 0;

		if (given->serial)
			r = mcu_identity_of_serial(b->profile, given->serial, &b->identity);
		else
			b->identity = given->uid;
		if (r)
			say_error(b->site->say, "--serial '%s': profile %s cannot have it", given->serial,
				  b->profile->name);
		return r;
	}
	if (loaded) {
		b->identity = loaded->identity;
		return 0;
	}
	/* A profile whose serial is a constant has a unique ID all the same. */
	if (mcu_identity_of_serial(b->profile, FIRST_SERIAL, &b->identity))
		b->identity = (struct mcu_identity){ { 0x002E0040, 0x30360000, 0x32343735 } };
	b->identity.uid[0] += b->number - 1;
	/* At most as often as there can be others: with some profiles all serials are the same. */
	for (unsigned i = 1; i < o->of->room && serial_is_taken(b); i++)
		b->identity.uid[0]++;
	return 0;
}

/* 1: loaded; 0: there is no such file yet; or -errno, said. */
static int load_state(struct board *b, const char *path, struct board_state *state)
{
	const struct say *say = b->site->say;
	char why[SAVEFILE_WHY];
	struct state_error error;
	uint8_t *text;
	size_t length;
	int r;

	b->state = savefile_open(path, why);
	if (!b->state) {
		say_error(say, "%s", why);
		return -EINVAL;
	}
	if (!savefile_exists(b->state))
		return 0;
	r = savefile_read(b->state, STATE_FILE_BYTES, "a state file", &text, &length, why);
	if (r) {
		say_error(say, "%s", why);
		return r;
	}
	r = state_parse((const char *)text, length, state, &error);
	free(text);
	if (r) {
		say_error(say, "%s:%u:%u: %s", path, error.line, error.column, error.text);
		return r;
	}
	if (b->site->options->profile_given && state->profile != b->profile) {
		say_error(say, "state file '%s' is of profile %s, --profile says %s", path, state->profile->name,
			  b->profile->name);
		return -EINVAL;
	}
	b->profile = state->profile;
	b->saved = state_format(state);
	return b->saved ? 1 : -ENOMEM;
}

static int open_image(struct board *b)
{
	char note[SAVEFILE_WHY], why[SAVEFILE_WHY];
	char *path = numbered_path(b->site->options->flash, b->number);

	if (!path)
		return -ENOMEM;
	b->image = image_open(path, mcu_flash(b->mcu), b->profile->flash_base, note, why);
	free(path);
	if (!b->image) {
		say_error(b->site->say, "%s", why);
		return -EINVAL;
	}
	if (note[0])
		say_note(b->site->say, "%s", note);
	return 0;
}

/* Each board draws from a stream of its own. */
static int add_faults(struct board *b)
{
	const struct options *o = b->site->options;

	b->fault = fault_new(b->site->bench, mcu_usb(b->mcu), b->profile, &faults_mcu_ops, b->mcu,
			     o->seed * UINT64_C(0x9E3779B97F4A7C15) + b->number);
	if (!b->fault)
		return -ENOMEM;
	fault_listen(b->fault, filter_event, b);
	for (unsigned i = 0; i < o->fault_count; i++) {
		int r = !o->faults[i].board || o->faults[i].board == b->number ? fault_add(b->fault, &o->faults[i].rule)
									       : 0;

		if (r == -ENOSPC)
			say_error(b->site->say, "--fault: more than %d rules for board %u", FAULT_RULES, b->number);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void qemu_failed(void *context, const char *line)
{
	const struct board *b = context;

	say_warning(b->site->say, "board %u: its application stands still: %s", b->number, line);
}

/* What runs when the ROM does not. Where time is skipped firmware gets all of its cycles; else as many as this machine can do. */
static int add_engine(struct board *b)
{
	const struct options *o = b->site->options;
	struct engine_options options = {
		.seed = o->seed * UINT64_C(0x9E3779B97F4A7C15) + b->number,
		.wall_ns = o->time == TIME_SCALED ? wall_ns : NULL,
		.scale = o->scale,
	};

	if (o->app == APP_NONE)
		return 0;
	if (o->app == APP_FIRMWARE) {
		b->engine = engine_firmware_new(b->mcu, &options);
		if (!b->engine && errno == ENOTSUP)
			say_error(b->site->say,
				  "--app firmware: there is no chip of profile %s to run code on, but of f407",
				  b->profile->name);
		else if (!b->engine && errno == ENOSYS)
			say_error(b->site->say, "--app firmware: %s",
				  engine_lacks() ? engine_lacks() : "Unicorn fails");
		else if (!b->engine)
			say_error(b->site->say,
				  "--app firmware: Unicorn takes more than 1 GiB of addresses, where it makes "
				  "code; this process may not have that");
	} else if (o->app == APP_QEMU) {
		const struct qemu_options qemu = { .scale = o->scale, .warn = qemu_failed, .context = b };

		b->engine = engine_qemu_new(b->mcu, &qemu);
		if (!b->engine && errno == ENOTSUP)
			say_error(b->site->say,
				  "--app qemu: it has no machine for the chip of profile %s, but for f407",
				  b->profile->name);
	} else {
		b->engine = engine_stub_new(o->app == APP_PYBOARD ? CDC_PYBOARD : CDC_STM32_VCP, mcu_serial(b->mcu));
	}
	if (!b->engine)
		return errno == ENOTSUP || errno == ENOSYS ? -errno : -ENOMEM;
	mcu_set_app(b->mcu, b->engine->ops->app, b->engine);
	return 0;
}

int board_init(struct board *b, const struct board_site *site, unsigned number, const char *serial)
{
	const struct options *o = site->options;
	struct board_state *state = calloc(1, sizeof(*state));
	char *path = o->state ? numbered_path(o->state, number) : NULL;
	int loaded = 0, r = -ENOMEM;

	*b = (struct board){ .site = site, .number = number, .profile = o->profile };
	if (!state || (o->state && !path))
		goto out;
	if (path)
		loaded = load_state(b, path, state);
	r = loaded < 0 ? loaded : choose_identity(b, loaded ? state : NULL, serial);
	if (r)
		goto out;
	r = -ENOMEM;
	b->mcu = mcu_new(b->site->bench, b->profile, &b->identity);
	if (!b->mcu)
		goto out;
	if (loaded)
		state_put(state, mcu_flash(b->mcu));
	flash_set_durations(mcu_flash(b->mcu), o->erase_times);
	r = add_engine(b);
	if (r)
		goto out;
	mcu_listen(b->mcu, board_event, b);
	r = o->flash ? open_image(b) : 0;
	if (!r)
		r = add_faults(b);
out:
	if (r == -ENOMEM)
		say_error(b->site->say, "board %u: %s", b->number, strerror(ENOMEM));
	free(path);
	free(state);
	return r;
}

static void transfer_completed(void *context, const struct usb_urb *urb)
{
	const struct board *b = context;

	b->site->completed(b->site->context, b->number, urb);
}

int board_trace(struct board *b, struct capture *capture, unsigned bus)
{
	b->trace = trace_new(b->site->bench, fault_usbdev(b->fault), capture, bus);
	if (b->trace)
		trace_listen(b->trace, transfer_completed, b);
	return b->trace ? 0 : -ENOMEM;
}

void board_close(struct board *b)
{
	trace_free(b->trace);
	fault_free(b->fault);
	if (b->mcu)
		mcu_listen(b->mcu, NULL, NULL);
	mcu_free(b->mcu);
	engine_close(b->engine);
	image_close(b->image);
	savefile_close(b->state);
	free(b->saved);
	*b = (struct board){ .site = b->site, .number = b->number };
}

void board_power_up(struct board *b)
{
	const struct options *o = b->site->options;
	/* Where a wire moves the strap, nobody has put a jumper there, unless told so. */
	bool wired = gear_is_wired(o->gear, o->gear_count, b->number, PIN_BOOT0);

	mcu_set_pin(b->mcu, PIN_BOOT0, wired && !o->boot0_given ? false : o->boot0);
	mcu_set_pin(b->mcu, PIN_BOOT1, o->boot1);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	mcu_set_pin(b->mcu, PIN_VBUS, true);
	mcu_set_pin(b->mcu, PIN_VDD, true);
}

static int save_state(struct board *b)
{
	struct board_state *state = calloc(1, sizeof(*state));
	char why[SAVEFILE_WHY] = "cannot save the state: out of memory";
	char *text = NULL;
	int r = -ENOMEM;

	if (state) {
		state_get(state, b->profile, mcu_flash(b->mcu));
		state->identity = b->identity;
		text = state_format(state);
	}
	if (text && b->saved && !strcmp(text, b->saved))
		r = 0;
	else if (text)
		r = savefile_save(b->state, (const uint8_t *)text, strlen(text), why);
	if (r)
		say_error(b->site->say, "%s", why);
	free(text);
	free(state);
	return r;
}

void board_finish_flash(struct board *b)
{
	struct bench *bench = b->site->bench;
	uint64_t end_us = bench_now_us(bench) + FINISH_US;

	while (flash_is_busy(mcu_flash(b->mcu))) {
		if (bench_now_us(bench) > end_us) {
			mcu_set_pin(b->mcu, PIN_VDD, false);
			return;
		}
		assert(bench_next_us(bench) != BENCH_NEVER);
		bench_advance(bench, bench_next_us(bench));
	}
}

int board_save(struct board *b)
{
	int result = 0, r;
	char why[SAVEFILE_WHY];

	r = b->image ? image_save(b->image, why) : 0;
	if (r) {
		say_error(b->site->say, "%s", why);
		result = r;
	}
	r = b->state ? save_state(b) : 0;
	return r ? r : result;
}
