// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose fault it was: from what a case gave on its rig, on the emulated board, and what the runner's own host met afterwards. */
#include <stdlib.h>
#include <string.h>
#include "night.h"
#include "text.h"

static char *line_of(const char *text)
{
	return text_format("%.*s", (int)strcspn(text ? text : "", "\n"), text ? text : "");
}

/* A rig that opens no board because of the board says so in its own words: all that is of wires, permissions, locks is the rig's. */
enum blame night_fault(enum verdict control, const char *message)
{
	static const char *const of_board[] = { "has not come up within", "the bootloader does not answer",
						"was not answered within", "the device has gone at", NULL };

	if (!verdict_is_bad(control))
		return BLAME_NOBODY;
	if (control != VERDICT_ERROR)
		return BLAME_BOARD;
	for (size_t i = 0; of_board[i] && message; i++)
		if (strstr(message, of_board[i]))
			return BLAME_BOARD;
	return BLAME_RIG;
}

/* The rig or the runner failed, and the tool was not judged. */
static bool only_errors(const struct night_case *c)
{
	for (size_t i = 0; i < c->attempts.count; i++)
		if (c->attempts.list[i]->verdict == VERDICT_FAILED ||
		    c->attempts.list[i]->verdict == VERDICT_UNEXPECTED_PASS)
			return false;
	return true;
}

static const struct result *decisive(const struct night_case *c)
{
	for (size_t i = 0; i < c->attempts.count && c->bad; i++)
		if (verdict_is_bad(c->attempts.list[i]->verdict))
			return c->attempts.list[i];
	return c->attempts.list[c->attempts.count - 1];
}

static char *how_often(const struct night_case *c)
{
	if (c->attempts.count == 1)
		return strdup("it fails (and was run once)");
	if (c->bad == c->attempts.count)
		return text_format("it fails each of %u times", c->bad);
	return text_format("it fails %u of %zu times", c->bad, c->attempts.count);
}

/* What the emulated board had to say, for a failure that it does not have. */
static char *elsewhere(const struct night_case *c)
{
	if (c->emulated == VERDICT_PASSED || c->emulated == VERDICT_EXPECTED_FAILURE)
		return strdup("the emulated board passes it");
	if (c->emulated == VERDICT_ERROR)
		return text_format("on the emulated board it could not be run: %s", c->emulated_message);
	if (c->asked_emulated)
		return text_format("it is not for the emulated board: %s",
				   c->emulated_message ? c->emulated_message : "");
	return strdup("the emulated board was not asked");
}

static const char *own_host(const struct night_case *c)
{
	return c->control == VERDICT_PASSED ? "the board answers the runner's own host"
					    : "the runner's own host was not tried";
}

static void judge_failure(struct night_case *c, bool interrupted)
{
	char *often = how_often(c), *other = elsewhere(c);
	bool errors = only_errors(c), lost = c->lane->state == LANE_OUT;
	bool same = c->message && c->emulated_message && !strcmp(c->message, c->emulated_message);
	const char *message = c->control_message ? c->control_message : "";
	enum blame fault = night_fault(c->control, message);

	c->flaky = c->bad < c->attempts.count;
	if (!errors && (c->emulated == VERDICT_FAILED || c->emulated == VERDICT_UNEXPECTED_PASS)) {
		c->blame = BLAME_TOOL;
		c->reason = same ? text_format("%s, and on the emulated board with the same seed just so", often)
				 : text_format("%s, and on the emulated board with the same seed too: %s", often,
					       c->emulated_message);
		c->flaky = false;
	} else if (fault == BLAME_BOARD) {
		c->blame = BLAME_BOARD;
		c->reason = text_format("%s; the runner's own host fails on the board as well: %s", often, message);
	} else if (fault == BLAME_RIG) {
		c->blame = BLAME_RIG;
		c->reason = text_format("%s; the rig fails: %s", often, message);
	} else if (lost) {
		c->blame = c->lane->blame;
		c->reason = text_format("%s; the rig is out: %s", often, c->lane->why);
	} else if (c->flaky) {
		c->reason = text_format("%s; %s", often, other);
	} else if (errors) {
		c->blame = BLAME_RIG;
		c->reason = text_format("%s: the rig or the runner, not the tool; %s", often, own_host(c));
	} else if (interrupted && !c->asked_control) {
		c->reason = text_format("%s; nothing more was looked into: the night was over", often);
	} else {
		c->blame = BLAME_TOOL;
		c->reason = text_format("%s on this rig; %s; %s", often, other, own_host(c));
	}
	/* A board or rig that failed once and went on is no verdict on the tool either. */
	c->flaky = c->flaky && c->blame == BLAME_NOBODY;
	free(often);
	free(other);
}

bool night_judge(struct night_case *c, bool interrupted)
{
	const struct result *r;

	c->reached = c->attempts.count > 0;
	if (!c->reached) {
		c->verdict = VERDICT_SKIPPED;
		if (!c->message)
			c->message = strdup("not reached: the night was over");
		return c->message != NULL;
	}
	r = decisive(c);
	c->verdict = r->verdict;
	c->seed = r->seed;
	free(c->message);
	c->message = r->message ? line_of(r->message) : NULL;
	c->capture = r->capture ? strdup(r->capture) : NULL;
	if (c->bad)
		judge_failure(c, interrupted);
	else if (c->emulated == VERDICT_FAILED)
		c->reason = text_format("it passes here, and fails on the emulated board: %s", c->emulated_message);
	return !c->bad || c->reason;
}
