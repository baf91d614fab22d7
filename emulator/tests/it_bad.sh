#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Strange tools, bad files, wrong options, and ends by force.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

client()
{
  need gcc
  gcc -std=c11 -O1 -Wall -Wextra -Werror -o "$work/strange" "$clients/strange.c"
}

strange()
{
  [ -x "$work/strange" ] || skip 'the client was not built'
  LIMIT=20 ends 0 board -- "$work/strange" "$@"
  says said 'done'
}

uring()
{
  strange uring
  says said 'io_uring'
}

few_descriptors()
{
  need dfu-util
  ends 0 sh -c 'ulimit -n 64; exec "$@"' sh timeout 30 "$dfuemu" exec --serial "$serial" -- dfu-util -l
  [ "$(grep -c Found said)" -eq 4 ]
}

# Descriptors of the bus have numbers below the limit that dfuemu itself was started with.
fewer_descriptors()
{
  need dfu-util
  ends 74 board -- sh -c 'ulimit -n 64; exec dfu-util -l'
  says said 'a process has lowered its limit of open files'
}

# What cannot be used is refused before anything runs, in words, and no file is touched.
bad_images()
{
  head -c 1048577 /dev/zero >big.img
  ends 125 board --flash big.img -- touch ran
  says said "big.img"
  mkdir folder.img
  ends 125 board --flash folder.img -- touch ran
  says said folder.img
  says said directory
  ends 125 board --flash no/such/flash.img -- touch ran
  says said 'no/such/flash.img'
  if [ "$(id -u)" -ne 0 ]; then
    : >closed.img
    chmod 0 closed.img
    ends 125 board --flash closed.img -- touch ran
    says said 'Permission denied'
  fi
  ends 125 board --profile f407-v3.2 -- touch ran
  says said "'f407-v3.2'"
  says said 'did you mean'
  ends 125 board --flahs x -- touch ran
  says said flahs
  ends 125 board --time x0 -- touch ran
  ends 125 board --serial 12345 -- touch ran
  says said "'12345'"
  [ ! -e ran ]
  printf 'short' >short.img
  ends 0 board --flash short.img -- touch ran
  says said short.img
}

missing_tools()
{
  export PATH=/usr/bin:/bin # a folder in it that may not be searched would make it 126
  ends 127 board --flash flash.img -- no-such-tool
  says said "cannot run 'no-such-tool': No such file or directory"
  ends 126 board --flash flash.img -- /
  printf '#!/no/such/interpreter\n' >script
  chmod +x script
  ends 127 board --flash flash.img -- ./script
  [ ! -e flash.img ]
}

setuid()
{
  if [ "$(id -u)" -ne 0 ]; then
    need su
    ends 0 board -- su --version
    says said 'is set-user-ID'
    return
  fi
  cp "$(command -v id)" ./id
  chown 65534 id
  chmod 4755 id
  [ "$(./id -u)" -eq 65534 ] || skip 'set-user-ID programs have no effect in this folder'
  ends 0 board -- ./id -u
  says said 'is set-user-ID'
  grep -q -x 0 said
}

foreign()
{
  [ "$(uname -m)" = x86_64 ] || skip 'only x86_64 runs i386 programs'
  need gcc
  gcc -m32 -nostdlib -static -o i386 "$clients/i386_open.S" || skip 'gcc cannot make i386 programs'
  timeout 5 ./i386 || [ $? -eq 1 ] || skip 'this kernel does not run i386 programs'
  LIMIT=20 emu -- ./i386 >said 2>&1 || [ $? -eq 1 ]
  says said "i386' is a 32-bit program"
}

nested()
{
  ends 125 board -- "$dfuemu" exec -- true
  says said "is this dfuemu running inside another 'dfuemu exec'?"
  board -- "$dfuemu" --version
}

first_look()
{
  runtime
  ends 0 board -- sh -c 'ls run/* && test -e /dev/bus/usb/001/002 && ls run/*'
  [ "$(tr '\n' ' ' <said)" = 'dev run stage sys ' ]
  no_tree
}

# A limit on the size of files stands for a full disk: the files of the bus are written when the tool looks.
no_room()
{
  local status=0

  runtime
  (ulimit -f 0 && timeout 20 "$dfuemu" exec -- sh -c 'exit 3' 2>&1) | cat >said && status=${PIPESTATUS[0]}
  cat said
  [ "$status" -eq 3 ]
  no_tree
  (ulimit -f 0 && timeout 20 "$dfuemu" exec -- ls /sys/bus/usb/devices 2>&1) | cat >said && status=${PIPESTATUS[0]}
  cat said
  [ "$status" -eq 125 ]
  says said "the files of the private bus cannot be written in '$PWD/run/dfubench-"
  says said 'File too large'
  says said 'the tool was killed'
  no_tree
}

# Trees stand below XDG_RUNTIME_DIR, which is this test's alone.
runtime()
{
  mkdir -m 700 run
  export XDG_RUNTIME_DIR=$PWD/run
}

no_tree()
{
  ! ls -d run/dfubench-* 2>/dev/null
}

# The shell starts two more; all three are in the file pids.
family='
  sh -c "echo \$\$ >>pids; while :; do sleep 1; done" &
  setsid sh -c "echo \$\$ >>pids; while :; do sleep 1; done" &
  echo $$ >>pids
  ls /sys/bus/usb/devices >/dev/null
  while [ "$(wc -l <pids)" -lt 3 ]; do sleep 0.02; done
  ls run >tree
  : >ready
'

family_is_gone()
{
  local pid

  [ "$(wc -l <pids)" -eq 3 ]
  while read -r pid; do
    until_true 10 gone "$pid"
  done <pids
  grep -q dfubench- tree
  until_true 10 no_tree
}

ctrl_c()
{
  runtime
  python3 "$clients/on_terminal.py" ready "$dfuemu" exec -- sh -c "$family while :; do sleep 1; done" >said
  cat said
  says said 'signal 2'
  family_is_gone
}

# The tool decides what Ctrl-C means to it.
ctrl_c_handled()
{
  runtime
  python3 "$clients/on_terminal.py" ready "$dfuemu" exec -- \
    sh -c 'trap "exit 9" INT; : >ready; while :; do sleep 0.1; done' >said
  cat said
  says said 'status 9'
  no_tree
}

# signalled SIGNAL STATUS: of dfuemu itself
signalled()
{
  local status=0 pid

  runtime
  "$dfuemu" exec -- sh -c "$family while :; do sleep 1; done" >said 2>&1 &
  pid=$!
  until_true 20 test -e ready
  kill "-$1" "$pid"
  wait "$pid" || status=$?
  cat said
  [ "$status" -eq "$2" ]
  family_is_gone
}

tool_killed()
{
  local status=0

  runtime
  timeout 30 "$dfuemu" exec -- sh -c "$family"' kill -KILL $$' >said 2>&1 || status=$?
  cat said
  [ "$status" -eq 137 ]
  # Each of the two has a sleep as its child.
  says said 'that the tool left behind were ended'
  family_is_gone
}

left_behind()
{
  runtime
  ends 0 timeout 30 "$dfuemu" exec -- sh -c "$family"
  says said 'that the tool left behind were ended'
  family_is_gone
}

daemonised()
{
  [ -x "$work/strange" ] || skip 'the client was not built'
  runtime
  ends 0 board -- sh -e -c '"$1" daemon pid; while ! [ -s pid ]; do sleep 0.02; done; "$1" closefrom' sh "$work/strange"
  says said '1 process that the tool left behind was ended'
  until_true 10 gone "$(cat pid)"
  no_tree
}

# No process is left to tidy up: the next start does it.
guardian_killed()
{
  local pid guardian

  runtime
  "$dfuemu" exec -- sh -c "$family while :; do sleep 1; done" >said 2>&1 &
  pid=$!
  until_true 20 test -e ready
  guardian=$(cat "/proc/$pid/task/$pid/children")
  # Stopped, they cannot do anything about each other's end.
  kill -STOP "$pid" "${guardian% }"
  kill -KILL "$pid" "${guardian% }"
  wait "$pid" || true
  xargs kill -KILL <pids 2>/dev/null || true
  ls run >left
  says left dfubench-
  ends 0 "$dfuemu" exec -- true
  no_tree
}

check 'the client builds' client
check 'a tool that closes all descriptors goes on' strange closefrom
check 'a tool works with duplicates of its descriptor' strange dup
check 'paths at the edge of memory give what the kernel gives' strange paths
check 'io_uring is refused, with a warning' uring
check 'a tool with room for 64 descriptors finds the board' few_descriptors
check 'a tool that lowers the limit itself is told of it' fewer_descriptors
check 'bad images and options are refused in words, and nothing runs' bad_images
check 'a tool that cannot be run is told as env(1) does' missing_tools
check 'a set-user-ID program runs without privileges, with a warning' setuid
check 'a 32-bit program is warned of' foreign
check 'exec inside exec says so' nested
check 'the files of the bus are written at the first look' first_look
check 'a full disk is told when the tool looks at the bus, and ends the run' no_room
check 'Ctrl-C ends all, with SIGINT' ctrl_c
check 'Ctrl-C that the tool handles is left to it' ctrl_c_handled
check 'SIGTERM to dfuemu ends all, with the status of SIGTERM' signalled TERM 143
check 'SIGHUP to dfuemu ends all, with the status of SIGHUP' signalled HUP 129
check 'SIGKILL to dfuemu ends all' signalled KILL 137
check 'SIGKILL to the tool ends all, with the status of SIGKILL' tool_killed
check 'processes that outlive the tool are ended, and it is said' left_behind
check 'a tool that becomes a daemon is ended with the run' daemonised
check 'a tree that nobody could remove is removed at the next start' guardian_killed
finish
