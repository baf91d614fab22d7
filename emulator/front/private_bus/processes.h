/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a tool in virtual time: which there are, and that each has the clocks that it is to have (vdso.h). */
#ifndef DFUBENCH_PROCESSES_H
#define DFUBENCH_PROCESSES_H

#include "bus_internal.h"
#include "vdso.h"

struct processes;

/* The clock is the caller's, and is to outlive them. NULL on ENOMEM. */
struct processes *processes_new(struct private_bus *, const struct vdso_clock *);
void processes_free(struct processes *); /* NULL is fine */
/* A thread has made a call: its process gets the clock if it has none yet. As vdso_patch() and vdso_patch_traced(). */
int processes_saw(struct processes *, const struct call_info *, bool *answered);
/* It will be another program in a moment. */
void processes_exec(struct processes *, pid_t tid);
/* A process, by one of its threads. */
bool processes_is_patched(struct processes *, pid_t tid);
bool processes_are_same(struct processes *, pid_t a, pid_t b);
/* A descriptor of it, duplicated into ours, or -errno (pidfd_getfd(2)). */
int processes_take_fd(struct processes *, pid_t tid, int fd);
/* All processor time so far of those that are there, and of those that they have waited for. */
uint64_t processes_computed_ms(const struct processes *);
/* Every one of these must have the new time before anything of it runs again; others have ended. 0 or -errno. */
int processes_set_clocks(struct processes *, const pid_t *pids, size_t count);
/* A fork that only computes has made no call: from the children of those that are known, and of this process. True: some were not
 * known yet. They may be running. */
bool processes_find(struct processes *, pid_t root);
/* All know from when on clocks go with the wall; they may be running. */
void processes_let_go(const struct processes *);
/* For timers_sweep(). */
bool processes_have_timer(void *processes, int timer);

#endif
