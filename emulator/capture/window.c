/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading ahead, as far as somebody asks. */
#include "window.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES ((size_t)256 * 1024)

void window_from_fd(struct window *w, int fd)
{
	*w = (struct window){ .fd = fd };
}

void window_from_memory(struct window *w, const uint8_t *data, size_t length)
{
	*w = (struct window){ .fd = -1, .data = data, .have = length, .ended = true };
}

void window_free(struct window *w)
{
	free(w->own);
	w->own = NULL;
}

/* Room for `want` bytes from at on, with at moved to the beginning. */
static bool make_room(struct window *w, size_t want)
{
	size_t room = want > CHUNK_BYTES ? want : CHUNK_BYTES;
	uint8_t *own = w->own;

	if (w->at) {
		w->base += w->at;
		w->have -= w->at;
		memmove(own, own + w->at, w->have);
		w->at = 0;
	}
	if (room <= w->room)
		return true;
	own = realloc(w->own, room);
	if (!own) {
		w->no_memory = true;
		return false;
	}
	w->own = own;
	w->data = own;
	w->room = room;
	return true;
}

static void fill(struct window *w, size_t want)
{
	if (w->ended || !make_room(w, want))
		return;
	while (!w->ended && w->have < want) {
		ssize_t n = read(w->fd, w->own + w->have, w->room - w->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			w->error = errno;
		w->ended = n <= 0;
		w->have += n > 0 ? (size_t)n : 0;
	}
}

const uint8_t *window_peek(struct window *w, size_t want, size_t *have)
{
	if (w->have - w->at < want)
		fill(w, want);
	*have = w->no_memory ? 0 : w->have - w->at;
	return *have ? w->data + w->at : NULL;
}

void window_skip(struct window *w, size_t bytes)
{
	w->at += bytes;
}

uint64_t window_offset(const struct window *w)
{
	return w->base + w->at;
}
