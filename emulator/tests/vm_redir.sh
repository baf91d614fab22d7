#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# usbredir into a guest, by four USB controllers: dfuemu runs on the host, the tools in the guest. Starts the guest itself.
# host:
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel_log.sh"

# Sockets as dfuemu numbers them; the last controller is one that takes high speed only.
if [ -z "${VM_REDIR_FOLDER-}" ]; then
  export VM_REDIR_FOLDER=$work
  arguments=()
  number=0
  for controller in qemu-xhci nec-usb-xhci piix3-usb-uhci usb-ehci; do
    number=$((number + 1))
    arguments+=(-q -device -q "$controller,id=c$number"
      -q -chardev -q "socket,id=r$number,path=$work/r$number.sock,server=on,wait=off"
      -q -device -q "usb-redir,chardev=r$number,bus=c$number.0")
  done
  arguments+=(-q -chardev -q "socket,id=listen,path=$work/listen.sock,reconnect=1"
    -q -device -q "usb-redir,chardev=listen,bus=c1.0")
  "$repo/ci/vm/run" -t 280 --host-commands "${arguments[@]}" -- "$0"
  exit
fi

serials=(326237753036 326237763036 326237773036)

host()
{
  (cd "$VM_REDIR_FOLDER" && exec "$repo/ci/vm/on-host" "$@")
}

ctl()
{
  host "$dfuemu" ctl S "$@"
}

# serve NAME OPTION...: until unserve NAME; what it says is in the file NAME of the guest.
serve()
{
  local name=$1

  shift
  (cd "$VM_REDIR_FOLDER" && exec "$repo/ci/vm/on-host" "$dfuemu" serve redir --time x20 "$@") \
    >"$work/$name" 2>&1 </dev/null &
  echo $! >"$work/$name.pid"
  until_true 20 grep -q '^ready: ' "$work/$name"
}

unserve()
{
  local server

  server=$(cat "$work/$1.pid")
  kill "$server"
  until_true 20 gone "$server"
}

# How many configured devices there are with that ID. Builtins only: a guest is slow.
count()
{
  local folder vendor product value
  local -i found=0

  for folder in /sys/bus/usb/devices/*-*; do
    case $folder in *:*) continue ;; esac
    { read -r vendor <"$folder/idVendor" && read -r product <"$folder/idProduct" &&
      read -r value <"$folder/bConfigurationValue"; } 2>/dev/null || continue
    [ "$vendor:$product" != "$1" ] || [ -z "$value" ] || found+=1
  done
  echo "$found"
}

are()
{
  [ "$(count "$1")" -eq "$2" ]
}

tool()
{
  local which=$1

  shift
  timeout 60 dfu-util -S "${serials[which]}" -a 0 "$@"
}

listed()
{
  local serial

  until_true 20 are 0483:df11 3
  ends 0 dfu-util -l
  for serial in "${serials[@]}"; do
    says said "alt=3, name=\"@Device Feature/0xFFFF0000/01*004 e\", serial=\"$serial\""
  done
  lsusb -t >tree
  [ "$(grep -c '12M' tree)" -ge 3 ]
  grep -q 'uhci_hcd' tree
  grep -q 'xhci_hcd' tree
}

refused()
{
  until_true 10 grep -q "r4.sock': the guest refuses the device" "$work/serve1"
}

flashed()
{
  pattern 12000 "$1" >in.bin
  tool "$1" -s 0x08000000 -D in.bin
  tool "$1" -s 0x08000000:12000 -U out.bin
  cmp in.bin out.bin
}

together()
{
  local one two

  (mkdir one && cd one && flashed 0) &
  one=$!
  (mkdir two && cd two && flashed 2) &
  two=$!
  wait "$one"
  wait "$two"
}

held()
{
  ctl fault add 'delay=60s on=getstatus,count=1'
  SECONDS=0
  tool 0 -s 0x08000000:64 -U out.bin
  [ "$SECONDS" -ge 2 ]
}

silent()
{
  ctl fault add 'silent on=getstatus,count=1'
  SECONDS=0
  ends 74 tool 0 -s 0x08000000:64 -U out.bin
  [ "$SECONDS" -ge 4 ] && [ "$SECONDS" -le 20 ]
  tool 0 -s 0x08000000:64 -U out.bin
}

resets()
{
  local before

  before=$(grep -c 'reset by' "$work/serve1")
  usbreset 0483:df11
  until_true 10 are 0483:df11 3
  tool 0 -s 0x08000000:64 -U out.bin
  [ "$(grep -c 'reset by' "$work/serve1")" -eq "$before" ]
}

replugged()
{
  ctl unplug
  until_true 10 are 0483:df11 2
  ctl plug
  until_true 10 are 0483:df11 3
  tool 0 -s 0x08000000:64 -U out.bin
}

pulled_while_writing()
{
  pattern 24576 9 >in.bin
  ctl fault add 'unplug=20s on=write,count=5'
  ends 74 tool 0 -s 0x08000000 -D in.bin
  until_true 20 are 0483:df11 3
  tool 0 -s 0x08000000 -D in.bin
}

left()
{
  sh "$fixtures/firmware/make-demo.sh" in.bin
  tool 0 -s 0x08000000:leave -D in.bin
  until_true 20 test -c /dev/ttyACM0
  are 0483:5740 1
  stty -F /dev/ttyACM0 raw -echo
  exec 3<>/dev/ttyACM0
  echo 'is anybody there?' >&3
  read -r -t 10 line <&3
  [ "$line" = 'is anybody there?' ]
  exec 3>&-
  ctl reset
  until_true 20 are 0483:df11 3
}

restarted()
{
  unserve serve1
  until_true 10 are 0483:df11 0
  serve serve2 --socket r%d.sock --boards 2 --flash f.bin --also "$fixtures/descriptors/0a5c-21e6.usb"
  until_true 20 are 0483:df11 2
  until_true 20 are 0a5c:21e6 1
  tool 1 -s 0x08000000:64 -U out.bin
}

other_way_round()
{
  local before

  before=$(count 0483:df11)
  serve listening --socket listen:listen.sock --serial 208F3681554D
  until_true 20 are 0483:df11 $((before + 1))
  timeout 60 dfu-util -S 208F3681554D -a 0 -s 0x08000000:64 -U out.bin
  unserve listening
  until_true 20 are 0483:df11 "$before"
}

in_the_files()
{
  unserve serve2
  # shellcheck disable=SC2016 # the host's shell
  host sh -c 'test -s c.pcapng && test "$(stat -c %s f.bin)" -eq 1048576'
}

# A board, relays at low speed and a GPIO adapter, on three controllers; by their drivers, where the guest has them
with_bench()
{
  serve serve3 --socket r%d.sock --control S --bench usbrelay2:1=boot0 --bench cp2112
  until_true 20 are 16c0:05df 1
  until_true 20 are 10c4:ea90 1
  until_true 20 compgen -G '/sys/bus/hid/drivers/hid-generic/*:16C0:05DF.*/hidraw'
  until_true 20 compgen -G '/sys/bus/hid/drivers/cp2112/*:10C4:EA90.*/gpio*'
  unserve serve3
  until_true 10 are 16c0:05df 0
}

no_complaints()
{
  ! kernel_complains
}

twice()
{
  "$@"
  rm -f out.bin
  "$@"
}

dmesg -C
for module in xhci-pci uhci-hcd ehci-pci cdc-acm usbhid hid-generic hid-cp2112; do
  modprobe "$module"
done
serve serve1 --socket r%d.sock --control S --boards 4 --flash f.bin --capture c.pcapng --verbose
check 'a guest lists the boards of three controllers' listed
check 'of a controller without full speed the user is told' refused
check 'qemu-xhci: what is written is read back' flashed 0
check 'nec-usb-xhci: what is written is read back' flashed 1
check 'piix3-usb-uhci: what is written is read back' flashed 2
check 'two boards on two controllers at once' together
check 'a GETSTATUS that is held for three seconds is waited for' held
check 'libusb gives up a silent board after five seconds, and takes its transfer back' silent
check 'a reset of the bus is not one of the board' resets
check 'a board is unplugged and plugged in' replugged
check 'a cable pulled in a download comes back for a good one' pulled_while_writing
check 'after leave the port echoes by cdc-acm' left
check 'dfuemu goes and comes while the guest runs, with a bystander' restarted
check 'QEMU connects to a socket that dfuemu makes, and again' twice other_way_round
check 'flash and capture are in their files' in_the_files
check 'relays and a GPIO adapter are found by their drivers' with_bench
check 'the kernel has no complaint' no_complaints
finish
