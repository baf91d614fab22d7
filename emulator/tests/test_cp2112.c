// SPDX-License-Identifier: GPL-2.0-or-later
/* The CP2112: its reports, and what they do to lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "cp2112.h"
#include "fake_host.h"

struct fixture {
	struct bench *bench;
	struct cp2112 *cp2112;
	struct usbdev *dev;
	struct fake_host host;
	struct lines_user user;
	enum line_drive drive[CP2112_LINES];
	unsigned changes;
	int wire[CP2112_LINES]; /* level of what is on the line; -1: nothing is */
};

static void driven(void *context, unsigned line, enum line_drive drive)
{
	struct fixture *f = context;

	assert_int_equal(drive, cp2112_drive(f->cp2112, line));
	f->drive[line] = drive;
	f->changes++;
}

static bool sensed(void *context, unsigned line, bool *high)
{
	struct fixture *f = context;

	*high = f->wire[line] == 1;
	return f->wire[line] >= 0;
}

/* Control transfers take place in bench time. */
static enum usb_result control(struct fixture *f, uint8_t type, uint8_t request, uint16_t value, void *data,
			       uint16_t length, size_t *actual)
{
	struct usb_urb urb;

	fake_host_control(f->dev, &urb, type, request, value, 0, data, length);
	bench_advance(f->bench, bench_now_us(f->bench));
	assert_true(fake_host_is_done(&urb));
	if (actual)
		*actual = urb.actual;
	return urb.result;
}

static enum usb_result set(struct fixture *f, const char *bytes, uint16_t length)
{
	uint8_t data[64];

	memcpy(data, bytes, length);
	return control(f, 0x21, 9, (uint16_t)(0x0300 | data[0]), data, length, NULL);
}
#define SET(f, bytes) assert_int_equal(set(f, bytes, sizeof(bytes) - 1), USB_ACK)

static size_t get(struct fixture *f, uint8_t id, uint8_t data[64])
{
	size_t actual;

	assert_int_equal(control(f, 0xa1, 1, (uint16_t)(0x0300 | id), data, 64, &actual), USB_ACK);
	assert_int_equal(data[0], id);
	return actual;
}

static void fixture_start(struct fixture *f)
{
	*f = (struct fixture){ .changes = 0 };
	memset(f->wire, -1, sizeof(f->wire));
	f->user = (struct lines_user){ driven, sensed, f };
	fake_host_init(&f->host);
	f->bench = bench_new(1);
	f->cp2112 = cp2112_new(f->bench, "00417D26", &f->user);
	assert_non_null(f->cp2112);
	f->dev = cp2112_usbdev(f->cp2112);
	usbdev_connect(f->dev, &f->host.host);
	cp2112_plug(f->cp2112, true);
	assert_ptr_equal(f->host.dev, f->dev);
	assert_int_equal(control(f, 0x00, 9, 1, NULL, 0, NULL), USB_ACK);
}

static void fixture_stop(struct fixture *f)
{
	cp2112_free(f->cp2112);
	assert_null(f->host.dev);
	bench_free(f->bench);
}

static void its_report_descriptor_has_the_length_that_it_says(void **state)
{
	struct fixture f;
	uint8_t b[255], hid[9];
	size_t actual;

	(void)state;
	fixture_start(&f);
	assert_int_equal(control(&f, 0x81, 6, 0x2100, hid, sizeof(hid), &actual), USB_ACK);
	assert_int_equal(actual, 9);
	assert_int_equal(control(&f, 0x81, 6, 0x2200, b, sizeof(b), &actual), USB_ACK);
	assert_int_equal(actual, hid[7] | hid[8] << 8);
	assert_int_equal(b[actual - 1], 0xc0);
	assert_int_equal(control(&f, 0x81, 6, 0x2300, b, sizeof(b), NULL), USB_STALL);
	fixture_stop(&f);
}

static void an_output_drives_and_an_input_lets_go(void **state)
{
	struct fixture f;
	uint8_t b[64];

	(void)state;
	fixture_start(&f);
	SET(&f, "\x02\x01\xff\x00\x00");
	assert_int_equal(f.drive[0], LINE_HIGH); /* a line that becomes an output is high until it is told */
	SET(&f, "\x04\x00\xff");
	assert_int_equal(f.drive[0], LINE_LOW);
	assert_int_equal(get(&f, 2, b), 5);
	assert_memory_equal(b, "\x02\x01\xff\x00\x00", 5);
	SET(&f, "\x02\x00\xff\x00\x00");
	assert_int_equal(f.drive[0], LINE_RELEASED);
	SET(&f, "\x04\x00\xff"); /* no output: no effect */
	SET(&f, "\x02\x01\xff\x00\x00");
	assert_int_equal(f.drive[0], LINE_HIGH);
	assert_int_equal(f.changes, 4);
	fixture_stop(&f);
}

static void a_mask_says_which_lines_are_set(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	SET(&f, "\x02\xff\xff\x00\x00");
	SET(&f, "\x04\x00\x81");
	for (unsigned i = 0; i < CP2112_LINES; i++)
		assert_int_equal(f.drive[i], i == 0 || i == 7 ? LINE_LOW : LINE_HIGH);
	fixture_stop(&f);
}

static void open_drain_drives_low_alone(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	SET(&f, "\x02\x03\x02\x00\x00");
	assert_int_equal(f.drive[0], LINE_RELEASED);
	assert_int_equal(f.drive[1], LINE_HIGH);
	SET(&f, "\x04\x00\x03");
	assert_int_equal(f.drive[0], LINE_LOW);
	assert_int_equal(f.drive[1], LINE_LOW);
	fixture_stop(&f);
}

static void levels_are_those_of_the_wires(void **state)
{
	struct fixture f;
	uint8_t b[64];

	(void)state;
	fixture_start(&f);
	f.wire[0] = 0;
	f.wire[1] = 1;
	SET(&f, "\x02\x06\xff\x00\x00");
	SET(&f, "\x04\x00\x06"); /* line 1 is low, but its wire is not: somebody is stronger */
	assert_int_equal(get(&f, 3, b), 2);
	assert_int_equal(b[1], 0xfa);
	fixture_stop(&f);
}

static void a_line_with_another_function_is_no_gpio(void **state)
{
	static const struct {
		uint8_t give;
		unsigned want;
	} rows[] = { { 1, 7 }, { 2, 0 }, { 4, 1 } };
	struct fixture f;

	(void)state;
	fixture_start(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set(&f, (const char[]){ 2, (char)0xff, (char)0xff, (char)rows[i].give, 0 }, 5);
		for (unsigned line = 0; line < CP2112_LINES; line++)
			assert_int_equal(cp2112_drive(f.cp2112, line),
					 line == rows[i].want ? LINE_RELEASED : LINE_HIGH);
	}
	fixture_stop(&f);
}

static void unplugged_it_lets_go_of_all_and_forgets(void **state)
{
	struct fixture f;
	uint8_t b[64];

	(void)state;
	fixture_start(&f);
	SET(&f, "\x02\xff\xff\x00\x00");
	cp2112_plug(f.cp2112, false);
	assert_null(f.host.dev);
	for (unsigned i = 0; i < CP2112_LINES; i++)
		assert_int_equal(f.drive[i], LINE_RELEASED);
	cp2112_plug(f.cp2112, true);
	control(&f, 0x00, 9, 1, NULL, 0, NULL);
	assert_int_equal(get(&f, 2, b), 5);
	assert_int_equal(b[1], 0);
	fixture_stop(&f);
}

static void a_reset_takes_it_off_the_bus_for_a_while(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f);
	SET(&f, "\x02\xff\xff\x00\x00");
	SET(&f, "\x01\x01");
	assert_null(f.host.dev);
	assert_int_equal(f.drive[3], LINE_RELEASED);
	bench_advance(f.bench, bench_now_us(f.bench) + 1000000);
	assert_non_null(f.host.dev);
	fixture_stop(&f);
}

static void nobody_answers_on_its_bus(void **state)
{
	struct fixture f;
	struct usb_urb in, out;
	uint8_t got[64];

	(void)state;
	fixture_start(&f);
	SET(&f, "\x06\x00\x01\x86\xa0\x02\x00\x00\x00\x00\x00\x00\x00\x07");
	fake_host_submit(f.dev, &in, 0x81, got, 64);
	fake_host_submit(f.dev, &out, 0x01, (uint8_t *)"\x15\x01", 2);
	assert_true(fake_host_is_done(&in));
	assert_int_equal(in.actual, 64);
	assert_memory_equal(got, "\x16\x00", 2); /* idle */
	fake_host_submit(f.dev, &out, 0x01, (uint8_t *)"\x10\xa0\x00\x01", 4);
	fake_host_submit(f.dev, &in, 0x81, got, 64);
	assert_false(fake_host_is_done(&in));
	fake_host_submit(f.dev, &out, 0x01, (uint8_t *)"\x15\x01", 2);
	assert_memory_equal(got, "\x16\x03\x00\x00\x07\x00\x00",
			    7); /* failed, no acknowledgement, 7 tries, nothing read */
	fake_host_submit(f.dev, &out, 0x01, (uint8_t *)"\x17\x01", 2);
	fake_host_submit(f.dev, &out, 0x01, (uint8_t *)"\x12\x00\x01", 3);
	fake_host_submit(f.dev, &in, 0x81, got, 64);
	assert_memory_equal(got, "\x13\x00\x00", 3);
	fixture_stop(&f);
}

static void out_waits_while_an_answer_is_not_fetched(void **state)
{
	struct fixture f;
	struct usb_urb in, out[3];
	uint8_t got[64];

	(void)state;
	fixture_start(&f);
	for (unsigned i = 0; i < 3; i++)
		fake_host_submit(f.dev, &out[i], 0x01, (uint8_t *)"\x15\x01", 2);
	assert_true(fake_host_is_done(&out[0]));
	assert_false(fake_host_is_done(&out[1]));
	fake_host_submit(f.dev, &in, 0x81, got, 64);
	assert_true(fake_host_is_done(&in));
	assert_true(fake_host_is_done(&out[1]));
	f.dev->ops->cancel(f.dev, &out[2]);
	assert_int_equal(out[2].result, USB_CANCELLED);
	fixture_stop(&f);
}

static void its_memory_is_written_once(void **state)
{
	struct fixture f;
	uint8_t b[64];

	(void)state;
	fixture_start(&f);
	SET(&f, "\x21\x34\x12\x78\x56\x32\x00\x01\x02\x01"); /* the vendor alone */
	assert_int_equal(get(&f, 0x21, b), 10);
	assert_memory_equal(b, "\x21\x34\x12\x90\xea\x32\x00\x00\x00", 9);
	SET(&f, "\x21\x00\x00\x78\x56\x32\x00\x01\x02\x01");
	get(&f, 0x21, b);
	assert_memory_equal(b, "\x21\x34\x12", 3);
	SET(&f, "\x24\x04\x03X\0");
	SET(&f, "\x24\x04\x03Y\0");
	assert_int_equal(get(&f, 0x24, b), 63);
	assert_memory_equal(b, "\x24\x04\x03X\0", 5);
	assert_int_equal(get(&f, 0x20, b), 2);
	assert_int_equal(b[1], 0x7e);
	fixture_stop(&f);
}

static void what_it_does_not_know_is_refused(void **state)
{
	static const struct {
		const char *name, *give;
		uint16_t length;
	} rows[] = {
		{ "another report", "\x30\x00", 2 },
		{ "one that is read alone", "\x03\x00", 2 },
		{ "too short", "\x02\x00\x00\x00", 4 },
		{ "nothing at all", "\x04", 1 },
	};
	struct fixture f;
	uint8_t b[64];

	(void)state;
	fixture_start(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(set(&f, rows[i].give, rows[i].length), USB_STALL);
	}
	memcpy(b, "\x04\xff\xff", 3); /* numbers differ */
	assert_int_equal(control(&f, 0x21, 9, 0x0302, b, 5, NULL), USB_STALL);
	assert_int_equal(control(&f, 0xa1, 1, 0x0203, b, 2, NULL), USB_STALL);
	assert_int_equal(control(&f, 0xa1, 1, 0x0301, b, 2, NULL), USB_STALL);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_report_descriptor_has_the_length_that_it_says),
		cmocka_unit_test(an_output_drives_and_an_input_lets_go),
		cmocka_unit_test(a_mask_says_which_lines_are_set),
		cmocka_unit_test(open_drain_drives_low_alone),
		cmocka_unit_test(levels_are_those_of_the_wires),
		cmocka_unit_test(a_line_with_another_function_is_no_gpio),
		cmocka_unit_test(unplugged_it_lets_go_of_all_and_forgets),
		cmocka_unit_test(a_reset_takes_it_off_the_bus_for_a_while),
		cmocka_unit_test(nobody_answers_on_its_bus),
		cmocka_unit_test(out_waits_while_an_answer_is_not_fetched),
		cmocka_unit_test(its_memory_is_written_once),
		cmocka_unit_test(what_it_does_not_know_is_refused),
	};

	return cmocka_run_group_tests_name("cp2112", tests, NULL, NULL);
}
