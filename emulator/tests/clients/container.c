// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * container COMMAND...: runs it under what Docker's default seccomp profile denies on x86_64 to a container without further
 * capabilities (github.com/moby/moby, profiles/seccomp/default.json, of 2022), of the calls that matter here: EPERM, and ENOSYS for
 * clone3. `container -n COMMAND...` also has a listener of its own, as runtimes that intercept calls do: then the kernel grants no
 * second one (EBUSY).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAMESPACES 0x7E020000u /* flags of clone(2) that the profile looks at */

static const int denied[] = {
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_process_madvise,
	SYS_mount,
	SYS_umount2,
	SYS_unshare,
	SYS_setns,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_open_by_handle_at,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_io_uring_setup,
	SYS_userfaultfd,
	SYS_chroot,
	SYS_pivot_root,
	SYS_syslog,
	SYS_reboot,
};
#define DENIED (sizeof(denied) / sizeof(*denied))

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int argc, char **argv)
{
	struct sock_filter program[3 + 2 * DENIED + 8] = { LOAD(nr) };
	unsigned short n = 1;
	unsigned flags = 0;
	long listener;

	if (argc > 1 && !strcmp(argv[1], "-n")) {
		flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
		argv++;
		argc--;
	}
	if (argc < 2)
		return 2;
	for (unsigned i = 0; i < DENIED; i++) {
		program[n++] = (struct sock_filter)UNLESS(denied[i], 1);
		program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	}
	program[n++] = (struct sock_filter)UNLESS(SYS_clone3, 1);
	program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS);
	program[n++] = (struct sock_filter)UNLESS(SYS_clone, 3);
	program[n++] = (struct sock_filter)LOAD(args[0]);
	program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
	program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &(struct sock_fprog){ n, program });
	if (listener < 0 || (flags && fcntl((int)listener, F_SETFD, 0))) { /* it counts as long as it is open */
		perror("container: seccomp");
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
