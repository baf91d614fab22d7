/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fault filter: each action, each condition, and that no fault spoils the board for the next clean run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "board.h"
#include "faults.h"

#define IMAGE_MOST 65536u
#define BASE 0x08000000u
#define BLOCK_BYTES 2048u

struct bed {
	struct board board;
	struct fault *fault;
	unsigned fired, attached, detached;
};

static void hears(void *context, const struct fault_event *event)
{
	struct bed *bed = context;

	bed->fired += event->type == FAULT_EVENT_FIRED;
	bed->attached += event->type == FAULT_EVENT_ATTACHED;
	bed->detached += event->type == FAULT_EVENT_DETACHED;
}

static void board_tells_both(void *context, const struct mcu_event *event)
{
	struct bed *bed = context;

	board_hears(&bed->board, event);
	fault_board_event(bed->fault, event);
}

static void bed_open(struct bed *bed, uint64_t seed)
{
	memset(bed, 0, sizeof(*bed));
	board_open(&bed->board);
	bed->fault = fault_new(bed->board.bench, mcu_usb(bed->board.mcu), &bed->board.profile, &faults_mcu_ops,
			       bed->board.mcu, seed);
	assert_non_null(bed->fault);
	fault_listen(bed->fault, hears, bed);
	mcu_listen(bed->board.mcu, board_tells_both, bed);
	host_init(&bed->board.host, bed->board.bench, fault_usbdev(bed->fault));
	bed->board.host.timeout_us = SECONDS(5); /* libusb's and dfu-util's */
}

static void bed_close(struct bed *bed)
{
	/* The board goes last on a real desk too: it hangs below the filter. */
	mcu_listen(bed->board.mcu, NULL, NULL);
	fault_free(bed->fault);
	board_close(&bed->board);
}

static int bed_add(struct bed *bed, const char *text)
{
	struct fault_rule rule;
	char why[FAULTS_WHY];

	if (faults_parse(text, &rule, why))
		fail_msg("'%s': %s", text, why);
	return fault_add(bed->fault, &rule);
}

static void bed_open_idle(struct bed *bed)
{
	bed_open(bed, 1);
	board_power_on(&bed->board);
	assert_int_equal(host_clrstatus(&bed->board.host), USB_ACK);
}

/* A host that does as dfu-util does and gives up at the first thing that is not as it should be (LOG-2, LOG-3, LOG-5). */

static bool status_is(struct host *h, enum dfu_state state, uint32_t *poll_ms)
{
	uint8_t s[6] = { 0 };

	if (!h->attached || host_getstatus(h, s) != USB_ACK || s[0] != DFU_OK || s[4] != state)
		return false;
	if (poll_ms)
		*poll_ms = s[1] | (uint32_t)s[2] << 8 | (uint32_t)s[3] << 16;
	return true;
}

static bool executes(struct host *h, bool sleeps)
{
	uint32_t poll_ms;

	if (!status_is(h, DFU_DNBUSY, &poll_ms))
		return false;
	if (sleeps)
		host_sleep(h, MS(poll_ms));
	return status_is(h, DFU_DNLOAD_IDLE, NULL);
}

static bool does_command(struct host *h, uint8_t command, uint32_t address)
{
	return h->attached && host_command(h, command, address) == USB_ACK && executes(h, true);
}

static bool comes_to_idle(struct host *h)
{
	uint8_t s[6] = { 0 };

	if (!h->attached || host_getstatus(h, s) != USB_ACK)
		return false;
	if (s[4] == DFU_DNBUSY && host_getstatus(h, s) != USB_ACK)
		return false;
	if (s[4] == DFU_IDLE && s[0] == DFU_OK)
		return true;
	if ((s[4] == DFU_ERROR ? host_clrstatus(h) : host_abort(h)) != USB_ACK)
		return false;
	return status_is(h, DFU_IDLE, NULL);
}

static bool run_downloads(struct host *h, const uint8_t *image, size_t size)
{
	static const uint32_t sector_starts[] = { 0, 0x4000, 0x8000, 0xc000, 0x10000 };

	if (!comes_to_idle(h))
		return false;
	for (size_t i = 0; sector_starts[i] < size; i++)
		if (!does_command(h, DFUSE_ERASE, BASE + sector_starts[i]))
			return false;
	for (size_t at = 0; at < size; at += BLOCK_BYTES) {
		size_t length = size - at < BLOCK_BYTES ? size - at : BLOCK_BYTES;

		if (!does_command(h, DFUSE_SET_ADDRESS, BASE + (uint32_t)at) ||
		    host_dnload(h, 2, image + at, (uint16_t)length) != USB_ACK || !executes(h, true))
			return false;
	}
	return host_abort(h) == USB_ACK && status_is(h, DFU_IDLE, NULL);
}

static bool run_leaves(struct host *h)
{
	return does_command(h, DFUSE_SET_ADDRESS, BASE) && host_dnload(h, 2, NULL, 0) == USB_ACK &&
	       status_is(h, DFU_MANIFEST, NULL);
}

static void make_image(uint8_t *image, size_t size)
{
	static const uint8_t table[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };

	for (size_t i = 0; i < size; i++)
		image[i] = (uint8_t)(i * 31 + i / 251);
	memcpy(image, table, sizeof(table));
}

/* What a person does: plug, power, and RESET where the board does not show up as a bootloader in the middle of things. */
static void recover(struct bed *bed)
{
	struct board *b = &bed->board;

	fault_clear(bed->fault);
	host_sleep(&b->host, SECONDS(3));
	mcu_set_pin(b->mcu, PIN_VBUS, true);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	mcu_set_pin(b->mcu, PIN_VDD, true);
	host_sleep(&b->host, SECONDS(1));
	if (mcu_mode(b->mcu) != MCU_ROM || !b->host.attached || mcu_dfu_state(b->mcu) == DFU_MANIFEST_SYNC) {
		mcu_set_pin(b->mcu, PIN_NRST, false);
		host_sleep(&b->host, MS(20));
		mcu_set_pin(b->mcu, PIN_NRST, true);
		board_wait_attached(b);
	}
}

/* An error for the table that it runs from; NULL: all is well. */
static const char *clean_run(struct bed *bed, const uint8_t *image, size_t size)
{
	static uint8_t read_back[IMAGE_MOST];
	struct board *b = &bed->board;

	recover(bed);
	host_enumerate(&b->host);
	if (!run_downloads(&b->host, image, size))
		return "the download fails";
	assert_int_equal(flash_read(mcu_flash(b->mcu), BASE, read_back, size), 0);
	if (memcmp(read_back, image, size))
		return "the flash has other contents";
	if (!run_leaves(&b->host))
		return "the board does not leave";
	host_sleep(&b->host, SECONDS(1));
	return mcu_mode(b->mcu) == MCU_APPLICATION ? NULL : "the application does not start";
}

static void without_rules_nothing_changes(void **state)
{
	static uint8_t image[5000];
	struct bed bed;

	(void)state;
	make_image(image, sizeof(image));
	bed_open(&bed, 1);
	board_power_on(&bed.board);
	assert_null(clean_run(&bed, image, sizeof(image)));
	assert_int_equal(bed.fired, 0);
	assert_int_equal(bed.attached, 1);
	bed_close(&bed);
}

/* Actions on transfers */

static void stall_keeps_the_request_from_the_board(void **state)
{
	struct bed bed;

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "stall on=dnload");
	assert_int_equal(host_command(&bed.board.host, DFUSE_SET_ADDRESS, BASE), USB_STALL);
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_IDLE);
	board_set_address(&bed.board, BASE);
	assert_int_equal(bed.fired, 1);
	bed_close(&bed);
}

static void bus_error_is_no_answer_at_once(void **state)
{
	struct bed bed;
	uint64_t before_us;
	uint8_t s[6];

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "bus-error on=getstatus");
	before_us = bench_now_us(bed.board.bench);
	assert_int_equal(host_getstatus(&bed.board.host, s), USB_SILENT);
	assert_int_equal(bench_now_us(bed.board.bench), before_us);
	host_expect_status(&bed.board.host, GS_IDLE);
	bed_close(&bed);
}

static void silence_lasts_until_the_host_gives_up(void **state)
{
	struct bed bed;
	struct host_urb u;
	uint8_t s[6];

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "silent on=getstatus,count=1-3");
	assert_int_equal(host_getstatus(&bed.board.host, s), USB_CANCELLED);
	host_submit(&bed.board.host, &u, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, s);
	assert_false(host_wait(&bed.board.host, &u, SECONDS(100)));
	bed.board.host.dev->ops->bus_reset(bed.board.host.dev);
	assert_int_equal(u.completions, 1);
	assert_int_equal(u.urb.result, USB_CANCELLED);
	host_submit(&bed.board.host, &u, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, s);
	mcu_set_pin(bed.board.mcu, PIN_VDD, false);
	assert_int_equal(u.completions, 1);
	assert_int_equal(u.urb.result, USB_GONE);
	assert_false(bed.board.host.attached);
	bed_close(&bed);
}

static void delay_comes_before_the_board_has_it(void **state)
{
	struct bed bed;
	struct host_urb u;
	uint8_t s[6];
	uint64_t start_us;

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "delay=300ms on=clrstatus,count=2");
	bed_add(&bed, "delay=200ms on=clrstatus,count=2");
	assert_int_equal(host_clrstatus(&bed.board.host), USB_ACK);
	start_us = bench_now_us(bed.board.bench);
	host_submit(&bed.board.host, &u, (struct usb_setup){ 0x21, DFU_CLRSTATUS, 0, 0, 0 }, NULL);
	assert_false(host_wait(&bed.board.host, &u, MS(499)));
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_ERROR);
	assert_true(host_wait(&bed.board.host, &u, MS(100)));
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_IDLE);
	assert_in_range(u.done_us - start_us, MS(500), MS(510));
	/* Taken back in the meantime, the board never hears of it. */
	bed_add(&bed, "delay=10s on=clrstatus");
	assert_int_equal(host_clrstatus(&bed.board.host), USB_CANCELLED);
	host_sleep(&bed.board.host, SECONDS(20));
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_IDLE);
	assert_int_equal(host_getstatus(&bed.board.host, s), USB_ACK);
	bed_close(&bed);
}

static void short_cuts_replies_and_downloads(void **state)
{
	struct bed bed;
	struct host_urb u;
	uint8_t reply[6], data[64], back[64];
	size_t actual;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	bed_open_idle(&bed);
	bed_add(&bed, "short=3 on=getstatus");
	assert_int_equal(host_control(&bed.board.host, 0xa1, DFU_GETSTATUS, 0, 0, reply, 6, &actual), USB_ACK);
	assert_int_equal(actual, 3);
	board_set_address(&bed.board, BASE);
	bed_add(&bed, "short=60 on=write");
	host_submit(&bed.board.host, &u, (struct usb_setup){ 0x21, DFU_DNLOAD, 2, 0, 64 }, data);
	assert_true(host_wait(&bed.board.host, &u, SECONDS(1)));
	assert_int_equal(u.urb.result, USB_ACK);
	assert_int_equal(u.urb.actual, 60);
	host_expect_status(&bed.board.host, GS_SET);
	host_expect_status(&bed.board.host, GS_OK);
	assert_int_equal(flash_read(mcu_flash(bed.board.mcu), BASE, back, 64), 0);
	assert_memory_equal(back, data, 60);
	assert_int_equal(back[60], 0xff);
	/* Of nothing the board makes no other request. */
	bed_add(&bed, "short=0 on=write");
	assert_int_equal(host_dnload(&bed.board.host, 2, data, 64), USB_ACK);
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_DNLOAD_IDLE);
	bed_close(&bed);
}

static unsigned bits_that_differ(const uint8_t *a, const uint8_t *b, size_t length)
{
	unsigned n = 0;

	for (size_t i = 0; i < length; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			n += ((a[i] ^ b[i]) >> bit) & 1u;
	return n;
}

static void corrupt_flips_bits_of_both_directions(void **state)
{
	uint8_t data[256], kept[256], back[256];
	struct bed bed;
	size_t actual;
	unsigned flips;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	memcpy(kept, data, sizeof(data));
	bed_open_idle(&bed);
	board_set_address(&bed.board, BASE);
	bed_add(&bed, "corrupt on=write");
	board_write(&bed.board, 2, data, sizeof(data));
	assert_memory_equal(data, kept, sizeof(data)); /* the host's own bytes are left alone */
	assert_int_equal(flash_read(mcu_flash(bed.board.mcu), BASE, back, sizeof(back)), 0);
	flips = bits_that_differ(back, data, sizeof(data));
	assert_in_range(flips, 1, 8);
	assert_int_equal(host_abort(&bed.board.host), USB_ACK);
	bed_add(&bed, "corrupt=7 on=read");
	memcpy(kept, back, sizeof(back));
	assert_int_equal(host_upload(&bed.board.host, 2, back, sizeof(back), &actual), USB_ACK);
	assert_int_equal(bits_that_differ(back, kept, sizeof(back)), 1);
	assert_int_equal(bits_that_differ(back + 7, kept + 7, 1), 1);
	bed_close(&bed);
}

static void status_is_forged_and_the_board_does_not_know(void **state)
{
	struct bed bed;

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "status=errWRITE:dfuERROR");
	bed_add(&bed, "status=errVENDOR count=2");
	host_expect_status(&bed.board.host, 0x03, 0x00, 0x00, 0x00, 0x0a, 0x00);
	host_expect_status(&bed.board.host, 0x0b, 0x00, 0x00, 0x00, 0x02, 0x00);
	host_expect_status(&bed.board.host, GS_IDLE);
	bed_close(&bed);
}

/* Actions on the board */

static void unplug_and_replug(void **state)
{
	struct bed bed;

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "unplug=500ms on=dnload");
	assert_int_equal(host_command(&bed.board.host, DFUSE_SET_ADDRESS, BASE), USB_GONE);
	assert_false(bed.board.host.attached);
	host_sleep(&bed.board.host, MS(499));
	assert_false(bed.board.host.attached);
	host_sleep(&bed.board.host, MS(2));
	assert_true(bed.board.host.attached);
	assert_int_equal(mcu_dfu_state(bed.board.mcu), DFU_IDLE); /* the ROM took no notice */
	bed_add(&bed, "unplug on=getstatus");
	assert_int_equal(host_getstatus(&bed.board.host, (uint8_t[6]){ 0 }), USB_GONE);
	host_sleep(&bed.board.host, SECONDS(100));
	assert_false(bed.board.host.attached);
	bed_close(&bed);
}

static void power_cut_in_mid_program_leaves_a_part(void **state)
{
	static uint8_t data[2048], back[2048];
	struct bed bed;
	size_t whole = 0;

	(void)state;
	bed_open_idle(&bed);
	board_set_address(&bed.board, 0x08004000);
	bed_add(&bed, "power-cut=1s on=write,address=0x08004100,after=10ms");
	assert_int_equal(host_dnload(&bed.board.host, 2, data, sizeof(data)), USB_ACK);
	assert_int_equal(bed.fired, 0); /* it waits for the board to begin */
	host_expect_status(&bed.board.host, GS_SET);
	assert_int_equal(bed.fired, 1);
	host_sleep(&bed.board.host, MS(500));
	assert_int_equal(mcu_mode(bed.board.mcu), MCU_OFF);
	assert_int_equal(board_count(&bed.board, MCU_EVENT_CUT), 1);
	assert_int_equal(flash_read(mcu_flash(bed.board.mcu), 0x08004000, back, sizeof(back)), 0);
	while (whole < sizeof(back) && !back[whole])
		whole++;
	assert_in_range(whole, 100, 2000);
	assert_int_equal(back[sizeof(back) - 1], 0xff);
	board_wait_attached(&bed.board);
	assert_int_equal(mcu_mode(bed.board.mcu), MCU_ROM);
	bed_close(&bed);
}

static void reset_pulses_nrst(void **state)
{
	struct bed bed;

	(void)state;
	bed_open_idle(&bed);
	bed_add(&bed, "reset=50ms on=abort");
	assert_int_equal(host_abort(&bed.board.host), USB_GONE);
	assert_int_equal(mcu_mode(bed.board.mcu), MCU_IN_RESET);
	host_sleep(&bed.board.host, MS(51));
	assert_int_equal(mcu_mode(bed.board.mcu), MCU_ROM_STARTING);
	board_wait_attached(&bed.board);
	host_enumerate(&bed.board.host);
	host_expect_status(&bed.board.host, GS_START);
	bed_close(&bed);
}

static void an_action_on_the_board_may_go_by_the_clock(void **state)
{
	struct bed bed;

	(void)state;
	bed_open(&bed, 1);
	bed_add(&bed, "unplug=1s from=5s,after=1s");
	board_power_on(&bed.board);
	bench_advance(bed.board.bench, SECONDS(6) - 1);
	assert_true(bed.board.host.attached);
	bench_advance(bed.board.bench, SECONDS(6));
	assert_false(bed.board.host.attached);
	bench_advance(bed.board.bench, SECONDS(7));
	assert_true(bed.board.host.attached);
	bed_close(&bed);
}

/* BOOT-19 */
static void flaky_hse_hides_the_rom_until_time_or_reset(void **state)
{
	struct bed bed;
	struct board *b = &bed.board;

	(void)state;
	bed_open(&bed, 1);
	bed_add(&bed, "flaky-hse=40s count=1-2");
	mcu_set_pin(b->mcu, PIN_BOOT0, true);
	mcu_set_pin(b->mcu, PIN_VDD, true);
	bench_advance(b->bench, SECONDS(39));
	assert_int_equal(mcu_mode(b->mcu), MCU_ROM);
	assert_false(b->host.attached);
	bench_advance(b->bench, SECONDS(41));
	assert_true(b->host.attached);
	mcu_set_pin(b->mcu, PIN_NRST, false);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	bench_advance(b->bench, SECONDS(45));
	assert_false(b->host.attached); /* the second boot */
	mcu_set_pin(b->mcu, PIN_NRST, false);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	bench_advance(b->bench, SECONDS(46));
	assert_true(b->host.attached); /* the third is good */
	bed_add(&bed, "flaky-hse");
	mcu_set_pin(b->mcu, PIN_NRST, false);
	mcu_set_pin(b->mcu, PIN_NRST, true);
	bench_advance(b->bench, SECONDS(46 + 40));
	assert_false(b->host.attached);
	bench_advance(b->bench, SECONDS(46 + 121));
	assert_true(b->host.attached);
	bed_close(&bed);
}

/* Conditions: a session with every request once, and which of its requests a rule hits. */

enum step {
	S_GETSTATUS,
	S_CLRSTATUS,
	S_GET,
	S_ABORT,
	S_SET,
	S_GS1,
	S_GS2,
	S_ERASE,
	S_GS3,
	S_GS4,
	S_WRITE2,
	S_GS5,
	S_GS6,
	S_WRITE3,
	S_GS7,
	S_GS8,
	S_ABORT2,
	S_READ,
	S_GETSTATE,
	S_STRING,
	S_ALT,
	S_STEPS
};

static enum usb_result do_step(struct host *h, enum step step)
{
	static uint8_t data[2048];
	uint8_t buffer[64] = { 0 };

	switch (step) {
	case S_CLRSTATUS:
		return host_clrstatus(h);
	case S_GET:
		return host_upload(h, 0, buffer, 64, NULL);
	case S_ABORT:
	case S_ABORT2:
		return host_abort(h);
	case S_SET:
		return host_command(h, DFUSE_SET_ADDRESS, 0x08004000);
	case S_ERASE:
		return host_command(h, DFUSE_ERASE, 0x08004800);
	case S_WRITE2:
		return host_dnload(h, 2, data, sizeof(data));
	case S_WRITE3:
		return host_dnload(h, 3, data, sizeof(data));
	case S_READ:
		return host_upload(h, 2, data, 1024, NULL);
	case S_GETSTATE:
		return host_control(h, 0xa1, DFU_GETSTATE, 0, 0, buffer, 1, NULL);
	case S_STRING:
		return host_control(h, 0x80, 6, 0x0302, 0x0409, buffer, 64, NULL);
	case S_ALT:
		return host_control(h, 0x01, 11, 0, 0, NULL, 0, NULL);
	default:
		return host_getstatus(h, buffer);
	}
}

static void conditions_choose_the_transfer(void **state)
{
	static const struct {
		const char *give;
		uint32_t want; /* bits of the steps that it hits */
	} rows[] = {
		{ "on=getstatus", 1u << S_GETSTATUS },
		{ "on=getstatus,count=2", 1u << S_GS1 },
		{ "on=getstatus,count=2-4", 1u << S_GS1 | 1u << S_GS2 | 1u << S_GS3 },
		{ "on=getstatus,count=every:3", 1u << S_GS2 | 1u << S_GS5 | 1u << S_GS8 },
		{ "on=clrstatus", 1u << S_CLRSTATUS },
		{ "on=getstate", 1u << S_GETSTATE },
		{ "on=abort,count=any", 1u << S_ABORT | 1u << S_ABORT2 },
		{ "on=upload,count=any", 1u << S_GET | 1u << S_READ },
		{ "on=get", 1u << S_GET },
		{ "on=read", 1u << S_READ },
		{ "on=set-address", 1u << S_SET },
		{ "on=erase", 1u << S_ERASE },
		{ "on=write,count=any", 1u << S_WRITE2 | 1u << S_WRITE3 },
		{ "on=mass-erase", 0 },
		{ "on=unprotect", 0 },
		{ "on=leave", 0 },
		{ "on=dnload,count=any", 1u << S_SET | 1u << S_ERASE | 1u << S_WRITE2 | 1u << S_WRITE3 },
		{ "on=erase+write,count=any", 1u << S_ERASE | 1u << S_WRITE2 | 1u << S_WRITE3 },
		{ "on=get-descriptor", 1u << S_STRING },
		{ "on=set-interface", 1u << S_ALT },
		{ "on=any,count=any", (1u << S_STEPS) - 1 },
		{ "count=any", ((1u << S_STEPS) - 1) & ~(1u << S_STRING | 1u << S_ALT) },
		{ "", 1u << S_GETSTATUS },
		{ "block=3", 1u << S_WRITE3 },
		{ "block=2-3,on=dnload,count=any", 1u << S_WRITE2 | 1u << S_WRITE3 },
		{ "block=0,on=dnload,count=any", 1u << S_SET | 1u << S_ERASE },
		{ "address=0x08004000,on=set-address", 1u << S_SET },
		{ "address=0x08007fff,on=erase", 1u << S_ERASE }, /* the sector */
		{ "address=0x08008000,on=erase", 0 },
		/* The erase has set the pointer to 0x08004800 (CMD-8). */
		{ "address=0x08004fff,on=write", 1u << S_WRITE2 },
		{ "address=0x08005000-0x08005001,on=write", 1u << S_WRITE3 },
		{ "address=0x08004bff,on=read", 1u << S_READ },
		{ "address=0x08004c00,on=read", 0 },
		{ "state=dfuERROR,count=any", 1u << S_GETSTATUS | 1u << S_CLRSTATUS },
		{ "state=dfuDNLOAD-SYNC,count=any", 1u << S_GS1 | 1u << S_GS3 | 1u << S_GS5 | 1u << S_GS7 },
		{ "state=dfuDNBUSY,count=any", 1u << S_GS2 | 1u << S_GS4 | 1u << S_GS6 | 1u << S_GS8 },
		{ "state=dfuUPLOAD-IDLE", 1u << S_GETSTATE },
		{ "from=1000s", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[128] = "delay=1us ";
		uint32_t hit = 0;
		struct bed bed;

		bed_open(&bed, 1);
		board_power_on(&bed.board);
		bed_add(&bed, strcat(text, rows[i].give));
		for (unsigned step = 0; step < S_STEPS; step++) {
			unsigned before = bed.fired;

			assert_int_equal(do_step(&bed.board.host, (enum step)step), USB_ACK);
			hit |= (uint32_t)(bed.fired - before) << step;
		}
		if (hit != rows[i].want)
			fail_msg("'%s' hits 0x%x, not 0x%x", rows[i].give, hit, rows[i].want);
		bed_close(&bed);
	}
}

static uint64_t dice(uint64_t seed)
{
	struct bed bed;
	uint64_t hits = 0;

	bed_open(&bed, seed);
	board_power_on(&bed.board);
	bed_add(&bed, "stall on=getstatus,probability=25%,count=any");
	for (unsigned i = 0; i < 64; i++)
		hits = hits << 1 | (host_getstatus(&bed.board.host, (uint8_t[6]){ 0 }) == USB_STALL);
	bed_close(&bed);
	return hits;
}

static void probability_repeats_with_the_seed(void **state)
{
	uint64_t hits = dice(7);
	unsigned n = 0;

	(void)state;
	assert_true(hits == dice(7));
	assert_true(hits != dice(8));
	for (; hits; hits &= hits - 1)
		n++;
	assert_in_range(n, 4, 32);
}

static void rules_are_listed_removed_and_limited(void **state)
{
	struct fault_info info;
	struct fault_rule rule;
	struct bed bed;

	(void)state;
	bed_open_idle(&bed);
	assert_int_equal(bed_add(&bed, "stall on=abort,count=any"), 1);
	assert_int_equal(bed_add(&bed, "stall on=getstate"), 2);
	assert_int_equal(host_abort(&bed.board.host), USB_STALL);
	assert_true(fault_list(bed.fault, 0, &info));
	assert_int_equal(info.id, 1);
	assert_int_equal(info.matches, 1);
	assert_int_equal(info.fired, 1);
	assert_int_equal(fault_remove(bed.fault, 1), 0);
	assert_int_equal(fault_remove(bed.fault, 1), -ENOENT);
	assert_int_equal(host_abort(&bed.board.host), USB_ACK);
	assert_int_equal(bed_add(&bed, "stall"), 3);
	fault_clear(bed.fault);
	assert_false(fault_list(bed.fault, 0, &info));
	for (unsigned i = 0; i < FAULT_RULES; i++)
		assert_true(bed_add(&bed, "delay=1us count=any") > 0);
	assert_int_equal(host_abort(&bed.board.host), USB_ACK);
	rule = info.rule;
	assert_int_equal(fault_add(bed.fault, &rule), -ENOSPC);
	bed_close(&bed);
}

/* The board after a fault */

static void bring_to(struct bed *bed, enum dfu_state state)
{
	struct host *h = &bed->board.host;
	uint8_t buffer[64];

	if (state != DFU_ERROR)
		assert_int_equal(host_clrstatus(h), USB_ACK);
	switch (state) {
	case DFU_DNLOAD_SYNC:
	case DFU_DNBUSY:
		assert_int_equal(host_command(h, DFUSE_ERASE, BASE), USB_ACK);
		if (state == DFU_DNBUSY)
			host_expect_status(h, GS_ERASE);
		break;
	case DFU_DNLOAD_IDLE:
		board_set_address(&bed->board, BASE);
		break;
	case DFU_MANIFEST_SYNC:
	case DFU_MANIFEST:
		assert_int_equal(host_dnload(h, 0, NULL, 0), USB_ACK);
		if (state == DFU_MANIFEST)
			host_expect_status(h, GS_MANIFEST);
		break;
	case DFU_UPLOAD_IDLE:
		assert_int_equal(host_upload(h, 2, buffer, 64, NULL), USB_ACK);
		break;
	default:
		break;
	}
	assert_int_equal(mcu_dfu_state(bed->board.mcu), state);
}

static void one_request(struct host *h, enum dfu_request request)
{
	static uint8_t data[256];
	bool in = request == DFU_UPLOAD || request == DFU_GETSTATUS || request == DFU_GETSTATE;
	uint16_t length = request == DFU_DNLOAD || request == DFU_UPLOAD ? sizeof(data)
			  : request == DFU_GETSTATUS                     ? 6
			  : request == DFU_GETSTATE                      ? 1
									 : 0;

	if (h->attached)
		host_control(h, in ? 0xa1 : 0x21, (uint8_t)request, 2, 0, data, length, NULL);
}

static void after_each_fault_in_each_state_a_clean_run_succeeds(void **state)
{
	static const char *const faults[] = { "stall",
					      "silent",
					      "bus-error",
					      "delay=2s",
					      "delay=20s",
					      "short=0",
					      "short=3",
					      "corrupt",
					      "status=errWRITE:dfuERROR",
					      "unplug=200ms on=dfu",
					      "unplug on=dfu",
					      "power-cut=200ms on=dfu",
					      "power-cut on=dfu",
					      "power-cut=200ms on=dfu,after=5ms",
					      "unplug=1s on=dfu,after=1ms",
					      "reset on=dfu",
					      "unplug=10ms",
					      "flaky-hse count=any" };
	static const enum dfu_state states[] = { DFU_IDLE,          DFU_DNLOAD_SYNC, DFU_DNBUSY,      DFU_DNLOAD_IDLE,
						 DFU_MANIFEST_SYNC, DFU_MANIFEST,    DFU_UPLOAD_IDLE, DFU_ERROR };
	static uint8_t image[5000];

	(void)state;
	make_image(image, sizeof(image));
	for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
		for (size_t s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
			for (unsigned request = DFU_DETACH; request <= DFU_ABORT; request++) {
				const char *wrong;
				struct bed bed;

				bed_open(&bed, f + s);
				board_power_on(&bed.board);
				bring_to(&bed, states[s]);
				bed_add(&bed, faults[f]);
				one_request(&bed.board.host, (enum dfu_request)request);
				one_request(&bed.board.host, DFU_GETSTATUS);
				wrong = clean_run(&bed, image, sizeof(image));
				if (wrong)
					fail_msg("'%s' at %s in %s: %s", faults[f], dfu_request_name(request),
						 dfu_state_name(states[s]), wrong);
				bed_close(&bed);
			}
		}
	}
}

static void after_a_power_cut_at_any_block_a_clean_run_succeeds(void **state)
{
	static uint8_t image[IMAGE_MOST];

	(void)state;
	make_image(image, sizeof(image));
	for (unsigned i = 1; i <= IMAGE_MOST / BLOCK_BYTES + 4; i++) {
		bool erasing = i <= 4;
		const char *wrong;
		struct bed bed;
		char text[80];

		bed_open(&bed, i);
		board_power_on(&bed.board);
		snprintf(text, sizeof(text), "power-cut=500ms on=%s,count=%u,after=%uus", erasing ? "erase" : "write",
			 erasing ? i : i - 4, erasing ? 50000 * i : 997 * i % 30000);
		bed_add(&bed, text);
		assert_false(run_downloads(&bed.board.host, image, sizeof(image)));
		assert_int_equal(bed.fired, 1);
		assert_int_equal(board_count(&bed.board, MCU_EVENT_CUT), 1);
		wrong = clean_run(&bed, image, sizeof(image));
		if (wrong)
			fail_msg("'%s': %s", text, wrong);
		bed_close(&bed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rules_nothing_changes),
		cmocka_unit_test(stall_keeps_the_request_from_the_board),
		cmocka_unit_test(bus_error_is_no_answer_at_once),
		cmocka_unit_test(silence_lasts_until_the_host_gives_up),
		cmocka_unit_test(delay_comes_before_the_board_has_it),
		cmocka_unit_test(short_cuts_replies_and_downloads),
		cmocka_unit_test(corrupt_flips_bits_of_both_directions),
		cmocka_unit_test(status_is_forged_and_the_board_does_not_know),
		cmocka_unit_test(unplug_and_replug),
		cmocka_unit_test(power_cut_in_mid_program_leaves_a_part),
		cmocka_unit_test(reset_pulses_nrst),
		cmocka_unit_test(an_action_on_the_board_may_go_by_the_clock),
		cmocka_unit_test(flaky_hse_hides_the_rom_until_time_or_reset),
		cmocka_unit_test(conditions_choose_the_transfer),
		cmocka_unit_test(probability_repeats_with_the_seed),
		cmocka_unit_test(rules_are_listed_removed_and_limited),
		cmocka_unit_test(after_each_fault_in_each_state_a_clean_run_succeeds),
		cmocka_unit_test(after_a_power_cut_at_any_block_a_clean_run_succeeds),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
