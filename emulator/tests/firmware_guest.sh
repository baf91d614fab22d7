# shellcheck shell=bash disable=SC1091,SC2154 # lib.sh: what it defines
# SPDX-License-Identifier: GPL-2.0-or-later
# In a guest: dfuemu serves USB/IP on the host, or a gadget in the guest (DFUBENCH_FIRMWARE_FRONT), the guest's kernel has the board by
# its own drivers, and an image, $image, is flashed and started from here as well. Sourced after lib.sh.
. "$(dirname "${BASH_SOURCE[0]}")/kernel_log.sh"
remote=10.0.2.2
front=${DFUBENCH_FIRMWARE_FRONT:-usbip}
socket=/tmp/vm-firmware-$$-$RANDOM # where the front runs

# here COMMAND...: where the front runs; in place of this shell
here()
{
  [ "$front" != usbip ] || {
    cd "$repo" || exit # a folder that the host has, too
    set -- ci/vm/on-host "$@"
  }
  exec "$@"
}

# The last device of that product into $device.
product()
{
  local path value

  device=
  for path in /sys/bus/usb/devices/*/idProduct; do
    [ -r "$path" ] && read -r value <"$path" && [ "$value" = "$1" ] && device=${path%/*}
  done
  [ -n "$device" ]
}

absent()
{
  ! product "$1"
}

attached()
{
  usbip --tcp-port "$port" attach -r "$remote" -b 1-1 2>/dev/null
}

# attach PRODUCT: when it is on the bus again
attach()
{
  [ "$front" != usbip ] || until_true 40 attached
  until_true 40 product "$1"
}

ctl()
{
  (here "$dfuemu" ctl "$socket" "$@")
}

serve()
{
  local options=()

  if [ "$front" = usbip ]; then
    [ -n "${VM_HOST:-}" ] || skip 'the host runs no commands (ci/vm/run --host-commands)'
    need usbip
    modprobe vhci-hcd
    options=(--listen 127.0.0.1:0)
  else
    modprobe dummy_hcd
    modprobe libcomposite
    echo 1 >/proc/sys/vm/overcommit_memory # Unicorn wants more at once than a guest has
  fi
  need dfu-util
  modprobe cdc-acm
  dmesg -C
  (here "$dfuemu" serve "$front" "${options[@]}" --app firmware --serial "$serial" --control "$socket" -v) >ready 2>events &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; grep -vE "dfuDN|programmed|LED" events | tail -n 20; dmesg | grep -v unlink | tail -n 30' EXIT
  until_true 40 grep -q '^ready' ready
  port=$(sed 's/.*://' ready)
  attach df11
}

flash_and_leave()
{
  ctl boot0 low
  case $image in
  *.dfu)
    dfu-util -a 0 -D "$image"
    dfu-util -a 0 -s 0x08000000:4:leave -U vector.bin
    ;;
  *) dfu-util -a 0 -s 0x08000000:leave -D "$image" ;;
  esac
  until_true 40 absent df11
}

serial_port()
{
  local path

  for path in "$device":1.*/tty/ttyACM*; do
    tty=/dev/${path##*/}
    [ -c "$tty" ] && return 0
  done
  return 1
}

open_port()
{
  until_true 40 serial_port
  stty -F "$tty" raw -echo
  exec 5<>"$tty"
}

# Bytes in, and the same out again. The last packet is a short one: not all firmware ends a full one with an empty one, and cdc-acm
# waits for that.
echoes()
{
  open_port
  head -c 950 /dev/urandom >sent
  cat sent >&5
  timeout 60 head -c 950 <&5 >got
  exec 5>&-
  cmp sent got
}

in_order()
{
  if kernel_complains; then return 1; fi
  # shellcheck disable=SC2251 # the exit status of grep is what counts
  ! grep -E 'cpu-fault|HardFault|lockup' events
}
