// SPDX-License-Identifier: GPL-2.0-or-later
/* Complaints of commands. */
#include "complain.h"
#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("dfuhil: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
