/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: lines of commands that move pins, faults, files and boards of a desk while a front serves it.
 * Protocol and commands are in dfuemu(1), CONTROL. Everything happens on the front's thread, in its loop.
 */
#ifndef DFUBENCH_CONTROL_H
#define DFUBENCH_CONTROL_H

#include <stdio.h>
#include "desk.h"
#include "usbdev.h"

struct control;

#define CONTROL_WHY 640
#define CONTROL_LINE 4096          /* longer lines end the connection */
#define CONTROL_CLIENTS 32         /* at a time: the quietest that waits for nothing goes for one more */
#define CONTROL_QUEUE (256 * 1024) /* bytes that a slow reader may leave unread before it is hung up on */

/* What the front does for us. Every function is required. */
struct control_loop {
	/* Have ready() called whenever fd is readable; ready NULL: no longer. 0 or -errno. */
	int (*watch)(void *context, int fd, void (*ready)(void *, int fd), void *ready_context);
	/* Let bench time catch up: before acting on the bench from outside. */
	void (*sync)(void *context);
	int (*plug)(void *context, struct usbdev *); /* 0 or -errno; -ENOTSUP: not this front */
	void (*unplug)(void *context, struct usbdev *);
	unsigned (*address)(void *context, struct usbdev *); /* on the bus; 0: none yet */
	void *context;
	bool lists; /* desk_listed() is called, and the address is there from then on */
};

/* Listens on path, which is made with mode 0600; a socket there that nobody listens on gives way. path NULL: no socket, for
 * control_adopt(). Takes the desk's listener. All arguments but path's text must outlive it. NULL with why[]. */
struct control *control_new(struct desk *, const struct control_loop *, const char *path, char why[CONTROL_WHY]);
/* Hangs up on all, takes the socket away; what was to happen later does not. NULL is fine. */
void control_free(struct control *);
/* A connected stream socket is a client; fd is taken over, also on failure. 0 or -errno. */
int control_adopt(struct control *, int fd);

/* Split a line into words, in place: blanks between, "..." and \ quote. Their number, or -1: a quote is open, or there are
 * more than limit. */
int control_split(char *line, char **words, int limit);
/* What there is to say, one line each, for help texts. */
void control_commands(FILE *);

#endif
