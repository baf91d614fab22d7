#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pyusb, as the flashing scripts of MicroPython use it.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# A python3 that knows pyusb: the distribution's package is only there for the distribution's own.
pyusb()
{
  local python

  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  exercise "$python" "$clients/flash_pyusb.py"
}

check 'pyusb lists, flashes without a sleep, and reads' pyusb
finish
