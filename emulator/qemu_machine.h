/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of qemu-system-arm: its machine netduinoplus2, an STM32F405 of which it models the core, the first USART and little else.
 * Nothing here blocks, but for the moment that it takes to kill it.
 */
#ifndef DFUBENCH_QEMU_MACHINE_H
#define DFUBENCH_QEMU_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QEMU_PROGRAM "qemu-system-arm"

/* Zero-initialise. What a machine that has ended has said stays until the next start. */
struct qemu_machine {
	pid_t pid; /* 0: none runs */
	int console, errors;
	int status;      /* of wait(2), once it has ended by itself */
	char said[8192]; /* on its standard error, the end of it; NUL-terminated */
	size_t said_used;
};

struct qemu_memory {
	uint32_t address;
	const uint8_t *bytes;
	size_t length;
};

/* The flash, and what the RAM begins with; the core starts from the vector table at vector. A reset of the machine ends it, with
 * status 0. It dies with this process. 0 or -errno. */
int qemu_machine_start(struct qemu_machine *, const struct qemu_memory *flash, const struct qemu_memory *ram,
		       uint32_t vector);
/* No-op if none runs. */
void qemu_machine_kill(struct qemu_machine *);
/* What it has sent on its console, no more than that: how many bytes; 0: nothing just now. */
size_t qemu_machine_read(struct qemu_machine *, uint8_t *bytes, size_t room);
/* How many of the bytes it takes just now. */
size_t qemu_machine_write(struct qemu_machine *, const uint8_t *bytes, size_t length);
/* True: it has ended by itself. All that it had sent can be read yet, until the next start or kill. */
bool qemu_machine_ended(struct qemu_machine *);

#endif
