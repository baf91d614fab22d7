/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usbfs: device nodes, what read() gives of them, and the ioctls that are not transfers (linux/usbdevice_fs.h). */
#include "usbfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "remote.h"
#include "terminals.h"

#define DRIVER_NAME "usbfs"
#define LONG_BITS 64u /* usbfs keeps what a handle has claimed in an unsigned long */
#define REQUEST_CLEAR_FEATURE 1u
#define REQUEST_SET_CONFIGURATION 9u
#define REQUEST_SET_INTERFACE 11u

const struct usb_configuration *usbfs_configuration(const struct port *p)
{
	return p->description ? usb_description_configuration(p->description, p->configuration) : NULL;
}

int usbfs_endpoint_interface(const struct port *p, unsigned endpoint, unsigned *transfer_type)
{
	const struct usb_configuration *c = usbfs_configuration(p);
	size_t at = 0, end, inner;
	const uint8_t *i, *e;

	while (c && (i = usb_configuration_next(c, &at, USB_DT_INTERFACE, 9))) {
		if (i[2] >= MAX_INTERFACES || p->alt[i[2]] != i[3])
			continue;
		if (!usb_configuration_interface(c, i[2], i[3], &inner, &end))
			continue;
		while ((e = usb_configuration_next(c, &inner, USB_DT_ENDPOINT, 7)) && inner <= end) {
			if (e[2] == endpoint) {
				*transfer_type = e[3] & 3u;
				return i[2];
			}
		}
	}
	return -ENOENT;
}

static bool has_interface(const struct port *p, unsigned interface)
{
	const struct usb_configuration *c = usbfs_configuration(p);

	return c && interface < MAX_INTERFACES && usb_configuration_interface(c, (uint8_t)interface, 0, NULL, NULL);
}

/* What an interface is bound to: usbfs is a driver like others, and a root hub has its own. NULL: nothing. */
static const char *driver_of(const struct port *p, unsigned interface)
{
	if (p->number == 0)
		return "hub";
	if (p->bound[interface])
		return "cdc_acm";
	return p->claims[interface] ? DRIVER_NAME : NULL;
}

int usbfs_claim(struct handle *h, unsigned interface)
{
	struct port *p = h->port;

	if (interface >= LONG_BITS)
		return -EINVAL;
	if (interface >= MAX_INTERFACES)
		return -ENOENT;
	if (p->claims[interface] == h)
		return 0;
	if (h->privileges_dropped && !(h->may_claim & UINT32_C(1) << interface))
		return -EACCES;
	if (!has_interface(p, interface))
		return -ENOENT;
	if (driver_of(p, interface))
		return -EBUSY;
	p->claims[interface] = h;
	tree_set_driver(p->bus->tree, p->address, (uint8_t)interface, DRIVER_NAME);
	return 0;
}

int usbfs_check_interface(struct handle *h, unsigned interface)
{
	if (!h->port->configuration)
		return -EHOSTUNREACH;
	return usbfs_claim(h, interface);
}

static void alt_set(struct transfer *t)
{
	const struct call_info call = t->call;

	t->call.id = 0; /* answered when the name of the setting is there */
	usbfs_alt_set(t->port, t->handle, call.id ? &call : NULL, (uint8_t)t->urb.setup.index,
		      (uint8_t)t->urb.setup.value);
}

/* The driver core puts an interface back to its first setting when its driver lets go (usb_unbind_interface). */
static void release(struct port *p, unsigned interface)
{
	p->claims[interface] = NULL;
	tree_set_driver(p->bus->tree, p->address, (uint8_t)interface, NULL);
	if (p->alt[interface] == 0 || !p->dev)
		return;
	p->alt[interface] = 0;
	usbfs_simple_control(
		p, NULL, NULL,
		(struct usb_setup){ .type = 0x01, .request = REQUEST_SET_INTERFACE, .index = (uint16_t)interface },
		alt_set);
}

void usbfs_open(struct private_bus *bus, const struct call_info *c, unsigned address, int flags)
{
	struct port *p = bus_port_of_address(bus, address);
	int theirs = -1, error = -ENOMEM;
	struct handle *h;

	if (!p || p->denied) {
		answer_error(bus, c->id, p ? -EACCES : -ENODEV);
		return;
	}
	h = calloc(1, sizeof(*h));
	if (h)
		h->node = node_new(bus, NODE_USBFS, c->tid, flags, &theirs, &error);
	if (!h || !h->node) {
		free(h);
		answer_error(bus, c->id, error);
		return;
	}
	h->bus = bus;
	h->port = p;
	h->writable = (flags & ACCESS_MODE) != O_RDONLY;
	h->completed_end = &h->completed;
	h->next = bus->handles;
	bus->handles = h;
	answer_fd(bus, c->id, theirs, h->node->number, (flags & O_CLOEXEC) != 0);
	close(theirs);
}

static struct handle *handle_of(struct private_bus *bus, const struct node *n)
{
	struct handle *h = bus->handles;

	while (h && h->node != n)
		h = h->next;
	return h;
}

/* Take back every pending transfer of a handle, or only those that match an endpoint's interface. */
static void cancel_all(struct handle *h)
{
	struct transfer *t;

again:
	for (t = h->port ? h->port->transfers : NULL; t; t = t->next) {
		if (t->handle == h) {
			transfer_cancel(t, -ENOENT);
			goto again; /* the list has changed */
		}
	}
}

static void cancel_interface(struct handle *h, unsigned interface)
{
	unsigned type;
	struct transfer *t;

again:
	for (t = h->port->transfers; t; t = t->next) {
		if (t->handle == h && t->urb.endpoint &&
		    usbfs_endpoint_interface(h->port, t->urb.endpoint, &type) == (int)interface) {
			transfer_cancel(t, -ENOENT);
			goto again;
		}
	}
}

void usbfs_closed(struct private_bus *bus, struct node *n)
{
	struct handle *h = handle_of(bus, n), **at;

	if (!h)
		return;
	h->node = NULL;
	cancel_all(h);
	for (unsigned i = 0; h->port && i < MAX_INTERFACES; i++) {
		if (h->port->claims[i] == h)
			release(h->port, i);
	}
	usbfs_drop_completed(h);
	for (at = &bus->handles; *at != h; at = &(*at)->next)
		continue;
	*at = h->next;
	free(h);
	node_free(bus, n);
}

void usbfs_free_all(struct private_bus *bus)
{
	while (bus->handles)
		usbfs_closed(bus, bus->handles->node);
}

void usbfs_port_gone(struct port *p)
{
	for (struct handle *h = p->bus->handles; h; h = h->next) {
		if (h->port != p)
			continue;
		h->port = NULL;
		held_drop_node(p->bus, h->node, -ENODEV);
		/* POLLERR, as usbfs has it, and at once: whoever waits must not see POLLOUT alone in between. */
		h->ready = true;
		node_hang_up(p->bus, h->node);
		if (h->disconnect_signal) {
			siginfo_t info = { .si_signo = (int)h->disconnect_signal,
					   .si_errno = EPIPE,
					   .si_code = SI_ASYNCIO };

			info.si_addr = (void *)(uintptr_t)h->disconnect_context;
			syscall(SYS_rt_sigqueueinfo, h->disconnect_pid, info.si_signo, &info);
		}
	}
	memset(p->claims, 0, sizeof(p->claims));
}

/* The device descriptor, then the configurations, as the node gives them (with multi-byte fields little-endian). */
static void read_node(struct handle *h, const struct call_info *c, uint64_t *position)
{
	const struct usb_description *d = h->port ? h->port->description : NULL;
	uint64_t offset = 0, from = *position, want = c->args[2], done = 0;

	if (!d) {
		answer_error(h->bus, c->id, -ENODEV);
		return;
	}
	for (size_t i = 0; i <= d->configuration_count && done < want; i++) {
		const uint8_t *bytes = i ? d->configurations[i - 1].bytes : d->device;
		size_t length = i ? d->configurations[i - 1].length : sizeof(d->device);

		if (from + done >= offset && from + done < offset + length) {
			size_t skip = (size_t)(from + done - offset), n = length - skip;

			if (n > want - done)
				n = (size_t)(want - done);
			if (remote_write(c->tid, c->args[1] + done, bytes + skip, n)) {
				answer_error(h->bus, c->id, -EFAULT);
				return;
			}
			done += n;
		}
		offset += length;
	}
	*position += done;
	answer_value(h->bus, c->id, (int64_t)done);
}

static void seek_node(struct handle *h, const struct call_info *c)
{
	int64_t to = (int64_t)c->args[1];

	switch ((int)c->args[2]) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		to = to <= INT64_MAX - (int64_t)h->position ? to + (int64_t)h->position : -1;
		break;
	default:
		to = -1;
	}
	if (to < 0) {
		answer_error(h->bus, c->id, -EINVAL);
		return;
	}
	h->position = (uint64_t)to;
	answer_value(h->bus, c->id, to);
}

static void stat_node(struct handle *h, const struct call_info *c)
{
	struct stat st = { .st_mode = S_IFCHR | 0666, .st_nlink = 1, .st_blksize = 4096 };

	st.st_rdev = makedev(USB_DEVICE_MAJOR, h->port ? h->port->address - 1u : 0);
	answer_error(h->bus, c->id, remote_write(c->tid, c->args[1], &st, sizeof(st)));
}

static int write_struct(const struct call_info *c, const void *data, size_t size)
{
	return remote_write(c->tid, c->args[2], data, size);
}

static int read_u32(const struct call_info *c, uint32_t *value)
{
	return remote_read(c->tid, c->args[2], value, sizeof(*value));
}

static int get_driver(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_getdriver gd;
	int err = remote_read(c->tid, c->args[2], &gd, sizeof(gd));

	if (err)
		return err;
	if (!has_interface(h->port, gd.interface) || !driver_of(h->port, gd.interface))
		return -ENODATA;
	memset(gd.driver, 0, sizeof(gd.driver));
	strcpy(gd.driver, driver_of(h->port, gd.interface));
	return write_struct(c, &gd, sizeof(gd));
}

static int connect_info(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_connectinfo ci = { .devnum = h->port->address,
					   .slow = h->port->description->speed == USB_SPEED_IS_LOW };

	return write_struct(c, &ci, sizeof(ci));
}

static int connect_info_ex(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_conninfo_ex ci = { .busnum = 1, .devnum = h->port->address, .num_ports = 1 };
	uint32_t size = (uint32_t)(c->args[1] >> 16) & 0x3FFF;

	ci.size = sizeof(ci);
	ci.speed = h->port->description->speed;
	ci.ports[0] = (uint8_t)h->port->number;
	return write_struct(c, &ci, size < sizeof(ci) ? size : sizeof(ci));
}

/* Whoever has an interface lets go of it: URBs come back, a terminal hangs up. The root hub's driver stays. */
static int unbind(struct port *p, unsigned interface)
{
	if (p->bound[interface])
		return terminals_detach(p, interface);
	if (!p->claims[interface])
		return p->number == 0 ? -EPERM : -ENODATA;
	cancel_interface(p->claims[interface], interface);
	release(p, interface);
	return 0;
}

static int release_interface(struct handle *h, const struct call_info *c)
{
	uint32_t interface;
	int err = read_u32(c, &interface);

	if (err)
		return err;
	if (interface < LONG_BITS && !has_interface(h->port, interface))
		return -ENOENT;
	if (interface >= LONG_BITS || h->port->claims[interface] != h)
		return -EINVAL;
	unbind(h->port, interface);
	return 0;
}

static int claim_interface(struct handle *h, const struct call_info *c)
{
	uint32_t interface;
	int err = read_u32(c, &interface);

	return err ? err : usbfs_claim(h, interface);
}

static int disconnect_claim(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_disconnect_claim dc;
	const char *driver;
	int err = remote_read(c->tid, c->args[2], &dc, sizeof(dc));

	if (err)
		return err;
	if (h->privileges_dropped)
		return -EACCES;
	if (!has_interface(h->port, dc.interface))
		return -EINVAL;
	driver = driver_of(h->port, dc.interface);
	if (driver) {
		bool same = strncmp(dc.driver, driver, sizeof(dc.driver)) == 0;

		if ((dc.flags & USBDEVFS_DISCONNECT_CLAIM_IF_DRIVER) && !same)
			return -EBUSY;
		if ((dc.flags & USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER) && same)
			return -EBUSY;
		unbind(h->port, dc.interface);
	}
	return usbfs_claim(h, dc.interface);
}

/* 1 if a driver has taken it, as device_attach() has it. */
static int connect_driver(struct port *p, unsigned interface)
{
	if (driver_of(p, interface))
		return -EBUSY;
	terminals_attach(p, interface);
	return driver_of(p, interface) != NULL;
}

static int driver_ioctl(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_ioctl i;
	int err = remote_read(c->tid, c->args[2], &i, sizeof(i));

	if (err)
		return err;
	if (h->privileges_dropped)
		return -EACCES;
	if (i.ifno < 0 || !has_interface(h->port, (unsigned)i.ifno))
		return -EINVAL;
	switch ((unsigned)i.ioctl_code) {
	case USBDEVFS_DISCONNECT:
		return unbind(h->port, (unsigned)i.ifno);
	case USBDEVFS_CONNECT:
		return connect_driver(h->port, (unsigned)i.ifno);
	default:
		return -ENOTTY;
	}
}

static bool claimed_by_others(const struct handle *h)
{
	for (unsigned i = 0; i < MAX_INTERFACES; i++) {
		if (h->port->claims[i] && h->port->claims[i] != h)
			return true;
	}
	return false;
}

static int drop_privileges(struct handle *h, const struct call_info *c)
{
	uint32_t mask;
	int err = read_u32(c, &mask);

	if (err)
		return err;
	h->may_claim = h->privileges_dropped ? h->may_claim & mask : mask;
	h->privileges_dropped = true;
	return 0;
}

static int disconnect_signal(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_disconnectsignal ds;
	int err = remote_read(c->tid, c->args[2], &ds, sizeof(ds));

	if (err)
		return err;
	h->disconnect_signal = ds.signr;
	h->disconnect_context = (uintptr_t)ds.context;
	h->disconnect_pid = c->tid;
	return 0;
}

static void set_interface(struct handle *h, const struct call_info *c)
{
	struct usbdevfs_setinterface si;
	int err = remote_read(c->tid, c->args[2], &si, sizeof(si));
	const struct usb_configuration *config = usbfs_configuration(h->port);

	if (!err)
		err = usbfs_check_interface(h, si.interface);
	if (!err && (si.altsetting > 255 ||
		     !usb_configuration_interface(config, (uint8_t)si.interface, (uint8_t)si.altsetting, NULL, NULL)))
		err = -EINVAL;
	if (err) {
		answer_error(h->bus, c->id, err);
		return;
	}
	cancel_interface(h, si.interface);
	usbfs_simple_control(h->port, h, c,
			     (struct usb_setup){ .type = 0x01,
						 .request = REQUEST_SET_INTERFACE,
						 .value = (uint16_t)si.altsetting,
						 .index = (uint16_t)si.interface },
			     alt_set);
}

static void configuration_set(struct transfer *t)
{
	struct port *p = t->port;
	uint8_t value = (uint8_t)t->urb.setup.value;

	memset(p->alt, 0, sizeof(p->alt));
	if (p->configuration == value)
		return;
	p->configuration = value;
	tree_set_configuration(p->bus->tree, p->address, p->configuration);
	terminals_bind(p);
}

void usbfs_restore(struct port *p)
{
	uint8_t first = p->description->configuration;

	if (p->configuration != first)
		usbfs_simple_control(
			p, NULL, NULL,
			(struct usb_setup){ .request = REQUEST_SET_CONFIGURATION, .value = p->configuration }, NULL);
	for (unsigned i = 0; i < MAX_INTERFACES; i++) {
		if (p->alt[i])
			usbfs_simple_control(p, NULL, NULL,
					     (struct usb_setup){ .type = 0x01,
								 .request = REQUEST_SET_INTERFACE,
								 .value = p->alt[i],
								 .index = (uint16_t)i },
					     NULL);
	}
}

static void set_configuration(struct handle *h, const struct call_info *c)
{
	struct port *p = h->port;
	uint32_t value;
	int err = read_u32(c, &value);

	/* Nobody may have an interface, not even the caller (devio.c, proc_setconfig). */
	for (unsigned i = 0; !err && i < MAX_INTERFACES; i++) {
		if (driver_of(p, i))
			err = -EBUSY;
	}
	if (!err && (int32_t)value == -1)
		value = 0;
	if (!err && (value > 255 || (value && !usb_description_configuration(p->description, (uint8_t)value))))
		err = -EINVAL;
	if (err) {
		answer_error(h->bus, c->id, err);
		return;
	}
	usbfs_simple_control(p, h, c,
			     (struct usb_setup){ .request = REQUEST_SET_CONFIGURATION, .value = (uint16_t)value },
			     configuration_set);
}

static void clear_halt(struct handle *h, const struct call_info *c, bool on_the_wire)
{
	unsigned type;
	uint32_t endpoint;
	int err = read_u32(c, &endpoint), interface = -ENOENT;

	if (!err) {
		interface = usbfs_endpoint_interface(h->port, endpoint, &type);
		err = interface < 0 ? interface : usbfs_check_interface(h, (unsigned)interface);
	}
	if (err || !on_the_wire)
		answer_error(h->bus, c->id, err);
	else
		usbfs_simple_control(h->port, h, c,
				     (struct usb_setup){ .type = 0x02,
							 .request = REQUEST_CLEAR_FEATURE,
							 .index = (uint16_t)endpoint },
				     NULL);
}

static void plain(struct handle *h, const struct call_info *c)
{
	uint32_t capabilities = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_BULK_CONTINUATION |
				USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT |
				USBDEVFS_CAP_DROP_PRIVILEGES | USBDEVFS_CAP_CONNINFO_EX;
	uint32_t request = (uint32_t)c->args[1];
	int result;

	switch (request) {
	case USBDEVFS_GETDRIVER:
		result = get_driver(h, c);
		break;
	case USBDEVFS_CONNECTINFO:
		result = connect_info(h, c);
		break;
	case USBDEVFS_GET_CAPABILITIES:
		result = write_struct(c, &capabilities, sizeof(capabilities));
		break;
	case USBDEVFS_GET_SPEED:
		answer_value(h->bus, c->id, h->port->description->speed);
		return;
	case USBDEVFS_CLAIMINTERFACE:
		result = claim_interface(h, c);
		break;
	case USBDEVFS_RELEASEINTERFACE:
		result = release_interface(h, c);
		break;
	case USBDEVFS_DISCONNECT_CLAIM:
		result = disconnect_claim(h, c);
		break;
	case USBDEVFS_IOCTL:
		result = driver_ioctl(h, c);
		break;
	case USBDEVFS_DROP_PRIVILEGES:
		result = drop_privileges(h, c);
		break;
	case USBDEVFS_DISCSIGNAL:
		result = disconnect_signal(h, c);
		break;
	case USBDEVFS_FORBID_SUSPEND:
	case USBDEVFS_ALLOW_SUSPEND:
		result = 0;
		break;
	default:
		result = -ENOTTY;
		if ((request & ~(0x3FFFu << 16)) == (USBDEVFS_CONNINFO_EX(0) & ~(0x3FFFu << 16)))
			result = connect_info_ex(h, c);
		break;
	}
	if (result > 0)
		answer_value(h->bus, c->id, result);
	else
		answer_error(h->bus, c->id, result);
}

static void device_ioctl(struct handle *h, const struct call_info *c)
{
	switch ((uint32_t)c->args[1]) {
	case USBDEVFS_REAPURB:
		usbfs_reap(h, c, true);
		return;
	case USBDEVFS_REAPURBNDELAY:
		usbfs_reap(h, c, false);
		return;
	default:
		break;
	}
	if (!h->port) {
		answer_error(h->bus, c->id, -ENODEV);
		return;
	}
	switch ((uint32_t)c->args[1]) {
	case USBDEVFS_SUBMITURB:
		usbfs_submit(h, c);
		return;
	case USBDEVFS_DISCARDURB:
		usbfs_discard(h, c);
		return;
	case USBDEVFS_CONTROL:
		usbfs_control(h, c);
		return;
	case USBDEVFS_BULK:
		usbfs_bulk(h, c);
		return;
	case USBDEVFS_SETINTERFACE:
		set_interface(h, c);
		return;
	case USBDEVFS_SETCONFIGURATION:
		set_configuration(h, c);
		return;
	case USBDEVFS_CLEAR_HALT:
		clear_halt(h, c, true);
		return;
	case USBDEVFS_RESETEP:
		clear_halt(h, c, false);
		return;
	case USBDEVFS_RESET:
		if (h->privileges_dropped && claimed_by_others(h))
			answer_error(h->bus, c->id, -EACCES);
		else
			bus_reset_port(h->port, c);
		return;
	default:
		plain(h, c);
		return;
	}
}

void usbfs_call(struct private_bus *bus, const struct call_info *c, struct node *n)
{
	struct handle *h = handle_of(bus, n);
	uint64_t position;

	switch (c->call) {
	case CALL_READ:
		read_node(h, c, &h->position);
		return;
	case CALL_PREAD64:
		position = c->args[3];
		if ((int64_t)position < 0) {
			answer_error(bus, c->id, -EINVAL);
			return;
		}
		read_node(h, c, &position);
		return;
	case CALL_LSEEK:
		seek_node(h, c);
		return;
	case CALL_FSTAT:
		stat_node(h, c);
		return;
	case CALL_WRITE:
		answer_error(bus, c->id, -EINVAL);
		return;
	case CALL_IOCTL:
		/* A handle opened for reading only may ask, not act (devio.c, usbdev_do_ioctl). */
		if (!h->writable)
			answer_error(bus, c->id, -EPERM);
		else
			device_ioctl(h, c);
		return;
	default:
		answer_error(bus, c->id, -ENOTSOCK);
		return;
	}
}
