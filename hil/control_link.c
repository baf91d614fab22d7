// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines to a dfuemu, and lines of JSON back. */
#include "control_link.h"
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE_MOST (1u << 20) /* bytes: a list of faults of many boards is far below */
#define PATIENCE_MS 30000    /* for an answer that waits for nothing */

struct control_link {
	int fd;
	char *in;
	size_t used, size;
};

static int connect_to(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(socket_path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

struct control_link *control_link_open(const char *socket_path, char why[CONTROL_LINK_WHY])
{
	struct control_link *l = calloc(1, sizeof(*l));
	int fd = l ? connect_to(socket_path) : -ENOMEM;

	if (fd < 0) {
		snprintf(why, CONTROL_LINK_WHY, "cannot connect to '%.300s': %s", socket_path, strerror(-fd));
		free(l);
		return NULL;
	}
	l->fd = fd;
	if (control_link_ask(l, NULL, why, "json on")) {
		control_link_close(l);
		return NULL;
	}
	return l;
}

void control_link_close(struct control_link *l)
{
	if (!l)
		return;
	close(l->fd);
	free(l->in);
	free(l);
}

int control_link_fd(const struct control_link *l)
{
	return l->fd;
}

static int send_line(struct control_link *l, const char *format, va_list args)
{
	char *line, *at;
	int length = vasprintf(&line, format, args), r = 0;

	if (length < 0)
		return -ENOMEM;
	line[length++] = '\n'; /* instead of the NUL */
	for (at = line; length > 0 && !r;) {
		ssize_t n = send(l->fd, at, (size_t)length, MSG_NOSIGNAL);

		if (n >= 0) {
			at += n;
			length -= (int)n;
		} else if (errno != EINTR) {
			r = errno == EPIPE ? -ECONNRESET : -errno;
		}
	}
	free(line);
	return r;
}

int control_link_send(struct control_link *l, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = send_line(l, format, args);
	va_end(args);
	return r;
}

static json_t *take_line(struct control_link *l, int *error)
{
	char *end = l->used ? memchr(l->in, '\n', l->used) : NULL;
	size_t length;
	json_t *line;

	if (!end)
		return NULL;
	length = (size_t)(end - l->in);
	line = json_loadb(l->in, length, 0, NULL);
	if (!line)
		*error = -EPROTO;
	l->used -= length + 1;
	memmove(l->in, end + 1, l->used);
	return line;
}

/* 0, also if nothing came */
static int read_more(struct control_link *l)
{
	ssize_t n;

	if (l->size - l->used < 4096) {
		size_t size = l->size ? 2 * l->size : 65536;
		char *in = size > LINE_MOST ? NULL : realloc(l->in, size);

		if (!in)
			return size > LINE_MOST ? -EPROTO : -ENOMEM;
		l->in = in;
		l->size = size;
	}
	n = recv(l->fd, l->in + l->used, l->size - l->used, MSG_DONTWAIT);
	if (n > 0)
		l->used += (size_t)n;
	else if (n == 0)
		return -ECONNRESET;
	else if (errno != EAGAIN && errno != EINTR)
		return -errno;
	return 0;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

json_t *control_link_next(struct control_link *l, int wait_ms, int *error)
{
	long long end = now_ms() + wait_ms;
	bool once = true;

	*error = 0;
	for (;;) {
		json_t *line = take_line(l, error);
		struct pollfd poller = { .fd = l->fd, .events = POLLIN };
		long long left = wait_ms < 0 ? -1 : end - now_ms();

		if (line || *error)
			return line;
		if (wait_ms >= 0 && left <= 0 && !once) {
			*error = -EAGAIN;
			return NULL;
		}
		once = false;
		if (poll(&poller, 1, wait_ms < 0 ? -1 : left > 0 ? (int)left : 0) > 0)
			*error = read_more(l);
		if (*error && !memchr(l->in ? l->in : "", '\n', l->used))
			return NULL;
	}
}

int control_link_ask(struct control_link *l, json_t **result, char why[CONTROL_LINK_WHY], const char *format, ...)
{
	json_t *answer;
	va_list args;
	int r;

	if (result)
		*result = NULL;
	va_start(args, format);
	r = send_line(l, format, args);
	va_end(args);
	answer = r ? NULL : control_link_next(l, PATIENCE_MS, &r);
	if (!answer) {
		snprintf(why, CONTROL_LINK_WHY, "the dfuemu on the control socket %s",
			 r == -ECONNRESET ? "has gone"
			 : r == -EAGAIN   ? "does not answer"
					  : strerror(-r));
		return r;
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		const char *error = json_string_value(json_object_get(answer, "error"));

		snprintf(why, CONTROL_LINK_WHY, "%s", error ? error : "the answer of the dfuemu cannot be understood");
		r = -EREMOTEIO;
	} else if (result) {
		*result = json_incref(json_object_get(answer, "result"));
	}
	json_decref(answer);
	return r;
}

char *control_quoted(const char *word)
{
	char *text = malloc(2 * strlen(word) + 3), *at = text;

	if (!text)
		return NULL;
	*at++ = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			*at++ = '\\';
		*at++ = *word;
	}
	*at++ = '"';
	*at = 0;
	return text;
}
