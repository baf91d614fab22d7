// SPDX-License-Identifier: GPL-2.0-or-later
/* Rig: the boards in this process, on a private bus. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "capture_reader.h"
#include "faults.h"
#include "rig_desk.h"

#define SETTLE_US 30000000u

static const struct options_for desk_options = { FOR_EXEC, "exec", PRIVATE_BUS_PORTS };

/* --- what happens --- */

static void board_event(void *context, const struct desk_event *e)
{
	struct desk_rig *r = context;

	if (!e->mcu)
		return;
	if (e->mcu->type == MCU_EVENT_RESET && e->board <= PRIVATE_BUS_PORTS)
		r->causes[e->board] = e->mcu->cause;
	if (e->board <= PRIVATE_BUS_PORTS)
		board_signs_heard(&r->signs[e->board], e->mcu);
	if (!rig_event_is_kept(e->mcu))
		return;
	if (r->event_count == r->event_room) {
		size_t room = r->event_room ? 2 * r->event_room : 256;
		struct rig_event *more = realloc(r->events, room * sizeof(*more));

		if (!more)
			return;
		r->events = more;
		r->event_room = room;
	}
	r->events[r->event_count++] = (struct rig_event){ .board = e->board, .event = *e->mcu };
}

/* --- the desk --- */

/* The line that was said last, without the name of a program that the user has not called. */
static void explain(struct desk_rig *r, char why[RIG_WHY])
{
	static const char prefix[] = "dfuemu: ";
	const char *line;

	fflush(r->say.stream);
	while (r->said_length && r->said[r->said_length - 1] == '\n')
		r->said[--r->said_length] = 0;
	line = r->said_length ? strrchr(r->said, '\n') : NULL;
	line = line ? line + 1 : r->said;
	if (!strncmp(line, prefix, strlen(prefix)))
		line += strlen(prefix);
	snprintf(why, RIG_WHY, "%s", *line ? line : "out of memory");
}

static int word(struct desk_rig *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int word(struct desk_rig *r, const char *format, ...)
{
	va_list args;
	int n;

	if (r->word_count == DESK_WORDS)
		return -E2BIG;
	va_start(args, format);
	n = vasprintf(&r->words[r->word_count], format, args);
	va_end(args);
	if (n < 0) {
		r->words[r->word_count] = NULL;
		return -ENOMEM;
	}
	r->word_count++;
	return 0;
}

/* The desk in the words of `dfuemu exec`: one reading and one set of messages for both. */
static int describe_desk(struct desk_rig *r, const struct rig_setup *s)
{
	static const char *const times[] = {
		[DURATION_TYPICAL] = "typical", [DURATION_MAXIMUM] = "maximum", [DURATION_RANDOM] = "random"
	};
	int bad = word(r, "exec") | word(r, "--profile=%s", s->profile) | word(r, "--boards=%u", s->boards) |
		  word(r, "--boot0=%s", s->boot0 ? "high" : "low") | word(r, "--boot1=%s", s->boot1 ? "high" : "low") |
		  word(r, "--erase-times=%s", times[s->erase_times]) |
		  word(r, "--app=%s", rig_application_word(s->application)) |
		  word(r, "--seed=%llu", (unsigned long long)s->seed) | word(r, "--capture=%s", s->capture);

	/* The limit of a tool is an event of the bench, which would have plain virtual time skip every sleep anyway; saying so
	 * makes it the same from the first call on, limit or not. */
	if (s->time == RIG_TIME_VIRTUAL)
		bad |= word(r, "--time=virtual-always");
	else
		bad |= word(r, "--time=x%.3f", s->scale);
	for (unsigned i = 0; s->serials && i < s->boards && s->serials[i]; i++)
		bad |= word(r, "--serial=%s", s->serials[i]);
	for (size_t i = 0; i < s->bystander_count; i++)
		bad |= word(r, "--also=%s%s", s->bystanders[i].descriptors, s->bystanders[i].denied ? ":denied" : "");
	return bad;
}

static void warn(void *context, const char *line)
{
	struct desk_rig *r = context;

	if (r->run && r->run->warned)
		r->run->warned(r->run->context, line);
	else
		say_warning(&r->say, "%s", line);
}

static int plug_all(struct desk_rig *r)
{
	struct usbdev *device;
	bool denied;

	for (unsigned i = 0; (device = desk_device(r->desk, i, &denied)); i++) {
		int port = private_bus_add(r->bus, device, denied);

		if (port < 0)
			return port;
		if (i < r->options.boards)
			r->ports[i + 1] = port;
	}
	private_bus_settle(r->bus, SETTLE_US);
	return 0;
}

static const struct rig_ops desk_ops;

static int open_desk(struct desk_rig *r, const struct rig_setup *s, char why[RIG_WHY])
{
	struct private_bus_options bus = { .warn = warn, .context = r };
	char mistake[OPTIONS_WHY], broken[PRIVATE_BUS_ERROR];
	int error;

	r->say.stream = open_memstream(&r->said, &r->said_length);
	r->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!r->say.stream || r->nothing < 0 || describe_desk(r, s)) {
		snprintf(why, RIG_WHY, "cannot describe the desk: out of memory, or too many boards and bystanders");
		return -ENOMEM;
	}
	error = options_parse(&r->options, &desk_options, r->word_count, r->words, mistake);
	if (error) {
		snprintf(why, RIG_WHY, "%.*s", RIG_WHY - 1, mistake);
		return -EINVAL;
	}
	r->desk = desk_new(&r->options, &r->say);
	if (!r->desk) {
		explain(r, why);
		return -EINVAL;
	}
	/* Held from here on: the path may be another file by the time that a tool has run. */
	r->recorded = open(r->options.capture, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (r->recorded < 0) {
		snprintf(why, RIG_WHY, "cannot open '%s': %s", r->options.capture, strerror(errno));
		return -EIO;
	}
	desk_listen(r->desk, board_event, r);
	desk_tool_setup(r);
	desk_power_up(r->desk);
	for (unsigned i = 1; i <= s->boards; i++) {
		if (!s->plugged)
			mcu_set_pin(desk_mcu(r->desk, i), PIN_VBUS, false);
		if (!s->powered)
			mcu_set_pin(desk_mcu(r->desk, i), PIN_VDD, false);
	}
	bus.time = r->options.time;
	bus.scale = r->options.scale;
	r->bus = private_bus_new(desk_bench(r->desk), &bus, broken);
	if (!r->bus) {
		snprintf(why, RIG_WHY, "%s", broken);
		return -EIO;
	}
	error = plug_all(r);
	if (error)
		snprintf(why, RIG_WHY, "cannot set up the bus: %s", strerror(-error));
	return error;
}

static void desk_close(struct rig *rig)
{
	struct desk_rig *r = desk_of(rig);

	private_bus_free(r->bus);
	if (r->desk) {
		bench_cancel(desk_bench(r->desk), &r->limit);
		bench_cancel(desk_bench(r->desk), &r->interrupt);
		desk_listen(r->desk, NULL, NULL);
		desk_save(r->desk);
	}
	desk_free(r->desk);
	options_free(&r->options);
	if (r->has_transcript)
		transcript_free(&r->transcript);
	if (r->say.stream)
		fclose(r->say.stream);
	if (r->nothing >= 0)
		close(r->nothing);
	if (r->recorded >= 0)
		close(r->recorded);
	for (int i = 0; i < r->word_count; i++)
		free(r->words[i]);
	for (unsigned i = 0; i <= PRIVATE_BUS_PORTS; i++)
		board_signs_clear(&r->signs[i]);
	free(r->said);
	free(r->events);
	free(r);
}

struct rig *rig_desk_open(const struct rig_setup *setup, char why[RIG_WHY])
{
	struct desk_rig *r = calloc(1, sizeof(*r));

	assert(setup->capture && setup->boards);
	if (!r) {
		snprintf(why, RIG_WHY, "%s", strerror(ENOMEM));
		return NULL;
	}
	r->rig.ops = &desk_ops;
	r->nothing = r->recorded = -1;
	if (open_desk(r, setup, why)) {
		desk_close(&r->rig);
		return NULL;
	}
	return &r->rig;
}

/* --- time, pins, cables --- */

static uint64_t desk_now(struct rig *rig)
{
	return bench_now_us(desk_bench(desk_of(rig)->desk));
}

static int desk_pass(struct rig *rig, uint64_t us)
{
	return private_bus_skip(desk_of(rig)->bus, desk_now(rig) + us);
}

static int desk_pin(struct rig *rig, unsigned board, enum mcu_pin pin, bool high)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	if (!mcu)
		return -ENOENT;
	private_bus_sync(desk_of(rig)->bus);
	mcu_set_pin(mcu, pin, high);
	return 0;
}

struct wanted {
	struct desk_rig *rig;
	unsigned board;
	uint16_t vendor, product;
	bool there;
};

static bool is_at(const struct wanted *w, int port)
{
	const struct usb_description *d = port ? private_bus_description(w->rig->bus, port) : NULL;

	return d && (d->device[8] | d->device[9] << 8) == w->vendor &&
	       (d->device[10] | d->device[11] << 8) == w->product;
}

static bool is_as_wanted(void *context)
{
	const struct wanted *w = context;
	bool found = w->board && is_at(w, w->rig->ports[w->board]);

	for (int port = 1; !w->board && port <= PRIVATE_BUS_PORTS; port++)
		found |= is_at(w, port);
	return found == w->there;
}

static int desk_wait_usb(struct rig *rig, unsigned board, uint16_t vendor, uint16_t product, bool there,
			 uint64_t limit_us)
{
	struct wanted wanted = { desk_of(rig), board, vendor, product, there };
	int r;

	if (board > PRIVATE_BUS_PORTS)
		return -ENOENT;
	r = private_bus_wait(desk_of(rig)->bus, is_as_wanted, &wanted, limit_us);
	return r < 0 ? r : r ? 0 : -ETIMEDOUT;
}

struct awaited {
	const struct console_text *console;
	const char *regex;
	bool fresh;
};

static bool is_said(void *context)
{
	const struct awaited *a = context;

	return console_text_matches(a->console, a->regex, a->fresh);
}

static int desk_wait_console(struct rig *rig, unsigned board, const char *regex, bool fresh, uint64_t limit_us)
{
	struct awaited awaited = { .regex = regex, .fresh = fresh };
	int r;

	if (!board || board > PRIVATE_BUS_PORTS)
		return -ENOENT;
	awaited.console = &desk_of(rig)->signs[board].console;
	r = private_bus_wait(desk_of(rig)->bus, is_said, &awaited, limit_us);
	return r < 0 ? r : r ? 0 : -ETIMEDOUT;
}

static const char *desk_console_said(struct rig *rig, unsigned board)
{
	const char *text = board && board <= PRIVATE_BUS_PORTS ? desk_of(rig)->signs[board].console.text : NULL;

	return text ? text : "";
}

static int desk_console_send(struct rig *rig, unsigned board, const char *text)
{
	struct desk_rig *r = desk_of(rig);
	struct engine *engine = desk_engine(r->desk, board);
	size_t length = strlen(text), taken;

	if (!engine)
		return -ENOENT;
	private_bus_sync(r->bus);
	console_text_mark(&r->signs[board].console);
	taken = engine_console(engine, (const uint8_t *)text, length);
	if (taken == length)
		return 0;
	snprintf(r->why, sizeof(r->why),
		 taken ? "the application took %zu bytes of %zu"
		       : "the application does not listen on its serial console (yet?)",
		 taken, length);
	return -ENOTCONN;
}

struct awaited_sign {
	const struct board_signs *signs;
	const struct rig_sign *sign;
};

static bool is_shown(void *context)
{
	const struct awaited_sign *a = context;

	return board_signs_show(a->signs, a->sign);
}

static int desk_wait_sign(struct rig *rig, unsigned board, const struct rig_sign *sign, uint64_t limit_us)
{
	struct awaited_sign awaited = { .sign = sign };
	int r;

	if (!board || board > PRIVATE_BUS_PORTS)
		return -ENOENT;
	awaited.signs = &desk_of(rig)->signs[board];
	r = private_bus_wait(desk_of(rig)->bus, is_shown, &awaited, limit_us);
	return r < 0 ? r : r ? 0 : -ETIMEDOUT;
}

static int desk_button(struct rig *rig, unsigned board, bool pressed)
{
	struct engine *engine = desk_engine(desk_of(rig)->desk, board);

	if (!engine)
		return -ENOENT;
	private_bus_sync(desk_of(rig)->bus);
	return engine_button(engine, pressed);
}

static const struct rig_fault *desk_fault_of(struct rig *rig, unsigned board)
{
	const struct rig_fault *f = board && board <= PRIVATE_BUS_PORTS ? &desk_of(rig)->signs[board].fault : NULL;

	return f && f->count ? f : NULL;
}

/* --- without a tool --- */

static int desk_flash_load(struct rig *rig, unsigned board, uint32_t address, const uint8_t *data, size_t length)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	if (!mcu)
		return -ENOENT;
	if (flash_is_busy(mcu_flash(mcu)))
		return -EBUSY;
	if (address < mcu_profile(mcu)->flash_base)
		return -EFAULT;
	return flash_load(mcu_flash(mcu), address - mcu_profile(mcu)->flash_base, data, length);
}

static int desk_flash_read(struct rig *rig, unsigned board, uint32_t address, uint8_t *data, size_t length)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	return mcu ? flash_read(mcu_flash(mcu), address, data, length) : -ENOENT;
}

static int desk_options_load(struct rig *rig, unsigned board, const uint8_t *bytes)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	if (!mcu)
		return -ENOENT;
	if (flash_is_busy(mcu_flash(mcu)))
		return -EBUSY;
	flash_set_options(mcu_flash(mcu), bytes);
	return 0;
}

static int desk_options_read(struct rig *rig, unsigned board, uint8_t bytes[OPTION_MAX_BYTES])
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	if (!mcu)
		return -ENOENT;
	flash_read_options(mcu_flash(mcu), bytes);
	return 0;
}

static int desk_status(struct rig *rig, unsigned board, struct rig_status *status)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	if (!mcu)
		return -ENOENT;
	*status = (struct rig_status){
		.mode = mcu_mode(mcu),
		.state = mcu_dfu_state(mcu),
		.status = mcu_dfu_status(mcu),
		.cause = desk_of(rig)->causes[board],
		.rdp = flash_rdp(mcu_flash(mcu)),
		.busy = flash_is_busy(mcu_flash(mcu)),
		.serial = mcu_serial(mcu),
	};
	return 0;
}

static int desk_fault_add(struct rig *rig, unsigned board, const char *rule, char why[RIG_WHY])
{
	struct fault *fault = desk_fault(desk_of(rig)->desk, board);
	struct fault_rule parsed;
	char mistake[FAULTS_WHY];
	int id;

	if (!fault) {
		snprintf(why, RIG_WHY, "there is no board %u", board);
		return -ENOENT;
	}
	if (faults_parse(rule, &parsed, mistake)) {
		snprintf(why, RIG_WHY, "%.*s", RIG_WHY - 1, mistake);
		return -EINVAL;
	}
	private_bus_sync(desk_of(rig)->bus);
	id = fault_add(fault, &parsed);
	if (id < 0)
		snprintf(why, RIG_WHY, "there are %d rules already", FAULT_RULES);
	return id < 0 ? id : 0;
}

static int desk_fault_clear(struct rig *rig, unsigned board)
{
	struct fault *fault = desk_fault(desk_of(rig)->desk, board);

	if (!fault)
		return -ENOENT;
	fault_clear(fault);
	return 0;
}

static int desk_durations(struct rig *rig, enum flash_durations durations)
{
	struct desk_rig *r = desk_of(rig);

	for (unsigned i = 1; i <= desk_last_board(r->desk); i++)
		flash_set_durations(mcu_flash(desk_mcu(r->desk, i)), durations);
	return 0;
}

static int desk_software_entry(struct rig *rig, unsigned board)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	return mcu ? mcu_software_entry(mcu) : -ENOENT;
}

static const struct mcu_profile *desk_profile(struct rig *rig, unsigned board)
{
	struct mcu *mcu = desk_mcu(desk_of(rig)->desk, board);

	return mcu ? mcu_profile(mcu) : NULL;
}

/* --- what has happened --- */

/* The capture is written packet by packet: the file is whole whenever nothing runs. False: it is as it was, or cannot be read,
 * which the transcript then says: without requests nothing that is not to be in it would be missed. */
static bool capture_has_grown(struct desk_rig *r)
{
	struct stat st;

	if (fstat(r->recorded, &st) || lseek(r->recorded, 0, SEEK_SET) < 0) {
		r->transcript.damage = "it has gone";
		return false;
	}
	if (r->has_transcript && (size_t)st.st_size == r->capture_length)
		return false;
	r->capture_length = (size_t)st.st_size;
	return true;
}

static const struct transcript *desk_transcript(struct rig *rig)
{
	struct desk_rig *r = desk_of(rig);
	struct transcript_facts facts = transcript_facts_of(r->options.profile);
	const char *serials[PRIVATE_BUS_PORTS + 1] = { NULL };
	struct transcript_source source = { .facts = &facts };

	if (!capture_has_grown(r)) {
		if (desk_capture_error(r->desk))
			r->transcript.damage = strerror(-desk_capture_error(r->desk));
		return &r->transcript;
	}
	facts.serials = serials;
	for (unsigned i = 0; i < r->options.boards && i < PRIVATE_BUS_PORTS; i++) {
		serials[i] = mcu_serial(desk_mcu(r->desk, i + 1));
		/* With some ROMs all have the same: then by the order in which they come up. */
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(serials[i], serials[j]))
				facts.serials = NULL;
	}
	facts.has_origin = true;
	facts.origin_us = desk_epoch_us(r->desk);
	if (r->has_transcript)
		transcript_free(&r->transcript);
	r->transcript = (struct transcript){ 0 };
	source.reader = capture_reader_from_fd(r->recorded);
	if (!source.reader || transcript_read_from(&r->transcript, &source) == -ENOMEM)
		r->transcript.damage = "it is too large";
	capture_reader_free(source.reader);
	if (desk_capture_error(r->desk))
		r->transcript.damage = strerror(-desk_capture_error(r->desk));
	r->has_transcript = true;
	return &r->transcript;
}

static const struct rig_event *desk_events(struct rig *rig, size_t *count)
{
	*count = desk_of(rig)->event_count;
	return desk_of(rig)->events;
}

static int desk_look(struct rig *rig, unsigned board)
{
	(void)rig, (void)board;
	return 0;
}

static bool desk_crowded(struct rig *rig)
{
	(void)rig;
	return false;
}

static const char *desk_why(struct rig *rig)
{
	const struct desk_rig *r = desk_of(rig);

	return *r->why ? r->why : NULL;
}

static const struct rig_ops desk_ops = {
	.name = "emulated",
	.can = RIG_PINS | RIG_POWER | RIG_CABLE | RIG_PREPARE | RIG_READ | RIG_STATE | RIG_FAULTS | RIG_PROFILES |
	       RIG_BOARDS | RIG_TRANSCRIPT | RIG_DURATIONS | RIG_IRREVERSIBLE | RIG_SOFTWARE_ENTRY | RIG_DENIED |
	       RIG_CONSOLE | RIG_EVENTS | RIG_INSIDE | RIG_BOOT1 | RIG_FIRMWARE | RIG_SEND | RIG_LEDS | RIG_BUTTON,
	.pin = desk_pin,
	.pass = desk_pass,
	.wait_usb = desk_wait_usb,
	.wait_console = desk_wait_console,
	.console_said = desk_console_said,
	.console_send = desk_console_send,
	.wait_sign = desk_wait_sign,
	.button = desk_button,
	.fault = desk_fault_of,
	.now_us = desk_now,
	.run = desk_run,
	.crowded = desk_crowded,
	.look = desk_look,
	.flash_load = desk_flash_load,
	.flash_read = desk_flash_read,
	.options_load = desk_options_load,
	.options_read = desk_options_read,
	.status = desk_status,
	.fault_add = desk_fault_add,
	.fault_clear = desk_fault_clear,
	.durations = desk_durations,
	.software_entry = desk_software_entry,
	.profile = desk_profile,
	.transcript = desk_transcript,
	.events = desk_events,
	.why = desk_why,
	.close = desk_close,
};
