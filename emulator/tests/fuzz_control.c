// SPDX-License-Identifier: GPL-2.0-or-later
/* Fuzz target: the control socket, from lines to answers. Each answer line is one of the protocol's; JSON stays in one line. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control.h"
#include "exec.h"
#include "options.h"

#define WORDS 64
#define INPUT_BYTES 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int watched;
static void (*turn)(void *, int);
static void *turn_context;

static int control_watch(void *context, int fd, void (*ready)(void *, int), void *ready_context)
{
	(void)context;
	watched = fd;
	turn = ready;
	turn_context = ready_context;
	return 0;
}

static void control_sync(void *context)
{
	(void)context;
}

static int control_plug(void *context, struct usbdev *device)
{
	(void)context, (void)device;
	return 0;
}

static void control_unplug(void *context, struct usbdev *device)
{
	(void)context, (void)device;
}

static unsigned control_address(void *context, struct usbdev *device)
{
	(void)context, (void)device;
	return 1;
}

static const struct control_loop loop = { control_watch,   control_sync, control_plug, control_unplug,
					  control_address, NULL,         false };

/* No files, and the desk is to stay as small as it is. */
static bool is_harmless(const uint8_t *bytes, size_t length)
{
	char line[CONTROL_LINE], *words[WORDS];
	int count;

	if (length >= sizeof(line))
		return true;
	memcpy(line, bytes, length);
	line[length] = 0;
	count = control_split(line, words, WORDS);
	for (int i = 0; i < count; i++)
		if (!strcasecmp(words[i], "load") || !strcasecmp(words[i], "save") ||
		    (!strcasecmp(words[i], "board") && i + 1 < count &&
		     (!strcasecmp(words[i + 1], "add") || !strcasecmp(words[i + 1], "remove"))))
			return false;
	return true;
}

static void check_answers(char *answers)
{
	for (char *line = strtok(answers, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "  ", 2) && strcmp(line, "ok") && strncmp(line, "error: ", 7) &&
		    strncmp(line, "refused: ", 9) && (line[0] != '{' || line[strlen(line) - 1] != '}'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answers[2 * CONTROL_QUEUE];
	static struct options options;
	static struct say say;
	static struct desk *desk;
	static char *argv[] = { (char *)"exec", (char *)"-q", NULL };
	char why[OPTIONS_WHY];
	struct control *control;
	int pair[2];
	size_t used = 0;
	ssize_t n;

	if (size > INPUT_BYTES)
		return 0;
	if (!desk) {
		say = (struct say){ .stream = stderr, .level = -1 };
		if (options_parse(&options, &exec_options, 2, argv, why) || !(desk = desk_new(&options, &say)))
			abort();
		desk_power_up(desk);
	}
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;

		if (!is_harmless(data + at, length))
			return 0;
		at += length + 1;
	}
	control = control_new(desk, &loop, NULL, why);
	if (!control || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) || control_adopt(control, pair[0]))
		abort();
	if (send(pair[1], data, size, MSG_NOSIGNAL) < 0 && size)
		abort();
	for (unsigned i = 0; i < 8; i++) {
		turn(turn_context, watched);
		n = recv(pair[1], answers + used, sizeof(answers) - 1 - used, MSG_DONTWAIT);
		used += n > 0 ? (size_t)n : 0;
		bench_advance(desk_bench(desk), bench_now_us(desk_bench(desk)) + 20000);
	}
	answers[used] = 0;
	if (strlen(answers) != used)
		abort();
	if (used && answers[used - 1] == '\n')
		check_answers(answers);
	close(pair[1]);
	turn(turn_context, watched);
	control_free(control);
	for (unsigned i = 1; i <= desk_last_board(desk); i++)
		fault_clear(desk_fault(desk, i));
	return 0;
}
