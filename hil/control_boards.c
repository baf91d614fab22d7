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

int control_ask(struct control_rig *r, json_t **result, char why[RIG_WHY], const char *format, ...)
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
	error = control_ask(r, result, why, "board %u %s", r->numbers[board], line);
	free(line);
	return error;
}

int control_tell(struct control_rig *r, unsigned board, char why[RIG_WHY], const char *format, ...)
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

	if (!r->lost && !control_ask(r, &answer, why, "time")) {
		r->last_us = (uint64_t)json_integer_value(json_object_get(answer, "time_us"));
		json_decref(answer);
	}
	return r->last_us;
}

/* --- state --- */

const char *control_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

unsigned control_number(const json_t *o, const char *key)
{
	return (unsigned)json_integer_value(json_object_get(o, key));
}

static void read_state(const json_t *o, struct rig_status *s)
{
	s->state = DFU_IDLE;
	s->status = DFU_OK;
	for (int i = MCU_OFF; i <= MCU_LOCKUP; i++)
		if (!strcmp(mcu_mode_name((enum mcu_mode)i), control_text(o, "mode")))
			s->mode = (enum mcu_mode)i;
	for (int i = 0; i <= DFU_ERROR; i++)
		if (!strcmp(dfu_state_name((unsigned)i), control_text(o, "state")))
			s->state = (enum dfu_state)i;
	for (int i = 0; i < 16; i++)
		if (!strcmp(dfu_status_name((unsigned)i), control_text(o, "status")))
			s->status = (enum dfu_status)i;
	s->rdp = (enum rdp_level)control_number(o, "rdp_level");
	s->busy = json_is_true(json_object_get(o, "flash_busy"));
}

static const json_t *board_in(const json_t *answer, unsigned number)
{
	const json_t *boards = json_object_get(answer, "boards"), *board;
	size_t i;

	json_array_foreach(boards, i, board)
	{
		if (control_number(board, "board") == number)
			return board;
	}
	return NULL;
}

/* What has been told before the answer came is taken in with it. */
static int status(struct control_rig *r, json_t **answer)
{
	char why[RIG_WHY];
	int error = control_ask(r, answer, why, "status");
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
		b->plugged = !strcmp(control_text(pins, "vbus"), "high");
		b->address = control_number(o, "address");
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

int control_load(struct control_rig *r, unsigned board, uint32_t address, const uint8_t *data, size_t length,
		 char why[RIG_WHY])
{
	char *path, *word;
	int error = flash_file(r, &path, &word);

	if (!error)
		error = write_file(path, data, length);
	if (error)
		snprintf(why, RIG_WHY, "cannot write '%.300s': %s", path ? path : "", strerror(-error));
	else
		error = control_tell(r, board, why, "flash load %s 0x%08x", word, (unsigned)address);
	if (path)
		unlink(path);
	free(path);
	free(word);
	return error;
}

int control_flash_load(struct rig *rig, unsigned board, uint32_t address, const uint8_t *data, size_t length)
{
	char why[RIG_WHY];
	int error = length ? control_load(control_of(rig), board, address, data, length, why) : 0;

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

int control_set_options(struct control_rig *r, unsigned board, const uint8_t *bytes, char why[RIG_WHY])
{
	char hex[2 * OPTION_MAX_BYTES + 1];

	for (size_t i = 0; i < option_bytes_size(r->profile); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return control_tell(r, board, why, "options set %s", hex);
}

int control_options_load(struct rig *rig, unsigned board, const uint8_t *bytes)
{
	char why[RIG_WHY];
	int error = control_set_options(control_of(rig), board, bytes, why);

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
	error = control_ask(r, &answer, why, "board %u options show", r->numbers[board]);
	if (error)
		return error;
	hex = control_text(answer, "options");
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
	error = control_tell(control_of(rig), board, why, "fault add %s", word);
	free(word);
	return error;
}

int control_fault_clear(struct rig *rig, unsigned board)
{
	return control_command(control_of(rig), board, "fault clear");
}

const char *const control_duration_names[] = {
	[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random"
};

int control_durations(struct rig *rig, enum flash_durations which)
{
	struct control_rig *r = control_of(rig);
	int error = 0;

	for (unsigned i = 1; i <= r->boards && !error; i++)
		error = control_command(r, i, "erase-times %s", control_duration_names[which]);
	return error;
}

int control_software_entry(struct rig *rig, unsigned board)
{
	return control_command(control_of(rig), board, "software-entry");
}
