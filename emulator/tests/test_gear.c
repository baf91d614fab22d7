// SPDX-License-Identifier: GPL-2.0-or-later
/* Bench devices: what --bench says, and how wires and hands agree about a pin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "fake_host.h"
#include "gear.h"

#define BOARDS 2

struct fixture {
	struct bench *bench;
	struct mcu *boards[BOARDS];
	struct gear_rule rules[3];
	unsigned count, events;
	struct gear_user user;
	struct gear *gear;
	struct gear_event last;
	struct fake_host host[3];
};

static struct mcu *board(void *context, unsigned number)
{
	struct fixture *f = context;

	return number <= BOARDS ? f->boards[number - 1] : NULL;
}

static void told(void *context, const struct gear_event *e)
{
	struct fixture *f = context;

	f->events++;
	f->last = *e;
}

static void fixture_start(struct fixture *f, const char *const *rules)
{
	static const struct mcu_identity identity = { { 1, 2, 3 } };
	char why[GEAR_RULE_WHY];

	*f = (struct fixture){ .bench = bench_new(1) };
	for (unsigned i = 0; i < BOARDS; i++) {
		f->boards[i] = mcu_new(f->bench, mcu_profile_find("f407"), &identity);
		mcu_set_pin(f->boards[i], PIN_VDD, true);
		mcu_set_pin(f->boards[i], PIN_VBUS, true);
	}
	for (; rules[f->count]; f->count++)
		assert_int_equal(gear_rule_parse(rules[f->count], &f->rules[f->count], why), 0);
	f->user = (struct gear_user){ board, told, f };
	f->gear = gear_new(f->bench, f->rules, f->count, &f->user);
	assert_non_null(f->gear);
	for (unsigned i = 1; i <= f->count; i++) {
		struct usb_urb urb;

		fake_host_init(&f->host[i - 1]);
		usbdev_connect(gear_device(f->gear, i), &f->host[i - 1].host);
		gear_plug(f->gear, i, true);
		fake_host_control(gear_device(f->gear, i), &urb, 0x00, 9, 1, 0, NULL, 0);
		bench_advance(f->bench, bench_now_us(f->bench));
		assert_int_equal(urb.result, USB_ACK);
	}
}

static void fixture_stop(struct fixture *f)
{
	gear_free(f->gear);
	for (unsigned i = 0; i < BOARDS; i++)
		mcu_free(f->boards[i]);
	bench_free(f->bench);
}

static void set(struct fixture *f, unsigned device, uint8_t id, const char *bytes, uint16_t length)
{
	struct usb_urb urb;
	uint8_t data[8] = { 0 };

	memcpy(data, bytes, length);
	fake_host_control(gear_device(f->gear, device), &urb, 0x21, 9, (uint16_t)(0x0300 | id), 0, data, length);
	bench_advance(f->bench, bench_now_us(f->bench));
	assert_int_equal(urb.result, USB_ACK);
}

/* Relay on or off */
static void relay(struct fixture *f, unsigned device, unsigned n, bool on)
{
	set(f, device, 0, (const char[]){ (char)(on ? 0xff : 0xfd), (char)n }, 2);
}

/* All lines of a CP2112: which are outputs, and how */
static void lines(struct fixture *f, unsigned device, unsigned outputs, unsigned values)
{
	set(f, device, 2, (const char[]){ 2, (char)outputs, (char)0xff, 0, 0 }, 5);
	set(f, device, 4, (const char[]){ 4, (char)values, (char)0xff }, 3);
}

static void rules_are_read(void **state)
{
	struct gear_rule r;
	char why[GEAR_RULE_WHY];

	(void)state;
	assert_int_equal(gear_rule_parse("usbrelay2=BENCH:1=boot0,2=!nrst,1=!2:power", &r, why), 0);
	assert_int_equal(r.relays, 2);
	assert_string_equal(r.serial, "BENCH");
	assert_int_equal(r.wire_count, 3);
	assert_int_equal(r.wires[1].pin, PIN_NRST);
	assert_true(r.wires[1].inverted);
	assert_int_equal(r.wires[1].board, 1);
	assert_int_equal(r.wires[2].line, 1);
	assert_int_equal(r.wires[2].board, 2);
	assert_int_equal(r.wires[2].pin, PIN_VDD);
	assert_int_equal(gear_rule_parse("cp2112", &r, why), 0);
	assert_int_equal(r.relays, 0);
	assert_false(r.serial_given);
	assert_int_equal(gear_rule_parse("cp2112=0042:7=vbus", &r, why), 0);
}

static void mistakes_are_told_with_their_column(void **state)
{
	static const struct {
		const char *give, *want;
	} rows[] = {
		{ "", "column 1: '': expected cp2112, usbrelay1, usbrelay2, usbrelay4 or usbrelay8" },
		{ "usbrelay3",
		  "column 1: 'usbrelay3': expected cp2112, usbrelay1, usbrelay2, usbrelay4 or usbrelay8, did you "
		  "mean 'usbrelay1'?" },
		{ "cp2112:8=boot0", "column 8: '8': expected a line from 0 to 7" },
		{ "usbrelay2:0=boot0", "column 11: '0': expected a relay from 1 to 2" },
		{ "usbrelay2:=boot0", "column 11: '=': expected a relay from 1 to 2" },
		{ "usbrelay2:1boot0", "column 12: expected '=' and a pin after the number of a relay" },
		{ "usbrelay2:1=reset", "column 13: 'reset': expected boot0, boot1, nrst, power or vbus" },
		{ "usbrelay2:1=0:boot0", "column 13: '0': expected a board from 1 to 1024" },
		{ "usbrelay2:1=99999999999:boot0", "column 13: '99999999999': expected a board from 1 to 1024" },
		{ "usbrelay2:1=boot0;2=nrst", "column 18: ';2=nrst': expected ',' and one more wire, or the end" },
		{ "usbrelay2:1=boot0,", "column 19: '': expected a relay from 1 to 2" },
		{ "usbrelay2=ABC:1=boot0", "column 11: 'ABC': the serial number of a relay board has 5 characters" },
		{ "usbrelay2=AB-DE", "column 13: '-': a serial number is made of letters and digits" },
		{ "cp2112=", "column 8: '': a serial number has 1 to 30 characters" },
		{ "cp2112,0=boot0", "column 7: ',': expected ':' and wires, as 0=boot0" },
	};
	struct gear_rule r;
	char why[GEAR_RULE_WHY];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_not_equal(gear_rule_parse(rows[i].give, &r, why), 0);
		assert_string_equal(why, rows[i].want);
	}
}

static void a_contact_moves_its_pin(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, (const char *const[]){ "usbrelay4:1=boot0,2=!nrst,3=power,4=!2:vbus", NULL });
	assert_false(mcu_pin(f.boards[0], PIN_BOOT0));
	assert_true(mcu_pin(f.boards[0], PIN_NRST));
	assert_false(mcu_pin(f.boards[0], PIN_VDD)); /* its contact is open */
	assert_true(mcu_pin(f.boards[1], PIN_VBUS)); /* a normally closed one */
	for (unsigned n = 1; n <= 4; n++)
		relay(&f, 1, n, true);
	assert_true(mcu_pin(f.boards[0], PIN_BOOT0));
	assert_false(mcu_pin(f.boards[0], PIN_NRST));
	assert_true(mcu_pin(f.boards[0], PIN_VDD));
	assert_false(mcu_pin(f.boards[1], PIN_VBUS));
	assert_true(mcu_pin(f.boards[0], PIN_VBUS));
	assert_int_equal(f.last.type, GEAR_LINE);
	assert_int_equal(f.last.line, 4);
	gear_plug(f.gear, 1, false);
	assert_false(mcu_pin(f.boards[0], PIN_BOOT0));
	assert_true(mcu_pin(f.boards[0], PIN_NRST));
	assert_false(mcu_pin(f.boards[0], PIN_VDD));
	assert_true(mcu_pin(f.boards[1], PIN_VBUS));
	fixture_stop(&f);
}

static void any_of_several_sources_moves_a_pin_away_from_rest(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, (const char *const[]){ "usbrelay1:1=boot0", "cp2112:0=boot0,1=nrst,2=power", NULL });
	relay(&f, 1, 1, true);
	lines(&f, 2, 0x07, 0x06);
	assert_true(mcu_pin(f.boards[0], PIN_BOOT0)); /* a low output does not undo a jumper */
	lines(&f, 2, 0x07, 0x07);
	relay(&f, 1, 1, false);
	assert_true(mcu_pin(f.boards[0], PIN_BOOT0));
	lines(&f, 2, 0x07, 0x06);
	assert_false(mcu_pin(f.boards[0], PIN_BOOT0));
	mcu_set_pin(f.boards[0], PIN_BOOT0, true);
	assert_true(mcu_pin(f.boards[0], PIN_BOOT0));
	lines(&f, 2, 0x07, 0x02); /* no supply */
	assert_false(mcu_pin(f.boards[0], PIN_VDD));
	mcu_set_pin(f.boards[0], PIN_VDD, false);
	lines(&f, 2, 0x07, 0x06);
	assert_false(mcu_pin(f.boards[0], PIN_VDD));
	mcu_set_pin(f.boards[0], PIN_VDD, true);
	assert_true(mcu_pin(f.boards[0], PIN_VDD));
	lines(&f, 2, 0x07, 0x04);
	mcu_set_pin(f.boards[0], PIN_NRST, true);
	assert_false(mcu_pin(f.boards[0], PIN_NRST));
	lines(&f, 2, 0x05, 0x04); /* released */
	assert_true(mcu_pin(f.boards[0], PIN_NRST));
	fixture_stop(&f);
}

static void a_board_that_comes_later_is_wired(void **state)
{
	static const struct mcu_identity identity = { { 1, 2, 4 } };
	struct fixture f;

	(void)state;
	fixture_start(&f, (const char *const[]){ "usbrelay1:1=2:boot0", NULL });
	relay(&f, 1, 1, true);
	mcu_free(f.boards[1]);
	f.boards[1] = NULL;
	relay(&f, 1, 1, false);
	relay(&f, 1, 1, true);
	f.boards[1] = mcu_new(f.bench, mcu_profile_find("f407"), &identity);
	gear_board_came(f.gear, 2);
	assert_true(mcu_pin(f.boards[1], PIN_BOOT0));
	relay(&f, 1, 1, false);
	assert_false(mcu_pin(f.boards[1], PIN_BOOT0));
	fixture_stop(&f);
}

static void serial_numbers_differ(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, (const char *const[]){ "usbrelay1", "usbrelay2", "usbrelay2=OTHER", NULL });
	assert_string_equal(gear_serial(f.gear, 1), "BITFT");
	assert_string_equal(gear_serial(f.gear, 2), "BIT02");
	assert_string_equal(gear_serial(f.gear, 3), "OTHER");
	assert_null(gear_device(f.gear, 4));
	assert_null(gear_device(f.gear, 0));
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_are_read),
		cmocka_unit_test(mistakes_are_told_with_their_column),
		cmocka_unit_test(a_contact_moves_its_pin),
		cmocka_unit_test(any_of_several_sources_moves_a_pin_away_from_rest),
		cmocka_unit_test(a_board_that_comes_later_is_wired),
		cmocka_unit_test(serial_numbers_differ),
	};

	return cmocka_run_group_tests_name("gear", tests, NULL, NULL);
}
