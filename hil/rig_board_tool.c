// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig of a real board: a tool, as a child of this process, once it is sure which board it will find. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "rig_board_internal.h"
#include "tool_process.h"

/* One that is told no serial number takes whatever has the ID: there must be none but the board. */
static int check_bus(struct board *b, const char *serial)
{
	char why[BOARD_USB_WHY];
	struct host_device d;
	bool told = serial && *b->serial && !strcasecmp(serial, b->serial);
	int r = told ? board_usb_rom(b->file, &d, why) : board_usb_rom_alone(b->file, &d, why);

	if (!r)
		board_learn(b, &d);
	if (r && r != -ENODEV)
		return board_fail(b, r, "no tool is run: %s", why);
	for (unsigned i = 0; i < b->sector_count; i++)
		if (board_wear_check(b, i))
			return -EDQUOT;
	return 0;
}

bool board_crowded(struct rig *rig)
{
	char why[BOARD_USB_WHY];
	struct host_device d;

	return !board_usb_rom(board_of(rig)->file, &d, why) && board_usb_rom_alone(board_of(rig)->file, &d, why);
}

static bool passed(uint64_t limit, uint64_t since, uint64_t now, int *wait_ms)
{
	uint64_t left;

	if (!limit)
		return false;
	if (now - since >= limit)
		return true;
	left = (limit - (now - since) + 999) / 1000;
	if (*wait_ms < 0 || left < (uint64_t)*wait_ms)
		*wait_ms = left > 60000 ? 60000 : (int)left;
	return false;
}

/* Until the tool is over, or has to be. 0 or -errno. */
static int attend(struct board *b, struct tool_process *p, struct rig_ran *ran)
{
	const struct rig_run *run = p->run;
	unsigned requests = b->tap ? usbmon_tap_requests(b->tap) : 0;

	for (;;) {
		uint64_t now = board_now_us(b);
		int wait_ms = b->console && console_port_fd(b->console) < 0 ? 50 : -1;
		struct pollfd fds[] = {
			{ .fd = p->ended, .events = POLLIN },
			{ .fd = p->out, .events = POLLIN },
			{ .fd = p->err, .events = POLLIN },
			{ .fd = b->tap ? usbmon_tap_fd(b->tap) : -1, .events = POLLIN },
			{ .fd = b->console ? console_port_fd(b->console) : -1, .events = POLLIN },
		};
		bool due = run->signal && !ran->signalled && run->signal_after_requests && b->tap &&
			   usbmon_tap_requests(b->tap) - requests >= run->signal_after_requests;

		if (run->signal && !ran->signalled && !run->signal_after_requests)
			due = passed(run->signal_after_us ? run->signal_after_us : 1, ran->start_us, now, &wait_ms);
		if (due) {
			ran->signalled = true;
			tool_process_signal(p, run->signal);
		}
		if (passed(run->wall_limit_ms * 1000, ran->start_us, now, &wait_ms)) {
			ran->wall_timed_out = true;
			return 0;
		}
		if (passed(run->limit_us, ran->start_us, now, &wait_ms)) {
			ran->timed_out = true;
			return 0;
		}
		if (poll(fds, sizeof(fds) / sizeof(*fds), wait_ms) < 0 && errno != EINTR)
			return board_fail(b, -errno, "cannot wait for the tool: %s", strerror(errno));
		tool_process_listen(p);
		if (b->tap)
			usbmon_tap_drain(b->tap);
		if (b->console)
			console_port_listen(b->console);
		if (fds[0].revents)
			return 0;
	}
}

int board_run(struct rig *rig, const struct rig_run *run, struct rig_ran *ran, char why[RIG_WHY])
{
	struct board *b = board_of(rig);
	struct tool_process p;
	int error = check_bus(b, run->serial);

	*ran = (struct rig_ran){ .start_us = board_now_us(b) };
	if (error) {
		snprintf(why, RIG_WHY, "%s", b->why);
		return error;
	}
	/* From here on it is known no longer what is in it. */
	b->flash_known = b->options_known = false;
	b->touched = true;
	if (run->warned && !b->warned && board_wear_warning(b, why)) {
		run->warned(run->context, why);
		b->warned = true;
	}
	board_wear_foresee(b, run->erases, run->erase_count);
	error = tool_process_start(&p, run, &ran->exec_failed, why);
	if (!error) {
		error = attend(b, &p, ran);
		if (error)
			snprintf(why, RIG_WHY, "%s", b->why);
		ran->end_us = board_now_us(b);
		ran->status = tool_process_finish(&p);
		board_wear_save(b);
	}
	return ran->exec_failed ? 0 : error;
}
