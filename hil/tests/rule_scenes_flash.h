/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rest of rule_scenes.h: what becomes of flash, and what is said of it. */
#ifndef DFUBENCH_TESTS_RULE_SCENES_FLASH_H
#define DFUBENCH_TESTS_RULE_SCENES_FLASH_H

#include "rule_scenes.h"

static void erases_what_it_does_not_write(struct trial *t)
{
	call(t, OPERATION_DOWNLOAD);
	start(t);
	scene_erase(&t->s, BASE);
	scene_erase(&t->s, SECTOR_1);
	block_at(t, BASE, 16);
}

static void erases_all_unasked(struct trial *t)
{
	call(t, OPERATION_DOWNLOAD);
	start(t);
	scene_out(&t->s, DFU_DNLOAD, 0, "\x41", 1);
	scene_done(&t->s, 100);
}

static void erases_all_as_asked(struct trial *t)
{
	erases_all_unasked(t);
	t->call.call.mass_erase_first = true;
}

static void erases_another_sector(struct trial *t)
{
	call(t, OPERATION_ERASE);
	t->call.call.has_address = true;
	t->call.call.address = SECTOR_5;
	t->call.call.has_length = true;
	t->call.call.length = 16;
	start(t);
	scene_erase(&t->s, SECTOR_1);
}

static void erases_by_an_address_within(struct trial *t)
{
	erases_another_sector(t);
	t->call.call.address = SECTOR_1 + 100;
}

static void erases_what_it_writes(struct trial *t)
{
	call(t, OPERATION_DOWNLOAD);
	start(t);
	scene_erase(&t->s, BASE + 100);
	block_at(t, BASE, 16);
}

static void erases_for_a_write_that_fails(struct trial *t)
{
	download(t, 16);
	t->call.succeeded = false;
	start(t);
	scene_erase(&t->s, BASE);
}

static void erases_the_same_twice(struct trial *t)
{
	start(t);
	scene_erase(&t->s, BASE);
	scene_erase(&t->s, BASE + 2048);
}

static void erases_in_a_second_run(struct trial *t)
{
	start(t);
	scene_erase(&t->s, BASE);
	scene_abort(&t->s);
	start(t);
	scene_erase(&t->s, BASE);
}

static void erases_after_a_write(struct trial *t)
{
	start(t);
	scene_erase(&t->s, BASE);
	block_at(t, BASE, 16);
	scene_erase(&t->s, BASE);
}

static void writes_over_what_was_there(struct trial *t)
{
	download(t, 16);
	t->call.before = t->before;
	t->before[3] = 0x00;
	start(t);
	block_at(t, BASE, 16);
}

static void writes_twice_what_differs(struct trial *t)
{
	start(t);
	block_at(t, BASE, 16);
	scene_set_address(&t->s, BASE);
	scene_write_block(&t->s, 2, block + 1, 16);
}

static void erases_then_writes(struct trial *t)
{
	download(t, 16);
	t->call.before = t->before;
	t->before[3] = 0x00;
	start(t);
	scene_erase(&t->s, BASE);
	block_at(t, BASE, 16);
	block_at(t, BASE, 16); /* once more the same */
}

static void writes_over_as_asked(struct trial *t)
{
	writes_over_what_was_there(t);
	t->call.call.no_erase = true;
}

static void pads_with_noise(struct trial *t)
{
	download(t, 100);
	start(t);
	block_at(t, BASE, 2048);
}

static void writes_before_the_file(struct trial *t)
{
	download(t, 100);
	t->call.wanted_address = SECTOR_5;
	start(t);
	block_at(t, BASE, 100);
}

static void pads_with_ff(struct trial *t)
{
	uint8_t padded[2048];

	memset(padded, 0xff, sizeof(padded));
	memcpy(padded, block, 100);
	download(t, 100);
	start(t);
	scene_set_address(&t->s, BASE);
	scene_write_block(&t->s, 2, padded, sizeof(padded));
}

static void says_success_over_blank_flash(struct trial *t)
{
	download(t, 100);
	t->call.after = t->after;
}

static void says_erased_over_full_flash(struct trial *t)
{
	call(t, OPERATION_MASS_ERASE);
	t->call.after = t->after;
	t->after[1024 * 1024 - 1] = 0;
}

static void says_success_rightly(struct trial *t)
{
	says_success_over_blank_flash(t);
	memcpy(t->after, block, 100);
}

static void says_erased_rightly(struct trial *t)
{
	call(t, OPERATION_ERASE);
	t->call.call.has_address = true;
	t->call.call.address = SECTOR_1;
	t->call.after = t->after;
	t->after[0] = 0;
}

static void says_failure_over_good_flash(struct trial *t)
{
	download(t, 100);
	t->call.succeeded = false;
	t->call.before = t->before;
	t->call.after = t->after;
	memcpy(t->after, block, 100);
}

static void says_failure_having_done_nothing(struct trial *t)
{
	says_failure_over_good_flash(t);
	memcpy(t->before, block, 100);
}

static void says_verified(struct trial *t)
{
	download(t, 16);
	t->call.output = "Writing... done\nVerified 16 bytes\n";
	start(t);
	block_at(t, BASE, 16);
}

static void was_to_verify(struct trial *t)
{
	download(t, 16);
	t->call.call.verify = true;
}

static void reads_back(struct trial *t)
{
	says_verified(t);
	scene_abort(&t->s);
	scene_upload(&t->s, 2, block, 16);
}

static void says_not_verified(struct trial *t)
{
	says_verified(t);
	t->call.output = "Done (not verified)\nverify: skipped\n";
}

#endif
