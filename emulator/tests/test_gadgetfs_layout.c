// SPDX-License-Identifier: GPL-2.0-or-later
/* What gadgetfs is told of a device, and which of a controller's endpoints stands for which of the device's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "gadgetfs_layout.h"

/* clang-format off */
static uint8_t serial_port[] = {
	9, 2, 67, 0, 2, 1, 0, 0x60, 50,
	9, 4, 0, 0, 1, 2, 2, 1, 0,
	5, 0x24, 0, 0x10, 1,
	5, 0x24, 1, 0, 1,
	4, 0x24, 2, 2,
	5, 0x24, 6, 0, 1,
	7, 5, 0x82, 3, 8, 0, 16,
	9, 4, 1, 0, 2, 0x0a, 0, 0, 0,
	7, 5, 0x01, 2, 64, 0, 0,
	7, 5, 0x83, 2, 64, 0, 0,
};
static uint8_t two_settings[] = {
	9, 2, 50, 0, 1, 1, 0, 0x80, 50,
	9, 4, 0, 0, 1, 0xff, 0, 0, 0,
	7, 5, 0x81, 2, 64, 0, 0,
	9, 4, 0, 1, 1, 0xff, 0, 0, 0,
	7, 5, 0x81, 2, 32, 0, 0,
	9, 0x24, 5, 0x81, 2, 0, 0, 0, 0,
};
/* clang-format on */

/* As dummy_hcd has them, in part. */
static const char dummy[][GADGETFS_NAME] = { "ep-aout",    "ep1in-bulk", "ep2out-bulk", "ep3in-iso",
					     "ep4out-iso", "ep5in-int",  "ep1out-bulk", "ep2in-bulk",
					     "ep4in",      "epilogue",   "ep16in",      "ep6in-bulk" };
static const char dwc2[][GADGETFS_NAME] = { "ep1in", "ep1out", "ep2in", "ep2out", "ep3in", "ep3out" };
static const char undirected[][GADGETFS_NAME] = { "ep1", "ep2-bulk", "ep3-int", "ep4-iso", "ep5-bulk" };

static const uint8_t device[18] = { 18, 1, 0, 2, 2, 0, 0, 64, 0x83, 4, 0x40, 0x57, 0, 1, 1, 2, 3, 2 };

static struct usb_description describe(uint8_t *bytes, size_t length)
{
	struct usb_description d = { .speed = USB_SPEED_IS_FULL,
				     .configuration_count = 1,
				     .configurations = { { .bytes = bytes, .length = length } } };

	memcpy(d.device, device, sizeof(device));
	return d;
}

static void expect(const struct gadgetfs_layout *l, uint8_t of_device, uint8_t of_host, const char *name)
{
	const struct gadgetfs_endpoint *e = gadgetfs_of_device(l, of_device);

	assert_non_null(e);
	assert_int_equal(e->host, of_host);
	assert_string_equal(e->name, name);
	assert_ptr_equal(gadgetfs_of_host(l, of_host), e);
}

static void all_descriptors_are_told_as_they_are(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	struct gadgetfs_layout l;
	uint8_t want[4 + sizeof(serial_port) + 18] = { 0 };

	(void)state;
	assert_int_equal(gadgetfs_layout(&d, dwc2, sizeof(dwc2) / sizeof(dwc2[0]), &l), 0);
	memcpy(want + 4, serial_port, sizeof(serial_port));
	want[4 + 7] = 0xc0; /* what is always set is, and nobody wakes the host */
	memcpy(want + 4 + sizeof(serial_port), device, sizeof(device));
	want[sizeof(want) - 1] = 1; /* of two configurations */
	assert_int_equal(l.length, sizeof(want));
	assert_memory_equal(l.bytes, want, sizeof(want));
	expect(&l, 0x82, 0x82, "ep2in");
	expect(&l, 0x01, 0x01, "ep1out");
	expect(&l, 0x83, 0x83, "ep3in");
	assert_null(gadgetfs_of_device(&l, 0x81));
	assert_null(gadgetfs_of_host(&l, 0x81));
	free(l.bytes);
}

static void what_the_controller_has_for_another_kind_gets_another_address(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	struct gadgetfs_layout l;

	(void)state;
	assert_int_equal(gadgetfs_layout(&d, dummy, sizeof(dummy) / sizeof(dummy[0]), &l), 0);
	expect(&l, 0x82, 0x82, "ep2in-bulk");
	expect(&l, 0x01, 0x01, "ep1out-bulk");
	expect(&l, 0x83, 0x81, "ep1in-bulk");
	assert_int_equal(l.bytes[4 + sizeof(serial_port) - 5], 0x81);
	assert_int_equal(serial_port[sizeof(serial_port) - 5], 0x83);
	free(l.bytes);
}

static void endpoints_of_either_direction(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	struct gadgetfs_layout l;

	(void)state;
	assert_int_equal(gadgetfs_layout(&d, undirected, sizeof(undirected) / sizeof(undirected[0]), &l), 0);
	expect(&l, 0x82, 0x82, "ep2-bulk");
	expect(&l, 0x01, 0x01, "ep1");
	expect(&l, 0x83, 0x85, "ep5-bulk");
	free(l.bytes);
}

static void without_an_endpoint_for_it_the_address_stays(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	struct gadgetfs_layout l;

	(void)state;
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), 0);
	expect(&l, 0x82, 0x82, "");
	expect(&l, 0x01, 0x01, "");
	assert_memory_equal(l.bytes + 4 + 9, serial_port + 9, sizeof(serial_port) - 9);
	free(l.bytes);
}

static void alternate_settings_share_an_endpoint(void **state)
{
	struct usb_description d = describe(two_settings, sizeof(two_settings));
	static const char only[][GADGETFS_NAME] = { "ep9in" };
	struct gadgetfs_layout l;

	(void)state;
	assert_int_equal(gadgetfs_layout(&d, only, 1, &l), 0);
	assert_int_equal(l.count, 1);
	expect(&l, 0x81, 0x89, "ep9in");
	assert_int_equal(l.bytes[4 + 20], 0x89);
	assert_int_equal(l.bytes[4 + 36], 0x89);
	assert_int_equal(l.bytes[4 + 9 + 9 + 7 + 9 + 7 + 3], 0x81); /* no endpoint descriptor */
	free(l.bytes);
}

static void what_gadgetfs_refuses_is_refused(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	static uint8_t many[257] = { 9, 2, 0, 1, 1, 1, 0, 0x80, 50 };
	struct gadgetfs_layout l;

	(void)state;
	d.speed = USB_SPEED_IS_HIGH;
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), -EINVAL);
	d.speed = USB_SPEED_IS_FULL;
	d.configurations[0].length = 8;
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), -EINVAL);
	d.configurations[0] = (struct usb_configuration){ .bytes = many, .length = 257 };
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), -EMSGSIZE);
	d.configurations[0].length = 256;
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), 0);
	free(l.bytes);
	d.configurations[0] = (struct usb_configuration){ .bytes = serial_port, .length = sizeof(serial_port) };
	serial_port[5] = 0;
	assert_int_equal(gadgetfs_layout(&d, NULL, 0, &l), -EINVAL);
	serial_port[5] = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_descriptors_are_told_as_they_are),
		cmocka_unit_test(what_the_controller_has_for_another_kind_gets_another_address),
		cmocka_unit_test(endpoints_of_either_direction),
		cmocka_unit_test(without_an_endpoint_for_it_the_address_stays),
		cmocka_unit_test(alternate_settings_share_an_endpoint),
		cmocka_unit_test(what_gadgetfs_refuses_is_refused),
	};

	return cmocka_run_group_tests_name("gadgetfs layout", tests, NULL, NULL);
}
