/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core with flash, SRAM, and a bus that keeps what it is asked, for tests. Include after cmocka.h. */
#ifndef CPU_SCENE_H
#define CPU_SCENE_H

#include <stdio.h>
#include "cpu.h"

enum { ENTER = 12, LEAVE = 10, CHAIN = 6, FP = 17 }; /* cycles: DDI 0439D 3.9.2 */
enum { FLASH = 0x08000000, RAM = 0x20000000, CODE = 0x200, SERVED = 0x300, STUCK = 0x310, MOST_ACCESSES = 16 };

struct access {
	uint64_t cycle;
	uint32_t address, value;
	unsigned size;
	bool write;
};

struct fixture {
	_Alignas(4096) uint8_t flash[0x10000];
	_Alignas(4096) uint8_t ram[0x10000];
	struct cpu *cpu;
	struct access accesses[MOST_ACCESSES];
	size_t count;
	uint32_t answer;
	bool halts, programs;
};

/* 0xB0000000 and up is not there. */
static inline bool bus(struct fixture *f, bool write, uint32_t address, unsigned size, uint32_t value)
{
	if (f->count < MOST_ACCESSES)
		f->accesses[f->count++] = (struct access){ cpu_cycles(f->cpu), address, value, size, write };
	if (f->halts)
		cpu_halt(f->cpu);
	return address < 0xB0000000;
}

static inline bool on_read(void *context, uint32_t address, unsigned size, uint32_t *value)
{
	struct fixture *f = context;

	*value = f->answer;
	return bus(f, false, address, size, f->answer);
}

static inline bool on_write(void *context, uint32_t address, unsigned size, uint32_t value)
{
	struct fixture *f = context;

	if (f->programs && address - FLASH <= sizeof f->flash - size) {
		memcpy(f->flash + (address - FLASH), &value, size);
		cpu_changed(f->cpu, address, size);
	}
	return bus(f, true, address, size, value);
}

static inline void put(struct fixture *f, uint32_t offset, uint32_t word)
{
	memcpy(f->flash + offset, &word, sizeof word);
}

static inline void restart(struct fixture *f)
{
	cpu_reset(f->cpu, RAM + sizeof f->ram, FLASH + CODE + 1);
	f->count = 0;
}

static inline struct fixture *start(void **state, const uint16_t *code, size_t size)
{
	static const struct cpu_bus_ops ops = { .read = on_read, .write = on_write };
	static const uint16_t served[] = { 0x4770 /* bx lr */ }, stuck[] = { 0xE7FE /* b . */ };
	struct fixture *f = *state;

	memset(f, 0, sizeof *f);
	put(f, 0, RAM + sizeof f->ram);
	for (unsigned i = 1; i < 16 + CPU_IRQS; i++)
		put(f, 4 * i, FLASH + (i < 11 ? STUCK : SERVED) + 1);
	memcpy(f->flash + CODE, code, size);
	memcpy(f->flash + SERVED, served, sizeof served);
	memcpy(f->flash + STUCK, stuck, sizeof stuck);
	const struct cpu_memory memory[] = { { FLASH, sizeof f->flash, f->flash, false, false },
					     { RAM, sizeof f->ram, f->ram, true, false } };
	f->cpu = cpu_new(memory, 2, &ops, f);
	if (!f->cpu && cpu_missing()) {
		print_message("%s\n", cpu_missing());
		skip();
	}
	assert_non_null(f->cpu);
	cpu_alias(f->cpu, FLASH, sizeof f->flash);
	restart(f);
	return f;
}
#define START(state, code) start(state, code, sizeof code)

static inline int set_up(void **state)
{
	static struct fixture fixture;

	*state = &fixture;
	fixture.cpu = NULL;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	cpu_free(f->cpu);
	f->cpu = NULL;
	return 0;
}

static inline enum cpu_stop run(struct fixture *f, uint64_t cycles)
{
	return cpu_run(f->cpu, cycles, NULL);
}

static inline uint32_t reg(const struct fixture *f, unsigned n)
{
	return cpu_register(f->cpu, n);
}

static inline void assert_access(const struct fixture *f, size_t i, struct access want)
{
	assert_true(i < f->count);
	const struct access *a = &f->accesses[i];
	if (want.cycle)
		assert_int_equal(a->cycle, want.cycle);
	assert_int_equal(a->address, want.address);
	assert_int_equal(a->value, want.value);
	assert_int_equal(a->size, want.size);
	assert_int_equal(a->write, want.write);
}

/* Programs that more than one test uses. */
static const uint16_t straight[] = {
	0x2000, /* movs r0, #0 */
	0x3001, /* adds r0, #1 */
	0x3001, /* adds r0, #1 */
	0x0101, /* lsls r1, r0, #4 */
	0xE7FE, /* b . */
};

static const uint16_t counting[] = {
	0x3001, /* adds r0, #1 */
	0xE7FF, /* b.n .+2 */
	0xE7FC, /* b.n .-4 */
};

#endif
