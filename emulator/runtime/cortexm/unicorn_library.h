/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unicorn is loaded when firmware is to run: linked, it would cost every start some 13 ms, which is more than all the rest. The calls in
 * this folder are written as usual, and go through this table.
 */
#ifndef DFUBENCH_CORTEXM_UNICORN_LIBRARY_H
#define DFUBENCH_CORTEXM_UNICORN_LIBRARY_H

#include <stdbool.h>
#include <unicorn/unicorn.h>

#define UNICORN_FUNCTIONS(X) \
	X(uc_version) \
	X(uc_open) \
	X(uc_close) \
	X(uc_ctl) \
	X(uc_emu_start) \
	X(uc_emu_stop) \
	X(uc_hook_add) \
	X(uc_mem_map_ptr) \
	X(uc_mem_protect) \
	X(uc_mem_unmap) \
	X(uc_mmio_map) \
	X(uc_reg_read) \
	X(uc_reg_write) \
	X(uc_reg_read_batch) \
	X(uc_reg_write_batch)

struct unicorn_library {
#define UNICORN_MEMBER(name) __typeof__(name) *p_##name;
	UNICORN_FUNCTIONS(UNICORN_MEMBER)
#undef UNICORN_MEMBER
};
extern struct unicorn_library unicorn_library;

/* NULL: it is there; else what is missing. */
const char *unicorn_library_load(void);
/* There are the addresses that it takes for translated code. Without, Unicorn 2.0 ends the program. */
bool unicorn_has_room(void);

#ifndef UNICORN_LIBRARY_ITSELF
#define uc_version unicorn_library.p_uc_version
#define uc_open unicorn_library.p_uc_open
#define uc_close unicorn_library.p_uc_close
#define uc_ctl unicorn_library.p_uc_ctl
#define uc_emu_start unicorn_library.p_uc_emu_start
#define uc_emu_stop unicorn_library.p_uc_emu_stop
#define uc_hook_add unicorn_library.p_uc_hook_add
#define uc_mem_map_ptr unicorn_library.p_uc_mem_map_ptr
#define uc_mem_protect unicorn_library.p_uc_mem_protect
#define uc_mem_unmap unicorn_library.p_uc_mem_unmap
#define uc_mmio_map unicorn_library.p_uc_mmio_map
#define uc_reg_read unicorn_library.p_uc_reg_read
#define uc_reg_write unicorn_library.p_uc_reg_write
#define uc_reg_read_batch unicorn_library.p_uc_reg_read_batch
#define uc_reg_write_batch unicorn_library.p_uc_reg_write_batch
#endif

#endif
