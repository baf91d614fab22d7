/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pictures of the history's page: SVG within HTML. Colours and lettering are those of history.html. */
#ifndef DFUBENCH_HISTORY_SVG_H
#define DFUBENCH_HISTORY_SVG_H

#include <stdio.h>
#include "history_view.h"

/* Text that is no markup: of an element, or of an attribute in double quotes. */
void svg_text(FILE *, const char *);

/* Bars of runs, each with what became of its scenarios. runs: indices. */
void svg_runs(FILE *, const struct history_view *, const size_t *runs, size_t count);
/* A square for each of the runs, in the colour of what became of the scenario; and how long an attempt took. */
void svg_case(FILE *, const struct history_view *, const struct view_case *, const size_t *runs, size_t count);
void svg_case_times(FILE *, const struct view_case *, const size_t *runs, size_t count);
/* The slowest erase of each sector of a board as bars; of one sector day by day as a curve; wear of one against its limits. */
void svg_slowest(FILE *, const struct view_sector *, size_t count);
void svg_days(FILE *, const struct view_sector *);
void svg_wear(FILE *, const struct view_sector *, unsigned warn, unsigned stop);

#endif
