// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig of a real board: its clock and its wires, with the times of the rig file. */
#include <poll.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "rig_board_internal.h"

#define CONSOLE_POLL_US 50000u /* between two looks for a console that is not there */

int board_fail(struct board *b, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, sizeof(b->why), format, args);
	va_end(args);
	return error;
}

/* --- time --- */

uint64_t board_clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t board_now_us(const struct board *b)
{
	return board_clock_us(CLOCK_MONOTONIC) - b->start_us;
}

bool board_is_ready(struct board *b, const struct host_device *d)
{
	return host_device_is_ready(d, board_now_us(b), &b->refused);
}

/* Neither what usbmon keeps nor what the kernel keeps of a serial port lasts for ever. */
static void listen(struct board *b)
{
	if (b->tap)
		usbmon_tap_drain(b->tap);
	if (b->console)
		console_port_listen(b->console);
}

void board_pause(struct board *b, uint64_t us)
{
	uint64_t end = board_now_us(b) + us, now;

	for (listen(b); (now = board_now_us(b)) < end; listen(b)) {
		struct pollfd fds[] = { { .fd = b->tap ? usbmon_tap_fd(b->tap) : -1, .events = POLLIN },
					{ .fd = b->console ? console_port_fd(b->console) : -1, .events = POLLIN } };
		uint64_t left = end - now;
		struct timespec limit = { .tv_sec = (time_t)(left / 1000000),
					  .tv_nsec = (long)(left % 1000000 * 1000) };

		/* A console that is not there yet is looked for now and then. */
		if (b->console && fds[1].fd < 0 && left > CONSOLE_POLL_US)
			limit = (struct timespec){ .tv_nsec = CONSOLE_POLL_US * 1000L };
		ppoll(fds, 2, &limit, NULL);
	}
}

static void wait_until(struct board *b, uint64_t at)
{
	uint64_t now = board_now_us(b);

	if (now < at)
		board_pause(b, at - now);
}

/* --- wires --- */

static bool has(const struct board *b, enum wire wire)
{
	return b->file->wires[wire];
}

static int set(struct board *b, enum wire wire, bool high)
{
	char why[WIRES_WHY];
	int r = wires_set(b->wires, wire, high, why);

	if (r)
		return board_fail(b, r, "%s", why);
	b->high[wire] = high;
	b->changed_us[wire] = board_now_us(b);
	return 0;
}

/* A reset has ended. */
static void started(struct board *b)
{
	b->in_reset = false;
	b->booted_rom = b->high[WIRE_BOOT0];
	b->left = false;
	b->stuck = false;
	b->touched = false;
	if (b->console && !b->looking)
		console_port_clear(b->console);
}

/* Power and VBUS, for a board may live on either; but a plug that was pulled stays so. */
static int supply(struct board *b, bool high)
{
	const enum wire *w = high ? b->file->on_order : b->file->off_order;
	int r = 0;

	for (; *w != WIRES && !r; w++)
		if (!high || *w != WIRE_VBUS || !b->unplugged)
			r = set(b, *w, high);
	return r;
}

void board_idles(struct board *b)
{
	for (enum wire w = WIRE_BOOT0; w < WIRES; w++) {
		b->high[w] = wire_idles_high(b->file, w);
		b->changed_us[w] = board_now_us(b);
	}
	b->in_reset = !b->high[WIRE_NRST] || !b->high[WIRE_POWER];
	b->unplugged = !b->high[WIRE_VBUS];
}

int board_wire(struct board *b, enum wire wire, bool high)
{
	const struct board_rig *f = b->file;
	uint64_t settled = b->changed_us[WIRE_BOOT0] + f->settle_us;
	int r;

	if (wire == WIRE_NRST && f->reset_by != WIRES)
		wire = f->reset_by; /* the supply, where that is the only reset that there is */
	if (!has(b, wire))
		return board_fail(b, -EOPNOTSUPP, "the rig has no wire '%s'", wire_name(wire));
	if (wire == WIRE_BOOT0 || wire == WIRE_VBUS) {
		if (wire == WIRE_VBUS)
			b->unplugged = !high;
		return set(b, wire, high);
	}
	if (!high) {
		b->in_reset = true;
		return wire == WIRE_NRST ? set(b, wire, false) : supply(b, false);
	}
	if (!b->high[wire])
		wait_until(b, b->changed_us[wire] + (wire == WIRE_NRST ? f->reset_us : f->off_us));
	wait_until(b, settled);
	r = wire == WIRE_NRST ? set(b, wire, true) : supply(b, true);
	if (r)
		return r;
	started(b);
	if (wire == WIRE_POWER)
		board_pause(b, f->on_us);
	return 0;
}

int board_reset(struct board *b)
{
	int r = board_wire(b, WIRE_NRST, false);

	return r ? r : board_wire(b, WIRE_NRST, true);
}

void board_learn(struct board *b, const struct host_device *d)
{
	snprintf(b->port, sizeof(b->port), "%s", d->port);
	if (d->vendor == b->file->vendor && d->product == b->file->product && *d->serial)
		snprintf(b->serial, sizeof(b->serial), "%s", d->serial);
}
