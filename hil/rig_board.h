/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rig: a real board, its wires, this machine's USB. */
#ifndef DFUBENCH_RIG_BOARD_H
#define DFUBENCH_RIG_BOARD_H

#include "board_lock.h"
#include "board_rig.h"
#include "rig.h"

struct rig *rig_board_open(const struct board_rig *, const struct rig_setup *, char why[RIG_WHY]);

/* The board for this process alone, with its places of labgrid, until it ends or gives it back, whatever rigs are opened and closed
 * meanwhile: one run does not come between another's scenarios. NULL with why. */
struct rig_board_claim;
struct rig_board_claim *rig_board_claim(const struct board_rig *, int *error, char why[RIG_WHY]);
void rig_board_claim_free(struct rig_board_claim *); /* NULL is fine */

/* Tools tell boards by the ID of the ROM: of those on this machine with the same one, one at a time is in it. NULL with *error, -EBUSY
 * while another one is, and why, which says who has it. To be given back once the board has left its ROM. */
struct board_lock *rig_board_turn(const struct board_rig *, int *error, char why[WIRES_WHY]);

/* Before anything is touched: 0; or -errno with why, and what to do. */
int rig_board_possible(const struct board_rig *, char why[RIG_WHY]);
/* Set of rig_can, by what the file has and what can be read here. */
unsigned rig_board_can(const struct board_rig *);

#endif
