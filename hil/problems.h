/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes found in files that a person wrote. They are collected, so that one pass reports all of them, and printed in the form
 * of a compiler: FILE:LINE:COLUMN: error: TEXT, the line itself and a caret.
 */
#ifndef DFUBENCH_PROBLEMS_H
#define DFUBENCH_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct problems;

/* Where something stands. file is owned by whoever made the mark and outlives it; NULL: nowhere in a file. */
struct mark {
	const char *file;
	unsigned line, column; /* from 1; 0: the file as a whole */
};

struct problems *problems_new(void); /* NULL on ENOMEM */
void problems_free(struct problems *);

/* excerpt: the text of the line; NULL: as problems_lines() has it. The same problem is not told twice; one without memory to keep it still counts. */
void problems_add(struct problems *, struct mark, const char *excerpt, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* "unknown step 'bootlaoder', did you mean 'bootloader'?": what is "unknown step", words ends with NULL. Without a near word
 * the words are listed. */
void problems_unknown(struct problems *, struct mark, const char *excerpt, const char *what, const char *word,
		      const char *const *words);
/* Where the text of a line comes from when a problem is added without an excerpt; NULL: from nowhere. Set by whoever reads a file,
 * while it is there. */
void problems_lines(struct problems *, const char *(*line)(void *context, const char *file, unsigned line),
		    void *context);
size_t problems_count(const struct problems *);
/* In order of file, line and column; what a terminal would obey is escaped. colour: with escape sequences of ours. */
void problems_print(const struct problems *, FILE *, bool colour);

#endif
