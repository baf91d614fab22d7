/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The application stub: a serial port that echoes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "cdc.h"
#include "fake_host.h"
#include "flash.h"
#include "mcu.h"

struct fixture {
	struct cdc_app *app;
	struct usbdev *dev;
	struct fake_host host;
};

static void fixture_start(struct fixture *f, enum cdc_identity identity)
{
	fake_host_init(&f->host);
	f->app = cdc_app_new(identity, "326237753036");
	assert_non_null(f->app);
	f->dev = cdc_app_ops.start(f->app, NULL, 0x08000000);
	assert_non_null(f->dev);
	usbdev_connect(f->dev, &f->host.host);
	usbdev_attach(f->dev, USB_SPEED_IS_FULL);
}

static void fixture_configure(struct fixture *f)
{
	struct usb_urb urb;

	f->dev->ops->bus_reset(f->dev);
	assert_int_equal(fake_host_control(f->dev, &urb, 0x00, 5, 7, 0, NULL, 0), USB_ACK);
	assert_int_equal(fake_host_control(f->dev, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
}

static void fixture_stop(struct fixture *f)
{
	cdc_app_ops.stop(f->app, NULL);
	assert_null(f->host.dev);
	cdc_app_free(f->app);
}

static void both_identities_enumerate(void **state)
{
	static const struct {
		const char *name;
		enum cdc_identity give;
		struct {
			uint16_t vid, pid;
			uint8_t in, out;
			const char *product;
		} want;
	} rows[] = {
		{ "stm32", CDC_STM32_VCP, { 0x0483, 0x5740, 0x81, 0x01, "STM32 Virtual ComPort" } },
		{ "pyboard", CDC_PYBOARD, { 0xf055, 0x9800, 0x83, 0x03, "Pyboard Virtual Comm Port in FS Mode" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;
		struct usb_urb urb;
		uint8_t b[255];
		unsigned endpoints = 0;

		print_message("%s\n", rows[i].name);
		fixture_start(&f, rows[i].give);
		assert_int_equal(fake_host_control(f.dev, &urb, 0x80, 6, 0x0100, 0, b, 64), USB_ACK);
		assert_int_equal(urb.actual, 18);
		assert_int_equal(b[8] | b[9] << 8, rows[i].want.vid);
		assert_int_equal(b[10] | b[11] << 8, rows[i].want.pid);
		assert_int_equal(fake_host_control(f.dev, &urb, 0x80, 6, 0x0200, 0, b, 255), USB_ACK);
		assert_int_equal(urb.actual, 67);
		assert_int_equal(b[2] | b[3] << 8, 67);
		for (size_t at = 0; at < urb.actual; at += b[at])
			if (b[at + 1] == 5) {
				endpoints++;
				assert_true(b[at + 2] == 0x82 || b[at + 2] == rows[i].want.in ||
					    b[at + 2] == rows[i].want.out);
			}
		assert_int_equal(endpoints, 3);
		assert_int_equal(fake_host_control(f.dev, &urb, 0x80, 6, 0x0302, 0x0409, b, 255), USB_ACK);
		assert_int_equal(urb.actual, 2 + 2 * strlen(rows[i].want.product));
		for (size_t c = 0; rows[i].want.product[c]; c++)
			assert_int_equal(b[2 + 2 * c], rows[i].want.product[c]);
		assert_int_equal(fake_host_control(f.dev, &urb, 0x80, 6, 0x0303, 0x0409, b, 255), USB_ACK);
		assert_int_equal(urb.actual, 26);
		assert_int_equal(b[2], '3');
		assert_int_equal(b[24], '6');
		fixture_stop(&f);
	}
}

/* What Linux's cdc-acm looks for: a union of an ACM control interface with one interrupt endpoint and a data interface
 * with two bulk endpoints. */
static void cdc_acm_finds_what_it_binds_to(void **state)
{
	static const enum cdc_identity identities[] = { CDC_STM32_VCP, CDC_PYBOARD };

	(void)state;
	for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		struct fixture f;
		struct usb_urb urb;
		uint8_t b[255], interface = 0xff, acm = 0, joined = 0, control = 0, data = 0, interrupts = 0, bulks = 0;
		size_t at;

		fixture_start(&f, identities[i]);
		assert_int_equal(fake_host_control(f.dev, &urb, 0x80, 6, 0x0200, 0, b, 255), USB_ACK);
		assert_int_equal(urb.actual, b[2] | b[3] << 8);
		assert_int_equal(b[4], 2);
		for (at = 0; at < urb.actual; at += b[at]) {
			assert_true(b[at] >= 2 && at + b[at] <= urb.actual);
			if (b[at + 1] == 4) {
				interface = b[at + 2];
				control += interface == 0 && b[at + 4] == 1 && !memcmp(b + at + 5, "\2\2\1", 3);
				data += interface == 1 && b[at + 4] == 2 && b[at + 5] == 0x0a;
			} else if (b[at + 1] == 5) {
				interrupts += interface == 0 && b[at + 2] & 0x80 && b[at + 3] == 3;
				bulks += interface == 1 && b[at + 3] == 2;
			} else if (b[at + 1] == 0x24) {
				acm += interface == 0 && b[at] == 4 && b[at + 2] == 2;
				joined += interface == 0 && b[at] == 5 && b[at + 2] == 6 && !b[at + 3] &&
					  b[at + 4] == 1;
			}
		}
		assert_true(control == 1 && data == 1 && interrupts == 1 && bulks == 2 && acm == 1 && joined == 1);
		fixture_stop(&f);
	}
}

static void line_requests_are_answered(void **state)
{
	static const uint8_t b9600[7] = { 0x80, 0x25, 0, 0, 2, 1, 7 };
	struct fixture f;
	struct usb_urb urb;
	uint8_t b[16] = { 0 };

	(void)state;
	fixture_start(&f, CDC_STM32_VCP);
	fixture_configure(&f);
	assert_int_equal(fake_host_control(f.dev, &urb, 0xa1, 0x21, 0, 0, b, 7), USB_ACK);
	assert_int_equal(urb.actual, 7);
	assert_int_equal(b[0] | b[1] << 8 | b[2] << 16, 115200);
	memcpy(b, b9600, 7);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x21, 0x20, 0, 0, b, 7), USB_ACK);
	memset(b, 0, sizeof(b));
	assert_int_equal(fake_host_control(f.dev, &urb, 0xa1, 0x21, 0, 0, b, 7), USB_ACK);
	assert_memory_equal(b, b9600, 7);
	assert_int_equal(fake_host_control(f.dev, &urb, 0xa1, 0x21, 0, 0, b, 3), USB_ACK);
	assert_int_equal(urb.actual, 3);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x21, 0x22, 3, 0, NULL, 0), USB_ACK);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x21, 0x23, 100, 0, NULL, 0), USB_ACK);

	assert_int_equal(fake_host_control(f.dev, &urb, 0x21, 0x20, 0, 0, b, 6), USB_STALL);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x21, 0x20, 0, 1, b, 7), USB_STALL);
	assert_int_equal(fake_host_control(f.dev, &urb, 0xa1, 3, 0, 0, b, 6), USB_STALL); /* GETSTATUS of DFU */
	assert_int_equal(fake_host_control(f.dev, &urb, 0xc0, 1, 0, 0, b, 6), USB_STALL);
	fixture_stop(&f);
}

static void what_is_written_comes_back(void **state)
{
	struct fixture f;
	struct usb_urb in, out;
	uint8_t to[100], from[256];

	(void)state;
	for (size_t i = 0; i < sizeof(to); i++)
		to[i] = (uint8_t)i;
	fixture_start(&f, CDC_STM32_VCP);
	fixture_configure(&f);
	fake_host_submit(f.dev, &in, 0x81, from, sizeof(from));
	assert_false(fake_host_is_done(&in));
	fake_host_submit(f.dev, &out, 0x01, to, sizeof(to));
	assert_true(fake_host_is_done(&out));
	assert_int_equal(out.actual, sizeof(to));
	assert_true(fake_host_is_done(&in));
	assert_int_equal(in.actual, sizeof(to));
	assert_memory_equal(from, to, sizeof(to));

	/* the other order, in pieces */
	fake_host_submit(f.dev, &out, 0x01, to, 100);
	fake_host_submit(f.dev, &in, 0x81, from, 64);
	assert_int_equal(in.actual, 64);
	fake_host_submit(f.dev, &in, 0x81, from + 64, 64);
	assert_int_equal(in.actual, 36);
	assert_memory_equal(from, to, 100);
	fixture_stop(&f);
}

static void writing_without_reading_is_held_back(void **state)
{
	static uint8_t to[5000], from[5000];
	struct fixture f;
	struct usb_urb in, out;
	size_t got = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(to); i++)
		to[i] = (uint8_t)(i * 7);
	fixture_start(&f, CDC_STM32_VCP);
	fixture_configure(&f);
	fake_host_submit(f.dev, &out, 0x01, to, sizeof(to));
	assert_false(fake_host_is_done(&out));
	while (got < sizeof(to)) {
		fake_host_submit(f.dev, &in, 0x81, from + got, 512);
		assert_true(fake_host_is_done(&in));
		assert_true(in.actual > 0);
		got += in.actual;
	}
	assert_int_equal(got, sizeof(to));
	assert_true(fake_host_is_done(&out));
	assert_int_equal(out.actual, sizeof(to));
	assert_memory_equal(from, to, sizeof(to));
	fixture_stop(&f);
}

static void held_transfers_end_as_the_bus_says(void **state)
{
	struct fixture f;
	struct usb_urb in, notify, urb;
	uint8_t a[64], b[8];

	(void)state;
	fixture_start(&f, CDC_STM32_VCP);
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	assert_int_equal(in.result, USB_SILENT); /* not configured */
	fixture_configure(&f);
	fake_host_submit(f.dev, &in, 0x85, a, 64);
	assert_int_equal(in.result, USB_SILENT); /* no such endpoint */

	fake_host_submit(f.dev, &in, 0x81, a, 64);
	fake_host_submit(f.dev, &notify, 0x82, b, 8);
	f.dev->ops->cancel(f.dev, &in);
	assert_true(fake_host_is_done(&in));
	assert_int_equal(in.result, USB_CANCELLED);
	f.dev->ops->cancel(f.dev, &in); /* no-op */
	assert_false(fake_host_is_done(&notify));
	f.dev->ops->bus_reset(f.dev);
	assert_int_equal(notify.result, USB_CANCELLED);

	fixture_configure(&f);
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x02, 3, 0, 0x81, NULL, 0), USB_ACK);
	assert_true(fake_host_is_done(&in));
	assert_int_equal(in.result, USB_STALL);
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	assert_int_equal(in.result, USB_STALL);
	assert_int_equal(fake_host_control(f.dev, &urb, 0x02, 1, 0, 0x81, NULL, 0), USB_ACK);
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	assert_false(fake_host_is_done(&in));
	assert_int_equal(fake_host_control(f.dev, &urb, 0x00, 9, 0, 0, NULL, 0), USB_ACK);
	assert_int_equal(in.result, USB_SILENT);
	fixture_stop(&f);
}

static struct usb_urb other, *stalled_again;

static void submit_when_stalled(struct fake_host *h, struct usb_urb *urb)
{
	static uint8_t data[64];

	if (urb->result != USB_STALL)
		return;
	h->on_complete = NULL;
	fake_host_submit(h->dev, stalled_again, 0x81, data, sizeof(data));
}

static void cancel_other(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	h->dev->ops->cancel(h->dev, &other);
	assert_true(fake_host_is_done(&other));
	assert_int_equal(other.result, USB_CANCELLED);
}

static void transfers_being_given_back_can_be_cancelled(void **state)
{
	struct fixture f;
	struct usb_urb in;
	uint8_t a[64], b[64];

	(void)state;
	fixture_start(&f, CDC_STM32_VCP);
	fixture_configure(&f);
	f.host.completions = 0;
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	fake_host_submit(f.dev, &other, 0x81, b, 64);
	f.host.on_complete = cancel_other;
	f.dev->ops->bus_reset(f.dev);
	assert_int_equal(f.host.completions, 2);
	fixture_stop(&f);
}

/* The board that runs the application, in the hands of a host that acts from complete(). */
static struct mcu *board;

static void cut_power(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	mcu_set_pin(board, PIN_VDD, false);
}

static void reset_the_bus(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	h->dev->ops->bus_reset(h->dev);
}

static void a_host_that_acts_in_the_middle_of_a_bus_reset_loses_nothing(void **state)
{
	static const struct {
		const char *name;
		void (*give)(struct fake_host *, struct usb_urb *);
		enum usb_result want; /* of those behind the first */
	} rows[] = {
		{ "power", cut_power, USB_GONE },
		{ "another bus reset", reset_the_bus, USB_CANCELLED },
	};
	static const uint8_t table[8] = { 0x00, 0x00, 0x02, 0x20, 0x01, 0x01, 0x00, 0x08 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench *bench = bench_new(1);
		struct mcu_identity identity = { { 1, 2, 3 } };
		struct cdc_app *app = cdc_app_new(CDC_STM32_VCP, "326237753036");
		struct fake_host host;
		struct usb_urb in[4], notify, urb;
		struct usbdev *port;
		uint8_t a[4][64], b[8];

		print_message("%s\n", rows[i].name);
		fake_host_init(&host);
		board = mcu_new(bench, mcu_profile_find("f407"), &identity);
		assert_non_null(board);
		mcu_set_app(board, &cdc_app_ops, app);
		assert_int_equal(flash_load(mcu_flash(board), 0, table, sizeof(table)), 0);
		port = mcu_usb(board);
		usbdev_connect(port, &host.host);
		mcu_set_pin(board, PIN_VBUS, true);
		mcu_set_pin(board, PIN_VDD, true);
		bench_advance(bench, 1000000);
		assert_ptr_equal(host.dev, port);
		assert_int_equal(fake_host_control(port, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
		for (size_t n = 0; n < 4; n++)
			fake_host_submit(port, &in[n], 0x81, a[n], 64);
		fake_host_submit(port, &notify, 0x82, b, 8);
		host.completions = 0;
		host.on_complete = rows[i].give;
		port->ops->bus_reset(port);
		assert_int_equal(host.completions, 5);
		assert_int_equal(in[0].result, USB_CANCELLED);
		for (size_t n = 1; n < 4; n++)
			assert_int_equal(in[n].result, rows[i].want);
		assert_int_equal(notify.result, rows[i].want);
		mcu_free(board);
		assert_null(host.dev);
		cdc_app_free(app);
		assert_int_equal(bench_next_us(bench), BENCH_NEVER);
		bench_free(bench);
	}
}

static void what_is_submitted_to_a_halted_endpoint_from_complete_stalls(void **state)
{
	static struct usb_urb again;
	struct fixture f;
	struct usb_urb in, urb;
	uint8_t a[64];

	(void)state;
	fixture_start(&f, CDC_STM32_VCP);
	fixture_configure(&f);
	fake_host_submit(f.dev, &in, 0x81, a, 64);
	f.host.on_complete = submit_when_stalled;
	stalled_again = &again;
	assert_int_equal(fake_host_control(f.dev, &urb, 0x02, 3, 0, 0x81, NULL, 0), USB_ACK);
	assert_int_equal(in.result, USB_STALL);
	assert_true(fake_host_is_done(&again));
	assert_int_equal(again.result, USB_STALL);
	fixture_stop(&f);
}

static void resubmit_once(struct fake_host *h, struct usb_urb *urb)
{
	static uint8_t data[64];

	h->on_complete = NULL;
	fake_host_submit(h->dev, urb, 0x81, data, sizeof(data));
}

static void stop_gives_everything_back_then_detaches(void **state)
{
	struct fixture f;
	struct usb_urb in, notify;
	uint8_t a[64], b[8];

	(void)state;
	fixture_start(&f, CDC_PYBOARD);
	fixture_configure(&f);
	fake_host_submit(f.dev, &in, 0x83, a, 64);
	fake_host_submit(f.dev, &notify, 0x82, b, 8);
	f.host.on_complete = resubmit_once;
	cdc_app_ops.stop(f.app, NULL);
	assert_int_equal(in.result, USB_GONE); /* the one submitted on the way out, too */
	assert_int_equal(notify.result, USB_GONE);
	assert_int_equal(f.host.detaches, 1);

	/* and again: a reset into the application */
	f.dev = cdc_app_ops.start(f.app, NULL, 0x08000000);
	usbdev_attach(f.dev, USB_SPEED_IS_FULL);
	assert_int_equal(f.host.attaches, 2);
	fixture_configure(&f);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_identities_enumerate),
		cmocka_unit_test(cdc_acm_finds_what_it_binds_to),
		cmocka_unit_test(line_requests_are_answered),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(writing_without_reading_is_held_back),
		cmocka_unit_test(held_transfers_end_as_the_bus_says),
		cmocka_unit_test(transfers_being_given_back_can_be_cancelled),
		cmocka_unit_test(a_host_that_acts_in_the_middle_of_a_bus_reset_loses_nothing),
		cmocka_unit_test(what_is_submitted_to_a_halted_endpoint_from_complete_stalls),
		cmocka_unit_test(stop_gives_everything_back_then_detaches),
	};

	return cmocka_run_group_tests_name("cdc", tests, NULL, NULL);
}
