// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of adapters, and the scenarios that name them. */
#include "adapters.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"
#include "yaml.h"

static bool is_known(const struct adapters *a, const char *name)
{
	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->names[i], name))
			return true;
	return false;
}

int adapters_add(struct adapters *a, const char *name)
{
	char **more;

	if (is_known(a, name))
		return 0;
	more = realloc(a->names, (a->count + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	a->names = more;
	more[a->count] = strdup(name);
	if (!more[a->count])
		return -ENOMEM;
	more[++a->count] = NULL;
	return 0;
}

/* What is wrong with it is told by whoever runs it. */
static int add_file(struct adapters *a, const char *path)
{
	struct problems *unsaid = problems_new();
	struct yaml *yaml = unsaid ? yaml_open(path, unsaid) : NULL;
	struct yaml_node *name = yaml ? yaml_get(yaml_root(yaml), "tool") : NULL;
	int error = name && name->kind == YAML_SCALAR ? adapters_add(a, name->text) : unsaid ? 0 : -ENOMEM;

	yaml_close(yaml);
	problems_free(unsaid);
	return error;
}

static int is_yaml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 && !strcmp(entry->d_name + length - 5, ".yaml");
}

int adapters_add_folder(struct adapters *a, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_yaml, alphasort), error = 0;

	if (count < 0)
		return errno == ENOMEM ? -ENOMEM : 0;
	for (int i = 0; i < count; i++) {
		char *path = error ? NULL : text_format("%s/%s", folder, entries[i]->d_name);

		if (!error)
			error = path ? add_file(a, path) : -ENOMEM;
		free(path);
		free(entries[i]);
	}
	free(entries);
	a->folder |= count > 0;
	return error;
}

void adapters_clear(struct adapters *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->names[i]);
	free(a->names);
}

static void check(const struct adapters *a, const struct scenario *s, const struct value *v, const char *what,
		  struct problems *problems)
{
	if (v->given && v->text && !is_known(a, v->text))
		problems_unknown(problems, v->mark, yaml_line(s->yaml, v->mark.line), what, v->text,
				 (const char *const *)a->names);
}

void adapters_check(const struct adapters *a, const struct scenario *s, struct problems *problems)
{
	const struct value *tools = object_value(s->top, "tools"), *failures = object_value(s->top, "expected-failure");

	if (!a->folder)
		return;
	for (size_t i = 0; i < tools->count; i++)
		check(a, s, &tools->list[i], "'tools': there is no adapter", problems);
	for (size_t i = 0; i < failures->count; i++)
		if (failures->list[i].object)
			check(a, s, object_value(failures->list[i].object, "tool"),
			      "'expected-failure': there is no adapter", problems);
}
