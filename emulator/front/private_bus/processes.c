/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a tool in virtual time. */
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "blocked.h"
#include "remote.h"

#define SWEEP_FIRST 64  /* so many, and we look which of them are over */
#define ERESTARTSYS 512 /* of the kernel: the call is made again once the thread has seen to its signals */

struct process {
	struct process *next;
	pid_t pid;
	int pidfd;
	bool patched, again; /* again: its set_tid_address(2) is about to be made again */
	unsigned round;      /* of the last look that saw it */
	struct vdso vdso;
};

struct processes {
	struct private_bus *bus;
	const struct vdso_clock *clock;
	struct process *all;
	size_t count, sweep;
	unsigned round;
	/* which process a thread belongs to: threads of one process call in turn */
	struct {
		pid_t tid;
		struct process *process;
	} recent[8];
	unsigned next_recent;
};

struct processes *processes_new(struct private_bus *bus, const struct vdso_clock *clock)
{
	struct processes *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->bus = bus;
	v->clock = clock;
	return v;
}

static void process_free(struct processes *v, struct process *p)
{
	for (size_t i = 0; i < sizeof(v->recent) / sizeof(*v->recent); i++) {
		if (v->recent[i].process == p)
			v->recent[i].tid = 0;
	}
	vdso_close(&p->vdso);
	if (p->pidfd >= 0)
		close(p->pidfd);
	v->count--;
	free(p);
}

void processes_free(struct processes *v)
{
	if (!v)
		return;
	while (v->all) {
		struct process *next = v->all->next;

		process_free(v, v->all);
		v->all = next;
	}
	free(v);
}

/* A script may start thousands between two jumps, and each costs us two descriptors. */
static void sweep_processes(struct processes *v)
{
	if (v->count < v->sweep)
		return;
	for (struct process **at = &v->all; *at;) {
		struct process *p = *at;
		struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

		if (poll(&fd, 1, 0) <= 0) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		process_free(v, p);
	}
	v->sweep = v->count * 2 > SWEEP_FIRST ? v->count * 2 : SWEEP_FIRST;
}

static struct process *process_by_pid(struct processes *v, pid_t pid)
{
	struct process *p = v->all;

	while (p && p->pid != pid)
		p = p->next;
	if (p)
		return p;
	sweep_processes(v);
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	v->count++;
	p->pid = pid;
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p->vdso.memory = -1;
	p->round = v->round;
	p->next = v->all;
	v->all = p;
	return p;
}

static struct process *process_of(struct processes *v, pid_t tid)
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

static int patch(struct processes *v, struct process *p)
{
	int err;

	if (p->patched)
		return 0;
	vdso_close(&p->vdso);
	err = vdso_patch(p->pid, v->clock, &p->vdso);
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
static int patch_traced(struct processes *v, struct process *p, const struct call_info *c, bool *answered)
{
	struct restart r = { .bus = v->bus, .id = c->id };
	int err;

	err = vdso_patch_traced(p->pid, c->tid, v->clock, &p->vdso, restart, &r, answered);
	p->patched = err == 0;
	return err;
}

int processes_saw(struct processes *v, const struct call_info *c, bool *answered)
{
	struct process *p = process_of(v, c->tid);
	int err;

	if (p && c->call == CALL_SET_TID_ADDRESS) {
		/* A new program, even if another thread of the old one has made a call after execve(2). */
		p->patched &= p->again;
		p->again = false;
	}
	if (!p || p->patched)
		return 0;
	err = v->bus->options.no_forced_writes ? -EIO : patch(v, p);
	if (err == -EIO || err == -EACCES || err == -EPERM)
		err = patch_traced(v, p, c, answered);
	p->again = *answered && c->call == CALL_SET_TID_ADDRESS;
	return err;
}

void processes_exec(struct processes *v, pid_t tid)
{
	struct process *p = process_of(v, tid);

	if (p)
		p->patched = false;
}

int processes_take_fd(struct processes *v, pid_t tid, int fd)
{
	struct process *p = process_of(v, tid);
	int copy;

	if (!p || p->pidfd < 0)
		return -ESRCH;
	copy = (int)syscall(SYS_pidfd_getfd, p->pidfd, fd, 0);
	return copy < 0 ? -errno : copy;
}

bool processes_is_patched(struct processes *v, pid_t tid)
{
	const struct process *p = process_of(v, tid);

	return p && p->patched;
}

bool processes_are_same(struct processes *v, pid_t a, pid_t b)
{
	return a == b || process_of(v, a) == process_of(v, b);
}

uint64_t processes_computed_ms(const struct processes *v)
{
	uint64_t ticks = 0;

	for (const struct process *p = v->all; p; p = p->next)
		ticks += blocked_ticks(p->pid);
	return ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

/* --- those that nobody has heard of --- */

struct pids {
	pid_t *all;
	size_t count, room;
};

static bool note(struct pids *pids, pid_t pid)
{
	if (pids->count == pids->room) {
		size_t room = pids->room ? pids->room * 2 : 16;
		pid_t *more = realloc(pids->all, room * sizeof(*more));

		if (!more)
			return false;
		pids->all = more;
		pids->room = room;
	}
	pids->all[pids->count++] = pid;
	return true;
}

/* The children of all its threads. */
static void note_children(struct pids *pids, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
			 (int)strtol(entry->d_name, NULL, 10));
		f = fopen(path, "re");
		while (f && fscanf(f, "%d", &child) == 1 && note(pids, child))
			;
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
}

bool processes_find(struct processes *v, pid_t root)
{
	struct pids pids = { 0 };
	bool any = false;

	note_children(&pids, root);
	for (size_t i = 0; i < pids.count; i++) {
		struct process *p = process_by_pid(v, pids.all[i]);

		note_children(&pids, pids.all[i]);
		/* What cannot be patched is about to end or to be another program, and is seen then. */
		any |= p && !p->patched && patch(v, p) == 0;
	}
	free(pids.all);
	return any;
}

/* --- their clocks --- */

void processes_let_go(const struct processes *v)
{
	for (const struct process *p = v->all; p; p = p->next) {
		if (p->patched)
			vdso_set_moves(&p->vdso, v->clock);
	}
}

static void drop_dead(struct processes *v)
{
	for (struct process **at = &v->all; *at;) {
		struct process *p = *at;

		if (p->round == v->round) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		process_free(v, p);
	}
}

int processes_set_clocks(struct processes *v, const pid_t *pids, size_t count)
{
	v->round++;
	for (size_t i = 0; i < count; i++) {
		struct process *p = process_by_pid(v, pids[i]);
		int err = p ? patch(v, p) : -ENOMEM;

		if (!err)
			err = vdso_set(&p->vdso, v->clock);
		if ((err == -EIO || err == -EFAULT) && p) {
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

/* --- their timers --- */

/* An error (a kernel without kcmp(2)) counts as a yes: a timer that is lost gives wrong results. */
static bool same_file(pid_t pid, int theirs, int ours)
{
	return syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, ours, theirs) <= 0;
}

/* Does the process have it open under any number? */
static bool has_timer(const struct process *p, int timer)
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

		found = n > 0 && !strcmp(text, "anon_inode:[timerfd]") && same_file(p->pid, fd, timer);
	}
	if (fds)
		closedir(fds);
	return found;
}

bool processes_have_timer(void *context, int timer)
{
	const struct processes *v = context;
	const struct process *p = v->all;

	while (p && !has_timer(p, timer))
		p = p->next;
	return p != NULL;
}
