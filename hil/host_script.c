// SPDX-License-Identifier: GPL-2.0-or-later
/* Scripted hosts: from text to steps, with all mistakes told. */
#include <assert.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dfuse.h"
#include "host_words.h"

#define DEFAULT_VENDOR 0x0483
#define DEFAULT_PRODUCT 0xdf11
#define DEFAULT_SERIAL_PRODUCT 0x5740 /* ST's virtual COM port */
#define GONE_US UINT64_C(40000000)    /* as a mass erase may take, after which an unprotected chip goes */
#define EXPECT_US UINT64_C(5000000)
#define SETTLE_US UINT64_C(60000000)
#define TYPE_OUT 0x21 /* class, interface */
#define TYPE_IN 0xa1

const char *host_end_name(enum host_end end)
{
	static const char *const names[] = { "ok", "stall", "timeout", "gone", "a USB error", "error", "any" };

	return names[end];
}

/* Requests: each function reads what follows the word. */

static void read_open(struct parser *p, struct host_step *s)
{
	struct word w;
	unsigned vendor, product;
	int used = 0;

	s->vendor = DEFAULT_VENDOR;
	s->product = s->verb == HOST_OPEN_SERIAL ? DEFAULT_SERIAL_PRODUCT : DEFAULT_PRODUCT;
	if (word_peek(p, &w) && strchr(w.copy, ':')) {
		if (w.length != 9 || sscanf(w.copy, "%4x:%4x%n", &vendor, &product, &used) != 2 || used != 9) {
			word_mistake(p, w.text, "'%s' is no USB id: four hexadecimal digits each, as in 0483:df11",
				     w.copy);
			return;
		}
		s->vendor = (uint16_t)vendor;
		s->product = (uint16_t)product;
		p->at = w.text + w.length;
	}
	for (;;) {
		if (word_accept(p, "serial") && word_next(p, &w, "the serial number")) {
			free(s->serial);
			s->serial = word_copy(p, w.text, w.length);
		} else if (word_accept(p, "within"))
			s->time_us = word_duration(p, "the time");
		else
			return;
	}
}

static void read_send(struct parser *p, struct host_step *s)
{
	struct word w;
	char *text;

	if (word_peek(p, &w) && *w.text != '"') {
		word_needs_data(p, &s->data);
		return;
	}
	text = word_quoted(p, "the text to send", &s->data.length);
	s->data.kind = HOST_BYTES;
	s->data.bytes = (uint8_t *)text;
	if (text && !s->data.length)
		word_mistake(p, p->at, "there is nothing to send");
}

static void read_expect(struct parser *p, struct host_step *s)
{
	struct word w;
	size_t length;
	char reason[128];
	regex_t regex;
	int bad;

	word_peek(p, &w);
	s->regex = word_quoted(p, "the expression", &length);
	if (!s->regex)
		return;
	bad = regcomp(&regex, s->regex, REG_EXTENDED | REG_NOSUB);
	if (bad) {
		regerror(bad, &regex, reason, sizeof(reason));
		word_mistake(p, w.text, "no regular expression: %s", reason);
		return;
	}
	regfree(&regex);
	if (!length || length != strlen(s->regex))
		word_mistake(p, w.text, "an expression is text: not empty, and without \\x00");
	s->time_us = word_accept(p, "within") ? word_duration(p, "the time") : EXPECT_US;
}

static void read_expect_gone(struct parser *p, struct host_step *s)
{
	s->time_us = word_accept(p, "within") ? word_duration(p, "the time") : GONE_US;
}

static void read_time(struct parser *p, struct host_step *s)
{
	struct word w;

	word_peek(p, &w);
	s->time_us = word_duration(p, "the time");
	if (s->verb == HOST_TIMEOUT && s->time_us < 1000)
		word_mistake(p, w.text, "a timeout is at least 1ms");
}

static void read_set_interface(struct parser *p, struct host_step *s)
{
	s->value = (uint16_t)word_number(p, "the alternate setting", 0xff);
}

static void read_getstatus(struct parser *p, struct host_step *s)
{
	s->wait = word_accept(p, "wait");
}

static void read_settle(struct parser *p, struct host_step *s)
{
	s->time_us = word_accept(p, "within") ? word_duration(p, "the time") : SETTLE_US;
}

static void read_detach(struct parser *p, struct host_step *s)
{
	s->value = (uint16_t)word_number(p, "wTimeout in ms", UINT16_MAX);
}

static void read_block(struct parser *p, struct host_step *s)
{
	s->chunk_block = word_accept_chunk(p);
	if (!s->chunk_block)
		s->value = (uint16_t)word_number(p, "the block number", UINT16_MAX);
}

static void read_dnload(struct parser *p, struct host_step *s)
{
	read_block(p, s);
	word_needs_data(p, &s->data);
}

static void read_upload(struct parser *p, struct host_step *s)
{
	read_block(p, s);
	s->chunk_length = word_accept_chunk(p);
	if (!s->chunk_length)
		s->length = (uint16_t)word_number(p, "the number of bytes", TRANSFER_MAX);
}

static void read_control(struct parser *p, struct host_step *s)
{
	s->type = (uint8_t)word_number(p, "bmRequestType", 0xff);
	s->request = (uint8_t)word_number(p, "bRequest", 0xff);
	s->value = (uint16_t)word_number(p, "wValue", UINT16_MAX);
	s->index = (uint16_t)word_number(p, "wIndex", UINT16_MAX);
	if (s->type & 0x80)
		s->length = (uint16_t)word_number(p, "wLength", TRANSFER_MAX);
	else
		word_needs_data(p, &s->data);
}

/* The commands of DfuSe: request is the command byte, length that of the command. */
static void read_command(struct parser *p, struct host_step *s)
{
	uint8_t command = s->request;
	uint32_t address = 0;

	s->request = DFU_DNLOAD;
	if (s->length == 5) {
		s->chunk_address = word_accept_chunk(p);
		if (!s->chunk_address)
			address = (uint32_t)word_number(p, "the address", UINT32_MAX);
	}
	s->data.kind = HOST_BYTES;
	s->data.length = s->length;
	s->data.bytes = malloc(5);
	if (!s->data.bytes) {
		p->no_memory = p->failed = true;
		return;
	}
	s->data.bytes[0] = command;
	for (unsigned i = 0; i < 4; i++)
		s->data.bytes[1 + i] = (uint8_t)(address >> 8 * i);
	s->length = 0;
}

static const struct request {
	const char *name;
	enum host_verb verb;
	uint8_t type, request;
	uint16_t length;
	void (*read)(struct parser *, struct host_step *); /* NULL: nothing follows */
} requests[] = {
	{ "open", HOST_OPEN, 0, 0, 0, read_open },
	{ "open-serial", HOST_OPEN_SERIAL, 0, 0, 0, read_open },
	{ "send", HOST_SEND, 0, 0, 0, read_send },
	{ "expect", HOST_EXPECT, 0, 0, 0, read_expect },
	{ "close", HOST_CLOSE, 0, 0, 0, NULL },
	{ "reset", HOST_RESET, 0, 0, 0, NULL },
	{ "expect-gone", HOST_EXPECT_GONE, 0, 0, 0, read_expect_gone },
	{ "sleep", HOST_SLEEP, 0, 0, 0, read_time },
	{ "timeout", HOST_TIMEOUT, 0, 0, 0, read_time },
	{ "set-interface", HOST_SET_INTERFACE, 0, 0, 0, read_set_interface },
	{ "getstatus", HOST_GETSTATUS, TYPE_IN, DFU_GETSTATUS, 6, read_getstatus },
	{ "settle", HOST_SETTLE, TYPE_IN, DFU_GETSTATUS, 6, read_settle },
	{ "getstate", HOST_GETSTATE, TYPE_IN, DFU_GETSTATE, 1, NULL },
	{ "clrstatus", HOST_CLRSTATUS, TYPE_OUT, DFU_CLRSTATUS, 0, NULL },
	{ "abort", HOST_ABORT, TYPE_OUT, DFU_ABORT, 0, NULL },
	{ "detach", HOST_DETACH, TYPE_OUT, DFU_DETACH, 0, read_detach },
	{ "dnload", HOST_DNLOAD, TYPE_OUT, DFU_DNLOAD, 0, read_dnload },
	{ "set-address", HOST_DNLOAD, TYPE_OUT, DFUSE_SET_ADDRESS, 5, read_command },
	{ "erase", HOST_DNLOAD, TYPE_OUT, DFUSE_ERASE, 5, read_command },
	{ "mass-erase", HOST_DNLOAD, TYPE_OUT, DFUSE_ERASE, 1, read_command },
	{ "unprotect", HOST_DNLOAD, TYPE_OUT, DFUSE_READ_UNPROTECT, 1, read_command },
	{ "upload", HOST_UPLOAD, TYPE_IN, DFU_UPLOAD, 0, read_upload },
	{ "control", HOST_CONTROL, 0, 0, 0, read_control },
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* What the answer is to be */

#define STATES 11
#define STATUSES 16

/* STATE|STATE... as bits; false: the first is none. */
static bool read_names(struct parser *p, const char *what, unsigned count, const char *(*name)(unsigned),
		       uint16_t *bits)
{
	const char *words[STATUSES + 1];
	struct word w, part;
	const char *at;

	if (!word_peek(p, &w) || word_is(&w, "poll"))
		return false;
	for (unsigned i = 0; i < count; i++)
		words[i] = name(i);
	words[count] = NULL;
	for (at = w.text;;) {
		const char *end = memchr(at, '|', (size_t)(w.text + w.length - at));
		unsigned i = 0;

		part.text = at;
		part.length = (size_t)((end ? end : w.text + w.length) - at);
		snprintf(part.copy, sizeof(part.copy), "%.*s", (int)part.length, at);
		while (i < count && !word_is(&part, words[i]))
			i++;
		if (i == count) {
			word_unknown(p, &part, what, words);
			return false;
		}
		*bits |= (uint16_t)(1u << i);
		if (!end)
			break;
		at = end + 1;
	}
	p->at = w.text + w.length;
	return true;
}

static bool reads(const struct host_step *s)
{
	return s->verb == HOST_UPLOAD || (s->verb == HOST_CONTROL && s->type & 0x80);
}

static bool has_state(const struct host_step *s)
{
	return s->verb == HOST_GETSTATUS || s->verb == HOST_SETTLE || s->verb == HOST_GETSTATE;
}

static void read_wish(struct parser *p, struct host_step *s)
{
	static const char *const words[] = { "ok",  "stall", "timeout", "gone",  "error",  "any",
					     "hex", "file",  "fill",    "empty", "length", NULL };
	static const enum host_end ends[] = { HOST_OK, HOST_STALL, HOST_LATE, HOST_GONE, HOST_ERROR, HOST_ANY };
	struct host_wish *wish = &s->wish;
	struct word w;

	wish->given = true;
	if (s->verb < HOST_SET_INTERFACE) {
		word_mistake(p, p->at, "nothing can be expected of '%s': it is no request", s->text);
		return;
	}
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (word_accept(p, words[i])) {
			wish->end = ends[i];
			return;
		}
	if (!word_peek(p, &w))
		word_mistake(p, w.text, "what is expected is missing after '->'");
	else if (has_state(s)) {
		if (read_names(p, "unknown state", STATES, dfu_state_name, &wish->states) && s->verb != HOST_GETSTATE)
			read_names(p, "unknown status", STATUSES, dfu_status_name, &wish->statuses);
		if (s->verb != HOST_GETSTATE && word_accept(p, "poll")) {
			wish->has_poll = true;
			wish->poll_ms = (uint32_t)word_number(p, "bwPollTimeout in ms", 0xffffff);
		}
	} else if (!reads(s)) {
		p->at = w.text + w.length;
		word_unknown(p, &w, "unknown expectation",
			     (const char *const[]){ "ok", "stall", "timeout", "gone", "error", "any", NULL });
	} else if (word_accept(p, "length")) {
		wish->has_length = true;
		wish->length = word_size(p, "the length");
	} else if (!word_data(p, &wish->data))
		word_unknown(p, &w, "unknown expectation", words);
}

/* Structure */

static void data_free(struct host_data *d)
{
	free(d->bytes);
	free(d->file);
}

static void step_free(struct host_step *s)
{
	free(s->text);
	free(s->serial);
	free(s->regex);
	data_free(&s->data);
	data_free(&s->wish.data);
}

void host_script_free(struct host_script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->count; i++)
		step_free(&script->steps[i]);
	free(script->steps);
	for (size_t i = 0; i < script->each_count; i++) {
		data_free(&script->eachs[i]->file);
		free(script->eachs[i]);
	}
	free(script->eachs);
	free(script);
}

static struct host_step *add_step(struct parser *p)
{
	struct host_script *script = p->script;
	struct host_step *more = script->steps;

	if (!(script->count & (script->count - 1)))
		more = realloc(more, (script->count ? 2 * script->count : 1) * sizeof(*more));
	if (!more) {
		p->no_memory = true;
		return NULL;
	}
	script->steps = more;
	memset(&more[script->count], 0, sizeof(*more));
	return &more[script->count++];
}

/* The rest of a request that has a mistake is not looked at. */
static const char *request_end(const struct parser *p)
{
	const char *end = word_outside_quotes(p->at, p->end, ';');

	return end ? end : p->end;
}

static void read_request(struct parser *p)
{
	const char *names[REQUESTS + 2];
	const struct request *r = requests;
	struct host_step *s;
	struct word w;
	const char *begin, *end = request_end(p);

	if (!word_next(p, &w, "a request"))
		return;
	begin = w.text;
	while (r < requests + REQUESTS && !word_is(&w, r->name))
		r++;
	if (r == requests + REQUESTS) {
		for (size_t i = 0; i < REQUESTS; i++)
			names[i] = requests[i].name;
		names[REQUESTS] = "each";
		names[REQUESTS + 1] = NULL;
		if (word_is(&w, "each"))
			word_mistake(p, w.text, "'each' begins a line");
		else
			word_unknown(p, &w, "unknown request", names);
		return;
	}
	s = add_step(p);
	if (!s)
		return;
	while (end > begin && word_is_blank(end[-1]))
		end--;
	s->mark = word_mark(p, begin);
	s->text = word_copy(p, begin, (size_t)(end - begin));
	for (char *c = s->text; c && *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c; /* it is shown on a terminal */
	s->each = p->each;
	s->verb = r->verb;
	s->type = r->type;
	s->request = r->request;
	s->length = r->length;
	if (r->read)
		r->read(p, s);
	if (word_accept(p, "->") && !p->failed)
		read_wish(p, s);
	if (word_peek(p, &w))
		word_mistake(p, w.text, "'%s' is one word too many after '%s'", w.copy, r->name);
}

/* "SIZE of NAME [offset N] [length N] at ADDRESS:" */
static void read_each(struct parser *p)
{
	struct host_script *script = p->script;
	const char *colon = memchr(p->at, ':', (size_t)(p->end - p->at)), *end = p->end;
	struct host_each *each = calloc(1, sizeof(*each));
	struct host_each **more = realloc(script->eachs, (script->each_count + 1) * sizeof(*more));
	struct word w;

	if (more)
		script->eachs = more;
	if (!each || !more) {
		free(each);
		p->no_memory = true;
		return;
	}
	script->eachs[script->each_count++] = p->each = each;
	if (!colon) {
		word_mistake(p, p->end, "':' and requests are missing after 'each SIZE of NAME at ADDRESS'");
		p->at = p->end;
		return;
	}
	p->end = colon;
	word_peek(p, &w);
	each->size_bytes = (size_t)word_number(p, "the size of a chunk", TRANSFER_MAX);
	if (!p->failed && !each->size_bytes)
		word_mistake(p, w.text, "a chunk has at least one byte");
	if (!word_accept(p, "of") && !p->failed)
		word_mistake(p, p->at, "'of NAME' is missing: each SIZE of NAME at ADDRESS");
	word_accept(p, "file");
	word_file(p, &each->file);
	if (!word_accept(p, "at") && !p->failed)
		word_mistake(p, p->at, "'at ADDRESS' is missing: each SIZE of NAME at ADDRESS");
	each->address = (uint32_t)word_number(p, "the address", UINT32_MAX);
	if (word_peek(p, &w))
		word_mistake(p, w.text, "'%s' is one word too many before ':'", w.copy);
	p->at = colon + 1;
	p->end = end;
}

static void read_line(struct parser *p)
{
	struct word w;

	p->each = NULL;
	p->failed = false;
	if (!word_peek(p, &w) && p->at == p->end)
		return;
	if (word_accept(p, "each"))
		read_each(p);
	for (;;) {
		read_request(p);
		p->at = request_end(p);
		if (p->no_memory || p->at == p->end)
			return;
		p->at++;
		p->failed = false;
		/* One at the end of a line does no harm. */
		if (!word_peek(p, &w) && p->at == p->end)
			return;
	}
}

struct host_script *host_script_parse(struct mark at, const char *text, size_t length, struct problems *problems)
{
	size_t before = problems_count(problems);
	struct parser p = { .problems = problems, .base = at };
	const char *end = text + length;

	p.script = calloc(1, sizeof(*p.script));
	if (!p.script)
		return NULL;
	for (; text < end && !p.no_memory; p.line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end, *hash, *nul;

		p.text = p.at = text;
		p.end = line_end;
		hash = word_outside_quotes(text, line_end, '#');
		if (hash)
			p.end = hash;
		p.excerpt = at.column > 1 ? NULL : strndup(text, (size_t)(line_end - text));
		nul = memchr(text, 0, (size_t)(p.end - text));
		if (!p.excerpt && at.column <= 1)
			p.no_memory = true;
		else if (nul) {
			p.failed = false;
			word_mistake(&p, nul, "a script is text: here is a NUL byte");
		} else
			read_line(&p);
		free(p.excerpt);
		text = newline ? newline + 1 : end;
	}
	if (!p.no_memory && !p.script->count && problems_count(problems) == before)
		problems_add(problems, at, NULL, "there is no request in it");
	if (p.no_memory || problems_count(problems) != before) {
		host_script_free(p.script);
		return NULL;
	}
	p.script->opens = p.script->steps[0].verb == HOST_OPEN || p.script->steps[0].verb == HOST_OPEN_SERIAL;
	return p.script;
}

const struct host_data *host_script_file(const struct host_script *script, size_t index)
{
	for (size_t i = 0; i < script->each_count; i++)
		if (!index--)
			return &script->eachs[i]->file;
	for (size_t i = 0; i < script->count; i++) {
		const struct host_data *both[] = { &script->steps[i].data, &script->steps[i].wish.data };

		for (unsigned k = 0; k < 2; k++)
			if (both[k]->kind == HOST_FILE && !index--)
				return both[k];
	}
	return NULL;
}
