// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread for calls that block. */
#include "worker.h"
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define WAKE_SIGNAL SIGRTMIN
#define WAKE_AGAIN_MS 2u

enum state { IDLE, WANTED, RUNNING, ENDED };

struct worker {
	struct loop *loop;
	int ended; /* eventfd: there is a result */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	enum state state;
	bool quit;
	worker_call *call;
	void *context;
	long result;
	/* The loop's thread's. */
	worker_done *done;
	bool busy;
};

/* It only makes calls end with EINTR. */
static void woken(int number)
{
	(void)number;
}

static void *work(void *argument)
{
	struct worker *w = argument;
	const uint64_t one = 1;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, WAKE_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL); /* whoever started us may have blocked it */
	pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		worker_call *call = w->call;
		void *context = w->context;
		long result;

		if (w->state != WANTED) {
			pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		w->state = RUNNING;
		pthread_mutex_unlock(&w->lock);
		result = call(context);
		pthread_mutex_lock(&w->lock);
		w->result = result;
		w->state = ENDED;
		pthread_cond_broadcast(&w->changed);
		if (write(w->ended, &one, sizeof(one)) < 0)
			abort(); /* a counter that is never full */
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void collect(void *context, int fd, uint32_t events)
{
	struct worker *w = context;
	uint64_t count;
	long result;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&w->lock);
	assert(w->state == ENDED);
	w->state = IDLE;
	result = w->result;
	pthread_mutex_unlock(&w->lock);
	w->busy = false;
	w->done(w->context, result);
}

static int start_thread(struct worker *w)
{
	struct sigaction action = { .sa_handler = woken }; /* no SA_RESTART */
	int r;

	sigaction(WAKE_SIGNAL, &action, NULL);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	r = pthread_create(&w->thread, NULL, work, w);
	if (!r)
		return 0;
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	return -r;
}

struct worker *worker_new(struct loop *loop, int *error)
{
	struct worker *w = calloc(1, sizeof(*w));

	*error = -ENOMEM;
	if (!w)
		return NULL;
	w->loop = loop;
	w->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->ended < 0) {
		*error = -errno;
		free(w);
		return NULL;
	}
	*error = loop_watch(loop, w->ended, POLLIN, collect, w);
	if (!*error) {
		*error = start_thread(w);
		if (!*error)
			return w;
		loop_unwatch(loop, w->ended);
	}
	close(w->ended);
	free(w);
	return NULL;
}

void worker_begin(struct worker *w, worker_call *call, worker_done *done, void *context)
{
	assert(!w->busy);
	w->busy = true;
	w->done = done;
	pthread_mutex_lock(&w->lock);
	w->call = call;
	w->context = context;
	w->state = WANTED;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

bool worker_is_busy(const struct worker *w)
{
	return w->busy;
}

static struct timespec in_ms(unsigned ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

void worker_wait(struct worker *w, unsigned ms)
{
	struct timespec until = in_ms(ms);

	pthread_mutex_lock(&w->lock);
	while (w->state == WANTED || w->state == RUNNING)
		if (pthread_cond_timedwait(&w->changed, &w->lock, &until))
			break;
	pthread_mutex_unlock(&w->lock);
}

void worker_interrupt(struct worker *w)
{
	uint64_t count;

	if (!w->busy)
		return;
	pthread_mutex_lock(&w->lock);
	if (w->state == WANTED)
		w->state = IDLE;
	/* A signal may come just before the call blocks: then another one does it. */
	while (w->state == RUNNING) {
		struct timespec until = in_ms(WAKE_AGAIN_MS);

		pthread_kill(w->thread, WAKE_SIGNAL);
		pthread_cond_timedwait(&w->changed, &w->lock, &until);
	}
	w->state = IDLE;
	pthread_mutex_unlock(&w->lock);
	if (read(w->ended, &count, sizeof(count)) < 0)
		count = 0; /* it had not begun */
	w->busy = false;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	worker_interrupt(w);
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	loop_unwatch(w->loop, w->ended);
	close(w->ended);
	free(w);
}
