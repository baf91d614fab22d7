// SPDX-License-Identifier: GPL-2.0-or-later
/* Scripted hosts as text: what is accepted, what it means, and what is said about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dfuse.h"
#include "host_script.h"

static struct host_script *parse(const char *text, char **said)
{
	struct problems *problems = problems_new();
	size_t size;
	FILE *stream = open_memstream(said, &size);
	struct host_script *script;

	assert_non_null(problems);
	assert_non_null(stream);
	script = host_script_parse((struct mark){ "s", 1, 1 }, text, strlen(text), problems);
	assert_int_equal(!script, problems_count(problems) != 0);
	problems_print(problems, stream, false);
	fclose(stream);
	problems_free(problems);
	return script;
}

static struct host_script *parsed(const char *text)
{
	char *said;
	struct host_script *script = parse(text, &said);

	if (!script)
		fail_msg("'%s' is refused: %s", text, said);
	free(said);
	return script;
}

static void requests_are_those_of_dfu(void **state)
{
	static const struct {
		const char *give;
		enum host_verb verb;
		uint8_t type, request;
		uint16_t value, length;
		const char *data;
		size_t data_length;
	} rows[] = {
		{ "getstatus", HOST_GETSTATUS, 0xa1, 3, 0, 6, "", 0 },
		{ "GetState", HOST_GETSTATE, 0xa1, 5, 0, 1, "", 0 },
		{ "clrstatus", HOST_CLRSTATUS, 0x21, 4, 0, 0, "", 0 },
		{ "abort # and why", HOST_ABORT, 0x21, 6, 0, 0, "", 0 },
		{ "detach 255", HOST_DETACH, 0x21, 0, 255, 0, "", 0 },
		{ "dnload 2 hex 00 ffA5", HOST_DNLOAD, 0x21, 1, 2, 0, "\x00\xff\xa5", 3 },
		{ "dnload 0x10 fill 0xee 4", HOST_DNLOAD, 0x21, 1, 16, 0, "\xee\xee\xee\xee", 4 },
		{ "dnload 2 empty", HOST_DNLOAD, 0x21, 1, 2, 0, "", 0 },
		{ "set-address 0x08004000", HOST_DNLOAD, 0x21, 1, 0, 0, "\x21\x00\x40\x00\x08", 5 },
		{ "erase 0xffffffff", HOST_DNLOAD, 0x21, 1, 0, 0, "\x41\xff\xff\xff\xff", 5 },
		{ "mass-erase", HOST_DNLOAD, 0x21, 1, 0, 0, "\x41", 1 },
		{ "unprotect", HOST_DNLOAD, 0x21, 1, 0, 0, "\x92", 1 },
		{ "upload 3 2K", HOST_UPLOAD, 0xa1, 2, 3, 2048, "", 0 },
		{ "set-interface 3", HOST_SET_INTERFACE, 0, 0, 3, 0, "", 0 },
		{ "control 0x80 6 0x0100 0 18", HOST_CONTROL, 0x80, 6, 0x100, 18, "", 0 },
		{ "control 0x21 1 2 5 hex 01", HOST_CONTROL, 0x21, 1, 2, 0, "\x01", 1 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct host_script *script = parsed(rows[i].give);
		const struct host_step *s = script->steps;

		assert_int_equal(script->count, 1);
		assert_int_equal(s->verb, rows[i].verb);
		assert_int_equal(s->type, rows[i].type);
		assert_int_equal(s->request, rows[i].request);
		assert_int_equal(s->value, rows[i].value);
		assert_int_equal(s->length, rows[i].length);
		assert_int_equal(s->data.length, rows[i].data_length);
		if (rows[i].data_length)
			assert_memory_equal(s->data.bytes, rows[i].data, rows[i].data_length);
		assert_false(s->wish.given);
		host_script_free(script);
	}
}

static void what_is_expected_is_kept_with_its_request(void **state)
{
	struct host_script *script = parsed("getstatus wait -> dfuDNBUSY|dfuDNLOAD-IDLE OK|errUNKNOWN poll 104\n"
					    "settle -> DFUERROR errtarget; getstate -> dfuIDLE\n"
					    "dnload 1 hex 00 -> stall\n"
					    "upload 2 4 -> hex 01 02 03 04\n"
					    "upload 2 100 -> length 7\n"
					    "upload 2 9 -> file image offset 3 length 9\n"
					    "getstatus -> gone; clrstatus -> any; abort -> error; abort -> timeout");
	const struct host_step *s = script->steps;

	(void)state;
	assert_int_equal(script->count, 11);
	assert_true(s[0].wait);
	assert_int_equal(s[0].wish.states, 1 << DFU_DNBUSY | 1 << DFU_DNLOAD_IDLE);
	assert_int_equal(s[0].wish.statuses, 1 << DFU_OK | 1 << DFU_ERR_UNKNOWN);
	assert_true(s[0].wish.has_poll);
	assert_int_equal(s[0].wish.poll_ms, 104);
	assert_int_equal(s[1].wish.states, 1 << DFU_ERROR);
	assert_int_equal(s[1].wish.statuses, 1 << DFU_ERR_TARGET);
	assert_int_equal(s[2].wish.states, 1 << DFU_IDLE);
	assert_int_equal(s[3].wish.end, HOST_STALL);
	assert_int_equal(s[4].wish.data.length, 4);
	assert_true(s[5].wish.has_length);
	assert_int_equal(s[5].wish.length, 7);
	assert_string_equal(s[6].wish.data.file, "image");
	assert_int_equal(s[6].wish.data.offset, 3);
	assert_ptr_equal(host_script_file(script, 0), &s[6].wish.data);
	assert_null(host_script_file(script, 1));
	assert_int_equal(s[7].wish.end, HOST_GONE);
	assert_int_equal(s[8].wish.end, HOST_ANY);
	assert_int_equal(s[9].wish.end, HOST_ERROR);
	assert_int_equal(s[10].wish.end, HOST_LATE);
	host_script_free(script);
}

static void a_line_with_chunks_binds_its_requests_together(void **state)
{
	struct host_script *script = parsed(
		"clrstatus\n"
		"each 2K of image offset 16 length 0x1000 at 0x08020000: set-address @; dnload @ @; upload 2 @ -> @\n"
		"each 1 of other at 0: abort;\n");
	const struct host_step *s = script->steps;

	(void)state;
	assert_int_equal(script->count, 5);
	assert_null(s[0].each);
	assert_ptr_equal(s[1].each, s[3].each);
	assert_ptr_not_equal(s[3].each, s[4].each);
	assert_int_equal(s[1].each->size_bytes, 2048);
	assert_int_equal(s[1].each->address, 0x08020000);
	assert_int_equal(s[1].each->file.offset, 16);
	assert_int_equal(s[1].each->file.length, 4096);
	assert_true(s[1].chunk_address);
	assert_true(s[2].chunk_block);
	assert_int_equal(s[2].data.kind, HOST_CHUNK);
	assert_true(s[3].chunk_length);
	assert_int_equal(s[3].wish.data.kind, HOST_CHUNK);
	assert_string_equal(host_script_file(script, 1)->file, "other");
	host_script_free(script);
}

static void open_comes_first_or_is_implied(void **state)
{
	struct host_script *script = parsed("\n# a board\nopen 28e9:0189 serial 3CBJ within 3s\nclose; open\n");

	(void)state;
	assert_true(script->opens);
	assert_int_equal(script->steps[0].vendor, 0x28e9);
	assert_int_equal(script->steps[0].product, 0x0189);
	assert_string_equal(script->steps[0].serial, "3CBJ");
	assert_int_equal(script->steps[0].time_us, 3000000);
	assert_int_equal(script->steps[0].mark.line, 3);
	assert_int_equal(script->steps[2].vendor, 0x0483);
	assert_int_equal(script->steps[2].mark.column, 8);
	host_script_free(script);
	script = parsed("getstatus");
	assert_false(script->opens);
	host_script_free(script);
}

static void text_to_a_serial_port_is_quoted(void **state)
{
	struct host_script *script = parsed("open-serial f055:9800; send \"a;#\\\"\\x41\\x00\\r\\n\" ; expect "
					    "\"^4;2$\" within 1s # \"\nexpect \"x\"");

	(void)state;
	assert_true(script->opens);
	assert_int_equal(script->count, 4);
	assert_int_equal(script->steps[0].verb, HOST_OPEN_SERIAL);
	assert_int_equal(script->steps[1].data.length, 8);
	assert_memory_equal(script->steps[1].data.bytes, "a;#\"A\0\r\n", 8);
	assert_string_equal(script->steps[2].regex, "^4;2$");
	assert_int_equal(script->steps[2].time_us, 1000000);
	assert_int_equal(script->steps[3].time_us, 5000000);
	host_script_free(script);
}

static void mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *give, *want;
	} rows[] = {
		{ "getstatsu", "s:1:1: error: unknown request 'getstatsu', did you mean 'getstatus'?" },
		{ "\n  clrstatus -> stal", "s:2:16: error: unknown expectation 'stal', did you mean 'stall'?" },
		{ "getstatus -> dfuIDEL", "s:1:14: error: unknown state 'dfuIDEL', did you mean 'dfuIDLE'?" },
		{ "getstatus -> dfuIDLE|x", "s:1:22: error: unknown state 'x'" },
		{ "getstatus -> dfuERROR errTARGE",
		  "s:1:23: error: unknown status 'errTARGE', did you mean 'errTARGET'?" },
		{ "getstatus ->", "s:1:13: error: what is expected is missing" },
		{ "abort; abort 3", "s:1:14: error: '3' is one word too many after 'abort'" },
		{ "dnload 2", "s:1:9: error: what to send" },
		{ "dnload 2 hxe 00", "s:1:10: error: unknown kind of data 'hxe', did you mean 'hex'?" },
		{ "dnload 2 hex 0", "s:1:14: error: '0' is no byte" },
		{ "dnload 2 hex 00 0g", "s:1:17: error: '0g' is no byte" },
		{ "dnload 2 hex", "s:1:13: error: bytes are missing" },
		{ "dnload 70000 empty", "s:1:8: error: the block number is 70000, and at most 65535" },
		{ "dnload two empty", "s:1:8: error: 'two' is no number" },
		{ "dnload 2 @", "s:1:10: error: '@' stands for a chunk" },
		{ "upload 2 99999", "s:1:10: error: the number of bytes is 99999" },
		{ "erase 0x100000000", "s:1:7: error: '0x100000000' is no number" },
		{ "sleep 5", "s:1:7: error: '5' is no time" },
		{ "timeout 1us", "s:1:9: error: a timeout is at least 1ms" },
		{ "sleep 5s -> ok", "error: nothing can be expected of 'sleep 5s -> ok'" },
		{ "open 483:df11", "s:1:6: error: '483:df11' is no USB id" },
		{ "open 0483:df1x", "s:1:6: error: '0483:df1x' is no USB id" },
		{ "each 0 of x at 1: abort", "s:1:6: error: a chunk has at least one byte" },
		{ "each 5 of x at 1 abort", "error: ':' and requests are missing" },
		{ "each 5 of x: abort", "s:1:12: error: 'at ADDRESS' is missing" },
		{ "each 5 of x at 1:", "s:1:18: error: a request is missing" },
		{ "abort; each 5 of x at 1: abort", "s:1:8: error: 'each' begins a line" },
		{ "send x", "s:1:6: error: unknown kind of data 'x'" },
		{ "send", "s:1:5: error: the text to send is missing" },
		{ "send \"\"", "error: there is nothing to send" },
		{ "send \"a\\q\"", "s:1:8: error: only \\n" },
		{ "send \"a\\x4\"", "s:1:8: error: only \\n" },
		{ "send \"a; abort", "s:1:6: error: the text to send has no closing '\"'" },
		{ "send \"a\" -> ok", "error: nothing can be expected of 'send \"a\" -> ok'" },
		{ "expect \"(\"", "s:1:8: error: no regular expression: " },
		{ "expect \"a\\x00\"", "s:1:8: error: an expression is text" },
		{ "expect \"a\" with 1s", "error: 'with' is one word too many after 'expect'" },
		{ ";", "s:1:1: error: a request is missing" },
		{ "", "s:1:1: error: there is no request in it" },
		{ "# nothing\n\n", "there is no request in it" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *said;

		if (parse(rows[i].give, &said))
			fail_msg("'%s' is accepted", rows[i].give);
		if (!strstr(said, rows[i].want))
			fail_msg("'%s': '%s' is not in '%s'", rows[i].give, rows[i].want, said);
		free(said);
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	struct problems *problems = problems_new();
	const char *text = "frob; abort 1; dnload 2 hex 0g\ngetstatus -> x\nclrstatus\n";

	(void)state;
	assert_null(host_script_parse((struct mark){ "s", 7, 3 }, text, strlen(text), problems));
	assert_int_equal(problems_count(problems), 4);
	problems_free(problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_those_of_dfu),
		cmocka_unit_test(what_is_expected_is_kept_with_its_request),
		cmocka_unit_test(a_line_with_chunks_binds_its_requests_together),
		cmocka_unit_test(open_comes_first_or_is_implied),
		cmocka_unit_test(text_to_a_serial_port_is_quoted),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(all_mistakes_are_told_at_once),
	};

	return cmocka_run_group_tests_name("host_script", tests, NULL, NULL);
}
