// SPDX-License-Identifier: GPL-2.0-or-later
/* Tools that are built strangely, and must be served nevertheless: strange closefrom | dup | paths | uring | daemon PIDFILE */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "dfuse_raw.h"

#define NODE "/dev/bus/usb/001/002"

static int control(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	struct usbdevfs_ctrltransfer c = { type, request, value, 0, length, TIMEOUT_MS, data };
	int r = ioctl(*(int *)device, USBDEVFS_CONTROL, &c);

	return r < 0 ? -errno : r;
}

static int open_node(void)
{
	int fd = open(NODE, O_RDWR);

	if (fd < 0)
		die(NODE, errno);
	return fd;
}

static void use(int fd)
{
	struct dfuse d = { control, &fd };
	unsigned interface = 0;

	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface))
		die("cannot claim the interface", errno);
	dfuse_to_idle(&d);
	if (ioctl(fd, USBDEVFS_RELEASEINTERFACE, &interface))
		die("cannot release the interface", errno);
}

static void close_from(void)
{
	unsigned interface = 0;
	int fd = open_node();

	/* The interface becomes free with it, without any close(2). */
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface))
		die("cannot claim the interface", errno);
	if (syscall(SYS_close_range, 3, ~0u, 0))
		die("close_range", errno);
	use(open_node());
}

static void duplicate(void)
{
	int fd = open_node(), low = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 200), fixed;

	use(low);
	fixed = dup2(fd, 100);
	close(fd);
	use(low);
	use(high);
	use(fixed);
	close(low);
	close(high);
	use(fixed);
}

static void expect(const char *call, const char *what, long r, int want)
{
	int got = r < 0 ? errno : 0;

	printf("%s of %s: %d\n", call, what, got);
	if (got != want)
		die("another error was expected", want);
}

static void try_all(const char *what, const char *path, int want)
{
	char text[64];
	struct statfs fs;
	struct stat st;
	long fd;

	/* By number: the C library must not look at the string first. */
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	expect("open", what, fd, want);
	if (fd >= 0)
		close((int)fd);
	expect("stat", what, syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0), want);
	expect("access", what, syscall(SYS_faccessat, AT_FDCWD, path, R_OK), want);
	expect("statfs", what, syscall(SYS_statfs, path, &fs), want);
	if (want)
		expect("readlink", what, syscall(SYS_readlinkat, AT_FDCWD, path, text, sizeof(text)), want);
}

static void paths(void)
{
	static char long_path[2 * PATH_MAX];
	long page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = pages + page - sizeof(NODE);
	struct stat st;

	if (pages == MAP_FAILED || munmap(pages + page, (size_t)page))
		die("mmap", errno);
	strcpy(end, NODE);
	try_all("a path at the end of a page", end, 0);
	try_all("a path that runs out of its page", memcpy(pages + page - 12, "/dev/bus/usb", 12), EFAULT);
	try_all("NULL", NULL, EFAULT);
	try_all("an unmapped pointer", pages + page, EFAULT);
	try_all("an empty path", "", ENOENT);
	memset(long_path, '/', sizeof(long_path) - 1);
	memcpy(long_path, "/dev/bus/usb", 12);
	try_all("a path of 8191 characters", long_path, ENAMETOOLONG);
	long_path[PATH_MAX] = 0;
	try_all("a path of 4096 characters", long_path, ENAMETOOLONG);
	long_path[PATH_MAX - 1] = 0;
	try_all("a path of 4095 characters", long_path, 0);
	expect("stat into nowhere", NODE, syscall(SYS_newfstatat, AT_FDCWD, NODE, pages + page, 0), EFAULT);
	expect("open of a node as directory", NODE, open(NODE, O_RDONLY | O_DIRECTORY), ENOTDIR);
	expect("open of", NODE "/x", open(NODE "/x", O_RDONLY), ENOTDIR);
	expect("open of", "a device that is not there", open("/dev/bus/usb/001/099", O_RDWR), ENOENT);
	expect("stat of", "/dev/../dev//bus/./usb/001/002", stat("/dev/../dev//bus/./usb/001/002", &st), 0);
}

static void uring(void)
{
	char parameters[256] = "";

	expect("io_uring_setup", "8 entries", syscall(425, 8, parameters), ENOSYS);
	use(open_node());
}

/* Ends at once; what it has started goes on in a session of its own, with a handle open. */
static void daemonise(const char *pid_file)
{
	pid_t pid = fork();
	FILE *f;

	if (pid)
		_exit(pid < 0);
	setsid();
	pid = fork();
	if (pid)
		_exit(pid < 0);
	use(open_node());
	f = fopen(pid_file, "w");
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && !strcmp(argv[1], "daemon"))
		daemonise(argv[2]);
	else if (argc != 2)
		die("usage", argc);
	else if (!strcmp(argv[1], "closefrom"))
		close_from();
	else if (!strcmp(argv[1], "dup"))
		duplicate();
	else if (!strcmp(argv[1], "paths"))
		paths();
	else if (!strcmp(argv[1], "uring"))
		uring();
	else
		die("usage", argc);
	puts("done");
	return 0;
}
