// SPDX-License-Identifier: GPL-2.0-or-later
/* One line each, in one write: the tool writes to the same terminal. */
#include "say.h"
#include <stdarg.h>
#include <string.h>

static void say(const struct say *s, int level, const char *kind, const char *format, va_list args)
{
	char line[1024] = "dfuemu: ";
	size_t used;

	if (s->level < level)
		return;
	strcat(line, kind);
	used = strlen(line);
	if (vsnprintf(line + used, sizeof(line) - used - 1, format, args) < 0)
		return;
	/* A peer or a file may have a say in it: nothing that steers a terminal, nor a line of its own. */
	for (char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	strcat(line, "\n");
	fputs(line, s->stream);
	fflush(s->stream);
}

void say_error(const struct say *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, -1, "", format, args);
	va_end(args);
}

void say_warning(const struct say *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, 0, "warning: ", format, args);
	va_end(args);
}

void say_note(const struct say *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, 0, "note: ", format, args);
	va_end(args);
}

void say_event(const struct say *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(s, 1, "", format, args);
	va_end(args);
}

bool say_tells_events(const struct say *s)
{
	return s->level >= 1;
}
