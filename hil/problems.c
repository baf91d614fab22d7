// SPDX-License-Identifier: GPL-2.0-or-later
/* Mistakes in files: kept in memory of their own, since the files are gone when they are printed. */
#include "problems.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "suggest.h"

/* A file with more mistakes than that is no attempt at one; what is beyond is counted. */
#define PROBLEMS_KEPT 1000
#define EXCERPT_WIDTH 120 /* characters of a line that are shown */

struct problem {
	char *file, *excerpt, *text;
	unsigned line, column;
	size_t order;
};

struct problems {
	struct problem *list;
	size_t kept, room, count;
	const char *(*line)(void *context, const char *file, unsigned line);
	void *context;
};

struct problems *problems_new(void)
{
	return calloc(1, sizeof(struct problems));
}

static void problem_clear(struct problem *p)
{
	free(p->file);
	free(p->excerpt);
	free(p->text);
}

void problems_free(struct problems *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->kept; i++)
		problem_clear(&p->list[i]);
	free(p->list);
	free(p);
}

void problems_lines(struct problems *p, const char *(*line)(void *context, const char *file, unsigned line),
		    void *context)
{
	p->line = line;
	p->context = context;
}

/* What aliases repeat is read, and found wrong, more than once. */
static bool is_known(const struct problems *p, const struct problem *new)
{
	for (size_t i = 0; i < p->kept; i++) {
		const struct problem *old = &p->list[i];

		if (new->line && old->line == new->line && old->column == new->column &&new->file && old->file &&
		    !strcmp(old->file, new->file) && !strcmp(old->text, new->text))
			return true;
	}
	return false;
}

void problems_add(struct problems *p, struct mark mark, const char *excerpt, const char *format, ...)
{
	struct problem new = { .line = mark.line, .column = mark.column, .order = p->kept };
	va_list args;
	int r;

	p->count++;
	if (p->kept == PROBLEMS_KEPT)
		return;
	va_start(args, format);
	r = vasprintf(&new.text, format, args);
	va_end(args);
	if (r < 0)
		return;
	if (!excerpt && mark.line && p->line)
		excerpt = p->line(p->context, mark.file, mark.line);
	new.file = mark.file ? strdup(mark.file) : NULL;
	new.excerpt = excerpt ? strdup(excerpt) : NULL;
	if (is_known(p, &new)) {
		p->count--;
		problem_clear(&new);
		return;
	}
	if (p->kept == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		struct problem *list = realloc(p->list, room * sizeof(*list));

		if (!list) {
			problem_clear(&new);
			return;
		}
		p->list = list;
		p->room = room;
	}
	p->list[p->kept++] = new;
}

void problems_unknown(struct problems *p, struct mark mark, const char *excerpt, const char *what, const char *word,
		      const char *const *words)
{
	const char *near = suggest_nearest(word, words);
	char *list = NULL;
	size_t size = 0;
	FILE *f;

	if (near) {
		problems_add(p, mark, excerpt, "%s '%s', did you mean '%s'?", what, word, near);
		return;
	}
	f = words[0] ? open_memstream(&list, &size) : NULL;
	for (size_t i = 0; f && words[i]; i++)
		fprintf(f, "%s%s", i ? ", " : "", words[i]);
	if (f && !fclose(f))
		problems_add(p, mark, excerpt, "%s '%s' (there are: %s)", what, word, list);
	else
		problems_add(p, mark, excerpt, "%s '%s'", what, word);
	free(list);
}

size_t problems_count(const struct problems *p)
{
	return p->count;
}

/* One character: its code point, or a byte that is no UTF-8 as it is with *bad set. Returns its length. */
static size_t character(const char *text, uint32_t *code, bool *bad)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t length = s[0] < 0x80             ? 1
			: (s[0] & 0xe0) == 0xc0 ? 2
			: (s[0] & 0xf0) == 0xe0 ? 3
			: (s[0] & 0xf8) == 0xf0 ? 4
						: 0;

	*bad = !length;
	*code = length == 1 ? s[0] : length ? s[0] & (0x7fu >> length) : s[0];
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			*bad = true;
			*code = s[0];
			return 1;
		}
		*code = *code << 6 | (s[i] & 0x3f);
	}
	return length ? length : 1;
}

/* What a terminal would obey, or what would show a line in another order than it stands in the file. */
static bool is_hostile(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c > 0x10ffff || (c >= 0xd800 && c < 0xe000);
}

/* Writes one character so that it can be seen; returns the columns that it takes. f: NULL only counts. */
static int put(FILE *f, const char *text, size_t *length)
{
	char shown[16];
	uint32_t code;
	bool bad;

	*length = character(text, &code, &bad);
	if (!bad && !is_hostile(code)) {
		if (f)
			fwrite(text, 1, *length, f);
		return 1;
	}
	if (code == '\t')
		snprintf(shown, sizeof(shown), "\\t");
	else if (bad || code < 0x100)
		snprintf(shown, sizeof(shown), "\\x%02x", (unsigned)code);
	else
		snprintf(shown, sizeof(shown), "\\u%04x", (unsigned)code);
	if (f)
		fputs(shown, f);
	return (int)strlen(shown);
}

static void put_text(FILE *f, const char *text)
{
	size_t length;

	for (; *text; text += length)
		put(f, text, &length);
}

/* The line, or as much of it as fits around the column, and a caret below that. */
static void put_excerpt(FILE *f, const struct problem *p, bool colour)
{
	const char *s = p->excerpt;
	unsigned first = p->column > EXCERPT_WIDTH * 3 / 4 ? p->column - EXCERPT_WIDTH / 2 : 1, at = 1;
	int width = 0, caret = -1;
	size_t length;

	for (; at < first && *s; at++, s += length)
		put(NULL, s, &length);
	fprintf(f, "    %s", first > 1 ? "..." : "");
	width = first > 1 ? 3 : 0;
	for (; *s && at < first + EXCERPT_WIDTH; at++, s += length) {
		if (at == p->column)
			caret = width;
		width += put(f, s, &length);
	}
	fputs(*s ? "...\n" : "\n", f);
	if (p->column)
		fprintf(f, "    %*s%s^%s\n", caret < 0 ? width : caret, "", colour ? "\033[1;32m" : "",
			colour ? "\033[0m" : "");
}

static int compare(const void *a, const void *b)
{
	const struct problem *x = *(const struct problem *const *)a, *y = *(const struct problem *const *)b;
	int files = strcmp(x->file ? x->file : "", y->file ? y->file : "");

	if (files)
		return files;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void print(const struct problem *p, FILE *f, bool colour)
{
	if (colour)
		fputs("\033[1m", f);
	if (p->file) {
		put_text(f, p->file);
		if (p->line)
			fprintf(f, ":%u:%u", p->line, p->column);
		fputs(": ", f);
	}
	fputs(colour ? "\033[31merror:\033[0m " : "error: ", f);
	put_text(f, p->text);
	fputc('\n', f);
	if (p->excerpt && p->line)
		put_excerpt(f, p, colour);
}

void problems_print(const struct problems *p, FILE *f, bool colour)
{
	const struct problem **sorted = calloc(p->kept ? p->kept : 1, sizeof(const struct problem *));

	if (!sorted) {
		fprintf(f, "error: no memory to show %zu mistakes\n", p->count);
		return;
	}
	for (size_t i = 0; i < p->kept; i++)
		sorted[i] = &p->list[i];
	qsort(sorted, p->kept, sizeof(const struct problem *), compare);
	for (size_t i = 0; i < p->kept; i++)
		print(sorted[i], f, colour);
	if (p->count > p->kept)
		fprintf(f, "error: and %zu more\n", p->count - p->kept);
	free(sorted);
}
