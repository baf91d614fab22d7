/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One play in a process of its own. */
#ifndef DFUBENCH_WORKER_H
#define DFUBENCH_WORKER_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include "janitor.h"
#include "play.h"

struct worker {
	pid_t pid;
	int ended; /* readable once the process has ended */
	int pipe;  /* the result comes from here */
	char *data;
	size_t used, size;
	bool too_much;
	uint64_t start_us; /* of CLOCK_MONOTONIC */
	struct play_options options;
	char *folder; /* options.folder */
	char *log;    /* file: what the process wrote to stdout and stderr */
};

uint64_t worker_now_us(void);
/* mask: of signals, for the process. NULL with errno. */
struct worker *worker_start(const struct play_options *, struct result *(*play)(const struct play_options *),
			    const struct janitor *, size_t number, const sigset_t *mask);
/* Take in what the pipe has. */
void worker_read(struct worker *);
void worker_kill(const struct worker *);
/* It has ended, or is about to: its result, after which nothing is left of it but what became ours (orphans_end()). late: it
 * was killed at the deadline of so many ms; 0: it was not. NULL on ENOMEM. The worker is freed. */
struct result *worker_finish(struct worker *, uint64_t late_ms);

/* The result of a play that told none. NULL on ENOMEM. */
struct result *worker_result(const struct play_options *, enum verdict, const char *message);

/* Kill all children of this process but those, and guardians of wires: its own is left alone, another's is waited for. What a worker has started becomes ours when the worker ends, and so what that
 * started. keep: 0 ends. */
void orphans_end(const pid_t *keep);
/* The children that there are now, 0 ends, to be freed; NULL on ENOMEM. */
pid_t *children_now(void);

#endif
