// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands on the desk, from the options to the files that are left. */
#include "desk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "capture.h"
#include "desk_board.h"
#include "fixed.h"
#include "gear.h"
#include "replay.h"
#include "trace.h"

#define BUS_NUMBER 1 /* of the private bus, as captures show it */
/* More than the slowest start: ROM with USB up (U16), or application and its pull-up. */
#define START_US 3000000u
#define ROM_START_US 100000u
#define FIRMWARE_START_US 500000u
#define FIRMWARE_STEP_US 10000u
#define FIRMWARE_STEPS 20u
#define FIRMWARE_STARTS 200000u /* one that interrupts itself all the time is not waited for so long */
/* When bench time 0 was if nobody waits for it: 2020-01-01, whatever the day, so that two recordings of one run are the same. */
#define VIRTUAL_EPOCH_US UINT64_C(1577836800000000)

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
	struct board_site site;
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

static void tell(void *context, const struct desk_event *event)
{
	const struct desk *d = context;
	char text[EVENT_BYTES];

	if (say_tells_events(d->say)) {
		event_text(event, text);
		say_event(d->say, "%s", text);
	}
	if (d->listener)
		d->listener(d->listener_context, event);
}

static void gear_event(void *context, const struct gear_event *e)
{
	tell(context, &(struct desk_event){ .gear = e });
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

/* The capture sits between each device and whatever front there will be. */
static int trace_all(struct desk *d)
{
	for (unsigned i = 0; i < d->board_count; i++)
		if (board_trace(&d->boards[i], d->capture, BUS_NUMBER))
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

static bool is_taken(void *context, const char *serial)
{
	const struct desk *d = context;

	for (unsigned i = 0; i < d->board_count; i++)
		if (d->boards[i].mcu && !strcmp(mcu_serial(d->boards[i].mcu), serial))
			return true;
	return false;
}

static void transfer_completed(void *context, unsigned board, const struct usb_urb *urb)
{
	const struct desk *d = context;

	if (d->transfer_listener)
		d->transfer_listener(d->transfer_context, board, urb);
}

static int desk_init(struct desk *d)
{
	int r = 0;

	d->bench = bench_new(d->options->seed);
	d->site = (struct board_site){
		.options = d->options,
		.say = d->say,
		.bench = d->bench,
		.tell = tell,
		.is_taken = is_taken,
		.completed = transfer_completed,
		.context = d,
	};
	d->boards = calloc(d->options->of->room, sizeof(*d->boards));
	d->bystanders = calloc(d->options->also_count + 1, sizeof(*d->bystanders));
	if (!d->bench || !d->boards || !d->bystanders) {
		say_error(d->say, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (unsigned i = 0; i < d->options->boards && !r; i++) {
		d->board_count++;
		r = board_init(&d->boards[i], &d->site, i + 1, NULL);
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
			tell(d, &(struct desk_event){ .board = i, .listed_us = bench_now_us(d->bench) });
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
	r = board_init(b, &d->site, (unsigned)(b - d->boards) + 1, serial);
	if (!r && d->capture)
		r = board_trace(b, d->capture, BUS_NUMBER);
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
			board_finish_flash(&d->boards[i]);
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
