/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chapter 9: the ROM's answers, and a composite device for what the ROM does not have. */
#include "host.h"
#include "ep0.h"
#include "profile.h"

/* Two configurations; the first has interface 0 with alternates 0 (no endpoint) and 1 (81, 02), and interface 1 (83). */
static const uint8_t composite_device[18] = {
	18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 1, 0, 0, 2
};
static const uint8_t composite_first[] = {
	9,    2, 57, 0, 2, 7, 0, 0xa0, 50, 9,  4, 0, 0, 0, 0xff, 0, 0, 0,    9, 4, 0, 1, 2, 0xff, 0, 0, 0, 7,  5,
	0x81, 2, 64, 0, 0, 7, 5, 0x02, 2,  64, 0, 0, 9, 4, 1,    0, 1, 0xff, 0, 0, 0, 7, 5, 0x83, 3, 8, 0, 10,
};
static const uint8_t composite_second[] = { 9, 2, 18, 0, 1, 9, 0, 0x80, 50, 9, 4, 0, 0, 0, 0xff, 0, 0, 0 };
static const uint8_t *const composite_configurations[] = { composite_first, composite_second };

struct fixture {
	struct ep0 ep0;
	unsigned class_requests, configured, alternates;
	uint8_t last_value;
	const uint8_t *configurations[1];
};

static const char *rom_string(void *context, uint8_t index)
{
	const struct mcu_profile *p = mcu_profile_find("f407");

	(void)context;
	return index == p->serial_index ? "326237753036" : index <= p->string_count ? p->strings[index - 1] : NULL;
}

static int rom_functional(void *context, const struct usb_setup *s, const uint8_t **data, size_t *length)
{
	(void)context;
	if (s->value >> 8 != 0x21)
		return -1;
	*data = mcu_profile_find("f407")->functional_descriptor;
	*length = 9;
	return 0;
}

static enum usb_result class_request(void *context, const struct usb_setup *s, uint8_t *data, size_t *actual)
{
	struct fixture *f = context;

	f->class_requests++;
	if (s->request == 0x77)
		return USB_STALL;
	if (s->type & 0x80 && s->length) {
		data[0] = 0x5a;
		*actual = 1;
	}
	return USB_ACK;
}

static void configured(void *context, uint8_t value)
{
	((struct fixture *)context)->configured++;
	((struct fixture *)context)->last_value = value;
}

static void alternate(void *context, uint8_t interface, uint8_t alt)
{
	(void)interface;
	((struct fixture *)context)->alternates++;
	((struct fixture *)context)->last_value = alt;
}

static const char *odd_string(void *context, uint8_t index)
{
	static char longest[200];

	(void)context;
	memset(longest, 'x', sizeof longest - 1);
	switch (index) {
	case 1:
		return "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
	case 2:
		return "\xe9\xff"; /* Latin-1 */
	case 3:
		return longest;
	case 4:
		return "";
	default:
		return NULL;
	}
}

static void open_rom(struct fixture *f)
{
	const struct mcu_profile *p = mcu_profile_find("f407");

	memset(f, 0, sizeof *f);
	f->configurations[0] = p->configuration_descriptor;
	ep0_init(&f->ep0,
		 &(struct ep0_descriptors){ .device = p->device_descriptor,
					    .configurations = f->configurations,
					    .string = rom_string,
					    .interface_descriptor = rom_functional,
					    .accepts_unadvertised_features = true },
		 &(struct ep0_handlers){ class_request, configured, alternate, f });
	f->ep0.configuration = 1;
}

static void open_composite(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	ep0_init(&f->ep0,
		 &(struct ep0_descriptors){
			 .device = composite_device, .configurations = composite_configurations, .string = odd_string },
		 &(struct ep0_handlers){ class_request, configured, alternate, f });
	f->ep0.configuration = 7;
}

struct exchange {
	const char *name;
	struct usb_setup give;
	int want;           /* enum usb_result */
	size_t want_length; /* IN, acknowledged */
	uint8_t want_bytes[9];
};

static void run(struct fixture *f, const struct exchange *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t data[512], before[512];
		size_t actual = 99;
		enum usb_result got;

		memset(data, 0xdd, sizeof data);
		memcpy(before, data, sizeof data);
		got = ep0_control(&f->ep0, &table[i].give, data, &actual);
		if ((int)got != table[i].want)
			fail_msg("%s: result %d", table[i].name, (int)got);
		if (actual != (table[i].give.type & 0x80 ? table[i].want_length
			       : got == USB_ACK          ? table[i].give.length
							 : 0))
			fail_msg("%s: length %zu", table[i].name, actual);
		if (memcmp(data, table[i].want_bytes, actual < 9 ? actual : 9))
			fail_msg("%s: bytes", table[i].name);
		if (table[i].give.type & 0x80 && memcmp(data + actual, before, sizeof data - actual))
			fail_msg("%s: wrote behind its reply", table[i].name);
	}
}

#define RUN(f, table) run(f, table, sizeof(table) / sizeof *(table))

static void the_rom_answers_chapter_9_as_the_library_does(void **state)
{
	static const struct exchange table[] = {
		{ "ID-1 device", { 0x80, 6, 0x0100, 0, 64 }, USB_ACK, 18, { 0x12, 1, 0, 1, 0, 0, 0, 0x40, 0x83 } },
		{ "ID-1 device, 8 bytes", { 0x80, 6, 0x0100, 0, 8 }, USB_ACK, 8, { 0x12, 1, 0, 1, 0, 0, 0, 0x40 } },
		{ "ID-18 first 9 bytes",
		  { 0x80, 6, 0x0200, 0, 9 },
		  USB_ACK,
		  9,
		  { 9, 2, 0x36, 0, 1, 1, 0, 0xc0, 0x32 } },
		{ "ID-12 all 54", { 0x80, 6, 0x0200, 0, 255 }, USB_ACK, 54, { 9, 2, 0x36, 0, 1, 1, 0, 0xc0, 0x32 } },
		{ "no second configuration", { 0x80, 6, 0x0201, 0, 9 }, USB_STALL, 0, { 0 } },
		{ "STR-0", { 0x80, 6, 0x0300, 0, 255 }, USB_ACK, 4, { 4, 3, 9, 4 } },
		{ "STR-1", { 0x80, 6, 0x0301, 0x0409, 255 }, USB_ACK, 38, { 38, 3, 'S', 0, 'T', 0, 'M', 0, 'i' } },
		{ "STR-2", { 0x80, 6, 0x0302, 0x0409, 255 }, USB_ACK, 36, { 36, 3, 'S', 0, 'T', 0, 'M', 0, '3' } },
		{ "STR-3", { 0x80, 6, 0x0303, 0x0409, 255 }, USB_ACK, 26, { 26, 3, '3', 0, '2', 0, '6', 0, '2' } },
		{ "STR-4", { 0x80, 6, 0x0304, 0x0409, 255 }, USB_ACK, 112, { 112, 3, '@', 0, 'I', 0, 'n', 0, 't' } },
		{ "STR-5", { 0x80, 6, 0x0305, 0x0409, 255 }, USB_ACK, 72, { 72, 3, '@', 0, 'O', 0, 'p', 0, 't' } },
		{ "STR-6", { 0x80, 6, 0x0306, 0x0409, 255 }, USB_ACK, 84, { 84, 3, '@', 0, 'O', 0, 'T', 0, 'P' } },
		{ "STR-7", { 0x80, 6, 0x0307, 0x0409, 255 }, USB_ACK, 72, { 72, 3, '@', 0, 'D', 0, 'e', 0, 'v' } },
		{ "STR-8 index 8", { 0x80, 6, 0x0308, 0x0409, 255 }, USB_STALL, 0, { 0 } },
		{ "STR-8 index EE", { 0x80, 6, 0x03ee, 0, 18 }, USB_STALL, 0, { 0 } },
		{ "STR-9 other language", { 0x80, 6, 0x0301, 0x0407, 4 }, USB_ACK, 4, { 38, 3, 'S', 0 } },
		{ "STR-10 cut", { 0x80, 6, 0x0304, 0x0409, 2 }, USB_ACK, 2, { 112, 3 } },
		{ "nothing asked", { 0x80, 6, 0x0304, 0x0409, 0 }, USB_ACK, 0, { 0 } },
		{ "ID-10 qualifier", { 0x80, 6, 0x0600, 0, 10 }, USB_STALL, 0, { 0 } },
		{ "ID-10 other speed", { 0x80, 6, 0x0700, 0, 9 }, USB_STALL, 0, { 0 } },
		{ "ID-10 BOS", { 0x80, 6, 0x0f00, 0, 5 }, USB_STALL, 0, { 0 } },
		{ "functional by device", { 0x80, 6, 0x2100, 0, 9 }, USB_STALL, 0, { 0 } },
		{ "ID-17", { 0x81, 6, 0x2100, 0, 255 }, USB_ACK, 9, { 9, 0x21, 0x0b, 0xff, 0, 0, 8, 0x1a, 1 } },
		{ "ID-17 cut", { 0x81, 6, 0x2100, 0, 4 }, USB_ACK, 4, { 9, 0x21, 0x0b, 0xff } },
		{ "ID-17 of no interface", { 0x81, 6, 0x2100, 1, 9 }, USB_STALL, 0, { 0 } },
		{ "report descriptor", { 0x81, 6, 0x2200, 0, 9 }, USB_STALL, 0, { 0 } },
		{ "ID-11", { 0x80, 0, 0, 0, 2 }, USB_ACK, 2, { 1, 0 } },
		{ "USB-5", { 0x81, 0, 0, 0, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "interface 1", { 0x81, 0, 0, 1, 2 }, USB_STALL, 0, { 0 } },
		{ "endpoint 0", { 0x82, 0, 0, 0, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "endpoint 81", { 0x82, 0, 0, 0x81, 2 }, USB_STALL, 0, { 0 } },
		{ "USB-4 short", { 0x80, 0, 0, 0, 1 }, USB_STALL, 0, { 0 } },
		{ "USB-4 long", { 0x80, 0, 0, 0, 3 }, USB_STALL, 0, { 0 } },
		{ "USB-4 interface", { 0x81, 0, 0, 0, 4 }, USB_STALL, 0, { 0 } },
		{ "USB-6 wake-up", { 0x00, 3, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "and it shows", { 0x80, 0, 0, 0, 2 }, USB_ACK, 2, { 3, 0 } },
		{ "USB-6 no wake-up", { 0x00, 1, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "USB-6 test mode", { 0x00, 3, 2, 0x0100, 0 }, USB_ACK, 0, { 0 } },
		{ "USB-6 other", { 0x00, 3, 5, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "interface feature", { 0x01, 3, 0, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "RST-8 clear halt of 0", { 0x02, 1, 0, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "RST-5 alternate 3", { 0x01, 11, 3, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "RST-5 shows", { 0x81, 10, 0, 0, 1 }, USB_ACK, 1, { 3 } },
		{ "RST-5 alternate 4", { 0x01, 11, 4, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "RST-5 kept", { 0x81, 10, 0, 0, 8 }, USB_ACK, 1, { 3 } },
		{ "alternate 0x100", { 0x01, 11, 0x100, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "interface 1 alternate", { 0x01, 11, 0, 1, 0 }, USB_STALL, 0, { 0 } },
		{ "USB-4", { 0x80, 8, 0, 0, 1 }, USB_ACK, 1, { 1 } },
		{ "USB-3 again", { 0x00, 9, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "alternate back at 0", { 0x81, 10, 0, 0, 1 }, USB_ACK, 1, { 0 } },
		{ "USB-3 two", { 0x00, 9, 2, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "USB-3 still one", { 0x80, 8, 0, 0, 1 }, USB_ACK, 1, { 1 } },
		{ "ST-18 interface 1", { 0xa1, 3, 0, 1, 6 }, USB_STALL, 0, { 0 } },
		{ "ST-18 high byte", { 0xa1, 3, 0, 0x0100, 6 }, USB_ACK, 1, { 0x5a } },
		{ "ST-19 device", { 0xa0, 3, 0, 0, 6 }, USB_ACK, 1, { 0x5a } },
		{ "handler stalls", { 0xa1, 0x77, 0, 0, 6 }, USB_STALL, 0, { 0 } },
		{ "reserved type", { 0xe1, 3, 0, 0, 6 }, USB_STALL, 0, { 0 } },
		{ "SET_DESCRIPTOR", { 0x00, 7, 0x0100, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "SYNCH_FRAME", { 0x82, 12, 0, 0, 2 }, USB_STALL, 0, { 0 } },
		{ "address while configured", { 0x00, 5, 9, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "USB-3 zero", { 0x00, 9, 0, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "unconfigured", { 0x80, 8, 0, 0, 1 }, USB_ACK, 1, { 0 } },
		{ "no interface now", { 0x81, 10, 0, 0, 1 }, USB_STALL, 0, { 0 } },
		{ "no class request now", { 0xa1, 3, 0, 0, 6 }, USB_STALL, 0, { 0 } },
		{ "address", { 0x00, 5, 9, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "address 128", { 0x00, 5, 128, 0, 0 }, USB_STALL, 0, { 0 } },
	};
	struct fixture f;

	(void)state;
	open_rom(&f);
	RUN(&f, table);
	assert_int_equal(f.ep0.address, 9);
	assert_int_equal(f.configured, 2);
	assert_int_equal(f.alternates, 1);
	assert_int_equal(f.class_requests, 3);
	ep0_bus_reset(&f.ep0);
	assert_int_equal(f.ep0.address, 0);
}

static void composite_devices_have_halts_alternates_and_configurations(void **state)
{
	static const struct exchange table[] = {
		{ "81 is in alternate 1 only", { 0x82, 0, 0, 0x81, 2 }, USB_STALL, 0, { 0 } },
		{ "83 is there", { 0x82, 0, 0, 0x83, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "03 is not", { 0x82, 0, 0, 0x03, 2 }, USB_STALL, 0, { 0 } },
		{ "alternate 1", { 0x01, 11, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "halt 81", { 0x02, 3, 0, 0x81, 0 }, USB_ACK, 0, { 0 } },
		{ "halt 83", { 0x02, 3, 0, 0x83, 0 }, USB_ACK, 0, { 0 } },
		{ "81 halted", { 0x82, 0, 0, 0x81, 2 }, USB_ACK, 2, { 1, 0 } },
		{ "02 not halted", { 0x82, 0, 0, 0x02, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "unknown endpoint feature", { 0x02, 3, 1, 0x81, 0 }, USB_STALL, 0, { 0 } },
		{ "SET_INTERFACE clears", { 0x01, 11, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "81 free", { 0x82, 0, 0, 0x81, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "83 of another interface not", { 0x82, 0, 0, 0x83, 2 }, USB_ACK, 2, { 1, 0 } },
		{ "clear 83", { 0x02, 1, 0, 0x83, 0 }, USB_ACK, 0, { 0 } },
		{ "83 free", { 0x82, 0, 0, 0x83, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "interface 1 has no alternate 1", { 0x01, 11, 1, 1, 0 }, USB_STALL, 0, { 0 } },
		{ "bus powered", { 0x80, 0, 0, 0, 2 }, USB_ACK, 2, { 0, 0 } },
		{ "advertised wake-up", { 0x00, 3, 1, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "no test mode", { 0x00, 3, 2, 0x0100, 0 }, USB_STALL, 0, { 0 } },
		{ "class to interface 1", { 0x21, 1, 0, 1, 3 }, USB_ACK, 0, { 0xdd, 0xdd, 0xdd } },
		{ "class to endpoint 83", { 0xa2, 1, 0, 0x83, 3 }, USB_ACK, 1, { 0x5a } },
		{ "class to endpoint 84", { 0xa2, 1, 0, 0x84, 3 }, USB_STALL, 0, { 0 } },
		{ "vendor to device", { 0xc0, 1, 0, 0, 3 }, USB_ACK, 1, { 0x5a } },
		{ "second configuration", { 0x80, 6, 0x0201, 0, 64 }, USB_ACK, 18, { 9, 2, 18, 0, 1, 9, 0, 0x80, 50 } },
		{ "select it", { 0x00, 9, 9, 0, 0 }, USB_ACK, 0, { 0 } },
		{ "interface 1 gone", { 0x81, 10, 0, 1, 1 }, USB_STALL, 0, { 0 } },
		{ "wake-up not here", { 0x00, 3, 1, 0, 0 }, USB_STALL, 0, { 0 } },
		{ "UTF-8", { 0x80, 6, 0x0301, 0, 255 }, USB_ACK, 12, { 12, 3, 'A', 0, 0xe9, 0, 0xac, 0x20, 0x3d } },
		{ "Latin-1", { 0x80, 6, 0x0302, 0, 255 }, USB_ACK, 6, { 6, 3, 0xe9, 0, 0xff, 0 } },
		{ "126 units at most",
		  { 0x80, 6, 0x0303, 0, 400 },
		  USB_ACK,
		  254,
		  { 254, 3, 'x', 0, 'x', 0, 'x', 0, 'x' } },
		{ "empty", { 0x80, 6, 0x0304, 0, 255 }, USB_ACK, 2, { 2, 3 } },
		{ "none", { 0x80, 6, 0x0305, 0, 255 }, USB_STALL, 0, { 0 } },
	};
	struct fixture f;

	(void)state;
	open_composite(&f);
	RUN(&f, table);
	assert_int_equal(f.last_value, 9);
}

static void descriptors_that_lie_about_their_length_are_not_followed(void **state)
{
	static const uint8_t broken[] = { 9, 2, 24,   0, 1, 1, 0,   0x80, 50,   9, 4,  0,
					  0, 1, 0xff, 0, 0, 0, 200, 5,    0x81, 2, 64, 0 };
	const uint8_t *const configurations[] = { broken };
	struct ep0 ep0;

	(void)state;
	ep0_init(&ep0,
		 &(struct ep0_descriptors){ .device = mcu_profile_find("f407")->device_descriptor,
					    .configurations = configurations },
		 &(struct ep0_handlers){ 0 });
	ep0.configuration = 1;
	assert_false(ep0_has_endpoint(&ep0, 0x81));
	assert_int_equal(ep0_control(&ep0, &(struct usb_setup){ 0x01, 11, 0, 0, 0 }, NULL, &(size_t){ 0 }), USB_ACK);
	assert_int_equal(ep0_control(&ep0, &(struct usb_setup){ 0xa1, 3, 0, 0, 6 }, NULL, &(size_t){ 0 }), USB_STALL);
	assert_int_equal(ep0_control(&ep0, &(struct usb_setup){ 0x80, 6, 0x0300, 0, 4 }, NULL, &(size_t){ 0 }),
			 USB_STALL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rom_answers_chapter_9_as_the_library_does),
		cmocka_unit_test(composite_devices_have_halts_alternates_and_configurations),
		cmocka_unit_test(descriptors_that_lie_about_their_length_are_not_followed),
	};

	return cmocka_run_group_tests_name("ep0", tests, NULL, NULL);
}
