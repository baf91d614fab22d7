// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine on QEMU. While its process runs an event of the bench looks after it, at intervals of the wall's time: what it has said,
 * whether it has ended and why.
 */
#include "qemu.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "console_line.h"
#include "flash.h"
#include "qemu_machine.h"

/* Each look that finds nothing makes the next one wait twice as long. */
#define LOOK_LEAST_US 1000u
#define LOOK_MOST_US 8000u
#define LOOK_BYTES 16384u /* at once: firmware that only talks leaves time for others */

struct qemu {
	struct engine engine; /* first: a struct engine * of ours is a struct qemu * */
	struct mcu *mcu;
	struct bench *bench;
	struct qemu_options options;
	struct qemu_machine machine;
	struct bench_event event;
	struct console_line line;
	uint64_t heard_us, look_us;
	bool locked_up;
	uint64_t faults; /* 1: fault is what locked it up */
	struct mcu_fault fault;
};

static uint64_t of_bench(const struct qemu *q, uint64_t wall_us)
{
	return (uint64_t)((double)wall_us * q->options.scale) + 1;
}

static void look_again(struct qemu *q, bool soon)
{
	q->look_us = soon ? LOOK_LEAST_US : q->look_us * 2 < LOOK_MOST_US ? q->look_us * 2 : LOOK_MOST_US;
	bench_after(q->bench, &q->event, of_bench(q, q->look_us));
}

/* The console */

static bool hear(struct qemu *q, size_t most)
{
	uint8_t bytes[1024];
	size_t n, all = 0;

	while (all < most && (n = qemu_machine_read(&q->machine, bytes, sizeof(bytes)))) {
		all += n;
		for (size_t i = 0; i < n; i++)
			if (console_line_put(&q->line, bytes[i]))
				mcu_say(q->mcu, console_line_end(&q->line));
	}
	if (all)
		q->heard_us = bench_now_us(q->bench);
	return all > 0;
}

static void end_line(struct qemu *q)
{
	if (q->line.length)
		mcu_say(q->mcu, console_line_end(&q->line));
}

/* The end */

static uint32_t register_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	unsigned value = 0;

	if (at)
		sscanf(at + strlen(name), "%8x", &value);
	return value;
}

/* QEMU prints the registers, as they are in the handler that could not be left; it keeps those of the fault to itself. */
static void lock_up(struct qemu *q, const char *lockup)
{
	char name[8];

	q->fault = (struct mcu_fault){ .exception = 3, .lockup = true };
	for (unsigned i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "R%02u=", i);
		q->fault.r[i] = register_of(lockup, name);
	}
	q->fault.xpsr = register_of(lockup, "XPSR=");
	q->faults = 1;
	q->locked_up = true;
	mcu_lock_up(q->mcu, &q->fault);
}

static void fail(struct qemu *q, const char *why)
{
	static const char self[] = QEMU_PROGRAM ": ";
	char line[400];

	if (!strncmp(why, self, strlen(self)))
		why += strlen(self);
	snprintf(line, sizeof(line), "%s%.*s", self, (int)strcspn(why, "\n"), why);
	q->options.warn(q->options.context, line);
}

static void over(struct qemu *q)
{
	const char *lockup = strstr(q->machine.said, "qemu: fatal: Lockup");
	int status = q->machine.status;
	char why[64];

	hear(q, SIZE_MAX);
	end_line(q);
	if (WIFEXITED(status) && !WEXITSTATUS(status) && !strstr(q->machine.said, "terminating on signal")) {
		mcu_software_reset(q->mcu);
		return;
	}
	if (lockup && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
		lock_up(q, lockup);
		return;
	}
	if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "ended by signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "exit status %d", WEXITSTATUS(status));
	fail(q, q->machine.said[0] ? q->machine.said : why);
}

static void look(struct bench_event *e)
{
	struct qemu *q = e->context;
	bool ended = qemu_machine_ended(&q->machine), heard;

	if (ended) {
		over(q);
		return;
	}
	heard = hear(q, LOOK_BYTES);
	if (bench_now_us(q->bench) - q->heard_us >= of_bench(q, CONSOLE_SILENCE_US))
		end_line(q);
	look_again(q, heard);
}

/* Start and stop */

static int start_machine(struct qemu *q, uint32_t vector)
{
	const struct mcu_profile *p = mcu_profile(q->mcu);
	uint8_t *bytes = malloc(p->flash_size_bytes + p->ram_size_bytes);
	struct qemu_memory flash = { p->flash_base, bytes, p->flash_size_bytes };
	struct qemu_memory ram = { p->ram_base, bytes + p->flash_size_bytes, p->ram_size_bytes };
	int r;

	if (!bytes)
		return -ENOMEM;
	flash_read(mcu_flash(q->mcu), p->flash_base, bytes, p->flash_size_bytes);
	mcu_read_ram(q->mcu, p->ram_base, bytes + p->flash_size_bytes, p->ram_size_bytes);
	r = qemu_machine_start(&q->machine, &flash, &ram, vector);
	free(bytes);
	return r;
}

static struct usbdev *qemu_start(void *context, struct mcu *mcu, uint32_t vector)
{
	struct qemu *q = context;
	int r;

	(void)mcu;
	q->line.length = 0;
	q->locked_up = false;
	q->faults = 0;
	r = start_machine(q, vector);
	if (r)
		fail(q, strerror(-r));
	else
		look_again(q, true);
	return NULL;
}

static void qemu_stop(void *context, struct mcu *mcu)
{
	struct qemu *q = context;

	(void)mcu;
	bench_cancel(q->bench, &q->event);
	hear(q, LOOK_BYTES);
	end_line(q);
	qemu_machine_kill(&q->machine);
	q->locked_up = false;
}

static const struct mcu_app_ops qemu_app_ops = { .start = qemu_start, .stop = qemu_stop, .executes = true };

/* The engine */

static void qemu_free(struct engine *e)
{
	struct qemu *q = (struct qemu *)e;

	bench_cancel(q->bench, &q->event);
	qemu_machine_kill(&q->machine);
	free(q);
}

static size_t qemu_console(struct engine *e, const uint8_t *bytes, size_t length)
{
	struct qemu *q = (struct qemu *)e;
	size_t taken = qemu_machine_write(&q->machine, bytes, length);

	if (taken)
		look_again(q, true);
	return taken;
}

static int qemu_button(struct engine *e, bool pressed)
{
	(void)e, (void)pressed;
	return -ENOTSUP;
}

static void qemu_status(struct engine *e, struct engine_status *status)
{
	struct qemu *q = (struct qemu *)e;

	status->name = "qemu";
	status->runs_code = true;
	status->state = q->machine.pid > 0 ? ENGINE_RUNS : q->locked_up ? ENGINE_LOCKED_UP : ENGINE_STOPPED;
	status->faults = q->faults;
	status->fault = q->fault;
}

static const struct engine_ops qemu_ops = {
	.app = &qemu_app_ops,
	.free = qemu_free,
	.console = qemu_console,
	.button = qemu_button,
	.status = qemu_status,
};

struct engine *engine_qemu_new(struct mcu *mcu, const struct qemu_options *options)
{
	struct qemu *q;

	if (!engine_knows(mcu_profile(mcu))) {
		errno = ENOTSUP;
		return NULL;
	}
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->engine.ops = &qemu_ops;
	q->mcu = mcu;
	q->bench = mcu_bench(mcu);
	q->options = *options;
	q->event.fire = look;
	q->event.context = q;
	return &q->engine;
}

const char *qemu_lacks(void)
{
	static const char missing[] = QEMU_PROGRAM " is not in the path (Debian's package " QEMU_PROGRAM ")";
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		size_t length = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/" QEMU_PROGRAM, (int)length, length ? path : ".");
		if (!access(file, X_OK))
			return NULL;
		path += length + (path[length] == ':');
	}
	return missing;
}
