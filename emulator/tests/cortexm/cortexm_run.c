/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs an image from flash on the core alone, for tests: 1 MiB of flash, 192 KiB of SRAM (as much as QEMU's netduinoplus2 has), USART1 on standard output, other peripherals
 * that read as zero. Says on standard error why it stopped.
 * Usage: cortexm_run [--cycles N] [--quantum N] [--irq NUMBER@CYCLE]... [--tell] IMAGE
 * An interrupt line is high from its cycle on until the program writes its number to 0x40020000.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpu.h"

enum { FLASH_BYTES = 1 << 20, RAM_BYTES = 192 << 10, MOST_IRQS = 64 };

struct irq {
	uint64_t cycle;
	unsigned number;
};

struct run {
	struct cpu *cpu;
	struct irq irqs[MOST_IRQS];
	size_t irq_count;
	uint64_t cycles, quantum;
	bool tell;
};

static uint8_t flash[FLASH_BYTES] __attribute__((aligned(4096)));
static uint8_t ram[RAM_BYTES] __attribute__((aligned(4096)));

static bool is_peripheral(uint32_t address)
{
	return address >= 0x40000000 && address < 0x60000000;
}

static bool on_read(void *context, uint32_t address, unsigned size, uint32_t *value)
{
	struct run *r = context;
	(void)size;
	*value = address == 0x40011000 ? 0xC0 : address == 0x40020004 ? (uint32_t)cpu_cycles(r->cpu) : 0;
	return is_peripheral(address);
}

static bool on_write(void *context, uint32_t address, unsigned size, uint32_t value)
{
	struct run *r = context;
	(void)size;
	if (address == 0x40011004)
		putchar((int)(value & 0xFF));
	else if (address == 0x40020000)
		cpu_irq(r->cpu, value, false);
	return is_peripheral(address);
}

static const char *const reasons[] = {
	[CPU_RAN] = "all cycles are used up", [CPU_SLEEPS] = "it sleeps", [CPU_HALTED] = "it was halted",
	[CPU_RESETS] = "it resets",           [CPU_LEFT] = "it left",     [CPU_LOCKUP] = "lock-up",
};

static void raise_due(struct run *r)
{
	for (size_t i = 0; i < r->irq_count; i++)
		if (r->irqs[i].cycle <= cpu_cycles(r->cpu)) {
			cpu_irq(r->cpu, r->irqs[i].number, true);
			r->irqs[i--] = r->irqs[--r->irq_count];
		}
}

static uint64_t until_due(const struct run *r, uint64_t most)
{
	uint64_t now = cpu_cycles(r->cpu);
	for (size_t i = 0; i < r->irq_count; i++)
		if (r->irqs[i].cycle - now < most)
			most = r->irqs[i].cycle - now;
	return most;
}

static enum cpu_stop run(struct run *r)
{
	for (;;) {
		raise_due(r);
		if (cpu_cycles(r->cpu) >= r->cycles)
			return CPU_RAN;
		uint64_t left = r->cycles - cpu_cycles(r->cpu);
		enum cpu_stop stop = cpu_run(r->cpu, until_due(r, left < r->quantum ? left : r->quantum), NULL);
		if (stop == CPU_SLEEPS) {
			uint64_t next = until_due(r, cpu_next(r->cpu));
			if (next == UINT64_MAX)
				return stop;
			cpu_skip(r->cpu, next);
		} else if (stop != CPU_RAN) {
			return stop;
		}
	}
}

static void tell(const struct run *r)
{
	struct cpu_fault f;
	fprintf(stderr, "cycles %llu\n", (unsigned long long)cpu_cycles(r->cpu));
	for (unsigned i = 0; i < 23; i++)
		fprintf(stderr, "%u: %08x%s", i, cpu_register(r->cpu, i), i % 6 == 5 ? "\n" : "  ");
	cpu_fault(r->cpu, &f);
	fprintf(stderr, "\nfaults %llu, exception %u, cfsr %08x, hfsr %08x, pc %08x\n", (unsigned long long)f.count,
		f.exception, f.cfsr, f.hfsr, f.r[15]);
}

static int load(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "cortexm_run: cannot open '%s': %s\n", path, strerror(errno));
		return -1;
	}
	memset(flash, 0xFF, sizeof flash);
	size_t n = fread(flash, 1, sizeof flash, f);
	fclose(f);
	return n ? 0 : -1;
}

static const char *parse(struct run *r, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *end;
		if (!strcmp(argv[i], "--tell")) {
			r->tell = true;
		} else if (argv[i][0] != '-') {
			return i == argc - 1 ? argv[i] : NULL;
		} else if (i + 1 == argc) {
			return NULL;
		} else if (!strcmp(argv[i], "--cycles")) {
			r->cycles = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--quantum")) {
			r->quantum = strtoull(argv[++i], NULL, 0);
		} else if (!strcmp(argv[i], "--irq") && r->irq_count < MOST_IRQS) {
			struct irq *q = &r->irqs[r->irq_count++];
			q->number = (unsigned)strtoul(argv[++i], &end, 0);
			q->cycle = *end == '@' ? strtoull(end + 1, NULL, 0) : 0;
		} else {
			return NULL;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct cpu_bus_ops ops = { .read = on_read, .write = on_write };
	const struct cpu_memory memory[] = { { 0x08000000, FLASH_BYTES, flash, false, false },
					     { 0x20000000, RAM_BYTES, ram, true, false } };
	struct run r = { .cycles = 100000000, .quantum = UINT64_MAX };
	const char *path = parse(&r, argc, argv);
	if (!path || !r.quantum) {
		fprintf(stderr, "cortexm_run: usage: cortexm_run [--cycles N] [--quantum N] [--irq NUMBER@CYCLE]... "
				"[--tell] IMAGE\n");
		return 2;
	}
	if (load(path))
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	r.cpu = cpu_new(memory, 2, &ops, &r);
	if (!r.cpu) {
		fprintf(stderr, "cortexm_run: %s\n", cpu_missing() ? cpu_missing() : strerror(errno));
		return 77;
	}
	cpu_alias(r.cpu, 0x08000000, FLASH_BYTES);
	uint32_t sp, pc;
	memcpy(&sp, flash, 4);
	memcpy(&pc, flash + 4, 4);
	cpu_reset(r.cpu, sp, pc);
	enum cpu_stop stop = run(&r);
	fflush(stdout);
	fprintf(stderr, "%s\n", reasons[stop]);
	if (r.tell)
		tell(&r);
	cpu_free(r.cpu);
	return stop == CPU_RESETS ? 0 : stop == CPU_LOCKUP ? 3 : 1;
}
