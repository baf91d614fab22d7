// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands on any system. */
#include "commands.h"
#include <stddef.h>
#include "serve.h"
#include "show.h"

const struct program_command program_commands[] = {
	{ "serve", "offer the boards to a kernel: USB/IP", serve_main, serve_help },
	{ "show", "print a capture as a time line", show_main, show_help },
	{ .name = NULL },
};

const char program_fronts[] = "";
