// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a capture a host tool has done. */
#include "recording.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture_reader.h"
#include "dfuse_names.h"

#define SET_ADDRESS 5
#define GET_DESCRIPTOR 6
#define SET_CONFIGURATION 9
#define SET_INTERFACE 11

/* What is known of a device at one address. */
struct recorded_device {
	uint16_t vendor, product;
	char serial[RECORDING_SERIAL];
	uint8_t serial_index;
	bool seen, configured, has_requests;
};

struct scan {
	struct recording *r;
	struct recorded_device *devices; /* the recording's, by incarnation */
	unsigned device_count;
	bool described; /* a descriptor was read since the last item */
	unsigned session;
	uint64_t end_us; /* of the last item */
	bool came[RECORDING_BOARDS + 1], asked_to_leave[RECORDING_BOARDS + 1];
};

static void read_serial(struct recorded_device *d, const struct exchange *x)
{
	size_t n = 0;

	for (size_t at = 2; at + 1 < x->length && at < x->data[0] && n < RECORDING_SERIAL - 1; at += 2)
		d->serial[n++] = x->data[at + 1] || x->data[at] <= 0x20 || x->data[at] > 0x7e ? '?' : (char)x->data[at];
	d->serial[n] = 0;
}

static bool reads_descriptor(const struct exchange *x)
{
	return x->setup.type == 0x80 && x->setup.request == GET_DESCRIPTOR;
}

static bool is_dfu(const struct exchange *x)
{
	return x->op != OP_NONE;
}

/* Of a recording that began later, or where a kernel told the host what its device is: what the profile says. */
static void identify(const struct scan *s, struct recorded_device *d)
{
	const uint8_t *descriptor = s->r->profile->device_descriptor;

	if (d->vendor || d->product || !d->has_requests)
		return;
	d->vendor = (uint16_t)(descriptor[8] | descriptor[9] << 8);
	d->product = (uint16_t)(descriptor[10] | descriptor[11] << 8);
}

static bool scan_devices(struct scan *s)
{
	const struct transcript *t = &s->r->transcript;

	for (size_t i = 0; i < t->count; i++)
		if (t->exchanges[i].incarnation > s->device_count)
			s->device_count = t->exchanges[i].incarnation;
	s->devices = calloc(s->device_count + 1, sizeof(*s->devices));
	if (!s->devices)
		return false;
	s->r->devices = s->devices;
	for (size_t i = 0; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];
		struct recorded_device *d = &s->devices[x->incarnation];

		d->has_requests |= is_dfu(x);
		if (!reads_descriptor(x) || x->result != USB_ACK)
			continue;
		if (x->setup.value == 0x0100 && x->length >= 18) {
			d->vendor = (uint16_t)(x->data[8] | x->data[9] << 8);
			d->product = (uint16_t)(x->data[10] | x->data[11] << 8);
			d->serial_index = x->data[16];
		} else if (x->length >= 2 && d->serial_index && x->setup.value == (0x0300 | d->serial_index)) {
			read_serial(d, x);
		}
	}
	for (unsigned i = 1; i <= s->device_count; i++)
		identify(s, &s->devices[i]);
	return true;
}

/* An address that is given to a device that has it already, and goes on. */
static const struct exchange *after_reset(const struct scan *s, size_t i)
{
	const struct transcript *t = &s->r->transcript;
	const struct exchange *x = &t->exchanges[i];

	if (x->setup.type || x->setup.request != SET_ADDRESS || x->device || x->result != USB_ACK)
		return NULL;
	for (size_t j = i + 1; j < t->count; j++) {
		const struct exchange *y = &t->exchanges[j];

		if (y->bus == x->bus && y->device == (x->setup.value & 0x7f))
			return y->incarnation && s->devices[y->incarnation].seen ? y : NULL;
	}
	return NULL;
}

static struct recorded *add(struct scan *s, enum recorded_kind kind, const struct exchange *x, unsigned incarnation,
			    unsigned board)
{
	struct recorded *r = &s->r->items[s->r->count++];
	const struct recorded_device *d = &s->devices[incarnation];

	*r = (struct recorded){ .kind = kind,
				.exchange = x,
				.board = board,
				.vendor = d->vendor,
				.product = d->product,
				.serial = d->serial };
	if (s->end_us && x->start_us > s->end_us)
		r->gap_us = x->start_us - s->end_us;
	if (r->gap_us > RECORDING_PAUSE_MOST_US)
		r->gap_us = RECORDING_PAUSE_MOST_US;
	s->end_us = x->complete ? x->end_us : x->start_us;
	s->described = false;
	r->session = s->session;
	return r;
}

static void arrive(struct scan *s, const struct exchange *x)
{
	struct recorded *r;

	/* What was before the first request to a board nobody could bring about again. */
	if (!s->came[x->board] && !s->devices[x->incarnation].has_requests)
		return;
	/* Boards that are there from the start have none of their own. */
	if (!s->r->count || !s->r->items[s->r->count - 1].first)
		s->session++;
	r = add(s, RECORDED_ARRIVAL, x, x->incarnation, x->board);
	r->first = !s->came[x->board];
	r->pulled = !r->first && !s->asked_to_leave[x->board];
	if (r->first) {
		memcpy(s->r->serials[x->board - 1], r->serial, RECORDING_SERIAL);
		r->gap_us = 0;
		s->end_us = 0;
	}
	s->came[x->board] = true;
	s->asked_to_leave[x->board] = false;
}

static bool opens(const struct exchange *x)
{
	return !is_dfu(x) || x->op == OP_GETSTATUS || x->op == OP_GETSTATE || x->op == OP_CLRSTATUS ||
	       x->op == OP_ABORT || x->op == OP_GET;
}

static bool makes_leave(const struct scan *s, const struct exchange *x)
{
	const struct mcu_profile *p = s->r->profile;

	return x->op == OP_LEAVE || x->op == OP_UNPROTECT || x->op == OP_DETACH ||
	       (x->op == OP_WRITE && x->has_target &&
		(x->target < p->flash_base || x->target - p->flash_base >= p->flash_size_bytes));
}

static void look_at(struct scan *s, size_t i)
{
	const struct exchange *x = &s->r->transcript.exchanges[i], *next = after_reset(s, i);
	struct recorded_device *d = &s->devices[x->incarnation];
	bool configures = x->setup.type == 0 && x->setup.request == SET_CONFIGURATION;
	bool sets = x->setup.type == 1 && x->setup.request == SET_INTERFACE;

	if (next && next->board && next->board <= RECORDING_BOARDS && s->came[next->board]) {
		add(s, RECORDED_RESET, x, next->incarnation, next->board);
		s->devices[next->incarnation].configured = false;
	}
	if (!x->incarnation || !x->board || x->board > RECORDING_BOARDS)
		return;
	if (!d->seen)
		arrive(s, x);
	d->seen = true;
	if (!s->came[x->board])
		return;
	/* Programs ask for the languages each time; the kernel does not when it reads a string of a new alternate setting. */
	s->described |= reads_descriptor(x) && (x->setup.value == 0x0100 || x->setup.value == 0x0300);
	if (configures && !d->configured) {
		d->configured = true; /* the operating system's */
		return;
	}
	if (!is_dfu(x) && !configures && !sets)
		return;
	if (s->described && opens(x) && s->r->items[s->r->count - 1].kind != RECORDED_ARRIVAL)
		s->session++;
	add(s,
	    configures ? RECORDED_SET_CONFIGURATION
	    : sets     ? RECORDED_SET_INTERFACE
		       : RECORDED_REQUEST,
	    x, x->incarnation, x->board);
	s->asked_to_leave[x->board] |= makes_leave(s, x);
}

/* Of several boards each has to have one: a recording that began when they were there may not have it, and other boards have others. */
static void name_boards(struct recording *r)
{
	for (unsigned b = 0; r->boards > 1 && b < r->boards; b++)
		if (strlen(r->serials[b]) != 12 || strspn(r->serials[b], "0123456789ABCDEFabcdef") != 12) {
			r->made_up[b] = true;
			snprintf(r->serials[b], RECORDING_SERIAL, "%012X", b + 1);
		}
}

static int list_items(struct recording *r, char why[RECORDING_WHY])
{
	struct scan s = { .r = r };
	size_t requests = 0;

	/* Each exchange is at most an arrival and a request, or a reset. */
	r->items = calloc(2 * r->transcript.count + 1, sizeof(*r->items));
	if (!r->items || !scan_devices(&s)) {
		snprintf(why, RECORDING_WHY, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	for (size_t i = 0; i < r->transcript.count; i++) {
		const struct exchange *x = &r->transcript.exchanges[i];

		if (x->board > RECORDING_BOARDS) {
			snprintf(why, RECORDING_WHY, "more than %u boards are in it", RECORDING_BOARDS);
			return -E2BIG;
		}
		look_at(&s, i);
	}
	for (size_t i = 0; i < r->count; i++) {
		requests += r->items[i].kind == RECORDED_REQUEST;
		if (r->items[i].board > r->boards)
			r->boards = r->items[i].board;
	}
	r->sessions = s.session;
	name_boards(r);
	if (requests)
		return 0;
	snprintf(why, RECORDING_WHY, "there is no DFU request in it");
	return -ENODATA;
}

/* What the descriptors say, where nobody has said it. */
static struct transcript_facts choose(void *context, const struct transcript *t)
{
	const struct mcu_profile **profile = context;

	if (!*profile)
		*profile = recording_profile(t);
	return transcript_facts_of(*profile);
}

static int read_transcript(struct transcript *t, struct capture_reader *reader, const struct mcu_profile **profile,
			   char why[RECORDING_WHY])
{
	struct transcript_source source = {
		.reader = reader, .choose = choose, .context = profile, .most_bytes = RECORDING_MOST_BYTES
	};
	int error = reader ? transcript_read_from(t, &source) : -ENOMEM;

	if (error == -EFBIG)
		snprintf(why, RECORDING_WHY,
			 "it is too large: more than %zu MiB would have to be held ('editcap -r' takes a part of it, "
			 "'dfuemu show' shows captures of any size)",
			 RECORDING_MOST_BYTES >> 20);
	else if (error)
		snprintf(why, RECORDING_WHY, "%s", error == -EINVAL && t->damage ? t->damage : strerror(-error));
	return error;
}

int recording_transcript(struct transcript *t, const char *path, const struct mcu_profile **profile,
			 char why[RECORDING_WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	struct capture_reader *reader;

	*t = (struct transcript){ 0 };
	if (fd < 0) {
		error = -errno;
		snprintf(why, RECORDING_WHY, "%s", strerror(-error));
		return error;
	}
	reader = capture_reader_from_fd(fd);
	error = read_transcript(t, reader, profile, why);
	capture_reader_free(reader);
	close(fd);
	return error;
}

static int list(struct recording *r, const struct mcu_profile *profile, char why[RECORDING_WHY])
{
	r->profile = profile ? profile : mcu_profile_find("f407");
	r->profile_is_guess = !profile;
	return list_items(r, why);
}

int recording_read(struct recording *r, const uint8_t *data, size_t length, const struct mcu_profile *profile,
		   char why[RECORDING_WHY])
{
	struct capture_reader *reader = capture_reader_from_memory(data, length);
	int error;

	*r = (struct recording){ .profile = profile };
	error = read_transcript(&r->transcript, reader, &profile, why);
	capture_reader_free(reader);
	return error ? error : list(r, profile, why);
}

int recording_open(struct recording *r, const char *path, const struct mcu_profile *profile, char why[RECORDING_WHY])
{
	int error;

	*r = (struct recording){ .profile = profile };
	error = recording_transcript(&r->transcript, path, &profile, why);
	return error ? error : list(r, profile, why);
}

void recording_free(struct recording *r)
{
	transcript_free(&r->transcript);
	free(r->items);
	free(r->devices);
}

char *recorded_text(const struct recorded *r, char *out, size_t size)
{
	size_t n;

	switch (r->kind) {
	case RECORDED_ARRIVAL:
		snprintf(out, size, "%s of %04x:%04x", r->first ? "presence" : "return", r->vendor, r->product);
		break;
	case RECORDED_RESET:
		snprintf(out, size, "reset of the port");
		break;
	default:
		dfuse_name_setup(&r->exchange->setup, out, size);
		n = strlen(out);
		if (r->exchange->op >= OP_GET && r->exchange->has_target)
			snprintf(out + n, size - n, ": %s 0x%08X", dfuse_op_name(r->exchange->op),
				 (unsigned)r->exchange->target);
		else if (r->exchange->op >= OP_GET)
			snprintf(out + n, size - n, ": %s", dfuse_op_name(r->exchange->op));
	}
	return out;
}
