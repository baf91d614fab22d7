// SPDX-License-Identifier: GPL-2.0-or-later
/* From options to boards, and from boards back to files. */
#include "board.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "capture.h"
#include "engine.h"
#include "faults.h"
#include "fixed.h"
#include "gear.h"
#include "image.h"
#include "numbered.h"
#include "qemu.h"
#include "replay.h"
#include "savefile.h"
#include "state.h"
#include "trace.h"

/* A real F407's, published by its owner (SER-6); the boards after it are the next dies of that wafer (SER-8). */
#define FIRST_SERIAL "326237753036"
#define BUS_NUMBER 1 /* of the private bus, as captures show it */
/* More than the slowest start: ROM with USB up (U16), or application and its pull-up. */
#define START_US 3000000u
#define ROM_START_US 100000u
#define FIRMWARE_START_US 500000u
#define FIRMWARE_STEP_US 10000u
#define FIRMWARE_STEPS 20u
#define FIRMWARE_STARTS 200000u /* one that interrupts itself all the time is not waited for so long */
#define FINISH_US \
	120000000u /* more than any operation on the flash: who goes on with one after the other is cut short */
/* When bench time 0 was if nobody waits for it: 2020-01-01, whatever the day, so that two recordings of one run are the same. */
#define VIRTUAL_EPOCH_US UINT64_C(1577836800000000)

struct board {
	struct desk *desk;
	unsigned number; /* from 1 */
	const struct mcu_profile *profile;
	struct mcu *mcu;
	struct engine *engine;
	struct image *image;
	struct savefile *state;
	char *saved; /* the text that the state file stands for; NULL: there is none yet */
	struct mcu_identity identity;
	struct fault *fault;
	struct trace *trace;
};

struct bystander {
	struct fixed_descriptors *descriptors;
	struct fixed *device;
	struct trace *trace;
	bool denied;
};

struct desk {
	const struct options *options;
	const struct say *say;
	struct bench *bench;
	struct board *boards; /* as many as the front has room for; without an mcu there is none in that place */
	unsigned board_count; /* places taken so far */
	struct gear *gear;    /* NULL: none */
	struct gear_user gear_user;
	struct bystander *bystanders;
	struct replay *replay; /* NULL: there are boards */
	struct capture_file *capture_file;
	struct capture *capture;
	uint64_t epoch_us;
	int capture_error;
	void (*listener)(void *context, const struct desk_event *);
	void *listener_context;
	void (*transfer_listener)(void *context, unsigned board, const struct usb_urb *);
	void *transfer_context;
};

static void desk_tell(const struct desk *d, const struct desk_event *event)
{
	char text[EVENT_BYTES];

	if (say_tells_events(d->say)) {
		event_text(event, text);
		say_event(d->say, "%s", text);
	}
	if (d->listener)
		d->listener(d->listener_context, event);
}

static void tell(const struct board *b, const struct desk_event *event)
{
	desk_tell(b->desk, event);
}

static void gear_event(void *context, const struct gear_event *e)
{
	desk_tell(context, &(struct desk_event){ .gear = e });
}

static void board_event(void *context, const struct mcu_event *e)
{
	const struct board *b = context;

	if (b->fault)
		fault_board_event(b->fault, e);
	tell(b, &(struct desk_event){ .board = b->number, .mcu = e });
}

static void filter_event(void *context, const struct fault_event *e)
{
	const struct board *b = context;

	tell(b, &(struct desk_event){ .board = b->number, .fault = e });
}

static void capture_failed(void *context, int error)
{
	struct desk *d = context;

	d->capture_error = error;
	say_error(d->say, "cannot write capture '%s': %s", d->options->capture, strerror(-error));
}

int desk_capture_error(const struct desk *d)
{
	return d->capture_error;
}

static int open_capture(struct desk *d)
{
	struct timespec now;
	struct capture_sink sink;
	int r = capture_file_open(d->options->capture, &d->capture_file);

	if (r) {
		say_error(d->say, "cannot create capture '%s': %s", d->options->capture,
			  r == -EBUSY ? "the file is in use by a board or another capture" : strerror(-r));
		return r;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	sink = capture_file_sink(d->capture_file);
	d->epoch_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	if (d->options->time != TIME_SCALED)
		d->epoch_us = VIRTUAL_EPOCH_US;
	d->capture = capture_new(&sink, d->epoch_us, capture_failed, d);
	if (!d->capture) {
		say_error(d->say, "cannot create capture '%s': %s", d->options->capture, strerror(ENOMEM));
		return -ENOMEM;
	}
	return d->capture_error;
}

static bool serial_is_taken(const struct board *b)
{
	char serial[13];

	mcu_serial_of(b->profile, &b->identity, serial);
	for (const struct board *other = b->desk->boards; other < b; other++)
		if (other->mcu && !strcmp(mcu_serial(other->mcu), serial))
			return true;
	return false;
}

/* Option, else state file, else made up. */
static int choose_identity(struct board *b, const struct board_state *loaded, const char *serial)
{
	const struct options *o = b->desk->options;

	if (serial) {
		int r = mcu_identity_of_serial(b->profile, serial, &b->identity);

		if (r)
			say_error(b->desk->say, "serial '%.40s': profile %s cannot have it", serial, b->profile->name);
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
			say_error(b->desk->say, "--serial '%s': profile %s cannot have it", given->serial,
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
	/* At most as often as there are others: with some profiles all serials are the same. */
	for (unsigned i = 1; i < b->number && serial_is_taken(b); i++)
		b->identity.uid[0]++;
	return 0;
}

/* 1: loaded; 0: there is no such file yet; or -errno, said. */
static int load_state(struct board *b, const char *path, struct board_state *state)
{
	const struct say *say = b->desk->say;
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
	if (b->desk->options->profile_given && state->profile != b->profile) {
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
	char *path = numbered_path(b->desk->options->flash, b->number);

	if (!path)
		return -ENOMEM;
	b->image = image_open(path, mcu_flash(b->mcu), b->profile->flash_base, note, why);
	free(path);
	if (!b->image) {
		say_error(b->desk->say, "%s", why);
		return -EINVAL;
	}
	if (note[0])
		say_note(b->desk->say, "%s", note);
	return 0;
}

/* Each board draws from a stream of its own. */
static int add_faults(struct board *b)
{
	const struct options *o = b->desk->options;

	b->fault = fault_new(b->desk->bench, mcu_usb(b->mcu), b->profile, &faults_mcu_ops, b->mcu,
			     o->seed * UINT64_C(0x9E3779B97F4A7C15) + b->number);
	if (!b->fault)
		return -ENOMEM;
	fault_listen(b->fault, filter_event, b);
	for (unsigned i = 0; i < o->fault_count; i++) {
		int r = !o->faults[i].board || o->faults[i].board == b->number ? fault_add(b->fault, &o->faults[i].rule)
									       : 0;

		if (r == -ENOSPC)
			say_error(b->desk->say, "--fault: more than %d rules for board %u", FAULT_RULES, b->number);
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

	say_warning(b->desk->say, "board %u: its application stands still: %s", b->number, line);
}

/* What runs when the ROM does not. Where time is skipped firmware gets all of its cycles; else as many as this machine can do. */
static int add_engine(struct board *b)
{
	const struct options *o = b->desk->options;
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
			say_error(b->desk->say,
				  "--app firmware: there is no chip of profile %s to run code on, but of f407",
				  b->profile->name);
		else if (!b->engine && errno == ENOSYS)
			say_error(b->desk->say, "--app firmware: %s",
				  engine_lacks() ? engine_lacks() : "Unicorn fails");
		else if (!b->engine)
			say_error(b->desk->say,
				  "--app firmware: Unicorn takes more than 1 GiB of addresses, where it makes "
				  "code; this process may not have that");
	} else if (o->app == APP_QEMU) {
		const struct qemu_options qemu = { .scale = o->scale, .warn = qemu_failed, .context = b };

		b->engine = engine_qemu_new(b->mcu, &qemu);
		if (!b->engine && errno == ENOTSUP)
			say_error(b->desk->say,
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

/* serial: of a board that comes later, or NULL. */
static int board_init(struct board *b, const char *serial)
{
	const struct options *o = b->desk->options;
	struct board_state *state = calloc(1, sizeof(*state));
	char *path = o->state ? numbered_path(o->state, b->number) : NULL;
	int loaded = 0, r = -ENOMEM;

	b->profile = o->profile;
	if (!state || (o->state && !path))
		goto out;
	if (path)
		loaded = load_state(b, path, state);
	r = loaded < 0 ? loaded : choose_identity(b, loaded ? state : NULL, serial);
	if (r)
		goto out;
	r = -ENOMEM;
	b->mcu = mcu_new(b->desk->bench, b->profile, &b->identity);
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
		say_error(b->desk->say, "board %u: %s", b->number, strerror(ENOMEM));
	free(path);
	free(state);
	return r;
}

static int bystander_init(struct bystander *b, const struct also_option *also, const struct say *say)
{
	char message[512];

	b->denied = also->denied;
	if (fixed_load(also->path, &b->descriptors, message, sizeof(message))) {
		say_error(say, "%s", message);
		return -EINVAL;
	}
	b->device = fixed_new(b->descriptors);
	if (!b->device)
		say_error(say, "'%s': %s", also->path, strerror(ENOMEM));
	return b->device ? 0 : -ENOMEM;
}

static void transfer_completed(void *context, const struct usb_urb *urb)
{
	const struct board *b = context;

	if (b->desk->transfer_listener)
		b->desk->transfer_listener(b->desk->transfer_context, b->number, urb);
}

/* Behind the faults: the capture has what the host sees. */
static int trace_board(struct board *b)
{
	b->trace = trace_new(b->desk->bench, fault_usbdev(b->fault), b->desk->capture, BUS_NUMBER);
	if (b->trace)
		trace_listen(b->trace, transfer_completed, b);
	return b->trace ? 0 : -ENOMEM;
}

/* The capture sits between each device and whatever front there will be. */
static int trace_all(struct desk *d)
{
	for (unsigned i = 0; i < d->board_count; i++)
		if (trace_board(&d->boards[i]))
			return -ENOMEM;
	for (unsigned i = 0; i < d->options->also_count; i++) {
		struct bystander *b = &d->bystanders[i];

		b->trace = trace_new(d->bench, fixed_usbdev(b->device), d->capture, BUS_NUMBER);
		if (!b->trace)
			return -ENOMEM;
	}
	if (d->gear && gear_trace(d->gear, d->capture, BUS_NUMBER))
		return -ENOMEM;
	return d->replay ? replay_trace(d->replay, d->capture, BUS_NUMBER) : 0;
}

static struct mcu *gear_board(void *context, unsigned number)
{
	return desk_mcu(context, number);
}

static int add_gear(struct desk *d)
{
	if (!d->options->gear_count)
		return 0;
	d->gear_user = (struct gear_user){ .board = gear_board, .tell = gear_event, .context = d };
	d->gear = gear_new(d->bench, d->options->gear, d->options->gear_count, &d->gear_user);
	if (!d->gear)
		say_error(d->say, "--bench: %s", strerror(ENOMEM));
	return d->gear ? 0 : -ENOMEM;
}

static int desk_init(struct desk *d)
{
	int r = 0;

	d->bench = bench_new(d->options->seed);
	d->boards = calloc(d->options->of->room, sizeof(*d->boards));
	d->bystanders = calloc(d->options->also_count + 1, sizeof(*d->bystanders));
	if (!d->bench || !d->boards || !d->bystanders) {
		say_error(d->say, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < d->options->boards && !r; i++) {
		d->boards[i] = (struct board){ .desk = d, .number = i + 1 };
		d->board_count++;
		r = board_init(&d->boards[i], NULL);
	}
	if (!r)
		r = add_gear(d);
	for (unsigned i = 0; i < d->options->also_count && !r; i++)
		r = bystander_init(&d->bystanders[i], &d->options->also[i], d->say);
	if (!r && d->options->replay) {
		d->replay = replay_open(d->options, d->bench, d->say);
		r = d->replay ? 0 : -EINVAL;
	}
	/* Last: an existing capture is emptied, which a mistake elsewhere must not cause. */
	if (!r && d->options->capture)
		r = open_capture(d);
	if (!r && d->capture)
		r = trace_all(d);
	return r;
}

struct desk *desk_new(const struct options *options, const struct say *say)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (!d) {
		say_error(say, "%s", strerror(ENOMEM));
		return NULL;
	}
	d->options = options;
	d->say = say;
	if (desk_init(d)) {
		desk_free(d);
		return NULL;
	}
	return d;
}

static void board_close(struct board *b)
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
	*b = (struct board){ .desk = b->desk, .number = b->number };
}

void desk_free(struct desk *d)
{
	if (!d)
		return;
	gear_free(d->gear);
	for (unsigned i = 0; i < d->board_count; i++)
		board_close(&d->boards[i]);
	for (unsigned i = 0; d->bystanders && i < d->options->also_count; i++) {
		trace_free(d->bystanders[i].trace);
		fixed_free(d->bystanders[i].device);
		fixed_descriptors_free(d->bystanders[i].descriptors);
	}
	replay_close(d->replay);
	capture_free(d->capture);
	capture_file_close(d->capture_file);
	free(d->boards);
	free(d->bystanders);
	bench_free(d->bench);
	free(d);
}

struct bench *desk_bench(struct desk *d)
{
	return d->bench;
}

static void board_power_up(struct board *b)
{
	const struct options *o = b->desk->options;
	/* Where a wire moves the strap, nobody has put a jumper there, unless told so. */
	bool wired = gear_is_wired(o->gear, o->gear_count, b->number, PIN_BOOT0);

	mcu_set_pin(b->mcu, PIN_BOOT0, wired && !o->boot0_given ? false : o->boot0);
	mcu_set_pin(b->mcu, PIN_BOOT1, o->boot1);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	mcu_set_pin(b->mcu, PIN_VBUS, true);
	mcu_set_pin(b->mcu, PIN_VDD, true);
}

const struct options *desk_given(const struct desk *d)
{
	return d->options;
}

uint64_t desk_epoch_us(const struct desk *d)
{
	return d->epoch_us;
}

/* Each of its cycles takes of our time, too. */
static bool starts_firmware(const struct desk *d)
{
	for (unsigned i = 0; i < d->board_count; i++)
		if (d->options->app == APP_FIRMWARE && mcu_mode(d->boards[i].mcu) == MCU_APPLICATION &&
		    !mcu_usb(d->boards[i].mcu)->attached)
			return true;
	return false;
}

static bool is_tiresome(const struct desk *d)
{
	for (unsigned i = 0; i < d->board_count; i++)
		if (engine_starts(d->boards[i].engine) > FIRMWARE_STARTS)
			return true;
	return false;
}

/* Firmware takes what time it likes: one that has no pull-up by then is let be. */
static void start(struct desk *d)
{
	uint64_t begin_us = bench_now_us(d->bench), now_us = begin_us;

	if (d->options->app != APP_FIRMWARE) {
		bench_advance(d->bench, begin_us + START_US);
		return;
	}
	while (now_us < begin_us + ROM_START_US || (starts_firmware(d) && now_us < begin_us + FIRMWARE_START_US)) {
		for (unsigned i = 0; i < FIRMWARE_STEPS; i++) {
			if (is_tiresome(d))
				return;
			now_us += FIRMWARE_STEP_US / FIRMWARE_STEPS;
			bench_advance(d->bench, now_us);
		}
	}
}

void desk_power_up(struct desk *d)
{
	for (unsigned i = 0; i < d->board_count; i++)
		board_power_up(&d->boards[i]);
	for (unsigned i = 1; i <= gear_count(d->gear); i++)
		gear_plug(d->gear, i, true);
	for (unsigned i = 0; i < d->options->also_count; i++)
		fixed_plug(d->bystanders[i].device);
	if (d->replay) { /* it has a clock of its own */
		replay_plug(d->replay);
		return;
	}
	start(d);
}

static struct board *find_board(const struct desk *d, unsigned number)
{
	struct board *b = number && number <= d->board_count ? &d->boards[number - 1] : NULL;

	return b && b->mcu ? b : NULL;
}

unsigned desk_last_board(const struct desk *d)
{
	return d->board_count;
}

struct mcu *desk_mcu(struct desk *d, unsigned number)
{
	struct board *b = find_board(d, number);

	return b ? b->mcu : NULL;
}

struct engine *desk_engine(struct desk *d, unsigned number)
{
	struct board *b = find_board(d, number);

	return b ? b->engine : NULL;
}

struct fault *desk_fault(struct desk *d, unsigned number)
{
	struct board *b = find_board(d, number);

	return b ? b->fault : NULL;
}

struct usbdev *desk_board_device(struct desk *d, unsigned number)
{
	struct board *b = find_board(d, number);

	if (!b)
		return NULL;
	return b->trace ? trace_usbdev(b->trace) : fault_usbdev(b->fault);
}

void desk_probe(struct desk *d, struct usbdev *device, bool on)
{
	for (unsigned i = 0; i < d->board_count; i++) {
		struct board *b = &d->boards[i];

		if (!b->mcu || desk_board_device(d, b->number) != device)
			continue;
		fault_suspend(b->fault, on);
		if (b->trace)
			trace_pause(b->trace, on);
		return;
	}
	gear_probe(d->gear, device, on);
	for (unsigned i = 0; i < d->options->also_count; i++) {
		struct bystander *b = &d->bystanders[i];

		if (b->trace && trace_usbdev(b->trace) == device)
			trace_pause(b->trace, on);
	}
	if (d->replay)
		replay_probe(d->replay, device, on);
}

void desk_listen(struct desk *d, void (*event)(void *context, const struct desk_event *), void *context)
{
	d->listener = event;
	d->listener_context = context;
}

void desk_listen_transfers(struct desk *d, void (*completed)(void *, unsigned, const struct usb_urb *), void *context)
{
	d->transfer_listener = completed;
	d->transfer_context = context;
}

void desk_listed(struct desk *d, const struct usbdev *device)
{
	for (unsigned i = 1; i <= d->board_count; i++)
		if (desk_board_device(d, i) == device)
			tell(&d->boards[i - 1],
			     &(struct desk_event){ .board = i, .listed_us = bench_now_us(d->bench) });
}

/* A number is used again only when there is no other left. NULL: nor is there one. */
static struct board *free_place(struct desk *d)
{
	if (d->board_count < d->options->of->room)
		return &d->boards[d->board_count];
	for (unsigned i = 0; i < d->board_count; i++)
		if (!d->boards[i].mcu)
			return &d->boards[i];
	return NULL;
}

int desk_add_board(struct desk *d, const char *serial, char why[DESK_WHY])
{
	struct board *b = free_place(d);
	int r;

	if (!b) {
		snprintf(why, DESK_WHY, "no more than %u boards", d->options->of->room);
		return -ENOSPC;
	}
	*b = (struct board){ .desk = d, .number = (unsigned)(b - d->boards) + 1 };
	r = board_init(b, serial);
	if (!r && d->capture)
		r = trace_board(b);
	if (r) {
		board_close(b);
		snprintf(why, DESK_WHY, "cannot add a board: %s", strerror(-r));
		return r;
	}
	if (b->number > d->board_count)
		d->board_count = b->number;
	gear_board_came(d->gear, b->number);
	board_power_up(b);
	return (int)b->number;
}

struct gear *desk_gear(struct desk *d)
{
	return d->gear;
}

struct usbdev *desk_device(struct desk *d, unsigned index, bool *denied)
{
	*denied = false;
	if (index < d->options->boards)
		return desk_board_device(d, index + 1);
	index -= d->options->boards;
	if (index < gear_count(d->gear))
		return gear_device(d->gear, index + 1);
	index -= gear_count(d->gear);
	if (d->replay) {
		if (replay_device(d->replay, index))
			return replay_device(d->replay, index);
		index -= replay_count(d->replay);
	}
	if (index < d->options->also_count) {
		struct bystander *b = &d->bystanders[index];

		*denied = b->denied;
		return b->trace ? trace_usbdev(b->trace) : fixed_usbdev(b->device);
	}
	return NULL;
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
		say_error(b->desk->say, "%s", why);
	free(text);
	free(state);
	return r;
}

/* The tool has gone, the board has not: an erase that it did not wait for runs to its end, as on a real desk. */
static void finish_flash(struct board *b)
{
	struct bench *bench = b->desk->bench;
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

static int board_save(struct board *b)
{
	int result = 0, r;
	char why[SAVEFILE_WHY];

	r = b->image ? image_save(b->image, why) : 0;
	if (r) {
		say_error(b->desk->say, "%s", why);
		result = r;
	}
	r = b->state ? save_state(b) : 0;
	return r ? r : result;
}

int desk_remove_board(struct desk *d, unsigned number)
{
	struct board *b = find_board(d, number);
	int r;

	if (!b)
		return -ENOENT;
	/* The others' time cannot be spent on it: what it has in hand is cut short. */
	mcu_set_pin(b->mcu, PIN_VDD, false);
	r = board_save(b);
	board_close(b);
	return r;
}

bool desk_finish_replay(struct desk *d)
{
	return d->replay && replay_finish(d->replay);
}

int desk_save(struct desk *d)
{
	int result = d->replay && replay_failed(d->replay) ? -EIO : d->capture_error;

	for (unsigned i = 0; i < d->board_count; i++)
		if (d->boards[i].mcu)
			finish_flash(&d->boards[i]);
	for (unsigned i = 0; i < d->board_count; i++) {
		int r = d->boards[i].mcu ? board_save(&d->boards[i]) : 0;

		if (r)
			result = r;
	}
	if (d->capture_file) {
		int r;

		/* The devices may still speak while they are taken down: nothing of that belongs in the record. */
		for (unsigned i = 0; i < d->board_count; i++) {
			trace_free(d->boards[i].trace);
			d->boards[i].trace = NULL;
		}
		if (d->gear)
			gear_untrace(d->gear);
		for (unsigned i = 0; i < d->options->also_count; i++) {
			trace_free(d->bystanders[i].trace);
			d->bystanders[i].trace = NULL;
		}
		replay_untrace(d->replay);
		capture_free(d->capture);
		d->capture = NULL;
		r = capture_file_close(d->capture_file);
		d->capture_file = NULL;
		if (r) {
			say_error(d->say, "cannot write capture '%s': %s", d->options->capture, strerror(-r));
			result = r;
		}
	}
	return result;
}
