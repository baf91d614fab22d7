// SPDX-License-Identifier: GPL-2.0-or-later
/* What stands below the time line: what was done to each board, its memories as a picture, and what is wrong with the capture. */
#include <stdio.h>
#include <string.h>
#include "show_internal.h"

#define BAR 24 /* characters of a sector that is full */

static bool is_board(const struct show_board *b)
{
	return b->number && !(b->number & UNNUMBERED);
}

static const struct show_device *device_at(const struct show *s, unsigned incarnation)
{
	for (unsigned i = 0; i < s->device_count; i++)
		if (s->devices[i].incarnation == incarnation)
			return &s->devices[i];
	return NULL;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_size(uint64_t bytes, char out[24])
{
	if (bytes && !(bytes % (1024 * 1024)))
		snprintf(out, 24, "%llu MiB", (unsigned long long)(bytes / (1024 * 1024)));
	else if (bytes && !(bytes % 1024))
		snprintf(out, 24, "%llu KiB", (unsigned long long)(bytes / 1024));
	else
		snprintf(out, 24, "%llu B", (unsigned long long)bytes);
}

static bool same(const struct picture_mark *a, const struct picture_mark *b)
{
	return a->erased == b->erased && a->written == b->written && a->read == b->read;
}

static void print_bar(const struct show *s, const struct picture_mark *m, uint64_t size)
{
	unsigned full = m->written >= size ? BAR : (unsigned)((m->written * BAR + size - 1) / size);

	printf("%s", show_paint(s, SHOW_GREEN));
	for (unsigned i = 0; i < full; i++)
		putchar('#');
	printf("%s", show_paint(s, m->erased ? SHOW_YELLOW : SHOW_DIM));
	for (unsigned i = full; i < BAR; i++)
		putchar(m->erased ? '-' : '.');
	printf("%s", show_paint(s, SHOW_PLAIN));
}

/* A row for sectors first to last of a span, which all fared alike. */
static void print_sectors(const struct show *s, const struct layout_span *span, uint32_t first, uint32_t last,
			  const struct picture_mark *m)
{
	char number[32], size[24];

	if (first == last)
		snprintf(number, sizeof(number), "%u", (unsigned)(span->first + first));
	else
		snprintf(number, sizeof(number), "%u-%u", (unsigned)(span->first + first),
			 (unsigned)(span->first + last));
	print_size(span->size_bytes, size);
	printf("  %9s  0x%08X  %8s  ", number, (unsigned)(span->base + first * span->size_bytes), size);
	print_bar(s, m, span->size_bytes);
	if (m->erased)
		printf("  erased");
	if (m->erased > 1)
		printf(" %u times", (unsigned)m->erased);
	if (m->written)
		printf("%s %llu bytes written", m->erased ? "," : " ", (unsigned long long)m->written);
	if (m->read)
		printf("%s %llu bytes read", m->erased || m->written ? "," : " ", (unsigned long long)m->read);
	putchar('\n');
}

static bool was_touched(const struct picture *p, unsigned memory)
{
	static const struct picture_mark nothing;

	for (unsigned i = 0; i < p->layout.span_count; i++)
		for (uint32_t n = 0; p->layout.spans[i].memory == memory && n < p->layout.spans[i].count; n++)
			if (!same(&p->marks[p->first_mark[i] + n], &nothing))
				return true;
	return false;
}

static void print_memory(const struct show *s, const struct picture *p, unsigned memory)
{
	printf("  %s\n", p->layout.memories[memory]);
	for (unsigned i = 0; i < p->layout.span_count; i++) {
		const struct layout_span *span = &p->layout.spans[i];
		const struct picture_mark *marks = &p->marks[p->first_mark[i]];

		for (uint32_t n = 0, last; span->memory == memory && n < span->count; n = last + 1) {
			last = n;
			while (last + 1 < span->count && same(&marks[n], &marks[last + 1]))
				last++;
			print_sectors(s, span, n, last, &marks[n]);
		}
	}
}

static void print_board(const struct show *s, const struct show_board *b)
{
	const struct picture *p = &b->picture;
	const struct show_device *d = device_at(s, b->incarnation);

	printf("\n%sboard %u%s", show_paint(s, SHOW_BOLD), b->number, show_paint(s, SHOW_PLAIN));
	if (d)
		printf(": %04x:%04x%s%s", d->facts.vendor, d->facts.product, d->serial[0] ? ", serial number " : "",
		       d->serial);
	printf("\n  %llu sector%s erased", (unsigned long long)p->sectors_erased, plural(p->sectors_erased));
	if (p->mass_erases)
		printf(", %llu mass erase%s", (unsigned long long)p->mass_erases, plural(p->mass_erases));
	if (p->unprotected)
		printf(", %llu read unprotect%s", (unsigned long long)p->unprotected, plural(p->unprotected));
	printf("; %llu bytes written in %llu block%s", (unsigned long long)p->bytes_written,
	       (unsigned long long)p->blocks_written, plural(p->blocks_written));
	if (p->lowest <= p->highest)
		printf(" (0x%08X to 0x%08X)", (unsigned)p->lowest, (unsigned)p->highest);
	printf("; %llu bytes read in %llu block%s", (unsigned long long)p->bytes_read,
	       (unsigned long long)p->blocks_read, plural(p->blocks_read));
	if (p->failed)
		printf("; %s%llu failed%s", show_paint(s, SHOW_RED), (unsigned long long)p->failed,
		       show_paint(s, SHOW_PLAIN));
	if (p->has_left)
		printf("; left for 0x%08X", (unsigned)p->left_to);
	printf("\n  busy for %llu ms, told beforehand: %llu ms\n", (unsigned long long)(p->taken_us / 1000),
	       (unsigned long long)(p->told_us / 1000));
	for (unsigned m = 0; m < p->layout.memory_count; m++)
		if (!m || was_touched(p, m))
			print_memory(s, p, m);
}

static void print_text(const struct show *s, const struct transcript_stream *stream,
		       const struct capture_reader *reader, const struct capture_damage *damage)
{
	char text[CAPTURE_DAMAGE_TEXT];
	const char *application = capture_reader_application(reader);

	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		if (is_board(&s->boards[i]))
			print_board(s, &s->boards[i]);
	printf("%s%llu packets in %llu.%06llu s%s%s: %llu control transfers, %llu of them DFU; %llu transfers of other "
	       "kinds\n",
	       s->headed || s->boards[0].number ? "\n" : "", (unsigned long long)capture_reader_packets(reader),
	       (unsigned long long)(s->last_us / 1000000), (unsigned long long)(s->last_us % 1000000),
	       application[0] ? ", written by " : "", application, (unsigned long long)s->exchanges,
	       (unsigned long long)s->requests, (unsigned long long)transcript_stream_others(stream));
	for (unsigned i = 0; capture_damage_text(damage, i, text)[0]; i++)
		printf("%sdamage:%s %s\n", show_paint(s, SHOW_RED), show_paint(s, SHOW_PLAIN), text);
}

static void write_memories(struct writer *w, const struct picture *p)
{
	writer_array(w, "sectors");
	for (unsigned i = 0; i < p->layout.span_count; i++) {
		const struct layout_span *span = &p->layout.spans[i];

		for (uint32_t n = 0; n < span->count; n++) {
			const struct picture_mark *m = &p->marks[p->first_mark[i] + n];

			writer_object(w, NULL);
			writer_string(w, "memory", p->layout.memories[span->memory]);
			writer_number(w, "sector", span->first + n);
			writer_number(w, "address", span->base + n * span->size_bytes);
			writer_number(w, "size_bytes", span->size_bytes);
			writer_number(w, "erased", m->erased);
			writer_number(w, "written_bytes", m->written);
			writer_number(w, "read_bytes", m->read);
			writer_end(w);
		}
	}
	writer_end(w);
}

static void write_board(const struct show *s, struct writer *w, const struct show_board *b)
{
	const struct picture *p = &b->picture;
	const struct show_device *d = device_at(s, b->incarnation);

	writer_object(w, NULL);
	writer_number(w, "board", b->number);
	if (d && d->serial[0])
		writer_string(w, "serial", d->serial);
	writer_number(w, "sectors_erased", p->sectors_erased);
	writer_number(w, "mass_erases", p->mass_erases);
	writer_number(w, "unprotects", p->unprotected);
	writer_number(w, "written_bytes", p->bytes_written);
	writer_number(w, "written_blocks", p->blocks_written);
	writer_number(w, "read_bytes", p->bytes_read);
	writer_number(w, "read_blocks", p->blocks_read);
	writer_number(w, "failed", p->failed);
	writer_number(w, "busy_told_us", p->told_us);
	writer_number(w, "busy_taken_us", p->taken_us);
	if (p->has_left)
		writer_number(w, "left_for", p->left_to);
	write_memories(w, p);
	writer_end(w);
}

static void write_devices(const struct show *s, struct writer *w)
{
	char id[16];

	writer_array(w, "devices");
	for (unsigned i = 0; i < s->device_count; i++) {
		const struct show_device *d = &s->devices[i];

		writer_object(w, NULL);
		writer_number(w, "bus", d->facts.bus);
		writer_number(w, "address", d->facts.address);
		snprintf(id, sizeof(id), "%04x:%04x", d->facts.vendor, d->facts.product);
		writer_string(w, "id", id);
		writer_string(w, "serial", d->serial);
		writer_bool(w, "dfu", d->facts.dfu_mode);
		writer_number(w, "board", d->facts.board);
		writer_number(w, "requests", d->exchanges);
		writer_end(w);
	}
	writer_end(w);
}

static void write_json(struct show *s, const struct transcript_stream *stream, const struct capture_reader *reader,
		       const struct capture_damage *damage)
{
	struct writer *w = &s->writer;
	char text[CAPTURE_DAMAGE_TEXT];

	writer_end(w); /* of the requests */
	writer_array(w, "boards");
	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		if (is_board(&s->boards[i]))
			write_board(s, w, &s->boards[i]);
	writer_end(w);
	write_devices(s, w);
	writer_string(w, "format", capture_reader_format(reader) == CAPTURE_PCAP ? "pcap" : "pcapng");
	writer_string(w, "application", capture_reader_application(reader));
	writer_number(w, "packets", capture_reader_packets(reader));
	writer_number(w, "origin_us", transcript_stream_origin_us(stream));
	writer_number(w, "duration_us", s->last_us);
	writer_number(w, "control_transfers", s->exchanges);
	writer_number(w, "dfu_requests", s->requests);
	writer_number(w, "other_transfers", transcript_stream_others(stream));
	writer_array(w, "damage");
	for (unsigned i = 0; capture_damage_text(damage, i, text)[0]; i++)
		writer_string(w, NULL, text);
	writer_end(w);
	writer_finish(w);
	if (writer_failed(w)) {
		s->no_memory = true;
		return;
	}
	fwrite(w->text, 1, w->used, stdout);
	putchar('\n');
}

void show_summary(struct show *s, const struct transcript_stream *stream, const struct capture_reader *reader,
		  const struct capture_damage *damage)
{
	if (s->json)
		write_json(s, stream, reader, damage);
	else
		print_text(s, stream, reader, damage);
}
