/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts and datagrams that announce a device, byte for byte. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "uevent.h"

#define PATH "/devices/platform/dfubench.0/usb1/1-1"

static uint8_t rom_configuration[54] = {
	0x09, 0x02, 0x36, 0x00, 0x01, 0x01, 0x00, 0xc0, 0x32, 0x09, 0x04, 0x00, 0x00, 0x00, 0xfe, 0x01, 0x02, 0x04,
	0x09, 0x04, 0x00, 0x01, 0x00, 0xfe, 0x01, 0x02, 0x05, 0x09, 0x04, 0x00, 0x02, 0x00, 0xfe, 0x01, 0x02, 0x06,
	0x09, 0x04, 0x00, 0x03, 0x00, 0xfe, 0x01, 0x02, 0x07, 0x09, 0x21, 0x0b, 0xff, 0x00, 0x00, 0x08, 0x1a, 0x01,
};
static char manufacturer[] = "STMicroelectronics", product[] = "STM32  BOOTLOADER", serial[] = "326237753036";

static const struct usb_description rom = {
	.speed = USB_SPEED_IS_FULL,
	.device = { 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83, 0x04, 0x11, 0xdf, 0x00, 0x22, 0x01, 0x02,
		    0x03, 0x01 },
	.configuration = 1,
	.configuration_count = 1,
	.configurations = { { .bytes = rom_configuration, .length = sizeof(rom_configuration) } },
	.manufacturer = manufacturer,
	.product = product,
	.serial = serial,
};

static const struct uevent_device device = {
	.description = &rom,
	.devpath = PATH,
	.port = "1",
	.bus = 1,
	.number = 2,
	.driver = "usb",
	.initialized_us = 77,
};
static const struct uevent_device interface = {
	.description = &rom,
	.devpath = PATH "/1-1:1.0",
	.port = "1",
	.bus = 1,
	.number = 2,
	.interface = rom_configuration + 9,
	.driver = "usbfs",
	.initialized_us = 78,
};

static void attribute_reads_as_the_kernels(void **state)
{
	char text[1024];
	int n;

	(void)state;
	n = uevent_attribute(&device, text, sizeof(text));
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(text, "MAJOR=189\nMINOR=1\nDEVNAME=bus/usb/001/002\nDEVTYPE=usb_device\nDRIVER=usb\n"
				  "PRODUCT=483/df11/2200\nTYPE=0/0/0\nBUSNUM=001\nDEVNUM=002\n");
	n = uevent_attribute(&interface, text, sizeof(text));
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(text, "DEVTYPE=usb_interface\nDRIVER=usbfs\nPRODUCT=483/df11/2200\nTYPE=0/0/0\n"
				  "INTERFACE=254/1/2\nMODALIAS=usb:v0483pDF11d2200dc00dsc00dp00icFEisc01ip02in00\n");
}

static void database_reads_as_udevs(void **state)
{
	char text[4096];
	int n;

	(void)state;
	n = uevent_database(&device, text, sizeof(text));
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(text, "I:77\n"
				  "E:ID_BUS=usb\n"
				  "E:ID_MODEL=STM32_BOOTLOADER\n"
				  "E:ID_MODEL_ENC=STM32\\x20\\x20BOOTLOADER\n"
				  "E:ID_MODEL_ID=df11\n"
				  "E:ID_SERIAL=STMicroelectronics_STM32_BOOTLOADER_326237753036\n"
				  "E:ID_SERIAL_SHORT=326237753036\n"
				  "E:ID_VENDOR=STMicroelectronics\n"
				  "E:ID_VENDOR_ENC=STMicroelectronics\n"
				  "E:ID_VENDOR_ID=0483\n"
				  "E:ID_REVISION=2200\n"
				  "E:ID_USB_MODEL=STM32_BOOTLOADER\n"
				  "E:ID_USB_MODEL_ENC=STM32\\x20\\x20BOOTLOADER\n"
				  "E:ID_USB_MODEL_ID=df11\n"
				  "E:ID_USB_SERIAL=STMicroelectronics_STM32_BOOTLOADER_326237753036\n"
				  "E:ID_USB_SERIAL_SHORT=326237753036\n"
				  "E:ID_USB_VENDOR=STMicroelectronics\n"
				  "E:ID_USB_VENDOR_ENC=STMicroelectronics\n"
				  "E:ID_USB_VENDOR_ID=0483\n"
				  "E:ID_USB_REVISION=2200\n"
				  "E:ID_USB_INTERFACES=:fe0102:\n"
				  "E:ID_PATH=platform-dfubench.0-usb-0:1\n"
				  "E:ID_PATH_TAG=platform-dfubench_0-usb-0_1\n"
				  "V:1\n");
	n = uevent_database(&interface, text, sizeof(text));
	assert_int_equal(n, (int)strlen(text));
	assert_string_equal(text, "I:78\nE:ID_PATH=platform-dfubench.0-usb-0:1:1.0\n"
				  "E:ID_PATH_TAG=platform-dfubench_0-usb-0_1_1_0\nV:1\n");
}

static void odd_strings_are_made_plain(void **state)
{
	static const struct {
		const char *name, *give, *want, *coded;
	} cases[] = {
		{ "controls", "a\nE:ID_FOO=1", "ID_MODEL=a_E:ID_FOO=1\n", "ID_MODEL_ENC=a\\x0aE:ID_FOO=1\n" },
		{ "slash", "a/../b", "ID_MODEL=a_.._b\n", "ID_MODEL_ENC=a\\x2f..\\x2fb\n" },
		{ "ends", "  a \t b  ", "ID_MODEL=a_b\n", "ID_MODEL_ENC=\\x20\\x20a\\x20\\x09\\x20b\\x20\\x20\n" },
		{ "backslash", "a\\b", "ID_MODEL=a_b\n", "ID_MODEL_ENC=a\\x5cb\n" },
		{ "wide", "\xe2\x82\xac", "ID_MODEL=\xe2\x82\xac\n", "ID_MODEL_ENC=\xe2\x82\xac\n" },
		{ "not UTF-8", "\xe2\x82", "ID_MODEL=__\n", "ID_MODEL_ENC=\\xe2\\x82\n" },
		{ "none", NULL, "ID_MODEL=df11\n", "ID_MODEL_ENC=df11\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct usb_description u = rom;
		struct uevent_device d = device;
		char text[4096];

		u.product = (char *)cases[i].give;
		d.description = &u;
		assert_true(uevent_database(&d, text, sizeof(text)) > 0);
		if (!strstr(text, cases[i].want) || !strstr(text, cases[i].coded))
			fail_msg("%s:\n%s", cases[i].name, text);
	}
}

static void serials_with_odd_characters_are_not_taken(void **state)
{
	static char *const serials[] = { "a,b", "a\nb", "\xc3\xbc", "", NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct usb_description u = rom;
		struct uevent_device d = device;
		char text[4096];

		u.serial = serials[i];
		d.description = &u;
		assert_true(uevent_database(&d, text, sizeof(text)) > 0);
		assert_null(strstr(text, "SERIAL_SHORT"));
		assert_non_null(strstr(text, "ID_SERIAL=STMicroelectronics_STM32_BOOTLOADER\n"));
	}
}

static void longest_strings_fit_everything(void **state)
{
	struct usb_description u = rom;
	struct uevent_device d = device;
	char longest[379], text[UEVENT_MAX_BYTES];
	uint8_t datagram[UEVENT_MAX_BYTES];

	(void)state;
	memset(longest, '\t', sizeof(longest));
	longest[0] = longest[377] = 'x';
	longest[378] = '\0';
	u.product = u.manufacturer = u.serial = longest;
	d.description = &u;
	assert_true(uevent_database(&d, text, sizeof(text)) > 0);
	assert_true(uevent_udev(&d, UEVENT_CHANGE, UINT64_MAX, datagram, sizeof(datagram)) > 0);
}

static void many_interfaces_fit_everything(void **state)
{
	struct usb_description u = rom;
	struct uevent_device d = device;
	uint8_t bytes[9 + 9 * 200] = { 9, 2 };
	char text[UEVENT_MAX_BYTES];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		memcpy(bytes + 9 + 9 * i, (uint8_t[9]){ 9, 4, (uint8_t)i, 0, 0, (uint8_t)i, 1, 2, 0 }, 9);
	u.configurations[0] = (struct usb_configuration){ .bytes = bytes, .length = sizeof(bytes) };
	d.description = &u;
	assert_true(uevent_database(&d, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, "ID_USB_INTERFACES=:000102:010102:020102:"));
}

/* C strings within a datagram, compared with a list that an empty one ends. */
static void assert_entries(const uint8_t *bytes, int length, const char *const *want)
{
	int at = 0;

	for (; *want; want++) {
		assert_true(at < length);
		assert_string_equal((const char *)bytes + at, *want);
		at += (int)strlen(*want) + 1;
	}
	assert_int_equal(at, length);
}

static void kernel_datagram_of_a_new_device(void **state)
{
	static const char *const want[] = { "add@" PATH,
					    "ACTION=add",
					    "DEVPATH=" PATH,
					    "SUBSYSTEM=usb",
					    "MAJOR=189",
					    "MINOR=1",
					    "DEVNAME=bus/usb/001/002",
					    "DEVTYPE=usb_device",
					    "PRODUCT=483/df11/2200",
					    "TYPE=0/0/0",
					    "BUSNUM=001",
					    "DEVNUM=002",
					    "SEQNUM=4711",
					    NULL };
	uint8_t bytes[UEVENT_MAX_BYTES];

	(void)state;
	assert_entries(bytes, uevent_kernel(&device, UEVENT_ADD, 4711, bytes, sizeof(bytes)), want);
}

static void kernel_datagram_of_a_bound_interface(void **state)
{
	static const char *const want[] = { "bind@" PATH "/1-1:1.0",
					    "ACTION=bind",
					    "DEVPATH=" PATH "/1-1:1.0",
					    "SUBSYSTEM=usb",
					    "DEVTYPE=usb_interface",
					    "DRIVER=usbfs",
					    "PRODUCT=483/df11/2200",
					    "TYPE=0/0/0",
					    "INTERFACE=254/1/2",
					    "MODALIAS=usb:v0483pDF11d2200dc00dsc00dp00icFEisc01ip02in00",
					    "SEQNUM=1",
					    NULL };
	uint8_t bytes[UEVENT_MAX_BYTES];

	(void)state;
	assert_entries(bytes, uevent_kernel(&interface, UEVENT_BIND, 1, bytes, sizeof(bytes)), want);
}

static uint32_t native32(const uint8_t *b)
{
	uint32_t v;

	memcpy(&v, b, sizeof(v));
	return v;
}

static void libudev_datagram_has_its_header(void **state)
{
	static const uint8_t magic[4] = { 0xfe, 0xed, 0xca, 0xfe };
	uint8_t bytes[UEVENT_MAX_BYTES];
	int n = uevent_udev(&device, UEVENT_REMOVE, 9, bytes, sizeof(bytes));
	const char *properties = (const char *)bytes + 40;
	uint32_t hash = uevent_hash("usb");

	(void)state;
	assert_true(n > 40);
	assert_memory_equal(bytes, "libudev", 8);
	assert_memory_equal(bytes + 8, magic, 4);
	assert_int_equal(native32(bytes + 12), 40);
	assert_int_equal(native32(bytes + 16), 40);
	assert_int_equal(native32(bytes + 20), n - 40);
	for (int i = 0; i < 4; i++)
		assert_int_equal(bytes[24 + i], hash >> (24 - 8 * i) & 0xff);
	assert_int_equal(native32(bytes + 32), 0);
	assert_int_equal(native32(bytes + 36), 0);
	assert_string_equal(properties, "ACTION=remove");
	assert_int_equal(bytes[n - 1], 0);
	assert_non_null(memmem(bytes, (size_t)n, "DEVNAME=/dev/bus/usb/001/002", 29));
	assert_non_null(memmem(bytes, (size_t)n, "USEC_INITIALIZED=77", 20));
	assert_non_null(memmem(bytes, (size_t)n, "ID_MODEL=STM32_BOOTLOADER", 26));
	assert_null(memmem(bytes, (size_t)n, "DRIVER=", 7));
}

static uint8_t acm_interface[9] = { 9, 4, 0, 0, 1, 2, 2, 1, 0 };
static const struct uevent_device terminal = {
	.description = &rom,
	.devpath = PATH "/1-1:1.0/tty/ttyACM0",
	.port = "1",
	.bus = 1,
	.number = 2,
	.interface = acm_interface,
	.initialized_us = 79,
	.terminal = "ttyACM0",
};

static void terminal_is_announced_as_one(void **state)
{
	static const char kernel[] =
		"add@" PATH "/1-1:1.0/tty/ttyACM0\0ACTION=add\0DEVPATH=" PATH
		"/1-1:1.0/tty/ttyACM0\0SUBSYSTEM=tty\0MAJOR=166\0MINOR=0\0DEVNAME=ttyACM0\0SEQNUM=5";
	uint8_t bytes[UEVENT_MAX_BYTES], tty[4];
	uint32_t hash = uevent_hash("tty");
	char text[4096];
	int n;

	(void)state;
	n = uevent_kernel(&terminal, UEVENT_ADD, 5, bytes, sizeof(bytes));
	assert_int_equal(n, sizeof(kernel));
	assert_memory_equal(bytes, kernel, sizeof(kernel));
	n = uevent_udev(&terminal, UEVENT_ADD, 5, bytes, sizeof(bytes));
	assert_true(n > 40);
	for (int i = 0; i < 4; i++)
		tty[i] = (uint8_t)(hash >> (24 - 8 * i));
	assert_memory_equal(bytes + 24, tty, 4);
	assert_memory_equal(bytes + 28, "\0\0\0\0", 4); /* it has no DEVTYPE */
	assert_true(uevent_database(&terminal, text, sizeof(text)) > 0);
	assert_ptr_equal(strstr(text, "S:serial/by-path/platform-dfubench.0-usb-0:1:1.0\n"), text);
	assert_non_null(strstr(text, "S:serial/by-id/usb-STMicroelectronics_STM32_BOOTLOADER_326237753036-if00\n"));
	assert_non_null(strstr(text, "E:ID_USB_INTERFACE_NUM=00\n"));
	assert_non_null(strstr(text, "E:ID_SERIAL_SHORT=326237753036\n"));
	assert_non_null(strstr(text, "E:ID_PATH=platform-dfubench.0-usb-0:1:1.0\n"));
}

static void hash_is_murmurhash2(void **state)
{
	/* Computed from the published algorithm in another language; those of usb, usb_device and usb_interface are
	 * also what libudev 252 compares with. */
	static const struct {
		const char *give;
		uint32_t want;
	} cases[] = {
		{ "", 0x00000000 },      { "a", 0x92685f5e },          { "usb", 0x0577c5e5 },
		{ "block", 0xf0031db7 }, { "usb_device", 0x27f8f50c }, { "usb_interface", 0xb1024765 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (uevent_hash(cases[i].give) != cases[i].want)
			fail_msg("'%s': %08x", cases[i].give, uevent_hash(cases[i].give));
}

static void what_does_not_fit_is_refused(void **state)
{
	char text[1024];
	uint8_t bytes[UEVENT_MAX_BYTES];
	int length;

	(void)state;
	length = uevent_attribute(&device, text, sizeof(text));
	for (int size = 0; size <= length; size++) {
		char *exact = malloc((size_t)size + 1);

		assert_int_equal(uevent_attribute(&device, exact, (size_t)size), -ENOSPC);
		free(exact);
	}
	assert_int_equal(uevent_attribute(&device, text, (size_t)length + 1), length);
	length = uevent_udev(&device, UEVENT_ADD, 1, bytes, sizeof(bytes));
	for (int size = 0; size < length; size++) {
		uint8_t *exact = malloc((size_t)size + 1);

		assert_int_equal(uevent_udev(&device, UEVENT_ADD, 1, exact, (size_t)size), -ENOSPC);
		free(exact);
	}
	assert_int_equal(uevent_udev(&device, UEVENT_ADD, 1, bytes, (size_t)length), length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attribute_reads_as_the_kernels),
		cmocka_unit_test(database_reads_as_udevs),
		cmocka_unit_test(odd_strings_are_made_plain),
		cmocka_unit_test(serials_with_odd_characters_are_not_taken),
		cmocka_unit_test(longest_strings_fit_everything),
		cmocka_unit_test(many_interfaces_fit_everything),
		cmocka_unit_test(kernel_datagram_of_a_new_device),
		cmocka_unit_test(kernel_datagram_of_a_bound_interface),
		cmocka_unit_test(libudev_datagram_has_its_header),
		cmocka_unit_test(terminal_is_announced_as_one),
		cmocka_unit_test(hash_is_murmurhash2),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
