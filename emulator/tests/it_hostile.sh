#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tools that mean harm, or are badly confused: no crash, no hang, nothing left behind.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

client()
{
  need gcc
  gcc -std=c11 -O1 -Wall -Wextra -Werror -pthread -o "$work/hostile" "$clients/hostile.c"
}

built()
{
  [ -x "$work/hostile" ] || skip 'the client was not built'
  mkdir -m 700 run
  export XDG_RUNTIME_DIR=$PWD/run
}

no_tree()
{
  ! ls -d run/dfubench-* 2>/dev/null
}

# trick NAME [TIME...]
trick()
{
  local name=$1 time

  built
  shift
  for time in "${@:-x50}"; do
    LIMIT=20 TIME=$time ends 0 board -- "$work/hostile" "$name"
    says said 'done'
    no_tree
  done
}

# SEEDS and ROUNDS in the environment: for more than a quick look.
fuzz()
{
  local seed time status

  built
  for time in real x50 virtual; do
    for seed in ${SEEDS:-1 2 3 4}; do
      status=0
      LIMIT=40 TIME=$time emu --boards 2 -- "$work/hostile" fuzz "$seed" "${ROUNDS:-2000}" >said 2>&1 || status=$?
      cat said
      says_not said Sanitizer
      says_not said 'runtime error'
      [ "$status" -eq 0 ]
      no_tree
    done
  done
}

kill_guardian()
{
  built
  LIMIT=20 ends 137 board -- "$work/hostile" kill-guardian
  no_tree
}

# What dfuemu opens itself must not land on the numbers of the streams.
no_streams()
{
  local status=0

  built
  timeout 20 "$dfuemu" exec --serial "$serial" -- "$work/hostile" rights <&- >&- 2>&- || status=$?
  # The tool cannot say that it is done.
  [ "$status" -eq 0 ]
  timeout 20 "$dfuemu" exec -- sh -c 'exit 7' <&- >&- 2>&- || status=$?
  [ "$status" -eq 7 ]
}

listing()
{
  need find
  ends 0 board -- find /dev/bus/usb -type c
  [ "$(grep -c '^/dev/bus/usb/001/00[12]$' said)" -eq 2 ]
}

many_processes()
{
  ends 0 board -- sh -c 'i=0; while [ $i -lt 300 ]; do (ls /dev/bus/usb >/dev/null &); i=$((i+1)); done; cat /sys/bus/usb/devices/1-1/serial'
  says said "$serial"
}

traced()
{
  need strace
  built
  ends 0 board -- strace -f -o /dev/null "$work/hostile" wrong
  TIME=virtual ends 0 board -- strace -f -o /dev/null "$work/hostile" wrong
}

# Where the tree cannot be, it is elsewhere.
places()
{
  built
  XDG_RUNTIME_DIR=/proc ends 0 board -- "$work/hostile" wrong
  XDG_RUNTIME_DIR=/dev/null ends 0 board -- "$work/hostile" wrong
  XDG_RUNTIME_DIR=no/such ends 0 board -- "$work/hostile" wrong
  ln -s run link
  XDG_RUNTIME_DIR=$PWD/link ends 0 board -- "$work/hostile" wrong
  ends 0 env -i "$dfuemu" exec -- "$work/hostile" wrong
  no_tree
}

check 'the client builds' client
check 'a URB reaches a thread that waits for it' trick reap real virtual
check 'arguments that make no sense get the errors of the kernel' trick wrong real virtual
check 'sysfs shows the name of the alternate setting that is set' trick setting real virtual
check 'URBs that nobody reaps take no more memory than usbfs gives' trick flood
check 'a file under a number of the bus is a file' trick native
check 'a FIFO in the tree keeps nobody waiting' trick fifo
check 'the tool finds itself in /proc through the tree' trick own
check 'an epoll that seems to watch itself does no harm' trick epoll virtual
check 'a guardian that the tool has stopped ends with it' trick stop-guardian
check 'a guardian that the tool has killed leaves nothing behind' kill_guardian
check 'a handle that came over a socket works' trick rights
check 'execve in a thread while another waits for the bus' trick exec-in-thread real virtual
check 'a tool without standard streams is served' no_streams
check 'find(1) sees character devices' listing
check 'many short-lived processes at once' many_processes
check 'strace works on the bus' traced
check 'the tree goes where it can' places
check 'random calls do no harm' fuzz
finish
