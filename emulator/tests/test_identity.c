/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial number of a part: check vectors, real serials, and the way back to a UID. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "identity.h"

static void serials_follow_the_uid_and_back(void **state)
{
	static const char *const serials[] = { "326237753036", "208F3681554D", "208338865643", "206437A1304E",
					       "315A28A0B956", "356E356D3436", "354B386A3133", "207A389B5848",
					       "006B518F5253", "000000000000", "FFFFFFFFFFFF" };
	static const struct {
		struct mcu_identity give;
		const char *want;
	} rows[] = {
		{ { { 0x00230038, 0x3131470b, 0x31343533 } }, "3157356B3131" }, /* SER-4 */
		{ { { 0x002d0030, 0x3334510b, 0x32313533 } }, "325E35633334" }, /* SER-5 */
		{ { { 0x002e0040, 0x30360000, 0x32343735 } }, "326237753036" }, /* SER-6 */
	};
	struct mcu_profile profile = *mcu_profile_find("f407");
	struct mcu_identity identity;
	char text[13];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		mcu_serial_of(&profile, &rows[i].give, text);
		assert_string_equal(text, rows[i].want);
	}
	for (enum serial_rule rule = SERIAL_UID_SUM; rule <= SERIAL_UID_SUM_PLUS_0A; rule++) {
		profile.serial_rule = rule;
		for (size_t i = 0; i < sizeof serials / sizeof *serials; i++) {
			assert_int_equal(mcu_identity_of_serial(&profile, serials[i], &identity), 0);
			mcu_serial_of(&profile, &identity, text);
			assert_string_equal(text, serials[i]);
		}
	}
	mcu_serial_of(&profile, &(struct mcu_identity){ { 0, 0x35370000, 0x365a3750 } }, text);
	assert_string_equal(text, "365A375A3537"); /* SER-7 */
	profile.serial_rule = SERIAL_CONSTANT;
	profile.serial_constant = "FFFFFFFEFFFF";
	assert_int_equal(mcu_identity_of_serial(&profile, "326237753036", &identity), -EINVAL);
	assert_int_equal(mcu_identity_of_serial(&profile, "FFFFFFFEFFFF", &identity), 0);
	mcu_serial_of(&profile, &identity, text);
	assert_string_equal(text, "FFFFFFFEFFFF"); /* STR-12 */
	profile.serial_rule = SERIAL_UID_SUM;
	assert_int_equal(mcu_identity_of_serial(&profile, "32623775303", &identity), -EINVAL);
	assert_int_equal(mcu_identity_of_serial(&profile, "3262377530366", &identity), -EINVAL);
	assert_int_equal(mcu_identity_of_serial(&profile, "32623775303G", &identity), -EINVAL);
	assert_int_equal(mcu_identity_of_serial(&profile, "", &identity), -EINVAL);
	assert_int_equal(mcu_identity_of_serial(&profile, "326e37753036", &identity), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_follow_the_uid_and_back),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
