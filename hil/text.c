// SPDX-License-Identifier: GPL-2.0-or-later
/* Text for reports. */
#include "text.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* Length of the UTF-8 sequence at p; 0: it is none (RFC 3629: neither overlong, surrogate nor above U+10FFFF). */
static size_t sequence(const unsigned char *p)
{
	size_t length = *p < 0x80                 ? 1
			: *p >= 0xc2 && *p < 0xe0 ? 2
			: (*p & 0xf0) == 0xe0     ? 3
			: *p >= 0xf0 && *p < 0xf5 ? 4
						  : 0;

	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) || (*p == 0xf0 && p[1] < 0x90) ||
	    (*p == 0xf4 && p[1] >= 0x90))
		return 0;
	/* U+FFFE and U+FFFF are no characters of XML 1.0. */
	if (*p == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
		return 0;
	return length;
}

static bool is_control(const unsigned char *p)
{
	/* C1 as well (U+0080 to U+009F): some terminals obey them. */
	return (*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0);
}

char *text_clean(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	char *out = malloc(strlen(text) * (sizeof(REPLACEMENT) - 1) + 1), *to = out;

	if (!out)
		return NULL;
	while (*p) {
		size_t length = sequence(p);

		if (p[0] == '\r' && p[1] == '\n') {
			p++;
			continue;
		}
		if (!length || is_control(p)) {
			memcpy(to, REPLACEMENT, sizeof(REPLACEMENT) - 1);
			to += sizeof(REPLACEMENT) - 1;
			p += length ? length : 1;
			continue;
		}
		memcpy(to, p, length);
		to += length;
		p += length;
	}
	*to = 0;
	return out;
}

const char *text_tail(const char *text, unsigned lines)
{
	const char *p = text + strlen(text);

	if (p > text && p[-1] == '\n')
		p--;
	while (p > text) {
		if (p[-1] == '\n' && !--lines)
			return p;
		p--;
	}
	return text;
}

char *text_format(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}
