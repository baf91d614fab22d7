#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The program around the fronts of serve: streams and messages.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for inner shells
. "$(dirname "$0")/lib.sh"

# serve [OPTION...]: in the background, as $server.
serve()
{
  "$dfuemu" serve usbip --listen 127.0.0.1:0 --time x50 "$@" &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true' EXIT
}

stop()
{
  local status=0

  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
}

# A file that is opened must not get the number of a stream that is not there.
streams()
{
  serve --capture run.pcapng -v >ready 2>&-
  until_true 20 grep -q '^ready: ' ready
  stop
  ends 1 grep -a -e 'dfuemu: [0-9]' -e 'board 1' run.pcapng
  "$dfuemu" exec --capture run.pcapng -v -- true 2>&-
  ends 1 grep -a -e 'dfuemu: [0-9]' -e 'board 1' run.pcapng
  ends 125 sh -c 'exec timeout 20 "$0" serve usbip --listen 0 --capture run.pcapng >&-' "$dfuemu"
  says said 'cannot write to standard output'
  ends 1 grep -a 'ready' run.pcapng
  # The command does not have them either.
  "$dfuemu" serve usbip --listen 0 -- sh -c '[ ! -e /proc/$$/fd/0 ] && [ ! -e /proc/$$/fd/1 ]' <&- >&-
}

# 32 bytes for a bus id, without an end, that would clear a screen and make a line of their own.
plain()
{
  serve >ready 2>complaints
  until_true 20 grep -q '^ready: ' ready
  python3 - "$(sed 's/.*://' ready)" <<'END'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
s.sendall(b"\x01\x11\x80\x03\0\0\0\0" + b"\x1b[2J\ndfuemu: all is well\x7f".ljust(32, b"!"))
assert s.recv(1) == b""
END
  until_true 20 grep -q 'does not end' complaints
  stop
  says complaints '?[2J?dfuemu: all is well?'
  [ "$(wc -l <complaints)" -eq 1 ]
  ends 1 grep -a -q "$(printf '[\033\177]')" complaints
}

times()
{
  ends 125 "$dfuemu" serve usbip --time x0
  says said "--time 'x0': must be real, or x and a number from 0.001 to 100000"
  ends 125 "$dfuemu" exec --time x0 true
  says said 'must be real, virtual, virtual-always, or x and a number'
}

check 'a stream that is not there is no file of ours' streams
check 'what a peer says does not steer the terminal' plain
check 'for --time only what a kernel can have is offered' times
finish
