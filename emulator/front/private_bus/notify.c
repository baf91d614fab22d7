/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receiving notified calls, handing each to the file that knows it, and answering (seccomp_unotify(2)). */
#include "bus_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "remote.h"
#include "terminals.h"
#include "vtime.h"

int notify_setup(struct private_bus *bus)
{
	struct seccomp_notif_sizes sizes;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return -errno;
	bus->notif_size = sizes.seccomp_notif > sizeof(struct seccomp_notif) ? sizes.seccomp_notif
									     : sizeof(struct seccomp_notif);
	bus->resp_size = sizes.seccomp_notif_resp > sizeof(struct seccomp_notif_resp)
				 ? sizes.seccomp_notif_resp
				 : sizeof(struct seccomp_notif_resp);
	bus->notif = calloc(1, bus->notif_size);
	bus->resp = calloc(1, bus->resp_size);
	return bus->notif && bus->resp ? 0 : -ENOMEM;
}

static void answer(struct private_bus *bus, uint64_t id, int64_t value, int error, uint32_t flags)
{
	struct seccomp_notif_resp *r = bus->resp;

	memset(r, 0, bus->resp_size);
	r->id = id;
	r->val = value;
	r->error = error;
	r->flags = flags;
	/* ENOENT: the caller was killed meanwhile. Nothing is owed to it then. */
	while (ioctl(bus->spawn.listener, SECCOMP_IOCTL_NOTIF_SEND, r) && errno == EINTR)
		continue;
}

void answer_value(struct private_bus *bus, uint64_t id, int64_t value)
{
	answer(bus, id, value, 0, 0);
}

void answer_error(struct private_bus *bus, uint64_t id, int error)
{
	answer(bus, id, 0, error, 0);
}

void answer_continue(struct private_bus *bus, uint64_t id)
{
	answer(bus, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

int answer_fd(struct private_bus *bus, uint64_t id, int fd, int number, bool cloexec)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.flags = SECCOMP_ADDFD_FLAG_SEND | (number >= 0 ? SECCOMP_ADDFD_FLAG_SETFD : 0),
		.srcfd = (uint32_t)fd,
		.newfd = number >= 0 ? (uint32_t)number : 0,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	int n;

	do
		n = ioctl(bus->spawn.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	n = -errno;
	if (n == -EBADF) { /* number is above the caller's RLIMIT_NOFILE */
		bus_warn(
			bus,
			"a process has lowered its limit of open files (ulimit -n): for USB it needs more than %d here",
			number);
		n = -EMFILE;
	}
	answer_error(bus, id, n);
	return n;
}

bool notify_alive(struct private_bus *bus, uint64_t id)
{
	return ioctl(bus->spawn.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void foreign_abi(struct private_bus *bus, const struct call_info *c)
{
	char exe[LINE_MAX_BYTES], link[64];
	ssize_t n;

	if (!bus->warned_foreign) {
		snprintf(link, sizeof(link), "/proc/%d/exe", (int)c->tid);
		n = readlink(link, exe, sizeof(exe) - 1);
		exe[n > 0 ? n : 0] = 0;
		bus_warn(bus, "'%s' is a 32-bit program: it does not see the private bus, but this machine's own USB",
			 exe);
		bus->warned_foreign = true;
	}
	answer_continue(bus, c->id);
}

static void uring(struct private_bus *bus, const struct call_info *c)
{
	if (!bus->warned_uring)
		bus_warn(bus, "io_uring refused to process %d: what it opens would go round the private bus",
			 (int)c->tid);
	bus->warned_uring = true;
	answer_error(bus, c->id, -ENOSYS);
}

static void by_descriptor(struct private_bus *bus, const struct call_info *c)
{
	int fd = (int)c->args[0];
	struct node *n;

	if (c->call == CALL_IOCTL && (c->args[1] >> 8 & 0xFF) != 'U') {
		terminals_ioctl(bus, c);
		return;
	}
	n = c->call == CALL_IOCTL ? node_of_known(bus, c->tid, fd) : node_of(bus, c->tid, fd);
	if (!n)
		answer_continue(bus, c->id);
	else if (n->kind == NODE_USBFS)
		usbfs_call(bus, c, n);
	else
		netlink_call(bus, c, n);
}

static void dispatch(struct private_bus *bus, const struct call_info *c)
{
	switch (c->call) {
	case CALL_IO_URING_SETUP:
		uring(bus, c);
		return;
	case CALL_SOCKET:
		netlink_socket(bus, c);
		return;
	case CALL_NONE:
		answer_continue(bus, c->id);
		return;
	default:
		break;
	}
	if (c->call >= CALL_NANOSLEEP && c->call <= CALL_TIMERFD_GETTIME) {
		waits_call(bus, c);
		return;
	}
	if (c->call >= CALL_READ && c->call <= CALL_IOCTL)
		by_descriptor(bus, c);
	else
		paths_call(bus, c);
}

void notify_ready(struct private_bus *bus)
{
	struct seccomp_notif *n = bus->notif;
	struct call_info c;

	memset(n, 0, bus->notif_size);
	if (ioctl(bus->spawn.listener, SECCOMP_IOCTL_NOTIF_RECV, n))
		return; /* ENOENT: the caller was killed first */
	bus->counts.calls++;
	c = (struct call_info){ .id = n->id, .tid = (pid_t)n->pid };
	for (int i = 0; i < 6; i++)
		c.args[i] = n->data.args[i];
	if (n->data.arch != bus->syscalls->audit_arch) {
		foreign_abi(bus, &c);
		return;
	}
	c.call = syscall_meaning(bus->syscalls, n->data.nr);
	if (bus->vtime && vtime_saw(bus->vtime, &c))
		return;
	dispatch(bus, &c);
}

int held_add(struct private_bus *bus, enum held_kind kind, const struct call_info *c, struct node *n)
{
	struct held *h = calloc(1, sizeof(*h)), **end = &bus->held;

	if (!h)
		return -ENOMEM;
	h->kind = kind;
	h->call = *c;
	h->node = n;
	while (*end)
		end = &(*end)->next;
	*end = h;
	return 0;
}

struct held *held_take(struct private_bus *bus, enum held_kind kind, const struct node *n)
{
	for (struct held **at = &bus->held; *at; at = &(*at)->next) {
		struct held *h = *at;

		if (h->kind == kind && h->node == n) {
			*at = h->next;
			return h;
		}
	}
	return NULL;
}

bool held_any(const struct private_bus *bus)
{
	return bus->held != NULL;
}

void held_drop_node(struct private_bus *bus, const struct node *n, int error)
{
	struct held **at = &bus->held;

	while (*at) {
		struct held *h = *at;

		if (h->node != n) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		answer_error(bus, h->call.id, error);
		free(h);
	}
}

/* A mask line of /proc/TID/status. */
static uint64_t signal_mask(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtoull(at + strlen(name), NULL, 16) : 0;
}

static bool signal_waits(const struct held *h)
{
	char path[64], text[4096];
	uint64_t pending, blocked;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)h->call.tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	pending = signal_mask(text, "\nSigPnd:") | signal_mask(text, "\nShdPnd:");
	blocked = h->masked ? h->mask : signal_mask(text, "\nSigBlk:");
	return (pending & ~blocked & ~signal_mask(text, "\nSigIgn:")) != 0;
}

bool held_look_after(struct private_bus *bus)
{
	struct held **at = &bus->held;
	bool any = false;

	while (*at) {
		struct held *h = *at;
		bool alive = notify_alive(bus, h->call.id);

		if (alive && !signal_waits(h)) {
			at = &h->next;
			continue;
		}
		any = true;
		*at = h->next;
		if (alive && h->bus)
			waits_interrupt(bus, h);
		else if (alive)
			answer_error(bus, h->call.id, -EINTR);
		waits_release(bus, h);
		free(h);
	}
	return any;
}
