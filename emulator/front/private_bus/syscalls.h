/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls that can touch USB, by architecture: numbers are data, so both tables can be tested on any machine. */
#ifndef DFUBENCH_SYSCALLS_H
#define DFUBENCH_SYSCALLS_H

#include <stdint.h>

enum call {
	CALL_NONE,
	/* by path */
	CALL_OPEN,
	CALL_CREAT,
	CALL_OPENAT,
	CALL_OPENAT2,
	CALL_STAT,
	CALL_LSTAT,
	CALL_NEWFSTATAT,
	CALL_STATX,
	CALL_ACCESS,
	CALL_FACCESSAT,
	CALL_FACCESSAT2,
	CALL_READLINK,
	CALL_READLINKAT,
	CALL_STATFS,
	CALL_FSTATFS,
	CALL_CHDIR,
	CALL_EXECVE,
	CALL_EXECVEAT,
	/* by descriptor, in the reserved range only */
	CALL_READ,
	CALL_PREAD64,
	CALL_WRITE,
	CALL_LSEEK,
	CALL_FSTAT,
	CALL_BIND,
	CALL_SETSOCKOPT,
	CALL_GETSOCKOPT,
	CALL_GETSOCKNAME,
	CALL_RECVFROM,
	CALL_RECVMSG,
	/* others */
	CALL_IOCTL,
	CALL_SOCKET,
	CALL_IO_URING_SETUP,
	CALL_COUNT
};

/* When the filter hands the call to the supervisor. */
enum call_when {
	WHEN_ALWAYS,
	WHEN_RESERVED, /* argument 0 is a descriptor of the reserved range */
	WHEN_USBFS,    /* ioctl whose type byte is 'U' */
	WHEN_UEVENT,   /* socket(AF_NETLINK, ..., NETLINK_KOBJECT_UEVENT) */
	WHEN_PATH, /* always but for flags == AT_EMPTY_PATH (argument 3) on a descriptor outside the range: plain fstat */
};

struct syscall_entry {
	int number;
	enum call call;
	enum call_when when;
};

struct syscall_table {
	const char *name;                    /* "x86_64" */
	uint32_t audit_arch;                 /* AUDIT_ARCH_... of linux/audit.h */
	int x32_bit;                         /* numbers from here on are another ABI's; 0: none */
	int foreign_openat;                  /* openat of the 32-bit ABI that the same kernel runs: watched, to warn */
	const struct syscall_entry *entries; /* call CALL_NONE ends */
};

extern const struct syscall_table syscalls_x86_64, syscalls_aarch64;
/* That of the machine this is compiled for; NULL: unsupported. */
const struct syscall_table *syscalls_native(void);
/* What a notified number means here; CALL_NONE if it is not in the table. */
enum call syscall_meaning(const struct syscall_table *, int number);

#endif
