// SPDX-License-Identifier: GPL-2.0-or-later
/* What a scenario would do to a board, step by step. */
#include "board_fit.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "dfuse.h"
#include "host_script.h"
#include "option_bytes.h"
#include "profile.h"
#include "verb.h"

#define RDP_2 2
#define APPLICATION 0x04835740u

struct fit {
	const struct board_rig *rig;
	const struct mcu_profile *profile;
	const struct scenario *scenario;
	const struct step *step;
	char *why;
	bool refused, is_protected; /* read protection since some step before */
};

static bool has_field(const struct object *o, const char *name)
{
	for (const struct field *f = o ? o->fields : NULL; f && f->type != FIELD_END; f++)
		if (!strcmp(f->name, name))
			return object_given(o, name);
	return false;
}

static void refuse(struct fit *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct fit *f, const char *format, ...)
{
	char what[400];
	va_list args;

	if (f->refused)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	f->refused = true;
	if (f->step)
		snprintf(f->why, BOARD_FIT_WHY, "step '%s' (line %u) %s", f->step->verb->name, f->step->mark.line,
			 what);
	else
		snprintf(f->why, BOARD_FIT_WHY, "the recording %s", what);
}

static void need(struct fit *f, enum board_allows what, const char *word, const char *text)
{
	if (!(f->rig->allows & what))
		refuse(f, "%s, which the rig '%.60s' does not allow ('allows: [%s]')", text, f->rig->name, word);
}

static void need_mass_erase(struct fit *f)
{
	need(f, ALLOWS_MASS_ERASE, "mass-erase", "erases the whole flash");
}

static void need_unprotect(struct fit *f)
{
	need(f, ALLOWS_RDP1, "rdp-1", "takes read protection away, which erases the whole flash");
	f->is_protected = false;
}

static void need_options(struct fit *f)
{
	need(f, ALLOWS_OPTION_BYTES, "option-bytes", "changes option bytes");
}

static void level(struct fit *f, unsigned rdp)
{
	if (rdp == RDP_2)
		refuse(f, "sets read protection of level 2, which is for ever: no real board is given it");
	if (rdp == 1) {
		need(f, ALLOWS_RDP1, "rdp-1", "sets read protection");
		f->is_protected = true;
	}
}

static void options(struct fit *f, const uint8_t *bytes, size_t length)
{
	need_options(f);
	if (length == option_bytes_size(f->profile))
		level(f, (unsigned)option_bytes_level(f->profile, bytes));
}

static bool overlaps(uint64_t at, uint64_t length, uint64_t from, uint64_t size)
{
	return at < from + size && from < at + (length ? length : 1);
}

/* What is written there, of which as a rule only the start is known. */
static void writes(struct fit *f, uint32_t address, uint64_t length)
{
	const struct mcu_profile *p = f->profile;
	uint64_t otp = (uint64_t)p->otp_block_bytes * p->otp_block_count + p->otp_lock_bytes;

	if (otp && overlaps(address, length, p->otp_base, otp))
		refuse(f, "writes to 0x%08x, OTP memory, which is for ever: no real board is given it", address);
	for (unsigned i = 0; i < 2; i++)
		if (p->option_banks[i].size_bytes &&
		    overlaps(address, length, p->option_banks[i].base, p->option_banks[i].size_bytes)) {
			need_options(f);
			/* What bytes those are is not known here: they may be any. */
			need(f, ALLOWS_RDP1, "rdp-1",
			     "writes option bytes as a file, which may read protect the board");
		}
}

/* --- files --- */

/* A file that the scenario makes of parts, each with its address. */
static void made_file(struct fit *f, const char *name)
{
	const struct value *files = object_value(f->scenario->top, "files");

	for (size_t i = 0; i < files->count; i++) {
		const struct object *o = files->list[i].object;
		const struct value *parts;

		if (!files->list[i].key || strcmp(files->list[i].key, name) || !o || !has_field(o, "dfuse"))
			continue;
		parts = object_value(o, "dfuse");
		for (size_t k = 0; k < parts->count; k++)
			if (has_field(parts->list[k].object, "address"))
				writes(f, (uint32_t)object_number(parts->list[k].object, "address", 0), 1);
	}
}

/* --- scripts of a host --- */

static void script_download(struct fit *f, const struct host_step *s, uint32_t *pointer)
{
	const struct host_data *d = &s->data;

	if (s->each && s->chunk_address) /* set-address and erase of the chunks of a file: of the first one */
		*pointer = s->each->address;
	if (s->value == 0 && d->kind == HOST_BYTES && d->length) {
		const uint8_t *b = d->bytes;

		if (b[0] == DFUSE_ERASE && d->length == 1)
			need_mass_erase(f);
		if (b[0] == DFUSE_READ_UNPROTECT)
			need_unprotect(f);
		if (!s->chunk_address && (b[0] == DFUSE_SET_ADDRESS || b[0] == DFUSE_ERASE) && d->length == 5)
			*pointer = b[1] | (uint32_t)b[2] << 8 | (uint32_t)b[3] << 16 | (uint32_t)b[4] << 24;
		return;
	}
	if (s->value < 2 || d->kind == HOST_NO_DATA)
		return;
	writes(f, *pointer + (s->value - 2u) * f->profile->transfer_size_bytes,
	       d->kind == HOST_BYTES ? d->length : f->profile->transfer_size_bytes);
}

static void script(struct fit *f, const struct value *text)
{
	struct problems *problems = problems_new();
	struct host_script *s = problems ? host_script_parse(text->mark, text->text, strlen(text->text), problems)
					 : NULL;
	uint32_t pointer = f->profile->default_pointer;

	for (size_t i = 0; s && i < s->count; i++)
		if (s->steps[i].verb == HOST_DNLOAD)
			script_download(f, &s->steps[i], &pointer);
	if (!s)
		refuse(f, "has a script that cannot be read");
	host_script_free(s);
	problems_free(problems);
}

/* --- command lines --- */

/* What no adapter has put there is judged by its words, which is the best that can be done. */
static void words(struct fit *f, const struct value *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *word = list->list[i].text;
		char *end;
		unsigned long address;

		if (strstr(word, "mass-erase"))
			need_mass_erase(f);
		if (strstr(word, "unprotect"))
			need_unprotect(f);
		for (const char *at = strstr(word, "0x"); at; at = strstr(at + 2, "0x")) {
			address = strtoul(at, &end, 16);
			if (address && address <= UINT32_MAX)
				writes(f, (uint32_t)address, 1);
		}
		if (!strncmp(word, "${file:", 7)) {
			char name[128];

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 7, "}"), word + 7);
			made_file(f, name);
		}
	}
}

/* --- steps --- */

static void prepare(struct fit *f, const struct object *o)
{
	const struct object *wanted = object_value(o, "options")->object;
	const struct value *raw;

	if (!wanted)
		return;
	raw = object_value(wanted, "bytes");
	if (raw->given)
		options(f, raw->bytes, raw->length);
	if (object_given(wanted, "write-protect"))
		need_options(f);
	if (object_given(wanted, "rdp"))
		level(f, (unsigned)object_number(wanted, "rdp", 0));
}

static bool is_application(uint32_t id)
{
	return id == APPLICATION;
}

static void look_at_application(struct fit *f, uint32_t id)
{
	uint32_t own = (uint32_t)f->rig->app_vendor << 16 | f->rig->app_product;

	if (!is_application(id) || own == id)
		return;
	if (own)
		refuse(f, "is about an application that is %04x:%04x, the one on the rig is %04x:%04x", id >> 16,
		       id & 0xffff, own >> 16, own & 0xffff);
	else
		refuse(f, "is about an application that is %04x:%04x, and the rig file names none", id >> 16,
		       id & 0xffff);
}

static void look_at(struct fit *f, const struct step *s)
{
	static const char *const of_flash[] = { "flash", "snapshot", NULL };
	const struct object *o = s->arguments;

	f->step = s;
	if (!strcmp(s->verb->name, "prepare"))
		prepare(f, o);
	else if (!strcmp(s->verb->name, "host"))
		script(f, object_value(o, "script"));
	else if (!strcmp(s->verb->name, "run"))
		words(f, object_value(o, "words"));
	else if (s->verb->operation == OPERATION_MASS_ERASE)
		need_mass_erase(f);
	else if (s->verb->operation == OPERATION_UNPROTECT)
		need_unprotect(f);
	else if (s->verb->operation == OPERATION_SET_OPTION_BYTES)
		options(f, object_value(o, "bytes")->bytes, object_value(o, "bytes")->length);
	else if (s->verb->operation == OPERATION_DOWNLOAD || s->verb->operation == OPERATION_ERASE) {
		if (has_field(o, "mass-erase-first") && object_flag(o, "mass-erase-first", false))
			need_mass_erase(f);
		if (has_field(o, "address"))
			writes(f, (uint32_t)object_number(o, "address", 0), 1);
		else if (has_field(o, "file"))
			made_file(f, object_text(o, "file", ""));
	} else if (!strcmp(s->verb->name, "wait") || !strcmp(s->verb->name, "application") ||
		   !strcmp(s->verb->name, "console")) {
		if (object_given(o, "usb"))
			look_at_application(f, (uint32_t)object_number(o, "usb", 0));
	}
	for (unsigned i = 0; of_flash[i]; i++)
		if (f->is_protected && !strcmp(s->verb->name, of_flash[i]))
			refuse(f, "looks into the flash while the board is read protected, which only the chip itself "
				  "can");
}

const char *board_fit(const struct board_rig *rig, const struct scenario *s, char why[BOARD_FIT_WHY])
{
	struct fit f = { .rig = rig, .scenario = s, .why = why, .profile = mcu_profile_find(rig->profile) };

	for (size_t i = 0; f.profile && i < s->step_count && !f.refused; i++)
		look_at(&f, &s->steps[i]);
	return f.refused ? why : NULL;
}

const char *board_fit_recording(const struct board_rig *rig, const struct transcript *t, char why[BOARD_FIT_WHY])
{
	struct fit f = { .rig = rig, .why = why, .profile = mcu_profile_find(rig->profile) };

	for (size_t i = 0; f.profile && i < t->count && !f.refused; i++) {
		const struct exchange *x = &t->exchanges[i];

		if (x->op == OP_MASS_ERASE)
			need_mass_erase(&f);
		else if (x->op == OP_UNPROTECT)
			need_unprotect(&f);
		else if (x->op == OP_WRITE && x->has_target)
			writes(&f, x->target, x->setup.length);
	}
	return f.refused ? why : NULL;
}
