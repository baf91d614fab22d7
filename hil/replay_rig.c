// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording on a rig: the process that sends it, part by part. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "board_fit.h"
#include "commands.h"
#include "erases.h"
#include "options.h"
#include "replay_internal.h"
#include "rig_choice.h"
#include "share.h"
#include "text.h"

#define TIMEOUT_US UINT64_C(40000000)  /* longer than a mass erase */
#define CANCELLED_US UINT64_C(5000000) /* where the recording does not tell when the host gave up */
#define UNPLUGGED_US 500000u
#define RECORDED_MOST_US UINT64_C(604800000000) /* a week: beyond it a time stamp is broken */
#define WALL_MS UINT64_C(600000) /* and three times what was recorded: a hung process is not waited for */

static uint64_t timeout_of(const struct recorded *i)
{
	const struct exchange *x = i->exchange;
	uint64_t took = x->complete && x->end_us > x->start_us ? x->end_us - x->start_us : 0;

	if (took > RECORDING_PAUSE_MOST_US)
		took = RECORDING_PAUSE_MOST_US;
	if (i->kind == RECORDED_ARRIVAL)
		return TIMEOUT_US + 2 * i->gap_us;
	if (x->complete && x->result == USB_CANCELLED)
		return took ? took : CANCELLED_US;
	return TIMEOUT_US + 2 * took;
}

static bool was_polled(const struct recording *rec, size_t item)
{
	const struct exchange *before = item ? rec->items[item - 1].exchange : NULL;

	return before && rec->items[item - 1].kind == RECORDED_REQUEST && before->op == OP_GETSTATUS &&
	       before->has_reply && before->poll_ms && rec->items[item].gap_us >= before->poll_ms * UINT64_C(1000);
}

static bool write_order(const struct recording *rec, size_t item, bool first, FILE *f)
{
	const struct recorded *i = &rec->items[item];
	const struct exchange *x = i->exchange;
	struct replay_order o = {
		.number = item,
		.kind = i->kind,
		.board = i->board,
		.polled = was_polled(rec, item),
		.gap_us = first || i->kind == RECORDED_ARRIVAL ? 0 : i->gap_us,
		.timeout_us = timeout_of(i),
		.type = x->setup.type,
		.request = x->setup.request,
		.value = x->setup.value,
		.index = x->setup.index,
		.length = x->setup.length,
		.first = first,
	};

	if (i->kind == RECORDED_ARRIVAL) {
		o.value = i->vendor;
		o.index = i->product;
		if (rec->boards > 1 && rec->made_up[i->board - 1])
			o.data = (uint8_t *)rec->serials[i->board - 1];
		else if (rec->boards > 1 && *i->serial)
			o.data = (uint8_t *)i->serial;
	} else if (replay_is_cut(x)) {
		o.length = (uint16_t)x->length; /* what there is */
		o.data = (uint8_t *)x->data;
	} else if (!(x->setup.type & 0x80) && x->length) {
		o.data = (uint8_t *)x->data;
	}
	return replay_order_write(f, &o);
}

/* The part from first on, until somebody pulls a plug; *end: the item that is then due. */
static bool write_orders(const struct recording *rec, size_t first, size_t *end, const char *path)
{
	FILE *f = fopen(path, "we");
	size_t i = first;
	bool ok = f != NULL;

	/* Boards that are there already. */
	for (unsigned b = 1; ok && first && b <= rec->boards; b++) {
		size_t last = SIZE_MAX;

		for (size_t k = 0; k < first; k++)
			if (rec->items[k].kind == RECORDED_ARRIVAL && rec->items[k].board == b)
				last = k;
		if (last != SIZE_MAX && b != rec->items[first].board)
			ok = write_order(rec, last, true, f);
	}
	for (; ok && i < rec->count; i++) {
		if (i > first && rec->items[i].pulled)
			break;
		ok = write_order(rec, i, i == first || rec->items[i].first, f);
	}
	*end = i;
	return f && !fclose(f) && ok;
}

static void sender_wrote(void *context, bool error, const char *bytes, size_t length)
{
	struct stage *s = context;
	size_t room = sizeof(s->said) - 1 - s->said_length;

	(void)error;
	if (length > room)
		length = room;
	memcpy(s->said + s->said_length, bytes, length);
	s->said_length += length;
	s->said[s->said_length] = 0;
}

static int read_answers(struct replay *r, const char *path, char why[REPLAY_WHY])
{
	FILE *f = fopen(path, "re");
	struct replay_answer a;
	int more = f ? 1 : -errno;

	while (f && (more = replay_answer_read(f, &a)) > 0) {
		if (a.number >= r->recording.count || r->answered[a.number]) {
			free(a.data);
			continue;
		}
		r->answers[a.number] = a;
		r->answered[a.number] = true;
	}
	if (f)
		fclose(f);
	if (more)
		snprintf(why, REPLAY_WHY, "the answers cannot be read: %s", strerror(-more));
	return more ? HIL_UNFIT : 0;
}

static uint64_t recorded_us(const struct recording *rec)
{
	uint64_t first = rec->items[0].exchange->start_us, last = rec->items[rec->count - 1].exchange->start_us;

	if (last < first)
		return 0;
	return last - first < RECORDED_MOST_US ? last - first : RECORDED_MOST_US;
}

static int send_part(struct stage *s, size_t first, size_t *end, char why[REPLAY_WHY])
{
	char *orders = text_format("%s/orders", s->folder), *answers = text_format("%s/answers", s->folder);
	char program[4096] = "", *words[] = { program, (char[]){ "replay-host" }, orders, answers, NULL };
	struct rig_run run = {
		.words = words,
		.folder = s->folder,
		.wrote = sender_wrote,
		.context = s,
		.wall_limit_ms = WALL_MS + 3 * recorded_us(&s->replay->recording) / 1000,
	};
	struct erases erases = { .count = 0 };
	struct rig_ran ran;
	char broken[RIG_WHY] = "";
	int r = HIL_UNFIT;

	share_program(program, sizeof(program));
	s->said_length = 0;
	s->said[0] = 0;
	if (!orders || !answers || !write_orders(&s->replay->recording, first, end, orders)) {
		snprintf(why, REPLAY_WHY, "cannot write into '%s': %s", s->folder, strerror(errno));
		goto out;
	}
	unlink(answers);
	for (size_t i = first; i < *end; i++)
		if (s->replay->recording.items[i].kind == RECORDED_REQUEST)
			erases_of_exchange(&erases, s->replay->recording.items[i].exchange,
					   s->replay->recording.profile);
	run.erases = erases.list;
	run.erase_count = erases.count;
	if (s->rig->ops->run(s->rig, &run, &ran, broken) || ran.exec_failed) {
		snprintf(why, REPLAY_WHY, "%s", broken);
		goto out;
	}
	s->said[strcspn(s->said, "\n")] = 0;
	if (ran.wall_timed_out || (WIFEXITED(ran.status) && WEXITSTATUS(ran.status) == HIL_UNFIT) ||
	    !WIFEXITED(ran.status)) {
		snprintf(why, REPLAY_WHY, "sending has failed: %s", *s->said ? s->said : "the process was killed");
		goto out;
	}
	if (WEXITSTATUS(ran.status))
		snprintf(s->replay->note, REPLAY_WHY, "sending ended early: %s", s->said);
	r = read_answers(s->replay, answers, why);
out:
	erases_free(&erases);
	free(orders);
	free(answers);
	return r;
}

/* False: this rig cannot, or the device does not come back. */
static bool pull(struct stage *s, const struct recorded *i)
{
	if (!stage_can(s, RIG_CABLE)) {
		snprintf(s->replay->note, REPLAY_WHY,
			 "the plug of board %u was pulled in the recording, which rig '%s' cannot do", i->board,
			 s->replay->rig_name);
		return false;
	}
	if (s->rig->ops->pin(s->rig, i->board, PIN_VBUS, false) || s->rig->ops->pass(s->rig, UNPLUGGED_US) ||
	    s->rig->ops->pin(s->rig, i->board, PIN_VBUS, true))
		return false;
	return !s->rig->ops->wait_usb(s->rig, i->board, i->vendor, i->product, true, REPLAY_COME_US);
}

static int send_all(struct stage *s, char why[REPLAY_WHY])
{
	const struct recording *rec = &s->replay->recording;
	int r = 0;

	for (size_t at = 0, end; at < rec->count && !r && !*s->said; at = end) {
		if (at && !pull(s, &rec->items[at]))
			break;
		r = send_part(s, at, &end, why);
	}
	return r;
}

static bool same_setup(const struct usb_setup *a, const struct usb_setup *b)
{
	return a->type == b->type && a->request == b->request && a->value == b->value && a->index == b->index;
}

/* Where the rig sees the bus itself, it knows better how long each answer took than a process that shares a processor. */
static void take_times(struct stage *s)
{
	struct replay *r = s->replay;
	const struct transcript *t = s->rig->ops->transcript(s->rig);
	size_t next = 0;

	for (size_t i = 0; i < r->recording.count; i++) {
		size_t k = next;

		if (r->recording.items[i].kind != RECORDED_REQUEST || !r->answered[i])
			continue;
		while (k < t->count && (t->exchanges[k].op == OP_NONE ||
					!same_setup(&t->exchanges[k].setup, &r->recording.items[i].exchange->setup)))
			k++;
		if (k == t->count)
			continue;
		next = k + 1;
		if (!t->exchanges[k].complete)
			continue;
		r->answers[i].start_us = t->exchanges[k].start_us;
		r->answers[i].end_us = t->exchanges[k].end_us;
	}
}

/* --- the rig --- */

static struct rig_choice *choose(const struct replay_options *o)
{
	struct problems *problems = problems_new();
	struct rig_choice *c = problems ? rig_choose(o->rig, problems) : NULL;

	if (!c && problems)
		problems_print(problems, stderr, false);
	problems_free(problems);
	return c;
}

/* What the command line says, else the rig file, else what is usual. False: the rig has no such time. */
static bool choose_time(struct replay *r, const struct rig_choice *choice, struct rig_setup *setup,
			char why[REPLAY_WHY])
{
	const struct replay_options *o = r->options;
	const char *text = rig_choice_time(choice);

	setup->time = rig_choice_is_private(choice) ? RIG_TIME_VIRTUAL : RIG_TIME_SCALED;
	setup->scale = 1;
	if (o->time_given) {
		setup->time = o->time;
		setup->scale = o->scale;
	} else if (text && strcmp(text, "virtual") != 0) {
		setup->time = RIG_TIME_SCALED;
		setup->scale = options_time_scale(text);
	}
	if (setup->time == RIG_TIME_VIRTUAL && !rig_choice_is_private(choice)) {
		snprintf(why, REPLAY_WHY, "virtual time is there on the rig 'emulated' alone");
		return false;
	}
	rig_choice_clock(choice, &setup->time, &setup->scale);
	if (setup->time == RIG_TIME_VIRTUAL)
		snprintf(r->time_name, sizeof(r->time_name), "virtual");
	else if (setup->scale == 1)
		snprintf(r->time_name, sizeof(r->time_name), "real");
	else
		snprintf(r->time_name, sizeof(r->time_name), "x%g", setup->scale);
	return true;
}

static int replay_on(struct stage *s, const struct rig_choice *choice, const struct rig_setup *setup,
		     char why[REPLAY_WHY])
{
	char broken[RIG_WHY] = "out of memory";
	int status;

	/* Another chip than the recording's may be just what is to be compared. */
	if (rig_choice_differs(choice, setup->profile, true, broken))
		snprintf(s->replay->note, REPLAY_WHY, "the rig's board is no %s, as the recording's is",
			 setup->profile);
	s->rig = rig_open(choice, setup, broken);
	if (!s->rig) {
		snprintf(why, REPLAY_WHY, "%s", broken);
		return HIL_UNFIT;
	}
	status = replay_begin(s, rig_choice_can(choice) & RIG_PROFILES, why);
	if (!status)
		status = send_all(s, why);
	if (!status && stage_can(s, RIG_TRANSCRIPT))
		take_times(s);
	s->rig->ops->close(s->rig);
	return status;
}

int replay_run(struct replay *r, const char *folder, char why[REPLAY_WHY])
{
	const struct replay_options *o = r->options;
	struct stage s = { .replay = r, .folder = folder };
	struct rig_choice *choice = choose(o);
	char *capture = o->capture ? strdup(o->capture) : text_format("%s/replay.pcapng", folder);
	const char *serials[RECORDING_BOARDS + 1] = { NULL };
	struct rig_setup setup = { .profile = r->recording.profile->name,
				   .boards = r->recording.boards,
				   .serials = serials,
				   .boot0 = true,
				   .powered = true,
				   .plugged = true,
				   .application = RIG_SERIAL_PORT,
				   .erase_times = DURATION_TYPICAL,
				   .seed = o->seed,
				   .capture = capture,
				   .folder = folder };
	char broken[RIG_WHY];
	int status = HIL_USAGE;

	*why = 0;
	for (unsigned b = 0; b < r->recording.boards && r->recording.boards > 1 && *r->recording.serials[b]; b++)
		serials[b] = r->recording.serials[b];
	if (choice && rig_choice_check(choice, broken)) {
		snprintf(why, REPLAY_WHY, "%s", broken);
		status = HIL_UNFIT;
	} else if (choice && rig_choice_board(choice) &&
		   board_fit_recording(rig_choice_board(choice), &r->recording.transcript, broken)) {
		snprintf(why, REPLAY_WHY, "%s", broken);
		status = HIL_UNFIT;
	} else if (choice && capture && choose_time(r, choice, &setup, why)) {
		r->rig_name = o->rig ? o->rig : "emulated";
		status = replay_on(&s, choice, &setup, why);
	}
	rig_choice_free(choice);
	free(capture);
	return status;
}
