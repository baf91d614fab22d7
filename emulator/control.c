// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: listening, clients that come and go, and lines. */
#include "control_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS_PER_TURN 32

static void bury(struct control *c, bool all)
{
	for (struct client **link = &c->clients; *link;) {
		struct client *k = *link;

		if (!k->dead && !all) {
			link = &k->next;
			continue;
		}
		client_hang_up(k);
		*link = k->next;
		free(k->out);
		free(k);
	}
}

/* All whole lines, up to one that takes its time. */
static void run_lines(struct client *k)
{
	char line[CONTROL_LINE];
	char *end;

	while (!k->dead && !k->discarding && k->waiting == WAIT_NOTHING &&
	       (end = memchr(k->in, '\n', k->in_used)) != NULL) {
		size_t length = (size_t)(end - k->in);

		memcpy(line, k->in, length);
		line[length] = 0;
		k->in_used -= length + 1;
		memmove(k->in, end + 1, k->in_used);
		/* A NUL would hide what stands behind it. */
		if (memchr(line, 0, length))
			client_answer(k, REFUSED, NULL, "there is a NUL in the line");
		else
			call_line(k, 1, line, false);
	}
	if (k->dead)
		return;
	if (k->in_used == sizeof(k->in) && !memchr(k->in, '\n', k->in_used)) {
		client_answer(k, REFUSED, NULL, "the line is too long");
		k->discarding = true;
	}
	/* Only with nothing left to say or to do. */
	if (!k->dead && (k->discarding || (k->ended && k->waiting == WAIT_NOTHING))) {
		if (k->out_used > k->out_sent)
			k->discarding = true;
		else
			client_hang_up(k);
	}
	if (!k->dead)
		client_tell_epoll(k);
}

static void resume(struct bench_event *event)
{
	struct control *c = event->context;

	for (struct client *k = c->clients; k; k = k->next)
		run_lines(k);
}

static void client_ready(struct client *k, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLOUT) {
		client_flush(k);
		if (k->dead)
			return;
	}
	if (events & EPOLLIN && k->in_used < sizeof(k->in)) {
		n = recv(k->fd, k->in + k->in_used, sizeof(k->in) - k->in_used, MSG_DONTWAIT);
		k->heard = ++k->control->turns;
		if (n > 0)
			k->in_used += (size_t)n;
		else if (n == 0)
			k->ended = true;
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			events |= EPOLLERR;
		if (n > 0 && k->discarding)
			k->in_used = 0;
	}
	if (events & EPOLLERR || (events & EPOLLHUP && (k->ended || !(events & EPOLLIN)))) {
		/* Nobody is there to answer to; lines that came whole before are still obeyed. */
		if (k->waiting != WAIT_NOTHING || events & EPOLLERR) {
			client_hang_up(k);
			return;
		}
		k->ended = true;
	}
	run_lines(k);
}

/* Connections that idle must not keep others out: the one that has been quiet for longest goes. False: all are busy. */
static bool make_room(struct control *c)
{
	struct client *quietest = NULL;

	for (struct client *k = c->clients; k; k = k->next)
		if (!k->dead && k->waiting == WAIT_NOTHING && (!quietest || k->heard < quietest->heard))
			quietest = k;
	if (quietest)
		client_hang_up(quietest);
	return quietest != NULL;
}

static void refuse(int fd)
{
	static const char full[] = "error: too many connections\n";

	send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

int control_adopt(struct control *c, int fd)
{
	struct client *k;
	struct epoll_event event = { .events = EPOLLIN };
	unsigned count = 0;

	for (k = c->clients; k; k = k->next)
		count += !k->dead;
	if (count >= CONTROL_CLIENTS && !make_room(c)) {
		refuse(fd);
		return -EUSERS;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return -ENOMEM;
	}
	k->control = c;
	k->fd = fd;
	k->heard = ++c->turns;
	k->timeout.fire = wait_timed_out;
	k->timeout.context = k;
	event.data.ptr = k;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event)) {
		int error = -errno;

		close(fd);
		free(k);
		return error;
	}
	k->next = c->clients;
	c->clients = k;
	return 0;
}

static int welcome_peer(const struct control *c)
{
	return accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Whoever is left in the queue of the socket would be reported for ever: where there is no descriptor for him, the one that
 * we keep for this lets us say so. */
static void welcome(struct control *c)
{
	int peer = welcome_peer(c);

	if (peer < 0 && (errno == EMFILE || errno == ENFILE)) {
		if (make_room(c)) {
			peer = welcome_peer(c);
		} else if (c->spare >= 0) {
			close(c->spare);
			peer = welcome_peer(c);
			if (peer >= 0)
				refuse(peer);
			peer = -1;
			c->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		}
	}
	if (peer >= 0)
		control_adopt(c, peer);
}

static void ready(void *context, int fd)
{
	struct control *c = context;
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(fd, events, EVENTS_PER_TURN, 0);

	c->loop->sync(c->loop->context);
	for (int i = 0; i < n; i++) {
		struct client *k = events[i].data.ptr;

		if (!k)
			welcome(c);
		else if (!k->dead)
			client_ready(k, events[i].events);
	}
	bury(c, false);
}

/* 0, also when it was stale and is gone; or -errno. */
static int make_way(const char *path, const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno != ECONNREFUSED)
		r = -EADDRINUSE;
	else if (unlink(path) && errno != ENOENT)
		r = -errno;
	close(fd);
	return r;
}

static int listen_on(struct control *c, const char *path, char why[CONTROL_WHY])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN };
	struct stat st;
	int r;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, CONTROL_WHY, "control socket '%.200s': the name must have 1 to %zu bytes", path,
			 sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	r = make_way(path, &address);
	if (r) {
		snprintf(why, CONTROL_WHY, "control socket '%s': %s", path,
			 r == -EEXIST       ? "there is something else of that name"
			 : r == -EADDRINUSE ? "somebody listens there already"
					    : strerror(-r));
		return r;
	}
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the socket becomes that of the file: nobody gets in between bind() and chmod(). */
	if (c->listener < 0 || fchmod(c->listener, 0600) ||
	    bind(c->listener, (const struct sockaddr *)&address, sizeof(address)) || listen(c->listener, SOMAXCONN) ||
	    !(c->path = strdup(path)) || lstat(path, &st) || epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &event)) {
		r = -errno;
		snprintf(why, CONTROL_WHY, "control socket '%s': %s", path, strerror(errno));
		return r;
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	return 0;
}

struct control *control_new(struct desk *desk, const struct control_loop *loop, const char *path, char why[CONTROL_WHY])
{
	struct control *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c) {
		snprintf(why, CONTROL_WHY, "control socket: %s", strerror(ENOMEM));
		return NULL;
	}
	c->desk = desk;
	c->loop = loop;
	c->listener = -1;
	c->spare = path ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	c->resume.fire = resume;
	c->resume.context = c;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll >= 0 && path)
		r = listen_on(c, path, why);
	if (!r) {
		r = c->epoll < 0 ? -errno : loop->watch(loop->context, c->epoll, ready, c);
		if (r)
			snprintf(why, CONTROL_WHY, "control socket: %s", strerror(-r));
	}
	if (r) {
		control_free(c);
		return NULL;
	}
	c->running = true;
	desk_listen(desk, wait_desk_tells, c);
	desk_listen_transfers(desk, wait_transfer_completed, c);
	return c;
}

void control_free(struct control *c)
{
	struct stat st;

	if (!c)
		return;
	if (c->running) {
		desk_listen(c->desk, NULL, NULL);
		desk_listen_transfers(c->desk, NULL, NULL);
	}
	bury(c, true);
	task_free_all(c);
	bench_cancel(control_bench(c), &c->resume);
	if (c->running)
		c->loop->watch(c->loop->context, c->epoll, NULL, NULL);
	if (c->epoll >= 0)
		close(c->epoll);
	/* Ours, or somebody's who has put his own there meanwhile. */
	if (c->path && !lstat(c->path, &st) && st.st_dev == c->device && st.st_ino == c->inode)
		unlink(c->path);
	if (c->listener >= 0)
		close(c->listener);
	if (c->spare >= 0)
		close(c->spare);
	free(c->path);
	free(c);
}
