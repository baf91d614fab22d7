#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The flashed firmware runs: images of fixtures/firmware/ on the private bus, flashed and started by dfu-util.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"
images=$fixtures/firmware
export dfuemu images

engine()
{
  "$dfuemu" exec --app firmware -q -- true >missing 2>&1 || skip "$(sed 's/.*--app firmware: //; q' missing)"
}

virtually()
{
  [ "$(uname -m)" = x86_64 ] || skip 'virtual time works on x86_64 only'
}

# on_board [OPTION...] SCRIPT: a board with a socket S, and a shell on its bus. In virtual time what the firmware does next waits for
# whoever is to see it.
on_board()
{
  local -a options=()

  while [ $# -gt 1 ]; do
    options+=("$1")
    shift
  done
  engine
  board --app firmware --control S "${options[@]}" -- sh -e -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    flash() {
      dfu-util -d 0483:df11 -a 0 -s "0x08000000:leave" -D "$images/$1" >/dev/null 2>&1
      ctl wait booted "${2-application}" 5s
    }
    '"$1"
}

# From the bootloader to the firmware and back, by the tool alone.
circle()
{
  need dfu-util lsusb
  ends 0 on_board -v '
    ctl boot0 low
    flash dfu-runtime.bin
    ctl wait listed 5s
    lsusb
    ctl status
    dfu-util -d 0483:5740 -e
    ctl wait booted bootloader 5s
    ctl wait listed 5s
    dfu-util -d 0483:df11 -a 0 -s "0x08000000:$(stat -c %s "$images/dfu-runtime.bin")" -U back.bin
    ctl status'
  cmp back.bin "$images/dfu-runtime.bin"
  says said "ID 0483:5740"
  says said "says 'dfu-runtime 1 (STM32F407 Discovery)'"
  says said 'mode: application'
  says said 'mode: bootloader'
  # A jump is no reset.
  [ "$(grep -c 'reset by' said)" -eq 1 ]
}

circle_real()
{
  TIME=real circle
}

circle_virtual()
{
  virtually
  TIME=virtual circle
}

# What the tool did and what the board did, with all times, in the capture and in the events.
run_recorded()
{
  TIME=virtual on_board -v --capture "$1.pcapng" '
    flash dfu-runtime.bin >/dev/null
    ctl wait listed 5s >/dev/null
    dfu-util -d 0483:5740 -l
    ctl button press
    dfu-util -d 0483:5740 -e >/dev/null
    ctl wait booted bootloader 5s >/dev/null
    ctl wait listed 5s >/dev/null
    dfu-util -d 0483:df11 -a 0 -s 0x08000000:4096 -U "'"$1"'.bin" >/dev/null' 2>"$1.events" >/dev/null
  sed -i '/calls answered/d' "$1.events"
}

same_again()
{
  need dfu-util
  virtually
  run_recorded one
  run_recorded two
  cmp one.events two.events
  cmp one.pcapng two.pcapng
  says one.events "says 'detach"
}

hands_and_eyes()
{
  need dfu-util
  virtually
  TIME=virtual ends 0 on_board '
    ctl boot0 low
    flash blink.bin
    ctl wait console 2s
    ctl wait led green 2s
    ctl button press
    ctl wait console 2s
    ctl led
    ctl button release
    ctl console send "i\r"
    ctl wait console 2s
    ctl status
    ctl --json status >status.json
    ctl console send w
    ctl wait reset watchdog 2s
    ctl wait led blue 2s
    ctl console send d
    ctl wait booted bootloader 5s'
  says said 'engine: unicorn'
  says said 'hclk_hz: 168000000'
  says said 'orange: '
  python3 -c '
import json
a = json.load(open("status.json"))["result"]["boards"][0]["application"]
assert a["runs"] in ("waits", "runs") and 0x08000000 <= a["pc"] < 0x08100000 and set(a["leds"]) == {"green", "orange", "red", "blue"}, a'
}

says_what_is_wrong()
{
  engine
  ends 0 board --control S -- sh -c '
    "$dfuemu" ctl S boot0 low && "$dfuemu" ctl S reset
    for command in "led" "button press" "console send x" "console send \\q"; do
      "$dfuemu" ctl S $command 2>&1; echo "=> $?"; done'
  says said 'no code runs on board 1 that could light an LED'
  says said 'no code runs on board 1 that could see a button'
  says said 'nobody listens on the console of board 1'
  says said "expected \\r, \\n, \\t, \\\\ or \\x and two hex digits"
  ends 125 emu --app firmware --profile h743 -- true
  says said '--app firmware: there is no chip of profile h743-rev-v to run code on, but of f407'
  ends 125 emu --app firmwre -- true
  says said "did you mean 'firmware'?"
}

# Unicorn would end the process where it gets no memory for code; with a board more, in the middle of a run.
no_room()
{
  engine
  [ -z "${SAN-}" ] || skip 'sanitizers take more addresses than that'
  ends 125 sh -c 'ulimit -v 800000; exec "$0" exec --app firmware -- touch ran' "$dfuemu"
  says said '--app firmware: Unicorn, which firmware runs on, wants 1 GiB at once'
  [ ! -e ran ]
  ends 0 sh -c 'ulimit -v 2400000; exec "$0" exec --app firmware --flash one.img --control S -- sh -c "
    \"\$0\" ctl S board add && \"\$0\" ctl S board add; \"\$0\" ctl S time" "$0"' "$dfuemu"
  says said 'board 3'
  [ -s one.img ]
}

# A fault that the firmware handles, one that it cannot, and firmware that never begins; BOOT0 saves all.
goes_wrong()
{
  need dfu-util
  virtually
  TIME=virtual ends 0 on_board -v '
    ctl boot0 low
    flash hard-fault.bin
    ctl wait console 2s
    ctl in 50ms console send b &
    ctl --json wait cpu-fault 2s >fault.json
    wait
    ctl status
    ctl reset
    ctl in 50ms console send l &
    ctl wait booted lockup 2s
    wait
    ctl boot0 high
    ctl reset
    ctl wait listed 5s
    ctl boot0 low
    flash broken.bin lockup
    ctl status
    ctl boot0 high
    ctl reset
    ctl wait listed 5s
    dfu-util -l | grep -c df11'
  python3 -c '
import json
f = json.load(open("fault.json"))["result"]
assert f["event"] == "cpu-fault" and f["hfsr"] == 0x40000000 and 0x08000000 <= f["pc"] < 0x08100000 and not f["lockup"], f'
  says said 'cpu_faults: 1'
  says said ', lockup at 0x'
  [ "$(grep -c '^dfuemu.*now lockup' said)" -eq 2 ]
}

check 'a tool goes from the bootloader to the firmware and back, in real time' circle_real
check 'the same in virtual time' circle_virtual
later 'in virtual time two runs are the same, byte by byte' same_again
later 'console, button and LEDs are at hand' hands_and_eyes
later 'what does not go is told' says_what_is_wrong
later 'where there is no room for the code of one more board, the others live' no_room
later 'firmware that goes wrong is told with registers, and BOOT0 saves the board' goes_wrong
finish
