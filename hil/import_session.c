// SPDX-License-Identifier: GPL-2.0-or-later
/* What a session adds up to, and the step that asks a tool for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "import.h"

bool import_runs_add(struct import_runs *r, uint32_t address, const uint8_t *data, size_t length)
{
	struct import_run *run = NULL;
	uint8_t *more;

	for (unsigned i = 0; i < r->count && !run; i++)
		if (r->list[i].address + r->list[i].length == address)
			run = &r->list[i];
	if (!run && r->count == IMPORT_RUNS) {
		r->overflow = true;
		return true;
	}
	if (!run) {
		run = &r->list[r->count++];
		*run = (struct import_run){ .address = address };
	}
	more = realloc(run->data, run->length + length + 1);
	if (!more)
		return false;
	run->data = more;
	if (length)
		memcpy(more + run->length, data, length);
	run->length += length;
	return true;
}

void import_runs_free(struct import_runs *r)
{
	for (unsigned i = 0; i < r->count; i++)
		free(r->list[i].data);
}

void import_session_free(struct import_session *s)
{
	import_runs_free(&s->written);
	import_runs_free(&s->read);
}

static void trouble(struct import_session *s, size_t item, const char *what)
{
	if (s->trouble)
		return;
	s->trouble = what;
	s->trouble_item = item;
}

static bool in_flash(const struct recording *r, const struct exchange *x)
{
	const struct mcu_profile *p = r->profile;

	return x->has_target && x->target >= p->flash_base && x->target - p->flash_base < p->flash_size_bytes;
}

/* False on ENOMEM. */
static bool add_request(const struct recording *r, size_t item, struct import_session *s)
{
	const struct exchange *x = r->items[item].exchange;
	bool acknowledged = x->complete && x->result == USB_ACK;

	s->requests++;
	if (!acknowledged && !s->leaves && !s->unprotects)
		trouble(s, item,
			!x->complete             ? "want of an answer in the recording"
			: x->result == USB_STALL ? "a request was stalled"
						 : "a request failed");
	if (acknowledged && x->actual < x->setup.length && !(x->setup.type & 0x80))
		trouble(s, item, "a request was cut short");
	if (x->op == OP_GETSTATUS && x->has_reply && x->status != DFU_OK && (s->writes || s->reads || s->erases))
		trouble(s, item, "the board reported an error");
	switch (x->op) {
	case OP_ERASE:
		s->erases++;
		for (unsigned i = 0; i < s->written.count; i++)
			s->erased_late |= x->target - s->written.list[i].address < s->written.list[i].length;
		break;
	case OP_MASS_ERASE:
		s->mass_erases++;
		s->mass_erase_first |= !s->writes;
		s->erased_late |= s->writes;
		break;
	case OP_UNPROTECT:
		s->unprotects++;
		s->erased_late |= s->writes;
		break;
	case OP_LEAVE:
		s->leaves++;
		s->leave_address = x->target;
		break;
	case OP_WRITE:
		s->writes++;
		if (!in_flash(r, x))
			trouble(s, item, "something else than flash was written");
		return !acknowledged || import_runs_add(&s->written, x->target, x->data, x->length);
	case OP_READ:
		s->reads++;
		if (!x->has_target)
			trouble(s, item, "a block without an address was read");
		return !acknowledged || import_runs_add(&s->read, x->target, x->data, x->length);
	case OP_DETACH:
	case OP_UNKNOWN_COMMAND:
		trouble(s, item, "a request of an unusual kind was sent");
		break;
	default:
		break;
	}
	return true;
}

int import_session_read(const struct recording *r, size_t first, unsigned board, struct import_session *s)
{
	*s = (struct import_session){ .first = first, .board = board };
	for (s->end = first; s->end < r->count && r->items[s->end].session == r->items[first].session; s->end++) {
		const struct recorded *i = &r->items[s->end];

		if (i->board != board)
			continue;
		if (i->kind == RECORDED_RESET)
			trouble(s, s->end, "the port was reset");
		if (i->kind == RECORDED_REQUEST && !add_request(r, s->end, s))
			return -ENOMEM;
	}
	return 0;
}

/* --- the step --- */

static void put_serial(struct import *im, const struct import_session *s, const char *before)
{
	if (im->recording->boards > 1)
		fprintf(im->steps, "%sserial: \"%s\"", before, im->recording->serials[s->board - 1]);
}

static void put_board(struct import *im, const struct import_session *s)
{
	if (im->recording->boards > 1)
		fprintf(im->steps, "\n    board: %u", s->board);
	fputc('\n', im->steps);
}

static bool within(const struct import_run *r, const struct import_runs *all)
{
	for (unsigned i = 0; i < all->count; i++)
		if (r->address >= all->list[i].address &&
		    r->address + r->length <= all->list[i].address + all->list[i].length)
			return true;
	return false;
}

void import_verdicts(struct import *im, const struct import_session *s)
{
	if (s->written.overflow || s->erased_late)
		return;
	for (unsigned i = 0; i < s->written.count; i++) {
		const struct import_run *r = &s->written.list[i];
		const char *name = import_data(im, "image", r->data, r->length);

		fprintf(im->steps, "  - flash: {address: 0x%08x, equals: %s}", r->address, name ? name : "");
		put_board(im, s);
	}
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static bool import_download(struct import *im, const struct import_session *s)
{
	const struct import_run *r = &s->written.list[0];
	const char *name;

	if (s->erased_late || (!s->erases && !s->mass_erase_first))
		return false; /* most tools cannot be kept from erasing */
	for (unsigned i = 0; i < s->read.count; i++)
		if (!within(&s->read.list[i], &s->written))
			return false;
	name = import_data(im, "image", r->data, r->length);
	fprintf(im->steps, "  # %u block%s, %zu bytes at 0x%08x", s->writes, plural(s->writes), r->length, r->address);
	if (s->mass_erase_first)
		fputs(" after a mass erase", im->steps);
	if (s->erases)
		fprintf(im->steps, "; %u sector%s erased", s->erases, s->erases == 1 ? " was" : "s were");
	fprintf(im->steps, "%s.\n", s->read.count ? "; it was read back" : "");
	fprintf(im->steps, "  - download: {file: %s, address: 0x%08x%s%s", name ? name : "", r->address,
		s->mass_erase_first ? ", mass-erase-first: true" : "", s->leaves ? ", leave: true" : "");
	put_serial(im, s, ", ");
	fputs("}\n", im->steps);
	import_verdicts(im, s);
	return true;
}

static void import_upload(struct import *im, const struct import_session *s)
{
	const struct import_run *r = &s->read.list[0];
	const char *name = import_data(im, "contents", r->data, r->length);
	static const char text[] = "  - file: {file: read-%zu, equals: %s}\n";

	fprintf(im->steps, "  # %u block%s, %zu bytes from 0x%08x.\n", s->reads, plural(s->reads), r->length,
		r->address);
	fprintf(im->steps, "  - upload: {output: read-%zu, address: 0x%08x, length: %zu", s->first, r->address,
		r->length);
	put_serial(im, s, ", ");
	fputs("}\n", im->steps);
	fprintf(im->steps, text, s->first, name ? name : "");
}

bool import_operation(struct import *im, const struct import_session *s)
{
	const struct mcu_profile *p = im->recording->profile;

	if (s->trouble || s->written.overflow || s->read.overflow)
		return false;
	if (s->unprotects) {
		if (s->writes || s->reads || s->erases || s->mass_erases || s->leaves)
			return false;
		fputs("  - unprotect: {", im->steps);
		put_serial(im, s, "");
		fputs("}\n", im->steps);
		return true;
	}
	if (s->written.count == 1)
		return import_download(im, s);
	if (s->writes || s->erases)
		return false;
	if (s->mass_erases && !s->reads && !s->leaves) {
		fputs("  - mass-erase: {", im->steps);
		put_serial(im, s, "");
		fputs("}\n", im->steps);
		fprintf(im->steps, "  - flash: {address: 0x%08x, length: %u, erased: true}", p->flash_base,
			p->flash_size_bytes);
		put_board(im, s);
		return true;
	}
	if (s->read.count == 1 && !s->mass_erases && !s->leaves) {
		import_upload(im, s);
		return true;
	}
	if (s->leaves && !s->reads && !s->mass_erases) {
		fprintf(im->steps, "  - leave: {address: 0x%08x", s->leave_address);
		put_serial(im, s, ", ");
		fputs("}\n", im->steps);
		return true;
	}
	return false;
}
