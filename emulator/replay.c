// SPDX-License-Identifier: GPL-2.0-or-later
/* A recording on the desk: its files. */
#include "replay.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "playback.h"
#include "savefile.h"
#include "trace.h"

#define CAPTURE_MOST ((size_t)1 << 30) /* it is held in memory */
#define FIRST_READ 65536u

struct replay {
	const struct say *say;
	struct playback *recording;
	struct savefile *json;
	struct bench *bench;
	struct trace **traces; /* of all devices, or NULL */
	bool finished, departed, failed;
};

/* All of a file or pipe. NULL with errno. */
static uint8_t *read_all(int fd, size_t *length)
{
	size_t room = FIRST_READ, used = 0;
	uint8_t *data = malloc(room);

	while (data) {
		ssize_t n = read(fd, data + used, room - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		used += (size_t)n;
		if (!n) {
			*length = used;
			return data;
		}
		if (used == room) {
			uint8_t *more = room < CAPTURE_MOST ? realloc(data, room * 2) : NULL;

			if (!more) {
				errno = room < CAPTURE_MOST ? ENOMEM : EFBIG;
				break;
			}
			data = more;
			room *= 2;
		}
	}
	free(data);
	return NULL;
}

static struct playback *read_recording(const struct options *o, struct bench *bench, const struct say *say)
{
	struct playback *recording;
	uint8_t *data;
	size_t length;
	int fd = open(o->replay, O_RDONLY | O_CLOEXEC);

	data = fd < 0 ? NULL : read_all(fd, &length);
	if (!data)
		say_error(say, "cannot %s '%s': %s", fd < 0 ? "open" : "read", o->replay, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!data)
		return NULL;
	recording = playback_new(bench, o->replay, data, length, o->loose, say);
	free(data);
	return recording;
}

struct replay *replay_open(const struct options *o, struct bench *bench, const struct say *say)
{
	struct replay *r = calloc(1, sizeof(*r));
	char why[SAVEFILE_WHY];

	if (!r) {
		say_error(say, "%s", strerror(ENOMEM));
		return NULL;
	}
	r->say = say;
	r->bench = bench;
	r->recording = read_recording(o, bench, say);
	if (r->recording && o->json) {
		r->json = savefile_open(o->json, why);
		if (!r->json)
			say_error(say, "%s", why);
	}
	if (r->recording && (r->json || !o->json))
		return r;
	replay_close(r);
	return NULL;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	replay_untrace(r);
	playback_free(r->recording);
	savefile_close(r->json);
	free(r);
}

struct usbdev *replay_device(struct replay *r, unsigned index)
{
	return r->traces && index < replay_count(r) ? trace_usbdev(r->traces[index])
						    : playback_device(r->recording, index);
}

unsigned replay_count(const struct replay *r)
{
	unsigned count = 0;

	while (playback_device(r->recording, count))
		count++;
	return count;
}

int replay_trace(struct replay *r, struct capture *capture, uint8_t bus)
{
	unsigned count = replay_count(r);
	struct trace **traces = calloc(count, sizeof(struct trace *));

	for (unsigned i = 0; traces && i < count; i++) {
		traces[i] = trace_new(r->bench, playback_device(r->recording, i), capture, bus);
		if (!traces[i]) {
			while (i)
				trace_free(traces[--i]);
			free(traces);
			return -ENOMEM;
		}
	}
	r->traces = traces;
	return traces ? 0 : -ENOMEM;
}

void replay_untrace(struct replay *r)
{
	for (unsigned i = 0; r && r->traces && i < replay_count(r); i++)
		trace_free(r->traces[i]);
	if (r) {
		free(r->traces);
		r->traces = NULL;
	}
}

void replay_probe(struct replay *r, const struct usbdev *device, bool on)
{
	for (unsigned i = 0; r->traces && i < replay_count(r); i++)
		if (trace_usbdev(r->traces[i]) == device)
			trace_pause(r->traces[i], on);
}

void replay_plug(struct replay *r)
{
	playback_plug(r->recording);
}

static void write_json(struct replay *r)
{
	struct writer w;
	char why[SAVEFILE_WHY] = "cannot tell how the replay went: out of memory";

	writer_init(&w, true);
	playback_write(r->recording, &w);
	writer_finish(&w);
	r->failed = writer_failed(&w) || savefile_save(r->json, (const uint8_t *)w.text, w.used, why);
	if (r->failed)
		say_error(r->say, "%s", why);
	writer_free(&w);
}

bool replay_finish(struct replay *r)
{
	if (r->finished)
		return r->departed;
	r->finished = true;
	r->departed = playback_finish(r->recording);
	if (r->json)
		write_json(r);
	return r->departed;
}

bool replay_failed(const struct replay *r)
{
	return r->failed;
}
