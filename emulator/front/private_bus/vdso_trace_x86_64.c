/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86_64: stopping, poking and a system call on behalf of a thread, by ptrace(2). */
#include "vdso_trace.h"

#ifdef __x86_64__
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#define SYSCALL_INSN_BYTES 2

static int wait_stopped(pid_t tid)
{
	int status;
	pid_t got;

	do
		got = waitpid(tid, &status, __WALL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return WIFSTOPPED(status) ? 0 : -ESRCH;
}

int vdso_trace(pid_t tid, void (*restart)(void *context), void *context, bool *answered)
{
	if (ptrace(PTRACE_SEIZE, tid, 0, 0))
		return -errno;
	if (ptrace(PTRACE_INTERRUPT, tid, 0, 0))
		return -errno;
	restart(context);
	*answered = true;
	return wait_stopped(tid);
}

int vdso_trace_page(pid_t tid, uint64_t *address)
{
	struct user_regs_struct saved, regs;
	int err;

	if (ptrace(PTRACE_GETREGS, tid, 0, &saved))
		return -errno;
	regs = saved;
	regs.rip -= SYSCALL_INSN_BYTES; /* the instruction that made the notified call */
	regs.rax = SYS_mmap;
	regs.rdi = 0;
	regs.rsi = 4096;
	regs.rdx = PROT_READ | PROT_WRITE;
	regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS;
	regs.r8 = (unsigned long long)-1;
	regs.r9 = 0;
	regs.orig_rax = (unsigned long long)-1; /* nothing to restart for the moment */
	if (ptrace(PTRACE_SETREGS, tid, 0, &regs) || ptrace(PTRACE_SINGLESTEP, tid, 0, 0))
		return -errno;
	err = wait_stopped(tid);
	if (err)
		return err;
	if (ptrace(PTRACE_GETREGS, tid, 0, &regs) || ptrace(PTRACE_SETREGS, tid, 0, &saved))
		return -errno;
	*address = regs.rax;
	return regs.rax > -4096ull ? -ENOMEM : 0;
}

int vdso_poke(pid_t tid, uint64_t address, const void *data, size_t length)
{
	const uint8_t *from = data;

	for (size_t at = 0; at < length; at += sizeof(long)) {
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, tid, (void *)(uintptr_t)(address + at), 0);
		if (errno)
			return -errno;
		memcpy(&word, from + at, length - at < sizeof(word) ? length - at : sizeof(word));
		if (ptrace(PTRACE_POKETEXT, tid, (void *)(uintptr_t)(address + at), word))
			return -errno;
	}
	return 0;
}

void vdso_trace_end(pid_t tid)
{
	ptrace(PTRACE_DETACH, tid, 0, 0);
}
#endif
