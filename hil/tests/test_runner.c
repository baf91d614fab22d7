// SPDX-License-Identifier: GPL-2.0-or-later
/* Many plays in processes of their own: with plays that end in every way there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "a_result.h"
#include "runner.h"
#include "worker.h"

#define JOBS 8

/* What plays and tests share. */
static struct shared {
	atomic_int running, most, started;
	atomic_int pids[JOBS]; /* of processes that must not outlive the run */
	char folder[4096];
} * shared;

static struct scenario scenarios[JOBS];
static char ids[JOBS][16];
static const struct tool tool = { .name = "fake" };
static struct play_options jobs[JOBS];

/* What the callbacks were told. */
struct seen {
	unsigned started, ended;
	struct result *last;
	int (*when_started)(struct seen *);
	int error; /* for ended() to return */
	unsigned verdicts[6];
	char ids[JOBS][16]; /* in the order in which they ended */
	uint64_t seeds[JOBS];
};

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -1;
	for (unsigned i = 0; i < JOBS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "a/%u", i);
		scenarios[i] = (struct scenario){ .path = ids[i], .name = "a sentence", .id = ids[i] };
		jobs[i] = (struct play_options){ .scenario = &scenarios[i],
						 .tool = &tool,
						 .repeat = 1,
						 .scale = 1,
						 .seed = runner_seed(1, ids[i], 1) };
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(shared, sizeof(*shared));
}

static int started(void *context, const struct play_options *job)
{
	struct seen *seen = context;

	assert_non_null(job->scenario);
	seen->started++;
	return seen->when_started ? seen->when_started(seen) : 0;
}

static int ended(void *context, const struct play_options *job, const struct result *result)
{
	struct seen *seen = context;
	json_t *json = result_to_json(result);

	assert_string_equal(job->scenario->id, result->id);
	strcpy(seen->ids[seen->ended], result->id);
	seen->seeds[seen->ended++] = result->seed;
	seen->verdicts[result->verdict]++;
	result_free(seen->last);
	seen->last = result_from_json(json);
	json_decref(json);
	return seen->error;
}

static struct runner_options options_of(struct seen *seen, size_t count,
					struct result *(*play)(const struct play_options *))
{
	return (struct runner_options){ .jobs = jobs,
					.count = count,
					.parallel = 2,
					.deadline_ms = 60000,
					.play = play,
					.started = started,
					.ended = ended,
					.context = seen };
}

static struct runner_outcome run(const struct runner_options *options)
{
	struct runner_outcome outcome;
	char why[RUNNER_WHY];
	int r = runner_run(options, &outcome, why);

	if (r)
		fail_msg("%d: %s", r, why);
	return outcome;
}

static void nap(void)
{
	const struct timespec pause = { 0, 5000000 };

	nanosleep(&pause, NULL);
}

static bool gone(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (!fgets(line, sizeof(line), f))
		*line = 0;
	fclose(f);
	return !*line || strstr(line, ") Z ");
}

/* For what somebody else brings about. */
static void assert_gone_soon(pid_t pid)
{
	for (unsigned i = 0; i < 2000 && !gone(pid); i++)
		nap();
	assert_true(gone(pid));
}

/* --- plays --- */

static struct result *result_of(const struct play_options *o, enum verdict verdict, const char *message)
{
	struct result *r = a_result(o->scenario->id, o->tool->name, verdict, message);

	r->seed = o->seed;
	return r;
}

static struct result *pass(const struct play_options *o)
{
	return result_of(o, VERDICT_PASSED, NULL);
}

static struct result *fail_second(const struct play_options *o)
{
	return result_of(o, !strcmp(o->scenario->id, "a/1") ? VERDICT_FAILED : VERDICT_PASSED, "it failed");
}

static struct result *take_turns(const struct play_options *o)
{
	int now = atomic_fetch_add(&shared->running, 1) + 1, most = atomic_load(&shared->most);

	while (now > most && !atomic_compare_exchange_weak(&shared->most, &most, now))
		continue;
	nap();
	atomic_fetch_sub(&shared->running, 1);
	return pass(o);
}

static struct result *crash(const struct play_options *o)
{
	(void)o;
	fprintf(stderr, "these are its last words\n");
	signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler */
	raise(SIGSEGV);
	return NULL;
}

static struct result *leave(const struct play_options *o)
{
	(void)o;
	fprintf(stderr, "cannot go on\n");
	exit(3);
}

/* Processes in sessions of their own, deaf to what can be ignored, one below the other. */
static void leave_a_family(void)
{
	for (unsigned i = 0; i < 3; i++) {
		pid_t pid = fork();

		if (pid)
			break;
		setsid();
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		atomic_store(&shared->pids[i], getpid());
	}
}

static struct result *hang(const struct play_options *o)
{
	pid_t self = getpid();
	char path[4200];

	strcpy(shared->folder, o->folder);
	snprintf(path, sizeof(path), "%s/closed", o->folder);
	if (mkdir(path, 0700) || mkdir(strcat(path, "/folder"), 0))
		abort();
	*strrchr(path, '/') = 0;
	chmod(path, 0);
	leave_a_family();
	while (getpid() != self)
		pause();
	while (!atomic_load(&shared->pids[2]))
		nap();
	atomic_fetch_add(&shared->started, 1);
	for (;;)
		pause();
}

static struct result *crash_with_family(const struct play_options *o)
{
	pid_t self = getpid();

	leave_a_family();
	while (getpid() != self)
		pause();
	while (!atomic_load(&shared->pids[2]))
		nap();
	return crash(o);
}

static struct result *look_around(const struct play_options *o)
{
	char path[64];
	struct stat st;
	sigset_t mask;

	if (fstat(0, &st) || !S_ISCHR(st.st_mode))
		return result_of(o, VERDICT_FAILED, "stdin is not /dev/null");
	if (strcmp(getenv("TMPDIR"), o->folder) != 0 || access(o->folder, W_OK))
		return result_of(o, VERDICT_FAILED, "no folder");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", atomic_load(&shared->started));
	if (!access(path, F_OK))
		return result_of(o, VERDICT_FAILED, "a descriptor of the runner's");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	if (sigismember(&mask, SIGINT) || sigismember(&mask, SIGTERM))
		return result_of(o, VERDICT_FAILED, "signals are blocked");
	if (getsid(0) != getpid())
		return result_of(o, VERDICT_FAILED, "no session of its own");
	printf("whatever is printed here does not disturb\n");
	return pass(o);
}

static struct result *say_much(const struct play_options *o)
{
	struct result *r = pass(o);

	r->message = malloc(8000001);
	memset(r->message, 'x', 8000000);
	r->message[8000000] = 0;
	return r;
}

static const char *not_the_third(const struct play_options *o, char why[RIG_WHY])
{
	if (strcmp(o->scenario->id, "a/2") != 0)
		return NULL;
	snprintf(why, RIG_WHY, "the rig lacks something");
	return why;
}

/* --- tests --- */

static void each_play_tells_its_result(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, JOBS, take_turns);
	struct runner_outcome outcome;

	(void)state;
	options.parallel = 3;
	outcome = run(&options);
	assert_int_equal(seen.started, JOBS);
	assert_int_equal(seen.verdicts[VERDICT_PASSED], JOBS);
	assert_int_equal(outcome.told, JOBS);
	assert_int_equal(outcome.played, JOBS);
	assert_int_equal(outcome.bad, 0);
	assert_int_equal(outcome.signal, 0);
	assert_in_range(atomic_load(&shared->most), 1, 3);
	assert_true(seen.last->wall_us > 0);
	result_free(seen.last);
}

static void one_at_a_time_keeps_the_order(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, JOBS, take_turns);

	(void)state;
	options.parallel = 1;
	run(&options);
	for (unsigned i = 0; i < JOBS; i++)
		assert_string_equal(seen.ids[i], ids[i]);
	assert_int_equal(atomic_load(&shared->most), 1);
	result_free(seen.last);
}

static void seeds_depend_on_scenario_and_repeat_alone(void **state)
{
	(void)state;
	assert_true(runner_seed(1, "a", 1) == runner_seed(1, "a", 1));
	assert_true(runner_seed(1, "a", 1) != runner_seed(2, "a", 1));
	assert_true(runner_seed(1, "a", 1) != runner_seed(1, "b", 1));
	assert_true(runner_seed(1, "a", 1) != runner_seed(1, "a", 2));
	assert_true(runner_seed(0, "", 1) < UINT64_C(1) << 53);
	/* Whoever was told a seed once gets the same run years later. */
	assert_true(runner_seed(1, "start/dfuerror", 1) == UINT64_C(2987542201122607));
}

static void a_crash_is_an_error_that_names_the_signal(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 1, crash);
	struct runner_outcome outcome;

	(void)state;
	outcome = run(&options);
	assert_int_equal(outcome.bad, 1);
	assert_int_equal(seen.last->verdict, VERDICT_ERROR);
	assert_string_equal(seen.last->id, "a/0");
	assert_string_equal(seen.last->tool, "fake");
	assert_non_null(strstr(seen.last->message, "signal 11"));
	assert_non_null(strstr(seen.last->message, "these are its last words"));
	result_free(seen.last);
}

static void an_exit_without_result_is_an_error(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 1, leave);

	(void)state;
	run(&options);
	assert_int_equal(seen.last->verdict, VERDICT_ERROR);
	assert_non_null(strstr(seen.last->message, "status 3"));
	assert_non_null(strstr(seen.last->message, "cannot go on"));
	result_free(seen.last);
}

static void nothing_outlives_the_deadline(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 1, hang);

	(void)state;
	options.deadline_ms = 1500;
	run(&options);
	assert_int_equal(seen.last->verdict, VERDICT_ERROR);
	assert_non_null(strstr(seen.last->message, "deadline of 1.5 s passed"));
	for (unsigned i = 0; i < 3; i++)
		assert_true(!atomic_load(&shared->pids[i]) || gone(atomic_load(&shared->pids[i])));
	assert_int_equal(access(shared->folder, F_OK), -1);
	*strrchr(shared->folder, '/') = 0;
	assert_int_equal(access(shared->folder, F_OK), -1);
	result_free(seen.last);
}

static void nothing_outlives_a_crash(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 1, crash_with_family);

	(void)state;
	run(&options);
	for (unsigned i = 0; i < 3; i++)
		assert_true(gone(atomic_load(&shared->pids[i])));
	result_free(seen.last);
}

/* Of somebody who becomes dfuhil by exec, say */
static void children_that_were_there_are_left_alone(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 2, crash);
	pid_t pid = fork();

	(void)state;
	if (!pid)
		for (;;)
			pause();
	run(&options);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	result_free(seen.last);
}

static void a_play_has_nothing_of_the_runner(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 2, look_around);
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	atomic_store(&shared->started, fd);
	run(&options);
	if (seen.verdicts[VERDICT_PASSED] != 2)
		fail_msg("%s", seen.last->message);
	close(fd);
	result_free(seen.last);
}

static void a_long_result_arrives_whole(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 2, say_much);

	(void)state;
	run(&options);
	assert_int_equal(seen.verdicts[VERDICT_PASSED], 2);
	assert_int_equal(strlen(seen.last->message), 8000000);
	result_free(seen.last);
}

static void what_cannot_run_is_skipped(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 3, pass);
	struct runner_outcome outcome;

	(void)state;
	options.obstacle = not_the_third;
	options.parallel = 1;
	outcome = run(&options);
	assert_int_equal(outcome.told, 3);
	assert_int_equal(outcome.played, 2);
	assert_int_equal(seen.started, 2);
	assert_int_equal(seen.last->verdict, VERDICT_SKIPPED);
	assert_string_equal(seen.last->message, "the rig lacks something");
	result_free(seen.last);
}

static void fail_fast_starts_no_more(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, JOBS, fail_second);
	struct runner_outcome outcome;

	(void)state;
	options.parallel = 1;
	options.fail_fast = true;
	outcome = run(&options);
	assert_int_equal(outcome.told, 2);
	assert_int_equal(outcome.bad, 1);
	options.fail_fast = false;
	seen.ended = 0;
	outcome = run(&options);
	assert_int_equal(outcome.told, JOBS);
	assert_int_equal(outcome.bad, 1);
	result_free(seen.last);
}

static void a_failed_report_ends_the_run(void **state)
{
	struct seen seen = { .error = -ENOSPC };
	struct runner_options options = options_of(&seen, JOBS, pass);
	struct runner_outcome outcome;
	char why[RUNNER_WHY];

	(void)state;
	options.parallel = 1;
	assert_int_equal(runner_run(&options, &outcome, why), -ENOSPC);
	assert_string_equal(why, "");
	assert_int_equal(seen.ended, 1);
	result_free(seen.last);
}

/* The even jobs are for the first place, the odd ones for the second; each even one makes an odd one. */
static struct seen *asked;
static unsigned given[2];

static const struct play_options *alternate(void *context, unsigned place)
{
	assert_ptr_equal(context, asked);
	if (place == 0)
		return given[0] < 3 ? &jobs[2 * given[0]++] : NULL;
	return given[1] < 3 && given[1] < asked->ended ? &jobs[2 * given[1]++ + 1] : NULL;
}

static void jobs_are_made_while_it_runs(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 0, pass);
	struct runner_outcome outcome;

	(void)state;
	asked = &seen;
	given[0] = given[1] = 0;
	options.next = alternate;
	options.parallel = 2;
	outcome = run(&options);
	assert_int_equal(given[0], 3);
	assert_int_equal(given[1], 3);
	assert_int_equal(outcome.told, 6);
	result_free(seen.last);
}

static void what_runs_when_all_is_over_is_an_error(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, JOBS, hang);
	struct runner_outcome outcome;

	(void)state;
	options.until_us = worker_now_us() + 300000;
	outcome = run(&options);
	assert_int_equal(outcome.told, 2);
	assert_int_equal(seen.verdicts[VERDICT_ERROR], 2);
	assert_non_null(strstr(seen.last->message, "the time for all of them was over"));
	for (unsigned i = 0; i < 3; i++)
		assert_true(!atomic_load(&shared->pids[i]) || gone(atomic_load(&shared->pids[i])));
	result_free(seen.last);
}

static int interrupt_when_two_run(struct seen *seen)
{
	if (seen->started == 2) {
		while (atomic_load(&shared->started) < 1)
			nap();
		kill(getpid(), SIGTERM);
	}
	return 0;
}

static void a_signal_ends_what_runs(void **state)
{
	struct seen seen = { .when_started = interrupt_when_two_run };
	struct runner_options options = options_of(&seen, JOBS, hang);
	struct runner_outcome outcome = run(&options);
	sigset_t mask;

	(void)state;
	assert_int_equal(outcome.signal, SIGTERM);
	assert_int_equal(outcome.told, 0);
	assert_int_equal(outcome.aborted, 2);
	assert_int_equal(access(shared->folder, F_OK), -1);
	for (unsigned i = 0; i < 3; i++)
		assert_true(gone(atomic_load(&shared->pids[i])));
	/* The next one has its usual effect. */
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
}

static void a_killed_runner_leaves_nothing(void **state)
{
	struct seen seen = { 0 };
	struct runner_options options = options_of(&seen, 1, hang);
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		run(&options);
		_exit(0);
	}
	while (!atomic_load(&shared->started))
		nap();
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* A tool on a bus would go with its guardian; forks of the play itself are not for that. The folder waits for them. */
	for (unsigned i = 0; i < 3; i++)
		kill(atomic_load(&shared->pids[i]), SIGKILL);
	for (unsigned i = 0; i < 3; i++)
		assert_gone_soon(atomic_load(&shared->pids[i]));
	*strrchr(shared->folder, '/') = 0;
	for (unsigned i = 0; i < 2000 && !access(shared->folder, F_OK); i++)
		nap();
	assert_int_equal(access(shared->folder, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_play_tells_its_result),
		TEST(one_at_a_time_keeps_the_order),
		TEST(seeds_depend_on_scenario_and_repeat_alone),
		TEST(a_crash_is_an_error_that_names_the_signal),
		TEST(an_exit_without_result_is_an_error),
		TEST(nothing_outlives_the_deadline),
		TEST(nothing_outlives_a_crash),
		TEST(children_that_were_there_are_left_alone),
		TEST(a_play_has_nothing_of_the_runner),
		TEST(a_long_result_arrives_whole),
		TEST(what_cannot_run_is_skipped),
		TEST(fail_fast_starts_no_more),
		TEST(a_failed_report_ends_the_run),
		TEST(jobs_are_made_while_it_runs),
		TEST(what_runs_when_all_is_over_is_an_error),
		TEST(a_signal_ends_what_runs),
		TEST(a_killed_runner_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
