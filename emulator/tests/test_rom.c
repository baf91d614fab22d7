/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ROM over USB: what it answers and when, what it lets a host reach, and whole exchanges as tools send them. */
#include "board.h"

static void the_start_state_is_dfuerror_until_the_first_clrstatus(void **state)
{
	struct board b;

	(void)state;
	board_open(&b);
	board_power_on(&b);
	host_expect_status(&b.host, GS_START); /* GS-4 */
	host_expect_status(&b.host, GS_START); /* ST-23 */
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE); /* ST-13 */
	board_close(&b);
}

static void the_second_getstatus_is_held_until_the_erase_is_over(void **state)
{
	struct host_urb second;
	struct board b;
	uint64_t begun_us;
	uint8_t status[6];

	(void)state; /* EX-3, TM-2 */
	board_open_idle(&b);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	begun_us = bench_now_us(b.bench);
	host_expect_status(&b.host, GS_ERASE);
	assert_true(bench_now_us(b.bench) - begun_us < MS(1)); /* EX-10 */
	begun_us = bench_now_us(b.bench);
	host_submit(&b.host, &second, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_false(host_wait(&b.host, &second, MS(399)));
	assert_true(host_wait(&b.host, &second, MS(2)));
	assert_memory_equal(status, ((uint8_t[]){ GS_OK }), 6); /* never dfuDNBUSY twice */
	assert_int_equal(second.done_us - begun_us, MS(400) + 3 * b.profile.ep0_packet_us);
	board_close(&b);
}

static void the_first_getstatus_ends_after_the_erase_where_the_profile_says_so(void **state)
{
	struct host_urb first, second;
	struct board b;
	uint8_t status[6] = { 0 };

	(void)state; /* U3, the other way: EX-10 */
	board_open_idle(&b);
	b.profile.first_getstatus_waits = true;
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_submit(&b.host, &first, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_false(host_wait(&b.host, &first, MS(399)));
	assert_true(host_wait(&b.host, &first, MS(2)));
	assert_memory_equal(status, ((uint8_t[]){ GS_ERASE }), 6);
	assert_int_equal(first.urb.actual, 6);
	host_expect_status(&b.host, GS_OK);

	/* given up in between, and the erase goes on */
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_submit(&b.host, &first, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_false(host_wait(&b.host, &first, MS(100)));
	host_submit(&b.host, &second, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	b.host.dev->ops->cancel(b.host.dev, &first.urb);
	assert_int_equal(first.urb.result, USB_CANCELLED);
	assert_false(host_wait(&b.host, &second, MS(299)));
	assert_true(host_wait(&b.host, &second, MS(2)));
	assert_memory_equal(status, ((uint8_t[]){ GS_OK }), 6);
	assert_int_equal(flash_erase_count(mcu_flash(b.mcu), 0), 2);

	/* leaving and errors are as ever */
	assert_int_equal(host_command(&b.host, DFUSE_SET_ADDRESS, 0), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x01));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_leave(&b);
	board_close(&b);
}

static void a_cancelled_request_leaves_no_trace_and_the_next_one_is_held(void **state)
{
	struct host_urb held;
	struct board b;
	uint8_t status[6];

	(void)state; /* EX-8, EX-9 */
	board_open_idle(&b);
	assert_int_equal(host_dnload(&b.host, 0, "\x41", 1), USB_ACK);
	host_expect_status(&b.host, GS_ERASE); /* GS-8 */
	b.host.timeout_us = SECONDS(5);
	assert_int_equal(host_getstatus(&b.host, status), USB_CANCELLED);
	assert_int_equal(host_clrstatus(&b.host), USB_CANCELLED);
	host_submit(&b.host, &held, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_false(host_wait(&b.host, &held, SECONDS(5)));
	assert_true(host_wait(&b.host, &held, SECONDS(2))); /* TM-5: 16 s in all */
	assert_memory_equal(status, ((uint8_t[]){ GS_OK }), 6);
	assert_int_equal(board_last(&b, MCU_EVENT_ERASED)->length, 0x100000);
	board_close(&b);
}

static void while_executing_nothing_is_serviced_and_all_comes_in_order_afterwards(void **state)
{
	struct host_urb clear, interface, status_urb;
	struct board b;
	uint8_t status[6];

	(void)state; /* ST-20, U12 */
	board_open_idle(&b);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_submit(&b.host, &clear, (struct usb_setup){ 0x21, DFU_CLRSTATUS, 0, 0, 0 }, NULL);
	host_submit(&b.host, &interface, (struct usb_setup){ 0x01, 11, 2, 0, 0 }, NULL);
	host_submit(&b.host, &status_urb, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	host_sleep(&b.host, MS(398));
	assert_int_equal(clear.completions + interface.completions + status_urb.completions, 0);
	assert_true(host_wait(&b.host, &status_urb, MS(10)));
	assert_int_equal(clear.urb.result, USB_ACK);
	assert_true(clear.done_us < interface.done_us && interface.done_us < status_urb.done_us);
	assert_memory_equal(status, ((uint8_t[]){ GS_FAILED(0x0e) }), 6);
	board_close(&b);
}

static void a_bus_reset_while_executing_is_seen_afterwards(void **state)
{
	struct host_urb pending;
	struct board b;
	uint8_t byte;

	(void)state; /* ST-20, RST-9 */
	board_open_idle(&b);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_submit(&b.host, &pending, (struct usb_setup){ 0xa1, DFU_GETSTATE, 0, 0, 1 }, &byte);
	b.host.dev->ops->bus_reset(b.host.dev);
	assert_int_equal(pending.completions, 1);
	assert_int_equal(pending.urb.result, USB_CANCELLED);
	assert_int_equal(host_control(&b.host, 0x80, 8, 0, 0, &byte, 1, NULL), USB_ACK); /* held, then: */
	assert_int_equal(byte, 0);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_OK);
	board_close(&b);
}

static void a_transfer_takes_its_packets_on_the_bus(void **state)
{
	struct board b;
	uint8_t data[2048] = { 0 };
	uint64_t begun_us;

	(void)state; /* EX-12 */
	board_open_idle(&b);
	begun_us = bench_now_us(b.bench);
	assert_int_equal(host_dnload(&b.host, 2, data, sizeof data), USB_ACK);
	assert_int_equal(bench_now_us(b.bench) - begun_us, 34 * b.profile.ep0_packet_us);
	begun_us = bench_now_us(b.bench);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0301, 0, data, 255, NULL), USB_ACK);
	assert_int_equal(bench_now_us(b.bench) - begun_us, 3 * b.profile.ep0_packet_us);
	board_close(&b);
}

static void without_bus_time_transfers_complete_in_submit(void **state)
{
	struct host_urb u;
	struct board b;
	uint8_t status[6];

	(void)state;
	board_open(&b);
	b.profile.ep0_packet_us = 0;
	board_power_on(&b);
	host_submit(&b.host, &u, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_int_equal(u.completions, 1);
	assert_memory_equal(status, ((uint8_t[]){ GS_START }), 6);
	board_close(&b);
}

static void a_transfer_cancelled_on_the_bus_has_no_effect(void **state)
{
	struct host_urb u;
	struct board b;

	(void)state;
	board_open(&b);
	board_power_on(&b);
	host_submit(&b.host, &u, (struct usb_setup){ 0x21, DFU_CLRSTATUS, 0, 0, 0 }, NULL);
	host_sleep(&b.host, 10);
	b.host.dev->ops->cancel(b.host.dev, &u.urb);
	assert_int_equal(u.urb.result, USB_CANCELLED);
	b.host.dev->ops->cancel(b.host.dev, &u.urb);
	assert_int_equal(u.completions, 1);
	host_sleep(&b.host, SECONDS(1));
	host_expect_status(&b.host, GS_START);
	board_close(&b);
}

static void there_is_no_endpoint_but_zero(void **state)
{
	struct host_urb u = { .urb = { .endpoint = 0x81 } };
	struct board b;
	uint8_t data[64];

	(void)state; /* ID-14 */
	board_open_idle(&b);
	u.urb.data = data;
	u.urb.length = sizeof data;
	u.urb.context = &u;
	b.host.dev->ops->submit(b.host.dev, &u.urb);
	assert_int_equal(u.completions, 1);
	assert_int_equal(u.urb.result, USB_SILENT);
	board_close(&b);
}

static void causes_of_errors_give_the_documented_status(void **state)
{
	enum { RDP1 = 1, WRP = 2 };
	static const struct {
		const char *name;
		int setup;
		uint32_t pointer;
		uint16_t block;
		uint8_t give[16];
		uint16_t length;
		uint8_t want_first_state, want_status;
	} rows[] = {
		{ "ERR-1 Set-Address 0", 0, 0, 0, { 0x21, 0, 0, 0, 0 }, 5, 4, 0x01 },
		{ "ERR-1 Set-Address behind flash", 0, 0, 0, { 0x21, 0, 0, 0x10, 0x08 }, 5, 4, 0x01 },
		{ "ERR-1 Set-Address in the ROM's RAM", 0, 0, 0, { 0x21, 0xff, 0x1f, 0, 0x20 }, 5, 4, 0x01 },
		{ "MAP-4 Set-Address in free RAM", 0, 0, 0, { 0x21, 0, 0x20, 0, 0x20 }, 5, 4, 0 },
		{ "MAP-5 Set-Address in CCM", 0, 0, 0, { 0x21, 0, 0, 0, 0x10 }, 5, 4, 0x01 },
		{ "MAP-6 Set-Address in system memory", 0, 0, 0, { 0x21, 0, 0, 0xff, 0x1f }, 5, 4, 0 },
		{ "MAP-8 Set-Address at the UID", 0, 0, 0, { 0x21, 0x10, 0x7a, 0xff, 0x1f }, 5, 4, 0x01 },
		{ "MAP-11 Set-Address at IDCODE", 0, 0, 0, { 0x21, 0, 0x20, 0x04, 0xe0 }, 5, 4, 0x01 },
		{ "ERR-1 write behind flash", 0, 0x080fffff, 2, { 1, 2 }, 2, 4, 0x01 },
		{ "ERR-1 write to system memory", 0, 0x1fff0000, 2, { 1, 2 }, 2, 4, 0x01 },
		{ "ERR-1 write far away", 0, 0xffff0000, 0xffff, { 1, 2 }, 2, 4, 0x01 },
		{ "ERR-1 erase behind flash", 0, 0, 0, { 0x41, 0, 0, 0x10, 0x08 }, 5, 4, 0x01 },
		{ "ERR-2 RDP write", RDP1, 0x08000000, 2, { 1, 2 }, 2, 4, 0x0b },
		{ "ERR-2 RDP write to RAM", RDP1, 0x20004000, 2, { 1, 2 }, 2, 4, 0x0b },
		{ "ERR-2 RDP write of options", RDP1, 0x1fffc000, 2, { 1, 2 }, 16, 4, 0x0b },
		{ "ERR-2 RDP erase", RDP1, 0, 0, { 0x41, 0, 0, 0, 0x08 }, 5, 4, 0x0b },
		{ "ERR-2 RDP mass erase", RDP1, 0, 0, { 0x41 }, 1, 4, 0x0b },
		{ "ERR-2 RDP before address", RDP1, 0, 0, { 0x41, 0, 0, 0x10, 0x08 }, 5, 4, 0x0b },
		{ "ERR-3 RDP Set-Address", RDP1, 0, 0, { 0x21, 0, 0, 0, 0x08 }, 5, 4, 0x0b },
		{ "ERR-5 unknown command", 0, 0, 0, { 0x55 }, 1, 10, 0x0f },
		{ "ERR-8 write to a protected sector", WRP, 0x08000000, 2, { 1, 2 }, 2, 4, 0 },
		{ "ERR-8 erase of a protected sector", WRP, 0, 0, { 0x41, 0, 0, 0, 0x08 }, 5, 4, 0 },
		{ "FL-8 mass erase with a protected sector", WRP, 0, 0, { 0x41 }, 1, 4, 0 },
		{ "ERR-9 write over zeros", 0, 0x08000100, 2, { 0xff, 0xff }, 2, 4, 0 },
		{ "ERR-10 erase inside a sector", 0, 0, 0, { 0x41, 0xff, 0x3f, 0, 0x08 }, 5, 4, 0 },
		{ "ERR-11 erase of OTP", 0, 0, 0, { 0x41, 0, 0x78, 0xff, 0x1f }, 5, 4, 0x01 },
		{ "ERR-11 erase of options", 0, 0, 0, { 0x41, 0, 0xc0, 0xff, 0x1f }, 5, 4, 0x01 },
		{ "ERR-11 erase of RAM", 0, 0, 0, { 0x41, 0, 0x40, 0, 0x20 }, 5, 4, 0x01 },
		{ "ERR-12 feature 7", 0, 0xffff0000, 2, { 7 }, 1, 4, 0x01 },
		{ "ERR-12 reserved feature byte", 0, 0xffff0000, 2, { 0, 0 }, 2, 4, 0x01 },
		{ "FEAT-1 feature 3", 0, 0xffff0000, 2, { 3, 0xff, 0xff, 0xff }, 4, 4, 0 },
		{ "FEAT-3 reserved byte alone", 0, 0xffff0003, 2, { 0xff }, 1, 4, 0 },
		{ "feature word and behind", 0, 0xffff0000, 2, { 0, 0xff, 0xff, 0xff, 0xff }, 5, 4, 0x01 },
		{ "OB-7 options of 8 bytes", 0, 0x1fffc000, 2, { 0xef, 0xaa }, 8, 4, 0x01 },
		{ "OB-8 options not at the start", 0, 0x1fffc008, 2, { 0xff, 0x7f }, 8, 4, 0x01 },
		{ "MAP-4 RAM", 0, 0x2001ffff, 2, { 1 }, 1, 4, 0 },
		{ "MAP-4 across the end of RAM", 0, 0x2001ffff, 2, { 1, 2 }, 2, 4, 0x01 },
		{ "ERR-1 Set-Address FFFFFFFF", 0, 0, 0, { 0x21, 0xff, 0xff, 0xff, 0xff }, 5, 4, 0x01 },
		{ "ERR-1 erase FFFFFFFF", 0, 0, 0, { 0x41, 0xff, 0xff, 0xff, 0xff }, 5, 4, 0x01 },
		{ "ERR-1 write that wraps to 0", 0, 0xffff0000, 34, { 1, 2 }, 2, 4, 0x01 },
		{ "MAP-7 across the locks", 0, 0x1fff7a0f, 2, { 1, 2 }, 2, 4, 0x01 },
		{ "ERR-1 from system memory into OTP", 0, 0x1fff77ff, 2, { 1, 2 }, 2, 4, 0x01 },
		{ "OB-7 options and behind", 0, 0x1fffc000, 2, { 0xef, 0xaa }, 15, 4, 0x01 },
		{ "OB-8 options by block 3", 0, 0x1fffc000, 3, { 0xef, 0xaa }, 16, 4, 0x01 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static const uint8_t wrp[16] = { 0xef, 0xaa, 0x10, 0x55, 0xef, 0xaa, 0x10, 0x55,
						 0xfe, 0x7f, 0x01, 0x80, 0xfe, 0x7f, 0x01, 0x80 };
		struct board b;
		uint8_t status[6];
		uint64_t generation;

		board_open_idle(&b);
		if (rows[i].setup & WRP)
			flash_set_options(mcu_flash(b.mcu), wrp);
		if (rows[i].pointer && !(rows[i].setup & RDP1))
			board_set_address(&b, rows[i].pointer);
		if (rows[i].setup & RDP1)
			board_set_rdp(&b, 0x00);
		generation = flash_generation(mcu_flash(b.mcu));
		assert_int_equal(host_dnload(&b.host, rows[i].block, rows[i].give, rows[i].length), USB_ACK);
		assert_int_equal(host_getstatus(&b.host, status), USB_ACK);
		if (status[4] != rows[i].want_first_state)
			fail_msg("%s: first state %u", rows[i].name, status[4]);
		assert_int_equal(host_getstatus(&b.host, status), USB_ACK);
		if (status[0] != rows[i].want_status || status[4] != (rows[i].want_status ? 10 : 5))
			fail_msg("%s: second status %u, state %u", rows[i].name, status[0], status[4]);
		if ((rows[i].want_status || rows[i].setup) && flash_generation(mcu_flash(b.mcu)) != generation)
			fail_msg("%s: changed memory", rows[i].name);
		if (rows[i].want_status) {
			assert_int_equal(host_clrstatus(&b.host), USB_ACK);
			host_expect_status(&b.host, GS_IDLE);
		}
		if (rows[i].setup)
			assert_int_equal(board_count(&b, MCU_EVENT_ERASED) + board_count(&b, MCU_EVENT_PROGRAMMED), 0);
		board_close(&b);
	}
}

static void uploads_reach_what_is_documented_and_nothing_else(void **state)
{
	static const struct {
		const char *name;
		int rdp;
		uint32_t pointer;
		uint16_t length;
		uint8_t want_status, want_first, want_last; /* bytes of the reply */
	} rows[] = {
		{ "UP-3 flash", 0, 0x08000000, 2048, 0, 0xff, 0xff },
		{ "UP-3 flash to the end", 0, 0x080ff800, 2048, 0, 0xff, 0xff },
		{ "UP-4 across the end", 0, 0x080ff801, 2048, 1, 0, 0 },
		{ "UP-8 RAM", 0, 0x20002000, 2048, 0, 0, 0 },
		{ "MAP-4 the ROM's RAM", 0, 0x20001fff, 2, 1, 0, 0 },
		{ "MAP-6 system memory and id", 0, 0x1fff77d0, 15, 0, 0xff, 0x31 },
		{ "MAP-7 OTP and locks", 0, 0x1fff7800, 528, 0, 0xff, 0xff },
		{ "UP-9 behind the locks", 0, 0x1fff7800, 529, 1, 0, 0 },
		{ "UP-9 UID", 0, 0x1fff7a10, 12, 1, 0, 0 },
		{ "OB-6 options", 0, 0x1fffc000, 16, 0, 0xef, 0x80 },
		{ "OB-6 options, 8 bytes", 0, 0x1fffc000, 8, 1, 0, 0 },
		{ "OB-6 options, second half", 0, 0x1fffc008, 8, 1, 0, 0 },
		{ "MAP-10 feature word", 0, 0xffff0000, 4, 0, 0x00, 0xff },
		{ "MAP-11 IDCODE", 0, 0xe0042000, 4, 1, 0, 0 },
		{ "from system memory into OTP", 0, 0x1fff77ff, 2, 1, 0, 0 },
		{ "across the end of RAM", 0, 0x2001ffff, 2, 1, 0, 0 },
		{ "behind the feature word", 0, 0xffff0000, 5, 1, 0, 0 },
		{ "the last byte there is", 0, 0xffffffff, 1, 1, 0, 0 },
		{ "across the top", 0, 0xffffffff, 2048, 1, 0, 0 },
		{ "UP-10 RDP", 1, 0x08000000, 64, 0x0b, 0, 0 },
		{ "UP-10 RDP RAM", 1, 0x20004000, 64, 0x0b, 0, 0 },
		{ "UP-10 RDP options", 1, 0x1fffc000, 16, 0x0b, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct board b;
		uint8_t data[2048], status[6];
		size_t actual;
		enum usb_result got;

		board_open(&b);
		b.profile.default_pointer = rows[i].pointer;
		board_power_on(&b);
		assert_int_equal(host_clrstatus(&b.host), USB_ACK);
		if (rows[i].rdp)
			board_set_rdp(&b, 0x00);
		got = host_upload(&b.host, 2, data, rows[i].length, &actual);
		if (got != (rows[i].want_status ? USB_STALL : USB_ACK))
			fail_msg("%s: result %d", rows[i].name, (int)got);
		assert_int_equal(actual, rows[i].want_status ? 0 : rows[i].length);
		if (!rows[i].want_status && (data[0] != rows[i].want_first || data[actual - 1] != rows[i].want_last))
			fail_msg("%s: %02x .. %02x", rows[i].name, data[0], data[actual - 1]);
		assert_int_equal(host_getstatus(&b.host, status), USB_ACK);
		if (status[0] != rows[i].want_status || status[4] != (rows[i].want_status ? 10 : 9))
			fail_msg("%s: status %u, state %u", rows[i].name, status[0], status[4]);
		board_close(&b);
	}
}

static void get_works_under_protection_and_set_address_where_the_profile_allows_it(void **state)
{
	struct board b;
	uint8_t data[64];
	size_t actual;

	(void)state; /* UP-1; U19 */
	board_open_idle(&b);
	board_set_rdp(&b, 0x00);
	assert_int_equal(host_upload(&b.host, 0, data, 64, &actual), USB_ACK);
	assert_int_equal(actual, 4);
	b.profile.rdp_set_address_status = 0;
	board_set_address(&b, 0x08004000);
	board_close(&b);
}

static void erase_write_and_read_back(void **state)
{
	struct board b;
	uint8_t image[3000], back[2048];
	uint64_t begun_us;

	(void)state;
	for (size_t i = 0; i < sizeof image; i++)
		image[i] = (uint8_t)(i * 7 + i / 256);
	board_open_idle(&b);
	assert_int_equal(flash_load(mcu_flash(b.mcu), 0x4000, (const uint8_t[64]){ 0 }, 64), 0);
	board_erase(&b, 0x08004000);
	board_set_address(&b, 0x08004000);
	begun_us = bench_now_us(b.bench);
	board_write(&b, 2, image, 2048);
	assert_in_range(bench_now_us(b.bench) - begun_us, 2048 * 16, 2048 * 16 + MS(6)); /* TM-6 */
	board_write(&b, 3, image + 2048, sizeof image - 2048);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE);
	assert_int_equal(host_upload(&b.host, 2, back, 2048, NULL), USB_ACK);
	assert_memory_equal(back, image, 2048);
	host_expect_status(&b.host, GS_UPLOAD);
	assert_int_equal(host_upload(&b.host, 3, back, sizeof image - 2048, NULL), USB_ACK);
	assert_memory_equal(back, image + 2048, sizeof image - 2048);
	assert_int_equal(board_last(&b, MCU_EVENT_ERASED)->address, 0x08004000);
	assert_int_equal(board_last(&b, MCU_EVENT_ERASED)->length, 0x4000);
	assert_int_equal(board_last(&b, MCU_EVENT_PROGRAMMED)->address, 0x08004800);
	board_close(&b);
}

static void programming_twice_leaves_the_and_of_both(void **state)
{
	struct board b;
	uint8_t back[4];

	(void)state; /* FL-2; BLK-12 */
	board_open_idle(&b);
	board_write(&b, 2, "\x0f\xf0\xff", 3);
	board_write(&b, 2, "\xff\x33\x55", 3);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 2, back, 4, NULL), USB_ACK);
	assert_memory_equal(back, "\x0f\x30\x55\xff", 4);
	board_close(&b);
}

static void odd_lengths_fail_where_the_profile_says_so(void **state)
{
	struct board b;

	(void)state; /* U8, U14 */
	board_open_idle(&b);
	b.profile.odd_length_ok = false;
	b.profile.hardware_error_status = 0x06;
	assert_int_equal(host_dnload(&b.host, 2, "\x0f\xf0\xff", 3), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x06));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	b.profile.hardware_error_status = DFU_STAYS_BUSY;
	assert_int_equal(host_dnload(&b.host, 2, "\x0f\xf0\xff", 3), USB_ACK);
	for (unsigned i = 0; i < 3; i++)
		host_expect_status(&b.host, GS_SET);
	board_close(&b);
}

static void the_status_of_refused_uploads_and_features_is_the_profiles(void **state)
{
	struct board b;
	uint8_t data[4];

	(void)state; /* U4, U14 */
	board_open(&b);
	b.profile.default_pointer = 0xe0042000;
	b.profile.upload_refusal_status = 0x08;
	b.profile.feature_refusal_status = 0x0e;
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 2, data, 4, NULL), USB_STALL);
	host_expect_status(&b.host, GS_FAILED(0x08));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_set_address(&b, 0xffff0000);
	assert_int_equal(host_dnload(&b.host, 2, "\x07", 1), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x0e));
	board_close(&b);
}

static void parallelism_is_set_by_the_feature_word_and_lost_by_reset(void **state)
{
	struct board b;
	uint8_t feature[4], data[2048] = { 0 };
	uint64_t begun_us;

	(void)state; /* FEAT-1, FEAT-2, TM-6 */
	board_open_idle(&b);
	board_set_address(&b, 0xffff0000);
	board_write(&b, 2, "\x03\xff\xff\xff", 4);
	board_set_address(&b, 0x08000000);
	begun_us = bench_now_us(b.bench);
	board_write(&b, 2, data, 2048);
	assert_in_range(bench_now_us(b.bench) - begun_us, 512 * 16, 512 * 16 + MS(6));
	mcu_set_pin(b.mcu, PIN_NRST, false);
	mcu_set_pin(b.mcu, PIN_NRST, true);
	flash_get_feature(mcu_flash(b.mcu), feature);
	assert_int_equal(feature[0], 0);
	board_close(&b);
}

static void an_unaligned_write_spoils_those_after_it_at_wider_parallelism(void **state)
{
	struct board b;
	uint8_t back[4];

	(void)state; /* BLK-10, U14 */
	board_open_idle(&b);
	board_set_address(&b, 0xffff0000);
	board_write(&b, 2, "\x03", 1);
	board_set_address(&b, 0x08000002);
	assert_int_equal(host_dnload(&b.host, 2, "abcd", 4), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x0e));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_set_address(&b, 0x08000000);
	assert_int_equal(host_dnload(&b.host, 2, "abcd", 4), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x0e));
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, back, 4), 0);
	assert_memory_equal(back, "\xff\xff\xff\xff", 4);
	mcu_set_pin(b.mcu, PIN_NRST, false);
	mcu_set_pin(b.mcu, PIN_NRST, true);
	board_wait_attached(&b);
	host_enumerate(&b.host);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_write(&b, 2, "abcd", 4);
	board_close(&b);
}

/* A part with less flash than its string tells: MAP-12. */
static void board_open_half(struct board *b)
{
	static const struct flash_sectors sectors[] = { { 4, 0x4000 }, { 1, 0x10000 }, { 3, 0x20000 }, { 0, 0 } };

	memset(b, 0, sizeof *b);
	b->profile = *mcu_profile_find("f407");
	b->profile.sectors = sectors;
	b->profile.flash_size_bytes = 0x80000;
	b->bench = bench_new(1);
	b->mcu = mcu_new(b->bench, &b->profile, &(struct mcu_identity){ { 1, 2, 3 } });
	assert_non_null(b->mcu);
	host_init(&b->host, b->bench, mcu_usb(b->mcu));
	mcu_set_pin(b->mcu, PIN_VBUS, true);
	board_power_on(b);
	assert_int_equal(host_clrstatus(&b->host), USB_ACK);
}

static void behind_the_installed_flash_uploads_succeed(void **state)
{
	struct board b;
	uint8_t back[16];

	(void)state; /* UP-11, U20 */
	board_open_half(&b);
	board_set_address(&b, 0x0807fff8);
	board_write(&b, 2, "12345678", 8);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 2, back, 16, NULL), USB_ACK);
	assert_memory_equal(back, "12345678\xff\xff\xff\xff\xff\xff\xff\xff", 16);
	assert_int_equal(host_upload(&b.host, 3, back, 16, NULL), USB_ACK);
	assert_int_equal(back[15], 0xff);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	assert_int_equal(host_dnload(&b.host, 2, "1234567890", 10), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x01));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08080000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_expect_status(&b.host, GS_FAILED(0x01));
	board_close(&b);
}

static void a_write_into_half_protected_sectors_is_told(void **state)
{
	static const uint8_t first_protected[16] = { 0xef, 0xaa, 0x10, 0x55, 0xef, 0xaa, 0x10, 0x55,
						     0xfe, 0x7f, 0x01, 0x80, 0xfe, 0x7f, 0x01, 0x80 };
	struct board b;
	uint8_t back[4];

	(void)state; /* FL-7 */
	board_open_idle(&b);
	flash_set_options(mcu_flash(b.mcu), first_protected);
	board_set_address(&b, 0x08003ffe);
	board_write(&b, 2, "abcd", 4);
	assert_int_equal(board_count(&b, MCU_EVENT_PROGRAMMED), 1);
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08003ffe, back, 4), 0);
	assert_memory_equal(back, ((uint8_t[]){ 0xff, 0xff, 'c', 'd' }), 4);
	board_close(&b);
}

static void otp_is_written_once(void **state)
{
	struct board b;
	uint8_t back[2];

	(void)state; /* OTP-1, OTP-2 */
	board_open_idle(&b);
	board_set_address(&b, 0x1fff7800);
	board_write(&b, 2, "\xf0", 1);
	board_set_address(&b, 0x1fff7a00);
	board_write(&b, 2, "\x00", 1);
	board_set_address(&b, 0x1fff7800);
	board_write(&b, 2, "\x00\x00", 2);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 2, back, 2, NULL), USB_ACK);
	assert_memory_equal(back, "\xf0\xff", 2);
	board_close(&b);
}

static void ram_takes_what_is_written(void **state)
{
	struct board b;
	uint8_t back[4];

	(void)state;
	board_open_idle(&b);
	board_set_address(&b, 0x20003000);
	board_write(&b, 3, "abcd", 4);
	assert_int_equal(mcu_read_ram(b.mcu, 0x20003800, back, 4), 0);
	assert_memory_equal(back, "abcd", 4);
	board_close(&b);
}

static void a_whole_megabyte_counts_blocks_from_one_pointer(void **state)
{
	static uint8_t block[2048], back[2048];
	struct board b;

	(void)state; /* BLK-3 */
	board_open_idle(&b);
	for (uint16_t i = 0; i < 512; i++) {
		memset(block, i & 0xff, sizeof block);
		block[0] = (uint8_t)(i >> 8);
		board_write(&b, (uint16_t)(i + 2), block, sizeof block);
	}
	assert_int_equal(host_dnload(&b.host, 514, block, 4), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x01));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_upload(&b.host, 513, back, 2048, NULL), USB_ACK);
	assert_int_equal(back[0], 1);
	assert_int_equal(back[2047], 0xff);
	assert_int_equal(host_upload(&b.host, 514, back, 1, NULL), USB_STALL);
	board_close(&b);
}

static void bus_reset_and_configuration_rearm_only_where_the_profile_says_so(void **state)
{
	struct board b;

	(void)state; /* U2 */
	board_open_idle(&b);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_IDLE);
	b.profile.bus_reset_rearms = true;
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	b.profile.bus_reset_rearms = false;
	b.profile.set_configuration_rearms = true;
	assert_int_equal(host_control(&b.host, 0, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	host_expect_status(&b.host, GS_START);
	/* in mid-erase: after it */
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	b.profile.bus_reset_rearms = true;
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	b.host.dev->ops->bus_reset(b.host.dev);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	assert_int_equal(flash_erase_count(mcu_flash(b.mcu), 0), 1);
	board_close(&b);
}

static void the_alternate_decides_only_where_the_profile_says_so(void **state)
{
	struct board b;

	(void)state; /* U10 */
	board_open_idle(&b);
	assert_int_equal(host_control(&b.host, 0x01, 11, 1, 0, NULL, 0, NULL), USB_ACK);
	board_set_address(&b, 0x08000000);
	b.profile.alt_selects_memory = true;
	assert_int_equal(host_command(&b.host, DFUSE_SET_ADDRESS, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	host_expect_status(&b.host, GS_FAILED(0x01));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_set_address(&b, 0x1fffc000);
	assert_int_equal(host_control(&b.host, 0x01, 11, 2, 0, NULL, 0, NULL), USB_ACK);
	board_set_address(&b, 0x1fff7800);
	assert_int_equal(host_control(&b.host, 0x01, 11, 3, 0, NULL, 0, NULL), USB_ACK);
	board_set_address(&b, 0xffff0000);
	assert_int_equal(host_control(&b.host, 0x01, 11, 0, 0, NULL, 0, NULL), USB_ACK);
	board_set_address(&b, 0x20004000);
	board_close(&b);
}

static void detach_leaves_the_bus_and_returns_where_the_profile_says_so(void **state)
{
	struct board b;
	uint8_t byte;

	(void)state; /* U11 */
	board_open_idle(&b);
	assert_int_equal(host_control(&b.host, 0x21, DFU_DETACH, 1000, 0, NULL, 0, NULL), USB_ACK);
	host_sleep(&b.host, SECONDS(1));
	assert_int_equal(b.host.detaches, 0);
	b.profile.detach_reattaches = true;
	assert_int_equal(host_control(&b.host, 0x21, DFU_DETACH, 1000, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(host_control(&b.host, 0xa1, DFU_GETSTATE, 0, 0, &byte, 1, NULL), USB_GONE);
	board_wait_attached(&b);
	assert_int_equal(b.host.detaches, 1);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_IDLE);
	board_close(&b);
}

static void roms_that_do_not_hold_answer_during_the_erase(void **state)
{
	struct board b;
	uint8_t status[6];

	(void)state; /* EX-11 */
	board_open_idle(&b);
	b.profile.busy_rule = BUSY_SAYS_BUSY;
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_expect_status(&b.host, GS_ERASE);
	host_sleep(&b.host, MS(400));
	host_expect_status(&b.host, GS_OK);
	b.profile.busy_rule = BUSY_STALLS;
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	assert_int_equal(host_getstatus(&b.host, status), USB_STALL);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0100, 0, status, 6, NULL), USB_ACK);
	host_sleep(&b.host, MS(400));
	host_expect_status(&b.host, GS_OK);
	board_close(&b);
}

/* Exchanges */

static void log_0_kernel_enumeration(void **state)
{
	struct board b;
	uint8_t data[255];
	size_t actual;

	(void)state;
	board_open(&b);
	mcu_set_pin(b.mcu, PIN_BOOT0, true);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	assert_false(b.host.attached);
	host_sleep(&b.host, MS(89));
	assert_false(b.host.attached); /* BOOT-15 */
	host_sleep(&b.host, MS(1));
	assert_true(b.host.attached);
	assert_int_equal(b.host.dev->speed, USB_SPEED_IS_FULL);
	b.host.dev->ops->bus_reset(b.host.dev);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0100, 0, data, 64, &actual), USB_ACK);
	assert_int_equal(actual, 18);
	b.host.dev->ops->bus_reset(b.host.dev);
	assert_int_equal(host_control(&b.host, 0, 5, 7, 0, NULL, 0, NULL), USB_ACK);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0100, 0, data, 18, &actual), USB_ACK);
	assert_memory_equal(data, "\x12\x01\x00\x01\x00\x00\x00\x40\x83\x04\x11\xdf\x00\x22\x01\x02\x03\x01", 18);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0200, 0, data, 9, &actual), USB_ACK);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0200, 0, data, 54, &actual), USB_ACK);
	assert_int_equal(actual, 54);
	assert_int_equal(host_control(&b.host, 0x80, 6, 0x0303, 0x0409, data, 255, &actual), USB_ACK);
	assert_int_equal(actual, 26);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(data[2 + 2 * i], "326237753036"[i]); /* SER-6 */
	assert_int_equal(host_control(&b.host, 0, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	host_expect_status(&b.host, GS_START); /* ST-15: read after SET_CONFIGURATION */
	board_close(&b);
}

static void log_2_prologue(struct board *b)
{
	assert_int_equal(host_control(&b->host, 0x01, 11, 0, 0, NULL, 0, NULL), USB_ACK);
	host_expect_status(&b->host, GS_START);
	assert_int_equal(host_clrstatus(&b->host), USB_ACK);
	host_expect_status(&b->host, GS_IDLE);
}

static void log_3_and_5_download_and_leave(void **state)
{
	struct board b;
	uint8_t image[2308];
	uint64_t begun_us;

	(void)state;
	memset(image, 0x5a, sizeof image);
	memcpy(image, "\x00\x00\x02\x20\x89\x01\x00\x08", 8);
	board_open(&b);
	board_power_on(&b);
	log_2_prologue(&b);
	begun_us = bench_now_us(b.bench);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_sleep(&b.host, MS(100));
	host_expect_status(&b.host, GS_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(host_command(&b.host, DFUSE_SET_ADDRESS, 0x08000000 + i * 2048), USB_ACK);
		host_expect_status(&b.host, GS_SET);
		host_sleep(&b.host, MS(104));
		host_expect_status(&b.host, GS_OK);
		assert_int_equal(host_dnload(&b.host, 2, image + i * 2048, i ? 260 : 2048), USB_ACK);
		host_expect_status(&b.host, GS_SET);
		host_sleep(&b.host, MS(104));
		host_expect_status(&b.host, GS_OK);
	}
	assert_in_range(bench_now_us(b.bench) - begun_us, MS(816), MS(835)); /* TM-7 */
	assert_int_equal(host_abort(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE);
	board_set_address(&b, 0x08000000);
	assert_int_equal(host_dnload(&b.host, 2, NULL, 0), USB_ACK);
	host_sleep(&b.host, SECONDS(5));
	assert_true(b.host.attached); /* LV-2: not without GETSTATUS */
	host_expect_status(&b.host, GS_MANIFEST);
	host_sleep(&b.host, MS(5)); /* BOOT-16 */
	assert_false(b.host.attached);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

static void log_6_upload(void **state)
{
	struct board b;
	uint8_t data[2048];

	(void)state;
	board_open(&b);
	board_power_on(&b);
	log_2_prologue(&b);
	board_set_address(&b, 0x08000000);
	assert_int_equal(host_upload(&b.host, 2, data, 2048, NULL), USB_STALL); /* ST-25 */
	assert_int_equal(host_abort(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE);
	for (uint16_t block = 2; block < 34; block++)
		assert_int_equal(host_upload(&b.host, block, data, 2048, NULL), USB_ACK);
	assert_int_equal(host_abort(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE);
	board_close(&b);
}

static void log_7_mass_erase(void **state)
{
	struct board b;
	uint64_t begun_us;
	uint8_t byte;

	(void)state;
	board_open(&b);
	assert_int_equal(flash_load(mcu_flash(b.mcu), 0xffffe, (const uint8_t[]){ 0, 0 }, 2), 0);
	board_power_on(&b);
	log_2_prologue(&b);
	assert_int_equal(host_dnload(&b.host, 0, "\x41", 1), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	begun_us = bench_now_us(b.bench);
	host_expect_status(&b.host, GS_OK);
	assert_in_range(bench_now_us(b.bench) - begun_us, SECONDS(16), SECONDS(16) + MS(1)); /* TM-5 */
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x080fffff, &byte, 1), 0);
	assert_int_equal(byte, 0xff);
	board_close(&b);
}

static void log_9_and_10_leave_with_block_0(void **state)
{
	struct board b;
	uint8_t byte;

	(void)state;
	board_open(&b);
	board_load_application(&b, 0);
	board_power_on(&b);
	assert_int_equal(host_control(&b.host, 0, 9, 1, 0, NULL, 0, NULL), USB_ACK);
	log_2_prologue(&b);
	assert_int_equal(host_control(&b.host, 0xa1, DFU_GETSTATE, 0, 0, &byte, 1, NULL), USB_ACK);
	assert_int_equal(byte, 2);
	board_set_address(&b, 0x08000000);
	board_leave(&b);
	assert_int_equal(host_getstatus(&b.host, (uint8_t[6]){ 0 }), USB_GONE); /* LV-4 */
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_state_is_dfuerror_until_the_first_clrstatus),
		cmocka_unit_test(the_second_getstatus_is_held_until_the_erase_is_over),
		cmocka_unit_test(the_first_getstatus_ends_after_the_erase_where_the_profile_says_so),
		cmocka_unit_test(a_cancelled_request_leaves_no_trace_and_the_next_one_is_held),
		cmocka_unit_test(while_executing_nothing_is_serviced_and_all_comes_in_order_afterwards),
		cmocka_unit_test(a_bus_reset_while_executing_is_seen_afterwards),
		cmocka_unit_test(a_transfer_takes_its_packets_on_the_bus),
		cmocka_unit_test(without_bus_time_transfers_complete_in_submit),
		cmocka_unit_test(a_transfer_cancelled_on_the_bus_has_no_effect),
		cmocka_unit_test(there_is_no_endpoint_but_zero),
		cmocka_unit_test(causes_of_errors_give_the_documented_status),
		cmocka_unit_test(uploads_reach_what_is_documented_and_nothing_else),
		cmocka_unit_test(get_works_under_protection_and_set_address_where_the_profile_allows_it),
		cmocka_unit_test(erase_write_and_read_back),
		cmocka_unit_test(programming_twice_leaves_the_and_of_both),
		cmocka_unit_test(odd_lengths_fail_where_the_profile_says_so),
		cmocka_unit_test(the_status_of_refused_uploads_and_features_is_the_profiles),
		cmocka_unit_test(parallelism_is_set_by_the_feature_word_and_lost_by_reset),
		cmocka_unit_test(an_unaligned_write_spoils_those_after_it_at_wider_parallelism),
		cmocka_unit_test(behind_the_installed_flash_uploads_succeed),
		cmocka_unit_test(a_write_into_half_protected_sectors_is_told),
		cmocka_unit_test(otp_is_written_once),
		cmocka_unit_test(ram_takes_what_is_written),
		cmocka_unit_test(a_whole_megabyte_counts_blocks_from_one_pointer),
		cmocka_unit_test(bus_reset_and_configuration_rearm_only_where_the_profile_says_so),
		cmocka_unit_test(the_alternate_decides_only_where_the_profile_says_so),
		cmocka_unit_test(detach_leaves_the_bus_and_returns_where_the_profile_says_so),
		cmocka_unit_test(roms_that_do_not_hold_answer_during_the_erase),
		cmocka_unit_test(log_0_kernel_enumeration),
		cmocka_unit_test(log_3_and_5_download_and_leave),
		cmocka_unit_test(log_6_upload),
		cmocka_unit_test(log_7_mass_erase),
		cmocka_unit_test(log_9_and_10_leave_with_block_0),
	};

	return cmocka_run_group_tests_name("rom", tests, NULL, NULL);
}
