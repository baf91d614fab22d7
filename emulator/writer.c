// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON (RFC 8259), and the same for people. */
#include "writer.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct writer *w, const char *bytes, size_t length)
{
	if (w->failed)
		return;
	if (w->size - w->used <= length) {
		size_t size = 2 * (w->used + length) + 64;
		char *text = realloc(w->text, size);

		if (!text) {
			w->failed = true;
			return;
		}
		w->text = text;
		w->size = size;
	}
	memcpy(w->text + w->used, bytes, length);
	w->used += length;
	w->text[w->used] = 0;
}

static void put_format(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_format(struct writer *w, const char *format, ...)
{
	char line[64];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < sizeof(line));
	put(w, line, (size_t)n);
}

/* Bytes of the well-formed UTF-8 sequence at s (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : 0;

	if (s[0] >= 0xf0 && s[0] < 0xf5)
		n = 4;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

static void put_escaped(struct writer *w, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	put(w, "\"", 1);
	while (*s) {
		size_t n = utf8_length(s);

		if (!n) {
			put(w, "\\ufffd", 6);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			put_format(w, "\\%c", *s);
		} else if (*s == '\n') {
			put(w, "\\n", 2);
		} else if (*s < ' ' || *s == 0x7f) {
			put_format(w, "\\u%04x", *s);
		} else {
			put(w, (const char *)s, n);
		}
		s += n;
	}
	put(w, "\"", 1);
}

/* For a terminal: nothing that steers it. */
static void put_plain(struct writer *w, const char *value)
{
	for (; *value; value++)
		put(w, (unsigned char)*value < ' ' || *value == 0x7f ? "?" : value, 1);
}

static void put_key(struct writer *w, const char *key)
{
	if (w->json) {
		if (w->filled[w->depth])
			put(w, ",", 1);
		if (key)
			put_format(w, "\"%.48s\":", key);
	} else {
		unsigned indent = w->depth;

		if (w->dash)
			indent--;
		for (unsigned i = 0; i < indent; i++)
			put(w, "  ", 2);
		if (w->dash || !key)
			put(w, "- ", 2);
		w->dash = false;
		if (key)
			put_format(w, "%.48s: ", key);
	}
	w->filled[w->depth] = true;
}

static void end_value(struct writer *w)
{
	if (!w->json)
		put(w, "\n", 1);
}

void writer_init(struct writer *w, bool json)
{
	*w = (struct writer){ .json = json };
	if (json)
		put(w, "{", 1);
}

void writer_free(struct writer *w)
{
	free(w->text);
	*w = (struct writer){ 0 };
}

bool writer_failed(const struct writer *w)
{
	return w->failed;
}

static void open_level(struct writer *w, const char *key, bool array)
{
	bool element = w->array[w->depth];

	assert(w->depth + 1 < WRITER_DEPTH);
	if (w->json) {
		put_key(w, key);
		put(w, array ? "[" : "{", 1);
	} else if (element) {
		w->filled[w->depth] = true;
		w->dash = true;
	} else {
		put_key(w, key);
		if (!w->failed)
			w->used--; /* no blank before the end of the line */
		end_value(w);
	}
	w->depth++;
	w->filled[w->depth] = false;
	w->array[w->depth] = array;
}

void writer_object(struct writer *w, const char *key)
{
	open_level(w, key, false);
}

void writer_array(struct writer *w, const char *key)
{
	open_level(w, key, true);
}

void writer_end(struct writer *w)
{
	assert(w->depth);
	if (w->json)
		put(w, w->array[w->depth] ? "]" : "}", 1);
	w->dash = false;
	w->depth--;
}

void writer_string(struct writer *w, const char *key, const char *value)
{
	put_key(w, key);
	if (w->json)
		put_escaped(w, value);
	else
		put_plain(w, value);
	end_value(w);
}

void writer_number(struct writer *w, const char *key, uint64_t value)
{
	put_key(w, key);
	put_format(w, "%llu", (unsigned long long)value);
	end_value(w);
}

void writer_hex(struct writer *w, const char *key, uint32_t value)
{
	put_key(w, key);
	put_format(w, w->json ? "%lu" : "0x%08lx", (unsigned long)value);
	end_value(w);
}

void writer_bool(struct writer *w, const char *key, bool value)
{
	put_key(w, key);
	if (w->json)
		put_format(w, "%s", value ? "true" : "false");
	else
		put_format(w, "%s", value ? "yes" : "no");
	end_value(w);
}

void writer_finish(struct writer *w)
{
	while (w->depth)
		writer_end(w);
	if (w->json)
		put(w, "}", 1);
}
