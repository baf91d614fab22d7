// SPDX-License-Identifier: GPL-2.0-or-later
/* Pipes of our own. */
#include "pipe.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int pipe_open(int ends[2], bool never_wait)
{
	int error;

	if (pipe(ends))
		return -errno;
	for (int i = 0; i < 2; i++)
		if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) || (never_wait && fcntl(ends[i], F_SETFL, O_NONBLOCK)))
			goto fail;
	return 0;
fail:
	error = errno;
	close(ends[0]);
	close(ends[1]);
	return -error;
}
