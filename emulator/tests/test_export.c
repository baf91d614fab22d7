// SPDX-License-Identifier: GPL-2.0-or-later
/* A device on its way to a host elsewhere: enumerated by us, handed on unconfigured, and told apart when it comes again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "bench.h"
#include "export.h"
#include "fake_device.h"

#define ADDRESS 9
#define LONG_US 20000000u

struct owner {
	struct bench *bench;
	struct front_env env;
	struct fake_device device;
	struct export *export;
	int probes; /* on less off */
	unsigned probed, warned, ready, gone, completed;
	char warning[FRONT_WHY];
	struct usb_urb *last;
	bool ready_unconfigured;
};

static void warn(void *context, const char *line)
{
	struct owner *o = context;

	o->warned++;
	snprintf(o->warning, sizeof(o->warning), "%s", line);
}

static void note(void *context, const char *line)
{
	(void)context, (void)line;
}

static void probe(void *context, struct usbdev *device, bool on)
{
	struct owner *o = context;

	assert_ptr_equal(device, &o->device.dev);
	o->probes += on ? 1 : -1;
	o->probed++;
	assert_in_range(o->probes + 1, 1, 3);
}

static void ready(void *context, const struct usb_description *d)
{
	struct owner *o = context;

	assert_ptr_equal(d, export_description(o->export));
	assert_int_equal(d->device[8], 0x34);
	o->ready++;
	o->ready_unconfigured = o->device.configuration == 0 && o->device.address == ADDRESS && o->probes == 0;
}

static void gone(void *context)
{
	struct owner *o = context;

	assert_null(export_description(o->export));
	o->gone++;
}

static void complete(void *context, struct usb_urb *urb)
{
	struct owner *o = context;

	o->completed++;
	o->last = urb;
}

static const struct export_ops ops = { .ready = ready, .gone = gone, .complete = complete };

static void set_up(struct owner *o, bool plugged)
{
	memset(o, 0, sizeof(*o));
	o->bench = bench_new(1);
	o->env = (struct front_env){ .bench = o->bench, .warn = warn, .note = note, .probe = probe, .context = o };
	fake_device_init(&o->device);
	if (plugged)
		fake_device_plug(&o->device);
	o->export = export_new(&o->env, &o->device.dev, ADDRESS, &ops, o);
	assert_non_null(o->export);
}

static void settle(struct owner *o)
{
	bench_advance(o->bench, bench_now_us(o->bench) + LONG_US);
}

static void tear_down(struct owner *o)
{
	export_free(o->export);
	assert_null(o->device.dev.host);
	assert_int_equal(o->probes, 0);
	assert_int_equal(bench_pending(o->bench), 0);
	bench_free(o->bench);
}

static void vendor_in(struct owner *o, struct usb_urb *urb, uint8_t *data)
{
	*urb = (struct usb_urb){ .setup = { FAKE_VENDOR_IN, 1, 2, 3, 4 }, .data = data, .length = 4 };
	export_submit(o->export, urb);
}

static void a_device_is_ready_known_and_unconfigured(void **state)
{
	struct owner o;

	(void)state;
	set_up(&o, true);
	assert_null(export_description(o.export));
	settle(&o);
	assert_int_equal(o.ready, 1);
	assert_true(o.ready_unconfigured);
	assert_true(o.probed >= 2);
	assert_int_equal(o.warned + o.gone + o.completed, 0);
	tear_down(&o);
}

static void a_device_may_come_later_and_again(void **state)
{
	struct owner o;

	(void)state;
	set_up(&o, false);
	settle(&o);
	assert_int_equal(o.ready, 0);
	for (unsigned i = 1; i <= 3; i++) {
		fake_device_plug(&o.device);
		settle(&o);
		assert_int_equal(o.ready, i);
		assert_true(o.ready_unconfigured);
		fake_device_pull(&o.device);
		assert_int_equal(o.gone, i);
		assert_null(export_description(o.export));
	}
	tear_down(&o);
}

static void transfers_pass_and_come_back(void **state)
{
	struct owner o;
	struct usb_urb urb;
	uint8_t data[4];

	(void)state;
	set_up(&o, true);
	settle(&o);
	vendor_in(&o, &urb, data);
	assert_int_equal(o.completed, 0);
	fake_device_finish(&o.device, 0, USB_ACK, 3);
	assert_int_equal(o.completed, 1);
	assert_ptr_equal(o.last, &urb);
	assert_int_equal(urb.actual, 3);
	vendor_in(&o, &urb, data);
	export_cancel(o.export, &urb);
	assert_int_equal(o.completed, 2);
	assert_int_equal(urb.result, USB_CANCELLED);
	tear_down(&o);
}

static void a_device_that_comes_back_has_an_address_that_nobody_has(void **state)
{
	struct front_addresses addresses = { .last = 125, .taken[127] = true };
	struct owner o;

	(void)state;
	set_up(&o, false);
	o.env.addresses = &addresses;
	for (unsigned i = 0; i < 3; i++) {
		static const uint8_t want[] = { 126, 1, 2 };

		fake_device_plug(&o.device);
		settle(&o);
		assert_int_equal(o.ready, i + 1);
		assert_int_equal(o.device.address, want[i]);
		assert_true(addresses.taken[want[i]]);
		export_reset(o.export);
		settle(&o);
		assert_int_equal(o.device.address, want[i]);
		fake_device_pull(&o.device);
	}
	tear_down(&o);
	assert_false(addresses.taken[126] || addresses.taken[1] || addresses.taken[2]);
	assert_true(addresses.taken[127]);
}

static void a_reset_takes_back_and_keeps_the_address(void **state)
{
	struct owner o;
	struct usb_urb urb;
	uint8_t data[4];
	unsigned resets;

	(void)state;
	set_up(&o, true);
	settle(&o);
	o.device.configuration = 1;
	vendor_in(&o, &urb, data);
	resets = o.device.resets;
	export_reset(o.export);
	assert_int_equal(o.device.resets, resets + 1);
	assert_int_equal(o.completed, 1);
	assert_int_equal(urb.result, USB_CANCELLED);
	assert_int_equal(o.device.configuration, 0);
	assert_int_equal(o.device.address, ADDRESS);
	assert_int_equal(o.ready, 1);
	assert_int_equal(o.probes, 0);
	tear_down(&o);
}

static void after_it_went_there_is_only_gone(void **state)
{
	struct owner o;
	struct usb_urb urb, late;
	uint8_t data[4];

	(void)state;
	set_up(&o, true);
	settle(&o);
	vendor_in(&o, &urb, data);
	fake_device_pull(&o.device);
	assert_int_equal(urb.result, USB_GONE);
	assert_int_equal(o.gone, 1);
	vendor_in(&o, &late, data);
	assert_int_equal(late.result, USB_GONE);
	export_reset(o.export);
	assert_int_equal(o.gone, 1);
	tear_down(&o);
}

static void a_device_that_does_not_enumerate_is_told_of(void **state)
{
	struct owner o;

	(void)state;
	set_up(&o, false);
	o.device.dead = true;
	fake_device_plug(&o.device);
	settle(&o);
	assert_int_equal(o.ready, 0);
	assert_int_equal(o.warned, 1);
	assert_non_null(strstr(o.warning, "does not enumerate"));
	assert_int_equal(o.probes, 0);
	/* It never was there for the owner. */
	fake_device_pull(&o.device);
	assert_int_equal(o.gone, 0);
	o.device.dead = false;
	fake_device_plug(&o.device);
	settle(&o);
	assert_int_equal(o.ready, 1);
	tear_down(&o);
}

/* One that erases answers nobody for a while. */
static void a_device_that_answers_at_last_is_ready(void **state)
{
	struct owner o;

	(void)state;
	set_up(&o, false);
	o.device.dead = true;
	fake_device_plug(&o.device);
	for (unsigned i = 0; i < 5; i++)
		settle(&o);
	assert_int_equal(o.warned, 1);
	assert_int_equal(o.ready, 0);
	o.device.dead = false;
	settle(&o);
	assert_int_equal(o.warned, 1);
	assert_int_equal(o.ready, 1);
	assert_true(o.ready_unconfigured);
	tear_down(&o);
}

/* Between a device and its export: it goes and comes back as it is given its address, within that very transfer. */
static void comes_back_submit(struct usbdev *dev, struct usb_urb *urb)
{
	bool once = urb->setup.request == USB_REQUEST_SET_ADDRESS;

	if (once)
		dev->ops = &fake_device_ops;
	fake_device_submit(dev, urb);
	if (!once)
		return;
	fake_device_pull((struct fake_device *)dev);
	fake_device_plug((struct fake_device *)dev);
}

static const struct usbdev_ops comes_back_ops = {
	.submit = comes_back_submit,
	.cancel = fake_device_cancel,
	.bus_reset = fake_device_reset,
};

static void a_device_that_comes_back_meanwhile_is_still_probed(void **state)
{
	struct owner o;

	(void)state;
	set_up(&o, true);
	settle(&o);
	o.device.dev.ops = &comes_back_ops;
	export_reset(o.export);
	assert_int_equal(o.gone, 1);
	assert_null(export_description(o.export));
	assert_int_equal(o.probes, 1);
	settle(&o);
	assert_int_equal(o.ready, 2);
	assert_int_equal(o.probes, 0);
	tear_down(&o);
}

static void it_may_be_freed_at_any_moment(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 500000; us += 7919) {
		struct owner o;

		set_up(&o, true);
		bench_advance(o.bench, us);
		if (us % 2)
			fake_device_pull(&o.device);
		tear_down(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_ready_known_and_unconfigured),
		cmocka_unit_test(a_device_may_come_later_and_again),
		cmocka_unit_test(transfers_pass_and_come_back),
		cmocka_unit_test(a_device_that_comes_back_has_an_address_that_nobody_has),
		cmocka_unit_test(a_reset_takes_back_and_keeps_the_address),
		cmocka_unit_test(after_it_went_there_is_only_gone),
		cmocka_unit_test(a_device_that_does_not_enumerate_is_told_of),
		cmocka_unit_test(a_device_that_answers_at_last_is_ready),
		cmocka_unit_test(a_device_that_comes_back_meanwhile_is_still_probed),
		cmocka_unit_test(it_may_be_freed_at_any_moment),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
