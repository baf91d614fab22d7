// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig: boards behind a control socket; tools run on this machine and see what its kernel, or another bus, shows them. */
#include "rig_control.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "control_link.h"
#include "control_boards.h"
#include "host_bus.h"
#include "tool_process.h"

#define POLL_MS 10       /* between two looks at the host's list */
#define GONE_MS 3000     /* for the host to notice that a board has gone */
#define LISTED_MS 15000  /* for the host to list the boards at the start */
#define STRANGER_MS 1000 /* what is listed so long, and is none of the boards, is there to stay */

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

/* --- time, pins, cables --- */

static uint64_t control_now(struct rig *rig)
{
	return control_time(control_of(rig));
}

static int control_pass(struct rig *rig, uint64_t us)
{
	struct control_rig *r = control_of(rig);
	json_t *answer;
	int error = control_link_send(r->link, "in %lluus time", (unsigned long long)us);

	if (error)
		return error;
	answer = control_link_next(r->link, -1, &error);
	json_decref(answer);
	return error;
}

/* As the host has it, by the address that the dfuemu tells; NULL: not (yet). */
static const struct host_device *find_board(const struct control_board *b, const struct host_device *devices,
					    size_t count)
{
	for (size_t i = 0; b->address && i < count; i++)
		if (devices[i].address == b->address &&
		    (devices[i].vendor == b->ids[0] || devices[i].vendor == b->ids[1] ||
		     devices[i].vendor == b->ids[2]))
			return &devices[i];
	return NULL;
}

/* A board that goes by a pin of ours is gone for the host, too, when the step is over: a tool that runs next would find what is no
 * more. On a bus in this process that is so by itself. */
static int control_pin(struct rig *rig, unsigned board, enum mcu_pin pin, bool high)
{
	static const char *const commands[][2] = { [PIN_BOOT0] = { "boot0 low", "boot0 high" },
						   [PIN_BOOT1] = { "boot1 low", "boot1 high" },
						   [PIN_NRST] = { "nrst low", "nrst high" },
						   [PIN_VDD] = { "power off", "power on" },
						   [PIN_VBUS] = { "unplug", "plug" } };
	struct control_rig *r = control_of(rig);
	struct host_device devices[HOST_DEVICES], was = { 0 };
	const struct host_device *found = NULL;
	struct control_board before;
	uint64_t end;
	int error;

	if (!high && pin != PIN_BOOT0 && pin != PIN_BOOT1 && r->knows_addresses && !control_status(r, board, &before))
		found = find_board(&before, devices, host_devices(devices));
	if (found)
		was = *found;
	error = control_command(r, board, "%s", commands[pin][high]);
	for (end = wall_ms() + GONE_MS; !error && found && host_device_is_listed(&was) && wall_ms() < end;)
		pause_ms(POLL_MS);
	return error;
}

static bool has_id(const struct host_device *d, uint16_t vendor, uint16_t product)
{
	return d->vendor == vendor && d->product == product;
}

/* Is it one of the boards as they are now? Without addresses nobody can tell, and the host is believed. */
static bool is_board(struct control_rig *r, unsigned board, const struct host_device *d)
{
	struct control_board b;

	for (unsigned i = 1; i <= r->boards; i++)
		if ((!board || i == board) && !control_status(r, i, &b) && b.attached && b.address == d->address)
			return true;
	return false;
}

struct stranger {
	struct host_device device;
	uint64_t since_ms; /* 0: none */
};

static bool is_there(struct control_rig *r, unsigned board, uint16_t vendor, uint16_t product,
		     struct stranger *stranger)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++) {
		const struct host_device *d = &devices[i];

		if (!has_id(d, vendor, product) || !d->configured)
			continue;
		if (!r->knows_addresses || is_board(r, board, d))
			return true;
		if (board)
			continue;
		/* A bystander, or a board that has gone and the host does not know it yet. */
		if (!stranger->since_ms || stranger->device.bus != d->bus || stranger->device.address != d->address)
			*stranger = (struct stranger){ *d, wall_ms() };
		else if (wall_ms() - stranger->since_ms > STRANGER_MS)
			return true;
	}
	return false;
}

static bool is_gone(struct control_rig *r, unsigned board, uint16_t vendor, uint16_t product)
{
	struct host_device devices[HOST_DEVICES];
	size_t count = host_devices(devices);

	for (size_t i = 0; i < count; i++)
		if (has_id(&devices[i], vendor, product) &&
		    (!board || !r->knows_addresses || is_board(r, board, &devices[i])))
			return false;
	return true;
}

static int control_wait_usb(struct rig *rig, unsigned board, uint16_t vendor, uint16_t product, bool there,
			    uint64_t limit_us)
{
	struct control_rig *r = control_of(rig);
	uint64_t start = control_time(r);
	struct stranger stranger = { .since_ms = 0 };

	if (board > r->boards)
		return -ENOENT;
	for (;;) {
		if (there ? is_there(r, board, vendor, product, &stranger) : is_gone(r, board, vendor, product))
			return 0;
		if (r->lost)
			return -ECONNRESET;
		if (control_time(r) - start >= limit_us)
			return -ETIMEDOUT;
		pause_ms(POLL_MS);
	}
}

static int control_wait_console(struct rig *rig, unsigned board, const char *regex, bool fresh, uint64_t limit_us)
{
	struct control_rig *r = control_of(rig);
	uint64_t start = control_time(r);
	struct control_board b;

	if (!board || board > r->boards)
		return -ENOENT;
	for (;;) {
		if (control_status(r, board, &b)) /* with all events up to now */
			return -ECONNRESET;
		if (console_text_matches(&r->signs[board].console, regex, fresh))
			return 0;
		if (control_time(r) - start >= limit_us)
			return -ETIMEDOUT;
		pause_ms(POLL_MS);
	}
}

static const char *control_console_said(struct rig *rig, unsigned board)
{
	struct control_rig *r = control_of(rig);
	const char *text = board && board <= r->boards ? r->signs[board].console.text : NULL;

	return text ? text : "";
}

/* As `dfuemu ctl` reads it. */
static int control_console_send(struct rig *rig, unsigned board, const char *text)
{
	struct control_rig *r = control_of(rig);
	struct control_board b;
	char *escaped = malloc(4 * strlen(text) + 1), *to = escaped;
	int error;

	if (!escaped)
		return -ENOMEM;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c != '\\' && c < 0x7f)
			*to++ = (char)c;
		else
			to += sprintf(to, "\\x%02x", c);
	}
	*to = 0;
	error = control_status(r, board, &b); /* with all events up to now */
	if (!error) {
		console_text_mark(&r->signs[board].console);
		error = control_command(r, board, "console send %s", escaped);
	}
	free(escaped);
	return error;
}

static int control_wait_sign(struct rig *rig, unsigned board, const struct rig_sign *sign, uint64_t limit_us)
{
	struct control_rig *r = control_of(rig);
	uint64_t start = control_time(r);
	struct control_board b;

	if (!board || board > r->boards)
		return -ENOENT;
	for (;;) {
		if (control_status(r, board, &b)) /* with all events up to now */
			return -ECONNRESET;
		if (board_signs_show(&r->signs[board], sign))
			return 0;
		if (control_time(r) - start >= limit_us)
			return -ETIMEDOUT;
		pause_ms(POLL_MS);
	}
}

static const struct rig_fault *control_fault(struct rig *rig, unsigned board)
{
	struct control_rig *r = control_of(rig);
	struct control_board b;

	if (!board || board > r->boards)
		return NULL;
	control_status(r, board, &b); /* with all events up to now */
	return r->signs[board].fault.count ? &r->signs[board].fault : NULL;
}

static int control_button(struct rig *rig, unsigned board, bool pressed)
{
	return control_command(control_of(rig), board, "button %s", pressed ? "press" : "release");
}

/* --- a tool --- */

enum { FD_ENDED, FD_OUT, FD_ERROR, FD_EVENTS, FD_LIMIT, FD_FIRST_SIGNAL };
#define FDS (FD_FIRST_SIGNAL + CONTROL_BOARDS)

/* Connections on which the dfuemu says that something is due. */
struct alarms {
	struct control_link *limit, *signal[CONTROL_BOARDS];
};

static void alarms_close(struct alarms *a)
{
	control_link_close(a->limit);
	for (unsigned i = 0; i < CONTROL_BOARDS; i++)
		control_link_close(a->signal[i]);
}

static int set_alarm(struct control_rig *r, struct control_link **link, char why[RIG_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int set_alarm(struct control_rig *r, struct control_link **link, char why[RIG_WHY], const char *format, ...)
{
	char line[128];
	va_list args;
	int error;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	*link = control_link_open(r->socket, why);
	if (!*link)
		return -ECONNREFUSED;
	error = control_link_send(*link, "%s", line);
	if (error)
		snprintf(why, RIG_WHY, "the dfuemu on the control socket does not listen: %s", strerror(-error));
	return error;
}

static int set_alarms(struct control_rig *r, const struct rig_run *run, struct alarms *a, char why[RIG_WHY])
{
	int error = 0;

	if (run->limit_us)
		error = set_alarm(r, &a->limit, why, "in %lluus time", (unsigned long long)run->limit_us);
	if (!error && run->signal && !run->signal_after_requests)
		error = set_alarm(r, &a->signal[0], why, "in %lluus time", (unsigned long long)run->signal_after_us);
	for (unsigned i = 0; !error && run->signal && run->signal_after_requests && i < r->boards; i++)
		error = set_alarm(r, &a->signal[i], why, "board %u wait requests %u", r->numbers[i + 1],
				  run->signal_after_requests);
	return error;
}

/* Has it gone off? One that fails never does. */
static bool rings(struct control_link **link, short revents)
{
	bool due = false;
	json_t *answer;
	int error;

	if (!*link || !revents)
		return false;
	answer = control_link_next(*link, 0, &error);
	if (error == -EAGAIN)
		return false;
	due = answer && json_is_true(json_object_get(answer, "ok"));
	json_decref(answer);
	control_link_close(*link);
	*link = NULL;
	return due;
}

static int fd_of(const struct control_link *link)
{
	return link ? control_link_fd(link) : -1;
}

/* Until the tool is over, or has to be. 0 or -errno. */
static int attend(struct control_rig *r, struct tool_process *p, struct alarms *a, struct rig_ran *ran)
{
	uint64_t start = wall_ms(), limit = p->run->wall_limit_ms;
	struct pollfd fds[FDS];

	for (;;) {
		uint64_t passed = wall_ms() - start;

		fds[FD_ENDED] = (struct pollfd){ .fd = p->ended, .events = POLLIN };
		fds[FD_OUT] = (struct pollfd){ .fd = p->out, .events = POLLIN };
		fds[FD_ERROR] = (struct pollfd){ .fd = p->err, .events = POLLIN };
		fds[FD_EVENTS] = (struct pollfd){ .fd = control_link_fd(r->listener), .events = POLLIN };
		fds[FD_LIMIT] = (struct pollfd){ .fd = fd_of(a->limit), .events = POLLIN };
		for (unsigned i = 0; i < CONTROL_BOARDS; i++)
			fds[FD_FIRST_SIGNAL + i] = (struct pollfd){ .fd = fd_of(a->signal[i]), .events = POLLIN };
		if (limit && passed >= limit) {
			ran->wall_timed_out = true;
			return 0;
		}
		if (poll(fds, FDS, limit ? (int)(limit - passed) : -1) < 0 && errno != EINTR)
			return -errno;
		tool_process_listen(p);
		/* They must not pile up, or the dfuemu hangs up on us. */
		if (fds[FD_EVENTS].revents && control_listen(r, 0) == -ECONNRESET)
			return -ECONNRESET;
		if (fds[FD_ENDED].revents)
			return 0;
		if (rings(&a->limit, fds[FD_LIMIT].revents)) {
			ran->timed_out = true;
			return 0;
		}
		for (unsigned i = 0; i < CONTROL_BOARDS; i++)
			if (rings(&a->signal[i], fds[FD_FIRST_SIGNAL + i].revents) && !ran->signalled) {
				ran->signalled = true;
				tool_process_signal(p, p->run->signal);
			}
	}
}

static int control_run(struct rig *rig, const struct rig_run *run, struct rig_ran *ran, char why[RIG_WHY])
{
	struct control_rig *r = control_of(rig);
	struct alarms alarms = { 0 };
	struct tool_process p;
	int error = set_alarms(r, run, &alarms, why);

	*ran = (struct rig_ran){ .start_us = control_time(r) };
	if (!error)
		error = tool_process_start(&p, run, &ran->exec_failed, why);
	if (!error) {
		error = attend(r, &p, &alarms, ran);
		if (error)
			snprintf(why, RIG_WHY, "%s, the tool was killed",
				 error == -ECONNRESET ? "the dfuemu on the control socket has gone" : strerror(-error));
		ran->end_us = control_time(r);
		ran->status = tool_process_finish(&p);
	}
	alarms_close(&alarms);
	return ran->exec_failed ? 0 : error;
}

/* --- opening --- */

static bool is_through(struct control_rig *r, unsigned board)
{
	struct host_device devices[HOST_DEVICES];
	const struct host_device *d;
	struct control_board b;

	if (control_status(r, board, &b) || b.status.mode == MCU_OFF || b.status.mode == MCU_LOCKUP)
		return true;
	if (!b.attached)
		return b.status.mode == MCU_ROM_OTHER || !b.plugged;
	if (r->knows_addresses) {
		d = find_board(&b, devices, host_devices(devices));
		return d && d->configured;
	}
	for (size_t i = 0, count = host_devices(devices); i < count; i++)
		if (devices[i].vendor == b.ids[0] && devices[i].configured)
			return true;
	return false;
}

/* Until the host lists all boards that are to be there: tools are to find them as on a bus of their own. */
static void wait_for_host(struct control_rig *r)
{
	uint64_t end = wall_ms() + LISTED_MS;

	for (unsigned i = 1; i <= r->boards; i++)
		while (!is_through(r, i) && wall_ms() < end)
			pause_ms(POLL_MS);
}

/* The next scenario's tool must not see this one's boards: the kernel takes them away a moment after their ports are free. */
static void end_server(struct control_rig *r)
{
	struct host_device devices[HOST_DEVICES], were[CONTROL_BOARDS];
	size_t count = host_devices(devices), n = 0;
	uint64_t end;
	struct control_board b;

	for (unsigned i = 1; i <= r->boards && r->knows_addresses; i++) {
		const struct host_device *d = control_status(r, i, &b) ? NULL : find_board(&b, devices, count);

		if (d)
			were[n++] = *d;
	}
	server_end(r->server);
	for (end = wall_ms() + GONE_MS; n && wall_ms() < end;) {
		if (host_device_is_listed(&were[n - 1]))
			pause_ms(POLL_MS);
		else
			n--;
	}
}

static void control_close(struct rig *rig)
{
	struct control_rig *r = control_of(rig);

	if (r->server)
		end_server(r);
	else
		for (unsigned i = 1; i <= r->boards && r->link; i++)
			control_command(r, i, "fault clear");
	if (r->part && !r->lost)
		control_keep_part(r, r->part);
	free(r->part);
	control_rig_free(r);
}

static int control_peek(struct rig *rig, unsigned board)
{
	(void)rig, (void)board;
	return 0;
}

static bool control_crowded(struct rig *rig)
{
	(void)rig;
	return false;
}

static const char *control_why(struct rig *rig)
{
	(void)rig;
	return NULL;
}

static const struct rig_ops control_ops = {
	.name = "control",
	.can = RIG_PINS | RIG_POWER | RIG_CABLE | RIG_PREPARE | RIG_READ | RIG_STATE | RIG_FAULTS | RIG_DURATIONS |
	       RIG_CONSOLE | RIG_SOFTWARE_ENTRY | RIG_EVENTS | RIG_INSIDE | RIG_BOOT1 | RIG_FIRMWARE | RIG_SEND |
	       RIG_LEDS | RIG_BUTTON,
	.pin = control_pin,
	.pass = control_pass,
	.wait_usb = control_wait_usb,
	.wait_console = control_wait_console,
	.console_said = control_console_said,
	.console_send = control_console_send,
	.wait_sign = control_wait_sign,
	.button = control_button,
	.fault = control_fault,
	.now_us = control_now,
	.run = control_run,
	.crowded = control_crowded,
	.look = control_peek,
	.flash_load = control_flash_load,
	.flash_read = control_flash_read,
	.options_load = control_options_load,
	.options_read = control_options_read,
	.status = control_board_status,
	.fault_add = control_fault_add,
	.fault_clear = control_fault_clear,
	.durations = control_durations,
	.software_entry = control_software_entry,
	.profile = control_profile,
	.transcript = control_transcript,
	.events = control_events,
	.why = control_why,
	.close = control_close,
};

struct rig *control_rig_open(const struct rig_setup *setup, const char *socket, struct server *server,
			     char why[RIG_WHY])
{
	struct control_rig *r = control_rig_new(setup, socket, why);

	if (!r) {
		server_end(server);
		return NULL;
	}
	r->server = server;
	r->ops = control_ops;
	r->rig.ops = &r->ops;
	if (server) {
		r->ops.name = "vhci";
		r->ops.can |= RIG_PROFILES | RIG_BOARDS | RIG_IRREVERSIBLE;
	}
	if (r->capture)
		r->ops.can |= RIG_TRANSCRIPT;
	if (control_set_up(r, setup, server == NULL, why)) {
		control_close(&r->rig);
		return NULL;
	}
	wait_for_host(r);
	r->part = server ? NULL : strdup(setup->capture);
	return &r->rig;
}

struct rig *rig_control_open(const struct rig_setup *setup, const char *socket, char why[RIG_WHY])
{
	return control_rig_open(setup, socket, NULL, why);
}
