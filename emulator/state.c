// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file: a strict text format, parsed in memory. */
#include "state.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "dfubench-state 1"

struct parser {
	const char *line; /* the line at hand, */
	size_t length;    /* without its newline */
	size_t at;        /* where the parser stands in it */
	unsigned number;
	struct state_error *error;
};

static int complain(struct parser *p, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int complain(struct parser *p, size_t at, const char *format, ...)
{
	va_list args;

	p->error->line = p->number;
	p->error->column = (unsigned)at + 1;
	va_start(args, format);
	vsnprintf(p->error->text, sizeof(p->error->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* What stands at a place, as it can be shown: the word or the byte. */
static const char *shown(const struct parser *p, size_t at, char out[48])
{
	size_t n = 0;

	if (at >= p->length)
		return "the end of the line";
	while (at + n < p->length && p->line[at + n] > ' ' && p->line[at + n] < 0x7f && n < 40)
		n++;
	if (n)
		snprintf(out, 48, "'%.*s'", (int)n, p->line + at);
	else if (p->line[at] == ' ')
		return "a blank";
	else
		snprintf(out, 48, "byte 0x%02x", (unsigned char)p->line[at]);
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int parse_bytes(struct parser *p, uint8_t *out, size_t count)
{
	char text[48];

	for (size_t i = 0; i < 2 * count; i++, p->at++) {
		int digit = p->at < p->length ? hex_digit(p->line[p->at]) : -1;

		if (digit < 0)
			return complain(p, p->at, "%s after %zu of %zu hex digits", shown(p, p->at, text), i,
					2 * count);
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | digit : digit << 4);
	}
	return 0;
}

static int parse_blank(struct parser *p)
{
	char text[48];

	if (p->at >= p->length || p->line[p->at] != ' ')
		return complain(p, p->at, "%s where one blank must be", shown(p, p->at, text));
	p->at++;
	return 0;
}

static int parse_number(struct parser *p, uint32_t *out)
{
	size_t start = p->at;
	uint64_t value = 0;
	char text[48];

	while (p->at < p->length && p->line[p->at] >= '0' && p->line[p->at] <= '9') {
		value = value * 10 + (uint64_t)(p->line[p->at++] - '0');
		if (value > UINT32_MAX)
			return complain(p, start, "%s is more than %u", shown(p, start, text), UINT32_MAX);
	}
	if (p->at == start)
		return complain(p, start, "%s where a number must be", shown(p, start, text));
	*out = (uint32_t)value;
	return 0;
}

static void set_sizes(struct board_state *s)
{
	const struct mcu_profile *p = s->profile;

	s->otp_bytes = (size_t)p->otp_block_bytes * p->otp_block_count + p->otp_lock_bytes;
	s->option_bytes = option_bytes_size(p);
	assert(s->otp_bytes <= STATE_OTP_BYTES);
}

static int parse_profile(struct parser *p, struct board_state *s)
{
	char name[48];
	size_t n = p->length - p->at;

	if (n < sizeof(name) && !memchr(p->line + p->at, 0, n)) {
		memcpy(name, p->line + p->at, n);
		name[n] = 0;
		s->profile = mcu_profile_find(name);
	}
	if (!s->profile)
		return complain(p, p->at, "there is no profile %s (dfuemu profiles lists them)", shown(p, p->at, name));
	set_sizes(s);
	s->sectors = 0;
	for (const struct flash_sectors *run = s->profile->sectors; run->count; run++)
		s->sectors += run->count;
	assert(s->sectors <= STATE_SECTORS);
	p->at = p->length;
	return 0;
}

static int parse_uid(struct parser *p, struct board_state *s)
{
	for (unsigned i = 0; i < 3; i++) {
		uint8_t b[4];
		int r = i ? parse_blank(p) : 0;

		if (!r)
			r = parse_bytes(p, b, 4);
		if (r)
			return r;
		s->identity.uid[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	}
	return 0;
}

static int parse_options(struct parser *p, struct board_state *s)
{
	return parse_bytes(p, s->options, s->option_bytes);
}

static int parse_otp(struct parser *p, struct board_state *s)
{
	return parse_bytes(p, s->otp, s->otp_bytes);
}

static int parse_erase_counts(struct parser *p, struct board_state *s)
{
	for (unsigned i = 0; i < s->sectors; i++) {
		int r = i ? parse_blank(p) : 0;

		if (!r)
			r = parse_number(p, &s->erase_counts[i]);
		if (r)
			return r;
	}
	return 0;
}

/* The profile comes first: the others' lengths depend on it. */
static const struct key {
	const char *name;
	int (*parse)(struct parser *, struct board_state *);
} keys[] = {
	{ "profile", parse_profile },           { "uid", parse_uid },
	{ "option-bytes", parse_options },      { "otp", parse_otp },
	{ "erase-counts", parse_erase_counts },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static int parse_line(struct parser *p, struct board_state *s, bool seen[KEYS])
{
	const char *colon = memchr(p->line, ':', p->length);
	size_t name_length = colon ? (size_t)(colon - p->line) : 0;
	char text[48];
	int r;

	if (!colon)
		return complain(p, 0, "%s: a line must be 'key: value'", shown(p, 0, text));
	for (size_t i = 0; i < KEYS; i++) {
		if (strlen(keys[i].name) != name_length || memcmp(keys[i].name, p->line, name_length))
			continue;
		if (seen[i])
			return complain(p, 0, "'%s' a second time", keys[i].name);
		if (i && !seen[0])
			return complain(p, 0, "'%s' before 'profile'", keys[i].name);
		seen[i] = true;
		p->at = name_length + 1;
		r = parse_blank(p);
		if (!r)
			r = keys[i].parse(p, s);
		if (!r && p->at < p->length)
			r = complain(p, p->at, "%s after the value", shown(p, p->at, text));
		return r;
	}
	return complain(p, 0, "unknown key %s: there are profile, uid, option-bytes, otp and erase-counts",
			shown(p, 0, text));
}

int state_parse(const char *text, size_t length, struct board_state *s, struct state_error *error)
{
	struct parser p = { .error = error };
	const char *end = text + length;
	bool seen[KEYS] = { false };
	char word[48];

	memset(s, 0, sizeof(*s));
	while (text < end || !p.number) {
		const char *newline = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;
		int r;

		p.line = text;
		p.length = (size_t)((newline ? newline : end) - text);
		p.at = 0;
		p.number++;
		if (p.number == 1)
			r = p.length == strlen(HEADER) && !memcmp(text, HEADER, p.length)
				    ? 0
				    : complain(&p, 0, "%s: the first line must be '" HEADER "'", shown(&p, 0, word));
		else
			r = parse_line(&p, s, seen);
		if (r)
			return r;
		if (!newline)
			return complain(&p, p.length, "the last line has no end");
		text = newline + 1;
	}
	for (size_t i = 0; i < KEYS; i++) {
		p.number += i == 0;
		if (!seen[i])
			return complain(&p, 0, "the file ends without '%s'", keys[i].name);
	}
	return 0;
}

static void put_bytes(FILE *out, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%02X", bytes[i]);
}

char *state_format(const struct board_state *s)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	bool failed;

	if (!out)
		return NULL;
	fprintf(out, HEADER "\nprofile: %s\n", s->profile->name);
	fprintf(out, "uid: %08X %08X %08X\n", s->identity.uid[0], s->identity.uid[1], s->identity.uid[2]);
	fputs("option-bytes: ", out);
	put_bytes(out, s->options, s->option_bytes);
	fputs("\notp: ", out);
	put_bytes(out, s->otp, s->otp_bytes);
	fputs("\nerase-counts:", out);
	for (unsigned i = 0; i < s->sectors; i++)
		fprintf(out, " %u", s->erase_counts[i]);
	fputc('\n', out);
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

void state_get(struct board_state *s, const struct mcu_profile *profile, const struct flash *flash)
{
	s->profile = profile;
	set_sizes(s);
	s->sectors = flash_sector_count(flash);
	assert(s->sectors <= STATE_SECTORS);
	flash_read_options(flash, s->options);
	flash_get_otp(flash, s->otp, s->otp_bytes);
	for (unsigned i = 0; i < s->sectors; i++)
		s->erase_counts[i] = flash_erase_count(flash, i);
}

void state_put(const struct board_state *s, struct flash *flash)
{
	flash_set_options(flash, s->options);
	flash_set_otp(flash, s->otp, s->otp_bytes);
	for (unsigned i = 0; i < s->sectors; i++)
		flash_set_erase_count(flash, i, s->erase_counts[i]);
}
