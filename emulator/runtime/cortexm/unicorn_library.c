// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading Unicorn. */
#define UNICORN_LIBRARY_ITSELF
#include "unicorn_library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define SONAME "libunicorn.so.2"
#define TRANSLATIONS ((1024ul + 64) * 1024 * 1024) /* and some for the rest; little of it is ever touched */

struct unicorn_library unicorn_library;
static char missing[200];
static bool tried;

static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found)); /* ISO C has no conversion */
	return found != NULL;
}

/* Where it does not get its room at once, Unicorn 2.0 ends the program (its issues 1766, 1898). */
bool unicorn_has_room(void)
{
	void *room = mmap(NULL, TRANSLATIONS, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return room != MAP_FAILED && !munmap(room, TRANSLATIONS);
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
		else if (!unicorn_has_room())
			snprintf(missing, sizeof(missing),
				 "Unicorn, which firmware runs on, wants 1 GiB at once, of which it uses little, and "
				 "does not get it here: sysctl vm.overcommit_memory=1, or ulimit -v unlimited");
	}
	return *missing ? missing : NULL;
}
