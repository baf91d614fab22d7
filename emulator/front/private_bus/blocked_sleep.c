/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call that a thread sleeps in: who can end it, and who counts its time. */
#include "blocked_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "remote.h"
#include "terminals.h"
#include "vtime.h"

#define POLL_MAX 128
#define EPOLL_DEPTH 1 /* an epoll in an epoll is looked into; what is deeper counts as outside */
#define IDLE_MS 60000 /* longer ones are not held: see filter.c */

bool blocked_is_stopped(const struct thread *t)
{
	char path[80], text[512];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)t->pid, (int)t->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true; /* gone */
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	at = strrchr(text, ')');
	return at && at[1] && strchr("TtZX", at[2]);
}

static bool outside_inode(const struct blocked *b, uint64_t inode)
{
	for (size_t i = 0; i < b->outside_count; i++) {
		if (b->outside[i] == inode)
			return true;
	}
	return false;
}

static bool epoll_inside(const struct blocked *b, pid_t tid, int fd, unsigned depth);

static bool is_inside_process(const struct blocked *b, pid_t pid)
{
	for (size_t i = 0; i < b->pid_count; i++) {
		if (b->pids[i] == pid)
			return true;
	}
	return pid == getpid();
}

/* Is the other end ours, or the tool's? That of the control socket is ours, as we listen there; that of a socketpair(2)
 * belongs to the process that made it (asyncio wakes itself up by one, node talks to its children). With a time-out of its
 * own (SO_RCVTIMEO) a wait counts the kernel's time. */
static bool socket_inside(const struct blocked *b, pid_t tid, int fd)
{
	struct ucred peer = { .pid = 0 };
	struct timeval limit = { .tv_sec = 1 };
	socklen_t peer_size = sizeof(peer), limit_size = sizeof(limit);
	int copy = vtime_take_fd(b->bus->vtime, tid, fd);
	bool inside;

	if (copy < 0)
		return false;
	inside = getsockopt(copy, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) == 0 && is_inside_process(b, peer.pid) &&
		 getsockopt(copy, SOL_SOCKET, SO_RCVTIMEO, &limit, &limit_size) == 0 && !limit.tv_sec && !limit.tv_usec;
	close(copy);
	return inside;
}

/* Can only the tool itself, or we, end a wait on this descriptor? */
static bool nested_inside(const struct blocked *b, pid_t tid, int fd, unsigned depth)
{
	char text[128];
	ssize_t n = remote_fd_path(tid, fd, text, sizeof(text));

	if (n < 0)
		return true; /* closed: a poll of it does not wait, and a read fails */
	if (strncmp(text, "pipe:[", 6) == 0)
		return !outside_inode(b, strtoull(text + 6, NULL, 10));
	if (strncmp(text, "socket:[", 8) == 0)
		return !outside_inode(b, strtoull(text + 8, NULL, 10)) && socket_inside(b, tid, fd);
	if (strcmp(text, "anon_inode:[eventpoll]") == 0)
		return epoll_inside(b, tid, fd, depth);
	if (strncmp(text, "/dev/pts/", 9) == 0)
		return terminals_wait(b->bus, tid, fd) != TERMINAL_NONE;
	return strncmp(text, "anon_inode:", 11) == 0 || strcmp(text, "/dev/null") == 0;
}

static bool descriptor_inside(const struct blocked *b, pid_t tid, int fd)
{
	return nested_inside(b, tid, fd, 0);
}

/* What is watched is known by number only, and by now that may be another descriptor, even the epoll itself. */
static bool epoll_inside(const struct blocked *b, pid_t tid, int fd, unsigned depth)
{
	char path[64], text[8192], *at;
	ssize_t n;
	int info;

	if (depth > EPOLL_DEPTH)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return true;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	text[n > 0 ? n : 0] = 0;
	for (at = strstr(text, "tfd:"); at; at = strstr(at + 4, "tfd:")) {
		if (!nested_inside(b, tid, (int)strtol(at + 4, NULL, 10), depth + 1))
			return false;
	}
	return true;
}

static bool poll_inside(const struct blocked *b, pid_t tid, uint64_t pointer, uint64_t count)
{
	struct pollfd fds[POLL_MAX];

	if (count > POLL_MAX || remote_read(tid, pointer, fds, count * sizeof(*fds)))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (fds[i].fd >= 0 && fds[i].events && !descriptor_inside(b, tid, fds[i].fd))
			return false;
	}
	return true;
}

static bool select_inside(const struct blocked *b, pid_t tid, uint64_t count, const uint64_t sets[3])
{
	fd_set set;

	if (count > FD_SETSIZE)
		return false;
	for (int i = 0; i < 3; i++) {
		if (!sets[i])
			continue;
		FD_ZERO(&set);
		if (remote_read(tid, sets[i], &set, (count + 63) / 64 * 8))
			return false;
		for (uint64_t fd = 0; fd < count; fd++) {
			if (FD_ISSET(fd, &set) && !descriptor_inside(b, tid, (int)fd))
				return false;
		}
	}
	return true;
}

bool blocked_counts_real_time(long number, const uint64_t a[6])
{
	switch (number) {
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_restart_syscall:
		return true;
	case SYS_rt_sigtimedwait:
		return a[2] != 0;
	case SYS_futex:
	case SYS_epoll_pwait2:
		return a[3] != 0;
#ifdef SYS_poll
	case SYS_poll:
		return (uint32_t)a[2] < IDLE_MS;
	case SYS_epoll_wait:
		return (uint32_t)a[3] < IDLE_MS;
	case SYS_select:
		return a[4] != 0;
#endif
	case SYS_ppoll:
		return a[2] != 0;
	case SYS_pselect6:
		return a[4] != 0;
	case SYS_epoll_pwait:
		return (uint32_t)a[3] < IDLE_MS;
	default:
		return false;
	}
}

static enum blocked_how inside_or_out(bool inside)
{
	return inside ? BLOCKED_ALL : BLOCKED_OUTSIDE;
}

enum blocked_how blocked_sleeps_at(const struct blocked *b, const struct thread *t, long number, const uint64_t a[6])
{
	switch (number) {
	case SYS_futex:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_clone: /* vfork(3): until the child runs another program */
	case SYS_clone3:
#ifdef SYS_pause
	case SYS_pause:
	case SYS_vfork:
#endif
		return BLOCKED_ALL;
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		return inside_or_out(poll_inside(b, t->tid, a[0], a[1]));
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		return inside_or_out(select_inside(b, t->tid, a[0], a + 1));
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return inside_or_out(epoll_inside(b, t->tid, (int)a[0], 0));
	case SYS_read:
	case SYS_readv:
		if (terminals_wait(b->bus, t->tid, (int)a[0]) == TERMINAL_COUNTS)
			return BLOCKED_AND_COUNTED;
		return inside_or_out(descriptor_inside(b, t->tid, (int)a[0]));
	case SYS_write:
	case SYS_writev:
	case SYS_splice:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_sendto:
	case SYS_sendmsg:
		return inside_or_out(descriptor_inside(b, t->tid, (int)a[0]));
	case -1:
		return blocked_is_stopped(t) ? BLOCKED_ALL : BLOCKED_NOT;
	default:
		return BLOCKED_NOT;
	}
}
