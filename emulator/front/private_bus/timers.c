/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timerfds of the tool, of which we hold copies. */
#include "timers.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "filter.h"
#include "remote.h"
#include "vtime.h"

#define ROOM_FIRST 64
#define GRID_NS UINT64_C(1000) /* the bench counts microseconds, so what a tool sets by its clock mostly is on this */
#define SAME_EXPIRY_NS UINT64_C(1000) /* the kernel rounds */
#define READINGS 5                    /* until a reading is as narrow as the grid */
#define FOLLOW_MS 1000                /* an interrupt that is later than this does not come */
/* What a timer that counts a while is set to beyond it, so that the kernel does not have it fire. */
#define FAR_S (TIMERS_LEAD_NS / 1000000000u)

struct timer {
	int fd;
	clockid_t clock;
	bool set;                   /* and due_ns is of the setting at: */
	uint64_t least_ns, most_ns; /* between which it expires on the kernel's clock */
	uint64_t due_ns;            /* since the start of the tool */
	uint64_t interval_ns;
};

struct timers {
	struct private_bus *bus;
	const uint64_t *base_ns;
	struct timer *all;
	size_t count, room;
	int follower; /* a timer of our own; -1: not made yet */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t to_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000u + (uint64_t)ts->tv_nsec;
}

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
}

static uint64_t on_grid(uint64_t ns)
{
	return (ns + GRID_NS - 1) / GRID_NS * GRID_NS;
}

struct timers *timers_new(struct private_bus *bus, const uint64_t *base_ns)
{
	struct timers *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->bus = bus;
	t->base_ns = base_ns;
	t->follower = -1;
	return t;
}

static void forget(struct timers *t, size_t i)
{
	close(t->all[i].fd);
	t->all[i] = t->all[--t->count];
}

void timers_free(struct timers *t)
{
	if (!t)
		return;
	while (t->count)
		forget(t, 0);
	if (t->follower >= 0)
		close(t->follower);
	free(t->all);
	free(t);
}

bool timers_any(const struct timers *t)
{
	return t->count != 0;
}

/* Nobody tells us when a timer is closed. */
void timers_sweep(struct timers *t, bool (*in_use)(void *context, int fd), void *context)
{
	for (size_t i = t->count; i-- > 0;) {
		if (!in_use(context, t->all[i].fd))
			forget(t, i);
	}
}

bool timers_full(const struct timers *t)
{
	return t->count == t->room;
}

static bool make_room(struct timers *t)
{
	struct timer *more;
	size_t room;

	if (t->count < t->room)
		return true;
	room = t->room ? t->room * 2 : ROOM_FIRST;
	more = realloc(t->all, room * sizeof(*more));
	if (!more)
		return false;
	t->all = more;
	t->room = room;
	return true;
}

/* In which file does a thread that has made a call go on? The address is on the top of its stack, as system calls are made by
 * functions that need no room there. */
static bool called_by(pid_t tid, const char *name)
{
	char path[64], line[512];
	uint64_t stack = 0, caller = 0, from, to;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)tid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%*d %*x %*x %*x %*x %*x %*x %" SCNx64, &stack) != 1)
		stack = 0;
	if (f)
		fclose(f);
	if (!stack || remote_read(tid, stack, &caller, sizeof(caller)))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)tid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2 && caller >= from && caller < to;
	if (f)
		fclose(f);
	return found && strstr(line, name);
}

/*
 * libusb sets its timer to a point in time for each transfer, and puts it out again; the filter cannot tell that from a timer that
 * is set to a while, but for the number. So it gets one that needs no notified call for that. -1: any number will do.
 */
static int number_for(const struct private_bus *bus, const struct call_info *c)
{
	char text[64];

	if (!called_by(c->tid, "/libusb-1.0"))
		return -1;
	for (uint32_t i = 1; i <= FILTER_TIMERS; i++) {
		int number = (int)(bus->reserved_base - i);

		if (remote_fd_path(c->tid, number, text, sizeof(text)) == -ENOENT)
			return number;
	}
	return -1;
}

void timers_create(struct timers *t, const struct call_info *c)
{
	int flags = (int)c->args[1], fd;

	if (!make_room(t)) {
		answer_error(t->bus, c->id, -ENOMEM);
		return;
	}
	/* The kernel's own date may be ahead of the tool's; this clock is not. */
	fd = timerfd_create((int)c->args[0], (flags & TFD_NONBLOCK) | TFD_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		fd = timerfd_create(CLOCK_MONOTONIC, (flags & TFD_NONBLOCK) | TFD_CLOEXEC);
	}
	if (fd < 0) {
		answer_error(t->bus, c->id, -errno);
		return;
	}
	if (answer_fd(t->bus, c->id, fd, number_for(t->bus, c), (flags & TFD_CLOEXEC) != 0) < 0)
		close(fd);
	else
		t->all[t->count++] = (struct timer){ .fd = fd, .clock = (clockid_t)c->args[0] & 7 };
}

/* Remaining time and interval as the kernel has them, and between which moments it expires. False: it is not set. */
static bool look(const struct timer *t, uint64_t *least_ns, uint64_t *most_ns, uint64_t *interval_ns)
{
	struct itimerspec armed;

	*least_ns = 0;
	*most_ns = UINT64_MAX;
	for (int i = 0; i < READINGS && *most_ns - *least_ns >= GRID_NS; i++) {
		uint64_t before = now_ns(), after, left;

		if (timerfd_gettime(t->fd, &armed))
			return false;
		after = now_ns();
		left = to_ns(&armed.it_value);
		if (!left)
			return false;
		/* Set anew between two readings? Then the last counts. */
		if (before + left > *most_ns || after + left < *least_ns) {
			*least_ns = before + left;
			*most_ns = after + left;
		}
		*least_ns = *least_ns > before + left ? *least_ns : before + left;
		*most_ns = *most_ns < after + left ? *most_ns : after + left;
	}
	*interval_ns = to_ns(&armed.it_interval);
	return true;
}

/* To a point in time, without our having been asked. */
static void set_by_tool(const struct timers *all, struct timer *t)
{
	uint64_t base = all->base_ns[t->clock];
	uint64_t least = t->least_ns > base ? t->least_ns - base : 0, most = t->most_ns > base ? t->most_ns - base : 0;

	t->due_ns = on_grid(least) <= most ? on_grid(least) : on_grid(most);
}

static uint64_t due_ns(const struct timers *all, struct timer *t)
{
	uint64_t least, most, interval;

	if (!look(t, &least, &most, &interval)) {
		t->set = false;
		return UINT64_MAX;
	}
	if (!t->set || least > t->most_ns + SAME_EXPIRY_NS || most + SAME_EXPIRY_NS < t->least_ns) {
		t->set = true;
		t->least_ns = least;
		t->most_ns = most;
		t->interval_ns = interval;
		set_by_tool(all, t);
	}
	return t->due_ns;
}

/* Have the kernel's timer stand far off. */
static void set_far(struct timer *t, uint64_t ns)
{
	struct itimerspec far = { .it_value = to_timespec(ns), .it_interval.tv_sec = t->interval_ns ? FAR_S : 0 };
	uint64_t interval;

	far.it_value.tv_sec += (time_t)FAR_S;
	t->set = timerfd_settime(t->fd, 0, &far, NULL) == 0 && look(t, &t->least_ns, &t->most_ns, &interval);
}

/*
 * A timer that is due expires in an interrupt, which may be late (the more so in a virtual machine); until then whoever waits for
 * it looks blocked, and a jump would pass over the moment. Timers of one clock that are armed on one processor expire in their
 * order: when one of ours has, which was armed behind it, so has the tool's, and its waiters have been woken.
 */
static void wait_for_expiry(struct timers *t)
{
	static const struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	uint64_t count;

	if (t->follower < 0)
		t->follower = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	fd.fd = t->follower;
	if (fd.fd < 0 || timerfd_settime(fd.fd, 0, &soon, NULL))
		return;
	if (poll(&fd, 1, FOLLOW_MS) > 0 && read(fd.fd, &count, sizeof(count)) < 0)
		return; /* it cannot be: nobody else reads it */
}

static void fire(struct timers *all, struct timer *t)
{
	const struct itimerspec soon = { .it_value.tv_nsec = 1, .it_interval.tv_sec = t->interval_ns ? FAR_S : 0 };
	uint64_t interval;

	timerfd_settime(t->fd, 0, &soon, NULL);
	wait_for_expiry(all);
	t->due_ns += t->interval_ns;
	t->set = t->interval_ns && look(t, &t->least_ns, &t->most_ns, &interval);
}

uint64_t timers_next_ns(struct timers *all, uint64_t elapsed_ns)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < all->count; i++) {
		uint64_t due = due_ns(all, &all->all[i]);

		if (due <= elapsed_ns) {
			fire(all, &all->all[i]);
			due = all->all[i].set ? all->all[i].due_ns : UINT64_MAX;
		}
		if (due < next)
			next = due;
	}
	return next;
}

/* Where kcmp(2) is forbidden: set by its number, it shows under ours. */
static struct timer *find_by_setting(const struct timers *all, pid_t tid, int fd)
{
	const struct itimerspec mark = { .it_value.tv_sec = 3 * FAR_S };
	struct itimerspec armed;
	struct timer *found = NULL;
	int copy = vtime_take_fd(all->bus->vtime, tid, fd);

	if (copy < 0)
		return NULL;
	if (timerfd_settime(copy, 0, &mark, NULL) == 0) {
		for (size_t i = 0; i < all->count && !found; i++) {
			if (timerfd_gettime(all->all[i].fd, &armed) == 0 && armed.it_value.tv_sec > 2 * (time_t)FAR_S)
				found = &all->all[i];
		}
	}
	close(copy);
	return found;
}

/* By number in a process of the tool; NULL: none of ours. */
static struct timer *find(const struct timers *all, pid_t tid, int fd, bool to_be_set)
{
	long r = 1;

	for (size_t i = 0; i < all->count && r >= 0; i++) {
		r = syscall(SYS_kcmp, getpid(), tid, KCMP_FILE, all->all[i].fd, fd);
		if (r == 0)
			return &all->all[i];
	}
	return r < 0 && to_be_set ? find_by_setting(all, tid, fd) : NULL;
}

static int write_left(const struct timers *all, struct timer *t, const struct call_info *c, uint64_t at,
		      uint64_t elapsed_ns)
{
	uint64_t due = due_ns(all, t);
	struct itimerspec left = { 0 };

	if (due != UINT64_MAX) {
		left.it_value = to_timespec(due > elapsed_ns ? due - elapsed_ns : 1);
		left.it_interval = to_timespec(t->interval_ns);
	}
	return remote_write(c->tid, at, &left, sizeof(left));
}

static bool is_valid(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < 1000000000;
}

void timers_settime(struct timers *all, const struct call_info *c, uint64_t elapsed_ns)
{
	struct itimerspec wanted;
	struct timer *t = NULL;
	int err = 0;

	if (remote_read(c->tid, c->args[2], &wanted, sizeof(wanted)) == 0 && is_valid(&wanted.it_value) &&
	    is_valid(&wanted.it_interval) && (wanted.it_value.tv_sec || wanted.it_value.tv_nsec) &&
	    wanted.it_value.tv_sec < INT32_MAX && !(c->args[1] & TFD_TIMER_ABSTIME))
		t = find(all, c->tid, (int)c->args[0], true);
	if (!t) { /* it is put out, or the kernel says what is wrong */
		answer_continue(all->bus, c->id);
		return;
	}
	if (c->args[3])
		err = write_left(all, t, c, c->args[3], elapsed_ns);
	if (!err) {
		t->interval_ns = to_ns(&wanted.it_interval);
		t->due_ns = on_grid(elapsed_ns + to_ns(&wanted.it_value));
		set_far(t, to_ns(&wanted.it_value));
	}
	answer_error(all->bus, c->id, err);
}

void timers_gettime(struct timers *all, const struct call_info *c, uint64_t elapsed_ns)
{
	struct timer *t = find(all, c->tid, (int)c->args[0], false);

	if (t)
		answer_error(all->bus, c->id, write_left(all, t, c, c->args[1], elapsed_ns));
	else
		answer_continue(all->bus, c->id);
}
