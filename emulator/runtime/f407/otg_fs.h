/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OTG_FS of an STM32F407 as a device: its registers, FIFOs and interrupt, between firmware and the wire. Host mode is not there. Rules
 * are RM0090 Rev 21's: 34.5 what a device is, 34.11 and 34.13 FIFOs, 34.15 interrupts, 34.16 registers, 34.17.5 and 34.17.6 what
 * happens when. otg_fs.md says register by register what is modelled, and who decided where the manual does not.
 *
 * otg_fs_read() and otg_fs_write() are the firmware's: they call interrupt() and unknown(), and never sync(). Packets, resets and the
 * like come by events of the bench, and call sync() first; the firmware may write any register from within it.
 */
#ifndef DFUBENCH_OTG_FS_H
#define DFUBENCH_OTG_FS_H

#include <stdbool.h>
#include <stdint.h>
#include "bench.h"
#include "usbdev.h"

struct otg_fs;

struct otg_fs_user {
	void (*interrupt)(void *context, bool level); /* the line's new level (34.15; NVIC position 67) */
	/* Before the wire touches registers or FIFOs: the firmware is to be brought up to bench_now_us(). */
	void (*sync)(void *context);
	/* A register that is not modelled was touched: told once for each. */
	void (*unknown)(void *context, uint32_t offset, bool write);
	void *context;
};

/* NULL on ENOMEM. user is copied; every member is required. Reset, without clock and VBUS. */
struct otg_fs *otg_fs_new(struct bench *, const struct otg_fs_user *user);
void otg_fs_free(struct otg_fs *); /* detaches first; not from within a callback; NULL is fine */
struct usbdev *otg_fs_usbdev(struct otg_fs *);
void otg_fs_reset(struct otg_fs *);          /* system reset, or by RCC: detaches */
void otg_fs_clock(struct otg_fs *, bool on); /* RCC_AHB2ENR: without, registers read 0 and writes are lost */
/* PA9 (34.5.2). Without, the host is gone too, whatever the firmware makes of it: the bus is silent. Not from within sync(). */
void otg_fs_vbus(struct otg_fs *, bool present);
/* offset from 0x50000000, below 0x40000 (34.16.1); whole words, as 34.16 has them (narrower accesses are the caller's to widen) */
uint32_t otg_fs_read(struct otg_fs *, uint32_t offset);
void otg_fs_write(struct otg_fs *, uint32_t offset, uint32_t value);

#endif
