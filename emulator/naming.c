// SPDX-License-Identifier: GPL-2.0-or-later
/* How files get their names on Linux. */
#include "naming.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int naming_folder(int at, const char *path)
{
	int fd = openat(at, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int naming_unnamed(int folder)
{
	int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	return fd < 0 ? -errno : fd;
}

int naming_give(int fd, int folder, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, folder, name, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int naming_move(int folder, const char *from, const char *to)
{
	/* musl has no renameat2() */
	if (!syscall(SYS_renameat2, folder, from, folder, to, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL) /* not every file system knows it */
		return -errno;
	return renameat(folder, from, folder, to) ? -errno : 0;
}
