// SPDX-License-Identifier: GPL-2.0-or-later
/* Which rig: what --rig says, or a rig file. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rig.h"
#include "board_rig.h"
#include "options.h"
#include "rig_board.h"
#include "rig_choice.h"
#include "rig_control.h"
#include "rig_desk.h"
#include "value.h"
#include "wires.h"
#include "yaml.h"

#define DEFAULT_PROFILE "f407" /* of scenarios that name none */

static const char *const kinds[] = { "emulated", "control", "vhci", "board", NULL };
enum kind { KIND_EMULATED, KIND_CONTROL, KIND_VHCI, KIND_BOARD };

const struct field rig_fields[] = {
	{ .name = "rig", .type = FIELD_TEXT, .required = true, .help = "its name" },
	{ .name = "about", .type = FIELD_TEXT, .help = "what it is, one line" },
	{ .name = "kind",
	  .type = FIELD_CHOICE,
	  .required = true,
	  .choices = kinds,
	  .help = "emulated, control, vhci or board" },
	{ .name = "socket", .type = FIELD_TEXT, .help = "the control socket of kind control" },
	{ .name = "time", .type = FIELD_TEXT, .help = "virtual, real, or xN" },
	{ .type = FIELD_END },
};

struct rig_choice {
	enum kind kind;
	char *name, *socket, *time;
	bool looked_at;
	struct control_facts facts; /* of KIND_CONTROL, looked at */
	struct board_rig *board;    /* of KIND_BOARD, and that nobody else has it */
	struct rig_board_claim *claim;
};

static struct rig_choice *choice_new(enum kind kind, const char *name, const char *socket, const char *time,
				     struct problems *problems)
{
	struct rig_choice *c = calloc(1, sizeof(*c));

	if (c) {
		c->kind = kind;
		c->name = strdup(name);
		c->socket = socket ? strdup(socket) : NULL;
		c->time = time ? strdup(time) : NULL;
	}
	if (c && c->name && (!socket || c->socket) && (!time || c->time))
		return c;
	rig_choice_free(c);
	problems_add(problems, (struct mark){ 0 }, NULL, "%s", strerror(ENOMEM));
	return NULL;
}

static bool is_time(const char *text)
{
	char *end;

	if (!strcmp(text, "virtual") || !strcmp(text, "real"))
		return true;
	return text[0] == 'x' && strspn(text + 1, "0123456789.") && strtod(text + 1, &end) > 0 && !*end;
}

static struct rig_choice *read_board(struct yaml *yaml, struct problems *problems)
{
	struct board_rig *board = board_rig_read(yaml, problems);
	struct rig_choice *c = board ? choice_new(KIND_BOARD, board->name, NULL, NULL, problems) : NULL;

	if (c)
		c->board = board;
	else
		board_rig_free(board);
	return c;
}

static struct rig_choice *read_other(struct yaml *yaml, struct problems *problems)
{
	size_t before = problems_count(problems);
	struct rig_choice *c = NULL;
	struct object *o;

	o = yaml_object(yaml, yaml_root(yaml), rig_fields, "the rig", NULL, problems);
	if (!o) {
		problems_add(problems, (struct mark){ .file = yaml_path(yaml) }, NULL, "%s", strerror(ENOMEM));
	} else {
		enum kind kind = (enum kind)object_number(o, "kind", KIND_EMULATED);
		const struct value *time = object_value(o, "time"), *socket = object_value(o, "socket");

		if (time->given && !is_time(time->text))
			problems_add(problems, time->mark, NULL,
				     "'time' of the rig: '%.60s': expected virtual, real, or xN", time->text);
		else if (time->given && kind != KIND_EMULATED && !strcmp(time->text, "virtual"))
			problems_add(problems, time->mark, NULL, "virtual time is there on the rig 'emulated' alone");
		if (object_given(o, "kind") && kind == KIND_CONTROL && !socket->given)
			problems_add(problems, object_value(o, "kind")->mark, NULL, "kind 'control' needs a 'socket'");
		else if (object_given(o, "kind") && kind != KIND_CONTROL && socket->given)
			problems_add(problems, socket->mark, NULL, "'socket' goes with kind 'control' alone");
		if (problems_count(problems) == before)
			c = choice_new(kind, object_text(o, "rig", ""), object_text(o, "socket", NULL),
				       object_text(o, "time", NULL), problems);
	}
	object_free(o);
	return c;
}

/* It is printed wherever the rig is spoken of. */
static void check_name(struct yaml *yaml, struct problems *problems)
{
	struct yaml_node *name = yaml_get(yaml_root(yaml), "rig");

	for (const char *c = name && name->kind == YAML_SCALAR ? name->text : ""; *c; c++)
		if (iscntrl((unsigned char)*c)) {
			problems_add(problems, yaml_mark(yaml, name), NULL,
				     "'rig' of the rig: a name has no control characters");
			return;
		}
}

struct rig_choice *rig_choice_read(struct yaml *yaml, struct problems *problems)
{
	size_t before = problems_count(problems);
	struct rig_choice *c;

	if (!yaml)
		return NULL;
	yaml_lend_lines(yaml, problems);
	check_name(yaml, problems);
	c = board_rig_is(yaml) ? read_board(yaml, problems) : read_other(yaml, problems);
	if (c && problems_count(problems) != before) {
		rig_choice_free(c);
		c = NULL;
	}
	problems_lines(problems, NULL, NULL);
	yaml_close(yaml);
	return c;
}

struct rig_choice *rig_choose(const char *text, struct problems *problems)
{
	static const char *const words[] = { "emulated", "vhci", "control:SOCKET", NULL };
	size_t length;

	if (!text || !strcmp(text, "emulated"))
		return choice_new(KIND_EMULATED, "emulated", NULL, NULL, problems);
	if (!strcmp(text, "vhci"))
		return choice_new(KIND_VHCI, "vhci", NULL, NULL, problems);
	if (!strncmp(text, "control:", 8) && text[8])
		return choice_new(KIND_CONTROL, "control", text + 8, NULL, problems);
	length = strlen(text);
	if (strchr(text, '/') || (length > 5 && !strcmp(text + length - 5, ".yaml")))
		return rig_choice_read(yaml_open(text, problems), problems);
	problems_unknown(problems, (struct mark){ 0 }, NULL, "unknown rig", text, words);
	return NULL;
}

void rig_choice_free(struct rig_choice *c)
{
	if (!c)
		return;
	free(c->name);
	free(c->socket);
	free(c->time);
	rig_board_claim_free(c->claim);
	board_rig_free(c->board);
	free(c);
}

bool rig_choice_emulates(const struct rig_choice *c)
{
	return c->kind == KIND_EMULATED || c->kind == KIND_VHCI;
}

unsigned rig_choice_can(const struct rig_choice *c)
{
	unsigned can;

	switch (c->kind) {
	case KIND_EMULATED:
		return ~0u;
	case KIND_VHCI: /* nodes are the kernel's: nobody can be kept from them in a way that a scenario could set up */
		return ~(unsigned)RIG_DENIED;
	case KIND_CONTROL: /* its boards are what they are, and may be dear to somebody */
		can = ~(unsigned)(RIG_PROFILES | RIG_BOARDS | RIG_IRREVERSIBLE | RIG_DENIED);
		if (c->looked_at && mcu_profile_find(c->facts.profile) != mcu_profile_find(DEFAULT_PROFILE))
			can |= RIG_PROFILES; /* the one that it has: rig_choice_differs() */
		return c->looked_at && c->facts.captures ? can : can & ~(unsigned)RIG_TRANSCRIPT;
	case KIND_BOARD:
		can = rig_board_can(c->board);
		return mcu_profile_find(c->board->profile) == mcu_profile_find(DEFAULT_PROFILE) ? can
												: can | RIG_PROFILES;
	}
	return 0;
}

const char *rig_choice_name(const struct rig_choice *c)
{
	return c->name;
}

const struct board_rig *rig_choice_board(const struct rig_choice *c)
{
	return c->board;
}

const char *rig_choice_time(const struct rig_choice *c)
{
	return c->time;
}

bool rig_choice_is_private(const struct rig_choice *c)
{
	return c->kind == KIND_EMULATED;
}

int rig_choice_check(struct rig_choice *c, char why[RIG_WHY])
{
	char reason[RIG_WHY];
	int error = 0;

	switch (c->kind) {
	case KIND_EMULATED:
		error = desk_possible(reason);
		break;
	case KIND_VHCI:
		error = server_possible(reason);
		break;
	case KIND_CONTROL:
		error = control_look(c->socket, &c->facts, reason);
		break;
	case KIND_BOARD:
		error = rig_board_possible(c->board, reason);
		if (!error && !c->claim)
			c->claim = rig_board_claim(c->board, &error, reason);
		break;
	}
	c->looked_at = !error;
	if (error)
		snprintf(why, RIG_WHY, "the rig '%.60s' is unfit: %.500s", c->name, reason);
	return error;
}

void rig_choice_clock(const struct rig_choice *c, enum rig_time *time, double *scale)
{
	if (c->kind == KIND_BOARD) {
		*time = RIG_TIME_SCALED;
		*scale = 1;
	}
	if (c->kind != KIND_CONTROL || !c->looked_at)
		return;
	*time = !strncmp(c->facts.time, "virtual", 7) ? RIG_TIME_VIRTUAL : RIG_TIME_SCALED;
	*scale = *time == RIG_TIME_VIRTUAL ? 1 : options_time_scale(c->facts.time);
}

const char *rig_choice_differs(const struct rig_choice *c, const char *profile, enum rig_application application,
			       char why[RIG_WHY])
{
	const char *wanted = rig_application_word(application);
	const char *own = c->kind == KIND_BOARD ? c->board->profile : c->facts.profile;

	if (c->kind != KIND_BOARD && (c->kind != KIND_CONTROL || !c->looked_at))
		return NULL;
	if (mcu_profile_find(own) != mcu_profile_find(profile)) {
		snprintf(why, RIG_WHY, "the rig has profile %.60s, the scenario is for %.60s", own, profile);
		return why;
	}
	if (c->kind == KIND_BOARD)
		return NULL;
	if (!strcmp(c->facts.application, wanted))
		return NULL;
	snprintf(why, RIG_WHY, "the application on the rig is %s, the scenario is for %s", c->facts.application,
		 wanted);
	return why;
}

struct rig *rig_open(const struct rig_choice *c, const struct rig_setup *setup, char why[RIG_WHY])
{
	switch (c->kind) {
	case KIND_EMULATED:
		return rig_desk_open(setup, why);
	case KIND_VHCI:
		return rig_vhci_open(setup, why);
	case KIND_CONTROL:
		return rig_control_open(setup, c->socket, why);
	case KIND_BOARD:
		return rig_board_open(c->board, setup, why);
	}
	return NULL;
}
