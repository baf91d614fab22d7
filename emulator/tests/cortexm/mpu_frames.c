/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames that the MPU refuses to be pushed, popped or saved late, for privileged code and other; and vectors, which it does not mind.
 */
#include "program.h"

enum { TOP = 0x400, GUARD = 0x200 };

static uint32_t stack[256] __attribute__((aligned(1024)));
static uint32_t new_stack[128] __attribute__((aligned(8)));
static void (*volatile next)(void);
static void (*volatile mend)(void);

uint32_t told(const char *name, uint32_t lr);
uint32_t told(const char *name, uint32_t lr)
{
	say(name);
	say_hex(" cfsr", CFSR);
	say_hex(" hfsr", HFSR);
	say_hex(" lr", lr);
	say_hex(" shcsr", SHCSR);
	say_hex(" fpccr", FPCCR & 0xC000017B);
	say_hex(" psp", GET(psp) - (uint32_t)stack);
	CFSR = CFSR;
	HFSR = HFSR;
	if (mend) {
		mend();
		return lr;
	}
	/* What was interrupted is lost. */
	uint32_t *sp = new_stack + 120;
	for (unsigned i = 0; i < 8; i++)
		sp[i] = 0;
	sp[6] = (uint32_t)next & ~1u;
	sp[7] = 0x01000000;
	SET(control, 0);
	SET(psp, sp);
	return 0xFFFFFFFD;
}

#define HANDLER(name) \
	__attribute__((naked)) void name(void) \
	{ \
		__asm volatile("ldr r0, =1f\n" \
			       "mov r1, lr\n" \
			       "push {r4, lr}\n" \
			       "bl told\n" \
			       "pop {r4, lr}\n" \
			       "bx r0\n" \
			       "1: .asciz \"" #name "\\n\"\n" \
			       ".balign 4\n"); \
	}

HANDLER(on_hard)
HANDLER(on_memory)

static void (*volatile called)(void);

void on_svc(void)
{
	void (*call)(void) = called;
	say_hex("svc", SHCSR & 0xFFF);
	called = 0;
	if (call)
		call();
	else
		SET(control, GET(control) & ~1u);
}

static void uses_fpu(void)
{
	__asm volatile("vmov s0, %0" ::"r"(0x3F800000) : "s0");
}

void on_nmi(void)
{
	say_hex("nmi", GET(faultmask));
}

void on_irq0(void)
{
	void (*call)(void) = called;
	say("irq0\n");
	called = 0;
	if (call)
		call();
	uses_fpu();
	say("irq0 ends\n");
}

static void closed(void)
{
	region(7, (uint32_t)stack, AP(NONE) | SIZE(10));
}

static void opened(void)
{
	region(7, 0, 0);
}

static void theirs(void)
{
	region(7, (uint32_t)stack, AP(PRIVILEGED) | SIZE(10));
}

#define PEND(at, what) "ldr r0, =" at "\n\tmovs r1, #" what "\n\tstr r1, [r0]\n\tdsb\n\tisb\n\tb 1f\n\t.ltorg\n1:\n\t"

/* In Thread mode, on the stack that is watched. */
#define RUN(control_, sp, instructions) \
	__asm volatile("msr psp, %0\n\tmsr control, %1\n\tisb\n\t" instructions \
		       "\n\tmovs r0, #0\n\tmsr control, r0\n\tisb" ::"r"((uint32_t)stack + (sp)), \
		       "r"(control_) \
		       : "r0", "r1", "memory")

static void last(void)
{
	SET(control, 0);
	say("- for what is urgent it is off\n");
	closed();
	RUN(2, TOP, "cpsid f\n\t" PEND("0xE000ED04", "1") "lsls r1, #31\n\tstr r1, [r0]\n\tdsb\n\tisb\n\tcpsie f");
	opened();
	say("- vectors are read all the same\n");
	mend = opened;
	called = 0;
	region(7, 0x08000000, AP(NONE) | SIZE(8) | SRD(0));
	NVIC_ISER0 = 1;
	pend(0);
	opened();
	finish();
}

static void lazily(void)
{
	SET(control, 0);
	say("- lazily, and pending until its time\n");
	mend = opened;
	called = closed;
	NVIC_ISER0 = 1;
	NVIC_IPR(0) = 0x80;
	FPCCR = 0xC0000000;
	SHPR(4) = 0xC0;
	RUN(6, TOP, PEND("0xE000E200", "1"));
	say("- lazily, in between\n");
	called = closed;
	SHPR(4) = 0x40;
	RUN(6, TOP, PEND("0xE000E200", "1"));
	say("- lazily, escalated\n");
	called = closed;
	SHCSR = 0;
	RUN(6, TOP, PEND("0xE000E200", "1"));
	say("- lazily, as unprivileged as it was\n");
	SHCSR = 0x10000;
	called = theirs;
	CCR |= 2; /* USERSETMPEND */
	RUN(7, TOP, PEND("0xE000EF00", "0") "svc 2");
	say("- lazily, as privileged as it was\n");
	called = theirs;
	RUN(6, TOP, PEND("0xE000E200", "1"));
	opened();
	last();
}

static void popped(void)
{
	SET(control, 0);
	say("- popped\n");
	mend = opened;
	called = closed;
	RUN(2, TOP, "svc 1");
	say("- popped, escalated\n");
	called = closed;
	SHCSR = 0;
	RUN(2, TOP, "svc 1");
	SHCSR = 0x10000;
	say("- popped, unprivileged\n");
	called = theirs;
	RUN(3, TOP, "svc 1\n\tsvc 2");
	say("- popped, privileged\n");
	called = theirs;
	RUN(2, TOP, "svc 1");
	opened();
	lazily();
}

static void unprivileged(void)
{
	SET(control, 0);
	say("- pushed, unprivileged\n");
	next = popped;
	theirs();
	SHPR(4) = 0;
	RUN(3, TOP, "svc 1");
}

static void overflown(void)
{
	SET(control, 0);
	say("- pushed, by what the guard has found\n");
	next = unprivileged;
	SHPR(11) = 0;
	RUN(2, GUARD + 32, "push {r0, r1}");
}

static void both(void)
{
	SET(control, 0);
	say("- a guard, and nothing below\n");
	next = overflown;
	RUN(2, GUARD + 40, "svc 1");
}

static void eager(void)
{
	SET(control, 0);
	say("- pushed, with the FPU's\n");
	next = both;
	FPCCR = 0x80000000;
	uses_fpu();
	RUN(6, GUARD + 128, "svc 1");
}

static void behind(void)
{
	SET(control, 0);
	FPCCR = 0;
	SHCSR = 0x10000;
	say("- pushed, by one that is more urgent\n");
	next = eager;
	SHPR(4) = 0x80;
	RUN(2, GUARD + 32, "svc 1");
}

static void escalated(void)
{
	SET(control, 0);
	say("- pushed, escalated\n");
	next = behind;
	SHCSR = 0;
	RUN(2, GUARD + 32, "svc 1");
}

int main(void)
{
	CPACR = 0xF00000;
	FPCCR = 0;
	SHCSR = 0x10000;
	/* What is not privileged needs regions of its own. */
	region(0, 0x08000000, AP(READS) | SIZE(20));
	region(1, 0x20000000, AP(FULL) | XN | SIZE(18));
	region(7, (uint32_t)stack + GUARD, AP(NONE) | SIZE(5));
	mpu_on(PRIVDEFENA);
	say("- pushed\n");
	next = escalated;
	RUN(2, GUARD + 32, "svc 1");
	say("not reached\n");
	return 0;
}
