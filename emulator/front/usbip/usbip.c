// SPDX-License-Identifier: GPL-2.0-or-later
/* The USB/IP server: devices by bus id, and who has which. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "usbip_internal.h"

#define ADDRESSES 127u
/* Complaints about peers: so many in such a time, by the wall's clock. */
#define COMPLAINTS_MOST 10u
#define COMPLAINTS_US 10000000u

uint64_t usbip_wall_us(const struct front *f, uint64_t us)
{
	return loop_bench_us(f->env->loop, us);
}

/* A peer can make as many mistakes as it likes; not as many lines. */
void usbip_complain(struct front *f, const char *what)
{
	char line[FRONT_WHY];

	if (!bench_is_scheduled(&f->complaints_over))
		bench_after(f->env->bench, &f->complaints_over, usbip_wall_us(f, COMPLAINTS_US));
	if (++f->complaints > COMPLAINTS_MOST)
		return;
	snprintf(line, sizeof(line), "%s%s", what,
		 f->complaints == COMPLAINTS_MOST ? " (and nothing more of this kind for 10 s)" : "");
	f->env->warn(f->env->context, line);
}

static void complaints_over(struct bench_event *e)
{
	struct front *f = e->context;

	f->complaints = 0;
}

/* ---- the device list ---- */

void usbip_list_release(struct list *list)
{
	if (list && !--list->users)
		free(list);
}

static void list_is_stale(struct front *f)
{
	usbip_list_release(f->list);
	f->list = NULL;
}

static void record_of(const struct place *p, const struct usb_description *d, struct usbip_device *record)
{
	const struct usb_configuration *c = &d->configurations[0];
	const uint8_t *b = d->device, *interface;
	size_t offset = 0;

	memset(record, 0, sizeof(*record));
	snprintf(record->path, sizeof(record->path), "/dfuemu/%u-%u", USBIP_BUSNUM, p->number);
	snprintf(record->busid, sizeof(record->busid), "%u-%u", USBIP_BUSNUM, p->number);
	record->busnum = USBIP_BUSNUM;
	record->devnum = p->number;
	record->speed = d->speed;
	record->bcd_device = (uint16_t)(b[12] | b[13] << 8);
	record->vendor = (uint16_t)(b[8] | b[9] << 8);
	record->product = (uint16_t)(b[10] | b[11] << 8);
	record->device_class = b[4];
	record->subclass = b[5];
	record->protocol = b[6];
	record->configuration_count = b[17];
	if (!d->configuration_count)
		return;
	/* It is not configured; a host would choose this one, and lists show what is in it. */
	record->configuration = c->bytes[5];
	while ((interface = usb_configuration_next(c, &offset, USB_DT_INTERFACE, 9)) && record->interface_count < 255) {
		if (interface[3]) /* alternate settings but the first */
			continue;
		record->interfaces[record->interface_count].interface_class = interface[5];
		record->interfaces[record->interface_count].subclass = interface[6];
		record->interfaces[record->interface_count].protocol = interface[7];
		record->interface_count++;
	}
}

static struct list *list_make(const struct front *f)
{
	struct usbip_reply reply = { .code = USBIP_DEVLIST };
	struct usbip_device *record = malloc(sizeof(*record));
	struct list *list = NULL;
	size_t size = USBIP_DEVLIST_HEAD_BYTES;

	/* Twice the same, for the size is known only when all are. */
	for (int pass = 0; record && pass < 2; pass++) {
		if (pass) {
			list = malloc(sizeof(*list) + size);
			if (!list)
				break;
			list->users = 1;
			list->length = usbip_reply_encode(&reply, list->bytes);
		}
		for (unsigned i = 0; i < f->place_count; i++) {
			const struct place *p = f->places[i];
			const struct usb_description *d = p ? export_description(p->export) : NULL;

			if (!d)
				continue;
			record_of(p, d, record);
			if (pass) {
				list->length += usbip_device_encode(record, true, list->bytes + list->length);
				continue;
			}
			reply.count++;
			size += USBIP_DEVICE_BYTES + record->interface_count * (size_t)USBIP_INTERFACE_BYTES;
		}
	}
	free(record);
	return list;
}

struct list *usbip_list(struct front *f)
{
	if (!f->list)
		f->list = list_make(f);
	if (f->list)
		f->list->users++;
	return f->list;
}

/* ---- connections that have imported ---- */

void usbip_name_of(int fd, char name[LISTEN_NAME])
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &length))
		snprintf(name, LISTEN_NAME, "a client");
	else
		usbip_address_text(&address, length, name);
}

static void client_free(struct client *c)
{
	struct place *p = c->place;

	/* The device may leave while transfers are taken back; that is nothing to this client any more. */
	if (p)
		p->client = NULL;
	usbip_session_free(c->session);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
	if (p)
		export_reset(p->export); /* for the next one */
}

static void client_is_over(void *context, struct usbip_session *session, const char *why)
{
	struct client *c = context;

	(void)session;
	if (why) {
		char line[FRONT_WHY];

		snprintf(line, sizeof(line), "%.60s, which had %u-%u, is hung up on: %s", c->name, USBIP_BUSNUM,
			 c->number, why);
		usbip_complain(c->front, line);
	}
	client_free(c);
}

static const struct usbip_session_ops client_ops = { .over = client_is_over };

void usbip_import(struct place *p, int fd)
{
	const struct usbip_reply reply = { .code = USBIP_IMPORT, .status = USBIP_OK };
	uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES + USBIP_DEVICE_BYTES];
	struct client *c = calloc(1, sizeof(*c));
	struct usbip_device *record = malloc(sizeof(*record));
	size_t length;
	int r;

	if (!c || !record) {
		close(fd);
		goto out;
	}
	c->front = p->front;
	c->number = p->number;
	usbip_name_of(fd, c->name);
	c->session = usbip_session_new(p->front->env, &p->front->memory, p->export, USBIP_BUSNUM << 16 | p->number, fd,
				       &client_ops, c, &r);
	if (!c->session)
		goto out;
	record_of(p, export_description(p->export), record);
	length = usbip_reply_encode(&reply, bytes);
	length += usbip_device_encode(record, false, bytes + length);
	if (usbip_session_send(c->session, bytes, length)) {
		usbip_session_free(c->session);
		goto out;
	}
	c->next = p->front->clients;
	c->link = &p->front->clients;
	if (c->next)
		c->next->link = &c->next;
	p->front->clients = c;
	c->place = p;
	p->client = c;
	c = NULL;
out:
	free(record);
	free(c);
}

struct place *usbip_find_place(const struct front *f, const char *busid)
{
	char *end, text[USBIP_BUSID];
	unsigned long number;

	if (strncmp(busid, "1-", 2))
		return NULL;
	number = strtoul(busid + 2, &end, 10);
	snprintf(text, sizeof(text), "%u-%lu", USBIP_BUSNUM, number);
	return number >= 1 && number <= f->place_count && !strcmp(text, busid) ? f->places[number - 1] : NULL;
}

/* ---- the front ---- */

static struct front *front_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	struct front *f = calloc(1, sizeof(*f));
	char line[FRONT_WHY];
	bool loopback;

	if (!f) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	f->env = env;
	f->complaints_over = (struct bench_event){ .fire = complaints_over, .context = f };
	f->fd = usbip_listen(options->listen, f->bound, &loopback, why);
	if (f->fd < 0) {
		free(f);
		return NULL;
	}
	if (usbip_peers_open(f)) {
		snprintf(why, FRONT_WHY, "%s", strerror(ENOMEM));
		close(f->fd);
		free(f);
		return NULL;
	}
	if (!loopback) {
		snprintf(line, sizeof(line),
			 "listening on %s: USB/IP has no authentication, whoever reaches that port has the boards",
			 f->bound);
		env->warn(env->context, line);
	}
	return f;
}

static void place_ready(void *context, const struct usb_description *d)
{
	struct place *p = context;

	(void)d;
	list_is_stale(p->front);
}

static void place_gone(void *context)
{
	struct place *p = context;
	struct client *c = p->client;

	list_is_stale(p->front);
	if (!c)
		return;
	p->client = NULL;
	c->place = NULL;
	usbip_session_gone(c->session);
}

static void place_complete(void *context, struct usb_urb *urb)
{
	(void)context;
	usbip_session_complete(urb);
}

static const struct export_ops place_ops = {
	.ready = place_ready,
	.gone = place_gone,
	.complete = place_complete,
};

static int front_plug(struct front *f, struct usbdev *device)
{
	struct place *p;
	unsigned i = f->place_count;

	/* A number is used again only when there is no other left, as with boards. */
	if (i == USBIP_ROOM)
		for (i = 0; i < USBIP_ROOM && f->places[i];)
			i++;
	if (i == USBIP_ROOM)
		return -ENOSPC;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->front = f;
	p->number = i + 1;
	p->export = export_new(f->env, device, (uint8_t)(1 + i % ADDRESSES), &place_ops, p);
	if (!p->export) {
		free(p);
		return -ENOMEM;
	}
	f->places[i] = p;
	if (i == f->place_count)
		f->place_count++;
	return 0;
}

static struct place *place_of(const struct front *f, const struct usbdev *device)
{
	for (unsigned i = 0; i < f->place_count; i++)
		if (f->places[i] && export_device(f->places[i]->export) == device)
			return f->places[i];
	return NULL;
}

static void front_unplug(struct front *f, struct usbdev *device)
{
	struct place *p = place_of(f, device);

	if (!p)
		return;
	if (p->client)
		client_free(p->client);
	export_free(p->export);
	f->places[p->number - 1] = NULL;
	free(p);
	list_is_stale(f);
}

static unsigned front_address(const struct front *f, const struct usbdev *device)
{
	const struct place *p = place_of(f, device);

	return p && export_description(p->export) ? 1 + (p->number - 1) % ADDRESSES : 0;
}

static void front_tell(const struct front *f, char text[FRONT_WHY])
{
	snprintf(text, FRONT_WHY, "listening on %s", f->bound);
}

static void front_close(struct front *f)
{
	usbip_peers_close(f);
	close(f->fd);
	bench_cancel(f->env->bench, &f->complaints_over);
	while (f->clients)
		client_free(f->clients);
	for (unsigned i = 0; i < f->place_count; i++)
		if (f->places[i])
			front_unplug(f, export_device(f->places[i]->export));
	list_is_stale(f);
	free(f);
}

const struct front_ops usbip_front = {
	.name = "usbip",
	.summary = "USB/IP server, for usbip attach",
	.room = USBIP_ROOM,
	.open = front_open,
	.plug = front_plug,
	.unplug = front_unplug,
	.address = front_address,
	.tell = front_tell,
	.close = front_close,
};
