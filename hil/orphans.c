// SPDX-License-Identifier: GPL-2.0-or-later
/* Children of this process that it did not start: what is left of its workers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "aside.h"
#include "worker.h"

static pid_t *read_children(const char *task, pid_t *list, size_t *count)
{
	char path[64];
	FILE *f;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", task);
	f = fopen(path, "re");
	while (f && list && fscanf(f, "%ld", &pid) == 1) {
		pid_t *more = realloc(list, (*count + 2) * sizeof(*more));

		if (!more) {
			free(list);
			list = NULL;
			break;
		}
		list = more;
		list[(*count)++] = (pid_t)pid;
		list[*count] = 0;
	}
	if (f)
		fclose(f);
	return list;
}

pid_t *children_now(void)
{
	DIR *tasks = opendir("/proc/self/task");
	pid_t *list = calloc(1, sizeof(*list));
	struct dirent *entry;
	size_t count = 0;

	while (tasks && list && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			list = read_children(entry->d_name, list, &count);
	if (tasks)
		closedir(tasks);
	return list;
}

/* The process whose wires it guards; 0: it is no guardian. */
static pid_t guarded_by(pid_t pid)
{
	char path[64];
	long owner = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, ASIDE_NAME "%ld", &owner) != 1)
		owner = 0;
	fclose(f);
	return (pid_t)owner;
}

static bool is_in(const pid_t *list, pid_t pid)
{
	while (*list && *list != pid)
		list++;
	return *list != 0;
}

void orphans_end(const pid_t *keep)
{
	bool found = true;

	/* What a process has started becomes ours as it dies: until there is none left. */
	while (found) {
		pid_t *list = children_now();

		found = false;
		for (size_t i = 0; list && list[i]; i++) {
			pid_t owner = guarded_by(list[i]);

			if (is_in(keep, list[i]) || owner == getpid())
				continue;
			/* That of a worker that has ended is about to idle its wires, and ends by itself. */
			if (!owner)
				kill(list[i], SIGKILL);
			while (waitpid(list[i], NULL, 0) < 0 && errno == EINTR)
				continue;
			found = true;
		}
		free(list);
	}
}
