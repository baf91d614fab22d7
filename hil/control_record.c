// SPDX-License-Identifier: GPL-2.0-or-later
/* What has happened on boards behind a control socket: events as they are told, and the capture of the dfuemu. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "control_boards.h"
#include "events.h"
#include "files.h"
#include "pcapng_format.h"

/* --- events --- */

static unsigned ours(const struct control_rig *r, unsigned number)
{
	for (unsigned i = 1; i <= r->boards; i++)
		if (r->numbers[i] == number)
			return i;
	return 0;
}

static int index_in(const char *word, const char *(*name)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (word && !strcmp(name(i), word))
			return i;
	return 0;
}

static const char *cause_name(int i)
{
	return reset_cause_name((enum reset_cause)i);
}

static const char *mode_name(int i)
{
	return mcu_mode_name((enum mcu_mode)i);
}

static const char *state_name(int i)
{
	return dfu_state_name((unsigned)i);
}

static const char *status_name(int i)
{
	return dfu_status_name((unsigned)i);
}

static const char *pin_name(int i)
{
	return mcu_pin_name((enum mcu_pin)i);
}

static uint32_t member(const json_t *o, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(o, name));
}

/* As event_write_fault() tells it. */
static void read_fault(const json_t *o, struct mcu_fault *f)
{
	const char *exception = json_string_value(json_object_get(o, "exception"));
	char name[8];

	*f = (struct mcu_fault){
		.lockup = json_is_true(json_object_get(o, "lockup")),
		.cfsr = member(o, "cfsr"),
		.hfsr = member(o, "hfsr"),
		.mmfar = member(o, "mmfar"),
		.bfar = member(o, "bfar"),
		.xpsr = member(o, "xpsr"),
	};
	for (unsigned i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), i < 13 ? "r%u" : i == 13 ? "sp" : i == 14 ? "lr" : "pc", i);
		f->r[i] = member(o, name);
	}
	for (unsigned i = 3; exception && i <= 6; i++)
		if (!strcmp(exception, mcu_exception_name(i)))
			f->exception = i;
}

static bool read_event(const json_t *o, struct mcu_event *e, struct mcu_fault *fault)
{
	const char *name = json_string_value(json_object_get(o, "event"));
	enum mcu_event_type type;

	*e = (struct mcu_event){ .at_us = (uint64_t)json_integer_value(json_object_get(o, "at_us")) };
	for (type = 0; type < MCU_EVENT_TYPES; type++) {
		if (!name ||
		    strcmp(event_name(&(struct desk_event){ .mcu = &(struct mcu_event){ .type = type } }), name))
			continue;
		e->type = type;
		e->cause = (enum reset_cause)index_in(json_string_value(json_object_get(o, "cause")), cause_name,
						      RESET_CAUSES);
		e->mode = (enum mcu_mode)index_in(json_string_value(json_object_get(o, "mode")), mode_name,
						  MCU_LOCKUP + 1);
		e->state = (enum dfu_state)index_in(json_string_value(json_object_get(o, "state")), state_name,
						    DFU_ERROR + 1);
		e->status = (enum dfu_status)index_in(json_string_value(json_object_get(o, "status")), status_name, 16);
		e->pin = (enum mcu_pin)index_in(json_string_value(json_object_get(o, "pin")), pin_name, MCU_PIN_COUNT);
		e->high = json_is_true(json_object_get(o, "high"));
		e->address = (uint32_t)json_integer_value(json_object_get(o, "address"));
		e->length = (uint32_t)json_integer_value(json_object_get(o, "length"));
		e->line = json_string_value(json_object_get(o, "line"));
		e->high |= json_is_true(json_object_get(o, "on"));
		if (type == MCU_EVENT_LED)
			e->name = json_string_value(json_object_get(o, "led"));
		if (type == MCU_EVENT_FAULT) {
			read_fault(o, fault);
			e->fault = fault;
		}
		return true;
	}
	return false;
}

static int keep(struct control_rig *r, const json_t *line)
{
	unsigned board = ours(r, (unsigned)json_integer_value(json_object_get(line, "board")));
	struct mcu_fault fault;
	struct mcu_event e;

	r->heard++;
	if (!board || !read_event(line, &e, &fault))
		return 0;
	if (e.type == MCU_EVENT_RESET)
		r->causes[board] = e.cause;
	if (e.type == MCU_EVENT_CONSOLE && !e.line)
		return 0;
	board_signs_heard(&r->signs[board], &e);
	if (!rig_event_is_kept(&e))
		return 0;
	if (r->event_count == r->event_room) {
		size_t room = r->event_room ? 2 * r->event_room : 256;
		struct rig_event *more = realloc(r->events, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		r->events = more;
		r->event_room = room;
	}
	r->events[r->event_count++] = (struct rig_event){ .board = board, .event = e };
	return 0;
}

int control_listen(struct control_rig *r, int wait_ms)
{
	int error = 0, count = 0;

	for (;;) {
		json_t *line = control_link_next(r->listener, count ? 0 : wait_ms, &error);

		if (!line)
			break;
		count++;
		error = keep(r, line);
		json_decref(line);
		if (error)
			return error;
	}
	r->lost |= error == -ECONNRESET;
	return error == -EAGAIN && count ? 0 : error;
}

const struct rig_event *control_events(struct rig *rig, size_t *count)
{
	struct control_rig *r = control_of(rig);
	struct control_board b;

	control_status(r, 1, &b); /* with all events up to now */
	*count = r->event_count;
	return r->events;
}

/* --- the capture --- */

static uint32_t u32(const uint8_t *b)
{
	return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The blocks before the first packet, which every part needs: the emulator's own files are little endian. */
static size_t header_of(const uint8_t *bytes, size_t length)
{
	size_t at = 0;

	while (length - at >= 12) {
		uint32_t type = u32(bytes + at), size = u32(bytes + at + 4);

		if ((type != PCAPNG_SECTION && type != PCAPNG_INTERFACE) || size < 12 || size > length - at)
			break;
		at += size;
	}
	return at;
}

/* What a capture has of this rig's time, after its header; to be freed. NULL: nothing new, or not to be had. */
static uint8_t *read_part(struct control_rig *r, size_t *length)
{
	int fd = open(r->capture, O_RDONLY | O_CLOEXEC);
	uint8_t *bytes = NULL;
	struct stat st;
	size_t used = 0, size;
	ssize_t n;

	if (fd < 0) {
		/* Without requests nothing that is not to be among them would be missed. */
		r->transcript.damage = "it cannot be opened";
		return NULL;
	}
	if (!fstat(fd, &st) && (!r->has_transcript || (size_t)st.st_size != r->read)) {
		size = (size_t)st.st_size;
		bytes = malloc(size + 1);
		if (!bytes)
			r->transcript.damage = "it is too large";
		while (bytes && used < size && (n = read(fd, bytes + used, size - used)) > 0)
			used += (size_t)n;
	}
	close(fd);
	if (!bytes)
		return NULL;
	r->read = used;
	r->header = header_of(bytes, used);
	if (r->from > r->header && r->from <= used) {
		memmove(bytes + r->header, bytes + r->from, used - r->from);
		used -= r->from - r->header;
	}
	*length = used;
	return bytes;
}

const struct transcript *control_transcript(struct rig *rig)
{
	struct control_rig *r = control_of(rig);
	struct transcript_facts facts = transcript_facts_of(r->profile);
	const char *serials[CONTROL_BOARDS + 1] = { NULL };
	size_t length;
	uint8_t *bytes;

	/* An answer to whatever comes after all that has been written. */
	control_time(r);
	bytes = r->capture ? read_part(r, &length) : NULL;
	if (!bytes)
		return &r->transcript;
	facts.serials = serials;
	for (unsigned i = 0; i < r->boards; i++) {
		serials[i] = r->serials[i + 1];
		/* With some ROMs all have the same: then by the order in which they come up. */
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(serials[i], serials[j]))
				facts.serials = NULL;
	}
	facts.has_origin = true;
	facts.origin_us = r->epoch_us;
	if (r->has_transcript)
		transcript_free(&r->transcript);
	r->transcript = (struct transcript){ 0 };
	transcript_read(&r->transcript, bytes, length, &facts);
	r->has_transcript = true;
	free(bytes);
	return &r->transcript;
}

void control_keep_part(struct control_rig *r, const char *path)
{
	size_t length = 0;
	uint8_t *bytes;

	control_time(r);
	r->read = SIZE_MAX;
	bytes = r->capture ? read_part(r, &length) : NULL;
	/* A part of a file would be worse than none, and is no reason to fail what ran. */
	if (bytes && files_write_new(path, bytes, length))
		unlink(path);
	free(bytes);
}
