/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loop waits with: the best that the system has. */
#ifndef DFUBENCH_POLLER_H
#define DFUBENCH_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#define POLLER_EVER UINT64_MAX

struct poller;

struct poller_event {
	uint64_t tag;
	uint32_t events; /* of poll(2) */
};

struct poller *poller_new(int *error); /* NULL: -errno in *error */
void poller_free(struct poller *);
/* Events of fd come with this tag from now on. known: it has been set before and not dropped since. 0 or -errno. */
int poller_set(struct poller *, int fd, bool known, uint32_t events, uint64_t tag);
void poller_drop(struct poller *, int fd); /* one that is known */
/* So long at most, or until something has happened or a signal was caught: then it may be less. At most `most` events go to
 * out[]; those that it had no room for come the next time. Their number or -errno. */
int poller_wait(struct poller *, uint64_t ns, struct poller_event *out, int most);

#endif
