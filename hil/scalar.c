// SPDX-License-Identifier: GPL-2.0-or-later
/* One value as a person writes it: numbers, times, addresses, bytes, and the small languages that others own. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fault_rule.h"
#include "pattern.h"
#include "profile.h"
#include "rules.h"
#include "suggest.h"
#include "yaml.h"

static int expected(char why[SCALAR_WHY], const char *what)
{
	snprintf(why, SCALAR_WHY, "expected %s", what);
	return -EINVAL;
}

/* end: behind the digits. */
static bool number(const char *text, uint64_t *out, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *stop;

	if (!(hex ? isxdigit((unsigned char)text[2]) : isdigit((unsigned char)text[0])))
		return false;
	errno = 0;
	*out = strtoull(text, &stop, hex ? 16 : 10);
	*end = stop;
	return !errno;
}

static int read_number(struct value *v, char why[SCALAR_WHY])
{
	const char *end;

	return number(v->text, &v->number, &end) && !*end ? 0 : expected(why, "a number (decimal, or 0x...)");
}

static int read_offset(struct value *v, char why[SCALAR_WHY])
{
	bool negative = v->text[0] == '-';
	const char *end;

	if (!number(v->text + negative, &v->number, &end) || *end || v->number > INT64_MAX)
		return expected(why, "a number (decimal, or 0x...; negative: from the end)");
	if (negative)
		v->number = -v->number;
	return 0;
}

static int read_address(struct value *v, char why[SCALAR_WHY])
{
	const char *end;

	if (!number(v->text, &v->number, &end) || *end)
		return expected(why, "an address (0x08000000)");
	return v->number <= UINT32_MAX ? 0 : expected(why, "an address of 32 bits");
}

static int read_size(struct value *v, char why[SCALAR_WHY])
{
	const char *end;
	unsigned shift = 0;

	if (!number(v->text, &v->number, &end))
		return expected(why, "a number of bytes (5000, 0x800, 16K, 1M)");
	if (*end == 'K' || *end == 'M') {
		shift = *end == 'K' ? 10 : 20;
		end++;
	}
	if (*end)
		return expected(why, "a number of bytes (5000, 0x800, 16K, 1M)");
	if (v->number > UINT32_MAX >> shift)
		return expected(why, "less than 4 GiB");
	v->number <<= shift;
	return 0;
}

static int read_duration(struct value *v, char why[SCALAR_WHY])
{
	const char *end;

	if (fault_time_parse(v->text, &v->number))
		return 0;
	if (number(v->text, &v->number, &end) && !*end) {
		snprintf(why, SCALAR_WHY, "a time has a unit: %sms or %ss", v->text, v->text);
		return -EINVAL;
	}
	return expected(why, "a time (300ms, 1.5s, 2min)");
}

static int read_bool(struct value *v, char why[SCALAR_WHY])
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (unsigned i = 0; i < 6; i++)
		if (!strcasecmp(v->text, words[i])) {
			v->flag = i & 1;
			return 0;
		}
	return expected(why, "true or false");
}

static int read_choice(const struct field *f, struct value *v, char why[SCALAR_WHY])
{
	const char *near;
	size_t at;

	for (unsigned i = 0; f->choices[i]; i++)
		if (!strcmp(f->choices[i], v->text)) {
			v->number = i;
			return 0;
		}
	near = suggest_nearest(v->text, f->choices);
	if (near) {
		snprintf(why, SCALAR_WHY, "did you mean '%s'?", near);
		return -EINVAL;
	}
	at = (size_t)snprintf(why, SCALAR_WHY, "expected ");
	for (unsigned i = 0; f->choices[i] && at < SCALAR_WHY; i++)
		at += (size_t)snprintf(why + at, SCALAR_WHY - at, "%s%s",
				       !i                  ? ""
				       : f->choices[i + 1] ? ", "
							   : " or ",
				       f->choices[i]);
	return -EINVAL;
}

/* regcomp() itself takes any time and memory for these. */
static bool regex_is_tame(const char *s)
{
	unsigned depth = 0;
	unsigned long product = 1;

	if (strlen(s) > 2000)
		return false;
	for (; *s; s++) {
		if (*s == '\\' && s[1]) {
			s++;
		} else if (*s == '(') {
			if (++depth > 30)
				return false;
		} else if (*s == ')' && depth) {
			depth--;
		} else if (*s == '{' || ((*s == '*' || *s == '+') && s[1] && strchr("*+?{", s[1]))) {
			const char *comma = *s == '{' ? strpbrk(s, ",}") : NULL;
			unsigned long low = *s == '{' ? strtoul(s + 1, NULL, 10) : 2;
			unsigned long high = comma && *comma == ',' ? strtoul(comma + 1, NULL, 10) : 0;

			low = low > high ? low : high;
			if (low > 1000 || (product *= low ? low : 1) > 1000)
				return false;
		}
	}
	return true;
}

static int read_regex(struct value *v, char why[SCALAR_WHY])
{
	regex_t regex;
	char said[200];
	int r;

	if (!regex_is_tame(v->text)) {
		snprintf(why, SCALAR_WHY, "a regular expression that is too long, too deep or repeats too often");
		return -EINVAL;
	}
	r = regcomp(&regex, v->text, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	if (!r) {
		regfree(&regex);
		return 0;
	}
	regerror(r, &regex, said, sizeof(said));
	snprintf(why, SCALAR_WHY, "no regular expression: %s", said);
	return -EINVAL;
}

static int read_usb_id(struct value *v, char why[SCALAR_WHY])
{
	size_t i = 0;

	while (i < 9 && (i == 4 ? v->text[i] == ':' : isxdigit((unsigned char)v->text[i])))
		i++;
	if (i < 9 || v->text[9])
		return expected(why, "two times four hexadecimal digits (\"0483:df11\")");
	v->number = strtoul(v->text, NULL, 16) << 16 | strtoul(v->text + 5, NULL, 16);
	return 0;
}

static int digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static int read_bytes(struct value *v, size_t *column, char why[SCALAR_WHY])
{
	size_t count = 0;

	v->bytes = malloc(strlen(v->text) / 2 + 1);
	if (!v->bytes)
		return -ENOMEM;
	v->length = 0;
	for (const char *s = v->text; *s; s++) {
		if (isspace((unsigned char)*s) && count % 2 == 0)
			continue;
		if (!isxdigit((unsigned char)*s)) {
			*column = (size_t)(s - v->text) + 1;
			return expected(why, "bytes of two hexadecimal digits each (\"00 ff a5\")");
		}
		if (count++ % 2)
			v->bytes[v->length++] |= (uint8_t)digit(*s);
		else
			v->bytes[v->length] = (uint8_t)(digit(*s) << 4);
	}
	if (count % 2) {
		*column = strlen(v->text);
		return expected(why, "bytes of two hexadecimal digits each: half of one is missing");
	}
	return 0;
}

static int read_fault(struct value *v, size_t *column, char why[SCALAR_WHY])
{
	struct fault_rule rule;
	struct fault_rule_error error;
	const char *near;

	if (!fault_rule_parse(v->text, &rule, &error))
		return 0;
	*column = error.column;
	near = error.words && error.word[0] ? suggest_nearest(error.word, error.words) : NULL;
	if (near)
		snprintf(why, SCALAR_WHY, "'%s' in a fault rule, did you mean '%s'?", error.word, near);
	else if (error.word[0])
		snprintf(why, SCALAR_WHY, "'%s' in a fault rule: %s", error.word, error.expected);
	else
		snprintf(why, SCALAR_WHY, "a fault rule that ends here: %s", error.expected);
	return -EINVAL;
}

static int read_pattern(struct value *v, size_t *column, char why[SCALAR_WHY])
{
	char said[PATTERN_WHY] = "no pattern of requests";
	struct pattern *pattern = pattern_parse(v->text, column, said);

	if (pattern) {
		pattern_free(pattern);
		return 0;
	}
	snprintf(why, SCALAR_WHY, "pattern: %s", said);
	return -EINVAL;
}

static int unknown(const char *what, const char *word, const char *const *words, char why[SCALAR_WHY])
{
	const char *near = suggest_nearest(word, words);
	size_t at;

	if (near) {
		snprintf(why, SCALAR_WHY, "no %s has that name, did you mean '%s'?", what, near);
		return -EINVAL;
	}
	at = (size_t)snprintf(why, SCALAR_WHY, "no %s has that name (there are: ", what);
	for (unsigned i = 0; words[i] && at < SCALAR_WHY; i++)
		at += (size_t)snprintf(why + at, SCALAR_WHY - at, "%s%s", i ? ", " : "", words[i]);
	if (at < SCALAR_WHY)
		snprintf(why + at, SCALAR_WHY - at, ")");
	return -EINVAL;
}

#define WORDS_MAX 64

static int read_rule(struct value *v, char why[SCALAR_WHY])
{
	const char *words[WORDS_MAX + 1] = { NULL };

	for (unsigned i = 0; rules[i].id; i++) {
		if (!strcmp(rules[i].id, v->text))
			return 0;
		if (i < WORDS_MAX)
			words[i] = rules[i].id;
	}
	return unknown("rule", v->text, words, why);
}

static int read_profile(struct value *v, char why[SCALAR_WHY])
{
	const char *words[WORDS_MAX + 1] = { NULL };
	unsigned count = 0;

	if (mcu_profile_find(v->text))
		return 0;
	for (unsigned i = 0; mcu_profiles[i] && count + 4 < WORDS_MAX; i++) {
		for (unsigned k = 0; mcu_profiles[i]->aliases[k]; k++)
			words[count++] = mcu_profiles[i]->aliases[k];
		words[count++] = mcu_profiles[i]->name;
	}
	return unknown("ROM profile", v->text, words, why);
}

static int read_output(struct value *v, char why[SCALAR_WHY])
{
	for (const char *s = v->text; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return expected(why, "the name of a new file, of letters, digits, '.', '_' and '-'");
	return v->text[0] && v->text[0] != '.' ? 0 : expected(why, "the name of a new file that begins with a letter");
}

int scalar_read(const struct field *f, struct value *v, size_t *column, char why[SCALAR_WHY])
{
	*column = 0;
	switch (f->type) {
	case FIELD_BOOL:
		return read_bool(v, why);
	case FIELD_NUMBER:
		return read_number(v, why);
	case FIELD_OFFSET:
		return read_offset(v, why);
	case FIELD_ADDRESS:
		return read_address(v, why);
	case FIELD_SIZE:
		return read_size(v, why);
	case FIELD_DURATION:
		return read_duration(v, why);
	case FIELD_CHOICE:
		return read_choice(f, v, why);
	case FIELD_REGEX:
		return read_regex(v, why);
	case FIELD_USB_ID:
		return read_usb_id(v, why);
	case FIELD_BYTES:
		return read_bytes(v, column, why);
	case FIELD_FAULT:
		return read_fault(v, column, why);
	case FIELD_PATTERN:
		return read_pattern(v, column, why);
	case FIELD_RULE:
		return read_rule(v, why);
	case FIELD_PROFILE:
		return read_profile(v, why);
	case FIELD_OUTPUT:
		return read_output(v, why);
	case FIELD_FILE:
		return v->text[0] ? 0 : expected(why, "the name of a file");
	default:
		return 0;
	}
}
