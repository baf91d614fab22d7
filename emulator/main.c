// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuemu: the STM32F407 ROM USB bootloader in software. Commands as a table. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "exec.h"
#include "profile.h"
#include "say.h"
#include "serve.h"
#include "suggest.h"

static int profiles_main(int argc, char **argv);
static int help_main(int argc, char **argv);
static void profiles_help(void);
static void help_help(void);

static const struct program_command ours[] = {
	{ "profiles", "list the ROMs there are", profiles_main, profiles_help },
	{ "help", "say more about a command", help_main, help_help },
};
#define OURS (sizeof(ours) / sizeof(ours[0]))
#define COMMANDS_MOST 16

/* From 0 on; NULL: no more. */
static const struct program_command *command_at(size_t i)
{
	size_t others = 0;

	while (program_commands[others].name)
		others++;
	return i < others ? &program_commands[i] : i < others + OURS ? &ours[i - others] : NULL;
}

static int refuse(const char *what, const char *word, const char *near)
{
	const struct say say = { .stream = stderr };

	if (near)
		say_error(&say, "%s '%.100s' (did you mean '%s'?)", what, word, near);
	else
		say_error(&say, "%s '%.100s': try 'dfuemu help'", what, word);
	return EXIT_OURS;
}

static const struct program_command *command_find(const char *name)
{
	const struct program_command *c;

	for (size_t i = 0; (c = command_at(i)); i++)
		if (!strcmp(name, c->name))
			return c;
	return NULL;
}

static int unknown_command(const char *word)
{
	const char *names[COMMANDS_MOST + 1] = { NULL };
	const struct program_command *c;

	for (size_t i = 0; i < COMMANDS_MOST && (c = command_at(i)); i++)
		names[i] = c->name;
	return refuse(*word == '-' ? "unknown option" : "unknown command", word, suggest_nearest(word, names));
}

static void usage(FILE *out)
{
	const struct program_command *c;

	fputs("usage: dfuemu COMMAND [OPTIONS] ...\n\n", out);
	for (size_t i = 0; (c = command_at(i)); i++)
		fprintf(out, "  %-10s %s\n", c->name, c->summary);
	fputs("\n'dfuemu help COMMAND' says more, 'dfuemu --version' which version this is; see also dfuemu(1).\n",
	      out);
}

static bool asks_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

static void profiles_help(void)
{
	puts("usage: dfuemu profiles\n\nList the names that --profile takes, and what they are.");
}

static int profiles_main(int argc, char **argv)
{
	if (argc > 1 && asks_help(argv[1])) {
		profiles_help();
		return 0;
	}
	if (argc > 1)
		return refuse("profiles takes no", argv[1], NULL);
	for (size_t i = 0; mcu_profiles[i]; i++) {
		const struct mcu_profile *p = mcu_profiles[i];

		printf("%-14s %s", p->name, p->summary);
		for (const char *const *alias = p->aliases; *alias; alias++)
			printf("%s%s", alias == p->aliases ? " (also: " : ", ", *alias);
		puts(p->aliases[0] ? ")" : "");
	}
	return 0;
}

static void help_help(void)
{
	puts("usage: dfuemu help [COMMAND]");
}

static int help_main(int argc, char **argv)
{
	const struct program_command *command;

	if (argc < 2) {
		usage(stdout);
		return 0;
	}
	command = command_find(argv[1]);
	if (!command && !asks_help(argv[1]))
		return unknown_command(argv[1]);
	if (command)
		command->help();
	else
		help_help();
	return 0;
}

static int dispatch(int argc, char **argv)
{
	const struct program_command *command;

	if (argc < 2) {
		usage(stderr);
		return EXIT_OURS;
	}
	if (asks_help(argv[1])) {
		usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("dfuemu %s\nfronts:%s", DFUBENCH_VERSION, program_fronts);
		serve_fronts(stdout);
		return 0;
	}
	command = command_find(argv[1]);
	return command ? command->main(argc - 1, argv + 1) : unknown_command(argv[1]);
}

/* A standard stream that we were started without: no file or socket of ours may get its number, and what was meant for a
 * terminal. What is there instead fails to be read and written, as before; the tool does not have it either. */
static int keep_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int status = keep_streams() ? EXIT_OURS : dispatch(argc, argv);

	/* A list that did not reach its reader is a failure. */
	if (fflush(stdout) && !status) {
		const struct say say = { .stream = stderr };

		say_error(&say, "cannot write to standard output: %s", strerror(errno));
		return EXIT_OURS;
	}
	return status;
}
