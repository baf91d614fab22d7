/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tools one after the other on one private bus with one board: the real dfu-util, and shell scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "flash.h"
#include "mcu.h"
#include "private_bus.h"

#define SECOND UINT64_C(1000000)
#define FOUND "Found DFU: [0483:df11]"
#define IMAGE_BYTES 3000u
#define WALL_SECONDS 30 /* no tool of these tests takes that long */

struct scene {
	struct bench *bench;
	struct mcu *mcu;
	struct private_bus *bus;
	int port;
	int output[2]; /* of tools; -1: closed */
	char said[8192], warned[512];
	size_t length;
	char folder[64], tree[80], image[80];
	uint8_t bytes[IMAGE_BYTES];
	unsigned descriptors; /* open before it all */
};

/* --- the scene --- */

static unsigned entries(const char *path)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *d = opendir(path);

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void warn(void *context, const char *line)
{
	struct scene *s = context;

	snprintf(s->warned, sizeof(s->warned), "%s", line);
}

static void write_image(struct scene *s)
{
	static const uint8_t vectors[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };
	FILE *f = fopen(s->image, "w");

	for (size_t i = 0; i < IMAGE_BYTES; i++)
		s->bytes[i] = (uint8_t)(i * 7);
	memcpy(s->bytes, vectors, sizeof(vectors));
	assert_non_null(f);
	assert_int_equal(fwrite(s->bytes, 1, IMAGE_BYTES, f), IMAGE_BYTES);
	fclose(f);
}

static void boot_rom(struct scene *s)
{
	mcu_set_pin(s->mcu, PIN_BOOT0, true);
	mcu_set_pin(s->mcu, PIN_NRST, false);
	assert_int_equal(private_bus_skip(s->bus, bench_now_us(s->bench) + 50000), 0);
	mcu_set_pin(s->mcu, PIN_NRST, true);
}

static bool is_listed(void *context)
{
	const struct scene *s = context;

	return private_bus_address(s->bus, s->port) != 0;
}

static bool is_gone(void *context)
{
	return !is_listed(context);
}

static void open_scene(struct scene *s, enum private_bus_time time, double scale)
{
	const struct private_bus_options options = {
		.time = time, .scale = scale, .warn = warn, .context = s, .tree_folder = s->tree
	};
	char why[PRIVATE_BUS_ERROR] = "";

	memset(s, 0, sizeof(*s));
	s->descriptors = entries("/proc/self/fd");
	snprintf(s->folder, sizeof(s->folder), "/tmp/test-private-bus-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->tree, sizeof(s->tree), "%s/tree", s->folder);
	snprintf(s->image, sizeof(s->image), "%s/image", s->folder);
	assert_int_equal(mkdir(s->tree, 0700), 0);
	write_image(s);
	s->bench = bench_new(1);
	s->mcu = mcu_new(s->bench, mcu_profile_find("f407"),
			 &(struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } });
	s->output[0] = s->output[1] = -1;
	s->bus = private_bus_new(s->bench, &options, why);
	assert_string_equal(why, "");
	s->port = private_bus_add(s->bus, mcu_usb(s->mcu), false);
	assert_int_equal(s->port, 1);
	mcu_set_pin(s->mcu, PIN_VBUS, true);
	mcu_set_pin(s->mcu, PIN_BOOT0, true);
	mcu_set_pin(s->mcu, PIN_VDD, true);
	assert_int_equal(private_bus_wait(s->bus, is_listed, s, 30 * SECOND), 1);
}

/* Nothing is left: no descriptors, no processes, no folders. */
static void close_scene(struct scene *s)
{
	private_bus_free(s->bus);
	mcu_free(s->mcu);
	bench_free(s->bench);
	assert_int_equal(entries(s->tree), 0);
	assert_int_equal(unlink(s->image), 0);
	assert_int_equal(rmdir(s->tree), 0);
	assert_int_equal(rmdir(s->folder), 0);
	assert_int_equal(entries("/proc/self/fd"), s->descriptors);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- tools --- */

static void hear(void *context, int fd)
{
	struct scene *s = context;
	ssize_t n = read(fd, s->said + s->length, sizeof(s->said) - 1 - s->length);

	if (n > 0) {
		s->length += (size_t)n;
		return;
	}
	private_bus_watch(s->bus, fd, NULL, NULL);
	close(fd);
	s->output[0] = -1;
}

static int start(struct scene *s, const struct private_bus_tool *tool)
{
	struct private_bus_tool with_output = *tool;
	char why[PRIVATE_BUS_ERROR] = "";
	int err;

	memset(s->said, 0, sizeof(s->said));
	s->length = 0;
	s->warned[0] = 0;
	assert_int_equal(pipe2(s->output, O_CLOEXEC), 0);
	with_output.fds[1] = with_output.fds[2] = s->output[1];
	assert_int_equal(private_bus_watch(s->bus, s->output[0], hear, s), 0);
	err = private_bus_start(s->bus, &with_output, why);
	close(s->output[1]);
	if (err)
		snprintf(s->said, sizeof(s->said), "%s", why);
	return err;
}

/* Its wait status; the test fails if it does not end by itself. */
static int finish(struct scene *s)
{
	time_t limit = time(NULL) + WALL_SECONDS;
	int r;

	while ((r = private_bus_step(s->bus, 1000)) > 0) {
		if (time(NULL) > limit) {
			private_bus_signal(s->bus, SIGKILL);
			print_error("the tool hangs\n");
		}
	}
	assert_int_equal(r, 0);
	while (s->output[0] >= 0)
		hear(s, s->output[0]);
	return private_bus_status(s->bus);
}

static int run(struct scene *s, const char *const argv[])
{
	const struct private_bus_tool tool = { .argv = (char *const *)argv, .fds = PRIVATE_BUS_INHERITED };
	int err = start(s, &tool);

	if (err) {
		while (s->output[0] >= 0)
			hear(s, s->output[0]);
		return err;
	}
	return finish(s);
}

static int shell(struct scene *s, const char *script)
{
	return run(s, (const char *const[]){ "sh", "-c", script, NULL });
}

static int list(struct scene *s)
{
	return run(s, (const char *const[]){ "dfu-util", "-l", NULL });
}

static int download(struct scene *s, const char *where)
{
	return run(s, (const char *const[]){ "dfu-util", "-a", "0", "-s", where, "-D", s->image, NULL });
}

static bool finds_board(const struct scene *s)
{
	return strstr(s->said, FOUND) != NULL;
}

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

static void tool_follows_one_that_was_killed(void **state)
{
	const struct private_bus_tool sleeper = { .argv = (char *const[]){ "sh", "-c",
									   "exec 3<>/dev/bus/usb/001/002; sleep 1000 & "
									   "echo; while :; do :; done",
									   NULL },
						  .fds = PRIVATE_BUS_INHERITED };
	struct scene s;
	int status;

	(void)state;
	open_scene(&s, TIME_SCALED, 1);
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

/* --- time without a tool --- */

static bool never(void *context)
{
	(void)context;
	return false;
}

static bool flag(void *context)
{
	return *(const bool *)context;
}

static void set_flag(struct bench_event *event)
{
	*(bool *)event->context = true;
}

static void clear_flag(struct bench_event *event)
{
	*(bool *)event->context = false;
}

static void wait_ends_at_its_limit(enum private_bus_time time)
{
	struct scene s;
	uint64_t now;

	open_scene(&s, time, 50);
	now = bench_now_us(s.bench);
	assert_int_equal(private_bus_wait(s.bus, never, NULL, SECOND), 0);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	assert_int_equal(private_bus_wait(s.bus, is_listed, &s, SECOND), 1);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	assert_int_equal(private_bus_skip(s.bus, now), 0);
	assert_int_equal(bench_now_us(s.bench), now + SECOND);
	close_scene(&s);
}

static void wait_ends_at_its_limit_in_virtual_time(void **state)
{
	(void)state;
	wait_ends_at_its_limit(TIME_VIRTUAL);
}

static void wait_ends_at_its_limit_in_scaled_time(void **state)
{
	(void)state;
	wait_ends_at_its_limit(TIME_SCALED);
}

static void condition_that_holds_for_a_moment_is_seen(void **state)
{
	static const enum private_bus_time times[] = { TIME_VIRTUAL, TIME_SCALED };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bool raised = false;
		struct bench_event up = { .fire = set_flag, .context = &raised };
		struct bench_event down = { .fire = clear_flag, .context = &raised };
		uint64_t now;

		open_scene(&s, times[i], 50);
		now = bench_now_us(s.bench);
		bench_at(s.bench, &up, now + SECOND);
		bench_at(s.bench, &down, now + SECOND + 1);
		assert_int_equal(private_bus_wait(s.bus, flag, &raised, 2 * SECOND), 1);
		assert_int_equal(bench_now_us(s.bench), now + SECOND);
		bench_cancel(s.bench, &down);
		close_scene(&s);
	}
}

static void note(void *context, int fd)
{
	char byte;

	*(bool *)context = read(fd, &byte, 1) == 1;
}

static void watch_interrupts_a_wait(void **state)
{
	static const enum private_bus_time times[] = { TIME_VIRTUAL, TIME_SCALED };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		bool seen = false;
		int ends[2];

		open_scene(&s, times[i], 1);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(private_bus_watch(s.bus, ends[0], note, &seen), 0);
		assert_int_equal(write(ends[1], "", 1), 1);
		/* In virtual time the bench would be at the limit at once if it had nothing to do. */
		mcu_set_pin(s.mcu, PIN_NRST, false);
		mcu_set_pin(s.mcu, PIN_NRST, true);
		assert_int_equal(private_bus_wait(s.bus, flag, &seen, 3600 * SECOND), 1);
		private_bus_watch(s.bus, ends[0], NULL, NULL);
		close(ends[0]);
		close(ends[1]);
		close_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(board_is_used_often_in_virtual_time),
		cmocka_unit_test(board_is_used_often_in_scaled_time),
		cmocka_unit_test(board_is_used_often_in_real_time),
		cmocka_unit_test(tool_follows_one_that_did_not_start),
		cmocka_unit_test(tool_follows_one_that_was_killed),
		cmocka_unit_test(tool_follows_one_whose_guardian_was_killed),
		cmocka_unit_test(what_a_tool_leaves_behind_is_ended),
		cmocka_unit_test(event_of_the_bench_ends_a_tool_that_waits_for_ever),
		cmocka_unit_test(tool_follows_one_that_was_killed_while_it_reset_the_board),
		cmocka_unit_test(tool_gets_descriptors_folder_and_environment),
		cmocka_unit_test(each_tool_has_a_clock_of_its_own),
		cmocka_unit_test(one_tool_at_a_time),
		cmocka_unit_test(wait_ends_at_its_limit_in_virtual_time),
		cmocka_unit_test(wait_ends_at_its_limit_in_scaled_time),
		cmocka_unit_test(condition_that_holds_for_a_moment_is_seen),
		cmocka_unit_test(watch_interrupts_a_wait),
	};

	return cmocka_run_group_tests_name("private_bus", tests, NULL, NULL);
}
