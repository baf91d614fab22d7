/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a capture, in sentences. */
#include <stdio.h>
#include <string.h>
#include "capture_reader.h"

typedef unsigned long long number;

static const char *s_of(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static const char *are(uint64_t count)
{
	return count == 1 ? "is" : "are";
}

static void no_capture(const struct capture_damage *d, char *out)
{
	if (d->no_capture)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "this is neither pcapng nor pcap%s%s", d->break_why ? ": " : "",
			 d->break_why ? d->break_why : "");
}

static void empty(const struct capture_damage *d, char *out)
{
	if (d->empty)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "the file is empty");
}

static void unreadable(const struct capture_damage *d, char *out)
{
	if (d->read_error)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "reading it failed: %s", strerror(d->read_error));
}

static void truncated(const struct capture_damage *d, char *out)
{
	if (d->truncated)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "it is cut off in the middle of the packet that begins at byte %llu",
			 (number)d->truncated_at);
}

static void breaks(const struct capture_damage *d, char *out)
{
	char more[48] = "";

	if (!d->breaks)
		return;
	if (d->breaks > 1)
		snprintf(more, sizeof(more), " and at %llu more place%s", (number)(d->breaks - 1), s_of(d->breaks - 1));
	snprintf(out, CAPTURE_DAMAGE_TEXT, "it is broken at byte %llu (%.60s)%s: %llu byte%s passed over",
		 (number)d->break_at, d->break_why, more, (number)d->skipped_bytes,
		 d->skipped_bytes == 1 ? " was" : "s were");
}

static void dropped(const struct capture_damage *d, char *out)
{
	if (d->dropped)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "the recorder says that it lost %llu packet%s", (number)d->dropped,
			 s_of(d->dropped));
}

static void cut(const struct capture_damage *d, char *out)
{
	if (d->cut)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu packet%s %s not whole, the first is number %llu: the recorder kept less than there was "
			 "(snaplen)",
			 (number)d->cut, s_of(d->cut), are(d->cut), (number)d->cut_first);
}

static void disordered(const struct capture_damage *d, char *out)
{
	if (d->disordered)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu packet%s %s earlier than the one before, the first is number %llu",
			 (number)d->disordered, s_of(d->disordered), are(d->disordered), (number)d->disordered_first);
}

static void malformed(const struct capture_damage *d, char *out)
{
	if (d->malformed)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu packet%s %s shorter than announced or of an unknown kind, the first is number %llu",
			 (number)d->malformed, s_of(d->malformed), are(d->malformed), (number)d->malformed_first);
}

static void foreign(const struct capture_damage *d, char *out)
{
	if (d->foreign)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu packet%s %s of link type %u: only usbmon's (189, 220) and USBPcap's (249) can be read",
			 (number)d->foreign, s_of(d->foreign), are(d->foreign), d->foreign_link);
}

static void no_submission(const struct capture_damage *d, char *out)
{
	if (d->no_submission)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu answer%s without the request, which was lost, or came before the recording began",
			 (number)d->no_submission, s_of(d->no_submission));
}

static void no_completion(const struct capture_damage *d, char *out)
{
	if (d->no_completion)
		snprintf(out, CAPTURE_DAMAGE_TEXT,
			 "%llu request%s without the answer, which was lost: the device answered later ones",
			 (number)d->no_completion, s_of(d->no_completion));
}

static void under_way(const struct capture_damage *d, char *out)
{
	if (d->under_way)
		snprintf(out, CAPTURE_DAMAGE_TEXT, "%llu request%s had no answer yet when the recording ended",
			 (number)d->under_way, s_of(d->under_way));
}

static void (*const sentences[])(const struct capture_damage *, char *out) = {
	no_capture, empty,     unreadable, truncated,     breaks,        dropped,   cut,
	disordered, malformed, foreign,    no_submission, no_completion, under_way,
};

char *capture_damage_text(const struct capture_damage *d, unsigned which, char out[CAPTURE_DAMAGE_TEXT])
{
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		sentences[i](d, out);
		if (out[0] && !which--)
			return out;
		out[0] = '\0';
	}
	return out;
}

bool capture_is_damaged(const struct capture_damage *d)
{
	return d->no_capture || d->empty || d->truncated || d->breaks || d->dropped || d->cut || d->disordered ||
	       d->malformed || d->read_error || d->no_submission || d->no_completion;
}
