/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did you mean: the word of a list that a mistyped one is near to. */
#ifndef DFUBENCH_SUGGEST_H
#define DFUBENCH_SUGGEST_H

#include <stddef.h>

/* Edits (insert, delete, replace, swap neighbours) that make b of a, case not counted; at most limit + 1. */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);

/* The nearest of words[] (NULL ends), or NULL if none is near: more than a third of the letters differ. */
const char *suggest_nearest(const char *word, const char *const *words);

#endif
