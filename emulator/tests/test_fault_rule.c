/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault rules as text: what is accepted, what it means, and what is said about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "dfuse.h"
#include "fault_rule.h"
#include "faults.h"

static struct fault_rule parsed(const char *text)
{
	struct fault_rule rule;
	char why[FAULTS_WHY];

	if (faults_parse(text, &rule, why))
		fail_msg("'%s' is refused: %s", text, why);
	return rule;
}

static void rules_come_back_as_they_are_written(void **state)
{
	static const struct {
		const char *give, *want;
	} rows[] = {
		{ "stall on=dnload,block=2", "stall on=dnload,block=2" },
		{ "stall on=dnload block=2", "stall on=dnload,block=2" },
		{ "stall,on=dnload,,block=0x02", "stall on=dnload,block=2" },
		{ "  STALL ON=Dnload ", "stall on=dnload" },
		{ "stall", "stall" },
		{ "silent on=getstatus+getstate", "silent on=getstatus+getstate" },
		{ "bus-error on=any,count=any", "bus-error on=any,count=any" },
		{ "delay=300ms on=getstatus,count=3", "delay=300ms on=getstatus,count=3" },
		{ "delay=1.5s", "delay=1500ms" },
		{ "delay=2min", "delay=120s" },
		{ "delay=0.0005ms", NULL },
		{ "delay=0.001ms", "delay=1us" },
		{ "delay=1.0000000000000s", "delay=1s" },
		{ "delay=0.00000000000001s", NULL },
		{ "short=0 on=upload", "short=0 on=upload" },
		{ "corrupt", "corrupt" },
		{ "corrupt=7 on=write", "corrupt=7 on=write" },
		{ "status=errwrite", "status=errWRITE" },
		{ "status=0x0B", "status=errVENDOR" },
		{ "status=0xfe:dfuIDLE on=getstatus", "status=0xfe:dfuIDLE on=getstatus" },
		{ "unplug", "unplug" },
		{ "unplug=2s from=1s,after=10ms", "unplug=2s from=1s,after=10ms" },
		{ "power-cut on=write,address=0x08004000,after=10ms",
		  "power-cut on=write,address=0x08004000,after=10ms" },
		{ "reset on=erase,address=0x08000000-0x08003fff", "reset on=erase,address=0x08000000-0x08003fff" },
		{ "flaky-hse=40s count=2", "flaky-hse=40s count=2" },
		{ "stall state=dfuerror,count=3-5", "stall state=dfuERROR,count=3-5" },
		{ "stall count=every:2,probability=25%", "stall count=every:2,probability=0.250000" },
		{ "stall probability=1", "stall" },
		{ "stall block=2-9", "stall block=2-9" },
		{ "stall block=65536", NULL },
		{ "stall block=9-2", NULL },
		{ "stall count=0", NULL },
		{ "stall count=every:0", NULL },
		{ "stall count=4294967295", NULL },
		{ "stall probability=0", NULL },
		{ "stall probability=1.1", NULL },
		{ "stall probability=101%", NULL },
		{ "stall probability=0.0000001", NULL },
		{ "delay=5", NULL },
		{ "delay=-5ms", NULL },
		{ "delay=ms", NULL },
		{ "delay=1.s", NULL },
		{ "delay=.5s", NULL },
		{ "delay=0x5s", NULL },
		{ "delay=12d", NULL },
		{ "delay=1000001s", NULL },
		{ "delay=99999999999999999999s", NULL },
		{ "address=0x08000000", NULL },
		{ "stall address=0x1ffffffff", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[FAULT_RULE_BYTES], why[FAULTS_WHY];
		struct fault_rule rule;

		if (!rows[i].want) {
			if (!faults_parse(rows[i].give, &rule, why))
				fail_msg("'%s' is accepted", rows[i].give);
			continue;
		}
		rule = parsed(rows[i].give);
		fault_rule_format(&rule, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

static void mistakes_are_told_with_place_and_expectation(void **state)
{
	static const struct {
		const char *give, *want;
	} rows[] = {
		{ "stall on=dnlaod",
		  "fault rule: column 10: 'dnlaod': expected a request (any, dfu, dnload, upload, getstatus, "
		  "clrstatus, getstate, abort, detach, set-address, erase, mass-erase, unprotect, write, "
		  "leave, get, read, get-descriptor, set-configuration, get-configuration, set-interface, "
		  "get-interface, set-usb-address), did you mean 'dnload'?" },
		{ "stal",
		  "fault rule: column 1: 'stal': expected an action (stall, silent, bus-error, delay, short, corrupt, "
		  "status, unplug, power-cut, reset, flaky-hse), did you mean 'stall'?" },
		{ "stall blokc=2",
		  "fault rule: column 7: 'blokc': expected a condition (on, block, address, state, count, "
		  "probability, from, after), did you mean 'block'?" },
		{ "stall block", "fault rule: column 12: expected '=' and a value after 'block'" },
		{ "stall block=", "fault rule: column 13: expected a block number up to 65535, or a range as 2-9" },
		{ "stall=3", "fault rule: column 7: '3': 'stall' takes no value" },
		{ "delay on=dnload", "fault rule: column 1: 'delay': expected '=' and a time, as delay=300ms" },
		{ "delay=300", "fault rule: column 7: '300': expected a time with its unit, as 300ms or 1.5s" },
		{ "stall on=dnload,on=upload", "fault rule: column 17: 'on': this condition is there already" },
		{ "stall after=3ms",
		  "fault rule: column 7: 'after': 'after' goes with unplug, power-cut and reset (for a "
		  "transfer: delay)" },
		{ "flaky-hse on=dnload",
		  "fault rule: column 11: 'on': 'flaky-hse' is decided at boot: expected count, probability or from" },
		{ "status=OK on=dnload",
		  "fault rule: column 14: 'dnload': 'status' changes replies to getstatus and nothing else" },
		{ "stall probability=2",
		  "fault rule: column 19: '2': expected a probability, as 0.25 or 25%, above 0 and up to 1" },
		{ "",
		  "fault rule: column 1: expected an action (stall, silent, bus-error, delay, short, corrupt, status, "
		  "unplug, power-cut, reset, flaky-hse)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fault_rule rule;
		char why[FAULTS_WHY];

		assert_int_not_equal(faults_parse(rows[i].give, &rule, why), 0);
		assert_string_equal(why, rows[i].want);
	}
}

static void a_rule_fires_once_unless_told_otherwise(void **state)
{
	struct fault_rule once = parsed("stall on=dnload"), always = parsed("stall on=dnload,count=any");

	(void)state;
	assert_int_equal(once.count_first, 1);
	assert_int_equal(once.count_last, 1);
	assert_int_equal(always.count_first, 1);
	assert_int_equal(always.count_last, FAULT_ALWAYS);
}

static void without_on_it_is_any_dfu_request(void **state)
{
	(void)state;
	assert_int_equal(parsed("stall").on, FAULT_BIT(FAULT_DFU));
	assert_int_equal(parsed("status=OK").on, FAULT_BIT(FAULT_GETSTATUS));
}

static void an_action_on_the_board_without_transfers_is_timed(void **state)
{
	struct fault_rule rule = parsed("unplug from=1s");

	(void)state;
	assert_true(fault_rule_is_timed(&rule));
	rule = parsed("unplug on=dnload");
	assert_false(fault_rule_is_timed(&rule));
	rule = parsed("unplug count=3");
	assert_false(fault_rule_is_timed(&rule));
	rule = parsed("stall from=1s");
	assert_false(fault_rule_is_timed(&rule));
	rule = parsed("flaky-hse");
	assert_false(fault_rule_is_timed(&rule));
}

static void every_request_at_once_fits_into_its_text(void **state)
{
	struct fault_rule rule = parsed(
		"status=errSTALLEDPKT:dfuMANIFEST-WAIT-RESET block=60000-65535,"
		"address=0x08000000-0xffffffff,state=dfuMANIFEST-WAIT-RESET,count=1000000-2000000,"
		"probability=0.5,from=999999999999us");
	char text[FAULT_RULE_BYTES];

	(void)state;
	rule.has_on = true;
	rule.on = FAULT_BIT(FAULT_REQUESTS) - 1;
	fault_rule_format(&rule, text, sizeof(text));
	assert_true(strlen(text) + 1 < sizeof(text));
	assert_non_null(strstr(text, "from=999999999999us"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_come_back_as_they_are_written),
		cmocka_unit_test(mistakes_are_told_with_place_and_expectation),
		cmocka_unit_test(a_rule_fires_once_unless_told_otherwise),
		cmocka_unit_test(without_on_it_is_any_dfu_request),
		cmocka_unit_test(an_action_on_the_board_without_transfers_is_timed),
		cmocka_unit_test(every_request_at_once_fits_into_its_text),
	};

	return cmocka_run_group_tests_name("fault_rule", tests, NULL, NULL);
}
