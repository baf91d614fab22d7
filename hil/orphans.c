// SPDX-License-Identifier: GPL-2.0-or-later
/* Children of this process that it did not start: what is left of its workers. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

/* A guardian is not to be killed, but to be waited for: it is about to idle the wires of a worker that has ended. */
static bool is_guardian(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	fclose(f);
	return !strcmp(name, ASIDE_NAME "\n");
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
			if (is_in(keep, list[i]))
				continue;
			if (!is_guardian(list[i]))
				kill(list[i], SIGKILL);
			while (waitpid(list[i], NULL, 0) < 0 && errno == EINTR)
				continue;
			found = true;
		}
		free(list);
	}
}
