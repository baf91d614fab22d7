#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serve usbip, on the host, and serve vhci, in the guest: the kernel's own client on either. Runs in a guest.
# guest: --host-commands
# shellcheck disable=SC1091,SC2034,SC2154,SC2317 # lib.sh: what it defines, and calls
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/kernel_log.sh"

hub=/sys/devices/platform/vhci_hcd.0
remote=10.0.2.2
socket=/tmp/vm-usbip-$$-$RANDOM # on the host

# What the tests wait for, without a process for each look.
attribute()
{
  local value

  [ -r "$1" ] && read -r value <"$1" && [ "$value" = "$2" ]
}

# product HEX: nodes of such devices are counted in $found, the last one is $device
product()
{
  local path

  found=0
  for path in /sys/bus/usb/devices/*/idProduct; do
    if attribute "$path" "$1"; then
      found=$((found + 1))
      device=${path%/*}
    fi
  done
}

seen()
{
  product "$1"
  [ "$found" -eq "${2:-1}" ]
}

free()
{
  ! grep -q '^hs  [0-9]* 00[567]' "$hub"/status
}

quiet()
{
  until_true 20 free
  until_true 20 seen df11 0
  until_true 20 seen 5740 0
}

no_complaints()
{
  ! kernel_complains
}

application()
{
  printf '\0\0\002\040\211\001\0\010' >app.bin
  head -c 8184 /dev/urandom >>app.bin
}

# The serial port of the application (bystanders may have one, too) into $tty.
serial_port()
{
  local path

  product 5740
  for path in "$device":1.0/tty/ttyACM*; do
    tty=/dev/${path##*/}
    [ -c "$tty" ] && return 0
  done
  return 1
}

# It gives back what it gets.
echoes()
{
  until_true 20 serial_port
  stty -F "$tty" raw -echo
  exec 5<>"$tty"
  head -c 900 app.bin >sent
  cat sent >&5
  timeout 20 head -c 900 <&5 >got
  exec 5>&-
  cmp sent got
}

# flash SERIAL, read back, and leave for the application
flash_and_leave()
{
  dfu-util -S "$1" -a 0 -s 0x08000000 -D app.bin
  dfu-util -S "$1" -a 0 -s "0x08000000:$(stat -c %s app.bin)" -U back.bin
  cmp app.bin back.bin
  dfu-util -S "$1" -a 0 -s 0x08000000:leave -D app.bin
}

# --- over TCP ---

# serve OPTION...: on the host; its port in $port, its end by `stop`. The control socket is on the host, too.
serve()
{
  [ -n "${VM_HOST:-}" ] || skip 'the host runs no commands (ci/vm/run --host-commands)'
  need usbip dfu-util
  rm -f ready
  (
    cd "$repo" # a folder that the host has, too
    exec ci/vm/on-host "$dfuemu" serve usbip --listen 127.0.0.1:0 --control "$socket" "$@"
  ) >ready 2>complaints &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 30 grep -q '^ready' ready
  port=$(sed 's/.*://' ready)
}

ctl()
{
  (cd "$repo" && ci/vm/on-host "$dfuemu" ctl "$socket" "$@")
}

stop()
{
  local status=0

  kill "$server"
  wait "$server" || status=$?
  quiet
}

attach()
{
  usbip --tcp-port "$port" attach -r "$remote" -b "$1"
}

attached()
{
  attach "$1" 2>/dev/null
}

lists()
{
  serve --time x20 --boards 2
  usbip --tcp-port "$port" list -r "$remote" >said 2>&1
  cat said
  says said '1-1: STMicroelectronics : STM Device in DFU Mode (0483:df11)'
  says said ' 0 - Application Specific Interface / Device Firmware Update'
  grep -q '1-2: ' said
  attach 1-2
  until_true 20 seen df11
  attribute "$device/serial" 326237763036
  attribute "$device/speed" 12
  attribute "$device/bcdDevice" 2200
  if attach 1-2; then return 1; fi
  attach 1-1
  until_true 20 seen df11 2
  usbip port
  stop
}

flashes()
{
  application
  serve --time x20
  attach 1-1
  until_true 20 seen df11
  flash_and_leave "$serial"
  until_true 20 seen df11 0
  until_true 20 attached 1-1
  until_true 20 seen 5740
  echoes
  # Back into the ROM by its button, while the port is open.
  exec 5<>"$tty"
  ctl reset
  until_true 20 seen 5740 0
  exec 5>&-
  until_true 20 attached 1-1
  until_true 20 seen df11
  stop
  no_complaints
}

# The kernel takes a transfer back after 5 s; the board is still there, and erases on.
times_out()
{
  local node

  serve --time real
  attach 1-1
  until_true 20 seen df11
  node=$(printf '/dev/bus/usb/%03d/%03d' "$(cat "$device/busnum")" "$(cat "$device/devnum")")
  "$build/clients/mass_erase_ioctl" 5000 0 "$node" >said
  cat said
  grep -q '^timeout 5\.' said
  ctl status >board
  says board 'bootloader'
  "$build/clients/mass_erase_ioctl" 40000 0 "$node" >said
  cat said
  grep -q '^done 1[67]\.' said
  stop
  no_complaints
}

detaches()
{
  serve --time x20
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    until_true 20 attached 1-1
    until_true 20 seen df11
    usbip detach -p 0
    quiet
  done
  stop
  no_complaints
}

# --- a client that vanishes ---

# import NAME: takes the board over TCP in that other network, keeps the connection, and leaves the head of the reply in NAME
import()
{
  # shellcheck disable=SC2016 # expanded there
  nsenter -t "$network" -n bash -c 'exec 3<>/dev/tcp/127.0.0.1/3240
    { printf "\1\21\200\3\0\0\0\0"; printf "1-1%29s" "" | tr " " "\0"; } >&3
    head -c 8 <&3 >"$1" && exec sleep 1000' bash "$1" &
  until_true 20 has_bytes "$1" 8
}

has_bytes()
{
  [ -e "$1" ] && [ "$(stat -c %s "$1")" -eq "$2" ]
}

# In a network of its own, which may be taken down
loopback()
{
  nsenter -t "$network" -n busybox ip link set lo "$1"
}

another_network()
{
  [ "$(readlink "/proc/$network/ns/net")" != "$(readlink /proc/self/ns/net)" ]
} 2>/dev/null

# Seldom asked, for it takes a minute
has_descriptors()
{
  local descriptors

  sleep 1
  descriptors=("/proc/$server/fd/"*)
  [ ${#descriptors[@]} -eq "$1" ]
}

# Nothing comes from it any more, no end either. It is on the same machine, and lives: so it is not its kernel that tells.
vanished()
{
  local descriptors

  unshare -n sleep 1000 &
  network=$!
  until_true 20 another_network
  loopback up
  nsenter -t "$network" -n "$dfuemu" serve usbip >ready 2>complaints &
  server=$!
  # shellcheck disable=SC2046 # words
  trap 'kill "$server" "$network" $(jobs -p) 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready' ready
  descriptors=("/proc/$server/fd/"*)
  import first
  printf '\1\21\0\3\0\0\0\0' | cmp - first
  import second
  printf '\1\21\0\3\0\0\0\2' | cmp - second # busy
  kill $! # the second
  until_true 20 has_descriptors $((${#descriptors[@]} + 1))
  loopback down
  until_true 100 has_descriptors ${#descriptors[@]}
  loopback up
  import third
  printf '\1\21\0\3\0\0\0\0' | cmp - third
}

# --- in this kernel itself ---

vhci()
{
  rm -f ready
  "$dfuemu" serve vhci --control S "$@" >ready 2>complaints &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; cat complaints' EXIT
  until_true 20 grep -q '^ready: vhci: ports of vhci_hcd: ' ready
}

# Nothing is left when it has ended: no waiting.
vhci_stop()
{
  local status=0

  kill "$server"
  wait "$server" || status=$?
  [ "$status" -eq 0 ]
  free
}

no_module()
{
  ends 125 "$dfuemu" serve vhci
  says said 'vhci_hcd is not loaded: modprobe vhci-hcd'
  modprobe vhci-hcd
  ends 125 setpriv --reuid=65534 --clear-groups "$dfuemu" serve vhci
  says said "cannot write '$hub/attach': Permission denied (it is root's)"
}

self()
{
  need dfu-util
  application
  dmesg -C
  vhci --time x20 --boards 3 --also "$fixtures/descriptors/0483-374b.usb"
  until_true 20 seen df11 3
  until_true 20 seen 374b
  "$dfuemu" ctl --board 3 S status >board
  product df11
  grep -E "address: $(cat "$device/devnum")$" board
  flash_and_leave "$serial"
  until_true 20 seen df11 2
  until_true 20 seen 5740
  echoes
  "$dfuemu" ctl S reset
  until_true 20 seen df11 3
  vhci_stop
  quiet
  no_complaints
}

self_times_out()
{
  local node

  vhci --time real
  until_true 20 seen df11
  node=$(printf '/dev/bus/usb/%03d/%03d' "$(cat "$device/busnum")" "$(cat "$device/devnum")")
  "$build/clients/mass_erase_ioctl" 5000 0 "$node" >said
  grep -q '^timeout 5\.' said
  vhci_stop
  no_complaints
}

# As often as anybody likes, and the port is used again.
replugs()
{
  vhci --time x100
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    until_true 20 seen df11
    "$dfuemu" ctl S unplug >/dev/null
    until_true 20 seen df11 0
    "$dfuemu" ctl S plug >/dev/null
  done
  until_true 20 seen df11
  vhci_stop
  no_complaints
}

# Who detaches it means it.
detached()
{
  vhci --time x20
  until_true 20 seen df11
  echo 0 >"$hub"/detach
  until_true 20 grep -q 'somebody detached port 0' complaints
  quiet
  "$dfuemu" ctl S unplug
  "$dfuemu" ctl S plug
  until_true 20 seen df11
  [ "$(grep -c detached complaints)" -eq 1 ]
  vhci_stop
}

killed()
{
  vhci --time x20
  until_true 20 seen df11
  kill -9 "$server"
  wait "$server" || true
  quiet
}

# The kernel has not enumerated the board yet, so the command has not been run: nobody may take that for its success.
too_early()
{
  local status=0

  "$dfuemu" serve vhci -v -- touch ran 2>said &
  server=$!
  until_true 20 grep -q 'attached' said
  kill "$server"
  wait "$server" || status=$?
  [ "$status" -eq 143 ]
  [ ! -e ran ]
  quiet
}

later 'a client that vanishes without a word is let go after a minute' vanished
check 'without the module, or without the right, vhci says so' no_module
modprobe cdc-acm
dmesg -C
check 'usbip list shows boards, usbip attach takes them, once' lists
check 'a board over TCP: written, read, left for its serial port, and back' flashes
check 'what a board holds is taken back after 5 s, and waited for with 40' times_out
check 'usbip detach gives a board back, ten times over' detaches
check 'vhci: boards plug themselves in, are written and left for their serial port' self
check 'vhci: what a board holds is taken back after 5 s' self_times_out
check 'vhci: a board comes and goes fifteen times' replugs
check 'vhci: a port that is detached stays so until the board is plugged in anew' detached
check 'vhci: a signal before the command has started is no success' too_early
check 'vhci: a port is free after a kill' killed
finish
