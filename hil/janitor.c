// SPDX-License-Identifier: GPL-2.0-or-later
/* The temporary folder of a run, and the process that takes it away. */
#include "janitor.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A tool that is being killed may still write into the folder: so often it is tried again, every 10 ms. */
#define TRIES 500

struct janitor {
	char folder[PATH_MAX];
	int lifeline;
	pid_t pid;
};

/* What the process says when the folder is there. */
struct hello {
	int error;
	char folder[PATH_MAX];
};

static int remove_in(int at, const char *name);

static int empty_folder(int fd)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir))) {
		int one;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		one = remove_in(dirfd(dir), entry->d_name);
		r = r ? r : one;
	}
	closedir(dir);
	return r;
}

static int remove_in(int at, const char *name)
{
	int fd, r;

	if (!unlinkat(at, name, 0))
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return errno == ENOENT ? 0 : -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && !fchmodat(at, name, 0700, 0))
		fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	fchmod(fd, 0700);
	r = empty_folder(fd);
	if (unlinkat(at, name, AT_REMOVEDIR) && errno != ENOENT)
		return r ? r : -errno;
	return 0;
}

int folder_remove(const char *path)
{
	return remove_in(AT_FDCWD, path);
}

static void make_folder(struct hello *hello)
{
	const char *where = getenv("TMPDIR");
	char *absolute;

	absolute = realpath(where && *where ? where : "/tmp", NULL);
	if (!absolute) {
		hello->error = errno;
		snprintf(hello->folder, sizeof(hello->folder), "%s", where && *where ? where : "/tmp");
		return;
	}
	snprintf(hello->folder, sizeof(hello->folder), "%s/dfuhil-XXXXXX", absolute);
	free(absolute);
	if (!mkdtemp(hello->folder))
		hello->error = errno;
}

static _Noreturn void wait_and_sweep(int socket)
{
	const struct timespec pause = { 0, 10000000 };
	static struct hello hello;
	sigset_t all;
	char byte;

	/* What ends the owner must not end us: neither a key at the terminal, nor a signal to its group. */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "dfuhil-janitor", 0, 0, 0);
	make_folder(&hello);
	if (send(socket, &hello, sizeof(hello), MSG_NOSIGNAL) < 0 || hello.error) {
		if (!hello.error)
			rmdir(hello.folder);
		_exit(1);
	}
	while (chdir("/") || recv(socket, &byte, 1, 0) > 0)
		continue;
	for (int i = 0; i < TRIES && folder_remove(hello.folder); i++)
		nanosleep(&pause, NULL);
	_exit(0);
}

/* Keep nothing open that somebody waits for the end of. */
static void keep_only(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; null >= 0 && i < 3; i++)
		dup2(null, i);
	if (fd > 3)
		syscall(SYS_close_range, 3, fd - 1, 0);
	syscall(SYS_close_range, fd + 1, ~0u, 0);
}

struct janitor *janitor_new(char why[JANITOR_WHY])
{
	struct janitor *j = calloc(1, sizeof(*j));
	static struct hello hello;
	int ends[2] = { -1, -1 };
	ssize_t n;

	if (!j || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		goto failed;
	fflush(NULL);
	j->pid = fork();
	if (j->pid < 0)
		goto failed;
	if (j->pid == 0) {
		int fd = fcntl(ends[1], F_DUPFD_CLOEXEC, 3); /* not one of the three that become /dev/null */

		if (fd < 0)
			_exit(1);
		keep_only(fd);
		wait_and_sweep(fd);
	}
	close(ends[1]);
	ends[1] = -1;
	do
		n = recv(ends[0], &hello, sizeof(hello), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(hello) || hello.error) {
		waitpid(j->pid, NULL, 0);
		errno = n == sizeof(hello) ? hello.error : EIO;
		snprintf(why, JANITOR_WHY, "cannot make a folder in '%.300s': %s",
			 n == sizeof(hello) ? hello.folder : "TMPDIR", strerror(errno));
		close(ends[0]);
		free(j);
		return NULL;
	}
	memcpy(j->folder, hello.folder, sizeof(j->folder));
	j->lifeline = ends[0];
	return j;
failed:
	snprintf(why, JANITOR_WHY, "cannot make a temporary folder: %s", strerror(errno));
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	free(j);
	return NULL;
}

const char *janitor_folder(const struct janitor *j)
{
	return j->folder;
}

pid_t janitor_process(const struct janitor *j)
{
	return j->pid;
}

int janitor_lifeline(const struct janitor *j)
{
	return j->lifeline;
}

void janitor_free(struct janitor *j)
{
	if (!j)
		return;
	close(j->lifeline);
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	free(j);
}
