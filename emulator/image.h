/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that holds the main flash of a board: raw, from the first byte of flash on. A file that is shorter stands for
 * flash that is erased after it; what is saved is the whole flash.
 */
#ifndef DFUBENCH_IMAGE_H
#define DFUBENCH_IMAGE_H

#include <stddef.h>
#include "flash.h"
#include "savefile.h"

struct image;

/* Opens, locks and loads path into flash, which starts at address base and must outlive the image. A missing file leaves
 * the flash as it is. note[] is "" or a line that the user should see. NULL with why[]. */
struct image *image_open(const char *path, struct flash *, uint32_t base, char note[SAVEFILE_WHY],
			 char why[SAVEFILE_WHY]);
/* Save it if the file is missing or the flash has changed since. 0; or -errno with why[], and the file is as it was. */
int image_save(struct image *, char why[SAVEFILE_WHY]);
void image_close(struct image *); /* does not save; NULL is fine */

#endif
