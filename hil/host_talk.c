// SPDX-License-Identifier: GPL-2.0-or-later
/* Text to and from a serial port. */
#include "host_talk.h"
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host_wait.h"

#define PIECE 512 /* the packet of a bulk endpoint at high speed, and a multiple of that at full speed */

void host_talk_forget(struct host_talk *t)
{
	free(t->heard);
	*t = (struct host_talk){ 0 };
}

static void describe_end(enum host_end end, char why[HOST_TALK_WHY])
{
	snprintf(why, HOST_TALK_WHY, "%s",
		 end == HOST_GONE   ? "the device is gone"
		 : end == HOST_LATE ? "no answer within the timeout"
				    : host_end_name(end));
}

bool host_talk_send(struct host_usb *usb, const uint8_t *text, size_t length, uint64_t timeout_us,
		    char why[HOST_TALK_WHY])
{
	size_t actual;
	enum host_end end = host_usb_write(usb, text, length, timeout_us, &actual);

	if (end != HOST_OK)
		describe_end(end, why);
	else
		snprintf(why, HOST_TALK_WHY, "%zu of %zu bytes taken", actual, length);
	return end == HOST_OK && actual == length;
}

/* Lines end as on Unix, and a NUL would end all. */
static bool add(struct host_talk *t, const uint8_t *bytes, size_t count)
{
	if (!t->heard) {
		t->heard = calloc(1, HOST_TALK_MAX + 1);
		if (!t->heard)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\r')
			continue;
		if (t->length == HOST_TALK_MAX) {
			t->length -= HOST_TALK_MAX / 2;
			memmove(t->heard, t->heard + HOST_TALK_MAX / 2, t->length);
		}
		t->heard[t->length++] = bytes[i] ? (char)bytes[i] : '.';
	}
	t->heard[t->length] = 0;
	return true;
}

static void show(const char *text, size_t length, char out[HOST_TALK_WHY])
{
	size_t used = 0;

	for (size_t i = 0; i < length && used < HOST_TALK_WHY - 8; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			used += (size_t)snprintf(out + used, 8, "\\n");
		else if (c < ' ' || c == 0x7f)
			used += (size_t)snprintf(out + used, 8, "\\x%02x", c);
		else
			out[used++] = (char)c;
	}
	out[used] = 0;
}

/* The match and all before it go. */
static bool take_match(struct host_talk *t, const regex_t *compiled, char got[HOST_TALK_WHY])
{
	regmatch_t match;
	const char *end;

	if (!t->heard || regexec(compiled, t->heard, 1, &match, 0))
		return false;
	end = t->heard + match.rm_eo;
	show(t->heard + match.rm_so, (size_t)(match.rm_eo - match.rm_so), got);
	t->length -= (size_t)match.rm_eo;
	memmove(t->heard, end, t->length + 1);
	return true;
}

bool host_talk_expect(struct host_talk *t, struct host_usb *usb, const char *regex, uint64_t within_us,
		      char got[HOST_TALK_WHY])
{
	uint64_t until = host_wait_now_us() + within_us, now;
	enum host_end end = HOST_OK;
	uint8_t piece[PIECE];
	regex_t compiled;
	bool found;
	size_t actual;

	snprintf(got, HOST_TALK_WHY, "no memory");
	if (regcomp(&compiled, regex, REG_EXTENDED | REG_NEWLINE))
		return false;
	while (!(found = take_match(t, &compiled, got)) && (end == HOST_OK || end == HOST_LATE)) {
		now = host_wait_now_us();
		if (now >= until || host_usb_signal(usb))
			break;
		end = host_usb_read(usb, piece, sizeof(piece), until - now, &actual);
		if (!add(t, piece, actual))
			break;
	}
	regfree(&compiled);
	if (found)
		return true;
	if (end != HOST_OK && end != HOST_LATE)
		describe_end(end, got);
	else if (!t->length)
		snprintf(got, HOST_TALK_WHY, "nothing");
	else
		show(t->heard + (t->length > 100 ? t->length - 100 : 0), t->length > 100 ? 100 : t->length, got);
	return false;
}
