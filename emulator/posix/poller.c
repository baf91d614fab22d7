// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting with poll(2), and pselect(2) for what is left of less than a millisecond. */
#include "poller.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#define NS_PER_MS 1000000u
#define MS_MOST 1000000000u

struct poller {
	struct pollfd *fds;
	uint64_t *tags; /* of each of them */
	int count, room;
	int *place; /* by descriptor, in fds */
	int place_count;
	int first; /* where the next turn begins: so each has its turn */
};

struct poller *poller_new(int *error)
{
	struct poller *p = calloc(1, sizeof(*p));

	*error = p ? 0 : -ENOMEM;
	return p;
}

void poller_free(struct poller *p)
{
	free(p->fds);
	free(p->tags);
	free(p->place);
	free(p);
}

static int grow(struct poller *p, int fd)
{
	int count = p->place_count ? p->place_count : 64, room = p->room ? 2 * p->room : 64;
	struct pollfd *fds;
	uint64_t *tags;
	int *place;

	while (count <= fd)
		count *= 2;
	if (count != p->place_count) {
		place = realloc(p->place, (size_t)count * sizeof(*place));
		if (!place)
			return -ENOMEM;
		p->place = place;
		p->place_count = count;
	}
	if (p->count < p->room)
		return 0;
	fds = realloc(p->fds, (size_t)room * sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	p->fds = fds;
	tags = realloc(p->tags, (size_t)room * sizeof(*tags));
	if (!tags)
		return -ENOMEM;
	p->tags = tags;
	p->room = room;
	return 0;
}

int poller_set(struct poller *p, int fd, bool known, uint32_t events, uint64_t tag)
{
	int r, i;

	if (!known) {
		/* poll() would complain of it at each turn. */
		if (fcntl(fd, F_GETFD) < 0)
			return -errno;
		r = grow(p, fd);
		if (r)
			return r;
		p->place[fd] = p->count++;
	}
	i = p->place[fd];
	p->fds[i] = (struct pollfd){ .fd = fd, .events = (short)events };
	p->tags[i] = tag;
	return 0;
}

/* The last one moves to its place. */
void poller_drop(struct poller *p, int fd)
{
	int i = p->place[fd];

	p->count--;
	p->fds[i] = p->fds[p->count];
	p->tags[i] = p->tags[p->count];
	p->place[p->fds[i].fd] = i;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Less than a millisecond, for which poll() has no number. Descriptors that a set has no room for wait that long. */
static int wait_briefly(struct poller *p, uint64_t ns)
{
	const struct timespec ts = { .tv_nsec = (long)ns };
	fd_set in, out;
	int most = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (int i = 0; i < p->count; i++) {
		int fd = p->fds[i].fd;

		if (fd >= FD_SETSIZE)
			continue;
		if (p->fds[i].events & POLLIN)
			FD_SET(fd, &in);
		if (p->fds[i].events & POLLOUT)
			FD_SET(fd, &out);
		most = fd > most ? fd : most;
	}
	if (pselect(most + 1, &in, &out, NULL, &ts, NULL) < 0)
		return -1;
	return poll(p->fds, (nfds_t)p->count, 0);
}

int poller_wait(struct poller *p, uint64_t ns, struct poller_event *out, int most)
{
	uint64_t end = ns == POLLER_EVER ? 0 : now_ns() + ns, ms = ns / NS_PER_MS, now;
	int n, taken = 0;

	n = poll(p->fds, (nfds_t)p->count, ns == POLLER_EVER ? -1 : (int)(ms < MS_MOST ? ms : MS_MOST));
	if (!n && ns && ms < MS_MOST) {
		now = now_ns();
		if (now < end)
			n = wait_briefly(p, end - now < NS_PER_MS ? end - now : NS_PER_MS - 1);
	}
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (p->first >= p->count)
		p->first = 0;
	for (int i = 0; i < p->count && n && taken < most; i++) {
		const struct pollfd *fd = &p->fds[p->first];

		if (fd->revents) {
			out[taken++] = (struct poller_event){ .tag = p->tags[p->first],
							      .events = (uint32_t)(unsigned short)fd->revents };
			n--;
		}
		p->first = p->first + 1 < p->count ? p->first + 1 : 0;
	}
	return taken;
}
