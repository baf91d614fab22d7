// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading usbmon, and keeping what is the board's. */
#include "usbmon_tap.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "capture.h"
#include "pcapng.h"
#include "usbmon.h"

#define RING_BYTES (1200 * 1024) /* the most that usbmon gives */
#define WAITING_MOST (8u << 20)  /* bytes of packets whose owner is not known */
#define UNKNOWN_US 3000000u      /* for the kernel to list a device */
#define DATA_MOST (64u * 1024)
#define IDS 64         /* requests under way that are left out */
#define JUMP_US 100000 /* of the wall's clock: what is less, is it being kept right */

/* Documentation/usb/usbmon.rst; the kernel has these in no header for programs. */
struct get_arg {
	void *header;
	void *data;
	size_t room;
};
struct stats {
	uint32_t queued, dropped;
};
#define MON_IOCG_STATS _IOR(0x92, 3, struct stats)
#define MON_IOCT_RING_SIZE _IO(0x92, 4)
#define MON_IOCX_GETX _IOW(0x92, 10, struct get_arg)

struct waiting {
	struct waiting *next;
	unsigned bus, address;
	uint64_t since_us;
	size_t length;
	uint8_t bytes[]; /* header and data */
};

struct address {
	unsigned bus, address;
	enum tap_owner owner;
};

struct usbmon_tap {
	int fd, recorded;
	struct capture_file *file;
	struct capture_sink sink;
	tap_owner *owner;
	void *context;
	uint8_t data[DATA_MOST], block[DATA_MOST + 4096];
	struct address *known;
	size_t known_count;
	struct waiting *waiting, **waiting_end;
	size_t waiting_bytes;
	bool muted;
	uint64_t left_out[IDS], asked[IDS]; /* of submissions: left out, and of the DFU class */
	unsigned next_id, next_asked, requests;
	uint32_t dropped;    /* by the kernel */
	int error;           /* of writing */
	int64_t began, jump; /* the wall's clock less the steady one; how far it has been set since */
	uint64_t last_us;
	char damage[96];
	struct transcript transcript;
	uint8_t *capture;
	size_t capture_length;
	bool has_transcript;
};

void usbmon_tap_device(const char *port, char out[32])
{
	snprintf(out, 32, "/dev/usbmon%lu", port ? strtoul(port, NULL, 10) : 0);
}

int usbmon_tap_possible(const char *device, char why[USBMON_TAP_WHY])
{
	int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC), error = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (error == ENOENT)
		snprintf(why, USBMON_TAP_WHY, "there is no %s: load it with 'modprobe usbmon' as root", device);
	else if (error == EACCES || error == EPERM)
		snprintf(why, USBMON_TAP_WHY,
			 "%s may not be read: it needs a udev rule, SUBSYSTEM==\"usbmon\", GROUP=\"plugdev\", "
			 "MODE=\"0640\", or root",
			 device);
	else
		snprintf(why, USBMON_TAP_WHY, "%s cannot be opened: %s", device, strerror(error));
	return -error;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* The wall's clock less the steady one; known where it cannot be told, for something else came between. */
static int64_t wall_ahead(int64_t known)
{
	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_us(CLOCK_MONOTONIC), wall = clock_us(CLOCK_REALTIME);

		if (clock_us(CLOCK_MONOTONIC) - before < JUMP_US / 4)
			return (int64_t)(wall - before);
	}
	return known;
}

/* Stamps are those of the wall's clock, which may be set meanwhile: the recording goes on by the clock that it began with. */
static uint64_t steady(struct usbmon_tap *t, uint64_t at)
{
	int64_t jump = wall_ahead(t->began + t->jump) - t->began;
	uint64_t now;

	if (llabs(jump - t->jump) > JUMP_US)
		t->jump = jump;
	if (t->jump) {
		/* One from before the jump that is only seen now is out of place. */
		now = clock_us(CLOCK_REALTIME) - (uint64_t)t->jump;
		at -= (uint64_t)t->jump;
		at = at > now ? now : at;
		at = at < t->last_us ? t->last_us : at;
	}
	t->last_us = at;
	return at;
}

static int write_start(struct usbmon_tap *t)
{
	struct utsname system;
	char os[2 * sizeof(system.release)];
	struct pcapng_origin origin = { .application = "dfubench dfuhil " DFUBENCH_VERSION,
					.interface = "usbmon",
					.link_type = LINKTYPE_USB_LINUX_MMAPPED };
	size_t n;

	if (!uname(&system)) {
		snprintf(os, sizeof(os), "Linux %s", system.release);
		origin.os = os;
	}
	n = pcapng_format_start(&origin, t->block, sizeof(t->block));
	return n <= sizeof(t->block) ? t->sink.write(t->sink.context, t->block, n) : -E2BIG;
}

struct usbmon_tap *usbmon_tap_open(const char *device, const char *capture, tap_owner *owner, void *context,
				   char why[USBMON_TAP_WHY])
{
	struct usbmon_tap *t;
	int error = usbmon_tap_possible(device, why);

	if (error)
		return NULL;
	t = calloc(1, sizeof(*t));
	if (!t) {
		snprintf(why, USBMON_TAP_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	t->owner = owner;
	t->context = context;
	t->began = wall_ahead(0);
	t->waiting_end = &t->waiting;
	t->recorded = -1;
	t->fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0) {
		error = -errno;
	} else {
		ioctl(t->fd, MON_IOCT_RING_SIZE, RING_BYTES);
		error = capture_file_open(capture, &t->file);
	}
	if (!error) {
		t->sink = capture_file_sink(t->file);
		t->recorded = open(capture, O_RDONLY | O_CLOEXEC);
		error = t->recorded < 0 ? -errno : write_start(t);
	}
	if (!error)
		return t;
	snprintf(why, USBMON_TAP_WHY, "cannot record %s into '%.300s': %s", device, capture, strerror(-error));
	usbmon_tap_close(t);
	return NULL;
}

void usbmon_tap_close(struct usbmon_tap *t)
{
	if (!t)
		return;
	if (t->has_transcript)
		transcript_free(&t->transcript);
	for (struct waiting *w = t->waiting, *next; w; w = next) {
		next = w->next;
		free(w);
	}
	capture_file_close(t->file);
	if (t->recorded >= 0)
		close(t->recorded);
	if (t->fd >= 0)
		close(t->fd);
	free(t->capture);
	free(t->known);
	free(t);
}

int usbmon_tap_fd(const struct usbmon_tap *t)
{
	return t->fd;
}

void usbmon_tap_mute(struct usbmon_tap *t, bool mute)
{
	usbmon_tap_drain(t);
	t->muted = mute;
}

unsigned usbmon_tap_requests(const struct usbmon_tap *t)
{
	return t->requests;
}

/* --- whose is it --- */

static enum tap_owner owner_of(struct usbmon_tap *t, unsigned bus, unsigned address)
{
	struct address *more;
	enum tap_owner owner;

	/* Hubs of the host controllers have the first address; who has none yet is asked for its descriptors again. */
	if (address <= 1)
		return TAP_OTHERS;
	for (size_t i = t->known_count; i--;)
		if (t->known[i].bus == bus && t->known[i].address == address)
			return t->known[i].owner;
	owner = t->owner(t->context, bus, address);
	if (owner == TAP_UNKNOWN)
		return owner;
	more = realloc(t->known, (t->known_count + 1) * sizeof(*more));
	if (more) {
		t->known = more;
		t->known[t->known_count++] = (struct address){ bus, address, owner };
	}
	return owner;
}

static void keep(struct usbmon_tap *t, const struct usbmon_header *h, const uint8_t *bytes, size_t length)
{
	uint64_t at = steady(t, (uint64_t)h->seconds * 1000000 + (uint64_t)h->microseconds);
	size_t n = pcapng_format_packet(at, bytes, USBMON_HEADER_BYTES, bytes + USBMON_HEADER_BYTES,
					length - USBMON_HEADER_BYTES, length, t->block, sizeof(t->block));
	int error = n <= sizeof(t->block) ? t->sink.write(t->sink.context, t->block, n) : -E2BIG;

	if (error && !t->error)
		t->error = error;
	if (h->type == 'S' && h->transfer == USBMON_CONTROL && !h->flag_setup && (h->setup[0] & 0x7f) == 0x21)
		t->asked[t->next_asked++ % IDS] = h->id;
	for (unsigned i = 0; i < IDS && h->type == 'C'; i++)
		if (h->id && t->asked[i] == h->id) {
			t->asked[i] = 0;
			t->requests++;
		}
}

static void queue(struct usbmon_tap *t, const struct usbmon_header *h, const uint8_t *bytes, size_t length)
{
	struct waiting *w = t->waiting_bytes > WAITING_MOST ? NULL : malloc(sizeof(*w) + length);

	if (!w) {
		t->error = t->error ? t->error : -ENOBUFS;
		return;
	}
	*w = (struct waiting){
		.bus = h->bus, .address = h->device, .length = length, .since_us = clock_us(CLOCK_MONOTONIC)
	};
	memcpy(w->bytes, bytes, length);
	*t->waiting_end = w;
	t->waiting_end = &w->next;
	t->waiting_bytes += length;
}

/* In their order, up to the first whose owner is not known: nothing must overtake it. Whoever has left again before the kernel
 * had listed it was none of a board that works. */
static void settle_waiting(struct usbmon_tap *t)
{
	struct waiting *w;

	while ((w = t->waiting)) {
		enum tap_owner owner = owner_of(t, w->bus, w->address);
		struct usbmon_header h;

		if (owner == TAP_UNKNOWN && clock_us(CLOCK_MONOTONIC) - w->since_us < UNKNOWN_US)
			return;
		if (owner == TAP_OURS && !usbmon_decode(w->bytes, w->length, false, &h))
			keep(t, &h, w->bytes, w->length);
		t->waiting = w->next;
		if (!t->waiting)
			t->waiting_end = &t->waiting;
		t->waiting_bytes -= w->length;
		free(w);
	}
}

/* --- what is left out --- */

/* Standard requests are the kernel's: the runner's own host makes none. */
static bool is_left_out(struct usbmon_tap *t, const struct usbmon_header *h)
{
	if (h->transfer != USBMON_CONTROL)
		return t->muted;
	if (h->type == 'S') {
		if (!t->muted || h->flag_setup || !(h->setup[0] & 0x60))
			return false;
		t->left_out[t->next_id++ % IDS] = h->id;
		return true;
	}
	for (unsigned i = 0; i < IDS; i++)
		if (h->id && t->left_out[i] == h->id) {
			t->left_out[i] = 0;
			return true;
		}
	return false;
}

static void take(struct usbmon_tap *t, const uint8_t *bytes, size_t length)
{
	struct usbmon_header h;
	enum tap_owner owner;

	if (usbmon_decode(bytes, length, false, &h))
		return;
	owner = owner_of(t, h.bus, h.device);
	if (owner == TAP_OTHERS || is_left_out(t, &h))
		return;
	if (owner == TAP_UNKNOWN || t->waiting)
		queue(t, &h, bytes, length);
	else
		keep(t, &h, bytes, length);
}

void usbmon_tap_drain(struct usbmon_tap *t)
{
	uint8_t *packet = t->data;
	struct stats stats;

	settle_waiting(t);
	for (;;) {
		struct get_arg arg = { packet, packet + USBMON_HEADER_BYTES, sizeof(t->data) - USBMON_HEADER_BYTES };
		struct usbmon_header h;

		if (ioctl(t->fd, MON_IOCX_GETX, &arg)) {
			if (errno == EINTR)
				continue;
			break;
		}
		memset(&h, 0, sizeof(h));
		/* len_cap of the header: bytes that follow; what did not fit is not there. */
		{
			uint32_t captured = packet[36] | (uint32_t)packet[37] << 8 | (uint32_t)packet[38] << 16 |
					    (uint32_t)packet[39] << 24;

			if (captured > arg.room)
				continue;
			take(t, packet, USBMON_HEADER_BYTES + captured);
		}
	}
	if (!ioctl(t->fd, MON_IOCG_STATS, &stats))
		t->dropped += stats.dropped;
	settle_waiting(t);
}

/* --- the transcript --- */

static bool read_capture(struct usbmon_tap *t)
{
	struct stat st;
	uint8_t *bytes;
	size_t length = 0;
	ssize_t n;

	if (fstat(t->recorded, &st) || (t->has_transcript && (size_t)st.st_size == t->capture_length))
		return false;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes) {
		t->transcript.damage = "it is too large";
		return false;
	}
	while (length < (size_t)st.st_size &&
	       (n = pread(t->recorded, bytes + length, (size_t)st.st_size - length, (off_t)length)) > 0)
		length += (size_t)n;
	free(t->capture);
	t->capture = bytes;
	t->capture_length = length;
	return true;
}

const struct transcript *usbmon_tap_transcript(struct usbmon_tap *t, const struct transcript_facts *facts,
					       uint64_t origin_us)
{
	struct transcript_facts all = *facts;

	usbmon_tap_drain(t);
	if (read_capture(t)) {
		all.has_origin = true;
		all.origin_us = origin_us;
		if (t->has_transcript)
			transcript_free(&t->transcript);
		t->transcript = (struct transcript){ 0 };
		/* A capture without any packet says so; here it only means that nothing has happened. */
		if (transcript_read(&t->transcript, t->capture, t->capture_length, &all) && !t->transcript.packets)
			t->transcript.damage = NULL;
		t->has_transcript = true;
	}
	if (t->error) {
		snprintf(t->damage, sizeof(t->damage), "not all of it was written: %s", strerror(-t->error));
		t->transcript.damage = t->damage;
	} else if (t->dropped) {
		snprintf(t->damage, sizeof(t->damage), "usbmon has lost %u packets", t->dropped);
		t->transcript.damage = t->damage;
	}
	return &t->transcript;
}
