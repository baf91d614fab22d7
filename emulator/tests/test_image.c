// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of a board: locking, loading, saving whole or not at all; in a folder of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>
#include "image.h"
#include "numbered.h"
#include "prng.h"
#include "profile.h"
#include "savefile.h"

static int enter_folder(void **state)
{
	char *folder = strdup("/tmp/dfubench-image-XXXXXX");

	*state = folder;
	return !folder || !mkdtemp(folder) || chdir(folder) ? -1 : 0;
}

static int leave_folder(void **state)
{
	char command[128];
	int r;

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	r = chdir("/") || system(command);
	free(*state);
	return r;
}

static void put(const char *path, const void *data, size_t length)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, length, f), length);
	assert_int_equal(fclose(f), 0);
}

static size_t get(const char *path, uint8_t *data, size_t room)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(data, 1, room, f);
	fclose(f);
	return n;
}

/* Nothing is left beside the files: no temporary, no lock. */
static unsigned entries(void)
{
	DIR *d = opendir(".");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static struct flash *blank(void)
{
	struct prng prng = { 1 };
	struct flash *flash = flash_new(mcu_profile_find("f407"), &prng);

	assert_non_null(flash);
	return flash;
}

static struct image *open_image(const char *path, struct flash *flash, char note[SAVEFILE_WHY], char why[SAVEFILE_WHY])
{
	why[0] = 0;
	return image_open(path, flash, 0x08000000, note, why);
}

static void a_missing_image_is_created_erased(void **state)
{
	struct flash *flash = blank();
	char note[SAVEFILE_WHY], why[SAVEFILE_WHY];
	struct image *image = open_image("new.bin", flash, note, why);
	uint8_t *data = malloc(2 << 20);

	(void)state;
	assert_non_null(image);
	assert_string_equal(note, "");
	assert_int_not_equal(access("new.bin", F_OK), 0);
	assert_int_equal(image_save(image, why), 0);
	image_close(image);
	assert_int_equal(get("new.bin", data, 2 << 20), 1 << 20);
	for (size_t i = 0; i < 1 << 20; i++)
		assert_int_equal(data[i], 0xff);
	assert_int_equal(entries(), 1);
	free(data);
	flash_free(flash);
}

static void a_short_image_is_flash_with_the_rest_erased(void **state)
{
	struct flash *flash = blank();
	char note[SAVEFILE_WHY], why[SAVEFILE_WHY];
	struct image *image;
	uint8_t b[8];

	(void)state;
	put("short.bin", "abc", 3);
	image = open_image("short.bin", flash, note, why);
	assert_non_null(image);
	assert_string_equal(note, "'short.bin' has 3 bytes: the other 1048573 of flash are erased");
	assert_int_equal(flash_read(flash, 0x08000000, b, 4), 0);
	assert_memory_equal(b, "abc\xff", 4);
	assert_int_equal(image_save(image, why), 0);
	assert_int_equal(get("short.bin", b, sizeof(b)), 3); /* nothing changed, nothing written */
	image_close(image);
	flash_free(flash);
}

static void changes_are_saved_and_the_mode_is_kept(void **state)
{
	struct flash *flash = blank();
	char note[SAVEFILE_WHY], why[SAVEFILE_WHY];
	struct image *image;
	struct stat st;
	uint8_t b[4];

	(void)state;
	put("a.bin", "abc", 3);
	assert_int_equal(chmod("a.bin", 0640), 0);
	image = open_image("a.bin", flash, note, why);
	assert_int_equal(flash_load(flash, 1, (const uint8_t *)"X", 1), 0);
	assert_int_equal(image_save(image, why), 0);
	assert_int_equal(stat("a.bin", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, 1 << 20);
	get("a.bin", b, 4);
	assert_memory_equal(b, "aXc\xff", 4);
	assert_int_equal(flash_load(flash, 2, (const uint8_t *)"Y", 1), 0);
	assert_int_equal(image_save(image, why), 0); /* and again */
	get("a.bin", b, 4);
	assert_memory_equal(b, "aXY\xff", 4);
	image_close(image);
	assert_int_equal(entries(), 1);
	flash_free(flash);
}

static void an_oversized_image_is_refused_with_both_sizes(void **state)
{
	struct flash *flash = blank();
	char note[SAVEFILE_WHY], why[SAVEFILE_WHY];

	(void)state;
	put("big.bin", "", 0);
	assert_int_equal(truncate("big.bin", (1 << 20) + 1), 0);
	assert_null(open_image("big.bin", flash, note, why));
	assert_string_equal(why, "'big.bin' has 1048577 bytes, more than the 1048576 bytes of flash");
	flash_free(flash);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	char why[SAVEFILE_WHY];
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	static const struct {
		const char *give, *want;
	} cases[] = {
		{ "folder", "'folder' is a directory, not a regular file" },
		{ "fifo", "'fifo' is a FIFO, not a regular file" },
		{ "socket", "'socket' is a socket, not a regular file" },
		{ "/dev/null", "'/dev/null' is a device, not a regular file" },
		{ "folder/", "'folder/' is not the name of a file" },
		{ "none/x", "cannot open 'none/x': No such file or directory" },
		{ "loop", "cannot open 'loop': Too many levels of symbolic links" },
		{ "", "the name of a file is empty" },
	};

	(void)state;
	assert_int_equal(mkdir("folder", 0777), 0);
	assert_int_equal(mkfifo("fifo", 0666), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(bind(s, (struct sockaddr *)&name, sizeof(name)), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(savefile_open(cases[i].give, why));
		assert_string_equal(why, cases[i].want);
	}
	close(s);
}

static void a_file_has_one_board_at_a_time(void **state)
{
	char why[SAVEFILE_WHY];
	struct savefile *a;

	(void)state;
	put("a", "1", 1);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(symlink("new", "link-to-new"), 0);
	a = savefile_open("a", why);
	assert_non_null(a);
	assert_null(savefile_open("link", why));
	assert_non_null(strstr(why, "'link' is in use by another board"));
	/* Saving puts a new file there; the lock has gone with it. */
	assert_int_equal(savefile_save(a, (const uint8_t *)"2", 1, why), 0);
	assert_null(savefile_open("a", why));
	savefile_close(a);
	a = savefile_open("a", why);
	assert_non_null(a);
	savefile_close(a);

	a = savefile_open("new", why); /* missing: the name is taken all the same */
	assert_non_null(a);
	assert_null(savefile_open("new", why));
	assert_null(savefile_open("link-to-new", why));
	assert_int_equal(savefile_save(a, (const uint8_t *)"2", 1, why), 0);
	assert_null(savefile_open("new", why));
	savefile_close(a);
	assert_int_equal(entries(), 4);
}

static void a_lock_that_a_killed_process_left_does_not_hold(void **state)
{
	char why[SAVEFILE_WHY];
	struct savefile *a;

	(void)state;
	put(".a.lock", "", 0);
	a = savefile_open("a", why);
	assert_non_null(a);
	savefile_close(a);
	assert_int_equal(entries(), 0);
}

static void a_symbolic_link_stays_one(void **state)
{
	char why[SAVEFILE_WHY], b[4];
	struct stat st;
	struct savefile *f;

	(void)state;
	assert_int_equal(mkdir("folder", 0777), 0);
	assert_int_equal(symlink("folder/target", "link"), 0);
	for (int i = 0; i < 2; i++) { /* first with its target missing */
		f = savefile_open("link", why);
		assert_non_null(f);
		assert_int_equal(savefile_save(f, (const uint8_t *)(i ? "two" : "one"), 3, why), 0);
		savefile_close(f);
		assert_int_equal(lstat("link", &st), 0);
		assert_true(S_ISLNK(st.st_mode));
		assert_int_equal(get("folder/target", (uint8_t *)b, 4), 3);
		assert_memory_equal(b, i ? "two" : "one", 3);
	}
	assert_int_equal(entries(), 2);
}

static void a_file_that_appeared_meanwhile_is_not_overwritten(void **state)
{
	char why[SAVEFILE_WHY], b[8];
	struct savefile *f = savefile_open("a", why);

	(void)state;
	assert_non_null(f);
	put("a", "theirs", 6);
	assert_int_equal(savefile_save(f, (const uint8_t *)"ours", 4, why), -EEXIST);
	assert_string_equal(why, "cannot save 'a': it has appeared meanwhile: File exists");
	savefile_close(f);
	assert_int_equal(get("a", (uint8_t *)b, 8), 6);
	assert_memory_equal(b, "theirs", 6);
	assert_int_equal(entries(), 1);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
	struct rlimit old, small;
	static uint8_t data[100000];
	char why[SAVEFILE_WHY], b[8];
	struct savefile *f;
	int r;

	(void)state;
	put("a", "old", 3);
	f = savefile_open("a", why);
	assert_non_null(f);
	/* A limit on file sizes stands for a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 5000, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	r = savefile_save(f, data, sizeof(data), why);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(why, "cannot save 'a': File too large");
	assert_int_equal(get("a", (uint8_t *)b, 8), 3);
	assert_memory_equal(b, "old", 3);
	assert_int_equal(entries(), 1);
	assert_int_equal(savefile_save(f, data, 10, why), 0); /* once there is room */
	savefile_close(f);
}

static void each_board_has_its_own_file(void **state)
{
	static const struct {
		const char *give;
		unsigned board;
		const char *want;
	} cases[] = {
		{ "flash.bin", 1, "flash.bin" },     { "flash.bin", 2, "flash-2.bin" },
		{ "a.b/flash", 3, "a.b/flash-3" },   { "a.b/.flash", 3, "a.b/.flash-3" },
		{ "x.tar.bin", 10, "x.tar-10.bin" }, { "b%d.bin", 1, "b1.bin" },
		{ "b%d/%d", 12, "b12/%d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = numbered_path(cases[i].give, cases[i].board);

		assert_string_equal(path, cases[i].want);
		free(path);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_missing_image_is_created_erased),
		TEST(a_short_image_is_flash_with_the_rest_erased),
		TEST(changes_are_saved_and_the_mode_is_kept),
		TEST(an_oversized_image_is_refused_with_both_sizes),
		TEST(what_is_no_regular_file_is_refused),
		TEST(a_file_has_one_board_at_a_time),
		TEST(a_lock_that_a_killed_process_left_does_not_hold),
		TEST(a_symbolic_link_stays_one),
		TEST(a_file_that_appeared_meanwhile_is_not_overwritten),
		TEST(a_failed_save_leaves_the_old_file),
		cmocka_unit_test(each_board_has_its_own_file),
	};

	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
