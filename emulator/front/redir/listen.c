// SPDX-License-Identifier: GPL-2.0-or-later
/* Unix sockets by name. */
#include "listen.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *address)
{
	if (!*path || strlen(path) > LISTEN_PATH_MOST)
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(address->sun_path, path);
	return 0;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int connect_to(const char *path)
{
	struct sockaddr_un address;
	int fd, r = address_of(path, &address);

	if (r)
		return r;
	fd = open_socket();
	if (fd < 0 || !connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	r = -errno;
	close(fd);
	return r;
}

/* 0, also when it was stale and is gone; or -errno. */
static int make_way(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = connect_to(path);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int listener_open(struct listener *l, const char *path)
{
	struct sockaddr_un address;
	struct stat st;
	int r = address_of(path, &address);

	l->fd = -1;
	if (!r)
		r = make_way(path);
	if (r)
		return r;
	l->fd = open_socket();
	if (l->fd < 0)
		return l->fd;
	/* The mode of the socket becomes that of the file. */
	if (fchmod(l->fd, 0600) || bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(l->fd, 16) || lstat(path, &st)) {
		r = -errno;
		close(l->fd);
		l->fd = -1;
		return r;
	}
	strcpy(l->path, path);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return 0;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	/* Unless somebody has put his own there meanwhile. */
	if (!lstat(l->path, &st) && st.st_dev == l->device && st.st_ino == l->inode)
		unlink(l->path);
	close(l->fd);
	l->fd = -1;
}

int listener_accept(const struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}
