/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of the pcapng format, shared by its writer and its reader (draft-ietf-opsawg-pcapng 4 and 3.5). */
#ifndef DFUBENCH_PCAPNG_FORMAT_H
#define DFUBENCH_PCAPNG_FORMAT_H

#include <stddef.h>

#define PCAPNG_SECTION 0x0a0d0d0au
#define PCAPNG_INTERFACE 1u
#define PCAPNG_OLD_PACKET 2u /* obsolete, but still met */
#define PCAPNG_SIMPLE_PACKET 3u
#define PCAPNG_NAMES 4u
#define PCAPNG_STATISTICS 5u
#define PCAPNG_ENHANCED_PACKET 6u
#define PCAPNG_SECRETS 10u
#define PCAPNG_MAGIC 0x1a2b3c4du

#define PCAPNG_END_OF_OPTIONS 0
#define PCAPNG_SHB_HARDWARE 2
#define PCAPNG_SHB_OS 3
#define PCAPNG_SHB_USERAPPL 4
#define PCAPNG_IF_NAME 2
#define PCAPNG_IF_TSRESOL 9
#define PCAPNG_IF_TSOFFSET 14
#define PCAPNG_EPB_DROPCOUNT 4
#define PCAPNG_ISB_IFDROP 5
#define PCAPNG_ISB_OSDROP 7

static inline size_t pcapng_padded(size_t length)
{
	return (length + 3) & ~(size_t)3;
}

#endif
