// SPDX-License-Identifier: GPL-2.0-or-later
/* Boards, a front, and the loop that serves both until it is told to end. */
#include "serve.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"
#include "control.h"
#include "desk.h"
#include "exec.h"
#include "front.h"
#include "loop.h"
#include "options.h"
#include "replay.h"
#include "say.h"
#include "signals.h"
#include "suggest.h"

/* The devices are enumerated before hosts come, in bench time that nobody waits for. */
#define SETTLE_US 30000000u

/* How long a kernel may take to enumerate, of the wall's time, and how often it is asked. */
#define HOST_US 20000000u
#define HOST_POLL_MS 20

struct run {
	const struct options *options;
	const struct front_ops *ops;
	struct say *say;
	struct desk *desk;
	struct loop *loop;
	struct front_env env;
	struct front_addresses addresses;
	struct front *front;
	unsigned probed; /* devices that the front enumerates just now */
	struct control *control;
	struct control_loop control_loop;
	void (*control_ready)(void *context, int fd);
	void *control_context;
	int signals; /* of signals_open(); -1: none */
	struct child_command command;
	struct rlimit descriptors; /* as it was */
	unsigned terminated;       /* how often SIGTERM came */
	bool reached;              /* hosts have been able to change the boards */
	bool over;
	int status;
};

static const struct {
	const char *front;
	enum options_where where;
} places[] = {
	{ "usbip", FOR_USBIP },           { "vhci", FOR_VHCI },   { "gadget", FOR_GADGET },
	{ "raw-gadget", FOR_RAW_GADGET }, { "redir", FOR_REDIR },
};

static enum options_where where_of(const struct front_ops *ops)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!strcmp(places[i].front, ops->name))
			return places[i].where;
	abort();
}

static void help(enum options_where where)
{
	puts("usage: dfuemu serve FRONT [OPTIONS] [[--] COMMAND [ARG...]]\n"
	     "\n"
	     "Offer the boards to a kernel as USB devices until interrupted (Ctrl-C, SIGTERM), or while COMMAND runs.\n"
	     "When they can be reached, a line that begins with 'ready' goes to standard output.\n"
	     "Exit status: 0, or COMMAND's; 125 when dfuemu itself failed, 126 when COMMAND could not be run, 127 "
	     "when\n"
	     "it was not found.\n"
	     "\n"
	     "FRONT is one of:");
	for (size_t i = 0; fronts[i]; i++)
		printf("  %-12s %s%s%s%s\n", fronts[i]->name, fronts[i]->summary,
		       fronts[i]->missing ? " (not in this build: needs " : "",
		       fronts[i]->missing ? fronts[i]->missing : "", fronts[i]->missing ? ")" : "");
	puts("");
	options_help(stdout, where);
}

void serve_help(void)
{
	help(FOR_SERVE);
}

void serve_fronts(FILE *out)
{
	for (size_t i = 0; fronts[i]; i++)
		if (!fronts[i]->missing)
			fprintf(out, " serve-%s", fronts[i]->name);
	fputs("\n", out);
	for (size_t i = 0; fronts[i]; i++)
		if (fronts[i]->missing)
			fprintf(out, "not in this build: serve-%s (needs %s)\n", fronts[i]->name, fronts[i]->missing);
}

/* What the front asks of us. */

static void warn(void *context, const char *line)
{
	struct run *run = context;

	say_warning(run->say, "%s", line);
}

static void note(void *context, const char *line)
{
	struct run *run = context;

	say_note(run->say, "%s", line);
}

static void probe(void *context, struct usbdev *device, bool on)
{
	struct run *run = context;

	run->probed += on ? 1 : -1u;
	desk_probe(run->desk, device, on);
}

/* What the control socket asks of the front. */

static void control_is_ready(void *context, int fd, uint32_t events)
{
	struct run *run = context;

	(void)events;
	run->control_ready(run->control_context, fd);
}

static int control_watch(void *context, int fd, void (*ready)(void *, int), void *ready_context)
{
	struct run *run = context;

	if (!ready) {
		loop_unwatch(run->loop, fd);
		return 0;
	}
	run->control_ready = ready;
	run->control_context = ready_context;
	return loop_watch(run->loop, fd, POLLIN, control_is_ready, run);
}

static void control_sync(void *context)
{
	struct run *run = context;

	loop_sync(run->loop);
}

static int control_plug(void *context, struct usbdev *device)
{
	struct run *run = context;

	return run->ops->plug(run->front, device);
}

static void control_unplug(void *context, struct usbdev *device)
{
	struct run *run = context;

	run->ops->unplug(run->front, device);
}

static unsigned control_address(void *context, struct usbdev *device)
{
	struct run *run = context;

	return run->ops->address(run->front, device);
}

/* Signals and the command. */

static void signal_arrived(void *context, int fd, uint32_t events)
{
	struct run *run = context;
	struct signal_seen seen;

	(void)events;
	while (signals_read(fd, &seen)) {
		int number = seen.number;

		if (run->command.pid) {
			if (seen.from_terminal) /* the command has it as well: it decides */
				continue;
			if (number == SIGTERM && ++run->terminated > 1)
				number = SIGKILL;
			say_event(run->say, "%s to the command", strsignal(number));
			command_signal(&run->command, number);
			continue;
		}
		say_event(run->say, "%s: ending", strsignal(number));
		/* A command that was not to be is no success. */
		if (*run->options->rest && !run->over)
			run->status = 128 + number;
		run->over = true;
	}
}

static int watch_signals(struct run *run)
{
	run->signals = signals_open();
	return run->signals < 0 ? run->signals : loop_watch(run->loop, run->signals, POLLIN, signal_arrived, run);
}

static void command_stirs(void *context, int fd, uint32_t events)
{
	struct run *run = context;
	int status;

	(void)events;
	if (!command_ended(&run->command))
		return;
	loop_unwatch(run->loop, fd);
	status = command_status(&run->command);
	run->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	run->over = true;
}

static int start_command(struct run *run)
{
	bool exec_failed;
	int r;

	if (!*run->options->rest)
		return 0;
	r = command_start(&run->command, run->options->rest, &run->descriptors, &exec_failed);
	if (!r)
		r = loop_watch(run->loop, run->command.ended, POLLIN, command_stirs, run);
	if (!r)
		return 0;
	say_error(run->say, "cannot run '%.150s': %s", run->options->rest[0], strerror(-r));
	run->status = !exec_failed ? EXIT_OURS : r == -ENOENT || r == -ENOTDIR ? 127 : 126;
	return r;
}

/* From front to end. */

static int plug_all(struct run *run)
{
	struct bench *bench = desk_bench(run->desk);
	uint64_t limit = bench_now_us(bench) + SETTLE_US;
	struct usbdev *device;
	bool denied;

	for (unsigned i = 0; (device = desk_device(run->desk, i, &denied)); i++) {
		int r = run->ops->plug(run->front, device);

		if (r) {
			say_error(run->say, "cannot plug in device %u: %s", i + 1, strerror(-r));
			return r;
		}
	}
	while (run->probed && bench_next_us(bench) <= limit)
		bench_advance(bench, bench_next_us(bench));
	return 0;
}

static int open_control(struct run *run)
{
	char why[CONTROL_WHY];

	if (!run->options->control)
		return 0;
	run->control_loop = (struct control_loop){ .watch = control_watch,
						   .sync = control_sync,
						   .plug = control_plug,
						   .unplug = control_unplug,
						   .address = control_address,
						   .context = run };
	run->control = control_new(run->desk, &run->control_loop, run->options->control, why);
	if (!run->control)
		say_error(run->say, "%s", why);
	return run->control ? 0 : -EINVAL;
}

/* A line for whoever waits for it, and what COMMAND finds in its environment. */
static int announce(struct run *run)
{
	char text[FRONT_WHY];

	run->ops->tell(run->front, text);
	setenv("DFUEMU_READY", text, 1);
	if (*run->options->rest)
		return 0;
	if (printf("ready: %s: %s\n", run->ops->name, text) >= 0 && !fflush(stdout))
		return 0;
	say_error(run->say, "cannot write to standard output: %s", strerror(errno));
	return -EIO;
}

static bool host_has_all(const struct run *run)
{
	struct usbdev *device;
	bool denied;

	for (unsigned i = 0; (device = desk_device(run->desk, i, &denied)); i++)
		if (device->attached && !run->ops->address(run->front, device))
			return false;
	return true;
}

/* Where the host is this machine's kernel, COMMAND is to find the boards: it starts when the kernel has enumerated all of
 * them. One that never is does not hold it up for ever. Boards may come and go meanwhile. */
static int wait_for_host(struct run *run)
{
	struct bench *bench = desk_bench(run->desk);
	uint64_t limit = bench_now_us(bench) + loop_bench_us(run->loop, HOST_US);

	while (run->ops->local && !run->over && bench_now_us(bench) < limit && !host_has_all(run)) {
		int r = loop_step(run->loop, HOST_POLL_MS);

		if (r)
			return r;
	}
	return 0;
}

/* 0 once it has been served to the end; else a failure that has been said. */
static int serve(struct run *run)
{
	char why[FRONT_WHY];
	int r;

	run->loop = loop_new(desk_bench(run->desk), run->options->scale, &r);
	if (!run->loop || (r = watch_signals(run))) {
		say_error(run->say, "cannot set up the loop: %s", strerror(-r));
		return r;
	}
	run->env = (struct front_env){ .bench = desk_bench(run->desk),
				       .loop = run->loop,
				       .warn = warn,
				       .note = note,
				       .probe = probe,
				       .context = run,
				       .addresses = &run->addresses };
	run->front = run->ops->open(&run->env, &run->options->front, why);
	if (!run->front) {
		say_error(run->say, "%s", why);
		return -EINVAL;
	}
	r = plug_all(run);
	if (r || (r = open_control(run)) || (r = announce(run)))
		return r;
	loop_start(run->loop);
	r = *run->options->rest ? wait_for_host(run) : 0;
	if (!r && !run->over)
		r = start_command(run);
	run->reached = !r || !run->status; /* a command that cannot be run has its status by now */
	while (!r && !run->over)
		r = loop_step(run->loop, -1);
	if (r && !run->status)
		say_error(run->say, "the loop has failed: %s", strerror(-r));
	return r;
}

static int run_front(const struct front_ops *ops, const struct options *options, struct say *say)
{
	struct run run = { .options = options, .ops = ops, .say = say, .signals = -1 };
	struct rlimit most;
	bool departed;
	int failed;

	signal(SIGPIPE, SIG_IGN); /* peers go at any time */
	signal(SIGXFSZ, SIG_IGN); /* EFBIG says it as well */
	getrlimit(RLIMIT_NOFILE, &run.descriptors);
	most = run.descriptors;
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
	run.desk = desk_new(options, say);
	if (!run.desk)
		return EXIT_OURS;
	desk_power_up(run.desk);
	failed = serve(&run);
	if (failed && run.command.pid) {
		command_signal(&run.command, SIGKILL);
		command_status(&run.command);
	}
	departed = !failed && desk_finish_replay(run.desk);
	control_free(run.control);
	if (run.front)
		ops->close(run.front);
	if (departed)
		run.status = EXIT_DEPARTED;
	if (failed && !run.status)
		run.status = EXIT_OURS;
	/* Boards that nobody could reach have not changed, and make no file. */
	if (run.reached && desk_save(run.desk) && !run.status)
		run.status = EXIT_OURS;
	desk_free(run.desk);
	loop_free(run.loop);
	signals_close(run.signals);
	return run.status;
}

static int refuse_front(const struct say *say, const char *word)
{
	const char *names[16] = { NULL };
	char all[160] = "";
	const char *near;

	for (size_t i = 0; fronts[i] && i < 15; i++) {
		names[i] = fronts[i]->name;
		strcat(all, i ? fronts[i + 1] ? ", " : " or " : "");
		strcat(all, names[i]);
	}
	near = word ? suggest_nearest(word, names) : NULL;
	if (near)
		say_error(say, "serve: unknown front '%.100s' (did you mean '%s'?)", word, near);
	else if (word)
		say_error(say, "serve: unknown front '%.100s': must be %s", word, all);
	else
		say_error(say, "serve: no front: must be %s", all);
	return EXIT_OURS;
}

static int parse_and_run(const struct front_ops *ops, int argc, char **argv)
{
	struct options *options = calloc(1, sizeof(*options));
	struct say say = { .stream = stderr };
	struct options_for of = { .where = where_of(ops), .room = ops->room };
	char name[32], why[OPTIONS_WHY];
	int r;

	if (!options) {
		say_error(&say, "%s", strerror(ENOMEM));
		return EXIT_OURS;
	}
	snprintf(name, sizeof(name), "serve %s", ops->name);
	of.name = name;
	r = options_parse(options, &of, argc, argv, why);
	say.level = options->level;
	if (r > 0) {
		help(of.where);
		r = 0;
	} else if (r < 0) {
		say_error(&say, "%s", why);
		r = EXIT_OURS;
	} else {
		r = run_front(ops, options, &say);
	}
	options_free(options);
	free(options);
	return r;
}

int serve_main(int argc, char **argv)
{
	const struct say say = { .stream = stderr };
	const struct front_ops *ops;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		serve_help();
		return 0;
	}
	ops = argc > 1 ? front_find(argv[1]) : NULL;
	if (!ops)
		return refuse_front(&say, argc > 1 ? argv[1] : NULL);
	if (ops->missing) {
		say_error(&say, "serve %s is not in this build: it was made without %s", ops->name, ops->missing);
		return EXIT_OURS;
	}
	return parse_and_run(ops, argc - 1, argv + 1);
}
