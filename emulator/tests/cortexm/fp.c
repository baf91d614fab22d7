/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames of the FPU: lazy and eager, what of them is in memory when, who restores what, FPSCR, and the FPU switched off.
 */
#include "program.h"

volatile uint32_t what, lr_seen, sp_seen;

#define S(n, bits) __asm volatile("vmov s" #n ", %0" ::"r"((uint32_t)(bits)))
#define READ_S(n) \
	({ \
		uint32_t got_; \
		__asm volatile("vmov %0, s" #n : "=r"(got_)); \
		got_; \
	})
#define FPSCR() \
	({ \
		uint32_t got_; \
		__asm volatile("vmrs %0, fpscr" : "=r"(got_)); \
		got_; \
	})
#define SET_FPSCR(value) __asm volatile("vmsr fpscr, %0" ::"r"((uint32_t)(value)))

static void look(const char *name)
{
	say(name);
	say("\n");
	say_hex(" control", GET(control));
	say_hex(" fpccr", FPCCR & 0xC000017B);
}

void handled(uint32_t *frame);
void handled(uint32_t *frame)
{
	say_hex("lr", lr_seen);
	look("in the handler");
	uint32_t size = lr_seen & 0x10 ? 0x20 : 0x68;
	say_hex(" fpcar is in the frame", !(lr_seen & 0x10) && FPCAR == (uint32_t)frame + 0x20);
	say_hex(" aligned", ((uint32_t)frame & 7) == 0 && size != 0);
	if (!(lr_seen & 0x10)) {
		frame[8] = 0xAAAAAAAA; /* S0's place, which is written when it comes to it */
		if (what & 1) {
			S(0, 0x55555555);
			look("after use");
			say_hex(" s0 in the frame", frame[8]);
			say_hex(" s15 in the frame", frame[23]);
			say_hex(" fpscr in the frame", frame[24]);
			say_hex(" fpscr now", FPSCR() & 0x07C00000); /* the rest is unknown (PreserveFPState()) */
			S(1, 0x66666666);
			S(15, 0x77777777);
			SET_FPSCR(0x01000000);
		}
	} else if (what & 1) {
		S(0, 0x12345678);
		look("after use");
	}
	if (what & 2) {
		frame[8] = 0x3F800000;
		frame[24] = 0x80000000;
	}
}

__attribute__((naked)) void on_irq0(void)
{
	__asm volatile("ldr r1, =lr_seen\n"
		       "str lr, [r1]\n"
		       "mrs r0, msp\n"
		       "push {r4, lr}\n"
		       "bl handled\n"
		       "pop {r4, pc}\n");
}

void on_irq1(void)
{
	say("nested begins\n");
	S(3, 0x33330000);
	pend(0);
	say_hex("s3 of the nested one", READ_S(3));
	look("nested ends");
}

void on_usage(void)
{
	say_hex("usage fault", CFSR);
	say_hex(" control", GET(control));
	CFSR = CFSR;
	CPACR = 0xF00000;
	BARRIER();
}

static void round_of(const char *name)
{
	say("-- ");
	look(name);
	S(0, 0x40490FDB);
	S(1, 1);
	S(2, 0x22222222);
	S(15, 0x15151515);
	S(16, 0x16161616);
	S(31, 0x31313131);
	SET_FPSCR(0x60C00000);
	look("before");
	pend(0);
	look("after");
	say_hex(" s0", READ_S(0));
	say_hex(" s1", READ_S(1));
	say_hex(" s2", READ_S(2));
	say_hex(" s15", READ_S(15));
	say_hex(" s16", READ_S(16));
	say_hex(" s31", READ_S(31));
	say_hex(" fpscr", FPSCR());
	SET(control, 0);
}

int main(void)
{
	NVIC_ISER0 = 3;
	NVIC_IPR(0) = 0x40;
	NVIC_IPR(1) = 0x80;
	SHCSR = 0x70000;
	say_hex("fpccr", FPCCR);
	say_hex("cpacr", CPACR);
	say("off\n");
	S(4, 0x44444444); /* faults, and is done again */
	say_hex("s4", READ_S(4));
	look("on");
	SET(control, 0);
	FPDSCR = 0x02400000;
	look("no context");
	pend(0);
	what = 1;
	pend(0);
	look("still none");
	what = 0;
	round_of("lazy, not used");
	what = 1;
	round_of("lazy, used");
	what = 2;
	round_of("lazy, the frame changed");
	what = 3;
	round_of("lazy, used, then the frame changed");
	FPCCR = 0x80000000;
	BARRIER();
	what = 0;
	round_of("eager, not used");
	what = 1;
	round_of("eager, used");
	what = 2;
	round_of("eager, the frame changed");
	FPCCR = 0xC0000000;
	BARRIER();
	what = 1;
	S(3, 0x3333);
	S(7, 0x7777);
	pend(1);
	say_hex("s3", READ_S(3));
	say_hex("s7", READ_S(7));
	SET(control, 0);
	FPCCR = 0;
	BARRIER();
	S(3, 0x3333);
	look("without aspen");
	return 0;
}
