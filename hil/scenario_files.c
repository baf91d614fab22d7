// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that scenarios name: made ones, those that tools write, those on disk; and scenarios in folders. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "files.h"
#include "rig.h"
#include "scenario_internal.h"
#include "share.h"
#include "verb.h"
#include "yaml.h"

/* --- paths --- */

char *scenario_path(const struct scenario *s, const char *name)
{
	const char *slash = name[0] == '/' ? NULL : strrchr(s->path, '/');
	char *path;

	if (!slash)
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)(slash - s->path), s->path, name) < 0 ? NULL : path;
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, R_OK);
}

/* --- names --- */

static const struct value *made(const struct scenario *s, const char *name)
{
	const struct value *files = object_value(s->top, "files");

	for (size_t i = 0; i < files->count; i++)
		if (!strcmp(files->list[i].key, name))
			return &files->list[i];
	return NULL;
}

static bool on_disk(const struct scenario *s, const char *name)
{
	char *path = scenario_path(s, name);
	bool there = path && is_file(path);

	free(path);
	return there;
}

static bool is_written(const struct loading *l, const char *name)
{
	for (size_t i = 0; i < l->output_count; i++)
		if (!strcmp(l->outputs[i], name))
			return true;
	return false;
}

bool scenario_file_known(struct loading *l, const char *name)
{
	return made(l->scenario, name) || is_written(l, name) || on_disk(l->scenario, name);
}

static void check_name(struct loading *l, const struct value *v)
{
	const struct value *files = object_value(l->scenario->top, "files");
	const char **names;
	size_t count = 0;

	if (scenario_file_known(l, v->text))
		return;
	names = calloc(files->count + l->output_count + 1, sizeof(*names));
	for (size_t i = 0; names && i < files->count; i++)
		names[count++] = files->list[i].key;
	for (size_t i = 0; names && i < l->output_count; i++)
		names[count++] = l->outputs[i];
	if (names)
		problems_unknown(l->problems, v->mark, NULL,
				 "no such file is on disk, made under 'files', or written by an earlier step:", v->text,
				 names);
	free(names);
}

static void add_output(struct loading *l, const struct value *v)
{
	if (made(l->scenario, v->text)) {
		problems_add(l->problems, v->mark, NULL,
			     "'%s' is made under 'files': what a tool writes needs another name", v->text);
		return;
	}
	if (l->output_count == l->output_room) {
		size_t room = l->output_room ? 2 * l->output_room : 8;
		const char **outputs = realloc(l->outputs, room * sizeof(*outputs));

		if (!outputs)
			return;
		l->outputs = outputs;
		l->output_room = room;
	}
	l->outputs[l->output_count++] = v->text;
}

static void each(struct loading *l, const struct object *o, enum field_type type,
		 void (*visit)(struct loading *, const struct value *));

static void each_value(struct loading *l, const struct value *v, enum field_type is, enum field_type type,
		       void (*visit)(struct loading *, const struct value *))
{
	if (is == type && v->text)
		visit(l, v);
	if (v->object)
		each(l, v->object, type, visit);
	for (size_t i = 0; i < v->count; i++)
		each_value(l, &v->list[i], is, type, visit);
}

static void each(struct loading *l, const struct object *o, enum field_type type,
		 void (*visit)(struct loading *, const struct value *))
{
	for (size_t i = 0; o && o->fields && o->fields[i].type != FIELD_END; i++)
		each_value(l, &o->values[i], o->fields[i].type, type, visit);
}

void scenario_check_files(struct loading *l, const struct object *arguments)
{
	each(l, arguments, FIELD_FILE, check_name);
	each(l, arguments, FIELD_OUTPUT, add_output);
}

void scenario_check_name(const struct scenario *s, const struct step *step, const char *name, struct mark mark,
			 struct problems *problems)
{
	struct loading l = { .scenario = (struct scenario *)s, .problems = problems };
	struct value v = { .text = (char *)name, .mark = mark };

	for (const struct step *before = s->steps; before < step; before++)
		each(&l, before->arguments, FIELD_OUTPUT, add_output);
	check_name(&l, &v);
	free(l.outputs);
}

/* --- made ones --- */

/* What makes a file of that kind, and what else it may have. */
static const struct kind {
	const char *key;
	const char *also[6];
} kinds[] = {
	{ "dfuse", { "vendor", "product", "device" } },
	{ "dfu-suffix", { "vendor", "product", "device" } },
	{ "copy", { "set" } },
	{ "path", { NULL } },
	{ "firmware", { NULL } },
	{ "join", { NULL } },
	{ "hex", { NULL } },
	{ "of", { "from", "size" } },
	{ "size", { "seed", "bootable", "at", "fill" } },
};
#define FILES_MAX 200u /* each may be made of the one before */
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool belongs(const struct kind *k, const char *key)
{
	if (!strcmp(k->key, key))
		return true;
	for (unsigned i = 0; i < 6 && k->also[i]; i++)
		if (!strcmp(k->also[i], key))
			return true;
	return false;
}

static void at_most(struct loading *l, const struct object *o, const char *key, uint64_t limit)
{
	const struct value *v = object_value(o, key);

	if (v->given && v->number > limit)
		problems_add(l->problems, v->mark, NULL, "'%s': %s is above %u", key, v->text, (unsigned)limit);
}

static void check_firmware(struct loading *l, const struct value *name)
{
	static const char *const known[] = { "blink",       "broken",    "cdc-echo",  "dfu-runtime", "hard-fault",
					     "self-update", "app-1.hex", "app-2.hex", NULL };
	char *path = files_firmware(l->scenario->path, name->text);

	if (!path)
		problems_unknown(l->problems, name->mark, NULL, "no firmware of that name", name->text, known);
	free(path);
}

static void check_kind(struct loading *l, const struct value *file)
{
	const struct object *o = file->object;
	const struct kind *kind = NULL;

	for (unsigned i = 0; i < KINDS && !kind; i++)
		if (object_given(o, kinds[i].key))
			kind = &kinds[i];
	/* What has a mistake in its value says what is meant all the same. */
	for (unsigned i = 0; i < KINDS && !kind; i++)
		if (object_value(o, kinds[i].key)->mark.line)
			return;
	if (!kind) {
		problems_add(l->problems, file->mark, NULL,
			     "'%s' of 'files': nothing says what is in it (size, hex, of, join, dfuse, dfu-suffix, "
			     "copy, path or firmware)",
			     file->key);
		return;
	}
	for (size_t i = 0; o->fields[i].type != FIELD_END; i++)
		if (o->values[i].given && !belongs(kind, o->fields[i].name))
			problems_add(l->problems, o->values[i].mark, NULL,
				     "'%s' of 'files': '%s' does not go with '%s'", file->key, o->fields[i].name,
				     kind->key);
	if (object_given(o, "fill") && (object_given(o, "seed") || object_given(o, "bootable")))
		problems_add(l->problems, object_value(o, "fill")->mark, NULL,
			     "'%s' of 'files': it is full of one byte, or noise from a seed, not both", file->key);
	at_most(l, o, "fill", 0xff);
	at_most(l, o, "vendor", 0xffff);
	at_most(l, o, "product", 0xffff);
	at_most(l, o, "device", 0xffff);
	at_most(l, o, "size", 64u << 20);
	if (object_given(o, "path") && !on_disk(l->scenario, object_text(o, "path", "")))
		problems_add(l->problems, object_value(o, "path")->mark, NULL,
			     "'%s' of 'files': there is no file '%s' that can be read", file->key,
			     object_text(o, "path", ""));
	if (object_given(o, "firmware"))
		check_firmware(l, object_value(o, "firmware"));
	for (size_t i = 0; i < object_value(o, "dfuse")->count; i++)
		if (object_value(o, "dfuse")->list[i].object)
			at_most(l, object_value(o, "dfuse")->list[i].object, "alt", 0xff);
}

/* State of a walk along what files are made of. */
struct walk {
	struct loading loading; /* first: what is visited gets back to the walk by it */
	const struct value *files;
	unsigned char *colour; /* 0 not seen, 1 being walked through, 2 done */
	const struct value *from;
};

static void walk(struct walk *, size_t);

static void follow(struct loading *l, const struct value *v)
{
	struct walk *w = (struct walk *)l;
	const struct value *next = made(l->scenario, v->text);
	const struct value *from = w->from;
	size_t i;

	if (!next)
		return;
	i = (size_t)(next - w->files->list);
	if (w->colour[i] == 1)
		problems_add(l->problems, v->mark, NULL, "'%s' of 'files' is made of itself", next->key);
	else if (!w->colour[i])
		walk(w, i);
	w->from = from;
}

static void walk(struct walk *w, size_t i)
{
	w->colour[i] = 1;
	w->from = &w->files->list[i];
	if (w->files->list[i].object)
		each(&w->loading, w->files->list[i].object, FIELD_FILE, follow);
	w->colour[i] = 2;
}

static void check_circles(struct loading *l)
{
	struct walk w = { .loading = *l, .files = object_value(l->scenario->top, "files") };

	w.colour = calloc(w.files->count + 1, 1);
	for (size_t i = 0; w.colour && i < w.files->count; i++)
		if (!w.colour[i])
			walk(&w, i);
	free(w.colour);
}

static void check_bystanders(struct loading *l)
{
	const struct value *v = object_value(l->scenario->top, "bystanders");

	for (size_t i = 0; i < v->count; i++) {
		const struct value *device = v->list[i].object ? object_value(v->list[i].object, "device") : NULL;
		char *name, *path;

		if (!device || !device->given)
			continue;
		if (strchr(device->text, '/')) {
			if (!on_disk(l->scenario, device->text))
				problems_add(l->problems, device->mark, NULL, "'bystanders': no file '%s'",
					     device->text);
			continue;
		}
		if (asprintf(&name, "descriptors/%s.usb", device->text) < 0)
			return;
		path = share_fixture(l->scenario->path, name);
		if (!path)
			problems_add(l->problems, device->mark, NULL,
				     "'bystanders': no fixtures/%s above the scenario, and none came with dfuhil",
				     name);
		free(path);
		free(name);
	}
}

void scenario_check_made(struct loading *l)
{
	const struct value *files = object_value(l->scenario->top, "files");
	static const struct field output = { .name = "", .type = FIELD_OUTPUT };

	if (files->count > FILES_MAX) {
		problems_add(l->problems, files->mark, NULL, "'files': %zu of them are above %u", files->count,
			     FILES_MAX);
		return;
	}
	for (size_t i = 0; i < files->count; i++) {
		const struct value *file = &files->list[i];
		struct value name = { .text = file->key };
		char why[SCALAR_WHY];
		size_t column;

		if (scalar_read(&output, &name, &column, why))
			problems_add(l->problems, file->mark, NULL, "'%s' of 'files': %s", file->key, why);
		if (!file->object)
			continue;
		check_kind(l, file);
		each(l, file->object, FIELD_FILE, check_name);
	}
	check_circles(l);
	check_bystanders(l);
}

/* --- folders --- */

struct found {
	char **paths;
	size_t count, room;
};

static bool keep(struct found *f, char *path)
{
	if (f->count == f->room) {
		size_t room = f->room ? 2 * f->room : 64;
		char **paths = realloc(f->paths, room * sizeof(*paths));

		if (!paths)
			return false;
		f->paths = paths;
		f->room = room;
	}
	f->paths[f->count++] = path;
	return true;
}

#define FOLDER_DEPTH 16
#define MEASURE_FOLDER "measure" /* what is in it is for boards that are to be measured, and is not run with the rest */

static void look(struct found *f, const char *folder, unsigned depth, struct problems *problems)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir) {
		problems_add(problems, (struct mark){ .file = folder }, NULL, "cannot open it: %s", strerror(errno));
		return;
	}
	while ((entry = readdir(dir))) {
		size_t length = strlen(entry->d_name), end = strlen(folder);
		struct stat st;
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&path, "%s%s%s", folder, end && folder[end - 1] == '/' ? "" : "/", entry->d_name) < 0)
			break;
		if (!lstat(path, &st) && S_ISDIR(st.st_mode)) {
			if (depth < FOLDER_DEPTH && strcmp(entry->d_name, MEASURE_FOLDER) != 0)
				look(f, path, depth + 1, problems);
		} else if (length > 5 && !strcmp(entry->d_name + length - 5, ".yaml") && keep(f, path)) {
			continue;
		}
		free(path);
	}
	closedir(dir);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool scenario_find(const char *path, bool (*found)(void *context, const char *path), void *context,
		   struct problems *problems)
{
	struct found f = { 0 };
	size_t before = problems_count(problems);
	bool going = true;
	struct stat st;

	if (stat(path, &st)) {
		problems_add(problems, (struct mark){ .file = path }, NULL, "cannot open it: %s", strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		return found(context, path);
	look(&f, path, 0, problems);
	if (!f.count && problems_count(problems) == before)
		problems_add(problems, (struct mark){ .file = path }, NULL, "a folder without any .yaml");
	if (f.count)
		qsort(f.paths, f.count, sizeof(*f.paths), by_path);
	for (size_t i = 0; i < f.count; i++) {
		if (going)
			going = found(context, f.paths[i]);
		free(f.paths[i]);
	}
	free(f.paths);
	return going && problems_count(problems) == before;
}
