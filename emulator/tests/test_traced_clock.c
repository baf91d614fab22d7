/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual time under a kernel that forbids forced writes: the clock is patched by ptrace instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "bench.h"
#include "private_bus.h"

static void warn(void *context, const char *line)
{
	char *said = context;

	snprintf(said, PRIVATE_BUS_ERROR, "%s", line);
}

/* Exit status of a shell script in virtual time, or -1 if it could not run. */
static int run(const char *script, char said[PRIVATE_BUS_ERROR])
{
	struct private_bus_options options = {
		.time = TIME_VIRTUAL_ALWAYS, .no_forced_writes = true, .warn = warn, .context = said
	};
	char *argv[] = { "sh", "-c", (char *)script, NULL }, why[PRIVATE_BUS_ERROR] = "";
	struct bench *bench = bench_new(1);
	struct private_bus *bus = private_bus_new(bench, &options, why);
	int status = -1, err;

	said[0] = 0;
	assert_non_null(bus);
	err = private_bus_spawn(bus, argv, why);
	while (err >= 0 && (err = private_bus_step(bus, -1)) > 0)
		continue;
	if (err == 0)
		status = private_bus_status(bus);
	private_bus_free(bus);
	bench_free(bench);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void sleep_is_skipped_and_measured(void **state)
{
	char said[PRIVATE_BUS_ERROR];

	(void)state;
	assert_int_equal(run("a=$(date +%s); sleep 100; b=$(date +%s); exit $((b - a))", said), 100);
	assert_string_equal(said, "");
}

static void calls_made_again_give_what_they_should(void **state)
{
	char said[PRIVATE_BUS_ERROR];

	(void)state;
	assert_int_equal(
		run("test -e /etc/passwd && ! test -e /nowhere && test \"$(cat /sys/bus/usb/devices/usb1/busnum)\" = 1",
		    said),
		0);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleep_is_skipped_and_measured),
		cmocka_unit_test(calls_made_again_give_what_they_should),
	};

	return cmocka_run_group_tests_name("traced_clock", tests, NULL, NULL);
}
