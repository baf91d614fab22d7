// SPDX-License-Identifier: GPL-2.0-or-later
/* Where there is no control socket. */
#include "control.h"
#include <stddef.h>

struct control *control_new(struct desk *desk, const struct control_loop *loop, const char *path, char why[CONTROL_WHY])
{
	(void)desk;
	(void)loop;
	snprintf(why, CONTROL_WHY, "control socket '%s': not in this build, which is for any POSIX system", path);
	return NULL;
}

void control_free(struct control *c)
{
	(void)c;
}
