/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file behind a capture. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "capture.h"

struct capture_file {
	int fd;
	off_t whole; /* bytes of whole blocks */
};

int capture_file_open(const char *path, struct capture_file **out)
{
	struct capture_file *f = malloc(sizeof(*f));
	int error;

	if (!f)
		return -ENOMEM;
	f->whole = 0;
	f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		error = -errno;
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
	if (close(f->fd))
		error = -errno;
	free(f);
	return error;
}
