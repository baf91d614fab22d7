/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each rule: what it tells of, and the nearest thing that is in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "rule_scenes.h"
#include "rule_scenes_flash.h"

static const struct rule_case {
	const char *id;
	const char *name;
	void (*make)(struct trial *);
	bool fires;
} cases[] = {
#define FIRES(id, make) \
	{ \
		id, #make, make, true \
	}
#define QUIET(id, make) \
	{ \
		id, #make, make, false \
	}
	FIRES("state-not-asked", work_at_once),
	QUIET("state-not-asked", ask_then_work),
	FIRES("clrstatus-missing", no_clrstatus),
	QUIET("clrstatus-missing", ask_then_work),
	FIRES("clrstatus-outside-error", clrstatus_in_idle),
	QUIET("clrstatus-outside-error", ask_then_work),
	QUIET("clrstatus-outside-error", clrstatus_while),
	FIRES("clrstatus-loop", clrstatus_while),
	QUIET("clrstatus-loop", clrstatus_in_idle),
	FIRES("polling-in-error", polls_for_ever),
	QUIET("polling-in-error", polls_and_gives_up),
	FIRES("no-abort-recovery", left_over_ignored),
	QUIET("no-abort-recovery", left_over_aborted),
	FIRES("abort-before-upload", upload_at_once),
	QUIET("abort-before-upload", upload_after_abort),
	FIRES("abort-before-download", download_after_upload),
	QUIET("abort-before-download", left_over_aborted),
	FIRES("getstatus-after-dnload", no_getstatus),
	FIRES("getstatus-after-dnload", no_getstatus_at_the_end),
	QUIET("getstatus-after-dnload", killed_before_getstatus),
	QUIET("getstatus-after-dnload", ask_then_work),
	FIRES("busy-not-waited-for", asks_once_only),
	QUIET("busy-not-waited-for", ask_then_work),
	FIRES("poll-timeout-ignored", polls_early),
	QUIET("poll-timeout-ignored", ask_then_work),
	FIRES("early-poll", polls_early_where_that_stalls),
	FIRES("early-poll", polls_early_and_is_stalled),
	QUIET("early-poll", polls_early),
	QUIET("early-poll", polls_late_where_early_stalls),
	FIRES("usb-timeout-too-short", gives_up_a_mass_erase_after_5_s),
	QUIET("usb-timeout-too-short", gives_up_a_mass_erase_after_35_s),
	FIRES("request-after-stall-ignored", goes_on_after_a_stall),
	QUIET("request-after-stall-ignored", asks_after_a_stall),
	FIRES("error-ignored", fails_and_says_success),
	FIRES("error-ignored", fails_and_goes_on),
	FIRES("error-ignored", fails_by_status_alone),
	QUIET("error-ignored", fails_and_says_so),
	QUIET("error-ignored", fails_and_tries_again),
	QUIET("error-ignored", script_that_expects_failure),
	QUIET("error-ignored", fails),
	FIRES("left-busy", gives_up_polling),
	FIRES("left-busy", ends_in_an_erase_and_says_success),
	QUIET("left-busy", ends_in_an_erase),
	QUIET("left-busy", ends_in_unprotect),
	QUIET("left-busy", ends_in_option_bytes),
	FIRES("left-unfinished", ask_then_work),
	QUIET("left-unfinished", ends_with_abort),
	FIRES("wrong-interface", another_interface),
	QUIET("wrong-interface", ask_then_work),
	FIRES("wrong-alt", options_by_alt_0),
	QUIET("wrong-alt", options_by_alt_1),
	QUIET("wrong-alt", ask_then_work),
	FIRES("block-number", block_1),
	FIRES("block-number", data_as_block_0),
	FIRES("block-number", block_number_wraps),
	FIRES("block-number", block_past_the_end),
	QUIET("block-number", block_1_of_plain_dfu),
	QUIET("block-number", last_block),
	FIRES("transfer-size", too_long),
	QUIET("transfer-size", last_block),
	FIRES("short-middle-block", short_block_in_the_middle),
	QUIET("short-middle-block", short_blocks_with_addresses),
	QUIET("short-middle-block", last_block),
	FIRES("odd-length", three_bytes),
	QUIET("odd-length", ask_then_work),
	FIRES("set-address-outside-map", address_0),
	QUIET("set-address-outside-map", address_0_as_asked),
	QUIET("set-address-outside-map", ask_then_work),
	FIRES("option-block", eight_option_bytes),
	QUIET("option-block", options_by_alt_1),
	FIRES("leave-without-getstatus", leaves_without_getstatus),
	QUIET("leave-without-getstatus", leaves),
	QUIET("leave-without-getstatus", leaves_a_device_that_goes_at_once),
	FIRES("getstatus-after-manifest", asks_who_has_left),
	QUIET("getstatus-after-manifest", leaves),
	QUIET("getstatus-after-manifest", asks_who_stays),
	FIRES("leave-without-set-address", leaves_to_the_last_block),
	FIRES("leave-without-set-address", leaves_where_an_earlier_run_was),
	QUIET("leave-without-set-address", leaves_to_the_image),
	QUIET("leave-without-set-address", leaves_with_rising_blocks),
	QUIET("leave-without-set-address", leaves_elsewhere_as_told),
	QUIET("leave-without-set-address", leaves_in_a_second_run),
	QUIET("leave-without-set-address", leaves),
	FIRES("erase-not-asked", erases_what_it_does_not_write),
	FIRES("erase-not-asked", erases_all_unasked),
	FIRES("erase-not-asked", erases_another_sector),
	QUIET("erase-not-asked", erases_all_as_asked),
	QUIET("erase-not-asked", erases_by_an_address_within),
	QUIET("erase-not-asked", erases_what_it_writes),
	QUIET("erase-not-asked", erases_for_a_write_that_fails),
	FIRES("erase-twice", erases_the_same_twice),
	QUIET("erase-twice", erases_after_a_write),
	QUIET("erase-twice", erases_in_a_second_run),
	QUIET("erase-twice", fails_and_tries_again),
	FIRES("write-without-erase", writes_over_what_was_there),
	FIRES("write-without-erase", writes_twice_what_differs),
	QUIET("write-without-erase", erases_then_writes),
	QUIET("write-without-erase", writes_over_as_asked),
	QUIET("write-without-erase", ask_then_work),
	FIRES("write-beyond-file", pads_with_noise),
	FIRES("write-beyond-file", writes_before_the_file),
	QUIET("write-beyond-file", pads_with_ff),
	FIRES("success-but-differs", says_success_over_blank_flash),
	FIRES("success-but-differs", says_erased_over_full_flash),
	QUIET("success-but-differs", says_success_rightly),
	QUIET("success-but-differs", says_erased_rightly),
	FIRES("failure-but-right", says_failure_over_good_flash),
	QUIET("failure-but-right", says_failure_having_done_nothing),
	FIRES("claimed-verify-without-upload", says_verified),
	FIRES("claimed-verify-without-upload", was_to_verify),
	QUIET("claimed-verify-without-upload", reads_back),
	QUIET("claimed-verify-without-upload", says_not_verified),
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void begin(struct trial *t)
{
	memset(t, 0, sizeof(*t));
	t->profile = *mcu_profile_find("f407");
	t->before = malloc(t->profile.flash_size_bytes);
	t->after = malloc(t->profile.flash_size_bytes);
	assert_non_null(t->before);
	assert_non_null(t->after);
	memset(t->before, 0xff, t->profile.flash_size_bytes);
	memset(t->after, 0xff, t->profile.flash_size_bytes);
	scene_begin(&t->s);
	scene_board(&t->s, 2, "326237753036");
}

static void end(struct trial *t)
{
	scene_end(&t->s);
	free(t->before);
	free(t->after);
}

/* Findings of the trial, to be freed. */
static struct finding *judge(struct trial *t, size_t *count)
{
	struct transcript_facts facts = transcript_facts_of(&t->profile);
	struct rules_input input = { .profile = &t->profile };
	struct finding *findings;

	input.transcript = scene_read(&t->s, &facts);
	if (t->has_call) {
		t->call.count = input.transcript->count - t->call.first;
		input.calls = &t->call;
		input.call_count = 1;
	}
	assert_int_equal(rules_judge(&input, &findings, count), 0);
	return findings;
}

static bool has(const struct finding *findings, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(findings[i].rule->id, id))
			return true;
	return false;
}

static void each_rule_tells_of_its_breach_and_of_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct trial t;
		struct finding *findings;
		size_t count;

		begin(&t);
		cases[i].make(&t);
		findings = judge(&t, &count);
		if (has(findings, count, cases[i].id) != cases[i].fires)
			fail_msg("%s %s: %s", cases[i].id, cases[i].fires ? "says nothing" : "cries wolf",
				 cases[i].name);
		free(findings);
		end(&t);
	}
}

static void every_rule_has_a_case_for_and_against(void **state)
{
	(void)state;
	for (const struct rule *r = rules; r->id; r++) {
		bool fires = false, quiet = false;

		for (size_t i = 0; i < CASES; i++) {
			fires |= !strcmp(cases[i].id, r->id) && cases[i].fires;
			quiet |= !strcmp(cases[i].id, r->id) && !cases[i].fires;
		}
		if (!fires || !quiet)
			fail_msg("%s has no case that it %s", r->id, fires ? "keeps quiet in" : "fires in");
	}
}

static void every_case_is_of_a_rule_and_every_rule_explains_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++)
		assert_non_null(rule_find(cases[i].id));
	assert_null(rule_find("no-such-rule"));
	for (const struct rule *r = rules; r->id; r++) {
		assert_ptr_equal(rule_find(r->id), r);
		assert_non_null(r->summary);
		assert_non_null(r->explanation);
		assert_non_null(r->citation);
		assert_non_null(severity_name(r->severity));
	}
}

static void a_finding_is_told_once_with_its_number(void **state)
{
	struct trial t;
	struct finding *findings;
	size_t count;

	(void)state;
	begin(&t);
	start(&t);
	for (unsigned i = 0; i < 3; i++)
		block_at(&t, BASE + 2048 * i, 3);
	scene_abort(&t.s);
	findings = judge(&t, &count);
	assert_int_equal(count, 1);
	assert_int_equal(findings[0].times, 3);
	assert_string_equal(findings[0].rule->id, "odd-length");
	assert_int_equal(t.s.transcript.exchanges[findings[0].exchange].target, BASE);
	assert_string_equal(findings[0].text, "3 bytes to 0x08000000: address and length are to be multiples of 4");
	free(findings);
	end(&t);
}

static void findings_come_in_the_order_of_requests(void **state)
{
	struct trial t;
	struct finding *findings;
	size_t count;

	(void)state;
	begin(&t);
	download(&t, 100);
	t.call.after = t.after; /* success-but-differs: the call as a whole */
	block_at(&t, BASE, 3);
	leave(&t);
	findings = judge(&t, &count);
	assert_int_equal(count, 3);
	for (size_t i = 1; i < count; i++)
		assert_true(findings[i - 1].exchange <= findings[i].exchange);
	assert_string_equal(findings[0].rule->id, "state-not-asked");
	assert_string_equal(findings[2].rule->id, "success-but-differs");
	assert_int_equal(findings[2].exchange, SIZE_MAX);
	free(findings);
	end(&t);
}

static void each_call_is_judged_by_itself(void **state)
{
	struct transcript_facts facts = transcript_facts_of(NULL);
	struct rules_call calls[2] = { { .raw = true, .ended = true }, { .raw = true, .ended = true } };
	struct rules_input input = { .calls = calls, .call_count = 2 };
	struct finding *findings;
	struct trial t;
	size_t count;

	(void)state;
	begin(&t);
	start(&t);
	block_at(&t, BASE, 16);
	calls[0].count = scene_read(&t.s, &facts)->count;
	calls[1].first = calls[0].count;
	scene_getstatus(&t.s, DFU_OK, DFU_DNLOAD_IDLE, 0);
	block_at(&t, BASE, 16);
	input.transcript = scene_read(&t.s, &facts);
	calls[1].count = input.transcript->count - calls[1].first;
	assert_int_equal(rules_judge(&input, &findings, &count), 0);
	assert_int_equal(count, 3); /* left-unfinished twice, no-abort-recovery */
	assert_int_equal(findings[0].call, 0);
	assert_string_equal(findings[0].rule->id, "left-unfinished");
	assert_int_equal(findings[1].call, 1);
	assert_string_equal(findings[1].rule->id, "no-abort-recovery");
	free(findings);
	end(&t);
}

/* The first board has 512 KiB, the second 1 MiB. */
static void boards_are_judged_by_their_own_profiles(void **state)
{
	static const char *const serials[] = { "206437733736", "326237753036", NULL };
	const struct mcu_profile *boards[] = { mcu_profile_find("g474"), mcu_profile_find("f407") };
	const uint32_t address = 0x080A0000;

	(void)state;
	for (unsigned board = 1; board <= 2; board++) {
		struct rules_input input = { .profile = boards[0], .boards = boards, .board_count = 2 };
		struct transcript_facts facts = transcript_facts_of(NULL);
		struct finding *findings;
		struct trial t;
		size_t count;

		facts.serials = serials;
		begin(&t); /* the second: it comes up first */
		if (board == 1)
			scene_board(&t.s, 3, serials[0]);
		download(&t, 16);
		t.call.board = board;
		t.call.wanted_address = address;
		t.call.after = t.after;
		start(&t);
		scene_set_address(&t.s, address);
		input.transcript = scene_read(&t.s, &facts);
		t.call.count = input.transcript->count;
		input.calls = &t.call;
		input.call_count = 1;
		assert_int_equal(rules_judge(&input, &findings, &count), 0);
		assert_int_equal(has(findings, count, "set-address-outside-map"), board == 1);
		assert_int_equal(has(findings, count, "success-but-differs"), board == 2);
		free(findings);
		end(&t);
	}
}

static void without_a_profile_rules_that_need_it_keep_quiet(void **state)
{
	struct rules_input input = { .profile = NULL };
	struct finding *findings;
	struct trial t;
	size_t count;

	(void)state;
	begin(&t);
	address_0(&t);
	scene_done(&t.s, 104);
	scene_abort(&t.s);
	input.transcript = scene_read(&t.s, NULL);
	assert_int_equal(rules_judge(&input, &findings, &count), 0);
	assert_int_equal(count, 0);
	free(findings);
	end(&t);
}

static void the_size_in_the_descriptor_goes_before_that_of_the_profile(void **state)
{
	uint8_t configuration[54];
	struct finding *findings;
	struct trial t;
	size_t count;

	(void)state;
	begin(&t);
	memcpy(configuration, t.profile.configuration_descriptor, sizeof(configuration));
	configuration[51] = 0x04; /* 1024 */
	scene_descriptor(&t.s, 0x0200, configuration, sizeof(configuration));
	start(&t);
	scene_stalled(&t.s, DFU_DNLOAD, 2, block, 2048);
	findings = judge(&t, &count);
	assert_true(has(findings, count, "transfer-size"));
	free(findings);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_tells_of_its_breach_and_of_nothing_else),
		cmocka_unit_test(every_rule_has_a_case_for_and_against),
		cmocka_unit_test(every_case_is_of_a_rule_and_every_rule_explains_itself),
		cmocka_unit_test(a_finding_is_told_once_with_its_number),
		cmocka_unit_test(findings_come_in_the_order_of_requests),
		cmocka_unit_test(each_call_is_judged_by_itself),
		cmocka_unit_test(boards_are_judged_by_their_own_profiles),
		cmocka_unit_test(without_a_profile_rules_that_need_it_keep_quiet),
		cmocka_unit_test(the_size_in_the_descriptor_goes_before_that_of_the_profile),
	};

	for (size_t i = 0; i < sizeof(block); i++) /* no byte is FF, and neighbours differ */
		block[i] = (uint8_t)(i % 251 + 1);
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
