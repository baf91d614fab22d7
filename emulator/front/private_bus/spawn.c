/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting the tool under the filter, with a guardian process between supervisor and tool. */
#include "spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "filter.h"

/* The first bytes that the tool's side sends: 0 with the listener as SCM_RIGHTS, or an errno. */
struct hello {
	int error;
	enum spawn_stage stage; /* that failed */
	pid_t tool;
};

static int send_hello(int socket, enum spawn_stage stage, int error, int fd)
{
	struct hello hello = { .error = error, .stage = stage, .tool = getpid() };
	struct iovec iov = { &hello, sizeof(hello) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *c = &control.header;

		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int receive_hello(int socket, struct hello *hello, int *fd)
{
	struct iovec iov = { hello, sizeof(*hello) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != sizeof(*hello))
		return -EPIPE;
	c = CMSG_FIRSTHDR(&message);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return 0;
}

static void default_signals(void)
{
	/* An ignored signal stays ignored over exec; the supervisor may ignore some for itself, but what the user's shell
	 * had ignored (nohup) cannot be told apart any more, except SIGHUP, which the supervisor never ignores. */
	static const int changed[] = { SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGXFSZ, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU };

	for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++)
		signal(changed[i], SIG_DFL);
}

/* A copy out of the way of what becomes a standard descriptor; -1 stays. */
static int above_standard(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int redirect(const int fds[3])
{
	int copies[3];

	/* All copies first: one may be given as the number of another. */
	for (int i = 0; i < 3; i++) {
		copies[i] = above_standard(fds[i]);
		if (fds[i] >= 0 && copies[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (copies[i] >= 0 && dup2(copies[i], i) < 0)
			return -errno;
	return 0; /* exec closes the copies */
}

static _Noreturn void fail(int socket, enum spawn_stage stage, int error)
{
	send_hello(socket, stage, error, -1);
	_exit(125);
}

static _Noreturn void run_tool(const struct spawn *s, const struct private_bus_tool *tool, int socket, int exec_pipe,
			       pid_t parent)
{
	int listener, error;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	default_signals();
	socket = above_standard(socket);
	exec_pipe = above_standard(exec_pipe);
	error = redirect(tool->fds);
	if (error || exec_pipe < 0)
		fail(socket, SPAWN_DESCRIPTORS, error ? -error : EMFILE);
	if (tool->folder && chdir(tool->folder))
		fail(socket, SPAWN_FOLDER, errno);
	listener = filter_install(s->syscalls, s->reserved_base, s->reserved_count, s->timed);
	if (listener < 0)
		fail(socket, SPAWN_FILTER, -listener);
	if (send_hello(socket, SPAWN_PROCESS, 0, listener))
		_exit(125);
	close(listener);
	close(socket);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	setrlimit(RLIMIT_NOFILE, &s->files); /* not earlier: the supervisor may have more open */
	if (tool->envp)
		environ = (char **)tool->envp;
	execvp(tool->argv[0], tool->argv);
	error = errno;
	if (write(exec_pipe, &error, sizeof(error)) != sizeof(error))
		_exit(125);
	_exit(error == ENOENT || error == ENOTDIR ? 127 : 126);
}

/* Direct children only: those of a killed child become ours, for we are the subreaper. */
static int kill_children(void)
{
	char path[64], text[4096], *at, *end;
	FILE *f;
	int killed = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(text, sizeof(text), f)) {
		for (at = text;; at = end) {
			long pid = strtol(at, &end, 10);

			if (end == at)
				break;
			if (pid > 1 && kill((pid_t)pid, SIGKILL) == 0)
				killed++;
		}
	}
	fclose(f);
	return killed;
}

static int end_all(pid_t tool, int *tool_status, bool count)
{
	int left = 0, status;
	pid_t pid;

	for (;;) {
		if (kill_children() < 0)
			kill(tool, SIGKILL);
		pid = waitpid(-1, &status, 0);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return left;
		if (pid == tool)
			*tool_status = status;
		else if (count)
			left += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
}

/* Keep nothing open that the tool's readers could wait for, and nothing of the supervisor's. */
static void guardian_descriptors(int lifeline, int signals)
{
	unsigned low = (unsigned)(lifeline < signals ? lifeline : signals);
	unsigned high = (unsigned)(lifeline < signals ? signals : lifeline);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (low > 3)
		syscall(SYS_close_range, 3, low - 1, 0);
	if (high > low + 1)
		syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0u, 0);
}

static _Noreturn void run_guardian(struct spawn *s, const struct private_bus_tool *what, int socket, int exec_pipe,
				   int lifeline)
{
	struct spawn_report report = { .status = 125 << 8 };
	bool tool_over = false, alone = false;
	pid_t self = getpid(), tool;
	sigset_t all;
	int signals;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	tool = signals < 0 ? -1 : fork();
	if (tool == 0)
		run_tool(s, what, socket, exec_pipe, self);
	if (tool < 0)
		fail(socket, SPAWN_PROCESS, errno);
	prctl(PR_SET_NAME, "dfuemu-guardian", 0, 0, 0);
	guardian_descriptors(lifeline, signals);
	while (!tool_over && !alone) {
		struct pollfd fds[2] = { { .fd = lifeline, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
		struct signalfd_siginfo info;
		int status;
		pid_t pid;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		alone = fds[0].revents != 0; /* the supervisor never writes: it has ended, or wants an end */
		while (read(signals, &info, sizeof(info)) == sizeof(info))
			continue;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
			if (pid == tool) {
				report.status = status;
				tool_over = true;
			}
		}
	}
	if (!tool_over)
		kill(tool, SIGKILL);
	report.left_behind = end_all(tool, &report.status, tool_over);
	if (send(lifeline, &report, sizeof(report), MSG_NOSIGNAL) < 0 && s->orphaned)
		s->orphaned(s->context);
	_exit(0);
}

/* How many seccomp filters a process is under; -1: it is gone, or the kernel does not tell (before 5.9). */
static int filters_of(pid_t pid)
{
	char path[64], line[128];
	int count = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && count < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Seccomp_filters: %d", &count);
	if (f)
		fclose(f);
	return count;
}

/* One child of this process that is under more filters than we are, that is, under ours; 0: none. */
static pid_t filtered_child(int ours)
{
	char path[64];
	struct dirent *entry;
	DIR *tasks = opendir("/proc/self/task");
	pid_t found = 0;
	long pid;
	FILE *f;

	while (tasks && !found && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/children", entry->d_name);
		f = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (f && !found && fscanf(f, "%ld", &pid) == 1)
			if (filters_of((pid_t)pid) > ours)
				found = (pid_t)pid;
		if (f)
			fclose(f);
	}
	if (tasks)
		closedir(tasks);
	return found;
}

/* The guardian was killed. The tool goes with it (PR_SET_PDEATHSIG), but not what the tool has started: that has become
 * ours, the next subreaper's. The caller may have children of its own, which run under no filter of ours. */
static void end_orphans(void)
{
	int ours = filters_of(getpid());
	pid_t pid;

	while (ours >= 0 && (pid = filtered_child(ours)) > 0) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int spawn_start(struct spawn *s, const struct private_bus_tool *tool, enum spawn_stage *stage)
{
	int hello[2] = { -1, -1 }, life[2] = { -1, -1 }, result[2] = { -1, -1 }, err = 0;
	struct hello greeting = { 0 };

	s->guardian = s->tool = 0;
	s->listener = s->lifeline = s->exec_pipe = s->tool_fd = -1;
	*stage = SPAWN_PROCESS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, hello) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life) || pipe2(result, O_CLOEXEC)) {
		err = -errno;
		goto out;
	}
	fflush(NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* for end_orphans() */
	s->guardian = fork();
	if (s->guardian < 0) {
		err = -errno;
		s->guardian = 0;
		goto out;
	}
	if (s->guardian == 0) {
		close(hello[0]);
		close(life[0]);
		close(result[0]);
		run_guardian(s, tool, hello[1], result[1], life[1]);
	}
	s->lifeline = life[0];
	life[0] = -1;
	s->exec_pipe = result[0];
	result[0] = -1;
	close_fd(&hello[1]);
	err = receive_hello(hello[0], &greeting, &s->listener);
	if (!err && greeting.error) {
		err = -greeting.error;
		*stage = greeting.stage;
	}
	s->tool = greeting.tool;
	if (!err) {
		s->tool_fd = (int)syscall(SYS_pidfd_open, s->tool, 0);
		err = s->tool_fd < 0 && errno != ESRCH ? -errno : 0;
	}
	if (err)
		spawn_end(s);
out:
	for (int i = 0; i < 2; i++) {
		close_fd(&hello[i]);
		close_fd(&life[i]);
		close_fd(&result[i]);
	}
	return err;
}

void spawn_tool_ended(const struct spawn *s)
{
	if (s->guardian > 0)
		kill(s->guardian, SIGCONT);
}

void spawn_end(struct spawn *s)
{
	int status = 0;

	if (s->lifeline >= 0)
		shutdown(s->lifeline, SHUT_WR); /* the guardian takes it as our end, yet we can still hear its report */
	close_fd(&s->exec_pipe);
	close_fd(&s->tool_fd);
	if (s->guardian > 0) {
		kill(s->guardian, SIGCONT); /* as the tool may have stopped it */
		while (waitpid(s->guardian, &status, 0) < 0 && errno == EINTR)
			continue;
		if (WIFSIGNALED(status))
			end_orphans();
	}
	s->guardian = 0;
	close_fd(&s->listener); /* not earlier: the tool's calls would fail (ENOSYS), and it go on for a moment */
	close_fd(&s->lifeline);
}
