#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A recording behind a kernel, which enumerates in its own way and has drivers. Runs in a guest.
# guest: -k stock
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the command that is served
. "$(dirname "$0")/lib.sh"

modprobe vhci-hcd || exit 1

# serve OPTION... -- COMMAND...
serve()
{
  timeout -k 5 100 "$dfuemu" serve vhci "$@"
}

recorded_here()
{
  need dfu-util
  head -c 5000 /dev/zero | tr '\0' A >in.bin
  for capture in own usbmon; do
    ends 0 serve -v --replay "$fixtures/captures/usbmon/vhci-dfu-util.$capture.pcapng" -- \
      dfu-util -a 0 -s 0x08000000:leave -D in.bin
    says said '31 of 31 requests as recorded'
  done
  tr A B <in.bin >other.bin
  ends 1 serve --replay "$fixtures/captures/usbmon/vhci-dfu-util.own.pcapng" -- \
    dfu-util -a 0 -s 0x08000000:leave -D other.bin
  says said 'departs from the recording: byte 0 of the data is 0x42 instead of 0x41'
}

# The serial port that comes up has a driver, which has requests of its own.
leaves()
{
  local script='dfu-util -a 0 -D x.dfu; dfu-util -a 0 -s 0x08000000:leave
    timeout 40 sh -c "until lsusb -d 0483:5740 && test -e /dev/ttyACM0; do sleep 0.1; done"'

  need dfu-util lsusb
  modprobe cdc-acm || skip 'there is no module cdc-acm'
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  ends 0 serve --capture c.pcapng -- sh -e -c "$script"
  ends 0 serve -v --replay c.pcapng -- sh -e -c "$script"
  says said '31 of 31 requests as recorded'
  says said 'the device is on the bus, life 2 of it'
}

check 'a recording is played to the kernel, and what is not in it is found' recorded_here
check 'a recording with two lives has two behind a kernel' leaves
finish
