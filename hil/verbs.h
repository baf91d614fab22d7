/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the verbs share, and the fields of each: the rows themselves stand in verbs.c. */
#ifndef DFUBENCH_VERBS_H
#define DFUBENCH_VERBS_H

#include "play_internal.h"
#include "verb.h"

typedef enum play_outcome verb_run(struct play *, const struct step *);
typedef void verb_check(const struct step *, const struct scenario *, unsigned *needs, struct problems *);

/* --- verbs_pins.c --- */
extern const struct field bootloader_fields[], application_fields[], level_fields[], reset_fields[], power_fields[],
	wait_fields[];
verb_run run_bootloader, run_application, run_boot0, run_boot1, run_reset, run_power, run_unplug, run_plug,
	run_software_entry, run_wait;
verb_check check_wait;

/* --- verbs_application.c --- */
extern const struct field console_fields[], led_fields[], button_fields[];
verb_run run_console, run_led, run_button;
verb_check check_console, check_led, check_button;

/* --- verbs_prepare.c --- */
extern const struct field prepare_fields[], fault_fields[], snapshot_fields[];
verb_run run_prepare, run_fault, run_snapshot;
verb_check check_prepare, check_fault;

/* --- verbs_tool.c --- */
extern const struct field list_fields[], download_fields[], upload_fields[], erase_fields[], mass_erase_fields[],
	leave_fields[], set_option_bytes_fields[], run_fields[];
verb_run run_operation, run_words;
verb_check check_operation;

/* --- verbs_host.c --- */
extern const struct field host_fields[];
verb_run run_host;
verb_check check_host;
/* Plays a script of dfuhil host, which stands at mark. */
enum play_outcome play_script(struct play *, const struct step *, struct mark, const char *script);

/* --- verbs_flash.c --- */
extern const struct field flash_fields[], sectors_fields[];
verb_run run_flash, run_sectors;
verb_check check_flash, check_sectors;

/* --- verbs_board.c --- */
extern const struct field options_fields[], state_fields[], file_verb_fields[];
verb_run run_options, run_state, run_file;
verb_check check_options, check_state, check_file;

/* --- verbs_transcript.c --- */
extern const struct field requests_fields[], findings_fields[];
verb_run run_requests, run_findings;
verb_check check_requests, check_findings;
/* The requests that a step is about, by its field `of`. */
struct requests_part {
	const struct transcript *transcript;
	size_t first, end;
};
bool requests_of(struct play *, const struct step *, struct requests_part *); /* false after play_error() */
/* The first match at or after *at, which then stands behind it; NULL: none, or an error that was told. */
const struct exchange *requests_find(struct play *, const struct requests_part *, const char *pattern, size_t *at);
bool requests_tool_before(const struct step *, const struct scenario *);
extern const char *const requests_whole[];
#define FIELD_OF \
	{ \
		.name = "of", .type = FIELD_CHOICE, .choices = requests_whole, \
		.help = "tool (the last that ran) or scenario (all since the start); tool without it" \
	}

/* --- verbs_measure.c --- */
extern const struct field measure_fields[];
verb_run run_measure;
verb_check check_measure;

/* Tells a mistake in a step unless problems is NULL. */
#define STEP_WRONG(step, problems, ...) \
	((problems) ? problems_add((problems), (step)->mark, NULL, __VA_ARGS__) : (void)0)

/* The step is about code that runs: the scenario's flash has to be what runs as the application. */
void check_runs_firmware(const struct step *, const struct scenario *, struct problems *);

/* The console has not said it: told with its last lines. */
enum play_outcome fail_silent(struct play *, const struct step *, const char *regex, uint64_t within_us);

/* Bytes of a FIELD_CHOICE of low and high. */
extern const char *const verb_levels[], *const verb_erase_times[];

/* How many of these fields of the arguments are given; names ends with NULL. */
unsigned given_of(const struct object *, const char *const *names);
/* The snapshot that `since` names (otherwise: that one); NULL after play_error(). */
const struct snapshot *since(struct play *, const struct object *, const char *otherwise);
/* Does a step before this one run a tool? */
bool tool_before(const struct step *, const struct scenario *);
/* Is a snapshot of that name taken before this step, and a tool run if it is that before the tool? Tells if not. */
void check_since(const struct step *, const struct scenario *, struct problems *);

#define FIELD_SINCE \
	{ \
		.name = "since", .type = FIELD_TEXT, .help = "name of the snapshot; before-tool without it" \
	}

/* Does a list of numbers have this one? */
bool verb_lists(const struct value *list, uint64_t number);
/* The numbers of a list, or of what is set; "none". */
void verb_sectors(char *out, size_t size, const struct value *list, const bool *set, unsigned count);
/* At most sixteen bytes as digits; out. */
const char *verb_bytes(const uint8_t *bytes, size_t length, char out[64]);

#endif
