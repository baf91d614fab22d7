/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time reaches the tool's own clock: the code of its vDSO (vdso(7)) is replaced by a system call plus an offset
 * that the supervisor keeps up to date. It works for every libc, for static programs and for interpreters.
 */
#ifndef DFUBENCH_VDSO_H
#define DFUBENCH_VDSO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct vdso {
	pid_t pid;
	int memory;    /* /proc/PID/mem; -1: none */
	uint64_t cell; /* address of the offset in the process */
};

/* Patch the address space of a process, or find that it is patched already (it is a fork's). offset_ns is written.
 * 0; -ENOSYS: not for this machine; -ENOEXEC: a vDSO that is laid out otherwise; -EACCES, -EIO, -EPERM: the kernel forbids
 * forced writes (proc_mem.force_override): see vdso_patch_traced(); -ESRCH. The caller closes with vdso_close(). */
int vdso_patch(pid_t pid, int64_t offset_ns, struct vdso *);
/* The same by ptrace(2), for a thread that has just made a notified call: restart() must answer that call so that it is
 * made again (ERESTARTSYS). It has been answered unless the result is negative and *answered is false. */
int vdso_patch_traced(pid_t pid, pid_t tid, int64_t offset_ns, struct vdso *, void (*restart)(void *context),
		      void *context, bool *answered);
int vdso_set(const struct vdso *, int64_t offset_ns);
void vdso_close(struct vdso *);

#endif
