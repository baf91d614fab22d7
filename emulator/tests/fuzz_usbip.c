// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: USB/IP. The first byte says what the rest is: a request, a reply, a device, a message, all that a peer sends in
 * a session, or a status file of vhci_hcd. What was decoded says the same when it is encoded and decoded again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench.h"
#include "export.h"
#include "fake_device.h"
#include "loop.h"
#include "usbip_session.h"
#include "usbip_wire.h"
#include "vhci_status.h"

#define INPUT_BYTES 16384
#define DEVID 0x10001u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void try_request(const uint8_t *data, size_t size)
{
	struct usbip_request one, two;
	uint8_t bytes[USBIP_REQUEST_BYTES];
	char why[USBIP_WHY];
	size_t used, length;

	if (usbip_request_decode(data, size, &one, &used, why) != USBIP_DONE)
		return;
	check(used <= size);
	length = usbip_request_encode(&one, bytes);
	check(length == used && usbip_request_decode(bytes, length, &two, &used, why) == USBIP_DONE);
	check(one.code == two.code && !strcmp(one.busid, two.busid));
}

static void try_reply(const uint8_t *data, size_t size)
{
	struct usbip_reply one, two;
	uint8_t bytes[USBIP_DEVLIST_HEAD_BYTES];
	char why[USBIP_WHY];
	size_t used, length;

	if (usbip_reply_decode(data, size, &one, &used, why) != USBIP_DONE)
		return;
	check(used <= size);
	length = usbip_reply_encode(&one, bytes);
	check(length == used && usbip_reply_decode(bytes, length, &two, &used, why) == USBIP_DONE);
	check(one.code == two.code && one.status == two.status && one.count == two.count);
}

static void try_device(const uint8_t *data, size_t size)
{
	static struct usbip_device one, two;
	static uint8_t bytes[USBIP_DEVICE_BYTES + 255 * USBIP_INTERFACE_BYTES];
	char why[USBIP_WHY];
	size_t used, length;
	bool interfaces = size % 2;

	if (usbip_device_decode(data, size, interfaces, &one, &used, why) != USBIP_DONE)
		return;
	check(used <= size);
	length = usbip_device_encode(&one, interfaces, bytes);
	check(length == used && usbip_device_decode(bytes, length, interfaces, &two, &used, why) == USBIP_DONE);
	check(!memcmp(&one, &two, sizeof(one)));
}

static void try_message(const uint8_t *data, size_t size)
{
	struct usbip_message one, two;
	uint8_t bytes[USBIP_MESSAGE_BYTES];
	char why[USBIP_WHY];

	if (usbip_message_decode(data, size, &one, why) != USBIP_DONE)
		return;
	check(one.data_bytes <= USBIP_TRANSFER_MOST);
	usbip_message_encode(&one, bytes);
	check(usbip_message_decode(bytes, sizeof(bytes), &two, why) == USBIP_DONE);
	check(!memcmp(&one, &two, sizeof(one)));
}

static void try_status(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *at = text;
	struct vhci_port port;

	check(text);
	while (vhci_next_port(&at, &port))
		check(strlen(port.busid) < sizeof(port.busid));
	check(!*at);
	free(text);
}

/* ---- a session ---- */

static struct rig {
	struct front_env env;
	struct fake_device device;
	struct export *export;
	struct usbip_session *session;
	struct usbip_memory memory;
} rig;

static void say(void *context, const char *line)
{
	(void)context, (void)line;
}

static void probe(void *context, struct usbdev *device, bool on)
{
	(void)context, (void)device, (void)on;
}

static void ready(void *context, const struct usb_description *d)
{
	(void)context, (void)d;
}

static void gone(void *context)
{
	(void)context;
	if (rig.session)
		usbip_session_gone(rig.session);
}

static void complete(void *context, struct usb_urb *urb)
{
	(void)context;
	usbip_session_complete(urb);
}

static void over(void *context, struct usbip_session *session, const char *why)
{
	(void)context, (void)why;
	check(session == rig.session);
	rig.session = NULL;
	usbip_session_free(session);
}

static const struct export_ops export_ops = { .ready = ready, .gone = gone, .complete = complete };
static const struct usbip_session_ops session_ops = { .over = over };

static void set_up(void)
{
	int error;

	rig.env = (struct front_env){ .bench = bench_new(1), .warn = say, .note = say, .probe = probe };
	check(rig.env.bench);
	rig.env.loop = loop_new(rig.env.bench, 1, &error);
	check(rig.env.loop);
	fake_device_init(&rig.device);
	rig.export = export_new(&rig.env, &rig.device.dev, 1, &export_ops, NULL);
	check(rig.export);
}

static void try_session(const uint8_t *data, size_t size)
{
	uint8_t drain[4096];
	int pair[2], error;
	size_t cut;

	if (!size)
		return;
	if (!rig.export)
		set_up();
	if (!rig.device.dev.attached) {
		fake_device_plug(&rig.device);
		bench_advance(rig.env.bench, bench_now_us(rig.env.bench) + 20000000);
	}
	check(export_description(rig.export) && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	rig.session = usbip_session_new(&rig.env, &rig.memory, rig.export, DEVID, pair[0], &session_ops, NULL, &error);
	check(rig.session);
	cut = data[0] * (size - 1) / 255;
	for (int part = 0; part < 2; part++) {
		const uint8_t *from = data + 1 + (part ? cut : 0);
		size_t length = part ? size - 1 - cut : cut;

		if (length && send(pair[1], from, length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		loop_step(rig.env.loop, 0);
		while (rig.device.count > 2)
			fake_device_finish(&rig.device, rig.device.count / 2, (enum usb_result)(data[0] % 5), 0);
		loop_step(rig.env.loop, 0);
		while (recv(pair[1], drain, sizeof(drain), MSG_DONTWAIT) > 0)
			continue;
		if (part == 0 && data[0] % 7 == 0)
			fake_device_pull(&rig.device);
	}
	bench_advance(rig.env.bench, bench_now_us(rig.env.bench));
	usbip_session_free(rig.session);
	rig.session = NULL;
	close(pair[1]);
	check(rig.memory.used == 0 && rig.device.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const uint8_t *, size_t) = { try_request, try_reply,   try_device,
								  try_message, try_session, try_status };

	if (size && size <= INPUT_BYTES)
		kinds[data[0] % (sizeof(kinds) / sizeof(kinds[0]))](data + 1, size - 1);
	return 0;
}
