// SPDX-License-Identifier: GPL-2.0-or-later
/* Scripted hosts: words, numbers and data of a request. */
#include "host_words.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "fault_rule.h"

struct mark word_mark(const struct parser *p, const char *at)
{
	/* The lines of a block of text begin at the same column. */
	return (struct mark){ .file = p->base.file,
			      .line = p->base.line + p->line,
			      .column = p->base.column + (unsigned)(at - p->text) };
}

__attribute__((format(printf, 3, 4))) void word_mistake(struct parser *p, const char *at, const char *format, ...)
{
	char text[256];
	va_list args;

	if (p->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_add(p->problems, word_mark(p, at), p->excerpt, "%s", text);
	p->failed = true;
}

void word_unknown(struct parser *p, const struct word *w, const char *what, const char *const *words)
{
	if (p->failed)
		return;
	problems_unknown(p->problems, word_mark(p, w->text), p->excerpt, what, w->copy, words);
	p->failed = true;
}

char *word_copy(struct parser *p, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		p->no_memory = p->failed = true;
	return copy;
}

/* Words */

bool word_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool word_peek(struct parser *p, struct word *w)
{
	const char *end;

	while (p->at < p->end && word_is_blank(*p->at))
		p->at++;
	w->text = end = p->at;
	while (end < p->end && !word_is_blank(*end) && *end != ';')
		end++;
	w->length = (size_t)(end - w->text);
	snprintf(w->copy, sizeof(w->copy), "%.*s", (int)w->length, w->text);
	for (char *c = w->copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return w->length > 0;
}

bool word_next(struct parser *p, struct word *w, const char *what)
{
	if (!word_peek(p, w)) {
		word_mistake(p, w->text, "%s is missing", what);
		return false;
	}
	p->at = w->text + w->length;
	return true;
}

bool word_is(const struct word *w, const char *text)
{
	return w->length == strlen(text) && !strncasecmp(w->text, text, w->length);
}

bool word_accept(struct parser *p, const char *text)
{
	struct word w;

	if (!word_peek(p, &w) || !word_is(&w, text))
		return false;
	p->at = w.text + w.length;
	return true;
}

bool word_accept_chunk(struct parser *p)
{
	const char *at = p->at;

	if (!word_accept(p, "@"))
		return false;
	if (!p->each)
		word_mistake(p, at + strspn(at, " \t"), "'@' stands for a chunk of a file: after 'each ...:' alone");
	return true;
}

/* Decimal or 0x..., and K or M after it. */
static bool read_number(const struct word *w, uint64_t *number)
{
	const char *digits = w->copy;
	unsigned base = 10;
	uint64_t n = 0, unit = 1;
	size_t i = 0;

	if (w->length >= sizeof(w->copy))
		return false;
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		base = 16;
		digits += 2;
	}
	for (; digits[i]; i++) {
		const char *all = "0123456789abcdef";
		const char *digit = strchr(all, digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] + 32 : digits[i]);

		if (!digit || (size_t)(digit - all) >= base)
			break;
		n = n * base + (uint64_t)(digit - all);
		if (n > UINT32_MAX)
			return false;
	}
	if (digits[i]) {
		unit = digits[i] == 'K' ? 1024 : digits[i] == 'M' ? 1024 * 1024 : 0;
		if (!unit || digits[i + 1])
			return false;
	}
	*number = n * unit;
	return i && *number <= UINT32_MAX;
}

uint64_t word_number(struct parser *p, const char *what, uint64_t most)
{
	struct word w;
	uint64_t n = 0;

	if (!word_next(p, &w, what))
		return 0;
	if (!read_number(&w, &n))
		word_mistake(p, w.text, "'%s' is no number: %s was expected", w.copy, what);
	else if (n > most)
		word_mistake(p, w.text, "%s is %s, and at most %llu (0x%llx)", what, w.copy, (unsigned long long)most,
			     (unsigned long long)most);
	return n;
}

size_t word_size(struct parser *p, const char *what)
{
	return (size_t)word_number(p, what, UINT32_MAX);
}

uint64_t word_duration(struct parser *p, const char *what)
{
	struct word w;
	uint64_t us = 0;

	if (word_next(p, &w, what) && !fault_time_parse(w.copy, &us))
		word_mistake(p, w.text, "'%s' is no time: %s has a unit (100ms, 5s, 1min)", w.copy, what);
	return us;
}

/* Quoted text */

const char *word_outside_quotes(const char *text, const char *end, char c)
{
	bool quoted = false;

	for (; text < end; text++) {
		if (*text == '"')
			quoted = !quoted;
		else if (quoted && *text == '\\' && text + 1 < end)
			text++;
		else if (!quoted && *text == c)
			return text;
	}
	return NULL;
}

static int nibble(char c);

/* What a backslash stands for, at its next character; -1: nothing. */
static int escaped(const char *at, const char *end, unsigned *used)
{
	static const char letters[] = "nrt\\\"", bytes[] = "\n\r\t\\\"";
	const char *letter = at < end ? memchr(letters, *at, sizeof(letters) - 1) : NULL;

	*used = 1;
	if (letter)
		return bytes[letter - letters];
	if (end - at < 3 || *at != 'x' || nibble(at[1]) < 0 || nibble(at[2]) < 0)
		return -1;
	*used = 3;
	return nibble(at[1]) << 4 | nibble(at[2]);
}

char *word_quoted(struct parser *p, const char *what, size_t *length)
{
	struct word w;
	char *out;
	const char *at;

	*length = 0;
	word_peek(p, &w);
	if (w.text == p->end || *w.text != '"') {
		word_mistake(p, w.text, "%s is missing: \"...\" was expected", what);
		return NULL;
	}
	out = malloc((size_t)(p->end - w.text) + 1);
	if (!out) {
		p->no_memory = p->failed = true;
		return NULL;
	}
	for (at = w.text + 1; at < p->end && *at != '"'; at++) {
		unsigned used;
		int byte = (unsigned char)*at;

		if (*at == '\\') {
			byte = escaped(at + 1, p->end, &used);
			if (byte < 0) {
				word_mistake(p, at, "only \\n \\r \\t \\\\ \\\" and \\xHH may follow a backslash");
				free(out);
				return NULL;
			}
			at += used;
		}
		out[(*length)++] = (char)byte;
	}
	if (at == p->end) {
		word_mistake(p, w.text, "%s has no closing '\"'", what);
		free(out);
		return NULL;
	}
	p->at = at + 1;
	out[*length] = 0;
	return out;
}

/* Data */

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static void read_hex(struct parser *p, struct host_data *d)
{
	struct word w;
	size_t room = (size_t)(p->end - p->at) / 2 + 1;

	d->bytes = malloc(room);
	if (!d->bytes) {
		p->no_memory = p->failed = true;
		return;
	}
	while (word_peek(p, &w) && !word_is(&w, "->")) {
		for (size_t i = 0; i < w.length; i += 2) {
			if (nibble(w.text[i]) < 0 || i + 1 == w.length || nibble(w.text[i + 1]) < 0) {
				word_mistake(p, w.text + i,
					     "'%.*s' is no byte: two hexadecimal digits each were expected",
					     i + 1 == w.length ? 1 : 2, w.text + i);
				return;
			}
			d->bytes[d->length++] = (uint8_t)(nibble(w.text[i]) << 4 | nibble(w.text[i + 1]));
		}
		p->at = w.text + w.length;
	}
	if (!d->length)
		word_mistake(p, w.text, "bytes are missing: 'hex 00 ff' or 'empty'");
	else if (d->length > TRANSFER_MAX)
		word_mistake(p, w.text, "%zu bytes are more than a request can have (%u)", d->length, TRANSFER_MAX);
}

static void read_fill(struct parser *p, struct host_data *d)
{
	uint8_t byte = (uint8_t)word_number(p, "the byte to fill with", 0xff);

	d->length = (size_t)word_number(p, "the number of bytes", TRANSFER_MAX);
	if (d->length > TRANSFER_MAX) /* it has been told */
		d->length = 0;
	d->bytes = malloc(d->length + 1);
	if (d->bytes)
		memset(d->bytes, byte, d->length);
	else
		p->no_memory = p->failed = true;
}

static void read_range(struct parser *p, struct host_data *d)
{
	for (;;) {
		if (word_accept(p, "offset"))
			d->offset = word_size(p, "the offset");
		else if (word_accept(p, "length")) {
			d->length = word_size(p, "the length");
			d->has_length = true;
		} else
			return;
	}
}

void word_file(struct parser *p, struct host_data *d)
{
	struct word w;

	d->kind = HOST_FILE;
	if (!word_next(p, &w, "the name of a file"))
		return;
	d->mark = word_mark(p, w.text);
	d->file = word_copy(p, w.text, w.length);
	read_range(p, d);
}

bool word_data(struct parser *p, struct host_data *d)
{
	struct word w;

	word_peek(p, &w);
	d->mark = word_mark(p, w.text);
	d->kind = HOST_BYTES;
	if (word_accept(p, "hex"))
		read_hex(p, d);
	else if (word_accept(p, "fill"))
		read_fill(p, d);
	else if (word_accept(p, "file"))
		word_file(p, d);
	else if (word_accept_chunk(p))
		d->kind = HOST_CHUNK;
	else if (!word_accept(p, "empty")) {
		d->kind = HOST_NO_DATA;
		return false;
	}
	return true;
}

void word_needs_data(struct parser *p, struct host_data *d)
{
	static const char *const words[] = { "hex", "file", "fill", "empty", "@", NULL };
	struct word w;

	if (!word_data(p, d) && word_next(p, &w, "what to send (hex BYTES, file NAME, fill BYTE LENGTH, empty)"))
		word_unknown(p, &w, "unknown kind of data", words);
}
