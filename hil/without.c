// SPDX-License-Identifier: GPL-2.0-or-later
/* Rigs that are not in this build: weak, so that the real ones take their place. */
#include <stdio.h>
#include "rig.h"

__attribute__((weak)) struct rig *rig_control_open(const struct rig_setup *setup, const char *socket, char why[RIG_WHY])
{
	(void)setup;
	snprintf(why, RIG_WHY, "control:%s: this rig is not in this build", socket);
	return NULL;
}

__attribute__((weak)) struct rig *rig_vhci_open(const struct rig_setup *setup, char why[RIG_WHY])
{
	(void)setup;
	snprintf(why, RIG_WHY, "vhci: this rig is not in this build");
	return NULL;
}
