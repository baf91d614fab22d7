// SPDX-License-Identifier: GPL-2.0-or-later
/* The lock of a board. The folder is one where others make files too, and may mean ill. */
#include "board_lock.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 20

struct board_lock {
	int files[BOARD_LOCK_FILES + 1]; /* -1 ends */
};

static const char *lock_folder(void)
{
	const char *own = getenv("DFUBENCH_LOCK_DIR");
	struct stat st;

	if (own && *own)
		return own;
	/* The same answer for every user: not who may write, but whether all may. */
	if (!stat("/run/lock", &st) && S_ISDIR(st.st_mode) && (st.st_mode & (S_IWOTH | S_ISVTX)) == (S_IWOTH | S_ISVTX))
		return "/run/lock";
	return "/tmp";
}

/* Of a name, what a file may be called. */
static void file_name(const char *kind, const char *name, char *text, size_t size)
{
	size_t n = (size_t)snprintf(text, size, "dfubench-%s-", kind);

	for (; *name && n + 4 < size; name++) {
		if (isalnum((unsigned char)*name) || *name == '-' || *name == '.')
			text[n++] = *name;
		else
			n += (size_t)snprintf(text + n, size - n, "%%%02x", (unsigned char)*name);
	}
	text[n] = 0;
}

/* Not by way of a link, no device, nothing that has another name too: what is written there must be no file of somebody else's. */
static int open_file(int folder, const char *name)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

	for (int i = 0; i < TRIES; i++) {
		/* Not with O_CREAT alone: that fails for files of others in a sticky folder (fs.protected_regular). */
		int fd = openat(folder, name, flags);
		struct stat st;

		if (fd < 0 && errno == ENOENT) {
			fd = openat(folder, name, flags | O_CREAT | O_EXCL, 0666);
			if (fd < 0 && errno == EEXIST)
				continue;
			if (fd >= 0 && fchmod(fd, 0666)) { /* for all users, whatever the mask says */
				int error = -errno;

				close(fd);
				return error;
			}
		}
		if (fd < 0)
			return errno == ELOOP ? -EMLINK : -errno;
		if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1)
			return fd;
		close(fd);
		return -EMLINK;
	}
	return -EAGAIN;
}

/* Who says in the file that he has it; what anybody could write there is not trusted to a terminal. */
static void holder(int fd, char *text, size_t size)
{
	char line[400];
	ssize_t length;
	long pid;
	int at = 0;

	/* Who has just taken it may not have written yet. */
	for (int i = 0; (length = pread(fd, line, sizeof(line) - 1, 0)) <= 0 && i < TRIES; i++)
		usleep(5000);
	line[length > 0 ? length : 0] = 0;
	line[strcspn(line, "\n")] = 0;
	for (char *c = line; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	if (sscanf(line, "%ld %n", &pid, &at) == 1 && at && pid > 0)
		snprintf(text, size, "process %ld: %.300s", pid, line + at);
	else
		snprintf(text, size, "a process that does not say which");
}

/* This process's command line, as one line. */
static void own_command(char *text, size_t size)
{
	FILE *f = fopen("/proc/self/cmdline", "re");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;

	if (f)
		fclose(f);
	while (n && !text[n - 1])
		n--;
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)text[i]))
			text[i] = ' ';
	text[n] = 0;
}

static int take(int folder, const char *path, const char *kind, const char *of, bool *left, char why[WIRES_WHY])
{
	char name[200];

	char command[300], line[400], who[350];
	struct stat st;
	int fd, error;

	file_name(kind, of, name, sizeof(name));
	fd = open_file(folder, name);
	if (fd == -EMLINK) {
		snprintf(why, WIRES_WHY, "'%.200s/%.150s' is no file for locks: somebody has put it there; remove it",
			 path, name);
		return fd;
	}
	if (fd < 0) {
		snprintf(why, WIRES_WHY, "cannot open '%.200s/%.150s': %s", path, name, strerror(-fd));
		return fd;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		error = errno == EWOULDBLOCK ? -EBUSY : -errno;
		if (error == -EBUSY) {
			holder(fd, who, sizeof(who));
			snprintf(why, WIRES_WHY, "the %.20s is in use by %s ('%.150s/%.80s')",
				 strcmp(kind, "port") ? kind : "board", who, path, name);
		} else {
			snprintf(why, WIRES_WHY, "cannot lock '%.200s/%.150s': %s", path, name, strerror(-error));
		}
		close(fd);
		return error;
	}
	*left = !fstat(fd, &st) && st.st_size > 0;
	own_command(command, sizeof(command));
	snprintf(line, sizeof(line), "%ld %s\n", (long)getpid(), command);
	/* That it cannot be said is no reason not to have it. */
	if (ftruncate(fd, 0) || pwrite(fd, line, strlen(line), 0) < 0)
		return fd;
	return fd;
}

static struct board_lock *take_all(const char *const *kinds, const char *const *names, bool *left, int *error,
				   char why[WIRES_WHY])
{
	const char *path = lock_folder();
	struct board_lock *lock = calloc(1, sizeof(*lock));
	int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned n = 0;

	*error = lock ? 0 : -ENOMEM;
	if (lock)
		for (unsigned i = 0; i <= BOARD_LOCK_FILES; i++)
			lock->files[i] = -1;
	if (!*error && folder < 0)
		*error = -errno;
	if (*error)
		snprintf(why, WIRES_WHY, "no locks in '%.300s': %s", path, strerror(-*error));
	for (unsigned i = 0; !*error && i < BOARD_LOCK_FILES; i++) {
		if (!names[i])
			continue;
		lock->files[n] = take(folder, path, kinds[i], names[i], left, why);
		if (lock->files[n] >= 0) {
			n++;
			continue;
		}
		*error = lock->files[n];
		lock->files[n] = -1;
	}
	if (folder >= 0)
		close(folder);
	if (!*error)
		return lock;
	board_lock_give(lock);
	return NULL;
}

struct board_lock *board_lock_take(const char *serial, const char *port, int *error, char why[WIRES_WHY])
{
	const char *const kinds[BOARD_LOCK_FILES] = { "board", "port" }, *const names[] = { serial, port };
	bool left;

	return take_all(kinds, names, &left, error, why);
}

struct board_lock *board_lock_take_other(const char *kind, const char *name, bool *left, int *error,
					 char why[WIRES_WHY])
{
	const char *const kinds[BOARD_LOCK_FILES] = { kind }, *const names[BOARD_LOCK_FILES] = { name };

	return take_all(kinds, names, left, error, why);
}

const int *board_lock_files(const struct board_lock *lock)
{
	return lock->files;
}

static void end_lock(struct board_lock *lock, bool properly)
{
	if (!lock)
		return;
	for (int *fd = lock->files; *fd >= 0; fd++) {
		/* It counts as left if that fails. */
		if (properly && ftruncate(*fd, 0))
			errno = 0;
		flock(*fd, LOCK_UN);
		close(*fd);
	}
	free(lock);
}

void board_lock_give(struct board_lock *lock)
{
	end_lock(lock, true);
}

void board_lock_leave(struct board_lock *lock)
{
	end_lock(lock, false);
}
