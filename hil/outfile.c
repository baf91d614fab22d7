// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of reports. */
#include "outfile.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "savefile.h"

static int fail(const char *path, int error, char why[OUTFILE_WHY])
{
	snprintf(why, OUTFILE_WHY, "cannot write '%.300s': %s", path, strerror(error));
	return -error;
}

int outfile_check(const char *path, char why[OUTFILE_WHY])
{
	struct stat st;
	char *copy;
	int r;

	if (!strcmp(path, "-"))
		return 0;
	if (!*path)
		return fail(path, ENOENT, why);
	if (!stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return fail(path, EISDIR, why);
		/* A regular file is replaced, which its folder decides. */
		if (!S_ISREG(st.st_mode))
			return access(path, W_OK) ? fail(path, errno, why) : 0;
	}
	copy = strdup(path);
	if (!copy)
		return fail(path, ENOMEM, why);
	r = access(dirname(copy), W_OK | X_OK) ? fail(path, errno, why) : 0;
	free(copy);
	return r;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_into(const char *path, int fd, const char *data, size_t length, char why[OUTFILE_WHY])
{
	int error = fd < 0 ? errno : write_all(fd, data, length);

	if (fd > STDERR_FILENO && close(fd) && !error)
		error = errno;
	return error ? fail(path, error, why) : 0;
}

int outfile_write(const char *path, const char *data, size_t length, char why[OUTFILE_WHY])
{
	struct savefile *file;
	struct stat st;
	int r;

	_Static_assert(OUTFILE_WHY == SAVEFILE_WHY, "one message");
	if (!strcmp(path, "-")) {
		if (fflush(stdout))
			return fail("standard output", errno, why);
		return write_into("standard output", STDOUT_FILENO, data, length, why);
	}
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return write_into(path, open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC), data, length, why);
	file = savefile_open(path, why);
	if (!file)
		return -EIO;
	r = savefile_save(file, (const uint8_t *)data, length, why);
	savefile_close(file);
	return r;
}
