// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands for the driver of its name where libserialport was not there to build with. */
#define LACKS "dfuhil was built without libserialport (libserialport-dev)"
#include "without_driver.h"

const struct wire_driver wire_relay_serial = WITHOUT_DRIVER("relay-serial");
