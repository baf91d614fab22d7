// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of ROMs. A new one is a file of data and a row here. */
#include <string.h>
#include "profile.h"
#include "profiles/profiles.h"

const struct mcu_profile *const mcu_profiles[] = {
	&profile_f407_v30,       &profile_f407_v31, &profile_f407_v90,    &profile_f407_v91,     &profile_f072,
	&profile_f105,           &profile_f411,     &profile_f427_v70,    &profile_f427_v91,     &profile_g431,
	&profile_g474,           &profile_h743,     &profile_l476,        &profile_c5,           &profile_gd32vf103,
	&profile_gd32vf103_nano, &profile_dfu11,    &profile_dfu11_reset, &profile_dfu11_detach, NULL,
};

const struct mcu_profile *mcu_profile_find(const char *name)
{
	const struct mcu_profile *const *p;

	for (p = mcu_profiles; *p; p++) {
		if (strcmp((*p)->name, name) == 0)
			return *p;
		for (const char *const *alias = (*p)->aliases; *alias; alias++)
			if (strcmp(*alias, name) == 0)
				return *p;
	}
	return NULL;
}
