/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boards behind a control socket: what rigs control and vhci have in common. */
#ifndef DFUBENCH_RIG_CONTROL_H
#define DFUBENCH_RIG_CONTROL_H

#include "rig.h"

/* What the dfuemu behind a socket is. */
struct control_facts {
	char profile[64];     /* of its first board, as mcu_profile_find() knows it */
	char application[16]; /* "0483:5740", or "none" */
	char time[24];        /* "real", "x20", "virtual" */
	bool captures;        /* into a file that can be read here */
};
/* 0; or -errno with why, and what to do. */
int control_look(const char *socket, struct control_facts *, char why[RIG_WHY]);

/* A dfuemu that the rig has started, which serves nobody else. */
struct server;
/* `dfuemu serve vhci` with what setup wants, ready; its control socket is in *socket, to be freed. NULL with why. */
struct server *server_start(const struct rig_setup *, char **socket, char why[RIG_WHY]);
void server_end(struct server *); /* NULL is fine */
/* 0, or -errno with why and what to do. */
int server_possible(char why[RIG_WHY]);

/* server: taken over, also on failure; NULL: the boards are somebody's, and are brought into the state of setup first. */
struct rig *control_rig_open(const struct rig_setup *, const char *socket, struct server *, char why[RIG_WHY]);

#endif
