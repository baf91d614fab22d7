// SPDX-License-Identifier: GPL-2.0-or-later
/* Folders of nights: a new one, and old ones taken away. None is touched that has no marker of ours. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "janitor.h"
#include "night.h"
#include "text.h"
#include "when.h"

#define MARKER ".dfubench-night"
#define ALWAYS_KEPT 3 /* the last nights stay whatever the clock says */
#define SAME_SECOND 100

static int fail(const char *path, int error, char why[NIGHT_WHY])
{
	snprintf(why, NIGHT_WHY, "cannot make the folder '%.500s': %s", path, strerror(error));
	return -error;
}

/* With those above it. 0 or -errno; what is there already is fine. */
static int make_folder(const char *path)
{
	char *copy = strdup(path);
	int error = copy ? 0 : ENOMEM;

	for (char *c = copy ? copy + 1 : NULL; c && !error; c++) {
		char was = *c;

		if (was != '/' && was)
			continue;
		*c = 0;
		if (mkdir(copy, 0777) && errno != EEXIST)
			error = errno;
		*c = was;
		if (!was)
			break;
	}
	free(copy);
	return -error;
}

/* Where nights are; to be freed. */
static char *nights(const struct night *n, char why[NIGHT_WHY])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (n->options->folder)
		return strdup(n->options->folder);
	if (state && *state == '/')
		return text_format("%s/dfubench/nights", state);
	if (home && *home)
		return text_format("%s/.local/state/dfubench/nights", home);
	snprintf(why, NIGHT_WHY, "there is no home (HOME, XDG_STATE_HOME): --folder says where nights go");
	return NULL;
}

static bool mark(struct night *n, const char *folder)
{
	char *path = text_format("%s/" MARKER, folder), text[64];
	int fd = path ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
	bool good;

	snprintf(text, sizeof(text), "{\"format\": 1, \"started\": %lld}\n", (long long)n->started);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !flock(fd, LOCK_EX | LOCK_NB);
	if (!good) {
		int error = errno;

		if (fd >= 0) {
			unlink(path);
			close(fd);
		}
		errno = error;
	} else {
		n->folder_lock = fd;
	}
	free(path);
	return good;
}

/* The link is for people and services that keep what the last night made. */
static void link_latest(const struct night *n, const char *parent)
{
	char *latest = text_format("%s/latest", parent), *made = text_format("%s/.latest-%ld", parent, (long)getpid());
	struct stat st;

	if (latest && made && (lstat(latest, &st) || S_ISLNK(st.st_mode)) &&
	    !symlink(strrchr(n->folder, '/') + 1, made) && rename(made, latest))
		unlink(made);
	free(latest);
	free(made);
}

static int new_in(struct night *n, const char *parent, char why[NIGHT_WHY])
{
	char day[WHEN_TEXT], *whole = realpath(parent, NULL), *path = NULL, *c;
	int error = whole ? EEXIST : errno;

	when_iso(n->started, day);
	for (c = day; *c; c++)
		if (*c == ':')
			*c = '-';
	for (unsigned i = 1; error == EEXIST && i <= SAME_SECOND; i++) {
		free(path);
		path = i == 1 ? text_format("%s/%s", whole, day) : text_format("%s/%s.%u", whole, day, i);
		error = !path ? ENOMEM : mkdir(path, 0777) ? errno : 0;
	}
	if (!error && !mark(n, path)) {
		error = errno;
		rmdir(path);
	}
	if (error)
		fail(path ? path : parent, error, why);
	else
		n->folder = path;
	if (error)
		free(path);
	free(whole);
	return -error;
}

int night_folder_new(struct night *n, char why[NIGHT_WHY])
{
	char *parent = nights(n, why), *captures;
	int r = parent ? make_folder(parent) : -ENOENT;

	n->folder_lock = -1;
	if (parent && r)
		fail(parent, -r, why);
	if (!r)
		r = new_in(n, parent, why);
	if (!r) {
		link_latest(n, parent);
		captures = night_path(n, "captures");
		if (captures)
			mkdir(captures, 0777);
		free(captures);
	}
	free(parent);
	return r;
}

char *night_path(const struct night *n, const char *name)
{
	return text_format("%s/%s", n->folder, name);
}

char *night_captures(const struct night *n, const struct lane *lane)
{
	return n->folder ? text_format("%s/captures/%s", n->folder, lane->name) : NULL;
}

/* --- what is old --- */

struct old_night {
	char *path;
	int64_t started;
	uint64_t bytes;
};
struct old_nights {
	struct old_night *list;
	size_t count;
};

static uint64_t counted; /* nftw(3) has no context */

static int count_bytes(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)path, (void)at;
	if (type != FTW_NS)
		counted += (uint64_t)st->st_blocks * 512;
	return 0;
}

/* When the night of a folder began. False: the folder is none of ours, or a night that is under way. */
static bool is_ours(const char *path, int64_t *started)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = folder < 0 ? -1 : openat(folder, MARKER, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[256] = "";
	struct stat st;
	bool good = fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		    read(fd, text, sizeof(text) - 1) > 0 && !flock(fd, LOCK_SH | LOCK_NB);
	json_t *json = good ? json_loads(text, 0, NULL) : NULL, *when = json_object_get(json, "started");

	good = json_is_integer(when) && json_integer_value(json_object_get(json, "format")) == 1;
	*started = json_integer_value(when);
	json_decref(json);
	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	return good;
}

static int older_first(const void *a, const void *b)
{
	const struct old_night *x = a, *y = b;

	return (x->started > y->started) - (x->started < y->started);
}

static void look_around(const char *parent, const char *own, struct old_nights *found)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = entry->d_name[0] == '.' ? NULL : text_format("%s/%s", parent, entry->d_name);
		int64_t started;
		struct old_night *list;

		if (!path || !strcmp(path, own) || !is_ours(path, &started)) {
			free(path);
			continue;
		}
		list = realloc(found->list, (found->count + 1) * sizeof(*list));
		if (!list) {
			free(path);
			break;
		}
		counted = 0;
		nftw(path, count_bytes, 16, FTW_PHYS);
		found->list = list;
		list[found->count++] = (struct old_night){ path, started, counted };
	}
	if (dir)
		closedir(dir);
	if (found->count)
		qsort(found->list, found->count, sizeof(*found->list), older_first);
}

/* The marker last: what is left when this is interrupted is taken away another time. */
static int remove_night(const char *path)
{
	char *marker = text_format("%s/" MARKER, path);
	DIR *dir = opendir(path);
	struct dirent *entry;
	int error = marker && dir ? 0 : -errno;

	while (dir && !error && (entry = readdir(dir))) {
		char *inner;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || !strcmp(entry->d_name, MARKER))
			continue;
		inner = text_format("%s/%s", path, entry->d_name);
		if (!inner)
			error = -ENOMEM;
		else if (unlink(inner))
			error = errno == EISDIR || errno == EPERM ? folder_remove(inner) : -errno;
		free(inner);
	}
	if (dir)
		closedir(dir);
	if (!error && (unlink(marker) || rmdir(path)))
		error = -errno;
	free(marker);
	return error;
}

void night_folder_clean(struct night *n)
{
	char *parent = n->folder ? strndup(n->folder, (size_t)(strrchr(n->folder, '/') - n->folder)) : NULL;
	struct old_nights found = { NULL, 0 };
	int64_t keep_s = n->options->keep_s;
	uint64_t most = n->options->keep_bytes, all = 0;
	int64_t now = night_now(n);

	if (!parent)
		return;
	look_around(parent, n->folder, &found);
	counted = 0;
	nftw(n->folder, count_bytes, 16, FTW_PHYS);
	all = counted;
	for (size_t i = 0; i < found.count; i++)
		all += found.list[i].bytes;
	for (size_t i = 0; i < found.count; i++) {
		struct old_night *old = &found.list[i];
		bool aged = keep_s && now - old->started > keep_s && i + ALWAYS_KEPT < found.count + 1;
		int error = 0;

		if (aged || (most && all > most)) {
			error = remove_night(old->path);
			if (error)
				night_trouble(n, "cannot remove the old night '%s': %s", old->path, strerror(-error));
			else
				all -= old->bytes;
		}
		free(old->path);
	}
	free(found.list);
	free(parent);
}
