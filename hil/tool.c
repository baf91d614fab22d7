// SPDX-License-Identifier: GPL-2.0-or-later
/* Tool adapters: reading and checking them. What they make of an operation is in tool_words.c. */
#include "tool.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tool_internal.h"
#include "yaml.h"

static const char *const formats[] = { "raw", "dfuse", "both", NULL };

static const struct field version_fields[] = {
	{ .name = "words",
	  .type = FIELD_TEXT,
	  .required = true,
	  .many = true,
	  .help = "the command line's words behind the command" },
	{ .name = "match", .type = FIELD_REGEX, .required = true, .help = "its first group is the version" },
	{ .type = FIELD_END },
};

static const struct field exit_fields[] = {
	{ .name = "success", .type = FIELD_NUMBER, .many = true, .help = "statuses that mean success; 0 without it" },
	{ .name = "meanings", .type = FIELD_MAP, .help = "what statuses mean, in words" },
	{ .type = FIELD_END },
};

static const struct field operation_fields[] = {
	{ .name = "", .type = FIELD_WORDS, .help = "the command line's words behind the command" },
	{ .type = FIELD_END },
};

const struct field tool_fields[] = {
	{ .name = "tool", .type = FIELD_TEXT, .required = true, .help = "its name" },
	{ .name = "about", .type = FIELD_TEXT, .help = "what it is, one line" },
	{ .name = "homepage", .type = FIELD_TEXT, .help = "where it comes from" },
	{ .name = "command",
	  .type = FIELD_TEXT,
	  .required = true,
	  .many = true,
	  .help = "the program, a name or a path; or several words" },
	{ .name = "version", .type = FIELD_OBJECT, .fields = version_fields, .help = "how it tells its version" },
	{ .name = "format", .type = FIELD_CHOICE, .choices = formats, .help = "of files to download; raw without it" },
	{ .name = "exit", .type = FIELD_OBJECT, .fields = exit_fields, .help = "what its exit statuses mean" },
	{ .name = "says-success",
	  .type = FIELD_REGEX,
	  .help = "stands in what it says if it succeeded, whatever its exit status" },
	{ .name = "environment", .type = FIELD_MAP, .help = "variables of its environment" },
	{ .name = "words",
	  .type = FIELD_MAP,
	  .help = "what the flags leave, force, no-erase, mass-erase-first and verify put in" },
	{ .name = "operations",
	  .type = FIELD_MAP,
	  .required = true,
	  .fields = operation_fields,
	  .help = "how it spells each operation" },
	{ .name = "always", .type = FIELD_MAP, .help = "flags that it cannot do without, and how that shows" },
	{ .name = "lacks", .type = FIELD_MAP, .help = "operations, flags and values that it has not, and why" },
	{ .name = "notes", .type = FIELD_TEXT, .help = "what else is to be known of it" },
	{ .type = FIELD_END },
};

static const char *const operation_names[] = { "list",  "download",  "upload",           "erase", "mass-erase",
					       "leave", "unprotect", "set-option-bytes", NULL };

const char *operation_name(enum operation operation)
{
	return operation_names[operation];
}

const char *const tool_flags[] = { "leave", "force", "no-erase", "mass-erase-first", "verify", NULL };
const char *const tool_values[] = { "file", "output", "address", "length", "alt", "serial",
				    "usb",  "vendor", "product", "bytes",  NULL };

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

const struct value *tool_entry(const struct tool *t, const char *map, const char *key)
{
	const struct value *v = object_value(t->top, map);

	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->list[i].key, key))
			return &v->list[i];
	return NULL;
}

bool tool_placeholder(const char **text, struct placeholder *p)
{
	const char *open = strstr(*text, "${"), *end = open ? strchr(open, '}') : NULL, *colon;

	if (!end)
		return false;
	colon = memchr(open, ':', (size_t)(end - open));
	p->begin = open;
	p->name = open + 2;
	p->length = (size_t)((colon ? colon : end) - p->name);
	p->otherwise = colon ? colon + 1 : NULL;
	p->otherwise_length = colon ? (size_t)(end - colon) - 1 : 0;
	p->end = *text = end + 1;
	return true;
}

bool placeholder_is(const struct placeholder *p, const char *name)
{
	return strlen(name) == p->length && !memcmp(p->name, name, p->length);
}

static bool placeholder_in(const struct placeholder *p, const char *const *names)
{
	for (; *names; names++)
		if (placeholder_is(p, *names))
			return true;
	return false;
}

/* --- checks --- */

static void check_keys(const struct tool *t, const char *map, const char *const *words, struct problems *problems)
{
	const struct value *v = object_value(t->top, map);
	char what[80];

	snprintf(what, sizeof(what), "'%s' has no key", map);
	for (size_t i = 0; i < v->count; i++)
		if (!is_one_of(v->list[i].key, words))
			problems_unknown(problems, v->list[i].mark, NULL, what, v->list[i].key, words);
}

static void check_placeholders(const struct value *word, const char *what, const char *const *names,
			       struct problems *problems)
{
	const char *s = word->text;
	struct placeholder p;

	for (; s && tool_placeholder(&s, &p);)
		if (!placeholder_in(&p, names)) {
			char *name = strndup(p.name, p.length);

			if (name)
				problems_unknown(problems, word->mark, NULL, what, name, names);
			free(name);
		}
	if (s && strstr(s, "${"))
		problems_add(problems, word->mark, NULL, "'%s': '${' without '}'", word->text);
}

static bool mentions_in(const struct value *words, const char *name)
{
	struct placeholder p;

	for (size_t i = 0; i < words->count; i++) {
		const struct value *w = &words->list[i];
		const char *s = w->text;

		while (s && tool_placeholder(&s, &p))
			if (placeholder_is(&p, name))
				return true;
		if (mentions_in(w, name))
			return true;
	}
	return false;
}

bool tool_mentions(const struct tool *t, enum operation operation, const char *name)
{
	const struct value *words = tool_entry(t, "operations", operation_name(operation));

	return words && mentions_in(words, name);
}

static void check_words(const struct value *words, const char *const *names, struct problems *problems)
{
	for (size_t i = 0; i < words->count; i++) {
		if (words->list[i].text)
			check_placeholders(&words->list[i], "no value is named", names, problems);
		else
			check_words(&words->list[i], names, problems);
	}
}

static void check_operations(const struct tool *t, struct problems *problems)
{
	static const struct {
		enum operation operation;
		const char *value;
	} must[] = { { OPERATION_DOWNLOAD, "file" },
		     { OPERATION_UPLOAD, "output" },
		     { OPERATION_SET_OPTION_BYTES, "bytes" } };
	const struct value *v = object_value(t->top, "operations");
	const char *names[32];
	unsigned count = 0;

	for (unsigned i = 0; tool_values[i]; i++)
		names[count++] = tool_values[i];
	for (unsigned i = 0; tool_flags[i]; i++)
		names[count++] = tool_flags[i];
	names[count] = NULL;
	if (v->given && !v->count)
		problems_add(problems, v->mark, NULL, "'operations': expected at least one");
	for (size_t i = 0; i < v->count; i++) {
		check_words(&v->list[i], names, problems);
		if (is_one_of(v->list[i].key, operation_names) && tool_entry(t, "lacks", v->list[i].key))
			problems_add(problems, tool_entry(t, "lacks", v->list[i].key)->mark, NULL,
				     "'%s' stands in 'operations' and in 'lacks'", v->list[i].key);
	}
	for (unsigned i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
		const struct value *words = tool_entry(t, "operations", operation_name(must[i].operation));

		if (words && !tool_mentions(t, must[i].operation, must[i].value) &&
		    !(must[i].operation == OPERATION_SET_OPTION_BYTES && tool_mentions(t, must[i].operation, "file")))
			problems_add(problems, words->mark, NULL, "'%s' of 'operations' does not say where ${%s} goes",
				     words->key, must[i].value);
	}
	for (unsigned f = 0; tool_flags[f]; f++)
		for (unsigned i = 0; i < OPERATIONS; i++)
			if (tool_mentions(t, (enum operation)i, tool_flags[f]) &&
			    !tool_entry(t, "words", tool_flags[f]))
				problems_add(problems, tool_entry(t, "operations", operation_names[i])->mark, NULL,
					     "'%s' uses ${%s}: what that puts in is missing under 'words'",
					     operation_names[i], tool_flags[f]);
}

static void check_exit(const struct tool *t, struct problems *problems)
{
	const struct object *exit = object_value(t->top, "exit")->object;
	const struct value *v;

	if (!exit)
		return;
	v = object_value(exit, "success");
	for (size_t i = 0; i < v->count; i++)
		if (v->list[i].number > 255)
			problems_add(problems, v->list[i].mark, NULL,
				     "'success' of 'exit': %s is no exit status, 0 to 255", v->list[i].text);
	v = object_value(exit, "meanings");
	for (size_t i = 0; i < v->count; i++) {
		char *end;
		unsigned long status = strtoul(v->list[i].key, &end, 10);

		if (!isdigit((unsigned char)v->list[i].key[0]) || *end || status > 255)
			problems_add(problems, v->list[i].mark, NULL,
				     "'meanings' of 'exit': '%.60s' is no exit status, 0 to 255", v->list[i].key);
	}
}

static bool is_name(const char *s)
{
	size_t length = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return *s && *s != '.' && *s != '-' && !s[length];
}

static void check_command(const struct tool *t, struct problems *problems)
{
	const struct value *v = object_value(t->top, "command"), *name = object_value(t->top, "tool");

	if (name->given && !is_name(name->text))
		problems_add(problems, name->mark, NULL,
			     "'tool': '%.60s': expected a name of letters, digits, '.', '_' and '-'", name->text);
	for (size_t i = 0; i < v->count; i++) {
		const char *s = v->list[i].text;
		struct placeholder p;

		if (!i && (!s[0] || !strncmp(s, "${}", 3)))
			problems_add(problems, v->list[i].mark, NULL, "'command': expected a program");
		while (tool_placeholder(&s, &p))
			if (!p.length || !isalnum((unsigned char)p.name[0]))
				problems_add(problems, v->list[i].mark, NULL, "'command': '%.*s' names nothing",
					     (int)(p.end - p.begin), p.begin);
		if (strstr(s, "${"))
			problems_add(problems, v->list[i].mark, NULL, "'command': '${' without '}'");
	}
}

static void check_environment(const struct tool *t, struct problems *problems)
{
	const struct value *v = object_value(t->top, "environment");

	for (size_t i = 0; i < v->count; i++)
		if (!v->list[i].key[0] || strchr(v->list[i].key, '='))
			problems_add(problems, v->list[i].mark, NULL, "'environment': '%.60s' is no name of a variable",
				     v->list[i].key);
}

static void check(const struct tool *t, struct problems *problems)
{
	/* `leave` is both. */
	static const char *const lackable[] = { "list",
						"download",
						"upload",
						"erase",
						"mass-erase",
						"leave",
						"unprotect",
						"set-option-bytes",
						"force",
						"no-erase",
						"mass-erase-first",
						"verify",
						"address",
						"length",
						"alt",
						"serial",
						NULL };

	check_keys(t, "operations", operation_names, problems);
	check_keys(t, "words", tool_flags, problems);
	check_keys(t, "always", tool_flags, problems);
	check_keys(t, "lacks", lackable, problems);
	check_operations(t, problems);
	check_exit(t, problems);
	check_command(t, problems);
	check_environment(t, problems);
}

/* --- loading --- */

static char **make_environment(const struct tool *t)
{
	const struct value *v = object_value(t->top, "environment");
	char **list = calloc(v->count + 1, sizeof(*list));

	for (size_t i = 0; list && i < v->count; i++)
		if (asprintf(&list[i], "%s=%s", v->list[i].key, v->list[i].text) < 0) {
			list[i] = NULL;
			tool_words_free(list);
			return NULL;
		}
	return list;
}

struct tool *tool_read(struct yaml *yaml, struct problems *problems)
{
	struct tool *t = calloc(1, sizeof(*t));
	size_t before = problems_count(problems);

	if (!yaml || !t) {
		yaml_close(yaml);
		free(t);
		return NULL;
	}
	yaml_lend_lines(yaml, problems);
	t->yaml = yaml;
	t->path = strdup(yaml_path(yaml));
	t->state = calloc(1, sizeof(*t->state));
	t->top = t->path && t->state
			 ? yaml_object(yaml, yaml_root(yaml), tool_fields, "the tool adapter", NULL, problems)
			 : NULL;
	if (t->top) {
		check(t, problems);
		if (problems_count(problems) == before) {
			t->name = object_text(t->top, "tool", NULL);
			t->command = object_value(t->top, "command")->list[0].text;
			t->format = (enum tool_format)object_number(t->top, "format", TOOL_TAKES_RAW);
			t->state->environment = make_environment(t);
		}
	}
	if (problems_count(problems) == before && (!t->top || !t->state->environment))
		problems_add(problems, (struct mark){ .file = yaml_path(yaml) }, NULL, "%s", strerror(ENOMEM));
	problems_lines(problems, NULL, NULL);
	if (problems_count(problems) == before)
		return t;
	tool_free(t);
	return NULL;
}

struct tool *tool_parse(const char *name, const char *text, size_t length, struct problems *problems)
{
	return tool_read(yaml_parse(name, text, length, problems), problems);
}

#define ADAPTERS_MAX 200

static void no_such_adapter(const char *name, const char *folder, struct problems *problems)
{
	const char *names[ADAPTERS_MAX + 1] = { NULL };
	unsigned count = 0;
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char what[300];

	snprintf(what, sizeof(what), "no adapter in %.200s is named", folder);
	while (dir && count < ADAPTERS_MAX && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);

		if (entry->d_name[0] != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".yaml"))
			names[count] = strndup(entry->d_name, length - 5);
		count += names[count] != NULL;
	}
	if (dir)
		closedir(dir);
	problems_unknown(problems, (struct mark){ 0 }, NULL, what, name, names);
	while (count)
		free((char *)names[--count]);
}

struct tool *tool_load(const char *name, const char *folder, struct problems *problems)
{
	size_t length = strlen(name);
	struct tool *t;
	char *path;

	if (strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".yaml")))
		return tool_read(yaml_open(name, problems), problems);
	if (asprintf(&path, "%s/%s.yaml", folder, name) < 0) {
		problems_add(problems, (struct mark){ 0 }, NULL, "%s", strerror(ENOMEM));
		return NULL;
	}
	if (!access(path, F_OK)) {
		t = tool_read(yaml_open(path, problems), problems);
	} else {
		no_such_adapter(name, folder, problems);
		t = NULL;
	}
	free(path);
	return t;
}

void tool_free(struct tool *t)
{
	if (!t)
		return;
	if (t->state) {
		tool_words_free(t->state->environment);
		tool_words_free(t->state->paths);
		free(t->state->lack);
		free(t->state->here);
		free(t->state);
	}
	object_free(t->top);
	free(t->path);
	yaml_close(t->yaml);
	free(t);
}

const char *const *tool_environment(const struct tool *t)
{
	return (const char *const *)t->state->environment;
}

bool tool_succeeded(const struct tool *t, int status, const char **meaning)
{
	const struct object *exit = object_value(t->top, "exit")->object;
	const struct value *v;

	*meaning = NULL;
	if (!exit)
		return status == 0;
	v = object_value(exit, "meanings");
	for (size_t i = 0; i < v->count; i++)
		if (strtol(v->list[i].key, NULL, 10) == status)
			*meaning = v->list[i].text;
	v = object_value(exit, "success");
	if (!v->given)
		return status == 0;
	for (size_t i = 0; i < v->count; i++)
		if (status >= 0 && v->list[i].number == (uint64_t)status)
			return true;
	return false;
}
