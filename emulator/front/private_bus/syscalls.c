/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which table is this machine's, and looking a number up in it. */
#include "syscalls.h"

#include <stddef.h>

const struct syscall_table *syscalls_native(void)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	return &syscalls_x86_64;
#elif defined(__aarch64__)
	return &syscalls_aarch64;
#else
	return NULL;
#endif
}

enum call syscall_meaning(const struct syscall_table *t, int number)
{
	for (const struct syscall_entry *e = t->entries; e->call != CALL_NONE; e++) {
		if (e->number == number)
			return e->call;
	}
	for (const struct syscall_entry *e = t->timed; e->call != CALL_NONE; e++) {
		if (e->number == number)
			return e->call;
	}
	return CALL_NONE;
}
