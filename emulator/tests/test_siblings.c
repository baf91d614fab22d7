// SPDX-License-Identifier: GPL-2.0-or-later
/* What the ROMs of other parts do that the F407's does not. Rows are those of profiles/siblings.md. */
#include "board.h"

static void open_idle(struct board *b, const char *profile)
{
	board_open_as(b, profile);
	board_power_on(b);
	if (mcu_dfu_state(b->mcu) == DFU_ERROR)
		assert_int_equal(host_clrstatus(&b->host), USB_ACK);
	b->event_count = 0;
}

/* A command or a block, and the polls as the device asks for them: bStatus at the end. */
static uint8_t settle(struct board *b)
{
	uint8_t status[6];

	do {
		assert_int_equal(host_getstatus(&b->host, status), USB_ACK);
		host_sleep(&b->host, MS(status[1] | status[2] << 8) + MS(5000));
	} while (status[4] == DFU_DNBUSY);
	return status[0];
}

static void command(struct board *b, uint8_t code, uint32_t address)
{
	assert_int_equal(host_command(&b->host, code, address), USB_ACK);
	assert_int_equal(settle(b), 0);
}

static uint8_t write_at(struct board *b, uint32_t address, const void *data, uint16_t length)
{
	command(b, DFUSE_SET_ADDRESS, address);
	assert_int_equal(host_dnload(&b->host, 2, data, length), USB_ACK);
	return settle(b);
}

static void get_string(struct board *b, unsigned index, uint8_t *data, size_t *actual)
{
	assert_int_equal(host_control(&b->host, 0x80, 6, (uint16_t)(0x300 | index), 0x0409, data, 255, actual),
			 USB_ACK);
}

/* F0-1, F1-1, F42-1, F411-1, G4-1, H7-1, L4-1, C5-1, GD-1, DFU11-1 */
static void siblings_look_as_they_were_listed(void **state)
{
	static const struct {
		const char *name;
		unsigned vendor, product, bcd_device, transfer_size;
		const char *alternates[5];
	} rows[] = {
		{ "f072",
		  0x0483,
		  0xdf11,
		  0x2200,
		  2048,
		  { "@Internal Flash  /0x08000000/064*0002Kg", "@Option Bytes  /0x1FFFF800/01*016 e" } },
		{ "f105",
		  0x0483,
		  0xdf11,
		  0x2200,
		  2048,
		  { "@Internal Flash  /0x08000000/128*002Kg", "@Option Bytes  /0x1FFFF800/01*016 e" } },
		{ "f411",
		  0x0483,
		  0xdf11,
		  0x2200,
		  2048,
		  { "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg", "@Option Bytes  /0x1FFFC000/01*016 e",
		    "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e" } },
		{ "f427",
		  0x0483,
		  0xdf11,
		  0x2200,
		  2048,
		  { "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg,04*016Kg,01*064Kg,07*128Kg",
		    "@Option Bytes  /0x1FFFC000/01*016 e/0x1FFEC000/01*016 e",
		    "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e" } },
		{ "g431",
		  0x0483,
		  0xdf11,
		  0x0200,
		  1024,
		  { "@Internal Flash   /0x08000000/64*02Kg", "@Option Bytes   /0x1FFF7800/01*40Be",
		    "@OTP Memory   /0x1FFF7000/01*01Ke" } },
		{ "g474",
		  0x0483,
		  0xdf11,
		  0x0200,
		  1024,
		  { "@Internal Flash   /0x08000000/256*02Kg",
		    "@Option Bytes   /0x1FFF7800/01*048 e/0x1FFFF800/01*048 e",
		    "@OTP Memory   /0x1FFF7000/01*1024 e" } },
		{ "h743",
		  0x0483,
		  0xdf11,
		  0x0200,
		  1024,
		  { "@Internal Flash   /0x08000000/16*128Kg", "@Option Bytes   /0x5200201C/01*128 e" } },
		{ "l476",
		  0x0483,
		  0xdf11,
		  0x2200,
		  2048,
		  { "@Internal Flash  /0x08000000/0512*0002Kg", "@Option Bytes  /0x1FFF7800/01*040 e",
		    "@OTP Memory /0x1FFF7000/01*0001Ke", "@Device Feature/0xFFFF0000/01*004 e" } },
		{ "c5", 0x0483, 0xdf11, 0x0200, 1024, { "@Internal Flash   /0x08000000/64*08Kg" } },
		{ "gd32vf103", 0x28e9, 0x0189, 0x0100, 2048, { "@Internal Flash  /0x08000000/128*001Kg" } },
		{ "gd32vf103-nano",
		  0x28e9,
		  0x0189,
		  0x1000,
		  2048,
		  { "@Internal Flash  /0x08000000/512*002Kg", "@Option Bytes  /0x1FFFF800/01*016 g" } },
		{ "dfu11", 0x1209, 0x0001, 0x0100, 1024, { "Firmware" } },
	};
	const struct mcu_profile *p;
	unsigned i, alt;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		p = mcu_profile_find(rows[i].name);
		assert_non_null(p);
		assert_int_equal(p->device_descriptor[8] | p->device_descriptor[9] << 8, rows[i].vendor);
		assert_int_equal(p->device_descriptor[10] | p->device_descriptor[11] << 8, rows[i].product);
		assert_int_equal(p->device_descriptor[12] | p->device_descriptor[13] << 8, rows[i].bcd_device);
		assert_int_equal(p->transfer_size_bytes, rows[i].transfer_size);
		for (alt = 0; rows[i].alternates[alt]; alt++)
			assert_string_equal(p->strings[p->configuration_descriptor[9 + 9 * alt + 8] - 1],
					    rows[i].alternates[alt]);
		assert_int_equal(p->alt_count, alt);
	}
}

static void the_f105_starts_in_dfuidle(void **state)
{
	struct board b;

	(void)state; /* F1-3 */
	board_open_as(&b, "f105");
	board_power_on(&b);
	host_expect_status(&b.host, GS_IDLE);
	board_close(&b);
}

static void an_l4_and_an_f0_stall_who_asks_too_early(void **state)
{
	static const struct {
		const char *name;
		uint8_t poll_ms;
		uint64_t erase_us;
	} rows[] = { { "l476", 22, 22020 }, { "f072", 100, MS(30) } };
	uint8_t status[6];
	struct board b;

	(void)state; /* L4-3, F0-6 */
	for (unsigned i = 0; i < 2; i++) {
		open_idle(&b, rows[i].name);
		assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08000800), USB_ACK);
		host_expect_status(&b.host, 0, rows[i].poll_ms, 0, 0, DFU_DNBUSY, 0);
		assert_int_equal(host_getstatus(&b.host, status), USB_STALL);
		host_sleep(&b.host, rows[i].erase_us);
		host_expect_status(&b.host, GS_OK);
		assert_int_equal(flash_erase_count(mcu_flash(b.mcu), 1), 1);
		board_close(&b);
	}
}

static void an_l4_at_its_slowest_stalls_at_the_end_of_its_own_time_out(void **state)
{
	uint8_t data[2048] = { 0 }, status[6];
	struct board b;

	(void)state; /* L4-3, L4-4 */
	open_idle(&b, "l476");
	flash_set_durations(mcu_flash(b.mcu), DURATION_MAXIMUM);
	assert_int_equal(host_dnload(&b.host, 2, data, sizeof data), USB_ACK);
	host_expect_status(&b.host, 0, 21, 0, 0, DFU_DNBUSY, 0);
	host_sleep(&b.host, MS(21));
	assert_int_equal(host_getstatus(&b.host, status), USB_STALL);
	host_sleep(&b.host, MS(3));
	host_expect_status(&b.host, GS_OK);
	assert_int_equal(host_dnload(&b.host, 2, data, 1024), USB_ACK); /* half of it is done in time */
	host_expect_status(&b.host, 0, 21, 0, 0, DFU_DNBUSY, 0);
	host_sleep(&b.host, MS(21));
	host_expect_status(&b.host, GS_OK);
	board_close(&b);
}

static void what_is_not_erased_takes_nothing_but_zeros(void **state)
{
	static const char *const names[] = { "l476", "g474", "g431", "f072", "f105", "gd32vf103" };
	static const uint8_t first[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t second[16] = { 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9 };
	static const uint8_t zeros[16];
	uint8_t cells[16];
	struct board b;

	(void)state; /* SFL-2, GD-3 */
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
		open_idle(&b, names[i]);
		assert_int_equal(write_at(&b, 0x08000000, first, 16), 0);
		assert_int_equal(write_at(&b, 0x08000000, second, 16), b.profile.hardware_error_status);
		assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, cells, 16), 0);
		/* the unit that was erased has taken it; of the others, those that were to become zero */
		assert_memory_equal(cells + 8, second + 8, 8);
		assert_int_equal(cells[7], first[7]);
		assert_int_equal(cells[0], b.profile.timings[0].unit_bytes == 8 ? first[0] : 0);
		if (b.profile.hardware_error_status)
			assert_int_equal(host_clrstatus(&b.host), USB_ACK);
		assert_int_equal(write_at(&b, 0x08000000, zeros, 16), 0);
		assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, cells, 16), 0);
		assert_memory_equal(cells, zeros, 16);
		board_close(&b);
	}
}

static void a_tail_is_padded_and_a_crooked_address_refused(void **state)
{
	static const struct {
		const char *name;
		uint32_t unit;
	} rows[] = { { "l476", 8 }, { "g431", 8 }, { "f072", 2 }, { "h743", 32 }, { "c5", 16 }, { "gd32vf103", 4 } };
	uint8_t data[64], cells[64];
	struct board b;

	(void)state; /* SFL-1, SFL-3 */
	memset(data, 0x5a, sizeof data);
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		open_idle(&b, rows[i].name);
		assert_int_equal(b.profile.timings[0].unit_bytes, rows[i].unit);
		assert_int_equal(write_at(&b, 0x08000000, data, 33), 0);
		assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000000, cells, 64), 0);
		assert_memory_equal(cells, data, 33);
		for (unsigned n = 33; n < 64; n++)
			assert_int_equal(cells[n], 0xff);
		assert_int_equal(write_at(&b, 0x08000400 + rows[i].unit / 2, data, 32),
				 b.profile.hardware_error_status);
		assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08000400, cells, 64), 0);
		for (unsigned n = 0; n < 64; n++)
			assert_int_equal(cells[n], 0xff);
		board_close(&b);
	}
}

/* Every bank of option bytes of every ROM is read whole, and not otherwise. */
static void option_bytes_are_read_bank_by_bank(void **state)
{
	uint8_t data[OPTION_MAX_BYTES];
	struct board b;

	(void)state; /* SOB-1, OB-6 */
	for (unsigned i = 0; mcu_profiles[i]; i++) {
		const uint8_t *want = mcu_profiles[i]->option_factory;

		for (size_t r = 0; r < mcu_profiles[i]->region_count; r++) {
			const struct mem_region *m = &mcu_profiles[i]->regions[r];

			if (m->kind != MEM_OPTION)
				continue;
			open_idle(&b, mcu_profiles[i]->name);
			command(&b, DFUSE_SET_ADDRESS, m->base);
			assert_int_equal(host_control(&b.host, 0x21, DFU_ABORT, 0, 0, NULL, 0, NULL), USB_ACK);
			assert_int_equal(
				host_control(&b.host, 0xa1, DFU_UPLOAD, 2, 0, data, (uint16_t)m->size_bytes, NULL),
				USB_ACK);
			assert_memory_equal(data, want, m->size_bytes);
			want += m->size_bytes;
			assert_int_equal(host_control(&b.host, 0xa1, DFU_UPLOAD, 2, 0, data,
						      (uint16_t)(m->size_bytes - 4), NULL),
					 USB_STALL);
			board_close(&b);
		}
	}
}

static void option_bytes_protect_the_sectors_that_they_name(void **state)
{
	static const struct {
		const char *name;
		uint16_t offset;
		uint8_t value;
		unsigned first, last; /* sectors that are protected then */
	} rows[] = {
		{ "f427", 24, 0xfe, 12, 12 },          /* nWRP of the second bank */
		{ "f072", 10, 0x7f, 30, 31 },          /* WRP1, two pages a bit */
		{ "f105", 14, 0x7f, 62, 127 },         /* the last bit of WRP3: all that is left */
		{ "h743", 0x1c, 0xfb, 2, 2 },          /* WPSN_CUR1 */
		{ "l476", 0x18, 0x00, 0, 0 },          /* WRP1A from page 0 to page 0 */
		{ "g474", 48 + 0x18, 0x00, 128, 128 }, /* WRP2A */
		{ "gd32vf103", 8, 0xfd, 4, 7 },        /* WP0, four pages a bit */
	};
	uint8_t bytes[OPTION_MAX_BYTES];
	const struct mcu_profile *p;
	struct prng prng = { 1 };
	struct flash *f;
	uint64_t us;

	(void)state; /* SOB-2 */
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		p = mcu_profile_find(rows[i].name);
		f = flash_new(p, &prng);
		flash_read_options(f, bytes);
		bytes[rows[i].offset] = rows[i].value;
		option_bytes_make(p, bytes, bytes);
		flash_set_options(f, bytes);
		for (unsigned s = 0; s < flash_sector_count(f); s++)
			assert_int_equal(flash_sector_protected(f, s), s >= rows[i].first && s <= rows[i].last);
		assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
		assert_int_equal(flash_begin(f, FLASH_MASS_ERASE, 0, NULL, 0, &us), 0);
		assert_int_equal(us, 0); /* FL-8 */
		flash_finish(f);
		flash_free(f);
	}
}

static void a_bank_of_option_bytes_is_written_without_the_other(void **state)
{
	uint8_t data[48], all[96];
	struct board b;
	uint8_t status[6];

	(void)state; /* SOB-1 */
	open_idle(&b, "g474");
	memcpy(data, b.profile.option_factory + 48, 48);
	data[0x18] = 0x7f; /* WRP2A from 127 to 127 */
	data[0x1a] = 0x7f;
	command(&b, DFUSE_SET_ADDRESS, 0x1ffff800);
	assert_int_equal(host_dnload(&b.host, 2, data, 40), USB_ACK);
	assert_int_equal(settle(&b), DFU_ERR_TARGET); /* OB-8 */
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	assert_int_equal(host_dnload(&b.host, 2, data, 48), USB_ACK);
	assert_int_equal(host_getstatus(&b.host, status), USB_ACK);
	host_sleep(&b.host, SECONDS(1)); /* the chip resets */
	flash_read_options(mcu_flash(b.mcu), all);
	assert_memory_equal(all, b.profile.option_factory, 48);
	assert_int_equal(all[48 + 0x18], 0x7f);
	assert_int_equal(all[48 + 0x1c], 0x80); /* the complement is the chip's */
	assert_true(flash_sector_protected(mcu_flash(b.mcu), 255));
	board_close(&b);
}

static void readout_protection_is_the_parts_own(void **state)
{
	static const struct {
		const char *name;
		uint8_t rdp;
		enum rdp_level want;
	} rows[] = {
		{ "f105", 0xa5, RDP_LEVEL_0 }, { "f105", 0xaa, RDP_LEVEL_1 }, { "f105", 0xcc, RDP_LEVEL_1 },
		{ "f072", 0xaa, RDP_LEVEL_0 }, { "f072", 0xa5, RDP_LEVEL_1 }, { "f072", 0xcc, RDP_LEVEL_2 },
		{ "h743", 0xaa, RDP_LEVEL_0 }, { "h743", 0x00, RDP_LEVEL_1 }, { "l476", 0xcc, RDP_LEVEL_2 },
	};
	uint8_t bytes[OPTION_MAX_BYTES];
	const struct mcu_profile *p;

	(void)state; /* SOB-3 */
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		p = mcu_profile_find(rows[i].name);
		memcpy(bytes, p->option_factory, option_bytes_size(p));
		bytes[p->rdp_offset] = rows[i].rdp;
		option_bytes_make(p, bytes, bytes);
		assert_int_equal(option_bytes_level(p, bytes), rows[i].want);
		if (p->option_layout != OPTIONS_PLAIN) {
			bytes[p->rdp_offset] ^= 1;
			assert_false(option_bytes_ok(p, bytes));
			assert_int_equal(option_bytes_level(p, bytes), RDP_LEVEL_1);
		}
	}
}

static void the_old_f427_sends_half_of_its_string(void **state)
{
	uint8_t data[255];
	size_t actual;
	struct board b;

	(void)state; /* F42-3 */
	board_open_as(&b, "f427-v7.0");
	board_power_on(&b);
	get_string(&b, 4, data, &actual);
	assert_int_equal(actual, 112);
	assert_int_equal(data[0], 166);
	get_string(&b, 5, data, &actual);
	assert_int_equal(actual, data[0]);
	board_close(&b);
	board_open_as(&b, "f427-v9.1");
	board_power_on(&b);
	get_string(&b, 4, data, &actual);
	assert_int_equal(actual, 166);
	assert_int_equal(data[0], 166);
	board_close(&b);
}

static void a_gd32_has_bytes_for_a_serial_number(void **state)
{
	uint8_t data[255];
	size_t actual;
	struct board b;

	(void)state; /* GD-4 */
	board_open_as(&b, "gd32vf103");
	board_power_on(&b);
	get_string(&b, 3, data, &actual);
	assert_int_equal(actual, 6);
	assert_memory_equal(data, "\006\0033CBJ", 6);
	board_close(&b);
}

static void an_h743_stays_busy_after_an_erase_above_one_megabyte(void **state)
{
	uint8_t data[64] = { 0 };
	struct board b;

	(void)state; /* H7-4 */
	open_idle(&b, "h743");
	assert_int_equal(write_at(&b, 0x08100000, data, sizeof data), 0);
	command(&b, DFUSE_ERASE, 0x080e0000); /* the last sector below */
	assert_int_equal(host_command(&b.host, DFUSE_ERASE, 0x08100000), USB_ACK);
	host_expect_status(&b.host, GS_ERASE);
	for (unsigned i = 0; i < 50; i++) {
		host_sleep(&b.host, MS(1000));
		host_expect_status(&b.host, GS_ERASE);
	}
	assert_int_equal(host_clrstatus(&b.host), USB_ACK); /* CubeProgrammer's way out */
	host_expect_status(&b.host, GS_FAILED(DFU_ERR_UNKNOWN));
	assert_int_equal(host_clrstatus(&b.host), USB_ACK);
	host_expect_status(&b.host, GS_IDLE);
	assert_int_equal(flash_read(mcu_flash(b.mcu), 0x08100000, data, 1), 0);
	assert_int_equal(data[0], 0xff); /* it was erased all the same */
	assert_int_equal(board_count(&b, MCU_EVENT_ERASED), 2);
	board_close(&b);
}

static void a_c5_stalls_clrstatus_outside_dfuerror(void **state)
{
	struct board b;

	(void)state; /* C5-2 */
	open_idle(&b, "c5");
	assert_int_equal(host_clrstatus(&b.host), USB_STALL);
	host_expect_status(&b.host, GS_IDLE);
	board_close(&b);
}

static void a_c5_never_answers_who_asks_for_the_functional_descriptor_alone(void **state)
{
	struct host_urb asked, behind;
	uint8_t data[9], status[6];
	struct board b;

	(void)state; /* C5-3 */
	open_idle(&b, "c5");
	host_submit(&b.host, &asked, (struct usb_setup){ 0x81, 6, 0x2100, 0, 9 }, data);
	assert_false(host_wait(&b.host, &asked, SECONDS(60)));
	host_submit(&b.host, &behind, (struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 6 }, status);
	assert_false(host_wait(&b.host, &behind, SECONDS(60)));
	b.host.dev->ops->cancel(b.host.dev, &asked.urb);
	assert_int_equal(asked.urb.result, USB_CANCELLED);
	assert_true(host_wait(&b.host, &behind, MS(10)));
	assert_int_equal(behind.urb.result, USB_ACK);
	board_close(&b);
	/* the F407 does: ID-17 */
	board_open_idle(&b);
	assert_int_equal(host_control(&b.host, 0x81, 6, 0x2100, 0, data, 9, NULL), USB_ACK);
	board_close(&b);
}

static void a_gd32_leaves_at_the_empty_download(void **state)
{
	static const uint8_t code[8] = { 0x73, 0x50, 0x40, 0x30, 0x73, 0x50, 0x40, 0x34 };
	struct board b;

	(void)state; /* GD-5, GD-6 */
	open_idle(&b, "gd32vf103");
	assert_int_equal(flash_load(mcu_flash(b.mcu), 0, code, sizeof code), 0);
	assert_int_equal(host_dnload(&b.host, 2, NULL, 0), USB_ACK);
	host_sleep(&b.host, MS(10));
	assert_false(b.host.attached);
	assert_int_equal(mcu_mode(b.mcu), MCU_APPLICATION);
	board_close(&b);

	open_idle(&b, "gd32vf103"); /* nothing to run */
	assert_int_equal(host_dnload(&b.host, 2, NULL, 0), USB_ACK);
	host_sleep(&b.host, MS(500));
	assert_int_equal(mcu_mode(b.mcu), MCU_ROM);
	assert_int_equal(board_last(&b, MCU_EVENT_RESET)->cause, RESET_NOT_EXECUTABLE);
	board_close(&b);
}

static void boot1_counts_where_it_is_a_pin(void **state)
{
	static const struct {
		const char *name;
		enum mcu_mode want;
	} rows[] = { { "f411", MCU_LOCKUP },       { "f105", MCU_LOCKUP },       { "l476", MCU_ROM_STARTING },
		     { "g431", MCU_ROM_STARTING }, { "f072", MCU_ROM_STARTING }, { "h743", MCU_ROM_STARTING } };
	struct board b;

	(void)state; /* SIB-2 */
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		board_open_as(&b, rows[i].name);
		mcu_set_pin(b.mcu, PIN_BOOT1, true);
		mcu_set_pin(b.mcu, PIN_BOOT0, true);
		mcu_set_pin(b.mcu, PIN_VDD, true);
		assert_int_equal(mcu_mode(b.mcu), rows[i].want);
		board_close(&b);
	}
}

/* Pages of flash that are smaller than those of the memory behind them, which two boards share. */
static void small_pages_of_a_shared_image_are_erased_alone(void **state)
{
	const struct mcu_profile *p = mcu_profile_find("gd32vf103");
	struct prng prng = { 1 };
	struct flash *one = flash_new(p, &prng), *two = flash_new(p, &prng);
	static uint8_t image[128 * 1024], cells[128 * 1024];
	uint64_t us;

	(void)state;
	memset(image, 0x11, sizeof image);
	assert_int_equal(flash_load(one, 0, image, sizeof image), 0);
	assert_int_equal(flash_share(two, one), 0);
	assert_int_equal(flash_begin(two, FLASH_ERASE_SECTOR, 0x08000400, NULL, 0, &us), 0);
	flash_finish(two);
	assert_int_equal(flash_read(one, 0x08000000, cells, sizeof cells), 0);
	assert_memory_equal(cells, image, sizeof cells);
	assert_int_equal(flash_read(two, 0x08000000, cells, sizeof cells), 0);
	memset(image + 0x400, 0xff, 0x400);
	assert_memory_equal(cells, image, sizeof cells);
	assert_int_equal(flash_begin(one, FLASH_MASS_ERASE, 0, NULL, 0, &us), 0);
	flash_cut(one, us / 2);
	assert_int_equal(flash_begin(one, FLASH_MASS_ERASE, 0, NULL, 0, &us), 0);
	flash_finish(one);
	assert_int_equal(flash_read(two, 0x08000000, cells, sizeof cells), 0);
	assert_memory_equal(cells, image, sizeof cells);
	flash_free(one);
	flash_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siblings_look_as_they_were_listed),
		cmocka_unit_test(the_f105_starts_in_dfuidle),
		cmocka_unit_test(an_l4_and_an_f0_stall_who_asks_too_early),
		cmocka_unit_test(an_l4_at_its_slowest_stalls_at_the_end_of_its_own_time_out),
		cmocka_unit_test(what_is_not_erased_takes_nothing_but_zeros),
		cmocka_unit_test(a_tail_is_padded_and_a_crooked_address_refused),
		cmocka_unit_test(option_bytes_are_read_bank_by_bank),
		cmocka_unit_test(option_bytes_protect_the_sectors_that_they_name),
		cmocka_unit_test(a_bank_of_option_bytes_is_written_without_the_other),
		cmocka_unit_test(readout_protection_is_the_parts_own),
		cmocka_unit_test(the_old_f427_sends_half_of_its_string),
		cmocka_unit_test(a_gd32_has_bytes_for_a_serial_number),
		cmocka_unit_test(an_h743_stays_busy_after_an_erase_above_one_megabyte),
		cmocka_unit_test(a_c5_stalls_clrstatus_outside_dfuerror),
		cmocka_unit_test(a_c5_never_answers_who_asks_for_the_functional_descriptor_alone),
		cmocka_unit_test(a_gd32_leaves_at_the_empty_download),
		cmocka_unit_test(boot1_counts_where_it_is_a_pin),
		cmocka_unit_test(small_pages_of_a_shared_image_are_erased_alone),
	};

	return cmocka_run_group_tests_name("siblings", tests, NULL, NULL);
}
