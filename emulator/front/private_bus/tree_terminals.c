/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminals in the private tree, as Linux's cdc-acm and udev's 60-serial.rules leave them; and the folders of the machine that
 * programs list to find terminals, with ours among the others.
 */
#include "tree_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char own_prefix[] = "ttyACM";

static void event_of(const struct tree *t, const struct terminal_entry *e, struct uevent_device *out)
{
	struct device *d = tree_find(t, e->number);

	tree_event_of(d, tree_find_interface(d, e->interface), out);
	out->devpath = e->path;
	out->terminal = e->name;
	out->minor = (unsigned)(e - t->terminals);
	out->initialized_us = e->initialized_us;
}

int tree_terminal_event(const struct tree *t, unsigned minor, struct uevent_device *event)
{
	if (minor >= TREE_TERMINALS || !t->terminals[minor].number)
		return -ENODEV;
	event_of(t, &t->terminals[minor], event);
	return 0;
}

static void put_at(struct folder *f, int at, const char *name, const char *up, const char *target)
{
	struct folder links = { .tree = f->tree, .fd = at, .error = f->error };

	tree_put_link(&links, name, "%s%s", up, target);
	f->error = links.error;
}

/* Nobody opens it: it is to be listed, as what it is if the file system lets us. */
static int put_character(int at, const char *name, mode_t mode)
{
	if (mknodat(at, name, S_IFCHR | mode, makedev(0, 0)) && errno != EEXIST)
		return mknodat(at, name, S_IFREG | mode, 0) && errno != EEXIST ? -errno : 0;
	return 0;
}

/* Two of a kind without serial number have one name, and the last one has it. */
static void put_serial_link(struct folder *f, const char *link, const char *name)
{
	char path[UEVENT_LINK_BYTES + 8];

	snprintf(path, sizeof(path), "dev/%s", link);
	tree_unlink_if_there(f->tree->root, path);
	put_at(f, f->tree->root, path, "../../", name);
}

static void remove_serial_link(struct tree *t, const char *link, const char *name)
{
	char path[UEVENT_LINK_BYTES + 8], target[64];
	ssize_t n;

	snprintf(path, sizeof(path), "dev/%s", link);
	n = readlinkat(t->root, path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (n > 6 && !strcmp(target + strlen("../../"), name))
		unlinkat(t->root, path, 0);
}

static void put_serial_links(struct folder *f, const struct uevent_device *event)
{
	char by_id[UEVENT_LINK_BYTES], by_path[UEVENT_LINK_BYTES];
	static const char *const folders[] = { "dev/serial", "dev/serial/by-id", "dev/serial/by-path" };
	int root = f->tree->root;

	for (size_t i = 0; !f->error && i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdirat(root, folders[i], 0755) && errno != EEXIST)
			f->error = -errno;
	uevent_links(event, by_id, by_path);
	put_serial_link(f, by_id, event->terminal);
	put_serial_link(f, by_path, event->terminal);
}

static void put_database(struct folder *f, const struct uevent_device *event)
{
	struct folder data = { .tree = f->tree, .fd = f->tree->udev, .replace = true, .error = f->error };
	char text[UEVENT_MAX_BYTES], name[24];
	int n = uevent_database(event, text, sizeof(text));

	snprintf(name, sizeof(name), "c%u:%u", ACM_TTY_MAJOR, event->minor);
	if (n < 0)
		data.error = data.error ? data.error : n;
	else
		tree_put_bytes(&data, name, text, (size_t)n);
	f->error = data.error;
}

static int hide(struct tree *t, const struct terminal_entry *e)
{
	char by_id[UEVENT_LINK_BYTES], by_path[UEVENT_LINK_BYTES], path[160];
	struct uevent_device event;
	int error, r;

	event_of(t, e, &event);
	uevent_links(&event, by_id, by_path);
	remove_serial_link(t, by_id, e->name);
	remove_serial_link(t, by_path, e->name);
	/* As long as there are others these are not empty. */
	unlinkat(t->root, "dev/serial/by-id", AT_REMOVEDIR);
	unlinkat(t->root, "dev/serial/by-path", AT_REMOVEDIR);
	unlinkat(t->root, "dev/serial", AT_REMOVEDIR);
	snprintf(path, sizeof(path), "dev/%s", e->name);
	error = tree_unlink_if_there(t->root, path);
	snprintf(path, sizeof(path), "c%u:%u", ACM_TTY_MAJOR, event.minor);
	r = tree_unlink_if_there(t->udev, path);
	error = error ? error : r;
	r = tree_unlink_if_there(t->chars, path + 1);
	error = error ? error : r;
	snprintf(path, sizeof(path), "class/tty/%s", e->name);
	r = tree_unlink_if_there(t->sys, path);
	error = error ? error : r;
	snprintf(path, sizeof(path), "%s", e->path + 1);
	*strrchr(path, '/') = '\0'; /* the folder tty/, whose only one it is */
	r = tree_discard(t, t->sys, path);
	return error ? error : r;
}

/* Attributes of what is behind a tty_device; the kernel has more of them for a serial port of its own. */
static void put_attributes(struct folder *f, const struct device *d, const struct uevent_device *event,
			   const char *interface)
{
	tree_put(f, "dev", "%u:%u\n", ACM_TTY_MAJOR, event->minor);
	tree_put_uevent(f, event);
	tree_put_link(f, "device", "../../../%s", interface);
	tree_put_up(f, "subsystem", d->depth + 3, "class/tty");
}

static int show(struct tree *t, const struct terminal_entry *e)
{
	struct device *d = tree_find(t, e->number);
	struct interface *i = tree_find_interface(d, e->interface);
	struct folder f = { .tree = t, .fd = t->sys }, tty, own;
	struct uevent_device event;
	char aside[16], name[24], path[160];

	event_of(t, e, &event);
	tty = tree_aside_folder(&f, aside);
	own = tree_subfolder(&tty, e->name);
	put_attributes(&own, d, &event, i->name);
	tree_close_subfolder(&tty, &own);
	snprintf(path, sizeof(path), "%s/tty", i->path + 1);
	tree_show_aside(&f, &tty, aside, t->sys, path);
	if (f.error)
		return f.error;
	put_database(&f, &event);
	snprintf(path, sizeof(path), "dev/%s", e->name);
	if (!f.error)
		f.error = put_character(t->root, path, 0660);
	put_serial_links(&f, &event);
	snprintf(name, sizeof(name), "%u:%u", ACM_TTY_MAJOR, event.minor);
	put_at(&f, t->chars, name, "../..", e->path);
	snprintf(path, sizeof(path), "class/tty/%s", e->name);
	put_at(&f, t->sys, path, "../..", e->path);
	if (f.error)
		hide(t, e);
	return f.error;
}

int tree_terminals_show(struct tree *t)
{
	int error = 0;

	for (unsigned i = 0; !error && i < TREE_TERMINALS; i++)
		if (t->terminals[i].number)
			error = show(t, &t->terminals[i]);
	return error;
}

int tree_add_terminal(struct tree *t, unsigned minor, unsigned number, uint8_t interface)
{
	struct device *d = tree_find(t, number);
	struct interface *i = d ? tree_find_interface(d, interface) : NULL;
	struct terminal_entry *e;
	char path[sizeof(e->path)];
	int error;

	if (!d)
		return -ENODEV;
	if (!i || minor >= TREE_TERMINALS)
		return -EINVAL;
	e = &t->terminals[minor];
	if (e->number)
		return -EEXIST;
	*e = (struct terminal_entry){ .number = number, .interface = interface, .initialized_us = tree_now_us() };
	snprintf(e->name, sizeof(e->name), "%s%u", own_prefix, minor);
	snprintf(path, sizeof(path), "%s/tty/%s%u", i->path, own_prefix, minor);
	strcpy(e->path, path);
	error = t->shown ? show(t, e) : 0;
	if (error)
		e->number = 0;
	return error;
}

int tree_remove_terminal(struct tree *t, unsigned minor)
{
	struct terminal_entry *e = minor < TREE_TERMINALS ? &t->terminals[minor] : NULL;
	int error;

	if (!e || !e->number)
		return -ENODEV;
	error = t->shown ? hide(t, e) : 0;
	e->number = 0;
	return error;
}

/* --- the machine's --- */

static bool is_ours(const char *name)
{
	return name[0] == '.' || !strncmp(name, own_prefix, strlen(own_prefix)) || !strcmp(name, "bus") ||
	       !strcmp(name, "serial");
}

static int put_machines(int to, int from, const char *folder, const char *name)
{
	char text[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0; /* gone meanwhile */
	if (S_ISCHR(st.st_mode) || S_ISREG(st.st_mode))
		return put_character(to, name, 0600);
	if (S_ISDIR(st.st_mode))
		return mkdirat(to, name, 0755) && errno != EEXIST ? -errno : 0;
	if (S_ISLNK(st.st_mode)) {
		n = readlinkat(from, name, text, sizeof(text) - 1);
		if (n <= 0)
			return 0;
		text[n] = '\0';
	} else {
		snprintf(text, sizeof(text), "%s/%.255s", folder, name);
	}
	return symlinkat(text, to, name) && errno != EEXIST ? -errno : 0;
}

int tree_merge(struct tree *t, const char *folder)
{
	bool *merged = strcmp(folder, "/dev") ? &t->merged_class : &t->merged_dev;
	DIR *real = *merged ? NULL : opendir(folder);
	struct dirent *entry;
	int to, error = 0;

	if (*merged || !real)
		return *merged || errno == ENOENT || errno == EACCES ? 0 : -errno;
	to = tree_open_folder(t->root, folder + 1);
	if (to < 0)
		error = -errno;
	while (!error && (entry = readdir(real)))
		if (!is_ours(entry->d_name))
			error = put_machines(to, dirfd(real), folder, entry->d_name);
	if (to >= 0)
		close(to);
	closedir(real);
	*merged = !error;
	return error;
}
