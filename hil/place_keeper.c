// SPDX-License-Identifier: GPL-2.0-or-later
/* The keeper of places: a fork of its owner. */
#include "place_keeper.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "aside.h"
#include "labgrid.h"
#include "wire_driver.h"
#include "worker.h"

#define PAUSE_MS 100
#define WIRES_LIMIT_US 600000000u /* a guardian that idles wires ends by itself, long before */
#define PATIENCE_MS 30000         /* beyond what labgrid-client may take */

struct answer {
	int error;
	char why[WIRES_WHY];
};

struct place_keeper {
	pid_t pid;
	int socket;
};

static bool needed(const struct board_rig *rig)
{
	bool places = rig->place;

	for (unsigned i = 0; i < WIRES; i++)
		places |= rig->wires[i] && rig->wires[i]->place;
	return places;
}

/* --- the process --- */

/* The wires have to be idled while the place is still ours. */
static void wait_for_guardian(const struct board_rig *rig)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000l };
	uint64_t start = worker_now_us();
	struct board_lock *lock;
	char why[WIRES_WHY];
	int error;

	while (!(lock = board_lock_take(rig->serial, rig->port, &error, why)) && error == -EBUSY &&
	       worker_now_us() - start < WIRES_LIMIT_US)
		nanosleep(&pause, NULL);
	board_lock_give(lock);
}

/* True: the owner has ended without a word. */
static bool wait_for_end(int socket, int owner)
{
	struct pollfd fds[] = { { .fd = socket, .events = POLLIN }, { .fd = owner, .events = POLLIN } };
	char byte;

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return true;
	return fds[1].revents || recv(socket, &byte, 1, 0) != 1;
}

static _Noreturn void keep(const struct board_rig *rig, struct board_lock *lock, int socket, int owner)
{
	struct answer a = { .error = 0 };
	struct labgrid *places = labgrid_acquire(rig, &a.error, a.why);
	bool alone;

	send(socket, &a, sizeof(a), MSG_NOSIGNAL);
	if (!places)
		_exit(1);
	alone = wait_for_end(socket, owner);
	if (alone)
		wait_for_guardian(rig);
	labgrid_release(places);
	if (alone)
		board_lock_give(lock);
	_exit(0);
}

/* --- its owner --- */

static int patience_ms(const struct board_rig *rig)
{
	uint64_t us = PATIENCE_MS * 1000u + 4 * rig->labgrid_us;

	/* Acquired at the second try, and perhaps released again. */
	for (unsigned i = 0; i < WIRES; i++)
		if (rig->wires[i] && rig->wires[i]->place)
			us += 4 * rig->wires[i]->limit_us;
	return us / 1000 > INT32_MAX ? INT32_MAX : (int)(us / 1000);
}

static int hear(struct place_keeper *k, int patience, char why[WIRES_WHY])
{
	uint64_t end = worker_now_us() + (uint64_t)patience * 1000;
	struct pollfd fd = { .fd = k->socket, .events = POLLIN };
	struct answer a;
	int r;

	do {
		uint64_t now = worker_now_us();

		r = poll(&fd, 1, now < end ? (int)((end - now) / 1000) : 0);
	} while (r < 0 && errno == EINTR);
	if (r > 0 && recv(k->socket, &a, sizeof(a), 0) == sizeof(a)) {
		if (a.error)
			memcpy(why, a.why, WIRES_WHY);
		return a.error;
	}
	snprintf(why, WIRES_WHY, "the process that is to acquire places of labgrid (%ld) %s", (long)k->pid,
		 r > 0 ? "has ended" : "does not answer");
	return r > 0 ? -EPIPE : -ETIMEDOUT;
}

static void bury(struct place_keeper *k)
{
	close(k->socket);
	while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(k);
}

struct place_keeper *place_keeper_start(const struct board_rig *rig, struct board_lock *lock, int *error,
					char why[WIRES_WHY])
{
	struct place_keeper *k = NULL;
	int owner;

	*error = 0;
	if (!needed(rig))
		return NULL;
	k = calloc(1, sizeof(*k));
	*error = -ENOMEM;
	if (k)
		*error = k->pid = aside_fork(lock, &k->socket, &owner);
	if (*error < 0) {
		snprintf(why, WIRES_WHY, "cannot start the process that acquires places of labgrid: %s",
			 strerror(-*error));
		free(k);
		return NULL;
	}
	if (k->pid == 0)
		keep(rig, lock, k->socket, owner);
	*error = hear(k, patience_ms(rig), why);
	if (!*error)
		return k;
	if (*error == -ETIMEDOUT)
		kill(k->pid, SIGKILL);
	bury(k);
	return NULL;
}

void place_keeper_end(struct place_keeper *k)
{
	if (!k)
		return;
	send(k->socket, "", 1, MSG_NOSIGNAL);
	bury(k);
}
