// SPDX-License-Identifier: GPL-2.0-or-later
/* The profiles: exact bytes of the F407 ROMs (profiles/f407.md), and that every profile is consistent in itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flash.h"
#include "profile.h"
#include "state.h"

static const struct mem_region *region_of(const struct mcu_profile *p, enum mem_kind kind)
{
	size_t i;

	for (i = 0; i < p->region_count; i++)
		if (p->regions[i].kind == kind)
			return &p->regions[i];
	fail_msg("%s: no region of kind %d", p->name, (int)kind);
	return NULL;
}

static void profiles_are_found_by_name_and_alias(void **state)
{
	static const struct {
		const char *give, *want;
	} cases[] = {
		{ "f407", "f407-v3.1" },
		{ "f407-v3.0", "f407-v3.0" },
		{ "f407-v3.1", "f407-v3.1" },
		{ "f407-v9.0", "f407-v9.0" },
		{ "f407-v9.1", "f407-v9.1" },
		{ "", NULL },
		{ "f40", NULL },
		{ "f407-", NULL },
		{ "F407", NULL },
		{ "f411", "f411" },
		{ "f427", "f427-v9.1" },
		{ "f429", "f427-v9.1" },
	};
	const struct mcu_profile *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = mcu_profile_find(cases[i].give);
		if (cases[i].want)
			assert_string_equal(p ? p->name : "(none)", cases[i].want);
		else
			assert_null(p);
	}
}

/* VAR-1 to VAR-4 */
static void the_four_f407_roms_differ_as_documented(void **state)
{
	static const struct {
		const char *name;
		uint8_t rom_id, bcd_device_high;
		uint32_t ram_base, startup_us;
		const char *options, *otp, *feature;
	} cases[] = {
		{ "f407-v3.0", 0x30, 0x21, 0x20002000, 90000, "@Option Bytes  /0x1FFFC000/01*016 g",
		  "@OTP Memory /0x1FFF7800/01*512 g,01*016 g", "@Device Feature/0xFFFF0000/01*004 g" },
		{ "f407-v3.1", 0x31, 0x22, 0x20002000, 90000, "@Option Bytes  /0x1FFFC000/01*016 e",
		  "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e" },
		{ "f407-v9.0", 0x90, 0x22, 0x20003000, 75000, "@Option Bytes  /0x1FFFC000/01*016 e",
		  "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e" },
		{ "f407-v9.1", 0x91, 0x22, 0x20003000, 75000, "@Option Bytes  /0x1FFFC000/01*016 e",
		  "@OTP Memory /0x1FFF7800/01*512 e,01*016 e", "@Device Feature/0xFFFF0000/01*004 e" },
	};
	/* ID-1 */
	uint8_t device[18] = { 0x12, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, 0x40, 0x83,
			       0x04, 0x11, 0xDF, 0x00, 0x22, 0x01, 0x02, 0x03, 0x01 };
	const struct mem_region *ram;
	const struct mcu_profile *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = mcu_profile_find(cases[i].name);
		assert_non_null(p);
		device[13] = cases[i].bcd_device_high; /* ID-5 */
		assert_memory_equal(p->device_descriptor, device, sizeof(device));
		assert_int_equal(p->bootloader_id, cases[i].rom_id);
		assert_int_equal(p->startup_us, cases[i].startup_us); /* BOOT-15 */
		ram = region_of(p, MEM_RAM);                          /* MAP-4 */
		assert_int_equal(ram->base, cases[i].ram_base);
		assert_int_equal(ram->base + ram->size_bytes, 0x20020000);
		assert_string_equal(p->strings[0], "STMicroelectronics"); /* STR rows */
		assert_string_equal(p->strings[1], "STM32  BOOTLOADER");
		assert_null(p->strings[2]);
		assert_string_equal(p->strings[3], "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg");
		assert_string_equal(p->strings[4], cases[i].options);
		assert_string_equal(p->strings[5], cases[i].otp);
		assert_string_equal(p->strings[6], cases[i].feature);
		assert_null(p->strings[7]);
	}
}

static void the_f407_configuration_is_the_observed_54_bytes(void **state)
{
	/* ID-12 */
	static const uint8_t want[54] = {
		0x09, 0x02, 0x36, 0x00, 0x01, 0x01, 0x00, 0xC0, 0x32, 0x09, 0x04, 0x00, 0x00, 0x00,
		0xFE, 0x01, 0x02, 0x04, 0x09, 0x04, 0x00, 0x01, 0x00, 0xFE, 0x01, 0x02, 0x05, 0x09,
		0x04, 0x00, 0x02, 0x00, 0xFE, 0x01, 0x02, 0x06, 0x09, 0x04, 0x00, 0x03, 0x00, 0xFE,
		0x01, 0x02, 0x07, 0x09, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01,
	};
	const struct mcu_profile *const *p;

	(void)state;
	for (p = mcu_profiles; *p; p++) {
		if (strncmp((*p)->name, "f407-", 5) != 0)
			continue;
		assert_int_equal((*p)->configuration_size_bytes, sizeof(want));
		assert_memory_equal((*p)->configuration_descriptor, want, sizeof(want));
	}
}

/* STR rows give the descriptor's length: 2 + 2 per character. */
static void the_f407_strings_have_the_observed_lengths(void **state)
{
	static const struct {
		unsigned index;
		size_t bytes;
	} cases[] = { { 1, 38 }, { 2, 36 }, { 4, 112 }, { 5, 72 }, { 6, 84 }, { 7, 72 } };
	const struct mcu_profile *p = mcu_profile_find("f407");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(2 + 2 * strlen(p->strings[cases[i].index - 1]), cases[i].bytes);
}

/* MAP-1 to MAP-10 */
static void the_f407_memory_map_is_as_documented(void **state)
{
	static const struct mem_region want[] = {
		{ MEM_FLASH, 0x08000000, 0x100000, true, true, 0, 0 },
		{ MEM_SYSTEM, 0x1FFF0000, 0x7800, true, false, 0, 0 },
		{ MEM_OTP, 0x1FFF7800, 0x210, true, true, 0, 0 },
		{ MEM_OPTION, 0x1FFFC000, 16, true, true, 0, 0 },
		{ MEM_FEATURE, 0xFFFF0000, 4, true, true, 0, 0 },
	};
	const struct mcu_profile *p = mcu_profile_find("f407");
	const struct mem_region *r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		r = region_of(p, want[i].kind);
		assert_int_equal(r->base, want[i].base);
		assert_int_equal(r->size_bytes, want[i].size_bytes);
		assert_int_equal(r->readable, want[i].readable);
		assert_int_equal(r->writable, want[i].writable);
	}
	assert_int_equal(p->region_count, 6);
}

static void the_f407_option_bytes_are_the_factory_image(void **state)
{
	/* OB-4 */
	static const uint8_t want[16] = { 0xEF, 0xAA, 0x10, 0x55, 0xEF, 0xAA, 0x10, 0x55,
					  0xFF, 0x7F, 0x00, 0x80, 0xFF, 0x7F, 0x00, 0x80 };

	(void)state;
	assert_memory_equal(mcu_profile_find("f407")->option_factory, want, sizeof(want));
}

/* GS-6 to GS-13, CMD-1, EX-12 */
static void the_f407_answers_with_the_observed_times(void **state)
{
	static const uint8_t commands[] = { 0x00, 0x21, 0x41, 0x92 };
	const struct mcu_profile *p = mcu_profile_find("f407");

	(void)state;
	assert_int_equal(p->poll_set_address_ms, 104);
	assert_int_equal(p->poll_erase_ms, 100);
	assert_int_equal(p->poll_mass_erase_ms, 100);
	assert_int_equal(p->poll_write_ms, 104);
	assert_int_equal(p->poll_unprotect_ms, 104);
	assert_int_equal(p->poll_manifest_ms, 1);
	assert_int_equal(p->get_commands_count, sizeof(commands));
	assert_memory_equal(p->get_commands, commands, sizeof(commands));
	/* 2048 bytes with SETUP and status, then a GETSTATUS */
	assert_in_range((1 + 32 + 1 + 3) * p->ep0_packet_us, 4000, 5000);
}

static uint64_t sectors_bytes(const struct mcu_profile *p)
{
	const struct flash_sectors *s;
	uint64_t sum = 0;

	for (s = p->sectors; s->count; s++)
		sum += (uint64_t)s->count * s->size_bytes;
	return sum;
}

static void check_timings(const struct mcu_profile *p)
{
	const struct flash_timing *t;
	const struct flash_sectors *s;
	unsigned value, i;

	assert_in_range(p->feature_values, 0, sizeof(p->feature_timing));
	for (value = 0; value == 0 || value < p->feature_values; value++) {
		t = &p->timings[p->feature_timing[value]];
		assert_in_range(t->unit_bytes, 1, 32);
		assert_int_equal(t->unit_bytes & (t->unit_bytes - 1), 0);
		assert_in_range(t->program_typ_us, 1, t->program_max_us);
		assert_in_range(t->mass_typ_us, 1, t->mass_max_us);
		for (s = p->sectors; s->count; s++) {
			for (i = 0; i < 4 && t->erase[i].size_bytes != s->size_bytes; i++)
				;
			assert_in_range(i, 0, 3);
			assert_in_range(t->erase[i].typ_us, 1, t->erase[i].max_us);
		}
	}
}

static void check_descriptors(const struct mcu_profile *p)
{
	const uint8_t *c = p->configuration_descriptor, *f = p->functional_descriptor, *a;
	unsigned i;

	assert_int_equal(c[2] | c[3] << 8, p->configuration_size_bytes);
	assert_int_equal(p->configuration_size_bytes, 9 + 9 * p->alt_count + 9);
	for (i = 0; i < p->alt_count; i++) {
		a = c + 9 + 9 * i;
		assert_int_equal(a[1], 4);
		assert_int_equal(a[3], i);
		assert_in_range(a[8], 1, p->string_count);
		assert_true(p->protocol != PROTOCOL_DFUSE || p->strings[a[8] - 1][0] == '@');
	}
	assert_int_equal(f[0], 9);
	assert_int_equal(f[1], 0x21);
	assert_int_equal(f[5] | f[6] << 8, p->transfer_size_bytes);
	assert_int_equal(f[7] | f[8] << 8, p->protocol == PROTOCOL_DFUSE ? 0x011a : 0x0110);
	assert_in_range(f - c, 9, p->configuration_size_bytes - 9);
	for (i = 1; i <= p->string_count; i++)
		assert_int_equal(p->strings[i - 1] == NULL, i == p->serial_index);
	assert_null(p->strings[p->string_count]);
	assert_int_equal(p->serial_rule == SERIAL_CONSTANT, p->serial_constant != NULL);
}

/* A string of DfuSe (UM0424 4.3.2) has an address, and as many bytes behind it as there are. */
static void check_flash_string(const struct mcu_profile *p)
{
	const char *text = p->strings[p->configuration_descriptor[9 + 8] - 1], *at = strstr(text, "/0x");
	unsigned count, size;
	uint64_t sum = 0;
	int n;

	assert_non_null(at);
	assert_int_equal(strtoul(at + 1, NULL, 16), p->flash_base);
	for (at = strchr(at + 1, '/'); at; at = strchr(at + 1, ',')) {
		assert_int_equal(sscanf(at + 1, "%u*%uKg%n", &count, &size, &n), 2);
		sum += (uint64_t)count * size * 1024;
	}
	assert_int_equal(sum, p->flash_size_bytes);
}

static void check_options(const struct mcu_profile *p)
{
	struct flash *f;
	struct prng prng = { 1 };
	unsigned banks = 0, i;

	for (i = 0; i < p->region_count; i++) {
		if (p->regions[i].kind != MEM_OPTION)
			continue;
		assert_int_equal(p->regions[i].base, p->option_banks[banks].base);
		assert_int_equal(p->regions[i].size_bytes, p->option_banks[banks].size_bytes);
		banks++;
	}
	f = flash_new(p, &prng);
	assert_int_equal(flash_rdp(f), RDP_LEVEL_0);
	assert_int_equal(flash_size(f), p->flash_size_bytes);
	assert_true(flash_sector_count(f) <= STATE_SECTORS);
	for (i = 0; i < flash_sector_count(f); i++)
		assert_false(flash_sector_protected(f, i));
	flash_free(f);
	assert_true(option_bytes_ok(p, p->option_factory)); /* OB-2 */
}

static void check_regions(const struct mcu_profile *p)
{
	const struct mem_region *a, *b;
	uint32_t otp = (uint32_t)p->otp_block_count * p->otp_block_bytes + p->otp_lock_bytes;

	for (a = p->regions; a < p->regions + p->region_count; a++) {
		for (b = a + 1; b < p->regions + p->region_count; b++)
			assert_true((uint64_t)a->base + a->size_bytes <= b->base ||
				    (uint64_t)b->base + b->size_bytes <= a->base);
		if (a->kind == MEM_OTP) {
			assert_int_equal(a->base, p->otp_base);
			assert_int_equal(a->size_bytes, otp);
			otp = 0;
		}
		if (a->kind == MEM_FEATURE)
			assert_true(p->feature_values > 0);
		if (a->kind == MEM_RAM)
			assert_true(a->base >= p->ram_base &&
				    a->base + a->size_bytes <= p->ram_base + p->ram_size_bytes);
	}
	assert_int_equal(otp, 0);
	assert_int_equal(region_of(p, MEM_FLASH)->base, p->flash_base);
	assert_int_equal(region_of(p, MEM_FLASH)->size_bytes, p->flash_size_bytes);
}

static void every_profile_is_consistent_in_itself(void **state)
{
	const struct mcu_profile *const *list, *p;

	(void)state;
	for (list = mcu_profiles; *list; list++) {
		p = *list;
		print_message("%s\n", p->name);
		assert_true(p->name && p->summary);
		assert_ptr_equal(mcu_profile_find(p->name), p);
		for (const char *const *alias = p->aliases; *alias; alias++)
			assert_ptr_equal(mcu_profile_find(*alias), p);
		check_descriptors(p);
		if (p->protocol == PROTOCOL_DFUSE && strcmp(p->name, "gd32vf103-nano") != 0)
			check_flash_string(p);
		assert_int_equal(sectors_bytes(p), p->flash_size_bytes);
		check_timings(p);
		check_options(p);
		check_regions(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_found_by_name_and_alias),
		cmocka_unit_test(the_four_f407_roms_differ_as_documented),
		cmocka_unit_test(the_f407_configuration_is_the_observed_54_bytes),
		cmocka_unit_test(the_f407_strings_have_the_observed_lengths),
		cmocka_unit_test(the_f407_memory_map_is_as_documented),
		cmocka_unit_test(the_f407_option_bytes_are_the_factory_image),
		cmocka_unit_test(the_f407_answers_with_the_observed_times),
		cmocka_unit_test(every_profile_is_consistent_in_itself),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
