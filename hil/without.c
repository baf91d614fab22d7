// SPDX-License-Identifier: GPL-2.0-or-later
/* What is not in this tree yet: weak, so that the real thing takes its place. */
#include <stdio.h>
#include <stdlib.h>
#include "play.h"
#include "report.h"
#define WEAK __attribute__((weak))
WEAK struct report *report_html_new(const char *p)
{
	return report_json_new(p);
}
WEAK struct rig *rig_control_open(const struct rig_setup *setup, const char *socket, char why[RIG_WHY])
{
	(void)setup;
	snprintf(why, RIG_WHY, "control:%s: this rig is not in this build", socket);
	return NULL;
}
WEAK struct rig *rig_vhci_open(const struct rig_setup *setup, char why[RIG_WHY])
{
	(void)setup;
	snprintf(why, RIG_WHY, "vhci: this rig is not in this build");
	return NULL;
}
