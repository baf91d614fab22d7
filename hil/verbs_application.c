// SPDX-License-Identifier: GPL-2.0-or-later
/* Verbs: what is said to the application and heard from it, its LEDs and its button. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fault_rule.h"
#include "text.h"
#include "verbs.h"

#define SAID_WITHIN_US 5000000u
#define SAID_LINES 8 /* that are told where others were expected */
#define LED_WITHIN_US 1000000u
#define PRESS_US 100000u

static const char *const leds[] = { "green", "orange", "red", "blue", NULL };
static const char *const off_on[] = { "off", "on", NULL };
static const char *const presses[] = { "released", "pressed", "press", NULL };

const struct field console_fields[] = {
	{ .name = "send", .type = FIELD_TEXT, .help = "what is sent, as it is" },
	{ .name = "send-file", .type = FIELD_FILE, .help = "or all that is in this file, over USB" },
	{ .name = "expect", .type = FIELD_REGEX, .help = "what the application must say then" },
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time until it says so; 5s without it" },
	{ .name = "usb",
	  .type = FIELD_USB_ID,
	  .help = "the serial port of this device; the serial console of the board without it" },
	{ .type = FIELD_END },
};
const struct field led_fields[] = {
	{ .name = "led",
	  .type = FIELD_CHOICE,
	  .choices = leds,
	  .required = true,
	  .help = "which LED of the Discovery" },
	{ .name = "is", .type = FIELD_CHOICE, .choices = off_on, .help = "off or on; on without it" },
	{ .name = "within", .type = FIELD_DURATION, .help = "longest time until then; 1s without it" },
	{ .type = FIELD_END },
};
const struct field button_fields[] = {
	{ .name = "state",
	  .type = FIELD_CHOICE,
	  .choices = presses,
	  .required = true,
	  .help = "pressed, released, or press: both, one after the other" },
	{ .name = "for", .type = FIELD_DURATION, .help = "how long a press is; 100ms without it" },
	{ .type = FIELD_END },
};

void check_runs_firmware(const struct step *step, const struct scenario *s, struct problems *problems)
{
	const struct object *board = object_value(s->top, "board")->object;

	if (!board || object_number(board, "application", 0) != RIG_FLASHED)
		STEP_WRONG(step, problems, "step '%s' needs 'board: {application: firmware}': no code runs without",
			   step->verb->name);
}

/* --- the console --- */

void check_console(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	const struct object *o = step->arguments;
	bool file = object_given(o, "send-file"), usb = object_given(o, "usb");
	bool send = object_given(o, "send"), expect = object_given(o, "expect");

	if (send && !usb)
		check_runs_firmware(step, s, problems);
	if (!send && !expect && !file)
		STEP_WRONG(step, problems, "step 'console' needs 'send' or 'send-file', 'expect', or both");
	if (file && send)
		STEP_WRONG(step, problems, "step 'console' sends either a text or a file");
	if (file && !usb)
		STEP_WRONG(step, problems,
			   "'send-file' of step 'console' needs 'usb': a serial line has no flow control");
	if (send && !*object_text(o, "send", ""))
		STEP_WRONG(step, problems, "'send' of step 'console': there is nothing to send");
	if (object_given(o, "within") && !expect)
		STEP_WRONG(step, problems, "'within' of step 'console' is for 'expect'");
	if (usb)
		return;
	*needs |= (send ? RIG_SEND : 0) | (expect ? RIG_CONSOLE : 0);
}

/* As a script of dfuhil host has it. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static char *script_of(const struct object *o, uint64_t within)
{
	uint32_t id = (uint32_t)object_number(o, "usb", 0);
	char *script = NULL;
	size_t length;
	FILE *out = open_memstream(&script, &length);

	if (!out)
		return NULL;
	fprintf(out, "open-serial %04x:%04x within %lluus", id >> 16, id & 0xffff, (unsigned long long)within);
	if (object_given(o, "send")) {
		fputs("\nsend ", out);
		put_quoted(out, object_text(o, "send", ""));
	}
	if (object_given(o, "send-file"))
		fprintf(out, "\nsend file %s", object_text(o, "send-file", ""));
	if (object_given(o, "expect")) {
		fputs("\nexpect ", out);
		put_quoted(out, object_text(o, "expect", ""));
		fprintf(out, " within %lluus", (unsigned long long)within);
	}
	fputc('\n', out);
	if (!fclose(out))
		return script;
	free(script);
	return NULL;
}

enum play_outcome fail_silent(struct play *play, const struct step *step, const char *regex, uint64_t within_us)
{
	const char *said = text_tail(play->rig->ops->console_said(play->rig, play_board(step)), SAID_LINES);
	char limit[32];

	fault_time_format(within_us, limit, sizeof(limit));
	return play_fail(play, regex, *said ? said : "nothing was said",
			 "nothing on the console matches /%s/ within %s", regex, limit);
}

enum play_outcome run_console(struct play *play, const struct step *step)
{
	const struct rig_ops *ops = play->rig->ops;
	const struct object *o = step->arguments;
	uint64_t within = play_limit_us(play, object_number(o, "within", SAID_WITHIN_US));
	const char *expect = object_text(o, "expect", NULL);
	unsigned board = play_board(step);
	enum play_outcome outcome;
	char *script;
	int r = 0;

	if (object_given(o, "usb")) {
		script = script_of(o, within);
		outcome = script ? play_script(play, step, step->mark, script)
				 : play_error(play, "%s", strerror(ENOMEM));
		free(script);
		return outcome;
	}
	if (object_given(o, "send"))
		r = ops->console_send(play->rig, board, object_text(o, "send", ""));
	if (!r && expect)
		r = ops->wait_console(play->rig, board, expect, object_given(o, "send"), within);
	if (r != -ETIMEDOUT || !expect)
		return r ? play_error(play, "console: %s", play_reason(play, r)) : PLAY_OK;
	return fail_silent(play, step, expect, within);
}

/* --- LEDs and button --- */

void check_led(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	(void)needs;
	check_runs_firmware(step, s, problems);
}

enum play_outcome run_led(struct play *play, const struct step *step)
{
	const struct object *o = step->arguments;
	uint64_t led = object_number(o, "led", 0), within = object_number(o, "within", LED_WITHIN_US);
	bool on = object_number(o, "is", 1) == 1;
	struct rig_sign sign = { .kind = SIGN_LED, .led = (unsigned)led, .on = on };
	int r = play->rig->ops->wait_sign(play->rig, play_board(step), &sign, within);
	char limit[32];

	if (r != -ETIMEDOUT)
		return r ? play_error(play, "LED: %s", play_reason(play, r)) : PLAY_OK;
	fault_time_format(within, limit, sizeof(limit));
	return play_fail(play, off_on[on], off_on[!on], "the %s LED is not %s within %s", leds[led], off_on[on], limit);
}

void check_button(const struct step *step, const struct scenario *s, unsigned *needs, struct problems *problems)
{
	(void)needs;
	check_runs_firmware(step, s, problems);
	if (object_given(step->arguments, "for") && object_number(step->arguments, "state", 0) != 2)
		STEP_WRONG(step, problems, "'for' of step 'button' is for 'press'");
}

enum play_outcome run_button(struct play *play, const struct step *step)
{
	const struct rig_ops *ops = play->rig->ops;
	uint64_t state = object_number(step->arguments, "state", 0);
	unsigned board = play_board(step);
	int r = ops->button(play->rig, board, state != 0);

	if (!r && state == 2)
		r = ops->pass(play->rig, object_number(step->arguments, "for", PRESS_US));
	if (!r && state == 2)
		r = ops->button(play->rig, board, false);
	return r ? play_error(play, "button: %s", play_reason(play, r)) : PLAY_OK;
}
