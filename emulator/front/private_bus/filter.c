/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seccomp program: an architecture check, then one compare per watched call. */
#include "filter.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Constants that the headers of older systems lack (linux/seccomp.h of 5.19 and 6.6). */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define IDLE_MS 60000

/* Type and number of ioctls: all of usbfs, and those of terminals in which a pseudo-terminal is not like a serial port. Not what
 * everybody asks (TCGETS for isatty(3), the window's size). */
static const struct {
	uint16_t first, last;
} device_ioctls[] = {
	{ 'U' << 8, 'U' << 8 | 0xFF },
	{ TCSETS, TCSETSF },
	{ TCSBRK, TCSBRK },
	{ TCFLSH, TIOCNXCL },
	{ TIOCOUTQ, TIOCOUTQ },
	{ TIOCMGET, TIOCMSET },
	{ FIONREAD, FIONREAD },
	{ TIOCGSERIAL, TIOCSSERIAL },
	{ TCSBRKP, TCSBRKP },
	{ TIOCSBRK, TIOCCBRK },
	{ TCSETS2 & 0xFFFF, TCSETSF2 & 0xFFFF },
	{ TIOCGICOUNT, TIOCGICOUNT },
};

struct builder {
	struct sock_filter *at;
	unsigned short length;
};

static void emit(struct builder *b, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	b->at[b->length++] = (struct sock_filter){ .code = code, .k = k, .jt = yes, .jf = no };
}

static void load(struct builder *b, uint32_t offset)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void answer(struct builder *b, uint32_t what)
{
	emit(b, BPF_RET | BPF_K, what, 0, 0);
}

/* Both supported machines are little-endian: the low word of a 64-bit argument comes first. */
static uint32_t argument(unsigned n)
{
	return (uint32_t)(offsetof(struct seccomp_data, args) + 8 * n);
}

/* With argument 0 in A: notify if in the range, else allow. */
static void reserved(struct builder *b, uint32_t base, uint32_t count)
{
	emit(b, BPF_JMP | BPF_JGE | BPF_K, base, 0, 2);
	emit(b, BPF_JMP | BPF_JGE | BPF_K, base + count, 1, 0);
	answer(b, SECCOMP_RET_USER_NOTIF);
	answer(b, SECCOMP_RET_ALLOW);
}

/* Notify if the argument is not zero, both words of it. */
static void pointer(struct builder *b, unsigned n)
{
	load(b, argument(n));
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
	load(b, argument(n) + 4);
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	answer(b, SECCOMP_RET_USER_NOTIF);
	answer(b, SECCOMP_RET_ALLOW);
}

static void decide(struct builder *b, enum call_when when, uint32_t base, uint32_t count)
{
	switch (when) {
	case WHEN_ALWAYS:
		answer(b, SECCOMP_RET_USER_NOTIF);
		return;
	case WHEN_RESERVED:
		load(b, argument(0));
		reserved(b, base, count);
		return;
	case WHEN_DEVICE:
		load(b, argument(1));
		emit(b, BPF_ALU | BPF_AND | BPF_K, 0xFFFF, 0, 0);
		for (size_t i = 0; i < sizeof(device_ioctls) / sizeof(*device_ioctls); i++) {
			emit(b, BPF_JMP | BPF_JGE | BPF_K, device_ioctls[i].first, 0, 2);
			emit(b, BPF_JMP | BPF_JGE | BPF_K, device_ioctls[i].last + 1u, 1, 0);
			answer(b, SECCOMP_RET_USER_NOTIF);
		}
		answer(b, SECCOMP_RET_ALLOW);
		return;
	case WHEN_UEVENT:
		load(b, argument(0));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
		load(b, argument(2));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, NETLINK_KOBJECT_UEVENT, 0, 1);
		answer(b, SECCOMP_RET_USER_NOTIF);
		answer(b, SECCOMP_RET_ALLOW);
		return;
	case WHEN_FINITE_2:
	case WHEN_FINITE_3:
		load(b, argument(when == WHEN_FINITE_2 ? 2 : 3));
		emit(b, BPF_JMP | BPF_JGE | BPF_K, IDLE_MS, 2, 0); /* negative ones, for ever, are large here */
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		answer(b, SECCOMP_RET_USER_NOTIF);
		answer(b, SECCOMP_RET_ALLOW);
		return;
	case WHEN_POINTER_2:
	case WHEN_POINTER_3:
	case WHEN_POINTER_4:
		pointer(b, (unsigned)(2 + when - WHEN_POINTER_2));
		return;
	case WHEN_FUTEX:
		load(b, argument(1));
		emit(b, BPF_ALU | BPF_AND | BPF_K, FUTEX_CMD_MASK, 0, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAKE, 4, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAKE_BITSET, 3, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT, 3, 0);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT_BITSET, 2, 0);
		answer(b, SECCOMP_RET_ALLOW);
		answer(b, SECCOMP_RET_USER_NOTIF);
		pointer(b, 3);
		return;
	case WHEN_RELATIVE:
		load(b, argument(1));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, TFD_TIMER_ABSTIME, 3, 0);
		load(b, argument(0));
		emit(b, BPF_JMP | BPF_JGE | BPF_K, base - FILTER_TIMERS, 0, 2);
		emit(b, BPF_JMP | BPF_JGE | BPF_K, base, 1, 0);
		answer(b, SECCOMP_RET_ALLOW);
		answer(b, SECCOMP_RET_USER_NOTIF);
		return;
	case WHEN_NOT_OURS:
		load(b, argument(4));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FILTER_MAGIC, 0, 3);
		load(b, argument(4) + 4);
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(FILTER_MAGIC >> 32), 0, 1);
		answer(b, SECCOMP_RET_ALLOW);
		answer(b, SECCOMP_RET_USER_NOTIF);
		return;
	case WHEN_PATH:
		load(b, argument(3));
		emit(b, BPF_JMP | BPF_JEQ | BPF_K, AT_EMPTY_PATH, 1, 0);
		answer(b, SECCOMP_RET_USER_NOTIF);
		load(b, argument(0));
		reserved(b, base, count);
		return;
	}
}

static void watch(struct builder *b, const struct syscall_entry *e, uint32_t base, uint32_t count)
{
	for (; e->call != CALL_NONE; e++) {
		unsigned short patch = b->length;

		emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)e->number, 0, 0);
		decide(b, e->when, base, count);
		b->at[patch].jf = (uint8_t)(b->length - patch - 1);
	}
}

unsigned short filter_build(const struct syscall_table *t, uint32_t base, uint32_t count, struct sock_filter *program,
			    bool timed)
{
	struct builder b = { .at = program };

	load(&b, (uint32_t)offsetof(struct seccomp_data, arch));
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, t->audit_arch, 4, 0);
	/* Another ABI: its USB calls go round the bus. Let it run, but see it open files, so that a warning can be said. */
	load(&b, (uint32_t)offsetof(struct seccomp_data, nr));
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)t->foreign_openat, 0, 1);
	answer(&b, SECCOMP_RET_USER_NOTIF);
	answer(&b, SECCOMP_RET_ALLOW);

	load(&b, (uint32_t)offsetof(struct seccomp_data, nr));
	if (t->x32_bit) {
		emit(&b, BPF_JMP | BPF_JGE | BPF_K, (uint32_t)t->x32_bit, 0, 1);
		answer(&b, SECCOMP_RET_ERRNO | ENOSYS);
	}
	watch(&b, t->entries, base, count);
	if (timed)
		watch(&b, t->timed, base, count);
	answer(&b, SECCOMP_RET_ALLOW);
	return b.length;
}

int filter_install(const struct syscall_table *t, uint32_t base, uint32_t count, bool timed)
{
	struct sock_filter program[FILTER_MAX];
	struct sock_fprog prog = { .len = filter_build(t, base, count, program, timed), .filter = program };
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* Signals that do not kill must not tear a held call away (Go preempts its threads by signals all the time). */
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	return fd < 0 ? -errno : (int)fd;
}

int filter_sync_wake_up(int listener)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) ? -errno : 0;
}
