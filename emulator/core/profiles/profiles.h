/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of data under profiles/, for the table in profile.c alone. */
#ifndef DFUBENCH_PROFILES_H
#define DFUBENCH_PROFILES_H

#include "profile.h"

extern const struct mcu_profile profile_f407_v30, profile_f407_v31, profile_f407_v90, profile_f407_v91;
extern const struct mcu_profile profile_f411, profile_f427_v70, profile_f427_v91, profile_l476, profile_f072;
extern const struct mcu_profile profile_h743, profile_g474, profile_g431, profile_c5, profile_f105;
extern const struct mcu_profile profile_gd32vf103, profile_gd32vf103_nano;
extern const struct mcu_profile profile_dfu11, profile_dfu11_reset, profile_dfu11_detach;

#endif
