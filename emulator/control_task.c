// SPDX-License-Identifier: GPL-2.0-or-later
/* What is to happen later: a command at its time, and the end of a reset. */
#include "control_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESET_PULSE_US 50000u

/* Something that is to happen later: NRST goes up again, or a command at its time. */
struct task {
	struct task *next;
	struct control *control;
	struct bench_event event;
	struct client *client; /* who waits for it; NULL: nobody any more */
	unsigned board;
	char *line; /* NULL: end of a reset pulse */
};

static struct task *take_task(struct bench_event *event)
{
	struct task *t = event->context, **link = &t->control->tasks;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	return t;
}

static struct task *task_new(struct call *call, uint64_t at_us, void (*due)(struct bench_event *))
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->control = call->control;
	t->client = call->client;
	t->board = call->board;
	t->event.fire = due;
	t->event.context = t;
	t->next = call->control->tasks;
	call->control->tasks = t;
	bench_at(control_bench(call->control), &t->event, at_us);
	return t;
}

void task_leave(struct client *k)
{
	struct task **link = &k->control->tasks;

	while (*link) {
		struct task *t = *link;

		if (t->client == k && t->line) { /* hanging up takes a command back */
			*link = t->next;
			bench_cancel(control_bench(k->control), &t->event);
			free(t->line);
			free(t);
			continue;
		}
		if (t->client == k)
			t->client = NULL; /* NRST must go up again all the same */
		link = &t->next;
	}
}

void task_free_all(struct control *c)
{
	while (c->tasks) {
		struct task *t = c->tasks;

		c->tasks = t->next;
		bench_cancel(control_bench(c), &t->event);
		free(t->line);
		free(t);
	}
}

static void pulse_over(struct bench_event *event)
{
	struct task *t = take_task(event);
	struct mcu *mcu = desk_mcu(t->control->desk, t->board);

	if (mcu)
		mcu_set_pin(mcu, PIN_NRST, true);
	if (t->client) {
		client_answer(t->client, DONE, NULL, NULL);
		client_go_on(t->client);
	}
	free(t);
}

enum outcome control_run_reset(struct call *call, int count, char **words)
{
	struct mcu *mcu = call_board(call);
	uint64_t pulse_us = RESET_PULSE_US;

	if (count && !fault_time_parse(words[0], &pulse_us))
		return call_fail(call, REFUSED, "reset '%.60s': expected a time with its unit, as 50ms", words[0]);
	if (!mcu)
		return FAILED;
	if (!task_new(call, bench_now_us(control_bench(call->control)) + pulse_us, pulse_over))
		return call_fail(call, FAILED, "%s", strerror(ENOMEM));
	mcu_set_pin(mcu, PIN_NRST, false);
	return PENDING;
}

static void line_due(struct bench_event *event)
{
	struct task *t = take_task(event);

	if (!call_line(t->client, t->board, t->line, true))
		client_go_on(t->client);
	free(t->line);
	free(t);
}

/* The words as a line that splits into them again. */
static char *join(int count, char **words)
{
	size_t size = 1;
	char *line, *at;

	for (int i = 0; i < count; i++)
		size += 2 * strlen(words[i]) + 3;
	line = at = malloc(size);
	if (!line)
		return NULL;
	for (int i = 0; i < count; i++) {
		if (i)
			*at++ = ' ';
		*at++ = '"';
		for (const char *s = words[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				*at++ = '\\';
			*at++ = *s;
		}
		*at++ = '"';
	}
	*at = 0;
	return line;
}

enum outcome task_schedule(struct call *call, uint64_t at_us, int count, char **words)
{
	struct task *t;
	char *line = join(count, words);

	if (!line)
		return call_fail(call, FAILED, "%s", strerror(ENOMEM));
	t = task_new(call, at_us, line_due);
	if (!t) {
		free(line);
		return call_fail(call, FAILED, "%s", strerror(ENOMEM));
	}
	t->line = line;
	return PENDING;
}
