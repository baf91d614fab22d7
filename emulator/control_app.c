// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands: the application's side of a board: its serial console, the user's button, LEDs; and how it is, for `status`. */
#include "control_internal.h"
#include <ctype.h>
#include <string.h>
#include "engine.h"

static struct engine *call_engine(struct call *call)
{
	struct engine *engine = call_board(call) ? desk_engine(call->control->desk, call->board) : NULL;

	if (!engine && !call->why[0])
		call_fail(call, FAILED, "board %u has no application (--app none)", call->board);
	return engine;
}

/* \r \n \t \\ and \xHH, in place; or -1: what is wrong is at *at. */
static int unescape(char *text, char **at)
{
	static const char letters[] = "rnt\\", meanings[] = "\r\n\t\\";
	char *out = text;

	for (char *in = text; *in; in++) {
		const char *letter;
		unsigned byte;

		*at = in;
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		in++;
		letter = *in ? strchr(letters, *in) : NULL;
		if (letter) {
			*out++ = meanings[letter - letters];
		} else if (*in == 'x' && isxdigit((unsigned char)in[1]) && isxdigit((unsigned char)in[2])) {
			sscanf(in + 1, "%2x", &byte);
			*out++ = (char)byte;
			in += 2;
		} else {
			return -1;
		}
	}
	return (int)(out - text);
}

enum outcome control_run_console(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "send", NULL };
	struct engine *engine;
	size_t length = 0, taken;
	char text[CONTROL_LINE], *at;
	int n;

	if (call_choose(call, "console", words[0], verbs) < 0)
		return REFUSED;
	for (int i = 1; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s", i > 1 ? " " : "", words[i]);
	n = unescape(text, &at);
	if (n < 0)
		return call_fail(call, REFUSED,
				 "console send: '%.4s': expected \\r, \\n, \\t, \\\\ or \\x and two hex digits", at);
	engine = call_engine(call);
	if (!engine)
		return FAILED;
	taken = engine_console(engine, (const uint8_t *)text, (size_t)n);
	if (taken == (size_t)n)
		return DONE;
	if (!taken)
		return call_fail(call, FAILED, "nobody listens on the console of board %u", call->board);
	return call_fail(call, FAILED, "the console of board %u took %zu bytes of %d", call->board, taken, n);
}

static enum outcome fail_without_pins(struct call *call, struct engine *engine, const char *what)
{
	struct engine_status status;

	engine_status(engine, &status);
	if (status.runs_code)
		return call_fail(call, FAILED, "%s runs the code of board %u, and has no pins to %s (--app firmware)",
				 status.name, call->board, what);
	return call_fail(call, FAILED, "no code runs on board %u that could %s (--app firmware)", call->board, what);
}

enum outcome control_run_button(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "release", "press", NULL };
	int i = call_choose(call, "button", words[0], verbs);
	struct engine *engine;

	(void)count;
	if (i < 0)
		return REFUSED;
	engine = call_engine(call);
	if (!engine)
		return FAILED;
	if (!engine_button(engine, i == 1))
		return DONE;
	return fail_without_pins(call, engine, "see a button");
}

static void write_leds(struct writer *w, const struct engine_status *status)
{
	writer_object(w, "leds");
	for (unsigned i = 0; i < ENGINE_LEDS; i++)
		writer_string(w, engine_led_name(i), status->leds >> i & 1 ? "on" : "off");
	writer_end(w);
}

enum outcome control_run_led(struct call *call, int count, char **words)
{
	struct engine *engine = call_engine(call);
	struct engine_status status;

	(void)count, (void)words;
	if (!engine)
		return FAILED;
	engine_status(engine, &status);
	if (!status.has_pins)
		return fail_without_pins(call, engine, "light an LED");
	write_leds(&call->out, &status);
	return DONE;
}

void control_write_engine(struct call *call, unsigned board)
{
	struct engine *engine = desk_engine(call->control->desk, board);
	struct writer *w = &call->out;
	struct engine_status status;

	if (!engine)
		return;
	engine_status(engine, &status);
	if (!status.runs_code)
		return;
	writer_object(w, "application");
	writer_string(w, "engine", status.name);
	writer_string(w, "runs", engine_state_name(status.state));
	if (status.has_core) {
		writer_hex(w, "pc", status.pc);
		writer_hex(w, "sp", status.sp);
		writer_number(w, "hclk_hz", status.hclk_hz);
		writer_number(w, "cycles", status.cycles);
		write_leds(w, &status);
		writer_number(w, "cpu_faults", status.faults);
	}
	if (status.faults) {
		writer_object(w, "cpu_fault");
		event_write_fault(&status.fault, w);
		writer_end(w);
	}
	writer_end(w);
}
