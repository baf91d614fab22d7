// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuhil host: a script plays the host. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "commands.h"
#include "dfuse.h"
#include "host.h"
#include "host_talk.h"
#include "host_script.h"
#include "host_usb.h"

#define FILES 256
#define FILE_BYTES (16u << 20)
#define TIMEOUT_US UINT64_C(40000000) /* the longest that a chip holds an answer is a mass erase, 32 s */
#define FIRST_DATA_BLOCK 2u

struct file {
	char *name; /* "" for the script itself */
	const char *path;
	uint8_t *data;
	size_t size;
};

struct host {
	struct file files[FILES];
	unsigned file_count;
	struct host_script *script;
	struct host_usb *usb;
	uint64_t timeout_us;
	bool verbose;
	size_t requests;
	/* the chunk that a line is at */
	size_t chunk, chunk_offset, chunk_length;
	uint8_t received[UINT16_MAX];
	struct host_talk talk;
};

static void usage(FILE *stream)
{
	fputs("usage: dfuhil host [OPTION...] SCRIPT|-\n\n"
	      "Send the requests of a script to a device with a DFU interface, and hold the answers against it.\n\n"
	      "  --file NAME=PATH     a file that the script names\n"
	      "  --usb VVVV:PPPP      the device, if the script does not open one itself; 0483:df11\n"
	      "  --serial S           its serial number, likewise\n"
	      "  -v, --verbose        print each request and its answer\n"
	      "  -h, --help           print this\n\n"
	      "Exit status: 0 all was answered as the script says, 1 not so, 2 usage or a bad script, 3 no USB.\n\n",
	      stream);
	fputs(host_script_help, stream);
}

/* Files */

static bool read_all(struct file *f, FILE *stream)
{
	size_t room = 0;

	for (;;) {
		uint8_t *more;

		if (f->size == room) {
			room = room ? 2 * room : 65536;
			more = realloc(f->data, room + 1);
			if (!more)
				return false;
			f->data = more;
		}
		f->size += fread(f->data + f->size, 1, room - f->size, stream);
		if (ferror(stream) || f->size > FILE_BYTES) {
			errno = ferror(stream) ? errno : EFBIG;
			return false;
		}
		if (feof(stream))
			return true;
	}
}

static bool load(struct file *f)
{
	bool is_stdin = !*f->name && !strcmp(f->path, "-");
	FILE *stream = is_stdin ? stdin : fopen(f->path, "rb");
	bool ok = stream && read_all(f, stream);

	if (!ok)
		fprintf(stderr, "dfuhil: cannot read '%s': %s\n", f->path, strerror(errno));
	if (stream && !is_stdin)
		fclose(stream);
	return ok;
}

static struct file *find(struct host *h, const char *name)
{
	for (unsigned i = 0; i < h->file_count; i++)
		if (!strcmp(h->files[i].name, name))
			return &h->files[i];
	return NULL;
}

static size_t length_of(struct host *h, const struct host_data *d)
{
	return d->has_length ? d->length : find(h, d->file)->size - d->offset;
}

/* That each is there, and has what is asked of it. */
static void check_files(struct host *h, struct problems *problems)
{
	const char *names[FILES + 1];
	const struct host_data *d;

	for (unsigned i = 0; i < h->file_count; i++)
		names[i] = h->files[i].name;
	names[h->file_count] = NULL;
	for (size_t i = 0; (d = host_script_file(h->script, i)); i++) {
		const struct file *f = find(h, d->file);

		if (!f && !h->file_count)
			problems_add(problems, d->mark, NULL, "file '%s' is not given: --file %s=PATH", d->file,
				     d->file);
		else if (!f)
			problems_unknown(problems, d->mark, NULL, "unknown file", d->file, names);
		else if (d->offset > f->size || (d->has_length && d->length > f->size - d->offset))
			problems_add(problems, d->mark, NULL, "'%s' has %zu bytes, not %zu from %zu on", d->file,
				     f->size, d->has_length ? d->length : 0, d->offset);
	}
	if (problems_count(problems))
		return;
	for (size_t i = 0; i < h->script->count; i++) {
		const struct host_step *s = &h->script->steps[i];

		if (s->data.kind == HOST_FILE && length_of(h, &s->data) > UINT16_MAX)
			problems_add(problems, s->data.mark, NULL,
				     "%zu bytes are more than a request can have: 'length N'", length_of(h, &s->data));
	}
}

/* Telling */

static void describe(char *out, size_t size, const struct host_step *s, const struct host *h, enum host_end end,
		     size_t actual)
{
	const uint8_t *r = h->received;

	if (end != HOST_OK)
		snprintf(out, size, "%s",
			 end == HOST_GONE   ? "the device is gone"
			 : end == HOST_LATE ? "no answer within the timeout"
					    : host_end_name(end));
	else if ((s->verb == HOST_GETSTATUS || s->verb == HOST_SETTLE) && actual == 6)
		snprintf(out, size, "%s %s, poll %u ms", dfu_state_name(r[4]), dfu_status_name(r[0]),
			 (unsigned)r[1] | (unsigned)r[2] << 8 | (unsigned)r[3] << 16);
	else if (s->verb == HOST_GETSTATE && actual == 1)
		snprintf(out, size, "%s", dfu_state_name(r[0]));
	else if (s->type & 0x80)
		snprintf(out, size, "%zu bytes", actual);
	else
		snprintf(out, size, "ok");
}

static void say_where(FILE *stream, const struct host *h, const struct host_step *s)
{
	fprintf(stream, "%s:%u:%u: %s", s->mark.file, s->mark.line, s->mark.column, s->text);
	if (s->each)
		fprintf(stream, " (chunk %zu of '%s', 0x%08zx)", h->chunk + 1, s->each->file.file,
			s->each->address + h->chunk_offset);
}

__attribute__((format(printf, 4, 5))) static bool differs(const struct host *h, const struct host_step *s,
							  const char *expected, const char *format, ...)
{
	va_list args;

	say_where(stderr, h, s);
	fprintf(stderr, ": expected %s, got ", expected);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return false;
}

static void name_bits(char *out, size_t size, uint16_t bits, const char *(*name)(unsigned))
{
	*out = 0;
	for (unsigned i = 0; i < 16; i++)
		if (bits >> i & 1)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? " or " : "", name(i));
}

/* Judging */

static const uint8_t *bytes_of(struct host *h, const struct host_step *s, const struct host_data *d, size_t *length)
{
	switch (d->kind) {
	case HOST_BYTES:
		*length = d->length;
		return d->bytes;
	case HOST_FILE:
		*length = length_of(h, d);
		return find(h, d->file)->data + d->offset;
	case HOST_CHUNK:
		*length = h->chunk_length;
		return find(h, s->each->file.file)->data + s->each->file.offset + h->chunk_offset;
	case HOST_NO_DATA:
		break;
	}
	*length = 0;
	return NULL;
}

static bool judge_status(struct host *h, const struct host_step *s, size_t actual)
{
	const uint8_t *r = h->received;
	unsigned state = s->verb == HOST_GETSTATE ? r[0] : r[4];
	uint32_t poll = (uint32_t)r[1] | (uint32_t)r[2] << 8 | (uint32_t)r[3] << 16;
	uint16_t states = s->wish.states;
	char got[160], want[200];

	if (s->verb == HOST_SETTLE && !states)
		states = 1u << DFU_DNLOAD_IDLE;
	describe(got, sizeof(got), s, h, HOST_OK, actual);
	if (actual != s->length) {
		snprintf(want, sizeof(want), "%u bytes", s->length);
		return differs(h, s, want, "%zu", actual);
	}
	name_bits(want, sizeof(want), states, dfu_state_name);
	if (states && (state > 15 || !(states >> state & 1)))
		return differs(h, s, want, "%s", got);
	name_bits(want, sizeof(want), s->wish.statuses, dfu_status_name);
	if (s->wish.statuses && (r[0] > 15 || !(s->wish.statuses >> r[0] & 1)))
		return differs(h, s, want, "%s", got);
	snprintf(want, sizeof(want), "poll %u ms", s->wish.poll_ms);
	if (s->wish.has_poll && poll != s->wish.poll_ms)
		return differs(h, s, want, "%s", got);
	return true;
}

static bool judge_data(struct host *h, const struct host_step *s, size_t actual, size_t asked)
{
	char want[64];
	size_t length, i = 0;
	const uint8_t *bytes = bytes_of(h, s, &s->wish.data, &length);

	if (s->wish.has_length)
		length = s->wish.length;
	else if (s->wish.data.kind == HOST_NO_DATA)
		return true;
	else if (s->wish.data.kind == HOST_FILE && !s->wish.data.has_length && length > asked)
		length = asked;
	snprintf(want, sizeof(want), "%zu bytes", length);
	if (actual != length)
		return differs(h, s, want, "%zu", actual);
	if (s->wish.has_length)
		return true;
	while (i < length && bytes[i] == h->received[i])
		i++;
	if (i == length)
		return true;
	snprintf(want, sizeof(want), "0x%02x as byte %zu", bytes[i], i);
	return differs(h, s, want, "0x%02x", h->received[i]);
}

static bool judge(struct host *h, const struct host_step *s, enum host_end end, size_t actual, size_t length)
{
	char got[160];
	bool as_wished = s->wish.end == HOST_ANY || s->wish.end == end || (s->wish.end == HOST_ERROR && end != HOST_OK);

	describe(got, sizeof(got), s, h, end, actual);
	if (h->verbose) {
		printf("%s:%u: %s: %s\n", s->mark.file, s->mark.line, s->text, got);
		fflush(stdout);
	}
	if (!as_wished)
		return differs(h, s,
			       s->wish.end == HOST_ERROR ? "an error"
			       : s->wish.end == HOST_OK  ? "an answer"
							 : host_end_name(s->wish.end),
			       "%s", got);
	if (end != HOST_OK || s->wish.end == HOST_ANY)
		return true;
	if (!(s->type & 0x80) && actual != length) {
		snprintf(got, sizeof(got), "%zu bytes to be taken", length);
		return differs(h, s, got, "%zu", actual);
	}
	if (s->verb == HOST_GETSTATUS || s->verb == HOST_SETTLE || s->verb == HOST_GETSTATE)
		return judge_status(h, s, actual);
	return judge_data(h, s, actual, length);
}

/* Doing */

static uint32_t poll_ms(const struct host *h)
{
	return (uint32_t)h->received[1] | (uint32_t)h->received[2] << 8 | (uint32_t)h->received[3] << 16;
}

static enum host_end request(struct host *h, const struct host_step *s, size_t *actual, size_t *length)
{
	uint8_t out[UINT16_MAX], *data = s->type & 0x80 ? h->received : out;
	uint16_t value = s->value, index = s->verb == HOST_CONTROL ? s->index : host_usb_interface(h->usb);
	const uint8_t *bytes;

	h->requests++;
	if (s->verb == HOST_SET_INTERFACE) {
		*actual = *length = 0;
		return host_usb_set_interface(h->usb, (uint8_t)s->value);
	}
	if (s->chunk_block)
		value = (uint16_t)(FIRST_DATA_BLOCK + h->chunk);
	if (s->type & 0x80) {
		*length = s->chunk_length ? h->chunk_length : s->length;
		memset(h->received, 0, *length);
	} else {
		bytes = bytes_of(h, s, &s->data, length);
		if (*length)
			memcpy(out, bytes, *length);
		for (unsigned i = 0; s->chunk_address && i < 4; i++)
			out[1 + i] = (uint8_t)((s->each->address + h->chunk_offset) >> 8 * i);
	}
	return host_usb_control(h->usb, s->type, s->request, value, index, data, (uint16_t)*length, h->timeout_us,
				actual);
}

static bool send_request(struct host *h, const struct host_step *s)
{
	size_t actual, length;
	uint64_t waited_us = 0;
	enum host_end end;

	for (;;) {
		end = request(h, s, &actual, &length);
		if (host_usb_signal(h->usb))
			return false;
		if (s->verb != HOST_SETTLE || end != HOST_OK || actual != 6 || h->received[4] != DFU_DNBUSY)
			break;
		/* A device that asks for no time is not to keep us for ever either. */
		waited_us += poll_ms(h) ? poll_ms(h) * UINT64_C(1000) : 1000;
		if (waited_us > s->time_us)
			break;
		if (!host_usb_sleep(h->usb, poll_ms(h) * UINT64_C(1000)))
			return false;
	}
	if (!judge(h, s, end, actual, length))
		return false;
	if (end == HOST_OK && actual == 6 && (s->wait || s->verb == HOST_SETTLE))
		return host_usb_sleep(h->usb, poll_ms(h) * UINT64_C(1000));
	return true;
}

/* What has to be open. */
static enum { HOLDS_NOTHING, HOLDS_DEVICE, HOLDS_DFU, HOLDS_PORT } needs(enum host_verb verb)
{
	switch (verb) {
	case HOST_OPEN:
	case HOST_OPEN_SERIAL:
	case HOST_SLEEP:
	case HOST_TIMEOUT:
	case HOST_EXPECT_GONE:
	case HOST_CLOSE:
		return HOLDS_NOTHING;
	case HOST_RESET:
	case HOST_CONTROL:
		return HOLDS_DEVICE;
	case HOST_SEND:
	case HOST_EXPECT:
		return HOLDS_PORT;
	default:
		return HOLDS_DFU;
	}
}

static bool opens(struct host *h, const struct host_step *s)
{
	char why[HOST_USB_WHY];

	host_talk_forget(&h->talk);
	if ((s->verb == HOST_OPEN ? host_usb_open : host_usb_open_serial)(h->usb, s->vendor, s->product, s->serial,
									  s->time_us, why))
		return true;
	say_where(stderr, h, s);
	fprintf(stderr, ": %s\n", why);
	return false;
}

/* Text that is sent or awaited. */
static bool talks(struct host *h, const struct host_step *s)
{
	char got[HOST_TALK_WHY];
	size_t length;
	bool well;

	const uint8_t *bytes = bytes_of(h, s, &s->data, &length);

	h->requests++;
	well = s->verb == HOST_SEND ? host_talk_send(h->usb, bytes, length, h->timeout_us, got)
				    : host_talk_expect(&h->talk, h->usb, s->regex, s->time_us, got);
	if (host_usb_signal(h->usb))
		return false;
	if (well && h->verbose)
		printf("%s:%u: %s: %s\n", s->mark.file, s->mark.line, s->text, got);
	return well || differs(h, s, s->verb == HOST_SEND ? "it to be taken" : "that", "%s", got);
}

static bool do_step(struct host *h, const struct host_step *s)
{
	enum host_end end;

	if (needs(s->verb) != HOLDS_NOTHING) {
		if (!host_usb_is_open(h->usb))
			return differs(h, s, "an open device", "none: it was closed");
		if (needs(s->verb) == HOLDS_PORT && !host_usb_is_serial(h->usb))
			return differs(h, s, "an open serial port", "a DFU interface: 'open-serial' opens one");
		if (needs(s->verb) == HOLDS_DFU && host_usb_is_serial(h->usb))
			return differs(h, s, "an open DFU interface", "a serial port: 'open' opens one");
	}
	switch (s->verb) {
	case HOST_OPEN:
	case HOST_OPEN_SERIAL:
		return opens(h, s);
	case HOST_SEND:
	case HOST_EXPECT:
		return talks(h, s);
	case HOST_CLOSE:
		host_usb_close(h->usb);
		return true;
	case HOST_RESET:
		end = host_usb_reset(h->usb);
		return end == HOST_OK || differs(h, s, "the device to come back", "%s",
						 end == HOST_GONE ? "none: it is gone" : host_end_name(end));
	case HOST_EXPECT_GONE:
		return host_usb_wait_gone(h->usb, s->time_us) ||
		       (!host_usb_signal(h->usb) &&
			differs(h, s, "the device to leave", "a device that is still there"));
	case HOST_SLEEP:
		return host_usb_sleep(h->usb, s->time_us);
	case HOST_TIMEOUT:
		h->timeout_us = s->time_us;
		return true;
	default:
		return send_request(h, s);
	}
}

/* The steps of a line with chunks, for all of them. */
static bool do_chunks(struct host *h, const struct host_step *s, size_t count)
{
	const struct host_each *each = s->each;
	size_t size = length_of(h, &each->file);

	for (size_t offset = 0, n = 0; offset < size; offset += each->size_bytes, n++)
		for (size_t i = 0; i < count; i++) {
			h->chunk = n;
			h->chunk_offset = offset;
			h->chunk_length = size - offset < each->size_bytes ? size - offset : each->size_bytes;
			if (!do_step(h, &s[i]) || host_usb_signal(h->usb))
				return false;
		}
	return true;
}

static bool play(struct host *h, const struct host_step *first)
{
	const struct host_step *s = h->script->steps, *end = s + h->script->count;

	if (!h->script->opens && !do_step(h, first))
		return false;
	while (s < end) {
		size_t n = 1;

		while (s->each && s + n < end && s[n].each == s->each)
			n++;
		if (s->each ? !do_chunks(h, s, n) : !do_step(h, s))
			return false;
		if (host_usb_signal(h->usb))
			return false;
		s += n;
	}
	return true;
}

static int run(struct host *h, const struct host_step *first)
{
	char why[HOST_USB_WHY];
	int status = 0, number;

	h->usb = host_usb_new(why);
	if (!h->usb) {
		fprintf(stderr, "dfuhil: %s\n", why);
		return HIL_UNFIT;
	}
	h->timeout_us = TIMEOUT_US;
	if (!play(h, first))
		status = HIL_FAILED;
	number = host_usb_signal(h->usb);
	host_usb_free(h->usb);
	host_talk_forget(&h->talk);
	if (number) {
		fprintf(stderr, "dfuhil: interrupted after %zu requests\n", h->requests);
		return 128 + number;
	}
	if (!status)
		printf("%zu requests, all answered as expected\n", h->requests);
	return status;
}

/* The command line */

static bool add_file(struct host *h, const char *word)
{
	const char *equals = strchr(word, '=');
	struct file *f = &h->files[h->file_count];

	if (!equals || equals == word || !equals[1]) {
		fprintf(stderr, "dfuhil: '--file %s': NAME=PATH was expected\n", word);
		return false;
	}
	if (h->file_count == FILES) {
		fprintf(stderr, "dfuhil: more than %u files\n", FILES);
		return false;
	}
	f->name = strndup(word, (size_t)(equals - word));
	f->path = equals + 1;
	if (!f->name || find(h, f->name)) {
		fprintf(stderr, "dfuhil: --file names '%s' twice\n", f->name ? f->name : "");
		free(f->name);
		return false;
	}
	h->file_count++;
	return load(f);
}

static int host_main_with(struct host *h, int argc, char **argv)
{
	static const struct option options[] = {
		{ "file", required_argument, NULL, 'f' },   { "usb", required_argument, NULL, 'u' },
		{ "serial", required_argument, NULL, 's' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	struct host_step first = { .mark = { "--usb", 1, 1 }, .verb = HOST_OPEN, .vendor = 0x0483, .product = 0xdf11 };
	struct file script = { .name = (char[]){ "" } };
	struct problems *problems;
	char text[80], serial[64] = "";
	unsigned vendor, product;
	int option, used, status = HIL_USAGE;

	optind = 0;
	while ((option = getopt_long(argc, argv, "+vh", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (!add_file(h, optarg))
				return HIL_USAGE;
			break;
		case 'u':
			if (sscanf(optarg, "%4x:%4x%n", &vendor, &product, &used) != 2 || optarg[used]) {
				fprintf(stderr, "dfuhil: '--usb %s': four hexadecimal digits each, as in 0483:df11\n",
					optarg);
				return HIL_USAGE;
			}
			first.vendor = (uint16_t)vendor;
			first.product = (uint16_t)product;
			break;
		case 's':
			snprintf(serial, sizeof(serial), "%s", optarg);
			first.serial = serial;
			break;
		case 'v':
			h->verbose = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			fputs("'dfuhil host --help' tells more\n", stderr);
			return HIL_USAGE;
		}
	}
	if (argc - optind != 1) {
		fputs(argc == optind ? "dfuhil: host: the script is missing ('dfuhil host --help' tells more)\n"
				     : "dfuhil: host: one script was expected ('dfuhil host --help' tells more)\n",
		      stderr);
		return HIL_USAGE;
	}
	script.path = argv[optind];
	problems = problems_new();
	if (problems && load(&script)) {
		struct mark at = { strcmp(script.path, "-") ? script.path : "stdin", 1, 1 };

		first.mark.file = at.file;
		snprintf(text, sizeof(text), "open %04x:%04x", first.vendor, first.product);
		first.text = text;
		h->script = host_script_parse(at, (const char *)script.data, script.size, problems);
		if (h->script)
			check_files(h, problems);
		if (problems_count(problems))
			problems_print(problems, stderr, isatty(STDERR_FILENO));
		else if (!h->script)
			fputs("dfuhil: out of memory\n", stderr);
		else
			status = run(h, &first);
	}
	problems_free(problems);
	free(script.data);
	return status;
}

int host_main(int argc, char **argv)
{
	struct host *h = calloc(1, sizeof(*h));
	int status;

	if (!h) {
		fputs("dfuhil: out of memory\n", stderr);
		return HIL_UNFIT;
	}
	status = host_main_with(h, argc, argv);
	host_script_free(h->script);
	for (unsigned i = 0; i < h->file_count; i++) {
		free(h->files[i].name);
		free(h->files[i].data);
	}
	free(h);
	return status;
}
