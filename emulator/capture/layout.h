/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sectors of a memory, by the name of the interface that leads to it (UM0424 10.3.2):
 * "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg".
 */
#ifndef DFUBENCH_LAYOUT_H
#define DFUBENCH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYOUT_SPANS 64
#define LAYOUT_NAME 40

/* Sectors of one size, one after the other. */
struct layout_span {
	uint32_t base, count, size_bytes;
	uint32_t first; /* number of its first sector, from 0 with each memory */
	unsigned memory;
	bool readable, erasable, writable;
};

struct layout {
	struct layout_span spans[LAYOUT_SPANS];
	unsigned span_count;
	char memories[LAYOUT_SPANS][LAYOUT_NAME]; /* names, without what fills them up */
	unsigned memory_count;
};

struct layout_sector {
	const struct layout_span *span;
	uint32_t index; /* within the span */
	uint32_t number, base, size_bytes;
};

/* Adds what a string says, unless that memory is there already or the string is none of these. True if something was added. */
bool layout_add(struct layout *, const char *text);
/* False: the address is in no sector. */
bool layout_sector_at(const struct layout *, uint32_t address, struct layout_sector *);

#endif
