/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: arbitrary firmware that runs on the board, a host that sends it anything, and a hand on cable, pins, button and console.
 * Every transfer comes back once, with no more than it has room for; what is told about a time is bounded by that time; the bench comes
 * to rest when the board goes.
 *
 * An input: how the image is made, the length of what it is made of, that, and what happens outside. The image is the input itself; or
 * behind vectors, with the MPU on or not; or stores of the input's choice into registers, without end; or an image of
 * fixtures/firmware/ with bytes changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"
#include "fuzz_host.h"

#define MADE_OF_MOST 16384
#define IMAGE_BYTES 0x8000u
#define BASE 0x08000000u
#define CODE 0x200u  /* behind the vectors */
#define TABLE 0x400u /* address and value of each store */
#define OUTSIDE_MOST 600
#define BENCH_MOST_US 8000u /* but for firmware that is known, which sleeps */
#define BENCH_KNOWN_US 60000u
#define TOLD_FREE 4000u  /* events that anything may make, */
#define TOLD_EACH_US 20u /* and how many more in a microsecond */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scene {
	struct fuzz_host host;
	struct fuzz_input in;
	struct bench *bench;
	struct mcu *mcu;
	struct engine *engine;
	uint8_t image[IMAGE_BYTES];
	uint64_t told, wall_ns, most_us;
};

static void put(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* --- the image --- */

/* Faults go on behind a short instruction; all else returns at once. */
static void make_vectors(struct scene *s)
{
	static const uint8_t handlers[] = {
		0x06, 0x98, /* ldr r0, [sp, #24] */
		0x02, 0x30, /* adds r0, #2 */
		0x06, 0x90, /* str r0, [sp, #24] */
		0x70, 0x47, /* bx lr */
	};

	put(s->image, 0x20020000);
	put(s->image + 4, BASE + CODE + 1);
	for (unsigned i = 2; i < 98; i++)
		put(s->image + 4 * i, BASE + 0x1F0 + (i >= 3 && i <= 6 ? 0 : 6) + 1);
	memcpy(s->image + 0x1F0, handlers, sizeof(handlers));
}

/* Chance does not find where the registers are. */
static uint32_t some_register(struct scene *s)
{
	static const uint32_t blocks[] = {
		0x40023800, 0x40023C00, 0x40007000, 0x40020000, 0x40020C00, 0x40023000, 0x40026000, 0x40026400,
		0x50000000, 0x50000800, 0x50000900, 0x50000B00, 0x50001000, 0x50060800, 0x40013800, 0x40013C00,
		0x40011000, 0x40004400, 0x40005000, 0x40010000, 0x40000000, 0x40001000, 0x40014400, 0x40002800,
		0x40002C00, 0x40003000, 0x40013000, 0x40005400, 0x40012000, 0x40012C00, 0xE000E000, 0xE000E100,
		0xE000E400, 0xE000ED00, 0x08008000, 0x20000000,
	};
	uint8_t which = fuzz_next(&s->in);

	if (which >= 0xF8) /* the MPU, which takes several to let nothing pass */
		return 0xE000ED90 + (fuzz_next(&s->in) & 15) * 4u;
	return which < 0xF0 ? blocks[which % (sizeof(blocks) / sizeof(blocks[0]))] +
				      fuzz_next(&s->in) * (which & 0x80 ? 1u : 4u)
			    : fuzz_word(&s->in);
}

static void make_stores(struct scene *s)
{
	static const uint8_t loop[] = {
		0x03, 0x4A, /* ldr r2, =TABLE */
		0x03, 0xCA, /* ldmia r2!, {r0, r1} */
		0x01, 0x60, /* str r1, [r0] */
		0x00, 0x68, /* ldr r0, [r0] */
		0x10, 0x68, /* ldr r0, [r2] */
		0x00, 0x28, /* cmp r0, #0 */
		0xF9, 0xD1, /* bne to the second */
		0xF7, 0xE7, /* b to the first */
		0x00, 0x04, 0x00, 0x08,
	};
	/* All that has a clock gets it, or most stores would come to nothing. */
	static const uint32_t begin[][2] = {
		{ 0x40023830, 0x007FFFFF }, { 0x40023834, 0xFF },       { 0x40023840, 0x3FFFFFFF },
		{ 0x40023844, 0x7FFFF },    { 0x40007000, 0x100 },      { 0x40023C04, 0x45670123 },
		{ 0x40023C04, 0xCDEF89AB }, { 0xE000E100, 0xFFFFFFFF },
	};
	uint32_t at = TABLE;

	make_vectors(s);
	memcpy(s->image + CODE, loop, sizeof(loop));
	for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++, at += 8) {
		put(s->image + at, begin[i][0]);
		put(s->image + at + 4, begin[i][1]);
	}
	for (; s->in.size && at + 8 < IMAGE_BYTES; at += 8) {
		uint8_t how = fuzz_next(&s->in);

		put(s->image + at, some_register(s));
		put(s->image + at + 4, how & 1   ? fuzz_word(&s->in)
				       : how & 2 ? UINT32_C(1) << (how >> 2 & 31)
						 : fuzz_next(&s->in));
	}
	put(s->image + at, 0);
}

/* Code runs with the MPU on, and one region of it. How long what switches it on is. */
static size_t make_protection(struct scene *s)
{
	static const uint8_t protects[] = {
		0x04, 0x48,             /* ldr r0, =MPU_RBAR */
		0x05, 0x49, 0x05, 0x4A, /* ldr r1, ldr r2: what is behind */
		0x01, 0x60, 0x42, 0x60, /* str r1, [r0]; str r2, [r0, #4] */
		0x05, 0x21,             /* movs r1, #5: ENABLE, PRIVDEFENA */
		0x08, 0x38, 0x01, 0x60, /* subs r0, #8; str r1, [r0] */
		0x06, 0xE0,             /* b behind it all */
		0x00, 0xBF, 0x9C, 0xED, 0x00, 0xE0,
	};

	memcpy(s->image + CODE, protects, sizeof(protects));
	put(s->image + CODE + sizeof(protects), fuzz_word(&s->in));
	put(s->image + CODE + sizeof(protects) + 4, fuzz_word(&s->in));
	return sizeof(protects) + 8;
}

static void make_known(struct scene *s, unsigned which)
{
	static const char *const names[] = {
		"blink", "cdc-echo", "dfu-runtime", "hard-fault", "self-update", "broken"
	};
	static uint8_t known[6][IMAGE_BYTES];
	static bool loaded[6];
	char path[64];
	FILE *file;

	which %= 6;
	snprintf(path, sizeof(path), "fixtures/firmware/%s.bin", names[which]);
	if (!loaded[which]) {
		file = fopen(path, "rb");
		if (!file || !fread(known[which], 1, IMAGE_BYTES, file)) {
			perror(path);
			exit(1);
		}
		fclose(file);
		loaded[which] = true;
	}
	memcpy(s->image, known[which], IMAGE_BYTES);
	while (s->in.size) {
		uint16_t at = fuzz_next(&s->in);

		at |= (uint16_t)(fuzz_next(&s->in) << 8);
		s->image[at % 0x2000] = fuzz_next(&s->in);
	}
}

static void make_image(struct scene *s)
{
	uint8_t how = fuzz_next(&s->in);
	size_t length = fuzz_next(&s->in), left, at = CODE;

	length |= (size_t)fuzz_next(&s->in) << 8;
	length = length < s->in.size ? length : s->in.size;
	left = s->in.size - length;
	s->in.size = length;
	s->most_us = (how & 3) == 3 ? BENCH_KNOWN_US : BENCH_MOST_US;
	switch (how & 3) {
	case 0:
		memcpy(s->image, s->in.data, length < IMAGE_BYTES ? length : IMAGE_BYTES);
		break;
	case 1:
		make_vectors(s);
		if (how & 16)
			at += make_protection(s);
		memcpy(s->image + at, s->in.data, s->in.size < IMAGE_BYTES - at ? s->in.size : IMAGE_BYTES - at);
		break;
	case 2:
		make_stores(s);
		break;
	default:
		make_known(s, how >> 4);
		break;
	}
	s->in.data += s->in.size;
	s->in.size = left;
	if (flash_load(mcu_flash(s->mcu), 0, s->image, IMAGE_BYTES))
		abort();
}

/* --- what happens outside --- */

static void type(struct scene *s, unsigned count)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < count; i++)
		bytes[i] = fuzz_next(&s->in);
	if (engine_console(s->engine, bytes, count) > count)
		abort();
}

static void hears(void *context, const struct mcu_event *e)
{
	struct scene *s = context;

	if (++s->told > TOLD_FREE + bench_now_us(s->bench) * TOLD_EACH_US)
		abort();
	if (e->type == MCU_EVENT_CONSOLE && strlen(e->line) > 4096)
		abort();
}

static void pass(struct scene *s, uint64_t us)
{
	bench_advance(s->bench, bench_now_us(s->bench) + us);
}

/* The moves that bring a device up to where it has something to say. */
static void enumerate(struct scene *s)
{
	static const uint8_t packets[][8] = { { 0x80, 6, 0, 1, 0, 0, 18, 0 },
					      { 0, 5, 1, 0, 0, 0, 0, 0 },
					      { 0x80, 6, 0, 2, 0, 0, 255, 0 },
					      { 0, 9, 1, 0, 0, 0, 0, 0 } };
	struct usbdev *dev = mcu_usb(s->mcu);

	if (!s->host.host.dev)
		return;
	dev->ops->bus_reset(dev);
	for (unsigned i = 0; i < 4 && s->host.host.dev; i++) {
		struct usb_setup setup = usb_setup_decode(packets[i]);

		fuzz_host_submit(&s->host, dev, &setup, 0, setup.length, NULL, 0);
		pass(s, 1000);
	}
}

static void step(struct scene *s)
{
	static const enum mcu_pin pins[] = { PIN_VBUS, PIN_NRST, PIN_BOOT0, PIN_BOOT1,
					     PIN_VDD,  PIN_VBUS, PIN_NRST,  PIN_BOOT0 };
	struct usbdev *dev = mcu_usb(s->mcu);
	struct engine_status status = { 0 };
	uint8_t what = fuzz_next(&s->in);

	switch (what & 15) {
	case 0:
	case 1:
		if (s->host.host.dev)
			fuzz_host_submit_any(&s->host, dev, &s->in, 0, 4);
		break;
	case 2:
	case 3:
		if (s->host.host.dev)
			fuzz_host_submit_any(&s->host, dev, &s->in, fuzz_next(&s->in), 4);
		break;
	case 4:
		fuzz_host_cancel(&s->host, dev, what >> 4);
		break;
	case 5:
		if (s->host.host.dev)
			dev->ops->bus_reset(dev);
		break;
	case 6:
		mcu_set_pin(s->mcu, pins[what >> 5], what & 16);
		break;
	case 7:
		type(s, what >> 4);
		break;
	case 8:
		engine_button(s->engine, what & 16);
		break;
	case 9:
		engine_status(s->engine, &status);
		break;
	case 10:
		enumerate(s);
		break;
	case 11:
		s->wall_ns += (uint64_t)(what >> 4) * 100000;
		break;
	case 12:
	case 13:
		pass(s, what >> 4);
		break;
	default:
		pass(s, (uint64_t)(what >> 4) * 300);
		break;
	}
}

/* A clock of the wall that goes on as it is looked at. */
static struct scene *walled;

static uint64_t wall_ns(void)
{
	walled->wall_ns += 20000;
	return walled->wall_ns;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scene s;
	struct mcu_profile profile = *mcu_profile_find("f407");
	struct engine_options options = { .seed = 1, .scale = 1 };

	if (size < 4 || size > MADE_OF_MOST || engine_lacks())
		return 0;
	memset(&s, 0, sizeof(s));
	memset(s.image, 0xFF, sizeof(s.image));
	s.in = (struct fuzz_input){ data, size };
	s.wall_ns = 1;
	walled = &s;
	if (data[0] & 8)
		options.wall_ns = wall_ns;
	s.bench = bench_new(1);
	s.mcu = s.bench ? mcu_new(s.bench, &profile, &(struct mcu_identity){ { 1, 2, 3 } }) : NULL;
	s.engine = s.mcu ? engine_firmware_new(s.mcu, &options) : NULL;
	if (!s.engine)
		abort();
	mcu_set_app(s.mcu, s.engine->ops->app, s.engine);
	mcu_listen(s.mcu, hears, &s);
	fuzz_host_init(&s.host);
	usbdev_connect(mcu_usb(s.mcu), &s.host.host.host);
	make_image(&s);
	mcu_set_pin(s.mcu, PIN_VBUS, true);
	mcu_set_pin(s.mcu, PIN_VDD, true);
	pass(&s, 2000);
	for (unsigned i = 0; i < OUTSIDE_MOST && s.in.size && bench_now_us(s.bench) < s.most_us; i++)
		step(&s);
	pass(&s, 2000);
	mcu_free(s.mcu);
	fuzz_host_end(&s.host);
	engine_close(s.engine);
	if (s.host.host.dev || bench_next_us(s.bench) != BENCH_NEVER)
		abort();
	bench_free(s.bench);
	return 0;
}
