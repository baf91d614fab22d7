/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the clients in C have in common: DfuSe over one function that does a control transfer. */
#ifndef DFUBENCH_DFUSE_RAW_H
#define DFUBENCH_DFUSE_RAW_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLASH 0x08000000u
#define BLOCK 2048u
#define SECTOR 0x4000u /* the first four; enough for 64 KiB */
#define TIMEOUT_MS 20000u

enum { DFU_DNLOAD = 1, DFU_UPLOAD, DFU_GETSTATUS, DFU_CLRSTATUS, DFU_ABORT = 6 };
enum { DFU_IDLE = 2, DFU_DNBUSY = 4, DFU_DNLOAD_IDLE = 5, DFU_MANIFEST = 7, DFU_ERROR = 10 };

/* Bytes done, or negative. Direction by type. */
typedef int (*control_fn)(void *device, uint8_t type, uint8_t request, uint16_t value, void *data, uint16_t length);

struct dfuse {
	control_fn control;
	void *device;
};

static inline void die(const char *what, int result)
{
	fprintf(stderr, "%s: %d\n", what, result);
	exit(1);
}

static inline void dfuse_out(const struct dfuse *d, uint8_t request, uint16_t value, void *data, uint16_t length)
{
	int r = d->control(d->device, 0x21, request, value, data, length);

	if (r != length)
		die("a request to the board failed", r);
}

static inline int dfuse_state(const struct dfuse *d)
{
	uint8_t status[6];
	int r = d->control(d->device, 0xA1, DFU_GETSTATUS, 0, status, sizeof(status));

	if (r != (int)sizeof(status))
		die("GETSTATUS failed", r);
	return status[4];
}

static inline void dfuse_to_idle(const struct dfuse *d)
{
	int state;

	for (int i = 0; i < 4 && (state = dfuse_state(d)) != DFU_IDLE; i++)
		dfuse_out(d, state == DFU_ERROR ? DFU_CLRSTATUS : DFU_ABORT, 0, NULL, 0);
	if ((state = dfuse_state(d)) != DFU_IDLE)
		die("the board does not become idle: state", state);
}

/* The second GETSTATUS is held until the board has done it: no waiting here. */
static inline void dfuse_execute(const struct dfuse *d)
{
	int state = dfuse_state(d);

	if (state != DFU_DNBUSY)
		die("dfuDNBUSY expected: state", state);
	state = dfuse_state(d);
	if (state != DFU_DNLOAD_IDLE)
		die("dfuDNLOAD-IDLE expected: state", state);
}

static inline void dfuse_command(const struct dfuse *d, uint8_t command, uint32_t address)
{
	uint8_t bytes[5] = { command, (uint8_t)address, (uint8_t)(address >> 8), (uint8_t)(address >> 16),
			     (uint8_t)(address >> 24) };

	dfuse_out(d, DFU_DNLOAD, 0, bytes, sizeof(bytes));
	dfuse_execute(d);
}

static inline void dfuse_flash(const struct dfuse *d, const char *file)
{
	static uint8_t bytes[4 * SECTOR];
	FILE *f = fopen(file, "rb");
	size_t size = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (!size)
		die(file, 0);
	fclose(f);
	dfuse_to_idle(d);
	for (size_t at = 0; at < size; at += SECTOR)
		dfuse_command(d, 0x41, FLASH + (uint32_t)at);
	dfuse_command(d, 0x21, FLASH);
	for (size_t at = 0; at < size; at += BLOCK) {
		size_t n = size - at < BLOCK ? size - at : BLOCK;

		dfuse_out(d, DFU_DNLOAD, (uint16_t)(2 + at / BLOCK), bytes + at, (uint16_t)n);
		dfuse_execute(d);
	}
	dfuse_to_idle(d);
}

static inline void dfuse_read(const struct dfuse *d, const char *file, size_t size)
{
	uint8_t bytes[BLOCK];
	FILE *f = fopen(file, "wb");

	if (!f)
		die(file, 0);
	dfuse_to_idle(d);
	dfuse_command(d, 0x21, FLASH);
	dfuse_to_idle(d);
	for (size_t at = 0; at < size; at += BLOCK) {
		size_t n = size - at < BLOCK ? size - at : BLOCK;
		int r = d->control(d->device, 0xA1, DFU_UPLOAD, (uint16_t)(2 + at / BLOCK), bytes, (uint16_t)n);

		if (r != (int)n)
			die("UPLOAD failed", r);
		fwrite(bytes, 1, n, f);
	}
	fclose(f);
	dfuse_to_idle(d);
}

#endif
