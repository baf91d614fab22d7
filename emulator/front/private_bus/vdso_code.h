/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine code that vdso.c puts into the tool, one implementation an architecture (vdso_code_ARCH.c). */
#ifndef DFUBENCH_VDSO_CODE_H
#define DFUBENCH_VDSO_CODE_H

#include <stddef.h>
#include <stdint.h>

#define VDSO_JUMP_MAX 16
#if defined(__aarch64__)
#define VDSO_CLOCK_GETTIME "__kernel_clock_gettime"
#define VDSO_GETTIMEOFDAY "__kernel_gettimeofday"
#define VDSO_TIME NULL
#else
#define VDSO_CLOCK_GETTIME "__vdso_clock_gettime"
#define VDSO_GETTIMEOFDAY "__vdso_gettimeofday"
#define VDSO_TIME "__vdso_time"
#endif

/* Position-independent; clock_gettime begins at its start. The others are offsets into it. Size 0: none for this machine. */
const uint8_t *vdso_code(void);
size_t vdso_code_size(void);
size_t vdso_code_gettimeofday(void);
size_t vdso_code_time(void);
size_t vdso_code_signature(void); /* 8 bytes that no other code has there */
size_t
vdso_code_cell(void); /* address of the struct vdso_clock: 8 bytes, aligned as the start is; what lies behind them
				    * may serve as that struct */
/* Encode a jump; its length. */
size_t vdso_jump(uint64_t from, uint64_t to, uint8_t out[VDSO_JUMP_MAX]);

#endif
