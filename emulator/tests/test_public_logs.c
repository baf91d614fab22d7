/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people's logs of real boards show, in order and with the times that they give, held against the ROM. Facts and figures alone
 * are taken from the logs; each table says which. f407.md has the sources (23, 25).
 */
#include "board.h"

enum act {
	END,
	STATUS,   /* GETSTATUS answers `status`, after least_ms to most_ms (0, 0: at once) */
	GIVES_UP, /* GETSTATUS is not answered within arg ms */
	CLEAR,    /* CLRSTATUS */
	ABORT,
	SET,   /* Set-Address arg */
	ERASE, /* of the sector at arg */
	MASS,
	UNPROTECT,
	WRITE, /* arg bytes as block 2 */
	READ,  /* arg bytes as block 2, in most_ms */
	LEAVE,
	SLEEP, /* arg ms */
	BLANK, /* all of the flash is erased */
	COMES, /* the board leaves, and comes up again within arg ms */
	GOES,  /* the board leaves for its application */
};

struct line {
	enum act act;
	uint32_t arg;
	uint8_t status[6];
	uint32_t least_ms, most_ms;
};

struct log {
	const char *source, *profile;
	uint8_t rdp; /* 0: open */
	bool full;   /* flash holds something before */
	struct line lines[48];
};

/* How each of them begins. */
#define START \
	{ STATUS, 0, { GS_START }, 0, 0 }, { CLEAR, 0, { 0 }, 0, 0 }, \
	{ \
		STATUS, 0, { GS_IDLE }, 0, 0 \
	}

static const struct log logs[] = {
	{ .source = "dfu-util commit 2f228d7, stm32f4discovery.*: 2308 bytes; one sector erased, 2048 and 260 bytes",
	  .profile = "f407-v3.0",
	  .lines = { START,
		     { ERASE, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 250, 1000 },
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { WRITE, 2048, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 104 },
		     { SET, 0x08000800, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { WRITE, 260, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 104 },
		     { ABORT, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_IDLE }, 0, 0 } } },
	{ .source = "ST community td-p/341906, STM32F407VG Discovery: errTARGET stays however often it is asked for; "
		    "the erase of "
		    "sector 0 is done within a second",
	  .profile = "f407",
	  .lines = { START,
		     { ERASE, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1000 },
		     { SET, 0x00001000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_FAILED(DFU_ERR_TARGET) }, 0, 0 },
		     { STATUS, 0, { GS_FAILED(DFU_ERR_TARGET) }, 0, 0 },
		     { STATUS, 0, { GS_FAILED(DFU_ERR_TARGET) }, 0, 0 },
		     { CLEAR, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_IDLE }, 0, 0 } } },
	{ .source = "dfu-util ticket 3, F405, dfu-util 0.8: a mass erase that was given up after 5 s has been done all "
		    "the same",
	  .profile = "f407",
	  .full = true,
	  .lines = { START,
		     { MASS, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { SLEEP, 100, { 0 }, 0, 0 },
		     { GIVES_UP, 5000, { 0 }, 0, 0 },
		     { SLEEP, 30000, { 0 }, 0, 0 },
		     { BLANK, 0, { 0 }, 0, 0 } } },
	{ .source = "dfu-util ticket 231, F407: a mass erase is over after the 35 s that dfu-util 0.9 and later wait",
	  .profile = "f407",
	  .full = true,
	  .lines = { START,
		     { MASS, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { SLEEP, 35000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { BLANK, 0, { 0 }, 0, 0 } } },
	{ .source = "ST community td-p/659703, F412, CubeProgrammer 2.15: 16 KB in 0.3 to 0.5 s, 64 KB in 1 s, 128 KB "
		    "in 1 to 2 s; "
		    "1024 bytes read in 5 ms",
	  .profile = "f407",
	  .lines = { START,
		     { ERASE, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 300, 500 },
		     { ERASE, 0x08010000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 500, 1300 },
		     { ERASE, 0x08020000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 1000, 2499 },
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { ABORT, 0, { 0 }, 0, 0 },
		     { READ, 1024, { 0 }, 0, 5 },
		     { STATUS, 0, { GS_UPLOAD }, 0, 0 } } },
	{ .source = "ST community td-p/826688, F7, CubeProgrammer: Set-Address is busy, then idle within 1 ms; the "
		    "host does not wait "
		    "out the 104 ms",
	  .profile = "f407",
	  .lines = { START,
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 } } },
	{ .source = "fwupd issue 2696, F745, fwupd: an erase is over 351 ms after its dfuDNBUSY, 100 of which the host "
		    "sleeps; a block of 2048 bytes is written when the 104 ms are",
	  .profile = "f407",
	  .lines = { START,
		     { ERASE, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_ERASE }, 0, 1 },
		     { SLEEP, 100, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 150, 350 },
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 1 },
		     { SLEEP, 104, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { WRITE, 2048, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 1 },
		     { SLEEP, 104, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 } } },
	{ .source = "fwupd pull request 1944, F745, dfu-tool: asked 5 ms after the dfuDNBUSY of a block of 1832 bytes, "
		    "the "
		    "board answers when it is done and idle (7 ms later; by bytes, as is assumed of F40x, it takes 29)",
	  .profile = "f407",
	  .lines = { START,
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 1 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { WRITE, 1832, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 1 },
		     { SLEEP, 5, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 1, 25 },
		     { STATUS, 0, { GS_OK }, 0, 1 } } },
	{ .source = "OpenRTX, guide for the CS7000, F405, dfu-util 0.11: unprotect, and the next run finds dfuERROR "
		    "with status 10",
	  .profile = "f407",
	  .full = true,
	  .rdp = 0x55,
	  .lines = { START,
		     { UNPROTECT, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { COMES, 60000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_START }, 0, 0 },
		     { BLANK, 0, { 0 }, 0, 0 } } },
	{ .source = "modm, documentation, dfu-util 0.9 -v on an F4: dfuMANIFEST with a poll timeout of 1 ms, and the "
		    "board is gone",
	  .profile = "f407",
	  .full = true,
	  .lines = { START,
		     { SET, 0x08000000, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_SET }, 0, 0 },
		     { STATUS, 0, { GS_OK }, 0, 1 },
		     { LEAVE, 0, { 0 }, 0, 0 },
		     { STATUS, 0, { GS_MANIFEST }, 0, 0 },
		     { GOES, 2000, { 0 }, 0, 0 } } },
};

static void expect_status(struct board *b, const struct line *l)
{
	uint64_t begun_us = bench_now_us(b->bench), took_us;
	uint8_t got[6] = { 0 };

	assert_int_equal(host_getstatus(&b->host, got), USB_ACK);
	took_us = bench_now_us(b->bench) - begun_us;
	assert_memory_equal(got, l->status, 6);
	assert_in_range(took_us, MS(l->least_ms), MS(l->most_ms ? l->most_ms : 1));
}

static void give_up(struct board *b, uint32_t ms)
{
	uint8_t got[6];

	b->host.timeout_us = MS(ms);
	assert_int_equal(host_getstatus(&b->host, got), USB_CANCELLED);
	b->host.timeout_us = HOST_TIMEOUT_US;
}

static void expect_blank(struct board *b)
{
	uint8_t *bytes = malloc(b->profile.flash_size_bytes);

	assert_non_null(bytes);
	assert_int_equal(flash_read(mcu_flash(b->mcu), b->profile.flash_base, bytes, b->profile.flash_size_bytes), 0);
	for (uint32_t i = 0; i < b->profile.flash_size_bytes; i++)
		assert_int_equal(bytes[i], 0xff);
	free(bytes);
}

static void come_and_go(struct board *b, const struct line *l)
{
	uint64_t until_us = bench_now_us(b->bench) + MS(l->arg);
	unsigned detaches = b->host.detaches;

	while ((b->host.detaches == detaches || (l->act == COMES && !b->host.attached)) &&
	       bench_next_us(b->bench) <= until_us)
		bench_advance(b->bench, bench_next_us(b->bench));
	assert_int_equal(b->host.detaches, detaches + 1);
	if (l->act == GOES)
		return;
	assert_true(b->host.attached);
	host_enumerate(&b->host);
}

static void transfer(struct board *b, const struct line *l)
{
	static uint8_t bytes[2048];
	uint64_t begun_us = bench_now_us(b->bench);
	size_t actual;

	switch (l->act) {
	case WRITE:
		assert_int_equal(host_dnload(&b->host, 2, bytes, (uint16_t)l->arg), USB_ACK);
		return;
	case READ:
		assert_int_equal(host_upload(&b->host, 2, bytes, (uint16_t)l->arg, &actual), USB_ACK);
		assert_int_equal(actual, l->arg);
		assert_in_range(bench_now_us(b->bench) - begun_us, 0, MS(l->most_ms));
		return;
	case SET:
	case ERASE:
		assert_int_equal(host_command(&b->host, l->act == SET ? DFUSE_SET_ADDRESS : DFUSE_ERASE, l->arg),
				 USB_ACK);
		return;
	default:
		bytes[0] = l->act == MASS ? DFUSE_ERASE : DFUSE_READ_UNPROTECT;
		assert_int_equal(host_dnload(&b->host, 0, bytes, 1), USB_ACK);
	}
}

static void do_line(struct board *b, const struct line *l)
{
	switch (l->act) {
	case STATUS:
		expect_status(b, l);
		break;
	case GIVES_UP:
		give_up(b, l->arg);
		break;
	case CLEAR:
		assert_int_equal(host_clrstatus(&b->host), USB_ACK);
		break;
	case ABORT:
		assert_int_equal(host_abort(&b->host), USB_ACK);
		break;
	case LEAVE:
		assert_int_equal(host_dnload(&b->host, 2, NULL, 0), USB_ACK);
		break;
	case SLEEP:
		host_sleep(&b->host, MS(l->arg));
		break;
	case BLANK:
		expect_blank(b);
		break;
	case COMES:
	case GOES:
		come_and_go(b, l);
		break;
	default:
		transfer(b, l);
	}
}

static void the_rom_does_what_logs_of_real_boards_show(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		struct board b;

		print_message("%s\n", logs[i].source);
		board_open_as(&b, logs[i].profile);
		if (logs[i].full)
			board_load_application(&b, 0);
		if (logs[i].rdp)
			board_set_rdp(&b, logs[i].rdp);
		board_power_on(&b);
		for (const struct line *l = logs[i].lines; l->act != END; l++)
			do_line(&b, l);
		board_close(&b);
	}
}

/* OpenRTX, guide for the CS7000: 211792 bytes with dfu-util 0.11 on an F405, in under a minute. */
static void two_hundred_kilobytes_take_less_than_a_minute(void **state)
{
	static const uint32_t sectors[] = { 0x08000000, 0x08004000, 0x08008000, 0x0800c000, 0x08010000, 0x08020000 };
	static const uint8_t block[2048] = { 0x5a };
	uint32_t left = 211792;
	struct board b;
	uint64_t begun_us;

	(void)state;
	board_open_idle(&b);
	begun_us = bench_now_us(b.bench);
	for (unsigned i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		assert_int_equal(host_command(&b.host, DFUSE_ERASE, sectors[i]), USB_ACK);
		host_expect_status(&b.host, GS_ERASE);
		host_sleep(&b.host, MS(100));
		host_expect_status(&b.host, GS_OK);
	}
	for (uint32_t address = 0x08000000; left; address += 2048) {
		uint16_t length = left < 2048 ? (uint16_t)left : 2048;

		assert_int_equal(host_command(&b.host, DFUSE_SET_ADDRESS, address), USB_ACK);
		host_expect_status(&b.host, GS_SET);
		host_sleep(&b.host, MS(104));
		host_expect_status(&b.host, GS_OK);
		assert_int_equal(host_dnload(&b.host, 2, block, length), USB_ACK);
		host_expect_status(&b.host, GS_SET);
		host_sleep(&b.host, MS(104));
		host_expect_status(&b.host, GS_OK);
		left -= length;
	}
	/* and not much faster: the pauses alone are 21 s */
	assert_in_range(bench_now_us(b.bench) - begun_us, SECONDS(21), SECONDS(60));
	board_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rom_does_what_logs_of_real_boards_show),
		cmocka_unit_test(two_hundred_kilobytes_take_less_than_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
