// SPDX-License-Identifier: GPL-2.0-or-later
/* What boards cost in memory: resident pages of this process before and after, allocator and all. One line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "bench.h"
#include "flash.h"
#include "mcu.h"
#include "prng.h"

#define BOARDS 1000
#define IMAGE_BYTES (1u << 20)

static long resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long total, resident = -1;

	if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
		exit(1);
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

static struct mcu *board(struct bench *bench, const struct mcu_profile *profile, uint32_t number)
{
	struct mcu_identity identity = { { 0x002E0040 + number, 0x30360000, 0x32343735 } };
	struct mcu *mcu = mcu_new(bench, profile, &identity);

	if (!mcu)
		exit(1);
	mcu_set_pin(mcu, PIN_BOOT0, true);
	mcu_set_pin(mcu, PIN_VBUS, true);
	mcu_set_pin(mcu, PIN_VDD, true);
	return mcu;
}

int main(void)
{
	const struct mcu_profile *profile = mcu_profile_find("f407");
	static struct mcu *boards[BOARDS];
	static uint8_t image[IMAGE_BYTES];
	struct bench *bench = bench_new(1);
	struct prng prng = { 1 };
	long empty, first, rest, shared, loaded;

	if (!bench)
		return 1;
	for (size_t i = 0; i < sizeof(image); i++)
		image[i] = (uint8_t)prng_next(&prng);
	for (size_t i = 0; i < BOARDS; i++)
		boards[i] = NULL;
	mcu_free(board(bench, profile, 0)); /* what is needed once is there then */
	empty = resident_bytes();
	for (uint32_t i = 0; i < BOARDS; i++)
		boards[i] = board(bench, profile, i);
	bench_advance(bench, 3000000); /* all of them in the ROM, on USB */
	for (size_t i = 0; i < BOARDS; i++) {
		if (mcu_mode(boards[i]) != MCU_ROM)
			return 1;
	}
	rest = resident_bytes();
	if (flash_load(mcu_flash(boards[0]), 0, image, sizeof(image)))
		return 1;
	first = resident_bytes();
	for (size_t i = 1; i < BOARDS; i++) {
		if (flash_share(mcu_flash(boards[i]), mcu_flash(boards[0])))
			return 1;
	}
	shared = resident_bytes();
	/* Without sharing: as many as show it. */
	for (size_t i = 1; i <= 20; i++) {
		if (flash_load(mcu_flash(boards[i]), 0, image, sizeof(image)))
			return 1;
	}
	loaded = resident_bytes();
	printf("{\"boards\": %d, \"at_rest_bytes\": %ld, \"image_bytes\": %ld, \"shared_bytes\": %ld, "
	       "\"loaded_bytes\": %ld}\n",
	       BOARDS, (rest - empty) / BOARDS, first - rest, (shared - first) / (BOARDS - 1), (loaded - shared) / 20);
	for (size_t i = 0; i < BOARDS; i++)
		mcu_free(boards[i]);
	bench_free(bench);
	return 0;
}
