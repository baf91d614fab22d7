/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: there is no code to put into a process yet (vdso_code_aarch64.c), so no way for it either. */
#include "vdso_trace.h"

#ifdef __aarch64__
#include <errno.h>

int vdso_trace(pid_t tid, void (*restart)(void *context), void *context, bool *answered)
{
	(void)tid;
	(void)restart;
	(void)context;
	*answered = false;
	return -ENOSYS;
}

int vdso_trace_page(pid_t tid, uint64_t *address)
{
	(void)tid;
	*address = 0;
	return -ENOSYS;
}

int vdso_poke(pid_t tid, uint64_t address, const void *data, size_t length)
{
	(void)tid;
	(void)address;
	(void)data;
	(void)length;
	return -ENOSYS;
}

void vdso_trace_end(pid_t tid)
{
	(void)tid;
}
#endif
