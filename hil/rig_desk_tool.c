// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig in this process: a tool on its bus, with limits, interruptions, and ears for what it says. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "rig_desk.h"
#include "tool_process.h"

/* --- signals --- */

static void send_signal(struct desk_rig *r)
{
	if (!r->run || !r->run->signal || r->ran->signalled)
		return;
	r->ran->signalled = true;
	private_bus_signal(r->bus, r->run->signal);
}

static void transfer_completed(void *context, unsigned board, const struct usb_urb *urb)
{
	struct desk_rig *r = context;

	(void)board;
	if (!r->run || !r->run->signal_after_requests || (urb->endpoint & 0x0f) || (urb->setup.type & 0x7f) != 0x21)
		return;
	if (++r->requests == r->run->signal_after_requests)
		send_signal(r);
}

static void time_to_interrupt(struct bench_event *e)
{
	send_signal(e->context);
}

static void limit_reached(struct bench_event *e)
{
	struct desk_rig *r = e->context;

	if (!r->run || private_bus_signal(r->bus, SIGKILL))
		return;
	r->ran->timed_out = true;
}

void desk_tool_setup(struct desk_rig *r)
{
	desk_listen_transfers(r->desk, transfer_completed, r);
	r->limit = (struct bench_event){ .fire = limit_reached, .context = r };
	r->interrupt = (struct bench_event){ .fire = time_to_interrupt, .context = r };
}

/* --- running --- */

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_pipe(struct desk_rig *r, int i)
{
	if (r->pipes[i][0] >= 0)
		private_bus_watch(r->bus, r->pipes[i][0], NULL, NULL);
	close_end(&r->pipes[i][0]);
	close_end(&r->pipes[i][1]);
}

/* All that is there now. */
static void tool_wrote(void *context, int fd)
{
	struct desk_rig *r = context;
	int i = fd == r->pipes[1][0];
	char bytes[65536];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		r->run->wrote(r->run->context, i == 1, bytes, (size_t)n);
	if (n == 0)
		close_pipe(r, i);
}

static int open_pipes(struct desk_rig *r)
{
	int error = 0;

	for (int i = 0; i < 2; i++)
		r->pipes[i][0] = r->pipes[i][1] = -1;
	for (int i = 0; i < 2 && !error; i++) {
		if (pipe2(r->pipes[i], O_CLOEXEC))
			return -errno;
		/* The tool's end stays as tools know it. */
		if (fcntl(r->pipes[i][0], F_SETFL, O_NONBLOCK))
			return -errno;
		error = private_bus_watch(r->bus, r->pipes[i][0], tool_wrote, r);
	}
	return error;
}

/* Serve the tool until it is over. 0 or -errno. */
static int serve(struct desk_rig *r)
{
	uint64_t start = wall_ms(), limit = r->run->wall_limit_ms;
	int more;

	do {
		uint64_t passed = wall_ms() - start;

		if (limit && passed >= limit && !r->ran->wall_timed_out) {
			r->ran->wall_timed_out = true;
			private_bus_signal(r->bus, SIGKILL);
		}
		more = private_bus_step(r->bus, limit && !r->ran->wall_timed_out ? (int)(limit - passed) : -1);
	} while (more > 0);
	return more;
}

int desk_run(struct rig *rig, const struct rig_run *run, struct rig_ran *ran, char why[RIG_WHY])
{
	static const char *const none[] = { NULL };
	struct desk_rig *r = desk_of(rig);
	struct bench *bench = desk_bench(r->desk);
	const char **environment = environment_with(run->environment ? run->environment : none);
	struct private_bus_tool tool = { .argv = run->words,
					 .envp = (char *const *)environment,
					 .folder = run->folder,
					 .fds = { r->nothing, -1, -1 } };
	char broken[PRIVATE_BUS_ERROR];
	int error;

	*ran = (struct rig_ran){ .start_us = bench_now_us(bench) };
	if (!environment) {
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	r->run = run;
	r->ran = ran;
	r->requests = 0;
	if (run->limit_us)
		bench_after(bench, &r->limit, run->limit_us);
	if (run->signal && !run->signal_after_requests)
		bench_after(bench, &r->interrupt, run->signal_after_us);
	error = open_pipes(r);
	tool.fds[1] = r->pipes[0][1];
	tool.fds[2] = r->pipes[1][1];
	if (error) {
		snprintf(why, RIG_WHY, "cannot make a pipe: %s", strerror(-error));
	} else if ((error = private_bus_start(r->bus, &tool, broken))) {
		ran->exec_failed = private_bus_exec_failed(r->bus);
		snprintf(why, RIG_WHY, "%s", broken);
		error = ran->exec_failed ? 0 : error;
	} else {
		close_end(&r->pipes[0][1]);
		close_end(&r->pipes[1][1]);
		error = serve(r);
		for (int i = 0; i < 2; i++)
			if (r->pipes[i][0] >= 0)
				tool_wrote(r, r->pipes[i][0]);
		ran->status = private_bus_status(r->bus);
		if (error)
			snprintf(why, RIG_WHY, "the private bus has failed, the tool was killed: %s", strerror(-error));
	}
	ran->end_us = bench_now_us(bench);
	bench_cancel(bench, &r->limit);
	bench_cancel(bench, &r->interrupt);
	close_pipe(r, 0);
	close_pipe(r, 1);
	r->run = NULL;
	r->ran = NULL;
	free(environment);
	return error;
}
