/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML file as a tree whose every node knows its line and column, and reading its mappings by a schema (value.h). libfyaml reads;
 * the tree is ours. One document a file. Anchors and merge keys (`<<`) work; tags do not. A file above 1 MiB, with more than
 * YAML_NODES values or nested deeper than YAML_DEPTH, aliases unfolded, is refused.
 */
#ifndef DFUBENCH_YAML_H
#define DFUBENCH_YAML_H

#include "value.h"

#define YAML_BYTES (1u << 20)
#define YAML_NODES 20000u
#define YAML_DEPTH 32u

struct yaml;

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAPPING };

/* All the tree's. */
struct yaml_node {
	enum yaml_kind kind;
	bool plain;              /* a scalar without quotes and no block */
	unsigned line, column;   /* from 1, in characters */
	const char *text;        /* of a scalar, NUL-terminated, without other NULs */
	size_t count;            /* of items */
	struct yaml_node **keys; /* of a mapping: scalars, each of them once */
	struct yaml_node **items;
	unsigned weight, height; /* values in it and levels of it, aliases unfolded, itself included */
};

/* NULL with problems told: unreadable, not YAML, several documents, empty. */
struct yaml *yaml_open(const char *path, struct problems *);
/* The same from memory; name stands for the path. */
struct yaml *yaml_parse(const char *name, const char *text, size_t length, struct problems *);
void yaml_close(struct yaml *); /* marks stay valid no longer than this; NULL is fine */

const char *yaml_path(const struct yaml *);
struct yaml_node *yaml_root(struct yaml *);
struct mark yaml_mark(struct yaml *, const struct yaml_node *);
const char *yaml_line(struct yaml *, unsigned line); /* text of a line, "" outside; valid until the next call */
/* The mark of a character in a scalar (from 1), where it can be told: not in blocks and not behind escapes. */
struct mark yaml_mark_in(struct yaml *, const struct yaml_node *, size_t column);
/* From the mark of a scalar of several lines to that of the first character of its text, if it is a literal block: its lines are then
 * those of the file, and indented alike. False: it is none. */
bool yaml_mark_block(struct yaml *, const char *text, struct mark *);
/* An empty plain scalar, ~ or null: nothing was written. */
bool yaml_is_null(const struct yaml_node *);
/* The value of a key, NULL if the node is no mapping that has it. */
struct yaml_node *yaml_get(const struct yaml_node *, const char *key);
/* Problems without an excerpt take their lines from this file; yaml_close() needs problems_lines(p, NULL, NULL) first. */
void yaml_lend_lines(struct yaml *, struct problems *);

/* --- schema.c --- */

/* Put a value in the place of each ${name} (NULL: leave as is). */
struct yaml_values {
	const char *(*find)(void *context, const char *name); /* NULL: there is none, and that is a problem */
	void *context;
	const char *const *names; /* for suggestions, NULL ends; NULL: none */
};

/* Reads a mapping. what names it in messages ("step 'download'"). Unknown, doubled, missing keys and wrong values are all told;
 * the object is there all the same as far as it could be read, NULL only on ENOMEM. */
struct object *yaml_object(struct yaml *, struct yaml_node *, const struct field *, const char *what,
			   const struct yaml_values *, struct problems *);
/* The same; a node that is no mapping stands for the field of that name (NULL: there is none, and that is a problem). */
struct object *yaml_object_or(struct yaml *, struct yaml_node *, const struct field *, const char *scalar,
			      const char *what, const struct yaml_values *, struct problems *);
/* Reads one value that stands by itself, as a field would. 0; -EINVAL after a problem; -ENOMEM. */
int yaml_value(struct yaml *, struct yaml_node *, const struct field *, const char *what, const struct yaml_values *,
	       struct value *, struct problems *);
/* An object without any value given, for a verb that stands alone; missing keys are told. */
struct object *yaml_object_empty(struct yaml *, struct mark, const struct field *, const char *what, struct problems *);

/* --- scalar.c --- */

/* Reads the text of a value (v->text) as its field says and sets the other members. 0; -EINVAL with what was expected in why[],
 * and in *column (from 1, 0: all of it) where in the text; -ENOMEM. */
#define SCALAR_WHY 700
int scalar_read(const struct field *, struct value *v, size_t *column, char why[SCALAR_WHY]);

#endif
