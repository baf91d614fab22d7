// SPDX-License-Identifier: GPL-2.0-or-later
/* Boards, a bus, a tool on it; and its exit status for ours. */
#include "exec.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "control.h"
#include "desk.h"
#include "options.h"
#include "private_bus.h"
#include "replay.h"
#include "say.h"
#include "signals.h"

/* Enumeration of a full bus takes that long at most; then the tool starts with what there is. */
#define SETTLE_US 30000000u

const struct options_for exec_options = { FOR_EXEC, "exec", PRIVATE_BUS_PORTS };
const struct options_for replay_options = { FOR_REPLAY, "replay", PRIVATE_BUS_PORTS };

struct run {
	const struct options *options;
	struct say *say;
	struct desk *desk;
	struct private_bus *bus;
	struct usbdev *plugged[PRIVATE_BUS_PORTS + 1]; /* by port */
	struct control *control;
	struct control_loop loop; /* of control */
	int signals;              /* of signals_open(); -1: none */
	unsigned terminated;      /* SIGTERMs seen */
};

void exec_help(void)
{
	puts("usage: dfuemu exec [OPTIONS] [--] TOOL [ARG...]\n"
	     "\n"
	     "Run TOOL on a USB bus of its own with the board plugged in. Exit status: TOOL's own; 125 when dfuemu\n"
	     "itself failed, 126 when TOOL could not be run, 127 when it was not found.\n");
	options_help(stdout, FOR_EXEC);
}

void replay_help(void)
{
	puts("usage: dfuemu replay [OPTIONS] CAPTURE [OPTIONS] [--] TOOL [ARG...]\n"
	     "\n"
	     "Run TOOL on a USB bus of its own on which the devices do what they did in CAPTURE. Exit status: TOOL's "
	     "own,\n"
	     "but 1 when its requests were not those of the recording; 125 when dfuemu itself failed, 126 when TOOL "
	     "could\n"
	     "not be run, 127 when it was not found.\n");
	options_help(stdout, FOR_REPLAY);
}

static void warn(void *context, const char *line)
{
	const struct run *run = context;

	say_warning(run->say, "%s", line);
}

static void listed(void *context, struct usbdev *device)
{
	const struct run *run = context;

	desk_listed(run->desk, device);
}

static void signal_arrived(void *context, int fd)
{
	struct run *run = context;
	struct signal_seen seen;

	while (signals_read(fd, &seen)) {
		int number = seen.number;

		if (seen.from_terminal) /* the tool has it as well: it decides */
			continue;
		if (number == SIGTERM && ++run->terminated > 1)
			number = SIGKILL;
		say_event(run->say, "%s to the tool", strsignal(number));
		private_bus_signal(run->bus, number);
	}
}

static int watch_signals(struct run *run)
{
	run->signals = signals_open();
	return run->signals < 0 ? run->signals : private_bus_watch(run->bus, run->signals, signal_arrived, run);
}

static int plug(struct run *run, struct usbdev *device, bool denied)
{
	int port = private_bus_add(run->bus, device, denied);

	if (port < 0)
		return port;
	run->plugged[port] = device;
	return 0;
}

static int port_of(const struct run *run, const struct usbdev *device)
{
	for (int port = 1; port <= PRIVATE_BUS_PORTS; port++)
		if (run->plugged[port] == device)
			return port;
	return 0;
}

/* A tool of many processes costs us descriptors of each. Not before it has started: it inherits the limit. */
static void more_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int plug_all(struct run *run)
{
	struct usbdev *device;
	bool denied;

	for (unsigned i = 0; (device = desk_device(run->desk, i, &denied)); i++) {
		int r = plug(run, device, denied);

		if (r)
			return r;
	}
	private_bus_settle(run->bus, SETTLE_US);
	return 0;
}

/* What the control socket asks of the bus. */

static int control_watch(void *context, int fd, void (*ready)(void *, int), void *ready_context)
{
	struct run *run = context;

	return private_bus_watch(run->bus, fd, ready, ready_context);
}

static void control_sync(void *context)
{
	struct run *run = context;

	private_bus_sync(run->bus);
}

static int control_plug(void *context, struct usbdev *device)
{
	return plug(context, device, false);
}

static void control_unplug(void *context, struct usbdev *device)
{
	struct run *run = context;
	int port = port_of(run, device);

	private_bus_remove(run->bus, port);
	run->plugged[port] = NULL;
}

static unsigned control_address(void *context, struct usbdev *device)
{
	struct run *run = context;

	return (unsigned)private_bus_address(run->bus, port_of(run, device));
}

/* The bus from making to end. 0 with the tool's wait status; else an exit status for a failure that has been said. */
static int serve(struct run *run, int *status)
{
	struct private_bus_options options = { .time = run->options->time,
					       .scale = run->options->scale,
					       .warn = warn,
					       .listed = listed,
					       .context = run,
					       /* A recording has no answers for a driver of ours. */
					       .no_terminals = run->options->no_tty || run->options->replay };
	struct private_bus_counts counts;
	char why[PRIVATE_BUS_ERROR];
	int r;

	run->bus = private_bus_new(desk_bench(run->desk), &options, why);
	if (!run->bus) {
		say_error(run->say, "%s", why);
		return EXIT_OURS;
	}
	/* From here on: the tool is to have the mask that private_bus_new() saw. */
	r = watch_signals(run);
	if (!r)
		r = plug_all(run);
	if (r) {
		say_error(run->say, "cannot set up the bus: %s", strerror(-r));
		return EXIT_OURS;
	}
	if (run->options->control) {
		char mistake[CONTROL_WHY];

		run->loop = (struct control_loop){ .watch = control_watch,
						   .sync = control_sync,
						   .plug = control_plug,
						   .unplug = control_unplug,
						   .address = control_address,
						   .context = run,
						   .lists = true };
		run->control = control_new(run->desk, &run->loop, run->options->control, mistake);
		if (!run->control) {
			say_error(run->say, "%s", mistake);
			return EXIT_OURS;
		}
	}
	if (private_bus_spawn(run->bus, run->options->rest, why)) {
		int failed = private_bus_exec_failed(run->bus);

		say_error(run->say, "%s", why);
		return failed ? failed : EXIT_OURS;
	}
	more_descriptors();
	do
		r = private_bus_step(run->bus, -1);
	while (r > 0);
	private_bus_counts(run->bus, &counts);
	say_event(run->say, "%llu calls answered, %llu transfers", (unsigned long long)counts.calls,
		  (unsigned long long)counts.transfers);
	if (r < 0) {
		say_error(run->say, "the private bus has failed, the tool was killed: %s", strerror(-r));
		*status = EXIT_OURS << 8;
		return 0;
	}
	*status = private_bus_status(run->bus);
	return 0;
}

/* End as the tool did, so that our parent sees the same. */
static int die_by(int number)
{
	struct rlimit none = { 0, 0 };
	sigset_t set;

	setrlimit(RLIMIT_CORE, &none); /* the tool's core is the one that matters */
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	return 128 + number;
}

static int run_tool(const struct options *options, struct say *say)
{
	struct run run = { .options = options, .say = say, .signals = -1 };
	int status = 0, failed, result;
	bool departed;

	/* stderr may be a pipe whose reader goes first: the boards are to be saved all the same. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG says it as well */
	run.desk = desk_new(options, say);
	if (!run.desk)
		return EXIT_OURS;
	desk_power_up(run.desk);
	failed = serve(&run, &status);
	departed = !failed && desk_finish_replay(run.desk);
	control_free(run.control);
	private_bus_free(run.bus);
	/* A tool that never ran has changed nothing, and makes no file. */
	if (failed)
		result = failed;
	else
		result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (departed)
		result = EXIT_DEPARTED;
	if (!failed && desk_save(run.desk) && !result)
		result = EXIT_OURS;
	desk_free(run.desk);
	signals_close(run.signals);
	if (!failed && !departed && WIFSIGNALED(status))
		return die_by(WTERMSIG(status));
	return result;
}

/* r: of parsing. The exit status. */
static int run_parsed(struct options *options, int r, const char *why, void (*help)(void), const char *usage)
{
	struct say say = { .stream = stderr, .level = options->level };

	if (r > 0) {
		help();
		return 0;
	}
	if (!r && *options->rest)
		return run_tool(options, &say);
	if (r)
		say_error(&say, "%s", why);
	else
		say_error(&say, "%s: no tool to run: %s", options->of->name, usage);
	return EXIT_OURS;
}

int exec_main(int argc, char **argv)
{
	struct options *options = calloc(1, sizeof(*options));
	const struct say say = { .stream = stderr };
	char why[OPTIONS_WHY];
	int r;

	if (!options) {
		say_error(&say, "%s", strerror(ENOMEM));
		return EXIT_OURS;
	}
	r = options_parse(options, &exec_options, argc, argv, why);
	r = run_parsed(options, r, why, exec_help, "dfuemu exec [OPTIONS] [--] TOOL [ARG...]");
	options_free(options);
	free(options);
	return r;
}

int replay_main(int argc, char **argv)
{
	static const char usage[] = "dfuemu replay CAPTURE [OPTIONS] [--] TOOL [ARG...]";
	struct options *options = calloc(1, sizeof(*options));
	const struct say say = { .stream = stderr };
	char why[OPTIONS_WHY];
	int r;

	if (!options) {
		say_error(&say, "%s", strerror(ENOMEM));
		return EXIT_OURS;
	}
	r = options_parse_word(options, &replay_options, argc, argv, &options->replay, why);
	if (!r && !options->replay) {
		snprintf(why, sizeof(why), "replay: no capture to replay: %s", usage);
		r = -EINVAL;
	}
	r = run_parsed(options, r, why, replay_help, usage);
	options_free(options);
	free(options);
	return r;
}
