/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accesses mind where they go: for each, a digit for each of four addresses in a row, 1 where it faults; first by itself, then
 * with CCR.UNALIGN_TRP.
 */
#include "program.h"

volatile uint32_t resume_at, faulted;
static uint32_t words[16];

void trapped(uint32_t *frame);
void trapped(uint32_t *frame)
{
	faulted |= CFSR;
	CFSR = CFSR;
	frame[6] = resume_at & ~1u;
}

__attribute__((naked)) void on_usage(void)
{
	__asm volatile("mrs r0, msp\n\tb trapped");
}

#define TRY(text) \
	do { \
		uint32_t digits_ = 0; \
		for (uint32_t i_ = 0; i_ < 4; i_++) { \
			register uint32_t r0_ __asm("r0") = (uint32_t)words + 16 + i_, r1_ __asm("r1") = 1; \
			faulted = 0; \
			__asm volatile("ldr r2, =2f\n\tldr r3, =resume_at\n\tstr r2, [r3]\n\tmovs r2, #0\n\tmovs r3, " \
				       "#0\n\t" text "\n\tb 2f\n\t.ltorg\n\t.balign 4\n1:\t.word 0, 0\n2:" \
				       : "+r"(r0_), "+r"(r1_)::"r2", "r3", "memory", "cc", "s0", "s1", "s2", "s3"); \
			digits_ |= (faulted == 0x01000000 ? 1u : faulted >> 16) << 4 * (3 - i_); \
		} \
		say_hex(text, digits_); \
	} while (0)

static void all(void)
{
	TRY("ldr r2, [r0]");
	TRY("ldr r2, [r0, #8]");
	TRY("ldr.w r2, [r0, #5]");
	TRY("ldr r2, [r0, #-3]");
	TRY("ldr r2, [r0, #3]!");
	TRY("ldr r2, [r0], #1");
	TRY("ldr r2, [r0], #-2");
	TRY("ldr r2, [r0, #-1]!");
	TRY("ldr r2, [r0, r1]");
	TRY("ldr.w r2, [r0, r1, lsl #1]");
	TRY("ldr.w r2, [r0, r1, lsl #3]");
	TRY("ldrt r2, [r0, #2]");
	TRY("str r2, [r0]");
	TRY("str r2, [r0, #8]");
	TRY("str.w r2, [r0, #5]");
	TRY("str r2, [r0, #-3]");
	TRY("str r2, [r0, #3]!");
	TRY("str r2, [r0], #1");
	TRY("str r2, [r0], #-2");
	TRY("str r2, [r0, #-1]!");
	TRY("str r2, [r0, r1]");
	TRY("str.w r2, [r0, r1, lsl #1]");
	TRY("str.w r2, [r0, r1, lsl #3]");
	TRY("strt r2, [r0, #2]");
	TRY("ldrh r2, [r0]");
	TRY("ldrh r2, [r0, #6]");
	TRY("ldrh.w r2, [r0, #5]");
	TRY("ldrh r2, [r0, #-3]");
	TRY("ldrh r2, [r0, #3]!");
	TRY("ldrh r2, [r0], #1");
	TRY("ldrh r2, [r0], #-2");
	TRY("ldrh r2, [r0, #-1]!");
	TRY("ldrh r2, [r0, r1]");
	TRY("ldrh.w r2, [r0, r1, lsl #1]");
	TRY("ldrh.w r2, [r0, r1, lsl #3]");
	TRY("ldrht r2, [r0, #2]");
	TRY("strh r2, [r0]");
	TRY("strh r2, [r0, #6]");
	TRY("strh.w r2, [r0, #5]");
	TRY("strh r2, [r0, #-3]");
	TRY("strh r2, [r0, #3]!");
	TRY("strh r2, [r0], #1");
	TRY("strh r2, [r0], #-2");
	TRY("strh r2, [r0, #-1]!");
	TRY("strh r2, [r0, r1]");
	TRY("strh.w r2, [r0, r1, lsl #1]");
	TRY("strh.w r2, [r0, r1, lsl #3]");
	TRY("strht r2, [r0, #2]");
	TRY("ldrsh r2, [r0]");
	TRY("ldrsh.w r2, [r0, #5]");
	TRY("ldrsh r2, [r0, #-3]");
	TRY("ldrsh r2, [r0, #3]!");
	TRY("ldrsh r2, [r0], #1");
	TRY("ldrsh r2, [r0], #-2");
	TRY("ldrsh r2, [r0, #-1]!");
	TRY("ldrsh r2, [r0, r1]");
	TRY("ldrsh.w r2, [r0, r1, lsl #1]");
	TRY("ldrsh.w r2, [r0, r1, lsl #3]");
	TRY("ldrsht r2, [r0, #2]");
	TRY("ldrb r2, [r0]");
	TRY("ldrb r2, [r0, #5]");
	TRY("ldrb.w r2, [r0, #5]");
	TRY("ldrb r2, [r0, #-3]");
	TRY("ldrb r2, [r0, #3]!");
	TRY("ldrb r2, [r0], #1");
	TRY("ldrb r2, [r0], #-2");
	TRY("ldrb r2, [r0, #-1]!");
	TRY("ldrb r2, [r0, r1]");
	TRY("ldrb.w r2, [r0, r1, lsl #1]");
	TRY("ldrb.w r2, [r0, r1, lsl #3]");
	TRY("ldrbt r2, [r0, #2]");
	TRY("strb r2, [r0]");
	TRY("strb r2, [r0, #5]");
	TRY("strb.w r2, [r0, #5]");
	TRY("strb r2, [r0, #-3]");
	TRY("strb r2, [r0, #3]!");
	TRY("strb r2, [r0], #1");
	TRY("strb r2, [r0], #-2");
	TRY("strb r2, [r0, #-1]!");
	TRY("strb r2, [r0, r1]");
	TRY("strb.w r2, [r0, r1, lsl #1]");
	TRY("strb.w r2, [r0, r1, lsl #3]");
	TRY("strbt r2, [r0, #2]");
	TRY("ldrsb r2, [r0]");
	TRY("ldrsb.w r2, [r0, #5]");
	TRY("ldrsb r2, [r0, #-3]");
	TRY("ldrsb r2, [r0, #3]!");
	TRY("ldrsb r2, [r0], #1");
	TRY("ldrsb r2, [r0], #-2");
	TRY("ldrsb r2, [r0, #-1]!");
	TRY("ldrsb r2, [r0, r1]");
	TRY("ldrsb.w r2, [r0, r1, lsl #1]");
	TRY("ldrsb.w r2, [r0, r1, lsl #3]");
	TRY("ldrsbt r2, [r0, #2]");
	TRY("ldrd r2, r3, [r0]");
	TRY("strd r2, r3, [r0, #4]");
	TRY("ldrd r2, r3, [r0], #8");
	TRY("strd r2, r3, [r0, #-4]!");
	TRY("ldm r0!, {r2, r3}");
	TRY("stm r0!, {r2, r3}");
	TRY("ldm.w r0, {r2, r3}");
	TRY("stmdb r0!, {r2, r3}");
	TRY("ldmdb r0, {r2, r3}");
	TRY("vldr s0, [r0, #4]");
	TRY("vstr s0, [r0, #-4]");
	TRY("vldr d0, [r0]");
	TRY("vldm r0!, {s0-s3}");
	TRY("vstmdb r0!, {s0, s1}");
	TRY("ldrex r2, [r0]");
	TRY("ldrexh r2, [r0]");
	TRY("ldrexb r2, [r0]");
	TRY("pld [r0, #1]");
	TRY("ldr r2, 1f");
	TRY("ldrh.w r2, 1f");
	TRY("ldrd r2, r3, 1f");
	TRY("vldr s0, 1f");
	TRY("vmov r2, r3, s0, s1");
	TRY("vmov s0, s1, r2, r3");
}

int main(void)
{
	SHCSR = 0x70000;
	CPACR = 0xF00000;
	BARRIER();
	all();
	say("-- UNALIGN_TRP\n");
	CCR |= 8;
	BARRIER();
	all();
	return 0;
}
