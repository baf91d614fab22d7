/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tiny system of threads: PSP, a switch in PendSV that carries R4-R11, S16-S31 and EXC_RETURN, calls by SVC, unprivileged threads.
 */
#include "program.h"

enum { THREADS = 3, WORDS = 256 };

static uint32_t stacks[THREADS][WORDS] __attribute__((aligned(8)));
uint32_t *saved[THREADS];
volatile uint32_t current, turns;

__attribute__((naked)) void on_pendsv(void)
{
	__asm volatile("mrs r0, psp\n"
		       "tst lr, #0x10\n"
		       "it eq\n"
		       "vstmdbeq r0!, {s16-s31}\n"
		       "stmdb r0!, {r4-r11, lr}\n"
		       "push {r0, lr}\n"
		       "bl switch_from\n"
		       "pop {r1, lr}\n"
		       "ldmia r0!, {r4-r11, lr}\n"
		       "tst lr, #0x10\n"
		       "it eq\n"
		       "vldmiaeq r0!, {s16-s31}\n"
		       "msr psp, r0\n"
		       "bx lr\n");
}

uint32_t *switch_from(uint32_t *sp);
uint32_t *switch_from(uint32_t *sp)
{
	saved[current] = sp;
	current = (current + 1) % THREADS;
	turns++;
	return saved[current];
}

void called(uint32_t *frame);
void called(uint32_t *frame)
{
	uint32_t number = ((uint8_t *)frame[6])[-2];
	if (number == 0) {
		ICSR = 1u << 28;
	} else if (number == 1) {
		say_hex("called by", current);
		frame[0] = frame[0] * 2 + frame[1];
	} else if (number == 2) {
		say_hex("turns", turns);
		finish();
	} else {
		say_hex((const char *)frame[0], frame[1]);
	}
}

__attribute__((naked)) void on_svc(void)
{
	__asm volatile("tst lr, #4\n"
		       "ite eq\n"
		       "mrseq r0, msp\n"
		       "mrsne r0, psp\n"
		       "b called\n");
}

static void yield(void)
{
	__asm volatile("svc 0" ::: "memory");
}

static void tell(const char *text, uint32_t value)
{
	register const char *r0 __asm("r0") = text;
	register uint32_t r1 __asm("r1") = value;
	__asm volatile("svc 3" : "+r"(r0), "+r"(r1)::"memory");
}

static uint32_t call(uint32_t a, uint32_t b)
{
	register uint32_t r0 __asm("r0") = a, r1 __asm("r1") = b;
	__asm volatile("svc 1" : "+r"(r0), "+r"(r1)::"memory");
	return r0;
}

static uint32_t bits(float f)
{
	union {
		float f;
		uint32_t u;
	} x = { f };
	return x.u;
}

static void integers(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		tell("integers", i);
		tell("call says", call(i, 100));
		yield();
	}
	for (;;)
		yield();
}

/* Values in S0 to S31 live over the switch. */
static void floats(float by)
{
	float sum = 0;
	for (uint32_t i = 0; i < 5; i++) {
		register float s0 __asm("s0") = by + i, s5 __asm("s5") = by * i, s20 __asm("s20") = by - i,
				  s31 __asm("s31") = i;
		__asm volatile("svc 0" : "+t"(s0), "+t"(s5), "+t"(s20), "+t"(s31)::"memory");
		sum = sum * 1.5f + s0 + s5 * s20 - s31;
		tell("floats", bits(sum));
	}
}

static void first(void)
{
	floats(1.25f);
	tell("control", GET(control));
	for (int i = 0; i < 6; i++)
		yield();
	__asm volatile("svc 2");
	for (;;)
		;
}

static void second(void)
{
	floats(-3.5f);
	SET(control, 2); /* is not for the unprivileged */
	SET(msp, 0);
	SET(basepri, 0xF0);
	tell("control", GET(control));
	tell("basepri", GET(basepri));
	tell("ipsr", ipsr());
	for (;;)
		yield();
}

static void make(unsigned i, void (*run)(void))
{
	uint32_t *sp = stacks[i] + WORDS - 8;
	for (int k = 0; k < 5; k++)
		sp[k] = 0x11111111u * k;
	sp[5] = 0;
	sp[6] = (uint32_t)run & ~1u;
	sp[7] = 0x01000000;
	sp -= 9;
	for (int k = 0; k < 8; k++)
		sp[k] = 0x01010101u * k;
	sp[8] = 0xFFFFFFFD;
	saved[i] = sp;
}

int main(void)
{
	CPACR = 0xF00000;
	BARRIER();
	SHPR(14) = 0xF0;
	make(1, integers);
	make(2, second);
	SET(psp, stacks[0] + WORDS);
	SET(control, 3);
	first();
	return 0;
}
