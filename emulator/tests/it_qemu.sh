#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is flashed runs in qemu-system-arm: images of fixtures/firmware/ on the private bus, in real time.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"
images=$fixtures/firmware
TIME=${TIME:-real}
export images dfuemu clients TIME

# For a shell on the bus of a board with a socket S, whose events are in the file `events`.
inside='
  ctl() { "$dfuemu" ctl S "$@"; }
  until_true() {
    turns=0
    until "$@"; do
      turns=$((turns + 1))
      [ $turns -lt 1200 ] || { echo "never true: $*"; exit 90; }
      sleep 0.05
    done
  }
  told() { [ "$(grep -c -F -e "$2" events)" -ge "$1" ]; }
  # hears [TIMES] LINE: that is how it begins; it has been said so often, or will be
  hears() {
    [ $# -eq 2 ] || set -- 1 "$1"
    until_true told "$1" "says '\''$2"
  }
  # flash IMAGE [MODE [ADDRESS]]
  flash() {
    ctl wait attached 20s
    until_true lsusb -d 0483:df11
    dfu-util -d 0483:df11 -a 0 -s "${3-0x08000000}:leave" -D "$1"
    ctl wait booted "${2-application}" 20s
  }
'

# on_board [OPTION...] SCRIPT: what the shell says is in the file `said`
on_board()
{
  local -a options=()
  local status=0

  while [ $# -gt 1 ]; do
    options+=("$1")
    shift
  done
  need qemu-system-arm dfu-util lsusb
  LIMIT=150 board --app qemu --control S -v "${options[@]}" -- sh -e -c "$inside$1" >said 2>events || status=$?
  cat said events
  return "$status"
}

# machines_of PID: the processes of QEMU that it has started
machines_of()
{
  local child

  cat "/proc/$1/task/"*/children | tr ' ' '\n' | while read -r child; do
    ! grep -q -x qemu-system-arm "/proc/$child/comm" || echo "$child"
  done
}

blinks()
{
  on_board --flash flash.img '
    flash "$images/blink.bin"
    hears "pattern 1"
    ! lsusb -d 0483:
    ctl console send p
    hears "pattern 2"
    ctl status
    ! ctl led
    ! ctl button press'
  happens 'now application' "says 'blink 1 (STM32F407 Discovery)'" "says 'clock: " "says 'serial number: " "says 'pattern 1'" \
    "says 'pattern 2'" 'qemu runs the code of board 1, and has no pins to light an LED' 'no pins to see a button'
  says said 'engine: qemu'
  says said 'runs: runs'
  cmp -n "$(stat -c %s "$images/blink.bin")" "$images/blink.bin" flash.img
}

resets()
{
  cp "$images/blink.bin" flash.img
  on_board --flash flash.img --boot0 low '
    hears "pattern 1"
    ctl console send r
    hears 2 "pattern 1"
    ctl reset
    hears 3 "pattern 1"
    ctl power off
    ! ctl console send p
    ctl power on
    hears 4 "pattern 1"'
  happens 'reset by power-on' "says 'pattern 1'" 'reset by software' "says 'blink 1" 'NRST high' 'reset by pin' "says 'blink 1" \
    'VDD high' 'reset by power-on' "says 'blink 1"
  says events 'nobody listens on the console of board 1'
}

# A reset of its own leads to the bootloader, as the strap says; there it takes another.
flashed_again()
{
  on_board '
    flash "$images/blink.bin"
    hears "pattern 1"
    ctl console send r
    ctl wait booted bootloader 20s
    ctl status
    flash "$images/hard-fault.bin"
    hears "hard-fault 1"
    ctl reset
    flash "$images/blink.bin"
    hears 2 "pattern 1"'
  happens "says 'blink 1" 'reset by software' 'now bootloader' 'now application' "says 'hard-fault 1" 'reset by pin' \
    'now bootloader' "says 'blink 1"
  says said 'runs: stopped'
}

faults()
{
  cp "$images/hard-fault.bin" flash.img
  on_board --flash flash.img --boot0 low '
    hears "serial number"
    ctl console send u
    hears halted
    ctl status'
  happens "says 'undefined instruction'" "says 'HardFault'" "says 'r0 " "says 'CFSR 00010000 HFSR 40000000" "says 'halted'"
  says said 'mode: application'
}

locks_up()
{
  cp "$images/hard-fault.bin" flash.img
  on_board --flash flash.img --boot0 low '
    hears "serial number"
    ctl console send l
    until_true told 1 "now lockup"
    ctl --json status >status.json
    ctl status
    ctl boot0 high
    ctl reset
    flash "$images/blink.bin"
    hears "pattern 1"'
  happens "says 'lock-up'" 'HardFault, lockup at 0x0800' 'now lockup' 'reset by pin' 'now bootloader' "says 'blink 1"
  says said 'mode: lockup'
  says said 'runs: lockup'
  python3 -c '
import json
board = json.load(open("status.json"))["result"]["boards"][0]
fault = board["application"]["cpu_fault"]
assert fault["lockup"] and 0x08000000 <= fault["pc"] < 0x08100000 and 0x20000000 < fault["sp"] <= 0x20020000, fault'
}

# The vector table is as it should be, what it points to is not.
damaged()
{
  {
    head -c 400 "$images/blink.bin"
    head -c 2000 /dev/zero | tr '\0' '\377'
  } >damaged.bin
  on_board '
    flash "$PWD/damaged.bin" lockup
    ctl reset
    flash "$images/blink.bin"
    hears "pattern 1"'
  happens 'now application' 'HardFault, lockup at' 'now lockup' 'now bootloader' 'now application' "says 'blink 1"
}

never_begins()
{
  cp "$images/broken.bin" flash.img
  on_board --flash flash.img --boot0 low 'ctl wait booted lockup 20s'
  happens 'now lockup'
}

# Where the tool has said it begins, with the last byte of the flash in use.
elsewhere()
{
  python3 - "$images/app-1.hex" <<'READ'
import sys
data = bytearray()
for line in open(sys.argv[1]):
    record = bytes.fromhex(line[1:].strip())
    if record[3] == 0:
        data += record[4:-1]
open("app.bin", "wb").write(data)
READ
  { head -c 1048575 /dev/zero | tr '\0' '\377' && printf x; } >flash.img
  on_board --flash flash.img '
    flash "$PWD/app.bin" application 0x08008200
    hears "app-1 1"'
  [ "$(tail -c 1 flash.img)" = x ]
}

# A line in SRAM goes to the first USART, byte by byte; by a program in the flash, then by one in SRAM.
sees_ram()
{
  local python

  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  export python
  cat >tell.py <<'TELL'
import struct
import sys
from flash_pyusb import ABORT, DNLOAD, Board, usb

def program(base, text):
    code = struct.pack("<8H", 0x4803, 0x4904, 0x7802, 0x3001, 0x600A, 0x2A0A, 0xD1FA, 0xE7FE)
    return struct.pack("<2I", 0x20020000, base + 9) + code + struct.pack("<2I", text, 0x40011004)

def put(board, address, data):
    board.command(0x21, address)
    board.out(DNLOAD, 2, data)
    board.execute()

board = Board(usb.core.find(idVendor=0x0483, idProduct=0xDF11))
if sys.argv[1] == "flash":
    open("tell.bin", "wb").write(program(0x08000000, 0x20010000))
    put(board, 0x20010000, b"left by the bootloader\n")
    board.out(ABORT)
else:
    put(board, 0x20011000, b"said from SRAM\n")
    put(board, 0x20004000, program(0x20004000, 0x20011000))
    board.command(0x21, 0x20004000)
    board.out(DNLOAD, 0, b"")
    board.state()
TELL
  on_board '
    ctl wait attached 20s
    until_true lsusb -d 0483:df11
    export PYTHONPATH="$clients"
    "$python" tell.py flash
    flash "$PWD/tell.bin"
    hears "left by the bootloader"
    ctl reset
    ctl wait attached 20s
    until_true lsusb -d 0483:df11
    "$python" tell.py ram
    hears "said from SRAM"'
}

leaves_nothing()
{
  need qemu-system-arm
  cp "$images/blink.bin" flash.img
  "$dfuemu" exec --app qemu --boot0 low --flash flash.img -v -- sleep 100 2>events &
  until_true 30 says events "says 'pattern 1'" >/dev/null
  machines_of $! >machines
  [ "$(grep -c . machines)" -eq 1 ]
  kill "-$1" $!
  wait $! || true
  until_true 20 gone "$(cat machines)"
}

serves()
{
  need qemu-system-arm
  cp "$images/blink.bin" flash.img
  cp "$images/blink.bin" flash-2.img
  timeout 90 "$dfuemu" serve usbip --listen 127.0.0.1:0 --app qemu --boot0 low --flash flash.img --boards 2 --control S -v -- \
    sh -e -c "$inside"'
      until_true told 1 "board 2: says '\''pattern 1"
      ctl board 2 console send r
      until_true told 1 "board 2: reset by software"' >said 2>events || { cat events; false; }
  says_not events 'board 1: reset by software'
}

refused()
{
  need qemu-system-arm
  ends 125 emu --time virtual --app qemu -- true
  says said '--app qemu: QEMU keeps a clock of its own'
  ends 125 emu --app qemu --profile f427 -- true
  says said '--app qemu: it has no machine for the chip of profile f427'
  mkdir none
  ends 125 env PATH="$PWD/none" "$dfuemu" exec --app qemu -- true
  says said "--app qemu: qemu-system-arm is not in the path (Debian's package qemu-system-arm)"
}

# It is no fault of the firmware, and no reset.
failing()
{
  need qemu-system-arm
  cp "$images/blink.bin" flash.img
  printf '#!/bin/sh\necho "qemu-system-arm: $0: no such machine" >&2\nexit 1\n' >qemu-system-arm
  chmod +x qemu-system-arm
  ends 0 env PATH="$PWD:$PATH" timeout 60 "$dfuemu" exec --app qemu --boot0 low --flash flash.img --control S -- sh -e -c '
    until "$dfuemu" ctl S status | grep "runs: stopped"; do sleep 0.05; done'
  says said 'board 1: its application stands still: qemu-system-arm: '
  says said ': no such machine'
  rm qemu-system-arm
  "$dfuemu" exec --app qemu --boot0 low --flash flash.img -v -- sleep 100 2>events &
  until_true 30 says events "says 'pattern 1'" >/dev/null
  kill "$(machines_of $!)"
  until_true 30 says events 'stands still: qemu-system-arm: terminating on signal 15' >/dev/null
  kill $!
  wait $! || true
  says_not events 'reset by software'
}

# What it has said, but for its clock, and what only the real chip has.
lines_of()
{
  sed -n "s/.* says '\(.*\)'\$/\1/p" "$1" | grep -v -E '^(clock|reset|serial number): '
}

# same_lines IMAGE LETTERS LAST: on both engines, until it has said LAST
same_lines()
{
  local app

  "$dfuemu" exec --app firmware -q -- true 2>missing || skip "$(sed 's/.*--app firmware: //; q' missing)"
  cp "$images/$1.bin" flash.img
  letters=$2
  last=$3
  export letters last
  for app in qemu firmware; do
    on_board --app "$app" --flash flash.img --boot0 low '
      hears "serial number"
      for letter in $letters; do
        ctl console send "$letter"
      done
      hears "$last"'
    lines_of events | "$4" >"lines.$app"
  done
  [ -s lines.qemu ]
  diff lines.qemu lines.firmware
}

# Addresses of the handler's stack and of the peripherals are the machine's.
of_fault()
{
  grep -E "^[a-zA-Z -]+\$|^r12 |^CFSR " | sed 's/ MMFAR.*//'
}

check 'blink: says what it is, hears its console, and no host sees a device' blinks
later 'blink: a reset by itself, by the pin and by power' resets
later 'BOOT0 leads from firmware to the bootloader, and a second image runs' flashed_again
later 'hard-fault: its report is on the console' faults
gather
later 'hard-fault: a lock-up is told with registers, and BOOT0 saves the board' locks_up
later 'a damaged image locks up, and the board takes another' damaged
later 'broken: never begins' never_begins
later 'an application at another address is started there, and the flash is whole' elsewhere
gather
later 'what the bootloader has left in SRAM is there, and can be started' sees_ram
later 'serve: two boards, a machine each' serves
later 'what does not go is told' refused
later 'QEMU that fails is told' failing
gather
later 'SIGKILL to dfuemu leaves no QEMU' leaves_nothing KILL
later 'SIGTERM to dfuemu leaves no QEMU' leaves_nothing TERM
later 'blink: the same lines as on the other engine' same_lines blink 'i p p p' 'pattern 4' cat
while read -r letter what; do
  later "hard-fault: the same report as on the other engine, by '$letter': $what" same_lines hard-fault "$letter" halted of_fault
  gather
done <<'WAYS'
u undefined instruction
B bus fault
Z division by zero
x code where none may be
WAYS
finish
