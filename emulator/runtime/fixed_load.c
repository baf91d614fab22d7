/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor files: from disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fixed.h"

int fixed_load(const char *path, struct fixed_descriptors **out, char *message, size_t size)
{
	struct fixed_error error;
	char *text = NULL;
	size_t length;
	FILE *file;
	int result;

	file = fopen(path, "rbe");
	if (!file) {
		result = -errno;
		snprintf(message, size, "cannot open '%s': %s", path, strerror(-result));
		return result;
	}
	text = malloc(FIXED_FILE_BYTES + 1); /* one more: that a longer file shows */
	if (!text) {
		result = -ENOMEM;
		goto out;
	}
	errno = 0;
	length = fread(text, 1, FIXED_FILE_BYTES + 1, file);
	if (ferror(file)) {
		result = errno ? -errno : -EIO;
		snprintf(message, size, "cannot read '%s': %s", path, strerror(-result));
		goto out;
	}
	result = fixed_parse(text, length, out, &error);
	if (result == -EINVAL)
		snprintf(message, size, "%s:%u:%u: %s", path, error.line, error.column, error.text);
out:
	if (result == -ENOMEM)
		snprintf(message, size, "cannot read '%s': %s", path, strerror(ENOMEM));
	free(text);
	fclose(file);
	return result;
}
