// SPDX-License-Identifier: GPL-2.0-or-later
/* Can tools run on a private bus here? One is run, in a process of its own: what a sandbox forbids shows in the attempt alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"
#include "private_bus.h"
#include "rig_desk.h"

static void warn(void *context, const char *line)
{
	(void)context, (void)line;
}

static int attempt(char why[PRIVATE_BUS_ERROR])
{
	static char *const words[] = { "true", NULL };
	struct private_bus_options options = { .time = TIME_VIRTUAL, .scale = 1, .warn = warn };
	struct bench *bench = bench_new(1);
	struct private_bus *bus;
	int r;

	bus = bench ? private_bus_new(bench, &options, why) : NULL;
	r = bus ? private_bus_spawn(bus, words, why) : -EIO;
	if (bus && r && private_bus_exec_failed(bus)) { /* there is no such program, which says nothing */
		r = 0;
	} else if (!r) {
		while ((r = private_bus_step(bus, -1)) > 0)
			continue;
		if (r)
			snprintf(why, PRIVATE_BUS_ERROR, "it breaks: %s", strerror(-r));
	}
	private_bus_free(bus);
	bench_free(bench);
	return r;
}

int desk_possible(char why[RIG_WHY])
{
	char said[PRIVATE_BUS_ERROR] = "";
	int ends[2], error = private_bus_probe(said);
	ssize_t n;
	pid_t pid;

	*why = 0;
	if (error) {
		snprintf(why, RIG_WHY, "%s", said);
		return error;
	}
	if (pipe(ends))
		return 0; /* what is wrong is told by whoever needs it */
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		error = attempt(said);
		n = write(ends[1], said, error ? strlen(said) : 0);
		_exit(error != 0 || n < 0);
	}
	close(ends[1]);
	n = pid > 0 ? read(ends[0], said, sizeof(said) - 1) : 0;
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &error, 0) < 0 && errno == EINTR)
		continue;
	said[n > 0 ? n : 0] = 0;
	snprintf(why, RIG_WHY, "%s", said);
	return *said ? -EIO : 0;
}
