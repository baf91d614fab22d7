/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a pseudo-terminal cannot do of what a serial port can: line coding, modem lines, breaks, waiting until all is sent. */
#include "terminals_internal.h"

#include <errno.h>
#include <linux/serial.h>
#include <string.h>
#include <sys/ioctl.h>
#include "remote.h"

#define BREAK_MS 250u /* of tcsendbreak(3) */
#define BREAK_ON 0xFFFFu
#define STATE_DCD 1u
#define STATE_DSR 2u
#define STATE_RING 8u

/* --- settings --- */

static size_t settings_bytes(uint32_t request)
{
	return request == TCSETS || request == TCSETSW || request == TCSETSF ? sizeof(struct termios)
									     : sizeof(struct termios2);
}

static void told(struct transfer *x)
{
	/* Settings that the device refuses are settings all the same. */
	if (x->call.id)
		answer_error(x->port->bus, x->call.id, terminal_is_gone(x->status) ? -EIO : 0);
	transfer_free(x);
}

static void coding_of(uint32_t cflag, uint32_t rate, uint8_t coding[LINE_CODING_BYTES])
{
	for (unsigned i = 0; i < 4; i++)
		coding[i] = (uint8_t)(rate >> 8 * i);
	coding[4] = cflag & CSTOPB ? 2 : 0;
	coding[5] = cflag & PARENB ? (uint8_t)((cflag & PARODD ? 1 : 2) + (cflag & CMSPAR ? 2 : 0)) : 0;
	coding[6] = (uint8_t)(5 + ((cflag & CSIZE) >> 4)); /* CS5, CS6... are 0x00, 0x10... */
}

void terminal_tell(struct terminal *t, const struct call_info *c, uint32_t cflag)
{
	uint8_t coding[LINE_CODING_BYTES];
	unsigned line = t->line;
	uint32_t rate = t->settings.c_ospeed;
	bool recoded;

	if (rate)
		line |= t->hung_by_speed ? LINE_DTR : 0;
	else
		line &= ~LINE_DTR; /* B0: hang up the line */
	t->hung_by_speed = !rate;
	if (!rate)
		memcpy(&rate, t->coding, sizeof(rate));
	coding_of(cflag, rate, coding);
	recoded = memcmp(coding, t->coding, sizeof(coding)) != 0;
	memcpy(t->coding, coding, sizeof(coding));
	if (line != t->line) {
		t->line = line;
		terminal_request(t, recoded ? NULL : c, SET_CONTROL_LINE_STATE, (uint16_t)line, NULL, 0, told);
		if (!recoded)
			return;
	}
	if (recoded && !t->gone)
		terminal_request(t, c, SET_LINE_CODING, 0, coding, sizeof(coding), told);
	else
		answer_error(t->bus, c->id, 0);
}

static void set(struct terminal *t, const struct call_info *c, uint32_t request)
{
	struct termios2 wanted = { 0 };
	int err = remote_read(c->tid, c->args[2], &wanted, settings_bytes(request));

	if (!err && ioctl(t->master, request, &wanted))
		err = -errno;
	if (!err && ioctl(t->master, TCGETS2, &t->settings))
		err = -errno;
	if (err)
		answer_error(t->bus, c->id, err);
	else
		terminal_tell(t, c, wanted.c_cflag);
}

/* --- modem lines --- */

static int lines_of(const struct terminal *t)
{
	return (t->line & LINE_DTR ? TIOCM_DTR : 0) | (t->line & LINE_RTS ? TIOCM_RTS : 0) | TIOCM_CTS |
	       (t->state & STATE_DCD ? TIOCM_CD : 0) | (t->state & STATE_DSR ? TIOCM_DSR : 0) |
	       (t->state & STATE_RING ? TIOCM_RI : 0);
}

static void set_lines(struct terminal *t, const struct call_info *c, uint32_t request)
{
	unsigned line, wanted;
	int bits, err = remote_read(c->tid, c->args[2], &bits, sizeof(bits));

	if (err) {
		answer_error(t->bus, c->id, err);
		return;
	}
	wanted = (bits & TIOCM_DTR ? LINE_DTR : 0) | (bits & TIOCM_RTS ? LINE_RTS : 0);
	line = request == TIOCMBIS ? t->line | wanted : request == TIOCMBIC ? t->line & ~wanted : wanted;
	if (line == t->line) {
		answer_error(t->bus, c->id, 0);
		return;
	}
	t->line = line;
	terminal_request(t, c, SET_CONTROL_LINE_STATE, (uint16_t)line, NULL, 0, terminal_request_done);
}

/* --- breaks --- */

static void send_break(struct terminal *t, const struct call_info *c, bool on)
{
	terminal_request(t, c, SEND_BREAK, on ? BREAK_ON : 0, NULL, 0, terminal_request_done);
}

static void break_over(struct bench_event *e)
{
	struct terminal *t = e->context;
	struct call_info c = t->break_call;

	t->break_call.id = 0;
	send_break(t, c.id ? &c : NULL, false);
}

static void break_begun(struct transfer *x)
{
	struct terminal *t = x->terminal;

	if (x->status)
		terminal_request_done(x);
	else {
		t->break_call = x->call;
		t->break_end.fire = break_over;
		t->break_end.context = t;
		bench_after(t->bus->bench, &t->break_end, x->user_pointer * 1000u);
		transfer_free(x);
	}
}

static void timed_break(struct terminal *t, const struct call_info *c, uint64_t ms)
{
	struct transfer *x;

	if (!(t->capabilities & CAPABILITY_BREAK)) {
		answer_error(t->bus, c->id, 0); /* tcsendbreak(3) does not tell */
		return;
	}
	x = transfer_new(t->port, NULL, 0);
	if (!x || t->break_call.id || bench_is_scheduled(&t->break_end)) {
		transfer_free(x);
		answer_error(t->bus, c->id, x ? -EBUSY : -ENOMEM);
		return;
	}
	transfer_control(x, 0x21, SEND_BREAK, BREAK_ON, t->control, 0);
	x->terminal = t;
	x->call = *c;
	x->user_pointer = ms;
	x->done = break_begun;
	transfer_start(x, CONTROL_MS);
}

bool terminals_break(const struct private_bus *bus, pid_t tid)
{
	const struct terminal *t = bus->terminals;

	while (t && !(t->break_call.id && t->break_call.tid == tid))
		t = t->next;
	return t != NULL;
}

/* --- what else there is --- */

static int serial_info(const struct terminal *t, const struct call_info *c)
{
	struct serial_struct info = {
		.line = (int)t->minor, .xmit_fifo_size = (int)t->out_bytes, .close_delay = 50, .closing_wait = 3000
	};
	uint32_t rate;

	memcpy(&rate, t->coding, sizeof(rate));
	info.baud_base = (int)rate;
	return remote_write(c->tid, c->args[2], &info, sizeof(info));
}

static int counters(const struct call_info *c)
{
	static const struct serial_icounter_struct none;

	return remote_write(c->tid, c->args[2], &none, sizeof(none));
}

static int unsent(struct terminal *t, const struct call_info *c)
{
	int bytes;

	terminal_pull(t);
	bytes = (int)t->out_length + (t->writing ? (int)t->writing->urb.length : 0);
	return remote_write(c->tid, c->args[2], &bytes, sizeof(bytes));
}

/* What is here has not reached the kernel's buffer, which it is about to empty or count. */
static void up_to_date(struct terminal *t, bool drop)
{
	terminal_pull(t);
	terminal_commit(t);
	if (drop)
		t->in_length = 0;
	terminals_deliver(t->bus);
	terminals_flush(t->bus);
}

static bool waits_until_sent(uint32_t request)
{
	return request == TCSETSW || request == TCSETSF || request == TCSETSW2 || request == TCSETSF2 ||
	       request == TCSBRKP || request == TCSBRK;
}

void terminals_ioctl(struct private_bus *bus, const struct call_info *c)
{
	struct terminal *t = terminals_of_fd(bus, c->tid, (int)c->args[0]);
	uint32_t request = (uint32_t)c->args[1];
	int value;

	if (!t) {
		answer_continue(bus, c->id);
		return;
	}
	if (waits_until_sent(request) && !terminal_is_drained(t)) {
		if (terminal_hold(t, c))
			answer_error(bus, c->id, -ENOMEM);
		return;
	}
	switch (request) {
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		set(t, c, request);
		return;
	case TIOCMGET:
		value = lines_of(t);
		answer_error(bus, c->id, remote_write(c->tid, c->args[2], &value, sizeof(value)));
		return;
	case TIOCMBIS:
	case TIOCMBIC:
	case TIOCMSET:
		set_lines(t, c, request);
		return;
	case TIOCSBRK:
	case TIOCCBRK:
		if (!(t->capabilities & CAPABILITY_BREAK))
			answer_error(bus, c->id, -EOPNOTSUPP);
		else
			send_break(t, c, request == TIOCSBRK);
		return;
	case TCSBRK: /* tcdrain(3) has another argument than 0 */
		if ((uint32_t)c->args[2])
			answer_error(bus, c->id, 0);
		else
			timed_break(t, c, BREAK_MS);
		return;
	case TCSBRKP:
		timed_break(t, c, (uint32_t)c->args[2] ? (uint64_t)(uint32_t)c->args[2] * 100 : BREAK_MS);
		return;
	case TIOCGSERIAL:
		answer_error(bus, c->id, serial_info(t, c));
		return;
	case TIOCSSERIAL:
		answer_error(bus, c->id, 0);
		return;
	case TIOCGICOUNT:
		answer_error(bus, c->id, counters(c));
		return;
	case TIOCOUTQ:
		answer_error(bus, c->id, unsent(t, c));
		return;
	case TIOCEXCL:
	case TIOCNXCL:
		t->exclusive = request == TIOCEXCL;
		answer_error(bus, c->id, 0);
		return;
	case TCFLSH:
		/* What was written is the device's already, as the driver has it: nothing to take back. */
		up_to_date(t, (int)c->args[2] != 1);
		if ((int)c->args[2] == 1)
			answer_error(bus, c->id, 0);
		else
			answer_continue(bus, c->id);
		return;
	case FIONREAD:
		up_to_date(t, false);
		answer_continue(bus, c->id);
		return;
	default:
		answer_continue(bus, c->id);
		return;
	}
}
