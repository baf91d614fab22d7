/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tools one after the other on one private bus with one board: the real dfu-util, and shell scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "bus_scene.h"
#include "flash.h"

/* --- dfu-util again and again --- */

static bool runs_application(void *context)
{
	const struct scene *s = context;

	return mcu_mode(s->mcu) == MCU_APPLICATION && is_gone(context);
}

static void use_board_often(enum private_bus_time time, double scale)
{
	uint8_t flash[IMAGE_BYTES];
	struct scene s;
	int address;

	open_scene(&s, time, scale);
	address = private_bus_address(s.bus, s.port);
	assert_int_equal(list(&s), 0);
	assert_true(finds_board(&s));
	assert_int_equal(mcu_dfu_state(s.mcu), DFU_ERROR); /* of the start: dfu-util has looked, no more */

	assert_int_equal(download(&s, "0x08000000"), 0);
	assert_non_null(strstr(s.said, "File downloaded successfully"));
	assert_int_equal(flash_read(mcu_flash(s.mcu), 0x08000000, flash, IMAGE_BYTES), 0);
	assert_memory_equal(flash, s.bytes, IMAGE_BYTES);
	assert_int_equal(private_bus_address(s.bus, s.port), address);

	assert_int_equal(download(&s, "0x08000000:leave"), 0);
	mcu_set_pin(s.mcu, PIN_BOOT0, false);
	assert_int_equal(private_bus_wait(s.bus, runs_application, &s, 10 * SECOND), 1);
	assert_int_equal(list(&s), 0);
	assert_false(finds_board(&s));

	boot_rom(&s);
	assert_int_equal(private_bus_wait(s.bus, is_listed, &s, 10 * SECOND), 1);
	assert_int_equal(list(&s), 0);
	assert_true(finds_board(&s));
	assert_int_equal(private_bus_address(s.bus, s.port), address + 1);

	mcu_set_pin(s.mcu, PIN_VBUS, false);
	assert_int_equal(private_bus_wait(s.bus, is_gone, &s, SECOND), 1);
	assert_int_equal(list(&s), 0);
	assert_false(finds_board(&s));
	mcu_set_pin(s.mcu, PIN_VBUS, true);
	assert_int_equal(private_bus_wait(s.bus, is_listed, &s, 10 * SECOND), 1);
	assert_int_equal(download(&s, "0x08004000"), 0);
	close_scene(&s);
}

static int need_dfu_util(void)
{
	return system("command -v dfu-util >/dev/null 2>&1");
}

static void board_is_used_often_in_virtual_time(void **state)
{
	(void)state;
	if (need_dfu_util())
		skip();
	use_board_often(TIME_VIRTUAL, 1);
}

static void board_is_used_often_in_scaled_time(void **state)
{
	(void)state;
	if (need_dfu_util())
		skip();
	use_board_often(TIME_SCALED, 20);
}

static void board_is_used_often_in_real_time(void **state)
{
	(void)state;
	if (need_dfu_util())
		skip();
	use_board_often(TIME_SCALED, 1);
}

/* --- how a tool may end --- */

static void works(struct scene *s)
{
	/* Never replugged, and nobody has its interface. */
	assert_int_equal(
		shell(s, "d=/sys/bus/usb/devices; cat $d/1-1/idProduct $d/1-1/devnum && test ! -e $d/1-1:1.0/driver"),
		0);
	assert_string_equal(s->said, "df11\n2\n");
	assert_string_equal(s->warned, "");
}

static void tool_follows_one_that_did_not_start(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, TIME_VIRTUAL, 1);
	assert_int_equal(run(&s, (const char *const[]){ "no-such-tool", NULL }), -ENOENT);
	assert_string_equal(s.said, "cannot run 'no-such-tool': No such file or directory");
	assert_int_equal(private_bus_exec_failed(s.bus), 127);
	assert_int_equal(private_bus_step(s.bus, 0), 0);
	works(&s);
	assert_int_equal(private_bus_exec_failed(s.bus), 0);
	assert_int_equal(run(&s, (const char *const[]){ s.image, NULL }), -EACCES);
	assert_int_equal(private_bus_exec_failed(s.bus), 126);
	works(&s);
	close_scene(&s);
}

static void kill_and_go_on(enum private_bus_time time)
{
	const struct private_bus_tool sleeper = { .argv = (char *const[]){ "sh", "-c",
									   "exec 3<>/dev/bus/usb/001/002; sleep 1000 & "
									   "echo; while :; do :; done",
									   NULL },
						  .fds = PRIVATE_BUS_INHERITED };
	struct scene s;
	int status;

	open_scene(&s, time, 1);
	assert_int_equal(start(&s, &sleeper), 0);
	while (!s.length)
		assert_int_equal(private_bus_step(s.bus, 1000), 1);
	assert_int_equal(private_bus_signal(s.bus, SIGKILL), 0);
	status = finish(&s);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(private_bus_signal(s.bus, SIGKILL), -ESRCH);
	works(&s);
	close_scene(&s);
}

static void tool_follows_one_that_was_killed_in_real_time(void **state)
{
	(void)state;
	kill_and_go_on(TIME_SCALED);
}

static void tool_follows_one_that_was_killed_in_virtual_time(void **state)
{
	(void)state;
	kill_and_go_on(TIME_VIRTUAL_ALWAYS);
}

static void tool_follows_one_whose_guardian_was_killed(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, TIME_VIRTUAL, 1);
	assert_int_equal(
		shell(&s, "exec 3<>/dev/bus/usb/001/002; (while :; do :; done) & kill -9 $PPID; while :; do :; done"),
		SIGKILL);
	works(&s);
	close_scene(&s);
}

static void what_a_tool_leaves_behind_is_ended(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, TIME_VIRTUAL_ALWAYS, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(shell(&s, "exec 3<>/dev/bus/usb/001/002; cat <&3 >/dev/null; "
					   "(while :; do :; done) & (while :; do :; done) &"),
				 0);
		assert_string_equal(s.warned, "2 processes that the tool left behind were ended");
	}
	works(&s);
	close_scene(&s);
}

struct deadline {
	struct bench_event event;
	struct private_bus *bus;
};

static void kill_tool(struct bench_event *event)
{
	const struct deadline *d = event->context;

	private_bus_signal(d->bus, SIGKILL);
}

static void event_of_the_bench_ends_a_tool_that_waits_for_ever(void **state)
{
	static const char *const scripts[] = {
		"sleep 1000000",
		"exec 3<>/dev/bus/usb/001/002; while :; do sleep 1; done",
		"sleep 1000000 & wait",
	};
	struct scene s;

	(void)state;
	open_scene(&s, TIME_VIRTUAL, 1);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		struct deadline d = { .event.fire = kill_tool, .bus = s.bus };
		uint64_t began = bench_now_us(s.bench);

		d.event.context = &d;
		bench_after(s.bench, &d.event, 120 * SECOND);
		assert_int_equal(shell(&s, scripts[i]), SIGKILL);
		assert_in_range(bench_now_us(s.bench) - began, 120 * SECOND, 130 * SECOND);
		bench_cancel(s.bench, &d.event);
	}
	works(&s);
	close_scene(&s);
}

static void tool_follows_one_that_was_killed_while_it_reset_the_board(void **state)
{
	static const char script[] = "import fcntl, os\nf = os.open('/dev/bus/usb/001/002', os.O_RDWR)\n"
				     "fcntl.ioctl(f, 0x8004550f, bytes(4))\n" /* USBDEVFS_CLAIMINTERFACE */
				     "while True: fcntl.ioctl(f, 0x5514)\n";  /* USBDEVFS_RESET */
	struct scene s;

	(void)state;
	if (system("command -v python3 >/dev/null 2>&1"))
		skip();
	open_scene(&s, TIME_VIRTUAL, 1);
	for (unsigned i = 0; i < 4; i++) {
		struct deadline d = { .event.fire = kill_tool, .bus = s.bus };

		d.event.context = &d;
		bench_after(s.bench, &d.event, 3 * SECOND + i * 7001);
		assert_int_equal(run(&s, (const char *const[]){ "python3", "-c", script, NULL }), SIGKILL);
		works(&s);
	}
	assert_int_equal(private_bus_skip(s.bus, bench_now_us(s.bench) + SECOND), 0);
	works(&s);
	close_scene(&s);
}

static void unplug(struct bench_event *event)
{
	struct scene *s = event->context;

	mcu_set_pin(s->mcu, PIN_VBUS, false);
}

static void tool_follows_one_whose_board_was_unplugged(void **state)
{
	struct bench_event event = { .fire = unplug };
	struct scene s;

	(void)state;
	open_scene(&s, TIME_VIRTUAL, 1);
	event.context = &s;
	for (int address = 2; address < 5; address++) {
		char script[128];

		snprintf(script, sizeof(script), "exec 3<>/dev/bus/usb/001/00%d; sleep 5; ls /sys/bus/usb/devices",
			 address);
		bench_after(s.bench, &event, 2 * SECOND);
		assert_int_equal(shell(&s, script), 0);
		assert_string_equal(s.said, "1-0:1.0\nusb1\n");
		mcu_set_pin(s.mcu, PIN_VBUS, true);
		assert_int_equal(private_bus_wait(s.bus, is_listed, &s, 10 * SECOND), 1);
		assert_int_equal(private_bus_address(s.bus, s.port), address + 1);
	}
	close_scene(&s);
}

/* --- what a tool has of its own --- */

static void tool_gets_descriptors_folder_and_environment(void **state)
{
	char *const argv[] = { "sh", "-c", "read line; echo \"$line $A $(pwd)\"", NULL };
	char *const envp[] = { "A=b", "PATH=/usr/bin:/bin", NULL };
	struct private_bus_tool tool = { .argv = argv, .envp = envp, .folder = "/usr", .fds = PRIVATE_BUS_INHERITED };
	struct scene s;
	int input[2];

	(void)state;
	open_scene(&s, TIME_VIRTUAL_ALWAYS, 1);
	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(write(input[1], "in\n", 3), 3);
	tool.fds[0] = input[0];
	assert_int_equal(start(&s, &tool), 0);
	close(input[0]);
	close(input[1]);
	assert_int_equal(finish(&s), 0);
	assert_string_equal(s.said, "in b /usr\n");
	tool.fds[0] = -1;
	tool.folder = "/nowhere";
	assert_int_equal(start(&s, &tool), -ENOENT);
	assert_string_equal(s.said, "cannot change to '/nowhere': No such file or directory");
	assert_int_equal(private_bus_exec_failed(s.bus), 0);
	close(s.output[0]);
	private_bus_watch(s.bus, s.output[0], NULL, NULL);
	works(&s);
	close_scene(&s);
}

static void each_tool_has_a_clock_of_its_own(void **state)
{
	struct scene s;
	uint64_t now;

	(void)state;
	open_scene(&s, TIME_VIRTUAL_ALWAYS, 1);
	assert_int_equal(shell(&s, "sleep 5000"), 0);
	now = bench_now_us(s.bench);
	assert_in_range(now, 5000 * SECOND, 5100 * SECOND);
	assert_int_equal(private_bus_skip(s.bus, now + 7000 * SECOND), 0);
	assert_int_equal(bench_now_us(s.bench), now + 7000 * SECOND);
	assert_int_equal(shell(&s, "date +%s"), 0);
	assert_in_range(strtoll(s.said, NULL, 10), time(NULL) - WALL_SECONDS, time(NULL) + WALL_SECONDS);
	assert_in_range(bench_now_us(s.bench), now + 7000 * SECOND, now + 7100 * SECOND);
	close_scene(&s);
}

static void one_tool_at_a_time(void **state)
{
	const struct private_bus_tool tool = { .argv = (char *const[]){ "cat", NULL }, .fds = PRIVATE_BUS_INHERITED };
	char *const argv[] = { "true", NULL };
	char why[PRIVATE_BUS_ERROR];
	struct scene s;

	(void)state;
	open_scene(&s, TIME_SCALED, 1);
	assert_int_equal(start(&s, &tool), 0);
	assert_int_equal(private_bus_spawn(s.bus, argv, why), -EBUSY);
	assert_string_equal(why, "a tool is running on this bus already");
	assert_int_equal(private_bus_wait(s.bus, NULL, NULL, 1), -EBUSY);
	assert_int_equal(private_bus_skip(s.bus, 0), -EBUSY);
	assert_int_equal(private_bus_signal(s.bus, SIGTERM), 0);
	assert_int_equal(finish(&s), SIGTERM);
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(board_is_used_often_in_virtual_time),
		cmocka_unit_test(board_is_used_often_in_scaled_time),
		cmocka_unit_test(board_is_used_often_in_real_time),
		cmocka_unit_test(tool_follows_one_that_did_not_start),
		cmocka_unit_test(tool_follows_one_that_was_killed_in_real_time),
		cmocka_unit_test(tool_follows_one_that_was_killed_in_virtual_time),
		cmocka_unit_test(tool_follows_one_whose_guardian_was_killed),
		cmocka_unit_test(what_a_tool_leaves_behind_is_ended),
		cmocka_unit_test(event_of_the_bench_ends_a_tool_that_waits_for_ever),
		cmocka_unit_test(tool_follows_one_that_was_killed_while_it_reset_the_board),
		cmocka_unit_test(tool_follows_one_whose_board_was_unplugged),
		cmocka_unit_test(tool_gets_descriptors_folder_and_environment),
		cmocka_unit_test(each_tool_has_a_clock_of_its_own),
		cmocka_unit_test(one_tool_at_a_time),
	};

	return cmocka_run_group_tests_name("private_bus", tests, NULL, NULL);
}
