/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that read YAML share. Not for their users: see yaml.h. */
#ifndef DFUBENCH_YAML_INTERNAL_H
#define DFUBENCH_YAML_INTERNAL_H

#include "yaml.h"

struct chunk;
struct anchor;

/* A collection whose end is not there yet. */
struct level {
	struct yaml_node *node, *key;
	struct anchor *anchor;
	size_t room;
};

struct yaml {
	char *path, *text;
	size_t length;
	size_t *lines; /* where each begins; one more at the end */
	unsigned line_count;
	char *excerpt;
	struct yaml_node *root;
	struct chunk *chunks; /* of memory */
	struct anchor *anchors;
	/* while it is read */
	struct problems *problems;
	struct level levels[YAML_DEPTH];
	unsigned depth;
	unsigned items; /* pairs and items, merged ones included */
	unsigned documents;
	size_t last; /* where the last event ended */
	bool failed; /* a problem after which reading on makes no sense */
};

/* Memory of the tree's, zeroed. NULL on ENOMEM. */
void *yaml_take(struct yaml *, size_t size);
void yaml_free_tree(struct yaml *);
/* By position in bytes. */
struct mark yaml_mark_at(struct yaml *, size_t position);
/* A problem after which reading on makes no sense. */
void yaml_fail(struct yaml *, struct mark, const char *text);
int yaml_no_memory(struct yaml *);
/* From the text to the root. */
void yaml_build(struct yaml *);

#endif
