#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The USB/IP server as any POSIX system can have it: nothing in it is Linux's own, and it does what the ordinary one does.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"

posix=$build/dfuemu-posix

build_it()
{
  need make
  make -C "$repo" --no-print-directory B="$build" SAN= posix
  [ -x "$posix" ]
}

nothing_of_linux()
{
  need nm
  nm -u "$posix" >used
  says used ' poll'
  if grep -E ' (epoll|signalfd|pidfd|prctl|eventfd|timerfd|inotify|syscall|accept4|pipe2|ppoll|renameat2|asprintf)' used; then
    return 1
  fi
  # And what it was made of asks for no header of the kernel's.
  cat "$build"/posix/obj/emulator/*.d "$build"/posix/obj/emulator/*/*.d "$build"/posix/obj/emulator/*/*/*.d |
    tr ' ' '\n' | grep -x 'emulator/.*\.[ch]' | sort -u >sources
  says sources emulator/posix/poller.c
  says sources emulator/front/usbip/usbip_session.c
  (cd "$repo" && xargs grep -h '#include <') <sources | sort -u >headers
  if grep -E '<(linux|asm)/|<sys/(epoll|signalfd|eventfd|timerfd|prctl|syscall|inotify|sendfile)' headers; then
    return 1
  fi
}

tells()
{
  "$posix" --version >version
  says version 'fronts: serve-usbip'
  "$posix" show "$tests/damaged/whole.pcapng" >theirs
  "$dfuemu" show "$tests/damaged/whole.pcapng" | diff - theirs
  [ "$(wc -l <version)" -eq 2 ]
  "$posix" help serve >text
  says text 'usbip'
  says_not text 'gadget'
  "$posix" profiles >one
  "$dfuemu" profiles >two
  cmp one two
  ends 125 "$posix" exec -- true
  says said "unknown command 'exec'"
  ends 125 "$posix" serve vhci
  says said "unknown front 'vhci': must be usbip"
  ends 125 "$posix" serve usbip --listen 127.0.0.1:0 --control S
  says said "control socket 'S': not in this build"
  [ ! -e S ]
}

# serve OPTION...: a server on a free port, its address in $address, its process in $server.
serve()
{
  rm -f ready
  "$posix" serve usbip --listen 127.0.0.1:0 --time "${TIME:-x50}" "$@" >ready 2>complaints &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready: usbip: listening on 127.0.0.1:[0-9]*$' ready
  address=$(sed 's/.* //' ready)
}

# stop [SIGNAL]
stop()
{
  local status=0

  kill "-${1:-TERM}" "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
}

client()
{
  timeout -k 5 "${LIMIT:-120}" python3 "$clients/usbip_checks.py" "$address" "$@"
}

flashes()
{
  local inode

  serve --flash f.bin --state s.txt --capture run.pcapng
  client flashed
  [ ! -e f.bin ]
  stop
  cmp -n 20000 want.bin f.bin
  [ -s s.txt ]
  inode=$(stat -c %i f.bin)
  # What it has saved the other one can read; a file that is there is replaced.
  ends 0 "$dfuemu" serve usbip --listen 127.0.0.1:0 --flash f.bin --state s.txt -- true
  serve --flash f.bin --state s.txt
  ends 125 "$posix" serve usbip --listen 127.0.0.1:0 --flash f.bin
  says said 'is in use by another board'
  client flashed
  stop INT
  cmp -n 20000 want.bin f.bin
  [ "$(stat -c %i f.bin)" != "$inode" ]
  [ -z "$(find . -name '.*.tmp' -o -name '.*.lock')" ]
  [ ! -s complaints ]
}

# A file that came meanwhile is somebody's: it stays.
spares()
{
  local status=0

  serve --flash f.bin
  echo mine >f.bin
  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 125 ]
  says complaints 'it has appeared meanwhile'
  [ "$(cat f.bin)" = mine ]
  [ -z "$(find . -name '.*.tmp' -o -name '.*.lock')" ]
}

several()
{
  TIME=x1000 serve --boards 64 --also "$fixtures/descriptors/0483-374b.usb"
  client many 64 4096
  stop
  serve --boards 2 --also "$fixtures/descriptors/0483-374b.usb"
  client listed
  stop HUP
}

statuses()
{
  local run=("$posix" serve usbip --listen 127.0.0.1:0 -q --)

  # shellcheck disable=SC2016 # the command's
  ends 0 timeout -k 5 20 "${run[@]}" sh -c 'echo "$DFUEMU_READY"'
  says said 'listening on 127.0.0.1:'
  ends 7 timeout -k 5 20 "${run[@]}" sh -c 'exit 7'
  ends 137 timeout -k 5 20 "${run[@]}" sh -c 'kill -KILL $$'
  ends 127 timeout -k 5 20 "${run[@]}" ./missing
  : >plain
  ends 126 timeout -k 5 20 "${run[@]}" ./plain
  # A child from before it became the server is not the command: its end keeps nobody waiting.
  # shellcheck disable=SC2016
  ends 5 timeout -k 5 20 sh -c '(until [ -e here ]; do sleep 0.02; done; : >gone) & exec "$@"' sh "${run[@]}" sh -c '
    : >here
    until [ -e gone ]; do sleep 0.02; done
    sleep 0.2
    timeout 10 python3 "$1" "${DFUEMU_READY##* }" flashed || exit 6
    exit 5' sh "$clients/usbip_checks.py"
}

# What asks the server to end goes to the command, and the second time ends it.
passed_on()
{
  local status=0

  "$posix" serve usbip --listen 127.0.0.1:0 -q -- \
    sh -c 'trap "echo asked >asked; exit 9" TERM; echo here >here; while :; do sleep 0.05; done' &
  server=$!
  trap 'kill -9 "$server" 2>/dev/null || true' EXIT
  until_true 20 [ -s here ]
  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 9 ]
  [ -s asked ]
  status=0
  rm here
  "$posix" serve usbip --listen 127.0.0.1:0 -q -- \
    sh -c 'trap "echo stubborn >stubborn" TERM; echo here >here; while :; do sleep 0.05; done' &
  server=$!
  until_true 20 [ -s here ]
  kill -TERM "$server"
  until_true 20 [ -s stubborn ]
  kill -TERM "$server"
  wait "$server" || status=$?
  [ "$status" -eq 137 ]
}

# Ctrl-C reaches the command from the terminal: it is not sent once more.
terminal()
{
  # shellcheck disable=SC2016 # the command's
  ends 0 python3 "$clients/on_terminal.py" ready "$posix" serve usbip --listen 127.0.0.1:0 -q -- sh -c '
    trap "echo x >>asked" INT
    : >ready
    until [ -s asked ]; do sleep 0.05; done
    sleep 0.3
    exit $((40 + $(wc -l <asked)))'
  says said 'status 41'
}

keeps_time()
{
  serve
  client statuses
  stop
  serve
  client contended 50
  client idle_too_long
  stop
}

check 'make posix builds it' build_it
[ -x "$posix" ] || finish
check 'it uses nothing that only Linux has' nothing_of_linux
check 'it says what is in it, and refuses the rest' tells
check 'a board is written and read over USB/IP, and saved at the end' flashes
check 'a file that has appeared meanwhile is not replaced' spares
check 'many boards are served at once, and bystanders' several
later 'a command of its own: environment, and exit status' statuses
later 'signals go to the command, the second time there is no choice' passed_on
later 'Ctrl-C reaches the command once' terminal
later 'results have their status, contenders their turn, and idlers their end' keeps_time
finish
