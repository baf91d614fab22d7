// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig: `dfuemu serve vhci` in a process of its own for each scenario, and its boards by way of its control socket. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "child.h"
#include "rig_control.h"
#include "serve.h"

#define WORDS 64 /* of the command line */
#define ATTACH "/sys/devices/platform/vhci_hcd.0/attach"
#define READY_MS 30000 /* boards start, and the kernel takes them, in a second or so */
#define END_MS 10000   /* it gives all ports back first */
#define SAID 4096      /* bytes of what it complains of */

struct server {
	pid_t pid;
	int ended;  /* readable when it has ended */
	int out;    /* its stdout */
	char *said; /* file with its stderr */
	char *socket;
	char *words[WORDS + 1];
	int word_count;
};

int server_possible(char why[RIG_WHY])
{
	if (!access(ATTACH, W_OK))
		return 0;
	if (errno == ENOENT)
		snprintf(why, RIG_WHY, "vhci_hcd is not loaded: modprobe vhci-hcd%s",
			 geteuid() ? " (as root, who must run this too)" : "");
	else
		snprintf(why, RIG_WHY, "cannot write '%s': %s (run it as root)", ATTACH, strerror(errno));
	return -errno;
}

/* --- the command line --- */

static int word(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int word(struct server *s, const char *format, ...)
{
	va_list args;
	int n;

	if (s->word_count == WORDS)
		return -E2BIG;
	va_start(args, format);
	n = vasprintf(&s->words[s->word_count], format, args);
	va_end(args);
	if (n < 0) {
		s->words[s->word_count] = NULL;
		return -ENOMEM;
	}
	s->word_count++;
	return 0;
}

static int describe(struct server *s, const struct rig_setup *setup)
{
	static const char *const times[] = {
		[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random"
	};
	int bad = word(s, "serve") | word(s, "vhci") | word(s, "--profile=%s", setup->profile) |
		  word(s, "--boards=%u", setup->boards) | word(s, "--boot0=%s", setup->boot0 ? "high" : "low") |
		  word(s, "--boot1=%s", setup->boot1 ? "high" : "low") |
		  word(s, "--erase-times=%s", times[setup->erase_times]) |
		  word(s, "--app=%s", rig_application_word(setup->application)) |
		  word(s, "--seed=%llu", (unsigned long long)setup->seed) | word(s, "--capture=%s", setup->capture) |
		  word(s, "--control=%s", s->socket) | word(s, "--time=x%.3f", setup->scale);

	for (unsigned i = 0; setup->serials && i < setup->boards; i++)
		bad |= setup->serials[i] ? word(s, "--serial=%s", setup->serials[i]) : 0;
	for (size_t i = 0; i < setup->bystander_count; i++)
		bad |= word(s, "--also=%s", setup->bystanders[i].descriptors);
	return bad;
}

/* --- the process --- */

static _Noreturn void become(struct server *s, int out, pid_t parent)
{
	int said = open(s->said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status;

	setpgid(0, 0);
	prctl(PR_SET_NAME, "dfuemu", 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	if (!child_tie(parent) || said < 0 || dup2(out, 1) < 0 || dup2(said, 2) < 0)
		_exit(125);
	status = serve_main(s->word_count, s->words);
	fflush(NULL);
	_exit(status);
}

static uint64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* True: it has said that it is ready. */
static bool is_ready(const struct server *s)
{
	static const char word_of_it[] = "ready";
	uint64_t end = wall_ms() + READY_MS, now;
	char text[512];
	size_t used = 0;

	while ((now = wall_ms()) < end) {
		struct pollfd poller = { .fd = s->out, .events = POLLIN };
		ssize_t n;

		if (poll(&poller, 1, (int)(end - now)) <= 0)
			continue;
		n = read(s->out, text + used, sizeof(text) - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		used += (size_t)n;
		if (memchr(text, '\n', used) || used == sizeof(text))
			return used > sizeof(word_of_it) && !memcmp(text, word_of_it, strlen(word_of_it));
	}
	return false;
}

/* Its last complaint, without the name of a program that the user has not called. */
static void explain(const struct server *s, char why[RIG_WHY])
{
	static const char prefix[] = "dfuemu: ";
	FILE *f = fopen(s->said, "re");
	char text[SAID + 1], *line;
	size_t n = f ? fread(text, 1, SAID, f) : 0;

	if (f)
		fclose(f);
	while (n && text[n - 1] == '\n')
		n--;
	text[n] = 0;
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (!strncmp(line, prefix, strlen(prefix)))
		line += strlen(prefix);
	snprintf(why, RIG_WHY, "the boards cannot be served: %.500s", *line ? line : "no reason is told");
}

static int start(struct server *s)
{
	pid_t parent = getpid();
	int ends[2];

	if (child_pipe(ends))
		return -errno;
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		become(s, ends[1], parent);
	close(ends[1]);
	s->out = ends[0];
	if (s->pid < 0)
		return -errno;
	s->ended = child_watch(s->pid);
	return s->ended < 0 ? s->ended : 0;
}

void server_end(struct server *s)
{
	if (!s)
		return;
	if (s->pid > 0) {
		struct pollfd poller = { .fd = s->ended, .events = POLLIN };

		kill(s->pid, SIGTERM);
		if (s->ended < 0 || poll(&poller, 1, END_MS) <= 0)
			kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (s->ended >= 0)
		child_unwatch(s->ended);
	if (s->out >= 0)
		close(s->out);
	for (int i = 0; i < s->word_count; i++)
		free(s->words[i]);
	free(s->said);
	free(s->socket);
	free(s);
}

struct server *server_start(const struct rig_setup *setup, char **socket, char why[RIG_WHY])
{
	struct server *s = calloc(1, sizeof(*s));
	int error = -ENOMEM;

	assert(setup->capture && setup->boards);
	if (s) {
		s->ended = s->out = -1;
		if (asprintf(&s->socket, "%s/.rig", setup->folder) < 0)
			s->socket = NULL;
		if (asprintf(&s->said, "%s/.rig.log", setup->folder) < 0)
			s->said = NULL;
	}
	*socket = s && s->socket ? strdup(s->socket) : NULL;
	if (*socket && s->said)
		error = describe(s, setup) ? -E2BIG : start(s);
	if (!error && is_ready(s))
		return s;
	if (error)
		snprintf(why, RIG_WHY, "the boards cannot be served: %s", strerror(-error));
	else
		explain(s, why);
	server_end(s);
	free(*socket);
	*socket = NULL;
	return NULL;
}

struct rig *rig_vhci_open(const struct rig_setup *setup, char why[RIG_WHY])
{
	char *socket;
	struct server *server = server_possible(why) ? NULL : server_start(setup, &socket, why);
	struct rig *rig;

	if (!server)
		return NULL;
	rig = control_rig_open(setup, socket, server, why);
	free(socket);
	return rig;
}
