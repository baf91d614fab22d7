#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One short run of each client named: what a round trip records, and does again. trip.sh CLIENT...
# Run where the board of serial number 326237753036 can be seen, in a folder of its own. Prints what the clients say, but for
# progress bars and times of day, which go by their own clock; the same each time, whatever the board is behind. Status: 77 if a client is
# missing, and why on stderr; else the first that is not 0.
# Environment: DFUBENCH_CACHE, PYDFU: see ci/tools.sh; no_discovery, that library, where a kernel has the board.
set -u
set -o pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
clients=$here/../clients
fixtures=$here/../../../fixtures
cache=${DFUBENCH_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/dfubench}
serial=326237753036
bytes=2500

without_times()
{
  tr '\r' '\n' | sed -e '/\[[= ]*\]/d' -e '/^[A-Z][a-z]*.*: [0-9]*%$/d' -e 's/^[0-9]*:[0-9]*:[0-9.]* //'
}

missing()
{
  echo "$*" >&2
  exit 77
}

# A python3 that knows pyusb; the distribution's own first: a version manager's takes seconds in a guest.
python()
{
  for python in /usr/bin/python3 python3; do
    "$python" -c 'import usb.core' 2>/dev/null && return 0
  done
  missing 'there is no pyusb (python3-usb)'
}

# number: sets it to the address of the configured board in its bootloader, or to nothing
number()
{
  local folder vendor product value

  number=
  for folder in /sys/bus/usb/devices/*-*; do
    case $folder in *:*) continue ;; esac
    { read -r vendor <"$folder/idVendor" && read -r product <"$folder/idProduct" &&
      read -r value <"$folder/bConfigurationValue"; } 2>/dev/null || continue
    if [ "$vendor:$product" = 0483:df11 ] && [ -n "$value" ]; then
      { read -r number <"$folder/devnum"; } 2>/dev/null || number=
      return
    fi
  done
}

# comes NUMBER: another board, or the same at another address
comes()
{
  local deadline=$((SECONDS + 60))

  number
  until [ -n "$number" ] && [ "$number" != "$1" ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "no board came within a minute"
      return 1
    fi
    sleep 0.05
    number
  done
}

# same FILE: what was read is what was written
same()
{
  cmp image.bin "$1" && rm "$1"
}

# node_usb VERSION
node_usb()
{
  local folder=$cache/node-usb-$1

  command -v node >/dev/null || missing 'node is not installed'
  [ -d "$folder/node_modules/usb" ] || missing "the package usb@$1 is not here (it_node.sh fetches it)"
  node "$clients/flash_node.js" "$folder" list | grep 0483 &&
    node "$clients/flash_node.js" "$folder" flash image.bin &&
    node "$clients/flash_node.js" "$folder" read back.bin $bytes && same back.bin
}

# fetched NAME: where that tool of ci/tools.sh is
fetched()
{
  sh "$here/../../../ci/tools.sh" "$1" 2>/dev/null | sed 's/^[a-z-]*=//'
}

run()
{
  local path before

  case $1 in
  dfu-util)
    command -v dfu-util >/dev/null || missing 'dfu-util is not installed'
    dfu-util -a 0 -s 0x08000000 -D image.bin && dfu-util -a 0 -s 0x08000000:$bytes -U back.bin && same back.bin
    ;;
  # Option bytes that are written reset the board: it comes back at another address.
  dfu-util-options)
    # The factory's, but for BOR level 1 (RM0090 3.7.1: bits 2 and 3 of the first byte)
    printf '\353\252\024\125\353\252\024\125\377\177\000\200\377\177\000\200' >options.bin
    number
    before=$number
    dfu-util -a 1 -s 0x1FFFC000:will-reset -D options.bin && comes "$before"
    ;;
  pyusb)
    python
    # The host's hubs differ.
    "$python" "$clients/flash_pyusb.py" list | grep 0483 && "$python" "$clients/flash_pyusb.py" flash image.bin &&
      "$python" "$clients/flash_pyusb.py" read back.bin $bytes && same back.bin
    ;;
  node-usb) node_usb 2.18.0 ;;
  node-usb-3) node_usb 3.1.0 ;;
  fwupdtool) fwupd ;;
  # These three leave for the application at the end: the last of a run.
  pydfu)
    python
    path=$(fetched pydfu)
    [ -n "$path" ] || missing 'pydfu.py of MicroPython is not here (PYDFU names one)'
    python3 "$clients/make_dfu.py" image.dfu 0x08000000:image.bin && PYTHONUNBUFFERED=1 "$python" "$path" -u image.dfu
    ;;
  webdfu)
    path=$(fetched webdfu)
    [ -n "$path" ] || missing 'webdfu is not here (ci/tools.sh fetches it)'
    node "$fixtures/tools/webdfu.mjs" "$path" upload 0483:df11 back.bin 0x08000000 $bytes "$serial" && rm back.bin &&
      node "$fixtures/tools/webdfu.mjs" "$path" download 0483:df11 image.bin 0x08000000 "$serial"
    ;;
  dfu-nusb)
    path=$(fetched dfu-nusb)
    [ -n "$path" ] || missing 'dfu-nusb is not here (ci/tools.sh builds it)'
    RUST_BACKTRACE=0 "$path" -d 0483:df11 -a 0 -o 0x08000000 image.bin
    ;;
  *) missing "there is no client '$1'" ;;
  esac
}

# It installs a DfuSe file in blocks of 64 bytes: a short one.
fwupd()
{
  local id

  command -v fwupdtool >/dev/null || missing 'fwupdtool is not installed'
  head -c 520 image.bin >small.bin
  python3 "$clients/make_dfu.py" small.dfu 0x08000000:small.bin
  mkdir -p state
  export STATE_DIRECTORY=$PWD/state CACHE_DIRECTORY=$PWD/state XDG_CACHE_HOME=$PWD/state XDG_DATA_HOME=$PWD/state \
    FWUPD_LOCALSTATEDIR=$PWD/state HOME=$PWD/state
  # Behind a kernel, one that was built with an older libusb has to be helped (clients/no_discovery.c).
  if [ -n "${no_discovery-}" ] &&
    ! grep -q -s libusb_init_context "$(command -v fwupdtool)" /usr/lib/*/fwupd-*/libfwupdengine.so; then
    export LD_PRELOAD=$no_discovery
  fi
  fwupdtool --plugins dfu get-devices --json >devices || return
  id=$(python3 -c '
import json
print(next(d["DeviceId"] for d in json.load(open("devices"))["Devices"] if "com.st.dfuse" in str(d)))') || return
  fwupdtool --plugins dfu install-blob small.dfu "$id"
}

sh "$fixtures/firmware/make-demo.sh" demo.bin
head -c $bytes demo.bin >image.bin
comes '' || exit
for client; do
  echo "== $client"
  (run "$client") >said 2>&1
  status=$?
  if [ $status -eq 77 ]; then
    cat said >&2
    exit 77
  fi
  without_times <said
  if [ $status -ne 0 ]; then
    echo "status $status"
    exit $status
  fi
done
