// SPDX-License-Identifier: GPL-2.0-or-later
/* Which process has a run: its number, when it was started, in which numbering, since which start of the machine. */
#include "run_mark.h"
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FORMAT "process %ld since %llu in %31s of %39s"

/* Ticks since the start of the machine; 0: there is no such process. */
static unsigned long long started(long pid)
{
	char path[40], text[1024];
	const char *after;
	unsigned long long ticks = 0;
	size_t length;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[length] = 0;
	/* A name may have anything in it; the number is the 22nd of proc(5), and the 20th behind the name. */
	after = strrchr(text, ')');
	for (int i = 0; after && i < 20; i++)
		after = strchr(after + 1, ' ');
	if (after)
		sscanf(after, "%llu", &ticks);
	return ticks;
}

static void numbering(char out[32])
{
	ssize_t n = readlink("/proc/self/ns/pid", out, 31);

	out[n > 0 ? n : 0] = 0;
}

static void boot(char out[40])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	*out = 0;
	if (f && fscanf(f, "%39s", out) != 1)
		*out = 0;
	if (f)
		fclose(f);
}

void run_mark(char out[RUN_MARK])
{
	char space[32], machine[40];
	long pid = (long)getpid();

	numbering(space);
	boot(machine);
	snprintf(out, RUN_MARK, "process %ld since %llu in %s of %s", pid, started(pid), *space ? space : "?",
		 *machine ? machine : "?");
}

enum run_state run_mark_state(const char *mark, const char *host)
{
	char own[65] = "", space[32], machine[40], its_space[32], its_machine[40];
	unsigned long long since;
	long pid;

	gethostname(own, sizeof(own) - 1);
	if (strcmp(own, host) || sscanf(mark, FORMAT, &pid, &since, its_space, its_machine) != 4)
		return RUN_UNKNOWN;
	boot(machine);
	numbering(space);
	if (!*machine || !*space || !strcmp(its_machine, "?") || !since)
		return RUN_UNKNOWN;
	if (strcmp(machine, its_machine))
		return RUN_KILLED; /* with the whole machine */
	if (strcmp(space, its_space))
		return RUN_UNKNOWN;
	return started(pid) == since ? RUN_RUNS : RUN_KILLED;
}

const char *run_state_name(enum run_state state)
{
	static const char *const names[] = { "ended", "running", "killed", "unknown" };

	return names[state];
}
