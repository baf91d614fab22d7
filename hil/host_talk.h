/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scripted host says to a serial port and hears from it. */
#ifndef DFUBENCH_HOST_TALK_H
#define DFUBENCH_HOST_TALK_H

#include "host_usb.h"

#define HOST_TALK_MAX 65536 /* bytes that are kept; the oldest go first */
#define HOST_TALK_WHY 256

struct host_talk { /* all zero: nothing has been heard */
	char *heard;
	size_t length;
};

void host_talk_forget(struct host_talk *);
/* False, and why in words, if not all was taken. */
bool host_talk_send(struct host_usb *, const uint8_t *text, size_t length, uint64_t timeout_us,
		    char why[HOST_TALK_WHY]);
/* Until what has been heard matches (POSIX extended; ^ and $ are the ends of lines); all up to the end of the match is then
 * forgotten. got: the line that matched, or the end of what was heard instead. */
bool host_talk_expect(struct host_talk *, struct host_usb *, const char *regex, uint64_t within_us,
		      char got[HOST_TALK_WHY]);

#endif
