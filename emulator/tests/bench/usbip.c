// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB/IP over loopback: control transfers to boards of a `dfuemu serve usbip`, one under way for each board, or the same bytes
 * back and forth with a server that does nothing else.
 *
 *	usbip ADDRESS:PORT BOARDS ROUNDS getstatus|dnload     prints the seconds that it took
 *	usbip bare         BOARDS ROUNDS getstatus|dnload
 *
 * A round of dnload is a block of 2 KiB and the two DFU_GETSTATUS that it takes; one of getstatus, that alone. ROUNDS in all.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "usbip_wire.h"

#define BLOCK 2048u
#define CONNECTIONS 1024u
#define STEPS 3u
#define DFU_ERROR 10

/* What goes out and what comes back. */
struct step {
	size_t request, reply;
	struct usbip_message message;
};

struct script {
	const char *name;
	size_t steps;
	struct step step[STEPS];
};

#define GETSTATUS \
	{ \
		USBIP_MESSAGE_BYTES, USBIP_MESSAGE_BYTES + 6, \
		{ \
			.command = USBIP_SUBMIT, .in = true, .length = 6, .setup = { 0xa1, 3, 0, 0, 0, 0, 6, 0 } \
		} \
	}
#define DNLOAD \
	{ \
		USBIP_MESSAGE_BYTES + BLOCK, USBIP_MESSAGE_BYTES, \
		{ \
			.command = USBIP_SUBMIT, .length = BLOCK, .setup = { \
				0x21, \
				1, \
				2, \
				0, \
				0, \
				0, \
				BLOCK & 0xff, \
				BLOCK >> 8 \
			} \
		} \
	}

static const struct script scripts[] = {
	{ "getstatus", 1, { GETSTATUS } },
	{ "dnload", 3, { DNLOAD, GETSTATUS, GETSTATUS } },
};

struct connection {
	int fd;
	uint32_t devid, seqnum;
	size_t step, got;
	uint8_t request[USBIP_MESSAGE_BYTES + BLOCK], reply[USBIP_MESSAGE_BYTES + BLOCK];
};

static void need(bool holds, const char *what)
{
	if (holds)
		return;
	perror(what);
	exit(1);
}

static void read_all(int fd, void *bytes, size_t length)
{
	need(recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length, "recv");
}

static void write_all(int fd, const void *bytes, size_t length)
{
	need(send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length, "send");
}

/* ---- the bare server ---- */

static void bare_turn(struct connection *c, const struct script *script, bool wait)
{
	const struct step *s = &script->step[c->step];
	ssize_t n = recv(c->fd, c->request + c->got, s->request - c->got, wait ? 0 : MSG_DONTWAIT);

	if (n <= 0)
		exit(0);
	c->got += (size_t)n;
	if (c->got < s->request)
		return;
	c->got = 0;
	write_all(c->fd, c->reply, s->reply);
	c->step = (c->step + 1) % script->steps;
}

/* In a process of its own, until the first connection ends. */
static void bare_serve(int listener, unsigned count, const struct script *script)
{
	static struct connection connections[CONNECTIONS];
	struct epoll_event events[64];
	int epoll = epoll_create1(0), one = 1;

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		connections[i].fd = accept(listener, NULL, NULL);
		need(connections[i].fd >= 0, "accept");
		setsockopt(connections[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	for (;;) {
		int n;

		if (count == 1) {
			bare_turn(&connections[0], script, true);
			continue;
		}
		n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++)
			bare_turn(events[i].data.ptr, script, false);
	}
}

static struct sockaddr_in bare_start(unsigned count, const struct script *script)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	need(!bind(listener, (struct sockaddr *)&address, sizeof(address)) && !listen(listener, (int)count) &&
		     !getsockname(listener, (struct sockaddr *)&address, &length),
	     "listen");
	if (!fork()) {
		bare_serve(listener, count, script);
		exit(0);
	}
	close(listener);
	return address;
}

/* ---- the client ---- */

static void send_next(struct connection *c, const struct script *script)
{
	struct usbip_message m = script->step[c->step].message;

	m.devid = c->devid;
	m.seqnum = ++c->seqnum;
	usbip_message_encode(&m, c->request);
	write_all(c->fd, c->request, script->step[c->step].request);
}

/* True: a reply is complete. */
static bool receive(struct connection *c, const struct script *script, bool checked, bool wait)
{
	const struct step *s = &script->step[c->step];
	struct usbip_message m;
	char why[USBIP_WHY];
	ssize_t n = recv(c->fd, c->reply + c->got, s->reply - c->got, wait ? 0 : MSG_DONTWAIT);

	need(n > 0, "recv");
	c->got += (size_t)n;
	if (c->got < USBIP_MESSAGE_BYTES || (c->got < s->reply && !checked))
		return false;
	if (checked && (usbip_message_decode(c->reply, c->got, &m, why) != USBIP_DONE || m.seqnum != c->seqnum ||
			m.status || m.actual != s->message.length)) {
		fprintf(stderr, "step %zu: status %d, %u bytes\n", c->step, m.status, m.actual);
		exit(1);
	}
	if (c->got < s->reply)
		return false;
	c->got = 0;
	c->step = (c->step + 1) % script->steps;
	return true;
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	need(!connect(fd, (const struct sockaddr *)address, sizeof(*address)), "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void control(struct connection *c, const uint8_t setup[8], const void *data, uint32_t length)
{
	struct usbip_message m = { .command = USBIP_SUBMIT,
				   .seqnum = ++c->seqnum,
				   .devid = c->devid,
				   .in = setup[0] & 0x80,
				   .length = length };
	char why[USBIP_WHY];

	memcpy(m.setup, setup, 8);
	usbip_message_encode(&m, c->request);
	if (!m.in)
		memcpy(c->request + USBIP_MESSAGE_BYTES, data, length);
	write_all(c->fd, c->request, USBIP_MESSAGE_BYTES + (m.in ? 0 : length));
	read_all(c->fd, c->reply, USBIP_MESSAGE_BYTES);
	need(usbip_message_decode(c->reply, USBIP_MESSAGE_BYTES, &m, why) == USBIP_DONE && !m.status, "control");
	if (setup[0] & 0x80)
		read_all(c->fd, c->reply, m.actual);
}

/* Imported, configured, idle, and the address pointer at the start of the flash. */
static void import(struct connection *c, unsigned number)
{
	static const uint8_t configure[8] = { 0, 9, 1 }, clear[8] = { 0x21, 4 }, abort_[8] = { 0x21, 6 },
			     set_address[8] = { 0x21, 1, 0, 0, 0, 0, 5 }, status[8] = { 0xa1, 3, 0, 0, 0, 0, 6 };
	static const uint8_t pointer[5] = { 0x21, 0, 0, 0, 8 };
	struct usbip_request request = { .code = USBIP_IMPORT };
	struct usbip_device device;
	char why[USBIP_WHY];
	size_t used;

	snprintf(request.busid, sizeof(request.busid), "1-%u", number);
	write_all(c->fd, c->request, usbip_request_encode(&request, c->request));
	read_all(c->fd, c->reply, USBIP_HEAD_BYTES + USBIP_DEVICE_BYTES);
	need(usbip_device_decode(c->reply + USBIP_HEAD_BYTES, USBIP_DEVICE_BYTES, false, &device, &used, why) ==
		     USBIP_DONE,
	     "import");
	c->devid = device.busnum << 16 | device.devnum;
	control(c, configure, NULL, 0);
	control(c, status, NULL, 6);
	control(c, c->reply[4] == DFU_ERROR ? clear : abort_, NULL, 0);
	control(c, set_address, pointer, sizeof(pointer));
	control(c, status, NULL, 6);
	control(c, status, NULL, 6);
	memset(c->request, 0xff, sizeof(c->request)); /* what can be written again and again */
}

static double run(struct connection *connections, unsigned count, unsigned rounds, const struct script *script,
		  bool checked)
{
	uint64_t left = (uint64_t)rounds * script->steps, waited = 0;
	struct epoll_event events[64];
	struct timespec start, end;
	int epoll = epoll_create1(0);

	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

		epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (; waited < count && left; waited++, left--)
		send_next(&connections[waited], script);
	while (waited) {
		int n = 1;

		if (count == 1)
			events[0].data.ptr = &connections[0];
		else
			n = epoll_wait(epoll, events, 64, -1);
		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (!receive(c, script, checked, count == 1))
				continue;
			if (left) {
				left--;
				send_next(c, script);
			} else {
				waited--;
			}
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
	static struct connection connections[CONNECTIONS];
	struct rlimit limit;
	struct sockaddr_in address = { .sin_family = AF_INET };
	const struct script *script = NULL;
	unsigned count, rounds;
	bool bare;
	char *colon;

	if (argc != 5)
		return 2;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (!strcmp(argv[4], scripts[i].name))
			script = &scripts[i];
	bare = !strcmp(argv[1], "bare");
	colon = strrchr(argv[1], ':');
	count = (unsigned)strtoul(argv[2], NULL, 10);
	rounds = (unsigned)strtoul(argv[3], NULL, 10);
	if (!script || (!bare && !colon) || !count || count > CONNECTIONS)
		return 2;
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (bare) {
		address = bare_start(count, script);
	} else {
		*colon = 0;
		address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
		need(inet_pton(AF_INET, argv[1], &address.sin_addr) == 1, argv[1]);
	}
	for (unsigned i = 0; i < count; i++) {
		connections[i].fd = connect_to(&address);
		if (!bare)
			import(&connections[i], i + 1);
	}
	printf("%.6f\n", run(connections, count, rounds, script, !bare));
	for (unsigned i = 0; i < count; i++)
		close(connections[i].fd);
	while (bare && wait(NULL) > 0)
		; /* what it has taken counts as ours */
	return 0;
}
