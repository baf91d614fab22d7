/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ioctls of /dev/raw-gadget. All return -errno for failures; most block. */
#ifndef DFUBENCH_RAW_IO_H
#define DFUBENCH_RAW_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "front.h"

#define RAW_HEAD 8u /* bytes that a buffer has room for before its data */

enum raw_event { RAW_CONNECT = 1, RAW_CONTROL, RAW_SUSPEND, RAW_RESUME, RAW_RESET, RAW_DISCONNECT };

/* -1 with why[]. */
int raw_open(char why[FRONT_WHY]);
/* On the bus, as a device of that speed. Closing takes it off. */
int raw_run(int fd, const char *driver, const char *udc, enum usb_speed speed);
/* Waits for the next one. RAW_SUSPEND and what follows it: not from the module of Linux 6.1, from that of 6.12. */
int raw_fetch(int fd, uint8_t setup[8]);
int raw_stall(int fd);
int raw_configure(int fd, uint8_t max_power); /* bMaxPower */

/* Wait until the host has moved it: how much. zero_ends: it expects more, whole packets need an empty one behind them. */
long raw_control_read(int fd, uint8_t *buffer, size_t length);
long raw_control_write(int fd, uint8_t *buffer, size_t length, bool zero_ends);
long raw_read(int fd, uint16_t handle, uint8_t *buffer, size_t length);
long raw_write(int fd, uint16_t handle, uint8_t *buffer, size_t length);

/* descriptor: of an endpoint, 7 bytes. The handle. */
int raw_enable(int fd, const uint8_t *descriptor);
int raw_disable(int fd, uint16_t handle);

#endif
