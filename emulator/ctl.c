// SPDX-License-Identifier: GPL-2.0-or-later
/* Client of the control socket. */
#include "ctl.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "exec.h"
#include "say.h"

#define EXIT_COMMAND_FAILED 1
#define EXIT_USAGE 2

struct ctl {
	struct say say;
	const char *socket, *board;
	bool json;
	char **words; /* the command; NULL ends */
	bool streams; /* events: there is no last line */
	char line[CONTROL_LINE + 1];
	size_t used;
};

void ctl_help(void)
{
	puts("usage: dfuemu ctl [--json] [--board N] SOCKET COMMAND...\n"
	     "\n"
	     "Give one command to the dfuemu that was started with --control SOCKET. --json: the answer is a line of\n"
	     "JSON. Exit status: 0 done, 1 the command failed, 2 there is no such command, 125 no dfuemu listens.\n"
	     "\n"
	     "Commands:");
	control_commands(stdout);
}

static int refuse(const struct ctl *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int refuse(const struct ctl *c, const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	say_error(&c->say, "ctl: %s", why);
	return EXIT_USAGE;
}

/* Options may stand on either side of the socket's name. 0; 1: help was asked for; or the exit status. */
static int parse(struct ctl *c, int argc, char **argv, bool *help)
{
	int i = 1;

	for (; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			c->json = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			*help = true;
			return 0;
		} else if (!strcmp(argv[i], "--board")) {
			if (++i == argc)
				return refuse(c, "option '--board' needs a value: N");
			c->board = argv[i];
		} else if (!strncmp(argv[i], "--board=", 8)) {
			c->board = argv[i] + 8;
		} else if (argv[i][0] == '-' && argv[i][1]) {
			return refuse(c, "unknown option '%.60s': try 'dfuemu help ctl'", argv[i]);
		} else if (!c->socket) {
			c->socket = argv[i];
		} else {
			break;
		}
	}
	if (!c->socket)
		return refuse(c, "no socket: dfuemu ctl [--json] [--board N] SOCKET COMMAND...");
	if (c->board && (!*c->board || strspn(c->board, "0123456789") != strlen(c->board)))
		return refuse(c, "--board '%.60s': must be the number of a board", c->board);
	c->words = argv + i;
	if (*c->words && (!strcmp(*c->words, "json") || !strcmp(*c->words, "quit")))
		return refuse(c, "'%s' is for programs that keep a connection: here it is --json, or nothing",
			      *c->words);
	return *c->words ? 0 : refuse(c, "no command: dfuemu ctl [--json] [--board N] SOCKET COMMAND...");
}

/* The server stands in another folder than we do. NULL: as it is. */
static char *absolute(const char *path)
{
	char *folder, *whole;

	if (*path == '/')
		return NULL;
	folder = getcwd(NULL, 0);
	if (!folder)
		return NULL;
	if (asprintf(&whole, "%s/%s", folder, path) < 0)
		whole = NULL;
	free(folder);
	return whole;
}

static bool names_a_file(char **words, size_t i)
{
	return i >= 2 && (!strcmp(words[i - 1], "load") || !strcmp(words[i - 1], "save")) &&
	       (!strcmp(words[i - 2], "flash") || !strcmp(words[i - 2], "options"));
}

/* Quoted, so that it arrives as the words that it is. False: it does not fit. */
static bool append(struct ctl *c, const char *word)
{
	size_t room = sizeof(c->line) - c->used;

	if (room < 2 * strlen(word) + 5 || strpbrk(word, "\r\n"))
		return false;
	if (c->used)
		c->line[c->used++] = ' ';
	c->line[c->used++] = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			c->line[c->used++] = '\\';
		c->line[c->used++] = *word;
	}
	c->line[c->used++] = '"';
	return true;
}

static bool make_line(struct ctl *c)
{
	bool good = true;

	if (c->board)
		good = append(c, "board") && append(c, c->board);
	for (size_t i = 0; good && c->words[i]; i++) {
		char *path = names_a_file(c->words, i) ? absolute(c->words[i]) : NULL;

		good = append(c, path ? path : c->words[i]);
		free(path);
		c->streams |= !strcmp(c->words[i], "events");
	}
	c->line[c->used++] = '\n';
	return good && c->used < CONTROL_LINE;
}

static int open_socket(const struct ctl *c)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(c->socket) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, c->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		length -= (size_t)n;
	}
	return true;
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* Exit status of the line that ends an answer; -1: it is none. Data goes out. */
static int take_line(const struct ctl *c, const char *line)
{
	if (c->json) {
		puts(line);
		fflush(stdout);
		if (starts(line, "{\"ok\":true"))
			return 0;
		if (starts(line, "{\"ok\":false"))
			return starts(line, "{\"ok\":false,\"refused\":true") ? EXIT_USAGE : EXIT_COMMAND_FAILED;
		return -1;
	}
	if (starts(line, "  ")) {
		puts(line + 2);
		fflush(stdout);
		return -1;
	}
	if (starts(line, "error: ")) {
		say_error(&c->say, "%s", line + 7);
		return EXIT_COMMAND_FAILED;
	}
	if (starts(line, "refused: ")) {
		say_error(&c->say, "%s", line + 9);
		return EXIT_USAGE;
	}
	return strcmp(line, "ok") ? -1 : 0;
}

static int read_answer(const struct ctl *c, FILE *in)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int status = -1;

	/* Of --json the first line answers that, unless it went wrong. */
	if (c->json && (n = getline(&line, &size, in)) > 0 && !starts(line, "{\"ok\":true")) {
		line[strcspn(line, "\n")] = 0;
		say_error(&c->say, "%s", starts(line, "error: ") ? line + 7 : line);
		status = EXIT_OURS;
	}
	while (status < 0 && (n = getline(&line, &size, in)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		status = take_line(c, line);
	}
	free(line);
	if (status >= 0)
		return status;
	if (c->streams)
		return 0; /* the boards are gone, that was all */
	say_error(&c->say, "ctl: the connection ended before the answer");
	return EXIT_COMMAND_FAILED;
}

int ctl_main(int argc, char **argv)
{
	struct ctl c = { .say = { .stream = stderr } };
	bool help = false;
	FILE *in;
	int fd, status;

	status = parse(&c, argc, argv, &help);
	if (status)
		return status;
	if (help) {
		ctl_help();
		return 0;
	}
	if (!make_line(&c))
		return refuse(&c, "the command is too long, or has a line break");
	fd = open_socket(&c);
	if (fd < 0) {
		say_error(&c.say, "cannot connect to '%.200s': %s", c.socket, strerror(errno));
		return EXIT_OURS;
	}
	in = fdopen(fd, "r");
	if (!in) {
		say_error(&c.say, "%s", strerror(errno));
		close(fd);
		return EXIT_OURS;
	}
	/* Who hung up at once has said why. */
	if (((c.json && !send_all(fd, "json on\n", 8)) || !send_all(fd, c.line, c.used)) && errno != EPIPE) {
		say_error(&c.say, "cannot send to '%.200s': %s", c.socket, strerror(errno));
		status = EXIT_OURS;
	} else {
		status = read_answer(&c, in);
	}
	fclose(in);
	return status;
}
