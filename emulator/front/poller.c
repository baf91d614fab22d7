// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting with epoll(7). */
#include "poller.h"
#include <errno.h>
#include <linux/time_types.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MOST 64

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP,
	       "poll(2) and epoll(7) have the same bits");

struct poller {
	int epoll;
};

struct poller *poller_new(int *error)
{
	struct poller *p = malloc(sizeof(*p));

	*error = -ENOMEM;
	if (!p)
		return NULL;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll >= 0)
		return p;
	*error = -errno;
	free(p);
	return NULL;
}

void poller_free(struct poller *p)
{
	close(p->epoll);
	free(p);
}

int poller_set(struct poller *p, int fd, bool known, uint32_t events, uint64_t tag)
{
	struct epoll_event event = { .events = events, .data.u64 = tag };

	return epoll_ctl(p->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void poller_drop(struct poller *p, int fd)
{
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);
}

int poller_wait(struct poller *p, uint64_t ns, struct poller_event *out, int most)
{
	/* The C library's may have half of the bits. */
	const struct __kernel_timespec ts = { .tv_sec = (long long)(ns / 1000000000u),
					      .tv_nsec = (long long)(ns % 1000000000u) };
	struct epoll_event events[EVENTS_MOST];
	int n;

	n = (int)syscall(SYS_epoll_pwait2, p->epoll, events, most < EVENTS_MOST ? most : EVENTS_MOST,
			 ns == POLLER_EVER ? NULL : &ts, NULL, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n; i++)
		out[i] = (struct poller_event){ .tag = events[i].data.u64, .events = events[i].events };
	return n;
}
