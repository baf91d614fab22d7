// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line that an adapter makes of an operation, and what it cannot make. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tool_internal.h"

/* --- values --- */

static bool flag(const struct tool_call *c, const char *name)
{
	const bool set[] = { c->leave, c->force, c->no_erase, c->mass_erase_first, c->verify };

	for (unsigned i = 0; tool_flags[i]; i++)
		if (!strcmp(tool_flags[i], name))
			return set[i];
	return false;
}

/* The text of a value that the call has, in room[]; NULL: it has none. */
static const char *value_of(const struct tool_call *c, const char *name, char room[32])
{
	if (!strcmp(name, "file"))
		return c->file;
	if (!strcmp(name, "output"))
		return c->output;
	if (!strcmp(name, "serial"))
		return c->serial;
	if (!strcmp(name, "usb"))
		return c->usb;
	if (!strcmp(name, "bytes"))
		return c->bytes;
	if (!strcmp(name, "vendor") || !strcmp(name, "product")) {
		const char *colon = c->usb ? strchr(c->usb, ':') : NULL;

		if (!colon)
			return NULL;
		if (name[0] == 'p')
			return colon + 1;
		snprintf(room, 32, "%.*s", (int)(colon - c->usb < 31 ? colon - c->usb : 31), c->usb);
		return room;
	}
	if (!strcmp(name, "address") && c->has_address)
		snprintf(room, 32, "0x%08" PRIx32, c->address);
	else if (!strcmp(name, "length") && c->has_length)
		snprintf(room, 32, "%" PRIu64, c->length);
	else if (!strcmp(name, "alt") && c->has_alt)
		snprintf(room, 32, "%u", c->alt);
	else
		return NULL;
	return room;
}

/* The folder of the adapter itself: absolute, as tools are not run where we were started. */
static const char *here(const struct tool *t)
{
	const char *slash = strrchr(t->path, '/');
	char *folder;

	if (!t->state->here) {
		folder = slash ? strndup(t->path, slash == t->path ? 1 : (size_t)(slash - t->path)) : strdup(".");
		t->state->here = folder ? realpath(folder, NULL) : NULL;
		if (t->state->here)
			free(folder);
		else
			t->state->here = folder;
	}
	return t->state->here ? t->state->here : ".";
}

static const char *path_named(const struct tool *t, const struct placeholder *p)
{
	if (placeholder_is(p, "here"))
		return here(t);
	for (char **s = t->state->paths; s && *s; s++)
		if (!strncmp(*s, p->name, p->length) && (*s)[p->length] == '=')
			return *s + p->length + 1;
	return NULL;
}

/* --- words --- */

struct words {
	char **list;
	size_t count, room;
	bool failed; /* ENOMEM */
};

/* word is taken over. */
static void push(struct words *w, char *word)
{
	if (w->count + 1 >= w->room) {
		size_t room = w->room ? 2 * w->room : 16;
		char **list = realloc(w->list, room * sizeof(*list));

		if (!list) {
			w->failed = true;
			free(word);
			return;
		}
		w->list = list;
		w->room = room;
	}
	w->list[w->count++] = word;
	w->list[w->count] = NULL;
	w->failed |= !word;
}

enum filled {
	FILLED,
	FILLED_PARTLY, /* a value that is not given left a gap */
	FILLED_NOTHING /* the whole word is a value, or a flag, that is not given, or values that come to nothing */
};

/* *out is to be freed; NULL on ENOMEM. */
static enum filled fill(const struct tool *t, const struct tool_call *c, const char *text, char **out)
{
	const char *s = text, *from = text;
	enum filled filled = FILLED;
	bool literal = false, any = false;
	struct placeholder p;
	size_t size = 0;
	FILE *f = open_memstream(out, &size);

	if (!f) {
		*out = NULL;
		return FILLED;
	}
	for (; tool_placeholder(&s, &p); from = p.end) {
		bool whole = p.begin == text && !*p.end;
		char name[32], room[32];
		const char *value = NULL;
		bool is_flag = false;

		any = true;
		literal |= p.begin > from;
		fwrite(from, 1, (size_t)(p.begin - from), f);
		snprintf(name, sizeof(name), "%.*s", (int)(p.length < 31 ? p.length : 31), p.name);
		for (unsigned i = 0; tool_flags[i]; i++)
			is_flag |= !strcmp(tool_flags[i], name);
		if (is_flag)
			value = flag(c, name) && tool_entry(t, "words", name) ? tool_entry(t, "words", name)->text
									      : NULL;
		else
			value = value_of(c, name, room);
		if (value)
			fputs(value, f);
		else if (p.otherwise)
			fwrite(p.otherwise, 1, p.otherwise_length, f);
		else if (whole)
			filled = FILLED_NOTHING;
		else if (!is_flag)
			filled = FILLED_PARTLY;
	}
	literal |= *from != 0;
	fputs(from, f);
	if (fclose(f)) {
		free(*out);
		*out = NULL;
	}
	/* Tools take an empty word for a value. */
	if (*out && !**out && any && !literal && filled == FILLED)
		filled = FILLED_NOTHING;
	return filled;
}

/* All of its words, or none if one of its values is not given: false. */
static bool push_group(struct words *w, const struct tool *t, const struct tool_call *c, const struct value *group)
{
	size_t before = w->count;
	bool complete = true;

	for (size_t i = 0; i < group->count && complete; i++) {
		char *word;

		complete = fill(t, c, group->list[i].text, &word) == FILLED;
		push(w, word);
	}
	while (!complete && w->count > before) {
		free(w->list[--w->count]);
		w->list[w->count] = NULL;
	}
	return complete;
}

/* Groups in a row that begin with the same word are ways to say one thing: the first that is complete is taken. */
static bool same_thing(const struct value *a, const struct value *b)
{
	return a->count && b->count && a->list[0].text && b->list[0].text && !strcmp(a->list[0].text, b->list[0].text);
}

static void push_operation(struct words *w, const struct tool *t, const struct tool_call *c)
{
	const struct value *words = tool_entry(t, "operations", operation_name(c->operation));

	bool said = false;

	for (size_t i = 0; words && i < words->count && !w->failed; i++) {
		char *word;

		if (!words->list[i].text) {
			said = said && same_thing(&words->list[i - 1], &words->list[i]);
			said = said || push_group(w, t, c, &words->list[i]);
			continue;
		}
		said = false;
		if (fill(t, c, words->list[i].text, &word) == FILLED_NOTHING) {
			free(word);
		} else {
			push(w, word);
		}
	}
}

/* A word of the command, with the paths of --tool-path; what has none is its own name. */
static char *fill_path(const struct tool *t, const char *text)
{
	const char *s = text, *from = text;
	struct placeholder p;
	size_t size = 0;
	char *out = NULL;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		return NULL;
	for (; tool_placeholder(&s, &p); from = p.end) {
		const char *path = path_named(t, &p);

		fwrite(from, 1, (size_t)(p.begin - from), f);
		if (path)
			fputs(path, f);
		else
			fwrite(p.otherwise ? p.otherwise : p.name, 1, p.otherwise ? p.otherwise_length : p.length, f);
	}
	fputs(from, f);
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}

static bool names_a_path(const char *text)
{
	struct placeholder p;

	while (tool_placeholder(&text, &p))
		if (!placeholder_is(&p, "here"))
			return true;
	return false;
}

/* A tool is not run where we were started, and paths are as seen from there. Taken over; NULL on ENOMEM. */
static char *absolute(char *path)
{
	char *folder, *whole;

	if (!path || path[0] == '/' || !strchr(path, '/') || access(path, F_OK))
		return path;
	/* Links are left alone: some programs go by their own names. */
	folder = getcwd(NULL, 0);
	if (!folder || asprintf(&whole, "%s/%s", folder, path) < 0)
		whole = NULL;
	free(folder);
	free(path);
	return whole;
}

static void push_command(struct words *w, const struct tool *t, const char *override)
{
	const struct value *command = object_value(t->top, "command");
	size_t replaced = 0;

	if (override && !*override)
		override = NULL;
	/* A named path is what the tool itself is; before it stands what runs it. */
	for (size_t i = 0; i < command->count; i++)
		if (names_a_path(command->list[i].text))
			replaced = i;
	for (size_t i = 0; i < command->count; i++) {
		const char *path = tool_path(t, t->name);

		if (i == replaced && (override || path))
			push(w, absolute(strdup(override ? override : path)));
		else
			push(w, i && !names_a_path(command->list[i].text)
					? fill_path(t, command->list[i].text)
					: absolute(fill_path(t, command->list[i].text)));
	}
	/* `${x:}` alone comes to nothing. */
	if (w->count && w->list[0] && !w->list[0][0]) {
		free(w->list[0]);
		w->list[0] = strdup(t->name);
		w->failed |= !w->list[0];
	}
}

static char **words_end(struct words *w)
{
	if (!w->failed)
		return w->list;
	for (size_t i = 0; i < w->count; i++)
		free(w->list[i]);
	free(w->list);
	return NULL;
}

char **tool_words(const struct tool *t, const struct tool_call *c, const char *override)
{
	struct words w = { 0 };

	push_command(&w, t, override);
	push_operation(&w, t, c);
	return words_end(&w);
}

char **tool_command(const struct tool *t, const char *override)
{
	struct words w = { 0 };

	push_command(&w, t, override);
	return words_end(&w);
}

char **tool_version_words(const struct tool *t, const char *override)
{
	const struct object *version = object_value(t->top, "version")->object;
	const struct value *words = version ? object_value(version, "words") : NULL;
	struct words w = { 0 };

	push_command(&w, t, override);
	for (size_t i = 0; words && i < words->count; i++)
		push(&w, strdup(words->list[i].text));
	return words_end(&w);
}

void tool_words_free(char **words)
{
	for (char **s = words; s && *s; s++)
		free(*s);
	free(words);
}

/* --- paths --- */

const char *tool_path(const struct tool *t, const char *name)
{
	struct placeholder p = { .name = name, .length = strlen(name) };

	return path_named(t, &p);
}

static bool names_path(const struct tool *t, const char *name)
{
	const struct value *command = object_value(t->top, "command");
	struct placeholder p;

	for (size_t i = 0; i < command->count; i++)
		for (const char *s = command->list[i].text; tool_placeholder(&s, &p);)
			if (placeholder_is(&p, name))
				return true;
	return !strcmp(t->name, name);
}

int tool_set_path(struct tool *t, const char *name, const char *path)
{
	size_t count = 0;
	char **paths, *entry;

	if (!names_path(t, name))
		return -ENOENT;
	while (t->state->paths && t->state->paths[count])
		count++;
	if (asprintf(&entry, "%s=%s", name, path) < 0)
		return -ENOMEM;
	/* The last one holds: it is found first. */
	paths = calloc(count + 2, sizeof(*paths));
	if (!paths) {
		free(entry);
		return -ENOMEM;
	}
	paths[0] = entry;
	for (size_t i = 0; i < count; i++)
		paths[i + 1] = t->state->paths[i];
	free(t->state->paths);
	t->state->paths = paths;
	return 0;
}

const char *tool_missing_path(const struct tool *t)
{
	const struct value *command = object_value(t->top, "command");
	struct placeholder p;

	if (tool_path(t, t->name))
		return NULL;
	for (size_t i = 0; i < command->count; i++)
		for (const char *s = command->list[i].text; tool_placeholder(&s, &p);)
			if (!p.otherwise && !path_named(t, &p)) {
				free(t->state->lack);
				t->state->lack = strndup(p.name, p.length);
				return t->state->lack ? t->state->lack : "a path";
			}
	return NULL;
}

/* --- what it lacks --- */

static const char *lack(const struct tool *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *lack(const struct tool *t, const char *format, ...)
{
	va_list args;
	int r;

	free(t->state->lack);
	va_start(args, format);
	r = vasprintf(&t->state->lack, format, args);
	va_end(args);
	if (r < 0)
		t->state->lack = NULL;
	return r < 0 ? "the tool lacks it" : t->state->lack;
}

const char *tool_always(const struct tool *t, const char *flag_name)
{
	const struct value *v = tool_entry(t, "always", flag_name);

	return v ? v->text : NULL;
}

/* A flag that the adapter knows no word for is lacking too: silently without it, something else would be tried. */
static const char *lacks_flag(const struct tool *t, const struct tool_call *c)
{
	const char *operation = operation_name(c->operation);

	for (unsigned i = 0; tool_flags[i]; i++) {
		const struct value *reason = tool_entry(t, "lacks", tool_flags[i]);

		if (!flag(c, tool_flags[i]) || tool_always(t, tool_flags[i]))
			continue;
		if (reason && !tool_mentions(t, c->operation, tool_flags[i]))
			return lack(t, "%s has no %s with %s: %s", t->name, operation, tool_flags[i], reason->text);
		if (!tool_mentions(t, c->operation, tool_flags[i]))
			return lack(t, "%s has no %s with %s", t->name, operation, tool_flags[i]);
	}
	return NULL;
}

static const char *lacks_value(const struct tool *t, const struct tool_call *c)
{
	/* A DfuSe file tells both. */
	bool in_file = c->operation == OPERATION_DOWNLOAD && t->format != TOOL_TAKES_RAW;
	const struct {
		const char *name;
		bool given;
	} values[] = { { "address", c->has_address && !in_file },
		       { "alt", c->has_alt && c->alt && !in_file },
		       { "length", c->has_length },
		       { "serial", c->serial != NULL } };

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const struct value *reason = tool_entry(t, "lacks", values[i].name);

		if (values[i].given && !tool_mentions(t, c->operation, values[i].name))
			return lack(t, "%s has no %s with a given %s%s%s", t->name, operation_name(c->operation),
				    values[i].name, reason ? ": " : "", reason ? reason->text : "");
	}
	return NULL;
}

const char *tool_lacks(const struct tool *t, const struct tool_call *c)
{
	const char *operation = operation_name(c->operation), *why;
	const struct value *reason = tool_entry(t, "lacks", operation);

	if (reason)
		return lack(t, "%s has no %s: %s", t->name, operation, reason->text);
	if (!tool_entry(t, "operations", operation))
		return lack(t, "%s has no %s", t->name, operation);
	if (c->stay && tool_always(t, "leave"))
		return lack(t, "%s has no %s without leave: %s", t->name, operation, tool_always(t, "leave"));
	why = lacks_flag(t, c);
	return why ? why : lacks_value(t, c);
}
