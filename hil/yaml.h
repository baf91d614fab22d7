/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML file as a tree whose every node knows its line and column (libfyaml), and reading its mappings by a schema (value.h). One
 * document a file. Anchors and merge keys work; a file above 1 MiB or nested deeper than 32 is refused.
 */
#ifndef DFUBENCH_YAML_H
#define DFUBENCH_YAML_H

#include "value.h"

struct yaml;
struct fy_node;

/* NULL with a problem told: unreadable, not YAML, several documents. */
struct yaml *yaml_open(const char *path, struct problems *);
/* The same from memory; name stands for the path. */
struct yaml *yaml_parse(const char *name, const char *text, size_t length, struct problems *);
void yaml_close(struct yaml *); /* marks stay valid no longer than this; NULL is fine */

const char *yaml_path(const struct yaml *);
struct fy_node *yaml_root(struct yaml *);
struct mark yaml_mark(struct yaml *, struct fy_node *);
const char *yaml_line(struct yaml *, unsigned line); /* text of a line, "" outside; valid until the next call */

/* Put a value in the place of each ${name} (NULL: leave as is). */
struct yaml_values {
	const char *(*find)(void *context, const char *name); /* NULL: there is none, and that is a problem */
	void *context;
};

/* Reads a mapping. what names it in messages ("step 'download'"). Unknown, doubled, missing keys and wrong values are all told;
 * the object is there all the same as far as it could be read, NULL only on ENOMEM. */
struct object *yaml_object(struct yaml *, struct fy_node *, const struct field *, const char *what,
			   const struct yaml_values *, struct problems *);
/* Reads one value that stands by itself, as a field would. */
int yaml_value(struct yaml *, struct fy_node *, const struct field *, const char *what, const struct yaml_values *,
	       struct value *, struct problems *);

#endif
