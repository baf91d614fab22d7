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
	CALL_GETXATTR,
	CALL_LGETXATTR,
	CALL_LISTXATTR,
	CALL_LLISTXATTR,
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
	/* those that tell or take time; in virtual time only */
	CALL_NANOSLEEP,
	CALL_CLOCK_NANOSLEEP,
	CALL_POLL,
	CALL_PPOLL,
	CALL_SELECT,
	CALL_PSELECT6,
	CALL_EPOLL_WAIT,
	CALL_EPOLL_PWAIT,
	CALL_EPOLL_PWAIT2,
	CALL_FUTEX,
	CALL_CLOCK_GETTIME,
	CALL_GETTIMEOFDAY,
	CALL_TIME,
	CALL_SET_TID_ADDRESS, /* the C library of a new program, before it can ask for the time */
	CALL_TIMERFD_CREATE,
	CALL_TIMERFD_SETTIME,
	CALL_TIMERFD_GETTIME,
	/* others */
	CALL_IOCTL,
	CALL_SOCKET,
	CALL_IO_URING_SETUP,
	CALL_COUNT
};

/* When the filter hands the call to the supervisor. */
enum call_when {
	WHEN_ALWAYS,
	WHEN_RESERVED,  /* argument 0 is a descriptor of the reserved range */
	WHEN_DEVICE,    /* ioctl of usbfs, or of a serial port: filter.c has the list */
	WHEN_UEVENT,    /* socket(AF_NETLINK, ..., NETLINK_KOBJECT_UEVENT) */
	WHEN_FINITE_2,  /* argument 2 is a time-out of 1..59999 ms: longer is a library that idles (libusb: 60 s) */
	WHEN_FINITE_3,  /* likewise argument 3 */
	WHEN_POINTER_2, /* argument 2 is not NULL */
	WHEN_POINTER_3,
	WHEN_POINTER_4,
	WHEN_FUTEX,    /* a wait with a time-out, or a wake */
	WHEN_RELATIVE, /* argument 1 is not TFD_TIMER_ABSTIME, nor argument 0 among FILTER_TIMERS */
	WHEN_NOT_OURS, /* argument 4 is not FILTER_MAGIC: the patched vDSO does not notify */
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
	const struct syscall_entry *timed;   /* further ones in virtual time */
};

#define FILTER_MAGIC UINT64_C(0x64667562656e6368) /* "dfubench" */

extern const struct syscall_table syscalls_x86_64, syscalls_aarch64;
/* That of the machine this is compiled for; NULL: unsupported. */
const struct syscall_table *syscalls_native(void);
/* What a notified number means here; CALL_NONE if it is not in the table. */
enum call syscall_meaning(const struct syscall_table *, int number);

#endif
