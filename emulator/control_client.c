// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client is told: answers wait in a queue until the socket takes them. */
#include "control_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void client_tell_epoll(struct client *k)
{
	struct epoll_event event = { .data.ptr = k };

	/* What cannot be taken now is left in the socket: epoll would report it for ever. */
	if (!k->ended && k->in_used < sizeof(k->in))
		event.events |= EPOLLIN;
	if (k->out_used > k->out_sent)
		event.events |= EPOLLOUT;
	epoll_ctl(k->control->epoll, EPOLL_CTL_MOD, k->fd, &event);
}

/* The memory stays until nobody can be in the middle of it. */
void client_hang_up(struct client *k)
{
	if (k->dead)
		return;
	k->dead = true;
	task_leave(k);
	bench_cancel(control_bench(k->control), &k->timeout);
	epoll_ctl(k->control->epoll, EPOLL_CTL_DEL, k->fd, NULL);
	close(k->fd);
	k->fd = -1;
}

/* As much as the socket takes. */
void client_flush(struct client *k)
{
	while (k->out_sent < k->out_used) {
		ssize_t n = send(k->fd, k->out + k->out_sent, k->out_used - k->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			client_hang_up(k);
			return;
		}
		k->out_sent += (size_t)n;
	}
	if (k->out_sent == k->out_used)
		k->out_sent = k->out_used = 0;
}

static void queue(struct client *k, const char *bytes, size_t length)
{
	if (k->dead)
		return;
	if (k->out_sent) {
		memmove(k->out, k->out + k->out_sent, k->out_used - k->out_sent);
		k->out_used -= k->out_sent;
		k->out_sent = 0;
	}
	if (k->out_used + length > CONTROL_QUEUE) {
		client_hang_up(k); /* it does not read: nothing here waits for it */
		return;
	}
	if (k->out_used + length > k->out_size) {
		size_t size = 2 * (k->out_used + length);
		char *out = realloc(k->out, size);

		if (!out) {
			client_hang_up(k);
			return;
		}
		k->out = out;
		k->out_size = size;
	}
	memcpy(k->out + k->out_used, bytes, length);
	k->out_used += length;
}

/* What has been queued goes out: once for an answer, for each piece costs the kernel a buffer. */
void client_push(struct client *k)
{
	if (!k->dead)
		client_flush(k);
	if (!k->dead)
		client_tell_epoll(k);
}

void client_queue_text(struct client *k, const char *text)
{
	queue(k, text, strlen(text));
}

/* What a client said may be part of it: nothing that steers a terminal comes back. */
static void queue_plain(struct client *k, const char *text)
{
	for (; *text; text++)
		queue(k, (unsigned char)*text < ' ' || *text == 0x7f ? "?" : text, 1);
}

/* Data lines for people are indented: so no data looks like the line that ends an answer. */
void client_queue_indented(struct client *k, const char *text)
{
	while (*text && !k->dead) {
		size_t length = strcspn(text, "\n");

		queue(k, "  ", 2);
		queue(k, text, length);
		queue(k, "\n", 1);
		text += length + (text[length] == '\n');
	}
}

void client_answer(struct client *k, enum outcome outcome, struct writer *out, const char *why)
{
	struct writer error;

	if (outcome == DONE && out && writer_failed(out)) {
		outcome = FAILED;
		why = strerror(ENOMEM);
	}
	if (!k->json) {
		if (outcome == DONE && out && out->text)
			client_queue_indented(k, out->text);
		client_queue_text(k, outcome == DONE ? "ok" : outcome == REFUSED ? "refused: " : "error: ");
		if (outcome != DONE)
			queue_plain(k, why);
		client_queue_text(k, "\n");
		client_push(k);
		return;
	}
	if (outcome == DONE) {
		client_queue_text(k, "{\"ok\":true,\"result\":");
		client_queue_text(k, out && out->text ? out->text : "{}");
		client_queue_text(k, "}\n");
		client_push(k);
		return;
	}
	writer_init(&error, true);
	writer_bool(&error, "ok", false);
	writer_bool(&error, "refused", outcome == REFUSED);
	writer_string(&error, "error", why);
	writer_finish(&error);
	client_queue_text(k, error.text && !error.failed
				     ? error.text
				     : "{\"ok\":false,\"refused\":false,\"error\":\"out of memory\"}");
	client_queue_text(k, "\n");
	client_push(k);
	writer_free(&error);
}

/* The lines behind the one that waited; not now, we may be in the middle of a board's doings. */
void client_go_on(struct client *k)
{
	k->waiting = WAIT_NOTHING;
	bench_at(control_bench(k->control), &k->control->resume, bench_now_us(control_bench(k->control)));
}
