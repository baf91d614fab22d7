// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig: a real board. Pins go by its wires, USB is this machine's, the clock is the wall's. */
#include "rig_board.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "board_lock.h"
#include "place_keeper.h"
#include "rig_board_internal.h"
#include "rig_board_look.h"

#define POLL_US 10000u               /* between two looks at the host's list */
#define GONE_US 3000000u             /* for the host to notice that the board has gone */
#define TURN_US UINT64_C(3600000000) /* for other boards; the run's own deadline is over before */
#define TURN_POLL_US 50000u

static uint64_t board_now(struct rig *rig)
{
	return board_now_us(board_of(rig));
}

static int board_pass(struct rig *rig, uint64_t us)
{
	board_pause(board_of(rig), us);
	return 0;
}

/* As the host has it, in whatever it runs; false: it is not there. */
static bool find(struct board *b, struct host_device *d)
{
	char why[BOARD_USB_WHY];

	if (!board_usb_rom(b->file, d, why) || !board_usb_application(b->file, *b->port ? b->port : NULL, d))
		return true;
	return false;
}

/* A board that goes by a pin of ours is gone for the host, too, when the step is over. */
static int board_pin(struct rig *rig, unsigned board, enum mcu_pin pin, bool high)
{
	static const enum wire wires[] = { [PIN_BOOT0] = WIRE_BOOT0,
					   [PIN_BOOT1] = WIRES,
					   [PIN_NRST] = WIRE_NRST,
					   [PIN_VDD] = WIRE_POWER,
					   [PIN_VBUS] = WIRE_VBUS };
	struct board *b = board_of(rig);
	struct host_device was;
	bool known = false;
	uint64_t end;
	int r;

	if (board != 1)
		return -ENOENT;
	if (wires[pin] == WIRES)
		return board_fail(b, -EOPNOTSUPP, "a rig does not switch BOOT1");
	if (!high && pin != PIN_BOOT0)
		known = find(b, &was);
	r = board_wire(b, wires[pin], high);
	for (end = board_now_us(b) + GONE_US; !r && known && host_device_is_listed(&was) && board_now_us(b) < end;)
		board_pause(b, POLL_US);
	return r;
}

/* --- waiting --- */

static bool is_there(struct board *b, unsigned board, uint16_t vendor, uint16_t product)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);
	char why[BOARD_USB_WHY];
	struct host_device d;

	/* The bootloader's has a serial number to be told by. */
	if (vendor == b->file->vendor && product == b->file->product) {
		int r = board_usb_rom(b->file, &d, why);

		if (!r) {
			board_learn(b, &d);
			return board_is_ready(b, &d);
		}
		/* Not the expected board: the wait ends without it, and this is the reason that is then told. */
		if (r != -ENODEV)
			board_fail(b, r, "%s", why);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (devices[i].vendor == vendor && devices[i].product == product && devices[i].configured &&
		    (!board || !*b->port || !strcmp(b->port, devices[i].port)))
			return true;
	return false;
}

static bool is_gone(struct board *b, unsigned board, uint16_t vendor, uint16_t product)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++)
		if (devices[i].vendor == vendor && devices[i].product == product &&
		    (!board || !*b->port || !strcmp(b->port, devices[i].port)))
			return false;
	return true;
}

static int board_wait_usb(struct rig *rig, unsigned board, uint16_t vendor, uint16_t product, bool there,
			  uint64_t limit_us)
{
	struct board *b = board_of(rig);
	uint64_t start = board_now_us(b);

	if (board > 1)
		return -ENOENT;
	*b->why = 0;
	for (;;) {
		if (there ? is_there(b, board, vendor, product) : is_gone(b, board, vendor, product))
			return 0;
		if (board_now_us(b) - start >= limit_us)
			return there && *b->why ? -ENODEV : -ETIMEDOUT;
		board_pause(b, POLL_US);
	}
}

static int board_wait_console(struct rig *rig, unsigned board, const char *regex, bool fresh, uint64_t limit_us)
{
	struct board *b = board_of(rig);
	uint64_t start = board_now_us(b);
	char why[CONSOLE_PORT_WHY];

	if (board != 1)
		return -ENOENT;
	if (!b->console)
		return -EOPNOTSUPP;
	for (;;) {
		console_port_listen(b->console);
		if (console_port_matches(b->console, regex, fresh))
			return 0;
		if (board_now_us(b) - start >= limit_us)
			break;
		board_pause(b, POLL_US);
	}
	/* A silent board is a failure of the scenario, a console that cannot be heard one of the rig. */
	if (console_port_state(b->console, why) && !*console_port_text(b->console))
		return board_fail(b, -ENOTCONN, "%s", why);
	return -ETIMEDOUT;
}

static const char *board_console_said(struct rig *rig, unsigned board)
{
	struct board *b = board_of(rig);

	return board == 1 && b->console ? console_port_text(b->console) : "";
}

static int board_console_send(struct rig *rig, unsigned board, const char *text)
{
	struct board *b = board_of(rig);
	char why[CONSOLE_PORT_WHY];
	int r;

	if (board != 1)
		return -ENOENT;
	if (!b->console)
		return -EOPNOTSUPP;
	r = console_port_send(b->console, text);
	if (!r || !console_port_state(b->console, why))
		return r;
	return board_fail(b, r, "%s", why);
}

/* --- what it is not --- */

static int board_wait_sign(struct rig *rig, unsigned board, const struct rig_sign *sign, uint64_t limit_us)
{
	(void)rig, (void)board, (void)sign, (void)limit_us;
	return -EOPNOTSUPP;
}

static const struct rig_fault *board_fault(struct rig *rig, unsigned board)
{
	(void)rig, (void)board;
	return NULL;
}

static int board_button(struct rig *rig, unsigned board, bool pressed)
{
	(void)rig, (void)board, (void)pressed;
	return -EOPNOTSUPP;
}

static int board_fault_add(struct rig *rig, unsigned board, const char *rule, char why[RIG_WHY])
{
	(void)rig, (void)board, (void)rule;
	snprintf(why, RIG_WHY, "a real board has no faults to order");
	return -EOPNOTSUPP;
}

static int board_fault_clear(struct rig *rig, unsigned board)
{
	(void)rig, (void)board;
	return -EOPNOTSUPP;
}

static int board_durations(struct rig *rig, enum flash_durations durations)
{
	(void)rig, (void)durations;
	return -EOPNOTSUPP;
}

static int board_software_entry(struct rig *rig, unsigned board)
{
	(void)rig, (void)board;
	return -EOPNOTSUPP;
}

static const struct mcu_profile *board_profile(struct rig *rig, unsigned board)
{
	return board == 1 ? board_of(rig)->profile : NULL;
}

static const char *board_why(struct rig *rig)
{
	struct board *b = board_of(rig);

	return *b->why ? b->why : NULL;
}

/* --- opening and closing --- */

unsigned rig_board_can(const struct board_rig *f)
{
	unsigned can = RIG_STATE | RIG_FIRMWARE;
	char device[32], why[USBMON_TAP_WHY];

	if (f->wires[WIRE_BOOT0] && f->reset_by != WIRES)
		can |= RIG_PINS | RIG_PREPARE | RIG_READ;
	if (f->wires[WIRE_POWER])
		can |= RIG_POWER;
	if (f->wires[WIRE_VBUS])
		can |= RIG_CABLE;
	if (f->console || f->console_usb)
		can |= RIG_CONSOLE | RIG_SEND;
	if (f->usbmon) {
		usbmon_tap_device(f->port, device);
		if (!usbmon_tap_possible(strcmp(f->usbmon, "auto") ? f->usbmon : device, why))
			can |= RIG_TRANSCRIPT | RIG_EVENTS;
	}
	return can;
}

int rig_board_possible(const struct board_rig *f, char why[RIG_WHY])
{
	char reason[WIRES_WHY];
	struct history *history;

	if (wires_possible(f, reason)) {
		snprintf(why, RIG_WHY, "%s", reason);
		return -ENOSYS;
	}
	if (!mcu_profile_find(f->profile)) {
		snprintf(why, RIG_WHY, "there is no profile '%.60s'", f->profile);
		return -EINVAL;
	}
	/* Where it is to be recorded from is written in the file: that it cannot be is no reason to go without. */
	if (f->usbmon && strcmp(f->usbmon, "auto") && usbmon_tap_possible(f->usbmon, reason)) {
		snprintf(why, RIG_WHY, "%s", reason);
		return -EIO;
	}
	if (!f->wear_warn && !f->wear_stop)
		return 0;
	history = history_open(NULL, reason);
	if (!history) {
		snprintf(why, RIG_WHY, "the board's wear is not known: %.600s", reason);
		return -EIO;
	}
	history_close(history);
	return 0;
}

struct rig_board_claim {
	struct board_lock *lock;
	struct place_keeper *keeper; /* NULL: no places */
};

/* Of another name than the lock of the wires, which comes and goes with each rig that is opened. */
struct rig_board_claim *rig_board_claim(const struct board_rig *f, int *error, char why[RIG_WHY])
{
	struct rig_board_claim *c = calloc(1, sizeof(*c));
	char serial[80], port[80], reason[WIRES_WHY];

	if (!c) {
		*error = -ENOMEM;
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	snprintf(serial, sizeof(serial), "run-%.64s", f->serial ? f->serial : "");
	snprintf(port, sizeof(port), "run-%.64s", f->port ? f->port : "");
	c->lock = board_lock_take(f->serial ? serial : NULL, f->port ? port : NULL, error, reason);
	if (c->lock)
		c->keeper = place_keeper_start(f, c->lock, error, reason);
	if (!*error)
		return c;
	snprintf(why, RIG_WHY, "%.*s", RIG_WHY - 1, reason);
	board_lock_give(c->lock);
	free(c);
	return NULL;
}

void rig_board_claim_free(struct rig_board_claim *c)
{
	if (!c)
		return;
	place_keeper_end(c->keeper);
	board_lock_give(c->lock);
	free(c);
}

/* As setup wants it: what the wires can do, and nothing that a scenario would be skipped for. */
static int set_start(struct board *b, const struct rig_setup *s)
{
	struct host_device d;
	uint64_t end;
	int r = board_wire(b, WIRE_BOOT0, s->boot0);

	if (!r)
		r = board_reset(b);
	for (end = board_now_us(b) + b->file->listed_us; !r && board_now_us(b) < end; board_pause(b, POLL_US)) {
		char why[BOARD_USB_WHY];
		int rom = board_usb_rom(b->file, &d, why);

		if (s->boot0 ? !rom && board_is_ready(b, &d) : rom == -ENODEV)
			break;
	}
	/* Its application, if the file says that there is one, and something is there to be started. */
	for (end = board_now_us(b) + b->file->listed_us / 4;
	     !r && !s->boot0 && b->flash_known && look_may_start(b) && (b->file->app_vendor || b->file->app_product) &&
	     board_now_us(b) < end;
	     board_pause(b, POLL_US))
		if (!board_usb_application(b->file, *b->port ? b->port : NULL, &d) && d.configured)
			break;
	if (!r && !s->plugged)
		r = board_pin(&b->rig, 1, PIN_VBUS, false);
	if (!r && !s->powered)
		r = board_pin(&b->rig, 1, PIN_VDD, false);
	return r;
}

struct board_lock *rig_board_turn(const struct board_rig *f, int *error, char why[WIRES_WHY])
{
	char name[32];

	snprintf(name, sizeof(name), "turn-%04x:%04x", f->vendor, f->product);
	return board_lock_take(name, NULL, error, why);
}

static int take_turn(struct board *b)
{
	uint64_t end = board_now_us(b) + TURN_US;
	char why[WIRES_WHY];
	int error;

	while (!(b->turn = rig_board_turn(b->file, &error, why))) {
		if (error != -EBUSY || board_now_us(b) >= end)
			return board_fail(b, error, "%s", why);
		board_pause(b, TURN_POLL_US);
	}
	return 0;
}

/* It leaves its ROM, so that the next one's tools find no other. */
static void leave_rom(struct board *b)
{
	char why[BOARD_USB_WHY];
	struct host_device d;

	if (!b->wires || !b->turn || !(b->ops.can & RIG_PINS) || board_usb_rom(b->file, &d, why))
		return;
	if (!board_wire(b, WIRE_BOOT0, false) && !board_reset(b))
		look_wait_gone(b, &d, GONE_US);
}

static void board_close(struct rig *rig)
{
	struct board *b = board_of(rig);
	uint8_t now[OPTION_MAX_BYTES];

	/* What this scenario has made of the option bytes is no start for the next. */
	if (b->wires && b->options_changed &&
	    (board_options_read(rig, 1, now) || (memcmp(now, b->options_before, option_bytes_size(b->profile)) &&
						 board_options_load(rig, 1, b->options_before))))
		fprintf(stderr, "dfuhil: the option bytes are not as they were before: %s\n", b->why);
	if (b->wires)
		board_wear_save(b);
	usbmon_tap_close(b->tap);
	console_port_free(b->console);
	b->tap = NULL;
	b->console = NULL;
	leave_rom(b);
	wires_close(b->wires);
	board_lock_give(b->turn);
	history_close(b->history);
	free(b->events);
	free(b->flash);
	free(b);
}

static int open_board(struct board *b, const struct rig_setup *s)
{
	struct host_device d;
	char why[WIRES_WHY];
	int r = 0;

	b->profile = mcu_profile_find(b->file->profile);
	b->flash = b->profile ? malloc(b->profile->flash_size_bytes) : NULL;
	if (!b->flash)
		return board_fail(b, -ENOMEM, "%s", strerror(ENOMEM));
	r = board_wear_open(b);
	if (r)
		return r;
	b->wires = wires_open(b->file, &r, why);
	if (!b->wires)
		return board_fail(b, r, "%s", why);
	board_idles(b);
	r = take_turn(b);
	for (enum wire w = WIRE_POWER; w <= WIRE_VBUS && !r; w++)
		if (!b->high[w])
			r = board_wire(b, w, true);
	if (r)
		return r;
	if (b->file->console || b->file->console_usb) {
		b->console = console_port_new(b->file->console, b->port, b->file->console_speed);
		if (!b->console)
			return board_fail(b, -ENOMEM, "%s", strerror(ENOMEM));
	}
	if (!(b->ops.can & RIG_PINS)) /* it is taken as it is */
		return board_record_open(b, s->capture);
	r = board_enter(b, &d);
	if (!r)
		r = board_look(b);
	/* From here on, with the enumeration that the reset brings. */
	if (!r)
		r = board_record_open(b, s->capture);
	return r ? r : set_start(b, s);
}

static const struct rig_ops board_ops = {
	.name = "board",
	.can = RIG_STATE,
	.pin = board_pin,
	.pass = board_pass,
	.wait_usb = board_wait_usb,
	.wait_console = board_wait_console,
	.console_said = board_console_said,
	.console_send = board_console_send,
	.wait_sign = board_wait_sign,
	.button = board_button,
	.fault = board_fault,
	.now_us = board_now,
	.run = board_run,
	.crowded = board_crowded,
	.look = board_peek,
	.flash_load = board_flash_load,
	.flash_read = board_flash_read,
	.options_load = board_options_load,
	.options_read = board_options_read,
	.status = board_status,
	.fault_add = board_fault_add,
	.fault_clear = board_fault_clear,
	.durations = board_durations,
	.software_entry = board_software_entry,
	.profile = board_profile,
	.transcript = board_transcript,
	.events = board_events,
	.why = board_why,
	.close = board_close,
};

struct rig *rig_board_open(const struct board_rig *file, const struct rig_setup *setup, char why[RIG_WHY])
{
	struct board *b = setup->boards == 1 ? calloc(1, sizeof(*b)) : NULL;

	assert(setup->capture);
	if (!b) {
		snprintf(why, RIG_WHY, "%s", setup->boards == 1 ? strerror(ENOMEM) : "the rig is one board");
		return NULL;
	}
	b->file = file;
	b->ops = board_ops;
	b->ops.can = rig_board_can(file);
	b->rig.ops = &b->ops;
	b->start_us = board_clock_us(CLOCK_MONOTONIC);
	b->origin_us = board_clock_us(CLOCK_REALTIME);
	if (file->port)
		snprintf(b->port, sizeof(b->port), "%s", file->port);
	if (file->serial)
		snprintf(b->serial, sizeof(b->serial), "%s", file->serial);
	if (!open_board(b, setup))
		return &b->rig;
	snprintf(why, RIG_WHY, "%s", b->why);
	board_close(&b->rig);
	return NULL;
}
