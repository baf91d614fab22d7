/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tools do, well and badly, as captures and calls for the rules to judge. Include after cmocka.h. */
#ifndef DFUBENCH_TESTS_RULE_SCENES_H
#define DFUBENCH_TESTS_RULE_SCENES_H

#include "rules.h"
#include "scene.h"

#define BASE 0x08000000u
#define SECTOR_1 0x08004000u
#define SECTOR_5 0x08020000u
#define OPTIONS 0x1FFFC000u

/* A board that has come up, and what a tool was asked to do with it. */
struct trial {
	struct scene s;
	struct mcu_profile profile;
	bool has_call;
	struct rules_call call;
	uint8_t *before, *after; /* all erased; looked at if call says so */
};

static uint8_t block[4096];

static void start(struct trial *t)
{
	scene_start(&t->s);
}

static void call(struct trial *t, enum operation operation)
{
	t->has_call = true;
	t->call.call.operation = operation;
	t->call.ended = true;
	t->call.succeeded = true;
	t->call.output = "";
}

/* A download of the first length bytes of `block` to BASE. */
static void download(struct trial *t, size_t length)
{
	call(t, OPERATION_DOWNLOAD);
	t->call.wanted = block;
	t->call.wanted_address = BASE;
	t->call.wanted_length = length;
}

static void block_at(struct trial *t, uint32_t address, size_t length)
{
	scene_set_address(&t->s, address);
	scene_write_block(&t->s, 2, block, length);
}

static void leave(struct trial *t)
{
	scene_out(&t->s, DFU_DNLOAD, 2, NULL, 0);
	scene_getstatus(&t->s, DFU_OK, DFU_MANIFEST, 1);
}

static void work_at_once(struct trial *t)
{
	block_at(t, BASE, 16);
}

static void ask_then_work(struct trial *t)
{
	start(t);
	block_at(t, BASE, 16);
}

static void no_clrstatus(struct trial *t)
{
	scene_getstatus(&t->s, DFU_ERR_FIRMWARE, DFU_ERROR, 0);
	scene_command(&t->s, DFUSE_ERASE, BASE);
}

static void clrstatus_in_idle(struct trial *t)
{
	start(t);
	scene_out(&t->s, DFU_CLRSTATUS, 0, NULL, 0);
}

static void clrstatus_while(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	scene_out(&t->s, DFU_CLRSTATUS, 0, NULL, 0);
}

static void polls_in_error(struct trial *t, unsigned count)
{
	start(t);
	scene_command(&t->s, DFUSE_SET_ADDRESS, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 104);
	for (unsigned i = 0; i < count; i++)
		scene_getstatus(&t->s, DFU_ERR_TARGET, DFU_ERROR, 0);
	scene_out(&t->s, DFU_CLRSTATUS, 0, NULL, 0);
}

static void polls_for_ever(struct trial *t)
{
	polls_in_error(t, 4);
}

static void polls_and_gives_up(struct trial *t)
{
	polls_in_error(t, 2);
}

static void left_over_ignored(struct trial *t)
{
	scene_getstatus(&t->s, DFU_OK, DFU_DNLOAD_IDLE, 0);
	block_at(t, BASE, 16);
}

static void left_over_aborted(struct trial *t)
{
	scene_getstatus(&t->s, DFU_OK, DFU_DNLOAD_IDLE, 0);
	scene_abort(&t->s);
	block_at(t, BASE, 16);
}

static void upload_at_once(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE);
	scene_stalled(&t->s, DFU_UPLOAD, 2, NULL, 2048);
}

static void upload_after_abort(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE);
	scene_abort(&t->s);
	scene_upload(&t->s, 2, block, 2048);
	scene_abort(&t->s);
}

static void download_after_upload(struct trial *t)
{
	start(t);
	scene_upload(&t->s, 2, block, 2048);
	scene_command(&t->s, DFUSE_SET_ADDRESS, BASE);
}

static void no_getstatus(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_SET_ADDRESS, BASE);
	scene_out(&t->s, DFU_DNLOAD, 2, block, 16);
	scene_done(&t->s, 104);
}

static void no_getstatus_at_the_end(struct trial *t)
{
	call(t, OPERATION_DOWNLOAD);
	start(t);
	scene_command(&t->s, DFUSE_SET_ADDRESS, BASE);
}

static void killed_before_getstatus(struct trial *t)
{
	no_getstatus_at_the_end(t);
	t->call.ended = false;
}

static void asks_once_only(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_SET_ADDRESS, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 104);
	t->s.now_us += 104000;
	scene_out(&t->s, DFU_DNLOAD, 2, block, 16);
}

static void polls_early(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	t->s.now_us += 50000;
	scene_getstatus(&t->s, DFU_OK, DFU_DNLOAD_IDLE, 0);
}

static void polls_early_where_that_stalls(struct trial *t)
{
	t->profile.busy_rule = BUSY_STALLS;
	polls_early(t);
}

static void polls_early_and_is_stalled(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	scene_stalled(&t->s, DFU_GETSTATUS, 0, NULL, 6);
}

static void polls_late_where_early_stalls(struct trial *t)
{
	t->profile.busy_rule = BUSY_STALLS;
	start(t);
	scene_erase(&t->s, BASE);
}

static void taken_back_after(struct trial *t, uint64_t us)
{
	start(t);
	scene_out(&t->s, DFU_DNLOAD, 0, "\x41", 1);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	t->s.now_us += us;
	scene_transfer(&t->s, SETUP(0xa1, DFU_GETSTATUS, 0, 0, 6), NULL, 0, USBMON_ENOENT);
}

static void gives_up_a_mass_erase_after_5_s(struct trial *t)
{
	taken_back_after(t, 5000000);
}

static void gives_up_a_mass_erase_after_35_s(struct trial *t)
{
	taken_back_after(t, 35000000);
}

static void goes_on_after_a_stall(struct trial *t)
{
	start(t);
	scene_stalled(&t->s, DFU_DNLOAD, 2, block, 16);
	scene_out(&t->s, DFU_DNLOAD, 3, block, 16);
}

static void asks_after_a_stall(struct trial *t)
{
	start(t);
	scene_stalled(&t->s, DFU_DNLOAD, 2, block, 16);
	scene_getstatus(&t->s, DFU_OK, DFU_IDLE, 0);
	scene_out(&t->s, DFU_DNLOAD, 2, block, 16);
	scene_done(&t->s, 104);
}

static void fails(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	t->s.now_us += 100000;
	scene_getstatus(&t->s, DFU_ERR_VENDOR, DFU_ERROR, 0);
	scene_out(&t->s, DFU_CLRSTATUS, 0, NULL, 0);
	scene_getstatus(&t->s, DFU_OK, DFU_IDLE, 0);
}

static void fails_and_says_success(struct trial *t)
{
	call(t, OPERATION_ERASE);
	fails(t);
}

static void fails_and_goes_on(struct trial *t)
{
	fails(t);
	block_at(t, BASE, 16);
}

static void fails_by_status_alone(struct trial *t)
{
	call(t, OPERATION_ERASE);
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
	t->s.now_us += 100000;
	scene_getstatus(&t->s, DFU_ERR_ERASE, DFU_DNLOAD_IDLE, 0);
}

static void fails_and_says_so(struct trial *t)
{
	call(t, OPERATION_ERASE);
	t->call.succeeded = false;
	fails(t);
}

static void script_that_expects_failure(struct trial *t)
{
	call(t, OPERATION_LIST);
	t->call.raw = true;
	fails(t);
}

static void fails_and_tries_again(struct trial *t)
{
	call(t, OPERATION_ERASE);
	fails(t);
	scene_erase(&t->s, BASE);
}

static void ends_in_an_erase(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_ERASE, BASE);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
}

static void gives_up_polling(struct trial *t)
{
	ends_in_an_erase(t);
	t->s.now_us += 100000;
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 100);
}

static void ends_in_an_erase_and_says_success(struct trial *t)
{
	call(t, OPERATION_ERASE);
	ends_in_an_erase(t);
}

static void ends_in_unprotect(struct trial *t)
{
	start(t);
	scene_out(&t->s, DFU_DNLOAD, 0, "\x92", 1);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 104);
}

static void ends_in_option_bytes(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, OPTIONS);
	scene_out(&t->s, DFU_DNLOAD, 2, block, 16);
	scene_getstatus(&t->s, DFU_OK, DFU_DNBUSY, 104);
}

static void ends_with_abort(struct trial *t)
{
	ask_then_work(t);
	scene_abort(&t->s);
}

static void another_interface(struct trial *t)
{
	start(t);
	scene_transfer(&t->s, SETUP(0xa1, DFU_GETSTATUS, 0, 1, 6), NULL, 0, USBMON_EPIPE);
}

static void select_alt(struct trial *t, unsigned alt)
{
	scene_transfer(&t->s, SETUP(0x01, 11, alt, 0, 0), NULL, 0, 0);
}

static void options_by_alt_0(struct trial *t)
{
	start(t);
	block_at(t, OPTIONS, 16);
}

static void options_by_alt_1(struct trial *t)
{
	start(t);
	select_alt(t, 1);
	block_at(t, OPTIONS, 16);
}

static void block_1(struct trial *t)
{
	start(t);
	scene_stalled(&t->s, DFU_DNLOAD, 1, block, 16);
}

/* As the descriptors say: DFU 1.1 without ST's commands, which stays after an image. */
static void become_plain(struct trial *t)
{
	uint8_t configuration[54];

	memcpy(configuration, t->profile.configuration_descriptor, sizeof(configuration));
	configuration[47] |= 4;   /* bitManifestationTolerant */
	configuration[52] = 0x10; /* bcdDFUVersion 0x0110 */
	scene_descriptor(&t->s, 0x0200, configuration, sizeof(configuration));
}

static void block_1_of_plain_dfu(struct trial *t)
{
	become_plain(t);
	block_1(t);
}

static void data_as_block_0(struct trial *t)
{
	start(t);
	scene_out(&t->s, DFU_DNLOAD, 0, block, 2048);
	scene_getstatus(&t->s, DFU_ERR_STALLEDPKT, DFU_ERROR, 0);
}

static void block_number_wraps(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE);
	scene_write_block(&t->s, 65535, block, 16);
	scene_write_block(&t->s, 2, block, 16);
}

static void block_past_the_end(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE + 1024 * 1024 - 2048);
	scene_write_block(&t->s, 3, block, 16);
}

static void last_block(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE + 1024 * 1024 - 4096);
	scene_write_block(&t->s, 2, block, 2048);
	scene_write_block(&t->s, 3, block, 2048);
}

static void too_long(struct trial *t)
{
	start(t);
	scene_stalled(&t->s, DFU_DNLOAD, 2, block, 4096);
}

static void short_block_in_the_middle(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE);
	scene_write_block(&t->s, 2, block, 1024);
	scene_write_block(&t->s, 3, block, 1024);
}

static void short_blocks_with_addresses(struct trial *t)
{
	start(t);
	block_at(t, BASE, 1024);
	block_at(t, BASE + 1024, 1024);
}

static void three_bytes(struct trial *t)
{
	start(t);
	block_at(t, BASE, 3);
}

static void address_0(struct trial *t)
{
	start(t);
	scene_command(&t->s, DFUSE_SET_ADDRESS, 0);
}

static void address_0_as_asked(struct trial *t)
{
	call(t, OPERATION_ERASE);
	t->call.call.has_address = true;
	t->call.call.address = 0;
	address_0(t);
}

static void eight_option_bytes(struct trial *t)
{
	start(t);
	select_alt(t, 1);
	block_at(t, OPTIONS, 8);
}

static void leaves_without_getstatus(struct trial *t)
{
	start(t);
	scene_out(&t->s, DFU_DNLOAD, 2, NULL, 0);
}

static void leaves_a_device_that_goes_at_once(struct trial *t)
{
	t->profile.leaves_at_once = true;
	leaves_without_getstatus(t);
}

static void leaves(struct trial *t)
{
	start(t);
	leave(t);
}

static void asks_who_has_left(struct trial *t)
{
	leaves(t);
	scene_transfer(&t->s, SETUP(0xa1, DFU_GETSTATUS, 0, 0, 6), NULL, 0, USBMON_ESHUTDOWN);
}

static void asks_who_stays(struct trial *t)
{
	become_plain(t);
	leaves(t);
	scene_getstatus(&t->s, DFU_OK, DFU_IDLE, 0);
}

static void leaves_to_the_last_block(struct trial *t)
{
	start(t);
	block_at(t, BASE, 2048);
	block_at(t, BASE + 2048, 2048);
	leave(t);
}

static void leaves_to_the_image(struct trial *t)
{
	start(t);
	block_at(t, BASE, 2048);
	block_at(t, BASE + 2048, 2048);
	scene_set_address(&t->s, BASE);
	leave(t);
}

static void leaves_with_rising_blocks(struct trial *t)
{
	start(t);
	scene_set_address(&t->s, BASE);
	scene_write_block(&t->s, 2, block, 2048);
	scene_write_block(&t->s, 3, block, 100);
	leave(t);
}

static void leaves_elsewhere_as_told(struct trial *t)
{
	start(t);
	block_at(t, BASE, 2048);
	scene_set_address(&t->s, SECTOR_5);
	leave(t);
}

static void leaves_in_a_second_run(struct trial *t)
{
	start(t);
	block_at(t, BASE, 2048);
	scene_abort(&t->s);
	start(t);
	block_at(t, SECTOR_5, 2048);
	leave(t);
}

static void leaves_where_an_earlier_run_was(struct trial *t)
{
	start(t);
	block_at(t, SECTOR_5, 2048);
	scene_abort(&t->s);
	scene_read(&t->s, NULL);
	call(t, OPERATION_LEAVE);
	t->call.first = t->s.transcript.count;
	scene_getstatus(&t->s, DFU_OK, DFU_IDLE, 0);
	leave(t);
}

#endif
