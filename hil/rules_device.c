/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device says of itself in the descriptors that were read from it: interface, transfer size, memory behind each
 * alternate setting (UM0424 10.3.2: the DfuSe layout in an interface's name). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "rules_internal.h"

#define ALTS 16
#define TEXT_BYTES 256
#define GET_DESCRIPTOR 6
#define DFUSE_VERSION 0x011a     /* bcdDFUVersion of ST's extensions (UM0391) */
#define MANIFESTATION_TOLERANT 4 /* in bmAttributes (DFU 1.1 4.1.3) */

/* iInterface of each alternate setting; 0: none. */
struct names {
	uint8_t index[ALTS];
};

static void read_configuration(struct rules_device *d, struct names *names, const uint8_t *b, size_t length)
{
	bool mode = false;

	for (size_t at = 0; length - at >= 2 && b[at] >= 2 && b[at] <= length - at; at += b[at]) {
		const uint8_t *e = b + at;

		if (e[1] == 4 && e[0] >= 9) {
			mode = e[5] == 0xfe && e[6] == 1 && e[7] == 2;
			if (!mode)
				continue;
			d->has_configuration = true;
			d->interface = e[2];
			if (e[3] < ALTS)
				names->index[e[3]] = e[8];
		} else if (e[1] == 0x21 && e[0] >= 9 && mode) {
			d->transfer_bytes = (uint16_t)(e[5] | e[6] << 8);
			d->plain = (e[7] | e[8] << 8) != DFUSE_VERSION;
			d->tolerant = e[2] & MANIFESTATION_TOLERANT;
		}
	}
}

static void add_segment(struct rules_device *d, uint8_t alt, uint32_t base, uint64_t size_bytes)
{
	if (!size_bytes || d->segment_count == SEGMENTS)
		return;
	for (unsigned i = 0; i < d->segment_count; i++)
		if (d->segments[i].alt == alt && d->segments[i].base == base)
			return;
	d->segments[d->segment_count].alt = alt;
	d->segments[d->segment_count].base = base;
	d->segments[d->segment_count++].size_bytes = size_bytes;
}

/* "04*016Kg,01*064Kg": how much that is, and where it ends. */
static uint64_t segment_size(const char **text)
{
	uint64_t size = 0;
	char *end;

	for (;;) {
		unsigned long count = strtoul(*text, &end, 10), each;

		if (*end != '*')
			return size;
		each = strtoul(end + 1, &end, 10);
		if (count > 0xffff || each > 0xffff)
			return size;
		if (*end == 'K' || *end == 'M' || *end == 'B' || *end == ' ')
			each *= *end == 'K' ? 1024 : *end == 'M' ? 1024 * 1024 : 1, end++;
		size += (uint64_t)count * each;
		end += strspn(end, "abcdefg ");
		*text = end;
		if (*end != ',')
			return size;
		*text = end + 1;
	}
}

static void read_layout(struct rules_device *d, uint8_t alt, const char *text)
{
	if (text[0] != '@')
		return;
	text = strchr(text, '/');
	while (text) {
		char *end;
		unsigned long base = strtoul(text + 1, &end, 16);

		if (*end != '/')
			return;
		text = end + 1;
		add_segment(d, alt, (uint32_t)base, segment_size(&text));
		text = strchr(text, '/');
	}
}

static void read_string(struct rules_device *d, const struct names *names, const struct exchange *x)
{
	char text[TEXT_BYTES];
	size_t n = 0;

	for (size_t at = 2; at + 1 < x->length && n < sizeof(text) - 1; at += 2)
		text[n++] = x->data[at + 1] ? '?' : (char)x->data[at];
	text[n] = '\0';
	for (uint8_t alt = 0; alt < ALTS; alt++)
		if (names->index[alt] && names->index[alt] == (x->setup.value & 0xff))
			read_layout(d, alt, text);
}

static bool has_alt(const struct rules_device *d, unsigned alt)
{
	for (unsigned i = 0; i < d->segment_count; i++)
		if (d->segments[i].alt == alt)
			return true;
	return false;
}

/* What nobody asked the device for. */
static void from_profile(struct rules_device *d, const struct mcu_profile *p)
{
	struct rules_device otherwise = { 0 };
	struct names names = { { 0 } };

	read_configuration(&otherwise, &names, p->configuration_descriptor, p->configuration_size_bytes);
	if (!d->has_configuration) {
		d->interface = otherwise.interface;
		d->plain = otherwise.plain;
		d->tolerant = otherwise.tolerant;
	}
	if (!d->transfer_bytes)
		d->transfer_bytes = p->transfer_size_bytes;
	for (uint8_t alt = 0; alt < ALTS; alt++)
		if (names.index[alt] && names.index[alt] <= p->string_count && p->strings[names.index[alt] - 1] &&
		    !has_alt(d, alt))
			read_layout(d, alt, p->strings[names.index[alt] - 1]);
}

int rules_devices(const struct rules_input *input, struct rules_device **devices, size_t *count)
{
	const struct transcript *t = input->transcript;
	struct names *names;
	unsigned *boards;

	*count = 1;
	for (size_t i = 0; i < t->count; i++)
		if (t->exchanges[i].incarnation >= *count)
			*count = (size_t)t->exchanges[i].incarnation + 1;
	*devices = calloc(*count, sizeof(**devices));
	names = calloc(*count, sizeof(*names));
	boards = calloc(*count, sizeof(*boards));
	if (!*devices || !names || !boards) {
		free(*devices);
		free(names);
		free(boards);
		return -ENOMEM;
	}
	for (size_t i = 0; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];

		if (x->board)
			boards[x->incarnation] = x->board;
		if (!x->incarnation || x->setup.type != 0x80 || x->setup.request != GET_DESCRIPTOR || x->length < 2)
			continue;
		if (x->setup.value >> 8 == 2)
			read_configuration(&(*devices)[x->incarnation], &names[x->incarnation], x->data, x->length);
		else if (x->setup.value >> 8 == 3)
			read_string(&(*devices)[x->incarnation], &names[x->incarnation], x);
	}
	for (size_t i = 0; i < *count; i++) {
		const struct mcu_profile *profile = rule_profile(input, boards[i]);

		if (profile)
			from_profile(&(*devices)[i], profile);
	}
	free(names);
	free(boards);
	return 0;
}
