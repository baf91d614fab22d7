/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces cdc-acm takes, the numbers of its terminals, and what there is to be seen of them. */
#include "terminals_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DRIVER_NAME "cdc_acm"
#define CLASS_COMMUNICATION 2u
#define SUBCLASS_ACM 2u
#define PROTOCOL_LAST 6u /* of the AT command sets that the driver knows */
#define CLASS_DATA 10u
#define DT_CS_INTERFACE 0x24u
#define CS_CALL_MANAGEMENT 1u
#define CS_ACM 2u
#define CS_UNION 6u
#define ENDPOINT_TYPE 3u
#define ENDPOINT_BULK 2u
#define ENDPOINT_INTERRUPT 3u

/* One that a tool has open still, though it has gone: its number is not free before. */
struct ghost {
	struct ghost *next;
	unsigned minor;
	uint64_t device, inode;
};

struct terminal *terminals_of_minor(const struct private_bus *bus, unsigned minor)
{
	struct terminal *t = bus->terminals;

	while (t && t->minor != minor)
		t = t->next;
	return t;
}

unsigned terminal_minor(const struct terminal *t)
{
	return t->minor;
}

bool terminal_is_denied(const struct terminal *t)
{
	return t->port->denied;
}

struct terminal *terminals_of_fd(const struct private_bus *bus, pid_t tid, int fd)
{
	struct terminal *t = bus->terminals;
	char path[64];
	struct stat st;

	while (t && t->master < 0)
		t = t->next;
	if (!t)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)tid, fd);
	/* Without a link it is that of one that has hung up, whose number the next one may have. */
	if (stat(path, &st) || !S_ISCHR(st.st_mode) || !st.st_nlink)
		return NULL;
	while (t && (t->master < 0 || t->slave_device != st.st_dev || t->slave_inode != st.st_ino))
		t = t->next;
	return t;
}

/* --- numbers --- */

static bool process_has(const char *pid, const struct ghost *g)
{
	char path[300];
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (entry = readdir(fds))) {
		snprintf(path, sizeof(path), "/proc/%.20s/fd/%.20s", pid, entry->d_name);
		found = stat(path, &st) == 0 && S_ISCHR(st.st_mode) && !st.st_nlink && st.st_dev == g->device &&
			st.st_ino == g->inode;
	}
	if (fds)
		closedir(fds);
	return found;
}

static bool is_open(const struct ghost *g)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc)))
		found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && process_has(entry->d_name, g);
	if (proc)
		closedir(proc);
	return found;
}

static void bury_ghosts(struct private_bus *bus, bool all)
{
	for (struct ghost **at = &bus->ghosts; *at;) {
		struct ghost *g = *at;

		if (!all && is_open(g)) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		free(g);
	}
}

void terminals_bury(struct private_bus *bus)
{
	while (bus->gone_terminals) {
		struct terminal *next = bus->gone_terminals->next;

		free(bus->gone_terminals);
		bus->gone_terminals = next;
	}
}

void terminals_free(struct private_bus *bus)
{
	terminals_bury(bus);
	bury_ghosts(bus, true);
}

static void add_ghost(const struct terminal *t)
{
	struct ghost *g = calloc(1, sizeof(*g));

	if (!g)
		return; /* its number is free too early */
	*g = (struct ghost){ t->bus->ghosts, t->minor, t->slave_device, t->slave_inode };
	t->bus->ghosts = g;
}

static int free_minor(struct private_bus *bus)
{
	bury_ghosts(bus, !bus->running);
	for (unsigned minor = 0; minor < TREE_TERMINALS; minor++) {
		const struct ghost *g = bus->ghosts;

		while (g && g->minor != minor)
			g = g->next;
		if (!g && !terminals_of_minor(bus, minor))
			return (int)minor;
	}
	return -ENOSPC;
}

/* --- binding --- */

/* The data interface: of the union descriptor, or else of the call management's (CDC 1.2 5.2.3.2, PSTN 1.2 5.3.1). */
static int data_interface(const struct usb_configuration *c, size_t at, size_t end)
{
	int found = -1;
	const uint8_t *d;

	while ((d = usb_configuration_next(c, &at, DT_CS_INTERFACE, 5)) && at <= end) {
		if (d[2] == CS_UNION)
			return d[4];
		if (d[2] == CS_CALL_MANAGEMENT)
			found = d[4];
	}
	return found;
}

static uint8_t capabilities(const struct usb_configuration *c, size_t at, size_t end)
{
	const uint8_t *d;

	while ((d = usb_configuration_next(c, &at, DT_CS_INTERFACE, 4)) && at <= end)
		if (d[2] == CS_ACM)
			return d[3];
	return 0;
}

static uint8_t find_endpoint(const struct usb_configuration *c, size_t at, size_t end, unsigned type, bool in,
			     size_t *packet)
{
	const uint8_t *e;

	while ((e = usb_configuration_next(c, &at, USB_DT_ENDPOINT, 7)) && at <= end) {
		if ((e[3] & ENDPOINT_TYPE) == type && in == !!(e[2] & 0x80)) {
			*packet = ((size_t)e[4] | (size_t)e[5] << 8) & 0x7ff;
			return *packet ? e[2] : 0;
		}
	}
	return 0;
}

static bool is_free(const struct port *p, int interface)
{
	return interface >= 0 && interface < MAX_INTERFACES && !p->claims[interface] && !p->bound[interface];
}

/* Does the driver take it? */
static bool describe_terminal(const struct port *p, const uint8_t *interface, struct terminal *t)
{
	const struct usb_configuration *c = usbfs_configuration(p);
	size_t at, end;
	int data;

	if (interface[5] != CLASS_COMMUNICATION || interface[6] != SUBCLASS_ACM || interface[7] > PROTOCOL_LAST ||
	    interface[3] || !usb_configuration_interface(c, interface[2], 0, &at, &end))
		return false;
	data = data_interface(c, at, end);
	t->control = interface[2];
	t->capabilities = capabilities(c, at, end);
	t->notify = find_endpoint(c, at, end, ENDPOINT_INTERRUPT, true, &t->notify_bytes);
	if (!t->notify || !is_free(p, t->control) || !is_free(p, data) || data == t->control)
		return false;
	t->data = (uint8_t)data;
	interface = usb_configuration_interface(c, t->data, 0, &at, &end);
	if (!interface || interface[5] != CLASS_DATA)
		return false;
	t->in = find_endpoint(c, at, end, ENDPOINT_BULK, true, &t->in_bytes);
	t->out = find_endpoint(c, at, end, ENDPOINT_BULK, false, &t->out_bytes);
	/* What the driver asks for and gives at once. */
	t->in_bytes *= 2;
	t->out_bytes *= 20;
	return t->in && t->out;
}

static void set_drivers(struct terminal *t, bool bound)
{
	struct port *p = t->port;

	p->bound[t->control] = p->bound[t->data] = bound ? t : NULL;
	tree_set_driver(p->bus->tree, p->address, t->control, bound ? DRIVER_NAME : NULL);
	tree_set_driver(p->bus->tree, p->address, t->data, bound ? DRIVER_NAME : NULL);
}

static void announce(const struct terminal *t, enum uevent_action action)
{
	struct uevent_device d;

	if (tree_terminal_event(t->bus->tree, t->minor, &d) == 0)
		netlink_announce_one(t->bus, &d, action);
}

/* As Linux has a terminal at first: 9600 baud, 8 bits, echo, lines. */
static void first_settings(struct terminal *t)
{
	static const uint8_t coding[LINE_CODING_BYTES] = { 0x80, 0x25, 0, 0, 0, 0, 8 };

	memcpy(t->coding, coding, sizeof(coding));
	t->settings = (struct termios2){ .c_iflag = ICRNL | IXON,
					 .c_oflag = OPOST | ONLCR,
					 .c_cflag = B9600 | CS8 | CREAD | HUPCL | CLOCAL,
					 .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
					 .c_ispeed = 9600,
					 .c_ospeed = 9600,
					 /* INIT_C_CC of the kernel */
					 .c_cc = { [VINTR] = 3,
						   [VQUIT] = 28,
						   [VERASE] = 127,
						   [VKILL] = 21,
						   [VEOF] = 4,
						   [VMIN] = 1,
						   [VSTART] = 17,
						   [VSTOP] = 19,
						   [VSUSP] = 26,
						   [VREPRINT] = 18,
						   [VDISCARD] = 15,
						   [VWERASE] = 23,
						   [VLNEXT] = 22 } };
}

static void bind(struct port *p, const uint8_t *interface)
{
	struct terminal *t = calloc(1, sizeof(*t)), **end = &p->bus->terminals;
	int minor, err;

	if (!t)
		return;
	t->bus = p->bus;
	t->port = p;
	t->master = -1;
	minor = describe_terminal(p, interface, t) ? free_minor(p->bus) : -ENODEV;
	if (minor < 0) {
		free(t);
		return;
	}
	t->minor = (unsigned)minor;
	err = tree_add_terminal(p->bus->tree, t->minor, p->address, t->control);
	if (err) {
		bus_warn(p->bus, "the terminal of the device on port %d is not shown: %s", p->number, strerror(-err));
		free(t);
		return;
	}
	first_settings(t);
	while (*end)
		end = &(*end)->next;
	*end = t;
	set_drivers(t, true);
	announce(t, UEVENT_ADD);
	terminal_request(t, NULL, SET_LINE_CODING, 0, t->coding, sizeof(t->coding), terminal_request_done);
}

static void bind_some(struct port *p, int only)
{
	const struct usb_configuration *c = usbfs_configuration(p);
	const uint8_t *i;
	size_t at = 0;

	if (p->bus->options.no_terminals || !p->number)
		return;
	/* A request may be answered at once, and the device leave by it. */
	while (p->description && c && (i = usb_configuration_next(c, &at, USB_DT_INTERFACE, 9)))
		if (is_free(p, i[2]) && (only < 0 || i[2] == only))
			bind(p, i);
}

void terminals_bind(struct port *p)
{
	bind_some(p, -1);
}

void terminals_attach(struct port *p, unsigned interface)
{
	bind_some(p, (int)interface);
}

static void unbind(struct terminal *t)
{
	struct terminal **at = &t->bus->terminals;

	announce(t, UEVENT_REMOVE);
	tree_remove_terminal(t->bus->tree, t->minor);
	set_drivers(t, false);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->master >= 0 && t->bus->running)
		add_ghost(t);
	t->gone = true;
	terminal_hang_up(t);
	/* It may be what a transfer does that made it go. */
	t->next = t->bus->gone_terminals;
	t->bus->gone_terminals = t;
}

void terminals_unbind(struct port *p)
{
	struct terminal *t = p->bus->terminals, *next;

	for (; t; t = next) {
		next = t->next;
		if (t->port == p)
			unbind(t);
	}
}

int terminals_detach(struct port *p, unsigned interface)
{
	struct terminal *t = interface < MAX_INTERFACES ? p->bound[interface] : NULL;

	if (!t)
		return -ENODATA;
	unbind(t); /* both interfaces: neither is any use without the other */
	return 0;
}
