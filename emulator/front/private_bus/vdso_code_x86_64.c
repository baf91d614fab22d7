/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: clock_gettime, gettimeofday and time as virtual time has them. */
#include "vdso_code.h"

#ifdef __x86_64__
#include <string.h>

/*
 * r8 is the fifth argument, which the kernel ignores and the seccomp filter knows (FILTER_MAGIC). Mask 0xF3: CLOCK_REALTIME,
 * MONOTONIC, MONOTONIC_RAW, both COARSE ones, BOOTTIME; not the CPU-time clocks, which the kernel tells. Whether and
 * how far the time has gone on is told by CLOCK_MONOTONIC, whichever is asked for: see struct vdso_clock.
 */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"dfubench_vdso_code:\n"
	"	cmpl $7, %edi\n"
	"	ja 3f\n"
	"	movl $0xF3, %ecx\n"
	"	btl %edi, %ecx\n"
	"	jnc 3f\n"
	"	subq $40, %rsp\n"
	"	movq %rdi, 16(%rsp)\n"
	"	movq %rsi, 24(%rsp)\n"
	"	movl $1, %edi\n"
	"	movq %rsp, %rsi\n"
	"	movl $228, %eax\n"
	"	movabsq $0x64667562656e6368, %r8\n"
	"	syscall\n"
	"	testl %eax, %eax\n"
	"	jnz 2f\n"
	"	imulq $1000000000, (%rsp), %rax\n"
	"	addq 8(%rsp), %rax\n"
	"	movq dfubench_vdso_cell(%rip), %rcx\n"
	"	subq 8(%rcx), %rax\n"
	"	jns 1f\n"
	"	xorl %eax, %eax\n"
	"1:	addq (%rcx), %rax\n"
	"	movl 16(%rsp), %edx\n"
	"	addq 16(%rcx,%rdx,8), %rax\n"
	"	xorl %edx, %edx\n"
	"	movl $1000000000, %ecx\n"
	"	divq %rcx\n"
	"	movq 24(%rsp), %rsi\n"
	"	movq %rax, (%rsi)\n"
	"	movq %rdx, 8(%rsi)\n"
	"	xorl %eax, %eax\n"
	"2:	addq $40, %rsp\n"
	"	ret\n"
	"3:	movl $228, %eax\n"
	"	movabsq $0x64667562656e6368, %r8\n"
	"	syscall\n"
	"	ret\n"
	"dfubench_vdso_gettimeofday:\n"
	"	subq $40, %rsp\n"
	"	movq %rdi, 16(%rsp)\n"
	"	movq %rsi, 24(%rsp)\n"
	"	testq %rdi, %rdi\n"
	"	jz 3f\n"
	"	xorl %edi, %edi\n"
	"	movq %rsp, %rsi\n"
	"	call dfubench_vdso_code\n"
	"	movq 16(%rsp), %rdi\n"
	"	movq (%rsp), %rax\n"
	"	movq %rax, (%rdi)\n"
	"	movq 8(%rsp), %rax\n"
	"	xorl %edx, %edx\n"
	"	movl $1000, %ecx\n"
	"	divq %rcx\n"
	"	movq %rax, 8(%rdi)\n"
	"3:	movq 24(%rsp), %rsi\n"
	"	testq %rsi, %rsi\n"
	"	jz 4f\n"
	"	movq $0, (%rsi)\n"
	"4:	xorl %eax, %eax\n"
	"	addq $40, %rsp\n"
	"	ret\n"
	"dfubench_vdso_time:\n"
	"	subq $40, %rsp\n"
	"	movq %rdi, 16(%rsp)\n"
	"	xorl %edi, %edi\n"
	"	movq %rsp, %rsi\n"
	"	call dfubench_vdso_code\n"
	"	movq (%rsp), %rax\n"
	"	movq 16(%rsp), %rdi\n"
	"	testq %rdi, %rdi\n"
	"	jz 5f\n"
	"	movq %rax, (%rdi)\n"
	"5:	addq $40, %rsp\n"
	"	ret\n"
	"	.balign 8\n"
	"dfubench_vdso_signature:\n"
	"	.ascii \"dfubench\"\n"
	"dfubench_vdso_cell:\n"
	"	.quad 0\n"
	"dfubench_vdso_end:\n"
	".popsection\n");

extern const uint8_t dfubench_vdso_code[], dfubench_vdso_gettimeofday[], dfubench_vdso_time[],
	dfubench_vdso_signature[], dfubench_vdso_cell[], dfubench_vdso_end[];

const uint8_t *vdso_code(void)
{
	return dfubench_vdso_code;
}

size_t vdso_code_size(void)
{
	return (size_t)(dfubench_vdso_end - dfubench_vdso_code);
}

size_t vdso_code_gettimeofday(void)
{
	return (size_t)(dfubench_vdso_gettimeofday - dfubench_vdso_code);
}

size_t vdso_code_time(void)
{
	return (size_t)(dfubench_vdso_time - dfubench_vdso_code);
}

size_t vdso_code_signature(void)
{
	return (size_t)(dfubench_vdso_signature - dfubench_vdso_code);
}

size_t vdso_code_cell(void)
{
	return (size_t)(dfubench_vdso_cell - dfubench_vdso_code);
}

size_t vdso_jump(uint64_t from, uint64_t to, uint8_t out[VDSO_JUMP_MAX])
{
	uint32_t distance = (uint32_t)(to - (from + 5));

	out[0] = 0xE9; /* jmp rel32 */
	memcpy(out + 1, &distance, sizeof(distance));
	return 5;
}
#endif
