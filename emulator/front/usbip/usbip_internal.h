/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The USB/IP server between its files: places and clients (usbip.c), connections before an import (usbip_peers.c). */
#ifndef DFUBENCH_USBIP_INTERNAL_H
#define DFUBENCH_USBIP_INTERNAL_H

#include "export.h"
#include "front.h"
#include "usbip_listen.h"
#include "usbip_session.h"
#include "usbip_wire.h"

#define USBIP_ROOM 1024u
#define USBIP_BUSNUM 1u

/* A device and its place on the bus. */
struct place {
	struct front *front;
	unsigned number; /* from 1: 1-NUMBER */
	struct export *export;
	struct client *client; /* who has it, or NULL */
};

/* A connection that has imported a device. */
struct client {
	struct front *front;
	struct client *next, **link;
	struct place *place; /* NULL: the device went, and the last replies are on their way */
	struct usbip_session *session;
	unsigned number;        /* of the place, and */
	char name[LISTEN_NAME]; /* the peer's address: for complaints */
};

/* A device list as it goes out, for all who asked while it was true. */
struct list {
	unsigned users;
	size_t length;
	uint8_t bytes[];
};

/* A connection that has imported nothing (yet). */
struct peer {
	struct front *front;
	struct peer *newer, *older;
	int fd;
	uint8_t request[USBIP_REQUEST_BYTES];
	size_t got;
	struct list *list;                        /* the answer, or NULL and */
	uint8_t answer[USBIP_DEVLIST_HEAD_BYTES]; /* this one */
	size_t length, sent;
	bool answered; /* waits for it to hang up */
	struct bench_event deadline;
};

struct front {
	const struct front_env *env;
	int fd;
	char bound[LISTEN_NAME];
	struct place *places[USBIP_ROOM];
	unsigned place_count; /* places beyond have never been used */
	struct client *clients;
	struct usbip_memory memory;
	struct list *list; /* NULL: to be made */
	struct peer *oldest, *newest;
	unsigned peer_count, peers_most;
	struct bench_event retry; /* to accept */
	struct bench_event complaints_over;
	unsigned complaints;
};

/* So much of the wall's time, for the bench. */
uint64_t usbip_wall_us(const struct front *, uint64_t us);
/* Warn of what a peer did, within reason. */
void usbip_complain(struct front *, const char *line);
void usbip_name_of(int fd, char name[LISTEN_NAME]); /* of the other end */

/* NULL: out of memory. One user more, for the caller. */
struct list *usbip_list(struct front *);
void usbip_list_release(struct list *); /* NULL is fine */

/* NULL: there is none, or its device is not there. */
struct place *usbip_find_place(const struct front *, const char *busid);
/* The device is nobody's: the connection becomes a client's, or is closed. */
void usbip_import(struct place *, int fd);

/* Accept connections until usbip_peers_close(). 0 or -errno. */
int usbip_peers_open(struct front *);
void usbip_peers_close(struct front *);

#endif
