/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: no code yet, for want of a machine to prove it on; virtual time says so and runs in real time. */
#include "vdso_code.h"

#ifdef __aarch64__
const uint8_t *vdso_code(void)
{
	return NULL;
}

size_t vdso_code_size(void)
{
	return 0;
}

size_t vdso_code_gettimeofday(void)
{
	return 0;
}

size_t vdso_code_time(void)
{
	return 0;
}

size_t vdso_code_signature(void)
{
	return 0;
}

size_t vdso_code_cell(void)
{
	return 0;
}

size_t vdso_jump(uint64_t from, uint64_t to, uint8_t out[VDSO_JUMP_MAX])
{
	(void)from;
	(void)to;
	(void)out;
	return 0;
}
#endif
