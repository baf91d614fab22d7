/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns over requests: what they match, and what is said of mistakes in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "pattern.h"

static const uint8_t bytes[] = { 0x21, 0x00, 0x40, 0x00, 0x08 };
static const struct exchange set_address = {
	.complete = true,
	.board = 1,
	.setup = { 0x21, 1, 0, 0, 5 },
	.data = bytes,
	.length = 5,
	.actual = 5,
	.op = OP_SET_ADDRESS,
	.has_target = true,
	.target = 0x08004000,
	.before = DFU_IDLE,
	.after = DFU_DNLOAD_SYNC,
};
static const struct exchange write_last = {
	.complete = true,
	.board = 2,
	.setup = { 0x21, 1, 9, 0, 392 },
	.op = OP_WRITE,
	.has_target = true,
	.target = 0x08000000,
	.before = DFU_STATE_UNKNOWN,
	.after = DFU_STATE_UNKNOWN,
	.result = USB_CANCELLED,
};
static const struct exchange getstatus = {
	.complete = true,
	.setup = { 0xa1, 3, 0, 0, 6 },
	.op = OP_GETSTATUS,
	.before = DFU_DNLOAD_SYNC,
	.after = DFU_DNBUSY,
	.reply_state = DFU_DNBUSY,
	.status = DFU_ERR_TARGET,
	.poll_ms = 104,
	.has_reply = true,
};
static const struct exchange stalled = {
	.complete = true,
	.setup = { 0xa1, 2, 2, 1, 2048 },
	.op = OP_READ,
	.has_target = true,
	.before = DFU_DNLOAD_IDLE,
	.after = DFU_DNLOAD_IDLE,
	.result = USB_STALL,
};
static const struct exchange set_interface = {
	.complete = true,
	.setup = { 0x01, 11, 1, 0, 0 },
	.before = DFU_STATE_UNKNOWN,
	.after = DFU_STATE_UNKNOWN,
};
static const struct exchange vendor = { .setup = { 0x40, 11, 1, 0, 0 }, .result = USB_SILENT };

static void patterns_match_what_they_say(void **state)
{
	static const struct {
		const char *pattern;
		const struct exchange *exchange;
		bool matches;
	} cases[] = {
		{ "SET_ADDRESS", &set_address, true },
		{ "set-address", &set_address, true },
		{ "DNLOAD", &set_address, true },
		{ "UPLOAD", &set_address, false },
		{ "UPLOAD", &stalled, true },
		{ "DFU", &getstatus, true },
		{ "DFU", &set_interface, false },
		{ "ANY", &set_interface, true },
		{ "ANY", &vendor, true },
		{ "SET_INTERFACE", &set_interface, true },
		{ "SET_INTERFACE", &vendor, false },
		{ "SET_USB_ADDRESS", &set_address, false },
		{ "ERASE|SET_ADDRESS", &set_address, true },
		{ "ERASE|WRITE", &set_address, false },
		{ "SET_ADDRESS address=0x08004000", &set_address, true },
		{ "SET_ADDRESS address=0x08000000-0x08003fff", &set_address, false },
		{ "SET_ADDRESS address=0x08000000-0x08004000", &set_address, true },
		{ "SET_ADDRESS address!=0x08000000-0x08003fff", &set_address, true },
		{ "SET_ADDRESS address>=0x08004000", &set_address, true },
		{ "SET_ADDRESS address>0x08004000", &set_address, false },
		{ "GETSTATUS address=0", &getstatus, false },
		{ "GETSTATUS address!=0", &getstatus, false },
		{ "WRITE block=9 length<2048", &write_last, true },
		{ "WRITE block=2-8", &write_last, false },
		{ "WRITE length<=392", &write_last, true },
		{ "WRITE length<392", &write_last, false },
		{ "READ length=2K", &stalled, true },
		{ "READ index!=0", &stalled, true },
		{ "DNLOAD board=2", &write_last, true },
		{ "DNLOAD board=2", &set_address, false },
		{ "SET_ADDRESS data=2100", &set_address, true },
		{ "SET_ADDRESS data=2101", &set_address, false },
		{ "SET_ADDRESS data!=2101", &set_address, true },
		{ "SET_ADDRESS data=210040000800", &set_address, false },
		{ "WRITE data=ff", &write_last, false },
		{ "SET_INTERFACE alt=1", &set_interface, true },
		{ "SET_INTERFACE alt=0", &set_interface, false },
		{ "SET_INTERFACE value=1 index=0", &set_interface, true },
		{ "GETSTATUS poll=104ms", &getstatus, true },
		{ "GETSTATUS poll>104", &getstatus, false },
		{ "SET_ADDRESS in dfuIDLE", &set_address, true },
		{ "SET_ADDRESS in DFUIDLE|dfuDNLOAD-IDLE", &set_address, true },
		{ "SET_ADDRESS in dfuERROR", &set_address, false },
		{ "WRITE in unknown", &write_last, true },
		{ "WRITE in dfuIDLE", &write_last, false },
		{ "ANY in unknown", &set_interface, false },
		{ "GETSTATUS -> dfuDNBUSY", &getstatus, true },
		{ "GETSTATUS -> dfuERROR|dfuDNLOAD-IDLE", &getstatus, false },
		{ "GETSTATUS -> errTARGET", &getstatus, true },
		{ "GETSTATUS -> OK", &getstatus, false },
		{ "SET_ADDRESS -> dfuDNLOAD-SYNC", &set_address, true },
		{ "SET_ADDRESS -> ack", &set_address, true },
		{ "READ -> STALL", &stalled, true },
		{ "READ -> ACK", &stalled, false },
		{ "WRITE -> ACK|CANCELLED", &write_last, true },
		{ "ANY -> SILENT", &vendor, true },
		{ "ANY -> unknown", &set_interface, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[PATTERN_WHY];
		size_t column;
		struct pattern *p = pattern_parse(cases[i].pattern, &column, why);

		if (!p)
			fail_msg("'%s': %zu: %s", cases[i].pattern, column, why);
		if (pattern_matches(p, cases[i].exchange) != cases[i].matches)
			fail_msg("'%s' should%s match (case %zu)", cases[i].pattern, cases[i].matches ? "" : " not", i);
		pattern_free(p);
	}
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *pattern;
		size_t column;
		const char *why;
	} cases[] = {
		{ "", 1, "begins with a request" },
		{ "   ", 4, "begins with a request" },
		{ "GETSTATSU", 1, "unknown request 'GETSTATSU', did you mean 'GETSTATUS'?" },
		{ "ERASE|WRTE", 7, "unknown request 'WRTE', did you mean 'WRITE'?" },
		{ "ERASE|", 7, "unknown request ''" },
		{ "ERASE adress=1", 7, "unknown key 'adress', did you mean 'address'?" },
		{ "ERASE address", 7, "expected KEY=VALUE" },
		{ "ERASE address=", 15, "'' is no number" },
		{ "ERASE address=12q", 17, "'q' does not belong to a number" },
		{ "ERASE address=0x", 15, "no number" },
		{ "ERASE address=5-3", 15, "ends before it begins" },
		{ "ERASE address<5-9", 16, "'-9' does not belong to a number" },
		{ "ERASE address=5-", 17, "'' is no number" },
		{ "ERASE address=99999999999999999999", 15, "no number" },
		{ "ERASE address=<5", 14, "none of the operators" },
		{ "WRITE data=abc", 12, "no bytes in hexadecimal" },
		{ "WRITE data<ab", 12, "compared by = or != only" },
		{ "ABORT in", 9, "a state is missing" },
		{ "ABORT in dfuIDEL", 10, "unknown state 'dfuIDEL', did you mean 'dfuIDLE'?" },
		{ "ABORT ->", 9, "an outcome is missing" },
		{ "ABORT -> STAL", 10, "unknown outcome 'STAL', did you mean 'STALL'?" },
		{ "ABORT -> STALL|errTARGT", 16, "did you mean 'errTARGET'?" },
		{ "ANY a=1", 5, "unknown key 'a': one of block, length" },
		{ "ANY block=1 block=1 block=1 block=1 block=1 block=1 block=1 block=1 block=1", 69, "too many" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[PATTERN_WHY];
		size_t column;
		struct pattern *p = pattern_parse(cases[i].pattern, &column, why);

		if (p)
			fail_msg("'%s' was taken", cases[i].pattern);
		if (!strstr(why, cases[i].why))
			fail_msg("'%s': '%s' instead of '%s'", cases[i].pattern, why, cases[i].why);
		if (column != cases[i].column)
			fail_msg("'%s': column %zu instead of %zu", cases[i].pattern, column, cases[i].column);
	}
}

static void every_operation_can_be_named(void **state)
{
	(void)state;
	for (int op = OP_NONE + 1; op < DFUSE_OPS; op++) {
		struct exchange x = { .op = (enum dfuse_op)op };
		char why[PATTERN_WHY];
		size_t column;
		struct pattern *p = pattern_parse(dfuse_op_name((enum dfuse_op)op), &column, why);

		assert_non_null(p);
		assert_true(pattern_matches(p, &x));
		pattern_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_what_they_say),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(every_operation_can_be_named),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
