// SPDX-License-Identifier: GPL-2.0-or-later
/* The status files of vhci_hcd, of several kernels and of none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "vhci_status.h"

static void ports_are_read(void **state)
{
	static const char text[] = "hub port sta spd dev      sockfd local_busid\n"
				   "hs  0000 006 002 00010001 000006 1-1\n"
				   "hs  0001 004 000 00000000 000000 0-0\n"
				   "hs  0002 005 003 00010003 000007 0-0\n"
				   "ss  0008 004 000 00000000 000000 0-0\n";
	static const struct vhci_port want[] = { { 0, false, VHCI_USED, "1-1" },
						 { 1, false, VHCI_FREE, "0-0" },
						 { 2, false, VHCI_ENUMERATING, "0-0" },
						 { 8, true, VHCI_FREE, "0-0" } };
	const char *at = text;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct vhci_port port;

		assert_true(vhci_next_port(&at, &port));
		assert_int_equal(port.number, want[i].number);
		assert_int_equal(port.super_speed, want[i].super_speed);
		assert_int_equal(port.state, want[i].state);
		assert_string_equal(port.busid, want[i].busid);
	}
	assert_false(vhci_next_port(&at, &(struct vhci_port){ 0 }));
	assert_int_equal(*at, 0);
}

static void ports_of_old_kernels_are_read(void **state)
{
	const char *at = "prt sta spd bus dev socket           local_busid\n"
			 "000 004 000 000 000 0000000000000000 0-0\n"
			 "007 006 002 00010001 ffff88003b0a6c00 2-1";
	struct vhci_port port;

	(void)state;
	assert_true(vhci_next_port(&at, &port));
	assert_int_equal(port.number, 0);
	assert_int_equal(port.state, VHCI_FREE);
	assert_true(vhci_next_port(&at, &port));
	assert_int_equal(port.number, 7);
	assert_int_equal(port.state, VHCI_USED);
	assert_string_equal(port.busid, "2-1");
	assert_false(vhci_next_port(&at, &port));
}

static void lines_that_are_none_are_passed_over(void **state)
{
	char text[1200];
	const char *at = text;
	struct vhci_port port;

	(void)state;
	memset(text, 'h', sizeof(text));
	strcpy(text + 600, "\nhs\nhs x y\nhs 5\n\nxs  0001 004 000 00000000 000000 0-0\nhs  99999999999 004\n"
			   "hs  0012 004 000 00000000 000000\nhs");
	assert_true(vhci_next_port(&at, &port));
	assert_int_equal(port.number, 12);
	assert_string_equal(port.busid, "");
	assert_false(vhci_next_port(&at, &port));
	at = "";
	assert_false(vhci_next_port(&at, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_read),
		cmocka_unit_test(ports_of_old_kernels_are_read),
		cmocka_unit_test(lines_that_are_none_are_passed_over),
	};

	return cmocka_run_group_tests_name("vhci_status", tests, NULL, NULL);
}
