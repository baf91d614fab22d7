// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: which one thing it gets wrong. */
#include <stdio.h>
#include <string.h>
#include "reference.h"

#define MUTANT_ROW(id, name, bug) { name, bug },
static const struct {
	const char *name, *bug;
} table[] = { { NULL, NULL }, MUTANTS(MUTANT_ROW) };

static enum mutant chosen;

bool mutant(enum mutant m)
{
	return chosen == m;
}

bool mutant_choose(const char *name)
{
	for (unsigned i = 1; i < M_COUNT; i++)
		if (!strcmp(table[i].name, name)) {
			chosen = (enum mutant)i;
			return true;
		}
	return false;
}

void mutants_print(void)
{
	for (unsigned i = 1; i < M_COUNT; i++)
		printf("%s\t%s\n", table[i].name, table[i].bug);
}
