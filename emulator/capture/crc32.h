/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CRC-32 as zip, PNG and `crc32` have it (polynomial 0x04C11DB7, reflected). */
#ifndef DFUBENCH_CRC32_H
#define DFUBENCH_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Of data that follow those of which crc is the sum; 0 to begin with. */
uint32_t crc32_add(uint32_t crc, const uint8_t *data, size_t length);

#endif
