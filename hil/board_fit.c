// SPDX-License-Identifier: GPL-2.0-or-later
/* What a scenario would do to a board, step by step. */
#include "board_fit.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "board_harm.h"
#include "dfuse.h"
#include "files.h"
#include "host_script.h"
#include "profile.h"
#include "verb.h"

#define APPLICATION 0x04835740u
#define BLOCK_MOST 0xffffu /* wLength */

struct fit {
	struct board_harm harm;
	const struct scenario *scenario;
	const struct step *step;
};

static bool has_field(const struct object *o, const char *name)
{
	for (const struct field *f = o ? o->fields : NULL; f && f->type != FIELD_END; f++)
		if (!strcmp(f->name, name))
			return object_given(o, name);
	return false;
}

/* What is neither the board nor its application is somebody else's. */
static void look_at_device(struct fit *f, const char *does, unsigned vendor, unsigned product)
{
	const struct board_rig *rig = f->harm.rig;

	if ((vendor != rig->vendor || product != rig->product) &&
	    (vendor != rig->app_vendor || product != rig->app_product))
		harm_refuse(&f->harm, "%s %04x:%04x, and the board is %04x:%04x", does, vendor, product, rig->vendor,
			    rig->product);
}

/* --- files --- */

/* A file that the scenario makes of parts, each with its address. Others are known when they are there: board_fit_file(). */
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
				harm_write(&f->harm, (uint32_t)object_number(parts->list[k].object, "address", 0), 1,
					   NULL, true);
	}
}

/* --- scripts of a host --- */

/* The script ends where a settle does not find dfuDNLOAD-IDLE: what it stands behind was carried out. */
static bool is_taken(const struct host_script *s, size_t at)
{
	const struct host_step *own = &s->steps[at], *next = own + 1;

	return at + 1 < s->count && (!own->wish.given || own->wish.end == HOST_OK) && next->verb == HOST_SETTLE &&
	       !next->wish.given;
}

static void script_download(struct fit *f, const struct host_script *script, size_t at)
{
	const struct host_step *s = &script->steps[at];
	const struct host_data *d = &s->data;
	bool seen = d->kind == HOST_BYTES;
	struct harm_download download = { .block = s->chunk_block ? 2 : s->value,
					  .data = d->bytes,
					  .known = seen ? d->length : 0,
					  .length = seen                      ? d->length
						    : d->kind == HOST_NO_DATA ? 0
									      : BLOCK_MOST,
					  .taken = is_taken(script, at) };

	/* set-address and erase of the chunks of a file: from the first one on, to wherever it ends */
	if (s->each && s->chunk_address) {
		harm_aim(&f->harm, s->each->address, download.taken && d->length && d->bytes[0] == DFUSE_SET_ADDRESS);
		return;
	}
	if (s->each && download.block >= 2) {
		download.known = 0;
		download.length = FILES_BYTES;
	}
	harm_download(&f->harm, &download);
}

/* Whatever way it is written. */
static bool is_download(const struct host_step *s)
{
	return s->verb == HOST_DNLOAD ||
	       (s->verb == HOST_CONTROL && (s->type & 0xe0) == 0x20 && s->request == DFU_DNLOAD);
}

static void script(struct fit *f, const struct value *text)
{
	struct problems *problems = problems_new();
	struct host_script *s = problems ? host_script_parse(text->mark, text->text, strlen(text->text), problems)
					 : NULL;

	for (size_t i = 0; s && i < s->count; i++) {
		const struct host_step *step = &s->steps[i];

		if (step->verb == HOST_OPEN)
			look_at_device(f, "opens", step->vendor, step->product);
		if (is_download(step))
			script_download(f, s, i);
	}
	if (!s)
		harm_refuse(&f->harm, "has a script that cannot be read");
	host_script_free(s);
	problems_free(problems);
}

/* --- command lines --- */

/* A number as a tool may read it: from this character on. */
static void word_number(struct fit *f, const char *at)
{
	size_t digits = strspn(at, "0123456789abcdefABCDEF");
	unsigned long long value = strtoull(at, NULL, digits == 8 ? 16 : 0), decimal = strtoull(at, NULL, 0);

	for (unsigned i = 0; i < 2; i++, value = decimal) {
		if (!value || value > UINT32_MAX)
			continue;
		harm_aim(&f->harm, (uint32_t)value, false);
		harm_write(&f->harm, (uint32_t)value, 1, NULL, false);
	}
}

/* What no adapter has put there is judged by its words, which is the best that can be done. */
static void words(struct fit *f, const struct value *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *word = list->list[i].text;

		if (strstr(word, "mass-erase"))
			harm_mass_erase(&f->harm);
		if (strstr(word, "unprotect"))
			harm_unprotect(&f->harm);
		for (const char *at = word; *at; at++)
			if (isxdigit((unsigned char)*at) && (at == word || !isalnum((unsigned char)at[-1])))
				word_number(f, at);
		for (const char *at = strstr(word, "${file:"); at; at = strstr(at + 1, "${file:")) {
			char name[256];

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 7, "}"), at + 7);
			made_file(f, name);
		}
	}
}

/* --- steps --- */

static const char *step_why(const struct step *step, const struct board_harm *h, char why[BOARD_FIT_WHY])
{
	snprintf(why, BOARD_FIT_WHY, "step '%s' (line %u) %s", step->verb->name, step->mark.line, h->why);
	return why;
}

static void prepare(struct fit *f, const struct object *o)
{
	const struct object *wanted = object_value(o, "options")->object;
	const struct value *raw;

	if (!wanted)
		return;
	raw = object_value(wanted, "bytes");
	if (raw->given)
		harm_option_bytes(&f->harm, raw->bytes, raw->length);
	if (object_given(wanted, "write-protect"))
		harm_options(&f->harm);
	if (object_given(wanted, "rdp"))
		harm_level(&f->harm, (unsigned)object_number(wanted, "rdp", 0));
}

static bool is_application(uint32_t id)
{
	return id == APPLICATION;
}

static void look_at_application(struct fit *f, uint32_t id)
{
	uint32_t own = (uint32_t)f->harm.rig->app_vendor << 16 | f->harm.rig->app_product;

	if (!is_application(id) || own == id)
		return;
	if (own)
		harm_refuse(&f->harm, "is about an application that is %04x:%04x, the one on the rig is %04x:%04x",
			    id >> 16, id & 0xffff, own >> 16, own & 0xffff);
	else
		harm_refuse(&f->harm, "is about an application that is %04x:%04x, and the rig file names none",
			    id >> 16, id & 0xffff);
}

static void look_at(struct fit *f, const struct step *s)
{
	static const char *const of_flash[] = { "flash", "snapshot", NULL };
	const struct object *o = s->arguments;

	f->step = s;
	/* Where a tool has been the bootloader may be at work still. */
	if (s->verb->operation >= 0 && has_field(o, "address"))
		harm_aim(&f->harm, (uint32_t)object_number(o, "address", 0), false);
	if (s->verb->operation > OPERATION_LIST && has_field(o, "usb")) {
		uint32_t id = (uint32_t)object_number(o, "usb", 0);

		look_at_device(f, "has the tool take", id >> 16, id & 0xffff);
	}
	if (!strcmp(s->verb->name, "prepare"))
		prepare(f, o);
	else if (!strcmp(s->verb->name, "host"))
		script(f, object_value(o, "script"));
	else if (!strcmp(s->verb->name, "run"))
		words(f, object_value(o, "words"));
	else if (s->verb->operation == OPERATION_MASS_ERASE)
		harm_mass_erase(&f->harm);
	else if (s->verb->operation == OPERATION_UNPROTECT)
		harm_unprotect(&f->harm);
	else if (s->verb->operation == OPERATION_SET_OPTION_BYTES)
		harm_option_bytes(&f->harm, object_value(o, "bytes")->bytes, object_value(o, "bytes")->length);
	else if (s->verb->operation == OPERATION_DOWNLOAD || s->verb->operation == OPERATION_ERASE) {
		if (has_field(o, "mass-erase-first") && object_flag(o, "mass-erase-first", false))
			harm_mass_erase(&f->harm);
		if (has_field(o, "address"))
			harm_write(&f->harm, (uint32_t)object_number(o, "address", 0), 1, NULL, true);
		if (has_field(o, "file"))
			made_file(f, object_text(o, "file", ""));
	} else if (!strcmp(s->verb->name, "wait") || !strcmp(s->verb->name, "application") ||
		   !strcmp(s->verb->name, "console")) {
		if (object_given(o, "usb"))
			look_at_application(f, (uint32_t)object_number(o, "usb", 0));
	}
	for (unsigned i = 0; of_flash[i]; i++)
		if (f->harm.is_protected && !strcmp(s->verb->name, of_flash[i]))
			harm_refuse(
				&f->harm,
				"looks into the flash while the board is read protected, which only the chip itself "
				"can");
}

const char *board_fit(const struct board_rig *rig, const struct scenario *s, char why[BOARD_FIT_WHY])
{
	struct fit f = { .scenario = s };

	harm_begin(&f.harm, rig);
	for (size_t i = 0; f.harm.profile && i < s->step_count && !f.harm.refused; i++)
		look_at(&f, &s->steps[i]);
	return f.harm.refused ? step_why(f.step, &f.harm, why) : NULL;
}

const char *board_fit_file(const struct board_rig *rig, const struct step *step, const struct file *file,
			   const uint32_t *address, char why[BOARD_FIT_WHY])
{
	struct board_harm harm;
	struct dfuse_element e;

	harm_begin(&harm, rig);
	if (harm.profile && address)
		harm_write(&harm, *address, file->length, file->data, false);
	for (size_t i = 0; harm.profile && file_element(file, i, &e); i++)
		harm_write(&harm, e.address, e.length, e.data, false);
	return harm.refused ? step_why(step, &harm, why) : NULL;
}

/* Was it carried out? The first GETSTATUS behind it that is not of dfuDNBUSY tells. */
static bool was_taken(const struct transcript *t, size_t at)
{
	for (size_t i = at + 1; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];

		if (x->op == OP_NONE || x->board != t->exchanges[at].board)
			continue;
		if (x->op != OP_GETSTATUS || !x->has_reply)
			return false;
		if (x->reply_state != DFU_DNBUSY)
			return x->reply_state == DFU_DNLOAD_IDLE;
	}
	return false;
}

const char *board_fit_recording(const struct board_rig *rig, const struct transcript *t, char why[BOARD_FIT_WHY])
{
	struct board_harm harm;

	harm_begin(&harm, rig);
	for (size_t i = 0; harm.profile && i < t->count && !harm.refused; i++) {
		const struct exchange *x = &t->exchanges[i];
		struct harm_download download = { .block = x->setup.value,
						  .data = x->data,
						  .known = x->length,
						  .length = x->setup.length,
						  .taken = x->result == USB_ACK && was_taken(t, i) };

		if ((x->setup.type & 0xe0) != 0x20 || x->setup.request != DFU_DNLOAD)
			continue;
		harm_download(&harm, &download);
	}
	if (harm.refused)
		snprintf(why, BOARD_FIT_WHY, "the recording %s", harm.why);
	return harm.refused ? why : NULL;
}
