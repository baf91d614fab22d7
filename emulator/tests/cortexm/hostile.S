/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware that means harm to whoever runs it, in one way: -D with its name. At 168 MHz, with the clocks of all peripherals on. */
.syntax unified
.cpu cortex-m4
.thumb
	.word 0x20020000
	.word 0x08000201
	.rept 96
	.word fault + 1
	.endr
	.org 0x200
	ldr	r4, =0x40023C00
	ldr	r5, =0x40023800
	movw	r0, #0x705
	str	r0, [r4]
	ldr	r0, =0x07405408
	str	r0, [r5, #4]
	ldr	r0, =0x01010083
	str	r0, [r5]
	ldr	r0, =0x9402
	str	r0, [r5, #8]
	ldr	r0, =0x7FFFFF
	str	r0, [r5, #0x30]
	ldr	r0, =0x3FFFFFFF
	str	r0, [r5, #0x40]
	ldr	r0, =0x7FFFF
	str	r0, [r5, #0x44]
#ifdef WRITES /* every register there is, again and again */
	mov	r3, #0
1:	ldr	r0, =0x40000000
2:	str	r3, [r0], #4
	add	r3, #0x12001200
	adds	r3, r3, r0, lsl #7
	cmp	r0, #0x60000000
	bne	2b
	b	1b
#endif
#ifdef FLOODS /* the console, at its greatest speed */
	ldr	r0, =0x40004400
	movs	r1, #1
	str	r1, [r0, #8]
	movw	r1, #0x200C
	str	r1, [r0, #12]
	movs	r2, #10
1:	ldr	r1, [r0]
	lsls	r1, #24
	bpl	1b
	str	r2, [r0, #4]
	b	1b
#endif
#ifdef RESETS
	ldr	r0, =0xE000ED0C
	ldr	r1, =0x05FA0004
	str	r1, [r0]
	b	.
#endif
#ifdef PROGRAMS /* flash, for ever */
	ldr	r0, =0x45670123
	str	r0, [r4, #4]
	ldr	r0, =0xCDEF89AB
	str	r0, [r4, #4]
	movw	r1, #0x201
	str	r1, [r4, #16]
1:	ldr	r0, =0x08008000
2:	mvns	r2, r0
	str	r2, [r0], #4
	ldr	r3, =0x08010000
	cmp	r0, r3
	bne	2b
	b	1b
#endif
#ifdef TICKS /* SysTick every other cycle */
	ldr	r0, =0xE000E010
	movs	r1, #1
	str	r1, [r0, #4]
	movs	r1, #7
	str	r1, [r0]
1:	b	1b
#endif
#ifdef NESTS /* until there is no stack */
1:	push	{r0-r7}
	svc	0
	b	1b
#endif
#ifdef INTERRUPTS /* all of them pend all the time */
	ldr	r0, =0xE000E100
	mov	r1, #-1
	mov	r2, #0x100
1:	str	r1, [r0]
	str	r1, [r0, #4]
	str	r1, [r0, #8]
	str	r1, [r0, r2]
	adds	r2, #4
	str	r1, [r0, r2]
	subs	r2, #4
	b	1b
#endif
#ifdef FAULTS
1:	udf	#0
	b	1b
#endif
#ifdef LOCKS
	movs	r0, #0
	mov	sp, r0
	udf	#0
#endif
#ifdef JUMPS /* to a peripheral, again and again */
	ldr	r0, =0x40011001
	bx	r0
#endif
#ifdef COPIES /* by DMA, all the time */
	ldr	r0, =0x40026400
	ldr	r1, =0xE000E000
	movw	r2, #0xFFFF
	ldr	r3, =0x20000000
1:	mov	r4, #0
	str	r4, [r0, #16]
	mov	r4, #-1
	str	r4, [r0, #8]
	str	r2, [r0, #20]
	str	r3, [r0, #24]
	str	r3, [r0, #28]
	movw	r4, #0x5681
	str	r4, [r0, #16]
2:	ldr	r4, [r0]
	cmp	r4, #0
	beq	2b
	b	1b
#endif
#ifdef CLOCKS /* slow, middling, fast */
1:	movw	r0, #0xF0
	str	r0, [r5, #8]
	movw	r0, #0
	str	r0, [r5, #8]
	movw	r0, #2
	str	r0, [r5, #8]
	b	1b
#endif
#ifdef HUGE /* a clock that no part has */
	ldr	r0, =0x24407FC2
	str	r0, [r5, #4]
1:	b	1b
#endif
	b	.
	.pool
	.thumb_func
fault:
#ifdef NESTS
	push	{r0-r7}
	udf	#0
#endif
#ifdef FAULTS
	ldr	r0, [sp, #24]
	adds	r0, #2
	str	r0, [sp, #24]
#endif
	bx	lr
