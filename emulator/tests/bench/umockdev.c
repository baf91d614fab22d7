// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same device behind umockdev: a live ioctl handler that hands each URB to the usbdev of a descriptor file. Usage:
 * umockdev DESCRIPTORS CLIENT [ARG...], whose exit status it ends with.
 */
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <umockdev.h>
#include "bench.h"
#include "fixed.h"
#include "usbdev.h"

#define NODE "/dev/bus/usb/001/002"

struct server {
	struct usbhost host;
	struct usbdev *dev;
	struct bench *bench;
	UMockdevIoctlData *done; /* the URB to be reaped */
	bool completed;
	GMainLoop *loop;
	int status;
};

static void complete(struct usbhost *host, struct usb_urb *urb)
{
	(void)urb;
	((struct server *)host)->completed = true;
}

static void plugged(struct usbhost *host, struct usbdev *dev)
{
	(void)host;
	(void)dev;
}

static const struct usbhost_ops host_ops = { .complete = complete, .attach = plugged, .detach = plugged };

static void run(struct server *s, struct usb_urb *urb)
{
	s->completed = false;
	s->dev->ops->submit(s->dev, urb);
	while (!s->completed && bench_next_us(s->bench) != BENCH_NEVER)
		bench_advance(s->bench, bench_next_us(s->bench));
}

static void control(struct server *s, uint8_t type, uint8_t request, uint16_t value)
{
	struct usb_urb urb = { .setup = { .type = type, .request = request, .value = value } };

	run(s, &urb);
}

static int submit(struct server *s, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, sizeof(struct usbdevfs_urb), NULL), *buffer;
	struct usbdevfs_urb *theirs;
	struct usb_urb urb = { 0 };

	if (!data)
		return EFAULT;
	theirs = (struct usbdevfs_urb *)(void *)data->data;
	buffer = umockdev_ioctl_data_resolve(data, offsetof(struct usbdevfs_urb, buffer), (gsize)theirs->buffer_length,
					     NULL);
	if (theirs->type != USBDEVFS_URB_TYPE_CONTROL || !buffer || theirs->buffer_length < 8)
		return EINVAL;
	urb.setup = usb_setup_decode(buffer->data);
	urb.data = buffer->data + 8;
	urb.length = urb.setup.length;
	run(s, &urb);
	theirs->status = urb.result == USB_ACK ? 0 : -EPIPE;
	theirs->actual_length = (int)urb.actual;
	umockdev_ioctl_data_unref(buffer);
	s->done = data;
	return 0;
}

static int reap(struct server *s, UMockdevIoctlData *arg)
{
	if (!s->done)
		return EAGAIN;
	umockdev_ioctl_data_set_ptr(arg, 0, s->done);
	umockdev_ioctl_data_unref(s->done);
	s->done = NULL;
	return 0;
}

static gboolean handle(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context)
{
	struct server *s = context;
	gulong request = umockdev_ioctl_client_get_request(client);
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client), *data;
	int error = ENOTTY;

	(void)base;
	switch (request) {
	case USBDEVFS_GET_CAPABILITIES:
		data = umockdev_ioctl_data_resolve(arg, 0, sizeof(guint32), NULL);
		*(guint32 *)(void *)data->data = 0;
		umockdev_ioctl_data_unref(data);
		error = 0;
		break;
	case USBDEVFS_SUBMITURB:
		error = submit(s, arg);
		break;
	case USBDEVFS_REAPURB:
	case USBDEVFS_REAPURBNDELAY:
		data = umockdev_ioctl_data_resolve(arg, 0, sizeof(gpointer), NULL);
		error = reap(s, data);
		umockdev_ioctl_data_unref(data);
		break;
	}
	umockdev_ioctl_client_complete(client, error ? -1 : 0, error);
	return TRUE;
}

static void ended(GPid pid, gint status, gpointer context)
{
	struct server *s = context;

	g_spawn_close_pid(pid);
	s->status = WIFEXITED(status) ? WEXITSTATUS(status) : 125;
	g_main_loop_quit(s->loop);
}

static void describe(UMockdevTestbed *testbed, const struct fixed_descriptors *d)
{
	size_t length = (size_t)(d->configurations[0][2] | d->configurations[0][3] << 8);
	uint8_t *bytes = malloc(18 + length);
	GString *text = g_string_new(
		"P: /devices/usb1/1-1\nN: bus/usb/001/002\nE: DEVTYPE=usb_device\nE: SUBSYSTEM=usb\n"
		"E: DEVNAME=" NODE "\nE: BUSNUM=001\nE: DEVNUM=002\n"
		"A: busnum=1\\n\nA: devnum=2\\n\nA: speed=12\\n\nA: bConfigurationValue=1\\n\n"
		"H: descriptors=");
	GError *error = NULL;

	if (!bytes)
		exit(125);
	memcpy(bytes, d->device, 18);
	memcpy(bytes + 18, d->configurations[0], length);
	for (size_t i = 0; i < 18 + length; i++)
		g_string_append_printf(text, "%02X", bytes[i]);
	g_string_append(text, "\n");
	if (!umockdev_testbed_add_from_string(testbed, text->str, &error)) {
		fprintf(stderr, "umockdev: %s\n", error->message);
		exit(125);
	}
	g_string_free(text, TRUE);
	free(bytes);
}

int main(int argc, char **argv)
{
	struct server s = { .host = { &host_ops }, .status = 125 };
	struct fixed_descriptors *descriptors;
	UMockdevTestbed *testbed;
	UMockdevIoctlBase *handler;
	GError *error = NULL;
	char message[512], **environment;
	struct fixed *device;
	GPid pid;

	if (argc < 3) {
		fputs("usage: umockdev DESCRIPTORS CLIENT [ARG...]\n", stderr);
		return 125;
	}
	if (fixed_load(argv[1], &descriptors, message, sizeof(message))) {
		fprintf(stderr, "umockdev: %s\n", message);
		return 125;
	}
	s.bench = bench_new(1);
	device = fixed_new(descriptors);
	if (!s.bench || !device)
		return 125;
	fixed_plug(device);
	s.dev = fixed_usbdev(device);
	usbdev_connect(s.dev, &s.host);
	s.dev->ops->bus_reset(s.dev);
	control(&s, 0, 5, 2); /* SET_ADDRESS */
	control(&s, 0, 9, 1); /* SET_CONFIGURATION */

	testbed = umockdev_testbed_new();
	describe(testbed, descriptors);
	handler = umockdev_ioctl_base_new();
	g_signal_connect(handler, "handle-ioctl", G_CALLBACK(handle), &s);
	if (!umockdev_testbed_attach_ioctl(testbed, NODE, handler, &error)) {
		fprintf(stderr, "umockdev: %s\n", error->message);
		return 125;
	}
	environment = g_environ_setenv(g_get_environ(), "LD_PRELOAD", "libumockdev-preload.so.0", TRUE);
	s.loop = g_main_loop_new(NULL, FALSE);
	if (!g_spawn_async(NULL, argv + 2, environment, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL,
			   &pid, &error)) {
		fprintf(stderr, "umockdev: %s\n", error->message);
		return 125;
	}
	g_child_watch_add(pid, ended, &s);
	g_main_loop_run(s.loop);
	g_strfreev(environment);
	umockdev_testbed_detach_ioctl(testbed, NODE, NULL);
	g_object_unref(handler);
	g_object_unref(testbed);
	g_main_loop_unref(s.loop);
	usbdev_connect(s.dev, NULL);
	fixed_free(device);
	fixed_descriptors_free(descriptors);
	bench_free(s.bench);
	return s.status;
}
