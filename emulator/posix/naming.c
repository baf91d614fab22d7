// SPDX-License-Identifier: GPL-2.0-or-later
/* How files get their names. */
#include "naming.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int naming_folder(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int naming_unnamed(int folder)
{
	(void)folder;
	return -ENOTSUP;
}

int naming_give(int fd, int folder, const char *name)
{
	(void)fd;
	(void)folder;
	(void)name;
	return -ENOTSUP;
}

/* A second name, then without the first: a rename would replace what is there. */
int naming_move(int folder, const char *from, const char *to)
{
	if (!linkat(folder, from, folder, to, 0))
		return unlinkat(folder, from, 0) ? -errno : 0;
	if (errno == EEXIST)
		return -EEXIST;
	/* not every file system has links */
	return renameat(folder, from, folder, to) ? -errno : 0;
}
