/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns over requests: text to a few masks and comparisons. */
#include "pattern_internal.h"
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "suggest.h"

#define WORD_BYTES 160
static const char *const keys[] = {
	"block", "length", "address", "alt", "value", "index", "poll", "data", "board", NULL
};

/* The first mistake ends the reading. */
struct parser {
	const char *text;
	size_t at, word_at; /* word_at: where the word begins */
	char word[WORD_BYTES];
	char *why;
	size_t *column;
};

static const char *const standard_names[STANDARD_COUNT] = {
	"GET_STATUS",
	"CLEAR_FEATURE",
	NULL,
	"SET_FEATURE",
	NULL,
	"SET_USB_ADDRESS",
	"GET_DESCRIPTOR",
	"SET_DESCRIPTOR",
	"GET_CONFIGURATION",
	"SET_CONFIGURATION",
	"GET_INTERFACE",
	"SET_INTERFACE",
	"SYNCH_FRAME",
};
static const char *const result_names[] = {
	[USB_ACK] = "ACK",   [USB_STALL] = "STALL", [USB_SILENT] = "SILENT", [USB_CANCELLED] = "CANCELLED",
	[USB_GONE] = "GONE",
};
#define RESULTS (sizeof(result_names) / sizeof(result_names[0]))
#define SUGGESTIONS (DFUSE_OPS + STANDARD_COUNT + 4 + STATES + 1 + STATUSES + RESULTS)

static int wrong(struct parser *p, size_t at, const char *format, const char *word, const char *const *words)
{
	const char *near = words ? suggest_nearest(word, words) : NULL;
	int n;

	*p->column = at + 1;
	n = snprintf(p->why, PATTERN_WHY, format, word);
	if (n < 0 || n >= PATTERN_WHY)
		return -1;
	if (near) {
		snprintf(p->why + n, PATTERN_WHY - (size_t)n, ", did you mean '%s'?", near);
		return -1;
	}
	for (size_t i = 0; words && words[i] && n < PATTERN_WHY; i++)
		n += snprintf(p->why + n, PATTERN_WHY - (size_t)n, "%s%s", i ? ", " : ": one of ", words[i]);
	return -1;
}

/* The next word, blank ended; false at the end of the text. */
static bool next_word(struct parser *p)
{
	size_t n = 0;

	while (isspace((unsigned char)p->text[p->at]))
		p->at++;
	p->word_at = p->at;
	while (p->text[p->at] && !isspace((unsigned char)p->text[p->at])) {
		if (n < sizeof(p->word) - 1)
			p->word[n++] = p->text[p->at];
		p->at++;
	}
	p->word[n] = '\0';
	return n > 0;
}

/* A word that no list has the length of is in none. */
static bool too_long(const struct parser *p)
{
	return p->at - p->word_at >= sizeof(p->word);
}

static int find(const char *word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] && !strcasecmp(word, names[i]))
			return (int)i;
	return -1;
}

/* "set-address" is as good as "SET_ADDRESS". */
static uint64_t operation_bits(const char *word)
{
	char name[WORD_BYTES];
	int n;

	snprintf(name, sizeof(name), "%s", word);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (!strcasecmp(name, "ANY"))
		return ANY_TRANSFER;
	if (!strcasecmp(name, "DFU"))
		return BIT(DFUSE_OPS) - 2; /* all but OP_NONE */
	if (!strcasecmp(name, "DNLOAD"))
		return DNLOADS;
	if (!strcasecmp(name, "UPLOAD"))
		return UPLOADS;
	for (int op = OP_NONE + 1; op < DFUSE_OPS; op++)
		if (!strcasecmp(name, dfuse_op_name((enum dfuse_op)op)))
			return BIT(op);
	n = find(name, standard_names, STANDARD_COUNT);
	return n < 0 ? 0 : BIT(STANDARD_FIRST + n);
}

static int unknown_operation(struct parser *p, size_t at, const char *word)
{
	const char *words[SUGGESTIONS];
	size_t n = 0;

	words[n++] = "ANY";
	words[n++] = "DFU";
	words[n++] = "DNLOAD";
	words[n++] = "UPLOAD";
	for (int op = OP_NONE + 1; op < DFUSE_OPS; op++)
		words[n++] = dfuse_op_name((enum dfuse_op)op);
	for (int i = 0; i < STANDARD_COUNT; i++)
		if (standard_names[i])
			words[n++] = standard_names[i];
	words[n] = NULL;
	return wrong(p, at, "unknown request '%s'", word, words);
}

/* Each part of a|b|c in turn, through take(). */
static int each_part(struct parser *p, struct pattern *q,
		     int (*take)(struct parser *, struct pattern *, size_t at, const char *part))
{
	char *part = p->word;

	if (too_long(p))
		return wrong(p, p->word_at, "'%.40s...' is too long", p->word, NULL);
	for (;;) {
		char *bar = strchr(part, '|');

		if (bar)
			*bar = '\0';
		if (take(p, q, p->word_at + (size_t)(part - p->word), part))
			return -1;
		if (!bar)
			return 0;
		part = bar + 1;
	}
}

static int take_operation(struct parser *p, struct pattern *q, size_t at, const char *part)
{
	uint64_t bits = operation_bits(part);

	if (!bits)
		return unknown_operation(p, at, part);
	q->operations |= bits;
	return 0;
}

static uint32_t state_bit(const char *word)
{
	for (unsigned s = 0; s < STATES; s++)
		if (!strcasecmp(word, dfu_state_name(s)))
			return UINT32_C(1) << s;
	return strcasecmp(word, "unknown") ? 0 : UNKNOWN_BIT;
}

static size_t add_states(const char **words, size_t n)
{
	for (unsigned s = 0; s < STATES; s++)
		words[n++] = dfu_state_name(s);
	words[n++] = "unknown";
	return n;
}

static int take_state(struct parser *p, struct pattern *q, size_t at, const char *part)
{
	const char *words[STATES + 2];
	uint32_t bit = state_bit(part);

	q->has_before = true;
	q->before |= bit;
	if (bit)
		return 0;
	words[add_states(words, 0)] = NULL;
	return wrong(p, at, "unknown state '%s'", part, words);
}

static int take_outcome(struct parser *p, struct pattern *q, size_t at, const char *part)
{
	const char *words[SUGGESTIONS];
	size_t n = 0;
	int result = find(part, result_names, RESULTS);
	uint32_t bit = state_bit(part);

	q->has_outcome = true;
	if (result >= 0) {
		q->results |= UINT32_C(1) << result;
		return 0;
	}
	q->states |= bit;
	if (bit)
		return 0;
	for (unsigned s = 0; s < STATUSES; s++) {
		if (strcasecmp(part, dfu_status_name(s)))
			continue;
		q->statuses |= UINT32_C(1) << s;
		return 0;
	}
	for (; n < RESULTS; n++)
		words[n] = result_names[n];
	n = add_states(words, n);
	for (unsigned s = 1; s < STATUSES; s++)
		words[n++] = dfu_status_name(s);
	words[n] = NULL;
	return wrong(p, at, "unknown outcome '%s'", part, words);
}

/* Decimal or 0x, with K or M for sizes and ms for times. *end: what comes after. */
static bool number(const char *text, const char **end, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *c = hex ? text + 2 : text;
	const char *first = c;

	for (*value = 0; hex ? isxdigit((unsigned char)*c) : isdigit((unsigned char)*c); c++) {
		unsigned digit = isdigit((unsigned char)*c) ? (unsigned)(*c - '0')
							    : (unsigned)(tolower((unsigned char)*c) - 'a' + 10);

		if (*value > UINT32_MAX)
			return false;
		*value = *value * (hex ? 16 : 10) + digit;
	}
	if (c == first)
		return false;
	if (!strncasecmp(c, "ms", 2)) {
		c += 2;
	} else if (!hex && (*c == 'K' || *c == 'k')) {
		*value *= 1024;
		c++;
	} else if (!hex && (*c == 'M' || *c == 'm')) {
		*value *= UINT64_C(1024) * 1024;
		c++;
	}
	*end = c;
	return true;
}

static int take_prefix(struct parser *p, struct term *t, size_t at, const char *text)
{
	size_t digits = strlen(text);

	if (!digits || digits % 2 || digits / 2 > PREFIX_BYTES || strspn(text, "0123456789abcdefABCDEF") != digits)
		return wrong(p, at, "'%s' is no bytes in hexadecimal: two digits each, at most 64 bytes", text, NULL);
	for (; t->prefix_length < digits / 2; t->prefix_length++) {
		char byte[3] = { text[2 * t->prefix_length], text[2 * t->prefix_length + 1], '\0' };

		t->prefix[t->prefix_length] = (uint8_t)strtoul(byte, NULL, 16);
	}
	if (t->comparison != EQUAL && t->comparison != DIFFERENT)
		return wrong(p, at, "data is compared by = or != only, not '%s'", text, NULL);
	return 0;
}

static int take_value(struct parser *p, struct term *t, size_t at, const char *text)
{
	const char *end;

	if (t->key == KEY_DATA)
		return take_prefix(p, t, at, text);
	if (!number(text, &end, &t->from))
		return wrong(p, at, "'%s' is no number", text, NULL);
	t->to = t->from;
	if (*end == '-' && (t->comparison == EQUAL || t->comparison == DIFFERENT)) {
		const char *second = end + 1;

		if (!number(second, &end, &t->to))
			return wrong(p, at + (size_t)(second - text), "'%s' is no number", second, NULL);
		if (t->to < t->from)
			return wrong(p, at, "the range '%s' ends before it begins", text, NULL);
	}
	if (*end)
		return wrong(p, at + (size_t)(end - text), "'%s' does not belong to a number", end, NULL);
	return 0;
}

static int take_term(struct parser *p, struct pattern *q)
{
	static const char *const operators[] = {
		[EQUAL] = "=", [DIFFERENT] = "!=", [LESS] = "<", [AT_MOST] = "<=", [MORE] = ">", [AT_LEAST] = ">=",
	};
	size_t name = strcspn(p->word, "=!<>"), length = strspn(p->word + name, "=!<>");
	struct term *t = &q->terms[q->count];
	char word[WORD_BYTES];
	int n;

	if (too_long(p))
		return wrong(p, p->word_at, "'%.40s...' is too long", p->word, NULL);
	if (q->count == TERMS)
		return wrong(p, p->word_at, "'%s': that many conditions are too many", p->word, NULL);
	if (!length)
		return wrong(p, p->word_at, "expected KEY=VALUE, 'in STATE' or '-> OUTCOME', not '%s'", p->word, NULL);
	snprintf(word, sizeof(word), "%.*s", (int)name, p->word);
	n = find(word, keys, sizeof(keys) / sizeof(keys[0]) - 1);
	if (n < 0)
		return wrong(p, p->word_at, "unknown key '%s'", word, keys);
	t->key = (enum key)n;
	snprintf(word, sizeof(word), "%.*s", (int)length, p->word + name);
	n = find(word, operators, sizeof(operators) / sizeof(operators[0]));
	if (n < 0)
		return wrong(p, p->word_at + name, "'%s' is none of the operators = != < <= > >=", word, NULL);
	t->comparison = (enum comparison)n;
	if (take_value(p, t, p->word_at + name + length, p->word + name + length))
		return -1;
	q->count++;
	return 0;
}

static int parse(struct parser *p, struct pattern *q)
{
	if (!next_word(p))
		return wrong(p, p->at, "a pattern begins with a request, %s", "as GETSTATUS, ERASE or ANY", NULL);
	if (each_part(p, q, take_operation))
		return -1;
	while (next_word(p)) {
		if (!strcasecmp(p->word, "in")) {
			if (!next_word(p))
				return wrong(p, p->at, "a state is missing after '%s'", "in", NULL);
			if (each_part(p, q, take_state))
				return -1;
		} else if (!strcmp(p->word, "->")) {
			if (!next_word(p))
				return wrong(p, p->at, "an outcome is missing after '%s'", "->", NULL);
			if (each_part(p, q, take_outcome))
				return -1;
		} else if (take_term(p, q)) {
			return -1;
		}
	}
	return 0;
}

struct pattern *pattern_parse(const char *text, size_t *column, char why[PATTERN_WHY])
{
	struct pattern *q = calloc(1, sizeof(*q));
	struct parser p = { .text = text, .why = why, .column = column };

	why[0] = '\0';
	*column = 1;
	if (!q) {
		snprintf(why, PATTERN_WHY, "out of memory");
		return NULL;
	}
	if (!parse(&p, q))
		return q;
	free(q);
	return NULL;
}

void pattern_free(struct pattern *q)
{
	free(q);
}
