/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The board: supply, pins, boot selection, resets, leaving the ROM, and what of it a host sees. */
#include <errno.h>
#include <stdio.h>
#include "board.h"

/* An application with a device that answers nothing until it is stopped. */
struct app {
	struct usbdev dev;
	struct usb_urb *held;
	uint32_t vector;
	unsigned starts, stops;
	bool without_usb;
};

static void app_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct app *app = (struct app *)dev;

	urb->next = app->held;
	app->held = urb;
}

static void app_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct app *app = (struct app *)dev;
	struct usb_urb **link = &app->held;

	while (*link && *link != urb)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = urb->next;
	usbdev_complete(dev, urb, USB_CANCELLED, 0);
}

static void app_bus_reset(struct usbdev *dev)
{
	struct app *app = (struct app *)dev;

	while (app->held)
		app_cancel(dev, app->held);
}

static const struct usbdev_ops app_dev_ops = { app_submit, app_cancel, app_bus_reset };

static struct usbdev *app_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct app *app = context;

	(void)mcu;
	app->starts++;
	app->vector = vector;
	app->dev.ops = &app_dev_ops;
	return app->without_usb ? NULL : &app->dev;
}

static void app_stop(void *context, struct mcu *mcu)
{
	struct app *app = context;

	(void)mcu;
	app->stops++;
	assert_null(app->held);
	usbdev_detach(&app->dev);
}

static const struct mcu_app_ops app_ops = { .start = app_start, .stop = app_stop };

static void pulse_reset(struct board *b)
{
	mcu_set_pin(b->mcu, PIN_NRST, false);
	host_sleep(&b->host, MS(50));
	mcu_set_pin(b->mcu, PIN_NRST, true);
}

static void boot_pins_and_protection_select_what_starts(void **state)
{
	static const struct {
		const char *name;
		bool boot0, boot1, flash_sane, ram_sane;
		uint8_t rdp;
		enum mcu_mode want;
		uint32_t want_vector;
	} rows[] = {
		{ "BOOT-1", true, false, true, true, 0xaa, MCU_ROM, 0 },
		{ "BOOT0 low", false, false, true, true, 0xaa, MCU_APPLICATION, 0x08000000 },
		{ "BOOT0 low, BOOT1 high", false, true, true, true, 0xaa, MCU_APPLICATION, 0x08000000 },
		{ "BOOT0 low, blank flash", false, false, false, true, 0xaa, MCU_LOCKUP, 0 },
		{ "both high, blank RAM", true, true, true, false, 0xaa, MCU_LOCKUP, 0 },
		{ "both high, program in RAM", true, true, false, true, 0xaa, MCU_APPLICATION, 0x20000000 },
		{ "level 1", true, false, true, true, 0x00, MCU_ROM, 0 },
		{ "RDP-3", true, false, true, true, 0xcc, MCU_APPLICATION, 0x08000000 },
		{ "RDP-3, blank flash", true, false, false, true, 0xcc, MCU_LOCKUP, 0 },
		{ "RDP-3, both high", true, true, true, true, 0xcc, MCU_APPLICATION, 0x08000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct board b;
		struct app app = { 0 };

		board_open(&b);
		mcu_set_app(b.mcu, &app_ops, &app);
		mcu_set_pin(b.mcu, PIN_BOOT1, true); /* so that power comes up in lockup */
		mcu_set_pin(b.mcu, PIN_BOOT0, true);
		mcu_set_pin(b.mcu, PIN_VDD, true);
		assert_int_equal(mcu_mode(b.mcu), MCU_LOCKUP);
		mcu_set_pin(b.mcu, PIN_NRST, false);
		assert_int_equal(mcu_mode(b.mcu), MCU_IN_RESET);
		if (rows[i].flash_sane)
			board_load_application(&b, 0);
		if (rows[i].ram_sane)
			assert_int_equal(mcu_write_ram(b.mcu, 0x20000000,
						       (const uint8_t *)"\x00\x80\x00\x20\x01\x01\x00\x20", 8),
					 0);
		board_set_rdp(&b, rows[i].rdp);
		mcu_set_pin(b.mcu, PIN_BOOT0, rows[i].boot0);
		mcu_set_pin(b.mcu, PIN_BOOT1, rows[i].boot1);
		mcu_set_pin(b.mcu, PIN_NRST, true);
		host_sleep(&b.host, SECONDS(1));
		if (mcu_mode(b.mcu) != rows[i].want || app.vector != rows[i].want_vector)
			fail_msg("%s: %s", rows[i].name, mcu_mode_name(mcu_mode(b.mcu)));
		assert_int_equal(b.host.attached, rows[i].want != MCU_LOCKUP);
		assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_PIN);
		assert_int_equal(board_last(&b, MCU_EVENT_BOOTED)->mode, rows[i].want);
		board_close(&b);
		assert_int_equal(app.starts, app.stops);
	}
}

static void a_vector_table_must_be_executable(void **state)
{
	static const struct {
		const char *name;
		uint8_t table[8];
		bool want;
	} rows[] = {
		{ "erased", { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, false },
		{ "zeros", { 0 }, false },
		{ "end of SRAM", { 0, 0, 2, 0x20, 0x01, 0x01, 0x00, 0x08 }, true },
		{ "start of SRAM", { 0, 0, 0, 0x20, 0x01, 0x01, 0x00, 0x08 }, false },
		{ "behind SRAM", { 4, 0, 2, 0x20, 0x01, 0x01, 0x00, 0x08 }, false },
		{ "MSP not aligned", { 2, 0, 1, 0x20, 0x01, 0x01, 0x00, 0x08 }, false },
		{ "end of CCM", { 0, 0, 1, 0x10, 0x01, 0x01, 0x00, 0x08 }, true },
		{ "behind CCM", { 4, 0, 1, 0x10, 0x01, 0x01, 0x00, 0x08 }, false },
		{ "no Thumb bit", { 0, 0, 2, 0x20, 0x00, 0x01, 0x00, 0x08 }, false },
		{ "PC in SRAM", { 0, 0, 2, 0x20, 0x01, 0x40, 0x00, 0x20 }, true },
		{ "PC at the end of flash", { 0, 0, 2, 0x20, 0xff, 0xff, 0x0f, 0x08 }, true },
		{ "PC behind flash", { 0, 0, 2, 0x20, 0x01, 0x00, 0x10, 0x08 }, false },
		{ "PC in CCM", { 0, 0, 2, 0x20, 0x01, 0x01, 0x00, 0x10 }, false },
		{ "PC in the alias at 0", { 0, 0, 2, 0x20, 0x01, 0x01, 0x00, 0x00 }, false },
	};

	(void)state; /* LV-3 */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct board b;

		board_open(&b);
		assert_int_equal(flash_load(mcu_flash(b.mcu), 0x4000, rows[i].table, 8), 0);
		board_power_on(&b);
		assert_int_equal(host_clrstatus(&b.host), USB_ACK);
		board_set_address(&b, 0x08004000);
		b.event_count = 0;
		board_leave(&b);
		host_sleep(&b.host, MS(200));
		if ((mcu_mode(b.mcu) == MCU_APPLICATION) != rows[i].want)
			fail_msg("%s: %s", rows[i].name, mcu_mode_name(mcu_mode(b.mcu)));
		if (!rows[i].want) { /* the boot pins decide, and BOOT0 is high */
			assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
			assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_NOT_EXECUTABLE);
			host_enumerate(&b.host);
			host_expect_status(&b.host, GS_START);
		} else {
			assert_int_equal(board_count(&b, MCU_EVENT_RESET), 0); /* LV-6, LV-8: a jump */
		}
		board_close(&b);
	}
}

static void leave_jumps_through_the_pointer_and_a_reset_returns(void **state)
{
	struct board b;
	struct app app = { 0 };
	struct host_urb pending;
	uint8_t status[6];

	(void)state;
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_load_application(&b, 0x8000);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_set_address(&b, 0x08008000);
	board_leave(&b);
	host_submit(&b.host, &pending, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_true(host_wait(&b.host, &pending, MS(5)));
	assert_int_equal(pending.urb.result, USB_GONE);
	assert_int_equal(b.host.detaches, 1);
	assert_int_equal(app.vector, 0x08008000);
	assert_int_equal(b.host.attaches, 1);
	board_wait_attached(&b); /* the application */
	host_submit(&b.host, &pending, (struct usb_setup){ 0x80, 6, 0x0100, 0, 6 }, status);
	pulse_reset(&b);
	assert_int_equal(pending.completions, 1);
	assert_int_equal(pending.urb.result, USB_GONE);
	assert_int_equal(app.stops, 1);
	board_wait_attached(&b);
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM); /* LV-6 */
	board_close(&b);
}

static void leaving_to_ram_works(void **state)
{
	struct board b;
	struct app app = { .without_usb = true };

	(void)state; /* MAP-4 */
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_set_address(&b, 0x20004000);
	board_write(&b, 2, "\x00\x00\x02\x20\x01\x50\x00\x20", 8);
	board_leave(&b);
	host_sleep(&b.host, SECONDS(1));
	assert_int_equal(app.vector, 0x20004000);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	assert_false(b.host.attached);
	board_close(&b);
}

static void writing_option_bytes_resets_the_chip(void **state)
{
	static const uint8_t options[16] = { 0xef, 0x11, 0x10, 0xee, 0xef, 0x11, 0x10, 0xee,
					     0xff, 0x7f, 0x00, 0x80, 0xff, 0x7f, 0x00, 0x80 };
	struct board b;
	uint8_t now[16], status[6];

	(void)state; /* OB-7 */
	board_open_idle(&b);
	board_set_address(&b, 0x1fffc000);
	assert_int_equal(host_dnload(&b.host, 2, options, 16), USB_ACK);
	host_expect_status(&b.host, GS_SET);
	assert_int_equal(host_getstatus(&b.host, status), USB_GONE);
	assert_int_equal(board_count(&b, MCU_EVENT_OPTIONS), 1);
	board_wait_attached(&b);
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_OPTION_BYTES);
	flash_read_options(mcu_flash(b.mcu), now);
	assert_memory_equal(now, options, 16);
	assert_int_equal(flash_rdp(mcu_flash(b.mcu)), RDP_LEVEL_1);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	board_close(&b);
}

static void read_unprotect(bool level_1)
{
	struct board b;
	uint8_t status[6], byte;
	uint64_t begun_us;

	board_open(&b);
	board_load_application(&b, 0);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	if (level_1)
		board_set_rdp(&b, 0x00);
	assert_int_equal(mcu_write_ram(b.mcu, 0x20010000, (const uint8_t *)"x", 1), 0);
	assert_int_equal(host_dnload(&b.host, 0, "\x92", 1), USB_ACK);
	host_expect_status(&b.host, GS_SET); /* GS-10 */
	begun_us = bench_now_us(b.bench);
	assert_int_equal(host_getstatus(&b.host, status), USB_GONE);
	assert_in_range(bench_now_us(b.bench) - begun_us, level_1 ? SECONDS(16) : 0,
			level_1 ? SECONDS(17) : SECONDS(1));
	assert_false(b.host.attached);
	assert_int_equal(mcu_read_ram(b.mcu, 0x20010000, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000003, &byte, 1), 0);
	assert_int_equal(byte, level_1 ? 0xff : 0x20);
	assert_int_equal(board_count(&b, MCU_EVENT_ERASED), level_1);
	board_wait_attached(&b); /* RDP-6: BOOT0 is high */
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_UNPROTECT);
	assert_int_equal(flash_rdp(mcu_flash(b.mcu)), RDP_LEVEL_0);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	board_close(&b);
}

static void read_unprotect_erases_a_protected_part_and_resets(void **state)
{
	(void)state; /* RDP-4 */
	read_unprotect(true);
}

static void read_unprotect_of_an_open_part_clears_ram_and_resets(void **state)
{
	(void)state; /* RDP-8 */
	read_unprotect(false);
}

static void a_protected_part_may_still_leave(void **state)
{
	struct board b;

	(void)state; /* RDP-2 */
	board_open(&b);
	board_load_application(&b, 0);
	board_set_rdp(&b, 0x00);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_leave(&b);
	host_sleep(&b.host, MS(5));
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

/* Power goes after cut_us of an erase of sector 0 or a write of zeros over FF; returns bytes that are FF. */
static unsigned cut_power(bool erase, uint64_t cut_us, enum mcu_pin pin)
{
	static uint8_t zeros[2048], data[2048];
	struct board b;
	struct host_urb pending;
	unsigned count = 0;

	board_open(&b);
	if (erase)
		assert_int_equal(flash_load(mcu_flash(b.mcu), 0, zeros, sizeof zeros), 0);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	if (erase)
		assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	else
		assert_int_equal(host_dnload(&b.host, 2, zeros, sizeof zeros), USB_ACK);
	assert_int_equal(host_getstatus(&b.host, data), USB_ACK);
	host_submit(&b.host, &pending, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, data);
	host_sleep(&b.host, cut_us);
	assert_int_equal(pending.completions, 0);
	mcu_set_pin(b.mcu, pin, false);
	assert_int_equal(pending.urb.result, USB_GONE);
	assert_false(b.host.attached);
	assert_int_equal(mcu_mode(b.mcu), pin == PIN_VDD ? MCU_OFF : MCU_IN_RESET);
	assert_false(flash_is_busy(mcu_flash(b.mcu)));
	assert_int_equal(board_last(&b, MCU_EVENT_CUT)->address, 0x08000000);
	assert_int_equal(board_count(&b, MCU_EVENT_ERASED) + board_count(&b, MCU_EVENT_PROGRAMMED), 0);
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, data, sizeof data), 0);
	for (unsigned i = 0; i < sizeof data; i++)
		count += data[i] == 0xff;
	mcu_set_pin(b.mcu, pin, true);
	board_wait_attached(&b);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_erase(&b, 0x08000000); /* a clean second run */
	board_close(&b);
	return count;
}

static void power_and_reset_cut_a_flash_operation_short(void **state)
{
	static const enum mcu_pin pins[] = { PIN_VDD, PIN_NRST };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_in_range(cut_power(false, MS(16), pins[i]), 2048 - 1001, 2048 - 999); /* 16 us a byte */
		assert_in_range(cut_power(true, MS(200), pins[i]), 0, 2047);
		assert_int_equal(cut_power(true, 1, pins[i]), 0);
	}
}

static void ram_outlives_reset_but_not_power(void **state)
{
	struct board b;
	uint8_t byte;

	(void)state;
	board_open_idle(&b);
	board_set_address(&b, 0x20008000);
	board_write(&b, 2, "x", 1);
	pulse_reset(&b);
	assert_int_equal(mcu_read_ram(b.mcu, 0x20008000, &byte, 1), 0);
	assert_int_equal(byte, 'x');
	mcu_set_pin(b.mcu, PIN_VDD, false);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	assert_int_equal(mcu_read_ram(b.mcu, 0x20008000, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(mcu_read_ram(b.mcu, 0x2001ffff, &byte, 2), -EFAULT);
	assert_int_equal(mcu_read_ram(b.mcu, 0x1fffffff, &byte, 1), -EFAULT);
	assert_int_equal(mcu_write_ram(b.mcu, 0x10000000, &byte, 1), -EFAULT);
	board_close(&b);
}

static void nrst_held_low_keeps_the_board_in_reset(void **state)
{
	struct board b;

	(void)state;
	board_open(&b);
	mcu_set_pin(b.mcu, PIN_BOOT0, true);
	mcu_set_pin(b.mcu, PIN_NRST, false);
	assert_int_equal(mcu_mode(b.mcu), MCU_OFF);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	host_sleep(&b.host, SECONDS(10));
	assert_int_equal(mcu_mode(b.mcu), MCU_IN_RESET);
	assert_int_equal(board_count(&b, MCU_EVENT_RESET), 0);
	mcu_set_pin(b.mcu, PIN_NRST, true);
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_POWER_ON);
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM_STARTING);
	mcu_set_pin(b.mcu, PIN_BOOT0, false); /* sampled already */
	board_wait_attached(&b);
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
	board_close(&b);
}

static void the_cable_hides_the_device_but_changes_nothing_in_it(void **state)
{
	struct board b;
	struct host_urb pending, at_once;
	uint8_t status[6];

	(void)state; /* RST-10 */
	board_open_idle(&b);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	host_submit(&b.host, &pending, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	mcu_set_pin(b.mcu, PIN_VBUS, false);
	assert_int_equal(pending.urb.result, USB_GONE);
	assert_false(b.host.attached);
	host_submit(&b.host, &at_once, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_int_equal(at_once.urb.result, USB_GONE);
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
	host_sleep(&b.host, SECONDS(1));
	mcu_set_pin(b.mcu, PIN_VBUS, true);
	assert_true(b.host.attached);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_OK);
	assert_int_equal(flash_erase_count(mcu_flash(b.mcu), 0), 1);
	board_close(&b);
}

static void a_board_without_cable_starts_and_attaches_when_it_comes(void **state)
{
	struct board b;

	(void)state; /* BOOT-4 */
	board_open(&b);
	mcu_set_pin(b.mcu, PIN_VBUS, false);
	mcu_set_pin(b.mcu, PIN_BOOT0, true);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	host_sleep(&b.host, SECONDS(1));
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
	assert_false(b.host.attached);
	mcu_set_pin(b.mcu, PIN_VBUS, true);
	assert_true(b.host.attached);
	board_close(&b);
}

static void traffic_on_another_interface_selects_it_before_a_host_is_seen(void **state)
{
	static const struct {
		const char *name, *profile;
		enum boot_interface give;
		bool want_selected;
	} rows[] = {
		{ "USART1", "f407", BOOT_USART1, true },
		{ "USART3", "f407", BOOT_USART3, true },
		{ "CAN2", "f407", BOOT_CAN2, true },
		{ "I2C on V3.1", "f407", BOOT_I2C, false },
		{ "SPI on V3.1", "f407", BOOT_SPI, false },
		{ "I2C on V9.1", "f407-v9.1", BOOT_I2C, true },
		{ "SPI on V9.1", "f407-v9.1", BOOT_SPI, true },
	};

	(void)state; /* BOOT-9, BOOT-10 */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct board b;

		board_open(&b);
		b.profile = *mcu_profile_find(rows[i].profile);
		mcu_set_pin(b.mcu, PIN_BOOT0, true);
		mcu_set_pin(b.mcu, PIN_VDD, true);
		mcu_boot_traffic(b.mcu, rows[i].give); /* BOOT-13: nobody listens yet */
		board_wait_attached(&b);
		mcu_boot_traffic(b.mcu, rows[i].give);
		if ((mcu_mode(b.mcu) == MCU_ROM_OTHER) != rows[i].want_selected ||
		    b.host.attached == rows[i].want_selected)
			fail_msg("%s", rows[i].name);
		pulse_reset(&b);
		board_wait_attached(&b);
		host_enumerate(&b.host);
		mcu_boot_traffic(b.mcu, rows[i].give); /* USB is chosen */
		assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
		host_expect_status(&b.host, GS_START);
		board_close(&b);
	}
}

static void the_application_may_enter_the_rom_or_reset(void **state)
{
	struct board b;
	struct app app = { 0 };

	(void)state; /* BOOT-18 */
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_load_application(&b, 0);
	assert_int_equal(mcu_software_entry(b.mcu), -EINVAL);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	board_wait_attached(&b);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	b.event_count = 0;
	assert_int_equal(mcu_software_entry(b.mcu), 0);
	assert_false(b.host.attached);
	assert_int_equal(app.stops, 1);
	board_wait_attached(&b);
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
	assert_int_equal(board_count(&b, MCU_EVENT_RESET), 0);
	assert_int_equal(mcu_software_reset(b.mcu), -EINVAL);
	host_enumerate(&b.host);
	host_expect_status(&b.host, GS_START);
	pulse_reset(&b); /* BOOT0 is low */
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	assert_int_equal(mcu_software_reset(b.mcu), 0);
	assert_int_equal(mcu_mode(b.mcu), MCU_IN_RESET);
	board_wait_attached(&b);
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_SOFTWARE);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

static void causes_of_resets_add_up_until_they_are_forgotten(void **state)
{
	struct board b;
	struct app app = { 0 };

	(void)state;
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_load_application(&b, 0);
	host_sleep(&b.host, MS(5));
	mcu_set_pin(b.mcu, PIN_VDD, true);
	assert_int_equal(mcu_resets(b.mcu), 1u << RESET_POWER_ON);
	assert_int_equal(mcu_powered_at_us(b.mcu), MS(5));
	pulse_reset(&b);
	assert_int_equal(mcu_resets(b.mcu), 1u << RESET_POWER_ON | 1u << RESET_PIN);
	mcu_forget_resets(b.mcu);
	assert_int_equal(mcu_watchdog_reset(b.mcu, RESET_WATCHDOG), 0);
	host_sleep(&b.host, MS(5));
	assert_int_equal(mcu_resets(b.mcu), 1u << RESET_WATCHDOG);
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_WATCHDOG);
	assert_false(mcu_was_jumped_to(b.mcu));
	board_close(&b);
}

static void what_the_rom_jumps_to_was_not_reset(void **state)
{
	struct board b;
	struct app app = { 0 };

	(void)state;
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_load_application(&b, 0);
	board_power_on(&b);
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	board_leave(&b);
	host_sleep(&b.host, MS(10));
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	assert_true(mcu_was_jumped_to(b.mcu));
	assert_int_equal(mcu_resets(b.mcu), 1u << RESET_POWER_ON);
	board_close(&b);
}

static void an_application_that_attaches_itself_is_left_to_it(void **state)
{
	static const struct mcu_app_ops ops = { .start = app_start, .stop = app_stop, .attaches_itself = true };
	struct board b;
	struct app app = { 0 };

	(void)state;
	board_open(&b);
	mcu_set_app(b.mcu, &ops, &app);
	board_load_application(&b, 0);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	host_sleep(&b.host, SECONDS(1));
	assert_false(b.host.attached);
	usbdev_attach(&app.dev, USB_SPEED_IS_FULL);
	assert_true(b.host.attached);
	usbdev_detach(&app.dev);
	assert_false(b.host.attached);
	board_close(&b);
}

static void a_core_that_stands_still_keeps_its_device_until_reset(void **state)
{
	struct board b;
	struct app app = { 0 };

	(void)state;
	board_open(&b);
	mcu_set_app(b.mcu, &app_ops, &app);
	board_load_application(&b, 0);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	board_wait_attached(&b);
	mcu_lock_up(b.mcu, &(const struct mcu_fault){ .exception = 3, .lockup = true });
	assert_int_equal(mcu_mode(b.mcu), MCU_LOCKUP);
	assert_int_equal(board_count(&b, MCU_EVENT_FAULT), 1);
	assert_true(b.host.attached);
	assert_int_equal(app.stops, 0);
	assert_int_equal(mcu_software_entry(b.mcu), -EINVAL);
	assert_int_equal(mcu_watchdog_reset(b.mcu, RESET_WATCHDOG), 0); /* it goes on counting */
	assert_false(b.host.attached);
	board_wait_attached(&b);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);
}

static void level_2_keeps_the_application_out_of_the_rom(void **state)
{
	struct board b;

	(void)state; /* RDP-3 */
	board_open(&b);
	board_load_application(&b, 0);
	board_set_rdp(&b, 0xcc);
	mcu_set_pin(b.mcu, PIN_BOOT0, true);
	mcu_set_pin(b.mcu, PIN_VDD, true);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	assert_int_equal(mcu_software_entry(b.mcu), -EINVAL);
	board_close(&b);
}

static struct mcu *board_to_cut;

static void cut_on_complete(struct usbhost *base, struct usb_urb *urb)
{
	host_complete(base, urb);
	mcu_set_pin(board_to_cut, PIN_VDD, false);
}

static void flicker_on_detach(struct usbhost *base, struct usbdev *dev)
{
	host_detach(base, dev);
	mcu_set_pin(board_to_cut, PIN_VDD, true);
}

static void change_pins_from_callbacks(bool power_returns)
{
	static const struct usbhost_ops cutting = { cut_on_complete, host_attach, flicker_on_detach };
	static const struct usbhost_ops cutting_for_good = { cut_on_complete, host_attach, host_detach };
	struct host_urb announce, behind_it;
	struct board b;
	uint8_t status[6], other[6];

	board_open_idle(&b);
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000000), USB_ACK);
	board_to_cut = b.mcu;
	b.host.base.ops = power_returns ? &cutting : &cutting_for_good;
	b.event_count = 0;
	host_submit(&b.host, &announce, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	host_submit(&b.host, &behind_it, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, other);
	assert_true(host_wait(&b.host, &announce, MS(10)));
	assert_int_equal(announce.urb.result, USB_ACK);
	assert_int_equal(behind_it.urb.result, USB_GONE);
	assert_int_equal(behind_it.completions, 1);
	b.host.base.ops = &host_ops;
	host_sleep(&b.host, SECONDS(1));
	assert_int_equal(flash_erase_count(mcu_flash(b.mcu), 0), 0); /* the job did not begin */
	assert_false(flash_is_busy(mcu_flash(b.mcu)));
	assert_int_equal(mcu_mode(b.mcu), power_returns ? MCU_ROM : MCU_OFF);
	board_close(&b);
}

static void pins_may_change_from_the_callbacks_of_the_port(void **state)
{
	(void)state;
	change_pins_from_callbacks(true);
	change_pins_from_callbacks(false);
}

static void many_boards_share_a_bench(void **state)
{
	enum { COUNT = 200 };
	struct bench *bench = bench_new(7);
	struct mcu *boards[COUNT];
	static struct host hosts[COUNT];
	uint8_t status[6];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		boards[i] = mcu_new(bench, mcu_profile_find("f407"), &(struct mcu_identity){ { i, 0, 0 } });
		assert_non_null(boards[i]);
		host_init(&hosts[i], bench, mcu_usb(boards[i]));
		mcu_set_pin(boards[i], PIN_VBUS, true);
		mcu_set_pin(boards[i], PIN_BOOT0, true);
		mcu_set_pin(boards[i], PIN_VDD, true);
	}
	bench_advance(bench, SECONDS(1));
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(mcu_mode(boards[i]), MCU_ROM);
		host_enumerate(&hosts[i]);
		assert_int_equal(host_getstatus(&hosts[i], status), USB_ACK);
		assert_int_equal(status[4], 10);
		mcu_free(boards[i]);
		assert_false(hosts[i].attached);
	}
	bench_free(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_pins_and_protection_select_what_starts),
		cmocka_unit_test(a_vector_table_must_be_executable),
		cmocka_unit_test(leave_jumps_through_the_pointer_and_a_reset_returns),
		cmocka_unit_test(leaving_to_ram_works),
		cmocka_unit_test(writing_option_bytes_resets_the_chip),
		cmocka_unit_test(read_unprotect_erases_a_protected_part_and_resets),
		cmocka_unit_test(read_unprotect_of_an_open_part_clears_ram_and_resets),
		cmocka_unit_test(a_protected_part_may_still_leave),
		cmocka_unit_test(power_and_reset_cut_a_flash_operation_short),
		cmocka_unit_test(ram_outlives_reset_but_not_power),
		cmocka_unit_test(nrst_held_low_keeps_the_board_in_reset),
		cmocka_unit_test(the_cable_hides_the_device_but_changes_nothing_in_it),
		cmocka_unit_test(a_board_without_cable_starts_and_attaches_when_it_comes),
		cmocka_unit_test(traffic_on_another_interface_selects_it_before_a_host_is_seen),
		cmocka_unit_test(the_application_may_enter_the_rom_or_reset),
		cmocka_unit_test(causes_of_resets_add_up_until_they_are_forgotten),
		cmocka_unit_test(what_the_rom_jumps_to_was_not_reset),
		cmocka_unit_test(an_application_that_attaches_itself_is_left_to_it),
		cmocka_unit_test(a_core_that_stands_still_keeps_its_device_until_reset),
		cmocka_unit_test(level_2_keeps_the_application_out_of_the_rom),
		cmocka_unit_test(pins_may_change_from_the_callbacks_of_the_port),
		cmocka_unit_test(many_boards_share_a_bench),
	};

	return cmocka_run_group_tests_name("mcu", tests, NULL, NULL);
}
