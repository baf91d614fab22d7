// SPDX-License-Identifier: GPL-2.0-or-later
/* Boards behind a control socket: what they are, and what is in them. */
#include "control_boards.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLASH_FILE "%s/.rig-flash.bin" /* contents pass through it */
#define APP_VENDOR_ST 0x0483u
#define APP_VENDOR_MICROPYTHON 0xf055u

struct control_rig *control_of(struct rig *rig)
{
	return (struct control_rig *)rig;
}

/* --- asking --- */

static int ask(struct control_rig *r, json_t **result, char why[RIG_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int ask(struct control_rig *r, json_t **result, char why[RIG_WHY], const char *format, ...)
{
	char *line;
	va_list args;
	int error;

	va_start(args, format);
	if (vasprintf(&line, format, args) < 0)
		line = NULL;
	va_end(args);
	error = line ? control_link_ask(r->link, result, why, "%s", line) : -ENOMEM;
	if (!line)
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
	free(line);
	r->lost |= error == -ECONNRESET;
	if (error == -EREMOTEIO && strstr(why, "is erasing or programming"))
		return -EBUSY;
	if (error == -EREMOTEIO && strstr(why, "there is no board"))
		return -ENOENT;
	return error;
}

/* "board 2 unplug" for the board that the scenario calls 1 */
static int ask_board(struct control_rig *r, unsigned board, json_t **result, char why[RIG_WHY], const char *format,
		     va_list args)
{
	char *line;
	int error;

	if (!board || board > r->boards) {
		snprintf(why, RIG_WHY, "there is no board %u", board);
		return -ENOENT;
	}
	if (vasprintf(&line, format, args) < 0) {
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	error = ask(r, result, why, "board %u %s", r->numbers[board], line);
	free(line);
	return error;
}

static int tell(struct control_rig *r, unsigned board, char why[RIG_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int tell(struct control_rig *r, unsigned board, char why[RIG_WHY], const char *format, ...)
{
	va_list args;
	int error;

	va_start(args, format);
	error = ask_board(r, board, NULL, why, format, args);
	va_end(args);
	return error;
}

int control_command(struct control_rig *r, unsigned board, const char *format, ...)
{
	char why[RIG_WHY];
	va_list args;
	int error;

	va_start(args, format);
	error = ask_board(r, board, NULL, why, format, args);
	va_end(args);
	if (error)
		fprintf(stderr, "%s\n", why);
	return error;
}

uint64_t control_time(struct control_rig *r)
{
	char why[RIG_WHY];
	json_t *answer;

	if (!r->lost && !ask(r, &answer, why, "time")) {
		r->last_us = (uint64_t)json_integer_value(json_object_get(answer, "time_us"));
		json_decref(answer);
	}
	return r->last_us;
}

/* --- state --- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static unsigned number_of(const json_t *o, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(o, key));
}

static void read_state(const json_t *o, struct rig_status *s)
{
	s->state = DFU_IDLE;
	s->status = DFU_OK;
	for (int i = MCU_OFF; i <= MCU_LOCKUP; i++)
		if (!strcmp(mcu_mode_name((enum mcu_mode)i), text_of(o, "mode")))
			s->mode = (enum mcu_mode)i;
	for (int i = 0; i <= DFU_ERROR; i++)
		if (!strcmp(dfu_state_name((unsigned)i), text_of(o, "state")))
			s->state = (enum dfu_state)i;
	for (int i = 0; i < 16; i++)
		if (!strcmp(dfu_status_name((unsigned)i), text_of(o, "status")))
			s->status = (enum dfu_status)i;
	s->rdp = (enum rdp_level)number_of(o, "rdp_level");
	s->busy = json_is_true(json_object_get(o, "flash_busy"));
}

static const json_t *board_in(const json_t *answer, unsigned number)
{
	const json_t *boards = json_object_get(answer, "boards"), *board;
	size_t i;

	json_array_foreach(boards, i, board)
	{
		if (number_of(board, "board") == number)
			return board;
	}
	return NULL;
}

/* What has been told before the answer came is taken in with it. */
static int status(struct control_rig *r, json_t **answer)
{
	char why[RIG_WHY];
	int error = ask(r, answer, why, "status");
	uint64_t events;

	if (error) {
		fprintf(stderr, "%s\n", why);
		return error;
	}
	r->last_us = (uint64_t)json_integer_value(json_object_get(*answer, "time_us"));
	events = (uint64_t)json_integer_value(json_object_get(*answer, "events"));
	while (!error && r->heard < events)
		error = control_listen(r, 30000);
	if (!error)
		return 0;
	json_decref(*answer);
	*answer = NULL;
	return error;
}

int control_status(struct control_rig *r, unsigned board, struct control_board *b)
{
	const uint8_t *d = r->profile->device_descriptor;
	const json_t *o, *pins;
	json_t *answer;
	int error;

	if (!board || board > r->boards)
		return -ENOENT;
	error = status(r, &answer);
	if (error)
		return error;
	o = board_in(answer, r->numbers[board]);
	if (o) {
		*b = (struct control_board){ .ids = { (uint16_t)(d[8] | d[9] << 8), APP_VENDOR_ST,
						      APP_VENDOR_MICROPYTHON } };
		pins = json_object_get(o, "pins");
		read_state(o, &b->status);
		b->status.cause = r->causes[board];
		b->attached = json_is_true(json_object_get(o, "attached"));
		b->plugged = !strcmp(text_of(pins, "vbus"), "high");
		b->address = number_of(o, "address");
	}
	json_decref(answer);
	return o ? 0 : -ENOENT;
}

int control_board_status(struct rig *rig, unsigned board, struct rig_status *out)
{
	struct control_rig *r = control_of(rig);
	struct control_board b;
	int error = control_status(r, board, &b);

	if (error)
		return error;
	*out = b.status;
	out->serial = r->serials[board];
	return 0;
}

const struct mcu_profile *control_profile(struct rig *rig, unsigned board)
{
	struct control_rig *r = control_of(rig);

	return board && board <= r->boards ? r->profile : NULL;
}

/* --- contents --- */

/* The file that contents pass through, and its name as a word of a command. 0 or -ENOMEM. */
static int flash_file(const struct control_rig *r, char **path, char **word)
{
	*word = NULL;
	if (asprintf(path, FLASH_FILE, r->folder) < 0)
		*path = NULL;
	else
		*word = control_quoted(*path);
	return *word ? 0 : -ENOMEM;
}

static int write_file(const char *path, const uint8_t *data, size_t length)
{
	FILE *f = fopen(path, "we");
	int error = 0;

	if (!f)
		return -errno;
	if (fwrite(data, 1, length, f) != length)
		error = -EIO;
	if (fclose(f))
		error = -errno;
	return error;
}

static int read_file(const char *path, uint8_t *data, size_t length)
{
	FILE *f = fopen(path, "re");
	int error = 0;

	if (!f)
		return -errno;
	if (fread(data, 1, length, f) != length)
		error = -EIO;
	fclose(f);
	return error;
}

static int load(struct control_rig *r, unsigned board, uint32_t address, const uint8_t *data, size_t length,
		char why[RIG_WHY])
{
	char *path, *word;
	int error = flash_file(r, &path, &word);

	if (!error)
		error = write_file(path, data, length);
	if (error)
		snprintf(why, RIG_WHY, "cannot write '%.300s': %s", path ? path : "", strerror(-error));
	else
		error = tell(r, board, why, "flash load %s 0x%08x", word, (unsigned)address);
	if (path)
		unlink(path);
	free(path);
	free(word);
	return error;
}

int control_flash_load(struct rig *rig, unsigned board, uint32_t address, const uint8_t *data, size_t length)
{
	char why[RIG_WHY];
	int error = length ? load(control_of(rig), board, address, data, length, why) : 0;

	if (error)
		fprintf(stderr, "%s\n", why);
	return error;
}

int control_flash_read(struct rig *rig, unsigned board, uint32_t address, uint8_t *data, size_t length)
{
	struct control_rig *r = control_of(rig);
	char *path, *word;
	int error = flash_file(r, &path, &word);

	if (!error)
		error = control_command(r, board, "flash save %s 0x%08x", word, (unsigned)address);
	if (!error)
		error = read_file(path, data, length);
	if (path)
		unlink(path);
	free(path);
	free(word);
	return error;
}

static int set_options(struct control_rig *r, unsigned board, const uint8_t *bytes, char why[RIG_WHY])
{
	char hex[2 * OPTION_MAX_BYTES + 1];

	for (size_t i = 0; i < option_bytes_size(r->profile); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return tell(r, board, why, "options set %s", hex);
}

int control_options_load(struct rig *rig, unsigned board, const uint8_t *bytes)
{
	char why[RIG_WHY];
	int error = set_options(control_of(rig), board, bytes, why);

	if (error)
		fprintf(stderr, "%s\n", why);
	return error;
}

int control_options_read(struct rig *rig, unsigned board, uint8_t bytes[OPTION_MAX_BYTES])
{
	struct control_rig *r = control_of(rig);
	char why[RIG_WHY];
	const char *hex;
	json_t *answer;
	int error;

	if (!board || board > r->boards)
		return -ENOENT;
	error = ask(r, &answer, why, "board %u options show", r->numbers[board]);
	if (error)
		return error;
	hex = text_of(answer, "options");
	for (size_t i = 0; i < option_bytes_size(r->profile) && !error; i++) {
		unsigned value;

		if (strlen(hex) != 2 * option_bytes_size(r->profile) || sscanf(hex + 2 * i, "%2x", &value) != 1)
			error = -EPROTO;
		else
			bytes[i] = (uint8_t)value;
	}
	json_decref(answer);
	return error;
}

/* --- what goes wrong, and how long it takes --- */

int control_fault_add(struct rig *rig, unsigned board, const char *rule, char why[RIG_WHY])
{
	char *word = control_quoted(rule);
	int error;

	if (!word || strpbrk(rule, "\r\n")) {
		snprintf(why, RIG_WHY, "%s", word ? "a rule is one line" : strerror(ENOMEM));
		free(word);
		return word ? -EINVAL : -ENOMEM;
	}
	error = tell(control_of(rig), board, why, "fault add %s", word);
	free(word);
	return error;
}

int control_fault_clear(struct rig *rig, unsigned board)
{
	return control_command(control_of(rig), board, "fault clear");
}

static const char *const durations[] = {
	[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random"
};

int control_durations(struct rig *rig, enum flash_durations which)
{
	struct control_rig *r = control_of(rig);
	int error = 0;

	for (unsigned i = 1; i <= r->boards && !error; i++)
		error = control_command(r, i, "erase-times %s", durations[which]);
	return error;
}

int control_software_entry(struct rig *rig, unsigned board)
{
	return control_command(control_of(rig), board, "software-entry");
}

/* --- opening --- */

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
	error = load(r, board, r->profile->flash_base, data, length, why);
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
		error = tell(r, board, why, "fault clear");
	if (!error)
		error = blank(r, board, why);
	if (!error)
		error = set_options(r, board, r->profile->option_factory, why);
	if (!error)
		error = tell(r, board, why, "erase-times %s", durations[s->erase_times]);
	if (!error)
		error = tell(r, board, why, "nrst high");
	if (!error)
		error = tell(r, board, why, "boot0 %s", s->boot0 ? "high" : "low");
	if (!error)
		error = tell(r, board, why, "boot1 %s", s->boot1 ? "high" : "low");
	if (!error)
		error = tell(r, board, why, "%s", s->plugged ? "plug" : "unplug");
	return error;
}

/* Boards that the scenario does not know of are nowhere to be seen. */
static int hide_others(struct control_rig *r, char why[RIG_WHY])
{
	const json_t *boards, *board;
	json_t *answer;
	size_t i;
	int error = ask(r, &answer, why, "status");

	if (error)
		return error;
	boards = json_object_get(answer, "boards");
	json_array_foreach(boards, i, board)
	{
		if (i >= r->boards && !error)
			error = ask(r, NULL, why, "board %u power off", number_of(board, "board"));
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
			error = tell(r, i, why, "unplug");
		if (!error && (all || !s->powered))
			error = tell(r, i, why, "power %s", s->powered ? "on" : "off");
	}
	return error;
}

/* Those that the scenario knows, and who they are. */
static int find_boards(struct control_rig *r, const struct rig_setup *s, char why[RIG_WHY])
{
	const json_t *boards, *board;
	json_t *answer;
	size_t i;
	int error = ask(r, &answer, why, "status");

	if (error)
		return error;
	boards = json_object_get(answer, "boards");
	json_array_foreach(boards, i, board)
	{
		if (r->boards == s->boards || r->boards == CONTROL_BOARDS)
			break;
		r->numbers[++r->boards] = number_of(board, "board");
		snprintf(r->serials[r->boards], sizeof(r->serials[0]), "%s", text_of(board, "serial"));
		r->profile = mcu_profile_find(text_of(board, "profile"));
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
	int error = ask(r, &answer, why, "about");

	if (error)
		return error;
	command = text_of(answer, "command");
	r->knows_addresses = !strcmp(command, "exec") || !strcmp(command, "serve vhci");
	if (*text_of(answer, "capture") && !access(text_of(answer, "capture"), R_OK)) {
		r->capture = strdup(text_of(answer, "capture"));
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
		snprintf(facts->profile, sizeof(facts->profile), "%s", text_of(first, "profile"));
		snprintf(facts->application, sizeof(facts->application), "%s", text_of(about, "application"));
		snprintf(facts->time, sizeof(facts->time), "%s", text_of(about, "time"));
		facts->captures = *text_of(about, "capture") && !access(text_of(about, "capture"), R_OK);
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
