/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way round a kernel that forbids forced writes through /proc/PID/mem: ptrace(2), for a moment. One file an
 * architecture (vdso_trace_ARCH.c). */
#ifndef DFUBENCH_VDSO_TRACE_H
#define DFUBENCH_VDSO_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Seize a thread that waits in a notified call and stop it: restart() answers the call with ERESTARTSYS, so that the thread
 * leaves it, meets the stop, and makes it again afterwards. 0; -EPERM: it has a tracer already, or the sandbox forbids. */
int vdso_trace(pid_t tid, void (*restart)(void *context), void *context, bool *answered);
/* While it is stopped: let it map a writable page. */
int vdso_trace_page(pid_t tid, uint64_t *address);
int vdso_poke(pid_t tid, uint64_t address, const void *data, size_t length);
void vdso_trace_end(pid_t tid); /* it goes on, untraced */

#endif
