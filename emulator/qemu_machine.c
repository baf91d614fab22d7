// SPDX-License-Identifier: GPL-2.0-or-later
/* A process of QEMU, between two ends of a socket: its console. */
#include "qemu_machine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "signals.h"

/* Where the child finds the memories. */
#define FLASH_FD 3
#define RAM_FD 4

static void close_fd(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = -1;
}

/* As a file of no name, above those that the child has its own use for; or -errno. */
static int memory_file(const struct qemu_memory *m)
{
	int fd = memfd_create("dfuemu", MFD_CLOEXEC), high, error = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	for (size_t at = 0; at < m->length && !error; at += (size_t)(n < 0 ? 0 : n)) {
		n = write(fd, m->bytes + at, m->length - at);
		if (n < 0 && errno != EINTR)
			error = -errno;
	}
	high = error ? error : fcntl(fd, F_DUPFD_CLOEXEC, RAM_FD + 1);
	if (!error && high < 0)
		high = -errno;
	close(fd);
	return high;
}

struct ends {
	int flash, ram, console, errors; /* the child's */
};

static bool arrange(const struct ends *e)
{
	return dup2(e->console, 0) >= 0 && dup2(e->console, 1) >= 0 && dup2(e->errors, 2) >= 0 &&
	       dup2(e->flash, FLASH_FD) >= 0 && dup2(e->ram, RAM_FD) >= 0;
}

/* In a session of its own: keys of our terminal are not for it. */
static _Noreturn void become(char *const argv[], const struct ends *ends, pid_t parent)
{
	const struct rlimit none = { 0, 0 };
	sigset_t all_pass;

	setsid();
	if (!child_tie(parent) || !arrange(ends))
		_exit(127);
	syscall(SYS_close_range, RAM_FD + 1, ~0u, 0);
	setrlimit(RLIMIT_CORE, &none); /* a lock-up aborts it */
	signals_forget();
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigemptyset(&all_pass);
	sigprocmask(SIG_SETMASK, &all_pass, NULL);
	execvp(argv[0], argv);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(127);
}

static int run(struct qemu_machine *m, char *const argv[], const struct ends *ends)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int error = 0;

	/* No handler of ours is to run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	m->pid = fork();
	if (m->pid == 0)
		become(argv, ends, parent);
	if (m->pid < 0) {
		error = -errno;
		m->pid = 0;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* A pair of sockets, and one of which the child has the second. Both above what the child has its own use for. */
static int pair(int *ours, int *theirs)
{
	int ends[2], error = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	*ours = fcntl(ends[0], F_DUPFD_CLOEXEC, RAM_FD + 1);
	*theirs = *ours < 0 ? -1 : fcntl(ends[1], F_DUPFD_CLOEXEC, RAM_FD + 1);
	if (*theirs < 0 || fcntl(*ours, F_SETFL, O_NONBLOCK))
		error = -errno;
	close(ends[0]);
	close(ends[1]);
	return error;
}

static void forget(struct qemu_machine *m)
{
	close_fd(&m->console);
	close_fd(&m->errors);
	m->pid = 0;
}

int qemu_machine_start(struct qemu_machine *m, const struct qemu_memory *flash, const struct qemu_memory *ram,
		       uint32_t vector)
{
	char loader[80], table[48], kernel[] = "/proc/self/fd/3";
	/* Its USB, displays and network are nobody's here. A reset ends it: the board decides what comes after that. */
	char *argv[] = { QEMU_PROGRAM, "-M",      "netduinoplus2", "-nodefaults", "-display", "none",
			 "-monitor",   "none",    "-no-reboot",    "-serial",     "stdio",    "-kernel",
			 kernel,       "-device", loader,          NULL,          NULL,       NULL };
	struct ends ends = { -1, -1, -1, -1 };
	int r;

	forget(m);
	m->said_used = 0;
	m->said[0] = 0;
	_Static_assert(FLASH_FD == 3, "its name above");
	snprintf(loader, sizeof(loader), "loader,file=/proc/self/fd/%d,addr=0x%x,force-raw=on", RAM_FD, ram->address);
	if (vector != flash->address) { /* else VTOR is 0, as at reset */
		snprintf(table, sizeof(table), "armv7m.init-nsvtor=0x%x", vector);
		argv[15] = "-global";
		argv[16] = table;
	}
	r = ends.flash = memory_file(flash);
	if (r >= 0)
		r = ends.ram = memory_file(ram);
	if (r >= 0)
		r = pair(&m->console, &ends.console);
	if (r >= 0)
		r = pair(&m->errors, &ends.errors);
	if (r >= 0)
		r = run(m, argv, &ends);
	close_fd(&ends.flash);
	close_fd(&ends.ram);
	close_fd(&ends.console);
	close_fd(&ends.errors);
	if (r < 0)
		forget(m);
	return r < 0 ? r : 0;
}

void qemu_machine_kill(struct qemu_machine *m)
{
	if (m->pid > 0) {
		kill(m->pid, SIGKILL);
		while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	forget(m);
}

size_t qemu_machine_read(struct qemu_machine *m, uint8_t *bytes, size_t room)
{
	ssize_t n = m->console > 0 ? read(m->console, bytes, room) : 0;

	return n > 0 ? (size_t)n : 0;
}

size_t qemu_machine_write(struct qemu_machine *m, const uint8_t *bytes, size_t length)
{
	ssize_t n = m->pid > 0 ? send(m->console, bytes, length, MSG_NOSIGNAL) : 0;

	return n > 0 ? (size_t)n : 0;
}

static void hear_errors(struct qemu_machine *m)
{
	size_t most = sizeof(m->said) - 1;
	ssize_t n;

	while (m->errors > 0) {
		if (m->said_used == most) {
			m->said_used = most / 2;
			memmove(m->said, m->said + most - m->said_used, m->said_used);
		}
		n = read(m->errors, m->said + m->said_used, most - m->said_used);
		if (n <= 0)
			break;
		m->said_used += (size_t)n;
	}
	m->said[m->said_used] = 0;
}

bool qemu_machine_ended(struct qemu_machine *m)
{
	pid_t pid = m->pid > 0 ? waitpid(m->pid, &m->status, WNOHANG) : 0;

	hear_errors(m);
	/* Whoever waits for all children may have seen its end instead of us: then the process is over, too. */
	if (pid < 0 && errno == ECHILD)
		m->status = SIGKILL;
	else if (pid != m->pid || pid <= 0)
		return false;
	m->pid = 0;
	return true;
}
