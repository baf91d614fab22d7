// SPDX-License-Identifier: GPL-2.0-or-later
/* Wires switched by commands, the guardian that outlives its owner, and the lock of a board. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "a_rig.h"
#include "board_lock.h"
#include "janitor.h"
#include "prng.h"
#include "wires.h"
#include "worker.h"

#define KILLS 50
#define RACES 40
#define DEADLINE_US 20000000u

static char folder[] = "/tmp/test-wires-XXXXXX";
static char why[WIRES_WHY];

static struct board_rig *rig_with(const char *rest)
{
	char text[4000];

	snprintf(text, sizeof(text), "rig: desk\nkind: board\nboard: {serial: S1, port: 1-1.2}\n%s", rest);
	return a_rig(text);
}

/* Wires leave their level in a file of their name. */
#define SWITCH(wire, level) "[sh, -c, 'echo $2 >$1 && echo $1 $2 >>log', sh, " wire ", " level "]"
#define WIRE(name) "  " name ": {command: {on: " SWITCH(name, "high") ", off: " SWITCH(name, "low") "}}\n"

static struct board_rig *desk(void)
{
	return rig_with("wires:\n" WIRE("boot0") WIRE("nrst") WIRE("power"));
}

static int begin(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return !mkdtemp(folder) || chmod(folder, 01777) || setenv("DFUBENCH_LOCK_DIR", folder, 1) || chdir(folder);
}

static int end(void **state)
{
	(void)state;
	return chdir("/") || folder_remove(folder);
}

static void level_is(const char *wire, const char *want)
{
	char text[16] = "";
	FILE *f = fopen(wire, "r");

	if (!f || !fgets(text, sizeof(text), f))
		text[0] = 0;
	if (f)
		fclose(f);
	text[strcspn(text, "\n")] = 0;
	assert_string_equal(text, want);
}

static void all_are_idle(void)
{
	level_is("boot0", "low");
	level_is("nrst", "high");
	level_is("power", "high");
}

/* What has been switched, in order. */
static void log_is(const char *want)
{
	char text[2000] = "";
	FILE *f = fopen("log", "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	assert_string_equal(text, want);
}

static struct wires *opened(const struct board_rig *rig)
{
	struct wires *w;
	int error;

	w = wires_open(rig, &error, why);
	if (!w)
		fail_msg("%s", why);
	assert_int_equal(error, 0);
	return w;
}

static void waits_for_the_lock(void)
{
	uint64_t start = worker_now_us();
	struct board_lock *lock;
	int error;

	while (!(lock = board_lock_take("S1", "1-1.2", &error, why))) {
		assert_int_equal(error, -EBUSY);
		if (worker_now_us() - start > DEADLINE_US)
			fail_msg("never free: %s", why);
		usleep(1000);
	}
	board_lock_give(lock);
}

/* --- switching --- */

static void wires_idle_first_then_follow_then_idle(void **state)
{
	struct board_rig *rig = desk();
	struct wires *w = opened(rig);

	(void)state;
	all_are_idle();
	assert_int_equal(wires_set(w, WIRE_BOOT0, true, why), 0);
	level_is("boot0", "high");
	assert_int_equal(wires_set(w, WIRE_NRST, false, why), 0);
	level_is("nrst", "low");
	assert_int_equal(wires_idle(w, why), 0);
	all_are_idle();
	assert_int_equal(wires_set(w, WIRE_POWER, false, why), 0);
	wires_close(w);
	all_are_idle();
	w = opened(rig);
	assert_int_equal(wires_set(w, WIRE_VBUS, true, why), -ENOENT);
	assert_string_equal(why, "the rig has no wire 'vbus'");
	wires_close(w);
	board_rig_free(rig);
}

static void the_file_says_how_and_in_which_order_wires_idle(void **state)
{
	struct board_rig *rig = rig_with(
		"order: {idle: [power, boot0, nrst]}\nwires:\n"
		"  boot0: {idle: high, command: {on: " SWITCH("boot0", "high") ", off: " SWITCH(
			"boot0", "low") "}}\n" WIRE("nrst") "  power: {idle: off, command: "
							    "{on: " SWITCH("power",
									   "high") ", off: " SWITCH("po"
												    "we"
												    "r",
												    "lo"
												    "w") "}}\n");

	(void)state;
	wires_close(opened(rig));
	log_is("power low\nboot0 high\nnrst high\npower low\nboot0 high\nnrst high\n");
	board_rig_free(rig);
}

static void a_command_that_fails_is_told_with_what_it_said(void **state)
{
	static const struct {
		const char *off, *want;
		int error;
	} cases[] = {
		{ "[sh, -c, 'echo one >&2; echo no such relay >&2; exit 3']",
		  "cannot bring to low nrst (command 'true'): 'sh' ended with status 3: no such relay", -EIO },
		{ "[sh, -c, 'kill -9 $$']", "cannot bring to low nrst (command 'true'): 'sh' was ended by signal 9",
		  -EIO },
		{ "[sh, -c, 'exec sleep 60']",
		  "cannot bring to low nrst (command 'true'): 'sh' took longer than 0.3 s and was killed", -ETIMEDOUT },
		{ "[/nonexistent/relay]",
		  "cannot bring to low nrst (command 'true'): cannot run '/nonexistent/relay': No such file or "
		  "directory",
		  -ENOENT },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[400];
		struct board_rig *rig;
		struct wires *w;

		snprintf(text, sizeof(text), "wires: {nrst: {command: {on: ['true'], off: %s, timeout: 300ms}}}",
			 cases[i].off);
		rig = rig_with(text);
		w = opened(rig);
		assert_int_equal(wires_set(w, WIRE_NRST, false, why), cases[i].error);
		assert_string_equal(why, cases[i].want);
		wires_close(w);
		board_rig_free(rig);
	}
}

static void what_cannot_be_idled_cannot_be_opened(void **state)
{
	struct board_rig *rig = rig_with("wires:\n  boot0: {command: {on: ['true'], off: ['false']}}\n" WIRE("nrst"));
	int error;

	(void)state;
	assert_null(wires_open(rig, &error, why));
	assert_int_equal(error, -EIO);
	assert_string_equal(why, "cannot bring to low boot0 (command 'true'): 'false' ended with status 1");
	level_is("nrst", "high"); /* all the same */
	waits_for_the_lock();
	board_rig_free(rig);
}

/* --- the guardian --- */

/* A child that has the wires; it writes a byte when it has, and one when they are not idle any more. */
static pid_t runner(const struct board_rig *rig, int *has_them)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct wires *w;
		int error;

		w = wires_open(rig, &error, why);
		if (!w || write(ends[1], "", 1) != 1)
			_exit(1);
		/* Never all at idle. */
		wires_set(w, WIRE_BOOT0, true, why);
		wires_set(w, WIRE_POWER, false, why);
		if (write(ends[1], "", 1) != 1)
			_exit(1);
		for (bool high = true;; high = !high)
			wires_set(w, high ? WIRE_NRST : WIRE_BOOT0, false, why);
	}
	close(ends[1]);
	*has_them = ends[0];
	return pid;
}

static void wires_idle_and_lock_is_free_whenever_the_runner_is_killed(void **state)
{
	struct board_rig *rig = desk();
	struct prng prng = { 7 };

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		int has_them, status;
		pid_t pid = runner(rig, &has_them);
		char byte;

		/* Half of them before they have begun to switch. */
		if (i % 2)
			assert_int_equal(read(has_them, &byte, 1), 1);
		usleep((unsigned)(prng_between(&prng, 0, 30000)));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		close(has_them);
		waits_for_the_lock();
		if (i)
			all_are_idle();
	}
	wires_close(opened(rig));
	all_are_idle();
	board_rig_free(rig);
}

static pid_t guardian_of(pid_t pid)
{
	char path[64];
	FILE *f;
	int child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &child), 1);
	fclose(f);
	return child;
}

static void a_guardian_that_is_killed_is_told_and_wires_idle_all_the_same(void **state)
{
	struct board_rig *rig = desk();
	struct wires *w = opened(rig);

	(void)state;
	assert_int_equal(wires_set(w, WIRE_BOOT0, true, why), 0);
	kill(guardian_of(getpid()), SIGKILL);
	assert_int_equal(wires_set(w, WIRE_NRST, false, why), -EPIPE);
	assert_non_null(strstr(why, "has ended"));
	level_is("boot0", "high");
	assert_int_equal(wires_idle(w, why), 0);
	all_are_idle();
	assert_int_equal(wires_set(w, WIRE_BOOT0, true, why), 0);
	kill(guardian_of(getpid()), SIGKILL);
	wires_close(w);
	all_are_idle();
	waits_for_the_lock();
	board_rig_free(rig);
}

static void a_signal_to_the_group_of_the_runner_does_not_reach_the_guardian(void **state)
{
	struct board_rig *rig = desk();
	int has_them;
	pid_t pid, guardian;
	char byte;

	(void)state;
	pid = runner(rig, &has_them);
	assert_int_equal(read(has_them, &byte, 1), 1);
	assert_int_equal(read(has_them, &byte, 1), 1);
	close(has_them);
	guardian = guardian_of(pid);
	assert_int_not_equal(getpgid(guardian), getpgid(pid));
	assert_int_not_equal(getsid(guardian), getsid(pid));
	kill(guardian, SIGTERM);
	kill(guardian, SIGINT);
	kill(guardian, SIGHUP);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	waits_for_the_lock();
	all_are_idle();
	board_rig_free(rig);
}

static void ending_orphans_leaves_a_guardian_its_time(void **state)
{
	struct board_rig *rig = desk();
	const pid_t nobody[] = { 0 };
	struct wires *own = opened(rig);
	int has_them;
	pid_t pid;
	char byte;

	(void)state;
	/* This process's own goes on. */
	orphans_end(nobody);
	assert_int_equal(wires_set(own, WIRE_BOOT0, true, why), 0);
	wires_close(own);
	pid = runner(rig, &has_them);
	assert_int_equal(read(has_them, &byte, 1), 1);
	assert_int_equal(read(has_them, &byte, 1), 1);
	close(has_them);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	orphans_end(nobody);
	all_are_idle();
	board_rig_free(rig);
}

/* --- the lock --- */

static void who_has_the_board_is_told(void **state)
{
	struct board_rig *rig = desk(), *port = a_rig("rig: other\nkind: board\nboard: {port: 1-1.2}\nwires: {}\n");
	struct wires *w = opened(rig);
	char want[64];
	int error;

	(void)state;
	snprintf(want, sizeof(want), "the board is in use by process %ld: ", (long)getpid());
	assert_null(wires_open(rig, &error, why));
	assert_int_equal(error, -EBUSY);
	assert_int_equal(strncmp(why, want, strlen(want)), 0);
	assert_non_null(strstr(why, "test_wires"));
	assert_null(wires_open(port, &error, why));
	assert_int_equal(error, -EBUSY);
	wires_close(w);
	wires_close(opened(port));
	board_rig_free(rig);
	board_rig_free(port);
}

static void what_is_no_plain_file_is_no_lock(void **state)
{
	struct board_lock *lock;
	struct stat st;
	int error;

	(void)state;
	assert_int_equal(close(creat("precious", 0600)), 0);
	assert_int_equal(close(creat("treasure", 0600)), 0);
	assert_int_equal(symlink("treasure", "dfubench-board-A"), 0);
	assert_int_equal(symlink("nowhere", "dfubench-board-B"), 0);
	assert_int_equal(link("precious", "dfubench-board-C"), 0);
	assert_int_equal(mkfifo("dfubench-board-D", 0666), 0);
	assert_int_equal(mkdir("dfubench-board-E", 0777), 0);
	for (const char *name = "A\0B\0C\0D\0E\0"; *name; name += 2) {
		assert_null(board_lock_take(name, NULL, &error, why));
		assert_int_not_equal(error, -EBUSY);
		assert_non_null(strstr(why, "dfubench-board-"));
	}
	assert_int_equal(stat("precious", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(stat("treasure", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_not_equal(access("nowhere", F_OK), 0);
	/* A name cannot lead elsewhere. */
	lock = board_lock_take("../x/y", NULL, &error, why);
	assert_non_null(lock);
	assert_int_equal(access("dfubench-board-..%2fx%2fy", F_OK), 0);
	board_lock_give(lock);
}

static void as_nobody(const char *serial, int want)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		struct board_lock *lock;
		int error = 0;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		lock = board_lock_take(serial, NULL, &error, why);
		if (error != want)
			fprintf(stderr, "%d: %s\n", error, why);
		_exit(error != want || !lock != !!want);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void another_user_has_to_wait_and_gets_it_then(void **state)
{
	struct board_lock *lock;
	int error;

	(void)state;
	if (geteuid()) {
		print_message("other users can be had as root alone\n");
		skip();
	}
	umask(0077);
	lock = board_lock_take("U1", NULL, &error, why);
	umask(0022);
	assert_non_null(lock);
	as_nobody("U1", -EBUSY);
	board_lock_give(lock);
	as_nobody("U1", 0);
	as_nobody("U2", 0); /* makes the file: */
	lock = board_lock_take("U2", NULL, &error, why);
	assert_non_null(lock);
	board_lock_give(lock);
}

/* One of them at a time is between the two marks, or it ends with 1. */
static _Noreturn void race(void)
{
	int won = 0, error, fd;

	while (won < RACES) {
		struct board_lock *lock = board_lock_take("R", "1-1", &error, why);

		if (!lock) {
			if (error != -EBUSY)
				_exit(2);
			continue;
		}
		fd = open("inside", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			_exit(1);
		close(fd);
		unlink("inside");
		board_lock_give(lock);
		won++;
	}
	_exit(0);
}

static void two_who_race_never_have_it_both(void **state)
{
	pid_t pids[2];
	int status;

	(void)state;
	for (int i = 0; i < 2; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (!pids[i])
			race();
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wires_idle_first_then_follow_then_idle),
		TEST(the_file_says_how_and_in_which_order_wires_idle),
		TEST(a_command_that_fails_is_told_with_what_it_said),
		TEST(what_cannot_be_idled_cannot_be_opened),
		TEST(wires_idle_and_lock_is_free_whenever_the_runner_is_killed),
		TEST(a_guardian_that_is_killed_is_told_and_wires_idle_all_the_same),
		TEST(a_signal_to_the_group_of_the_runner_does_not_reach_the_guardian),
		TEST(ending_orphans_leaves_a_guardian_its_time),
		TEST(who_has_the_board_is_told),
		TEST(what_is_no_plain_file_is_no_lock),
		TEST(another_user_has_to_wait_and_gets_it_then),
		TEST(two_who_race_never_have_it_both),
	};

	return cmocka_run_group_tests_name("wires", tests, NULL, NULL);
}
