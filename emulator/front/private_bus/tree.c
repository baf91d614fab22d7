/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The private tree itself: its place on disk, its lock, its root hub; stale ones of dead processes are removed. */
#include "tree_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PREFIX "dfubench-"
#define NEW_NAME_TRIES 16
#define ROOM_BYTES (UINT64_C(2) << 20) /* the files of a few boards where each takes a page */
#define ROOM_FILES 1000

/* USB 1.1 root hub, as the kernel's full-speed controllers have it; the release of Linux stands in bcdDevice. */
static int add_root_hub(struct tree *t)
{
	static const uint8_t configuration[] = {
		9, USB_DT_CONFIGURATION, 25,   0, 1, 1, 0,   0xe0, 0, /* self-powered, remote wake-up, 0 mA */
		9, USB_DT_INTERFACE,     0,    0, 1, 9, 0,   0,    0, /* hub */
		7, USB_DT_ENDPOINT,      0x81, 3, 2, 0, 255,          /* status change */
	};
	struct utsname host;
	unsigned major = 6, minor = 0;
	char manufacturer[160], product[] = "dfubench private bus", serial[] = "dfubench.0";
	uint8_t bytes[sizeof(configuration)];
	struct usb_description u = {
		.speed = USB_SPEED_IS_FULL,
		.device = { 18, USB_DT_DEVICE, 0x10, 0x01, 9, 0, 0, 64, 0x6b, 0x1d, 0x01, 0x00, 0, 0, 3, 2, 1, 1 },
		.configuration = 1,
		.configuration_count = 1,
		.configurations = { { .bytes = bytes, .length = sizeof(bytes) } },
		.manufacturer = manufacturer,
		.product = product,
		.serial = serial,
	};

	memcpy(bytes, configuration, sizeof(bytes));
	if (uname(&host))
		return -errno;
	sscanf(host.release, "%u.%u", &major, &minor);
	u.device[12] = (uint8_t)minor;
	u.device[13] = (uint8_t)major;
	snprintf(manufacturer, sizeof(manufacturer), "%.20s %.100s dfubench", host.sysname, host.release);
	return tree_device_add(t, 1, 0, &u, false);
}

/* Other buses stay reachable: a name that is not usb leads to the machine's own. */
static int link_other_buses(struct tree *t)
{
	DIR *real = opendir("/sys/bus");
	struct folder f = { .tree = t };
	struct dirent *entry;

	if (!real)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	f.fd = tree_open_folder(t->sys, "bus");
	if (f.fd < 0)
		f.error = -errno;
	while (!f.error && (entry = readdir(real)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "usb"))
			tree_put_link(&f, entry->d_name, "/sys/bus/%s", entry->d_name);
	if (f.fd >= 0)
		close(f.fd);
	closedir(real);
	return f.error;
}

/* Character devices of the machine, with the links' own texts: udev looks at the links themselves, and goes on from the
 * folder that they are in. */
static int link_other_devices(struct tree *t)
{
	DIR *real = opendir("/sys/dev/char");
	struct folder f = { .tree = t, .fd = t->chars };
	struct dirent *entry;

	if (!real)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	while (!f.error && (entry = readdir(real))) {
		char text[PATH_MAX];
		ssize_t n = readlinkat(dirfd(real), entry->d_name, text, sizeof(text) - 1);

		if (n <= 0 || strncmp(entry->d_name, "189:", 4) == 0 || strncmp(entry->d_name, "166:", 4) == 0)
			continue;
		text[n] = 0;
		tree_put_link(&f, entry->d_name, "%s", text);
	}
	closedir(real);
	return f.error;
}

static int make_skeleton(struct tree *t)
{
	static const char *const folders[] = {
		"stage",
		"sys",
		"sys/bus",
		"sys/bus/usb",
		"sys/bus/usb/devices",
		"sys/bus/usb/drivers",
		"sys/bus/usb/drivers/usb",
		"sys/bus/usb/drivers/hub",
		"sys/bus/usb/drivers/usbfs",
		"sys/devices",
		"sys/devices/platform",
		("sys/" CONTROLLER),
		"sys/class",
		"sys/class/tty",
		"sys/dev",
		"sys/dev/char",
		"dev",
		"dev/bus",
		"dev/bus/usb",
		"dev/bus/usb/001",
		"run",
		"run/udev",
		"run/udev/data",
	};
	const struct {
		const char *path;
		int *fd;
	} handles[] = {
		{ "stage", &t->stage },
		{ "sys", &t->sys },
		{ "sys/bus/usb/devices", &t->devices },
		{ "sys/bus/usb/drivers", &t->drivers },
		{ "sys/dev/char", &t->chars },
		{ "dev/bus/usb/001", &t->nodes },
		{ "run/udev/data", &t->udev },
	};
	struct folder f = { .tree = t, .fd = t->root };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdirat(t->root, folders[i], 0755))
			return -errno;
	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
		*handles[i].fd = tree_open_folder(t->root, handles[i].path);
		if (*handles[i].fd < 0)
			return -errno;
	}
	tree_put(&f, "sys/" CONTROLLER "/uevent", "DRIVER=dfubench\nMODALIAS=platform:dfubench\n");
	tree_put_link(&f, "sys/" CONTROLLER "/subsystem", "../../../bus/platform");
	tree_put_link(&f, "sys/" CONTROLLER "/driver", "../../../bus/platform/drivers/dfubench");
	/* libudev listens to udevd's events only where this exists. */
	tree_put_bytes(&f, "run/udev/control", "", 0);
	if (f.error)
		return f.error;
	f.error = link_other_buses(t);
	return f.error ? f.error : link_other_devices(t);
}

/* Is what stands under this name what fd has open? */
static bool is_still(int at, const char *name, int fd)
{
	struct stat there, ours;

	return !fstatat(at, name, &there, AT_SYMLINK_NOFOLLOW) && !fstat(fd, &ours) && there.st_ino == ours.st_ino &&
	       there.st_dev == ours.st_dev;
}

/* A folder of ours is stale when nobody holds its lock. Failures do not matter: the next start tries again. */
static void remove_stale(int base)
{
	char prefix[32];
	int fd = tree_open_folder(base, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	snprintf(prefix, sizeof(prefix), PREFIX "%u-", (unsigned)geteuid());
	while ((entry = readdir(dir))) {
		struct stat st;
		int old;

		if (strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		old = tree_open_folder(base, entry->d_name);
		if (old < 0)
			continue;
		if (!fstat(old, &st) && st.st_uid == geteuid() && !flock(old, LOCK_EX | LOCK_NB) &&
		    is_still(base, entry->d_name, old))
			tree_remove_folder(base, entry->d_name);
		close(old);
	}
	closedir(dir);
}

/* The lock is on the folder itself. Between its making and its locking another start may find it stale and take it
 * away: then the next name is tried. */
static int make_root(struct tree *t)
{
	char name[64];
	uint32_t dice;

	for (int i = 0; i < NEW_NAME_TRIES; i++) {
		if (getrandom(&dice, sizeof(dice), 0) != sizeof(dice))
			return -errno;
		snprintf(name, sizeof(name), PREFIX "%u-%d-%06x", (unsigned)geteuid(), (int)getpid(), dice & 0xffffff);
		if (mkdirat(t->base, name, 0700)) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		t->root = tree_open_folder(t->base, name);
		if (t->root >= 0 && !flock(t->root, LOCK_EX | LOCK_NB) && is_still(t->base, name, t->root)) {
			t->name = strdup(name);
			if (t->name)
				return 0;
			tree_remove_folder(t->base, name);
			return -ENOMEM;
		}
		if (t->root < 0 && errno != ENOENT) {
			int error = -errno;

			unlinkat(t->base, name, AT_REMOVEDIR);
			return error;
		}
		if (t->root >= 0)
			close(t->root);
		t->root = -1;
	}
	return -EBUSY;
}

/* So that a full place is told at once, or another one taken, and not when the tool looks. Quotas show only then. */
static int has_room(const struct tree *t)
{
	struct statvfs fs;

	if (fstatvfs(t->root, &fs))
		return -errno;
	/* Some file systems do not count one or the other. */
	if ((fs.f_blocks && fs.f_bavail * (uint64_t)fs.f_frsize < ROOM_BYTES) ||
	    (fs.f_files && fs.f_favail < ROOM_FILES))
		return -ENOSPC;
	return 0;
}

static int open_tree(struct tree *t, const char *base)
{
	char *real = realpath(base, NULL);
	int error;

	if (!real)
		return -errno;
	t->base = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->base < 0) {
		error = -errno;
		goto out;
	}
	remove_stale(t->base);
	error = make_root(t);
	if (error)
		goto out;
	if (asprintf(&t->path, "%s/%s", strcmp(real, "/") ? real : "", t->name) < 0) {
		t->path = NULL;
		error = -ENOMEM;
		goto out;
	}
	error = has_room(t);
	if (!error)
		error = add_root_hub(t);
out:
	free(real);
	return error;
}

static struct tree *tree_in(const char *base, int *error)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (!t) {
		*error = -ENOMEM;
		return NULL;
	}
	t->base = t->root = t->sys = t->devices = t->drivers = t->chars = t->nodes = t->udev = t->stage = -1;
	*error = open_tree(t, base);
	if (!*error)
		return t;
	tree_free(t);
	return NULL;
}

struct tree *tree_new(const char *base, int *error)
{
	const char *places[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm", getenv("TMPDIR"), "/tmp" };
	struct tree *t = NULL;

	*error = -ENOENT;
	if (base)
		return tree_in(base, error);
	for (size_t i = 0; !t && i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i] && places[i][0] == '/')
			t = tree_in(places[i], error);
	return t;
}

static void close_folders(struct tree *t)
{
	int *const fds[] = { &t->sys, &t->devices, &t->drivers, &t->chars, &t->nodes, &t->udev, &t->stage };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

int tree_show(struct tree *t)
{
	static const char *const folders[] = { "stage", "sys", "dev", "run" };
	int error;

	if (t->shown)
		return 0;
	error = make_skeleton(t);
	for (unsigned i = 0; !error && i <= TREE_ADDRESSES; i++)
		if (t->list[i].description)
			error = tree_device_show(t, &t->list[i]);
	if (!error)
		error = tree_terminals_show(t);
	t->shown = !error;
	t->merged_dev = t->merged_class = false;
	if (!error)
		return 0;
	close_folders(t);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		tree_remove_folder(t->root, folders[i]);
	return error;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i <= TREE_ADDRESSES; i++)
		usb_description_free(t->list[i].description);
	close_folders(t);
	if (t->name && is_still(t->base, t->name, t->root))
		tree_remove_folder(t->base, t->name);
	if (t->root >= 0)
		close(t->root);
	if (t->base >= 0)
		close(t->base);
	free(t->name);
	free(t->path);
	free(t);
}

const char *tree_root(const struct tree *t)
{
	return t->path;
}
