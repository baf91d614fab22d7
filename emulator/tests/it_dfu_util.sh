#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# dfu-util as the distribution ships it.
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
# shellcheck disable=SC2016 # scripts in single quotes are for the shell on the private bus
. "$(dirname "$0")/lib.sh"

flash='@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg'

# found VER ALT NAME: a line of dfu-util -l
found()
{
  printf 'Found DFU: [0483:df11] ver=%s, devnum=2, cfg=1, intf=0, path="1-1", alt=%s, name="%s", serial="%s"\n' \
    "$1" "$2" "$3" "$serial"
}

list_v3_1()
{
  need dfu-util
  ends 0 board -- dfu-util -l
  {
    found 2200 3 '@Device Feature/0xFFFF0000/01*004 e'
    found 2200 2 '@OTP Memory /0x1FFF7800/01*512 e,01*016 e'
    found 2200 1 '@Option Bytes  /0x1FFFC000/01*016 e'
    found 2200 0 "$flash"
  } >want
  grep Found said | diff want -
}

list_v3_0()
{
  need dfu-util
  ends 0 board --profile f407-v3.0 -- dfu-util -l
  {
    found 2100 3 '@Device Feature/0xFFFF0000/01*004 g'
    found 2100 2 '@OTP Memory /0x1FFF7800/01*512 g,01*016 g'
    found 2100 1 '@Option Bytes  /0x1FFFC000/01*016 g'
    found 2100 0 "$flash"
  } >want
  grep Found said | diff want -
}

start_state()
{
  need dfu-util
  pattern 100 1 >in.bin
  ends 0 board -- sh -c 'dfu-util -v -a 0 -s 0x08000000 -D in.bin && dfu-util -v -a 0 -s 0x08000000:4 -U out.bin'
  sed -n 's/^DFU state(\([0-9]*\)) = \([A-Za-z-]*\), status(\([0-9]*\)).*/\1 \2 \3/p; s/.*\(transfer size .*\)/\1/p' said >got
  printf '%s\n' '10 dfuERROR 10' '2 dfuIDLE 0' 'transfer size 2048' '2 dfuIDLE 0' 'transfer size 2048' | diff - got
}

# image LENGTH1 LENGTH2: two elements, in sector 0 and from sector 5 on; what is in between stays.
image()
{
  need dfu-util
  python3 "$clients/make_dfu.py" --noise "$1" x.dfu "0x08000000:$1" "0x08020000:$2"
  pattern 65536 7 >sector4.bin
  { tr '\0' '\377' </dev/zero | head -c 65536; cat sector4.bin; } >flash.img
  LIMIT=100 ends 0 board --flash flash.img -- sh -e -c '
    dfu-util -a 0 -D x.dfu
    dfu-util -l
    dfu-util -a 0 -s "0x08000000:$1" -U out.1
    dfu-util -a 0 -s "0x08020000:$2" -U out.2
    dfu-util -a 0 -s 0x08010000:65536 -U out.4' sh "$1" "$2"
  says said "$(found 2200 0 "$flash")"
  cmp x.dfu.1 out.1
  cmp x.dfu.2 out.2
  cmp sector4.bin out.4
  cmp -n "$1" x.dfu.1 flash.img
  cmp -n "$2" -i 0:$((0x20000)) x.dfu.2 flash.img
  cmp -n 65536 -i 0:$((0x10000)) sector4.bin flash.img
  [ "$(stat -c %s flash.img)" -eq 1048576 ]
}

# leave ID [OPTION...]: the application's device is there after :leave, the bootloader's is not.
leave()
{
  local id=$1

  shift
  need dfu-util lsusb
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  ends 0 board "$@" -- sh -e -c '
    dfu-util -a 0 -D x.dfu
    dfu-util -a 0 -s 0x08000000:leave
    timeout 40 sh -c "until lsusb -d $1; do sleep 0.05; done"
    lsusb >list' sh "$id"
  says list "ID $id"
  says_not list 0483:df11
}

# dfu-util 0.11 sets no address for a DfuSe file's :leave, so the ROM jumps to where it wrote last.
leave_from_last_element()
{
  need dfu-util lsusb
  python3 "$clients/make_dfu.py" --noise 5 x.dfu 0x08000000:392 0x08020000:600
  python3 "$clients/make_dfu.py" --noise 5 y.dfu 0x08020000:600 0x08000000:392
  ends 0 board -v -- sh -e -c '
    dfu-util -a 0 -s :leave -D x.dfu
    timeout 10 sh -c "until dfu-util -l | grep -q Internal; do sleep 0.05; done"
    dfu-util -a 0 -s :leave -D y.dfu
    timeout 40 sh -c "until lsusb -d 0483:5740; do sleep 0.05; done"'
}

no_address()
{
  need dfu-util
  pattern 100 1 >in.bin
  ends 64 board --flash flash.img -- dfu-util -a 0 -D in.bin
  says said 'for raw binary download, use the --dfuse-address option'
}

upload_end()
{
  need dfu-util
  pattern 1048576 3 >flash.img
  cp flash.img before.img
  ends 0 board --flash flash.img -- dfu-util -a 0 -s 0x08000000 -U out.bin
  says said 'Limiting upload to end of memory segment, 65536 bytes'
  [ "$(stat -c %s out.bin)" -eq 65536 ]
  cmp -n 65536 out.bin before.img
  cmp flash.img before.img
}

two_boards()
{
  need dfu-util
  pattern 4096 1 >a.bin
  pattern 4096 2 >b.bin
  ends 0 emu --boards 2 --serial 208F3681554D --serial 208338865643 --flash flash%d.img -- sh -c '
    dfu-util -D a.bin -a 0 -s 0x08000000
    echo "without -S: $?"
    dfu-util -S 208F3681554D -a 0 -s 0x08000000 -D a.bin >a.log 2>&1 & a=$!
    dfu-util -S 208338865643 -a 0 -s 0x08000000 -D b.bin >b.log 2>&1 & b=$!
    wait $a && wait $b'
  says said 'More than one DFU capable USB device found!'
  says_not said 'without -S: 0'
  cmp -n 4096 a.bin flash1.img
  cmp -n 4096 b.bin flash2.img
}

one_board_two_tools()
{
  need dfu-util stdbuf
  # Long enough that the second comes while the first is at it, however slow the machine; nobody waits for its end.
  pattern 65536 1 >a.bin
  ends 0 board -- sh -c '
    stdbuf -o0 dfu-util -v -a 0 -s 0x08000000 -D a.bin >first 2>&1 & first=$!
    timeout 20 sh -c "until grep -q \"Download from image\" first; do sleep 0.02; done"
    dfu-util -a 0 -s 0x08000000 -D a.bin
    echo "second: $?"
    kill -0 $first || echo "the first was over by then"
    kill $first'
  says said 'Cannot claim interface'
  says said LIBUSB_ERROR_BUSY
  says_not said 'second: 0'
}

bystanders()
{
  local also=(--also "$fixtures/descriptors/0a5c-21e6.usb" --also "$fixtures/descriptors/04f2-b724.usb:denied")

  need dfu-util
  ends 0 board "${also[@]}" -- dfu-util -l
  says said 'Cannot open DFU device 04f2:b724'
  says said 'Found Runtime: [0a5c:21e6]'
  says said "$(found 2200 0 "$flash")"
  pattern 2048 1 >a.bin
  ends 0 board --flash flash.img "${also[@]}" -- sh -c '
    dfu-util -a 0 -s 0x08000000 -D a.bin && exit 1
    dfu-util -d 0483:df11 -a 0 -s 0x08000000 -D a.bin'
  says said 'More than one DFU capable USB device found!'
  cmp -n 2048 a.bin flash.img
  rm flash.img
  ends 0 board --flash flash.img "${also[@]}" -- dfu-util -S "$serial" -a 0 -s 0x08000000 -D a.bin
  cmp -n 2048 a.bin flash.img
}

interrupted()
{
  need dfu-util stdbuf
  pattern 20000 1 >a.bin
  pattern 6000 2 >b.bin
  # The fourth block is not answered, and the second image has none.
  ends 0 board --flash flash.img --control S --fault 'silent on=write,address=0x08001800,count=1' -- bash -c '
    stdbuf -o0 dfu-util -v -a 0 -s 0x08000000 -D a.bin >first 2>&1 & first=$!
    '"$dfuemu"' ctl S wait fault 20s
    kill -KILL $first
    wait $first
    echo "first: $?"
    dfu-util -v -a 0 -s 0x08000000 -D b.bin'
  says said 'first: 137'
  says said dfuDNLOAD-IDLE
  says said 'Aborting previous incomplete transfer'
  says said 'File downloaded successfully'
  cmp -n 6000 b.bin flash.img
  # The page was erased again: nothing of the first image is left in it.
  cmp -n 10384 -i 0:6000 <(tr '\0' '\377' </dev/zero | head -c 10384) flash.img
}

# Waits until the board is back in DFU.
back='timeout 20 sh -c "until dfu-util -l | grep -q \"Internal Flash\"; do sleep 0.05; done"'

option_bytes()
{
  need dfu-util
  printf '\347\252\030\125\347\252\030\125\377\177\000\200\377\177\000\200' >ob.bin
  ends 0 board -- sh -e -c "
    dfu-util -a 1 -s 0x1FFFC000:will-reset -D ob.bin
    $back
    dfu-util -v -a 1 -s 0x1FFFC000:16 -U ob.out"
  # It has been reset: the ROM has started anew.
  says said 'DFU state(10) = dfuERROR'
  cmp ob.bin ob.out
}

unprotect()
{
  need dfu-util
  printf '\357\125\020\252\357\125\020\252\377\177\000\200\377\177\000\200' >ob.bin
  pattern 1048576 3 >flash.img
  ends 0 board --flash flash.img -- sh -e -c "
    dfu-util -a 0 -s 0x08000000:unprotect -D ob.bin && exit 1
    dfu-util -a 1 -s 0x1FFFC000:will-reset -D ob.bin
    $back
    dfu-util -a 0 -s 0x08000000:64 -U locked.bin && exit 1
    dfu-util -a 0 -s 0x08000000:unprotect:force -D ob.bin
    $back
    dfu-util -a 0 -s 0x08000000:64 -U open.bin"
  says said 'can only be used with force'
  says said 'Device disconnects, erases flash and resets now'
  tr '\0' '\377' </dev/zero | head -c 1048576 | cmp - flash.img
  [ ! -s locked.bin ]
  tr '\0' '\377' </dev/zero | head -c 64 | cmp - open.bin
}

exit_status()
{
  ends 7 board -- sh -c 'exit 7'
  ends 143 board -- sh -c 'kill -TERM $$'
  ends 137 board -- sh -c 'kill -KILL $$'
  ends 127 board -- ./missing
  says said "cannot run './missing': No such file or directory"
  : >file
  ends 126 board -- ./file
  says said "cannot run './file': Permission denied"
  ends 125 board
  ends 125 board --boards none -- true
}

check 'dfu-util -l names the four settings of a V3.1 ROM, byte for byte' list_v3_1
check 'dfu-util -l names the four settings of a V3.0 ROM, byte for byte' list_v3_0
later 'two elements of 392 and 136500 bytes read back the same, and nothing else has changed' image 392 136500
later 'two elements of 14608 and 320184 bytes read back the same, and nothing else has changed' image 14608 320184
later 'the first session starts in dfuERROR, errFIRMWARE; the next one in dfuIDLE' start_state
later '0483:5740, the application, is there after :leave, the bootloader is not' leave 0483:5740
later 'so is f055:9800 with --app' leave f055:9800 --app f055:9800
later ':leave after a DfuSe file starts what was written last: the application, or nothing and a reset' \
  leave_from_last_element
later 'a raw file without an address is refused' no_address
later 'an upload without a length ends with the memory segment' upload_end
later 'two boards are told apart by serial number and flashed at the same time' two_boards
later 'a second dfu-util on the same board is told that the interface is taken' one_board_two_tools
later 'bystanders on the bus are met as on a real one' bystanders
later 'a dfu-util that was killed leaves dfuDNLOAD-IDLE, and the next one recovers' interrupted
later 'writing the option bytes resets the board, and they stay' option_bytes
later 'read protection locks the flash, unprotect:force opens and erases it' unprotect
check 'exit statuses are those of the tool, or 125 to 127' exit_status
finish
