/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Terminals of the private bus over a device that takes its time, has breaks, and tells of its lines. The tool is this program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"
#include "private_bus.h"

#define SECOND 1000000u
#define EVENTS 64
#define PORT "/dev/ttyACM0"

/* --- the device --- */

struct slow {
	struct usbdev dev; /* first */
	struct bench *bench;
	struct usb_urb *out, *in, *notify;
	struct bench_event taken;
	size_t received;
	char log[EVENTS][40]; /* class requests, in order: request, value, data */
	uint64_t at_us[EVENTS];
	unsigned count;
	uint8_t state; /* SERIAL_STATE to tell; 0xff: none */
};

/* A communication interface that knows lines and breaks, and a data interface. */
static const uint8_t device_descriptor[18] = { 18,   1,    0x00, 0x02, 2,    0, 0, 64, 0x34,
					       0x12, 0x78, 0x56, 0x00, 0x01, 0, 0, 0,  1 };
static const uint8_t configuration[] = {
	9, 2,    67, 0,  2, 1, 0,    0x80, 50, 9,    4,    0,  0, 1, 2, 2, 1,    0, 5,  0x24, 0, 0x10, 1,
	5, 0x24, 1,  0,  1, 4, 0x24, 2,    6,  5,    0x24, 6,  0, 1, 7, 5, 0x82, 3, 16, 0,    1, 9,    4,
	1, 0,    2,  10, 0, 0, 0,    7,    5,  0x01, 2,    64, 0, 0, 7, 5, 0x81, 2, 64, 0,    0,
};

static void answer(struct slow *s, struct usb_urb *urb, const uint8_t *bytes, size_t length)
{
	if (length > urb->length)
		length = urb->length;
	memcpy(urb->data, bytes, length);
	usbdev_complete(&s->dev, urb, USB_ACK, length);
}

static void note(struct slow *s, const struct usb_urb *urb)
{
	char *line = s->log[s->count];
	int n;

	assert_true(s->count < EVENTS);
	s->at_us[s->count++] = bench_now_us(s->bench);
	n = sprintf(line, "%02x %04x", urb->setup.request, urb->setup.value);
	for (size_t i = 0; i < urb->length; i++)
		n += sprintf(line + n, "%s%02x", i ? "" : " ", urb->data[i]);
}

static void taken(struct bench_event *e)
{
	struct slow *s = e->context;
	struct usb_urb *urb = s->out;

	s->out = NULL;
	s->received += urb->length;
	usbdev_complete(&s->dev, urb, USB_ACK, urb->length);
}

static void tell_state(struct slow *s)
{
	uint8_t bytes[10] = { 0xa1, 0x20, 0, 0, 0, 0, 2, 0, s->state, 0 };
	struct usb_urb *urb = s->notify;

	if (!urb || s->state == 0xff)
		return;
	s->notify = NULL;
	s->state = 0xff;
	answer(s, urb, bytes, sizeof(bytes));
}

static void submit(struct usbdev *dev, struct usb_urb *urb)
{
	struct slow *s = (struct slow *)dev;
	const struct usb_setup copy = urb->setup, *setup = &copy;

	if (urb->endpoint == 0x01) {
		s->out = urb;
		s->taken.fire = taken;
		s->taken.context = s;
		bench_after(s->bench, &s->taken, SECOND);
	} else if (urb->endpoint == 0x81) {
		s->in = urb;
	} else if (urb->endpoint == 0x82) {
		s->notify = urb;
		tell_state(s);
	} else if (setup->type == 0x80 && setup->request == 6 && setup->value == 0x0100) {
		answer(s, urb, device_descriptor, sizeof(device_descriptor));
	} else if (setup->type == 0x80 && setup->request == 6 && setup->value == 0x0200) {
		answer(s, urb, configuration, sizeof(configuration));
	} else if (setup->type == 0x21) {
		note(s, urb);
		usbdev_complete(dev, urb, USB_ACK, urb->length);
		/* RTS without DTR: what follows a program's wish */
		if (setup->request == 0x22 && setup->value == 2) {
			s->state = s->state == 0xff ? 3 : 0;
			tell_state(s);
		}
	} else {
		usbdev_complete(dev, urb, setup->type ? USB_STALL : USB_ACK, 0);
	}
}

static void cancel(struct usbdev *dev, struct usb_urb *urb)
{
	struct slow *s = (struct slow *)dev;

	if (urb == s->out) {
		bench_cancel(s->bench, &s->taken);
		s->out = NULL;
	} else if (urb == s->in) {
		s->in = NULL;
	} else if (urb == s->notify) {
		s->notify = NULL;
	} else {
		return;
	}
	usbdev_complete(dev, urb, USB_CANCELLED, 0);
}

static void bus_reset(struct usbdev *dev)
{
	(void)dev;
}

static const struct usbdev_ops ops = { .submit = submit, .cancel = cancel, .bus_reset = bus_reset };

/* --- the tool: this program, told what to do --- */

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "tool: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int open_raw(void)
{
	struct termios settings;
	int fd = open(PORT, O_RDWR | O_NOCTTY);

	must(fd >= 0, "open");
	must(tcgetattr(fd, &settings) == 0, "tcgetattr");
	cfmakeraw(&settings);
	must(tcsetattr(fd, TCSANOW, &settings) == 0, "tcsetattr");
	return fd;
}

static void write_bytes(int fd, size_t length)
{
	char bytes[4096] = "";

	must(write(fd, bytes, length) == (ssize_t)length, "write");
}

static void drain_tool(void)
{
	int fd = open_raw(), queued = 0;
	double began = now();

	write_bytes(fd, 3000); /* three transfers: 1280, 1280, 440 */
	must(ioctl(fd, TIOCOUTQ, &queued) == 0 && queued > 2000, "TIOCOUTQ");
	must(tcdrain(fd) == 0, "tcdrain");
	must(now() - began > 2.99 && now() - began < 3.5, "three seconds");
	must(ioctl(fd, TIOCOUTQ, &queued) == 0 && queued == 0, "TIOCOUTQ");
}

static void again_tool(void)
{
	int fd = open_raw();
	double began = now();

	write_bytes(fd, 2000);
	close(fd);
	fd = open(PORT, O_RDWR | O_NOCTTY); /* not before the close is over: two seconds */
	must(fd >= 0 && now() - began > 1.99 && now() - began < 2.5, "a second open waits");
}

static void last_words_tool(void)
{
	write_bytes(open_raw(), 2000);
}

static void break_tool(void)
{
	int fd = open_raw();
	double began = now();

	must(ioctl(fd, TCSBRKP, 5) == 0, "TCSBRKP");
	must(now() - began > 0.49 && now() - began < 0.9, "half a second");
	must(ioctl(fd, TIOCSBRK, 0) == 0 && ioctl(fd, TIOCCBRK, 0) == 0, "TIOCSBRK");
}

static void settings_tool(void)
{
	struct termios settings;
	int fd = open_raw();

	must(tcgetattr(fd, &settings) == 0, "tcgetattr");
	settings.c_cflag = (settings.c_cflag & ~(tcflag_t)(CSIZE | HUPCL)) | CS7 | PARENB | CSTOPB;
	cfsetspeed(&settings, B57600);
	must(tcsetattr(fd, TCSADRAIN, &settings) == 0, "tcsetattr");
	cfsetspeed(&settings, B0);
	must(tcsetattr(fd, TCSANOW, &settings) == 0, "tcsetattr");
	cfsetspeed(&settings, B57600);
	must(tcsetattr(fd, TCSANOW, &settings) == 0, "tcsetattr");
	must(ioctl(fd, TIOCEXCL) == 0 && open(PORT, O_RDWR) < 0 && errno == EBUSY, "TIOCEXCL");
	must(ioctl(fd, TIOCNXCL) == 0 && open(PORT, O_RDWR) >= 0, "TIOCNXCL");
}

static void lines_tool(void)
{
	int fd = open_raw(), lines = 0, dtr = TIOCM_DTR;
	struct termios settings;
	char byte;

	must(ioctl(fd, TIOCMGET, &lines) == 0 && lines == (TIOCM_DTR | TIOCM_RTS | TIOCM_CTS), "first lines");
	must(ioctl(fd, TIOCMBIC, &dtr) == 0, "TIOCMBIC");
	usleep(10000);
	must(ioctl(fd, TIOCMGET, &lines) == 0 && lines == (TIOCM_RTS | TIOCM_CTS | TIOCM_CD | TIOCM_DSR), "lines told");
	must(tcgetattr(fd, &settings) == 0, "tcgetattr");
	settings.c_cflag &= ~(tcflag_t)CLOCAL;
	must(tcsetattr(fd, TCSANOW, &settings) == 0, "tcsetattr");
	must(write(fd, "x", 1) == 1, "write"); /* the device drops the carrier when it has that: see lines() */
	must(read(fd, &byte, 1) < 0 && errno == EIO, "the terminal hangs up"); /* with a serial port of the kernel: 0 */
	must(read(fd, &byte, 1) == 0, "and is at its end");
	must(write(fd, "x", 1) < 0 && errno == EIO, "for writing too");
}

/* The kernel counts the time of such a read. */
static void kernel_time_tool(void)
{
	struct termios settings;
	int fd = open_raw();
	double began;
	char byte;

	must(tcgetattr(fd, &settings) == 0, "tcgetattr");
	settings.c_cc[VMIN] = 0;
	settings.c_cc[VTIME] = 3;
	must(tcsetattr(fd, TCSANOW, &settings) == 0, "tcsetattr");
	began = now();
	must(read(fd, &byte, 1) == 0, "read");
	must(now() - began > 0.29 && now() - began < 60, "a time-out of the kernel");
}

static const struct {
	const char *name;
	void (*run)(void);
} tools[] = {
	{ "drain", drain_tool },
	{ "again", again_tool },
	{ "last-words", last_words_tool },
	{ "break", break_tool },
	{ "settings", settings_tool },
	{ "lines", lines_tool },
	{ "kernel-time", kernel_time_tool },
};

static int be_the_tool(const char *name)
{
	for (size_t i = 0; i < sizeof(tools) / sizeof(*tools); i++)
		if (!strcmp(tools[i].name, name)) {
			tools[i].run();
			return 0;
		}
	return 2;
}

/* --- the tests --- */

static void warn(void *context, const char *line)
{
	(void)context;
	fprintf(stderr, "warning: %s\n", line);
}

static void drop_carrier(struct bench_event *e)
{
	struct slow *s = e->context;

	s->state = 0;
	tell_state(s);
}

struct scene {
	struct slow slow;
	struct bench *bench;
	struct private_bus *bus;
	struct bench_event drop;
};

static void run(struct scene *s, const char *name)
{
	const struct private_bus_options options = { .time = TIME_VIRTUAL_ALWAYS, .scale = 1, .warn = warn };
	char why[PRIVATE_BUS_ERROR] = "", *argv[] = { (char *)"/proc/self/exe", (char *)name, NULL };

	memset(s, 0, sizeof(*s));
	s->bench = bench_new(1);
	s->slow.bench = s->bench;
	s->slow.dev.ops = &ops;
	s->slow.state = 0xff;
	s->bus = private_bus_new(s->bench, &options, why);
	assert_string_equal(why, "");
	assert_int_equal(private_bus_add(s->bus, &s->slow.dev, false), 1);
	usbdev_attach(&s->slow.dev, USB_SPEED_IS_FULL);
	private_bus_settle(s->bus, SECOND);
	assert_int_equal(private_bus_address(s->bus, 1), 2);
	if (!strcmp(name, "lines")) {
		s->drop.fire = drop_carrier;
		s->drop.context = &s->slow;
		bench_after(s->bench, &s->drop, 20 * SECOND);
	}
	assert_int_equal(private_bus_spawn(s->bus, argv, why), 0);
	while (private_bus_step(s->bus, -1) > 0)
		continue;
	assert_true(WIFEXITED(private_bus_status(s->bus)));
	assert_int_equal(WEXITSTATUS(private_bus_status(s->bus)), 0);
}

static void ends(struct scene *s, const char *const *want)
{
	unsigned i = 0;

	for (; want[i]; i++) {
		assert_true(i < s->slow.count);
		assert_string_equal(s->slow.log[i], want[i]);
	}
	assert_int_equal(s->slow.count, i);
	private_bus_free(s->bus);
	bench_free(s->bench);
}

#define START "20 0000 80250000000008", "22 0003" /* when the device comes, and when it is opened */

static void drain_waits_for_the_device(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "drain");
	assert_int_equal(s.slow.received, 3000);
	ends(&s, (const char *const[]){ START, "22 0000", NULL });
}

static void open_waits_for_a_close(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "again");
	assert_int_equal(s.slow.received, 2000);
	ends(&s, (const char *const[]){ START, "22 0000", "22 0003", "22 0000", NULL });
}

static void what_a_tool_left_goes_out(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "last-words");
	assert_int_equal(s.slow.received, 2000);
	ends(&s, (const char *const[]){ START, "22 0000", NULL });
}

static void breaks_last(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "break");
	assert_true(s.slow.at_us[3] - s.slow.at_us[2] == SECOND / 2);
	ends(&s, (const char *const[]){ START, "23 ffff", "23 0000", "23 ffff", "23 0000", "22 0000", NULL });
}

/* Two stop bits, even parity, 7 bits; a speed of 0 lets DTR fall; without HUPCL a close does not. */
static void settings_reach_the_device(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "settings");
	ends(&s, (const char *const[]){ START, "20 0000 00e10000020207", "22 0002", "22 0003", "22 0003", NULL });
}

static void lines_of_the_device_are_heard(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "lines");
	ends(&s, (const char *const[]){ START, "22 0002", "22 0000", NULL });
}

static void kernel_counts_time(void **state)
{
	struct scene s;

	(void)state;
	run(&s, "kernel-time");
	ends(&s, (const char *const[]){ START, "22 0000", NULL });
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drain_waits_for_the_device), cmocka_unit_test(open_waits_for_a_close),
		cmocka_unit_test(what_a_tool_left_goes_out),  cmocka_unit_test(breaks_last),
		cmocka_unit_test(settings_reach_the_device),  cmocka_unit_test(lines_of_the_device_are_heard),
		cmocka_unit_test(kernel_counts_time),
	};

	if (argc > 1)
		return be_the_tool(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
