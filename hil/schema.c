// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a tree by tables of fields: every mistake is told, and reading goes on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "yaml.h"

/* What all of the reading needs to know. */
struct reading {
	struct yaml *yaml;
	const struct yaml_values *values;
	struct problems *problems;
};

static int read_value(struct reading *, struct yaml_node *, const struct field *, const char *what, struct value *);

static int wrong(struct reading *r, const struct yaml_node *n, const char *what, const char *text)
{
	problems_add(r->problems, yaml_mark(r->yaml, n), yaml_line(r->yaml, n->line), "%s: %s", what, text);
	return -EINVAL;
}

static const char *kind_name(enum yaml_kind kind)
{
	return kind == YAML_LIST ? "a list" : kind == YAML_MAPPING ? "a mapping" : "a text";
}

static int wrong_kind(struct reading *r, const struct yaml_node *n, const char *what, const char *wanted)
{
	char text[160];

	snprintf(text, sizeof(text), "expected %s, not %s", wanted, yaml_is_null(n) ? "nothing" : kind_name(n->kind));
	return wrong(r, n, what, text);
}

/* --- named values --- */

static int unknown_name(struct reading *r, const struct yaml_node *n, const char *what, const char *name, size_t column)
{
	static const char *const none[] = { NULL };
	struct mark mark = yaml_mark_in(r->yaml, n, column);
	char text[200];

	snprintf(text, sizeof(text), "%.120s: there is no value named", what);
	problems_unknown(r->problems, mark, yaml_line(r->yaml, mark.line), text, name,
			 r->values->names ? r->values->names : none);
	return -EINVAL;
}

/* *out is the text with values put in, to be freed. 0, -EINVAL with a problem, -ENOMEM. */
static int put_values(struct reading *r, const struct yaml_node *n, const char *what, char **out)
{
	const char *s = n->text, *open;
	size_t size = 0;
	FILE *f;
	int result = 0;

	*out = NULL;
	if (!r->values || !strstr(s, "${")) {
		*out = strdup(s);
		return *out ? 0 : -ENOMEM;
	}
	f = open_memstream(out, &size);
	if (!f)
		return -ENOMEM;
	while (!result && (open = strstr(s, "${"))) {
		const char *end = strchr(open, '}'), *value;
		size_t column = (size_t)(open - n->text) + 1;
		char *name;

		fwrite(s, 1, (size_t)(open - s), f);
		if (!end) {
			struct mark mark = yaml_mark_in(r->yaml, n, column);

			problems_add(r->problems, mark, yaml_line(r->yaml, mark.line), "%s: '${' without '}'", what);
			result = -EINVAL;
			break;
		}
		name = strndup(open + 2, (size_t)(end - open) - 2);
		if (!name) {
			result = -ENOMEM;
			break;
		}
		value = r->values->find(r->values->context, name);
		if (value)
			fputs(value, f);
		else
			result = unknown_name(r, n, what, name, column + 2);
		free(name);
		s = end + 1;
	}
	fputs(s, f);
	if (fclose(f) && !result)
		result = -ENOMEM;
	if (result) {
		free(*out);
		*out = NULL;
	}
	return result;
}

/* --- values --- */

static void tell_why(struct reading *r, struct yaml_node *n, const char *what, const char *text, size_t column,
		     const char *why)
{
	/* Where values were put in, columns are no longer those of the file. */
	struct mark mark = column && !strcmp(text, n->text) ? yaml_mark_in(r->yaml, n, column) : yaml_mark(r->yaml, n);

	if (column)
		problems_add(r->problems, mark, yaml_line(r->yaml, mark.line), "%s: %s", what, why);
	else
		problems_add(r->problems, mark, yaml_line(r->yaml, mark.line), "%s: '%.200s': %s", what, text, why);
}

static bool is_scalar(const struct field *f)
{
	return f->type != FIELD_OBJECT && f->type != FIELD_MAP && f->type != FIELD_WORDS && f->type != FIELD_ANY;
}

/* What is wrong is left as if it were not given: without text. */
static int read_scalar(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	char why[SCALAR_WHY] = "";
	size_t column = 0;
	int result;

	if (n->kind != YAML_SCALAR)
		return wrong_kind(r, n, what, "one value");
	if (yaml_is_null(n))
		return wrong(r, n, what, "no value");
	result = put_values(r, n, what, &v->text);
	if (!result)
		result = scalar_read(f, v, &column, why);
	if (!result)
		return 0;
	if (why[0])
		tell_why(r, n, what, v->text, column, why);
	free(v->text);
	free(v->bytes);
	v->text = NULL;
	v->bytes = NULL;
	return result;
}

static int read_list(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	struct field one = *f;
	int result = 0;

	one.many = false;
	v->list = calloc(n->count ? n->count : 1, sizeof(*v->list));
	if (!v->list)
		return -ENOMEM;
	if (f->filled && !n->count)
		return wrong(r, n, what, "an empty list asks for nothing");
	for (size_t i = 0; i < n->count && result != -ENOMEM; i++) {
		struct value *item = &v->list[v->count++];
		int r2 = read_value(r, n->items[i], &one, what, item);

		if (is_scalar(f) && !item->text)
			v->count--;
		result = r2 ? r2 : result;
	}
	return result;
}

/* One value where there may be several: a list of it. */
static int read_single(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	struct field one = *f;

	int result;

	one.many = false;
	v->list = calloc(1, sizeof(*v->list));
	if (!v->list)
		return -ENOMEM;
	result = read_value(r, n, &one, what, v->list);
	v->count = !is_scalar(f) || v->list->text;
	return result;
}

static int read_words(struct reading *r, struct yaml_node *n, const char *what, struct value *v, bool outermost)
{
	static const struct field text = { .name = "word", .type = FIELD_TEXT };
	int result = 0;

	if (n->kind != YAML_LIST)
		return wrong_kind(r, n, what, "a list of words");
	v->list = calloc(n->count ? n->count : 1, sizeof(*v->list));
	if (!v->list)
		return -ENOMEM;
	for (size_t i = 0; i < n->count && result != -ENOMEM; i++) {
		struct value *word = &v->list[v->count++];
		struct yaml_node *item = n->items[i];
		int r2;

		word->given = true;
		word->mark = yaml_mark(r->yaml, item);
		if (item->kind == YAML_LIST && outermost)
			r2 = read_words(r, item, what, word, false);
		else if (item->kind == YAML_SCALAR)
			r2 = read_scalar(r, item, &text, what, word);
		else
			r2 = wrong_kind(r, item, what, outermost ? "a word or a list of words" : "a word");
		result = r2 ? r2 : result;
	}
	return result;
}

static int read_map(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	static const struct field text = { .name = "", .type = FIELD_TEXT };
	const struct field *one = !f->fields ? &text : !f->fields[0].name[0] ? f->fields : NULL;
	int result = 0;

	if (n->kind != YAML_MAPPING)
		return wrong_kind(r, n, what, "a mapping of names");
	v->list = calloc(n->count ? n->count : 1, sizeof(*v->list));
	if (!v->list)
		return -ENOMEM;
	for (size_t i = 0; i < n->count && result != -ENOMEM; i++) {
		struct value *entry = &v->list[v->count++];
		struct field object = {
			.name = f->name, .type = FIELD_OBJECT, .fields = f->fields, .scalar = f->scalar
		};
		char *label;
		int r2;

		entry->key = strdup(n->keys[i]->text);
		if (!entry->key || asprintf(&label, "'%.60s' of %s", entry->key, what) < 0)
			return -ENOMEM;
		r2 = read_value(r, n->items[i], one ? one : &object, label, entry);
		entry->mark = yaml_mark(r->yaml, n->keys[i]);
		free(label);
		result = r2 ? r2 : result;
	}
	return result;
}

static int read_object(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	size_t before = problems_count(r->problems);

	v->object = yaml_object_or(r->yaml, n, f->fields, f->scalar, what, r->values, r->problems);
	return !v->object ? -ENOMEM : problems_count(r->problems) > before ? -EINVAL : 0;
}

static int read_value(struct reading *r, struct yaml_node *n, const struct field *f, const char *what, struct value *v)
{
	v->given = true;
	v->mark = yaml_mark(r->yaml, n);
	if (f->many)
		return n->kind == YAML_LIST ? read_list(r, n, f, what, v) : read_single(r, n, f, what, v);
	switch (f->type) {
	case FIELD_OBJECT:
		return read_object(r, n, f, what, v);
	case FIELD_MAP:
		return read_map(r, n, f, what, v);
	case FIELD_WORDS:
		return read_words(r, n, what, v, true);
	case FIELD_ANY:
		v->node = n;
		return 0;
	default:
		return read_scalar(r, n, f, what, v);
	}
}

int yaml_value(struct yaml *y, struct yaml_node *n, const struct field *f, const char *what,
	       const struct yaml_values *values, struct value *v, struct problems *problems)
{
	struct reading r = { .yaml = y, .values = values, .problems = problems };

	return read_value(&r, n, f, what, v);
}

/* --- objects --- */

static size_t count_fields(const struct field *fields)
{
	size_t count = 0;

	while (fields[count].type != FIELD_END)
		count++;
	return count;
}

static struct object *object_new(const struct field *fields, struct mark mark)
{
	static const struct field none[] = { { .type = FIELD_END } };
	struct object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fields = fields ? fields : none;
	o->mark = mark;
	o->values = calloc(count_fields(o->fields) + 1, sizeof(*o->values));
	if (!o->values) {
		free(o);
		return NULL;
	}
	return o;
}

static void unknown_key(struct reading *r, const struct object *o, const struct yaml_node *key, const char *what)
{
	size_t count = count_fields(o->fields);
	const char **names = calloc(count + 1, sizeof(*names));
	char text[200];

	for (size_t i = 0; names && i < count; i++)
		names[i] = o->fields[i].name;
	snprintf(text, sizeof(text), "%.120s has no key", what);
	if (names)
		problems_unknown(r->problems, yaml_mark(r->yaml, key), yaml_line(r->yaml, key->line), text, key->text,
				 (const char *const *)names);
	free(names);
}

static int read_field(struct reading *r, struct object *o, size_t i, struct yaml_node *n, const char *what)
{
	char *label;
	int result;

	if (asprintf(&label, "'%s' of %.200s", o->fields[i].name, what) < 0)
		return -ENOMEM;
	result = read_value(r, n, &o->fields[i], label, &o->values[i]);
	free(label);
	return result;
}

static void tell_missing(struct reading *r, const struct object *o, const char *what)
{
	for (size_t i = 0; o->fields[i].type != FIELD_END; i++) {
		const struct field *f = &o->fields[i];
		struct value *v = &o->values[i];

		if (f->required && !v->given)
			problems_add(r->problems, o->mark, yaml_line(r->yaml, o->mark.line), "%s lacks '%s' (%s)", what,
				     f->name, f->help ? f->help : "required");
		if (v->given && is_scalar(f) && !(f->many ? v->list != NULL : v->text != NULL))
			v->given = false;
	}
}

static bool read_keys(struct reading *r, struct object *o, struct yaml_node *n, const char *what)
{
	for (size_t k = 0; k < n->count; k++) {
		size_t i = 0;

		while (o->fields[i].type != FIELD_END && strcmp(o->fields[i].name, n->keys[k]->text))
			i++;
		if (o->fields[i].type == FIELD_END)
			unknown_key(r, o, n->keys[k], what);
		else if (read_field(r, o, i, n->items[k], what) == -ENOMEM)
			return false;
	}
	return true;
}

struct object *yaml_object_or(struct yaml *y, struct yaml_node *n, const struct field *fields, const char *scalar,
			      const char *what, const struct yaml_values *values, struct problems *problems)
{
	struct reading r = { .yaml = y, .values = values, .problems = problems };
	struct object *o = object_new(fields, yaml_mark(y, n));
	bool fine = true;

	if (!o)
		return NULL;
	if (n->kind == YAML_MAPPING) {
		fine = read_keys(&r, o, n, what);
		tell_missing(&r, o, what);
	} else if (!scalar) {
		wrong_kind(&r, n, what, "a mapping (key: value)");
	} else {
		size_t i = 0;

		while (strcmp(o->fields[i].name, scalar))
			i++;
		fine = read_field(&r, o, i, n, what) != -ENOMEM;
		tell_missing(&r, o, what);
	}
	if (fine)
		return o;
	object_free(o);
	return NULL;
}

struct object *yaml_object(struct yaml *y, struct yaml_node *n, const struct field *fields, const char *what,
			   const struct yaml_values *values, struct problems *problems)
{
	return yaml_object_or(y, n, fields, NULL, what, values, problems);
}

struct object *yaml_object_empty(struct yaml *y, struct mark mark, const struct field *fields, const char *what,
				 struct problems *problems)
{
	struct reading r = { .yaml = y, .problems = problems };
	struct object *o = object_new(fields, mark);

	if (o)
		tell_missing(&r, o, what);
	return o;
}
