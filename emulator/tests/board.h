/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A board on a bench with a host on its port, for tests: its profile may be changed before board_power_on(). */
#ifndef DFUBENCH_TESTS_BOARD_H
#define DFUBENCH_TESTS_BOARD_H

#include <stdlib.h>
#include "host.h"
#include "flash.h"
#include "mcu.h"

#define BOARD_EVENTS 256

struct board {
	struct bench *bench;
	struct mcu_profile profile;
	struct mcu *mcu;
	struct host host;
	struct mcu_event events[BOARD_EVENTS];
	unsigned event_count;
};

static inline void board_hears(void *context, const struct mcu_event *event)
{
	struct board *b = context;

	if (b->event_count < BOARD_EVENTS)
		b->events[b->event_count++] = *event;
}

/* No power yet; the cable is in. */
static inline void board_open_as(struct board *b, const char *profile)
{
	memset(b, 0, sizeof *b);
	b->profile = *mcu_profile_find(profile);
	b->bench = bench_new(1);
	b->mcu = mcu_new(b->bench, &b->profile, &(struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } });
	assert_non_null(b->mcu);
	mcu_listen(b->mcu, board_hears, b);
	host_init(&b->host, b->bench, mcu_usb(b->mcu));
	mcu_set_pin(b->mcu, PIN_VBUS, true);
}

static inline void board_open(struct board *b)
{
	board_open_as(b, "f407");
}

static inline void board_close(struct board *b)
{
	mcu_free(b->mcu);
	assert_int_equal(bench_next_us(b->bench), BENCH_NEVER);
	bench_free(b->bench);
}

static inline void board_wait_attached(struct board *b)
{
	while (!b->host.attached && bench_next_us(b->bench) != BENCH_NEVER)
		bench_advance(b->bench, bench_next_us(b->bench));
	assert_true(b->host.attached);
}

/* BOOT0 high, power, enumerated. */
static inline void board_power_on(struct board *b)
{
	mcu_set_pin(b->mcu, PIN_BOOT0, true);
	mcu_set_pin(b->mcu, PIN_VDD, true);
	board_wait_attached(b);
	host_enumerate(&b->host);
}

/* As board_power_on(), then CLRSTATUS. */
static inline void board_open_idle(struct board *b)
{
	board_open(b);
	board_power_on(b);
	assert_int_equal(host_clrstatus(&b->host), USB_ACK);
	b->event_count = 0;
}

static inline unsigned board_count(const struct board *b, enum mcu_event_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->event_count; i++)
		n += b->events[i].type == type;
	return n;
}

/* The last event of that kind; the test fails if there is none. */
static inline const struct mcu_event *board_last(const struct board *b, enum mcu_event_type type)
{
	for (unsigned i = b->event_count; i-- > 0;)
		if (b->events[i].type == type)
			return &b->events[i];
	fail_msg("no event of type %d", (int)type);
	return NULL;
}

static inline void board_set_rdp(struct board *b, uint8_t rdp)
{
	uint8_t options[16];

	flash_read_options(mcu_flash(b->mcu), options);
	options[1] = options[5] = rdp;
	options[3] = options[7] = (uint8_t)~rdp;
	flash_set_options(mcu_flash(b->mcu), options);
}

/* A table that starts: MSP at the end of SRAM, PC in flash. */
static inline void board_load_application(struct board *b, uint32_t offset)
{
	static const uint8_t table[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };

	assert_int_equal(flash_load(mcu_flash(b->mcu), offset, table, sizeof table), 0);
}

#define GS_SET 0x00, 0x68, 0x00, 0x00, 0x04, 0x00
#define GS_ERASE 0x00, 0x64, 0x00, 0x00, 0x04, 0x00
#define GS_OK 0x00, 0x00, 0x00, 0x00, 0x05, 0x00
#define GS_IDLE 0x00, 0x00, 0x00, 0x00, 0x02, 0x00
#define GS_UPLOAD 0x00, 0x00, 0x00, 0x00, 0x09, 0x00
#define GS_START 0x0a, 0x00, 0x00, 0x00, 0x0a, 0x00
#define GS_MANIFEST 0x00, 0x01, 0x00, 0x00, 0x07, 0x00
#define GS_FAILED(status) (status), 0x00, 0x00, 0x00, 0x0a, 0x00

/* Command or block, first GETSTATUS, second GETSTATUS: the pair GS2 of the exchanges. */
static inline void board_set_address(struct board *b, uint32_t address)
{
	assert_int_equal(host_command(&b->host, DFUSE_SET_ADDRESS, address), USB_ACK);
	host_expect_status(&b->host, GS_SET);
	host_expect_status(&b->host, GS_OK);
}

static inline void board_erase(struct board *b, uint32_t address)
{
	assert_int_equal(host_command(&b->host, DFUSE_ERASE, address), USB_ACK);
	host_expect_status(&b->host, GS_ERASE);
	host_expect_status(&b->host, GS_OK);
}

static inline void board_write(struct board *b, uint16_t block, const void *data, uint16_t length)
{
	assert_int_equal(host_dnload(&b->host, block, data, length), USB_ACK);
	host_expect_status(&b->host, GS_SET);
	host_expect_status(&b->host, GS_OK);
}

static inline void board_leave(struct board *b)
{
	assert_int_equal(host_dnload(&b->host, 0, NULL, 0), USB_ACK);
	host_expect_status(&b->host, GS_MANIFEST);
}

#endif
