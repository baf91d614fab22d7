/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program says to its user: one line each on a stream (stderr), with the program's name in front. */
#ifndef DFUBENCH_SAY_H
#define DFUBENCH_SAY_H

#include <stdbool.h>
#include <stdio.h>

struct say {
	FILE *stream;
	int level; /* -1 quiet: errors only; 0: notes and warnings too; 1 verbose: events of the boards too */
};

void say_error(const struct say *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_warning(const struct say *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_note(const struct say *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_event(const struct say *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Events are many: whether what is said of one goes anywhere. */
bool say_tells_events(const struct say *);

#endif
