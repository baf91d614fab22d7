/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine on Unicorn 2 (unicorn-engine.org; QEMU's translator as a library).
 *
 * Unicorn is kept in Handler mode, privileged, with one stack: whatever has to do with modes, masks and stacks is the machine's. A hook
 * before each instruction counts it, and looks at it where its first halfword says that it may be one to be done, or checked, by the
 * machine. The same hook makes Unicorn keep the PC up to date, which it does not do within a block otherwise; with it an access to a
 * peripheral knows its instruction and its cycle.
 *
 * Unicorn cannot stop within an IT block, nor give up an instruction at its second access. So what is to be given up is frozen: registers
 * are saved at once, and what Unicorn still does until it stops has no effect.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "unicorn.h"

#define MOST_TRANSLATED (3u << 19) /* bytes of code; it makes some 40 of each */

/* Exceptions of Unicorn's ARM, as its interrupt hook gets them. */
enum { NATIVE_SVC = 2, NATIVE_FETCH = 3, NATIVE_BREAKPOINT = 7, NATIVE_RETURN = 8 };

const int unicorn_ids[17] = { UC_ARM_REG_R0,  UC_ARM_REG_R1,  UC_ARM_REG_R2,  UC_ARM_REG_R3,  UC_ARM_REG_R4,
			      UC_ARM_REG_R5,  UC_ARM_REG_R6,  UC_ARM_REG_R7,  UC_ARM_REG_R8,  UC_ARM_REG_R9,
			      UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12, UC_ARM_REG_R13, UC_ARM_REG_R14,
			      UC_ARM_REG_R15, UC_ARM_REG_XPSR };
enum { CORE_IDS = 17 };

bool unicorn_registers(struct cpu *c)
{
	uint32_t xpsr;
	void *to[CORE_IDS];
	for (unsigned i = 0; i < 16; i++)
		to[i] = &c->r[i];
	to[16] = &xpsr;
	uc_reg_read_batch(engine_of(c)->uc, (int *)(uintptr_t)unicorn_ids, to, CORE_IDS);
	c->xpsr = (xpsr & XPSR_APSR) | XPSR_T;
	return xpsr & XPSR_T;
}

uint32_t unicorn_op(struct cpu *c, uint32_t address)
{
	uint32_t left;
	bool writable;
	const uint8_t *p = memory_plain(c, address, &left, &writable);
	return p && left >= 2 ? (uint32_t)p[0] | (uint32_t)p[1] << 8 : 0;
}

/* ITSTATE bits of xPSR at an instruction, when its block begins at first with these bits. */
static uint32_t walk(struct cpu *c, uint32_t from, uint32_t to, uint32_t xpsr)
{
	while (from < to && (xpsr & XPSR_IT)) {
		from += unicorn_length(unicorn_op(c, from));
		xpsr = it_advance(xpsr);
	}
	return from == to ? xpsr & XPSR_IT : 0;
}

/* ITSTATE at an instruction, from the ones that were begun before cycle end. Those that an IT block skips are not among them. */
static uint32_t it_state(struct cpu *c, uint32_t address, uint64_t end)
{
	struct engine *e = engine_of(c);
	for (uint64_t k = 1; k <= 4 && end - k >= e->since && end >= k; k++) {
		uint32_t at = e->ring[(end - k) & 7], op = unicorn_op(c, at);
		if ((op & 0xFF00) == 0xBF00 && (op & 0xF))
			return walk(c, at + 2, address, (op & 0xFC) << 8 | (op & 3) << 25);
	}
	return end - e->since < 4 ? walk(c, e->it_origin, address, e->it_xpsr) : 0;
}

void engine_peek(struct cpu *c)
{
	struct engine *e = engine_of(c);
	if (!e->running || e->frozen)
		return;
	unicorn_registers(c);
	c->r[15] = e->ring[(c->now - 1) & 7];
	c->xpsr |= it_state(c, c->r[15], c->now - 1);
}

void unicorn_give_up(struct cpu *c, enum event event, uint32_t about)
{
	struct engine *e = engine_of(c);
	if (e->frozen)
		return;
	engine_peek(c);
	engine_fp_load(c);
	e->frozen = e->fp_saved = true;
	e->event = event;
	c->insn = about;
	uc_emu_stop(e->uc);
}

/* --- hooks --- */

/* Up to where the MPU lets code be executed. The last halfword is left out, and looked at by itself: does the instruction end there? */
static void enter_allowed(struct cpu *c, uint32_t address)
{
	struct engine *e = engine_of(c);
	struct mpu_by by = mpu_now(c);
	struct span span, next;
	e->denied = !mpu_passes(c, address, MPU_FETCH, by, &span);
	uint32_t room = span.last - address + 1;
	if (!e->denied && room >= e->code_size)
		return;
	if (!e->denied && room == 2)
		e->denied = unicorn_length(unicorn_op(c, address)) == 4 &&
			    !mpu_passes(c, address + 2, MPU_FETCH, by, &next);
	e->code_size = e->denied ? 0 : room > 2 ? room - 2 : 2;
}

/* Code begins to run elsewhere. */
static bool enter_code(struct cpu *c, uint32_t address)
{
	struct engine *e = engine_of(c);
	bool writable;
	uint32_t left;
	e->denied = false;
	e->code = memory_plain(c, address, &left, &writable);
	e->code_base = address;
	e->code_size = e->code ? left : 0;
	if (e->code && address < c->alias_size && left > c->alias_size - address)
		e->code_size = c->alias_size - address;
	if (address < c->watch_base && c->watch_base - address < e->code_size)
		e->code_size = c->watch_base - address;
	if (mpu_minds(c))
		enter_allowed(c, address);
	return address - c->watch_base >= c->watch_size;
}

/* The rest of an IT block is executed although it should not be: on registers that lead, by any addressing, where nothing is. */
static void poison(struct engine *e)
{
	uint32_t nowhere = 0xF0000000;
	for (unsigned i = 0; i < 15; i++)
		uc_reg_write(e->uc, unicorn_ids[i], &nowhere);
}

static void on_slow(struct cpu *c, uint32_t address, unsigned looks)
{
	struct engine *e = engine_of(c);
	if (e->frozen) {
		poison(e);
		return;
	}
	if (e->fixes) {
		unicorn_fix(c);
		unicorn_look_for(c);
	}
	if (c->now >= c->horizon && !e->stopping) {
		e->stopping = true;
		uc_emu_stop(e->uc);
	}
	/* Outside of IT blocks it has stopped now. */
	if (e->stopping && !it_state(c, address, c->now)) {
		e->ring[c->now++ & 7] = address;
		return;
	}
	e->ring[c->now++ & 7] = address;
	if (e->denied)
		unicorn_give_up(c, EVENT_DENIED, 0);
	else if (looks & e->look)
		unicorn_look(c, address, looks);
	if (e->frozen)
		poison(e);
}

static void on_code(uc_engine *uc, uint64_t at, uint32_t size, void *context)
{
	struct cpu *c = context;
	struct engine *e = c->engine;
	uint32_t address = (uint32_t)at, offset = address - e->code_base;
	(void)uc;
	(void)size;
	if (__builtin_expect(offset + 1 >= e->code_size, 0)) {
		if (!enter_code(c, address))
			c->horizon = 0;
		offset = 0;
		if (e->denied) {
			on_slow(c, address, 0);
			return;
		}
	}
	uint16_t op = 0;
	if (__builtin_expect(e->code != NULL, 1))
		memcpy(&op, e->code + offset, sizeof op);
	unsigned looks = e->looks[op];
	if (__builtin_expect((looks & e->look) || c->now >= c->horizon || e->frozen, 0)) {
		on_slow(c, address, looks);
		return;
	}
	e->ring[c->now++ & 7] = address;
}

static void on_native(uc_engine *uc, uint32_t number, void *context)
{
	struct cpu *c = context;
	engine_of(c)->native = (int)number;
	uc_emu_stop(uc);
}

/* Code that changes is translated anew, and what was made of it before stays in memory, up to 1 GiB; to have it
 * flushed (uc_ctl_flush_tlb()) touches all of that at once. So there is another Unicorn after a while. */
static void on_translated(uc_engine *uc, uc_tb *now, uc_tb *before, void *context)
{
	struct cpu *c = context;
	struct engine *e = engine_of(c);
	(void)uc;
	(void)before;
	e->translated += now->size;
	if (e->translated > MOST_TRANSLATED)
		c->horizon = 0;
}

/* --- registers --- */

void engine_fp_load(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uint64_t d[16];
	int ids[17];
	void *to[17];
	if (e->fp_saved)
		return;
	for (int i = 0; i < 16; i++) {
		ids[i] = UC_ARM_REG_D0 + i;
		to[i] = &d[i];
	}
	ids[16] = UC_ARM_REG_FPSCR;
	to[16] = &c->fpscr;
	uc_reg_read_batch(e->uc, ids, to, 17);
	for (int i = 0; i < 32; i++)
		c->s[i] = (uint32_t)(d[i / 2] >> 32 * (i & 1));
}

void engine_fp_store(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uint64_t d[16];
	int ids[17];
	void *from[17];
	for (int i = 0; i < 16; i++) {
		d[i] = (uint64_t)c->s[2 * i + 1] << 32 | c->s[2 * i];
		ids[i] = UC_ARM_REG_D0 + i;
		from[i] = &d[i];
	}
	ids[16] = UC_ARM_REG_FPSCR;
	from[16] = &c->fpscr;
	uc_reg_write_batch(e->uc, ids, from, 17);
	e->fp_saved = false;
}

/* Handler mode, of an exception that is as good as any; FPCA, or its own idea of FPSCR's default would come in. */
static void settle(struct engine *e)
{
	uint32_t xpsr = XPSR_T | EXCEPTION_HARD, control = CONTROL_FPCA, cpsr;
	uc_reg_write(e->uc, UC_ARM_REG_XPSR, &xpsr);
	uc_reg_write(e->uc, UC_ARM_REG_CONTROL, &control);
	uc_reg_read(e->uc, UC_ARM_REG_CPSR, &cpsr);
	uc_reg_write(e->uc, UC_ARM_REG_CPSR, &cpsr); /* what it has cached of the mode is made anew by this one alone */
	e->control_spoilt = false;
}

static void poke(struct cpu *c)
{
	struct engine *e = engine_of(c);
	void *from[CORE_IDS];
	int ids[CORE_IDS];
	uint32_t xpsr = c->xpsr | EXCEPTION_HARD;
	if (e->control_spoilt)
		settle(e);
	if (e->fp_saved)
		engine_fp_store(c);
	memcpy(ids, unicorn_ids, sizeof ids);
	ids[15] = UC_ARM_REG_XPSR_NZCVQG;
	for (unsigned i = 0; i < 15; i++)
		from[i] = &c->r[i];
	from[15] = &xpsr;
	uc_reg_write_batch(e->uc, ids, from, 16);
}

/* --- Unicorn itself --- */

static uc_err set_up(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uc_hook hook;
	e->uc = NULL;
	uc_err error = unicorn_has_room() ? uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &e->uc) : UC_ERR_NOMEM;
	if (!error)
		error = uc_ctl_set_cpu_model(e->uc, UC_CPU_ARM_CORTEX_M4);
	if (!error)
		error = uc_ctl_exits_enable(e->uc);
	if (!error)
		error = unicorn_map(c);
	if (!error)
		error = uc_hook_add(e->uc, &hook, UC_HOOK_CODE, (void *)(uintptr_t)on_code, c, 1, 0);
	if (!error)
		error = uc_hook_add(e->uc, &hook, UC_HOOK_INTR, (void *)(uintptr_t)on_native, c, 1, 0);
	if (!error)
		error = uc_hook_add(e->uc, &hook, UC_HOOK_EDGE_GENERATED, (void *)(uintptr_t)on_translated, c, 1, 0);
	if (!error)
		settle(e);
	return error;
}

/* Another one, which has translated nothing yet. */
static void renew(struct cpu *c)
{
	struct engine *e = engine_of(c);
	uc_engine *old = e->uc;
	engine_fp_load(c);
	e->fp_saved = true;
	e->translated = 0;
	if (set_up(c)) { /* the old one is good enough */
		if (e->uc)
			uc_close(e->uc);
		e->uc = old;
	} else {
		uc_close(old);
	}
}

/* --- running --- */

static void about(struct cpu *c, uint32_t address)
{
	uint32_t op = unicorn_op(c, address);
	c->r[15] = address;
	c->insn_size = unicorn_length(op);
	c->insn = c->insn_size == 4 ? op << 16 | unicorn_op(c, address + 2) : op;
}

/* Coprocessors that are not there: NOCP, not UNDEFINSTR (B1.5.14). */
static enum event undefined(struct cpu *c)
{
	if ((c->insn & 0xEC000000u) == 0xEC000000u && (c->insn & 0xE00) != 0xA00) {
		c->insn = CFSR_NOCP;
		return EVENT_USAGE;
	}
	return EVENT_UNDEFINED;
}

/* Why has it stopped? Registers are brought over. */
static enum event finish(struct cpu *c, uc_err error)
{
	struct engine *e = engine_of(c);
	uint32_t last = e->ring[(c->now - 1) & 7];
	if (e->frozen)
		return e->event;
	if (e->fixes)
		unicorn_fix(c);
	bool thumb = unicorn_registers(c);
	if (e->native == NATIVE_RETURN) {
		c->r[15] |= thumb;
		return EVENT_RETURN;
	}
	if (e->native == NATIVE_SVC || e->native == NATIVE_BREAKPOINT || e->event == EVENT_HINT ||
	    e->event == EVENT_SKIPPED) {
		c->xpsr |= it_state(c, last, c->now - 1);
		about(c, last);
		return e->native == NATIVE_SVC          ? EVENT_SVC
		       : e->native == NATIVE_BREAKPOINT ? EVENT_BREAKPOINT
							: e->event;
	}
	if (!thumb) {
		c->xpsr &= ~XPSR_T;
		return EVENT_STATE;
	}
	if (e->native == NATIVE_FETCH || error == UC_ERR_FETCH_PROT || error == UC_ERR_FETCH_UNMAPPED) {
		c->xpsr |= it_state(c, c->r[15], c->now);
		return EVENT_FETCH;
	}
	if (e->native || error == UC_ERR_INSN_INVALID || error == UC_ERR_EXCEPTION) {
		c->xpsr |= it_state(c, last, c->now - 1);
		about(c, last);
		return undefined(c);
	}
	if (c->now > e->since && c->r[15] == last)
		c->now--;
	c->xpsr |= it_state(c, c->r[15], c->now);
	return EVENT_HORIZON;
}

enum event engine_run(struct cpu *c)
{
	struct engine *e = engine_of(c);
	if (!(c->xpsr & XPSR_T)) {
		c->now++;
		return EVENT_STATE;
	}
	e->since = c->now;
	e->it_origin = c->r[15];
	e->it_xpsr = c->xpsr & XPSR_IT;
	e->event = EVENT_HORIZON;
	e->stopping = e->frozen = e->fixes = false;
	e->code_size = 0;
	e->native = 0;
	if (e->translated > MOST_TRANSLATED)
		renew(c);
	poke(c);
	mpu_begin(c);
	unicorn_look_for(c);
	e->running = true;
	uc_err error = uc_emu_start(e->uc, c->r[15] | 1, 0, 0, 0);
	e->running = false;
	return finish(c, error);
}

/* --- life --- */

int engine_new(struct cpu *c)
{
	if (unicorn_library_load())
		return -ENOSYS;
	struct engine *e = calloc(1, sizeof *e);
	if (e)
		e->gaps = calloc(c->memory_count + 2, sizeof *e->gaps);
	c->engine = e;
	if (!e || !e->gaps) {
		free(e);
		return -ENOMEM;
	}
	for (unsigned op = 0; op < 0x10000; op++)
		e->looks[op] = (uint8_t)(unicorn_looks_of(op) | (unicorn_accesses(op) ? LOOK_ACCESS : 0) | LOOK_ANY);
	uc_err error = set_up(c);
	if (!error)
		return 0;
	engine_free(c);
	return error == UC_ERR_NOMEM ? -ENOMEM : -ENOSYS;
}

void engine_free(struct cpu *c)
{
	struct engine *e = engine_of(c);
	if (e->uc)
		uc_close(e->uc);
	free(e->gaps);
	free(e);
}

const char *engine_missing(void)
{
	return unicorn_library_load();
}

const char *engine_name(void)
{
	static char name[32];
	unsigned major, minor;

	if (unicorn_library_load())
		return "none";
	uc_version(&major, &minor);
	snprintf(name, sizeof name, "unicorn %u.%u", major, minor);
	return name;
}
