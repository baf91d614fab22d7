/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include "bus_internal.h"
#include "remote.h"
#include "terminals.h"

/* Absolute places that the tree stands for: themselves and all below, or (prefix) all names that begin so. */
static const struct {
	const char *path;
	bool prefix, terminal; /* terminal: where terminals are */
} faked[] = {
	{ "/sys/bus/usb", false, false },        { "/sys/devices/platform/dfubench.0", false, false },
	{ "/sys/dev/char/189:", true, false },   { "/dev/bus", false, false },
	{ "/run/udev/control", false, false },   { "/run/udev/data/c189:", true, false },
	{ "/run/udev/data/+usb:", true, false }, { "/dev/ttyACM", true, true },
	{ "/dev/serial", false, true },          { "/sys/class/tty/ttyACM", true, true },
	{ "/sys/dev/char/166:", true, true },    { "/run/udev/data/c166:", true, true },
};

bool place_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == 0 || path[n] == '/');
}

static bool terminals_are_off(const struct private_bus *bus)
{
	return bus->options.no_terminals;
}

/* Folders that the tree has with the machine's entries beside ours once somebody lists them. */
static bool is_merged_late(const struct private_bus *bus, const char *path)
{
	return !terminals_are_off(bus) && (strcmp(path, "/dev") == 0 || strcmp(path, "/sys/class/tty") == 0);
}

bool place_is_merged(const struct private_bus *bus, const char *path)
{
	return strcmp(path, "/sys/bus") == 0 || strcmp(path, "/sys/dev/char") == 0 || is_merged_late(bus, path);
}

static bool is_faked(const struct private_bus *bus, const char *path)
{
	if (place_is_merged(bus, path))
		return true;
	for (size_t i = 0; i < sizeof(faked) / sizeof(*faked); i++) {
		if (faked[i].terminal && terminals_are_off(bus))
			continue;
		if (faked[i].prefix ? strncmp(path, faked[i].path, strlen(faked[i].path)) == 0
				    : place_below(path, faked[i].path))
			return true;
	}
	return false;
}

/* A folder on the way to a place of the tree that this machine does not have: a chroot without sysfs, say. */
static bool is_missing_parent(const struct private_bus *bus, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; n > 1 && i < sizeof(faked) / sizeof(*faked); i++) {
		if (faked[i].terminal && terminals_are_off(bus))
			continue;
		if (strncmp(faked[i].path, path, n) == 0 && faked[i].path[n] == '/')
			return access(path, F_OK) != 0;
	}
	return false;
}

/* Drop "//" and "/./" and a trailing slash, in place; and resolve ".." by text if asked to. */
static void tidy(char *path, bool dotdot)
{
	char *out = path, *in = path;

	while (*in) {
		size_t n;

		while (*in == '/')
			in++;
		n = strcspn(in, "/");
		if (n == 0)
			break;
		if (n == 1 && in[0] == '.') {
			in += n;
			continue;
		}
		if (dotdot && n == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				continue;
			in += n;
			continue;
		}
		*out++ = '/';
		memmove(out, in, n);
		out += n;
		in += n;
	}
	if (out == path)
		*out++ = '/';
	*out = 0;
}

static bool contains_dotdot(const char *path)
{
	for (const char *at = strstr(path, "/.."); at; at = strstr(at + 1, "/..")) {
		if (at[3] == 0 || at[3] == '/')
			return true;
	}
	return false;
}

/* "/dev/bus/usb/001/002" -> 2; 0 if it is not of that form. */
static unsigned node_address(const char *path)
{
	const char *digits = path + strlen("/dev/bus/usb/001/");
	unsigned address;
	char *end;

	if (strncmp(path, "/dev/bus/usb/001/", strlen("/dev/bus/usb/001/")) || strlen(digits) != 3)
		return 0;
	address = (unsigned)strtoul(digits, &end, 10);
	return *end ? 0 : address;
}

/* "/dev/ttyACM0"; NULL: not of that form, or there is none. */
static struct terminal *terminal_at(const struct private_bus *bus, const char *path)
{
	const char *digits = path + strlen("/dev/ttyACM");
	char *end;
	unsigned long minor;

	if (strncmp(path, "/dev/ttyACM", strlen("/dev/ttyACM")) || *digits < '0' || *digits > '9')
		return NULL;
	minor = strtoul(digits, &end, 10);
	return *end || minor >= TREE_TERMINALS ? NULL : terminals_of_minor(bus, (unsigned)minor);
}

bool place_unmap(const struct private_bus *bus, char *path)
{
	const char *root = tree_root(bus->tree);
	size_t n = strlen(root);

	if (!place_below(path, root))
		return false;
	memmove(path, path + n, strlen(path + n) + 1);
	if (!*path)
		strcpy(path, "/");
	return true;
}

/* We go there for the tool, so what is its own must not become ours. */
static void real_beyond(pid_t tid, struct where *w)
{
	static const char *const own[] = { "/proc/self", "/proc/thread-self" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		if (place_below(w->path, own[i])) {
			snprintf(w->real, sizeof(w->real), "/proc/%d%s", (int)tid, w->path + strlen(own[i]));
			return;
		}
	}
	strcpy(w->real, w->path);
}

int place_of(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, struct where *w)
{
	char given[PATH_MAX];
	bool slash;
	ssize_t n;

	w->place = PLACE_ELSEWHERE;
	w->from_tree = w->root = false;
	n = remote_string(c->tid, pointer, given, sizeof(given));
	if (n == -EPERM)
		bus_no_memory_access(bus);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOENT; /* or AT_EMPTY_PATH, which the kernel gets right by itself */
	if (given[0] == '/') {
		/* Most calls end here. The private tree's own name is allowed: realpath() of a cwd, say. */
		memcpy(w->path, given, (size_t)n + 1);
	} else {
		ssize_t base = remote_fd_path(c->tid, dirfd, w->path, PATH_MAX);

		if (base < 0)
			return (int)base;
		if (w->path[0] != '/')
			return -ENOTDIR; /* "pipe:[1234]" */
		w->from_tree = place_below(w->path, tree_root(bus->tree));
		w->path[base] = '/';
		memcpy(w->path + base + 1, given, (size_t)n + 1);
	}
	w->root = place_unmap(bus, w->path) && !w->path[1];
	slash = w->path[strlen(w->path) - 1] == '/';
	tidy(w->path, false);
	if (contains_dotdot(w->path) && !is_faked(bus, w->path))
		tidy(w->path, true);
	if (!is_faked(bus, w->path) && !is_missing_parent(bus, w->path)) {
		if (w->from_tree) {
			w->place = PLACE_BEYOND;
			w->from_tree = false;
			real_beyond(c->tid, w);
		}
		return 0;
	}
	bus_show_tree(bus);
	if (is_merged_late(bus, w->path))
		tree_merge(bus->tree, w->path); /* what cannot be listed is missing in a list */
	snprintf(w->real, sizeof(w->real), "%s%s%s", tree_root(bus->tree), w->path,
		 slash ? "/" : ""); /* follows a link */
	w->address = node_address(w->path);
	w->terminal = terminal_at(bus, w->path);
	w->place = w->terminal ? PLACE_TERMINAL : PLACE_TREE;
	if (w->address && bus_port_of_address(bus, w->address))
		w->place = PLACE_NODE;
	return 0;
}

int place_followed(struct private_bus *bus, const struct call_info *c, int dirfd, uint64_t pointer, bool follow,
		   struct where *w)
{
	char *real;
	int err = place_of(bus, c, dirfd, pointer, w);

	if (err || w->place != PLACE_TREE || !place_below(w->path, "/dev/serial"))
		return err;
	real = realpath(w->real, NULL);
	if (!real)
		w->place = PLACE_ELSEWHERE;
	else if (follow && place_unmap(bus, real) && terminal_at(bus, real)) {
		w->terminal = terminal_at(bus, real);
		w->place = PLACE_TERMINAL;
		snprintf(w->real, sizeof(w->real), "%s%s", tree_root(bus->tree), real);
	}
	free(real);
	return 0;
}
