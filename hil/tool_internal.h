/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of tool adapters share. Not for their users: see tool.h. */
#ifndef DFUBENCH_TOOL_INTERNAL_H
#define DFUBENCH_TOOL_INTERNAL_H

#include "tool.h"

struct tool_state {
	char **environment;
	char **paths; /* "NAME=PATH" of --tool-path, NULL ends; or NULL */
	char *lack;   /* what tool_lacks() said last */
	char *here;   /* folder of the adapter */
};

/* ${name} or ${name:otherwise} in a text, all of it pointers into that. */
struct placeholder {
	const char *begin, *end, *name, *otherwise; /* otherwise: NULL without */
	size_t length, otherwise_length;
};

extern const char *const tool_flags[], *const tool_values[]; /* NULL ends */

/* The next one of *text, which goes on behind it. */
bool tool_placeholder(const char **text, struct placeholder *);
bool placeholder_is(const struct placeholder *, const char *name);
/* An entry of a map at the top; NULL: there is none. */
const struct value *tool_entry(const struct tool *, const char *map, const char *key);
bool tool_mentions(const struct tool *, enum operation, const char *name);

#endif
