// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding boards behind a control socket, and making them what a scenario begins with. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control_boards.h"

static int blank(struct control_rig *r, unsigned board, char why[RIG_WHY])
{
	size_t length = r->profile->flash_size_bytes;
	uint8_t *data = malloc(length);
	int error;

	if (!data) {
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	memset(data, 0xff, length);
	error = control_load(r, board, r->profile->flash_base, data, length, why);
	free(data);
	return error;
}

/* As it left the factory, and without supply: nobody is in the middle of anything. */
static int make_new(struct control_rig *r, unsigned board, const struct rig_setup *s, char why[RIG_WHY])
{
	int error = r->rig.ops->pin(&r->rig, board, PIN_VDD, false);

	if (error)
		snprintf(why, RIG_WHY, "board %u cannot be switched off: %s", board, strerror(-error));
	if (!error)
		error = control_tell(r, board, why, "fault clear");
	if (!error)
		error = blank(r, board, why);
	if (!error)
		error = control_set_options(r, board, r->profile->option_factory, why);
	if (!error)
		error = control_tell(r, board, why, "erase-times %s", control_duration_names[s->erase_times]);
	if (!error)
		error = control_tell(r, board, why, "nrst high");
	if (!error)
		error = control_tell(r, board, why, "boot0 %s", s->boot0 ? "high" : "low");
	if (!error)
		error = control_tell(r, board, why, "boot1 %s", s->boot1 ? "high" : "low");
	if (!error)
		error = control_tell(r, board, why, "%s", s->plugged ? "plug" : "unplug");
	return error;
}

/* Boards that the scenario does not know of are nowhere to be seen. */
static int hide_others(struct control_rig *r, char why[RIG_WHY])
{
	const json_t *boards, *board;
	json_t *answer;
	size_t i;
	int error = control_ask(r, &answer, why, "status");

	if (error)
		return error;
	boards = json_object_get(answer, "boards");
	json_array_foreach(boards, i, board)
	{
		if (i >= r->boards && !error)
			error = control_ask(r, NULL, why, "board %u power off", control_number(board, "board"));
	}
	json_decref(answer);
	return error;
}

int control_set_up(struct control_rig *r, const struct rig_setup *s, bool all, char why[RIG_WHY])
{
	struct stat st;
	int error = 0;

	for (unsigned i = 1; i <= r->boards && all && !error; i++)
		error = make_new(r, i, s, why);
	if (all && !error)
		error = hide_others(r, why);
	/* Nothing is under way now: what went before is another's. */
	if (all && r->capture && !stat(r->capture, &st))
		r->from = (size_t)st.st_size;
	for (unsigned i = 1; i <= r->boards && !error; i++) {
		if (!all && !s->plugged)
			error = control_tell(r, i, why, "unplug");
		if (!error && (all || !s->powered))
			error = control_tell(r, i, why, "power %s", s->powered ? "on" : "off");
	}
	return error;
}

/* Those that the scenario knows, and who they are. */
static int find_boards(struct control_rig *r, const struct rig_setup *s, char why[RIG_WHY])
{
	const json_t *boards, *board;
	json_t *answer;
	size_t i;
	int error = control_ask(r, &answer, why, "status");

	if (error)
		return error;
	boards = json_object_get(answer, "boards");
	json_array_foreach(boards, i, board)
	{
		if (r->boards == s->boards || r->boards == CONTROL_BOARDS)
			break;
		r->numbers[++r->boards] = control_number(board, "board");
		snprintf(r->serials[r->boards], sizeof(r->serials[0]), "%s", control_text(board, "serial"));
		r->profile = mcu_profile_find(control_text(board, "profile"));
	}
	json_decref(answer);
	if (r->boards == s->boards && r->profile)
		return 0;
	snprintf(why, RIG_WHY,
		 r->boards != s->boards ? "the rig has %u boards, the scenario %u"
					: "the rig has a profile that is not known here",
		 r->boards, s->boards);
	return -EINVAL;
}

static int find_capture(struct control_rig *r, char why[RIG_WHY])
{
	const char *command;
	json_t *answer;
	int error = control_ask(r, &answer, why, "about");

	if (error)
		return error;
	command = control_text(answer, "command");
	r->knows_addresses = !strcmp(command, "exec") || !strcmp(command, "serve vhci");
	if (*control_text(answer, "capture") && !access(control_text(answer, "capture"), R_OK)) {
		r->capture = strdup(control_text(answer, "capture"));
		r->epoch_us = (uint64_t)json_integer_value(json_object_get(answer, "epoch_us"));
	}
	json_decref(answer);
	return 0;
}

static int start_listening(struct control_rig *r, char why[RIG_WHY])
{
	json_t *first;
	int error;

	r->listener = control_link_open(r->socket, why);
	if (!r->listener)
		return -ECONNREFUSED;
	error = control_link_send(r->listener, "events");
	first = error ? NULL : control_link_next(r->listener, 30000, &error);
	if (first)
		r->heard = (uint64_t)json_integer_value(json_object_get(first, "events"));
	else
		snprintf(why, RIG_WHY, "the dfuemu on the control socket tells no events: %s", strerror(-error));
	json_decref(first);
	return error;
}

struct control_rig *control_rig_new(const struct rig_setup *s, const char *socket, char why[RIG_WHY])
{
	struct control_rig *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	r->socket = strdup(socket);
	r->folder = strdup(s->folder);
	if (!r->socket || !r->folder)
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
	else
		r->link = control_link_open(socket, why);
	if (r->link && !start_listening(r, why) && !find_boards(r, s, why) && !find_capture(r, why))
		return r;
	control_rig_free(r);
	return NULL;
}

void control_rig_free(struct control_rig *r)
{
	control_link_close(r->link);
	control_link_close(r->listener);
	if (r->has_transcript)
		transcript_free(&r->transcript);
	for (unsigned i = 0; i <= CONTROL_BOARDS; i++)
		board_signs_clear(&r->signs[i]);
	free(r->events);
	free(r->capture);
	free(r->socket);
	free(r->folder);
	free(r);
}

int control_look(const char *socket, struct control_facts *facts, char why[RIG_WHY])
{
	struct control_link *link = control_link_open(socket, why);
	json_t *about = NULL, *boards = NULL;
	int error = link ? control_link_ask(link, &about, why, "about") : -ECONNREFUSED;
	const json_t *first;

	if (!error)
		error = control_link_ask(link, &boards, why, "status");
	if (error) {
		size_t used = strlen(why);

		snprintf(why + used, RIG_WHY - used, "%s",
			 link ? " (is it a dfuemu of this version?)"
			      : " (it is the one of 'dfuemu serve FRONT --control SOCKET', which must be running)");
	} else {
		first = json_array_get(json_object_get(boards, "boards"), 0);
		snprintf(facts->profile, sizeof(facts->profile), "%s", control_text(first, "profile"));
		snprintf(facts->application, sizeof(facts->application), "%s", control_text(about, "application"));
		snprintf(facts->time, sizeof(facts->time), "%s", control_text(about, "time"));
		facts->captures = *control_text(about, "capture") && !access(control_text(about, "capture"), R_OK);
		if (!first) {
			snprintf(why, RIG_WHY, "the dfuemu on '%.300s' has no board", socket);
			error = -ENODEV;
		}
	}
	json_decref(about);
	json_decref(boards);
	control_link_close(link);
	return error;
}
