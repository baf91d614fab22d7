/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is every thread of the tool blocked, and on nothing outside? /proc/PID/task/TID/syscall tells in one line whether a thread
 * runs, and if not, in which call with which arguments it sleeps; schedstat tells whether it has run between two looks. A thread
 * that has been woken, but whose processor has not heard of it, still has a call in syscall, and has not run: stat tells it.
 */
#include "blocked_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "terminals.h"
#include "vtime.h"

static void note_if_outside(struct blocked *b, int fd)
{
	struct stat st;

	if (b->outside_count < OUTSIDE_MAX && fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		b->outside[b->outside_count++] = st.st_ino;
}

static void note_outside(struct blocked *b, const int given[3])
{
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *entry;

	for (int i = 0; i < 3; i++)
		note_if_outside(b, given[i]);
	while (fds && (entry = readdir(fds))) {
		int fd = (int)strtol(entry->d_name, NULL, 10), flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			note_if_outside(b, fd);
	}
	if (fds)
		closedir(fds);
}

struct blocked *blocked_new(const int given[3])
{
	struct blocked *b = calloc(1, sizeof(*b));

	if (b) {
		b->root_fd = -1;
		note_outside(b, given);
	}
	return b;
}

bool blocked_supported(void)
{
	char text[LINE];
	int fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	/* Without CONFIG_SCHED_INFO it is all zero, and nobody ever seems to have run. */
	return strpbrk(text, "123456789") && access("/proc/thread-self/syscall", F_OK) == 0 &&
	       access("/proc/thread-self/children", F_OK) == 0;
}

static void thread_free(struct thread *t)
{
	close(t->syscall_fd);
	close(t->schedstat_fd);
	close(t->stat_fd);
	close(t->children_fd);
	free(t);
}

void blocked_free(struct blocked *b)
{
	if (!b)
		return;
	while (b->threads) {
		struct thread *next = b->threads->next;

		thread_free(b->threads);
		b->threads = next;
	}
	if (b->root_fd >= 0)
		close(b->root_fd);
	free(b->pids);
	free(b);
}

const pid_t *blocked_processes(const struct blocked *b, size_t *count)
{
	*count = b->pid_count;
	return b->pids;
}

bool blocked_is_zombie(pid_t pid)
{
	char path[64], text[512];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	return !at || at[1] == 0 || at[2] == 'Z' || at[2] == 'X';
}

uint64_t blocked_ticks(pid_t pid)
{
	char path[64], text[512];
	unsigned long user, system, children_user, children_system;
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %lu %lu", &user, &system,
			  &children_user, &children_system) != 4)
		return 0;
	return user + system + children_user + children_system;
}

static int open_of(pid_t pid, pid_t tid, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static struct thread *thread_of(struct blocked *b, pid_t pid, pid_t tid)
{
	struct thread *t = b->threads;

	while (t && (t->tid != tid || t->pid != pid))
		t = t->next;
	if (t)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->pid = pid;
	t->tid = tid;
	t->syscall_fd = open_of(pid, tid, "syscall");
	t->schedstat_fd = open_of(pid, tid, "schedstat");
	t->stat_fd = open_of(pid, tid, "stat");
	t->children_fd = open_of(pid, tid, "children");
	t->next = b->threads;
	b->threads = t;
	return t;
}

static ssize_t look_at(int fd, char *line, size_t size)
{
	ssize_t n = pread(fd, line, size - 1, 0);

	line[n > 0 ? n : 0] = 0;
	return n;
}

static const struct held *held_of(const struct private_bus *bus, pid_t tid)
{
	const struct held *h = bus->held;

	while (h && h->call.tid != tid)
		h = h->next;
	return h;
}

/* The line: "running", or the number of the call, six arguments, stack pointer and program counter. */
static enum blocked_how thread_blocked(const struct blocked *b, struct thread *t, const struct private_bus *bus)
{
	const struct held *h = held_of(bus, t->tid);
	uint64_t a[6] = { 0 };
	long number;
	char *at;

	if (strncmp(t->line, "running", 7) == 0)
		return BLOCKED_NOT;
	/* A held poll waits for time, but for its descriptors as well. */
	if ((h && h->kind != HELD_POLL) || (!h && (usbfs_waits(bus, t->tid) || terminals_break(bus, t->tid))))
		return BLOCKED_ALL;
	if (!*t->line)
		return blocked_is_stopped(t) ? BLOCKED_ALL : BLOCKED_NOT; /* a zombie has no such line */
	number = strtol(t->line, &at, 10);
	for (int i = 0; i < 6; i++)
		a[i] = strtoull(at, &at, 16);
	return !h && blocked_counts_real_time(number, a) ? BLOCKED_AND_COUNTED : blocked_sleeps_at(b, t, number, a);
}

/* --- the two looks --- */

static bool note_process(struct blocked *b, pid_t pid)
{
	if (b->pid_count == b->pid_room) {
		size_t room = b->pid_room ? b->pid_room * 2 : 16;
		pid_t *more = realloc(b->pids, room * sizeof(*more));

		if (!more)
			return false;
		b->pids = more;
		b->pid_room = room;
	}
	b->pids[b->pid_count++] = pid;
	return true;
}

static uint32_t digest(const char *text)
{
	uint32_t sum = 2166136261u;

	while (*text)
		sum = (sum ^ (uint8_t)*text++) * 16777619u;
	return sum;
}

static bool note_children(struct blocked *b, int children_fd, uint32_t *children)
{
	char text[4096], *at = text, *end;

	if (look_at(children_fd, text, sizeof(text)) == (ssize_t)sizeof(text) - 1)
		return false; /* hundreds of children: more than we care to follow */
	*children = digest(text);
	for (;;) {
		long pid = strtol(at, &end, 10);

		if (end == at)
			return true;
		if (!note_process(b, (pid_t)pid))
			return false;
		at = end;
	}
}

/* A parent that ends hands its children over to another: then neither may have shown them. */
static bool same_children(int children_fd, uint32_t children)
{
	char text[4096];

	look_at(children_fd, text, sizeof(text));
	return digest(text) == children;
}

static bool first_look_at_thread(struct blocked *b, const struct private_bus *bus, pid_t pid, pid_t tid)
{
	struct thread *t = thread_of(b, pid, tid);
	enum blocked_how how;

	if (!t)
		return false;
	t->round = b->round;
	look_at(t->schedstat_fd, t->ran, sizeof(t->ran));
	look_at(t->syscall_fd, t->line, sizeof(t->line));
	how = thread_blocked(b, t, bus);
	b->how = how < b->how ? how : b->how;
	return how != BLOCKED_NOT && note_children(b, t->children_fd, &t->children);
}

/* The threads that we know of, if there are that many now and none of them has ended. */
static bool known_threads(struct blocked *b, const struct private_bus *bus, pid_t pid, nlink_t count, bool *all)
{
	*all = true;
	for (struct thread *t = b->threads; t && *all; t = t->next) {
		if (t->pid != pid)
			continue;
		count--;
		*all = first_look_at_thread(b, bus, pid, t->tid);
		if (!*t->ran)
			return false;
	}
	return !*all || count == 0;
}

static bool first_look_at_process(struct blocked *b, const struct private_bus *bus, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	struct stat st;
	bool all;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	/* The link count of the folder tells how many threads there are, which mostly spares reading it. */
	if (stat(path, &st) == 0 && st.st_nlink > 2 && known_threads(b, bus, pid, st.st_nlink - 2, &all))
		return all;
	tasks = opendir(path);
	if (!tasks)
		return false; /* gone this very moment */
	all = true;
	while (all && (entry = readdir(tasks))) {
		if (entry->d_name[0] != '.')
			all = first_look_at_thread(b, bus, pid, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	closedir(tasks);
	return all;
}

/* The call that a thread sleeps in, and what for; -1: none. */
static long call_of(const struct thread *t, uint64_t a[2])
{
	char *at;
	long number = strtol(t->line, &at, 10);

	if (at == t->line)
		return -1;
	a[0] = strtoull(at, &at, 16);
	a[1] = strtoull(at, &at, 16);
	return number;
}

static bool waits_for(const struct thread *t, pid_t child)
{
	uint64_t a[2];

	switch (call_of(t, a)) {
	case SYS_wait4:
		return (pid_t)a[0] <= 0 || (pid_t)a[0] == child;
	case SYS_waitid:
		return a[0] == P_ALL || a[0] == P_PGID || (a[0] == P_PID && (pid_t)a[1] == child);
	default:
		return false;
	}
}

/* A process that has ended, and a parent that waits for just that: it is about to be woken, however long that takes. One whose
 * first thread alone has ended is not to be had yet. */
static bool is_awaited(const struct blocked *b, pid_t pid)
{
	const struct thread *ended = NULL;
	char text[512];
	const char *at;
	int parent;

	for (const struct thread *t = b->threads; t; t = t->next) {
		if (t->pid != pid || t->round != b->round)
			continue;
		if (*t->line && strncmp(t->line, "-1 ", 3) != 0)
			return false;
		ended = t;
	}
	if (!ended)
		return false;
	look_at(ended->stat_fd, text, sizeof(text));
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " Z %d", &parent) != 1)
		return false;
	for (const struct thread *t = b->threads; t; t = t->next) {
		if (t->pid == parent && t->round == b->round && waits_for(t, pid))
			return true;
	}
	return false;
}

/* What has ended below the guardian is about to be reported by it: that is not idle time to be skipped. */
static bool first_look(struct blocked *b, const struct private_bus *bus)
{
	size_t roots;
	bool noted;

	b->round++;
	b->pid_count = 0;
	if (b->root_fd < 0)
		b->root_fd = open_of(bus->spawn.guardian, bus->spawn.guardian, "children");
	noted = b->root_fd >= 0 && note_children(b, b->root_fd, &b->root_children);
	roots = b->pid_count;
	for (size_t i = 0; noted && i < b->pid_count; i++)
		noted = first_look_at_process(b, bus, b->pids[i]) &&
			!(i < roots ? blocked_is_zombie(b->pids[i]) : is_awaited(b, b->pids[i]));
	return noted && roots;
}

/* On its way to a processor, if not there: TASK_WAKING is R too (proc_pid_stat(5)). */
static bool is_awake(const struct thread *t)
{
	char text[512];
	const char *at;

	look_at(t->stat_fd, text, sizeof(text));
	at = strrchr(text, ')');
	return at && at[1] && at[2] == 'R';
}

static bool second_look(struct blocked *b)
{
	char text[LINE];

	for (struct thread **at = &b->threads; *at;) {
		struct thread *t = *at;

		if (t->round != b->round) {
			*at = t->next;
			thread_free(t);
			continue;
		}
		at = &t->next;
		look_at(t->schedstat_fd, text, sizeof(text));
		if (strcmp(text, t->ran))
			return false;
		look_at(t->syscall_fd, text, sizeof(text));
		if (strcmp(text, t->line) || !same_children(t->children_fd, t->children) || is_awake(t))
			return false;
	}
	return same_children(b->root_fd, b->root_children);
}

enum blocked_how blocked_all(struct blocked *b, struct private_bus *bus)
{
	b->bus = bus;
	b->how = BLOCKED_ALL;
	return first_look(b, bus) && second_look(b) ? b->how : BLOCKED_NOT;
}
