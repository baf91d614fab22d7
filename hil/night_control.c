// SPDX-License-Identifier: GPL-2.0-or-later
/* A known-good run: the runner's own host erases, writes and reads a little, as the documents have it. It fails where the board does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "night.h"
#include "play.h"
#include "profile.h"
#include "rig_choice.h"
#include "text.h"

static char *script_of(const struct mcu_profile *p)
{
	const char *error = p->boot_state == DFU_ERROR ? "      clrstatus\n" : "";

	if (p->protocol != PROTOCOL_DFUSE)
		return text_format("      open within 15s\n      getstatus\n%s      getstatus -> dfuIDLE\n", error);
	return text_format("      open within 15s\n"
			   "      set-interface 0\n"
			   "      getstatus\n%s"
			   "      getstatus -> dfuIDLE\n"
			   "      erase 0x%08x\n"
			   "      settle\n"
			   "      set-address 0x%08x\n"
			   "      settle\n"
			   "      dnload 2 file image\n"
			   "      settle\n"
			   "      abort\n"
			   "      getstatus -> dfuIDLE\n"
			   "      set-address 0x%08x\n"
			   "      settle\n"
			   "      abort\n"
			   "      upload 2 %u -> file image\n"
			   "      abort\n"
			   "      getstatus -> dfuIDLE\n",
			   error, p->flash_base, p->flash_base, p->flash_base, p->transfer_size_bytes);
}

static struct scenario *scenario_for(const struct lane *lane, const struct mcu_profile *p, bool application,
				     struct problems *problems)
{
	bool usual = p == mcu_profile_find("f407"); /* a rig that has no other can do that */
	char *script = script_of(p);
	char *name = text_format("health/%s.yaml", lane->name);
	char *text = script ? text_format("name: the board answers the runner's own host\n"
					  "why: What fails here is no tool's fault.\n"
					  "reference: AN3156\n"
					  "board: {application: %s%s%s}\n"
					  "files: {image: {size: %u, seed: 71}}\n"
					  "steps:\n"
					  "  - bootloader\n"
					  "  - host: |\n%s",
					  application ? "true" : "false",
					  usual ? "" : ", profile: ", usual ? "" : p->name, p->transfer_size_bytes,
					  script)
			    : NULL;
	struct scenario *s = text && name ? scenario_parse(name, text, strlen(text), problems) : NULL;

	free(script);
	free(name);
	free(text);
	return s;
}

/* The rig knows what it has: the first that nothing is in the way of. */
struct scenario *night_control(const struct lane *lane, char why[NIGHT_WHY])
{
	struct problems *problems = problems_new();
	struct scenario *found = NULL;
	char obstacle[RIG_WHY];

	snprintf(why, NIGHT_WHY, "%s", strerror(ENOMEM));
	for (size_t i = 0; problems && !found && mcu_profiles[i]; i++) {
		for (int application = 1; !found && application >= 0; application--) {
			struct scenario *s = scenario_for(lane, mcu_profiles[i], application, problems);
			struct play_options play = { .scenario = s, .tool = lane->night->host, .rig = lane->choice };

			if (s && !play_obstacle(&play, obstacle)) {
				found = s;
			} else if (s) {
				if (!i && application)
					snprintf(why, NIGHT_WHY, "%s", obstacle);
				scenario_free(s);
			}
		}
	}
	if (problems && problems_count(problems)) {
		problems_print(problems, stderr, false);
		snprintf(why, NIGHT_WHY, "the scenario of it has a mistake");
	}
	problems_free(problems);
	return found;
}
