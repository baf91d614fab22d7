// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What notified system calls cost by themselves: a child under a filter of one compare, a supervisor that answers at once.
 * Each word adds to the one before it. "libusb": the child also does what libusb does of its own for every third call, as
 * a transfer takes three (one poll, two timer settings). "memory": the supervisor moves what a transfer of 18 bytes needs,
 * in one read and one write. "epoll": it waits in epoll, as one with more to watch must; the floor for this way of serving
 * libusb.
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
#define DATA_AT 8192   /* from the URB to its buffer */

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
	static uint8_t urb[DATA_AT + 64]; /* on three pages, as a heap and a stack are */

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

/* Of each transfer: the URB and SETUP; then data, two parts of the URB, and where the URB is. */
static void read_memory(pid_t pid, uint64_t address)
{
	uint8_t data[64];
	struct iovec ours = { data, sizeof(data) };
	struct iovec theirs[] = { { (void *)(uintptr_t)address, 56 }, { (void *)(uintptr_t)(address + DATA_AT), 8 } };

	if (process_vm_readv(pid, &ours, 1, theirs, 2, 0) != sizeof(data))
		die("process_vm_readv");
}

static void write_memory(pid_t pid, uint64_t address)
{
	static uint8_t data[18 + 4 + 16 + 8];
	struct iovec ours = { data, sizeof(data) };
	struct iovec theirs[] = { { (void *)(uintptr_t)(address + DATA_AT + 8), 18 },
				  { (void *)(uintptr_t)(address + 4), 4 },
				  { (void *)(uintptr_t)(address + 28), 16 },
				  { (void *)(uintptr_t)(address + DATA_AT / 2), 8 } };

	if (process_vm_writev(pid, &ours, 1, theirs, 4, 0) != sizeof(data))
		die("process_vm_writev");
}

int main(int argc, char **argv)
{
	int sockets[2], listener, status;
	struct seccomp_notif_sizes sizes;
	struct seccomp_notif_resp *resp;
	struct seccomp_notif *notif;
	long count, seen = 0;
	static const char *const words[] = { "libusb", "memory", "epoll" };
	unsigned level = 0;
	bool libusb, memory, epoll;
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(EPOLL_CLOEXEC);
	pid_t pid;

	for (unsigned i = 0; argc == 3 && i < sizeof(words) / sizeof(*words); i++)
		level = strcmp(argv[2], words[i]) ? level : i + 1;
	if (argc < 2 || argc > 3 || (argc == 3 && !level)) {
		fputs("usage: notify COUNT [libusb|memory|epoll]\n", stderr);
		return 2;
	}
	libusb = level >= 1;
	memory = level >= 2;
	epoll = level >= 3;
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
		if (epoll && epoll_wait(set, &event, 1, -1) != 1)
			continue;
		memset(notif, 0, sizes.seccomp_notif);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notif)) {
			if (errno == EINTR)
				continue;
			die("receive");
		}
		if (memory && seen % 3 == 0)
			read_memory((pid_t)notif->pid, notif->data.args[2]);
		if (memory && seen % 3 == 1)
			write_memory((pid_t)notif->pid, notif->data.args[2]);
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
