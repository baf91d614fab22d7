// SPDX-License-Identifier: GPL-2.0-or-later
/* `dfuhil rig check`: what the bootloader says of itself, and of the memory, which is looked at and never written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "dfu_client.h"
#include "option_bytes.h"
#include "protection.h"
#include "rig_check.h"

#define ASK_US UINT64_C(2000000)

bool rig_check_state(struct rig_check *c, const struct host_device *d)
{
	const struct mcu_profile *p = mcu_profile_find(c->rig->profile);
	struct rig_check_step *s = rig_check_begin(c, "start state");
	char why[DFU_CLIENT_WHY];
	struct dfu_client *client = dfu_client_open(p, d->bus, d->address, why);
	enum dfu_state state;
	enum dfu_status status;
	int r;

	snprintf(s->does, sizeof(s->does), "GETSTATUS");
	snprintf(s->expects, sizeof(s->expects), "%s, %s, as after a reset", dfu_state_name(p->boot_state),
		 dfu_status_name(p->boot_status));
	r = client ? dfu_client_state(client, &state, ASK_US) : -EACCES;
	if (!r)
		r = dfu_client_status(client, &state, &status);
	s->of_board = true;
	if (r)
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", client ? dfu_client_why(client) : why);
	else if (state == p->boot_state && status == p->boot_status)
		rig_check_end(c, s, RIG_CHECK_OK, "so it is");
	else {
		rig_check_mend(s,
			       "was it reset at all? In its bootloader before, and still: then NRST is not wired, or "
			       "'active' is the wrong way round");
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s, %s", dfu_state_name((unsigned)state),
			      dfu_status_name((unsigned)status));
	}
	dfu_client_close(client);
	return !r;
}

void rig_check_memory(struct rig_check *c)
{
	const struct mcu_profile *p = mcu_profile_find(c->rig->profile);
	struct rig_check_step *s = rig_check_begin(c, "memory");
	uint8_t flash[4], options[OPTION_MAX_BYTES];
	char why[DFU_CLIENT_WHY];
	struct dfu_client *client = NULL;
	struct host_device d;
	unsigned locked = 0;
	int r;

	snprintf(s->does, sizeof(s->does), "the start of the flash and the option bytes are read");
	snprintf(s->expects, sizeof(s->expects), "no protection");
	s->of_board = true;
	if (board_usb_rom(c->rig, &d, why)) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", why);
		return;
	}
	client = dfu_client_open(p, d.bus, d.address, why);
	r = client ? dfu_client_idle(client) : -EIO;
	if (!r)
		r = dfu_client_read(client, p->flash_base, flash, sizeof(flash));
	if (!r && p->option_banks[0].size_bytes)
		r = dfu_client_read(client, p->option_banks[0].base, options, p->option_banks[0].size_bytes);
	if (r == -EACCES && client) {
		rig_check_mend(s, "%s",
			       c->rig->allows & ALLOWS_RDP1
				       ? "scenarios take the protection away as they need it, which erases the board"
				       : "take it away, which erases the board: dfu-util -s :unprotect:force, or have "
					 "the file allow it ('allows: [rdp-1]')");
		rig_check_end(c, s, c->rig->allows & ALLOWS_RDP1 ? RIG_CHECK_WARNING : RIG_CHECK_FAILED,
			      "the board is read protected");
	} else if (r) {
		rig_check_end(c, s, RIG_CHECK_FAILED, "%s", client ? dfu_client_why(client) : why);
	} else {
		c->blank = !memcmp(flash, "\xff\xff\xff\xff", sizeof(flash));
		for (unsigned i = 0; !p->option_banks[1].size_bytes && i < protection_sector_count(p); i++)
			locked += protection_covers(p, options, i);
		if (locked)
			rig_check_mend(s,
				       "option bytes as they leave the factory have none; writing these sectors has no "
				       "effect, and no error");
		rig_check_end(c, s, locked ? RIG_CHECK_WARNING : RIG_CHECK_OK, "%s; %u sector%s write protected",
			      c->blank ? "no application is in it" : "it holds something", locked,
			      locked == 1 ? " is" : "s are");
	}
	dfu_client_close(client);
}
