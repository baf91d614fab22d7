#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is flashed runs behind a kernel: over each front dfu-util flashes an image of fixtures/firmware/, whose device the kernel then has
# by its own drivers. USB/IP and usbredir serve on the host, the others in the guest, where the emulated processor is emulated twice.
# Starts the guest itself. FRONTS: some of them, for trying out.
# host:
# shellcheck disable=SC1091,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel_log.sh"

if [ -z "${VM_FIRMWARE_FOLDER-}" ]; then
  export VM_FIRMWARE_FOLDER=$work VM_FIRMWARE_FRONTS=${FRONTS-}
  "$repo/ci/vm/modules" stock >&2
  "$repo/ci/vm/run" -t 280 --host-commands -q -device -q qemu-xhci -q -chardev -q "socket,id=redir,path=$work/q.sock,server=on,wait=off" \
    -q -device -q usb-redir,chardev=redir -- "$0"
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

# starts IMAGE: by the bootloader, with BOOT0 low from then on
starts()
{
  comes df11
  ctl boot0 low
  if [ "$front" = gadget ]; then # whose DFU functional descriptor is missing here, without which dfu-util does nothing
    "$client" flash "$images/$1.bin"
    "$client" leave
  else
    ends 0 dfu-util -d 0483:df11 -a 0 -s 0x08000000:leave -D "$images/$1.bin"
  fi
  until_true 6 grep -q "says '$1 1" "$told"
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
  says "$told" "says 'detach: to ST's bootloader'"
  ends 0 dfu-util -d 0483:df11 -a 0 -s 0x08000000:64 -U back.bin
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

# The line of firmware: if it answers, the table is wrong.
gap()
{
  grep -q "^gadget	any	\"the serial port of firmware" "$tests/fronts/gaps.tsv"
  serve
  starts cdc-echo
  described
  if echoes; then
    echo '=> it answers'
    return 1
  fi
  kill "$(cat "$work/$front.pid")"
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
for front in ${VM_FIRMWARE_FRONTS:-usbip vhci redir raw-gadget gadget}; do
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
  if [ "$front" = gadget ]; then
    check 'gadget: what is in the table of gaps fails' gap "${options[@]}"
    continue
  fi
  check "$front: cdc-echo is flashed, and cdc-acm has its line" cdc_echo "${options[@]}"
  check "$front: dfu-runtime leaves for the bootloader when dfu-util says so" dfu_runtime
  check "$front: the kernel has no complaint" no_complaints
done
finish
