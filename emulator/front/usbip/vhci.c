// SPDX-License-Identifier: GPL-2.0-or-later
/* The boards in this machine's own vhci_hcd: one end of a socket pair is the kernel's, the other a session's. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "export.h"
#include "front.h"
#include "usbip_session.h"
#include "vhci_status.h"

#define ROOM 64u
#define BUSNUM 1u
#define DIRECTORY "/sys/devices/platform/vhci_hcd.0"
#define CONTROLLERS_MOST 128u /* status.1, status.2 ...; each is a page */
#define STATUS_BYTES 4096u
/* A port comes free some time after its socket was closed. By the wall's clock. */
#define RETRY_US 50000u
#define TRIES 20u /* then it is said that there is none; and tried on */
#define DEVICES "/sys/devices/platform/vhci_hcd.*/usb*/[0-9]*-*"
#define WAIT_NS 5000000
#define DETACH_WAITS 600u
#define DYING_WAITS 20u

struct plug {
	struct front *front;
	unsigned number; /* from 1 */
	struct export *export;
	struct attachment *attachment; /* NULL: not in a port */
	unsigned tries;
	struct bench_event retry;
};

/* A device in a port. */
struct attachment {
	struct front *front;
	struct attachment *next, **link;
	struct plug *plug; /* NULL: the device went, the kernel is about to close its end */
	struct usbip_session *session;
	unsigned port;
};

struct front {
	const struct front_env *env;
	struct plug *plugs[ROOM];
	struct attachment *attachments;
	struct usbip_memory memory;
};

static uint64_t wall_us(const struct front *f, uint64_t us)
{
	return loop_bench_us(f->env->loop, us);
}

/* ---- the ports ---- */

/* Calls visit() for each port until it says true, which is returned. */
static bool find_port(bool (*visit)(const void *wanted, const struct vhci_port *), const void *wanted,
		      struct vhci_port *port)
{
	char path[sizeof(DIRECTORY) + 32], text[STATUS_BYTES + 1];
	bool found = false;

	for (unsigned i = 0; i < CONTROLLERS_MOST && !found; i++) {
		const char *at = text;
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), i ? DIRECTORY "/status.%u" : DIRECTORY "/status", i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return false;
		n = read(fd, text, STATUS_BYTES); /* an attribute comes whole */
		close(fd);
		text[n > 0 ? n : 0] = 0;
		while (!found && vhci_next_port(&at, port))
			found = visit(wanted, port);
	}
	return found;
}

static bool is_free(const void *wanted, const struct vhci_port *port)
{
	(void)wanted;
	return port->state == VHCI_FREE && !port->super_speed;
}

static bool is_number(const void *wanted, const struct vhci_port *port)
{
	return port->number == *(const unsigned *)wanted;
}

/* ---- what others have left ---- */

static bool is_used(const void *wanted, const struct vhci_port *port)
{
	(void)wanted;
	return port->state == VHCI_USED;
}

static bool has_busid(const void *wanted, const struct vhci_port *port)
{
	return port->state == VHCI_USED && !strcmp(port->busid, wanted);
}

/* The kernel lists a device though its port is nobody's any more: its drivers are about to let go of it. */
static bool any_lingers(void)
{
	glob_t found = { 0 };
	bool any = false;

	if (!glob(DEVICES, GLOB_NOSORT, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc && !any; i++) {
			const char *name = strrchr(found.gl_pathv[i], '/') + 1;
			struct vhci_port port;

			/* Interfaces have a colon in their names. */
			any = !strchr(name, ':') && !find_port(has_busid, name, &port);
		}
	globfree(&found);
	return any;
}

static void pause_a_little(void)
{
	nanosleep(&(const struct timespec){ .tv_nsec = WAIT_NS }, NULL);
}

/* Whoever looks at the bus next finds nothing of a front that has ended. false: it took too long. */
static bool wait_for_the_past(unsigned waits)
{
	for (; any_lingers(); waits--) {
		if (!waits)
			return false;
		pause_a_little();
	}
	return true;
}

/* A process that was killed has closed its socket; the kernel may not have seen that yet. */
static void wait_for_the_dying(void)
{
	struct vhci_port port;

	for (unsigned i = 0; i < DYING_WAITS && find_port(is_used, NULL, &port) && !any_lingers(); i++)
		pause_a_little();
}

/* 0 or -errno */
static int write_attach(unsigned port, int fd, const struct plug *p)
{
	char line[64];
	int attach = open(DIRECTORY "/attach", O_WRONLY | O_CLOEXEC), length, r = 0;

	if (attach < 0)
		return -errno;
	length = snprintf(line, sizeof(line), "%u %d %u %u", port, fd, BUSNUM << 16 | p->number,
			  (unsigned)export_device(p->export)->speed);
	if (write(attach, line, (size_t)length) != length)
		r = -errno;
	close(attach);
	return r;
}

/* ---- from port to session and back ---- */

static void attachment_free(struct attachment *a)
{
	struct plug *p = a->plug;

	if (p)
		p->attachment = NULL;
	usbip_session_free(a->session);
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	free(a);
	if (p)
		export_reset(p->export);
}

static void session_is_over(void *context, struct usbip_session *session, const char *why)
{
	struct attachment *a = context;
	const struct front_env *env = a->front->env;
	char line[FRONT_WHY];

	(void)session;
	if (why) {
		snprintf(line, sizeof(line), "port %u of vhci_hcd is given up: %s", a->port, why);
		env->warn(env->context, line);
	} else if (a->plug) {
		snprintf(line, sizeof(line),
			 "somebody detached port %u of vhci_hcd: device %u is there again when it is unplugged and "
			 "plugged in",
			 a->port, a->plug->number);
		env->note(env->context, line);
	}
	attachment_free(a);
}

static const struct usbip_session_ops session_ops = { .over = session_is_over };

static int make_session(struct plug *p, unsigned port)
{
	struct attachment *a = calloc(1, sizeof(*a));
	int pair[2], r = -ENOMEM;

	if (!a)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		r = -errno;
		free(a);
		return r;
	}
	r = write_attach(port, pair[1], p);
	close(pair[1]); /* the kernel has taken hold of it */
	if (r) {
		close(pair[0]);
		free(a);
		return r;
	}
	a->front = p->front;
	a->port = port;
	a->session = usbip_session_new(p->front->env, &p->front->memory, p->export, BUSNUM << 16 | p->number, pair[0],
				       &session_ops, a, &r);
	if (!a->session) {
		free(a);
		return r;
	}
	a->next = p->front->attachments;
	a->link = &p->front->attachments;
	if (a->next)
		a->next->link = &a->next;
	p->front->attachments = a;
	a->plug = p;
	p->attachment = a;
	return 0;
}

static void attach(struct plug *p)
{
	const struct front_env *env = p->front->env;
	struct vhci_port port;
	char line[FRONT_WHY];
	int r = -EBUSY;

	if (find_port(is_free, NULL, &port))
		r = make_session(p, port.number);
	if (!r)
		return;
	if (r != -EBUSY) {
		snprintf(line, sizeof(line), "cannot attach device %u to port %u of vhci_hcd: %s", p->number,
			 port.number, strerror(-r));
		env->warn(env->context, line);
		return;
	}
	/* None is free, or somebody was quicker. The one that this device had comes free any moment. */
	if (++p->tries == TRIES) {
		snprintf(line, sizeof(line), "device %u waits for a port: all of vhci_hcd are taken", p->number);
		env->warn(env->context, line);
	}
	bench_after(env->bench, &p->retry, wall_us(p->front, RETRY_US));
}

static void attach_again(struct bench_event *e)
{
	attach(e->context);
}

static void plug_ready(void *context, const struct usb_description *d)
{
	struct plug *p = context;

	(void)d;
	p->tries = 0;
	attach(p);
}

static void plug_gone(void *context)
{
	struct plug *p = context;
	struct attachment *a = p->attachment;

	bench_cancel(p->front->env->bench, &p->retry);
	if (!a)
		return;
	p->attachment = NULL;
	a->plug = NULL;
	usbip_session_gone(a->session);
}

static void plug_complete(void *context, struct usb_urb *urb)
{
	(void)context;
	usbip_session_complete(urb);
}

static const struct export_ops plug_ops = {
	.ready = plug_ready,
	.gone = plug_gone,
	.complete = plug_complete,
};

/* ---- the front ---- */

static struct front *front_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	struct front *f;

	(void)options;
	if (access(DIRECTORY "/attach", W_OK)) {
		if (errno == ENOENT)
			snprintf(why, FRONT_WHY, "vhci_hcd is not loaded: modprobe vhci-hcd");
		else
			snprintf(why, FRONT_WHY, "cannot write '%s': %s%s", DIRECTORY "/attach", strerror(errno),
				 errno == EACCES || errno == EPERM ? " (it is root's)" : "");
		return NULL;
	}
	wait_for_the_dying();
	if (!wait_for_the_past(DETACH_WAITS))
		env->warn(env->context,
			  "the kernel still lists a device in a port of vhci_hcd that nobody serves: it will be there "
			  "beside the board");
	f = calloc(1, sizeof(*f));
	if (f)
		f->env = env;
	else
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
	return f;
}

static int front_plug(struct front *f, struct usbdev *device)
{
	struct plug *p;
	unsigned i = 0;

	while (i < ROOM && f->plugs[i])
		i++;
	if (i == ROOM)
		return -ENOSPC;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->front = f;
	p->number = i + 1;
	p->retry = (struct bench_event){ .fire = attach_again, .context = p };
	p->export = export_new(f->env, device, (uint8_t)(i + 1), &plug_ops, p);
	if (!p->export) {
		free(p);
		return -ENOMEM;
	}
	f->plugs[i] = p;
	return 0;
}

static struct plug *plug_of(const struct front *f, const struct usbdev *device)
{
	for (unsigned i = 0; i < ROOM; i++)
		if (f->plugs[i] && export_device(f->plugs[i]->export) == device)
			return f->plugs[i];
	return NULL;
}

static void front_unplug(struct front *f, struct usbdev *device)
{
	struct plug *p = plug_of(f, device);

	if (!p)
		return;
	bench_cancel(f->env->bench, &p->retry);
	if (p->attachment)
		attachment_free(p->attachment);
	export_free(p->export);
	f->plugs[p->number - 1] = NULL;
	free(p);
}

/* As the kernel numbered it. */
static unsigned front_address(const struct front *f, const struct usbdev *device)
{
	const struct plug *p = plug_of(f, device);
	char path[64];
	struct vhci_port port;
	unsigned address = 0;
	FILE *file;

	if (!p || !p->attachment || !find_port(is_number, &p->attachment->port, &port) || port.state != VHCI_USED)
		return 0;
	snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s/devnum", port.busid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%u", &address) != 1)
		address = 0;
	fclose(file);
	return address;
}

static void front_tell(const struct front *f, char text[FRONT_WHY])
{
	int used = snprintf(text, FRONT_WHY, "ports of vhci_hcd:");

	for (unsigned i = 0; i < ROOM; i++)
		if (f->plugs[i] && f->plugs[i]->attachment && used < FRONT_WHY)
			used += snprintf(text + used, FRONT_WHY - (size_t)used, " %u", f->plugs[i]->attachment->port);
}

static bool is_given_back(unsigned number)
{
	struct vhci_port port;

	return !find_port(is_number, &number, &port) || port.state == VHCI_FREE;
}

static void front_close(struct front *f)
{
	unsigned ports[2 * ROOM], count = 0, waits = 0;

	for (struct attachment *a = f->attachments; a && count < 2 * ROOM; a = a->next)
		ports[count++] = a->port;
	while (f->attachments)
		attachment_free(f->attachments);
	for (unsigned i = 0; i < ROOM; i++)
		if (f->plugs[i])
			front_unplug(f, export_device(f->plugs[i]->export));
	/* The kernel sees the sockets close, and takes its time. */
	for (unsigned i = 0; i < count; i++)
		for (; waits < DETACH_WAITS && !is_given_back(ports[i]); waits++)
			pause_a_little();
	wait_for_the_past(DETACH_WAITS - waits);
	free(f);
}

const struct front_ops vhci_front = {
	.name = "vhci",
	.summary = "plug the boards into this machine by its vhci_hcd",
	.room = ROOM,
	.local = true,
	.open = front_open,
	.plug = front_plug,
	.unplug = front_unplug,
	.address = front_address,
	.tell = front_tell,
	.close = front_close,
};
