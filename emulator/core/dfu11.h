/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB DFU 1.1 to the letter, without DfuSe: one image from the start of flash on, blocks in order, dfuMANIFEST at its end
 * (DFU 1.1 chapters 6 and 7, appendix A.2; siblings.md DFU11 rows). bmAttributes of the functional descriptor say what the
 * device can do, and how the manifestation ends: back in dfuIDLE (bitManifestationTolerant), off the bus by itself
 * (bitWillDetach), or in dfuMANIFEST-WAIT-RESET.
 */
#ifndef DFUBENCH_DFU11_H
#define DFUBENCH_DFU11_H

#include "dfu_machine.h"

extern const struct dfu_protocol dfu11_protocol;

#endif
