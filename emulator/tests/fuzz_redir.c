// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what a peer of usbredir sends, as bytes. What comes back must be understood by the library's own guest. The
 * first byte chooses the device (bits 0, 1), whether a good hello goes before (2), whether the device leaves in the middle
 * (3), how slowly the peer reads (4), and how many bytes come at a time (5 to 7); the second has the peer's capabilities.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "cdc.h"
#include "fixed.h"
#include "mcu.h"
#define GUEST_BYTES (1u << 20)
#include "redir_guest.h"

#define INPUT_BYTES 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mouse_text[] = "device 12 01 00 02 00 00 00 40 6d 04 77 c0 00 72 00 00 00 01\n"
				 "configuration 09 02 37 00 01 01 00 a0 31\n"
				 " 09 04 00 00 02 03 01 02 00 07 05 81 03 04 00 00 07 05 02 03 40 00 0a\n"
				 " 09 04 00 01 02 ff 01 02 00 07 05 81 03 04 00 0a 07 05 03 02 40 00 00\n";

struct scene {
	struct bench *bench;
	struct front_env env;
	struct mcu *mcu;
	struct cdc_app *app;
	struct fixed *mouse;
	struct export *export;
	struct session *session;
	struct guest guest;
};

static struct scene scene;

static void ignore_line(void *context, const char *line)
{
	(void)context, (void)line;
}

static void ignore_probe(void *context, struct usbdev *device, bool on)
{
	(void)context, (void)device, (void)on;
}

static void ready(void *context, const struct usb_description *d)
{
	(void)context, (void)d;
	if (scene.session)
		session_attach(scene.session);
}

static void gone(void *context)
{
	(void)context;
	if (scene.session)
		session_detach(scene.session);
}

static void complete(void *context, struct usb_urb *urb)
{
	(void)context;
	session_complete(scene.session, urb);
}

static const struct export_ops export_ops = { .ready = ready, .gone = gone, .complete = complete };

static struct usbdev *board(bool boot0)
{
	static const uint8_t vectors[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };

	scene.mcu = mcu_new(scene.bench, mcu_profile_find("f407"),
			    &(struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } });
	scene.app = cdc_app_new(CDC_STM32_VCP, "326237753036");
	if (!scene.mcu || !scene.app || flash_load(mcu_flash(scene.mcu), 0, vectors, sizeof(vectors)))
		abort();
	mcu_set_app(scene.mcu, &cdc_app_ops, scene.app);
	mcu_set_pin(scene.mcu, PIN_BOOT0, boot0);
	mcu_set_pin(scene.mcu, PIN_VBUS, true);
	mcu_set_pin(scene.mcu, PIN_VDD, true);
	return mcu_usb(scene.mcu);
}

static struct usbdev *mouse(void)
{
	static struct fixed_descriptors *descriptors;
	struct fixed_error error;

	if (!descriptors && fixed_parse(mouse_text, sizeof(mouse_text) - 1, &descriptors, &error))
		abort();
	scene.mouse = fixed_new(descriptors);
	if (!scene.mouse)
		abort();
	fixed_plug(scene.mouse);
	return fixed_usbdev(scene.mouse);
}

static void plug(bool in)
{
	if (scene.mcu)
		mcu_set_pin(scene.mcu, PIN_VBUS, in);
	else if (in)
		fixed_plug(scene.mouse);
	else
		fixed_unplug(scene.mouse);
}

/* False: the session has ended. */
static bool feed(const uint8_t *data, size_t size, bool oracle)
{
	for (unsigned tries = 0; size && tries < 4; tries++) {
		ssize_t used = session_feed(scene.session, data, size);

		if (used < 0)
			return false;
		data += used;
		size -= (size_t)used;
		session_flush(scene.session);
		bench_advance(scene.bench, bench_now_us(scene.bench) + 1000);
		session_flush(scene.session);
		if (oracle && guest_look(&scene.guest))
			abort();
		if (!oracle)
			scene.guest.in.used = 0;
	}
	return !size;
}

static void play(const uint8_t *data, size_t size, uint8_t how)
{
	size_t step = (size_t)8 << (how >> 5), half = size / 2;
	bool oracle = (how & 4) != 0, leaves = (how & 8) != 0;

	if (oracle) {
		usbredirparser_do_write(scene.guest.parser);
		if (!feed(scene.guest.out.bytes, scene.guest.out.used, true))
			abort();
		scene.guest.out.used = 0;
	}
	for (size_t at = 0; at < size; at += step) {
		if (!feed(data + at, size - at < step ? size - at : step, oracle))
			return;
		if (!leaves || at < half)
			continue;
		plug(false);
		bench_advance(scene.bench, bench_now_us(scene.bench) + 500000);
		plug(true);
		bench_advance(scene.bench, bench_now_us(scene.bench) + 5000000);
		session_tick(scene.session);
		leaves = false;
	}
	bench_advance(scene.bench, bench_now_us(scene.bench) + 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct usbdev *device;

	if (size < 2 || size > INPUT_BYTES)
		return 0;
	scene.bench = bench_new(1);
	if (!scene.bench)
		abort();
	scene.env = (struct front_env){
		.bench = scene.bench, .warn = ignore_line, .note = ignore_line, .probe = ignore_probe
	};
	device = (data[0] & 3) > 1 ? mouse() : board((data[0] & 3) == 0);
	bench_advance(scene.bench, 3000000);
	scene.export = export_new(&scene.env, device, 1, &export_ops, &scene);
	bench_advance(scene.bench, 6000000);
	guest_init(&scene.guest, data[1] & GUEST_CAPS_ALL);
	scene.session = session_new(scene.export, &guest_session_ops, &scene.guest);
	if (!scene.export || !scene.session)
		abort();
	if (data[0] & 0x10)
		scene.guest.in.room = 700;
	play(data + 2, size - 2, data[0]);
	session_free(scene.session);
	scene.session = NULL;
	guest_free(&scene.guest);
	export_free(scene.export);
	mcu_free(scene.mcu);
	cdc_app_free(scene.app);
	fixed_free(scene.mouse);
	if (bench_pending(scene.bench))
		abort();
	bench_free(scene.bench);
	scene.mcu = NULL;
	scene.app = NULL;
	scene.mouse = NULL;
	return 0;
}
