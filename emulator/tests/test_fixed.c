/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bystander devices and the files that describe them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "fake_host.h"
#include "fixed.h"

#define DEVICE "device 12 01 00 02 00 00 00 40 34 12 78 56 00 01 01 02 00 01\n"
#define CONFIGURATION \
	"configuration 09 02 19 00 01 01 00 80 32\n\t09 04 00 00 01 ff 00 00 00 # one\n\t07 05 81 03 08 00 0a\n"

static const struct {
	const char *name, *give;
	const char *want; /* "LINE:COL: text"; NULL: no error */
} cases[] = {
	{ "smallest", DEVICE CONFIGURATION, NULL },
	{ "everything",
	  "speed full # here\r\n" DEVICE "\n# between\n" CONFIGURATION "string 1 \"a \\\"b\\\" \\\\ \xc3\xa9\" # s\n",
	  NULL },
	{ "no newline at the end", CONFIGURATION "device 12 01 00 02 00 00 00 40 34 12 78 56 00 01 01 02 00 01", NULL },
	{ "empty", "", "1:1: no device descriptor, expected 'device'" },
	{ "unknown item", DEVICE "devise\n",
	  "2:1: unknown item 'devise', expected device, configuration, string or speed" },
	{ "not hex", "device 12 0x01\n", "1:11: '0x01' is not a byte, expected two hexadecimal digits" },
	{ "one digit", "device 12 1\n", "1:11: '1' is not a byte, expected two hexadecimal digits" },
	{ "control byte in a word", "device \x1b[0m\n", "1:8: '?[0m' is not a byte, expected two hexadecimal digits" },
	{ "short device", "device 12 01\n", "1:13: device descriptor of 2 bytes, expected 18" },
	{ "long device", "device 12 01 00 02 00 00 00 40 34 12 78 56 00 01 01 02 00 01\n 00\n",
	  "2:2: device descriptor of 19 bytes, expected 18" },
	{ "device type", "device 12 02 00 02 00 00 00 40 34 12 78 56 00 01 01 02 00 01\n",
	  "1:11: bDescriptorType is 02, expected 01" },
	{ "ep0 size", "device 12 01 00 02 00 00 00 41 34 12 78 56 00 01 01 02 00 01\n",
	  "1:29: bMaxPacketSize0 is 65, expected 8, 16, 32 or 64" },
	{ "ep0 size at low speed", "speed low\n" DEVICE CONFIGURATION,
	  "2:29: bMaxPacketSize0 is 64, expected 8 at low speed" },
	{ "second device", DEVICE DEVICE, "2:1: second 'device', expected one" },
	{ "configuration count", DEVICE, "1:59: bNumConfigurations is 1, expected 0 as there are configurations" },
	{ "second speed", "speed full\nspeed full\n", "2:1: second 'speed', expected at most one" },
	{ "bad speed", "speed super\n", "1:7: 'super' is not a speed, expected full, low or high" },
	{ "more after speed", "speed full high\n", "1:12: 'high' after the item, expected the end of the line" },
	{ "continuation of nothing", "  01\n",
	  "1:3: nothing to go on with, expected 'device' or 'configuration' above" },
	{ "continuation of a string", "string 1 \"a\"\n 01\n",
	  "2:2: nothing to go on with, expected 'device' or 'configuration' above" },
	{ "string index", "string 256 \"a\"\n", "1:8: '256' is not a string index, expected 1 to 255" },
	{ "string index zero", "string 0 \"a\"\n", "1:8: '0' is not a string index, expected 1 to 255" },
	{ "string index name", "string x \"a\"\n", "1:8: 'x' is not a string index, expected 1 to 255" },
	{ "string twice", "string 1 \"a\"\nstring 1 \"b\"\n", "2:8: second text for string 1, expected one" },
	{ "string bare", "string 1 a\n", "1:10: no text for string 1, expected it in double quotes" },
	{ "string open", "string 1 \"a\n", "1:12: the text is not closed, expected '\"'" },
	{ "string escape", "string 1 \"\\n\"\n", "1:12: unknown escape, expected \\\" or \\\\" },
	{ "string latin-1", "string 1 \"\xe9\"\n", "1:11: byte 0xe9 is not UTF-8, expected UTF-8 text" },
	{ "string control", "string 1 \"\t\"\n", "1:11: control character 0x09, expected printable text" },
	{ "total",
	  DEVICE "configuration 09 02 18 00 01 01 00 80 32\n\t09 04 00 00 01 ff 00 00 00\n\t07 05 81 03 08 00 0a\n",
	  "2:21: wTotalLength is 24 (18 00), expected 25 (19 00)" },
	{ "short configuration", DEVICE "configuration 09 02\n",
	  "2:20: configuration of 2 bytes, expected at least 9" },
	{ "length zero", DEVICE "configuration 09 02 0b 00 01 01 00 80 32 00 01\n",
	  "2:42: bLength is 0, expected 2 to 2 (what is left)" },
	{ "length too long", DEVICE "configuration 09 02 0b 00 01 01 00 80 32 03 01\n",
	  "2:42: bLength is 3, expected 2 to 2 (what is left)" },
	{ "endpoint count", DEVICE "configuration 09 02 12 00 01 01 00 80 32\n\t09 04 00 00 01 ff 00 00 00\n",
	  "3:14: bNumEndpoints is 1, expected 0 as there are endpoints" },
	{ "interface count", DEVICE "configuration 09 02 12 00 02 01 00 80 32\n\t09 04 00 00 00 ff 00 00 00\n",
	  "2:27: bNumInterfaces is 2, expected 1 as there are interfaces" },
	{ "interface number", DEVICE "configuration 09 02 12 00 01 01 00 80 32\n\t09 04 01 00 00 ff 00 00 00\n",
	  "3:8: bInterfaceNumber is 1, expected 0 next" },
	{ "alternate first", DEVICE "configuration 09 02 12 00 01 01 00 80 32\n\t09 04 00 01 00 ff 00 00 00\n",
	  "3:11: bAlternateSetting is 1, expected 0 first" },
	{ "alternate twice",
	  DEVICE
	  "configuration 09 02 1b 00 01 01 00 80 32\n\t09 04 00 00 00 ff 00 00 00\n\t09 04 00 00 00 ff 00 00 00\n",
	  "4:11: second interface 0 alternate 0, expected one" },
	{ "endpoint first", DEVICE "configuration 09 02 10 00 00 01 00 80 32\n\t07 05 81 03 08 00 0a\n",
	  "3:2: endpoint before any interface, expected an interface descriptor" },
	{ "endpoint address",
	  DEVICE "configuration 09 02 19 00 01 01 00 80 32\n\t09 04 00 00 01 ff 00 00 00\n\t07 05 80 03 08 00 0a\n",
	  "4:8: bEndpointAddress is 80, expected 01 to 0f or 81 to 8f" },
	{ "bulk size",
	  DEVICE "configuration 09 02 19 00 01 01 00 80 32\n\t09 04 00 00 01 ff 00 00 00\n\t07 05 81 02 00 02 00\n",
	  "4:14: bulk wMaxPacketSize is 512, expected 8, 16, 32 or 64 at full speed" },
	{ "configuration value zero", DEVICE "configuration 09 02 09 00 00 00 00 80 32\n",
	  "2:30: bConfigurationValue is 0, expected 1 or more" },
};

static void mistakes_are_named_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixed_descriptors *d = NULL;
		struct fixed_error error;
		char got[200];
		int result;

		result = fixed_parse(cases[i].give, strlen(cases[i].give), &d, &error);
		snprintf(got, sizeof(got), "%u:%u: %s", error.line, error.column, error.text);
		if (cases[i].want) {
			if (result != -EINVAL || strcmp(got, cases[i].want))
				print_error("%s\n", cases[i].name);
			assert_int_equal(result, -EINVAL);
			assert_string_equal(got, cases[i].want);
		} else {
			if (result)
				print_error("%s: %s\n", cases[i].name, got);
			assert_int_equal(result, 0);
			fixed_descriptors_free(d);
		}
	}
}

static void too_long_a_file_is_refused(void **state)
{
	char *text = malloc(FIXED_FILE_BYTES + 1);
	struct fixed_descriptors *d;
	struct fixed_error error;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', FIXED_FILE_BYTES + 1);
	assert_int_equal(fixed_parse(text, FIXED_FILE_BYTES + 1, &d, &error), -EINVAL);
	assert_string_equal(error.text, "file of 65537 bytes, expected at most 65536");
	free(text);
}

static void texts_are_kept_without_their_escapes(void **state)
{
	struct fixed_descriptors *d;
	struct fixed_error error;

	(void)state;
	assert_int_equal(fixed_parse(cases[1].give, strlen(cases[1].give), &d, &error), 0);
	assert_string_equal(d->strings[1], "a \"b\" \\ \xc3\xa9");
	assert_int_equal(d->speed, USB_SPEED_IS_FULL);
	assert_int_equal(d->configurations[0][2], 0x19);
	fixed_descriptors_free(d);
}

static void files_report_their_name(void **state)
{
	char path[] = "/tmp/test_fixed.XXXXXX", message[300], want[300];
	struct fixed_descriptors *d;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "speed\n", 6), 6);
	close(fd);
	assert_int_equal(fixed_load(path, &d, message, sizeof(message)), -EINVAL);
	snprintf(want, sizeof(want), "%s:1:6: '' is not a speed, expected full, low or high", path);
	assert_string_equal(message, want);
	unlink(path);
	assert_int_equal(fixed_load(path, &d, message, sizeof(message)), -ENOENT);
	snprintf(want, sizeof(want), "cannot open '%s': No such file or directory", path);
	assert_string_equal(message, want);
	assert_int_equal(fixed_load("/tmp", &d, message, sizeof(message)), -EISDIR);
	assert_string_equal(message, "cannot read '/tmp': Is a directory");
}

static void fixtures_load_and_enumerate(void **state)
{
	static const struct {
		const char *name;
		uint16_t vid, pid;
		enum usb_speed speed;
		int dfu_interface; /* -1: none */
	} rows[] = {
		{ "fixtures/descriptors/0a5c-21e6.usb", 0x0a5c, 0x21e6, USB_SPEED_IS_FULL, 3 },
		{ "fixtures/descriptors/04f2-b724.usb", 0x04f2, 0xb724, USB_SPEED_IS_HIGH, 2 },
		{ "fixtures/descriptors/0483-374b.usb", 0x0483, 0x374b, USB_SPEED_IS_FULL, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixed_descriptors *d = NULL;
		struct fake_host host;
		struct fixed *f;
		struct usbdev *dev;
		struct usb_urb urb;
		uint8_t b[512];
		char message[300];
		int dfu = -1;

		if (fixed_load(rows[i].name, &d, message, sizeof(message)))
			fail_msg("%s", message);
		assert_int_equal(d->speed, rows[i].speed);
		fake_host_init(&host);
		f = fixed_new(d);
		assert_non_null(f);
		dev = fixed_usbdev(f);
		usbdev_connect(dev, &host.host);
		assert_int_equal(fake_host_control(dev, &urb, 0x80, 6, 0x0100, 0, b, 18), USB_GONE);
		fixed_plug(f);
		assert_ptr_equal(host.dev, dev);
		assert_int_equal(dev->speed, rows[i].speed);
		assert_int_equal(fake_host_control(dev, &urb, 0x80, 6, 0x0100, 0, b, 18), USB_ACK);
		assert_int_equal(b[8] | b[9] << 8, rows[i].vid);
		assert_int_equal(b[10] | b[11] << 8, rows[i].pid);
		assert_int_equal(fake_host_control(dev, &urb, 0x80, 6, 0x0200, 0, b, sizeof(b)), USB_ACK);
		assert_int_equal(urb.actual, b[2] | b[3] << 8);
		for (size_t at = 0; at < urb.actual; at += b[at])
			if (b[at + 1] == 4 && b[at + 5] == 0xfe && b[at + 6] == 1 && b[at + 7] == 1)
				dfu = b[at + 2];
		assert_int_equal(dfu, rows[i].dfu_interface);
		assert_int_equal(fake_host_control(dev, &urb, 0x80, 6, 0x0302, 0x0409, b, 255), USB_ACK);
		assert_int_equal(fake_host_control(dev, &urb, 0x80, 6, 0x03ee, 0x0409, b, 255), USB_STALL);
		fixed_free(f);
		assert_int_equal(host.detaches, 1);
		fixed_descriptors_free(d);
	}
}

static struct fixed *bystander;
static struct usb_urb others[2];

static void cancel_others(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	h->dev->ops->cancel(h->dev, &others[1]);
	assert_int_equal(others[1].result, USB_CANCELLED);
	assert_false(fake_host_is_done(&others[0]));
}

static void reset_bystander(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	h->dev->ops->bus_reset(h->dev);
	assert_int_equal(others[0].result, USB_CANCELLED);
	assert_int_equal(others[1].result, USB_CANCELLED);
}

static void unplug_bystander(struct fake_host *h, struct usb_urb *urb)
{
	(void)urb;
	h->on_complete = NULL;
	fixed_unplug(bystander);
	assert_int_equal(others[0].result, USB_GONE);
	assert_int_equal(others[1].result, USB_GONE);
}

static void a_host_that_acts_while_transfers_are_given_back_loses_none(void **state)
{
	static const struct {
		const char *name;
		void (*give)(struct fake_host *, struct usb_urb *);
		bool unplugs; /* instead of a bus reset */
	} rows[] = {
		{ "cancel", cancel_others, false },
		{ "cancel in unplug", cancel_others, true },
		{ "reset", reset_bystander, false },
		{ "reset in unplug", reset_bystander, true },
		{ "unplug in reset", unplug_bystander, false },
	};
	struct fixed_descriptors *d;
	char message[300];

	(void)state;
	if (fixed_load("fixtures/descriptors/0a5c-21e6.usb", &d, message, sizeof(message)))
		fail_msg("%s", message);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake_host host;
		struct usb_urb first, urb;
		struct usbdev *dev;
		uint8_t a[3][16];

		print_message("%s\n", rows[i].name);
		fake_host_init(&host);
		bystander = fixed_new(d);
		assert_non_null(bystander);
		dev = fixed_usbdev(bystander);
		usbdev_connect(dev, &host.host);
		fixed_plug(bystander);
		assert_int_equal(fake_host_control(dev, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
		fake_host_submit(dev, &first, 0x81, a[0], 16);
		fake_host_submit(dev, &others[0], 0x81, a[1], 16);
		fake_host_submit(dev, &others[1], 0x82, a[2], 16);
		host.completions = 0;
		host.on_complete = rows[i].give;
		if (rows[i].unplugs)
			fixed_unplug(bystander);
		else
			dev->ops->bus_reset(dev);
		assert_int_equal(host.completions, 3);
		fixed_free(bystander);
		assert_int_equal(host.detaches, 1);
	}
	fixed_descriptors_free(d);
}

static void bystanders_give_back_what_can_never_come(void **state)
{
	struct fixed_descriptors *d;
	struct fake_host host;
	struct usb_urb halted, other, urb;
	struct usbdev *dev;
	uint8_t a[16], b[64];
	char message[300];

	(void)state;
	if (fixed_load("fixtures/descriptors/0a5c-21e6.usb", &d, message, sizeof(message)))
		fail_msg("%s", message);
	fake_host_init(&host);
	bystander = fixed_new(d);
	assert_non_null(bystander);
	dev = fixed_usbdev(bystander);
	usbdev_connect(dev, &host.host);
	fixed_plug(bystander);
	assert_int_equal(fake_host_control(dev, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
	fake_host_submit(dev, &halted, 0x81, a, 16);
	fake_host_submit(dev, &other, 0x82, b, 64);
	assert_int_equal(fake_host_control(dev, &urb, 0x02, 3, 0, 0x81, NULL, 0), USB_ACK);
	assert_true(fake_host_is_done(&halted));
	assert_int_equal(halted.result, USB_STALL);
	assert_false(fake_host_is_done(&other));
	assert_int_equal(fake_host_control(dev, &urb, 0x00, 9, 0, 0, NULL, 0), USB_ACK);
	assert_true(fake_host_is_done(&other));
	assert_int_equal(other.result, USB_SILENT);
	fixed_free(bystander);
	fixed_descriptors_free(d);
}

static void bystanders_stall_hold_and_swallow(void **state)
{
	struct fixed_descriptors *d;
	struct fake_host host;
	struct fixed *f;
	struct usbdev *dev;
	struct usb_urb urb, in, out;
	uint8_t b[64] = { 0 };
	char message[300];

	(void)state;
	if (fixed_load("fixtures/descriptors/0a5c-21e6.usb", &d, message, sizeof(message)))
		fail_msg("%s", message);
	fake_host_init(&host);
	f = fixed_new(d);
	assert_non_null(f);
	dev = fixed_usbdev(f);
	usbdev_connect(dev, &host.host);
	fixed_plug(f);
	fake_host_submit(dev, &in, 0x81, b, 16);
	assert_int_equal(in.result, USB_SILENT); /* not configured */
	assert_int_equal(fake_host_control(dev, &urb, 0x00, 9, 1, 0, NULL, 0), USB_ACK);
	assert_int_equal(fake_host_control(dev, &urb, 0x20, 0, 0, 0, b, 3), USB_STALL); /* an HCI command */
	assert_int_equal(fake_host_control(dev, &urb, 0xa1, 3, 0, 3, b, 6), USB_STALL); /* DFU GETSTATUS */
	fake_host_submit(dev, &in, 0x81, b, 16);
	assert_false(fake_host_is_done(&in));
	fake_host_submit(dev, &out, 0x02, b, 64);
	assert_true(fake_host_is_done(&out));
	assert_int_equal(out.result, USB_ACK);
	assert_int_equal(out.actual, 64);
	fake_host_submit(dev, &out, 0x05, b, 64);
	assert_int_equal(out.result, USB_SILENT);
	assert_false(fake_host_is_done(&in));
	dev->ops->cancel(dev, &in);
	assert_int_equal(in.result, USB_CANCELLED);
	assert_int_equal(fake_host_control(dev, &urb, 0x02, 3, 0, 0x81, NULL, 0), USB_ACK);
	fake_host_submit(dev, &in, 0x81, b, 16);
	assert_int_equal(in.result, USB_STALL);
	fake_host_submit(dev, &in, 0x82, b, 16);
	fixed_unplug(f);
	assert_int_equal(in.result, USB_GONE);
	assert_null(host.dev);
	fixed_free(f);
	fixed_descriptors_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named_with_their_place),
		cmocka_unit_test(too_long_a_file_is_refused),
		cmocka_unit_test(texts_are_kept_without_their_escapes),
		cmocka_unit_test(files_report_their_name),
		cmocka_unit_test(fixtures_load_and_enumerate),
		cmocka_unit_test(bystanders_stall_hold_and_swallow),
		cmocka_unit_test(a_host_that_acts_while_transfers_are_given_back_loses_none),
		cmocka_unit_test(bystanders_give_back_what_can_never_come),
	};

	return cmocka_run_group_tests_name("fixed", tests, NULL, NULL);
}
