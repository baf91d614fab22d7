// SPDX-License-Identifier: GPL-2.0-or-later
/* The steps of a scenario: a verb and its arguments, with named values put in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "scenario_internal.h"
#include "verb.h"
#include "yaml.h"

/* --- named values --- */

static const char *find_value(void *context, const char *name)
{
	struct loading *l = context;
	const struct value *values = object_value(l->scenario->top, "values");

	for (size_t i = 0; i < values->count; i++)
		if (!strcmp(values->list[i].key, name))
			return values->list[i].text;
	/* These are known when it runs. */
	if (!strcmp(name, "tool"))
		return "${tool}";
	if (!strncmp(name, "file:", 5) && scenario_file_known(l, name + 5)) {
		snprintf(l->kept, sizeof(l->kept), "${%.200s}", name);
		return l->kept;
	}
	return NULL;
}

static void free_names(char **names)
{
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
}

/* All that find_value() knows, for suggestions; NULL on ENOMEM, which costs only those. */
static char **value_names(struct loading *l)
{
	const struct value *values = object_value(l->scenario->top, "values");
	const struct value *files = object_value(l->scenario->top, "files");
	char **names = calloc(values->count + files->count + 2, sizeof(*names));
	size_t count = 0;

	if (!names)
		return NULL;
	for (size_t i = 0; i < values->count && (names[count] = strdup(values->list[i].key)); i++)
		count++;
	if ((names[count] = strdup("tool")))
		count++;
	for (size_t i = 0; i < files->count; i++) {
		if (asprintf(&names[count], "file:%s", files->list[i].key) < 0) {
			names[count] = NULL;
			break;
		}
		count++;
	}
	return names;
}

/* --- steps --- */

static void tell(struct loading *l, const struct yaml_node *n, const char *format, const char *a, const char *b)
{
	struct yaml *y = l->scenario->yaml;
	char text[400];

	/* The formats are those of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), format, a, b);
#pragma GCC diagnostic pop
	problems_add(l->problems, yaml_mark(y, n), yaml_line(y, n->line), "%s", text);
}

static bool is_common(const char *key)
{
	return !strcmp(key, "expect") || !strcmp(key, "board") || !strcmp(key, "note");
}

static bool has_field(const struct field *fields, const char *name)
{
	for (; fields && fields->type != FIELD_END; fields++)
		if (!strcmp(fields->name, name))
			return true;
	return false;
}

static void unknown_step(struct loading *l, const struct yaml_node *key)
{
	struct yaml *y = l->scenario->yaml;

	problems_unknown(l->problems, yaml_mark(y, key), yaml_line(y, key->line), "unknown step", key->text,
			 verb_names);
}

/* Beside a verb. */
static void unknown_beside(struct loading *l, const struct yaml_node *key, const struct verb *verb)
{
	static const char *const beside[] = { "expect", "board", "note", NULL };
	struct yaml *y = l->scenario->yaml;
	char what[80];

	snprintf(what, sizeof(what), "beside '%s' there cannot be", verb->name);
	problems_unknown(l->problems, yaml_mark(y, key), yaml_line(y, key->line), what, key->text, beside);
}

static void belongs_further_in(struct loading *l, const struct yaml_node *key, const struct verb *verb)
{
	tell(l, key, "'%s' belongs to '%s': indent it further", key->text, verb->name);
}

/* The key with the verb, its index; or false with a problem. */
static bool find_verb(struct loading *l, struct yaml_node *n, size_t *at)
{
	const struct verb *verb = NULL;
	bool told = false;

	for (size_t i = 0; i < n->count; i++) {
		const struct verb *v = verb_find(n->keys[i]->text);

		if (v && verb && yaml_is_null(n->items[*at]) && has_field(verb->fields, v->name)) {
			belongs_further_in(l, n->keys[i], verb);
			told = true;
		} else if (v && verb) {
			tell(l, n->keys[i], "a second verb in one step: '%s' beside '%s'; each is a step of its own",
			     v->name, verb->name);
			told = true;
		} else if (v) {
			verb = v;
			*at = i;
		}
	}
	for (size_t i = 0; i < n->count; i++) {
		const struct yaml_node *key = n->keys[i];

		if (is_common(key->text) || verb_find(key->text))
			continue;
		if (verb && !has_field(verb->fields, key->text)) {
			/* What the verb itself has is read all the same. */
			unknown_beside(l, key, verb);
			continue;
		}
		if (verb)
			belongs_further_in(l, key, verb);
		else
			unknown_step(l, key);
		told = true;
	}
	if (!verb && !told)
		tell(l, n, "a step without a verb%s%s", "", "");
	return verb && !told;
}

static bool read_arguments(struct loading *l, struct step *s, struct yaml_node *n, const struct yaml_values *values)
{
	struct yaml *y = l->scenario->yaml;
	char what[80];

	snprintf(what, sizeof(what), "step '%s'", s->verb->name);
	if (!n || yaml_is_null(n)) {
		s->arguments = yaml_object_empty(y, s->mark, s->verb->fields, what, l->problems);
	} else if (!s->verb->fields || s->verb->fields[0].type == FIELD_END) {
		tell(l, n, "%s takes nothing%s", what, "");
		s->arguments = yaml_object_empty(y, s->mark, NULL, what, l->problems);
	} else {
		s->arguments = yaml_object_or(y, n, s->verb->fields, s->verb->scalar, what, values, l->problems);
	}
	return s->arguments;
}

static void check_exit(struct loading *l, const struct object *expect)
{
	const struct value *v = object_value(expect, "exit");
	static const char *const words[] = { "success", "failure", "any", NULL };

	for (size_t i = 0; i < v->count; i++) {
		const char *text = v->list[i].text;
		char *end;
		unsigned long status = strtoul(text, &end, 10);
		bool is_number = text[0] >= '0' && text[0] <= '9' && !*end;
		bool is_word = !strcmp(text, words[0]) || !strcmp(text, words[1]) || !strcmp(text, words[2]);

		if (is_number ? status > 255 : !is_word)
			problems_unknown(l->problems, v->list[i].mark, NULL,
					 is_number ? "no exit status, 0 to 255:"
						   : "'exit' of 'expect': no number, and not one of the words:",
					 text, is_number ? (const char *const[]){ NULL } : words);
		else if (is_word && v->count > 1)
			problems_add(l->problems, v->list[i].mark, NULL,
				     "'exit' of 'expect': a list has numbers alone");
	}
}

static bool read_expect(struct loading *l, struct step *s, struct yaml_node *n, const struct yaml_values *values)
{
	struct yaml *y = l->scenario->yaml;

	if (!s->verb->runs_tool) {
		tell(l, n, "step '%s' runs no tool: there is nothing to 'expect'%s", s->verb->name, "");
		return true;
	}
	s->expect = yaml_object(y, n, expect_fields, "'expect'", values, l->problems);
	if (!s->expect)
		return false;
	check_exit(l, s->expect);
	if (object_flag(s->expect, "hangs", false) && !object_given(s->expect, "within"))
		problems_add(l->problems, s->expect->mark, NULL,
			     "'hangs' of 'expect' needs 'within': when it is to be killed");
	return true;
}

static bool read_common(struct loading *l, struct step *s, struct yaml_node *n, const struct yaml_values *values)
{
	static const struct field board = { .name = "board", .type = FIELD_NUMBER };
	static const struct field note = { .name = "note", .type = FIELD_TEXT };
	struct yaml *y = l->scenario->yaml;
	struct yaml_node *at = yaml_get(n, "board");
	struct value v = { 0 };
	uint64_t boards = object_number(object_value(l->scenario->top, "board")->object, "count", 1);
	int r;

	if (at) {
		r = yaml_value(y, at, &board, "'board' of the step", values, &v, l->problems);
		free(v.text);
		if (r == -ENOMEM)
			return false;
		if (!r && (v.number < 1 || v.number > boards)) {
			char text[120];

			snprintf(text, sizeof(text), "there is no board %.20s: the scenario has %u", at->text,
				 (unsigned)boards);
			tell(l, at, "%s%s", text, "");
		}
		s->board = (unsigned)v.number;
	}
	at = yaml_get(n, "note");
	if (at) {
		v = (struct value){ 0 };
		r = yaml_value(y, at, &note, "'note' of the step", NULL, &v, l->problems);
		free(v.text);
		if (r == -ENOMEM)
			return false;
		s->note = at->text;
	}
	at = yaml_get(n, "expect");
	return !at || read_expect(l, s, at, values);
}

/* False on ENOMEM. */
static bool read_step(struct loading *l, struct yaml_node *n, const struct yaml_values *values)
{
	struct scenario *scenario = l->scenario;
	struct step *s = &scenario->steps[scenario->step_count];
	size_t before = problems_count(l->problems), at = 0;

	s->mark = yaml_mark(scenario->yaml, n);
	if (yaml_is_null(n)) {
		tell(l, n, "a step without a verb%s%s", "", "");
		return true;
	}
	if (n->kind == YAML_SCALAR) {
		s->verb = verb_find(n->text);
		if (!s->verb) {
			unknown_step(l, n);
			return true;
		}
	} else if (n->kind == YAML_LIST) {
		tell(l, n, "a step is a verb, or a mapping with one, not a list%s%s", "", "");
		return true;
	} else {
		if (!find_verb(l, n, &at))
			return true;
		s->verb = verb_find(n->keys[at]->text);
	}
	scenario->step_count++;
	if (!read_arguments(l, s, n->kind == YAML_MAPPING ? n->items[at] : NULL, values) ||
	    !read_common(l, s, n, values))
		return false;
	scenario_check_files(l, s->arguments);
	s->needs = s->verb->needs;
	if (problems_count(l->problems) == before && s->verb->check)
		s->verb->check(s, scenario, &s->needs, l->problems);
	return true;
}

bool scenario_read_steps(struct loading *l)
{
	struct scenario *scenario = l->scenario;
	struct yaml_node *n = object_value(scenario->top, "steps")->node;
	struct yaml_values values = { .find = find_value, .context = l };
	char **names;
	bool fine = true;

	if (!n)
		return true; /* told */
	if (n->kind != YAML_LIST || !n->count) {
		tell(l, n, "'steps': expected a list of steps%s%s", n->kind == YAML_LIST ? ", not an empty one" : "",
		     "");
		return true;
	}
	scenario->steps = calloc(n->count, sizeof(*scenario->steps));
	names = value_names(l);
	values.names = (const char *const *)names;
	if (!scenario->steps)
		fine = false;
	for (size_t i = 0; i < n->count && fine; i++)
		fine = read_step(l, n->items[i], &values);
	free_names(names);
	return fine;
}
