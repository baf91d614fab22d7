// SPDX-License-Identifier: GPL-2.0-or-later
/* dfu-reference: sectors as the name of an alternate setting has them. */
#include <stdlib.h>
#include <string.h>
#include "reference.h"

#define SECTORS 65536u

static bool add(struct layout *l, struct sector s, unsigned long count)
{
	struct sector *more = count <= SECTORS - l->count ? realloc(l->sectors, (l->count + count) * sizeof(*more))
							  : NULL;

	if (!more)
		return false;
	l->sectors = more;
	for (; count; count--, s.address += s.size)
		more[l->count++] = s;
	return true;
}

/* "04*016Kg,01*064Kg": the unit is a blank or B for bytes, or missing; the type is a to g, its bits read, erase, write. */
static bool groups(struct layout *l, uint32_t address, const char **at)
{
	for (;; (*at)++) {
		char *end;
		unsigned long count = strtoul(*at, &end, 10), size;
		unsigned type;

		if (end == *at || *end != '*' || !count)
			return false;
		*at = end + 1;
		size = strtoul(*at, &end, 10);
		if (end == *at || !size)
			return false;
		if (*end == 'K' || *end == 'M') {
			size *= *end == 'K' ? 1024 : 1024 * 1024;
			end++;
		} else if (*end == 'B' || *end == ' ')
			end++;
		if (*end < 'a' || *end > 'g')
			return false;
		type = (unsigned)(*end - 'a' + 1);
		*at = end + 1;
		if (!add(l,
			 (struct sector){ .address = address,
					  .size = (uint32_t)size,
					  .readable = type & 1,
					  .erasable = type & 2,
					  .writable = type & 4 },
			 count))
			return false;
		address += (uint32_t)(size * count);
		if (!l->first_group)
			l->first_group = l->count;
		if (**at != ',')
			return true;
	}
}

/* The ROM's wrong sizes are what two of the mutants believe in. */
static void mistake_sizes(struct layout *l, uint32_t size)
{
	uint32_t base = l->sectors[0].address, end = l->sectors[l->count - 1].address + l->sectors[l->count - 1].size;
	struct sector s = l->sectors[0];

	if (!s.erasable)
		return;
	l->count = 0;
	s.address = base;
	s.size = size;
	add(l, s, (end - base) / size);
}

bool layout_parse(struct layout *l, const char *text)
{
	const char *at = strchr(text, '/');

	memset(l, 0, sizeof(*l));
	if (*text != '@' || !at)
		return false;
	while (at && *at == '/') {
		char *end;
		unsigned long address = strtoul(at + 1, &end, 0);

		if (end == at + 1 || *end != '/')
			return false;
		at = end + 1;
		if (!groups(l, (uint32_t)address, &at))
			return false;
	}
	if (mutant(M_SECTORS_16K))
		mistake_sizes(l, 16 * 1024);
	if (mutant(M_SECTORS_128K))
		mistake_sizes(l, 128 * 1024);
	return l->count > 0;
}

const struct sector *layout_at(const struct layout *l, uint32_t address)
{
	for (size_t i = 0; i < l->count; i++)
		if (address >= l->sectors[i].address && address - l->sectors[i].address < l->sectors[i].size)
			return &l->sectors[i];
	return NULL;
}
