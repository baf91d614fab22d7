/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates and times of day: always UTC, and said to be. */
#ifndef DFUBENCH_WHEN_H
#define DFUBENCH_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_TEXT 32

/* Seconds since 1970. For tests: $DFUBENCH_NOW, as when_parse() takes it, is what it says instead. */
int64_t when_now(void);
/* "2026-03-01 02:00 UTC"; what is in no calendar: "@SECONDS". Returns text. */
const char *when_text(int64_t when, char text[WHEN_TEXT]);
const char *when_date(int64_t when, char text[WHEN_TEXT]); /* "2026-03-01" */
const char *when_iso(int64_t when, char text[WHEN_TEXT]);  /* "2026-03-01T02:00:00Z", ISO 8601 */
/* "2026-03-01", "2026-03-01 02:00", "2026-03-01T02:00:00Z", all UTC; "36h", "7d", "8w": so long before now; "@1772330400". */
bool when_parse(const char *text, int64_t now, int64_t *when);
#define WHEN_FORMS "a date as 2026-03-01 or 2026-03-01T02:00 (UTC), or how long ago, as 36h, 7d or 8w"

#endif
