// SPDX-License-Identifier: GPL-2.0-or-later
/* Sparse memory: a table of pages, most of them absent. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

struct mem {
	size_t size_bytes;
	uint8_t fill;
	uint8_t *pages[]; /* NULL: all fill */
};

/* The part of a range that lies in one page. */
struct piece {
	size_t page, start, length;
};

static size_t page_count(size_t size_bytes)
{
	return size_bytes / MEM_PAGE_BYTES + (size_bytes % MEM_PAGE_BYTES != 0);
}

static void assert_inside(const struct mem *mem, size_t offset, size_t length)
{
	assert(offset <= mem->size_bytes && length <= mem->size_bytes - offset);
	(void)mem;
	(void)offset;
	(void)length;
}

static struct piece first_piece(size_t offset, size_t length)
{
	struct piece p = { .page = offset / MEM_PAGE_BYTES, .start = offset % MEM_PAGE_BYTES };
	size_t room = MEM_PAGE_BYTES - p.start;

	p.length = length < room ? length : room;
	return p;
}

static bool is_all(const uint8_t *data, size_t length, uint8_t byte)
{
	return length == 0 || (data[0] == byte && memcmp(data, data + 1, length - 1) == 0);
}

static int make_page(struct mem *mem, size_t page)
{
	if (mem->pages[page])
		return 0;
	mem->pages[page] = malloc(MEM_PAGE_BYTES);
	if (!mem->pages[page])
		return -ENOMEM;
	memset(mem->pages[page], mem->fill, MEM_PAGE_BYTES);
	return 0;
}

struct mem *mem_new(size_t size_bytes, uint8_t fill)
{
	size_t count = page_count(size_bytes);
	struct mem *mem = calloc(1, sizeof(*mem) + count * sizeof(mem->pages[0]));

	if (!mem)
		return NULL;
	mem->size_bytes = size_bytes;
	mem->fill = fill;
	return mem;
}

void mem_free(struct mem *mem)
{
	if (!mem)
		return;
	mem_fill(mem, 0, mem->size_bytes);
	free(mem);
}

size_t mem_size(const struct mem *mem)
{
	return mem->size_bytes;
}

void mem_read(const struct mem *mem, size_t offset, uint8_t *data, size_t length)
{
	struct piece p;

	assert_inside(mem, offset, length);
	for (; length > 0; offset += p.length, data += p.length, length -= p.length) {
		p = first_piece(offset, length);
		if (mem->pages[p.page])
			memcpy(data, mem->pages[p.page] + p.start, p.length);
		else
			memset(data, mem->fill, p.length);
	}
}

int mem_write(struct mem *mem, size_t offset, const uint8_t *data, size_t length)
{
	size_t done;
	struct piece p;

	assert_inside(mem, offset, length);
	/* All pages first, so that a write that cannot be whole does not begin. */
	for (done = 0; done < length; done += p.length) {
		p = first_piece(offset + done, length - done);
		if (!is_all(data + done, p.length, mem->fill) && make_page(mem, p.page) != 0)
			return -ENOMEM;
	}
	for (done = 0; done < length; done += p.length) {
		p = first_piece(offset + done, length - done);
		if (mem->pages[p.page])
			memcpy(mem->pages[p.page] + p.start, data + done, p.length);
	}
	return 0;
}

int mem_reserve(struct mem *mem, size_t offset, size_t length)
{
	struct piece p;

	assert_inside(mem, offset, length);
	for (; length > 0; offset += p.length, length -= p.length) {
		p = first_piece(offset, length);
		if (make_page(mem, p.page) != 0)
			return -ENOMEM;
	}
	return 0;
}

void mem_fill(struct mem *mem, size_t offset, size_t length)
{
	size_t in_page;
	struct piece p;

	assert_inside(mem, offset, length);
	for (; length > 0; offset += p.length, length -= p.length) {
		p = first_piece(offset, length);
		if (!mem->pages[p.page])
			continue;
		in_page = mem->size_bytes - p.page * MEM_PAGE_BYTES; /* the last page may be short */
		if (p.start == 0 && (p.length == MEM_PAGE_BYTES || p.length == in_page)) {
			free(mem->pages[p.page]);
			mem->pages[p.page] = NULL;
		} else {
			memset(mem->pages[p.page] + p.start, mem->fill, p.length);
		}
	}
}

uint8_t mem_byte(const struct mem *mem, size_t offset)
{
	uint8_t byte;

	mem_read(mem, offset, &byte, 1);
	return byte;
}
