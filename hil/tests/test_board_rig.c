// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig files of kind board: what is made of them. What is wrong with them is in bad/. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "a_rig.h"
#include "wire_driver.h"
#include "wires.h"

static struct board_rig *rig;

static int end(void **state)
{
	(void)state;
	board_rig_free(rig);
	rig = NULL;
	return 0;
}

static void read_rig(const char *text)
{
	rig = a_rig(text);
	assert_non_null(rig);
}

static void orders_are(const char *idle, const char *off, const char *on)
{
	const enum wire *orders[] = { rig->idle_order, rig->off_order, rig->on_order };
	const char *const want[] = { idle, off, on };

	for (unsigned i = 0; i < 3; i++) {
		char text[80] = "";

		for (const enum wire *w = orders[i]; *w != WIRES; w++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s ", wire_name(*w));
		assert_string_equal(text, want[i]);
	}
}

static void what_is_not_said_is_usual(void **state)
{
	(void)state;
	read_rig("rig: desk\nkind: board\nboard: {port: 1-1.2}\n");
	assert_string_equal(rig->name, "desk");
	assert_string_equal(rig->path, "rig.yaml");
	assert_null(rig->about);
	assert_string_equal(rig->profile, "f407");
	assert_int_equal(rig->vendor, 0x0483);
	assert_int_equal(rig->product, 0xdf11);
	assert_null(rig->serial);
	assert_string_equal(rig->port, "1-1.2");
	assert_int_equal(rig->app_vendor, 0);
	assert_null(rig->console);
	assert_false(rig->console_usb);
	for (unsigned i = 0; i < WIRES; i++)
		assert_null(rig->wires[i]);
	orders_are("", "", "");
	assert_int_equal(rig->reset_by, WIRES);
	assert_int_equal(rig->reset_us, 50000);
	assert_int_equal(rig->settle_us, 20000);
	assert_int_equal(rig->off_us, 500000);
	assert_int_equal(rig->on_us, 100000);
	assert_int_equal(rig->listed_us, 10000000);
	assert_int_equal(rig->allows, 0);
	assert_int_equal(rig->wear_warn, 8000);
	assert_int_equal(rig->wear_stop, 10000);
	assert_null(rig->usbmon);
	assert_null(rig->place);
}

static void what_is_said_is_so(void **state)
{
	const struct wire_file *f;

	(void)state;
	read_rig("rig: desk\nabout: mine\nkind: board\nprofile: f411\n"
		 "board: {usb: '1209:0001', serial: '326237753036', port: 3-1}\napplication: {usb: '0483:5740'}\n"
		 "console: {device: /dev/ttyS7, speed: 9600}\n"
		 "wires:\n"
		 "  boot0: {gpio: {chip: gpiochip0, line: 17}, active: low, drive: open-source, bias: pull-down, idle: "
		 "high}\n"
		 "  nrst: {relay-hid: {relay: 2}, active: low, idle: low}\n"
		 "  power: {command: {on: [a, b c, '3'], off: [\"${here}/x\"], timeout: 1.5s}, idle: off}\n"
		 "  vbus: {labgrid: {coordinator: 'h:1', power: two}, idle: on}\n"
		 "reset-by: power\norder: {idle: [vbus, nrst, power, boot0], off: [power, vbus], on: [vbus, power]}\n"
		 "timing: {reset: 1ms, settle: 2ms, off: 3ms, on: 4ms, listed: 5ms}\nallows: [rdp-1, mass-erase]\n"
		 "wear: {warn: 5, stop: 0}\nusbmon: /dev/usbmon3\nlabgrid: {place: p}\n");
	assert_string_equal(rig->about, "mine");
	assert_string_equal(rig->profile, "f411");
	assert_int_equal(rig->vendor, 0x1209);
	assert_string_equal(rig->serial, "326237753036");
	assert_int_equal(rig->app_product, 0x5740);
	assert_string_equal(rig->console, "/dev/ttyS7");
	assert_int_equal(rig->console_speed, 9600);
	f = rig->wires[WIRE_BOOT0];
	assert_ptr_equal(f->driver, &wire_gpio);
	assert_true(f->active_low && f->idle_high);
	assert_int_equal(f->drive, DRIVE_OPEN_SOURCE);
	assert_int_equal(f->bias, BIAS_PULL_DOWN);
	assert_string_equal(f->line, "17");
	f = rig->wires[WIRE_NRST];
	assert_ptr_equal(f->driver, &wire_relay_hid);
	assert_null(f->device);
	assert_int_equal(f->number, 2);
	assert_false(f->idle_high);
	assert_true(wire_active(f, false) && !wire_active(f, true));
	f = rig->wires[WIRE_POWER];
	assert_string_equal(f->on[1], "b c");
	assert_string_equal(f->on[2], "3");
	assert_null(f->on[3]);
	assert_int_equal(f->limit_us, 1500000);
	assert_false(f->idle_high);
	f = rig->wires[WIRE_VBUS];
	assert_string_equal(f->place, "p"); /* the board's */
	assert_string_equal(f->coordinator, "h:1");
	assert_string_equal(f->name, "two");
	assert_true(f->idle_high && !f->io);
	orders_are("vbus nrst power boot0 ", "power vbus ", "vbus power ");
	assert_int_equal(rig->reset_by, WIRE_POWER);
	assert_int_equal(rig->reset_us + rig->settle_us + rig->off_us + rig->on_us + rig->listed_us, 15000);
	assert_int_equal(rig->allows, ALLOWS_RDP1 | ALLOWS_MASS_ERASE);
	assert_int_equal(rig->wear_warn, 5);
	assert_int_equal(rig->wear_stop, 0);
	assert_string_equal(rig->usbmon, "/dev/usbmon3");
}

static void here_is_the_folder_of_the_file(void **state)
{
	char want[PATH_MAX];

	(void)state;
	read_rig("rig: r\nkind: board\nboard: {port: 1-1}\n"
		 "wires: {power: {command: {on: ['${here}/a'], off: [b]}}}\n");
	assert_non_null(getcwd(want, sizeof(want) - 2));
	strcat(want, "/a");
	assert_string_equal(rig->wires[WIRE_POWER]->on[0], want);
}

static void usual_orders_are_of_what_is_there(void **state)
{
	(void)state;
	read_rig("rig: r\nkind: board\nboard: {serial: a}\n"
		 "wires:\n  vbus: {hub: {location: '2', port: 1}}\n  power: {hub: {location: 1-1, port: 1}}\n"
		 "  boot0: {command: {on: [a], off: [b]}}\n");
	orders_are("boot0 power vbus ", "vbus power ", "power vbus ");
	assert_int_equal(rig->reset_by, WIRE_POWER);
	assert_false(rig->wires[WIRE_BOOT0]->idle_high);
	assert_true(rig->wires[WIRE_POWER]->idle_high);
}

static void wires_are_told_to_people(void **state)
{
	(void)state;
	read_rig("rig: r\nkind: board\nboard: {serial: a}\n"
		 "wires:\n  boot0: {gpio: {chip: gpiochip2, line: BOOT0}}\n  nrst: {relay-hid: {relay: 1}, active: "
		 "low}\n"
		 "  power: {hub: {location: 1-1, port: 4}}\n");
	assert_string_equal(wires_text(rig, WIRE_BOOT0),
			    "BOOT0: line BOOT0 of gpiochip2, active high, push-pull, bias as-is");
	assert_string_equal(wires_text(rig, WIRE_NRST), "NRST: relay 1 of USB relays 16c0:05df, pulled: low");
	assert_string_equal(wires_text(rig, WIRE_POWER), "power: port 4 of the hub at 1-1");
	assert_string_equal(wires_text(rig, WIRE_VBUS), "VBUS: is not switched");
}

#define TEST(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_said_is_usual),      TEST(what_is_said_is_so),
		TEST(here_is_the_folder_of_the_file), TEST(usual_orders_are_of_what_is_there),
		TEST(wires_are_told_to_people),
	};

	return cmocka_run_group_tests_name("board rig", tests, NULL, NULL);
}
