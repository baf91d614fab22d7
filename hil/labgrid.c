// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Acquiring and releasing places. To labgrid it is the user on a host who has a place, not a process: that this process has
 * it, and an earlier one has left it, is what a lock beside says.
 */
#include "labgrid.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "board_lock.h"
#include "wire_driver.h"
#include "wire_labgrid.h"
#include "wire_process.h"

struct place {
	const char *name, *coordinator; /* coordinator: NULL: labgrid-client's own choice */
	uint64_t limit_us;
	struct board_lock *lock;
};

struct labgrid {
	struct place had[LABGRID_PLACES];
	unsigned count;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* HOST/USER, by which labgrid-client goes. */
static void own_name(char *text, size_t size)
{
	static const char *const users[] = { "LOGNAME", "USER", "LNAME", "USERNAME" };
	const char *host = getenv("LG_HOSTNAME"), *user = getenv("LG_USERNAME");
	struct passwd *entry;
	char name[256] = "";

	if (!host && !gethostname(name, sizeof(name) - 1))
		host = name;
	for (unsigned i = 0; !user && i < sizeof(users) / sizeof(*users); i++)
		if (*or_empty(getenv(users[i])))
			user = getenv(users[i]);
	if (!user && (entry = getpwuid(getuid())))
		user = entry->pw_name;
	snprintf(text, size, "%s/%s", or_empty(host), or_empty(user));
}

static bool has(const struct labgrid *l, const char *place, const char *coordinator)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!strcmp(l->had[i].name, place) && !strcmp(or_empty(l->had[i].coordinator), or_empty(coordinator)))
			return true;
	return false;
}

static int ask(const struct place *p, const char *word, const char *more, struct wire_said *out, char why[WIRES_WHY])
{
	char *const words[] = { (char *)word, (char *)more, NULL };

	return labgrid_client(p->name, p->coordinator, words, p->limit_us, out, why);
}

static bool ours_already(const struct place *p, const char *reason)
{
	char text[200];

	snprintf(text, sizeof(text), "already acquired place %.100s.", p->name);
	return strstr(reason, text);
}

static int acquire_place(const struct place *p, bool left, char reason[WIRES_WHY])
{
	int r = 0;

	/* Who loses a race hears no more than that somebody has it: who that is, the second time. */
	for (int i = 0; i < 2; i++) {
		struct wire_said said;
		char *name;

		r = ask(p, "acquire", NULL, &said, reason);
		if (r && strstr(reason, "already acquired") && !strstr(reason, " by ") && !strstr(reason, "You have"))
			continue;
		if (r)
			break;
		/* Anything that contains the name will do for it. A reservation's token stands for a name. */
		name = strstr(said.text, "acquired place ");
		if (*p->name == '+' || !name)
			return 0;
		name += strlen("acquired place ");
		name[strcspn(name, "\n")] = 0;
		if (!strcmp(name, p->name))
			return 0;
		ask(p, "release", NULL, NULL, reason);
		snprintf(reason, WIRES_WHY, "there is none of that name; is '%.60s' meant?", name);
		return -ENOENT;
	}
	if (ours_already(p, reason)) {
		if (left)
			return 0;
		snprintf(reason, WIRES_WHY,
			 "you have acquired it on this host, outside dfuhil, which acquires and releases by itself "
			 "(labgrid-client -p %.60s release)",
			 p->name);
		return -EBUSY;
	}
	/* It says so in words, and ends with the same status for all that goes wrong. */
	return strstr(reason, "already acquired") ? -EBUSY : r;
}

static int acquire(struct labgrid *l, const char *name, const char *coordinator, uint64_t limit_us, char why[WIRES_WHY])
{
	struct place p = { .name = name, .coordinator = coordinator, .limit_us = limit_us };
	char reason[WIRES_WHY], key[200];
	bool left = false;
	int r;

	if (!name || has(l, name, coordinator))
		return 0;
	snprintf(key, sizeof(key), "%.100s@%.90s", name, or_empty(coordinator));
	p.lock = board_lock_take_other("place", key, &left, &r, reason);
	if (p.lock)
		r = acquire_place(&p, left, reason);
	if (!r) {
		l->had[l->count++] = p;
		return 0;
	}
	/* Still to be had, once labgrid answers again. */
	if (left && r != -EBUSY)
		board_lock_leave(p.lock);
	else
		board_lock_give(p.lock);
	snprintf(why, WIRES_WHY, "cannot acquire the labgrid place '%.60s': %.500s", name, reason);
	return r;
}

struct labgrid *labgrid_acquire(const struct board_rig *rig, int *error, char why[WIRES_WHY])
{
	struct labgrid *l = calloc(1, sizeof(*l));

	*error = -ENOMEM;
	if (!l) {
		snprintf(why, WIRES_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	*error = acquire(l, rig->place, rig->coordinator, rig->labgrid_us, why);
	for (unsigned i = 0; !*error && i < WIRES; i++)
		if (rig->wires[i])
			*error = acquire(l, rig->wires[i]->place, rig->wires[i]->coordinator, rig->wires[i]->limit_us,
					 why);
	if (!*error)
		return l;
	labgrid_release(l);
	return NULL;
}

/* From us alone: it may have been taken from us, and be another's now. */
static void release(struct place *p)
{
	char why[WIRES_WHY], self[600];

	own_name(self, sizeof(self));
	if (!ask(p, "release-from", self, NULL, why)) {
		board_lock_give(p->lock);
		return;
	}
	if (strstr(why, "is not acquired")) {
		fprintf(stderr, "dfuhil: the labgrid place '%s' had been released already, by somebody else\n",
			p->name);
		board_lock_give(p->lock);
		return;
	}
	fprintf(stderr, "dfuhil: cannot release the labgrid place '%s': %s\n", p->name, why);
	board_lock_leave(p->lock);
}

void labgrid_release(struct labgrid *l)
{
	if (!l)
		return;
	while (l->count)
		release(&l->had[--l->count]);
	free(l);
}
