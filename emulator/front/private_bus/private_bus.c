/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The private bus: its life, its clock, and the turn of the wheel that serves it all. */
#include "private_bus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "bus_internal.h"
#include "terminals.h"
#include "vtime.h"

#define EVENTS_PER_TURN 32
#define LOOK_AFTER_NS UINT64_C(50000000) /* how often waiting calls are checked for signals */
#define CATCH_UP_NS UINT64_C(50000000)   /* of the wall, before descriptors are looked at again */
#define FD_SETSIZE_LIMIT 1024            /* descriptors above it would break select() */

void bus_warn(struct private_bus *bus, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	bus->options.warn(bus->options.context, line);
}

void bus_no_memory_access(struct private_bus *bus)
{
	if (bus->warned_memory)
		return;
	bus->warned_memory = true;
	if (bus->spawn.exec_pipe < 0) {
		bus_warn(bus, "a process of the tool cannot be looked into (its program may be executable, but not "
			      "readable): it "
			      "does not see the private bus");
		return;
	}
	bus_warn(bus, "the memory of the tool is out of reach: process_vm_readv is forbidden here "
		      "(kernel.yama.ptrace_scope 2 or 3, or a container's seccomp profile)");
	bus->failure = -EPERM;
}

void bus_show_tree(struct private_bus *bus)
{
	int err = bus->failure ? 0 : tree_show(bus->tree);

	if (!err)
		return;
	bus_warn(bus, "the files of the private bus cannot be written in '%s': %s", tree_root(bus->tree),
		 strerror(-err));
	bus->failure = err;
}

/* --- the clock --- */

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t bus_wall_ms(const struct private_bus *bus, uint64_t ms)
{
	return (uint64_t)((double)ms * 1000.0 * bus->options.scale);
}

static uint64_t bench_time_us(const struct private_bus *bus, uint64_t at_ns)
{
	uint64_t passed = at_ns - bus->wall_origin_ns;

	if (bus->vtime)
		return bus->bench_origin_us + vtime_elapsed_ns(bus->vtime, at_ns) / 1000;
	return bus->bench_origin_us + (uint64_t)((double)passed / 1000.0 * bus->options.scale);
}

uint64_t bus_now_us(const struct private_bus *bus)
{
	return bus->ticking ? bench_time_us(bus, wall_ns()) : bench_now_us(bus->bench);
}

void private_bus_sync(struct private_bus *bus)
{
	uint64_t to_us;

	bus->wall_now_ns = wall_ns();
	if (!bus->ticking)
		return;
	to_us = bench_time_us(bus, bus->wall_now_ns);
	while (bus->options.time == TIME_SCALED && bench_next_us(bus->bench) <= to_us) {
		bench_advance(bus->bench, bench_next_us(bus->bench));
		if (wall_ns() - bus->wall_now_ns < CATCH_UP_NS)
			continue;
		/* What it cannot keep up with is let go, or it would be further behind each time, and hear nobody. */
		bus->wall_origin_ns = bus->wall_now_ns = wall_ns();
		bus->bench_origin_us = bench_now_us(bus->bench);
		return;
	}
	bench_advance(bus->bench, to_us);
}

void bus_start_clock(struct private_bus *bus)
{
	bus->wall_origin_ns = wall_ns();
	bus->bench_origin_us = bench_now_us(bus->bench);
	if (bus->vtime)
		vtime_start_clock(bus->vtime);
	bus->ticking = true;
}

/* Nanoseconds of the wall until it is that late on the bench. */
static uint64_t until_ns(const struct private_bus *bus, uint64_t at_us)
{
	uint64_t due;
	double ns;

	if (at_us == BENCH_NEVER)
		return UINT64_MAX;
	due = at_us - bus->bench_origin_us;
	if (bus->vtime)
		return vtime_until_ns(bus->vtime, due < UINT64_MAX / 2000 ? due * 1000 : UINT64_MAX / 2,
				      bus->wall_now_ns);
	ns = (double)due * 1000.0 / bus->options.scale;
	due = bus->wall_origin_ns + (ns < 9e18 ? (uint64_t)ns + 1 : UINT64_MAX / 2);
	return due > bus->wall_now_ns ? due - bus->wall_now_ns : 0;
}

/* --- descriptors that are watched --- */

struct watch *bus_watch(struct private_bus *bus, enum watch_kind kind, int fd, uint32_t events)
{
	struct watch *w = calloc(1, sizeof(*w));
	struct epoll_event event = { .events = events };

	if (!w)
		return NULL;
	w->kind = kind;
	w->fd = fd;
	w->events = events;
	event.data.ptr = w;
	if (epoll_ctl(bus->epoll, EPOLL_CTL_ADD, fd, &event)) {
		free(w);
		return NULL;
	}
	w->next = bus->watches;
	bus->watches = w;
	return w;
}

void bus_unwatch(struct private_bus *bus, struct watch *w)
{
	if (!w || w->dead)
		return;
	epoll_ctl(bus->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	w->dead = true; /* events of this turn may still point here */
}

void bus_watch_for(struct private_bus *bus, struct watch *w, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = w };

	if (w && !w->dead)
		epoll_ctl(bus->epoll, EPOLL_CTL_MOD, w->fd, &event);
}

static void bury_watches(struct private_bus *bus, bool all)
{
	for (struct watch **at = &bus->watches; *at;) {
		struct watch *w = *at;

		if (!w->dead && !all) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

static struct watch *find_watch(struct private_bus *bus, enum watch_kind kind, int fd)
{
	struct watch *w = bus->watches;

	while (w && (w->dead || w->kind != kind || w->fd != fd))
		w = w->next;
	return w;
}

int private_bus_watch(struct private_bus *bus, int fd, void (*ready)(void *context, int fd), void *context)
{
	struct watch *w = find_watch(bus, WATCH_USER, fd);

	if (!ready) {
		bus_unwatch(bus, w);
		return 0;
	}
	if (!w)
		w = bus_watch(bus, WATCH_USER, fd, EPOLLIN);
	if (!w)
		return -errno;
	w->ready = ready;
	w->context = context;
	return 0;
}

/* --- life --- */

static bool kernel_has_user_notif(void)
{
	char text[256] = "";
	int fd = open("/proc/sys/kernel/seccomp/actions_avail", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	/* Unreadable says nothing (a container may hide it): then the attempt itself shall tell. */
	return n <= 0 || strstr(text, "user_notif") != NULL;
}

int private_bus_probe(char why[PRIVATE_BUS_ERROR])
{
	struct utsname u;

	uname(&u);
	if (!syscalls_native()) {
		snprintf(why, PRIVATE_BUS_ERROR, "the private bus is made for x86_64 and aarch64, not for %s",
			 u.machine);
		return -ENOSYS;
	}
	if (!kernel_has_user_notif()) {
		snprintf(why, PRIVATE_BUS_ERROR,
			 "this kernel (%.60s) has no seccomp user notification (5.14 or later is needed, "
			 "CONFIG_SECCOMP_FILTER=y)",
			 u.release);
		return -ENOSYS;
	}
	if (access("/proc/self/fd", F_OK)) {
		snprintf(why, PRIVATE_BUS_ERROR, "the private bus needs /proc: it is not mounted here");
		return -ENOENT;
	}
	return 0;
}

static uint32_t reserved_base(void)
{
	struct rlimit limit;
	rlim_t top = FD_SETSIZE_LIMIT;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < top)
		top = limit.rlim_cur;
	return top > 2 * RESERVED_COUNT ? (uint32_t)top - RESERVED_COUNT : (uint32_t)top / 2;
}

struct private_bus *private_bus_new(struct bench *bench, const struct private_bus_options *options,
				    char why[PRIVATE_BUS_ERROR])
{
	struct private_bus *bus;
	int error = 0;

	if (private_bus_probe(why))
		return NULL;
	bus = calloc(1, sizeof(*bus));
	if (!bus) {
		snprintf(why, PRIVATE_BUS_ERROR, "out of memory");
		return NULL;
	}
	bus->bench = bench;
	bus->options = *options;
	if (bus->options.time != TIME_SCALED)
		bus->options.scale = 1;
	bus->syscalls = syscalls_native();
	bus->last_address = 1;
	bus->reserved_base = reserved_base();
	tool_setup(bus);
	bus->epoll = epoll_create1(EPOLL_CLOEXEC);
	error = bus->epoll < 0 ? -errno : 0;
	if (!error) {
		error = notify_setup(bus);
		if (error && error != -ENOMEM) {
			snprintf(why, PRIVATE_BUS_ERROR,
				 "seccomp cannot be used here: %s (Linux 5.14 or later is needed, with "
				 "CONFIG_SECCOMP_FILTER; a container's seccomp profile may forbid it)",
				 strerror(-error));
			private_bus_free(bus);
			return NULL;
		}
	}
	if (!error)
		bus->tree = tree_new(options->tree_folder, &error);
	if (!error)
		error = bus_plug_root_hub(bus);
	if (error) {
		snprintf(why, PRIVATE_BUS_ERROR, "cannot set up the private bus: %s", strerror(-error));
		private_bus_free(bus);
		return NULL;
	}
	return bus;
}

void private_bus_free(struct private_bus *bus)
{
	if (!bus)
		return;
	tool_gone(bus);
	bus_unplug_all(bus);
	terminals_free(bus);
	tree_free(bus->tree);
	bury_watches(bus, true);
	if (bus->epoll >= 0)
		close(bus->epoll);
	free(bus->notif);
	free(bus->resp);
	free(bus);
}

static bool is_enumerating(const struct private_bus *bus)
{
	for (int i = 1; i <= PRIVATE_BUS_PORTS; i++)
		if (bus->ports[i] && bus->ports[i]->describe && describe_is_running(bus->ports[i]->describe))
			return true;
	return false;
}

void private_bus_settle(struct private_bus *bus, uint64_t limit_us)
{
	uint64_t limit = bench_now_us(bus->bench) + limit_us;

	/* Not a step further: what is to happen later (a fault, a board that starts late) is the tool's to see. */
	while (is_enumerating(bus) && bench_next_us(bus->bench) <= limit)
		bench_advance(bus->bench, bench_next_us(bus->bench));
}

static void node_ready(struct private_bus *bus, struct node *n)
{
	/* Only hang-ups are watched: the last descriptor in the tool is closed. */
	if (n->kind == NODE_USBFS)
		usbfs_closed(bus, n);
	else
		netlink_closed(bus, n);
}

static void serve(struct private_bus *bus, struct watch *w, uint32_t events)
{
	if (w->dead)
		return;
	switch (w->kind) {
	case WATCH_LISTENER:
		if (events & EPOLLIN)
			notify_ready(bus);
		else
			bus_unwatch(bus, w); /* no process is left under the filter */
		return;
	case WATCH_LIFELINE:
		tool_reported(bus, w);
		return;
	case WATCH_TOOL:
		bus->ending = true;
		spawn_tool_ended(&bus->spawn);
		bus_unwatch(bus, w);
		return;
	case WATCH_EXEC:
		tool_executed(bus, w);
		return;
	case WATCH_NODE:
		node_ready(bus, w->node);
		return;
	case WATCH_HELD:
		waits_ready(bus, w);
		return;
	case WATCH_USER:
		w->ready(w->context, w->fd);
		return;
	case WATCH_TERMINAL:
		terminal_ready(bus, w);
		return;
	}
}

static int wait_for_events(struct private_bus *bus, struct epoll_event *events, uint64_t wait_ns)
{
	struct timespec ts = { .tv_sec = (time_t)(wait_ns / 1000000000u), .tv_nsec = (long)(wait_ns % 1000000000u) };

	return (int)syscall(SYS_epoll_pwait2, bus->epoll, events, EVENTS_PER_TURN, wait_ns == UINT64_MAX ? NULL : &ts,
			    NULL, 0);
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t patience_ns(struct private_bus *bus, int wait_ms)
{
	uint64_t wait = until_ns(bus, bench_next_us(bus->bench));

	if (bus->vtime)
		wait = at_most(wait, vtime_patience_ns(bus->vtime));
	if (wait_ms >= 0)
		wait = at_most(wait, (uint64_t)wait_ms * 1000000u);
	return held_any(bus) ? at_most(wait, LOOK_AFTER_NS) : wait;
}

int private_bus_step(struct private_bus *bus, int wait_ms)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n;

	if (!bus->running)
		return 0;
	private_bus_sync(bus);
	n = wait_for_events(bus, events, patience_ns(bus, wait_ms));
	if (n < 0 && errno != EINTR)
		return tool_broken(bus, -errno);
	private_bus_sync(bus);
	for (int i = 0; i < n; i++)
		serve(bus, events[i].data.ptr, events[i].events);
	if (bus->wall_now_ns - bus->looked_after_ns >= LOOK_AFTER_NS) {
		bus->looked_after_ns = bus->wall_now_ns;
		held_look_after(bus);
		if (bus->vtime)
			waits_look_after(bus); /* vtime_idle() may be long in coming if others are busy */
	}
	if (bus->vtime)
		vtime_check(bus->vtime);
	if (bus->vtime && n > 0)
		vtime_stir(bus->vtime);
	if (bus->vtime && n == 0) {
		waits_look_after(bus);
		vtime_idle(bus->vtime);
	}
	if (bus->failure)
		return tool_broken(bus, bus->failure);
	terminals_deliver(bus);
	terminals_bury(bus);
	if (bus->over)
		tool_ended(bus);
	bury_watches(bus, false);
	return bus->running;
}

/* --- time without a tool --- */

/* Event by event: what is waited for may hold for a moment only. */
static bool advance(struct private_bus *bus, uint64_t to_us, bool (*until)(void *context), void *context)
{
	while (bench_next_us(bus->bench) <= to_us) {
		bench_advance(bus->bench, bench_next_us(bus->bench));
		if (until && until(context))
			return true;
	}
	bench_advance(bus->bench, to_us);
	return until && until(context);
}

/* How late it is on the bench by now: by the wall, or at the next event if time is virtual. */
static uint64_t by_now_us(struct private_bus *bus)
{
	uint64_t passed;

	if (bus->options.time != TIME_SCALED)
		return bench_next_us(bus->bench);
	bus->wall_now_ns = wall_ns();
	passed = bus->wall_now_ns - bus->wall_origin_ns;
	return bus->bench_origin_us + (uint64_t)((double)passed / 1000.0 * bus->options.scale);
}

static int wait_until(struct private_bus *bus, bool (*until)(void *context), void *context, uint64_t limit_us)
{
	bool virtual = bus->options.time != TIME_SCALED;
	struct epoll_event events[EVENTS_PER_TURN];
	uint64_t wait;
	int n;

	for (;;) {
		if (advance(bus, at_most(by_now_us(bus), limit_us), until, context))
			return 1;
		if (bench_now_us(bus->bench) >= limit_us)
			return 0;
		wait = virtual ? 0 : until_ns(bus, at_most(bench_next_us(bus->bench), limit_us));
		n = wait_for_events(bus, events, wait);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			serve(bus, events[i].data.ptr, events[i].events);
		bury_watches(bus, false);
		if (n != 0 && until && until(context))
			return 1;
	}
}

int private_bus_wait(struct private_bus *bus, bool (*until)(void *context), void *context, uint64_t limit_us)
{
	uint64_t now = bench_now_us(bus->bench);
	int r;

	if (bus->running)
		return -EBUSY;
	if (until && until(context))
		return 1;
	bus_start_clock(bus);
	bus->ticking = bus->options.time == TIME_SCALED;
	r = wait_until(bus, until, context, limit_us < BENCH_NEVER - now ? now + limit_us : BENCH_NEVER - 1);
	bus->ticking = false;
	return r;
}

int private_bus_skip(struct private_bus *bus, uint64_t to_us)
{
	uint64_t now = bench_now_us(bus->bench);

	return private_bus_wait(bus, NULL, NULL, to_us > now ? to_us - now : 0);
}

void private_bus_counts(const struct private_bus *bus, struct private_bus_counts *counts)
{
	*counts = bus->counts;
}
