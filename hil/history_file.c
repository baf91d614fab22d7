// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of the history: where it is, what tables it has, whether it is in order. The journal is the kind that goes when the
 * transaction has ended, not a write-ahead log: the history is one file that can be copied, and homes on a network work too.
 */
#include "history_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "text.h"

#define APPLICATION 0x64667562 /* "dfub": PRAGMA application_id */
#define PATIENCE_MS 30000      /* for others that write */
#define STRING(x) #x
#define NUMBER(x) STRING(x)

static const char tables[] =
	"CREATE TABLE run(id INTEGER PRIMARY KEY AUTOINCREMENT, rig TEXT NOT NULL, serial TEXT, tool TEXT NOT NULL,"
	" tool_version TEXT, host TEXT, started INTEGER NOT NULL, ended INTEGER, exit_status INTEGER, summary TEXT);"
	"CREATE TABLE job(id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,"
	" scenario TEXT NOT NULL, repeat INTEGER NOT NULL, attempt INTEGER NOT NULL, verdict TEXT NOT NULL,"
	" emulated TEXT NOT NULL, blame TEXT NOT NULL, message TEXT, place TEXT, seed INTEGER NOT NULL,"
	" board_us INTEGER NOT NULL, wall_us INTEGER NOT NULL, capture TEXT);"
	"CREATE INDEX job_of_run ON job(run);"
	"CREATE INDEX job_of_scenario ON job(scenario, run);"
	"CREATE TABLE wear(serial TEXT NOT NULL, sector INTEGER NOT NULL, erases INTEGER NOT NULL,"
	" PRIMARY KEY(serial, sector));"
	"CREATE TABLE erase(serial TEXT NOT NULL, sector INTEGER NOT NULL, day INTEGER NOT NULL, erases INTEGER NOT "
	"NULL,"
	" slowest_us INTEGER NOT NULL, PRIMARY KEY(serial, sector, day));";

#define SHAPE \
	"SELECT group_concat(type || name || sql, ';') FROM" \
	" (SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name)"

static char *instead; /* of the default, in this process and its forks */

int history_use(const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return -ENOMEM;
	free(instead);
	instead = copy;
	return 0;
}

char *history_default_path(char why[HISTORY_WHY])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path;

	if (instead) {
		path = strdup(instead);
		if (!path)
			snprintf(why, HISTORY_WHY, "no memory");
		return path;
	}
	/* XDG Base Directory Specification: a path that is not absolute is to be ignored. */
	if (state && *state == '/')
		path = text_format("%s/dfubench/history.sqlite", state);
	else if (home && *home == '/')
		path = text_format("%s/.local/state/dfubench/history.sqlite", home);
	else {
		snprintf(why, HISTORY_WHY, "there is no place for the history: neither XDG_STATE_HOME nor HOME is set");
		return NULL;
	}
	if (!path)
		snprintf(why, HISTORY_WHY, "no memory");
	return path;
}

static int say(char why[HISTORY_WHY], int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int say(char why[HISTORY_WHY], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, HISTORY_WHY, format, args);
	va_end(args);
	return error;
}

int history_fail(struct history *h, const char *doing, char why[HISTORY_WHY])
{
	int code = sqlite3_extended_errcode(h->db), error = sqlite3_system_errno(h->db);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return say(why, -ENOSPC, "cannot %s the history '%.200s': %s", doing, h->path, strerror(ENOSPC));
	case SQLITE_BUSY:
		return say(why, -EBUSY, "cannot %s the history '%.200s': another process has had it for %u s", doing,
			   h->path, PATIENCE_MS / 1000);
	case SQLITE_NOTADB:
		return say(why, -EUCLEAN,
			   "'%.200s' is no history, or its start is damaged: it is left as it is; move it away, or put "
			   "a copy in its place",
			   h->path);
	case SQLITE_CORRUPT:
		return say(why, -EUCLEAN,
			   "the history '%.200s' is damaged (%.150s): it is left as it is; move it away, or put a copy "
			   "in its place",
			   h->path, sqlite3_errmsg(h->db));
	case SQLITE_READONLY:
		return say(why, -EACCES, "cannot %s the history '%.200s': it may only be read", doing, h->path);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_IOERR:
		return say(why, error ? -error : -EIO, "cannot %s the history '%.200s': %s", doing, h->path,
			   error ? strerror(error) : sqlite3_errmsg(h->db));
	case SQLITE_NOMEM:
		return say(why, -ENOMEM, "cannot %s the history '%.200s': no memory", doing, h->path);
	default:
		return say(why, -EIO, "cannot %s the history '%.200s': %.200s", doing, h->path, sqlite3_errmsg(h->db));
	}
}

/* The first column of the first row: a number, or a copy of the text. 0 or -errno with why. */
static int ask(struct history *h, const char *sql, int64_t *number, char **copy, char why[HISTORY_WHY])
{
	sqlite3_stmt *s = history_sql(h, why, sql, "");
	int r = 0;

	if (!s)
		return -EIO;
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		if (number)
			*number = sqlite3_column_int64(s, 0);
		if (copy && !(*copy = strdup(history_text(s, 0))))
			r = say(why, -ENOMEM, "no memory");
		break;
	case SQLITE_DONE:
		r = say(why, -EUCLEAN, "the history '%.200s' does not answer", h->path);
		break;
	default:
		r = history_fail(h, "read", why);
	}
	sqlite3_finalize(s);
	return r;
}

/* The tables of the file are, word for word, those above. */
static int compare(struct history *h, char why[HISTORY_WHY])
{
	struct history model = { NULL, "a model" };
	char *mine = NULL, *its = NULL;
	int r = -ENOMEM;

	if (sqlite3_open_v2(":memory:", &model.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ||
	    sqlite3_exec(model.db, tables, NULL, NULL, NULL))
		say(why, r, "no memory");
	else
		r = ask(&model, SHAPE, NULL, &mine, why);
	if (!r)
		r = ask(h, SHAPE, NULL, &its, why);
	if (!r && strcmp(mine, its) != 0)
		r = say(why, -EUCLEAN,
			"the history '%.200s' is damaged: its tables are not those of format %d; it is left as it is",
			h->path, HISTORY_FORMAT);
	free(mine);
	free(its);
	sqlite3_close(model.db);
	return r;
}

static int check(struct history *h, char why[HISTORY_WHY])
{
	char *found = NULL;
	int r = compare(h, why);

	if (!r)
		r = ask(h, "PRAGMA quick_check(1)", NULL, &found, why);
	if (!r && strcmp(found, "ok") != 0)
		r = say(why, -EUCLEAN,
			"the history '%.200s' is damaged (%.150s): it is left as it is; move it away, or put a copy in "
			"its place",
			h->path, found + strspn(found, "*\n "));
	free(found);
	return r;
}

/* Whose file it is. *empty: nobody's yet. */
static int identify(struct history *h, bool *empty, char why[HISTORY_WHY])
{
	int64_t application = 0, format = 0, objects = 0;
	int r = ask(h, "PRAGMA application_id", &application, NULL, why);

	if (!r)
		r = ask(h, "PRAGMA user_version", &format, NULL, why);
	if (!r)
		r = ask(h, "SELECT count(*) FROM sqlite_master", &objects, NULL, why);
	if (r)
		return r;
	*empty = !application && !format && !objects;
	if (*empty)
		return 0;
	if (application != APPLICATION)
		return say(why, -EUCLEAN, "'%.200s' is a database of something else, no history: it is left as it is",
			   h->path);
	if (format > HISTORY_FORMAT)
		return say(why, -EUCLEAN,
			   "the history '%.200s' has format %lld, of a later dfuhil; this one (" DFUBENCH_VERSION
			   ") knows up to %d",
			   h->path, (long long)format, HISTORY_FORMAT);
	if (format < 1)
		return say(why, -EUCLEAN, "the history '%.200s' is damaged: it has format %lld; it is left as it is",
			   h->path, (long long)format);
	return 0;
}

int history_tables(struct history *h, bool make, char why[HISTORY_WHY])
{
	bool empty = false;
	struct stat st;
	int r = identify(h, &empty, why);

	if (!r && !empty)
		return check(h, why);
	if (r || !make)
		return r ? r
			 : say(why, -ENOENT, "the history '%.200s' is empty: nothing has been recorded in it", h->path);
	/* Others may be about to do so too: the first one does. */
	if (sqlite3_exec(h->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		return history_fail(h, "write", why);
	r = identify(h, &empty, why);
	/* SQLite takes a few bytes of anything for an empty database too. */
	if (!r && empty && stat(h->path, &st) == 0 && st.st_size)
		r = say(why, -EUCLEAN, "'%.200s' is no history: it is left as it is", h->path);
	if (!r && empty &&
	    (sqlite3_exec(h->db, tables, NULL, NULL, NULL) ||
	     sqlite3_exec(
		     h->db,
		     "PRAGMA application_id = " NUMBER(APPLICATION) ";PRAGMA user_version = " NUMBER(HISTORY_FORMAT),
		     NULL, NULL, NULL)))
		r = history_fail(h, "write", why);
	if (!r && sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL))
		r = history_fail(h, "write", why);
	if (r)
		sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* The folders of the default are made, as private as the specification wants them. */
static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700); /* that there is none shows when the file is opened */
		*slash = '/';
	}
}

static int configure(struct history *h, char why[HISTORY_WHY])
{
	sqlite3_extended_result_codes(h->db, 1);
	sqlite3_busy_timeout(h->db, PATIENCE_MS);
	/* Nothing in a file runs: it may come from somebody else. */
	sqlite3_db_config(h->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(h->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(h->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(h->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_db_config(h->db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	/* What was recorded stays when the mains fail. */
	if (sqlite3_exec(h->db, "PRAGMA synchronous = EXTRA; PRAGMA cell_size_check = ON", NULL, NULL, NULL))
		return history_fail(h, "open", why);
	return 0;
}

static struct history *open_path(char *path, bool make, char why[HISTORY_WHY])
{
	struct history *h = path ? calloc(1, sizeof(*h)) : NULL;
	/* A name is a name: "", ":memory:" and "file:..." mean something else to SQLite. */
	char *name = path ? text_format("%s%s", *path == '/' ? "" : "./", path) : NULL;
	struct stat st;
	int r = -ENOMEM;

	if (!h || !name) {
		say(why, r, "no memory");
		free(path);
		free(name);
		free(h);
		return NULL;
	}
	h->path = path;
	if (!*path)
		r = say(why, -ENOENT, "cannot open the history '': %s", strerror(ENOENT));
	else if (!stat(name, &st) && !S_ISREG(st.st_mode))
		r = say(why, -EINVAL, "cannot open the history '%.200s': it is not a regular file", path);
	else if (sqlite3_open_v2(name, &h->db, SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0), NULL))
		r = h->db ? history_fail(h, "open", why) : say(why, -ENOMEM, "no memory");
	else
		r = configure(h, why);
	if (!r)
		r = history_tables(h, make, why);
	free(name);
	if (!r)
		return h;
	history_close(h);
	return NULL;
}

struct history *history_open(const char *path, char why[HISTORY_WHY])
{
	char *own = path ? strdup(path) : history_default_path(why);

	if (!path && !own)
		return NULL;
	if (!path)
		make_folders(own);
	return open_path(own, true, why);
}

struct history *history_open_existing(const char *path, char why[HISTORY_WHY])
{
	char *own = path ? strdup(path) : history_default_path(why);

	return !path && !own ? NULL : open_path(own, false, why);
}

void history_close(struct history *h)
{
	if (!h)
		return;
	sqlite3_close(h->db);
	free(h->path);
	free(h);
}
