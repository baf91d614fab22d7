/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which completion belongs to which submission: records to exchanges of control transfers, in constant memory. */
#ifndef DFUBENCH_PAIRS_H
#define DFUBENCH_PAIRS_H

#include "capture_reader.h"
#include "transcript_internal.h"

struct pairs;

/* The incarnations are the caller's, and are told of all exchanges. NULL: no memory. */
struct pairs *pairs_new(struct incarnations *);
void pairs_free(struct pairs *);

/* time_us: of the record on the clock of the exchanges. 0 or -ENOMEM. What is ready is to be taken before the next record comes. */
int pairs_feed(struct pairs *, const struct capture_record *, uint64_t time_us);
void pairs_end(struct pairs *); /* no more records: what waits is ready */
/* The next exchange that is ready, whose data are valid until the next call of this module. False: there is none. */
bool pairs_take(struct pairs *, struct exchange *);

size_t pairs_count(const struct pairs *);                         /* control transfers so far */
size_t pairs_others(const struct pairs *);                        /* submissions of other kinds */
void pairs_damage(const struct pairs *, struct capture_damage *); /* fills in what is found here */

#endif
