/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a session share: session.c the conversation, transfers.c what is on its way to the device. */
#ifndef DFUBENCH_REDIR_SESSION_INTERNAL_H
#define DFUBENCH_REDIR_SESSION_INTERNAL_H

#include <usbredirparser.h>
#include "info.h"
#include "session.h"

#define RECEIVERS 16
#define RECEIVER_BYTES 3072u /* three packets of 1024: the most in a microframe */

enum session_state {
	SESSION_GREETING,  /* the peer has not said hello */
	SESSION_IDLE,      /* no device */
	SESSION_CONNECTED, /* the peer has the device */
	SESSION_REFUSED,   /* the peer does not want the device that there is */
	SESSION_LEAVING,   /* the device is gone, the peer is still to acknowledge that */
};

/* A packet that wants an answer. */
struct request {
	uint32_t type; /* usb_redir_... */
	uint64_t id;
	union {
		struct usb_redir_control_packet_header control;
		struct usb_redir_bulk_packet_header bulk;
		struct usb_redir_interrupt_packet_header interrupt;
		uint8_t interface; /* set_alt_setting, get_alt_setting */
	} header;
};

struct transfer;

/* A transfer that is started again whenever the endpoint had something. */
struct receiver {
	struct usb_urb urb;
	uint8_t endpoint;
	bool running;    /* the peer wants it */
	bool under_way;  /* the device has the transfer */
	bool starting;   /* within export_submit(): what completes there is started again by whoever called it */
	uint64_t packet; /* number of the next */
	uint8_t data[RECEIVER_BYTES];
};

struct session {
	struct export *export;
	const struct session_ops *ops;
	void *context;
	struct usbredirparser *parser;
	enum session_state state;
	unsigned ticks; /* in this state */
	bool busy;      /* whoever called us flushes afterwards */
	bool closing;
	bool broken; /* nothing can be written any more */
	char why[SESSION_WHY];

	/* What is being fed, and where in a packet it stands. */
	const uint8_t *in;
	size_t in_left;
	uint8_t header[16];
	size_t header_used, body_left;

	/* Of the device, as the peer has set it. */
	uint8_t configuration;
	uint8_t alts[INFO_INTERFACES];
	struct info info;

	struct transfer *transfers;
	unsigned transfer_count;
	size_t transfer_bytes;
	struct receiver *receivers[RECEIVERS]; /* by endpoint number; NULL: never asked for */
};

/* session.c */
void session_wake(struct session *);
bool session_is_full(const struct session *); /* the peer does not read what it asks for */
void session_send_info(struct session *);

/* transfers.c */
void transfers_callbacks(struct usbredirparser *);
void transfers_complete(struct session *, struct usb_urb *);
bool transfers_resume(struct session *); /* receivers that wait for room; true: some still do */
void transfers_forget(struct session *); /* the device has gone, or another comes */
void transfers_take_back(struct session *);

#endif
