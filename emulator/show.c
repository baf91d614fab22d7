// SPDX-License-Identifier: GPL-2.0-or-later
/* dfuemu show: from the command line through the capture to the exit status. */
#include "show.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "exec.h"
#include "say.h"
#include "show_internal.h"
#include "suggest.h"

#define EXIT_DAMAGED 1
#define PROFILES 64
#define ALL_DFU (((1u << DFUSE_OPS) - 1) & ~(1u << OP_NONE))
#define OUT_BYTES 65536

void show_help(void)
{
	puts("usage: dfuemu show [OPTIONS] CAPTURE\n"
	     "\n"
	     "Print what was said to boards in DFU mode, as a time line, and what became of their memories. CAPTURE is "
	     "a\n"
	     "pcapng or pcap file with packets of Linux's usbmon or of USBPcap, as dfuemu, Wireshark, tcpdump and "
	     "QEMU\n"
	     "write them; - is standard input. Exit status: 0; 1 the capture is damaged, what could be read is shown; "
	     "125\n"
	     "it cannot be read.\n"
	     "\n"
	     "      --json            for programs: one object\n"
	     "      --device DEVICE   only this: an address (5, or 1.5 on bus 1), or a serial number\n"
	     "      --request NAME    only these, each in a line of its own: ERASE, WRITE, GETSTATUS ... as in the "
	     "time\n"
	     "                        line, OTHER for what is no DFU, or ALL; may be repeated\n"
	     "      --summary         no time line\n"
	     "      --profile NAME    ROM of the boards: states and sectors that the capture does not tell\n"
	     "      --color WHEN      auto, always or never (auto: on a terminal, unless NO_COLOR is set)\n"
	     "  -h, --help            this text");
}

static int refuse(const char *format, const char *value, const char *near)
{
	const struct say say = { .stream = stderr };
	char why[256];

	snprintf(why, sizeof(why), format, value);
	say_error(&say, "show: %s%s%s%s", why, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
	return EXIT_OURS;
}

static int add_request(struct show *s, const char *name)
{
	const char *names[DFUSE_OPS + 2];
	unsigned n = 0;

	s->some_ops = true;
	if (!strcasecmp(name, "ALL")) {
		s->ops = ALL_DFU | 1u << OP_NONE;
		return 0;
	}
	if (!strcasecmp(name, "OTHER")) {
		s->ops |= 1u << OP_NONE;
		return 0;
	}
	for (unsigned op = OP_NONE + 1; op < DFUSE_OPS; op++) {
		names[n++] = dfuse_op_name((enum dfuse_op)op);
		if (!strcasecmp(name, names[n - 1])) {
			s->ops |= 1u << op;
			return 0;
		}
	}
	names[n++] = "OTHER";
	names[n] = NULL;
	return refuse("--request '%.60s': must be the name of a request in the time line, OTHER or ALL", name,
		      suggest_nearest(name, names));
}

static int set_profile(struct show *s, const char *name)
{
	const char *names[PROFILES];
	size_t n = 0;

	s->profile = mcu_profile_find(name);
	if (s->profile)
		return 0;
	for (const struct mcu_profile *const *p = mcu_profiles; *p && n < PROFILES - 4; p++) {
		names[n++] = (*p)->name;
		for (unsigned k = 0; (*p)->aliases[k]; k++)
			names[n++] = (*p)->aliases[k];
	}
	names[n] = NULL;
	return refuse("unknown profile '%.60s': 'dfuemu profiles' lists them", name, suggest_nearest(name, names));
}

/* "5", "1.5", also with ':' or '-'; what has more than three digits in one is a serial number. */
static int set_device(struct show *s, const char *text)
{
	unsigned bus, address;
	char between, more;
	size_t digits = strspn(text, "0123456789");

	if (!*text)
		return refuse("--device '%s': must be an address or a serial number", text, NULL);
	s->device = text;
	s->want_bus = s->want_address = -1;
	if (digits && digits <= 3 && !text[digits])
		s->want_address = atoi(text);
	else if (digits && digits <= 3 && sscanf(text, "%3u%c%3u%c", &bus, &between, &address, &more) == 3 &&
		 strchr(".:-", between)) {
		s->want_bus = (int)bus;
		s->want_address = (int)address;
	}
	if (s->want_address > 127)
		return refuse("--device '%.60s': addresses go from 1 to 127", text, NULL);
	return 0;
}

static int set_colour(struct show *s, const char *when)
{
	static const char *const words[] = { "auto", "always", "never", NULL };
	const char *no = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		s->colour = true;
	else if (!strcmp(when, "never"))
		s->colour = false;
	else if (!strcmp(when, "auto"))
		s->colour = isatty(STDOUT_FILENO) && (!no || !*no);
	else
		return refuse("--color '%.60s': must be auto, always or never", when, suggest_nearest(when, words));
	return 0;
}

/* 0; -1: help was printed; or the exit status. */
static int parse(struct show *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },          { "device", required_argument, NULL, 'd' },
		{ "request", required_argument, NULL, 'r' }, { "summary", no_argument, NULL, 's' },
		{ "profile", required_argument, NULL, 'p' }, { "color", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
	};
	static const char *const names[] = { "--json",  "--device",  "--request", "--summary",
					     "--color", "--profile", "--help",    NULL };
	int c, status = 0;

	optind = 0;
	opterr = 0;
	while (!status && (c = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		switch (c) {
		case 'j':
			s->json = true;
			break;
		case 'd':
			status = set_device(s, optarg);
			break;
		case 'r':
			status = add_request(s, optarg);
			break;
		case 's':
			s->summary = true;
			break;
		case 'p':
			status = set_profile(s, optarg);
			break;
		case 'c':
			status = set_colour(s, optarg);
			break;
		case 'h':
			show_help();
			return -1;
		case ':':
			return refuse("option '%.60s' needs a value: try 'dfuemu help show'", argv[optind - 1], NULL);
		default:
			return refuse("unknown option '%.60s': try 'dfuemu help show'", argv[optind - 1],
				      suggest_nearest(argv[optind - 1], names));
		}
	}
	if (status)
		return status;
	if (optind == argc)
		return refuse("%s: dfuemu show [OPTIONS] CAPTURE", "no capture", NULL);
	if (argc - optind > 1)
		return refuse("one capture at a time: '%.100s' is one too many", argv[optind + 1], NULL);
	s->path = argv[optind];
	return 0;
}

static struct show_board *find_board(struct show *s, unsigned number)
{
	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		if (s->boards[i].number == number)
			return &s->boards[i];
	return NULL;
}

/* Of those that were listed and then not spoken to as boards. */
static struct show_board *forget_oldest(struct show *s)
{
	struct show_board *oldest = NULL;

	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		if (s->boards[i].number & UNNUMBERED && (!oldest || s->boards[i].number < oldest->number))
			oldest = &s->boards[i];
	if (!oldest)
		return NULL;
	picture_free(&oldest->picture);
	memset(oldest, 0, sizeof(*oldest));
	return oldest;
}

struct show_board *show_board(struct show *s, unsigned number)
{
	struct show_board *b = find_board(s, number);

	if (b)
		return b;
	b = find_board(s, 0);
	if (!b)
		b = forget_oldest(s);
	if (!b)
		return NULL;
	b->number = number;
	picture_init(&b->picture);
	for (unsigned k = 0; s->profile && k < s->profile->string_count; k++)
		if (s->profile->strings[k] && picture_layout(&b->picture, s->profile->strings[k]))
			s->no_memory = true;
	return b;
}

static struct show_device *device_of(struct show *s, const struct transcript_stream *stream, const struct exchange *x)
{
	struct transcript_device facts;
	struct show_device *d = NULL;

	if (!x->incarnation || !transcript_stream_device(stream, x->incarnation, &facts))
		return NULL;
	for (unsigned i = s->device_count; i && !d; i--)
		if (s->devices[i - 1].incarnation == x->incarnation)
			d = &s->devices[i - 1];
	if (!d && s->device_count == SHOW_DEVICES) {
		memmove(&s->devices[0], &s->devices[1], (SHOW_DEVICES - 1) * sizeof(s->devices[0]));
		s->device_count--;
		for (unsigned i = 0; i < s->device_count; i++)
			s->devices[i].facts.serial = s->devices[i].serial;
	}
	if (!d) {
		memset(&s->devices[s->device_count], 0, sizeof(s->devices[0]));
		d = &s->devices[s->device_count++];
		d->incarnation = x->incarnation;
	}
	d->facts = facts;
	snprintf(d->serial, sizeof(d->serial), "%s", facts.serial);
	d->facts.serial = d->serial;
	d->exchanges++;
	return d;
}

static bool is_wanted(const struct show *s, const struct exchange *x, const struct show_device *d)
{
	if (!s->device)
		return true;
	if (s->want_address >= 0)
		return x->device == s->want_address && (s->want_bus < 0 || x->bus == s->want_bus);
	return d && !strcasecmp(d->serial, s->device);
}

/* A string descriptor that is the layout of a memory. They are read before the first request of DFU, when the board has no number. */
static void learn_layout(struct show *s, struct show_board *b, const struct exchange *x)
{
	char text[128];
	size_t n = 0;

	if (x->setup.type != 0x80 || x->setup.request != 6 || x->setup.value >> 8 != 3 || x->length < 4 ||
	    x->data[2] != '@')
		return;
	for (size_t at = 2; at + 1 < x->length && at < x->data[0] && n < sizeof(text) - 1; at += 2)
		text[n++] = x->data[at + 1] || x->data[at] < ' ' ? '?' : (char)x->data[at];
	text[n] = '\0';
	if (picture_layout(&b->picture, text))
		s->no_memory = true;
}

/* What was learnt before the device proved to be a board that is known. */
static void give_back(struct show_board *known, struct show_board *waiting)
{
	if (!known->picture.layout.span_count) {
		known->picture.layout = waiting->picture.layout;
		memcpy(known->picture.first_mark, waiting->picture.first_mark, sizeof(known->picture.first_mark));
		known->picture.marks = waiting->picture.marks;
		known->picture.mark_count = waiting->picture.mark_count;
		waiting->picture.marks = NULL;
	}
	picture_free(&waiting->picture);
	memset(waiting, 0, sizeof(*waiting));
}

/* The place of a device in DFU mode: by its board's number, or until it has one, by its incarnation. */
static struct show_board *place_of(struct show *s, const struct exchange *x)
{
	unsigned unnumbered = UNNUMBERED | x->incarnation;
	struct show_board *known = x->board ? find_board(s, x->board) : NULL, *waiting = find_board(s, unnumbered);

	if (!x->board)
		return waiting ? waiting : show_board(s, unnumbered);
	if (known && waiting)
		give_back(known, waiting);
	if (known)
		return known;
	if (!waiting)
		return show_board(s, x->board);
	waiting->number = x->board;
	return waiting;
}

static bool is_layout(const struct exchange *x)
{
	return x->setup.type == 0x80 && x->setup.request == 6 && x->setup.value >> 8 == 3 && x->length >= 4 &&
	       x->data[2] == '@';
}

static void look_at(struct show *s, const struct transcript_stream *stream, const struct exchange *x)
{
	struct show_device *d = device_of(s, stream, x);
	struct show_board *b = NULL;

	s->exchanges++;
	if (!is_wanted(s, x, d))
		return;
	s->wanted++;
	s->requests += x->op != OP_NONE;
	if (x->incarnation && (x->board || is_layout(x)))
		b = place_of(s, x);
	if (b)
		learn_layout(s, b, x);
	if (b && x->op != OP_NONE && b->incarnation != x->incarnation) {
		show_close(s, b);
		b->incarnation = x->incarnation;
		if (d && !s->json && !s->summary)
			show_arrival(s, x, &d->facts);
	}
	if (b && x->op != OP_NONE)
		picture_feed(&b->picture, x);
	if (s->summary || !(s->ops & 1u << x->op))
		return;
	if (s->json)
		show_exchange_json(s, b, x);
	else
		show_line(s, b, x);
}

/* None of the packets is one that can be read. */
static bool is_of_no_use(const struct capture_damage *d, const struct capture_reader *reader)
{
	uint64_t packets = capture_reader_packets(reader);

	return d->no_capture || d->empty || (!packets && d->read_error) ||
	       (packets && d->foreign + d->malformed == packets);
}

static int go_through(struct show *s, struct capture_reader *reader, struct transcript_stream *stream)
{
	const struct say say = { .stream = stderr };
	struct capture_damage damage;
	struct exchange x;
	char text[CAPTURE_DAMAGE_TEXT];
	int more;

	while ((more = transcript_stream_next(stream, &x)) > 0 && !s->no_memory && !ferror(stdout)) {
		errno = 0;
		look_at(s, stream, &x);
		if (ferror(stdout))
			s->write_error = errno;
	}
	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		show_close(s, &s->boards[i]);
	damage = transcript_stream_damage(stream);
	s->last_us = transcript_stream_last_us(stream);
	if (more < 0 || s->no_memory) {
		say_error(&say, "show: %s", strerror(ENOMEM));
		return EXIT_OURS;
	}
	if (is_of_no_use(&damage, reader)) {
		say_error(&say, "%s: %s", s->path, capture_damage_text(&damage, 0, text));
		return EXIT_OURS;
	}
	if (!ferror(stdout))
		show_summary(s, stream, reader, &damage);
	if (fflush(stdout))
		s->write_error = errno;
	if (ferror(stdout)) {
		say_error(&say, "cannot write to standard output: %s", strerror(s->write_error));
		return EXIT_OURS;
	}
	if (s->device && !s->wanted)
		say_warning(&say, "show: nothing was said to device '%.60s' in '%.200s'", s->device, s->path);
	return capture_is_damaged(&damage) ? EXIT_DAMAGED : 0;
}

static int show(struct show *s, int fd)
{
	struct transcript_facts facts = transcript_facts_of(s->profile);
	struct capture_reader *reader = capture_reader_from_fd(fd);
	struct transcript_stream *stream = reader ? transcript_stream_new(reader, &facts) : NULL;
	int status = EXIT_OURS;

	writer_init(&s->writer, true);
	if (s->json) {
		writer_string(&s->writer, "file", s->path);
		writer_array(&s->writer, "requests");
	}
	if (stream)
		status = go_through(s, reader, stream);
	else
		refuse("%s", strerror(ENOMEM), NULL);
	writer_free(&s->writer);
	transcript_stream_free(stream);
	capture_reader_free(reader);
	return status;
}

int show_main(int argc, char **argv)
{
	static char buffer[OUT_BYTES]; /* stdout's, to the end of the process */
	struct show *s = calloc(1, sizeof(*s));
	int status, fd;

	if (!s)
		return refuse("%s", strerror(ENOMEM), NULL);
	s->want_bus = s->want_address = -1;
	status = set_colour(s, "auto");
	if (!status)
		status = parse(s, argc, argv);
	if (status) {
		free(s);
		return status < 0 ? 0 : status;
	}
	if (!s->some_ops)
		s->ops = ALL_DFU;
	fd = strcmp(s->path, "-") ? open(s->path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0) {
		const struct say say = { .stream = stderr };

		say_error(&say, "cannot open '%s': %s", s->path, strerror(errno));
		free(s);
		return EXIT_OURS;
	}
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = show(s, fd);
	if (fd != STDIN_FILENO)
		close(fd);
	for (unsigned i = 0; i < SHOW_BOARDS; i++)
		picture_free(&s->boards[i].picture);
	free(s);
	return status;
}
