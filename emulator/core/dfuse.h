/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DFU 1.1 with ST's DfuSe commands, as the ROM does them (AN3156; f407.md ST, GS, EX, BLK, CMD, UP, ERR, LV rows). A pure state
 * machine: one class request in, one answer out, and jobs that it hands to its owner to execute.
 */
#ifndef DFUBENCH_DFUSE_H
#define DFUBENCH_DFUSE_H

#include "dfu_machine.h"

#define DFUSE_GET 0x00u
#define DFUSE_SET_ADDRESS 0x21u
#define DFUSE_ERASE 0x41u
#define DFUSE_READ_UNPROTECT 0x92u

extern const struct dfu_protocol dfuse_protocol;

/* State after a reset into the ROM: the profile's, dfuERROR/errFIRMWARE with ST (f407.md ST-START); default pointer. */
void dfuse_reset(struct dfu_machine *, const struct mcu_profile *, const struct dfu_ops *);
enum usb_result dfuse_request(struct dfu_machine *, const struct usb_setup *, uint8_t *data, size_t *actual);
/* DFU_OK -> dfuDNLOAD-IDLE, DFU_STAYS_BUSY -> dfuDNBUSY, else dfuERROR with that status. */
void dfuse_finish(struct dfu_machine *, unsigned status);

#endif
