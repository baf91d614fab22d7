/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory and descriptors of a process of the tool, from outside. */
#include "remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int remote_read(pid_t tid, uint64_t address, void *data, size_t length)
{
	struct iovec local = { data, length }, there = { (void *)(uintptr_t)address, length };
	ssize_t n;

	if (length == 0)
		return 0;
	n = process_vm_readv(tid, &local, 1, &there, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EFAULT;
}

int remote_write(pid_t tid, uint64_t address, const void *data, size_t length)
{
	struct iovec local = { (void *)(uintptr_t)data, length }, there = { (void *)(uintptr_t)address, length };
	ssize_t n;

	if (length == 0)
		return 0;
	n = process_vm_writev(tid, &local, 1, &there, 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EFAULT;
}

int remote_write_pieces(pid_t tid, const struct remote_piece *pieces, size_t count)
{
	struct iovec local[REMOTE_PIECES], there[REMOTE_PIECES];
	size_t total = 0, used = 0;
	ssize_t n;

	for (size_t i = 0; i < count && used < REMOTE_PIECES; i++) {
		if (!pieces[i].length)
			continue;
		local[used] = (struct iovec){ (void *)(uintptr_t)pieces[i].data, pieces[i].length };
		there[used++] = (struct iovec){ (void *)(uintptr_t)pieces[i].address, pieces[i].length };
		total += pieces[i].length;
	}
	n = process_vm_writev(tid, local, used, there, used, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == total ? 0 : -EFAULT;
}

ssize_t remote_read_pieces(pid_t tid, const struct remote_place *pieces, size_t count)
{
	struct iovec local[REMOTE_PIECES], there[REMOTE_PIECES];
	size_t used = 0;
	ssize_t n;

	for (; used < count && used < REMOTE_PIECES && pieces[used].length; used++) {
		local[used] = (struct iovec){ pieces[used].data, pieces[used].length };
		there[used] = (struct iovec){ (void *)(uintptr_t)pieces[used].address, pieces[used].length };
	}
	n = process_vm_readv(tid, local, used, there, used, 0);
	return n < 0 ? -errno : n;
}

ssize_t remote_string(pid_t tid, uint64_t address, char *text, size_t size)
{
	/* Transfers are cut at the boundaries of iovecs, so one per page: a string that ends before an unmapped page is read. */
	uint64_t to_page_end = 4096 - (address & 4095);
	size_t first = to_page_end < size ? (size_t)to_page_end : size;
	struct iovec local = { text, size };
	struct iovec there[2] = { { (void *)(uintptr_t)address, first },
				  { (void *)(uintptr_t)(address + first), size - first } };
	const char *end;
	ssize_t n;

	n = process_vm_readv(tid, &local, 1, there, first < size ? 2 : 1, 0);
	if (n < 0)
		return -errno;
	end = memchr(text, 0, (size_t)n);
	if (!end)
		return (size_t)n == size ? -ENAMETOOLONG : -EFAULT;
	return end - text;
}

ssize_t remote_fd_path(pid_t tid, int fd, char *text, size_t size)
{
	char link[64];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)tid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)tid, fd);
	n = readlink(link, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	return n;
}

uint64_t remote_fd_inode(pid_t tid, int fd)
{
	char link[64];
	struct stat st;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)tid, fd);
	return stat(link, &st) ? 0 : (uint64_t)st.st_ino;
}

/* A short file of /proc, NUL-terminated. */
static int slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = 0;
	return 0;
}

int remote_fd_flags(pid_t tid, int fd)
{
	char path[64], text[512];
	const char *at;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)tid, fd);
	err = slurp(path, text, sizeof(text));
	if (err)
		return err;
	at = strstr(text, "flags:");
	return at ? (int)strtol(at + 6, NULL, 8) : -EINVAL;
}

pid_t remote_process(pid_t tid)
{
	char path[64], text[2048];
	const char *at;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	err = slurp(path, text, sizeof(text));
	if (err)
		return err;
	at = strstr(text, "\nTgid:");
	return at ? (pid_t)strtol(at + 6, NULL, 10) : -EINVAL;
}
