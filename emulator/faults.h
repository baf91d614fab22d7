/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault rules for people, and what they do to a board. */
#ifndef DFUBENCH_FAULTS_H
#define DFUBENCH_FAULTS_H

#include "fault.h"
#include "fault_rule.h"

#define FAULTS_WHY 640

/* The context is the struct mcu. */
extern const struct fault_ops faults_mcu_ops;

/* 0; or -EINVAL with why[]: the column, what is there, what was expected, and what may have been meant. */
int faults_parse(const char *text, struct fault_rule *, char why[FAULTS_WHY]);

#endif
