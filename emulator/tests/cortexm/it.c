/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IT blocks that are left and come back to: SVC, faults that are mended or skipped, interrupts that the block itself pends; special
 * registers in an IT block; LDM and STM that fault and are done again; LDREX and STREX with an exception in between.
 */
#include "program.h"

volatile uint32_t mend, skip;
uint32_t words[8] = { 0x101, 0x202, 0x303, 0x404, 0x505, 0x606, 0x707, 0x808 };

static void told(const char *name, uint32_t *frame)
{
	say_hex(name, CFSR);
	say_hex(" xpsr", frame[7]);
	say_hex(" r0", frame[0]);
	say_hex(" r1", frame[1]);
	say_hex(" r2", frame[2]);
	say_hex(" r3", frame[3]);
	CFSR = CFSR;
}

/* ITAdvance(). */
static uint32_t advance(uint32_t xpsr)
{
	uint32_t it = (xpsr >> 8 & 0xFC) | (xpsr >> 25 & 3);
	it = it & 7 ? (it & 0xE0) | (it << 1 & 0x1F) : 0;
	return (xpsr & ~0x0600FC00u) | (it & 0xFC) << 8 | (it & 3) << 25;
}

void usage(uint32_t *frame);
void usage(uint32_t *frame)
{
	told("usage", frame);
	frame[6] += skip;
	frame[7] = advance(frame[7]);
}

void bus(uint32_t *frame);
void bus(uint32_t *frame)
{
	told("bus", frame);
	if (mend) {
		frame[0] = mend;
	} else {
		frame[6] += skip;
		frame[7] = advance(frame[7]);
	}
}

void called(uint32_t *frame);
void called(uint32_t *frame)
{
	told("svc", frame);
	frame[3] += 0x100;
}

#define NAKED(name, to) \
	__attribute__((naked)) void name(void) \
	{ \
		__asm volatile("mrs r0, msp\n\tb " #to); \
	}

NAKED(on_usage, usage)
NAKED(on_bus, bus)
NAKED(on_svc, called)

void on_irq0(void)
{
	say("irq0\n");
}

#define RUNS(text, a, b, c, d) \
	do { \
		say("- " text "\n"); \
		register uint32_t r0_ __asm("r0") = (uint32_t)(a), r1_ __asm("r1") = (uint32_t)(b); \
		register uint32_t r2_ __asm("r2") = (uint32_t)(c), r3_ __asm("r3") = (uint32_t)(d); \
		__asm volatile(".balign 4\n\t" text \
			       : "+r"(r0_), "+r"(r1_), "+r"(r2_), "+r"(r3_)::"r4", "r5", "r6", "r12", "memory", "cc"); \
		uint32_t after_[4] = { r0_, r1_, r2_, r3_ }; \
		say_hex(" r0", after_[0]); \
		say_hex(" r1", after_[1]); \
		say_hex(" r2", after_[2]); \
		say_hex(" r3", after_[3]); \
	} while (0)

static void calls(void)
{
	RUNS("cmp r0, #0; itttt eq; addeq r1, #1; svceq 1; addeq r2, #1; addeq r3, #1", 0, 0, 0, 0);
	RUNS("cmp r0, #0; ittee eq; addeq r1, #1; svceq 1; addne r2, #1; addne r3, #1", 0, 0, 0, 0);
	RUNS("cmp r0, #0; ittee eq; addeq r1, #1; svceq 1; addne r2, #1; addne r3, #1", 1, 0, 0, 0);
	RUNS("cmp r0, #0; itete eq; svceq 1; addne r1, #1; addeq r2, #1; addne r3, #1", 0, 0, 0, 0);
	RUNS("cmp r0, #0; iteee eq; addeq r1, #1; addne r1, #2; addne r2, #1; svcne 1", 1, 0, 0, 0);
	RUNS("cmp r0, #0; it eq; svceq 1; add r3, #1", 0, 0, 0, 0);
}

static void undefined(void)
{
	skip = 2;
	RUNS("cmp r0, #0; itttt eq; addeq r1, #1; udfeq #1; addeq r2, #1; addeq r3, #1", 0, 0, 0, 0);
	RUNS("cmp r0, #0; itete eq; addeq r1, #1; addne r1, #2; udfeq #1; addne r3, #1", 0, 0, 0, 0);
	RUNS("cmp r0, #0; itttt ne; addne r1, #1; udfne #1; udfne #2; udfne #3", 0, 0, 0, 0);
	RUNS("cmp r0, #0; itttt eq; udfeq #1; udfeq #1; udfeq #2; udfeq #3", 0, 0, 0, 0);
}

static void accesses(void)
{
	mend = (uint32_t)words;
	RUNS("cmp r2, #0; itttt eq; addeq r1, #1; ldreq r1, [r0]; addeq r2, #1; addeq r3, #1", 0xB0000000, 0, 0, 0);
	RUNS("cmp r2, #0; ittte eq; streq r1, [r0]; ldreq r3, [r0]; addeq r2, #1; addne r3, #1", 0xB0000000, 0x99, 0,
	     0);
	RUNS("cmp r2, #0; itttt eq; ldreq r1, [r0], #4; ldreq r3, [r0], #4; addeq r2, #1; addeq r3, #1", 0xB0000000, 0,
	     0, 0);
	mend = 0;
	skip = 2;
	RUNS("cmp r2, #0; itttt eq; addeq r1, #1; ldreq r1, [r0]; addeq r2, #1; addeq r3, #1", 0xB0000000, 0, 0, 0);
	RUNS("cmp r2, #0; itttt eq; streq r1, [r0]; streq r1, [r0]; addeq r2, #1; addeq r3, #1", 0xB0000000, 7, 0, 0);
	RUNS("cmp r2, #0; it eq; streq r1, [r0]; ldr r3, [r0]; add r2, #1", 0xB0000000, 7, 0, 0);
}

static void multiple(void)
{
	mend = (uint32_t)words;
	RUNS("ldm r0!, {r1, r2, r3}", 0xB0000000, 1, 2, 3);
	RUNS("stm r0!, {r1, r2, r3}", 0xB0000000, 1, 2, 3);
	RUNS("ldm r0, {r1, r2, r3}", 0xB0000000, 1, 2, 3);
	mend = (uint32_t)(words + 4);
	RUNS("ldmdb.w r0!, {r1, r2}", 0xB0000000, 1, 2, 3);
	RUNS("ldrd r1, r2, [r0], #8", 0xB0000000, 1, 2, 3);
	RUNS("strd r1, r2, [r0, #8]!", 0xB0000000, 1, 2, 3);
	/* Half of it is there: the last word of SRAM. */
	RUNS("ldm r0!, {r1, r2, r3}", 0x2002FFFC, 1, 2, 3);
	RUNS("stm r0!, {r1, r2, r3}", 0x2002FFF8, 1, 2, 3);
	RUNS("ldr r1, [r0]", 0x2002FFFE, 1, 2, 3);
	RUNS("cmp r2, #0; itt eq; ldmeq r0!, {r1, r3}; addeq r3, #1", 0x2002FFFC, 1, 0, 3);
}

static void special(void)
{
	mend = 0;
	RUNS("cmp r2, #0; itett eq; mrseq r1, control; mrsne r1, msp; mrseq r2, primask; addeq r2, #5", 0, 9, 0, 0);
	RUNS("cmp r2, #0; ite eq; mrseq r1, ipsr; mrsne r1, msp", 0, 9, 0, 0);
	RUNS("mov r1, #0x40; cmp r2, #0; itet eq; msreq basepri, r1; msrne basepri, r0; mrseq r3, basepri", 0, 0, 0, 0);
	SET(basepri, 0);
	RUNS("mrs r1, psp; mov r2, #0x88; cmp r2, #0; itt ne; msrne psp, r2; mrsne r3, psp; msr psp, r1; movs r1, #0",
	     0, 0, 0, 0);
}

static void pended(void)
{
	NVIC_ISER0 = 1;
	RUNS("cmp r2, #0; itttt eq; streq r1, [r0]; addeq r2, #1; addeq r3, #1; addeq r3, #1; dsb; isb", 0xE000E200, 1,
	     0, 0);
	RUNS("cmp r2, #0; itete eq; streq r1, [r0]; addne r2, #1; addeq r3, #1; addne r3, #1; dsb; isb", 0xE000E200, 1,
	     0, 0);
}

static void exclusive(void)
{
	RUNS("ldrex r1, [r0]; add r1, #1; strex r2, r1, [r0]; ldr r3, [r0]", words, 0, 7, 0);
	RUNS("strex r2, r1, [r0]; ldr r3, [r0]", words, 5, 7, 0);
	RUNS("ldrex r1, [r0]; clrex; strex r2, r1, [r0]; ldr r3, [r0]", words, 5, 7, 0);
	RUNS("ldrex r1, [r0]; svc 1; add r1, #1; strex r2, r1, [r0]; ldr r3, [r0]", words, 5, 7, 0);
	RUNS("ldrexb r1, [r0]; add r1, #1; strexb r2, r1, [r0]; ldr r3, [r0]", words, 5, 7, 0);
	RUNS("ldrexh r1, [r0]; svc 1; strexh r2, r1, [r0]; ldr r3, [r0]", words, 5, 7, 0);
	RUNS("ldrex r1, [r0, #4]; adds r1, #1; strex r2, r1, [r0, #4]; ldr r3, [r0, #4]", words, 5, 7, 0);
}

int main(void)
{
	SHCSR = 0x70000;
	calls();
	undefined();
	accesses();
	multiple();
	special();
	pended();
	exclusive();
	return 0;
}
