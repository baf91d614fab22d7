# shellcheck shell=bash disable=SC2154,SC2034,SC2094,SC2012,SC2119,SC2120
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of both gadget fronts share; sourced by them, after lib.sh. $front: the front's name.
# shellcheck disable=SC1091
. "$(dirname "$0")/kernel_log.sh"

dmesg -C # the boot's
modprobe cdc-acm
# What libusbgx 0.2 forgets when it reads gadgets is not ours.
echo 'leak:libusbgx' >"$work/leaks"
export LSAN_OPTIONS=suppressions=$work/leaks:print_suppressions=0
device=/sys/bus/usb/devices/1-1

host()
{
  timeout -k 5 120 "$build/clients/gadget_host" "$@"
}

# serve OPTION...: until `stop`, which another test may say. What it tells is in $work/told, its control socket $work/S.
serve()
{
  rm -f "$work/pid" "$work/status"
  (
    "$dfuemu" serve "$front" --serial "$serial" --control "$work/S" "$@" >"$work/told" 2>&1 &
    echo $! >"$work/pid"
    wait $! && status=0 || status=$?
    echo "$status" >"$work/status"
  ) &
  until_true 20 grep -s -q '^ready' "$work/told" || {
    cat "$work/told"
    return 1
  }
  served=$(cat "$work/pid")
}

stop()
{
  kill "-${1:-INT}" "$(cat "$work/pid")"
  until_true 20 test -s "$work/status"
  cat "$work/told"
  [ "$(cat "$work/status")" = "${2:-0}" ]
}

listed()
{
  until_true 20 on_bus df11
}

# On either bus: there may be two controllers.
on_bus()
{
  local path product

  for path in /sys/bus/usb/devices/*-1/idProduct; do
    [ -e "$path" ] || continue
    read -r product <"$path" || continue
    [ "$product" = "$1" ] && [ -s "${path%/*}/bConfigurationValue" ] && return 0
  done
  return 1
} 2>/dev/null

off_bus()
{
  [ ! -e "$device" ]
}

refusals()
{
  host refused >refused
  cat refused
  says refused 'IN: Broken pipe'
  says refused 'no data: Broken pipe'
  host clears 100 >clears
  cat clears
  says clears '0 of 200 were lost'
}

# The board answers by its socket while the host waits for it.
socket_while_held()
{
  local i

  "$dfuemu" ctl "$work/S" fault add silent on=getstate,count=1
  host silent 10000 >held &
  until_true 60 grep -s -q 'asking' held
  for i in 1 2 3; do
    timeout 2 "$dfuemu" ctl "$work/S" status >status
    says status 'attached: yes'
  done
  says_not held 'given up'
  until_true 60 grep -q 'given up' held
}

application_echoes()
{
  sh "$fixtures/firmware/make-demo.sh" firmware.bin
  "$dfuemu" ctl "$work/S" flash load firmware.bin
  "$dfuemu" ctl "$work/S" boot0 low
  "$dfuemu" ctl "$work/S" reset
  until_true 20 on_bus 5740
  until_true 20 test -c /dev/ttyACM0
  host serial /dev/ttyACM0
}

reboots_into_bootloader()
{
  "$dfuemu" ctl "$work/S" boot0 high
  "$dfuemu" ctl "$work/S" reset
  listed
}

# From the bootloader into the application and back, so often; each has a gadget of its own.
reboots()
{
  local i before after

  serve
  listed
  application_echoes
  reboots_into_bootloader
  before=$(ls "/proc/$served/fd" "/proc/$served/task" | wc -l)
  for ((i = 0; i < $1; i++)); do
    "$dfuemu" ctl "$work/S" boot0 low
    "$dfuemu" ctl "$work/S" reset
    until_true 20 on_bus 5740
    reboots_into_bootloader
  done
  application_echoes
  reboots_into_bootloader
  after=$(ls "/proc/$served/fd" "/proc/$served/task" | wc -l)
  echo "descriptors and threads: $before before, $after after"
  [ "$before" -eq "$after" ]
  stop
}

# Nothing piles up: descriptors and threads are as many as before.
replugs()
{
  local i before after

  serve
  listed
  "$dfuemu" ctl "$work/S" unplug
  until_true 20 off_bus
  "$dfuemu" ctl "$work/S" plug
  listed
  before=$(ls "/proc/$served/fd" "/proc/$served/task" | wc -l)
  for ((i = 0; i < $1; i++)); do
    "$dfuemu" ctl "$work/S" unplug >/dev/null
    until_true 20 off_bus
    "$dfuemu" ctl "$work/S" plug >/dev/null
    listed
  done
  after=$(ls "/proc/$served/fd" "/proc/$served/task" | wc -l)
  echo "descriptors and threads: $before before, $after after"
  [ "$before" -eq "$after" ]
  host refused
  stop
}

# Of all that was done before; to the kernel both the device and who asks.
no_complaints()
{
  ! kernel_complains
}
