#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An independent reading of the capture: what Wireshark finds in it is what dfu-util did.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

# lines FILTER FIELD: one line for each packet
lines()
{
  tshark -r run.pcapng -d usb.product==0x0483df11,usbdfu -Y "$1" -T fields -e "$2" 2>/dev/null
}

# count WHAT WANT FILTER
count_of()
{
  local n

  n=$(lines "$3" frame.number | wc -l)
  echo "$1: $n"
  [ "$n" -eq "$2" ]
}

capture()
{
  need tshark dfu-util
  export HOME=$PWD # no preferences of the user's
  pattern 5000 1 >in.bin
  ends 0 board --capture run.pcapng -- dfu-util -a 0 -s 0x08000000 -D in.bin
  # One erase, then an address and a block of data three times, each with two GETSTATUS; two before, one after all.
  count_of DNLOAD 7 'usbdfu.command == 1'
  count_of GETSTATUS 17 'usbdfu.command == 3'
  count_of CLRSTATUS 1 'usbdfu.command == 4'
  count_of ABORT 1 'usbdfu.command == 6'
  count_of UPLOAD 0 'usbdfu.command == 2'
  count_of SET_INTERFACE 1 'usb.bmRequestType == 0x01 && usb.setup.bRequest == 11'
  count_of 'failed transfers' 0 "usb.urb_type == 'C' && usb.urb_status != 0"
  lines usbdfu.state usbdfu.state | xargs printf '%d\n' >states
  {
    printf '%s\n' 10 2
    for _ in 1 2 3 4 5 6 7; do printf '%s\n' 4 5; done
    echo 2
  } | diff - states
  # How numbers are printed is a matter of Wireshark's version.
  lines usbdfu.state usbdfu.status | xargs printf '%d\n' | sort -n | uniq -c | tr -s ' ' >statuses
  printf ' %s\n' '16 0' '1 10' | diff - statuses
  lines 'usbdfu.state == 4' usbdfu.poll_timeout | xargs printf '%d\n' >timeouts
  printf '%s\n' 100 104 104 104 104 104 104 | diff - timeouts
  # The data of all blocks, in their order, are the file.
  lines 'usbdfu.command == 1 && usbdfu.block_number >= 2' usb.data_fragment | tr -d ':\n' >blocks.hex
  python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' <blocks.hex | cmp - in.bin
}

failed()
{
  need tshark dfu-util
  export HOME=$PWD
  ends 74 board --capture run.pcapng -- dfu-util -a 0 -s 0x080FF800:4096:force -U out.bin
  count_of 'stalled UPLOAD' 1 "usb.urb_type == 'C' && usb.urb_status == -32"
}

check 'tshark counts the requests, states and bytes of a download' capture
check 'tshark sees the refused upload' failed
finish
