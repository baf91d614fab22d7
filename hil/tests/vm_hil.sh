#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rig vhci: scenarios with a real dfu-util and the kernel of a guest between tool and board, in real time.
# guest: -k stock --host-commands
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/../../emulator/tests/lib.sh"
. "$(dirname "$0")/rig_scenarios.sh"
hub=/sys/devices/platform/vhci_hcd.0

ports_are_free()
{
  ! grep -q '^hs  [0-9]* 00[567]' "$hub"/status
}

a_board_is_there()
{
  grep -q -x df11 /sys/bus/usb/devices/*/idProduct
}

no_boards()
{
  ! grep -q -x -E 'df11|5740' /sys/bus/usb/devices/*/idProduct
}

without_driver()
{
  if [ -d "$hub" ]; then
    rmmod vhci-hcd
  fi
  ends 3 "$dfuhil" run --rig vhci --tag smoke "$repo/scenarios"
  says said "the rig 'vhci' is unfit: vhci_hcd is not loaded: modprobe vhci-hcd"
}

without_rights()
{
  ends 3 setpriv --reuid=nobody --clear-groups env TMPDIR=/tmp "$dfuhil" run --rig vhci --tag smoke "$repo/scenarios"
  says said 'Permission denied (run it as root)'
}

# The same verdicts on a bus in this process in virtual time, and behind a kernel in real time
same_verdicts()
{
  need dfu-util python3
  # The host takes a fraction of the time for what needs no kernel of its own.
  (cd "$repo" && ci/vm/on-host "$dfuhil" run --tag smoke --json "$VM_SHARED/here.json" "$repo/scenarios") || [ $? -eq 1 ]
  mkdir captures
  "$dfuhil" run --rig vhci --tag smoke --json vhci.json --capture-dir captures "$repo/scenarios" || [ $? -eq 1 ]
  verdicts "$VM_SHARED/here.json" >here
  verdicts vhci.json >vhci
  diff here vhci
  [ "$(grep -c ' passed$' vhci)" -ge 9 ]
  # Each has its evidence, and nothing is left of the boards.
  [ "$(find captures -name '*.pcapng' -size +1k | wc -l)" -eq "$(grep -c . vhci)" ]
  until_true 10 ports_are_free
  until_true 10 no_boards
}

# One after the other, whatever -j says; interrupts, limits and bystanders as on the private bus
behaviour()
{
  need dfu-util
  scenarios
  ends 1 "$dfuhil" run --rig vhci -j 4 s
  says said 'the rig vhci takes one scenario at a time: --jobs 4 is of no effect'
  says said 'ok    s/interrupted'
  says said 'ok    s/bystander'
  says said 'ok    s/hangs'
  says said 'ok    s/leaves'
  says said 'ok    s/says'
  says said '0483:df11 has not come up within 1s; mode of board 1: bootloader'
  says said "rig 'vhci' cannot do 'denied'"
  [ "$(pgrep -f -c 'sleep 8640[12]')" = 0 ]
  until_true 10 no_boards
}

# A rig of a real board, whose USB is the kernel's and whose requests come from usbmon
real_board()
{
  local scenarios=("$repo"/scenarios/{start/dfuerror,download/small,files/upload-compares}.yaml)

  need dfu-util python3
  modprobe usbmon
  export XDG_STATE_HOME=$PWD/state DFUBENCH_LOCK_DIR=$PWD
  cat >board.yaml <<END
rig: desk
kind: board
board: {serial: "$serial"}
application: {usb: "0483:5740"}
usbmon: auto
timing: {reset: 5ms, settle: 5ms, off: 20ms, on: 20ms, listed: 20s}
allows: [mass-erase, option-bytes, rdp-1]
wires:
  boot0: {command: {on: [$dfuemu, ctl, $PWD/S, boot0, high], off: [$dfuemu, ctl, $PWD/S, boot0, low]}}
  nrst: {command: {on: [$dfuemu, ctl, $PWD/S, nrst, high], off: [$dfuemu, ctl, $PWD/S, nrst, low]}}
  power: {command: {on: [$dfuemu, ctl, $PWD/S, power, "on"], off: [$dfuemu, ctl, $PWD/S, power, "off"]}}
  vbus: {command: {on: [$dfuemu, ctl, $PWD/S, plug], off: [$dfuemu, ctl, $PWD/S, unplug]}}
END
  cat >interrupted.yaml <<'END'
name: a download is interrupted
why: The requests are counted as they pass.
reference: none
files:
  image: {size: 100000, seed: 3, bootable: true}
steps:
  - bootloader
  - download: {file: image, address: 0x08000000, interrupt: {requests: 30, signal: KILL}}
    expect: {exit: 137}
  - bootloader
  - sectors: {untouched: [5], since: start}
END
  "$dfuemu" serve vhci --control S --serial "$serial" --time x10 >served 2>&1 &
  until_true 60 grep -q ready served
  ends 0 "$dfuhil" rig check board.yaml
  says said 'ok       usbmon: /dev/usbmon0'
  says said "the rig 'desk' is fit"
  # Those of the smoke scenarios that need to know what was asked; the others run on a bus without a kernel (it_board.sh).
  mkdir captures
  ends 0 "$dfuhil" run --rig board.yaml --json board.json --capture-dir captures "${scenarios[@]}"
  ends 0 "$dfuhil" run --rig board.yaml interrupted.yaml
  kill $!
  wait $! || true
  ends 0 "$dfuhil" run --json here.json "${scenarios[@]}"
  verdicts here.json >here
  verdicts board.json >board
  diff here board
  # The runner's own host is in none of them: nothing is read there but by a tool.
  for f in captures/*download-small*; do
    "$dfuemu" show "$f" >shown
    says shown 'WRITE 0x08000000'
    says_not shown ' READ '
  done
  # What the tools have erased is counted: sector 0 by three downloads at least.
  python3 -c '
import sqlite3
wear = dict(sqlite3.connect("state/dfubench/history.sqlite").execute("SELECT sector, erases FROM wear"))
print(wear)
assert wear[0x08000000] >= 3, wear'
  until_true 10 no_boards
}

# Killed in the middle: nothing stays in the ports
killed()
{
  need dfu-util
  "$dfuhil" run --rig vhci --match 'download/*' "$repo/scenarios" &
  until_true 30 a_board_is_there
  kill -9 $!
  wait $! || true
  until_true 20 ports_are_free
  until_true 20 no_boards
}

modprobe cdc-acm 2>/dev/null
check 'without the driver the rig is unfit' without_driver
modprobe vhci-hcd
check 'without rights the rig is unfit' without_rights
check 'smoke scenarios have the verdicts of the private bus' same_verdicts
check 'interrupts, limits and bystanders are those of the private bus' behaviour
check 'a rig of a real board has usbmon to tell what was asked' real_board
check 'whoever is killed leaves no boards' killed
finish
