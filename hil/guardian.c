// SPDX-License-Identifier: GPL-2.0-or-later
/* The guardian: a fork of its owner, and what both say to each other over a socket pair. */
#include "guardian.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "aside.h"
#include "switches.h"
#include "wire_driver.h"
#include "worker.h"

/* An orphan goes on trying for so long: a hub that was reset brings its relays back in a second or two. */
#define ORPHAN_TRIES 20
#define ORPHAN_PAUSE_MS 250
#define ORPHAN_LIMIT_US 60000000u /* no further attempt after that: programs may take their time to fail */
#define START_TRIES 8             /* at the start of a run, with the same pause */
#define PATIENCE_MS 30000         /* beyond what the programs of the rig may take */

enum ask { ASK_SET, ASK_IDLE, ASK_END };
struct question {
	enum ask ask;
	enum wire wire;
	bool high;
};
struct answer {
	int error;
	char why[WIRES_WHY];
};

struct guardian {
	pid_t pid;
	int socket;
	int patience_ms;
};

/* --- the process --- */

static bool answer(int socket, int error, const char *why)
{
	struct answer a = { .error = error };

	if (error)
		snprintf(a.why, sizeof(a.why), "%s", why);
	return send(socket, &a, sizeof(a), MSG_NOSIGNAL) == sizeof(a);
}

/* The next question; false: the owner has ended. */
static bool listen_to(int socket, int owner, struct question *q)
{
	struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = owner, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return false;
	/* What it asked for before it died was for a run that is over. */
	return !fds[1].revents && recv(socket, q, sizeof(*q), 0) == sizeof(*q);
}

static void idle_alone(struct switches *s)
{
	const struct timespec pause = { 0, ORPHAN_PAUSE_MS * 1000000l };
	uint64_t start = worker_now_us();
	char why[WIRES_WHY];

	for (int i = 0; switches_idle(s, why); i++) {
		if (i == ORPHAN_TRIES || worker_now_us() - start > ORPHAN_LIMIT_US) {
			fprintf(stderr, "dfuhil: the wires may not be idle: %s\n", why);
			return;
		}
		nanosleep(&pause, NULL);
	}
}

/* As the last thing of a run: relays that a hub has just lost are waited for as well. */
static int idle_at_the_end(struct switches *s, char why[WIRES_WHY])
{
	const struct timespec pause = { 0, ORPHAN_PAUSE_MS * 1000000l };
	uint64_t end = worker_now_us() + ORPHAN_TRIES * ORPHAN_PAUSE_MS * 1000u;
	int error;

	while ((error = switches_idle(s, why)) == -ENODEV && worker_now_us() < end)
		nanosleep(&pause, NULL);
	return error;
}

/* True: the owner has ended without a word. */
static bool serve(struct switches *s, int socket, int owner)
{
	char why[WIRES_WHY];
	struct question q;

	while (listen_to(socket, owner, &q)) {
		int error = q.ask == ASK_SET    ? switches_set(s, q.wire, q.high, why)
			    : q.ask == ASK_IDLE ? switches_idle(s, why)
						: idle_at_the_end(s, why);

		if (q.ask != ASK_END) {
			answer(socket, error, why);
			continue;
		}
		/* The place is free when the owner hears of it. */
		switches_close(s);
		answer(socket, error, why);
		return false;
	}
	idle_alone(s);
	switches_close(s);
	return true;
}

/* What has just been lost or plugged in may be on its way: the next run of a night begins as soon as one has failed. */
static struct switches *open_patiently(const struct board_rig *rig, int *error, char why[WIRES_WHY])
{
	const struct timespec pause = { 0, ORPHAN_PAUSE_MS * 1000000l };
	struct switches *s = switches_open(rig, error, why);

	for (int i = 0; !s && *error == -ENODEV && i < START_TRIES; i++) {
		nanosleep(&pause, NULL);
		s = switches_open(rig, error, why);
	}
	return s;
}

static _Noreturn void guard(const struct board_rig *rig, struct board_lock *lock, int socket, int owner)
{
	char why[WIRES_WHY];
	struct switches *s;
	int error;

	s = open_patiently(rig, &error, why);
	answer(socket, s ? 0 : error, why);
	/* Whatever else the owner has forked may carry the lock too. */
	if (s && serve(s, socket, owner))
		board_lock_give(lock);
	_exit(!s);
}

/* --- its owner --- */

static int gone(struct guardian *g, char why[WIRES_WHY])
{
	snprintf(why, WIRES_WHY, "the process that switches the wires (%ld) has ended", (long)g->pid);
	return -EPIPE;
}

static int hear(struct guardian *g, char why[WIRES_WHY])
{
	uint64_t start = worker_now_us();
	struct pollfd fd = { .fd = g->socket, .events = POLLIN };
	struct answer a;
	ssize_t n = -1;

	for (;;) {
		int left = g->patience_ms - (int)((worker_now_us() - start) / 1000);
		int r = left > 0 ? poll(&fd, 1, left) : 0;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			snprintf(why, WIRES_WHY, "the process that switches the wires (%ld) does not answer",
				 (long)g->pid);
			return -ETIMEDOUT;
		}
		n = recv(g->socket, &a, sizeof(a), 0);
		if (n < 0 && errno == EINTR)
			continue;
		break;
	}
	if (n != sizeof(a))
		return gone(g, why);
	if (a.error)
		memcpy(why, a.why, WIRES_WHY);
	return a.error;
}

static int ask(struct guardian *g, struct question q, char why[WIRES_WHY])
{
	if (send(g->socket, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q))
		return gone(g, why);
	return hear(g, why);
}

static int patience_ms(const struct board_rig *rig)
{
	uint64_t us = PATIENCE_MS * 1000u;

	/* Each may be tried twice. */
	for (unsigned i = 0; i < WIRES; i++)
		if (rig->wires[i])
			us += 2 * rig->wires[i]->limit_us;
	return (int)(us / 1000);
}

static void bury(struct guardian *g)
{
	close(g->socket);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(g);
}

struct guardian *guardian_start(const struct board_rig *rig, struct board_lock *lock, int *error, char why[WIRES_WHY])
{
	struct guardian *g = calloc(1, sizeof(*g));
	int owner;

	*error = -ENOMEM;
	if (g)
		*error = g->pid = aside_fork(lock, &g->socket, &owner);
	if (*error < 0) {
		snprintf(why, WIRES_WHY, "cannot start the process that switches the wires: %s", strerror(-*error));
		free(g);
		return NULL;
	}
	if (g->pid == 0)
		guard(rig, lock, g->socket, owner);
	g->patience_ms = patience_ms(rig);
	*error = hear(g, why);
	if (!*error)
		return g;
	if (*error == -ETIMEDOUT)
		kill(g->pid, SIGKILL);
	bury(g);
	return NULL;
}

int guardian_set(struct guardian *g, enum wire wire, bool high, char why[WIRES_WHY])
{
	return ask(g, (struct question){ .ask = ASK_SET, .wire = wire, .high = high }, why);
}

int guardian_idle(struct guardian *g, char why[WIRES_WHY])
{
	return ask(g, (struct question){ .ask = ASK_IDLE }, why);
}

int guardian_end(struct guardian *g, char why[WIRES_WHY])
{
	int r;

	if (!g)
		return 0;
	r = ask(g, (struct question){ .ask = ASK_END }, why);
	if (r == -ETIMEDOUT)
		kill(g->pid, SIGKILL);
	bury(g);
	return r;
}
