/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: firmware that writes any register at any time, in the middle of packets too, and a host that submits, takes back and
 * resets. Every transfer comes back once, with no more than it has room for; the interrupt line is told when it changes; the bench
 * comes to rest.
 */
#include <stdlib.h>
#include <string.h>
#include "bus.h"
#include "f407/otg_fs.h"
#include "fuzz_host.h"

#define SYNC_DEPTH 2
#define TOLD_MOST 1100 /* registers below 0x1000, and one for all above */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scene {
	struct fuzz_host host;
	struct fuzz_input in;
	struct bench *bench;
	struct otg_fs *otg;
	bool line;
	unsigned depth, told;
};

/* The registers that matter come up more often than chance would have them. */
static uint32_t some_register(struct scene *s)
{
	static const uint16_t often[] = { 0x008, 0x00c, 0x010, 0x014, 0x018, 0x020, 0x024, 0x028,  0x038,  0x104, 0x108,
					  0x800, 0x804, 0x810, 0x814, 0x81c, 0x834, 0x900, 0x910,  0x920,  0x930, 0x940,
					  0x950, 0xb00, 0xb10, 0xb20, 0xb30, 0xb40, 0xb50, 0x1000, 0x2000, 0x3000 };
	uint8_t which = fuzz_next(&s->in);

	if (which < 0xc0)
		return often[which % (sizeof(often) / sizeof(often[0]))];
	if (which < 0xf0)
		return (uint32_t)(which & 0xf) << 8 | fuzz_next(&s->in);
	return (fuzz_word(&s->in) & 0x3fffc);
}

static void touch(struct scene *s, uint8_t how)
{
	uint32_t offset = some_register(s);

	switch (how & 3) {
	case 0:
		otg_fs_write(s->otg, offset, fuzz_word(&s->in));
		break;
	case 1:
		otg_fs_write(s->otg, offset, otg_fs_read(s->otg, offset) | UINT32_C(1) << (fuzz_next(&s->in) & 31));
		break;
	case 2:
		otg_fs_write(s->otg, offset, otg_fs_read(s->otg, offset) & ~(UINT32_C(1) << (fuzz_next(&s->in) & 31)));
		break;
	default:
		otg_fs_read(s->otg, offset);
	}
}

/* A driver's way to a device that answers, since chance takes long to find it. */
static void bring_up(struct scene *s)
{
	static const struct {
		uint16_t offset;
		uint32_t value;
	} writes[] = {
		{ 0x038, 0x00290000 }, { 0x804, 0 },          { 0x024, 128 },        { 0x028, 0x00100080 },
		{ 0x104, 0x00100090 }, { 0x81c, 0xffffffff }, { 0x810, 0x207b },     { 0x814, 0x317b },
		{ 0x018, 0xffffffff }, { 0x008, 1 },          { 0x920, 0x10488040 }, { 0xb20, 0x10088040 },
		{ 0xb30, 0x00180100 }, { 0xb20, 0x94088040 }, { 0x910, 0x00080000 }, { 0x900, 0x84008000 },
		{ 0x960, 0x00c48040 }, { 0xb70, 0x00180100 }, { 0xb60, 0x94048040 }, /* isochronous */
	};

	for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		otg_fs_write(s->otg, writes[i].offset, writes[i].value);
}

static void interrupt(void *context, bool level)
{
	struct scene *s = context;

	if (level == s->line)
		abort();
	s->line = level;
}

/* The firmware runs up to here, and does what it likes. */
static void sync(void *context)
{
	struct scene *s = context;

	if (s->depth == SYNC_DEPTH)
		return;
	s->depth++;
	for (uint8_t count = fuzz_next(&s->in) & 3; count; count--)
		touch(s, fuzz_next(&s->in));
	s->depth--;
}

static void unknown(void *context, uint32_t offset, bool write)
{
	struct scene *s = context;

	(void)offset;
	(void)write;
	if (++s->told > TOLD_MOST)
		abort();
}

static void step(struct scene *s)
{
	struct usbdev *dev = otg_fs_usbdev(s->otg);
	uint8_t what = fuzz_next(&s->in);

	switch (what & 15) {
	case 0:
		fuzz_host_submit_any(&s->host, dev, &s->in, 0, 2);
		break;
	case 1:
		fuzz_host_submit_any(&s->host, dev, &s->in, fuzz_next(&s->in), 2);
		break;
	case 2:
		fuzz_host_cancel(&s->host, dev, what >> 4);
		break;
	case 3:
		dev->ops->bus_reset(dev);
		break;
	case 4:
		otg_fs_vbus(s->otg, what & 16);
		break;
	case 5:
		otg_fs_clock(s->otg, what & 0x30);
		break;
	case 6:
		bus_suspend((struct bus *)dev, what & 16);
		break;
	case 7:
		if (what & 16)
			otg_fs_reset(s->otg);
		break;
	case 8:
	case 9:
		bench_advance(s->bench, bench_now_us(s->bench) + (what >> 4));
		break;
	case 10:
		bench_advance(s->bench, bench_now_us(s->bench) + (uint64_t)(what >> 4) * 1500);
		break;
	case 11:
		bring_up(s);
		break;
	default:
		touch(s, what);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene s = { .in = { data, size } };
	struct otg_fs_user user = { interrupt, sync, unknown, &s };

	if (size > 4096)
		return 0;
	s.bench = bench_new(1);
	s.otg = s.bench ? otg_fs_new(s.bench, &user) : NULL;
	if (!s.otg)
		abort();
	fuzz_host_init(&s.host);
	usbdev_connect(otg_fs_usbdev(s.otg), &s.host.host.host);
	otg_fs_vbus(s.otg, true);
	otg_fs_clock(s.otg, true);
	while (s.in.size)
		step(&s);
	otg_fs_reset(s.otg);
	if (s.host.host.dev)
		abort();
	fuzz_host_end(&s.host);
	otg_fs_free(s.otg);
	if (bench_next_us(s.bench) != BENCH_NEVER)
		abort();
	bench_free(s.bench);
	return 0;
}
