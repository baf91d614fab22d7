/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EXC_RETURN in all variants, those that are not allowed too; frames on stacks that are not aligned; returns to the other mode.
 */
#include "program.h"

volatile uint32_t lr_to, spoil, sp_after, sp_before;
static uint32_t process_stack[256] __attribute__((aligned(8)));
uint32_t *frame_seen;

void seen(uint32_t *frame, uint32_t lr);
void seen(uint32_t *frame, uint32_t lr)
{
	say_hex("svc lr", lr);
	say_hex(" xpsr", frame[7] & 0x01FFFFFF & ~0xF0000);
	say_hex(" frame", (uint32_t)frame & 7);
	if (spoil == 1)
		frame[7] = (frame[7] & ~0x1FFu) | 0x10;
	frame_seen = frame;
}

__attribute__((naked)) void on_svc(void)
{
	__asm volatile("tst lr, #4\n"
		       "ite eq\n"
		       "mrseq r0, msp\n"
		       "mrsne r0, psp\n"
		       "mov r1, lr\n"
		       "push {r4, lr}\n"
		       "bl seen\n"
		       "pop {r4, lr}\n"
		       "ldr r0, =lr_to\n"
		       "ldr r0, [r0]\n"
		       "cmp r0, #0\n"
		       "it ne\n"
		       "movne lr, r0\n"
		       "bx lr\n");
}

void refused(uint32_t lr, uint32_t *frame);
void refused(uint32_t lr, uint32_t *frame)
{
	say_hex("usage", CFSR);
	say_hex(" lr", lr);
	say_hex(" active", SHCSR & 0xFFF);
	say_hex(" ipsr", ipsr());
	say_hex(" the same frame", frame == frame_seen);
	CFSR = CFSR;
	lr_to = 0;
	if (spoil) /* out with it */
		frame_seen[7] = (frame_seen[7] & ~0x1FFu) | 0x01000000;
}

/* Goes back by the frame that the call has left. */
__attribute__((naked)) void on_usage(void)
{
	__asm volatile("mov r0, lr\n"
		       "mrs r1, msp\n"
		       "push {r4, lr}\n"
		       "bl refused\n"
		       "pop {r4, lr}\n"
		       "ldr r0, =back\n"
		       "ldr r0, [r0]\n"
		       "bx r0\n");
}

volatile uint32_t back;

static void call(const char *name, uint32_t to)
{
	say("- ");
	say(name);
	say("\n");
	lr_to = to;
	back = GET(control) & 2 ? 0xFFFFFFFD : 0xFFFFFFF9;
	__asm volatile("mov r4, sp\n"
		       "svc 1\n"
		       "mov r5, sp\n"
		       "ldr r6, =sp_before\n"
		       "str r4, [r6]\n"
		       "ldr r6, =sp_after\n"
		       "str r5, [r6]\n" ::
			       : "r4", "r5", "r6", "memory");
	say_hex(" sp kept", sp_before == sp_after);
	say_hex(" control", GET(control));
}

static void off_by_four(void)
{
	__asm volatile("push {r4}\n\tsvc 1\n\tpop {r4}" ::: "r4", "memory");
}

void on_irq0(void)
{
	say("irq0\n");
	back = 0xFFFFFFF1;
	lr_to = 0;
	__asm volatile("svc 1");
	say("- to thread, while nested\n");
	lr_to = 0xFFFFFFF9;
	__asm volatile("svc 1");
	say("irq0 again\n");
	say_hex(" ipsr", ipsr());
}

int main(void)
{
	SHCSR = 0x70000;
	SET(psp, process_stack + 256);
	call("as it came", 0);
	call("f9", 0xFFFFFFF9);
	off_by_four();
	CCR &= ~0x200u;
	BARRIER();
	say("not aligned\n");
	call("as it came", 0);
	lr_to = 0;
	off_by_four();
	CCR |= 0x200;
	BARRIER();
	say("psp\n");
	SET(control, 2);
	call("as it came", 0);
	call("fd", 0xFFFFFFFD);
	off_by_four();
	SET(control, 0);
	say("refused\n");
	call("f1 without nesting", 0xFFFFFFF1);
	call("f0", 0xFFFFFFF0);
	call("f5", 0xFFFFFFF5);
	call("fb", 0xFFFFFFFB);
	call("ff", 0xFFFFFFFF);
	spoil = 1;
	call("ipsr in a frame of thread mode", 0);
	spoil = 0;
	NVIC_ISER0 = 1;
	NVIC_IPR(0) = 0x80;
	pend(0);
	call("as it came", 0);
	return 0;
}
