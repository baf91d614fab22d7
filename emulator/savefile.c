// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are locked, read and saved whole. */
#include "savefile.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "naming.h"

#define LINKS_MAX 40              /* as the kernel follows */
#define NAME_KEPT (NAME_MAX - 32) /* bytes of a name that a temporary one beside it shows */

struct savefile {
	char *path;              /* as the user gave it: for messages */
	char name[NAME_MAX + 1]; /* in folder, symbolic links followed */
	char lock[NAME_MAX + 1]; /* the lock file beside it, "" when the file itself is locked */
	int folder, fd, lock_fd; /* fd: -1 when the file is missing */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

static int fail(char why[SAVEFILE_WHY], int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(char why[SAVEFILE_WHY], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, SAVEFILE_WHY, format, args);
	va_end(args);
	return error;
}

/* Find the folder and the name that path means in the end, even when the last symbolic link points to nothing yet. */
static int follow(struct savefile *f, char why[SAVEFILE_WHY])
{
	char rest[PATH_MAX], target[PATH_MAX];
	int at = AT_FDCWD;

	if (strlen(f->path) >= sizeof(rest))
		return fail(why, -ENAMETOOLONG, "cannot open '%.200s...': %s", f->path, strerror(ENAMETOOLONG));
	strcpy(rest, f->path);
	for (int links = 0; links <= LINKS_MAX; links++) {
		char *slash = strrchr(rest, '/');
		const char *name = slash ? slash + 1 : rest;
		int folder;
		ssize_t n;

		if (!*name)
			return fail(why, -EISDIR, "'%s' is not the name of a file", f->path);
		if (strlen(name) > NAME_MAX)
			return fail(why, -ENAMETOOLONG, "cannot open '%s': %s", f->path, strerror(ENAMETOOLONG));
		strcpy(f->name, name);
		if (slash)
			slash[slash == rest] = 0;
		folder = naming_folder(at, slash ? rest : ".");
		if (at != AT_FDCWD)
			close(at);
		if (folder < 0)
			return fail(why, folder, "cannot open '%s': %s", f->path, strerror(-folder));
		n = readlinkat(folder, f->name, target, sizeof(target) - 1);
		if (n < 0) {
			f->folder = folder;
			return 0;
		}
		target[n] = 0;
		strcpy(rest, target);
		at = folder;
	}
	close(at);
	return fail(why, -ELOOP, "cannot open '%s': %s", f->path, strerror(ELOOP));
}

static const char *kind_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "is a directory";
	case S_IFIFO:
		return "is a FIFO";
	case S_IFSOCK:
		return "is a socket";
	default:
		return "is a device";
	}
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int busy(const struct savefile *f, char why[SAVEFILE_WHY])
{
	return fail(why, -EBUSY, "'%s' is in use by another board (of this dfuemu or another one that is running)",
		    f->path);
}

/* 1: locked; 0: the name has come to mean another file meanwhile (its owner saved it), try again. */
static int lock(struct savefile *f, int fd, const char *name, char why[SAVEFILE_WHY])
{
	struct stat locked, named;

	if (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return busy(f, why);
		return fail(why, -errno, "cannot lock '%s': %s", f->path, strerror(errno));
	}
	if (fstat(fd, &locked) || fstatat(f->folder, name, &named, AT_SYMLINK_NOFOLLOW))
		return 0;
	return same_file(&locked, &named);
}

/* 1: opened and locked; 0: try again; -ENOENT: there is no such file. */
static int open_existing(struct savefile *f, char why[SAVEFILE_WHY])
{
	struct stat st;
	int r;

	/* O_NONBLOCK: a FIFO without a writer must not stop us before we can refuse it. */
	f->fd = openat(f->folder, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (f->fd < 0) {
		int error = errno;

		/* A socket has no open(2): tell the kind rather than "No such device or address". */
		if (!fstatat(f->folder, f->name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISREG(st.st_mode) &&
		    !S_ISLNK(st.st_mode))
			return fail(why, -EINVAL, "'%s' %s, not a regular file", f->path, kind_of(st.st_mode));
		return fail(why, -error, "cannot open '%s': %s", f->path, strerror(error));
	}
	if (fstat(f->fd, &st))
		return fail(why, -errno, "cannot open '%s': %s", f->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(why, -EINVAL, "'%s' %s, not a regular file", f->path, kind_of(st.st_mode));
	f->mode = st.st_mode & 07777;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	r = lock(f, f->fd, f->name, why);
	if (!r) {
		close(f->fd);
		f->fd = -1;
	}
	return r;
}

static int reserve_missing(struct savefile *f, char why[SAVEFILE_WHY])
{
	int r;

	if (snprintf(f->lock, sizeof(f->lock), ".%s.lock", f->name) >= (int)sizeof(f->lock)) {
		f->lock[0] = 0;
		return fail(why, -ENAMETOOLONG, "cannot create '%s': %s", f->path, strerror(ENAMETOOLONG));
	}
	f->lock_fd = openat(f->folder, f->lock, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (f->lock_fd < 0) {
		f->lock[0] = 0;
		if (errno == EACCES && !faccessat(f->folder, ".", W_OK, 0))
			return busy(f, why); /* somebody else's lock file */
		return fail(why, -errno, "cannot create '%s': %s", f->path, strerror(errno));
	}
	r = lock(f, f->lock_fd, f->lock, why);
	if (r <= 0) {
		close(f->lock_fd);
		f->lock_fd = -1;
		f->lock[0] = 0;
	}
	return r;
}

/* .NAME.PID-N.tmp, as create_temporary() makes them */
static bool is_temporary(const struct savefile *f, const char *entry)
{
	size_t length = strlen(f->name);

	if (length > NAME_KEPT || entry[0] != '.' || strncmp(entry + 1, f->name, length) || entry[1 + length] != '.')
		return false;
	entry += length + 2;
	if (!isdigit((unsigned char)*entry))
		return false;
	entry += strspn(entry, "0123456789");
	if (*entry != '-' || !isdigit((unsigned char)entry[1]))
		return false;
	return !strcmp(entry + 1 + strspn(entry + 1, "0123456789"), ".tmp");
}

/* What a killed owner could not take away. The place is locked: nobody else is saving this file. */
static void remove_stale(const struct savefile *f)
{
	int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char name[NAME_MAX + 1];
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (is_temporary(f, entry->d_name))
			unlinkat(f->folder, entry->d_name, 0);
	closedir(dir);
	if (f->lock[0] || snprintf(name, sizeof(name), ".%s.lock", f->name) >= (int)sizeof(name))
		return;
	/* Somebody who is about to lock it finds that the name is gone, and tries again. */
	fd = openat(f->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		unlinkat(f->folder, name, 0);
	if (fd >= 0)
		close(fd);
}

struct savefile *savefile_open(const char *path, char why[SAVEFILE_WHY])
{
	struct savefile *f = calloc(1, sizeof(*f));
	struct stat st;
	int r = 0;

	if (!f || !(f->path = strdup(path))) {
		free(f);
		fail(why, 0, "cannot open '%s': %s", path, strerror(ENOMEM));
		return NULL;
	}
	f->folder = f->fd = f->lock_fd = -1;
	if (!*path) {
		fail(why, 0, "the name of a file is empty");
		goto refuse;
	}
	if (follow(f, why) < 0)
		goto refuse;
	while (r == 0) {
		r = open_existing(f, why);
		if (r != -ENOENT)
			continue;
		r = reserve_missing(f, why);
		/* Whoever held the place before may have saved the file just now. */
		if (r == 1 && !fstatat(f->folder, f->name, &st, AT_SYMLINK_NOFOLLOW)) {
			unlinkat(f->folder, f->lock, 0);
			close(f->lock_fd);
			f->lock_fd = -1;
			f->lock[0] = 0;
			r = 0;
		}
	}
	if (r > 0) {
		remove_stale(f);
		return f;
	}
refuse:
	savefile_close(f);
	return NULL;
}

void savefile_close(struct savefile *f)
{
	if (!f)
		return;
	if (f->lock[0])
		unlinkat(f->folder, f->lock, 0); /* while it is still locked: nobody can have taken it over */
	if (f->lock_fd >= 0)
		close(f->lock_fd);
	if (f->fd >= 0)
		close(f->fd);
	if (f->folder >= 0)
		close(f->folder);
	free(f->path);
	free(f);
}

bool savefile_exists(const struct savefile *f)
{
	return f->fd >= 0;
}

int savefile_read(struct savefile *f, size_t limit, const char *what, uint8_t **data, size_t *length,
		  char why[SAVEFILE_WHY])
{
	size_t used = 0, room;
	struct stat st;
	uint8_t *buffer;
	ssize_t n = 0;
	int error;

	if (f->fd >= 0 && fstat(f->fd, &st))
		return fail(why, -errno, "cannot read '%s': %s", f->path, strerror(errno));
	if (f->fd >= 0 && st.st_size > 0 && (uintmax_t)st.st_size > limit)
		return fail(why, -EFBIG, "'%s' has %jd bytes, more than the %zu bytes of %s", f->path,
			    (intmax_t)st.st_size, limit, what);
	room = f->fd >= 0 ? limit : 0;
	buffer = malloc(room + 1);
	if (!buffer)
		return fail(why, -ENOMEM, "cannot read '%s': %s", f->path, strerror(ENOMEM));
	while (used < room) {
		n = pread(f->fd, buffer + used, room - used, (off_t)used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	error = errno;
	if (n < 0) {
		free(buffer);
		return fail(why, -error, "cannot read '%s': %s", f->path, strerror(error));
	}
	buffer[used] = 0;
	*data = buffer;
	*length = used;
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

/* A new file in the folder, named so that a listing shows whose it is. */
static int create_temporary(const struct savefile *f, char name[NAME_MAX + 1])
{
	for (unsigned i = 0; i < 1000; i++) {
		int fd;

		/* .NAME, cut so that the suffix fits */
		snprintf(name, NAME_MAX + 1, ".%.*s.%ld-%u.tmp", NAME_KEPT, f->name, (long)getpid(), i);
		fd = openat(f->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd < 0 ? -errno : fd;
	}
	return -EEXIST;
}

/* Contents, owner, mode and lock of a new file. */
static int fill(const struct savefile *f, int fd, const uint8_t *data, size_t length)
{
	int r = write_all(fd, data, length);

	if (!r && f->fd >= 0) {
		/* Owner first: a change of owner drops set-id bits. Only root can give files away; never mind. */
		if (fchown(fd, f->uid, f->gid) && errno != EPERM)
			r = -errno;
		if (!r && fchmod(fd, f->mode))
			r = -errno;
	}
	if (!r && fsync(fd))
		r = -errno;
	/* The name follows the file: others wait for that file's lock, not for the old one's. */
	if (!r && flock(fd, LOCK_EX | LOCK_NB))
		r = -errno;
	return r;
}

/* The new file takes the name; its descriptor or -errno. Without a name of its own before that, nothing is left of it
 * should we be killed while it is written. */
static int place(const struct savefile *f, bool unnamed, const uint8_t *data, size_t length, bool *created)
{
	char name[NAME_MAX + 1] = "";
	int fd, r;

	fd = unnamed ? naming_unnamed(f->folder) : create_temporary(f, name);
	*created = fd >= 0;
	if (fd < 0)
		return fd;
	r = fill(f, fd, data, length);
	if (!r && unnamed && f->fd < 0) {
		r = naming_give(fd, f->folder, f->name);
	} else if (!r && unnamed) {
		/* Nothing replaces a file but a rename. */
		snprintf(name, sizeof(name), ".%.*s.%ld-0.tmp", NAME_KEPT, f->name, (long)getpid());
		r = naming_give(fd, f->folder, name);
		if (r)
			name[0] = 0;
	}
	if (!r && name[0] && f->fd < 0)
		r = naming_move(f->folder, name, f->name);
	else if (!r && name[0])
		r = renameat(f->folder, name, f->folder, f->name) ? -errno : 0;
	if (!r)
		return fd;
	if (name[0])
		unlinkat(f->folder, name, 0);
	close(fd);
	return r;
}

int savefile_save(struct savefile *f, const uint8_t *data, size_t length, char why[SAVEFILE_WHY])
{
	struct stat st;
	int fd, folder;
	bool created;

	/* rename(2) asks for the folder's permission alone: a file made read-only is to stay as it is. */
	if (f->fd >= 0 && faccessat(f->folder, f->name, W_OK, 0) && errno != ENOENT)
		return fail(why, -errno, "cannot save '%s': %s", f->path, strerror(errno));
	fd = place(f, true, data, length, &created);
	if (fd < 0 && (fd != -EEXIST || f->fd >= 0)) /* not every file system can do it so */
		fd = place(f, false, data, length, &created);
	if (fd < 0 && !created)
		return fail(why, fd, "cannot save '%s': cannot create a file beside it: %s", f->path, strerror(-fd));
	if (fd == -EEXIST)
		return fail(why, fd, "cannot save '%s': it has appeared meanwhile: %s", f->path, strerror(-fd));
	if (fd < 0)
		return fail(why, fd, "cannot save '%s': %s", f->path, strerror(-fd));
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd; /* kept, with its lock */
	if (!fstat(fd, &st)) {
		f->mode = st.st_mode & 07777;
		f->uid = st.st_uid;
		f->gid = st.st_gid;
	}
	folder = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder >= 0) {
		fsync(folder); /* so that the name survives a crash too; not all file systems do this */
		close(folder);
	}
	return 0;
}
