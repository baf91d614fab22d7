// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting plays, waiting for them, telling what became of them. */
#include "runner.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "prng.h"
#include "signals.h"
#include "worker.h"

struct runner {
	const struct runner_options *options;
	struct runner_outcome *outcome;
	struct janitor *janitor;
	struct worker **workers;          /* options->parallel of them; NULL: free */
	const struct play_options **jobs; /* what they play */
	struct pollfd *fds;
	pid_t *before; /* children that are none of ours, 0 ends */
	pid_t *keep;   /* room for all that orphans_end() must spare */
	size_t next;   /* job to start */
	int signals;   /* -1: none */
	sigset_t mask; /* before we took the signals */
	bool stop;     /* start no more */
};

uint64_t runner_seed(uint64_t seed, const char *id, unsigned repeat)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	struct prng prng = { .state = seed };

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	prng.state = prng_next(&prng) ^ hash;
	prng.state = prng_next(&prng) + repeat;
	return prng_next(&prng) >> 11;
}

const char *runner_time(const struct play_options *options, char out[RUNNER_TIME])
{
	if (options->time == RIG_TIME_VIRTUAL)
		snprintf(out, RUNNER_TIME, "virtual");
	else if (options->scale == 1)
		snprintf(out, RUNNER_TIME, "real");
	else
		snprintf(out, RUNNER_TIME, "x%g", options->scale);
	return out;
}

static void sweep(struct runner *r)
{
	size_t n = 0;

	for (size_t i = 0; r->before[i]; i++)
		r->keep[n++] = r->before[i];
	r->keep[n++] = janitor_process(r->janitor);
	for (unsigned i = 0; i < r->options->parallel; i++)
		if (r->workers[i])
			r->keep[n++] = r->workers[i]->pid;
	r->keep[n] = 0;
	orphans_end(r->keep);
}

/* Takes the result. */
static int tell(struct runner *r, const struct play_options *job, struct result *result)
{
	int error;

	if (!result)
		return -ENOMEM;
	r->outcome->told++;
	r->outcome->played += result->verdict != VERDICT_SKIPPED;
	if (verdict_is_bad(result->verdict)) {
		r->outcome->bad++;
		r->stop = r->stop || r->options->fail_fast;
	}
	error = r->options->ended(r->options->context, job, result);
	result_free(result);
	return error;
}

/* Once it has ended, and before its log is gone: whoever idles its wires may have something to tell, too. */
static void sweep_after(struct runner *r, unsigned slot)
{
	waitid(P_PID, (id_t)r->workers[slot]->pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	sweep(r);
}

static int finish(struct runner *r, unsigned slot, uint64_t late_ms)
{
	struct result *result;

	sweep_after(r, slot);
	result = worker_finish(r->workers[slot], late_ms);
	r->workers[slot] = NULL;
	return tell(r, r->jobs[slot], result);
}

/* Cut off by what is over for all. */
static int cut(struct runner *r, unsigned slot)
{
	uint64_t taken_us = worker_now_us() - r->workers[slot]->start_us;
	char why[RIG_WHY];
	struct result *result;

	snprintf(why, sizeof(why), "cut off after %.1f s: the time for all of them was over", (double)taken_us / 1e6);
	result = worker_result(r->jobs[slot], VERDICT_ERROR, why);
	if (result)
		result->wall_us = taken_us;
	sweep_after(r, slot);
	result_free(worker_finish(r->workers[slot], 1));
	r->workers[slot] = NULL;
	return tell(r, r->jobs[slot], result);
}

static bool is_over(const struct runner *r)
{
	return r->options->until_us && worker_now_us() >= r->options->until_us;
}

static const struct play_options *next_job(struct runner *r, unsigned slot)
{
	const struct runner_options *o = r->options;

	if (r->stop || is_over(r))
		return NULL;
	if (o->next)
		return o->next(o->context, slot);
	return r->next < o->count ? &o->jobs[r->next] : NULL;
}

/* A job into a free slot; one that cannot run is told of instead. */
static int start(struct runner *r, unsigned slot, const struct play_options *job)
{
	char why[RIG_WHY];
	const char *obstacle = r->options->obstacle ? r->options->obstacle(job, why) : NULL;
	int error;

	r->next++;
	if (obstacle)
		return tell(r, job, worker_result(job, VERDICT_SKIPPED, obstacle));
	r->jobs[slot] = job;
	error = r->options->started(r->options->context, job);
	if (error)
		return error;
	r->workers[slot] = worker_start(job, r->options->play, r->janitor, r->next, &r->mask);
	if (r->workers[slot])
		return 0;
	snprintf(why, sizeof(why), "cannot start a process for it: %s", strerror(errno));
	return tell(r, job, worker_result(job, VERDICT_ERROR, why));
}

static int fill(struct runner *r)
{
	const struct play_options *job;
	bool told = true;
	int error = 0;

	/* What was told without having run may have made a job for a place that had none. */
	while (told && !error) {
		told = false;
		for (unsigned i = 0; i < r->options->parallel && !error; i++)
			while (!r->workers[i] && !error && (job = next_job(r, i))) {
				error = start(r, i, job);
				told = told || !r->workers[i];
			}
	}
	return error;
}

static unsigned running(const struct runner *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->options->parallel; i++)
		n += r->workers[i] != NULL;
	return n;
}

/* Until the first deadline, as poll(2) has it. */
static int patience(const struct runner *r)
{
	uint64_t now = worker_now_us(), first = r->options->until_us ? r->options->until_us : UINT64_MAX;

	for (unsigned i = 0; i < r->options->parallel && r->options->deadline_ms; i++) {
		const struct worker *w = r->workers[i];

		if (w && w->start_us + r->options->deadline_ms * 1000 < first)
			first = w->start_us + r->options->deadline_ms * 1000;
	}
	if (first == UINT64_MAX)
		return -1;
	first = first > now ? first - now : 0;
	return first > 3600000000u ? 3600000 : (int)((first + 999) / 1000);
}

static int look_after(struct runner *r, unsigned slot, const struct pollfd *fds)
{
	struct worker *w = r->workers[slot];
	uint64_t deadline_ms = r->options->deadline_ms;

	if (w->pipe >= 0 && fds[0].revents)
		worker_read(w);
	if (fds[1].revents)
		return finish(r, slot, 0);
	if (is_over(r)) {
		worker_kill(w);
		return cut(r, slot);
	}
	if (!deadline_ms || worker_now_us() < w->start_us + deadline_ms * 1000)
		return 0;
	worker_kill(w);
	return finish(r, slot, deadline_ms);
}

/* The first signal ends the run in good order; whoever sends a second one wants no order, only the end. */
static void signalled(struct runner *r)
{
	struct signal_seen seen;

	if (!signals_read(r->signals, &seen))
		return;
	r->outcome->signal = seen.number;
	r->stop = true;
	signals_close(r->signals);
	r->signals = -1;
	sigprocmask(SIG_SETMASK, &r->mask, NULL);
}

static int turn(struct runner *r)
{
	unsigned parallel = r->options->parallel;
	int error = 0;

	for (unsigned i = 0; i < parallel; i++) {
		const struct worker *w = r->workers[i];

		r->fds[2 * i] = (struct pollfd){ .fd = w ? w->pipe : -1, .events = POLLIN };
		r->fds[2 * i + 1] = (struct pollfd){ .fd = w ? w->ended : -1, .events = POLLIN };
	}
	r->fds[2 * parallel] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	if (poll(r->fds, 2 * parallel + 1, patience(r)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (r->fds[2 * parallel].revents) {
		signalled(r);
		return 0;
	}
	for (unsigned i = 0; i < parallel && !error; i++)
		if (r->workers[i])
			error = look_after(r, i, &r->fds[2 * i]);
	return error;
}

/* No result is wanted of those that still run. */
static void abort_all(struct runner *r)
{
	for (unsigned i = 0; i < r->options->parallel; i++)
		if (r->workers[i])
			worker_kill(r->workers[i]);
	for (unsigned i = 0; i < r->options->parallel; i++) {
		if (!r->workers[i])
			continue;
		result_free(worker_finish(r->workers[i], 0));
		r->workers[i] = NULL;
		r->outcome->aborted++;
	}
	sweep(r);
}

static int play_all(struct runner *r)
{
	int error = fill(r);

	while (!error && running(r) && !r->outcome->signal) {
		error = turn(r);
		if (!error && !r->outcome->signal)
			error = fill(r);
	}
	abort_all(r);
	return error;
}

static size_t length_of(const pid_t *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

int runner_run(const struct runner_options *options, struct runner_outcome *outcome, char why[RUNNER_WHY])
{
	struct runner r = { .options = options, .outcome = outcome, .signals = -1 };
	int error = -ENOMEM;

	assert(options->parallel > 0);
	*outcome = (struct runner_outcome){ 0 };
	*why = 0;
	sigprocmask(SIG_SETMASK, NULL, &r.mask);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* what a worker leaves becomes ours, not init's */
	r.before = children_now();
	r.workers = calloc(options->parallel, sizeof(*r.workers));
	r.jobs = calloc(options->parallel, sizeof(*r.jobs));
	r.fds = calloc(2 * (size_t)options->parallel + 1, sizeof(*r.fds));
	r.keep = r.before ? calloc(length_of(r.before) + options->parallel + 2, sizeof(*r.keep)) : NULL;
	if (!r.workers || !r.jobs || !r.fds || !r.keep)
		goto out;
	r.janitor = janitor_new(why);
	if (!r.janitor) {
		error = -EIO;
		goto out;
	}
	r.signals = signals_open();
	if (r.signals < 0) {
		error = r.signals;
		snprintf(why, RUNNER_WHY, "cannot wait for signals: %s", strerror(-error));
		goto out;
	}
	error = play_all(&r);
out:
	if (error == -ENOMEM && !*why)
		snprintf(why, RUNNER_WHY, "%s", strerror(ENOMEM));
	janitor_free(r.janitor);
	signals_close(r.signals);
	if (r.signals >= 0)
		sigprocmask(SIG_SETMASK, &r.mask, NULL);
	free(r.before);
	free(r.workers);
	free(r.jobs);
	free(r.fds);
	free(r.keep);
	return error;
}
