// SPDX-License-Identifier: GPL-2.0-or-later
/* From "ADDRESS:PORT" to a socket that listens. */
#include "usbip_listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "usbip_wire.h"

#define HOST_BYTES 256 /* a name of DNS has 253 at most */
#define PORT_MOST 65535u

/* "[::1]:3240" and the like into host and port. False: it is none of the forms. */
static bool split(const char *where, char host[HOST_BYTES], unsigned *port)
{
	const char *colon = strrchr(where, ':'), *digits = colon ? colon + 1 : where;
	size_t length = colon ? (size_t)(colon - where) : 0;
	bool bracketed = length >= 2 && where[0] == '[' && colon[-1] == ']';

	if (!*digits || strlen(digits) > 5 || strspn(digits, "0123456789") != strlen(digits))
		return false;
	*port = (unsigned)strtoul(digits, NULL, 10);
	if (*port > PORT_MOST || (colon && !length) || length >= HOST_BYTES)
		return false;
	if (bracketed) {
		where++;
		length -= 2;
	}
	if (colon && (!length || (!bracketed && memchr(where, ':', length)))) /* an IPv6 address without brackets */
		return false;
	snprintf(host, HOST_BYTES, "%.*s", (int)length, colon ? where : "");
	if (!colon)
		strcpy(host, "127.0.0.1");
	return true;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (address->ss_family == AF_INET6) {
		const struct in6_addr *in = &((const struct sockaddr_in6 *)address)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(in) || (IN6_IS_ADDR_V4MAPPED(in) && in->s6_addr[12] == 127);
	}
	return false;
}

void usbip_address_text(const struct sockaddr_storage *address, socklen_t length, char text[LISTEN_NAME])
{
	char host[INET6_ADDRSTRLEN + 20] = "?", port[8] = "?";

	getnameinfo((const struct sockaddr *)address, length, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, LISTEN_NAME, strchr(host, ':') ? "[%.60s]:%s" : "%.60s:%s", host, port);
}

static void describe_bound(int fd, char bound[LISTEN_NAME], bool *loopback)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	memset(&address, 0, sizeof(address));
	getsockname(fd, (struct sockaddr *)&address, &length);
	usbip_address_text(&address, length, bound);
	*loopback = is_loopback(&address);
}

/* -1 with errno */
static int listen_at(const struct addrinfo *a)
{
	const int on = 1, off = 0;
	int fd = socket(a->ai_family, SOCK_STREAM, 0), error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ai_family == AF_INET6) /* [::] is for IPv4 too */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!fcntl(fd, F_SETFD, FD_CLOEXEC) && !fcntl(fd, F_SETFL, O_NONBLOCK) &&
	    !bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, SOMAXCONN))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int usbip_listen(const char *where, char bound[LISTEN_NAME], bool *loopback, char why[FRONT_WHY])
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char host[HOST_BYTES], text[8], full[HOST_BYTES + 16];
	unsigned port = USBIP_PORT;
	int fd = -1, r;

	if (!where) {
		strcpy(host, "127.0.0.1");
	} else if (!split(where, host, &port)) {
		snprintf(why, FRONT_WHY,
			 "--listen '%.100s': must be ADDRESS:PORT, as 127.0.0.1:3240 or [::1]:3240, or a port from 0 "
			 "to 65535, where 0 is any",
			 where);
		return -1;
	}
	snprintf(text, sizeof(text), "%u", port);
	snprintf(full, sizeof(full), strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
	r = getaddrinfo(host, text, &hints, &found);
	if (r) {
		snprintf(why, FRONT_WHY, "cannot listen on %s: %s", full,
			 r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return -1;
	}
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next)
		fd = listen_at(a);
	if (fd < 0)
		snprintf(why, FRONT_WHY, "cannot listen on %s: %s", full, strerror(errno));
	else
		describe_bound(fd, bound, loopback);
	freeaddrinfo(found);
	return fd;
}
