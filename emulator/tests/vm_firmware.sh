#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is flashed runs behind a kernel: over each front dfu-util flashes an image of fixtures/firmware/, whose device the kernel then has
# by its own drivers. USB/IP and usbredir serve on the host, the others in the guest, where the emulated processor is emulated twice.
# Starts the guest itself: vm_firmware.sh KERNEL FRONT...
# host: stock usbip vhci redir raw-gadget gadget
# host: backports gadget
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel_log.sh"

if [ -z "${VM_FIRMWARE_FOLDER-}" ]; then
  kernel=${1:?KERNEL FRONT...}
  shift
  export VM_FIRMWARE_FOLDER=$work
  "$repo/ci/vm/modules" "$kernel" >&2
  "$repo/ci/vm/run" -t 280 -k "$kernel" --host-commands -q -device -q qemu-xhci -q -chardev -q "socket,id=redir,path=$work/q.sock,server=on,wait=off" \
    -q -device -q usb-redir,chardev=redir -- "$0" "$@"
  exit
fi
images=$fixtures/firmware
client=$build/clients/front_libusb

# here COMMAND...: where the front runs; in place of this shell
here()
{
  case $front in
  usbip | redir) cd "$VM_FIRMWARE_FOLDER" && exec "$repo/ci/vm/on-host" "$@" ;;
  *) cd "$work" && exec "$@" ;;
  esac
}

ctl()
{
  (here "$dfuemu" ctl "S-$front" "$@") >/dev/null
}

# serve OPTION...: with the front's own options; what it says is in the file $told.
serve()
{
  here "$dfuemu" serve "$front" --app firmware --serial "$serial" --control "S-$front" -v "$@" >"$told" 2>&1 </dev/null &
  echo $! >"$work/$front.pid"
  until_true 6 grep -q '^ready' "$told" || {
    cat "$told"
    return 1
  }
}

unserve()
{
  local server

  server=$(cat "$work/$front.pid")
  kill "$server"
  until_true 6 gone "$server"
  until_true 6 off_bus df11
}

# on_bus PRODUCT: it is, configured; its folder is $device. Builtins only: a guest is slow.
on_bus()
{
  local folder vendor product value

  for folder in /sys/bus/usb/devices/*-*; do
    case $folder in *:*) continue ;; esac
    { read -r vendor <"$folder/idVendor" && read -r product <"$folder/idProduct" && read -r value <"$folder/bConfigurationValue"; } \
      2>/dev/null || continue
    if [ "$vendor:$product" = "0483:$1" ] && [ -n "$value" ]; then
      device=$folder
      return 0
    fi
  done
  return 1
}

off_bus()
{
  ! on_bus "$1"
}

attached()
{
  usbip --tcp-port "$(sed -n 's/^ready.*://p' "$told")" attach -r 10.0.2.2 -b 1-1 2>/dev/null
}

# comes PRODUCT: USB/IP ends with each departure, and a client attaches again.
comes()
{
  [ "$front" != usbip ] || on_bus "$1" || until_true 8 attached
  until_true 8 on_bus "$1"
}

is()
{
  local text

  read -r text <"$device/$1"
  [ "$text" = "$2" ] && return 0
  echo "=> $1 is '$text' instead of '$2'"
  return 1
}

# The bootloader comes without DFU functional descriptor, without which dfu-util does nothing.
no_functional()
{
  grep -q 'takes no DFU functional descriptor' "$told"
}

# prints TEXT: the firmware has, to its serial port; a slow guest tells of a line in pieces.
prints()
{
  sed -n "s/.* says '\(.*\)'\$/\1/p" "$told" | tr -d '\n' | grep -q -F -e "$1"
}

# starts IMAGE: by the bootloader, with BOOT0 low from then on
starts()
{
  comes df11
  ctl boot0 low
  if no_functional; then
    "$client" flash "$images/$1.bin"
    "$client" leave
  else
    ends 0 dfu-util -d 0483:df11 -a 0 -s 0x08000000:leave -D "$images/$1.bin"
  fi
  until_true 6 prints "$1 1"
  until_true 8 off_bus df11
  comes 5740
  is product "$1"
  is manufacturer dfubench
  is serial "$serial"
}

described()
{
  lsusb -v -d 0483:5740 >described 2>complaints
  says described 'Abstract (modem)'
  says described 'CDC Call Management'
  ! grep -iE 'warning|unrecognized|junk|incomplete|invalid|can.t|cannot|error' described complaints
}

echoes()
{
  local line

  until_true 6 test -c /dev/ttyACM0
  stty -F /dev/ttyACM0 raw -echo
  exec 5<>/dev/ttyACM0
  # Short packets, and the end of a full one: cdc-acm waits for what follows it.
  for line in once "$(printf '%063d' 1)" "$(printf '%0300d' 2)"; do
    printf '%s\n' "$line" >&5
    IFS= read -r -t 5 back <&5 || true
    [ "$back" = "$line" ] || {
      echo "=> '$back' came back instead of '$line'"
      tail -n 20 "$told"
      return 1
    }
  done
  exec 5>&-
}

cdc_echo()
{
  serve "$@"
  starts cdc-echo
  described
  echoes
  ctl boot0 high
  ctl reset
  until_true 8 off_bus 5740
  comes df11
}

# The interface of DFU is one of three.
dfu_runtime()
{
  starts dfu-runtime
  described
  says described 'iInterface              4 DFU run-time'
  echoes
  ends 0 dfu-util -d 0483:5740,0483:df11 -e
  says_not said 'No DFU capable'
  until_true 8 off_bus 5740
  comes df11
  prints "detach: to ST's bootloader"
  if no_functional; then
    "$client" read back.bin 64
  else
    ends 0 dfu-util -d 0483:df11 -a 0 -s 0x08000000:64 -U back.bin
  fi
  cmp -n 64 back.bin "$images/dfu-runtime.bin"
}

no_complaints()
{
  if kernel_complains; then
    return 1
  fi
  if grep -E 'cpu-fault|Fault|not modelled' "$told"; then
    return 1
  fi
  unserve
}

# The host resets the bus, and has the same device again.
resets()
{
  usbreset 0483:5740
  until_true 8 on_bus 5740
}

# What the host asks of the line is the firmware's to hear, and reaches it again after a reset of the bus, which is its own as well.
heard()
{
  serve --capture "$PWD/heard.pcapng"
  starts cdc-echo
  echoes
  resets
  echoes
  unserve
  "$dfuemu" show --request OTHER heard.pcapng >shown
  cat shown
  # Since the last departure: configured twice, and the line raised each time
  sed -n '/string 0,/,$p' shown >since
  [ "$(grep -c 'SET_CONFIGURATION 1  *[0-9.]*  *ok' since)" -eq 2 ]
  [ "$(grep -c 'class request 0x20 OUT value 0x0000 index 0x0000, 7 bytes' since)" -ge 1 ]
  [ "$(grep -c 'class request 0x22 OUT value 0x0003 index 0x0000' since)" -ge 2 ]
}

# Where gadgetfs cannot be had, here because its file is open already, the serial port is the kernel's ACM function.
without_gadgetfs()
{
  local controller

  mkdir -p /run/taken
  mount -t gadgetfs none /run/taken
  for controller in /run/taken/*; do
    exec 6<>"$controller"
  done
  serve
  starts cdc-echo
  says "$told" "the serial port is the kernel's own"
  echoes
  resets
  echoes
  unserve
  exec 6>&-
  umount /run/taken
}

# A guest of 512 MiB is refused 1 GiB at once.
no_room()
{
  ends 125 "$dfuemu" serve vhci --app firmware
  says said 'Unicorn, which firmware runs on, wants 1 GiB at once'
  says said 'sysctl vm.overcommit_memory=1'
}

module()
{
  [ -d "/sys/module/$1" ] || insmod "$VM_MODULES/$1.ko"
}

modprobe cdc-acm
check 'what the engine needs is said where it is not to be had' no_room
echo 1 >/proc/sys/vm/overcommit_memory
for front; do
  options=()
  told=$work/$front.told
  case $front in
  usbip) options=(--listen 127.0.0.1:0) && modprobe vhci-hcd ;;
  vhci) modprobe vhci-hcd ;;
  redir) options=(--socket q.sock) && modprobe xhci-pci ;;
  raw-gadget) modprobe dummy_hcd && modprobe udc-core && module raw_gadget ;;
  gadget) modprobe dummy_hcd && modprobe usb_f_fs && modprobe libcomposite ;;
  esac
  dmesg -C
  check "$front: cdc-echo is flashed, and cdc-acm has its line" cdc_echo "${options[@]}"
  check "$front: dfu-runtime leaves for the bootloader when dfu-util says so" dfu_runtime
  check "$front: the kernel has no complaint" no_complaints
  if [ "$front" = gadget ]; then
    check 'gadget: the firmware hears what is asked of its line, after a reset of the bus too' heard
    check "gadget: without gadgetfs the line is the kernel's, and answers, after a reset of the bus too" without_gadgetfs
  fi
done
finish
