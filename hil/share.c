// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that came with the program. */
#include "share.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "text.h"

#define SUITE "conformance"
#define FOLDERS_MAX 100
#define UP_MAX 16 /* folders above that are looked into */

char *share_find(const char *name)
{
	static const char *const places[] = { "../share/dfubench", "../fixtures", ".." };
	char *program = realpath("/proc/self/exe", NULL), *slash = program ? strrchr(program, '/') : NULL;
	char *found = NULL;

	for (unsigned i = 0; slash && !found && i < sizeof(places) / sizeof(*places); i++) {
		char *path = text_format("%.*s/%s/%s", (int)(slash - program), program, places[i], name);

		found = path ? realpath(path, NULL) : NULL;
		free(path);
	}
	free(program);
	return found;
}

char *share_fixture(const char *beside, const char *name)
{
	const char *slash = strrchr(beside, '/');
	char up[3 * UP_MAX + 1] = "", *found = NULL;
	struct stat st;

	for (unsigned depth = 0; depth < UP_MAX; depth++, strcat(up, "../")) {
		char *path = text_format("%.*s%sfixtures/%s", slash ? (int)(slash - beside) + 1 : 0,
					 slash ? beside : "", up, name);

		if (path && !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, R_OK))
			found = realpath(path, NULL); /* tools start in a folder of their own */
		free(path);
		if (found)
			return found;
	}
	return share_find(name);
}

void share_program(char *out, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);
	struct stat st;

	out[n < 0 ? 0 : n] = 0;
	if (n > 0 && stat(out, &st) && errno == ENOENT) /* "... (deleted)" */
		snprintf(out, size, "/proc/%d/exe", (int)getpid());
}

static void no_such(const char *name, struct problems *problems)
{
	const char *names[FOLDERS_MAX + 2] = { SUITE };
	char *suite = share_find("scenarios");
	DIR *dir = suite ? opendir(suite) : NULL;
	struct dirent *entry;
	unsigned count = 1;

	while (dir && count <= FOLDERS_MAX && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && (names[count] = strdup(entry->d_name)))
			count++;
	if (dir)
		closedir(dir);
	free(suite);
	problems_unknown(problems, (struct mark){ 0 }, NULL, "neither a file nor scenarios of the suite are named",
			 name, names);
	while (count > 1)
		free((char *)names[--count]);
}

char *share_scenarios(const char *name, struct problems *problems)
{
	bool whole = !strcmp(name, SUITE), plain = *name && *name != '/' && *name != '.' && !strstr(name, "/.");
	char *path = plain ? text_format("scenarios%s%s", whole ? "" : "/", whole ? "" : name) : NULL;
	char *found = path ? share_find(path) : NULL;

	free(path);
	if (!found && plain) {
		path = text_format("scenarios/%s.yaml", name);
		found = path ? share_find(path) : NULL;
		free(path);
	}
	if (!found && plain && !strchr(name, '/') && !strchr(name, '.'))
		no_such(name, problems);
	else if (!found)
		problems_add(problems, (struct mark){ .file = name }, NULL, "cannot open it: %s", strerror(ENOENT));
	return found;
}
