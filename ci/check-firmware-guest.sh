# shellcheck shell=bash disable=SC1091,SC2034,SC2154 # lib.sh: what it defines
# SPDX-License-Identifier: GPL-2.0-or-later
# The part of check-firmware.sh that runs in a guest, sourced by it there.
. "$tests/firmware_guest.sh"
image=$DFUBENCH_FIRMWARE_IMAGE
modprobe usb-storage
modprobe sd_mod

# tells LINE ANSWER: the prompt gets the one and gives the other. What comes is in the file heard, by way of a program: `read -n` has a
# terminal turn CR into LF.
tells()
{
  : >heard
  printf '%s\r' "$1" >&5
  until_true 60 hears "$2"
}

hears()
{
  [[ $(tr -d '\r' <heard) == *"$1" ]]
}

# What does not begin with a jump has partitions, and the file system is on the first.
mount_disk()
{
  until_true 60 block_device
  modprobe vfat
  modprobe nls_cp437
  modprobe nls_ascii
  if [ "$(head -c 1 "$disk" | od -A n -t x1)" != ' eb' ]; then
    disk=${disk}1
    until_true 20 [ -b "$disk" ]
  fi
  mkdir flash
  mount -t vfat -o ro "$disk" flash
  ls -l flash
}

block_device()
{
  local path

  for path in "$device":1.*/host*/target*/*/block/*; do
    [ -e "$path" ] || continue
    disk=/dev/${path##*/}
    [ -b "$disk" ] && [ "$(<"$path/size")" -gt 0 ] && return 0
  done
  return 1
}

micropython()
{
  serve
  flash_and_leave
  attach 9800
  mount_disk
  says flash/boot.py 'boot.py -- run on boot'
  umount flash
  open_port
  cat <&5 >>heard &
  tells $'\003\003' '>>> '
  tells 'print(6*7)' $'\n42\n>>> '
  tells 'import machine' $'machine\n>>> '
  printf 'machine.bootloader()\r' >&5
  until_true 40 absent 9800
  exec 5>&-
  attach df11
  dfu-util -l
  in_order
}

libopencm3()
{
  serve
  flash_and_leave
  attach 5740
  echoes
  in_order
}

tinyusb()
{
  serve
  flash_and_leave
  attach 4003
  echoes
  mount_disk
  [ -s flash/README.TXT ] || [ -s flash/readme.txt ]
  umount flash
  in_order
}

case $2 in
micropython-*) check "$2 in a guest" micropython ;;
libopencm3-*) check "$2 in a guest" libopencm3 ;;
tinyusb-*) check "$2 in a guest" tinyusb ;;
esac
