/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside usbfs: handles and transfers, shared by usbfs.c (handles, plain ioctls) and usbfs_urb.c (transfers). */
#ifndef DFUBENCH_USBFS_H
#define DFUBENCH_USBFS_H

#include <linux/usbdevice_fs.h>
#include "bus_internal.h"

struct handle {
	struct handle *next;
	struct private_bus *bus;
	struct port *port; /* NULL: the device has gone */
	struct node *node; /* NULL: being closed */
	bool writable;
	uint64_t position;                           /* of read() */
	struct transfer *completed, **completed_end; /* URBs to be reaped */
	bool ready;                                  /* POLLOUT shows */
	uint64_t setup_at;                           /* where SETUP of the last control URB was; 0: unknown */
	bool privileges_dropped;
	uint32_t may_claim;          /* after USBDEVFS_DROP_PRIVILEGES */
	uint64_t disconnect_context; /* USBDEVFS_DISCSIGNAL */
	unsigned disconnect_signal;
	pid_t disconnect_pid;
};

/* One transfer on the wire, whoever wants it. */
struct transfer {
	struct usb_urb urb;
	struct port *port;
	struct handle *handle;         /* NULL: the bus's own */
	struct transfer *next, **link; /* among the port's pending; link NULL: not pending */
	void (*done)(struct transfer *);
	void (*then)(struct transfer *); /* usbfs_simple_control() */
	uint8_t interface;               /* usbfs_alt.c */
	struct terminal *terminal;       /* terminal_line.c; NULL: none of a terminal's */
	int status;                      /* as usbfs tells it: 0 or -errno */
	struct bench_event timeout;
	int cancel_status;     /* status if it is cancelled */
	struct call_info call; /* the call to answer, or that submitted */
	struct usbdevfs_urb user;
	uint64_t user_pointer, user_buffer; /* in the tool */
	uint8_t *bytes;
	size_t memory; /* that it takes */
	bool in;
};

/* room: bytes that urb.data gets. NULL on ENOMEM: also when the transfers of all handles take as much as usbfs gives. */
struct transfer *transfer_new(struct port *, struct handle *, size_t room);
void transfer_control(struct transfer *, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
		      uint16_t length);
/* Start it; done() follows, perhaps before this returns. timeout_ms 0: none. */
void transfer_start(struct transfer *, uint64_t timeout_ms);
void transfer_cancel(struct transfer *, int status); /* done() follows at once */
void transfer_free(struct transfer *);

/* The interface must be claimed by this handle; as in the kernel, an unclaimed one is claimed on the fly. */
int usbfs_check_interface(struct handle *, unsigned interface);
int usbfs_claim(struct handle *, unsigned interface);
/* Interface that owns an endpoint in the current setting, or -ENOENT; *transfer_type from its bmAttributes. */
int usbfs_endpoint_interface(const struct port *, unsigned endpoint, unsigned *transfer_type);
const struct usb_configuration *usbfs_configuration(const struct port *);

/* usbfs_urb.c */
void usbfs_submit(struct handle *, const struct call_info *);
void usbfs_discard(struct handle *, const struct call_info *);
void usbfs_reap(struct handle *, const struct call_info *, bool wait);
void usbfs_control(struct handle *, const struct call_info *);
void usbfs_bulk(struct handle *, const struct call_info *);
/* A control request without data stage. On success then() follows; c, if any, is answered with the outcome
 * (but by then() if it clears call.id). h NULL: the
 * bus's own, which no close takes back. */
void usbfs_simple_control(struct port *, struct handle *h, const struct call_info *c, struct usb_setup setup,
			  void (*then)(struct transfer *));
void usbfs_drop_completed(struct handle *);

/* usbfs_alt.c: an interface is at this setting now. Its name is fetched if it has one that is not known yet; then c, if
 * any, is answered with 0. */
void usbfs_alt_set(struct port *, struct handle *, const struct call_info *c, uint8_t interface, uint8_t alt);

#endif
