// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening to a serial port that may go and come again. */
#include "console_port.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "console_text.h"

#define SEND_MS 5000

struct console_port {
	char *device;
	const char *port;
	unsigned speed;
	int fd, error;
	char path[300];
	struct console_text text;
};

static const struct {
	unsigned baud;
	speed_t value;
} speeds[] = {
	{ 1200, B1200 },     { 2400, B2400 },     { 4800, B4800 },       { 9600, B9600 },     { 19200, B19200 },
	{ 38400, B38400 },   { 57600, B57600 },   { 115200, B115200 },   { 230400, B230400 }, { 460800, B460800 },
	{ 500000, B500000 }, { 921600, B921600 }, { 1000000, B1000000 },
};

struct console_port *console_port_new(const char *device, const char *port, unsigned speed)
{
	struct console_port *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = -1;
	c->error = -ENOENT;
	c->port = port;
	c->speed = speed;
	c->device = device ? strdup(device) : NULL;
	if (!device || c->device)
		return c;
	console_port_free(c);
	return NULL;
}

void console_port_free(struct console_port *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->device);
	console_text_clear(&c->text);
	free(c);
}

int console_port_fd(const struct console_port *c)
{
	return c->fd;
}

/* Which ttyACM or ttyUSB belongs to an interface of the device at the port: "1-1.2:1.0/tty/ttyACM0", or a level deeper. */
static bool find_tty(const char *port, char *out, size_t size)
{
	DIR *list = *port ? opendir("/sys/bus/usb/devices") : NULL;
	size_t length = strlen(port);
	struct dirent *entry, *tty;
	bool found = false;

	while (list && !found && (entry = readdir(list))) {
		static const char *const forms[] = { "/sys/bus/usb/devices/%.60s/tty", "/sys/bus/usb/devices/%.60s" };

		if (strncmp(entry->d_name, port, length) || entry->d_name[length] != ':')
			continue;
		for (unsigned i = 0; i < 2 && !found; i++) {
			char folder[128];
			DIR *inner;

			snprintf(folder, sizeof(folder), forms[i], entry->d_name);
			inner = opendir(folder);
			while (inner && !found && (tty = readdir(inner)))
				if (!strncmp(tty->d_name, "ttyACM", 6) || !strncmp(tty->d_name, "ttyUSB", 6)) {
					snprintf(out, size, "/dev/%.200s", tty->d_name);
					found = true;
				}
			if (inner)
				closedir(inner);
		}
	}
	if (list)
		closedir(list);
	return found;
}

static void set_line(int fd, unsigned speed)
{
	struct termios line;

	if (tcgetattr(fd, &line))
		return; /* no terminal, such as a pipe: there is nothing to set */
	cfmakeraw(&line);
	line.c_cflag |= CLOCAL | CREAD;
	for (unsigned i = 0; i < sizeof(speeds) / sizeof(*speeds); i++)
		if (speeds[i].baud == speed) {
			cfsetispeed(&line, speeds[i].value);
			cfsetospeed(&line, speeds[i].value);
		}
	tcsetattr(fd, TCSANOW, &line);
}

static void open_port(struct console_port *c)
{
	if (c->device)
		snprintf(c->path, sizeof(c->path), "%s", c->device);
	else if (!c->port || !find_tty(c->port, c->path, sizeof(c->path)))
		*c->path = 0;
	c->fd = *c->path ? open(c->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
	c->error = c->fd >= 0 ? 0 : *c->path ? -errno : -ENOENT;
	if (c->fd >= 0)
		set_line(c->fd, c->speed);
}

void console_port_listen(struct console_port *c)
{
	char bytes[4096];
	ssize_t n;

	if (c->fd < 0)
		open_port(c);
	while (c->fd >= 0 && (n = read(c->fd, bytes, sizeof(bytes))) != 0) {
		if (n > 0) {
			console_text_add(&c->text, bytes, (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN) { /* the device has gone */
			close(c->fd);
			c->fd = -1;
			c->error = -ENODEV;
		}
		return;
	}
	/* A hung up line reads as ended. A device file that stays is opened anew. */
	if (c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
		c->error = -ENODEV;
	}
}

void console_port_clear(struct console_port *c)
{
	console_port_listen(c);
	console_text_clear(&c->text);
}

int console_port_state(const struct console_port *c, char why[CONSOLE_PORT_WHY])
{
	if (c->fd >= 0)
		return 0;
	if (!c->device && !*c->path)
		snprintf(why, CONSOLE_PORT_WHY, "no serial port of the board is there%s%.40s",
			 c->port && *c->port ? " at USB port " : "", c->port ? c->port : "");
	else if (c->error == -EACCES)
		snprintf(why, CONSOLE_PORT_WHY, "'%.200s' may not be opened: you must be in the group dialout",
			 c->path);
	else
		snprintf(why, CONSOLE_PORT_WHY, "'%.200s' cannot be opened: %s", c->path, strerror(-c->error));
	return c->error;
}

const char *console_port_text(const struct console_port *c)
{
	return c->text.text ? c->text.text : "";
}

bool console_port_matches(const struct console_port *c, const char *regex, bool fresh)
{
	return console_text_matches(&c->text, regex, fresh);
}

int console_port_send(struct console_port *c, const char *text)
{
	size_t left = strlen(text);

	console_port_listen(c);
	console_text_mark(&c->text);
	while (c->fd >= 0 && left) {
		struct pollfd ready = { .fd = c->fd, .events = POLLOUT };
		ssize_t n = write(c->fd, text, left);

		if (n >= 0) {
			text += n;
			left -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (poll(&ready, 1, SEND_MS) == 0)
				return -ETIMEDOUT;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return left ? c->error : 0;
}
