/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What DFU downloads would do to a real board that its rig file does not allow, or that is for ever. Whatever is not known for sure is
 * taken for the worst: which of several addresses the bootloader works on, and bytes that nobody can see.
 */
#ifndef DFUBENCH_BOARD_HARM_H
#define DFUBENCH_BOARD_HARM_H

#include "board_rig.h"
#include "profile.h"

#define HARM_WHY 400
#define HARM_AIMS 16

struct board_harm {
	const struct board_rig *rig;
	const struct mcu_profile *profile; /* NULL: the rig's is not known, which is told elsewhere */
	uint32_t aims[HARM_AIMS];          /* that the bootloader may work on */
	unsigned aim_count;
	bool aims_lost;    /* there are more */
	bool is_protected; /* read protection since some download before */
	bool refused;
	char why[HARM_WHY]; /* of the first that is refused: "erases the whole flash, which the rig ... does not allow" */
};

void harm_begin(struct board_harm *, const struct board_rig *);
void harm_refuse(struct board_harm *, const char *format, ...) __attribute__((format(printf, 2, 3)));

void harm_mass_erase(struct board_harm *);
void harm_unprotect(struct board_harm *);
void harm_options(struct board_harm *);                                           /* some change of them */
void harm_option_bytes(struct board_harm *, const uint8_t *bytes, size_t length); /* all of them, as they are mapped */
void harm_level(struct board_harm *, unsigned rdp);
/* So many bytes go there. data: NULL: nobody can see them, yet (later: who sees them asks again) or at all. */
void harm_write(struct board_harm *, uint32_t address, uint64_t length, const uint8_t *data, bool later);
/* The bootloader is told an address. certain: it has taken it, so that it no longer works on another one. */
void harm_aim(struct board_harm *, uint32_t address, bool certain);

/* A DFU_DNLOAD of so many bytes, of which known ones can be seen. */
struct harm_download {
	uint16_t block;
	const uint8_t *data;
	size_t known;
	uint64_t length; /* may be that of several blocks, one behind the other */
	bool taken;      /* what follows shows that it was carried out */
};
void harm_download(struct board_harm *, const struct harm_download *);

#endif
