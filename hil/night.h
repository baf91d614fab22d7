/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One night: scenarios with tools on one queue, rigs that take from it, what is looked into when something fails, and what is made
 * of it all. The objects of nightly.c and its files night_*.c.
 */
#ifndef DFUBENCH_NIGHT_H
#define DFUBENCH_NIGHT_H

#include <jansson.h>
#include "board_lock.h"
#include "history.h"
#include "nightly_options.h"
#include "report.h"
#include "results.h"
#include "runner.h"
#include "suite.h"

#define NIGHT_WHY 1024
#define NIGHT_CUT 4        /* exit status: the time was over before all had run */
#define NIGHT_UNRECORDED 5 /* exit status: all is well, but reports, captures or the history are not whole */

struct night;
struct lane;
struct night_case;

/* What a play is for. */
enum work {
	WORK_CASE,     /* a case on its rig, first or again */
	WORK_HEALTH,   /* before the first case: are the wires well, and does the board answer the runner's own host? */
	WORK_CONTROL,  /* the same after a failure */
	WORK_EMULATED, /* the case on the emulated board */
};
struct night_job {
	struct play_options play; /* first */
	enum work work;
	struct lane *lane; /* where it runs: for WORK_EMULATED that of the emulated board */
	struct night_case *c;
	struct night_job *next;
};

/* A rig, or the emulated board that failures are held against. */
enum lane_state { LANE_NEW, LANE_CHECKING, LANE_READY, LANE_OUT };
struct lane {
	struct night *night;
	const char *spec; /* of --rig; NULL: the emulated board */
	struct rig_choice *choice;
	char *name; /* of the rig, made different from those of the others; plain enough for a file */
	enum rig_time time;
	double scale;
	enum lane_state state;
	enum blame blame;        /* of LANE_OUT: BLAME_BOARD, BLAME_RIG */
	char *why;               /* of LANE_OUT */
	unsigned places;         /* scenarios at a time */
	struct board_lock *lock; /* NULL: none */
	struct night_job *queue;
	struct scenario *control;        /* what the runner's own host does; NULL: no such run is possible */
	unsigned controls, bad_controls; /* runs of it so far; bad ones at the end */
	int64_t runs[RUN_WORDS + 1];     /* of the history, by tool; of the runner's own host the last; 0: none yet */
	size_t played;
};

enum case_state { CASE_WAITS, CASE_RUNS, CASE_CLOSED };
struct night_case {
	struct night *night;
	const struct scenario *scenario;
	unsigned tool;
	enum case_state state;
	struct lane *lane;       /* that has taken it */
	struct results attempts; /* on its rig */
	unsigned bad, pending;   /* attempts that are bad; jobs that are under way */
	unsigned retries;
	bool known_flaky; /* by the history */
	bool asked_emulated, asked_control;
	enum verdict emulated; /* VERDICT_SKIPPED: was not asked */
	char *emulated_message;
	enum verdict control; /* likewise */
	char *control_message;
	/* once it is closed */
	enum verdict verdict;
	bool flaky, reached;
	enum blame blame;
	char *message, *reason, *capture; /* NULL: none */
	uint64_t seed;
	char *since; /* by the history: since when it fails; NULL: not known */
	bool is_new; /* it passed in the run before */
};

struct trouble {
	char *text;
	struct trouble *next;
};

struct night {
	const struct nightly_options *options;
	struct suite suite;
	struct lane *lanes; /* one for each --rig, and the emulated board */
	unsigned lane_count;
	struct lane **places;
	unsigned place_count;
	struct night_job **playing; /* by place; NULL: none */
	struct night_case *cases;
	size_t case_count;
	struct tool *host; /* stands for the tool where the runner's own host is at work */
	uint64_t until_us; /* of worker_now_us(); 0: none */
	int64_t started;   /* seconds since 1970 */
	uint64_t start_us; /* of worker_now_us() */
	/* records */
	struct history *history; /* NULL: is not open: night_history() */
	bool no_history;         /* and cannot be */
	char *folder;            /* of this night, absolute; NULL: none */
	int folder_lock;
	struct report_plan plan;
	struct report *people, *junit, *html, *json; /* NULL: has failed */
	struct trouble *troubles;                    /* what could not be recorded */
	char time[RUNNER_TIME];
	int signal;
	bool over;   /* the time was, before all had run */
	bool broken; /* it could not go on */
};

/* --- night_make.c --- */
/* Rigs and cases of the suite. 0, -ENOMEM, -EINVAL: problems are told. */
int night_make(struct night *, struct problems *);
void night_unmake(struct night *);
/* As if it had never run. */
void night_case_clear(struct night_case *);

/* --- night_queue.c --- */
/* Plays all, from the health of the rigs on: 0, or -errno with why. Each case is closed then, whatever came. */
int night_play(struct night *, char why[RUNNER_WHY]);
/* Lost to the night: its jobs, and the cases that no other rig can take. why is taken. */
void lane_out(struct lane *, enum blame, char *why);
void lane_empty(struct lane *); /* no jobs wait for it */
void job_free(struct night_job *);

/* --- night_control.c --- */
/* What the runner's own host does on that rig; NULL with why: nothing that it could do. */
struct scenario *night_control(const struct lane *, char why[NIGHT_WHY]);

/* --- night_blame.c --- */
/* Whose fault it is that the runner's own host met. */
enum blame night_fault(enum verdict control, const char *message);
/* Fills in what is known once nothing of the case is under way. False on ENOMEM. */
bool night_judge(struct night_case *, bool interrupted);

/* --- night_record.c --- */
/* All reports that there are; none that fails ends the night. */
void night_begin_records(struct night *);
void night_end_records(struct night *, bool interrupted);
struct history *night_history(struct night *);   /* NULL: there is none, as was told */
void night_lend_history(struct night *);         /* before a process is begun that may open it */
int64_t night_run(struct lane *, unsigned tool); /* of the history; 0: none */
void night_recall(struct night_case *);          /* what the history knows, before it runs */
/* play_scenario(), behind what try_rig asks for, with the capture where night_keep_capture() finds it: in no folder of the night's, whose disk may be full. */
struct result *night_play_one(const struct play_options *);
void night_keep_capture(struct night *, const struct night_job *, struct result *);
void night_remember(struct night_case *); /* its attempts, in the history alone */
void night_record_case(struct night_case *);
void night_record_health(struct lane *, const struct result *);
void night_record_unfit(struct lane *); /* no run was even tried */
void night_trouble(struct night *, const char *format, ...) __attribute__((format(printf, 2, 3)));
int64_t night_now(const struct night *); /* seconds since 1970, by the start and what has passed since */

/* --- night_folder.c --- */
/* A new folder for the night, marked and locked. 0; -ENOSPC or another -errno with why. */
int night_folder_new(struct night *, char why[NIGHT_WHY]);
/* Folders of other nights that are too old, or too many. */
void night_folder_clean(struct night *);
/* A file in the folder; to be freed. NULL on ENOMEM. */
char *night_path(const struct night *, const char *name);
char *night_captures(const struct night *, const struct lane *); /* the folder for captures; NULL: none */

/* --- night_lock.c --- */
/* The rig is this process's for the night. NULL with *error, and why, which names who has it. */
struct board_lock *night_lock(const char *spec, int *error, char why[NIGHT_WHY]);

/* --- night_summary.c --- */
int night_status(const struct night *);
/* Of one rig and one tool; of tool_count, the runner's own host. */
int night_status_of(const struct night *, const struct lane *, unsigned tool);
/* Since when what fails tonight does: after night_end_records(). */
void night_look_back(struct night *);
const char *night_verdict(int status); /* "tool failure" */
void night_print(const struct night *, int status, FILE *);
json_t *night_json(const struct night *, int status); /* NULL on ENOMEM */

/* --- night_hook.c --- */
/* sh -c COMMAND with the text as its input. 0; or -1 with why: its exit status, its signal, that it took too long. */
int night_hook(const char *command, const char *text, uint64_t limit_ms, char why[NIGHT_WHY]);

#endif
