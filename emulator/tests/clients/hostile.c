// SPDX-License-Identifier: GPL-2.0-or-later
/* A tool that means harm, or is badly confused: hostile fuzz SEED ROUNDS | NAME of one of the tricks at the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NODE "/dev/bus/usb/001/002"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void die(const char *what)
{
	fprintf(stderr, "%s: errno %d\n", what, errno);
	exit(1);
}

static void expect(const char *what, long got, int want)
{
	int error = got < 0 ? errno : 0;

	if (error != want) {
		fprintf(stderr, "%s: errno %d instead of %d\n", what, error, want);
		exit(1);
	}
}

static int open_node(void)
{
	int fd = open(NODE, O_RDWR);

	if (fd < 0)
		die(NODE);
	return fd;
}

/* --- chance --- */

static uint64_t dice = 1;

static uint64_t any(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice;
}

static uint64_t below(uint64_t n)
{
	return any() % n;
}

static uint8_t *room; /* 64 KiB that can be written, then nothing */
#define ROOM 65536u

static void fill(void)
{
	for (unsigned i = 0; i < 512; i++)
		room[below(ROOM)] = (uint8_t)any();
}

static uint64_t pointer(void)
{
	static const uint64_t odd[] = { 0, 1, 4095, UINT64_MAX, INT64_MAX, 0xffffffff81000000u, UINT64_MAX - 4095 };

	switch (below(8)) {
	case 0:
		return odd[below(COUNT(odd))];
	case 1:
		return (uintptr_t)room + ROOM - below(64); /* runs out of the page */
	default:
		return (uintptr_t)room + below(ROOM - 4096) / 8 * 8;
	}
}

static uint64_t length(void)
{
	static const uint64_t odd[] = { 0,    1,     7,         8,          18,         64,       4096,
					4104, 65536, INT32_MAX, UINT32_MAX, UINT64_MAX, 16u << 20 };

	return below(3) ? below(256) : odd[below(COUNT(odd))];
}

static int fds[16];
static unsigned fd_count;

static void keep(long fd)
{
	if (fd < 3)
		return;
	if (fd_count == COUNT(fds))
		close(fds[--fd_count]);
	fds[fd_count++] = (int)fd;
}

static int descriptor(void)
{
	if (fd_count && below(8))
		return fds[below(fd_count)];
	return below(2) ? (int)(700 + below(400)) : (int)any();
}

static void some_urb(struct usbdevfs_urb *u)
{
	static const uint8_t endpoints[] = { 0, 0x80, 0x81, 1, 2, 0x82, 0xff, 0x71 };
	static const uint8_t requests[] = { 0, 1, 3, 5, 6, 9, 10, 11 };
	uint8_t *setup = room + below(ROOM - 8192);

	memset(u, 0, sizeof(*u));
	u->type = (unsigned char)(below(8) ? USBDEVFS_URB_TYPE_CONTROL : below(5));
	u->endpoint = endpoints[below(COUNT(endpoints))];
	u->flags = (unsigned)any() & 0xff;
	u->buffer = below(4) ? setup : (void *)(uintptr_t)pointer();
	u->buffer_length = below(4) ? (int)(8 + below(4200)) : (int)length();
	setup[0] = below(2) ? 0x80 : (uint8_t)any();
	setup[1] = below(2) ? requests[below(COUNT(requests))] : (uint8_t)below(8);
	setup[3] = (uint8_t)below(5);
	setup[5] = 0;
	setup[6] = (uint8_t)any();
	setup[7] = (uint8_t)below(16);
	if (!below(16))
		u->signr = SIGUSR1;
}

static const unsigned long ioctls[] = {
	USBDEVFS_CONTROL,
	USBDEVFS_BULK,
	USBDEVFS_RESETEP,
	USBDEVFS_SETINTERFACE,
	USBDEVFS_SETCONFIGURATION,
	USBDEVFS_GETDRIVER,
	USBDEVFS_SUBMITURB,
	USBDEVFS_DISCARDURB,
	USBDEVFS_REAPURBNDELAY,
	USBDEVFS_DISCSIGNAL,
	USBDEVFS_CLAIMINTERFACE,
	USBDEVFS_RELEASEINTERFACE,
	USBDEVFS_CONNECTINFO,
	USBDEVFS_IOCTL,
	USBDEVFS_RESET,
	USBDEVFS_CLEAR_HALT,
	USBDEVFS_DISCONNECT,
	USBDEVFS_CONNECT,
	USBDEVFS_CLAIM_PORT,
	USBDEVFS_GET_CAPABILITIES,
	USBDEVFS_DISCONNECT_CLAIM,
	USBDEVFS_ALLOC_STREAMS,
	USBDEVFS_DROP_PRIVILEGES,
	USBDEVFS_GET_SPEED,
	USBDEVFS_CONNINFO_EX(3),
	USBDEVFS_CONNINFO_EX(200),
	USBDEVFS_FORBID_SUSPEND,
	USBDEVFS_WAIT_FOR_RESUME,
};

static void control(int fd)
{
	struct usbdevfs_ctrltransfer *c = (void *)(room + 4096 + below(16) * 64);

	*c = (struct usbdevfs_ctrltransfer){ .bRequestType = below(2) ? 0x80 : (uint8_t)any(),
					     .bRequest = (uint8_t)below(12),
					     .wValue = (uint16_t)(below(2) ? any() : below(5) << 8),
					     .wIndex = (uint16_t)(below(4) ? 0 : any()),
					     .wLength = (uint16_t)(below(4) ? below(300) : any()),
					     .timeout = (uint32_t)(1 + below(20)),
					     .data = (void *)(uintptr_t)pointer() };
	ioctl(fd, USBDEVFS_CONTROL, c);
}

static void urbs(int fd)
{
	static struct usbdevfs_urb pool[64];
	struct usbdevfs_urb *u = &pool[below(COUNT(pool))];
	void *reaped;

	switch (below(4)) {
	case 0:
		ioctl(fd, USBDEVFS_DISCARDURB, below(4) ? (uint64_t)(uintptr_t)u : pointer());
		return;
	case 1:
		ioctl(fd, USBDEVFS_REAPURBNDELAY, below(4) ? (uint64_t)(uintptr_t)&reaped : pointer());
		return;
	default:
		some_urb(u);
		ioctl(fd, USBDEVFS_SUBMITURB, u);
	}
}

static void some_ioctl(int fd)
{
	unsigned long request = below(10) ? ioctls[below(COUNT(ioctls))] : ('U' << 8 | any() << 16 | below(40));
	uint32_t *word = (void *)(room + below(256) * 4);

	if (!below(4))
		*word = below(4) ? (uint32_t)below(4) : (uint32_t)any();
	/* Waiting for ever is not what this is about. */
	if ((uint32_t)request == USBDEVFS_REAPURB)
		return;
	if (request == USBDEVFS_CONTROL || request == USBDEVFS_BULK)
		control(fd);
	else
		ioctl(fd, request, below(3) ? (uint64_t)(uintptr_t)word : pointer());
}

static void some_path(void)
{
	static const char *const paths[] = {
		NODE,
		"/dev/bus/usb/001/001",
		"/dev/bus/usb/001/003",
		"/dev/bus/usb",
		"/sys/bus/usb/devices/1-1/../1-1/product",
		"/sys/bus/usb/devices/1-1/descriptors",
		"/sys/bus",
		"/sys/bus/usb/../../../../../proc/self/status",
		"/dev/bus/../../etc/hostname",
		"/proc/self/fd/768",
		"/proc/self/fd//../fd/769",
		"//dev//./bus/usb/001/002/",
		"devices/usb1/uevent",
		"../../../sys/bus/usb/devices",
		"/run/udev/data/c189:1",
		"",
	};
	const char *p = paths[below(COUNT(paths))];
	uint64_t at = below(10) ? (uint64_t)(uintptr_t)p : pointer();
	int dir = below(2) ? AT_FDCWD : descriptor();
	char *to = (char *)(uintptr_t)pointer();

	switch (below(9)) {
	case 0:
	case 1:
		keep(syscall(SYS_openat, dir, at,
			     (int)any() & (O_ACCMODE | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | O_PATH | O_NONBLOCK), 0));
		return;
	case 2:
		syscall(SYS_newfstatat, dir, at, to, (int)any() & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
		return;
	case 3:
		syscall(SYS_statx, dir, at, (int)any() & 0x7900, (unsigned)any(), to);
		return;
	case 4:
		syscall(SYS_readlinkat, dir, at, to, length());
		return;
	case 5:
		syscall(SYS_faccessat, dir, at, (int)any() & 15);
		return;
	case 6:
		syscall(SYS_statfs, at, to);
		return;
	case 7:
		syscall(SYS_openat2, dir, at, to, length());
		return;
	default:
		syscall(SYS_getxattr, at, p, to, length());
		return;
	}
}

static void by_descriptor(int fd)
{
	uint64_t to = pointer();

	switch (below(16)) {
	case 0:
		fcntl(fd, F_SETFL, O_NONBLOCK);
		syscall(SYS_read, fd, to, length());
		return;
	case 1:
		syscall(SYS_pread64, fd, to, length(), below(2) ? below(64) : any());
		return;
	case 2:
		lseek(fd, below(2) ? (off_t)below(64) : (off_t)any(), (int)below(5));
		return;
	case 3:
		syscall(SYS_fstat, fd, to);
		return;
	case 4:
		syscall(SYS_bind, fd, to, length());
		return;
	case 5:
		syscall(SYS_setsockopt, fd, below(2) ? SOL_SOCKET : 270, (int)below(40), to, (int)length());
		return;
	case 6:
		syscall(SYS_getsockopt, fd, SOL_SOCKET, (int)below(40), to, pointer());
		return;
	case 7:
		syscall(SYS_getsockname, fd, to, pointer());
		return;
	case 8:
		syscall(SYS_recvfrom, fd, to, length(), MSG_DONTWAIT | (below(2) ? MSG_PEEK | MSG_TRUNC : 0), pointer(),
			pointer());
		return;
	case 9:
		syscall(SYS_recvmsg, fd, to, MSG_DONTWAIT | (below(2) ? MSG_PEEK : 0));
		return;
	case 10:
		keep(below(2) ? dup(fd) : fcntl(fd, F_DUPFD_CLOEXEC, (int)below(900)));
		return;
	case 11:
		dup2(fd, (int)(760 + below(60)));
		return;
	case 12:
		if (fd >= 3)
			close(fd);
		return;
	case 13:
		if (below(4) == 0)
			syscall(SYS_close_range, 3 + below(900), 3 + below(1200), 0);
		return;
	case 14:
		syscall(SYS_fstatfs, fd, to);
		return;
	default:
		fcntl(fd, F_SETFL, O_NONBLOCK);
		fcntl(fd, F_SETPIPE_SZ, (int)length());
		syscall(SYS_write, fd, room, below(8192));
		return;
	}
}

static void wait_oddly(int fd)
{
	struct timespec ts = { 0, (long)below(3000000) }, *wild = (struct timespec *)(uintptr_t)pointer();
	struct pollfd polled[3] = { { fd, (short)any(), 0 }, { descriptor(), POLLIN, 0 }, { (int)any(), POLLOUT, 0 } };
	struct itimerspec soon = { { 0, 0 }, { 0, 1 + (long)below(1000000) } };
	int e, t;

	switch (below(8)) {
	case 0:
		poll(polled, below(4), (int)below(4));
		return;
	case 1:
		syscall(SYS_ppoll, polled, below(4), &ts, NULL, 8);
		return;
	case 2:
		syscall(SYS_ppoll, pointer(), below(2) ? below(100) : 0, &ts, pointer(), 8);
		return;
	case 3: {
		struct timeval tv = { 0, (long)below(3000) };

		syscall(SYS_select, below(2) ? below(1025) : any(), pointer(), pointer(), pointer(), &tv);
		return;
	}
	case 4:
		e = epoll_create1(0);
		epoll_ctl(e, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = (uint32_t)any() & 0x1f });
		syscall(SYS_epoll_pwait, e, pointer(), (int)below(4), (int)below(4), NULL, 8);
		keep(e);
		return;
	case 5:
		t = timerfd_create(below(2) ? CLOCK_MONOTONIC : CLOCK_REALTIME, TFD_NONBLOCK);
		timerfd_settime(t, 0, &soon, NULL);
		poll(&(struct pollfd){ .fd = t, .events = POLLIN }, 1, 5);
		keep(t);
		return;
	case 6:
		if (below(2))
			wild = &ts;
		syscall(SYS_futex, pointer(), below(2) ? 128 : 9 | 128, (uint32_t)below(2), &ts, NULL, UINT32_MAX);
		if (wild == &ts)
			syscall(SYS_clock_nanosleep, (int)(below(2) ? below(2) : 4 + below(9)), 0, wild, pointer());
		return;
	default:
		nanosleep(&ts, NULL);
		clock_gettime((clockid_t)below(12), &ts);
		return;
	}
}

static void *thread(void *argument)
{
	int fd = descriptor();

	for (int i = 0; i < 4; i++)
		some_ioctl(fd);
	return argument;
}

static void others(void)
{
	pthread_t t;
	pid_t pid;

	switch (below(6)) {
	case 0:
		keep(syscall(SYS_socket, AF_NETLINK, below(3) ? SOCK_RAW | SOCK_CLOEXEC : any(),
			     NETLINK_KOBJECT_UEVENT));
		return;
	case 1:
		pid = fork();
		if (pid == 0) {
			for (int i = 0; i < 6; i++)
				some_ioctl(descriptor());
			if (below(2))
				raise(SIGKILL);
			_exit(0);
		}
		if (pid > 0 && below(8))
			waitpid(pid, NULL, 0);
		return;
	case 2:
		if (pthread_create(&t, NULL, thread, NULL) == 0)
			pthread_join(t, NULL);
		return;
	default:
		keep(open(NODE, O_RDWR | (below(2) ? O_CLOEXEC : 0)));
		return;
	}
}

static void fuzz(uint64_t seed, unsigned long rounds)
{
	dice = seed * 0x9e3779b97f4a7c15u | 1;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (unsigned long i = 0; i < rounds; i++) {
		if (i % 64 == 0)
			fill();
		switch (below(10)) {
		case 0:
			some_path();
			break;
		case 1:
		case 2:
			by_descriptor(descriptor());
			break;
		case 3:
			wait_oddly(descriptor());
			break;
		case 4:
			if (below(4) == 0)
				others();
			break;
		case 5:
			urbs(descriptor());
			break;
		default:
			some_ioctl(descriptor());
		}
		if (fd_count < 2)
			keep(open(NODE, O_RDWR));
	}
}

/* --- tricks --- */

static int get_descriptor(int fd)
{
	uint8_t bytes[18];
	struct usbdevfs_ctrltransfer c = { 0x80, 6, 0x100, 0, sizeof(bytes), 5000, bytes };

	return ioctl(fd, USBDEVFS_CONTROL, &c);
}

static void still_serves(void)
{
	int fd = open_node();

	if (get_descriptor(fd) != 18)
		die("the bus does not serve any more");
	close(fd);
}

static void *reap(void *node)
{
	static struct usbdevfs_urb *u;

	return ioctl(*(int *)node, USBDEVFS_REAPURB, &u) ? NULL : u;
}

/* Asleep in another call than the one that brings the URB. */
static void blocking_reap(void)
{
	uint8_t bytes[26] = { 0x80, 6, 0, 1, 0, 0, 18, 0 };
	struct usbdevfs_urb u = { .type = USBDEVFS_URB_TYPE_CONTROL, .buffer = bytes, .buffer_length = sizeof(bytes) };
	int fd = open_node();
	char path[64], text[64];
	void *reaped;
	pthread_t t;

	if (pthread_create(&t, NULL, reap, &fd))
		die("pthread_create");
	/* The ioctl is held once the thread sleeps in it. */
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)getpid() + 1);
	for (int i = 0; i < 1000; i++) {
		FILE *f = fopen(path, "r");

		if (!f || (fgets(text, sizeof(text), f) && !strncmp(text, "16 ", 3)))
			i = 1000;
		if (f)
			fclose(f);
		sched_yield();
	}
	if (ioctl(fd, USBDEVFS_SUBMITURB, &u))
		die("SUBMITURB");
	pthread_join(t, &reaped);
	if (reaped != &u || u.status || u.actual_length != 18)
		die("not the URB that was submitted");
}

/* What the kernel says to arguments that make no sense. */
static void wrong(void)
{
	uint32_t interface = 0, far = 40, farther = 64;
	struct usbdevfs_getdriver driver = { 0 };
	struct usbdevfs_urb u = { 0 };
	int fd = open_node(), hub = open("/dev/bus/usb/001/001", O_RDWR);
	uint8_t byte;

	lseek(fd, 10, SEEK_SET);
	expect("lseek beyond all", lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	expect("pread before the start", syscall(SYS_pread64, fd, &byte, 1, -1L), EINVAL);
	expect("open below a device", openat(fd, "x/../y", O_RDONLY), ENOTDIR);
	expect("claim 40", ioctl(fd, USBDEVFS_CLAIMINTERFACE, &far), ENOENT);
	expect("claim 64", ioctl(fd, USBDEVFS_CLAIMINTERFACE, &farther), EINVAL);
	expect("release 40", ioctl(fd, USBDEVFS_RELEASEINTERFACE, &far), ENOENT);
	expect("release what is not claimed", ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface), EINVAL);
	expect("discard nothing", ioctl(fd, USBDEVFS_DISCARDURB, &u), EINVAL);
	expect("the driver of nothing", ioctl(fd, USBDEVFS_GETDRIVER, &driver), ENODATA);
	expect("the hub's driver", ioctl(hub, USBDEVFS_GETDRIVER, &driver), 0);
	if (strcmp(driver.driver, "hub"))
		die(driver.driver);
	expect("claim of the hub", ioctl(hub, USBDEVFS_CLAIMINTERFACE, &interface), EBUSY);
	expect("configuration of the hub", ioctl(hub, USBDEVFS_SETCONFIGURATION, &interface), EBUSY);
	expect("a socket of type 99", syscall(SYS_socket, AF_NETLINK, 99, NETLINK_KOBJECT_UEVENT), EINVAL);
}

/* Not hostile at all: sysfs shows the name of the setting. */
static void setting(void)
{
	struct usbdevfs_setinterface s = { .interface = 0, .altsetting = 1 };
	const char *path = "/sys/bus/usb/devices/1-1:1.0/interface";
	char text[2][64] = { "" };
	int fd = open_node();
	unsigned interface = 0;

	for (int i = 0; i < 2; i++, s.altsetting = 0) {
		FILE *f;

		expect("SETINTERFACE", ioctl(fd, USBDEVFS_SETINTERFACE, &s), 0);
		f = fopen(path, "r");
		if (!f || !fgets(text[i], sizeof(text[i]), f))
			die(path);
		fclose(f);
	}
	if (strncmp(text[0], "@Option Bytes", 13) || strncmp(text[1], "@Internal Flash", 15))
		die(text[0]);
	expect("release", ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface), 0);
	close(fd);
}

/* URBs that nobody reaps: memory ends where that of usbfs does. */
static void flood(void)
{
	static uint8_t bytes[4104] = { 0xa1, 3, 0, 0, 0, 0, 6, 0 };
	struct usbdevfs_urb u = { .type = USBDEVFS_URB_TYPE_CONTROL, .buffer = bytes, .buffer_length = sizeof(bytes) };
	int fd = open_node(), n = 0;

	while (ioctl(fd, USBDEVFS_SUBMITURB, &u) == 0 && n < 100000)
		n++;
	if (errno != ENOMEM || n < 1000 || n > 4096)
		die("URBs that are not limited to 16 MiB");
	close(fd);
}

/* A number of the bus that has become a file is a file, while the handle lives on as another number. */
static void native(void)
{
	int fd = open_node(), other, file = memfd_create("file", 0);
	struct stat st;
	char text[5] = "";

	get_descriptor(fd);
	other = dup(fd);
	if (write(file, "text", 4) != 4 || dup2(file, fd) != fd)
		die("dup2");
	if (lseek(fd, 0, SEEK_END) != 4 || lseek(fd, 0, SEEK_SET) || read(fd, text, 4) != 4 || strcmp(text, "text"))
		die("not the file");
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != 4)
		die("not the file's status");
	close(fd);
	expect("read of what is closed", read(fd, text, 4), EBADF);
	if (get_descriptor(other) != 18)
		die("the duplicate");
}

/* Something in the tree that would keep the bus waiting if it opened it. */
static void fifo(void)
{
	int folder = open("/sys/bus/usb", O_RDONLY | O_DIRECTORY);

	if (folder < 0 || mkfifoat(folder, "fifo", 0600))
		die("mkfifoat");
	close(open("/sys/bus/usb/fifo", O_RDONLY));
}

/* What the tool reaches through the tree is its own, not the bus's. */
static void own_process(void)
{
	int folder = open("/sys/bus", O_RDONLY | O_DIRECTORY), fd = openat(folder, "../../proc/self/comm", O_RDONLY);
	char name[16] = "";

	if (read(fd, name, 7) != 7 || strcmp(name, "hostile"))
		die(name);
}

static void *wait_for_ever(void *epoll)
{
	struct epoll_event e;

	epoll_wait(*(int *)epoll, &e, 1, -1);
	return NULL;
}

/* By what /proc tells, the epoll watches itself. */
static void epoll_of_itself(void)
{
	int epoll = epoll_create1(0), event = eventfd(0, 0);
	struct epoll_event in = { .events = EPOLLIN };
	pthread_t t;

	if (dup(event) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &in) || dup2(epoll, event) != event)
		die("dup2");
	if (pthread_create(&t, NULL, wait_for_ever, &epoll))
		die("pthread_create");
	open_node();
	usleep(20000);
}

static void stop_guardian(void)
{
	kill(getppid(), SIGSTOP);
}

static void kill_guardian(void)
{
	kill(getppid(), SIGKILL);
	pause();
}

/* A handle comes over a socket, under any number. */
static void rights(void)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int ends[2], fd, status;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("socketpair");
	if (fork() == 0) {
		if (recvmsg(ends[1], &m, 0) != 1)
			die("recvmsg");
		memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
		_exit(get_descriptor(fd) != 18);
	}
	fd = open_node();
	control.header = (struct cmsghdr){ CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(ends[0], &m, 0) != 1)
		die("sendmsg");
	close(fd);
	if (wait(&status) < 0 || status)
		die("the other process");
}

static void *execute(void *path)
{
	execl(path, path, "wrong", (char *)NULL);
	return NULL;
}

/* execve(2) in a thread takes the others along, one of which waits for the bus. */
static void exec_in_thread(void)
{
	int fd = open_node();
	pthread_t t;

	if (pthread_create(&t, NULL, reap, &fd) || pthread_create(&t, NULL, execute, "/proc/self/exe"))
		die("pthread_create");
	for (;;)
		get_descriptor(fd);
}

static const struct {
	const char *name;
	void (*run)(void);
} tricks[] = {
	{ "reap", blocking_reap },
	{ "wrong", wrong },
	{ "setting", setting },
	{ "flood", flood },
	{ "native", native },
	{ "fifo", fifo },
	{ "own", own_process },
	{ "epoll", epoll_of_itself },
	{ "stop-guardian", stop_guardian },
	{ "kill-guardian", kill_guardian },
	{ "rights", rights },
	{ "exec-in-thread", exec_in_thread },
};

int main(int argc, char **argv)
{
	room = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED || munmap(room + ROOM, 4096))
		die("mmap");
	if (argc == 4 && !strcmp(argv[1], "fuzz"))
		fuzz(strtoull(argv[2], NULL, 0), strtoul(argv[3], NULL, 0));
	for (size_t i = 0; argc == 2 && i < COUNT(tricks); i++) {
		if (!strcmp(argv[1], tricks[i].name)) {
			tricks[i].run();
			still_serves();
		}
	}
	puts("done");
	return 0;
}
