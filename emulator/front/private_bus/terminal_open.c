/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a terminal and closing it, by the tool or because its device goes. */
#include "terminals_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLOSING_US 30000000u /* how long a close waits for the device to take what was written */

static void cancel(struct transfer **x)
{
	if (*x)
		transfer_cancel(*x, -ENOENT);
	*x = NULL;
}

/* The pseudo-terminal goes, what was set remains. */
static void leave(struct terminal *t)
{
	bench_cancel(t->bus->bench, &t->close_limit);
	bench_cancel(t->bus->bench, &t->read_again);
	bench_cancel(t->bus->bench, &t->listen_again);
	if (t->master >= 0) {
		ioctl(t->master, TCGETS2, &t->settings);
		bus_unwatch(t->bus, t->watch);
		close(t->master);
	}
	free(t->in_data);
	free(t->out_data);
	t->in_data = t->out_data = NULL;
	t->watch = NULL;
	t->master = -1;
	t->closing = t->dry = t->lowered = t->dirty = t->starved = t->exclusive = false;
	t->in_length = t->out_length = t->commit = 0;
}

static void lowered(struct transfer *x)
{
	struct terminal *t = x->terminal;

	transfer_free(x);
	leave(t);
	terminal_again(t, CALL_OPEN);
}

void terminal_end_closing(struct terminal *t)
{
	struct termios2 now = t->settings;

	if (t->lowered)
		return;
	t->lowered = true;
	bench_cancel(t->bus->bench, &t->close_limit);
	ioctl(t->master, TCGETS2, &now);
	cancel(&t->reading);
	cancel(&t->listening);
	if (now.c_cflag & HUPCL) {
		t->line = 0;
		terminal_request(t, NULL, SET_CONTROL_LINE_STATE, 0, NULL, 0, lowered);
	} else {
		leave(t);
		terminal_again(t, CALL_OPEN);
	}
}

static void close_late(struct bench_event *e)
{
	struct terminal *t = e->context;

	t->out_length = t->commit = 0;
	t->dry = true;
	cancel(&t->writing);
	terminal_end_closing(t);
}

/* The last descriptor of the tool is closed. */
static void begin_closing(struct terminal *t)
{
	if (t->closing)
		return;
	t->closing = true;
	bus_unwatch(t->bus, t->watch); /* it would tell so for ever */
	t->watch = NULL;
	t->in_length = 0;
	t->close_limit.fire = close_late;
	t->close_limit.context = t;
	bench_after(t->bus->bench, &t->close_limit, CLOSING_US);
	terminal_progress(t);
}

static bool is_hung_up(const struct terminal *t)
{
	struct pollfd fd = { .fd = t->master, .events = POLLIN };

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP);
}

void terminal_ready(struct private_bus *bus, struct watch *w)
{
	struct terminal *t = w->context;

	(void)bus;
	if (is_hung_up(t)) {
		begin_closing(t);
		return;
	}
	terminal_deliver(t);
	terminal_pull(t);
	terminal_watch_for(t);
}

void terminal_hang_up(struct terminal *t)
{
	struct transfer *x;
	struct held *h;

	cancel(&t->reading);
	cancel(&t->listening);
	cancel(&t->writing);
	bench_cancel(t->bus->bench, &t->break_end);
	leave(t);
	t->line = 0;
	/* Requests on their way are taken back, and their callers told. */
again:
	for (x = t->port->transfers; x; x = x->next)
		if (x->terminal == t) {
			transfer_cancel(x, -ENOENT);
			goto again;
		}
	if (t->break_call.id)
		answer_error(t->bus, t->break_call.id, -EIO);
	t->break_call.id = 0;
	while ((h = terminal_take_held(t, CALL_NONE))) {
		answer_error(t->bus, h->call.id, h->call.call == CALL_IOCTL ? -EIO : -ENODEV);
		free(h);
	}
}

/* The first open: a pseudo-terminal. 0 or -errno. */
static int enter(struct terminal *t)
{
	int unlocked = 0, err;

	t->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->master < 0) {
		err = -errno;
		bus_warn(t->bus, "a terminal cannot be opened: no pseudo-terminal from /dev/ptmx: %s", strerror(-err));
		return err;
	}
	t->in_data = malloc(TERMINAL_IN_ROOM);
	t->out_data = malloc(TERMINAL_OUT_ROOM);
	if (!t->in_data || !t->out_data) {
		leave(t);
		return -ENOMEM;
	}
	t->credit = TERMINAL_IN_ROOM;
	if (ioctl(t->master, TIOCSPTLCK, &unlocked) || ioctl(t->master, TCSETS2, &t->settings)) {
		err = -errno;
		leave(t);
		return err;
	}
	return 0;
}

static void give(struct transfer *x)
{
	struct private_bus *bus = x->port->bus;
	int fd = (int)x->user_pointer, flags = (int)x->user_buffer;

	if (terminal_is_gone(x->status) && x->call.id)
		answer_error(bus, x->call.id, -ENODEV);
	else if (x->call.id)
		answer_fd(bus, x->call.id, fd, -1, (flags & O_CLOEXEC) != 0);
	close(fd);
	transfer_free(x);
}

/* The device is told that somebody is there, at each open, and then the tool has it. Not at a speed of 0: that hangs up. */
static void raise_lines(struct terminal *t, const struct call_info *c, int fd, int flags)
{
	struct transfer *x = t->gone || !t->settings.c_ospeed ? NULL : transfer_new(t->port, NULL, 0);

	if (!t->gone && !t->settings.c_ospeed) {
		answer_fd(t->bus, c->id, fd, -1, (flags & O_CLOEXEC) != 0);
		close(fd);
		return;
	}
	if (!x) {
		close(fd);
		answer_error(t->bus, c->id, t->gone ? -ENODEV : -ENOMEM);
		return;
	}
	t->line = LINE_DTR | LINE_RTS;
	transfer_control(x, 0x21, SET_CONTROL_LINE_STATE, (uint16_t)t->line, t->control, 0);
	x->terminal = t;
	x->call = *c;
	x->user_pointer = (uint64_t)fd;
	x->user_buffer = (uint64_t)flags;
	x->done = give;
	transfer_start(x, CONTROL_MS);
}

static int open_slave(struct terminal *t, int flags)
{
	int fd = ioctl(t->master, TIOCGPTPEER, (flags & (ACCESS_MODE | O_NONBLOCK)) | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0) {
		t->slave_device = st.st_dev;
		t->slave_inode = st.st_ino;
	}
	return fd;
}

void terminal_open(struct private_bus *bus, const struct call_info *c, struct terminal *t, int flags)
{
	struct call_info later = *c;
	bool first;
	int fd;

	if (t->master >= 0 && !t->closing && is_hung_up(t))
		begin_closing(t); /* it has come to the same, whether we had heard of it or not */
	if (t->closing) {
		later.call = CALL_OPEN;
		later.args[1] = (uint64_t)flags;
		if (terminal_hold(t, &later))
			answer_error(bus, c->id, -ENOMEM);
		return;
	}
	first = t->master < 0;
	fd = t->exclusive ? -EBUSY : first ? enter(t) : 0;
	if (fd >= 0)
		fd = open_slave(t, flags);
	/* Not before it is open: until then there is a hang-up to be heard. */
	if (fd >= 0 && first) {
		t->watch = bus_watch(bus, WATCH_TERMINAL, t->master, EPOLLIN);
		if (t->watch) {
			t->watch->context = t;
		} else {
			close(fd);
			fd = -ENOMEM;
		}
	}
	if (fd < 0) {
		if (first)
			leave(t);
		answer_error(bus, c->id, fd);
		return;
	}
	if (first)
		terminal_listen(t);
	raise_lines(t, c, fd, flags);
}

void terminals_tool_gone(struct private_bus *bus)
{
	struct terminal *t, *next;

	for (t = bus->terminals; t; t = next) {
		next = t->next;
		t->break_call.id = 0;
		for (struct transfer *x = t->port->transfers; x; x = x->next)
			if (x->terminal == t)
				x->call.id = 0;
		if (t->master >= 0 && !t->closing && is_hung_up(t))
			begin_closing(t);
	}
}

bool terminals_are_closing(const struct private_bus *bus)
{
	for (const struct terminal *t = bus->terminals; t; t = t->next)
		if (t->closing)
			return true;
	return false;
}
