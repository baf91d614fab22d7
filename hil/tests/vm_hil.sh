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
  says said '0483:df11 has not come up within 1s; mode of board 1: bootloader'
  says said "rig 'vhci' cannot do 'denied'"
  [ "$(pgrep -f -c 'sleep 100[01]')" = 0 ]
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
check 'whoever is killed leaves no boards' killed
finish
