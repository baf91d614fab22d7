#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serve raw-gadget, with the module that ci/vm/modules builds: what is particular to it. Runs in a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2034,SC2094,SC2119,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gadget.sh"

front=raw-gadget

no_module()
{
  ends 125 "$dfuemu" serve raw-gadget
  says said 'the module raw_gadget is not loaded'
}

module()
{
  [ -e "$VM_MODULES/raw_gadget.ko" ] || skip "ci/vm/modules has built no raw_gadget for this kernel"
  modprobe udc-core
  insmod "$VM_MODULES/raw_gadget.ko"
  until_true 10 test -c /dev/raw-gadget
}

no_controller()
{
  ends 125 "$dfuemu" serve raw-gadget
  says said 'this machine has no USB device controller'
  modprobe dummy_hcd
  ends 125 "$dfuemu" serve raw-gadget --udc nonsense
  says said "no USB device controller 'nonsense': there is 'dummy_udc.0'"
  ends 125 setpriv --reuid=65534 --clear-groups "$dfuemu" serve raw-gadget
  says said 'must be root'
}

# As recordings of real boards have them, bcdUSB 1.00 and all.
byte_exact()
{
  serve
  listed
  host bytes >bytes
  cat >want <<'END'
1201000100000040830411df002201020301
09023600010100c0320904000000fe0102040904000100fe0102050904000200fe0102060904000300fe01020709210bff0000081a01
09210bff0000081a01
END
  diff want bytes
  lsusb -v -d 0483:df11 >lsusb
  says lsusb 'bcdUSB               1.00'
  says lsusb 'wTransferSize                    2048 bytes'
  says lsusb '@Device Feature/0xFFFF0000/01*004 e'
}

every_alt()
{
  host alts >alts
  cat alts
  for alt in 0 1 2 3; do
    says alts "alt $alt: set, now $alt"
  done
}

# The module itself stalls what comes while a request is open, be it given up or not: until the board answers.
given_up()
{
  local text

  host held >held || true
  cat held
  says held 'given up: Connection timed out'
  says held 'meanwhile: Broken pipe'
  says held 'in the end state 5'
}

busy()
{
  ends 125 "$dfuemu" serve raw-gadget
  says said "USB device controller 'dummy_udc.0' is in use by gadget 'USB Raw Gadget'"
  listed
}

all_gone()
{
  stop TERM
  until_true 20 off_bus
  [ -z "$(cat /sys/class/udc/dummy_udc.0/function)" ]
}

crash()
{
  serve
  listed
  stop KILL 137
  until_true 20 off_bus
  serve
  listed
  stop
}

# The application's endpoints have its own addresses.
application()
{
  serve
  listed
  application_echoes
  lsusb -v -d 0483:5740 >lsusb
  says lsusb 'bEndpointAddress     0x82  EP 2 IN'
  says lsusb 'bEndpointAddress     0x01  EP 1 OUT'
  says lsusb 'bEndpointAddress     0x81  EP 1 IN'
  reboots_into_bootloader
}

check 'the module is missing: said, with the remedy' no_module
check 'the module loads' module
if [ ! -c /dev/raw-gadget ]; then
  finish
fi
check 'no controller, a wrong one, not root: said' no_controller
check 'descriptors are byte for byte those of the board' byte_exact
check 'all four alternate settings can be set' every_alt
check 'a stalled request is stalled' refusals
check 'a controller in use is said' busy
check 'a request that the host gives up is stalled until the board answers' given_up
check 'the control socket answers while a request is held' socket_while_held
check 'SIGTERM leaves nothing behind' all_gone
check 'a killed run leaves nothing behind' crash
check 'the application echoes on ttyACM0, and the bootloader comes back' application
check 'the end of the application is quick' all_gone
check 'into the application and back, many times' reboots "${DFUBENCH_RUNS:-4}"
check 'unplugged and plugged in, many times' replugs "${DFUBENCH_RUNS:-8}"
check 'the kernel has no complaint' no_complaints
finish
