/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the report for people. */
#ifndef DFUBENCH_CONSOLE_SUMMARY_H
#define DFUBENCH_CONSOLE_SUMMARY_H

#include "report.h"
#include "results.h"

/* The word for a verdict, in a field of 5 columns. */
void console_word(FILE *, enum verdict, bool colour);
/* Of sorted results: matrix of scenario and tool if there are several tools, findings by rule, what was bad, sums. */
void console_summary(FILE *, const struct results *, const struct report_plan *, bool interrupted, double seconds);

#endif
