/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making files and folders of the private tree so that no reader sees half of one. */
#include "tree_internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int tree_open_folder(int at, const char *path)
{
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Nothing outside is touched: symbolic links are removed, not followed. What cannot be removed is left, and told. */
int tree_remove_folder(int at, const char *name)
{
	int fd, error = 0;
	struct dirent *entry;
	DIR *dir;

	if (!unlinkat(at, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	fd = tree_open_folder(at, name);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		error = -errno;
		close(fd);
		return error;
	}
	while ((entry = readdir(dir))) {
		int e;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		e = tree_remove_folder(fd, entry->d_name);
		if (e)
			error = e;
	}
	closedir(dir);
	if (unlinkat(at, name, AT_REMOVEDIR) && errno != ENOENT && !error)
		error = -errno;
	return error;
}

int tree_unlink_if_there(int at, const char *name)
{
	return !unlinkat(at, name, 0) || errno == ENOENT ? 0 : -errno;
}

static int write_new(int at, const char *name, const void *data, size_t length)
{
	int fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444), error = 0;
	const uint8_t *bytes = data;

	if (fd < 0)
		return -errno;
	while (length && !error) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			error = -errno;
		else if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	close(fd);
	if (error)
		unlinkat(at, name, 0);
	return error;
}

void tree_put_bytes(struct folder *f, const char *name, const void *data, size_t length)
{
	if (f->error)
		return;
	if (!f->replace) {
		f->error = write_new(f->fd, name, data, length);
		return;
	}
	f->error = write_new(f->tree->stage, "file", data, length);
	if (!f->error && renameat(f->tree->stage, "file", f->fd, name)) {
		f->error = -errno;
		unlinkat(f->tree->stage, "file", 0);
	}
}

void tree_put(struct folder *f, const char *name, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	/* The longest text is a string descriptor's: 126 units of at most 3 bytes. A made-up description may have
	 * more. */
	if (n < 0 || (size_t)n >= sizeof(text))
		n = sizeof(text) - 1;
	tree_put_bytes(f, name, text, (size_t)n);
}

void tree_put_link(struct folder *f, const char *name, const char *format, ...)
{
	char text[PATH_MAX];
	va_list ap;

	if (f->error)
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (symlinkat(text, f->fd, name))
		f->error = -errno;
}

/* A further folder in f; its fd is -1 if there has been a failure. */
struct folder tree_subfolder(struct folder *f, const char *name)
{
	struct folder sub = { .tree = f->tree, .fd = -1, .error = f->error };

	if (!sub.error && mkdirat(f->fd, name, 0755))
		sub.error = -errno;
	if (!sub.error) {
		sub.fd = tree_open_folder(f->fd, name);
		if (sub.fd < 0)
			sub.error = -errno;
	}
	return sub;
}

void tree_close_subfolder(struct folder *f, struct folder *sub)
{
	if (sub->fd >= 0)
		close(sub->fd);
	f->error = sub->error;
}

/* Out of sight at once, then away in peace. */
int tree_discard(struct tree *t, int at, const char *name)
{
	char aside[16];

	snprintf(aside, sizeof(aside), "old-%u", t->staged++);
	if (renameat(at, name, t->stage, aside))
		return errno == ENOENT ? 0 : -errno;
	return tree_remove_folder(t->stage, aside);
}

void tree_put_up(struct folder *f, const char *name, unsigned depth, const char *target)
{
	char up[32] = "";

	for (unsigned i = 0; i < depth; i++)
		memcpy(up + 3 * i, "../", 4);
	tree_put_link(f, name, "%s%s", up, target);
}

/* Build a folder aside; its name in stage/ goes to aside. */
struct folder tree_aside_folder(struct folder *f, char aside[16])
{
	struct folder stage = { .tree = f->tree, .fd = f->tree->stage, .error = f->error };

	snprintf(aside, 16, "new-%u", f->tree->staged++);
	return tree_subfolder(&stage, aside);
}

/* Close it and, if all went well, move it into sight. */
void tree_show_aside(struct folder *f, struct folder *sub, const char *aside, int at, const char *name)
{
	tree_close_subfolder(f, sub);
	if (!f->error && renameat(f->tree->stage, aside, at, name))
		f->error = -errno;
	if (f->error)
		tree_remove_folder(f->tree->stage, aside);
}
