/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What problems say, as text to compare with. */
#ifndef DFUBENCH_PROBLEMS_TEXT_H
#define DFUBENCH_PROBLEMS_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "problems.h"

/* To be freed. */
static inline char *problems_text(const struct problems *p, bool colour)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	problems_print(p, f, colour);
	fclose(f);
	return text;
}

static inline bool problems_say(const struct problems *p, const char *what)
{
	char *text = problems_text(p, false);
	bool said = strstr(text, what) != NULL;

	if (!said)
		fprintf(stderr, "'%s' is missing from:\n%s", what, text);
	free(text);
	return said;
}

#endif
