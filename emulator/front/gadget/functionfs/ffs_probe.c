// SPDX-License-Identifier: GPL-2.0-or-later
/* Telling FunctionFS what the device is. */
#include "ffs_probe.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "ffs_descriptors.h"

#define STOCK_HIGHEST_ALT 2u /* MAX_ALT_SETTINGS of f_fs.c where there is get_alt, Linux 6.12 */

__attribute__((format(printf, 2, 3))) static void warn(const struct front_env *env, const char *format, ...)
{
	char line[FRONT_WHY];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	env->warn(env->context, line);
}

static int put(int ep0, const struct ffs_blob *blob)
{
	ssize_t n = write(ep0, blob->bytes, blob->length);

	return n < 0 ? -errno : 0;
}

/* With all that some kernel takes, then with less, until this one takes it. */
static int put_descriptors(const struct front_env *env, int ep0, const struct usb_description *d, const char *release,
			   bool quiet)
{
	const struct usb_configuration *c = &d->configurations[0];
	unsigned left_out = 0, least = 0;
	enum ffs_kinds kinds = FFS_ALL;
	struct ffs_blob blob;
	int r;

	for (;; kinds++) {
		r = ffs_descriptors(d, c, kinds, &blob, &left_out);
		if (r)
			return r;
		if (kinds == FFS_ALL)
			least = left_out;
		r = put(ep0, &blob);
		free(blob.bytes);
		if (r != -EINVAL || kinds == FFS_STANDARD_ALONE)
			break;
	}
	if (r)
		return r;
	if (quiet)
		return 0;
	if (kinds != FFS_ALL && ffs_has_dfu(c))
		warn(env,
		     "gadget: FunctionFS of Linux %s takes no DFU functional descriptor: hosts know neither "
		     "wTransferSize nor that this is DfuSe (dfu-util will not download); Linux 6.12 takes it",
		     release);
	if (least)
		warn(env, "gadget: %u descriptors of the device are not shown: FunctionFS takes none of their kind",
		     least);
	return 0;
}

/* Is there a function of this name in the kernel? Without the list nobody knows: no. */
static bool has_symbol(const char *wanted)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	bool found = false;
	char line[512], name[256];

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*x %*c %255s", name) == 1 && !strcmp(name, wanted);
	if (f)
		fclose(f);
	return found;
}

/* Not the kernel's own usb_f_fs, but another's: it may do more. */
static bool is_replaced(void)
{
	FILE *f = fopen("/sys/module/usb_f_fs/taint", "re");
	char line[32] = "";

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	return strchr(line, 'O') != NULL;
}

static void check_alts(const struct front_env *env, const struct usb_description *d, const char *release)
{
	unsigned highest = ffs_highest_alt(&d->configurations[0]);

	if (!highest)
		return;
	if (!has_symbol("ffs_func_get_alt"))
		warn(env,
		     "gadget: FunctionFS of Linux %s lists all alternate settings, but refuses to set any but 0; "
		     "Linux 6.12 sets 0 to 2",
		     release);
	else if (highest > STOCK_HIGHEST_ALT && !is_replaced())
		warn(env,
		     "gadget: FunctionFS of Linux %s lists all alternate settings, but refuses to set those above %u; "
		     "no Linux known so far sets them, serve raw-gadget does",
		     release, STOCK_HIGHEST_ALT);
}

int ffs_probe(const struct front_env *env, int ep0, const struct usb_description *d, bool *told, char why[FRONT_WHY])
{
	struct utsname names;
	struct ffs_blob blob;
	int r;

	uname(&names);
	r = put_descriptors(env, ep0, d, names.release, *told);
	if (r) {
		snprintf(why, FRONT_WHY, "FunctionFS refuses the device's descriptors: %s", strerror(-r));
		return r;
	}
	r = ffs_strings(d, &d->configurations[0], &blob);
	if (!r) {
		r = put(ep0, &blob);
		free(blob.bytes);
	}
	if (r)
		snprintf(why, FRONT_WHY, "FunctionFS refuses the device's strings: %s", strerror(-r));
	else if (!*told)
		check_alts(env, d, names.release);
	*told = true;
	return r;
}
