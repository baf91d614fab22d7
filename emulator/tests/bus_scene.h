/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A private bus with one board, and tools on it whose output is heard, for tests. */
#ifndef DFUBENCH_TESTS_BUS_SCENE_H
#define DFUBENCH_TESTS_BUS_SCENE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "mcu.h"
#include "private_bus.h"

#define SECOND UINT64_C(1000000)
#define FOUND "Found DFU: [0483:df11]"
#define IMAGE_BYTES 3000u
#define WALL_SECONDS 30 /* no tool of these tests takes that long */

struct scene {
	struct bench *bench;
	struct mcu *mcu;
	struct private_bus *bus;
	int port;
	int output[2]; /* of tools; -1: closed */
	char said[8192], warned[512];
	size_t length;
	char folder[64], tree[80], image[80];
	uint8_t bytes[IMAGE_BYTES];
	unsigned descriptors; /* open before it all */
};

/* --- the scene --- */

static inline unsigned entries(const char *path)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *d = opendir(path);

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static inline void warn(void *context, const char *line)
{
	struct scene *s = context;

	snprintf(s->warned, sizeof(s->warned), "%s", line);
}

static inline void write_image(struct scene *s)
{
	static const uint8_t vectors[8] = { 0x00, 0x00, 0x02, 0x20, 0x89, 0x01, 0x00, 0x08 };
	FILE *f = fopen(s->image, "w");

	for (size_t i = 0; i < IMAGE_BYTES; i++)
		s->bytes[i] = (uint8_t)(i * 7);
	memcpy(s->bytes, vectors, sizeof(vectors));
	assert_non_null(f);
	assert_int_equal(fwrite(s->bytes, 1, IMAGE_BYTES, f), IMAGE_BYTES);
	fclose(f);
}

static inline void boot_rom(struct scene *s)
{
	mcu_set_pin(s->mcu, PIN_BOOT0, true);
	mcu_set_pin(s->mcu, PIN_NRST, false);
	assert_int_equal(private_bus_skip(s->bus, bench_now_us(s->bench) + 50000), 0);
	mcu_set_pin(s->mcu, PIN_NRST, true);
}

static inline bool is_listed(void *context)
{
	const struct scene *s = context;

	return private_bus_address(s->bus, s->port) != 0;
}

static inline bool is_gone(void *context)
{
	return !is_listed(context);
}

static inline void open_scene(struct scene *s, enum private_bus_time time, double scale)
{
	const struct private_bus_options options = {
		.time = time, .scale = scale, .warn = warn, .context = s, .tree_folder = s->tree
	};
	char why[PRIVATE_BUS_ERROR] = "";

	memset(s, 0, sizeof(*s));
	s->descriptors = entries("/proc/self/fd");
	snprintf(s->folder, sizeof(s->folder), "/tmp/test-private-bus-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->tree, sizeof(s->tree), "%s/tree", s->folder);
	snprintf(s->image, sizeof(s->image), "%s/image", s->folder);
	assert_int_equal(mkdir(s->tree, 0700), 0);
	write_image(s);
	s->bench = bench_new(1);
	s->mcu = mcu_new(s->bench, mcu_profile_find("f407"),
			 &(struct mcu_identity){ { 0x002e0040, 0x30365105, 0x32343735 } });
	s->output[0] = s->output[1] = -1;
	s->bus = private_bus_new(s->bench, &options, why);
	assert_string_equal(why, "");
	s->port = private_bus_add(s->bus, mcu_usb(s->mcu), false);
	assert_int_equal(s->port, 1);
	mcu_set_pin(s->mcu, PIN_VBUS, true);
	mcu_set_pin(s->mcu, PIN_BOOT0, true);
	mcu_set_pin(s->mcu, PIN_VDD, true);
	assert_int_equal(private_bus_wait(s->bus, is_listed, s, 30 * SECOND), 1);
}

/* Nothing is left: no descriptors, no processes, no folders. */
static inline void close_scene(struct scene *s)
{
	private_bus_free(s->bus);
	mcu_free(s->mcu);
	bench_free(s->bench);
	assert_int_equal(entries(s->tree), 0);
	assert_int_equal(unlink(s->image), 0);
	assert_int_equal(rmdir(s->tree), 0);
	assert_int_equal(rmdir(s->folder), 0);
	assert_int_equal(entries("/proc/self/fd"), s->descriptors);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- tools --- */

static inline void hear(void *context, int fd)
{
	struct scene *s = context;
	ssize_t n = read(fd, s->said + s->length, sizeof(s->said) - 1 - s->length);

	if (n > 0) {
		s->length += (size_t)n;
		return;
	}
	private_bus_watch(s->bus, fd, NULL, NULL);
	close(fd);
	s->output[0] = -1;
}

static inline int start(struct scene *s, const struct private_bus_tool *tool)
{
	struct private_bus_tool with_output = *tool;
	char why[PRIVATE_BUS_ERROR] = "";
	int err;

	memset(s->said, 0, sizeof(s->said));
	s->length = 0;
	s->warned[0] = 0;
	assert_int_equal(pipe2(s->output, O_CLOEXEC), 0);
	with_output.fds[1] = with_output.fds[2] = s->output[1];
	assert_int_equal(private_bus_watch(s->bus, s->output[0], hear, s), 0);
	err = private_bus_start(s->bus, &with_output, why);
	close(s->output[1]);
	if (err)
		snprintf(s->said, sizeof(s->said), "%s", why);
	return err;
}

/* Its wait status; the test fails if it does not end by itself. */
static inline int finish(struct scene *s)
{
	time_t limit = time(NULL) + WALL_SECONDS;
	int r;

	while ((r = private_bus_step(s->bus, 1000)) > 0) {
		if (time(NULL) > limit) {
			private_bus_signal(s->bus, SIGKILL);
			print_error("the tool hangs\n");
		}
	}
	assert_int_equal(r, 0);
	while (s->output[0] >= 0)
		hear(s, s->output[0]);
	return private_bus_status(s->bus);
}

static inline int run(struct scene *s, const char *const argv[])
{
	const struct private_bus_tool tool = { .argv = (char *const *)argv, .fds = PRIVATE_BUS_INHERITED };
	int err = start(s, &tool);

	if (err) {
		while (s->output[0] >= 0)
			hear(s, s->output[0]);
		return err;
	}
	return finish(s);
}

static inline int shell(struct scene *s, const char *script)
{
	return run(s, (const char *const[]){ "sh", "-c", script, NULL });
}

static inline int list(struct scene *s)
{
	return run(s, (const char *const[]){ "dfu-util", "-l", NULL });
}

static inline int download(struct scene *s, const char *where)
{
	return run(s, (const char *const[]){ "dfu-util", "-a", "0", "-s", where, "-D", s->image, NULL });
}

static inline bool finds_board(const struct scene *s)
{
	return strstr(s->said, FOUND) != NULL;
}

#endif
