/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls by path. Directories of the tree are real ones, so what the tool does relative to their descriptors mostly needs no help.
 */
#include "bus_internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h> /* struct statx: musl has none of its own */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "places.h"
#include "remote.h"
#include "terminals.h"
#include "usbfs.h"
#include "vtime.h"

static void open_path(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, uint64_t flags)
{
	struct where w;
	int fd;

	if (place_followed(bus, c, dirfd, pointer, !(flags & O_NOFOLLOW), &w) || w.place == PLACE_ELSEWHERE) {
		/* Who goes through all of /dev would come to it below itself. */
		if (w.root && !bus->options.no_terminals && place_below(tree_root(bus->tree), "/dev"))
			answer_error(bus, c->id, -EACCES);
		else
			answer_continue(bus, c->id);
		return;
	}
	if (w.place == PLACE_TERMINAL && !(flags & O_PATH)) {
		if (flags & O_DIRECTORY || terminal_is_denied(w.terminal))
			answer_error(bus, c->id, flags & O_DIRECTORY ? -ENOTDIR : -EACCES);
		else
			terminal_open(bus, c, w.terminal, (int)flags);
		return;
	}
	if (w.place == PLACE_NODE) {
		if (flags & O_DIRECTORY)
			answer_error(bus, c->id, -ENOTDIR);
		else
			usbfs_open(bus, c, w.address, (int)flags);
		return;
	}
	/* What sysfs says to somebody who is not root. */
	if ((flags & ACCESS_MODE) != O_RDONLY && !(flags & O_PATH) && w.place == PLACE_TREE) {
		struct stat st;
		int err = stat(w.real, &st) ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;

		/* Tools tell a device that has gone (ENOENT) from one that is closed to them. */
		answer_error(bus, c->id, err == -ENOENT && (flags & O_CREAT) ? -EACCES : err);
		return;
	}
	if (w.from_tree) {
		answer_continue(bus, c->id);
		return;
	}
	/* ADDFD refuses O_PATH descriptors; an ordinary one of a directory serves as well. A FIFO that somebody has put there
	 * must not keep us waiting. */
	fd = open(w.real, (int)(flags & (O_DIRECTORY | O_NOFOLLOW | ACCESS_MODE)) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		/* A link that is itself wanted (O_PATH | O_NOFOLLOW): the tree has a copy. */
		if (errno == ELOOP && w.place == PLACE_BEYOND)
			answer_continue(bus, c->id);
		else
			answer_error(bus, c->id, -errno);
		return;
	}
	if (!(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, 0);
	answer_fd(bus, c->id, fd, -1, (flags & O_CLOEXEC) != 0);
	close(fd);
}

static void openat2_path(struct private_bus *bus, const struct call_info *c)
{
	struct open_how how;

	if (c->args[3] < sizeof(how) || remote_read(c->tid, c->args[2], &how, sizeof(how)))
		answer_continue(bus, c->id);
	else
		open_path(bus, c, (int)c->args[0], c->args[1], how.flags);
}

static unsigned node_mode(struct private_bus *bus, unsigned address)
{
	const struct port *port = bus_port_of_address(bus, address);

	return S_IFCHR | (port && port->denied ? 0600 : 0666);
}

static unsigned terminal_mode(const struct where *w)
{
	return S_IFCHR | (terminal_is_denied(w->terminal) ? 0600 : 0666);
}

static void stat_path(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, uint64_t to,
		      int flags)
{
	struct where w;
	struct stat st;
	int err;

	if (place_followed(bus, c, dirfd, pointer, !(flags & AT_SYMLINK_NOFOLLOW), &w) || w.place == PLACE_ELSEWHERE) {
		answer_continue(bus, c->id);
		return;
	}
	if (fstatat(AT_FDCWD, w.real, &st, flags & AT_SYMLINK_NOFOLLOW)) {
		answer_error(bus, c->id, -errno);
		return;
	}
	if (w.place != PLACE_BEYOND)
		st.st_uid = st.st_gid = 0;
	if (w.place == PLACE_NODE) {
		st.st_mode = node_mode(bus, w.address);
		st.st_rdev = makedev(USB_DEVICE_MAJOR, w.address - 1);
		st.st_size = 0;
	}
	if (w.place == PLACE_TERMINAL) {
		st.st_mode = terminal_mode(&w);
		st.st_rdev = makedev(ACM_TTY_MAJOR, terminal_minor(w.terminal));
		st.st_size = 0;
	}
	err = remote_write(c->tid, to, &st, sizeof(st));
	answer_error(bus, c->id, err);
}

static void statx_path(struct private_bus *bus, const struct call_info *c)
{
	int flags = (int)c->args[2];
	struct statx stx;
	struct where w;
	int err;

	if (place_followed(bus, c, (int)c->args[0], c->args[1], !(flags & AT_SYMLINK_NOFOLLOW), &w) ||
	    w.place == PLACE_ELSEWHERE) {
		answer_continue(bus, c->id);
		return;
	}
	if (syscall(SYS_statx, AT_FDCWD, w.real, flags & (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT), (unsigned)c->args[3],
		    &stx)) {
		answer_error(bus, c->id, -errno);
		return;
	}
	if (w.place != PLACE_BEYOND)
		stx.stx_uid = stx.stx_gid = 0;
	if (w.place == PLACE_NODE) {
		stx.stx_mode = (uint16_t)node_mode(bus, w.address);
		stx.stx_rdev_major = USB_DEVICE_MAJOR;
		stx.stx_rdev_minor = w.address - 1;
		stx.stx_size = 0;
	}
	if (w.place == PLACE_TERMINAL) {
		stx.stx_mode = (uint16_t)terminal_mode(&w);
		stx.stx_rdev_major = ACM_TTY_MAJOR;
		stx.stx_rdev_minor = terminal_minor(w.terminal);
		stx.stx_size = 0;
	}
	err = remote_write(c->tid, c->args[4], &stx, sizeof(stx));
	answer_error(bus, c->id, err);
}

static void access_path(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, int mode)
{
	const struct port *port;
	struct where w;
	struct stat st;
	bool node, denied;

	if (place_followed(bus, c, dirfd, pointer, true, &w) || w.place == PLACE_ELSEWHERE) {
		answer_continue(bus, c->id);
		return;
	}
	if (w.place == PLACE_BEYOND) {
		answer_error(bus, c->id, access(w.real, mode) ? -errno : 0);
		return;
	}
	if (stat(w.real, &st)) {
		answer_error(bus, c->id, -errno);
		return;
	}
	port = w.place == PLACE_NODE ? bus_port_of_address(bus, w.address) : NULL;
	node = port || w.place == PLACE_TERMINAL;
	denied = port ? port->denied : node && terminal_is_denied(w.terminal);
	if (node ? (mode & X_OK) || (mode && denied) : (mode & W_OK) || ((mode & X_OK) && !S_ISDIR(st.st_mode)))
		answer_error(bus, c->id, -EACCES);
	else
		answer_value(bus, c->id, 0);
}

/* /proc/self/fd/N, by whatever spelling: a tool that asks what its descriptor is must not see the private tree. */
static bool is_descriptor_link(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 && (strstr(path, "/fd/") || strstr(path, "/cwd"));
}

static void give_text(struct private_bus *bus, const struct call_info *c, const char *text, uint64_t to, uint64_t size)
{
	size_t n = strlen(text);
	int err;

	if (n > size)
		n = (size_t)size;
	err = remote_write(c->tid, to, text, n);
	if (err)
		answer_error(bus, c->id, err);
	else
		answer_value(bus, c->id, (int64_t)n);
}

/* What looks like a pipe may be a device node; libusb_wrap_sys_device() finds out by name which. And what looks like a
 * pseudo-terminal may be a terminal of ours. rest: "/fd/N". */
static bool name_node(struct private_bus *bus, pid_t tid, const char *rest, char *text)
{
	const struct handle *h = bus->handles;
	const struct node *n;
	struct terminal *t;

	if (strncmp(rest, "/fd/", 4))
		return false;
	t = strncmp(text, "/dev/pts/", 9) ? NULL : terminals_of_fd(bus, tid, atoi(rest + 4));
	if (t)
		sprintf(text, "/dev/ttyACM%u", terminal_minor(t));
	if (t || strncmp(text, "pipe:", 5))
		return t != NULL;
	n = node_of(bus, tid, atoi(rest + 4));
	while (n && h && h->node != n)
		h = h->next;
	if (!n || !h || !h->port)
		return false;
	sprintf(text, "/dev/bus/usb/001/%03u", h->port->address);
	return true;
}

static void readlink_path(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, uint64_t to,
			  uint64_t size)
{
	char text[PATH_MAX + 1];
	struct where w;
	ssize_t n;

	if (place_followed(bus, c, dirfd, pointer, false, &w) || (int64_t)size <= 0) {
		answer_continue(bus, c->id);
		return;
	}
	if (w.place != PLACE_ELSEWHERE) {
		n = readlink(w.real, text, PATH_MAX);
		if (n < 0) {
			answer_error(bus, c->id, -errno);
			return;
		}
		text[n] = 0;
		give_text(bus, c, text, to, size);
		return;
	}
	if (is_descriptor_link(w.path)) {
		char path[64];
		const char *rest = strchr(w.path + strlen("/proc/"), '/');
		pid_t whose = c->tid;

		/* self and thread-self are the caller's; so is its own number, and others' answer alike. */
		if (strncmp(w.path, "/proc/self/", 11) == 0 || strncmp(w.path, "/proc/thread-self/", 18) == 0) {
			snprintf(path, sizeof(path), "/proc/%d%.40s", (int)c->tid, rest);
			n = readlink(path, text, PATH_MAX);
		} else {
			n = readlink(w.path, text, PATH_MAX);
			whose = (pid_t)strtol(w.path + strlen("/proc/"), NULL, 10);
		}
		text[n > 0 ? n : 0] = 0;
		if (n > 0 && (place_unmap(bus, text) || name_node(bus, whose, rest, text))) {
			give_text(bus, c, text, to, size);
			return;
		}
	}
	answer_continue(bus, c->id);
}

/* libudev asks whether a directory is on sysfs. */
static void statfs_real(struct private_bus *bus, const struct call_info *c, const char *real)
{
	struct statfs st;
	int err;

	if (statfs(real, &st)) {
		answer_error(bus, c->id, -errno);
		return;
	}
	if (place_below(real, tree_root(bus->tree)) && place_below(real + strlen(tree_root(bus->tree)), "/sys"))
		st.f_type = SYSFS_MAGIC;
	err = remote_write(c->tid, c->args[1], &st, sizeof(st));
	answer_error(bus, c->id, err);
}

static void statfs_path(struct private_bus *bus, const struct call_info *c)
{
	struct where w;

	if (place_of(bus, c, AT_FDCWD, c->args[0], &w) || w.place == PLACE_ELSEWHERE)
		answer_continue(bus, c->id);
	else
		statfs_real(bus, c, w.real);
}

static void fstatfs_descriptor(struct private_bus *bus, const struct call_info *c)
{
	char path[PATH_MAX];

	if (remote_fd_path(c->tid, (int)c->args[0], path, sizeof(path)) < 0 || !place_below(path, tree_root(bus->tree)))
		answer_continue(bus, c->id);
	else
		statfs_real(bus, c, path);
}

/* A working directory cannot be put into another process, so the tree cannot be entered. Say so rather than confuse. */
static void chdir_path(struct private_bus *bus, const struct call_info *c)
{
	struct where w;

	/* The machine's own folder does for the merged ones: names in it lead to ours by their text. */
	if (place_of(bus, c, AT_FDCWD, c->args[0], &w) || w.place == PLACE_ELSEWHERE || place_is_merged(bus, w.path)) {
		answer_continue(bus, c->id);
		return;
	}
	if (!bus->warned_chdir)
		bus_warn(bus, "process %d wants to chdir to '%s': that cannot work on the private bus", (int)c->tid,
			 w.path);
	bus->warned_chdir = true;
	answer_error(bus, c->id, -EACCES);
}

/* The filter sees a 32-bit program open files by openat alone, and it may use the older open. */
static void warn_if_foreign(struct private_bus *bus, const char *path)
{
	unsigned char head[EI_CLASS + 1];
	int fd = bus->warned_foreign ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return;
	if (read(fd, head, sizeof(head)) == sizeof(head) && !memcmp(head, ELFMAG, SELFMAG) &&
	    head[EI_CLASS] == ELFCLASS32) {
		bus_warn(bus, "'%s' is a 32-bit program: it does not see the private bus, but this machine's own USB",
			 path);
		bus->warned_foreign = true;
	}
	close(fd);
}

/* Neither sysfs nor a device node has extended attributes here; ls(1) asks for each. */
static void xattr_path(struct private_bus *bus, const struct call_info *c)
{
	struct where w;

	if (place_of(bus, c, AT_FDCWD, c->args[0], &w) || w.place == PLACE_ELSEWHERE)
		answer_continue(bus, c->id);
	else
		answer_error(bus, c->id, faccessat(AT_FDCWD, w.real, F_OK, AT_SYMLINK_NOFOLLOW) ? -errno : -EOPNOTSUPP);
}

/* no_new_privs is in force: a set-user-ID program runs with the user's own rights, which puzzles people with sudo. */
static void execute(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer)
{
	struct where w;
	struct stat st;
	bool ours = place_of(bus, c, dirfd, pointer, &w) || w.place != PLACE_ELSEWHERE;

	if (!ours)
		warn_if_foreign(bus, w.path);
	if (!ours && stat(w.path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (((st.st_mode & S_ISUID) && st.st_uid != geteuid()) ||
	     ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getegid())))
		bus_warn(bus,
			 "'%s' is set-user-ID or set-group-ID: it gets no privileges on the private bus, where none "
			 "are needed",
			 w.path);
	if (bus->vtime)
		vtime_exec(bus->vtime, c->tid);
	answer_continue(bus, c->id);
}

void paths_call(struct private_bus *bus, const struct call_info *c)
{
	const uint64_t *a = c->args;

	switch (c->call) {
	case CALL_OPEN:
		open_path(bus, c, AT_FDCWD, a[0], a[1]);
		return;
	case CALL_CREAT:
		open_path(bus, c, AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC);
		return;
	case CALL_OPENAT:
		open_path(bus, c, (int)a[0], a[1], a[2]);
		return;
	case CALL_OPENAT2:
		openat2_path(bus, c);
		return;
	case CALL_STAT:
		stat_path(bus, c, AT_FDCWD, a[0], a[1], 0);
		return;
	case CALL_LSTAT:
		stat_path(bus, c, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW);
		return;
	case CALL_NEWFSTATAT:
		if ((int)a[3] & AT_EMPTY_PATH) {
			struct node *n = node_of(bus, c->tid, (int)a[0]);

			if (n && n->kind == NODE_USBFS) {
				struct call_info plain = {
					.id = c->id, .tid = c->tid, .call = CALL_FSTAT, .args = { a[0], a[2] }
				};

				usbfs_call(bus, &plain, n);
				return;
			}
		}
		stat_path(bus, c, (int)a[0], a[1], a[2], (int)a[3]);
		return;
	case CALL_STATX:
		statx_path(bus, c);
		return;
	case CALL_ACCESS:
		access_path(bus, c, AT_FDCWD, a[0], (int)a[1]);
		return;
	case CALL_FACCESSAT:
	case CALL_FACCESSAT2:
		access_path(bus, c, (int)a[0], a[1], (int)a[2]);
		return;
	case CALL_READLINK:
		readlink_path(bus, c, AT_FDCWD, a[0], a[1], a[2]);
		return;
	case CALL_READLINKAT:
		readlink_path(bus, c, (int)a[0], a[1], a[2], a[3]);
		return;
	case CALL_STATFS:
		statfs_path(bus, c);
		return;
	case CALL_FSTATFS:
		fstatfs_descriptor(bus, c);
		return;
	case CALL_CHDIR:
		chdir_path(bus, c);
		return;
	case CALL_GETXATTR:
	case CALL_LGETXATTR:
	case CALL_LISTXATTR:
	case CALL_LLISTXATTR:
		xattr_path(bus, c);
		return;
	case CALL_EXECVE:
		execute(bus, c, AT_FDCWD, a[0]);
		return;
	case CALL_EXECVEAT:
		execute(bus, c, (int)a[0], a[1]);
		return;
	default:
		answer_continue(bus, c->id);
		return;
	}
}
