/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault rules: text to struct and back. Each condition is a row of a table. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "dfuse.h"
#include "fault_rule.h"

#define TIME_LIMIT_US UINT64_C(1000000000000)
#define DFU_STATES 11
#define DFU_STATUSES 16

enum value_kind { VALUE_NONE, VALUE_TIME, VALUE_TIME_MAYBE, VALUE_BYTES, VALUE_BYTES_MAYBE, VALUE_STATUS };

static const char *const action_names[FAULT_ACTIONS + 1] = {
	[FAULT_STALL] = "stall",   [FAULT_SILENT] = "silent",       [FAULT_BUS_ERROR] = "bus-error",
	[FAULT_DELAY] = "delay",   [FAULT_SHORT] = "short",         [FAULT_CORRUPT] = "corrupt",
	[FAULT_STATUS] = "status", [FAULT_UNPLUG] = "unplug",       [FAULT_POWER_CUT] = "power-cut",
	[FAULT_RESET] = "reset",   [FAULT_FLAKY_HSE] = "flaky-hse", NULL,
};

static const enum value_kind action_values[FAULT_ACTIONS] = {
	[FAULT_DELAY] = VALUE_TIME,       [FAULT_SHORT] = VALUE_BYTES,          [FAULT_CORRUPT] = VALUE_BYTES_MAYBE,
	[FAULT_STATUS] = VALUE_STATUS,    [FAULT_UNPLUG] = VALUE_TIME_MAYBE,    [FAULT_POWER_CUT] = VALUE_TIME_MAYBE,
	[FAULT_RESET] = VALUE_TIME_MAYBE, [FAULT_FLAKY_HSE] = VALUE_TIME_MAYBE,
};

static const char *const request_names[FAULT_REQUESTS + 1] = {
	"any",
	"dfu",
	"dnload",
	"upload",
	"getstatus",
	"clrstatus",
	"getstate",
	"abort",
	"detach",
	"set-address",
	"erase",
	"mass-erase",
	"unprotect",
	"write",
	"leave",
	"get",
	"read",
	"get-descriptor",
	"set-configuration",
	"get-configuration",
	"set-interface",
	"get-interface",
	"set-usb-address",
	NULL,
};

static const char *const state_names[] = {
	"dfuIDLE",     "dfuDNLOAD-SYNC",         "dfuDNBUSY",      "dfuDNLOAD-IDLE", "dfuMANIFEST-SYNC",
	"dfuMANIFEST", "dfuMANIFEST-WAIT-RESET", "dfuUPLOAD-IDLE", "dfuERROR",       NULL,
};
static const char *const status_names[] = {
	"OK",      "errTARGET", "errFILE",    "errWRITE",      "errERASE",    "errCHECK_ERASED",
	"errPROG", "errVERIFY", "errADDRESS", "errNOTDONE",    "errFIRMWARE", "errVENDOR",
	"errUSBR", "errPOR",    "errUNKNOWN", "errSTALLEDPKT", NULL,
};
static const char *const count_names[] = { "any", "every:", NULL };

enum condition { ON, BLOCK, ADDRESS, STATE, COUNT, PROBABILITY, FROM, AFTER };
#define CONDITIONS 8
static const char *const condition_names[CONDITIONS + 1] = { "on",          "block", "address", "state", "count",
							     "probability", "from",  "after",   NULL };

struct parser {
	const char *text;
	const char *at;
	struct fault_rule *rule;
	struct fault_rule_error *error;
	unsigned given; /* bits of enum condition */
};

/* A piece of the text. */
struct word {
	const char *at;
	size_t length;
};

static int refuse(struct parser *p, struct word w, const char *const *words, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int refuse(struct parser *p, struct word w, const char *const *words, const char *format, ...)
{
	va_list args;

	memset(p->error, 0, sizeof(*p->error));
	p->error->column = (size_t)(w.at - p->text) + 1;
	snprintf(p->error->word, sizeof(p->error->word), "%.*s", (int)(w.length < 47 ? w.length : 47), w.at);
	for (char *c = p->error->word; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	p->error->words = words;
	va_start(args, format);
	vsnprintf(p->error->expected, sizeof(p->error->expected), format, args);
	va_end(args);
	return -EINVAL;
}

/* As refuse(), with all the words there are: "expected WHAT (a, b, c)". */
static int refuse_listing(struct parser *p, struct word w, const char *const *words, const char *what)
{
	char list[FAULT_EXPECTED_BYTES - 64] = "";
	size_t used = 0;

	for (size_t i = 0; words[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	return refuse(p, w, words, "expected %s (%s)", what, list);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

static int find(struct word w, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == w.length && !strncasecmp(w.at, words[i], w.length))
			return i;
	return -1;
}

/* Decimal or 0x..., the whole word, at most limit. */
static bool number(struct word w, uint64_t limit, uint64_t *out)
{
	unsigned base = 10;
	uint64_t sum = 0;
	size_t i = 0;

	if (w.length > 2 && w.at[0] == '0' && (w.at[1] == 'x' || w.at[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == w.length)
		return false;
	for (; i < w.length; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, tolower((unsigned char)w.at[i]), base);

		if (!digit)
			return false;
		if (sum > (limit - (uint64_t)(digit - digits)) / base || (uint64_t)(digit - digits) > limit)
			return false;
		sum = sum * base + (uint64_t)(digit - digits);
	}
	*out = sum;
	return true;
}

/* Decimal number with a fraction, in units of 1 / scale; what is finer than that is refused. */
static bool decimal(struct word w, uint64_t scale, uint64_t limit, uint64_t *out)
{
	const char *dot = memchr(w.at, '.', w.length);
	struct word whole = { w.at, dot ? (size_t)(dot - w.at) : w.length };
	uint64_t sum, part = scale;

	if (!number(whole, limit / scale, &sum) || (whole.length > 1 && whole.at[1] == 'x'))
		return false;
	sum *= scale;
	for (size_t i = whole.length + 1; dot && i < w.length; i++) {
		if (!isdigit((unsigned char)w.at[i]))
			return false;
		if (part < 10 && w.at[i] != '0')
			return false;
		part /= 10;
		sum += (uint64_t)(w.at[i] - '0') * part;
	}
	*out = sum;
	return (!dot || whole.length + 1 < w.length) && sum <= limit;
}

static bool time_of(struct word w, uint64_t *us)
{
	static const struct {
		const char *unit;
		uint64_t scale;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "min", 60000000 }, { "s", 1000000 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = strlen(units[i].unit);

		if (w.length > length && !strncasecmp(w.at + w.length - length, units[i].unit, length) &&
		    isdigit((unsigned char)w.at[w.length - length - 1]))
			return decimal((struct word){ w.at, w.length - length }, units[i].scale, TIME_LIMIT_US, us);
	}
	return false;
}

bool fault_time_parse(const char *text, uint64_t *us)
{
	return time_of((struct word){ text, strlen(text) }, us);
}

void fault_time_format(uint64_t us, char *text, size_t size)
{
	if (us % 1000000 == 0)
		snprintf(text, size, "%llus", (unsigned long long)(us / 1000000));
	else if (us % 1000 == 0)
		snprintf(text, size, "%llums", (unsigned long long)(us / 1000));
	else
		snprintf(text, size, "%lluus", (unsigned long long)us);
}

/* The part of w up to a separator, and what follows it; false if there is none. */
static bool split(struct word w, char separator, struct word *left, struct word *right)
{
	const char *at = memchr(w.at, separator, w.length);

	*left = w;
	*right = (struct word){ w.at + w.length, 0 };
	if (!at)
		return false;
	left->length = (size_t)(at - w.at);
	*right = (struct word){ at + 1, w.length - left->length - 1 };
	return true;
}

/* N or N-M. */
static bool range(struct word w, uint64_t limit, uint64_t *first, uint64_t *last)
{
	struct word left, right;

	if (!split(w, '-', &left, &right))
		right = left;
	return number(left, limit, first) && number(right, limit, last) && *first <= *last;
}

static int parse_time(struct parser *p, struct word w, uint64_t *us)
{
	return time_of(w, us) ? 0 : refuse(p, w, NULL, "expected a time with its unit, as 300ms or 1.5s");
}

static int parse_status(struct parser *p, struct word w)
{
	struct fault_rule *r = p->rule;
	struct word left, right;
	bool both = split(w, ':', &left, &right);
	int i = find(left, status_names);

	r->value = (uint64_t)i;
	if (i < 0 && !number(left, 255, &r->value))
		return refuse_listing(p, left, status_names, "a status, or a number up to 0xff");
	if (!both)
		return 0;
	i = find(right, state_names);
	if (i < 0)
		return refuse_listing(p, right, state_names, "a state");
	r->has_reply_state = true;
	r->reply_state = (uint8_t)(i + DFU_IDLE);
	return 0;
}

/* w is the word behind '='; has_value says whether there is one. */
static int parse_action_value(struct parser *p, struct word name, struct word w, bool has_value)
{
	struct fault_rule *r = p->rule;
	enum value_kind kind = action_values[r->action];

	r->has_value = has_value;
	if (has_value && kind == VALUE_NONE)
		return refuse(p, w, NULL, "'%s' takes no value", action_names[r->action]);
	if (!has_value && (kind == VALUE_TIME || kind == VALUE_BYTES || kind == VALUE_STATUS))
		return refuse(p, name, NULL, "expected '=' and a %s",
			      kind == VALUE_TIME    ? "time, as delay=300ms"
			      : kind == VALUE_BYTES ? "number of bytes, as short=3"
						    : "status, as status=errWRITE");
	if (!has_value)
		return 0;
	if (kind == VALUE_STATUS)
		return parse_status(p, w);
	if (kind == VALUE_TIME || kind == VALUE_TIME_MAYBE)
		return parse_time(p, w, &r->value);
	return number(w, 65535, &r->value) ? 0 : refuse(p, w, NULL, "expected a number of bytes up to 65535");
}

static int parse_on(struct parser *p, struct word w)
{
	struct word left, right = w;
	bool more = true;

	while (more) {
		int i;

		more = split(right, '+', &left, &right);
		i = find(left, request_names);
		if (i < 0)
			return refuse_listing(p, left, request_names, "a request");
		p->rule->on |= FAULT_BIT(i);
	}
	p->rule->has_on = true;
	if (p->rule->action == FAULT_STATUS && p->rule->on != FAULT_BIT(FAULT_GETSTATUS))
		return refuse(p, w, NULL, "'status' changes replies to getstatus and nothing else");
	return 0;
}

static int parse_count(struct parser *p, struct word w)
{
	struct fault_rule *r = p->rule;
	struct word left, right;
	uint64_t first = 1, last = FAULT_ALWAYS, every = 0;
	bool good;

	if (find(w, count_names) == 0)
		good = true;
	else if (split(w, ':', &left, &right) && left.length == 5 && !strncasecmp(left.at, "every", 5))
		good = number(right, FAULT_ALWAYS - 1, &every) && every;
	else
		good = range(w, FAULT_ALWAYS - 1, &first, &last) && first;
	if (!good)
		return refuse(p, w, NULL, "expected a number from 1, a range as 3-5, every:N or any");
	r->has_count = true;
	r->count_first = (uint32_t)first;
	r->count_last = (uint32_t)last;
	r->count_every = (uint32_t)every;
	return 0;
}

static int parse_probability(struct parser *p, struct word w)
{
	uint64_t out = 0;
	bool percent = w.length && w.at[w.length - 1] == '%';
	struct word digits = { w.at, w.length - percent };

	if (!decimal(digits, percent ? FAULT_CERTAIN / 100 : FAULT_CERTAIN, FAULT_CERTAIN, &out) || !out)
		return refuse(p, w, NULL, "expected a probability, as 0.25 or 25%%, above 0 and up to 1");
	p->rule->probability = (uint32_t)out;
	return 0;
}

static int parse_condition(struct parser *p, enum condition c, struct word w)
{
	struct fault_rule *r = p->rule;
	uint64_t first, last;
	int i;

	switch (c) {
	case ON:
		return parse_on(p, w);
	case BLOCK:
		if (!range(w, 65535, &first, &last))
			return refuse(p, w, NULL, "expected a block number up to 65535, or a range as 2-9");
		r->has_block = true;
		r->block_first = (uint16_t)first;
		r->block_last = (uint16_t)last;
		return 0;
	case ADDRESS:
		if (!range(w, UINT32_MAX, &first, &last))
			return refuse(p, w, NULL, "expected an address, as 0x08004000, or a range with '-'");
		r->has_address = true;
		r->address_first = (uint32_t)first;
		r->address_last = (uint32_t)last;
		return 0;
	case STATE:
		i = find(w, state_names);
		if (i < 0)
			return refuse_listing(p, w, state_names, "a state");
		r->has_state = true;
		r->state = (uint8_t)(i + DFU_IDLE);
		return 0;
	case COUNT:
		return parse_count(p, w);
	case PROBABILITY:
		return parse_probability(p, w);
	case FROM:
		return parse_time(p, w, &r->from_us);
	case AFTER:
		return parse_time(p, w, &r->after_us);
	}
	return -EINVAL;
}

/* A condition that the action has no use for is a mistake, not to be passed over. */
static int check_condition(struct parser *p, enum condition c, struct word name)
{
	bool on_transfer = c == ON || c == BLOCK || c == ADDRESS || c == STATE;

	if (p->given & 1u << c)
		return refuse(p, name, NULL, "this condition is there already");
	if (c == AFTER && (!fault_acts_on_board(p->rule->action) || p->rule->action == FAULT_FLAKY_HSE))
		return refuse(p, name, NULL, "'after' goes with unplug, power-cut and reset (for a transfer: delay)");
	if (on_transfer && p->rule->action == FAULT_FLAKY_HSE)
		return refuse(p, name, NULL, "'flaky-hse' is decided at boot: expected count, probability or from");
	p->given |= 1u << c;
	return 0;
}

/* Up to the next separator. False at the end of the text. */
static bool next_word(struct parser *p, struct word *w)
{
	while (is_blank(*p->at))
		p->at++;
	w->at = p->at;
	while (*p->at && !is_blank(*p->at))
		p->at++;
	w->length = (size_t)(p->at - w->at);
	return w->length > 0;
}

static int parse_conditions(struct parser *p)
{
	struct word w, name, value;

	while (next_word(p, &w)) {
		bool has_value = split(w, '=', &name, &value);
		int c = find(name, condition_names);
		int r;

		if (c < 0)
			return refuse_listing(p, name, condition_names, "a condition");
		if (!has_value)
			return refuse(p, value, NULL, "expected '=' and a value after '%s'", condition_names[c]);
		r = check_condition(p, (enum condition)c, name);
		if (!r)
			r = parse_condition(p, (enum condition)c, value);
		if (r)
			return r;
	}
	return 0;
}

int fault_rule_parse(const char *text, struct fault_rule *rule, struct fault_rule_error *error)
{
	struct parser p = { .text = text, .at = text, .rule = rule, .error = error };
	struct word w, name, value;
	bool has_value;
	int i, r;

	memset(rule, 0, sizeof(*rule));
	rule->probability = FAULT_CERTAIN;
	rule->count_first = rule->count_last = 1;
	next_word(&p, &w);
	has_value = split(w, '=', &name, &value);
	i = find(name, action_names);
	if (i < 0)
		return refuse_listing(&p, name, action_names, "an action");
	rule->action = (enum fault_action)i;
	r = parse_action_value(&p, name, value, has_value);
	if (!r)
		r = parse_conditions(&p);
	if (r)
		return r;
	if (!rule->has_on)
		rule->on = FAULT_BIT(rule->action == FAULT_STATUS ? FAULT_GETSTATUS : FAULT_DFU);
	return 0;
}

bool fault_acts_on_board(enum fault_action action)
{
	return action >= FAULT_UNPLUG;
}

bool fault_rule_is_timed(const struct fault_rule *r)
{
	return fault_acts_on_board(r->action) && r->action != FAULT_FLAKY_HSE && !r->has_on && !r->has_block &&
	       !r->has_address && !r->has_state && !r->has_count;
}

const char *fault_action_name(enum fault_action action)
{
	return (unsigned)action < FAULT_ACTIONS ? action_names[action] : "?";
}

/* Back to text */

struct writer {
	char *text;
	size_t size, used;
	unsigned conditions;
};

static void put(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct writer *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->used, w->size - w->used, format, args);
	va_end(args);
	if (n > 0)
		w->used += (size_t)n < w->size - w->used ? (size_t)n : w->size - w->used - 1;
}

static void put_name(struct writer *w, enum condition c)
{
	put(w, "%s%s=", w->conditions++ ? "," : " ", condition_names[c]);
}

static void put_time(struct writer *w, uint64_t us)
{
	char text[32];

	fault_time_format(us, text, sizeof(text));
	put(w, "%s", text);
}

static void put_action(struct writer *w, const struct fault_rule *r)
{
	put(w, "%s", action_names[r->action]);
	if (!r->has_value)
		return;
	put(w, "=");
	switch (action_values[r->action]) {
	case VALUE_TIME:
	case VALUE_TIME_MAYBE:
		put_time(w, r->value);
		break;
	case VALUE_STATUS:
		if (r->value < DFU_STATUSES)
			put(w, "%s", status_names[r->value]);
		else
			put(w, "0x%02x", (unsigned)r->value);
		if (r->has_reply_state)
			put(w, ":%s", dfu_state_name(r->reply_state));
		break;
	case VALUE_NONE:
	case VALUE_BYTES:
	case VALUE_BYTES_MAYBE:
		put(w, "%u", (unsigned)r->value);
		break;
	}
}

static void put_on(struct writer *w, uint32_t on)
{
	bool first = true;

	put_name(w, ON);
	for (unsigned i = 0; i < FAULT_REQUESTS; i++) {
		if (!(on & FAULT_BIT(i)))
			continue;
		put(w, "%s%s", first ? "" : "+", request_names[i]);
		first = false;
	}
}

static void put_count(struct writer *w, const struct fault_rule *r)
{
	put_name(w, COUNT);
	if (r->count_every)
		put(w, "every:%u", r->count_every);
	else if (r->count_last == FAULT_ALWAYS)
		put(w, "any");
	else if (r->count_first == r->count_last)
		put(w, "%u", r->count_first);
	else
		put(w, "%u-%u", r->count_first, r->count_last);
}

void fault_rule_format(const struct fault_rule *r, char *text, size_t size)
{
	struct writer w = { .text = text, .size = size };

	put_action(&w, r);
	if (r->has_on)
		put_on(&w, r->on);
	if (r->has_block) {
		put_name(&w, BLOCK);
		put(&w, r->block_first == r->block_last ? "%u" : "%u-%u", r->block_first, r->block_last);
	}
	if (r->has_address) {
		put_name(&w, ADDRESS);
		put(&w, r->address_first == r->address_last ? "0x%08x" : "0x%08x-0x%08x", r->address_first,
		    r->address_last);
	}
	if (r->has_state) {
		put_name(&w, STATE);
		put(&w, "%s", dfu_state_name(r->state));
	}
	if (r->has_count)
		put_count(&w, r);
	if (r->probability != FAULT_CERTAIN) {
		put_name(&w, PROBABILITY);
		put(&w, "0.%06u", r->probability);
	}
	if (r->from_us) {
		put_name(&w, FROM);
		put_time(&w, r->from_us);
	}
	if (r->after_us) {
		put_name(&w, AFTER);
		put_time(&w, r->after_us);
	}
}
