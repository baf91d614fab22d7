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
	int memory;    /* /proc/PID/mem; -1: none */
	uint64_t cell; /* address of the offset in the process */
};

/* Patch the address space of a process, or find that it is patched already (it is a fork's). offset_ns is written.
 * 0; -ENOSYS: not for this machine; -ENOEXEC: a vDSO that is laid out otherwise; -EACCES, -EIO: the kernel forbids forced
 * writes (proc_mem.force_override); -ESRCH. On success the caller closes with vdso_close(). */
int vdso_patch(pid_t pid, int64_t offset_ns, struct vdso *);
int vdso_set(const struct vdso *, int64_t offset_ns);
void vdso_close(struct vdso *);

#endif
