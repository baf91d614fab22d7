#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `dfuemu serve` is with any front: how it begins and ends, and the command that it runs. By usbip, which needs no
# privileges.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"

# served OPTION... [-- COMMAND...]: serves to its end, that is the command's.
served()
{
  timeout -k 5 60 env --default-signal "$dfuemu" serve usbip --listen 127.0.0.1:0 "$@"
}

# serve OPTION... [-- COMMAND...]: likewise, in the background: $server. What it says is in the files ready and complaints.
serve()
{
  "$dfuemu" serve usbip --listen 127.0.0.1:0 "$@" >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true; cat ready complaints' EXIT
}

# ended STATUS: of the server, before long
ended()
{
  local status=0

  until_true 20 gone "$server"
  wait "$server" || status=$?
  [ "$status" -eq "$1" ] && return 0
  echo "=> status $status instead of $1"
  return 1
}

mistakes()
{
  ends 125 "$dfuemu" serve
  says said 'serve: no front: must be usbip, vhci, gadget, raw-gadget or redir'
  ends 125 "$dfuemu" serve usbpi
  says said "serve: unknown front 'usbpi' (did you mean 'usbip'?)"
  ends 125 "$dfuemu" serve bluetooth
  says said "serve: unknown front 'bluetooth': must be usbip, vhci"
  for time in virtual virtual-always; do
    ends 125 served --time "$time"
    says said "--time '$time': waits can be skipped on the private bus alone"
  done
  ends 125 served --also "$fixtures/descriptors/0a5c-21e6.usb:denied"
  says said "':denied' is for exec"
  ends 125 served --udc dummy_udc.0
  says said "option '--udc' is not for serve usbip, but for serve gadget, serve raw-gadget"
  ends 125 served --boards 1025
  says said "--boards '1025': must be a number from 1 to 1024"
  ends 0 "$dfuemu" serve --help
  says said 'FRONT is one of:'
  ends 0 "$dfuemu" serve usbip --help
  says said --listen
  says_not said --udc
}

by_signal()
{
  for signal in TERM INT HUP; do
    rm -f ready flash.bin
    serve --flash flash.bin
    until_true 20 grep -q -x -E 'ready: usbip: listening on 127\.0\.0\.1:[0-9]+' ready
    [ "$(grep -c '' ready)" -eq 1 ]
    kill -s "$signal" "$server"
    ended 0
    [ "$(stat -c %s flash.bin)" -eq 1048576 ]
  done
}

# The words are the command's environment, and its own to expand.
# shellcheck disable=SC2016
commands()
{
  served -- sh -c 'echo "$DFUEMU_READY"' >told
  grep -q -x -E 'listening on 127\.0\.0\.1:[0-9]+' told
  [ "$(grep -c '' told)" -eq 1 ]
  served true
  ends 7 served --flash flash.bin -- sh -c 'exit 7'
  [ "$(stat -c %s flash.bin)" -eq 1048576 ]
  ends 143 served -- sh -c 'kill -TERM $$'
}

not_started()
{
  ends 127 served --flash flash.bin -- ./missing
  says said "cannot run './missing': No such file or directory"
  echo text >plain
  ends 126 served --flash flash.bin -- ./plain
  says said "cannot run './plain': Permission denied"
  ends 125 served --listen nowhere -- touch run
  [ ! -e flash.bin ] && [ ! -e run ]
}

# shellcheck disable=SC2016
passed_on()
{
  serve --flash flash.bin -- sh -c 'trap "exit 3" TERM; touch here; while :; do sleep 0.05; done'
  until_true 20 test -e here
  kill -TERM "$server"
  ended 3
  [ -s flash.bin ]
  rm here
  serve --flash second.bin -- sh -c 'trap "touch got" TERM; touch here; while :; do sleep 0.05; done'
  until_true 20 test -e here
  kill -TERM "$server"
  until_true 20 test -e got
  kill -TERM "$server"
  ended 137
  [ -s second.bin ]
}

# Three times over: nobody else decides what it means.
# shellcheck disable=SC2016
ctrl_c()
{
  need python3
  python3 "$clients/on_terminal.py" ready "$dfuemu" serve usbip --listen 127.0.0.1:0 --flash flash.bin -- \
    sh -c 'trap "n=x\$n; [ \$n != xxx ] || exit 9; : >ready" INT; : >ready; while :; do sleep 0.05; done' >said
  cat said
  says said 'status 9'
  [ -s flash.bin ]
}

# shellcheck disable=SC2016
dies_with_it()
{
  serve -- sh -c 'echo $$ >pid; exec sleep 1000'
  until_true 20 test -s pid
  kill -9 "$server"
  ended 137
  until_true 20 gone "$(cat pid)"
}

# What boards hold by then is not lost. strace stands in for a kernel that fails: at the first wait of the loop.
loop_fails()
{
  need strace
  strace -o strace -e trace=epoll_pwait2 -e inject=epoll_pwait2:error=EBADF true || skip 'strace cannot trace here'
  # A search for leaks is no use: it traces as well.
  ASAN_OPTIONS=detect_leaks=0 ends 125 timeout -k 5 60 strace -o /dev/null -e trace=epoll_pwait2 -e inject=epoll_pwait2:error=EBADF "$dfuemu" \
    serve usbip --listen 127.0.0.1:0 --flash flash.bin --capture capture.pcapng
  says said 'the loop has failed: Bad file descriptor'
  [ "$(stat -c %s flash.bin)" -eq 1048576 ]
  [ -s capture.pcapng ]
}

# A server's own limit would be the most there is; select() and programs that close all numbers want another.
descriptors()
(
  ulimit -Sn 200
  served -- sh -c 'ulimit -Sn' >told
  grep -q -x 200 told
)

defaults()
{
  served -- cat /proc/self/status >told
  for mask in SigBlk SigIgn; do
    # Those from 32 on are the C library's own: make has it ignore two.
    [ $((0x$(sed -n "s/^$mask:[[:space:]]*//p" told) & 0x7fffffff)) -eq 0 ]
  done
}

check 'serve says what is wrong with its words, and ends with 125' mistakes
check 'serve says ready, and ends with 0 and saved files at SIGTERM, SIGINT and SIGHUP' by_signal
check 'a loop that fails is said, and files are saved' loop_fails
check 'the command of serve finds the place in its environment, and its status is that of serve' commands
check 'a command that cannot be run is 127 or 126, and makes no file' not_started
check 'signals are passed on to the command, a second SIGTERM kills it, and files are saved' passed_on
check 'Ctrl-C is left to the command' ctrl_c
check 'the command dies with a server that is killed' dies_with_it
check 'the command has the limit of descriptors that serve was started with' descriptors
check 'the command has the signals that we were given, and an empty mask' defaults
finish
