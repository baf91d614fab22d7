// SPDX-License-Identifier: GPL-2.0-or-later
/* Firmware that runs on the board: the images of fixtures/firmware/, a host on the port, and a hand on the pins. */
#include "board.h"
#include <errno.h>
#include <stdio.h>
#include "engine.h"
#include "prng.h"

struct scene {
	struct board board;
	struct engine *engine;
	char said[8192];
	unsigned leds, resets, faults;
	enum reset_cause cause;
	enum mcu_mode mode;
	struct mcu_fault fault, first_fault; /* the last one; and of all */
	uint64_t digest;                     /* of all events with their times */
};

static void mix(struct scene *s, const void *data, size_t length)
{
	for (size_t i = 0; i < length; i++)
		s->digest = (s->digest ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001B3);
}

static void hears(void *context, const struct mcu_event *e)
{
	struct scene *s = context;

	mix(s, &e->at_us, sizeof(e->at_us));
	mix(s, &e->type, sizeof(e->type));
	switch (e->type) {
	case MCU_EVENT_CONSOLE:
		mix(s, e->line, strlen(e->line));
		if (strlen(s->said) + strlen(e->line) + 2 < sizeof(s->said))
			sprintf(s->said + strlen(s->said), "%s\n", e->line);
		break;
	case MCU_EVENT_LED:
		s->leds += e->high;
		break;
	case MCU_EVENT_RESET:
		s->cause = e->cause;
		s->resets++;
		break;
	case MCU_EVENT_BOOTED:
		s->mode = e->mode;
		break;
	case MCU_EVENT_FAULT:
		s->fault = *e->fault;
		s->first_fault = s->faults ? s->first_fault : s->fault;
		s->faults++;
		break;
	default:
		break;
	}
}

static void load(struct scene *s, const char *name)
{
	static uint8_t image[0x100000];
	char path[128];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "fixtures/firmware/%s", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	length = fread(image, 1, sizeof(image), file);
	fclose(file);
	assert_int_equal(flash_load(mcu_flash(s->board.mcu), 0, image, length), 0);
}

static void open_board(struct scene *s)
{
	if (engine_lacks()) {
		printf("skip - %s\n", engine_lacks());
		skip();
	}
	memset(s, 0, sizeof(*s));
	board_open(&s->board);
	s->engine = engine_firmware_new(s->board.mcu, &(const struct engine_options){ .seed = 1, .scale = 1 });
	assert_non_null(s->engine);
	mcu_set_app(s->board.mcu, s->engine->ops->app, s->engine);
	mcu_listen(s->board.mcu, hears, s);
}

static void open_scene(struct scene *s, const char *name)
{
	open_board(s);
	load(s, name);
	mcu_set_pin(s->board.mcu, PIN_VDD, true);
}

/* Code of the test's own, in words from the vectors on. */
static void open_code(struct scene *s, const uint32_t *words, size_t count)
{
	open_board(s);
	assert_int_equal(flash_load(mcu_flash(s->board.mcu), 0, (const uint8_t *)words, 4 * count), 0);
	mcu_set_pin(s->board.mcu, PIN_VDD, true);
}

static void close_scene(struct scene *s)
{
	mcu_listen(s->board.mcu, NULL, NULL);
	mcu_free(s->board.mcu);
	engine_close(s->engine);
	assert_int_equal(bench_next_us(s->board.bench), BENCH_NEVER);
	bench_free(s->board.bench);
}

static void pass(struct scene *s, uint64_t us)
{
	bench_advance(s->board.bench, bench_now_us(s->board.bench) + us);
}

static void type(struct scene *s, const char *text)
{
	assert_int_equal(engine_console(s->engine, (const uint8_t *)text, strlen(text)), strlen(text));
	pass(s, MS(100));
}

static void says(struct scene *s, const char *text)
{
	if (!strstr(s->said, text))
		fail_msg("it does not say '%s' but:\n%s", text, s->said);
}

static void it_says_who_it_is_and_lights_its_leds(void **state)
{
	struct scene s;
	struct engine_status status;

	(void)state;
	open_scene(&s, "blink.bin");
	pass(&s, MS(1000));
	says(&s, "blink 1");
	says(&s, "reset: power-on");
	says(&s, "clock: 168000000 Hz");
	says(&s, mcu_serial(s.board.mcu));
	assert_int_equal(s.leds, 8);
	engine_status(s.engine, &status);
	assert_int_equal(status.state, ENGINE_WAITS);
	assert_int_equal(status.hclk_hz, 168000000);
	assert_in_range(status.pc, 0x08000000, 0x08100000);
	assert_int_equal(status.faults, 0);
	close_scene(&s);
}

static void it_hears_the_console_and_sees_the_button(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	pass(&s, MS(100));
	type(&s, "p");
	says(&s, "pattern 2");
	assert_int_equal(engine_button(s.engine, true), 0);
	pass(&s, MS(100));
	assert_int_equal(engine_button(s.engine, false), 0);
	pass(&s, MS(100));
	says(&s, "pattern 3");
	close_scene(&s);
}

static void it_resets_itself_and_a_watchdog_does(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	pass(&s, MS(100));
	type(&s, "r");
	assert_int_equal(s.cause, RESET_SOFTWARE);
	says(&s, "reset: software");
	type(&s, "w");
	pass(&s, MS(300));
	assert_int_equal(s.cause, RESET_WATCHDOG);
	assert_int_equal(s.resets, 3);
	assert_int_equal(mcu_mode(s.board.mcu), MCU_APPLICATION);
	close_scene(&s);
}

static void it_jumps_to_the_rom_without_a_reset(void **state)
{
	struct scene s;
	uint8_t descriptor[18];

	(void)state;
	open_scene(&s, "blink.bin");
	pass(&s, MS(100));
	type(&s, "d");
	pass(&s, MS(300));
	assert_int_equal(mcu_mode(s.board.mcu), MCU_ROM);
	assert_int_equal(s.resets, 1);
	assert_true(s.board.host.attached);
	host_enumerate(&s.board.host);
	assert_int_equal(host_control(&s.board.host, 0x80, 6, 0x0100, 0, descriptor, 18, NULL), USB_ACK);
	assert_memory_equal(descriptor + 8, ((uint8_t[]){ 0x83, 0x04, 0x11, 0xDF }), 4);
	close_scene(&s);
}

static void it_has_a_usb_device_of_its_own(void **state)
{
	struct scene s;
	uint8_t descriptor[18];

	(void)state;
	open_scene(&s, "cdc-echo.bin");
	pass(&s, MS(100));
	assert_true(s.board.host.attached);
	host_enumerate(&s.board.host);
	assert_int_equal(host_control(&s.board.host, 0x80, 6, 0x0100, 0, descriptor, 18, NULL), USB_ACK);
	assert_memory_equal(descriptor + 8, ((uint8_t[]){ 0x83, 0x04, 0x40, 0x57 }), 4);
	mcu_set_pin(s.board.mcu, PIN_NRST, false);
	assert_false(s.board.host.attached);
	mcu_set_pin(s.board.mcu, PIN_NRST, true);
	pass(&s, MS(100));
	assert_true(s.board.host.attached);
	mcu_set_pin(s.board.mcu, PIN_VBUS, false);
	assert_false(s.board.host.attached);
	mcu_set_pin(s.board.mcu, PIN_VBUS, true);
	pass(&s, MS(100));
	host_enumerate(&s.board.host);
	close_scene(&s);
}

static void sram_outlives_a_reset_but_not_the_power(void **state)
{
	static const uint8_t mark[4] = { 1, 2, 3, 4 };
	static const uint8_t nothing[256];
	uint8_t got[4], stack[256];
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	assert_int_equal(mcu_write_ram(s.board.mcu, 0x20010000, mark, 4), 0);
	pass(&s, MS(100)); /* it begins after that */
	for (unsigned i = 0; i < 2; i++) {
		mcu_set_pin(s.board.mcu, PIN_NRST, false);
		assert_int_equal(mcu_read_ram(s.board.mcu, 0x20010000, got, 4), 0);
		assert_memory_equal(got, mark, 4);
		assert_int_equal(mcu_read_ram(s.board.mcu, 0x2001FF00, stack, sizeof(stack)), 0);
		assert_memory_not_equal(stack, nothing, sizeof(stack)); /* what the firmware has left there */
		mcu_set_pin(s.board.mcu, PIN_NRST, true);
		pass(&s, MS(100));
	}
	mcu_set_pin(s.board.mcu, PIN_VDD, false);
	mcu_set_pin(s.board.mcu, PIN_VDD, true);
	pass(&s, MS(100));
	mcu_set_pin(s.board.mcu, PIN_NRST, false);
	assert_int_equal(mcu_read_ram(s.board.mcu, 0x20010000, got, 4), 0);
	assert_memory_equal(got, ((uint8_t[4]){ 0 }), 4);
	close_scene(&s);
}

static void a_fault_is_told_with_the_registers_before_it(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, "hard-fault.bin");
	pass(&s, MS(100));
	type(&s, "b");
	assert_int_equal(s.faults, 1);
	assert_int_equal(s.fault.exception, 5); /* which HardFault has handled: FORCED */
	assert_int_equal(s.fault.hfsr, 0x40000000);
	assert_int_not_equal(s.fault.cfsr & 0xFF00, 0);
	assert_in_range(s.fault.r[15], 0x08000000, 0x08100000);
	assert_false(s.fault.lockup);
	assert_int_equal(mcu_mode(s.board.mcu), MCU_APPLICATION);
	close_scene(&s);
}

static void a_core_that_locks_up_stays_so_until_reset(void **state)
{
	struct engine_status status;
	struct scene s;

	(void)state;
	open_scene(&s, "hard-fault.bin");
	pass(&s, MS(100));
	type(&s, "l");
	assert_true(s.fault.lockup);
	assert_int_equal(mcu_mode(s.board.mcu), MCU_LOCKUP);
	engine_status(s.engine, &status);
	assert_int_equal(status.state, ENGINE_LOCKED_UP);
	pass(&s, MS(1000));
	mcu_set_pin(s.board.mcu, PIN_NRST, false);
	mcu_set_pin(s.board.mcu, PIN_NRST, true);
	pass(&s, MS(100));
	assert_int_equal(mcu_mode(s.board.mcu), MCU_APPLICATION);
	close_scene(&s);
}

/* Vectors of erased flash look like EXC_RETURN: only an instruction that branches there returns. */
static void a_handler_that_is_nowhere_locks_the_core_up(void **state)
{
	static const uint8_t vectors[8] = { 0x00, 0x00, 0x02, 0x20, 0x01, 0x01, 0x00, 0x08 };
	static const uint8_t undefined[2] = { 0x00, 0xde };
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	mcu_set_pin(s.board.mcu, PIN_VDD, false);
	for (uint32_t i = 0; i < 0x4000; i += 4)
		assert_int_equal(flash_load(mcu_flash(s.board.mcu), i, (const uint8_t[]){ 255, 255, 255, 255 }, 4), 0);
	assert_int_equal(flash_load(mcu_flash(s.board.mcu), 0, vectors, sizeof(vectors)), 0);
	assert_int_equal(flash_load(mcu_flash(s.board.mcu), 0x100, undefined, sizeof(undefined)), 0);
	mcu_set_pin(s.board.mcu, PIN_VDD, true);
	pass(&s, MS(10));
	assert_int_equal(mcu_mode(s.board.mcu), MCU_LOCKUP);
	assert_true(s.fault.lockup);
	assert_int_equal(s.faults, 2); /* what made it look for the handler comes first: that is what one looks for */
	assert_int_equal(s.first_fault.exception, 6);
	assert_int_equal(s.first_fault.r[15], 0x08000100);
	assert_false(s.first_fault.lockup);
	close_scene(&s);
}

/* Two words, with which a reset begins, and an endless loop at 0x100. */
static void begin_with(struct scene *s, uint32_t sp, uint32_t pc)
{
	const uint8_t vectors[8] = { (uint8_t)sp, (uint8_t)(sp >> 8), (uint8_t)(sp >> 16), (uint8_t)(sp >> 24),
				     (uint8_t)pc, (uint8_t)(pc >> 8), (uint8_t)(pc >> 16), (uint8_t)(pc >> 24) };
	static const uint8_t nothing[0x100] = { 0 }, endless[2] = { 0xfe, 0xe7 };
	struct flash *flash = mcu_flash(s->board.mcu);

	mcu_set_pin(s->board.mcu, PIN_VDD, false);
	s->faults = 0;
	assert_int_equal(flash_load(flash, 0, nothing, sizeof(nothing)), 0);
	assert_int_equal(flash_load(flash, 0, vectors, sizeof(vectors)), 0);
	assert_int_equal(flash_load(flash, 0x100, endless, sizeof(endless)), 0);
	mcu_set_pin(s->board.mcu, PIN_VDD, true);
	pass(s, MS(10));
}

/* DDI 0403 B1.5.5: no core looks at what it loads; and at 0 is what was booted (RM0090 2.4). */
static void a_reset_takes_whatever_vectors_there_are(void **state)
{
	static const struct {
		uint32_t sp, pc, ends_at;
	} rows[] = { { 0x20020000, 0x00000101, 0x00000100 }, /* linked at 0 */
		     { 0x00000000, 0x08000101, 0x08000100 }, /* sets its stack up by itself */
		     { 0xffffffff, 0x08000101, 0x08000100 },
		     { 0x20001003, 0x08000101, 0x08000100 } };
	struct engine_status status;
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin_with(&s, rows[i].sp, rows[i].pc);
		assert_int_equal(mcu_mode(s.board.mcu), MCU_APPLICATION);
		engine_status(s.engine, &status);
		assert_int_equal(status.pc, rows[i].ends_at);
		assert_int_equal(status.sp, rows[i].sp & ~3u);
		assert_int_equal(s.faults, 0);
	}
	begin_with(&s, 0x20020000, 0x08000100); /* no Thumb, and no handler of anything */
	assert_int_equal(mcu_mode(s.board.mcu), MCU_LOCKUP);
	assert_int_equal(s.first_fault.exception, 6);
	assert_int_equal(s.first_fault.cfsr, 1u << 17);
	assert_int_equal(s.first_fault.r[15], 0x08000100);
	assert_true(s.fault.lockup);
	close_scene(&s);
}

static void there_is_no_code_in_ccm(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, "blink.bin");
	begin_with(&s, 0x10010000, 0x10000001); /* its stack may be there */
	assert_int_equal(s.first_fault.exception, 5);
	assert_int_equal(s.first_fault.cfsr, 1u << 8);
	assert_int_equal(s.first_fault.r[15], 0x10000000);
	assert_int_equal(s.first_fault.r[13], 0x10010000);
	close_scene(&s);
}

/* Pins, packets, bytes and the button at any moment: nothing is lost, nothing is left over. */
static void the_hand_may_come_at_any_time(void **state)
{
	struct scene s;
	struct prng prng = { .state = 7 };
	struct host_urb urb;
	uint8_t data[64];

	(void)state;
	open_scene(&s, "cdc-echo.bin");
	for (unsigned i = 0; i < 200; i++) {
		uint64_t us = prng_between(&prng, 0, 30000);
		enum mcu_pin pin = (enum mcu_pin[]){ PIN_NRST, PIN_VDD, PIN_VBUS }[prng_between(&prng, 0, 2)];

		pass(&s, us);
		urb.completions = 1;
		if (s.board.host.attached) {
			host_submit(&s.board.host, &urb, (struct usb_setup){ 0x80, 6, 0x0100, 0, 18 }, data);
			pass(&s, prng_between(&prng, 0, 1000));
		}
		if (i % 3 == 0)
			engine_console(s.engine, data, 5);
		if (i % 5 == 0)
			engine_button(s.engine, i % 2);
		mcu_set_pin(s.board.mcu, pin, false);
		if (!urb.completions) /* it is asleep, not gone */
			s.board.host.dev->ops->cancel(s.board.host.dev, &urb.urb);
		assert_int_equal(urb.completions, 1);
		pass(&s, prng_between(&prng, 0, 100));
		mcu_set_pin(s.board.mcu, pin, true);
	}
	pass(&s, MS(200));
	assert_true(s.board.host.attached);
	host_enumerate(&s.board.host);
	close_scene(&s);
}

static uint64_t run_once(void)
{
	struct scene s;
	uint64_t digest;

	open_scene(&s, "cdc-echo.bin");
	pass(&s, MS(150));
	host_enumerate(&s.board.host);
	pass(&s, MS(50));
	mcu_set_pin(s.board.mcu, PIN_NRST, false);
	mcu_set_pin(s.board.mcu, PIN_NRST, true);
	pass(&s, MS(150));
	digest = s.digest;
	close_scene(&s);
	return digest;
}

static void the_same_happens_each_time(void **state)
{
	uint64_t first;

	(void)state;
	first = run_once();
	for (unsigned i = 0; i < 3; i++)
		assert_true(run_once() == first);
}

static unsigned leds(struct scene *s)
{
	struct engine_status status;

	s->engine->ops->status(s->engine, &status);
	return status.leds;
}

/* movs r0, #1 and bx lr are written to 0x20000100, and called; movs r0, #2 comes over it by DMA2; what is called then is on the LEDs. */
static void code_that_dma_has_written_is_what_is_run(void **state)
{
	static const uint32_t code[] = { 0x20010000, 0x08000009, 0x48104C0F, 0x60014910, 0x481047A0, 0x60014910,
					 0x49114810, 0x48116001, 0x60412101, 0x6081490B, 0x60C14908, 0x6181F245,
					 0x68016001, 0xD1FC07C9, 0x490B47A0, 0x42AAF04F, 0x0300600A, 0xE7FE6148,
					 0x20000101, 0x20000100, 0x47702001, 0x20000200, 0x47702002, 0x40023830,
					 0x00500008, 0x40026410, 0x40020C00 };
	struct scene s;

	(void)state;
	open_code(&s, code, sizeof(code) / 4);
	pass(&s, MS(100));
	assert_int_equal(leds(&s), 2);
	close_scene(&s);
}

/* SBF clear: green, the RTC is to wake in a second, standby. Else what woke it: WUF on orange, SBF on red. */
static void out_of_standby_it_begins_anew_and_knows_why(void **state)
{
	static const uint32_t code[] = { 0x20010000, 0x08000009, 0x49164815, 0xF04F6301, 0x64015180, 0xF04F4A14,
					 0x601343AA, 0x68654C13, 0xD41707AE, 0x1102F244, 0xF2486021, 0x67011101,
					 0x21CA480F, 0x21536241, 0x21006241, 0xF2446141, 0x60814104, 0x5180F44F,
					 0x480A6151, 0x60012104, 0xE7FEBF30, 0x0503F005, 0x6155036D, 0x0000E7FE,
					 0x40023800, 0x00100008, 0x40020C00, 0x40007000, 0x40002800, 0xE000ED10 };
	struct scene s;

	(void)state;
	open_code(&s, code, sizeof(code) / 4);
	pass(&s, MS(900));
	assert_int_equal(leds(&s), 0);
	assert_int_equal(s.resets, 1);
	pass(&s, MS(300));
	assert_int_equal(s.resets, 2);
	assert_int_equal(s.cause, RESET_STANDBY);
	assert_int_equal(leds(&s), 6);
	close_scene(&s);
}

/* HSE drives the clock, SysTick goes, B1 interrupts, interrupts are held off, stop. Then SW on green and orange, SWS on red and blue,
 * whether SysTick is pending on red; blue in any case. */
static void stop_ends_by_the_button_and_not_by_systick(void **state)
{
	static const uint32_t code[] = {
		0x20010000, 0x08000061, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D,
		0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D,
		0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005D, 0x0800005F, 0xE7FEE7FE,
		0x49174816, 0xF44F6301, 0x68023180, 0x6002430A, 0x60812101, 0xF04F4B13, 0x601941AA, 0x21014C12,
		0x60A16021, 0x4D11B672, 0x60292140, 0xF6414D10, 0x60697140, 0x60292107, 0x21044E0E, 0xBF306031,
		0x03096881, 0x68324E0C, 0xF0020E92, 0x03920201, 0xF4414311, 0x61594100, 0x0000E7FE, 0x40023800,
		0x00100008, 0x40020C00, 0x40013C00, 0xE000E100, 0xE000E010, 0xE000ED10, 0xE000ED04
	};
	struct scene s;

	(void)state;
	open_code(&s, code, sizeof(code) / 4);
	pass(&s, MS(500));
	assert_int_equal(leds(&s), 0);
	assert_int_equal(engine_button(s.engine, true), 0);
	pass(&s, MS(1));
	assert_int_equal(leds(&s), 8);
	close_scene(&s);
}

static void a_chip_that_is_not_modelled_runs_nothing(void **state)
{
	struct board b;

	(void)state;
	board_open_as(&b, "h743");
	assert_false(engine_knows(&b.profile));
	assert_null(engine_firmware_new(b.mcu, &(const struct engine_options){ .scale = 1 }));
	assert_int_equal(errno, ENOTSUP);
	board_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_who_it_is_and_lights_its_leds),
		cmocka_unit_test(it_hears_the_console_and_sees_the_button),
		cmocka_unit_test(it_resets_itself_and_a_watchdog_does),
		cmocka_unit_test(it_jumps_to_the_rom_without_a_reset),
		cmocka_unit_test(it_has_a_usb_device_of_its_own),
		cmocka_unit_test(sram_outlives_a_reset_but_not_the_power),
		cmocka_unit_test(a_fault_is_told_with_the_registers_before_it),
		cmocka_unit_test(a_core_that_locks_up_stays_so_until_reset),
		cmocka_unit_test(a_handler_that_is_nowhere_locks_the_core_up),
		cmocka_unit_test(a_reset_takes_whatever_vectors_there_are),
		cmocka_unit_test(there_is_no_code_in_ccm),
		cmocka_unit_test(the_hand_may_come_at_any_time),
		cmocka_unit_test(the_same_happens_each_time),
		cmocka_unit_test(code_that_dma_has_written_is_what_is_run),
		cmocka_unit_test(out_of_standby_it_begins_anew_and_knows_why),
		cmocka_unit_test(stop_ends_by_the_button_and_not_by_systick),
		cmocka_unit_test(a_chip_that_is_not_modelled_runs_nothing),
	};

	return cmocka_run_group_tests_name("firmware", tests, NULL, NULL);
}
