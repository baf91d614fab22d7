#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boards of a lab that several runners share by labgrid: the real one, its coordinator, its exporter and its client, on loopback.
# The power switches and outputs that it drives are not real (lab_parts.py), and neither are the boards: an emulated one for each
# place, on a bus that its runner alone sees.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_scenarios.sh"
export LIMIT=280 PYTHONUNBUFFERED=1
unset LG_ENV LG_COORDINATOR LG_PLACE LG_USERNAME LG_HOSTNAME LG_TOKEN
serials=("" "$serial" 207A389B5848)
if tools=$(sh "$repo/ci/tools.sh" labgrid 2>"$work/tools"); then
  PATH=${tools#labgrid=}:$PATH
fi
lab=$work/lab # the one that most tests share

# --- the lab ---

# heard FILE: the port that a program has said there that it listens on
heard()
{
  sed -n 's/^\(listening on 127\.0\.0\.1:\)\{0,1\}\([0-9][0-9]*\)$/\2/p' "$1"
}

listens()
{
  [ -n "$(heard "$1")" ]
}

# begin_lab BOARDS: a lab in this folder, with the places f4-1 ... and a rig file for each, lab-1.yaml ...
begin_lab()
{
  local n folders=() waiting_for=()

  [ -n "$tools" ] || skip "$(tail -n 1 "$work/tools")"
  need python3 dfu-util
  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$PWD
  for n in $(seq "$1"); do
    mkdir "$n"
    folders+=("$PWD/$n")
  done
  : >switched
  python3 "$repo/hil/tests/lab_parts.py" "$dfuemu" "$PWD/switched" "${folders[@]}" >parts 2>&1 &
  echo $! >pids
  labgrid-coordinator -l 127.0.0.1:0 >coordinator 2>&1 &
  echo $! | tee coordinator.pid >>pids
  until_true 120 listens parts
  until_true 120 listens coordinator
  LG_COORDINATOR=127.0.0.1:$(heard coordinator)
  export LG_COORDINATOR
  for n in $(seq "$1"); do
    exported "$n" "http://127.0.0.1:$(heard parts)/$n"
    rig "$n" >"lab-$n.yaml"
  done >exporter.yaml
  begin_exporter
  for n in $(seq "$1"); do
    { labgrid-client -p "f4-$n" create && labgrid-client -p "f4-$n" add-match "shelf/f4-$n/*"; } >>made 2>&1 &
    waiting_for+=($!)
  done
  until_true 120 grep -q '^Exporter ready' exporter
  wait "${waiting_for[@]}"
  scene list bootloader list
}

begin_exporter()
{
  labgrid-exporter -n shelf exporter.yaml >exporter 2>&1 &
  echo $! | tee exporter.pid >>pids
}

end_lab()
{
  local pid

  while read -r pid; do
    kill -9 "$pid" 2>/dev/null || true
  done < <(cat "$1/pids" 2>/dev/null)
}

# exported N URL
exported()
{
  local pin

  echo "f4-$1:"
  for pin in BOOT0 NRST; do
    echo "  $pin: {cls: HttpDigitalOutput, url: '$2/$pin', body_asserted: high, body_deasserted: low}"
  done
  echo "  supply: {cls: NetworkPowerPort, model: rest, host: '$2/power', index: 0}"
}

# rig N: its supply is switched on the first place alone, for each change is a start of a program that takes its time
rig()
{
  local supply=

  [ "$1" -gt 1 ] || [ "$lab" != "$work/lab" ] || supply=', power: {labgrid: {}}'
  printf '%s\n' "rig: lab-$1" 'kind: board' "board: {serial: \"${serials[$1]}\"}" 'application: {usb: "0483:5740"}' \
    "labgrid: {place: f4-$1, coordinator: \"$LG_COORDINATOR\", timeout: 2min}" \
    "wires: {boot0: {labgrid: {io: BOOT0}}, nrst: {labgrid: {io: NRST}}$supply}" \
    'timing: {reset: 5ms, settle: 5ms, off: 20ms, on: 20ms, listed: 20s}'
}

# on_place N ARGUMENT...: dfuhil beside the board of that place
on_place()
{
  local n=$1

  shift
  timeout -k 5 "$LIMIT" "$dfuemu" exec --time x50 --control "$lab/$n/S" --serial "${serials[$n]}" -- "$@"
}

client()
{
  timeout -k 5 "$LIMIT" labgrid-client "$@"
}

# in_order FILE PATTERN...: lines like these are there, one after the other
in_order()
{
  local file=$1 line=0 next

  shift
  for pattern in "$@"; do
    next=$(tail -n "+$((line + 1))" "$file" | grep -n -m 1 -e "$pattern" | cut -d : -f 1)
    if [ -z "$next" ]; then
      echo "=> '$pattern' does not follow in $file"
      cat "$file"
      return 1
    fi
    line=$((line + next))
  done
}

scene()
{
  # NAME STEPS...: a scenario of these lines
  local name=$1

  shift
  mkdir -p s
  {
    printf '%s\n' "name: $name" 'why: It is to be seen here.' 'reference: none' 'steps:'
    printf '  - %s\n' "$@"
  } >"s/$name.yaml"
}

shared_lab()
{
  [ -z "${skipped_lab-}" ] || skip "$skipped_lab"
  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$lab
  LG_COORDINATOR=127.0.0.1:$(heard "$lab/coordinator")
  export LG_COORDINATOR
}

# --- tests ---

two_runners()
{
  local first status=0 played=("$repo/scenarios/start/list-changes-nothing.yaml" "$repo/scenarios/leave/application-starts.yaml")

  shared_lab
  "$dfuhil" run --json here.json "${played[@]}"
  verdicts here.json >here
  on_place 1 "$dfuhil" run --deadline none --rig "$lab/lab-1.yaml" --json 1.json "${played[1]}" >1.said 2>&1 &
  first=$!
  on_place 2 "$dfuhil" run --deadline none --rig "$lab/lab-2.yaml" --json 2.json "${played[0]}" >2.said 2>&1 || status=$?
  wait "$first" || status=$?
  cat 1.said 2.said
  [ "$status" -eq 0 ]
  { verdicts 1.json; verdicts 2.json; } | diff here -
  for n in 1 2; do
    in_order "$lab/coordinator" "^f4-$n: place acquired by " "^f4-$n: place released"
    [ "$(grep -c "^f4-$n: place acquired" "$lab/coordinator")" -eq 1 ]
    [ "$(grep "^/$n/BOOT0 " "$lab/switched" | tail -n 1)" = "/$n/BOOT0 low" ]
    in_order "$lab/switched" "^/$n/BOOT0 low" "^/$n/NRST high" "^/$n/BOOT0 high" "^/$n/NRST low" "^/$n/NRST high" "^/$n/BOOT0 low"
  done
  in_order "$lab/switched" '^/1/power 1' '^/1/NRST low' '^/1/power 1'
  # At the same time: each was acquired before the other was released.
  in_order "$lab/coordinator" '^f4-[12]: place acquired' '^f4-[12]: place acquired' '^f4-[12]: place released'
}

conflict()
{
  local switched acquired

  shared_lab
  LG_USERNAME=ann LG_HOSTNAME=bench7 client -p f4-1 acquire
  switched=$(grep -c '^/1/' "$lab/switched")
  ends 3 "$dfuhil" run --deadline none --rig "$lab/lab-1.yaml" --json 1.json "$lab/s/list.yaml"
  says said "the rig 'lab-1' is unfit: cannot acquire the labgrid place 'f4-1'"
  says said 'Place f4-1 is already acquired by bench7/ann'
  ends 3 "$dfuhil" rig check "$lab/lab-1.yaml"
  says said 'Place f4-1 is already acquired by bench7/ann'
  [ "$(grep -c '^/1/' "$lab/switched")" -eq "$switched" ]
  [ "$(grep '^f4-1: place' "$lab/coordinator" | tail -n 1)" = 'f4-1: place acquired by bench7/ann' ]
  LG_USERNAME=ann LG_HOSTNAME=bench7 client -p f4-1 release
  # By this user on this host, but by hand
  client -p f4-1 acquire
  acquired=$(grep -c '^f4-1: place acquired' "$lab/coordinator")
  ends 3 "$dfuhil" run --deadline none --rig "$lab/lab-1.yaml" "$lab/s/list.yaml"
  says said 'you have acquired it on this host, outside dfuhil'
  [ "$(grep -c '^f4-1: place acquired' "$lab/coordinator")" -eq "$acquired" ]
  client -p f4-1 release
  # A name that is within another's
  sed 's/place: f4-1/place: 4-1/' "$lab/lab-1.yaml" >part.yaml
  ends 3 "$dfuhil" run --deadline none --rig part.yaml "$lab/s/list.yaml"
  says said "cannot acquire the labgrid place '4-1': there is none of that name; is 'f4-1' meant?"
  [ "$(grep -c '^/1/' "$lab/switched")" -eq "$switched" ]
}

released()
{
  [ "$(grep -c "^$1: place released" "$lab/coordinator")" -ge "$2" ]
}

acquired()
{
  [ "$(grep -c "^$1: place acquired" "$lab/coordinator")" -ge "$2" ]
}

# The guardian idles the wires, then the place is released: all by what is left of the run.
killed()
{
  local before

  shared_lab
  before=$(grep -c '^f4-2: place released' "$lab/coordinator" || true)
  scene waits 'boot0: high' "run: [sh, -c, 'echo >$PWD/began; sleep 1000']"
  export -f until_true pause released
  export lab patience between work
  # shellcheck disable=SC2016
  on_place 2 bash -ec '
    "$0" run --deadline none --rig "$lab/lab-2.yaml" s/waits.yaml >run 2>&1 &
    until_true 240 test -e began
    echo "killed" >>"$lab/switched"
    kill -9 $!
    until_true 240 released f4-2 $(($2 + 1))
    "$1" ctl "$lab/2/S" status' "$dfuhil" "$dfuemu" "$before" | tee status
  grep -q -i 'boot0: low' status
  sed '1,/^killed$/d' "$lab/switched" | grep '^/2/' >after
  in_order after '^/2/BOOT0 low' '^/2/NRST high'
}

# descendants PID: of a process that nothing new can come of
descendants()
{
  local child children

  read -ra children <<<"$(cat "/proc/$1/task/"*/children | tr '\n' ' ')"
  for child in "${children[@]}"; do
    kill -STOP "$child"
    echo "$child"
    descendants "$child"
  done
}

# Nothing is left of the run: its place is released by the next.
all_killed()
{
  local before pid children

  shared_lab
  before=$(grep -c '^f4-2: place acquired' "$lab/coordinator" || true)
  "$dfuhil" run --deadline none --rig "$lab/lab-2.yaml" "$lab/s/list.yaml" >first 2>&1 &
  pid=$!
  until_true 240 acquired f4-2 $((before + 1))
  kill -STOP "$pid"
  read -ra children <<<"$(descendants "$pid" | tr '\n' ' ')"
  [ "${#children[@]}" -ge 2 ] # that which has the place, and who sweeps the folder
  kill -9 "$pid" "${children[@]}"
  for pid in "$pid" "${children[@]}"; do
    until_true 20 gone "$pid"
  done
  before=$(grep -c '^f4-2: place released' "$lab/coordinator" || true)
  scene impossible 'boot1: high'
  ends 1 "$dfuhil" run --deadline none --rig "$lab/lab-2.yaml" s/impossible.yaml
  says said 'every scenario was skipped'
  released f4-2 $((before + 1))
}

# A verdict, and no hang; what could not be idled and released is told.
coordinator_gone()
{
  lab=$PWD
  trap 'end_lab "$lab"' EXIT
  begin_lab 1
  scene gone "run: [sh, -c, 'kill -9 $(cat coordinator.pid)']" reset
  ends 1 on_place 1 "$dfuhil" run --deadline none --rig lab-1.yaml --json gone.json s/gone.yaml
  says said "cannot bring to high boot0 (digital output 'BOOT0' of the labgrid place 'f4-1')"
  says said 'Could not connect to coordinator'
  says said 'the wires may not be idle'
  says said "cannot release the labgrid place 'f4-1'"
  verdicts gone.json
  # Before anything runs
  ends 3 "$dfuhil" run --deadline none --rig lab-1.yaml s/list.yaml
  says said "the rig 'lab-1' is unfit: cannot acquire the labgrid place 'f4-1'"
}

# As systemd would start it again, when it has lost its coordinator.
exporter_is_back()
{
  if gone "$(cat exporter.pid)"; then
    begin_exporter
  fi
  labgrid-client -p f4-1 show 2>/dev/null | grep -q '^Acquired resource\|^Matching resource'
}

goes_on()
{
  kill -CONT "$coordinator"
  until_true 120 exporter_is_back
}

# The same where it hangs: labgrid-client is given up at its limit. Once it goes on, so does all else.
coordinator_hangs()
{
  local coordinator

  lab=$PWD
  trap 'end_lab "$lab"' EXIT
  begin_lab 1
  coordinator=$(cat coordinator.pid)
  sed -i 's/timeout: 2min/timeout: 15s/' lab-1.yaml
  kill -STOP "$coordinator"
  ends 3 "$dfuhil" run --deadline none --rig lab-1.yaml s/list.yaml
  says said "the rig 'lab-1' is unfit: cannot acquire the labgrid place 'f4-1': 'labgrid-client' took longer than 15 s and was killed"
  export DFUBENCH_NOW=2026-03-01T02:00
  ends 3 "$dfuhil" nightly s/list.yaml --rig ./lab-1.yaml --retries 0 --folder nights --history h.sqlite
  says said "rig failure"
  goes_on
  [ "$(grep -c NRST switched)" -eq 0 ]
  scene hangs "run: [sh, -c, 'kill -STOP $coordinator']" reset
  ends 1 on_place 1 "$dfuhil" run --deadline none --rig lab-1.yaml --json hangs.json s/hangs.yaml
  [ "$(verdicts hangs.json)" = 's/hangs dfu-util error' ]
  says said 'the wires may not be idle'
  says said "cannot release the labgrid place 'f4-1'"
  goes_on
  ends 0 on_place 1 "$dfuhil" run --deadline none --rig lab-1.yaml s/list.yaml
  [ "$(grep '^f4-1: place' coordinator | tail -n 1 | cut -d ' ' -f 1-3)" = 'f4-1: place released' ]
}

# A rig file may have the token of a reservation in the place of a name.
reserved()
{
  local token

  shared_lab
  client -p f4-2 set-tags board=f4
  client reserve --wait --shell board=f4 >reservation
  cat reservation
  token=$(sed -n 's/^export LG_TOKEN=//p' reservation)
  sed "s/place: f4-2/place: \"+$token\"/" "$lab/lab-2.yaml" >reserved.yaml
  # What is kept for somebody is not for others.
  LG_USERNAME=ann LG_HOSTNAME=bench7 ends 3 "$dfuhil" run --deadline none --rig "$lab/lab-2.yaml" "$lab/s/list.yaml"
  says said "cannot acquire the labgrid place 'f4-2'"
  ends 0 on_place 2 "$dfuhil" run --deadline none --rig reserved.yaml "$lab/s/list.yaml"
  [ "$(grep '^f4-2: place' "$lab/coordinator" | tail -n 1 | cut -d ' ' -f 1-3)" = 'f4-2: place released' ]
  client cancel-reservation "$token"
  ends 3 "$dfuhil" run --deadline none --rig reserved.yaml "$lab/s/list.yaml"
  says said "cannot acquire the labgrid place '+$token'"
}

trap 'end_lab "$work/lab"; rm -rf "$work"' EXIT
later "a lab whose coordinator goes in the middle of a run: a verdict, and what was left is told" coordinator_gone
later "a lab whose coordinator hangs: a verdict within its limits, and all works again once it goes on" coordinator_hangs
if ! in_folder "$work/lab" begin_lab 2; then
  skipped_lab=$(cat "$work/lab/reason" 2>/dev/null || cat "$work/lab/log")
fi
check "two runners on two places at the same time have the verdicts of the board in this process" two_runners
later "a place that somebody else has is refused, with who has it, and nothing is switched" conflict
later "a runner is killed: the wires are idled, and then the place is released" killed
gather
check "a place is had by its reservation, and is not for others meanwhile" reserved
check "a runner is killed with all that is beside it: the next run releases its place" all_killed
finish
