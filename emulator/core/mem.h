/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparse memory: pages exist only once they differ from the fill byte, so a board at rest costs next to nothing; and
 * memories that started as copies of each other share them until they are written. */
#ifndef DFUBENCH_MEM_H
#define DFUBENCH_MEM_H

#include <stddef.h>
#include <stdint.h>

#define MEM_PAGE_BYTES 4096u

struct mem;

struct mem *mem_new(size_t size_bytes, uint8_t fill); /* NULL on ENOMEM */
void mem_free(struct mem *);                          /* NULL is fine */
size_t mem_size(const struct mem *);
/* Offsets are the caller's to check: [offset, offset + length) must lie inside (asserted). */
void mem_read(const struct mem *, size_t offset, uint8_t *data, size_t length);
int mem_write(struct mem *, size_t offset, const uint8_t *data, size_t length); /* 0 or -ENOMEM, then nothing changed */
int mem_reserve(struct mem *, size_t offset,
		size_t length); /* 0 or -ENOMEM; until mem_fill() writes there cannot fail */
/* 0 or -ENOMEM; until the next mem_share() mem_fill() there cannot fail. Takes memory only where pages are shared. */
int mem_own(struct mem *, size_t offset, size_t length);
/* Back to the fill byte; gives whole pages back. 0, or -ENOMEM, then nothing changed: that may happen only where part of
 * a page is filled that another memory has too. */
int mem_fill(struct mem *, size_t offset, size_t length);
/* A copy of all contents, at the cost of the table of pages; cannot fail. Same size and fill byte (asserted). What
 * mem_reserve() promised for either is void. */
void mem_share(struct mem *to, const struct mem *from);
uint8_t mem_byte(const struct mem *, size_t offset);

#endif
