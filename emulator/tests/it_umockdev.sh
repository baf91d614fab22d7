#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Our capture in the place of the device, with umockdev as the judge: it plays it to dfu-util.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for other shells
. "$(dirname "$0")/lib.sh"

shim()
{
  need gcc pkg-config
  pkg-config --exists libusb-1.0 || skip 'there are no headers of libusb (libusb-1.0-0-dev)'
  # shellcheck disable=SC2046 # words
  gcc -shared -fPIC -O1 -Wall -Wextra -Werror -o ../set_interface.so "$clients/set_interface.c" $(pkg-config --cflags libusb-1.0)
}

# One run with a real bus under the tool's eyes: what umockdev-record sees of the device, and the capture.
record()
{
  need dfu-util umockdev-record
  pattern 3000 1 >../in.bin
  ends 0 board --capture ../run.pcapng -- sh -e -c '
    umockdev-record /dev/bus/usb/001/002 >../board.umockdev
    dfu-util -a 0 -s 0x08000000 -D ../in.bin'
  grep -q 'idVendor=0483' ../board.umockdev
}

# replay CAPTURE: dfu-util once more, with the capture as the board
replay()
{
  local path

  path=$(sed -n '/^P: /{s///p;q}' ../board.umockdev)
  timeout 60 umockdev-run -d ../board.umockdev -p "/sys$path=$1" -- sh -c '
    LD_PRELOAD=$LD_PRELOAD:$PWD/../set_interface.so exec dfu-util -a 0 -s 0x08000000 -D ../in.bin'
}

plays()
{
  need dfu-util umockdev-run
  ends 0 replay ../run.pcapng
  says said 'DFU state(10) = dfuERROR, status(10)'
  says said 'File downloaded successfully'
}

# changed FROM TO: the capture with the last of these bytes (in hex) replaced
changed()
{
  python3 -c '
import sys
data = open("../run.pcapng", "rb").read()
old, new = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2])
at = data.rindex(old)
open("changed.pcapng", "wb").write(data[:at] + new + data[at + len(old):])' "$1" "$2"
}

# The last GETSTATUS says that the write has failed.
differs()
{
  local status=0

  need dfu-util umockdev-run
  changed 000000000500 030000000a00
  replay changed.pcapng >said 2>&1 || status=$?
  cat said
  [ "$status" -ne 0 ]
}

check 'the client that umockdev needs builds' shim
check 'umockdev-record describes the board on the private bus' record
check 'umockdev plays the capture to dfu-util, which sees the same board' plays
check 'a status that was changed in the capture makes it fail' differs
finish
