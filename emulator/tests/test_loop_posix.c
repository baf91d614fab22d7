// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop once more, waiting as it does where there is no epoll(7). */
#include "../posix/poller.c"
#include "test_loop.c"
