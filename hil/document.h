/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole run as one JSON document (dfuhil(1), JSON): what the JSON report writes and the HTML report carries. */
#ifndef DFUBENCH_DOCUMENT_H
#define DFUBENCH_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include "report.h"
#include "results.h"

/* A new reference; NULL on ENOMEM. */
json_t *document_new(const struct report_plan *, const struct results *, bool interrupted);

#endif
