/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image on Unicorn alone, with no hook at all, until it comes to an address: what the engine is measured against. Usage: unicorn IMAGE END */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

enum { FLASH = 0x08000000, FLASH_BYTES = 1 << 20, RAM = 0x20000000, RAM_BYTES = 128 << 10 };

static uint8_t flash[FLASH_BYTES] __attribute__((aligned(4096)));
static uint8_t ram[RAM_BYTES] __attribute__((aligned(4096)));

int main(int argc, char **argv)
{
	uc_engine *uc;
	uc_err error;
	uint32_t start;
	FILE *file;

	if (argc != 3)
		return 2;
	file = fopen(argv[1], "rb");
	if (!file || !fread(flash, 1, sizeof(flash), file)) {
		perror(argv[1]);
		return 1;
	}
	fclose(file);
	memcpy(&start, flash + 4, 4);
	error = uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &uc);
	if (!error)
		error = uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M4);
	if (!error)
		error = uc_mem_map_ptr(uc, FLASH, FLASH_BYTES, UC_PROT_READ | UC_PROT_EXEC, flash);
	if (!error)
		error = uc_mem_map_ptr(uc, RAM, RAM_BYTES, UC_PROT_ALL, ram);
	if (!error)
		error = uc_emu_start(uc, start, strtoul(argv[2], NULL, 0), 0, 0);
	if (error)
		fprintf(stderr, "%s: %s\n", argv[1], uc_strerror(error));
	return error != UC_ERR_OK;
}
