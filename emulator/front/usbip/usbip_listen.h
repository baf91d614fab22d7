/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket that a server listens on. */
#ifndef DFUBENCH_USBIP_LISTEN_H
#define DFUBENCH_USBIP_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include "front.h"

#define LISTEN_NAME 80 /* room for an address and a port */

/* where: ADDRESS:PORT, [ADDRESS]:PORT, NAME:PORT, or PORT, which is 127.0.0.1's; port 0 is any that is free. NULL: 127.0.0.1
 * and USB/IP's own port. The descriptor, and what it is bound to as text; -1 with why[]. */
int usbip_listen(const char *where, char bound[LISTEN_NAME], bool *loopback, char why[FRONT_WHY]);
/* "127.0.0.1:3240", "[::1]:3240" */
void usbip_address_text(const struct sockaddr_storage *, socklen_t length, char text[LISTEN_NAME]);

#endif
