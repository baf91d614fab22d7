/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix sockets by name: for the user who started us, and gone when we are. */
#ifndef DFUBENCH_REDIR_LISTEN_H
#define DFUBENCH_REDIR_LISTEN_H

#include <sys/stat.h>
#include <sys/un.h>

struct listener {
	int fd; /* -1: none */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t device;
	ino_t inode;
};

/* The most that a name can have, in bytes. */
#define LISTEN_PATH_MOST (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* A socket that somebody left behind makes way. 0 or -errno: -EEXIST, there is something else of that name; -EADDRINUSE. */
int listener_open(struct listener *, const char *path);
void listener_close(struct listener *); /* no-op on one that is not open */
/* A connection, non-blocking, or -errno: -EAGAIN. */
int listener_accept(const struct listener *);
/* The other way round. */
int connect_to(const char *path);

#endif
