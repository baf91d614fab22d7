// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands that wait for what happens on the desk, or tell it. */
#include "control_internal.h"
#include <string.h>
#include <strings.h>

static bool fulfils(const struct wish *wish, const struct desk_event *e)
{
	const char *detail = "";

	if (e->board != wish->board || strcmp(event_name(e), wish->name))
		return false;
	if (e->mcu && e->mcu->type == MCU_EVENT_BOOTED)
		detail = mcu_mode_name(e->mcu->mode);
	else if (e->mcu && e->mcu->type == MCU_EVENT_RESET)
		detail = reset_cause_name(e->mcu->cause);
	else if (e->mcu && e->mcu->type == MCU_EVENT_STATE)
		detail = dfu_state_name(e->mcu->state);
	else if (e->mcu && e->mcu->type == MCU_EVENT_LED)
		detail = e->mcu->name;
	return !wish->detail[0] || !strcasecmp(wish->detail, detail);
}

/* DFU 1.1 3: class requests of an interface. */
static bool is_dfu_request(const struct usb_urb *urb)
{
	return !(urb->endpoint & 0x0f) && (urb->setup.type & 0x7f) == 0x21;
}

/* What lasts may be there already; of what merely happens, only the next counts. */
static bool is_so_already(struct call *call, const struct wish *wish, const struct mcu *mcu)
{
	bool attached = desk_board_device(call->control->desk, wish->board)->attached;

	if (!strcmp(wish->name, "attached"))
		return attached;
	if (!strcmp(wish->name, "detached"))
		return !attached;
	if (!strcmp(wish->name, "listed"))
		return call->control->loop->address(call->control->loop->context,
						    desk_board_device(call->control->desk, wish->board)) != 0;
	if (!strcmp(wish->name, "booted") && wish->detail[0])
		return !strcasecmp(wish->detail, mcu_mode_name(mcu_mode(mcu)));
	if (!strcmp(wish->name, "state") && wish->detail[0])
		return mcu_mode(mcu) == MCU_ROM && !strcasecmp(wish->detail, dfu_state_name(mcu_dfu_state(mcu)));
	return false;
}

void wait_timed_out(struct bench_event *event)
{
	struct client *k = event->context;
	char why[128];

	snprintf(why, sizeof(why), "time is over without '%s%s%s' of board %u", k->wish.name,
		 k->wish.detail[0] ? " " : "", k->wish.detail, k->wish.board);
	client_answer(k, FAILED, NULL, why);
	client_go_on(k);
}

static bool detail_of(struct call *call, struct wish *wish, const char *word)
{
	static const char *const modes[] = { "bootloader-starting", "bootloader", "bootloader-other-interface",
					     "application",         "lockup",     NULL };
	static const char *const causes[] = { "power-on", "pin",      "option-bytes",    "unprotect", "not-executable",
					      "software", "watchdog", "window-watchdog", "low-power", "standby",
					      NULL };
	static const char *const leds[] = { "green", "orange", "red", "blue", NULL };
	static const char *const states[] = { "dfuIDLE",        "dfuDNLOAD-SYNC",   "dfuDNBUSY",
					      "dfuDNLOAD-IDLE", "dfuMANIFEST-SYNC", "dfuMANIFEST",
					      "dfuUPLOAD-IDLE", "dfuERROR",         NULL };
	const char *const *words;
	int i;

	if (!strcmp(wish->name, "requests")) {
		if (call_number(word, &wish->left) && wish->left)
			return true;
		call_fail(call, REFUSED, "wait requests '%.60s': expected how many, as 3", word);
		return false;
	}
	words = !strcmp(wish->name, "booted")  ? modes
		: !strcmp(wish->name, "reset") ? causes
		: !strcmp(wish->name, "state") ? states
		: !strcmp(wish->name, "led")   ? leds
					       : NULL;
	if (!words) {
		call_fail(call, REFUSED, "wait %s takes no '%.60s'", wish->name, word);
		return false;
	}
	i = call_choose(call, "wait", word, words);
	if (i < 0)
		return false;
	snprintf(wish->detail, sizeof(wish->detail), "%s", words[i]);
	return true;
}

enum outcome control_run_wait(struct call *call, int count, char **words)
{
	static const char *const names[] = { "reset",    "booted",  "state", "erased",    "programmed", "options",
					     "cut",      "pin",     "fault", "attached",  "detached",   "listed",
					     "requests", "console", "led",   "cpu-fault", NULL };
	struct client *k = call->client;
	struct wish wish = { .board = call->board, .left = 1 };
	struct mcu *mcu = call_board(call);
	uint64_t timeout_us = BENCH_NEVER;
	int i = call_choose(call, "wait", words[0], names);

	if (i < 0)
		return REFUSED;
	snprintf(wish.name, sizeof(wish.name), "%s", names[i]);
	if (count > 1 && fault_time_parse(words[count - 1], &timeout_us))
		count--;
	if (count > 2)
		return call_fail(call, REFUSED, "time '%.60s': expected a time with its unit, as 5s", words[2]);
	if (count == 2 && !detail_of(call, &wish, words[1]))
		return REFUSED;
	if (!strcmp(wish.name, "listed") && !call->control->loop->lists)
		return call_fail(call, REFUSED, "wait listed: no host here tells what it lists; expected attached");
	if (!mcu)
		return FAILED;
	if (!strcmp(wish.name, "requests") && !desk_given(call->control->desk)->capture)
		return call_fail(call, FAILED, "wait requests: nobody counts them without a capture (--capture)");
	if (is_so_already(call, &wish, mcu)) {
		writer_bool(&call->out, "already", true);
		return DONE;
	}
	k->wish = wish;
	k->waiting = WAIT_EVENT;
	if (timeout_us != BENCH_NEVER)
		bench_after(control_bench(call->control), &k->timeout, timeout_us);
	return PENDING;
}

/* A line of a stream, as the client likes it. */
static void stream(struct client *k, const char *text, struct writer *json)
{
	writer_finish(json);
	if (!k->json) {
		client_queue_indented(k, text);
	} else if (!writer_failed(json)) {
		client_queue_text(k, json->text);
		client_queue_text(k, "\n");
	}
	client_push(k);
	writer_free(json);
}

enum outcome control_run_events(struct call *call, int count, char **words)
{
	struct writer w;

	(void)count, (void)words;
	call->client->waiting = WAIT_EVENTS;
	writer_init(&w, true);
	writer_string(&w, "event", "listening");
	writer_number(&w, "at_us", bench_now_us(control_bench(call->control)));
	writer_number(&w, "events", call->control->events);
	stream(call->client, "listening", &w);
	return PENDING;
}

static void stream_event(struct client *k, const struct desk_event *e)
{
	char text[EVENT_BYTES];
	struct writer w;

	event_text(e, text);
	writer_init(&w, true);
	event_write(e, &w);
	stream(k, text, &w);
}

static void fulfilled(struct client *k, const struct desk_event *e)
{
	char text[EVENT_BYTES];
	struct writer w;

	bench_cancel(control_bench(k->control), &k->timeout);
	writer_init(&w, k->json);
	if (k->json) {
		event_write(e, &w);
	} else {
		event_text(e, text);
		writer_string(&w, "event", text);
	}
	writer_finish(&w);
	client_answer(k, DONE, &w, NULL);
	writer_free(&w);
	client_go_on(k);
}

void wait_board_gone(struct control *c, unsigned board)
{
	for (struct client *k = c->clients; k; k = k->next)
		if (!k->dead && k->waiting == WAIT_EVENT && k->wish.board == board) {
			bench_cancel(control_bench(c), &k->timeout);
			client_answer(k, FAILED, NULL, "the board is gone");
			client_go_on(k);
		}
}

void wait_desk_tells(void *context, const struct desk_event *e)
{
	struct control *c = context;

	c->events++;
	for (struct client *k = c->clients; k; k = k->next) {
		if (k->dead)
			continue;
		if (k->waiting == WAIT_EVENTS)
			stream_event(k, e);
		else if (k->waiting == WAIT_EVENT && fulfils(&k->wish, e))
			fulfilled(k, e);
	}
}

void wait_transfer_completed(void *context, unsigned board, const struct usb_urb *urb)
{
	struct control *c = context;

	if (!is_dfu_request(urb))
		return;
	for (struct client *k = c->clients; k; k = k->next) {
		if (k->dead || k->waiting != WAIT_EVENT || k->wish.board != board || strcmp(k->wish.name, "requests") ||
		    --k->wish.left)
			continue;
		bench_cancel(control_bench(c), &k->timeout);
		client_answer(k, DONE, NULL, NULL);
		client_go_on(k);
	}
}
