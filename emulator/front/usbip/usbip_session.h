/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What follows an import: transfers from a stream socket to a device, and their replies. The peer is whoever is at the other
 * end, a kernel or not: it may send anything, at any pace.
 */
#ifndef DFUBENCH_USBIP_SESSION_H
#define DFUBENCH_USBIP_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include "export.h"
#include "front.h"

#define USBIP_PENDING_MOST 256u             /* transfers under way in a session */
#define USBIP_PENDING_BYTES (16u << 20)     /* their data: what usbfs lets a program have (usbfs_memory_mb) */
#define USBIP_ALL_BYTES ((size_t)256 << 20) /* and those of all sessions together */
#define USBIP_OWN_BYTES (64u << 10)         /* which a session has, whatever the others take */
#define USBIP_QUEUE_BYTES (256u << 10)      /* of replies, beyond which nothing more is read */
#define USBIP_LINGER_US 2000000u            /* for a peer to take the last replies, by the wall's clock */

struct usbip_session;

struct usbip_session_ops {
	/* The connection is over: the owner frees the session, here or later. why: what the peer did wrong; NULL: it went, or
	 * the device did. Once, and not within usbip_session_new(), _free() or _complete(). */
	void (*over)(void *context, struct usbip_session *, const char *why);
};

/* Shared by the sessions of a front, zero at first. */
struct usbip_memory {
	size_t used;
};

/* Takes fd over, also when it fails: NULL, with -errno in *error. The export is ready; the session lets go of it in
 * usbip_session_gone(). devid: what the messages must say. */
struct usbip_session *usbip_session_new(const struct front_env *, struct usbip_memory *, struct export *,
					uint32_t devid, int fd, const struct usbip_session_ops *, void *context,
					int *error);
/* Takes all transfers back and closes the socket. NULL is fine. */
void usbip_session_free(struct usbip_session *);

/* What is sent before all replies. */
int usbip_session_send(struct usbip_session *, const uint8_t *bytes, size_t length);
/* Of a transfer that the session submitted: usb_urb.context tells the session. */
void usbip_session_complete(struct usb_urb *);
/* The device left. What is queued still goes out, then the socket is closed; over() follows, or has been called when this
 * returns. */
void usbip_session_gone(struct usbip_session *);

#endif
