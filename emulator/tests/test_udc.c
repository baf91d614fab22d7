// SPDX-License-Identifier: GPL-2.0-or-later
/* Which USB device controller it is to be, of those that a folder lists. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "udc.h"

static char folder[64], chosen[UDC_NAME], why[FRONT_WHY];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test-udc-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void add(const char *name, const char *function)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/function", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", function);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s/uevent", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "X=1\nUSB_UDC_NAME=driver_of_%s\n", name);
	fclose(f);
}

static void the_only_one_needs_no_name(void **state)
{
	char driver[UDC_NAME];

	(void)state;
	add("20980000.usb", "");
	assert_int_equal(udc_choose(folder, NULL, chosen, why), 0);
	assert_string_equal(chosen, "20980000.usb");
	assert_int_equal(udc_driver(folder, chosen, driver), 0);
	assert_string_equal(driver, "driver_of_20980000.usb");
}

static void none_is_said(void **state)
{
	(void)state;
	assert_int_equal(udc_choose(folder, NULL, chosen, why), -ENODEV);
	assert_non_null(strstr(why, "has no USB device controller"));
	assert_int_equal(udc_choose(folder, "x", chosen, why), -ENODEV);
	assert_non_null(strstr(why, "no USB device controller 'x'"));
	assert_int_equal(udc_choose("/no/such/folder", NULL, chosen, why), -ENODEV);
}

static void of_several_one_must_be_named(void **state)
{
	(void)state;
	add("dummy_udc.1", "");
	add("dummy_udc.0", "");
	assert_int_equal(udc_choose(folder, NULL, chosen, why), -EINVAL);
	assert_non_null(strstr(why, "--udc: 'dummy_udc.0', 'dummy_udc.1'"));
	assert_int_equal(udc_choose(folder, "dummy_udc.1", chosen, why), 0);
	assert_string_equal(chosen, "dummy_udc.1");
	assert_int_equal(udc_choose(folder, "dummy_udc.2", chosen, why), -ENODEV);
	assert_non_null(strstr(why, "'dummy_udc.2': there is 'dummy_udc.0', 'dummy_udc.1'"));
}

static void a_busy_one_names_its_user(void **state)
{
	(void)state;
	add("a", "g1");
	assert_int_equal(udc_choose(folder, NULL, chosen, why), -EBUSY);
	assert_string_equal(why, "USB device controller 'a' is in use by gadget 'g1'");
}

static void many_and_long_names_fit_the_message(void **state)
{
	char name[120];

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%0100u", i);
		add(name, "");
	}
	assert_int_equal(udc_choose(folder, NULL, chosen, why), -EINVAL);
	assert_int_equal(udc_choose(folder, name, chosen, why), 0);
}

static void one_is_the_only_free_one_where_others_are_in_use(void **state)
{
	(void)state;
	assert_true(udc_is_only_free("/no/such/folder", "a"));
	add("a", "");
	assert_true(udc_is_only_free(folder, "a"));
	add("b", "g1");
	assert_true(udc_is_only_free(folder, "a"));
	add("c", "");
	assert_false(udc_is_only_free(folder, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_only_one_needs_no_name, setup, teardown),
		cmocka_unit_test_setup_teardown(none_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(of_several_one_must_be_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_busy_one_names_its_user, setup, teardown),
		cmocka_unit_test_setup_teardown(one_is_the_only_free_one_where_others_are_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(many_and_long_names_fit_the_message, setup, teardown),
	};

	return cmocka_run_group_tests_name("udc", tests, NULL, NULL);
}
