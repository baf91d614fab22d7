// SPDX-License-Identifier: GPL-2.0-or-later
/* libfyaml's events to a tree: what aliases and merge keys come to is counted before anybody walks through it. */
#include <errno.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>
#include "yaml_internal.h"

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

struct anchor {
	struct anchor *next;
	char *name;
	struct yaml_node *node;
	bool open; /* the end of what it names is not there yet */
};

void *yaml_take(struct yaml *y, size_t size)
{
	struct chunk *c = calloc(1, sizeof(*c) + size);

	if (!c)
		return NULL;
	c->next = y->chunks;
	y->chunks = c;
	return c->data;
}

static const char *keep(struct yaml *y, const char *text, size_t length)
{
	char *copy = yaml_take(y, length + 1);

	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

void yaml_free_tree(struct yaml *y)
{
	struct chunk *next;

	for (struct chunk *c = y->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
}

static bool append(struct yaml *y, struct level *l, struct yaml_node *key, struct yaml_node *item)
{
	struct yaml_node *n = l->node;

	if (n->count == l->room) {
		size_t room = l->room ? 2 * l->room : 4;
		struct yaml_node **items = yaml_take(y, room * sizeof(struct yaml_node *));
		struct yaml_node **keys = n->kind == YAML_MAPPING ? yaml_take(y, room * sizeof(struct yaml_node *))
								  : NULL;

		if (!items || (n->kind == YAML_MAPPING && !keys)) {
			yaml_no_memory(y);
			return false;
		}
		if (n->count) {
			memcpy(items, n->items, n->count * sizeof(*items));
			if (keys)
				memcpy(keys, n->keys, n->count * sizeof(*keys));
		}
		n->items = items;
		n->keys = keys;
		l->room = room;
	}
	if (++y->items > YAML_NODES) {
		yaml_fail(y, yaml_mark(y, key ? key : item), "more values than any such file needs");
		return false;
	}
	if (key)
		n->keys[n->count] = key;
	n->items[n->count++] = item;
	n->weight += item->weight;
	if (n->height <= item->height)
		n->height = item->height + 1;
	if (n->weight > YAML_NODES) {
		yaml_fail(y, yaml_mark(y, n), "more values in here, aliases unfolded, than any such file needs");
		return false;
	}
	if (n->height + y->depth - 1 > YAML_DEPTH) {
		yaml_fail(y, yaml_mark(y, n), "nested too deeply");
		return false;
	}
	return true;
}

static void add(struct yaml *y, struct yaml_node *item)
{
	struct level *l = y->depth ? &y->levels[y->depth - 1] : NULL;

	if (!l) {
		y->root = item;
		return;
	}
	if (l->node->kind == YAML_LIST) {
		append(y, l, NULL, item);
	} else if (l->key) {
		struct yaml_node *key = l->key;

		l->key = NULL;
		append(y, l, key, item);
	} else if (item->kind != YAML_SCALAR) {
		yaml_fail(y, yaml_mark(y, item), "a key is a word, not a list or a mapping");
	} else if (yaml_is_null(item)) {
		yaml_fail(y, yaml_mark(y, item), "a key is missing before the ':'");
	} else {
		l->key = item;
	}
}

static void merge_one(struct yaml *y, struct level *l, const struct yaml_node *key, const struct yaml_node *from)
{
	if (from->kind != YAML_MAPPING) {
		problems_add(y->problems, yaml_mark(y, key), yaml_line(y, key->line),
			     "'<<' takes a mapping, or a list of mappings");
		return;
	}
	for (size_t i = 0; i < from->count && !y->failed; i++)
		if (!yaml_get(l->node, from->keys[i]->text))
			append(y, l, from->keys[i], from->items[i]);
}

/* What is written stands before what is merged. */
static void merge(struct yaml *y, struct level *l)
{
	struct yaml_node *n = l->node;

	for (size_t i = 0; i < n->count && !y->failed; i++) {
		struct yaml_node *key = n->keys[i], *from = n->items[i];

		if (!key->plain || strcmp(key->text, "<<"))
			continue;
		memmove(&n->keys[i], &n->keys[i + 1], (n->count - i - 1) * sizeof(*n->keys));
		memmove(&n->items[i], &n->items[i + 1], (n->count - i - 1) * sizeof(*n->items));
		n->count--;
		i--;
		if (from->kind != YAML_LIST) {
			merge_one(y, l, key, from);
			continue;
		}
		for (size_t j = 0; j < from->count && !y->failed; j++)
			merge_one(y, l, key, from->items[j]);
	}
}

/* The first of its name stays. */
static void drop_doubles(struct yaml *y, struct yaml_node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->count; i++) {
		size_t j = 0;

		while (j < kept && strcmp(n->keys[j]->text, n->keys[i]->text))
			j++;
		if (j < kept) {
			problems_add(y->problems, yaml_mark(y, n->keys[i]), yaml_line(y, n->keys[i]->line),
				     "'%s' is given twice, first in line %u", n->keys[i]->text, n->keys[j]->line);
			continue;
		}
		n->keys[kept] = n->keys[i];
		n->items[kept++] = n->items[i];
	}
	n->count = kept;
}

static struct yaml_node *node_new(struct yaml *y, enum yaml_kind kind, const struct fy_mark *at)
{
	struct yaml_node *n = yaml_take(y, sizeof(*n));
	struct mark mark = yaml_mark_at(y, at ? at->input_pos : 0);

	if (!n) {
		yaml_no_memory(y);
		return NULL;
	}
	n->kind = kind;
	n->line = mark.line;
	n->column = mark.column;
	n->text = "";
	n->weight = n->height = 1;
	return n;
}

static struct anchor *anchor_new(struct yaml *y, struct fy_token *token, struct yaml_node *node)
{
	size_t length = 0;
	const char *name = token ? fy_token_get_text(token, &length) : NULL;
	struct anchor *a;

	if (!name)
		return NULL;
	a = yaml_take(y, sizeof(*a));
	if (!a || !(a->name = (char *)keep(y, name, length))) {
		yaml_no_memory(y);
		return NULL;
	}
	a->node = node;
	a->next = y->anchors;
	y->anchors = a;
	return a;
}

static void alias(struct yaml *y, struct fy_token *token)
{
	const struct fy_mark *at = fy_token_start_mark(token);
	struct mark mark = yaml_mark_at(y, at ? at->input_pos : 0);
	size_t length = 0;
	const char *name = fy_token_get_text(token, &length);

	for (struct anchor *a = y->anchors; a && name; a = a->next) {
		if (strlen(a->name) != length || memcmp(a->name, name, length))
			continue;
		if (a->open)
			yaml_fail(y, mark, "an alias inside of what it stands for");
		else
			add(y, a->node);
		return;
	}
	problems_add(y->problems, mark, yaml_line(y, mark.line), "there is no anchor '&%.*s' before this", (int)length,
		     name ? name : "");
	y->failed = true;
}

static void no_tag(struct yaml *y, struct fy_token *token)
{
	const struct fy_mark *at = token ? fy_token_start_mark(token) : NULL;
	struct mark mark;

	if (!token)
		return;
	mark = yaml_mark_at(y, at ? at->input_pos : 0);
	problems_add(y->problems, mark, yaml_line(y, mark.line), "tags mean nothing here: leave it out");
}

/* What is not there has no place of its own: it is where its key is, or the '-' before it. */
static void place_nothing(struct yaml *y, struct yaml_node *n)
{
	const struct level *l = y->depth ? &y->levels[y->depth - 1] : NULL;
	size_t at = y->last + strspn(y->text + y->last, " \t\r\n,");
	struct mark mark = yaml_mark_at(y, y->text[at] == '-' || y->text[at] == ':' ? at : y->last);

	n->line = l && l->key ? l->key->line : mark.line;
	n->column = l && l->key ? l->key->column : mark.column;
}

static void scalar(struct yaml *y, struct fy_event *e)
{
	struct yaml_node *n = node_new(y, YAML_SCALAR, fy_event_start_mark(e));
	size_t length = 0;
	const char *text = fy_token_get_text(e->scalar.value, &length);

	if (!n)
		return;
	no_tag(y, e->scalar.tag);
	n->plain = !e->scalar.value || fy_token_scalar_style(e->scalar.value) == FYSS_PLAIN;
	if (n->plain && !length)
		place_nothing(y, n);
	if (text && memchr(text, 0, length)) {
		yaml_fail(y, yaml_mark(y, n), "a text cannot have the character NUL");
		return;
	}
	n->text = keep(y, text ? text : "", text ? length : 0);
	if (!n->text) {
		yaml_no_memory(y);
		return;
	}
	anchor_new(y, e->scalar.anchor, n);
	add(y, n);
}

static void begin(struct yaml *y, enum yaml_kind kind, struct fy_event *e, struct fy_token *anchor,
		  struct fy_token *tag)
{
	struct yaml_node *n = node_new(y, kind, fy_event_start_mark(e));
	struct level *l = &y->levels[y->depth];

	if (!n)
		return;
	no_tag(y, tag);
	if (y->depth == YAML_DEPTH) {
		yaml_fail(y, yaml_mark(y, n), "nested too deeply");
		return;
	}
	*l = (struct level){ .node = n, .anchor = anchor_new(y, anchor, n) };
	if (l->anchor)
		l->anchor->open = true;
	y->depth++;
}

static void end(struct yaml *y)
{
	struct level *l = &y->levels[y->depth - 1];

	if (l->node->kind == YAML_MAPPING) {
		drop_doubles(y, l->node);
		merge(y, l);
	}
	if (l->anchor)
		l->anchor->open = false;
	y->depth--;
	if (!y->failed)
		add(y, l->node);
}

static void event(struct yaml *y, struct fy_event *e)
{
	const struct fy_mark *at;

	switch (e->type) {
	case FYET_DOCUMENT_START:
		at = fy_event_start_mark(e);
		if (y->documents++)
			yaml_fail(y, yaml_mark_at(y, at ? at->input_pos : 0),
				  "a second document begins here: one file has one");
		break;
	case FYET_SCALAR:
		scalar(y, e);
		break;
	case FYET_ALIAS:
		alias(y, e->alias.anchor);
		break;
	case FYET_SEQUENCE_START:
		begin(y, YAML_LIST, e, e->sequence_start.anchor, e->sequence_start.tag);
		break;
	case FYET_MAPPING_START:
		begin(y, YAML_MAPPING, e, e->mapping_start.anchor, e->mapping_start.tag);
		break;
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		end(y);
		break;
	default:
		break;
	}
}
/* YAML wants blanks; what libfyaml says of tabs names another cause. */
static bool told_of_tabs(struct yaml *y, unsigned last)
{
	for (unsigned line = 1; line <= last && line <= y->line_count; line++) {
		const char *s = y->text + y->lines[line - 1];
		size_t blanks = strspn(s, " ");

		if (s[blanks] == '\t') {
			yaml_fail(y, yaml_mark_at(y, y->lines[line - 1] + blanks),
				  "a tab in the indentation: YAML takes blanks alone");
			return true;
		}
	}
	return false;
}

/* The '[' or '{' that is still open where reading ended; NULL: there is none. */
static const struct yaml_node *open_flow(const struct yaml *y)
{
	for (unsigned i = y->depth; i-- > 0;) {
		const struct yaml_node *n = y->levels[i].node;
		const char *s = y->text + y->lines[n->line - 1];

		for (unsigned column = 1; column < n->column && *s; s++)
			column += ((unsigned char)s[1] & 0xc0) != 0x80;
		if (*s == '[' || *s == '{')
			return n;
	}
	return NULL;
}

static void quiet(struct fy_diag *diag, void *user, const char *text, size_t length)
{
	(void)diag, (void)user, (void)text, (void)length;
}

static void syntax_errors(struct yaml *y, struct fy_diag *diag)
{
	const struct yaml_node *flow = open_flow(y);
	struct fy_diag_error *error;
	void *iterator = NULL;
	bool any = false;

	while ((error = fy_diag_errors_iterate(diag, &iterator))) {
		struct mark mark = { .file = y->path };
		const char *text = error->msg ? error->msg : "no YAML";

		if (error->line > 0) {
			mark.line = (unsigned)error->line;
			mark.column = error->column > 0 ? (unsigned)error->column : 1;
			if (mark.line > y->line_count)
				mark = yaml_mark_at(y, y->length);
		}
		if (!any && told_of_tabs(y, mark.line))
			return;
		any = true;
		if (flow)
			problems_add(y->problems, mark, yaml_line(y, mark.line), "YAML: %.*s, in the '%c' of line %u",
				     (int)strcspn(text, "\n"), text, flow->kind == YAML_LIST ? '[' : '{', flow->line);
		else
			problems_add(y->problems, mark, yaml_line(y, mark.line), "YAML: %.*s", (int)strcspn(text, "\n"),
				     text);
	}
	if (!any)
		problems_add(y->problems, (struct mark){ .file = y->path }, NULL, "no YAML");
	y->failed = true;
}

void yaml_build(struct yaml *y)
{
	struct fy_diag_cfg diag_cfg = { .output_fn = quiet, .level = FYET_ERROR, .module_mask = (1u << FYEM_MAX) - 1 };
	struct fy_diag *diag = fy_diag_create(&diag_cfg);
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_ALLOW_DUPLICATE_KEYS,
				    .diag = diag };
	struct fy_parser *parser;
	struct fy_event *e;

	if (!diag) {
		yaml_no_memory(y);
		return;
	}
	fy_diag_set_collect_errors(diag, true);
	parser = fy_parser_create(&cfg);
	if (!parser || fy_parser_set_string(parser, y->text, y->length)) {
		yaml_no_memory(y);
		goto out;
	}
	while (!y->failed && (e = fy_parser_parse(parser))) {
		const struct fy_mark *stop;

		event(y, e);
		stop = fy_event_end_mark(e);
		if (stop && stop->input_pos <= y->length)
			y->last = stop->input_pos;
		fy_parser_event_free(parser, e);
	}
	if (!y->failed && (fy_parser_get_stream_error(parser) || fy_diag_got_error(diag)))
		syntax_errors(y, diag);
out:
	if (parser)
		fy_parser_destroy(parser);
	fy_diag_destroy(diag);
}
