// SPDX-License-Identifier: GPL-2.0-or-later
/* Scripted hosts: from text to steps, with all mistakes told. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "dfuse.h"
#include "fault_rule.h"
#include "host_script.h"

#define DEFAULT_VENDOR 0x0483
#define DEFAULT_PRODUCT 0xdf11
#define TRANSFER_MAX 65535u
#define GONE_US UINT64_C(40000000) /* as a mass erase may take, after which an unprotected chip goes */
#define SETTLE_US UINT64_C(60000000)
#define TYPE_OUT 0x21 /* class, interface */
#define TYPE_IN 0xa1

struct word {
	const char *text; /* not terminated */
	size_t length;
	char copy[80]; /* terminated, cut */
};

struct parser {
	struct host_script *script;
	struct problems *problems;
	struct mark base;
	unsigned line;    /* from 0 */
	const char *text; /* of the line; end: of what counts on it */
	const char *at, *end;
	char *excerpt;
	struct host_each *each;
	bool failed; /* in this request */
	bool no_memory;
};

const char *host_end_name(enum host_end end)
{
	static const char *const names[] = { "ok", "stall", "timeout", "gone", "a USB error", "error", "any" };

	return names[end];
}

static struct mark mark_at(const struct parser *p, const char *at)
{
	/* The lines of a block of text begin at the same column. */
	return (struct mark){ .file = p->base.file,
			      .line = p->base.line + p->line,
			      .column = p->base.column + (unsigned)(at - p->text) };
}

__attribute__((format(printf, 3, 4))) static void mistake(struct parser *p, const char *at, const char *format, ...)
{
	char text[256];
	va_list args;

	if (p->failed)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problems_add(p->problems, mark_at(p, at), p->excerpt, "%s", text);
	p->failed = true;
}

static void unknown(struct parser *p, const struct word *w, const char *what, const char *const *words)
{
	if (p->failed)
		return;
	problems_unknown(p->problems, mark_at(p, w->text), p->excerpt, what, w->copy, words);
	p->failed = true;
}

static char *copy_text(struct parser *p, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		p->no_memory = p->failed = true;
	return copy;
}

/* Words */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the request without taking it; false at its end. */
static bool peek(struct parser *p, struct word *w)
{
	const char *end;

	while (p->at < p->end && is_blank(*p->at))
		p->at++;
	w->text = end = p->at;
	while (end < p->end && !is_blank(*end) && *end != ';')
		end++;
	w->length = (size_t)(end - w->text);
	snprintf(w->copy, sizeof(w->copy), "%.*s", (int)w->length, w->text);
	for (char *c = w->copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return w->length > 0;
}

static bool next(struct parser *p, struct word *w, const char *what)
{
	if (!peek(p, w)) {
		mistake(p, w->text, "%s is missing", what);
		return false;
	}
	p->at = w->text + w->length;
	return true;
}

static bool is(const struct word *w, const char *text)
{
	return w->length == strlen(text) && !strncasecmp(w->text, text, w->length);
}

static bool accept(struct parser *p, const char *text)
{
	struct word w;

	if (!peek(p, &w) || !is(&w, text))
		return false;
	p->at = w.text + w.length;
	return true;
}

/* "@", which needs chunks */
static bool accept_chunk(struct parser *p)
{
	const char *at = p->at;

	if (!accept(p, "@"))
		return false;
	if (!p->each)
		mistake(p, at + strspn(at, " \t"), "'@' stands for a chunk of a file: after 'each ...:' alone");
	return true;
}

/* Decimal or 0x..., and K or M after it. */
static bool read_number(const struct word *w, uint64_t *number)
{
	const char *digits = w->copy;
	unsigned base = 10;
	uint64_t n = 0, unit = 1;
	size_t i = 0;

	if (w->length >= sizeof(w->copy))
		return false;
	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		base = 16;
		digits += 2;
	}
	for (; digits[i]; i++) {
		const char *all = "0123456789abcdef";
		const char *digit = strchr(all, digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] + 32 : digits[i]);

		if (!digit || (size_t)(digit - all) >= base)
			break;
		n = n * base + (uint64_t)(digit - all);
		if (n > UINT32_MAX)
			return false;
	}
	if (digits[i]) {
		unit = digits[i] == 'K' ? 1024 : digits[i] == 'M' ? 1024 * 1024 : 0;
		if (!unit || digits[i + 1])
			return false;
	}
	*number = n * unit;
	return i && *number <= UINT32_MAX;
}

static uint64_t number(struct parser *p, const char *what, uint64_t most)
{
	struct word w;
	uint64_t n = 0;

	if (!next(p, &w, what))
		return 0;
	if (!read_number(&w, &n))
		mistake(p, w.text, "'%s' is no number: %s was expected", w.copy, what);
	else if (n > most)
		mistake(p, w.text, "%s is %s, and at most %llu (0x%llx)", what, w.copy, (unsigned long long)most,
			(unsigned long long)most);
	return n;
}

/* Sizes and offsets within a file */
static size_t size(struct parser *p, const char *what)
{
	return (size_t)number(p, what, UINT32_MAX);
}

static uint64_t duration(struct parser *p, const char *what)
{
	struct word w;
	uint64_t us = 0;

	if (next(p, &w, what) && !fault_time_parse(w.copy, &us))
		mistake(p, w.text, "'%s' is no time: %s has a unit (100ms, 5s, 1min)", w.copy, what);
	return us;
}

/* Data */

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static void read_hex(struct parser *p, struct host_data *d)
{
	struct word w;
	size_t room = (size_t)(p->end - p->at) / 2 + 1;

	d->bytes = malloc(room);
	if (!d->bytes) {
		p->no_memory = p->failed = true;
		return;
	}
	while (peek(p, &w) && !is(&w, "->")) {
		for (size_t i = 0; i < w.length; i += 2) {
			if (nibble(w.text[i]) < 0 || i + 1 == w.length || nibble(w.text[i + 1]) < 0) {
				mistake(p, w.text + i, "'%.*s' is no byte: two hexadecimal digits each were expected",
					i + 1 == w.length ? 1 : 2, w.text + i);
				return;
			}
			d->bytes[d->length++] = (uint8_t)(nibble(w.text[i]) << 4 | nibble(w.text[i + 1]));
		}
		p->at = w.text + w.length;
	}
	if (!d->length)
		mistake(p, w.text, "bytes are missing: 'hex 00 ff' or 'empty'");
	else if (d->length > TRANSFER_MAX)
		mistake(p, w.text, "%zu bytes are more than a request can have (%u)", d->length, TRANSFER_MAX);
}

static void read_fill(struct parser *p, struct host_data *d)
{
	uint8_t byte = (uint8_t)number(p, "the byte to fill with", 0xff);

	d->length = (size_t)number(p, "the number of bytes", TRANSFER_MAX);
	if (d->length > TRANSFER_MAX) /* it has been told */
		d->length = 0;
	d->bytes = malloc(d->length + 1);
	if (d->bytes)
		memset(d->bytes, byte, d->length);
	else
		p->no_memory = p->failed = true;
}

static void read_range(struct parser *p, struct host_data *d)
{
	for (;;) {
		if (accept(p, "offset"))
			d->offset = size(p, "the offset");
		else if (accept(p, "length")) {
			d->length = size(p, "the length");
			d->has_length = true;
		} else
			return;
	}
}

static void read_file(struct parser *p, struct host_data *d)
{
	struct word w;

	d->kind = HOST_FILE;
	if (!next(p, &w, "the name of a file"))
		return;
	d->mark = mark_at(p, w.text);
	d->file = copy_text(p, w.text, w.length);
	read_range(p, d);
}

/* true: there was data */
static bool read_data(struct parser *p, struct host_data *d)
{
	struct word w;

	peek(p, &w);
	d->mark = mark_at(p, w.text);
	d->kind = HOST_BYTES;
	if (accept(p, "hex"))
		read_hex(p, d);
	else if (accept(p, "fill"))
		read_fill(p, d);
	else if (accept(p, "file"))
		read_file(p, d);
	else if (accept_chunk(p))
		d->kind = HOST_CHUNK;
	else if (!accept(p, "empty")) {
		d->kind = HOST_NO_DATA;
		return false;
	}
	return true;
}

static void need_data(struct parser *p, struct host_data *d)
{
	static const char *const words[] = { "hex", "file", "fill", "empty", "@", NULL };
	struct word w;

	if (!read_data(p, d) && next(p, &w, "what to send (hex BYTES, file NAME, fill BYTE LENGTH, empty)"))
		unknown(p, &w, "unknown kind of data", words);
}

/* Requests: each function reads what follows the word. */

static void read_open(struct parser *p, struct host_step *s)
{
	struct word w;
	unsigned vendor, product;
	int used = 0;

	s->vendor = DEFAULT_VENDOR;
	s->product = DEFAULT_PRODUCT;
	if (peek(p, &w) && strchr(w.copy, ':')) {
		if (w.length != 9 || sscanf(w.copy, "%4x:%4x%n", &vendor, &product, &used) != 2 || used != 9) {
			mistake(p, w.text, "'%s' is no USB id: four hexadecimal digits each, as in 0483:df11", w.copy);
			return;
		}
		s->vendor = (uint16_t)vendor;
		s->product = (uint16_t)product;
		p->at = w.text + w.length;
	}
	for (;;) {
		if (accept(p, "serial") && next(p, &w, "the serial number")) {
			free(s->serial);
			s->serial = copy_text(p, w.text, w.length);
		} else if (accept(p, "within"))
			s->time_us = duration(p, "the time");
		else
			return;
	}
}

static void read_expect_gone(struct parser *p, struct host_step *s)
{
	s->time_us = accept(p, "within") ? duration(p, "the time") : GONE_US;
}

static void read_time(struct parser *p, struct host_step *s)
{
	struct word w;

	peek(p, &w);
	s->time_us = duration(p, "the time");
	if (s->verb == HOST_TIMEOUT && s->time_us < 1000)
		mistake(p, w.text, "a timeout is at least 1ms");
}

static void read_set_interface(struct parser *p, struct host_step *s)
{
	s->value = (uint16_t)number(p, "the alternate setting", 0xff);
}

static void read_getstatus(struct parser *p, struct host_step *s)
{
	s->wait = accept(p, "wait");
}

static void read_settle(struct parser *p, struct host_step *s)
{
	s->time_us = accept(p, "within") ? duration(p, "the time") : SETTLE_US;
}

static void read_detach(struct parser *p, struct host_step *s)
{
	s->value = (uint16_t)number(p, "wTimeout in ms", UINT16_MAX);
}

static void read_block(struct parser *p, struct host_step *s)
{
	s->chunk_block = accept_chunk(p);
	if (!s->chunk_block)
		s->value = (uint16_t)number(p, "the block number", UINT16_MAX);
}

static void read_dnload(struct parser *p, struct host_step *s)
{
	read_block(p, s);
	need_data(p, &s->data);
}

static void read_upload(struct parser *p, struct host_step *s)
{
	read_block(p, s);
	s->chunk_length = accept_chunk(p);
	if (!s->chunk_length)
		s->length = (uint16_t)number(p, "the number of bytes", TRANSFER_MAX);
}

static void read_control(struct parser *p, struct host_step *s)
{
	s->type = (uint8_t)number(p, "bmRequestType", 0xff);
	s->request = (uint8_t)number(p, "bRequest", 0xff);
	s->value = (uint16_t)number(p, "wValue", UINT16_MAX);
	s->index = (uint16_t)number(p, "wIndex", UINT16_MAX);
	if (s->type & 0x80)
		s->length = (uint16_t)number(p, "wLength", TRANSFER_MAX);
	else
		need_data(p, &s->data);
}

/* The commands of DfuSe: request is the command byte, length that of the command. */
static void read_command(struct parser *p, struct host_step *s)
{
	uint8_t command = s->request;
	uint32_t address = 0;

	s->request = DFU_DNLOAD;
	if (s->length == 5) {
		s->chunk_address = accept_chunk(p);
		if (!s->chunk_address)
			address = (uint32_t)number(p, "the address", UINT32_MAX);
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

	if (!peek(p, &w) || is(&w, "poll"))
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
		while (i < count && !is(&part, words[i]))
			i++;
		if (i == count) {
			unknown(p, &part, what, words);
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
		mistake(p, p->at, "nothing can be expected of '%s': it is no request", s->text);
		return;
	}
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (accept(p, words[i])) {
			wish->end = ends[i];
			return;
		}
	if (!peek(p, &w))
		mistake(p, w.text, "what is expected is missing after '->'");
	else if (has_state(s)) {
		if (read_names(p, "unknown state", STATES, dfu_state_name, &wish->states) && s->verb != HOST_GETSTATE)
			read_names(p, "unknown status", STATUSES, dfu_status_name, &wish->statuses);
		if (s->verb != HOST_GETSTATE && accept(p, "poll")) {
			wish->has_poll = true;
			wish->poll_ms = (uint32_t)number(p, "bwPollTimeout in ms", 0xffffff);
		}
	} else if (!reads(s)) {
		p->at = w.text + w.length;
		unknown(p, &w, "unknown expectation",
			(const char *const[]){ "ok", "stall", "timeout", "gone", "error", "any", NULL });
	} else if (accept(p, "length")) {
		wish->has_length = true;
		wish->length = size(p, "the length");
	} else if (!read_data(p, &wish->data))
		unknown(p, &w, "unknown expectation", words);
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
	const char *end = memchr(p->at, ';', (size_t)(p->end - p->at));

	return end ? end : p->end;
}

static void read_request(struct parser *p)
{
	const char *names[REQUESTS + 2];
	const struct request *r = requests;
	struct host_step *s;
	struct word w;
	const char *begin, *end = request_end(p);

	if (!next(p, &w, "a request"))
		return;
	begin = w.text;
	while (r < requests + REQUESTS && !is(&w, r->name))
		r++;
	if (r == requests + REQUESTS) {
		for (size_t i = 0; i < REQUESTS; i++)
			names[i] = requests[i].name;
		names[REQUESTS] = "each";
		names[REQUESTS + 1] = NULL;
		if (is(&w, "each"))
			mistake(p, w.text, "'each' begins a line");
		else
			unknown(p, &w, "unknown request", names);
		return;
	}
	s = add_step(p);
	if (!s)
		return;
	while (end > begin && is_blank(end[-1]))
		end--;
	s->mark = mark_at(p, begin);
	s->text = copy_text(p, begin, (size_t)(end - begin));
	for (char *c = s->text; c && *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c; /* it is shown on a terminal */
	s->each = p->each;
	s->verb = r->verb;
	s->type = r->type;
	s->request = r->request;
	s->length = r->length;
	if (r->read)
		r->read(p, s);
	if (accept(p, "->") && !p->failed)
		read_wish(p, s);
	if (peek(p, &w))
		mistake(p, w.text, "'%s' is one word too many after '%s'", w.copy, r->name);
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
		mistake(p, p->end, "':' and requests are missing after 'each SIZE of NAME at ADDRESS'");
		p->at = p->end;
		return;
	}
	p->end = colon;
	peek(p, &w);
	each->size_bytes = (size_t)number(p, "the size of a chunk", TRANSFER_MAX);
	if (!p->failed && !each->size_bytes)
		mistake(p, w.text, "a chunk has at least one byte");
	if (!accept(p, "of") && !p->failed)
		mistake(p, p->at, "'of NAME' is missing: each SIZE of NAME at ADDRESS");
	accept(p, "file");
	read_file(p, &each->file);
	if (!accept(p, "at") && !p->failed)
		mistake(p, p->at, "'at ADDRESS' is missing: each SIZE of NAME at ADDRESS");
	each->address = (uint32_t)number(p, "the address", UINT32_MAX);
	if (peek(p, &w))
		mistake(p, w.text, "'%s' is one word too many before ':'", w.copy);
	p->at = colon + 1;
	p->end = end;
}

static void read_line(struct parser *p)
{
	struct word w;

	p->each = NULL;
	p->failed = false;
	if (!peek(p, &w) && p->at == p->end)
		return;
	if (accept(p, "each"))
		read_each(p);
	for (;;) {
		read_request(p);
		p->at = request_end(p);
		if (p->no_memory || p->at == p->end)
			return;
		p->at++;
		p->failed = false;
		/* One at the end of a line does no harm. */
		if (!peek(p, &w) && p->at == p->end)
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
		hash = memchr(text, '#', (size_t)(line_end - text));
		if (hash)
			p.end = hash;
		p.excerpt = at.column > 1 ? NULL : strndup(text, (size_t)(line_end - text));
		nul = memchr(text, 0, (size_t)(p.end - text));
		if (!p.excerpt && at.column <= 1)
			p.no_memory = true;
		else if (nul) {
			p.failed = false;
			mistake(&p, nul, "a script is text: here is a NUL byte");
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
	p.script->opens = p.script->steps[0].verb == HOST_OPEN;
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
