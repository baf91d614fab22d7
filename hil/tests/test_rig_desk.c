// SPDX-License-Identifier: GPL-2.0-or-later
/* The boards in this process as a rig: pins, time, tools with limits, and what has been seen. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "engine.h"
#include "private_bus.h"
#include "rig.h"

#define ROM 0x0483, 0xdf11
#define PORT 0x0483, 0x5740
#define SECOND UINT64_C(1000000)

struct fixture {
	char folder[64], capture[96];
	struct rig_setup setup;
	struct rig *rig;
	char out[4096], error[4096];
};

static void prepare(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->folder, "/tmp/rig-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->capture, sizeof(f->capture), "%s/c.pcapng", f->folder);
	f->setup = (struct rig_setup){ .profile = "f407",
				       .boards = 1,
				       .powered = true,
				       .plugged = true,
				       .application = true,
				       .seed = 1,
				       .time = RIG_TIME_VIRTUAL,
				       .scale = 1,
				       .capture = f->capture,
				       .folder = f->folder };
}

static void open_rig(struct fixture *f)
{
	char why[RIG_WHY] = "";

	f->rig = rig_desk_open(&f->setup, why);
	assert_string_equal(why, "");
	assert_non_null(f->rig);
}

static void end(struct fixture *f)
{
	char command[128];

	if (f->rig)
		f->rig->ops->close(f->rig);
	snprintf(command, sizeof(command), "rm -r '%s'", f->folder);
	assert_int_equal(system(command), 0);
}

static void to_rom(struct fixture *f, unsigned board)
{
	const struct rig_ops *ops = f->rig->ops;

	assert_int_equal(ops->pin(f->rig, board, PIN_BOOT0, true), 0);
	assert_int_equal(ops->pin(f->rig, board, PIN_NRST, false), 0);
	assert_int_equal(ops->pass(f->rig, 50000), 0);
	assert_int_equal(ops->pin(f->rig, board, PIN_NRST, true), 0);
	assert_int_equal(ops->wait_usb(f->rig, board, ROM, true, 3 * SECOND), 0);
}

static void wrote(void *context, bool error, const char *bytes, size_t length)
{
	struct fixture *f = context;
	char *to = error ? f->error : f->out;

	if (strlen(to) + length < sizeof(f->out))
		strncat(to, bytes, length);
}

static struct rig_ran run(struct fixture *f, struct rig_run *r, const char *script)
{
	char *words[] = { "sh", "-c", (char *)script, NULL };
	struct rig_ran ran;
	char why[RIG_WHY] = "";

	f->out[0] = f->error[0] = 0;
	r->words = words;
	r->wrote = wrote;
	r->context = f;
	r->folder = f->folder;
	assert_int_equal(f->rig->ops->run(f->rig, r, &ran, why), 0);
	assert_string_equal(why, "");
	return ran;
}

static void pins_bring_the_rom_and_the_application(void **state)
{
	uint8_t table[] = { 0x00, 0x10, 0x00, 0x20, 0x09, 0x00, 0x00, 0x08 }, back[8];
	struct rig_status s;
	struct fixture f;

	(void)state;
	prepare(&f);
	open_rig(&f);
	assert_int_equal(f.rig->ops->status(f.rig, 1, &s), 0);
	assert_int_equal(s.mode, MCU_LOCKUP);
	assert_int_equal(s.cause, RESET_POWER_ON);
	to_rom(&f, 1);
	assert_int_equal(f.rig->ops->status(f.rig, 1, &s), 0);
	assert_int_equal(s.mode, MCU_ROM);
	assert_int_equal(s.state, DFU_ERROR);
	assert_int_equal(s.cause, RESET_PIN);
	assert_int_equal(f.rig->ops->flash_load(f.rig, 1, 0x08000000, table, sizeof(table)), 0);
	assert_int_equal(f.rig->ops->flash_read(f.rig, 1, 0x08000000, back, sizeof(back)), 0);
	assert_memory_equal(back, table, sizeof(table));
	assert_int_equal(f.rig->ops->flash_load(f.rig, 1, 0x080ffffc, table, sizeof(table)), -EFAULT);
	f.rig->ops->pin(f.rig, 1, PIN_BOOT0, false);
	f.rig->ops->pin(f.rig, 1, PIN_VDD, false);
	assert_int_equal(f.rig->ops->wait_usb(f.rig, 0, ROM, false, SECOND), 0);
	f.rig->ops->pin(f.rig, 1, PIN_VDD, true);
	assert_int_equal(f.rig->ops->wait_usb(f.rig, 0, PORT, true, 3 * SECOND), 0);
	assert_int_equal(f.rig->ops->software_entry(f.rig, 1), 0);
	assert_int_equal(f.rig->ops->wait_usb(f.rig, 1, ROM, true, 3 * SECOND), 0);
	end(&f);
}

static void a_wait_in_vain_takes_exactly_its_limit(void **state)
{
	struct fixture f;
	uint64_t before;

	(void)state;
	prepare(&f);
	f.setup.powered = false;
	open_rig(&f);
	before = f.rig->ops->now_us(f.rig);
	assert_int_equal(f.rig->ops->wait_usb(f.rig, 1, ROM, true, 3600 * SECOND), -ETIMEDOUT);
	assert_int_equal(f.rig->ops->now_us(f.rig) - before, 3600 * SECOND);
	assert_int_equal(f.rig->ops->pass(f.rig, 7), 0);
	assert_int_equal(f.rig->ops->now_us(f.rig) - before, 3600 * SECOND + 7);
	end(&f);
}

static void a_tool_has_its_output_environment_folder_and_no_input(void **state)
{
	static const char *const environment[] = { "COLOUR=green", "HOME=/nowhere", NULL };
	struct rig_run r = { .environment = environment };
	struct fixture f;
	struct rig_ran ran;

	(void)state;
	prepare(&f);
	open_rig(&f);
	ran = run(&f, &r, "cat; echo $COLOUR $HOME; pwd; echo trouble >/dev/stderr; exit 7");
	assert_true(WIFEXITED(ran.status));
	assert_int_equal(WEXITSTATUS(ran.status), 7);
	assert_int_equal(strncmp(f.out, "green /nowhere\n", 15), 0);
	assert_non_null(strstr(f.out, f.folder));
	assert_string_equal(f.error, "trouble\n");
	/* and another, on the same bus */
	ran = run(&f, &r, "seq 20000 | tail -n 1");
	assert_string_equal(f.out, "20000\n");
	assert_int_equal(ran.status, 0);
	end(&f);
}

static void a_tool_that_is_not_there_is_told(void **state)
{
	char *words[] = { "no-such-tool-anywhere", NULL };
	struct rig_run r = { .words = words, .wrote = wrote };
	struct fixture f;
	struct rig_ran ran;
	char why[RIG_WHY] = "";

	(void)state;
	prepare(&f);
	open_rig(&f);
	assert_int_equal(f.rig->ops->run(f.rig, &r, &ran, why), 0);
	assert_int_equal(ran.exec_failed, 127);
	assert_non_null(strstr(why, "no-such-tool-anywhere"));
	end(&f);
}

static void a_tool_is_killed_at_its_limit_and_not_before(void **state)
{
	struct rig_run r = { .limit_us = 100 * SECOND };
	struct fixture f;
	struct rig_ran ran;

	(void)state;
	prepare(&f);
	open_rig(&f);
	ran = run(&f, &r, "sleep 99; echo done");
	assert_false(ran.timed_out);
	assert_string_equal(f.out, "done\n");
	assert_in_range(ran.end_us - ran.start_us, 99 * SECOND, 100 * SECOND);
	ran = run(&f, &r, "echo began; sleep 1000; echo done");
	assert_true(ran.timed_out);
	assert_true(WIFSIGNALED(ran.status));
	assert_string_equal(f.out, "began\n");
	assert_in_range(ran.end_us - ran.start_us, 100 * SECOND, 101 * SECOND);
	end(&f);
}

/* A limit that is far away is not come to because nothing else is due. */
static void the_end_of_a_tool_is_not_skipped_over(void **state)
{
	struct rig_run r = { .limit_us = 3600 * SECOND };
	struct fixture f;

	(void)state;
	prepare(&f);
	open_rig(&f);
	for (unsigned i = 0; i < 30; i++) {
		struct rig_ran ran = run(&f, &r, i % 2 ? "sleep 1" : "sleep 1 & wait");

		assert_false(ran.timed_out);
		assert_in_range(ran.end_us - ran.start_us, SECOND, 60 * SECOND);
	}
	end(&f);
}

static void a_tool_that_computes_is_killed_by_the_wall(void **state)
{
	struct rig_run r = { .wall_limit_ms = 200 };
	struct fixture f;
	struct rig_ran ran;

	(void)state;
	prepare(&f);
	open_rig(&f);
	ran = run(&f, &r, "while :; do :; done");
	assert_true(ran.wall_timed_out);
	assert_true(WIFSIGNALED(ran.status));
	end(&f);
}

static void a_tool_is_interrupted_by_time(void **state)
{
	struct rig_run r = { .signal = SIGTERM, .signal_after_us = 5 * SECOND };
	struct fixture f;
	struct rig_ran ran;

	(void)state;
	prepare(&f);
	open_rig(&f);
	ran = run(&f, &r, "trap 'echo caught; exit 3' TERM; sleep 60 & wait");
	assert_true(ran.signalled);
	assert_string_equal(f.out, "caught\n");
	assert_int_equal(WEXITSTATUS(ran.status), 3);
	assert_in_range(ran.end_us - ran.start_us, 5 * SECOND, 6 * SECOND);
	ran = run(&f, &r, "exit 0");
	assert_false(ran.signalled);
	end(&f);
}

static unsigned answered(const struct transcript *t)
{
	unsigned count = 0;

	for (size_t i = 0; i < t->count; i++)
		count += t->exchanges[i].op != OP_NONE && t->exchanges[i].result == USB_ACK;
	return count;
}

static void requests_are_counted_seen_and_interrupted(void **state)
{
	struct rig_run r = { .signal = SIGKILL, .signal_after_requests = 9 };
	const struct transcript *t;
	const struct rig_event *events;
	struct fixture f;
	struct rig_ran ran;
	size_t before, count;
	bool erased = false;

	(void)state;
	if (system("command -v dfu-util >/dev/null"))
		skip();
	prepare(&f);
	open_rig(&f);
	to_rom(&f, 1);
	before = f.rig->ops->transcript(f.rig)->count;
	assert_true(before > 0);
	ran = run(&f, &r, "head -c 40000 /dev/zero >image; exec dfu-util -a 0 -s 0x08000000 -D image");
	assert_true(ran.signalled);
	assert_int_equal(WTERMSIG(ran.status), SIGKILL);
	t = f.rig->ops->transcript(f.rig);
	assert_null(t->damage);
	assert_int_equal(answered(t), 9);
	for (size_t i = before; i < t->count; i++) {
		assert_int_equal(t->exchanges[i].board, 1);
		assert_in_range(t->exchanges[i].start_us, ran.start_us, ran.end_us);
	}
	events = f.rig->ops->events(f.rig, &count);
	for (size_t i = 0; i < count; i++)
		erased |= events[i].event.type == MCU_EVENT_ERASED;
	assert_true(erased);
	end(&f);
}

/* It may make any number of events: none is kept that nobody looks for. */
static void firmware_that_runs_takes_no_memory(void **state)
{
	static uint8_t image[0x10000];
	size_t length, count;
	struct fixture f;
	FILE *file;

	(void)state;
	if (engine_lacks()) {
		print_message("%s\n", engine_lacks());
		skip();
	}
	prepare(&f);
	f.setup.application = RIG_FLASHED;
	open_rig(&f);
	file = fopen("fixtures/firmware/blink.bin", "rb");
	assert_non_null(file);
	length = fread(image, 1, sizeof(image), file);
	fclose(file);
	assert_int_equal(f.rig->ops->flash_load(f.rig, 1, 0x08000000, image, length), 0);
	assert_int_equal(f.rig->ops->pin(f.rig, 1, PIN_NRST, false), 0);
	assert_int_equal(f.rig->ops->pin(f.rig, 1, PIN_NRST, true), 0);
	assert_int_equal(f.rig->ops->pass(f.rig, SECOND), 0);
	assert_int_equal(f.rig->ops->wait_console(f.rig, 1, "pattern 1", false, SECOND), 0);
	f.rig->ops->events(f.rig, &count);
	assert_int_equal(count, 0);
	end(&f);
}

static void boards_are_told_apart(void **state)
{
	const char *serials[] = { "326237753036", "3366337E3236" };
	const struct transcript *t;
	struct rig_run r = { 0 };
	struct fixture f;
	size_t before;

	(void)state;
	if (system("command -v dfu-util >/dev/null"))
		skip();
	prepare(&f);
	f.setup.boards = 2;
	f.setup.serials = serials;
	open_rig(&f);
	/* The second comes up first. */
	to_rom(&f, 2);
	to_rom(&f, 1);
	before = f.rig->ops->transcript(f.rig)->count;
	run(&f, &r, "exec dfu-util -S 3366337E3236 -a 0 -s 0x08000000:4 -U back");
	t = f.rig->ops->transcript(f.rig);
	for (size_t i = before; i < t->count; i++)
		if (t->exchanges[i].op != OP_NONE)
			assert_int_equal(t->exchanges[i].board, 2);
	assert_null(f.rig->ops->profile(f.rig, 3));
	assert_int_equal(f.rig->ops->pin(f.rig, 3, PIN_NRST, false), -ENOENT);
	end(&f);
}

static void what_is_wrong_with_a_desk_is_said(void **state)
{
	const char *serials[] = { "xyz" };
	char why[RIG_WHY] = "";
	struct fixture f;

	(void)state;
	prepare(&f);
	f.setup.serials = serials;
	assert_null(rig_desk_open(&f.setup, why));
	assert_non_null(strstr(why, "'xyz'"));
	f.setup.serials = NULL;
	f.setup.capture = "/nowhere/at/all.pcapng";
	assert_null(rig_desk_open(&f.setup, why));
	assert_string_equal(why, "cannot create capture '/nowhere/at/all.pcapng': No such file or directory");
	end(&f);
}

static void faults_come_and_go(void **state)
{
	struct fixture f;
	char why[RIG_WHY] = "";

	(void)state;
	prepare(&f);
	open_rig(&f);
	assert_int_equal(f.rig->ops->fault_add(f.rig, 1, "stall on=dnload", why), 0);
	assert_int_equal(f.rig->ops->fault_add(f.rig, 1, "stahl on=dnload", why), -EINVAL);
	assert_non_null(strstr(why, "stall"));
	assert_int_equal(f.rig->ops->fault_clear(f.rig, 1), 0);
	assert_int_equal(f.rig->ops->fault_add(f.rig, 2, "stall on=dnload", why), -ENOENT);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_bring_the_rom_and_the_application),
		cmocka_unit_test(a_wait_in_vain_takes_exactly_its_limit),
		cmocka_unit_test(a_tool_has_its_output_environment_folder_and_no_input),
		cmocka_unit_test(a_tool_that_is_not_there_is_told),
		cmocka_unit_test(a_tool_is_killed_at_its_limit_and_not_before),
		cmocka_unit_test(the_end_of_a_tool_is_not_skipped_over),
		cmocka_unit_test(a_tool_that_computes_is_killed_by_the_wall),
		cmocka_unit_test(a_tool_is_interrupted_by_time),
		cmocka_unit_test(requests_are_counted_seen_and_interrupted),
		cmocka_unit_test(firmware_that_runs_takes_no_memory),
		cmocka_unit_test(boards_are_told_apart),
		cmocka_unit_test(what_is_wrong_with_a_desk_is_said),
		cmocka_unit_test(faults_come_and_go),
	};
	char why[PRIVATE_BUS_ERROR];

	if (private_bus_probe(why)) {
		printf("1..0 # SKIP no private bus here: %s\n", why);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
