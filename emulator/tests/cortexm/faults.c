/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every fault that a program can make, handled where it belongs, escalated, and in handlers.
 */
#include "program.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

/* Where to go on behind the instruction, and what the frame says of it. */
volatile uint32_t resume_at, step;
extern const uint16_t here_[];

void told(const char *name, uint32_t *frame, uint32_t lr);
void told(const char *name, uint32_t *frame, uint32_t lr)
{
	say_hex(name, CFSR);
	say_hex(" hfsr", HFSR);
	if (CFSR & 0x80)
		say_hex(" mmfar", MMFAR);
	if (CFSR & 0x8000)
		say_hex(" bfar", BFAR);
	say_hex(" lr", lr);
	say_hex(" xpsr", frame[7] & 0x0700FFFF);
	say_hex(" active", SHCSR & 0xFFF);
	if (step) {
		say_hex(" offset", frame[6] - step);
		frame[6] = resume_at & ~1u;
		frame[7] = (frame[7] & 0xF80FFFFF & ~0x0600FC00u) | 0x01000000;
	}
	CFSR = CFSR;
	HFSR = HFSR;
}

FAULT_HANDLER(on_hard)
FAULT_HANDLER(on_memory)
FAULT_HANDLER(on_bus)
FAULT_HANDLER(on_usage)
FAULT_HANDLER(on_debug)

/* Runs one instruction that faults; r0 to r3 as given. */
#define FAULTS(instruction, a, b) \
	do { \
		say("- " instruction "\n"); \
		register uint32_t r0_ __asm("r0") = (uint32_t)(a), r1_ __asm("r1") = (uint32_t)(b); \
		__asm volatile("ldr r2, =1f\n" \
			       "ldr r3, =step\n" \
			       "str r2, [r3]\n" \
			       "ldr r2, =2f\n" \
			       "ldr r3, =resume_at\n" \
			       "str r2, [r3]\n" \
			       "b 1f\n" \
			       ".ltorg\n" \
			       ".balign 4\n" \
			       "1: " instruction "\n" \
			       "2: nop\n" \
			       : "+r"(r0_), "+r"(r1_)::"r2", "r3", "r4", "r5", "r12", "lr", "memory", "cc"); \
		uint32_t after_[2] = { r0_, r1_ }; \
		say_hex(" r0", after_[0]); \
		say_hex(" r1", after_[1]); \
	} while (0)

static uint32_t words[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void all(void)
{
	FAULTS("udf #1", 0, 0);
	FAULTS("udf.w #1", 0, 0);
	FAULTS("mcr p15, 0, r0, c0, c0, 0", 0, 0);
	FAULTS("ldc p1, c0, [r0]", words, 0);
	FAULTS("ldr r1, [r0]", 0xB0000000, 5);
	FAULTS("str r1, [r0]", 0xB0000000, 5);
	FAULTS("ldrb r1, [r0, #3]", 0xB0000000, 5);
	FAULTS("ldr r1, [r0, #4]!", 0xB0000000, 5);
	FAULTS("ldr r1, [r0], #4", 0xB0000000, 5);
	FAULTS("str r1, [r0, #-4]!", 0xB0000000, 5);
	FAULTS("ldm r0!, {r4, r5, r12}", 0xB0000000, 5);
	FAULTS("stm r0!, {r1, r4, r5}", 0xB0000000, 5);
	FAULTS("ldrd r4, r5, [r0]", 0xB0000000, 5);
	FAULTS("strd r4, r5, [r0]", 0xB0000000, 5);
	FAULTS("vldr s0, [r0]", 0xB0000000, 5);
	FAULTS("vstr s0, [r0]", 0xB0000000, 5);
	FAULTS("bx r0", 0x08000000, 0);
	FAULTS("bx r0", 0x08000100, 0);
	FAULTS("blx r0", 0x40000001, 0);
	FAULTS("bx r0", 0xB0000001, 0);
	FAULTS("bx r0", 0xE0000001, 0);
	FAULTS("bx r0", 0x30000001, 0);
	if (!ipsr()) /* is a return otherwise */
		FAULTS("bx r0", 0xFFFFFFF9, 0);
	FAULTS("ldm r0, {r4, r5}", (uint32_t)words + 1, 0);
	FAULTS("ldm.w r0!, {r4, r5}", (uint32_t)words + 2, 0);
	FAULTS("stm r0!, {r4, r5}", (uint32_t)words + 3, 0);
	FAULTS("ldrd r4, r5, [r0]", (uint32_t)words + 2, 0);
	FAULTS("strd r4, r5, [r0]", (uint32_t)words + 1, 0);
	FAULTS("vldr s0, [r0]", (uint32_t)words + 2, 0);
	FAULTS("vldr d0, [r0]", (uint32_t)words + 1, 0);
	FAULTS("ldrex r1, [r0]", (uint32_t)words + 2, 9);
	FAULTS("ldr r1, [r0]", (uint32_t)words + 1, 0);
	FAULTS("ldrh r1, [r0]", (uint32_t)words + 3, 0);
	FAULTS("udiv r1, r1, r0", 0, 7);
}

static void trapped(void)
{
	FAULTS("sdiv r1, r1, r0", 0, 7);
	FAULTS("udiv r1, r1, r0", 0, 7);
	FAULTS("udiv r1, r1, r0", 2, 7);
	FAULTS("ldr r1, [r0]", (uint32_t)words + 1, 0);
	FAULTS("ldr.w r1, [r0, #3]", words, 0);
	FAULTS("ldr r1, [r0, #-1]", (uint32_t)words + 1, 0);
	FAULTS("ldr r1, [r0, #-1]!", (uint32_t)words + 2, 0);
	FAULTS("ldr r1, [r0, r1, lsl #2]", words, 1);
	FAULTS("ldr r1, [r0, r1]", words, 1);
	FAULTS("ldrh r1, [r0, #1]", words, 0);
	FAULTS("ldrsh r1, [r0, r1]", words, 1);
	FAULTS("ldrb r1, [r0, r1]", words, 1);
	FAULTS("strh r1, [r0]", (uint32_t)words + 1, 0);
	FAULTS("str r1, [r0]", (uint32_t)words + 2, 0);
	FAULTS("str r1, [r0, #4]", words, 9);
}

void on_irq0(void)
{
	say("in a handler\n");
	all();
}

int main(void)
{
	CPACR = 0xF00000;
	BARRIER();
	NVIC_ISER0 = 1;
	NVIC_IPR(0) = 0x80;
	say("-- enabled\n");
	SHCSR = 0x70000;
	all();
	CCR |= 0x18;
	BARRIER();
	trapped();
	CCR &= ~0x18u;
	BARRIER();
	say("-- escalated\n");
	SHCSR = 0;
	all();
	say("-- in a handler\n");
	SHCSR = 0x70000;
	pend(0);
	say("-- in a handler of a higher priority\n");
	SHPR(4) = SHPR(5) = SHPR(6) = 0xC0;
	pend(0);
	say("-- svc that is masked\n");
	SHPR(11) = 0x80;
	SET(basepri, 0x80);
	FAULTS("svc 5", 0, 0);
	SET(basepri, 0);
	__asm volatile("cpsid i");
	FAULTS("svc 5", 0, 0);
	__asm volatile("cpsie i");
	say("-- unprivileged\n");
	SHPR(4) = SHPR(5) = SHPR(6) = 0;
	SET(control, 1);
	FAULTS("ldr r1, [r0]", 0xE000ED00, 5);
	FAULTS("str r1, [r0]", 0xE000E100, 5);
	FAULTS("ldr r1, [r0]", 0xE000E010, 5);
	FAULTS("cpsid i", 0, 5);
	say_hex("primask", GET(primask));
	say_hex("control", GET(control));
	for (;;)
		__asm volatile("svc 0");
}

void on_svc(void)
{
	finish();
}
