// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands: flash and option bytes from files and into them. */
#include "control_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "savefile.h"

/* A regular file of at most limit bytes, whole. NULL with why. */
static uint8_t *read_whole(struct call *call, const char *path, size_t limit, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t *data = NULL;
	struct stat st;
	size_t used = 0;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st)) {
		call_fail(call, FAILED, "cannot open '%.300s': %s", path, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > limit) {
		call_fail(call, FAILED,
			  S_ISREG(st.st_mode) ? "'%.300s' has more than the %zu bytes that there is room for"
					      : "'%.300s' is no regular file",
			  path, limit);
		goto out;
	}
	data = malloc(limit + 1);
	if (!data) {
		call_fail(call, FAILED, "%s", strerror(ENOMEM));
		goto out;
	}
	while (used <= limit && (n = read(fd, data + used, limit + 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0 || used > limit) {
		call_fail(call, FAILED, "cannot read '%.300s': %s", path, strerror(n < 0 ? errno : EFBIG));
		free(data);
		data = NULL;
	}
	*length = used;
out:
	if (fd >= 0)
		close(fd);
	return data;
}

static enum outcome save_whole(struct call *call, const char *path, const uint8_t *data, size_t length)
{
	struct savefile *file = savefile_open(path, call->why);
	int r = file ? savefile_save(file, data, length, call->why) : -EINVAL;

	savefile_close(file);
	return r ? FAILED : DONE;
}

static bool address_of(const char *word, uint32_t *out)
{
	char *end;
	unsigned long long value;

	if (word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	value = strtoull(word, &end, 0);
	*out = (uint32_t)value;
	return !errno && !*end && value <= UINT32_MAX;
}

static enum outcome load_flash(struct call *call, struct mcu *mcu, const char *path, uint32_t offset)
{
	struct flash *flash = mcu_flash(mcu);
	size_t length = 0;
	uint8_t *data;
	int r;

	if (flash_is_busy(flash))
		return call_fail(call, FAILED, "board %u is erasing or programming", call->board);
	data = read_whole(call, path, flash_size(flash) - offset, &length);
	if (!data)
		return FAILED;
	r = flash_load(flash, offset, data, length);
	free(data);
	if (r)
		return call_fail(call, FAILED, "cannot load '%.300s': %s", path, strerror(-r));
	writer_number(&call->out, "bytes", length);
	return DONE;
}

static enum outcome save_flash(struct call *call, struct mcu *mcu, const char *path, uint32_t offset)
{
	struct flash *flash = mcu_flash(mcu);
	size_t length = flash_size(flash) - offset;
	uint8_t *data = malloc(length + 1);
	enum outcome outcome;

	if (!data)
		return call_fail(call, FAILED, "%s", strerror(ENOMEM));
	flash_read(flash, mcu_profile(mcu)->flash_base + offset, data, length);
	outcome = save_whole(call, path, data, length);
	free(data);
	if (outcome == DONE)
		writer_number(&call->out, "bytes", length);
	return outcome;
}

enum outcome control_run_flash(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "load", "save", NULL };
	struct mcu *mcu = call_board(call);
	int i = call_choose(call, "flash", words[0], verbs);
	uint32_t address;

	if (i < 0)
		return REFUSED;
	if (!mcu)
		return FAILED;
	address = mcu_profile(mcu)->flash_base;
	if (count == 3 && !address_of(words[2], &address))
		return call_fail(call, REFUSED, "address '%.60s': expected a number, as 0x08004000", words[2]);
	if (address < mcu_profile(mcu)->flash_base ||
	    address - mcu_profile(mcu)->flash_base >= flash_size(mcu_flash(mcu)))
		return call_fail(call, FAILED, "address 0x%08x is not in the flash", (unsigned)address);
	address -= mcu_profile(mcu)->flash_base;
	return i ? save_flash(call, mcu, words[1], address) : load_flash(call, mcu, words[1], address);
}

static bool hex_bytes(const char *text, uint8_t *out, size_t count)
{
	static const char digits[] = "0123456789ABCDEF0123456789abcdef";

	if (strlen(text) != 2 * count || strspn(text, digits) != 2 * count)
		return false;
	for (size_t i = 0; i < 2 * count; i++) {
		unsigned value = (unsigned)(strchr(digits, text[i]) - digits) & 15;

		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] << 4 | value : value);
	}
	return true;
}

static enum outcome show_options(struct call *call, const struct flash *flash)
{
	uint8_t bytes[OPTION_MAX_BYTES];
	char hex[2 * OPTION_MAX_BYTES + 1];

	flash_read_options(flash, bytes);
	for (size_t i = 0; i < flash_option_bytes(flash); i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	writer_string(&call->out, "options", hex);
	return DONE;
}

static enum outcome load_options(struct call *call, struct flash *flash, const char *path)
{
	size_t length = 0, wanted = flash_option_bytes(flash);
	uint8_t *data = read_whole(call, path, wanted, &length);

	if (!data)
		return FAILED;
	if (length == wanted)
		flash_set_options(flash, data);
	free(data);
	return length == wanted
		       ? DONE
		       : call_fail(call, FAILED, "'%.300s' has %zu bytes, option bytes are %zu", path, length, wanted);
}

enum outcome control_run_options(struct call *call, int count, char **words)
{
	static const char *const verbs[] = { "load", "save", "set", "show", NULL };
	struct mcu *mcu = call_board(call);
	int i = call_choose(call, "options", words[0], verbs);
	uint8_t bytes[OPTION_MAX_BYTES];
	size_t size;

	if (i < 0)
		return REFUSED;
	if (count != (i == 3 ? 1 : 2))
		return call_fail(call, REFUSED, "usage: options load FILE | save FILE | set HEX | show");
	if (!mcu)
		return FAILED;
	size = flash_option_bytes(mcu_flash(mcu));
	if (i == 2 && !hex_bytes(words[1], bytes, size))
		return call_fail(call, REFUSED, "options '%.60s': expected %zu hex digits", words[1], 2 * size);
	if (i != 1 && i != 3 && flash_is_busy(mcu_flash(mcu)))
		return call_fail(call, FAILED, "board %u is erasing or programming", call->board);
	switch (i) {
	case 0:
		return load_options(call, mcu_flash(mcu), words[1]);
	case 1:
		flash_read_options(mcu_flash(mcu), bytes);
		return save_whole(call, words[1], bytes, size);
	case 2:
		flash_set_options(mcu_flash(mcu), bytes);
		return DONE;
	default:
		return show_options(call, mcu_flash(mcu));
	}
}
