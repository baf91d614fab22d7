/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 32-bit program without any library: opens a device node with the old open(2), ends with 0 if it could, else 1. */
	.globl _start
_start:
	mov $5, %eax
	mov $path, %ebx
	mov $2, %ecx
	int $0x80
	xor %ebx, %ebx
	test %eax, %eax
	jns 1f
	inc %ebx
1:	mov $1, %eax
	int $0x80
	.data
path:	.asciz "/dev/bus/usb/001/002"
	.section .note.GNU-stack, "", %progbits
