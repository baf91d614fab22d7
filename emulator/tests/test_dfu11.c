// SPDX-License-Identifier: GPL-2.0-or-later
/* The device that keeps to DFU 1.1: appendix A.2, state by state, and whole exchanges. Rows are those of siblings.md. */
#include "board.h"

#define BLOCK 1024u
#define FLASH_BYTES (256u * 1024)
#define GS(state) 0, 0, 0, 0, (state), 0
#define GS_BUSY 0, 50, 0, 0, DFU_DNBUSY, 0
#define GS_MANIFESTS 0, 100, 0, 0, DFU_MANIFEST, 0

static void open_board(struct board *b, const char *profile)
{
	board_open_as(b, profile);
	board_power_on(b);
	b->event_count = 0;
}

static void send_block(struct board *b, uint16_t number, const uint8_t *data, uint16_t length)
{
	assert_int_equal(host_dnload(&b->host, number, data, length), USB_ACK);
	host_expect_status(&b->host, GS_BUSY);
	host_sleep(&b->host, MS(50));
	host_expect_status(&b->host, GS(DFU_DNLOAD_IDLE));
}

/* From dfuIDLE into a state. */
static void go_to(struct board *b, enum dfu_state state)
{
	static const uint8_t data[8] = { 1 };
	uint8_t in[8];

	switch (state) {
	case DFU_IDLE:
		break;
	case DFU_DNLOAD_SYNC:
		assert_int_equal(host_dnload(&b->host, 0, data, sizeof data), USB_ACK);
		break;
	case DFU_DNBUSY:
		go_to(b, DFU_DNLOAD_SYNC);
		host_expect_status(&b->host, GS_BUSY);
		break;
	case DFU_DNLOAD_IDLE:
		send_block(b, 0, data, sizeof data);
		break;
	case DFU_MANIFEST_SYNC:
		go_to(b, DFU_DNLOAD_IDLE);
		assert_int_equal(host_dnload(&b->host, 1, NULL, 0), USB_ACK);
		break;
	case DFU_MANIFEST:
		go_to(b, DFU_MANIFEST_SYNC);
		host_expect_status(&b->host, GS_MANIFESTS);
		break;
	case DFU_MANIFEST_WAIT_RESET:
		go_to(b, DFU_MANIFEST);
		host_sleep(&b->host, MS(100));
		break;
	case DFU_UPLOAD_IDLE:
		assert_int_equal(host_upload(&b->host, 0, in, sizeof in, NULL), USB_ACK);
		break;
	case DFU_ERROR:
		assert_int_equal(host_clrstatus(&b->host), USB_STALL);
		break;
	}
	assert_int_equal(mcu_dfu_state(b->mcu), state);
}

static enum usb_result ask(struct board *b, unsigned request)
{
	bool in = request == DFU_UPLOAD || request == DFU_GETSTATUS || request == DFU_GETSTATE;
	bool has_data = in || request == DFU_DNLOAD;
	uint8_t data[8] = { 0 };

	return host_control(&b->host, in ? 0xa1 : 0x21, (uint8_t)request, 0, 0, data,
			    (uint16_t)(!has_data                  ? 0
				       : request == DFU_GETSTATUS ? 6
				       : request == DFU_GETSTATE  ? 1
								  : 8),
			    NULL);
}

/* DFU11-3: for each state the requests that it takes, and where they lead; all others stall and lead to dfuERROR. */
static void each_state_takes_its_requests_and_stalls_the_others(void **state)
{
	enum { NO = 0xff };
	static const struct {
		const char *profile;
		enum dfu_state state;
		uint8_t next[7]; /* by request: DETACH DNLOAD UPLOAD GETSTATUS CLRSTATUS GETSTATE ABORT */
		enum dfu_state refused;
	} rows[] = {
		{ "dfu11",
		  DFU_IDLE,
		  { NO, DFU_DNLOAD_SYNC, DFU_UPLOAD_IDLE, DFU_IDLE, NO, DFU_IDLE, DFU_IDLE },
		  DFU_ERROR },
		{ "dfu11", DFU_DNLOAD_SYNC, { NO, NO, NO, DFU_DNBUSY, NO, DFU_DNLOAD_SYNC, NO }, DFU_ERROR },
		{ "dfu11", DFU_DNBUSY, { NO, NO, NO, NO, NO, NO, NO }, DFU_ERROR },
		{ "dfu11",
		  DFU_DNLOAD_IDLE,
		  { NO, DFU_DNLOAD_SYNC, NO, DFU_DNLOAD_IDLE, NO, DFU_DNLOAD_IDLE, DFU_IDLE },
		  DFU_ERROR },
		{ "dfu11", DFU_MANIFEST_SYNC, { NO, NO, NO, DFU_MANIFEST, NO, DFU_MANIFEST_SYNC, NO }, DFU_ERROR },
		{ "dfu11", DFU_MANIFEST, { NO, NO, NO, NO, NO, NO, NO }, DFU_ERROR },
		{ "dfu11-reset",
		  DFU_MANIFEST_WAIT_RESET,
		  { NO, NO, NO, DFU_MANIFEST_WAIT_RESET, NO, DFU_MANIFEST_WAIT_RESET, NO },
		  DFU_MANIFEST_WAIT_RESET },
		{ "dfu11",
		  DFU_UPLOAD_IDLE,
		  { NO, NO, DFU_UPLOAD_IDLE, DFU_UPLOAD_IDLE, NO, DFU_UPLOAD_IDLE, DFU_IDLE },
		  DFU_ERROR },
		{ "dfu11", DFU_ERROR, { NO, NO, NO, DFU_ERROR, DFU_IDLE, DFU_ERROR, NO }, DFU_ERROR },
	};
	struct board b;

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (unsigned request = 0; request < 8; request++) {
			uint8_t next = request < 7 ? rows[i].next[request] : NO; /* 7: there is no such request */

			open_board(&b, rows[i].profile);
			go_to(&b, rows[i].state);
			assert_int_equal(ask(&b, request), next == NO ? USB_STALL : USB_ACK);
			assert_int_equal(mcu_dfu_state(b.mcu), next == NO ? rows[i].refused : next);
			if (next == NO && rows[i].refused == DFU_ERROR)
				assert_int_equal(mcu_dfu_status(b.mcu), DFU_ERR_STALLEDPKT);
			host_sleep(&b.host, SECONDS(1));
			board_close(&b);
		}
	}
}

static void an_image_is_erased_written_and_manifested(void **state)
{
	static uint8_t image[5 * BLOCK + 13], cells[sizeof image];
	uint8_t old[FLASH_BYTES];
	struct board b;

	(void)state; /* DFU11-4, DFU11-5 */
	open_board(&b, "dfu11");
	memset(old, 0, sizeof old);
	assert_int_equal(flash_load(mcu_flash(b.mcu), 0, old, sizeof old), 0);
	for (size_t i = 0; i < sizeof image; i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	for (uint16_t n = 0; n * BLOCK < sizeof image; n++) {
		size_t left = sizeof image - n * BLOCK;

		/* the device counts for itself: any number will do */
		send_block(&b, (uint16_t)(n * 3), image + n * BLOCK, (uint16_t)(left < BLOCK ? left : BLOCK));
	}
	assert_int_equal(host_dnload(&b.host, 6, NULL, 0), USB_ACK);
	host_expect_status(&b.host, GS_MANIFESTS);
	host_sleep(&b.host, MS(100));
	host_expect_status(&b.host, GS(DFU_IDLE));
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, cells, sizeof cells), 0);
	assert_memory_equal(cells, image, sizeof image);
	for (unsigned s = 0; s < flash_sector_count(mcu_flash(b.mcu)); s++)
		assert_int_equal(flash_erase_count(mcu_flash(b.mcu), s), s < 3);
	assert_int_equal(board_count(&b, MCU_EVENT_ERASED), 3);
	assert_int_equal(board_last(&b, MCU_EVENT_ERASED)->address, 0x08001000);
	assert_int_equal(board_last(&b, MCU_EVENT_ERASED)->length, 2048);
	assert_int_equal(board_count(&b, MCU_EVENT_PROGRAMMED), 6);
	/* the rest of the third page is erased, the fourth is as it was */
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x080017ff, cells, 2), 0);
	assert_int_equal(cells[0], 0xff);
	assert_int_equal(cells[1], 0);
	/* and a second image starts at the beginning */
	send_block(&b, 0, image, 8);
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000008, cells, 1), 0);
	assert_int_equal(cells[0], 0xff);
	board_close(&b);
}

static void an_upload_ends_with_a_short_frame(void **state)
{
	static const uint16_t lengths[] = { 1024, 1000 }; /* the one fills the last block, the other does not */
	uint8_t data[BLOCK];
	struct board b;
	size_t actual, sum;
	uint16_t block;

	(void)state; /* DFU11-6 */
	for (unsigned i = 0; i < 2; i++) {
		open_board(&b, "dfu11");
		sum = 0;
		for (block = 0;; block++) {
			assert_int_equal(host_upload(&b.host, block, data, lengths[i], &actual), USB_ACK);
			sum += actual;
			if (actual < lengths[i])
				break;
			assert_int_equal(mcu_dfu_state(b.mcu), DFU_UPLOAD_IDLE);
		}
		assert_int_equal(sum, FLASH_BYTES);
		assert_int_equal(actual, FLASH_BYTES % lengths[i]);
		assert_int_equal(mcu_dfu_state(b.mcu), DFU_IDLE);
		board_close(&b);
	}
}

static void who_asks_before_the_time_out_is_over_spoils_the_download(void **state)
{
	uint8_t data[BLOCK] = { 1, 2, 3 }, status[6], cells[3];
	struct board b;

	(void)state; /* DFU11-4 */
	open_board(&b, "dfu11");
	assert_int_equal(host_dnload(&b.host, 0, data, sizeof data), USB_ACK);
	host_expect_status(&b.host, GS_BUSY);
	host_sleep(&b.host, MS(45)); /* the work is done by now, the time-out is not */
	assert_int_equal(host_getstatus(&b.host, status), USB_STALL);
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_STALLEDPKT));
	assert_int_equal(host_clrstatus(&b.host), USB_STALL); /* not before the work is over */
	host_sleep(&b.host, MS(50));
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_STALLEDPKT));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	host_expect_status(&b.host, GS(DFU_IDLE));
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, cells, 3), 0);
	assert_memory_equal(cells, data, 3);
	board_close(&b);
}

static void refusals_have_their_status(void **state)
{
	static uint8_t data[BLOCK + 1];
	struct board b;

	(void)state; /* DFU11-3 */
	open_board(&b, "dfu11");
	assert_int_equal(host_dnload(&b.host, 0, NULL, 0), USB_STALL); /* no image yet */
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_STALLEDPKT));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_dnload(&b.host, 0, data, BLOCK + 1), USB_STALL); /* wTransferSize */
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_STALLEDPKT));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 0, data, BLOCK + 1, NULL), USB_STALL);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	for (uint32_t at = 0; at < FLASH_BYTES; at += BLOCK)
		send_block(&b, (uint16_t)(at / BLOCK), data, BLOCK);
	assert_int_equal(host_dnload(&b.host, 0, data, 1), USB_ACK);
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_ADDRESS));
	board_close(&b);
}

static void a_bus_reset_ends_dfu_mode_once_the_host_has_spoken(void **state)
{
	struct board b;

	(void)state; /* DFU11-7 */
	open_board(&b, "dfu11-reset");
	board_load_application(&b, 0);
	b.host.dev->ops->bus_reset(b.host.dev);
	host_enumerate(&b.host);
	host_sleep(&b.host, MS(10));
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM); /* that was the enumeration */
	host_expect_status(&b.host, GS(DFU_IDLE));
	b.host.dev->ops->bus_reset(b.host.dev);
	host_sleep(&b.host, MS(10));
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

static void a_device_that_will_detach_does_so_after_the_manifestation(void **state)
{
	static const uint8_t table[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };
	struct board b;

	(void)state; /* DFU11-5 */
	for (unsigned i = 0; i < 2; i++) {
		open_board(&b, i ? "dfu11-reset" : "dfu11-detach");
		send_block(&b, 0, table, sizeof table);
		assert_int_equal(host_dnload(&b.host, 1, NULL, 0), USB_ACK);
		host_expect_status(&b.host, GS_MANIFESTS);
		host_sleep(&b.host, MS(99));
		assert_true(b.host.attached);
		host_sleep(&b.host, MS(2));
		assert_int_equal(b.host.attached, i);
		if (i) {
			host_expect_status(&b.host, GS(DFU_MANIFEST_WAIT_RESET));
			b.host.dev->ops->bus_reset(b.host.dev);
			host_sleep(&b.host, MS(10));
		}
		assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
		board_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_takes_its_requests_and_stalls_the_others),
		cmocka_unit_test(an_image_is_erased_written_and_manifested),
		cmocka_unit_test(an_upload_ends_with_a_short_frame),
		cmocka_unit_test(who_asks_before_the_time_out_is_over_spoils_the_download),
		cmocka_unit_test(refusals_have_their_status),
		cmocka_unit_test(a_bus_reset_ends_dfu_mode_once_the_host_has_spoken),
		cmocka_unit_test(a_device_that_will_detach_does_so_after_the_manifestation),
	};

	return cmocka_run_group_tests_name("dfu11", tests, NULL, NULL);
}
