#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil history: what was injected into five nights is found and named; the file stays whole whatever happens to those who write.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
writer=$build/tools/history-writer

if [ ! -x "$dfuhil" ]; then
  echo "skip - dfuhil history: it is not in this build"
  exit 0
fi
export XDG_STATE_HOME=/nowhere DFUBENCH_NOW=2026-03-06T12:00
unset NO_COLOR

# line WORD...: for the writer, with tabs between
line()
{
  local IFS=$'\t'

  printf '%s\n' "$*"
}

# good SCENARIO...: passed at once
good()
{
  local scenario

  for scenario; do
    line add "$scenario" passed 1 '' passed 150000 ''
  done
}

# night DAY VERSION: a run in March 2026 of what standard input adds
night()
{
  line begin desk dfu-util "$2" "2026-03-0${1}T02:00"
  cat
  line end 0 'a night' "2026-03-0${1}T02:10"
}

# Five nights in which nothing changes but what is injected: a flake in the third, a regression that came with 0.12 in the fourth.
# In the second the rig fails once, which is nobody else's fault.
five_nights()
{
  {
    good smoke/list smoke/download smoke/upload | night 1 0.11
    {
      good smoke/list smoke/upload
      line add smoke/download error 1 rig skipped 90000 'relay 1: No such device'
      line add smoke/download passed 2 '' passed 150000 ''
    } | night 2 0.11
    {
      good smoke/list smoke/download
      line add smoke/upload failed 1 board passed 160000 'flash at 0x08000400 is 0xff instead of 0x3a'
      line add smoke/upload passed 2 '' passed 150000 ''
    } | night 3 0.11
    for day in 4 5; do
      {
        good smoke/list smoke/upload
        for attempt in 1 2; do
          line add smoke/download failed "$attempt" tool passed 140000 'exit status 74 instead of 0'
        done
      } | night "$day" 0.12
    done
  } | "$writer" h.sqlite >acks
  for day in 1 2 3 4 5; do
    line wear 326237753036 0x08000000 $((day * 10)) $((250000 + day * 1000)) |
      DFUBENCH_NOW=2026-03-0${day}T02:05 "$writer" h.sqlite >>acks
  done
  line wear 326237753036 0x08004000 8999 0 | DFUBENCH_NOW=2026-03-05T02:05 "$writer" h.sqlite >>acks
}

# history ARGUMENT...
history()
{
  ends 0 "$dfuhil" history --history h.sqlite "$@"
}

# sees EXPRESSION: of Python, about the JSON document d in the file `said`
sees()
{
  python3 - "$1" <<'END'
import json, sys
d = json.load(open('said'))
if not eval(sys.argv[1]):
    sys.exit(f'=> not so: {sys.argv[1]}')
END
}

flake_is_found()
{
  five_nights
  history flakes
  says said ' 20 %  smoke/upload, dfu-util on desk: in 1 of 5 runs, at last in run 3 (2026-03-03 02:00 UTC, dfu-util 0.11)'
  says said 'there 1 of 2 attempts failed'
  says said 'flash at 0x08000400 is 0xff instead of 0x3a'
  says_not said smoke/download
  history flakes --json
  sees "[(s['scenario'], s['rate'], s['last']['run'], s['last']['blame']) for s in d['scenarios']] == [('smoke/upload', 0.2, 3, 'board')]"
}

regression_is_found()
{
  five_nights
  history first-bad
  says said 'smoke/download, dfu-util on desk: fails since run 4 (2026-03-04 02:00 UTC, dfu-util 0.12)'
  says said 'passed last in run 3 (2026-03-03 02:00 UTC, dfu-util 0.11); changed: dfu-util 0.11 -> 0.12; blame: tool; it passes on the emulated board'
  says_not said smoke/upload
  history first-bad --json
  sees "[(s['scenario'], s['first-bad']['run'], s['last-good']['run'], s['changed']) for s in d['scenarios']] == [('smoke/download', 4, 3, 'dfu-util 0.11 -> 0.12')]"
  # Not known yet at the time.
  history first-bad --until 2026-03-04
  says said 'nothing fails now'
}

# A night that failed between two that passed, all with the same version, is a flake too; with another version it is not.
came_and_went()
{
  {
    good smoke/list smoke/upload | night 1 0.11
    {
      line add smoke/list failed 1 tool skipped 1000 'once'
      line add smoke/upload failed 1 tool skipped 1000 'a bad version'
    } | night 2 0.11
    good smoke/list | night 3 0.11
    good smoke/upload | night 4 0.12
  } | "$writer" h.sqlite >acks
  history flakes
  says said 'smoke/list, dfu-util on desk: in 1 of 3 runs, at last in run 2'
  says said 'there it failed, and passed in the runs before and after'
  says_not said smoke/upload
}

runs_and_filters()
{
  five_nights
  printf '%s\n' "$(line begin shed pydfu 1.0 2026-03-05T03:00)" "$(good smoke/list)" | "$writer" h.sqlite >>acks
  history
  [ "$(grep -c '' said)" -eq 7 ]
  says said '  3  2026-03-03 02:00 UTC  desk  dfu-util 0.11       2       0      1        0  board           0'
  says said '  6  2026-03-05 03:00 UTC  shed  pydfu 1.0           1       0      0        0         unfinished'
  history runs --rig shed --json
  sees "[(r['run'], r['ended'], r['scenarios']['passed']) for r in d['runs']] == [(6, None, 1)]"
  history --tool dfu-util --since 2026-03-02 --until 2026-03-04T02:00 --json
  sees "[r['run'] for r in d['runs']] == [2, 3]"
  history --since 36h --json
  sees "[r['run'] for r in d['runs']] == [5, 6]"
  history --last 1 --json
  sees "[r['run'] for r in d['runs']] == [5, 6]"
  history trends --scenario 'smoke/*load'
  says said 'desk, dfu-util: 5 of 5 runs, 2026-03-01 to 2026-03-05 (UTC)'
  says said 'smoke/download  ...FF    60 %  144 ms  fails since run 4'
  says said 'smoke/upload    ..~..    80 %  151 ms  flaky in 1 of 5'
  says_not said smoke/list
  history show 3
  says said 'run 3 on desk, dfu-util 0.11'
  says said 'started  2026-03-03 02:00 UTC, on bench, board 326237753036'
  says said 'failed           smoke/upload, 160 ms, blame: board'
  says said 'the emulated board: passed'
  history show last --rig desk --json
  sees "d['run'] == 5 and [j['attempt'] for j in d['jobs'] if j['verdict'] == 'failed'] == [1, 2]"
}

erases_and_wear()
{
  five_nights
  history erases
  says said '0x08000000   255 ms  2026-03-05  255 ms  ▇▇▇▇█'
  says_not said 0x08004000
  history wear
  says said '0x08000000     150       1 %  ▎                     30.0  328 days left'
  says said '0x08004000    8999      89 %  █████████████████▉  8999.0  many'
  history wear --wear-stop 8999 --json
  sees "[(s['address'], s['erases'], s['state']) for s in d['sectors']] == [(0x08000000, 150, 'good'), (0x08004000, 8999, 'stop')]"
  history erases --json
  sees "[(e['day'], e['slowest-us']) for e in d['sectors'][0]['by-day']][::4] == [('2026-03-01', 251000), ('2026-03-05', 255000)]"
  history erases --serial other
  says said 'no erase was timed'
}

page_has_all()
{
  five_nights
  history --html page.html
  python3 - <<'END'
import html.parser, re
text = open('page.html').read()
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []
    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ('meta', 'br'):
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
page = Page()
page.feed(text)
assert not page.open, page.open
assert page.seen.count('svg') >= 8 and 'script' not in page.seen, page.seen
assert not re.search(r'(src|href|url)\s*[=(]', text), 'the page fetches something'
for words in ('first bad is run 4 (2026-03-04 02:00 UTC, dfu-util 0.12); last good is run 3', 'changed: dfu-util 0.11 -&gt; 0.12',
              'in 1 of 5 runs, at last in run 3', '<title>0x08000000: 255 ms on 2026-03-05</title>', 'written 2026-03-06 12:00 UTC'):
    assert words in text, words
END
}

# --- what others wrote is no markup and moves no cursor ---

hostile()
{
  local name=$'</title><script>alert(1)</script>\033[2J\x07\x9b31m\xc2\x9b31m&"\x27'

  {
    line begin "$name" "$name" "$name" 2026-03-01
    line add "$name" failed 1 tool passed 1000 "$name"
    line add "$name" passed 2 '' passed 1000 ''
    line end 1 "$name" 2026-03-01
    line begin "$name" "$name" "$name" 2026-03-02
    line add "$name" failed 1 tool passed 1000 "$name"
    line end 1 "$name" 2026-03-02
    line wear "$name" 0 1 1000
  } | "$writer" h.sqlite >acks
  for what in runs 'show 1' trends flakes first-bad erases wear; do
    # shellcheck disable=SC2086 # words
    history $what --color never
    if LC_ALL=C grep -q -a -e $'[\001-\010\013-\037\177]' -e $'\xc2[\x80-\x9f]' said; then
      echo "=> a control character in $what"
      return 1
    fi
    iconv -f UTF-8 -t UTF-8 said >/dev/null
    # shellcheck disable=SC2086 # words
    history $what --json
    sees 'd["format"] == 1'
  done
  history --html page.html
  says_not page.html '<script'
  says_not page.html 'alert(1)</'
  says_not page.html $'\033'
  says page.html '&lt;/title&gt;&lt;script&gt;'
  iconv -f UTF-8 -t UTF-8 page.html >/dev/null
}

colours_on_a_terminal_only()
{
  five_nights
  history trends
  says_not said $'\033'
  history trends --color always
  says said $'\033[32m...\033[0m\033[1;31mFF\033[0m'
}

# --- the file ---

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

# --- the command line ---

# wrong TEXT ARGUMENT...
wrong()
{
  local text=$1

  shift
  ends 2 "$dfuhil" history "$@"
  says said "dfuhil: $text"
  [ "$(grep -c '' said)" -eq 1 ]
}

mistakes()
{
  wrong "there is no history '/nowhere/dfubench/history.sqlite': 'dfuhil nightly' makes it, --history names another"
  five_nights
  wrong "unknown 'trend', did you mean 'trends'?" trend
  wrong "unknown 'x': must be runs, show, trends" x
  wrong "unknown option '--scenarois=x', did you mean '--scenario'?" --scenarois=x
  wrong "--since 'yesterday': must be a date as 2026-03-01" --since yesterday
  wrong '--since and --until: nothing lies between' --since 1d --until 2d
  wrong "--last '0': must be a number from 1 to" --last 0
  wrong "--color 'blue': must be auto, always or never" --color blue
  wrong '--html: a value is missing' --html
  wrong "'--json=x': takes no value" --json=x
  wrong '--json and --html: one at a time' --json --html x
  wrong 'show: the number of a run is missing' show
  wrong "show '1x': must be the number of a run" show 1x
  wrong "'flakes': one thing at a time is shown" trends flakes
  wrong "run 99 is not in the history 'h.sqlite'" --history h.sqlite show 99
  wrong "cannot write '/nowhere/page.html': No such file" --history h.sqlite --html /nowhere/page.html
  "$dfuhil" history --history h.sqlite 2>said >/dev/full && return 1
  says said "cannot write 'standard output': No space left on device"
  says <("$dfuhil" history --help) 'usage: dfuhil history'
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

later 'an injected flake is found and named' flake_is_found
later 'an injected regression is found: first bad run, last good run, and what changed' regression_is_found
later 'one bad night between good ones is a flake, unless the tool has changed' came_and_went
later 'runs are listed, chosen and shown' runs_and_filters
later 'the slowest erases are plotted, wear is held against its limits' erases_and_wear
later 'the page has all of it, with pictures and without scripts' page_has_all
later 'what others have named cannot harm a terminal, a page or a program' hostile
later 'colours are for terminals' colours_on_a_terminal_only
later 'a history whose writer is killed 50 times has all that was told to be in it' killed
later 'the journal of a killed writer brings back what was there' journal
later 'several writers at once' two_writers
later 'a full disk is told, and the history is as it was' full_disk
later 'a file that must not grow is told, and the history is as it was' file_too_large
later 'a history that may only be read is read' read_only
later 'damaged histories are refused, and left as they are' damaged
later 'mistakes on the command line of dfuhil history are told' mistakes
later 'old runs are forgotten, wear is not' forgets
finish
