// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables for people. */
#include "columns.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "text.h"

#define PLAIN "\033[0m"
#define BOLD "\033[1m"
#define GAP 2

struct cell {
	char *text;
	const char *colour;
	const char *(*colour_of)(char);
};

struct columns {
	const char *const *heads;
	unsigned count;
	struct cell *cells;
	size_t used, size;
	bool failed;
};

struct columns *columns_new(const char *const *heads)
{
	struct columns *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->heads = heads;
	while (heads[c->count] && c->count < COLUMNS_MOST)
		c->count++;
	return c;
}

void columns_free(struct columns *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->used; i++)
		free(c->cells[i].text);
	free(c->cells);
	free(c);
}

char *columns_text(const char *text)
{
	char *clean = text_clean(text);

	for (char *p = clean; p && *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	return clean;
}

/* Takes the text over. */
static void add(struct columns *c, char *text, const char *colour, const char *(*colour_of)(char))
{
	if (c->used == c->size) {
		size_t size = c->size ? 2 * c->size : 64;
		struct cell *more = realloc(c->cells, size * sizeof(*more));

		if (more) {
			c->cells = more;
			c->size = size;
		}
	}
	if (!text || c->used == c->size) {
		c->failed = true;
		free(text);
		return;
	}
	c->cells[c->used++] = (struct cell){ text, colour, colour_of };
}

void columns_add(struct columns *c, const char *colour, const char *format, ...)
{
	char *text, *clean = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		clean = columns_text(text);
		free(text);
	}
	va_end(args);
	add(c, clean, colour, NULL);
}

void columns_add_strip(struct columns *c, const char *letters, const char *(*colour_of)(char))
{
	add(c, strdup(letters), NULL, colour_of);
}

/* Characters of UTF-8; each is taken to be one wide. */
static unsigned width_of(const char *text)
{
	unsigned width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_strip(FILE *out, const struct cell *cell)
{
	const char *now = NULL;

	for (const char *p = cell->text; *p; p++) {
		const char *next = cell->colour_of(*p);

		if (next != now)
			fprintf(out, "%s%s", now ? PLAIN : "", next ? next : "");
		now = next;
		putc(*p, out);
	}
	if (now)
		fputs(PLAIN, out);
}

/* *blank: columns that are behind, which are filled once something stands behind them. */
static void print_cell(FILE *out, const struct cell *cell, unsigned width, bool right, unsigned *blank, bool colour)
{
	unsigned own = width_of(cell->text), pad = width > own ? width - own : 0;

	if (!own) {
		*blank += width + GAP;
		return;
	}
	fprintf(out, "%*s", (int)(*blank + (right ? pad : 0)), "");
	if (colour && cell->colour_of)
		print_strip(out, cell);
	else if (colour && cell->colour)
		fprintf(out, "%s%s" PLAIN, cell->colour, cell->text);
	else
		fputs(cell->text, out);
	*blank = (right ? 0 : pad) + GAP;
}

int columns_print(const struct columns *c, FILE *out, bool colour)
{
	unsigned widths[COLUMNS_MOST] = { 0 }, blank = 0;
	struct cell head = { .colour = BOLD };

	if (c->failed)
		return -ENOMEM;
	for (unsigned i = 0; i < c->count; i++)
		widths[i] = width_of(c->heads[i] + (c->heads[i][0] == '>'));
	for (size_t i = 0; i < c->used; i++) {
		unsigned width = width_of(c->cells[i].text);

		if (width > widths[i % c->count])
			widths[i % c->count] = width;
	}
	for (size_t i = 0; i < c->count + c->used; i++) {
		unsigned column = (unsigned)(i % c->count);
		bool right = c->heads[column][0] == '>';

		head.text = (char *)c->heads[column] + right;
		print_cell(out, i < c->count ? &head : &c->cells[i - c->count], widths[column], right, &blank, colour);
		if (column == c->count - 1) {
			putc('\n', out);
			blank = 0;
		}
	}
	return 0;
}
