/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table for people: cells as they come, columns as wide as they need be. Cells are cleaned (text.h) and stand in one line. */
#ifndef DFUBENCH_COLUMNS_H
#define DFUBENCH_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define COLUMNS_MOST 16

struct columns;

/* heads: NULL ends, "" for none; one that begins with '>' is of numbers. They live as long as the table. NULL on ENOMEM. */
struct columns *columns_new(const char *const *heads);
void columns_free(struct columns *); /* NULL is fine */
/* The next cell. colour: an SGR sequence, NULL none. */
void columns_add(struct columns *, const char *colour, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One that has a colour for each of its letters. */
void columns_add_strip(struct columns *, const char *letters, const char *(*colour_of)(char letter));
/* Memory that ran out on the way shows here: -ENOMEM, and nothing is printed. */
int columns_print(const struct columns *, FILE *, bool colour);

/* Clean, and in one line. To be freed; NULL on ENOMEM. */
char *columns_text(const char *);

#endif
