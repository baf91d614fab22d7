#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The file of the history stays whole whatever happens to those who write, and is left alone when it is not.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/history_nights.sh"

# whole RUNS-AT-LEAST: the file is in order, says SQLite itself
whole()
{
  python3 - "$1" <<'END'
import sqlite3, sys
db = sqlite3.connect('h.sqlite')
assert db.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
assert db.execute('PRAGMA foreign_key_check').fetchall() == []
runs = db.execute('SELECT count(*) FROM run').fetchone()[0]
assert runs >= int(sys.argv[1]), runs
END
}

# Whatever a writer was told to be written is there after it has been killed; of what it was at, all or nothing is.
killed()
{
  timeout 120 python3 - "$writer" "$dfuhil" <<'END'
import random, sqlite3, subprocess, sys, time
writer, dfuhil = sys.argv[1:]
random.seed(1)
runs = jobs = erases = journals = 0
for round in range(50):
    w = subprocess.Popen([writer, 'h.sqlite'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    def say(*words):
        w.stdin.write('\t'.join(words) + '\n')
        w.stdin.flush()
    def done():
        while True:
            line = w.stdout.readline()
            assert line, 'the writer has gone'
            if line == 'ok\n':
                return
    say('begin', 'desk', 'dfu-util', '0.11', '2026-03-01')
    done()
    runs += 1
    for i in range(random.randrange(6)):
        say('add', 'smoke/list', 'failed', '1', 'tool', 'passed', '1000', 'x' * random.randrange(9000))
        done()
        jobs += 1
        say('wear', 'A', str(i), '1', '1000')
        done()
        erases += 1
    # The next ones are under way when the end comes.
    for i in range(3):
        say('add', 'smoke/list', 'failed', '1', 'tool', 'passed', '1000', 'x' * 9000)
        say('wear', 'A', str(i), '1', '1000')
    until = time.monotonic() + random.random() * 0.01
    while time.monotonic() < until:
        pass
    w.kill()
    w.wait()
    said = subprocess.run([dfuhil, 'history', '--history', 'h.sqlite'], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert said.stdout.count('unfinished') == runs, said.stdout
    db = sqlite3.connect('h.sqlite')
    assert db.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
    now = [db.execute(f'SELECT {what}').fetchone()[0] or 0 for what in
           ('count(*) FROM run', 'count(*) FROM job', 'sum(erases) FROM wear', 'sum(erases) FROM erase')]
    assert now[0] == runs and jobs <= now[1] <= jobs + 3, (now, runs, jobs)
    assert erases <= now[2] <= erases + 3 and now[3] == now[2], (now, erases)
    jobs, erases = now[1], now[2]
    db.close()
END
  whole 50
}

# A journal that a killed writer has left brings back what was there before.
journal()
{
  five_nights
  cp h.sqlite before
  python3 - <<'END'
import os, sqlite3
db = sqlite3.connect('h.sqlite', isolation_level=None)
db.execute('PRAGMA cache_spill = 1')
db.execute('PRAGMA cache_size = 1')
db.execute('BEGIN IMMEDIATE')
db.execute('UPDATE job SET message = ?', ('x' * 200000,))
os._exit(0)
END
  [ -s h.sqlite-journal ]
  if cmp h.sqlite before; then
    return 1
  fi
  history first-bad
  says said 'fails since run 4'
  cmp h.sqlite before
}

two_writers()
{
  local i pids=()

  for i in 1 2 3 4; do
    {
      line begin "rig-$i" dfu-util 0.11 2026-03-01
      for ((n = 0; n < 25; n++)); do
        good "smoke/$n"
        line wear A 0x08000000 1 1000
      done
      line end 0 'all done' 2026-03-01
    } | "$writer" h.sqlite >"acks-$i" 2>"errors-$i" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i" || { cat errors-* && return 1; }
  done
  history
  [ "$(grep -c 'dfu-util 0.11      25       0 ' said)" -eq 4 ]
  history wear --json
  sees "d['sectors'][0]['erases'] == 100"
  whole 4
}

# full FILE PROBLEM: a file that cannot take more: told, and the rest is as it was
full()
{
  local before

  before=$(python3 -c 'import sqlite3, sys; print(list(sqlite3.connect(sys.argv[1]).iterdump()))' "$1")
  {
    line begin desk dfu-util 0.12 2026-03-06
    python3 -c 'while True: print("add", "smoke/more", "failed", "1", "tool", "passed", "1000", "x" * 4000, sep="\t")' 2>/dev/null || true
  } | ends 1 "$writer" "$1"
  says said "cannot write the history '$1': $2"
  [ "$(grep -c '^ok' said)" -ge 2 ]
  "$dfuhil" history --history "$1" show last --json >said
  sees "d['run'] == 6 and len(d['jobs']) > 0"
  python3 - "$1" "$before" <<'END'
import sqlite3, sys
db = sqlite3.connect(':memory:')
sqlite3.connect(sys.argv[1]).backup(db)
assert db.execute('PRAGMA integrity_check').fetchall() == [('ok',)]
db.execute('DELETE FROM job WHERE run = 6')
db.execute('DELETE FROM run WHERE id = 6')
assert [x for x in db.iterdump() if 'sqlite_sequence' not in x] == [x for x in eval(sys.argv[2]) if 'sqlite_sequence' not in x]
END
}

full_disk()
{
  need unshare
  unshare -rm true 2>/dev/null || skip 'no namespaces for a file system of our own'
  five_nights
  export -f full line sees ends says
  export dfuhil writer
  unshare -rm bash -e -c 'mkdir small; mount -t tmpfs -o size=256k none small; cp h.sqlite small; full small/h.sqlite "No space left on device"'
}

file_too_large()
{
  five_nights
  trap '' XFSZ
  ulimit -f 128
  full h.sqlite 'disk I/O error'
}

# A file that nobody may write to can be read.
read_only()
{
  need unshare
  unshare -rm true 2>/dev/null || skip 'no namespaces for a file system of our own'
  five_nights
  mkdir there
  mv h.sqlite there
  # shellcheck disable=SC2016 # that shell's
  unshare -rm bash -c 'mount --bind there there && mount -o remount,ro,bind there && "$0" history --history there/h.sqlite first-bad &&
    { "$0" history --history there/h.sqlite --forget-before 1d; echo "status $?"; }' "$dfuhil" >out 2>&1
  says out 'fails since run 4'
  says out "cannot write the history 'there/h.sqlite': it may only be read"
  says out 'status 2'
}

# Bits that were turned over, ends that are missing, rubbish: told or not noticed, but never a crash, and never changed.
damaged()
{
  five_nights
  timeout 250 python3 - "$dfuhil" "$writer" <<'END'
import hashlib, random, subprocess, sys
dfuhil, writer = sys.argv[1:]
random.seed(7)
good = open('h.sqlite', 'rb').read()
cases = [b'\0', b'SQLite format 3\0', b'\0' * 4096, bytes(random.randrange(256) for i in range(9000)), good[:100], good[:4096], good[:-1],
         good[:len(good) // 2], good + b'\0' * 5000, good[4096:], good[:16] + b'\xff' * 84 + good[100:]]
for i in range(60):
    damaged = bytearray(good)
    for j in range(random.choice((1, 1, 8, 200))):
        damaged[random.randrange(len(good) if i % 2 else 200)] ^= 1 << random.randrange(8)
    cases.append(bytes(damaged))
for i in range(0, len(good), 4096):
    cases.append(good[:i] + bytes(random.randrange(256) for i in range(4096)) + good[i + 4096:])
refused = 0
for number, data in enumerate(cases):
    for what in ('runs', 'trends', 'first-bad', 'wear', 'write'):
        open('d.sqlite', 'wb').write(data)
        if what == 'write':
            p = subprocess.run([writer, 'd.sqlite'], input=b'', capture_output=True)
        else:
            p = subprocess.run([dfuhil, 'history', '--history', 'd.sqlite', what], capture_output=True)
        assert 0 <= p.returncode <= 2, (number, what, p)
        if p.returncode:
            assert b"'d.sqlite'" in p.stderr and not p.stdout, (number, what, p)
            refused += 1
        assert open('d.sqlite', 'rb').read() == data, (number, what, 'it was changed')
assert refused > 150, refused
END
}

forgets()
{
  five_nights
  history --forget-before 2026-03-03
  says said '2 runs before 2026-03-03 00:00 UTC forgotten'
  history runs --json
  sees "[r['run'] for r in d['runs']] == [3, 4, 5]"
  history wear --json
  sees "d['sectors'][0]['erases'] == 150"
  history erases --json
  sees "d['sectors'][0]['by-day'][0]['day'] == '2026-03-03'"
  history --forget-before 2d
  says said '2 runs before 2026-03-04 12:00 UTC forgotten'
  history --forget-before 1h
  says said '1 run before'
  history
  history first-bad
  history --html page.html
  says page.html 'There are no runs.'
  whole 0
}

later 'a history whose writer is killed 50 times has all that was told to be in it' killed
later 'the journal of a killed writer brings back what was there' journal
later 'several writers at once' two_writers
later 'a full disk is told, and the history is as it was' full_disk
later 'a file that must not grow is told, and the history is as it was' file_too_large
later 'a history that may only be read is read' read_only
later 'damaged histories are refused, and left as they are' damaged
later 'old runs are forgotten, wear is not' forgets
finish
