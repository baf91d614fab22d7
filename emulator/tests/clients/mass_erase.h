/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mass erase as a client sees it: how the request ends that the board holds meanwhile, and after how long. */
#ifndef DFUBENCH_MASS_ERASE_H
#define DFUBENCH_MASS_ERASE_H

#include <time.h>
#include "dfuse_raw.h"

static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * The first GETSTATUS starts the erase, the second one waits for its end; d->control must have the time-out by then. pause_ms:
 * sleep that long between the two, as tools do that give bwPollTimeout a meaning of their own. Prints "done SECONDS" or
 * "timeout SECONDS", counted from just before the first, lest a delay after it makes the erase look short. Any other end is a
 * failure.
 */
static inline void mass_erase(const struct dfuse *d, int timeout_result, unsigned pause_ms)
{
	struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000L };
	uint8_t command = 0x41, status[6];
	double start;
	int r;

	dfuse_to_idle(d);
	dfuse_out(d, DFU_DNLOAD, 0, &command, 1);
	start = now();
	r = dfuse_state(d);
	if (r != DFU_DNBUSY)
		die("dfuDNBUSY expected: state", r);
	if (pause_ms)
		nanosleep(&pause, NULL);
	r = d->control(d->device, 0xA1, DFU_GETSTATUS, 0, status, sizeof(status));
	if (r == timeout_result)
		printf("timeout %.3f\n", now() - start);
	else if (r == (int)sizeof(status) && status[4] == DFU_DNLOAD_IDLE)
		printf("done %.3f\n", now() - start);
	else
		die("GETSTATUS ends otherwise", r);
}

#endif
