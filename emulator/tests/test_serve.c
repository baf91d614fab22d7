// SPDX-License-Identifier: GPL-2.0-or-later
/* serve with a front whose host is this machine's kernel, which takes as long to find the boards as the test wants. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "front.h"
#include "serve.h"

struct front {
	unsigned asked;
};

static struct {
	int asked;         /* descriptor: a byte for each call of address() */
	int plug_error;    /* -errno */
	unsigned found_at; /* the call of address() that knows the board; 0: none */
} give;

static struct front *fake_open(const struct front_env *env, const struct front_options *options, char why[FRONT_WHY])
{
	(void)env, (void)options, (void)why;
	return calloc(1, sizeof(struct front));
}

static int fake_plug(struct front *f, struct usbdev *device)
{
	(void)f, (void)device;
	return give.plug_error;
}

static void fake_unplug(struct front *f, struct usbdev *device)
{
	(void)f, (void)device;
}

static unsigned fake_address(const struct front *f, const struct usbdev *device)
{
	(void)device;
	if (write(give.asked, "", 1) != 1)
		abort();
	return give.found_at && ++((struct front *)f)->asked >= give.found_at;
}

static void fake_tell(const struct front *f, char text[FRONT_WHY])
{
	(void)f;
	strcpy(text, "here");
}

static void fake_close(struct front *f)
{
	free(f);
}

/* In the place of those that there are: the linker takes these and leaves fronts.c out. */
static const struct front_ops fake_front = {
	.name = "vhci",
	.summary = "fake",
	.room = 2,
	.local = true,
	.open = fake_open,
	.plug = fake_plug,
	.unplug = fake_unplug,
	.address = fake_address,
	.tell = fake_tell,
	.close = fake_close,
};

const struct front_ops *const fronts[] = { &fake_front, NULL };

const struct front_ops *front_find(const char *name)
{
	return strcmp(name, fake_front.name) ? NULL : &fake_front;
}

/* serve with a command that makes itself heard as "X". The process; *asked and *heard are to be read. */
static pid_t start(int *asked, int *heard)
{
	char *argv[] = { "serve", "vhci", "-q", "sh", "-c", "echo X; exit 5", NULL };
	int ask[2], hear[2];
	pid_t pid;

	assert_int_equal(pipe(ask), 0);
	assert_int_equal(pipe(hear), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		give.asked = ask[1];
		close(ask[0]);
		dup2(hear[1], STDOUT_FILENO);
		close(hear[0]);
		close(hear[1]);
		_exit(serve_main(6, argv));
	}
	close(ask[1]);
	close(hear[1]);
	*asked = ask[0];
	*heard = hear[0];
	return pid;
}

/* The exit status; how often address() was called, and whether the command was heard. */
static int end(pid_t pid, int asked, int heard, unsigned *calls, bool *ran)
{
	char bytes[4096];
	ssize_t n;
	int status;

	*calls = 0;
	*ran = false;
	while ((n = read(heard, bytes, sizeof(bytes))) > 0)
		*ran = true;
	while ((n = read(asked, bytes, sizeof(bytes))) > 0)
		*calls += (unsigned)n;
	close(heard);
	close(asked);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void the_command_starts_when_the_kernel_has_the_board(void **state)
{
	unsigned calls;
	int asked, heard;
	bool ran;
	pid_t pid;

	(void)state;
	memset(&give, 0, sizeof(give));
	give.found_at = 4;
	pid = start(&asked, &heard);
	assert_int_equal(end(pid, asked, heard, &calls, &ran), 5);
	assert_int_equal(calls, 4);
	assert_true(ran);
}

static void a_signal_before_the_command_is_no_success_of_it(void **state)
{
	unsigned calls;
	int asked, heard;
	bool ran;
	pid_t pid;
	char byte;

	(void)state;
	memset(&give, 0, sizeof(give));
	pid = start(&asked, &heard);
	assert_int_equal(read(asked, &byte, 1), 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(end(pid, asked, heard, &calls, &ran), 128 + SIGTERM);
	assert_false(ran);
}

static void a_device_that_has_no_place_ends_it(void **state)
{
	unsigned calls;
	int asked, heard;
	bool ran;
	pid_t pid;

	(void)state;
	memset(&give, 0, sizeof(give));
	give.plug_error = -ENOSPC;
	pid = start(&asked, &heard);
	assert_int_equal(end(pid, asked, heard, &calls, &ran), 125);
	assert_int_equal(calls, 0);
	assert_false(ran);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_starts_when_the_kernel_has_the_board),
		cmocka_unit_test(a_signal_before_the_command_is_no_success_of_it),
		cmocka_unit_test(a_device_that_has_no_place_ends_it),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
