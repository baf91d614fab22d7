/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual time: what clocks show, and when they jump. */
#include "vtime.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "blocked.h"
#include "processes.h"
#include "remote.h"
#include "terminals.h"
#include "timers.h"
#include "vdso.h"

#define PATIENCE_FIRST_NS UINT64_C(0)
#define PATIENCE_STEP_NS UINT64_C(15000)
#define PATIENCE_LAST_NS UINT64_C(1000000)
#define FAR_NS UINT64_C(60000000000)
#define FAR_LOOKS 8                       /* a jump that far is not made at first sight: it ends more than it skips */
#define PATIENCE_POLL_NS UINT64_C(400000) /* a held poll or futex may be about to be satisfied from inside */
#define ELAPSED_MAX_NS UINT64_C(6000000000000000000) /* added to the date, it must fit 63 bits */
/* How long clocks stand while the tool computes, in processor time, for a machine may be busy. It may also be that the tool looks
 * for something to come again and again without ever waiting; that ends thereby, each time sooner, and at last they do not stand
 * any more. While it waits for somebody outside they stand that much as well, on the wall. */
#define COMPUTE_MS 1000
#define COMPUTE_LEAST_MS 20 /* the kernel tells it in hundredths of a second */
#define GO_LOOKS 4 /* for the forks of those that had not been told yet: a shell may start one after the other */
#define CHECKS 4   /* until then; we may ourselves be kept from looking for as long */

struct vtime {
	struct private_bus *bus;
	bool always, given_up;
	struct vdso_clock clock;
	uint64_t compute_ms;  /* as of now: COMPUTE_MS */
	uint64_t computed_ms; /* what the tool had computed at the first check since clocks jumped */
	uint64_t check_ns;    /* when to check again, on the wall */
	unsigned checks,
		away;      /* since then; and how many of the last ones have seen the tool wait for somebody outside */
	bool excused;      /* since they last moved, the tool was seen to wait for what is not here */
	uint64_t moved_ns; /* when they did, on the wall */
	uint64_t find_ns;  /* when to look once more for forks that were in the making when clocks went; 0: no need */
	uint64_t pause_to_ns;  /* a sleep that is not skipped: until then it lasts, on the wall; */
	uint64_t pause_due_ns; /* and that is what clocks show then. 0: there is none */
	uint64_t patience_ns;
	unsigned far_looks; /* in a row that found all blocked, with nothing to come for so long */
	struct blocked *blocked;
	struct timers *timers;
	struct processes *processes;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t vtime_elapsed_ns(const struct vtime *v, uint64_t wall_ns)
{
	return v->clock.elapsed_ns + (wall_ns > v->clock.moves_ns ? wall_ns - v->clock.moves_ns : 0);
}

uint64_t vtime_until_ns(const struct vtime *v, uint64_t elapsed_ns, uint64_t wall_ns)
{
	uint64_t at = v->clock.moves_ns;

	if (elapsed_ns <= v->clock.elapsed_ns)
		return 0;
	at += elapsed_ns - v->clock.elapsed_ns;
	return at > wall_ns ? at - wall_ns : 0;
}

/* A point on a clock of the tool, as nanoseconds since its start. */
uint64_t vtime_point_ns(const struct vtime *v, clockid_t clock, uint64_t ns)
{
	uint64_t base = v->clock.base_ns[clock & 7];

	return ns > base ? ns - base : 0;
}

static uint64_t check_interval_ns(const struct vtime *v)
{
	return v->compute_ms * 1000000 / CHECKS;
}

/* Clocks have jumped, or are to begin. */
static void stand(struct vtime *v, uint64_t wall_ns)
{
	bool goes = v->given_up || v->compute_ms < COMPUTE_LEAST_MS;

	v->clock.moves_ns = goes ? wall_ns : VDSO_STANDS;
	v->moved_ns = wall_ns;
	v->check_ns = wall_ns + check_interval_ns(v);
	v->checks = v->away = 0;
	v->excused = false;
}

void vtime_start_clock(struct vtime *v)
{
	stand(v, now_ns(CLOCK_MONOTONIC));
}

static bool stands(const struct vtime *v)
{
	return v->clock.moves_ns == VDSO_STANDS;
}

/* From that moment on clocks go with the wall. */
static void go(struct vtime *v, uint64_t wall_ns)
{
	v->clock.moves_ns = wall_ns;
	for (unsigned i = 0; i < GO_LOOKS; i++) {
		processes_let_go(v->processes);
		if (!processes_find(v->processes, v->bus->spawn.guardian))
			break;
	}
	v->find_ns = wall_ns + PATIENCE_LAST_NS;
}

static void give_up(struct vtime *v, const char *why, int error)
{
	if (v->given_up)
		return;
	bus_warn(v->bus, "virtual time does not work here (%s%s%s): the run goes on in real time", why,
		 error ? ": " : "", error ? strerror(-error) : "");
	v->given_up = true;
	if (stands(v))
		go(v, now_ns(CLOCK_MONOTONIC));
}

static bool tells_time(clockid_t clock)
{
	return clock >= 0 && clock < VDSO_CLOCKS && (0xF3u >> clock & 1); /* as in vdso_code_x86_64.c */
}

static void start_clocks(struct vtime *v)
{
	for (clockid_t clock = 0; clock < VDSO_CLOCKS; clock++) {
		if (!tells_time(clock))
			continue;
		v->clock.base_ns[clock] = now_ns(clock);
		if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
			v->clock.base_ns[clock] += TIMERS_LEAD_NS;
	}
	v->compute_ms = COMPUTE_MS;
	vtime_start_clock(v);
}

struct vtime *vtime_new(struct private_bus *bus, const struct private_bus_tool *tool, bool always)
{
	struct vtime *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->blocked = blocked_new(tool->fds);
	v->timers = timers_new(bus, v->clock.base_ns);
	v->processes = processes_new(bus, &v->clock);
	if (!v->blocked || !v->timers || !v->processes) {
		vtime_free(v);
		return NULL;
	}
	v->bus = bus;
	v->always = always;
	start_clocks(v);
	if (!blocked_supported())
		give_up(v, "/proc/PID/syscall, schedstat or children is missing", 0);
	return v;
}

void vtime_free(struct vtime *v)
{
	if (!v)
		return;
	processes_free(v->processes);
	timers_free(v->timers);
	blocked_free(v->blocked);
	free(v);
}

/* --- processes --- */

bool vtime_saw(struct vtime *v, const struct call_info *c)
{
	bool answered = false, unknown;
	int err;

	if (v->given_up || c->call == CALL_EXECVE || c->call == CALL_EXECVEAT)
		return false; /* what is about to be replaced needs no patch */
	err = processes_saw(v->processes, c, &answered);
	unknown = err == -ENOSYS || err == -ENOEXEC;
	/* execve(2) in one thread ends the others, at any moment of the above. */
	if (err && err != -ESRCH && notify_alive(v->bus, c->id))
		give_up(v, unknown ? "the vDSO of this machine is unknown" : "the vDSO cannot be patched",
			unknown ? 0 : err);
	return answered;
}

void vtime_exec(struct vtime *v, pid_t tid)
{
	processes_exec(v->processes, tid);
}

int vtime_take_fd(struct vtime *v, pid_t tid, int fd)
{
	return processes_take_fd(v->processes, tid, fd);
}

bool vtime_is_real(struct vtime *v, pid_t tid)
{
	return v->given_up && !processes_is_patched(v->processes, tid);
}

bool vtime_same_process(struct vtime *v, pid_t a, pid_t b)
{
	return processes_are_same(v->processes, a, b);
}

/* --- clocks that do not go through the vDSO --- */

void vtime_clock(struct vtime *v, const struct call_info *c)
{
	clockid_t clock = c->call == CALL_CLOCK_GETTIME ? (clockid_t)c->args[0] : CLOCK_REALTIME;
	struct timespec ts;
	struct timeval tv;
	uint64_t ns;
	int err = 0;

	if (vtime_is_real(v, c->tid) || !tells_time(clock)) {
		answer_continue(v->bus, c->id); /* CPU time is the caller's own */
		return;
	}
	ns = v->clock.base_ns[clock] + vtime_elapsed_ns(v, now_ns(CLOCK_MONOTONIC));
	ts.tv_sec = tv.tv_sec = (time_t)(ns / 1000000000u);
	ts.tv_nsec = (long)(ns % 1000000000u);
	tv.tv_usec = ts.tv_nsec / 1000;
	if (c->call == CALL_CLOCK_GETTIME)
		err = remote_write(c->tid, c->args[1], &ts, sizeof(ts));
	else if (c->call == CALL_GETTIMEOFDAY)
		err = c->args[0] ? remote_write(c->tid, c->args[0], &tv, sizeof(tv)) : 0;
	else if (c->args[0])
		err = remote_write(c->tid, c->args[0], &ts.tv_sec, sizeof(ts.tv_sec));
	if (err)
		answer_error(v->bus, c->id, err);
	else
		answer_value(v->bus, c->id, c->call == CALL_TIME ? ts.tv_sec : 0);
}

/* --- timerfd --- */

void vtime_timerfd(struct vtime *v, const struct call_info *c)
{
	uint64_t elapsed = vtime_elapsed_ns(v, now_ns(CLOCK_MONOTONIC));

	if (vtime_is_real(v, c->tid)) {
		answer_continue(v->bus, c->id);
		return;
	}
	switch (c->call) {
	case CALL_TIMERFD_CREATE:
		if (timers_full(v->timers))
			timers_sweep(v->timers, processes_have_timer, v->processes);
		timers_create(v->timers, c);
		return;
	case CALL_TIMERFD_SETTIME:
		timers_settime(v->timers, c, elapsed);
		return;
	default:
		timers_gettime(v->timers, c, elapsed);
		return;
	}
}

/* --- the jump --- */

static bool transfers_pending(const struct private_bus *bus)
{
	for (int i = 1; i <= PRIVATE_BUS_PORTS; i++) {
		if (bus->ports[i] && bus->ports[i]->transfers)
			return true;
	}
	return false;
}

static uint64_t own_events(const struct private_bus *bus)
{
	uint64_t n = 0;

	for (const struct held *h = bus->held; h; h = h->next)
		n += bench_is_scheduled(&h->deadline);
	return n;
}

static bool device_on_its_way(const struct private_bus *bus)
{
	return bench_pending(bus->bench) > own_events(bus);
}

static bool tool_runs(const struct vtime *v)
{
	const struct private_bus *bus = v->bus;

	/* Those that wait while the guardian ends them have no use for time, and it may take its own. */
	return bus->running && !bus->ending && !bus->over && bus->spawn.exec_pipe < 0;
}

static bool worth_looking(const struct vtime *v)
{
	return !v->given_up && tool_runs(v) &&
	       (bench_pending(v->bus->bench) || transfers_pending(v->bus) || timers_any(v->timers) ||
		terminals_pending(v->bus));
}

/* Else a sleep lasts as long as it says. */
static bool skips(const struct vtime *v)
{
	return v->always || v->bus->handles || transfers_pending(v->bus) || device_on_its_way(v->bus);
}

static bool only_polls_wait(const struct private_bus *bus)
{
	if (transfers_pending(bus))
		return false;
	for (const struct held *h = bus->held; h; h = h->next) {
		if (h->kind == HELD_SLEEP)
			return false;
	}
	return true;
}

static uint64_t look_after_ns(struct vtime *v)
{
	if (!worth_looking(v))
		return tool_runs(v) && timers_any(v->timers) ? PATIENCE_LAST_NS * 10 : UINT64_MAX;
	if (v->patience_ns < PATIENCE_POLL_NS && only_polls_wait(v->bus))
		v->patience_ns = PATIENCE_POLL_NS;
	return v->patience_ns;
}

static bool checks(const struct vtime *v)
{
	return stands(v) && tool_runs(v);
}

uint64_t vtime_patience_ns(struct vtime *v)
{
	uint64_t look = look_after_ns(v), wall = v->bus->wall_now_ns, check;

	if (!checks(v) && !v->find_ns)
		return look;
	check = checks(v) ? v->check_ns : v->find_ns;
	check = check > wall ? check - wall : 0;
	return check < look ? check : look;
}

void vtime_stir(struct vtime *v)
{
	v->patience_ns = PATIENCE_FIRST_NS;
	v->far_looks = 0;
}

static void be_patient(struct vtime *v)
{
	v->patience_ns = v->patience_ns ? v->patience_ns * 2 : PATIENCE_STEP_NS;
	if (v->patience_ns > PATIENCE_LAST_NS)
		v->patience_ns = PATIENCE_LAST_NS;
}

/* All are blocked; has any of them yet been given a reason to go on, which we have not seen to? */
static bool nothing_came(struct private_bus *bus)
{
	struct pollfd fd = { .fd = bus->epoll, .events = POLLIN };

	return !terminals_moved(bus) && poll(&fd, 1, 0) == 0 && !waits_look_after(bus) && !held_look_after(bus);
}

static void jump(struct vtime *v, uint64_t to_ns)
{
	const struct vdso_clock before = v->clock;
	uint64_t wall = now_ns(CLOCK_MONOTONIC), at_least = vtime_elapsed_ns(v, wall);
	const pid_t *pids;
	size_t count;
	int err;

	if (!stands(v) && !v->excused)
		v->compute_ms /= 2; /* a tool that never waits is not to lose that much each time */
	v->pause_due_ns = 0;
	/* In whole microseconds, as the bench counts. */
	v->clock.elapsed_ns = ((to_ns > at_least ? to_ns : at_least) + 999) / 1000 * 1000;
	stand(v, wall);
	pids = blocked_processes(v->blocked, &count);
	err = processes_set_clocks(v->processes, pids, count);
	if (err) {
		v->clock = before;
		give_up(v, "the clock of a process cannot be set", err);
		return;
	}
	private_bus_sync(v->bus);
	timers_next_ns(v->timers, v->clock.elapsed_ns); /* fires what is due */
}

/* A sleep that is to last: 0 when it is over, else how long it takes, by the wall. */
static uint64_t pause_ns(struct vtime *v, uint64_t by_ns, uint64_t due_ns)
{
	uint64_t wall = v->bus->wall_now_ns;

	v->excused = true;
	if (v->pause_due_ns != due_ns) {
		v->pause_due_ns = due_ns;
		v->pause_to_ns = wall + by_ns;
	}
	return v->pause_to_ns > wall ? v->pause_to_ns - wall : 0;
}

/* The kernel counts for one of those that wait, nobody knows since when: then the clocks have gone with it all the while. */
static void go_with_the_wall(struct vtime *v)
{
	v->excused = true;
	if (stands(v))
		go(v, v->moved_ns);
}

void vtime_check(struct vtime *v)
{
	struct private_bus *bus = v->bus;
	uint64_t computed;

	if (v->find_ns && bus->wall_now_ns >= v->find_ns) {
		v->find_ns = 0;
		if (tool_runs(v) && !stands(v))
			processes_find(v->processes, bus->spawn.guardian);
	}
	if (!stands(v) && tool_runs(v) && timers_any(v->timers) && bus->wall_now_ns >= v->check_ns) {
		timers_next_ns(v->timers, vtime_elapsed_ns(v, bus->wall_now_ns)); /* it may never be idle */
		v->check_ns = bus->wall_now_ns + PATIENCE_LAST_NS;
	}
	if (!stands(v))
		terminals_push(bus); /* it does not wait, and is not to be waited for */
	if (!checks(v) || bus->wall_now_ns < v->check_ns)
		return;
	v->check_ns = bus->wall_now_ns + check_interval_ns(v);
	processes_find(v->processes, bus->spawn.guardian);
	computed = processes_computed_ms(v->processes);
	if (v->checks++ == 0)
		v->computed_ms = computed;
	v->away = blocked_all(v->blocked, bus) == BLOCKED_NOT ? 0 : v->away + 1;
	/* What has ended without anybody having waited for it is missing from the sum. */
	if (v->away >= CHECKS || (v->checks > CHECKS && computed > v->computed_ms + v->compute_ms)) {
		v->excused |= v->away >= CHECKS;
		go(v, bus->wall_now_ns);
	}
}

/* When something is due at the earliest, since the start of the tool. */
static uint64_t next_ns(struct vtime *v, uint64_t elapsed_ns)
{
	uint64_t timer = timers_next_ns(v->timers, elapsed_ns), event = bench_next_us(v->bus->bench);

	event = event == BENCH_NEVER ? UINT64_MAX : event - v->bus->bench_origin_us;
	event = event < UINT64_MAX / 1000 ? event * 1000 : UINT64_MAX;
	return timer < event ? timer : event;
}

void vtime_idle(struct vtime *v)
{
	struct private_bus *bus = v->bus;
	uint64_t elapsed, due, by;
	enum blocked_how how;

	if (!worth_looking(v)) {
		if (tool_runs(v) && timers_any(v->timers))
			timers_next_ns(v->timers, vtime_elapsed_ns(v, bus->wall_now_ns));
		return;
	}
	private_bus_sync(bus);
	elapsed = vtime_elapsed_ns(v, bus->wall_now_ns);
	due = next_ns(v, elapsed);
	if (terminals_flush(bus)) {
		vtime_stir(v);
		return;
	}
	how = due > ELAPSED_MAX_NS && !terminals_open(bus) ? BLOCKED_NOT : blocked_all(v->blocked, bus);
	if (how != BLOCKED_NOT && !nothing_came(bus))
		how = BLOCKED_NOT; /* a call that we have yet to receive looks as if the kernel saw to it */
	/* Whatever it waits for, it writes no more meanwhile. */
	if (how != BLOCKED_NOT && terminals_push(bus)) {
		vtime_stir(v);
		return;
	}
	if (how == BLOCKED_AND_COUNTED)
		go_with_the_wall(v);
	if (due > ELAPSED_MAX_NS)
		how = BLOCKED_NOT;
	if (how == BLOCKED_OUTSIDE)
		v->excused = true;
	if (how != BLOCKED_ALL) {
		v->far_looks = 0;
		be_patient(v);
		return;
	}
	by = due > elapsed ? due - elapsed : 0;
	if (!skips(v) && pause_ns(v, by, due)) {
		v->patience_ns = pause_ns(v, by, due);
		return;
	}
	if (by > FAR_NS && ++v->far_looks < FAR_LOOKS) {
		be_patient(v);
		return;
	}
	vtime_stir(v);
	jump(v, due);
}
