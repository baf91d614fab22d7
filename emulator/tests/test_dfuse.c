/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DfuSe state machine on its own: every cell of the request table, and every alternative of the unknowns. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <stdint.h>
#include <cmocka.h>
#include "dfuse.h"

/* A machine, and an owner that notes the jobs and finishes them when told. */
struct fixture {
	struct mcu_profile profile;
	struct dfu_machine dfuse;
	enum dfu_status read_answer;
	uint32_t read_address;
	size_t read_length;
	unsigned reads, jobs, changes;
	struct dfu_job job;
	uint8_t job_first_byte;
};

static enum dfu_status read_memory(void *context, uint32_t address, uint8_t *data, size_t length)
{
	struct fixture *f = context;

	f->reads++;
	f->read_address = address;
	f->read_length = length;
	if (f->read_answer == DFU_OK)
		memset(data, 0xa5, length);
	return f->read_answer;
}

static void execute(void *context, const struct dfu_job *job)
{
	struct fixture *f = context;

	assert_true(f->dfuse.executing);
	f->jobs++;
	f->job = *job;
	f->job_first_byte = job->data ? job->data[0] : 0;
}

static void changed(void *context, enum dfu_state state, enum dfu_status status)
{
	struct fixture *f = context;

	assert_int_equal(state, f->dfuse.state);
	assert_int_equal(status, f->dfuse.status);
	f->changes++;
}

static void restart(struct fixture *f)
{
	dfuse_reset(&f->dfuse, &f->profile, &(struct dfu_ops){ read_memory, execute, changed, f });
}

static struct fixture *open_machine(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	f->profile = *mcu_profile_find("f407");
	restart(f);
	return f;
}

static uint8_t buffer[65536];

static enum usb_result request(struct fixture *f, uint8_t r, uint16_t value, uint16_t length, size_t *actual)
{
	uint8_t type = r == DFU_UPLOAD || r == DFU_GETSTATUS || r == DFU_GETSTATE ? 0xa1 : 0x21;
	size_t moved = 99;
	enum usb_result result = dfuse_request(&f->dfuse, &(struct usb_setup){ type, r, value, 0, length }, buffer,
					       &moved);

	assert_true(moved <= length);
	if (actual)
		*actual = moved;
	return result;
}

static enum usb_result download(struct fixture *f, uint16_t block, const void *data, uint16_t length)
{
	if (length)
		memcpy(buffer, data, length);
	return request(f, DFU_DNLOAD, block, length, NULL);
}

static void expect_status(struct fixture *f, const char *name, uint8_t status, uint8_t poll_ms, uint8_t state)
{
	const uint8_t want[6] = { status, poll_ms, 0, 0, state, 0 };
	size_t actual;

	if (request(f, DFU_GETSTATUS, 0, 6, &actual) != USB_ACK || actual != 6 || memcmp(buffer, want, 6))
		fail_msg("%s: GETSTATUS says %02x %02x %02x %02x %02x %02x", name, buffer[0], buffer[1], buffer[2],
			 buffer[3], buffer[4], buffer[5]);
}

static void announce(struct fixture *f)
{
	assert_int_equal(request(f, DFU_GETSTATUS, 0, 6, NULL), USB_ACK);
	dfu_reply_delivered(&f->dfuse);
}

static const uint8_t set_address[] = { 0x21, 0x00, 0x00, 0x01, 0x08 };

/* By requests alone. */
static void drive_to(struct fixture *f, enum dfu_state state)
{
	open_machine(f);
	if (state == DFU_ERROR)
		return;
	assert_int_equal(request(f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	if (state == DFU_DNLOAD_SYNC || state == DFU_DNLOAD_IDLE || state == DFU_DNBUSY)
		assert_int_equal(download(f, 0, set_address, 5), USB_ACK);
	if (state == DFU_DNLOAD_IDLE || state == DFU_DNBUSY)
		announce(f);
	if (state == DFU_DNLOAD_IDLE)
		dfuse_finish(&f->dfuse, DFU_OK);
	if (state == DFU_MANIFEST_SYNC || state == DFU_MANIFEST)
		assert_int_equal(download(f, 0, NULL, 0), USB_ACK);
	if (state == DFU_MANIFEST)
		announce(f);
	if (state == DFU_UPLOAD_IDLE)
		assert_int_equal(request(f, DFU_UPLOAD, 2, 64, NULL), USB_ACK);
	assert_int_equal(f->dfuse.state, state);
	f->jobs = 0;
	f->changes = 0;
}

struct cell {
	int result, state, status;
};

/* In each column; NC: the state and status there before */
#define NC -1
#define S \
	{ \
		USB_STALL, NC, NC \
	}
#define TO(state) \
	{ \
		USB_ACK, state, DFU_OK \
	}
#define SAME \
	{ \
		USB_ACK, NC, NC \
	}
#define UNKNOWN \
	{ \
		USB_ACK, DFU_ERROR, DFU_ERR_UNKNOWN \
	}

static void every_cell_of_the_request_table_is_as_documented(void **test_state)
{
	static const enum dfu_state columns[] = { DFU_IDLE,          DFU_DNLOAD_SYNC, DFU_DNLOAD_IDLE,
						  DFU_MANIFEST_SYNC, DFU_UPLOAD_IDLE, DFU_ERROR };
	static const struct {
		const char *name;
		uint8_t request;
		uint16_t value, length;
		struct cell want[6];
	} rows[] = {
		{ "ST-1 DNLOAD", DFU_DNLOAD, 2, 64, { TO(3), S, TO(3), S, S, S } },
		{ "ST-1 DNLOAD command", DFU_DNLOAD, 0, 5, { TO(3), S, TO(3), S, S, S } },
		{ "ST-2 DNLOAD empty", DFU_DNLOAD, 0, 0, { TO(6), S, TO(6), S, S, S } },
		{ "ST-2 LV-1 DNLOAD empty, block 2", DFU_DNLOAD, 2, 0, { TO(6), S, TO(6), S, S, S } },
		{ "ST-3 UPLOAD", DFU_UPLOAD, 2, 64, { TO(9), S, S, S, TO(9), S } },
		{ "UP-2 UPLOAD Get, short frame", DFU_UPLOAD, 0, 64, { TO(2), S, S, S, TO(2), S } },
		{ "UP-2 UPLOAD Get, exact", DFU_UPLOAD, 0, 4, { TO(9), S, S, S, TO(9), S } },
		{ "ST-4 UPLOAD empty",
		  DFU_UPLOAD,
		  2,
		  0,
		  { TO(2), TO(2), TO(2), TO(2), TO(2), { USB_ACK, DFU_IDLE, DFU_ERR_FIRMWARE } } },
		{ "ST-5 GETSTATUS", DFU_GETSTATUS, 0, 6, { SAME, TO(4), SAME, TO(7), SAME, SAME } },
		{ "ST-6 GETSTATE", DFU_GETSTATE, 0, 1, { SAME, SAME, SAME, SAME, SAME, SAME } },
		{ "ST-7 CLRSTATUS", DFU_CLRSTATUS, 0, 0, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, TO(2) } },
		{ "ST-8 ABORT", DFU_ABORT, 0, 0, { TO(2), TO(2), TO(2), TO(2), TO(2), SAME } },
		{ "ST-9 DETACH",
		  DFU_DETACH,
		  1000,
		  0,
		  { TO(2), TO(2), TO(2), TO(2), TO(2), { USB_ACK, DFU_IDLE, DFU_ERR_FIRMWARE } } },
		{ "ST-17 request 7", 7, 0, 0, { S, S, S, S, S, S } },
		{ "ST-17 request 255", 255, 0, 8, { S, S, S, S, S, S } },
	};

	(void)test_state;
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		for (size_t column = 0; column < 6; column++) {
			const struct cell *want = &rows[row].want[column];
			struct fixture f;
			enum dfu_status status;
			int got;

			drive_to(&f, columns[column]);
			status = f.dfuse.status;
			memcpy(buffer, set_address, 5);
			got = (int)request(&f, rows[row].request, rows[row].value, rows[row].length, NULL);
			if (got != want->result ||
			    (int)f.dfuse.state != (want->state == NC ? (int)columns[column] : want->state) ||
			    (int)f.dfuse.status != (want->status == NC ? (int)status : want->status))
				fail_msg("%s in %s: result %d, %s, %s", rows[row].name, dfu_state_name(columns[column]),
					 got, dfu_state_name(f.dfuse.state), dfu_status_name(f.dfuse.status));
			if (f.dfuse.reply_starts != (f.dfuse.state == DFU_DNBUSY || f.dfuse.state == DFU_MANIFEST))
				fail_msg("%s in %s: a job for nothing", rows[row].name,
					 dfu_state_name(columns[column]));
		}
	}
}

#undef S

static void stalls_for_a_wrong_state_enter_dfuerror_where_the_profile_says_so(void **state)
{
	struct fixture f;

	(void)state; /* U21 */
	drive_to(&f, DFU_DNLOAD_IDLE);
	f.profile.wrong_state = WRONG_STATE_STALL_TO_ERROR;
	assert_int_equal(request(&f, DFU_UPLOAD, 2, 64, NULL), USB_STALL);
	expect_status(&f, "U21", 0x0f, 0, 10);

	drive_to(&f, DFU_DNLOAD_SYNC);
	f.profile.wrong_state = WRONG_STATE_STALL_TO_ERROR;
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 64, NULL), USB_STALL);
	expect_status(&f, "U21", 0x0f, 0, 10);
	assert_false(f.dfuse.reply_starts);

	drive_to(&f, DFU_ERROR);
	f.profile.wrong_state = WRONG_STATE_STALL_TO_ERROR;
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 64, NULL), USB_STALL);
	expect_status(&f, "the first error stays", 0x0a, 0, 10);
}

static void clrstatus_outside_dfuerror_stalls_where_the_profile_says_so(void **state)
{
	struct fixture f;

	(void)state;
	drive_to(&f, DFU_DNLOAD_IDLE);
	f.profile.clrstatus_rule = CLRSTATUS_STALLS;
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_STALL);
	expect_status(&f, "state stays", 0, 0, 5);
	restart(&f);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	expect_status(&f, "in dfuERROR it works", 0, 0, 2);
}

static void requests_in_the_wrong_direction_stall(void **state)
{
	struct fixture f;
	size_t actual;

	(void)state;
	drive_to(&f, DFU_IDLE);
	assert_int_equal(dfuse_request(&f.dfuse, &(struct usb_setup){ 0x21, DFU_GETSTATUS, 0, 0, 6 }, buffer, &actual),
			 USB_STALL);
	assert_int_equal(dfuse_request(&f.dfuse, &(struct usb_setup){ 0xa1, DFU_DNLOAD, 2, 0, 6 }, buffer, &actual),
			 USB_STALL);
	assert_int_equal(f.dfuse.state, DFU_IDLE);
	assert_int_equal(dfuse_request(&f.dfuse, &(struct usb_setup){ 0xa1, DFU_ABORT, 0, 0, 0 }, NULL, &actual),
			 USB_ACK);
	assert_int_equal(dfuse_request(&f.dfuse, &(struct usb_setup){ 0xa1, DFU_GETSTATUS, 0, 0, 0 }, NULL, &actual),
			 USB_ACK);
	assert_int_equal(dfuse_request(&f.dfuse, &(struct usb_setup){ 0xa1, DFU_GETSTATE, 0, 0, 0 }, NULL, &actual),
			 USB_ACK);
	assert_int_equal(actual, 0);
}

static void getstatus_announces_the_documented_timeouts(void **state)
{
	static const struct {
		const char *name;
		uint16_t block;
		uint8_t give[8];
		uint16_t length;
		uint8_t want_poll_ms, want_state;
		enum dfu_job_kind want_job;
		uint32_t want_address;
	} rows[] = {
		{ "GS-6", 0, { 0x21, 0x78, 0x56, 0x34, 0x12 }, 5, 104, 4, JOB_SET_ADDRESS, 0x12345678 },
		{ "GS-7", 0, { 0x41, 0x00, 0x00, 0x02, 0x08 }, 5, 100, 4, JOB_ERASE, 0x08020000 },
		{ "GS-8", 0, { 0x41 }, 1, 100, 4, JOB_MASS_ERASE, 0 },
		{ "GS-9", 2, { 0xc3, 1 }, 8, 104, 4, JOB_WRITE, 0x08000000 },
		{ "GS-10", 0, { 0x92 }, 1, 104, 4, JOB_READ_UNPROTECT, 0 },
		{ "GS-13", 2, { 0 }, 0, 1, 7, JOB_LEAVE, 0x08000000 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		drive_to(&f, DFU_IDLE);
		assert_int_equal(download(&f, rows[i].block, rows[i].give, rows[i].length), USB_ACK);
		expect_status(&f, rows[i].name, 0, rows[i].want_poll_ms, rows[i].want_state);
		assert_int_equal(f.jobs, 0); /* GS-3: not before the reply is delivered */
		dfu_reply_delivered(&f.dfuse);
		dfu_reply_delivered(&f.dfuse);
		assert_int_equal(f.jobs, 1);
		if (f.job.kind != rows[i].want_job || f.job.address != rows[i].want_address)
			fail_msg("%s: job %d at %08x", rows[i].name, (int)f.job.kind, (unsigned)f.job.address);
		if (f.job.kind == JOB_WRITE) {
			assert_int_equal(f.job.length, 8);
			assert_int_equal(f.job_first_byte, 0xc3);
		}
		if (f.job.kind == JOB_LEAVE)
			continue;
		dfuse_finish(&f.dfuse, DFU_OK);
		expect_status(&f, "GS-11", 0, 0, 5);
	}
	drive_to(&f, DFU_IDLE); /* each timeout is the profile's: U1 */
	f.profile.poll_set_address_ms = 1;
	f.profile.poll_erase_ms = 2;
	f.profile.poll_mass_erase_ms = 3;
	f.profile.poll_write_ms = 4;
	f.profile.poll_unprotect_ms = 5;
	f.profile.poll_manifest_ms = 0x123456;
	for (size_t i = 0; i < 5; i++) {
		static const uint8_t polls[] = { 1, 2, 3, 4, 5 };

		assert_int_equal(download(&f, rows[i].block, rows[i].give, rows[i].length), USB_ACK);
		expect_status(&f, rows[i].name, 0, polls[i], 4);
		dfu_reply_delivered(&f.dfuse);
		dfuse_finish(&f.dfuse, DFU_OK);
		expect_status(&f, "GS-11", 0, 0, 5);
	}
	assert_int_equal(download(&f, 0, NULL, 0), USB_ACK);
	assert_int_equal(request(&f, DFU_GETSTATUS, 0, 6, NULL), USB_ACK);
	assert_memory_equal(buffer, "\x00\x56\x34\x12\x07\x00", 6);
}

static void timeouts_may_differ_by_the_memory_of_the_old_pointer(void **state)
{
	static const uint8_t erase[] = { 0x41, 0x00, 0x00, 0x02, 0x08 }, to_ram[] = { 0x21, 0x00, 0x40, 0x00, 0x20 };
	struct mem_region regions[8];
	struct fixture f;

	(void)state; /* U1; GS-15, GS-16 */
	drive_to(&f, DFU_IDLE);
	memcpy(regions, f.profile.regions, f.profile.region_count * sizeof *regions);
	for (size_t i = 0; i < f.profile.region_count; i++)
		if (regions[i].kind == MEM_RAM) {
			regions[i].poll_erase_ms = 7;
			regions[i].poll_ms = 9;
		}
	f.profile.regions = regions;
	assert_int_equal(download(&f, 0, to_ram, 5), USB_ACK);
	expect_status(&f, "flash", 0, 104, 4);
	dfu_reply_delivered(&f.dfuse);
	dfuse_finish(&f.dfuse, DFU_OK);
	assert_int_equal(download(&f, 2, to_ram, 5), USB_ACK);
	expect_status(&f, "RAM, write", 0, 9, 4);
	dfu_reply_delivered(&f.dfuse);
	dfuse_finish(&f.dfuse, DFU_OK);
	assert_int_equal(download(&f, 2, erase, 5), USB_ACK);
	expect_status(&f, "RAM, a write that looks like an erase", 0, 9, 4);
	dfu_reply_delivered(&f.dfuse);
	dfuse_finish(&f.dfuse, DFU_OK);
	assert_int_equal(download(&f, 0, erase, 5), USB_ACK);
	expect_status(&f, "RAM, erase", 0, 7, 4);
	dfu_reply_delivered(&f.dfuse);
	dfuse_finish(&f.dfuse, DFU_OK);
	assert_int_equal(download(&f, 0, set_address, 5), USB_ACK);
	expect_status(&f, "flash again", 0, 104, 4);
}

static void getstatus_replies_of_the_other_states(void **state)
{
	struct fixture f;
	size_t actual;

	(void)state;
	drive_to(&f, DFU_ERROR);
	expect_status(&f, "GS-4", 0x0a, 0, 10);
	expect_status(&f, "ST-23", 0x0a, 0, 10);
	drive_to(&f, DFU_IDLE);
	expect_status(&f, "GS-5", 0, 0, 2);
	drive_to(&f, DFU_UPLOAD_IDLE);
	expect_status(&f, "GS-14", 0, 0, 9);
	drive_to(&f, DFU_ERROR);
	assert_int_equal(request(&f, DFU_GETSTATUS, 0, 3, &actual), USB_ACK); /* GS-3 */
	assert_int_equal(actual, 3);
	assert_int_equal(request(&f, DFU_GETSTATUS, 0, 64, &actual), USB_ACK);
	assert_int_equal(actual, 6);
	assert_int_equal(request(&f, DFU_GETSTATE, 0, 6, &actual), USB_ACK);
	assert_int_equal(actual, 1);
	assert_int_equal(buffer[0], 10);
	drive_to(&f, DFU_DNBUSY);
	dfuse_finish(&f.dfuse, DFU_ERR_TARGET);
	expect_status(&f, "GS-12", 0x01, 0, 10);
}

static void blocks_count_in_2048_bytes_from_the_pointer(void **state)
{
	static const struct {
		const char *name;
		uint32_t pointer;
		uint16_t block, length;
		uint32_t want;
	} rows[] = {
		{ "BLK-3 first", 0x08000000, 2, 2048, 0x08000000 },
		{ "BLK-3 second", 0x08000000, 3, 2048, 0x08000800 },
		{ "BLK-3 a short block counts whole", 0x08000000, 4, 12, 0x08001000 },
		{ "BLK-3 odd pointer", 0x08000123, 3, 16, 0x08000923 },
		{ "BLK-4 last", 0x08000000, 65535, 2048, 0x08000000 + 65533u * 2048u },
		{ "past the end of the address space", 0xffff0000, 34, 4, 0x00000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		drive_to(&f, DFU_IDLE);
		f.dfuse.pointer = rows[i].pointer;
		assert_int_equal(request(&f, DFU_UPLOAD, rows[i].block, rows[i].length, NULL), USB_ACK);
		if (f.read_address != rows[i].want || f.read_length != rows[i].length)
			fail_msg("%s: read at %08x", rows[i].name, (unsigned)f.read_address);
		assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
		assert_int_equal(download(&f, rows[i].block, buffer, rows[i].length), USB_ACK);
		announce(&f);
		if (f.job.kind != JOB_WRITE || f.job.address != rows[i].want || f.job.length != rows[i].length)
			fail_msg("%s: write at %08x", rows[i].name, (unsigned)f.job.address);
		dfuse_finish(&f.dfuse, DFU_OK);
		assert_int_equal(f.dfuse.pointer, rows[i].pointer); /* BLK-5 */
	}
}

static void finish_command(struct fixture *f, const uint8_t *command, uint16_t length, enum dfu_status status)
{
	assert_int_equal(download(f, 0, command, length), USB_ACK);
	announce(f);
	dfuse_finish(&f->dfuse, status);
}

static void the_pointer_follows_commands_and_survives_the_rest(void **state)
{
	static const uint8_t erase[] = { 0x41, 0x00, 0x40, 0x00, 0x08 };
	struct fixture f;

	(void)state;
	drive_to(&f, DFU_IDLE);
	assert_int_equal(f.dfuse.pointer, 0x08000000); /* BLK-6 */
	finish_command(&f, set_address, 5, DFU_OK);
	assert_int_equal(f.dfuse.pointer, 0x08010000);
	finish_command(&f, erase, 5, DFU_OK);
	assert_int_equal(f.dfuse.pointer, 0x08004000); /* CMD-8, U18 */
	f.profile.erase_sets_pointer = false;
	finish_command(&f, set_address, 5, DFU_OK);
	finish_command(&f, erase, 5, DFU_OK);
	assert_int_equal(f.dfuse.pointer, 0x08010000); /* U18, the other way */
	f.profile.erase_sets_pointer = true;
	finish_command(&f, erase, 5, DFU_ERR_TARGET); /* U18: an error changes nothing */
	assert_int_equal(f.dfuse.pointer, 0x08010000);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	f.profile.errors_set_pointer = true;
	finish_command(&f, erase, 5, DFU_ERR_TARGET); /* U18, the other way */
	assert_int_equal(f.dfuse.pointer, 0x08004000);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	finish_command(&f, set_address, 5, DFU_ERR_VENDOR);
	assert_int_equal(f.dfuse.pointer, 0x08010000);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	assert_int_equal(f.dfuse.pointer, 0x08010000); /* BLK-8 */
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	assert_int_equal(f.dfuse.pointer, 0x08010000); /* RST-1 */
	assert_int_equal(download(&f, 0, NULL, 0), USB_ACK);
	announce(&f);
	assert_int_equal(f.job.kind, JOB_LEAVE);
	assert_int_equal(f.job.address, 0x08010000);
}

static void bad_commands_show_when_the_profile_says(void **state)
{
	static const struct {
		const char *name;
		uint8_t give[6];
		uint16_t length;
		uint8_t poll_ms;
	} rows[] = {
		{ "ERR-5 0x55", { 0x55 }, 1, 104 },
		{ "ERR-5 Get by download", { 0x00 }, 1, 104 },
		{ "CMD-6 Set-Address of 4", { 0x21, 0, 0, 0 }, 4, 104 },
		{ "CMD-6 Set-Address of 6", { 0x21, 0, 0, 0, 8, 0 }, 6, 104 },
		{ "CMD-6 erase of 4", { 0x41, 0, 0, 0 }, 4, 100 },
		{ "CMD-6 unprotect of 2", { 0x92, 0 }, 2, 104 },
	};

	(void)state; /* U6 */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		drive_to(&f, DFU_IDLE);
		assert_int_equal(download(&f, 0, rows[i].give, rows[i].length), USB_ACK);
		expect_status(&f, rows[i].name, 0x0f, 0, 10);
		dfu_reply_delivered(&f.dfuse);
		assert_int_equal(f.jobs, 0);

		drive_to(&f, DFU_IDLE);
		f.profile.bad_command_at_first_getstatus = false;
		assert_int_equal(download(&f, 0, rows[i].give, rows[i].length), USB_ACK);
		expect_status(&f, rows[i].name, 0, rows[i].poll_ms, 4); /* GS-15 */
		dfu_reply_delivered(&f.dfuse);
		assert_int_equal(f.job.kind, JOB_BAD_COMMAND);
		dfuse_finish(&f.dfuse, DFU_ERR_STALLEDPKT);
		expect_status(&f, rows[i].name, 0x0f, 0, 10);
	}
}

static void a_command_that_get_does_not_list_is_unknown(void **state)
{
	struct fixture f;

	(void)state;
	drive_to(&f, DFU_IDLE);
	f.profile.get_commands_count = 3;
	assert_int_equal(download(&f, 0, "\x92", 1), USB_ACK);
	expect_status(&f, "no 0x92", 0x0f, 0, 10);
}

static void block_1_is_refused_or_ignored_as_the_profile_says(void **state)
{
	struct fixture f;

	(void)state; /* U5 */
	drive_to(&f, DFU_DNLOAD_IDLE);
	assert_int_equal(download(&f, 1, "x", 1), USB_STALL);
	expect_status(&f, "BLK-2", 0, 0, 5);
	f.profile.block1_download_stalls = false;
	assert_int_equal(download(&f, 1, "x", 1), USB_ACK);
	expect_status(&f, "taken", 0, 104, 4);
	dfu_reply_delivered(&f.dfuse);
	assert_int_equal(f.job.kind, JOB_NOTHING);
	dfuse_finish(&f.dfuse, DFU_OK);
	expect_status(&f, "nothing done", 0, 0, 5);

	drive_to(&f, DFU_IDLE);
	assert_int_equal(request(&f, DFU_UPLOAD, 1, 64, NULL), USB_STALL);
	expect_status(&f, "UP-5", 0x0f, 0, 10);
	drive_to(&f, DFU_IDLE);
	f.profile.block1_upload_status = 0;
	assert_int_equal(request(&f, DFU_UPLOAD, 1, 64, NULL), USB_STALL);
	expect_status(&f, "unchanged", 0, 0, 2);
	assert_int_equal(f.reads, 0);
}

static void transfers_above_2048_are_refused_or_taken_as_the_profile_says(void **state)
{
	struct fixture f;
	size_t actual;

	(void)state; /* U7 */
	drive_to(&f, DFU_IDLE);
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 2049, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_UPLOAD, 2, 4096, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_UPLOAD, 0, 4096, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_UPLOAD, 1, 4096, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_DNLOAD, 0, 65535, NULL), USB_STALL);
	expect_status(&f, "BLK-13", 0, 0, 2);
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 2048, NULL), USB_ACK);
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	f.profile.oversize_stalls = false;
	assert_int_equal(request(&f, DFU_UPLOAD, 3, 4096, &actual), USB_ACK);
	assert_int_equal(actual, 4096);
	assert_int_equal(f.read_address, 0x08000800);
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 4097, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 4096, NULL), USB_ACK);
	announce(&f);
	assert_int_equal(f.job.length, 4096);
}

static void get_answers_the_command_list(void **state)
{
	static const struct {
		uint16_t give, want_length;
		enum dfu_state want_state;
	} rows[] = { { 2048, 4, DFU_IDLE },
		     { 5, 4, DFU_IDLE },
		     { 4, 4, DFU_UPLOAD_IDLE },
		     { 3, 3, DFU_UPLOAD_IDLE },
		     { 1, 1, DFU_UPLOAD_IDLE } };

	(void)state; /* CMD-1, UP-2; U9 */
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		size_t actual;

		drive_to(&f, DFU_IDLE);
		assert_int_equal(request(&f, DFU_UPLOAD, 0, rows[i].give, &actual), USB_ACK);
		assert_int_equal(actual, rows[i].want_length);
		assert_memory_equal(buffer, "\x00\x21\x41\x92", actual);
		assert_int_equal(f.dfuse.state, rows[i].want_state);
		assert_int_equal(f.reads, 0);
		f.profile.short_get_goes_idle = false;
		assert_int_equal(request(&f, DFU_UPLOAD, 0, rows[i].give, &actual), USB_ACK);
		assert_int_equal(f.dfuse.state, DFU_UPLOAD_IDLE);
	}
}

static void a_refused_upload_ends_as_the_profile_says(void **state)
{
	static const enum dfu_status answers[] = { DFU_ERR_TARGET, DFU_ERR_VENDOR };

	(void)state; /* U4 */
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		size_t actual;

		drive_to(&f, DFU_IDLE);
		f.read_answer = answers[i];
		assert_int_equal(request(&f, DFU_UPLOAD, 2, 64, NULL), USB_STALL);
		expect_status(&f, "UP-7", (uint8_t)answers[i], 0, 10);

		drive_to(&f, DFU_IDLE);
		f.read_answer = answers[i];
		f.profile.upload_refusal = UPLOAD_REFUSED_EMPTY;
		assert_int_equal(request(&f, DFU_UPLOAD, 2, 64, &actual), USB_ACK);
		assert_int_equal(actual, 0);
		expect_status(&f, "empty", (uint8_t)answers[i], 0, 10);
	}
}

static void abort_in_dfuerror_does_what_the_profile_says(void **state)
{
	struct fixture f;

	(void)state; /* U12 */
	drive_to(&f, DFU_ERROR);
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	expect_status(&f, "RST-2", 0x0a, 0, 10);
	f.profile.abort_leaves_error = true;
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	expect_status(&f, "leaves", 0, 0, 2);
}

static void abort_drops_the_buffered_command(void **state)
{
	struct fixture f;

	(void)state; /* ST-21 */
	drive_to(&f, DFU_DNLOAD_SYNC);
	assert_int_equal(request(&f, DFU_ABORT, 0, 0, NULL), USB_ACK);
	announce(&f);
	assert_int_equal(f.jobs, 0);
	assert_int_equal(f.dfuse.state, DFU_IDLE);
	assert_int_equal(f.dfuse.pointer, 0x08000000);
}

static void detach_reattaches_where_the_profile_says_so(void **state)
{
	struct fixture f;

	(void)state; /* U11 */
	drive_to(&f, DFU_DNLOAD_IDLE);
	assert_int_equal(request(&f, DFU_DETACH, 1000, 0, NULL), USB_ACK);
	dfu_reply_delivered(&f.dfuse);
	assert_int_equal(f.jobs, 0);
	f.profile.detach_reattaches = true;
	assert_int_equal(request(&f, DFU_DETACH, 1000, 0, NULL), USB_ACK);
	dfu_reply_delivered(&f.dfuse);
	assert_int_equal(f.job.kind, JOB_DETACH);
	dfuse_finish(&f.dfuse, DFU_OK);
	assert_int_equal(f.dfuse.state, DFU_IDLE);
}

static void roms_that_answer_while_busy_say_so_or_stall(void **state)
{
	struct fixture f;

	(void)state; /* EX-11; U3 */
	drive_to(&f, DFU_DNBUSY);
	f.profile.busy_rule = BUSY_SAYS_BUSY;
	expect_status(&f, "busy again", 0, 104, 4);
	expect_status(&f, "and again", 0, 104, 4);
	assert_int_equal(request(&f, DFU_GETSTATE, 0, 1, NULL), USB_ACK);
	assert_int_equal(buffer[0], 4);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_STALL);
	dfu_reply_delivered(&f.dfuse);
	assert_int_equal(f.jobs, 0); /* asking again starts nothing */
	dfuse_finish(&f.dfuse, DFU_OK);
	expect_status(&f, "done", 0, 0, 5);

	drive_to(&f, DFU_DNBUSY);
	f.profile.busy_rule = BUSY_STALLS;
	assert_int_equal(request(&f, DFU_GETSTATUS, 0, 6, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_GETSTATE, 0, 1, NULL), USB_STALL);
	dfuse_finish(&f.dfuse, DFU_OK);
	expect_status(&f, "done", 0, 0, 5);
}

static void an_operation_may_never_end(void **state)
{
	struct fixture f;

	(void)state; /* U14, the other way: DFU_STAYS_BUSY */
	drive_to(&f, DFU_DNBUSY);
	dfuse_finish(&f.dfuse, DFU_STAYS_BUSY);
	expect_status(&f, "busy", 0, 104, 4);
	expect_status(&f, "for ever", 0, 104, 4);
	dfu_reply_delivered(&f.dfuse);
	assert_int_equal(f.jobs, 0);
	assert_int_equal(request(&f, DFU_GETSTATE, 0, 1, NULL), USB_ACK);
	assert_int_equal(request(&f, DFU_DNLOAD, 2, 64, NULL), USB_STALL);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	expect_status(&f, "ST-24", 0x0e, 0, 10);
	assert_int_equal(request(&f, DFU_CLRSTATUS, 0, 0, NULL), USB_ACK);
	expect_status(&f, "free", 0, 0, 2);
}

static void the_owner_hears_of_each_change_once(void **state)
{
	struct fixture f;

	(void)state;
	drive_to(&f, DFU_IDLE);
	assert_int_equal(download(&f, 0, set_address, 5), USB_ACK); /* 3 */
	announce(&f);                                               /* 4 */
	dfuse_finish(&f.dfuse, DFU_OK);                             /* 5 */
	announce(&f);
	assert_int_equal(f.changes, 3);
	restart(&f); /* 10 */
	assert_int_equal(f.changes, 4);
	assert_int_equal(f.dfuse.status, DFU_ERR_FIRMWARE); /* ST-11 */
	assert_int_equal(f.dfuse.pointer, 0x08000000);
}

static void names_are_those_of_dfu_1_1(void **state)
{
	(void)state;
	assert_string_equal(dfu_state_name(2), "dfuIDLE");
	assert_string_equal(dfu_state_name(10), "dfuERROR");
	assert_string_equal(dfu_state_name(11), "?");
	assert_string_equal(dfu_status_name(0), "OK");
	assert_string_equal(dfu_status_name(10), "errFIRMWARE");
	assert_string_equal(dfu_status_name(15), "errSTALLEDPKT");
	assert_string_equal(dfu_status_name(16), "?");
	assert_string_equal(dfu_request_name(3), "DFU_GETSTATUS");
	assert_string_equal(dfu_request_name(7), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_of_the_request_table_is_as_documented),
		cmocka_unit_test(stalls_for_a_wrong_state_enter_dfuerror_where_the_profile_says_so),
		cmocka_unit_test(clrstatus_outside_dfuerror_stalls_where_the_profile_says_so),
		cmocka_unit_test(requests_in_the_wrong_direction_stall),
		cmocka_unit_test(getstatus_announces_the_documented_timeouts),
		cmocka_unit_test(timeouts_may_differ_by_the_memory_of_the_old_pointer),
		cmocka_unit_test(getstatus_replies_of_the_other_states),
		cmocka_unit_test(blocks_count_in_2048_bytes_from_the_pointer),
		cmocka_unit_test(the_pointer_follows_commands_and_survives_the_rest),
		cmocka_unit_test(bad_commands_show_when_the_profile_says),
		cmocka_unit_test(a_command_that_get_does_not_list_is_unknown),
		cmocka_unit_test(block_1_is_refused_or_ignored_as_the_profile_says),
		cmocka_unit_test(transfers_above_2048_are_refused_or_taken_as_the_profile_says),
		cmocka_unit_test(get_answers_the_command_list),
		cmocka_unit_test(a_refused_upload_ends_as_the_profile_says),
		cmocka_unit_test(abort_in_dfuerror_does_what_the_profile_says),
		cmocka_unit_test(abort_drops_the_buffered_command),
		cmocka_unit_test(detach_reattaches_where_the_profile_says_so),
		cmocka_unit_test(roms_that_answer_while_busy_say_so_or_stall),
		cmocka_unit_test(an_operation_may_never_end),
		cmocka_unit_test(the_owner_hears_of_each_change_once),
		cmocka_unit_test(names_are_those_of_dfu_1_1),
	};

	return cmocka_run_group_tests_name("dfuse", tests, NULL, NULL);
}
