/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enumeration against a scripted device: what is asked, when, and what becomes of bad answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bench.h"
#include "describe.h"

#define ADDRESS 5
#define LOG_MAX 1200

static const uint8_t rom_device[18] = { 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83,
					0x04, 0x11, 0xdf, 0x00, 0x22, 0x01, 0x02, 0x03, 0x01 };
static const uint8_t rom_configuration[54] = {
	0x09, 0x02, 0x36, 0x00, 0x01, 0x01, 0x00, 0xc0, 0x32, 0x09, 0x04, 0x00, 0x00, 0x00, 0xfe, 0x01, 0x02, 0x04,
	0x09, 0x04, 0x00, 0x01, 0x00, 0xfe, 0x01, 0x02, 0x05, 0x09, 0x04, 0x00, 0x02, 0x00, 0xfe, 0x01, 0x02, 0x06,
	0x09, 0x04, 0x00, 0x03, 0x00, 0xfe, 0x01, 0x02, 0x07, 0x09, 0x21, 0x0b, 0xff, 0x00, 0x00, 0x08, 0x1a, 0x01,
};

/* What a request with this value meets instead of the usual answer. */
struct trick {
	uint8_t request;
	uint16_t value;
	uint16_t length; /* wLength; 0: any */
	enum usb_result result;
	bool never; /* no answer at all */
	int times;  /* so often; 0: always */
	const uint8_t *bytes;
	size_t size;
	size_t claimed; /* actual, where it is not size */
};

struct fake {
	struct usbdev dev;
	struct usbhost host;
	struct bench *bench;
	struct describe *describe;
	struct bench_event answer;
	struct usb_urb *pending;
	uint8_t device[18];
	const uint8_t *configurations[8];
	const char *strings[8];
	struct trick tricks[4];
	int used[4];
	uint64_t delay_us; /* 0: completes within submit() */
	struct {
		uint64_t at_us;
		struct usb_setup setup; /* type 0xff: a bus reset */
	} log[LOG_MAX];
	size_t logged;
	int outcomes;
	bool success, free_on_done, foreign;
	uint64_t outcome_us;
};

static struct fake *fake_of(struct usbdev *dev)
{
	return (struct fake *)((char *)dev - offsetof(struct fake, dev));
}

static void note(struct fake *f, const struct usb_setup *s)
{
	assert_true(f->logged < LOG_MAX);
	f->log[f->logged].at_us = bench_now_us(f->bench);
	f->log[f->logged++].setup = *s;
}

static size_t give(struct usb_urb *urb, const void *bytes, size_t size)
{
	if (size > urb->length)
		size = urb->length;
	if (size)
		memcpy(urb->data, bytes, size);
	return size;
}

static void serve(struct fake *f, struct usb_urb *urb)
{
	const struct usb_setup *s = &urb->setup;
	uint8_t text[255] = { 4, 3, 9, 4 };
	unsigned index = s->value & 0xff;

	for (size_t i = 0; i < 4; i++) {
		const struct trick *t = &f->tricks[i];

		if (t->request != s->request || t->value != s->value || (t->length && t->length != s->length))
			continue;
		if (t->times && f->used[i]++ >= t->times)
			continue;
		if (t->never)
			return;
		f->pending = NULL;
		usbdev_complete(&f->dev, urb, t->result,
				t->claimed ? (give(urb, t->bytes, t->size), t->claimed) : give(urb, t->bytes, t->size));
		return;
	}
	f->pending = NULL;
	if (s->request != USB_REQUEST_GET_DESCRIPTOR) {
		usbdev_complete(&f->dev, urb, USB_ACK, 0);
		return;
	}
	switch (s->value >> 8) {
	case USB_DT_DEVICE:
		usbdev_complete(&f->dev, urb, USB_ACK, give(urb, f->device, 18));
		return;
	case USB_DT_CONFIGURATION:
		if (index >= 8 || !f->configurations[index])
			break;
		usbdev_complete(&f->dev, urb, USB_ACK,
				give(urb, f->configurations[index],
				     (size_t)(f->configurations[index][2] | f->configurations[index][3] << 8)));
		return;
	case USB_DT_STRING:
		if (index >= 8 || (index && !f->strings[index]))
			break;
		for (size_t i = 0; index && f->strings[index][i]; i++) {
			text[2 + 2 * i] = (uint8_t)f->strings[index][i];
			text[3 + 2 * i] = 0;
			text[0] = (uint8_t)(4 + 2 * i);
		}
		usbdev_complete(&f->dev, urb, USB_ACK, give(urb, text, text[0]));
		return;
	}
	usbdev_complete(&f->dev, urb, USB_STALL, 0);
}

static void answer_now(struct bench_event *event)
{
	struct fake *f = event->context;

	serve(f, f->pending);
}

static void fake_submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct fake *f = fake_of(dev);

	assert_null(f->pending);
	note(f, &urb->setup);
	if (!dev->attached) {
		usbdev_complete(dev, urb, USB_GONE, 0);
		return;
	}
	f->pending = urb;
	if (f->delay_us)
		bench_after(f->bench, &f->answer, f->delay_us);
	else
		serve(f, urb);
}

static void give_back(struct fake *f, enum usb_result result)
{
	struct usb_urb *urb = f->pending;

	bench_cancel(f->bench, &f->answer);
	f->pending = NULL;
	if (urb)
		usbdev_complete(&f->dev, urb, result, 0);
}

static void fake_cancel(struct usbdev *dev, struct usb_urb *urb)
{
	if (fake_of(dev)->pending == urb)
		give_back(fake_of(dev), USB_CANCELLED);
}

static void fake_bus_reset(struct usbdev *dev)
{
	note(fake_of(dev), &(struct usb_setup){ .type = 0xff });
	give_back(fake_of(dev), USB_CANCELLED);
}

static const struct usbdev_ops fake_ops = { fake_submit, fake_cancel, fake_bus_reset };

static void host_complete(struct usbhost *host, struct usb_urb *urb)
{
	struct fake *f = (struct fake *)((char *)host - offsetof(struct fake, host));

	if (!describe_complete(f->describe, urb))
		f->foreign = true;
}

static void host_nothing(struct usbhost *host, struct usbdev *dev)
{
	(void)host;
	(void)dev;
}

static const struct usbhost_ops host_ops = { host_complete, host_nothing, host_nothing };

static void outcome(void *context, const struct usb_description *d)
{
	struct fake *f = context;

	f->outcomes++;
	f->success = d;
	f->outcome_us = bench_now_us(f->bench);
	assert_false(describe_is_running(f->describe));
	assert_ptr_equal(d, describe_result(f->describe));
	if (f->free_on_done) {
		describe_free(f->describe);
		f->describe = NULL;
	}
}

static int setup(void **state)
{
	static const char *const texts[] = { NULL,
					     "STMicroelectronics",
					     "STM32  BOOTLOADER",
					     "326237753036",
					     "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg",
					     "@Option Bytes  /0x1FFFC000/01*016 e",
					     "@OTP Memory /0x1FFF7800/01*512 e,01*016 e",
					     "@Device Feature/0xFFFF0000/01*004 e" };
	struct fake *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->bench = bench_new(1);
	f->dev.ops = &fake_ops;
	f->host.ops = &host_ops;
	f->delay_us = 100;
	f->answer.fire = answer_now;
	f->answer.context = f;
	memcpy(f->device, rom_device, 18);
	f->configurations[0] = rom_configuration;
	memcpy(f->strings, texts, sizeof(texts));
	usbdev_connect(&f->dev, &f->host);
	usbdev_attach(&f->dev, USB_SPEED_IS_FULL);
	f->describe = describe_new(f->bench, &f->dev, ADDRESS, outcome, f);
	assert_non_null(f->describe);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fake *f = *state;

	assert_false(f->foreign);
	describe_free(f->describe);
	assert_null(f->pending);
	bench_free(f->bench);
	free(f);
	return 0;
}

static void run(struct fake *f)
{
	describe_start(f->describe);
	bench_advance(f->bench, 60000000);
	assert_int_equal(f->outcomes, 1);
}

static void rom_is_asked_as_linux_asks(void **state)
{
	static const struct {
		uint8_t type, request;
		uint16_t value, index, length;
		uint64_t not_before_us;
	} want[] = {
		{ 0xff, 0, 0, 0, 0, 100000 },       { 0x80, 6, 0x0100, 0, 64, 160000 },
		{ 0xff, 0, 0, 0, 0, 160100 },       { 0x00, 5, ADDRESS, 0, 0, 220100 },
		{ 0x80, 6, 0x0100, 0, 18, 230200 }, { 0x80, 6, 0x0200, 0, 9, 230300 },
		{ 0x80, 6, 0x0200, 0, 54, 230400 }, { 0x80, 6, 0x0300, 0, 255, 230500 },
		{ 0x80, 6, 0x0302, 0x409, 255, 0 }, { 0x80, 6, 0x0301, 0x409, 255, 0 },
		{ 0x80, 6, 0x0303, 0x409, 255, 0 }, { 0x00, 9, 1, 0, 0, 0 },
		{ 0x80, 6, 0x0304, 0x409, 255, 0 },
	};
	struct fake *f = *state;
	const struct usb_description *d;

	run(f);
	assert_true(f->success);
	assert_int_equal(f->logged, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < f->logged; i++) {
		const struct usb_setup *s = &f->log[i].setup;

		assert_int_equal(s->type, want[i].type);
		assert_int_equal(s->request, want[i].request);
		assert_int_equal(s->value, want[i].value);
		assert_int_equal(s->index, want[i].index);
		assert_int_equal(s->length, want[i].length);
		if (want[i].not_before_us)
			assert_int_equal(f->log[i].at_us, want[i].not_before_us);
	}
	d = describe_result(f->describe);
	assert_memory_equal(d->device, rom_device, 18);
	assert_int_equal(d->speed, USB_SPEED_IS_FULL);
	assert_int_equal(d->configuration, 1);
	assert_int_equal(d->configuration_count, 1);
	assert_int_equal(d->configurations[0].length, 54);
	assert_memory_equal(d->configurations[0].bytes, rom_configuration, 54);
	assert_null(d->configurations[0].name);
	assert_string_equal(d->manufacturer, "STMicroelectronics");
	assert_string_equal(d->product, "STM32  BOOTLOADER");
	assert_string_equal(d->serial, "326237753036");
	assert_int_equal(d->interface_name_count, 1);
	assert_string_equal(usb_description_interface_name(d, 0, 0), f->strings[4]);
	assert_null(usb_description_interface_name(d, 0, 1));
	assert_string_equal(describe_error(f->describe), "");
}

static void device_that_answers_within_submit_is_described(void **state)
{
	struct fake *f = *state;

	f->delay_us = 0;
	run(f);
	assert_true(f->success);
	assert_int_equal(f->outcome_us, 230000);
}

static void port_reset_is_not_debounced(void **state)
{
	struct fake *f = *state;

	describe_restart(f->describe);
	bench_advance(f->bench, 1000000);
	assert_true(f->success);
	assert_int_equal(f->log[0].at_us, 0);
}

static void texts_of_all_alternate_settings_come_when_wanted(void **state)
{
	struct fake *f = *state;
	const struct usb_description *d;

	run(f);
	assert_int_equal(describe_result(f->describe)->interface_name_count, 1);
	f->outcomes = 0;
	describe_want_all_names(f->describe);
	describe_start(f->describe);
	bench_advance(f->bench, 120000000);
	d = describe_result(f->describe);
	assert_non_null(d);
	assert_int_equal(d->interface_name_count, 4);
	for (uint8_t alt = 0; alt < 4; alt++)
		assert_string_equal(usb_description_interface_name(d, 0, alt), f->strings[4 + alt]);
}

static void outcome_may_free(void **state)
{
	struct fake *f = *state;

	f->free_on_done = true;
	run(f);
	assert_true(f->success);
}

static void outcome_of_a_failure_may_free(void **state)
{
	struct fake *f = *state;

	f->free_on_done = true;
	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0100, .never = true };
	run(f);
	assert_false(f->success);
}

static void copy_is_deep(void **state)
{
	struct fake *f = *state;
	struct usb_description *copy;

	run(f);
	copy = usb_description_copy(describe_result(f->describe));
	assert_non_null(copy);
	describe_start(f->describe); /* the original goes */
	assert_null(describe_result(f->describe));
	assert_string_equal(copy->serial, "326237753036");
	assert_string_equal(usb_description_interface_name(copy, 0, 0), f->strings[4]);
	assert_memory_equal(copy->configurations[0].bytes, rom_configuration, 54);
	usb_description_free(copy);
	usb_description_free(NULL);
}

static const uint8_t type_0_configuration[9] = { 9, 0, 9, 0, 1, 1, 0, 0xc0, 50 };
static const uint8_t long_head[9] = { 9, 2, 0xff, 0xff, 1, 1, 0, 0xc0, 50 };
static const uint8_t b_length_9_of_4[9] = { 200, 2, 54, 0, 1, 1, 0, 0xc0, 50 };
static const uint8_t packet_7[18] = { 18, 1, 0, 1, 0, 0, 0, 7, 0x83, 4, 0x11, 0xdf, 0, 0x22, 1, 2, 3, 1 };
static const uint8_t no_configurations[18] = { 18, 1, 0, 1, 0, 0, 0, 64, 0x83, 4, 0x11, 0xdf, 0, 0x22, 1, 2, 3, 0 };

static void unusable_answers_fail_after_three_tries(void **state)
{
	static const struct {
		const char *name;
		struct trick give;
		const char *want;
	} cases[] = {
		{ "silence", { 6, 0x0100, 64, USB_SILENT, false, 0, NULL, 0, 0 }, "the device does not respond" },
		{ "no answer", { 6, 0x0100, 64, USB_ACK, true, 0, NULL, 0, 0 }, "no answer within 5 s" },
		{ "stall", { 6, 0x0100, 64, USB_STALL, false, 0, NULL, 0, 0 }, "STALL" },
		{ "short head", { 6, 0x0100, 64, USB_ACK, false, 0, rom_device, 7, 0 }, "7 bytes" },
		{ "empty head", { 6, 0x0100, 64, USB_ACK, false, 0, rom_device, 0, 0 }, "0 bytes of type 0" },
		{ "odd packet", { 6, 0x0100, 64, USB_ACK, false, 0, packet_7, 18, 0 }, "bMaxPacketSize0 is 7" },
		{ "address", { 5, ADDRESS, 0, USB_STALL, false, 0, NULL, 0, 0 }, "SET_ADDRESS(5): STALL" },
		{ "short device", { 6, 0x0100, 18, USB_ACK, false, 0, rom_device, 17, 0 }, "17 bytes" },
		{ "no configuration", { 6, 0x0100, 18, USB_ACK, false, 0, no_configurations, 18, 0 }, "is 0" },
		{ "refused configuration",
		  { 6, 0x0200, 9, USB_STALL, false, 0, NULL, 0, 0 },
		  "configuration descriptor 0: STALL" },
		{ "3 bytes", { 6, 0x0200, 9, USB_ACK, false, 0, rom_configuration, 3, 0 }, "only 3 bytes" },
		{ "8 bytes", { 6, 0x0200, 54, USB_ACK, false, 0, rom_configuration, 8, 0 }, "8 bytes" },
		{ "wrong type", { 6, 0x0200, 54, USB_ACK, false, 0, type_0_configuration, 9, 0 }, "type 0" },
		{ "long bLength", { 6, 0x0200, 54, USB_ACK, false, 0, b_length_9_of_4, 9, 0 }, "bLength 200" },
		{ "not configured", { 9, 1, 0, USB_STALL, false, 0, NULL, 0, 0 }, "SET_CONFIGURATION(1): STALL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f;
		void *each;
		size_t resets = 0;

		setup(&each);
		f = each;
		f->tricks[0] = cases[i].give;
		run(f);
		for (size_t n = 0; n < f->logged; n++)
			resets += f->log[n].setup.type == 0xff &&
				  (n + 1 == f->logged || f->log[n + 1].setup.length == 64);
		if (f->success || resets != 3 || !strstr(describe_error(f->describe), cases[i].want))
			fail_msg("%s: '%s' after %zu tries", cases[i].name, describe_error(f->describe), resets);
		assert_null(describe_result(f->describe));
		teardown(&each);
	}
}

static void second_try_may_succeed(void **state)
{
	struct fake *f = *state;

	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0200, .length = 54, .never = true, .times = 1 };
	run(f);
	assert_true(f->success);
	assert_int_equal(describe_result(f->describe)->configuration_count, 1);
	assert_string_equal(describe_error(f->describe), "configuration descriptor 0, whole: no answer within 5 s");
}

static void strings_that_cannot_be_had_are_none(void **state)
{
	static const uint8_t not_a_string[4] = { 4, 7, 'x', 0 };
	static const uint8_t empty[2] = { 2, 3 };
	struct fake *f = *state;

	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0301, .never = true };
	f->tricks[1] = (struct trick){
		.request = 6, .value = 0x0302, .result = USB_ACK, .bytes = not_a_string, .size = 4
	};
	f->tricks[2] = (struct trick){ .request = 6, .value = 0x0303, .result = USB_ACK, .bytes = empty, .size = 2 };
	f->tricks[3] = (struct trick){ .request = 6, .value = 0x0304, .result = USB_STALL };
	run(f);
	assert_true(f->success);
	assert_null(describe_result(f->describe)->manufacturer);
	assert_null(describe_result(f->describe)->product);
	assert_null(describe_result(f->describe)->serial);
	assert_int_equal(describe_result(f->describe)->interface_name_count, 0);
}

static void without_string_0_no_string_is_asked_for(void **state)
{
	struct fake *f = *state;

	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0300, .result = USB_STALL };
	run(f);
	assert_true(f->success);
	assert_int_equal(f->logged, 9);
	assert_null(describe_result(f->describe)->serial);
}

static void strings_become_utf8_as_in_linux(void **state)
{
	/* a, u umlaut, euro sign, U+1F600 as a pair, a lone high and a lone low half, then NUL and more */
	static const uint8_t odd[] = { 20,   3,    'a',  0,    0xfc, 0,    0xac, 0x20, 0x3d, 0xd8,
				       0x00, 0xde, 0x3d, 0xd8, 0x00, 0xde, 0,    0,    'z',  0 };
	static const uint8_t halves[] = { 8, 3, 0x3d, 0xd8, 'b', 0, 0x00, 0xde };
	static const uint8_t longer_than_sent[] = { 200, 3, 'h', 0, '/', 0, 0x0a, 0, 'x' };
	struct fake *f = *state;

	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0301, .result = USB_ACK, .bytes = odd, .size = 20 };
	f->tricks[1] = (struct trick){ .request = 6, .value = 0x0302, .result = USB_ACK, .bytes = halves, .size = 8 };
	f->tricks[2] = (struct trick){
		.request = 6, .value = 0x0303, .result = USB_ACK, .bytes = longer_than_sent, .size = 9
	};
	run(f);
	assert_true(f->success);
	assert_string_equal(describe_result(f->describe)->manufacturer,
			    "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80");
	assert_string_equal(describe_result(f->describe)->product, "b");
	assert_string_equal(describe_result(f->describe)->serial, "h/\n");
}

static void longest_string_fits(void **state)
{
	struct fake *f = *state;
	uint8_t wide[255];

	memset(wide, 0xff, sizeof(wide));
	wide[1] = 3;
	f->tricks[0] = (struct trick){
		.request = 6, .value = 0x0303, .result = USB_ACK, .bytes = wide, .size = 255, .claimed = 100000
	};
	run(f);
	assert_true(f->success);
	assert_int_equal(strlen(describe_result(f->describe)->serial), 126 * 3);
}

static void lengths_that_lie_are_cut(void **state)
{
	struct fake *f = *state;

	/* 9 bytes announce 65535; 54 come, and the device claims to have moved all of them. */
	f->tricks[0] = (struct trick){
		.request = 6, .value = 0x0200, .length = 9, .result = USB_ACK, .bytes = long_head, .size = 9
	};
	f->tricks[1] = (struct trick){ .request = 6,
				       .value = 0x0200,
				       .length = 65535,
				       .result = USB_ACK,
				       .bytes = rom_configuration,
				       .size = 54,
				       .claimed = 1000000 };
	run(f);
	assert_true(f->success);
	assert_int_equal(describe_result(f->describe)->configurations[0].length, 54);
}

static void walk_ends_where_a_length_leads_nowhere(void **state)
{
	static const struct {
		const char *name;
		uint8_t give[20];
		int want; /* interfaces found */
	} cases[] = {
		{ "zero bLength", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 0, 4 }, 0 },
		{ "bLength 1", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 1, 4 }, 0 },
		{ "beyond the end", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 12, 4 }, 0 },
		{ "too short for an interface", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 8, 4 }, 0 },
		{ "whole, then one byte", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 9, 4 }, 1 },
		{ "longer than usual", { 9, 2, 20, 0, 1, 1, 0, 0xc0, 50, 11, 4 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *exact = malloc(20);
		struct usb_configuration c = { .bytes = exact, .length = 20 };
		size_t offset = 0;
		int n = 0;

		assert_non_null(exact);
		memcpy(exact, cases[i].give, 20);
		while (usb_configuration_next(&c, &offset, USB_DT_INTERFACE, 9))
			n++;
		if (n != cases[i].want)
			fail_msg("%s: %d interfaces", cases[i].name, n);
		free(exact);
	}
}

static void random_configurations_are_survived(void **state)
{
	uint32_t dice = 12345;

	(void)state;
	for (int round = 0; round < 300; round++) {
		uint8_t bytes[64];
		struct fake *f;
		void *each;

		setup(&each);
		f = each;
		for (size_t i = 0; i < sizeof(bytes); i++) {
			dice = dice * 1664525 + 1013904223;
			bytes[i] = i < sizeof(rom_configuration) && dice >> 30 ? rom_configuration[i]
									       : (uint8_t)(dice >> 20);
		}
		bytes[0] = 9;
		bytes[1] = 2;
		bytes[3] = 0;
		f->configurations[0] = bytes;
		bytes[2] = bytes[2] > 64 ? 64 : bytes[2];
		describe_start(f->describe);
		bench_advance(f->bench, 200000000);
		assert_int_equal(f->outcomes, 1);
		teardown(&each);
	}
}

static void further_configurations_are_read_until_refused(void **state)
{
	static const uint8_t second[9] = { 9, 2, 9, 0, 0, 7, 0, 0x80, 50 };
	struct fake *f = *state;

	f->device[17] = 200;
	f->configurations[1] = second;
	run(f);
	assert_true(f->success);
	assert_int_equal(describe_result(f->describe)->configuration_count, 2);
	assert_int_equal(describe_result(f->describe)->device[17], 2);
	assert_ptr_equal(usb_description_configuration(describe_result(f->describe), 7),
			 &describe_result(f->describe)->configurations[1]);
	assert_null(usb_description_configuration(describe_result(f->describe), 2));
}

static void device_that_leaves_ends_it_at_once(void **state)
{
	struct fake *f = *state;

	f->tricks[0] = (struct trick){ .request = 6, .value = 0x0300, .never = true };
	describe_start(f->describe);
	bench_advance(f->bench, 300000);
	assert_non_null(f->pending);
	give_back(f, USB_GONE);
	usbdev_detach(&f->dev);
	bench_advance(f->bench, 300000);
	assert_int_equal(f->outcomes, 1);
	assert_false(f->success);
	assert_string_equal(describe_error(f->describe), "the device left the bus");
}

static void cancelled_enumeration_has_no_outcome(void **state)
{
	static const uint64_t moments[] = { 0, 120000, 160050, 200000, 225000, 230050, 230750 };

	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		struct fake *f;
		void *each;

		setup(&each);
		f = each;
		describe_start(f->describe);
		bench_advance(f->bench, moments[i]);
		describe_cancel(f->describe);
		assert_null(f->pending);
		bench_advance(f->bench, 60000000);
		assert_int_equal(f->outcomes, 0);
		assert_null(describe_result(f->describe));
		describe_start(f->describe);
		bench_advance(f->bench, 120000000);
		assert_int_equal(f->outcomes, 1);
		assert_true(f->success);
		teardown(&each);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rom_is_asked_as_linux_asks),
		TEST(device_that_answers_within_submit_is_described),
		TEST(port_reset_is_not_debounced),
		TEST(texts_of_all_alternate_settings_come_when_wanted),
		TEST(outcome_may_free),
		TEST(outcome_of_a_failure_may_free),
		TEST(copy_is_deep),
		cmocka_unit_test(unusable_answers_fail_after_three_tries),
		TEST(second_try_may_succeed),
		TEST(strings_that_cannot_be_had_are_none),
		TEST(without_string_0_no_string_is_asked_for),
		TEST(strings_become_utf8_as_in_linux),
		TEST(longest_string_fits),
		TEST(lengths_that_lie_are_cut),
		cmocka_unit_test(walk_ends_where_a_length_leads_nowhere),
		cmocka_unit_test(random_configurations_are_survived),
		TEST(further_configurations_are_read_until_refused),
		TEST(device_that_leaves_ends_it_at_once),
		cmocka_unit_test(cancelled_enumeration_has_no_outcome),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
