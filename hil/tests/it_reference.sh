#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfu-reference does everything right, and each of its mutants something else.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/../../emulator/tests/lib.sh"
tsv=$repo/hil/tests/tools/mutants.tsv
R=$build/tools/dfu-reference
H=$build/dfuhil
export R H

if [ ! -x "$R" ] || [ ! -x "$H" ]; then
  echo 'skip - dfu-reference: it is not in this build (make unit)'
  exit 0
fi

# A scene: a board whose flash is full of zeros, and what a tool is to do with it. It leaves the flash, the requests, what the
# tool said and its exit statuses. on_board [OPTION...] -- SCRIPT; in the script, tell says the exit status of a command.
on_board()
{
  local options=() status=0

  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  head -c "${FLASH:-1048576}" /dev/zero >flash.img
  DFU_REFERENCE_TRACE=requests timeout -k 2 "${LIMIT:-30}" "$dfuemu" exec --time "${TIME:-virtual}" --serial "$serial" \
    --flash flash.img "${options[@]}" -- bash -c 'tell() { local s=0; "$@" || s=$?; echo $s >>statuses; }; right() {
      env -u DFU_REFERENCE_MUTANT -u DFU_REFERENCE_TRACE "$R" "$@"; }; '"$2" >said 2>&1 || status=$?
  [ "$status" -eq 0 ] || echo "never ended: $status" >>statuses
  touch statuses requests
}

image()
{
  pattern "$1" 1 >image
  # A vector table: stack pointer, reset vector
  printf '\0\0\2\40\211\1\0\10' | dd of=image conv=notrunc status=none
}

pack()
{
  python3 "$clients/make_dfu.py" --noise 5 pack.dfu 0x08000000:392 0x08020000:5000
}

# Bytes of a file changed; with fix, the CRC is made right again.
change()
{
  python3 - "$@" <<'END'
import struct, sys, zlib
name, at, value = sys.argv[1], int(sys.argv[2]), int(sys.argv[3], 0)
data = bytearray(open(name, "rb").read())
data[at] = value
if sys.argv[4:] == ["fix"]:
    data[-4:] = struct.pack("<I", zlib.crc32(data[:-4]) ^ 0xFFFFFFFF)
open(name, "wb").write(data)
END
}

scene_write()
{
  image 5000
  on_board -- 'tell "$R" download image --address 0x08000000'
}

scene_idle()
{
  image 5000
  on_board -- 'right list; "$H" host - <<<clrstatus; tell "$R" download image --address 0x08000000'
}

scene_left()
{
  image 5000
  on_board -- '"$H" host - <<<"clrstatus; set-address 0x08000000; settle"; tell "$R" download image --address 0x08000000
    "$H" host - <<<"set-address 0x08000000; settle; abort; upload 2 64"; tell "$R" erase --address 0x08004000'
}

scene_busy()
{
  image 5000
  on_board --fault 'status=OK:dfuDNBUSY on=getstatus,count=4' -- 'tell "$R" download image --address 0x08000000'
}

scene_early()
{
  image 5000
  on_board --fault 'stall on=getstatus,count=4' -- 'tell "$R" download image --address 0x08000000'
}

scene_bus()
{
  image 5000
  on_board --fault 'bus-error on=write,count=2' -- 'tell "$R" download image --address 0x08000000'
}

scene_whole()
{
  image 4096
  on_board -- 'tell "$R" download image --address 0x08000000'
}

scene_offset()
{
  image 70000
  on_board -- 'tell "$R" download image --address 0x08008000'
}

scene_big()
{
  image 600000
  on_board -- 'tell "$R" download image --address 0x08000000'
}

scene_dfuse()
{
  pack
  on_board -- 'tell "$R" download pack.dfu'
}

scene_crc()
{
  pack
  change pack.dfu 700 0x55
  on_board -- 'tell "$R" download pack.dfu'
}

scene_ids()
{
  pack
  change pack.dfu -14 0x12 fix
  on_board -- 'tell "$R" download pack.dfu; tell "$R" download pack.dfu --force'
}

scene_suffix()
{
  image 5000
  printf '\377\377\21\337\203\4\0\1UFD\20\0\0\0\0' >>image
  change image -16 0xff fix
  on_board -- 'tell "$R" download image --address 0x08000000'
}

scene_leave()
{
  image 5000
  on_board -- 'tell "$R" download image --address 0x08000000 --leave; sleep 1; lsusb'
}

scene_unprotect()
{
  on_board -- 'tell "$R" unprotect; sleep 3; tell "$R" list'
}

scene_protected()
{
  image 5000
  on_board -- 'right option-bytes efbb1044efbb1044ff7f0080ff7f0080; sleep 3; tell "$R" download image --address 0x08000000
    tell "$R" erase --address 0x08000000; tell "$R" unprotect; sleep 20; tell right download image --address 0x08000000'
}

scene_stall()
{
  image 5000
  on_board --fault 'stall on=write,count=2' -- 'tell "$R" download image --address 0x08000000'
}

scene_stalls()
{
  image 5000
  LIMIT=10 on_board --fault 'stall on=write,count=any' -- 'tell "$R" download image --address 0x08000000'
}

scene_target()
{
  image 100
  LIMIT=10 on_board -- 'tell "$R" download image --address 0 --force; tell "$R" download image --address 0x08100000'
}

scene_upload()
{
  image 70001
  on_board -- 'right download image --address 0x08000000; tell "$R" upload out.bin --address 0x08000000 --length 70001'
}

scene_options()
{
  on_board -- 'tell "$R" option-bytes efaa1055efaa1055feff0100feff0100; sleep 3; tell "$R" list'
}

scene_mass()
{
  on_board --erase-times maximum -- 'tell "$R" mass-erase'
}

scene_slow()
{
  on_board --erase-times maximum -- 'tell "$R" erase --address 0x08020000 --length 0x20001'
}

scene_silent()
{
  image 5000
  LIMIT=10 on_board --fault 'silent on=getstatus,count=5' -- 'tell "$R" download image --address 0x08000000'
}

scene_many()
{
  image 5000
  on_board --serial 208F3681554D --boards 2 --also "$fixtures/descriptors/0a5c-21e6.usb" --also \
    "$fixtures/descriptors/04f2-b724.usb:denied" -- '"$R" list; tell "$R" download image --address 0x08000000
    tell "$R" download image --address 0x08000000 --serial 208f3681554d; tell "$R" list --usb 1234:5678'
  cat flash-2.img >>flash.img
}

scene_verify()
{
  image 5000
  on_board --fault 'corrupt=3 on=write,count=2' -- 'tell "$R" download image --address 0x08000000 --verify
    tell "$R" download image --address 0x08000000 --verify'
}

scene_small()
{
  "$dfuemu" profiles | grep -q g431 || skip 'no profile here has another wTransferSize'
  image 5000
  FLASH=131072 on_board --profile g431 -- 'tell "$R" download image --address 0x08000000'
}

# What the original leaves in each scene

statuses()
{
  printf '%s\n' "$@" | diff - statuses
}

holds()
{
  # FILE ADDRESS: the flash has it there
  cmp -n "$(stat -c %s "$1")" -i "0:$(($2 - 0x08000000))" "$1" flash.img
}

# filled BYTE FROM TO: of the flash
filled()
{
  python3 -c 'import sys; b, f, t = (int(x, 0) for x in sys.argv[1:]); d = open("flash.img", "rb").read()
sys.exit(d[f - 0x08000000:t - 0x08000000] != bytes([b]) * (t - f))' "$@"
}

after_write()
{
  statuses 0
  holds image 0x08000000
  filled 0xff 0x08001388 0x08004000
  filled 0 0x08004000 0x08100000
}

after_idle()
{
  after_write
}

after_left()
{
  statuses 0 0
  holds image 0x08000000
  filled 0xff 0x08004000 0x08008000
}

after_busy()
{
  after_write
}

after_early()
{
  after_write
}

after_bus()
{
  after_write
}

after_whole()
{
  statuses 0
  holds image 0x08000000
}

after_offset()
{
  statuses 0
  holds image 0x08008000
  filled 0 0x08000000 0x08008000
  filled 0xff 0x08019170 0x08020000
  filled 0 0x08020000 0x08100000
  [ "$(grep -c '^21 1 value 0 length 5' requests)" -eq 4 ]
}

after_big()
{
  statuses 0
  holds image 0x08000000
}

after_dfuse()
{
  statuses 0
  holds pack.dfu.1 0x08000000
  holds pack.dfu.2 0x08020000
  filled 0 0x08004000 0x08020000
}

after_crc()
{
  statuses 2
  says said 'is damaged: its CRC is 0x'
  filled 0 0x08000000 0x08100000
}

after_ids()
{
  statuses 2 0
  says said 'the device is 0483:df11'
}

after_suffix()
{
  statuses 0
  truncate -s 5000 image
  holds image 0x08000000
  filled 0xff 0x08001388 0x08004000
}

after_leave()
{
  statuses 0
  says said '0483:5740'
}

after_unprotect()
{
  statuses 0 0
}

after_protected()
{
  statuses 7 7 0 0
  says said 'the flash is protected from readout; unprotect erases it'
  holds image 0x08000000
}

after_stall()
{
  statuses 0
  holds image 0x08000000
}

after_stalls()
{
  statuses 4
  says said 'write of block 2: the device refuses it (STALL)'
  [ "$(grep -c '^21 1 value 2 ' requests)" -eq 3 ]
}

after_target()
{
  statuses 4 2
  says said 'set address 0x00000000: the device says errTARGET, state 10'
  says said '0x08100000 is no memory that can be written in alternate setting 0'
}

after_upload()
{
  statuses 0
  cmp image out.bin
}

after_options()
{
  statuses 0 0
  says requests 'alternate setting 1: 0'
}

after_mass()
{
  statuses 0
  filled 0xff 0x08000000 0x08100000
}

after_slow()
{
  statuses 0
  filled 0xff 0x08020000 0x08060000
  filled 0 0x08060000 0x08100000
}

after_silent()
{
  statuses 5
}

after_many()
{
  statuses 3 0 3
  says said 'there are 2 such devices: --serial or --usb says which'
  filled 0 0x08000000 0x08100000
  cmp -n 5000 image flash-2.img
}

after_verify()
{
  statuses 6 0
  says said 'the flash differs from the file at 0x08000803'
  holds image 0x08000000
}

after_small()
{
  statuses 0
  holds image 0x08000000
  [ "$(grep -c '^21 1 value [2-9] length 1024' requests)" -eq 4 ]
}

original()
{
  "scene_$1"
  cat statuses requests said
  "after_$1"
}

# The exit statuses, the requests or the flash are others.
differs()
{
  local scene=$2 part same=yes

  if [ -f "$work/original-$scene/reason" ]; then
    skip "$(cat "$work/original-$scene/reason")"
  fi
  [ -s "$work/original-$scene/statuses" ]
  DFU_REFERENCE_MUTANT=$1 "scene_$scene"
  for part in statuses requests flash.img out.bin; do
    [ ! -f "$work/original-$scene/$part" ] || cmp -s "$part" "$work/original-$scene/$part" || same=no
  done
  cat statuses requests
  [ "$same" = no ]
}

real_time()
{
  image 20000
  TIME=real LIMIT=60 on_board -- 'set -e; "$R" list; "$R" download image --address 0x08000000 --verify
    "$R" upload out --address 0x08000000 --length 20000; "$R" erase --address 0x0800C000
    "$R" leave --address 0x08000000; until lsusb | grep -q 0483:5740; do sleep 0.1; done; touch left'
  cat said
  [ -f left ]
  cmp image out
  holds image 0x08000000
  filled 0xff 0x0800C000 0x08010000
}

table_agrees()
{
  "$R" --mutants >listed
  grep -v '^#' "$tsv" | cut -f 1,2 | diff listed -
  [ "$(grep -c '' listed)" -ge 28 ]
  ends 1 "$R" --mutant no-such list
  ends 1 env DFU_REFERENCE_MUTANT=no-such "$R" list
}

check 'the table of mutants is that of the program' table_agrees
for name in $(declare -F | sed -n 's/^declare -f scene_//p'); do
  # The folder is looked at again by the mutants.
  status=0
  in_folder "$work/original-$name" original "$name" || status=$?
  count=$((count + 1))
  verdict "the original does right: $name" "$work/original-$name" "$status"
done
while IFS=$'\t' read -r name bug _ scene; do
  case $name/$scene in
  '#'*) ;;
  # Some of these never end.
  */stalls | */target | */silent) later "mutant $name $bug" differs "$name" "$scene" ;;
  *) check "mutant $name $bug" differs "$name" "$scene" ;;
  esac
done <"$tsv"
later 'all operations work in real time' real_time
finish
