// SPDX-License-Identifier: GPL-2.0-or-later
/* Control socket: clients, lines, and a table of commands. */
#include "control.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "faults.h"
#include "savefile.h"
#include "suggest.h"

#define WORDS 64
#define RESET_PULSE_US 50000u
#define EVENTS_PER_TURN 32
#define OPTION_BYTES 16u

enum waiting { WAIT_NOTHING, WAIT_EVENT, WAIT_EVENTS, WAIT_TASK };

/* What `wait` waits for. */
struct wish {
	unsigned board;
	char name[16];   /* event_name() */
	char detail[40]; /* mode, cause or state; "" is any */
};

struct client {
	struct client *next;
	struct control *control;
	int fd;
	bool dead, ended; /* hung up on; the peer has said all */
	bool json, writing;
	bool discarding; /* an answer that ends the connection is on its way out */
	enum waiting waiting;
	struct wish wish;
	struct bench_event timeout;
	char in[CONTROL_LINE];
	size_t in_used;
	char *out;
	size_t out_used, out_sent, out_size;
};

/* Something that is to happen later: NRST goes up again, or a command at its time. */
struct task {
	struct task *next;
	struct control *control;
	struct bench_event event;
	struct client *client; /* who waits for it; NULL: nobody any more */
	unsigned board;
	char *line; /* NULL: end of a reset pulse */
};

struct control {
	struct desk *desk;
	const struct control_loop *loop;
	int epoll, listener;
	bool running; /* watched, and the desk's listener */
	char *path;
	dev_t device; /* of the socket that we made */
	ino_t inode;
	struct client *clients;
	struct task *tasks;
	struct bench_event resume; /* clients may have lines that waited */
};

enum outcome { DONE, FAILED, REFUSED, PENDING }; /* refused: not a command */

struct call {
	struct control *control;
	struct client *client;
	unsigned board;
	struct writer out;
	char why[CONTROL_WHY];
};

struct command {
	const char *name, *usage, *help;
	int least, most; /* words after the name; most -1: any */
	enum outcome (*run)(struct call *, int count, char **words);
};

static enum outcome dispatch(struct call *, int count, char **words, bool later);

static struct bench *bench_of(const struct control *c)
{
	return desk_bench(c->desk);
}

static enum outcome fail(struct call *call, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static enum outcome fail(struct call *call, enum outcome outcome, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->why, sizeof(call->why), format, args);
	va_end(args);
	return outcome;
}

/* --- clients --- */

static void tell_epoll(struct client *k)
{
	struct epoll_event event = { .data.ptr = k };

	/* What cannot be taken now is left in the socket: epoll would report it for ever. */
	if (!k->ended && k->in_used < sizeof(k->in))
		event.events |= EPOLLIN;
	if (k->out_used > k->out_sent)
		event.events |= EPOLLOUT;
	epoll_ctl(k->control->epoll, EPOLL_CTL_MOD, k->fd, &event);
}

static void leave_tasks(struct client *k)
{
	struct task **link = &k->control->tasks;

	while (*link) {
		struct task *t = *link;

		if (t->client == k && t->line) { /* hanging up takes a command back */
			*link = t->next;
			bench_cancel(bench_of(k->control), &t->event);
			free(t->line);
			free(t);
			continue;
		}
		if (t->client == k)
			t->client = NULL; /* NRST must go up again all the same */
		link = &t->next;
	}
}

/* The memory stays until nobody can be in the middle of it. */
static void hang_up(struct client *k)
{
	if (k->dead)
		return;
	k->dead = true;
	leave_tasks(k);
	bench_cancel(bench_of(k->control), &k->timeout);
	epoll_ctl(k->control->epoll, EPOLL_CTL_DEL, k->fd, NULL);
	close(k->fd);
	k->fd = -1;
}

static void bury(struct control *c, bool all)
{
	for (struct client **link = &c->clients; *link;) {
		struct client *k = *link;

		if (!k->dead && !all) {
			link = &k->next;
			continue;
		}
		hang_up(k);
		*link = k->next;
		free(k->out);
		free(k);
	}
}

/* As much as the socket takes. */
static void flush_out(struct client *k)
{
	while (k->out_sent < k->out_used) {
		ssize_t n = send(k->fd, k->out + k->out_sent, k->out_used - k->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			hang_up(k);
			return;
		}
		k->out_sent += (size_t)n;
	}
	if (k->out_sent == k->out_used)
		k->out_sent = k->out_used = 0;
}

static void queue(struct client *k, const char *bytes, size_t length)
{
	if (k->dead)
		return;
	if (k->out_sent) {
		memmove(k->out, k->out + k->out_sent, k->out_used - k->out_sent);
		k->out_used -= k->out_sent;
		k->out_sent = 0;
	}
	if (k->out_used + length > CONTROL_QUEUE) {
		hang_up(k); /* it does not read: nothing here waits for it */
		return;
	}
	if (k->out_used + length > k->out_size) {
		size_t size = 2 * (k->out_used + length);
		char *out = realloc(k->out, size);

		if (!out) {
			hang_up(k);
			return;
		}
		k->out = out;
		k->out_size = size;
	}
	memcpy(k->out + k->out_used, bytes, length);
	k->out_used += length;
}

/* What has been queued goes out: once for an answer, for each piece costs the kernel a buffer. */
static void push(struct client *k)
{
	if (!k->dead)
		flush_out(k);
	if (!k->dead)
		tell_epoll(k);
}

static void queue_text(struct client *k, const char *text)
{
	queue(k, text, strlen(text));
}

/* What a client said may be part of it: nothing that steers a terminal comes back. */
static void queue_plain(struct client *k, const char *text)
{
	for (; *text; text++)
		queue(k, (unsigned char)*text < ' ' || *text == 0x7f ? "?" : text, 1);
}

/* Data lines for people are indented: so no data looks like the line that ends an answer. */
static void queue_indented(struct client *k, const char *text)
{
	while (*text && !k->dead) {
		size_t length = strcspn(text, "\n");

		queue(k, "  ", 2);
		queue(k, text, length);
		queue(k, "\n", 1);
		text += length + (text[length] == '\n');
	}
}

static void answer(struct client *k, enum outcome outcome, struct writer *out, const char *why)
{
	struct writer error;

	if (outcome == DONE && out && writer_failed(out)) {
		outcome = FAILED;
		why = strerror(ENOMEM);
	}
	if (!k->json) {
		if (outcome == DONE && out && out->text)
			queue_indented(k, out->text);
		queue_text(k, outcome == DONE ? "ok" : outcome == REFUSED ? "refused: " : "error: ");
		if (outcome != DONE)
			queue_plain(k, why);
		queue_text(k, "\n");
		push(k);
		return;
	}
	if (outcome == DONE) {
		queue_text(k, "{\"ok\":true,\"result\":");
		queue_text(k, out && out->text ? out->text : "{}");
		queue_text(k, "}\n");
		push(k);
		return;
	}
	writer_init(&error, true);
	writer_bool(&error, "ok", false);
	writer_bool(&error, "refused", outcome == REFUSED);
	writer_string(&error, "error", why);
	writer_finish(&error);
	queue_text(k, error.text && !error.failed ? error.text
						  : "{\"ok\":false,\"refused\":false,\"error\":\"out of memory\"}");
	queue_text(k, "\n");
	push(k);
	writer_free(&error);
}

/* The lines behind the one that waited; not now, we may be in the middle of a board's doings. */
static void go_on(struct client *k)
{
	k->waiting = WAIT_NOTHING;
	bench_at(bench_of(k->control), &k->control->resume, bench_now_us(bench_of(k->control)));
}

/* --- the boards' commands --- */

static struct mcu *board_of(struct call *call)
{
	struct mcu *mcu = desk_mcu(call->control->desk, call->board);

	if (!mcu)
		fail(call, FAILED, "there is no board %u", call->board);
	return mcu;
}

/* Index of a word in a list, or -1 with why. */
static int choose(struct call *call, const char *what, const char *word, const char *const *words)
{
	const char *near;
	char list[256] = "";
	size_t used = 0;

	for (int i = 0; words[i]; i++)
		if (!strcasecmp(word, words[i]))
			return i;
	near = suggest_nearest(word, words);
	for (int i = 0; words[i] && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
	fail(call, REFUSED, "%s '%.60s': expected %s%s%s%s", what, word, list, near ? ", did you mean '" : "",
	     near ? near : "", near ? "'?" : "");
	return -1;
}

static enum outcome set_level(struct call *call, enum mcu_pin pin, const char *what, const char *word,
			      const char *const words[3])
{
	struct mcu *mcu = board_of(call);
	int i = choose(call, what, word, words);

	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	mcu_set_pin(mcu, pin, i == 1);
	return DONE;
}

static const char *const levels[] = { "low", "high", NULL };
static const char *const switches[] = { "off", "on", NULL };

static enum outcome run_boot0(struct call *call, int count, char **words)
{
	(void)count;
	return set_level(call, PIN_BOOT0, "boot0", words[0], levels);
}

static enum outcome run_boot1(struct call *call, int count, char **words)
{
	(void)count;
	return set_level(call, PIN_BOOT1, "boot1", words[0], levels);
}

static enum outcome run_power(struct call *call, int count, char **words)
{
	(void)count;
	return set_level(call, PIN_VDD, "power", words[0], switches);
}

static enum outcome set_cable(struct call *call, bool in)
{
	struct mcu *mcu = board_of(call);

	if (!mcu)
		return FAILED;
	mcu_set_pin(mcu, PIN_VBUS, in);
	return DONE;
}

static enum outcome run_unplug(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	return set_cable(call, false);
}

static enum outcome run_plug(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	return set_cable(call, true);
}

/* --- tasks --- */

static struct task *take_task(struct bench_event *event)
{
	struct task *t = event->context, **link = &t->control->tasks;

	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	return t;
}

static struct task *task_new(struct call *call, uint64_t at_us, void (*due)(struct bench_event *))
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->control = call->control;
	t->client = call->client;
	t->board = call->board;
	t->event.fire = due;
	t->event.context = t;
	t->next = call->control->tasks;
	call->control->tasks = t;
	bench_at(bench_of(call->control), &t->event, at_us);
	return t;
}

static void pulse_over(struct bench_event *event)
{
	struct task *t = take_task(event);
	struct mcu *mcu = desk_mcu(t->control->desk, t->board);

	if (mcu)
		mcu_set_pin(mcu, PIN_NRST, true);
	if (t->client) {
		answer(t->client, DONE, NULL, NULL);
		go_on(t->client);
	}
	free(t);
}

static enum outcome run_reset(struct call *call, int count, char **words)
{
	struct mcu *mcu = board_of(call);
	uint64_t pulse_us = RESET_PULSE_US;

	if (count && !fault_time_parse(words[0], &pulse_us))
		return fail(call, REFUSED, "reset '%.60s': expected a time with its unit, as 50ms", words[0]);
	if (!mcu)
		return FAILED;
	if (!task_new(call, bench_now_us(bench_of(call->control)) + pulse_us, pulse_over))
		return fail(call, FAILED, "%s", strerror(ENOMEM));
	mcu_set_pin(mcu, PIN_NRST, false);
	return PENDING;
}

static void line_due(struct bench_event *event)
{
	struct task *t = take_task(event);
	struct call call = { .control = t->control, .client = t->client, .board = t->board };
	char *words[WORDS];
	int count = control_split(t->line, words, WORDS);
	enum outcome outcome;

	assert(count > 0); /* has been split before */
	writer_init(&call.out, t->client->json);
	outcome = dispatch(&call, count, words, true);
	writer_finish(&call.out);
	if (outcome != PENDING) {
		answer(t->client, outcome, &call.out, call.why);
		go_on(t->client);
	}
	writer_free(&call.out);
	free(t->line);
	free(t);
}

/* The words as a line that splits into them again. */
static char *join(int count, char **words)
{
	size_t size = 1;
	char *line, *at;

	for (int i = 0; i < count; i++)
		size += 2 * strlen(words[i]) + 3;
	line = at = malloc(size);
	if (!line)
		return NULL;
	for (int i = 0; i < count; i++) {
		if (i)
			*at++ = ' ';
		*at++ = '"';
		for (const char *s = words[i]; *s; s++) {
			if (*s == '"' || *s == '\\')
				*at++ = '\\';
			*at++ = *s;
		}
		*at++ = '"';
	}
	*at = 0;
	return line;
}

static enum outcome schedule(struct call *call, uint64_t at_us, int count, char **words)
{
	struct task *t;
	char *line = join(count, words);

	if (!line)
		return fail(call, FAILED, "%s", strerror(ENOMEM));
	t = task_new(call, at_us, line_due);
	if (!t) {
		free(line);
		return fail(call, FAILED, "%s", strerror(ENOMEM));
	}
	t->line = line;
	return PENDING;
}

/* --- what there is --- */

static void write_pins(struct writer *w, const struct mcu *mcu)
{
	static const struct {
		const char *key;
		enum mcu_pin pin;
	} pins[] = { { "boot0", PIN_BOOT0 },
		     { "boot1", PIN_BOOT1 },
		     { "nrst", PIN_NRST },
		     { "vdd", PIN_VDD },
		     { "vbus", PIN_VBUS } };

	writer_object(w, "pins");
	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++)
		writer_string(w, pins[i].key, mcu_pin(mcu, pins[i].pin) ? "high" : "low");
	writer_end(w);
}

static void write_board(struct call *call, unsigned number)
{
	struct control *c = call->control;
	struct mcu *mcu = desk_mcu(c->desk, number);
	struct usbdev *device = desk_board_device(c->desk, number);
	const struct flash *flash = mcu_flash(mcu);
	struct writer *w = &call->out;
	struct fault_info info;
	uint64_t erases = 0;
	unsigned faults = 0;

	for (unsigned i = 0; i < flash_sector_count(flash); i++)
		erases += flash_erase_count(flash, i);
	while (fault_list(desk_fault(c->desk, number), faults, &info))
		faults++;
	writer_object(w, NULL);
	writer_number(w, "board", number);
	writer_string(w, "profile", mcu_profile(mcu)->name);
	writer_string(w, "serial", mcu_serial(mcu));
	writer_string(w, "mode", mcu_mode_name(mcu_mode(mcu)));
	if (mcu_mode(mcu) == MCU_ROM) {
		writer_string(w, "state", dfu_state_name(mcu_dfu_state(mcu)));
		writer_string(w, "status", dfu_status_name(mcu_dfu_status(mcu)));
		writer_hex(w, "pointer", mcu_dfu_pointer(mcu));
	}
	writer_bool(w, "attached", device->attached);
	writer_number(w, "address", c->loop->address(c->loop->context, device));
	write_pins(w, mcu);
	writer_number(w, "rdp_level", (uint64_t)flash_rdp(flash));
	writer_bool(w, "flash_busy", flash_is_busy(flash));
	writer_number(w, "erases", erases);
	writer_number(w, "faults", faults);
	writer_end(w);
}

static enum outcome run_status(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_number(&call->out, "time_us", bench_now_us(bench_of(call->control)));
	writer_array(&call->out, "boards");
	for (unsigned i = 1; i <= desk_last_board(call->control->desk); i++)
		if (desk_mcu(call->control->desk, i))
			write_board(call, i);
	writer_end(&call->out);
	return DONE;
}

static enum outcome run_boards(struct call *call, int count, char **words)
{
	struct desk *d = call->control->desk;

	(void)count, (void)words;
	writer_array(&call->out, "boards");
	for (unsigned i = 1; i <= desk_last_board(d); i++) {
		if (!desk_mcu(d, i))
			continue;
		writer_object(&call->out, NULL);
		writer_number(&call->out, "board", i);
		writer_string(&call->out, "serial", mcu_serial(desk_mcu(d, i)));
		writer_string(&call->out, "mode", mcu_mode_name(mcu_mode(desk_mcu(d, i))));
		writer_end(&call->out);
	}
	writer_end(&call->out);
	return DONE;
}

static enum outcome run_time(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_number(&call->out, "time_us", bench_now_us(bench_of(call->control)));
	return DONE;
}

static bool plain_number(const char *word, unsigned *out)
{
	size_t length = strlen(word);

	if (!length || length > 6 || strspn(word, "0123456789") != length)
		return false;
	*out = (unsigned)strtoul(word, NULL, 10);
	return true;
}

static enum outcome add_board(struct call *call, int count, char **words)
{
	struct control *c = call->control;
	const char *serial = NULL;
	int number, r;

	if (count == 2 && !strcmp(words[0], "--serial"))
		serial = words[1];
	else if (count == 1 && !strncmp(words[0], "--serial=", 9))
		serial = words[0] + 9;
	else if (count)
		return fail(call, REFUSED, "board add: expected [--serial HEX12]");
	if (serial && (strlen(serial) != 12 || strspn(serial, "0123456789abcdefABCDEF") != 12))
		return fail(call, REFUSED, "serial '%.60s': must be 12 hex digits", serial);
	number = desk_add_board(c->desk, serial, call->why);
	if (number < 0)
		return FAILED;
	r = c->loop->plug(c->loop->context, desk_board_device(c->desk, (unsigned)number));
	if (r) {
		desk_remove_board(c->desk, (unsigned)number);
		return fail(call, FAILED, "cannot plug in another board: %s", strerror(-r));
	}
	writer_number(&call->out, "board", (uint64_t)number);
	writer_string(&call->out, "serial", mcu_serial(desk_mcu(c->desk, (unsigned)number)));
	return DONE;
}

static enum outcome remove_board(struct call *call, const char *word)
{
	struct control *c = call->control;
	unsigned number;
	int r;

	if (!plain_number(word, &number))
		return fail(call, REFUSED, "board remove '%.60s': expected the number of a board", word);
	if (!desk_mcu(c->desk, number))
		return fail(call, FAILED, "there is no board %u", number);
	mcu_set_pin(desk_mcu(c->desk, number), PIN_VBUS, false);
	c->loop->unplug(c->loop->context, desk_board_device(c->desk, number));
	r = desk_remove_board(c->desk, number);
	for (struct client *k = c->clients; k; k = k->next)
		if (!k->dead && k->waiting == WAIT_EVENT && k->wish.board == number) {
			bench_cancel(bench_of(c), &k->timeout);
			answer(k, FAILED, NULL, "the board is gone");
			go_on(k);
		}
	return r ? fail(call, FAILED, "board %u is gone, its files could not be saved: %s", number, strerror(-r))
		 : DONE;
}

static enum outcome run_board(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "add", "remove", NULL };
	int i = choose(call, "board", words[0], verbs);

	if (i < 0)
		return REFUSED;
	if (i == 0)
		return add_board(call, count - 1, words + 1);
	if (count != 2)
		return fail(call, REFUSED, "usage: board remove N");
	return remove_board(call, words[1]);
}

/* --- faults --- */

static enum outcome add_fault(struct call *call, struct fault *fault, int count, char **words)
{
	struct fault_rule rule;
	char text[CONTROL_LINE] = "";
	size_t used = 0;
	int id;

	for (int i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", words[i]);
	if (faults_parse(text, &rule, call->why))
		return REFUSED;
	id = fault_add(fault, &rule);
	if (id == -ENOSPC)
		return fail(call, FAILED, "there are %d rules already", FAULT_RULES);
	if (id < 0)
		return fail(call, FAILED, "%s", strerror(-id));
	fault_rule_format(&rule, text, sizeof(text));
	writer_number(&call->out, "fault", (uint64_t)id);
	writer_string(&call->out, "rule", text);
	return DONE;
}

static void list_faults(struct call *call, const struct fault *fault)
{
	char text[FAULT_RULE_BYTES];
	struct fault_info info;

	writer_array(&call->out, "faults");
	for (unsigned i = 0; fault_list(fault, i, &info); i++) {
		fault_rule_format(&info.rule, text, sizeof(text));
		writer_object(&call->out, NULL);
		writer_number(&call->out, "fault", info.id);
		writer_string(&call->out, "rule", text);
		writer_number(&call->out, "matches", info.matches);
		writer_number(&call->out, "fired", info.fired);
		writer_end(&call->out);
	}
	writer_end(&call->out);
}

static enum outcome run_fault(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "add", "list", "remove", "clear", NULL };
	struct fault *fault = desk_fault(call->control->desk, call->board);
	int i = choose(call, "fault", words[0], verbs);
	unsigned id = 0;

	if (i < 0)
		return REFUSED;
	if ((i == 0 && count < 2) || ((i == 1 || i == 3) && count != 1) ||
	    (i == 2 && (count != 2 || !plain_number(words[1], &id))))
		return fail(call, REFUSED, "usage: fault add RULE | list | remove N | clear");
	if (!fault)
		return fail(call, FAILED, "there is no board %u", call->board);
	if (i == 0)
		return add_fault(call, fault, count - 1, words + 1);
	if (i == 1)
		list_faults(call, fault);
	else if (i == 2 && fault_remove(fault, id))
		return fail(call, FAILED, "board %u has no fault %u", call->board, id);
	else if (i == 3)
		fault_clear(fault);
	return DONE;
}

/* --- files --- */

/* A regular file of at most limit bytes, whole. NULL with why. */
static uint8_t *read_whole(struct call *call, const char *path, size_t limit, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *data = NULL;
	struct stat st;
	size_t used = 0;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st)) {
		fail(call, FAILED, "cannot open '%.300s': %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
		fail(call, FAILED,
		     S_ISREG(st.st_mode) ? "'%.300s' has more than the %zu bytes that there is room for"
					 : "'%.300s' is no regular file",
		     path, limit);
		goto out;
	}
	data = malloc(limit + 1);
	if (!data) {
		fail(call, FAILED, "%s", strerror(ENOMEM));
		goto out;
	}
	while (used <= limit && (n = read(fd, data + used, limit + 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0 || used > limit) {
		fail(call, FAILED, "cannot read '%.300s': %s", path, strerror(n < 0 ? errno : EFBIG));
		free(data);
		data = NULL;
	}
	*length = used;
out:
	if (fd >= 0)
		close(fd);
	return data;
}

static enum outcome save_whole(struct call *call, const char *path, const uint8_t *data, size_t length)
{
	struct savefile *file = savefile_open(path, call->why);
	int r = file ? savefile_save(file, data, length, call->why) : -EINVAL;

	savefile_close(file);
	return r ? FAILED : DONE;
}

static bool address_of(const char *word, uint32_t *out)
{
	char *end;
	unsigned long long value;

	if (word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	value = strtoull(word, &end, 0);
	*out = (uint32_t)value;
	return !errno && !*end && value <= UINT32_MAX;
}

static enum outcome load_flash(struct call *call, struct mcu *mcu, const char *path, uint32_t offset)
{
	struct flash *flash = mcu_flash(mcu);
	size_t length = 0;
	uint8_t *data;
	int r;

	if (flash_is_busy(flash))
		return fail(call, FAILED, "board %u is erasing or programming", call->board);
	data = read_whole(call, path, flash_size(flash) - offset, &length);
	if (!data)
		return FAILED;
	r = flash_load(flash, offset, data, length);
	free(data);
	if (r)
		return fail(call, FAILED, "cannot load '%.300s': %s", path, strerror(-r));
	writer_number(&call->out, "bytes", length);
	return DONE;
}

static enum outcome save_flash(struct call *call, struct mcu *mcu, const char *path, uint32_t offset)
{
	struct flash *flash = mcu_flash(mcu);
	size_t length = flash_size(flash) - offset;
	uint8_t *data = malloc(length + 1);
	enum outcome outcome;

	if (!data)
		return fail(call, FAILED, "%s", strerror(ENOMEM));
	flash_read(flash, mcu_profile(mcu)->flash_base + offset, data, length);
	outcome = save_whole(call, path, data, length);
	free(data);
	if (outcome == DONE)
		writer_number(&call->out, "bytes", length);
	return outcome;
}

static enum outcome run_flash(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "load", "save", NULL };
	struct mcu *mcu = board_of(call);
	int i = choose(call, "flash", words[0], verbs);
	uint32_t address;

	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	address = mcu_profile(mcu)->flash_base;
	if (count == 3 && !address_of(words[2], &address))
		return fail(call, REFUSED, "address '%.60s': expected a number, as 0x08004000", words[2]);
	if (address < mcu_profile(mcu)->flash_base ||
	    address - mcu_profile(mcu)->flash_base >= flash_size(mcu_flash(mcu)))
		return fail(call, FAILED, "address 0x%08x is not in the flash", (unsigned)address);
	address -= mcu_profile(mcu)->flash_base;
	return i ? save_flash(call, mcu, words[1], address) : load_flash(call, mcu, words[1], address);
}

static bool hex_bytes(const char *text, uint8_t *out, size_t count)
{
	static const char digits[] = "0123456789ABCDEF0123456789abcdef";

	if (strlen(text) != 2 * count || strspn(text, digits) != 2 * count)
		return false;
	for (size_t i = 0; i < 2 * count; i++) {
		unsigned value = (unsigned)(strchr(digits, text[i]) - digits) & 15;

		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | value : value);
	}
	return true;
}

static enum outcome show_options(struct call *call, const struct flash *flash)
{
	uint8_t bytes[OPTION_BYTES];
	char hex[2 * OPTION_BYTES + 1];

	flash_read_options(flash, bytes);
	for (size_t i = 0; i < OPTION_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	writer_string(&call->out, "options", hex);
	return DONE;
}

static enum outcome load_options(struct call *call, struct flash *flash, const char *path)
{
	size_t length = 0;
	uint8_t *data = read_whole(call, path, OPTION_BYTES, &length);

	if (!data)
		return FAILED;
	if (length == OPTION_BYTES)
		flash_set_options(flash, data);
	free(data);
	return length == OPTION_BYTES ? DONE
				      : fail(call, FAILED, "'%.300s' has %zu bytes, option bytes are 16", path, length);
}

static enum outcome run_options(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "load", "save", "set", "show", NULL };
	struct mcu *mcu = board_of(call);
	int i = choose(call, "options", words[0], verbs);
	uint8_t bytes[OPTION_BYTES];

	if (i < 0)
		return REFUSED;
	if (count != (i == 3 ? 1 : 2))
		return fail(call, REFUSED, "usage: options load FILE | save FILE | set HEX32 | show");
	if (i == 2 && !hex_bytes(words[1], bytes, sizeof(bytes)))
		return fail(call, REFUSED, "options '%.60s': expected 32 hex digits", words[1]);
	if (!mcu)
		return FAILED;
	if (i != 1 && i != 3 && flash_is_busy(mcu_flash(mcu)))
		return fail(call, FAILED, "board %u is erasing or programming", call->board);
	switch (i) {
	case 0:
		return load_options(call, mcu_flash(mcu), words[1]);
	case 1:
		flash_read_options(mcu_flash(mcu), bytes);
		return save_whole(call, words[1], bytes, sizeof(bytes));
	case 2:
		flash_set_options(mcu_flash(mcu), bytes);
		return DONE;
	default:
		return show_options(call, mcu_flash(mcu));
	}
}

static enum outcome run_traffic(struct call *call, int count, char **words)
{
	static const char *const names[] = { [BOOT_USART1] = "usart1", [BOOT_USART3] = "usart3", [BOOT_CAN2] = "can2",
					     [BOOT_I2C] = "i2c",       [BOOT_SPI] = "spi",       NULL };
	struct mcu *mcu = board_of(call);
	int i = choose(call, "traffic", words[0], names);

	(void)count;
	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	mcu_boot_traffic(mcu, (enum boot_interface)i);
	return DONE;
}

/* --- waiting --- */

static bool fulfils(const struct wish *wish, const struct desk_event *e)
{
	const char *detail = "";

	if (e->board != wish->board || strcmp(event_name(e), wish->name))
		return false;
	if (e->mcu && e->mcu->type == MCU_EVENT_BOOTED)
		detail = mcu_mode_name(e->mcu->mode);
	else if (e->mcu && e->mcu->type == MCU_EVENT_RESET)
		detail = reset_cause_name(e->mcu->cause);
	else if (e->mcu && e->mcu->type == MCU_EVENT_STATE)
		detail = dfu_state_name(e->mcu->state);
	return !wish->detail[0] || !strcasecmp(wish->detail, detail);
}

/* What lasts may be there already; of what merely happens, only the next counts. */
static bool is_so_already(struct call *call, const struct wish *wish, const struct mcu *mcu)
{
	bool attached = desk_board_device(call->control->desk, wish->board)->attached;

	if (!strcmp(wish->name, "attached"))
		return attached;
	if (!strcmp(wish->name, "detached"))
		return !attached;
	if (!strcmp(wish->name, "booted") && wish->detail[0])
		return !strcasecmp(wish->detail, mcu_mode_name(mcu_mode(mcu)));
	if (!strcmp(wish->name, "state") && wish->detail[0])
		return mcu_mode(mcu) == MCU_ROM && !strcasecmp(wish->detail, dfu_state_name(mcu_dfu_state(mcu)));
	return false;
}

static void wait_timed_out(struct bench_event *event)
{
	struct client *k = event->context;
	char why[128];

	snprintf(why, sizeof(why), "time is over without '%s%s%s' of board %u", k->wish.name,
		 k->wish.detail[0] ? " " : "", k->wish.detail, k->wish.board);
	answer(k, FAILED, NULL, why);
	go_on(k);
}

static bool detail_of(struct call *call, struct wish *wish, const char *word)
{
	static const char *const modes[] = { "bootloader-starting", "bootloader", "bootloader-other-interface",
					     "application",         "lockup",     NULL };
	static const char *const causes[] = { "power-on", "pin", "option-bytes", "unprotect", "not-executable",
					      "software", NULL };
	static const char *const states[] = { "dfuIDLE",        "dfuDNLOAD-SYNC",   "dfuDNBUSY",
					      "dfuDNLOAD-IDLE", "dfuMANIFEST-SYNC", "dfuMANIFEST",
					      "dfuUPLOAD-IDLE", "dfuERROR",         NULL };
	const char *const *words = !strcmp(wish->name, "booted")  ? modes
				   : !strcmp(wish->name, "reset") ? causes
				   : !strcmp(wish->name, "state") ? states
								  : NULL;
	int i;

	if (!words) {
		fail(call, REFUSED, "wait %s takes no '%.60s'", wish->name, word);
		return false;
	}
	i = choose(call, "wait", word, words);
	if (i < 0)
		return false;
	snprintf(wish->detail, sizeof(wish->detail), "%s", words[i]);
	return true;
}

static enum outcome run_wait(struct call *call, int count, char **words)
{
	static const char *const names[] = { "reset", "booted", "state", "erased",   "programmed", "options",
					     "cut",   "pin",    "fault", "attached", "detached",   NULL };
	struct client *k = call->client;
	struct wish wish = { .board = call->board };
	struct mcu *mcu = board_of(call);
	uint64_t timeout_us = BENCH_NEVER;
	int i = choose(call, "wait", words[0], names);

	if (i < 0)
		return REFUSED;
	snprintf(wish.name, sizeof(wish.name), "%s", names[i]);
	if (count > 1 && fault_time_parse(words[count - 1], &timeout_us))
		count--;
	if (count > 2)
		return fail(call, REFUSED, "time '%.60s': expected a time with its unit, as 5s", words[2]);
	if (count == 2 && !detail_of(call, &wish, words[1]))
		return REFUSED;
	if (!mcu)
		return FAILED;
	if (is_so_already(call, &wish, mcu)) {
		writer_bool(&call->out, "already", true);
		return DONE;
	}
	k->wish = wish;
	k->waiting = WAIT_EVENT;
	if (timeout_us != BENCH_NEVER)
		bench_after(bench_of(call->control), &k->timeout, timeout_us);
	return PENDING;
}

static enum outcome run_events(struct call *call, int count, char **words)
{
	struct client *k = call->client;
	struct writer w;

	(void)count, (void)words;
	k->waiting = WAIT_EVENTS;
	writer_init(&w, true);
	writer_string(&w, "event", "listening");
	writer_number(&w, "at_us", bench_now_us(bench_of(call->control)));
	writer_finish(&w);
	if (!k->json)
		queue_indented(k, "listening");
	else if (!writer_failed(&w)) {
		queue_text(k, w.text);
		queue_text(k, "\n");
	}
	push(k);
	writer_free(&w);
	return PENDING;
}

static void stream_event(struct client *k, const struct desk_event *e)
{
	char text[EVENT_BYTES];
	struct writer w;

	if (!k->json) {
		event_text(e, text);
		queue_indented(k, text);
		push(k);
		return;
	}
	writer_init(&w, true);
	event_write(e, &w);
	writer_finish(&w);
	if (!writer_failed(&w)) {
		queue_text(k, w.text);
		queue_text(k, "\n");
		push(k);
	}
	writer_free(&w);
}

static void fulfilled(struct client *k, const struct desk_event *e)
{
	char text[EVENT_BYTES];
	struct writer w;

	bench_cancel(bench_of(k->control), &k->timeout);
	writer_init(&w, k->json);
	if (k->json) {
		event_write(e, &w);
	} else {
		event_text(e, text);
		writer_string(&w, "event", text);
	}
	writer_finish(&w);
	answer(k, DONE, &w, NULL);
	writer_free(&w);
	go_on(k);
}

static void desk_tells(void *context, const struct desk_event *e)
{
	struct control *c = context;

	for (struct client *k = c->clients; k; k = k->next) {
		if (k->dead)
			continue;
		if (k->waiting == WAIT_EVENTS)
			stream_event(k, e);
		else if (k->waiting == WAIT_EVENT && fulfils(&k->wish, e))
			fulfilled(k, e);
	}
}

/* --- the connection's own commands --- */

static enum outcome run_json(struct call *call, int count, char **words)
{
	int i = choose(call, "json", words[0], switches);

	(void)count;
	if (i < 0)
		return REFUSED;
	call->client->json = i == 1;
	/* The answer is in the new language. */
	writer_free(&call->out);
	writer_init(&call->out, i == 1);
	return DONE;
}

static enum outcome run_quit(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	call->client->discarding = true;
	return DONE;
}

static enum outcome run_help(struct call *, int count, char **words);

static const struct command commands[] = {
	{ "boot0", "boot0 high|low", "the strap; it counts at the next reset", 1, 1, run_boot0 },
	{ "boot1", "boot1 high|low", "likewise", 1, 1, run_boot1 },
	{ "reset", "reset [TIME]", "pull NRST low for 50ms or TIME; done when it is high again", 0, 1, run_reset },
	{ "power", "power on|off", "the supply", 1, 1, run_power },
	{ "unplug", "unplug", "pull the USB cable", 0, 0, run_unplug },
	{ "plug", "plug", "put it back", 0, 0, run_plug },
	{ "board", "board add [--serial HEX12] | board remove N", "one more board, or one less", 1, 3, run_board },
	{ "boards", "boards", "list the boards", 0, 0, run_boards },
	{ "fault", "fault add RULE | list | remove N | clear", "what goes wrong", 1, -1, run_fault },
	{ "flash", "flash load FILE [ADDRESS] | save FILE [ADDRESS]", "the main flash, raw", 2, 3, run_flash },
	{ "options", "options load FILE | save FILE | set HEX32 | show", "the option bytes", 1, 2, run_options },
	{ "status", "status", "everything about the boards", 0, 0, run_status },
	{ "events", "events", "tell what happens until you hang up", 0, 0, run_events },
	{ "traffic", "traffic usart1|usart3|can2|i2c|spi", "somebody speaks to another boot interface", 1, 1,
	  run_traffic },
	{ "time", "time", "the bench's time", 0, 0, run_time },
	{ "wait", "wait EVENT [DETAIL] [TIME]",
	  "until it happens, TIME at most: reset, booted [MODE], state [STATE], erased...", 1, 3, run_wait },
	{ "json", "json on|off", "the language of this connection", 1, 1, run_json },
	{ "help", "help", "this list", 0, 0, run_help },
	{ "quit", "quit", "end this connection", 0, 0, run_quit },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char *const prefixes[][2] = {
	{ "board N COMMAND", "for another board than the first" },
	{ "at TIME COMMAND", "when the bench's time is TIME, as 'at 1.5s unplug'" },
	{ "in TIME COMMAND", "that much later" },
};
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

static enum outcome run_help(struct call *call, int count, char **words)
{
	(void)count, (void)words;
	writer_array(&call->out, "commands");
	for (size_t i = 0; i < COMMANDS; i++) {
		writer_object(&call->out, NULL);
		writer_string(&call->out, "usage", commands[i].usage);
		writer_string(&call->out, "help", commands[i].help);
		writer_end(&call->out);
	}
	for (size_t i = 0; i < PREFIXES; i++) {
		writer_object(&call->out, NULL);
		writer_string(&call->out, "usage", prefixes[i][0]);
		writer_string(&call->out, "help", prefixes[i][1]);
		writer_end(&call->out);
	}
	writer_end(&call->out);
	return DONE;
}

void control_commands(FILE *out)
{
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-50s %s\n", commands[i].usage, commands[i].help);
	for (size_t i = 0; i < PREFIXES; i++)
		fprintf(out, "  %-50s %s\n", prefixes[i][0], prefixes[i][1]);
}

/* --- lines --- */

static enum outcome run_command(struct call *call, int count, char **words)
{
	const char *names[COMMANDS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		names[i] = command->name;
		if (strcmp(words[0], command->name))
			continue;
		if (count - 1 < command->least || (command->most >= 0 && count - 1 > command->most))
			return fail(call, REFUSED, "usage: %s", command->usage);
		return command->run(call, count - 1, words + 1);
	}
	near = suggest_nearest(words[0], names);
	if (near)
		return fail(call, REFUSED, "unknown command '%.60s' (did you mean '%s'?)", words[0], near);
	return fail(call, REFUSED, "unknown command '%.60s': try help", words[0]);
}

/* Checked when it is said, not when it is due. */
static enum outcome check_later(struct call *call, int count, char **words)
{
	static const char *const nonsense[] = { "at", "in", "events", "json", "quit", NULL };

	for (int i = 0; nonsense[i]; i++)
		if (!strcmp(words[0], nonsense[i]))
			return fail(call, REFUSED, "'%s' cannot be put off", words[0]);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(words[0], commands[i].name)) {
			if (count - 1 < commands[i].least || (commands[i].most >= 0 && count - 1 > commands[i].most))
				return fail(call, REFUSED, "usage: %s", commands[i].usage);
			return DONE;
		}
	return run_command(call, count, words); /* to be refused */
}

static enum outcome dispatch(struct call *call, int count, char **words, bool later)
{
	uint64_t now_us = bench_now_us(bench_of(call->control)), at_us = 0;
	bool timed = false;

	for (;;) {
		bool in = !strcmp(words[0], "in");

		if (!strcmp(words[0], "board") && count > 1 && plain_number(words[1], &call->board)) {
			/* the prefix, not the command */
		} else if ((in || !strcmp(words[0], "at")) && !timed && !later) {
			if (count < 2 || !fault_time_parse(words[1], &at_us))
				return fail(call, REFUSED, "%s '%.60s': expected a time with its unit, as 1.5s",
					    words[0], count < 2 ? "" : words[1]);
			timed = true;
			if (in)
				at_us += now_us;
		} else {
			break;
		}
		if (count < 3)
			return fail(call, REFUSED, "a command is missing after '%s %.60s'", words[0], words[1]);
		count -= 2;
		words += 2;
	}
	if (timed) {
		enum outcome outcome = check_later(call, count, words);

		if (outcome != DONE)
			return outcome;
		if (at_us > now_us)
			return schedule(call, at_us, count, words);
	}
	return run_command(call, count, words);
}

static void run_line(struct client *k, char *line)
{
	struct call call = { .control = k->control, .client = k, .board = 1 };
	char *words[WORDS];
	int count = control_split(line, words, WORDS);
	enum outcome outcome;

	if (!count)
		return;
	writer_init(&call.out, k->json);
	if (count < 0)
		outcome = fail(&call, REFUSED,
			       "a quote is open at the end of the line, or there are more than %d words", WORDS);
	else
		outcome = dispatch(&call, count, words, false);
	writer_finish(&call.out);
	if (outcome == PENDING) {
		if (k->waiting == WAIT_NOTHING)
			k->waiting = WAIT_TASK;
	} else {
		answer(k, outcome, &call.out, call.why);
	}
	writer_free(&call.out);
}

/* All whole lines, up to one that takes its time. */
static void run_lines(struct client *k)
{
	char line[CONTROL_LINE];
	char *end;

	while (!k->dead && !k->discarding && k->waiting == WAIT_NOTHING &&
	       (end = memchr(k->in, '\n', k->in_used)) != NULL) {
		size_t length = (size_t)(end - k->in);

		memcpy(line, k->in, length);
		line[length] = 0;
		k->in_used -= length + 1;
		memmove(k->in, end + 1, k->in_used);
		/* A NUL would hide what stands behind it. */
		if (memchr(line, 0, length))
			answer(k, REFUSED, NULL, "there is a NUL in the line");
		else
			run_line(k, line);
	}
	if (k->dead)
		return;
	if (k->in_used == sizeof(k->in) && !memchr(k->in, '\n', k->in_used)) {
		answer(k, REFUSED, NULL, "the line is too long");
		k->discarding = true;
	}
	/* Only with nothing left to say or to do. */
	if (!k->dead && (k->discarding || (k->ended && k->waiting == WAIT_NOTHING))) {
		if (k->out_used > k->out_sent)
			k->discarding = true;
		else
			hang_up(k);
	}
	if (!k->dead)
		tell_epoll(k);
}

static void resume(struct bench_event *event)
{
	struct control *c = event->context;

	for (struct client *k = c->clients; k; k = k->next)
		run_lines(k);
}

static void client_ready(struct client *k, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLOUT) {
		flush_out(k);
		if (k->dead)
			return;
	}
	if (events & EPOLLIN && k->in_used < sizeof(k->in)) {
		n = recv(k->fd, k->in + k->in_used, sizeof(k->in) - k->in_used, MSG_DONTWAIT);
		if (n > 0)
			k->in_used += (size_t)n;
		else if (n == 0)
			k->ended = true;
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			events |= EPOLLERR;
		if (n > 0 && k->discarding)
			k->in_used = 0;
	}
	if (events & EPOLLERR || (events & EPOLLHUP && (k->ended || !(events & EPOLLIN)))) {
		/* Nobody is there to answer to; lines that came whole before are still obeyed. */
		if (k->waiting != WAIT_NOTHING || events & EPOLLERR) {
			hang_up(k);
			return;
		}
		k->ended = true;
	}
	run_lines(k);
}

int control_adopt(struct control *c, int fd)
{
	struct client *k;
	struct epoll_event event = { .events = EPOLLIN };
	unsigned count = 0;

	for (k = c->clients; k; k = k->next)
		count += !k->dead;
	if (count >= CONTROL_CLIENTS) {
		static const char full[] = "error: too many connections\n";

		send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		close(fd);
		return -EUSERS;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		close(fd);
		return -ENOMEM;
	}
	k->control = c;
	k->fd = fd;
	k->timeout.fire = wait_timed_out;
	k->timeout.context = k;
	event.data.ptr = k;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event)) {
		int error = -errno;

		close(fd);
		free(k);
		return error;
	}
	k->next = c->clients;
	c->clients = k;
	return 0;
}

static void ready(void *context, int fd)
{
	struct control *c = context;
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(fd, events, EVENTS_PER_TURN, 0);

	c->loop->sync(c->loop->context);
	for (int i = 0; i < n; i++) {
		struct client *k = events[i].data.ptr;

		if (!k) {
			int peer = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

			if (peer >= 0)
				control_adopt(c, peer);
		} else if (!k->dead) {
			client_ready(k, events[i].events);
		}
	}
	bury(c, false);
}

/* --- life --- */

/* 0, also when it was stale and is gone; or -errno. */
static int make_way(const char *path, const struct sockaddr_un *address)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno != ECONNREFUSED)
		r = -EADDRINUSE;
	else if (unlink(path) && errno != ENOENT)
		r = -errno;
	close(fd);
	return r;
}

static int listen_on(struct control *c, const char *path, char why[CONTROL_WHY])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN };
	struct stat st;
	int r;

	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, CONTROL_WHY, "control socket '%.200s': the name must have 1 to %zu bytes", path,
			 sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	r = make_way(path, &address);
	if (r) {
		snprintf(why, CONTROL_WHY, "control socket '%s': %s", path,
			 r == -EEXIST       ? "there is something else of that name"
			 : r == -EADDRINUSE ? "somebody listens there already"
					    : strerror(-r));
		return r;
	}
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode of the socket becomes that of the file: nobody gets in between bind() and chmod(). */
	if (c->listener < 0 || fchmod(c->listener, 0600) ||
	    bind(c->listener, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(c->listener, CONTROL_CLIENTS) || !(c->path = strdup(path)) || lstat(path, &st) ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->listener, &event)) {
		r = -errno;
		snprintf(why, CONTROL_WHY, "control socket '%s': %s", path, strerror(errno));
		return r;
	}
	c->device = st.st_dev;
	c->inode = st.st_ino;
	return 0;
}

struct control *control_new(struct desk *desk, const struct control_loop *loop, const char *path, char why[CONTROL_WHY])
{
	struct control *c = calloc(1, sizeof(*c));
	int r = 0;

	if (!c) {
		snprintf(why, CONTROL_WHY, "control socket: %s", strerror(ENOMEM));
		return NULL;
	}
	c->desk = desk;
	c->loop = loop;
	c->listener = -1;
	c->resume.fire = resume;
	c->resume.context = c;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll >= 0 && path)
		r = listen_on(c, path, why);
	if (!r) {
		r = c->epoll < 0 ? -errno : loop->watch(loop->context, c->epoll, ready, c);
		if (r)
			snprintf(why, CONTROL_WHY, "control socket: %s", strerror(-r));
	}
	if (r) {
		control_free(c);
		return NULL;
	}
	c->running = true;
	desk_listen(desk, desk_tells, c);
	return c;
}

void control_free(struct control *c)
{
	struct stat st;

	if (!c)
		return;
	if (c->running)
		desk_listen(c->desk, NULL, NULL);
	bury(c, true);
	while (c->tasks) {
		struct task *t = c->tasks;

		c->tasks = t->next;
		bench_cancel(bench_of(c), &t->event);
		free(t->line);
		free(t);
	}
	bench_cancel(bench_of(c), &c->resume);
	if (c->running)
		c->loop->watch(c->loop->context, c->epoll, NULL, NULL);
	if (c->epoll >= 0)
		close(c->epoll);
	/* Ours, or somebody's who has put his own there meanwhile. */
	if (c->path && !lstat(c->path, &st) && st.st_dev == c->device && st.st_ino == c->inode)
		unlink(c->path);
	if (c->listener >= 0)
		close(c->listener);
	free(c->path);
	free(c);
}

int control_split(char *line, char **words, int limit)
{
	char *out = line;
	int count = 0;

	for (char *in = line;;) {
		bool quoted = false;

		while (*in == ' ' || *in == '\t' || *in == '\r')
			in++;
		if (!*in)
			return count;
		if (count == limit)
			return -1;
		words[count++] = out;
		for (; *in && (quoted || (*in != ' ' && *in != '\t' && *in != '\r')); in++) {
			if (*in == '"') {
				quoted = !quoted;
				continue;
			}
			if (*in == '\\') {
				if (!*++in)
					return -1;
			}
			*out++ = *in;
		}
		if (quoted)
			return -1;
		if (*in)
			in++;
		*out++ = 0;
	}
}
