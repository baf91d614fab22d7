// SPDX-License-Identifier: GPL-2.0-or-later
/* No engine on QEMU: a process that is to die with this one takes Linux. */
#include "qemu.h"
#include <errno.h>

struct engine *engine_qemu_new(struct mcu *mcu, const struct qemu_options *options)
{
	(void)mcu, (void)options;
	errno = ENOTSUP;
	return NULL;
}

const char *qemu_lacks(void)
{
	return "QEMU can be started on Linux alone";
}
