// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading Unicorn. */
#define UNICORN_LIBRARY_ITSELF
#include "unicorn_library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define SONAME "libunicorn.so.2"

struct unicorn_library unicorn_library;
static char missing[200];
static bool tried;

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found)); /* ISO C has no conversion */
	return found != NULL;
}

const char *unicorn_library_load(void)
{
	void *library;
	bool all = true;

	if (!tried) {
		tried = true;
		library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
		if (!library) {
			snprintf(missing, sizeof(missing),
				 "firmware runs on Unicorn, which is not here (libunicorn2): %.120s", dlerror());
			return missing;
		}
#define UNICORN_FIND(name) all &= find(library, #name, &unicorn_library.p_##name);
		UNICORN_FUNCTIONS(UNICORN_FIND)
#undef UNICORN_FIND
		if (!all)
			snprintf(missing, sizeof(missing), SONAME " is not as Unicorn 2's is known to be");
	}
	return *missing ? missing : NULL;
}
