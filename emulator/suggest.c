// SPDX-License-Identifier: GPL-2.0-or-later
/* Edit distance with swaps of neighbours (optimal string alignment), over words as short as options are. */
#include "suggest.h"
#include <ctype.h>
#include <string.h>

#define WORD_MAX 48

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int letter(char c)
{
	return tolower((unsigned char)c);
}

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
	unsigned cost[3][WORD_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > WORD_MAX || m > WORD_MAX)
		return limit + 1;
	for (unsigned j = 0; j <= m; j++)
		cost[0][j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned *row = cost[i % 3], *above = cost[(i + 2) % 3], *above2 = cost[(i + 1) % 3];

		row[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (letter(a[i - 1]) != letter(b[j - 1])));
			if (i > 1 && j > 1 && letter(a[i - 1]) == letter(b[j - 2]) &&
			    letter(a[i - 2]) == letter(b[j - 1]))
				row[j] = least(row[j], above2[j - 2] + 1);
		}
	}
	return least(cost[n % 3][m], limit + 1);
}

const char *suggest_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	unsigned best_distance = 0;

	for (; *words; words++) {
		unsigned limit = (unsigned)strlen(*words) / 3;
		unsigned distance;

		limit = limit < 1 ? 1 : limit > 3 ? 3 : limit;
		distance = suggest_distance(word, *words, limit);
		if (distance <= limit && (!best || distance < best_distance)) {
			best = *words;
			best_distance = distance;
		}
	}
	return best;
}
