/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tools of a private bus, one after the other: how each starts, how it ends, and that nothing of it is left then. */
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "bus_internal.h"
#include "filter.h"
#include "terminals.h"
#include "vtime.h"

#define SETTLE_US 30000000u /* a device that does not come back from a reset is given up before */
#define SETTLE_REAL_S 5.0   /* firmware that never sleeps takes minutes for that */

void tool_setup(struct private_bus *bus)
{
	bus->spawn.listener = bus->spawn.lifeline = bus->spawn.tool_fd = bus->spawn.exec_pipe = -1;
	sigprocmask(SIG_SETMASK, NULL, &bus->spawn.mask);
	getrlimit(RLIMIT_NOFILE, &bus->spawn.files);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	remove(path); /* what is left is stale, and the next start's to remove */
	return 0;
}

/* By name: the guardian keeps none of the descriptors that tree_free() goes by. */
static void tree_orphaned(void *context)
{
	nftw(tree_root(context), remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- the end --- */

static void free_cpus(struct private_bus *bus)
{
	if (bus->shares_cpu)
		sched_setaffinity(0, sizeof(bus->cpus), &bus->cpus);
	bus->shares_cpu = false;
}

void tool_gone(struct private_bus *bus)
{
	for (struct watch *w = bus->watches; w; w = w->next) {
		if (w->kind != WATCH_USER && w->kind != WATCH_NODE && w->kind != WATCH_HELD &&
		    w->kind != WATCH_TERMINAL)
			bus_unwatch(bus, w);
	}
	/* First: nothing of it may call any more. */
	spawn_end(&bus->spawn);
	bus->spawn.tool = 0;
	while (bus->held) {
		struct held *h = bus->held;

		bus->held = h->next;
		waits_release(bus, h);
		free(h);
	}
	terminals_tool_gone(bus);
	usbfs_free_all(bus);
	netlink_free_all(bus);
	bus_forget_resets(bus);
	vtime_free(bus->vtime);
	bus->vtime = NULL;
	free_cpus(bus);
	bus->running = bus->ticking = false;
}

/* What is left is the bus's own: interfaces put back to their first setting, a port reset. A process that closes its last
 * descriptor, or is killed while it resets a port, ends when that is over. */
static bool is_tidying(const struct private_bus *bus)
{
	if (terminals_are_closing(bus))
		return true;
	for (int i = 1; i <= PRIVATE_BUS_PORTS; i++)
		if (bus->ports[i] && (bus->ports[i]->before_reset || bus->ports[i]->transfers))
			return true;
	return false;
}

/* Somebody wants all of it to end: the signals that the owner has taken for itself wait to be read. */
static bool is_called_off(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (sigpending(&pending))
		return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (sigismember(&pending, numbers[i]) == 1)
			return true;
	return false;
}

static double seconds_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

void tool_ended(struct private_bus *bus)
{
	uint64_t limit = bench_now_us(bus->bench) + SETTLE_US;
	struct timespec begin;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	tool_gone(bus);
	if (bus->options.time == TIME_SCALED)
		return; /* it takes the time that comes */
	/* Firmware that never sleeps takes its time for that, and nobody waits for what it still has to say. */
	while (is_tidying(bus) && bench_next_us(bus->bench) <= limit && !is_called_off() &&
	       seconds_since(&begin) < SETTLE_REAL_S)
		bench_advance(bus->bench, bench_next_us(bus->bench));
}

int tool_broken(struct private_bus *bus, int error)
{
	tool_gone(bus);
	bus->status = SIGKILL;
	return error;
}

void tool_executed(struct private_bus *bus, struct watch *w)
{
	int error = 0;

	/* Nothing to read: the pipe was closed by a successful exec. */
	if (read(bus->spawn.exec_pipe, &error, sizeof(error)) == sizeof(error))
		bus->exec_error = error;
	bus_unwatch(bus, w);
	close(bus->spawn.exec_pipe);
	bus->spawn.exec_pipe = -1;
}

void tool_reported(struct private_bus *bus, struct watch *w)
{
	struct spawn_report report = { .status = SIGKILL }; /* what the tool died of if the guardian was killed */
	ssize_t n = recv(bus->spawn.lifeline, &report, sizeof(report), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(report) && report.left_behind)
		bus_warn(bus, "%d process%s that the tool left behind %s ended", report.left_behind,
			 report.left_behind == 1 ? "" : "es", report.left_behind == 1 ? "was" : "were");
	bus->status = report.status;
	bus->over = true;
	bus_unwatch(bus, w);
}

int private_bus_status(const struct private_bus *bus)
{
	return bus->status;
}

int private_bus_signal(struct private_bus *bus, int number)
{
	if (!bus->running || bus->over || bus->spawn.tool <= 0)
		return -ESRCH;
	bus->ending |= number == SIGKILL;
	/* By number only where a sandbox forbids the other: the guardian may have buried it, and another have its number. */
	if (bus->spawn.tool_fd >= 0 && syscall(SYS_pidfd_send_signal, bus->spawn.tool_fd, number, NULL, 0) == 0)
		return 0;
	if (bus->spawn.tool_fd >= 0 && errno == ESRCH)
		return -ESRCH;
	return kill(bus->spawn.tool, number) ? -errno : 0;
}

/* --- the start --- */

static void explain(enum spawn_stage stage, int err, const struct private_bus_tool *tool, char why[PRIVATE_BUS_ERROR])
{
	const char *what = stage == SPAWN_FILTER ? "the kernel refuses the seccomp filter" : "cannot start a process";
	const char *hint = "";

	if (stage == SPAWN_FOLDER) {
		snprintf(why, PRIVATE_BUS_ERROR, "cannot change to '%.150s': %s", tool->folder, strerror(-err));
		return;
	}
	if (stage == SPAWN_DESCRIPTORS) {
		snprintf(why, PRIVATE_BUS_ERROR, "cannot give the tool %d, %d and %d as its standard descriptors: %s",
			 tool->fds[0], tool->fds[1], tool->fds[2], strerror(-err));
		return;
	}
	if (err == -EACCES || err == -EPERM)
		hint = " (a container's seccomp profile may forbid it)";
	else if (err == -EINVAL || err == -ENOSYS)
		hint = " (Linux 5.14 or later is needed, with CONFIG_SECCOMP_FILTER)";
	if (err == -EBUSY)
		snprintf(why, PRIVATE_BUS_ERROR,
			 "a seccomp listener is there already: is this dfuemu running inside another 'dfuemu exec'?");
	else
		snprintf(why, PRIVATE_BUS_ERROR, "%s: %s%s", what, strerror(-err), hint);
}

/* Without synchronous wake-ups a call costs five times as much, unless both sides share a CPU. */
static void share_a_cpu(struct private_bus *bus)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	if (cpu < 0 || sched_getaffinity(0, sizeof(bus->cpus), &bus->cpus))
		return;
	CPU_ZERO(&one);
	CPU_SET((unsigned)cpu, &one);
	if (sched_setaffinity(bus->spawn.tool, sizeof(one), &one) == 0)
		bus->shares_cpu = sched_setaffinity(0, sizeof(one), &one) == 0;
}

/* What the last tool has left in the bus. */
static int prepare(struct private_bus *bus, const struct private_bus_tool *tool)
{
	bus->over = bus->ending = false;
	bus->failure = bus->status = bus->exec_error = bus->exec_failed = 0;
	bus->warned_memory = bus->warned_foreign = bus->warned_uring = bus->warned_chdir = false;
	bus->spawn.syscalls = bus->syscalls;
	bus->spawn.reserved_base = bus->reserved_base;
	bus->spawn.reserved_count = RESERVED_COUNT;
	bus->spawn.timed = bus->options.time != TIME_SCALED;
	bus->spawn.orphaned = tree_orphaned;
	bus->spawn.context = bus->tree;
	if (!bus->spawn.timed)
		return 0;
	bus->vtime = vtime_new(bus, tool, bus->options.time == TIME_VIRTUAL_ALWAYS);
	return bus->vtime ? 0 : -ENOMEM;
}

static bool watch_tool(struct private_bus *bus)
{
	return bus_watch(bus, WATCH_LISTENER, bus->spawn.listener, EPOLLIN) &&
	       bus_watch(bus, WATCH_LIFELINE, bus->spawn.lifeline, EPOLLIN) &&
	       (bus->spawn.tool_fd < 0 || bus_watch(bus, WATCH_TOOL, bus->spawn.tool_fd, EPOLLIN)) &&
	       bus_watch(bus, WATCH_EXEC, bus->spawn.exec_pipe, EPOLLIN);
}

static int start(struct private_bus *bus, const struct private_bus_tool *tool, char why[PRIVATE_BUS_ERROR])
{
	enum spawn_stage stage;
	int err = prepare(bus, tool);

	if (err) {
		snprintf(why, PRIVATE_BUS_ERROR, "out of memory");
		return err;
	}
	err = spawn_start(&bus->spawn, tool, &stage);
	if (err) {
		explain(stage, err, tool, why);
		return err;
	}
	if (filter_sync_wake_up(bus->spawn.listener))
		share_a_cpu(bus);
	if (!watch_tool(bus)) {
		snprintf(why, PRIVATE_BUS_ERROR, "out of memory or descriptors");
		return -ENOMEM;
	}
	bus_start_clock(bus);
	bus->running = true;
	while (bus->spawn.exec_pipe >= 0 && err >= 0 && bus->running)
		err = private_bus_step(bus, -1);
	if (err >= 0 && !bus->exec_error)
		return 0;
	err = bus->exec_error ? -bus->exec_error : err;
	bus->exec_failed = !bus->exec_error ? 0 : err == -ENOENT || err == -ENOTDIR ? 127 : 126;
	snprintf(why, PRIVATE_BUS_ERROR, "cannot run '%.150s': %s", tool->argv[0], strerror(-err));
	return err;
}

int private_bus_start(struct private_bus *bus, const struct private_bus_tool *tool, char why[PRIVATE_BUS_ERROR])
{
	int err;

	if (bus->running) {
		snprintf(why, PRIVATE_BUS_ERROR, "a tool is running on this bus already");
		return -EBUSY;
	}
	err = start(bus, tool, why);
	if (err)
		tool_gone(bus);
	return err;
}

int private_bus_spawn(struct private_bus *bus, char *const argv[], char why[PRIVATE_BUS_ERROR])
{
	const struct private_bus_tool tool = { .argv = argv, .fds = PRIVATE_BUS_INHERITED };

	return private_bus_start(bus, &tool, why);
}

int private_bus_exec_failed(const struct private_bus *bus)
{
	return bus->exec_failed;
}
