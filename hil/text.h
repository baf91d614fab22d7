/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that a tool wrote, as text that JSON, XML and a terminal can take. */
#ifndef DFUBENCH_TEXT_H
#define DFUBENCH_TEXT_H

#include <stddef.h>

/* What is no UTF-8, and control characters other than newline and tab, become U+FFFD; "\r\n" becomes "\n". To be freed;
 * NULL on ENOMEM. */
char *text_clean(const char *);
/* The start of the last lines of text: at most so many, a newline at the end not counted. Within text. */
const char *text_tail(const char *text, unsigned lines);
/* A formatted string, to be freed; NULL on ENOMEM. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
