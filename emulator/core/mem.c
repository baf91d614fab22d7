// SPDX-License-Identifier: GPL-2.0-or-later
/* Sparse memory: a table of pages, most of them absent, some shared. */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"

/* Written by its owner alone: with more than one it stays as it is. Counted atomically, for the owners may be boards of
 * benches on several threads. */
struct page {
	atomic_uint owners;
	uint8_t bytes[MEM_PAGE_BYTES];
};

struct mem {
	size_t size_bytes;
	uint8_t fill;
	struct page *pages[]; /* NULL: all fill */
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

static void page_release(struct page *page)
{
	if (page && atomic_fetch_sub_explicit(&page->owners, 1, memory_order_acq_rel) == 1)
		free(page);
}

/* See to it that the page is there and this memory's alone. */
static int make_page(struct mem *mem, size_t number)
{
	struct page *old = mem->pages[number], *new;

	if (old && atomic_load_explicit(&old->owners, memory_order_acquire) == 1)
		return 0;
	new = malloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	atomic_init(&new->owners, 1);
	if (old)
		memcpy(new->bytes, old->bytes, MEM_PAGE_BYTES);
	else
		memset(new->bytes, mem->fill, MEM_PAGE_BYTES);
	page_release(old);
	mem->pages[number] = new;
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
			memcpy(data, mem->pages[p.page]->bytes + p.start, p.length);
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
		if ((mem->pages[p.page] || !is_all(data + done, p.length, mem->fill)) && make_page(mem, p.page) != 0)
			return -ENOMEM;
	}
	for (done = 0; done < length; done += p.length) {
		p = first_piece(offset + done, length - done);
		if (mem->pages[p.page])
			memcpy(mem->pages[p.page]->bytes + p.start, data + done, p.length);
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

int mem_own(struct mem *mem, size_t offset, size_t length)
{
	struct piece p;

	assert_inside(mem, offset, length);
	for (; length > 0; offset += p.length, length -= p.length) {
		p = first_piece(offset, length);
		if (mem->pages[p.page] && make_page(mem, p.page) != 0)
			return -ENOMEM;
	}
	return 0;
}

int mem_fill(struct mem *mem, size_t offset, size_t length)
{
	size_t done, in_page;
	struct piece p;

	assert_inside(mem, offset, length);
	/* Parts of shared pages first: only these need memory. */
	for (done = 0; done < length; done += p.length) {
		p = first_piece(offset + done, length - done);
		in_page = mem->size_bytes - p.page * MEM_PAGE_BYTES; /* the last page may be short */
		if (mem->pages[p.page] && p.length < MEM_PAGE_BYTES && p.length < in_page &&
		    make_page(mem, p.page) != 0)
			return -ENOMEM;
	}
	for (; length > 0; offset += p.length, length -= p.length) {
		p = first_piece(offset, length);
		if (!mem->pages[p.page])
			continue;
		in_page = mem->size_bytes - p.page * MEM_PAGE_BYTES;
		if (p.start == 0 && (p.length == MEM_PAGE_BYTES || p.length == in_page)) {
			page_release(mem->pages[p.page]);
			mem->pages[p.page] = NULL;
		} else {
			memset(mem->pages[p.page]->bytes + p.start, mem->fill, p.length);
		}
	}
	return 0;
}

void mem_share(struct mem *to, const struct mem *from)
{
	assert(to->size_bytes == from->size_bytes && to->fill == from->fill);
	for (size_t i = 0; i < page_count(to->size_bytes); i++) {
		if (from->pages[i])
			atomic_fetch_add_explicit(&from->pages[i]->owners, 1, memory_order_relaxed);
		page_release(to->pages[i]);
		to->pages[i] = from->pages[i];
	}
}

uint8_t mem_byte(const struct mem *mem, size_t offset)
{
	uint8_t byte;

	mem_read(mem, offset, &byte, 1);
	return byte;
}
