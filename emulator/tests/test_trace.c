/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recording filter: what it writes down, and that nothing above or below can tell that it is there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "bench.h"
#include "cdc.h"
#include "fake_host.h"
#include "pcapng.h"
#include "trace.h"

struct memory {
	uint8_t bytes[65536];
	size_t length;
};

static int memory_write(void *context, const void *bytes, size_t length)
{
	struct memory *m = context;

	if (length > sizeof(m->bytes) - m->length)
		return -ENOSPC;
	memcpy(m->bytes + m->length, bytes, length);
	m->length += length;
	return 0;
}

struct fixture {
	struct memory memory;
	struct bench *bench;
	struct capture *capture;
	struct cdc_app *app;
	struct usbdev *below, *dev;
	struct trace *trace;
	struct fake_host host;
};

static int setup(void **state)
{
	static struct fixture f;
	struct capture_sink sink = { memory_write, &f.memory };

	memset(&f, 0, sizeof(f));
	f.bench = bench_new(1);
	f.capture = capture_new(&sink, 1000000, NULL, NULL);
	f.app = cdc_app_new(CDC_STM32_VCP, "326237753036");
	assert_non_null(f.bench);
	assert_non_null(f.capture);
	assert_non_null(f.app);
	f.below = cdc_app_ops.start(f.app, NULL, 0);
	f.trace = trace_new(f.bench, f.below, f.capture, 1);
	assert_non_null(f.trace);
	f.dev = trace_usbdev(f.trace);
	fake_host_init(&f.host);
	usbdev_connect(f.dev, &f.host.host);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cdc_app_ops.stop(f->app, NULL);
	trace_free(f->trace);
	trace_free(NULL);
	cdc_app_free(f->app);
	capture_free(f->capture);
	bench_free(f->bench);
	return 0;
}

struct record {
	struct usbmon_header h;
	const uint8_t *data;
	uint64_t time_us;
};

static unsigned records(const struct fixture *f, struct record *out, unsigned room)
{
	struct pcapng_reader r;
	struct pcapng_packet p;
	unsigned n = 0;
	int result;

	pcapng_reader_init(&r, f->memory.bytes, f->memory.length);
	while ((result = pcapng_reader_next(&r, &p)) == 1) {
		assert_true(n < room);
		assert_int_equal(usbmon_decode(p.data, p.captured, p.big_endian, &out[n].h), 0);
		assert_int_equal(out[n].h.bus, 1);
		out[n].time_us = p.time_us;
		out[n++].data = p.data + USBMON_HEADER_BYTES;
	}
	assert_int_equal(result, 0);
	return n;
}

static void attach_and_configure(struct fixture *f)
{
	struct usb_urb urb;
	uint8_t b[255];

	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	f->dev->ops->bus_reset(f->dev);
	assert_int_equal(fake_host_control(f->dev, &urb, 0x00, 5, 7, 0, NULL, 0), USB_ACK);
	assert_int_equal(fake_host_control(f->dev, &urb, 0x80, 6, 0x0200, 0, b, 255), USB_ACK);
	assert_int_equal(fake_host_control(f->dev, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
}

static void transfers_are_recorded_as_usbmon_would(void **state)
{
	struct fixture *f = *state;
	struct usb_urb urb, in, notify, out;
	uint8_t b[64], to[3] = { 1, 2, 3 };
	struct record r[40];

	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	bench_advance(f->bench, 250);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 64);
	fake_host_control(f->dev, &urb, 0x00, 5, 7, 0, NULL, 0);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0200, 0, b, 64);
	fake_host_control(f->dev, &urb, 0x00, 9, 1, 0, NULL, 0);
	fake_host_control(f->dev, &urb, 0x21, 0x20, 0, 0, b, 7);
	fake_host_control(f->dev, &urb, 0xa1, 3, 0, 0, b, 6);
	fake_host_submit(f->dev, &in, 0x81, b, 64);
	bench_advance(f->bench, 300);
	fake_host_submit(f->dev, &out, 0x01, to, 3);
	fake_host_submit(f->dev, &notify, 0x82, b, 8);
	f->dev->ops->cancel(f->dev, &notify);

	assert_int_equal(records(f, r, 40), 18);
	/* device descriptor, to address 0 */
	assert_int_equal(r[0].h.type, 'S');
	assert_int_equal(r[0].h.transfer, USBMON_CONTROL);
	assert_int_equal(r[0].h.endpoint, 0x80);
	assert_int_equal(r[0].h.device, 0);
	assert_int_equal(r[0].h.flag_setup, 0);
	assert_int_equal(r[0].h.flag_data, '<');
	assert_int_equal(r[0].h.status, USBMON_EINPROGRESS);
	assert_int_equal(r[0].h.length, 64);
	assert_int_equal(r[0].h.captured, 0);
	assert_int_equal(r[0].h.setup[1], 6);
	assert_int_equal(r[0].time_us, 1000250);
	assert_int_equal(r[1].h.type, 'C');
	assert_int_equal(r[1].h.id, r[0].h.id);
	assert_int_equal(r[1].h.flag_setup, '-');
	assert_int_equal(r[1].h.flag_data, 0);
	assert_int_equal(r[1].h.status, 0);
	assert_int_equal(r[1].h.length, 18);
	assert_int_equal(r[1].h.captured, 18);
	assert_int_equal(r[1].data[8], 0x83);
	/* SET_ADDRESS: its completion still has the old one */
	assert_int_equal(r[2].h.device, 0);
	assert_int_equal(r[2].h.endpoint, 0x00);
	assert_int_equal(r[2].h.flag_data, 0);
	assert_int_equal(r[3].h.device, 0);
	assert_int_equal(r[3].h.flag_data, '>');
	assert_int_equal(r[4].h.device, 7);
	/* an OUT data stage */
	assert_int_equal(r[8].h.length, 7);
	assert_int_equal(r[8].h.captured, 7);
	assert_int_equal(r[8].h.flag_data, 0);
	assert_int_equal(r[9].h.length, 7);
	assert_int_equal(r[9].h.captured, 0);
	/* a STALL */
	assert_int_equal(r[11].h.status, USBMON_EPIPE);
	assert_int_equal(r[11].h.length, 0);
	/* bulk: the IN waits for the OUT */
	assert_int_equal(r[12].h.transfer, USBMON_BULK);
	assert_int_equal(r[12].h.endpoint, 0x81);
	assert_int_equal(r[12].h.flag_setup, '-');
	assert_int_equal(r[13].h.type, 'S');
	assert_int_equal(r[13].h.endpoint, 0x01);
	assert_int_equal(r[13].h.captured, 3);
	assert_int_equal(r[13].time_us, 1000300);
	assert_int_equal(r[14].h.id, r[13].h.id);
	assert_int_equal(r[15].h.id, r[12].h.id);
	assert_int_equal(r[15].h.captured, 3);
	assert_int_equal(r[15].data[2], 3);
	/* interrupt, known from the configuration descriptor that passed; taken back */
	assert_int_equal(r[16].h.transfer, USBMON_INTERRUPT);
	assert_int_equal(r[16].h.interval, 16);
	assert_int_equal(r[17].h.status, USBMON_ENOENT);
}

static void urbs_pass_through_untouched(void **state)
{
	struct fixture *f = *state;
	struct usb_urb in;
	uint8_t b[64];
	int mark;

	attach_and_configure(f);
	in = (struct usb_urb){ .endpoint = 0x81, .data = b, .length = 64, .context = &mark };
	f->dev->ops->submit(f->dev, &in);
	assert_ptr_equal(in.context, &mark);
	f->dev->ops->cancel(f->dev, &in);
	assert_ptr_equal(f->host.last, &in);
	assert_ptr_equal(in.data, b);
	assert_int_equal(in.result, USB_CANCELLED);
}

static void plugging_and_resets_pass_and_the_address_goes(void **state)
{
	struct fixture *f = *state;
	struct usb_urb in, urb;
	uint8_t b[64];
	struct record r[40];
	unsigned n;

	assert_null(f->host.dev);
	attach_and_configure(f);
	assert_ptr_equal(f->host.dev, f->dev);
	assert_int_equal(f->dev->speed, USB_SPEED_IS_FULL);
	fake_host_submit(f->dev, &in, 0x81, b, 64);
	f->dev->ops->bus_reset(f->dev);
	assert_int_equal(in.result, USB_CANCELLED);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
	n = records(f, r, 40);
	assert_int_equal(r[n - 3].h.device, 7); /* what the reset cancelled */
	assert_int_equal(r[n - 2].h.device, 0);

	attach_and_configure(f);
	fake_host_submit(f->dev, &in, 0x81, b, 64);
	cdc_app_ops.stop(f->app, NULL);
	assert_int_equal(in.result, USB_GONE);
	assert_null(f->host.dev);
	assert_int_equal(f->host.detaches, 1);
	n = records(f, r, 40);
	assert_int_equal(r[n - 1].h.status, USBMON_ESHUTDOWN);

	cdc_app_ops.start(f->app, NULL, 0);
	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
	n = records(f, r, 40);
	assert_int_equal(r[n - 1].h.device, 0);
	assert_int_equal(f->host.attaches, 2);
}

static void a_device_that_is_there_already_is_seen(void **state)
{
	struct fixture *f = *state;
	struct trace *second;
	struct fake_host host;

	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	second = trace_new(f->bench, f->dev, f->capture, 1); /* filters stack */
	assert_non_null(second);
	fake_host_init(&host);
	usbdev_connect(trace_usbdev(second), &host.host);
	assert_ptr_equal(host.dev, trace_usbdev(second));
	trace_free(second);
}

static void what_passes_while_paused_is_learnt_and_not_recorded(void **state)
{
	struct fixture *f = *state;
	struct usb_urb urb;
	struct record r[10];
	uint8_t b[18];

	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	trace_pause(f->trace, true);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
	fake_host_control(f->dev, &urb, 0x00, 5, 7, 0, NULL, 0);
	trace_pause(f->trace, false);
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
	assert_int_equal(records(f, r, 10), 2);
	assert_int_equal(r[0].h.device, 7);
	assert_int_equal(r[1].h.device, 7);
}

static struct usb_urb *held[4];
static unsigned held_count;

static void hold(struct usbdev *dev, struct usb_urb *urb)
{
	(void)dev;
	held[held_count++] = urb;
}

/* Fronts give an address to what a kernel elsewhere may ask at once. */
static void what_is_asked_behind_an_address_has_it(void **state)
{
	static const struct usbdev_ops ops = { .submit = hold };
	struct usb_urb address = { .setup = { 0x00, 5, 7, 0, 0 } };
	struct usb_urb urb = { .setup = { 0x80, 6, 0x0100, 0, 18 }, .data = (uint8_t[18]){ 0 }, .length = 18 };
	struct fixture *f = *state;
	struct usbdev below = { .ops = &ops };
	struct trace *trace = trace_new(f->bench, &below, f->capture, 1);
	struct record r[4];

	held_count = 0;
	usbdev_attach(&below, USB_SPEED_IS_FULL);
	trace_pause(trace, true);
	trace_usbdev(trace)->ops->submit(trace_usbdev(trace), &address);
	trace_pause(trace, false);
	trace_usbdev(trace)->ops->submit(trace_usbdev(trace), &urb);
	for (unsigned i = 0; i < held_count; i++)
		usbdev_complete(&below, held[i], USB_ACK, held[i]->length);
	assert_int_equal(records(f, r, 4), 2);
	assert_int_equal(r[0].h.device, 7);
	assert_int_equal(r[1].h.device, 7);
	trace_free(trace);
}

static struct usb_urb next;
static uint8_t next_data[18];

static void submit_next(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	fake_host_control(h->dev, &next, 0x80, 6, 0x0100, 0, next_data, 18);
}

static void nested_submissions_keep_their_order(void **state)
{
	struct fixture *f = *state;
	struct usb_urb urb;
	struct record r[8];
	uint8_t b[18];

	usbdev_attach(f->below, USB_SPEED_IS_FULL);
	f->host.on_complete = submit_next;
	fake_host_control(f->dev, &urb, 0x80, 6, 0x0100, 0, b, 18);
	assert_int_equal(f->host.completions, 2);
	assert_int_equal(next.result, USB_ACK);
	assert_int_equal(records(f, r, 8), 4);
	assert_int_equal(r[1].h.id, r[0].h.id);
	assert_int_equal(r[3].h.id, r[2].h.id);
	assert_int_not_equal(r[2].h.id, r[0].h.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(transfers_are_recorded_as_usbmon_would, setup, teardown),
		cmocka_unit_test_setup_teardown(urbs_pass_through_untouched, setup, teardown),
		cmocka_unit_test_setup_teardown(plugging_and_resets_pass_and_the_address_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_is_there_already_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(what_passes_while_paused_is_learnt_and_not_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_asked_behind_an_address_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(nested_submissions_keep_their_order, setup, teardown),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
