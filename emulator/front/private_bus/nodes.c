/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of the reserved range. Each is one end of a pipe, so that poll and epoll of the tool work natively: a
 * usbfs handle is the write end (room = an URB can be reaped), a uevent socket the read end (a byte = a message waits).
 * We keep only the other end and so learn from the kernel when the last copy of theirs is closed, forks included; our
 * missing end is opened through /proc/self/fd for the moment in which it is needed.
 */
#include "bus_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "remote.h"

static int other_end(const struct node *n, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", n->pipe);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static bool held_by_anyone(const struct node *n)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool held = false;

	while (proc && !held && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);

		held = pid > 0 && remote_fd_inode((pid_t)pid, n->number) == n->inode;
	}
	if (proc)
		closedir(proc);
	return held;
}

static void forget_closed(struct private_bus *bus)
{
	for (int i = 0; i < RESERVED_COUNT; i++) {
		struct node *n = bus->nodes[i];

		/* A device that has gone took our end with it (POLLERR), so nobody has told us of the close. */
		if (n && n->kind == NODE_USBFS && n->pipe < 0 && !held_by_anyone(n))
			usbfs_closed(bus, n);
	}
}

static int free_number(struct private_bus *bus, pid_t tid)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		for (int i = 0; i < RESERVED_COUNT; i++) {
			/* A tool with very many files may have one of its own there. */
			if (!bus->nodes[i] && !remote_fd_inode(tid, (int)bus->reserved_base + i))
				return i;
		}
		forget_closed(bus);
	}
	return -EMFILE;
}

struct node *node_new(struct private_bus *bus, enum node_kind kind, pid_t tid, int open_flags, int *theirs, int *error)
{
	struct node *n = calloc(1, sizeof(*n));
	int slot = free_number(bus, tid), ends[2];
	struct stat st;

	*error = slot < 0 ? slot : -ENOMEM;
	if (!n || slot < 0)
		goto fail;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		*error = -errno;
		goto fail;
	}
	n->kind = kind;
	n->number = (int)bus->reserved_base + slot;
	n->pipe = kind == NODE_USBFS ? ends[0] : ends[1];
	*theirs = kind == NODE_USBFS ? ends[1] : ends[0];
	if (!(open_flags & O_NONBLOCK))
		fcntl(*theirs, F_SETFL, 0);
	fcntl(n->pipe, F_SETPIPE_SZ, 4096); /* one page: one byte fills it */
	if (fstat(n->pipe, &st) == 0)
		n->inode = st.st_ino;
	n->watch = bus_watch(bus, WATCH_NODE, n->pipe, 0);
	if (!n->watch) {
		*error = -ENOMEM;
		close(ends[0]);
		close(ends[1]);
		goto fail;
	}
	n->watch->node = n;
	bus->nodes[slot] = n;
	if (kind == NODE_USBFS)
		node_set_writable(n, false);
	return n;
fail:
	free(n);
	return NULL;
}

void node_free(struct private_bus *bus, struct node *n)
{
	if (!n)
		return;
	held_drop_node(bus, n, -ENODEV);
	if (n->watch)
		bus_unwatch(bus, n->watch);
	if (n->pipe >= 0)
		close(n->pipe);
	bus->nodes[n->number - (int)bus->reserved_base] = NULL;
	free(n);
}

static struct node *node_of_number(const struct private_bus *bus, int fd)
{
	if (fd < 0 || (uint32_t)fd < bus->reserved_base || (uint32_t)fd >= bus->reserved_base + RESERVED_COUNT)
		return NULL;
	return bus->nodes[(uint32_t)fd - bus->reserved_base];
}

struct node *node_of_known(struct private_bus *bus, pid_t tid, int fd)
{
	struct node *n = node_of_number(bus, fd);

	for (int i = 0; n && i < NODE_KNOWN; i++) {
		if (n->known_tids[i] == tid)
			return n;
	}
	return node_of(bus, tid, fd);
}

struct node *node_of(struct private_bus *bus, pid_t tid, int fd)
{
	struct node *n = node_of_number(bus, fd);
	uint64_t inode = fd < 0 ? 0 : remote_fd_inode(tid, fd);

	if (!inode)
		return NULL;
	if (n && n->inode == inode) {
		n->known_tids[n->next_known++ % NODE_KNOWN] = tid;
		return n;
	}
	for (int i = 0; i < RESERVED_COUNT; i++) {
		if (bus->nodes[i] && bus->nodes[i]->inode == inode)
			return bus->nodes[i];
	}
	return NULL;
}

/* The pipe never holds more than its one page. */
static void drain(int fd)
{
	char bytes[4096];

	if (read(fd, bytes, sizeof(bytes)) < 0 && errno != EAGAIN)
		errno = 0;
}

/* A reader that has just gone must not cost the program its life (SIGPIPE), whatever it does about that signal. */
static void put_byte(int fd)
{
	static const struct timespec at_once;
	sigset_t broken, before, pending;
	int error;

	sigemptyset(&broken);
	sigaddset(&broken, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken, &before);
	sigpending(&pending);
	error = write(fd, "", 1) < 0 ? errno : 0;
	if (error == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&broken, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void node_set_writable(struct node *n, bool writable)
{
	int fd;

	if (n->pipe < 0)
		return;
	/* With a byte in it a pipe of one page is full, and one of two pages is not: this takes one call, filling it by its
	 * other end three. Not when this user has too many pages in pipes (pipe(7)). */
	if (n->filled && fcntl(n->pipe, F_SETPIPE_SZ, (int)sysconf(_SC_PAGESIZE) * (writable ? 2 : 1)) >= 0)
		return;
	if (writable) {
		drain(n->pipe);
		n->filled = false;
		return;
	}
	fd = other_end(n, O_WRONLY);
	if (fd < 0)
		return;
	n->filled = write(fd, "", 1) == 1 || errno == EAGAIN;
	close(fd);
}

void node_set_readable(struct node *n, bool readable)
{
	int fd;

	if (n->pipe < 0)
		return;
	if (readable) {
		put_byte(n->pipe); /* closed: the watch tells */
		return;
	}
	fd = other_end(n, O_RDONLY);
	if (fd < 0)
		return;
	drain(fd);
	close(fd);
}

void node_hang_up(struct private_bus *bus, struct node *n)
{
	if (n->pipe < 0)
		return;
	bus_unwatch(bus, n->watch);
	n->watch = NULL;
	close(n->pipe);
	n->pipe = -1;
}
