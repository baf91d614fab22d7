#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfuhil nightly: what fails now and then, what fails from a night on, whose fault it is, and what is kept of all that.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
reference=$build/tools/dfu-reference
RANDOM=${DFUBENCH_SEED:=$RANDOM}

if [ ! -x "$dfuhil" ] || [ ! -x "$reference" ]; then
  echo "skip - dfuhil nightly: it, or the suite's own tool, is not in this build (make unit)"
  exit 0
fi
case $(uname -m) in
x86_64) ;;
*)
  echo "skip - dfuhil nightly: virtual time works on x86_64 only"
  exit 0
  ;;
esac

# The tool under test: spurious, while there is a file `flake`, at its next upload; from version 1.1 on wrong at each leave.
tool()
{
  cat >tool <<END
#!/bin/sh
version=\$(cat "$PWD/version")
[ "\$1" != --version ] || { echo "dfu-reference \$version"; exit; }
if [ "\$1" = upload ] && rm "$PWD/flake" 2>/dev/null; then
  echo 'the cable was loose' >&2
  exit 70
fi
[ "\$version" = 1.0 ] || export DFU_REFERENCE_MUTANT=leave-no-getstatus
exec "$reference" "\$@"
END
  chmod +x tool
  echo 1.0 >version
}

# night STATUS DATE ARGUMENT...: with that tool, at that date
night()
{
  local want=$1

  export DFUBENCH_NOW=$2
  shift 2
  [ -x tool ] || tool
  mkdir -p tmp
  TMPDIR=$PWD/tmp ends "$want" timeout -k 5 100 "$dfuhil" nightly --folder nights --history h.sqlite --tool reference \
    --tool-path reference="$PWD/tool" "$@"
  [ -z "$(ls -A tmp)" ] || { echo "=> something is left in TMPDIR" && ls -la tmp && return 1; }
}

history()
{
  ends 0 "$dfuhil" history --history h.sqlite "$@"
}

# --- five nights ---

# Verdicts are named in a section of their own.
verdict_of()
{
  sed -n '/^\.Sh VERDICTS/,/^\.Sh JUNIT/p' "$repo/hil/dfuhil.1" | grep -q -x -F -e ".It Cm $1" && return
  echo "=> the manual page does not name '$1' of the summary"
  return 1
}

five_nights()
{
  need jq
  tool
  night 0 2026-03-01T02:00 conformance --tag smoke
  says said 'night of 2026-03-01 02:00 UTC: good'
  says said 'rig emulated: fit, 10 runs'
  touch flake
  night 0 2026-03-02T02:00 conformance --tag smoke
  [ ! -e flake ]
  says said 'flaky:'
  says said '  files/upload-compares (reference) on emulated: exit status 70'
  says said 'it fails 1 of 2 times; the emulated board passes it'
  says said 'ok    files/upload-compares'
  echo 1.1 >version
  night 1 2026-03-03T02:00 conformance --tag smoke
  says said 'tool failures:'
  says said '  leave/application-starts (reference) on emulated: '
  says said 'it fails each of 3 times, and on the emulated board with the same seed'
  says said 'new tonight: first bad night 2026-03-03 02:00 UTC, last good one 2026-03-02 02:00 UTC; what changed: reference 1.0 -> 1.1'
  jq -e '.status == 1 and .night == "tool failure" and (.cases | length) == 1 and .cases[0].new
    and .cases[0].scenario == "leave/application-starts" and .cases[0].is == "tool"' nights/latest/summary.json
  touch flake
  night 1 2026-03-04T02:00 conformance --tag smoke
  says said '  files/upload-compares (reference) on emulated: exit status 70'
  says said 'flaky in 2 of the 4 nights that are known'
  says said 'regression: first bad night 2026-03-03 02:00 UTC, last good one 2026-03-02 02:00 UTC'
  jq -e '[.cases[].is] | sort == ["flaky", "tool"]' nights/latest/summary.json
  night 1 2026-03-05T02:00 conformance --tag smoke
  says_not said 'flaky:'

  # The manual page names each member of the summary.
  jq -r '[paths | .[] | strings] | unique[]' nights/latest/summary.json | while read -r name; do
    sed -n '/^\.Sh NIGHTS/,/^\.Sh THE/p' "$repo/hil/dfuhil.1" | tr -s ' ,' '\n' | grep -q -x -F -e "$name" || verdict_of "$name"
  done

  history first-bad
  says said leave/application-starts
  says said 2026-03-03
  says said '1.0 -> 1.1'
  says_not said upload-compares
  history flakes
  says said files/upload-compares
  says_not said leave/application-starts
  history runs --json
  jq -e '[.runs[] | select(.tool == "reference")] | length == 5' said
  [ "$(find nights -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 5 ]
}

# What is known to be flaky is run again more often.
more_often()
{
  night 0 2026-03-01 files/upload-compares
  touch flake
  night 0 2026-03-02 files/upload-compares
  says said 'it fails 1 of 2 times'
  cat >tool <<END
#!/bin/sh
[ "\$1" != upload ] || exit 70
exec "$reference" "\$@"
END
  night 1 2026-03-03 files/upload-compares
  says said 'it fails each of 5 times'
  night 1 2026-03-04 files/upload-compares --retries 0
  says said 'it fails (and was run once)'
  night 1 2026-03-05 files/upload-compares --retries 1 --differential never
  says said 'it fails each of 3 times on this rig; the emulated board was not asked; the board answers'
}

# Flaky is no failure, unless it is to be one.
strict_about_flakes()
{
  touch flake
  night 1 2026-03-01 files/upload-compares --fail-flaky
  says said 'FAIL  files/upload-compares'
  says nights/latest/report.xml '<failure '
  touch flake
  night 0 2026-03-02 files/upload-compares
  says_not nights/latest/report.xml '<failure '
  says nights/latest/report.json 'the cable was loose'
}

# --- blame ---

# A board that does what no board should: on the rig, and not on the emulated one that the rig is held against.
board()
{
  night 3 2026-03-01 download start/dfuerror --fault 'stall on=erase'
  says said "board failure: the board does not answer the runner's own host as it should"
  says said 'erase 0x08000000: expected an answer, got stall'
  says said 'rig emulated: out, 0 runs'
  says said 'skip  start/dfuerror'
  says nights/latest/report.xml 'health/emulated'
  jq -e '.rigs[0].blame == "board" and .status == 3 and .counts["not-reached"] == .counts.planned' nights/latest/summary.json
}

# It fails on the rig alone, for every host but the runner's own, which writes less.
on_the_rig_alone()
{
  night 1 2026-03-01 download/small start/dfuerror --fault 'corrupt=0 on=write,address=0x08000800'
  says said 'it fails each of 3 times on this rig; the emulated board passes it; the board answers the runner'
  jq -e '[.cases[] | .emulated] == ["passed", "passed"]' nights/latest/summary.json
}

rig()
{
  night 3 2026-03-01 start/dfuerror --rig control:nowhere
  says said 'rig control: out, 0 runs; rig failure: '
  says said 'skip  start/dfuerror: '
  jq -e '.rigs[0].blame == "rig" and .status == 3' nights/latest/summary.json
  history runs
  says said rig
  # One that is well does what it can for the other.
  night 3 2026-03-02 start/dfuerror --rig control:nowhere --rig emulated
  says said 'ok    start/dfuerror'
  says said 'rig emulated: fit, 1 run'
}

# Scenarios that the rig cannot do have a verdict, and a reason; its part of a capture is kept for the others.
filtered()
{
  tool
  export DFUBENCH_NOW=2026-03-01
  # shellcheck disable=SC2016 # the inner shell's
  ends 0 emu --time x20 --capture c.pcapng --control "$PWD/S" -- sh -c '"$@"' sh "$dfuhil" nightly start/dfuerror download/small \
    many/two-boards-by-serial --rig control:S --folder nights --history h.sqlite --tool reference \
    --tool-path reference="$PWD/tool"
  says said "skip  many/two-boards-by-serial: rig 'control' cannot do 'boards'"
  says said '2 passed, 0 failed, 1 skipped'
  "$dfuemu" show nights/latest/captures/control/download-small.reference.pcapng >shown
  [ "$(grep -c 'WRITE' shown)" -eq 3 ]
}

shards()
{
  local i

  for i in 1 2 3; do
    night 0 2026-03-0"$i" start --shard "$i/3"
    grep -o '^\(ok\|xfail\|skip\) *[^ :]*' said | sed 's/.* //' >>all
  done
  sort all >sorted
  [ -z "$(uniq -d sorted)" ]
  [ "$(wc -l <sorted)" -eq "$("$dfuhil" run start --list | wc -l)" ]
}

# One queue over two rigs, each of which takes the next one.
two_rigs()
{
  need jq
  printf 'rig: desk\nkind: emulated\n' >a.yaml
  printf 'rig: desk\nkind: emulated\n' >b.yaml
  night 0 2026-03-01 download --rig ./a.yaml --rig ./b.yaml -j 1
  says said 'rig desk: fit'
  says said 'rig desk-2: fit'
  jq -e '(.rigs | map(.runs) | min) > 0' nights/latest/summary.json
  jq -e '.counts.passed == .counts.planned and (.rigs | map(.runs) | add) == .counts.passed' nights/latest/summary.json
  jq -e '[.results[] | select(.tool == "reference") | .scenario] | length == (unique | length)' nights/latest/report.json
}

# A board that goes in the midst of a scenario: another one takes that. By chance, which the seed decides.
moves()
{
  local seed status

  need sqlite3 dfu-util
  printf 'rig: one\nkind: emulated\n' >a.yaml
  printf 'rig: two\nkind: emulated\n' >b.yaml
  for seed in $(seq 60); do
    rm -rf h.sqlite nights
    status=0
    timeout -k 5 100 "$dfuhil" nightly download/small start/dfuerror leave/block-two leave/block-zero leave/stays-without \
      --rig ./a.yaml --rig ./b.yaml --folder nights --history h.sqlite -j 1 \
      --fault 'stall on=erase,probability=0.5' --seed "$seed" --retries 0 --differential never >said 2>&1 || status=$?
    sqlite3 h.sqlite "SELECT scenario FROM job JOIN run ON run.id = run WHERE tool = 'dfu-util'
      GROUP BY scenario HAVING count(DISTINCT rig) = 2" >moved
    [ ! -s moved ] || break
  done
  echo "seed $seed, status $status"
  cat said moved
  [ "$(wc -l <moved)" -eq 1 ]
  says said ': out, '
  # One verdict, of the rig that was left, if that one did not go as well.
  [ "$(grep -c "testcase name=\"$(cat moved)\"" nights/latest/report.xml)" -eq 1 ]
}

# --- what ends it ---

limit()
{
  night 4 2026-03-01 conformance --tag smoke --time real --limit 3s -j 1
  says said 'incomplete'
  says said 'not reached: '
  [ "$(grep -c '<testcase' nights/latest/report.xml)" -eq 10 ]
  ends 2 "$dfuhil" nightly x --limit 1h --until 06:00
  ends 2 "$dfuhil" nightly x --until 24:00
}

interrupted()
{
  need jq
  tool
  mkdir tmp
  cat >tool <<END
#!/bin/sh
[ "\$1" != --version ] || { echo dfu-reference 1.0; exit; }
: >"$PWD/ready"
exec sleep 60
END
  env --default-signal TMPDIR="$PWD/tmp" DFUBENCH_NOW=2026-03-01 "$dfuhil" nightly start --time real --folder nights --history h.sqlite \
    --tool reference --tool-path reference="$PWD/tool" --hook 'cat >hook.json' >said 2>&1 &
  until_true 30 test -e ready
  kill -s INT $!
  local status=0
  wait $! || status=$?
  cat said
  [ "$status" -eq 130 ]
  says said 'night of 2026-03-01 00:00 UTC: interrupted'
  jq -e '.status == 130 and .night == "interrupted"' hook.json
  [ "$(grep -c '<testcase' nights/latest/report.xml)" -eq "$("$dfuhil" run start --list | wc -l)" ]
  [ -z "$(ls -A tmp)" ]
  history runs
  says said 130
}

# Whatever it is doing: the history is whole, nothing is left, the next night works.
killed()
{
  local i delay

  need sqlite3
  echo "DFUBENCH_SEED=$DFUBENCH_SEED"
  tool
  mkdir tmp
  for i in $(seq "${DFUBENCH_RUNS:-30}"); do
    delay=$(printf '0.%03d' $((RANDOM % 900)))
    echo "$i: after $delay s"
    [ $((i % 3)) -ne 0 ] || touch flake
    TMPDIR=$PWD/tmp DFUBENCH_NOW=2026-03-01T00:00:$(printf '%02d' $((i % 60))) "$dfuhil" nightly start/dfuerror download/small \
      files/upload-compares --folder nights --history h.sqlite --tool reference --tool-path reference="$PWD/tool" >said 2>&1 &
    sleep "$delay"
    kill -s KILL $! 2>/dev/null || true
    wait $! || true
    [ ! -e h.sqlite ] || [ "$(sqlite3 h.sqlite 'PRAGMA integrity_check')" = ok ]
  done
  nothing() { [ -z "$(ls -A tmp)" ]; }
  until_true 20 nothing
  rm -f flake
  night 0 2026-03-02 start/dfuerror download/small files/upload-compares
  history runs
  history flakes
  history show last
  # Nights that were cut off are taken away as any other.
  night 0 2026-05-01 start/dfuerror --keep 7d
  [ "$(find nights -mindepth 1 -maxdepth 1 -type d | wc -l)" -le 4 ]
}

# The history tells a night that is under way from one that was killed, as long as it is this machine's.
under_way()
{
  local night

  need sqlite3
  tool
  mkfifo began go
  sed -i "2a [ \"\$1\" = --version ] || { echo >$PWD/began; read -r x <$PWD/go; }" tool
  "$dfuhil" nightly start/list-changes-nothing --folder nights --history h.sqlite --tool reference \
    --tool-path reference="$PWD/tool" >night 2>&1 &
  night=$!
  read -r <began
  history
  [ "$(grep -c ' running$' said)" -eq 2 ]
  history show last
  says said '  running still'
  history --json
  says said '"state": "running"'
  kill -s KILL "$night"
  wait "$night" || true
  history
  [ "$(grep -c ' killed$' said)" -eq 2 ]
  history show last
  says said '  killed: its process is there no longer'
  says_not said 'process '"$night"
  history --html page.html
  says page.html '>killed<'
  sqlite3 h.sqlite "UPDATE run SET host = 'elsewhere'"
  history
  [ "$(grep -c ' unfinished$' said)" -eq 2 ]
}

# --- what is kept ---

hook()
{
  need jq
  night 0 2026-03-01 start/dfuerror --hook 'cat >hook.json; echo heard'
  says said heard
  jq -e '.program == "dfuhil" and .status == 0 and .started == "2026-03-01T00:00:00Z" and .rigs[0].fit' hook.json
  night 0 2026-03-02 start/dfuerror --hook 'exit 3'
  says said 'the hook ended with status 3'
  night 0 2026-03-03 start/dfuerror --hook 'sleep 1000' --hook-limit 300ms
  says said 'the hook took longer than 0.3 s, and was killed'
  night 0 2026-03-04 start/dfuerror --hook ': does not read'
  says_not said hook
}

folders()
{
  find nights -mindepth 1 -maxdepth 1 -type d | sort | sed 's,.*/,,' | tr '\n' ' '
}

retention()
{
  local i

  for i in 1 2 3 4; do
    night 0 2026-03-0"$i" start/dfuerror
  done
  mkdir nights/mine elsewhere
  touch -d 2020-01-01 nights/mine
  cp nights/latest/.dfubench-night elsewhere/
  ln -s ../elsewhere nights/link
  night 0 2026-03-05 start/dfuerror --keep 36h
  [ "$(folders)" = '2026-03-03T00-00-00Z 2026-03-04T00-00-00Z 2026-03-05T00-00-00Z mine ' ]
  [ -e elsewhere/.dfubench-night ]
  # A clock that jumps takes no more than what it may: the last ones stay.
  night 0 2036-01-01 start/dfuerror
  [ "$(folders)" = '2026-03-04T00-00-00Z 2026-03-05T00-00-00Z 2036-01-01T00-00-00Z mine ' ]
  # One that is under way is not touched, nor one from the future.
  exec 9<nights/2026-03-04T00-00-00Z/.dfubench-night
  flock 9
  night 0 2026-03-06 start/dfuerror --keep all --keep-size 1K
  [ "$(folders)" = '2026-03-04T00-00-00Z 2026-03-06T00-00-00Z mine ' ]
  exec 9<&-
  [ "$(readlink nights/latest)" = 2026-03-06T00-00-00Z ]
  says nights/latest/report.html '<!doctype html>'
  [ -s nights/latest/captures/emulated/start-dfuerror.reference.pcapng ]
}

disk_full()
{
  need unshare
  unshare -rm true 2>/dev/null || skip 'no user namespace here'
  tool
  mkdir full
  # shellcheck disable=SC2016 # the inner shell's
  ends 5 unshare -rm sh -c 'mount -t tmpfs -o size=150k none full
    "$@"' sh timeout 100 "$dfuhil" nightly conformance --tag smoke --folder full/nights --history full/h.sqlite \
    --tool reference --tool-path reference="$PWD/tool" --hook 'cat >hook.json'
  says said '10 passed, 0 failed'
  says said 'good, but not recorded as a whole'
  says said 'No space left on device'
  jq -e '.status == 5 and .counts.passed == 10 and (.troubles | length) > 0' hook.json
  rm -rf full
  printf 'no database' >h.sqlite
  night 5 2026-03-01 start/dfuerror
  says said 'there is no history: '
  says said 'ok    start/dfuerror'
}

# The first one is in its hook, and has the rig still.
two_at_once()
{
  tool
  mkfifo begin go
  # shellcheck disable=SC2016 # the inner shell's
  emu --time x20 --capture c.pcapng --control "$PWD/S" -- sh -c '
    dfuhil=$1; shift
    "$dfuhil" nightly start/dfuerror --rig "control:$PWD/S" --hook "echo \$PPID >begin; read x <go" "$@" >first 2>&1 &
    first=$!
    read pid <begin
    [ "$pid" = "$first" ] || exit 9
    "$dfuhil" nightly start/dfuerror --rig control:S "$@"; status=$?
    echo "pid $first" >pid
    echo >go
    wait $first || exit 8
    exit $status' sh "$dfuhil" --folder nights --history h.sqlite --tool reference --tool-path reference="$PWD/tool" >said 2>&1 ||
    [ $? -eq 3 ]
  cat said first
  says said "the rig 'control:S' is taken: the rig is in use by process $(cut -d ' ' -f 2 pid): $dfuhil nightly"
  says first 'ok    start/dfuerror'
  [ "$(find nights -name 'start-dfuerror.reference.pcapng' | wc -l)" -eq 1 ]
}

# What somebody has put in the place of the lock is no file to write to, and what it says nothing for a terminal.
strange_locks()
{
  tool
  mkdir locks
  export DFUBENCH_LOCK_DIR=$PWD/locks
  # shellcheck disable=SC2016 # the inner shell's
  emu --time x20 --control "$PWD/S" -- sh -ec '
    dfuhil=$1; shift
    "$dfuhil" nightly start/list-changes-nothing --rig "control:$PWD/S" "$@" >first 2>&1
    lock=$(ls locks/*)
    echo dear >victim
    ln -f victim "$lock"
    "$dfuhil" nightly start/list-changes-nothing --rig "control:$PWD/S" "$@" >linked 2>&1 || [ $? = 3 ]
    rm "$lock"; mkfifo "$lock"; chmod 444 "$lock"
    timeout 20 "$dfuhil" nightly start/list-changes-nothing --rig "control:$PWD/S" "$@" >fifo 2>&1 || [ $? = 3 ]
    rm -f "$lock"; printf "7 \\033[31mred\n" >"$lock"
    flock "$lock" "$dfuhil" nightly start/list-changes-nothing --rig "control:$PWD/S" "$@" >held 2>&1 || [ $? = 3 ]
    ' sh "$dfuhil" --folder nights --history h.sqlite --tool reference --tool-path reference="$PWD/tool"
  says first 'good'
  says linked 'is no file for locks: somebody has put it there; remove it'
  says victim dear
  cat fifo held
  says held 'in use by process 7: ?[31mred'
  ! grep -q good fifo
}

usage()
{
  ends 2 "$dfuhil" nightly
  says said 'no scenario is named'
  ends 2 "$dfuhil" nightly start --rig emulatde
  says said "did you mean 'emulated'?"
  ends 2 "$dfuhil" nightly start --rig emulated --rig emulated
  ends 2 "$dfuhil" nightly start --kep 3d
  says said "did you mean '--keep'?"
  ends 2 "$dfuhil" nightly start --keep 3
  ends 2 "$dfuhil" nightly start --keep-size 3
  ends 2 "$dfuhil" nightly start --retries -1
  ends 2 "$dfuhil" nightly start --folder /dev/null/x
  says said "cannot make the folder '/dev/null/x': Not a directory"
  ends 2 "$dfuhil" nightly nowhere
}

later 'five nights: a flake and a regression are found and named' five_nights
later 'what is known to be flaky is run again more often' more_often
later 'flakes fail the night if they are to' strict_about_flakes
later "a board that fails the runner's own host is to blame itself" board
later 'what fails on the rig alone is told so' on_the_rig_alone
gather
later 'a rig that cannot be used has failed, and others go on' rig
later 'what the rig cannot do is skipped' filtered
later 'shards together are the whole' shards
later 'several rigs share one queue' two_rigs
later 'a scenario whose board goes is taken by another rig' moves
later 'after the limit each scenario has a verdict' limit
later 'after Ctrl-C what ran is reported' interrupted
gather
later 'killed at any moment it leaves the history whole' killed
later 'the history tells a night that is killed from one that is under way' under_way
later 'the hook hears of the night, and changes no verdict' hook
later 'old nights go, and nothing else' retention
later 'on a full disk verdicts are kept' disk_full
later 'two at once: the second one says who has the rig' two_at_once
later 'nothing is written to what stands in the place of a lock' strange_locks
later 'mistakes on the command line are told' usage
finish
