/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs when: pending, priorities and groups, preemption, nesting, tail-chaining, masks, and what the registers say meanwhile.
 */
#include "program.h"

static volatile uint32_t nest; /* what irq0 is to do */

static void here(const char *name)
{
	say_hex(name, (ICSR & 0x1FF) | (ICSR & 0x800));
}

void on_svc(void)
{
	here("svc");
}

void on_pendsv(void)
{
	here("pendsv");
}

void on_systick(void)
{
	here("systick");
}

void on_nmi(void)
{
	here("nmi");
	say_hex("pending behind nmi", ICSR >> 12 & 0x1FF);
}

void on_irq0(void)
{
	here("irq0 begins");
	if (nest) {
		uint32_t irq = nest;
		nest = 0;
		pend(irq);
		say_hex("active", NVIC_IABR0);
		say_hex("pending", NVIC_ISPR0);
	}
	here("irq0 ends");
}

void on_irq1(void)
{
	here("irq1");
}

void on_irq2(void)
{
	here("irq2 begins");
	ICSR = 1u << 31; /* NMI */
	BARRIER();
	here("irq2 ends");
}

void on_irq3(void)
{
	here("irq3");
	say_hex("lr", (uint32_t)__builtin_return_address(0) | 1);
	__asm volatile("cpsid f"); /* ends with the handler */
}

static void priorities(unsigned a, unsigned b, unsigned c)
{
	NVIC_IPR(0) = a;
	NVIC_IPR(1) = b;
	NVIC_IPR(2) = c;
}

static void pend_together(uint32_t set)
{
	__asm volatile("cpsid i");
	NVIC_ISPR0 = set;
	BARRIER();
	say_hex("held", NVIC_ISPR0 & 0xF);
	say_hex("next", ICSR >> 12 & 0x1FF);
	__asm volatile("cpsie i\n\tisb");
}

static void masks(void)
{
	say("basepri\n");
	SET(basepri, 0x40);
	pend(0);
	say("0x40 holds 0x40\n");
	pend(1);
	SET(basepri, 0x40);
	say_hex("basepri", GET(basepri) & 0xF0);
	SET(basepri_max, 0x80);
	say_hex("not raised to", GET(basepri) & 0xF0);
	SET(basepri_max, 0x20);
	say_hex("max", GET(basepri) & 0xF0);
	SET(basepri, 0);
	say("faultmask\n");
	__asm volatile("cpsid f\n\tisb");
	say_hex("faultmask", GET(faultmask));
	pend(1);
	ICSR = 1u << 31;
	BARRIER();
	__asm volatile("cpsie f\n\tisb");
	say("primask by msr\n");
	SET(primask, 1);
	pend(1);
	say_hex("primask", GET(primask));
	SET(primask, 0);
}

static void groups(void)
{
	for (uint32_t group = 3; group <= 7; group++) {
		say_hex("prigroup", group);
		AIRCR = 0x05FA0000 | group << 8;
		say_hex("aircr", AIRCR);
		priorities(0x80, 0x70, 0x40);
		nest = 1;
		pend(0); /* is it preempted by irq1, with a priority that is one less? */
		priorities(0x80, 0x00, 0xC0);
		nest = 1;
		pend(0);
	}
	AIRCR = 0x05FA0000;
}

int main(void)
{
	NVIC_ISER0 = 0xF;
	say_hex("enabled", NVIC_ISER0);
	priorities(0x80, 0x40, 0xC0);
	say_hex("priorities", REG(0xE000E400) & 0xF0F0F0F0);
	SHPR(14) = 0xF0;
	say("one by one\n");
	pend(0);
	pend(1);
	pend(2);
	STIR = 3;
	BARRIER();
	say_hex("faultmask", GET(faultmask));
	ICSR = 1u << 28;
	BARRIER();
	__asm volatile("svc 1");
	say("preempted\n");
	nest = 1;
	pend(0);
	say("not preempted, then chained\n");
	nest = 2;
	pend(0);
	say("together\n");
	pend_together(7);
	pend_together(5);
	priorities(0x40, 0x40, 0x40);
	say("the lowest number first\n");
	pend_together(7);
	say("taken back\n");
	__asm volatile("cpsid i");
	NVIC_ISPR0 = 3;
	NVIC_ICPR0 = 1;
	ICSR = 1u << 28;
	ICSR = 1u << 27;
	ICSR = 1u << 26;
	BARRIER();
	say_hex("icsr", ICSR & 0x1440F000);
	ICSR = 1u << 25;
	__asm volatile("cpsie i\n\tisb");
	say("disabled, then enabled\n");
	NVIC_ICER0 = 2;
	pend(1);
	say("nothing yet\n");
	NVIC_ISER0 = 2;
	BARRIER();
	masks();
	groups();
	say("priority raised while pending\n");
	SET(basepri, 0x40);
	priorities(0x80, 0x80, 0x80);
	pend(1);
	NVIC_IPR(1) = 0x20;
	BARRIER();
	SET(basepri, 0);
	return 0;
}
