/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a board has said on its serial console since its last reset, for a rig to hold an expression against. */
#ifndef DFUBENCH_CONSOLE_TEXT_H
#define DFUBENCH_CONSOLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include "mcu.h"

#define CONSOLE_TEXT 65536 /* bytes that are kept; the oldest go first */

struct console_text { /* all zero: nothing has been said */
	char *text;   /* ends with 0; NULL: none */
	size_t length;
	size_t mark; /* what stands before it is not fresh */
};

/* Carriage returns are left out; what is no text is a dot. -ENOMEM. */
int console_text_add(struct console_text *, const char *bytes, size_t length);
void console_text_clear(struct console_text *); /* a reset, or the end: nothing is left to be freed */
/* An event of an emulated board: a line said, or a reset, with which all before is gone. */
void console_heard(struct console_text *, const struct mcu_event *);
void console_text_mark(struct console_text *); /* all up to now is no longer fresh */
/* POSIX extended; ^ and $ are the ends of lines. fresh: in what is behind the mark alone. */
bool console_text_matches(const struct console_text *, const char *regex, bool fresh);

#endif
