/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An endpoint other than 0, between the device and the file by which the kernel has it: IN is asked of the device and
 * written there, OUT is read from there and given to the device, one transfer at a time.
 */
#ifndef DFUBENCH_ENDPOINT_H
#define DFUBENCH_ENDPOINT_H

#include <stddef.h>
#include <stdint.h>
#include "export.h"
#include "loop.h"
#include "worker.h"

/* Room before the data, for what a call may need there. */
#define ENDPOINT_HEAD 8u

struct endpoint {
	struct loop *loop;
	struct export *export;
	struct worker *worker;
	uint8_t address;   /* bEndpointAddress of the device */
	int fd;            /* the kernel's side; the owner's */
	uint16_t handle;   /* whatever the call needs beside it */
	worker_call *move; /* context: the endpoint; bytes moved, or -errno */
	struct usb_urb urb;
	bool submitted;
	uint8_t *buffer; /* ENDPOINT_HEAD bytes, then the data */
	size_t size;     /* of the data, at most */
	size_t length;   /* to be moved now */
};

/* size: IN, of a transfer at most; OUT, of a packet, so that each one comes through as soon as it is there. NULL: -errno in
 * *error. */
struct endpoint *endpoint_new(struct loop *, struct export *, uint8_t address, size_t size, int fd, uint16_t handle,
			      worker_call *move, int *error);
/* Once: runs until the device or the kernel refuses a transfer. endpoint_complete() may be called for it before this
 * returns. */
void endpoint_start(struct endpoint *);
/* The transfer is taken back, the call interrupted. NULL is fine. */
void endpoint_free(struct endpoint *);
/* True: the transfer was the endpoint's. */
bool endpoint_complete(struct endpoint *, struct usb_urb *);

static inline uint8_t *endpoint_data(const struct endpoint *e)
{
	return e->buffer + ENDPOINT_HEAD;
}

/* For files: read(2) and write(2). */
worker_call endpoint_file_move;

#endif
