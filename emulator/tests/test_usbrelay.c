// SPDX-License-Identifier: GPL-2.0-or-later
/* Relay boards: their report, and their contacts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "fake_host.h"
#include "usbrelay.h"

struct fixture {
	struct bench *bench;
	struct usbrelay *relay;
	struct usbdev *dev;
	struct fake_host host;
	struct lines_user user;
	uint8_t contacts; /* bit 0: relay 1 */
};

static void driven(void *context, unsigned line, enum line_drive drive)
{
	struct fixture *f = context;
	uint8_t bit = (uint8_t)(1u << (line - 1));

	assert_int_not_equal(drive, LINE_RELEASED);
	assert_int_equal(drive == LINE_HIGH, !(f->contacts & bit)); /* a change */
	f->contacts ^= bit;
}

static bool sensed(void *context, unsigned line, bool *high)
{
	(void)context, (void)line, (void)high;
	return false;
}

static enum usb_result control(struct fixture *f, uint8_t type, uint8_t request, uint16_t value, void *data,
			       uint16_t length, size_t *actual)
{
	struct usb_urb urb;

	fake_host_control(f->dev, &urb, type, request, value, 0, data, length);
	assert_false(fake_host_is_done(&urb)); /* no contact moves while a host is in the middle of a call */
	bench_advance(f->bench, bench_now_us(f->bench));
	assert_true(fake_host_is_done(&urb));
	if (actual)
		*actual = urb.actual;
	return urb.result;
}

static void command(struct fixture *f, uint8_t first, uint8_t second)
{
	uint8_t data[8] = { first, second };

	assert_int_equal(control(f, 0x21, 9, 0x0300, data, 8, NULL), USB_ACK);
}

static void fixture_start(struct fixture *f, unsigned relays)
{
	*f = (struct fixture){ .contacts = 0 };
	f->user = (struct lines_user){ driven, sensed, f };
	fake_host_init(&f->host);
	f->bench = bench_new(1);
	f->relay = usbrelay_new(f->bench, relays, "BITFT", &f->user);
	assert_non_null(f->relay);
	f->dev = usbrelay_usbdev(f->relay);
	usbdev_connect(f->dev, &f->host.host);
	usbrelay_plug(f->relay, true);
	assert_int_equal(f->dev->speed, USB_SPEED_IS_LOW);
	assert_int_equal(control(f, 0x00, 9, 1, NULL, 0, NULL), USB_ACK);
}

static void fixture_stop(struct fixture *f)
{
	usbrelay_free(f->relay);
	assert_null(f->host.dev);
	bench_free(f->bench);
}

static void its_name_tells_how_many_relays_it_has(void **state)
{
	static const unsigned rows[] = { 1, 2, 4, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		uint8_t b[64];
		size_t actual;

		fixture_start(&f, rows[i]);
		assert_int_equal(control(&f, 0x80, 6, 0x0302, b, sizeof(b), &actual), USB_ACK);
		assert_int_equal(actual, 2 + 2 * strlen("USBRelay2"));
		assert_int_equal(b[actual - 2], '0' + (int)rows[i]);
		assert_int_equal(control(&f, 0x81, 6, 0x2200, b, sizeof(b), &actual), USB_ACK);
		assert_int_equal(actual, 22);
		fixture_stop(&f);
	}
}

static void commands_switch_relays(void **state)
{
	static const struct {
		const char *name;
		uint8_t first, second, want;
	} rows[] = {
		{ "on", 0xff, 1, 0x01 },
		{ "another one on", 0xff, 4, 0x09 },
		{ "on again", 0xff, 4, 0x09 },
		{ "off", 0xfd, 1, 0x08 },
		{ "there is no fifth", 0xff, 5, 0x08 },
		{ "nor a zeroth", 0xff, 0, 0x08 },
		{ "unknown", 0x77, 1, 0x08 },
		{ "all on", 0xfe, 0, 0x0f },
		{ "the third off", 0xfd, 3, 0x0b },
		{ "all off", 0xfc, 0, 0x00 },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, 4);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t b[8];
		size_t actual;

		print_message("%s\n", rows[i].name);
		command(&f, rows[i].first, rows[i].second);
		assert_int_equal(f.contacts, rows[i].want);
		assert_int_equal(control(&f, 0xa1, 1, 0x0301, b, 8, &actual), USB_ACK);
		assert_int_equal(actual, 8);
		assert_memory_equal(b, "BITFT\0\0", 7);
		assert_int_equal(b[7], rows[i].want);
		for (unsigned n = 1; n <= 4; n++)
			assert_int_equal(usbrelay_energised(f.relay, n), rows[i].want >> (n - 1) & 1);
	}
	fixture_stop(&f);
}

static void a_new_serial_number_is_kept_without_supply(void **state)
{
	struct fixture f;
	uint8_t b[8] = { 0xfa, 'O', 'T', 'H', 'E', 'R' };

	(void)state;
	fixture_start(&f, 2);
	assert_int_equal(control(&f, 0x21, 9, 0x0300, b, 8, NULL), USB_ACK);
	assert_string_equal(usbrelay_serial(f.relay), "OTHER");
	assert_int_equal(control(&f, 0x21, 9, 0x0300, b, 5, NULL), USB_ACK); /* one is missing: nothing */
	usbrelay_plug(f.relay, false);
	usbrelay_plug(f.relay, true);
	assert_string_equal(usbrelay_serial(f.relay), "OTHER");
	fixture_stop(&f);
}

static void contacts_fall_when_it_is_unplugged(void **state)
{
	struct fixture f;
	struct usb_urb urb;
	uint8_t b[8] = { 0xff, 2 };

	(void)state;
	fixture_start(&f, 2);
	command(&f, 0xfe, 0);
	assert_int_equal(f.contacts, 3);
	fake_host_control(f.dev, &urb, 0x21, 9, 0x0300, 0, b, 8);
	usbrelay_plug(f.relay, false);
	assert_int_equal(urb.result, USB_GONE);
	assert_int_equal(f.contacts, 0);
	bench_advance(f.bench, 1000);
	assert_int_equal(f.contacts, 0);
	fixture_stop(&f);
}

static void a_request_that_is_taken_back_does_nothing(void **state)
{
	struct fixture f;
	struct usb_urb urb;
	uint8_t b[8] = { 0xfe };

	(void)state;
	fixture_start(&f, 2);
	fake_host_control(f.dev, &urb, 0x21, 9, 0x0300, 0, b, 8);
	f.dev->ops->cancel(f.dev, &urb);
	assert_int_equal(urb.result, USB_CANCELLED);
	bench_advance(f.bench, 1000);
	assert_int_equal(f.contacts, 0);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_name_tells_how_many_relays_it_has),
		cmocka_unit_test(commands_switch_relays),
		cmocka_unit_test(a_new_serial_number_is_kept_without_supply),
		cmocka_unit_test(contacts_fall_when_it_is_unplugged),
		cmocka_unit_test(a_request_that_is_taken_back_does_nothing),
	};

	return cmocka_run_group_tests_name("usbrelay", tests, NULL, NULL);
}
