// SPDX-License-Identifier: GPL-2.0-or-later
/* Text of a serial console. */
#include "console_text.h"
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

int console_text_add(struct console_text *c, const char *bytes, size_t length)
{
	size_t keep = c->length;
	char *text;

	if (length > CONSOLE_TEXT) {
		bytes += length - CONSOLE_TEXT;
		length = CONSOLE_TEXT;
	}
	if (keep > CONSOLE_TEXT - length) {
		keep = CONSOLE_TEXT - length;
		memmove(c->text, c->text + c->length - keep, keep);
		c->mark -= c->mark < c->length - keep ? c->mark : c->length - keep;
		c->length = keep;
	}
	text = realloc(c->text, keep + length + 1);
	if (!text)
		return -ENOMEM;
	c->text = text;
	for (size_t i = 0; i < length; i++) {
		bool is_text = (unsigned char)bytes[i] >= 0x20 || bytes[i] == '\n' || bytes[i] == '\t';

		if (bytes[i] != '\r')
			text[c->length++] = is_text ? bytes[i] : '.';
	}
	text[c->length] = 0;
	return 0;
}

void console_text_clear(struct console_text *c)
{
	free(c->text);
	*c = (struct console_text){ 0 };
}

void console_heard(struct console_text *c, const struct mcu_event *e)
{
	if (e->type == MCU_EVENT_RESET)
		console_text_clear(c);
	else if (e->type == MCU_EVENT_CONSOLE && !console_text_add(c, e->line, strlen(e->line)))
		console_text_add(c, "\n", 1);
}

void console_text_mark(struct console_text *c)
{
	c->mark = c->length;
}

bool console_text_matches(const struct console_text *c, const char *regex, bool fresh)
{
	regex_t compiled;
	bool found;

	if (!c->text || regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB | REG_NEWLINE))
		return false;
	found = !regexec(&compiled, c->text + (fresh ? c->mark : 0), 0, NULL, 0);
	regfree(&compiled);
	return found;
}
