#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program around the bus: exit status, signals, files, mistakes. Environment: B (build directory).
# shellcheck disable=SC2016 # what stands in single quotes is for the inner shells
set -u
dfuemu=$(cd "${B:-build}" && pwd)/dfuemu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

ok() { echo "ok - $1"; }
not_ok()
{
  echo "not ok - $1"
  shift
  echo "$*" >&2
  failed=1
}

# exits SENTENCE STATUS COMMAND...: output in ./out, messages in ./err
exits()
{
  sentence=$1
  want=$2
  shift 2
  "$@" >out 2>err
  got=$?
  if [ $got -eq "$want" ]; then
    ok "$sentence"
  else
    not_ok "$sentence" "status $got, not $want: $(cat err)"
  fi
}

# says SENTENCE FILE TEXT
says()
{
  if grep -qF -e "$3" "$2"; then
    ok "$1"
  else
    not_ok "$1" "'$3' is not in $2: $(cat "$2")"
  fi
}

# within SECONDS COMMAND...: until the command succeeds
within()
{
  tries=$(($1 * 20))
  shift
  until "$@" 2>/dev/null; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.05
  done
}

exits 'the exit status is that of the tool' 7 "$dfuemu" exec sh -c 'exit 7'
exits 'standard input reaches the tool' 0 sh -c 'echo hello | "$0" exec grep -q hello' "$dfuemu"
exits 'a tool that is not there is 127' 127 "$dfuemu" exec ./nothing-there
says 'its name is told' err nothing-there
: >not-executable
exits 'a tool that cannot be run is 126' 126 "$dfuemu" exec --flash untouched ./not-executable
exits 'a tool that never ran makes no image' 1 test -e untouched
exits 'no tool is our failure' 125 "$dfuemu" exec
exits 'a wrong value is our failure' 125 "$dfuemu" exec --boot0 hihg true
says 'a near miss gets a suggestion' err "did you mean 'high'"
exits 'an unknown command is our failure' 125 "$dfuemu" exce
says 'it gets a suggestion too' err "did you mean 'exec'"
exits 'a full standard output is our failure' 125 sh -c '"$0" profiles >/dev/full' "$dfuemu"
for words in help 'help exec' 'help profiles' 'help help' 'exec --help' 'profiles --help' --help --version profiles; do
  # shellcheck disable=SC2086
  exits "dfuemu $words says something on standard output" 0 sh -c '"$0" "$@" | grep -q .' "$dfuemu" $words
done

# What a shell reports for a child that died of a signal is 128 + its number.
exits 'a tool killed by a signal is passed on as killed' 143 "$dfuemu" exec sh -c 'kill -TERM $$'
python3 -c '
import subprocess, sys
sys.exit(0 if subprocess.run(sys.argv[1:]).returncode == -15 else 1)' "$dfuemu" exec sh -c 'kill -TERM $$' 2>err
exits 'the signal itself is seen by our parent' 0 test $? -eq 0

"$dfuemu" exec --flash term.bin -- sh -c 'trap "exit 9" TERM; : >ready; while :; do sleep 0.05; done' 2>err &
pid=$!
if within 10 test -e ready; then
  kill -TERM $pid
  wait $pid
  exits 'SIGTERM goes to the tool, which may handle it' 9 sh -c "exit $?"
  exits 'the image is saved after that' 0 test -s term.bin
else
  not_ok 'SIGTERM goes to the tool, which may handle it' 'the tool did not start'
fi
rm -f ready got
"$dfuemu" exec --flash kill.bin -- sh -c 'trap ": >got" TERM; : >ready; while :; do sleep 0.05; done' 2>err &
pid=$!
if within 10 test -e ready; then
  kill -TERM $pid
  within 10 test -e got
  kill -TERM $pid
  wait $pid 2>/dev/null
  exits 'the second SIGTERM kills it' 137 sh -c "exit $?"
  exits 'the image is saved after that, too' 0 test -s kill.bin
else
  not_ok 'the second SIGTERM kills it' 'the tool did not start'
fi
rm -f ready got

cat >terminal.py <<'END'
# Runs a command on a terminal of its own, presses ^C once it says so, and exits with its status.
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen = b""
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    if b"ready" not in seen and b"ready" in seen + data:
        os.write(terminal, b"\x03")
    seen += data
sys.stderr.write(seen.decode(errors="replace"))
status = os.waitpid(pid, 0)[1]
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
END
exits '^C is left to the tool, which may go on' 4 timeout 20 python3 terminal.py "$dfuemu" exec --flash int.bin -- sh -c '
  trap "n=1" INT
  n=0
  echo ready
  while [ $n -eq 0 ]; do sleep 0.05; done
  sleep 0.2
  exit 4'
exits 'the image is saved then' 0 test -s int.bin
exits '^C kills a tool that does not care, and us in the same way' 130 timeout 20 python3 terminal.py "$dfuemu" exec \
  --flash int2.bin -- sh -c 'echo ready; exec sleep 10'
exits 'the image is saved then, too' 0 test -s int2.bin

sh "$root/fixtures/firmware/make-demo.sh" demo.bin
size=$(wc -c <demo.bin)
exits 'dfu-util writes an image' 0 "$dfuemu" exec --time x20 --flash f.bin --state s.txt -- \
  dfu-util -a 0 -s 0x08000000 -D demo.bin
exits 'it is in the saved flash' 0 cmp -n "$size" demo.bin f.bin
exits 'the saved flash is whole' 0 test "$(wc -c <f.bin)" -eq 1048576
says 'the erase is in the wear counts' s.txt 'erase-counts: 1 0 0'
before=$(stat -c %i-%Y f.bin s.txt)
exits 'looking changes nothing' 0 "$dfuemu" exec --flash f.bin --state s.txt -- dfu-util -l
exits 'and saves nothing' 0 test "$before" = "$(stat -c %i-%Y f.bin s.txt)"
exits 'a second board on the same file is refused' 125 \
  "$dfuemu" exec --flash f.bin -- "$dfuemu" exec --flash f.bin true
says 'with the reason' err 'in use by another board'
cp f.bin before.bin
exits 'a capture in place of the image is refused' 125 "$dfuemu" exec --flash f.bin --capture f.bin true
says 'with the reason as well' err "cannot create capture 'f.bin': the file is in use"
exits 'and the image is as it was' 0 cmp f.bin before.bin
exits 'two boards have two serials, whichever is given' 0 "$dfuemu" exec --boards 2 --serial 326237763036 sh -c '
  [ "$(cat /sys/bus/usb/devices/1-[12]/serial | sort -u | wc -l)" = 2 ]'
exits 'a limit of file sizes is our failure' 125 sh -c 'ulimit -f 10; exec "$0" exec --flash limit.bin true' "$dfuemu"
says 'and it says so' err "cannot save 'limit.bin': File too large"
cp f.bin short.bin
truncate -s 100 short.bin
exits 'a short image is taken' 0 "$dfuemu" exec --flash short.bin true
says 'with a note' err "note: 'short.bin' has 100 bytes"
exits 'quiet leaves the note out' 0 sh -c '[ -z "$("$0" exec -q --flash short.bin true 2>&1)" ]' "$dfuemu"
truncate -s 1048577 big.bin
exits 'an oversized image is refused' 125 "$dfuemu" exec --flash big.bin true
echo 'wear: 1' >>s.txt
exits 'a bad state file is refused' 125 "$dfuemu" exec --state s.txt true
says 'with its place' err 's.txt:7:1: unknown key'

mkdir saved
exits 'a failed save is our failure when the tool succeeded' 125 "$dfuemu" exec --flash saved/f.bin -- rm -r saved
says 'and it is told' err "cannot save 'saved/f.bin'"
mkdir saved
exits 'the status of a tool that failed goes before it' 3 "$dfuemu" exec --flash saved/f.bin -- sh -c 'rm -r saved; exit 3'

exits 'three boards are three devices' 0 "$dfuemu" exec --boards 3 --serial 208F3681554D --flash b.bin -- dfu-util -l
says 'the first with the serial given' out 'serial="208F3681554D"'
exits 'the serials differ' 0 test "$(sed -n 's/.*alt=0.*serial=//p' out | sort -u | wc -l)" -eq 3
exits 'each has its file' 0 test -s b.bin -a -s b-2.bin -a -s b-3.bin
exits 'a UID gives its serial' 0 "$dfuemu" exec --uid 002D00303334510B32313533 -- dfu-util -l
says 'by the rule of the ROM' out 'serial="325E35633334"'
exits 'BOOT0 low starts the application' 0 "$dfuemu" exec --boot0 low --flash f.bin -- lsusb -d 0483:5740
exits 'which may be another' 0 "$dfuemu" exec --boot0 low --app f055:9800 --flash f.bin -- lsusb -d f055:9800
exits 'or none that has USB' 0 "$dfuemu" exec --boot0 low --app none --flash f.bin -- sh -c '! lsusb -d 0483:'
for file in "$root"/fixtures/descriptors/*.usb; do
  id=$(basename "$file" .usb | tr - :)
  exits "a bystander $id is seen" 0 "$dfuemu" exec --also "$file:denied" -- lsusb -d "$id"
done
exits 'verbose tells of the board' 0 "$dfuemu" exec -v true
says 'of its start' err 'board 1: now bootloader'
exits 'a capture is written' 0 "$dfuemu" exec --capture c.pcapng -- dfu-util -l
exits 'that is pcapng' 0 sh -c '[ "$(od -An -tx4 -N4 c.pcapng | tr -d " ")" = 0a0d0d0a ]'
if command -v tshark >/dev/null; then
  exits 'that tshark reads' 0 sh -c 'tshark -r c.pcapng 2>/dev/null | grep -q "GET DESCRIPTOR"'
else
  echo 'skip - that tshark reads: tshark is not installed'
fi
exits 'nothing is left beside the files' 0 sh -c '[ -z "$(ls -A | grep "^\.")" ]'
exit $failed
