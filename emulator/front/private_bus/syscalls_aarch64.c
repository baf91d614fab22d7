/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aarch64: numbers of include/uapi/asm-generic/unistd.h; only the *at calls exist. */
#include "syscalls.h"

static const struct syscall_entry entries[] = {
	{ 56, CALL_OPENAT, WHEN_ALWAYS },
	{ 437, CALL_OPENAT2, WHEN_ALWAYS },
	{ 79, CALL_NEWFSTATAT, WHEN_PATH },
	{ 291, CALL_STATX, WHEN_ALWAYS },
	{ 48, CALL_FACCESSAT, WHEN_ALWAYS },
	{ 439, CALL_FACCESSAT2, WHEN_ALWAYS },
	{ 78, CALL_READLINKAT, WHEN_ALWAYS },
	{ 43, CALL_STATFS, WHEN_ALWAYS },
	{ 44, CALL_FSTATFS, WHEN_ALWAYS },
	{ 49, CALL_CHDIR, WHEN_ALWAYS },
	{ 221, CALL_EXECVE, WHEN_ALWAYS },
	{ 281, CALL_EXECVEAT, WHEN_ALWAYS },
	{ 63, CALL_READ, WHEN_RESERVED },
	{ 67, CALL_PREAD64, WHEN_RESERVED },
	{ 64, CALL_WRITE, WHEN_RESERVED },
	{ 62, CALL_LSEEK, WHEN_RESERVED },
	{ 80, CALL_FSTAT, WHEN_RESERVED },
	{ 200, CALL_BIND, WHEN_RESERVED },
	{ 208, CALL_SETSOCKOPT, WHEN_RESERVED },
	{ 209, CALL_GETSOCKOPT, WHEN_RESERVED },
	{ 204, CALL_GETSOCKNAME, WHEN_RESERVED },
	{ 207, CALL_RECVFROM, WHEN_RESERVED },
	{ 212, CALL_RECVMSG, WHEN_RESERVED },
	{ 29, CALL_IOCTL, WHEN_USBFS },
	{ 198, CALL_SOCKET, WHEN_UEVENT },
	{ 425, CALL_IO_URING_SETUP, WHEN_ALWAYS },
	{ 0, CALL_NONE, WHEN_ALWAYS },
};

const struct syscall_table syscalls_aarch64 = {
	.name = "aarch64",
	.audit_arch = 0xC00000B7u,
	.x32_bit = 0,
	.foreign_openat = 322, /* 32-bit ARM */
	.entries = entries,
};
