// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of commands, and the way from a line to one of them. */
#include "control_internal.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "suggest.h"

#define WORDS 64 /* in a line */

const char *const call_switches[] = { "off", "on", NULL };

struct bench *control_bench(const struct control *c)
{
	return desk_bench(c->desk);
}

enum outcome call_fail(struct call *call, enum outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->why, sizeof(call->why), format, args);
	va_end(args);
	return outcome;
}

struct mcu *call_board(struct call *call)
{
	struct mcu *mcu = desk_mcu(call->control->desk, call->board);

	if (!mcu)
		call_fail(call, FAILED, "there is no board %u", call->board);
	return mcu;
}

/* Index of a word in a list, or -1 with why. */
int call_choose(struct call *call, const char *what, const char *word, const char *const *words)
{
	const char *near;
	char list[256] = "";
	size_t used = 0;

	for (int i = 0; words[i]; i++)
		if (!strcasecmp(word, words[i]))
			return i;
	near = suggest_nearest(word, words);
	for (int i = 0; words[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	call_fail(call, REFUSED, "%s '%.60s': expected %s%s%s%s", what, word, list, near ? ", did you mean '" : "",
		  near ? near : "", near ? "'?" : "");
	return -1;
}

bool call_number(const char *word, unsigned *out)
{
	size_t length = strlen(word);

	if (!length || length > 6 || strspn(word, "0123456789") != length)
		return false;
	*out = (unsigned)strtoul(word, NULL, 10);
	return true;
}

static enum outcome run_json(struct call *call, int count, char **words)
{
	int i = call_choose(call, "json", words[0], call_switches);

	(void)count;
	if (i < 0)
		return REFUSED;
	call->client->json = i == 1;
	/* The answer is in the new language. */
	writer_free(&call->out);
	writer_init(&call->out, i == 1);
	return DONE;
}

static enum outcome run_quit(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	call->client->discarding = true;
	return DONE;
}

static enum outcome run_help(struct call *, int count, char **words);

static const struct command commands[] = {
	{ "boot0", "boot0 high|low", "the strap; it counts at the next reset", 1, 1, control_run_pin },
	{ "boot1", "boot1 high|low", "likewise", 1, 1, control_run_pin },
	{ "nrst", "nrst high|low", "the reset line, for as long as you like", 1, 1, control_run_pin },
	{ "reset", "reset [TIME]", "pull NRST low for 50ms or TIME; done when it is high again", 0, 1,
	  control_run_reset },
	{ "power", "power on|off", "the supply", 1, 1, control_run_pin },
	{ "unplug", "unplug", "pull the USB cable", 0, 0, control_run_pin },
	{ "plug", "plug", "put it back", 0, 0, control_run_pin },
	{ "board", "board add [--serial HEX12] | board remove N", "one more board, or one less", 1, 3,
	  control_run_board },
	{ "boards", "boards", "list the boards", 0, 0, control_run_boards },
	{ "bench", "bench N unplug|plug", "the cable of a bench device (--bench)", 2, 2, control_run_bench },
	{ "fault", "fault add RULE | list | remove N | clear", "what goes wrong", 1, -1, control_run_fault },
	{ "flash", "flash load FILE [ADDRESS] | save FILE [ADDRESS]", "the main flash, raw", 2, 3, control_run_flash },
	{ "options", "options load FILE | save FILE | set HEX | show", "the option bytes", 1, 2, control_run_options },
	{ "erase-times", "erase-times typical|maximum|random", "of the datasheet, from the next operation on", 1, 1,
	  control_run_erase_times },
	{ "software-entry", "software-entry", "the application jumps to the bootloader", 0, 0,
	  control_run_software_entry },
	{ "console", "console send TEXT", "to the application's serial console; \\r \\n \\t \\\\ \\xHH", 2, -1,
	  control_run_console },
	{ "button", "button press|release", "the user's, B1 on PA0", 1, 1, control_run_button },
	{ "led", "led", "which LEDs are lit", 0, 0, control_run_led },
	{ "status", "status", "everything about the boards", 0, 0, control_run_status },
	{ "about", "about", "this dfuemu: its command, its time, its capture", 0, 0, control_run_about },
	{ "events", "events", "tell what happens until you hang up", 0, 0, control_run_events },
	{ "traffic", "traffic usart1|usart3|can2|i2c|spi", "somebody speaks to another boot interface", 1, 1,
	  control_run_traffic },
	{ "time", "time", "the bench's time", 0, 0, control_run_time },
	{ "wait", "wait EVENT [DETAIL] [TIME]",
	  "until it happens, TIME at most: reset, booted [MODE], state [STATE], erased...", 1, 3, control_run_wait },
	{ "json", "json on|off", "the language of this connection", 1, 1, run_json },
	{ "help", "help", "this list", 0, 0, run_help },
	{ "quit", "quit", "end this connection", 0, 0, run_quit },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *const prefixes[][2] = {
	{ "board N COMMAND", "for another board than the first" },
	{ "at TIME COMMAND", "when the bench's time is TIME, as 'at 1.5s unplug'" },
	{ "in TIME COMMAND", "that much later" },
};
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static enum outcome run_help(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_array(&call->out, "commands");
	for (size_t i = 0; i < COMMANDS; i++) {
		writer_object(&call->out, NULL);
		writer_string(&call->out, "usage", commands[i].usage);
		writer_string(&call->out, "help", commands[i].help);
		writer_end(&call->out);
	}
	for (size_t i = 0; i < PREFIXES; i++) {
		writer_object(&call->out, NULL);
		writer_string(&call->out, "usage", prefixes[i][0]);
		writer_string(&call->out, "help", prefixes[i][1]);
		writer_end(&call->out);
	}
	writer_end(&call->out);
	return DONE;
}

void control_commands(FILE *out)
{
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-50s %s\n", commands[i].usage, commands[i].help);
	for (size_t i = 0; i < PREFIXES; i++)
		fprintf(out, "  %-50s %s\n", prefixes[i][0], prefixes[i][1]);
}

static enum outcome unknown(struct call *call, const char *word)
{
	const char *names[COMMANDS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	near = suggest_nearest(word, names);
	if (near)
		return call_fail(call, REFUSED, "unknown command '%.60s' (did you mean '%s'?)", word, near);
	return call_fail(call, REFUSED, "unknown command '%.60s': try help", word);
}

/* DONE: call->command is it, and has as many words as it takes. */
static enum outcome find_command(struct call *call, int count, char **words)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		if (strcmp(words[0], command->name))
			continue;
		call->command = command;
		if (count - 1 < command->least || (command->most >= 0 && count - 1 > command->most))
			return call_fail(call, REFUSED, "usage: %s", command->usage);
		return DONE;
	}
	return unknown(call, words[0]);
}

/* Checked when it is said, not when it is due. */
static enum outcome check_later(struct call *call, int count, char **words)
{
	static const char *const nonsense[] = { "at", "in", "events", "json", "quit", NULL };

	for (int i = 0; nonsense[i]; i++)
		if (!strcmp(words[0], nonsense[i]))
			return call_fail(call, REFUSED, "'%s' cannot be put off", words[0]);
	return find_command(call, count, words);
}

/* later: its time has come. */
static enum outcome dispatch(struct call *call, int count, char **words, bool later)
{
	uint64_t now_us = bench_now_us(control_bench(call->control)), at_us = 0;
	enum outcome outcome;
	bool timed = false, named = false;

	for (;;) {
		bool in = !strcmp(words[0], "in");

		if (!strcmp(words[0], "board") && count > 1 && call_number(words[1], &call->board)) {
			named = true; /* the prefix, not the command */
		} else if ((in || !strcmp(words[0], "at")) && !timed && !later) {
			if (count < 2 || !fault_time_parse(words[1], &at_us))
				return call_fail(call, REFUSED, "%s '%.60s': expected a time with its unit, as 1.5s",
						 words[0], count < 2 ? "" : words[1]);
			timed = true;
			if (in)
				at_us += now_us;
		} else {
			break;
		}
		if (count < 3)
			return call_fail(call, REFUSED, "a command is missing after '%s %.60s'", words[0], words[1]);
		count -= 2;
		words += 2;
	}
	outcome = timed ? check_later(call, count, words) : find_command(call, count, words);
	if (outcome != DONE)
		return outcome;
	if (timed && at_us > now_us)
		return task_schedule(call, at_us, count, words);
	if (named && !desk_mcu(call->control->desk, call->board))
		return call_fail(call, FAILED, "there is no board %u", call->board);
	return call->command->run(call, count - 1, words + 1);
}

bool call_line(struct client *k, unsigned board, char *line, bool later)
{
	struct call call = { .control = k->control, .client = k, .board = board };
	char *words[WORDS];
	int count = control_split(line, words, WORDS);
	enum outcome outcome;

	if (!count)
		return false;
	writer_init(&call.out, k->json);
	if (count < 0)
		outcome = call_fail(&call, REFUSED,
				    "a quote is open at the end of the line, or there are more than %d words", WORDS);
	else
		outcome = dispatch(&call, count, words, later);
	writer_finish(&call.out);
	if (outcome != PENDING)
		client_answer(k, outcome, &call.out, call.why);
	else if (k->waiting == WAIT_NOTHING)
		k->waiting = WAIT_TASK;
	writer_free(&call.out);
	return outcome == PENDING;
}

int control_split(char *line, char **words, int limit)
{
	char *out = line;
	int count = 0;

	for (char *in = line;;) {
		bool quoted = false;

		while (*in == ' ' || *in == '\t' || *in == '\r')
			in++;
		if (!*in)
			return count;
		if (count == limit)
			return -1;
		words[count++] = out;
		for (; *in && (quoted || (*in != ' ' && *in != '\t' && *in != '\r')); in++) {
			if (*in == '"') {
				quoted = !quoted;
				continue;
			}
			if (*in == '\\') {
				if (!*++in)
					return -1;
			}
			*out++ = *in;
		}
		if (quoted)
			return -1;
		if (*in)
			in++;
		*out++ = 0;
	}
}
