/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map as Unicorn has it: plain memory where there is some, calls of the machine everywhere else.
 */
#include <assert.h>
#include <stdlib.h>
#include "unicorn.h"

#define PAGE 0x1000u
#define ALIAS_ROOM 0x100000u /* what is at 0 is never larger */

static bool tolerated(struct cpu *c)
{
	return (c->ccr & CCR_BFHFNMIGN) && execution_priority(c, true) < 0;
}

/* Of private peripherals LDRT reads what unprivileged code reads. */
static bool is_as_user(struct cpu *c, uint32_t address)
{
	if (address - 0xE0000000u >= 0x40000u)
		return false;
	uint32_t at = engine_of(c)->ring[(c->now - 1) & 7];
	return unicorn_is_as_user(unicorn_op(c, at) << 16 | unicorn_op(c, at + 2));
}

static uint64_t on_read(uc_engine *uc, uint64_t offset, unsigned size, void *context)
{
	struct gap *g = context;
	struct cpu *c = g->cpu;
	uint32_t address = g->base + (uint32_t)offset, value = 0;
	(void)uc;
	if (engine_of(c)->frozen || !engine_of(c)->running)
		return 0;
	c->as_user = is_as_user(c, address);
	bool there = memory_read(c, address, size, &value);
	c->as_user = false;
	if (!there) {
		if (!tolerated(c))
			unicorn_give_up(c, EVENT_BUS, address);
		return 0;
	}
	return value;
}

static void store(struct cpu *c, uint32_t address, unsigned size, uint32_t value)
{
	if (engine_of(c)->frozen || !engine_of(c)->running)
		return;
	c->as_user = is_as_user(c, address);
	bool there = memory_write(c, address, size, value);
	c->as_user = false;
	if (!there && !tolerated(c))
		unicorn_give_up(c, EVENT_BUS, address);
}

static void on_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *context)
{
	struct gap *g = context;
	(void)uc;
	store(g->cpu, g->base + (uint32_t)offset, size, (uint32_t)value);
}

/* Memory that is not writable: Unicorn drops what is written after this. */
static bool on_write_protected(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
			       void *context)
{
	(void)uc;
	(void)type;
	store(context, (uint32_t)address, (unsigned)size, (uint32_t)value);
	return true;
}

static uc_err map_gap(struct cpu *c, struct gap *g, uint32_t base, uint64_t size)
{
	*g = (struct gap){ .cpu = c, .base = base };
	return uc_mmio_map(engine_of(c)->uc, base, size, on_read, g, on_write, g);
}

/* uc_mem_protect() makes what is written vanish, behind on_write_protected(); the rights of the mapping alone do not. */
static uc_err map_plain(struct cpu *c, uint32_t base, uint32_t size, uint8_t *data, bool writable)
{
	uc_engine *uc = engine_of(c)->uc;
	uc_err error = uc_mem_map_ptr(uc, base, size, UC_PROT_ALL, data);
	return error || writable ? error : uc_mem_protect(uc, base, size, UC_PROT_READ | UC_PROT_EXEC);
}

/* What is at 0, in the ALIAS_ROOM that is kept for it. */
static uc_err map_alias(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uint32_t left = 0, size = 0;
	bool writable = false;
	uint8_t *data = c->alias_size ? memory_plain(c, 0, &left, &writable) : NULL;
	if (data) {
		size = c->alias_size < left ? c->alias_size : left;
		size = (size < ALIAS_ROOM ? size : ALIAS_ROOM) & ~(PAGE - 1);
	}
	uc_err error = UC_ERR_OK;
	if (size)
		error = map_plain(c, 0, size, data, writable);
	if (!error && size < ALIAS_ROOM)
		error = map_gap(c, &e->gaps[0], size, ALIAS_ROOM - size);
	e->alias_mapped = size;
	return error;
}

void engine_map(struct cpu *c)
{
	struct engine *e = engine_of(c);
	if (e->alias_mapped)
		uc_mem_unmap(e->uc, 0, e->alias_mapped);
	if (e->alias_mapped < ALIAS_ROOM)
		uc_mem_unmap(e->uc, e->alias_mapped, ALIAS_ROOM - e->alias_mapped);
	uc_err error = map_alias(c);
	assert(!error);
	(void)error;
	e->code_size = 0;
}

static int by_base(const void *a, const void *b)
{
	const struct cpu_memory *x = a, *y = b;
	return x->base < y->base ? -1 : x->base > y->base;
}

uc_err unicorn_map(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uint64_t at = ALIAS_ROOM;
	uc_err error = map_alias(c);
	qsort(c->memory, c->memory_count, sizeof *c->memory, by_base);
	for (size_t i = 0; i < c->memory_count && !error; i++) {
		const struct cpu_memory *m = &c->memory[i];
		if (m->base > at)
			error = map_gap(c, &e->gaps[i + 1], (uint32_t)at, m->base - at);
		if (!error && m->data_only)
			error = uc_mem_map_ptr(e->uc, m->base, m->size_bytes, UC_PROT_READ | UC_PROT_WRITE, m->data);
		else if (!error)
			error = map_plain(c, m->base, m->size_bytes, m->data, m->writable);
		at = (uint64_t)m->base + m->size_bytes;
	}
	uc_hook hook;
	if (!error)
		error = uc_hook_add(e->uc, &hook, UC_HOOK_MEM_WRITE_PROT, (void *)(uintptr_t)on_write_protected, c, 1,
				    0);
	if (!error && at < UINT64_C(1) << 32)
		error = map_gap(c, &e->gaps[c->memory_count + 1], (uint32_t)at, (UINT64_C(1) << 32) - at);
	return error;
}

void engine_changed(struct cpu *c, uint32_t address, uint32_t size_bytes)
{
	struct engine *e = engine_of(c);
	uint32_t left;
	bool writable;
	if (!size_bytes || !memory_plain(c, address, &left, &writable))
		return;
	uint32_t size = size_bytes < left ? size_bytes : left;
	uc_ctl_remove_cache(e->uc, address, (uint64_t)address + size);
	if (address - c->alias_base < e->alias_mapped) {
		uint32_t at = address - c->alias_base, room = e->alias_mapped - at;
		uc_ctl_remove_cache(e->uc, at, (uint64_t)at + (size < room ? size : room));
	}
}
