// SPDX-License-Identifier: GPL-2.0-or-later
/* The commands on Linux. */
#include "commands.h"
#include <stddef.h>
#include "ctl.h"
#include "exec.h"
#include "serve.h"
#include "show.h"

const struct program_command program_commands[] = {
	{ "exec", "run a tool on a USB bus of its own with the board plugged in", exec_main, exec_help },
	{ "serve", "offer the boards to a kernel: USB/IP, vhci, gadget, usbredir", serve_main, serve_help },
	{ "replay", "run a tool on such a bus with what a capture recorded plugged in", replay_main, replay_help },
	{ "ctl", "command the boards of a running dfuemu", ctl_main, ctl_help },
	{ "show", "print a capture as a time line", show_main, show_help },
	{ .name = NULL },
};

const char program_fronts[] = " exec";
