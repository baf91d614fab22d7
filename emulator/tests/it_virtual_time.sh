#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual time: waits are skipped, all durations are as on a real board, and no verdict differs. DFUBENCH_RUNS: how often
# the races are run (100). DFUBENCH_SLOW=1: each client in real time, too, 40 s more.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

runs=${DFUBENCH_RUNS:-100}
bin=$work/bin
mkdir "$bin"

# virtual COMMAND...: with one board, in virtual time or as TIME says
virtual()
{
  timeout -k 5 "${LIMIT:-60}" "$dfuemu" exec --time "${TIME:-virtual}" "$@"
}

compile()
{
  local name=$1

  need gcc
  shift
  gcc -std=c11 -O1 -Wall -Wextra -Werror -pthread -o "$bin/$name" "$clients/$name.c" "$@"
}

with_libusb()
{
  need gcc pkg-config
  pkg-config --exists libusb-1.0 || skip 'there are no headers of libusb (libusb-1.0-0-dev)'
  # shellcheck disable=SC2046 # words
  compile "$1" $(pkg-config --cflags --libs libusb-1.0)
}

static_waits()
{
  need musl-gcc
  musl-gcc -std=c11 -O1 -static -pthread -idirafter /usr/include -idirafter "/usr/include/$(uname -m)-linux-gnu" \
    -o "$bin/waits-musl" "$clients/waits.c"
}

python=python3
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import usb.core' 2>/dev/null && python=$candidate && break
done

# client NAME: its command line, in the array `command`
client()
{
  case $1 in
  sync | async | spin)
    [ -x "$bin/mass_erase_libusb" ] || skip 'the client was not built'
    command=("$bin/mass_erase_libusb" "$1")
    ;;
  ioctl)
    [ -x "$bin/mass_erase_ioctl" ] || skip 'the client was not built'
    command=("$bin/mass_erase_ioctl")
    ;;
  pyusb)
    "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
    command=("$python" "$clients/mass_erase_pyusb.py")
    ;;
  esac
}

milliseconds()
{
  local digits=${1/./}

  echo "$((10#$digits))"
}

# between LOW HIGH SECONDS, all with three decimals
between()
{
  local low high got

  low=$(milliseconds "$1")
  high=$(milliseconds "$2")
  got=$(milliseconds "$3")
  if [ "$got" -lt "$low" ] || [ "$got" -gt "$high" ]; then
    echo "=> $3 is not in $1 to $2"
    return 1
  fi
}

# What a processor takes for the tool itself counts as the board's time, too, and that of a guest may have a tenth of one:
# begin, then slack HIGH: HIGH and what has passed since, there.
begin()
{
  began=$EPOCHREALTIME
}

slack()
{
  local high

  high=$(milliseconds "$1")
  [ -z "${VM_KERNEL-}" ] || high=$((high + (${EPOCHREALTIME/./} - ${began/./}) / 1000))
  printf '%d.%03d\n' $((high / 1000)) $((high % 1000))
}

# seconds COMMAND...: how long it takes, by the clock of this machine; nothing if it fails, which is in no range
seconds()
{
  local start end

  set -e # a substitution does not have it
  start=$(date +%s%N)
  "$@" >&2
  end=$(date +%s%N)
  printf '%d.%03d\n' $(((end - start) / 1000000000)) $(((end - start) / 1000000 % 1000))
}

# runs_of COUNT LOW HIGH VERDICT COMMAND...
runs_of()
{
  local count=$1 low=$2 high=$3 want=$4 i got

  shift 4
  for ((i = 0; i < count; i++)); do
    begin
    got=$(virtual "$@") || return 1
    if [ "${got% *}" != "$want" ]; then
      echo "=> run $i: '$got' instead of '$want'"
      return 1
    fi
    between "$low" "$(slack "$high")" "${got#* }"
  done
}

# Both verdicts. A loaded machine adds what the tool waits for a processor.
erases()
{
  local name=$1 count=$2 spare=$3 command

  client "$name"
  runs_of "$count" 5.000 "5.$spare" timeout "${command[@]}" 5000
  runs_of "$count" 16.000 "16.$spare" 'done' "${command[@]}" 40000
}

# Sleeps a moment instead of the bwPollTimeout, then asks, and has 5 s.
old_dfu_util()
{
  local command

  client sync
  runs_of "$1" 5.100 "5.$2" timeout "${command[@]}" 5000 100
}

busy()
{
  local i

  for i in 1 2; do
    timeout 100 bash -c 'while :; do :; done' &
    busy_pids+=("$!")
  done
}

busy_end()
{
  kill "${busy_pids[@]}" 2>/dev/null || true
  wait "${busy_pids[@]}" 2>/dev/null || true
  busy_pids=()
}

scaled()
{
  local command

  # The board is twenty times as fast, the host is not: 16 s are 0.8 s to it.
  client sync
  TIME=x20
  runs_of 20 0.799 1.500 'done' "${command[@]}" 5000
  runs_of 20 0.799 1.500 'done' "${command[@]}" 40000
}

real()
{
  local command

  client "$1"
  TIME=real runs_of 1 "$2.000" "$2.900" "$3" "${command[@]}" "$4"
}

# Its clocks do not stand for long: 5 s take 6.
never_waits()
{
  local command

  client spin
  runs_of 1 5.000 5.900 timeout "${command[@]}" 5000
}

dfu_util()
{
  need dfu-util "$python"
  pattern "$1" 7 >in.bin
  begin
  virtual --capture c.pcapng --flash f.bin -- bash -c '
    start=$EPOCHREALTIME
    dfu-util -a 0 -s 0x08000000:mass-erase:force -D in.bin
    end=$EPOCHREALTIME
    printf "%d.%03d\n" $(((${end/./} - ${start/./}) / 1000000)) $(((${end/./} - ${start/./}) / 1000 % 1000)) >took'
  between "$2" "$(slack "$3")" "$(cat took)"
  between "$2" "$(slack "$3")" "$("$python" "$clients/capture_span.py" c.pcapng)"
  cmp -n "$1" in.bin f.bin
}

quick()
{
  local most=10.000

  [ -z "${VM_KERNEL-}${SAN-}" ] || most=30.000
  between 0.000 "$most" "$(seconds dfu_util "$@")"
}

# --- scripts ---

clocks_of_python()
{
  local command

  need "$python"
  client sync
  virtual "$python" "$clients/own_time.py" clocks "${command[@]}" 40000
  virtual "$python" "$clients/own_time.py" clocks "${command[@]}" 5000
}

python_part()
{
  need "$python"
  virtual "$python" "$clients/own_time.py" "$1"
}

clocks_of_shells()
{
  local command

  need perl
  client sync
  virtual bash -c '
    set -e
    micro=$EPOCHREALTIME whole=$SECONDS date=$(date +%s%N) perl=$(perl -e "print time")
    "$@"
    micro=$((${EPOCHREALTIME/./} - ${micro/./})) whole=$((SECONDS - whole)) date=$(($(date +%s%N) - date))
    perl=$(($(perl -e "print time") - perl))
    echo "$micro $whole $date $perl"
    # What starting programs takes is real, and counts.
    [ "$micro" -ge 16000000 ] && [ "$micro" -lt 30000000 ]
    [ "$whole" -ge 15 ] && [ "$whole" -le 30 ]
    [ "$date" -ge 16000000000 ] && [ "$date" -lt 30000000000 ]
    [ "$perl" -ge 15 ] && [ "$perl" -le 30 ]' bash "${command[@]}" 40000
}

sleeps_with_handle()
{
  between 0.000 4.000 "$(seconds virtual bash -c 'exec 3<>/dev/bus/usb/001/002; start=$SECONDS; sleep 5
    [ $((SECONDS - start)) -ge 5 ] && [ $((SECONDS - start)) -le 7 ]')"
}

sleeps_while_replugged()
{
  need dfu-util lsusb
  sh "$fixtures/firmware/make-demo.sh" demo.bin
  virtual bash -c '
    dfu-util -a 0 -s 0x08000000:leave -D demo.bin
    for i in 1 2 3 4 5 6 7 8 9 10; do
      lsusb -d 0483:5740 && exit 0
      sleep 0.3
    done
    exit 1'
}

sleeps_between_tools()
{
  # A second, so that what else it takes does not hide it.
  between 1.000 9.000 "$(seconds virtual bash -c 'dfu-util -l >/dev/null 2>&1; sleep 1')"
  LIMIT=30 TIME=virtual-always
  between 0.000 20.000 "$(seconds virtual bash -c 'start=$SECONDS; sleep 300; [ $((SECONDS - start)) -ge 300 ]')"
}

# --- ways to wait ---

waits()
{
  [ -x "$bin/waits" ] || skip 'the client was not built'
  virtual "$bin/waits" "$@"
}

other_program()
{
  [ -x "$bin/waits-musl" ] || skip 'the client was not built'
  waits "$1" "$bin/waits-musl"
}

static_program()
{
  local name

  [ -x "$bin/waits-musl" ] || skip 'the client was not built'
  for name in $("$bin/waits-musl" list); do
    echo "$name"
    virtual "$bin/waits-musl" "$name"
  done
}

outside()
{
  (
    sleep 0.3
    echo x
  ) | waits "$1"
}

ctrl_c()
{
  local pids status=0 start

  [ -x "$bin/waits" ] || skip 'the client was not built'
  # Not with `virtual`: a background job of a shell would have SIGINT ignored.
  "$python" -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
    "$dfuemu" exec --time virtual -- "$bin/waits" ctrl-c >started &
  until_true 10 test -s started
  read -r -a pids <started
  start=$(date +%s%N)
  kill -INT "${pids[0]}"
  wait $! || status=$?
  [ "$status" -eq 130 ]
  [ $((($(date +%s%N) - start) / 1000000)) -lt 3000 ]
}

node_timers()
{
  need node
  virtual node "$clients/own_time.js"
}

# Something is to happen in half a minute, and nobody waits for it: always a thread runs, or is on its way to a processor. One look
# in a million did not tell the latter from sleep.
on_its_way()
{
  [ -x "$bin/pingpong" ] || skip 'the client was not built'
  TIME=virtual-always virtual --fault 'unplug from=35s' -- "$bin/pingpong" $((runs * 1000))
}

check 'clients with libusb build' with_libusb mass_erase_libusb
check 'clients with ioctls build' compile mass_erase_ioctl
check 'the client of many waits builds' compile waits
check 'it builds with musl, too' static_waits
check 'the client of two threads builds' compile pingpong

later 'a tool that never waits has clocks that go on' never_waits
later 'in real time 5 s are too short for a mass erase' real sync 5 timeout 5000
later 'in real time 40 s are enough for a mass erase' real ioctl 16 'done' 40000
if [ "${DFUBENCH_SLOW-}" = 1 ]; then
  for name in sync async ioctl pyusb; do
    for round in 1 2; do
      later "in real time 5 s are too short, with $name, round $round" real "$name" 5 timeout 5000
      later "in real time 40 s are enough, with $name, round $round" real "$name" 16 'done' 40000
    done
  done
else
  echo '# not run here: every client twice in real time; DFUBENCH_SLOW=1 does' >&2
fi

for name in sync async ioctl; do
  check "a mass erase fails after 5 s or succeeds after 16 s, $((runs / 2)) times each: $name" erases $name $((runs / 2)) 200
done
check "a mass erase fails after 5 s or succeeds after 16 s, $((runs / 10)) times each: pyusb" erases pyusb $((runs / 10)) 200
check 'a tool that asks early and waits for 5 s fails' old_dfu_util $((runs / 2)) 300
check 'with boards twenty times as fast 5 s of the host are enough' scaled
check 'a mass erase and 64 KiB with dfu-util take 42 s, in no time' quick 65536 41.500 43.000
check 'a mass erase and 1 MiB with dfu-util take 145 s, in no time' quick 1048576 142.000 148.000

check 'clocks of Python show the time of the board' clocks_of_python
check "Python's threads, events and subprocesses wait in virtual time" python_part threads
check 'an asyncio loop is skipped over too' python_part asyncio
check 'clocks of bash, date and perl show the time of the board' clocks_of_shells
check 'timers of node wait in virtual time' node_timers
check 'a sleep is skipped while a handle is open' sleeps_with_handle
check 'a sleep is skipped while a device is on its way' sleeps_while_replugged
check 'a sleep between tools is real, unless all are to be skipped' sleeps_between_tools

if [ -x "$bin/waits" ]; then
  for name in $("$bin/waits" list); do
    check "waits: $name" waits "$name"
  done
else
  check 'ways to wait' waits none
fi
check 'all of them in a static program' static_program
for name in exec spawn exec-beside-threads; do
  check "a static program has the clock from its first moment on: $name" other_program $name
done
for name in stdin-poll stdin-select stdin-epoll stdin-read; do
  check "what comes from outside is waited for: $name" outside $name
done
check 'a thread that was woken, and has no processor yet, is not idle' on_its_way
check 'a signal ends a held sleep at once' ctrl_c

busy_pids=()
busy
trap 'busy_end; rm -rf "$work"' EXIT
for name in sync async ioctl; do
  check "the same beside busy loops: $name" erases $name $((runs / 2)) 900
done
check 'the same beside busy loops: pyusb' erases pyusb $((runs / 20)) 900
check 'the same beside busy loops: a tool that asks early' old_dfu_util $((runs / 4)) 900
for name in handover shared-semaphore child-pipe ping-pong busy-answer orphan timer-beside-sleeps signal-at-once; do
  [ -x "$bin/waits" ] && check "beside busy loops: $name" waits $name
done
busy_end
finish
