/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals in virtual time: what is on its way through the kernel, and when what a tool wrote is a piece. */
#include "terminals_internal.h"

#include <poll.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminals_pending(const struct private_bus *bus)
{
	for (const struct terminal *t = bus->terminals; t; t = t->next)
		if (t->master >= 0 && (t->dirty || t->starved || t->out_length > t->commit || t->in_length))
			return true;
	return false;
}

/* What is written to one end arrives at the other by a worker of the kernel; poll(2) of that end waits for it, but not if there is
 * something to be read already: then it is to be asked again. */
static void flush(struct terminal *t)
{
	struct pollfd fd = { .events = POLLIN };
	int unread = 0;

	t->dirty = false;
	fd.fd = ioctl(t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd.fd < 0)
		return;
	t->dirty = ioctl(fd.fd, FIONREAD, &unread) == 0 && unread > 0;
	poll(&fd, 1, 0);
	close(fd.fd);
}

bool terminals_flush(struct private_bus *bus)
{
	bool any = false;

	for (struct terminal *t = bus->terminals; t; t = t->next) {
		size_t left = t->in_length;

		if (t->master < 0 || t->closing)
			continue;
		/* There may be room that epoll(7) has not told of: the worker makes it, and wakes nobody. */
		terminal_deliver(t);
		any |= t->in_length != left;
		if (t->dirty)
			flush(t);
	}
	return any;
}

bool terminals_moved(const struct private_bus *bus)
{
	for (const struct terminal *t = bus->terminals; t; t = t->next) {
		struct pollfd fd = { .fd = t->master };

		fd.events = (t->out_length < TERMINAL_OUT_ROOM ? POLLIN : 0) | (t->in_length ? POLLOUT : 0);
		if (t->master >= 0 && !t->closing && poll(&fd, 1, 0) > 0 && (fd.revents & (fd.events | POLLHUP)))
			return true;
	}
	return false;
}

bool terminals_open(const struct private_bus *bus)
{
	const struct terminal *t = bus->terminals;

	while (t && t->master < 0)
		t = t->next;
	return t != NULL;
}

static bool push(struct terminal *t)
{
	bool any = false;

	if (t->master < 0)
		return false;
	if (t->out_length > t->commit) {
		any = true;
		terminal_commit(t);
		terminal_progress(t);
	}
	/* Behind the above: it makes room, and what the tool writes then is another piece. */
	if (t->master >= 0 && !t->in_length) {
		any |= t->starved;
		t->credit = TERMINAL_IN_ROOM;
		terminal_read_on(t);
	}
	return any;
}

bool terminals_push(struct private_bus *bus)
{
	bool any = false;

	for (struct terminal *t = bus->terminals, *next; t; t = next) {
		next = t->next;
		any |= push(t);
	}
	return any;
}

enum terminal_wait terminals_wait(const struct private_bus *bus, pid_t tid, int fd)
{
	const struct terminal *t = terminals_of_fd(bus, tid, fd);
	struct termios2 now;

	if (!t)
		return TERMINAL_NONE;
	return ioctl(t->master, TCGETS2, &now) == 0 && !(now.c_lflag & ICANON) && now.c_cc[VTIME] ? TERMINAL_COUNTS
												  : TERMINAL_WAITS;
}
