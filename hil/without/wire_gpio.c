// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the driver of its name where libgpiod was not there to build with. */
#define LACKS "dfuhil was built without libgpiod (libgpiod-dev)"
#include "without_driver.h"

const struct wire_driver wire_gpio = WITHOUT_DRIVER("gpio");
