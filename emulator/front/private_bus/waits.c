/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that wait for time, held in virtual time: sleeps, polls and selects with a time-out, timed futex waits. Each has its
 * deadline as an event of the bench. What else could end them is watched from here.
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#include "remote.h"
#include "terminals.h"
#include "vtime.h"

static uint64_t to_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

static bool valid(const struct timespec *ts)
{
	/* Beyond a century nothing matters, and sums stay in range. */
	return ts->tv_sec >= 0 && ts->tv_sec < 3200000000 && ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000;
}

static uint64_t elapsed_ns(const struct private_bus *bus)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return vtime_elapsed_ns(bus->vtime, to_ns(&now));
}

static void unlink_held(struct private_bus *bus, struct held *h)
{
	struct held **at = &bus->held;

	while (*at && *at != h)
		at = &(*at)->next;
	if (*at)
		*at = h->next;
}

void waits_release(struct private_bus *bus, struct held *h)
{
	bench_cancel(bus->bench, &h->deadline);
	for (unsigned i = 0; i < h->watch_count; i++) {
		int fd = h->watches[i]->fd;

		bus_unwatch(bus, h->watches[i]);
		close(fd);
	}
	h->watch_count = 0;
}

static void end(struct held *h)
{
	unlink_held(h->bus, h);
	waits_release(h->bus, h);
	free(h);
}

/* --- time is up --- */

static int clear_polled(const struct call_info *c)
{
	uint64_t count = c->args[1];
	const short none = 0;

	for (uint64_t i = 0; i < count; i++) {
		int err = remote_write(c->tid,
				       c->args[0] + i * sizeof(struct pollfd) + offsetof(struct pollfd, revents), &none,
				       sizeof(none));

		if (err)
			return err;
	}
	return 0;
}

static int clear_selected(const struct call_info *c)
{
	static const fd_set none;
	size_t bytes = (c->args[0] + 63) / 64 * 8;

	for (int i = 1; i <= 3; i++) {
		int err = c->args[i] ? remote_write(c->tid, c->args[i], &none, bytes) : 0;

		if (err)
			return err;
	}
	return 0;
}

static uint64_t left_us(const struct held *h)
{
	uint64_t now = bench_now_us(h->bus->bench);

	return bench_is_scheduled(&h->deadline) && h->deadline.at_us > now ? h->deadline.at_us - now : 0;
}

/* Linux writes back what is left of the time-out of select and ppoll; and if the kernel is to go on with the call, it goes on
 * from there. */
static void write_left(const struct held *h)
{
	const struct call_info *c = &h->call;
	uint64_t us = left_us(h), left[2] = { us / 1000000, us % 1000000 * (c->call == CALL_SELECT ? 1 : 1000) };
	uint64_t at = c->call == CALL_PPOLL                                ? c->args[2]
		      : c->call == CALL_SELECT || c->call == CALL_PSELECT6 ? c->args[4]
									   : 0;

	if (at)
		remote_write(c->tid, at, left, sizeof(left));
}

static void time_is_up(struct bench_event *e)
{
	struct held *h = e->context;
	const struct call_info *c = &h->call;
	int err = 0;

	switch (c->call) {
	case CALL_POLL:
	case CALL_PPOLL:
		err = clear_polled(c);
		break;
	case CALL_SELECT:
	case CALL_PSELECT6:
		err = clear_selected(c);
		break;
	case CALL_FUTEX:
		err = -ETIMEDOUT;
		break;
	default:
		break;
	}
	write_left(h);
	answer_error(h->bus, c->id, err);
	end(h);
}

/* until_ns: since the start of the tool. */
static struct held *hold(struct private_bus *bus, enum held_kind kind, const struct call_info *c, uint64_t until_ns)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->kind = kind;
	h->call = *c;
	h->bus = bus;
	h->deadline.fire = time_is_up;
	h->deadline.context = h;
	h->next = bus->held;
	bus->held = h;
	bench_at(bus->bench, &h->deadline, bus->bench_origin_us + (until_ns + 999) / 1000);
	return h;
}

/* --- sleeps --- */

static void sleep_call(struct private_bus *bus, const struct call_info *c)
{
	bool plain = c->call == CALL_NANOSLEEP, absolute = !plain && (c->args[1] & TIMER_ABSTIME);
	clockid_t clock = plain ? CLOCK_MONOTONIC : (clockid_t)c->args[0];
	struct timespec ts;
	struct held *h;

	if (remote_read(c->tid, plain ? c->args[0] : c->args[2], &ts, sizeof(ts)) || !valid(&ts) || clock < 0 ||
	    clock > 7 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		answer_continue(bus, c->id); /* the kernel says what is wrong with it */
		return;
	}
	h = hold(bus, HELD_SLEEP, c,
		 absolute ? vtime_point_ns(bus->vtime, clock, to_ns(&ts)) : elapsed_ns(bus) + to_ns(&ts));
	if (!h)
		answer_error(bus, c->id, -ENOMEM);
	else if (!absolute)
		h->remaining_at = plain ? c->args[1] : c->args[3];
}

/* --- polls --- */

/* Watch one descriptor of the caller. False: that cannot be, or it is ready: let the kernel do the call. */
static bool watch_fd(struct private_bus *bus, struct held *h, int fd, uint32_t events)
{
	struct pollfd now = { .events = (short)events };
	struct watch *w;

	if (fd < 0)
		return true;
	if (h->watch_count == HELD_WATCHES)
		return false;
	now.fd = vtime_take_fd(bus->vtime, h->call.tid, fd);
	if (now.fd < 0)
		return false;
	w = poll(&now, 1, 0) == 0 ? bus_watch(bus, WATCH_HELD, now.fd, events) : NULL;
	if (!w) {
		close(now.fd);
		return false;
	}
	w->context = h;
	h->watches[h->watch_count++] = w;
	return true;
}

static bool watch_polled(struct private_bus *bus, struct held *h)
{
	const struct call_info *c = &h->call;
	struct pollfd fds[HELD_WATCHES];

	if (c->args[1] > HELD_WATCHES || remote_read(c->tid, c->args[0], fds, c->args[1] * sizeof(*fds)))
		return false;
	for (uint64_t i = 0; i < c->args[1]; i++) {
		if (!watch_fd(bus, h, fds[i].fd, (uint16_t)fds[i].events))
			return false;
	}
	return true;
}

static bool watch_selected(struct private_bus *bus, struct held *h)
{
	static const uint32_t events[3] = { EPOLLIN, EPOLLOUT, EPOLLPRI };
	const struct call_info *c = &h->call;
	fd_set set;

	if (c->args[0] > FD_SETSIZE)
		return false;
	for (int i = 0; i < 3; i++) {
		if (!c->args[1 + i])
			continue;
		FD_ZERO(&set);
		if (remote_read(c->tid, c->args[1 + i], &set, (c->args[0] + 63) / 64 * 8))
			return false;
		for (uint64_t fd = 0; fd < c->args[0]; fd++) {
			if (FD_ISSET(fd, &set) && !watch_fd(bus, h, (int)fd, events[i]))
				return false;
		}
	}
	return true;
}

/* Some change the signal mask for the time of the call. */
static void read_mask(struct held *h)
{
	const struct call_info *c = &h->call;
	uint64_t at = c->call == CALL_PPOLL                                         ? c->args[3]
		      : c->call == CALL_PSELECT6                                    ? c->args[5]
		      : c->call == CALL_EPOLL_PWAIT || c->call == CALL_EPOLL_PWAIT2 ? c->args[4]
										    : 0;

	/* pselect6's is a pointer to pointer and size, for want of a seventh argument. */
	if (at && c->call == CALL_PSELECT6 && remote_read(c->tid, at, &at, sizeof(at)))
		at = 0;
	h->masked = at && remote_read(c->tid, at, &h->mask, sizeof(h->mask)) == 0;
}

static int poll_timeout(const struct call_info *c, uint64_t *ns)
{
	struct timespec ts;
	int err;

	switch (c->call) {
	case CALL_POLL:
		*ns = (uint32_t)c->args[2] * UINT64_C(1000000);
		return 0;
	case CALL_EPOLL_WAIT:
	case CALL_EPOLL_PWAIT:
		*ns = (uint32_t)c->args[3] * UINT64_C(1000000);
		return 0;
	case CALL_PPOLL:
		err = remote_read(c->tid, c->args[2], &ts, sizeof(ts));
		break;
	case CALL_EPOLL_PWAIT2:
		err = remote_read(c->tid, c->args[3], &ts, sizeof(ts));
		break;
	default:
		err = remote_read(c->tid, c->args[4], &ts, sizeof(ts));
		if (c->call == CALL_SELECT)
			ts.tv_nsec *= 1000; /* a struct timeval */
		break;
	}
	if (!err && !valid(&ts))
		err = -EINVAL;
	*ns = to_ns(&ts);
	return err;
}

static void poll_call(struct private_bus *bus, const struct call_info *c)
{
	struct held *h;
	uint64_t ns;
	bool watched;

	if (poll_timeout(c, &ns) || ns == 0) {
		answer_continue(bus, c->id);
		return;
	}
	h = hold(bus, HELD_POLL, c, elapsed_ns(bus) + ns);
	if (!h) {
		answer_error(bus, c->id, -ENOMEM);
		return;
	}
	if (c->call == CALL_POLL || c->call == CALL_PPOLL)
		watched = watch_polled(bus, h);
	else if (c->call == CALL_SELECT || c->call == CALL_PSELECT6)
		watched = watch_selected(bus, h);
	else
		watched = watch_fd(bus, h, (int)c->args[0], EPOLLIN);
	if (watched) {
		read_mask(h);
		return;
	}
	answer_continue(bus, c->id);
	end(h);
}

/* The kernel does the call now, and finds the same. */
static void go_on(struct held *h)
{
	write_left(h);
	answer_continue(h->bus, h->call.id);
	end(h);
}

void waits_ready(struct private_bus *bus, struct watch *w)
{
	(void)bus;
	go_on(w->context);
}

/* A pseudo-terminal may have room, and epoll(7) not know: a worker of the kernel makes it, and wakes nobody. */
static bool is_ready(const struct held *h)
{
	if (h->kind != HELD_POLL || !terminals_open(h->bus))
		return false;
	for (unsigned i = 0; i < h->watch_count; i++) {
		struct pollfd fd = { .fd = h->watches[i]->fd, .events = (short)h->watches[i]->events };

		if (poll(&fd, 1, 0) > 0)
			return true;
	}
	return false;
}

/* --- futexes --- */

static int read_word(const struct call_info *c, uint32_t *word)
{
	return remote_read(c->tid, c->args[0], word, sizeof(*word));
}

static void futex_wait(struct private_bus *bus, const struct call_info *c)
{
	unsigned op = (unsigned)c->args[1] & FUTEX_CMD_MASK;
	clockid_t clock = c->args[1] & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
	struct timespec ts;
	uint32_t word;
	struct held *h;
	int err = read_word(c, &word);

	if (!err)
		err = remote_read(c->tid, c->args[3], &ts, sizeof(ts));
	if (!err && !valid(&ts))
		err = -EINVAL;
	if (!err && word != (uint32_t)c->args[2])
		err = -EAGAIN;
	if (err) {
		answer_error(bus, c->id, err);
		return;
	}
	/* FUTEX_WAIT counts from now, FUTEX_WAIT_BITSET to a point in time. */
	h = hold(bus, HELD_FUTEX, c,
		 op == FUTEX_WAIT ? elapsed_ns(bus) + to_ns(&ts) : vtime_point_ns(bus->vtime, clock, to_ns(&ts)));
	if (h)
		h->word = word;
	else
		answer_error(bus, c->id, -ENOMEM);
}

static bool wakes(struct private_bus *bus, const struct held *h, const struct call_info *c)
{
	uint32_t bits = ((unsigned)c->args[1] & FUTEX_CMD_MASK) == FUTEX_WAKE_BITSET ? (uint32_t)c->args[5]
										     : UINT32_MAX;
	uint32_t mask = ((unsigned)h->call.args[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET ? (uint32_t)h->call.args[5]
											  : UINT32_MAX;

	return h->kind == HELD_FUTEX && h->call.args[0] == c->args[0] && (bits & mask) &&
	       vtime_same_process(bus->vtime, h->call.tid, c->tid);
}

/* The kernel does not know those that wait here: wake them first, and let it wake the rest. */
static void futex_wake(struct private_bus *bus, const struct call_info *c)
{
	uint64_t want = (uint32_t)c->args[2], woken = 0;
	struct held *h = bus->held, *next;

	for (; h && woken < want; h = next) {
		next = h->next;
		if (!wakes(bus, h, c))
			continue;
		answer_value(bus, h->call.id, 0);
		end(h);
		woken++;
	}
	if (woken && woken >= want)
		answer_value(bus, c->id, (int64_t)woken);
	else
		answer_continue(bus, c->id);
}

static void futex_call(struct private_bus *bus, const struct call_info *c)
{
	unsigned op = (unsigned)c->args[1] & FUTEX_CMD_MASK;

	if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET)
		futex_wait(bus, c);
	else
		futex_wake(bus, c);
}

/* Wakes that do not pass here: room in a terminal; from a process that maps the word elsewhere, or the end of a thread. */
bool waits_look_after(struct private_bus *bus)
{
	struct held *h = bus->held, *next;
	bool any = false;
	uint32_t word;

	for (; h; h = next) {
		next = h->next;
		if (is_ready(h)) {
			go_on(h);
		} else if (h->kind == HELD_FUTEX && read_word(&h->call, &word) == 0 && word != h->word) {
			answer_value(bus, h->call.id, 0);
			end(h);
		} else {
			continue;
		}
		any = true;
	}
	return any;
}

void waits_interrupt(struct private_bus *bus, struct held *h)
{
	const struct call_info *c = &h->call;

	if (h->kind != HELD_SLEEP) {
		/* The kernel sees the signal as well, under the mask of the call, and knows what to answer. */
		write_left(h);
		answer_continue(bus, c->id);
		return;
	}
	if (h->remaining_at) {
		uint64_t left = left_us(h);
		struct timespec ts = { .tv_sec = (time_t)(left / 1000000), .tv_nsec = (long)(left % 1000000 * 1000) };

		remote_write(c->tid, h->remaining_at, &ts, sizeof(ts));
	}
	answer_error(bus, c->id, -EINTR);
}

void waits_call(struct private_bus *bus, const struct call_info *c)
{
	if (vtime_is_real(bus->vtime, c->tid)) {
		answer_continue(bus, c->id);
		return;
	}
	switch (c->call) {
	case CALL_NANOSLEEP:
	case CALL_CLOCK_NANOSLEEP:
		sleep_call(bus, c);
		return;
	case CALL_FUTEX:
		futex_call(bus, c);
		return;
	case CALL_SET_TID_ADDRESS:
		answer_continue(bus, c->id);
		return;
	case CALL_TIMERFD_CREATE:
	case CALL_TIMERFD_SETTIME:
	case CALL_TIMERFD_GETTIME:
		vtime_timerfd(bus->vtime, c);
		return;
	case CALL_CLOCK_GETTIME:
	case CALL_GETTIMEOFDAY:
	case CALL_TIME:
		vtime_clock(bus->vtime, c);
		return;
	default:
		poll_call(bus, c);
		return;
	}
}
