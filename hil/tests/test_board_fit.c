// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the suite a real board is kept from, where its rig file allows everything that it can. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include "a_rig.h"
#include "board_fit.h"

struct looking {
	const struct board_rig *rig;
	struct problems *problems;
	char refused[4096];
	size_t count;
};

static bool look(void *context, const char *path)
{
	struct looking *l = context;
	struct scenario *s = scenario_load(path, l->problems);
	char why[BOARD_FIT_WHY];
	size_t used = strlen(l->refused);

	if (s && board_fit(l->rig, s, why))
		snprintf(l->refused + used, sizeof(l->refused) - used, "%s: %s\n", s->id, why);
	l->count += s != NULL;
	scenario_free(s);
	return true;
}

static void the_suite_and_what_is_measured_may_run_but_for_what_is_for_ever(void **state)
{
	struct board_rig *rig = a_rig("rig: desk\nkind: board\nboard: {serial: \"326237753036\"}\n"
				      "application: {usb: \"0483:5740\"}\nallows: [mass-erase, option-bytes, rdp-1]\n");
	struct looking l = { .rig = rig, .problems = problems_new() };

	(void)state;
	assert_true(scenario_find("scenarios", look, &l, l.problems));
	assert_true(scenario_find("scenarios/measure", look, &l, l.problems));
	problems_print(l.problems, stderr, false);
	assert_int_equal(problems_count(l.problems), 0);
	assert_true(l.count > 130);
	assert_string_equal(l.refused,
			    "protect/read-protected-download: step 'flash' (line 14) looks into the flash while the "
			    "board is read protected, which only the chip itself can\n");
	problems_free(l.problems);
	board_rig_free(rig);
}

/* What a script sends to a device that knows no DfuSe is firmware, whatever it begins with. */
static void firmware_is_no_command(void **state)
{
	static const char text[] =
		"name: n\nwhy: w\nreference: none\nboard: {profile: dfu11}\nfiles: {image: {size: 64, seed: 1}}\n"
		"steps:\n  - bootloader\n  - host: \"dnload 0 file image; dnload 1 hex 41; dnload 2 hex 92\"\n";
	struct board_rig *rig = a_rig(
		"rig: desk\nkind: board\nprofile: dfu11\nboard: {usb: \"1209:0001\", port: 1-1}\n");
	struct problems *problems = problems_new();
	struct scenario *s = scenario_parse("s.yaml", text, sizeof(text) - 1, problems);
	char why[BOARD_FIT_WHY] = "";

	(void)state;
	problems_print(problems, stderr, false);
	assert_non_null(s);
	board_fit(rig, s, why);
	assert_string_equal(why, "");
	scenario_free(s);
	problems_free(problems);
	board_rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_suite_and_what_is_measured_may_run_but_for_what_is_for_ever),
		cmocka_unit_test(firmware_is_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
