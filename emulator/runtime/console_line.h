/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an application sends on its serial console, as lines for mcu_say(). Zero-initialise. */
#ifndef DFUBENCH_CONSOLE_LINE_H
#define DFUBENCH_CONSOLE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_SILENCE_US 100000u /* a line without an end is told after that */

struct console_line {
	char text[160];
	unsigned length; /* 0: nothing to tell */
};

/* The line, to be told at once; the next byte begins another. */
static inline const char *console_line_end(struct console_line *l)
{
	l->text[l->length] = 0;
	l->length = 0;
	return l->text;
}

/* True: the line is at its end. */
static inline bool console_line_put(struct console_line *l, uint8_t byte)
{
	if (byte == '\n')
		return true;
	if (byte == '\r' || !byte)
		return false;
	/* A terminal is not to be told what to do by whatever has been flashed. */
	l->text[l->length++] = (byte < ' ' && byte != '\t') || byte >= 0x7F ? '.' : (char)byte;
	return l->length == sizeof(l->text) - 1;
}

#endif
