// SPDX-License-Identifier: GPL-2.0-or-later
/* Boards as they were at one moment, for verdicts on what has changed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "play_internal.h"

static void snapshot_free(struct snapshot *s)
{
	for (unsigned i = 0; s->board && i < s->boards; i++)
		free(s->board[i].flash);
	free(s->board);
	free(s->name);
	free(s);
}

void snapshots_free(struct snapshot *s)
{
	while (s) {
		struct snapshot *next = s->next;

		snapshot_free(s);
		s = next;
	}
}

/* 0 or -errno. A board that would be disturbed by it, or does not let anybody look, is not looked at. */
static int look(struct rig *rig, unsigned number, struct snapshot_board *b)
{
	const struct mcu_profile *profile = rig->ops->profile(rig, number);
	int r;

	b->flash = profile ? malloc(profile->flash_size_bytes) : NULL;
	if (!b->flash)
		return profile ? -ENOMEM : -ENOENT;
	r = rig->ops->look(rig, number);
	if (!r)
		r = rig->ops->flash_read(rig, number, profile->flash_base, b->flash, profile->flash_size_bytes);
	if (r) {
		free(b->flash);
		b->flash = NULL;
	}
	if (r == -EAGAIN)
		return 0;
	return r && r != -EACCES ? r : rig->ops->options_read(rig, number, b->options);
}

const struct snapshot *snapshot_take(struct play *play, const char *name)
{
	struct rig *rig = play->rig;
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->name = strdup(name);
	while (rig->ops->profile(rig, s->boards + 1))
		s->boards++;
	s->board = calloc(s->boards + 1, sizeof(*s->board));
	if (!s->name || !s->board) {
		snapshot_free(s);
		return NULL;
	}
	s->at_us = rig->ops->now_us(rig);
	if (rig->ops->can & RIG_EVENTS)
		rig->ops->events(rig, &s->events);
	if (rig->ops->can & RIG_TRANSCRIPT)
		s->exchanges = rig->ops->transcript(rig)->count;
	for (unsigned i = 0; i < s->boards && (rig->ops->can & RIG_READ); i++) {
		int r = look(rig, i + 1, &s->board[i]);

		if (!r)
			continue;
		play_error(play, "the flash of board %u cannot be read: %s", i + 1, play_reason(play, r));
		snapshot_free(s);
		return NULL;
	}
	s->behind = rig->ops->can & RIG_TRANSCRIPT ? rig->ops->transcript(rig)->count : 0;
	s->next = play->state->snapshots;
	play->state->snapshots = s;
	return s;
}

const struct snapshot *snapshot_find(const struct play *play, const char *name)
{
	for (const struct snapshot *s = play->state->snapshots; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}
