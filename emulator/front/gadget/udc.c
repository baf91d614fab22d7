// SPDX-License-Identifier: GPL-2.0-or-later
/* USB device controllers of this machine. */
#include "udc.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 320 /* of names in a message */

struct udc_list {
	char text[LISTED]; /* quoted, with commas */
	char first[UDC_NAME];
	unsigned count;
	bool has_wanted;
};

static void add(struct udc_list *l, const char *name)
{
	size_t used = strlen(l->text);

	if (!l->count++)
		snprintf(l->first, sizeof(l->first), "%s", name);
	snprintf(l->text + used, sizeof(l->text) - used, "%s'%s'", used ? ", " : "", name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *folder, const char *wanted, struct udc_list *l)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, by_name);

	memset(l, 0, sizeof(*l));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (name[0] != '.' && strlen(name) < UDC_NAME) {
			add(l, name);
			if (wanted && !strcmp(name, wanted))
				l->has_wanted = true;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

int udc_attribute(const char *folder, const char *name, const char *file, char line[UDC_NAME])
{
	char path[PATH_MAX];
	FILE *f;
	int r = 0;

	line[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (!fgets(line, UDC_NAME, f)) {
		r = ferror(f) ? -EIO : 0;
		line[0] = '\0';
	}
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return r;
}

int udc_driver(const char *folder, const char *name, char driver[UDC_NAME])
{
	static const char key[] = "USB_UDC_NAME=";
	char path[PATH_MAX], line[UDC_NAME + sizeof(key)];
	int r = -ENOENT;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s/uevent", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (r && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, sizeof(key) - 1))
			continue;
		snprintf(driver, UDC_NAME, "%.*s", UDC_NAME - 1, line + sizeof(key) - 1);
		r = 0;
	}
	fclose(f);
	return r;
}

void udc_user(const char *folder, const char *name, char user[UDC_NAME])
{
	char function[UDC_NAME];

	user[0] = '\0';
	/* Of a configfs gadget it is the gadget's name. */
	if (!udc_attribute(folder, name, "function", function) && function[0])
		snprintf(user, UDC_NAME, "gadget '%.100s'", function);
}

bool udc_is_only_free(const char *folder, const char *name)
{
	char user[UDC_NAME];
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, by_name);
	bool only = true;

	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && strcmp(entries[i]->d_name, name)) {
			udc_user(folder, entries[i]->d_name, user);
			only = only && user[0];
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return only;
}

int udc_choose(const char *folder, const char *name, char chosen[UDC_NAME], char why[FRONT_WHY])
{
	char user[UDC_NAME];
	struct udc_list l;

	list(folder, name, &l);
	if (name && !l.has_wanted) {
		snprintf(why, FRONT_WHY, "no USB device controller '%.100s': %s%s", name,
			 l.count ? "there is " : "this machine has none", l.text);
		return -ENODEV;
	}
	if (!l.count) {
		snprintf(why, FRONT_WHY,
			 "this machine has no USB device controller (%.80s is empty); without the hardware, "
			 "'modprobe dummy_hcd' makes one that is wired to this machine itself",
			 folder);
		return -ENODEV;
	}
	if (!name && l.count > 1) {
		snprintf(why, FRONT_WHY, "there are %u USB device controllers: choose one with --udc: %s", l.count,
			 l.text);
		return -EINVAL;
	}
	snprintf(chosen, UDC_NAME, "%s", name ? name : l.first);
	udc_user(folder, chosen, user);
	if (user[0]) {
		snprintf(why, FRONT_WHY, "USB device controller '%.100s' is in use by %s", chosen, user);
		return -EBUSY;
	}
	return 0;
}
