// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways to wait, each with its own idea of what the clock must show: waits NAME [ARG]. A device node is open meanwhile.
 * CLOCK_TAI is the kernel's own here, so the difference to CLOCK_MONOTONIC is what has been skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
static const bool writes_back = true; /* what is left of select's time-out, as Linux does */
#else
static const bool writes_back;
#endif

extern char **environ;
static const char *program, *argument;

static void fail(const char *what, double got)
{
	fprintf(stderr, "%s: %.6f (errno %d)\n", what, got, errno);
	exit(1);
}

static double read_clock(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		fail("clock_gettime", clock);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static double skipped(void)
{
	double before = now(), tai = read_clock(CLOCK_TAI), after = now();

	return (before + after) / 2 - tai;
}

static struct timespec to_timespec(double s)
{
	return (struct timespec){ (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };
}

static struct timespec from_now(clockid_t clock, double s)
{
	return to_timespec(read_clock(clock) + s);
}

/* What must have passed since start: real time comes on top, much of it on a busy machine. */
static void passed(const char *what, double start, double want)
{
	double got = now() - start;

	if (got < want - 0.001 || got > want + 0.7)
		fail(what, got);
}

static void want(const char *what, int got, int expected)
{
	if (got != expected)
		fail(what, got);
}

static void sleep_for(double s)
{
	struct timespec ts = to_timespec(s);

	want("nanosleep", nanosleep(&ts, NULL), 0);
}

/* Compute, by the real clock. */
static void be_busy(double s)
{
	double end = read_clock(CLOCK_TAI) + s;

	while (read_clock(CLOCK_TAI) < end)
		continue;
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork", pid);
	return pid;
}

static void end_child(pid_t pid)
{
	int status = 0;

	want("waitpid", waitpid(pid, &status, 0), pid);
	want("the child's status", status, 0);
}

/* --- sleeps --- */

static void test_nanosleep(void)
{
	double start = now();

	sleep_for(5);
	passed("5 s", start, 5);
}

static void test_absolute_sleep(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME };

	for (int i = 0; i < 3; i++) {
		double start = now();
		struct timespec ts = from_now(clocks[i], 7);

		want("clock_nanosleep", clock_nanosleep(clocks[i], TIMER_ABSTIME, &ts, NULL), 0);
		passed("7 s", start, 7);
		want("one in the past", clock_nanosleep(clocks[i], TIMER_ABSTIME, &(struct timespec){ 1, 0 }, NULL), 0);
	}
}

static void test_select_sleep(void)
{
	struct timeval tv = { 2, 500000 };
	double start = now();

	want("select", select(0, NULL, NULL, NULL, &tv), 0);
	passed("2.5 s", start, 2.5);
	if (writes_back && (tv.tv_sec || tv.tv_usec))
		fail("time left", (double)tv.tv_sec);
}

static void test_poll_sleep(void)
{
	double start = now();

	want("poll", poll(NULL, 0, 3000), 0);
	passed("3 s", start, 3);
}

static void test_many_sleeps(void)
{
	double start = now();

	for (int i = 0; i < 100; i++)
		sleep_for(0.25);
	if (now() - start < 25 || now() - start > 30)
		fail("100 times 0.25 s", now() - start);
}

static void test_clocks_agree(void)
{
	struct timeval tv;
	struct timespec raw;
	double real, day;

	for (int i = 0; i < 3; i++) {
		sleep_for(1000);
		real = read_clock(CLOCK_REALTIME);
		gettimeofday(&tv, NULL);
		day = (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
		if (day < real - 0.001 || day > real + 0.7)
			fail("gettimeofday", day - real);
		if ((double)time(NULL) < real - 1.1 || (double)time(NULL) > real + 1)
			fail("time", (double)time(NULL) - real);
		/* not by way of the vDSO */
		want("clock_gettime", (int)syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw), 0);
		if ((double)raw.tv_sec < real - 1.1 || (double)raw.tv_sec > real + 1)
			fail("the system call", (double)raw.tv_sec - real);
		if (read_clock(CLOCK_REALTIME_COARSE) < real - 0.1 || read_clock(CLOCK_REALTIME_COARSE) > real + 0.7)
			fail("the coarse clock", read_clock(CLOCK_REALTIME_COARSE) - real);
		if (read_clock(CLOCK_PROCESS_CPUTIME_ID) > 60)
			fail("CPU time", read_clock(CLOCK_PROCESS_CPUTIME_ID));
	}
}

/* --- threads --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;

static pthread_t start_thread(void *(*run)(void *), void *context)
{
	pthread_t thread;

	want("pthread_create", pthread_create(&thread, NULL, run, context), 0);
	return thread;
}

static void test_cond_timeout(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };

	for (int i = 0; i < 2; i++) {
		double start = now();
		struct timespec ts = from_now(clocks[i], 3);
		pthread_condattr_t attr;
		pthread_cond_t cond;

		pthread_condattr_init(&attr);
		pthread_condattr_setclock(&attr, clocks[i]);
		pthread_cond_init(&cond, &attr);
		pthread_mutex_lock(&mutex);
		want("pthread_cond_timedwait", pthread_cond_timedwait(&cond, &mutex, &ts), ETIMEDOUT);
		pthread_mutex_unlock(&mutex);
		passed("3 s", start, 3);
	}
}

static void *signal_later(void *context)
{
	sleep_for(*(double *)context);
	pthread_mutex_lock(&mutex);
	turn = 1;
	pthread_cond_signal(&condition);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void test_cond_signalled(void)
{
	double start = now(), later = 2;
	struct timespec ts = from_now(CLOCK_REALTIME, 10);
	pthread_t thread = start_thread(signal_later, &later);
	int r = 0;

	pthread_mutex_lock(&mutex);
	while (!turn && !r)
		r = pthread_cond_timedwait(&condition, &mutex, &ts);
	pthread_mutex_unlock(&mutex);
	want("pthread_cond_timedwait", r, 0);
	passed("2 s", start, 2);
	pthread_join(thread, NULL);
}

static void test_sem_timeout(void)
{
	double start = now();
	struct timespec ts = from_now(CLOCK_REALTIME, 4);
	sem_t sem;

	sem_init(&sem, 0, 0);
	want("sem_timedwait", sem_timedwait(&sem, &ts) ? errno : 0, ETIMEDOUT);
	passed("4 s", start, 4);
}

/* Two threads hand a token to and fro, and each move takes 10 ms. No move may time out. */
static void *play(void *context)
{
	int side = context != NULL;

	for (int i = 0; i < 100; i++) {
		struct timespec ts = from_now(CLOCK_REALTIME, 5);
		int r = 0;

		pthread_mutex_lock(&mutex);
		while (turn != side && !r)
			r = pthread_cond_timedwait(&condition, &mutex, &ts);
		pthread_mutex_unlock(&mutex);
		want("a move", r, 0);
		if (side)
			sleep_for(0.02);
		pthread_mutex_lock(&mutex);
		turn = !side;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void test_handover(void)
{
	double start = now();
	pthread_t thread = start_thread(play, &start);

	play(NULL);
	pthread_join(thread, NULL);
	passed("100 moves", start, 2);
}

/* The word lies in memory of two processes, and under two addresses in one of them. */
static void test_shared_semaphore(void)
{
	FILE *f = tmpfile();
	sem_t *here, *there;
	double start = now();
	struct timespec ts = from_now(CLOCK_REALTIME, 9);
	pid_t child;

	if (!f || ftruncate(fileno(f), 4096))
		fail("tmpfile", 0);
	here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	there = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	sem_init(here, 1, 0);
	child = start_child();
	if (!child) {
		sleep_for(2);
		sem_post(there);
		pause();
	}
	want("sem_timedwait", sem_timedwait(here, &ts), 0);
	passed("2 s", start, 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void *nap(void *context)
{
	sleep_for(1);
	return context;
}

#ifdef __GLIBC__
static void test_timed_join(void)
{
	double start = now();
	struct timespec ts = from_now(CLOCK_REALTIME, 10);

	/* The end of a thread wakes without a system call that could be seen. */
	want("pthread_timedjoin_np", pthread_timedjoin_np(start_thread(nap, NULL), NULL, &ts), 0);
	passed("1 s", start, 1);
}
#endif

static void test_join(void)
{
	double start = now();
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		threads[i] = start_thread(nap, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	passed("1 s", start, 1);
}

static void *compute(void *context)
{
	double first = skipped(), end = read_clock(CLOCK_TAI) + 0.25, most = 0;

	while (read_clock(CLOCK_TAI) < end) {
		double jumped = skipped() - first;

		if (jumped > most)
			most = jumped;
	}
	*(double *)context = most;
	return NULL;
}

/* While a thread computes, nothing is skipped. */
static void test_busy_thread(void)
{
	double most = 0, start = now();
	pthread_t thread = start_thread(compute, &most);

	sleep_for(5);
	passed("5 s", start, 5);
	pthread_join(thread, NULL);
	if (most > 0.2)
		fail("skipped beside a thread that computes", most);
}

static void test_busy_child(void)
{
	double start = now();
	pid_t child = start_child();
	int p[2];

	if (!child) {
		double most = 0;

		compute(&most);
		_exit(most > 0.2);
	}
	want("pipe", pipe(p), 0);
	want("poll", poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 5000), 0);
	passed("5 s", start, 5);
	end_child(child);
}

/* Two forks that make no call but the clock's, which is none: nobody has heard of them. */
static void test_busy_fork(void)
{
	double start = now();
	pid_t child = fork(), grandchild = child ? 0 : fork();
	int status = 1;

	if (!child) {
		while (now() < start + 0.2)
			continue;
		_exit(grandchild > 0 && (waitpid(grandchild, &status, 0) != grandchild || status));
	}
	want("waitpid", waitpid(child, &status, 0) == child ? status : -1, 0);
	if (now() < start + 0.2)
		fail("forks that wait for the clock", now() - start);
}

static void *nap_and_tell(void *context)
{
	sleep_for(1);
	*(volatile int *)context = 1;
	return NULL;
}

/* Nobody ever waits, so clocks have to go on by themselves. */
static void test_spin(void)
{
	volatile int told = 0;
	double start = now();
	pthread_t thread;

	for (int i = 1; i <= 3; i++) {
		while (now() < start + 0.1 * i)
			continue;
		passed("by the clock", start, 0.1 * i);
	}
	start = now();
	thread = start_thread(nap_and_tell, (void *)&told);
	while (!told)
		continue;
	passed("by memory", start, 1);
	pthread_join(thread, NULL);
}

/* What a program computes takes no time. */
static void test_compute(void)
{
	double start = now();

	be_busy(0.1);
	want("microseconds", (int)((now() - start) * 1e6), 0);
}

/* A child that computes first must not be outrun by a time-out. */
static void test_busy_answer(void)
{
	int p[2];
	char byte;

	want("pipe", pipe(p), 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = start_child();

		if (!child) {
			be_busy(0.004);
			_exit(write(p[1], "x", 1) != 1);
		}
		want("poll", poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 5000), 1);
		want("read", (int)read(p[0], &byte, 1), 1);
		end_child(child);
	}
}

/* --- pipes of the tool's own --- */

static void test_child_pipe(void)
{
	double start;
	pid_t child;
	int p[2], other[2];
	char byte;

	want("pipe", pipe(p) | pipe(other), 0);
	start = now();
	child = start_child();
	if (!child) {
		sleep_for(1.5);
		if (write(p[1], "x", 1) != 1)
			_exit(1);
		/* It stays, and sleeps: only the parent's poll is ready. */
		read(other[0], &byte, 1);
		_exit(0);
	}
	want("poll", poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 10000), 1);
	passed("1.5 s", start, 1.5);
	want("write", (int)write(other[1], "x", 1), 1);
	end_child(child);
}

/* Ping-pong without any pause: the answer races with the look at who is blocked. */
static void test_ping_pong(void)
{
	int there[2], back[2];
	char byte;
	pid_t child;

	want("pipe", pipe(there) | pipe(back), 0);
	child = start_child();
	if (!child) {
		for (int i = 0; i < 300; i++) {
			if (read(there[0], &byte, 1) != 1)
				_exit(1);
			be_busy(i % 60 * 15e-6);
			if (write(back[1], &byte, 1) != 1)
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		want("write", (int)write(there[1], "x", 1), 1);
		want("poll", poll(&(struct pollfd){ back[0], POLLIN, 0 }, 1, 5000), 1);
		want("read", (int)read(back[0], &byte, 1), 1);
	}
	end_child(child);
}

static void test_select_left(void)
{
	struct timeval tv = { 10, 0 };
	double start = now(), left;
	fd_set set;
	pid_t child;
	int p[2];

	want("pipe", pipe(p), 0);
	child = start_child();
	if (!child) {
		sleep_for(2);
		_exit(write(p[1], "x", 1) != 1);
	}
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	want("select", select(p[0] + 1, &set, NULL, NULL, &tv), 1);
	passed("2 s", start, 2);
	left = (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
	if (writes_back && (left < 7.3 || left > 8.7))
		fail("time left", left);
	end_child(child);
}

static void test_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0), p[2];
	double start = now();
	pid_t child;

	want("pipe", pipe(p), 0);
	want("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, p[0], &event), 0);
	want("epoll_wait", epoll_wait(epoll, &event, 1, 4000), 0);
	passed("4 s", start, 4);
	start = now();
	child = start_child();
	if (!child) {
		sleep_for(3);
		_exit(write(p[1], "x", 1) != 1);
	}
	want("epoll_wait", epoll_wait(epoll, &event, 1, 10000), 1);
	passed("3 s", start, 3);
	end_child(child);
}

/* --- timerfd --- */

static int timer_at(int flags, double first, double interval)
{
	struct itimerspec it = { to_timespec(interval), to_timespec(first) };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	want("timerfd_settime", timerfd_settime(fd, flags, &it, NULL), 0);
	return fd;
}

static uint64_t expirations(int fd)
{
	uint64_t n = 0;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		fail("read of a timer", 0);
	return n;
}

static void test_timer_relative(void)
{
	double start = now();

	want("expirations", (int)expirations(timer_at(0, 6, 0)), 1);
	passed("6 s", start, 6);
}

static void test_timer_absolute(void)
{
	for (int i = 0; i < 3; i++) {
		double start = now();
		int fd = timer_at(TFD_TIMER_ABSTIME, start + 6, 0);

		want("poll", poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 30000), 1);
		want("expirations", (int)expirations(fd), 1);
		passed("6 s", start, 6);
		close(fd);
	}
}

static void periodic(int fd, double start)
{
	uint64_t n = 0;

	for (int i = 1; i <= 5; i++) {
		want("poll", poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 30000), 1);
		n += expirations(fd);
		passed("periods", start, 2 * (double)n);
	}
	close(fd);
}

static void test_timer_periodic(void)
{
	double start = now();

	periodic(timer_at(0, 2, 2), start);
	start = now();
	periodic(timer_at(TFD_TIMER_ABSTIME, start + 2, 2), start);
}

/* A relative one that is not the next to fire keeps its time over the jumps to others. */
static void test_timer_beside_sleeps(void)
{
	double start = now();
	int fd = timer_at(0, 20, 0), absolute = timer_at(TFD_TIMER_ABSTIME, start + 21, 0);

	for (int i = 0; i < 60; i++) {
		struct pollfd fds = { fd, POLLIN, 0 };

		if (poll(&fds, 1, 0))
			fail("too early", now() - start);
		sleep_for(0.3);
	}
	want("expirations", (int)expirations(fd), 1);
	passed("20 s", start, 20);
	want("expirations", (int)expirations(absolute), 1);
	passed("21 s", start, 21);
}

static void test_timer_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	double start = now();
	int epoll = epoll_create1(0), fd = timer_at(0, 5, 0);

	want("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	want("epoll_wait", epoll_wait(epoll, &event, 1, -1), 1);
	passed("5 s", start, 5);
}

/* --- signals --- */

static volatile sig_atomic_t caught;
static double caught_at;

static void on_signal(int number)
{
	caught = number;
	caught_at = now();
}

static void catch_signal(int number, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(number, &sa, NULL);
}

static bool runs(pid_t pid)
{
	char path[32], text[512] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY);
	if (read(fd, text, sizeof(text) - 1) <= 0)
		fail(path, fd);
	close(fd);
	state = strrchr(text, ')');
	return state && state[1] && state[2] == 'R';
}

/* A child that signals so many seconds after its parent has gone to sleep, and then waits for ever. */
static pid_t signaller(int number, double after)
{
	pid_t parent = getpid(), child = start_child();

	if (child)
		return child;
	while (runs(parent))
		continue;
	if (after > 0)
		sleep_for(after);
	kill(parent, number);
	for (;;)
		pause();
}

static void no_more(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* A signal may come when the call has been made but not yet been received, as if before the call: that does not count. What
 * must not be is a signal that has to wait until the call ends by itself. */
static bool came_before(double start, int result)
{
	return result == 0 && caught && caught_at - start < 1;
}

static bool interrupted_sleep(double after)
{
	struct timespec ts = { 5, 0 }, rest = { 0, 0 };
	double start = now(), left;
	pid_t child;
	int r;

	caught = 0;
	catch_signal(SIGUSR1, SA_RESTART);
	child = signaller(SIGUSR1, after);
	r = nanosleep(&ts, &rest) ? errno : 0;
	if (after < 0.5 && came_before(start, r)) {
		no_more(child);
		return false;
	}
	want("nanosleep", r, EINTR);
	want("the signal", caught, SIGUSR1);
	passed("until the signal", start, after);
	left = (double)rest.tv_sec + (double)rest.tv_nsec / 1e9;
	if (left < 5 - after - 0.7 || left > 5 - after + 0.5)
		fail("time left", left);
	no_more(child);
	return true;
}

static void test_signal_later(void)
{
	interrupted_sleep(1);
}

static void test_signal_at_once(void)
{
	for (int i = 0; i < 20; i++) {
		if (interrupted_sleep(0))
			return;
	}
	fail("never interrupted", 0);
}

/* setitimer(2) counts real time: while it does, the sleep may end first. It must not be lost. */
static void test_alarm(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 50000 } };
	double real = read_clock(CLOCK_TAI);

	catch_signal(SIGALRM, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	while (!caught && read_clock(CLOCK_TAI) < real + 5)
		continue;
	want("the signal", caught, SIGALRM);
}

static void test_signal_poll(void)
{
	bool interrupted = false;
	int p[2], r;

	want("pipe", pipe(p), 0);
	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < 20 && !interrupted; i++) {
		double start = now();
		pid_t child;

		caught = 0;
		child = signaller(SIGUSR1, 0);
		r = poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 8000) < 0 ? errno : 0;
		interrupted = !came_before(start, r);
		if (interrupted) {
			want("poll", r, EINTR);
			passed("the signal", start, 0);
		}
		no_more(child);
	}
	want("interrupted", interrupted, true);
}

/* The signal is blocked but for the time of the call. */
static void masked(bool with_select)
{
	struct timespec ts = { 8, 0 };
	double start = now();
	sigset_t usr1, none;
	pid_t child;
	int p[2], r;

	want("pipe", pipe(p), 0);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	catch_signal(SIGUSR1, 0);
	child = signaller(SIGUSR1, 1);
	if (with_select) {
		fd_set set;

		FD_ZERO(&set);
		FD_SET(p[0], &set);
		r = pselect(p[0] + 1, &set, NULL, NULL, &ts, &none);
	} else {
		r = ppoll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, &ts, &none);
	}
	want("the call", r < 0 ? errno : 0, EINTR);
	want("the signal", caught, SIGUSR1);
	passed("1 s", start, 1);
	no_more(child);
}

static void test_ppoll_mask(void)
{
	masked(false);
}

static void test_pselect_mask(void)
{
	masked(true);
}

static void test_sigtimedwait(void)
{
	struct timespec ts = { 0, 400000000 };
	pthread_t thread;
	sigset_t usr1;
	double real = read_clock(CLOCK_TAI), start = now();

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	/* It counts real time, and as long as it does, others do as well. */
	thread = start_thread(nap, NULL);
	want("sigtimedwait", sigtimedwait(&usr1, NULL, &ts) < 0 ? errno : 0, EAGAIN);
	passed("0.4 s", start, 0.4);
	if (read_clock(CLOCK_TAI) - real < 0.39)
		fail("real time", read_clock(CLOCK_TAI) - real);
	pthread_join(thread, NULL);
	passed("1 s", start, 1);
}

static void test_ctrl_c(void)
{
	/* The script looks at how long it takes from the signal to the end. Nothing is skipped beside a busy child. */
	pid_t child = start_child();

	if (!child) {
		be_busy(20);
		_exit(0);
	}
	printf("%d %d\n", getpid(), child);
	fflush(stdout);
	sleep_for(3600);
}

/* --- other programs --- */

/* ... waits clock FROM: has the clock gone on from there? */
static void clock_since(const char *from)
{
	double start = strtod(from, NULL), got = read_clock(CLOCK_MONOTONIC) - start;

	/* The first thing that this program does. */
	if (got < 0 || got > 3)
		fail("the clock of another program", got);
}

static char **clock_arguments(void)
{
	static char text[64];
	static char *args[4];

	snprintf(text, sizeof(text), "%.9f", now());
	args[0] = (char *)(argument ? argument : program);
	args[1] = "clock";
	args[2] = text;
	return args;
}

static void test_exec(void)
{
	char **args;

	sleep_for(1000);
	args = clock_arguments();
	execv(args[0], args);
	fail("execv", 0);
}

static void test_spawn(void)
{
	sleep_for(1000);
	for (int i = 0; i < 10; i++) {
		char **args = clock_arguments();
		pid_t child;
		int r = i & 1 ? posix_spawn(&child, args[0], NULL, NULL, args, environ) : 0;

		want("posix_spawn", r, 0);
		if (!(i & 1) && !(child = start_child())) {
			execv(args[0], args);
			_exit(127);
		}
		end_child(child);
		sleep_for(3);
	}
}

static void *ask_files(void *context)
{
	while (!*(volatile int *)context)
		access("/nonexistent", F_OK);
	return NULL;
}

/* Other threads make calls at the very moment when the program is replaced. */
static void test_exec_beside_threads(void)
{
	static volatile int stop;
	char **args;

	sleep_for(1000);
	for (int i = 0; i < 3; i++)
		start_thread(ask_files, (void *)&stop);
	be_busy(0.003);
	args = clock_arguments();
	execv(args[0], args);
	fail("execv", 0);
}

static void test_children(void)
{
	double start = now();
	pid_t children[20];

	for (int i = 0; i < 20; i++) {
		children[i] = start_child();
		if (!children[i]) {
			sleep_for(0.5 * i);
			_exit(0);
		}
	}
	for (int i = 0; i < 20; i++)
		end_child(children[i]);
	passed("9.5 s", start, 9.5);
}

/* A grandchild whose parent has ended computes, while we wait: it must not be lost from sight. */
static void test_orphan(void)
{
	char byte;

	for (int i = 0; i < 20; i++) {
		int p[2];
		pid_t child;

		want("pipe", pipe(p), 0);
		child = start_child();
		if (!child) {
			if (!fork()) {
				be_busy(0.003 + i * 1e-4);
				_exit(write(p[1], "x", 1) != 1);
			}
			be_busy(0.002);
			_exit(0);
		}
		want("poll", poll(&(struct pollfd){ p[0], POLLIN, 0 }, 1, 5000), 1);
		want("read", (int)read(p[0], &byte, 1), 1);
		end_child(child);
		close(p[0]);
		close(p[1]);
	}
}

/* --- the world outside --- */

/* Standard input comes from outside, 0.3 s later. */
static void test_stdin_poll(void)
{
	char bytes[8];

	want("poll", poll(&(struct pollfd){ 0, POLLIN, 0 }, 1, 20000), 1);
	want("read", (int)read(0, bytes, sizeof(bytes)), 2);
	if (now() < 0)
		fail("now", 0);
}

static void test_stdin_select(void)
{
	struct timeval tv = { 20, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(0, &set);
	want("select", select(1, &set, NULL, NULL, &tv), 1);
}

static void test_stdin_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	/* First without it, so that the same wait has been seen as harmless. */
	want("epoll_wait", epoll_wait(epoll, &event, 1, 1000), 0);
	want("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event), 0);
	want("epoll_wait", epoll_wait(epoll, &event, 1, 20000), 1);
}

static void *long_nap(void *context)
{
	sleep_for(5);
	if (!*(volatile int *)context)
		fail("skipped while another waits for the outside", now());
	return NULL;
}

static void test_stdin_read(void)
{
	static volatile int got;
	char bytes[8];
	pthread_t thread = start_thread(long_nap, (void *)&got);

	want("read", (int)read(0, bytes, sizeof(bytes)), 2);
	got = 1;
	pthread_join(thread, NULL);
}

static void test_socket(void)
{
	static volatile int got;
	struct timeval tv = { 0, 200000 };
	int pair[2];
	char byte;
	pthread_t thread;

	/* SO_RCVTIMEO counts real time. */
	want("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	thread = start_thread(long_nap, (void *)&got);
	want("recv", recv(pair[0], &byte, 1, 0) < 0 ? errno : 0, EAGAIN);
	got = 1;
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {
		{ "nanosleep", test_nanosleep },
		{ "absolute-sleep", test_absolute_sleep },
		{ "select-sleep", test_select_sleep },
		{ "poll-sleep", test_poll_sleep },
		{ "many-sleeps", test_many_sleeps },
		{ "clocks-agree", test_clocks_agree },
		{ "cond-timeout", test_cond_timeout },
		{ "cond-signalled", test_cond_signalled },
		{ "sem-timeout", test_sem_timeout },
		{ "handover", test_handover },
		{ "shared-semaphore", test_shared_semaphore },
#ifdef __GLIBC__
		{ "timed-join", test_timed_join },
#endif
		{ "join", test_join },
		{ "busy-thread", test_busy_thread },
		{ "busy-child", test_busy_child },
		{ "busy-fork", test_busy_fork },
		{ "busy-answer", test_busy_answer },
		{ "spin", test_spin },
		{ "compute", test_compute },
		{ "child-pipe", test_child_pipe },
		{ "ping-pong", test_ping_pong },
		{ "select-left", test_select_left },
		{ "epoll", test_epoll },
		{ "timer-relative", test_timer_relative },
		{ "timer-absolute", test_timer_absolute },
		{ "timer-periodic", test_timer_periodic },
		{ "timer-beside-sleeps", test_timer_beside_sleeps },
		{ "timer-epoll", test_timer_epoll },
		{ "signal-later", test_signal_later },
		{ "signal-at-once", test_signal_at_once },
		{ "signal-poll", test_signal_poll },
		{ "alarm", test_alarm },
		{ "ppoll-mask", test_ppoll_mask },
		{ "pselect-mask", test_pselect_mask },
		{ "sigtimedwait", test_sigtimedwait },
		{ "exec", test_exec },
		{ "exec-beside-threads", test_exec_beside_threads },
		{ "spawn", test_spawn },
		{ "children", test_children },
		{ "orphan", test_orphan },
		{ "socket", test_socket },
		/* with conditions */
		{ "stdin-poll", test_stdin_poll },
		{ "stdin-select", test_stdin_select },
		{ "stdin-epoll", test_stdin_epoll },
		{ "stdin-read", test_stdin_read },
		{ "ctrl-c", test_ctrl_c },
	};

	program = argv[0];
	if (argc == 3 && !strcmp(argv[1], "clock")) {
		clock_since(argv[2]);
		return 0;
	}
	argument = argc > 2 ? argv[2] : NULL;
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (size_t i = 0; strcmp(tests[i].name, "stdin-poll"); i++)
			puts(tests[i].name);
		return 0;
	}
	if (open("/dev/bus/usb/001/002", O_RDWR | O_CLOEXEC) < 0)
		fail("no board", 0);
	for (size_t i = 0; argc > 1 && i < sizeof(tests) / sizeof(*tests); i++) {
		if (strcmp(tests[i].name, argv[1]))
			continue;
		tests[i].run();
		return 0;
	}
	fprintf(stderr, "usage: waits list | NAME [PROGRAM]\n");
	return 2;
}
