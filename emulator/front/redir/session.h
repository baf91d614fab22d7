/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One conversation with a usb-guest, as the protocol calls the side of QEMU: what its packets ask of a device, and what
 * becomes of the device. Bytes in, bytes out; no sockets here. The peer may send anything at all.
 */
#ifndef DFUBENCH_REDIR_SESSION_H
#define DFUBENCH_REDIR_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "export.h"

#define SESSION_WHY 160

struct session;

/* Every member is required. */
struct session_ops {
	/* Bytes for the peer: how many of them it takes now, 0 for none yet, -1: never again. */
	int (*write)(void *context, const uint8_t *bytes, size_t count);
	/* Something is to be flushed, and not because of session_feed() or session_flush(). */
	void (*wake)(void *context);
	/* The peer has presented itself. */
	void (*hello)(void *context);
	/* A line for the user. */
	void (*say)(void *context, const char *line);
};

/* The arguments must outlive it; the export may have its device or not. NULL: ENOMEM. */
struct session *session_new(struct export *, const struct session_ops *, void *context);
/* Transfers are taken back, and the device is reset if the peer had it: it has lost its host. NULL is fine. */
void session_free(struct session *);

/* What struct export_ops tells. */
void session_attach(struct session *);
void session_detach(struct session *);
void session_complete(struct session *, struct usb_urb *);
/* The device is on the peer's side just now. */
bool session_has_device(const struct session *);

/* Bytes of the peer: how many of them have been used; the others must come again after session_flush(). -EPROTO: the peer
 * does not keep to the protocol, session_why() says how; the session can only be freed. Not from a callback of it. */
ssize_t session_feed(struct session *, const uint8_t *bytes, size_t count);
const char *session_why(const struct session *);
/* Write what there is. 0; 1: some is left; -EPIPE. */
int session_flush(struct session *);

/* Call it about every SESSION_TICK_MS while session_is_waiting(). 0; -ETIMEDOUT: the peer is none. */
#define SESSION_TICK_MS 200
bool session_is_waiting(const struct session *);
int session_tick(struct session *);

#endif
