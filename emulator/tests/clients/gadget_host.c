// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's side of what is particular to gadgets, with libusb and the serial port; compiled, for an emulated processor takes
 * a second to start an interpreter. gadget_host COMMAND:
 * alts: what SET_INTERFACE says to 0 to 3 | hold, held: give up a held GETSTATUS, and go on | refused: a stalled request |
 * silent [MS]: one that is never answered, given up after so long | serial TTY: bytes there and back |
 * bytes: the device's and the configuration's descriptors, in hexadecimal |
 * clears SERIES: requests without data that change the state, and refused ones |
 * lost SERIES: what comes back of SERIES requests, each given up after a short while | superseded: what comes after one of the
 * application's that is given up | late: give one of them up, no more
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libusb.h>
#include <poll.h>
#include <stdbool.h>
#include <termios.h>
#include <unistd.h>
#include "mass_erase.h"

enum { GETSTATE = 5 };

static libusb_device_handle *board;

/* Bytes moved, or -errno. */
static int transfer(uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length, unsigned timeout_ms)
{
	int r = libusb_control_transfer(board, type, request, value, 0, data, length, timeout_ms);

	switch (r) {
	case LIBUSB_ERROR_PIPE:
		return -EPIPE;
	case LIBUSB_ERROR_TIMEOUT:
		return -ETIMEDOUT;
	case LIBUSB_ERROR_NO_DEVICE:
		return -ENODEV;
	default:
		return r < 0 ? -EIO : r;
	}
}

/* How a request ended. */
static const char *said(int result)
{
	return result < 0 ? strerror(-result) : "answered";
}

static int ask_state(unsigned timeout_ms)
{
	uint8_t state = 0;
	int r = transfer(0xA1, GETSTATE, 0, &state, 1, timeout_ms);

	return r == 1 ? state : r < 0 ? r : -EIO;
}

static int state(void)
{
	int r = ask_state(TIMEOUT_MS);

	if (r < 0)
		die("GETSTATE failed", r);
	return r;
}

static int ask_status(unsigned timeout_ms)
{
	uint8_t bytes[6];
	int r = transfer(0xA1, DFU_GETSTATUS, 0, bytes, sizeof(bytes), timeout_ms);

	return r == (int)sizeof(bytes) ? bytes[4] : r < 0 ? r : -EIO;
}

static int status(void)
{
	int r = ask_status(TIMEOUT_MS);

	if (r < 0)
		die("GETSTATUS failed", r);
	return r;
}

static void out(uint8_t request, void *data, uint16_t length)
{
	int r = transfer(0x21, request, 0, data, length, TIMEOUT_MS);

	if (r != length)
		die("a request to the board failed", r);
}

static void idle(void)
{
	int now = DFU_IDLE;

	for (int i = 0; i < 4 && (now = state()) != DFU_IDLE; i++)
		out(now == DFU_ERROR ? DFU_CLRSTATUS : DFU_ABORT, NULL, 0);
	if (now != DFU_IDLE && (now = state()) != DFU_IDLE)
		die("never idle: state", now);
}

static void alts(void)
{
	for (uint16_t alt = 0; alt < 4; alt++) {
		uint8_t is = 0xff;
		int r = transfer(0x01, LIBUSB_REQUEST_SET_INTERFACE, alt, NULL, 0, TIMEOUT_MS);

		printf("alt %u: ", alt);
		if (r < 0) {
			puts(said(r));
			continue;
		}
		r = transfer(0x81, LIBUSB_REQUEST_GET_INTERFACE, 0, &is, 1, TIMEOUT_MS);
		if (r != 1)
			die("GET_INTERFACE failed", r);
		printf("set, now %u\n", is);
	}
}

/* A sector of 128 KiB: the board is busy for about a second from the first GETSTATUS on, whose answer comes back. */
static int begin_erase(void)
{
	uint8_t command[5] = { 0x41, 0x00, 0x00, 0x02, 0x08 };

	idle();
	out(DFU_DNLOAD, command, sizeof(command));
	return status();
}

static void hold(void)
{
	double start = now(), first, rest;
	int answer, r;

	answer = begin_erase();
	first = now() - start;
	r = ask_status(200);
	rest = now() - start - first;
	printf("state %d at once: %s; given up: %s after %.1f s\n", answer, first < 0.3 ? "True" : "False", said(r),
	       rest);
	answer = status();
	printf("then state %d, whole %s\n", answer, now() - start > 0.5 ? "True" : "False");
	idle();
}

/* The same where the next request is stalled until the board has answered the one that was given up. */
static void held(void)
{
	double deadline;

	begin_erase();
	printf("given up: %s\n", said(ask_status(200)));
	printf("meanwhile: %s\n", said(ask_state(TIMEOUT_MS)));
	deadline = now() + 20;
	while (ask_state(TIMEOUT_MS) < 0 && now() < deadline)
		usleep(20000);
	printf("in the end state %d\n", state());
}

static void silent(unsigned timeout_ms)
{
	puts("asking");
	printf("given up: %s\n", said(ask_state(timeout_ms)));
	printf("then state %d\n", state());
}

static void lost(int count)
{
	int answered = 0, given_up = 0, other = 0;

	idle();
	for (int i = 0; i < count; i++) {
		int r = ask_state(1 + (unsigned)i % 40);

		if (r >= 0)
			answered++;
		else if (r == -ETIMEDOUT)
			given_up++;
		else
			other++;
	}
	printf("answered: %d, given up: %d, other ends: %d\n", answered, given_up, other);
	printf("then state %d\n", state());
}

static void refused(void)
{
	static uint8_t bytes[4096];

	idle();
	/* An UPLOAD longer than wTransferSize; a request without data that the board knows not. */
	printf("IN: %s\n", said(transfer(0xA1, DFU_UPLOAD, 0, bytes, sizeof(bytes), TIMEOUT_MS)));
	idle();
	printf("no data: %s\n", said(transfer(0x21, 0x55, 0, NULL, 0, TIMEOUT_MS)));
	idle();
}

/* Requests without data, each of which must have its effect; and those that are refused. */
static void clears(int count)
{
	int wrong = 0;

	idle();
	for (int i = 0; i < count; i++) {
		/* CLRSTATUS leads out of dfuERROR, and into it where there was no error. */
		out(DFU_CLRSTATUS, NULL, 0);
		wrong += state() != (i % 2 ? DFU_IDLE : DFU_ERROR);
		wrong += transfer(0x21, 0x55, 0, NULL, 0, TIMEOUT_MS) != -EPIPE;
		if (i % 2)
			idle();
	}
	printf("%d of %d were lost\n", wrong, 2 * count);
}

static void descriptor(uint8_t type, uint16_t value, uint16_t length)
{
	uint8_t bytes[255];
	int r = transfer(type, LIBUSB_REQUEST_GET_DESCRIPTOR, value, bytes, length, TIMEOUT_MS);

	if (r < 0)
		die("GET_DESCRIPTOR failed", r);
	for (int i = 0; i < r; i++)
		printf("%02x", bytes[i]);
	puts("");
}

static void serial(const char *path)
{
	static const size_t sizes[] = { 1, 64, 65, 128, 1000 };
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios raw;

	if (fd < 0 || tcgetattr(fd, &raw))
		die(path, errno);
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSAFLUSH, &raw))
		die(path, errno);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint8_t data[1000], came[1000];
		size_t have = 0;

		for (size_t i = 0; i < sizes[s]; i++)
			data[i] = (uint8_t)(7 * i + sizes[s]);
		if (write(fd, data, sizes[s]) != (ssize_t)sizes[s])
			die("cannot write all", errno);
		while (have < sizes[s]) {
			struct pollfd p = { .fd = fd, .events = POLLIN };
			ssize_t n = poll(&p, 1, 10000) == 1 ? read(fd, came + have, sizes[s] - have) : -1;

			if (n <= 0)
				die("bytes that came back", (int)have);
			have += (size_t)n;
		}
		if (memcmp(data, came, sizes[s]))
			die("not what was sent, of bytes", (int)sizes[s]);
	}
	close(fd);
	puts("all came back");
}

/* The device answers no GET_DESCRIPTOR meanwhile. */
static void superseded(void)
{
	static const struct {
		const char *name;
		uint8_t type, request;
		uint16_t length;
	} next[] = { { "IN", 0xA1, 0x21, 7 }, { "no data", 0x21, 0x22, 0 }, { "OUT", 0x21, 0x20, 7 } };
	uint8_t data[255], coding[7] = { 0x00, 0xc2, 0x01, 0x00, 0, 0, 8 };

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		unsigned lost = 0;

		printf("%s: given up: %s; ", next[i].name, said(transfer(0x80, 6, 0x0302, data, sizeof(data), 300)));
		while (lost < 5 && transfer(next[i].type, next[i].request, 0, coding, next[i].length, TIMEOUT_MS) < 0)
			lost++;
		printf("%s, %u were lost\n", lost < 5 ? "then answered" : "dead", lost);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0); /* waited for, line by line */
	if (!strcmp(what, "serial") && argc > 2) {
		serial(argv[2]);
		return 0;
	}
	if (libusb_init(NULL))
		die("libusb_init", 0);
	board = libusb_open_device_with_vid_pid(NULL, 0x0483,
						strcmp(what, "superseded") && strcmp(what, "late") ? 0xdf11 : 0x5740);
	if (!board)
		die("no board", 0);
	libusb_set_auto_detach_kernel_driver(board, 1);
	if (libusb_claim_interface(board, 0))
		die("claim", 0);
	if (!strcmp(what, "alts"))
		alts();
	else if (!strcmp(what, "hold"))
		hold();
	else if (!strcmp(what, "held"))
		held();
	else if (!strcmp(what, "refused"))
		refused();
	else if (!strcmp(what, "late")) {
		uint8_t text[255];

		printf("given up: %s\n", said(transfer(0x80, 6, 0x0302, text, sizeof(text), 200)));
	} else if (!strcmp(what, "superseded"))
		superseded();
	else if (!strcmp(what, "silent"))
		silent(number ? (unsigned)number : 300);
	else if (!strcmp(what, "bytes")) {
		descriptor(0x80, 0x0100, 18);
		descriptor(0x80, 0x0200, 255);
		descriptor(0x81, 0x2100, 9);
	} else if (!strcmp(what, "clears"))
		clears(number);
	else if (!strcmp(what, "lost"))
		lost(number);
	else
		die("usage", argc);
	libusb_close(board);
	libusb_exit(NULL);
	return 0;
}
