// SPDX-License-Identifier: GPL-2.0-or-later
/* One night at a time on a rig. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "night.h"

/* Where everybody may make a file, and none may take another's away. */
static const char *folder(void)
{
	const char *own = getenv("DFUBENCH_LOCK_DIR");
	struct stat st;

	if (own && *own)
		return own;
	if (!stat("/run/lock", &st) && S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) && !access("/run/lock", W_OK))
		return "/run/lock";
	return "/tmp";
}

/* The same for whatever names the same file. */
static uint64_t identity(const char *spec)
{
	const char *path = !strncmp(spec, "control:", 8) ? spec + 8 : spec;
	char *whole = realpath(path, NULL);
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *c = whole ? whole : path; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	free(whole);
	return hash;
}

static void told_by(int fd, const char *spec, char why[NIGHT_WHY])
{
	char who[256] = "";
	ssize_t n = pread(fd, who, sizeof(who) - 1, 0);

	who[n > 0 ? n : 0] = 0;
	who[strcspn(who, "\n")] = 0;
	snprintf(why, NIGHT_WHY, "the rig '%.200s' is taken: %s has it", spec, *who ? who : "another dfuhil nightly");
}

int night_lock(const char *spec, char why[NIGHT_WHY])
{
	char path[512], who[256], host[65] = "";
	const char *user = getenv("USER");
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/dfuhil-night-%016" PRIx64, folder(), identity(spec));
	/* A file of somebody else is opened as it is: the kernel may refuse to make what is there already. */
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		snprintf(why, NIGHT_WHY, "the rig '%.200s' cannot be locked: '%s': %s", spec, path,
			 fd < 0 ? strerror(errno) : "it is no file");
		if (fd >= 0)
			close(fd);
		return -EACCES;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		told_by(fd, spec, why);
		close(fd);
		return -EBUSY;
	}
	gethostname(host, sizeof(host) - 1);
	snprintf(who, sizeof(who), "process %ld (dfuhil nightly%s%.64s)\n", (long)getpid(), user ? ", user " : "",
		 user ? user : "");
	if (!ftruncate(fd, 0) && pwrite(fd, who, strlen(who), 0) < 0)
		return fd; /* nobody will be told who it is */
	return fd;
}
