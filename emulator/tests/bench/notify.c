// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a notified system call costs by itself: a child under a filter of one compare, a supervisor that answers at once.
 * With "memory" the supervisor reads 64 bytes of the child and writes 18 for every third call, as a transfer needs. With
 * "libusb" the child also does what libusb does of its own for a transfer (one poll, two timer settings), and the
 * supervisor waits in epoll, as one with more to watch must: the floor for this way of serving libusb.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define REQUEST 0x5500 /* an ioctl(2) of usbfs, as what is compared with */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int install(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xFF00),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REQUEST & 0xFF00, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(program) / sizeof(program[0]), .filter = program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void send_listener(int socket, int fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(socket, &m, 0) != 1)
		die("sendmsg");
}

static int receive_listener(int socket)
{
	char byte;
	int fd = -1;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	if (recvmsg(socket, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

static void child(int socket, long count, bool libusb)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), ends[2], listener;
	struct itimerspec never = { 0 }, late = { .it_value = { .tv_sec = INT32_MAX } };
	struct pollfd fds[3];
	uint8_t urb[64] = { 0 };

	if (timer < 0 || pipe(ends))
		die("start");
	fds[0] = (struct pollfd){ .fd = timer, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = ends[1], .events = POLLOUT };
	listener = install();
	if (listener < 0)
		die("seccomp");
	send_listener(socket, listener);
	close(listener);
	for (long i = 0; i < count; i++) {
		if (ioctl(-1, REQUEST, urb))
			die("ioctl");
		if (!libusb)
			continue;
		if (i % 3 == 0)
			poll(fds, 3, 60000);
		else
			timerfd_settime(timer, TFD_TIMER_ABSTIME, i % 3 == 1 ? &never : &late, NULL);
	}
	_exit(0);
}

static void move_memory(pid_t pid, uint64_t address)
{
	uint8_t data[64];
	struct iovec ours = { data, sizeof(data) }, theirs = { (void *)(uintptr_t)address, sizeof(data) };

	if (process_vm_readv(pid, &ours, 1, &theirs, 1, 0) != sizeof(data))
		die("process_vm_readv");
	ours.iov_len = theirs.iov_len = 18;
	if (process_vm_writev(pid, &ours, 1, &theirs, 1, 0) != 18)
		die("process_vm_writev");
}

int main(int argc, char **argv)
{
	int sockets[2], listener, status;
	struct seccomp_notif_sizes sizes;
	struct seccomp_notif_resp *resp;
	struct seccomp_notif *notif;
	long count, seen = 0;
	bool libusb = argc == 3 && !strcmp(argv[2], "libusb");
	bool memory = libusb || (argc == 3 && !strcmp(argv[2], "memory"));
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid;

	if (argc < 2 || (argc > 2 && !memory)) {
		fputs("usage: notify COUNT [memory|libusb]\n", stderr);
		return 2;
	}
	count = atol(argv[1]);
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		die("seccomp");
	notif = calloc(1, sizes.seccomp_notif + sizeof(*notif));
	resp = calloc(1, sizes.seccomp_notif_resp + sizeof(*resp));
	if (!notif || !resp || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		die("start");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(sockets[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child(sockets[1], count, libusb);
	}
	close(sockets[1]);
	listener = receive_listener(sockets[0]);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP))
		fputs("notify: no synchronous wake-ups here\n", stderr);
	if (epoll_ctl(set, EPOLL_CTL_ADD, listener, &event))
		die("epoll_ctl");
	while (seen < count) {
		if (libusb && epoll_wait(set, &event, 1, -1) != 1)
			continue;
		memset(notif, 0, sizes.seccomp_notif);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notif)) {
			if (errno == EINTR)
				continue;
			die("receive");
		}
		if (memory && seen % 3 == 0)
			move_memory((pid_t)notif->pid, notif->data.args[2]);
		memset(resp, 0, sizes.seccomp_notif_resp);
		resp->id = notif->id;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, resp))
			die("send");
		seen++;
	}
	if (waitpid(pid, &status, 0) != pid || status)
		return 1;
	return 0;
}
