// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the driver of its name where hidapi's hidraw library was not there to build with. */
#define LACKS "dfuhil was built without hidapi's hidraw library (libhidapi-dev)"
#include "without_driver.h"

const struct wire_driver wire_relay_hid = WITHOUT_DRIVER("relay-hid");
