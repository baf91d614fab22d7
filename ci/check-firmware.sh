#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Firmware of others, unmodified, on the emulated board: flashed by dfu-util, started by :leave, spoken to over its own USB; on the
# private bus, and in a guest with the kernel's drivers. Run by make check-firmware; never part of make check.
# Usage: ci/check-firmware.sh [IMAGE...]     of the names below; all that are there, if none is named
# Environment: DFUBENCH_FIRMWARE: the folder of the images, else firmware/ in the cache of the tests (~/.cache/dfubench). Or one
# by one: DFUBENCH_MICROPYTHON_STM32F4DISC, DFUBENCH_MICROPYTHON_PYBV10, DFUBENCH_MBOOT_PYBV10 with DFUBENCH_MICROPYTHON_MBOOT_PYBV10
# (that is flashed by it), DFUBENCH_LIBOPENCM3_CDCACM, DFUBENCH_TINYUSB_CDC_MSC, DFUBENCH_FREERTOS. Files are .dfu (DfuSe), or .bin
# for 0x08000000.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../emulator/tests/lib.sh"

images=${DFUBENCH_FIRMWARE:-$cache/firmware}
usb=$clients/firmware_usb.py
all='micropython-stm32f4disc micropython-pybv10 mboot-pybv10 libopencm3-cdcacm tinyusb-cdc-msc freertos'
TIME=${TIME:-virtual}
LIMIT=${LIMIT:-180}
export usb dfuemu serial

# image NAME: its file, in $image
image()
{
  local variable=DFUBENCH_${1^^}

  variable=${variable//-/_}
  image=${!variable-}
  if [ -n "$image" ]; then
    [ -f "$image" ] || skip "$variable: there is no file '$image'"
    return
  fi
  for image in "$images/$1.dfu" "$images/$1.bin"; do
    [ ! -f "$image" ] || return 0
  done
  skip "there is no $1.dfu or $1.bin in $images"
}

engine()
{
  "$dfuemu" exec --app firmware -q -- true >said 2>&1 || skip "$(sed 's/.*--app firmware: //; q' said)"
}

# on_board SCRIPT: in a shell on the private bus, with the image in $image; `leave` has flashed and started it. BOOT0 is low from then
# on, so that no reset leads back to the bootloader.
on_board()
{
  need dfu-util
  # The one that has Debian's packages may not be the first in the path.
  for python in python3 /usr/bin/python3; do
    "$python" -c 'import usb.core' 2>/dev/null && break
  done
  "$python" -c 'import usb.core' || skip 'there is no pyusb (python3-usb)'
  engine
  export image python
  board --app firmware --flash flash.img --control S -v -- sh -e -c '
    ctl() { "$dfuemu" ctl S "$@"; }
    client() { "$python" "$usb" "$@"; }
    leave() {
      ctl boot0 low
      case $image in
      # :leave alone would leave for where the last element began, which is no table of vectors.
      *.dfu)
        dfu-util -a 0 -D "$image"
        dfu-util -a 0 -s 0x08000000:4:leave -U vector.bin
        ;;
      *) dfu-util -a 0 -s 0x08000000:leave -D "$image" ;;
      esac
    }
    '"$1" >said 2>events || {
    cat said
    tail -n 60 events
    return 1
  }
  cat said events
  # What goes wrong in the core, or has no model, is no success though all else works.
  ! grep -E 'cpu-fault|HardFault|lockup' events
}

micropython()
{
  image "$1"
  on_board '
    leave
    client f055:9800 there
    client f055:9800 names
    client f055:9800 repl "print(6*7)" 42
    client f055:9800 repl "import sys; print(sys.implementation.name, sys.platform)" "micropython pyboard"
    client f055:9800 disk PYBFLASH'
}

# A file that outlives a reset is in the flash that the board saves; the bootloader then reads the image as it was written.
micropython_returns()
{
  image "$1"
  [[ $image = *.dfu ]] || skip "$image is no DfuSe file"
  # The first element of the file: prefix 11 bytes, target 274, then address and size (UM0391).
  size=$(od -A n -t u4 -j 289 -N 4 "$image" | tr -d ' ')
  tail -c +294 "$image" | head -c "$size" >element
  export size
  on_board '
    leave
    client f055:9800 repl "f = open(\"/flash/kept.txt\", \"w\"); n = f.write(\"kept\"); f.close()" -
    client f055:9800 repl "import machine; machine.reset()"
    client f055:9800 repl "print(open(\"/flash/kept.txt\").read())" kept
    client f055:9800 repl "import machine; machine.bootloader()"
    client 0483:df11 there
    dfu-util -a 0 -s "0x08000000:$size" -U back.bin'
  cmp element back.bin
}

# A bootloader of others, which has a DFU mode of its own on OTG_FS: dfu-util flashes through it as through ST's.
mboot()
{
  image micropython-mboot-pybv10
  application=$image
  export application
  image mboot-pybv10
  on_board '
    leave
    sleep 1
    dfu-util -l
    dfu-util -a 0 -s :leave -D "$application"
    client f055:9800 repl "print(6*7)" 42
    client f055:9800 repl "import machine; machine.bootloader()"
    client 0483:df11 there
    dfu-util -l'
  [ "$(grep -c 'Found DFU: \[0483:df11\] ver=0300' said)" -eq 2 ]
}

libopencm3()
{
  image libopencm3-cdcacm
  on_board '
    leave
    client 0483:5740 names
    client 0483:5740 echo'
}

tinyusb()
{
  image tinyusb-cdc-msc
  on_board '
    leave
    client cafe:4003 names
    client cafe:4003 echo
    client cafe:4003 disk'
}

freertos()
{
  image freertos
  on_board '
    leave
    sleep 2'
  says events 'task a: round 50, right'
  says events 'task b: round 50, right'
  says_not events WRONG
}

# A guest runs this script once more, with --guest.
in_guest()
{
  image "$1"
  need qemu-system-x86_64
  engine
  DFUBENCH_ONLY='' DFUBENCH_FIRMWARE_IMAGE=$(realpath "$image") "$repo/ci/vm/run" --host-commands -t 600 "$repo/ci/check-firmware.sh" --guest "$1" | tee lines
  if grep '^skip' lines; then
    skip "$(sed -n 's/^skip - .*: //p' lines)"
  fi
  grep '^ok' lines
}

note()
{
  cat <<'NOTE'
note: MicroPython is under the MIT licence, parts of it are under others; among them is ST's USB device stack, under the MCD-ST Liberty
note: SW License Agreement V2 (http://www.st.com/software_license_agreement_liberty_v2), which says on what it may be used. The image
note: is yours; nothing of it is in this repository, and no copy of it is kept.
NOTE
}

if [ "${1-}" = --guest ]; then
  . "$repo/ci/check-firmware-guest.sh"
  finish
fi

case ${*:-micropython} in *micropython* | *mboot*) note ;; esac
# shellcheck disable=SC2086 # words
[ $# -gt 0 ] || set -- $all
for name; do
  case $name in
  micropython-*)
    check "$name: flashed, its prompt answers over USB, PYBFLASH is read" micropython "$name"
    check "$name: keeps a file over a reset, and machine.bootloader() is ST's" micropython_returns "$name"
    check "$name: cdc-acm and usb-storage have it" in_guest "$name"
    ;;
  mboot-pybv10) check "$name: flashed, flashes MicroPython by its own DFU mode, which that returns to" mboot ;;
  libopencm3-cdcacm)
    check "$name: flashed, its serial line gives back what it gets" libopencm3
    check "$name: cdc-acm has it" in_guest "$name"
    ;;
  tinyusb-cdc-msc)
    check "$name: flashed, its serial line gives back what it gets, its disk is read" tinyusb
    check "$name: cdc-acm and usb-storage have it" in_guest "$name"
    ;;
  freertos) check "$name: two tasks compute with floats, and lose nothing" freertos ;;
  *)
    echo "check-firmware: there is no image '$name'; these are known: $all" >&2
    exit 2
    ;;
  esac
done
finish
