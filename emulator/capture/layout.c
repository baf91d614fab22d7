/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DfuSe layout strings. */
#include "layout.h"
#include <stdlib.h>
#include <string.h>

#define COUNT_MOST 0x10000u
#define SIZE_MOST 0x10000000u

/* A number at *text, which then is behind it. */
static bool number(const char **text, int base, unsigned long most, unsigned long *out)
{
	char *end;

	if (**text == '-' || **text == '+')
		return false;
	*out = strtoul(*text, &end, base);
	if (end == *text || *out > most)
		return false;
	*text = end;
	return true;
}

/* "04*016Kg" */
static bool read_span(const char **text, struct layout_span *s)
{
	unsigned long count, size;

	if (!number(text, 10, COUNT_MOST, &count) || **text != '*')
		return false;
	(*text)++;
	if (!number(text, 10, SIZE_MOST, &size))
		return false;
	if (**text == 'K' || **text == 'M' || **text == 'B' || **text == ' ') {
		size *= **text == 'K' ? 1024 : **text == 'M' ? 1024 * 1024 : 1;
		(*text)++;
	}
	while (**text == ' ')
		(*text)++;
	s->readable = s->erasable = s->writable = true;
	if (**text >= 'a' && **text <= 'g') {
		s->readable = **text & 1;
		s->erasable = **text & 2;
		s->writable = **text & 4;
		(*text)++;
	}
	s->count = (uint32_t)count;
	s->size_bytes = size > SIZE_MOST ? 0 : (uint32_t)size;
	return count && s->size_bytes && (uint64_t)count * s->size_bytes <= UINT64_C(0x100000000) - s->base;
}

/* "/0x08000000/04*016Kg,01*064Kg": the spans from one address on. */
static bool read_group(struct layout *l, unsigned memory, uint32_t *first, const char **text)
{
	unsigned long base;
	uint32_t at;
	bool more = true;

	if (!number(text, 16, 0xffffffff, &base) || **text != '/')
		return false;
	(*text)++;
	for (at = (uint32_t)base; more && l->span_count < LAYOUT_SPANS;
	     at += l->spans[l->span_count - 1].count * l->spans[l->span_count - 1].size_bytes) {
		struct layout_span *s = &l->spans[l->span_count];

		*s = (struct layout_span){ .base = at, .first = *first, .memory = memory };
		if (!read_span(text, s))
			return false;
		l->span_count++;
		*first += s->count;
		more = **text == ',';
		*text += more;
	}
	return true;
}

static void keep_name(struct layout *l, unsigned memory, const char *text)
{
	size_t n = strcspn(text, "/");

	while (n && text[n - 1] == ' ')
		n--;
	if (n > LAYOUT_NAME - 1)
		n = LAYOUT_NAME - 1;
	memcpy(l->memories[memory], text, n);
	l->memories[memory][n] = '\0';
}

bool layout_add(struct layout *l, const char *text)
{
	unsigned before = l->span_count, memory = l->memory_count;
	struct layout_sector sector;
	uint32_t first = 0;
	const char *at;

	if (text[0] != '@' || memory == LAYOUT_SPANS)
		return false;
	at = strchr(text, '/');
	if (!at || layout_sector_at(l, (uint32_t)strtoul(at + 1, NULL, 16), &sector))
		return false;
	keep_name(l, memory, text + 1);
	while (at) {
		at++;
		if (!read_group(l, memory, &first, &at))
			break;
		at = strchr(at, '/');
	}
	if (l->span_count == before)
		return false;
	l->memory_count++;
	return true;
}

bool layout_sector_at(const struct layout *l, uint32_t address, struct layout_sector *out)
{
	for (unsigned i = 0; i < l->span_count; i++) {
		const struct layout_span *s = &l->spans[i];

		if (address < s->base || address - s->base >= (uint64_t)s->count * s->size_bytes)
			continue;
		out->span = s;
		out->index = (address - s->base) / s->size_bytes;
		out->number = s->first + out->index;
		out->base = s->base + out->index * s->size_bytes;
		out->size_bytes = s->size_bytes;
		return true;
	}
	return false;
}
