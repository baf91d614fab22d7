/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and descriptors of a process of the tool, from outside (process_vm_readv(2), proc(5)). */
#ifndef DFUBENCH_REMOTE_H
#define DFUBENCH_REMOTE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All or nothing: 0, -EFAULT, -ESRCH, or -EPERM where the sandbox forbids it. */
int remote_read(pid_t tid, uint64_t address, void *data, size_t length);
int remote_write(pid_t tid, uint64_t address, const void *data, size_t length);
/* Several pieces in one system call, in order. */
struct remote_piece {
	uint64_t address;
	const void *data;
	size_t length;
};
#define REMOTE_PIECES 8
int remote_write_pieces(pid_t tid, const struct remote_piece *, size_t count);
/* The same for reading: how many bytes there were before the first that cannot be read, or -errno if there are none. */
struct remote_place {
	uint64_t address;
	void *data;
	size_t length;
};
ssize_t remote_read_pieces(pid_t tid, const struct remote_place *, size_t count);
/* A NUL-terminated string of at most size - 1 bytes: its length, or -ENAMETOOLONG, -EFAULT... */
ssize_t remote_string(pid_t tid, uint64_t address, char *text, size_t size);

/* What /proc/TID/fd/FD (or cwd for AT_FDCWD) points at: length of the text, or -errno. */
ssize_t remote_fd_path(pid_t tid, int fd, char *text, size_t size);
/* Inode of the pipe or file behind a descriptor, or 0. */
uint64_t remote_fd_inode(pid_t tid, int fd);
/* Open flags of a descriptor (O_NONBLOCK...), or -errno. */
int remote_fd_flags(pid_t tid, int fd);
/* The process (thread group) of a thread, or -errno. */
pid_t remote_process(pid_t tid);

#endif
