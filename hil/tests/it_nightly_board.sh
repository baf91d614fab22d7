#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nights on the rig of a real board, with an emulated one in its place: what goes wrong on a desk while nobody is there.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
dfuhil=$build/dfuhil
export LIMIT=120 DFUBENCH_SEED=${DFUBENCH_SEED:-$RANDOM}

if [ ! -x "$dfuhil" ] || ! command -v dfu-util >/dev/null 2>&1; then
  echo "skip - nights on a board: dfuhil is not in this build, or dfu-util not installed"
  exit 0
fi

# A desk: wires that work until there is a file `gone` (the relay) or `stuck` (a jumper, which nobody can move), and a tool that
# does what the file `trouble` says before it fails.
desk()
{
  local wire

  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$PWD DFUBENCH_NOW=2026-03-01
  cat >wire <<END
#!/bin/sh
cd "$PWD"
[ ! -e gone ] || { echo 'the relay does not answer' >&2; exit 1; }
[ ! -e stuck ] || [ "\$1" != boot0 ] || exec "$dfuemu" ctl "$PWD/S" boot0 low
exec "$dfuemu" ctl "$PWD/S" "\$@"
END
  cat >tool <<END
#!/bin/sh
[ "\$1" != --version ] || exec dfu-util --version
[ ! -s "$PWD/trouble" ] || { . "$PWD/trouble"; exit 70; }
exec dfu-util "\$@"
END
  chmod +x wire tool
  {
    printf '%s\n' 'rig: desk' 'kind: board' "board: {serial: \"$serial\", port: 1-1}" 'application: {usb: "0483:5740"}' \
      'timing: {reset: 5ms, settle: 5ms, off: 20ms, on: 20ms, listed: 2s}' \
      'wear: {warn: 8000, stop: 10000}' 'wires:'
    for wire in 'boot0 high low' 'nrst high low'; do
      # shellcheck disable=SC2086 # words
      set -- $wire
      echo "  $1: {command: {on: [$PWD/wire, $1, $2], off: [$PWD/wire, $1, $3], timeout: 20s}}"
    done
  } >board.yaml
  mkdir s
  for wire in a b c; do
    printf '%s\n' "name: the tool finds the board" 'why: It is to be seen here.' 'reference: none' 'steps:' '  - bootloader' \
      '  - list' >"s/$wire.yaml"
  done
}

# night STATUS ARGUMENT...
night()
{
  local want=$1

  shift
  rm -f S
  ends "$want" emu --control S --serial "$serial" --time x10 -- "$dfuhil" nightly --rig ./board.yaml --folder nights \
    --history h.sqlite --tool-path dfu-util="$PWD/tool" "$@"
}

good()
{
  need sqlite3
  desk
  printf '%s\n' 'name: the flash is prepared' 'why: It wears.' 'reference: none' 'files: {image: {size: 5000, seed: 1}}' 'steps:' \
    '  - prepare: {flash: [{address: 0x08000000, file: image}]}' '  - bootloader' >s/b.yaml
  night 0 s/a.yaml s/b.yaml
  says said '2 passed, 0 failed'
  says said 'rig desk: fit, 2 runs'
  # What it has cost is in the night's own history, with the board's number.
  [ "$(sqlite3 h.sqlite 'SELECT erases FROM wear WHERE sector = 0x08000000')" -ge 1 ]
  [ "$(sqlite3 h.sqlite 'SELECT DISTINCT serial FROM run')" = "$serial" ]
  [ ! -e state/dfubench/history.sqlite ]
}

tool_fails()
{
  desk
  echo true >trouble
  night 1 s/a.yaml
  says said 'it fails each of 3 times on this rig; '
  says said "the board answers the runner's own host"
  says said 'rig desk: fit, 3 runs'
}

relay_goes()
{
  need jq
  desk
  echo ': >"'"$PWD"'/gone"' >trouble
  night 3 s --retries 0
  says said 'rig desk: out, '
  says said 'the relay does not answer'
  jq -e '.rigs[0].blame == "rig" and .counts["not-reached"] == 2 and [.cases[].is] == ["rig"]' nights/latest/summary.json
}

board_goes()
{
  need jq
  desk
  echo ': >"'"$PWD"'/stuck"' >trouble
  night 3 s --retries 0
  says said 'rig desk: out, '
  says said 'board failure: the board does not answer'
  jq -e '.rigs[0].blame == "board" and [.cases[].is] == ["board"]' nights/latest/summary.json
}

never_there()
{
  desk
  : >stuck
  night 3 s --retries 0
  says said "board failure: the board does not answer the runner's own host as it should: rig check, bootloader: no device 0483:df11"
  says said 'not reached: 3 of 3'
}

# The runner's own host needs no supply that can be cut: `rig check` does.
cuts_nothing()
{
  need jq
  desk
  echo '  power: {command: {on: ["true"], off: ["true"]}}' >>board.yaml
  night 3 s
  says said "rig desk: out, 0 runs; rig failure: rig check, power: the device stayed"
  jq -e '.rigs[0].blame == "rig" and .counts["not-reached"] == 3' nights/latest/summary.json
}

# The same board, by the name of another file
taken()
{
  desk
  cp board.yaml other.yaml
  mkfifo begin go
  # shellcheck disable=SC2016 # the inner shell's
  emu --control S --serial "$serial" --time x10 -- sh -c '
    dfuhil=$1; shift
    "$dfuhil" nightly s/a.yaml --rig ./board.yaml --hook "echo \$PPID >begin; read x <go" "$@" >first 2>&1 &
    first=$!
    read pid <begin
    "$dfuhil" nightly s/a.yaml --rig ./other.yaml "$@"; status=$?
    echo "$first" >pid
    echo >go
    wait $first || exit 8
    exit $status' sh "$dfuhil" --folder nights --history h.sqlite >said 2>&1 || [ $? -eq 3 ]
  cat said first
  says said "$(cat pid)"
  says said 'rig desk: out, 0 runs; rig failure: '
  says first '1 passed, 0 failed'
}

# Two boards on one machine, both of which are in their bootloaders at the start: they take turns to be there.
two_boards()
{
  need jq
  desk
  sed "s|ctl \"$PWD/S\"|& board 2|" wire >other_wire
  chmod +x other_wire
  sed "s|$PWD/wire|$PWD/other_wire|g; s|^rig:.*|rig: other|; s|$serial|207A389B5848|; s|1-1}|1-2}|" board.yaml >other.yaml
  rm -f S
  # Neither is in its bootloader at the start. Who gets how many scenarios is up to the system: they take turns.
  ends 0 emu --control S --boards 2 --boot0 low --serial "$serial" --serial 207A389B5848 --time x10 -- "$dfuhil" nightly s \
    --rig ./board.yaml \
    --rig ./other.yaml --folder nights --history h.sqlite --tool-path dfu-util="$PWD/tool"
  says said '3 passed, 0 failed'
  says_not said ERROR
  jq -e '[.rigs[] | .fit] == [true, true] and (.rigs | map(.runs) | add) == 3' nights/latest/summary.json
}

# Whatever it is doing: pins are idle soon, nobody has the board, both histories are whole, and nothing is left.
killed()
{
  need sqlite3 flock
  echo "DFUBENCH_SEED=$DFUBENCH_SEED"
  desk
  mkdir tmp
  printf '%s\n' 'name: the flash is prepared' 'why: It wears.' 'reference: none' 'files: {image: {size: 5000, seed: 1}}' 'steps:' \
    '  - prepare: {flash: [{address: 0x08000000, file: image}]}' '  - bootloader' '  - list' >s/b.yaml
  cat >kills <<'END'
set -e
RANDOM=$DFUBENCH_SEED
soon()
{
  for _ in $(seq 1000); do
    ! "$@" || return 0
    sleep 0.02
  done
  echo "=> never true: $*"
  return 1
}
free()
{
  for lock in dfubench-board-*; do
    flock -n "$lock" true || return 1
  done
}
nothing() { [ -z "$(ls -A tmp)" ]; }
idle() { "$1" ctl S status >status && grep -q 'boot0: low' status && grep -q 'nrst: high' status; }
for i in $(seq "${DFUBENCH_RUNS:-12}"); do
  delay=$((i % 2)).$(printf %03d $((RANDOM % 1000)))
  echo "$i: after $delay s"
  TMPDIR=$PWD/tmp "$2" nightly s --rig ./board.yaml --folder nights --history h.sqlite --tool-path dfu-util="$PWD/tool" >night 2>&1 &
  sleep "$delay"
  kill -s KILL $! 2>/dev/null || cat night
  wait $! || true
  soon free
  idle "$1" || { cat status; exit 1; }
  soon nothing
  for history in h.sqlite state/dfubench/history.sqlite; do
    [ ! -e "$history" ] || [ "$(sqlite3 -cmd '.timeout 5000' "$history" 'PRAGMA integrity_check')" = ok ]
  done
done
END
  ends 0 emu --control S --serial "$serial" --time x10 -- bash kills "$dfuemu" "$dfuhil"
  night 0 s
  says said 'rig desk: fit, 3 runs'
}

later 'a night on a board is good, and its wear is known' good
later 'a tool that fails on a board is to blame' tool_fails
later 'a relay that goes in the night takes its rig out' relay_goes
gather
later 'a board that goes in the night is to blame' board_goes
later 'a board that never comes up is to blame' never_there
later 'a wire that does nothing takes its rig out before anything runs' cuts_nothing
later 'two files for one board: the second night says who has it' taken
later 'two boards of one kind share a night' two_boards
later 'killed at any step: pins idle, the board free, its history whole' killed
finish
