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

#define VDSO_CLOCKS 8 /* numbers of clocks that tell the time are below this */

/* What the tool's clocks show, told in its own memory: base_ns and elapsed_ns, and from moves_ns of CLOCK_MONOTONIC on what goes
 * by on the wall. The layout is known to the code of each architecture. */
struct vdso_clock {
	uint64_t elapsed_ns, moves_ns;
	uint64_t base_ns[VDSO_CLOCKS]; /* by clockid_t; does not change */
};
#define VDSO_STANDS (UINT64_MAX / 4) /* moves_ns: never */

struct vdso {
	pid_t pid;
	int memory;    /* /proc/PID/mem; -1: none */
	uint64_t cell; /* address of the struct vdso_clock in the process */
	bool in_code;  /* which lies in memory that takes a forced write */
};

/* Patch the address space of a process, or find that it is patched already (it is a fork's). The clock is written.
 * 0; -ENOSYS: not for this machine; -ENOEXEC: a vDSO that is laid out otherwise; -EACCES, -EIO, -EPERM: the kernel forbids
 * forced writes (proc_mem.force_override): see vdso_patch_traced(); -ESRCH. The caller closes with vdso_close(). */
int vdso_patch(pid_t pid, const struct vdso_clock *, struct vdso *);
/* The same by ptrace(2), for a thread that has just made a notified call: restart() must answer that call so that it is
 * made again (ERESTARTSYS). It has been answered unless the result is negative and *answered is false. */
int vdso_patch_traced(pid_t pid, pid_t tid, const struct vdso_clock *, struct vdso *, void (*restart)(void *context),
		      void *context, bool *answered);
/* All but base_ns. Nothing of the process may be running. */
int vdso_set(const struct vdso *, const struct vdso_clock *);
/* moves_ns alone: the process may run. */
int vdso_set_moves(const struct vdso *, const struct vdso_clock *);
void vdso_close(struct vdso *);

#endif
