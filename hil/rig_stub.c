#include <stdio.h>
#include "rig.h"
struct rig *rig_control_open(const struct rig_setup *s, const char *k, char why[RIG_WHY]) { (void)s;(void)k; snprintf(why, RIG_WHY, "not built"); return NULL; }
struct rig *rig_vhci_open(const struct rig_setup *s, char why[RIG_WHY]) { (void)s; snprintf(why, RIG_WHY, "not built"); return NULL; }
