/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file behind a capture. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "capture.h"

struct capture_file {
	int fd;
	off_t whole; /* bytes of whole blocks */
};

/* Not while it is the flash or state file of a board, or another capture: those are locked. Where the file system has no
 * locks, there is nothing to go by. */
static int make_empty(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EBUSY;
	return ftruncate(fd, 0) ? -errno : 0;
}

int capture_file_open(const char *path, struct capture_file **out)
{
	struct capture_file *f = malloc(sizeof(*f));
	int error;

	if (!f)
		return -ENOMEM;
	f->whole = 0;
	f->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	error = f->fd < 0 ? -errno : make_empty(f->fd);
	if (error) {
		if (f->fd >= 0)
			close(f->fd);
		free(f);
		return error;
	}
	*out = f;
	return 0;
}

static int capture_file_write(void *context, const void *bytes, size_t length)
{
	struct capture_file *f = context;
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(f->fd, (const char *)bytes + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int error = n ? -errno : -EIO;

			/* On a pipe or a device neither call works, and there is nothing to tidy up. */
			if (!ftruncate(f->fd, f->whole))
				(void)lseek(f->fd, f->whole, SEEK_SET);
			return error;
		}
		done += (size_t)n;
	}
	f->whole += (off_t)length;
	return 0;
}

struct capture_sink capture_file_sink(struct capture_file *f)
{
	return (struct capture_sink){ .write = capture_file_write, .context = f };
}

int capture_file_close(struct capture_file *f)
{
	int error = 0;

	if (!f)
		return 0;
	flock(f->fd, LOCK_UN); /* at once, whoever else has a copy of the descriptor */
	if (close(f->fd))
		error = -errno;
	free(f);
	return error;
}
