/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rig files of kind board, from memory. */
#ifndef DFUBENCH_A_RIG_H
#define DFUBENCH_A_RIG_H

#include <stdio.h>
#include <string.h>
#include "board_rig.h"
#include "yaml.h"

/* NULL after its mistakes were printed. */
static inline struct board_rig *a_rig(const char *text)
{
	struct problems *problems = problems_new();
	struct yaml *yaml = yaml_parse("rig.yaml", text, strlen(text), problems);
	struct board_rig *rig = NULL;

	if (yaml) {
		yaml_lend_lines(yaml, problems);
		rig = board_rig_read(yaml, problems);
		problems_lines(problems, NULL, NULL);
		yaml_close(yaml);
	}
	if (!rig)
		problems_print(problems, stderr, false);
	problems_free(problems);
	return rig;
}

#endif
