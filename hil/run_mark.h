/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run leaves in the history while it has no end: which process it is, so that one that was killed is told from one that runs. */
#ifndef DFUBENCH_RUN_MARK_H
#define DFUBENCH_RUN_MARK_H

#define RUN_MARK 160

enum run_state {
	RUN_ENDED,
	RUN_RUNS,
	RUN_KILLED,  /* its process is there no longer */
	RUN_UNKNOWN, /* on another machine, or in another container: it runs, or was killed */
};

/* Of this process. */
void run_mark(char out[RUN_MARK]);
/* Of a run on that host that has no end yet; any text will do, and "" for what is not known. */
enum run_state run_mark_state(const char *mark, const char *host);
const char *run_state_name(enum run_state); /* "killed" */

#endif
