/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stacks that are not there, and VTOR.
 */
#include "program.h"

static uint32_t table[128] __attribute__((aligned(512)));
static uint32_t process_stack[128] __attribute__((aligned(8)));

void told(uint32_t lr);
void told(uint32_t lr)
{
	say_hex("fault", ipsr());
	say_hex(" cfsr", CFSR);
	say_hex(" hfsr", HFSR);
	say_hex(" lr", lr);
	say_hex(" pending", SHCSR & 0xF000);
	say_hex(" svc active", SHCSR >> 7 & 1);
	CFSR = CFSR;
	HFSR = HFSR;
}

/* The stack is gone: goes on in thread mode by a frame of its own. */
__attribute__((naked)) void on_bus(void)
{
	__asm volatile("mov r0, lr\n"
		       "bl told\n"
		       "ldr r0, =process_top\n"
		       "ldr r0, [r0]\n"
		       "msr psp, r0\n"
		       "ldr r0, =0xfffffffd\n"
		       "bx r0\n");
}

void on_hard(void) __attribute__((alias("on_bus")));

void on_svc(void)
{
	say("svc\n");
}

void on_irq0(void)
{
	say("irq0\n");
}

void moved(void);
void moved(void)
{
	say_hex("moved", ipsr());
}

uint32_t *process_top;

static void (*next)(void);

static void frame_for(void (*run)(void))
{
	uint32_t *sp = process_stack + 120;
	sp[6] = (uint32_t)run & ~1u;
	sp[7] = 0x01000000;
	process_top = sp;
	next = run;
}

static void last(void)
{
	say_hex("control", GET(control));
	SET(control, 0);
	finish();
}

static void vectors(void)
{
	say("- vtor\n");
	for (unsigned i = 0; i < 128; i++)
		table[i] = REG(0x08000000 + 4 * i);
	table[16] = (uint32_t)moved;
	VTOR = (uint32_t)table;
	BARRIER();
	say_hex("vtor", VTOR - (uint32_t)table);
	pend(0);
	VTOR = 0x08000000;
	BARRIER();
	pend(0);
	last();
}

static void escalated(void)
{
	say("- stack not there, escalated\n");
	frame_for(vectors);
	SHCSR = 0;
	SET(psp, 0xB0000100);
	__asm volatile("svc 1");
	say("not reached\n");
}

int main(void)
{
	NVIC_ISER0 = 1;
	SHCSR = 0x70000;
	frame_for(escalated);
	say("- stack not there\n");
	SET(psp, 0xB0000100);
	SET(control, 2);
	__asm volatile("svc 1");
	say("not reached\n");
	return 0;
}
