/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner's own DFU host (DFU 1.1, AN3156): looks at the memory of a board in its ROM bootloader and puts contents there, when no
 * tool is to do it. One board, found by its address on the bus. It does nothing that nobody asked for: no reset, no leave.
 */
#ifndef DFUBENCH_DFU_CLIENT_H
#define DFUBENCH_DFU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dfuse.h"
#include "profile.h"

#define DFU_CLIENT_WHY 512

struct dfu_client;

/* NULL with why. The profile is borrowed. */
struct dfu_client *dfu_client_open(const struct mcu_profile *, unsigned bus, unsigned address,
				   char why[DFU_CLIENT_WHY]);
void dfu_client_close(struct dfu_client *); /* NULL is fine */

/*
 * All of these: 0 or -errno. -EACCES: the board says errVENDOR, it is read protected; -ENODEV: it has gone; -ETIMEDOUT: it did not
 * answer, or stays busy; -EPROTO: it answers something else than it should; -EINTR: a signal came. dfu_client_why() has the words.
 */
const char *dfu_client_why(const struct dfu_client *);

/* GETSTATE, which changes nothing, but is not answered while the board erases or writes. */
int dfu_client_state(struct dfu_client *, enum dfu_state *, uint64_t within_us);
/* GETSTATUS: harmless in dfuIDLE, dfuDNLOAD-IDLE, dfuUPLOAD-IDLE and dfuERROR; elsewhere it has the board go on. */
int dfu_client_status(struct dfu_client *, enum dfu_state *, enum dfu_status *);
/* From any of those four to dfuIDLE. */
int dfu_client_idle(struct dfu_client *);

/* From dfuIDLE or dfuDNLOAD-IDLE; each ends in dfuDNLOAD-IDLE, reading in dfuIDLE. */
int dfu_client_set_address(struct dfu_client *, uint32_t address);
/* The sector that address is in; *took_us: how long the board was busy. */
int dfu_client_erase(struct dfu_client *, uint32_t address, uint64_t *took_us);
/* Does not erase. */
int dfu_client_write(struct dfu_client *, uint32_t address, const uint8_t *data, size_t length);
int dfu_client_read(struct dfu_client *, uint32_t address, uint8_t *data, size_t length);

/* The board goes after each of these: it is gone, or about to be, when they return. */
int dfu_client_leave(struct dfu_client *, uint32_t address); /* what is there is started */
int dfu_client_write_options(struct dfu_client *, const uint8_t *bytes);
int dfu_client_unprotect(struct dfu_client *); /* erases everything where it was protected */

/* Back to what a tool may have left: dfuIDLE, dfuDNLOAD-IDLE, dfuUPLOAD-IDLE or dfuERROR, with that address pointer. From dfuIDLE. The
 * status of dfuERROR is then errUNKNOWN. */
int dfu_client_restore(struct dfu_client *, enum dfu_state, uint32_t pointer);

#endif
