// SPDX-License-Identifier: GPL-2.0-or-later
/* Which ROM a capture is of, by what its descriptors say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "recording.h"
#include "suggest.h"

#define PROFILES 64

/* 0 or -errno. */
int recording_read_file(const char *path, uint8_t **data, size_t *length)
{
	FILE *file = fopen(path, "rb");
	size_t room = 1 << 16;
	int error = 0;

	*data = NULL;
	*length = 0;
	if (!file)
		return -errno;
	errno = 0;
	for (;;) {
		uint8_t *more = realloc(*data, room);

		if (!more) {
			error = -ENOMEM;
			break;
		}
		*data = more;
		*length += fread(*data + *length, 1, room - *length, file);
		if (ferror(file))
			error = errno ? -errno : -EIO;
		if (error || *length < room)
			break;
		room *= 2;
	}
	fclose(file);
	return error;
}

static bool is_string(const struct exchange *x, const char *text)
{
	size_t length = strlen(text);

	if (x->setup.type != 0x80 || x->setup.request != 6 || x->setup.value >> 8 != 3 || x->length < 2 + 2 * length ||
	    x->data[0] != 2 + 2 * length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (x->data[2 + 2 * i] != (uint8_t)text[i] || x->data[3 + 2 * i])
			return false;
	return true;
}

/* How much of a profile shows in the capture: the layout of its flash has to, if it has one, and the device descriptor decides. */
static unsigned likeness(const struct transcript *t, const struct mcu_profile *p)
{
	bool device = false, layout = false;
	unsigned strings = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct exchange *x = &t->exchanges[i];

		device |= x->setup.type == 0x80 && x->setup.request == 6 && x->setup.value == 0x0100 &&
			  x->length == sizeof(p->device_descriptor) &&
			  !memcmp(x->data, p->device_descriptor, sizeof(p->device_descriptor));
		for (unsigned s = 0; s < p->string_count && s < 32; s++) {
			if (!p->strings[s] || p->strings[s][0] != '@')
				continue;
			layout = true;
			if (is_string(x, p->strings[s]))
				strings |= 1u << s;
		}
	}
	return strings || !layout ? 2u * (unsigned)__builtin_popcount(strings) + device : 0;
}

const struct mcu_profile *recording_profile(const struct transcript *t)
{
	const struct mcu_profile *best = NULL;
	unsigned most = 0;

	for (const struct mcu_profile *const *p = mcu_profiles; *p; p++) {
		unsigned n = 2 * likeness(t, *p);

		n += n && (*p)->aliases[0]; /* of equals, the default of the family */
		if (n <= most)
			continue;
		most = n;
		best = *p;
	}
	return best;
}

const struct mcu_profile *recording_profile_named(const char *name)
{
	const struct mcu_profile *profile = mcu_profile_find(name);
	const char *names[PROFILES], *near;
	size_t n = 0;

	if (profile)
		return profile;
	for (const struct mcu_profile *const *p = mcu_profiles; *p && n < PROFILES - 4; p++) {
		names[n++] = (*p)->name;
		for (unsigned k = 0; (*p)->aliases[k]; k++)
			names[n++] = (*p)->aliases[k];
	}
	names[n] = NULL;
	near = suggest_nearest(name, names);
	fprintf(stderr, "dfuhil: unknown profile '%s'%s%s%s ('dfuemu profiles' lists them)\n", name,
		near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return NULL;
}
