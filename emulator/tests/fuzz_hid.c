/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: what a host asks of a bench device, wired to a board. The first byte chooses the device, then each step is a byte and
 * what belongs to it. Every transfer comes back once, with no more than it has room for, and pins go back to rest in the end.
 */
#include <stdlib.h>
#include <string.h>
#include "fuzz_host.h"
#include "gear.h"

#define ROOM 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scene {
	struct fuzz_host host;
	struct mcu *mcu;
};

static struct mcu *board(void *context, unsigned number)
{
	return number == 1 ? ((struct scene *)context)->mcu : NULL;
}

static void told(void *context, const struct gear_event *e)
{
	(void)context;
	if (e->type == GEAR_LINE && !*gear_drive_name(e->rule, e->drive))
		abort();
}

static size_t step(struct scene *s, struct bench *bench, struct gear *gear, const uint8_t *data, size_t size)
{
	struct usbdev *dev = gear_device(gear, 1);
	struct usb_setup setup;
	size_t length;

	switch (data[0] & 7) {
	case 0: /* a control transfer, whole */
	case 1: /* one that is left under way */
		if (size < 9)
			return size;
		setup = usb_setup_decode(data + 1);
		if (setup.length > ROOM)
			setup.length = ROOM;
		fuzz_host_submit(&s->host, dev, &setup, 0, setup.length, data + 9, size - 9);
		if (!(data[0] & 7))
			bench_advance(bench, bench_now_us(bench));
		length = setup.type & 0x80 ? 0 : setup.length;
		return 9 + (length < size - 9 ? length : size - 9);
	case 2:
		fuzz_host_submit(&s->host, dev, NULL, 0x81, data[0] >> 3, NULL, 0);
		return 1;
	case 3:
		length = (size_t)(data[0] >> 3) * 4;
		fuzz_host_submit(&s->host, dev, NULL, 0x01, length, data + 1, size - 1);
		return 1 + (length < size - 1 ? length : size - 1);
	case 4:
		fuzz_host_cancel(&s->host, dev, data[0] >> 3);
		return 1;
	case 5:
		dev->ops->bus_reset(dev);
		return 1;
	case 6:
		gear_plug(gear, 1, data[0] & 8);
		return 1;
	default:
		bench_advance(bench, bench_now_us(bench) + (uint64_t)(data[0] >> 3) * 10000);
		return 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const texts[] = { "cp2112:0=boot0,1=nrst,2=power,3=vbus,7=!boot1",
					     "usbrelay4:1=boot0,2=!nrst,3=!power,4=!vbus", "usbrelay1",
					     "usbrelay8:8=boot1" };
	static const struct mcu_identity identity = { { 1, 2, 3 } };
	struct scene s = { .mcu = NULL };
	struct gear_user user = { board, told, &s };
	struct gear_rule rule;
	struct bench *bench;
	struct gear *gear;
	char why[GEAR_RULE_WHY];

	if (!size || size > 4096)
		return 0;
	bench = bench_new(1);
	s.mcu = bench ? mcu_new(bench, mcu_profile_find("f407"), &identity) : NULL;
	if (!s.mcu || gear_rule_parse(texts[data[0] & 3], &rule, why))
		abort();
	fuzz_host_init(&s.host);
	gear = gear_new(bench, &rule, 1, &user);
	if (!gear)
		abort();
	usbdev_connect(gear_device(gear, 1), &s.host.host.host);
	mcu_set_pin(s.mcu, PIN_VDD, true);
	gear_plug(gear, 1, true);
	for (size_t at = 1; at < size;)
		at += step(&s, bench, gear, data + at, size - at);
	gear_plug(gear, 1, false);
	bench_advance(bench, bench_now_us(bench) + 1000000);
	fuzz_host_end(&s.host);
	for (unsigned i = 0; i < rule.wire_count; i++)
		if (!rule.wires[i].inverted && rule.wires[i].pin == PIN_BOOT0 && mcu_pin(s.mcu, PIN_BOOT0))
			abort();
	gear_free(gear);
	mcu_free(s.mcu);
	bench_free(bench);
	return 0;
}
