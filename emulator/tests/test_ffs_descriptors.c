// SPDX-License-Identifier: GPL-2.0-or-later
/* What FunctionFS is told of a device: whole devices, and those that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ffs_descriptors.h"

/* clang-format off */
static uint8_t dfu[] = {
	9, 2, 54, 0, 1, 1, 0, 0xc0, 50,
	9, 4, 0, 0, 0, 0xfe, 1, 2, 4,
	9, 4, 0, 1, 0, 0xfe, 1, 2, 5,
	9, 4, 0, 2, 0, 0xfe, 1, 2, 0,
	9, 4, 0, 3, 0, 0xfe, 1, 2, 7,
	9, 0x21, 0x0b, 0xff, 0, 0, 8, 0x1a, 1,
};
static uint8_t serial_port[] = {
	9, 2, 67, 0, 2, 1, 0, 0xc0, 50,
	9, 4, 0, 0, 1, 2, 2, 1, 0,
	5, 0x24, 0, 0x10, 1,
	5, 0x24, 1, 0, 1,
	4, 0x24, 2, 2,
	5, 0x24, 6, 0, 1,
	7, 5, 0x82, 3, 8, 0, 16,
	9, 4, 1, 0, 2, 0x0a, 0, 0, 0,
	7, 5, 0x01, 2, 64, 0, 0,
	7, 5, 0x81, 2, 64, 0, 0,
};
/* clang-format on */

static struct usb_interface_name names[] = {
	{ 1, 0, 0, (char *)"flash" },
	{ 1, 0, 1, (char *)"options" },
	{ 1, 0, 3, (char *)"feature" },
};

static struct usb_description describe(uint8_t *bytes, size_t length)
{
	struct usb_description d = { .speed = USB_SPEED_IS_FULL,
				     .configuration = 1,
				     .configuration_count = 1,
				     .configurations = { { .bytes = bytes, .length = length } },
				     .language = 0x0409 };

	return d;
}

static unsigned le32(const uint8_t *b)
{
	return (unsigned)b[0] | (unsigned)b[1] << 8 | (unsigned)b[2] << 16 | (unsigned)b[3] << 24;
}

static struct ffs_blob descriptors(const struct usb_description *d, enum ffs_kinds kinds, unsigned *left_out)
{
	struct ffs_blob blob;

	assert_int_equal(ffs_descriptors(d, &d->configurations[0], kinds, &blob, left_out), 0);
	assert_int_equal(le32(blob.bytes), 3);
	assert_int_equal(le32(blob.bytes + 4), blob.length);
	assert_int_equal(le32(blob.bytes + 8) & 1, 1);
	return blob;
}

static void all_alternate_settings_and_the_functional_descriptor(void **state)
{
	struct usb_description d = describe(dfu, sizeof(dfu));
	unsigned left_out;
	struct ffs_blob blob;

	(void)state;
	d.interface_names = names;
	d.interface_name_count = 3;
	blob = descriptors(&d, FFS_ALL, &left_out);
	assert_int_equal(left_out, 0);
	assert_int_equal(le32(blob.bytes + 12), 5);
	assert_int_equal(blob.length, 16 + sizeof(dfu) - 9);
	for (unsigned alt = 0; alt < 4; alt++) {
		static const uint8_t text[] = { 1, 2, 0, 3 };
		const uint8_t *b = blob.bytes + 16 + 9 * alt;

		assert_memory_equal(b, dfu + 9 + 9 * alt, 8);
		assert_int_equal(b[8], text[alt]);
	}
	assert_memory_equal(blob.bytes + 16 + 36, dfu + 45, 9);
	free(blob.bytes);
	assert_true(ffs_has_dfu(&d.configurations[0]));
	assert_int_equal(ffs_highest_alt(&d.configurations[0]), 3);
}

static void texts_are_in_the_order_of_their_numbers(void **state)
{
	static const char want[] = "\x09\x04"
				   "flash\0options\0feature";
	struct usb_description d = describe(dfu, sizeof(dfu));
	struct ffs_blob blob;

	(void)state;
	d.interface_names = names;
	d.interface_name_count = 3;
	assert_int_equal(ffs_strings(&d, &d.configurations[0], &blob), 0);
	assert_int_equal(le32(blob.bytes), 2);
	assert_int_equal(le32(blob.bytes + 4), blob.length);
	assert_int_equal(le32(blob.bytes + 8), 3);
	assert_int_equal(le32(blob.bytes + 12), 1);
	assert_int_equal(blob.length, 16 + sizeof(want));
	assert_memory_equal(blob.bytes + 16, want, sizeof(want));
	free(blob.bytes);
}

static void without_texts_there_is_no_language(void **state)
{
	struct usb_description d = describe(dfu, sizeof(dfu));
	struct ffs_blob blob;

	(void)state;
	assert_int_equal(ffs_strings(&d, &d.configurations[0], &blob), 0);
	assert_int_equal(blob.length, 16);
	assert_int_equal(le32(blob.bytes + 8), 0);
	assert_int_equal(le32(blob.bytes + 12), 0);
	free(blob.bytes);
}

static void the_functional_descriptor_can_be_left_out(void **state)
{
	struct usb_description d = describe(dfu, sizeof(dfu));
	unsigned left_out;
	struct ffs_blob blob = descriptors(&d, FFS_NO_DFU, &left_out);

	(void)state;
	assert_int_equal(left_out, 1);
	assert_int_equal(le32(blob.bytes + 12), 4);
	free(blob.bytes);
}

static void class_descriptors_that_no_kernel_takes_are_counted(void **state)
{
	struct usb_description d = describe(serial_port, sizeof(serial_port));
	unsigned left_out;
	struct ffs_blob blob = descriptors(&d, FFS_ALL, &left_out);
	uint8_t in, out;

	(void)state;
	assert_int_equal(left_out, 4);
	assert_int_equal(le32(blob.bytes + 12), 5);
	free(blob.bytes);
	assert_true(ffs_acm(&d.configurations[0], &in, &out));
	assert_int_equal(in, 0x81);
	assert_int_equal(out, 0x01);
	assert_false(ffs_has_dfu(&d.configurations[0]));
}

static void dfu_is_no_serial_port(void **state)
{
	struct usb_description d = describe(dfu, sizeof(dfu));
	uint8_t in, out;

	(void)state;
	assert_false(ffs_acm(&d.configurations[0], &in, &out));
}

/* Every cut of both, and every length byte replaced: the result holds what it says, in its bounds (sanitizers look too). */
static void walk(const struct ffs_blob *blob)
{
	size_t at = 16;
	unsigned count = 0;

	for (; at < blob->length; count++) {
		assert_true(blob->bytes[at] >= 2);
		at += blob->bytes[at];
	}
	assert_int_equal(at, blob->length);
	assert_int_equal(count, le32(blob->bytes + 12));
}

static void try_all(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length), in, out;
	struct usb_description d = describe(copy, length);
	struct ffs_blob blob;
	unsigned left_out;

	memcpy(copy, bytes, length);
	d.interface_names = names;
	d.interface_name_count = 3;
	for (enum ffs_kinds kinds = FFS_ALL; kinds <= FFS_STANDARD_ALONE; kinds++) {
		if (ffs_descriptors(&d, &d.configurations[0], kinds, &blob, &left_out))
			continue;
		walk(&blob);
		free(blob.bytes);
	}
	assert_int_equal(ffs_strings(&d, &d.configurations[0], &blob), 0);
	assert_int_equal(le32(blob.bytes + 4), blob.length);
	free(blob.bytes);
	ffs_acm(&d.configurations[0], &in, &out);
	ffs_has_dfu(&d.configurations[0]);
	ffs_highest_alt(&d.configurations[0]);
	free(copy);
}

static void hostile_descriptors_stay_in_bounds(void **state)
{
	uint8_t bytes[80];
	const struct {
		const uint8_t *bytes;
		size_t length;
	} all[] = { { dfu, sizeof(dfu) }, { serial_port, sizeof(serial_port) } };

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		for (size_t length = 9; length <= all[n].length; length++)
			try_all(all[n].bytes, length);
		for (size_t at = 9; at < all[n].length; at++) {
			for (unsigned value = 0; value < 256; value++) {
				memcpy(bytes, all[n].bytes, all[n].length);
				bytes[at] = (uint8_t)value;
				try_all(bytes, all[n].length);
			}
		}
	}
}

static void nothing_but_a_configuration_is_refused(void **state)
{
	struct usb_description d = describe(dfu, 9);
	struct ffs_blob blob;
	unsigned left_out;

	(void)state;
	assert_int_equal(ffs_descriptors(&d, &d.configurations[0], FFS_ALL, &blob, &left_out), -EINVAL);
}

/* A text that many settings share is written for each: the room is counted by descriptor, not by text. */
static void one_text_for_many_settings(void **state)
{
	uint8_t bytes[9 + 300 * 9] = { 9, 2, 0, 0, 1, 1, 0, 0x80, 50 };
	struct usb_description d = describe(bytes, sizeof(bytes));
	struct ffs_blob blob;
	unsigned left_out;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		const uint8_t interface[9] = { 9, 4, 0, 0, 0, 0xfe, 1, 2, 4 };

		memcpy(bytes + 9 + 9 * i, interface, 9);
	}
	d.interface_names = names;
	d.interface_name_count = 1;
	assert_int_equal(ffs_strings(&d, &d.configurations[0], &blob), 0);
	assert_int_equal(le32(blob.bytes + 8), 255);
	assert_int_equal(blob.length, 18 + 255 * sizeof("flash"));
	free(blob.bytes);
	blob = descriptors(&d, FFS_ALL, &left_out);
	assert_int_equal(blob.bytes[16 + 254 * 9 + 8], 255);
	assert_int_equal(blob.bytes[16 + 255 * 9 + 8], 0);
	free(blob.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_alternate_settings_and_the_functional_descriptor),
		cmocka_unit_test(texts_are_in_the_order_of_their_numbers),
		cmocka_unit_test(without_texts_there_is_no_language),
		cmocka_unit_test(the_functional_descriptor_can_be_left_out),
		cmocka_unit_test(class_descriptors_that_no_kernel_takes_are_counted),
		cmocka_unit_test(dfu_is_no_serial_port),
		cmocka_unit_test(hostile_descriptors_stay_in_bounds),
		cmocka_unit_test(nothing_but_a_configuration_is_refused),
		cmocka_unit_test(one_text_for_many_settings),
	};

	return cmocka_run_group_tests_name("ffs_descriptors", tests, NULL, NULL);
}
