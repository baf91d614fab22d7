/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets of NETLINK_KOBJECT_UEVENT: hot-plug news for libudev (group 2, udevd's framing) and for programs that listen to
 * the kernel itself (group 1). The tool holds the read end of a pipe; the messages wait here.
 */
#include "bus_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "remote.h"

#define QUEUE_MAX 256 /* messages that nobody reads; a real socket's buffer ends as well */
#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

struct message {
	struct message *next;
	uint32_t group;
	size_t length;
	uint8_t bytes[];
};

struct monitor {
	struct monitor *next;
	struct node *node;
	int type; /* SOCK_RAW, SOCK_DGRAM */
	pid_t owner;
	uint32_t groups;
	struct message *first, **end;
	unsigned count;
	bool overflow;
};

static struct monitor *monitor_of(struct private_bus *bus, const struct node *n)
{
	struct monitor *m = bus->monitors;

	while (m && m->node != n)
		m = m->next;
	return m;
}

void netlink_socket(struct private_bus *bus, const struct call_info *c)
{
	int type = (int)c->args[1], theirs = -1, error = -ENOMEM;
	pid_t owner = remote_process(c->tid);
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct monitor *m;

	if (kind != SOCK_RAW && kind != SOCK_DGRAM) {
		answer_continue(bus, c->id); /* the kernel refuses it as well */
		return;
	}
	m = calloc(1, sizeof(*m));
	if (m)
		m->node = node_new(bus, NODE_UEVENT, c->tid, type & SOCK_NONBLOCK ? O_NONBLOCK : 0, &theirs, &error);
	if (!m || !m->node) {
		free(m);
		answer_error(bus, c->id, error);
		return;
	}
	m->type = kind;
	m->owner = owner > 0 ? owner : c->tid;
	m->end = &m->first;
	m->next = bus->monitors;
	bus->monitors = m;
	answer_fd(bus, c->id, theirs, m->node->number, (type & SOCK_CLOEXEC) != 0);
	close(theirs);
}

static void pop(struct monitor *m)
{
	struct message *first = m->first;

	m->first = first->next;
	if (!m->first)
		m->end = &m->first;
	m->count--;
	free(first);
	if (!m->first && !m->overflow)
		node_set_readable(m->node, false);
}

void netlink_closed(struct private_bus *bus, struct node *n)
{
	for (struct monitor **at = &bus->monitors; *at; at = &(*at)->next) {
		struct monitor *m = *at;

		if (m->node != n)
			continue;
		*at = m->next;
		while (m->first) {
			struct message *next = m->first->next;

			free(m->first);
			m->first = next;
		}
		free(m);
		break;
	}
	node_free(bus, n);
}

void netlink_free_all(struct private_bus *bus)
{
	while (bus->monitors)
		netlink_closed(bus, bus->monitors->node);
}

/* What a receiving call wants, whichever it is. */
struct receive {
	uint64_t buffer[16], size[16]; /* scatter list */
	size_t count;
	uint64_t name, name_size, control, control_size;
	int flags;
	uint64_t header;         /* msghdr to write lengths and flags back to; 0: none */
	uint64_t name_size_back; /* socklen_t to write the address length back to; 0: none */
};

static int wanted(const struct call_info *c, struct receive *r)
{
	struct msghdr h;
	struct iovec iov[16];
	socklen_t length;
	int err;

	memset(r, 0, sizeof(*r));
	if (c->call != CALL_RECVMSG) {
		r->buffer[0] = c->args[1];
		r->size[0] = c->args[2];
		r->count = 1;
		if (c->call == CALL_READ)
			return 0;
		r->flags = (int)c->args[3];
		r->name = c->args[4];
		r->name_size_back = r->name ? c->args[5] : 0;
		if (r->name_size_back) {
			err = remote_read(c->tid, r->name_size_back, &length, sizeof(length));
			if (err)
				return err;
			r->name_size = length;
		}
		return 0;
	}
	r->header = c->args[1];
	r->flags = (int)c->args[2];
	err = remote_read(c->tid, r->header, &h, sizeof(h));
	if (err)
		return err;
	if (h.msg_iovlen > 16)
		return -EMSGSIZE;
	err = remote_read(c->tid, (uintptr_t)h.msg_iov, iov, h.msg_iovlen * sizeof(*iov));
	if (err)
		return err;
	r->count = h.msg_iovlen;
	for (size_t i = 0; i < r->count; i++) {
		r->buffer[i] = (uintptr_t)iov[i].iov_base;
		r->size[i] = iov[i].iov_len;
	}
	r->name = (uintptr_t)h.msg_name;
	r->name_size = h.msg_namelen;
	r->control = (uintptr_t)h.msg_control;
	r->control_size = h.msg_controllen;
	return 0;
}

/* The sender is the kernel (pid 0, group 1) or udevd (some pid, group 2); both are root: libudev drops anything else. */
static int write_name(const struct call_info *c, const struct receive *r, uint32_t group)
{
	struct sockaddr_nl from = { .nl_family = AF_NETLINK,
				    .nl_pid = group == UEVENT_GROUP_UDEV ? 1 : 0,
				    .nl_groups = group };
	socklen_t length = sizeof(from);
	int err = 0;

	if (r->name && r->name_size)
		err = remote_write(c->tid, r->name, &from, r->name_size < sizeof(from) ? r->name_size : sizeof(from));
	if (!err && r->name_size_back)
		err = remote_write(c->tid, r->name_size_back, &length, sizeof(length));
	return err;
}

static int write_header(const struct call_info *c, const struct receive *r, bool truncated)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct ucred root = { .pid = 1, .uid = 0, .gid = 0 };
	struct msghdr h;
	int err;

	err = remote_read(c->tid, r->header, &h, sizeof(h));
	if (err)
		return err;
	h.msg_flags = truncated ? MSG_TRUNC : 0;
	h.msg_namelen = r->name ? sizeof(struct sockaddr_nl) : 0;
	if (r->control && r->control_size >= CMSG_LEN(sizeof(root))) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_CREDENTIALS;
		control.header.cmsg_len = CMSG_LEN(sizeof(root));
		memcpy(CMSG_DATA(&control.header), &root, sizeof(root));
		h.msg_controllen = r->control_size < sizeof(control) ? r->control_size : sizeof(control);
		err = remote_write(c->tid, r->control, &control, h.msg_controllen);
	} else {
		h.msg_controllen = 0;
	}
	return err ? err : remote_write(c->tid, r->header, &h, sizeof(h));
}

static int64_t deliver(struct monitor *m, const struct call_info *c, const struct receive *r)
{
	const struct message *message = m->first;
	size_t done = 0, full = message->length;
	int err;

	for (size_t i = 0; i < r->count && done < full; i++) {
		size_t n = full - done < r->size[i] ? full - done : (size_t)r->size[i];

		err = remote_write(c->tid, r->buffer[i], message->bytes + done, n);
		if (err)
			return err;
		done += n;
	}
	err = write_name(c, r, message->group);
	if (!err && r->header)
		err = write_header(c, r, done < full);
	if (err)
		return err;
	if (!(r->flags & MSG_PEEK))
		pop(m);
	return (int64_t)(r->flags & MSG_TRUNC ? full : done);
}

static void answer_receive(struct private_bus *bus, struct monitor *m, const struct call_info *c,
			   const struct receive *r)
{
	int64_t n = deliver(m, c, r);

	if (n < 0)
		answer_error(bus, c->id, (int)n);
	else
		answer_value(bus, c->id, n);
}

static void receive(struct private_bus *bus, struct monitor *m, const struct call_info *c)
{
	struct receive r;
	int err = wanted(c, &r), flags;

	if (err) {
		answer_error(bus, c->id, err);
		return;
	}
	if (m->overflow) {
		m->overflow = false;
		if (!m->first)
			node_set_readable(m->node, false);
		answer_error(bus, c->id, -ENOBUFS);
		return;
	}
	if (m->first) {
		answer_receive(bus, m, c, &r);
		return;
	}
	flags = remote_fd_flags(c->tid, (int)c->args[0]);
	if ((r.flags & MSG_DONTWAIT) || (flags >= 0 && (flags & O_NONBLOCK)))
		answer_error(bus, c->id, -EAGAIN);
	else if (held_add(bus, HELD_RECEIVE, c, m->node))
		answer_error(bus, c->id, -ENOMEM);
}

static void serve_held(struct private_bus *bus, struct monitor *m)
{
	struct held *h;
	struct receive r;

	while (m->first && (h = held_take(bus, HELD_RECEIVE, m->node))) {
		if (wanted(&h->call, &r) == 0)
			answer_receive(bus, m, &h->call, &r);
		else
			answer_error(bus, h->call.id, -EFAULT);
		free(h);
	}
}

static int set_option(struct monitor *m, const struct call_info *c)
{
	uint32_t group;
	int err;

	if ((int)c->args[1] != SOL_NETLINK)
		return 0; /* buffer sizes, credentials, a filter that only saves wake-ups: fine as it is */
	if ((int)c->args[2] != NETLINK_ADD_MEMBERSHIP && (int)c->args[2] != NETLINK_DROP_MEMBERSHIP)
		return 0;
	if ((int)c->args[4] < (int)sizeof(group))
		return -EINVAL;
	err = remote_read(c->tid, c->args[3], &group, sizeof(group));
	if (err)
		return err;
	if (group == 0 || group > 32)
		return -EINVAL;
	if ((int)c->args[2] == NETLINK_ADD_MEMBERSHIP)
		m->groups |= UINT32_C(1) << (group - 1);
	else
		m->groups &= ~(UINT32_C(1) << (group - 1));
	return 0;
}

static int get_option(const struct monitor *m, const struct call_info *c)
{
	socklen_t length;
	int value, err;

	if ((int)c->args[1] != SOL_SOCKET)
		return -ENOPROTOOPT;
	switch ((int)c->args[2]) {
	case SO_TYPE:
		value = m->type;
		break;
	case SO_DOMAIN:
		value = AF_NETLINK;
		break;
	case SO_PROTOCOL:
		value = NETLINK_KOBJECT_UEVENT;
		break;
	case SO_RCVBUF:
	case SO_SNDBUF:
		value = 212992;
		break;
	case SO_ERROR:
	case SO_ACCEPTCONN:
	case SO_PASSCRED:
		value = 0;
		break;
	default:
		return -ENOPROTOOPT;
	}
	err = remote_read(c->tid, c->args[4], &length, sizeof(length));
	if (err)
		return err;
	if (length > sizeof(value))
		length = sizeof(value);
	err = remote_write(c->tid, c->args[3], &value, length);
	return err ? err : remote_write(c->tid, c->args[4], &length, sizeof(length));
}

static int bind_socket(struct monitor *m, const struct call_info *c)
{
	struct sockaddr_nl to;
	int err;

	if (c->args[2] < sizeof(to))
		return -EINVAL;
	err = remote_read(c->tid, c->args[1], &to, sizeof(to));
	if (err)
		return err;
	if (to.nl_family != AF_NETLINK)
		return -EINVAL;
	m->groups = to.nl_groups;
	return 0;
}

static int socket_name(const struct monitor *m, const struct call_info *c)
{
	struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_pid = (uint32_t)m->owner, .nl_groups = m->groups };
	socklen_t length;
	int err = remote_read(c->tid, c->args[2], &length, sizeof(length));

	if (err)
		return err;
	err = remote_write(c->tid, c->args[1], &name, length < sizeof(name) ? length : sizeof(name));
	length = sizeof(name);
	return err ? err : remote_write(c->tid, c->args[2], &length, sizeof(length));
}

static int stat_socket(const struct call_info *c)
{
	struct stat st = { .st_mode = S_IFSOCK | 0777, .st_nlink = 1, .st_blksize = 4096 };

	return remote_write(c->tid, c->args[1], &st, sizeof(st));
}

void netlink_call(struct private_bus *bus, const struct call_info *c, struct node *n)
{
	struct monitor *m = monitor_of(bus, n);

	switch (c->call) {
	case CALL_READ:
	case CALL_RECVFROM:
	case CALL_RECVMSG:
		receive(bus, m, c);
		return;
	case CALL_BIND:
		answer_error(bus, c->id, bind_socket(m, c));
		return;
	case CALL_SETSOCKOPT:
		answer_error(bus, c->id, set_option(m, c));
		return;
	case CALL_GETSOCKOPT:
		answer_error(bus, c->id, get_option(m, c));
		return;
	case CALL_GETSOCKNAME:
		answer_error(bus, c->id, socket_name(m, c));
		return;
	case CALL_FSTAT:
		answer_error(bus, c->id, stat_socket(c));
		return;
	case CALL_LSEEK:
	case CALL_PREAD64:
		answer_error(bus, c->id, -ESPIPE);
		return;
	case CALL_IOCTL:
		answer_error(bus, c->id, -ENOTTY);
		return;
	default:
		answer_error(bus, c->id, -EPERM);
		return;
	}
}

static void broadcast(struct private_bus *bus, uint32_t group, const uint8_t *bytes, size_t length)
{
	for (struct monitor *m = bus->monitors; m; m = m->next) {
		struct message *message;

		if (!(m->groups & group))
			continue;
		message = m->count < QUEUE_MAX ? malloc(sizeof(*message) + length) : NULL;
		if (!message) {
			m->overflow = true;
			continue;
		}
		message->next = NULL;
		message->group = group;
		message->length = length;
		memcpy(message->bytes, bytes, length);
		*m->end = message;
		m->end = &message->next;
		if (m->count++ == 0)
			node_set_readable(m->node, true);
		serve_held(bus, m);
	}
}

void netlink_announce_one(struct private_bus *bus, const struct uevent_device *d, enum uevent_action action)
{
	uint8_t bytes[UEVENT_MAX_BYTES];
	uint64_t number = ++bus->uevent_number;
	int n = uevent_kernel(d, action, number, bytes, sizeof(bytes));

	if (n > 0)
		broadcast(bus, UEVENT_GROUP_KERNEL, bytes, (size_t)n);
	n = uevent_udev(d, action, number, bytes, sizeof(bytes));
	if (n > 0)
		broadcast(bus, UEVENT_GROUP_UDEV, bytes, (size_t)n);
}

static void announce_interfaces(struct port *p, enum uevent_action action)
{
	struct uevent_device d;
	int interface;

	for (unsigned i = 0; (interface = tree_interface(p->bus->tree, p->address, i)) >= 0; i++) {
		if (tree_event(p->bus->tree, p->address, interface, &d) == 0)
			netlink_announce_one(p->bus, &d, action);
	}
}

void netlink_announce(struct port *p, enum uevent_action action)
{
	struct uevent_device d;

	/* Interfaces come after their device and go before it. */
	if (action == UEVENT_REMOVE)
		announce_interfaces(p, action);
	if (tree_event(p->bus->tree, p->address, -1, &d) == 0)
		netlink_announce_one(p->bus, &d, action);
	if (action != UEVENT_REMOVE)
		announce_interfaces(p, action);
}
