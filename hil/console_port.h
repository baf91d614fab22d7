/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a board says on its serial console: a device file, which may come and go, or the ttyACM at a port of USB. */
#ifndef DFUBENCH_CONSOLE_PORT_H
#define DFUBENCH_CONSOLE_PORT_H

#include <stdbool.h>
#include <stddef.h>

#define CONSOLE_PORT_WHY 320

struct console_port;

/* device NULL: that of an interface of what is at *port, which may become known later. It is opened as soon as it is there. */
struct console_port *console_port_new(const char *device, const char *port, unsigned speed);
void console_port_free(struct console_port *);    /* NULL is fine */
int console_port_fd(const struct console_port *); /* readable: there is more; -1: it is not there */
/* Takes in what there is. */
void console_port_listen(struct console_port *);
void console_port_clear(struct console_port *); /* a reset: what was said before does not count */
/* Is it there? What is in the way in why. 0 or -errno. */
int console_port_state(const struct console_port *, char why[CONSOLE_PORT_WHY]);
/* All since the last reset, as console_text.h keeps it. */
const char *console_port_text(const struct console_port *);
/* As console_text_matches(). */
bool console_port_matches(const struct console_port *, const char *regex, bool fresh);
/* What was heard up to now is no longer fresh, and text is sent. 0 or -errno. */
int console_port_send(struct console_port *, const char *text);

#endif
