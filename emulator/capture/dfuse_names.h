/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control transfers in words for people: chapter 9, DFU 1.1 and DfuSe. */
#ifndef DFUBENCH_DFUSE_NAMES_H
#define DFUBENCH_DFUSE_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include "usbdev.h"

/* One line, no newline, always NUL-terminated, cut to size (at least 1). Both return out. */

/* "DFU_DNLOAD block 2, 2048 bytes", "GET_DESCRIPTOR string 4, up to 255 bytes". Class requests 0 to 6 of an interface are
 * taken for DFU: what the interface really is does not show in a SETUP packet. */
char *dfuse_name_setup(const struct usb_setup *, char *out, size_t size);
/* What the data stage of that request says: "Set-Address 0x08000000", "dfuDNBUSY, OK, poll 100 ms"; "" if it says nothing
 * in particular. data holds the length bytes that moved. */
char *dfuse_name_payload(const struct usb_setup *, const uint8_t *data, size_t length, char *out, size_t size);

#define DFUSE_CODE_TEXT 32
/* bState and bStatus by name, "state 66" and "status 66" where DFU has none for them. Both return out. */
char *dfuse_name_state(unsigned state, char out[DFUSE_CODE_TEXT]);
char *dfuse_name_status(unsigned status, char out[DFUSE_CODE_TEXT]);

#endif
