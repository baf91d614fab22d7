/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A view of a few bytes of a file, a pipe or memory that moves forward: what has been passed is forgotten. */
#ifndef DFUBENCH_WINDOW_H
#define DFUBENCH_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window {
	int fd; /* -1: memory alone */
	const uint8_t *data;
	uint8_t *own; /* data, if it was read from fd */
	size_t at, have, room;
	uint64_t base; /* offset of data[0] in the file */
	bool ended;
	int error; /* errno of read(); ended then too */
	bool no_memory;
};

void window_from_fd(struct window *, int fd);
void window_from_memory(struct window *, const uint8_t *data, size_t length);
void window_free(struct window *); /* the member, not the struct */

/* At least `want` bytes from where it stands, if there are so many; *have is how many, and may be more. Valid until the next
 * call. NULL with *have 0: the end, or no memory. */
const uint8_t *window_peek(struct window *, size_t want, size_t *have);
void window_skip(struct window *, size_t bytes); /* at most as many as there were at the last peek */
uint64_t window_offset(const struct window *);

#endif
