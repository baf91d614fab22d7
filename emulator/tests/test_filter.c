/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seccomp program, run here: for both machines, which calls reach the supervisor. And the tables' numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "filter.h"
#include "syscalls.h"

#define BASE 700u
#define COUNT 256u
#define NOTIFIED SECCOMP_RET_USER_NOTIF
#define ALLOWED SECCOMP_RET_ALLOW

static const struct syscall_table *const tables[] = { &syscalls_x86_64, &syscalls_aarch64 };

/* The part of classic BPF that seccomp knows and the program uses. */
static uint32_t run(const struct sock_filter *program, unsigned length, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (unsigned at = 0; at < length; at++) {
		const struct sock_filter *i = &program[at];
		bool yes;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k % 4 == 0 && i->k + 4 <= sizeof(*data));
			memcpy(&a, (const uint8_t *)data + i->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= i->k;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %u has code %#x", at, i->code);
			return 0;
		}
		at += yes ? i->jt : i->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t verdict(const struct syscall_table *t, bool timed, const struct seccomp_data *data)
{
	static struct sock_filter program[FILTER_MAX];

	return run(program, filter_build(t, BASE, COUNT, program, timed), data);
}

static int number_in(const struct syscall_entry *e, enum call call)
{
	while (e->call != CALL_NONE && e->call != call)
		e++;
	return e->call == CALL_NONE ? -1 : e->number;
}

/* --- what is notified --- */

enum when { ALWAYS, TIMED /* in virtual time only; else allowed */ };

static const struct {
	const char *name;
	struct {
		enum call call;
		uint64_t args[6];
	} give;
	uint32_t want;
	enum when when;
} cases[] = {
	{ "open is notified", { CALL_OPEN, { 0 } }, NOTIFIED, ALWAYS },
	{ "openat is notified", { CALL_OPENAT, { (uint32_t)AT_FDCWD } }, NOTIFIED, ALWAYS },
	{ "openat2 is notified", { CALL_OPENAT2, { (uint32_t)AT_FDCWD } }, NOTIFIED, ALWAYS },
	{ "execve is notified", { CALL_EXECVE, { 0 } }, NOTIFIED, ALWAYS },
	{ "io_uring_setup is notified", { CALL_IO_URING_SETUP, { 0 } }, NOTIFIED, ALWAYS },
	{ "newfstatat by path is notified", { CALL_NEWFSTATAT, { 3, 1, 2, 0 } }, NOTIFIED, ALWAYS },
	{ "newfstatat by path below a descriptor of ours is, too",
	  { CALL_NEWFSTATAT, { BASE, 1, 2, 0 } },
	  NOTIFIED,
	  ALWAYS },
	{ "newfstatat with AT_SYMLINK_NOFOLLOW is notified",
	  { CALL_NEWFSTATAT, { 3, 1, 2, AT_SYMLINK_NOFOLLOW } },
	  NOTIFIED,
	  ALWAYS },
	{ "newfstatat with AT_EMPTY_PATH alone is allowed",
	  { CALL_NEWFSTATAT, { 3, 1, 2, AT_EMPTY_PATH } },
	  ALLOWED,
	  ALWAYS },
	{ "newfstatat with AT_EMPTY_PATH on a descriptor of ours is notified",
	  { CALL_NEWFSTATAT, { BASE + 1, 1, 2, AT_EMPTY_PATH } },
	  NOTIFIED,
	  ALWAYS },
	{ "newfstatat with AT_EMPTY_PATH and another flag is notified",
	  { CALL_NEWFSTATAT, { 3, 1, 2, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW } },
	  NOTIFIED,
	  ALWAYS },

	{ "read below the range is allowed", { CALL_READ, { BASE - 1 } }, ALLOWED, ALWAYS },
	{ "read at the start of the range is notified", { CALL_READ, { BASE } }, NOTIFIED, ALWAYS },
	{ "read at the end of the range is notified", { CALL_READ, { BASE + COUNT - 1 } }, NOTIFIED, ALWAYS },
	{ "read above the range is allowed", { CALL_READ, { BASE + COUNT } }, ALLOWED, ALWAYS },
	{ "read of descriptor -1 is allowed", { CALL_READ, { UINT64_MAX } }, ALLOWED, ALWAYS },
	{ "the upper half of a descriptor does not count, as in the kernel",
	  { CALL_READ, { UINT64_C(1) << 32 | BASE } },
	  NOTIFIED,
	  ALWAYS },
	{ "write outside the range is allowed", { CALL_WRITE, { 1 } }, ALLOWED, ALWAYS },
	{ "write in the range is notified", { CALL_WRITE, { BASE + 7 } }, NOTIFIED, ALWAYS },
	{ "recvmsg outside the range is allowed", { CALL_RECVMSG, { 5 } }, ALLOWED, ALWAYS },
	{ "recvmsg in the range is notified", { CALL_RECVMSG, { BASE + 5 } }, NOTIFIED, ALWAYS },

	{ "ioctl of type U is notified", { CALL_IOCTL, { 3, USBDEVFS_CONTROL } }, NOTIFIED, ALWAYS },
	{ "ioctl of type U without size is notified", { CALL_IOCTL, { 3, USBDEVFS_RESET } }, NOTIFIED, ALWAYS },
	{ "what isatty asks is allowed", { CALL_IOCTL, { 3, 0x5401 } }, ALLOWED, ALWAYS },
	{ "the size of a window is allowed", { CALL_IOCTL, { 3, 0x5413 } }, ALLOWED, ALWAYS },
	{ "TCSETS is notified", { CALL_IOCTL, { 3, 0x5402 } }, NOTIFIED, ALWAYS },
	{ "TCSETSF is notified", { CALL_IOCTL, { 3, 0x5404 } }, NOTIFIED, ALWAYS },
	{ "TCGETA is allowed", { CALL_IOCTL, { 3, 0x5405 } }, ALLOWED, ALWAYS },
	{ "TCSETSF2, which has a size, is notified", { CALL_IOCTL, { 3, 0x402C542D } }, NOTIFIED, ALWAYS },
	{ "TCGETS2 is allowed", { CALL_IOCTL, { 3, 0x802C542A } }, ALLOWED, ALWAYS },
	{ "TIOCMGET is notified", { CALL_IOCTL, { 3, 0x5415 } }, NOTIFIED, ALWAYS },
	{ "TIOCMSET is notified", { CALL_IOCTL, { 3, 0x5418 } }, NOTIFIED, ALWAYS },
	{ "FIONBIO is allowed", { CALL_IOCTL, { 3, 0x5421 } }, ALLOWED, ALWAYS },
	{ "ioctl with a U elsewhere is allowed", { CALL_IOCTL, { 3, 0x55005400u | 'U' } }, ALLOWED, ALWAYS },

	{ "a socket for uevents is notified",
	  { CALL_SOCKET, { AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT } },
	  NOTIFIED,
	  ALWAYS },
	{ "another netlink socket is allowed",
	  { CALL_SOCKET, { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE } },
	  ALLOWED,
	  ALWAYS },
	{ "a socket of another family is allowed",
	  { CALL_SOCKET, { AF_INET, SOCK_STREAM, NETLINK_KOBJECT_UEVENT } },
	  ALLOWED,
	  ALWAYS },

	{ "nanosleep is notified", { CALL_NANOSLEEP, { 0x1000 } }, NOTIFIED, TIMED },
	{ "clock_nanosleep is notified", { CALL_CLOCK_NANOSLEEP, { 1, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "poll 1 is notified", { CALL_POLL, { 0, 0, 1 } }, NOTIFIED, TIMED },
	{ "poll 59999 is notified", { CALL_POLL, { 0, 0, 59999 } }, NOTIFIED, TIMED },
	{ "poll 60000 is not notified", { CALL_POLL, { 0, 0, 60000 } }, ALLOWED, TIMED },
	{ "poll 0 is not notified", { CALL_POLL, { 0, 0, 0 } }, ALLOWED, TIMED },
	{ "poll -1 is not notified", { CALL_POLL, { 0, 0, (uint32_t)-1 } }, ALLOWED, TIMED },
	{ "ppoll with a time-out is notified", { CALL_PPOLL, { 0, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "ppoll whose time-out lies at a multiple of 4 GiB is notified",
	  { CALL_PPOLL, { 0, 0, UINT64_C(0x7f) << 32 } },
	  NOTIFIED,
	  TIMED },
	{ "ppoll without a time-out is not notified", { CALL_PPOLL, { 0x1000, 1, 0 } }, ALLOWED, TIMED },
	{ "select with a time-out is notified", { CALL_SELECT, { 0, 0, 0, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "select without a time-out is not notified", { CALL_SELECT, { 1, 2, 3, 4, 0 } }, ALLOWED, TIMED },
	{ "pselect6 with a time-out is notified", { CALL_PSELECT6, { 0, 0, 0, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "epoll_wait with a time-out is notified", { CALL_EPOLL_WAIT, { 3, 0, 1, 100 } }, NOTIFIED, TIMED },
	{ "epoll_pwait with a time-out is notified", { CALL_EPOLL_PWAIT, { 3, 0, 1, 100 } }, NOTIFIED, TIMED },
	{ "epoll_pwait for ever is not notified", { CALL_EPOLL_PWAIT, { 3, 0, 1, (uint32_t)-1 } }, ALLOWED, TIMED },
	{ "epoll_pwait2 with a time-out is notified", { CALL_EPOLL_PWAIT2, { 3, 0, 1, 0x1000 } }, NOTIFIED, TIMED },
	{ "epoll_pwait2 without a time-out is not notified", { CALL_EPOLL_PWAIT2, { 3, 0, 1, 0 } }, ALLOWED, TIMED },

	{ "futex wait with a time-out is notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0x2000 } },
	  NOTIFIED,
	  TIMED },
	{ "futex wait without a time-out is not notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, 0 } },
	  ALLOWED,
	  TIMED },
	{ "futex wait of a bit set with a time-out is notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, 0x2000 } },
	  NOTIFIED,
	  TIMED },
	{ "futex wait of a bit set without a time-out is not notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1, 0 } },
	  ALLOWED,
	  TIMED },
	{ "futex wake is notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0 } },
	  NOTIFIED,
	  TIMED },
	{ "futex wake of a bit set is notified", { CALL_FUTEX, { 0x1000, FUTEX_WAKE_BITSET, 1, 0 } }, NOTIFIED, TIMED },
	{ "other operations on a futex are not notified",
	  { CALL_FUTEX, { 0x1000, FUTEX_UNLOCK_PI, 1, 0x2000 } },
	  ALLOWED,
	  TIMED },

	{ "clock_gettime with the argument of the patched vDSO is allowed",
	  { CALL_CLOCK_GETTIME, { 1, 0x1000, 0, 0, FILTER_MAGIC } },
	  ALLOWED,
	  TIMED },
	{ "clock_gettime without it is notified", { CALL_CLOCK_GETTIME, { 1, 0x1000 } }, NOTIFIED, TIMED },
	{ "clock_gettime with half of it is notified",
	  { CALL_CLOCK_GETTIME, { 1, 0x1000, 0, 0, (uint32_t)FILTER_MAGIC } },
	  NOTIFIED,
	  TIMED },
	{ "clock_gettime with the other half is notified",
	  { CALL_CLOCK_GETTIME, { 1, 0x1000, 0, 0, FILTER_MAGIC & ~UINT64_C(0xFFFFFFFF) } },
	  NOTIFIED,
	  TIMED },
	{ "gettimeofday is notified", { CALL_GETTIMEOFDAY, { 0x1000 } }, NOTIFIED, TIMED },
	{ "time is notified", { CALL_TIME, { 0 } }, NOTIFIED, TIMED },
	{ "timerfd_create is notified", { CALL_TIMERFD_CREATE, { 1 } }, NOTIFIED, TIMED },
	{ "a timer that counts a while is notified", { CALL_TIMERFD_SETTIME, { 3, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "a timer set to a point in time is not", { CALL_TIMERFD_SETTIME, { 3, 1, 0x1000 } }, ALLOWED, TIMED },
	{ "that of libusb is put out without notice",
	  { CALL_TIMERFD_SETTIME, { BASE - FILTER_TIMERS, 0, 0x1000 } },
	  ALLOWED,
	  TIMED },
	{ "the last of those as well", { CALL_TIMERFD_SETTIME, { BASE - 1, 0, 0x1000 } }, ALLOWED, TIMED },
	{ "one below them is not", { CALL_TIMERFD_SETTIME, { BASE - FILTER_TIMERS - 1, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "one above them is not", { CALL_TIMERFD_SETTIME, { BASE, 0, 0x1000 } }, NOTIFIED, TIMED },
	{ "timerfd_gettime is notified", { CALL_TIMERFD_GETTIME, { 3 } }, NOTIFIED, TIMED },
	{ "set_tid_address is notified", { CALL_SET_TID_ADDRESS, { 0x1000 } }, NOTIFIED, TIMED },
};

static void each_call_meets_its_verdict(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t j = 0; j < sizeof(tables) / sizeof(*tables); j++) {
			const struct syscall_table *t = tables[j];
			struct seccomp_data data = { .arch = t->audit_arch };

			data.nr = number_in(cases[i].when == TIMED ? t->timed : t->entries, cases[i].give.call);
			if (data.nr < 0)
				continue; /* this machine has no such call */
			memcpy(data.args, cases[i].give.args, sizeof(data.args));
			for (int timed = 0; timed <= 1; timed++) {
				uint32_t want = cases[i].when == TIMED && !timed ? ALLOWED : cases[i].want;
				uint32_t got = verdict(t, timed, &data);

				if (got != want)
					fail_msg("%s on %s%s: %#x", cases[i].name, t->name,
						 timed ? ", in virtual time" : "", got);
			}
			tried++;
		}
	}
	assert_true(tried > sizeof(cases) / sizeof(*cases));
}

static void what_no_table_has_is_allowed(void **state)
{
	(void)state;
	for (size_t j = 0; j < sizeof(tables) / sizeof(*tables); j++) {
		for (int nr = 0; nr < 600; nr++) {
			struct seccomp_data data = { .arch = tables[j]->audit_arch, .nr = nr };

			if (syscall_meaning(tables[j], nr) == CALL_NONE)
				assert_int_equal(verdict(tables[j], true, &data), ALLOWED);
		}
	}
}

static void descriptors_of_ours_reach_us_by_every_call_of_the_range(void **state)
{
	(void)state;
	for (size_t j = 0; j < sizeof(tables) / sizeof(*tables); j++) {
		for (const struct syscall_entry *e = tables[j]->entries; e->call != CALL_NONE; e++) {
			struct seccomp_data data = { .arch = tables[j]->audit_arch, .nr = e->number };

			if (e->when != WHEN_RESERVED)
				continue;
			data.args[0] = BASE;
			assert_int_equal(verdict(tables[j], false, &data), NOTIFIED);
			data.args[0] = BASE + COUNT;
			assert_int_equal(verdict(tables[j], false, &data), ALLOWED);
		}
	}
}

static void another_abi_is_seen_opening_files_only(void **state)
{
	(void)state;
	for (size_t j = 0; j < sizeof(tables) / sizeof(*tables); j++) {
		struct seccomp_data data = {
			.arch = tables[j] == &syscalls_x86_64 ? AUDIT_ARCH_I386 : AUDIT_ARCH_ARM,
			.nr = tables[j]->foreign_openat,
		};

		assert_int_equal(verdict(tables[j], true, &data), NOTIFIED);
		for (data.nr = 0; data.nr < 500; data.nr++) {
			if (data.nr != tables[j]->foreign_openat)
				assert_int_equal(verdict(tables[j], true, &data), ALLOWED);
		}
	}
}

static void x32_is_refused(void **state)
{
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };

	(void)state;
	for (int timed = 0; timed <= 1; timed++) {
		data.nr = 0x40000000 | 257;
		assert_int_equal(verdict(&syscalls_x86_64, timed, &data), SECCOMP_RET_ERRNO | ENOSYS);
		data.nr = -1; /* what a tracer may leave behind */
		assert_int_equal(verdict(&syscalls_x86_64, timed, &data), SECCOMP_RET_ERRNO | ENOSYS);
	}
}

static void programs_fit_and_every_way_through_them_ends(void **state)
{
	struct sock_filter program[FILTER_MAX];

	(void)state;
	for (size_t j = 0; j < sizeof(tables) / sizeof(*tables); j++) {
		for (int timed = 0; timed <= 1; timed++) {
			unsigned length = filter_build(tables[j], BASE, COUNT, program, timed);

			assert_true(length > 10 && length <= FILTER_MAX);
			assert_int_equal(program[length - 1].code, BPF_RET | BPF_K);
			for (unsigned at = 0; at < length; at++) {
				if (BPF_CLASS(program[at].code) == BPF_JMP)
					assert_true(at + 1 + program[at].jt < length &&
						    at + 1 + program[at].jf < length);
			}
		}
	}
}

/* --- the numbers --- */

#ifdef __x86_64__
#define NATIVE &syscalls_x86_64
#else
#define NATIVE &syscalls_aarch64
#endif
#define NAMED(call, name) \
	{ \
		call, #name, SYS_##name \
	}

static const struct {
	enum call call;
	const char *name;
	int number; /* here; -1: there is none */
} names[] = {
#ifdef SYS_open
	NAMED(CALL_OPEN, open),
	NAMED(CALL_CREAT, creat),
	NAMED(CALL_STAT, stat),
	NAMED(CALL_LSTAT, lstat),
	NAMED(CALL_ACCESS, access),
	NAMED(CALL_READLINK, readlink),
	NAMED(CALL_POLL, poll),
	NAMED(CALL_SELECT, select),
	NAMED(CALL_EPOLL_WAIT, epoll_wait),
	NAMED(CALL_TIME, time),
#endif
	NAMED(CALL_OPENAT, openat),
	NAMED(CALL_OPENAT2, openat2),
	NAMED(CALL_NEWFSTATAT, newfstatat),
	NAMED(CALL_STATX, statx),
	NAMED(CALL_FACCESSAT, faccessat),
	NAMED(CALL_FACCESSAT2, faccessat2),
	NAMED(CALL_READLINKAT, readlinkat),
	NAMED(CALL_STATFS, statfs),
	NAMED(CALL_FSTATFS, fstatfs),
	NAMED(CALL_CHDIR, chdir),
	NAMED(CALL_GETXATTR, getxattr),
	NAMED(CALL_LGETXATTR, lgetxattr),
	NAMED(CALL_LISTXATTR, listxattr),
	NAMED(CALL_LLISTXATTR, llistxattr),
	NAMED(CALL_EXECVE, execve),
	NAMED(CALL_EXECVEAT, execveat),
	NAMED(CALL_READ, read),
	NAMED(CALL_PREAD64, pread64),
	NAMED(CALL_WRITE, write),
	NAMED(CALL_LSEEK, lseek),
	NAMED(CALL_FSTAT, fstat),
	NAMED(CALL_BIND, bind),
	NAMED(CALL_SETSOCKOPT, setsockopt),
	NAMED(CALL_GETSOCKOPT, getsockopt),
	NAMED(CALL_GETSOCKNAME, getsockname),
	NAMED(CALL_RECVFROM, recvfrom),
	NAMED(CALL_RECVMSG, recvmsg),
	NAMED(CALL_NANOSLEEP, nanosleep),
	NAMED(CALL_CLOCK_NANOSLEEP, clock_nanosleep),
	NAMED(CALL_PPOLL, ppoll),
	NAMED(CALL_PSELECT6, pselect6),
	NAMED(CALL_EPOLL_PWAIT, epoll_pwait),
	NAMED(CALL_EPOLL_PWAIT2, epoll_pwait2),
	NAMED(CALL_FUTEX, futex),
	NAMED(CALL_CLOCK_GETTIME, clock_gettime),
	NAMED(CALL_GETTIMEOFDAY, gettimeofday),
	NAMED(CALL_SET_TID_ADDRESS, set_tid_address),
	NAMED(CALL_TIMERFD_CREATE, timerfd_create),
	NAMED(CALL_TIMERFD_SETTIME, timerfd_settime),
	NAMED(CALL_TIMERFD_GETTIME, timerfd_gettime),
	NAMED(CALL_IOCTL, ioctl),
	NAMED(CALL_SOCKET, socket),
	NAMED(CALL_IO_URING_SETUP, io_uring_setup),
};

static size_t name_of(enum call call)
{
	size_t i = 0;

	while (i < sizeof(names) / sizeof(*names) && names[i].call != call)
		i++;
	return i;
}

static void numbers_are_those_of_this_machine(void **state)
{
	const struct syscall_table *t = NATIVE;

	(void)state;
	for (int timed = 0; timed <= 1; timed++) {
		for (const struct syscall_entry *e = timed ? t->timed : t->entries; e->call != CALL_NONE; e++) {
			size_t i = name_of(e->call);

			if (i == sizeof(names) / sizeof(*names))
				fail_msg("call %d, number %d, has no name here", e->call, e->number);
			if (e->number != names[i].number)
				fail_msg("%s is %d, not %d", names[i].name, names[i].number, e->number);
		}
	}
}

/* A #define of <asm/unistd.h> of some machine. asm-generic writes __NR3264_ for those that differ between 32 and 64 bits, and
 * calls newfstatat fstatat there. */
static int defined_number(FILE *f, const char *name)
{
	char line[256], what[128];
	int number;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		const char *plain;

		if (sscanf(line, " # define %127s %d", what, &number) != 2 &&
		    sscanf(line, "#define %127s %d", what, &number) != 2)
			continue;
		if (strncmp(what, "__NR", 4))
			continue;
		plain = strncmp(what, "__NR3264_", 9) == 0 ? what + 9 : what + 5;
		if (!strcmp(plain, name) || (!strcmp(name, "newfstatat") && !strcmp(plain, "fstatat")))
			return number;
	}
	return -1;
}

static FILE *first_of(const char *const paths[])
{
	FILE *f = NULL;

	while (*paths && !f)
		f = fopen(*paths++, "r");
	return f;
}

static void numbers_are_those_of_aarch64(void **state)
{
	static const char *const headers[] = { "/usr/aarch64-linux-gnu/include/asm/unistd_64.h",
					       "/usr/aarch64-linux-gnu/include/asm-generic/unistd.h", NULL };
	const struct syscall_table *t = &syscalls_aarch64;
	FILE *f = first_of(headers);

	(void)state;
	if (!f)
		skip(); /* linux-libc-dev-arm64-cross has it */
	for (int timed = 0; timed <= 1; timed++) {
		for (const struct syscall_entry *e = timed ? t->timed : t->entries; e->call != CALL_NONE; e++) {
			size_t i = name_of(e->call);
			int want;

			assert_true(i < sizeof(names) / sizeof(*names));
			want = defined_number(f, names[i].name);
			if (e->number != want)
				fail_msg("%s is %d, not %d", names[i].name, want, e->number);
		}
	}
	fclose(f);
}

static void both_machines_watch_the_same(void **state)
{
	(void)state;
	/* But for the calls that only x86_64 has. */
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bool x86 = number_in(syscalls_x86_64.entries, names[i].call) >= 0 ||
			   number_in(syscalls_x86_64.timed, names[i].call) >= 0;
		bool arm = number_in(syscalls_aarch64.entries, names[i].call) >= 0 ||
			   number_in(syscalls_aarch64.timed, names[i].call) >= 0;

		if (arm && !x86)
			fail_msg("%s is not watched on x86_64", names[i].name);
	}
}

static void openat_of_i386_is_known(void **state)
{
	static const char *const headers[] = { "/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
					       "/usr/include/asm/unistd_32.h", NULL };
	FILE *f = first_of(headers);

	(void)state;
	if (!f)
		skip();
	assert_int_equal(defined_number(f, "openat"), syscalls_x86_64.foreign_openat);
	fclose(f);
}

static void this_machine_has_a_table(void **state)
{
	(void)state;
	assert_ptr_equal(syscalls_native(), NATIVE);
	assert_int_equal(syscall_meaning(NATIVE, SYS_openat), CALL_OPENAT);
	assert_int_equal(syscall_meaning(NATIVE, SYS_futex), CALL_FUTEX);
	assert_int_equal(syscall_meaning(NATIVE, SYS_getpid), CALL_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_meets_its_verdict),
		cmocka_unit_test(what_no_table_has_is_allowed),
		cmocka_unit_test(descriptors_of_ours_reach_us_by_every_call_of_the_range),
		cmocka_unit_test(another_abi_is_seen_opening_files_only),
		cmocka_unit_test(x32_is_refused),
		cmocka_unit_test(programs_fit_and_every_way_through_them_ends),
		cmocka_unit_test(numbers_are_those_of_this_machine),
		cmocka_unit_test(numbers_are_those_of_aarch64),
		cmocka_unit_test(both_machines_watch_the_same),
		cmocka_unit_test(openat_of_i386_is_known),
		cmocka_unit_test(this_machine_has_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
