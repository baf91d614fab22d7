/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to the control socket of a dfuemu, which answers in JSON (dfuemu(1), CONTROL). */
#ifndef DFUBENCH_CONTROL_LINK_H
#define DFUBENCH_CONTROL_LINK_H

#include <jansson.h>
#include <stddef.h>

struct control_link;

#define CONTROL_LINK_WHY 640

/* NULL with why. */
struct control_link *control_link_open(const char *socket, char why[CONTROL_LINK_WHY]);
void control_link_close(struct control_link *);   /* takes back what it waits for; NULL is fine */
int control_link_fd(const struct control_link *); /* readable: control_link_next() may have more */

/* A command, without its newline; the answer comes later. 0 or -errno. */
int control_link_send(struct control_link *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next line as JSON, to be freed. NULL with *error: -EAGAIN none has come within wait_ms (-1: for ever), -ECONNRESET the
 * dfuemu has gone, -EPROTO it is no JSON. */
json_t *control_link_next(struct control_link *, int wait_ms, int *error);
/* Send, and wait for the answer. 0; or with why: -EREMOTEIO the command failed (why is dfuemu's own), -errno. result, which
 * may be NULL, is to be freed. */
int control_link_ask(struct control_link *, json_t **result, char why[CONTROL_LINK_WHY], const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A word that may have blanks and quotes in it, as one of a command; to be freed. NULL on ENOMEM. */
char *control_quoted(const char *word);

#endif
