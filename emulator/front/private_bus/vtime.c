/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual time: whose clock is patched, who is blocked, and when to jump. */
#include "vtime.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "blocked.h"
#include "remote.h"
#include "vdso.h"

#define SWEEP_FIRST 64  /* so many processes or timers, and we look which of them are over */
#define ERESTARTSYS 512 /* of the kernel: the call is made again once the thread has seen to its signals */
#define PATIENCE_FIRST_NS UINT64_C(0)
#define PATIENCE_STEP_NS UINT64_C(15000)
#define PATIENCE_LAST_NS UINT64_C(1000000)
#define FAR_NS UINT64_C(60000000000)
#define FAR_LOOKS 8                       /* a jump that far is not made at first sight: it ends more than it skips */
#define PATIENCE_POLL_NS UINT64_C(400000) /* a held poll or futex may be about to be satisfied from inside */
#define SAME_EXPIRY_NS UINT64_C(1000)     /* the kernel rounds */
#define CLOCKS 16                         /* numbers of clocks that timerfd_create(2) may know are below this */
#define FOLLOW_MS 1000                    /* an interrupt that is later than this does not come */
#define OFFSET_MAX_NS UINT64_C(6000000000000000000) /* added to the date, it must fit 63 bits */

struct process {
	struct process *next;
	pid_t pid;
	int pidfd;
	bool patched, again; /* again: its set_tid_address(2) is about to be made again */
	unsigned round;      /* of the last look that saw it */
	struct vdso vdso;
};

/* A timerfd of the tool, of which we hold a copy. */
struct timer {
	int fd, info; /* info: its /proc/self/fdinfo */
	int clock;
	bool absolute;
	uint64_t least_ns, most_ns; /* between which it expires on the kernel's clock, as far as known; 0: disarmed */
	uint64_t offset_ns;         /* ours when it was armed */
};

struct vtime {
	struct private_bus *bus;
	bool always, given_up;
	uint64_t offset_ns;
	uint64_t patience_ns;
	unsigned far_looks; /* in a row that found all blocked, with nothing to come for so long */
	unsigned round;
	struct process *processes;
	struct blocked *blocked;
	struct timer *timers;
	size_t timer_count, timer_room;
	int followers[CLOCKS]; /* timers of our own, by clock; -1: not made yet */
	size_t process_count, process_sweep;
	/* which process a thread belongs to: threads of one process call in turn */
	struct {
		pid_t tid;
		struct process *process;
	} recent[8];
	unsigned next_recent;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void give_up(struct vtime *v, const char *why, int error)
{
	if (!v->given_up)
		bus_warn(v->bus, "virtual time does not work here (%s%s%s): the run goes on in real time", why,
			 error ? ": " : "", error ? strerror(-error) : "");
	v->given_up = true;
}

struct vtime *vtime_new(struct private_bus *bus, const struct private_bus_tool *tool, bool always)
{
	struct vtime *v = calloc(1, sizeof(*v));

	if (v)
		v->blocked = blocked_new(tool->fds);
	if (!v || !v->blocked) {
		free(v);
		return NULL;
	}
	v->bus = bus;
	v->always = always;
	for (size_t i = 0; i < CLOCKS; i++)
		v->followers[i] = -1;
	if (!blocked_supported())
		give_up(v, "/proc/PID/syscall, schedstat or children is missing", 0);
	return v;
}

static void forget_timer(struct vtime *v, size_t i)
{
	close(v->timers[i].fd);
	close(v->timers[i].info);
	v->timers[i] = v->timers[--v->timer_count];
}

static void process_free(struct vtime *v, struct process *p)
{
	for (size_t i = 0; i < sizeof(v->recent) / sizeof(*v->recent); i++) {
		if (v->recent[i].process == p)
			v->recent[i].tid = 0;
	}
	vdso_close(&p->vdso);
	if (p->pidfd >= 0)
		close(p->pidfd);
	v->process_count--;
	free(p);
}

void vtime_free(struct vtime *v)
{
	if (!v)
		return;
	while (v->processes) {
		struct process *next = v->processes->next;

		process_free(v, v->processes);
		v->processes = next;
	}
	while (v->timer_count)
		forget_timer(v, 0);
	free(v->timers);
	for (size_t i = 0; i < CLOCKS; i++)
		if (v->followers[i] >= 0)
			close(v->followers[i]);
	blocked_free(v->blocked);
	free(v);
}

uint64_t vtime_offset_ns(const struct vtime *v)
{
	return v->offset_ns;
}

/* --- processes --- */

/* A script may start thousands between two jumps, and each costs us two descriptors. */
static void sweep_processes(struct vtime *v)
{
	if (v->process_count < v->process_sweep)
		return;
	for (struct process **at = &v->processes; *at;) {
		struct process *p = *at;
		struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

		if (poll(&fd, 1, 0) <= 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		process_free(v, p);
	}
	v->process_sweep = v->process_count * 2 > SWEEP_FIRST ? v->process_count * 2 : SWEEP_FIRST;
}

static struct process *process_by_pid(struct vtime *v, pid_t pid)
{
	struct process *p = v->processes;

	while (p && p->pid != pid)
		p = p->next;
	if (p)
		return p;
	sweep_processes(v);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	v->process_count++;
	p->pid = pid;
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p->vdso.memory = -1;
	p->round = v->round;
	p->next = v->processes;
	v->processes = p;
	return p;
}

static struct process *process_of(struct vtime *v, pid_t tid)
{
	pid_t pid;

	for (size_t i = 0; i < sizeof(v->recent) / sizeof(*v->recent); i++) {
		if (v->recent[i].tid == tid)
			return v->recent[i].process;
	}
	pid = remote_process(tid);
	if (pid <= 0)
		return NULL;
	v->recent[v->next_recent % 8].process = process_by_pid(v, pid);
	v->recent[v->next_recent % 8].tid = v->recent[v->next_recent % 8].process ? tid : 0;
	return v->recent[v->next_recent++ % 8].process;
}

static int patch(struct vtime *v, struct process *p)
{
	int err;

	if (p->patched)
		return 0;
	vdso_close(&p->vdso);
	err = vdso_patch(p->pid, (int64_t)v->offset_ns, &p->vdso);
	p->patched = err == 0;
	return err;
}

struct restart {
	struct private_bus *bus;
	uint64_t id;
};

static void restart(void *context)
{
	const struct restart *r = context;

	answer_error(r->bus, r->id, -ERESTARTSYS);
}

/* No forced writes here: the thread itself can be stopped and made to help. */
static int patch_traced(struct vtime *v, struct process *p, const struct call_info *c, bool *answered)
{
	struct restart r = { .bus = v->bus, .id = c->id };
	int err;

	err = vdso_patch_traced(p->pid, c->tid, (int64_t)v->offset_ns, &p->vdso, restart, &r, answered);
	p->patched = err == 0;
	return err;
}

bool vtime_saw(struct vtime *v, const struct call_info *c)
{
	struct process *p;
	bool answered = false, unknown;
	int err;

	if (v->given_up || c->call == CALL_EXECVE || c->call == CALL_EXECVEAT)
		return false; /* what is about to be replaced needs no patch */
	p = process_of(v, c->tid);
	if (p && c->call == CALL_SET_TID_ADDRESS) {
		/* A new program, even if another thread of the old one has made a call after execve(2). */
		p->patched &= p->again;
		p->again = false;
	}
	if (!p || p->patched)
		return false;
	err = v->bus->options.no_forced_writes ? -EIO : patch(v, p);
	if (err == -EIO || err == -EACCES || err == -EPERM)
		err = patch_traced(v, p, c, &answered);
	p->again = answered && c->call == CALL_SET_TID_ADDRESS;
	unknown = err == -ENOSYS || err == -ENOEXEC;
	/* execve(2) in one thread ends the others, at any moment of the above. */
	if (err && err != -ESRCH && notify_alive(v->bus, c->id))
		give_up(v, unknown ? "the vDSO of this machine is unknown" : "the vDSO cannot be patched",
			unknown ? 0 : err);
	return answered;
}

void vtime_exec(struct vtime *v, pid_t tid)
{
	struct process *p = process_of(v, tid);

	if (p)
		p->patched = false;
}

int vtime_take_fd(struct vtime *v, pid_t tid, int fd)
{
	struct process *p = process_of(v, tid);
	int copy;

	if (!p || p->pidfd < 0)
		return -ESRCH;
	copy = (int)syscall(SYS_pidfd_getfd, p->pidfd, fd, 0);
	return copy < 0 ? -errno : copy;
}

bool vtime_same_process(struct vtime *v, pid_t a, pid_t b)
{
	return a == b || process_of(v, a) == process_of(v, b);
}

/* --- clocks that do not go through the vDSO --- */

static bool tells_time(clockid_t clock)
{
	return clock >= 0 && clock <= 7 && (0xF3u >> clock & 1); /* as in vdso_code_x86_64.c */
}

void vtime_clock(struct vtime *v, const struct call_info *c)
{
	clockid_t clock = c->call == CALL_CLOCK_GETTIME ? (clockid_t)c->args[0] : CLOCK_REALTIME;
	struct timespec ts;
	struct timeval tv;
	uint64_t ns;
	int err = 0;

	if (c->call == CALL_CLOCK_GETTIME && !tells_time(clock)) {
		answer_continue(v->bus, c->id); /* CPU time is the caller's own */
		return;
	}
	ns = now_ns(clock) + v->offset_ns;
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

static int open_info(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* An error (a kernel without kcmp(2)) counts as a yes: a timer that is lost gives wrong results. */
static bool same_file(pid_t pid, int theirs, int ours)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, ours, theirs) <= 0;
}

/* Does the process have it open under any number? */
static bool has_timer(const struct process *p, const struct timer *t)
{
	char path[64], text[64];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		ssize_t n = remote_fd_path(p->pid, fd, text, sizeof(text));

		found = n > 0 && !strcmp(text, "anon_inode:[timerfd]") && same_file(p->pid, fd, t->fd);
	}
	if (fds)
		closedir(fds);
	return found;
}

/* Nobody tells us when a timer is closed. */
static void sweep_timers(struct vtime *v)
{
	for (size_t i = v->timer_count; i-- > 0;) {
		const struct process *p = v->processes;

		while (p && !has_timer(p, &v->timers[i]))
			p = p->next;
		if (!p)
			forget_timer(v, i);
	}
}

static bool room_for_timer(struct vtime *v)
{
	struct timer *more;
	size_t room;

	if (v->timer_count < v->timer_room)
		return true;
	sweep_timers(v);
	if (v->timer_count < v->timer_room / 2)
		return true;
	room = v->timer_room ? v->timer_room * 2 : SWEEP_FIRST;
	more = realloc(v->timers, room * sizeof(*more));
	if (!more)
		return v->timer_count < v->timer_room;
	v->timers = more;
	v->timer_room = room;
	return true;
}

void vtime_timerfd(struct vtime *v, const struct call_info *c)
{
	int clock = (int)c->args[0], flags = (int)c->args[1], fd;

	if (!room_for_timer(v)) {
		answer_error(v->bus, c->id, -ENOMEM);
		return;
	}
	fd = timerfd_create(clock, (flags & TFD_NONBLOCK) | TFD_CLOEXEC);
	if (fd < 0) {
		answer_error(v->bus, c->id, -errno);
		return;
	}
	if (answer_fd(v->bus, c->id, fd, -1, (flags & TFD_CLOEXEC) != 0) < 0)
		close(fd);
	else
		v->timers[v->timer_count++] = (struct timer){ .fd = fd, .info = open_info(fd), .clock = clock };
}

/* Was it set with an absolute time? Then the tool counted with its own clock, which is ahead of the kernel's. */
static bool is_absolute(int info)
{
	char text[512];
	ssize_t n = pread(info, text, sizeof(text) - 1, 0);
	const char *at;

	text[n > 0 ? n : 0] = 0;
	at = strstr(text, "settime flags:");
	return at && (strtol(at + 14, NULL, 8) & TFD_TIMER_ABSTIME);
}

/*
 * A timer that is due expires in an interrupt, which may be late (the more so in a virtual machine); until then whoever waits for
 * it looks blocked, and a jump would pass over the moment. Timers of one clock that are armed on one processor expire in their
 * order: when one of ours has, which was armed behind it, so has the tool's, and its waiters have been woken.
 */
static void wait_for_expiry(struct vtime *v, int clock)
{
	static const struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct pollfd fd = { .fd = -1, .events = POLLIN };
	uint64_t count;

	if (clock < 0 || clock >= CLOCKS)
		return;
	if (v->followers[clock] < 0)
		v->followers[clock] = timerfd_create(clock, TFD_CLOEXEC | TFD_NONBLOCK);
	fd.fd = v->followers[clock];
	if (fd.fd < 0 || timerfd_settime(fd.fd, 0, &soon, NULL))
		return;
	if (poll(&fd, 1, FOLLOW_MS) > 0 && read(fd.fd, &count, sizeof(count)) < 0)
		return; /* it cannot be: nobody else reads it */
}

/* When a timer is due on the tool's clock, as nanoseconds from now; UINT64_MAX: not armed. */
static uint64_t timer_due_ns(struct vtime *v, struct timer *t)
{
	struct itimerspec armed;
	uint64_t left, before = now_ns(CLOCK_MONOTONIC), after, gone;

	if (timerfd_gettime(t->fd, &armed))
		return UINT64_MAX;
	after = now_ns(CLOCK_MONOTONIC);
	left = (uint64_t)armed.it_value.tv_sec * 1000000000u + (uint64_t)armed.it_value.tv_nsec;
	if (!left) {
		/* By itself, or disarmed: then it was too early for it to expire. */
		if (t->most_ns && after >= t->least_ns)
			wait_for_expiry(v, t->clock);
		t->most_ns = 0;
		return UINT64_MAX;
	}
	/* We may have been off the processor between the readings, so what is known are limits. */
	if (!t->most_ns || before + left > t->most_ns + SAME_EXPIRY_NS || after + left + SAME_EXPIRY_NS < t->least_ns) {
		/* Armed anew since we last looked; and we have looked at every jump. */
		t->absolute = is_absolute(t->info);
		t->offset_ns = v->offset_ns;
		t->least_ns = before + left;
		t->most_ns = after + left;
	} else {
		if (t->least_ns < before + left)
			t->least_ns = before + left;
		if (t->most_ns > after + left)
			t->most_ns = after + left;
	}
	gone = t->absolute ? v->offset_ns : v->offset_ns - t->offset_ns;
	return left > gone ? left - gone : 0;
}

/* The tool's clock has reached it, the kernel's has not. */
static void timer_fire(struct vtime *v, struct timer *t)
{
	struct itimerspec armed;

	if (timerfd_gettime(t->fd, &armed) || (!armed.it_value.tv_sec && !armed.it_value.tv_nsec))
		return;
	armed.it_value.tv_sec = 0;
	armed.it_value.tv_nsec = 1;
	timerfd_settime(t->fd, 0, &armed, NULL);
	t->most_ns = 0;
	wait_for_expiry(v, t->clock);
}

static uint64_t next_timer_ns(struct vtime *v)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < v->timer_count; i++) {
		uint64_t due = timer_due_ns(v, &v->timers[i]);

		if (due == 0)
			timer_fire(v, &v->timers[i]);
		else if (due < next)
			next = due;
	}
	return next;
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

static bool worth_looking(const struct vtime *v)
{
	const struct private_bus *bus = v->bus;

	/* Those that wait while the guardian ends them have no use for time, and it may take its own. */
	if (v->given_up || !bus->running || bus->ending || bus->over || bus->spawn.exec_pipe >= 0)
		return false;
	if (transfers_pending(bus) || device_on_its_way(bus))
		return true;
	return (bus->held || v->timer_count) && (v->always || bus->handles);
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

uint64_t vtime_patience_ns(struct vtime *v)
{
	if (!worth_looking(v))
		return v->timer_count && v->offset_ns ? PATIENCE_LAST_NS * 10 : UINT64_MAX;
	if (v->patience_ns < PATIENCE_POLL_NS && only_polls_wait(v->bus))
		v->patience_ns = PATIENCE_POLL_NS;
	return v->patience_ns;
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

static void drop_dead(struct vtime *v)
{
	for (struct process **at = &v->processes; *at;) {
		struct process *p = *at;

		if (p->round == v->round) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		process_free(v, p);
	}
}

/* Every process must have the new offset before anything of it runs again. */
static int set_clocks(struct vtime *v)
{
	size_t count;
	const pid_t *pids = blocked_processes(v->blocked, &count);

	v->round++;
	for (size_t i = 0; i < count; i++) {
		struct process *p = process_by_pid(v, pids[i]);
		int err = p ? patch(v, p) : -ENOMEM;

		if (!err)
			err = vdso_set(&p->vdso, (int64_t)v->offset_ns);
		if (err == -EIO && p) {
			/* Its memory is another by now (execve(2), or the number of a process that has ended). */
			p->patched = false;
			err = patch(v, p);
		}
		if (err == -ENOENT || err == -ESRCH || (err && kill(pids[i], 0)))
			err = 0; /* it has ended meanwhile, or is a zombie */
		if (err && !blocked_is_zombie(pids[i]))
			return err;
		if (p)
			p->round = v->round;
	}
	drop_dead(v);
	return 0;
}

/* All are blocked; has any of them yet been given a reason to go on, which we have not seen to? */
static bool nothing_came(struct private_bus *bus)
{
	struct pollfd fd = { .fd = bus->epoll, .events = POLLIN };

	return poll(&fd, 1, 0) == 0 && !waits_look_after(bus) && !held_look_after(bus);
}

static void jump(struct vtime *v, uint64_t by_ns)
{
	int err;

	v->offset_ns += by_ns;
	err = set_clocks(v);
	if (err) {
		v->offset_ns -= by_ns;
		give_up(v, "the clock of a process cannot be set", err);
		return;
	}
	private_bus_sync(v->bus);
	next_timer_ns(v); /* fires what is due */
}

void vtime_idle(struct vtime *v)
{
	struct private_bus *bus = v->bus;
	uint64_t next_us, by_ns, timer_ns;

	if (!worth_looking(v)) {
		if (v->timer_count)
			next_timer_ns(v);
		return;
	}
	private_bus_sync(bus);
	timer_ns = next_timer_ns(v);
	next_us = bench_next_us(bus->bench);
	by_ns = next_us == BENCH_NEVER ? UINT64_MAX : (next_us - bench_now_us(bus->bench)) * 1000;
	if (timer_ns < by_ns)
		by_ns = timer_ns;
	if (by_ns > OFFSET_MAX_NS - v->offset_ns || !blocked_all(v->blocked, bus) || !nothing_came(bus)) {
		v->far_looks = 0;
		be_patient(v);
		return;
	}
	if (by_ns > FAR_NS && ++v->far_looks < FAR_LOOKS) {
		be_patient(v);
		return;
	}
	vtime_stir(v);
	jump(v, by_ns);
}
